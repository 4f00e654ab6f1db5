"""`tenet compare`: what changed between two records."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenet.harness.comparison import Comparison
    from tenet.harness.ratios import Ratios

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
    parser.add_argument(
        "before", metavar="BEFORE", help="a record of `tenet run`, or of `tenet bench`"
    )
    parser.add_argument("after", metavar="AFTER", help="a later one, or one of another backend")
    parser.add_argument(
        "--bench",
        nargs=2,
        metavar=("BEFORE", "AFTER"),
        help="records of `tenet bench` that belong to them: their times are compared as well",
    )
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="default: terminal")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from pathlib import Path

    from tenet.harness.comparison import compare
    from tenet.harness.errors import UsageError
    from tenet.harness.ratios import is_bench, read_pair
    from tenet.harness.record import read_record

    paths = Path(options.before), Path(options.after)
    if all(map(is_bench, paths)):
        if options.bench:
            raise UsageError("both are records of `tenet bench`; leave --bench out")
        _print(None, [], read_pair(*paths), options.format)
        return 0
    times = read_pair(*map(Path, options.bench)) if options.bench else None
    before, after = (read_record(Path(path)) for path in (options.before, options.after))
    comparison = compare(before, after)
    cut = [
        f"{path} was cut short: it has no footer"
        for path, record in ((options.before, before), (options.after, after))
        if record.footer is None
    ]
    _print(comparison, cut, times, options.format)
    return 0


def _print(
    comparison: Comparison | None, notes: list[str], times: Ratios | None, format: str
) -> None:
    if format == "json":
        said = {} if comparison is None else as_json(comparison, notes)
        if times is not None:
            said["times"] = times.to_json()
        print(json.dumps(said, indent=2, ensure_ascii=False))
    elif format == "markdown":
        parts = [] if comparison is None else [as_markdown(comparison, notes)]
        parts += [] if times is None else [_times_as_markdown(times)]
        print("\n\n".join(parts))
    else:
        if comparison is not None:
            _show(comparison, notes)
        if times is not None:
            _show_times(times)


_CHANCE = "Times stored at different moments differ by chance too: `tenet bench --against` tells."


def _times_as_markdown(times: Ratios) -> str:
    lines = ["## Tenet: time of one operation", ""]
    for name, (before, after) in times.settings.items():
        lines.append(f"- {name}: {markdown(before)} -> {markdown(after)}")
    for title, entries in times.groups.items():
        if entries:
            lines += ["", f"### {title} ({len(entries)})", ""]
            lines += [f"- {markdown(entry)}" for entry in entries]
    return "\n".join([*lines, "", _CHANCE])


def _show_times(times: Ratios) -> None:
    from rich.console import Console

    console = Console()

    def line(text: str, style: str = "") -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    line("time of one operation", "bold")
    for name, (before, after) in times.settings.items():
        line(f"{name}: {before} -> {after}")
    for title, entries in times.groups.items():
        if entries:
            line(f"\n{title}: {len(entries)}", "bold red" if title == "slower" else "bold")
            for entry in entries:
                line(f"  {entry}")
    line(f"\n{_CHANCE}")


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
