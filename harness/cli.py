"""The command `tenet`. It answers --help at once: nothing heavy is imported until it is needed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from tenet.harness.commands import audit, bench, compare, expect, gate, report, repro, run, spec

COMMANDS = (run, gate, compare, report, repro, expect, audit, bench, spec)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1, 2 or 3 as `tenet run --help` says."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as Ctrl-C does
    from tenet.harness.errors import HarnessError, UsageError

    try:
        return int(options.command(options))
    except UsageError as error:
        print(f"tenet: {error}", file=sys.stderr)
        return 2
    except HarnessError as error:
        print(f"tenet: {error}", file=sys.stderr)
        return 3
    except BrokenPipeError:
        # The reader has gone (`tenet spec | head`): nothing is wrong, and nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(
            "tenet: interrupted",
            file=sys.stderr,
        )
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tenet",
        description="Holds a tensor backend to the documented behaviour of PyTorch's API.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from importlib.metadata import version

        print(f"tenet {version('tensor-tenet')}")
        parser.exit()
