"""The published formulas of layers, in float64 NumPy, and how far a backend may lie from them.

Every formula holds for complex numbers, too: `gradients` moves an input by a tiny imaginary
amount and reads the derivative off the imaginary part of the result, without cancellation
(Squire and Trapp, Using complex variables to estimate derivatives, 1998). Maxima and signs are
therefore taken of the real part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import erf as _erf
from math import log, pi, prod, sqrt
from typing import Any

import numpy as np

from tenet.spec.model.dtypes import FORMATS
from tenet.spec.model.tolerance import Bound

Array = np.ndarray
Lengths = tuple[int, ...]

HALF = ("float16", "bfloat16")
_STEP = 1e-150


def wide(array: Array) -> Array:
    """The same numbers in float64."""
    return np.asarray(array, np.float64)


def unit(dtype: str) -> float:
    """The unit roundoff of a dtype."""
    return FORMATS[dtype].eps / 2


def gradients(function: Callable[..., Array], *inputs: Array) -> list[Array]:
    """The derivatives of a scalar function with respect to every element of every input."""
    found = []
    for place, array in enumerate(inputs):
        gradient = np.zeros(array.shape)
        moved = [wide(other) for other in inputs]
        moved[place] = array.astype(np.complex128)
        for index in np.ndindex(array.shape):
            moved[place][index] += _STEP * 1j
            gradient[index] = np.imag(function(*moved)) / _STEP
            moved[place][index] = array[index]
        found.append(gradient)
    return found


def likely(count: int, total: int, probability: float) -> bool:
    """Whether a binomial count is within what happens but once in 10^12 (Bernstein)."""
    spread = total * probability * (1 - probability)
    # 2 exp(-t^2 / (2 spread + 2 t / 3)) = 10^-12, solved for t.
    nats = log(2e12)
    away = nats / 3 + sqrt(nats * nats / 9 + 2 * nats * spread)
    return abs(count - total * probability) <= away


# Linear layers, convolutions and pooling


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x @ weight.T + bias over the last dimension."""
    product: Array = x @ weight.T
    return product if bias is None else product + bias


def inner_bound(magnitude: Array, terms: int, dtype: str, growth: float = 1.0) -> Bound:
    """The bound for an inner product with sum |a||b| = magnitude, and a bias added to it.

    float32 and float64: terms products and additions in any order, of which the reference, in
    float64, makes as many. Half precision: exact products added in float32, of which four
    partial sums may be rounded to half precision, and the bias is added after rounding.
    growth: how much a fast algorithm (Winograd, FFT) may lose beyond that.
    """
    if dtype in HALF:
        absolute = 5 * unit(dtype) + growth * (terms + 2) * unit("float32")
    else:
        absolute = growth * 2 * (terms + 2) * unit(dtype)
    reason = f"{terms} products in any order, growth {growth:g}"
    return Bound(dtype, 1, reason, absolute * np.asarray(magnitude))


