"""Targets keep their dtype: operations in place, and out=."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, broadcastable, seeds
from tenet.spec.cases.promoting import (
    ARITHMETIC,
    BY_NAME,
    DIVISION,
    EXACT,
    PAIRS,
    REMAINING,
    VIEWS,
    casts_plainly,
    fitted,
    kind_of,
    ones,
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
from tenet.spec.model.dtypes import ALL, Category, category, numpy_dtype
from tenet.spec.model.promotion import (
    KINDS,
    NUMBERS,
    TENSORS,
    Kind,
    Rank,
    castable,
    promoted,
    result,
)
from tenet.spec.promotion.common import DIMENSIONED, EDGES, Pair, all_supported, promotions_of


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
        for left, right, dtype in promotions_of(operation):
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
    if dtype is None or not castable(dtype, dtypes[0]) or not all_supported(*dtypes, dtype):
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
    if dtype is None or not castable(dtype, target) or not all_supported(*dtypes, dtype, target):
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
