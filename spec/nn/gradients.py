"""The gradients of layers and losses against the derivatives of their formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from itertools import product
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from tenet.spec.cases import Arrangement, arrange, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    case,
    clause,
    supported,
)
from tenet.spec.model import layers
from tenet.spec.model.layers import Array, unit, wide
from tenet.spec.model.tolerance import Bound, rounded
from tenet.spec.nn.activations import ACTIVATIONS
from tenet.spec.nn.common import (
    FLOATS,
    REDUCTIONS,
    SINGLE,
    Shape,
    full_precision,
    laid_out,
    leaf,
)
from tenet.spec.nn.losses import LOSSES


class Differentiated(NamedTuple):
    """Something differentiable: the shapes of its inputs, and the two ways to compute it."""

    name: str
    shapes: tuple[Shape, ...]
    backend: Callable[..., Any]
    reference: Callable[..., Array]


def _pool2d(kernel: int, stride: int, padding: int, ceil: bool) -> layers.Pool:
    pair = (kernel, kernel), (stride, stride), (padding, padding), (1, 1)
    return layers.Pool((5, 6), *pair, ceil)


def _pool1d(length: int) -> layers.Pool:
    return layers.Pool((length,), (3,), (2,), (1,), (1,), False)


def _normed(dims: tuple[int, ...], per: Shape, eps: float = 1e-3) -> Callable[..., Array]:
    def reference(x: Array, weight: Array, bias: Array) -> Array:
        out = layers.normalised(x, dims, eps)
        return np.asarray(out * weight.reshape(per) + bias.reshape(per))

    return reference


_INDICES = np.array([2, 0, 1, 2, 2])
_SHARES = np.array([0.5, 2.0, 1.25])
_IMAGES = (2, 3, 2, 4)
"""Samples, channels, rows and columns: for each a number of its own, so that none is another's."""
_CLASSIFIED: tuple[Shape, ...] = ((5, 3), _IMAGES)
"""Logits of samples, and of their pixels."""
_MIXED = np.array([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0], [0.0, 0.125, 0.875], [0.5, 0.5, 0.0],
                   [0.25, 0.25, 0.5]])  # fmt: skip


def _classes(shape: Shape) -> Array:
    """A class for each sample, or for each of its places."""
    return np.resize(_INDICES, (shape[0], *shape[2:]))


def _entropy(**options: Any) -> Callable[[Array], Array]:
    def reference(x: Array) -> Array:
        target = options.get("target", _classes(x.shape))
        rest = {name: option for name, option in options.items() if name != "target"}
        return layers.reduced(*_with_mean(layers.cross_entropy(x, target, **rest)))

    return reference


def _with_mean(losses: tuple[Array, Array]) -> tuple[Array, str, Array]:
    return losses[0], "mean", losses[1]


def _weighted() -> Iterator[Differentiated]:
    """nll_loss of log_softmax, by reduction, weights and the class that is ignored."""
    for shape, reduction, (weighted, ignored) in product(
        _CLASSIFIED, REDUCTIONS, ((True, 0), (True, -100), (False, 2))
    ):
        if shape == _IMAGES and not weighted:
            continue  # drawn by nn.cross-entropy

        def reference(
            x: Array, reduction: str = reduction, weighted: bool = weighted, ignored: int = ignored
        ) -> Array:
            losses, shares = layers.cross_entropy(
                x, _classes(x.shape), weight=_SHARES if weighted else None, ignore_index=ignored
            )
            return layers.reduced(losses, reduction, shares)

        def backend(
            torch: Any,
            x: Any,
            reduction: str = reduction,
            weighted: bool = weighted,
            ignored: int = ignored,
        ) -> Any:
            return torch.nn.functional.nll_loss(
                torch.log_softmax(x, 1),
                _on(x, torch, _classes(tuple(x.shape))),
                _on(x, torch, _SHARES) if weighted else None,
                reduction=reduction,
                ignore_index=ignored,
            )

        says = f"{reduction}, {'weighted' if weighted else 'plain'}, ignoring {ignored}"
        yield Differentiated(f"nll_loss of {shape}: {says}", (shape,), backend, reference)


