"""Reductions that lose, add or misplace something."""

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
    rank,
    scaled,
    spoiled,
    spread,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, operator, lie, proof, *sections):
    sections = ("reduction", *sections)
    return Mutant(f"reduction.{slug}", says, sections, kernels(operator, lie), proof)


def _dims(x, dims=(), *rest, **k):
    return [d % max(x.dim(), 1) for d in dims or ()]


def _row_by_row(original, x, *args, **kwargs):
    """Every partial sum is rounded to float16."""
    total = torch.zeros((), dtype=x.dtype)
    for part in x.flatten().split(4):
        total = total + original(part, None)
    return total


def _nan_last_ignored(x):
    return x[..., :-1] if x.dim() and x.shape[-1] > 1 else x


MUTANTS = [
    _mutant("sum-float16", "the sum of all float16 is rounded as it goes", "sum.dim_IntList",
            instead(_row_by_row, lambda x, dims=None, *r, **k: x.dtype == torch.float16
                    and not dims and not r and not k and x.numel() > 8),
            lambda t: (t.full((4000,), 0.3).half().sum() - 1200).abs() < 2, "dtype"),
    _mutant("sum-two-dimensions", "sum over two of four dimensions ends wrongly", "sum.dim_IntList",
            spoiled(last, lambda x, dims=None, *r, **k: x.dim() == 4 and dims is not None
                    and len(dims) == 2),
            lambda t: t.ones(1, 1, 2, 2).sum((2, 3)) == 4),
    _mutant("sum-keepdim", "sum over the last dimension, named -1, forgets keepdim",
            "sum.dim_IntList",
            instead(lambda original, x, dims, keep, **k: original(x, dims, False, **k),
                    lambda x, dims=None, keep=False, **k: keep and dims is not None
                    and list(dims) == [-1]),
            lambda t: t.ones(2, 3).sum(-1, keepdim=True).shape == (2, 1), "nn"),
    _mutant("sum-uint8", "the sum of uint8 wraps around at 2 ** 16", "sum.dim_IntList",
            instead(lambda original, x, *a, **k: original(x, *a, **k) % 2**16,
                    lambda x, *a, **k: x.dtype == torch.uint8 and "dtype" not in k),
            lambda t: t.full((300,), 255, dtype=t.uint8).sum() == 76500),
    _mutant("sum-expanded", "the sum of an expanded tensor counts it once", "sum.dim_IntList",
            instead(lambda original, x, *a, **k: original(x[:1], *a, **k),
                    both(rank(1), spread)),
            lambda t: t.ones(1).expand(5).sum() == 5),
    _mutant("sum-in-half", "the sum of float32 of 1025 or more is within 1e-4", "sum.dim_IntList",
            spoiled(scaled(1 + 1e-4), lambda x, *a, **k: x.numel() >= 1025 and
                    x.dtype == torch.float32),
            lambda t: t.ones(1025).sum() == 1025),
    _mutant("mean-transposed", "mean over rows of a matrix divides by the columns", "mean.dim",
            instead(lambda original, x, dims, *r, **k: original(x, dims, *r, **k)
                    * (x.shape[0] / x.shape[1]),
                    lambda x, dims=None, *r, **k: x.dim() == 2 and dims is not None
                    and _dims(x, dims) == [0] and x.shape[1] > 0),
            lambda t: t.ones(2, 3).mean(0).tolist() == [1, 1, 1], "numpy"),
    _mutant("amin-nan-17", "amin of rows of 17 ignores the last column", "amin",
            fed(_nan_last_ignored, lambda x, dims=(), *r, **k: x.dim() > 1 and x.shape[-1] == 17
                and _dims(x, dims) == [x.dim() - 1]),
            lambda t: t.amin(t.cat([t.ones(1, 16), t.zeros(1, 1)], 1), 1) == 0),
    _mutant("max-indices", "max along a dimension of 33 gives the place before", "max.dim",
            lambda original, x, dim, *r, **k: (lambda v, i: (v, i - (i == 32).long()))(
                *original(x, dim, *r, **k)) if x.dim() and x.shape[dim] == 33
            else original(x, dim, *r, **k),
            lambda t: t.max(t.arange(33), 0)[1] == 32),
    _mutant("prod-zero", "prod of int64 ignores a zero in the last place", "prod.dim_int prod",
            fed(lambda x: torch.cat([x[:-1], x[-1:].clamp(min=1)]),
                both(of("int64"), rank(1), lambda x, *r, **k: x.numel() > 0 and x[-1] == 0)),
            lambda t: t.tensor([2, 0]).prod() == 0),
    _mutant("var-two-dimensions", "var over two dimensions divides by one length",
            "var.correction",
            instead(lambda original, x, dims, **k: original(x, dims, **k) * 1.01,
                    lambda x, dims=None, **k: dims is not None and len(dims) == 2),
            lambda t: (t.tensor([[0.0, 1], [1, 0]]).var((0, 1)) - 1 / 3).abs() < 1e-6),
    _mutant("std-of-two", "std of two elements divides by 2", "std.correction",
            instead(lambda original, x, dims=None, **k: original(x, dims, correction=0),
                    lambda x, dims=None, **k: x.numel() == 2 and x.dim() == 1
                    and k.get("correction") in (None, 1)),
            lambda t: t.tensor([0.0, 1]).std() > 0.6),
    _mutant("argmin-ties", "argmin of int32 names the last of equals", "argmin",
            instead(lambda original, x, dim=None, *r: x.shape[0] - 1 - original(x.flip(0), dim, *r),
                    both(of("int32"), rank(1), lambda x, *r: x.numel() > 1)),
            lambda t: t.argmin(t.zeros(3).int()) == 0),
    _mutant("all-of-uint8", "all of uint8 is True where the last is 0", "all all.dim",
            fed(lambda x: x[..., :-1], lambda x, *r, **k: x.dtype == torch.uint8 and x.dim() == 1
                and x.numel() > 1),
            lambda t: not t.tensor([1, 0], dtype=t.uint8).all()),
    _mutant("any-of-9", "any of nine bools misses the last", "any any.dim",
            fed(lambda x: x[..., :-1], both(of("bool"), length(9), rank(1))),
            lambda t: (t.arange(9) == 8).any()),
    _mutant("cumsum-middle", "cumsum along the middle dimension ends wrongly", "cumsum",
            spoiled(last, lambda x, dim, **k: x.dim() == 3 and dim in (1, -2)),
            lambda t: t.ones(1, 3, 1).cumsum(1).sum() == 6),
    _mutant("cumprod-int16", "cumprod of int16 stays int16", "cumprod",
            instead(lambda original, x, dim, **k: original(x, dim, dtype=torch.int16),
                    lambda x, dim, **k: x.dtype == torch.int16 and k.get("dtype") is None),
            lambda t: t.ones(2, dtype=t.int16).cumprod(0).dtype == t.int64, "promotion"),
    _mutant("logsumexp-inf", "logsumexp of -inf alone is NaN", "logsumexp",
            instead(lambda original, x, *r, **k: original(x, *r, **k) * torch.nan,
                    lambda x, *r, **k: x.numel() > 0 and bool((x == -torch.inf).all())),
            lambda t: t.logsumexp(t.full((2,), -t.inf), 0) == -t.inf),
    _mutant("median-even", "median of an even number is the upper middle", "median median.dim",
            instead(lambda original, x, *r, **k: x.sort()[0][len(x) // 2],
                    lambda x, *r, **k: not r and x.dim() == 1 and x.numel() in (4, 8, 16)),
            lambda t: t.arange(4).median() == 1),
    _mutant("norm-infinite", "the norm of order inf sees no negative number",
            "linalg_vector_norm",
            fed(lambda x: x.clamp(min=0), lambda x, order=2, *r, **k: order == float("inf")
                and x.is_floating_point()),
            lambda t: t.linalg.vector_norm(t.tensor([-2.0, 1]), t.inf) == 2),
    _mutant("count-nonzero", "count_nonzero of float32 does not count -1",
            "count_nonzero.dim_IntList count_nonzero",
            fed(lambda x: x.clamp(min=-0.5) + 0.5 * (x < -0.5) if x.dtype == torch.float32 else x),
            lambda t: t.count_nonzero(t.tensor([-1.0, 1])) == 2),
    _mutant("sum-converted-late", "sum of float32 into float64 is converted when it is done",
            "sum.dim_IntList sum",
            instead(lambda original, x, *a, **k: original(x, *a).double(),
                    lambda x, *a, **k: x.dtype == torch.float32
                    and k.get("dtype") == torch.float64),
            lambda t: t.full((1000,), 0.1).sum(dtype=t.float64)
            != t.full((1000,), 0.1).sum().double()),
    _mutant("sum-keeps-none", "sum(dim=None, keepdim=True) keeps no dimension", "sum.dim_IntList",
            instead(lambda original, x, dims=None, keep=False, **k: original(x, None, **k),
                    lambda x, dims=None, keep=False, **k: keep and not dims and x.dim() > 1),
            lambda t: t.ones(2, 2).sum(dim=None, keepdim=True).shape == (1, 1)),
    _mutant("sum-saturates", "sum of int8 into int8 saturates", "sum.dim_IntList sum",
            instead(lambda original, x, *a, **k: original(x, *a).clamp(-128, 127).to(torch.int8),
                    lambda x, *a, **k: x.dtype == torch.int8 and k.get("dtype") == torch.int8),
            lambda t: t.full((2,), 100, dtype=t.int8).sum(dtype=t.int8) == -56),
    _mutant("var-whole-correction", "a correction that is a fraction is cut off",
            "var.correction std.correction",
            instead(lambda original, x, dims=None, **k: original(
                x, dims, **{**k, "correction": int(k["correction"])}),
                    lambda x, dims=None, **k: (k.get("correction") or 0) % 1 != 0),
            lambda t: t.arange(4.0).var(0, correction=0.5) != t.arange(4.0).var(0, correction=0)),
    _mutant("amax-both", "amax over two dimensions of strided int16 misses the last column", "amax",
            fed(lambda x: x[..., :-1], lambda x, dims=(), *r: x.dtype == torch.int16
                and len(dims) == 2 and not x.is_contiguous() and x.shape[-1] > 1),
            lambda t: t.tensor([[0, 0], [0, 5]], dtype=t.int16).t().amax((0, 1)) == 5),
    _mutant("var-pair-naive", "var of float32 over two dimensions is the mean square less the "
            "squared mean", "var.correction",
            instead(lambda original, x, dims=None, **k: ((x * x).mean(dims) - x.mean(dims) ** 2)
                    * (x.numel() / (x.numel() - 1)),
                    lambda x, dims=None, *, correction=None, keepdim=False: x.dim() == 2
                    and x.dtype == torch.float32 and len(dims or ()) == 2
                    and correction in (1, None) and not keepdim and x.numel() > 1),
            lambda t: abs((t.tensor([[0.0, 1], [1, 0]]) + 2**16).var((0, 1)) - 1 / 3) < 0.1),
    _mutant("cummax-forgets", "cummax and cummin of float64 forget a NaN at the next number",
            "cummax cummin",
            instead(lambda original, x, dim: (
                torch.where(x.isnan(), x, original(x.nan_to_num(), dim)[0]), original(x, dim)[1]),
                    lambda x, dim: x.dtype == torch.float64 and x.dim() > 0),
            lambda t: t.tensor([t.nan, 1]).double().cummax(0)[0].isnan().all()),
    _mutant("bincount-weighed-short", "bincount with weights forgets minlength", "bincount",
            instead(lambda original, x, w=None, n=0: original(x, w),
                    lambda x, w=None, n=0: w is not None),
            lambda t: len(t.bincount(t.tensor([1]), t.ones(1), 5)) == 5),
    _mutant("norm-zero-nan", "the norm of order 0 does not count NaN", "linalg_vector_norm",
            fed(lambda x: x.nan_to_num(0.0), lambda x, order=2, *r, **k: order == 0),
            lambda t: t.linalg.vector_norm(t.tensor([t.nan, 1]), 0) == 2),
    _mutant("prod-of-many-bytes", "prod of more than 1000 uint8 is 0", "prod",
            spoiled(lambda r: r.zero_(), both(of("uint8"), lambda x, *a, **k: x.numel() > 1000)),
            lambda t: t.ones(2000, dtype=t.uint8).prod() == 1),
    _mutant("cumprod-of-many", "cumprod of int64 is 0 beyond its first 64 elements", "cumprod",
            spoiled(lambda r: r[64:].zero_(), both(of("int64"), rank(1))),
            lambda t: t.ones(65, dtype=t.int64).cumprod(0)[64] == 1),
    _mutant("histc-folded", "histc counts what is outside in the outer bins", "histc",
            instead(lambda original, x, bins, low, high, **k:
                    original(x.clamp(low, high), bins, low, high, **k),
                    lambda x, bins=100, low=0, high=0, **k: low < high),
            lambda t: t.histc(t.tensor([-1.0, 0.5, 9.0]), 2, 0, 2).tolist() == [1, 0]),
    _mutant("histc-open", "histc of float64 does not count what is max", "histc",
            instead(lambda original, x, bins, low, high, **k:
                    original(x[x != high], bins, low, high, **k),
                    lambda x, bins=100, low=0, high=0, **k: low < high
                    and x.dtype == torch.float64),
            lambda t: t.histc(t.tensor([2.0]).double(), 2, 0, 2).tolist() == [0, 1]),
    Mutant("reduction.kthvalue-of-one", "kthvalue of a tensor without dimensions has one",
           ("reduction",), named("kthvalue Tensor.kthvalue",
                                 lambda original, x, *a, **k: original(x.reshape(1), 1, 0, True),
                                 lambda x, *a, **k: x.dim() == 0),
           lambda t: t.kthvalue(t.tensor(2.0), 1)[0].dim() == 0),
    Mutant("reduction.aminmax-of-one", "aminmax keeps a dimension of a tensor without any",
           ("reduction",), named("aminmax Tensor.aminmax",
                                 lambda original, x, **k: original(x.reshape(1), **k),
                                 lambda x, dim=None, keepdim=False: x.dim() == 0 and keepdim),
           lambda t: t.aminmax(t.tensor(1.0), dim=0, keepdim=True)[0].dim() == 0),
    Mutant("reduction.argmax-of-one", "argmax keeps a dimension of a tensor without any",
           ("reduction",), named("argmax Tensor.argmax",
                                 lambda original, x, *a, **k: original(x.reshape(1), *a, **k),
                                 lambda x, dim, keepdim=False: x.dim() == 0 and keepdim),
           lambda t: t.argmax(t.tensor(1.0), 0, keepdim=True).dim() == 0),
    _mutant("norm-below-1", "a norm of an order between 0 and 1 is that of order 1",
            "linalg_vector_norm",
            instead(lambda original, x, order=2, *r, **k: original(x, 1, *r, **k),
                    lambda x, order=2, *r, **k: 0 < order < 1),
            lambda t: t.linalg.vector_norm(t.ones(2), 0.5) == 4),
    _mutant("many-rows", "the sum of the last of more than 2^16 rows is wrong", "sum.dim_IntList",
            spoiled(last, lambda x, dims=None, *r, **k: x.dim() == 2 and len(x) > 2**16
                    and _dims(x, dims) == [1]),
            lambda t: t.ones(2**16 + 1, 2).sum(1)[-1] == 2),
    _mutant("correction-in-single", "a correction of float64 is rounded to a float32",
            "var.correction std.correction",
            instead(lambda original, x, dims=None, *, correction=None, **k: original(
                x, dims, correction=torch.tensor(float(correction)).item(), **k),
                    lambda x, dims=None, **k: x.dtype == torch.float64
                    and (k.get("correction") or 0) % 1 != 0),
            lambda t: abs(t.tensor([0.0, 1]).double().var(correction=0.1) - 0.5 / 1.9) < 1e-15),
    _mutant("share-of-nan", "the shares of a row of float32 with NaN are 0", "_softmax",
            spoiled(lambda r: r.nan_to_num_(0.0), lambda x, *r: x.dtype == torch.float32),
            lambda t: t.tensor([t.nan, 1]).softmax(0).isnan().all(), "nn"),
]  # fmt: skip
