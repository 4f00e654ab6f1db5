"""Losses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, seeds, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.layers import Array, unit, wide
from tenet.spec.model.tolerance import Bound
from tenet.spec.nn.activations import ACTIVATED
from tenet.spec.nn.common import (
    FLOATS,
    REDUCTIONS,
    SINGLE,
    Shape,
    arriving,
    far_from_zero,
    laid_out,
    leaf,
)


class Loss(NamedTuple):
    """A loss of two tensors of one shape."""

    module: str
    functional: str
    reference: Callable[[Array, Array], Array]
    options: dict[str, float] = {}  # noqa: RUF012 - never written to


LOSSES = (
    Loss("MSELoss", "mse_loss", layers.squared),
    Loss("L1Loss", "l1_loss", layers.distance),
    Loss("SmoothL1Loss", "smooth_l1_loss", lambda x, t: layers.smooth_distance(x, t, 1.0)),
    Loss("SmoothL1Loss", "smooth_l1_loss", lambda x, t: layers.smooth_distance(x, t, 0.3),
         {"beta": 0.3}),
    Loss("SmoothL1Loss", "smooth_l1_loss", layers.distance, {"beta": 0.0}),
    Loss("HuberLoss", "huber_loss", lambda x, t: 0.7 * layers.smooth_distance(x, t, 0.7),
         {"delta": 0.7}),
)  # fmt: skip


@clause("nn.losses", covers=["mlnotes.losses", "notes.loss-options"])
@for_all(
    shape=st.sampled_from([s for s in ACTIVATED if 0 not in s]),
    layout=st.tuples(layouts(), layouts()),
    how=st.sampled_from([*product(FLOATS, range(len(LOSSES)))]),
    seed=seeds(),
)
def losses_compare_prediction_and_target(
    torch: Any, device: str, shape: Shape, layout: tuple[str, str], how: tuple[str, int], seed: int
) -> None:
    """MSELoss is the mean of the squared differences of prediction and target, L1Loss that of
    their distances, and SmoothL1Loss and HuberLoss are quadratic near 0 and linear beyond;
    reduction='none' gives each difference's loss, 'sum' their sum, 'mean' (the default) their
    sum over their number."""
    dtype, which = how
    loss = LOSSES[which]
    for name in supported([dtype]):
        x, target = values(shape, name, "normal", seed), values(shape, name, "normal", seed + 1)
        a, b = laid_out(torch, device, x, layout[0]), laid_out(torch, device, target, layout[1])
        each = loss.reference(wide(x), wide(target))
        functional = getattr(torch.nn.functional, loss.functional)
        for reduction in REDUCTIONS:
            expected = layers.reduced(each, reduction)
            bound = layers.loss_bound(each, 0.0, reduction, name)
            with case(loss=loss.functional, reduction=reduction):
                layer = getattr(torch.nn, loss.module)(reduction=reduction, **loss.options)
                assert_close(layer(a, b), expected, bound)
                assert_close(functional(a, b, reduction=reduction, **loss.options), expected, bound)
        with case(loss=loss.functional, reduction="default"):
            bound = layers.loss_bound(each, 0.0, "mean", name)
            assert_close(functional(a, b, **loss.options), layers.reduced(each, "mean"), bound)
        assert_raises(functional, a, b, reduction="average")
        if name in layers.HALF:
            far = np.full((700,), 100, numpy_dtype(name))
            each = loss.reference(wide(far), np.zeros(far.shape))
            bound = layers.loss_bound(each, 0.0, "mean", name)
            prediction = tensor_of(torch, device, far)
            # The sum is beyond float16, the mean is not.
            with case(loss=loss.functional, size=far.size, differences=100):
                got = functional(prediction, torch.zeros_like(prediction), **loss.options)
                assert_close(got, layers.reduced(each, "mean"), bound)


@clause("nn.loss-defaults", covers=["mlnotes.losses", "notes.loss-options"])
def a_loss_left_to_itself_is_a_mean(torch: Any, device: str) -> None:
    """Without options every loss, as layer and as function, is the mean of the losses of the
    elements, those of classes of the samples: HuberLoss with delta = 1, SmoothL1Loss with
    beta = 1, the classes unweighed and the targets sharp. mse_loss, l1_loss and huber_loss weigh
    each element where they are given weights."""
    nn, functional = torch.nn, torch.nn.functional
    for name in supported(SINGLE):
        x, y = np.array([[0.25, 4.0, -0.75], [1.5, -3.0, 0.0]]), np.array([[0.5, 1, 0], [1, 0, 1]])
        likely, logs = layers.sigmoid(x), layers.log_softmax(x, 1)
        binary = layers.binary_cross_entropy(x, y)
        smooth = layers.smooth_distance(x, y, 1.0)
        a, b, p, q, chances = (
            tensor_of(torch, device, one.astype(name))
            for one in (x, y, likely, logs, layers.softmax(y, 1))
        )
        classes = tensor_of(torch, device, np.array([1, 2]))
        pointed = -logs[[0, 1], [1, 2]]
        shares = layers.softmax(y, 1)
        for module, function, given, each in (
            ("MSELoss", "mse_loss", (a, b), (x - y) ** 2),
            ("L1Loss", "l1_loss", (a, b), np.abs(x - y)),
            ("SmoothL1Loss", "smooth_l1_loss", (a, b), smooth),
            ("HuberLoss", "huber_loss", (a, b), smooth),
            ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", (a, b), binary),
            ("BCELoss", "binary_cross_entropy", (p, b), binary),
            ("NLLLoss", "nll_loss", (q, classes), pointed),
            ("CrossEntropyLoss", "cross_entropy", (a, classes), pointed),
            ("CrossEntropyLoss", "cross_entropy", (a, chances), -(shares * logs).sum(1)),
            ("KLDivLoss", "kl_div", (q, chances), shares * (np.log(shares) - logs)),
        ):
            # Operands were rounded too, of which those near 1 weigh by up to e^4.
            bound = Bound(name, 16, "a mean of a few logarithms", 1024 * unit(name))
            loss = getattr(functional, function)
            with case(loss=module, dtype=name):
                assert_close(getattr(nn, module)()(*given), each.mean(), bound)
                if module != "KLDivLoss":
                    assert_close(loss(*given), each.mean(), bound)
                assert_close(loss(*given, reduction="mean"), each.mean(), bound)
                assert_close(getattr(nn, module)(reduction="none")(*given), each, bound)
                assert_close(getattr(nn, module)(reduction="sum")(*given), each.sum(), bound)
                if module in ("MSELoss", "L1Loss", "HuberLoss"):
                    heavy = each * (1 + np.arange(6).reshape(2, 3))
                    weight = tensor_of(
                        torch, device, (1 + np.arange(6.0)).reshape(2, 3).astype(name)
                    )
                    for by in ("none", "sum"):
                        got = loss(*given, weight=weight, reduction=by)
                        assert_close(got, layers.reduced(heavy, by), bound)


_CLASSIFIED: tuple[Shape, ...] = (
    (3, 4), (1, 2), (2, 1), (5, 3), (7, 10), (16, 17), (33, 9), (4, 65), (2, 1025), (129, 3),
    (2, 3, 4), (1, 5, 7), (2, 3, 4, 5), (3, 17, 2, 1), (2, 10, 3, 3),
)  # fmt: skip
_IGNORED = (-100, 1, -1)
_CLASSES = [
    *product(SINGLE, ("index", "probability"), (False, True), (None, *_IGNORED), (0.0, 0.1, 0.6)),
    # Weights in half precision add up to a rounded sum, by which the mean would be divided.
    *product(layers.HALF, ("index", "probability"), (False,), (None, -100), (0.0,)),
]


def _logits(shape: Shape, dtype: str, seed: int) -> Array:
    """Logits of moderate size, large ones, and some so far from 0 that they are whole numbers."""
    if seed % 3 == 2:
        return far_from_zero(values(shape, dtype, "signed", seed), dtype)
    size = 40 if seed % 3 == 0 else 1
    return (wide(values(shape, dtype, "normal", seed)) * size).astype(numpy_dtype(dtype))


@clause("nn.cross-entropy", covers=["mlnotes.losses", "notes.loss-options"], effort=0.75)
@for_all(
    shape=st.sampled_from(_CLASSIFIED),
    layout=layouts(),
    above=layouts(),
    how=st.sampled_from(_CLASSES),
    seed=seeds(),
)
def cross_entropy_is_the_negative_log_softmax_of_the_target(
    torch: Any, device: str, shape: Shape, layout: str, above: str,
    how: tuple[str, str, bool, int | None, float], seed: int,
) -> None:  # fmt: skip
    """CrossEntropyLoss takes raw logits (N, C, ...) and class indices (N, ...): each loss is
    -log softmax of the target's class. weight weighs the classes, and the mean is over the
    targets' weights; targets of ignore_index count nothing; label_smoothing mixes the target with
    the uniform distribution; targets of the logits' shape are probabilities, and the mean is over
    the samples. The gradient for the logits is softmax minus the target, weighed alike."""
    dtype, kind, weighted, ignore, smoothing = how
    classes = shape[1]
    for name in supported([dtype]):
        logits = _logits(shape, name, seed)
        weight = np.abs(values((classes,), name, "normal", seed + 2)) + 0.25 if weighted else None
        if kind == "index":
            rest = (shape[0], *shape[2:])
            target = values(rest, "int64", "normal", seed) % classes
            if ignore is not None:
                target.reshape(-1)[1::2] = ignore
                # A mean over nothing is not documented.
                target.reshape(-1)[0] = 0 if ignore != 0 else 1 % classes
        else:
            target = layers.softmax(wide(values(shape, name, "normal", seed + 1)), 1)
            target = target.astype(numpy_dtype(name))
        options: dict[str, Any] = {"label_smoothing": smoothing} if smoothing else {}
        reference: dict[str, Any] = {"smoothing": smoothing}
        if ignore is not None and kind == "index":
            options["ignore_index"] = reference["ignore_index"] = ignore
        exact = target if kind == "index" else wide(target)
        reference["weight"] = None if weight is None else wide(weight)
        each, share = layers.cross_entropy(wide(logits), exact, **reference)
        if weight is not None:
            options["weight"] = laid_out(torch, device, weight, layout)
        wanted, _ = layers.class_shares(shape, exact, **reference)
        logs = layers.log_softmax(wide(logits), 1)
        off = layers.log_softmax_bound(wide(logits), 1, name).allowed(logs)
        # Of each class the logarithm, a product or two, and the sum over the classes.
        terms = classes if kind == "probability" or smoothing else 1
        error = (wanted * (off + (terms + 4) * unit(name) * np.abs(logs))).sum(1)
        a, b = (laid_out(torch, device, array, layout) for array in (logits, target))
        functional = torch.nn.functional.cross_entropy
        for reduction in REDUCTIONS:
            with case(reduction=reduction):
                expected = layers.reduced(each, reduction, share)
                bound = layers.loss_bound(each, error, reduction, name, share)
                layer = torch.nn.CrossEntropyLoss(reduction=reduction, **options)
                assert_close(layer(a, b), expected, bound)
                assert_close(functional(a, b, reduction=reduction, **options), expected, bound)
                if kind == "index" and not smoothing:
                    with case(spelling="nll_loss of log_softmax"):
                        log = torch.nn.functional.log_softmax(a, 1)
                        nll = torch.nn.NLLLoss(reduction=reduction, **options)
                        assert_close(nll(log, b), expected, bound)
        if name in SINGLE and has("autograd"):
            # The exponential of a logarithm that is off by so much, and a sum over the classes.
            total = wanted.sum(1, keepdims=True) * np.exp(logs)
            slack = total * (off + (classes + 16) * unit(name)) + 8 * unit(name) * wanted
            slope = total - wanted
            slack += (each.size + 8) * unit(name) * (total + wanted) + FORMATS[name].tiny
            for reduction in REDUCTIONS:
                logits_leaf = leaf(torch, device, logits, layout)
                got = functional(logits_leaf, b, reduction=reduction, **options)
                gradient, held = arriving(
                    torch, device, values(tuple(got.shape), name, "normal", seed + 4), above
                )
                got.backward(gradient)
                factor = wide(held)[:, None] if reduction == "none" else wide(held)
                factor = factor / (share.sum() if reduction == "mean" else 1)
                bound = Bound(name, 1, "softmax minus the target", np.abs(factor) * slack)
                with case(reduction=reduction, of="gradient", arriving=above):
                    assert_close(logits_leaf.grad, factor * slope, bound)
        with case(spelling="one sample"):
            if len(shape) == 2:
                bound = layers.loss_bound(each, error, "none", name)
                got = functional(a[:1], b[:1], reduction="none", **options)
                assert_close(got, each[:1], Bound(name, 2, bound.reason, bound.absolute[:1]))  # type: ignore[index]
                # The second has the target that is ignored.
                for place, by in product(range(min(2, shape[0])), ("none", "sum")):
                    got = functional(a[place], b[place], reduction=by, **options)
                    error_of = Bound(name, 2, bound.reason, bound.absolute[place])  # type: ignore[index]
                    assert_close(got, each[place], error_of)


@clause("nn.targets-in-range", covers=["notes.loss-options"])
def a_target_must_name_a_class(torch: Any, device: str) -> None:
    """A class index below 0 or beyond the last class raises, unless it is the ignored one; so do
    a target of another shape and logits with another number of classes than the weights."""
    if torch.device(device).type != "cpu":
        device = "cpu"  # elsewhere the error comes later, and may take the device with it
    functional = torch.nn.functional
    for name, reduction in product(supported(SINGLE), REDUCTIONS):
        logits = torch.zeros(3, 4, dtype=getattr(torch, name), device=device)
        weight = torch.ones(5, dtype=getattr(torch, name), device=device)
        for loss in (functional.cross_entropy, functional.nll_loss):
            for wrong in (4, -1, 5, 1000, -(2**40), 2**40):
                with case(target=wrong, reduction=reduction, dtype=name):
                    target = torch.tensor([0, 3, wrong], device=device)
                    assert_raises(loss, logits, target, reduction=reduction)
            fine = torch.tensor([0, 3, -100], device=device)
            assert_metadata(
                loss(logits, fine, reduction=reduction), shape=(3,) if reduction == "none" else ()
            )
            # Of every place of a sample there is a class.
            plane = logits.reshape(1, 4, 3, 1)
            for wrong in (4, -1, 1000):
                with case(target=wrong, reduction=reduction, dtype=name, places=3):
                    target = torch.tensor([0, wrong, 3], device=device)
                    assert_raises(loss, plane[..., 0], target[None], reduction=reduction)
                    assert_raises(loss, plane, target[None, :, None], reduction=reduction)
            assert_raises(loss, logits, fine[:2], reduction=reduction)
            assert_raises(loss, logits, fine, weight=weight, reduction=reduction)
            kept = loss(logits, fine, weight=weight[:4], reduction=reduction)
            assert_metadata(kept, dtype=name)


@clause("nn.kl-divergence", covers=["notes.loss-options"], effort=0.5)
@for_all(
    shape=st.sampled_from([s for s in ACTIVATED if 0 not in s and len(s) > 1]),
    layout=layouts(),
    how=st.sampled_from([*product(SINGLE, (False, True))]),
    seed=seeds(),
)
def kl_divergence_weighs_the_distance_of_logarithms(
    torch: Any, device: str, shape: Shape, layout: str, how: tuple[str, bool], seed: int
) -> None:
    """KLDivLoss takes logarithms x and probabilities t and is t (log t - x), 0 where t is 0; with
    log_target=True t are logarithms too. reduction='batchmean' divides the sum by the batch."""
    dtype, log_target = how
    for name in supported([dtype]):
        x = values(shape, name, "normal", seed)
        target = layers.softmax(wide(values(shape, name, "normal", seed + 1)), -1)
        target = (np.log(target) if log_target else target).astype(numpy_dtype(name))
        if not log_target:
            target.reshape(-1)[::5] = 0
        t = np.exp(wide(target)) if log_target else wide(target)
        logs = wide(target) if log_target else np.log(np.where(t > 0, t, 1))
        each = t * (logs - wide(x))
        # The logarithm and the exponential err by some ulps, the difference is rounded once.
        error = 16 * unit(name) * t * (np.abs(logs) + np.abs(wide(x)) + 1)
        a, b = (laid_out(torch, device, array, layout) for array in (x, target))
        functional = torch.nn.functional.kl_div
        for reduction in (*REDUCTIONS, "batchmean"):
            by = "sum" if reduction == "batchmean" else reduction
            over = shape[0] if reduction == "batchmean" else 1
            bound = layers.loss_bound(each / over, error / over, by, name)
            expected = layers.reduced(each / over, by)
            options = {"reduction": reduction, "log_target": log_target}
            with case(**options):
                assert_close(functional(a, b, **options), expected, bound)
                assert_close(torch.nn.KLDivLoss(**options)(a, b), expected, bound)


@clause("nn.bce-with-logits", covers=["hackmd.bce-with-logits", "notes.loss-options"])
@for_all(
    shape=st.sampled_from([s for s in ACTIVATED if 0 not in s]),
    layout=layouts(),
    how=st.sampled_from([*product(SINGLE, (1, 8, 1000, 1e30), ("", "weight", "positive", "both"))]),
    seed=seeds(),
)
def binary_cross_entropy_with_logits_does_not_overflow(
    torch: Any, device: str, shape: Shape, layout: str, how: tuple[str, float, str], seed: int
) -> None:
    """binary_cross_entropy_with_logits is -(y log s(x) + (1 - y) log(1 - s(x))) with the sigmoid s,
    for logits of any size; weight scales each loss and pos_weight the first term. For moderate
    logits it equals the sigmoid followed by binary_cross_entropy."""
    dtype, scale, weighing = how
    functional = torch.nn.functional
    for name in supported([dtype]):
        logits = (wide(values(shape, name, "normal", seed)) * scale).astype(numpy_dtype(name))
        target = (values(shape, "int64", "normal", seed) % 5 / 4).astype(numpy_dtype(name))
        columns = shape[-1 - seed % 2 :]  # or matrices of them
        arrays = {}
        if weighing in ("weight", "both"):
            arrays["weight"] = np.abs(values(shape, name, "normal", seed + 1))
        if weighing in ("positive", "both"):
            arrays["pos_weight"] = np.abs(values(columns, name, "normal", seed + 2))
        w, p = (wide(arrays.get(key, np.ones(()))) for key in ("weight", "pos_weight"))
        each = layers.binary_cross_entropy(wide(logits), wide(target), w, p)
        error = 8 * unit(name) * w * (np.abs(wide(logits)) + 1) * (1 + p)
        a, b = (laid_out(torch, device, array, layout) for array in (logits, target))
        options = {key: laid_out(torch, device, array, layout) for key, array in arrays.items()}
        for reduction in REDUCTIONS:
            with case(reduction=reduction):
                expected = layers.reduced(each, reduction)
                bound = layers.loss_bound(each, error, reduction, name)
                layer = torch.nn.BCEWithLogitsLoss(reduction=reduction, **options)
                assert_close(layer(a, b), expected, bound)
                got = functional.binary_cross_entropy_with_logits(
                    a, b, reduction=reduction, **options
                )
                assert_close(got, expected, bound)
                if scale == 1 and "pos_weight" not in arrays:
                    with case(spelling="sigmoid and BCELoss"):
                        # 1 - s(x) cancels, by as much as e^|x|.
                        error = 8 * unit(name) * w * (1 + np.exp(np.abs(wide(logits))))
                        bound = layers.loss_bound(each, error, reduction, name)
                        layer = torch.nn.BCELoss(reduction=reduction, **options)
                        assert_close(layer(torch.sigmoid(a), b), expected, bound)


@clause("nn.bce-at-the-ends", covers=["hackmd.bce-with-logits"])
def binary_cross_entropy_knows_certainty(torch: Any, device: str) -> None:
    """At logits of +-10000 the loss is 0 for the right target and 10000 for the wrong one, with a
    finite gradient; binary_cross_entropy of probabilities 0 and 1 takes no logarithm for less
    than -100, and of those beside them the logarithm itself; it refuses what is no probability."""
    functional = torch.nn.functional
    for name in supported(SINGLE):
        for size in (10.0, 100.0, 10000.0, 1e30):
            with case(logit=size, dtype=name):
                x = np.array([size, -size, size, -size] * 5).astype(numpy_dtype(name))
                y = np.array([1, 0, 0, 1] * 5).astype(numpy_dtype(name))
                logits, target = leaf(torch, device, x), tensor_of(torch, device, y)
                loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
                each = layers.binary_cross_entropy(wide(x), wide(y))
                bound = layers.loss_bound(each, 8 * unit(name), "none", name)
                assert_close(loss, each, bound)
                loss.sum().backward()
                slope = layers.sigmoid(wide(x)) - y
                assert_close(logits.grad, slope, Bound(name, 4, "s(x) - y", 4 * unit(name)))
        certain = tensor_of(torch, device, np.array([0.0, 1.0, 0.0, 1.0]).astype(numpy_dtype(name)))
        target = tensor_of(torch, device, np.array([0.0, 1.0, 1.0, 0.0]).astype(numpy_dtype(name)))
        got = functional.binary_cross_entropy(certain, target, reduction="none")
        assert_equal(got, np.array([0, 0, 100, 100], numpy_dtype(name)), signed_zero=False)
        small = np.array([1e-3, 1e-7, 1e-10, 1e-20, 1e-30]).astype(numpy_dtype(name))
        near = 1 - FORMATS[name].eps * np.array([0.5, 1, 2, 64]).astype(numpy_dtype(name))
        for what, p, right in (
            ("hardly possible", small, 1), ("hardly sure", near, 1), ("nearly sure", near, 0)
        ):  # fmt: skip
            with case(probabilities=what, dtype=name):
                each = -np.log(wide(p)) if right else -np.log1p(-wide(p))
                likely, sure = (tensor_of(torch, device, a) for a in (p, np.full_like(p, right)))
                got = functional.binary_cross_entropy(likely, sure, reduction="none")
                assert_close(got, each, Bound(name, 4, "a logarithm and a product"))
        for wrong in (-0.25, 1.25, -1e30, np.inf, np.nan):
            # On the CPU: elsewhere the error comes later, and may take the device with it.
            with case(probability=wrong, dtype=name):
                no_chance = torch.tensor([0.5, wrong], dtype=getattr(torch, name))
                assert_raises(
                    functional.binary_cross_entropy, no_chance, torch.ones_like(no_chance)
                )
