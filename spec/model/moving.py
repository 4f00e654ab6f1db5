"""What operations that only move elements give, as NumPy functions of the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

Shape = tuple[int, ...]


def _flattened(a: np.ndarray, start_dim: int = 0, end_dim: int = -1) -> np.ndarray:
    if not a.ndim:
        return a.reshape(1)
    first, last = start_dim % a.ndim, end_dim % a.ndim
    merged = prod(a.shape[first : last + 1])
    return a.reshape((*a.shape[:first], merged, *a.shape[last + 1 :]))


def _unflattened(a: np.ndarray, dim: int, sizes: Shape) -> np.ndarray:
    dim %= a.ndim
    known = prod(n for n in sizes if n != -1)
    inner = (a.shape[dim] // known if n == -1 else n for n in sizes)
    return a.reshape((*a.shape[:dim], *inner, *a.shape[dim + 1 :]))


def _squeezed(a: np.ndarray, dims: int | Shape | None = None) -> np.ndarray:
    chosen = range(a.ndim) if dims is None else (dims,) if isinstance(dims, int) else dims
    dropped = {dim % a.ndim for dim in chosen}
    return a.reshape([n for dim, n in enumerate(a.shape) if n != 1 or dim not in dropped])


def _kept(a: np.ndarray, sizes: Shape) -> Shape:
    """The sizes of an expand, where -1 keeps a length."""
    lengths = (1,) * (len(sizes) - a.ndim) + a.shape
    return tuple(n if size == -1 else size for n, size in zip(lengths, sizes, strict=True))


REFERENCE: dict[str, Callable[..., np.ndarray]] = {
    "reshape": np.reshape,
    "reshape_as": np.reshape,
    "view": np.reshape,
    "view_as": np.reshape,
    "ravel": np.ravel,
    "flatten": _flattened,
    "unflatten": _unflattened,
    "squeeze": _squeezed,
    "unsqueeze": np.expand_dims,
    "permute": np.transpose,
    "transpose": np.swapaxes,
    "swapaxes": np.swapaxes,
    "swapdims": np.swapaxes,
    "movedim": np.moveaxis,
    "moveaxis": np.moveaxis,
    "t": np.transpose,
    "T": np.transpose,
    "mT": lambda a: np.swapaxes(a, -2, -1),
    "expand": lambda a, sizes: np.broadcast_to(a, _kept(a, sizes)),
    "expand_as": np.broadcast_to,
    "broadcast_to": np.broadcast_to,
    "repeat": np.tile,
    "tile": np.tile,
    "repeat_interleave": np.repeat,
    "flip": np.flip,
    "roll": np.roll,
    "rot90": np.rot90,
    "fliplr": np.fliplr,
    "flipud": np.flipud,
}
"""By operation: reference(array, *arguments)."""
