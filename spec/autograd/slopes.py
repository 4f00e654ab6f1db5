"""Slopes of what the operators' table does not hold: other spellings, and compound functions.

The law of the table looks along a line; here every element has its derivative written down.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.autograd.common import NEEDS, Act, Array, Shape, laid, plain, signed
from tenet.spec.language import assert_close, case, clause, supported
from tenet.spec.model.dtypes import FLOATS, FORMATS
from tenet.spec.model.tolerance import Bound

GRID = np.array([-2.0, -1.75, -1.5, -1.125, -0.75, -0.5, -0.375, -0.125,
                 0.25, 0.375, 0.625, 0.875, 1.25, 1.5, 1.625, 2.5])  # fmt: skip
"""Numbers that every dtype holds; no function of the table has a kink at one of them."""
OTHERS = np.array([0.5, -1.25, 0.75, 2.25, -0.625, 1.125, -2.25, 1.75])
"""Second operands, none of them a first of a function of all numbers."""


class Slope(NamedTuple):
    """A function in both libraries, of one operand or two; positive: of numbers above 0 only."""

    act: Act
    reference: Act
    operands: int = 1
    positive: bool = False


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


SLOPES: dict[str, Slope] = {
    "x ** 3": Slope(lambda torch, x: x**3, lambda x: x**3),
    "x ** 0.5": Slope(lambda torch, x: x**0.5, np.sqrt, positive=True),
    "2 ** x": Slope(lambda torch, x: 2**x, np.exp2),
    "3 / x": Slope(lambda torch, x: 3 / x, lambda x: 3 / x, positive=True),
    "x / 4": Slope(lambda torch, x: x / 4, lambda x: x / 4),
    "Tensor.exp": Slope(lambda torch, x: x.exp(), np.exp),
    "Tensor.log": Slope(lambda torch, x: x.log(), np.log, positive=True),
    "Tensor.tanh": Slope(lambda torch, x: x.tanh(), np.tanh),
    "Tensor.sigmoid": Slope(lambda torch, x: x.sigmoid(), _sigmoid),
    "clamp": Slope(lambda torch, x: torch.clamp(x, -1, 1.375), lambda x: np.clip(x, -1, 1.375)),
    "a + b": Slope(lambda torch, a, b: a + b, np.add, 2),
    "a - b": Slope(lambda torch, a, b: a - b, np.subtract, 2),
    "a * b": Slope(lambda torch, a, b: a * b, np.multiply, 2),
    "a / b": Slope(lambda torch, a, b: a / b, np.divide, 2),
    "a ** b": Slope(lambda torch, a, b: a**b, np.power, 2, positive=True),
    "maximum": Slope(lambda torch, a, b: torch.maximum(a, b), np.maximum, 2),
    "minimum": Slope(lambda torch, a, b: torch.minimum(a, b), np.minimum, 2),
    "clamp from": Slope(lambda torch, a, b: torch.clamp(a, min=b), np.maximum, 2),
    "clamp to": Slope(lambda torch, a, b: a.clamp(max=b), np.minimum, 2),
    "where": Slope(
        lambda torch, a, b: torch.where(a.detach() > b.detach(), 2 * a, 3 * b),
        lambda a, b: np.where(a > b, 2 * a, 3 * b),
        2,
    ),
    "lerp": Slope(lambda torch, a, b: torch.lerp(a, b, 0.25), lambda a, b: a + (b - a) / 4, 2),
    "addcmul": Slope(
        lambda torch, a, b: torch.addcmul(a, a, b, value=2), lambda a, b: a + 2 * a * b, 2
    ),
    "mse_loss": Slope(
        lambda torch, a, b: torch.nn.functional.mse_loss(a, b, reduction="none"),
        lambda a, b: (a - b) ** 2,
        2,
    ),
}
PLACED: tuple[tuple[Shape, str], ...] = (
    ((), "contiguous"), ((33,), "stepped"), ((1030,), "contiguous"), ((130, 9), "transposed"),
)  # fmt: skip
STEP = 1e-3


def _firsts(slope: Slope) -> Array:
    return np.abs(GRID) + 0.5 if slope.positive else GRID


def _derivatives(slope: Slope) -> list[Array]:
    """By each operand, at every point of the grid (and each second operand): central differences
    with Richardson's rule, whose error is below 1e-9."""
    first = _firsts(slope)
    points = [first] if slope.operands == 1 else [*np.meshgrid(first, OTHERS, indexing="ij")]
    found = []
    for place in range(slope.operands):

        def central(step: float, at: int = place) -> Array:
            up, down = [*points], [*points]
            up[at], down[at] = points[at] + step, points[at] - step
            difference = slope.reference(*up) - slope.reference(*down)
            return np.asarray(difference / (2 * step))

        found.append((4 * central(STEP / 2) - central(STEP)) / 3)
    return found


