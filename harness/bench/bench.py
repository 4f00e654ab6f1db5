"""Measuring workloads on backends, with progress, a table and a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tenet.harness.backend import Backend
from tenet.harness.bench.ceiling import Ceiling, measure_ceiling
from tenet.harness.bench.measure import Measurement, measure
from tenet.harness.bench.record import BenchWriter, header_of, record_path
from tenet.harness.bench.workload import Workload, nothing_left
from tenet.harness.progress import bar, line_now_and_then

_CEILING_DTYPES = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True)
class Result:
    """What was measured on one backend."""

    backend: Backend
    ceiling: Ceiling
    measurements: list[tuple[Workload, Measurement]]
    path: Path

    @property
    def void(self) -> int:
        """How many timings do not count."""
        return sum(bool(measurement.void) for _, measurement in self.measurements)


def measurable(
    workloads: Sequence[Workload], backends: Sequence[Backend], *, strictly: bool
) -> list[tuple[Backend, list[Workload]]]:
    """What can be measured where. A backend that computes nothing (meta) is left out.

    strictly: every backend was asked for by name. UsageError where nothing is left of it all,
    or, strictly, of one of them.
    """
    found = []
    for backend in backends:
        able = [w for w in workloads if not w.lacking(backend.device, backend.lacks)]
        if "values" in backend.lacks:
            able = []
        if able:
            found.append((backend, able))
        elif strictly:
            raise nothing_left([backend.name])
    if not found:
        raise nothing_left([backend.name for backend in backends])
    return found


def bench(
    backend: Backend,
    workloads: Sequence[Workload],
    *,
    budget: float,
    threads: int,
    results: str,
    console: Console,
) -> Result:
    """Measure workloads on a backend, `budget` seconds each, and write the record."""
    torch = backend.torch
    torch.set_num_threads(threads)
    writer = BenchWriter(record_path(results, backend), header_of(backend, threads))
    measurements: list[tuple[Workload, Measurement]] = []
    try:
        with bar(console) as shown:
            task = shown.add_task(f"{backend.name}: the ceiling", total=len(workloads))
            used = {workload.dtype for workload in workloads}
            dtypes = [name for name in _CEILING_DTYPES if name in used]
            ceiling = measure_ceiling(torch, backend.device, dtypes)
            writer.ceiling(ceiling)
            for number, workload in enumerate(workloads):
                shown.update(task, description=f"{backend.name}: {workload.name}")
                measured = measure(torch, backend.device, workload, budget)
                measurements.append((workload, measured))
                writer.add(measured)
                shown.advance(task)
                line_now_and_then(console, number + 1, len(workloads), "measured")
    finally:
        writer.close()
    return Result(backend, ceiling, measurements, writer.path)


def wide_console() -> Console:
    """The terminal; where there is none, wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=130)


def show(result: Result, console: Console) -> None:
    """The table of a backend, and what its timings are worth."""
    table = Table(
        title=f"{escape(result.backend.name)}: one operation",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("workload", no_wrap=True)
    for title in ("time", "spread", "bytes/s", "flop/s", "of ceiling", "peak"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("clock", no_wrap=True)
    topic = ""
    for workload, measured in result.measurements:
        if topic and workload.topic != topic:
            table.add_section()
        topic = workload.topic
        name = escape(workload.name)
        if measured.void:
            table.add_row(name, "[bold red]void[/]", "", "", "", "", "", escape(measured.void))
            continue
        share = result.ceiling.share(measured, workload.dtype)
        table.add_row(
            name,
            in_units(measured.seconds, "s"),
            f"{100 * measured.spread:.0f}%",
            in_units(measured.bytes / measured.seconds, "B") if measured.bytes else "-",
            in_units(measured.flops / measured.seconds, "") if measured.flops else "-",
            "-" if share is None else f"{100 * share:.0f}%",
            "-" if measured.peak is None else in_units(measured.peak, "B"),
            measured.clock,
        )
    console.print(table)
    best = ", ".join(
        f"{name} {in_units(rate, 'flop/s')}" for name, rate in result.ceiling.products.items()
    )
    console.print(
        f"ceiling: copies {in_units(result.ceiling.bandwidth, 'B/s')}; products {best} "
        "(above 100%: the data stay in a cache)",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    console.print(f"record: {result.path}", markup=False, highlight=False, soft_wrap=True)


_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"))


def in_units(value: float, unit: str) -> str:
    """Three digits with a prefix: 1.88 us, 12.3 GB."""
    if value == 0:
        return f"0 {unit}".strip()
    scale, prefix = next(((s, p) for s, p in _PREFIXES if abs(value) >= s), (1e-9, "n"))
    scaled = value / scale
    digits = 0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2
    return f"{scaled:.{digits}f} {prefix}{unit}".strip()
