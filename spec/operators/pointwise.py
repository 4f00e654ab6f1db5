"""The rows of point-wise operators."""

from __future__ import annotations

import operator as symbols
from collections.abc import Callable
from typing import Any

import numpy as np

from tenet.spec.model.dtypes import BOOL, COMPLEX, FLOATS, INTEGERS
from tenet.spec.model.special import erf, erfc, lgamma
from tenet.spec.operators.domains import (
    anywhere,
    between,
    clipped,
    dividend,
    divisor,
    modest,
    no_nan,
    nonzero,
    of_size,
    off_integers,
    positive,
)
from tenet.spec.operators.operator import (
    Accuracy,
    Array,
    Operator,
    boolean,
    exact,
    floating,
    n_ary,
    table,
    unary,
    with_arguments,
    within,
)

REAL = FLOATS + INTEGERS
ANY = REAL + BOOL

ELEMENTARY = within(2, "vector mathematics libraries state 1 unit or less; 1 more for the device")
COMPOSED = within(4, "a short composition of elementary functions of 1 unit each", half=2.5)
ERF = within(4, "a polynomial in x, and in the half formats 1 - p(x) * exp(-x*x) in float32",
             half=1.5, scale=lambda x: 2.0**-10)  # fmt: skip


def loose(scale: Callable[..., Any] | None = None) -> Accuracy:
    """For functions that are ill-conditioned near their zeros, relative to a scale there."""
    reason = "accelerators document up to 6 units for this function"
    return within(8, reason, half=4, scale=scale)


LOOSE = loose()


def sigmoid(x: Array) -> Array:
    positive_half = 1 / (1 + np.exp(-np.abs(x)))
    return np.asarray(np.where(x >= 0, positive_half, np.exp(-np.abs(x)) * positive_half))


def _sinc(x: Array) -> Array:
    turns = np.where(x == 0, 1, x) * np.asarray(np.pi, x.dtype)
    return np.where(x == 0, 1, np.sin(turns) / turns)


