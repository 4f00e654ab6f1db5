"""Special functions in extended precision, from their series and continued fractions.

Every function takes and gives an array of floats of either sign of one precision, float64 or
longdouble, and computes in that: term by term, all terms of one sign where a series is summed,
so that the error stays near the unit roundoff of that precision. NaN gives NaN.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray

_SQRT_PI = np.sqrt(np.longdouble("3.14159265358979323846264338327950288"))
_HALF_LOG_2PI = np.longdouble("0.918938533204672741780329736405617640")
_HALF_ROOT = np.sqrt(np.longdouble(0.5))

_FAR = 2.0
"""From here on the continued fraction of erfc converges quickly: its error after n steps is about
exp(-2 x sqrt(2n)). Below it, the series does."""


def _steps(x: Array, of_single: int, of_extended: int) -> int:
    """float64 is the reference of float32 and narrower formats, and needs half the digits."""
    return of_extended if x.dtype == np.longdouble else of_single


def _in(x: Array, constant: Any) -> Any:
    """A constant in the precision of an array."""
    return x.dtype.type(constant)


def erf(x: Array) -> Array:
    """The error function (DLMF 7.6.2, and 1 - erfc from 2 on)."""
    return _by_size(x, _erf_series, lambda far: np.copysign(1 - _tail(np.abs(far)), far))


def erfc(x: Array) -> Array:
    """1 - erf(x), without cancellation from 2 on."""
    return _by_size(
        x,
        lambda near: 1 - _erf_series(near),
        lambda far: np.where(far > 0, _tail(np.abs(far)), 2 - _tail(np.abs(far))),
    )


def _by_size(x: Array, near: Any, far: Any) -> Array:
    """Computed where each is needed; NaN goes to the nearer."""
    beyond = np.abs(x) > _FAR
    result = np.empty_like(x)
    result[beyond] = far(x[beyond])
    result[~beyond] = near(x[~beyond])
    return result


def _erf_series(x: Array) -> Array:
    term = x + 0.0
    total = term
    for n in range(1, _steps(x, 26, 38)):
        term = term * (2 * x * x) / (2 * n + 1)
        total = total + term
    return np.asarray(2 / _in(x, _SQRT_PI) * np.exp(-x * x) * total)


def _tail(x: Array) -> Array:
    return np.asarray(np.exp(-x * x) * _fraction(x))


def _fraction(x: Array) -> Array:
    """exp(x*x) * erfc(x) for x >= 2 (DLMF 7.9.1)."""
    below = x
    for n in range(_steps(x, 24, 64), 0, -1):
        below = x + n / (2 * below)
    return np.asarray(1 / (_in(x, _SQRT_PI) * below))


def erfcx(x: Array) -> Array:
    """exp(x*x) * erfc(x) for x >= 0."""
    return _by_size(x, lambda near: np.exp(near * near) * (1 - _erf_series(near)), _fraction)


def ndtr(x: Array) -> Array:
    """The normal distribution's cumulative function."""
    return np.asarray(erfc(-x * _in(x, _HALF_ROOT)) / 2)


def log_ndtr(x: Array) -> Array:
    """Its logarithm."""
    t = x * _in(x, _HALF_ROOT)
    low = x < -1
    result = np.asarray(np.log1p(-erfc(np.where(low, -1, t)) / 2))
    result[low] = np.log(erfcx(-t[low]) / 2) - t[low] * t[low]
    return np.asarray(result)


def _quantile(p: float) -> float:
    # Outside its domain, and of NaN, NaN.
    return NormalDist().inv_cdf(p) if 0 < p < 1 else np.nan


_quantiles = np.vectorize(_quantile, otypes=[np.float64])


def ndtri(p: Array) -> Array:
    """The inverse of ndtr, for 0 < p < 1: one of Newton's steps doubles the digits."""
    if not p.size:
        return p
    x = _quantiles(p.astype(np.float64)).astype(p.dtype)
    density = np.exp(-x * x / 2) * _in(x, _HALF_ROOT) / _in(x, _SQRT_PI)
    return np.asarray(x - (ndtr(x) - p) / density)


def erfinv(y: Array) -> Array:
    """The inverse of erf, for -1 < y < 1."""
    if not y.size:
        return y
    x = _quantiles((y.astype(np.float64) + 1) / 2).astype(y.dtype) * _in(y, _HALF_ROOT)
    return np.asarray(x - (erf(x) - y) * _in(x, _SQRT_PI) / 2 * np.exp(x * x))


_BERNOULLI = tuple(
    np.longdouble(top) / np.longdouble(bottom)
    for top, bottom in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
        (43867, 798), (-174611, 330),
    )
)  # fmt: skip
"""B2, B4, ..., B20: from 16 on the asymptotic series below end beyond 2^-70 with them."""
_ENOUGH = 16


def digamma(x: Array) -> Array:
    """The derivative of lgamma, for x > 0 (DLMF 5.5.2 and 5.11.2)."""
    x, total = x + 0.0, np.zeros_like(x)
    for _ in range(_ENOUGH):
        small = x < _ENOUGH
        total = total - np.where(small, 1 / x, 0)
        x = np.where(small, x + 1, x)
    series = sum(_in(x, b) / (2 * k * x ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1))
    return np.asarray(total + np.log(x) - 1 / (2 * x) - series)


def lgamma(x: Array) -> Array:
    """The logarithm of the gamma function, for x > 0 (DLMF 5.5.1 and 5.11.1)."""
    x, product = x + 0.0, np.ones_like(x)
    for _ in range(_ENOUGH):
        small = x < _ENOUGH
        product = product * np.where(small, x, 1)
        x = np.where(small, x + 1, x)
    series = sum(
        _in(x, b) / (2 * k * (2 * k - 1) * x ** (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)
    )
    return np.asarray((x - 0.5) * np.log(x) - x + _in(x, _HALF_LOG_2PI) + series - np.log(product))


def bessel_i(x: Array, order: int) -> Array:
    """The modified Bessel function of the first kind, order 0 or 1 (DLMF 10.25.2): its terms are
    largest at the number |x| / 2, and beyond 1.5 |x| fall below any digit."""
    quarter = x * x / 4
    term: Any = np.ones_like(x) if order == 0 else x / 2
    total = term
    most = np.max(np.abs(x), initial=0.0, where=np.isfinite(x))
    for k in range(1, _steps(x, 25, 35) + int(1.5 * most)):
        term = term * quarter / (k * (k + order))
        total = total + term
    return np.asarray(total)
