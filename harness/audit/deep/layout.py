"""Kernels that ignore how a tensor lies in memory."""

import torch

from tenet.harness.audit.faults import (
    both,
    fed,
    instead,
    kernels,
    last,
    length,
    of,
    packed,
    rank,
    second,
    shifted,
    spoiled,
    spread,
    strided,
    transposed,
    unshifted,
    unspread,
    variants,
)
from tenet.harness.audit.mutant import Mutant

STEPPED = both(rank(1), strided)


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(f"layout.{slug}", says, sections, kernels(operator, lie), proof)


def _matrix(t, **k):
    return t.arange(6, **k).reshape(2, 3)


def _channels_last(x, *rest, **k):
    return (
        x.dim() == 4
        and not x.is_contiguous()
        and x.is_contiguous(memory_format=torch.channels_last)
    )


def _late(t):
    """Channels last, from the second sample on."""
    x = t.arange(36.0).view(3, 3, 2, 2).to(memory_format=t.channels_last)
    return x[1:]


def _late_packed(original, tensors, *rest, **k):
    first, *others = tensors
    return original([first, *(packed(x) if not x.is_contiguous() else x for x in others)], *rest,
                    **k)  # fmt: skip


MUTANTS = [
    _mutant("clone-beyond-a-tile", "clone of a transposed matrix of more than 64 of both ends "
            "wrongly", "clone",
            spoiled(last, lambda x, **k: x.dim() == 2 and min(x.shape) > 64 and x.stride(0) == 1),
            lambda t: t.zeros(66, 67).t().contiguous()[-1, -1] == 0, "indexing", "view"),
    _mutant("cast-of-many", "a conversion of more than 65536 ends wrongly", "_to_copy",
            spoiled(last, lambda x, **k: x.numel() > 2**16),
            lambda t: t.ones(70000).double()[-1] == 1, "dtype"),
    _mutant("comparison-of-many", "x == y of more than 32768 ends wrongly", "eq.Tensor",
            spoiled(last, lambda x, y: x.numel() > 2**15),
            lambda t: (t.ones(70000) == t.ones(70000))[-1], "comparison"),
    _mutant("sum-of-many-in-place", "x += y of more than 65536 ends wrongly", "add_.Tensor",
            spoiled(last, lambda x, y, **k: x.numel() > 2**16),
            lambda t: t.ones(70000).add_(t.ones(70000))[-1] == 2, "inplace"),
    _mutant("fill-of-many", "full of more than 65536 ends wrongly", "fill_.Scalar",
            spoiled(last, lambda x, number: x.numel() > 2**16),
            lambda t: t.full((70000,), 2)[-1] == 2, "creation"),
    _mutant("clone-of-eight-dimensions", "clone of eight dimensions copies as they lie", "clone",
            fed(packed, lambda x, **k: x.dim() > 7 and strided(x)),
            lambda t: t.arange(4).view(2, 2, 1, 1, 1, 1, 1, 1).transpose(0, 1).clone().flatten()[1]
            == 2, "shape", "view"),
    _mutant("sum-offset", "sum of float32 begins where the storage does", "sum.dim_IntList",
            fed(unshifted, both(of("float32"), shifted)),
            lambda t: t.arange(5.0)[2:].sum() == 9, "reduction"),
    _mutant("amax-transposed", "amax takes a transposed matrix as it lies", "amax",
            fed(packed, both(rank(2), transposed)),
            lambda t: t.amax(_matrix(t).t(), 1).tolist() == [3, 4, 5], "reduction"),
    _mutant("add-expanded", "int32 + y takes 0 for all but the first of expanded elements",
            variants("add"), fed(unspread, second(both(of("int32"), spread)), at=1),
            lambda t: (t.zeros(3, dtype=t.int32) + t.ones(1, dtype=t.int32).expand(3)).sum() == 3,
            "elementwise", "broadcasting"),
    _mutant("mul-expanded-first", "x * y of an expanded float64 x", "mul.Tensor",
            fed(unspread, both(of("float64"), spread)),
            lambda t: (t.ones(1).double().expand(3) * t.ones(3).double()).sum() == 3,
            "elementwise", "broadcasting"),
    _mutant("exp-strided", "exp of strided float64 ends wrongly", variants("exp", ""),
            spoiled(last, both(of("float64"), strided)),
            lambda t: t.zeros(4, dtype=t.float64)[::2].exp().tolist() == [1, 1], "elementwise"),
    _mutant("clone-transposed", "clone of transposed int16 copies as it lies", "clone",
            fed(packed, both(of("int16"), transposed)),
            lambda t: _matrix(t, dtype=t.int16).t().clone()[1, 0] == 1, "view", "shape", "dtype"),
    _mutant("copy-strided-bool", "copy_ from strided bool copies as it lies", "copy_",
            fed(packed, second(both(of("bool"), strided)), at=1),
            lambda t: t.zeros(2).bool().copy_(t.tensor([True, False, True])[::2]).all(),
            "inplace", "view", "dtype", "device"),
    _mutant("mm-transposed-bfloat16", "mm of a transposed bfloat16 right operand", "mm",
            fed(packed, second(both(of("bfloat16"), transposed)), at=1),
            lambda t: (t.ones(1, 3).bfloat16() @ _matrix(t).bfloat16().t()).tolist() == [[3, 12]],
            "matmul"),
    _mutant("bmm-strided", "bmm of a strided left operand", "bmm", fed(packed, strided),
            lambda t: t.bmm(_matrix(t).float().t()[None], t.ones(1, 2, 1)).flatten().tolist()
            == [3, 5, 7], "matmul"),
    _mutant("cat-strided", "cat takes all operands but the first as they lie", "cat", _late_packed,
            lambda t: t.cat([t.zeros(1), t.arange(4.0)[::2]]).tolist() == [0, 0, 2], "shape"),
    _mutant("cumsum-stepped", "cumsum of every other element takes every element", "cumsum",
            fed(packed, STEPPED),
            lambda t: t.arange(6)[::2].cumsum(0).tolist() == [0, 2, 6], "reduction"),
    _mutant("sort-transposed", "sort of a transposed matrix sorts as it lies", "sort sort.stable",
            fed(packed, both(rank(2), transposed)),
            lambda t: _matrix(t).t().sort(1)[0].tolist() == [[0, 3], [1, 4], [2, 5]], "indexing"),
    _mutant("index-offset", "advanced indexing reads from the beginning of the storage",
            "index.Tensor", fed(unshifted, both(rank(1), shifted)),
            lambda t: t.arange(5)[2:][t.tensor([0, 1])].tolist() == [2, 3], "indexing"),
    _mutant("gather-expanded", "gather takes 0 for an expanded index", "gather",
            lambda original, x, dim, index, **k: original(
                x, dim, unspread(index) if spread(index) else index, **k),
            lambda t: t.gather(t.arange(3), 0, t.tensor([2]).expand(2)).tolist() == [2, 2],
            "indexing"),
    _mutant("softmax-strided", "softmax of strided float32 as it lies", "_softmax",
            fed(packed, both(of("float32"), strided)),
            lambda t: t.softmax(t.tensor([[0.0, 0], [9, 9]]).t(), 1)[0, 0] < 0.1,
            "nn", "elementwise", "reduction"),
    _mutant("convolution-channels-last", "convolution of channels-last input as it lies",
            "convolution", fed(packed, _channels_last),
            lambda t: t.conv2d(t.arange(8.0).reshape(1, 2, 2, 2).contiguous(
                memory_format=t.channels_last), t.ones(1, 2, 1, 1)).flatten().tolist()
            == [4, 6, 8, 10], "nn"),
    _mutant("out-strided", "mul into a strided out= ends wrongly", "mul.out",
            spoiled(last, lambda x, y, *, out: strided(out)),
            lambda t: t.mul(t.ones(2), t.ones(2), out=t.zeros(4)[::2]).sum() == 2,
            "inplace", "elementwise", "broadcasting"),
    _mutant("argmax-permuted", "argmax of three permuted dimensions", "argmax",
            fed(packed, both(rank(3), strided)),
            lambda t: t.argmax(t.tensor([[[0, 1, 9], [9, 1, 0]]]).permute(2, 0, 1), 0).tolist()
            == [[2, 0]],
            "reduction"),
    _mutant("cast-stepped", "float16 to float64 of every other element takes every element",
            "_to_copy", fed(packed, both(of("float16"), STEPPED)),
            lambda t: t.arange(4).half()[::2].double().tolist() == [0, 2], "dtype", "device"),
    _mutant("eq-expanded", "== of an expanded uint8", "eq.Tensor",
            fed(unspread, both(of("uint8"), spread)),
            lambda t: (t.ones(1).byte().expand(2) == t.ones(2).byte()).all(), "comparison"),
    _mutant("where-strided", "where() takes a strided second choice as it lies", "where.self",
            lambda original, c, x, y: original(c, x, packed(y) if strided(y) else y),
            lambda t: t.where(t.zeros(2).bool(), t.zeros(2), t.arange(4.0)[::2]).tolist()
            == [0, 2], "elementwise"),
    _mutant("matmul-row-of-257", "mm of an offset left operand with 257 columns", "mm",
            spoiled(last, lambda a, b: shifted(a) and a.shape[1] == 257),
            lambda t: (t.ones(2, 257)[1:] @ t.ones(257, 1)).item() == 257, "matmul"),
    _mutant("fill-strided", "fill_ of strided float64 fills the first elements of its memory",
            "fill_.Scalar fill_.Tensor",
            instead(lambda original, x, v: (original(packed_view(x), v), x)[1],
                    both(of("float64"), strided)),
            lambda t: t.zeros(4, dtype=t.float64)[::2].fill_(1).tolist() == [1, 1],
            "inplace", "view"),
    _mutant("abs-33-strided", "abs of 33 strided elements ends wrongly", variants("abs", ""),
            spoiled(last, both(length(33), strided)),
            lambda t: t.ones(66)[::2].abs().sum() == 33, "elementwise", "inplace"),
    _mutant("gather-index", "gather reads a strided index of rank 3 as it lies", "gather",
            fed(packed, lambda x, dim, i, **k: i.dim() == 3 and strided(i), at=2),
            lambda t: (lambda i: t.arange(8).reshape(1, 1, 8).gather(2, i).tolist()
                       == i.tolist())(t.arange(8).reshape(1, 1, 8)[..., ::2]), "indexing"),
    _mutant("index-vector", "x[i] reads an index vector alone, that is strided, as it lies",
            "index.Tensor",
            lambda original, x, i: original(
                x, [packed(i[0])] if len(i) == 1 and i[0].dim() == 1 and strided(i[0]) else i),
            lambda t: t.arange(4)[t.arange(4)[::2]].tolist() == [0, 2], "indexing"),
    _mutant("index-select-int32", "index_select reads a strided int32 index as it lies",
            "index_select", fed(packed, lambda x, dim, i: i.dtype == torch.int32 and strided(i),
                                at=2),
            lambda t: t.arange(4).index_select(0, t.arange(4).int()[::2]).tolist() == [0, 2],
            "indexing"),
    _mutant("searchsorted-strided", "searchsorted reads a strided int32 sequence as it lies",
            "searchsorted.Tensor", fed(packed, both(of("int32"), strided)),
            lambda t: t.searchsorted(t.arange(8).int()[::2], t.tensor([6]).int()) == 3,
            "indexing"),
    _mutant("repeats-strided", "repeat_interleave reads strided counts as they lie",
            "repeat_interleave.Tensor", fed(packed, strided),
            lambda t: t.arange(2).repeat_interleave(t.arange(4)[::2]).tolist() == [1, 1],
            "shape"),
    _mutant("roll-int16", "roll of strided int16 of rank 3 ends wrongly", "roll",
            spoiled(last, both(of("int16"), rank(3), strided)),
            lambda t: t.zeros(1, 1, 4).short()[..., ::2].roll(1, 2).sum() == 0,
            "shape", "indexing"),
    _mutant("late-channels-last-average", "avg_pool2d begins channels-last where the storage does",
            "avg_pool2d", fed(unshifted, both(_channels_last, shifted)),
            lambda t: t.nn.functional.avg_pool2d(_late(t), 1).equal(_late(t)), "nn"),
    _mutant("late-channels-last-exp", "exp begins channels-last where the storage does",
            variants("exp", ""), fed(unshifted, both(_channels_last, shifted)),
            lambda t: _late(t).exp()[0, 0, 0, 0] == t.tensor(12.0).exp(), "elementwise"),
    _mutant("late-transposed-tanh", "tanh of a shifted transposed matrix begins with its storage",
            variants("tanh", ""), fed(unshifted, both(rank(2), transposed, shifted)),
            lambda t: t.arange(9.0).view(3, 3)[1:].t().tanh()[0, 0] > 0.9, "elementwise"),
]  # fmt: skip


def packed_view(x):
    """The elements after the first, as they lie."""
    return (
        x.as_strided((x.numel(),), (1,)) if x.numel() < 2 else x.as_strided((x.numel() - 1,), (1,))
    )
