"""Linear layers, convolutions and pooling."""

from __future__ import annotations

from itertools import product
from math import prod, sqrt
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LAYOUTS, layouts, seeds, tensor_of, values
from tenet.spec.cases.networks import Convolution, Pooling, convolutions, poolings
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
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
from tenet.spec.model.tolerance import Bound
from tenet.spec.nn.common import (
    FLOATS,
    SINGLE,
    Shape,
    arriving,
    filled,
    full_precision,
    laid_out,
    leaf,
    one_or_each,
)

_LEADING: tuple[Shape, ...] = (
    (3,), (1,), (2, 3), (), (0,), (7,), (2, 1, 2), (33,), (129,), (2, 0), (2, 1, 2, 3),
    (1, 2, 1, 1, 2),
)  # fmt: skip
_WIDTHS = ((2, 6), (1, 1), (3, 2), (7, 8), (8, 7), (9, 17), (16, 16), (17, 9), (31, 33), (64, 1),
           (32, 64), (1, 65), (129, 5), (5, 129), (1025, 3))  # fmt: skip


@clause("nn.linear", covers=["minicourse.linear-is-matmul", "mlnotes.linear-shapes"], effort=1.5)
@for_all(
    widths=st.sampled_from([*product(_WIDTHS, _LEADING)]),
    layout=layouts(),
    how=st.sampled_from([*product(FLOATS, (True, False))]),
    seed=seeds(),
)
def linear_maps_the_last_dimension(
    torch: Any, device: str, widths: tuple[tuple[int, int], Shape], layout: str,
    how: tuple[str, bool], seed: int,
) -> None:  # fmt: skip
    """Linear(i, o) keeps a weight (o, i) and a bias (o), and maps (..., i) to (..., o) as
    x @ weight.T + bias, whatever the leading dimensions; another last dimension raises."""
    (before, after), leading = widths
    dtype, bias = how
    for name in supported([dtype]):
        x = values((*leading, before), name, "normal", seed)
        arrays = {"weight": values((after, before), name, "normal", seed + 1)}
        if bias:
            arrays["bias"] = values((after,), name, "normal", seed + 2)
        given = laid_out(torch, device, x, layout)
        layer = torch.nn.Linear(before, after, bias=bias)
        assert_metadata(layer.weight, shape=(after, before))
        assert_equal((layer.in_features, layer.out_features), (before, after))
        assert_equal(layer.bias is not None, bias)
        filled(torch, device, layer, **arrays)
        exact = [wide(array) for array in arrays.values()]
        expected = layers.linear(wide(x), *exact)
        size = layers.linear(np.abs(wide(x)), *map(np.abs, exact))
        bound = layers.inner_bound(size, before, name)
        assert_close(layer(given), expected, bound)
        parameters = [laid_out(torch, device, array, layout) for array in arrays.values()]
        assert_close(torch.nn.functional.linear(given, *parameters), expected, bound)
        assert_equal(given, x)
        # That it could be stretched to the width is not enough.
        for width in {before + 1, before - 1, 1} - {before}:
            with case(width=width):
                wrong = torch.ones((*leading, width), dtype=given.dtype, device=device)
                if before > 1 or 0 not in leading:
                    assert_raises(layer, wrong)


