"""The command `tenet`. It answers --help at once: nothing heavy is imported until it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1, 2 or 3 as `tenet run --help` says."""
    options = _parser().parse_args(arguments)
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
        print("tenet: interrupted; the record holds what was judged so far", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tenet",
        description="Holds a tensor backend to the documented behaviour of PyTorch's API.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_spec(commands)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from importlib.metadata import version

        print(f"tenet {version('tensor-tenet')}")
        parser.exit()


def _whole(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
        return number

    return whole


_RUN_OPTIONS: dict[str, dict[str, Any]] = {
    "--backend": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "cpu, cuda:1, mps, xpu, meta, ...; repeat for several; default: all found",
    },
    "--suite": {
        "default": "core",
        "metavar": "NAME",
        "help": "smoke, core or full; default: core",
    },
    "-k --clause": {
        "action": "append",
        "default": [],
        "metavar": "GLOB",
        "help": "only the clauses whose id matches; repeat for several",
    },
    "--examples": {
        "type": _whole(1),
        "metavar": "N",
        "help": "examples for each clause instead of the suite's number",
    },
    "--seed": {
        "type": _whole(0),
        "default": 0,
        "metavar": "N",
        "help": "the same seed gives the same examples; default: 0",
    },
    "--workers": {
        "type": _whole(0),
        "metavar": "N",
        "help": "processes side by side; default: one a core; 0: none but this one",
    },
    "--results": {
        "default": "results",
        "metavar": "DIR",
        "help": "where the records go; default: results",
    },
    "--list": {"action": "store_true", "help": "list what would run, and stop"},
}


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "run",
        help="judge backends",
        description="Judges every device of this machine, or the backends named.",
        epilog="exit status: 0 all held, 1 something failed, 2 bad usage, 3 the harness broke",
    )
    for names, settings in _RUN_OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    parser.set_defaults(command=_run)


def _add_spec(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "spec",
        help="read the specification",
        description="Prints the documented statements with the clauses that check them.",
    )
    parser.add_argument("clause", nargs="?", metavar="CLAUSE", help="one clause, with its source")
    parser.add_argument("--uncovered", action="store_true", help="statements without a clause")
    parser.set_defaults(command=_spec)


def _run(options: argparse.Namespace) -> int:
    from tenet.harness.plan import Request, plan

    made = plan(
        Request(
            backends=tuple(options.backend),
            suite=options.suite,
            clauses=tuple(options.clause),
            examples=options.examples,
            seed=options.seed,
        )
    )
    if options.list:
        for clause, backend in made.selection:
            print(f"{clause.id}[{backend.name}]")
        return 0
    import time

    from rich.console import Console

    from tenet.harness.run import run
    from tenet.harness.terminal import Display, announce, report

    console = Console()
    workers = len(os.sched_getaffinity(0)) if options.workers is None else options.workers
    started = time.perf_counter()
    announce(made, console)
    with Display(made, console) as display:
        outcome = run(made, workers=workers, results=options.results, listener=display)
    report(outcome, time.perf_counter() - started, console)
    return outcome.exit_status()


def _spec(options: argparse.Namespace) -> int:
    from tenet.harness import specification

    if options.clause is not None:
        lines = specification.clause_text(options.clause)
    elif options.uncovered:
        lines = specification.uncovered_text()
    else:
        lines = specification.whole_text()
    for line in lines:
        print(line)
    return 0
