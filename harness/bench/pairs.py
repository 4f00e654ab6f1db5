"""Interleaved pairs: what a comparison measures.

Both sides' processes live side by side and take turns, a few milliseconds each, so that what
slows the machine slows both. Where data lie in memory, and what a process happened to be given,
shifts a time for as long as it lives: so the data are moved several times, and the processes
replaced.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from tenet.harness.bench.sides import Process, Side, Void
from tenet.harness.bench.workload import Workload
from tenet.harness.errors import HarnessError


@dataclass(frozen=True)
class Design:
    """How much is measured.

    processes: pairs of processes, one after another; placements: of the data, in each; turns: of
    both sides, at each; block: seconds that a side works in a turn; share: seconds after which a
    process pair is done with a workload, whatever is left of its placements.
    """

    processes: int = 5
    placements: int = 8
    turns: int = 8
    block: float = 0.002
    share: float = 0.6
    threads: int = 1


@dataclass(frozen=True)
class Arm:
    """What takes a turn: one of the two processes; slower: held back by that share of the time
    on purpose, to see whether a comparison notices."""

    name: str
    process: int
    slower: float = 0.0


BEFORE = Arm("before", 0)
AFTER = Arm("after", 1)


@dataclass(frozen=True)
class Pairs:
    """Seconds that blocks of one workload took at one placement, by arm, turn by turn.

    stage: which part of a comparison; process: which pair of processes; void: why they do not
    count, or empty.
    """

    stage: str
    workload: str
    process: int
    placement: int
    clock: str = ""
    number: int = 0
    seconds: Mapping[str, Sequence[float]] | None = None
    void: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def measure_pairs(
    sides: tuple[Side, Side],
    arms: Sequence[Arm],
    workloads: Sequence[Workload],
    design: Design,
    stage: str,
    process: int,
) -> Iterator[Pairs]:
    """What one fresh pair of processes tells of each workload, placement by placement."""
    with ExitStack() as alive:
        both = _start(alive, sides, design)
        for workload in workloads:
            try:
                yield from _of_workload(both, arms, workload, design, stage, process)
            except Void as void:
                yield Pairs(stage, workload.name, process, 0, void=str(void))
            except HarnessError as died:
                yield Pairs(stage, workload.name, process, 0, void=str(died))
                both = _start(alive, sides, design)


def _start(alive: ExitStack, sides: tuple[Side, Side], design: Design) -> list[Process]:
    return [alive.enter_context(side.start(design.threads)) for side in sides]


def _of_workload(
    both: list[Process],
    arms: Sequence[Arm],
    workload: Workload,
    design: Design,
    stage: str,
    process: int,
) -> Iterator[Pairs]:
    number = 0
    started = time.perf_counter()
    for placement in range(design.placements):
        seed = 1000 * process + placement
        clock = ""
        for side in both:
            clock = side.ask("open", workload=workload.name, placement=seed, core=process)["clock"]
        if not number:
            started = time.perf_counter()  # what is imported on first use is not counted
            number = int(both[0].ask("calibrate", seconds=design.block)["number"])
        seconds: dict[str, list[float]] = {arm.name: [] for arm in arms}
        for arm in arms:  # the first turn of a process at a new place does not count
            _turn(both, arm, number)
        for turn in range(design.turns):
            order = _rotated(arms, turn // 2)
            for arm in order if turn % 2 == 0 else order[::-1]:
                seconds[arm.name].append(_turn(both, arm, number))
            # Long work is not repeated as often: two turns, one in each order, are the least.
            if turn % 2 and time.perf_counter() - started > design.share:
                break
        for side in both:
            side.ask("close")
        yield Pairs(stage, workload.name, process, placement, clock, number, seconds)
        if time.perf_counter() - started > design.share:
            break


def _turn(both: list[Process], arm: Arm, number: int) -> float:
    return float(both[arm.process].ask("block", number=number, slower=arm.slower)["seconds"])


def _rotated(arms: Sequence[Arm], by: int) -> list[Arm]:
    by %= len(arms)
    return [*arms[by:], *arms[:by]]
