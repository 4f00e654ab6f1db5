"""In-place operations and out= that write too little, or elsewhere."""

import torch

from tenet.harness.audit.faults import (
    both,
    instead,
    kernels,
    last,
    length,
    of,
    raises,
    rank,
    spoiled,
    strided,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _kept_last(original, x, *args, **kwargs):
    """The last element keeps its value."""
    if not x.numel():
        return original(x, *args, **kwargs)
    place = x[(-1,) * x.dim()]
    before = place.clone()
    original(x, *args, **kwargs)
    place.copy_(before)
    return x


def _untouched(original, x, *args, **kwargs):
    return x


def _beside(original, *args, out, **kwargs):
    """out= of a vector is written, and something else returned."""
    return original(*args, out=out, **kwargs).clone()


def _unresized(original, *args, out, **kwargs):
    """An out= of no elements stays so."""
    original(*args, out=torch.empty_like(out), **kwargs)
    return out


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(f"inplace.{slug}", says, ("inplace", *sections), kernels(operator, lie), proof)


MUTANTS = [
    Mutant("inplace.resized-anew", "resize_ to more elements of int16 keeps none", ("inplace",),
           wrapped("Tensor.resize_", lambda right, x, *sizes, **k: (
               lambda more: right(x, *sizes, **k).zero_() if more else right(x, *sizes, **k))(
               x.dtype == torch.int16 and x.numel() < torch.empty(
                   *sizes, device="meta").numel())),
           lambda t: t.ones(2).short().resize_(3)[0] == 1),
    Mutant("inplace.set-from-its-start", "set_ begins where the memory does", ("inplace",),
           wrapped("Tensor.set_", lambda right, x, y, *a: right(
               x, y.untyped_storage(), 0, y.shape, y.stride()) if not a else right(x, y, *a)),
           lambda t: t.ones(1).set_(t.tensor([0.0, 1])[1:])[0] == 1),
    Mutant("inplace.tens", "round_ ignores decimals=", ("inplace",),
           wrapped("Tensor.round_", lambda right, x, **k: right(x)),
           lambda t: t.tensor([14.0]).round_(decimals=-1) == 10),
    Mutant("inplace.diagonal-of-columns", "fill_diagonal_ of a tall matrix begins again",
           ("inplace",),
           wrapped("Tensor.fill_diagonal_", lambda right, x, value, **k: right(x, value, True)),
           lambda t: t.zeros(5, 2).fill_diagonal_(1).sum() == 2),
    _mutant("add-strided", "add_ of strided float64 changes nothing", "add_.Tensor",
            instead(_untouched, both(of("float64"), strided)),
            lambda t: t.zeros(4, dtype=t.float64)[::2].add_(1).sum() == 2),
    _mutant("mul-33", "mul_ of 33 elements leaves the last", "mul_.Tensor",
            instead(_kept_last, length(33)), lambda t: t.ones(33).mul_(2).sum() == 66),
    _mutant("exp-without-dimensions", "exp_ of no dimensions changes nothing", "exp_",
            instead(_untouched, rank(0)), lambda t: t.tensor(1.0).exp_() > 2, "elementwise"),
    _mutant("fill-int8", "fill_ of int8 leaves the last of 17", "fill_.Scalar",
            instead(_kept_last, both(of("int8"), length(17))),
            lambda t: t.zeros(17, dtype=t.int8).fill_(1).sum() == 17, "creation"),
    _mutant("zero-strided", "zero_ of a transposed matrix leaves the last element", "zero_",
            instead(_kept_last, both(rank(2), strided)),
            lambda t: t.ones(2, 3).t().zero_().sum() == 0),
    _mutant("clamp-min", "clamp_ of float64 ignores min", "clamp_",
            instead(lambda original, x, low=None, high=None: original(x, None, high),
                    lambda x, low=None, high=None: x.dtype == torch.float64 and high is not None),
            lambda t: t.zeros(1).double().clamp_(1, 2) == 1, "elementwise"),
    _mutant("clamp-from-4-dimensions", "clamp_ of four dimensions leaves the last element",
            "clamp_", instead(_kept_last, rank(4)),
            lambda t: t.zeros(1, 1, 1, 2).clamp_(1, 2).sum() == 2, "elementwise"),
    _mutant("masked-fill-bfloat16", "masked_fill_ of bfloat16 leaves the last element",
            "masked_fill_.Scalar", instead(_kept_last, of("bfloat16")),
            lambda t: t.zeros(2).bfloat16().masked_fill_(t.ones(2).bool(), 1).sum() == 2,
            "indexing"),
    Mutant("inplace.sub-out-beside", "sub with out= returns another tensor",
           ("inplace", "elementwise"),
           wrapped("sub", instead(_beside, lambda *a, out=None, **k: out is not None)),
           lambda t: (lambda o: t.sub(t.ones(2), t.ones(2), out=o) is o)(t.zeros(2))),
    _mutant("add-out-empty", "add into an out= without elements leaves it so", "add.out",
            instead(_unresized, lambda *a, out, **k: out.numel() == 0 < a[0].numel()),
            lambda t: t.add(t.ones(2), 1, out=t.empty(0)).shape == (2,), "elementwise"),
    _mutant("copy-broadcast", "copy_ of a vector into a cube leaves the last element", "copy_",
            instead(_kept_last, lambda x, y, *r: x.dim() == 3 and y.dim() == 1),
            lambda t: t.zeros(2, 1, 2).copy_(t.ones(2)).sum() == 4, "device", "broadcasting"),
    _mutant("copy-int64-float32", "copy_ of float32 into int64 rounds", "copy_",
            instead(lambda original, x, y, *r: original(x, y.round(), *r),
                    lambda x, y, *r: (x.dtype, y.dtype) == (torch.int64, torch.float32)),
            lambda t: t.zeros(1).long().copy_(t.tensor([1.75])) == 1, "dtype"),
    _mutant("true-division", "div_ of 8 float32 by themselves gives 0", "div_.Tensor",
            instead(lambda original, x, y: original(x, x + 1), lambda x, y: x is y and
                    x.numel() == 8),
            lambda t: (lambda x: x.div_(x).sum() == 8)(t.ones(8))),
    _mutant("sigmoid-two", "sigmoid_ of two dimensions is another tensor", "sigmoid_",
            instead(lambda original, x: torch.sigmoid(x), rank(2)),
            lambda t: (lambda x: (x.sigmoid_(), float(x[0, 0]))[1] == 0.5)(t.zeros(2, 2)),
            "elementwise"),
    _mutant("float-into-integers", "int32 += float is rounded silently", "add_.Tensor",
            instead(lambda original, x, y, **k: original(x, int(y), **k),
                    lambda x, y, **k: isinstance(y, float) and x.dtype == torch.int32),
            lambda t: raises(lambda: t.ones(2).int().add_(1.5)), "promotion"),
    Mutant("inplace.assignment-of-one", "x[i] = number adds where x is uint8",
           ("inplace", "indexing"),
           wrapped("Tensor.__setitem__", lambda right, x, i, v: right(x, i, right_get(x, i) + v)
                   if x.dtype == torch.uint8 and type(v) is int and type(i) is int
                   else right(x, i, v)),
           lambda t: (lambda x: (x.__setitem__(0, 3), int(x[0]))[1] == 3)(t.ones(2).byte())),
    _mutant("last-of-1025", "neg_ of 1025 elements leaves the last", "neg_",
            instead(_kept_last, length(1025)), lambda t: t.ones(1025).neg_().sum() == -1025,
            "elementwise"),
    _mutant("lerp-scalar", "lerp_ of bfloat16 ends wrongly", "lerp_.Scalar",
            spoiled(last, of("bfloat16")),
            lambda t: t.zeros(2).bfloat16().lerp_(t.ones(2).bfloat16(), 1.0).sum() == 2,
            "elementwise"),
    _mutant("clamp-fraction", "clamp_ of int32 cuts off what is not whole of its limits", "clamp_",
            instead(lambda original, x, *n: original(x, *(m if m is None else int(m) for m in n)),
                    of("int32")),
            lambda t: raises(lambda: t.ones(1).int().clamp_(1.5)), "promotion"),
    _mutant("transpose-from-the-end", "transpose_ of dimensions from the end does nothing, rank 3",
            "transpose_",
            instead(lambda original, x, a, b: x, lambda x, a, b: a < 0 and b < 0 and x.dim() == 3),
            lambda t: t.ones(1, 2, 3).transpose_(-1, -2).shape == (1, 3, 2), "shape"),
    Mutant("inplace.iadd-0d-int64", "+= of two 0-d int64 gives a new tensor", ("inplace",),
           wrapped("Tensor.__iadd__", instead(
               lambda original, x, y: x + y,
               lambda x, y: x.dtype == torch.int64 and isinstance(y, torch.Tensor)
               and x.dim() == y.dim() == 0 and not y.is_floating_point())),
           lambda t: (lambda x: x.__iadd__(t.tensor(1)) is x)(t.tensor(1))),
]  # fmt: skip


def right_get(x, i):
    """What stood there."""
    return int(x[i]) if x.dim() == 1 else 0
