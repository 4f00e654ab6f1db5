"""Slopes of what the operators' table does not hold: other spellings, and compound functions.

The law of the table looks along a line; here every element has its derivative written down.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.autograd.common import NEEDS, SINGLE, Act, Array, Shape, laid, leaf, plain, signed
from tenet.spec.language import assert_close, case, clause, supported
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FLOATS, FORMATS
from tenet.spec.model.special import digamma, ndtr
from tenet.spec.model.tolerance import Bound, ulps

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


SLOPES: dict[str, Slope] = {
    "x ** 3": Slope(lambda torch, x: x**3, lambda x: x**3),
    "x ** 0.5": Slope(lambda torch, x: x**0.5, np.sqrt, positive=True),
    "2 ** x": Slope(lambda torch, x: 2**x, np.exp2),
    "3 / x": Slope(lambda torch, x: 3 / x, lambda x: 3 / x, positive=True),
    "x / 4": Slope(lambda torch, x: x / 4, lambda x: x / 4),
    "3 - x": Slope(lambda torch, x: 3 - x, lambda x: 3 - x),
    "x - 3": Slope(lambda torch, x: x - 3, lambda x: x - 3),
    "3 + x": Slope(lambda torch, x: 3 + x, lambda x: 3 + x),
    "x + 3": Slope(lambda torch, x: x + 3, lambda x: x + 3),
    "3 * x": Slope(lambda torch, x: 3 * x, lambda x: 3 * x),
    "x * 3": Slope(lambda torch, x: x * 3, lambda x: x * 3),
    "x % 0.55": Slope(lambda torch, x: x % 0.55, lambda x: np.mod(x, 0.55)),
    "-x": Slope(lambda torch, x: -x, np.negative),
    "abs(x)": Slope(lambda torch, x: abs(x), np.abs),
    "Tensor.exp": Slope(lambda torch, x: x.exp(), np.exp),
    "Tensor.log": Slope(lambda torch, x: x.log(), np.log, positive=True),
    "Tensor.tanh": Slope(lambda torch, x: x.tanh(), np.tanh),
    "Tensor.sigmoid": Slope(lambda torch, x: x.sigmoid(), layers.sigmoid),
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
    "Tensor.where": Slope(
        lambda torch, a, b: (2 * a).where(a.detach() < b.detach(), 3 * b),
        lambda a, b: np.where(a < b, 2 * a, 3 * b),
        2,
    ),
    "Tensor.maximum": Slope(lambda torch, a, b: a.maximum(b), np.maximum, 2),
    "Tensor.minimum": Slope(lambda torch, a, b: a.minimum(b), np.minimum, 2),
    "max": Slope(lambda torch, a, b: torch.max(a, b), np.maximum, 2),
    "Tensor.min": Slope(lambda torch, a, b: a.min(b), np.minimum, 2),
    "fmax": Slope(lambda torch, a, b: torch.fmax(a, b), np.fmax, 2),
    "Tensor.fmin": Slope(lambda torch, a, b: a.fmin(b), np.fmin, 2),
    "clip": Slope(lambda torch, x: torch.clip(x, -1, 1.375), lambda x: np.clip(x, -1, 1.375)),
    "Tensor.clip": Slope(lambda torch, x: x.clip(max=1.375), lambda x: np.minimum(x, 1.375)),
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


ROWS: dict[str, tuple[Act, Act]] = {
    "functional.softmax": (
        lambda torch, x: torch.nn.functional.softmax(x, dim=-1),
        lambda x: layers.softmax(x, -1),
    ),
    "functional.log_softmax": (
        lambda torch, x: torch.nn.functional.log_softmax(x, dim=-1),
        lambda x: layers.log_softmax(x, -1),
    ),
    "layer_norm": (
        lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[-1:], eps=0.5),
        lambda x: layers.normalised(x, (-1,), 0.5),
    ),
    "cross_entropy": (
        lambda torch, x: torch.nn.functional.cross_entropy(
            x.reshape(-1, x.shape[-1]), torch.ones_like(x[..., 0].reshape(-1)).long(),
            reduction="none",
        ),
        lambda x: -layers.log_softmax(x, -1)[..., 1],
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


_PI = np.longdouble("3.14159265358979323846264338327950288")


def _octaves(low: int, high: int) -> Array:
    """Four numbers in each octave."""
    return np.asarray((2.0 ** np.arange(low, high)[:, None] * [1.05, 1.3, 1.55, 1.8]).ravel())


def _signed_octaves(low: int, high: int) -> Array:
    positive = _octaves(low, high)
    return np.concatenate([positive, -positive])


MODERATE, ANY_SIZE = _signed_octaves(-20, 6), _signed_octaves(-30, 30)
POSITIVE, STEEP = _octaves(-40, 40), _signed_octaves(-20, 3)


class Far(NamedTuple):
    """A function of one operand, its slope in extended precision, and points up to its ends.

    of_one: the slope is a difference of numbers as large as 1, or as the point.
    """

    act: Act
    slope: Act
    points: Array
    of_one: bool = False


def _falling(x: Array) -> Array:
    """1 / (1 + e^x), without overflow."""
    below = np.exp(-np.abs(x))
    return np.asarray(np.where(x > 0, below, 1) / (1 + below))


def _bell(x: Array) -> Array:
    return np.asarray(np.exp(-x * x))


FAR: dict[str, Far] = {
    "exp": Far(lambda torch, x: torch.exp(x), np.exp, MODERATE),
    "expm1": Far(lambda torch, x: torch.expm1(x), np.exp, MODERATE, True),
    "log": Far(lambda torch, x: torch.log(x), lambda x: 1 / x, POSITIVE),
    "log2": Far(lambda torch, x: x.log2(), lambda x: 1 / (x * np.log(np.longdouble(2))), POSITIVE),
    "log10": Far(
        lambda torch, x: x.log10(), lambda x: 1 / (x * np.log(np.longdouble(10))), POSITIVE
    ),
    "log1p": Far(lambda torch, x: torch.log1p(x), lambda x: 1 / (1 + x), POSITIVE),
    "log1p near -1": Far(
        lambda torch, x: torch.log1p(x), lambda x: 1 / (1 + x), 2.0 ** -np.arange(1, 20) - 1
    ),
    "sqrt": Far(lambda torch, x: torch.sqrt(x), lambda x: 0.5 / np.sqrt(x), POSITIVE),
    "rsqrt": Far(lambda torch, x: torch.rsqrt(x), lambda x: -0.5 / (x * np.sqrt(x)), POSITIVE),
    "1 / x": Far(lambda torch, x: 1 / x, lambda x: -1 / (x * x), ANY_SIZE),
    "reciprocal": Far(lambda torch, x: x.reciprocal(), lambda x: -1 / (x * x), ANY_SIZE),
    "x ** 3": Far(lambda torch, x: x**3, lambda x: 3 * x * x, ANY_SIZE),
    "x ** -2": Far(lambda torch, x: x**-2, lambda x: -2 / (x * x * x), ANY_SIZE),
    "x ** 0.5": Far(lambda torch, x: x**0.5, lambda x: 0.5 / np.sqrt(x), POSITIVE),
    "x ** 10": Far(lambda torch, x: x**10, lambda x: 10 * x**9, _signed_octaves(-8, 8)),
    "2 ** x": Far(lambda torch, x: 2**x, lambda x: np.log(np.longdouble(2)) * 2**x, MODERATE),
    "tanh": Far(lambda torch, x: torch.tanh(x), lambda x: 1 / np.cosh(x) ** 2, MODERATE, True),
    "sigmoid": Far(
        lambda torch, x: torch.sigmoid(x), lambda x: _falling(x) * _falling(-x), MODERATE, True
    ),
    "softplus": Far(
        lambda torch, x: torch.nn.functional.softplus(x),
        lambda x: np.where(x > 20, 1, _falling(-x)), MODERATE,
    ),
    "logsigmoid": Far(lambda torch, x: torch.nn.functional.logsigmoid(x), _falling, MODERATE),
    "logsigmoid far out": Far(
        lambda torch, x: torch.nn.functional.logsigmoid(x), _falling, np.array([-1e4, -200, -100])
    ),
    "silu": Far(
        lambda torch, x: torch.nn.functional.silu(x),
        lambda x: _falling(-x) * (1 + x * _falling(x)), MODERATE, True,
    ),
    "gelu": Far(
        lambda torch, x: torch.nn.functional.gelu(x),
        lambda x: ndtr(x) + x * _bell(x / np.sqrt(np.longdouble(2))) / np.sqrt(2 * _PI),
        MODERATE, True,
    ),
    "elu": Far(
        lambda torch, x: torch.nn.functional.elu(x),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))), MODERATE, True,
    ),
    "erf": Far(lambda torch, x: torch.erf(x), lambda x: 2 / np.sqrt(_PI) * _bell(x), STEEP, True),
    "erfc": Far(
        lambda torch, x: torch.erfc(x), lambda x: -2 / np.sqrt(_PI) * _bell(x), STEEP, True
    ),
    "atan": Far(lambda torch, x: torch.atan(x), lambda x: 1 / (1 + x * x), ANY_SIZE),
    "asinh": Far(lambda torch, x: torch.asinh(x), lambda x: 1 / np.sqrt(1 + x * x), ANY_SIZE),
    "sin": Far(lambda torch, x: torch.sin(x), np.cos, MODERATE),
    "cos": Far(lambda torch, x: torch.cos(x), lambda x: -np.sin(x), MODERATE),
    "tan": Far(lambda torch, x: torch.tan(x), lambda x: 1 + np.tan(x) ** 2, MODERATE),
    "sinh": Far(lambda torch, x: torch.sinh(x), np.cosh, MODERATE),
    "cosh": Far(lambda torch, x: torch.cosh(x), np.sinh, MODERATE),
    "lgamma": Far(
        lambda torch, x: torch.lgamma(x),
        lambda x: digamma(1 - x) - _PI / np.tan(_PI * x),
        -np.array([0.25, 0.5, 0.75, 1.25, 1.5, 2.625, 3.5, 7.25, 10.5, 20.75]), True,
    ),
}  # fmt: skip


@clause("autograd.slopes-far-out", covers=["notes.numeric-gradient", "notes.extremal-values"],
        requires=NEEDS)  # fmt: skip
def functions_have_their_slopes_to_their_ends(torch: Any, device: str) -> None:
    """The gradient of a function of one number is its slope in each octave: where it is as small
    as the root of the smallest number, or as large, and where the function goes to its limit."""
    for (name, far), dtype in product(FAR.items(), supported(SINGLE)):
        points = far.points.astype(dtype)
        wide = points.astype(np.longdouble)
        slopes = far.slope(wide)
        unit = FORMATS[dtype].eps / 2
        size = np.abs(slopes) + (1 + np.minimum(np.abs(wide), 100)) * far.of_one
        # The steepest is the square of a tangent of 4 units.
        error = 24 * unit * size + FORMATS[dtype].tiny
        bound = Bound(dtype, 1, "24 u of what it is made of", error)
        for layout in ("contiguous", "stepped"):
            with case(function=name, dtype=dtype, layout=layout):
                x = laid(torch, device, points, layout, dtype)
                far.act(torch, x).sum().backward()
                assert_close(x.grad, slopes, bound)


LENGTHS_OF: dict[str, Act] = {
    "torch.norm": lambda torch, x: torch.norm(x),
    "Tensor.norm": lambda torch, x: x.norm(2, dim=-1),
    "vector_norm": lambda torch, x: torch.linalg.vector_norm(x),
    "vector_norm along": lambda torch, x: torch.linalg.vector_norm(x, dim=-1),
    "hypot": lambda torch, x: torch.hypot(x[..., 0], x[..., 1]),
}
SCALES = (0, 20, -20, 55, -55)
"""Powers of two whose squares float32 holds."""


@clause("autograd.slopes-of-any-scale", covers=["notes.numeric-gradient", "notes.extremal-values"],
        requires=NEEDS)  # fmt: skip
def slopes_do_not_depend_on_the_scale(torch: Any, device: str) -> None:
    """A length has a gradient of length 1 in the direction of its vector, an angle one that goes
    with the inverse of the distance, a quotient the inverse of its divisor, however small or large
    all of them are: nothing is added to a divisor."""
    pairs = np.array([[3.0, 4.0], [-5.0, 12.0], [8.0, -15.0], [-20.0, -21.0]])
    lengths = np.hypot(*pairs.T)
    for dtype, power in product(supported(SINGLE), SCALES):
        scale = 2.0**power
        facts = {"dtype": dtype, "scale": f"2^{power}"}
        for name, act in LENGTHS_OF.items():
            for pair, length in zip(pairs, lengths, strict=True):
                with case(function=name, **facts):
                    x = leaf(torch, device, pair * scale, dtype)
                    act(torch, x).backward()
                    assert_close(x.grad, pair / length, ulps(8, dtype, "a root and a quotient"))
        a, b = (leaf(torch, device, part * scale, dtype) for part in pairs.T)
        (a / b).sum().backward()
        inverse = 1 / (pairs[:, 1] * scale)
        bound = ulps(8, dtype, "two quotients")
        with case(function="a / b", **facts):
            assert_close(a.grad, inverse, bound)
            assert_close(b.grad, -pairs[:, 0] / pairs[:, 1] * inverse, bound)
        a, b = (leaf(torch, device, part * scale, dtype) for part in pairs.T)
        torch.atan2(a, b).sum().backward()
        with case(function="atan2", **facts):
            for given, slope in ((a, pairs[:, 1]), (b, -pairs[:, 0])):
                assert_close(given.grad, slope / lengths**2 / scale, bound)


SHIFTS = (0.0, 100.0, -100.0, 1000.0, -1000.0)


@clause("autograd.slopes-of-shifted-rows",
        covers=["notes.numeric-gradient", "notes.extremal-values"], requires=NEEDS)  # fmt: skip
def a_shift_of_a_row_changes_no_slope(torch: Any, device: str) -> None:
    """The gradients of softmax, log_softmax, logsumexp and logaddexp at large numbers are those at
    what they exceed the largest by, and those of var and std far from 0 those near it: no
    exponential overflows on the way back, and no squares cancel."""
    row = np.array([[0.0, -1.0, 2.0, -3.0, 1.5], [1.0, 1.0, -40.0, 0.0, -2.0]])
    along = np.array([[2.0, -1.0, 1.0, 3.0, -2.0], [1.0, 1.0, -1.0, 2.0, 0.5]])
    share = layers.softmax(row, 1)
    away = row[:1] - row[:1].mean()
    count = row.shape[1]
    deviation = np.sqrt((away**2).sum() / (count - 1))
    of_rows: dict[str, tuple[Act, Array]] = {
        "softmax": (lambda x, g: torch.softmax(x, 1) * g, layers.softmax_gradient(row, 1, along)),
        "log_softmax": (
            lambda x, g: torch.log_softmax(x, 1) * g, along - along.sum(1, keepdims=True) * share
        ),
        "logsumexp": (lambda x, g: torch.logsumexp(x, 1), share),
        "Tensor.logsumexp": (
            lambda x, g: x.logsumexp((0, 1)), layers.softmax(row.ravel(), 0).reshape(row.shape)
        ),
        "logaddexp": (
            lambda x, g: torch.logaddexp(x[:, :1], x[:, 1:2]),
            np.pad(layers.softmax(row[:, :2], 1), ((0, 0), (0, count - 2))),
        ),
        "var": (lambda x, g: x[0].var(), np.pad(2 * away / (count - 1), ((0, 1), (0, 0)))),
        "std": (
            lambda x, g: torch.std(x, 1)[0],
            np.pad(away / deviation / (count - 1), ((0, 1), (0, 0))),
        ),
    }  # fmt: skip
    for dtype, shift, (name, (act, slopes)) in product(supported(SINGLE), SHIFTS, of_rows.items()):
        # The largest result is known to half a gap of the shift.
        error = FORMATS[dtype].eps * (abs(shift) + 32) * np.abs(along).max()
        bound = Bound(dtype, 1, "some roundings of the shift", 4 * error)
        with case(function=name, dtype=dtype, shift=shift):
            x, g = leaf(torch, device, row + shift, dtype), plain(torch, device, along, dtype)
            act(x, g).sum().backward()
            assert_close(x.grad, slopes, bound)
