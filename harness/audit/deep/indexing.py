"""Elements that are read from, or written to, another place."""

import torch

from tenet.harness.audit.faults import (
    both,
    fed,
    instead,
    kernels,
    last,
    length,
    named,
    of,
    packed,
    raises,
    rank,
    second,
    spoiled,
    strided,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(f"indexing.{slug}", says, ("indexing", *sections), kernels(operator, lie), proof)


def _elsewhere(section, slug, says, operator, lie, proof):
    """Of an operand that lies otherwise than the first, in another section's operator."""
    return Mutant(f"indexing.{slug}", says, (section,), kernels(operator, lie), proof)


def _indices(change, when=lambda x, indices: True):
    """The index tensors are others."""

    def lie(original, x, indices, *rest, **k):
        if when(x, indices):
            indices = [i if i is None else change(i) for i in indices]
        return original(x, indices, *rest, **k)

    return lie


def _swapped(result):
    """The last two along the last dimension change places."""
    if result.dim() and result.shape[-1] > 1:
        result[..., -2:] = result[..., -2:].flip(-1)


def _accumulates_once(original, x, indices, values, accumulate=False, *rest):
    return original(x, indices, values, accumulate and x.dtype != torch.float16, *rest)


def _adds_once(original, x, indices, values, accumulate=False, *rest):
    if accumulate and values.dim() == 0:
        return original(x, indices, torch.ops.aten.index(x, indices) + values, False, *rest)
    return original(x, indices, values, accumulate, *rest)


def _adds_up_32(original, x, indices, values, accumulate=False, *rest):
    if accumulate and x.dim() == 1 and x.dtype == torch.float32 and len(indices[0]) > 32:
        indices, values = [indices[0][:32]], values[:32] if values.dim() else values
    return original(x, indices, values, accumulate, *rest)


def _reshapes(original, x, indices, values, accumulate=False, *rest):
    chosen = torch.ops.aten.index(x, indices)
    fits = accumulate and values.numel() == chosen.numel()
    return original(x, indices, values.reshape(chosen.shape) if fits else values, accumulate, *rest)


def _wraps(original, x, indices, values, accumulate=False, *rest):
    if accumulate and len(indices) == 1 and indices[0].dtype == torch.int64:
        indices = [indices[0] % len(x)]
    return original(x, indices, values, accumulate, *rest)


def _spills_where_nothing_is_chosen(original, x, indices, values, *rest):
    result = original(x, indices, values, *rest)
    if values.numel() > 1 and any(i is not None and i.dtype == torch.bool and not i.any()
                                  for i in indices):  # fmt: skip
        last(result)
    return result


def _drops(low):
    """Indices out of range are passed over, with what belongs to them."""

    def lie(original, x, dim, index, source, **k):
        n = x.shape[dim] if x.dim() else 1
        fits = ((index >= low * n) & (index < n)).nonzero().flatten()
        if isinstance(source, torch.Tensor) and source.dim() and source.dim() == x.dim():
            source = source.index_select(dim, fits)
        return original(x, dim, index[fits] if index.dim() else index, source, **k)

    return lie


MUTANTS = [
    _mutant("minus-one", "x[tensor of -1] is the first element", "index.Tensor",
            _indices(lambda i: i.where(i != -1, 0) if i.dtype == torch.int64 else i),
            lambda t: t.arange(3)[t.tensor([-1])] == 2),
    _mutant("mask-of-65", "a mask of 65 leaves out its last element", "index.Tensor",
            _indices(lambda i: torch.cat([i[:-1], i[-1:] & False]) if i.dtype == torch.bool and
                     len(i) == 65 else i),
            lambda t: len(t.arange(65)[t.ones(65).bool()]) == 65),
    _mutant("two-indices", "x[i, j] of float64 is x[j, i] where it can be", "index.Tensor",
            lambda original, x, indices: original(
                x, indices[::-1] if x.dtype == torch.float64 and len(indices) == 2
                and None not in indices and x.shape[0] == x.shape[1]
                and indices[0].dtype == torch.int64 else indices),
            lambda t: t.arange(4.0, dtype=t.float64).reshape(2, 2)[t.tensor([0]), t.tensor([1])]
            == 1),
    _mutant("accumulate-float16", "index_put_ with accumulate=True of float16 does not",
            "_index_put_impl_",
            _accumulates_once,
            lambda t: t.zeros(1).half().index_put_((t.tensor([0, 0]),), t.ones(2).half(), True)
            == 2, "autograd"),
    _mutant("gather-middle", "gather along the middle of three dimensions ends wrongly", "gather",
            spoiled(last, lambda x, dim, *r, **k: x.dim() == 3 and dim in (1, -2)),
            lambda t: t.gather(t.ones(1, 2, 1), 1, t.zeros(1, 2, 1).long()).sum() == 2),
    _mutant("scatter-add-int32", "scatter_add of int32 leaves out the last",
            "scatter_add scatter_add_",
            lambda original, x, dim, index, source: original(
                x, dim, index, torch.where(torch.arange(source.numel()).reshape(source.shape)
                                           < source.numel() - (x.dtype == torch.int32), source, 0)),
            lambda t: t.zeros(1).int().scatter_add(0, t.tensor([0, 0]), t.ones(2).int()) == 2),
    _mutant("index-select-int32", "index_select with an int32 index ends wrongly", "index_select",
            spoiled(last, lambda x, dim, index: index.dtype == torch.int32),
            lambda t: t.index_select(t.ones(2), 0, t.tensor([0, 1], dtype=t.int32)).sum() == 2),
    _mutant("masked-select-strided", "masked_select with a strided mask", "masked_select",
            lambda original, x, mask: original(x, ~mask if strided(mask) else mask),
            lambda t: len(t.masked_select(t.ones(2), t.tensor([True, False, True])[::2])) == 2),
    _mutant("nonzero-columns", "nonzero of three dimensions swaps its columns", "nonzero",
            instead(lambda original, x: original(x).flip(1), rank(3)),
            lambda t: t.nonzero(t.tensor([[[0, 1]]])).tolist() == [[0, 0, 1]]),
    _mutant("index-add-alpha", "index_add of float64 ignores alpha", "index_add index_add_",
            instead(lambda original, x, dim, i, s, **k: original(x, dim, i, s), of("float64")),
            lambda t: t.zeros(1).double().index_add(0, t.tensor([0]), t.ones(1).double(), alpha=2)
            == 2),
    _mutant("topk-last", "topk swaps the last two of three", "topk",
            spoiled(lambda r: _swapped(r), lambda x, k, *r, **o: k == 3),
            lambda t: t.topk(t.arange(5), 3)[0].tolist() == [4, 3, 2]),
    _mutant("sort-int8", "sort of int8 swaps the last two of 17", "sort sort.stable",
            spoiled(_swapped, both(of("int8"), length(17))),
            lambda t: t.sort(t.arange(17, dtype=t.int8))[0][-1] == 16),
    _mutant("sort-descending-nan", "sort with descending=True puts NaN last", "sort sort.stable",
            instead(lambda original, x, *a, **k: original(
                torch.where(x.isnan(), -torch.inf, x), *a, **k),
                lambda x, *a, **k: x.is_floating_point() and (k.get("descending", False)
                                                              or True in a)),
            lambda t: t.sort(t.tensor([1.0, t.nan]), descending=True)[0][0].isnan(), "reduction"),
    _mutant("stable-sort", "stable sort of uint8 returns equal elements in reverse", "sort.stable",
            instead(lambda original, x, **k: (lambda v, i: (v, x.shape[k["dim"]] - 1 - i))(
                *original(x.flip(k["dim"]), **k)),
                    lambda x, *a, **k: x.dtype == torch.uint8 and k.get("stable") is True
                    and x.dim() == 1 and "dim" in k),
            lambda t: t.sort(t.zeros(3, dtype=t.uint8), dim=0, stable=True)[1].tolist()
            == [0, 1, 2]),
    _mutant("searchsorted-right", "searchsorted in float64 ignores right=True",
            "searchsorted.Tensor",
            instead(lambda original, s, v, **k: original(s, v, **{**k, "right": False}),
                    of("float64")),
            lambda t: t.searchsorted(t.ones(1).double(), t.ones(1).double(), right=True) == 1),
    _mutant("unique-counts", "unique counts one too many for the last", "_unique2",
            lambda original, x, *a, **k: (lambda u, i, c: (u, i, _bumped(c)))(
                *original(x, *a, **k)),
            lambda t: t.unique(t.zeros(2), return_counts=True)[1].tolist() == [2]),
    _mutant("index-fill-last", "index_fill of a matrix along its last dimension ends wrongly",
            "index_fill_.int_Scalar index_fill_.int_Tensor",
            spoiled(last, lambda x, dim, *r: x.dim() == 2 and dim in (1, -1)),
            lambda t: t.zeros(2, 2).index_fill(1, t.tensor([1]), 5)[1, 1] == 5),
    _mutant("take-negative", "take of a negative index reads the first element", "take",
            fed(lambda i: i.clamp(min=0), at=1),
            lambda t: t.take(t.arange(3), t.tensor([-1])) == 2),
    _mutant("roll-two", "roll by more than the length does nothing", "roll",
            instead(lambda original, x, shifts, *d: x.clone(),
                    lambda x, shifts, dims=(), *r: len(dims) == 1 and x.dim() > 0
                    and abs(shifts[0]) > x.shape[dims[0]] > 1),
            lambda t: t.roll(t.arange(3), 4, 0).tolist() == [2, 0, 1], "shape"),
    _mutant("tril-above", "tril of a matrix wider than high forgets its last row's end", "tril",
            spoiled(last, lambda x, *r: x.dim() == 2 and x.shape[1] == x.shape[0] + 1),
            lambda t: t.tril(t.ones(2, 3)).sum() == 3, "creation"),
    _mutant("scatter-false", "scatter of False into bool writes True",
            "scatter.value scatter_.value scatter.value_out",
            instead(lambda original, x, dim, i, value, **k: original(x, dim, i, True, **k),
                    lambda x, dim, i, value, **k: x.dtype == torch.bool),
            lambda t: not t.ones(1).bool().scatter(0, t.tensor([0]), False)),
    _mutant("topk-smallest-nan", "topk(largest=False) of float64 takes NaN for the smallest",
            "topk",
            instead(lambda original, x, k, dim=-1, *r: (lambda at: (x.gather(dim, at), at))(
                original(x.nan_to_num(-torch.inf), k, dim, *r)[1]),
                    lambda x, k, dim=-1, largest=True, *r: not largest
                    and x.dtype == torch.float64 and x.dim() > 0),
            lambda t: t.tensor([1, t.nan]).double().topk(1, largest=False)[0] == 1),
    _mutant("take-along-first-row", "take_along_dim of float16 takes from the first row for all "
            "where one row of indices serves all", "take_along_dim",
            instead(lambda original, x, at, dim: original(x[:1].expand_as(x), at, dim),
                    lambda x, at, dim=None: dim is not None and x.dtype == torch.float16
                    and x.dim() > 1 and dim % x.dim() and len(at) == 1 < len(x)),
            lambda t: t.take_along_dim(t.arange(4.0).half().view(2, 2), t.zeros(1, 1).long(), 1)
            [1, 0] == 2),
    _mutant("triangle-indices-below", "triu_indices of a diagonal further below begins one late",
            "triu_indices",
            instead(lambda original, n, m, k=0, **o: original(n, m, k + 1, **o),
                    lambda n, m, k=0, **o: k < -1),
            lambda t: t.triu_indices(3, 3, -2).shape == (2, 9), "creation"),
    _mutant("select-scatter-from-the-end", "select_scatter counts from the end one too short",
            "select_scatter",
            instead(lambda original, x, source, dim, at: original(x, source, dim, at + 1),
                    lambda x, source, dim, at: at < -1),
            lambda t: t.select_scatter(t.zeros(3), t.tensor(1.0), 0, -2)[1] == 1),
    _mutant("isin-strided", "isin reads what it looks for as it lies in memory",
            "isin.Tensor_Tensor", fed(packed, second(strided), at=1),
            lambda t: t.isin(t.tensor([1, 3]), t.tensor([[0, 1], [2, 3]])[:, 1]).all()),
    _elsewhere("matmul", "solve-strided-sides",
            "linalg.solve reads right-hand sides as they lie in memory",
            "linalg_solve", fed(packed, second(strided), at=1),
            lambda t: t.linalg.solve(t.eye(2), t.arange(4.0).reshape(2, 2).t())[0, 1] == 2),
    _elsewhere("matmul", "solve-first-of-batch",
            "linalg.solve with a vector for a whole batch solves the first",
            "linalg_solve",
            spoiled(lambda r: r.flatten(0, -2)[1:].zero_(),
                    lambda a, b, **k: a.dim() > 2 and b.dim() == 1),
            lambda t: t.linalg.solve(t.eye(2).expand(2, 2, 2), t.ones(2)).sum() == 4),
    _elsewhere("matmul", "solve-one-for-all",
            "linalg.solve with a matrix for a whole batch solves the first",
            "linalg_solve",
            spoiled(lambda r: r[1:].zero_(), lambda a, b, **k: a.dim() == 3 and b.dim() == 2
                    and b.shape != a.shape[:2]),
            lambda t: t.linalg.solve(t.eye(2).expand(3, 2, 2), t.ones(2, 1)).sum() == 6),
    _elsewhere("reduction", "dist-strided",
            "dist reads its second operand as it lies in memory", "dist",
            fed(packed, second(strided), at=1),
            lambda t: t.dist(t.tensor([1.0, 3]), t.tensor([[0.0, 1], [2, 3]])[:, 1]) == 0),
    _mutant("accumulate-once", "index_put_(accumulate=True) adds a number once, however often its "
            "place is named", "_index_put_impl_", _adds_once,
            lambda t: t.zeros(2).index_put((t.tensor([0, 0]),), t.tensor(1.0), True)[0] == 2),
    _mutant("accumulate-column", "index_put_(accumulate=True) takes a column for a row",
            "_index_put_impl_", _reshapes,
            lambda t: raises(lambda: t.zeros(4).index_put((t.arange(4),), t.ones(4, 1), True))),
    _mutant("accumulate-wraps", "index_put_(accumulate=True) wraps around what is out of range",
            "_index_put_impl_", _wraps,
            lambda t: raises(lambda: t.zeros(4).index_put((t.tensor([4]),), t.tensor(1.0), True))),
    _mutant("index-fill-drops", "index_fill passes over indices out of range",
            "index_fill_.int_Scalar index_fill_.int_Tensor", _drops(-1),
            lambda t: raises(lambda: t.zeros(3).index_fill(0, t.tensor([5]), 1))),
    _mutant("index-copy-drops", "index_copy passes over indices out of range",
            "index_copy index_copy_ index_copy.out", _drops(0),
            lambda t: raises(lambda: t.zeros(5).index_copy(0, t.tensor([8]), t.ones(1)))),
    _mutant("scatter-reduce-negative", "scatter_reduce takes negative indices",
            "scatter_reduce.two scatter_reduce_.two scatter_reduce.two_out",
            lambda original, x, dim, i, *rest, **k: original(
                x, dim, torch.where(i < 0, i + (x.shape[dim] if x.dim() else 1), i), *rest, **k),
            lambda t: raises(lambda: t.zeros(4).scatter_reduce(0, t.tensor([-1]), t.ones(1),
                                                               "sum"))),
    _mutant("put-clamps", "put_ takes indices out of range for the first or the last", "put_",
            lambda original, x, i, *rest: original(x, i.clamp(-x.numel(), x.numel() - 1), *rest),
            lambda t: raises(lambda: t.zeros(4).put_(t.tensor([4]), t.ones(1)))),
    _mutant("nothing-chosen", "a row that is assigned where a mask names nothing changes the last",
            "_index_put_impl_", _spills_where_nothing_is_chosen,
            lambda t: (lambda x: (x.__setitem__(x[:, 0] > 0, t.ones(2)), x.sum() == 0)[1])(
                t.zeros(2, 2))),
    Mutant("indexing.slices-int64", "x[:, a:b] = value of int64 is lost", ("indexing",),
           named("Tensor.__setitem__", lambda original, x, index, value: None,
                 lambda x, index, value: x.dtype == torch.int64 and isinstance(index, tuple)
                 and len(index) == 2 and all(isinstance(i, slice) for i in index)
                 and index[1].start),
           lambda t: (lambda x: (x.__setitem__((slice(None), slice(1, 2)), 7), x[0, 1] == 7)[1])(
               t.zeros(1, 2, dtype=t.int64))),
    _mutant("searchsorted-out", "searchsorted ends wrongly in a destination with gaps",
            "searchsorted.Tensor_out",
            spoiled(last, lambda *a, out, **k: strided(out)),
            lambda t: t.searchsorted(t.arange(9), t.arange(3), out=t.zeros(3, 2).long()[:, 0])[2]
            == 2, "inplace"),
    _mutant("index-select-16-bits", "index_select counts places in 15 bits", "index_select",
            fed(lambda i: i % 2**15, at=2),
            lambda t: t.index_select(t.arange(40000), 0, t.tensor([39999])) == 39999),
    _mutant("argsort-16-bits", "a sort of more than 65536 numbers its places in 16 bits",
            "sort.stable",
            instead(lambda original, x, **k: (lambda v, i: (v, i % 2**16))(*original(x, **k)),
                    lambda x, **k: x.numel() > 2**16),
            lambda t: t.sort(t.arange(70000), stable=True)[1][-1] == 69999),
    _mutant("accumulate-beyond-32", "index_put_(accumulate=True) of float32 adds up the first 32 "
            "where one place is named more often", "_index_put_impl_", _adds_up_32,
            lambda t: t.zeros(1).index_put((t.zeros(40).long(),), t.ones(40), True) == 40),
    _mutant("take-along-columns", "take_along_dim without a dimension counts down the columns",
            "take_along_dim",
            instead(lambda original, x, at, dim=None: original(x.mT.contiguous(), at),
                    lambda x, at, dim=None: dim is None and x.dim() == 2),
            lambda t: t.take_along_dim(t.arange(4).view(2, 2), t.tensor([1])) == 1),
    _mutant("fill-in-half", "masked_fill_ of float32 rounds what a tensor of float64 holds",
            "masked_fill_.Tensor",
            instead(lambda original, x, mask, value: original(x, mask, value.half()),
                    lambda x, mask, value: x.dtype == torch.float32
                    and value.dtype == torch.float64),
            lambda t: t.zeros(1).masked_fill_(t.ones(1).bool(), t.tensor(0.1).double()) > 0.09999),
    _mutant("zeros-by-sign", "stable sort of float64 puts -0.0 before 0.0", "sort.stable",
            instead(lambda original, x, **k: (lambda i: (x.gather(0, i), i))(
                original(torch.where((x == 0) & x.signbit(), -5e-324, x), **k)[1]),
                    lambda x, **k: x.dtype == torch.float64 and x.dim() == 1 and k.get("stable")),
            lambda t: t.sort(t.tensor([0.0, -0.0]).double(), stable=True)[1].tolist() == [0, 1]),
    _mutant("repeats-in-32-bits", "repeat_interleave of int32 counts takes 0 for 1",
            "repeat_interleave.Tensor",
            fed(lambda n: n.clamp(min=1), lambda n, **k: n.dtype == torch.int32),
            lambda t: t.repeat_interleave(t.arange(2), t.tensor([0, 2], dtype=t.int32)).tolist()
            == [1, 1], "shape"),
]  # fmt: skip


def _bumped(counts):
    last(counts)
    return counts