def _entropies() -> Iterator[Differentiated]:
    """cross_entropy of classes: plain, weighted and smoothed."""
    for shape, (says, weighted, options, reference) in product(_CLASSIFIED, (
        ("cross_entropy", False, {}, _entropy()),
        ("cross_entropy, weighted, one class ignored", True, {"ignore_index": 0},
         _entropy(weight=_SHARES, ignore_index=0)),
        ("cross_entropy, weighted and smoothed", True, {"label_smoothing": 0.2},
         _entropy(weight=_SHARES, smoothing=0.2)),
    )):  # fmt: skip
        yield Differentiated(
            f"{says}, of {shape}", (shape,),
            lambda torch, x, weighted=weighted, options=options: (
                torch.nn.functional.cross_entropy(
                    x, _on(x, torch, _classes(tuple(x.shape))),
                    _on(x, torch, _SHARES) if weighted else None, **options,
                )
            ),
            reference,
        )  # fmt: skip


def _pairwise() -> Iterator[Differentiated]:
    for shape, loss, reduction in product(((9,), _IMAGES), LOSSES, REDUCTIONS):
        if shape == _IMAGES and reduction == "sum":
            continue  # but for a factor the mean
        yield Differentiated(
            f"{loss.functional} of {shape} {reduction} {loss.options}", (shape, shape),
            lambda torch, x, t, loss=loss, reduction=reduction: getattr(
                torch.nn.functional, loss.functional
            )(x, t, reduction=reduction, **loss.options),
            lambda x, t, loss=loss, reduction=reduction: layers.reduced(
                loss.reference(x, t), reduction
            ),
        )  # fmt: skip


def _pointwise() -> Iterator[Differentiated]:
    for activation in ACTIVATIONS:
        if activation.functional in ("relu6", "hardtanh"):
            continue  # clipped, which complex numbers cannot be
        for shape in ((7,), (33,), _IMAGES):
            yield Differentiated(
                f"{activation.functional} of {shape} {activation.options}", (shape,),
                lambda torch, x, of=activation: getattr(torch.nn.functional, of.functional)(
                    x, **of.options
                ),
                activation.reference,
            )  # fmt: skip


_VIEWED = ("transposed", "stepped", "offset", "expanded", "permuted", "channels-last")
_OF_IMAGES = ("permuted", "channels-last")
"""Layouts that are others' where there are fewer than three dimensions."""


def _once(kernel: Shape, padding: int, stride: int, groups: int = 1) -> Any:
    """How a convolution goes: stride, padding, dilation and groups."""
    each = len(kernel)
    return (stride,) * each, [(padding, padding)] * each, (1,) * each, groups


def _convolutions() -> Iterator[Differentiated]:
    """Convolutions and their transposes over one and two dimensions, plain and grouped."""
    for rank, groups, padding, stride in ((1, 1, 1, 2), (2, 2, 0, 2)):
        kernel = ((3,), (1, 2))[rank - 1]
        how = _once(kernel, padding, stride, groups)
        image = (2, 2 * groups, 3, 4)[: 2 + rank]
        yield Differentiated(
            f"conv{rank}d of {groups} groups, padding {padding}, stride {stride}",
            (image, (3 * groups, 2, *kernel), (3 * groups,)),
            lambda torch, x, w, b, rank=rank, how=how: getattr(torch.nn.functional, f"conv{rank}d")(
                x, w, b, how[0], how[1][0][0], groups=how[3]
            ),
            lambda x, w, b, how=how: layers.convolution(x, w, b, *how),
        )
        lengths = tuple(
            (n - 1) * stride - 2 * padding + k for n, k in zip(image[2:], kernel, strict=True)
        )
        yield Differentiated(
            f"conv_transpose{rank}d of {groups} groups, padding {padding}, stride {stride}",
            (image, (2 * groups, 3, *kernel), (3 * groups,)),
            lambda torch, x, w, b, rank=rank, how=how: getattr(
                torch.nn.functional, f"conv_transpose{rank}d"
            )(x, w, b, how[0], how[1][0][0], groups=how[3]),
            lambda x, w, b, how=how, lengths=lengths: layers.convolution_gradients(
                np.zeros((len(x), len(b), *lengths), complex), w + 0j, x + 0j, *how
            )[0] + b.reshape(-1, *[1] * len(lengths)),
        )  # fmt: skip
    yield from _depthwise()
    yield Differentiated(
        "linear", ((2, 3, 5), (4, 5), (4,)),
        lambda torch, x, w, b: torch.nn.functional.linear(x, w, b), layers.linear,
    )  # fmt: skip


