"""The dtype of a result."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcastable, tensor_of
from tenet.spec.cases.promoting import (
    ARITHMETIC,
    BY_NAME,
    COMPARISONS,
    DIVISION,
    EXACT,
    KIND_PAIRS,
    KIND_TRIPLES,
    LENGTH_PAIRS,
    OPERATIONS,
    REMAINING,
    Operation,
    ones,
    pool,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, BOOL, FLOATS, INTEGERS, Category, category, numpy_dtype
from tenet.spec.model.promotion import (
    KINDS,
    NUMBERS,
    TENSORS,
    Kind,
    Rank,
    promoted,
    result,
    true_division,
)
from tenet.spec.model.tolerance import ulps
from tenet.spec.promotion.common import all_supported, promotions_of

_LEFT: dict[Category, Any] = {
    Category.BOOL: True,
    Category.INTEGER: 7,
    Category.FLOAT: 2.5,
    Category.COMPLEX: 2 + 1j,
}
_RIGHT: dict[Category, Any] = {
    Category.BOOL: True,
    Category.INTEGER: 2,
    Category.FLOAT: 1.5,
    Category.COMPLEX: 1 + 2j,
}
"""What an operand of a category holds on either side. Every dtype of the category holds it, no
result leaves int8, and a fraction or an imaginary part that is lost changes every result."""

_REFERENCES: dict[str, Callable[..., Any]] = {
    **EXACT,
    "div": np.true_divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "fmod": np.fmod,
    "pow": np.power,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "atan2": np.arctan2,
}
_ROUNDED = {"div": 8, "pow": 40, "atan2": 8}
"""Those whose results are rounded, and how many units they may err: as much as complex ones."""
_LIFTED = frozenset({"div", "atan2"})
"""Those that make floats of integers."""


@cache
def _value(operation: Operation, left: Kind, right: Kind, dtype: str) -> Any:
    """What the operation gives on those numbers, both converted to the promoted dtype first."""
    name = operation.names[0]
    gathered = true_division(left, right) if name in _LIFTED else result(left, right)
    # Computed as widely as NumPy can: what the numbers are in any dtype of the category.
    wide = {Category.INTEGER: "int64", Category.FLOAT: "float64", Category.COMPLEX: "complex128"}
    kind = wide.get(category(str(gathered)), "bool")
    x, y = (np.asarray(side[each.category]).astype(kind)
            for side, each in ((_LEFT, left), (_RIGHT, right)))  # fmt: skip
    value = np.asarray(_REFERENCES[name](x, y))
    inexact = name in _ROUNDED and category(dtype) >= Category.FLOAT
    return value if inexact else value.astype(numpy_dtype(dtype))


def _numbers(
    torch: Any, device: str, shape: tuple[int, ...], numbers: dict[Category, Any]
) -> dict[Kind, Any]:
    """An operand of every kind, all of whose elements are the number of its category."""
    made: dict[Kind, Any] = {}
    for kind in KINDS:
        number = numbers[kind.category]
        if kind.rank == Rank.NUMBER:
            made[kind] = number
        elif any(supported((kind.dtype,))):
            made[kind] = torch.full(
                _shape(kind, shape), number, dtype=getattr(torch, kind.dtype), device=device
            )
    return made


def _have_promoted_dtypes(
    torch: Any,
    device: str,
    operations: tuple[Operation, ...],
    first: tuple[int, ...] = (2,),
    second: tuple[int, ...] = (1,),
) -> None:
    """Every spelling, of operands of every two kinds, has the promoted dtype, and the value that
    the operation has there."""
    available = frozenset(supported(ALL))
    lefts = _numbers(torch, device, first, _LEFT)
    rights = _numbers(torch, device, second, _RIGHT)
    for operation in operations:
        units = _ROUNDED.get(operation.names[0])
        for turn, (left, right, dtype) in enumerate(promotions_of(operation)):
            if not {left.dtype, right.dtype, dtype} <= available:
                continue
            a, b = lefts[left], rights[right]
            shape = broadcastable(_shape(left, first), _shape(right, second)) or ()
            spellings = list(operation.spellings(torch, left, right))
            for place, (spelling, call) in enumerate(spellings):
                with case(spelling=spelling, left=left, right=right):
                    got = call(a, b)
                    # One spelling's elements are read, another's for the next two kinds.
                    if place != turn % len(spellings):
                        assert_metadata(got, dtype=dtype, shape=shape)
                        continue
                    value = np.broadcast_to(_value(operation, left, right, dtype), shape)
                    if units and category(dtype) >= Category.FLOAT:
                        bound = ulps(units, dtype, "some operations, each rounded")
                        assert_close(got, value, bound)
                    else:
                        # How complex arithmetic signs its zeros is not documented.
                        real = category(dtype) != Category.COMPLEX
                        assert_equal(got, value, signed_zero=real)


def _shape(kind: Kind, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if kind.rank == Rank.DIMENSIONED else ()


@clause(
    "promotion.arithmetic",
    covers=[
        "minicourse.mixed-dtypes-promote",
        "notes.promotion-categories",
        "notes.promotion-priority",
        "notes.result-type",
    ],
)
def sums_differences_and_products_have_the_promoted_dtype(torch: Any, device: str) -> None:
    """Operands of any two dtypes add, subtract and multiply, with dimensions, without, and as
    Python numbers: the result has the dtype that result_type names and the value that the operands
    have there, whichever side an operand stands on and however the operation is said."""
    _have_promoted_dtypes(torch, device, ARITHMETIC)
    _have_promoted_dtypes(torch, device, ARITHMETIC[:1], (1,), (2, 0))
    _have_promoted_dtypes(torch, device, ARITHMETIC, (0,), (1,))


@clause("promotion.division", covers=["notes.promotion-default-dtype"], thorough=True)
def true_division_never_stays_an_integer(torch: Any, device: str) -> None:
    """True division promotes its operands and lifts integers and bools to the default dtype, so
    that 7 / 2 is 3.5."""
    _have_promoted_dtypes(torch, device, DIVISION)


@clause(
    "promotion.other-operations",
    thorough=True,
    covers=["notes.promotion-categories", "notes.promotion-priority"],
)
def other_operations_promote_by_the_same_rule(torch: Any, device: str) -> None:
    """Floor division, remainders, powers, bitwise operations, extrema and atan2 promote as
    arithmetic does, before they compute: an integer that meets 1.5 is a float, whose remainder
    keeps its fraction, and so is one that meets 2.0. atan2 of integers gives the default dtype."""
    _have_promoted_dtypes(torch, device, REMAINING)
    for operation, name in product((*ARITHMETIC, *REMAINING), supported(INTEGERS)):
        whole, number = Kind(name, Rank.DIMENSIONED), Kind("float32", Rank.NUMBER)
        x = torch.full((3,), 3, dtype=getattr(torch, name), device=device)
        for left, right in ((whole, number), (number, whole)):
            dtype = operation.takes(left, right) and operation.gives(left, right)
            if not dtype or not all_supported(dtype):
                continue
            for spelling, call in operation.spellings(torch, left, right):
                with case(spelling=spelling, left=left, right=right, number=2.0):
                    a, b = (2.0 if kind is number else x for kind in (left, right))
                    assert_metadata(call(a, b), dtype=dtype, shape=(3,))


@clause(
    "promotion.comparisons",
    thorough=True,
    covers=["notes.promotion-categories", "dlnotes.comparisons"],
)
def comparisons_take_any_two_dtypes(torch: Any, device: str) -> None:
    """Operands of different dtypes compare as the numbers that they are, and the result is bool
    whatever they are."""
    _have_promoted_dtypes(torch, device, COMPARISONS)


@clause(
    "promotion.any-operation",
    covers=["notes.promotion-categories", "notes.promotion-priority", "notes.result-type"],
    metadata_only=True,
    effort=4,
)
@for_all(
    group=st.integers(0, 6),
    kinds=st.sampled_from(KIND_PAIRS),
    shapes=st.sampled_from(LENGTH_PAIRS),
)
def the_promoted_dtype_depends_on_no_length(
    torch: Any,
    device: str,
    group: int,
    kinds: tuple[tuple[str, int], ...],
    shapes: tuple[tuple[int, ...], ...],
) -> None:
    """The dtype of a result follows from dtypes and from which operands are 0-d, whatever the
    lengths: tensors of one element and of none count as dimensioned."""
    left, right = (
        Kind(dtype, rank if rank == Rank.NUMBER or shape else Rank.ZERO_DIM)
        for (dtype, rank), shape in zip(kinds, shapes, strict=True)
    )
    if not all_supported(left.dtype, right.dtype):
        return
    a = ones(torch, device, shapes[0], (left,))[left]
    b = ones(torch, device, shapes[1], (right,))[right]
    shape = broadcastable(_shape(left, shapes[0]), _shape(right, shapes[1]))
    for operation in OPERATIONS[group::7]:
        dtype = operation.takes(left, right) and operation.gives(left, right)
        if not dtype or not all_supported(dtype):
            continue
        spellings = list(operation.spellings(torch, left, right))
        if spellings:
            spelling, call = spellings[sum(map(len, shapes)) % len(spellings)]
            with case(spelling=spelling):
                assert_metadata(call(a, b), dtype=dtype, shape=shape)


@clause(
    "promotion.joining",
    covers=["notes.promotion-categories", "notes.promotion-priority"],
)
def selecting_and_joining_promote(torch: Any, device: str) -> None:
    """where promotes the two things that it chooses from, Python numbers among them; cat, stack
    and their kin give the promoted dtype of all tensors that they join, of empty ones too."""
    available = frozenset(supported(ALL))
    lefts, rights = ones(torch, device, (2,)), ones(torch, device, (2,))
    mask = torch.ones(2, dtype=torch.bool, device=device)
    for left, right in product(KINDS, repeat=2):
        dtype = result(left, right)
        if dtype is None or not {left.dtype, right.dtype, dtype} <= available:
            continue
        a, b = lefts[left], rights[right]
        with case(left=left, right=right):
            assert_metadata(torch.where(mask, a, b), dtype=dtype, shape=(2,))
            if left.rank != Rank.NUMBER:
                assert_metadata(a.where(mask, b), dtype=dtype, shape=(2,))
            if not left.rank == right.rank == Rank.DIMENSIONED:
                continue
            for join in ("cat", "concat", "stack", "hstack", "vstack"):
                with case(join=join):
                    assert_metadata(getattr(torch, join)([a, b]), dtype=dtype)
                    assert_metadata(getattr(torch, join)((b, a)), dtype=dtype)
                    if join not in ("stack", "vstack"):
                        assert_metadata(getattr(torch, join)([a[:0], b]), dtype=dtype)
                        assert_metadata(getattr(torch, join)([b, a[:0]]), dtype=dtype)


@clause(
    "promotion.three-operands",
    covers=["notes.promotion-categories", "notes.promotion-priority"],
    metadata_only=True,
    effort=2,
)
@for_all(operands=st.sampled_from(KIND_TRIPLES))
def three_operands_promote_together(
    torch: Any, device: str, operands: tuple[tuple[str, int], ...]
) -> None:
    """With three operands, all dimensioned ones decide together before any 0-d one counts."""
    dtypes = [dtype for dtype, _ in operands]
    dtype = result(*(Kind(*operand) for operand in operands))
    joined = promoted(promoted(dtypes[0], dtypes[1]), dtypes[2])
    if dtype is None or not all_supported(*dtypes, dtype, joined):
        return
    a, b, c = (
        torch.ones(() if rank else (2,), dtype=getattr(torch, name), device=device)
        for name, rank in operands
    )
    # addcmul multiplies before it adds, so it takes the three in any place.
    if category(dtype) > Category.BOOL:
        assert_metadata(torch.addcmul(a, b, c), dtype=dtype)
        assert_metadata(a.addcmul(b, c), dtype=dtype)
    if Category.BOOL < category(dtype) < Category.COMPLEX:
        assert_metadata(torch.clamp(a, min=b, max=c), dtype=dtype)
        assert_metadata(b.clamp(c, a), dtype=dtype)
    assert_metadata(torch.cat([a.reshape(-1), b.reshape(-1), c.reshape(-1)]), dtype=joined)
    assert_metadata(torch.stack([c.expand(2), a.expand(2), b.expand(2)]), dtype=joined)


_BETWEEN: dict[Category, tuple[Any, Any]] = {
    Category.INTEGER: (1, 3),
    Category.FLOAT: (1.5, 3.5),
}
"""Bounds of a category: numbers below and above them are clamped."""


@clause(
    "promotion.clamp",
    covers=["notes.promotion-categories", "notes.promotion-priority"],
)
def bounds_promote_what_they_clamp(torch: Any, device: str) -> None:
    """clamp promotes a tensor and its bounds before it compares them: integers that meet 3.5 are
    floats, and 3.5 where they are above it, for a bound that is a Python number, a 0-d tensor or
    one with dimensions, either alone and both, for tensors of every rank."""
    available = frozenset(supported(ALL))
    for left, bound in product(TENSORS, KINDS):
        dtype = result(left, bound)
        if bound.category not in _BETWEEN or not Category.BOOL < left.category < Category.COMPLEX:
            continue
        if dtype is None or not {left.dtype, bound.dtype, dtype} <= available:
            continue
        numbers = np.array(5 if left.rank == Rank.ZERO_DIM else [0, 2, 5, 3, 1, 4])
        x = tensor_of(torch, device, numbers.astype(numpy_dtype(left.dtype)))
        low, high = _BETWEEN[bound.category]
        least, most = (_bound(torch, device, bound, number) for number in (low, high))
        for said, got, expected in (
            ("max", torch.clamp(x, max=most), np.minimum(numbers, high)),
            ("min", x.clamp(min=least), np.maximum(numbers, low)),
            ("min and max", torch.clamp(x, least, most), np.clip(numbers, low, high)),
            ("clamp_max", torch.clamp_max(x, most), np.minimum(numbers, high)),
            ("clamp_min", x.clamp_min(least), np.maximum(numbers, low)),
        ):
            with case(x=left, bound=bound, said=said):
                shape = (2, np.size(expected)) if bound.rank == Rank.DIMENSIONED else numbers.shape
                assert_equal(got, np.broadcast_to(expected, shape).astype(numpy_dtype(dtype)))


def _bound(torch: Any, device: str, kind: Kind, number: Any) -> Any:
    if kind.rank == Rank.NUMBER:
        return number
    shape = (2, 1) if kind.rank == Rank.DIMENSIONED else ()
    return torch.full(shape, number, dtype=getattr(torch, kind.dtype), device=device)


@clause(
    "promotion.bool-subtraction",
    covers=["minicourse.mixed-dtypes-promote"],
)
def two_bools_are_not_subtracted(torch: Any, device: str) -> None:
    """Subtraction is the one arithmetic operation that two bool tensors do not have; a bool
    tensor of integers subtracts as ever."""
    for shape in ((2,), (), (0,), (3, 2)):
        mask = torch.ones(shape, dtype=torch.bool, device=device)
        number = torch.ones(shape, dtype=torch.int64, device=device)
        zeros = np.zeros(shape, np.int64)
        with case(shape=shape):
            assert_raises(torch.sub, mask, mask)
            assert_raises(torch.subtract, mask, mask)
            assert_raises(mask.sub, mask)
            assert_raises(operator.sub, mask, mask)
            assert_equal(torch.sub(number, number), zeros)
            assert_equal(torch.subtract(number, number), zeros)
            assert_equal(number.sub(number), zeros)
            assert_equal(number - number, zeros)


@contextmanager
def _default_dtype(torch: Any, name: str) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


_OF_WHOLE_NUMBERS = ("sqrt", "exp", "log", "sin", "tanh", "reciprocal", "atan", "erf", "log1p",
                     "rsqrt", "sigmoid", "exp2", "deg2rad", "lgamma")  # fmt: skip
"""Functions that make floats of integers and bools."""

DEFAULTED = (*ARITHMETIC[:2], *DIVISION, BY_NAME["atan2"])


@clause(
    "promotion.default-dtype",
    thorough=True,
    covers=["notes.promotion-default-dtype"],
    requires={"default-dtype"},
)
def python_floats_and_true_division_follow_the_default_dtype(torch: Any, device: str) -> None:
    """A Python float with integer or bool tensors, true division of integers, atan2 and functions
    such as sqrt of them give the default dtype as set_default_dtype has it; tensors of floats
    keep their own."""
    available = frozenset(supported(ALL))
    lefts, rights = ones(torch, device, (2,)), ones(torch, device, (2,))
    mask = torch.ones(2, dtype=torch.bool, device=device)
    for default in supported(FLOATS):
        with _default_dtype(torch, default), case(default=default):
            for operation in DEFAULTED:
                for left, right, _ in promotions_of(operation):
                    dtype = operation.gives(left, right, default=default)
                    interesting = right.rank == Rank.NUMBER or operation not in ARITHMETIC
                    if not interesting or dtype not in available:
                        continue
                    if not {left.dtype, right.dtype} <= available:
                        continue
                    for spelling, call in operation.spellings(torch, left, right):
                        with case(spelling=spelling, left=left, right=right):
                            got = call(lefts[left], rights[right])
                            assert_metadata(got, dtype=dtype)
            for name, function in product(supported(INTEGERS + BOOL), _OF_WHOLE_NUMBERS):
                x = torch.ones(2, dtype=getattr(torch, name), device=device)
                with case(dtype=name, function=function):
                    assert_metadata(getattr(torch, function)(x), dtype=default)
            # What does not depend on it stays what it is.
            for first, second in product(supported(ALL), repeat=2):
                joint = getattr(torch, promoted(first, second))
                got = torch.promote_types(getattr(torch, first), getattr(torch, second))
                assert_same_object(got, joint)
            for name in supported(INTEGERS + BOOL):
                x = torch.ones(2, dtype=getattr(torch, name), device=device)
                with case(dtype=name):
                    assert_metadata(x.sum(), dtype="int64")
                    assert_metadata(torch.prod(x, 0), dtype="int64")
                    assert_metadata(torch.zeros_like(x), dtype=name)
            for left, right in product(KINDS, NUMBERS):
                dtype = result(left, right, default=default)
                if dtype not in available or left.dtype not in available:
                    continue
                with case(left=left, right=right):
                    got = torch.result_type(lefts[left], rights[right])
                    assert_same_object(got, getattr(torch, dtype))
                    got = torch.where(mask, lefts[left], rights[right])
                    assert_metadata(got, dtype=dtype)


@clause(
    "promotion.default-dtype-values",
    covers=["notes.promotion-default-dtype"],
    requires={"default-dtype"},
    effort=3,
)
@for_all(
    operand=st.sampled_from(
        pool(
            [(3,), (), (1,), (0,), (8,), (3, 5), (17,), (2, 1, 33), (1025,)],
            ("small", "signed", "constant"),
        )
    ),
    dtype=st.sampled_from(("int64", "bool", "int32", "uint8", "int8", "int16")),
    default=st.sampled_from(("float32", "float64", "float16", "bfloat16")),
)
def integers_are_divided_in_the_default_dtype(
    torch: Any, device: str, operand: Operand, dtype: str, default: str
) -> None:
    """Where the default dtype decides, it is also what the operands are computed in: with
    float64, 1 / 3 and 1 + 0.1 have the precision of float64."""
    if not all_supported(dtype, default):
        return
    with _default_dtype(torch, default):
        tensor = operand.on(torch, device, dtype)
        other = replace(operand, regime="signed", seed=operand.seed + 3)
        divisor = other.on(torch, device, dtype)
        x, y = (each.array(dtype).astype(numpy_dtype(default)) for each in (operand, other))
        number = 0.1 if default in ("float32", "float64") else 0.375
        scalar = np.asarray(number).astype(numpy_dtype(default))
        spellings = list(DIVISION[0].spellings(torch, Kind(dtype), Kind(dtype)))
        for spelling, call in spellings[operand.seed % 2 :: 2]:
            with case(spelling=spelling):
                assert_equal(call(tensor, divisor), x / y)
        assert_equal(tensor + number, x + scalar)
        assert_equal(number + tensor, scalar + x)
        assert_equal(tensor * number, x * scalar)
        assert_equal(torch.add(tensor, number), x + scalar)
        assert_equal(tensor < number, x < scalar)
