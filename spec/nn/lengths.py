"""Layers and losses, whatever the length: of rows, of channels, of images and of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import EVERY_LENGTH, tensor_of, values
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS
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


@clause("nn.every-length", covers=["notes.numeric-gradient", "notes.layout-independence"],
        requires={"autograd"}, thorough=True)  # fmt: skip
@for_all(length=st.sampled_from([n for n in EVERY_LENGTH if 0 < n < 300]))
def every_length_is_worked_on_to_its_end(torch: Any, device: str, length: int) -> None:
    """Layers and losses take every element into account, the last of rows, images, channels and
    batches of any length included, and give a gradient to each."""
    functional = torch.nn.functional
    for dtype in supported(("float32", "float64")):
        w = tensor_of(torch, device, _TAPS.astype(dtype))
        for name, (shape, act, value, slope) in {**EXACT, **ROUNDED}.items():
            if "channels" in name and length > 65:
                continue  # as many times as many
            array = values(shape(length), dtype, "signed", length)
            if name in ROUNDED:
                array = array / 4
            wide = array.astype(np.float64)
            with case(function=name, dtype=dtype, length=length):
                x = tensor_of(torch, device, array).requires_grad_()
                result = act(functional, x, w)
                expected = np.asarray(value(wide))
                g = values(expected.shape, dtype, "signed", length + 5)
                result.backward(tensor_of(torch, device, g))
                back = slope(wide, g.astype(np.float64))
                if name.startswith("conv"):
                    # Some ways to convolve take sums and differences with fractions.
                    for got, wanted, of in ((result.detach(), expected, wide), (x.grad, back, g)):
                        lost = (length + 32) * FORMATS[dtype].eps * 6 * np.abs(of).max()
                        assert_close(got, wanted, Bound(dtype, 4, "sums of few terms", lost))
                elif name in EXACT:
                    assert_equal(result.detach(), expected.astype(dtype), signed_zero=False)
                    assert_equal(x.grad, back.astype(dtype), signed_zero=False)
                else:
                    unit = (32 + length) * FORMATS[dtype].eps
                    for got, wanted in ((result.detach(), expected), (x.grad, back)):
                        lost = unit * (np.abs(wanted).max() + 1)
                        assert_close(got, wanted, Bound(dtype, 8, "sums over a row", lost))
