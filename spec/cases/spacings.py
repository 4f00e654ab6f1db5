"""Spacings: evenly spaced numbers whose every element is known exactly, for arange and linspace."""

from __future__ import annotations

from random import Random

import numpy as np

from tenet.spec.cases.shapes import LENGTHS
from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, Category, category, numpy_dtype


def fits(numbers: np.ndarray, name: str) -> bool:
    """Whether the dtype holds all of the numbers (float64, or int64) exactly."""
    if category(name) is Category.INTEGER:
        info = np.iinfo(name)
        whole = numbers == np.trunc(numbers)
        inside = (numbers >= int(info.min)) & (numbers <= int(info.max))
        return bool((whole & inside).all())
    if category(name) is Category.COMPLEX:
        name = "float32" if name == "complex64" else "float64"
    with np.errstate(all="ignore"):
        back = numbers.astype(numpy_dtype(name)).astype(numbers.dtype)
    # Back in the own dtype: an int64 is never compared as a float.
    return bool((back == numbers).all())


def integer_ranges() -> tuple[tuple[str, int, int, int], ...]:
    """dtype, start, end and step of ranges that the dtype holds, the shortest first.

    Ends lie 1 to |step| beyond the last element.
    """
    random = Random("arange")
    starts = (0, 0, 1, -1, -5, 7, 100, -128, 2**31 - 3, -(2**31) - 2, 2**53 - 1, 2**62)
    found = {(0, n, 1) for n in LENGTHS} | {(0, -n, -1) for n in LENGTHS}
    for name in INTEGERS:
        low, high = int(np.iinfo(name).min), int(np.iinfo(name).max)
        found |= {(high - n, high, 1) for n in (1, 9, 65)} | {(low, low + 9, n) for n in (1, 2)}
        found |= {(low + 65, low, -1), (high // 2, high, high // 9), (0, high, high // 3)}
    for _ in range(700):
        start, length = random.choice(starts), random.choice(LENGTHS)
        step = random.choice((1, 1, -1, 2, -2, 3, -7, 10, 2**31 + 1))
        beyond = random.randint(1, abs(step)) * (1 if step > 0 else -1)
        found.add((start, start + step * (length - 1) + beyond if length else start, step))
    # PyTorch 2.13 refuses a range whose distance and step together leave int64, such as
    # arange(0, 2**63 - 1, (2**63 - 1) // 3), with "possible overflow": loud, and not asked for.
    found = {(a, b, by) for a, b, by in found if abs(b - a) + abs(by) < 2**63}
    dtypes = INTEGERS + FLOATS
    by_dtype = {
        name: [r for r in sorted(found) if fits(np.array([*r, *range(*r)], np.int64), name)]
        for name in dtypes
    }
    ranges = [
        (name, *bounds)
        for name in dtypes
        for bounds in random.sample(by_dtype[name], min(len(by_dtype[name]), 150))
    ]
    return tuple(sorted(ranges, key=_simplicity))


def _simplicity(of: tuple[str, int, int, int]) -> tuple[int, int, int, int, int]:
    dtype, start, end, step = of
    return len(range(start, end, step)), abs(start), ALL.index(dtype), start, step


def dyadic_ranges() -> tuple[tuple[float, float, int, float], ...]:
    """start, step, length and how many steps beyond the last the end lies: binary fractions."""
    random = Random("dyadic")
    starts = (0.0, 0.5, -2.0, 10.0, -100.25, 1024.0, 2.0**20)
    steps = (1.0, 0.5, -0.5, 0.25, -0.125, 1.5, 2.0, -3.0, 2.0**-10)
    found = {(0.0, step, n, 1.0) for n in LENGTHS for step in (1.0, 0.5)}
    for _ in range(700):
        length = random.choice(LENGTHS)
        beyond = random.choice((1.0, 0.5, 0.125)) if length else 1.0
        found.add((random.choice(starts), random.choice(steps), length, beyond))
    return tuple(sorted(found, key=lambda r: (r[2], abs(r[0]), r)))


def dyadic_spaces() -> tuple[tuple[float, float, int], ...]:
    """start, distance and steps: binary fractions and integers, the shortest first."""
    random = Random("linspace")
    starts = (0.0, 1.0, -1.0, -0.5, 5.0, -100.0, 2.0**20)
    distances = (1.0, 0.5, -0.25, 2.0, -3.0, 0.0, 2.0**-8)
    found = {(0.0, 1.0, n) for n in LENGTHS}
    for _ in range(1200):
        found.add((random.choice(starts), random.choice(distances), random.choice(LENGTHS)))
    return tuple(sorted(found, key=lambda r: (r[2], abs(r[0]), r)))


DECIMAL_LENGTHS = [
    ((0, 1, 0.1), 10),
    ((0, 1, 0.25), 4),
    ((0.0, 0.7, 0.1), 7),
    ((0.0, 0.3, 0.1), 3),
    ((1, 2.5, 0.5), 3),
    ((0, 5, 2.0), 3),
    ((10, 0, -2.5), 4),
    ((1.0, 0.0, -0.1), 10),
    ((0, 1e-3, 1e-4), 10),
    ((0.5, 0.5, 0.1), 0),
    ((0, 100, 0.1), 1000),
    ((2.0**24, 2.0**24 + 3, 1.0), 3),
]
"""Lengths on which the exact quotient of the decimals and its double-precision value agree."""
