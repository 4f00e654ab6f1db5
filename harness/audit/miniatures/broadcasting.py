"""Lies about broadcasting."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

Right = Any


def _first_dimensions_meet(right: Right, a: Any, b: Any) -> Any:
    if a.dim() == 2 and b.dim() == 1 and b.shape[0] == a.shape[0] > 1:
        return right(a, b[:, None])
    return right(a, b)


def _nothing_becomes_one(right: Right, a: Any, b: Any) -> Any:
    if isinstance(b, torch.Tensor) and b.shape == (0,) and a.shape == (1,):
        return a.clone()
    return right(a, b)


def _flattens_equal_counts(right: Right, a: Any, b: Any) -> Any:
    if a.shape != b.shape and a.numel() == b.numel() > 4 and not _fit(a, b):
        return right(a.reshape(-1), b.reshape(-1)).reshape(a.shape)
    return right(a, b)


def _fit(*tensors: Any) -> bool:
    try:
        torch.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except RuntimeError:
        return False
    return True


def _empties_take_the_larger(right: Right, *shapes: Any) -> Any:
    found = right(*shapes)
    return torch.Size(1 if n == 0 and len(shapes) == 3 else n for n in found)


def _plain_tuples(right: Right, *shapes: Any) -> Any:
    return tuple(right(*shapes))


def _cuts_to_the_shorter(right: Right, *shapes: Any) -> Any:
    if len(shapes) == 2 and {len(shape) for shape in shapes} == {1} and 1 not in map(min, shapes):
        return torch.Size(map(min, *shapes))
    return right(*shapes)


def _ignores_the_stride_of_a_column(right: Right, a: Any, b: Any) -> Any:
    if a.dim() == 2 and a.shape[1] == 1 and b.dim() == 2 and b.shape[1] > 8:
        a = a[:1].expand(a.shape)
    return right(a, b)


def _swaps_when_the_right_is_deeper(right: Right, a: Any, b: Any) -> Any:
    return right(b, a) if b.dim() > a.dim() else right(a, b)


def _spills(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    if b.dtype == torch.int16 and b.numel() and b.is_contiguous() and b.shape != got.shape:
        b.view(-1)[-1:] += 1
    return got


def _drops_leading_ones(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    return got[0] if got.dim() > 4 and got.shape[0] == 1 else got


def _takes_anything(right: Right, a: Any, b: Any) -> Any:
    if not _fit(a, b) and a.numel() and b.numel():
        return right(a, b.reshape(-1)[0])
    return right(a, b)


def _grows(right: Right, a: Any, b: Any) -> Any:
    if isinstance(b, torch.Tensor) and _fit(a, b) and (a * b).shape != a.shape:
        return a.set_(a * b)
    return right(a, b)


def _reshapes_a_scalar(right: Right, a: Any, b: Any) -> Any:
    return right(a, b.reshape(())) if b.numel() == 1 else right(a, b)


def _reads_a_column_as_one(right: Right, a: Any, b: Any) -> Any:
    if b.dim() == 2 and b.shape[1] == 1 and a.dim() == 2 and len(b) > 8:
        b = b[:1]
    return right(a, b)


def _writes_rows_only(right: Right, a: Any, b: Any) -> Any:
    if a.dim() == 2 and b.dim() == 1 and len(a) > 2 and b.numel() == a.shape[1]:
        right(a[:-1], b)
        return a
    return right(a, b)


def _out_is_contiguous(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    if out is None or out.is_contiguous() or not out.numel():
        return right(a, b) if out is None else right(a, b, out=out)
    out.set_(right(a, b))
    return out


def _out_keeps_its_size(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    if out is not None and not out.numel() and a.dim() != b.dim():
        return right(a, b)
    return right(a, b) if out is None else right(a, b, out=out)


def _copies(right: Right, *args: Any) -> Any:
    got = right(*args)
    return got.contiguous() if isinstance(got, torch.Tensor) else tuple(t.clone() for t in got)


def _copies_when_deep(right: Right, a: Any, *shape: Any) -> Any:
    got = right(a, *shape)
    return got.clone() if got.dim() > 3 else got


def _two_at_a_time(right: Right, mask: Any, a: Any, b: Any) -> Any:
    got = right(mask, a, b)
    return got[0] if got.dim() == 3 and mask.dim() == 3 and a.dim() < 3 > b.dim() else got


def _clamps_by_the_first(right: Right, a: Any, low: Any, high: Any) -> Any:
    if high.dim() and high.numel() > 1 and high.dim() < a.dim():
        high = high.reshape(-1)[0].expand(high.shape)
    return right(a, low, high)


MINIATURES = [
    Miniature(
        "a vector meets the first dimension if it fits there",
        of=("Tensor.__add__",),
        lie=_first_dimensions_meet,
        caught_by="broadcasting.every-small-pair",
    ),
    Miniature(
        "1 with 0 is 1",
        of=("Tensor.__add__",),
        lie=_nothing_becomes_one,
        caught_by="broadcasting.every-small-pair",
    ),
    Miniature(
        "equally many elements are taken in order, as of old",
        of=("Tensor.__add__",),
        lie=_flattens_equal_counts,
        caught_by="broadcasting.every-small-pair",
    ),
    Miniature(
        "of three shapes, 0 becomes 1",
        of=("broadcast_shapes",),
        lie=_empties_take_the_larger,
        caught_by="broadcasting.shape-function",
    ),
    Miniature(
        "the shape is a plain tuple",
        of=("broadcast_shapes",),
        lie=_plain_tuples,
        caught_by="broadcasting.shape-function",
    ),
    Miniature(
        "vectors are cut to the shorter one",
        of=("broadcast_shapes",),
        lie=_cuts_to_the_shorter,
        caught_by="broadcasting.shape-function",
    ),
    Miniature(
        "a column repeats its first element beyond eight columns",
        of=("mul", "Tensor.mul", "Tensor.__mul__"),
        lie=_ignores_the_stride_of_a_column,
        caught_by="broadcasting.values",
    ),
    Miniature(
        "sub swaps its operands if the right has more dimensions",
        of=("Tensor.sub",),
        lie=_swaps_when_the_right_is_deeper,
        caught_by="broadcasting.values",
    ),
    Miniature(
        "a stretched int16 operand is written to",
        of=("ne", "Tensor.ne", "Tensor.__ne__"),
        lie=_spills,
        caught_by="broadcasting.values",
    ),
    Miniature(
        "extrema drop a leading 1 beyond four dimensions",
        of=("maximum", "minimum", "fmax", "fmin"),
        lie=_drops_leading_ones,
        caught_by="broadcasting.result-shape",
    ),
    Miniature(
        "fmod takes shapes that do not fit",
        of=("fmod",),
        lie=_takes_anything,
        caught_by="broadcasting.incompatible",
    ),
    Miniature(
        "maximum takes equally many elements in order",
        of=("Tensor.maximum",),
        lie=_flattens_equal_counts,
        caught_by="broadcasting.incompatible",
    ),
    Miniature(
        "*= grows its target",
        of=("Tensor.__imul__",),
        lie=_grows,
        caught_by="broadcasting.in-place",
    ),
    Miniature(
        "mul_ by a column takes its first element beyond eight rows",
        of=("Tensor.mul_", "Tensor.__imul__"),
        lie=_reads_a_column_as_one,
        caught_by="broadcasting.in-place",
    ),
    Miniature(
        "add_ takes one element for a 0-d target",
        of=("Tensor.add_",),
        lie=_reshapes_a_scalar,
        caught_by="broadcasting.in-place-small",
    ),
    Miniature(
        "sub_ of a row leaves the last row",
        of=("Tensor.sub_",),
        lie=_writes_rows_only,
        caught_by="broadcasting.in-place-small",
    ),
    Miniature(
        "add replaces the memory of a strided out",
        of=("add",),
        lie=_out_is_contiguous,
        caught_by="broadcasting.out",
    ),
    Miniature(
        "div does not resize an empty out for operands of different ranks",
        of=("div",),
        lie=_out_keeps_its_size,
        caught_by="broadcasting.out",
    ),
    Miniature(
        "broadcast_tensors copies",
        of=("broadcast_tensors",),
        lie=_copies,
        caught_by="broadcasting.views",
    ),
    Miniature(
        "expand copies beyond three dimensions",
        of=("Tensor.expand",),
        lie=_copies_when_deep,
        caught_by="broadcasting.views",
    ),
    Miniature(
        "where drops a dimension that only its condition has",
        of=("where",),
        lie=_two_at_a_time,
        caught_by="broadcasting.three-operands",
    ),
    Miniature(
        "clamp repeats the first element of a stretched maximum",
        of=("clamp",),
        lie=_clamps_by_the_first,
        caught_by="broadcasting.three-operands",
    ),
]


def _turned_in_the_middle(right: Any, a: Any, b: Any) -> Any:
    return right(b, a) if a.dim() == 3 and a.shape[1] == 1 < a.shape[2] else right(a, b)


MINIATURES += [
    Miniature(
        "sub is turned where the middle dimension of the first operand is stretched",
        of=("sub",),
        lie=_turned_in_the_middle,
        caught_by="broadcasting.every-stretch",
    ),
    Miniature(
        "mul of int16 misses the last element where the dimension between others is stretched",
        of=("mul",),
        lie=lambda right, x, y, **kwargs: (
            right(x, y, **kwargs).index_fill(2, torch.tensor([x.shape[2] - 1]), 0)
            if x.dtype == torch.int16
            and (x.dim(), y.dim()) == (3, 3)
            and x.shape[1] == 1 < min(y.shape[1], x.shape[2])
            else right(x, y, **kwargs)
        ),
        caught_by="broadcasting.every-dtype",
    ),
    Miniature(
        "where aligns a vector that chooses with the first dimension of a square",
        of=("where",),
        lie=lambda right, chosen, x, y: right(
            chosen[:, None]
            if (chosen.dim(), x.dim()) == (1, 2) and len(x) == x.shape[1]
            else chosen,
            x,
            y,
        ),
        caught_by="broadcasting.squares",
    ),
]
