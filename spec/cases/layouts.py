"""Layouts: ways in which the same elements can lie in memory.

A layout is a base array and the steps that lead from it to the operand: plain data, so the
same steps can be taken on a NumPy array and on a tensor, and what lies around the operand in
the base is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Step = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A contiguous base and the view steps (`index`, `permute`, `expand`) to the operand."""

    base: np.ndarray
    steps: tuple[Step, ...]

    def of_array(self, base: np.ndarray) -> np.ndarray:
        """The operand as a NumPy view of the given base."""
        for kind, argument in self.steps:
            if kind == "index":
                base = base[argument]
            elif kind == "permute":
                base = base.transpose(argument)
            else:
                base = np.broadcast_to(base, argument)
        return base

    def of_tensor(self, base: Any) -> Any:
        """The operand as a view of the given tensor, by public view operations."""
        for kind, argument in self.steps:
            if kind == "index":
                base = base[argument]
            elif kind == "permute":
                base = base.permute(argument)
            else:
                base = base.expand(argument)
        return base


def _contiguous(array: np.ndarray) -> Arrangement:
    return Arrangement(array, ())


def _permuted_by(array: np.ndarray, dims: tuple[int, ...]) -> Arrangement:
    back = tuple(int(i) for i in np.argsort(dims))
    return Arrangement(np.array(array.transpose(dims), order="C"), (("permute", back),))


def _transposed(array: np.ndarray) -> Arrangement:
    return _permuted_by(array, tuple(reversed(range(array.ndim))))


def _permuted(array: np.ndarray) -> Arrangement:
    return _permuted_inside(array, (*range(1, array.ndim), 0) if array.ndim else ())


def _permuted_inside(array: np.ndarray, dims: tuple[int, ...]) -> Arrangement:
    ordered = _permuted_by(array, dims)
    within = _offset(ordered.base)
    return Arrangement(within.base, (*within.steps, *ordered.steps))


def _channels_last(array: np.ndarray) -> Arrangement:
    return _permuted_by(array, channels_order(array.ndim))


def _channels_last_offset(array: np.ndarray) -> Arrangement:
    return _permuted_inside(array, channels_order(array.ndim))


def channels_order(rank: int) -> tuple[int, ...]:
    """The dimensions from the one that varies slowest, where channels come last."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


def _inside(array: np.ndarray, shape: tuple[int, ...], index: tuple[slice, ...]) -> Arrangement:
    # The surroundings hold other values of the same array, so a kernel that reads them errs.
    base = np.empty(shape, array.dtype)
    flat = array.ravel()
    base[...] = flat[-1] if array.size > 1 else _other(flat)
    if array.size > 1:
        count = min(base.size, array.size) - 1
        base.reshape(-1)[1 : count + 1] = flat[:count]
    base[index] = array
    return Arrangement(base, (("index", index),))


def _other(array: np.ndarray) -> np.ndarray:
    """One element that the array of at most one element does not hold."""
    return np.asarray(0 if array.size and array.item() == 1 else 1, array.dtype)


def _stepped(array: np.ndarray) -> Arrangement:
    if not array.ndim:
        return _offset(array)
    index = (*[slice(None)] * (array.ndim - 1), slice(1, None, 2))
    return _inside(array, (*array.shape[:-1], 2 * array.shape[-1] + 1), index)


def _rows_stepped(array: np.ndarray) -> Arrangement:
    if not array.ndim:
        return _offset(array)
    return _inside(array, (3 * array.shape[0], *array.shape[1:]), (slice(None, None, 3),))


def _offset(array: np.ndarray) -> Arrangement:
    if not array.ndim:
        base = np.empty(2, array.dtype)
        base[0], base[1] = _other(array), array[()]
        # With the ellipsis NumPy, too, gives a view and no scalar.
        return Arrangement(base, (("index", (1, ...)),))
    # Three rows in: the distance in bytes is a multiple of no vector, where a row's length is odd.
    return _inside(array, (array.shape[0] + 4, *array.shape[1:]), (slice(3, -1),))


def _gapped(array: np.ndarray) -> Arrangement:
    if not array.ndim:
        return _offset(array)
    shape = tuple(n + 2 for n in array.shape)
    return _inside(array, shape, (slice(1, -1),) * array.ndim)


def _expanded(array: np.ndarray) -> Arrangement:
    if not array.ndim or not array.shape[0]:
        return _contiguous(array)
    return Arrangement(array[:1].copy(), (("expand", array.shape),))


LAYOUTS: dict[str, Callable[[np.ndarray], Arrangement]] = {
    "contiguous": _contiguous,
    "transposed": _transposed,
    "stepped": _stepped,
    "offset": _offset,
    "expanded": _expanded,
    "permuted": _permuted,
    "gapped": _gapped,
    "rows-stepped": _rows_stepped,
    "channels-last": _channels_last,
    "channels-last-offset": _channels_last_offset,
}
"""transposed: dimensions reversed; permuted: rotated, further into the storage; stepped: every
other element of the last dimension; rows-stepped: every third of the first; offset: contiguous,
further into the storage; gapped: a block inside a larger one; expanded: stride 0 along the first
dimension, so all its slices equal the first; channels-last: the second dimension varies fastest
(ranks 3 and up); channels-last-offset: the same, further into the storage."""

WRITABLE = tuple(name for name in LAYOUTS if name != "expanded")
"""Layouts in which each element has a place of its own."""


def arrange(array: np.ndarray, layout: str) -> Arrangement:
    """Lay the elements of a C-ordered array out as named. KeyError for an unknown layout.

    `expanded` keeps the first slice along dimension 0 and repeats it; the others keep all.
    """
    return LAYOUTS[layout](array)
