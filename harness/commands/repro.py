"""`tenet repro`: a script that shows a failure."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tenet.harness.commands.options import add_sources, backend_from

if TYPE_CHECKING:
    from tenet.harness.verdict import Failure


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "repro",
        help="a stand-alone script that shows a failure",
        description="Prints the Python script that a record holds for a failure: the calls of "
        "the smallest example, and what is due. It needs the backend and NumPy only, where it "
        "does not say otherwise.",
        epilog="exit status: 0 printed, 2 bad usage; the script itself ends with 1 where the "
        "failure shows, and with 0 where the behaviour holds",
    )
    parser.add_argument("record", metavar="RECORD", help="a record of `tenet run`")
    parser.add_argument("clause", metavar="CLAUSE", help="a clause that failed there")
    parser.add_argument("--to", metavar="FILE", help="write it into this new file")
    add_sources(parser)
    parser.set_defaults(command=_repro)


def _repro(options: argparse.Namespace) -> int:
    from pathlib import Path

    from tenet.harness.comparison import by_clause
    from tenet.harness.errors import UsageError, unknown
    from tenet.harness.record import read_record

    record = read_record(Path(options.record))
    judgements = by_clause(record)
    failed = {id: j.failure for id, j in judgements.items() if j.failure is not None}
    if options.clause not in judgements:
        raise unknown("clause of the record", options.clause, failed or judgements)
    failure = failed.get(options.clause)
    if failure is None or failure.example is None:
        verdict = judgements[options.clause].verdict
        raise UsageError(
            f"{options.clause} is {verdict} there and has no example; "
            f"with one are: {', '.join(failed) or 'none'}"
        )
    text = failure.script or _made(options.clause, record.header, failure, options)
    if options.to is None:
        print(text, end="")
        return 0
    try:
        with Path(options.to).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{options.to} exists already; name a new file with --to") from error
    except OSError as error:
        raise UsageError(f"{options.to} cannot be written: {error}") from error
    print(f"{options.to}: run it with `python {options.to}`", file=sys.stderr)
    return 0


def _made(id: str, header: dict[str, object], failure: Failure, options: argparse.Namespace) -> str:
    """A script made now, for a record that holds none: on the backend of this machine."""
    from tenet.harness.errors import UsageError, unknown
    from tenet.harness.repro.script import needing_tenet, script
    from tenet.spec.sections import specification

    clauses = specification()
    if id not in clauses:
        raise unknown("clause", id, clauses)
    name = str(header["backend"])
    try:
        backend = backend_from(name, options)
    except UsageError as error:
        return needing_tenet(clauses[id], name, failure, str(error))
    return script(clauses[id], backend, failure)
