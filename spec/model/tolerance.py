"""Bounds on rounding error: each is derived here, and stated nowhere else.

Notation: u = eps/2 is the unit roundoff of the result's format, ulp(x) the gap between
neighbouring numbers of that format at |x| (at least the smallest subnormal).

exact           Moves, casts, comparisons, and the IEEE 754 basic operations + - * / sqrt are
                correctly rounded: the reference is rounded to the format once, with ties to
                even, and compared bit by bit. No bound is needed; use `rounded`.
ulps(n)         A function whose implementation is documented or known to lie within n ulps of
                the true value, against a reference at least 2^10 times more precise.
summation(m)    Adding n terms in any order: |error| <= (n-1) * u * sum|t| + O(u^2)
                (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., eq. 4.4).
                The rounding of the terms themselves and of the final cast is added by the
                caller as more operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenet.spec.model.dtypes import FORMATS, numpy_dtype

Array = np.ndarray


def ulp(values: Array, dtype: str) -> Array:
    """The gap between neighbouring numbers of the format at |values|; float64 array."""
    layout = FORMATS[dtype]
    magnitude = np.abs(np.asarray(values, dtype=np.float64))
    _, exponent = np.frexp(np.where(np.isfinite(magnitude), magnitude, 0.0))
    return np.maximum(np.ldexp(1.0, exponent - layout.precision), layout.smallest)


def rounded(values: Array, dtype: str) -> Array:
    """The reference rounded once to the dtype, to nearest and ties to even; overflow to inf."""
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(numpy_dtype(dtype))


@dataclass(frozen=True)
class Bound:
    """How far a result of `dtype` may lie from its reference.

    The allowed distance at each element is `ulps` gaps of the format at the reference plus
    `absolute` (a number, or an array of the result's shape). reason: the derivation in a line.
    """

    dtype: str
    ulps: float
    reason: str
    absolute: float | Array = 0.0

    def allowed(self, expected: Array) -> Array:
        """The allowed distance at every element; float64 array of the reference's shape."""
        return np.asarray(self.ulps * ulp(expected, self.dtype) + self.absolute)

    def exceeded(self, values: Array, expected: Array) -> Array:
        """Where a result breaks the bound; bool array.

        A reference that the format cannot hold may come back as its largest number or as inf
        (within the bound); NaN has to meet NaN, and an infinite reference the same infinity.
        """
        if np.iscomplexobj(expected) or np.iscomplexobj(values):
            distance = np.abs(np.asarray(values, np.complex128) - expected)
            return np.asarray(~(distance <= self.allowed(np.abs(expected))))
        got = np.asarray(values, dtype=np.float64)
        with np.errstate(all="ignore"):
            near = np.abs(got - expected) <= self.allowed(expected)
            overflow = np.abs(expected) + self.allowed(expected) >= FORMATS[self.dtype].max
            overflow &= np.isinf(got) & (np.sign(got) == np.sign(expected))
        both_nan = np.isnan(got) & np.isnan(expected)
        return np.asarray(~(near | overflow | both_nan | (got == expected)))

    def describe(self, expected: Array) -> str:
        """The bound at one element, in words."""
        absolute = " + its absolute part" if np.any(self.absolute) else ""
        return f"{self.ulps:g} ulp of {self.dtype}{absolute} ({self.reason})"


def ulps(count: float, dtype: str, reason: str) -> Bound:
    """A bound of `count` units in the last place of `dtype`."""
    return Bound(dtype, count, reason)


def summation(magnitudes: Array, terms: int, dtype: str, accumulated_in: str) -> Bound:
    """The bound for a sum of `terms` numbers in any order.

    magnitudes: sum of |t| over the reduced elements, float64, of the result's shape.
    accumulated_in: the format of the running sum; the final cast adds half an ulp of `dtype`.
    """
    unit = FORMATS[accumulated_in].eps / 2
    growth = max(terms - 1, 0) * unit
    return Bound(
        dtype,
        0.5,
        f"(n-1)*u*sum|t| with n = {terms}, u of {accumulated_in}, then rounded once",
        absolute=np.asarray(magnitudes, np.float64) * growth * (1 + growth),
    )
