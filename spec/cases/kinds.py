"""Kinds of operands: in what a kernel may tell one from another, and be wrong for one alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import prod

from tenet.spec.cases.layouts import channels_order
from tenet.spec.cases.shapes import Shape


def size(shape: Shape) -> str:
    """The kind of size: vectors have a tail one beyond a multiple of 16, threads share the many."""
    count = prod(shape)
    if count < 2:
        return "nothing" if count == 0 else "one"
    if count > 1024:
        return "many"
    if shape[-1] > 16:
        return "tail" if shape[-1] % 16 == 1 else "row"
    return "few"


_ORDERS: dict[str, Callable[[int], tuple[int, ...]]] = {
    "transposed": lambda count: tuple(reversed(range(count))),
    "permuted": lambda count: (*range(1, count), 0) if count else (),
    "channels-last": channels_order,
    "channels-last-offset": channels_order,
}
"""In which order the dimensions vary, the slowest first."""
_SHIFTED = frozenset({"offset", "stepped", "gapped", "permuted", "channels-last-offset"})
"""Layouts that do not start where their memory does."""


def lying(shape: Shape, layout: str) -> str:
    """The layout, by what it comes to: of lengths of 1 the order makes no difference, a block of
    one row has no gaps, and of one element it matters only whether its memory starts with it."""
    count = prod(shape)
    if count < 2:
        shifted = layout in _SHIFTED or (layout == "rows-stepped" and not shape)
        return "shifted alone" if count and shifted else "contiguous"
    long = [dim for dim, length in enumerate(shape) if length > 1]
    if layout in _ORDERS:
        kept = [dim for dim in _ORDERS[layout](len(shape)) if dim in long]
        if kept == long:
            return "offset" if layout in _SHIFTED else "contiguous"
        if kept == long[::-1]:
            return "permuted" if layout in _SHIFTED else "transposed"
        return layout
    if layout in ("expanded", "rows-stepped") and shape[0] < 2:
        return "contiguous"
    if layout == "rows-stepped" and len(shape) == 1:
        return "stepped"
    return "offset" if layout == "gapped" and long == [len(shape) - 1] else layout


def showing(what: Hashable, shape: Shape, layout: str) -> frozenset[Hashable]:
    """What an example shows of something: it in a layout, of one row or of several or as a vector,
    at a rank and at a kind of size; and at which ranks as one element, or as none."""
    rows = "vector" if len(shape) == 1 else min(shape[-2:], default=0) > 1
    alone = (what, len(shape), min(prod(shape), 2))
    return frozenset({(what, lying(shape, layout), rows), alone, (what, size(shape))})


def combined(what: Hashable, shape: Shape, layout: str) -> frozenset[Hashable]:
    """What an example shows of something: it at a rank, and in a layout together with a rank (5
    stands for more, for which no kernel has a loop of its own), with as many dimensions that have a
    stride, and with a kind of size."""
    rank = len(shape)
    steps = f"{sum(length > 1 for length in shape)} strides"
    layout = lying(shape, layout)
    together = {(what, layout, kind) for kind in (min(rank, 5), steps, size(shape))}
    return frozenset({*together, (what, rank, "strided" if prod(shape) > 1 else "alone")})


def signs(arguments: object) -> Hashable:
    """Numbers without their magnitudes: how many, and whether each is counted from the end."""
    if isinstance(arguments, tuple | list):
        return tuple(map(signs, arguments))
    return arguments < 0 if isinstance(arguments, int) else arguments is None
