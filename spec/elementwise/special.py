"""Infinities, NaN, signed zeros and subnormal numbers."""

from __future__ import annotations

import math
import operator as symbols
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import seeds, shapes, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, FORMATS, numpy_dtype
from tenet.spec.model.special import digamma, lgamma
from tenet.spec.model.tolerance import Bound, ulps
from tenet.spec.operators.operator import find

INF, NAN = np.inf, np.nan
_PI = np.longdouble("3.14159265358979323846264338327950288")

LIMITS: dict[str, tuple[tuple[float, float], ...]] = {
    "sqrt": ((-1.0, NAN), (0.0, 0.0), (-0.0, -0.0), (INF, INF), (NAN, NAN), (4.0, 2.0)),
    "exp": ((-INF, 0.0), (INF, INF), (0.0, 1.0), (NAN, NAN)),
    "expm1": ((-INF, -1.0), (INF, INF), (0.0, 0.0), (NAN, NAN)),
    "log": ((0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0), (NAN, NAN)),
    "log2": ((0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (8.0, 3.0), (NAN, NAN)),
    "log10": ((0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0), (NAN, NAN)),
    "log1p": ((-1.0, -INF), (-2.0, NAN), (INF, INF), (0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "abs": ((-INF, INF), (INF, INF), (-0.0, 0.0), (NAN, NAN), (-2.5, 2.5)),
    "sin": ((0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "cos": ((0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "tan": ((0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "tanh": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "sigmoid": ((INF, 1.0), (-INF, 0.0), (0.0, 0.5), (NAN, NAN)),
    "erf": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "reciprocal": ((INF, 0.0), (-INF, -0.0), (0.0, INF), (-0.0, -INF), (NAN, NAN)),
    "sign": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (NAN, 0.0)),
    "rsqrt": ((0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (NAN, NAN)),
    "exp2": ((-INF, 0.0), (INF, INF), (0.0, 1.0), (NAN, NAN)),
    "sinh": ((INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "cosh": ((INF, INF), (-INF, INF), (0.0, 1.0), (NAN, NAN)),
    "asinh": ((INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "acosh": ((1.0, 0.0), (INF, INF), (0.5, NAN), (-INF, NAN), (NAN, NAN)),
    "atanh": ((1.0, INF), (-1.0, -INF), (1.5, NAN), (0.0, 0.0), (NAN, NAN)),
    "asin": ((0.0, 0.0), (-0.0, -0.0), (1.0078125, NAN), (-1.0078125, NAN), (NAN, NAN)),
    "atan": ((0.0, 0.0), (-0.0, -0.0), (NAN, NAN)),
    "acos": ((1.0, 0.0), (1.0078125, NAN), (-1.0078125, NAN), (NAN, NAN)),
    "erfc": ((INF, 0.0), (-INF, 2.0), (0.0, 1.0), (NAN, NAN)),
    "erfinv": ((1.0, INF), (-1.0, -INF), (1.5, NAN), (0.0, 0.0), (NAN, NAN)),
    "lgamma": (
        (0.0, INF),
        (-0.0, INF),
        (-1.0, INF),
        (-3.0, INF),
        (INF, INF),
        (-INF, INF),
        (NAN, NAN),
    ),
    "digamma": ((0.0, -INF), (-0.0, INF), (-1.0, NAN), (INF, INF), (NAN, NAN)),
    "logit": ((0.0, -INF), (-0.0, -INF), (1.0, INF), (1.5, NAN), (0.5, 0.0), (NAN, NAN)),
    "sinc": ((0.0, 1.0), (-0.0, 1.0), (NAN, NAN)),
    "special.entr": ((0.0, 0.0), (1.0, 0.0), (-1.0, -INF), (INF, -INF), (NAN, NAN)),
    "special.ndtr": ((INF, 1.0), (-INF, 0.0), (0.0, 0.5), (NAN, NAN)),
    "special.ndtri": ((1.0, INF), (0.0, -INF), (1.5, NAN), (NAN, NAN)),
    "trunc": ((-0.5, -0.0), (0.5, 0.0), (INF, INF), (-0.0, -0.0), (NAN, NAN)),
    "ceil": ((-0.5, -0.0), (0.5, 1.0), (-INF, -INF), (-0.0, -0.0), (NAN, NAN)),
    "floor": ((-0.5, -1.0), (0.5, 0.0), (-INF, -INF), (-0.0, -0.0), (NAN, NAN)),
    "round": ((-0.5, -0.0), (0.5, 0.0), (INF, INF), (-0.0, -0.0), (NAN, NAN)),
    "logical_not": ((NAN, 0.0), (INF, 0.0), (0.0, 1.0), (-0.0, 1.0)),
}
"""Function: (argument, limit) pairs, as IEEE 754 and C have them. An argument just outside a domain
is the number after its end in bfloat16, which every format of floats has."""

SIGNED = frozenset({
    "abs", "sqrt", "reciprocal", "rsqrt", "trunc", "ceil", "floor", "round",
    # Odd functions, of which C says that they give a zero of its own sign back.
    "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "log1p", "erf",
})  # fmt: skip
"""Those whose zeros have a documented sign."""
WIDE_ONLY = frozenset({"special.ndtr", "special.ndtri"})
"""Those that are documented for float32 and float64 only."""


@clause("elementwise.special-values", covers=["dlnotes.unary-math", "notes.extremal-values"])
def functions_take_their_limits_at_special_values(torch: Any, device: str) -> None:
    """sqrt(-1) is nan, log(0) is -inf, exp(-inf) is 0, and the like at 0, at infinity and at
    NaN, for one element and for more than a vector of them, stepped or not."""
    for dtype in supported(FLOATS):
        for name, points in LIMITS.items():
            if name in WIDE_ONLY and dtype in ("float16", "bfloat16"):
                continue
            array, limit = np.array(points).T.astype(numpy_dtype(dtype))
            for times in (1, 40):
                with case(dtype=dtype, function=name, length=times * len(points)):
                    x = tensor_of(torch, device, np.tile(array, times))
                    strided = torch.stack([x, x], 1)[:, 0]
                    for argument in (x, strided):
                        result = find(torch, name)(argument)
                        expected = np.tile(limit, times)
                        if name == "logical_not":
                            expected = expected.astype(bool)
                        assert_equal(result, expected, signed_zero=name in SIGNED)


SPECIALS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0, -2.0)
"""Powers of two beside what is special: what is finite is exact in every dtype."""

MEETINGS: dict[str, tuple[Callable[..., Any], bool]] = {
    "add": (np.add, True),
    "sub": (np.subtract, True),
    "mul": (np.multiply, True),
    "div": (np.divide, True),
    "copysign": (np.copysign, True),
    "pow": (np.power, False),
    "maximum": (np.maximum, False),
    "minimum": (np.minimum, False),
    "fmax": (np.fmax, False),
    "fmin": (np.fmin, False),
    "fmod": (np.fmod, True),
    "atan2": (np.arctan2, True),
    "hypot": (np.hypot, False),
    "logaddexp": (np.logaddexp, False),
    "remainder": (np.mod, False),
    "xlogy": (
        lambda x, y: np.where(np.isnan(y), y, np.where(x == 0, 0, x * np.log(y))),
        False,
    ),
    "ldexp": (lambda x, y: x * np.exp2(y), False),
}
"""Function: (the reference, whether the sign of a zero follows from IEEE 754)."""


@clause("elementwise.special-pairs", covers=["notes.extremal-values", "notes.nan-propagation"])
def special_values_meet_each_other(torch: Any, device: str) -> None:
    """Every special value meets every other, as IEEE 754 and C have it: nan ** 0 is 1, inf - inf
    is nan, maximum keeps NaN on either side, fmax drops it; in a vector, broadcast or stepped."""
    points = np.array(SPECIALS)
    left, right = (side.ravel() for side in np.meshgrid(points, points, indexing="ij"))
    for name, (reference, signed) in MEETINGS.items():
        with np.errstate(all="ignore"):
            exact = reference(left, right)
        for dtype in supported(FLOATS):
            a, b = (tensor_of(torch, device, side.astype(numpy_dtype(dtype)))
                    for side in (left, right))  # fmt: skip
            few = tensor_of(torch, device, points.astype(numpy_dtype(dtype)))
            does = getattr(torch, name)
            vector, table = does(a, b), does(few[:, None], few)
            stepped = does(torch.stack([a, b], 1)[:, 0], torch.stack([a, b], 1)[:, 1])
            for lying, result in (("vector", vector), ("table", table.reshape(-1)),
                                  ("stepped", stepped)):  # fmt: skip
                with case(function=name, dtype=dtype, lying=lying):
                    if name in ("atan2", "hypot", "logaddexp", "xlogy"):
                        assert_close(result, exact, ulps(8, dtype, "an elementary function"))
                        if signed:
                            sure = ~np.isnan(exact)
                            assert_that(
                                bool((np.signbit(read(result)) == np.signbit(exact))[sure].all()),
                                "a sign differs",
                            )
                        continue
                    expected = exact.astype(numpy_dtype(dtype))
                    if name == "copysign":  # the sign of a NaN is not documented
                        result, expected = result[~b.isnan()], expected[~np.isnan(right)]
                    assert_equal(result, expected, signed_zero=signed)


OPERANDS: dict[str, tuple[Callable[[Any, Any], Any], tuple[float, ...], bool]] = {
    "+": (symbols.add, SPECIALS, True),
    "-": (symbols.sub, SPECIALS, True),
    "*": (symbols.mul, SPECIALS, True),
    "/": (symbols.truediv, SPECIALS, True),
    "%": (symbols.mod, SPECIALS, False),
    # Powers that a kernel of its own may compute; the square root's is not pow's of C at -inf.
    "**": (symbols.pow, (*SPECIALS, 3.0, -3.0, 4.0), True),
}
"""Operator: (what it does, the numbers it is given, whether the sign of a zero follows)."""


@clause("elementwise.special-bounds", covers=["notes.elementwise-family", "notes.nan-propagation"])
def special_values_are_bounds(torch: Any, device: str) -> None:
    """clamp is the minimum of max and of the maximum of min and x, whatever the three are: NaN as
    a bound gives NaN, as NaN in x does, and an infinity bounds nothing on its own side; with
    numbers, with tensors, with either bound alone, in place and by each of its names."""
    for dtype, times in product(supported(FLOATS), (1, 5)):
        array = np.tile(np.array(SPECIALS), times).astype(numpy_dtype(dtype))
        x, wide = tensor_of(torch, device, array), array.astype(np.float64)
        points = {number: tensor_of(torch, device, np.asarray(number).astype(array.dtype))
                  for number in (NAN, INF, -INF, 0.0, 1.0, -2.0)}  # fmt: skip
        for low, high in product((None, *points), repeat=2):
            if low is None and high is None:
                continue
            expected = wide if low is None else np.maximum(wide, low)
            expected = expected if high is None else np.minimum(expected, high)
            expected = expected.astype(array.dtype)
            least, most = (None if b is None else points[b] for b in (low, high))
            many = [b if b is None else b.expand(x.shape).clone() for b in (least, most)]
            results = {
                "numbers": torch.clamp(x, low, high),
                "named": x.clip(min=low, max=high),
                "0-d tensors": torch.clamp(x, min=least, max=most),
                "tensors": x.clamp(*many),
                "numbers in place": x.clone().clamp_(low, high),
                "tensors in place": x.clone().clamp_(*many),
            }
            if high is None:
                results["clamp_min"] = torch.clamp_min(x, low)
                results["clamp_min of tensors"] = torch.clamp_min(x, many[0])
            if low is None:
                results["clamp_max"] = torch.clamp_max(x, high)
                results["clamp_max of tensors"] = torch.clamp_max(x, many[1])
            for said, result in results.items():
                with case(dtype=dtype, min=low, max=high, said=said, length=len(array)):
                    assert_equal(result, expected, signed_zero=False)


@clause(
    "elementwise.special-numbers",
    covers=["notes.extremal-values", "notes.nan-propagation"],
    thorough=True,
)
def special_values_meet_python_numbers(torch: Any, device: str) -> None:
    """Every special value meets every other as a Python number, on either side of an operator and
    in place: -inf ** 3 is -inf, 1 ** nan is 1, 0.0 / -0.0 is nan."""
    for dtype, times in product(supported(FLOATS), (1, 5)):
        array = np.tile(np.array(SPECIALS), times).astype(numpy_dtype(dtype))
        x, wide = tensor_of(torch, device, array), array.astype(np.float64)
        for name, (does, numbers, signed) in OPERANDS.items():
            for number in numbers:
                with case(operator=name, dtype=dtype, number=number):
                    with np.errstate(all="ignore"):
                        expected, turned = (
                            result.astype(array.dtype)
                            for result in (does(wide, np.float64(number)),
                                           does(np.float64(number), wide))
                        )  # fmt: skip
                    assert_equal(does(x, number), expected, signed_zero=signed)
                    assert_equal(does(number, x), turned, signed_zero=signed)
                    written = getattr(symbols, f"i{does.__name__}")(x.clone(), number)
                    assert_equal(written, expected, signed_zero=signed)


@clause(
    "elementwise.special-factors",
    covers=["notes.extremal-values", "notes.nan-propagation", "dlnotes.arithmetic-functions"],
)
def factors_multiply_special_values(torch: Any, device: str) -> None:
    """alpha of add and sub, and value of addcmul and addcdiv, multiply whatever they meet: with 0,
    too, an infinity or NaN that is added shows in the result."""
    pairs = np.array([*product(SPECIALS, repeat=2)])
    for dtype in supported(FLOATS):
        a, b = (column.astype(numpy_dtype(dtype)) for column in pairs.T)
        x, y = tensor_of(torch, device, a), tensor_of(torch, device, b)
        one, wide, other = torch.ones_like(x), a.astype(np.float64), b.astype(np.float64)
        for factor in (0, 1, -1, 2, -0.5):
            with np.errstate(all="ignore"):
                expected = {
                    "add": (torch.add(x, y, alpha=factor), wide + factor * other),
                    "sub": (torch.sub(x, y, alpha=factor), wide - factor * other),
                    "rsub": (torch.rsub(x, y, alpha=factor), other - factor * wide),
                    "addcmul": (torch.addcmul(one, x, y, value=factor), 1 + factor * wide * other),
                    "addcdiv": (torch.addcdiv(one, x, y, value=factor), 1 + factor * wide / other),
                    "addcmul of it": (torch.addcmul(x, y, one, value=factor),
                                      wide + factor * other),
                }  # fmt: skip
            for said, (got, number) in expected.items():
                with case(said=said, dtype=dtype, factor=factor):
                    assert_equal(got, number.astype(a.dtype), signed_zero=False)


@clause("elementwise.signed-zero", covers=["notes.extremal-values"])
def the_sign_of_zero_is_kept(torch: Any, device: str) -> None:
    """-0.0 is kept by negation, products, quotients, roots and conversions, and 0.0 - 0.0 is 0.0
    while -0.0 - 0.0 is -0.0."""
    for dtype in supported(FLOATS):
        for length in (1, 33):
            plus = np.zeros(length, numpy_dtype(dtype))
            minus = -plus
            packed = tensor_of(torch, device, plus)
            stepped = torch.stack([packed, packed + 1], 1)[:, 0]
            for zero, lying in ((packed, "packed"), (stepped, "stepped")):
                with case(dtype=dtype, length=length, lying=lying):
                    assert_equal(-zero, minus)
                    assert_equal(zero * -1, minus)
                    assert_equal(-zero / 3, minus)
                    assert_equal(zero / -np.inf, minus)
                    assert_equal(torch.sqrt(-zero), minus)
                    assert_equal(zero - zero, plus)
                    assert_equal(-zero - zero, minus)
                    assert_equal(-zero + zero, plus)


@clause("elementwise.subnormals", covers=["notes.extremal-values"], effort=4)
@for_all(shape=shapes(min_rank=1, empty=False), seed=seeds())
def subnormal_numbers_are_kept(torch: Any, device: str, shape: Any, seed: int) -> None:
    """Numbers below the smallest normal one are numbers: sums, differences and products by a
    number of them are exact or correctly rounded, not zero."""
    for dtype in supported(("float32", "float64")):
        layout = FORMATS[dtype]
        steps = values(shape, "int16", "normal", seed).astype(np.float64)
        tiny = (steps * layout.smallest).astype(numpy_dtype(dtype))
        tensor = tensor_of(torch, device, tiny)
        with case(dtype=dtype):
            assert_equal(tensor + tensor, tiny + tiny)
            assert_equal(tensor * 3, (steps * 3 * layout.smallest).astype(numpy_dtype(dtype)))
            assert_equal(tensor - tensor * 2, -tiny, signed_zero=False)


@clause("elementwise.infinities-replaced", covers=["notes.elementwise-family"])
def nan_to_num_replaces_what_is_not_finite(torch: Any, device: str) -> None:
    """nan_to_num makes NaN 0 and the infinities the largest finite numbers, or what is asked
    for."""
    points = [1.5, np.nan, np.inf, -np.inf, -0.0]
    for dtype in supported(FLOATS):
        kind, largest = numpy_dtype(dtype), FORMATS[dtype].max
        tensor = tensor_of(torch, device, np.array(points * 9).astype(kind))
        with case(dtype=dtype):
            plain = np.array([1.5, 0.0, largest, -largest, -0.0] * 9).astype(kind)
            assert_equal(torch.nan_to_num(tensor), plain)
            asked = np.array([1.5, 2.0, 3.0, -4.0, -0.0] * 9).astype(kind)
            assert_equal(tensor.nan_to_num(nan=2.0, posinf=3.0, neginf=-4.0), asked)


@clause("elementwise.erf-of-tiny", thorough=True, covers=["notes.elementwise-family"])
def erf_of_a_small_number_is_proportional_to_it(torch: Any, device: str) -> None:
    """erf(x) of a small x is 2/sqrt(pi) * x, in every dtype down to its smallest normal number."""
    low = {"float32": -126, "float64": -1022, "bfloat16": -126, "float16": -14}
    for name in supported(("float32", "float64", "bfloat16", "float16")):
        for power in (-6, -9, -12, -14, -30, -60, -126):
            if power < low[name]:
                continue
            size = "tiny" if power < -18 else "small"
            for sign, length in product((1, -1), (1, 3, 64)):
                x = np.full(length, sign * 2.0**power)
                # The series leaves less than x^7/42 out.
                expected = 2 / np.sqrt(np.pi) * (x - x**3 / 3 + x**5 / 10)
                bound = ulps(4, name, "an elementary function; the series is shorter than an ulp")
                if power > -9 and name == "float64":
                    continue
                with case(size=size, power=power, length=length, sign=sign, dtype=name):
                    tensor = tensor_of(torch, device, x.astype(numpy_dtype(name)))
                    assert_close(torch.erf(tensor), expected, bound)
                    assert_close(torch.special.erf(tensor), expected, bound)
                    assert_close(tensor.erf_(), expected, bound)


@clause("elementwise.erfc-of-large", covers=["notes.elementwise-family"])
def erfc_of_a_large_number_is_small_and_not_zero(torch: Any, device: str) -> None:
    """erfc(x) of a large x falls with exp(-x^2), down to the smallest normal number, and is not
    what is left of 1 - erf(x)."""
    for name in supported(("float32", "float64")):
        most = {"float32": 9.0, "float64": 26.0}[name]
        for length in (1, 9, 33):
            x = np.resize(np.append(np.arange(1.0, most, 0.5), most), length)[::-1].copy()
            expected = np.array([math.erfc(number) for number in x])
            with case(dtype=name, length=length):
                # The rounding of x*x counts as often as the exponential is steep.
                bound = ulps(8 + 2 * most**2, name, "an exponential of a rounded square")
                tensor = tensor_of(torch, device, x.astype(name))
                assert_close(torch.erfc(tensor), expected, bound)
                assert_close(torch.special.erfc(tensor), expected, bound)


@clause("elementwise.gamma-of-negative", covers=["notes.elementwise-family"])
def the_gamma_functions_are_reflected_at_0(torch: Any, device: str) -> None:
    """lgamma(x) of a negative x is log(pi / |sin(pi x)|) - lgamma(1 - x), and digamma(x) is
    digamma(1 - x) - pi / tan(pi x): the sine is known as well as x, which has all of its digits
    behind the point, near an integer too."""
    # Fractions and whole parts that every dtype holds together.
    parts = (0.5, 0.25, 0.75, 0.125, 0.625, 0.875)
    x = -np.array([whole + part for whole in (0, 1, 2, 3, 5, 7, 10, 15) for part in parts])
    wide = x.astype(np.longdouble)
    sine, tangent = np.abs(np.sin(_PI * wide)), np.tan(_PI * wide)
    terms = {
        "lgamma": (np.log(_PI / sine), -lgamma(1 - wide)),
        "digamma": (-_PI / tangent, digamma(1 - wide)),
    }
    for name, dtype in product(terms, supported(FLOATS)):
        first, second = terms[name]
        # Both terms round, and pi * x within the sine does.
        size = np.abs(first) + np.abs(second) + (_PI / sine) ** 2
        error = 4 * FORMATS[dtype].eps * size
        for length in (1, 7, len(x)):
            bound = Bound(dtype, 1, "8 u of the terms", error[-length:])
            given = tensor_of(torch, device, x[-length:].astype(numpy_dtype(dtype)))
            for lying, argument in (
                ("packed", given), ("stepped", torch.stack([given, given + 1], 1)[:, 0])
            ):  # fmt: skip
                with case(function=name, dtype=dtype, length=length, lying=lying):
                    result = getattr(torch, name)(argument)
                    assert_close(result, (first + second)[-length:], bound)


@clause("elementwise.complex-negative-zero", covers=["notes.extremal-values"])
def the_negative_of_a_complex_zero_part_keeps_its_sign(torch: Any, device: str) -> None:
    """The negative of a complex number has the negative of both parts, that of 0.0 being -0.0,
    whatever the number of elements before and after it."""
    numbers = (1 + 2j, complex(0, 1), complex(1, 0), complex(0, 0), complex(-0.0, -0.0), 3 - 1j)
    for name in supported(("complex64", "complex128")):
        for number, length in product(numbers, (1, 2, 3, 64, 128)):
            zero = "no zero" if number.real and number.imag else "a zero"
            zero = "negative zeros" if str(number.real) == "-0.0" else zero
            size = "long" if length > 3 else "short"
            array = np.empty(length, name)
            array.real, array.imag = number.real, number.imag
            expected = np.empty(length, name)
            expected.real, expected.imag = -array.real, -array.imag
            for spelling, call in {"neg": torch.neg, "-x": symbols.neg, "negative": torch.negative,
                                   "neg_": lambda x: x.neg_()}.items():  # fmt: skip
                with case(part=zero, size=size, length=length, number=number, spelling=spelling,
                          dtype=name):  # fmt: skip
                    assert_equal(call(tensor_of(torch, device, array)), expected)
