"""Comparisons that are wrong for some pairs."""

import torch

from tenet.harness.audit.faults import (
    both,
    instead,
    kernels,
    last,
    length,
    of,
    rank,
    second,
    spoiled,
    strided,
)
from tenet.harness.audit.mutant import Mutant

INF = float("inf")


def _mutant(slug, says, operator, lie, proof, *sections):
    sections = ("comparison", *sections)
    return Mutant(f"comparison.{slug}", says, sections, kernels(operator, lie), proof)


def _through(dtype):
    return lambda original, x, y, **k: original(x.to(dtype), y.to(dtype), **k)


def _tensors(condition):
    return lambda x, y, **k: isinstance(y, torch.Tensor) and condition(x, y)


def _upper(x):
    return x.contiguous().view(torch.int16) // 2


MUTANTS = [
    _mutant("eq-nan", "NaN == NaN of float64 is True", "eq.Tensor",
            instead(lambda original, x, y: original(x, y) | (x.isnan() & y.isnan()),
                    _tensors(lambda x, y: x.dtype == y.dtype == torch.float64)),
            lambda t: not (lambda x: x == x)(t.tensor(t.nan, dtype=t.float64)), "reduction"),
    _mutant("lt-zeros", "-0.0 < 0.0", "lt.Tensor",
            instead(lambda original, x, y: original(x, y) | ((x == y) & x.signbit() & ~y.signbit()),
                    _tensors(lambda x, y: x.dtype == y.dtype == torch.float32)),
            lambda t: not t.tensor(-0.0) < t.tensor(0.0)),
    _mutant("le-int64", "int64 <= int64 compares in float64", "le.Tensor",
            instead(_through(torch.float64),
                    _tensors(lambda x, y: x.dtype == y.dtype == torch.int64)),
            lambda t: not t.tensor([2**53 + 1]) <= t.tensor([2**53])),
    _mutant("gt-int32-number", "int32 > a float rounds the float to zero", "gt.Scalar",
            instead(lambda original, x, y: original(x, int(y)),
                    lambda x, y: x.dtype == torch.int32 and isinstance(y, float)
                    and y not in (INF, -INF) and y == y),
            lambda t: (t.zeros(1).int() > -0.5).all()),
    _mutant("eq-number-16", "0 of float16 == every number",
            "eq.Scalar",
            instead(lambda original, x, y: original(x, y) | (x == 0),
                    both(of("float16"), rank(1))),
            lambda t: not t.equal(t.zeros(1).half() == 1.5, t.ones(1).bool())),
    _mutant("ge-bool", "bool >= bool is >", "ge.Tensor",
            instead(lambda original, x, y: torch.gt(x, y),
                    _tensors(lambda x, y: x.dtype == y.dtype == torch.bool)),
            lambda t: (lambda x: x >= x)(t.ones(1).bool())),
    _mutant("ne-complex", "complex != complex compares the real parts", "ne.Tensor",
            instead(lambda original, x, y: original(x.real, y.real),
                    _tensors(lambda x, y: x.is_complex() and y.is_complex())),
            lambda t: t.tensor(1j) != t.tensor(2j)),
    _mutant("lt-129", "x < y of 129 ends wrongly", "lt.Tensor lt_.Tensor lt.Tensor_out",
            spoiled(last, length(129)), lambda t: not (t.ones(129) < t.ones(129)).any()),
    _mutant("eq-strided", "x == y of a strided second operand ends wrongly", "eq.Tensor",
            spoiled(last, second(strided)),
            lambda t: (t.ones(2) == t.ones(4)[::2]).all()),
    _mutant("equal-end", "equal() does not see the last of more than 32", "equal",
            instead(lambda original, x, y: original(x.flatten()[:-1], y.flatten()[:-1]),
                    lambda x, y: x.shape == y.shape and x.numel() > 32),
            lambda t: not t.equal(t.cat([t.zeros(33), t.ones(1)]), t.zeros(34))),
    _mutant("equal-shapes", "equal() of a vector and a row is that of their elements", "equal",
            instead(lambda original, x, y: original(x.flatten(), y.flatten()),
                    lambda x, y: x.numel() == y.numel()),
            lambda t: not t.equal(t.ones(3), t.ones(1, 3))),
    _mutant("isclose-rtol", "isclose takes rtol of the first", "isclose",
            instead(lambda original, x, y, *r, **k: original(y, x, *r, **k),
                    lambda x, y, *r, **k: x.shape == y.shape),
            lambda t: not t.isclose(t.tensor([2.0]), t.tensor([1.0]), rtol=0.5, atol=0)),
    _mutant("in-place-lt", "lt_ of int32 is le_", "lt_.Tensor lt_.Scalar",
            instead(lambda original, x, y: x.le_(y), of("int32")),
            lambda t: t.ones(1).int().lt_(1) == 0, "inplace"),
    _mutant("gt-bfloat16", "bfloat16 > bfloat16 leaves out the last bit", "gt.Tensor",
            instead(lambda original, x, y: original(x, y) & ~(
                (x > 0) & (y > 0) & (_upper(x) == _upper(y))),
                    _tensors(lambda x, y: x.dtype == y.dtype == torch.bfloat16)),
            lambda t: (t.tensor([1.0078125]).bfloat16() > t.tensor([1.0]).bfloat16()).all()),
    _mutant("isin-inverted-none", "isin(invert=True) of no elements is False everywhere",
            "isin.Tensor_Tensor",
            instead(lambda original, x, tests, **k: torch.zeros_like(x, dtype=torch.bool),
                    lambda x, tests, **k: tests.numel() == 0),
            lambda t: t.isin(t.ones(1), t.ones(0), invert=True)),
]  # fmt: skip
