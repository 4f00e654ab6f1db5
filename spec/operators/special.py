"""The rows of special functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tenet.spec.model.dtypes import FLOATS
from tenet.spec.model.special import (
    bessel_i,
    digamma,
    erfcx,
    erfinv,
    lgamma,
    log_ndtr,
    ndtr,
    ndtri,
)
from tenet.spec.operators.domains import (
    anywhere,
    between,
    clipped,
    modest,
    nonzero,
    of_size,
    positive,
)
from tenet.spec.operators.operator import (
    Array,
    Operator,
    n_ary,
    table,
    unary,
    with_arguments,
    within,
)
from tenet.spec.operators.pointwise import COMPOSED, LOOSE, loose

_SINGLE = ("float32", "float64")
_FEW = unary(max_size=2100)  # the references take long
_PI = np.longdouble("3.14159265358979323846264338327950288")


def _entropy(x: Array) -> Array:
    inside = -x * np.log(np.where(x > 0, x, 1))
    return np.where(np.isnan(x), x, np.where(x > 0, inside, np.where(x == 0, 0, -np.inf)))


def _logit(x: Array, eps: float | None = None) -> Array:
    inside = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.asarray(np.log(inside / (1 - inside)))


def _many_gammas(x: Array, p: int) -> Array:
    constant = p * (p - 1) / 4 * np.log(_PI)
    return np.asarray(constant + sum(lgamma(x - np.asarray(j / 2, x.dtype)) for j in range(p)))


def _scaled_bessel(x: Array, order: int) -> Array:
    return np.asarray(np.exp(-np.abs(x)) * bessel_i(x, order))


def _row(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    given: dict[str, Any] = {
        "section": "elementwise", "calls": _FEW, "dtypes": FLOATS, "accuracy": LOOSE,
        "method": False, "in_place": False, "prepare": clipped(-10, 10), "smooth": anywhere,
    }  # fmt: skip
    return Operator(name=name, reference=reference, **{**given, **row})


_SUMMED = within(
    40, "n*u of a Chebyshev sum of up to 30 terms in the dtype, and an exponential of condition 10"
)
_TAIL = within(16, "a function of 4 units, of an argument whose rounding counts 2*x*x times")
_METHOD = {"method": True, "in_place": True}
_BESSEL = {"dtypes": _SINGLE, "accuracy": _SUMMED, "prepare": clipped(-30, 30)}
_INSIDE = {"prepare": between(0.02, 0.98), "smooth": between(0.02, 0.98)}

SPECIAL = table(
    _row("logit", _logit, accuracy=loose(lambda x: x * 0 + 1), aliases=("special.logit",),
         calls=with_arguments(_FEW, eps=[None, 0.05]), prepare=between(-0.04, 1.04),
         smooth=between(0.02, 0.98), **_METHOD),
    _row("digamma", digamma, accuracy=loose(lambda x: 1 / x + np.log1p(x)),
         prepare=of_size(0.1, 1e4), smooth=positive, aliases=("special.digamma", "special.psi"),
         **_METHOD),
    _row("mvlgamma", _many_gammas, accuracy=loose(lambda x: 3 * (x * np.log1p(x) + 1)),
         calls=with_arguments(_FEW, p=[1, 2, 3]), dtypes=_SINGLE, prepare=of_size(2.5, 1e3),
         smooth=lambda x: np.abs(x) + 1.5, aliases=("special.multigammaln",), **_METHOD),
    _row("erfinv", erfinv, prepare=between(-1.09, 1.09), smooth=between(-0.9, 0.9),
         aliases=("special.erfinv",), **_METHOD),
    _row("i0", partial(bessel_i, order=0), aliases=("special.i0",), **_BESSEL, **_METHOD),
    _row("special.i0e", partial(_scaled_bessel, order=0), **{**_BESSEL, "smooth": nonzero}),
    _row("special.i1", partial(bessel_i, order=1), **_BESSEL),
    _row("special.i1e", partial(_scaled_bessel, order=1), **{**_BESSEL, "smooth": nonzero}),
    _row("special.entr", _entropy, accuracy=COMPOSED, prepare=modest, smooth=positive),
    _row("special.erfcx", erfcx, dtypes=_SINGLE, prepare=of_size(0.001, 1e4), smooth=positive),
    _row("special.ndtr", ndtr, prepare=clipped(-2, 5), dtypes=_SINGLE, accuracy=_TAIL),
    _row("special.log_ndtr", log_ndtr, prepare=clipped(-1e3, 2), dtypes=_SINGLE,
         accuracy=_TAIL),
    _row("special.ndtri", ndtri, dtypes=_SINGLE, accuracy=loose(lambda x: x * 0 + 1), **_INSIDE),
    _row("special.xlog1py",
         lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log1p(y)),
         calls=n_ary(2), broadcasts=True, prepare=(modest, of_size(0.001, 100)), smooth=positive,
         accuracy=COMPOSED),
)  # fmt: skip
"""Arguments lie where the function is well-conditioned, or the bound is absolute there."""
