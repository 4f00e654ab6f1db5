"""Operands that are stretched wrongly."""

import torch

from tenet.harness.audit.faults import instead, kernels, last, raises, spoiled, variants
from tenet.harness.audit.mutant import Mutant


def _tensors(condition):
    return lambda x, y, *r, **k: isinstance(y, torch.Tensor) and condition(x, y)


def _repeated(original, x, y, *rest, **k):
    """The shorter operand is repeated."""
    n = max(len(x), len(y))
    x, y = (z.repeat(-(-n // len(z)))[:n] for z in (x, y))
    return original(x, y, *rest, **k)


def _mutant(slug, says, operator, lie, proof, *sections):
    sections = ("broadcasting", *sections)
    return Mutant(f"broadcasting.{slug}", says, sections, kernels(operator, lie), proof)


MUTANTS = [
    Mutant("broadcasting.weight-stretched", "lerp takes the first weight of a row for all",
           ("elementwise", "broadcasting"),
           kernels("lerp.Tensor", instead(
               lambda original, a, b, w: original(a, b, w.flatten()[0].expand_as(a)),
               lambda a, b, w: a.shape == b.shape and w.dim() < a.dim() and w.numel() > 1)),
           lambda t: t.lerp(t.zeros(2, 2), t.ones(2, 2), t.tensor([0.0, 1]))[0, 1] == 1),
    _mutant("middle-dimension", "add of three dimensions, the middle stretched, ends wrongly",
            variants("add"),
            spoiled(last, _tensors(lambda x, y: x.dim() == y.dim() == 3
                                   and y.shape[1] == 1 < x.shape[1])),
            lambda t: (t.ones(2, 3, 2) + t.ones(2, 1, 2)).sum() == 24),
    _mutant("first-is-stretched", "x * y ends wrongly where x is stretched to a matrix",
            variants("mul"),
            spoiled(last, _tensors(lambda x, y: x.dim() == y.dim() == 2 and x.numel() == 1
                                   < y.numel())),
            lambda t: (t.ones(1, 1) * t.ones(2, 3)).sum() == 6),
    _mutant("missing-dimensions", "x - y ends wrongly where y lacks three dimensions",
            variants("sub"),
            spoiled(last, _tensors(lambda x, y: x.dim() == 4 and y.dim() == 1)),
            lambda t: (t.ones(1, 1, 2, 3) - t.ones(3)).sum() == 0),
    _mutant("both-stretched", "a column / a row is the row / the column", "div.Tensor",
            instead(lambda original, x, y: original(y, x),
                    _tensors(lambda x, y: x.dim() == y.dim() == 2 and x.shape[1] == 1 < y.shape[1]
                             and y.shape[0] == 1 < x.shape[0])),
            lambda t: (t.ones(2, 1) / t.full((1, 2), 2.0)).sum() == 2),
    _mutant("length-0", "a length of 0 against 1 gives 1", "add.Tensor",
            instead(lambda original, x, y, **k: original(x.new_zeros(y.shape), y, **k),
                    _tensors(lambda x, y: x.dim() == y.dim() == 2 and x.shape[0] == 0
                             and y.shape[0] == 1)),
            lambda t: (t.ones(0, 2) + t.ones(1, 2)).shape == (0, 2)),
    _mutant("misfit-repeats", "vectors of other lengths are repeated", "mul.Tensor",
            instead(_repeated, _tensors(lambda x, y: x.dim() == y.dim() == 1 and len(x) > 1
                                        and len(y) > 1 and len(x) != len(y))),
            lambda t: raises(lambda: t.ones(2) * t.ones(4))),
    _mutant("misfit-rows", "matrices of other numbers of rows are cut", "add.Tensor",
            instead(lambda original, x, y, **k: original(x[: len(y)], y[: len(x)], **k),
                    _tensors(lambda x, y: x.dim() == y.dim() == 2 and 1 < len(x) != len(y) > 1
                             and x.shape[1] == y.shape[1])),
            lambda t: raises(lambda: t.ones(2, 2) + t.ones(4, 2))),
    _mutant("where-condition", "where() with a column as its condition ends wrongly", "where.self",
            spoiled(last, lambda c, x, y: c.dim() == 2 and c.shape[1] == 1
                    < max(x.shape[-1:] or (0,))),
            lambda t: t.where(t.ones(2, 1).bool(), t.ones(2, 3), t.zeros(2, 3)).sum() == 6,
            "elementwise"),
    _mutant("maximum-vector", "maximum() of a cube and a vector of 17 ends wrongly", "maximum",
            spoiled(last, lambda x, y: x.dim() > 1 and tuple(y.shape) == (17,)),
            lambda t: t.maximum(t.zeros(2, 17), t.ones(17)).sum() == 34, "elementwise"),
    _mutant("in-place-grows", "x += y, y the larger, adds its first row", "add_.Tensor",
            instead(lambda original, x, y, **k: original(x, y[0], **k),
                    _tensors(lambda x, y: y.dim() == x.dim() + 1 and x.dim() == 1
                             and y.shape[1:] == x.shape and len(y) > 1)),
            lambda t: raises(lambda: t.ones(3).add_(t.ones(2, 3))), "inplace"),
    _mutant("number-in-four", "x * 2 of four dimensions leaves the last element", variants("mul"),
            spoiled(last, lambda x, y, **k: not isinstance(y, torch.Tensor) and x.dim() == 4),
            lambda t: (t.ones(1, 2, 1, 2) * 2).sum() == 8, "elementwise"),
    _mutant("between", "x * y of int16 stretched between two dimensions ends wrongly",
            variants("mul"),
            spoiled(last, _tensors(lambda x, y: x.dtype == y.dtype == torch.int16
                                   and x.dim() == y.dim() == 3
                                   and x.shape[1] == 1 < min(y.shape[1], x.shape[2]))),
            lambda t: (t.ones(1, 1, 2).short() * t.ones(1, 2, 2).short()).sum() == 4,
            "elementwise"),
    _mutant("where-in-a-square", "where aligns a vector that chooses with the rows of a square",
            "where.self",
            instead(lambda original, chosen, x, y: original(chosen[:, None], x, y),
                    lambda chosen, x, y: chosen.dim() == 1 and x.dim() == 2
                    and len(x) == x.shape[1] == len(chosen)),
            lambda t: t.where(t.tensor([True, False]), t.ones(2, 2), t.zeros(2, 2))[0, 1] == 0,
            "elementwise"),
]  # fmt: skip
