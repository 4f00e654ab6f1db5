"""The documented methods that end in an underscore, and functions with out=, as data.

Each row names a target, the arguments, and what NumPy says the target has to hold afterwards.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from math import erf, erfc, lgamma, pi, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.model.dtypes import ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NUMERIC, REAL

Array = np.ndarray
Act = Callable[[Any, Any], Any]


class Operation(NamedTuple):
    """An operation of two operands that has an exact answer.

    dtypes: those for which NumPy's answer is the only right one; spellings: every way to write
    the result into the first operand, each returning what the expression gives; function: the
    torch function of the same name that takes out=.
    """

    reference: Callable[[Array, Array], Array]
    dtypes: tuple[str, ...]
    spellings: dict[str, Act]
    function: str | None = None


def _methods(*names: str, **keywords: Any) -> dict[str, Act]:
    def act(name: str) -> Act:
        return lambda x, y: getattr(x, name)(y, **keywords)

    return {name: act(name) for name in names}


BITS = (*BOOL, *INTEGERS)
TIMES = (*BOOL, *INTEGERS, *FLOATS)

BINARY: dict[str, Operation] = {
    "add": Operation(np.add, ALL, {**_methods("add_"), "+=": operator.iadd}, "add"),
    "sub": Operation(
        np.subtract,
        NUMERIC,
        {**_methods("sub_", "subtract_"), "-=": operator.isub},
        "sub",
    ),
    "add alpha": Operation(lambda x, y: x + y + y, (*INTEGERS,), _methods("add_", alpha=2)),
    "sub alpha": Operation(lambda x, y: x - y - y, (*INTEGERS[:1],), _methods("sub_", alpha=2)),
    "mul": Operation(
        np.multiply, TIMES, {**_methods("mul_", "multiply_"), "*=": operator.imul}, "mul"
    ),
    "div": Operation(
        np.true_divide,
        FLOATS,
        {**_methods("div_", "divide_", "true_divide_"), "/=": operator.itruediv},
        "div",
    ),
    "bitwise and": Operation(
        np.bitwise_and, BITS, {**_methods("bitwise_and_"), "&=": operator.iand}, "bitwise_and"
    ),
    "bitwise or": Operation(
        np.bitwise_or, BITS, {**_methods("bitwise_or_"), "|=": operator.ior}, "bitwise_or"
    ),
    "bitwise xor": Operation(
        np.bitwise_xor, BITS, {**_methods("bitwise_xor_"), "^=": operator.ixor}, "bitwise_xor"
    ),
    "logical and": Operation(np.logical_and, REAL, _methods("logical_and_")),
    "logical or": Operation(np.logical_or, REAL, _methods("logical_or_")),
    "logical xor": Operation(np.logical_xor, REAL, _methods("logical_xor_")),
    "copy": Operation(lambda x, y: np.broadcast_to(y, x.shape), ALL, _methods("copy_")),
}  # fmt: skip

# Operations of two operands of which the second must be positive, or small.
BY_POSITIVE: dict[str, Operation] = {
    "floor divide": Operation(
        np.floor_divide, INTEGERS, {**_methods("floor_divide_"), "//=": operator.ifloordiv},
        "floor_divide",
    ),
    "div floor": Operation(np.floor_divide, INTEGERS, _methods("div_", rounding_mode="floor")),
    "div trunc": Operation(
        lambda x, y: np.trunc(x / y), INTEGERS, _methods("div_", "divide_", rounding_mode="trunc")
    ),
    "remainder": Operation(
        np.remainder, INTEGERS, {**_methods("remainder_"), "%=": operator.imod}, "remainder"
    ),
    "fmod": Operation(np.fmod, INTEGERS, _methods("fmod_"), "fmod"),
    "gcd": Operation(np.gcd, INTEGERS, _methods("gcd_"), "gcd"),
    "lcm": Operation(np.lcm, INTEGERS, _methods("lcm_"), "lcm"),
    "pow": Operation(
        np.power, INTEGERS, {**_methods("pow_"), "**=": operator.ipow}, "pow"
    ),
    "left shift": Operation(
        np.left_shift, INTEGERS, {**_methods("bitwise_left_shift_"), "<<=": operator.ilshift},
        "bitwise_left_shift",
    ),
    "right shift": Operation(
        np.right_shift, INTEGERS, {**_methods("bitwise_right_shift_"), ">>=": operator.irshift},
        "bitwise_right_shift",
    ),
}  # fmt: skip


class Unary(NamedTuple):
    """An operation of one operand that has an exact answer."""

    reference: Callable[[Array], Array]
    dtypes: tuple[str, ...]
    spellings: tuple[str, ...]
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}  # noqa: RUF012 - never changed


SIGNED = tuple(name for name in INTEGERS if name != "uint8")


def _nan_to_num(x: Array) -> Array:
    filled = np.where(np.isnan(x), 0.5, x)
    return np.where(filled == np.inf, 2, np.where(filled == -np.inf, -2, filled)).astype(x.dtype)


UNARY: dict[str, Unary] = {
    "abs": Unary(np.abs, (*INTEGERS, *FLOATS), ("abs_", "absolute_")),
    "neg": Unary(np.negative, (*SIGNED, *FLOATS), ("neg_", "negative_")),
    "square": Unary(lambda x: x * x, FLOATS, ("square_",)),
    "ceil": Unary(np.ceil, FLOATS, ("ceil_",)),
    "floor": Unary(np.floor, FLOATS, ("floor_",)),
    "trunc": Unary(np.trunc, FLOATS, ("trunc_", "fix_")),
    "round": Unary(np.rint, FLOATS, ("round_",)),
    "logical not": Unary(np.logical_not, ALL, ("logical_not_",)),
    "bitwise not": Unary(np.invert, BITS, ("bitwise_not_",)),
    "conj": Unary(np.conj, COMPLEX, ("conj_physical_",)),
    "clamp": Unary(lambda x: np.clip(x, x.dtype.type(1), x.dtype.type(2)), (*INTEGERS, *FLOATS),
                   ("clamp_", "clip_"), (1, 2)),
    "clamp min": Unary(lambda x: np.maximum(x, x.dtype.type(1)), (*INTEGERS, *FLOATS),
                       ("clamp_", "clip_"), (), {"min": 1}),
    "clamp max": Unary(lambda x: np.minimum(x, x.dtype.type(2)), (*INTEGERS, *FLOATS),
                       ("clamp_", "clip_"), (), {"max": 2}),
    "clamp_min": Unary(lambda x: np.maximum(x, x.dtype.type(1)), (*INTEGERS, *FLOATS),
                       ("clamp_min_",), (1,)),
    "clamp_max": Unary(lambda x: np.minimum(x, x.dtype.type(2)), (*INTEGERS, *FLOATS),
                       ("clamp_max_",), (2,)),
    "nan to num": Unary(_nan_to_num, FLOATS, ("nan_to_num_",), (0.5, 2.0, -2.0)),
    "fill": Unary(lambda x: np.full_like(x, 1), ALL, ("fill_",), (1,)),
    "zero": Unary(np.zeros_like, ALL, ("zero_",)),
    "add number": Unary(lambda x: x + x.dtype.type(1), FLOATS, ("add_", "__iadd__"), (1,)),
    "subtract number": Unary(lambda x: x - x.dtype.type(1), FLOATS,
                             ("sub_", "subtract_", "__isub__"), (1,)),
    "multiply number": Unary(lambda x: x * x.dtype.type(0.5), FLOATS,
                             ("mul_", "multiply_", "__imul__"), (0.5,)),
    "divide number": Unary(lambda x: x / x.dtype.type(4), FLOATS,
                           ("div_", "divide_", "true_divide_", "__itruediv__"), (4,)),
    "power number": Unary(lambda x: x * x, INTEGERS, ("pow_", "__ipow__"), (2,)),
    "left shift number": Unary(lambda x: x << x.dtype.type(1), INTEGERS,
                               ("bitwise_left_shift_", "__ilshift__"), (1,)),
    "and number": Unary(lambda x: x & x.dtype.type(3), INTEGERS,
                        ("bitwise_and_", "__iand__"), (3,)),
    "or number": Unary(lambda x: x | x.dtype.type(3), INTEGERS, ("bitwise_or_", "__ior__"), (3,)),
    "xor number": Unary(lambda x: x ^ x.dtype.type(3), INTEGERS, ("bitwise_xor_", "__ixor__"),
                        (3,)),
    "remainder number": Unary(lambda x: x % x.dtype.type(7), INTEGERS,
                              ("remainder_", "__imod__"), (7,)),
    "floor divide number": Unary(lambda x: x // x.dtype.type(7), INTEGERS,
                                 ("floor_divide_", "__ifloordiv__"), (7,)),
    "right shift number": Unary(lambda x: x >> x.dtype.type(2), INTEGERS,
                                ("bitwise_right_shift_", "__irshift__"), (2,)),
    "equal": Unary(lambda x: x == 1, ALL, ("eq_",), (1,)),
    "less": Unary(lambda x: x < 1, REAL, ("lt_", "less_"), (1,)),
}  # fmt: skip

APPLICABLE = [
    (name, dtype)
    for name, operation in {**BINARY, **BY_POSITIVE}.items()
    for dtype in operation.dtypes
]
"""Operations of two operands, with their dtypes."""

WITH_OUT = [(name, dtype) for name, dtype in APPLICABLE if {**BINARY, **BY_POSITIVE}[name].function]

ONE = [(name, dtype) for name, unary in UNARY.items() for dtype in unary.dtypes]


ELEMENTARY: tuple[tuple[tuple[str, ...], Callable[[float], float], float, float], ...] = (
    (("exp_",), np.exp, -3, 3),
    (("exp2_",), np.exp2, -3, 3),
    (("expm1_",), np.expm1, -1, 2),
    (("log_",), np.log, 0.1, 9),
    (("log2_",), np.log2, 0.1, 9),
    (("log10_",), np.log10, 0.1, 9),
    (("log1p_",), np.log1p, -0.5, 5),
    (("sin_",), np.sin, -3, 3),
    (("cos_",), np.cos, -3, 3),
    (("tan_",), np.tan, -1.2, 1.2),
    (("asin_", "arcsin_"), np.arcsin, -0.9, 0.9),
    (("acos_", "arccos_"), np.arccos, -0.9, 0.9),
    (("atan_", "arctan_"), np.arctan, -4, 4),
    (("sinh_",), np.sinh, -2, 2),
    (("cosh_",), np.cosh, -2, 2),
    (("tanh_",), np.tanh, -2, 2),
    (("asinh_", "arcsinh_"), np.arcsinh, -2, 2),
    (("acosh_", "arccosh_"), np.arccosh, 1.5, 9),
    (("atanh_", "arctanh_"), np.arctanh, -0.8, 0.8),
    (("sigmoid_",), lambda x: 1 / (1 + np.exp(-x)), -4, 4),
    (("erf_",), erf, -2, 2),
    (("erfc_",), erfc, -2, 2),
    (("sqrt_",), np.sqrt, 0, 9),
    (("rsqrt_",), lambda x: 1 / np.sqrt(x), 0.1, 9),
    (("reciprocal_",), lambda x: 1 / x, 0.1, 9),
    (("deg2rad_",), np.deg2rad, -180, 180),
    (("rad2deg_",), np.rad2deg, -3, 3),
    (("sinc_",), np.sinc, -1.4, 1.4),
    (("frac_",), lambda x: x - np.trunc(x), -4, 4),
    (("sign_", "sgn_"), np.sign, -2, 2),
    (("relu_",), lambda x: max(x, 0.0), -2, 2),
)
"""Spellings, the function, and the interval on which it is well conditioned."""

EXACT = ("float32", "int64", "float64", "int32", "int16", *FLOATS[2:])
REALS = ("float32", "float64")
WHOLE = ("int64", "int32", "int16")

X = np.array([[4, 1, 3], [2, 5, 0], [7, 6, 8]])
Y = np.array([[1.0, 2, 0], [3, 1, 2], [2, 0, 1]])
Z = np.array([[2.0, 1, 1], [0, 3, 1], [1, 2, 2]])
P = np.array([[2.0, 4, 1], [1, 2, 4], [4, 1, 2]])
MASK = np.array([[True, False, True], [False, False, True], [True, True, False]])
INDEX = np.array([2, 0])
SCATTER = np.array([[0, 2, 1], [2, 0, 0]])
BATCH = np.stack([X, X.T])
BATCHES = (np.stack([Y, Z]), np.stack([Z, Y]))


@dataclass(frozen=True)
class Change:
    """What `target.spelling(*arguments, **keywords)` turns the target into.

    Floating-point arrays among the arguments become tensors of the target's dtype, integer and
    bool ones indices and masks. The reference takes the target as float64.
    """

    spelling: str
    arguments: tuple[Any, ...]
    reference: Callable[[Array], Array]
    keywords: dict[str, Any] = field(default_factory=dict)
    target: Array = field(default_factory=X.copy)
    dtypes: tuple[str, ...] = EXACT


def _assigned(index: Any, value: Any) -> Callable[[Array], Array]:
    def assign(x: Array) -> Array:
        x[index] = value
        return x

    return assign


def _at(ufunc: np.ufunc, index: Any, value: Any) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        ufunc.at(x, index, value)
        return x

    return apply


def _diagonal(x: Array) -> Array:
    np.fill_diagonal(x, 9)
    return x


ROWS, COLUMNS = np.arange(2)[:, None], np.arange(3)[None]
FLAT = np.array([0, 4, 4, 8])
TALL = np.concatenate([X, Y, Z])

CHANGES: tuple[Change, ...] = (
    Change("addcmul_", (Y, Z), lambda x: x + Y * Z),
    Change("addcmul_", (Y, Z), lambda x: x + 2 * Y * Z, {"value": 2}),
    Change("addcdiv_", (Y, P), lambda x: x + Y / P, dtypes=FLOATS),
    Change("addcdiv_", (Y, P), lambda x: x + 2 * Y / P, {"value": 2}, dtypes=FLOATS),
    Change("lerp_", (Y, 0.5), lambda x: x + 0.5 * (Y - x), dtypes=FLOATS),
    Change("lerp_", (Y, np.full((3, 3), 0.5)), lambda x: x + 0.5 * (Y - x), dtypes=FLOATS),
    Change("addmm_", (Y, Z), lambda x: x + Y @ Z, dtypes=REALS),
    Change("addmm_", (Y, Z), lambda x: 2 * x + 3 * (Y @ Z), {"beta": 2, "alpha": 3}, dtypes=REALS),
    Change("addmv_", (Y, Z[0]), lambda x: x + Y @ Z[0], target=X[0], dtypes=REALS),
    Change("addr_", (Y[0], Z[0]), lambda x: x + np.outer(Y[0], Z[0]), dtypes=REALS),
    Change("addbmm_", BATCHES, lambda x: x + (BATCHES[0] @ BATCHES[1]).sum(0), dtypes=REALS),
    Change("baddbmm_", BATCHES, lambda x: x + BATCHES[0] @ BATCHES[1], target=BATCH, dtypes=REALS),
    Change("cumsum_", (0,), lambda x: x.cumsum(0)),
    Change("cumsum_", (), lambda x: x.cumsum(1), {"dim": -1}),
    Change("cumprod_", (1,), lambda x: x.cumprod(1), dtypes=("float32", "int64", "float64")),
    Change("tril_", (), np.tril),
    Change("tril_", (-1,), lambda x: np.tril(x, -1)),
    Change("triu_", (1,), lambda x: np.triu(x, 1)),
    Change("triu_", (), lambda x: np.triu(x, -1), {"diagonal": -1}),
    Change("round_", (), lambda x: np.round(x, -1), {"decimals": -1}, target=4 * X + 2,
           dtypes=FLOATS),
    Change("fill_diagonal_", (9,), _diagonal),
    Change("fill_diagonal_", (9,), _diagonal, target=TALL),
    Change("masked_fill_", (MASK, 9), _assigned(MASK, 9)),
    Change("masked_fill_", (MASK[1], 9), _assigned((slice(None), MASK[1]), 9)),
    Change("masked_fill_", (MASK, np.array(9.0)), _assigned(MASK, 9)),
    Change("masked_scatter_", (MASK, Y), _assigned(MASK, Y.ravel()[:5])),
    Change("index_fill_", (0, INDEX, 9), _assigned(INDEX, 9)),
    Change("index_fill_", (-1, INDEX, 9), _assigned((slice(None), INDEX), 9)),
    Change("index_copy_", (0, INDEX, Y[:2]), _assigned(INDEX, Y[:2])),
    Change("index_copy_", (1, INDEX, Y[:, :2]), _assigned((slice(None), INDEX), Y[:, :2])),
    Change("index_add_", (0, INDEX, Y[:2]), _at(np.add, INDEX, Y[:2])),
    Change("index_add_", (0, INDEX, Y[:2]), _at(np.add, INDEX, 2 * Y[:2]), {"alpha": 2}),
    Change("index_add_", (0, np.array([1, 1, 1]), Y), _at(np.add, np.array([1, 1, 1]), Y)),
    Change("index_put_", ((INDEX, INDEX), Y[0, :2]), _assigned((INDEX, INDEX), Y[0, :2])),
    Change("index_put_", ((np.array([1, 1]),), Y[:2]), _at(np.add, np.array([1, 1]), Y[:2]),
           {"accumulate": True}),
    Change("scatter_", (0, SCATTER, Y), _assigned((SCATTER, COLUMNS), Y[:2])),
    Change("scatter_", (1, SCATTER, 9), _assigned((ROWS, SCATTER), 9)),
    Change("scatter_add_", (1, SCATTER, Y), _at(np.add, (ROWS, SCATTER), Y[:2])),
    Change("scatter_reduce_", (1, SCATTER, Y, "amax"), _at(np.maximum, (ROWS, SCATTER), Y[:2])),
    Change("scatter_reduce_", (1, SCATTER, Y, "sum"), _at(np.add, (ROWS, SCATTER), Y[:2])),
    Change("put_", (FLAT[[0, 1, 3]], Y[0]), lambda x: _assigned(FLAT[[0, 1, 3]], Y[0])(
        x.ravel()).reshape(3, 3)),
    Change("put_", (FLAT, np.array([1.0, 2, 3, 4])), lambda x: _at(
        np.add, FLAT, [1, 2, 3, 4])(x.ravel()).reshape(3, 3), {"accumulate": True}),
    Change("clamp_", (Y, P + 2), lambda x: np.clip(x, Y, P + 2)),
    Change("clip_", (), lambda x: np.minimum(x, Y), {"max": Y}),
    Change("heaviside_", (Y,), lambda x: np.heaviside(x, Y)),
    Change("nextafter_", (Y,), lambda x: np.nextafter(
        x.astype(np.float32), Y.astype(np.float32)), dtypes=("float32",)),
    Change("nextafter_", (Y,), lambda x: np.nextafter(x, Y), dtypes=("float64",)),
    Change("copysign_", (Y - 1.5,), lambda x: np.copysign(x, Y - 1.5), dtypes=FLOATS),
    Change("ldexp_", (Y,), lambda x: x * 2**Y, dtypes=FLOATS),
    Change("fmod_", (P + 1,), lambda x: np.fmod(x, P + 1)),
    Change("remainder_", (P + 1,), lambda x: np.remainder(x, P + 1)),
    Change("remainder_", (-P - 1,), lambda x: np.remainder(x, -P - 1), dtypes=WHOLE),
    Change("floor_divide_", (P,), lambda x: x // P),
    Change("div_", (P,), lambda x: x // P, {"rounding_mode": "floor"}),
    Change("div_", (-P,), lambda x: np.trunc(x / -P), {"rounding_mode": "trunc"}, dtypes=WHOLE),
    Change("sub_", (Y,), lambda x: x - 2 * Y, {"alpha": 2}),
    Change("add_", (Y,), lambda x: x - 3 * Y, {"alpha": -3}),
    Change("mul_", (3,), lambda x: 3 * x),
    Change("mul_", (2,), lambda x: 2 * x, dtypes=INTEGERS),
    Change("__imul__", (2,), lambda x: 2 * x, dtypes=INTEGERS),
    Change("add_", (3,), lambda x: x + 3, dtypes=INTEGERS),
    Change("add_", (3,), lambda x: x + 6, {"alpha": 2}),
    Change("__iadd__", (3,), lambda x: x + 3, dtypes=INTEGERS),
    Change("sub_", (1,), lambda x: x - 1, target=X + 1, dtypes=INTEGERS),
    Change("__isub__", (1,), lambda x: x - 1, target=X + 1, dtypes=INTEGERS),
    Change("__ilshift__", (2,), lambda x: x * 4, dtypes=INTEGERS),
    Change("__ipow__", (2,), lambda x: x * x, dtypes=INTEGERS),
    Change("pow_", (2,), lambda x: x * x, dtypes=WHOLE),
    Change("nan_to_num_", (), lambda x: x),
)  # fmt: skip

HALVES = np.array([1.0, 2, 3, 4, 5])
EULER = 0.57721566490153286061


def _digamma(x: Array) -> Array:
    return np.array([sum(1 / k for k in range(1, int(n))) - EULER for n in x])


def _trigamma(x: Array) -> Array:
    return np.array([pi**2 / 6 - sum(1 / k**2 for k in range(1, int(n))) for n in x])


DERIVED: tuple[Change, ...] = tuple(
    # trigamma is a single-precision approximation even in float64, as far as the documents say
    Change(spelling, arguments, reference, target=target,
           dtypes=REALS[:1] if spelling == "polygamma_" else REALS)
    for spelling, arguments, reference, target in (
        ("digamma_", (), _digamma, HALVES),
        ("polygamma_", (1,), _trigamma, HALVES),
        ("lgamma_", (), np.vectorize(lgamma, [np.float64]), HALVES + 2),
        ("mvlgamma_", (2,), lambda x: np.array(
            [0.5 * np.log(pi) + lgamma(n) + lgamma(n - 0.5) for n in x]), HALVES + 1),
        ("igamma_", (HALVES,), lambda x: -np.expm1(-HALVES), np.ones(5)),
        ("igammac_", (HALVES,), lambda x: np.exp(-HALVES), np.ones(5)),
        ("erfinv_", (), lambda x: np.array(
            [NormalDist().inv_cdf((n + 1) / 2) / sqrt(2) for n in x]), HALVES / 8 - 0.25),
        ("i0_", (), np.i0, HALVES / 2),
        ("logit_", (), lambda x: np.log(x / (1 - x)), HALVES / 8),
        ("atan2_", (HALVES,), lambda x: np.arctan2(x, HALVES), HALVES[::-1] - 2.5),
        ("arctan2_", (HALVES,), lambda x: np.arctan2(x, HALVES), HALVES[::-1] - 2.5),
        ("hypot_", (HALVES,), lambda x: np.hypot(x, HALVES), HALVES[::-1]),
        ("xlogy_", (HALVES,), lambda x: x * np.log(HALVES), HALVES[::-1]),
        ("pow_", (2.5,), lambda x: x**2.5, HALVES),
        ("__ipow__", (3,), lambda x: x**3, HALVES),
        ("__ipow__", (-1,), lambda x: 1 / x, HALVES),
        ("pow_", (-2,), lambda x: x**-2, HALVES),
        ("renorm_", (2, 0, 3.0), lambda x: x * np.minimum(
            1, 3 / (np.sqrt((x * x).sum(1, keepdims=True)) + 1e-7)), X.astype(np.float64)),
    )
)  # fmt: skip

V, W = np.array([3.0, 1, 2]), np.array([1.0, 4, 2])
XF = X.astype(np.float64)

FUNCTIONS: tuple[tuple[str, tuple[Any, ...], dict[str, Any], Any], ...] = (
    # function, arguments, keyword arguments, what has to stand in out
    ("abs", (-XF,), {}, XF),
    ("neg", (XF,), {}, -XF),
    ("square", (XF,), {}, XF * XF),
    ("sign", (Y - 1,), {}, np.sign(Y - 1)),
    ("floor", (XF / 4,), {}, np.floor(XF / 4)),
    ("ceil", (XF / 4,), {}, np.ceil(XF / 4)),
    ("round", (XF / 4,), {}, np.rint(XF / 4)),
    ("trunc", (-XF / 4,), {}, np.trunc(-XF / 4)),
    ("sqrt", (XF * XF,), {}, XF),
    ("clamp", (XF, 2, 5), {}, np.clip(XF, 2, 5)),
    ("add", (XF, Y), {"alpha": 2}, XF + 2 * Y),
    ("add", (XF, 1.5), {}, XF + 1.5),
    ("sub", (XF, Y), {"alpha": 3}, XF - 3 * Y),
    ("mul", (XF, Y[0]), {}, XF * Y[0]),
    ("true_divide", (XF, P), {}, XF / P),
    ("div", (XF, P), {"rounding_mode": "floor"}, XF // P),
    ("floor_divide", (XF, P), {}, XF // P),
    ("fmod", (-XF, P), {}, np.fmod(-XF, P)),
    ("remainder", (-XF, P), {}, np.remainder(-XF, P)),
    ("maximum", (XF, P), {}, np.maximum(XF, P)),
    ("minimum", (XF, P), {}, np.minimum(XF, P)),
    ("eq", (XF, P), {}, np.equal(XF, P)),
    ("lt", (XF, P), {}, np.less(XF, P)),
    ("logical_and", (Y, Z), {}, np.logical_and(Y, Z)),
    ("logical_not", (Y,), {}, np.logical_not(Y)),
    ("isposinf", (XF,), {}, np.zeros((3, 3), bool)),
    ("where", (MASK, XF, Y), {}, np.where(MASK, XF, Y)),
    ("lerp", (XF, Y, 0.5), {}, XF + 0.5 * (Y - XF)),
    ("addcmul", (XF, Y, Z), {"value": 2}, XF + 2 * Y * Z),
    ("sum", (XF, 0), {}, XF.sum(0)),
    ("sum", (XF, 1, True), {}, XF.sum(1, keepdims=True)),
    ("mean", (4 * XF[:, :2], 1), {}, (4 * XF[:, :2]).mean(1)),
    ("prod", (XF, 0), {}, XF.prod(0)),
    ("amax", (XF, 1), {}, XF.max(1)),
    ("argmax", (XF, 1), {}, XF.argmax(1)),
    ("all", (Y == 0, 1), {}, (Y == 0).all(1)),
    ("any", (Y == 0, 1), {}, (Y == 0).any(1)),
    ("cumsum", (XF, 1), {}, XF.cumsum(1)),
    ("cumprod", (XF, 0), {}, XF.cumprod(0)),
    ("max", (XF, 1), {}, (XF.max(1), XF.argmax(1))),
    ("min", (XF, 0), {}, (XF.min(0), XF.argmin(0))),
    ("sort", (V,), {}, (np.sort(V), np.argsort(V))),
    ("topk", (V, 2), {}, (np.array([3.0, 2]), np.array([0, 2]))),
    ("matmul", (XF, Y), {}, XF @ Y),
    ("mm", (XF, Y), {}, XF @ Y),
    ("mv", (XF, V), {}, XF @ V),
    ("bmm", (BATCHES[0], BATCHES[1]), {}, BATCHES[0] @ BATCHES[1]),
    ("dot", (V, W), {}, np.asarray(V @ W)),
    ("outer", (V, W), {}, np.outer(V, W)),
    ("addmm", (XF, Y, Z), {}, XF + Y @ Z),
    ("cat", ((XF, Y),), {}, np.concatenate([XF, Y])),
    ("cat", ((XF, Y), 1), {}, np.concatenate([XF, Y], 1)),
    ("stack", ((XF, Y),), {"dim": 1}, np.stack([XF, Y], 1)),
    ("index_select", (XF, 1, INDEX), {}, XF[:, INDEX]),
    ("gather", (XF, 1, SCATTER), {}, np.take_along_axis(XF[:2], SCATTER, 1)),
    ("take", (XF, FLAT), {}, XF.ravel()[FLAT]),
    ("masked_select", (XF, MASK), {}, XF[MASK]),
    ("nonzero", (Y,), {}, np.argwhere(Y)),
    ("searchsorted", (np.sort(V), XF), {}, np.searchsorted(np.sort(V), XF)),
    (
        "searchsorted",
        (np.sort(V), XF),
        {"right": True, "out_int32": True},
        np.searchsorted(np.sort(V), XF, "right").astype(np.int32),
    ),
    (
        "searchsorted",
        (np.sort(XF), Y),
        {"side": "right"},
        np.stack(
            [
                np.searchsorted(row, asked, "right")
                for row, asked in zip(np.sort(XF), Y, strict=True)
            ]
        ),
    ),
    ("searchsorted", (V, XF), {"sorter": np.argsort(V)}, np.searchsorted(np.sort(V), XF)),
    ("bucketize", (XF, np.sort(V)), {}, np.searchsorted(np.sort(V), XF)),
    ("histc", (XF, 4, 0, 8), {}, np.histogram(XF, 4, (0, 8))[0].astype(np.float64)),
    ("frexp", (XF,), {}, (np.frexp(XF)[0], np.frexp(XF)[1].astype(np.int32))),
    ("cross", (XF, Y), {"dim": 1}, np.cross(XF, Y)),
    ("linalg.cross", (XF, Y), {}, np.cross(XF, Y)),
    ("linalg.matrix_power", (Y, 3), {}, Y @ Y @ Y),
    ("linalg.multi_dot", ((XF, Y, Z),), {}, XF @ Y @ Z),
    ("linalg.solve_triangular", (np.triu(P), np.triu(P) @ Y), {"upper": True}, Y),
    (
        "index_reduce",
        (XF, 0, INDEX, Y[:2], "amax"),
        {},
        np.maximum(XF, np.stack([Y[1], np.full(3, -np.inf), Y[0]])),
    ),
    # Not narrow_copy: PyTorch 2.13 writes to a transposed destination as if it were contiguous.
    ("logspace", (0, 4, 5, 2.0), {}, 2.0 ** np.arange(5)),
    ("tril", (XF,), {}, np.tril(XF)),
    ("triu", (XF, 1), {}, np.triu(XF, 1)),
    ("diag", (V,), {}, np.diag(V)),
    ("arange", (1.0, 9.0, 2.0), {}, np.arange(1.0, 9, 2)),
    ("linspace", (0, 4, 5), {}, np.arange(5.0)),
    ("zeros", (2, 3), {}, np.zeros((2, 3))),
    ("ones", ((2, 3),), {}, np.ones((2, 3))),
    ("full", ((2, 3), 7.0), {}, np.full((2, 3), 7.0)),
    ("eye", (3,), {}, np.eye(3)),
)
