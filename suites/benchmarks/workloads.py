"""Every family of workloads as a benchmark of asv, on the processor.

A benchmark with a `setup` would be timed one call at a time. So there is none: the first call of
a benchmark makes its workload and checks it, which the timer leaves out; `teardown` checks it
again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tenet.harness.bench.workload import Family, Task, Value, Workload
from tenet.harness.bench.workloads import FAMILIES

DEVICE = "cpu"

# Here, not when it is first needed: asv forks its processes from one that has read this module.
torch = import_module("torch")
torch.set_num_threads(1)

_open: dict[tuple[Value, ...], Task] = {}


class _Timer:
    """A clock that stands still while workloads are made and checked."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.left_out = 0.0

    def __call__(self) -> float:
        return self.now() - self.left_out


def _benchmark(family: Family) -> Callable[..., None]:
    timer = _Timer(time.thread_time if family.clock == "processor" else time.perf_counter)

    def timed(*values: Value) -> None:
        task = _open.get((family.name, *values))
        if task is None:
            started = timer.now()
            task = _open[family.name, *values] = _checked(family, values)
            timer.left_out += timer.now() - started
        task.work()

    def teardown(*values: Value) -> None:
        task = _open.pop((family.name, *values), None)
        if task is not None:
            task.check(task.work())

    made: Any = timed
    made.teardown = teardown
    made.params = [list(choices) for choices in family.parameters.values()]
    made.param_names = list(family.parameters)
    made.version = str(family.version)
    made.benchmark_name = f"workloads.time_{_identifier(family)}"
    made.timer = timer
    made.__name__ = f"time_{_identifier(family)}"
    made.__doc__ = f"{family.name}, checked as clause {family.clause} says."
    return timed


def _checked(family: Family, values: tuple[Value, ...]) -> Task:
    workload = Workload(family, dict(zip(family.parameters, values, strict=True)))
    task = workload.make(torch, DEVICE)
    task.check(task.work())
    return task


def _identifier(family: Family) -> str:
    return "".join(c if c.isalnum() else "_" for c in family.name)


for _family in FAMILIES:
    if _family.where != "accelerator":
        globals()[f"time_{_identifier(_family)}"] = _benchmark(_family)
