"""Combinations: of many drawn calls, the few that together show every kind of operand.

A kernel that is wrong for one dtype goes wrong there in one layout, at one rank, or at one kind of
length. Drawn by chance, such a pair is missed more often than not; so calls are chosen for what
they add, and every one of them is made in every dtype.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from math import prod

from hypothesis import strategies as st

from tenet.spec.cases import Operand
from tenet.spec.cases.kinds import combined
from tenet.spec.operators.operator import Call, Indices, Mask, Operator, exact

_OF_ANY_LENGTH = frozenset({
    "dim", "dims", "keepdim", "descending", "stable", "alpha", "eps", "p", "threshold", "value",
    "ord", "q", "interpolation",
})  # fmt: skip
"""Arguments that mean the same whatever the lengths are."""

_WILD = frozenset({"wide", "extreme", "special"})
_EVEN = frozenset({"nn.functional.glu"})
"""Operators that halve a dimension."""
_PAIRED = frozenset({"complex", "polar"})
"""Operators of two operands of one shape, which may be any."""


def of_any_length(operator: Operator, call: Call) -> bool:
    """Whether the call is as good with operands of other lengths."""
    if operator.name in _EVEN or not all(isinstance(x, Operand) for x in call.operands):
        return False
    single = len(call.operands) == 1 and not operator.listed
    free = operator.broadcasts or operator.name in _PAIRED
    return free or (single and call.keywords.keys() <= _OF_ANY_LENGTH)


def point_wise(operator: Operator, call: Call) -> bool:
    """Whether each element of the result is made of those at its place alone."""
    if operator.section != "elementwise" or "dim" in call.keywords:
        return False
    single = len(call.operands) == 1 and isinstance(call.operands[0], Operand)
    return operator.broadcasts or (single and not operator.listed)


def alone() -> st.SearchStrategy[int | None]:
    """Whether operands have one element, of that many dimensions; None: those that they have."""
    return st.sampled_from((*[None] * 10, 0, 1, 2, 3, 4, 5))


def with_single(operator: Operator, call: Call, single: int | None) -> Call:
    """The call with operands of one element, of that rank where the rank does not matter; the call
    itself for None, and where one element is not as good as several."""
    of_elements = all(isinstance(each, Operand | Mask | Indices) for each in call.operands)
    masked = operator.broadcasts and of_elements
    if single is None or not (masked or of_any_length(operator, call)):
        return call
    plain = operator.section == "elementwise" and not call.arguments
    any_rank = operator.broadcasts or plain or point_wise(operator, call)
    rank = single if any_rank else len(call.operands[0].shape)
    return replace(call, operands=tuple(replace(x, shape=(1,) * rank) for x in call.operands))


def kinds(
    operator: Operator, call: Call, single: int | None = None, **_: object
) -> frozenset[Hashable]:
    """What is special about each of the operands: where they lie, and what they hold."""
    operands = with_single(operator, call, single).operands
    found = frozenset[Hashable]().union(
        *(_holding(place, each) for place, each in enumerate(operands))
    )
    if is_wild(call) and operator.accuracy is not exact and not point_wise(operator, call):
        return found
    for place, each in enumerate(operands):
        found |= combined(place, each.shape, getattr(each, "layout", ""))
    if operator.section == "reduction":
        found |= {(0, getattr(operands[0], "layout", ""), reduced(call))}
    return found


def is_wild(call: Call) -> bool:
    """Whether an operand holds values of such different sizes that a bound which allows for the
    largest hides what is wrong with another: they show little about where an operand lies."""
    return any(getattr(each, "regime", "") in _WILD for each in call.operands)


def _holding(place: int, operand: object) -> frozenset[Hashable]:
    """The values of an operand, where there are enough to be each of its kind.

    Of a thousand elements at the edges each edge is one; of a row of others it shows already.
    """
    if not isinstance(operand, Operand):
        return frozenset()
    enough = 1024 if operand.regime in ("special", "extreme") else 16
    return frozenset({(place, operand.regime)} if prod(operand.shape) > enough else ())


def reduced(call: Call) -> str:
    """Which dimensions a reduction is told to reduce: kernels have a loop for each kind."""
    dims = call.keywords.get("dim")
    if dims is None:
        return "all dimensions"
    if isinstance(dims, tuple) and len(dims) > 1:
        return "several dimensions"
    (dim,) = dims if isinstance(dims, tuple) else (dims,)
    return "the last dimension" if dim in (-1, len(call.operands[0].shape) - 1) else "another"
