"""Measuring one workload: right before, timed, right after."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenet.harness.bench.clock import Clock, clock_for
from tenet.harness.bench.memory import peak_of
from tenet.harness.bench.oracle import Wrong
from tenet.harness.bench.workload import Task, Workload

MOST = 1_000_000
"""Repetitions in a block, at the most."""


@dataclass(frozen=True)
class Measurement:
    """What came of measuring one workload.

    seconds: of doing it once, the median of the blocks; spread: from the first to the third
    quartile of the blocks, as a share of the median; blocks: how many; number: of repetitions in
    each; bytes, flops: as the workload states them; peak: bytes held at once beyond what there
    was before, None where nobody counts; void: why the time does not count, or empty.
    """

    workload: str
    clock: str = ""
    seconds: float = 0.0
    spread: float = 0.0
    blocks: int = 0
    number: int = 0
    bytes: int = 0
    flops: int = 0
    peak: int | None = None
    void: str = ""


def measure(torch: Any, device: str, workload: Workload, budget: float) -> Measurement:
    """Make a workload, check it, time it for about `budget` seconds, and check it again.

    Where it raises, or gives what is wrong, the measurement is void and says why.
    """
    try:
        task = workload.make(torch, device)
        task.check(task.work())
        clock = clock_for(torch, device, workload.family.clock)
        peak = peak_of(torch, device, task.work)
        with undisturbed():
            number, times, last = _time(clock, task, budget)
        task.check(last)
    except Wrong as error:
        return Measurement(workload.name, void=f"wrong: {error}")
    except Exception as error:  # whatever a backend raises, the others are still measured
        line = str(error).partition("\n")[0]
        return Measurement(workload.name, void=f"raised {type(error).__name__}: {line}")
    low, middle, high = np.percentile(times, (25, 50, 75))
    return Measurement(
        workload.name,
        clock=clock.name,
        seconds=float(middle),
        spread=float((high - low) / middle) if middle else 0.0,
        blocks=len(times),
        number=number,
        bytes=task.bytes,
        flops=task.flops,
        peak=peak,
    )


def _time(clock: Clock, task: Task, budget: float) -> tuple[int, list[float], Any]:
    """Repetitions in a block, the seconds of one in each block, and the last result."""
    number = repetitions(clock, task, budget / 20)
    times: list[float] = []
    end = time.perf_counter() + budget
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 200):
        taken, last = clock.block(task.work, number)
        times.append(taken / number)
        if time.perf_counter() > end + 20 * budget:
            break
    return number, times, last


def repetitions(clock: Clock, task: Task, target: float) -> int:
    """How often the work has to be done to take about `target` seconds. Warms up, too."""
    number = 1
    while True:
        taken, _ = clock.block(task.work, number)
        if taken >= target / 2 or number == MOST:
            break
        number = min(MOST, max(2 * number, round(number * target / max(taken, 1e-6) / 2)))
    # One block alone may have been disturbed, and then be taken for a long one.
    again = [clock.block(task.work, number)[0] for _ in range(3 if taken < 2 * target else 0)]
    return max(1, min(MOST, round(number * target / max(min([taken, *again]), 1e-9))))


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection in between: none of the workloads makes cycles worth one."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
