"""Type promotion: the dtype of a result, and the values that follow from it."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, broadcastable, seeds
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
    PAIRS,
    REMAINING,
    VIEWS,
    Operation,
    casts_plainly,
    fitted,
    kind_of,
    ones,
    pool,
    product_is_exact,
    two_operands,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, Category, category, numpy_dtype
from tenet.spec.model.promotion import (
    KINDS,
    NUMBERS,
    TENSORS,
    Kind,
    Rank,
    castable,
    promoted,
    result,
    true_division,
)

Pair = tuple[Operand, Operand]
DIMENSIONED = tuple(kind for kind in TENSORS if kind.rank == Rank.DIMENSIONED)


@clause("promotion.lattice", covers=["notes.promotion-lattice"], metadata_only=True)
def promote_types_is_the_least_upper_bound(torch: Any, device: str) -> None:
    """promote_types gives the lowest dtype above both: for every pair, in either order, and for
    a dtype with itself; joining a third gives the same dtype in whatever order they are joined."""
    dtypes = {name: getattr(torch, name) for name in supported(ALL)}
    for (first, one), (second, two) in product(dtypes.items(), repeat=2):
        with case(first=first, second=second):
            expected = getattr(torch, promoted(first, second))
            joined = torch.promote_types(one, two)
            assert_same_object(joined, expected)
            assert_same_object(torch.promote_types(type1=one, type2=two), expected)
            for third in dtypes:
                with case(third=third):
                    expected = getattr(torch, promoted(first, promoted(second, third)))
                    assert_same_object(torch.promote_types(joined, dtypes[third]), expected)


@clause("promotion.can-cast", covers=["notes.result-type"], metadata_only=True)
def can_cast_compares_categories(torch: Any, device: str) -> None:
    """A dtype can be cast to every dtype of its own or a higher category, whatever their widths,
    and to none of a lower one."""
    dtypes = {name: getattr(torch, name) for name in supported(ALL)}
    for (source, one), (target, two) in product(dtypes.items(), repeat=2):
        with case(source=source, target=target):
            assert_equal(torch.can_cast(one, two), castable(source, target))
            assert_equal(torch.can_cast(from_=one, to=two), castable(source, target))


@clause(
    "promotion.result-type",
    covers=["notes.result-type", "notes.promotion-categories", "notes.promotion-priority"],
    metadata_only=True,
)
def result_type_ranks_categories_and_operands(torch: Any, device: str) -> None:
    """Dimensioned tensors decide the dtype, then 0-d tensors, then Python numbers: a later one
    counts only with a category above all earlier ones. One element or none makes no tensor 0-d."""
    available = frozenset(supported(ALL))
    firsts, seconds = ones(torch, device, (3,)), ones(torch, device, (3,))
    tensors = [kind for kind in DIMENSIONED if kind.dtype in available]
    for left, right in product(KINDS, repeat=2):
        dtype = result(left, right)
        if dtype is None or not {left.dtype, right.dtype} <= available:
            continue
        with case(left=left, right=right):
            got = torch.result_type(firsts[left], seconds[right])
            assert_same_object(got, getattr(torch, dtype))
    for shape in ((1,), (0,), (1, 1, 1), (2, 0), (2, 1, 3, 1, 2)):
        others = ones(torch, device, shape, tuple(tensors))
        for left, right in product(tensors, KINDS):
            dtype = result(left, right)
            if dtype is None or right.dtype not in available:
                continue
            with case(left=left, right=right, shape=shape):
                expected = getattr(torch, dtype)
                assert_same_object(torch.result_type(others[left], seconds[right]), expected)
                assert_same_object(torch.result_type(seconds[right], others[left]), expected)


Promotion = tuple[Kind, Kind, str]


@cache
def _promotions(operation: Operation) -> tuple[Promotion, ...]:
    """Every pair of kinds that an operation takes, with the dtype of its result."""
    return tuple(
        (left, right, dtype)
        for left, right in product(KINDS, repeat=2)
        if operation.takes(left, right) and (dtype := operation.gives(left, right))
    )


def _have_promoted_dtypes(
    torch: Any,
    device: str,
    operations: tuple[Operation, ...],
    first: tuple[int, ...] = (2,),
    second: tuple[int, ...] = (1,),
) -> None:
    available = frozenset(supported(ALL))
    lefts, rights = ones(torch, device, first), ones(torch, device, second)
    for operation in operations:
        for left, right, dtype in _promotions(operation):
            if not {left.dtype, right.dtype, dtype} <= available:
                continue
            a, b = lefts[left], rights[right]
            shape = broadcastable(_shape(left, first), _shape(right, second))
            for spelling, call in operation.spellings(torch, left, right):
                with case(spelling=spelling, left=left, right=right):
                    assert_metadata(call(a, b), dtype=dtype, shape=shape)


def _shape(kind: Kind, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if kind.rank == Rank.DIMENSIONED else ()


def _available(*names: str) -> bool:
    wanted = set(names)
    return len(list(supported(sorted(wanted)))) == len(wanted)


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
    """Operands of any two dtypes add, subtract and multiply: the result has the dtype that
    result_type names, whichever side an operand stands on and however the operation is said."""
    _have_promoted_dtypes(torch, device, ARITHMETIC)
    _have_promoted_dtypes(torch, device, ARITHMETIC[:1], (1,), (2, 0))
    _have_promoted_dtypes(torch, device, ARITHMETIC, (0,), (1,))


@clause("promotion.division", covers=["notes.promotion-default-dtype"])
def true_division_never_stays_an_integer(torch: Any, device: str) -> None:
    """True division promotes its operands and lifts integers and bools to the default dtype."""
    _have_promoted_dtypes(torch, device, DIVISION)


@clause(
    "promotion.other-operations",
    thorough=True,
    covers=["notes.promotion-categories", "notes.promotion-priority"],
)
def other_operations_promote_by_the_same_rule(torch: Any, device: str) -> None:
    """Floor division, remainders, powers, bitwise operations, extrema and atan2 promote as
    arithmetic does; atan2 of integers gives the default dtype."""
    _have_promoted_dtypes(torch, device, REMAINING)


@clause(
    "promotion.comparisons",
    thorough=True,
    covers=["notes.promotion-categories", "dlnotes.comparisons"],
)
def comparisons_take_any_two_dtypes(torch: Any, device: str) -> None:
    """Operands of different dtypes compare, and the result is bool whatever they are."""
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
    if not _available(left.dtype, right.dtype):
        return
    a = ones(torch, device, shapes[0], (left,))[left]
    b = ones(torch, device, shapes[1], (right,))[right]
    shape = broadcastable(_shape(left, shapes[0]), _shape(right, shapes[1]))
    for operation in OPERATIONS[group::7]:
        dtype = operation.takes(left, right) and operation.gives(left, right)
        if not dtype or not _available(dtype):
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
    if dtype is None or not _available(*dtypes, dtype, joined):
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


@clause(
    "promotion.values",
    covers=[
        "minicourse.mixed-dtypes-promote",
        "notes.result-type",
        "notes.promotion-default-dtype",
    ],
    effort=1.5,
)
@for_all(pair=two_operands, dtypes=st.sampled_from(PAIRS))
def operands_are_converted_before_they_meet(
    torch: Any, device: str, pair: Pair, dtypes: tuple[str, str]
) -> None:
    """Both operands are converted to the promoted dtype, and the operation happens there:
    integers wrap and floats round as that dtype does, and neither operand is changed."""
    _values_agree(torch, device, pair, dtypes)


@clause("promotion.beyond-the-narrower", covers=["notes.result-type"])
def results_may_exceed_the_narrower_dtype(torch: Any, device: str) -> None:
    """The operation happens in the promoted dtype, so that sums, products and powers of two
    dtypes may be larger than the narrower of them holds, whichever stands first."""
    for narrow, wide in (*combinations(("int8", "int16", "int32", "int64"), 2),
                         ("float16", "float32"), ("float16", "float64"), ("bfloat16", "float64"),
                         ("float32", "float64"), ("uint8", "int16"), ("uint8", "int32"),
                         ("uint8", "int64")):  # fmt: skip
        if not _available(narrow, wide):
            continue
        bits = numpy_dtype(narrow).itemsize * 8
        base = 2.0**100 if narrow in ("float32", "bfloat16") else 2 ** min(bits - 2, 30)
        base = 2**9 if narrow == "float16" else base
        for length in (1, 17):
            array = np.full(length, base).astype(numpy_dtype(narrow))
            small = torch.full((length,), base, dtype=getattr(torch, narrow), device=device)
            large = small.to(getattr(torch, wide))
            two = torch.full_like(large, 2)
            whole = array.astype(numpy_dtype(wide))
            doubled = whole * np.array(2).astype(whole.dtype)
            with case(dtypes=(narrow, wide), length=length):
                for product_ in (small**two, small.pow(two), torch.pow(small, two),
                                 large ** two.to(small.dtype), small * large, large * small,
                                 torch.mul(small, large)):  # fmt: skip
                    assert_equal(product_, whole * whole)
                assert_equal(small * (two + two), doubled + doubled)
                assert_equal((two + two) * small, doubled + doubled)
                assert_equal(small + large, doubled)
                assert_equal(large + small, doubled)
                assert_equal(torch.maximum(small, large * 2), doubled)
                assert_equal(torch.where(two > 0, large * 2, small), doubled)


EDGES = tuple(
    (Operand((33,), regime=regime, seed=3), Operand((33,), regime=regime, seed=71))
    for regime in ("normal", "special", "signed")
)


@clause(
    "promotion.every-pair",
    thorough=True,
    covers=[
        "minicourse.mixed-dtypes-promote",
        "notes.result-type",
        "notes.promotion-default-dtype",
    ],
)
def every_pair_of_dtypes_meets_in_the_promoted_one(torch: Any, device: str) -> None:
    """Every pair of dtypes, in every spelling of an operation: at the edges of both ranges the
    result is what the promoted dtype holds."""
    for pair, dtypes in product(EDGES, PAIRS):
        with case(dtypes=dtypes, regime=pair[0].regime):
            _values_agree(torch, device, pair, dtypes, every_spelling=True)


def _values_agree(
    torch: Any, device: str, pair: Pair, dtypes: tuple[str, str], *, every_spelling: bool = False
) -> None:
    kinds = tuple(map(kind_of, pair, dtypes))
    dtype = result(*kinds)
    if dtype is None or not _available(*dtypes, dtype):
        return
    used = tuple(fitted(each, name, dtype) for each, name in zip(pair, dtypes, strict=True))
    sources = [each.array(name) for each, name in zip(used, dtypes, strict=True)]
    a, b = (each.on(torch, device, name) for each, name in zip(used, dtypes, strict=True))
    for name in EXACT:
        _agrees(torch, name, kinds, (a, b), sources, used, every_spelling)
    x, y = (array.astype(numpy_dtype(dtype)) for array in sources)
    shape = np.broadcast_shapes(x.shape, y.shape)
    chosen = np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1
    mask = torch.arange(chosen.size, device=device).reshape(shape) % 3 != 1
    assert_equal(torch.where(mask, a, b), np.where(chosen, x, y))
    assert_equal(a, sources[0])
    assert_equal(b, sources[1])


def _agrees(
    torch: Any,
    name: str,
    kinds: tuple[Kind, ...],
    operands: tuple[Any, Any],
    arrays: Sequence[np.ndarray],
    described: tuple[Operand, ...],
    every_spelling: bool = False,
) -> None:
    """One operation gives what NumPy gives in the promoted dtype, where that is exact."""
    operation, reference = BY_NAME[name], EXACT[name]
    left, right = kinds
    dtype = operation.takes(left, right) and result(left, right)
    if not dtype or (name == "mul" and not product_is_exact(dtype, described)):
        return
    computed_in = dtype
    if name == "div":
        if category(dtype) == Category.COMPLEX:
            return
        computed_in = str(true_division(left, right))
    x, y = (array.astype(numpy_dtype(computed_in)) for array in arrays)
    # Which zero is larger is not documented, nor how complex arithmetic signs its zeros.
    signed = name != "maximum" and category(dtype) != Category.COMPLEX
    spellings = list(operation.spellings(torch, left, right))
    if spellings and not every_spelling:
        # One of them in each example: that all give this dtype is asked of every pair of kinds.
        spellings = [spellings[described[0].seed % len(spellings)]]
    if spellings:
        expected = reference(x, y)
    for spelling, call in spellings:
        with case(spelling=spelling):
            assert_equal(call(*operands), expected, signed_zero=signed)


@clause("promotion.joined-values", covers=["notes.promotion-categories"], effort=3)
@for_all(
    operand=st.sampled_from(pool([(2,), (3, 2), (1,), (0,), (9,), (17, 3), (33,), (1025,)])),
    dtypes=st.sampled_from(PAIRS),
    third=st.sampled_from(ALL),
)  # fmt: skip
def joined_tensors_are_converted(
    torch: Any, device: str, operand: Operand, dtypes: tuple[str, str], third: str
) -> None:
    """cat and stack convert every tensor that they join to the dtype of all, so no value of one
    passes through the dtype of another."""
    names = (*dtypes, third)
    joined = promoted(promoted(*dtypes), third)
    if not _available(*names, joined):
        return
    used = [fitted(operand, name, joined) for name in names]
    tensors = [each.on(torch, device, name) for each, name in zip(used, names, strict=True)]
    arrays = [
        each.array(name).astype(numpy_dtype(joined)) for each, name in zip(used, names, strict=True)
    ]
    for dim in (0, -1):
        with case(dim=dim):
            assert_equal(torch.cat(tensors, dim=dim), np.concatenate(arrays, axis=dim))
            assert_equal(torch.stack(tensors, dim=dim), np.stack(arrays, axis=dim))
    assert_equal(torch.hstack(tensors), np.hstack(arrays))
    assert_equal(torch.vstack(tensors[::-1]), np.vstack(arrays[::-1]))


SCALARS: tuple[tuple[str, int | float | complex], ...] = (
    ("int64", 2),
    ("bool", True),
    ("int64", 0),
    ("int64", 100),
    ("float32", -2.0),
    ("float32", 0.5),
    ("float32", 4.0),
    ("complex64", 1 + 2j),
)
"""Exact in every dtype of their category; the floats are powers of two, so that to divide and to
multiply by the inverse is the same."""


@clause(
    "promotion.scalars",
    covers=["notes.promotion-priority", "notes.promotion-categories"],
    effort=1,
)
@for_all(
    operand=st.sampled_from(
        pool([(2,), (3,), (1,), (0,), (8,), (3, 5), (17,), (2, 1, 33), (65,), (1025,)])
    ),
    dtype=st.sampled_from(ALL),
    scalar=st.sampled_from(SCALARS),
)
def a_scalar_takes_the_dtype_of_the_tensor(
    torch: Any, device: str, operand: Operand, dtype: str, scalar: tuple[str, Any]
) -> None:
    """A Python number or 0-d tensor of no higher category than a tensor's takes the tensor's
    dtype and leaves it as it is; one of a higher category lifts the tensor."""
    written, number = scalar
    held = Kind(dtype)
    same = [name for name in ALL if category(name) == category(written)]
    for kind in (Kind(written, Rank.NUMBER), *(Kind(name, Rank.ZERO_DIM) for name in same)):
        lifted = result(held, kind)
        if lifted is None or not _available(dtype, kind.dtype, lifted):
            continue
        used = fitted(operand, dtype, lifted)
        tensor, array = used.on(torch, device, dtype), used.array(dtype)
        value, exact = number, np.asarray(number)
        if kind.rank == Rank.ZERO_DIM:
            value = torch.tensor(number, dtype=getattr(torch, kind.dtype), device=device)
        with case(scalar=kind):
            for name in ("add", "lt", "mul", "div", "sub", "eq")[operand.seed % 3 :: 3]:
                if name != "div" or number != 0:
                    _agrees(torch, name, (held, kind), (tensor, value), (array, exact), (used,))
            for name in ("add", "sub", "mul", "lt")[operand.seed % 2 :: 2]:
                _agrees(torch, name, (kind, held), (value, tensor), (exact, array), (used,))


_BESIDE = (-2.5, -1.5, -1.0, -0.5, -0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 100.0)
"""Exact in every dtype of floats, and with two of them between any two whole numbers near 0."""


@clause(
    "promotion.compared-with-scalars",
    covers=["notes.promotion-categories", "notes.promotion-priority", "dlnotes.comparisons"],
)
def comparisons_with_scalars_keep_fractions(torch: Any, device: str) -> None:
    """Tensors of any dtype compare with 0-d tensors of any dtype and with Python numbers as the
    numbers that they hold do: an integer is below 1.5, and neither loses its fraction."""
    wide = np.array(_BESIDE * 3)
    numbers = {name: wide if name in FLOATS else np.trunc(wide) for name in FLOATS + INTEGERS}
    numbers["uint8"] = np.abs(numbers["uint8"])
    for name, other in product(supported(FLOATS + INTEGERS), supported(FLOATS + INTEGERS)):
        x = torch.tensor(numbers[name].tolist(), device=device).to(getattr(torch, name))
        for number in (0.5, 1.5, 1, 100) if other in FLOATS else (1, 2, 100):
            scalar = torch.tensor(number, dtype=getattr(torch, other), device=device)
            for compare in ("eq", "ne", "lt", "le", "gt", "ge"):
                expected = EXACT[compare](numbers[name], float(number))
                turned = EXACT[compare](float(number), numbers[name])
                with case(dtype=name, scalar=other, number=number, comparison=compare):
                    function = getattr(torch, compare)
                    assert_equal(function(x, scalar), expected)
                    assert_equal(function(x, number), expected)
                    assert_equal(function(scalar, x), turned)


@clause("promotion.integers-wrap", covers=["notes.promotion-priority"])
def an_integer_tensor_keeps_its_width(torch: Any, device: str) -> None:
    """A Python int or a 0-d integer tensor does not widen an integer tensor: 1000 added to int8
    stays int8, and the result wraps around."""
    for name in supported(INTEGERS):
        info = np.iinfo(numpy_dtype(name).name)
        held = [0, 1, 7, int(info.max), int(info.min), int(info.max) - 1, int(info.min) + 1] * 5
        tensor = torch.tensor(held, dtype=getattr(torch, name), device=device)
        for number in (1000, 3, -1, 70000):
            scalars: list[Any] = [number]
            if _available("int64") and name != "int64":
                scalars.append(torch.tensor(number, device=device))
            for scalar in scalars:
                with case(dtype=name, scalar=scalar):
                    assert_equal(tensor + scalar, _wrapped([h + number for h in held], name))
                    assert_equal(scalar + tensor, _wrapped([h + number for h in held], name))
                    assert_equal(tensor - scalar, _wrapped([h - number for h in held], name))
                    assert_equal(scalar - tensor, _wrapped([number - h for h in held], name))
                    assert_equal(tensor * scalar, _wrapped([h * number for h in held], name))
                    assert_equal(
                        torch.add(tensor, scalar), _wrapped([h + number for h in held], name)
                    )


def _wrapped(exact: list[int], dtype: str) -> np.ndarray:
    """Python's unbounded integers, reduced to the dtype as two's complement does."""
    bits = numpy_dtype(dtype).itemsize * 8
    low = int(np.iinfo(numpy_dtype(dtype).name).min)
    return np.array([(value - low) % 2**bits + low for value in exact], numpy_dtype(dtype))


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


@clause(
    "promotion.in-place",
    thorough=True,
    covers=["notes.promotion-inplace"],
    requires={"in-place"},
)
def an_in_place_operation_keeps_its_dtype_or_raises(torch: Any, device: str) -> None:
    """In place, a result whose category is above the target's raises, and any other is cast:
    the target keeps its dtype and is itself what comes back."""
    available = frozenset(supported(ALL))
    targets, others = ones(torch, device, (2,), TENSORS), ones(torch, device, (1,))
    for operation in (*ARITHMETIC, *DIVISION, *REMAINING):
        for left, right, dtype in _promotions(operation):
            shrinks = left.rank == Rank.ZERO_DIM and right.rank == Rank.DIMENSIONED
            named = {left.dtype, right.dtype, dtype} <= available
            if left.rank == Rank.NUMBER or shrinks or not named:
                continue
            target, other = targets[left], others[right]
            for spelling, call in operation.in_place_spellings(right):
                with case(spelling=spelling, target=left, other=right):
                    if castable(dtype, left.dtype):
                        assert_same_object(call(target, other), target)
                    else:
                        assert_raises(call, target, other)
                    assert_metadata(target, dtype=left.dtype)


OUT_PAIRS = {
    "add": tuple(product(ALL, KINDS)),
    **dict.fromkeys(
        ("mul", "sub", "div", "remainder", "pow", "maximum", "bitwise_or", "atan2", "fmod"),
        tuple(product(("float32", "int64", "uint8", "bool", "complex64"), (*DIMENSIONED,
              *NUMBERS))),
    ),
}  # fmt: skip


@clause(
    "promotion.out",
    thorough=True,
    covers=["notes.promotion-inplace"],
    requires={"out"},
)
def out_keeps_its_dtype_or_raises(torch: Any, device: str) -> None:
    """With out=, a result whose category is above that of out raises; any other is cast into out,
    whose dtype stays and which is itself what comes back."""
    available = tuple(supported(ALL))
    lefts, rights = ones(torch, device, (2,)), ones(torch, device, (1,))
    outs = {name: lefts[Kind(name)].clone() for name in available}
    for name, pairs in OUT_PAIRS.items():
        operation, call = BY_NAME[name], getattr(torch, name)
        for first, right in pairs:
            left = Kind(first)
            number = right.rank == Rank.NUMBER and not operation.right
            if number or not operation.takes(left, right):
                continue
            dtype = str(operation.gives(left, right))
            if not {left.dtype, right.dtype, dtype} <= set(available):
                continue
            for target, out in outs.items():
                with case(operation=name, left=left, right=right, out=target):
                    if castable(dtype, target):
                        assert_same_object(call(lefts[left], rights[right], out=out), out)
                    else:
                        assert_raises(call, lefts[left], rights[right], out=out)
                    assert_metadata(out, dtype=target, shape=(2,))


INTO = [(a, b) for a, b in PAIRS if castable(promoted(a, b), a)]


@clause(
    "promotion.in-place-values",
    covers=["notes.promotion-inplace"],
    requires={"in-place", "views"},
    effort=2,
)
@for_all(
    group=broadcast_shapes(max_size=1200),
    view=st.sampled_from(
        [(v[0], v[2]) for v in VIEWS if v[0] != "expanded" and v[1] == "contiguous"]
    ),
    seed=seeds(),
    dtypes=st.sampled_from(INTO),
)
def an_in_place_result_is_computed_and_then_cast(
    torch: Any,
    device: str,
    group: tuple[tuple[int, ...], ...],
    view: tuple[str, str],
    seed: int,
    dtypes: tuple[str, str],
) -> None:
    """An in-place operation computes in the promoted dtype, which may be wider than the target's,
    and only its result is cast into the target; nothing around the target changes."""
    shape = broadcastable(*group)
    target = Operand(shape or (), *view, seed)
    other = Operand(group[1], "contiguous", view[1], seed + 7)
    operations = ("add", "sub", "mul", "div")[seed % 2 :: 2]
    _target_agrees(torch, device, (target, other), dtypes, operations)


def _target_agrees(
    torch: Any, device: str, pair: Pair, dtypes: tuple[str, str], operations: Sequence[str]
) -> None:
    """What an in-place operation leaves in its target, and around it."""
    kinds = tuple(map(kind_of, pair, dtypes))
    dtype = result(*kinds)
    if dtype is None or not castable(dtype, dtypes[0]) or not _available(*dtypes, dtype):
        return
    target, other = _castable_operands(pair, dtypes, dtype, dtypes[0])
    b, y = other.on(torch, device, dtypes[1]), other.array(dtypes[1])
    signed = category(dtype) != Category.COMPLEX
    for name in operations:
        operation = BY_NAME[name]
        exact = name != "mul" or product_is_exact(dtype, (target, other))
        divides = name != "div" or category(dtype) == Category.FLOAT
        if not (operation.takes(*kinds) and exact and divides):
            continue
        for spelling, call in operation.in_place_spellings(kinds[1]):
            with case(spelling=spelling):
                site = target.place(torch, device, dtypes[0])
                x, z = (array.astype(numpy_dtype(dtype)) for array in (site.array, y))
                assert_same_object(call(site.view, b), site.view)
                expected = site.after(EXACT[name](x, z).astype(site.array.dtype))
                assert_equal(site.base, expected, signed_zero=signed)
    assert_equal(b, y)


def _castable_operands(
    pair: Pair, dtypes: tuple[str, str], dtype: str, target: str
) -> tuple[Operand, ...]:
    """The operands, with values whose result converts to the target without rounding twice."""
    used = tuple(fitted(each, held, dtype) for each, held in zip(pair, dtypes, strict=True))
    if casts_plainly(dtype, target):
        return used
    return tuple(replace(each, regime="ties") for each in used)


WRITTEN = ("add", "mul", "sub", "maximum", "eq")


@clause("promotion.out-values", covers=["notes.promotion-inplace"], requires={"out"}, effort=0.5)
@for_all(pair=two_operands, dtypes=st.sampled_from(PAIRS))
def out_receives_the_cast_result(
    torch: Any, device: str, pair: Pair, dtypes: tuple[str, str]
) -> None:
    """What is written to out is the result in the promoted dtype, cast to the dtype of out."""
    for at, target in enumerate(ALL):
        name = WRITTEN[(pair[0].seed + at) % len(WRITTEN)]
        _out_agrees(torch, device, pair, dtypes, target, (name,))


def _out_agrees(
    torch: Any,
    device: str,
    pair: Pair,
    dtypes: tuple[str, str],
    target: str,
    operations: Sequence[str],
) -> None:
    kinds = tuple(map(kind_of, pair, dtypes))
    dtype = result(*kinds)
    if dtype is None or not castable(dtype, target) or not _available(*dtypes, dtype, target):
        return
    used = _castable_operands(pair, dtypes, dtype, target)
    a, b = (each.on(torch, device, held) for each, held in zip(used, dtypes, strict=True))
    x, y = (
        each.array(held).astype(numpy_dtype(dtype)) for each, held in zip(used, dtypes, strict=True)
    )
    shape = np.broadcast_shapes(x.shape, y.shape)
    for name in operations:
        exact = name != "mul" or product_is_exact(dtype, used)
        if not (BY_NAME[name].takes(*kinds) and exact):
            continue
        expected = EXACT[name](x, y).astype(numpy_dtype(target))
        out = torch.ones(shape, dtype=getattr(torch, target), device=device)
        signed = name != "maximum" and category(target) != Category.COMPLEX
        with case(operation=name, out=target):
            assert_same_object(getattr(torch, name)(a, b, out=out), out)
            assert_equal(out, expected, signed_zero=signed)


@clause(
    "promotion.every-cast",
    thorough=True,
    covers=["notes.promotion-inplace"],
    requires={"in-place", "out", "views"},
)
def every_target_receives_the_cast_result(torch: Any, device: str) -> None:
    """Every pair of dtypes and every target that may receive their result, in place and by
    out=: the result is computed in the promoted dtype and then cast."""
    for pair, dtypes in product(EDGES[:2], PAIRS):
        with case(dtypes=dtypes, regime=pair[0].regime):
            _target_agrees(torch, device, pair, dtypes, ("add", "sub", "mul", "div"))
            if ALL.index(dtypes[0]) <= ALL.index(dtypes[1]):
                for target in ALL:
                    _out_agrees(torch, device, pair, dtypes, target, WRITTEN)


@contextmanager
def _default_dtype(torch: Any, name: str) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


DEFAULTED = (*ARITHMETIC[:2], *DIVISION, BY_NAME["atan2"])


@clause(
    "promotion.default-dtype",
    thorough=True,
    covers=["notes.promotion-default-dtype"],
    requires={"default-dtype"},
)
def python_floats_and_true_division_follow_the_default_dtype(torch: Any, device: str) -> None:
    """A Python float with integer or bool tensors, true division of integers, and atan2 of them
    give the default dtype as set_default_dtype has it; tensors of floats keep their own."""
    available = frozenset(supported(ALL))
    lefts, rights = ones(torch, device, (2,)), ones(torch, device, (2,))
    mask = torch.ones(2, dtype=torch.bool, device=device)
    for default in supported(FLOATS):
        with _default_dtype(torch, default), case(default=default):
            for operation in DEFAULTED:
                for left, right, _ in _promotions(operation):
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
    if not _available(dtype, default):
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
