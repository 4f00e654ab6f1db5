"""Domains: where an operation is documented, and where it has a derivative.

Each function brings drawn elements there, in the dtype that they have.
"""

from __future__ import annotations

import numpy as np

from tenet.spec.operators.operator import Array, Prepare


def clipped(low: float, high: float) -> Prepare:
    """Brings elements into [low, high]; NaN stays."""

    def prepare(array: Array) -> Array:
        return np.clip(array, low, high) if array.dtype.kind in "fV" else array

    return prepare


def positive(array: Array) -> Array:
    """To the positive numbers, away from zero."""
    return np.asarray(np.abs(array) + 0.1)


def nonzero(array: Array) -> Array:
    """Away from zero."""
    return np.asarray(array + np.where(array < 0, -0.1, 0.1))


def between(low: float, high: float) -> Prepare:
    """Into the open interval, smoothly."""

    def prepare(array: Array) -> Array:
        return np.asarray(low + (high - low) * (0.5 + 0.45 * np.tanh(array)))

    return prepare


def anywhere(array: Array) -> Array:
    """The operation has a derivative everywhere."""
    return array


def dividend(array: Array) -> Array:
    """Any integer; floats of moderate size, whose quotients a format holds."""
    return array if array.dtype.kind in "iu" else divisor(array)


def off_integers(array: Array) -> Array:
    """Away from integers and halves, where rounding jumps."""
    return np.asarray(np.floor(array) + 0.1 + 0.3 * (array - np.floor(array)))


def divisor(array: Array) -> Array:
    """Integers without 0, by which an integer division is not defined, and without -1, by which
    the smallest integer has no quotient; floats of moderate size, away from 0."""
    if array.dtype.kind == "i":
        return np.asarray(np.where((array == 0) | (array == -1), 3, array))
    if array.dtype.kind == "u":
        return np.asarray(np.where(array == 0, 3, array))
    return np.asarray(np.copysign(np.clip(np.abs(array), 0.01, 100), array))


def no_nan(array: Array) -> Array:
    """Without NaN, whose sign is not documented."""
    return np.asarray(np.where(np.isnan(array), 1, array))


def apart_from(*kinks: float) -> Prepare:
    """At least 0.1 away from the kinks of a piecewise function."""

    def prepare(array: Array) -> Array:
        for kink in kinks:
            beside = array - kink
            moved = kink + np.where(beside < 0, -0.1, 0.1) + beside
            array = np.where(np.abs(beside) < 0.1, moved, array)
        return np.asarray(array)

    return prepare


def modest(array: Array) -> Array:
    """Floats that are zero or of magnitude 0.001 to 100; NaN stays."""
    if array.dtype.kind not in "fV":
        return array
    wide = np.clip(array.astype(np.float64), -100, 100)
    return np.where(np.abs(wide) < 1e-3, 0.0, wide)


def of_size(low: float, high: float) -> Prepare:
    """Positive floats of a magnitude from low to high; NaN stays."""

    def prepare(array: Array) -> Array:
        return np.clip(np.abs(array.astype(np.float64)), low, high)

    return prepare


def ranks(array: Array) -> Array:
    """The quarters from 1/4 on in the order of the elements: distinct, not 0, so far apart that a
    small step exchanges none, and with sums that are exact in every format that holds them."""
    order = np.argsort(np.argsort(array.ravel(), kind="stable"), kind="stable")
    return np.asarray((order.reshape(array.shape) + 1) / 4)


def apart(array: Array) -> Array:
    """The same, each a little beside its quarter: no two differences are the same either."""
    return np.asarray(ranks(array) + np.tanh(array) / 40)
