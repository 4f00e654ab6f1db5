"""Lies about reductions."""

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _folds_what_is_outside(right: Any, x: Any, bins: int, *ends: float, **named: float) -> Any:
    low, high = ends or (named.get("min", 0), named.get("max", 0))
    return right(x.clamp(low, high), bins, low, high) if low < high else right(x, bins)


def _both(name: str) -> tuple[str, str]:
    return (name, f"Tensor.{name}")


def _where(condition: Callable[..., Any], wrong: Callable[[Any], Any]) -> Any:
    """Another result for the tensors of which the condition holds."""

    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(x, *args, **kwargs)
        return wrong(result) if condition(x, args, kwargs) else result

    return lie


def _plain(x: Any, args: Any, kwargs: Any) -> bool:
    return not args and not kwargs


def _with_numbers(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """mean of integers converts them."""
    return right(x if x.is_floating_point() or "dtype" in kwargs else x.float(), *args, **kwargs)


def _clamped(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Dimensions that are too large mean the last one."""
    args = tuple(
        min(a, max(x.dim(), 1) - 1) if isinstance(a, int) and not isinstance(a, bool) else a
        for a in args
    )
    return right(x, *args, **kwargs)


def _deduplicated(right: Any, x: Any, dims: Any, **kwargs: Any) -> Any:
    return right(x, tuple({d % x.dim() for d in dims}) if isinstance(dims, tuple) else dims)


def _last_of_equals(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if not args or kwargs or x.numel() == 0:
        return right(x, *args, **kwargs)
    dim = args[0]
    return x.shape[dim] - 1 - right(x.flip(dim), *args)


def _upper(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs or x.numel() % 2 or not x.is_floating_point():
        return right(x, *args, **kwargs)
    return x.flatten().sort().values[x.numel() // 2]


def _nan_skipped(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if x.is_floating_point() and x.numel() > 64:
        x = torch.where(x.isnan(), -torch.inf, x)
    return right(x, *args, **kwargs)


def _writes_first_only(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    out = kwargs.pop("out", None)
    result = right(x, *args, **kwargs)
    if out is None:
        return result
    out[0].copy_(result[0])
    out[1].copy_(result[1])
    return result


MINIATURES = [
    Miniature(
        "min of uint8 without a dimension has one dimension",
        of=("min",),
        lie=_where(lambda x, a, k: _plain(x, a, k) and x.dtype == torch.uint8,
                   lambda r: r.reshape(1)),
        caught_by="reduction.whole",
    ),
    Miniature(
        "argmax of matrices counts in the last row",
        of=("argmax",),
        lie=lambda right, x, *a, **k: (
            right(x, *a, **k) if a or k or x.dim() < 2 else right(x, *a, **k) % x.shape[-1]
        ),
        caught_by="reduction.whole",
    ),
    Miniature(
        "mean of strided bfloat16 leaves out the last element",
        of=_both("mean"),
        lie=lambda right, x, *a, **k: (
            right(x.flatten()[:-1])
            if not a and x.dtype == torch.bfloat16 and x.numel() > 1 and not x.is_contiguous()
            else right(x, *a, **k)
        ),
        caught_by="reduction.sum-of-all",
    ),
    Miniature(
        "sum of float16 rounds every partial sum",
        of=_both("sum"),
        lie=lambda right, x, *a, **k: (
            x.flatten().cumsum(0, dtype=torch.float16)[::2].diff().sum() + right(x[:0])
            if x.dtype == torch.float16 and not a and x.numel() > 2
            else right(x, *a, **k)
        ),
        caught_by="reduction.sum-of-all",
    ),
    Miniature("mean converts integers", of=_both("mean"), lie=_with_numbers,
              caught_by="reduction.mean-of-integers"),
    Miniature(
        "mean of bool alone converts",
        of=("mean",),
        lie=lambda right, x, *a, **k: (
            right(x.float(), *a, **k) if x.dtype == torch.bool and not k else right(x, *a, **k)
        ),
        caught_by="reduction.mean-of-integers",
    ),
    Miniature(
        "sum of int8 wraps around",
        of=_both("sum"),
        lie=lambda right, x, *a, **k: (
            right(x, *a, **k).to(torch.int8).to(torch.int64)
            if x.dtype == torch.int8 and not k
            else right(x, *a, **k)
        ),
        caught_by="reduction.integers",
    ),
    Miniature(
        "prod of bool along a dimension is bool",
        of=_both("prod"),
        lie=_where(lambda x, a, k: bool(a) and x.dtype == torch.bool, lambda r: r.bool()),
        caught_by="reduction.integers",
    ),
    Miniature(
        "sum with dtype converts the result, not the elements",
        of=("Tensor.sum",),
        lie=lambda right, x, *a, **k: (
            right(x, *a).to(k["dtype"]) * (1 if x.numel() < 8 else 2)
            if k.get("dtype") == torch.float64 and not x.is_floating_point()
            else right(x, *a, **k)
        ),
        caught_by="reduction.dtype",
    ),
    Miniature(
        "all of nothing is False for uint8",
        of=("all",),
        lie=_where(lambda x, a, k: x.numel() == 0 and x.dtype == torch.uint8, lambda r: r * 0),
        caught_by="reduction.empty",
    ),
    Miniature(
        "max of nothing is -inf",
        of=("max",),
        lie=lambda right, x, *a, **k: (
            x.new_full((), -9) if not x.numel() and not a and not k else right(x, *a, **k)
        ),
        caught_by="reduction.empty",
    ),
    Miniature("amax skips NaN in long lanes", of=("amax",), lie=_nan_skipped,
              caught_by="reduction.nan"),
    Miniature(
        "argmax ignores a NaN in the last place",
        of=("argmax",),
        lie=lambda right, x, *a, **k: (
            right(x[:-1], *a, **k)
            if x.dim() == 1 and x.numel() > 1 and bool(x[-1] != x[-1])
            else right(x, *a, **k)
        ),
        caught_by="reduction.nan",
    ),
    Miniature(
        "NaN equals itself from 17 elements on",
        of=("Tensor.__eq__",),
        lie=lambda right, x, y: torch.ones_like(x, dtype=torch.bool) if x is y and len(x) > 16
        else right(x, y),
        caught_by="reduction.nan-compared",
    ),
    Miniature(
        "nansum counts NaN as one",
        of=("nansum",),
        lie=lambda right, x, *a, **k: right(x, *a, **k) + (x.isnan().sum() > 5),
        caught_by="reduction.nan-ignored",
    ),
    Miniature("dimensions are clamped", of=("cumsum",), lie=_clamped,
              caught_by="reduction.dim-range"),
    Miniature("amin clamps its dimension", of=("amin",), lie=_clamped,
              caught_by="reduction.dim-range"),
    Miniature("dimensions given twice count once", of=("mean",), lie=_deduplicated,
              caught_by="reduction.dim-twice"),
    Miniature(
        "median's value is another's",
        of=("median",),
        lie=lambda right, x, *a, **k: (
            right(x, *a, **k) if not a or not x.is_floating_point() or "out" in k else
            torch.return_types.median((right(x, *a).values * 1.01, right(x, *a).indices))
        ),
        caught_by="reduction.selected",
    ),
    Miniature("argmax names the last of equals", of=("Tensor.argmax",), lie=_last_of_equals,
              caught_by="reduction.first-of-equals"),
    Miniature(
        "var() without a dimension divides by n",
        of=("Tensor.var",),
        lie=lambda right, x, *a, **k: right(x, *a, **k) if a or k else right(x, unbiased=False),
        caught_by="reduction.bessel",
    ),
    Miniature(
        "correction=0 is ignored",
        of=("var",),
        lie=lambda right, x, *a, **k: right(x, *a, **(k | {"correction": 1} if "correction" in k
                                                      else k)),
        caught_by="reduction.bessel",
    ),
    Miniature("the upper of two middles", of=_both("median"), lie=_upper,
              caught_by="reduction.median"),
    Miniature(
        "keepdim by place is ignored",
        of=("Tensor.amax",),
        lie=lambda right, x, *a, **k: right(x, *a[:1], **k),
        caught_by="reduction.spellings",
    ),
    Miniature("out= of mode returns another pair", of=("mode",), lie=_writes_first_only,
              caught_by="reduction.out-pair"),
    Miniature(
        "the norm of order 0 is that of order 1",
        of=("linalg.vector_norm",),
        lie=lambda right, x, order=2, *a, **k: right(x, order or 1, *a, **k),
        caught_by="reduction.norms",
    ),
    Miniature("cumsum wraps the dimension around", ("cumsum",),
              lambda right, x, dim: right(x, dim % max(x.dim(), 1)),
              "reduction.extremes-so-far-dim-range"),
    Miniature("cummax, as a method, wraps the dimension around", ("Tensor.cummax",),
              lambda right, x, dim: right(x, dim % max(x.dim(), 1)),
              "reduction.extremes-so-far-dim-range"),
    Miniature("diff hands out another than out=", ("diff",),
              lambda right, *args, out=None: right(*args), "reduction.diff-of-empty-out"),
    Miniature(
        "cumsum of 65 int16 forgets the last",
        of=("Tensor.cumsum",),
        lie=_where(
            lambda x, a, k: x.dtype == torch.int16 and x.shape == (65,),
            lambda result: torch.cat([result[:-1], result[-2:-1]]),
        ),
        caught_by="reduction.every-length",
    ),
    Miniature("logsumexp of -inf is NaN", ("Tensor.logsumexp",),
              lambda right, x, *a, **k: right(x - x, *a, **k) + x.amax(*a, **k) * 0,
              "reduction.of-few"),
]  # fmt: skip


def _begins_at_the_least(right: Any, x: Any, *dim: Any) -> Any:
    got = right(x, *dim)
    return got.clamp(min=torch.finfo(x.dtype).min) if x.is_floating_point() else got


def _in_one_pass(right: Any, x: Any, *dim: int) -> Any:
    n = x.shape[dim[0]] if dim else x.numel()
    mean = x.mean(*dim)
    return ((x * x).mean(*dim) - mean * mean) * (n / (n - 1))


def _leans(right: Any, *args: Any, interpolation: str, **kwargs: Any) -> Any:
    rule = "linear" if interpolation == "midpoint" else interpolation
    return right(*args, interpolation=rule, **kwargs)


MINIATURES += [
    Miniature(
        "bincount forgets minlength",
        of=("bincount",),
        lie=lambda right, x, weights=None, minlength=0: right(x, weights),
        caught_by="reduction.counts-and-covariances",
    ),
    Miniature(
        "the greatest is sought from the least finite number on",
        of=("amax",),
        lie=_begins_at_the_least,
        caught_by="reduction.only-the-lowest",
    ),
    Miniature(
        "the variance is taken in one pass",
        of=("Tensor.var",),
        lie=_in_one_pass,
        caught_by="reduction.variance-far-from-zero",
    ),
    Miniature(
        "the midpoint between two quantiles depends on the rank",
        of=("quantile",),
        lie=_leans,
        caught_by="reduction.vector-of-quantiles",
    ),
    Miniature(
        "logsumexp over several dimensions overflows",
        of=("logsumexp", "Tensor.logsumexp"),
        lie=lambda right, x, dim, keepdim=False: (
            x.exp().sum(dim, keepdim).log() if isinstance(dim, tuple) else right(x, dim, keepdim)
        ),
        caught_by="reduction.written-out",
    ),
    Miniature(
        "the outer bins count what lies outside",
        of=("histc",),
        lie=_folds_what_is_outside,
        caught_by="reduction.histogram",
    ),
    Miniature(
        "the largest of the lines after the first 2^16 are 0",
        of=("Tensor.amax",),
        lie=lambda right, x, *dim: (
            torch.cat([right(x[: 2**16], *dim), 0 * right(x[2**16 :], *dim)])
            if dim in ((1,), (-1,)) and len(x) > 2**16
            else right(x, *dim)
        ),
        caught_by="reduction.many-lines",
    ),
    Miniature(
        "a standard deviation below 1e-6 is 0",
        of=("std",),
        lie=lambda right, x, *a, **k: (lambda r: r.masked_fill(r < 1e-6, 0.0))(right(x, *a, **k)),
        caught_by="reduction.of-any-scale",
    ),
]
