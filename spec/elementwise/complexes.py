"""Complex numbers, element by element."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, seeds, tensor_of, values
from tenet.spec.cases.layouts import arrange
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model.dtypes import COMPLEX, FORMATS
from tenet.spec.model.tolerance import ulps
from tenet.spec.operators.mixed import real_of

_Row = tuple[Callable[..., Any], Callable[..., Any], float]

_OF_ONE: dict[str, _Row] = {
    "exp": (lambda t, x: x.exp(), np.exp, 8),
    "log": (lambda t, x: x.log(), np.log, 8),
    "sqrt": (lambda t, x: x.sqrt(), np.sqrt, 8),
    "sin": (lambda t, x: t.sin(x), np.sin, 8),
    "cos": (lambda t, x: t.cos(x), np.cos, 8),
    "sinh": (lambda t, x: t.sinh(x), np.sinh, 8),
    "cosh": (lambda t, x: t.cosh(x), np.cosh, 8),
    "tan": (lambda t, x: t.tan(x), np.tan, 16),
    "tanh": (lambda t, x: t.tanh(x), np.tanh, 16),
    "asin": (lambda t, x: t.asin(x), np.arcsin, 16),
    "acos": (lambda t, x: t.acos(x), np.arccos, 16),
    "atan": (lambda t, x: t.atan(x), np.arctan, 16),
    "asinh": (lambda t, x: t.asinh(x), np.arcsinh, 16),
    "acosh": (lambda t, x: t.acosh(x), np.arccosh, 16),
    "atanh": (lambda t, x: t.atanh(x), np.arctanh, 16),
    "expm1": (lambda t, x: t.expm1(x), np.expm1, 8),
    "log2": (lambda t, x: x.log2(), np.log2, 8),
    "log10": (lambda t, x: x.log10(), np.log10, 8),
    "rsqrt": (lambda t, x: x.rsqrt(), lambda x: 1 / np.sqrt(x), 8),
    "sigmoid": (lambda t, x: x.sigmoid(), lambda x: 1 / (1 + np.exp(-x)), 16),
    "square": (lambda t, x: x.square(), np.square, 4),
    "abs": (lambda t, x: x.abs(), np.abs, 4),
    "abs()": (lambda t, x: abs(x), np.abs, 4),
    "reciprocal": (lambda t, x: x.reciprocal(), lambda x: 1 / x, 8),
    "neg": (lambda t, x: -x, np.negative, 0),
    "sgn": (lambda t, x: x.sgn(), lambda x: x / np.abs(x), 8),
    "x ** 2": (lambda t, x: x**2, np.square, 8),
    "x ** 3": (lambda t, x: x**3, lambda x: x * x * x, 40),
    "x ** -2.5": (lambda t, x: x**-2.5, lambda x: x**-2.5, 64),
    "x * (2-3j)": (lambda t, x: x * (2 - 3j), lambda x: x * (2 - 3j), 4),
    "x / (2-3j)": (lambda t, x: x / (2 - 3j), lambda x: x / (2 - 3j), 8),
    "x * 0.5": (lambda t, x: x * 0.5, lambda x: x / 2, 0),
}
_OF_TWO: dict[str, _Row] = {
    "mul": (lambda t, x, y: x * y, np.multiply, 4),
    "div": (lambda t, x, y: x / y, np.divide, 8),
    "x * y.real": (lambda t, x, y: x * y.real, lambda x, y: x * y.real, 4),
    "x / y.real": (lambda t, x, y: x / y.real, lambda x, y: x / y.real, 8),
    "pow": (lambda t, x, y: x**y, np.power, 40),
}
"""What is said: (the call, the reference in extended precision, how many units it may err)."""

_SCALED = frozenset({"log", "sqrt", "abs", "abs()", "reciprocal", "neg", "sgn", "div"})
"""Those that are in range for numbers whose squares are not."""

_ODD = frozenset({
    "sin", "sinh", "tan", "tanh", "asin", "atan", "asinh", "atanh", "expm1", "x * (2-3j)", "mul",
})  # fmt: skip
"""Those that are nearly proportional to a small number, and keep all of its digits."""

_TURNING = frozenset({
    "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh",
    "atanh", "log", "log2", "log10",
})  # fmt: skip
"""Those that are known as well some turns away from 0."""
_OF_SCALE = {2: _ODD, 3: _TURNING}

_CUTS: tuple[tuple[str, complex, complex], ...] = (
    ("sqrt", complex(-4, 0.0), complex(0, 2)),
    ("sqrt", complex(-4, -0.0), complex(0, -2)),
    ("log", complex(-1, 0.0), complex(0, np.pi)),
    ("log", complex(-1, -0.0), complex(0, -np.pi)),
    ("angle", complex(-1, 0.0), np.pi),
    ("angle", complex(-1, -0.0), -np.pi),
)
"""Function, argument and value on either side of the negative real axis, as C has them."""


@clause("elementwise.complex-cuts", covers=["notes.extremal-values"])
def the_sign_of_zero_tells_the_sides_of_a_cut(torch: Any, device: str) -> None:
    """sqrt, log and angle jump at the negative real axis, and the sign of a zero imaginary part
    tells from which side it is reached."""
    for dtype, length in product(supported(COMPLEX), (1, 2, 9, 33)):
        for function, argument, value in _CUTS:
            x = tensor_of(torch, device, np.full(length, argument, dtype))
            into = dtype if function != "angle" else real_of(dtype)
            bound = ulps(4, into, "a few real operations, each rounded")
            with case(dtype=dtype, function=function, argument=argument, length=length):
                expected = np.full(length, value)
                assert_close(getattr(torch, function)(x), expected, bound)
                assert_close(getattr(x, function)(), expected, bound)


_OF_ZERO: dict[complex, dict[str, Callable[..., Any]]] = {
    0: {
        "x ** 1": lambda t, x: x**1, "x ** 2": lambda t, x: x**2, "x ** 3": lambda t, x: x**3,
        "x ** 4": lambda t, x: t.pow(x, 4), "x ** 0.5": lambda t, x: x**0.5,
        "x ** 2.0": lambda t, x: x.pow(2.0), "x ** 1.5": lambda t, x: x**1.5,
        "x ** (2+0j)": lambda t, x: x ** (2 + 0j), "x ** (2+1j)": lambda t, x: x ** (2 + 1j),
        "x **= 2": lambda t, x: x.clone().pow_(2), "x **= 3": lambda t, x: x.clone().pow_(3),
        "x ** a tensor": lambda t, x: x ** t.full_like(x, 2),
        "x ** a complex tensor": lambda t, x: x ** t.full_like(x, 1 + 1j),
        "x ** a tensor of floats": lambda t, x: x ** t.full_like(x.real, 3),
        "float_power": lambda t, x: t.float_power(x, 2).to(x.dtype),
        "square": lambda t, x: t.square(x), "sqrt": lambda t, x: t.sqrt(x),
        "sin": lambda t, x: t.sin(x), "tan": lambda t, x: t.tan(x),
        "sinh": lambda t, x: t.sinh(x), "tanh": lambda t, x: t.tanh(x),
        "asin": lambda t, x: t.asin(x), "atan": lambda t, x: t.atan(x),
        "asinh": lambda t, x: t.asinh(x), "atanh": lambda t, x: t.atanh(x),
        "expm1": lambda t, x: t.expm1(x), "sgn": lambda t, x: t.sgn(x),
        "neg": lambda t, x: -x, "conj": lambda t, x: x.conj().resolve_conj(),
        "x + x": lambda t, x: x + x, "x - x": lambda t, x: x - x, "x * x": lambda t, x: x * x,
        "x * (2-3j)": lambda t, x: x * (2 - 3j), "x * 0.5": lambda t, x: x * 0.5,
        "x / (2-3j)": lambda t, x: x / (2 - 3j), "x / 2": lambda t, x: x / 2,
        "x / a tensor": lambda t, x: x / t.full_like(x, 1 - 1j),
        "abs": lambda t, x: x.abs() + 0 * x, "angle": lambda t, x: x.angle() + 0 * x,
    },
    1: {
        "x ** 0": lambda t, x: x**0, "x ** 0.0": lambda t, x: x.pow(0.0),
        "x **= 0": lambda t, x: x.clone().pow_(0), "2 ** x": lambda t, x: 2**x,
        "exp": lambda t, x: t.exp(x), "cos": lambda t, x: t.cos(x), "cosh": lambda t, x: t.cosh(x),
    },
    0.5: {"sigmoid": lambda t, x: t.sigmoid(x)},
}  # fmt: skip
"""The result: what gives it of a complex zero. Left open is a zero to the power of a tensor of
zeros, which C's cpow may call nan (PyTorch 2.13 does), and what is no number: negative powers."""


