"""Gradients of lines of every length: what a backward does with the elements that do not fill its
last vector, thread or tile."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import NEEDS, Act, Array, Shape, assert_grad, leaf, plain, signed
from tenet.spec.cases import EVERY_LENGTH
from tenet.spec.cases.gradients import exact_in
from tenet.spec.language import assert_close, case, clause, for_all, supported
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FLOATS, FORMATS, HALVES
from tenet.spec.model.tolerance import Bound


class Line(NamedTuple):
    """A function of lines that lie along a dimension.

    act: of torch, x, the dimension and, as a tensor, an order of the places along it; slope: the
    gradient of x, of x, what arrives (of the result's shape), the dimension and that order.
    """

    act: Act
    slope: Act


def _wide(x: Array, g: Array, dim: int) -> Array:
    """What arrives for each line, at every place of it."""
    return np.broadcast_to(np.expand_dims(g, dim), x.shape)


def _ranked(x: Array, dim: int) -> Array:
    """How many elements of its line are smaller."""
    return np.argsort(np.argsort(x, dim), dim)


def _at(nth: Act) -> Act:
    """What arrives goes to the nth in order, of so many; the others have none."""
    return lambda x, g, dim, order: _wide(x, g, dim) * (_ranked(x, dim) == nth(x.shape[dim]))


def _taken(x: Array, g: Array, dim: int, order: Array) -> Array:
    """What arrives at the nth place goes to the place that comes nth in the order."""
    result = np.zeros_like(g)
    np.put_along_axis(result, _everywhere(order, g.shape, dim), g, dim)
    return result


def _picked(x: Array, g: Array, order: Array) -> Array:
    result = np.zeros(x.size)
    result[order] = g
    return result.reshape(x.shape)


def _put(x: Array, g: Array, dim: int, order: Array) -> Array:
    return np.take(g, order, dim)


def _everywhere(order: Array, shape: Shape, dim: int) -> Array:
    """The order for every line."""
    return np.broadcast_to(order if dim == len(shape) - 1 else order[:, None], shape)


def _every(torch: Any, order: Any, x: Any, dim: int) -> Any:
    return (order if dim == x.dim() - 1 else order[:, None]).expand(x.shape)


def _running_back(x: Array, g: Array, dim: int, order: Array) -> Array:
    return np.flip(np.cumsum(np.flip(g, dim), dim), dim)


def _halves(g: Array, dim: int) -> tuple[Array, Array]:
    first, second = np.split(g, 2, dim)
    return first, second


def _sorted(x: Array, g: Array, dim: int, order: Array) -> Array:
    return np.take_along_axis(g, _ranked(x, dim), dim)


LINES: dict[str, Line] = {
    "sum": Line(lambda torch, x, d, i: x.sum(d), lambda x, g, d, i: _wide(x, g, d)),
    "sum of all": Line(lambda torch, x, d, i: x.sum(), lambda x, g, d, i: g + 0 * x),
    "amax": Line(lambda torch, x, d, i: x.amax(d), _at(lambda n: n - 1)),
    "amin": Line(lambda torch, x, d, i: x.amin(d), _at(lambda n: 0)),
    "max": Line(lambda torch, x, d, i: x.max(d).values, _at(lambda n: n - 1)),
    "min": Line(lambda torch, x, d, i: torch.min(x, d).values, _at(lambda n: 0)),
    "median": Line(lambda torch, x, d, i: x.median(d).values, _at(lambda n: (n - 1) // 2)),
    "cumsum": Line(lambda torch, x, d, i: x.cumsum(d), _running_back),
    "sort": Line(lambda torch, x, d, i: x.sort(d).values, _sorted),
    "sort descending": Line(
        lambda torch, x, d, i: x.sort(d, descending=True).values.flip(d), _sorted),
    "flip": Line(lambda torch, x, d, i: x.flip(d), lambda x, g, d, i: np.flip(g, d)),
    "roll": Line(lambda torch, x, d, i: x.roll(2, d), lambda x, g, d, i: np.roll(g, -2, d)),
    "clone": Line(lambda torch, x, d, i: x.clone(), lambda x, g, d, i: g),
    "t": Line(lambda torch, x, d, i: x.t().contiguous(), lambda x, g, d, i: g.T),
    "cat": Line(lambda torch, x, d, i: torch.cat((x, 3 * x), d),
                lambda x, g, d, i: _halves(g, d)[0] + 3 * _halves(g, d)[1]),
    "stack": Line(lambda torch, x, d, i: torch.stack((x, 3 * x), d),
                  lambda x, g, d, i: g.take(0, d) + 3 * g.take(1, d)),
    "expand": Line(lambda torch, x, d, i: x.expand(3, *x.shape), lambda x, g, d, i: g.sum(0)),
    "repeat_interleave": Line(
        lambda torch, x, d, i: x.repeat_interleave(2, d),
        lambda x, g, d, i: g.take(2 * np.arange(x.shape[d]), d)
        + g.take(2 * np.arange(x.shape[d]) + 1, d)),
    "narrow": Line(
        lambda torch, x, d, i: x.narrow(d, x.shape[d] - 1, 1),
        lambda x, g, d, i: g * (_everywhere(np.arange(x.shape[d]), x.shape, d)
                                == x.shape[d] - 1)),
    "index_select": Line(lambda torch, x, d, i: x.index_select(d, i), _taken),
    "gather": Line(lambda torch, x, d, i: x.gather(d, _every(torch, i, x, d)), _taken),
    "x[i]": Line(lambda torch, x, d, i: x[i] if d == 0 else x[:, i], _taken),
    "take": Line(lambda torch, x, d, i: x.take(i), lambda x, g, d, i: _picked(x, g, i)),
    "masked_fill": Line(
        lambda torch, x, d, i: x.masked_fill(_every(torch, i, x, d) % 3 == 1, 5.0),
        lambda x, g, d, i: g * (_everywhere(i, x.shape, d) % 3 != 1)),
    "where": Line(
        lambda torch, x, d, i: torch.where(_every(torch, i, x, d) % 3 == 1, x.detach(), x),
        lambda x, g, d, i: g * (_everywhere(i, x.shape, d) % 3 != 1)),
    "scatter": Line(
        lambda torch, x, d, i: torch.zeros_like(x).scatter(d, _every(torch, i, x, d), x), _put),
    "scatter_add": Line(
        lambda torch, x, d, i: torch.zeros_like(x).scatter_add(d, _every(torch, i, x, d), x), _put),
    "index_add": Line(
        lambda torch, x, d, i: torch.zeros_like(x).index_add(d, i, x), _put),
    "index_copy": Line(
        lambda torch, x, d, i: torch.zeros_like(x).index_copy(d, i, x), _put),
    "matmul": Line(
        lambda torch, x, d, i: (x if d == x.dim() - 1 else x.t()) @ (i % 3 - 1).to(x.dtype),
        lambda x, g, d, i: _wide(x, g, d) * _everywhere(i % 3 - 1, x.shape, d)),
    "mm": Line(
        lambda torch, x, d, i: (x.reshape(-1, x.shape[-1]) if d == x.dim() - 1 else x.t())
        @ torch.stack((i % 3 - 1, i % 2), 1).to(x.dtype),
        lambda x, g, d, i: _of_two(x, g, d, i)),
    "dot": Line(
        lambda torch, x, d, i: torch.dot(x.reshape(-1), (torch.cat([i] * (x.numel() // len(i)))
                                                         % 3 - 1).to(x.dtype)),
        lambda x, g, d, i: g * (np.concatenate([i] * (x.size // len(i))) % 3 - 1)
        .reshape(x.shape)),
    "outer": Line(
        lambda torch, x, d, i: torch.outer(x.reshape(-1), (i[:2] % 2 + 1).to(x.dtype)),
        lambda x, g, d, i: (g @ (i[:2] % 2 + 1)).reshape(x.shape)),
    "linear": Line(
        lambda torch, x, d, i: torch.nn.functional.linear(
            x if d == x.dim() - 1 else x.t(), (i % 3 - 1).to(x.dtype)[None]),
        lambda x, g, d, i: _wide(x, g[..., 0], d) * _everywhere(i % 3 - 1, x.shape, d)),
}  # fmt: skip
"""Functions whose gradients of whole numbers are whole numbers."""


def _of_two(x: Array, g: Array, dim: int, order: Array) -> Array:
    back = g @ np.stack((order % 3 - 1, order % 2))
    return np.reshape(back if dim == x.ndim - 1 else back.T, x.shape)


def _away(x: Array, dim: int) -> Array:
    return np.asarray(x - x.mean(dim, keepdims=True))


def _deviation(x: Array, dim: int) -> Array:
    square = (_away(x, dim) ** 2).sum(dim, keepdims=True) / max(1, x.shape[dim] - 1)
    return np.asarray(np.sqrt(square))


SMOOTH: dict[str, Line] = {
    "mean": Line(lambda torch, x, d, i: x.mean(d),
                 lambda x, g, d, i: _wide(x, g, d) / x.shape[d]),
    "mean of all": Line(lambda torch, x, d, i: x.mean(), lambda x, g, d, i: g / x.size + 0 * x),
    "var": Line(lambda torch, x, d, i: x.var(d) * (x.shape[d] - 1),
                lambda x, g, d, i: 2 * _away(x, d) * _wide(x, g, d)),
    "std": Line(lambda torch, x, d, i: x.std(d) * (x.shape[d] - 1),
                lambda x, g, d, i: _away(x, d) / _deviation(x, d) * _wide(x, g, d)),
    "norm": Line(lambda torch, x, d, i: x.norm(dim=d),
                 lambda x, g, d, i: x / np.sqrt((x**2).sum(d, keepdims=True)) * _wide(x, g, d)),
    "prod": Line(lambda torch, x, d, i: (x / x.abs().detach()).prod(d),
                 lambda x, g, d, i: np.sign(x).prod(d, keepdims=True) / x * _wide(x, g, d)),
    "logsumexp": Line(lambda torch, x, d, i: x.logsumexp(d),
                      lambda x, g, d, i: layers.softmax(x, d) * _wide(x, g, d)),
    "softmax": Line(
        lambda torch, x, d, i: x.softmax(d),
        lambda x, g, d, i: layers.softmax_gradient(x, d, g)),
    "log_softmax": Line(
        lambda torch, x, d, i: x.log_softmax(d),
        lambda x, g, d, i: g - layers.softmax(x, d) * g.sum(d, keepdims=True)),
}  # fmt: skip
"""Functions whose gradients are rounded."""


_ORDERED = frozenset({"amax", "amin", "max", "min", "median", "sort", "sort descending"})
"""Those that count on no two elements being equal."""


@clause("autograd.every-length", covers=["notes.numeric-gradient", "notes.view-gradient"],
        requires=NEEDS, thorough=True)  # fmt: skip
@for_all(piece=st.sampled_from([(n, way) for n in EVERY_LENGTH if n for way in range(3)]))
def a_gradient_reaches_each_element_of_a_line(
    torch: Any, device: str, piece: tuple[int, int]
) -> None:
    """What reduces, scans, sorts, picks, joins or multiplies lines of any length has the gradient
    of each of their elements, the last included: of a vector, and of the rows and of the columns
    of a matrix."""
    length, way = piece
    shape, dim = (((length,), 0), ((2, length), 1), ((length, 2), 0))[way]
    count, random = int(np.prod(shape)), np.random.Generator(np.random.PCG64(length))
    order, ranked = random.permutation(length), 1.0 + random.permutation(count).reshape(shape)
    few = np.resize([0.5, -1.25, 1.0, -0.75, 2.0, 1.5, -0.5], count).reshape(shape)
    index = plain(torch, device, order, "int64")
    for dtype in supported(("float32", *(FLOATS[length % 4 :][:1] if way == 0 else ()))):
        apart = exact_in(dtype, ranked)
        for name, line in LINES.items():
            if name in _ORDERED and not apart:
                continue
            with case(function=name, dtype=dtype, shape=shape, dim=dim):
                x = leaf(torch, device, ranked if apart else ranked % 100, dtype)
                result = line.act(torch, x, dim, index)
                g = signed(tuple(result.shape), length)
                if name != "cumsum" or exact_in(dtype, line.slope(ranked, abs(g), dim, order)):
                    result.backward(plain(torch, device, g, dtype))
                    assert_grad(x, line.slope(ranked, g, dim, order), dtype)
        for name, line in SMOOTH.items():
            if length == 1 and name in ("var", "std"):  # there is none of one element
                continue
            with case(function=name, dtype=dtype, shape=shape, dim=dim):
                x = leaf(torch, device, few, dtype)
                result = line.act(torch, x, dim, index)
                g = np.where(signed(tuple(result.shape), length) > 0, 2.0, -1.0)
                result.backward(plain(torch, device, g, dtype))
                expected = line.slope(few, g, dim, order)
                # The terms, of which sums of the whole line are subtracted, are a few times that.
                size = np.abs(expected).max() + 32 / length
                often = 32 if dtype in HALVES else 32 + length
                lost = often * FORMATS[dtype].eps / 2 * size
                assert_close(x.grad, expected, Bound(dtype, 4, "sums of a line", lost))
