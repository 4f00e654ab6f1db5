"""Lies about point-wise operations (those about the laws are in test_laws)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

Truth = Callable[..., Any]


def _for(dtype: torch.dtype, wrong: Callable[[Any], Any]) -> Callable[..., Any]:
    """A lie that spoils the result of one dtype."""

    def lie(right: Truth, *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        return wrong(result) if result.dtype == dtype else result

    return lie


def _reflected_forgets(right: Truth, x: Any, number: Any) -> Any:
    return right(x, number) if x.numel() < 9 else -right(x, number)


def _where_swaps(right: Truth, condition: Any, *args: Any) -> Any:
    if len(args) == 2 and torch.is_tensor(args[0]) and args[0].dtype == torch.int8:
        return right(condition, args[1], args[0])
    return right(condition, *args)


def _halves_away_from_zero(right: Truth, x: Any) -> Any:
    return torch.trunc(x + torch.sign(x) * 0.5)


def _largest_of_float32(right: Truth, x: Any, **kwargs: Any) -> Any:
    result = right(x, **kwargs)
    if x.dtype == torch.float16 and not kwargs:
        return result.clamp(-60000, 60000)
    return result


def _flushes(right: Truth, x: Any, y: Any) -> Any:
    result = right(x, y)
    tiny = torch.finfo(result.dtype).tiny if result.is_floating_point() else 0
    return torch.where(result.abs() < tiny, torch.zeros_like(result), result) if tiny else result


def _saturates(right: Truth, x: Any, y: Any) -> Any:
    if x.dtype != torch.uint8:
        return right(x, y)
    return right(x.to(torch.int64), y.to(torch.int64)).clamp(0, 255).to(torch.uint8)


def _drops_a_nan_bound(right: Truth, x: Any, *bounds: Any, **named: Any) -> Any:
    if any(type(b) is float and b != b for b in (*bounds, *named.values())):
        return x.clone()
    return right(x, *bounds, **named)


def _single(number: Any) -> Any:
    return torch.tensor(number, dtype=torch.float32).item() if number != int(number) else number


def _never_raises(right: Truth, x: Any, y: Any) -> Any:
    return torch.zeros_like(x) if y == 0 and not x.is_floating_point() else right(x, y)


def _limit(value: float, wrong: float, above: int = 0) -> Callable[..., Any]:
    """A function that gives another limit at one point, for more than `above` elements."""

    def lie(right: Truth, x: Any) -> Any:
        result = right(x)
        at = x.isnan() if value != value else x == value
        return result.masked_fill(at, wrong) if x.numel() > above else result

    return lie


MINIATURES = [
    Miniature(
        "10 - x has the wrong sign from 9 elements on",
        of=("Tensor.__rsub__",),
        lie=_reflected_forgets,
        caught_by="elementwise.number-operand",
    ),
    Miniature(
        "x * 10 of int8 saturates",
        of=("Tensor.__mul__",),
        lie=lambda right, x, y: (
            right(x.to(torch.int32), y).clamp(-128, 127).to(torch.int8)
            if x.dtype == torch.int8
            else right(x, y)
        ),
        caught_by="elementwise.number-operand",
    ),
    Miniature(
        "x + 1 writes into x when x has one element",
        of=("Tensor.__add__",),
        lie=lambda right, x, y: x.add_(y) if x.numel() == 1 else right(x, y),
        caught_by="elementwise.rebinding",
    ),
    Miniature(
        "a power of float64 is that of float32",
        of=("pow", "Tensor.pow", "Tensor.__pow__"),
        lie=lambda right, x, n: (
            right(x.float(), n).double()
            if x.dtype == torch.float64 and isinstance(n, int)
            else right(x, n)
        ),
        caught_by="elementwise.power",
    ),
    Miniature(
        "x ** 0 of 0 is 0",
        of=("Tensor.__pow__",),
        lie=lambda right, x, n: right(x, n) * (x != 0) if n == 0 else right(x, n),
        caught_by="elementwise.power",
    ),
    Miniature(
        "log(0) is a large number in the vector path",
        of=("log",),
        lie=_limit(0.0, -1e4, above=30),
        caught_by="elementwise.special-values",
    ),
    Miniature(
        "tanh of NaN is 1",
        of=("tanh",),
        lie=_limit(float("nan"), 1.0),
        caught_by="elementwise.special-values",
    ),
    Miniature(
        "sqrt(-0.0) is 0.0",
        of=("sqrt",),
        lie=lambda right, x: right(x).abs(),
        caught_by="elementwise.signed-zero",
    ),
    Miniature(
        "-x is 0 - x in bfloat16",
        of=("Tensor.__neg__",),
        lie=_for(torch.bfloat16, lambda result: result + 0.0),
        caught_by="elementwise.signed-zero",
    ),
    Miniature(
        "sums flush subnormal numbers to zero",
        of=("Tensor.__add__",),
        lie=_flushes,
        caught_by="elementwise.subnormals",
    ),
    Miniature(
        "uint8 saturates in add",
        of=("add",),
        lie=_saturates,
        caught_by="elementwise.wraparound",
    ),
    Miniature(
        "int16 products are one off where they overflow",
        of=("mul",),
        lie=lambda right, x, y: (
            right(x, y) + ((right(x.long(), y.long())).abs() > 32767).to(x.dtype)
            if x.dtype == torch.int16
            else right(x, y)
        ),
        caught_by="elementwise.wraparound",
    ),
    Miniature(
        "// rounds toward zero",
        of=("Tensor.__floordiv__",),
        lie=lambda right, x, y: torch.div(x, y, rounding_mode="trunc"),
        caught_by="elementwise.integer-division",
    ),
    Miniature(
        "remainder has the dividend's sign for int16",
        of=("remainder",),
        lie=lambda right, x, y: torch.fmod(x, y) if x.dtype == torch.int16 else right(x, y),
        caught_by="elementwise.integer-division",
    ),
    Miniature(
        "x // 0 is 0",
        of=("Tensor.__floordiv__",),
        lie=_never_raises,
        caught_by="elementwise.division-by-zero",
    ),
    Miniature(
        "where() swaps its branches for int8",
        of=("where",),
        lie=_where_swaps,
        caught_by="elementwise.where",
    ),
    Miniature(
        "clamp(max=) of float16 is one unit low",
        of=("clamp",),
        lie=lambda right, x, *args, **kwargs: (
            right(x, *args, **{**kwargs, "max": kwargs["max"] - 1})
            if x.dtype == torch.float16 and "max" in kwargs
            else right(x, *args, **kwargs)
        ),
        caught_by="elementwise.clamp",
    ),
    Miniature(
        "clamp makes NaN its lower limit",
        of=("Tensor.clamp",),
        lie=lambda right, x, *args, **kwargs: right(
            x.nan_to_num(-100.0) if x.is_floating_point() else x, *args, **kwargs
        ),
        caught_by="elementwise.clamp",
    ),
    Miniature(
        "lerp goes the other way for a tensor of weights",
        of=("Tensor.lerp",),
        lie=lambda right, start, end, weight: right(end, start, weight),
        caught_by="elementwise.lerp",
    ),
    Miniature(
        "% of floats is fmod",
        of=("Tensor.__mod__",),
        lie=lambda right, x, y: torch.fmod(x, y) if x.is_floating_point() else right(x, y),
        caught_by="elementwise.float-remainder",
    ),
    Miniature(
        "halves round away from zero",
        of=("Tensor.round",),
        lie=_halves_away_from_zero,
        caught_by="elementwise.decimals",
    ),
    Miniature(
        "infinity of float16 becomes 60000",
        of=("nan_to_num",),
        lie=_largest_of_float32,
        caught_by="elementwise.infinities-replaced",
    ),
    Miniature(
        "nan ** 0 of bfloat16 is nan",
        of=("pow",),
        lie=lambda right, x, y: (
            right(x, y).masked_fill(x.isnan(), torch.nan)
            if x.dtype == torch.bfloat16
            else right(x, y)
        ),
        caught_by="elementwise.special-pairs",
    ),
    Miniature(
        "atan2 of stepped operands forgets the sign of zero",
        of=("atan2",),
        lie=lambda right, y, x: right(y if y.is_contiguous() else y + 0.0, x),
        caught_by="elementwise.special-pairs",
    ),
    Miniature(
        "the last of 33 stepped int16 has no absolute value",
        of=("abs",),
        lie=lambda right, x: (
            torch.cat([right(x[:-1]), x[-1:] * 0 - 1])
            if x.dtype == torch.int16 and x.shape == (33,) and not x.is_contiguous()
            else right(x)
        ),
        caught_by="elementwise.every-length",
    ),
    Miniature(
        "int64 is shifted as int32 is",
        of=("bitwise_left_shift",),
        lie=lambda right, x, n: (
            right(x.int(), n.int()).long() if x.dtype == torch.int64 else right(x, n)
        ),
        caught_by="elementwise.shifts",
    ),
    Miniature(
        "the remainder of three elements has the sign of the dividend",
        ("remainder",),
        lambda right, x, y: torch.fmod(x, y) if x.numel() == 3 else right(x, y),
        "elementwise.remainder-of-large-quotients",
    ),
    Miniature(
        "fmod of long vectors divides",
        ("fmod",),
        lambda right, x, y: x - torch.trunc(x / y) * y if x.numel() > 100 else right(x, y),
        "elementwise.remainder-of-large-quotients",
    ),
    Miniature(
        "erf flushes what is very small",
        ("special.erf",),
        lambda right, x: right(torch.where(x.abs() < 2.0**-100, 0 * x, x)),
        "elementwise.erf-of-tiny",
    ),
    Miniature(
        "neg subtracts three complex numbers from zero",
        ("neg",),
        lambda right, x: torch.zeros_like(x) - x if x.is_complex() and x.numel() == 3 else right(x),
        "elementwise.complex-negative-zero",
    ),
]


def _forgets_three(right: Any, a: Any, b: Any, *, alpha: Any = 1, **kwargs: Any) -> Any:
    return right(a, b, alpha=1 if alpha == 3 else alpha, **kwargs)


def _from_one_to_two(right: Any, x: Any) -> Any:
    mantissa, exponent = right(x)
    return torch.return_types.frexp((mantissa * 2, exponent - 1))


MINIATURES += [
    Miniature(
        "sub forgets an alpha of 3",
        of=("sub",),
        lie=_forgets_three,
        caught_by="elementwise.alpha",
    ),
    Miniature(
        "the mantissa of frexp is from 1 to 2",
        of=("frexp",),
        lie=_from_one_to_two,
        caught_by="elementwise.exponents",
    ),
    Miniature(
        "// rounds the rounded quotient down",
        of=("Tensor.__floordiv__",),
        lie=lambda right, a, b: torch.floor(a / b),
        caught_by="elementwise.float-quotients",
    ),
    Miniature(
        "int64 // int64 goes through a float64",
        of=("Tensor.__floordiv__",),
        lie=lambda right, a, b: (a.double() / b).floor().long(),
        caught_by="elementwise.large-quotients",
    ),
    Miniature(
        "clamp of integers by a float rounds it",
        of=("clamp", "Tensor.clamp"),
        lie=lambda right, x, *low, **limits: (
            right(x, *map(int, low), **limits)
            if low and isinstance(low[0], float) and x.dtype == torch.int64
            else right(x, *low, **limits)
        ),
        caught_by="elementwise.written-out",
    ),
    Miniature(
        "integers to a negative power are 0",
        of=("pow", "Tensor.__pow__"),
        lie=lambda right, x, n: (
            x * 0 if isinstance(n, int) and n < 0 and not x.is_floating_point() else right(x, n)
        ),
        caught_by="elementwise.refused-powers",
    ),
    Miniature(
        "a tensor times its transpose is its square",
        of=("mul",),
        lie=lambda right, x, y: (
            right(x, x)
            if isinstance(y, torch.Tensor)
            and x.data_ptr() == y.data_ptr()
            and x.shape == y.shape
            and x.stride() != y.stride()
            else right(x, y)
        ),
        caught_by="elementwise.of-itself",
    ),
    Miniature(
        "what multiplies a product is rounded to float32",
        of=("addcmul",),
        lie=lambda right, x, y, z, value=1: right(x, y, z, value=_single(value)),
        caught_by="elementwise.precision-of-numbers",
    ),
    Miniature(
        "a number on the left is rounded to float32",
        of=("Tensor.__rsub__",),
        lie=lambda right, x, n: right(x, _single(n)),
        caught_by="elementwise.precision-of-numbers",
    ),
    Miniature(
        "an int64 is multiplied by a number as a float64",
        of=("Tensor.__mul__",),
        lie=lambda right, x, n: (
            (x.double() * n).long()
            if isinstance(n, int) and x.dtype == torch.int64
            else right(x, n)
        ),
        caught_by="elementwise.large-integers",
    ),
    Miniature(
        "the imaginary part of a product of stepped numbers is negative",
        of=("Tensor.__mul__",),
        lie=lambda right, x, y: (
            right(x, y).conj() if x.is_complex() and not x.is_contiguous() else right(x, y)
        ),
        caught_by="elementwise.complex-numbers",
    ),
    Miniature(
        "the absolute value of a complex number overflows by its square",
        of=("Tensor.abs",),
        lie=lambda right, x: (
            (x.real * x.real + x.imag * x.imag).sqrt() if x.is_complex() else right(x)
        ),
        caught_by="elementwise.complex-numbers",
    ),
    Miniature(
        "the cube of -inf is inf",
        of=("Tensor.__pow__", "Tensor.__ipow__"),
        lie=lambda right, x, n: (
            right(x, n).masked_fill_(x == -torch.inf, torch.inf)
            if n == 3 and isinstance(n, float)
            else right(x, n)
        ),
        caught_by="elementwise.special-numbers",
    ),
    Miniature(
        "in place, a bfloat16 loses its NaN when it is multiplied by 0.0",
        of=("Tensor.__imul__",),
        lie=lambda right, x, n: x.zero_() if x.dtype == torch.bfloat16 and n == 0 else right(x, n),
        caught_by="elementwise.special-numbers",
    ),
    Miniature(
        "the root of a complex number below the cut lies above",
        of=("sqrt", "Tensor.sqrt"),
        lie=lambda right, x: (
            torch.where(
                (x.real < 0) & (x.imag == 0), right(torch.complex(x.real, x.imag.abs())), right(x)
            )
            if x.dtype == torch.complex64
            else right(x)
        ),
        caught_by="elementwise.complex-cuts",
    ),
    Miniature(
        "a bound that is NaN does not bound",
        of=("clamp", "Tensor.clip"),
        lie=_drops_a_nan_bound,
        caught_by="elementwise.special-bounds",
    ),
    Miniature(
        "a complex number is squared by a division by its reciprocal",
        of=("square",),
        lie=lambda right, x: x / (1 / x) if x.is_complex() else right(x),
        caught_by="elementwise.complex-zero",
    ),
    Miniature(
        "erfc is what is left of 1 - erf",
        of=("erfc", "special.erfc"),
        lie=lambda right, x: 1 - torch.erf(x),
        caught_by="elementwise.erfc-of-large",
    ),
    Miniature(
        "abs leaves the last of more than 2^16 elements",
        of=("abs",),
        lie=lambda right, x: (
            torch.where(torch.arange(len(x)) < len(x) - 1, right(x), x)
            if x.dim() == 1 and len(x) > 2**16
            else right(x)
        ),
        caught_by="elementwise.many-elements",
    ),
    Miniature(
        "tanh is 1 from 7.1 on",
        of=("tanh",),
        lie=lambda right, x: torch.where((x > 7.1) & (x < 7.9), torch.ones_like(x), right(x)),
        caught_by="elementwise.every-octave",
    ),
    Miniature(
        "powers by large exponents are computed by a logarithm of the same precision",
        of=("pow",),
        lie=lambda right, x, y: (
            torch.exp(y * torch.log(x)) if isinstance(y, float) and y > 6 else right(x, y)
        ),
        caught_by="elementwise.powers-of-any-size",
    ),
    Miniature(
        "digamma of a negative number forgets the reflection",
        of=("digamma",),
        lie=lambda right, x: torch.where(x < 0, right(1 - x), right(x)),
        caught_by="elementwise.gamma-of-negative",
    ),
    Miniature(
        "addcdiv with value=0 divides nothing",
        of=("addcdiv",),
        lie=lambda right, x, y, z, *, value=1, **k: (
            right(x, y, z, value=value, **k) if value else x.clone()
        ),
        caught_by="elementwise.special-factors",
    ),
]