@clause("elementwise.complex-zero", covers=["notes.elementwise-family", "dlnotes.pow"])
def a_complex_zero_is_a_number(torch: Any, device: str) -> None:
    """Powers of a complex zero are zeros, and its power of 0 is 1; roots, products, quotients and
    functions of it are those of the real zero, alone and beside other numbers."""
    for dtype, length in product(supported(COMPLEX), (1, 2, 9, 33)):
        zeros = np.zeros(length, dtype)
        beside = np.where(np.arange(length) % 2 == 1, 0.5 - 0.25j, zeros).astype(dtype)
        alone, among = (tensor_of(torch, device, array) for array in (zeros, beside))
        for value, calls in _OF_ZERO.items():
            expected = np.full(length, value, dtype)
            for said, call in calls.items():
                with case(dtype=dtype, said=said, length=length):
                    assert_equal(call(torch, alone), expected, signed_zero=False)
                    assert_equal(call(torch, among)[::2], expected[::2], signed_zero=False)


_POWERS = {"complex64": 100, "complex128": 900}
_SCALES: dict[int, Callable[[str], int]] = {
    0: lambda dtype: 0,
    1: lambda dtype: _POWERS[dtype],
    -1: lambda dtype: -_POWERS[dtype],
    2: lambda dtype: -20,
    3: lambda dtype: 3,
}
"""How large numbers are: moderate, very large, very small, small, some turns away from 0; with the
power of two that they are multiplied by."""


