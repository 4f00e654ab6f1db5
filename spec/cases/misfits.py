"""Arguments that fit nothing: wrong counts, dimensions that do not exist; and what refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tenet.spec.cases.shapes import Shape

WRONG_COUNTS: tuple[tuple[Shape, Shape], ...] = (
    ((7,), (1, 8)),
    ((7,), (2, 3)),
    ((7,), ()),
    ((), (2,)),
    ((2, 3), (3, 3)),
    ((2, 3), (2, 3, 2)),
    ((2, 3), (0,)),
    ((0,), (1,)),
    ((0, 3), (3,)),
    ((33,), (32,)),
    ((1025,), (1024,)),
    ((7,), (2, -1)),
    ((2,), (-2,)),
    ((6,), (3, -2)),
    ((0,), (0, -1)),
    ((0, 3), (-1, 0)),
    ((2, 3), (4, -1)),
    ((2, 3), (-1, 4)),
    ((2, 3, 5), (7, -1, 2)),
    ((2, 3), (-1, -1)),
    ((2, 3), (-1, 3, -1)),
    ((6,), (-1, -1, 6)),
)
"""A shape, and one that is not another shape of its elements."""


def out_of_range(rank: int) -> Iterable[tuple[str, tuple[Any, ...], tuple[Any, ...]]]:
    """Operation, arguments with a dimension out of range or given twice, arguments that fit."""
    ones = (1,) * (rank - 1)
    for low, high in ((-rank, rank - 1), (rank - 1, -rank)):
        over = high + 1 if high >= 0 else high - 1
        yield "squeeze", (over,), (high,)
        yield "squeeze", ((over,),), ((high,),)
        yield "unsqueeze", (over + (1 if over > 0 else -1),), (over,)
        yield "transpose", (over, low), (high, low)
        yield "transpose", (low, over), (low, high)
        yield "swapaxes", (low, over), (low, high)
        yield "swapdims", (over, low), (high, low)
        yield "movedim", (over, low), (high, low)
        yield "movedim", (low, over), (low, high)
        yield "moveaxis", (low, over), (low, high)
        yield "flatten", (0, over), (0, -1)
        yield "flip", ((over,),), ((high,),)
        yield "unflatten", (over, (1, -1)), (high, (1, -1))
        yield "repeat_interleave", (2, over), (2, high)
        yield "permute", ((*range(rank - 1), over),), (tuple(range(rank)),)
    yield "permute", (tuple(range(rank + 1)),), (tuple(range(rank)),)
    yield "repeat", (ones,), ((*ones, 1),)
    if rank > 1:
        yield "permute", ((0,) * rank,), (tuple(range(rank)),)
        yield "permute", ((*range(rank - 1), -rank),), (tuple(range(-rank, 0)),)
        yield "permute", (tuple(range(rank - 1)),), (tuple(range(rank)),)
        yield "movedim", ((0, 0), (0, 1)), ((0, 1), (0, 1))
        yield "movedim", ((0, 1), (1, 1)), ((0, 1), (1, 0))
        yield "movedim", ((0, 1), (0,)), ((0,), (0,))
        yield "moveaxis", ((0, -rank), (0, 1)), ((0, 1), (0, 1))
        yield "flip", ((0, 0),), ((0, 1),)
        yield "flip", ((0, -rank),), ((0, -1),)
        yield "squeeze", ((0, -rank),), ((0, -1),)
        yield "unflatten", (0, (3, 5)), (0, (2, 1))
        yield "expand", (((3,) * rank),), ((*(2,) * rank,),)
        yield "expand", ((*(2,) * (rank - 1),),), ((2,) * rank,)
        yield "expand", ((-1, *(2,) * rank),), ((1, *(2,) * rank),)
    if rank > 2:
        yield "t", (), ()


def refused(call: Callable[..., Any], *args: Any, **options: Any) -> bool:
    """Whether a call raises, for where no document says which error it is, or how it is worded."""
    try:
        call(*args, **options)
    except Exception:
        return True
    return False
