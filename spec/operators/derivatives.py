"""The laws of derivatives: what backward() gives, against the reference along a line.

The operands move along a line through a point where the operation is smooth, each element in a
direction of its own; the weighted sum of the result then has a derivative by central differences,
and it has to be the sum of the gradients along that direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenet.spec.cases import values
from tenet.spec.cases.operands import tensor_of
from tenet.spec.language import assert_metadata, assert_that, case, compiles, read
from tenet.spec.operators.operator import Array, Call, Operator, program_of
from tenet.spec.operators.paths import Path, Start, first, start_of, total
from tenet.spec.operators.spellings import spellings

RELATIVE = 1e-7
"""Allowed for a directional derivative, relative to the sum of the magnitudes of its terms: four
orders above the error of the differences, four below the slips it looks for."""
RELATIVE_SECOND = 1e-6
"""Allowed for a second one. Truncation is STEP^4 / 1440 of the sixth derivative: 1e-10 relative
for 1/x at 0.1 along a direction of 4, the steepest of the table. Rounding is 16 u / STEP^2 of the
value: 1e-10 in extended precision, 2e-7 where longdouble is float64."""


@dataclass(frozen=True)
class Line:
    """A start, a direction for each of its leaves, and the path from there."""

    start: Start
    path: Path
    along: tuple[Array, ...]


def line_of(operator: Operator, call: Call, seed: int) -> Line:
    """A point where the operation is smooth, and a direction from there."""
    start = start_of(operator, call, seed, "float64")
    along = start.directions()
    weights = values(start.value().shape, "float64", "normal", seed + 500)
    told = tuple(direction for direction in along if direction is not None)
    return Line(start, start.path(along, weights), told)


def gradient(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """backward() gives the derivative: for any direction, the sum of the gradients along it is the
    reference's change, by central differences; for contiguous and strided, broadcast and
    empty operands, and whichever way the call is spelled. Each operand gets the same where it
    alone requires gradients."""
    line = line_of(operator, call, seed)
    wanted = float(line.path.slopes().sum())
    function = program_of(torch, operator, call)
    ways: list[tuple[dict[str, str], Callable[..., Any]]] = [({}, function)]
    # A compiled program is one, whatever its words were.
    if not compiles():
        ways += [({"spelling": name}, act) for name, act in spellings(torch, operator, call)]
    for label, act in ways:
        with case(**label):
            leaves, operands = line.start.leaves(torch, device, "float64")
            first(act(*operands)).backward(tensor_of(torch, device, line.path.weights))
            terms = []
            for leaf, direction in zip(leaves, line.along, strict=True):
                assert_metadata(leaf.grad, shape=direction.shape, dtype="float64")
                terms.append(read(leaf.grad) * direction)
            got, scale = total(terms)
            scale = max(scale + float(np.abs(line.path.weights).sum()), abs(wanted), 1e-30)
            assert_that(
                abs(got - wanted) <= RELATIVE * scale,
                f"the derivative along a direction is {got!r}, by differences {wanted!r}",
            )
    if len(leaves) > 1 and not compiles():
        for place, alone in enumerate(_each_alone(torch, device, line, function)):
            with case(of_leaf=place):
                assert_metadata(alone.grad, shape=line.along[place].shape, dtype="float64")
                off = np.abs(read(alone.grad) * line.along[place] - terms[place]).sum()
                assert_that(off <= RELATIVE * scale, f"it is {off!r} off where it is the only one")


def _each_alone(torch: Any, device: str, line: Line, act: Callable[..., Any]) -> Iterator[Any]:
    """Each leaf, after backward through a call of which no other operand requires gradients."""
    weights = tensor_of(torch, device, line.path.weights)
    places = [place for place, laid in enumerate(line.start.laid) if laid is not None]
    for number, place in enumerate(places):
        leaves, operands = line.start.leaves(torch, device, "float64")
        alone = [each if n == place else each.detach() for n, each in enumerate(operands)]
        first(act(*alone)).backward(weights)
        yield leaves[number]


def curvature(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """A gradient made with create_graph=True is the derivative too, and is differentiated in turn:
    the second derivative along any direction is the reference's, by central differences."""
    line = line_of(operator, call, seed)
    weights = tensor_of(torch, device, line.path.weights)
    leaves, operands = line.start.leaves(torch, device, "float64")
    result = first(program_of(torch, operator, call)(*operands))
    firsts = torch.autograd.grad(result, leaves, weights, create_graph=True)
    size = float(np.abs(line.path.weights).sum())
    got, scale = total(
        [read(slope) * along for slope, along in zip(firsts, line.along, strict=True)]
    )
    wanted = float(line.path.slopes().sum())
    size += scale
    assert_that(
        abs(got - wanted) <= RELATIVE * max(size, abs(wanted), 1e-30),
        f"with a graph, the derivative along a direction is {got!r}, by differences {wanted!r}",
    )
    # A gradient that depends on no operand has no graph, and its derivative is 0.
    terms = [
        (slope * tensor_of(torch, device, along)).sum()
        for slope, along in zip(firsts, line.along, strict=True)
        if slope.requires_grad
    ]
    for leaf in leaves:
        leaf.grad = torch.zeros_like(leaf)
    if terms:
        sum(terms).backward()
    got, scale = total(
        [read(leaf.grad) * along for leaf, along in zip(leaves, line.along, strict=True)]
    )
    wanted = float(line.path.bend())
    assert_that(
        abs(got - wanted) <= RELATIVE_SECOND * max(size + scale, abs(wanted), 1e-30),
        f"the second derivative along a direction is {got!r}, by differences {wanted!r}",
    )
