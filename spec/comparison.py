"""Comparisons: element by element (`gt`, `eq`, ...), and of whole tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    LAYOUTS,
    LENGTHS,
    MANY,
    REGIMES,
    Operand,
    broadcast_shapes,
    broadcastable,
    incompatible_shapes,
    operands,
    place,
    seeds,
    tensor_of,
    values,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.comparing import (
    all_small,
    around,
    close,
    complex_edges,
    edges,
    exact,
    meeting_float,
    neighbours,
    ones,
    rounded_to,
)
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    FLOATS,
    FORMATS,
    INTEGERS,
    REAL,
    Category,
    category,
    numpy_dtype,
)

Shape = tuple[int, ...]
Pair = tuple[Operand, Operand]
Function = Callable[[Any, Any], Any]


class Comparison(NamedTuple):
    """One comparison: NumPy's, Python's operator, the documented names, and its mirror image."""

    reference: Function
    operator: Function
    names: tuple[str, ...]
    mirrored: Function


EQUALITY = (
    Comparison(np.equal, operator.eq, ("eq",), np.equal),
    Comparison(np.not_equal, operator.ne, ("ne", "not_equal"), np.not_equal),
)
ORDER = (
    Comparison(np.less, operator.lt, ("lt", "less"), np.greater),
    Comparison(np.less_equal, operator.le, ("le", "less_equal"), np.greater_equal),
    Comparison(np.greater, operator.gt, ("gt", "greater"), np.less),
    Comparison(np.greater_equal, operator.ge, ("ge", "greater_equal"), np.less_equal),
)
COMPARISONS = EQUALITY + ORDER
NAMES = {comparison.names[0]: comparison.names for comparison in COMPARISONS}


def comparisons_of(dtype: str) -> tuple[Comparison, ...]:
    """Complex numbers have no order."""
    return EQUALITY if category(dtype) is Category.COMPLEX else COMPARISONS


def _pair(group: tuple[Shape, ...], how: tuple[str, str, str], seed: int) -> Pair:
    regime, first, second = how
    return (
        Operand(group[0], first, regime, seed),
        Operand(group[1], second, regime, seed + seed % 3),
    )


# One choice of three things is drawn faster than three choices.
pairs = st.builds(
    _pair, broadcast_shapes(), st.sampled_from([*product(REGIMES, LAYOUTS, LAYOUTS)]), seeds()
)
"""Every third pair of one shape and layout holds the same elements, and others many equal ones."""


SPELLINGS: dict[str, Callable[[Any, Comparison, Any, Any], Any]] = {
    "function": lambda torch, c, a, b: getattr(torch, c.names[0])(a, b),
    "method": lambda torch, c, a, b: getattr(a, c.names[0])(b),
    "long function": lambda torch, c, a, b: getattr(torch, c.names[-1])(a, b),
    "long method": lambda torch, c, a, b: getattr(a, c.names[-1])(b),
    "keywords": lambda torch, c, a, b: getattr(torch, c.names[0])(input=a, other=b),
    "method with keyword": lambda torch, c, a, b: getattr(a, c.names[-1])(other=b),
}
"""not_equal, less, less_equal, greater and greater_equal are the long names of ne, lt, ..."""


@clause(
    "comparison.elementwise",
    covers=["dlnotes.comparisons", "notes.nan-propagation"],
    effort=4,
)
@for_all(operands=pairs, how=st.sampled_from([*product(SPELLINGS, ALL)]))
def comparisons_give_bools_of_the_broadcast_shape(
    torch: Any, device: str, operands: Pair, how: tuple[str, str]
) -> None:
    """eq, ne, lt, le, gt and ge compare element by element, as function, method and operator
    and by their long names alike, and give bool tensors of the broadcast shape; any comparison
    with NaN is False but ne, and -0.0 equals 0.0. The operands stay as they are."""
    spelling, dtype = how
    for name in supported([dtype]):
        a, b = (operand.on(torch, device, name) for operand in operands)
        left, right = (operand.array(name) for operand in operands)
        for comparison in comparisons_of(name):
            expected = comparison.reference(left, right)
            with case(comparison=comparison.names[0]):
                assert_equal(comparison.operator(a, b), expected)
                assert_equal(SPELLINGS[spelling](torch, comparison, a, b), expected)
        assert_equal(a, left)
        assert_equal(b, right)


@clause("comparison.every-length", thorough=True, covers=["dlnotes.comparisons"])
def comparisons_reach_every_element_at_every_length(torch: Any, device: str) -> None:
    """A comparison answers for every element, however many there are."""
    for length, name in product((*EVERY_LENGTH, MANY), supported(REAL)):
        left, right = neighbours(length, name)
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        number = right[-1].item() if length else 1
        for comparison in COMPARISONS:
            with case(comparison=comparison.names[0], length=length, dtype=name):
                assert_equal(comparison.operator(a, b), comparison.reference(left, right))
                expected = comparison.reference(left, right[-1:] if length else left)
                assert_equal(comparison.operator(a, number), expected)


@clause("comparison.every-small-number", covers=["dlnotes.comparisons"])
def comparisons_know_every_number_of_few_bits(torch: Any, device: str) -> None:
    """Comparisons hold for every pair of 8-bit integers and every 16-bit number: all NaNs are
    unordered, subnormal numbers differ from 0, and neighbours from each other."""
    for name in supported(("uint8", "int8", "float16", "bfloat16", "int16")):
        left, right = all_small(name)
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        for comparison in COMPARISONS:
            with case(comparison=comparison.names[0], dtype=name):
                assert_equal(comparison.operator(a, b), comparison.reference(left, right))
                mirrored = comparison.reference(right, left)
                assert_equal(comparison.operator(b, a), mirrored)


SCALARS: tuple[bool | int | float, ...] = (
    1, 0, 2, True, False, -1, 100, 1.0, 0.5, -1.5, 2.5, -0.0, 127, -128,
    float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
"""Each is exact in every dtype that the comparison may take place in."""


@clause("comparison.scalars", covers=["dlnotes.comparisons"], effort=1)
@for_all(operand=operands(), scalar=st.sampled_from(SCALARS), dtype=st.sampled_from(REAL))
def a_number_compares_with_every_element(
    torch: Any, device: str, operand: Operand, scalar: float, dtype: str
) -> None:
    """Either operand of a comparison operator, and the second of a function or a method, may be
    a Python number, which is compared with every element."""
    if dtype == "uint8" and scalar < 0:
        scalar = abs(scalar)  # what -1 becomes in uint8 is not documented
    for name in supported([dtype]):
        a, left = operand.on(torch, device, name), exact(operand.array(name))
        for turn, comparison in enumerate(COMPARISONS, operand.seed):
            expected = comparison.reference(left, scalar)
            with case(comparison=comparison.names[0]):
                assert_equal(comparison.operator(a, scalar), expected)
                assert_equal(comparison.operator(scalar, a), comparison.mirrored(left, scalar))
                spelling = [*SPELLINGS][turn % len(SPELLINGS)]
                with case(spelling=spelling):
                    assert_equal(SPELLINGS[spelling](torch, comparison, a, scalar), expected)


@clause("comparison.every-number", covers=["dlnotes.comparisons"])
def every_number_compares_with_its_neighbours(torch: Any, device: str) -> None:
    """Whole numbers, halves, negative ones and infinities compare with the elements around them,
    on either side of the operator, in every dtype."""
    around_them = np.array([0, 1, 2, 3, 5, 100, -1, -2, -3, -100] * 2)
    for dtype in supported(REAL):
        array = around_them[around_them >= 0] if dtype in ("uint8", "bool") else around_them
        array = array.astype(numpy_dtype(dtype))
        a, left = tensor_of(torch, device, array), exact(array)
        for number in (0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.0, -0.0, np.inf, -np.inf, np.nan):
            if dtype in ("uint8", "bool") and (number < 0 or number != number):
                continue
            for comparison in COMPARISONS:
                with case(dtype=dtype, number=number, comparison=comparison.names[0]):
                    expected = comparison.reference(left, number)
                    assert_equal(comparison.operator(a, number), expected)
                    assert_equal(comparison.operator(number, a), comparison.mirrored(left, number))


@clause("comparison.precision-of-numbers", covers=["dlnotes.comparisons"])
def a_number_is_compared_in_the_precision_of_the_tensor(torch: Any, device: str) -> None:
    """A Python number is told from its neighbours in a float64 or an int64 tensor, though it be no
    float32 and no float64."""
    for dtype, length in product(supported(("float64", "int64")), (1, 9)):
        for number in (0.1, -1e-60, 1e300) if dtype == "float64" else (2**53 + 1, -(2**62) - 1):
            kind = np.dtype(dtype).type
            step = abs(np.spacing(number)) if dtype == "float64" else 1
            array = np.array([number, number + step, number - step] * length, kind)
            x = tensor_of(torch, device, array)
            with case(dtype=dtype, number=number, length=length):
                for got, expected in (
                    (x == number, array == number), (x != number, array != number),
                    (x < number, array < number), (x <= number, array <= number),
                    (x > number, array > number), (number <= x, array >= number),
                ):  # fmt: skip
                    assert_equal(got, expected)


@clause("comparison.neighbours", covers=["dlnotes.comparisons"])
def neighbours_in_a_dtype_are_told_apart(torch: Any, device: str) -> None:
    """Numbers that differ in their last bit differ: x and the next one of its dtype compare as
    numbers do, at every magnitude, and for integers too large for a float."""
    for dtype in supported(FLOATS + INTEGERS):
        kind = numpy_dtype(dtype)
        whole = np.dtype(f"int{8 * kind.itemsize}" if dtype in FLOATS else dtype)
        if dtype in FLOATS:
            bits = np.array([1, 1.5, 2, 100, 0.001, 0.75] * 6).astype(kind).view(whole)
        else:
            info = np.iinfo(whole)
            edges_of = [0, 1, 100, int(info.max) - 1, int(info.max) // 2 + 1, int(info.min)]
            bits = np.array(edges_of * 6, whole)
        for sign in (1, -1) if dtype in FLOATS else (1,):
            low = (sign * bits.view(kind)).astype(kind)
            high = (sign * (bits + 1).view(kind)).astype(kind)
            for first, second in ((low, high), (high, low), (low, low)):
                a, b = tensor_of(torch, device, first), tensor_of(torch, device, second)
                for comparison in COMPARISONS:
                    with case(dtype=dtype, comparison=comparison.names[0], sign=sign):
                        expected = comparison.reference(exact(first), exact(second))
                        assert_equal(comparison.operator(a, b), expected)


@clause(
    "comparison.mixed-dtypes",
    covers=["dlnotes.comparisons", "notes.nan-propagation"],
)
def operands_of_two_dtypes_compare_as_numbers_of_themeeting_float_one(
    torch: Any, device: str
) -> None:
    """Operands of different dtypes are converted to the promoted dtype and then compared: -1
    of int8 is less than 255 of uint8, and an int64 meets a float32 as a float32."""
    for first, second in product(supported(REAL), repeat=2):
        left, right = edges(first, second), edges(second, first)
        a = tensor_of(torch, device, left).reshape(-1, 1)
        b = tensor_of(torch, device, right)
        meeting = meeting_float(first, second)
        if meeting is not None:
            left, right = rounded_to(left, meeting), rounded_to(right, meeting)
        left, right = exact(left), exact(right)
        for comparison in COMPARISONS:
            with case(comparison=comparison.names[0], first=first, second=second):
                expected = comparison.reference(left[:, None], right)
                assert_equal(getattr(torch, comparison.names[0])(a, b), expected)


@clause("comparison.complex", covers=["dlnotes.comparisons"])
def complex_numbers_are_equal_in_both_parts_and_have_no_order(torch: Any, device: str) -> None:
    """Complex numbers are equal when both parts are, whatever the other operand's dtype; lt, le,
    gt and ge of complex operands raise."""
    edges = complex_edges()
    for name, other in product(supported(COMPLEX), supported(("float32", *COMPLEX))):
        left = edges.astype(numpy_dtype(name))
        right = (edges if other in COMPLEX else edges.real).astype(numpy_dtype(other))
        a = tensor_of(torch, device, left).reshape(-1, 1)
        b = tensor_of(torch, device, right)
        for comparison in EQUALITY:
            expected = comparison.reference(left[:, None], right)
            spelling = comparison.names[-1]
            with case(comparison=spelling, dtype=name, other=other):
                assert_equal(comparison.operator(a, b), expected)
                assert_equal(getattr(torch, spelling)(a, b), expected)
                assert_equal(getattr(torch, spelling)(b, a), expected)
                assert_equal(getattr(a, spelling)(1.0), comparison.reference(left[:, None], 1.0))
                expected = comparison.reference(left[:, None], 1 + 2j)
                assert_equal(comparison.operator(a, 1 + 2j), expected)
        for comparison in ORDER:
            for spelling in comparison.names:
                with case(comparison=spelling, dtype=name, other=other):
                    assert_raises(getattr(torch, spelling), a, b)
                    assert_raises(getattr(a, spelling), 1)
            assert_raises(comparison.operator, a, b)


@clause(
    "comparison.shapes",
    covers=["dlnotes.comparisons", "basics.broadcast"],
    metadata_only=True,
    effort=4,
)
@for_all(
    fitting=broadcast_shapes(),
    clashing=incompatible_shapes(),
    dtypes=st.sampled_from([*product(REAL, repeat=2)]),
    comparison=st.sampled_from([comparison.names[0] for comparison in COMPARISONS]),
)
def shapes_that_do_not_broadcast_do_not_compare(
    torch: Any,
    device: str,
    fitting: tuple[Shape, Shape],
    clashing: tuple[Shape, Shape],
    dtypes: tuple[str, str],
    comparison: str,
) -> None:
    """A comparison gives a bool tensor of the common shape, on the operands' device, whatever
    their dtypes; operands whose shapes do not broadcast raise."""
    first, second = dtypes
    for name, other in product(supported([first]), supported([second])):
        a, b, c, d = (
            torch.ones(shape, dtype=getattr(torch, dtype), device=device)
            for shape, dtype in zip((*fitting, *clashing), (name, other) * 2, strict=True)
        )
        for spelling in NAMES[comparison]:
            with case(spelling=spelling):
                result = getattr(torch, spelling)(a, b)
                assert_metadata(result, shape=broadcastable(*fitting), dtype="bool")
                assert_that(result.device == a.device, f"the result is on {result.device}")
        assert_raises(getattr(torch, comparison), c, d)
        assert_raises(getattr(c, NAMES[comparison][-1]), d)


def writable(operands: Pair) -> Operand:
    """The first operand, with the common shape and in a layout that can be written to."""
    first, second = operands
    layout = "stepped" if first.layout == "expanded" else first.layout
    shape = broadcastable(first.shape, second.shape) or ()
    return Operand(shape, layout, first.regime, first.seed)


@clause(
    "comparison.in-place",
    covers=["dlnotes.comparisons", "basics.inplace-underscore"],
    requires={"in-place"},
    effort=0.75,
)
@for_all(operands=pairs, dtype=st.sampled_from(ALL))
def eq_and_its_kin_write_ones_and_zeros(
    torch: Any, device: str, operands: Pair, dtype: str
) -> None:
    """eq_, ne_, lt_, le_, gt_, ge_ and their long names write 1 where the comparison holds and 0
    elsewhere into the tensor itself, in its own dtype, and return it."""
    first = writable(operands)
    for name in supported([dtype]):
        other = operands[1].on(torch, device, name)
        right = operands[1].array(name)
        for comparison in comparisons_of(name):
            expected = ones(comparison.reference(first.array(name), right), name)
            spelling = comparison.names[first.seed % len(comparison.names)]
            with case(comparison=f"{spelling}_"):
                target = first.place(torch, device, name)
                result = getattr(target.view, f"{spelling}_")(other)
                assert_same_object(result, target.view)
                assert_equal(target.base, target.after(expected))
        assert_equal(other, right)


@clause("comparison.out", covers=["dlnotes.comparisons", "basics.add-out"],
        requires={"out"}, effort=0.75)  # fmt: skip
@for_all(
    operands=pairs,
    dtypes=st.sampled_from([*product(REAL, ("bool", "int64", "uint8", "float32"))]),
)
def comparisons_write_into_out(
    torch: Any, device: str, operands: Pair, dtypes: tuple[str, str]
) -> None:
    """With out= a comparison writes True and False (1 and 0 in a dtype that is not bool) into
    the given tensor, nowhere else, and returns it."""
    written = writable(operands)
    for name, into in product(supported(dtypes[:1]), supported(dtypes[1:])):
        a, b = (operand.on(torch, device, name) for operand in operands)
        left, right = (operand.array(name) for operand in operands)
        for comparison in COMPARISONS:
            expected = ones(comparison.reference(left, right), into)
            spelling = comparison.names[operands[0].seed % len(comparison.names)]
            with case(comparison=spelling):
                out = written.place(torch, device, into)
                assert_same_object(getattr(torch, spelling)(a, b, out=out.view), out.view)
                assert_equal(out.base, out.after(expected))


@clause("comparison.classes", covers=["basics.missing-functions"], effort=4)
@for_all(operand=operands(), dtype=st.sampled_from(ALL))
def isnan_and_its_kin_tell_nan_infinite_and_finite_apart(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """isnan, isinf and isfinite tell what every element is, as function and as method: integers
    and bools are finite, a complex number is NaN or infinite as soon as one part is. isposinf
    and isneginf ask for the sign of an infinite real number."""
    kinds: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
        ("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite),
    ]  # fmt: skip
    if category(dtype) is not Category.COMPLEX:
        kinds += [("isposinf", lambda x: x == np.inf), ("isneginf", lambda x: x == -np.inf)]
    for name in supported([dtype]):
        a, array = operand.on(torch, device, name), operand.array(name)
        wide = array if category(name) is Category.COMPLEX else exact(array)
        for kind, reference in kinds:
            with case(asks=kind):
                assert_equal(getattr(torch, kind)(a), np.asarray(reference(wide)))
                assert_equal(getattr(a, kind)(), np.asarray(reference(wide)))
        assert_equal(a, array)


@clause("comparison.equal", covers=["dlnotes.equal"], effort=5)
@for_all(operands=pairs, dtype=st.sampled_from(ALL))
def equal_means_one_shape_and_equal_elements(
    torch: Any, device: str, operands: Pair, dtype: str
) -> None:
    """torch.equal(a, b) and a.equal(b) give one Python bool: whether the shapes are the same
    and all elements are equal, wherever they lie in memory. -0.0 equals 0.0; a tensor that
    holds NaN equals none, not even itself or a view of all of it; shapes that only broadcast
    are not the same."""
    first = operands[0]
    layout = writable(operands).layout
    for name in supported([dtype]):
        array = first.array(name)
        a, b = first.on(torch, device, name), place(torch, device, array, layout).view
        same = bool((array == array).all())
        assert_equal(torch.equal(a, b), same)
        assert_equal(b.equal(a), same)
        assert_equal(torch.equal(a, a), same)
        assert_equal(torch.equal(a, a.detach()), same)
        assert_equal(a[...].equal(a), same)
        for other in (b[None], b[..., None], b.reshape(*array.shape, 1, 1)):
            assert_equal((torch.equal(a, other), torch.equal(other, a)), (False, False))
            assert_equal(torch.equal(input=other, other=a), False)
            assert_equal(other.equal(a), False)
        zeros = np.where(array == 0, -array if name in FORMATS else array, array)
        assert_equal(a.equal(other=place(torch, device, zeros, layout).view), same)
        if array.size:
            at = first.seed % array.size
            array.flat[at] = 0 if array.flat[at] else 1
            with case(differs_at=at):
                assert_equal(torch.equal(a, place(torch, device, array, layout).view), False)


def positions(length: int) -> list[int]:
    """Every position of a short vector; of a long one the first, the middle and the last 33."""
    return [*range(length)] if length < 70 else [0, length // 2, *range(length - 33, length)]


@clause("comparison.equal-at-every-position", thorough=True, covers=["dlnotes.equal"])
def equal_sees_every_element(torch: Any, device: str) -> None:
    """One element that differs, wherever it is, makes two tensors unequal."""
    for name, length in product(supported(ALL), LENGTHS):
        array = np.ones(length, numpy_dtype(name))
        a = tensor_of(torch, device, array)
        with case(dtype=name, length=length):
            assert_equal(torch.equal(a, tensor_of(torch, device, array)), True)
        for at in positions(length) if length < 300 or name in ("float32", "int64") else [-1]:
            array[at] = 0
            with case(dtype=name, length=length, at=at):
                assert_equal(torch.equal(a, tensor_of(torch, device, array)), False)
            array[at] = 1


@clause("comparison.equal-across-dtypes", covers=["dlnotes.equal"])
def equal_compares_numbers_not_dtypes(torch: Any, device: str) -> None:
    """torch.equal does not tell dtypes apart: tensors that hold the same numbers are equal."""
    for first, second in product(supported(REAL), repeat=2):
        with case(first=first, second=second):
            zeros_and_ones = values((19,), "bool", "normal", 3)
            a, b = (
                tensor_of(torch, device, zeros_and_ones.astype(numpy_dtype(name)))
                for name in (first, second)
            )
            assert_equal(torch.equal(a, b), True)
            assert_equal(torch.equal(a, b == 0), False)


TOLERANCES = ((0.0, 0.5), (0.25, 0.0), (0.0, 0.0), (0.1, 0.01), (1e-5, 1e-8), (0.5, 2.0), (0.75, 0))
"""Relative and absolute."""

NUMBERS = (*FLOATS, *INTEGERS, *COMPLEX)


@clause("comparison.isclose", covers=["dlnotes.allclose"], effort=1)
@for_all(
    operands=pairs,
    dtype=st.sampled_from(NUMBERS),
    tolerances=st.sampled_from(TOLERANCES),
)
def closeness_is_measured_against_the_second_operand(
    torch: Any, device: str, operands: Pair, dtype: str, tolerances: tuple[float, float]
) -> None:
    """isclose tells element by element whether |a - b| <= atol + rtol * |b|, and allclose, as
    one Python bool, whether that holds everywhere; functions and methods alike."""
    rtol, atol = tolerances
    first, second = (
        Operand(o.shape, o.layout, o.regime if o.regime in TAME else "normal", o.seed)
        for o in (writable(operands), operands[1])
    )
    for name in supported([dtype]):
        right = second.array(name)
        left = around(np.broadcast_to(right, first.shape), rtol, atol, first.seed)
        expected, _ = close(left, np.broadcast_to(right, first.shape), rtol, atol)
        a = place(torch, device, left, first.layout).view
        b = second.on(torch, device, name)
        everywhere = bool(expected.all())
        assert_equal(torch.isclose(a, b, rtol, atol), expected)
        assert_equal(a.isclose(b, atol=atol, rtol=rtol), expected)
        assert_equal(torch.allclose(a, b, atol=atol, rtol=rtol), everywhere)
        assert_equal(a.allclose(b, rtol, atol), everywhere)
        assert_equal(a, left)
        assert_equal(b, right)


TAME = ("small", "signed", "normal", "ties", "constant")
"""Regimes whose numbers are so far from overflow that tolerances can be reckoned exactly."""

INF, NAN = float("inf"), float("nan")

CLOSE: tuple[tuple[float, float, float, float, bool], ...] = (
    # rtol, atol, a, b: each step of the formula is exact in every floating-point dtype.
    (0, 0.5, 1.5, 1, True), (0, 0.5, 1, 1.5, True), (0, 0.5, 0.5, 0, True),
    (0, 0.25, 1.5, 1, False), (0, 0.5, -0.5, 0.5, False), (0, 1, -0.5, 0.5, True),
    (0.25, 0, 10, 8, True), (0.25, 0, -10, -8, True), (0.25, 0, 6, 8, True),
    (0.25, 0, 8, 10.5, True), (0.25, 0, 10.5, 8, False), (0.25, 0.5, 10.5, 8, True),
    (0.25, 0.25, 10.5, 8, False), (0.25, 0, -8, 8, False), (1, 0, 0, 8, True),
    (1, 0, 8, 0, False), (0, 0, 1, 1, True), (0, 0, -0.0, 0.0, True), (0.5, 0, 0, -0.0, True),
    (0, 1, INF, INF, True), (0, 0, -INF, -INF, True), (1, 1, INF, -INF, False),
    (1, 1, 1, INF, False), (1, 1, INF, 1, False), (1, 1, NAN, NAN, False), (1, 1, NAN, 1, False),
    (1, 1, 1, NAN, False), (1, 1, NAN, INF, False), (1, 1, INF, NAN, False),
)  # fmt: skip


@clause("comparison.isclose-boundaries", covers=["dlnotes.allclose"])
def the_boundary_belongs_to_what_is_close(torch: Any, device: str) -> None:
    """A difference of exactly atol + rtol * |b| is close and the next number is not. Numbers
    that are not finite are close only when equal; NaN is close to nothing, and to NaN alone
    with equal_nan=True."""
    for name in supported(FLOATS):
        dtype = getattr(torch, name)
        for rtol, atol, a, b, expected in CLOSE:
            left, right = (torch.tensor([x], dtype=dtype, device=device) for x in (a, b))
            with case(dtype=name, rtol=rtol, atol=atol, a=a, b=b):
                assert_equal(torch.isclose(left, right, rtol, atol), np.array([expected]))
                assert_equal(torch.allclose(left, right, rtol, atol), expected)
                with_nan = expected or (a != a and b != b)
                got = left.isclose(right, rtol=rtol, atol=atol, equal_nan=True)
                assert_equal(got, np.array([with_nan]))
                assert_equal(torch.allclose(left, right, rtol, atol, True), with_nan)
                assert_equal(left.allclose(right, rtol, atol, equal_nan=True), with_nan)
        for rtol, atol, a, b in (
            (0, 0.5, 1.5, 1),
            (0.25, 0, 10, 8),
            (0.25, 0.5, 10.5, 8),
            (0, 0, 1, 1),
        ):
            beyond = a * (1 + FORMATS[name].eps)
            left, right = (torch.tensor([x], dtype=dtype, device=device) for x in (beyond, b))
            with case(dtype=name, rtol=rtol, atol=atol, a=beyond, b=b):
                assert_equal(torch.isclose(left, right, rtol, atol), np.array([False]))


@clause("comparison.isclose-defaults", covers=["dlnotes.allclose"])
def the_default_tolerances_are_1e_8_and_1e_5(torch: Any, device: str) -> None:
    """Without tolerances atol is 1e-8 and rtol is 1e-5, and NaN is not close to NaN; giving one
    of them leaves the other as it is."""
    cases: tuple[tuple[float, float, dict[str, float], bool], ...] = (
        # a, b, keyword arguments, close
        (0.9e-8, 0, {}, True), (1.1e-8, 0, {}, False), (-0.9e-8, 0, {}, True),
        (1 + 0.9e-5, 1, {}, True), (1 + 1.1e-5, 1, {}, False), (1 - 1.1e-5, 1, {}, False),
        (1000.009, 1000, {}, True), (1000.011, 1000, {}, False), (-1000.011, -1000, {}, False),
        (0.9e-8, 0, {"rtol": 0.5}, True), (1.1e-8, 0, {"rtol": 0.5}, False),
        (1.4, 1, {"rtol": 0.5}, True), (1.4, 1, {"atol": 0.5}, True),
        (1.6, 1, {"rtol": 0.5}, False), (1.6, 1, {"atol": 0.5}, False),
        (1000.509, 1000, {"atol": 0.5}, True), (1000.511, 1000, {"atol": 0.5}, False),
        (1000.011, 1000, {"atol": 0}, False), (1.1e-8, 0, {"rtol": 0}, False),
        (NAN, NAN, {}, False), (INF, INF, {}, True), (INF, 1, {}, False),
    )  # fmt: skip
    for name in supported(("float32", "float64")):
        for a, b, tolerances, expected in cases:
            left, right = (
                torch.tensor([1, x], dtype=getattr(torch, name), device=device) for x in (a, b)
            )
            right[0] = 1
            with case(dtype=name, a=a, b=b, **tolerances):
                assert_equal(torch.allclose(left, right, **tolerances), expected)
                assert_equal(left.allclose(right, **tolerances), expected)
                elements = np.array([True, expected])
                assert_equal(torch.isclose(left, right, **tolerances), elements)
                assert_equal(left.isclose(right, **tolerances), elements)


@clause("comparison.allclose-at-every-position", thorough=True, covers=["dlnotes.allclose"])
def allclose_sees_every_element(torch: Any, device: str) -> None:
    """One element beyond the tolerance, wherever it is, means that not all are close."""
    for name, length in product(supported(NUMBERS), LENGTHS):
        array = np.ones(length, numpy_dtype(name))
        b = tensor_of(torch, device, array)
        with case(dtype=name, length=length):
            assert_equal(torch.allclose(b, b, 0.0, 0.5), True)
        everywhere = positions(length) if name in ("float32", "int64") else positions(length)[-1:]
        for at in everywhere if length < 70 else everywhere[::5]:
            array[at] = 2
            a = tensor_of(torch, device, array)
            array[at] = 1
            with case(dtype=name, length=length, at=at):
                assert_equal(torch.allclose(a, b, 0.0, 0.5), False)
                assert_equal(torch.isclose(a, b, 0.0, 0.5), np.arange(length) != at)


@clause("comparison.isclose-kinds", covers=["dlnotes.allclose"])
def closeness_of_integers_and_complex_numbers_is_that_of_numbers(torch: Any, device: str) -> None:
    """The distance of integers is that of the numbers, even where it is beyond their dtype, and
    the distance of complex numbers is the modulus of the difference."""
    for name in supported(INTEGERS):
        low, high = np.iinfo(name).min, np.iinfo(name).max
        left = np.array([low, high, low, high, 3, 4, 2, 4, 2, 100, high], numpy_dtype(name))
        right = np.array([high, low, low, high, 2, 2, 4, 3, 3, 109, high - 1], numpy_dtype(name))
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        for rtol, atol, expected in (
            (0.0, 1.0, [0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1]),
            (0.0, 10.0, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            (0.5, 0.0, [0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1]),
            (0.0, 0.0, [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
        ):
            with case(dtype=name, rtol=rtol, atol=atol):
                near = np.array(expected, bool)
                if (low and rtol) or not rtol:  # |low - high| is about 2 |high|
                    assert_equal(torch.isclose(a, b, rtol, atol), near)
                    assert_equal(torch.isclose(a, b, atol=atol, rtol=rtol), near)
                assert_equal(torch.allclose(a, b, rtol, atol), False)
    for name in supported(COMPLEX):
        left = np.array([3 + 4j, -3 + 4j, 4j, 1 + 1j, 5], numpy_dtype(name))
        right = np.array([0, 0, 3, 1 + 1j, 0], numpy_dtype(name))
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        for rtol, atol, expected in (
            (0.0, 5.5, [1, 1, 1, 1, 1]),
            (0.0, 4.5, [0, 0, 0, 1, 0]),
            (1.75, 0.0, [0, 0, 1, 1, 0]),
            (1.5, 0.0, [0, 0, 0, 1, 0]),
        ):
            with case(dtype=name, rtol=rtol, atol=atol):
                assert_equal(torch.isclose(a, b, rtol, atol), np.array(expected, bool))
                assert_equal(a.allclose(b, rtol, atol), all(expected))


@clause("comparison.isclose-refusals", covers=["dlnotes.allclose"])
def closeness_refuses_other_dtypes_and_negative_tolerances(torch: Any, device: str) -> None:
    """Operands of different dtypes, negative tolerances and shapes that do not broadcast raise."""
    for name, other in (("float32", "float64"), ("float32", "int64"), ("int32", "int64")):
        if [*supported((name, other))] != [name, other]:
            continue
        a = torch.ones(3, dtype=getattr(torch, name), device=device)
        b = torch.ones(3, dtype=getattr(torch, other), device=device)
        for spelling, call in {
            "isclose": torch.isclose,
            "allclose": torch.allclose,
            "Tensor.isclose": type(a).isclose,
            "Tensor.allclose": type(a).allclose,
        }.items():
            with case(spelling=spelling, dtype=name, other=other):
                accepted = call(a, a[:1], rtol=0.0, atol=0.0)
                accepted = accepted if isinstance(accepted, bool) else all(accepted.tolist())
                assert_equal(accepted, True)
                assert_raises(call, a, b)
                assert_raises(call, b, a)
                assert_raises(call, a, a, rtol=-1e-5)
                assert_raises(call, a, a, atol=-1.0)
                assert_raises(call, a, a[:2])


@clause("comparison.isin-of-transposed", covers=["notes.layout-independence"], thorough=True)
def isin_takes_operands_as_they_lie_in_memory(torch: Any, device: str) -> None:
    """isin(elements, tests) does not depend on how either lies in memory, and tests may be none:
    invert=True tells of each element that it is not among them."""
    for name in supported(("int64", "float32", "int8")):
        for first, second in product(
            ((4,), (2, 3), (30, 40)), ((2, 3), (3, 1), (30, 40), (2, 2), (1, 1))
        ):
            a = np.arange(np.prod(first)).reshape(first).astype(name) % 11
            b = np.arange(np.prod(second)).reshape(second).astype(name) % 7
            # Long lists of what is searched for are searched in another way, by sorting.
            few = "few" if b.size < 10 * a.size**0.145 else "many"
            for one, other in product((False, True), repeat=2):
                with case(elements="turned" if one else "straight", among=few,
                          tests="turned" if other else "straight", shapes=(first, second),
                          dtype=name):  # fmt: skip
                    x = tensor_of(torch, device, a.T.copy() if one else a)
                    y = tensor_of(torch, device, b.T.copy() if other else b)
                    x, y = x.mT if one and x.ndim > 1 else x, y.mT if other else y
                    assert_equal(torch.isin(x, y), np.isin(a, b))
                    assert_equal(torch.isin(x, y, invert=True), ~np.isin(a, b))
                    # Nothing is among no elements, and all elements are others.
                    nothing, none = y.reshape(-1)[:0], np.zeros(a.shape, bool)
                    assert_equal(torch.isin(x, nothing), none)
                    assert_equal(torch.isin(x, nothing, invert=True), ~none)