def same_padding(kernel: Lengths, dilation: Lengths) -> list[tuple[int, int]]:
    """padding='same': output as long as the input; what is odd goes to the right."""
    spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [(span // 2, span - span // 2) for span in spans]


def _windows(
    padded: Array, kernel: Lengths, stride: Lengths, dilation: Lengths, lengths: Lengths
) -> Iterator[tuple[Lengths, Array]]:
    """For every place in the kernel, the elements that it meets: of the output's lengths."""
    for place in np.ndindex(kernel):
        index: list[Any] = [...]
        index += [
            slice(p * d, p * d + s * (n - 1) + 1, s)
            for p, d, s, n in zip(place, dilation, stride, lengths, strict=True)
        ]
        yield place, padded[tuple(index)]


def _at(weights: Array, place: Lengths) -> Array:
    """What the kernels hold at one place, as a view."""
    index: Any = (..., *place)
    return np.asarray(weights[index])


def convolution(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Lengths,
    padding: Sequence[tuple[int, int]],
    dilation: Lengths,
    groups: int,
    mode: str = "constant",
) -> Array:
    """Cross-correlation of (N, C, *lengths) with (O, C / groups, *kernel); mode as np.pad's."""
    kernel = weight.shape[2:]
    padded = np.pad(x, [(0, 0), (0, 0), *padding], mode=mode)  # type: ignore[call-overload]
    lengths = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    )
    split = padded.reshape(len(x), groups, -1, *padded.shape[2:])
    weights = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    out = np.zeros((len(x), *weights.shape[:2], *lengths), np.result_type(x, weight))
    for place, window in _windows(split, kernel, stride, dilation, lengths):
        out += np.einsum("ngc...,goc->ngo...", window, _at(weights, place))
    out = out.reshape(len(x), len(weight), *lengths)
    return out if bias is None else out + bias.reshape(-1, *[1] * len(kernel))


def convolution_gradients(
    x: Array,
    weight: Array,
    above: Array,
    stride: Lengths,
    padding: Sequence[tuple[int, int]],
    dilation: Lengths,
    groups: int,
) -> tuple[Array, Array]:
    """The gradients for x and weight of a zero-padded convolution, given that of its result."""
    kernel, lengths = weight.shape[2:], above.shape[2:]
    padded = np.pad(x, [(0, 0), (0, 0), *padding])
    split = padded.reshape(len(x), groups, -1, *padded.shape[2:])
    weights = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    above = above.reshape(len(x), groups, len(weight) // groups, *lengths)
    flat = above.reshape(*above.shape[:3], prod(lengths))
    for_x, for_weight = np.zeros_like(split), np.zeros_like(weights)
    seen = _windows(split, kernel, stride, dilation, lengths)
    written = _windows(for_x, kernel, stride, dilation, lengths)
    for (place, window), (_, into) in zip(seen, written, strict=True):
        _at(for_weight, place)[...] = np.einsum(
            "ngcl,ngol->goc", window.reshape(*window.shape[:3], -1), flat
        )
        into += np.einsum("ngo...,goc->ngc...", above, _at(weights, place))
    inner: list[Any] = [...]
    for (before, _), length in zip(padding, x.shape[2:], strict=True):
        inner.append(slice(before, before + length))
    return for_x.reshape(padded.shape)[tuple(inner)], for_weight.reshape(weight.shape)


def _pooled_lengths(
    before: Lengths, kernel: Lengths, stride: Lengths, padding: Lengths, dilation: Lengths,
    ceil: bool,
) -> Lengths:  # fmt: skip
    """ceil counts a last window that is cut off, unless it begins beyond the left padding."""
    lengths = []
    for n, k, s, p, d in zip(before, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        length = (-(-room // s) if ceil else room // s) + 1
        lengths.append(length - 1 if ceil and (length - 1) * s >= n + p else length)
    return tuple(lengths)


class Pool:
    """The windows of a pooling layer over (N, C, *lengths)."""

    def __init__(
        self, before: Lengths, kernel: Lengths, stride: Lengths, padding: Lengths,
        dilation: Lengths, ceil: bool,
    ) -> None:  # fmt: skip
        self.before, self.kernel, self.stride = before, kernel, stride
        self.padding, self.dilation = padding, dilation
        self.lengths = _pooled_lengths(before, kernel, stride, padding, dilation, ceil)

    def stacked(self, x: Array, fill: float, margin: float | None = None) -> Array:
        """All elements of every window along a new first dimension.

        fill: what stands in the padding; margin: what stands beyond it, where ceil reaches.
        """
        rest = [(0, 0)] * (x.ndim - len(self.kernel))
        inner = [*rest, *((p, p) for p in self.padding)]
        beyond = [*rest, *((0, k * d + s) for k, d, s in
                           zip(self.kernel, self.dilation, self.stride, strict=True))]  # fmt: skip
        padded = np.pad(x, inner, constant_values=fill)
        padded = np.pad(padded, beyond, constant_values=fill if margin is None else margin)
        found = _windows(padded, self.kernel, self.stride, self.dilation, self.lengths)
        return np.stack([window for _, window in found])

    def largest(self, x: Array) -> tuple[Array, Array]:
        """The largest element of every window and where it lies in the flattened lengths."""
        stack = self.stacked(x, -np.inf)
        places = np.arange(prod(self.before)).reshape(self.before)
        where = np.argmax(stack.real, axis=0)[None]
        indices = np.broadcast_to(
            self.stacked(places, -1).reshape(len(stack), *[1] * (x.ndim - len(self.kernel)),
                                             *self.lengths), stack.shape)  # fmt: skip
        return (
            np.take_along_axis(stack, where, 0)[0],
            np.take_along_axis(indices, where, 0)[0],
        )

    def average(self, x: Array, count_padding: bool, divisor: int | None = None) -> Array:
        """The sum of every window over the number of its elements, with or without padding."""
        total: Array = self.stacked(x, 0.0).sum(axis=0)
        return np.asarray(total / self._divisors(count_padding, divisor))

    def average_gradient(
        self, above: Array, count_padding: bool, divisor: int | None = None
    ) -> Array:
        """The gradient for x of `average`, given that of its result: shares of every window."""
        shares = above / self._divisors(count_padding, divisor)
        sides = [*zip(self.before, self.padding, self.kernel, self.stride, self.dilation,
                      strict=True)]  # fmt: skip
        reached = [n + 2 * p + k * d + s for n, p, k, s, d in sides]
        into = np.zeros((*above.shape[: -len(reached)], *reached))
        for _, window in _windows(into, self.kernel, self.stride, self.dilation, self.lengths):
            window += shares
        inner: list[Any] = [..., *(slice(p, p + n) for n, p, *_ in sides)]
        return np.asarray(into[tuple(inner)])

    def _divisors(self, count_padding: bool, divisor: int | None) -> Array:
        if divisor is not None:
            return np.full(self.lengths, float(divisor))
        ones = np.ones(self.before)
        return np.asarray(self.stacked(ones, float(count_padding), 0.0).sum(axis=0))


# Normalisation and activations


def normalised(x: Array, dims: tuple[int, ...], eps: float) -> Array:
    """(x - mean) / sqrt(variance + eps) with the variance of n, not n - 1."""
    centred = x - x.mean(dims, keepdims=True)
    return np.asarray(centred / np.sqrt((centred * centred).mean(dims, keepdims=True) + eps))


def normalised_bound(
    x: Array, dims: tuple[int, ...], eps: float, weight: Array, out: Array, dtype: str
) -> Bound:
    """The bound for `normalised(x) * weight + bias`.

    The mean is n additions: off by n*u*mean|x|. The variance may be mean(x^2) - mean^2 in one
    pass, so it is off by about n*u*mean(x^2), and its root by half of that, relatively.
    """
    u = unit("float32" if dtype in HALF else dtype)
    count = prod(x.shape[dim] for dim in dims)
    variance = x.var(dims, keepdims=True) + eps
    mean = (count + 2) * u * np.abs(x).mean(dims, keepdims=True)
    spread = 2 * (count + 8) * u * (x * x).mean(dims, keepdims=True) / variance
    y = normalised(x, dims, eps)
    absolute = np.abs(weight) * (
        (2 * mean + u * np.abs(x)) / np.sqrt(variance) + np.abs(y) * spread
    )
    last = unit(dtype) * (np.abs(y * weight) + np.abs(out - y * weight))
    return Bound(dtype, 1, f"statistics of {count} elements", absolute + 3 * last)


def normalised_gradient(x: Array, dims: tuple[int, ...], eps: float, above: Array) -> Array:
    """The gradient for x of `normalised`, given that of its result."""
    y, root = normalised(x, dims, eps), np.sqrt(x.var(dims, keepdims=True) + eps)
    along = above.mean(dims, keepdims=True), (above * y).mean(dims, keepdims=True)
    return np.asarray((above - along[0] - y * along[1]) / root)


def normalised_gradient_bounds(
    x: Array, dims: tuple[int, ...], eps: float, above: Array, dtype: str
) -> tuple[Bound, Array, Array]:
    """The bound for `normalised_gradient`; z, and by how much of it y = `normalised` may be off.

    The formula may be multiplied out, so that x and its mean are weighed each by itself: what is
    added up has the size of z = (|x| + mean|x|) / root, not that of y. As in `normalised_bound`
    the mean is off by n*u*mean|x|, and 1 / root, relatively, by n*u*mean(x^2) over the variance.
    y is therefore off by 2(n+8)u + spread of z. It occurs twice, 1 / root once more, and the two
    means over n elements add n*u each. Half precision adds in float32, but may keep the mean and
    1 / root, and what comes of each of some four operations, in its own.
    """
    u, low = (unit("float32"), 4 * unit(dtype)) if dtype in HALF else (unit(dtype), 0.0)
    count = prod(x.shape[dim] for dim in dims)
    variance = x.var(dims, keepdims=True) + eps
    z = (np.abs(x) + np.abs(x).mean(dims, keepdims=True)) / np.sqrt(variance)
    spread = 2 * (count + 8) * u * (x * x).mean(dims, keepdims=True) / variance
    size = np.abs(above)
    terms = size + size.mean(dims, keepdims=True) + z * (size * z).mean(dims, keepdims=True)
    absolute = (6 * (count + 8) * u + 3 * spread + 3 * low) * terms / np.sqrt(variance)
    bound = Bound(dtype, 1, f"statistics of {count} elements", absolute)
    return bound, z, np.asarray(2 * (count + 8) * u + spread + low)


def relu(x: Array) -> Array:
    return np.where(x.real > 0, x, 0)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def erf(x: Array) -> Array:
    """The error function; beside the real line to first order, which is all `gradients` asks."""
    real = np.vectorize(_erf, otypes=[np.float64])(x.real)
    if np.iscomplexobj(x):
        return np.asarray(real + 1j * x.imag * 2 / np.sqrt(pi) * np.exp(-(x.real**2)))
    return np.asarray(real)


def gelu(x: Array) -> Array:
    return np.asarray(x * (1 + erf(x / np.sqrt(2))) / 2)


def log_softmax(x: Array, dim: int) -> Array:
    shifted = x - np.max(x.real, axis=dim, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True)))


def softmax(x: Array, dim: int) -> Array:
    exponential = np.exp(x - np.max(x.real, axis=dim, keepdims=True))
    return np.asarray(exponential / exponential.sum(axis=dim, keepdims=True))


def softmax_gradient(x: Array, dim: int, above: Array) -> Array:
    """The gradient for x of `softmax`, given that of its result."""
    share = softmax(x, dim)
    return np.asarray(share * (above - (above * share).sum(axis=dim, keepdims=True)))


def softmax_bound(x: Array, dim: int, dtype: str) -> Bound:
    """x - max is off by u of itself, which the exponential turns into a relative error; then
    the exponential's own ulps, the sum of n positive terms, and the division."""
    u = unit("float32" if dtype in HALF else dtype)
    away = np.abs(x - x.max(axis=dim, keepdims=True))
    relative = (2 * np.where(np.isfinite(away), away, 0) + x.shape[dim] + 16) * u
    floor = FORMATS["float32" if dtype in HALF else dtype].tiny  # may be flushed to zero
    # In half precision the exponentials may be stored before they are divided.
    ulps = 4 if dtype in HALF else 1
    return Bound(dtype, ulps, "exponentials over their sum", relative * softmax(x, dim) + floor)


def log_softmax_bound(x: Array, dim: int, dtype: str) -> Bound:
    """The bound for x - max - log(sum of e^(x - max)); it does not grow with |x|.

    x - max is off by u of itself, however large x is. As the argument of an exponential that is a
    relative error, which counts in the sum by its share there; then come the exponentials' own
    ulps, the sum of n positive terms, whose relative error is the logarithm's absolute one, and
    the last difference, of at most |x - max| + log n.
    """
    half = unit(dtype) if dtype in HALF else 0.0
    u = unit("float32") if half else unit(dtype)
    count = x.shape[dim]
    away = np.abs(x - x.max(axis=dim, keepdims=True))
    away = np.where(np.isfinite(away), away, 0)
    inside = (away * softmax(x, dim)).sum(axis=dim, keepdims=True)
    error = (2 * away + 2 * inside + count + 16) * u
    # In half precision x - max and the logarithm may be stored before they are added.
    error = error + (2 * away + log(count) + 2) * half
    return Bound(dtype, 2, "x - max - log(sum)", error)


# Losses: one number for each sample, before any reduction


def _magnitude(x: Array) -> Array:
    return np.where(x.real < 0, -x, x)


def squared(x: Array, target: Array) -> Array:
    return np.asarray((x - target) ** 2)


def distance(x: Array, target: Array) -> Array:
    return _magnitude(x - target)


def smooth_distance(x: Array, target: Array, beta: float) -> Array:
    """Quadratic below beta, linear beyond (smooth_l1_loss)."""
    away = _magnitude(x - target)
    return np.where(away.real < beta, away**2 / (2 * beta), away - beta / 2)


def binary_cross_entropy(
    logits: Array, target: Array, weight: Array | float = 1.0, positive: Array | float = 1.0
) -> Array:
    """-w (p y log s(x) + (1 - y) log(1 - s(x))), s the sigmoid, without overflow."""
    # log s(x) = min(x, 0) - log(1 + exp(-|x|)), and 1 - s(x) = s(-x).
    tail = np.log1p(np.exp(-_magnitude(logits)))
    yes, no = -relu(-logits) - tail, -relu(logits) - tail
    return np.asarray(-weight * (positive * target * yes + (1 - target) * no))


def cross_entropy(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
) -> tuple[Array, Array]:
    """The losses of logits (N, C, *rest), and each sample's share in the mean.

    target: class indices (N, *rest), or probabilities of the logits' shape. A sample's share is
    the weight of its class, 0 where it is ignored, and 1 for probabilities.
    """
    wanted, share = class_shares(logits.shape, target, weight, ignore_index, smoothing)
    return -(wanted * log_softmax(logits, 1)).sum(1), share


def class_shares(
    shape: Lengths,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
) -> tuple[Array, Array]:
    """By how much the logarithm of each class counts in a loss, of the logits' shape, and each
    sample's share in the mean, as `cross_entropy` takes them."""
    per = (1, shape[1], *[1] * (len(shape) - 2))
    weights = np.ones(per) if weight is None else weight.reshape(per)
    if target.dtype.kind == "f" or np.iscomplexobj(target):
        wanted = target * (1 - smoothing) + smoothing / shape[1]
        return wanted * weights, np.ones((shape[0], *shape[2:]))
    kept = target != ignore_index
    index = np.where(kept, target, 0)
    share = np.where(kept, weights.reshape(-1)[index], 0.0)
    chosen = index[:, None] == np.arange(shape[1]).reshape(per)
    return (chosen * (1 - smoothing) + smoothing / shape[1]) * weights * kept[:, None], share


def reduced(losses: Array, reduction: str, share: Array | None = None) -> Array:
    """The losses themselves, their sum, or their mean over the shares."""
    if reduction == "none":
        return losses
    total = np.asarray(losses.sum())
    if reduction == "sum":
        return total
    return np.asarray(total / (losses.size if share is None else share.sum()))


def loss_bound(
    losses: Array, error: Array | float, reduction: str, dtype: str, share: Array | None = None
) -> Bound:
    """The bound for `reduced` where every loss is off by `error` before it is added up."""
    growth = (losses.size + 8) * unit(dtype) * np.abs(losses)
    each = np.broadcast_to(error, losses.shape) + 8 * unit(dtype) * np.abs(losses)
    if reduction == "none":
        return Bound(dtype, 2, "one loss", each)
    total = (each + growth).sum()
    if reduction == "mean":
        total = total / max(losses.size if share is None else share.sum(), 1e-300)
    return Bound(dtype, 2, f"{losses.size} losses in any order", total)
