"""The laws of derivatives: what backward() gives, against the reference along a line.

The operands move along a line through a point where the operation is smooth, each element in a
direction of its own; the weighted sum of the result then has a derivative by central differences,
and it has to be the sum of the gradients along that direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenet.spec.cases import LAYOUTS, Arrangement, Operand, arrange, values
from tenet.spec.cases.operands import tensor_of
from tenet.spec.language import assert_metadata, assert_that, case, read, supported
from tenet.spec.model.dtypes import FORMATS, HALVES, Category, category
from tenet.spec.model.tolerance import rounded
from tenet.spec.operators.operator import Array, Call, Operator, find, of_operand, program_of

STEP = 1e-4
"""Of the finite differences. With Richardson's step the truncation error is O(STEP^4) and the
rounding error u / STEP: below 1e-11 relative in float64, below 1e-14 in extended precision."""
RELATIVE = 1e-7
"""Allowed for a directional derivative, relative to the sum of the magnitudes of its terms: four
orders above the error of the differences, four below the slips it looks for."""
RELATIVE_SECOND = 1e-6
"""Allowed for a second one. Truncation is STEP^4 / 1440 of the sixth derivative: 1e-10 relative
for 1/x at 0.1 along a direction of 4, the steepest of the table. Rounding is 16 u / STEP^2 of the
value: 1e-10 in extended precision, 2e-7 where longdouble is float64."""


ROUNDINGS = 6
"""By how many roundings of its terms and of its operands, each all in one direction, a derivative
may be off in the dtype that it is computed in, besides those that the value may be off by. The
formulas of the table take up to a dozen operations, whose roundings partly cancel: of 40,000
derivatives of PyTorch none is off by more than four."""
_CHAINED = frozenset({"prod", "cumprod", "cummax", "cummin"})
"""Operators whose backward multiplies, or adds up, a whole line, one element after another; those
of indexing add up what was read from one place."""
_HELD = {
    "float32": ("float32",),
    "bfloat16": ("float16", "bfloat16"),
    "complex64": ("complex64", "complex128"),
}
"""Elements of the one dtype, and the dtypes that hold them: both half formats hold what bfloat16
does, of a moderate size, so that one reference serves both."""
OTHERS = tuple(dtype for dtypes in _HELD.values() for dtype in dtypes)
"""The dtypes in which an operation has a derivative, besides float64."""
DIFFERENCES = 1e-9
"""What plain differences in float64 are off by, relative to the terms: u / STEP is 1e-12 of the
value, and truncation STEP^4 of a fifth derivative; it counts for complex128 alone."""
RANGE = 2.0**9
"""Results up to there are looked at in every dtype: far enough from the ends of float16 for the
intermediate results of a backward pass."""


@dataclass(frozen=True)
class Path:
    """Operands that move along a line, each in its direction (None: it stays), on both sides.

    weights: of the elements of the result, whose weighted sum is differentiated: of complex ones
    the real part of the sum, each by the conjugate of its weight; precision: in which the
    reference is computed, where it is not complex.
    """

    operator: Operator
    call: Call
    arrays: tuple[Array, ...]
    directions: tuple[Array | None, ...]
    weights: Array
    precision: type[np.floating[Any]] = np.longdouble

    def terms(self, t: float) -> Any:
        """The terms of the reference's weighted sum, t steps of a direction away."""
        moved = [
            array if direction is None else self._wide(array) + t * direction
            for array, direction in zip(self.arrays, self.directions, strict=True)
        ]
        expected = self.operator.reference(*moved, **self.call.keywords)
        return (np.asarray(_first(expected)) * self.weights.conj()).real

    def _wide(self, array: Array) -> Array:
        return array.astype(np.complex128 if np.iscomplexobj(array) else self.precision)

    def slope(self, step: float) -> Any:
        """The derivatives of the terms at 0, by central differences."""
        return (self.terms(step) - self.terms(-step)) / (2 * step)

    def slopes(self) -> Any:
        """The same, by Richardson's rule."""
        return (4 * self.slope(STEP / 2) - self.slope(STEP)) / 3

    def bend(self) -> Any:
        """The second derivative of the sum at 0, likewise."""
        middle = self.terms(0).sum()

        def central(step: float) -> Any:
            return (self.terms(step).sum() - 2 * middle + self.terms(-step).sum()) / step**2

        return (4 * central(STEP / 2) - central(STEP)) / 3

    def kink(self) -> float:
        """By how much the derivatives to the two sides of 0 differ, over all terms: what is left
        of the second difference, over the step, where the step goes to 0."""
        middle = self.terms(0)

        def second(step: float) -> Any:
            return (self.terms(step) - 2 * middle + self.terms(-step)) / step

        return float(np.abs(2 * second(STEP / 2) - second(STEP)).sum())

    def unsettled(self, by: float, seed: int) -> float:
        """How far the derivative moves where every operand moves by that share, up or down."""
        random = np.random.Generator(np.random.PCG64(seed))
        here = self.slope(STEP).sum()
        moves = []
        for _ in range(2):
            arrays = tuple(
                array
                if direction is None
                else array * (1 + by * random.choice([-1.0, 1.0], array.shape))
                for array, direction in zip(self.arrays, self.directions, strict=True)
            )
            moves.append(float(abs(replace(self, arrays=arrays).slope(STEP).sum() - here)))
        return max(moves)