def _unary(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    return Operator(name=name, section="elementwise", reference=reference,
                    **{"calls": unary(), **row})  # fmt: skip


def _float(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    """A function that makes floats of integers."""
    given = {"dtypes": ANY, "result": floating, "accuracy": ELEMENTARY}
    return _unary(name, reference, **{**given, **row})


def _turned(x: Array) -> Array:
    """As many turns as the format can count with some digits left, in float64 at least."""
    reach = 1e15 if x.dtype == np.float64 else 1e7
    return clipped(-reach, reach)(x)


def _exponential(x: Array) -> Array:
    """Where e**x and e**-x are normal numbers; in float16 where they are neither 0 nor inf."""
    reach = {"float64": 700, "float16": 11}.get(x.dtype.name, 85)
    return clipped(-reach, reach)(x)


_PI = np.longdouble("3.14159265358979323846264338327950288")

_FLOAT = ("float32",)
_PREDICATE: dict[str, Any] = {
    "dtypes": FLOATS, "result": boolean, "in_place": False, "out": False, "any_input": True,
}  # fmt: skip

UNARY = (
    _unary("abs", np.abs, dtypes=REAL, smooth=nonzero, aliases=("absolute",), symbol=abs),
    _unary(
        "neg", np.negative, dtypes=REAL, smooth=anywhere, aliases=("negative",), symbol=symbols.neg
    ),
    _unary("sign", np.sign, dtypes=REAL, prepare=no_nan),
    _unary("sgn", np.sign, dtypes=REAL, prepare=no_nan),
    _unary(
        "signbit",
        np.signbit,
        dtypes=REAL,
        result=boolean,
        in_place=False,
        prepare=no_nan,
        any_input=True,
    ),
    _unary("square", np.square, dtypes=REAL, smooth=anywhere),
    _unary("floor", np.floor, dtypes=REAL, smooth=off_integers),
    _unary("ceil", np.ceil, dtypes=REAL, smooth=off_integers),
    _unary("trunc", np.trunc, dtypes=REAL, smooth=off_integers, aliases=("fix",)),
    _unary(
        "round",
        lambda x: np.rint(x) if x.dtype.kind == "f" else x,
        dtypes=REAL,
        smooth=off_integers,
    ),
    _unary(
        "frac",
        lambda x: x - np.trunc(x),
        dtypes=FLOATS,
        smooth=off_integers,
        prepare=lambda x: np.where(np.isfinite(x), x, 0.5),
    ),
    _unary(
        "relu",
        lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)),
        dtypes=REAL,
        smooth=nonzero,
        out=False,
        aliases=("nn.functional.relu",),
        signed_zero=False,
    ),
    _unary("isnan", np.isnan, **_PREDICATE),
    _unary("isinf", np.isinf, **_PREDICATE),
    _unary("isfinite", np.isfinite, **_PREDICATE),
    _unary("isposinf", np.isposinf, dtypes=FLOATS, result=boolean, in_place=False, any_input=True),
    _unary("isneginf", np.isneginf, dtypes=FLOATS, result=boolean, in_place=False, any_input=True),
    _unary(
        "nan_to_num",
        lambda x: np.where(np.isnan(x), 0, x),
        dtypes=FLOATS,
        prepare=lambda x: np.where(np.isinf(x), 1, x),
    ),
    _unary("logical_not", np.logical_not, dtypes=ANY, result=boolean, any_input=True),
    _unary("bitwise_not", np.invert, dtypes=INTEGERS + BOOL, refuses=_FLOAT, symbol=symbols.invert),
    _float("sqrt", np.sqrt, smooth=positive, covers=("dlnotes.unary-math",)),
    _float("rsqrt", lambda x: 1 / np.sqrt(x), accuracy=COMPOSED, smooth=positive),
    _float("reciprocal", lambda x: 1 / x, accuracy=exact, smooth=nonzero),
    _float("exp", np.exp, smooth=anywhere, covers=("dlnotes.unary-math",)),
    _float("exp2", np.exp2, smooth=anywhere, aliases=("special.exp2",)),
    _float("expm1", np.expm1, smooth=anywhere, aliases=("special.expm1",)),
    _float("log", np.log, smooth=positive, covers=("dlnotes.unary-math",)),
    _float("log2", np.log2, smooth=positive),
    _float("log10", np.log10, smooth=positive),
    _float("log1p", np.log1p, smooth=positive, aliases=("special.log1p",)),
    _float("sin", np.sin, prepare=_turned, smooth=anywhere, covers=("dlnotes.unary-math",)),
    _float("cos", np.cos, prepare=_turned, smooth=anywhere, covers=("dlnotes.unary-math",)),
    _float(
        "tan",
        np.tan,
        prepare=_turned,
        smooth=between(-1.2, 1.2),
        accuracy=COMPOSED,
        covers=("dlnotes.unary-math",),
    ),
    _float("asin", np.arcsin, smooth=between(-0.9, 0.9), aliases=("arcsin",), accuracy=COMPOSED),
    _float("acos", np.arccos, smooth=between(-0.9, 0.9), aliases=("arccos",), accuracy=COMPOSED),
    _float("atan", np.arctan, smooth=anywhere, aliases=("arctan",)),
    _float(
        "sinh", np.sinh, smooth=anywhere, accuracy=COMPOSED, prepare=_exponential, dtypes=FLOATS
    ),
    _float(
        "cosh", np.cosh, smooth=anywhere, accuracy=COMPOSED, prepare=_exponential, dtypes=FLOATS
    ),
    _float("tanh", np.tanh, smooth=anywhere, accuracy=COMPOSED),
    _float("asinh", np.arcsinh, smooth=anywhere, aliases=("arcsinh",), accuracy=COMPOSED),
    _float(
        "acosh",
        np.arccosh,
        smooth=lambda x: np.abs(x) + 1.1,
        aliases=("arccosh",),
        accuracy=COMPOSED,
    ),
    _float("atanh", np.arctanh, smooth=between(-0.9, 0.9), aliases=("arctanh",), accuracy=COMPOSED),
    _float(
        "sigmoid",
        sigmoid,
        smooth=anywhere,
        accuracy=COMPOSED,
        prepare=_exponential,
        dtypes=FLOATS,
        aliases=("special.expit", "nn.functional.sigmoid"),
    ),
    _float(
        "erf",
        erf,
        calls=unary(max_size=2100),
        accuracy=ERF,
        aliases=("special.erf",),
        smooth=anywhere,
    ),
    _float(
        "erfc",
        erfc,
        calls=unary(max_size=2100),
        smooth=anywhere,
        accuracy=LOOSE,
        aliases=("special.erfc",),
        prepare=clipped(-5, 2),
        dtypes=FLOATS,
    ),
    _float(
        "lgamma",
        lgamma,
        calls=unary(max_size=2100),
        smooth=positive,
        accuracy=loose(lambda x: x + 1),  # it crosses 0 at 1 and at 2
        prepare=clipped(0.05, 1e4),
        dtypes=FLOATS,
        aliases=("special.gammaln",),
    ),
    _float(
        "sinc",
        _sinc,
        accuracy=loose(lambda x: x * 0 + 1),
        prepare=clipped(-1e3, 1e3),
        dtypes=FLOATS,
        aliases=("special.sinc",),
    ),
    _float("deg2rad", lambda x: x * (_PI / 180), smooth=anywhere, prepare=clipped(-1e4, 1e4)),
    _float("rad2deg", lambda x: x * (180 / _PI), smooth=anywhere, prepare=clipped(-1e4, 1e4)),
)


