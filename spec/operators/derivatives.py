"""The laws of derivatives: what backward() gives, against the reference along a line.

The operands move along a line through a point where the operation is smooth, each element in a
direction of its own; the weighted sum of the result then has a derivative by central differences,
and it has to be the sum of the gradients along that direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenet.spec.cases import values
from tenet.spec.cases.operands import tensor_of
from tenet.spec.language import assert_metadata, assert_that, read
from tenet.spec.operators.operator import Array, Call, Operator, program_of
from tenet.spec.operators.paths import Path, first, start_of, total

RELATIVE = 1e-7
"""Allowed for a directional derivative, relative to the sum of the magnitudes of its terms: four
orders above the error of the differences, four below the slips it looks for."""
RELATIVE_SECOND = 1e-6
"""Allowed for a second one. Truncation is STEP^4 / 1440 of the sixth derivative: 1e-10 relative
for 1/x at 0.1 along a direction of 4, the steepest of the table. Rounding is 16 u / STEP^2 of the
value: 1e-10 in extended precision, 2e-7 where longdouble is float64."""


@dataclass(frozen=True)
class Line:
    """A path, and the tensors of its start: leaves, the direction of each, and the result."""

    path: Path
    leaves: tuple[Any, ...]
    along: tuple[Array, ...]
    result: Any


def _line(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> Line:
    """The operation at a point where it is smooth, and a direction from there."""
    start = start_of(operator, call, seed, "float64")
    leaves, operands = start.leaves(torch, device, "float64")
    result = first(program_of(torch, operator, call)(*operands))
    along = start.directions()
    weights = values(tuple(result.shape), "float64", "normal", seed + 500)
    told = tuple(direction for direction in along if direction is not None)
    return Line(start.path(along, weights), leaves, told, result)


def gradient(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """backward() gives the derivative: for any direction, the sum of the gradients along it is the
    reference's change, by central differences; for contiguous and strided, broadcast and
    empty operands."""
    line = _line(torch, device, operator, call, seed)
    line.result.backward(tensor_of(torch, device, line.path.weights))
    terms = []
    for leaf, direction in zip(line.leaves, line.along, strict=True):
        assert_metadata(leaf.grad, shape=direction.shape, dtype="float64")
        terms.append(read(leaf.grad) * direction)
    got, scale = total(terms)
    wanted = float(line.path.slopes().sum())
    scale = max(scale + float(np.abs(line.path.weights).sum()), abs(wanted), 1e-30)
    assert_that(
        abs(got - wanted) <= RELATIVE * scale,
        f"the derivative along a direction is {got!r}, by differences {wanted!r}",
    )


def curvature(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """A gradient made with create_graph=True is the derivative too, and is differentiated in turn:
    the second derivative along any direction is the reference's, by central differences."""
    line = _line(torch, device, operator, call, seed)
    weights = tensor_of(torch, device, line.path.weights)
    firsts = torch.autograd.grad(line.result, line.leaves, weights, create_graph=True)
    size = float(np.abs(line.path.weights).sum())
    got, scale = total(
        [read(first) * along for first, along in zip(firsts, line.along, strict=True)]
    )
    wanted = float(line.path.slopes().sum())
    size += scale
    assert_that(
        abs(got - wanted) <= RELATIVE * max(size, abs(wanted), 1e-30),
        f"with a graph, the derivative along a direction is {got!r}, by differences {wanted!r}",
    )
    # A gradient that depends on no operand has no graph, and its derivative is 0.
    terms = [
        (first * tensor_of(torch, device, along)).sum()
        for first, along in zip(firsts, line.along, strict=True)
        if first.requires_grad
    ]
    for leaf in line.leaves:
        leaf.grad = torch.zeros_like(leaf)
    if terms:
        sum(terms).backward()
    got, scale = total(
        [read(leaf.grad) * along for leaf, along in zip(line.leaves, line.along, strict=True)]
    )
    wanted = float(line.path.bend())
    assert_that(
        abs(got - wanted) <= RELATIVE_SECOND * max(size + scale, abs(wanted), 1e-30),
        f"the second derivative along a direction is {got!r}, by differences {wanted!r}",
    )
