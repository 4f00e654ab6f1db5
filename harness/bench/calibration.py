"""The gate's own examination: how often it raises a false alarm here, and what it finds.

Every round compares this environment with itself, by five fresh pairs of processes as any
comparison does, and with itself held back on purpose. A suspect of one round counts where the
next round, which is as fresh, says the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import log1p
from pathlib import Path
from typing import Any

from rich.console import Console

from tenet.harness.bench.against import fill
from tenet.harness.bench.pairs import AFTER, BEFORE, Arm, Design
from tenet.harness.bench.record import harness_version
from tenet.harness.bench.ruling import CHANGED, Ruling, logs, settle
from tenet.harness.bench.sides import Side
from tenet.harness.bench.store import Store
from tenet.harness.bench.workload import Workload
from tenet.harness.errors import HarnessError, UsageError

INJECTED = (0.05, 0.10)
DEFAULT_THRESHOLD = 0.05
_STEPS = tuple(step / 100 for step in range(2, 51))
_FALSE, _FOUND = 0.01, 0.95

_SELDOM, _FEWEST = 3, 2
"""A false alarm is to be rarer than a miss, so that telling its rate takes more rounds: three times
as many. A suspect needs another round that says the same, so there are two of each."""

Groups = list[list[float]]


@dataclass(frozen=True)
class Calibration:
    """What the gate is worth on a machine.

    trials: comparisons of equals made; threshold: at which the rates hold; false_alarms: share of
    these that end in `slower` or `faster`; found: share of those held back on purpose that
    end in `slower`, by the share of the time; smallest: the least slowdown that is found in 95 of
    100 comparisons at a threshold at which at most 1 of 100 raises a false alarm, None where
    there is none up to 50%.
    """

    device: str
    harness: str
    torch: str
    trials: int
    threshold: float
    false_alarms: float
    found: Mapping[str, float]
    smallest: float | None
    made: str = ""


def calibrate(
    store: Store,
    side: Side,
    workloads: Sequence[Workload],
    design: Design,
    rounds: int,
    facts: Mapping[str, Any],
    console: Console,
) -> Calibration:
    """Measure what the store does not hold yet, and say what the gate is worth."""
    trials: dict[float, list[list[Groups]]] = {
        slower: [[] for _ in workloads] for slower in (0.0, *INJECTED)
    }
    for number in range(rounds):
        for slower, told in trials.items():
            if slower and number >= max(_FEWEST, rounds // _SELDOM):
                continue
            # Just the two arms of any comparison: a third would change what the caches hold.
            arms = (BEFORE, Arm(AFTER.name, AFTER.process, slower))
            stage = f"round {number}, {slower:.0%} slower"
            fill(store, (side, side), arms, workloads, design, [stage], console)
            for workload, groups in zip(workloads, told, strict=True):
                measured = store.of(stage, workload.name)
                void = next((entry.void for entry in measured if entry.void), "")
                if void:
                    raise HarnessError(f"{workload.name} cannot be calibrated with: {void}")
                groups.append(logs(measured, BEFORE.name, AFTER.name))
    smallest = next((step for step in _STEPS if _finds(trials[0.0], step)), None)
    threshold = max(DEFAULT_THRESHOLD, smallest or _STEPS[-1])
    same = _rulings(trials[0.0], threshold)
    found = {
        f"{slower:.0%}": _share(_rulings(trials[slower], threshold), {Ruling.SLOWER})
        for slower in INJECTED
    }
    made = datetime.now(UTC).isoformat(timespec="seconds")
    calibration = Calibration(
        facts["fingerprint"], harness_version(), facts["torch"], len(same), threshold,
        _share(same, CHANGED), found, smallest, made,
    )  # fmt: skip
    store.end(asdict(calibration))
    return calibration


def _rulings(trials: Sequence[Sequence[Groups]], threshold: float) -> list[Ruling]:
    """The ruling of every trial, settled by the next round."""
    return [
        settle(groups, rounds[(number + 1) % len(rounds)], threshold)
        for rounds in trials
        for number, groups in enumerate(rounds)
    ]


def _finds(trials: Sequence[Sequence[Groups]], slowdown: float) -> bool:
    """Whether that slowdown is found, and nothing else, at a threshold of as much.

    Time that is longer by a share is the same log ratio, shifted: so A/A pairs tell of every
    slowdown, and not of the injected ones alone.
    """
    if _share(_rulings(trials, slowdown), CHANGED) > _FALSE:
        return False
    by = log1p(slowdown)
    shifted = [
        [[[value + by for value in group] for group in groups] for groups in rounds]
        for rounds in trials
    ]
    return _share(_rulings(shifted, slowdown), {Ruling.SLOWER}) >= _FOUND


def _share(rulings: Sequence[Ruling], of: set[Ruling] | frozenset[Ruling]) -> float:
    return sum(ruling in of for ruling in rulings) / max(1, len(rulings))


def show(calibration: Calibration, console: Console) -> None:
    """Print it."""
    least = calibration.smallest
    lines = [
        f"{calibration.trials} comparisons of equals on {calibration.device}",
        f"false alarms (A/A): {calibration.false_alarms:.1%}",
        *(f"found, {name} slower: {share:.1%}" for name, share in calibration.found.items()),
        "smallest slowdown that the gate finds here: "
        + ("more than 50%" if least is None else f"{least:.0%}"),
        f"rates at --threshold {100 * calibration.threshold:g}; a tighter one than "
        f"{100 * (least or 0.5):g} is refused",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _path(results: str | Path) -> Path:
    return Path(results) / "pairs" / "calibrations.jsonl"


def keep(calibration: Calibration, results: str | Path) -> None:
    """Append it to those that were made before."""
    path = _path(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(calibration)) + "\n")


def known(results: str | Path, fingerprint: str) -> Calibration | None:
    """The last one of this device with this version of the harness, if there is one."""
    path = _path(results)
    if not path.exists():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [Calibration(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} holds no calibrations ({error}); move it away") from error
    fitting = [c for c in found if (c.device, c.harness) == (fingerprint, harness_version())]
    return fitting[-1] if fitting else None


def threshold_of(asked: float | None, calibration: Calibration | None) -> float:
    """The threshold to compare at. UsageError for one that is tighter than this machine allows."""
    least = DEFAULT_THRESHOLD
    if calibration is not None:
        least = calibration.smallest or _STEPS[-1]
    if asked is None:
        return max(DEFAULT_THRESHOLD, least)
    if asked < least:
        known_by = (
            "is the least slowdown that `tenet bench --calibrate` found here"
            if calibration is not None
            else "is the least without a calibration of this machine: `tenet bench --calibrate`"
        )
        raise UsageError(f"--threshold {100 * asked:g} is too tight; {100 * least:g} {known_by}")
    return asked
