"""Layers and losses, whatever the length: of rows, of channels, of images and of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import EVERY_LENGTH, MANY, tensor_of, values
from tenet.spec.cases.gradients import exact_in
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS, HALVES
from tenet.spec.model.tolerance import Bound

Array = np.ndarray


class Function(NamedTuple):
    """A function of one tensor.

    shape: of the tensor, of a length; act: of nn.functional and the tensor; value: the same in
    NumPy; slope: the gradient of the tensor, of it and of what arrives.
    """

    shape: Callable[[int], tuple[int, ...]]
    act: Callable[..., Any]
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]


def _windows(x: Array, size: int, step: int = 1) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, size, -1)[..., ::step, :]


def _spread(g: Array, weights: Array, length: int) -> Array:
    """What each element of a line gets from the windows that it is in."""
    result = np.zeros((*g.shape[:-1], length))
    for at, weight in enumerate(weights):
        result[..., at : at + g.shape[-1]] += g * weight
    return result


_TAPS = np.array([2.0, -1.0, 3.0])

EXACT: dict[str, Function] = {
    "conv1d": Function(
        lambda n: (2, 1, n), lambda f, x, w: f.conv1d(x, w[None, None], padding=1),
        lambda x: _windows(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3) @ _TAPS,
        lambda x, g: _spread(g, _TAPS, x.shape[-1] + 2)[..., 1:-1],
    ),
    "conv1d of channels": Function(
        lambda n: (2, n, 3),
        lambda f, x, w: f.conv1d(x, w[None, :1, None].expand(2, x.shape[1], 1)),
        lambda x: np.repeat(2 * x.sum(1, keepdims=True), 2, 1),
        lambda x, g: np.broadcast_to(2 * g.sum(1, keepdims=True), x.shape),
    ),
    "conv1d into channels": Function(
        lambda n: (n, 1, 3), lambda f, x, w: f.conv1d(x, w[:1, None, None].expand(len(x), 1, 1)),
        lambda x: np.repeat(2 * x, len(x), 1),
        lambda x, g: 2 * g.sum(1, keepdims=True),
    ),
    "conv2d": Function(
        lambda n: (1, 2, 2, n),
        lambda f, x, w: f.conv2d(x, w[None, None, None].expand(2, 1, 1, 3), padding=(0, 1),
                                 groups=2),
        lambda x: _windows(np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1))), 3) @ _TAPS,
        lambda x, g: _spread(g, _TAPS, x.shape[-1] + 2)[..., 1:-1],
    ),
    "conv2d into channels": Function(
        lambda n: (n, 1, 2, 2), lambda f, x, w: f.conv2d(
            x, w[:1, None, None, None].expand(len(x), 1, 1, 1)),
        lambda x: np.repeat(2 * x, len(x), 1),
        lambda x, g: 2 * g.sum(1, keepdims=True),
    ),
    "conv2d of the whole": Function(
        lambda n: (1, 1, 2, n),
        lambda f, x, w: f.conv2d(x, w[:1, None, None, None].expand(1, 1, 2, x.shape[-1])),
        lambda x: 2 * x.sum((2, 3), keepdims=True),
        lambda x, g: np.broadcast_to(2 * g, x.shape),
    ),
    "avg_pool1d": Function(
        lambda n: (2, 2, 2 * n), lambda f, x, w: f.avg_pool1d(x, 2),
        lambda x: _windows(x, 2, 2).mean(-1), lambda x, g: np.repeat(g / 2, 2, -1),
    ),
    "avg_pool2d": Function(
        lambda n: (1, 2, 2, 2 * n), lambda f, x, w: f.avg_pool2d(x, (1, 2)),
        lambda x: _windows(x, 2, 2).mean(-1), lambda x, g: np.repeat(g / 2, 2, -1),
    ),
    "max_pool1d": Function(
        lambda n: (1, 2, n), lambda f, x, w: f.max_pool1d(x, 1),
        lambda x: x, lambda x, g: g,
    ),
    "max_pool2d": Function(
        lambda n: (1, 2, n, 1), lambda f, x, w: f.max_pool2d(x, 1),
        lambda x: x, lambda x, g: g,
    ),
    "pad": Function(
        lambda n: (2, n), lambda f, x, w: f.pad(x, (1, 2)),
        lambda x: np.pad(x, ((0, 0), (1, 2))), lambda x, g: g[:, 1:-2],
    ),
    "relu": Function(
        lambda n: (n,), lambda f, x, w: f.relu(x),
        lambda x: np.maximum(x, 0), lambda x, g: g * (x > 0),
    ),
    "embedding": Function(
        lambda n: (4, n), lambda f, x, w: f.embedding((w > 0).long() * 2, x),
        lambda x: x[[2, 0, 2]], lambda x, g: np.stack([g[1], 0 * g[1], g[0] + g[2], 0 * g[1]]),
    ),
    "l1_loss": Function(
        lambda n: (n,), lambda f, x, w: f.l1_loss(x, 0 * x.detach(), reduction="sum"),
        lambda x: np.abs(x).sum(), lambda x, g: g * np.sign(x),
    ),
    "mse_loss": Function(
        lambda n: (n,), lambda f, x, w: f.mse_loss(x, 0 * x.detach(), reduction="sum"),
        lambda x: (x**2).sum(), lambda x, g: 2 * g * x,
    ),
    "nll_loss": Function(
        lambda n: (2, n), lambda f, x, w: f.nll_loss(
            x, (0 * x.detach()[:, 0]).long() + x.shape[1] - 1, reduction="none"),
        lambda x: -x[:, -1], lambda x, g: -g[:, None] * (np.arange(x.shape[1]) == x.shape[1] - 1),
    ),
}  # fmt: skip
"""Functions that are exact of small whole numbers; w is a vector of three numbers, _TAPS."""


def _last(x: Array) -> Array:
    return np.asarray(np.arange(x.shape[-1]) == x.shape[-1] - 1)


ROUNDED: dict[str, Function] = {
    "layer_norm": Function(
        lambda n: (2, n), lambda f, x, w: f.layer_norm(x, x.shape[-1:], eps=0.5),
        lambda x: layers.normalised(x, (-1,), 0.5),
        lambda x, g: layers.normalised_gradient(x, (-1,), 0.5, g),
    ),
    "group_norm": Function(
        lambda n: (2, 2, n), lambda f, x, w: f.group_norm(x, 2, eps=0.5),
        lambda x: layers.normalised(x, (-1,), 0.5),
        lambda x, g: layers.normalised_gradient(x, (-1,), 0.5, g),
    ),
    "softmax": Function(
        lambda n: (2, n), lambda f, x, w: f.softmax(x, -1), lambda x: layers.softmax(x, -1),
        lambda x, g: layers.softmax_gradient(x, -1, g),
    ),
    "log_softmax": Function(
        lambda n: (2, n), lambda f, x, w: f.log_softmax(x, -1), lambda x: layers.log_softmax(x, -1),
        lambda x, g: g - layers.softmax(x, -1) * g.sum(-1, keepdims=True),
    ),
    "cross_entropy": Function(
        lambda n: (2, n), lambda f, x, w: f.cross_entropy(
            x, (0 * x.detach()[:, 0]).long() + x.shape[1] - 1, reduction="none"),
        lambda x: -layers.log_softmax(x, -1)[:, -1],
        lambda x, g: g[:, None] * (layers.softmax(x, -1) - _last(x)),
    ),
    "binary_cross_entropy_with_logits": Function(
        lambda n: (n,), lambda f, x, w: f.binary_cross_entropy_with_logits(
            x, 0 * x.detach(), reduction="none"),
        lambda x: np.log1p(np.exp(x)), lambda x, g: g * layers.sigmoid(x),
    ),
    "mean of mse_loss": Function(
        lambda n: (n,), lambda f, x, w: f.mse_loss(x, 0 * x.detach()),
        lambda x: (x**2).mean(), lambda x, g: 2 * g * x / x.size,
    ),
}  # fmt: skip


def _of_samples(x: Array, g: Array) -> Array:
    """The gradient for samples of two numbers, of their products with the first two taps."""
    return np.asarray(g.reshape(-1, 1, 1) * _TAPS[:2])


def _reflected(x: Array, g: Array) -> Array:
    """Of padding by the one behind the first, and by the two before the last."""
    result: Array = g[:, 1:-2].copy()
    result[:, 1] += g[:, 0]
    result[:, [-2, -3]] += g[:, -2:]
    return result


def _last_and_first(f: Any, x: Any, w: Any, **options: Any) -> Any:
    """The last row, the first and the last of a table."""
    return f.embedding((w > 0).long() * (len(x) - 1), x, **options)


NUMEROUS: dict[str, Function] = {
    "linear of samples": Function(
        lambda n: (n, 1, 2), lambda f, x, w: f.linear(x, w[None, :2], w[2:]),
        lambda x: x @ _TAPS[:2, None] + _TAPS[2], _of_samples,
    ),
    "linear of samples, by its weight": Function(
        lambda n: (1, 2), lambda f, x, w: f.linear(w[:2].expand(MANY, 2), x),
        lambda x: np.tile(x @ _TAPS[:2], (MANY, 1)),
        lambda x, g: g.sum() * _TAPS[None, :2],
    ),
    "linear of samples, by its bias": Function(
        lambda n: (1,), lambda f, x, w: f.linear(w[:2].expand(MANY, 2), w[None, :2], x),
        lambda x: np.tile(x + 5, (MANY, 1)), lambda x, g: g.sum(0),
    ),
    "linear into channels": Function(
        lambda n: (n, 2), lambda f, x, w: f.linear(w[None, :2], x),
        lambda x: (x @ _TAPS[:2])[None],
        lambda x, g: g.T * _TAPS[:2],
    ),
    "conv1d of samples": Function(
        lambda n: (n, 1, 2), lambda f, x, w: f.conv1d(x, w[None, None, :2]),
        lambda x: x @ _TAPS[:2, None], _of_samples,
    ),
    "conv1d of samples, by its weight": Function(
        lambda n: (1, 1, 2), lambda f, x, w: f.conv1d(w[:2].expand(MANY, 1, 2), x),
        lambda x: np.tile(x @ _TAPS[:2, None], (MANY, 1, 1)),
        lambda x, g: g.sum() * _TAPS[None, None, :2],
    ),
    "conv1d into many channels": Function(
        lambda n: (n, 1, 1), lambda f, x, w: f.conv1d(w[None, None], x),
        lambda x: x[None, :, 0] * _TAPS, lambda x, g: (g[0] @ _TAPS)[:, None, None],
    ),
    "max_pool2d of channels": Function(
        lambda n: (1, n, 2, 1), lambda f, x, w: f.max_pool2d(x, 1), lambda x: x, lambda x, g: g,
    ),
    "avg_pool2d of channels": Function(
        lambda n: (1, n, 1, 2), lambda f, x, w: f.avg_pool2d(x, (1, 2)),
        lambda x: x.mean(-1, keepdims=True), lambda x, g: np.repeat(g / 2, 2, -1),
    ),
    "reflected": Function(
        lambda n: (1, n), lambda f, x, w: f.pad(x, (1, 2), mode="reflect"),
        lambda x: np.pad(x, ((0, 0), (1, 2)), "reflect"), _reflected,
    ),
    "rows of a table": Function(
        lambda n: (n, 2), _last_and_first, lambda x: x[[-1, 0, -1]],
        lambda x, g: np.concatenate([g[1:2], np.zeros((len(x) - 2, 2)), g[:1] + g[2:]]),
    ),
    "looked up": Function(
        lambda n: (3, 1),
        lambda f, x, w: f.embedding((w > 0).long().repeat(MANY), x, padding_idx=0),
        lambda x: np.tile(x[[1, 0, 1]], (MANY, 1)),
        lambda x, g: np.array([[0], [g[0::3].sum() + g[2::3].sum()], [0]]),
    ),
    "nll_loss of samples": Function(
        lambda n: (n, 2), lambda f, x, w: f.nll_loss(
            x, (0 * x.detach()[:, 0]).long() + 1, reduction="sum"),
        lambda x: -x[:, 1].sum(), lambda x, g: np.tile([0, -g], (len(x), 1)),
    ),
}  # fmt: skip
"""Exact functions of many samples, channels, places or rows."""

NUMEROUS_ROUNDED: dict[str, Function] = {
    "layer_norm of samples": Function(
        lambda n: (n, 2), lambda f, x, w: f.layer_norm(x, (2,), eps=0.5),
        lambda x: layers.normalised(x, (-1,), 0.5),
        lambda x, g: layers.normalised_gradient(x, (-1,), 0.5, g),
    ),
    "group_norm of samples": Function(
        lambda n: (n, 2, 2), lambda f, x, w: f.group_norm(x, 2, eps=0.5),
        lambda x: layers.normalised(x, (-1,), 0.5),
        lambda x, g: layers.normalised_gradient(x, (-1,), 0.5, g),
    ),
    "batch_norm of samples": Function(
        lambda n: (n, 2), lambda f, x, w: f.batch_norm(x, None, None, training=True, eps=0.5),
        lambda x: layers.normalised(x, (0,), 0.5),
        lambda x, g: layers.normalised_gradient(x, (0,), 0.5, g),
    ),
    "batch_norm of samples, in evaluation": Function(
        lambda n: (n, 2), lambda f, x, w: f.batch_norm(x, w[1:], w[::2].abs(), eps=0.5),
        lambda x: (x - _TAPS[1:]) / np.sqrt(_TAPS[::2] + 0.5),
        lambda x, g: g / np.sqrt(_TAPS[::2] + 0.5),
    ),
    "softmax of rows": Function(
        lambda n: (n, 2), lambda f, x, w: f.softmax(x, -1), lambda x: layers.softmax(x, -1),
        lambda x, g: layers.softmax_gradient(x, -1, g),
    ),
    "log_softmax of columns": Function(
        lambda n: (2, n), lambda f, x, w: f.log_softmax(x, 0), lambda x: layers.log_softmax(x, 0),
        lambda x, g: g - layers.softmax(x, 0) * g.sum(0),
    ),
    "cross_entropy of samples": Function(
        lambda n: (n, 2), lambda f, x, w: f.cross_entropy(
            x, (0 * x.detach()[:, 0]).long() + 1, reduction="none"),
        lambda x: -layers.log_softmax(x, -1)[:, -1],
        lambda x, g: g[:, None] * (layers.softmax(x, -1) - _last(x)),
    ),
}  # fmt: skip


def _holds(torch: Any, device: str, dtype: str, name: str, of: Function, length: int) -> None:
    """A function of so many has its value and gradient."""
    w = tensor_of(torch, device, _TAPS.astype(dtype))
    array = values(of.shape(length), dtype, "signed", length)
    exact = name in EXACT or name in NUMEROUS
    if not exact:
        array = array / 4
    wide = array.astype(np.float64)
    with case(function=name, dtype=dtype, length=length):
        x = tensor_of(torch, device, array).requires_grad_()
        result = of.act(torch.nn.functional, x, w)
        expected = np.asarray(of.value(wide))
        g = values(expected.shape, dtype, "signed", length + 5)
        result.backward(tensor_of(torch, device, g))
        above = g.astype(np.float64)
        back = np.asarray(of.slope(wide, above))
        found = ((result.detach(), expected, wide), (x.grad, back, above))
        for got, wanted, given in found:
            convolved = name.startswith("conv")
            held = dtype not in HALVES or exact_in(dtype, 2 * np.abs(wanted))
            if exact and held and not convolved:
                assert_equal(got, wanted.astype(dtype), signed_zero=False)
            elif dtype in HALVES:
                # Sums in float32, of which up to four may be rounded to half precision.
                many = "channels" in name or "whole" in name
                terms = 6 * (length if many else 1) if exact else 1
                size = max(1, np.abs(wanted).max(), terms * np.abs(given).max())
                lost = 2 * FORMATS[dtype].eps * size
                assert_close(got, wanted, Bound(dtype, 4, "a few roundings", lost))
            elif convolved:
                # Some ways to convolve take sums and differences with fractions.
                lost = (length + 32) * FORMATS[dtype].eps * 6 * np.abs(given).max()
                assert_close(got, wanted, Bound(dtype, 4, "sums of few terms", lost))
            else:
                lost = (32 + length) * FORMATS[dtype].eps * (np.abs(wanted).max() + 1)
                assert_close(got, wanted, Bound(dtype, 8, "sums over a row", lost))


@clause("nn.every-length", covers=["notes.numeric-gradient", "notes.layout-independence"],
        requires={"autograd"}, thorough=True)  # fmt: skip
@for_all(length=st.sampled_from([n for n in EVERY_LENGTH if 0 < n < 300]))
def every_length_is_worked_on_to_its_end(torch: Any, device: str, length: int) -> None:
    """Layers and losses take every element into account, the last of rows, images, channels and
    batches of any length included, and give a gradient to each."""
    halves = HALVES if length < 9 else (HALVES[length % 2],)
    for dtype in supported(("float32", "float64", *halves)):
        for name, function in {**EXACT, **ROUNDED}.items():
            if "channels" in name and length > 65:
                continue  # as many times as many
            _holds(torch, device, dtype, name, function, length)


@clause("nn.beyond-sixteen-bits", covers=["notes.numeric-gradient", "notes.layout-independence"],
        requires={"autograd"}, thorough=True)  # fmt: skip
def more_than_sixteen_bits_count_are_worked_on_to_the_end(torch: Any, device: str) -> None:
    """Layers and losses of more than 65536 samples, channels, places, classes or rows follow their
    formulas to the last of them, and give a gradient to each."""
    for dtype in supported(("float32",)):
        for name, function in {**EXACT, **ROUNDED, **NUMEROUS, **NUMEROUS_ROUNDED}.items():
            if name in EXACT and ("channels" in name or "whole" in name):
                continue  # as many times as many, or a kernel of as many
            _holds(torch, device, dtype, name, function, MANY)