@clause("autograd.slopes", covers=["notes.numeric-gradient", "notes.backward-dtype"],
        requires=NEEDS, thorough=True)  # fmt: skip
def point_wise_functions_have_their_slopes_everywhere(torch: Any, device: str) -> None:
    """The gradient of a point-wise function is its derivative times what comes from above: at every
    element, in every dtype and layout, for few elements and for many."""
    for name, slope in SLOPES.items():
        derivatives = _derivatives(slope)
        for turn, ((shape, layout), dtype) in enumerate(product(PLACED, supported(FLOATS))):
            count = math.prod(shape)
            places = [(np.arange(count) * 5 + turn) % len(GRID)]
            places += [(np.arange(count) * 3 + turn) % len(OTHERS)] * (slope.operands - 1)
            grids = _firsts(slope), OTHERS
            arrays = [of[at].reshape(shape) for of, at in zip(grids, places, strict=False)]
            tensors = [laid(torch, device, array, layout, dtype) for array in arrays]
            along = np.where(signed(shape, turn) > 0, 2.0, -1.0)
            slope.act(torch, *tensors).backward(plain(torch, device, along, dtype))
            for place, (tensor, derivative) in enumerate(zip(tensors, derivatives, strict=True)):
                expected = along * derivative[tuple(places)].reshape(shape)
                # What is computed on the way is of the size of 1, or of the derivative's.
                eps = max(FORMATS[dtype].eps, 1e-9)
                bound = Bound(dtype, 8, "a few operations", 16 * eps)
                with case(function=name, dtype=dtype, shape=shape, layout=layout, operand=place):
                    assert_close(tensor.grad, expected, bound)


def _softmax(x: Array) -> Array:
    grown = np.exp(x)
    return np.asarray(grown / grown.sum(-1, keepdims=True))


def _normalised(x: Array) -> Array:
    away = x - x.mean(-1, keepdims=True)
    return np.asarray(away / np.sqrt((away**2).mean(-1, keepdims=True) + 0.5))


ROWS: dict[str, tuple[Act, Act]] = {
    "functional.softmax": (lambda torch, x: torch.nn.functional.softmax(x, dim=-1), _softmax),
    "functional.log_softmax": (
        lambda torch, x: torch.nn.functional.log_softmax(x, dim=-1),
        lambda x: np.log(_softmax(x)),
    ),
    "layer_norm": (
        lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[-1:], eps=0.5),
        _normalised,
    ),
    "cross_entropy": (
        lambda torch, x: torch.nn.functional.cross_entropy(
            x.reshape(-1, x.shape[-1]), torch.ones_like(x[..., 0].reshape(-1)).long(),
            reduction="none",
        ),
        lambda x: -np.log(_softmax(x))[..., 1],
    ),
}  # fmt: skip
LINED: tuple[tuple[Shape, str], ...] = (
    ((3, 5), "contiguous"), ((2, 17), "transposed"), ((2, 2, 9), "permuted"), ((1, 41), "stepped"),
)  # fmt: skip


@clause("autograd.slopes-of-rows", covers=["notes.numeric-gradient", "notes.backward-dtype"],
        requires=NEEDS)  # fmt: skip
def functions_of_rows_have_their_slopes_in_every_dtype(torch: Any, device: str) -> None:
    """The gradient of softmax, log_softmax, layer_norm and cross_entropy along rows is that of
    their formula, in every dtype and layout."""
    for name, (act, reference) in ROWS.items():
        for turn, (shape, layout) in enumerate(LINED):
            count = math.prod(shape)
            array = GRID[np.arange(count) * 5 % len(GRID)].reshape(shape)
            units = np.eye(count).reshape(count, *shape)

            def central(
                step: float, at: Array = array, e: Array = units, of: Act = reference
            ) -> Array:
                return np.asarray((of(at + step * e) - of(at - step * e)) / (2 * step))

            slopes = (4 * central(STEP / 2) - central(STEP)) / 3
            along = np.where(signed(slopes.shape[1:], turn) > 0, 2.0, -1.0)
            expected = (slopes * along).reshape(count, -1).sum(1).reshape(shape)
            for dtype in supported(FLOATS):
                with case(function=name, dtype=dtype, shape=shape, layout=layout):
                    x = laid(torch, device, array, layout, dtype)
                    result = act(torch, x)
                    given = along.reshape(tuple(result.shape))
                    result.backward(plain(torch, device, given, dtype))
                    eps = max(FORMATS[dtype].eps, 1e-9)
                    bound = Bound(dtype, 8, "sums over a row", 32 * eps)
                    assert_close(x.grad, expected, bound)
