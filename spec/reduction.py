"""Reductions: the laws over the table, and what the documents say beyond them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    Operand,
    layouts,
    operands,
    place,
    seeds,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.cases import with_dim as shapes_with_dim
from tenet.spec.cases.written import REDUCED, gives_what_is_written
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import (
    BOOL,
    COMPLEX,
    FLOATS,
    FORMATS,
    INTEGERS,
    REAL,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import Bound, half_sum, summation, ulps
from tenet.spec.operators.laws import hold
from tenet.spec.operators.measuring import MEASURING
from tenet.spec.operators.reductions import REDUCTIONS

hold(REDUCTIONS, covers=("mlnotes.dim-is-axis",))
hold(MEASURING, covers=("mlnotes.dim-is-axis",), effort=0.1)

Array = np.ndarray
SINGLE = ("float32", "float64")


@clause("reduction.whole", covers=["minicourse.min-max-mean-sum", "minicourse.argmin-argmax"])
@for_all(operand=operands(shapes(empty=False), finite=True), turn=st.sampled_from(range(3)))
def without_a_dimension_all_elements_give_one_number(
    torch: Any, device: str, operand: Operand, turn: int
) -> None:
    """min, max, argmin and argmax without a dimension reduce every element of any rank to a 0-d
    tensor: the least and the largest, in the operand's dtype, and their first position in the
    flattened tensor, int64."""
    for dtype in supported(REAL[turn::3]):
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        with case(dtype=dtype):
            for spelling, result in (("torch.max", torch.max(x)), ("x.max", x.max())):
                with case(spelling=spelling):
                    assert_equal(result, array.max(), signed_zero=False)
            for spelling, result in (("torch.min", torch.min(x)), ("x.min", x.min())):
                with case(spelling=spelling):
                    assert_equal(result, array.min(), signed_zero=False)
            if dtype != "bool":
                assert_equal(torch.argmax(x), np.int64(array.argmax()))
                assert_equal(x.argmin(), np.int64(array.argmin()))


@clause("reduction.sum-of-all", covers=["minicourse.min-max-mean-sum"], effort=1.5)
@for_all(operand=operands(), turn=st.sampled_from(range(2)))
def sum_and_mean_without_a_dimension_are_numbers(
    torch: Any, device: str, operand: Operand, turn: int
) -> None:
    """sum and mean without a dimension reduce a tensor of any rank to a 0-d tensor, for
    contiguous and strided operands of every length; half precision accumulates in float32."""
    for dtype in supported(FLOATS[turn::2]):
        array = values(operand.shape, dtype, "signed", operand.seed)
        layed = place(torch, device, array, operand.layout).view \
            if operand.layout != "expanded" else tensor_of(torch, device, array)  # fmt: skip
        wide = array.astype(np.float64)
        half = dtype not in SINGLE
        bound = half_sum(wide, dtype) if half else summation(
            np.abs(wide).sum(), wide.size + 1, dtype, dtype)  # fmt: skip
        with case(dtype=dtype):
            assert_close(torch.sum(layed), wide.sum(), bound)
            assert_close(layed.sum(), wide.sum(), bound)
            if wide.size:
                assert_close(torch.mean(layed), wide.mean(), bound)
                assert_close(layed.mean(), wide.mean(), bound)


@clause("reduction.mean-of-integers", covers=["minicourse.mean-needs-float"])
def mean_refuses_integers(torch: Any, device: str) -> None:
    """mean() of an integer or bool tensor raises, over all elements and along a dimension; of
    the tensor in a float dtype it is the mean, as with dtype=."""
    for name in supported(INTEGERS + BOOL):
        for shape in ((4,), (2, 3), ()):
            array = values(shape, name)
            x = tensor_of(torch, device, array)
            exact = array.astype(np.float64).mean()
            bound = ulps(2, "float32", "a sum of small integers is exact, and one division")
            with case(dtype=name, shape=shape):
                assert_raises(torch.mean, x)
                assert_raises(lambda t: t.mean(), x)
                assert_raises(torch.mean, x, 0)
                assert_raises(lambda t: t.mean(dim=-1), x)
                assert_close(x.float().mean(), exact, bound)
                assert_close(x.to(torch.float32).mean(dim=0), array.mean(0) if shape else exact,
                             bound)  # fmt: skip
                assert_close(torch.mean(x, dtype=torch.float32), exact, bound)
                assert_close(x.mean(dtype=torch.float32), exact, bound)
    for name, into in product(supported(("int32", "int64")), supported(("float64",))):
        large = tensor_of(torch, device, np.full((2, 2), 2**30 + 1, name))
        for mean in (torch.mean(large, dtype=torch.float64), large.mean(-1, dtype=torch.float64)):
            with case(dtype=name, into=into, of="what float32 has no room for"):
                assert_equal(mean, np.full(tuple(mean.shape), 2.0**30 + 1))


_NARROW = ("int32", "int8", "uint8", "int16")


@clause("reduction.integers", covers=["notes.integer-reductions"])
@for_all(shaped=shapes_with_dim(empty=False), seed=seeds(), layout=layouts(writable=True),
         regime=st.sampled_from(("extreme", "normal", "signed")))  # fmt: skip
def sums_of_integers_are_int64(
    torch: Any, device: str, shaped: Any, seed: int, layout: str, regime: str
) -> None:
    """sum and prod, cumsum and cumprod of integers and bools accumulate in int64, beyond the
    range of the dtype; with dtype= in that one, where they wrap around."""
    shape, dim = shaped
    for number, name in enumerate(supported(INTEGERS + BOOL)):
        array = values(shape, name, regime, seed)
        x = place(torch, device, array, layout).view
        whole = array.astype(np.int64)
        with case(dtype=name):
            if number % 2 == seed % 2:
                assert_equal(x.sum(), np.asarray(whole.sum()))
                assert_equal(torch.prod(x, dim), whole.prod(dim))
                assert_equal(torch.cumsum(x, dim), whole.cumsum(dim))
            else:
                assert_equal(torch.sum(x, dim), whole.sum(dim))
                assert_equal(x.prod(), np.asarray(whole.prod()))
                assert_equal(x.cumprod(dim), whole.cumprod(dim))
            if name != "bool":
                for into in supported([_NARROW[(seed + number) % len(_NARROW)]]):
                    kind, given = getattr(torch, into), array.astype(into)
                    with case(into=into):
                        narrow = np.sum(given, axis=dim, dtype=into)
                        assert_equal(x.sum(dim, dtype=kind), narrow)
                        assert_equal(torch.sum(x, dtype=kind), np.asarray(given.sum(dtype=into)))
                        assert_equal(x.prod(dim, dtype=kind), given.prod(dim, dtype=into))
                        assert_equal(x.cumsum(dim, dtype=kind), given.cumsum(dim, dtype=into))


@clause("reduction.dtype", covers=["notes.integer-reductions", "dlnotes.sum-dim"], effort=1.5)
@for_all(shaped=shapes_with_dim(empty=False), seed=seeds(),
         name=st.sampled_from(("int64", "float32", "uint8", "bool", "float16",
                               "int8", "float64")))  # fmt: skip
def dtype_is_that_of_accumulation(
    torch: Any, device: str, shaped: Any, seed: int, name: str
) -> None:
    """With dtype= the elements are converted first, and the result has that dtype: no digit is
    lost that it has room for, and fractions do not add up to whole numbers."""
    shape, dim = shaped
    array = values(shape, name, "small", seed)
    for into in supported(("float64", "float32", "int64")):
        for _ in supported((name,)):
            x, kind = tensor_of(torch, device, array), getattr(torch, into)
            wide = array.astype(numpy_dtype(into))
            with case(dtype=name, into=into):
                assert_equal(torch.sum(x, dtype=kind), np.asarray(wide.sum()))
                assert_equal(x.sum(dim, True, dtype=kind), wide.sum(dim, keepdims=True))
                assert_equal(torch.cumsum(x, dim, dtype=kind), wide.cumsum(dim))
                signs = values(shape, name, "ties", seed) if name != "bool" else array
                fewer = np.where(signs == signs.max(), 1, 0).astype(array.dtype)
                expected = fewer.astype(numpy_dtype(into)).prod(dim)
                assert_equal(tensor_of(torch, device, fewer).prod(dim, dtype=kind), expected)
                if name in _LARGE and into in _LARGE[name][1]:
                    _convert_first(torch, device, values(shape, name, "signed", seed), dim, into)


_LARGE = {
    "float16": (2.0**7, ("float32", "float64", "int64")),
    "float32": (2.0**20, ("float64", "int64")),
    "float64": (2.0**40, ("int64",)),
}
"""dtype: (what leaves room for 3 digits after the point, dtypes in which a sum of it is exact)."""


def _convert_first(torch: Any, device: str, signed: Array, dim: int, into: str) -> None:
    """Sums of large numbers with eighths, which the given dtype has no room for."""
    large = _LARGE[signed.dtype.name][0]
    array = (signed / signed.dtype.type(8) + signed.dtype.type(large)).astype(signed.dtype)
    x, kind = tensor_of(torch, device, array), getattr(torch, into)
    wide = array.astype(numpy_dtype(into))
    assert_equal(x.sum(dtype=kind), np.asarray(wide.sum()))
    assert_equal(torch.sum(x, dim, dtype=kind), wide.sum(dim))
    assert_equal(x.cumsum(dim, dtype=kind), wide.cumsum(dim))
    if into != "int64":
        assert_equal(torch.nansum(x, dim, dtype=kind), wide.sum(dim))
        bound = ulps(2, into, "a sum without rounding, and one division or a product instead")
        assert_close(torch.mean(x, dim, dtype=kind), wide.mean(dim, dtype=np.float64), bound)
        assert_close(x.mean(dtype=kind), wide.mean(dtype=np.float64), bound)


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


ALONG: dict[str, Callable[..., Any]] = {
    name: (lambda function: lambda torch, x, dim: getattr(torch, function)(x, dim))(name)
    for name in ("sum", "prod", "amax", "amin", "argmax", "argmin", "max", "min", "cumsum",
                 "cumprod", "cummax", "any", "all", "median", "mode", "count_nonzero")
}  # fmt: skip
ALONG |= {
    "x.sum": lambda torch, x, dim: x.sum(dim=dim),
    "x.max": lambda torch, x, dim: x.max(dim=dim),
    "x.argmax": lambda torch, x, dim: x.argmax(dim=dim),
    "mean": lambda torch, x, dim: x.float().mean(dim),
    "std": lambda torch, x, dim: torch.std(x.float(), dim),
    "x.var": lambda torch, x, dim: x.float().var(dim=dim),
    "logsumexp": lambda torch, x, dim: torch.logsumexp(x.float(), dim),
}


@clause("reduction.dim-range", thorough=True, covers=["notes.dim-range"], metadata_only=True)
def a_dimension_lies_within_the_rank(torch: Any, device: str) -> None:
    """dim goes from -ndim to ndim - 1; beyond either end it raises. A 0-d tensor counts as one
    of one dimension."""
    for rank, (name, function) in product(range(5), ALONG.items()):
        x = torch.ones((2, 3, 4, 5)[:rank], dtype=torch.int64, device=device)
        if not rank and name == "cummax":  # its refusal for 0-d tensors differs by device
            continue
        last = max(rank, 1)
        with case(rank=rank, reduction=name):
            for dim in range(-last, last):
                result = function(torch, x, dim)
                part = result[0] if isinstance(result, tuple) else result
                kept = name.startswith("cum")
                shape = list(x.shape)
                if rank and not kept:
                    del shape[dim]
                assert_metadata(part, shape=tuple(shape))
            for beyond in (last, -last - 1, last + 5, -last - 6):
                assert_raises(function, torch, x, beyond)


@clause("reduction.dim-twice", thorough=True, covers=["notes.dim-range"], metadata_only=True)
def a_dimension_is_given_once(torch: Any, device: str) -> None:
    """A dimension given twice, by the same number or once from each end, raises; different ones
    do not; and one of several out of range raises."""
    x = torch.ones((2, 3, 4), device=device)
    functions = (torch.sum, torch.mean, torch.amax, torch.amin, torch.std, torch.var,
                 torch.logsumexp, torch.any, torch.all, torch.nansum)  # fmt: skip
    for function in functions:
        with case(reduction=function.__name__):
            for dims, left in (((0, 1), (4,)), ((0, -1), (3,)), ((-1, -2), (2,)), ((1,), (2, 4))):
                assert_metadata(function(x, dims), shape=left)
            for twice in ((0, 0), (1, -2), (-1, 2), (0, 1, 0), (-1, -1)):
                assert_raises(function, x, twice)
            for beyond in ((0, 3), (-4, 1)):
                assert_raises(function, x, beyond)


SELECTORS: dict[str, Callable[..., Any]] = {
    "max": lambda torch, x, dim: torch.max(x, dim),
    "min": lambda torch, x, dim: x.min(dim=dim),
    "median": lambda torch, x, dim: torch.median(x, dim),
    "mode": lambda torch, x, dim: x.mode(dim),
    "kthvalue": lambda torch, x, dim: torch.kthvalue(x, 1, dim),
}
SCANS: dict[str, Callable[..., Any]] = {
    "cummax": lambda torch, x, dim: torch.cummax(x, dim),
    "cummin": lambda torch, x, dim: x.cummin(dim),
}


@clause("reduction.selected", covers=["dlnotes.max-dim"], effort=0.5)
@for_all(shaped=shapes_with_dim(empty=False, max_size=1500), seed=seeds(),
         regime=st.sampled_from(("ties", "signed", "normal", "constant")),
         layout=layouts(writable=True), turn=st.sampled_from(range(3)))  # fmt: skip
def the_values_are_the_elements_at_the_indices(
    torch: Any, device: str, shaped: Any, seed: int, regime: str, layout: str, turn: int
) -> None:
    """max, min, median, mode and kthvalue along a dimension give values and int64 indices, by
    position and by name; the values are the elements at the indices, ties or not. So do cummax
    and cummin, whose indices lie in the part seen so far."""
    shape, dim = shaped
    for dtype in supported((*FLOATS, *INTEGERS)[turn::3]):
        array = values(shape, dtype, regime, seed)
        x = place(torch, device, array, layout).view
        for name, function in (SELECTORS | SCANS).items():
            with case(dtype=dtype, reduction=name):
                result = function(torch, x, dim)
                at = read(result.indices)
                assert_that(at.dtype == np.int64, f"the indices are {at.dtype}")
                within = at.min() >= 0 and at.max() < shape[dim]
                assert_that(within, "an index lies outside the dimension")
                if name in SCANS:
                    steps = np.arange(shape[dim]).reshape([-1 if d == dim % len(shape) else 1
                                                           for d in range(len(shape))])  # fmt: skip
                    assert_that((at <= steps).all(), "an index lies ahead")
                    assert_equal(result[0], np.take_along_axis(array, at, dim), signed_zero=False)
                    continue
                taken = np.take_along_axis(array, np.expand_dims(at, dim), dim)
                assert_equal(result.values, np.squeeze(taken, dim), signed_zero=False)
                assert_equal(result[1], at)


@clause("reduction.first-of-equals", covers=["dlnotes.max-dim", "dlnotes.argmax-dim"], effort=1.5)
@for_all(length=st.sampled_from((2, 3, 7, 8, 9, 16, 17, 33, 65, 129, 257, 1025)), seed=seeds(),
         last=st.booleans())  # fmt: skip
def of_several_equal_extremes_the_first_is_named(
    torch: Any, device: str, length: int, seed: int, last: bool
) -> None:
    """Where several elements are the largest or the smallest, max, min, argmax and argmin name
    the first of them, along a dimension and over all."""
    for dtype in supported(("float32", "int64", "float64", "uint8", "bfloat16", "int16")):
        array = values((length, 2) if last else (2, length), dtype, "ties", seed)
        x, dim = tensor_of(torch, device, array), 0 if last else 1
        with case(dtype=dtype):
            assert_equal(torch.max(x, dim)[1], array.argmax(dim))
            assert_equal(torch.min(x, dim)[1], array.argmin(dim))
            assert_equal(x.argmax(dim), array.argmax(dim))
            assert_equal(x.argmin(dim), array.argmin(dim))
            assert_equal(x.argmax(), np.int64(array.argmax()))


@clause("reduction.bessel", covers=["dlnotes.std-var"], effort=0.5)
@for_all(
    shaped=shapes_with_dim(empty=False, max_size=1500), seed=seeds(), layout=layouts(writable=True)
)
def std_and_var_divide_by_one_less(
    torch: Any, device: str, shaped: Any, seed: int, layout: str
) -> None:
    """var is the square of std. Both divide by n - 1, as with unbiased=True and correction=1;
    by n with unbiased=False and correction=0, and by n less any other correction, which need not
    be whole. Of one element they are nan, or 0 without the correction."""
    shape, dim = shaped
    for dtype in supported(SINGLE):
        array = values(shape, dtype, "signed", seed)
        x, wide = place(torch, device, array, layout).view, array.astype(np.float64)
        n, least = wide.shape[dim], 64 * wide.size * FORMATS[dtype].eps
        bound = ulps(8, dtype, "two passes over integers of at most 9", least)
        some, every = wide.var(dim), wide.var()
        with np.errstate(all="ignore"):
            bessel = some * n / (n - 1) if n > 1 else np.full_like(some, np.nan)
            whole = every * wide.size / (wide.size - 1) if wide.size > 1 else np.float64(np.nan)
        root = ulps(8, dtype, "the root of the variance", float(np.sqrt(least)))
        with case(dtype=dtype):
            assert_close(torch.var(x, dim), bessel, bound)
            assert_close(x.var(), whole, bound)
            assert_close(x.std(), np.sqrt(whole), root)
            assert_close(x.var(dim, unbiased=False), some, bound)
            assert_close(torch.var(x, dim=dim, correction=0), some, bound)
            assert_close(torch.std(x, unbiased=False), np.sqrt(every), root)
            assert_close(x.var(dim, correction=0.3), some * n / (n - 0.3), bound)
            assert_close(torch.var(x, dim, unbiased=True, keepdim=True),
                         np.expand_dims(bessel, dim), bound)  # fmt: skip
            deviation = x.std(dim)
            assert_close(deviation, np.sqrt(bessel), root)
            square = ulps(4, dtype, "a square of a rounded root", least)
            assert_close(torch.var(x, dim), read(deviation).astype(np.float64) ** 2, square)


@clause("reduction.median", covers=["dlnotes.median"])
@for_all(shape=shapes(min_rank=1, empty=False, max_size=1500), seed=seeds(),
         layout=st.sampled_from(("contiguous", "transposed", "stepped", "gapped")),
         regime=st.sampled_from(("small", "signed", "normal", "ties")))  # fmt: skip
def the_median_is_the_lower_middle(
    torch: Any, device: str, shape: Any, seed: int, layout: str, regime: str
) -> None:
    """median() is the middle element in order; of an even count the lower of the two, never
    their mean, over all elements and along a dimension, in the operand's dtype."""
    for dtype in supported((*FLOATS, "int64", "int32", "uint8")):
        array = values(shape, dtype, regime, seed)
        x = place(torch, device, array, layout).view
        ordered = np.sort(array, axis=None)
        lanes = np.take(np.sort(array, axis=-1), (shape[-1] - 1) // 2, axis=-1)
        with case(dtype=dtype):
            middle = np.asarray(ordered[(array.size - 1) // 2])
            assert_equal(torch.median(x) if seed % 2 else x.median(), middle, signed_zero=False)
            assert_equal(x.median(-1).values, lanes, signed_zero=False)


@clause(
    "reduction.spellings",
    covers=["dlnotes.sum-dim", "dlnotes.argmax-dim", "dlnotes.max-dim"],
    effort=1.5,
)
@for_all(shaped=shapes_with_dim(empty=False, max_size=600), seed=seeds(), keepdim=st.booleans())
def dim_and_keepdim_go_by_place_or_by_name(
    torch: Any, device: str, shaped: Any, seed: int, keepdim: bool
) -> None:
    """dim and keepdim may be given by place or by name, to the function or the method: the
    dimension is gone, or kept with length 1."""
    shape, dim = shaped
    for dtype in supported(("float32", "int64")):
        array = values(shape, dtype, "signed", seed)
        x, wide = tensor_of(torch, device, array), array.astype(np.float64)
        references = {
            "sum": array.sum(dim, keepdims=keepdim), "amax": array.max(dim, keepdims=keepdim),
            "amin": array.min(dim, keepdims=keepdim), "max": array.max(dim, keepdims=keepdim),
            "min": array.min(dim, keepdims=keepdim), "argmin": array.argmin(dim, keepdims=keepdim),
            "argmax": array.argmax(dim, keepdims=keepdim),
        }  # fmt: skip
        turn = seed % 3
        for name, expected in list(references.items())[turn::2]:
            function, method = getattr(torch, name), getattr(x, name)
            with case(dtype=dtype, reduction=name):
                for result in (function(x, dim, keepdim), method(dim, keepdim),
                               function(x, dim=dim, keepdim=keepdim),
                               method(keepdim=keepdim, dim=dim)):  # fmt: skip
                    part = result[0] if isinstance(result, tuple) else result
                    assert_equal(part, expected, signed_zero=False)
        if dtype == "float32":
            bound = summation(np.abs(wide).sum(dim, keepdims=keepdim), 2 + shape[dim], dtype, dtype)
            for result in (x.mean(dim, keepdim), torch.mean(x, dim, keepdim=keepdim)):
                assert_close(result, wide.mean(dim, keepdims=keepdim), bound)


@clause("reduction.out-pair", covers=["dlnotes.max-dim"], requires={"out"}, effort=0.5)
@for_all(
    shaped=shapes_with_dim(empty=False, max_size=300), layout=layouts(writable=True), seed=seeds()
)
def two_results_go_to_two_destinations(
    torch: Any, device: str, shaped: Any, layout: str, seed: int
) -> None:
    """out= of max, min, median, mode and kthvalue takes a pair; both are written, within their
    views alone."""
    shape, dim = shaped
    for dtype in supported(("float32", "int64")):
        array = values(shape, dtype, "signed", seed)
        x = tensor_of(torch, device, array)
        for name in SELECTORS:
            arguments = (1, dim) if name == "kthvalue" else (dim,)
            plain = getattr(torch, name)(x, *arguments)
            left = tuple(plain[0].shape)
            first = place(torch, device, values(left, dtype), layout)
            second = place(torch, device, values(left, "int64"), layout)
            with case(dtype=dtype, reduction=name):
                pair = (first.view, second.view)
                result = getattr(torch, name)(x, *arguments, out=pair)
                assert_same_object(result[0], first.view)
                assert_same_object(result[1], second.view)
                at = np.expand_dims(read(second.view), dim)
                taken = np.squeeze(np.take_along_axis(array, at, dim), dim)
                assert_equal(first.base, first.after(taken), signed_zero=False)
                assert_equal(second.base, second.after(read(second.view)))
                assert_equal(plain[0], taken, signed_zero=False)


@clause("reduction.norms", covers=["mlnotes.dim-is-axis"])
def the_norm_of_order_zero_counts(torch: Any, device: str) -> None:
    """vector_norm of order 0 counts the elements that differ from 0; norm() is the root of the
    sum of squares; of order p, above 0 or below, both are the sum of p-th powers to 1/p, of
    complex numbers that of their magnitudes. Of any order but 0 they hand a NaN on."""
    for name, length in product(supported(SINGLE), (1, 2, 7, 8, 17, 33, 129)):
        array = values((length,), name, "signed", length)
        x, wide = tensor_of(torch, device, array), array.astype(np.float64)
        with case(dtype=name, length=length):
            count = np.asarray((array != 0).sum(), array.dtype)
            assert_equal(torch.linalg.vector_norm(x, 0), count)
            spoilt = array.copy()
            spoilt[length // 2] = np.nan
            y = tensor_of(torch, device, spoilt)
            for order in (2, 1, np.inf, -np.inf, 3):
                nan = np.asarray(np.nan, array.dtype)
                assert_equal(torch.linalg.vector_norm(y, order), nan)
                assert_equal(torch.norm(y, order), nan)
            apart = np.where(array == 0, array.dtype.type(2), array)
            z, size = tensor_of(torch, device, apart), np.abs(apart).astype(np.longdouble)
            for order in (0.5, 0.7, 1.3, 4, 7.5, -0.7, -1, -2, -3.5):
                power = np.longdouble(order)
                # The root of a power counts the roundings of the sum 1/p times.
                steep = ulps((length + 16) * max(1, 1 / abs(order)), name, "powers and their sum")
                wanted = (size**power).sum() ** (1 / power)
                with case(order=order):
                    assert_close(torch.linalg.vector_norm(z, order), wanted, steep)
                    assert_close(torch.norm(z, order), wanted, steep)
            root = np.sqrt((wide * wide).sum())
            bound = ulps(length + 4, name, "n roundings without cancellation")
            assert_close(x.norm(), root, bound)
            assert_close(torch.norm(x), root, bound)
            assert_close(torch.linalg.norm(x), root, bound)
    for name, length in product(supported(COMPLEX), (1, 3, 9, 33)):
        array = values((length,), name, "signed", length)
        array = np.where(array == 0, array.dtype.type(2j), array)
        z, size = tensor_of(torch, device, array), np.abs(array.astype(np.clongdouble))
        real = {"complex64": "float32", "complex128": "float64"}[name]
        for order in (2, 1, np.inf, -np.inf, 3, 0, -1):
            bound = ulps(length + 16, real, "roots, powers and their sum")
            with case(dtype=name, length=length, order=order):
                got = torch.linalg.vector_norm(z, order)
                assert_close(got, np.linalg.norm(size, order), bound)
                assert_metadata(got, shape=(), dtype=real)


@clause("reduction.extremes-so-far-dim-range", covers=["notes.dim-range", "notes.empty-inputs"],
        requires={"values"})  # fmt: skip
def cumulative_operations_refuse_a_dimension_out_of_range(torch: Any, device: str) -> None:
    """cumsum, cumprod, cummin, cummax and logcumsumexp take a dimension that the operand has, and
    raise for another, also where there are no elements."""
    names = ("cumsum", "cumprod", "cummin", "cummax", "logcumsumexp")
    for name, shape in product(names, ((3,), (2, 3), (1,), (0,), (2, 0), (0, 3), ())):
        size, rank = "empty" if 0 in shape else "filled", max(len(shape), 1)
        x = torch.ones(shape, device=device)
        calls = {"function": getattr(torch, name), "method": getattr(type(x), name)}
        for (spelling, call), dim in product(
            calls.items(), (-rank, rank - 1, rank, -rank - 1, rank + 7)
        ):
            with case(operation=name, size=size, shape=shape, dim=dim, spelling=spelling):
                if -rank <= dim < rank:
                    result = call(x, dim)
                    result = result[0] if isinstance(result, tuple) else result
                    assert_metadata(result, shape=shape, dtype="float32")
                else:
                    assert_raises(call, x, dim)


@clause("reduction.diff-of-empty-out", covers=["notes.empty-inputs"], requires={"out"})
def the_differences_of_nothing_fill_out(torch: Any, device: str) -> None:
    """diff(x, out=y) gives what diff(x) does, also where there is no element to take a
    difference of."""
    for name in supported(("float32", "int64")):
        for shape, n in product(((3,), (1,), (0,), (2, 3), (2, 0), (0, 2), (9,)), (1, 2)):
            x = values(shape, name, "small", 3)
            for dim in range(-len(shape), len(shape)):
                along = "nothing" if shape[dim] == 0 else "something"
                with case(along=along, shape=shape, n=n, dim=dim, dtype=name):
                    expected = np.diff(x, n, dim)
                    tensor = tensor_of(torch, device, x)
                    assert_equal(torch.diff(tensor, n, dim), expected)
                    out = torch.ones(expected.shape, dtype=tensor.dtype, device=device)
                    assert_same_object(torch.diff(tensor, n, dim, out=out), out)
                    assert_equal(out, expected)


@clause("reduction.every-length", covers=["mlnotes.dim-is-axis", "notes.layout-independence"])
@for_all(piece=st.sampled_from([(length, turn) for length in EVERY_LENGTH if length
                                for turn in range(3)]))  # fmt: skip
def every_length_is_reduced_to_its_end(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """A reduction reads each element, the last included, of every critical length: of a vector,
    of the rows and of the columns of a matrix, and of all of it, packed, transposed or stepped,
    in every dtype."""
    length, turn = piece
    for dtype in supported(REAL[turn::3]):
        kind = numpy_dtype(dtype)
        array = np.zeros((3, length), kind)
        array[:, 5::9], array[1, -1] = 1, 1  # so few that no sum of them is rounded
        low = array.copy()
        low[0], low[2, -1], low[2, :-1] = 1, 0, 1
        x, y = tensor_of(torch, device, array), tensor_of(torch, device, low)
        whole = array.astype(np.int64)
        total = "int64" if category(dtype) is not Category.FLOAT else dtype
        for lying, dim in (("rows", 1), ("columns", 0), ("transposed", 1), ("vector", 0)):
            if lying == "vector":
                a, c, left, least = x[1], y[2], array[1], low[2]
            elif lying == "columns":
                a, c, left, least = x.t().contiguous(), y.t().contiguous(), array.T, low.T
            elif lying == "transposed":
                a, c, left, least = x.t().contiguous().t(), y.t().contiguous().t(), array, low
            else:
                a, c, left, least = x, y, array, low
            summed = left.astype(np.int64)
            with case(dtype=dtype, length=length, lying=lying):
                assert_equal(a.sum(dim), summed.sum(dim).astype(numpy_dtype(total)))
                assert_equal(a.sum(), np.asarray(summed.sum()).astype(numpy_dtype(total)))
                assert_equal(a.amax(dim), left.max(dim))
                assert_equal(c.amin(dim), least.min(dim))
                assert_equal(torch.max(a, dim).values, left.max(dim))
                assert_equal(torch.min(c, dim).values, least.min(dim))
                assert_equal(a.any(dim), _bool(left.any(dim), dtype))
                assert_equal(c.all(dim), _bool(least.all(dim), dtype))
                assert_equal(torch.count_nonzero(a, dim), np.asarray((left != 0).sum(dim)))
                assert_equal(a.cumsum(dim), summed.cumsum(dim).astype(numpy_dtype(total)))
                assert_equal(c.prod(dim), least.astype(np.int64).prod(dim)
                             .astype(numpy_dtype(total)))  # fmt: skip
                if dtype != "bool":
                    assert_equal(a.argmax(dim), np.asarray(left.argmax(dim)))
                    assert_equal(c.argmin(dim), np.asarray(least.argmin(dim)))
        ends = np.arange(length) == length - 1
        alone, but = (tensor_of(torch, device, z.astype(kind)) for z in (ends, ~ends))
        with case(dtype=dtype, length=length, lying="the last alone"):
            assert_equal(alone.any(), _bool(np.True_, dtype))
            assert_equal(alone.any(0), _bool(np.True_, dtype))
            assert_equal(but.all(), _bool(np.False_, dtype))
        assert_equal(x.sum((0, 1)), np.asarray(whole.sum()).astype(numpy_dtype(total)))
        corner = np.zeros((3, length), kind)
        corner[-1, -1] = 1
        for lying in ("contiguous", "transposed", "stepped"):
            p, q = (place(torch, device, z.astype(kind), lying).view for z in (corner, corner == 0))
            with case(dtype=dtype, length=length, lying=lying, reduced="both dimensions"):
                for most in (p.amax((0, 1)), p.amax((-1, 0)), p.amax(), p.max()):
                    assert_equal(most, np.ones((), kind))
                for least_ in (q.amin((0, 1)), q.amin(), q.min()):
                    assert_equal(least_, np.zeros((), kind))
                assert_equal(p.sum((0, 1)), np.asarray(1).astype(numpy_dtype(total)))
                assert_equal(p.any((0, 1)), _bool(np.True_, dtype))
                assert_equal(q.all((0, 1)), _bool(np.False_, dtype))
                if dtype != "bool":
                    assert_equal(p.argmax(), np.int64(3 * length - 1))
                    assert_equal(q.argmin(), np.int64(3 * length - 1))


@clause("reduction.many-lines", covers=["mlnotes.dim-is-axis", "notes.layout-independence"])
def many_lines_are_reduced_to_their_last(torch: Any, device: str) -> None:
    """More lines than 2^16, and lines as long, are reduced, scanned and searched to their last
    element, along the rows and along the columns."""
    count = 2**16 + 1
    for dtype, (shape, dim) in product(
        supported(("float32", "int64")), (((count, 2), 1), ((count, 2), 0), ((2, count), 1),
                                          ((2, count), 0), ((count,), 0))
    ):  # fmt: skip
        array = (np.arange(count * len(shape)) % 9001 == 7).astype(dtype).reshape(shape)
        array[(-1,) * (len(shape) - 1) + (0,)] = 1  # a scan of the last line is not the line
        array[(-1,) * len(shape)] = 2
        x = tensor_of(torch, device, array)
        with case(dtype=dtype, shape=shape, dim=dim):
            assert_equal(x.sum(dim), array.sum(dim))
            assert_equal(x.sum(), np.asarray(array.sum()))
            assert_equal(x.amax(dim), array.max(dim))
            assert_equal((1 - x).amin(dim), (1 - array).min(dim))
            assert_equal(x.argmax(dim), np.asarray(array.argmax(dim)))
            assert_equal(x.any(dim), np.asarray(array.any(dim)))
            assert_equal((1 - x).prod(dim), (1 - array).prod(dim))
            assert_equal(x.cumsum(dim), array.cumsum(dim))
            if dtype == "float32":
                thrice = ulps(3, dtype, "an exact sum, a reciprocal and a product")
                assert_close(x.mean(dim), array.astype(np.float64).mean(dim), thrice)
                lost = (16 + shape[dim]) * FORMATS[dtype].eps
                bound = ulps(16 + shape[dim], dtype, "a sum of a line and a quotient")
                logarithm = ulps(16, dtype, "the logarithm of a sum of a line", lost)
                share = np.exp(array.astype(np.float64))
                share /= share.sum(dim, keepdims=True)
                assert_close(x.softmax(dim), share, bound)
                assert_close(x.log_softmax(dim), np.log(share), logarithm)


def _bool(result: Any, dtype: str) -> Array:
    """any and all of uint8 are uint8, of every other dtype bool."""
    return np.asarray(result).astype("uint8" if dtype == "uint8" else bool)


@clause(
    "reduction.only-the-lowest",
    covers=["minicourse.min-max-mean-sum", "dlnotes.max-dim"],
    thorough=True,
)
def a_reduction_starts_from_no_number_of_its_own(torch: Any, device: str) -> None:
    """The largest of elements that are all -inf, or all the smallest integer, is that, and stands
    at the first place; so it is with the smallest of the largest, and with what is found so far."""
    for name, length in product(supported(REAL), (1, 2, 7, 8, 9, 16, 17, 33, 65, 129)):
        kind = numpy_dtype(name)
        if category(name) is Category.FLOAT:
            ends: tuple[Any, Any] = (-np.inf, np.inf)
        elif category(name) is Category.INTEGER:
            ends = int(np.iinfo(kind).min), int(np.iinfo(kind).max)  # type: ignore[type-var]
        else:
            continue
        lowest, highest = (np.full((2, length), end).astype(kind) for end in ends)
        for label, array, whole, extreme, argument, running in (
            ("max", lowest, torch.amax, torch.max, torch.argmax, torch.cummax),
            ("min", highest, torch.amin, torch.min, torch.argmin, torch.cummin),
        ):
            x = tensor_of(torch, device, array)
            columns = x.t().contiguous().t()
            with case(dtype=name, length=length, function=label):
                for y in (x, columns):
                    assert_equal(whole(y, 1), array[:, 0])
                    assert_equal(whole(y), np.asarray(array[0, 0]))
                    assert_equal(extreme(y), np.asarray(array[0, 0]))
                    values_, places = extreme(y, 1)
                    assert_equal(values_, array[:, 0])
                    assert_equal(places, np.zeros(2, np.int64))
                    assert_equal(argument(y, 1), np.zeros(2, np.int64))
                    assert_equal(argument(y), np.int64(0))
                    assert_equal(running(y, 1).values, array)
                both = torch.aminmax(x)
                assert_equal(both.min, np.asarray(array[0, 0]))
                assert_equal(both.max, np.asarray(array[0, 0]))


_OFFSETS = {"float32": 2.0**16, "float64": 2.0**42}


def _far_from_zero(name: str, count: int, exact: Any) -> Bound:
    """How wrong the variance of so many numbers beside the offset may be: their mean may be off by
    n*u of itself, and counts squared (Chan, Golub and LeVeque, 1983)."""
    step = 4 * (count + 4) * FORMATS[name].eps / 2 * _OFFSETS[name]
    most = float(np.max(np.sqrt(exact) * step + step**2)) * 2
    return ulps(8, name, "n*u*kappa, kappa = sqrt(1 + mean^2/var)", most)


@clause("reduction.variance-far-from-zero", covers=["dlnotes.std-var"], effort=0.5)
@for_all(length=st.sampled_from((2, 3, 7, 8, 9, 17, 33, 129, 1025)), seed=seeds(),
         last=st.booleans(), sign=st.sampled_from((1, -1)))  # fmt: skip
def the_variance_does_not_suffer_from_a_large_mean(
    torch: Any, device: str, length: int, seed: int, last: bool, sign: int
) -> None:
    """var and std measure the distance from the mean, so that elements far from zero and near
    each other lose no more than their mean does: the difference of the mean square and the
    squared mean would lose everything."""
    for name in supported(SINGLE):
        near = values((2, length), "int16", "signed", seed).astype(np.float64)
        array = (near + sign * _OFFSETS[name]).astype(name)
        exact = near.var(1, ddof=1)
        x = tensor_of(torch, device, array if last else array.T)
        dim = 1 if last else 0
        bound = _far_from_zero(name, length, exact)
        # Over both dimensions, and over those of length 1 beside another, too.
        every = near.var(ddof=1)
        loosely = _far_from_zero(name, 2 * length, every)
        with case(dtype=name):
            assert_close(x.var(dim), exact, bound)
            assert_close(torch.var_mean(x, dim)[0], exact, bound)
            assert_close(x.select(1 - dim, 0).var(), exact[0], bound)
            assert_close(x.unsqueeze(-1).var((dim, 2)), exact, bound)
            assert_close(x.var((0, -1)), every, loosely)
            assert_close(x.var(), every, loosely)
            assert_close(torch.var_mean(x, (1, 0), keepdim=True)[0], every.reshape(1, 1), loosely)


_SCALES = (0, 1, -1)
"""Of numbers: powers of 2^30, whose cubes float32 holds."""
_HOMOGENEOUS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Array], Any], int]] = {
    "sum": (lambda t, x: x.sum(1), lambda x: x.sum(1), 1),
    "mean": (lambda t, x: t.mean(x, 1), lambda x: x.mean(1), 1),
    "var": (lambda t, x: x.var(1), lambda x: x.var(1, ddof=1), 2),
    "var of all": (lambda t, x: t.var(x), lambda x: x.var(ddof=1), 2),
    "std": (lambda t, x: t.std(x, 1), lambda x: x.std(1, ddof=1), 1),
    "std of all": (lambda t, x: x.std(), lambda x: x.std(ddof=1), 1),
    "std_mean": (lambda t, x: t.std_mean(x, 1)[0], lambda x: x.std(1, ddof=1), 1),
    "var_mean": (lambda t, x: t.var_mean(x, 1)[0], lambda x: x.var(1, ddof=1), 2),
    "cov": (lambda t, x: t.cov(x), np.cov, 2),
    "norm": (lambda t, x: x.norm(), np.linalg.norm, 1),
    "vector_norm": (
        lambda t, x: t.linalg.vector_norm(x, dim=1), lambda x: np.linalg.norm(x, axis=1), 1
    ),
    "norm of order 1": (lambda t, x: t.norm(x, 1, 1), lambda x: np.abs(x).sum(1), 1),
    "norm of order 3": (
        lambda t, x: t.linalg.vector_norm(x, 3, 1),
        lambda x: (np.abs(x) ** 3).sum(1) ** (1 / 3), 1,
    ),
    "median": (lambda t, x: x.median(1).values, lambda x: np.sort(x)[:, (x.shape[1] - 1) // 2], 1),
    "quantile": (lambda t, x: x.quantile(0.5, 1), lambda x: np.median(x, 1), 1),
    "cdist": (
        lambda t, x: t.cdist(x[:1], x[1:])[0], lambda x: np.linalg.norm(x[:1] - x[1:], axis=1), 1
    ),
    "dist": (lambda t, x: t.dist(x[0], x[1]), lambda x: np.linalg.norm(x[0] - x[1]), 1),
    "normalize": (
        lambda t, x: t.nn.functional.normalize(x),
        lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), 0,
    ),
    "corrcoef": (lambda t, x: t.corrcoef(x), np.corrcoef, 0),
}  # fmt: skip
"""Function: (the call, the reference, by which power of a factor it grows)."""


@clause("reduction.of-any-scale", covers=["dlnotes.std-var", "minicourse.min-max-mean-sum"])
def statistics_scale_with_their_elements(torch: Any, device: str) -> None:
    """Sums, deviations, norms and distances of small numbers are as small, and those of large ones
    as large, to the same number of digits: nothing is added to them, nor taken for 0. normalize
    divides by the norm, or by eps where that is larger; cosine_similarity by both, likewise."""
    for name, length, scale in product(supported(SINGLE), (3, 9, 33), _SCALES):
        # The last is the first, so that no line is of equal elements.
        whole = np.array([values((length,), name, "signed", seed) for seed in (3, 4, 5)])
        whole[:, 0], whole[:, -1] = (5, -7, 2), (-3, 8, 9)
        factor = 2.0 ** (30 * scale)
        x = tensor_of(torch, device, (whole * factor).astype(name))
        for function, (call, reference, degree) in _HOMOGENEOUS.items():
            expected = np.asarray(reference(whole.astype(np.float64)))
            # Sums of numbers below 10 may cancel; those of squares below 100.
            lost = 4 * length * FORMATS[name].eps * 10 ** max(degree, 1)
            bound = ulps(16, name, "a sum of a line", lost * factor**degree)
            with case(function=function, dtype=name, length=length, scale=f"2^{30 * scale}"):
                assert_close(call(torch, x), expected * factor**degree, bound)
    for name in supported(SINGLE):
        direction = np.array([[3.0, -4.0], [8.0, 15.0]])
        lengths = np.array([[5.0], [17.0]])
        for size in (1.0, 1e-6, 1e-9, 1e-14):
            x = tensor_of(torch, device, (direction * size).astype(name))
            functional, bound = torch.nn.functional, ulps(16, name, "a norm and a quotient")
            with case(dtype=name, size=size, function="normalize"):
                for given, eps in (({}, 1e-12), ({"eps": 1e-7}, 1e-7)):
                    shorter = direction * size / np.maximum(lengths * size, eps)
                    assert_close(functional.normalize(x, **given), shorter, bound)
            with case(dtype=name, size=size, function="cosine_similarity"):
                y = tensor_of(torch, device, np.array([[1.0, -1.0], [1.0, 2.0]], name))
                inner = np.array([7.0, 38.0]) * size
                for given, eps in (({}, 1e-8), ({"eps": 1e-3}, 1e-3)):
                    both = np.maximum(lengths[:, 0] * size, eps) * np.sqrt([2.0, 5.0])
                    assert_close(functional.cosine_similarity(x, y, **given), inner / both, bound)


@clause("reduction.counts-and-covariances", covers=["mlnotes.dim-is-axis", "dlnotes.std-var"])
def counts_covariances_and_differences_agree_with_numpy(torch: Any, device: str) -> None:
    """bincount counts each whole number, or sums their weights, wherever both lie in memory, and
    gives minlength numbers at least; cov and corrcoef compare rows, cov dividing by n minus
    correction; diff of order n takes what is put before and behind along."""
    for length, layout in product((1, 2, 9, 33, 129), ("contiguous", "stepped", "offset")):
        with case(function="bincount", length=length, layout=layout):
            for integer in supported(("int64", "int32", "uint8")):
                whole = values((length,), "uint8", "signed", length).astype(integer)
                x = place(torch, device, whole, layout).view
                for minlength in (0, 4, 12):
                    counted = np.bincount(whole, minlength=minlength)
                    assert_equal(torch.bincount(x, minlength=minlength), counted)
                for name in supported(SINGLE):
                    weights = values((length,), name, "signed", 3)
                    w = place(torch, device, weights, layout).view
                    assert_equal(x.bincount(w), np.bincount(whole, weights).astype(name))
                    parts = values((length,), name, "normal", 3)
                    sizes = np.bincount(whole, np.abs(parts))
                    bound = summation(sizes, length, name, name)
                    assert_close(x.bincount(tensor_of(torch, device, parts)),
                                 np.bincount(whole, parts), bound)  # fmt: skip
                    for minlength in (4, 12):
                        expected = np.bincount(whole, weights, minlength).astype(name)
                        assert_equal(torch.bincount(x, w, minlength), expected)
    for name in supported(SINGLE):
        bound = ulps(64, name, "n roundings of whole numbers below 10", 512 * FORMATS[name].eps)
        for shape in ((2, 9), (3, 17), (5,)):
            array = values(shape, name, "signed", 5)
            x, wide = tensor_of(torch, device, array), array.astype(np.float64)
            for correction in (1, 0, 2):
                with case(function="cov", dtype=name, shape=shape, correction=correction):
                    assert_close(torch.cov(x, correction=correction),
                                 np.cov(wide, ddof=correction), bound)  # fmt: skip
            with case(function="corrcoef", dtype=name, shape=shape):
                assert_close(torch.corrcoef(x), np.corrcoef(wide), bound)
    for name in supported(("float32", "int64", "int16")):
        array, more = values((3, 5), name, "signed", 6), values((3, 2), name, "signed", 7)
        x, y = tensor_of(torch, device, array), tensor_of(torch, device, more)
        for n, ends in product((1, 2, 3), ("prepend", "append")):
            with case(function="diff", dtype=name, n=n, ends=ends):
                expected = np.diff(array, n, 1, **{ends: more})
                assert_equal(torch.diff(x, n, 1, **{ends: y}), expected, signed_zero=False)
        with case(function="diff", dtype=name, ends="both"):
            expected = np.diff(array, 2, -1, prepend=more, append=more)
            assert_equal(x.diff(2, -1, prepend=y, append=y), expected, signed_zero=False)
        for dim, keepdim in product((0, 1, -1), (True, False)):
            with case(function="aminmax", dtype=name, dim=dim, keepdim=keepdim):
                low, high = torch.aminmax(x, dim=dim, keepdim=keepdim)
                assert_equal(low, array.min(dim, keepdims=keepdim), signed_zero=False)
                assert_equal(high, array.max(dim, keepdims=keepdim), signed_zero=False)


_BINS = (
    (4, -4, 4), (1, -1, 3), (8, -4, 4), (16, -2, 2), (3, 0, 3), (17, 0, 17), (5, -2.5, 2.5),
    (5, 0, 10), (2, 9.75, 11.75), (64, -8, 8),
)  # fmt: skip
"""Numbers of bins, and ranges: all bins are so wide that no edge is rounded."""


@clause("reduction.histogram", covers=["mlnotes.dim-is-axis"], effort=0.5)
@for_all(length=st.sampled_from((3, 9, 1, 2, 17, 33, 65, 129, 257, 1025, 0)), seed=seeds(),
         layout=layouts(writable=True), asked=st.sampled_from(_BINS))  # fmt: skip
def histc_counts_what_lies_in_the_range(
    torch: Any, device: str, length: int, seed: int, layout: str, asked: tuple[int, float, float]
) -> None:
    """histc counts the elements in bins of one width between min and max, which belong to the
    first and the last; what is less than min, greater than max or NaN is ignored. Without a range
    it is that of the elements."""
    bins, low, high = asked
    for name in supported(SINGLE):
        # Quarters, so that many lie on an edge.
        array = values((length,), name, "signed", seed) + (np.arange(length) + seed) % 4 / 4
        strange = np.resize([np.nan, np.inf, -np.inf, low, high, low - 0.25, high + 0.25], length)
        array = np.where(np.arange(length) % 3 == 2, strange, array).astype(name)
        numbers = array[np.isfinite(array)]
        counted = np.histogram(numbers, bins, (low, high))[0].astype(name)
        x = place(torch, device, array, layout).view
        with case(dtype=name, bins=bins, min=low, max=high):
            assert_equal(torch.histc(x, bins, low, high), counted)
            assert_equal(x.histc(bins=bins, min=low, max=high), counted)
            table = place(torch, device, np.stack([array, array[::-1]]), layout).view
            assert_equal(torch.histc(table, bins, min=low, max=high), 2 * counted)
        if length:
            ends = np.append(np.abs(np.floor(numbers)) % 8, [0, 8]).astype(name)
            with case(dtype=name, bins=4, elements="of their own range"):
                y = place(torch, device, ends, layout).view
                counted = np.histogram(ends, 4)[0].astype(name)
                assert_equal(torch.histc(y, 4), counted)
                assert_equal(y.histc(4, min=0, max=0), counted)


@clause("reduction.vector-of-quantiles", covers=["mlnotes.dim-is-axis"], effort=0.5)
@for_all(length=st.sampled_from((1, 2, 3, 5, 9, 17, 33)), seed=seeds(),
         rule=st.sampled_from(("linear", "lower", "higher", "midpoint", "nearest")))  # fmt: skip
def quantiles_of_several_ranks_stand_in_front(
    torch: Any, device: str, length: int, seed: int, rule: str
) -> None:
    """quantile of a vector of ranks has a first dimension for them, and each is what the rank
    alone gives, by whatever rule between two elements. A rank that is a number is as precise as
    the elements."""
    ranks = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    for name in supported(SINGLE):
        array = values((length, 3), name, "signed", seed)
        x, q = tensor_of(torch, device, array), tensor_of(torch, device, ranks.astype(name))
        # Quarters of differences of small whole numbers are not rounded.
        expected = np.quantile(array, ranks, axis=0, method=rule).astype(name)  # type: ignore[call-overload] # one of NumPy's names
        with case(dtype=name):
            for function in (torch.quantile, torch.nanquantile):
                got = function(x, q, dim=0, interpolation=rule)
                assert_equal(got, expected, signed_zero=False)
                kept = function(x, q, dim=0, keepdim=True, interpolation=rule)
                assert_equal(kept, expected[:, None], signed_zero=False)
                assert_equal(function(x, 0.75, dim=0, interpolation=rule), expected[3],
                             signed_zero=False)  # fmt: skip
                for rank in (0.1, 0.7):  # of these lengths none is at an element, or halfway
                    alone = np.quantile(array.astype(np.float64), rank, axis=0, method=rule)  # type: ignore[call-overload] # one of NumPy's names
                    # The place is rounded, and so is the part of a difference of 18 at most.
                    lost = 36 * length * FORMATS[name].eps
                    bound = Bound(name, 2, "a place, and a part of a difference", lost)
                    assert_close(function(x, rank, dim=0, interpolation=rule), alone, bound)


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


@clause(
    "reduction.written-out", covers=["mlnotes.dim-is-axis", "dlnotes.sum-dim", "dlnotes.std-var"]
)
def reductions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what NumPy or a count by hand gives: dimensions
    from either end and several of them, keepdim, corrections, interpolations, weights, what is
    put before and after, and infinities where a detour by exp would overflow."""
    gives_what_is_written(torch, device, REDUCED)
