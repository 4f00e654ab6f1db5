"""Ways to write to a view, and writes that a tensor overlapping in memory has to refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tenet.spec.cases.shapes import Shape

WRITES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[np.ndarray], Any]]] = {
    "view.copy_(new)": (lambda view, new: view.copy_(new), lambda new: new),
    "view[...] = new": (lambda view, new: view.__setitem__(..., new), lambda new: new),
    "view.fill_(1)": (lambda view, new: view.fill_(1), lambda new: 1),
    "view.zero_()": (lambda view, new: view.zero_(), lambda new: 0),
    "view[...] = 1": (lambda view, new: view.__setitem__(..., 1), lambda new: 1),
    "view.masked_fill_(all, 0)": (
        lambda view, new: view.masked_fill_(view.eq(view) | view.ne(view), 0),
        lambda new: 0,
    ),
    "view.copy_(new's first)": (
        lambda view, new: view.copy_(new[(0,) * new.dim()]) if new.numel() else view,
        lambda new: new[(0,) * new.ndim] if new.size else 0,
    ),
}
"""Ways to write all of a view: what is said, and what then lies there."""


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "x.add_(1)": lambda torch, x: x.add_(1),
    "x += 1": lambda torch, x: x.__iadd__(1),
    "x *= 2": lambda torch, x: x.__imul__(2),
    "x.add_(other)": lambda torch, x: x.add_(torch.ones_like(x)),
    "x.sub_(other)": lambda torch, x: x.sub_(torch.ones_like(x)),
    "x.mul_(2)": lambda torch, x: x.mul_(2),
    "x.neg_()": lambda torch, x: x.neg_(),
    "x.copy_(other)": lambda torch, x: x.copy_(torch.ones_like(x).contiguous()),
    "x[...] = other": lambda torch, x: x.__setitem__(..., torch.ones_like(x).contiguous()),
    "x[:2] = other": lambda torch, x: x[:2].copy_(torch.ones_like(x).contiguous()[:2]),
    "torch.add(..., out=x)": lambda torch, x: torch.add(torch.ones_like(x).contiguous(), 1, out=x),
}
"""Writes whose outcome would depend on their order."""

OVERLAPPING: tuple[tuple[Shape, Shape], ...] = (
    ((1,), (3,)),
    ((1,), (2,)),
    ((), (4,)),
    ((3,), (2, 3)),
    ((3, 1), (3, 4)),
    ((1, 3), (2, 3)),
    ((2, 1, 3), (2, 5, 3)),
    ((1, 1), (33, 17)),
    ((1, 33), (16, -1)),
)
"""Shapes, and sizes to which they expand such that elements overlap."""
