"""Bounds on rounding error: each is derived here, and stated nowhere else.

Notation: u = eps/2 is the unit roundoff of the result's format, ulp(x) the gap between
neighbouring numbers of that format at |x| (at least the smallest subnormal).

exact           Moves, casts, comparisons, and the IEEE 754 basic operations + - * / are
                correctly rounded: the reference is rounded to the format once, with ties to
                even, and compared bit by bit. No bound is needed; use `rounded`. A root is not
                one of them here: vector libraries state one unit (MKL errs by half a unit and
                a little more, so that PyTorch 2.13's sqrt of 2.0 is a neighbour of the nearest).
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
    # frexp gives 0 the exponent of 0.5, so the gap at 0 is asked for at the smallest number.
    plain = np.where(np.isfinite(magnitude), np.maximum(magnitude, layout.smallest), 1.0)
    _, exponent = np.frexp(plain)
    gaps: Array = np.maximum(np.ldexp(1.0, exponent - layout.precision), layout.smallest)
    return gaps


def rounded(values: Array, dtype: str) -> Array:
    """The reference rounded once to the dtype, to nearest and ties to even; overflow to inf."""
    values = np.asarray(values)
    with np.errstate(all="ignore"):
        # NumPy casts longdouble to float16, and ml_dtypes float64 to bfloat16, by way of a
        # format in between; two roundings to nearest can miss the nearest.
        if values.dtype == np.longdouble and dtype in ("float16", "bfloat16", "float32"):
            values = _rounded_to_odd(values, np.dtype(np.float64))
        if values.dtype == np.float64 and dtype == "bfloat16":
            values = _rounded_to_odd(values, np.dtype(np.float32))
        return np.asarray(values.astype(numpy_dtype(dtype)))


def _rounded_to_odd(values: Array, middle: np.dtype[np.generic]) -> Array:
    """Rounded so that rounding on, to a format at least two bits shorter, errs only once.

    An inexact element becomes whichever neighbour has an odd last bit (Boldo and Melquiond,
    Emulation of FMA and correctly rounded sums, 2008).
    """
    near = values.astype(middle)
    even = near.view(f"u{middle.itemsize}") & 1 == 0
    inexact = (near.astype(values.dtype) != values) & ~np.isnan(near)
    towards = np.where(near < values, np.inf, -np.inf).astype(middle)
    return np.where(even & inexact, np.nextafter(near, towards), near)


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
        # The gap is that of the number which is rounded last, and the absolute part may have
        # moved that across a power of two.
        furthest = np.abs(np.asarray(expected) + 0.0) + self.absolute
        return np.asarray(self.ulps * ulp(furthest, self.dtype) + self.absolute)

    def exceeded(self, values: Array, expected: Array) -> Array:
        """Where a result breaks the bound; bool array.

        NaN has to meet NaN, and an infinite reference the same infinity. An infinite result
        stands for the first number beyond the format's largest, of the same sign, and has to
        be as near as any other. Complex numbers: the distance in the plane where both are
        finite, part by part where one is not.
        """
        if np.iscomplexobj(expected) or np.iscomplexobj(values):
            point, target = np.asarray(values, np.complex128), np.asarray(expected) + 0j
            allowed = self.allowed(np.abs(target))
            finite = np.isfinite(point) & np.isfinite(target)
            with np.errstate(all="ignore"):
                near = np.abs(point - target) <= allowed
            parts = self._within(point.real, target.real, allowed)
            parts = parts & self._within(point.imag, target.imag, allowed)
            return np.asarray(~np.where(finite, near, parts))
        got = np.asarray(values, dtype=np.float64)
        wanted = np.asarray(expected) + 0.0
        return np.asarray(~self._within(got, wanted, self.allowed(wanted)))

    def _within(self, got: Array, wanted: Array, allowed: Array) -> Array:
        layout = FORMATS[self.dtype]
        with np.errstate(all="ignore"):
            near = np.isfinite(wanted) & np.isfinite(got) & (np.abs(got - wanted) <= allowed)
            beyond = np.longdouble(layout.max) * (1 + np.longdouble(layout.eps) / 2)
            overflow = np.isinf(got) & np.isfinite(wanted) & (np.sign(got) == np.sign(wanted))
            overflow &= np.abs(wanted) + allowed >= beyond
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
        return np.asarray(near | overflow | same)

    def describe(self, expected: Array) -> str:
        """The bound at one element, in words."""
        absolute = " + its absolute part" if np.any(self.absolute) else ""
        return f"{self.ulps:g} ulp of {self.dtype}{absolute} ({self.reason})"


def ulps(count: float, dtype: str, reason: str, absolute: float = 0.0) -> Bound:
    """A bound of `count` units in the last place of `dtype`, plus an absolute part."""
    return Bound(dtype, count, reason, absolute)


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


def half_sum(terms: Array, dtype: str) -> Bound:
    """The bound for a half-precision sum or mean of all `terms` that accumulates in float32.

    One float32 operation more than the additions is the division of a mean.
    """
    magnitude = np.abs(np.asarray(terms, np.float64)).sum()
    return summation(magnitude, np.size(terms) + 1, dtype, "float32")


def half_product(terms: Array, dtype: str) -> Bound:
    """The bound for a half-precision inner product with the given products as `terms`.

    Products of two half-precision numbers are exact in float32. Libraries may split the sum and
    add a few partial sums in half precision (documented: reduced-precision reduction is allowed
    by default in cuBLAS); four such roundings are granted.
    """
    magnitude = np.abs(np.asarray(terms, np.float64)).sum()
    exact = summation(magnitude, np.size(terms) + 1, dtype, "float32")
    partial = 4 * FORMATS[dtype].eps / 2 * magnitude
    reason = f"{exact.reason}; and 4 half-precision partial sums"
    return Bound(dtype, exact.ulps, reason, exact.absolute + partial)