def _base(x: Array) -> Array:
    return x if x.dtype.kind in "iu" else of_size(0.01, 100)(x)


def _exponent(x: Array) -> Array:
    return x % 5 if x.dtype.kind in "iu" else np.clip(modest(x), -4, 4)


def _binary(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    return Operator(name=name, section="elementwise", reference=reference,
                    **{"calls": n_ary(2), "broadcasts": True, **row})  # fmt: skip


_BETWEEN = (lambda x: np.rint(2 * x) / 2, lambda x: np.rint(2 * x) / 2 + 0.25)
"""Two operands none of whose elements are near each other."""

BINARY = (
    _binary(
        "add",
        np.add,
        dtypes=ANY + COMPLEX,
        smooth=anywhere,
        symbol=symbols.add,
        covers=("dlnotes.arithmetic-functions",),
    ),
    _binary(
        "sub",
        np.subtract,
        dtypes=REAL + COMPLEX,
        smooth=anywhere,
        symbol=symbols.sub,
        aliases=("subtract",),
        covers=("dlnotes.arithmetic-functions",),
    ),
    _binary(
        "mul",
        np.multiply,
        dtypes=ANY,
        smooth=anywhere,
        symbol=symbols.mul,
        aliases=("multiply",),
        covers=("minicourse.mul-multiply",),
    ),
    _binary(
        "div",
        np.divide,
        dtypes=ANY,
        result=floating,
        smooth=nonzero,
        symbol=symbols.truediv,
        aliases=("divide", "true_divide"),
        covers=("dlnotes.arithmetic-functions",),
    ),
    _binary(
        "pow",
        np.power,
        dtypes=REAL,
        calls=n_ary(2, finite=True),
        prepare=(_base, _exponent),
        smooth=positive,
        accuracy=LOOSE,
        symbol=symbols.pow,
    ),
    _binary("fmax", np.fmax, dtypes=REAL, smooth=_BETWEEN, in_place=False, signed_zero=False),
    _binary("fmin", np.fmin, dtypes=REAL, smooth=_BETWEEN, in_place=False, signed_zero=False),
    _binary("maximum", np.maximum, dtypes=ANY, smooth=_BETWEEN, in_place=False, signed_zero=False),
    _binary("minimum", np.minimum, dtypes=ANY, smooth=_BETWEEN, in_place=False, signed_zero=False),
    _binary(
        "bitwise_and", np.bitwise_and, dtypes=INTEGERS + BOOL, refuses=_FLOAT, symbol=symbols.and_
    ),
    _binary(
        "bitwise_or", np.bitwise_or, dtypes=INTEGERS + BOOL, refuses=_FLOAT, symbol=symbols.or_
    ),
    _binary(
        "bitwise_xor", np.bitwise_xor, dtypes=INTEGERS + BOOL, refuses=_FLOAT, symbol=symbols.xor
    ),
    _binary("logical_and", np.logical_and, dtypes=ANY, result=boolean),
    _binary("logical_or", np.logical_or, dtypes=ANY, result=boolean),
    _binary("logical_xor", np.logical_xor, dtypes=ANY, result=boolean),
    _binary(
        "gcd",
        np.gcd,
        dtypes=INTEGERS,
        refuses=_FLOAT,
        calls=n_ary(2, finite=True),
        prepare=lambda x: np.fmod(x, 100),
    ),
    _binary(
        "lcm",
        np.lcm,
        dtypes=("int64", "int32", "int16"),
        refuses=_FLOAT,
        prepare=lambda x: np.fmod(x, 100),
    ),
    _binary("hypot", np.hypot, dtypes=FLOATS, smooth=positive, accuracy=COMPOSED),
    _binary(
        "atan2",
        np.arctan2,
        dtypes=ANY,
        result=floating,
        smooth=positive,
        accuracy=COMPOSED,
        aliases=("arctan2",),
    ),
    _binary("copysign", np.copysign, dtypes=FLOATS, smooth=nonzero, prepare=no_nan),
    _binary("fmod", np.fmod, dtypes=REAL, prepare=(dividend, divisor)),
    _binary(
        "remainder",
        np.mod,
        dtypes=INTEGERS,
        prepare=(dividend, divisor),
        symbol=symbols.mod,
        covers=("notes.integer-division",),
    ),
    _binary(
        "floor_divide",
        np.floor_divide,
        dtypes=INTEGERS,
        prepare=(dividend, divisor),
        symbol=symbols.floordiv,
        covers=("notes.integer-division",),
    ),
    _binary(
        "logaddexp",
        np.logaddexp,
        dtypes=FLOATS,
        smooth=anywhere,
        in_place=False,
        accuracy=within(
            4, "the maximum plus a logarithm", half=2.5, scale=lambda x, y: np.maximum(x, y) + 1
        ),
    ),
    _binary(
        "logaddexp2",
        np.logaddexp2,
        dtypes=("float32", "float64"),
        smooth=anywhere,
        in_place=False,
        accuracy=within(4, "the maximum plus a logarithm", scale=lambda x, y: np.maximum(x, y) + 1),
    ),
    _binary(
        "xlogy",
        lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)),
        dtypes=FLOATS,
        smooth=positive,
        accuracy=COMPOSED,
        aliases=("special.xlogy",),
    ),
    _binary(
        "heaviside",
        lambda x, y: np.where(np.isnan(x), x, np.where(x == 0, y, x > 0)),
        dtypes=FLOATS,
        prepare=no_nan,
    ),
)