@clause(
    "nn.linear-gradients",
    covers=["minicourse.linear-is-matmul"],
    requires={"autograd"},
    effort=1.5,
)
@for_all(
    widths=st.sampled_from([*product(_WIDTHS, _LEADING)]),
    layout=st.tuples(layouts(), layouts()),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def linear_has_the_gradients_of_a_product(
    torch: Any, device: str, widths: tuple[tuple[int, int], Shape], layout: tuple[str, str],
    dtype: str, seed: int,
) -> None:  # fmt: skip
    """Given the gradient g of a linear layer's result, that of the input is g @ weight, that of
    the weight g.T @ x and that of the bias the sum of g over the leading dimensions, wherever the
    operands and g lie in memory."""
    (before, after), leading = widths
    for name in supported([dtype]):
        x, above, weight, bias = (
            values(shape, name, "normal", seed + turn)
            for turn, shape in enumerate(
                ((*leading, before), (*leading, after), (after, before), (after,))
            )
        )
        given = leaf(torch, device, x, layout[0])
        layer = filled(torch, device, torch.nn.Linear(before, after), weight=weight, bias=bias)
        layer.weight = torch.nn.Parameter(laid_out(torch, device, weight, layout[0]))
        gradient, above = arriving(torch, device, above, layout[1])
        layer(given).backward(gradient)
        rows, ups = wide(x).reshape(-1, before), wide(above).reshape(-1, after)
        w = wide(weight)
        for got, expected, size, terms in (
            (given.grad, wide(above) @ w, np.abs(wide(above)) @ np.abs(w), after),
            (layer.weight.grad, ups.T @ rows, np.abs(ups.T) @ np.abs(rows), len(rows)),
            (layer.bias.grad, ups.sum(0), np.abs(ups).sum(0), len(rows)),
        ):
            assert_close(got, expected, layers.inner_bound(size, terms, name))


@clause("nn.linear-documented", covers=["minicourse.linear-is-matmul", "mlnotes.linear-shapes"])
def the_documented_linear_layers_have_their_shapes(torch: Any, device: str) -> None:
    """Linear(2, 6) maps (3, 2) to (3, 6) and Linear(32, 64) has a weight (64, 32) and a bias
    (64); both begin with numbers within 1 / sqrt(in_features) of 0, and are trained."""
    layer = torch.nn.Linear(2, 6, device=device)
    assert_metadata(layer(torch.ones(3, 2, device=device)), shape=(3, 6), dtype="float32")
    assert_raises(layer, torch.ones(3, 3, device=device))
    assert_raises(layer, torch.ones(2, 3, device=device))
    layer = torch.nn.Linear(32, 64, device=device)
    assert_metadata(layer.weight, shape=(64, 32), dtype="float32")
    assert_metadata(layer.bias, shape=(64,), dtype="float32")
    assert_metadata(layer(torch.ones(2, 5, 32, device=device)), shape=(2, 5, 64))
    for parameter in layer.parameters():
        numbers = read(parameter)
        limit = (1 + 2**-20) / sqrt(32)
        assert_equal(parameter.requires_grad, True)
        assert_that(isinstance(parameter, torch.nn.Parameter), "it is no Parameter")
        assert_that(np.abs(numbers).max() <= limit, f"one is {np.abs(numbers).max()}")
        # 64 uniform numbers all within half of the range: one in 2^64.
        assert_that(np.abs(numbers).max() > limit / 2, "they do not fill their range")
        assert_that(np.unique(numbers).size > numbers.size // 2, "they repeat")
    for before, after in ((4, 1000), (1000, 9), (1, 500)):
        wide_or_narrow = torch.nn.Linear(before, after, device=device)
        limit = (1 + 2**-20) / sqrt(before)
        for name, parameter in wide_or_narrow.named_parameters():
            with case(features=(before, after), parameter=name):
                largest = np.abs(read(parameter)).max()
                assert_that(largest <= limit, f"one is {largest}")
                # Of 500 uniform numbers all within 0.9 of the range: once in 8e22.
                filled_out = parameter.numel() < 500 or largest > 0.9 * limit
                assert_that(filled_out, f"none is larger than {largest}")
    assert_equal(torch.nn.Linear(3, 2, bias=False).bias, None)
    x, weight = torch.ones(4, 3, device=device), torch.ones(2, 3, device=device)
    for count in (3, 5):  # of a bias that does not fit the outputs
        bias = torch.ones(count, device=device)
        assert_raises(torch.nn.functional.linear, x, weight, bias)
        assert_raises(torch.nn.functional.linear, x[None], weight, bias)
    for name in supported(("float64",)):
        layer = torch.nn.Linear(3, 2, device=device, dtype=getattr(torch, name))
        assert_metadata(layer.weight, dtype=name)
        assert_equal(layer.weight.device.type, torch.device(device).type)


def _padding(given: Convolution) -> list[tuple[int, int]]:
    if given.padding == "same":
        return layers.same_padding(given.kernel, given.dilation)
    spread = (0,) * len(given.kernel) if isinstance(given.padding, str) else given.padding
    return [(p, p) for p in spread]


_MODES = {"zeros": "constant", "replicate": "edge", "circular": "wrap", "reflect": "reflect"}


@clause("nn.convolution", covers=["notes.normalisation-pooling-conv"], effort=0.75)
@for_all(convolution=convolutions(), layout=layouts(), dtype=st.sampled_from(FLOATS), seed=seeds())
def convolution_is_a_cross_correlation(
    torch: Any, device: str, convolution: Convolution, layout: str, dtype: str, seed: int
) -> None:
    """Conv1d and Conv2d slide a kernel over the input without turning it: every output is the
    sum of products with the window at stride * place - padding, over the input channels of its
    group, plus the bias; dilation spreads the kernel, padding_mode says what lies beyond the
    edges, padding='same' keeps the lengths. An input without a batch gives the same, one of
    another number of channels raises."""
    given, rank = convolution, len(convolution.kernel)
    channels = given.shape[1] // given.groups
    options = {
        "stride": one_or_each(given.stride, seed),
        "padding": given.padding if isinstance(given.padding, str)
        else one_or_each(given.padding, seed),
        "dilation": one_or_each(given.dilation, seed),
        "groups": given.groups,
    }  # fmt: skip
    for name in supported([dtype]):
        x = values(given.shape, name, "normal", seed)
        arrays = {"weight": values((given.out, channels, *given.kernel), name, "normal", seed + 1)}
        if given.bias:
            arrays["bias"] = values((given.out,), name, "normal", seed + 2)
        kernel = one_or_each(given.kernel, seed)
        layer = getattr(torch.nn, f"Conv{rank}d")(
            given.shape[1], given.out, kernel, bias=given.bias, padding_mode=given.mode, **options
        )
        filled(torch, device, layer, **arrays)
        parts = [wide(array) for array in (x, *arrays.values())]
        how: Any = given.stride, _padding(given), given.dilation, given.groups, _MODES[given.mode]
        expected = layers.convolution(parts[0], parts[1], [*parts, None][2], *how)
        size = layers.convolution(np.abs(parts[0]), np.abs(parts[1]), None, *how)
        # A fast algorithm's error depends on the neighbourhood, so the largest size counts.
        largest = size.max() + max((np.abs(part).max() for part in parts[2:]), default=0.0)
        bound = layers.inner_bound(largest, channels * prod(given.kernel), name, growth=8)
        tensor = laid_out(torch, device, x, layout)
        with full_precision(torch):
            assert_close(layer(tensor), expected, bound)
            with case(spelling="unbatched"):
                assert_close(layer(tensor[-1]), expected[-1], bound)
            if given.mode == "zeros":
                with case(spelling="functional"):
                    functional = getattr(torch.nn.functional, f"conv{rank}d")
                    # Parameters, too, may lie in memory as they like.
                    parameters = [laid_out(torch, device, a, layout) for a in arrays.values()]
                    assert_close(functional(tensor, *parameters, **options), expected, bound)
        assert_equal(tensor, x)
        for count in {given.shape[1] + given.groups, given.shape[1] - 1} - {0}:
            other = torch.ones((1, count, *given.shape[2:]), dtype=tensor.dtype, device=device)
            assert_raises(layer, other)


@clause(
    "nn.convolution-gradients",
    covers=["notes.normalisation-pooling-conv"],
    requires={"autograd"},
    effort=0.6,
)
@for_all(
    convolution=convolutions(),
    layout=st.tuples(layouts(), layouts(), layouts()),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def convolution_has_the_gradients_of_its_products(
    torch: Any, device: str, convolution: Convolution, layout: tuple[str, str, str], dtype: str,
    seed: int,
) -> None:  # fmt: skip
    """The gradients of a convolution are those of its sums of products, for the input, the
    weight and the bias, wherever these and the gradient of the result lie in memory."""
    given, rank = convolution, len(convolution.kernel)
    how: Any = given.stride, _padding(given), given.dilation, given.groups
    for name in supported([dtype]):
        x = values(given.shape, name, "normal", seed)
        shape = (given.out, given.shape[1] // given.groups, *given.kernel)
        weight = values(shape, name, "normal", seed + 1)
        bias = values((given.out,), name, "normal", seed + 2)
        leaves = [
            leaf(torch, device, array, lying)
            for array, lying in zip((x, weight, bias), (*layout[:2], layout[1]), strict=True)
        ]
        with full_precision(torch):
            out = getattr(torch.nn.functional, f"conv{rank}d")(
                *leaves, given.stride, given.padding, given.dilation, given.groups
            )
            above = values(tuple(out.shape), name, "normal", seed + 3)
            gradient, above = arriving(torch, device, above, layout[2])
            out.backward(gradient)
        parts = [wide(array) for array in (x, weight, above)]
        sizes = layers.convolution_gradients(*(np.abs(part) for part in parts), *how)
        dims, each = (0, *range(2, rank + 2)), above.size // given.out
        for got, of, expected, size, terms in zip(
            leaves,
            ("input", "weight", "bias"),
            (*layers.convolution_gradients(parts[0], parts[1], parts[2], *how), parts[2].sum(dims)),
            (*sizes, np.abs(parts[2]).sum(dims)),
            (given.out // given.groups * prod(given.kernel), each, each),
            strict=True,
        ):
            with case(gradient=of):
                bound = layers.inner_bound(size.max(), terms, name, growth=8)
                assert_close(got.grad, expected, bound)


def _distinct(shape: Shape, dtype: str, seed: int) -> Array:
    """Numbers that all differ, so that the largest has one place; bfloat16 holds 256 of them."""
    count = prod(shape)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    return (order - count // 2).astype(numpy_dtype(dtype)).reshape(shape)


@clause("nn.max-pooling", covers=["notes.normalisation-pooling-conv"], effort=0.75)
@for_all(
    pooling=poolings(),
    layout=layouts(),
    above=layouts(),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def max_pooling_takes_the_largest_of_each_window(
    torch: Any, device: str, pooling: Pooling, layout: str, above: str, dtype: str, seed: int
) -> None:
    """MaxPool1d and MaxPool2d give the largest element of every window, exactly; the padding
    never wins, the stride is by default the kernel's, ceil_mode keeps a last window that is cut
    off, return_indices tells where in the flattened plane the largest lies. The gradient goes
    to the largest, however it lies in memory."""
    rank, given = len(pooling.kernel), pooling
    pool = layers.Pool(
        given.shape[2:], given.kernel, given.stride or given.kernel, given.padding,
        given.dilation, given.ceil,
    )  # fmt: skip
    stride = given.stride and one_or_each(given.stride, seed)
    padding, dilation = one_or_each(given.padding, seed), one_or_each(given.dilation, seed)
    options = {"dilation": dilation, "ceil_mode": given.ceil}
    kernel = one_or_each(given.kernel, seed)
    for name in supported([dtype]):
        x = _distinct(given.shape, name, seed)
        tensor = laid_out(torch, device, x, layout)
        expected, places = pool.largest(wide(x))
        expected = expected.astype(x.dtype)
        layer = getattr(torch.nn, f"MaxPool{rank}d")(kernel, stride, padding, **options)
        assert_equal(layer(tensor), expected)
        assert_equal(layer(tensor[0]), expected[0])
        both = getattr(torch.nn, f"MaxPool{rank}d")(
            kernel, stride, padding, return_indices=True, **options
        )
        functional = getattr(torch.nn.functional, f"max_pool{rank}d")
        unknown = x.copy()
        unknown.reshape(-1)[seed % x.size] = np.nan
        # What is larger than NaN? The maximum of a window that holds one is NaN.
        seen = pool.largest(np.isnan(wide(unknown)).astype(float))[0] > 0
        got = functional(tensor_of(torch, device, unknown), kernel, stride, padding, **options)
        assert_equal(got, np.where(seen, np.asarray(np.nan, x.dtype), expected))
        # bfloat16 and float16 round larger integers, to equal ones.
        distinct = x.size <= 2 * 2 ** (FORMATS[name].precision)
        got, where = functional(tensor, kernel, stride, padding, **options, return_indices=True)
        assert_equal(got, expected)
        if distinct:
            assert_equal(where, places)
            got, where = both(tensor)
            assert_equal(got, expected)
            assert_equal(where, places)
            _, alone = functional(tensor[0], kernel, stride, padding, **options,
                                  return_indices=True)  # fmt: skip
            assert_equal(alone, places[0])
            # Sums of at most 25 numbers among -1.5, 0, 1 and 2.5 are exact in every dtype.
            arrived, held = arriving(
                torch, device, values(expected.shape, name, "ties", seed), above
            )
            tensor = tensor.detach().requires_grad_()
            layer(tensor).backward(arrived)
            sums = np.zeros((*given.shape[:2], prod(given.shape[2:])))
            for plane, index in np.ndenumerate(places):
                sums[(*plane[:2], index)] += held[plane]
            wanted = sums.reshape(given.shape).astype(x.dtype)
            assert_equal(tensor.grad, wanted, signed_zero=False)


@clause("nn.average-pooling", covers=["notes.normalisation-pooling-conv"], effort=0.75)
@for_all(
    pooling=poolings(),
    layout=st.tuples(layouts(), layouts()),
    how=st.sampled_from([*product(FLOATS, (True, False), (None, None, 3))]),
    seed=seeds(),
)
def average_pooling_averages_each_window(
    torch: Any, device: str, pooling: Pooling, layout: tuple[str, str],
    how: tuple[str, bool, int | None], seed: int,
) -> None:  # fmt: skip
    """AvgPool1d and AvgPool2d divide the sum of every window by the number of its elements, which
    include the padding unless count_include_pad=False, but never what ceil_mode adds beyond it;
    AvgPool2d divides by divisor_override where one is given. Each element of a window gets that
    share of its gradient."""
    dtype, counted, divisor = how
    rank, given = len(pooling.kernel), pooling
    # A window in the padding alone has no average.
    pool = layers.Pool(
        given.shape[2:], given.kernel, given.stride or given.kernel, given.padding,
        (1,) * rank, given.ceil,
    )  # fmt: skip
    options: dict[str, Any] = {"ceil_mode": given.ceil, "count_include_pad": counted}
    if rank == 2 and divisor:
        options["divisor_override"] = divisor
    divisor = options.get("divisor_override")
    stride = given.stride and one_or_each(given.stride, seed)
    kernel, padding = one_or_each(given.kernel, seed), one_or_each(given.padding, seed)
    for name in supported([dtype]):
        x = values(given.shape, name, "normal", seed)
        tensor = laid_out(torch, device, x, layout[0])
        expected = pool.average(wide(x), counted, divisor)
        size = pool.average(np.abs(wide(x)), counted, divisor)
        terms = prod(given.kernel)
        bound = layers.inner_bound(size, terms, name)
        layer = getattr(torch.nn, f"AvgPool{rank}d")(kernel, stride, padding, **options)
        functional = getattr(torch.nn.functional, f"avg_pool{rank}d")
        assert_close(layer(tensor), expected, bound)
        assert_close(layer(tensor[-1]), expected[-1], layers.inner_bound(size[-1], terms, name))
        assert_close(functional(tensor, kernel, stride, padding, **options), expected, bound)
        for other in (2, 5) if rank == 2 else ():
            with case(divisor=other):
                another = {**options, "divisor_override": other}
                shares, size = (pool.average(of(wide(x)), counted, other) for of in (wide, np.abs))
                got = functional(tensor, kernel, stride, padding, **another)
                assert_close(got, shares, layers.inner_bound(size, terms, name))
        if has("autograd"):
            above = values(expected.shape, name, "normal", seed + 1)
            arrived, above = arriving(torch, device, above, layout[1])
            tensor = tensor.detach().requires_grad_()
            layer(tensor).backward(arrived)
            wanted, size = (
                pool.average_gradient(of(wide(above)), counted, divisor)
                for of in (np.asarray, np.abs)
            )
            # A share of each window that holds the element, added in the dtype itself.
            off = (terms + 2) * unit(name) * size
            with case(of="gradient"):
                assert_close(tensor.grad, wanted, Bound(name, 1, f"{terms} shares", off))


_SQUARES = ("contiguous", "channels-last", "channels-last-offset", "transposed", "permuted",
            "stepped", "offset", "gapped")  # fmt: skip


_SIDES: tuple[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], ...] = (
    ((2, 2, 5), ((1, 3),)), ((2, 2, 4), ((3, 0),)), ((1, 9), ((0, 2),)),
    ((2, 1, 3, 4), ((2, 0), (1, 3))), ((2, 3, 5), ((0, 1), (4, 2))),
    ((1, 2, 3, 4, 3), ((1, 2), (0, 3), (2, 1))),
)  # fmt: skip
"""A shape, and by how much it grows before and behind, for the dimensions in their order."""


@clause("nn.padding-modes", covers=["notes.normalisation-pooling-conv"], requires={"autograd"})
def padding_repeats_reflects_or_goes_around(torch: Any, device: str) -> None:
    """functional.pad fills with the elements at the edge (replicate), with those behind it in
    reverse (reflect) or with those of the other end (circular), by as much at each end of a
    dimension as is asked, the last dimension named first; what arrives there goes back to them."""
    modes = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}
    for (shape, sides), (mode, said), name in product(_SIDES, modes.items(), supported(FLOATS)):
        array = values(shape, name, "signed", len(shape))
        widths = [(0, 0)] * (len(shape) - len(sides)) + list(sides)
        sources = np.pad(np.arange(array.size).reshape(shape), widths, mode=said)  # type: ignore[call-overload] # one of NumPy's names
        backwards = [count for pair in reversed(sides) for count in pair]
        for layout in ("contiguous", "transposed", "stepped"):
            with case(mode=mode, shape=shape, layout=layout, dtype=name):
                x = leaf(torch, device, array, layout)
                got = torch.nn.functional.pad(x, backwards, mode=mode)
                assert_equal(got.detach(), array.ravel()[sources])
                g = values(sources.shape, name, "ties", 3)
                got.backward(tensor_of(torch, device, g))
                back = np.bincount(sources.ravel(), g.ravel().astype(np.float64), array.size)
                # Sums of at most a few dozen halves.
                assert_equal(x.grad, back.reshape(shape).astype(g.dtype), signed_zero=False)


@clause("nn.square-images", covers=["notes.normalisation-pooling-conv"], thorough=True)
def rows_and_columns_are_not_mixed_up(torch: Any, device: str) -> None:
    """Of square images, in any memory layout, convolution and pooling tell rows from columns, with
    one stride, padding, dilation and kernel length for each; batches, channels and lengths may be
    equal too."""
    functional = torch.nn.functional
    kernels = values((3, 3, 2, 2), "float64", "signed", 2)
    for shape, (stride, padding, dilation) in product(
        ((2, 3, 5, 5), (3, 3, 6, 6), (3, 3, 3, 3)),
        (
            ((1, 2), (0, 0), (1, 1)), ((2, 1), (1, 1), (1, 1)), ((1, 1), (1, 0), (1, 1)),
            ((1, 1), (0, 1), (2, 1)), ((1, 1), (1, 1), (1, 2)), ((2, 2), (0, 0), (1, 1)),
        ),
    ):  # fmt: skip
        x = values(shape, "float64", "signed", 1)
        how: Any = stride, [(p, p) for p in padding], dilation, 1
        expected = layers.convolution(x, kernels, None, *how)
        size = layers.convolution(np.abs(x), np.abs(kernels), None, *how).max()
        # A kernel of one element is a product of matrices, where the stride is 1.
        single = layers.convolution(x, kernels[..., :1, 1:], None, how[0], how[1], (1, 1), 1)
        plane = layers.Pool(shape[2:], (2, 2), stride, padding, dilation, False)
        largest = plane.largest(x)[0]
        # Quarters of whole numbers.
        mean = plane.average(x, True) if dilation == (1, 1) else None
        for layout, name in product(_SQUARES, supported(SINGLE)):
            given = laid_out(torch, device, x.astype(name), layout)
            weight = tensor_of(torch, device, kernels.astype(name))
            with case(shape=shape, layout=layout, stride=stride, padding=padding,
                      dilation=dilation, dtype=name):  # fmt: skip
                with full_precision(torch):
                    got = functional.conv2d(given, weight, None, stride, padding, dilation)
                    one = functional.conv2d(given, weight[..., :1, 1:], None, stride, padding)
                assert_close(got, expected, layers.inner_bound(size, 12, name, growth=8))
                assert_close(one, single, layers.inner_bound(size, 3, name, growth=8))
                pooled = functional.max_pool2d(given, 2, stride, padding, dilation)
                assert_equal(pooled, largest.astype(name), signed_zero=False)
                if mean is not None:
                    got = functional.avg_pool2d(given, 2, stride, padding)
                    assert_equal(got, mean.astype(name), signed_zero=False)


@clause("nn.transposed-convolution", covers=["notes.normalisation-pooling-conv"])
def a_transposed_convolution_is_the_gradient_of_a_convolution(torch: Any, device: str) -> None:
    """ConvTranspose1d and ConvTranspose2d give what the gradient of a convolution with the same
    kernel gives its input, and add the bias; output_padding says which of the lengths that lead to
    the same result is meant, or output_size says it itself."""
    for rank, groups, stride, padding, dilation, extra, (before, after) in (
        (1, 1, 1, 0, 1, 0, (2, 3)), (1, 1, 2, 1, 1, 0, (2, 3)), (1, 2, 2, 0, 1, 1, (2, 3)),
        (1, 1, 3, 1, 2, 2, (2, 3)), (2, 1, 1, 1, 1, 0, (2, 3)), (2, 1, 2, 0, 1, 1, (2, 3)),
        (2, 2, 2, 1, 2, 1, (2, 3)), (2, 3, 3, 0, 1, 0, (2, 3)), (2, 1, 3, 2, 1, 2, (2, 3)),
        # Each channel by itself, for which there are kernels of their own.
        (1, 3, 2, 0, 1, 1, (1, 1)), (2, 3, 2, 1, 1, 1, (1, 1)), (2, 4, 3, 1, 2, 0, (1, 2)),
    ):  # fmt: skip
        channels, kernel = before * groups, (3, 2)[:rank]
        places = (4, 3)[:rank]
        lengths = tuple(
            (n - 1) * stride - 2 * padding + dilation * (k - 1) + extra + 1
            for n, k in zip(places, kernel, strict=True)
        )
        above = values((2, channels, *places), "float64", "signed", 1)
        weight = values((channels, after, *kernel), "float64", "signed", 2)
        bias = values((after * groups,), "float64", "signed", 3)
        how: Any = (stride,) * rank, [(padding, padding)] * rank, (dilation,) * rank, groups
        expected, size = (
            layers.convolution_gradients(of(np.zeros((2, after * groups, *lengths))), of(weight),
                                         of(above), *how)[0]
            for of in (np.asarray, np.abs)
        )  # fmt: skip
        for name, layout in product(supported(FLOATS), LAYOUTS):
            kind = numpy_dtype(name)
            layer = getattr(torch.nn, f"ConvTranspose{rank}d")(
                channels, after * groups, kernel, stride, padding, extra, groups, True, dilation
            )
            filled(torch, device, layer, weight=weight.astype(kind), bias=bias.astype(kind))
            given = laid_out(torch, device, above.astype(kind), layout)
            bound = layers.inner_bound(size.max() + 9, before * prod(kernel), name, growth=8)
            shifted = expected + bias.reshape(-1, *[1] * rank)
            functional = getattr(torch.nn.functional, f"conv_transpose{rank}d")
            how = stride, padding, extra, groups, dilation
            with case(rank=rank, how=how, dtype=name, layout=layout), full_precision(torch):
                assert_close(layer(given), shifted, bound)
                assert_close(functional(given, layer.weight, None, *how), expected, bound)
                if layout == "contiguous":
                    # Lengths that are asked for say what the output_padding has to be.
                    plain = getattr(torch.nn, f"ConvTranspose{rank}d")(
                        channels, after * groups, kernel, stride, padding, 0, groups, True, dilation
                    )
                    filled(torch, device, plain, weight=weight.astype(kind), bias=bias.astype(kind))
                    for size_ in ([*lengths], (2, after * groups, *lengths)):
                        assert_close(plain(given, output_size=size_), shifted, bound)


@clause("nn.adaptive-pooling", covers=["notes.normalisation-pooling-conv"], thorough=True)
def adaptive_pooling_divides_the_length_into_windows(torch: Any, device: str) -> None:
    """AdaptiveAvgPool and AdaptiveMaxPool give the length that is asked for: window i of n goes
    from floor(i L / n) to ceil((i + 1) L / n), so windows may overlap; None keeps the length.
    return_indices tells where the largest lie."""
    nn = torch.nn
    for length, count, name in product(
        (1, 2, 3, 5, 7, 8, 12, 17), (1, 2, 3, 4, 7), supported(SINGLE)
    ):
        bounds = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        x = values((2, 3, length), name, "signed", length)
        square = values((2, 3, 4, length), name, "signed", length)
        layout = tuple(LAYOUTS)[(length + count) % len(LAYOUTS)]
        given = laid_out(torch, device, x, layout)
        for kind, reduce in (("Avg", np.mean), ("Max", np.max)):
            with case(kind=kind, length=length, windows=count, dtype=name, layout=layout):
                expected = np.stack([reduce(wide(x)[..., a:b], -1) for a, b in bounds], -1)
                bound = layers.inner_bound(np.full(expected.shape, 9.0), 18, name)
                got = getattr(nn, f"Adaptive{kind}Pool1d")(count)(given)
                assert_close(got, expected, bound)
                got = getattr(nn, f"Adaptive{kind}Pool1d")(count)(given[0])
                bound = layers.inner_bound(np.full(expected[0].shape, 9.0), 18, name)
                assert_close(got, expected[0], bound)
                expected = np.stack([reduce(wide(square)[..., a:b], -1) for a, b in bounds], -1)
                got = getattr(nn, f"Adaptive{kind}Pool2d")((None, count))(
                    laid_out(torch, device, square, layout)
                )
                wanted = layers.inner_bound(np.full(expected.shape, 9.0), 18, name)
                assert_close(got, expected, wanted)
        with case(kind="Max", length=length, windows=count, dtype=name, returns="indices"):
            pools = torch.nn.functional.adaptive_max_pool1d, nn.AdaptiveMaxPool1d(count, True)
            for got, where in (pools[0](given, count, return_indices=True), pools[1](given)):
                places = read(where)
                assert_metadata(where, shape=(2, 3, count), dtype="int64")
                assert_equal(got, np.take_along_axis(x, places, -1))
                inside = [(places[..., i] >= a) & (places[..., i] < b)
                          for i, (a, b) in enumerate(bounds)]  # fmt: skip
                assert_that(np.all(inside), f"the places {places.tolist()} lie in other windows")


@clause(
    "nn.no-samples",
    covers=["notes.normalisation-pooling-conv", "mlnotes.activations", "mlnotes.losses"],
    requires={"autograd"},
)
def layers_take_a_batch_without_samples(torch: Any, device: str) -> None:
    """Of no samples layers make no results, of the shape that samples would have, and losses
    without reduction no losses, of which the sum is 0; the parameters' gradients are 0."""
    nn = torch.nn
    for name in supported(SINGLE):
        options: dict[str, Any] = {"device": device, "dtype": getattr(torch, name)}
        x = torch.ones((0, 4, 6), **options)
        image = torch.ones((0, 4, 6, 5), **options)
        for layer, given, shape in (
            (nn.Linear(6, 2), x, (0, 4, 2)), (nn.Conv1d(4, 3, 2), x, (0, 3, 5)),
            (nn.Conv2d(4, 3, 2), image, (0, 3, 5, 4)), (nn.MaxPool1d(2), x, (0, 4, 3)),
            (nn.MaxPool2d(2), image, (0, 4, 3, 2)), (nn.AvgPool1d(3), x, (0, 4, 2)),
            (nn.AvgPool2d(2), image, (0, 4, 3, 2)), (nn.LayerNorm((4, 6)), x, (0, 4, 6)),
            (nn.BatchNorm1d(4).eval(), x, (0, 4, 6)), (nn.ReLU(), x, (0, 4, 6)),
            (nn.BatchNorm2d(4).eval(), image, (0, 4, 6, 5)), (nn.Softmax(1), x, (0, 4, 6)),
            (nn.LogSoftmax(-1), x, (0, 4, 6)),
            (nn.Dropout(0.5), x, (0, 4, 6)), (nn.Flatten(), x, (0, 24)),
        ):  # fmt: skip
            with case(layer=type(layer).__name__, shape=shape, dtype=name):
                layer = layer.to(device=device, dtype=getattr(torch, name))
                got = layer(given)
                assert_metadata(got, shape=tuple(shape), dtype=name)
                parameters = list(layer.parameters())
                if parameters and layer.training:
                    got.sum().backward()
                    for parameter in parameters:
                        zeros = np.zeros(tuple(parameter.shape), numpy_dtype(name))
                        assert_equal(parameter.grad, zeros, signed_zero=False)
        none = torch.ones((0, 3), **options)
        index = torch.ones((0,), dtype=torch.int64, device=device)
        for loss, target, count in (
            ("mse_loss", none, (0, 3)), ("binary_cross_entropy_with_logits", none, (0, 3)),
            ("cross_entropy", index, (0,)), ("cross_entropy", none, (0,)),
        ):  # fmt: skip
            with case(loss=loss, target=tuple(target.shape), dtype=name):
                functional = getattr(nn.functional, loss)
                assert_metadata(functional(none, target, reduction="none"), shape=count, dtype=name)
                total = functional(none, target, reduction="sum")
                assert_equal(total, np.zeros((), numpy_dtype(name)), signed_zero=False)
