"""`tenet compare`: what changed between two records."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenet.harness.comparison import Comparison

FORMATS = ("terminal", "markdown", "json")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare",
        help="what changed between two records",
        description="Says what fails, passes, is supported or takes longer in the second record "
        "and did not in the first.",
        epilog="exit status: 0 compared, 2 bad usage; `tenet gate` judges what changed",
    )
    parser.add_argument("before", metavar="BEFORE", help="a record of `tenet run`")
    parser.add_argument("after", metavar="AFTER", help="a later one, or one of another backend")
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="default: terminal")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from pathlib import Path

    from tenet.harness.comparison import compare
    from tenet.harness.record import read_record

    before, after = (read_record(Path(path)) for path in (options.before, options.after))
    comparison = compare(before, after)
    cut = [
        f"{path} was cut short: it has no footer"
        for path, record in ((options.before, before), (options.after, after))
        if record.footer is None
    ]
    if options.format == "json":
        print(json.dumps(as_json(comparison, cut), indent=2, ensure_ascii=False))
    elif options.format == "markdown":
        print(as_markdown(comparison, cut))
    else:
        _show(comparison, cut)
    return 0


def as_json(comparison: Comparison, notes: list[str]) -> dict[str, object]:
    """The comparison as data; the keys of `changes` are the titles with underscores."""
    return {
        "settings": {k: {"before": a, "after": b} for k, (a, b) in comparison.settings.items()},
        "changes": {title.replace(" ", "_"): lines for title, lines in comparison.groups.items()},
        "seconds": {"before": comparison.seconds[0], "after": comparison.seconds[1]},
        "notes": notes,
    }


def as_markdown(comparison: Comparison, notes: list[str]) -> str:
    """The comparison for a page or a job summary."""
    lines = ["## Tenet: what changed", ""]
    if comparison.settings:
        lines += ["| setting | before | after |", "| --- | --- | --- |"]
        lines += [
            f"| {name} | {markdown(before)} | {markdown(after)} |"
            for name, (before, after) in comparison.settings.items()
        ]
        lines.append("")
    lines += [f"- {markdown(note)}" for note in notes]
    for title, entries in comparison.groups.items():
        if entries:
            lines += [f"### {title} ({len(entries)})", ""]
            lines += [f"- {markdown(entry)}" for entry in entries] + [""]
    if not any(comparison.groups.values()):
        lines.append("Nothing changed.")
    before, after = comparison.seconds
    return "\n".join([*lines, f"Worked: {before:.1f} s before, {after:.1f} s after."])


def markdown(value: object) -> str:
    """Text that Markdown shows as it stands."""
    plain = " ".join(str(value).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in plain)


_STYLES = {"newly failing": "bold red", "no longer supported": "yellow", "newly passing": "green"}


def _show(comparison: Comparison, notes: list[str]) -> None:
    from rich.console import Console

    console = Console()

    def line(text: str, style: str = "") -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    for name, (before, after) in comparison.settings.items():
        line(f"{name}: {before} -> {after}")
    for note in notes:
        line(note, "bold magenta")
    for title, entries in comparison.groups.items():
        if entries:
            line(f"\n{title}: {len(entries)}", _STYLES.get(title, "bold"))
            for entry in entries:
                line(f"  {entry}")
    if not any(comparison.groups.values()):
        line("nothing changed")
    before_s, after_s = comparison.seconds
    line(f"\nworked: {before_s:.1f} s before, {after_s:.1f} s after")
