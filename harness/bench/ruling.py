"""What interleaved pairs say: faster, same, slower, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log1p

import numpy as np

from tenet.harness.bench.pairs import AFTER, BEFORE, Pairs

_RESAMPLES = 2000
_CONFIDENCE = 0.95


class Ruling(StrEnum):
    """How the side after stands to the side before."""

    FASTER = "faster"
    SAME = "same"
    SLOWER = "slower"
    INCONCLUSIVE = "inconclusive"
    VOID = "void"


CHANGED = frozenset({Ruling.FASTER, Ruling.SLOWER})
SUSPECT = CHANGED | {Ruling.INCONCLUSIVE}
"""Rulings that fresh processes have to settle."""


@dataclass(frozen=True)
class Comparison:
    """What is known of one workload.

    ratio: time after over time before, the median; low, high: its bootstrap interval; void: why
    nothing is known, or empty.
    """

    workload: str
    ruling: Ruling
    ratio: float = 1.0
    low: float = 1.0
    high: float = 1.0
    pairs: int = 0
    void: str = ""


def logs(pairs: Iterable[Pairs], before: str, after: str) -> list[list[float]]:
    """The log of the ratio at each placement, by pair of processes: the median over the turns."""
    by_process: dict[tuple[str, int], list[float]] = {}
    for entry in pairs:
        if entry.seconds:
            ratios = np.asarray(entry.seconds[after]) / np.asarray(entry.seconds[before])
            value = float(np.median(np.log(ratios)))
            by_process.setdefault((entry.stage, entry.process), []).append(value)
    return list(by_process.values())


def interval(groups: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Middle, low and high of the log ratio.

    The middle of a process pair is the median of its placements, and that of all is the median
    of theirs. Bootstrap: processes are drawn with replacement, and placements within each.
    """
    random = np.random.default_rng(0)
    width = max(map(len, groups))
    table = np.full((len(groups), width), np.nan)
    for row, values in zip(table, groups, strict=True):
        row[: len(values)] = values
    lengths = np.asarray([len(values) for values in groups])
    processes = random.integers(0, len(groups), (_RESAMPLES, len(groups)))
    picks = random.random((_RESAMPLES, len(groups), width)) * lengths[processes][..., None]
    drawn = table[processes[..., None], picks.astype(int)]
    drawn[np.arange(width) >= lengths[processes][..., None]] = np.nan
    medians = np.median(np.nanmedian(drawn, axis=2), axis=1)
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(medians, (tail, 1 - tail))
    return float(np.median(np.nanmedian(table, axis=1))), float(low), float(high)


def rule(groups: Sequence[Sequence[float]], threshold: float) -> tuple[Ruling, float, float, float]:
    """The ruling, and the middle, low and high of the log ratio.

    threshold: the slowdown that has to be found (0.05: five percent). What lies beyond half of
    it, with an interval that leaves out 0, is taken for a change.
    """
    middle, low, high = interval(groups)
    size = log1p(threshold)
    if low > 0 and middle > size / 2:
        return Ruling.SLOWER, middle, low, high
    if high < 0 and middle < -size / 2:
        return Ruling.FASTER, middle, low, high
    if -size <= low and high <= size:
        return Ruling.SAME, middle, low, high
    return Ruling.INCONCLUSIVE, middle, low, high


def settle(
    first: Sequence[Sequence[float]], again: Sequence[Sequence[float]], threshold: float
) -> Ruling:
    """The ruling, once a suspect has been measured again by fresh processes.

    A change counts where the fresh processes, on their own, say the same. Where nothing could be
    said at first, all of them together may, but of a change only what the fresh ones say, too.
    """
    ruling, second = rule(first, threshold)[0], rule(again, threshold)[0]
    if ruling not in SUSPECT or (second is ruling and ruling in CHANGED):
        return ruling
    whole = rule([*first, *again], threshold)[0]
    if whole in CHANGED and (ruling in CHANGED or second is not whole):
        return Ruling.INCONCLUSIVE
    return whole


def compare(
    workload: str, first: Sequence[Pairs], again: Sequence[Pairs], threshold: float
) -> Comparison:
    """What pairs say of a workload; again: those of fresh processes, where it was suspect.

    See `settle` for how the two go together.
    """
    every = [*first, *again]
    void = next((entry.void for entry in every if entry.void), "")
    if void or not every:
        return Comparison(workload, Ruling.VOID, void=void or "nothing was measured")
    before = logs(first, BEFORE.name, AFTER.name)
    ruling, middle, low, high = rule(logs(every, BEFORE.name, AFTER.name), threshold)
    ruling = settle(before, logs(again, BEFORE.name, AFTER.name), threshold) if again else ruling
    turns = sum(len(entry.seconds[BEFORE.name]) for entry in every if entry.seconds)
    return Comparison(workload, ruling, exp(middle), exp(low), exp(high), turns)
