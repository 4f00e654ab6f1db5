"""Conversion between dtypes: the reference, and elements at which it is decided.

The reference rounds by scaling to whole numbers of gaps, which is exact in float64, so it needs
neither a backend nor NumPy's own conversions to half precision.
"""

from __future__ import annotations

from functools import cache
from math import prod
from random import Random
from zlib import crc32

import numpy as np

from tenet.spec.cases.values import values
from tenet.spec.model.dtypes import (
    DTYPES,
    FORMATS,
    HALVES,
    Category,
    FloatFormat,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import ulp

Array = np.ndarray

_PERIOD = 8209


def nearest(numbers: Array, dtype: str) -> Array:
    """float64 numbers rounded once to a float format, ties to even, overflow to inf; float64."""
    layout = FORMATS[dtype]
    if layout.precision == 53:
        return np.array(numbers, np.float64)
    finite = np.where(np.isfinite(numbers), numbers, 0.0)
    _, exponent = np.frexp(finite)
    gap = np.maximum(exponent - layout.precision, _lowest_exponent(layout))
    result = np.ldexp(np.rint(np.ldexp(finite, -gap)), gap)
    result = np.where(np.abs(result) > layout.max, np.copysign(np.inf, finite), result)
    return np.where(np.isfinite(numbers), result, numbers)


def _lowest_exponent(layout: FloatFormat) -> int:
    return int(np.frexp(layout.smallest)[1]) - 1


def converted(array: Array, target: str) -> Array:
    """The elements of `array` in the dtype `target`, as the documents define a conversion.

    Floats are rounded to nearest, ties to even, and go to inf beyond the largest number;
    fractions are cut off on the way to integers; whatever differs from zero is True; integers
    wrap around; the imaginary part is dropped on the way to a real dtype and 0 on the way back.
    Only elements that `settled` keeps have a defined answer.
    """
    with np.errstate(all="ignore"):
        to, kind = numpy_dtype(target), category(target)
        if array.dtype.kind == "c":
            if kind is Category.BOOL:
                return np.asarray((array.real != 0) | (array.imag != 0))
            if kind is Category.COMPLEX:
                return _joined(converted(array.real, part(target)), array.imag, target)
            array = np.ascontiguousarray(array.real).reshape(array.shape)
        elif kind is Category.COMPLEX:
            return _joined(converted(array, part(target)), np.zeros(array.shape), target)
        if kind is Category.BOOL:
            return np.asarray(array.astype(np.float64) != 0)
        if array.dtype.kind in "biu" and target in ("float32", "float64"):
            return array.astype(to)  # one instruction, rounded once
        if kind is Category.FLOAT:
            return nearest(array.astype(np.float64), target).astype(to)
        if array.dtype.kind in "biu":
            return array.astype(to)
        return np.trunc(array.astype(np.float64)).astype(to)


def part(target: str) -> str:
    """The dtype of the real and imaginary parts of a complex dtype; any other, itself."""
    return {"complex64": "float32", "complex128": "float64"}.get(target, target)


def _joined(real: Array, imag: Array, target: str) -> Array:
    result = np.empty(real.shape, numpy_dtype(target))
    result.real = real
    result.imag = converted(np.asarray(imag), part(target))
    return result


def settled(array: Array, target: str) -> Array:
    """A copy with 1 in place of every element whose conversion the documents leave open.

    These are: nan, inf and out-of-range floats on their way to an integer, and elements so near
    a tie that rounding by way of a wider float (which PyTorch does from float64 to half
    precision) ends at the other neighbour.
    """
    array = np.array(array)
    if array.dtype.kind == "c":
        open_to_choice = _open(np.ascontiguousarray(array.real), target)
        if category(target) is Category.COMPLEX:
            open_to_choice |= _open(np.ascontiguousarray(array.imag), target)
    else:
        open_to_choice = _open(array, target)
    array[open_to_choice] = 1
    return array


def _open(array: Array, target: str) -> Array:
    with np.errstate(all="ignore"):
        wide = array.astype(np.float64)
        if category(target) is Category.INTEGER:
            if array.dtype.kind in "biu":
                return np.zeros(array.shape, bool)
            info = np.iinfo(numpy_dtype(target))  # type: ignore[type-var]
            whole = np.trunc(wide)
            return np.asarray(~((whole >= float(info.min)) & (whole < float(int(info.max) + 1))))
        target = part(target)
        if category(target) is Category.BOOL or target == "float64":
            return np.zeros(array.shape, bool)
        single = wide.astype(np.float32).astype(np.float64)
        inexact = np.abs(wide) > 2.0**53 if array.dtype.kind in "iu" else np.zeros(wide.shape, bool)
        if target in HALVES:
            once, twice = nearest(wide, target), nearest(single, target)
            inexact &= nearest(wide * (1 - 2**-23), target) != nearest(wide * (1 + 2**-23), target)
            return np.asarray(inexact | ((once != twice) & ~np.isnan(wide)))
        below, above = wide * (1 - 2.0**-50), wide * (1 + 2.0**-50)
        return np.asarray(inexact & (nearest(below, target) != nearest(above, target)))


def samples(shape: tuple[int, ...], source: str, target: str, seed: int) -> tuple[Array, Array]:
    """Elements of the dtype `source` that try its conversion to `target`, and the answers.

    Ordinary numbers, edges, and everything near a decision: ties and their neighbours, the
    thresholds of overflow and underflow, fractions at the ends of an integer's range.
    """
    given, wanted = _buffers(source, target)
    start = seed * 61 % _PERIOD
    cut = slice(start, start + prod(shape))
    return given[cut].reshape(shape).copy(), wanted[cut].reshape(shape).copy()


@cache
def _buffers(source: str, target: str) -> tuple[Array, Array]:
    random = np.random.Generator(np.random.PCG64(crc32(f"{source} {target}".encode())))
    critical = _critical(random, source, target)
    regimes = ("signed", "normal", "wide", "extreme", "special")
    mixed = [values((400,), source, regime, 3) for regime in regimes]
    mixed.append(np.resize(random.permutation(critical), _PERIOD - 2064))
    simple = values((64,), source)
    period = np.concatenate([simple, random.permutation(np.concatenate(mixed))])
    period[64::15] = np.resize(_edges(source), len(period[64::15]))
    period = settled(period, target)
    given = np.concatenate([period, period])
    return given, converted(given, target)


def _edges(source: str) -> Array:
    """What every sample of some length has to hold."""
    kind = category(source)
    if kind is Category.BOOL:
        return np.array([True, False])
    if kind is Category.INTEGER:
        info = np.iinfo(numpy_dtype(source))  # type: ignore[type-var]
        wanted = [int(info.min), int(info.max), 0, -1, 128, 256, 65536, 1 << 32]
        return np.array([n for n in wanted if info.min <= n <= info.max], numpy_dtype(source))
    layout = FORMATS[source]
    edges = [-0.0, np.nan, np.inf, -np.inf, layout.max, layout.smallest, -0.5, 1.5]
    if kind is Category.FLOAT:
        return np.array(edges).astype(numpy_dtype(source))
    result = np.zeros(2 * len(edges), numpy_dtype(source))
    result.real[: len(edges)], result.imag[len(edges) :] = edges, edges
    return result


def _critical(random: np.random.Generator, source: str, target: str) -> Array:
    kind = category(source)
    if kind is Category.BOOL:
        return random.integers(0, 2, 4000).astype(bool)
    if kind is Category.COMPLEX:
        parts = [_critical(random, part(source), part(target)) for _ in range(2)]
        length = min(len(parts[0]), len(parts[1]))
        result = np.empty(length, numpy_dtype(source))
        result.real, result.imag = parts[0][:length], random.permutation(parts[1])[:length]
        return result
    if kind is Category.INTEGER:
        return _critical_integers(random, source, part(target))
    if category(target) is Category.INTEGER:
        return _near_integers(random, source, target)
    if category(target) is Category.BOOL:
        layout = FORMATS[source]
        small = [layout.smallest, layout.tiny, 0.3, 0.5, 256.0, 65536.0, 2.0**32, 0.0, np.inf]
        return random.choice(np.array([*small, np.nan, *np.negative(small)]), 4000).astype(
            numpy_dtype(source)
        )
    return near_ties(random, source, part(target))


def near_ties(random: np.random.Generator, source: str, target: str) -> Array:
    """Numbers of the format `source` at, just below and just above the ties of `target`."""
    layout = FORMATS[target]
    exponents = random.integers(int(np.log2(layout.smallest)), int(np.log2(layout.max)) + 1, 3000)
    numbers = nearest(np.ldexp(random.uniform(1, 2, 3000), exponents), target)
    few = layout.smallest * np.arange(9)
    edges = [few, layout.tiny - few, layout.tiny + few, layout.max - few, 1 + layout.eps * few]
    numbers = np.concatenate([numbers, *edges, np.full(40, layout.max)])
    return beside_ties(numbers, source, target, random)


def beside_ties(numbers: Array, source: str, target: str, random: np.random.Generator) -> Array:
    """The ties above numbers of the format `target`, some a gap of `source` to either side."""
    with np.errstate(all="ignore"):
        numbers = np.where(np.isfinite(numbers), numbers, FORMATS[target].max)
        ties = numbers + ulp(numbers, target) / 2
        nudge = random.choice([-1.0, 0.0, 0.0, 1.0], len(ties)) * ulp(ties, source)
        sign = random.choice([-1.0, 1.0], len(ties))
        return np.asarray((sign * (ties + nudge)).astype(numpy_dtype(source)))


def _near_integers(random: np.random.Generator, source: str, target: str) -> Array:
    info = np.iinfo(numpy_dtype(target))  # type: ignore[type-var]
    low, high = float(info.min), float(info.max)
    bits = random.uniform(0, DTYPES[target].bits, 3000)
    whole = np.trunc(random.choice([-1.0, 1.0], 3000) * np.exp2(bits))
    whole = np.concatenate([whole, random.choice([low, high, low + 1, high - 1, 0.0], 600)])
    sign = np.sign(whole) + (whole == 0)
    fraction = random.choice([0.0, 0.25, 0.5, 0.75, 0.999, -0.001, -0.5], len(whole))
    return np.asarray((whole + sign * fraction).astype(numpy_dtype(source)))


def _critical_integers(random: np.random.Generator, source: str, target: str) -> Array:
    info = np.iinfo(numpy_dtype(source))  # type: ignore[type-var]
    found = list(_POWERS)
    if category(target) is Category.FLOAT:
        found += _integer_ties(FORMATS[target].precision)
    inside = [n for n in found if int(info.min) <= n <= int(info.max)]
    return np.array(inside, numpy_dtype(source))


_POWERS = tuple(
    sign * n
    for n in (
        *((1 << k) + d for k in range(64) for d in (-1, 0, 1)),
        *(65504, 65519, 65520, 65521, 65535, 1 << 32, 3 << 40),  # the overflow of float16
        *range(0, 1 << 16, 256),  # not zero, but their lowest byte is
    )
    for sign in (1, -1)
)


@cache
def _integer_ties(precision: int) -> tuple[int, ...]:
    random = Random(precision)
    found = []
    for _ in range(2000):
        tie = (2 * random.randrange(1 << (precision - 1), 1 << precision) + 1) << random.randrange(
            64 - precision
        )
        found.append(random.choice([-1, 1]) * (tie + random.choice([-1, 0, 1])))
    return tuple(found)
