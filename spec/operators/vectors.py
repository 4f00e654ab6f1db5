"""The laws of lengths: vectors, and lines that are reduced, of every length up to some vectors'
widths, and around the larger powers of two.

What a kernel does with the elements that do not fill its last vector, thread or tile depends on how
many they are. Drawn shapes meet a tail of each kind; these laws meet every tail.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import EVERY_LENGTH, arrange
from tenet.spec.cases.operands import laid
from tenet.spec.language import assert_metadata, case, supported
from tenet.spec.model.tolerance import rounded
from tenet.spec.operators.combinations import reduced
from tenet.spec.operators.operator import (
    Call,
    Operator,
    applied,
    arrays_of,
    build,
    expected_of,
    find,
)
from tenet.spec.operators.paths import Start, first
from tenet.spec.operators.results import check
from tenet.spec.operators.slopes import roundings_of, slopes_of, starts, weights_of

LONGEST = max(EVERY_LENGTH)
LYING = {
    "contiguous": ("contiguous", "contiguous"),
    "stepped": ("stepped", "stepped"),
    "first-expanded": ("expanded", "contiguous"),
    "others-expanded": ("contiguous", "expanded"),
}
"""How the first vector lies, and how the others: kernels have one loop for elements side by side,
which also takes one element again and again, and one for all others."""
ALIKE = ("contiguous", "stepped")
"""How vectors lie that all lie alike."""

_OF_LINES = frozenset({"nn.functional.glu", "nn.functional.prelu", "nn.functional.softmin"})
"""Operators whose elements are not made of those at their place alone, or have channels."""
_NOT_OF_LINES = frozenset({"trace", "bucketize", "cdist", "kthvalue"})
"""Reductions that no line of any length will do for: they want a matrix, or take a number of it."""


def of_elements(operator: Operator) -> bool:
    """Whether the operator makes each element of its result of those at its place alone."""
    return operator.section == "elementwise" and operator.name not in _OF_LINES


def of_lines(operator: Operator) -> bool:
    """Whether the operator works on lines, which may be of any length."""
    return operator.section == "reduction" and operator.name not in _NOT_OF_LINES


def shown(call: Call, lying: str, **_: object) -> frozenset[Hashable]:
    """What an example of the laws of vectors is drawn for."""
    return frozenset({lying} if lying in ALIKE or len(call.operands) > 1 else ())


def lengths(torch: Any, device: str, operator: Operator, call: Call, lying: str) -> None:
    """A vector of any length gives, in every dtype, the reference's value in each element up to its
    last: packed, with gaps, and beside one element that is expanded."""
    one, others = LYING[lying]
    layouts = [one, *[others] * (len(call.operands) - 1)]
    call = _of_vectors(call)
    function = applied(operator, find(torch, operator.name), call)
    for dtype in supported(operator.dtypes):
        arrays = tuple(
            array[:1].repeat(LONGEST) if layout == "expanded" else array
            for array, layout in zip(arrays_of(operator, call, dtype), layouts, strict=True)
        )
        expected = expected_of(operator, call, arrays, dtype)
        for length in EVERY_LENGTH:
            with case(dtype=dtype, length=length):
                parts = tuple(array[:length] for array in arrays)
                tensors = (laid(torch, device, *part) for part in zip(parts, layouts, strict=True))
                result = function(*tensors)
                check(operator, call, dtype, _first(expected, length), parts, result)


def shown_of_lines(call: Call, **_: object) -> frozenset[Hashable]:
    """What an example of the law of lines is drawn for."""
    return frozenset({reduced(call)})


def line_lengths(torch: Any, device: str, operator: Operator, call: Call) -> None:
    """A line of any length gives the reference's value in every dtype, whether it is the last
    dimension, another, or all of the operand."""
    function = applied(operator, find(torch, operator.name), call)
    fewest = 1 + call.keywords.get("correction", 0)
    for length in (length for length in EVERY_LENGTH if length >= fewest):
        of_length = _of_lines(call, length)
        for dtype in supported(operator.dtypes):
            with case(dtype=dtype, length=length):
                built = build(operator, of_length, torch, device, dtype)
                result = function(*built.tensors)
                check(operator, of_length, dtype, built.expected, built.arrays, result)


def gradient_lengths(
    torch: Any, device: str, operator: Operator, call: Call, lying: str, seed: int
) -> None:
    """A vector of any length has, in every floating and complex dtype, the derivative in each
    element up to its last; packed, and with gaps, as the gradient that arrives."""
    call = _of_vectors(call)
    function = applied(operator, find(torch, operator.name), call)
    for held, there, start in starts(operator, call, seed):
        value = start.value()
        weights = weights_of(value.shape, operator.result(held), seed)
        expected = [*slopes_of(start, value, weights, held)]
        roundings = {dtype: roundings_of(start, value, dtype) for dtype in there}
        for dtype, length in product(there, EVERY_LENGTH):
            with case(dtype=dtype, length=length):
                part = _beginning(start, length, lying)
                leaves, operands = part.leaves(torch, device, dtype)
                arriving = rounded(weights[:length], operator.result(dtype))
                first(function(*operands)).backward(laid(torch, device, arriving, lying))
                moved = (arrangement for arrangement in part.laid if arrangement is not None)
                gradients = [a.of_tensor(leaf.grad) for a, leaf in zip(moved, leaves, strict=True)]
                for gradient in gradients:
                    assert_metadata(gradient, shape=(length,), dtype=dtype)
                for each in expected:
                    each.check(gradients, dtype, roundings[dtype])


def _of_vectors(call: Call) -> Call:
    """The call with packed vectors of the greatest length."""
    packed = {"shape": (LONGEST,), "layout": "contiguous"}
    return replace(call, operands=tuple(replace(operand, **packed) for operand in call.operands))


def _of_lines(call: Call, length: int) -> Call:
    """The call with operands that have so many elements in the last of the dimensions that it is
    told to work on, and three in one that it is not; with vectors where it is told none."""
    rank = len(call.operands[0].shape)
    dims = call.keywords.get("dim")
    shape = [length]
    if dims is not None and rank:
        worked_on = [dim % rank for dim in (dims if isinstance(dims, tuple) else (dims,))]
        others = [dim for dim in range(rank) if dim not in worked_on]
        shape = [3 if dim in others[-1:] else 1 for dim in range(rank)]
        shape[worked_on[-1]] = length
    return replace(call, operands=tuple(replace(x, shape=tuple(shape)) for x in call.operands))


def _beginning(start: Start, length: int, layout: str) -> Start:
    """The first elements of all operands."""
    arrays = tuple(array[:length] for array in start.arrays)
    arrangements = (
        None if lies is None else arrange(array, layout)
        for lies, array in zip(start.laid, arrays, strict=True)
    )
    return replace(start, laid=tuple(arrangements), arrays=arrays)


def _first(expected: Any, length: int) -> Any:
    if isinstance(expected, tuple):
        return tuple(_first(part, length) for part in expected)
    return None if expected is None else np.asarray(expected)[:length]
