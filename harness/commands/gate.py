"""`tenet gate`: one command for continuous integration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tenet.harness.commands.options import factor
from tenet.harness.commands.run import add_choice, perform, plan_of

if TYPE_CHECKING:
    from tenet.harness.gating import Ruling
    from tenet.harness.record import Record


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "gate",
        help="run, or read a record, and say whether it may pass",
        description="Judges backends, or reads records, compares them with a baseline and the "
        "known failures, and says in a line each why they do not pass.",
        epilog="exit status: 0 passes; 1 a new failure, a lost capability, fewer clauses or more "
        "of them unsupported than in the baseline; 2 bad usage; 3 no verdict: the harness "
        "broke, or the record is empty or was cut short",
    )
    parser.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="RECORD",
        help="rule on this record instead of running; repeat for several",
    )
    parser.add_argument(
        "--baseline",
        action="append",
        default=[],
        metavar="RECORD",
        help="an earlier record, whose failures are no news; one for each backend",
    )
    parser.add_argument(
        "--strict", action="store_true", help="a known failure that passes does not pass the gate"
    )
    parser.add_argument(
        "--slower",
        type=factor,
        metavar="FACTOR",
        help="how many times the baseline's time may be taken; default: any",
    )
    parser.add_argument("--format", choices=("terminal", "markdown"), default="terminal")
    add_choice(parser)
    parser.set_defaults(command=_gate)


def _gate(options: argparse.Namespace) -> int:
    from tenet.harness.errors import UsageError
    from tenet.harness.expectation import load, shipped
    from tenet.harness.gating import rule, settled
    from tenet.harness.record import read_record
    from tenet.spec.sections import specification

    baselines = _baselines(options.baseline)
    if options.record:
        specification()  # which kinds of example there are
        known = load([*shipped(), *options.expect])
        records = [settled(read_record(Path(path)), known) for path in options.record]
        names = [str(record.header.get("backend")) for record in records]
        broken: list[str] = []
    else:
        made = plan_of(options)
        names = [backend.name for backend in made.backends]
        _ask_for(baselines, names)
        outcome = perform(made, options)
        records = [read_record(path) for path in outcome.paths.values()]
        broken = outcome.problems
    _ask_for(baselines, names)
    if len(set(names)) < len(names):
        raise UsageError(f"two records of {max(names, key=names.count)!r}; name one of them")
    rulings = [
        rule(record, baselines.get(name), strict=options.strict, slower=options.slower)
        for name, record in zip(names, records, strict=True)
    ]
    if broken:
        rulings[0].unsound += [line.strip().rpartition("\n")[2] for line in broken]
    _show(rulings, set(baselines), options.format)
    statuses = {ruling.status for ruling in rulings}
    return 1 if 1 in statuses else max(statuses)


def _baselines(paths: list[str]) -> dict[str, Record]:
    from tenet.harness.errors import UsageError
    from tenet.harness.record import read_record

    found: dict[str, Record] = {}
    for path in paths:
        record = read_record(Path(path))
        name = str(record.header.get("backend"))
        if record.footer is None or not record.judgements:
            raise UsageError(
                f"{path} is no baseline: it was cut short; make a whole one with `tenet run`"
            )
        if name in found:
            raise UsageError(f"{path} is a second baseline of {name!r}; name one of them")
        found[name] = record
    return found


def _ask_for(baselines: dict[str, Record], names: list[str]) -> None:
    from tenet.harness.errors import UsageError

    for name in baselines:
        if name not in names:
            raise UsageError(
                f"a baseline of {name!r}, but judged is {', '.join(names)}; "
                f"name the record of that backend, or judge it with --backend {name}"
            )


def _show(rulings: list[Ruling], with_baseline: set[str], format: str) -> None:
    from rich.console import Console

    from tenet.harness.commands.compare import markdown

    words = {0: "PASSES", 1: "DOES NOT PASS", 3: "NO VERDICT"}
    styles = {0: "bold green", 1: "bold red", 3: "bold magenta"}
    console = Console()
    for ruling in rulings:
        against = "its baseline" if ruling.backend in with_baseline else "the specification"
        verdict = f"{words[ruling.status]}: {ruling.backend}, against {against}"
        groups = {"": ruling.red, "no verdict": ruling.unsound, "note": ruling.notes}
        lines = [(f"{kind}: " if kind else "") + x for kind, xs in groups.items() for x in xs]
        if format == "markdown":
            print(f"### {markdown(verdict)}\n")
            print("\n".join(f"- {markdown(line)}" for line in lines) + "\n")
            continue
        console.print(verdict, style=styles[ruling.status], markup=False, highlight=False)
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
