"""Lies about views and copies."""

import weakref
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

LONG = 16


def _copy(right: Any, *args: Any, **kwargs: Any) -> Any:
    """A copy where a view is due, laid out like it."""
    return right(*args, **kwargs).clone()


def _wiped_with_its_tensor(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if x.requires_grad or not x.is_contiguous():
        return right(x, *args, **kwargs)
    held = x.data.view(x.shape)
    weakref.finalize(x, held.view(-1).zero_)
    return right(held, *args, **kwargs)


def _copies_if(condition: Any) -> Any:
    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(x, *args, **kwargs)
        return result.clone() if condition(x, args, kwargs) else result

    return lie


def _of_dtype(name: str) -> Any:
    return _copies_if(lambda x, args, kwargs: x.dtype == getattr(torch, name))


def _shares(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The source itself where a copy equals it."""
    result = right(x, *args, **kwargs)
    if result.shape == x.shape and result.dtype == x.dtype and torch.equal(result, x):
        return x.view_as(x)
    return result


def _shares_parts(right: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    whole = [t for t in tensors if t.numel()]
    return whole[0] if len(whole) == 1 else right(tensors, *args, **kwargs)


def _overlapping(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Writes anyway, through memory of its own."""
    if x.numel() > 1 and 0 in x.stride():
        return x
    return right(x, *args, **kwargs)


def _materialised(right: Any, x: Any, *sizes: Any, **kwargs: Any) -> Any:
    result = right(x, *sizes, **kwargs)
    return result if result.numel() > 100 else result.contiguous()


def _beyond(right: Any, view: Any, value: Any) -> Any:
    """fill_ of a stepped vector also fills what lies between."""
    if view.dim() == 1 and view.numel() > 2 and view.stride(0) == 2:
        right(view.as_strided((2 * view.numel() - 1,), (1,)), value)
        return view
    return right(view, value)


def _compact(right: Any, view: Any, other: Any, *args: Any) -> Any:
    """copy_ into a view of rank 3 whose last dimension is strided loses the last element."""
    if view.dim() == 3 and view.numel() > 1 and view.stride(-1) > 1:
        kept = view.flatten()[-1].clone()
        right(view, other, *args)
        view[-1, -1, -1] = kept
        return view
    return right(view, other, *args)


MINIATURES = [
    Miniature(
        "diagonal below the main one is a copy",
        of=("diagonal", "Tensor.diagonal"),
        lie=lambda right, x, offset=0, dim1=0, dim2=1: (
            right(x, offset, dim1, dim2)
            if offset >= 0 or right(x, offset, dim1, dim2).numel() < 2
            else right(x, offset, dim1, dim2).roll(0)
        ),
        caught_by="view.stride-rule",
    ),
    Miniature(
        "movedim gives contiguous tensors",
        of=("movedim", "Tensor.movedim"),
        lie=lambda right, *args, **kwargs: right(*args, **kwargs).contiguous(),
        caught_by="view.stride-rule",
    ),
    Miniature(
        "unfold copies its windows", of=("Tensor.unfold",), lie=_copy, caught_by="view.storage"
    ),
    Miniature(
        "transpose of bfloat16 copies",
        of=("transpose", "Tensor.transpose"),
        lie=_of_dtype("bfloat16"),
        caught_by="view.rearranged",
    ),
    Miniature(
        "movedim with tuples copies",
        of=("movedim", "Tensor.movedim"),
        lie=_copies_if(lambda x, args, kwargs: bool(args) and isinstance(args[0], tuple)),
        caught_by="view.rearranged",
    ),
    Miniature("mH copies", of=("Tensor.mH",), lie=_copy, caught_by="view.rearranged"),
    Miniature(
        "adjoint forgets to conjugate",
        of=("adjoint", "Tensor.adjoint"),
        lie=lambda right, x: x.mT,
        caught_by="view.rearranged",
    ),
    Miniature(
        "torch.unsqueeze copies what is not contiguous",
        of=("unsqueeze",),
        lie=_copies_if(lambda x, args, kwargs: not x.is_contiguous()),
        caught_by="view.reshaped",
    ),
    Miniature(
        "squeeze of several dimensions copies",
        of=("squeeze", "Tensor.squeeze"),
        lie=_copies_if(lambda x, args, kwargs: bool(args) and isinstance(args[0], tuple)),
        caught_by="view.reshaped",
    ),
    Miniature(
        "detach copies", of=("detach", "Tensor.detach"), lie=_copy, caught_by="view.reshaped"
    ),
    Miniature(
        "select counted from the end copies",
        of=("select", "Tensor.select"),
        lie=_copies_if(lambda x, args, kwargs: bool(args) and args[-1] < 0),
        caught_by="view.cut",
    ),
    Miniature(
        "narrow of whole rows shares, of columns copies",
        of=("narrow", "Tensor.narrow"),
        lie=_copies_if(lambda x, args, kwargs: bool(args) and args[0] not in (0, -x.dim())),
        caught_by="view.cut",
    ),
    Miniature(
        "as_strided without an offset starts at the storage's first element",
        of=("as_strided", "Tensor.as_strided"),
        lie=lambda right, x, size, stride, storage_offset=0: right(x, size, stride, storage_offset),
        caught_by="view.cut",
    ),
    Miniature(
        "indexing with a step of 3 copies",
        of=("Tensor.__getitem__",),
        lie=lambda right, x, index: (
            right(x, index).clone()
            if isinstance(index, tuple) and any(isinstance(i, slice) and i.step == 3 for i in index)
            else right(x, index)
        ),
        caught_by="view.indexed",
    ),
    Miniature(
        "indexing with None copies long tensors",
        of=("Tensor.__getitem__",),
        lie=lambda right, x, index: (
            right(x, index).clone()
            if isinstance(index, tuple) and any(i is None for i in index) and x.numel() > LONG
            else right(x, index)
        ),
        caught_by="view.indexed",
    ),
    Miniature(
        "the last piece of a chunk is a copy",
        of=("chunk", "Tensor.chunk"),
        lie=lambda right, *args, **kwargs: (
            *right(*args, **kwargs)[:-1],
            right(*args, **kwargs)[-1].clone(),
        ),
        caught_by="view.split",
    ),
    Miniature(
        "tensor_split makes the last pieces longer, not the first",
        of=("tensor_split", "Tensor.tensor_split"),
        lie=lambda right, x, where, dim=0: (
            right(x, where, dim)
            if not isinstance(where, int)
            else x.split([t.shape[dim] for t in right(x, where, dim)][::-1], dim)
        ),
        caught_by="view.split",
    ),
    Miniature(
        "expand materialises small results",
        of=("Tensor.expand",),
        lie=_materialised,
        caught_by="view.expand",
    ),
    Miniature(
        "broadcast_to copies",
        of=("broadcast_to", "Tensor.broadcast_to"),
        lie=lambda right, *args, **kwargs: right(*args, **kwargs).contiguous(),
        caught_by="view.expand",
    ),
    Miniature(
        "torch.swapaxes of complex128 copies",
        of=("swapaxes",),
        lie=_of_dtype("complex128"),
        caught_by="view.every-operation",
    ),
    Miniature(
        "vsplit of bool copies",
        of=("vsplit", "Tensor.vsplit"),
        lie=lambda right, x, where: tuple(
            t.clone() if x.dtype == torch.bool else t for t in right(x, where)
        ),
        caught_by="view.every-operation",
    ),
    Miniature(
        "a view of a tensor that lies further into its storage copies",
        of=("Tensor.permute", "permute"),
        lie=_copies_if(lambda x, args, kwargs: x.storage_offset() > 4),
        caught_by="view.chains",
    ),
    Miniature(
        "fill_ of every other element fills all",
        of=("Tensor.fill_",),
        lie=_beyond,
        caught_by="view.writes",
    ),
    Miniature(
        "masked_fill_ of a transposed matrix misses the last element",
        of=("Tensor.masked_fill_",),
        lie=lambda right, x, mask, value: (
            right(x, mask & (torch.arange(x.numel()).reshape(x.shape) < x.numel() - 1), value)
            if x.dim() == 2 and x.stride(0) < x.stride(1)
            else right(x, mask, value)
        ),
        caught_by="view.writes",
    ),
    Miniature(
        "copy_ into strided rank 3 loses the last element",
        of=("Tensor.copy_",),
        lie=_compact,
        caught_by="view.chains",
    ),
    Miniature(
        "view is reshape",
        of=("Tensor.view",),
        lie=lambda right, x, *args: (
            x.reshape(*args) if not isinstance(args[0], torch.dtype) else right(x, *args)
        ),
        caught_by="view.strides-allow",
    ),
    Miniature(
        "view wants a contiguous tensor",
        of=("Tensor.view",),
        lie=lambda right, x, *args: right(x, *args) if x.is_contiguous() else 1 // 0,
        caught_by="view.strides-allow",
    ),
    Miniature(
        "view_as is reshape_as",
        of=("Tensor.view_as",),
        lie=lambda right, x, other: x.reshape_as(other),
        caught_by="view.strides-allow",
    ),
    Miniature(
        "reshape always copies",
        of=("reshape", "Tensor.reshape"),
        lie=_copy,
        caught_by="view.maybe",
    ),
    Miniature(
        "flatten copies what is not contiguous",
        of=("flatten", "Tensor.flatten"),
        lie=_copies_if(lambda x, args, kwargs: not x.is_contiguous()),
        caught_by="view.maybe",
    ),
    Miniature(
        "contiguous always copies",
        of=("Tensor.contiguous",),
        lie=_copy,
        caught_by="view.contiguous",
    ),
    Miniature(
        "contiguous leaves stepped vectors as they are",
        of=("Tensor.contiguous",),
        lie=lambda right, x: x if x.dim() == 1 else right(x),
        caught_by="view.contiguous",
    ),
    Miniature(
        "clone of a contiguous tensor shares",
        of=("clone", "Tensor.clone"),
        lie=lambda right, x: x.view_as(x) if x.is_contiguous() else right(x),
        caught_by="view.copies",
    ),
    Miniature("repeat once shares", of=("Tensor.repeat",), lie=_shares, caught_by="view.copies"),
    Miniature(
        "cat of one tensor with elements shares",
        of=("cat",),
        lie=_shares_parts,
        caught_by="view.copies",
    ),
    Miniature(
        "a mask that is True everywhere shares",
        of=("Tensor.__getitem__",),
        lie=lambda right, x, index: (
            x.view_as(x)
            if isinstance(index, torch.Tensor)
            and index.dtype == torch.bool
            and index.all()
            and index.dim() == 1
            else right(x, index)
        ),
        caught_by="view.copies",
    ),
    Miniature(
        "index_select of every element of int16 shares",
        of=("index_select", "Tensor.index_select"),
        lie=lambda right, x, *args: (
            _shares(right, x, *args) if x.dtype == torch.int16 else right(x, *args)
        ),
        caught_by="view.copies-every-dtype",
    ),
    Miniature(
        "index_select takes the first index for the last",
        of=("Tensor.index_select",),
        lie=lambda right, x, dim, index: right(
            x, dim, torch.cat([index[:-1], index[:1]]) if index.numel() > 2 else index
        ),
        caught_by="view.partial-copies",
    ),
    Miniature(
        "a mask with a regular pattern makes a view",
        of=("Tensor.__getitem__",),
        lie=lambda right, x, index: (
            x[int(index.nonzero()[0]) :: 2]
            if isinstance(index, torch.Tensor)
            and index.dtype == torch.bool
            and index.numel() > 4
            and bool((index[2:] == index[:-2]).all())
            and bool((index[1:] != index[:-1]).all())
            else right(x, index)
        ),
        caught_by="view.partial-copies",
    ),
    Miniature(
        "add_ into an expanded tensor does not raise",
        of=("Tensor.add_",),
        lie=_overlapping,
        caught_by="view.overlapping-write",
    ),
    Miniature(
        "copy_ into an expanded tensor does not raise",
        of=("Tensor.copy_",),
        lie=_overlapping,
        caught_by="view.overlapping-write",
    ),
    Miniature("imag copies", of=("Tensor.imag",), lie=_copy, caught_by="view.complex-parts"),
    Miniature(
        "view_as_complex copies complex64",
        of=("view_as_complex",),
        lie=_of_dtype("float32"),
        caught_by="view.complex-parts",
    ),
    Miniature(
        "view of another dtype converts",
        of=("Tensor.view",),
        lie=lambda right, x, *args: (
            x.to(args[0])
            if isinstance(args[0], torch.dtype) and args[0].itemsize == x.dtype.itemsize
            else right(x, *args)
        ),
        caught_by="view.bits",
    ),
    Miniature(
        "view of a narrower dtype copies",
        of=("Tensor.view",),
        lie=lambda right, x, *args: (
            right(x, *args).clone()
            if isinstance(args[0], torch.dtype) and args[0].itemsize < x.dtype.itemsize
            else right(x, *args)
        ),
        caught_by="view.bits",
    ),
    Miniature(
        "split leaves out what its lengths do not reach",
        of=("split", "Tensor.split"),
        lie=lambda right, x, n, dim=0: (
            right(x.narrow(dim, 0, sum(n)), n, dim)
            if isinstance(n, list) and 0 <= sum(n) < x.shape[dim]
            else right(x, n, dim)
        ),
        caught_by="view.split-refusals",
    ),
    Miniature(
        "view of a wider dtype copies what begins at an odd place",
        of=("Tensor.view",),
        lie=lambda right, x, *args: (
            right(x.clone(), *args)
            if isinstance(args[0], torch.dtype) and x.storage_offset() % 2
            else right(x, *args)
        ),
        caught_by="view.bits-refusals",
    ),
    Miniature(
        "clone of three dimensions is contiguous",
        of=("Tensor.clone",),
        lie=lambda right, x, **how: right(x, **how).contiguous() if x.dim() == 3 else right(x),
        caught_by="view.order-of-copies",
    ),
    Miniature(
        "view(uint8) of float32 that begins further on copies",
        of=("Tensor.view",),
        lie=lambda right, x, *sizes: (
            right(x, *sizes).clone()
            if sizes[0] is torch.uint8 and x.dtype == torch.float32 and x.storage_offset()
            else right(x, *sizes)
        ),
        caught_by="view.bits",
    ),
    Miniature(
        "unbind of strided bool of rank 3 along dimension 1 is in the other order",
        of=("unbind", "Tensor.unbind"),
        lie=lambda right, x, dim=0: (
            right(x, dim)[::-1]
            if x.dtype == torch.bool and x.dim() == 3 and dim == 1 and not x.is_contiguous()
            else right(x, dim)
        ),
        caught_by="view.every-layout",
    ),
    Miniature(
        "a slice along a dimension is wiped when its tensor is gone",
        of=("narrow", "Tensor.narrow"),
        lie=_wiped_with_its_tensor,
        caught_by="view.lifetime",
    ),
    Miniature(
        "copy_ of the conjugate of the tensor itself does nothing",
        of=("Tensor.copy_",),
        lie=lambda right, x, other, *how: (
            x if other.is_conj() and other.data_ptr() == x.data_ptr() else right(x, other, *how)
        ),
        caught_by="view.conjugated",
    ),
]
