"""What comparisons are tried on and what they have to answer: edges of dtypes, closeness."""

from __future__ import annotations

from itertools import product

import numpy as np

from tenet.spec.model.dtypes import FORMATS, Category, category, numpy_dtype

Array = np.ndarray


def ones(where: Array, dtype: str) -> Array:
    """What a comparison leaves in a tensor of another dtype than bool: 1 where it holds."""
    return np.asarray(where, bool).astype(numpy_dtype(dtype))


def exact(array: np.ndarray) -> Array:
    """The same numbers in a dtype that holds them all and that NumPy compares them in."""
    return array.astype(np.int64 if array.dtype.kind in "bui" else np.float64)


def neighbours(length: int, dtype: str) -> tuple[Array, Array]:
    """Two vectors of small numbers: less, equal and greater take turns, up to the last one."""
    turn = (np.arange(length) + length) % 3
    left = (np.arange(length) % 100).astype(numpy_dtype(dtype))
    if dtype == "bool":
        left = np.arange(length) % 2 == 1
    if dtype == "bool":
        return left, turn == 1
    return left, (left + (turn - 1 + (left == 0)).astype(left.dtype)).astype(left.dtype)


def all_small(dtype: str) -> tuple[Array, Array]:
    """Every pair of numbers of 8 bits; every number of 16 bits beside a neighbour of it."""
    kind = numpy_dtype(dtype)
    if kind.itemsize == 1:
        every = np.arange(256, dtype=np.uint8).view(kind)
        return every[:, None], every
    every = np.arange(2**16, dtype=np.uint16).view(kind)
    return every, np.roll(every, 1)


def meeting_float(first: str, second: str) -> str | None:
    """The float dtype in which an integer or bool meets a float; None for two of one category."""
    floats = [name for name in (first, second) if category(name) is Category.FLOAT]
    return floats[0] if len(floats) == 1 else None


def edges(dtype: str, other: str) -> Array:
    """Numbers of a dtype at which a comparison in too narrow or too wide a dtype goes wrong."""
    kind, meeting = numpy_dtype(dtype), meeting_float(dtype, other)
    if dtype == "bool":
        return np.array([False, True])
    if category(dtype) is Category.FLOAT:
        small = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, np.nan, np.inf, -np.inf, 100.0]
        layout = FORMATS[dtype]
        if meeting is None:
            return np.array([*small, layout.max, layout.tiny, 1 + layout.eps]).astype(kind)
        limit = 2.0**layout.precision
        return np.array([*small, limit, limit + 2, limit + 4]).astype(kind)
    info = np.iinfo(dtype)
    near = [0, 1, 2, 100, info.max] if not info.min else [0, 1, -1, 2, 100, info.min, info.max]
    if meeting is None:
        return np.array(near, kind)
    # Around 2^precision the float dtype passes over every odd integer.
    limit = 2 ** FORMATS[meeting].precision
    beyond = [limit + n for n in range(5)] if limit + 5 < info.max else []
    return np.array([n for n in near if abs(n) < 2**11] + beyond, kind)


def rounded_to(array: Array, dtype: str) -> Array:
    """Integers up to 2^53 + 4, rounded to the float dtype in which they are compared."""
    return array.astype(np.float64).astype(numpy_dtype(dtype)).astype(np.float64)


def complex_edges() -> Array:
    parts = (0.0, 1.0, -0.0, -1.0, 2.0, np.inf, np.nan)
    return np.array([complex(real, imag) for real, imag in product(parts, repeat=2)])


def close(a: Array, b: Array, rtol: float, atol: float) -> tuple[Array, Array]:
    """Where |a - b| <= atol + rtol * |b|, and where rounding could decide that either way.

    a, b: arrays of one dtype. The errors of the three operations, in a's format (float32 for
    integers), lie within some eps of the numbers that they handle; 16 leave room.
    """
    kind = a.dtype.name if a.dtype.name in FORMATS else "float32"
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    left, right = a.astype(wide), b.astype(wide)
    distance, allowed = np.abs(left - right), atol + rtol * np.abs(right)
    layout = FORMATS[kind]
    noise = 16 * layout.eps * (np.abs(left) + np.abs(right) + allowed) + 16 * layout.smallest
    return distance <= allowed, np.abs(distance - allowed) <= noise


def around(b: Array, rtol: float, atol: float, turn: int) -> Array:
    """Elements of b's dtype that by turns equal b, lie within the tolerance and beyond it.

    Where rounding could decide, they equal b.
    """
    factor = np.array([0.0, 0.5, 2.0, -0.5, -2.0, 1.25, 0.75])
    allowed = atol + rtol * np.abs(b.astype(np.complex128))
    step = factor[(np.arange(b.size) + turn) % len(factor)].reshape(b.shape) * allowed
    if b.dtype.kind == "c":
        a = (b + step * (0.6 + 0.8j)).astype(b.dtype)
    elif b.dtype.kind in "iu":
        info = np.iinfo(b.dtype)
        inside = (b.astype(np.float64) + step > info.min) & (b.astype(np.float64) + step < info.max)
        a = np.where(inside & (np.abs(step) < 2.0**31), b + np.rint(step), b).astype(b.dtype)
    else:
        a = (b.astype(np.float64) + step).astype(b.dtype)
    _, doubtful = close(a, b, rtol, atol)
    return np.where(doubtful, b, a)
