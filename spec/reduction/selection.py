"""Elements that are chosen: extremes, medians, quantiles, and their positions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    layouts,
    place,
    seeds,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.cases import with_dim as shapes_with_dim
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import (
    FLOATS,
    FORMATS,
    INTEGERS,
    REAL,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import Bound
from tenet.spec.reduction.common import (
    SELECTORS,
    SINGLE,
)

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
