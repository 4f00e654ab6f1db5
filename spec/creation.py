"""Creation: tensors from data, filled, evenly spaced, and after the model of another tensor."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    Operand,
    arrange,
    layouts,
    operands,
    place,
    regimes,
    seeds,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.cases.factories import (
    FACTORIES,
    FRESH,
    FROM_A_TENSOR,
    INTO_OUT,
    OF_DEFAULT_DTYPE,
    WRONG,
    WRONG_OPTIONS,
    sized,
)
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.spacings import (
    DECIMAL_LENGTHS,
    dyadic_ranges,
    dyadic_spaces,
    fits,
    integer_ranges,
)
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
    ALL,
    DTYPES,
    FLOATS,
    FORMATS,
    INTEGERS,
    NUMERIC,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.memory_order import channels_last, dense_strides, row_major
from tenet.spec.model.tolerance import Bound, rounded

Shape = tuple[int, ...]

dtypes = st.sampled_from(ALL)

INFERRED = {
    Category.BOOL: "bool",
    Category.INTEGER: "int64",
    Category.FLOAT: "float32",
    Category.COMPLEX: "complex64",
}
"""The dtype that torch.tensor infers from Python data of each category."""


def _python(array: np.ndarray) -> Any:
    """The elements as nested lists of Python's own numbers (for a 0-d array, the number)."""
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    return array.tolist()


# ------------------------------------------------------------------------------- from data


def _numbers(name: str) -> list[Any]:
    """Python numbers that the dtype holds, or rounds: plain ones, then its edges."""
    kind = category(name)
    if kind is Category.BOOL:
        return [False, True]
    if kind is Category.INTEGER:
        low, high = int(np.iinfo(name).min), int(np.iinfo(name).max)
        return [0, 1, 7, high, high - 1, low, low + 1, *([-1] if low else [])]
    if kind is Category.FLOAT:
        edges = [FORMATS[name].max, -FORMATS[name].max, FORMATS[name].tiny]
        return [0.0, 1.0, -2.5, 3.14, -1 / 3, -0.0, *edges, np.inf, -np.inf, np.nan]
    return [0j, 1 + 2j, -2.5j, 3.14 - 0.1j, complex(np.inf, 1), complex(-1, -np.inf)]


@clause("creation.scalar", covers=["minicourse.scalar"])
def a_number_makes_a_tensor_without_dimensions(torch: Any, device: str) -> None:
    """A tensor made from one Python number has no dimensions and the shape (). Its dtype follows
    the kind of number, or is the one asked for; item() gives the number back as Python's own type
    of that kind, rounded to the dtype."""
    for name in supported(ALL):
        for number in _numbers(name):
            expected = np.array(number).astype(numpy_dtype(name))
            options = [{"dtype": getattr(torch, name)}]
            options += [{}] if INFERRED[category(name)] == name else []
            for option in options:
                with case(number=number, dtype=name, given=bool(option)):
                    x = torch.tensor(number, device=device, **option)
                    assert_equal(x, expected)
                    assert_equal((x.ndim, tuple(x.shape)), (0, ()))
                    assert_equal(x.item(), _python(expected))
                    assert_equal(torch.as_tensor(number, device=device, **option), expected)


@clause("creation.item", covers=["minicourse.item-single-element"], effort=4)
@for_all(operand=operands(shapes(max_size=600)), dtype=dtypes, at=st.integers(0, 599))
def item_reads_a_single_element_only(
    torch: Any, device: str, operand: Operand, dtype: str, at: int
) -> None:
    """item() gives the element of a tensor of exactly one element as a Python number, however many
    dimensions it has and wherever in memory it lies; with no element or several it raises."""
    for name in supported([dtype]):
        x, array = operand.on(torch, device, name), operand.array(name)
        if array.size:
            index = tuple(int(i) for i in np.unravel_index(at % array.size, array.shape))
            one, number = x[index], _python(array[index])
            for rank in range(5):
                with case(ndim=rank):
                    assert_number(one.reshape((1,) * rank).item(), number)
            block = x[tuple(slice(i, i + 1) for i in index)]
            assert_number(block.item(), number)
            for several in ((2,), (2, 1), (0,)):
                with case(shape=several):
                    assert_raises(one.expand(several).item)
        if array.size == 1:
            assert_number(x.item(), _python(array.reshape(())))
        else:
            assert_raises(x.item)


def assert_number(got: Any, number: Any) -> None:
    """A Python number of the same type and value; complex ones part by part, for their NaN."""
    if isinstance(number, complex) and isinstance(got, complex):
        assert_equal(got.real, number.real)
        assert_equal(got.imag, number.imag)
    else:
        assert_equal(got, number)


def _as_tuples(nested: Any) -> Any:
    return tuple(map(_as_tuples, nested)) if isinstance(nested, list) else nested


@clause(
    "creation.nested-lists",
    covers=["minicourse.nesting-is-ndim", "dlnotes.tensor-from-list-or-array"],
    effort=2,
)
@for_all(shape=shapes(max_size=600), dtype=dtypes, regime=regimes(), seed=seeds())
def nesting_becomes_dimensions(
    torch: Any, device: str, shape: Shape, dtype: str, regime: str, seed: int
) -> None:
    """Lists nested n deep make a tensor of n dimensions; their lengths, outermost first, are its
    shape, and the elements keep their places. Tuples and lists may be mixed. Integers infer int64,
    floats the default float32 (rounded), bools bool and complex numbers complex64."""
    # Nothing is nested in an empty list, so no length after a 0 can be written down.
    shape = shape[: shape.index(0) + 1] if 0 in shape else shape
    array = values(shape, dtype, regime, seed)
    nested = _python(array)
    for name in supported([dtype]):
        kind = getattr(torch, name)
        assert_equal(torch.tensor(nested, dtype=kind, device=device), array)
        assert_equal(torch.tensor(_as_tuples(nested), dtype=kind, device=device), array)
        assert_equal(torch.as_tensor(nested, dtype=kind, device=device), array)
    for name in supported([INFERRED[category(dtype)] if array.size else "float32"]):
        expected = rounded(array, name)
        x = torch.tensor(nested, device=device)
        assert_equal(x, expected)
        assert_metadata(x, shape=shape, stride=None if 0 in shape else row_major(shape))
        assert_equal(x.ndim, len(shape))
        mixed = tuple(nested) if shape else nested
        assert_equal(torch.tensor(data=mixed, device=device), expected)