def _clamp(x: Array, low: Array, high: Array) -> Array:
    return np.asarray(np.minimum(np.maximum(x, low), high))


def _ternary(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    return Operator(name=name, section="elementwise", reference=reference,
                    **{"calls": n_ary(3), "broadcasts": True, **row})  # fmt: skip


TERNARY = (
    _ternary("clamp", _clamp, dtypes=REAL, aliases=("clip",), signed_zero=False),
    _ternary(
        "addcmul",
        lambda x, y, z, value: x + np.asarray(value, x.dtype) * y * z,
        calls=with_arguments(n_ary(3), value=[1, 2, 3]),
        dtypes=INTEGERS + FLOATS,
        prepare=modest,
        smooth=anywhere,
        accuracy=within(4, "two products and a sum", half=2.5, scale=lambda x, y, z: x + 3 * y * z),
    ),
    _ternary(
        "addcdiv",
        lambda x, y, z, value: x + value * y / z,
        calls=with_arguments(n_ary(3), value=[1, 2, -0.5, 0.1]),
        dtypes=FLOATS,
        prepare=(modest, modest, divisor),
        smooth=(anywhere, anywhere, nonzero),
        accuracy=within(4, "a quotient, a product and a sum", scale=lambda x, y, z: x + 2 * y / z),
    ),
    _ternary(
        "lerp",
        lambda x, y, weight: x + weight * (y - x),
        dtypes=FLOATS,
        prepare=modest,
        smooth=anywhere,
        accuracy=within(
            4,
            "a difference, a product and a sum, from either end",
            scale=lambda x, y, weight: (x + y) * (1 + weight),
        ),
    ),
)


POINTWISE = table(*UNARY, *BINARY, *TERNARY)
