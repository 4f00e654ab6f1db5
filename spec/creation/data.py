"""Tensors from numbers, lists and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, arrange, operands, regimes, seeds, shapes, values
from tenet.spec.creation.common import INFERRED, Shape, as_python, dtypes, numbers_in
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, category, numpy_dtype
from tenet.spec.model.memory_order import row_major
from tenet.spec.model.tolerance import rounded


@clause("creation.scalar", covers=["minicourse.scalar"])
def a_number_makes_a_tensor_without_dimensions(torch: Any, device: str) -> None:
    """A tensor made from one Python number has no dimensions and the shape (). Its dtype follows
    the kind of number, or is the one asked for; item() gives the number back as Python's own type
    of that kind, rounded to the dtype."""
    for name in supported(ALL):
        for number in numbers_in(name):
            expected = np.array(number).astype(numpy_dtype(name))
            options = [{"dtype": getattr(torch, name)}]
            options += [{}] if INFERRED[category(name)] == name else []
            for option in options:
                with case(number=number, dtype=name, given=bool(option)):
                    x = torch.tensor(number, device=device, **option)
                    assert_equal(x, expected)
                    assert_equal((x.ndim, tuple(x.shape)), (0, ()))
                    assert_equal(x.item(), as_python(expected))
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
            one, number = x[index], as_python(array[index])
            for rank in range(5):
                with case(ndim=rank):
                    assert_number(one.reshape((1,) * rank).item(), number)
            block = x[tuple(slice(i, i + 1) for i in index)]
            assert_number(block.item(), number)
            for several in ((2,), (2, 1), (0,)):
                with case(shape=several):
                    assert_raises(one.expand(several).item)
        if array.size == 1:
            assert_number(x.item(), as_python(array.reshape(())))
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
    nested = as_python(array)
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
        assert_equal(torch.tensor(mixed, device=device), expected)
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
    ([0.5, 2j], "complex64", (2,)),
    ([[0.5, 1], [2, 1.5 - 2j]], "complex64", (2, 2)),
    (range(3, 9, 2), "int64", (3,)),
    ([range(2), range(5, 7)], "int64", (2, 2)),
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
        whole = as_python(values(shape, name))
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
    or the dtype that is given; it is a copy: later writes to the array are not seen in it. A list
    of arrays or of NumPy's numbers is as good as one of numbers."""
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
        if expected.size and expected.ndim:
            # Rows that are arrays, the elements of a vector being NumPy's own numbers.
            kind = getattr(torch, dtype)
            assert_equal(torch.tensor(list(expected), dtype=kind, device=device), expected)
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
