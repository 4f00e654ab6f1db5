"""Lies about shapes, joins and repetitions."""

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

EDGE = 16


def _last_lost(right: Any, *args: Any, **kwargs: Any) -> Any:
    """The last element of a longer result is that before it."""
    result = right(*args, **kwargs).clone()
    if result.numel() > EDGE and result.numel() % 8:
        flat = result.view(-1)
        flat[-1] = flat[-2]
    return result


def _squashed(right: Any, *args: Any, **kwargs: Any) -> Any:
    """NaN and infinities become numbers."""
    result = right(*args, **kwargs)
    return result.nan_to_num() if result.is_floating_point() else result


def _column_major(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The elements as they lie in memory, not in row-major order."""
    if x.dim() == 2 and not x.is_contiguous() and x.t().is_contiguous():
        return right(x.t(), *args, **kwargs)
    return right(x, *args, **kwargs)


def _forgiving(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return right(x, *args, **kwargs)
    except (RuntimeError, IndexError):
        return x


def _wraps(right: Any, x: Any, a: int, b: int) -> Any:
    return right(x, a % x.dim(), b % x.dim())


def _of_dtype(name: str, tells: Any) -> Any:
    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        first = x[0] if isinstance(x, list | tuple) else x
        lies = first.dtype == getattr(torch, name)
        return tells(right, x, *args, **kwargs) if lies else right(x, *args, **kwargs)

    return lie


def _in_front(right: Any, x: Any, dim: int) -> Any:
    return right(x, dim if dim >= 0 else dim + x.dim())


def _new_tensor(right: Any, *args: Any, **kwargs: Any) -> Any:
    """A name for an operation in place that makes a new tensor."""
    return right(args[0].detach(), *args[1:], **kwargs)


def _out_ignored(right: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    """out= that is not contiguous is returned as it is."""
    out = kwargs.get("out")
    if out is not None and not out.is_contiguous():
        return out
    return right(tensors, *args, **kwargs)


MINIATURES = [
    Miniature(
        "torch.reshape reads a transposed matrix in the order of its memory",
        of=("reshape",),
        lie=_column_major,
        caught_by="shape.reshape",
    ),
    Miniature(
        "reshape with a trailing -1 loses an element of odd lengths",
        of=("Tensor.reshape",),
        lie=lambda right, x, *shape: (
            _last_lost(right, x, *shape)
            if (shape[0] if isinstance(shape[0], tuple) else shape)[-1:] == (-1,)
            else right(x, *shape)
        ),
        caught_by="shape.reshape",
    ),
    Miniature(
        "reshape of bfloat16 swallows NaN",
        of=("reshape", "Tensor.reshape"),
        lie=_of_dtype("bfloat16", _squashed),
        caught_by="shape.every-dtype",
    ),
    Miniature(
        "flatten ignores end_dim counted from the end",
        of=("flatten", "Tensor.flatten"),
        lie=lambda right, x, start_dim=0, end_dim=-1: right(
            x, start_dim, end_dim if end_dim >= 0 else -1
        ),
        caught_by="shape.flatten",
    ),
    Miniature(
        "ravel goes in the order of memory",
        of=("ravel", "Tensor.ravel"),
        lie=_column_major,
        caught_by="shape.flatten",
    ),
    Miniature(
        "squeeze(d) drops every length of 1",
        of=("squeeze", "Tensor.squeeze"),
        lie=lambda right, x, *args, **kwargs: right(x),
        caught_by="shape.squeeze",
    ),
    Miniature(
        "unsqueeze counts negative dims in the source",
        of=("unsqueeze", "Tensor.unsqueeze"),
        lie=lambda right, x, dim: right(x, dim if dim >= 0 else max(dim + x.dim(), 0)),
        caught_by="shape.squeeze",
    ),
    Miniature(
        "transpose of rank 4 counts negative dims one off",
        of=("transpose", "Tensor.transpose"),
        lie=lambda right, x, dim0, dim1: right(
            x, dim0, (dim1 + 1) % 4 if x.dim() == 4 and dim1 < 0 else dim1
        ),
        caught_by="shape.transpose",
    ),
    Miniature(
        "permute applies the inverse permutation",
        of=("permute", "Tensor.permute"),
        lie=lambda right, x, *dims: (
            right(
                x,
                torch.tensor(
                    [d % x.dim() for d in (dims[0] if isinstance(dims[0], tuple) else dims)]
                )
                .argsort()
                .tolist(),
            )
            if x.dim() > 2
            else right(x, *dims)
        ),
        caught_by="shape.transpose",
    ),
    Miniature(
        "moveaxis goes the other way",
        of=("moveaxis", "Tensor.moveaxis"),
        lie=lambda right, x, source, destination: right(x, destination, source),
        caught_by="shape.transpose",
    ),
    Miniature(
        "T of complex conjugates",
        of=("Tensor.T",),
        lie=lambda right, x: right(x).conj(),
        caught_by="shape.every-dtype",
    ),
    Miniature(
        "expand_as stretches the first element's neighbour",
        of=("Tensor.expand_as",),
        lie=lambda right, x, other: right(x, other).flip(0) if x.dim() > 1 else right(x, other),
        caught_by="shape.expand",
    ),
    Miniature(
        "repeat repeats each element in its place",
        of=("Tensor.repeat",),
        lie=lambda right, x, *sizes: (
            x.repeat_interleave(sizes[0])
            if x.dim() == 1 and len(sizes) == 1 and isinstance(sizes[0], int)
            else right(x, *sizes)
        ),
        caught_by="shape.repeat",
    ),
    Miniature(
        "repeat_interleave tiles",
        of=("repeat_interleave", "Tensor.repeat_interleave"),
        lie=lambda right, x, repeats, dim=None: (
            x.flatten().repeat(repeats) if dim is None else right(x, repeats, dim)
        ),
        caught_by="shape.repeat",
    ),
    Miniature(
        "flip loses the tail of odd lengths",
        of=("flip", "Tensor.flip"),
        lie=_last_lost,
        caught_by="shape.flip",
    ),
    Miniature(
        "flip works in place",
        of=("Tensor.flip",),
        lie=lambda right, x, *dims: (
            x.copy_(right(x, *dims)) if x.is_contiguous() else right(x, *dims)
        ),
        caught_by="shape.flip",
    ),
    Miniature(
        "unsqueeze(1) inserts last",
        of=("Tensor.unsqueeze",),
        lie=lambda right, x, dim: right(x, -1 if dim == 1 else dim),
        caught_by="shape.documented",
    ),
    Miniature(
        "tile with fewer counts than dimensions tiles the first ones",
        of=("tile", "Tensor.tile"),
        lie=lambda right, x, dims: right(x, (*dims, *(1,) * (x.dim() - len(dims)))),
        caught_by="shape.metadata",
    ),
    Miniature(
        "squeeze_ returns a new tensor",
        of=("Tensor.squeeze_",),
        lie=_new_tensor,
        caught_by="shape.in-place",
    ),
    Miniature(
        "unsqueeze_(-1) inserts before the last dimension",
        of=("Tensor.unsqueeze_",),
        lie=_in_front,
        caught_by="shape.in-place",
    ),
    Miniature(
        "view with two lengths of -1 gives the source",
        of=("Tensor.view",),
        lie=lambda right, x, *shape: (
            x if isinstance(shape[0], tuple) and shape[0].count(-1) == 2 else right(x, *shape)
        ),
        caught_by="shape.wrong-count",
    ),
    Miniature(
        "reshape cuts off what is too much",
        of=("Tensor.reshape",),
        lie=lambda right, x, *shape: (
            right(x[: torch.Size(shape[0]).numel()], *shape)
            if x.dim() == 1
            and isinstance(shape[0], tuple)
            and 0 <= torch.Size(shape[0]).numel() < x.numel()
            and -1 not in shape[0]
            else right(x, *shape)
        ),
        caught_by="shape.wrong-count",
    ),
    Miniature(
        "transpose takes dims modulo the rank",
        of=("Tensor.transpose",),
        lie=_wraps,
        caught_by="shape.wrong-dims",
    ),
    Miniature(
        "permute allows a dimension twice",
        of=("Tensor.permute",),
        lie=_forgiving,
        caught_by="shape.wrong-dims",
    ),
    Miniature(
        "expand of another length than 1 does nothing",
        of=("Tensor.expand",),
        lie=_forgiving,
        caught_by="shape.wrong-dims",
    ),
    Miniature(
        "stack along a negative dimension is one off",
        of=("stack",),
        lie=lambda right, tensors, dim=0: right(
            tensors, dim if dim >= 0 else max(dim - 1, -tensors[0].dim() - 1)
        ),
        caught_by="shape.stack",
    ),
    Miniature(
        "stack of one tensor is that tensor",
        of=("stack",),
        lie=lambda right, tensors, *args, **kwargs: (
            tensors[0] if len(tensors) == 1 else right(tensors, *args, **kwargs)
        ),
        caught_by="shape.stack",
    ),
    Miniature(
        "cat of more than two strided tensors loses the last element",
        of=("cat",),
        lie=lambda right, tensors, *args, **kwargs: (
            _last_lost(right, tensors, *args, **kwargs)
            if len(tensors) > 2 and not tensors[-1].is_contiguous()
            else right(tensors, *args, **kwargs)
        ),
        caught_by="shape.cat",
    ),
    Miniature(
        "concatenate by keyword joins along the first dimension",
        of=("concatenate",),
        lie=lambda right, tensors, *args, **kwargs: right(tensors, *args),
        caught_by="shape.cat",
    ),
    Miniature(
        "hstack of vectors stacks them",
        of=("hstack",),
        lie=lambda right, tensors, **kwargs: (
            torch.stack(tuple(tensors))
            if tensors[0].dim() == 1 and len({t.shape for t in tensors}) == 1
            else right(tensors, **kwargs)
        ),
        caught_by="shape.named-joins",
    ),
    Miniature(
        "dstack of vectors adds the dimension in front",
        of=("dstack",),
        lie=lambda right, tensors, **kwargs: (
            right(tensors, **kwargs).movedim(-1, 0)
            if tensors[0].dim() == 1
            else right(tensors, **kwargs)
        ),
        caught_by="shape.named-joins",
    ),
    Miniature(
        "cat of float16 swallows NaN",
        of=("cat",),
        lie=_of_dtype("float16", _squashed),
        caught_by="shape.join-every-dtype",
    ),
    Miniature(
        "cat leaves an out= that is not contiguous as it is",
        of=("cat",),
        lie=_out_ignored,
        caught_by="shape.join-out",
    ),
    Miniature(
        "stack returns a copy of out=",
        of=("stack",),
        lie=lambda right, *args, **kwargs: (
            right(*args, **kwargs).clone() if "out" in kwargs else right(*args, **kwargs)
        ),
        caught_by="shape.join-out",
    ),
    Miniature(
        "stack of unequal shapes cuts them to the shortest",
        of=("stack",),
        lie=lambda right, tensors, *args, **kwargs: (
            right([t[: min(u.shape[0] for u in tensors)] for t in tensors], *args, **kwargs)
            if all(t.dim() == 1 for t in tensors)
            else right(tensors, *args, **kwargs)
        ),
        caught_by="shape.join-mismatch",
    ),
    Miniature(
        "cat takes a dimension modulo the rank",
        of=("cat", "concat"),
        lie=lambda right, tensors, dim=0: right(tensors, dim % max(tensors[0].dim(), 1)),
        caught_by="shape.join-mismatch",
    ),
    Miniature(
        "cat of one tensor forgets an out= with gaps",
        ("cat",),
        lambda right, parts, *args, out=None, **named: (
            out
            if out is not None and len(parts) == 1 and not out.is_contiguous()
            else right(parts, *args, out=out, **named)
        ),
        "shape.join-of-one-out",
    ),
    Miniature(
        "stack of one tensor hands out another than out=",
        ("stack",),
        lambda right, parts, *args, out=None, **named: right(
            parts, *args, out=out, **named
        ).clone(),
        "shape.join-of-one-out",
    ),
    Miniature(
        "expand to a multiple of a length repeats",
        of=("Tensor.expand",),
        lie=lambda right, x, *sizes: (
            x.repeat(2, 1)[:, :1].repeat(1, 2)
            if sizes in (((6, 2),), (6, 2)) and x.shape == (3, 1)
            else right(x, *sizes)
        ),
        caught_by="shape.expand-refusals",
    ),
]


MINIATURES += [
    Miniature(
        "meshgrid forgets indexing",
        of=("meshgrid",),
        lie=lambda right, *vectors, indexing="ij": right(*vectors, indexing="ij"),
        caught_by="shape.grids",
    ),
    Miniature(
        "a quarter turn back is one forth",
        of=("rot90", "Tensor.rot90"),
        lie=lambda right, x, k=1, dims=(0, 1): right(x, abs(k), dims),
        caught_by="shape.written-out",
    ),
    Miniature(
        "cat along dimension -3 joins the last first",
        of=("cat",),
        lie=lambda right, parts, dim=0: right(parts[::-1] if dim == -3 else parts, dim),
        caught_by="shape.joins-written-out",
    ),
    Miniature(
        "flip of permuted int16 turns another dimension",
        of=("flip", "Tensor.flip"),
        lie=lambda right, x, *dims: (
            right(x, *dims).flip(0)
            if x.dtype == torch.int16 and x.stride(-1) != 1 and x.dim() > 1
            else right(x, *dims)
        ),
        caught_by="shape.every-layout",
    ),
    Miniature(
        "roll of strided int16 of rank 3 is flipped",
        of=("roll", "Tensor.roll"),
        lie=lambda right, x, *args, **kwargs: (
            right(x, *args, **kwargs).flip(0)
            if x.dtype == torch.int16 and x.dim() == 3 and not x.is_contiguous()
            else right(x, *args, **kwargs)
        ),
        caught_by="shape.roll",
    ),
    Miniature(
        "repeat_interleave reads its counts as they lie in memory",
        of=("repeat_interleave", "Tensor.repeat_interleave"),
        lie=lambda right, x, n, *args, **kwargs: right(
            x,
            n.as_strided(n.shape, (1,)) if isinstance(n, torch.Tensor) and n.dim() else n,
            *args,
            **kwargs,
        ),
        caught_by="shape.written-out",
    ),
]
