"""Values that follow from the dtype in which operands meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand
from tenet.spec.cases.promoting import (
    BY_NAME,
    EXACT,
    PAIRS,
    fitted,
    kind_of,
    pool,
    product_is_exact,
    two_operands,
)
from tenet.spec.language import (
    assert_equal,
    assert_same_object,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, Category, category, numpy_dtype
from tenet.spec.model.promotion import Kind, Rank, promoted, result, true_division
from tenet.spec.promotion.common import EDGES, STRIDED, Pair, all_supported


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
        if not all_supported(narrow, wide):
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
    result is what the promoted dtype holds; so it is where operands are strided."""
    for pair, dtypes in product(EDGES, PAIRS):
        with case(dtypes=dtypes, regime=pair[0].regime):
            _values_agree(torch, device, pair, dtypes, every_spelling=True)
    for pair, dtypes in product(STRIDED, PAIRS):
        with case(dtypes=dtypes, layouts=(pair[0].layout, pair[1].layout)):
            _values_agree(torch, device, pair, dtypes)


def _values_agree(
    torch: Any, device: str, pair: Pair, dtypes: tuple[str, str], *, every_spelling: bool = False
) -> None:
    kinds = tuple(map(kind_of, pair, dtypes))
    dtype = result(*kinds)
    if dtype is None or not all_supported(*dtypes, dtype):
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
    if not all_supported(*names, joined):
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
    if has("out"):
        into = torch.empty(0, dtype=getattr(torch, joined), device=device)
        assert_same_object(torch.cat(tensors, out=into), into)
        assert_equal(into, np.concatenate(arrays))


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
        if lifted is None or not all_supported(dtype, kind.dtype, lifted):
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
    thorough=True,
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
            if all_supported("int64") and name != "int64":
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