_INFERENCES: list[tuple[Any, str, Shape]] = [
    ([7, 7], "int64", (2,)),
    ([[7, 7], [7, 7]], "int64", (2, 2)),
    ([[[1, 2, 3], [3, 6, 9], [2, 4, 5]]], "int64", (1, 3, 3)),
    ([1, 2.5], "float32", (2,)),
    ([2.5, 1], "float32", (2,)),
    ([True, 2], "int64", (2,)),
    ([2, False], "int64", (2,)),
    ([True, 0.5], "float32", (2,)),
    ([1, 2j], "complex64", (2,)),
    ([2j, 0.5], "complex64", (2,)),
    ([True, 1j], "complex64", (2,)),
    ([[1, 2], (3, 4.5)], "float32", (2, 2)),
    ([[[True, 1]], [[0, False]]], "int64", (2, 1, 2)),
    ([True, 1, 0.5, 1j], "complex64", (4,)),
    ([*range(100), 0.5], "float32", (101,)),
    ([*[True] * 40, 7], "int64", (41,)),
    ([], "float32", (0,)),
    ([[], []], "float32", (2, 0)),
    ([[[]]], "float32", (1, 1, 0)),
]


@clause(
    "creation.inference",
    covers=["dlnotes.tensor-from-list-or-array", "minicourse.nesting-is-ndim"],
)
def the_highest_kind_among_the_numbers_decides(torch: Any, device: str) -> None:
    """The dtype inferred from mixed data is that of the highest kind of number in it (bool, int,
    float, complex), wherever it stands; from no data at all it is the default float dtype."""
    for data, name, shape in _INFERENCES:
        for _ in supported([name]):
            with case(data=data):
                expected = np.array(data, dtype=numpy_dtype(name)).reshape(shape)
                assert_equal(torch.tensor(data, device=device), expected)
                assert_equal(torch.tensor(_as_tuples(data), device=device), expected)


def _spoilt(nested: list[Any], path: list[int], fault: str) -> list[Any]:
    """A copy of nested lists in which what the path leads to breaks the shape."""
    head, *rest = path
    copy = list(nested)
    old = copy[head]
    if rest:
        copy[head] = _spoilt(old, rest, fault)
    elif not isinstance(old, list):
        copy[head] = [old]
    else:
        broken = {"short": old[:-1], "long": [*old, old[-1]], "empty": [], "number": 1}
        copy[head] = broken[fault]
    return copy


