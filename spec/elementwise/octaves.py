"""Arguments of every size: an octave at a time, and powers as large as a dtype holds.

Kernels take another way in each interval of their argument: a polynomial, a table, a limit. Drawn
numbers are mostly between 0.1 and 3, or whole, so that an interval further out would be met by few
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, tensor_of
from tenet.spec.cases.operands import laid
from tenet.spec.language import assert_close, case, clause, for_all, supported
from tenet.spec.model.dtypes import FLOATS, FORMATS
from tenet.spec.model.tolerance import rounded
from tenet.spec.operators.activations import ACTIVATIONS
from tenet.spec.operators.domains import clipped, of_size
from tenet.spec.operators.operator import (
    Array,
    Call,
    Prepare,
    applied,
    expected_of,
    find,
    of_operand,
)
from tenet.spec.operators.pointwise import LOOSE, POINTWISE
from tenet.spec.operators.results import check
from tenet.spec.operators.special import SPECIAL
from tenet.spec.operators.vectors import of_elements

_TABLE = {**POINTWISE, **SPECIAL, **ACTIVATIONS}
_OF_ONE = [each for each in _TABLE.values() if of_elements(each) and not each.broadcasts]
_ARGUMENTS: dict[str, tuple[tuple[str, Any], ...]] = {
    "mvlgamma": (("p", 2),),
    "nn.functional.threshold": (("threshold", 0.5), ("value", 2)),
}
"""Of operators that need some."""
_WIDER: dict[str, Prepare] = {
    "lgamma": of_size(1e-30, 1e30),
    "digamma": of_size(1e-20, 1e4),
    "logit": of_size(1e-30, 1 - 1e-4),
    "special.ndtri": of_size(1e-30, 1 - 1e-4),
    "special.entr": clipped(-1e30, 1e30),
}
"""Where they are asked further out than elements are drawn."""
_PARTS = 64
"""How many numbers an octave gives."""


def octaves(dtype: str, phase: int) -> Array:
    """Numbers of either sign in each octave from 2^-20 to 2^8, one in each from 2^-100 to 2^100,
    and on both sides of 1 those that are 2^-k away from it, down to its neighbours."""
    layout = FORMATS[dtype]
    lowest = max(-20, int(np.log2(layout.tiny)))
    within = 1 + (np.arange(_PARTS) + phase / _PARTS) / _PARTS
    spread = (2.0 ** np.arange(lowest, 8)[:, None] * within).ravel()
    away = 2.0 ** -np.arange(1, layout.precision + 1)
    powers = np.arange(max(-100, int(np.log2(layout.tiny))), min(100, int(np.log2(layout.max))))
    plus = np.concatenate([spread, 1 - away, 1 + 2 * away, 2.0**powers * within[phase % _PARTS]])
    return rounded(np.concatenate([plus, -plus]), dtype)


@clause(
    "elementwise.every-octave",
    covers=["notes.elementwise-family", "dlnotes.unary-math", "notes.layout-independence"],
    effort=0.012,
    thorough=True,
)
@for_all(phase=st.sampled_from(range(_PARTS)))
def a_function_is_as_near_in_every_octave(torch: Any, device: str, phase: int) -> None:
    """A function of one number is as near to its value in each octave of its argument as in any
    other, and on either side of 1, in every dtype, packed and with gaps."""
    for operator in _OF_ONE:
        for dtype in supported(name for name in operator.dtypes if name in FLOATS):
            array = octaves(dtype, phase)
            ready = _WIDER.get(operator.name, of_operand(operator.prepare, 0))
            array = np.asarray(ready(array)).astype(array.dtype)
            call = Call((Operand(array.shape),), _ARGUMENTS.get(operator.name, ()))
            expected = expected_of(operator, call, (array,), dtype)
            function = applied(operator, find(torch, operator.name), call)
            for lying in ("contiguous", "stepped"):
                with case(function=operator.name, dtype=dtype, lying=lying):
                    result = function(laid(torch, device, array, lying))
                    check(operator, call, dtype, expected, (array,), result)


_EXPONENTS = (5, 7, 10, 30.5, 64, 0.5, 1.5, 2.5, 0.125, -1, -2, -3, -0.5, -7, -30.5)
_BASES = (2, 10, 0.5, 3.75, 1.5)
"""Numbers that every dtype holds."""
_POWERS: dict[str, Callable[..., Any]] = {
    "pow": lambda torch, x, y: torch.pow(x, y),
    "**": lambda torch, x, y: x**y,
}


def _reach(dtype: str) -> float:
    """What logarithm a power may have that is a normal number, be it inverted."""
    return 0.95 * float(np.log(FORMATS[dtype].max / 4))


@clause(
    "elementwise.powers-of-any-size",
    covers=["dlnotes.pow", "notes.elementwise-family", "notes.layout-independence"],
    effort=0.02,
    thorough=True,
)
@for_all(phase=st.sampled_from(range(_PARTS)))
def a_power_is_as_near_whatever_its_size(torch: Any, device: str, phase: int) -> None:
    """A power of a large or small base, and by a large exponent, is as near to its value as one of
    moderate numbers: of two tensors, packed or not, with a number on either side and in place. By
    a whole exponent a negative number has one too, negative where that is odd."""
    for dtype in supported(FLOATS):
        for said, base, exponent in _powers(dtype, phase):
            expected = base.astype(np.longdouble) ** np.asarray(exponent, np.longdouble)
            bound = LOOSE(dtype, expected, (), {})
            assert bound is not None
            for lying, (way, power) in product(("contiguous", "stepped"), _POWERS.items()):
                x, y = (
                    laid(torch, device, each, lying) if np.ndim(each) else float(each)
                    for each in (base, exponent)
                )  # fmt: skip
                with case(dtype=dtype, of=said, way=way, lying=lying):
                    assert_close(power(torch, x, y), expected, bound)
            if np.ndim(base):
                with case(dtype=dtype, of=said, way="in place"):
                    x = tensor_of(torch, device, base)
                    y = tensor_of(torch, device, exponent) if np.ndim(exponent) else float(exponent)
                    assert_close(x.pow_(y), expected, bound)


def _powers(dtype: str, phase: int) -> Iterator[tuple[str, Array, Array]]:
    """(what is raised to what, the bases, the exponents): one of the two may be one number."""
    reach = _reach(dtype)
    # Of the power, evenly; and of the base, in an order that pairs each with large and small.
    logs = reach * (np.arange(-256, 256) + phase / _PARTS) / 256
    ends = np.roll(logs, 97) * 0.9
    bases = rounded(np.exp(ends), dtype)
    of_bases = np.log(bases.astype(np.float64))
    steep = np.abs(of_bases) > 2.0**-6
    exponents = np.where(steep, logs / np.where(steep, of_bases, 1), 3)
    yield "tensors", bases, rounded(exponents * 0.98, dtype)
    whole = np.clip(np.rint(exponents), -64, 64)
    inside = np.abs(whole * of_bases) < reach
    yield "negative bases", -bases, rounded(np.where(inside, whole, 0), dtype)
    for number in _EXPONENTS:
        # No base so large or small that it is none itself.
        part = np.exp(np.clip(logs / number, -reach, reach) * 0.98)
        yield f"x ** {number}", rounded(part, dtype), np.asarray(number)
    for number in _BASES:
        yield f"{number} ** x", np.asarray(number), rounded(logs * 0.98 / np.log(number), dtype)
