"""Normalisation, embedding and dropout, and the modes of training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, seeds, tensor_of, values
from tenet.spec.cases.gradients import exact_in
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    has,
    read,
    supported,
)
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.layers import Array, unit, wide
from tenet.spec.model.tolerance import Bound, rounded, ulps
from tenet.spec.nn.common import FLOATS, SINGLE, Shape, arriving, filled, laid_out, leaf

_NORMALISED: tuple[Shape, ...] = (
    (4, 3), (2, 3, 4), (5, 1), (1, 2, 7), (8, 5, 9), (3, 2, 4, 5), (2, 8, 3, 3), (64, 3), (17, 33),
    (2, 17, 16), (1, 3, 17, 5), (129, 2), (2, 3, 2, 3, 2), (3, 1, 31),
)  # fmt: skip


def _shifted(shape: Shape, dtype: str, seed: int) -> Array:
    """Normal numbers about another mean in every column."""
    mean = np.arange(shape[1] if len(shape) > 1 else 1).reshape(-1, *[1] * (len(shape) - 2)) % 5
    return (wide(values(shape, dtype, "normal", seed)) + mean - 2).astype(numpy_dtype(dtype))


_KEPT = ("running_mean", "running_var", "weight", "bias")


def _spread(torch: Any, device: str, layout: str, layer: Any, *names: str) -> list[Any]:
    """What a layer holds, in another layout: parameters, too, may lie in memory as they like."""
    held = [getattr(layer, name) for name in names]
    return [None if one is None else laid_out(torch, device, read(one), layout) for one in held]


@clause(
    "nn.batch-norm",
    covers=["notes.normalisation-pooling-conv", "hackmd.train-eval"],
    effort=0.75,
)
@for_all(
    shape=st.sampled_from(_NORMALISED),
    layout=layouts(),
    options=st.sampled_from(
        [
            *product(
                SINGLE, (True, False), (0.1, 0.5, 0.0, 1.0, None), (1e-5, 0.1), (True, True, False)
            )
        ]
    ),
    seed=seeds(),
)
def batch_norm_normalises_over_the_batch_and_keeps_statistics(
    torch: Any, device: str, shape: Shape, layout: str,
    options: tuple[str, bool, float | None, float, bool], seed: int,
) -> None:  # fmt: skip
    """In training BatchNorm normalises every channel with the mean and the variance (of n) of the
    batch, and moves its running mean and variance (of n - 1) by momentum towards them, or averages
    them where momentum is None; in evaluation it normalises with the running ones and leaves them.
    Without track_running_stats the batch's own are used always. One value a channel cannot be
    normalised in training, which raises, as does another number of channels."""
    dtype, affine, momentum, eps, track = options
    kind = f"BatchNorm{max(len(shape) - 2, 1)}d"
    dims = (0, *range(2, len(shape)))
    per = (1, shape[1], *[1] * (len(shape) - 2))
    count = prod(shape) // shape[1]
    for name in supported([dtype]):
        layer = getattr(torch.nn, kind)(
            shape[1], eps=eps, momentum=momentum, affine=affine, track_running_stats=track
        ).to(device=device, dtype=getattr(torch, name))
        weight, bias = np.ones(per), np.zeros(per)
        if affine:
            assert_equal(layer.weight, np.ones(shape[1], numpy_dtype(name)))
            assert_equal(layer.bias, np.zeros(shape[1], numpy_dtype(name)))
            arrays = [values((shape[1],), name, "normal", seed + n) for n in (7, 8)]
            filled(torch, device, layer, weight=arrays[0], bias=arrays[1])
            weight, bias = (wide(array).reshape(per) for array in arrays)
        mean, variance, scale = np.zeros(per), np.ones(per), 0.0
        for batch in range(3):
            x = _shifted(shape, name, seed + batch)
            out = layers.normalised(wide(x), dims, eps) * weight + bias
            bound = layers.normalised_bound(wide(x), dims, eps, weight, out, name)
            # Whether anything is recorded is no matter of the mode.
            with case(batch=batch), torch.set_grad_enabled(seed % 3 != 0):
                assert_close(layer(laid_out(torch, device, x, layout)), out, bound)
            share = 1 / (batch + 1) if momentum is None else momentum
            new = wide(x).var(dims, ddof=1, keepdims=True)
            mean = mean * (1 - share) + share * wide(x).mean(dims, keepdims=True)
            variance = variance * (1 - share) + share * new
            scale = max(scale, 1, 2 * (wide(x) ** 2).mean(dims).max())
        if track:
            bound = Bound(name, 4, "running averages", 8 * (count + 8) * unit(name) * scale)
            assert_close(layer.running_mean, mean.reshape(-1), bound)
            assert_close(layer.running_var, variance.reshape(-1), bound)
            assert_equal(layer.num_batches_tracked, np.int64(3))
            # From here on with what it has, so that only the evaluation is judged.
            held = [
                wide(read(kept)).reshape(per) for kept in (layer.running_mean, layer.running_var)
            ]
        else:
            assert_equal(layer.running_mean, None)
            held = [wide(x).mean(dims, keepdims=True), wide(x).var(dims, keepdims=True)]
        layer.eval()
        root = np.sqrt(held[1] + eps)
        expected = (wide(x) - held[0]) / root * weight + bias
        got = layer(laid_out(torch, device, x, layout))
        if track:
            size = (np.abs(wide(x)) + np.abs(held[0])) / root * np.abs(weight) + np.abs(bias)
            bound = Bound(name, 1, "some 8 operations", 8 * unit(name) * size)
            assert_close(got, expected, bound)
            spread = _spread(torch, device, layout, layer, *_KEPT)
            got = torch.nn.functional.batch_norm(
                laid_out(torch, device, x, layout), *spread, eps=eps
            )
            assert_close(got, expected, bound)
            for kept, before in zip((layer.running_mean, layer.running_var), held, strict=True):
                assert_equal(kept, before.reshape(-1).astype(numpy_dtype(name)))
            assert_equal(layer.num_batches_tracked, np.int64(3))
        else:
            size = layers.normalised_bound(wide(x), dims, eps, weight, expected, name)
            assert_close(got, expected, size)
        like: dict[str, Any] = {"dtype": getattr(torch, name), "device": device}
        if affine or track:
            assert_raises(layer, torch.ones((shape[0], shape[1] + 1, *shape[2:]), **like))
        # The variance of one value says nothing.
        single = torch.ones((1, shape[1], *[1] * (len(shape) - 2)), **like)
        assert_raises(layer.train(), single)


@clause("nn.batch-norm-in-half", covers=["notes.normalisation-pooling-conv", "hackmd.train-eval"])
def batch_norm_works_in_half_precision(torch: Any, device: str) -> None:
    """In half precision, too, BatchNorm normalises with the statistics of the batch in training
    and with the running ones in evaluation, in every layout, also where the squares add up to more
    than half precision holds."""
    for shape, name, layout, scale in product(
        ((33, 3), (9, 2, 5), (4, 3, 2, 5)),
        supported(layers.HALF),
        ("contiguous", "transposed", "stepped", "channels-last"),
        (1, 64),
    ):
        dims, per = (0, *range(2, len(shape))), (1, shape[1], *[1] * (len(shape) - 2))
        x = (_shifted(shape, name, 3) * scale).astype(numpy_dtype(name))
        arrays = [values((shape[1],), name, "normal", n) for n in (1, 2)]
        weight, bias = (wide(array).reshape(per) for array in arrays)
        layer = getattr(torch.nn, f"BatchNorm{max(len(shape) - 2, 1)}d")(shape[1], momentum=0.5)
        filled(torch, device, layer, weight=arrays[0], bias=arrays[1])
        given = laid_out(torch, device, x, layout)
        for training in (True, False):
            with case(shape=shape, dtype=name, layout=layout, scale=scale, training=training):
                got = layer.train(training)(given)
                if training:
                    mean, variance = (
                        of(wide(x), axis=dims, keepdims=True) for of in (np.mean, np.var)
                    )
                else:
                    kept = (layer.running_mean, layer.running_var)
                    mean, variance = (wide(read(one)).reshape(per) for one in kept)
                root = np.sqrt(variance + 1e-5)
                expected = (wide(x) - mean) / root * weight + bias
                size = (np.abs(wide(x)) + np.abs(mean)) / root * np.abs(weight) + np.abs(bias)
                # Statistics and the results between may be kept in half precision.
                assert_close(got, expected, Bound(name, 2, "8 operations", 8 * unit(name) * size))
        count = x.size / shape[1]
        moved = 0.5 * wide(x).mean(dims), 0.5 + 0.5 * wide(x).var(dims) * count / (count - 1)
        for one, average in zip((layer.running_mean, layer.running_var), moved, strict=True):
            with case(shape=shape, dtype=name, layout=layout, scale=scale):
                size = max(np.abs(wide(x)).max(), average.max())
                bound = Bound(name, 4, "running averages", 8 * unit(name) * size)
                assert_close(one, average, bound)


_LAYER_NORMS: tuple[tuple[Shape, int], ...] = (
    ((3, 4), 1), ((4,), 1), ((2, 3, 4), 2), ((2, 3, 7), 1), ((5, 8), 1), ((5, 9), 2), ((2, 17), 1),
    ((3, 31), 1), ((33, 33), 1), ((2, 2, 64), 1), ((2, 5, 13), 2), ((3, 127), 1), ((3, 256), 1),
    ((2, 1025), 1), ((0, 4), 1), ((1, 2), 1), ((2, 3, 4, 5), 3), ((2, 3, 2, 5), 1),
)  # fmt: skip


@clause("nn.layer-norm", covers=["notes.normalisation-pooling-conv"], effort=1.5)
@for_all(
    shape=st.sampled_from(_LAYER_NORMS),
    layout=layouts(),
    options=st.sampled_from([*product(FLOATS, ("weight and bias", "weight", ""), (1e-5, 0.1))]),
    seed=seeds(),
)
def layer_norm_normalises_each_sample(
    torch: Any, device: str, shape: tuple[Shape, int], layout: str,
    options: tuple[str, str, float], seed: int,
) -> None:  # fmt: skip
    """LayerNorm(shape) normalises over the last dimensions, which have to have that shape, with
    the mean and the variance (of n) of each sample, in training and evaluation alike; then come
    an elementwise weight and bias, ones and zeros at first, unless they are switched off."""
    lengths, rank = shape
    dtype, affine, eps = options
    over = lengths[len(lengths) - rank :]
    dims = tuple(range(-rank, 0))
    for name in supported([dtype]):
        x = values(lengths, name, "normal", seed)
        layer = torch.nn.LayerNorm(
            over[0] if rank == 1 and seed % 2 else over, eps, elementwise_affine=bool(affine),
            bias="bias" in affine,
        ).to(device=device, dtype=getattr(torch, name))  # fmt: skip
        weight, bias = np.ones(over), np.zeros(over)
        if affine:
            assert_equal(layer.weight, np.ones(over, numpy_dtype(name)))
            weight = values(over, name, "normal", seed + 1)
            filled(torch, device, layer, weight=weight)
        if "bias" in affine:
            assert_equal(layer.bias, np.zeros(over, numpy_dtype(name)))
            bias = values(over, name, "normal", seed + 2)
            filled(torch, device, layer, bias=bias)
        weight, bias = wide(weight), wide(bias)
        expected = layers.normalised(wide(x), dims, eps) * weight + bias
        bound = layers.normalised_bound(wide(x), dims, eps, weight, expected, name)
        tensor = laid_out(torch, device, x, layout)
        assert_close(layer(tensor), expected, bound)
        assert_close(layer.eval()(tensor), expected, bound)
        functional = torch.nn.functional.layer_norm
        spread = _spread(torch, device, layout, layer, "weight", "bias")
        for said in (over, [*over], torch.Size(over)):
            with case(normalized_shape=type(said).__name__):
                assert_close(functional(tensor, said, *spread, eps), expected, bound)
        with case(spelling="a bias alone"):
            shift = values(over, name, "normal", seed + 3)
            expected = layers.normalised(wide(x), dims, eps) + wide(shift)
            bound = layers.normalised_bound(wide(x), dims, eps, np.ones(over), expected, name)
            got = functional(tensor, over, bias=tensor_of(torch, device, shift), eps=eps)
            assert_close(got, expected, bound)
        assert_raises(layer, torch.ones((2, over[-1] + 1), dtype=tensor.dtype, device=device))


@clause(
    "nn.embedding",
    covers=["notes.normalisation-pooling-conv"],
    requires={"autograd"},
    effort=1.5,
)
@for_all(
    shape=st.sampled_from(
        [(3,), (), (2, 3), (0,), (1,), (17,), (2, 3, 4), (33, 2), (1025,), (3, 400)]
    ),
    table=st.sampled_from([*product((5, 1, 2, 17), (3, 1, 4, 7, 16, 33))]),
    layout=layouts(),
    above=layouts(),
    how=st.sampled_from([*product(FLOATS, (None, 0, -1), ("int64", "int32"))]),
    seed=seeds(),
)
def embedding_looks_rows_up(
    torch: Any, device: str, shape: Shape, table: tuple[int, int], layout: str, above: str,
    how: tuple[str, int | None, str], seed: int,
) -> None:  # fmt: skip
    """Embedding(n, d) gives, for indices of any shape, the rows of its table (n, d); the gradient
    of a row is the sum over its uses. The row padding_idx begins as zeros and gets no gradient."""
    dtype, padding, kind = how
    rows, width = table
    for name in supported([dtype]):
        index = (values(shape, "int64", "normal", seed) % rows).astype(kind)
        weight = values(table, name, "signed", seed)
        layer = torch.nn.Embedding(rows, width, padding_idx=padding)
        if padding is not None:
            assert_equal(layer.weight[padding], np.zeros(width, np.float32))
        filled(torch, device, layer, weight=weight)
        given = laid_out(torch, device, index, layout)
        got = layer(given)
        assert_equal(got, weight[index])
        spread = laid_out(torch, device, weight, layout)
        assert_equal(torch.nn.functional.embedding(given, spread, padding), weight[index])
        gradient, held = arriving(torch, device, values((*shape, width), name, "ties", seed), above)
        got.backward(gradient)
        expected, sizes = np.zeros(table), np.zeros(table)
        np.add.at(expected, index, wide(held))
        np.add.at(sizes, index, np.abs(wide(held)))
        if padding is not None:
            expected[padding] = 0
        # Sums of numbers among -1.5, 0, 1 and 2.5 are exact as long as halves are.
        if exact_in(name, 2 * sizes):
            assert_equal(layer.weight.grad, expected.astype(weight.dtype), signed_zero=False)
        frozen = torch.nn.Embedding.from_pretrained(tensor_of(torch, device, weight))
        assert_equal(frozen(given), weight[index])
        assert_equal(frozen.weight.requires_grad, False)
        table_ = tensor_of(torch, device, weight)
        trained = torch.nn.Embedding.from_pretrained(table_, freeze=False, padding_idx=padding)
        assert_equal(trained(given), weight[index])
        assert_equal((trained.weight.requires_grad, trained.weight.is_leaf), (True, True))
        assert_equal((trained.num_embeddings, trained.embedding_dim), table)


@clause("nn.embedding-options", covers=["notes.normalisation-pooling-conv"], requires={"autograd"})
def embedding_rows_are_bounded_weighed_and_checked(torch: Any, device: str) -> None:
    """max_norm rescales, in the table itself, the rows that are looked up and longer than it;
    scale_grad_by_freq divides a row's gradient by how often it was looked up; a negative
    padding_idx counts from the end. An index that is no row raises."""
    functional = torch.nn.functional
    table = np.array([[3.0, 4.0], [0.25, 0.0], [6.0, 8.0], [-5.0, 12.0], [0.5, 0.5]])
    index = np.array([0, 1, 0, 3, 3, 3, 1, 3, 3, 4, 3, 3])
    for name, norm in product(supported(SINGLE), (2.0, 1.0)):
        with case(norm=norm, dtype=name):
            x = table.astype(name)
            size = np.linalg.norm(x, norm, axis=1, keepdims=True)
            looked_up = np.isin(np.arange(5), index)[:, None]
            expected = np.where(looked_up & (size > 2), x * 2 / size, x)
            # A norm, a quotient and a product; the published quotient adds 1e-7 to the norm.
            bound, of_rows = (
                Bound(name, 8, "rescaled once", 1e-6 * np.abs(rows)) for rows in (x, x[index])
            )
            layer = torch.nn.Embedding(5, 2, max_norm=2.0, norm_type=norm)
            filled(torch, device, layer, weight=x)
            assert_close(layer(tensor_of(torch, device, index)), expected[index], of_rows)
            assert_close(layer.weight.detach(), expected, bound)
            assert_equal(layer.weight.detach()[2], x[2])
            free = tensor_of(torch, device, x)
            got = functional.embedding(
                tensor_of(torch, device, index), free, max_norm=2.0, norm_type=norm
            )
            assert_close(got, expected[index], of_rows)
            assert_close(free, expected, bound)
    counts = np.bincount(index, minlength=5)[:, None]
    for name, scaled, padding in product(supported(SINGLE), (False, True), (None, 3, -2)):
        with case(scaled=scaled, padding=padding, dtype=name):
            options = {"padding_idx": padding, "scale_grad_by_freq": scaled}
            layer = torch.nn.Embedding(5, 2, **options)
            filled(torch, device, layer, weight=table.astype(name))
            assert_equal(layer.padding_idx, None if padding is None else 3)
            above = values((12, 2), name, "signed", 3)
            gradient = np.zeros((5, 2))
            np.add.at(gradient, index, wide(above))
            gradient /= np.maximum(counts, 1) if scaled else 1
            gradient[3] *= padding is None
            for call in (layer, lambda i: functional.embedding(i, layer.weight, **options)):  # noqa: B023 - called in this iteration
                layer.weight.grad = None
                call(tensor_of(torch, device, index)).backward(tensor_of(torch, device, above))
                # Each share may be divided before it is added.
                bound = Bound(name, 16, "at most 8 quotients", 64 * unit(name) * 9)
                assert_close(layer.weight.grad, gradient, bound)
    weight = torch.ones(5, 2)
    for wrong in (5, -1, -5, 2**40, -(2**40)) if has("index-check") else ():
        # On the CPU: elsewhere the error comes later, and may take the device with it.
        with case(index=wrong):
            assert_raises(functional.embedding, torch.tensor([0, wrong]), weight)
            assert_raises(torch.nn.Embedding(5, 2), torch.tensor(wrong))


_GROUPED: tuple[Shape, ...] = (
    (3, 4), (2, 6, 5), (1, 4, 3, 3), (2, 12, 7), (5, 2, 9), (2, 8, 2, 17),
)  # fmt: skip


@clause("nn.group-norm", covers=["notes.normalisation-pooling-conv"], effort=0.75)
@for_all(
    shape=st.sampled_from(_GROUPED),
    groups=st.sampled_from((2, 1, 0)),
    layout=layouts(),
    options=st.sampled_from([*product(FLOATS, (True, False), (1e-5, 0.1))]),
    seed=seeds(),
)
def group_norm_normalises_groups_of_channels(
    torch: Any, device: str, shape: Shape, groups: int, layout: str,
    options: tuple[str, bool, float], seed: int,
) -> None:  # fmt: skip
    """GroupNorm(g, c) normalises each sample over the channels of each of g groups of
    neighbours and all that lies behind them; then come a weight and a bias for each channel."""
    dtype, affine, eps = options
    count = groups or shape[1]  # or each channel by itself
    for name in supported([dtype]):
        x = _shifted(shape, name, seed)
        layer = torch.nn.GroupNorm(count, shape[1], eps=eps, affine=affine)
        per = (1, shape[1], *[1] * (len(shape) - 2))
        arrays = [values((shape[1],), name, "normal", seed + n) for n in (1, 2)]
        weight, bias = (wide(array).reshape(per) for array in arrays)
        if affine:
            filled(torch, device, layer, weight=arrays[0], bias=arrays[1])
        else:
            weight, bias = np.ones(per), np.zeros(per)
        grouped = wide(x).reshape(shape[0], count, -1)
        y = layers.normalised(grouped, (-1,), eps)
        expected = y.reshape(shape) * weight + bias
        bound = layers.normalised_bound(grouped, (-1,), eps, np.ones(()), y, name)
        assert bound.absolute is not None
        error = np.asarray(bound.absolute).reshape(shape) * np.abs(weight)
        error = error + 4 * unit(name) * (np.abs(y.reshape(shape) * weight) + np.abs(expected))
        tensor = laid_out(torch, device, x, layout)
        wanted = Bound(name, 2, bound.reason, error)
        assert_close(layer(tensor), expected, wanted)
        assert_close(layer.eval()(tensor), expected, wanted)


class Normalisation(NamedTuple):
    """A normalisation of an input of a shape.

    grouped, dims: the shape in which it normalises, and over what; parameter: the shape of weight
    and bias; per: that in which they go with the input, and summed: the dimensions along which
    they repeat. act: called with torch.nn.functional, the input, weight, bias and eps.
    """

    name: str
    shape: Shape
    grouped: Shape
    dims: tuple[int, ...]
    parameter: Shape
    per: Shape
    summed: tuple[int, ...]
    act: Callable[..., Any]


def _of_channels(
    name: str, shape: Shape, grouped: Shape, dims: tuple[int, ...], act: Callable[..., Any]
) -> Normalisation:
    places = tuple(range(2, len(shape)))
    per = (1, shape[1], *[1] * len(places))
    return Normalisation(name, shape, grouped, dims, (shape[1],), per, (0, *places), act)


def _normalisations() -> Iterator[Normalisation]:
    """Of every shape of which the clauses above judge the values."""
    for shape in _NORMALISED:
        yield _of_channels(
            "batch_norm", shape, shape, (0, *range(2, len(shape))),
            lambda f, x, w, b, eps: f.batch_norm(x, None, None, w, b, True, 0.1, eps),
        )  # fmt: skip
    for shape, rank in _LAYER_NORMS:
        over = shape[len(shape) - rank :]
        yield Normalisation(
            "layer_norm", shape, shape, tuple(range(-rank, 0)), over, over,
            tuple(range(len(shape) - rank)),
            lambda f, x, w, b, eps, over=over: f.layer_norm(x, over, w, b, eps),
        )  # fmt: skip
    for shape, groups in product(_GROUPED, (1, 2, 0)):
        count = groups or shape[1]
        yield _of_channels(
            f"group_norm of {count}", shape, (shape[0], count, prod(shape[1:]) // count), (-1,),
            lambda f, x, w, b, eps, count=count: f.group_norm(x, count, w, b, eps),
        )  # fmt: skip


_NORMALISATIONS = [*_normalisations()]


@clause(
    "nn.normalisation-gradients",
    covers=["notes.normalisation-pooling-conv"],
    requires={"autograd"},
)
@for_all(
    which=st.integers(0, len(_NORMALISATIONS) - 1),
    layout=st.tuples(layouts(), layouts(), layouts()),
    options=st.sampled_from([*product(FLOATS, (True, True, False), (1e-5, 0.1))]),
    seed=seeds(),
)
def normalisation_has_the_gradients_of_its_formula(
    torch: Any, device: str, which: int, layout: tuple[str, str, str],
    options: tuple[str, bool, float], seed: int,
) -> None:  # fmt: skip
    """Of y = (x - mean) / root, the root of variance + eps, the gradient for x is (g - mean(g) -
    y mean(g y)) / root, with the means over what is normalised together: in BatchNorm's training,
    LayerNorm and GroupNorm, for inputs of any rank. g is the gradient that arrives times the
    weight, whose own gradient is the sum of what arrives times y, and the bias' that of what
    arrives. Where the operands and the gradient lie in memory makes no difference; of BatchNorm
    only contiguous parameters are asked."""
    norm = _NORMALISATIONS[which]
    dtype, affine, eps = options
    for name in supported([dtype]):
        x = _shifted(norm.shape, name, seed)
        arrays = [values(norm.parameter, name, "normal", seed + n) for n in (1, 2)]
        given = leaf(torch, device, x, layout[0])
        # PyTorch 2.13 has a defect here: of matrices and of images with their channels last, the
        # gradient of batch_norm's input takes a strided weight as it lies in memory.
        lying = "contiguous" if norm.name == "batch_norm" else layout[1]
        held: list[Any] = [None, None]
        if affine:
            held = [leaf(torch, device, array, lying) for array in arrays]
        out = norm.act(torch.nn.functional, given, *held, eps)
        above = values(norm.shape, name, "normal", seed + 3)
        gradient, arrived = arriving(torch, device, above, layout[2])
        out.backward(gradient)
        above = wide(arrived)
        within = above * wide(arrays[0]).reshape(norm.per) if affine else above
        how = wide(x).reshape(norm.grouped), norm.dims, eps
        within = within.reshape(norm.grouped)
        bound, z, off = layers.normalised_gradient_bounds(*how, within, name)
        with case(of=norm.name, shape=norm.shape, gradient="input", dtype=name):
            expected = layers.normalised_gradient(*how, within)
            assert_close(given.grad.reshape(norm.grouped), expected, bound)
        if not affine:
            continue
        rows = prod(norm.shape[dim] for dim in norm.summed)
        y = layers.normalised(*how).reshape(norm.shape)
        # The products may be of z's parts, and are added in any order.
        added = (rows + 8) * unit("float32" if name in layers.HALF else name) + 4 * unit(name)
        share = (z * (off + added)).reshape(norm.shape)
        for got, of, expected, error in (
            (held[0], "weight", above * y, np.abs(above) * share),
            (held[1], "bias", above, np.abs(above) * added),
        ):
            with case(of=norm.name, shape=norm.shape, gradient=of, dtype=name):
                expected, error = (
                    one.sum(norm.summed).reshape(norm.parameter) for one in (expected, error)
                )
                assert_close(got.grad, expected, Bound(name, 1, f"{rows} products", error))


@clause(
    "nn.strided-normalisation-weights",
    covers=["notes.normalisation-pooling-conv", "notes.layout-independence"],
    requires={"autograd", "views"},
)
def a_weight_with_gaps_scales_the_gradient_of_batch_norm(torch: Any, device: str) -> None:
    """In BatchNorm's training the gradient of the input is that of its formula where the weight has
    gaps in memory, too, for matrices and for images, whose channels come first or last."""
    shapes: tuple[Shape, ...] = ((4, 3), (4, 3, 1), (2, 3, 4), (2, 3, 4, 5))
    for lying, shape, layout, name in product(
        ("contiguous", "stepped"),
        shapes,
        ("contiguous", "transposed", "channels-last"),
        supported(SINGLE),
    ):
        x, arrived = _shifted(shape, name, 1), values(shape, name, "normal", 4)
        weight = values((3,), name, "normal", 2)
        given = leaf(torch, device, x, layout)
        held = laid_out(torch, device, weight, lying)
        out = torch.nn.functional.batch_norm(given, None, None, held, None, True, 0.1, 1e-5)
        out.backward(laid_out(torch, device, arrived, layout))
        within = wide(arrived) * wide(weight).reshape(1, 3, *[1] * (len(shape) - 2))
        how = wide(x), (0, *range(2, len(shape))), 1e-5
        bound, _, _ = layers.normalised_gradient_bounds(*how, within, name)
        with case(weight=lying, shape=shape, layout=layout, dtype=name):
            assert_close(given.grad, layers.normalised_gradient(*how, within), bound)


_DROPPED = 20000


def _dropouts(torch: Any, p: float) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    functional = torch.nn.functional
    yield "layer", torch.nn.Dropout(p)
    yield "layer in place", lambda x: torch.nn.Dropout(p, inplace=True)(x.clone())
    yield "functional", lambda x: functional.dropout(x, p)
    yield "functional, training", lambda x: functional.dropout(x, p=p, training=True)
    yield "function", lambda x: torch.dropout(x, p, True)


@clause("nn.dropout", thorough=True, covers=["hackmd.train-eval"], requires={"autograd"})
def dropout_zeroes_a_share_and_rescales_the_rest(torch: Any, device: str) -> None:
    """In training Dropout(p) zeroes every element with probability p, each by itself and anew at
    every call, and multiplies the others by 1 / (1 - p); the gradient passes where the element
    did, as much enlarged. p = 0 changes nothing and p = 1 leaves nothing."""
    for name in supported(("float32", "float64", "bfloat16", "float16")):
        x = np.ones((_DROPPED // 100, 100), numpy_dtype(name))
        given = tensor_of(torch, device, x)
        for p in (0.5, 0.1, 0.8):
            kept_as = rounded(np.asarray(1 / (1 - p)), name)
            for spelling, drop in _dropouts(torch, p):
                with case(spelling=spelling, p=p, dtype=name):
                    first, second = wide(read(drop(given))), wide(read(drop(given)))
                    kept = first != 0
                    off = np.abs(first[kept] - wide(kept_as)).max()
                    assert_that(off <= 2 * FORMATS[name].eps * wide(kept_as), f"off by {off}")
                    for what, count, total, chance in _counts(kept, second != 0, 1 - p):
                        likely = layers.likely(count, total, chance)
                        assert_that(likely, f"{count} of {total} {what}, expected {chance:.3f}")
            for layout in ("contiguous", "transposed", "stepped"):
                with case(spelling="gradient", p=p, dtype=name, layout=layout):
                    variable = leaf(torch, device, x, layout)
                    out = torch.nn.functional.dropout(variable, p)
                    out.backward(torch.ones_like(out))
                    bound = ulps(2, name, "the same factor", 0.0)
                    assert_close(variable.grad, wide(read(out)), bound)
        for spelling, drop in _dropouts(torch, 0.0):
            with case(spelling=spelling, p=0, dtype=name):
                assert_equal(drop(given), x)
        for spelling, drop in _dropouts(torch, 1.0):
            with case(spelling=spelling, p=1, dtype=name):
                assert_equal(drop(given), np.zeros_like(x), signed_zero=False)
        assert_equal(given, x)
        functional = torch.nn.functional.dropout
        for p, left in ((0.0, x), (1.0, np.zeros_like(x))):
            for drop in (torch.nn.Dropout(p, inplace=True), partial(functional, p=p, inplace=True)):
                own = given.clone()
                with case(spelling="in place", p=p, dtype=name):
                    assert_same_object(drop(own), own)
                    assert_equal(own, left, signed_zero=False)
    for wrong in (-0.1, 1.1):
        assert_raises(torch.nn.Dropout, wrong)


def _counts(first: Array, second: Array, keep: float) -> Iterator[tuple[str, int, int, float]]:
    """What should be a binomial count: of the elements kept, and of pairs kept together."""
    flat = first.reshape(-1)
    yield "elements are kept", int(flat.sum()), flat.size, keep
    yield "of the last elements are kept", int(flat[-1000:].sum()), 1000, keep
    half = flat.size // 2
    both = keep * keep
    yield "neighbours", int((flat[::2] & flat[1::2]).sum()), half, both
    yield "distant pairs", int((flat[:half] & flat[half:]).sum()), half, both
    rows = first[::2] & first[1::2]
    yield "pairs in a column", int(rows.sum()), rows.size, both
    again = first & second
    yield "elements are kept twice", int(again.sum()), again.size, both


@clause("nn.modes", covers=["hackmd.train-eval"])
def train_and_eval_switch_every_submodule(torch: Any, device: str) -> None:
    """train() and eval() set `training` of a module and all of its submodules, however deep, and
    return the module, which begins in training. In evaluation Dropout passes everything on and
    BatchNorm uses and keeps its running statistics; functional.dropout goes by its argument."""
    nn = torch.nn
    for name in supported(SINGLE):
        inner = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.9))
        model = nn.Sequential(nn.BatchNorm1d(3), inner)
        model = model.to(device=device, dtype=getattr(torch, name))
        assert_equal([module.training for module in model.modules()], [True] * 5)
        x = values((40, 3), name, "normal", 3)
        given = tensor_of(torch, device, x)
        assert_that((read(model(given)) == 0).sum() > 60, "nothing was dropped in training")
        mean = read(model[0].running_mean)
        for spelling, switch, on in (
            ("eval()", lambda m: m.eval(), False),
            ("train()", lambda m: m.train(), True),
            ("train(False)", lambda m: m.train(False), False),
            ("train(True)", lambda m: m.train(True), True),
            ("train(mode=False)", lambda m: m.train(mode=False), False),
        ):
            with case(spelling=spelling, dtype=name):
                assert_same_object(switch(model), model)  # type: ignore[no-untyped-call]  # a lambda
                assert_equal([module.training for module in model.modules()], [on] * 5)
                if not on:
                    before = wide(read(model[0].running_mean)), wide(read(model[0].running_var))
                    expected = (wide(x) - before[0]) / np.sqrt(before[1] + 1e-5)
                    bound = Bound(name, 4, "some operations", 16 * unit(name) * 4)
                    assert_close(model(given), expected, bound)
                    assert_equal(model[0].running_mean, before[0].astype(name))
                    assert_equal(nn.functional.dropout(given, 0.5, training=False), x)
                    for inplace in (False, True):
                        own = given.clone()
                        off = nn.functional.dropout(own, 0.5, training=False, inplace=inplace)
                        assert_equal(off, x)
                        assert_equal(nn.Dropout(0.5, inplace=inplace).eval()(own), x)
                        assert_equal(own, x)
                    assert_equal(nn.functional.dropout(given, 0.5, training=model.training), x)
        assert_that((mean != 0).all(), "the statistics did not move in training")
        model.eval()
        inner.train()
        assert_equal([model.training, inner.training, model[0].training], [False, True, False])
