"""Element values by regime, from small distinct integers to everything that IEEE 754 holds.

Data is cut from a few fixed buffers, one for each dtype and regime, at a place that the seed
chooses: as fast as a copy, and the same on every machine.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
from hypothesis import strategies as st

from tenet.spec.model.dtypes import FORMATS, Category, FloatFormat, category, numpy_dtype

REGIMES = ("small", "signed", "normal", "ties", "constant", "wide", "extreme", "special")
"""small: 0, 1, 2, ... (the same for every seed); signed: small integers of both signs; normal:
floats of the normal distribution, full-range integers; ties: few values, often repeated;
constant: one value; wide: exponents over the whole range; extreme: the largest, the smallest
and their neighbours, and the numbers at which kernels change their ways; special: nan, inf, -0.0,
subnormals among ordinary numbers."""

FINITE = tuple(regime for regime in REGIMES if regime != "special")

_PERIOD = 8209  # prime, so a stride through it meets every place


@cache
def _buffer(dtype: str, regime: str) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(crc32(f"{dtype} {regime}".encode())))
    kind = category(dtype)
    if kind is Category.BOOL:
        period = random.integers(0, 2, _PERIOD).astype(bool)
        if regime == "small":
            period = np.arange(_PERIOD) % 2 == 1
    elif kind is Category.INTEGER:
        period = _integers(random, regime, numpy_dtype(dtype))
    elif kind is Category.FLOAT:
        period = _floats(random, regime, dtype)
    else:
        part = "float32" if dtype == "complex64" else "float64"
        period = np.empty(_PERIOD, numpy_dtype(dtype))
        period.real = _floats(random, regime, part)
        period.imag = np.roll(_floats(random, regime, part), 1)
    return np.concatenate([period, period])


def _integers(random: np.random.Generator, regime: str, dtype: np.dtype[np.generic]) -> np.ndarray:
    info = np.iinfo(dtype)  # type: ignore[type-var]
    low, high = int(info.min), int(info.max)
    if regime == "small":
        return (np.arange(_PERIOD) % 100).astype(dtype)
    if regime in ("normal", "wide"):
        return random.integers(low, high, _PERIOD, dtype=dtype, endpoint=True)
    if regime in ("extreme", "special"):
        edges = np.array([low, low + 1, high, high - 1, 0, 1, *([-1] if low else [2])], dtype)
        ends = random.choice(edges, _PERIOD)
        if regime == "special":
            return ends
        return np.where(random.random(_PERIOD) < 0.5, ends, _powers(random, low, high, dtype))
    if regime == "ties":
        return random.choice(np.array([1, 2, 3], dtype), _PERIOD)
    return random.integers(max(low, -9), 10, _PERIOD).astype(dtype)  # signed, constant


def _powers(random: np.random.Generator, low: int, high: int, dtype: Any) -> np.ndarray:
    """Powers of two and their neighbours: where a product, or a detour by way of another type,
    leaves what it can hold."""
    near = {
        sign * 2**k + by for k in range(high.bit_length()) for sign in (1, -1) for by in (-1, 0, 1)
    }
    return random.choice(np.array([n for n in sorted(near) if low <= n <= high], dtype), _PERIOD)


def _turns(layout: FloatFormat) -> np.ndarray:
    """Where functions of floats change their ways: ties and the end of fractions for rounding,
    the ends of the range of exponentials and of squares, arguments that have to be reduced by
    many turns, zeros and poles, decimals whose quotients lie beside an integer."""
    whole = 2.0 ** (layout.precision - 1)
    found = [
        0.0,
        0.5,
        1.5,
        2.5,
        0.1,
        0.2,
        0.3,
        0.6,
        0.7,
        1.0,
        2.0,
        3.0,
        5.0,
        10.0,
        15.0,
        25.0,
        35.0,
    ]
    found += [whole / 2 + 0.5, whole - 0.5, whole + 1, 2 * whole - 1, 2 * whole, 4 * whole - 2]
    for log in (np.log, np.log2, np.log10):
        for end in (layout.max, layout.tiny, layout.smallest, layout.eps):
            found += [
                abs(float(log(end))) * near for near in (1 - 2**-7, 1 - 2**-12, 1.0, 1 + 2**-7)
            ]
    for end in (layout.max, layout.tiny):
        found += [end**0.5 * near for near in (0.5, 1.0, 2.0)]
    found += [10.0**k for k in range(2, 8)] + [
        float(np.pi) * k for k in (0.25, 0.5, 1, 2, 100, 10**5)
    ]
    found += [2.0**-k for k in range(4, 48, 4)] + [
        3 * layout.smallest,
        layout.tiny - layout.smallest,
    ]
    return np.array([number for number in found if number <= layout.max])


def _floats(random: np.random.Generator, regime: str, dtype: str) -> np.ndarray:
    layout = FORMATS[dtype]
    target = numpy_dtype(dtype)
    if regime == "small":
        return (np.arange(_PERIOD) % 100).astype(target)
    if regime == "ties":
        return random.choice(np.array([-1.5, 0.0, 1.0, 2.5]), _PERIOD).astype(target)
    normal = random.standard_normal(_PERIOD)
    if regime == "normal":
        return normal.astype(target)
    edges = np.array([layout.max, layout.tiny, layout.smallest, layout.eps, 1 + layout.eps, 1.0])
    edges = np.concatenate([edges, -edges])
    if regime == "extreme":
        ends, turns = random.choice(edges, _PERIOD), random.choice(_turns(layout), _PERIOD)
        turns = np.copysign(turns, random.random(_PERIOD) - 0.3)
        return np.where(random.random(_PERIOD) < 0.5, ends, turns).astype(target)
    if regime == "wide":
        low, high = np.log2(layout.tiny), np.log2(layout.max)
        return (np.sign(normal) * np.exp2(random.uniform(low, high, _PERIOD))).astype(target)
    if regime == "special":
        mixed = np.where(random.random(_PERIOD) < 0.5, normal, random.choice(edges, _PERIOD))
        special = random.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 0.0]), _PERIOD)
        return np.where(random.random(_PERIOD) < 0.4, special, mixed).astype(target)
    return random.integers(-9, 10, _PERIOD).astype(target)  # signed, constant


def values(shape: tuple[int, ...], dtype: str, regime: str = "small", seed: int = 0) -> np.ndarray:
    """A new array of the given shape and dtype, filled by regime and seed.

    The same arguments give the same elements everywhere. Raises KeyError for an unknown dtype.
    """
    buffer = _buffer(dtype, regime)
    count = prod(shape)
    start = 0 if regime == "small" else seed * 61 % _PERIOD
    if regime == "constant":
        return np.full(shape, buffer[start], buffer.dtype)
    if count > _PERIOD:
        return np.resize(buffer[start : start + _PERIOD], shape)
    return buffer[start : start + count].reshape(shape).copy()


def regimes(*, finite: bool = False) -> st.SearchStrategy[str]:
    """A value regime; finite=True leaves out nan and inf."""
    return st.sampled_from(FINITE if finite else REGIMES)


def seeds() -> st.SearchStrategy[int]:
    """Where in a regime's buffer the values begin."""
    return st.integers(0, 999)
