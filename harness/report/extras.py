"""What a page may show beside verdicts: times of `tenet bench`, and the score of `tenet audit`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenet.harness.bench.bench import in_units
from tenet.harness.bench.measure import Measurement
from tenet.harness.bench.record import BenchRecord, read_bench
from tenet.harness.bench.workloads import workloads

_WIDTH, _MARGIN, _LINE = 200, 6, 12
"""Units of a plot: its width, what is left free at either end, the height of a record."""


@dataclass(frozen=True)
class Cell:
    """What a record tells of a workload: a time and its share of the ceiling, or why not."""

    time: str = "-"
    share: str = ""
    void: str = ""


@dataclass(frozen=True)
class Mark:
    """A time in a plot."""

    x: float
    y: int
    said: str


@dataclass(frozen=True)
class Row:
    """A workload in every record. said: the plot in words."""

    workload: str
    cells: list[Cell]
    marks: list[Mark]
    height: int
    said: str


@dataclass(frozen=True)
class Timed:
    """The table of times. least, most: what the plots reach from and to."""

    titles: list[str]
    rows: list[Row]
    least: str
    most: str


@dataclass(frozen=True)
class Audited:
    """The score of an audit, by section, and the mutants that were not found."""

    header: dict[str, Any]
    whole: bool
    score: float
    fates: str
    sections: list[tuple[str, float]]
    survivors: list[str]


def measured(paths: Sequence[Path]) -> Timed | None:
    """The records of `tenet bench` as a table; None without any. UsageError for other files."""
    records = sorted(map(read_bench, paths), key=lambda r: str(r.header.get("started", "")))
    if not records:
        return None
    titles = [f"{r.header.get('backend', '?')} {r.header.get('torch', '?')}" for r in records]
    by_name = [{m.workload: m for m in record.measurements} for record in records]
    counted = [m.seconds for known in by_name for m in known.values() if _counts(m)]
    # Whole powers of ten, so that pages of different records can be laid side by side.
    low = math.floor(math.log10(min(counted, default=1e-6)))
    high = max(low + 1, math.ceil(math.log10(max(counted, default=1e-6))))
    names = dict.fromkeys(name for known in by_name for name in known)
    rows = [_row(name, records, by_name, titles, (low, high)) for name in names]
    return Timed(titles, rows, in_units(10.0**low, "s"), in_units(10.0**high, "s"))


def _counts(one: Measurement | None) -> bool:
    return one is not None and not one.void and one.seconds > 0


def _row(
    name: str,
    records: Sequence[BenchRecord],
    by_name: Sequence[dict[str, Measurement]],
    titles: Sequence[str],
    powers: tuple[int, int],
) -> Row:
    cells, marks = [], []
    for number, (record, known, title) in enumerate(zip(records, by_name, titles, strict=True)):
        one = known.get(name)
        if one is None or not _counts(one):
            cells.append(Cell(void=one.void or "no time" if one else ""))
            continue
        workload = workloads().get(name)
        dtype = workload.dtype if workload else ""
        share = record.ceiling.share(one, dtype) if record.ceiling else None
        time = in_units(one.seconds, "s")
        cells.append(Cell(time, "" if share is None else f"{100 * share:.0f}%"))
        part = (math.log10(one.seconds) - powers[0]) / (powers[1] - powers[0])
        x = round(_MARGIN + part * (_WIDTH - 2 * _MARGIN), 1)
        marks.append(Mark(x, _LINE * number + _LINE // 2, f"{title}: {time}"))
    said = "; ".join(mark.said for mark in marks) or "no times"
    return Row(name, cells, marks, _LINE * len(records), said)


def examined(path: Path) -> Audited:
    """The score of a record of `tenet audit`. UsageError for another file."""
    from tenet.harness.audit.examine import ALIVE
    from tenet.harness.audit.record import read_audit
    from tenet.harness.audit.score import by, percent

    header, findings, footer = read_audit(path)
    fates = Counter(str(finding.fate.value) for finding in findings)
    return Audited(
        header,
        footer is not None,
        percent(findings),
        ", ".join(f"{count} {fate}" for fate, count in fates.most_common()),
        list(by(findings, "section").items()),
        [finding.mutant for finding in findings if finding.fate in ALIVE],
    )
