"""Kinds of operands: in what a kernel may tell one from another, and be wrong for one alone."""

from __future__ import annotations

from collections.abc import Hashable
from math import prod

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


def lying(shape: Shape, layout: str) -> str:
    """The layout; `contiguous` where so few lengths make no difference to it."""
    turned = layout in ("transposed", "permuted", "channels-last")
    if turned and sum(length > 1 for length in shape) < 2:
        return "contiguous"
    return "contiguous" if layout == "expanded" and (not shape or shape[0] < 2) else layout


def showing(what: Hashable, shape: Shape, layout: str) -> frozenset[Hashable]:
    """What an example shows of something: it in a layout, at a rank and at a kind of size."""
    return frozenset({(what, lying(shape, layout)), (what, len(shape)), (what, size(shape))})


def combined(what: Hashable, shape: Shape, layout: str) -> frozenset[Hashable]:
    """What an example shows of something: it in a layout together with a rank, with as many
    dimensions that have a stride, and with a kind of size."""
    steps = f"{sum(length > 1 for length in shape)} strides"
    layout = lying(shape, layout)
    return frozenset((what, layout, kind) for kind in (len(shape), steps, size(shape)))


def signs(arguments: object) -> Hashable:
    """Numbers without their magnitudes: how many, and whether each is counted from the end."""
    if isinstance(arguments, tuple | list):
        return tuple(map(signs, arguments))
    return arguments < 0 if isinstance(arguments, int) else arguments is None
