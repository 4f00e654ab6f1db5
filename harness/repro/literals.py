"""Values as Python source that gives them back bit for bit."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

MOST = 600
"""Arrays of more elements are packed: nobody reads that many."""


class UntraceableError(BaseException):
    """Something that cannot be said in a script. Not an Exception: no check may swallow it."""


def literal(value: Any) -> str:
    """Source for plain Python data and NumPy arrays. UntraceableError for anything else."""
    if value is None or value is Ellipsis or isinstance(value, bool | int | str | bytes):
        return "..." if value is Ellipsis else repr(value)
    if isinstance(value, np.ndarray):
        return array(value)
    if isinstance(value, np.generic):
        return f"np.{value.dtype.name}({number(value)})"
    if isinstance(value, float | complex):
        return number(value)
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, np.dtype):
        return f"np.dtype({value.name!r})"
    if isinstance(value, tuple | list | dict | range):
        return container(value, literal)
    raise UntraceableError(f"a {type(value).__name__} has no literal")


def container(value: Any, of: Any) -> str:
    """Source for a tuple, list, dict or range, whose items `of` says."""
    if isinstance(value, tuple):
        items = [of(item) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(of, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{of(key)}: {of(item)}" for key, item in value.items()) + "}"
    return repr(value)


def number(value: Any) -> str:
    """A number, NaN and infinities included; bfloat16 and float16 by their exact value."""
    if isinstance(value, complex | np.complexfloating):
        return f"complex({number(value.real)}, {number(value.imag)})"
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return repr(value.item() if isinstance(value, np.generic) else value)
    plain = float(value)
    if plain != plain:
        return "np.nan"
    return repr(plain).replace("inf", "np.inf")


def array(value: np.ndarray) -> str:
    """An array; one of bfloat16, which NumPy lacks, as float32, which holds each of its numbers."""
    if value.dtype.kind not in "biufcVOSUM" or value.dtype.names:
        raise UntraceableError(f"an array of {value.dtype} has no literal")
    if value.dtype.kind in "OSUM":
        items = value.astype(str) if value.dtype.kind == "M" else value
        return f"np.array({literal(items.tolist())}, dtype={value.dtype.str!r})"
    if value.dtype.name == "bfloat16":
        value = value.astype(np.float32)
    if value.dtype == np.longdouble or value.dtype.kind == "V":
        raise UntraceableError(f"an array of {value.dtype.name} has no portable literal")
    if value.size > MOST:
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(value).tobytes(), 9))
        return (
            f"np.frombuffer(zlib.decompress(base64.b64decode({packed.decode()!r})), "
            f"{value.dtype.name!r}).reshape({value.shape}).copy()"
        )
    # An empty list says nothing of the lengths that are not 0.
    shaped = f".reshape({value.shape})" if value.size == 0 and value.shape != (0,) else ""
    return f"np.array({_nested(value)}, dtype={value.dtype.name!r}){shaped}"


def placed(value: np.ndarray) -> str:
    """An array as it lies in memory: with its strides, over a buffer of its own."""
    whole = [stride % value.itemsize == 0 for stride in value.strides] if value.itemsize else []
    if value.flags.c_contiguous or not value.size or not all(whole) or value.dtype.kind == "V":
        return array(value)
    reach = [
        (length - 1) * stride for length, stride in zip(value.shape, value.strides, strict=True)
    ]
    first, last = -sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)
    start = first // value.itemsize
    buffer = np.zeros(start + last // value.itemsize + 1, value.dtype)
    as_strided(buffer[start:], value.shape, value.strides)[...] = value
    base = f"{array(buffer)}[{start}:]" if start else array(buffer)
    return f"np.lib.stride_tricks.as_strided({base}, {value.shape}, {value.strides})"


def _nested(value: np.ndarray) -> str:
    if value.size == 0:
        return "[]"
    if value.ndim == 0:
        return number(value[()])
    return (
        f"[{', '.join(map(_nested, value))}]"
        if value.ndim > 1
        else (f"[{', '.join(number(item) for item in value)}]")
    )
