"""Lies that show where operations meet."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _as_if_contiguous(x: Any) -> Any:
    """The elements that lie where those of a contiguous tensor would."""
    room = x.untyped_storage().nbytes() // x.element_size() - x.storage_offset()
    if x.is_contiguous() or x.numel() > room:
        return x
    strides = torch.empty(x.shape, device="meta").stride()
    return torch.as_strided(x, x.shape, strides, x.storage_offset())


def _reads_transposed_as_contiguous(right: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    return right([_as_if_contiguous(t) for t in tensors], *args, **kwargs)


def _sums_what_lies_there(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(_as_if_contiguous(x) if x.dim() == 2 else x, *args, **kwargs)


_SHORT = (torch.int8, torch.uint8, torch.int16)
_WHOLE = (*_SHORT, torch.int32, torch.int64)


def _leaves_a_trace(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """A 0-d operand is changed after it was read."""
    result = right(x, *args, **kwargs)
    if isinstance(x, torch.Tensor) and x.dim() == 0 and x.dtype in _WHOLE:
        x.zero_()
    return result


def _each_row_once(right: Any, x: Any, index: Any) -> Any:
    if isinstance(index, list) and len({*index}) < len(index):
        index = [min(index)] * len(index)
    return right(x, index)


def _adds_as_if_contiguous(right: Any, x: Any, other: Any, **kwargs: Any) -> Any:
    right(_as_if_contiguous(x), other, **kwargs)
    return x


def _copied(right: Any, *args: Any, **kwargs: Any) -> Any:
    return right(*args, **kwargs).clone()


def _last_piece_copied(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    *pieces, last = right(x, *args, **kwargs)
    return (*pieces, last.clone()) if pieces and x.dim() > 1 else (*pieces, last)


def _fills_the_span(right: Any, x: Any, value: Any) -> Any:
    if x.dim() == 1 and x.numel() > 1 and x.stride(0) == 2:
        right(x.as_strided((2 * x.numel() - 1,), (1,), x.storage_offset()), value)
        return x
    return right(x, value)


def _broadcasts_from_the_left(right: Any, x: Any, *rest: Any) -> Any:
    *index, source = rest
    if not isinstance(source, torch.Tensor) or index not in ([], [...]):
        return right(x, *rest)
    if x.dim() > 1 and source.dim() == 1 and len(source) == x.shape[0]:
        source = source.reshape(-1, *[1] * (x.dim() - 1))
    return right(x, *index, source)


def _copies_steps(right: Any, x: Any, index: Any) -> Any:
    result = right(x, index)
    parts = index if isinstance(index, tuple) else (index,)
    stepped = any(isinstance(part, slice) and part.step == 3 for part in parts)
    return result.clone() if stepped else result


def _makes_new_int16(right: Any, x: Any, other: Any) -> Any:
    return torch.add(x, other) if x.dtype == torch.int16 else right(x, other)


def _lost_on_views(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return x if not x.is_contiguous() else right(x, *args, **kwargs)


def _shares_one_element(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return x.view_as(x) if x.numel() == 1 else right(x, *args, **kwargs)


def _out_of_a_view(right: Any, x: Any, y: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    if out is None:
        return right(x, y, *args, **kwargs)
    right(x, y, *args, out=out if out.is_contiguous() else out.clone(), **kwargs)
    return out


def _narrows_from_the_start(right: Any, x: Any, dim: Any, start: Any, length: Any) -> Any:
    lies_on_its_side = x.dim() == 2 and x.stride(0) < x.stride(1)
    return right(x, dim, 0 if lies_on_its_side else start, length)


def _remembers_its_sum(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs or x.requires_grad:
        return right(x, *args, **kwargs)
    if not hasattr(x, "_sum"):
        x._sum = right(x)
    return x._sum.clone()


def _turns_a_view_of_itself(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(x.view_as(x), *args, **kwargs)


def _reads_after_writing(right: Any, x: Any, index: Any, value: Any) -> None:
    """The first element of what is written is repeated, if it lies in the same storage."""
    same = isinstance(value, torch.Tensor) and value.data_ptr() != x.data_ptr()
    if same and value.untyped_storage().data_ptr() == x.untyped_storage().data_ptr():
        value = value.reshape(-1)[:1].reshape(()) if value.numel() else value
    right(x, index, value)


def _widens_for_zero_dim(right: Any, x: Any, other: Any, **kwargs: Any) -> Any:
    result = right(x, other, **kwargs)
    both = isinstance(x, torch.Tensor) and isinstance(other, torch.Tensor)
    if both and x.dim() and not other.dim() and "out" not in kwargs:
        return result.to(torch.promote_types(x.dtype, other.dtype))
    return result


def _sums_narrowly(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    result = right(x, *args, **kwargs)
    return result.to(x.dtype) if x.dtype == torch.int16 and x.dim() > 1 else result


def _copies_same_dtype(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    result = right(x, *args, **kwargs)
    return result.clone() if result is x and x.dim() == 1 else result


def _bools_as_ones(right: Any, x: Any, source: Any, **kwargs: Any) -> Any:
    if x.dtype == torch.bool and source.dtype != torch.bool:
        source = source > 0
    return right(x, source, **kwargs)


def _stays_narrow(right: Any, x: Any, other: Any, **kwargs: Any) -> Any:
    result = right(x, other, **kwargs)
    narrow = isinstance(x, torch.Tensor) and isinstance(other, torch.Tensor)
    if narrow and x.dtype in _SHORT and other.dtype == torch.int32 and "out" not in kwargs:
        return result.to(x.dtype)
    return result


def _leaning(result: Any, slope: Any) -> Any:
    """Equal elements, the gradient times `slope`."""
    fixed = result.detach()
    return fixed + slope * (result - fixed)


def _first_copy_only(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    result = right(x, *args, **kwargs)
    if not result.requires_grad or result.dim() < 2 or not result.numel():
        return result
    slope = torch.zeros_like(result)
    slope[0] = 1
    return _leaning(result, slope)


def _forgets_the_source(right: Any, x: Any, other: Any, **kwargs: Any) -> Any:
    forgotten = isinstance(other, torch.Tensor) and x._is_view()
    return right(x, other.detach() if forgotten else other, **kwargs)


def _forgets_the_value(right: Any, x: Any, index: Any, value: Any) -> None:
    right(x, index, value.detach() if isinstance(value, torch.Tensor) else value)


def _remembers_what_was_there(right: Any, x: Any, value: Any) -> Any:
    return x.sub_(x.detach()).add_(value) if x.requires_grad else right(x, value)


def _joins_first(right: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    first, *others = tensors
    return right([first, *(t.detach() for t in others)], *args, **kwargs)


_MUL = ("mul", "Tensor.mul", "Tensor.__mul__")
_ADD = ("Tensor.add_", "Tensor.__iadd__")
_FUNCTIONAL, _WRITES = "program.functional", "program.views-and-writes"
_MIXED, _GRADIENT = "program.mixed-dtypes", "program.gradient"

MINIATURES = [
    Miniature("cat takes memory for contiguous", ("cat",), _reads_transposed_as_contiguous,
              _FUNCTIONAL),
    Miniature("sum takes a strided matrix for contiguous", ("sum", "Tensor.sum"),
              _sums_what_lies_there, _FUNCTIONAL),
    Miniature("mul clears a 0-d operand of integers", _MUL, _leaves_a_trace, _FUNCTIONAL),
    Miniature("a list with repetitions takes one row only", ("Tensor.__getitem__",),
              _each_row_once, _FUNCTIONAL),
    Miniature("add_ writes as if contiguous", _ADD, _adds_as_if_contiguous, _WRITES),
    Miniature("reshape always copies", ("reshape", "Tensor.reshape"), _copied, _WRITES),
    Miniature("detach copies", ("Tensor.detach",), _copied, _WRITES),
    Miniature("the last of several chunks is a copy", ("chunk", "Tensor.chunk"),
              _last_piece_copied, _WRITES),
    Miniature("fill_ fills what lies between", ("Tensor.fill_",), _fills_the_span, _WRITES),
    Miniature("copy_ broadcasts a vector from the left where that fits",
              ("Tensor.copy_", "Tensor.__setitem__"),
              _broadcasts_from_the_left, _WRITES),
    Miniature("slices of step 3 are copies", ("Tensor.__getitem__",), _copies_steps, _WRITES),
    Miniature("+= makes a new int16 tensor", ("Tensor.__iadd__",), _makes_new_int16, _WRITES),
    Miniature("masked_fill_ is lost on strided views", ("Tensor.masked_fill_",), _lost_on_views,
              _WRITES),
    Miniature("clone shares a single element", ("clone", "Tensor.clone"), _shares_one_element,
              _WRITES),
    Miniature("out= into a strided view is lost", ("sub", "mul", "add"), _out_of_a_view, _WRITES),
    Miniature("narrow of a transposed matrix starts at 0", ("narrow", "Tensor.narrow"),
              _narrows_from_the_start, _WRITES),
    Miniature("unsqueeze_ turns another tensor", ("Tensor.unsqueeze_",), _turns_a_view_of_itself,
              _WRITES),
    Miniature("assignment within a storage repeats one element", ("Tensor.__setitem__",),
              _reads_after_writing, _WRITES),
    Miniature("a 0-d tensor widens", ("add", "Tensor.add", "Tensor.__add__"),
              _widens_for_zero_dim, _MIXED),
    Miniature("int16 matrices sum to int16", ("sum", "Tensor.sum"), _sums_narrowly, _MIXED),
    Miniature("to the same dtype copies vectors", ("Tensor.to",), _copies_same_dtype, _MIXED),
    Miniature("negative numbers copy to False", ("Tensor.copy_",), _bools_as_ones, _MIXED),
    Miniature("a narrow integer times int32 stays narrow", _MUL, _stays_narrow, _MIXED),
    Miniature("expand hands back the gradient of its first slice", ("Tensor.expand",),
              _first_copy_only, _GRADIENT),
    Miniature("add_ to a view forgets its operand", _ADD, _forgets_the_source, _GRADIENT),
    Miniature("assignment forgets its value", ("Tensor.__setitem__",), _forgets_the_value,
              _GRADIENT),
    Miniature("fill_ remembers the gradient of what was there", ("Tensor.fill_",),
              _remembers_what_was_there, _GRADIENT),
    Miniature("cat hands nothing back to the second tensor", ("cat",), _joins_first, _GRADIENT),
    Miniature("a tensor is summed up once", ("Tensor.sum",), _remembers_its_sum,
              "program.calls-in-succession"),
]  # fmt: skip