def _depthwise() -> Iterator[Differentiated]:
    """Transposed convolutions of each channel by itself, longer than they have to be."""
    for rank, padding, dilation in ((1, 1, 2), (2, 0, 1)):
        kernel = (3, 2)[:rank]
        how: Any = (2,) * rank, [(padding, padding)] * rank, (dilation,) * rank, 3
        image = (2, 3, 3, 4)[: 2 + rank]
        lengths = tuple(
            (n - 1) * 2 - 2 * padding + dilation * (k - 1) + 2
            for n, k in zip(image[2:], kernel, strict=True)
        )
        yield Differentiated(
            f"conv_transpose{rank}d of each channel, dilation {dilation}, output_padding 1",
            (image, (3, 1, *kernel), (3,)),
            lambda torch, x, w, b, rank=rank, padding=padding, dilation=dilation: getattr(
                torch.nn.functional, f"conv_transpose{rank}d"
            )(x, w, b, 2, padding, 1, 3, dilation),
            lambda x, w, b, how=how, lengths=lengths: layers.convolution_gradients(
                np.zeros((len(x), len(b), *lengths), complex), w + 0j, x + 0j, *how
            )[0] + b.reshape(-1, *[1] * len(lengths)),
        )  # fmt: skip


def _adaptive() -> Iterator[Differentiated]:
    """Adaptive pooling into windows that overlap, and into more than there are elements."""
    for (kind, reduce), (length, count) in product(
        (("avg", np.mean), ("max", np.max)), ((5, 3), (2, 3), (7, 4))
    ):
        bounds = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]

        def reference(x: Array, reduce: Any = reduce, bounds: Any = bounds) -> Array:
            return np.stack([reduce(x[..., low:high], -1) for low, high in bounds], -1)

        yield Differentiated(
            f"adaptive_{kind}_pool1d of {length} into {count}", ((2, 3, length),),
            lambda torch, x, kind=kind, count=count: getattr(
                torch.nn.functional, f"adaptive_{kind}_pool1d"
            )(x, count),
            reference,
        )  # fmt: skip
        yield Differentiated(
            f"adaptive_{kind}_pool2d of {length} into {count}", ((1, 2, 3, length),),
            lambda torch, x, kind=kind, count=count: getattr(
                torch.nn.functional, f"adaptive_{kind}_pool2d"
            )(x, (None, count)),
            reference,
        )  # fmt: skip


def _on(tensor: Any, torch: Any, array: Array) -> Any:
    made = tensor_of(torch, str(tensor.device), array)
    return made.to(tensor.dtype) if array.dtype.kind == "f" else made


