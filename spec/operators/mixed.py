"""The rows of point-wise operators that compare, shift bits, or mix kinds of numbers."""

from __future__ import annotations

import operator as symbols
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, layouts, regimes, seeds
from tenet.spec.model.dtypes import ALL, BOOL, COMPLEX, FLOATS, INTEGERS
from tenet.spec.operators.domains import anywhere, clipped, modest, nonzero, of_size, positive
from tenet.spec.operators.operator import (
    Array,
    Call,
    Indices,
    Mask,
    Operator,
    as_is,
    boolean,
    exact,
    n_ary,
    table,
    unary,
    within,
)
from tenet.spec.operators.pointwise import ELEMENTARY, LOOSE

REAL = FLOATS + INTEGERS
SINGLE = ("float32", "float64")


def _chosen() -> st.SearchStrategy[Call]:
    """A mask and two operands that broadcast."""
    return st.builds(
        lambda group, lying, layout, other, regime, seed: Call(
            (Mask(group[0], seed, lying), Operand(group[1], layout, regime, seed),
             Operand(group[2], other, regime, seed + 7))
        ),
        broadcast_shapes(3), layouts(writable=True), layouts(), layouts(), regimes(finite=False),
        seeds(),
    )  # fmt: skip


def _exponents() -> st.SearchStrategy[Call]:
    """Floats, and as many integer exponents: 2 to their power has the default dtype, which a 0-d
    operand of another would not change."""
    return st.builds(
        lambda call, layout, seed: Call(
            (*call.operands, Indices(call.operands[0].shape, -8, 9, seed, layout=layout))
        ),
        unary(), layouts(writable=True), seeds(),
    )  # fmt: skip


def _pairs() -> st.SearchStrategy[Call]:
    """Two operands of one shape."""

    def both(call: Call, layout: str, seed: int) -> Call:
        first = call.operands[0]
        return Call((first, Operand(first.shape, layout, first.regime, seed)))

    return st.builds(both, unary(), layouts(), seeds())


def real_of(dtype: str) -> str:
    """The dtype of a complex number's parts; the default dtype for integers."""
    return {"complex64": "float32", "complex128": "float64"}.get(
        dtype, dtype if dtype in FLOATS else "float32"
    )


def complex_of(dtype: str) -> str:
    """The complex dtype that has such parts."""
    return "complex64" if dtype == "float32" else "complex128"


def _double(dtype: str) -> str:
    return "float64"


def _angle(x: Array) -> Array:
    if np.iscomplexobj(x):
        return np.asarray(np.arctan2(x.imag, x.real))
    turned = np.where(x < 0, np.arctan2(np.longdouble(0), np.longdouble(-1)), np.longdouble(0))
    return np.where(np.isnan(x), x, turned)


def _complex(real: Array, imag: Array) -> Array:
    result = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
    result.real, result.imag = real, imag
    return result


def _polar(size: Array, angle: Array) -> Array:
    return _complex(size * np.cos(angle), size * np.sin(angle))


def _whole(low: int, count: int) -> Callable[[Array], Array]:
    return lambda x: np.asarray(low + x % count)


def _power(x: Array, y: Array) -> Array:
    return np.power(x.astype(np.longdouble), y.astype(np.longdouble))


def _sized(x: Array) -> Array:
    return x % 7 + 1 if x.dtype.kind in "iu" else of_size(0.01, 100)(x)


def _small(x: Array) -> Array:
    return x % 5 if x.dtype.kind in "iu" else np.clip(modest(x), -4, 4)


def _row(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    given: dict[str, Any] = {"section": "elementwise", "calls": n_ary(2), "broadcasts": True}
    return Operator(name=name, reference=reference, **{**given, **row})


def _comparison(name: str, reference: Callable[..., Any], alias: str, **row: Any) -> Operator:
    return _row(name, reference, aliases=(alias,) if alias else (), result=boolean,
                **{"dtypes": REAL + BOOL, **row})  # fmt: skip


MIXED = table(
    _comparison("eq", np.equal, "", dtypes=ALL, symbol=symbols.eq),
    _comparison("ne", np.not_equal, "not_equal", dtypes=ALL, symbol=symbols.ne),
    _comparison("lt", np.less, "less", symbol=symbols.lt),
    _comparison("le", np.less_equal, "less_equal", symbol=symbols.le),
    _comparison("gt", np.greater, "greater", symbol=symbols.gt),
    _comparison("ge", np.greater_equal, "greater_equal", symbol=symbols.ge),
    _row("isreal", np.isreal, calls=unary(), any_input=True, dtypes=COMPLEX + FLOATS,
         result=boolean, in_place=False, out=False),
    _row("where", np.where, calls=_chosen(), dtypes=ALL, smooth=anywhere, method=False,
         in_place=False),
    _row("bitwise_left_shift", np.left_shift, dtypes=INTEGERS, refuses=("float32",),
         prepare=(_whole(0, 8), _whole(0, 5)), symbol=symbols.lshift),
    _row("bitwise_right_shift", np.right_shift, dtypes=INTEGERS, refuses=("float32",),
         prepare=(as_is, _whole(0, 7)),
         symbol=symbols.rshift),
    _row("nextafter", np.nextafter, dtypes=SINGLE, native=True),
    # No derivative: that of 2.13 is 0 where the exponent is negative (pytorch issue 187460).
    _row("ldexp", lambda x, k: np.ldexp(x, k.astype(np.int32)), dtypes=SINGLE,
         calls=_exponents(), prepare=modest, accuracy=ELEMENTARY),
    _row("float_power", _power, dtypes=REAL, calls=n_ary(2, finite=True), result=_double,
         prepare=(_sized, _small), smooth=positive, accuracy=LOOSE),
    _row("angle", _angle, calls=unary(), dtypes=SINGLE + INTEGERS + COMPLEX, result=real_of,
         prepare=nonzero, smooth=nonzero, accuracy=ELEMENTARY, in_place=False),
    _row("conj_physical", np.conj, calls=unary(), dtypes=COMPLEX),
    _row("complex", _complex, calls=_pairs(), dtypes=SINGLE, result=complex_of, accuracy=exact,
         broadcasts=False, refuses=("int64",), method=False, in_place=False),
    _row("polar", _polar, calls=_pairs(), dtypes=SINGLE, result=complex_of, method=False,
         broadcasts=False, refuses=("int64",), in_place=False, prepare=(modest, clipped(-10, 10)),
         accuracy=within(4, "a function and a product in either part")),
)  # fmt: skip
"""Those that make other dtypes of what they are given; comparisons among them."""
