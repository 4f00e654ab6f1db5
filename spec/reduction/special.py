"""What has no elements, few of them, or NaN among them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    seeds,
    tensor_of,
    values,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import (
    FLOATS,
    numpy_dtype,
)
from tenet.spec.model.tolerance import summation, ulps
from tenet.spec.reduction.common import (
    SINGLE,
)

_EMPTY_RESULTS: dict[str, Any] = {"sum": 0, "prod": 1, "any": False, "all": True}
_ORDERED = ("max", "min", "argmax", "argmin", "amax", "amin")


@clause("reduction.empty", covers=["notes.empty-inputs"], thorough=True)
def reductions_of_nothing_give_their_neutral_element(torch: Any, device: str) -> None:
    """Over no elements sum is 0, prod 1, mean nan, any False, all True, and none are counted, along
    a dimension of length 0 and over a whole tensor; max, min, argmax and argmin raise there, and
    give an empty result where the dimension that they reduce has elements."""
    for name in supported((*FLOATS, "int64", "uint8", "bool")):
        for shape in ((0,), (2, 0), (0, 3), (3, 0, 2), (17, 0)):
            x = torch.zeros(shape, dtype=getattr(torch, name), device=device)
            dim = shape.index(0)
            left = shape[:dim] + shape[dim + 1 :]
            with case(dtype=name, shape=shape):
                for reduction, neutral in _EMPTY_RESULTS.items():
                    kind: Any = name if name in FLOATS else "int64"
                    if reduction in ("any", "all"):
                        kind = "uint8" if name == "uint8" else "bool"
                    function = getattr(torch, reduction)
                    number = np.array(neutral).astype(numpy_dtype(kind))
                    with case(reduction=reduction):
                        assert_equal(function(x), number)
                        assert_equal(function(x, dim), np.full(left, number))
                        kept = np.full((*shape[:dim], 1, *shape[dim + 1 :]), number)
                        assert_equal(function(x, dim - len(shape), keepdim=True), kept)
                assert_equal(torch.count_nonzero(x), np.int64(0))
                assert_equal(torch.count_nonzero(x, dim), np.zeros(left, np.int64))
                if name in FLOATS:
                    nan = np.array(np.nan).astype(numpy_dtype(name))
                    assert_equal(x.mean(), nan)
                    assert_equal(x.mean(dim), np.full(left, nan))
                _raise_without_elements(torch, x, dim)


def _raise_without_elements(torch: Any, x: Any, dim: int) -> None:
    one = torch.ones((1, *x.shape), dtype=x.dtype, device=x.device)
    for name in _ORDERED:
        if x.dtype == torch.bool and name.startswith("arg"):
            continue
        function = getattr(torch, name)
        with case(reduction=name):
            function(torch.ones(1, dtype=x.dtype, device=x.device))
            function(torch.ones(1, dtype=x.dtype, device=x.device), 0)
            assert_raises(function, x)
            assert_raises(function, x, dim)
            assert_raises(function, x, dim - x.dim())
            kept = function(one, 0)
            assert_metadata(kept[0] if isinstance(kept, tuple) else kept, shape=tuple(x.shape))


@clause("reduction.nan", covers=["notes.nan-propagation"], effort=0.5)
@for_all(length=st.sampled_from((2, 1, 3, 7, 8, 9, 16, 17, 33, 64, 65, 129, 257, 1025)),
         at=st.integers(0, 1024), seed=seeds(), rows=st.booleans())  # fmt: skip
def one_nan_is_enough(torch: Any, device: str, length: int, at: int, seed: int, rows: bool) -> None:
    """One NaN, wherever it is, makes max, min, sum, mean, amax, amin and prod NaN, and argmax
    and argmin give its position; along a dimension, in its lane alone."""
    at %= length
    for name in supported(FLOATS):
        lane = values((length,), name, "signed", seed)
        kept = lane.copy()
        lane[at] = np.nan
        array = np.stack([kept, lane], axis=0 if rows else 1)
        dim = 1 if rows else 0
        x, line = tensor_of(torch, device, array), tensor_of(torch, device, lane)
        nan = np.array(np.nan).astype(lane.dtype)
        with case(dtype=name):
            whole = torch.max, torch.min, torch.sum, torch.mean, torch.amax, torch.amin
            for function in whole:
                assert_equal(function(line if seed % 2 else x), nan)
            assert_equal(line.prod(), nan)
            for extreme, argument, position in (
                (torch.max, torch.argmax, kept.argmax()), (torch.min, torch.argmin, kept.argmin())
            ):  # fmt: skip
                found = extreme(x, dim)
                most = kept[position]
                assert_equal(found[0], np.stack([most, nan]), signed_zero=False)
                assert_equal(found[1], np.array([position, at]))
                assert_equal(argument(x, dim), np.array([position, at]))
                assert_equal(argument(line), np.int64(at))


@clause("reduction.nan-compared", covers=["notes.nan-propagation"])
def nan_equals_nothing(torch: Any, device: str) -> None:
    """Every comparison with NaN is False but !=, which is True, for itself as well."""
    for name, length in product(supported(FLOATS), (1, 7, 8, 17, 33)):
        nan = tensor_of(torch, device, np.full(length, np.nan, numpy_dtype(name)))
        with case(dtype=name, length=length):
            for other in (nan, nan.new_ones(length), 1.0, float("nan")):
                never = np.zeros(length, bool)
                for result in (nan == other, nan < other, nan <= other, nan > other, nan >= other):
                    assert_equal(result, never)
                assert_equal(nan != other, ~never)


@clause("reduction.nan-ignored", covers=["notes.nan-propagation", "dlnotes.median"], effort=0.75)
@for_all(length=st.sampled_from((2, 3, 7, 8, 9, 16, 17, 33, 65, 257)), seed=seeds())
def the_nan_functions_leave_nan_out(torch: Any, device: str, length: int, seed: int) -> None:
    """nansum, nanmean, nanmedian and nanquantile take no notice of NaN; median and quantile
    become NaN."""
    for name in supported(SINGLE):
        array = values((length, 3), name, "signed", seed)
        hidden = array.copy()
        hidden[:: 1 + seed % 3, 1] = np.nan
        hidden[0, 2] = np.nan
        x, wide = tensor_of(torch, device, hidden), hidden.astype(np.float64)
        kept = np.where(np.isnan(wide), 0, wide)
        some = [lane[~np.isnan(lane)] for lane in wide.T]
        lower = [np.sort(lane)[(len(lane) - 1) // 2] if len(lane) else np.nan for lane in some]
        bound = summation(np.abs(kept).sum(0), length + 1, name, name)
        with case(dtype=name):
            assert_close(torch.nansum(x, 0), kept.sum(0), bound)
            nothing = tensor_of(torch, device, np.full_like(array, np.nan))
            assert_equal(nothing.nansum(0), np.zeros(3, array.dtype))
            assert_equal(torch.nansum(nothing), np.zeros((), array.dtype))
            means = [lane.mean() if len(lane) else np.nan for lane in some]
            assert_close(x.nanmean(0), np.array(means), bound)
            assert_equal(torch.nanmedian(x, 0)[0], np.array(lower, array.dtype))
            everything = np.sort(np.concatenate(some))
            assert_equal(x.nanmedian(), everything[(len(everything) - 1) // 2].astype(array.dtype))
            low = [lane.min() if len(lane) else np.nan for lane in some]
            assert_equal(torch.nanquantile(x, 0.0, 0), np.array(low, array.dtype))
            assert_equal(torch.median(x, 0)[0][2], np.array(np.nan, array.dtype))
            assert_equal(torch.median(x[:, 2], 0)[0], np.array(np.nan, array.dtype))
            assert_equal(x[:, 2].contiguous().median(-1)[0], np.array(np.nan, array.dtype))
            assert_equal(torch.quantile(x, 0.5, 0)[2], np.array(np.nan, array.dtype))
            assert_equal(x.median(), np.array(np.nan, array.dtype))


@clause("reduction.of-few", covers=["notes.extremal-values"])
def one_two_and_infinite_elements_have_their_statistics(torch: Any, device: str) -> None:
    """std and var of two elements divide by 1, or by 2 where unbiased is False; logsumexp of -inf
    alone is -inf, and of inf inf; the shares of a row with NaN, of one of -inf alone and that of
    inf are NaN, and those of the row beside it are not."""
    for dtype in supported(("float32", "float64")):
        kind = getattr(torch, dtype)
        pairs = torch.tensor([[1, 5], [3, 3]], dtype=kind, device=device)
        wide = np.sqrt(np.array([8.0, 0.0]))
        with case(dtype=dtype):
            bound = ulps(8, dtype, "a mean, two squares, their sum and a root")
            assert_close(pairs.std(1), wide, bound)
            assert_close(pairs[0].std(), wide[0], bound)
            assert_close(pairs.var(1), wide**2, bound)
            assert_close(pairs[0].var(), wide[0] ** 2, bound)
            for limit in (-np.inf, np.inf):
                ends = torch.full((2, 3), limit, dtype=kind, device=device)
                expected = np.full(2, limit).astype(numpy_dtype(dtype))
                assert_equal(ends.logsumexp(1), expected)
                assert_equal(torch.logsumexp(ends[:, :1], 1), expected)
                assert_equal(ends.logcumsumexp(1), np.full((2, 3), limit).astype(dtype))
            for spoilt in ([np.nan, 1, 2, 3], [1, 2, 3, np.nan], [-np.inf] * 4, [np.inf, 1, 2, 3]):
                row = torch.tensor([spoilt, [0, 0, 0, 0]], dtype=kind, device=device)
                for share in (row.softmax(1), row.t().softmax(0).t(), row.log_softmax(1).exp()):
                    assert_close(share[1:], np.full((1, 4), 0.25), ulps(8, dtype, "a quotient"))
                    assert_equal(share[0, :1], np.full(1, np.nan, dtype))
            assert_close(pairs.var(1, False), np.array([4.0, 0.0]), bound)
            gap = torch.tensor([np.nan, 2.0], dtype=kind, device=device)
            assert_equal(torch.nansum(gap, dtype=kind), np.asarray(2, dtype))
