"""The worker process of a comparison: makes workloads, and times blocks of them, one at a time.

It reads a line of JSON for each act and answers with one. Nothing else reaches its output.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import time
from typing import Any, TextIO

import numpy as np

from tenet.harness.bench.clock import Clock, clock_for
from tenet.harness.bench.measure import repetitions
from tenet.harness.bench.workload import Task, Workload
from tenet.harness.bench.workloads import workloads


class Worker:
    """Answers to acts; each method named after one."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.device = "cpu"
        self.task: Task | None = None
        self.clock: Clock | None = None
        self.last: Any = None
        self._padding: Any = None
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def hello(self, threads: int, device: str) -> dict[str, Any]:
        """Who this is. The device is the one that all workloads are made on."""
        self.torch.set_num_threads(threads)
        self.device = device
        self.torch.empty(1, device=device)  # raises where there is no such device
        return {
            "torch": str(self.torch.__version__),
            "python": platform.python_version(),
            "executable": sys.executable,
        }

    def open(self, workload: str, placement: int, core: int | None) -> dict[str, Any]:
        """Make a workload at another place in memory, and check what it gives."""
        self.close()
        chosen: Workload = workloads()[workload]
        waits = chosen.family.clock == "wall"
        self._stay(None if waits else core)
        # How long an operation takes depends on where its data lie: move them about.
        random = np.random.default_rng(placement)
        self._padding = [
            self.torch.empty(int(size), dtype=self.torch.uint8, device=self.device)
            for size in random.integers(64, 1 << 18, 4)
        ]
        self.task = chosen.make(self.torch, self.device)
        self.clock = clock_for(self.torch, self.device, chosen.family.clock)
        self.task.check(self.task.work())
        gc.collect()
        gc.disable()
        return {"clock": self.clock.name}

    def calibrate(self, seconds: float) -> dict[str, Any]:
        """How often the work has to be done to take so long."""
        assert self.task is not None
        assert self.clock is not None
        return {"number": repetitions(self.clock, self.task, seconds)}

    def block(self, number: int, slower: float) -> dict[str, Any]:
        """The seconds of doing it `number` times; slower: held back by that share.

        Where a block is long enough to be held back by doing it more often, it is; else the
        thread is kept busy for that share of the time. The other side has just had the caches:
        what it costs to get them back is not counted.
        """
        assert self.task is not None
        assert self.clock is not None
        if number > 1:
            self.clock.block(self.task.work, max(1, number // 20))
        extra = round(number * slower)
        if slower and extra >= 5:
            seconds, self.last = self.clock.block(self.task.work, number + extra)
            return {"seconds": seconds * (1 + slower) / (1 + extra / number)}
        seconds, self.last = self.clock.block(self.task.work, number)
        if slower:
            now = time.thread_time if self.clock.name == "thread" else time.perf_counter
            started = now()
            while now() < started + slower * seconds:
                pass
            seconds += now() - started
        return {"seconds": seconds}

    def close(self) -> dict[str, Any]:
        """Check what the last block gave, and let go of the workload."""
        gc.enable()
        if self.task is not None and self.last is not None:
            self.task.check(self.last)
        self.task = self.clock = self.last = self._padding = None
        return {}

    def _stay(self, core: int | None) -> None:
        """Stay on that core, or on any: two processes that take turns on one core meet the same
        neighbours."""
        if self._cores:
            count = len(self._cores)
            os.sched_setaffinity(0, self._cores if core is None else {self._cores[core % count]})


def serve() -> None:
    """Answer until the input ends."""
    answers = _private_output()
    from importlib import import_module

    worker = Worker(import_module("torch"))
    workloads()
    gc.collect()
    gc.freeze()  # what is loaded by now stays: no collection has to walk through it again
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("act"))(**request)
        except Exception as error:  # a wrong result, or whatever a backend raises
            worker.task = None
            first = str(error).partition("\n")[0]
            answer = {"error": f"{type(error).__name__}: {first}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _private_output() -> TextIO:
    """Standard output, for answers alone; what a backend prints goes where errors go."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers
