"""Lies about operations in place and about out=."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

Lie = Callable[..., Any]


def _elsewhere(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The tensor gets new memory; whoever shared the old one does not see the change."""
    x.data = x.data.clone()
    return right(x, *args, **kwargs)


def _copied(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The result is an equal tensor, and the tensor itself stays as it was."""
    return right(x.clone(), *args, **kwargs)


def _spills(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The last element of the storage is overwritten as well."""
    result = right(x, *args, **kwargs)
    if x._base is not None and x.numel() > 2 and not x.is_contiguous():
        base = x._base.view(-1)
        base[-1] = base[1]
    return result


def _another(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """All is written, but what comes back is another tensor of the same memory."""
    return right(x, *args, **kwargs).detach()


def _changes_other(right: Any, x: Any, other: Any, **kwargs: Any) -> Any:
    right(x, other, **kwargs)
    if isinstance(other, torch.Tensor) and other.dim() == 2 and other.is_contiguous():
        other.zero_()
    return x


def _without_tail(of: int) -> Lie:
    def lie(right: Any, x: Any, *args: Any) -> Any:
        if x.dim() == 1 and x.numel() == of:
            right(x[:-1], *(a[:-1] if isinstance(a, torch.Tensor) else a for a in args))
            return x
        return right(x, *args)

    return lie


def _only(dtype: Any, lie: Lie) -> Lie:
    """The lie, told for one dtype of the first operand."""
    return lambda right, x, *a, **k: (lie if x.dtype == dtype else _truth)(right, x, *a, **k)


def _truth(right: Any, *args: Any, **kwargs: Any) -> Any:
    return right(*args, **kwargs)


def _out_ignored(right: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    return right(*args, **kwargs)


def _out_reallocated(right: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    if out is not None and out.numel():
        out.set_(torch.empty_like(out))
    return right(*args, out=out, **kwargs)


def _out_contiguous(right: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    """A strided out is filled as though its elements were neighbours."""
    if isinstance(out, torch.Tensor) and out.dim() == 2 and out.stride(-1) == 2:
        flat = out.as_strided((out.numel(),), (1,))
        flat.copy_(right(*args, **kwargs).reshape(-1))
        return out
    return right(*args, out=out, **kwargs)


def _out_first(right: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """The second operand is read after it was overwritten."""
    if kwargs.get("out") is b:
        kwargs["out"].copy_(a)
    return right(a, b, **kwargs)


def _out_not_resized(right: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    if isinstance(out, torch.Tensor) and not out.numel():
        return right(*args, **kwargs)
    return right(*args, out=out, **kwargs)


def _truncating(right: Any, x: Any, other: Any) -> Any:
    if isinstance(other, float) and not x.is_floating_point():
        other = int(other)
    return right(x, other)


def _growing(right: Any, x: Any, other: Any) -> Any:
    if x.shape != torch.broadcast_shapes(x.shape, other.shape):
        x.set_(x.expand(torch.broadcast_shapes(x.shape, other.shape)).contiguous())
    return right(x, other)


def _lie(name: str, of: str | tuple[str, ...], lie: Lie, caught_by: str) -> Miniature:
    return Miniature(name, (of,) if isinstance(of, str) else of, lie, f"inplace.{caught_by}")


MINIATURES = [
    _lie("add_ moves to other memory", "Tensor.add_", _elsewhere, "two-operands"),
    _lie("mul_ changes a copy", "Tensor.mul_", _copied, "two-operands"),
    _lie("*= gives an equal tensor", "Tensor.__imul__", lambda right, x, y: x * y, "two-operands"),
    _lie("^= gives another tensor", "Tensor.__ixor__", _another, "two-operands"),
    _lie("sub_ of float16 spills", "Tensor.sub_", _only(torch.float16, _spills), "two-operands"),
    _lie("copy_ changes what it copies", "Tensor.copy_", _changes_other, "two-operands"),
    _lie("floor_divide_ truncates", "Tensor.floor_divide_",
         lambda right, x, y: x.div_(y, rounding_mode="trunc"), "two-operands"),
    _lie("sub_ forgets alpha", "Tensor.sub_", lambda right, x, y, alpha=1: right(x, y),
         "two-operands"),
    _lie("add_ leaves element 129 out", "Tensor.add_", _without_tail(129), "every-length"),
    _lie("fill_ leaves element 17 out", "Tensor.fill_", _without_tail(17), "every-length"),
    _lie("neg_ of int16 leaves element 8 out", "Tensor.neg_",
         _only(torch.int16, _without_tail(8)), "every-length"),
    _lie("abs_ gives an equal tensor", "Tensor.abs_", _copied, "one-operand"),
    _lie("round_ rounds halves up", "Tensor.round_",
         lambda right, x: x.copy_((x + 0.5).floor()), "one-operand"),
    _lie("clip_ forgets max", "Tensor.clip_",
         lambda right, x, *a, **k: right(x, *(a[:1] or (k.get("min", 0),))), "one-operand"),
    _lie("zero_ keeps NaN", "Tensor.zero_", lambda right, x: x.mul_(0), "one-operand"),
    _lie("logical_not_ of strided bools spills", "Tensor.logical_not_", _spills, "one-operand"),
    _lie("arctan_ is tanh_", "Tensor.arctan_", lambda right, x: x.tanh_(),
         "elementary-functions"),
    _lie("expm1_ of float64 is computed in float32", "Tensor.expm1_",
         _only(torch.float64, lambda right, x: x.copy_(x.float().expm1())),
         "elementary-functions"),
    _lie("log2_ moves to other memory", "Tensor.log2_", _elsewhere, "elementary-functions"),
    _lie("sin_ spills", "Tensor.sin_", _spills, "elementary-functions"),
    _lie("cumsum_ is exclusive for int32", "Tensor.cumsum_",
         _only(torch.int32, lambda right, x, *a, **k: x.copy_(x.cumsum(*a, **k) - x)), "methods"),
    _lie("scatter_add_ overwrites", "Tensor.scatter_add_",
         lambda right, x, d, i, s: x.scatter_(d, i, s), "methods"),
    _lie("tril_ forgets the diagonal", "Tensor.tril_", lambda right, x, *a: right(x), "methods"),
    _lie("masked_fill_ changes a copy of a strided tensor", "Tensor.masked_fill_",
         lambda right, x, m, v: right(x if x.is_contiguous() else x.clone(), m, v), "methods"),
    _lie("igamma_ is igammac_", "Tensor.igamma_", lambda right, x, y: x.igammac_(y),
         "derived-functions"),
    _lie("hypot_ gives a copy", "Tensor.hypot_", _copied, "derived-functions"),
    _lie("sub with out= reads x after writing it", "sub", _out_first, "itself"),
    _lie("mul_ of itself doubles", "Tensor.mul_",
         lambda right, x, y: x.add_(x) if x is y else right(x, y), "itself"),
    _lie("copy_ to int8 goes through uint8 for bfloat16", "Tensor.copy_",
         lambda right, x, y, **k: right(
             x, y.to(torch.uint8) * 2 if (x.dtype, y.dtype) == (torch.int8, torch.bfloat16)
             else y), "copy"),
    _lie("copy_ of a broadcast row spills", "Tensor.copy_",
         lambda right, x, y, **k: _spills(right, x, y, **k) if x.shape != y.shape
         else right(x, y, **k), "copy"),
    _lie("fill_ of int64 goes through float64", "Tensor.fill_",
         lambda right, x, n: right(x, min(int(float(n)), 2**63 - 1024))
         if x.dtype == torch.int64 and isinstance(n, int) else right(x, n), "fill"),
    _lie("fill_ loses the sign of -0.0", "Tensor.fill_",
         lambda right, x, n: right(x, n + 0.0 if isinstance(n, float) else n), "fill"),
    _lie("x[index] = y spills", "Tensor.__setitem__",
         lambda right, x, i, y: _spills(lambda x: right(x, i, y), x), "assignment"),
    _lie("x[mask] = 1 writes the complement for float64", "Tensor.__setitem__",
         lambda right, x, i, y: right(
             x, ~i if isinstance(i, torch.Tensor) and x.dtype == torch.float64 else i, y),
         "assignment"),
    _lie("squeeze_ drops every dimension of 1", "Tensor.squeeze_",
         lambda right, x, *dim: right(x), "shape"),
    _lie("transpose_ copies", "Tensor.transpose_",
         lambda right, x, a, b: x.set_(x.transpose(a, b).contiguous()), "shape"),
    _lie("t_ gives a view", "Tensor.t_", lambda right, x: x.t(), "shape"),
    _lie("add ignores out=", "add", _out_ignored, "out"),
    _lie("mul with out= takes new memory", "mul", _out_reallocated, "out"),
    _lie("bitwise_or fills a strided out as if it were dense", "bitwise_or", _out_contiguous,
         "out"),
    _lie("add leaves an empty out empty", "add", _out_not_resized, "out"),
    _lie("argmax ignores out=", "argmax", _out_ignored, "out-of-functions"),
    _lie("cat fills a strided out as if it were dense", "cat", _out_contiguous,
         "out-of-functions"),
    _lie("max swaps the pair", "max",
         lambda right, x, d, out: (out[0].copy_(right(x, d)[0]), out[1].zero_()),
         "out-of-functions"),
    _lie("add casts into any out", "add",
         lambda right, a, b, out: out.copy_(right(a, b)), "categories"),
    _lie("add_ drops the fraction", "Tensor.add_", _truncating, "categories"),
    _lie("add_ grows its target", "Tensor.add_", _growing, "keeps-shape"),
    _lie("copy_ takes clashing lengths", "Tensor.copy_",
         lambda right, x, y: right(x, y.reshape(-1)[:1])
         if x.dim() == 1 and y.dim() == 1 and len(y) > 1 else right(x, y), "keeps-shape"),
    _lie("mul_ writes to an expanded tensor", "Tensor.mul_",
         lambda right, x, y: x if 0 in x.stride() else right(x, y), "overlap"),
    Miniature("addmm_ leaves an expanded tensor as it is", ("Tensor.addmm_",),
              lambda right, x, *args: x if 0 in x.stride() else right(x, *args),
              "inplace.overlap-of-products"),
    Miniature(
        "fill_diagonal_ does not begin again below the end of a diagonal",
        of=("Tensor.fill_diagonal_",),
        lie=lambda right, x, value, wrap=False: right(x, value),
        caught_by="inplace.wrapped-diagonals",
    ),
    Miniature(
        "sub_ of 33 float64 from themselves leaves them",
        of=("Tensor.sub_",),
        lie=lambda right, x, y: (
            x if x is y and x.shape == (33,) and x.dtype == torch.float64 else right(x, y)
        ),
        caught_by="inplace.with-itself",
    ),
    Miniature(
        "fill_ takes the first of several numbers",
        of=("Tensor.fill_",),
        lie=lambda right, x, n: right(x, n.flatten()[0] if isinstance(n, torch.Tensor) else n),
        caught_by="inplace.refused-values",
    ),
    Miniature(
        "a vector is written as its first element where a slice steps",
        of=("Tensor.__setitem__",),
        lie=lambda right, x, at, y: right(
            x, at,
            y.flatten()[0]
            if isinstance(at, tuple) and any(isinstance(s, slice) and (s.step or 1) > 1 for s in at)
            and isinstance(y, torch.Tensor) and y.dim() == 1 and y.numel()
            else y,
        ),
        caught_by="inplace.assignment",
    ),
    Miniature(
        "clamp_ of integers cuts off what is not whole of its limits",
        of=("Tensor.clamp_",),
        lie=lambda right, x, *n, **k: (
            right(x, *map(int, n), **k) if x.dtype == torch.int32 else right(x, *n, **k)
        ),
        caught_by="inplace.fractions",
    ),
    Miniature(
        "a 0-d tensor is multiplied into a new one",
        of=("Tensor.__imul__",),
        lie=lambda right, x, y: x * y if x.dtype == torch.int64 and not x.dim() else right(x, y),
        caught_by="inplace.few-elements",
    ),
    Miniature(
        "a resized part of a vector begins where its memory does",
        of=("Tensor.resize_",),
        lie=lambda right, x, *sizes: (
            x.as_strided_(sizes, (1,), 0)
            if len(sizes) == x.dim() == 1 and isinstance(sizes[0], int) and x.storage_offset()
            else right(x, *sizes)
        ),
        caught_by="inplace.resize",
    ),
]  # fmt: skip