@dataclass(frozen=True)
class Start:
    """Where lines begin: the operands of a call, at a point at which the operation is smooth.

    wide: the dtype of the elements; laid: how each operand lies that has a derivative, None for
    the others; arrays: all of them.
    """

    operator: Operator
    call: Call
    seed: int
    wide: str
    laid: tuple[Arrangement | None, ...]
    arrays: tuple[Array, ...]

    def directions(self) -> tuple[Array | None, ...]:
        """One for each base, of every element of it."""
        return tuple(
            None
            if arrangement is None
            else values(arrangement.base.shape, self.wide, "normal", self.seed + 900 + number)
            for number, arrangement in enumerate(self.laid)
        )

    def few(self, directions: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        """The directions in the last element of each operand and in one more, 0 elsewhere."""

        def cut(direction: Array | None, arrangement: Arrangement | None) -> Array | None:
            if direction is None or arrangement is None:
                return None
            places = arrangement.of_array(np.arange(direction.size).reshape(direction.shape))
            few = np.zeros(direction.size, direction.dtype)
            if places.size:
                kept = places.ravel()[[-1, self.seed % places.size]]
                few[kept] = direction.ravel()[kept]
            return few.reshape(direction.shape)

        return tuple(map(cut, directions, self.laid))

    def value(self) -> Array:
        """What the reference gives there."""
        return np.asarray(_first(self.operator.reference(*self.arrays, **self.call.keywords)))

    def leaves(self, torch: Any, device: str, dtype: str) -> tuple[tuple[Any, ...], list[Any]]:
        """The tensors that a gradient is asked for, of the dtype; and the operands that are views
        of them."""
        leaves, operands = [], []
        for arrangement, array in zip(self.laid, self.arrays, strict=True):
            if arrangement is None:
                operands.append(tensor_of(torch, device, array))
                continue
            base = rounded(arrangement.base, dtype)
            leaves.append(tensor_of(torch, device, base).requires_grad_(True))
            operands.append(arrangement.of_tensor(leaves[-1]))
        return tuple(leaves), operands

    def path(self, along: tuple[Array | None, ...], weights: Array) -> Path:
        """The line in the directions of the bases."""
        directions = tuple(
            None
            if arrangement is None or direction is None
            else np.array(arrangement.of_array(direction))
            for arrangement, direction in zip(self.laid, along, strict=True)
        )
        return Path(self.operator, self.call, self.arrays, directions, weights)


def _wide(dtype: str) -> str:
    return "complex128" if category(dtype) is Category.COMPLEX else "float64"


def _start(operator: Operator, call: Call, seed: int, dtype: str) -> Start:
    """Elements that the dtype holds, as float64 or complex128."""
    wide = _wide(dtype)
    assert operator.smooth is not None
    laid: list[Arrangement | None] = []
    arrays = []
    for number, operand in enumerate(call.operands):
        if not isinstance(operand, Operand):
            laid.append(None)
            arrays.append(operand.array("float64"))
            continue
        normal = values(operand.shape, wide, "normal", operand.seed + seed + number)
        smooth = rounded(of_operand(operator.smooth, number)(normal), dtype).astype(wide)
        arrangement = arrange(smooth, operand.layout)
        laid.append(arrangement)
        arrays.append(np.array(arrangement.of_array(arrangement.base)))
    return Start(operator, call, seed, wide, tuple(laid), tuple(arrays))


@dataclass(frozen=True)
class Line:
    """A path, and the tensors of its start: leaves, the direction of each, and the result."""

    path: Path
    leaves: tuple[Any, ...]
    along: tuple[Array, ...]
    result: Any


def _line(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> Line:
    """The operation at a point where it is smooth, and a direction from there."""
    start = _start(operator, call, seed, "float64")
    leaves, operands = start.leaves(torch, device, "float64")
    result = _first(program_of(torch, operator, call)(*operands))
    along = start.directions()
    weights = values(tuple(result.shape), "float64", "normal", seed + 500)
    told = tuple(direction for direction in along if direction is not None)
    return Line(start.path(along, weights), leaves, told, result)


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


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
    got, scale = _total(terms)
    wanted = float(line.path.slopes().sum())
    scale = max(scale + float(np.abs(line.path.weights).sum()), abs(wanted), 1e-30)
    assert_that(
        abs(got - wanted) <= RELATIVE * scale,
        f"the derivative along a direction is {got!r}, by differences {wanted!r}",
    )


def gradient_by_dtype(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """In each floating and complex dtype backward() gives the derivative (by a complex number: that
    by its real part, and i times that by its imaginary part) within the precision of that dtype,
    in the leaf's dtype and shape: for every layout of an operand and of the gradient that arrives,
    every rank and every kind of size."""
    for held, dtypes in _HELD.items():
        there = [*supported(name for name in dtypes if name in operator.dtypes)]
        if not there:
            continue
        start = _start(operator, call, seed, held)
        value = start.value()
        if np.abs(value).max(initial=0) > RANGE or not np.isfinite(value).all():
            continue
        arriving = _arriving(value.shape, seed, operator.result(held))
        slants = [*_slants(start, np.array(arriving.of_array(arriving.base)), held)]
        for dtype in there:
            with case(dtype=dtype):
                leaves, operands = start.leaves(torch, device, dtype)
                result = _first(operator.apply(find(torch, operator.name), operands, call.keywords))
                weights = tensor_of(torch, device, rounded(arriving.base, operator.result(dtype)))
                result.backward(arriving.of_tensor(weights))
                gradients = []
                for leaf in leaves:
                    assert_metadata(leaf.grad, shape=tuple(leaf.shape), dtype=dtype)
                    gradients.append(read(leaf.grad).astype(start.wide))
                # What the value may be off by, its derivative may be as well.
                bound = operator.accuracy(dtype, value, start.arrays, call.keywords)
                roundings = ROUNDINGS + (0 if bound is None else bound.ulps)
                if operator.name in _CHAINED or operator.section == "indexing":
                    roundings += max((*start.arrays[0].shape, *value.shape), default=0)
                for slant in slants:
                    slant.check(gradients, dtype, roundings)


def _arriving(shape: tuple[int, ...], seed: int, dtype: str) -> Arrangement:
    """The weights of the elements of a result, in one of the layouts."""
    wide = _wide(dtype)
    weights = rounded(values(shape, wide, "normal", seed + 500), dtype).astype(wide)
    return arrange(weights, tuple(LAYOUTS)[seed % len(LAYOUTS)])


@dataclass(frozen=True)
class Slant:
    """A direction, and what the derivative along it is.

    along: of each leaf; wanted: the derivative; of_rounding: what one relative rounding of every
    operand and term makes of it, in unit roundoffs; of_weights: the same of every weight, where the
    terms are what is left of differences of weights.
    """

    along: tuple[Array, ...]
    wanted: float
    of_rounding: float
    of_weights: float

    def check(self, gradients: list[Array], dtype: str, roundings: float) -> None:
        """The gradients in this dtype give the derivative."""
        got, size = _total(
            [(grad.conj() * along).real for grad, along in zip(gradients, self.along, strict=True)]
        )
        steps = sum(float(np.abs(along).sum()) for along in self.along)
        layout = FORMATS[dtype]
        scale = size + self.of_rounding
        allowed = roundings * (layout.eps / 2 * scale + layout.tiny * steps)
        often = 1 if dtype in HALVES else roundings
        allowed += often * layout.eps / 2 * self.of_weights
        allowed += DIFFERENCES * (scale + self.of_weights)
        assert_that(
            abs(got - self.wanted) <= allowed,
            f"the derivative along a direction is {got!r}, by differences {self.wanted!r}, which "
            f"is more than {allowed!r} away",
        )


def _slants(start: Start, weights: Array, dtype: str) -> Iterator[Slant]:
    """Along every element, and along two alone, the last of them; only where it is smooth, which
    elements that are rounded to the same number may not be."""
    unit = FORMATS[dtype].eps / 2
    dense = start.directions()
    for along in (dense, start.few(dense)):
        path = replace(start.path(along, weights), precision=np.float64)
        slopes = path.slopes()
        size = float(np.abs(slopes).sum())
        steps = [np.abs(each).sum() for each in path.directions if each is not None]
        of_weights = float(sum(steps)) * float(np.abs(weights).max(initial=0))
        if path.kink() > 1e-6 * (size + of_weights):
            continue
        of_rounding = size + path.unsettled(unit, start.seed) / unit
        told = tuple(direction for direction in along if direction is not None)
        yield Slant(told, float(slopes.sum()), of_rounding, of_weights)


def curvature(torch: Any, device: str, operator: Operator, call: Call, seed: int) -> None:
    """A gradient made with create_graph=True is the derivative too, and is differentiated in turn:
    the second derivative along any direction is the reference's, by central differences."""
    line = _line(torch, device, operator, call, seed)
    weights = tensor_of(torch, device, line.path.weights)
    firsts = torch.autograd.grad(line.result, line.leaves, weights, create_graph=True)
    size = float(np.abs(line.path.weights).sum())
    got, scale = _total(
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
    got, scale = _total(
        [read(leaf.grad) * along for leaf, along in zip(line.leaves, line.along, strict=True)]
    )
    wanted = float(line.path.bend())
    assert_that(
        abs(got - wanted) <= RELATIVE_SECOND * max(size + scale, abs(wanted), 1e-30),
        f"the second derivative along a direction is {got!r}, by differences {wanted!r}",
    )


def _total(terms: list[Array]) -> tuple[float, float]:
    """The sum of all elements, and that of their magnitudes."""
    return (
        float(sum(part.sum() for part in terms)),
        float(sum(np.abs(part).sum() for part in terms)),
    )
