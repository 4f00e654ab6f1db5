"""The rows of activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, regimes, seeds
from tenet.spec.model.dtypes import FLOATS
from tenet.spec.model.special import ndtr
from tenet.spec.operators.domains import anywhere, apart_from, clipped, modest, nonzero
from tenet.spec.operators.operator import (
    Array,
    Call,
    Operator,
    exact,
    table,
    unary,
    with_arguments,
    within,
)
from tenet.spec.operators.pointwise import COMPOSED, LOOSE, loose, sigmoid
from tenet.spec.operators.reductions import exponential, softmax, tame, uses


def _softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    exact_value = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x * beta))) / beta
    return np.where(x * beta > threshold, x, exact_value)


def _gelu(x: Array, approximate: str = "none") -> Array:
    if approximate == "tanh":
        inner = np.sqrt(np.asarray(2, x.dtype) / np.pi) * (x + 0.044715 * x**3)
        return np.asarray(x * 0.5 * (1 + np.tanh(inner)))
    return np.asarray(x * ndtr(x))


_SCALE = np.longdouble("1.0507009873554804934193349852946")
_ALPHA = np.longdouble("1.6732632423543772848170429916717")


def _celu(x: Array, alpha: float = 1.0) -> Array:
    below = alpha * np.expm1(np.minimum(x, 0) / alpha)
    return np.asarray(np.maximum(x, 0) + np.minimum(0, below))


def _selu(x: Array) -> Array:
    return np.asarray(_SCALE * np.where(x > 0, x, _ALPHA * np.expm1(np.minimum(x, 0))))


def _mish(x: Array) -> Array:
    return np.asarray(x * np.tanh(np.log1p(np.exp(x))))


def _beyond(x: Array, lambd: float = 0.5) -> Array:
    """x outside [-lambd, lambd], and 0 inside; NaN stays."""
    return np.where(np.abs(x) <= lambd, 0, x)


def _shrunk(x: Array, lambd: float = 0.5) -> Array:
    return np.where(np.abs(x) <= lambd, 0, x - np.copysign(lambd, x))


def _threshold(x: Array, threshold: float, value: float) -> Array:
    return np.where(x <= threshold, value, x)


def _prelu(x: Array, weight: Array) -> Array:
    slope = weight.reshape((-1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else (1,) * x.ndim)
    return np.where(x > 0, x, slope * x)


def _glu(x: Array, dim: int = -1) -> Array:
    first, second = np.split(x, 2, axis=dim)
    return np.asarray(first * sigmoid(second))


def _softmin(x: Array, dim: int) -> Array:
    return softmax(-x, dim)


def _below(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Any:
    return exponential("softmax")(dtype, expected, (-arrays[0],), arguments)


# ------------------------------------------------------------------------------------- uses


def _slopes() -> st.SearchStrategy[Call]:
    """Inputs with one slope, or one for each channel, in dimension 1."""
    groups = [
        (shape, (count,))
        for shape in ((2, 3), (5,), (), (1, 1), (9, 17), (2, 3, 7), (2, 8, 3, 5), (3, 0), (1, 129),
                      (4, 33, 2), (1025,), (2, 3, 2, 1, 2))
        for count in ({1, shape[1]} if len(shape) > 1 else {1})
    ]  # fmt: skip
    return st.builds(
        lambda group, layout, other, regime, seed: Call(
            (Operand(group[0], layout, regime, seed), Operand(group[1], other, regime, seed))
        ),
        st.sampled_from(groups), layouts(), layouts(), regimes(), seeds(),
    )  # fmt: skip


def _halved() -> st.SearchStrategy[Call]:
    """Inputs of an even length along a dimension."""
    pool = [
        (shape, dim)
        for shape in ((2,), (2, 4), (4, 3), (8, 2, 3), (16,), (2, 18), (34, 2), (6, 0), (2050,),
                      (3, 130), (2, 3, 14, 2))
        for dim in range(-len(shape), len(shape))
        if shape[dim] % 2 == 0
    ]  # fmt: skip
    return st.builds(
        lambda use, layout, regime, seed: Call(
            (Operand(use[0], layout, regime, seed),), (("dim", use[1]),)
        ),
        st.sampled_from(pool), layouts(), regimes(), seeds(),
    )  # fmt: skip


# ------------------------------------------------------------------------------------- rows


def _row(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    given: dict[str, Any] = {
        "calls": unary(), "section": "elementwise", "dtypes": FLOATS, "accuracy": COMPOSED,
        "method": False, "in_place": False, "out": False, "any_input": True,
    }  # fmt: skip
    return Operator(name=f"nn.functional.{name}", reference=reference, **{**given, **row})


_SIX = clipped(-50, 50)
_WIDE = clipped(-1e4, 1e4)
_NORMAL = clipped(-80, 1e4)
"""Where e**x is a normal number, and x times it."""

ACTIVATIONS = table(
    _row("softplus", _softplus, smooth=anywhere, prepare=_NORMAL, accuracy=LOOSE),
    _row("silu", lambda x: x * sigmoid(x), smooth=anywhere, prepare=_NORMAL),
    _row("gelu", _gelu, calls=unary(max_size=2100), smooth=anywhere, prepare=_WIDE,
         accuracy=loose(lambda x: x)),
    _row("elu", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), smooth=nonzero),
    _row("celu", _celu, smooth=nonzero, calls=with_arguments(unary(), alpha=[1.0, 2.0, 0.5])),
    _row("selu", _selu, smooth=nonzero),
    _row("mish", _mish, smooth=anywhere, prepare=_NORMAL, accuracy=LOOSE),
    _row("leaky_relu", lambda x: np.where(x > 0, x, x * 0.01), smooth=nonzero),
    _row("prelu", _prelu, calls=_slopes(), smooth=nonzero, prepare=modest),
    _row("relu6", lambda x: np.clip(x, 0, 6), smooth=apart_from(0, 6), accuracy=exact),
    _row("hardtanh", lambda x: np.clip(x, -1, 1), smooth=apart_from(-1, 1), accuracy=exact),
    _row("hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, smooth=apart_from(-3, 3),
         once="its backward has no derivative in PyTorch",
         accuracy=within(4, "a sum and a quotient", half=2.5, scale=lambda x: x * 0 + 1)),
    _row("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, smooth=apart_from(-3, 3),
         prepare=modest, accuracy=within(4, "a sum, a product and a quotient", half=2.5,
                                         scale=lambda x: x)),
    _row("hardshrink", _beyond, smooth=apart_from(-0.5, 0.5), accuracy=exact,
         signed_zero=False),
    _row("softshrink", _shrunk, smooth=apart_from(-0.5, 0.5), accuracy=exact,
         signed_zero=False),
    _row("tanhshrink", lambda x: x - np.tanh(x), smooth=anywhere, prepare=_WIDE,
         accuracy=within(4, "a function and a difference", half=2.5, scale=lambda x: x)),
    _row("threshold", _threshold, smooth=apart_from(0.5), accuracy=exact,
         calls=with_arguments(unary(), threshold=[0.5], value=[2, -1])),
    _row("softsign", lambda x: x / (1 + np.abs(x)), smooth=nonzero, prepare=_WIDE),
    _row("logsigmoid", lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
         smooth=anywhere, prepare=_WIDE),
    _row("glu", _glu, calls=_halved(), any_input=False, smooth=anywhere, prepare=_SIX),
    _row("softmin", _softmin, any_input=False, prepare=tame, smooth=anywhere, accuracy=_below,
         calls=uses(whole=False, keepdim=False, at_least=1)),
)  # fmt: skip
"""Where one is piecewise, its derivative is asked for away from the kinks."""
