"""Operands that move: the reference's derivatives, by differences along a line.

A line goes through a point where the operation is smooth; each operand moves in a direction of its
own. What the result then changes by, element by element, is known without any formula of a
derivative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tenet.spec.cases import Arrangement, Operand, arrange, values
from tenet.spec.cases.operands import tensor_of
from tenet.spec.model.dtypes import Category, category
from tenet.spec.model.tolerance import rounded
from tenet.spec.operators.operator import Array, Call, Operator, of_operand

STEP = 1e-4
"""Of the finite differences. With Richardson's step the truncation error is O(STEP^4) and the
rounding error u / STEP: below 1e-11 relative in float64, below 1e-14 in extended precision."""


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
        if t not in self._known:
            moved = [
                array if direction is None else self._wide(array) + t * direction
                for array, direction in zip(self.arrays, self.directions, strict=True)
            ]
            expected = first(self.operator.reference(*moved, **self.call.keywords))
            self._known[t] = (np.asarray(expected) * self.weights.conj()).real
        return self._known[t]

    @cached_property
    def _known(self) -> dict[float, Any]:
        return {}

    def _wide(self, array: Array) -> Array:
        return array.astype(np.complex128 if np.iscomplexobj(array) else self.precision)

    @property
    def roundoff(self) -> float:
        """One relative rounding of the reference; complex ones are in complex128."""
        inexact = any(np.iscomplexobj(array) for array in self.arrays)
        return float(np.finfo(np.float64 if inexact else self.precision).eps) / 2

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

    def kinks(self) -> Any:
        """By how much the derivatives of each term to the two sides of 0 differ: what is left of
        the second difference, over the step, where the step goes to 0."""

        def second(step: float) -> Any:
            return (self.terms(step) - 2 * self.terms(0) + self.terms(-step)) / step

        return np.abs(2 * second(STEP / 2) - second(STEP))

    def moved(self, arrays: tuple[Array, ...]) -> Any:
        """By how much the derivatives of the terms differ where the operands are these."""
        return replace(self, arrays=arrays).slope(STEP) - self.slope(STEP)


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
        """One for each base, of every element of it: the shorter, the more often each is shown."""
        return tuple(
            None
            if arrangement is None
            else values(arrangement.base.shape, self.wide, "normal", self.seed + 900 + number)
            / max(1, array.size / max(1, arrangement.base.size))
            for number, (arrangement, array) in enumerate(zip(self.laid, self.arrays, strict=True))
        )

    def few(self, directions: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        """The directions in the last element of one operand and in one more of it, 0 elsewhere."""
        moving = [number for number, each in enumerate(directions) if each is not None]
        # Those that are views of their leaf more often.
        moving += [
            number for number in moving for each in [self.laid[number]] if each and each.steps
        ]
        chosen = moving[self.seed % len(moving)]

        def cut(number: int, direction: Array | None) -> Array | None:
            arrangement = self.laid[number]
            if direction is None or arrangement is None:
                return None
            few = np.zeros(direction.size, direction.dtype)
            places = sources(arrangement)
            if places.size and number == chosen:
                kept = places.ravel()[[-1, self.seed // len(moving) % places.size]]
                few[kept] = direction.ravel()[kept]
            return few.reshape(direction.shape)

        return tuple(cut(number, direction) for number, direction in enumerate(directions))

    def value(self) -> Array:
        """What the reference gives there."""
        return np.asarray(first(self.operator.reference(*self.arrays, **self.call.keywords)))

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


def start_of(operator: Operator, call: Call, seed: int, dtype: str) -> Start:
    """A start whose elements the dtype holds, as float64 or complex128."""
    wide = widest(dtype)
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


def widest(dtype: str) -> str:
    """The dtype of the reference's numbers."""
    return "complex128" if category(dtype) is Category.COMPLEX else "float64"


def sources(arrangement: Arrangement) -> Array:
    """For each element of an operand, its place in the base."""
    base = arrangement.base
    return arrangement.of_array(np.arange(base.size).reshape(base.shape))


def first(result: Any) -> Any:
    """The result that is differentiated, of those that the operation has."""
    return result[0] if isinstance(result, tuple) else result


def total(terms: list[Array]) -> tuple[float, float]:
    """The sum of all elements, and that of their magnitudes."""
    return (
        float(sum(part.sum() for part in terms)),
        float(sum(np.abs(part).sum() for part in terms)),
    )