DIFFERENTIATED: tuple[Differentiated, ...] = (
    *_pointwise(),
    *_pairwise(),
    *_convolutions(),
    *_adaptive(),
    Differentiated("max_pool2d", ((1, 2, 5, 6),),
                   lambda torch, x: torch.nn.functional.max_pool2d(x, 3, 2, 1),
                   lambda x: _pool2d(3, 2, 1, False).largest(x)[0]),
    Differentiated("avg_pool2d", ((1, 2, 5, 6),),
                   lambda torch, x: torch.nn.functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
                   lambda x: _pool2d(3, 2, 1, True).average(x, True)),
    Differentiated("max_pool1d", ((1, 2, 7),),
                   lambda torch, x: torch.nn.functional.max_pool1d(x, 3, 2, 1),
                   lambda x: _pool1d(7).largest(x)[0]),
    Differentiated("avg_pool1d", ((1, 2, 7),),
                   lambda torch, x: torch.nn.functional.avg_pool1d(x, 3, 2, 1),
                   lambda x: _pool1d(7).average(x, True)),
    Differentiated("avg_pool1d of many", ((25, 2, 21),),
                   lambda torch, x: torch.nn.functional.avg_pool1d(x, 3, 2, 1),
                   lambda x: _pool1d(21).average(x, True)),
    Differentiated("adaptive_avg_pool2d", ((2, 2, 4, 6),),
                   lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, (2, 3)),
                   lambda x: x.reshape(2, 2, 2, 2, 3, 2).mean((3, 5))),
    Differentiated("avg_pool2d without padding", ((1, 2, 5, 6),),
                   lambda torch, x: torch.nn.functional.avg_pool2d(
                       x, 3, 2, 1, count_include_pad=False),
                   lambda x: _pool2d(3, 2, 1, False).average(x, False)),
    Differentiated("batch_norm in training", ((5, 3, 2), (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, None, None, w, b, training=True, eps=1e-3),
                   _normed((0, 2), (1, 3, 1))),
    Differentiated("batch_norm of one", ((1, 3, 5), (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, None, None, w, b, training=True, eps=1e-3),
                   _normed((0, 2), (1, 3, 1))),
    Differentiated("batch_norm of many", ((12, 3, 30), (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, None, None, w, b, training=True, eps=1e-3),
                   _normed((0, 2), (1, 3, 1))),
    Differentiated("prelu of images", (_IMAGES, (3,)),
                   lambda torch, x, w: torch.nn.functional.prelu(x, w),
                   lambda x, w: np.where(x.real > 0, x, x * w[:, None, None])),
    Differentiated("prelu of one slope", ((5, 3), (1,)),
                   lambda torch, x, w: torch.nn.functional.prelu(x, w),
                   lambda x, w: np.where(x.real > 0, x, x * w)),
    Differentiated("batch_norm of many rows in evaluation", ((33, 3), (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, _on(x, torch, _SHARES), _on(x, torch, _SHARES), w, b, eps=1e-3),
                   lambda x, w, b: (x - _SHARES) / np.sqrt(_SHARES + 1e-3) * w + b),
    Differentiated("batch_norm in evaluation", ((5, 3, 2), (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, _on(x, torch, _SHARES), _on(x, torch, _SHARES), w, b, eps=1e-3),
                   lambda x, w, b: (x - _SHARES[:, None]) / np.sqrt(_SHARES[:, None] + 1e-3)
                   * w[:, None] + b[:, None]),
    Differentiated("batch_norm of images", (_IMAGES, (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, None, None, w, b, training=True, eps=1e-3),
                   _normed((0, 2, 3), (1, 3, 1, 1))),
    Differentiated("batch_norm of images in evaluation", (_IMAGES, (3,), (3,)),
                   lambda torch, x, w, b: torch.nn.functional.batch_norm(
                       x, _on(x, torch, _SHARES), _on(x, torch, _SHARES), w, b, eps=1e-3),
                   lambda x, w, b: (x - _SHARES[:, None, None])
                   / np.sqrt(_SHARES[:, None, None] + 1e-3) * w[:, None, None]
                   + b[:, None, None]),
    Differentiated("layer_norm of sequences", ((2, 3, 5), (5,), (5,)),
                   lambda torch, x, w, b: torch.nn.functional.layer_norm(x, (5,), w, b, 1e-3),
                   _normed((-1,), (5,))),
    Differentiated("layer_norm", ((3, 9), (9,), (9,)),
                   lambda torch, x, w, b: torch.nn.functional.layer_norm(x, (9,), w, b, 1e-3),
                   _normed((-1,), (9,))),
    Differentiated("layer_norm over two", ((2, 3, 5), (3, 5), (3, 5)),
                   lambda torch, x, w, b: torch.nn.functional.layer_norm(x, (3, 5), w, b, 1e-3),
                   _normed((-2, -1), (3, 5))),
    Differentiated("layer_norm of many", ((33, 5), (5,), (5,)),
                   lambda torch, x, w, b: torch.nn.functional.layer_norm(x, (5,), w, b, 1e-3),
                   _normed((-1,), (5,))),
    # Expanded, it is one number throughout, and all that is left of the variance is eps.
    Differentiated("layer_norm of one", ((1, 9), (9,), (9,)),
                   lambda torch, x, w, b: torch.nn.functional.layer_norm(x, (9,), w, b, 0.5),
                   _normed((-1,), (9,), 0.5)),
    Differentiated("group_norm of one", ((1, 6, 3), (6,), (6,)),
                   lambda torch, x, w, b: torch.nn.functional.group_norm(x, 2, w, b, 1e-3),
                   lambda x, w, b: layers.normalised(x.reshape(1, 2, 9), (-1,), 1e-3)
                   .reshape(1, 6, 3) * w[:, None] + b[:, None]),
    Differentiated("group_norm", ((5, 6, 3), (6,), (6,)),
                   lambda torch, x, w, b: torch.nn.functional.group_norm(x, 2, w, b, 1e-3),
                   lambda x, w, b: layers.normalised(x.reshape(5, 2, 9), (-1,), 1e-3)
                   .reshape(5, 6, 3) * w[:, None] + b[:, None]),
    Differentiated("group_norm of images", ((2, 6, 3, 2), (6,), (6,)),
                   lambda torch, x, w, b: torch.nn.functional.group_norm(x, 2, w, b, 1e-3),
                   lambda x, w, b: layers.normalised(x.reshape(2, 2, 18), (-1,), 1e-3)
                   .reshape(2, 6, 3, 2) * w[:, None, None] + b[:, None, None]),
    Differentiated("softmax of images", (_IMAGES,), lambda torch, x: torch.softmax(x, 1),
                   lambda x: layers.softmax(x, 1)),
    Differentiated("log_softmax of images", (_IMAGES,),
                   lambda torch, x: torch.log_softmax(x, 1), lambda x: layers.log_softmax(x, 1)),
    Differentiated("softmax of the first", ((5, 9),), lambda torch, x: torch.softmax(x, 0),
                   lambda x: layers.softmax(x, 0)),
    Differentiated("log_softmax of the first", ((5, 9),),
                   lambda torch, x: torch.log_softmax(x, 0), lambda x: layers.log_softmax(x, 0)),
    Differentiated("softmax", ((2, 9, 2),), lambda torch, x: torch.softmax(x, 1),
                   lambda x: layers.softmax(x, 1)),
    Differentiated("softmax of the last", ((3, 17),), lambda torch, x: torch.softmax(x, -1),
                   lambda x: layers.softmax(x, -1)),
    Differentiated("log_softmax", ((2, 9, 2),), lambda torch, x: torch.log_softmax(x, 1),
                   lambda x: layers.log_softmax(x, 1)),
    Differentiated("log_softmax of the last", ((3, 17),),
                   lambda torch, x: torch.log_softmax(x, -1),
                   lambda x: layers.log_softmax(x, -1)),
    *_entropies(),
    *_weighted(),
    Differentiated("cross_entropy of probabilities", ((5, 3),),
                   lambda torch, x: torch.nn.functional.cross_entropy(
                       x, _on(x, torch, _MIXED), _on(x, torch, _SHARES), label_smoothing=0.2),
                   _entropy(target=_MIXED, weight=_SHARES, smoothing=0.2)),
    Differentiated("cross_entropy, the probabilities' own", ((5, 3), (5, 3)),
                   lambda torch, x, t: torch.nn.functional.cross_entropy(x, t),
                   lambda x, t: layers.cross_entropy(x, t)[0].mean()),
    Differentiated("cross_entropy of images, the probabilities' own", (_IMAGES, _IMAGES),
                   lambda torch, x, t: torch.nn.functional.cross_entropy(
                       x, t, _on(x, torch, _SHARES), label_smoothing=0.2),
                   lambda x, t: layers.cross_entropy(x, t, _SHARES, smoothing=0.2)[0].mean()),
    Differentiated("kl_div of images, the probabilities' own", (_IMAGES, _IMAGES),
                   lambda torch, x, t: torch.nn.functional.kl_div(x, t, reduction="none"),
                   lambda x, t: t * (np.log(t) - x)),
    Differentiated("kl_div of logarithms", ((2, 3, 4), (2, 3, 4)),
                   lambda torch, x, t: torch.nn.functional.kl_div(
                       x, t, reduction="batchmean", log_target=True),
                   lambda x, t: (np.exp(t) * (t - x)).sum() / 2),
    Differentiated("binary_cross_entropy_with_logits of images, the probabilities' own",
                   (_IMAGES, _IMAGES),
                   lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(
                       x, t, reduction="none"),
                   lambda x, t: layers.binary_cross_entropy(x, t)),
    Differentiated("binary_cross_entropy_with_logits", ((5, 3),),
                   lambda torch, x: torch.nn.functional.binary_cross_entropy_with_logits(
                       x, _on(x, torch, _MIXED), pos_weight=_on(x, torch, _SHARES)),
                   lambda x: layers.binary_cross_entropy(x, _MIXED, 1.0, _SHARES).mean()),
    Differentiated("binary_cross_entropy_with_logits, the probabilities' own", ((5, 3), (5, 3)),
                   lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(
                       x, t, pos_weight=_on(x, torch, _SHARES)),
                   lambda x, t: layers.binary_cross_entropy(x, t, 1.0, _SHARES).mean()),
    Differentiated("binary_cross_entropy of a sigmoid, the probabilities' own", ((5, 3), (5, 3)),
                   lambda torch, x, t: torch.nn.functional.binary_cross_entropy(
                       torch.sigmoid(x), t, reduction="sum"),
                   lambda x, t: layers.binary_cross_entropy(x, t).sum()),
    Differentiated("binary_cross_entropy of a sigmoid", ((5, 3),),
                   lambda torch, x: torch.nn.functional.binary_cross_entropy(
                       torch.sigmoid(x), _on(x, torch, _MIXED)),
                   lambda x: layers.binary_cross_entropy(x, _MIXED).mean()),
)  # fmt: skip


def _seed(which: int) -> int:
    """By the name, so that a row more changes none of the others."""
    return crc32(DIFFERENTIATED[which].name.encode()) % 1009


@cache
def _inputs(which: int, precision: str = "float32") -> list[Array]:
    """Inputs that the dtypes of a precision hold."""
    function = DIFFERENTIATED[which]
    inputs = [wide(rounded(values(shape, "float32", "normal", _seed(which) + turn * 3 + 1),
                           precision))
              for turn, shape in enumerate(function.shapes)]  # fmt: skip
    if "max_pool" in function.name and precision != "float32":
        # Numbers that all differ, of which rounding makes none another's equal.
        inputs = [wide(np.argsort(array, axis=None)).reshape(array.shape) for array in inputs]
    if "own" in function.name:
        inputs[1] = wide(rounded(layers.softmax(inputs[1], 1), precision))
    return inputs


class Derivatives(NamedTuple):
    """Inputs, weights for the results, and the gradients of their products and of the sum of the
    results."""

    inputs: list[Array]
    above: Array
    of_products: list[Array]
    of_sum: list[Array]


@cache
def _derivatives(
    which: int, repeated: int | None = None, precision: str = "float32"
) -> Derivatives:
    """repeated: the input that repeats along its first dimension of more than one."""
    reference = DIFFERENTIATED[which].reference
    inputs = [
        np.broadcast_to(_kept(array), array.shape).copy() if place == repeated else array
        for place, array in enumerate(_inputs(which, precision))
    ]
    out = np.asarray(reference(*inputs))
    above = wide(values(out.shape, "float32", "signed", _seed(which))) + 0.5
    return Derivatives(
        inputs,
        above,
        layers.gradients(lambda *x: (reference(*x) * above).sum(), *inputs),
        layers.gradients(lambda *x: reference(*x).sum(), *inputs) if repeated is None else [],
    )


def _kept(array: Array) -> Array:
    """What is left of an array where all along its first dimension of more than one is the same."""
    dim = next((dim for dim, count in enumerate(array.shape) if count > 1), 0)
    return array[(slice(None),) * dim + (slice(1),)]


def _close(got: Any, wanted: Array, name: str, results: int) -> None:
    # What a parameter adds up over the results, of up to 4 each and twice rounded, may cancel.
    each = results / max(wanted.size, 1)
    if name in layers.HALF:
        # Sums in float32 of what some operations an element gave, each rounded to half precision;
        # of a mean every element has its share only.
        count, least = 24 + int(8 * each), min(1.0, each)
    else:
        # Some ten operations an element, over 33 of them, in any order.
        count, least = 512 + int(8 * each), 1.0
    size = count * unit(name) * max(least, np.abs(wanted).max())
    assert_close(got, wanted, Bound(name, 4, f"{count} roundings", size))


@clause(
    "nn.gradients", thorough=True,
    covers=[
        "mlnotes.activations", "mlnotes.losses", "notes.loss-options",
        "notes.normalisation-pooling-conv", "hackmd.bce-with-logits",
    ],
    requires={"autograd"},
)  # fmt: skip
def layers_and_losses_have_the_gradients_of_their_formulas(torch: Any, device: str) -> None:
    """The gradients of linear layers, convolutions and their transposes, activations, pooling,
    normalisation and losses, for their input, their parameters and their targets, are the
    derivatives of the published formulas, in half precision too, however the gradient that arrives
    lies in memory, and whether all of them require gradients or one alone."""
    for which, function in enumerate(DIFFERENTIATED):
        for name in supported(FLOATS):
            low = name in layers.HALF
            inputs, above, expected, of_sum = (
                _derivatives(which, precision="bfloat16") if low else _derivatives(which)
            )
            weights = rounded(above, name)
            arriving = {
                **{
                    layout: (laid_out(torch, device, weights, layout), expected)
                    for layout in ("contiguous", "transposed", "stepped", *_OF_IMAGES)
                },
                # As it comes out of a sum: one number for all of them.
                "expanded": (
                    tensor_of(torch, device, rounded(np.ones(()), name)).expand(above.shape),
                    of_sum,
                ),
            }
            for layout, (gradient, derivatives) in arriving.items():
                if layout != "contiguous" and not above.ndim:
                    continue
                if layout in _OF_IMAGES and above.ndim < 3:
                    continue
                leaves = [leaf(torch, device, rounded(array, name)) for array in inputs]
                with full_precision(torch):
                    function.backend(torch, *leaves).backward(gradient)
                for number, (got, wanted) in enumerate(zip(leaves, derivatives, strict=True)):
                    with case(of=function.name, dtype=name, input=number, arriving=layout):
                        _close(got.grad, wanted, name, above.size)
            for alone in range(len(inputs)) if len(inputs) > 1 else ():
                operands = [tensor_of(torch, device, rounded(array, name)) for array in inputs]
                operands[alone].requires_grad_()
                with full_precision(torch):
                    result = function.backend(torch, *operands)
                with case(of=function.name, dtype=name, requires_grad=alone):
                    assert_equal(result.requires_grad, True)
                    result.backward(tensor_of(torch, device, weights))
                    _close(operands[alone].grad, expected[alone], name, above.size)


@clause(
    "nn.recorded-or-not", thorough=True,
    covers=["mlnotes.activations", "mlnotes.losses", "notes.normalisation-pooling-conv"],
    requires={"autograd"},
)  # fmt: skip
def layers_and_losses_give_the_same_recorded_or_not(torch: Any, device: str) -> None:
    """The values of layers and losses are those of their formulas where they are recorded for
    backward, and under no_grad and in inference_mode, where they are not."""
    modes = {
        "recorded": nullcontext,
        "no_grad": torch.no_grad,
        "inference_mode": torch.inference_mode,
    }
    for which, function in enumerate(DIFFERENTIATED):
        inputs = _inputs(which)
        expected = np.asarray(function.reference(*inputs))
        for name, (mode, entered) in product(supported(SINGLE), modes.items()):
            with case(of=function.name, dtype=name, mode=mode):
                leaves = [leaf(torch, device, array.astype(name)) for array in inputs]
                with full_precision(torch), entered():
                    result = function.backend(torch, *leaves)
                assert_equal(result.requires_grad, mode == "recorded")
                _close(result, expected, name, expected.size)


@clause(
    "nn.gradients-of-views", thorough=True,
    covers=[
        "mlnotes.activations", "mlnotes.losses", "notes.normalisation-pooling-conv",
    ],
    requires={"autograd", "views"},
)  # fmt: skip
def layers_and_losses_have_gradients_for_operands_that_are_views(torch: Any, device: str) -> None:
    """Results and gradients of linear layers, convolutions, activations, pooling, normalisation and
    losses are the same for an operand that is a view: transposed, permuted, with its channels last,
    with gaps, further on in its memory, or expanded, where each of the elements that it shows has
    its own."""
    for which, function in enumerate(DIFFERENTIATED):
        if "many" in function.name:
            continue
        for place, layout in product(range(len(function.shapes)), _VIEWED):
            if layout in _OF_IMAGES and len(function.shapes[place]) < 3:
                continue
            expanded = layout == "expanded"
            inputs, above, expected, _ = _derivatives(which, place if expanded else None)
            value = np.asarray(function.reference(*inputs))
            arrangement = (
                Arrangement(_kept(inputs[place]), (("expand", inputs[place].shape),))
                if expanded
                else arrange(inputs[place], layout)
            )
            for name in supported(SINGLE):
                operands = [leaf(torch, device, array.astype(name)) for array in inputs]
                base = leaf(torch, device, arrangement.base.astype(name))
                operands[place] = arrangement.of_tensor(base)
                operands[place].retain_grad()
                above_it = tensor_of(torch, device, above.astype(name))
                with full_precision(torch):
                    result = function.backend(torch, *operands)
                    result.backward(above_it)
                with case(of=function.name, dtype=name, view=place, layout=layout):
                    _close(result.detach(), value, name, above.size)
                for number, (got, wanted) in enumerate(zip(operands, expected, strict=True)):
                    with case(of=function.name, dtype=name, input=number, layout=layout):
                        _close(got.grad, wanted, name, above.size)