@clause("elementwise.complex-numbers", effort=0.15, covers=[
    "dlnotes.arithmetic-functions", "dlnotes.unary-math", "notes.elementwise-family",
])  # fmt: skip
@for_all(
    length=st.sampled_from([n for n in LENGTHS if 0 < n < 200]),
    seed=seeds(),
    lying=st.sampled_from(("contiguous", "stepped", "offset")),
    scale=st.sampled_from(tuple(_SCALES)),
)
def complex_numbers_are_computed_as_numbers(
    torch: Any, device: str, length: int, seed: int, lying: str, scale: int
) -> None:
    """Products, quotients, powers, roots, exponentials and absolute values of complex numbers are
    those of the numbers, the distance in the plane being within a few units; also where a square
    of a part would be beyond the range, and the result is not. What is proportional to a small
    number has as many digits as that."""
    for dtype in supported(COMPLEX):
        eps, power = FORMATS[dtype].eps, _SCALES[scale](dtype)
        operands = []
        for number in (seed, seed + 5):
            plain = values((length,), dtype, "normal", number)
            # Away from 0, where a logarithm or a quotient has no bound relative to its operands.
            plain = np.where(np.abs(plain) < 0.125, plain + plain.dtype.type(1), plain)
            laid = arrange((plain * 2.0**power).astype(dtype), lying)
            array = np.array(laid.of_array(laid.base)).astype(np.clongdouble)
            operands.append((array, laid.of_tensor(tensor_of(torch, device, laid.base))))
        (a, x), (b, y) = operands
        rows: list[tuple[str, _Row, tuple[Any, ...], tuple[Any, ...]]]
        rows = [(name, row, (a,), (x,)) for name, row in _OF_ONE.items()]
        rows += [(name, row, (a, b), (x, y)) for name, row in _OF_TWO.items()]
        for name, (call, reference, units), arrays, tensors in rows:
            if scale and name not in _OF_SCALE.get(scale, _SCALED):
                continue
            expected = reference(*arrays)
            # The functions have zeros; near those an error counts relative to the argument's.
            near = 4 * eps if units and scale in (0, 3) else 0.0
            into = dtype if np.iscomplexobj(expected) else real_of(dtype)
            bound = ulps(units, into, "some real operations, each rounded", near)
            with case(dtype=dtype, function=name, lying=lying, scale=scale):
                assert_close(call(torch, *tensors), expected, bound)
