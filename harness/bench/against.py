"""Comparing two environments, workload by workload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tenet.harness.bench.pairs import AFTER, BEFORE, Arm, Design, Pairs, measure_pairs
from tenet.harness.bench.record import harness_version
from tenet.harness.bench.ruling import SUSPECT, Comparison, Ruling, compare
from tenet.harness.bench.sides import Side
from tenet.harness.bench.store import Store
from tenet.harness.bench.workload import Workload
from tenet.harness.progress import bar, line_now_and_then

FIRST, AGAIN = "first", "again"

_STYLES = {
    Ruling.SLOWER: "bold red",
    Ruling.FASTER: "green",
    Ruling.INCONCLUSIVE: "yellow",
    Ruling.VOID: "bold magenta",
}


def key_of(
    purpose: str, sides: tuple[Side, Side], design: Design, fingerprint: str
) -> tuple[dict[str, Any], tuple[dict[str, Any], dict[str, Any]]]:
    """What makes one comparison another than the next, and what the sides tell of themselves."""
    facts = []
    for side in sides:
        with side.start(design.threads) as process:
            facts.append({**process.facts, "backend": side.backend})
    key = {
        "purpose": purpose,
        "before": facts[0],
        "after": facts[1],
        "device": fingerprint,
        "harness": harness_version(),
        "design": asdict(design),
    }
    return key, (facts[0], facts[1])


def fill(
    store: Store,
    sides: tuple[Side, Side],
    arms: Sequence[Arm],
    workloads: Sequence[Workload],
    design: Design,
    stages: Iterable[str],
    console: Console,
) -> None:
    """Measure what the store does not hold yet, with a fresh pair of processes for each of
    `design.processes`, in each stage."""
    due = [
        (stage, process, [w for w in workloads if not store.has(stage, process, w.name)])
        for stage in stages
        for process in range(design.processes)
    ]
    total = sum(len(todo) for _, _, todo in due)
    done = 0
    with bar(console) as shown:
        task = shown.add_task("pairs", total=total)
        for stage, process, todo in due:
            gathered: dict[str, list[Pairs]] = {}
            current = ""
            for entry in measure_pairs(sides, arms, todo, design, stage, process) if todo else ():
                if current and entry.workload != current:
                    store.add(gathered.pop(current))
                    done += 1
                    shown.update(task, completed=done, description=f"{stage}: {entry.workload}")
                    line_now_and_then(console, done, total, "measured")
                current = entry.workload
                gathered.setdefault(current, []).append(entry)
            for entries in gathered.values():
                store.add(entries)
                done += 1
                line_now_and_then(console, done, total, "measured")
            shown.update(task, completed=done)


def against(
    store: Store,
    sides: tuple[Side, Side],
    workloads: Sequence[Workload],
    design: Design,
    threshold: float,
    console: Console,
) -> list[Comparison]:
    """Compare two sides; what is not the same is measured again by fresh processes."""
    fill(store, sides, (BEFORE, AFTER), workloads, design, [FIRST], console)
    found = {w.name: compare(w.name, store.of(FIRST, w.name), [], threshold) for w in workloads}
    suspects = [w for w in workloads if found[w.name].ruling in SUSPECT]
    if suspects:
        names = ", ".join(workload.name for workload in suspects)
        console.print(f"once more, in fresh processes: {names}", highlight=False, markup=False)
        fill(store, sides, (BEFORE, AFTER), suspects, design, [AGAIN], console)
        for workload in suspects:
            first, again = (store.of(stage, workload.name) for stage in (FIRST, AGAIN))
            found[workload.name] = compare(workload.name, first, again, threshold)
    store.end({"threshold": threshold, "rulings": {n: str(c.ruling) for n, c in found.items()}})
    return list(found.values())


def show(found: Sequence[Comparison], titles: tuple[str, str], console: Console) -> None:
    """The table of a comparison, and its sum."""
    title = f"{titles[1]} against {titles[0]}: time of one operation"
    console.print(title, markup=False, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("workload", no_wrap=True)
    for title in ("ratio", "95% interval", "pairs"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict")
    for one in found:
        style = _STYLES.get(one.ruling, "")
        verdict = f"{one.ruling}: {one.void}" if one.void else str(one.ruling)
        cells = (f"{one.ratio:.3f}", f"{one.low:.3f} to {one.high:.3f}", str(one.pairs))
        if one.void:
            cells = ("", "", "")
        table.add_row(escape(one.workload), *cells, escape(verdict), style=style)
    console.print(table)
    counts = [(ruling, sum(one.ruling is ruling for one in found)) for ruling in Ruling]
    text = ", ".join(f"{count} {ruling}" for ruling, count in counts if count)
    console.print(text, highlight=False)