@clause("creation.ragged", covers=["minicourse.nesting-is-ndim"], effort=5)
@for_all(
    shape=st.sampled_from([(2,), (2, 1), (2, 2), (3, 2), (2, 3, 2), (1, 2, 2), (3, 1, 2, 2)]),
    fault=st.sampled_from(["short", "long", "empty", "number"]),
    at=st.integers(0, 999),
    depth=st.integers(1, 4),
)
def lists_of_unequal_lengths_raise(
    torch: Any, device: str, shape: Shape, fault: str, at: int, depth: int
) -> None:
    """Nested lists have to form a rectangle: one list shorter or longer than its neighbours, a
    number among lists, or a list among numbers raises."""
    path = [at // 7**level % length for level, length in enumerate(shape[:depth])]
    for name in supported(["int64", "float32", "bool", "complex64"]):
        whole = _python(values(shape, name))
        # An only child has no neighbour to differ from; go on to where there are two. What is
        # made of a first list without elements is not documented: spoil the last one then.
        level = next(n for n in range(4) if shape[n] > 1)
        place = [*path, *[0] * (level + 1 - len(path))]
        if not any(place) and (fault == "empty" or shape[len(place) :][:1] == (1,)):
            place[level] = shape[level] - 1
        with case(fault=fault, path=place, dtype=name):
            assert_raises(torch.tensor, _spoilt(whole, place, fault), device=device)
            assert_metadata(torch.tensor(whole, device=device), shape=shape, dtype=name)


@clause("creation.from-array", covers=["dlnotes.tensor-from-list-or-array"], effort=6)
@for_all(
    operand=operands(shapes(max_size=600)),
    dtype=st.sampled_from([name for name in ALL if name != "bfloat16"]),
    target=dtypes,
)
def an_array_is_copied_with_its_dtype(
    torch: Any, device: str, operand: Operand, dtype: str, target: str
) -> None:
    """torch.tensor(array) has the array's elements, shape and dtype whatever the array's strides,
    or the dtype that is given; it is a copy: later writes to the array are not seen in it."""
    arrangement = arrange(operand.array(dtype), operand.layout)
    for _ in supported([dtype]):
        base = arrangement.base.copy()
        array = arrangement.of_array(base)
        expected = array.copy()
        x = torch.tensor(array, device=device)
        assert_equal(x, expected)
        same = torch.tensor(array, dtype=getattr(torch, dtype), device=device)
        base[...] = np.ones((), base.dtype)
        assert_equal(x, expected)
        assert_equal(same, expected)
        # Small counts fit every dtype; what other conversions do is not a matter of creation.
        if category(target) >= category(dtype):
            small = values(operand.shape, dtype)
            for name in supported([target]):
                converted = torch.tensor(small, dtype=getattr(torch, name), device=device)
                assert_equal(converted, small.astype(numpy_dtype(name)))


@clause("creation.module-is-not-callable", covers=["basics.torch-call"])
def torch_tensor_not_torch_itself_makes_tensors(torch: Any, device: str) -> None:
    """Erratum: torch([5.5, 3]) is no way to make a tensor, for the module cannot be called;
    torch.tensor([5.5, 3]) is."""
    assert_that(not callable(torch), "the namespace itself can be called")
    assert_equal(torch.tensor([5.5, 3], device=device), np.array([5.5, 3], np.float32))


# -------------------------------------------------------------------------- filled by shape


@clause(
    "creation.zeros-and-ones", covers=["minicourse.zeros-ones", "basics.dtype-argument"], effort=8
)
@for_all(shape=shapes(), dtype=dtypes)
def zeros_and_ones_fill_the_shape(torch: Any, device: str, shape: Shape, dtype: str) -> None:
    """zeros and ones give a tensor of the given shape and dtype, float32 by default, in which every
    element is 0 or 1; the size is given as a tuple, as a list, as size= or number by number."""
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        for factory, number in ((torch.zeros, 0), (torch.ones, 1)):
            expected = np.full(shape, number, numpy_dtype(name))
            for spelling, x in sized(factory, shape, **options):
                with case(value=number, size=spelling):
                    assert_equal(x, expected)


@clause("creation.full", covers=["basics.dtype-argument"], effort=8)
@for_all(shape=shapes(), dtype=dtypes, which=st.integers(0, 11))
def full_fills_the_shape_with_one_value(
    torch: Any, device: str, shape: Shape, dtype: str, which: int
) -> None:
    """full gives every element the one given value, exactly: integer extremes, -0.0, infinities and
    NaN too. Without dtype= the kind of the value decides, as in torch.tensor."""
    numbers = _numbers(dtype)
    number = numbers[which % len(numbers)]
    for name in supported([dtype]):
        expected = np.full(shape, number).astype(numpy_dtype(name))
        options = {"dtype": getattr(torch, name), "device": device}
        x = torch.empty(shape, **options)
        assert_equal(torch.full(shape, number, **options), expected)
        assert_equal(torch.full(size=list(shape), fill_value=number, **options), expected)
        assert_equal(x.new_full(shape, number), expected)
        assert_equal(torch.full_like(x, number), expected)
        if INFERRED[category(name)] == name:
            assert_equal(torch.full(shape, number, device=device), expected)


@clause(
    "creation.sizes",
    covers=["dlnotes.empty", "minicourse.rand", "minicourse.zeros-ones", "basics.dtype-argument"],
    metadata_only=True,
    effort=8,
)
@for_all(shape=shapes(), dtype=dtypes)
def every_spelling_of_a_size_gives_that_shape(
    torch: Any, device: str, shape: Shape, dtype: str
) -> None:
    """empty, zeros, ones, rand and randn give a contiguous tensor of the given shape and dtype,
    float32 by default, however the size is spelt; what empty holds is not defined."""
    stride = None if 0 in shape else row_major(shape)
    factories = ["empty", "zeros", "ones"]
    if category(dtype) is Category.FLOAT:
        factories = ["rand", "empty", "randn"]
    for name in supported([dtype]):
        options = {} if name == "float32" else {"dtype": getattr(torch, name)}
        for factory in factories:
            for spelling, x in sized(getattr(torch, factory), shape, device=device, **options):
                with case(factory=factory, size=spelling):
                    assert_metadata(x, shape=shape, dtype=name, stride=stride)


def _drawn(torch: Any, shape: Shape, options: dict[str, Any]) -> list[tuple[str, Any]]:
    """rand in every spelling of the size; the same numbers whenever the example is repeated."""
    before = torch.get_rng_state()
    torch.manual_seed(prod(shape) + 1)
    try:
        return list(sized(torch.rand, shape, **options))
    finally:
        torch.set_rng_state(before)


@clause("creation.rand", covers=["minicourse.rand", "dlnotes.rand-range"], effort=1.5)
@for_all(shape=shapes(), dtype=st.sampled_from(FLOATS))
def rand_fills_the_shape_with_samples(torch: Any, device: str, shape: Shape, dtype: str) -> None:
    """rand gives samples of [0, 1), float32 by default: 0 may appear, 1 never. The elements are
    drawn one by one, and a second call draws others."""
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        made = _drawn(torch, shape, options)
        drawn = [read(x).astype(np.float64) for _, x in made]
        for (spelling, x), samples in zip(made, drawn, strict=True):
            with case(size=spelling):
                assert_metadata(x, shape=shape, dtype=name)
                inside = ((samples >= 0) & (samples < 1)).all()
                assert_that(inside, "a sample outside [0, 1)")
                if samples.size >= 15:
                    # Of float16's 2048 equally likely numbers: a chance below 2^-150.
                    assert_that((samples != samples.flat[-1]).any(), "all samples are equal")
        if prod(shape) >= 15:
            assert_that((drawn[0] != drawn[1]).any(), "a second call draws the same samples")


@clause("creation.tensor-of-sizes", covers=["basics.Tensor-sizes"], effort=5)
@for_all(shape=shapes(min_rank=1))
def torch_Tensor_takes_sizes(torch: Any, device: str, shape: Shape) -> None:  # noqa: N802 - its name
    """torch.Tensor(5, 3) makes a float32 tensor of that shape, whose elements are not defined;
    torch.Tensor([5, 3]), given a list, makes one of these elements."""
    stride = None if 0 in shape else row_major(shape)
    assert_metadata(torch.Tensor(*shape), shape=shape, dtype="float32", stride=stride)
    assert_equal(torch.Tensor(list(shape)), np.array(shape, np.float32))
    assert_metadata(torch.Tensor(), shape=(0,), dtype="float32")


# --------------------------------------------------------------------------- evenly spaced


@clause("creation.arange-integers", covers=["minicourse.arange", "basics.dtype-argument"], effort=8)
@for_all(range_of=from_pool(integer_ranges))
def arange_of_integers_is_half_open(
    torch: Any, device: str, range_of: tuple[str, int, int, int]
) -> None:
    """arange(start, end, step) counts from start, which it includes, in equal steps up or down to
    end, which it excludes: exactly, for integers of any size. Integer arguments give int64; start
    is 0 and step is 1 by default; dtype= gives the same numbers in another dtype."""
    dtype, start, end, step = range_of
    expected = np.array(range(start, end, step), np.int64)
    for _ in supported(["int64"]):
        assert_equal(torch.arange(start, end, step, device=device), expected)
        assert_equal(torch.arange(start=start, end=end, step=step, device=device), expected)
        if step == 1:
            assert_equal(torch.arange(start, end, device=device), expected)
        if step == 1 and start == 0:
            assert_equal(torch.arange(end, device=device), expected)
            assert_equal(torch.arange(end=end, device=device), expected)
    for name in supported([dtype]):
        x = torch.arange(start, end, step, dtype=getattr(torch, name), device=device)
        assert_equal(x, expected.astype(numpy_dtype(name)))


@clause("creation.arange-floats", covers=["minicourse.arange", "basics.dtype-argument"], effort=2)
@for_all(spacing=from_pool(dyadic_ranges))
def arange_of_binary_fractions_is_exact(
    torch: Any, device: str, spacing: tuple[float, float, int, float]
) -> None:
    """If any argument is a float, arange gives the default float dtype and, for i from 0, the
    ceil((end - start) / step) elements start + i * step: exactly those, if the dtype holds them."""
    start, step, length, beyond = spacing
    expected = start + step * np.arange(length)
    end = start + step * (length - 1 + beyond)
    for name in supported(FLOATS):
        if not fits(np.array([start, step, *expected, *(expected - start)]), name):
            continue
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        exact = expected.astype(numpy_dtype(name))
        with case(dtype=name, end=end):
            assert_equal(torch.arange(start, end, step, **options), exact)
            assert_equal(torch.arange(start=start, end=end, step=step, **options), exact)
            if start == int(start):
                assert_equal(torch.arange(int(start), end, step, **options), exact)
            if step == 1:
                assert_equal(torch.arange(start, end, **options), exact)
            if step == 1 and start == 0:
                assert_equal(torch.arange(end, **options), exact)


_DECIMAL = st.sampled_from(
    [(0.0, 0.1), (1.0, -0.1), (0.1, 0.3), (-0.7, 0.7), (5.0, 0.01), (2.0, 1 / 3), (-3.14, -2.72)]
)


@clause("creation.arange-rounding", covers=["minicourse.arange"], effort=2)
@for_all(spacing=_DECIMAL, length=st.sampled_from(LENGTHS[:3] + LENGTHS[4:-1]))
def arange_does_not_gather_rounding_errors(
    torch: Any, device: str, spacing: tuple[float, float], length: int
) -> None:
    """Element i of arange lies at start + i * step, as near as the dtype's rounding of start, step,
    product and sum allows, for the last element as for the first: errors do not add up."""
    start, step = spacing
    # Half a step from either neighbour, the end leaves no doubt about the length.
    end = start + step * (length - 0.5)
    expected = start + step * np.arange(length)
    magnitude = np.abs(start) + np.abs(step * np.arange(length))
    for name in supported(FLOATS):
        unit = FORMATS[name].eps / 2
        reason = "start, step, product and partial sum, and the sum itself, each rounded once"
        bound = Bound(name, 0.5, reason, absolute=4 * unit * magnitude)
        x = torch.arange(start, end, step, dtype=getattr(torch, name), device=device)
        with case(dtype=name, end=end):
            assert_close(x, expected, bound)


@clause("creation.arange-length", thorough=True, covers=["minicourse.arange"], metadata_only=True)
def arange_excludes_an_end_that_the_steps_reach(torch: Any, device: str) -> None:
    """arange has ceil((end - start) / step) elements, so an end that the steps reach is left out,
    whatever the dtype of the result; start equal to end leaves nothing."""
    for arguments, length in DECIMAL_LENGTHS:
        for name in supported(FLOATS):
            with case(arguments=arguments, dtype=name):
                x = torch.arange(*arguments, dtype=getattr(torch, name), device=device)
                assert_metadata(x, shape=(length,), dtype=name, stride=(1,))
        for name in supported(["float32"]):
            assert_metadata(torch.arange(*arguments, device=device), shape=(length,), dtype=name)


@clause("creation.linspace-exact", covers=["dlnotes.linspace", "basics.dtype-argument"], effort=6)
@for_all(space=from_pool(dyadic_spaces), dtype=st.sampled_from(NUMERIC))
def linspace_of_binary_fractions_is_exact(
    torch: Any, device: str, space: tuple[float, float, int], dtype: str
) -> None:
    """linspace(start, end, steps) gives `steps` numbers at equal distances from start to end, both
    included, float32 by default: exactly those, where the dtype holds the distances and numbers.
    One step gives start, none gives an empty tensor."""
    start, distance, steps = space
    counts = np.arange(steps, dtype=np.float64)
    expected = start + distance * counts
    end = start + distance * (steps - 1) if steps > 1 else start + 1
    for name in supported(["float32"] if dtype == "float32" else ["float32", dtype]):
        parts = [expected, expected - start, expected - end, np.array([start, end, end - start])]
        if category(name) is not Category.INTEGER:
            parts += [counts, np.array([distance])]  # integers are computed in a float format
        if not fits(np.concatenate(parts), name):
            continue
        exact = expected.astype(numpy_dtype(name))
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        with case(dtype=name, start=start, end=end, steps=steps):
            assert_equal(torch.linspace(start, end, steps, **options), exact)
            assert_equal(torch.linspace(start=start, end=end, steps=steps, **options), exact)
            if start == int(start) and end == int(end):
                assert_equal(torch.linspace(int(start), int(end), steps=steps, **options), exact)


_ENDS = [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (3.0, -5.0), (1e-3, 1e3), (-3.14, 2.72), (7.0, 7.3)]


@clause("creation.linspace-ends", covers=["dlnotes.linspace"], effort=1.5)
@for_all(ends=st.sampled_from(_ENDS), steps=st.sampled_from(LENGTHS[1:3] + LENGTHS[4:]))
def linspace_includes_both_ends(
    torch: Any, device: str, ends: tuple[float, float], steps: int
) -> None:
    """The first element of linspace is start and the last is end, each rounded to the dtype and no
    more; those between lie at equal distances, but for rounding."""
    start, end = ends
    expected = start + (end - start) * (np.arange(steps) / (steps - 1))
    for name in supported(FLOATS):
        unit = FORMATS[name].eps / 2
        # The ends, their difference, the count, the quotient, the index, the product: each u.
        reason = "seven roundings of numbers up to |start| + |end|, then the sum rounded"
        bound = Bound(name, 0.5, reason, absolute=8 * unit * (abs(start) + abs(end)))
        x = torch.linspace(start, end, steps, dtype=getattr(torch, name), device=device)
        with case(dtype=name):
            assert_close(x, expected, bound)
            assert_equal(x[0], rounded(np.array(start), name))
            assert_equal(x[-1], rounded(np.array(end), name))


@clause(
    "creation.linspace-integers", covers=["dlnotes.linspace", "basics.dtype-argument"], effort=5
)
@for_all(
    ends=st.sampled_from([(0, 10), (0, 1), (10, 0), (3, 100), (1, 126), (120, 2), (5, 5)]),
    steps=st.sampled_from(LENGTHS[1:3] + LENGTHS[4:]),
)
def linspace_in_integers_keeps_its_ends(
    torch: Any, device: str, ends: tuple[int, int], steps: int
) -> None:
    """In an integer dtype the first and last elements are start and end, and each of the others is
    an integer less than 1 away from the evenly spaced number; which of them is not documented."""
    start, end = ends
    exact = start + (end - start) * (np.arange(steps) / (steps - 1))
    for name in supported(INTEGERS):
        x = torch.linspace(start, end, steps, dtype=getattr(torch, name), device=device)
        with case(dtype=name):
            assert_metadata(x, shape=(steps,), dtype=name)
            got = read(x).astype(np.float64)
            assert_equal((int(got[0]), int(got[-1])), (start, end))
            assert_that((np.abs(got - exact) < 1 + 1e-5).all(), "an element more than 1 away")


_SIDES = (1, 2, 3, 0, 5, 7, 8, 9, 16, 17, 33, 65)
_EYES = sorted({(n, m) for n in _SIDES for m in _SIDES} | {(1, 1025), (1025, 2)}, key=prod)


@clause("creation.eye", covers=["dlnotes.eye", "basics.dtype-argument"], effort=4)
@for_all(sides=st.sampled_from(_EYES), dtype=dtypes)
def eye_has_ones_on_the_main_diagonal(
    torch: Any, device: str, sides: tuple[int, int], dtype: str
) -> None:
    """eye(n, m) has n rows and m columns, or n where m is not given; it is 1 where row and column
    are the same and 0 elsewhere, float32 by default."""
    n, m = sides
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        expected = np.zeros((n, m), numpy_dtype(name))
        expected[range(min(n, m)), range(min(n, m))] = 1
        assert_equal(torch.eye(n, m, **options), expected)
        assert_equal(torch.eye(n=n, m=m, **options), expected)
        square = np.zeros((n, n), numpy_dtype(name))
        square[range(n), range(n)] = 1
        assert_equal(torch.eye(n, **options), square)


# ------------------------------------------------------------------ after another tensor


def _like(torch: Any, x: Any, number: Any, **options: Any) -> Iterator[tuple[str, Any, Any]]:
    """The *_like functions that fill, with the number that they fill with."""
    yield "zeros_like", torch.zeros_like(x, **options), 0
    yield "ones_like", torch.ones_like(x, **options), 1
    yield "full_like", torch.full_like(x, fill_value=number, **options), number


@clause("creation.like", covers=["minicourse.like", "basics.randn-like-override"], effort=4)
@for_all(operand=operands(shapes(max_size=1100)), dtype=dtypes, target=dtypes)
def like_takes_the_shape_and_dtype_of_its_argument(
    torch: Any, device: str, operand: Operand, dtype: str, target: str
) -> None:
    """zeros_like, ones_like and full_like give a new tensor of their argument's shape, dtype and
    device, filled with 0, 1 or the given number; dtype= overrides the dtype. The argument's layout
    does not matter and its elements stay as they are."""
    number = {Category.BOOL: 1, Category.INTEGER: 100}.get(category(target), -0.5)
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        for call, y, fill in _like(torch, x, 7):
            with case(call=call, dtype=name):
                assert_equal(y, np.full(operand.shape, fill, numpy_dtype(name)))
        for other in supported([target]):
            for call, y, fill in _like(torch, x, number, dtype=getattr(torch, other)):
                with case(call=call, dtype=other):
                    assert_equal(y, np.full(operand.shape, fill, numpy_dtype(other)))
        assert_equal(x, operand.array(name))


def _random_like(torch: Any, x: Any, **options: Any) -> Iterator[tuple[str, Any]]:
    yield "rand_like", torch.rand_like(x, **options)
    yield "randn_like", torch.randn_like(x, **options)


@clause(
    "creation.like-metadata",
    covers=["basics.randn-like-override", "minicourse.like"],
    metadata_only=True,
    effort=4,
)
@for_all(shape=shapes(), dtype=dtypes, target=dtypes)
def like_keeps_the_size_and_lets_the_dtype_be_overridden(
    torch: Any, device: str, shape: Shape, dtype: str, target: str
) -> None:
    """Every *_like function keeps the size of its argument; the dtype is the argument's, or the one
    given as dtype=, such as the float dtype in which random numbers are drawn like integers."""
    for name in supported([dtype]):
        x = torch.zeros(shape, dtype=getattr(torch, name), device=device)
        assert_metadata(torch.empty_like(x), shape=shape, dtype=name)
        assert_metadata(torch.zeros_like(x), shape=shape, dtype=name)
        assert_metadata(torch.ones_like(input=x), shape=shape, dtype=name)
        if category(name) is Category.FLOAT:
            for call, y in _random_like(torch, x):
                with case(call=call):
                    assert_metadata(y, shape=shape, dtype=name)
        if category(name) in (Category.FLOAT, Category.INTEGER):
            assert_metadata(torch.randint_like(x, 9), shape=shape, dtype=name)
        for other in supported([target]):
            given = getattr(torch, other)
            with case(override=other):
                assert_metadata(torch.empty_like(x, dtype=given), shape=shape, dtype=other)
                assert_metadata(torch.zeros_like(x, dtype=given), shape=shape, dtype=other)
                assert_metadata(torch.full_like(x, 1, dtype=given), shape=shape, dtype=other)
            if category(other) is Category.FLOAT:
                for call, y in _random_like(torch, x, dtype=given):
                    with case(call=call, override=other):
                        assert_metadata(y, shape=shape, dtype=other)
            if category(other) in (Category.FLOAT, Category.INTEGER):
                y = torch.randint_like(x, 0, 9, dtype=given)
                assert_metadata(y, shape=shape, dtype=other)


_LIKE = ("empty_like", "zeros_like", "ones_like", "rand_like", "randn_like")


@clause(
    "creation.memory-format",
    covers=["minicourse.like", "dlnotes.empty"],
    requires={"views"},
    metadata_only=True,
    effort=2,
)
@for_all(
    shape=shapes(min_rank=2, max_rank=5, empty=False),
    rotation=st.integers(0, 4),
    dtype=st.sampled_from(FLOATS),
)
def a_dense_layout_is_kept_unless_another_is_asked_for(
    torch: Any, device: str, shape: Shape, rotation: int, dtype: str
) -> None:
    """A *_like result has the strides of an argument that fills its memory, in whatever order;
    memory_format=contiguous_format makes it contiguous, and channels_last (rank 4) or
    channels_last_3d (rank 5) lets dimension 1 vary fastest. empty_strided takes strides."""
    rank = len(shape)
    # Without dimensions of length 1, whose stride says nothing.
    shape = tuple(max(length, 2) for length in shape)
    order = tuple((dim + rotation) % rank for dim in range(rank))
    dense = dense_strides(shape, order)
    wanted = [({}, dense), ({"memory_format": torch.preserve_format}, dense)]
    wanted += [({"memory_format": torch.contiguous_format}, row_major(shape))]
    if rank >= 4:
        last = torch.channels_last if rank == 4 else torch.channels_last_3d
        wanted += [({"memory_format": last}, channels_last(shape))]
    for name in supported([dtype]):
        options = {"dtype": getattr(torch, name), "device": device}
        x = torch.empty_strided(shape, dense, **options)
        assert_metadata(x, shape=shape, dtype=name, stride=dense)
        for given, stride in wanted:
            for call in _LIKE:
                with case(call=call, **given):
                    y = getattr(torch, call)(x, **given)
                    assert_metadata(y, shape=shape, dtype=name, stride=stride)
        for given, stride in wanted[2:]:
            with case(call="empty", **given):
                assert_metadata(torch.empty(shape, **options, **given), stride=stride)


@clause("creation.new", covers=["basics.new-ones"], effort=4)
@for_all(
    shape=shapes(max_size=300),
    layout=layouts(),
    dtype=dtypes,
    target=dtypes,
)
def new_methods_take_dtype_and_device_from_their_tensor(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, target: str
) -> None:
    """new_zeros, new_ones, new_full, new_empty and new_tensor give a tensor of the given size or
    data, with the dtype and device of the tensor that they are called on unless others are given.
    That tensor's own shape, strides and elements play no part and stay as they are."""
    stride = None if 0 in shape else row_major(shape)
    data = values(tuple(min(n, 3) for n in shape if n), "bool")
    operand = Operand((3, 2), layout)
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        for other in supported([name] if name == target else [name, target]):
            given = {} if other == name else {"dtype": getattr(torch, other), "device": device}
            kind = numpy_dtype(other)
            with case(dtype=other):
                for call in ("new_zeros", "new_ones", "new_empty"):
                    for spelling, y in sized(getattr(x, call), shape, **given):
                        with case(call=call, size=spelling):
                            assert_metadata(y, shape=shape, dtype=other, stride=stride)
                assert_equal(x.new_zeros(shape, **given), np.zeros(shape, kind))
                assert_equal(x.new_ones(shape, **given), np.ones(shape, kind))
                assert_equal(x.new_full(shape, 7, **given), np.full(shape, 7, kind))
                assert_equal(x.new_tensor(data.tolist(), **given), data.astype(kind))
        assert_equal(x, operand.array(name))


_NEW = ("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor")


@clause("creation.new-is-a-method", covers=["basics.new-ones-function"])
def new_is_asked_of_a_tensor_not_of_the_module(torch: Any, device: str) -> None:
    """Erratum: torch.new_ones(5, 3) does not exist. new_zeros, new_ones, new_full, new_empty and
    new_tensor are methods of a tensor, as in x.new_ones(5, 3)."""
    x = torch.zeros(2, dtype=torch.int32, device=device)
    for name in _NEW:
        with case(name=name):
            assert_that(not hasattr(torch, name), f"the module has a function {name}")
            assert_that(callable(getattr(x, name, None)), f"a tensor has no method {name}")
    assert_equal(x.new_ones(5, 3), np.ones((5, 3), np.int32))


# --------------------------------------------------------------------- common to factories


@clause("creation.dtype-argument", covers=["basics.dtype-argument"], metadata_only=True)
def every_factory_returns_the_dtype_that_it_is_given(torch: Any, device: str) -> None:
    """dtype= is what a factory returns, for every factory and dtype, by whichever of its names the
    dtype is given (torch.long is torch.int64, torch.double is torch.float64)."""
    for name in supported(ALL):
        x = torch.empty(2, 2, dtype=torch.float32, device=device)
        for alias in (name, *DTYPES[name].aliases):
            given = getattr(torch, alias)
            with case(dtype=alias):
                for factory, (call, made) in FACTORIES.items():
                    if name in made:
                        with case(factory=factory):
                            y = call(torch, dtype=given, device=device)
                            assert_metadata(y, dtype=name)
                            assert_equal(y.dtype == given, True)
                for factory, (call, made) in FROM_A_TENSOR.items():
                    if name in made:
                        with case(factory=factory):
                            assert_metadata(call(torch, x, dtype=given), shape=(2, 2), dtype=name)


@clause(
    "creation.default-dtype",
    covers=["minicourse.arange", "dlnotes.tensor-from-list-or-array"],
    requires={"default-dtype"},
)
def factories_follow_the_default_dtype(torch: Any, device: str) -> None:
    """Where nothing else decides, a factory makes the default float dtype; set_default_dtype
    changes it. Integers and bools still infer int64 and bool."""
    before = torch.get_default_dtype()
    for default in supported(FLOATS):
        try:
            torch.set_default_dtype(getattr(torch, default))
            made = {name: call(torch, device) for name, call in OF_DEFAULT_DTYPE.items()}
            integers = torch.arange(3, device=device), torch.tensor([1], device=device)
            full = torch.full((2,), 3, device=device)
            bools = torch.tensor([True], device=device)
        finally:
            torch.set_default_dtype(before)
        with case(default=default):
            for name, x in made.items():
                with case(factory=name):
                    assert_metadata(x, dtype=default)
            for x in (*integers, full):
                assert_metadata(x, dtype="int64")
            assert_metadata(bools, dtype="bool")


@clause("creation.out", covers=["basics.dtype-argument"], requires={"out", "views", "in-place"})
def factories_write_into_out(torch: Any, device: str) -> None:
    """Given out=, a factory writes into that tensor, in its dtype and through its strides, touches
    nothing around it, and returns it."""
    for name in supported(INTEGERS + FLOATS):
        for factory, (call, numbers) in INTO_OUT.items():
            expected = numbers.astype(numpy_dtype(name))
            for layout in LAYOUTS:
                if layout == "expanded":
                    continue
                held = np.full(expected.shape, 77, expected.dtype)
                there = place(torch, device, held, layout)
                with case(factory=factory, dtype=name, layout=layout):
                    options = {"out": there.view}
                    if factory.startswith("full"):
                        options["dtype"] = getattr(torch, name)
                    assert_same_object(call(torch, **options), there.view)
                    assert_equal(there.base, there.after(expected))


@clause(
    "creation.independent",
    covers=["minicourse.zeros-ones", "minicourse.like", "basics.new-ones"],
    requires={"in-place"},
    effort=1,  # an example tries every factory
)
@for_all(shape=shapes(min_rank=1, max_size=300, empty=False), dtype=dtypes)
def a_new_tensor_shares_memory_with_no_other(
    torch: Any, device: str, shape: Shape, dtype: str
) -> None:
    """What a factory returns has memory of its own: a write to one element changes neither its
    other elements, nor the tensor that the factory was given, nor what the same call makes next."""
    for name in supported([dtype]):
        array = values(shape, name)
        x = tensor_of(torch, device, array)
        for factory, call in FRESH.items():
            first, second = call(torch, x, device), call(torch, x, device)
            before = read(first)
            corner = (0,) * before.ndim
            written = before.copy()
            written[corner] = not before[corner]
            first[corner] = _python(written[corner])
            with case(factory=factory):
                assert_equal(first, written)
                assert_equal(second, before)
                assert_equal(call(torch, x, device), before)
                assert_equal(x, array)


@clause(
    "creation.every-length",
    thorough=True,
    covers=["minicourse.zeros-ones", "minicourse.like", "minicourse.arange", "basics.new-ones"],
)
def every_length_of_every_dtype_is_filled(torch: Any, device: str) -> None:
    """Factories fill tensors of every dtype to the last element, at any length: a scalar, none
    at all, and the lengths around those in which a device works."""
    for name in supported(ALL):
        options = {"dtype": getattr(torch, name), "device": device}
        for shape in [(), *((n,) for n in LENGTHS)]:
            zeros, ones = np.zeros(shape, numpy_dtype(name)), np.ones(shape, numpy_dtype(name))
            with case(dtype=name, shape=shape):
                x = torch.zeros(shape, **options)
                assert_equal(x, zeros)
                assert_equal(torch.ones(shape, **options), ones)
                assert_equal(torch.full(shape, 1, **options), ones)
                assert_equal(torch.ones_like(x), ones)
                assert_equal(torch.full_like(x, 1), ones)
                assert_equal(x.new_ones(shape), ones)
                assert_equal(x.new_full(shape, 1), ones)
                y = tensor_of(torch, device, ones)
                assert_equal(torch.zeros_like(y), zeros)
                assert_equal(y.new_zeros(shape), zeros)
                counts = np.arange(zeros.size)
                if shape and name in INTEGERS + FLOATS and fits(counts, name):
                    counted = counts.astype(numpy_dtype(name))
                    assert_equal(torch.arange(zeros.size, **options), counted)


@clause(
    "creation.device-argument", covers=["minicourse.like", "basics.new-ones"], metadata_only=True
)
def factories_make_tensors_on_the_device_that_they_are_given(torch: Any, device: str) -> None:
    """device=, a string or a torch.device, is where the tensor lives; *_like and new_* use their
    argument's device. layout=torch.strided, the default, may be said."""
    there = torch.device(device)
    x = torch.empty(2, 2, device=device)
    for name, (call, made) in FACTORIES.items():
        with case(factory=name):
            for dtype in supported(made[:1]):
                options = {"dtype": getattr(torch, dtype), "layout": torch.strided}
                for spelling in (device, there):
                    y = call(torch, device=spelling, **options)
                    assert_equal(y.device.type, there.type)
                    assert_equal(y.device == x.device, True)
    for name, (call, _) in FROM_A_TENSOR.items():
        with case(factory=name):
            assert_equal(call(torch, x).device == x.device, True)
            assert_equal(call(torch, x, device=there).device == x.device, True)
            # From a tensor of the CPU onto the device, and from the device to the CPU.
            assert_equal(call(torch, torch.ones(2, 2), device=device).device == x.device, True)
            assert_equal(call(torch, x, device="cpu").device.type, "cpu")


@clause(
    "creation.bad-input",
    covers=["minicourse.zeros-ones", "minicourse.rand", "minicourse.arange", "dlnotes.eye",
            "dlnotes.linspace", "dlnotes.empty", "dlnotes.tensor-from-list-or-array"],
)  # fmt: skip
def factories_refuse_what_makes_no_tensor(torch: Any, device: str) -> None:
    """Sizes that are negative or no integers, a step of 0 or away from the end, ranges without an
    end, data that are no numbers, a missing argument, and options that do not exist all raise."""
    for name, bad, good in WRONG:
        factory = getattr(torch, name)
        with case(factory=name, arguments=bad):
            assert_raises(factory, *bad, device=device)
            assert_equal(factory(*good, device=device).device.type, torch.device(device).type)
    calls: list[tuple[str, Any]] = [("tensor", [1.0]), ("zeros", 2), ("ones", 2), ("empty", 2)]
    for name, argument in [*calls, ("arange", 2.0), ("eye", 2), ("rand", 2)]:
        factory = getattr(torch, name)
        for wrong, option in WRONG_OPTIONS:
            with case(factory=name, option=wrong):
                assert_raises(factory, argument, **({"device": device} | option))
        assert_metadata(factory(argument, dtype=torch.float32, device=device), dtype="float32")
    for name in supported(INTEGERS):
        with case(call="new_zeros and zeros_like", dtype=name):
            x = torch.ones(2, dtype=getattr(torch, name), device=device)
            assert_raises(x.new_zeros, -1)
            assert_raises(torch.zeros_like, [1, 2])
            assert_equal(x.new_zeros(1), np.zeros(1, numpy_dtype(name)))
            assert_equal(torch.zeros_like(x), np.zeros(2, numpy_dtype(name)))


@clause("creation.arange-of-wide-steps", covers=["minicourse.arange"])
def arange_counts_as_far_as_int64_reaches(torch: Any, device: str) -> None:
    """arange(start, end, step) of integers has ceil((end - start) / step) elements, start, start
    + step and so on, where start, end and step are int64, however far apart they are."""
    top = 2**63 - 1
    for start, end, step in (
        (0, 2**62, 2**60), (0, 2**62, 2**61), (-(2**61), 2**61, 2**60), (7, top, top // 2 + 1),
        (0, -(2**62), -(2**60)), (top - 9, top, 4), (-top, 9 - top, 4),
        (0, top, top // 3), (0, top, top), (0, top, top - 1), (-5, top - 5, top // 2),
        (0, -top, -(top // 3)), (-(2**62), 2**62 - 1, 2**61),
    ):  # fmt: skip
        reach = abs(end - start) + abs(step)
        with case(sum="beyond int64" if reach > 2**63 else "int64", range=(start, end, step)):
            expected = np.array(list(range(start, end, step)), np.int64)
            assert_equal(torch.arange(start, end, step, device=device), expected)
            got = torch.arange(start, end, step, dtype=torch.int64, device=device)
            assert_equal(got, expected)
