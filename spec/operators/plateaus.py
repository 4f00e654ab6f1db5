"""Functions that are flat in part: whatever arrives there has no effect, be it right or wrong.

The last element, at which loops over vectors go wrong, is put on a plateau of such a function and
beside one in turn, since a draw may find either: on it a gradient has to be 0, beside it not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tenet.spec.cases import LAYOUTS
from tenet.spec.model.tolerance import rounded
from tenet.spec.operators.combinations import point_wise
from tenet.spec.operators.operator import Array, Call, Operator, of_operand
from tenet.spec.operators.paths import STEP, Start, sources

_NUMBERS = np.linspace(-4, 4, 33)
"""Among them are plateaus of every function of the table that has some."""


def on_plateau(operator: Operator, call: Call, seed: int) -> bool | None:
    """Whether a call's last element is on a plateau for that seed; None: where it was drawn, since
    there is no plateau, or nothing else."""
    if not point_wise(operator, call) or len(call.operands) != 1:
        return None
    _, flat = _plateaus(operator, call)
    return _turn(seed) % 2 == 0 if flat.any() and not flat.all() else None


def ended(start: Start) -> Start:
    """The start, with the last element of its operand on a plateau or beside one in turn."""
    on = on_plateau(start.operator, start.call, start.seed)
    if on is None or not start.arrays[0].size:
        return start
    (arrangement,) = start.laid
    assert arrangement is not None, "the operand of a function has a derivative"
    numbers, flat = _plateaus(start.operator, start.call)
    there = numbers[flat == on]
    base = arrangement.base.copy()
    base.flat[sources(arrangement).flat[-1]] = there[_turn(start.seed) // 2 % len(there)]
    moved = replace(arrangement, base=base)
    return replace(start, laid=(moved,), arrays=(np.array(moved.of_array(base)),))


def _turn(seed: int) -> int:
    """Independent of the layouts, which take turns by the same seed."""
    return seed // len(LAYOUTS)


def _plateaus(operator: Operator, call: Call) -> tuple[Array, Array]:
    """(numbers that every format holds, whether the function is flat there)."""
    return _of(operator.reference, operator.smooth, tuple(call.keywords.items()))


@cache
def _of(
    reference: Callable[..., Any], smooth: Any, keywords: tuple[tuple[str, object], ...]
) -> tuple[Array, Array]:
    numbers = rounded(of_operand(smooth, 0)(_NUMBERS), "bfloat16").astype(np.float64)
    before, there, after = (
        np.asarray(reference(numbers + step, **dict(keywords))) for step in (-STEP, 0, STEP)
    )
    return numbers, (before == there) & (there == after)
