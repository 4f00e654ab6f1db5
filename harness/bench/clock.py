"""Clocks: what time means for a workload on a device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenet.harness.bench.workload import ClockName

Wait = Callable[[], None]


@dataclass(frozen=True)
class Clock:
    """One way to time a block of work.

    name: as records tell it; block: called as block(work, number), does the work so often, and
    gives the seconds that all of them took and the last result.
    """

    name: str
    block: Callable[[Callable[[], Any], int], tuple[float, Any]]


def clock_for(torch: Any, device: str, kind: ClockName) -> Clock:
    """The clock for work of that kind on that device.

    An accelerator is timed by its own events, where it has them, or by the wall clock, and
    waited for before and after. On the processor, work of one thread is timed by the time that
    the thread has been running, which leaves out what other processes take; anything else by
    the wall clock.
    """
    wait = waiting(torch, device)
    if torch.device(device).type == "cpu":
        if kind == "processor" and torch.get_num_threads() == 1:
            return Clock("thread", _stopwatch(time.thread_time, wait))
        return Clock("wall", _stopwatch(time.perf_counter, wait))
    if kind == "processor":
        events = _events(torch, device)
        if events is not None:
            return Clock("events", _between(events, wait))
    return Clock("wall", _stopwatch(time.perf_counter, wait))


def waiting(torch: Any, device: str) -> Wait:
    """Waits until the device has done what it was given."""
    kind = torch.device(device).type
    if kind == "cpu":
        return _no_wait
    module = getattr(torch, kind, None)
    synchronize = getattr(module, "synchronize", None)
    if synchronize is None:
        return lambda: torch.accelerator.synchronize(device)
    return lambda: synchronize() if kind == "mps" else synchronize(device)


def _no_wait() -> None:
    """The processor is done when it returns."""


def _stopwatch(
    now: Callable[[], float], wait: Wait
) -> Callable[[Callable[[], Any], int], tuple[float, Any]]:
    def block(work: Callable[[], Any], number: int) -> tuple[float, Any]:
        result = None
        turns = range(number)
        wait()
        started = now()
        for _ in turns:
            result = work()
        wait()
        return now() - started, result

    return block


def _events(torch: Any, device: str) -> Callable[[], Any] | None:
    """Makes events that tell the time between them; None where the device has none."""
    module = getattr(torch, torch.device(device).type, None)
    of_device = getattr(module, "Event", None)

    def make() -> Any:
        if of_device is not None:
            return of_device(enable_timing=True)
        return torch.Event(device=device, enable_timing=True)

    try:
        first, second = make(), make()
        first.record()
        second.record()
        second.synchronize()
        first.elapsed_time(second)
    except Exception:
        return None
    return make


def _between(
    make: Callable[[], Any], wait: Wait
) -> Callable[[Callable[[], Any], int], tuple[float, Any]]:
    def block(work: Callable[[], Any], number: int) -> tuple[float, Any]:
        result = None
        first, last = make(), make()
        wait()
        first.record()
        for _ in range(number):
            result = work()
        last.record()
        wait()
        return float(first.elapsed_time(last)) / 1000, result  # it tells milliseconds

    return block
