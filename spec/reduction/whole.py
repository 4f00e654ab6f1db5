"""A whole tensor becomes a number: its sum, mean and extremes, and the dtypes of integers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
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
    assert_raises,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import (
    BOOL,
    FLOATS,
    INTEGERS,
    REAL,
    numpy_dtype,
)
from tenet.spec.model.tolerance import half_sum, summation, ulps
from tenet.spec.reduction.common import (
    SINGLE,
    Array,
)


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


@clause(
    "reduction.written-out", covers=["mlnotes.dim-is-axis", "dlnotes.sum-dim", "dlnotes.std-var"]
)
def reductions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what NumPy or a count by hand gives: dimensions
    from either end and several of them, keepdim, corrections, interpolations, weights, what is
    put before and after, and infinities where a detour by exp would overflow."""
    gives_what_is_written(torch, device, REDUCED)
