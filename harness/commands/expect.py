"""`tenet expect`: lists of known failures."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tenet.harness.commands.options import add_sources, backend_from, day

if TYPE_CHECKING:
    from datetime import date

    from tenet.harness.expectation import Expectation
    from tenet.harness.record import Record


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "expect",
        help="list known failures, or check such a list",
        description="Prints the list that makes the failures of the records known ones; with "
        "--to, writes it into a file, whose entries and reasons are kept.",
        epilog="exit status: 0 done, 1 --check found something, 2 bad usage",
    )
    parser.add_argument("records", nargs="*", metavar="RECORD", help="records of `tenet run`")
    parser.add_argument("--to", metavar="FILE", help="the list to write or to bring up to date")
    parser.add_argument(
        "--expires",
        type=day,
        metavar="DAY",
        help="the last day of new entries, as 2027-06-30; default: half a year from today",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="judge what failed here, in this process, until nothing stands behind the failures",
    )
    parser.add_argument(
        "--check",
        action="append",
        default=None,
        nargs="*",
        metavar="FILE",
        help="say what is wrong with lists; without FILE: those that come with Tenet",
    )
    add_sources(parser)
    parser.set_defaults(command=_expect)


def _expect(options: argparse.Namespace) -> int:
    from tenet.harness.errors import UsageError

    if options.check is not None:
        if options.records:
            raise UsageError("--check takes lists, not records; put the lists after it")
        return _check([path for paths in options.check for path in paths])
    if not options.records:
        raise UsageError("name the records whose failures are known, or --check a list")
    from datetime import date, timedelta
    from pathlib import Path

    from tenet.harness.expectation import load, text_of
    from tenet.harness.listing import updated
    from tenet.harness.record import read_record
    from tenet.spec.sections import specification

    specification()  # which kinds of example there are
    to = None if options.to is None else Path(options.to)
    existing = load([to]) if to is not None and to.exists() else ()
    expires = options.expires or date.today() + timedelta(days=182)
    records = [read_record(Path(path)) for path in options.records]
    entries, left_out = updated(existing, records, expires)
    if options.complete:
        entries, left_out = _completed(entries, records, expires, options)
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    if to is None:
        print(text_of(entries))
        return 0
    new = sum(entry not in existing for entry in entries)
    gone = sum(entry not in entries for entry in existing)
    try:
        to.write_text(text_of(entries), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{to} cannot be written: {error}") from error
    print(f"{to}: {len(entries)} known failures, {new} of them new, {gone} gone")
    missing = sum(not entry.reason for entry in entries)
    if missing:
        print(f"{missing} without a reason: fill them in, then `tenet expect --check {to}`")
    return 0


def _completed(
    entries: list[Expectation], records: list[Record], expires: date, options: argparse.Namespace
) -> tuple[list[Expectation], list[str]]:
    from tenet.harness.listing import completed
    from tenet.spec.sections import specification

    left_out: list[str] = []
    for record in records:
        backend = backend_from(str(record.header["backend"]), options)
        entries, left = completed(entries, record, specification(), backend, expires)
        left_out += left
    return entries, left_out


def _check(paths: list[str]) -> int:
    from datetime import date

    from tenet.harness.expectation import load, shipped
    from tenet.harness.listing import problems
    from tenet.spec.sections import specification

    entries = load(paths or shipped())
    found = problems(entries, specification(), date.today())
    for line in found:
        print(line)
    if not found:
        print(f"{len(entries)} known failures: each names a clause, fits it and has a reason")
    return 1 if found else 0
