"""Zeros with a sign, NaN, infinities, the largest and the smallest numbers."""

import torch

from tenet.harness.audit.faults import elements, fed, instead, kernels, of, spoiled, variants
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, operator, lie, proof, *sections):
    sections = ("elementwise", *sections)
    return Mutant(f"special.{slug}", says, sections, kernels(operator, lie), proof)


def _where(condition, value):
    """Another result where the operand fulfils a condition; written into the result."""

    def lie(original, x, *args, **kwargs):
        places = condition(x) if x.is_floating_point() else None
        result = original(x, *args, **kwargs)
        if places is not None and result.shape == places.shape:
            result.masked_fill_(places, value)
        return result

    return lie


def _floats(change):
    return lambda original, x, y, *r, **k: (
        change(original, x, y) if x.is_floating_point() and isinstance(y, torch.Tensor)
        and y.is_floating_point() and not k else original(x, y, *r, **k))  # fmt: skip


def _minus_zero(t):
    return t.tensor(-0.0)


def _negative(x):
    return bool(x.signbit())


MUTANTS = [
    _mutant("maximum-nan", "maximum() prefers the number to a NaN on its left", "maximum",
            _floats(lambda o, x, y: torch.where(x.isnan(), y, o(x, y))),
            lambda t: t.maximum(t.tensor(t.nan), t.tensor(1.0)).isnan()),
    _mutant("minimum-nan", "minimum() of float16 prefers the number to NaN", "minimum",
            _floats(lambda o, x, y: torch.where(y.isnan(), x, o(x, y)) if x.dtype == torch.float16
                    else o(x, y)),
            lambda t: t.minimum(t.ones(1).half(), t.tensor([t.nan]).half()).isnan()),
    _mutant("sqrt-minus-zero", "sqrt(-0.0) is 0.0", variants("sqrt", ""),
            _where(lambda x: x == 0, 0.0), lambda t: _negative(_minus_zero(t).sqrt())),
    _mutant("abs-minus-zero", "abs(-0.0) of float64 is -0.0", variants("abs", ""),
            _where(lambda x: (x == 0) & x.signbit() & (x.dtype == torch.float64), -0.0),
            lambda t: not _negative(_minus_zero(t).double().abs())),
    _mutant("neg-zero", "-(0.0) is 0.0", variants("neg", ""), _where(lambda x: x == 0, 0.0),
            lambda t: _negative(-t.tensor(0.0))),
    _mutant("round-minus-zero", "round(-0.4) is 0.0", variants("round", ""),
            _where(lambda x: (x <= 0) & (x >= -0.5), 0.0),
            lambda t: _negative(t.tensor(-0.4).round())),
    _mutant("round-half-up", "round rounds a half of 2.5 up", variants("round", ""),
            _where(lambda x: x == 2.5, 3.0), lambda t: t.tensor(2.5).round() == 2),
    _mutant("exp-minus-inf", "exp(-inf) of bfloat16 is NaN", variants("exp", ""),
            _where(lambda x: (x == -torch.inf) & (x.dtype == torch.bfloat16), torch.nan),
            lambda t: t.tensor(-t.inf).bfloat16().exp() == 0),
    _mutant("log-zero", "log(0) is the lowest number", variants("log", ""),
            lambda original, x, *a, **k: spoiled(
                elements(lambda r: r == -torch.inf, -3e4))(original, x, *a, **k),
            lambda t: t.zeros(1).log() == -t.inf),
    _mutant("log-negative", "log of negative numbers is that of their absolute value", "log",
            fed(lambda x: x.abs() if x.is_floating_point() else x),
            lambda t: t.tensor(-1.0).log().isnan()),
    _mutant("power-of-zero", "0 ** 0 is 0", "pow.Tensor_Tensor",
            _floats(lambda o, x, y: torch.where((x == 0) & (y == 0), 0, o(x, y))),
            lambda t: t.zeros(1) ** t.zeros(1) == 1),
    _mutant("power-nan-zero", "NaN ** 0 is NaN", "pow.Tensor_Tensor",
            _floats(lambda o, x, y: torch.where(x.isnan(), torch.nan, o(x, y))),
            lambda t: t.tensor(t.nan) ** t.tensor(0.0) == 1),
    _mutant("remainder-sign", "remainder of int32 has the dividend's sign", "remainder.Tensor",
            instead(lambda original, x, y: torch.fmod(x, y),
                    lambda x, y, **k: x.dtype == torch.int32 and isinstance(y, torch.Tensor)),
            lambda t: t.remainder(t.tensor([-3]).int(), t.tensor([2]).int()) == 1),
    _mutant("fmod-inf", "fmod of a number by inf is NaN", "fmod.Tensor",
            _floats(lambda o, x, y: torch.where(y.isinf(), torch.nan, o(x, y))),
            lambda t: t.fmod(t.tensor(1.0), t.tensor(t.inf)) == 1),
    _mutant("floor-division", "floor division of negative int64 rounds to zero", "floor_divide",
            instead(lambda original, x, y: torch.div(x, y, rounding_mode="trunc"),
                    lambda x, y: x.dtype == torch.int64),
            lambda t: (t.tensor([-3]) // t.tensor([2])) == -2),
    _mutant("sign-nan", "sign(NaN) is 1", variants("sign", ""), _where(torch.isnan, 1.0),
            lambda t: t.tensor(t.nan).sign() == 0 or t.tensor(t.nan).sign().isnan()),
    _mutant("clamp-nan", "clamp makes NaN the lower end", "clamp",
            lambda original, x, low=None, high=None: original(
                torch.where(x.isnan(), low, x) if x.dtype == torch.float32 and low is not None
                else x, low, high),
            lambda t: t.tensor(t.nan).clamp(0, 1).isnan()),
    _mutant("atan2-zero", "atan2(-0.0, -1) is pi", "atan2",
            _floats(lambda o, y, x: o(torch.where(y == 0, 0.0, y), x)),
            lambda t: t.atan2(_minus_zero(t), t.tensor(-1.0)) < 0),
    _mutant("hypot-overflow", "hypot of large numbers overflows", "hypot",
            _floats(lambda o, x, y: (x * x + y * y).sqrt()),
            lambda t: t.hypot(t.tensor(1e30), t.tensor(1.0)) < 1e31),
    _mutant("expm1-small", "expm1 near 0 is exp - 1", variants("expm1", ""),
            lambda original, x, *a, **k: (lambda y: original(x, *a, **k).copy_(
                torch.where(y.abs() < 1e-3, y.exp() - 1, original(y))) if y.dtype == torch.float32
                and not k else original(x, *a, **k))(x.clone()),
            lambda t: t.tensor(1e-6).expm1() > 0.99e-6),
    _mutant("log1p-small", "log1p near 0 is log(1 + x)", "log1p",
            lambda original, x, **k: (1 + x).log() if x.dtype == torch.float64 else original(x),
            lambda t: t.tensor(1e-12, dtype=t.float64).log1p() < 1.00001e-12),
    _mutant("sinh-small", "sinh of float32 near 0 loses half its digits", "sinh",
            lambda original, x: (x.exp() - (-x).exp()) / 2 if x.dtype == torch.float32
            else original(x),
            lambda t: (t.tensor(1e-5).sinh() / 1e-5 - 1).abs() < 1e-6),
    _mutant("sigmoid-low", "sigmoid of large negative numbers is 0", variants("sigmoid", ""),
            _where(lambda x: x < -20, 0.0), lambda t: t.tensor(-30.0).sigmoid() > 0, "nn"),
    _mutant("subnormal-product", "products that are subnormal become 0", variants("mul"),
            lambda original, x, y, **k: (lambda r: r.masked_fill_(
                r.abs() < torch.finfo(r.dtype).tiny, 0.0) if r.dtype == torch.float32 else r)(
                    original(x, y, **k)),
            lambda t: t.tensor(1e-30) * t.tensor(1e-10) > 0),
    _mutant("int-min", "abs of the lowest int8 is the highest", variants("abs", ""),
            lambda original, x, **k: (lambda r: r.masked_fill_(r == -128, 127)
                                      if r.dtype == torch.int8 else r)(original(x, **k)),
            lambda t: t.tensor([-128], dtype=t.int8).abs() == -128),
    _mutant("reciprocal-zero", "1 / -0.0 is inf", "reciprocal", _where(lambda x: x == 0, torch.inf),
            lambda t: _minus_zero(t).reciprocal() == -t.inf),
    _mutant("division-of-zeros", "0 / 0 is 0", "div.Tensor",
            _floats(lambda o, x, y: torch.where((x == 0) & (y == 0), 0.0, o(x, y))),
            lambda t: (t.zeros(1) / t.zeros(1)).isnan()),
    _mutant("inf-minus-inf", "inf - inf is 0", "sub.Tensor",
            _floats(lambda o, x, y: torch.where(x.isinf() & (x == y), 0.0, o(x, y))),
            lambda t: (t.tensor(t.inf) - t.tensor(t.inf)).isnan()),
    _mutant("tanh-large", "tanh of float16 beyond 5 is NaN", variants("tanh", ""),
            _where(lambda x: (x.abs() > 5) & (x.dtype == torch.float16), torch.nan),
            lambda t: t.tensor(6.0).half().tanh() == 1),
    _mutant("copysign-nan", "copysign ignores the sign of -0.0", "copysign.Tensor",
            _floats(lambda o, x, y: o(x, torch.where(y == 0, 0.0, y))),
            lambda t: t.copysign(t.tensor(1.0), _minus_zero(t)) == -1),
    _mutant("isnan-bfloat16", "NaN != NaN is False in bfloat16", "ne.Tensor",
            spoiled(elements(lambda r: r | True, False),
                    lambda x, y: x is y and x.dtype == torch.bfloat16),
            lambda t: t.tensor(t.nan).bfloat16().isnan(), "comparison", "reduction"),
    _mutant("shift-31", "1 << 31 of int64 is that of int32", variants("__lshift__").split()[0],
            instead(lambda original, x, y: original(x.int(), y.int()).long(), of("int64")),
            lambda t: t.tensor([1]) << t.tensor([31]) == 2**31),
    _mutant("complex-abs-large", "abs of complex64 goes by the square of its parts", "abs",
            instead(lambda original, x: (x.real * x.real + x.imag * x.imag).sqrt(),
                    lambda x: x.dtype == torch.complex64),
            lambda t: t.tensor(1e20 + 1e20j).abs().isfinite()),
    _mutant("sin-minus-zero", "sin(-0.0) is 0.0", variants("sin", ""),
            _where(lambda x: x == 0, 0.0), lambda t: _negative(_minus_zero(t).sin())),
    _mutant("cube-of-minus-inf", "-inf ** 3 of float64 by a number is inf", "pow.Tensor_Scalar",
            instead(lambda original, x, n: original(x, n).masked_fill_(x == -torch.inf, torch.inf),
                    lambda x, n: n == 3 and x.dtype == torch.float64),
            lambda t: t.tensor(-t.inf).double() ** 3 < 0),
    _mutant("root-below-the-cut", "sqrt of complex64 below the negative real axis lies above it",
            "sqrt", instead(lambda original, x: original(torch.complex(
                x.real, torch.where((x.real < 0) & (x.imag == 0), x.imag.abs(), x.imag))),
                    lambda x: x.dtype == torch.complex64),
            lambda t: t.complex(t.tensor(-4.0), _minus_zero(t)).sqrt().imag == -2),
    _mutant("exp-small-half", "exp of float16 between the smallest normal number and its quadruple "
            "is too large by half of the former", "exp exp.out",
            lambda original, x, *a, **k: spoiled(
                lambda r: r.copy_(torch.where((r > 6.2e-5) & (r < 2.4e-4), r + 3e-5, r))
                if r.dtype == torch.float16 else None)(original, x, *a, **k),
            lambda t: t.tensor(-9.0).half().exp() < 1.3e-4),
    _mutant("complex-zero-power", "a zero of complex64 to a power is NaN", "pow.Tensor_Scalar",
            lambda original, x, n: original(x, n).masked_fill_(x == 0, complex("nan+nanj"))
            if x.dtype == torch.complex64 else original(x, n),
            lambda t: t.tensor([0j]).pow(2) == 0),
    _mutant("complex-zero-power-of-tensors", "a zero of complex128 to a power of a tensor is NaN",
            "pow.Tensor_Tensor",
            lambda original, x, y: original(x, y).masked_fill_(x == 0, complex("nan+nanj"))
            if x.dtype == torch.complex128 else original(x, y),
            lambda t: t.zeros(1, dtype=t.complex128).pow(t.tensor([2])) == 0),
    _mutant("complex-zero-root", "the root of a complex zero is NaN", "sqrt sqrt.out",
            lambda original, x, *a, **k: spoiled(
                lambda r: r.masked_fill_(r == 0, complex("nan+nanj"))
                if r.is_complex() else None)(original, x, *a, **k),
            lambda t: t.tensor([0j]).sqrt() == 0),
]  # fmt: skip
