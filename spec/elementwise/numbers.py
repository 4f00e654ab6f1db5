"""Python numbers as operands and options: they keep their precision."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import tensor_of, values
from tenet.spec.language import assert_close, assert_equal, case, clause, supported
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.tolerance import Bound

# Fractions of more bits than a float32 has, and numbers beyond its range.
_FRACTIONS = (0.1, -1 / 3, 1e-60, -3e200)
# Numbers that a float32 holds, and six decimals do not.
_TINY = (2.0**-24, -3 * 2.0**-40)

_WITH_NUMBER: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "x + n": (lambda t, x, n: x + n, lambda x, n: x + n),
    "n + x": (lambda t, x, n: n + x, lambda x, n: n + x),
    "x += n": (lambda t, x, n: x.clone().add_(n), lambda x, n: x + n),
    "x - n": (lambda t, x, n: x - n, lambda x, n: x - n),
    "n - x": (lambda t, x, n: n - x, lambda x, n: n - x),
    "x * n": (lambda t, x, n: x * n, lambda x, n: x * n),
    "n * x": (lambda t, x, n: n * x, lambda x, n: n * x),
    "x *= n": (lambda t, x, n: x.clone().mul_(n), lambda x, n: x * n),
    "x / n": (lambda t, x, n: x / n, lambda x, n: x / n),
    "n / x": (lambda t, x, n: n / x, lambda x, n: n / x),
    "fmod": (lambda t, x, n: t.fmod(x, n), np.fmod),
    "clamp min": (lambda t, x, n: t.clamp(x, min=n), np.maximum),
    "clamp max": (lambda t, x, n: x.clamp(max=n), np.minimum),
    "where": (lambda t, x, n: t.where(x > 0, x, n), lambda x, n: np.where(x > 0, x, n)),
    "where first": (lambda t, x, n: t.where(x > 0, n, x), lambda x, n: np.where(x > 0, n, x)),
    "masked_fill": (lambda t, x, n: x.masked_fill(x > 0, n),
                    lambda x, n: np.where(x > 0, n, x)),
    "full_like": (lambda t, x, n: t.full_like(x, n), np.full_like),
    "fill": (lambda t, x, n: t.fill(x, n), np.full_like),
    "nan_to_num": (lambda t, x, n: t.nan_to_num(x / x * t.nan, nan=n), np.full_like),
    "alpha": (lambda t, x, n: t.add(x, x, alpha=n), lambda x, n: x + n * x),
    "negative alpha": (lambda t, x, n: x.sub(x, alpha=n), lambda x, n: x - n * x),
    "addcmul": (lambda t, x, n: t.addcmul(x, x, x, value=n), lambda x, n: x + n * x * x),
    "addcdiv": (lambda t, x, n: x.addcdiv(x, x, value=n), lambda x, n: x + n),
    "lerp": (lambda t, x, n: t.lerp(x, -x, n), lambda x, n: x - 2 * n * x),
    "alpha alone": (lambda t, x, n: t.add(t.zeros_like(x), x, alpha=n), lambda x, n: n * x),
    "addcmul alone": (lambda t, x, n: t.addcmul(t.zeros_like(x), x, t.ones_like(x), value=n),
                      lambda x, n: n * x),
    "lerp from 0": (lambda t, x, n: t.lerp(t.zeros_like(x), x, n), lambda x, n: n * x),
    "index_fill": (lambda t, x, n: x.index_fill(0, t.arange(len(x), device=x.device), n),
                   np.full_like),
    "index_add": (lambda t, x, n: x.index_add(0, t.arange(len(x), device=x.device), x, alpha=n),
                  lambda x, n: x + n * x),
    "pad": (lambda t, x, n: t.nn.functional.pad(x, (x.shape[-1], 0), value=n)[..., :x.shape[-1]],
            np.full_like),
}  # fmt: skip
"""What is said: (the call, the reference in extended precision)."""
_OF_POSITIVE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "x ** n": (lambda t, x, n: x**n, lambda x, n: x**n),
    "pow": (lambda t, x, n: t.pow(x, n), lambda x, n: x**n),
    "x **= n": (lambda t, x, n: x.clone().pow_(n), lambda x, n: x**n),
    "n ** x": (lambda t, x, n: n**x, lambda x, n: n**x),
    "pow of a number": (lambda t, x, n: t.pow(n, x), lambda x, n: n**x),
    "float_power": (lambda t, x, n: t.float_power(x, n), lambda x, n: x**n),
    "x % n": (lambda t, x, n: x % n, np.fmod),
    "n % x": (lambda t, x, n: n % x, lambda x, n: np.fmod(n, x)),
    "xlogy": (lambda t, x, n: t.xlogy(x, n), lambda x, n: x * np.log(n)),
    "logit": (lambda t, x, n: t.logit(x * 0, n / 2), lambda x, n: x * 0 + np.log(n / (2 - n))),
    "elu": (lambda t, x, n: t.nn.functional.elu(-x, n), lambda x, n: n * np.expm1(-x)),
    "celu": (lambda t, x, n: t.nn.functional.celu(-x, n), lambda x, n: n * np.expm1(-x / n)),
    "leaky_relu": (lambda t, x, n: t.nn.functional.leaky_relu(-x, n), lambda x, n: -n * x),
    "softplus": (lambda t, x, n: t.nn.functional.softplus(x, n),
                 lambda x, n: np.log1p(np.exp(n * x)) / n),
    "softshrink": (lambda t, x, n: t.nn.functional.softshrink(x + 1, n), lambda x, n: x + 1 - n),
    "hardshrink": (lambda t, x, n: t.nn.functional.hardshrink(t.full_like(x, n), n),
                   lambda x, n: x * 0),
    "threshold": (lambda t, x, n: t.nn.functional.threshold(t.full_like(x, n), n, n / 2),
                  lambda x, n: x * 0 + n / 2),
    "trapezoid": (lambda t, x, n: t.trapezoid(t.stack([x, x]), dx=n, dim=0), lambda x, n: n * x),
    "vector_norm": (lambda t, x, n: t.linalg.vector_norm(t.stack([x, x]), n + 2, 0),
                    lambda x, n: x * 2 ** (1 / (n + 2))),
    "cdist": (lambda t, x, n: t.cdist(t.stack([x, x], -1).reshape(-1, 1, 2), t.zeros_like(
        x).reshape(-1, 1, 1).expand(-1, 1, 2), n + 2).reshape(x.shape),
              lambda x, n: x * 2 ** (1 / (n + 2))),
}  # fmt: skip
"""The same of numbers above 0."""
_SUMS = frozenset({
    "x + n", "n + x", "x += n", "x - n", "n - x", "alpha", "negative alpha", "addcmul", "addcdiv",
    "lerp", "index_add",
})  # fmt: skip


@clause("elementwise.precision-of-numbers",
        covers=["minicourse.scalar-arithmetic", "notes.elementwise-family"])  # fmt: skip
def a_number_has_the_precision_of_the_tensor(torch: Any, device: str) -> None:
    """A Python float is as precise as the tensor that it meets, as an operand, as what is filled
    in and as a factor: of float64, 0.1 is not first rounded to a float32, nor 1e-60 to zero; of
    float32, 2^-24 is not zero. So it is beside elements that are as small."""
    for dtype, shape in product(supported(("float64", "float32")), ((1,), (7,), (33,), (3, 11))):
        array = values(shape, dtype, "normal", shape[0])
        for number in _FRACTIONS if dtype == "float64" else _TINY:
            for scale in {1.0, min(1.0, abs(number))}:
                elements = array * numpy_dtype(dtype).type(scale)
                x, wide = tensor_of(torch, device, elements), elements.astype(np.longdouble)
                # Of a sum the terms count, which may cancel.
                terms = np.abs(elements) + np.abs(number) * (1 + np.abs(elements)) ** 2
                for said, (call, reference) in _WITH_NUMBER.items():
                    lost = 4 * FORMATS[dtype].eps * terms if said in _SUMS else 0.0
                    bound = Bound(dtype, 3, "a reciprocal or two products, and a sum", lost)
                    with case(said=said, number=number, shape=shape, dtype=dtype, scale=scale):
                        assert_close(call(torch, x, number), reference(wide, number), bound)
    for dtype, shape in product(supported(("float64",)), ((1,), (7,), (33,), (3, 11))):
        array = values(shape, dtype, "normal", shape[0])
        wide = array.astype(np.longdouble)
        above, wide = tensor_of(torch, device, np.abs(array)), np.abs(wide)
        for (said, (call, reference)), number in product(_OF_POSITIVE.items(), (0.1, 0.7)):
            # A remainder is a difference; a logarithm is known as well as what it is of.
            lost = 2 * FORMATS[dtype].eps * (wide + 1)
            bound = Bound(dtype, 8, "an exponential and a logarithm", lost)
            with case(said=said, number=number, shape=shape):
                wanted = reference(wide, np.longdouble(number))
                assert_close(call(torch, above, number), wanted, bound)


@clause("elementwise.large-integers", covers=["notes.integer-wraparound"])
def large_integers_are_not_rounded(torch: Any, device: str) -> None:
    """Sums, differences and products of int64, powers of it and to it, and what is taken from a
    tensor or filled into it, are exact beyond the 53 bits of a float64, be the other operand a
    number or a tensor; beyond 64 bits they wrap around."""
    pairs = product((2**53 + 1, -(2**61) - 3, 2**63 - 1), (3, -5, 2**53 + 1, 2**62 - 1))
    for (a, b), length, _ in product(pairs, (1, 9), supported(("int64",))):
        x = torch.full((length,), a, dtype=torch.int64, device=device)
        other = torch.full((length,), b, dtype=torch.int64, device=device)
        for kind, y in (("number", b), ("tensor", other)):
            whole = {
                "add": (x + y, a + b), "radd": (y + x, a + b), "sub": (x - y, a - b),
                "rsub": (y - x, b - a), "mul": (x * y, a * b), "rmul": (y * x, a * b),
                "alpha": (torch.add(x, y, alpha=3), a + 3 * b),
                "large alpha": (torch.sub(x, y, alpha=2**53 + 1), a - (2**53 + 1) * b),
                "and": (x & y, a & b), "or": (x | y, a | b), "xor": (x ^ y, a ^ b),
                "clamp min": (x.clamp(min=y), max(a, b)), "clamp max": (x.clamp(max=y), min(a, b)),
                "where": (torch.where(x == 0, x, y), b),
                "masked_fill": (x.masked_fill(x == a, y if kind == "number" else other[0]), b),
                "square": (x * x, a * a), "pow": (x**3, a**3), "abs": (x.abs(), abs(a)),
                "rpow": (3 ** (other * 0 + 39), 3**39), "pow of a number": (
                    torch.pow(-7, other * 0 + 19), (-7) ** 19),
                "full_like": (torch.full_like(x, b), b),
                "addcmul": (torch.addcmul(x, other, other, value=3), a + 3 * b * b),
            }  # fmt: skip
            for said, (got, number) in whole.items():
                wrapped = (number + 2**63) % 2**64 - 2**63
                with case(said=said, a=a, b=b, other=kind, length=length):
                    assert_equal(got, np.full(length, wrapped, np.int64))
