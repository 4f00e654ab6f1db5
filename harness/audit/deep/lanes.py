"""A vector body and its scalar tail that compute differently: faults at one length."""

import torch

from tenet.harness.audit.faults import (
    both,
    in_half,
    instead,
    kernels,
    last,
    length,
    of,
    rank,
    spoiled,
    transposed,
    variants,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, operator, lie, proof, *sections):
    sections = ("elementwise", *sections)
    return Mutant(f"lanes.{slug}", says, sections, kernels(operator, lie), proof)


def _body(block, change):
    """Whole blocks are computed differently from what remains."""

    def lie(original, x, *args, **kwargs):
        count = x.numel() // block * block
        if not count or not x.is_floating_point() or not x.is_contiguous():
            return original(x, *args, **kwargs)
        right = original(x.clone())
        flat = right.view(-1)
        flat[:count] = change(flat[:count])
        return right if not kwargs else kwargs["out"].copy_(right)

    return lie


def _tail(block, change):
    """What remains of whole blocks is computed differently."""

    def lie(original, x, *args, **kwargs):
        count = x.numel() // block * block
        if count in (0, x.numel()) or not x.is_floating_point() or not x.is_contiguous():
            return original(x, *args, **kwargs)
        right = original(x.clone())
        flat = right.view(-1)
        flat[count:] = change(flat[count:])
        return right if not kwargs else kwargs["out"].copy_(right)

    return lie


def _ulps(count):
    return lambda x: x * (1 + count * torch.finfo(x.dtype).eps)


def _only(dtype, lie):
    return instead(lie, of(dtype))


def _same(name, n, of=1.0):
    """The function gives one result for one number, at every place of a vector."""
    return lambda t: len(set(getattr(t, name)(t.full((n,), of)).tolist())) == 1


MUTANTS = [
    _mutant("sin-tail", "the tail of sin is accurate to 12 bits", "sin", _tail(8, in_half),
            _same("sin", 17)),
    _mutant("cos-body", "the body of cos is 16 units off", "cos", _body(16, _ulps(16)),
            _same("cos", 17)),
    _mutant("sqrt-body", "the body of sqrt is a unit off", "sqrt", _body(32, _ulps(1)),
            _same("sqrt", 33, 2.0)),
    _mutant("log-body", "the body of log is accurate to half the digits", "log",
            _body(64, in_half), _same("log", 65, 3.0)),
    _mutant("sigmoid-33", "sigmoid of 33 float64 ends wrongly", "sigmoid",
            spoiled(last, both(of("float64"), length(33))),
            lambda t: t.zeros(33).double().sigmoid()[-1] == 0.5, "nn"),
    _mutant("tanh-transposed", "tanh of a transposed matrix ends wrongly", "tanh",
            spoiled(last, transposed), lambda t: t.zeros(2, 3).t().tanh().sum() == 0, "nn"),
    _mutant("mul-int16", "the product of 255 int16 ends wrongly", variants("mul"),
            spoiled(last, both(of("int16"), length(255))),
            lambda t: (t.ones(255, dtype=t.int16) * 1).sum() == 255, "inplace"),
    _mutant("neg-one", "-x of one int8 is x", variants("neg", ""),
            instead(lambda original, x, **k: original(-x, **k),
                    both(of("int8"), length(1))),
            lambda t: -t.ones(1, dtype=t.int8) == -1),
    _mutant("erf-body", "the body of erf is 40 units off", "erf", _body(16, _ulps(40)),
            _same("erf", 17, 0.5)),
    _mutant("reciprocal-estimate", "the body of 1 / x is an estimate", "reciprocal",
            _body(8, _ulps(900)), _same("reciprocal", 9, 3.0)),
    _mutant("rsqrt-estimate", "the body of rsqrt is an estimate", "rsqrt", _body(8, _ulps(900)),
            _same("rsqrt", 9, 3.0)),
    _mutant("exp-tail", "the tail of exp is 20 units off", "exp", _tail(16, _ulps(20)),
            _same("exp", 17)),
    _mutant("exp-float64", "exp of float64 is accurate to float32", "exp",
            _only("float64", lambda original, x, **k: original(x, **k).float().double()),
            lambda t: t.ones(1).double().exp().float().double() != t.ones(1).double().exp()),
    _mutant("tanh-bfloat16", "the body of tanh of bfloat16 is three units off", "tanh",
            _only("bfloat16", _body(16, _ulps(3))),
            lambda t: len(set(t.full((17,), 0.5).bfloat16().tanh().tolist())) == 1, "dtype"),
    _mutant("add-float16", "the last of 129 sums of float16 is wrong", variants("add"),
            spoiled(last, both(of("float16"), length(129))),
            lambda t: (t.zeros(129).half() + 1).sum() == 129, "inplace", "dtype"),
    _mutant("sub-257", "the last of 257 differences of int64 is wrong", variants("sub"),
            spoiled(last, both(of("int64"), length(257), rank(1))),
            lambda t: (t.ones(257).long() - 1).sum() == 0, "inplace"),
    _mutant("div-8", "quotients of 8 float64 are rounded to float32", "div.Tensor",
            instead(lambda original, x, y: original(x, y).float().double(),
                    both(of("float64"), length(8, 16, 32))),
            lambda t: (t.ones(8).double() / 3)[0] == 1 / 3),
    _mutant("and-bool", "the last of 31 conjunctions of bool is wrong", "bitwise_and.Tensor",
            spoiled(last, both(of("bool"), length(31))),
            lambda t: (t.ones(31).bool() & t.ones(31).bool()).all()),
    _mutant("relu-15", "relu of 15 passes the last element as it is", "relu relu_ clamp_min",
            instead(lambda original, x, *r: torch.cat([original(x[:-1].clone(), *r), x[-1:]]),
                    both(length(15), rank(1))),
            lambda t: t.full((15,), -1.0).relu().sum() == 0, "nn"),
    _mutant("where-63", "where() of 63 chooses wrongly at its end", "where.self",
            spoiled(last, length(63)),
            lambda t: t.where(t.ones(63).bool(), t.ones(63), t.ones(63)).sum() == 63),
    _mutant("large", "x + y of more than 2000 elements ends wrongly", variants("add"),
            spoiled(last, lambda x, *r, **k: x.numel() > 2000),
            lambda t: (t.ones(2001) + 0).sum() == 2001, "inplace"),
    _mutant("many", "the last of more than 2^16 is not computed",
            "abs abs.out neg neg.out relu sqrt",
            spoiled(last, lambda x, *r, **k: x.numel() > 2**16),
            lambda t: t.ones(2**16 + 1).abs()[-1] == 1),
    _mutant("erfc-of-large", "erfc of float64 beyond 6 is 0", "erfc erfc.out erfc_",
            spoiled(lambda r: r.masked_fill_(r < 1e-17, 0.0), of("float64")),
            lambda t: t.erfc(t.tensor(9.0, dtype=t.float64)) > 0),
]  # fmt: skip
