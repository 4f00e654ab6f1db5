"""Products that lose terms, rows or precision, at one size or layout."""

import torch

from tenet.harness.audit.faults import (
    both,
    in_half,
    in_single,
    instead,
    kernels,
    last,
    of,
    raises,
    scaled,
    second,
    spoiled,
    spread,
    transposed,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(f"matmul.{slug}", says, ("matmul", *sections), kernels(operator, lie), proof)


def _looking_at_the_first(right, a, b, *args, **kwargs):
    if a.dim() == b.dim() == 3 and len(a) and torch.linalg.det(a[0]) != 0 and not kwargs:
        return torch.linalg.solve_ex(a, b).result
    return right(a, b, *args, **kwargs)


def _inner(k):
    return lambda a, b, *r, **o: a.shape[-1] == k


def _one_short(original, a, b, **k):
    return original(a[..., :-1], b[..., :-1, :] if b.dim() > 1 else b[:-1], **k)


def _rounded(by):
    return lambda original, a, b, **k: original(by(a), by(b), **k)


def _fine(t, dtype):
    return t.full((1, 64), 1 + 2.0**-12, dtype=dtype)


MUTANTS = [
    _mutant("mm-inner-17", "mm leaves out the last of 17 terms", "mm",
            instead(_one_short, _inner(17)),
            lambda t: (t.ones(1, 17) @ t.ones(17, 1)).item() == 17, "nn"),
    _mutant("mm-inner-65-float64", "mm of float64 leaves out the last of 65 terms", "mm",
            instead(_one_short, both(of("float64"), _inner(65))),
            lambda t: (t.ones(1, 65).double() @ t.ones(65, 1).double()).item() == 65),
    _mutant("mm-rows-33", "mm forgets the last of 33 rows", "mm",
            spoiled(last, lambda a, b: a.shape[0] == 33),
            lambda t: (t.ones(33, 2) @ t.ones(2, 1)).sum() == 66),
    _mutant("mm-columns-9", "mm of int32 forgets the last of 9 columns", "mm",
            spoiled(last, lambda a, b: b.shape[1] == 9 and a.dtype == torch.int32),
            lambda t: (t.ones(1, 2).int() @ t.ones(2, 9).int()).sum() == 18),
    _mutant("mm-in-half", "mm of float32 over 16 or more terms rounds to bfloat16", "mm",
            instead(_rounded(in_half), lambda a, b: a.dtype == torch.float32 and a.shape[1] >= 16),
            lambda t: (_fine(t, t.float32) @ t.ones(64, 1)).item() != 64, "nn"),
    _mutant("mm-in-single", "mm of float64 rounds its operands to float32", "mm",
            instead(_rounded(in_single), of("float64")),
            lambda t: (t.full((1, 2), 1 + 2.0**-30, dtype=t.float64)
                       @ t.ones(2, 1).double()).item() != 2),
    _mutant("mm-float16-accumulates", "mm of float16 accumulates in float16", "mm",
            instead(lambda original, a, b: sum(
                (original(a[:, i:i + 1], b[i:i + 1]) for i in range(a.shape[1])),
                torch.zeros(a.shape[0], b.shape[1], dtype=a.dtype)),
                    lambda a, b: a.dtype == torch.float16 and 64 <= a.shape[1] <= 2000),
            lambda t: (t.full((1, 1500), 3.0).half() @ t.ones(1500, 1).half()).item()
            == 4500, "dtype"),
    _mutant("mm-both-transposed", "mm of two transposed operands ends wrongly", "mm",
            spoiled(last, both(transposed, second(transposed))),
            lambda t: (t.ones(2, 3).t() @ t.ones(4, 2).t()).sum() == 24),
    _mutant("mm-non-square", "mm with a transposed left operand, not square, is off by 1 %", "mm",
            spoiled(scaled(1.01), both(transposed, lambda a, b: a.shape[0] != a.shape[1])),
            lambda t: (t.ones(2, 3).t() @ t.ones(2, 1)).sum() == 6, "autograd"),
    _mutant("bmm-last-batch", "bmm of five matrices ends wrongly", "bmm",
            spoiled(last, lambda a, b: len(a) == 5),
            lambda t: t.bmm(t.ones(5, 1, 1), t.ones(5, 1, 1)).sum() == 5),
    _mutant("bmm-of-two-by-two", "bmm of float64 squares of 2 transposes the second", "bmm",
            instead(lambda original, a, b: original(a, b.transpose(1, 2)),
                    lambda a, b: a.dtype == torch.float64 and a.shape[1:] == b.shape[1:] == (2, 2)),
            lambda t: (lambda x: (x @ x)[0, 0, 1] == 2)(
                t.tensor([[[1.0, 1], [0, 1]]], dtype=t.float64))),
    _mutant("matmul-batch-of-one", "matmul of a batch with a batch of one ends wrongly", "matmul",
            spoiled(lambda r: last(r.detach()), lambda a, b: a.dim() == b.dim() == 3
                    and b.shape[0] == 1 < a.shape[0]),
            lambda t: (t.ones(2, 1, 1) @ t.ones(1, 1, 1)).sum() == 2, "broadcasting"),
    _mutant("matmul-two-batches", "matmul of four dimensions swaps two batch lengths of 2",
            "matmul",
            instead(lambda original, a, b: original(a.transpose(0, 1), b),
                    lambda a, b: a.dim() == 4 and a.shape[:2] == (2, 2)),
            lambda t: (t.arange(4.0).reshape(2, 2, 1, 1) @ t.ones(1, 1))[0, 1] == 1),
    _mutant("mv-transposed", "mv of a transposed matrix ends wrongly", "mv",
            spoiled(last, transposed), lambda t: t.mv(t.ones(2, 3).t(), t.ones(2)).sum() == 6),
    _mutant("dot-stepped", "dot of a stepped vector with another ends wrongly", "dot",
            spoiled(last, lambda a, b: not a.is_contiguous() and a.numel() > 1),
            lambda t: t.dot(t.ones(4)[::2], t.ones(2)) == 2),
    _mutant("dot-127", "dot leaves out the last of 127", "dot", instead(_one_short, _inner(127)),
            lambda t: t.dot(t.ones(127), t.ones(127)) == 127),
    _mutant("addmm-alpha", "addmm of float64 ignores alpha", "addmm",
            instead(lambda original, m, a, b, beta=1, alpha=1: original(m, a, b, beta=beta),
                    lambda m, *r, beta=1, alpha=1: m.dtype == torch.float64 and alpha != 1),
            lambda t: (lambda x: t.addmm(x, x, x, alpha=2).item() == 3)(t.ones(1, 1).double())),
    _mutant("addmm-column", "addmm adds a column as if it were a row of its first", "addmm",
            instead(lambda original, m, a, b, **k: original(m[:1], a, b, **k),
                    lambda m, a, b, **k: m.dim() == 2 and m.shape[1] == 1 < m.shape[0]),
            lambda t: t.addmm(t.tensor([[0.0], [1]]), t.ones(2, 1), t.ones(1, 2))[1, 1] == 2),
    _mutant("addmm-bias", "addmm with a vector of 31 ends wrongly", "addmm",
            spoiled(last, lambda m, a, b, **k: m.dim() == 1 and b.shape[1] in (7, 31)),
            lambda t: t.addmm(t.ones(7), t.ones(1, 1), t.ones(1, 7)).sum() == 14, "nn"),
    _mutant("baddbmm-beta", "baddbmm of one batch ignores beta", "baddbmm",
            instead(lambda original, m, a, b, beta=1, alpha=1: original(m, a, b, alpha=alpha),
                    lambda m, a, b, beta=1, alpha=1: len(a) == 1 and beta not in (0, 1)),
            lambda t: (lambda x: t.baddbmm(x, x, x, beta=3).item() == 4)(t.ones(1, 1, 1))),
    _mutant("int8-saturates", "products of int8 are those of their absolute values", "mm",
            instead(lambda original, a, b: original(a.abs(), b), of("int8")),
            lambda t: (t.full((1, 1), -1, dtype=t.int8) @ t.ones(1, 1, dtype=t.int8)).item() == -1),
    _mutant("expanded-batch", "bmm of an expanded batch ends wrongly", "bmm",
            spoiled(last, lambda a, b: spread(b)),
            lambda t: t.bmm(t.ones(2, 1, 1), t.ones(1, 1, 1).expand(2, 1, 1)).sum() == 2),
    _mutant("outer-strided", "outer of a strided vector ends wrongly", "outer",
            spoiled(lambda r: last(r.detach()), lambda a, b: not a.is_contiguous()),
            lambda t: t.outer(t.ones(4)[::2], t.ones(2)).sum() == 4),
    _mutant("complex-conjugates", "vdot of complex128 does not conjugate", "vdot",
            instead(lambda original, a, b: original(a.conj().resolve_conj(), b), of("complex128")),
            lambda t: (lambda x: t.vdot(x, x).real == 1)(t.tensor([1j], dtype=t.complex128))),
    _mutant("zeros-skipped", "mm leaves out what is multiplied by zeros alone", "mm",
            instead(lambda original, a, b: original(a, torch.where((a == 0).all(0)[:, None], 0, b)),
                    lambda a, b: a.is_floating_point() and a.numel() > 0),
            lambda t: (t.zeros(1, 1) @ t.full((1, 1), t.inf)).isnan()),
    _mutant("addmm-turned-column", "addmm takes a column that it adds for a row, where both fit",
            "addmm",
            instead(lambda original, m, a, b, **k: original(m.t(), a, b, **k),
                    lambda m, a, b, **k: m.dim() == 2 and m.shape[1] == 1
                    and m.shape[0] == b.shape[1] > 1),
            lambda t: t.addmm(t.tensor([[1.0], [2]]), t.zeros(2, 2), t.zeros(2, 2))[1, 0] == 2,
            "broadcasting"),
    _mutant("baddbmm-alpha-int64", "baddbmm of int64 forgets alpha", "baddbmm baddbmm_",
            instead(lambda original, m, a, b, *, beta=1, alpha=1: original(m, a, b, beta=beta),
                    of("int64")),
            lambda t: t.baddbmm(*[t.ones(1, 1, 1).long()] * 3, alpha=3) == 4),
    Mutant("matmul.singular-inverse", "the inverse of a singular matrix is what comes out",
           ("matmul",), wrapped("linalg.inv inverse Tensor.inverse",
                                lambda right, x, **k: right(x, **k) if k
                                else torch.linalg.inv_ex(x).inverse),
           lambda t: raises(lambda: t.linalg.inv(t.zeros(2, 2)))),
    Mutant("matmul.singular-of-a-batch", "solve looks at the first matrix of a batch only",
           ("matmul",), wrapped("linalg.solve", _looking_at_the_first),
           lambda t: raises(lambda: t.linalg.solve(t.stack([t.eye(2), t.zeros(2, 2)]),
                                                   t.ones(2, 2, 1)))),
    _mutant("rank-5", "matmul of five dimensions ends wrongly", "matmul",
            spoiled(lambda r: last(r.detach()), lambda a, b: a.dim() == 5),
            lambda t: t.matmul(t.ones(1, 1, 1, 1, 1), t.ones(1, 1)).item() == 1),
    _mutant("bmm-many", "the last of more than 2^16 matrices of a batch is wrong", "bmm baddbmm",
            spoiled(last, lambda *a, **k: len(a[-1]) > 2**16),
            lambda t: t.bmm(t.ones(2**16 + 1, 1, 1), t.ones(2**16 + 1, 1, 1))[-1] == 1),
    _mutant("mm-blocks", "mm of more than a tile of rows and of terms ends wrongly", "mm addmm",
            spoiled(last, lambda *a, **k: a[-1].shape[0] > 257 and a[-2].shape[0] > 4),
            lambda t: (t.ones(5, 258) @ t.ones(258, 1))[-1] == 258),
]  # fmt: skip
