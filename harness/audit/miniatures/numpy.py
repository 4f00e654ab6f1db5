"""Lies about the bridge to NumPy."""

import gc
from typing import Any

import numpy as np
import torch

from tenet.harness.audit.miniature import Miniature

FROM_ARRAY = ("from_numpy", "as_tensor", "asarray")


def _unless(condition: Any, otherwise: Any) -> Any:
    """A lie told only where condition(first argument) holds."""

    def lie(right: Any, first: Any, *args: Any, **kwargs: Any) -> Any:
        if condition(first):
            return otherwise(right, first, *args, **kwargs)
        return right(first, *args, **kwargs)

    return lie


def _copy(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(x.copy() if isinstance(x, np.ndarray) else x.clone(), *args, **kwargs)


def _is_array(x: Any, dtype: str | None = None) -> bool:
    return isinstance(x, np.ndarray) and (dtype is None or x.dtype.name == dtype)


def _float32(right: Any, array: Any) -> Any:
    return right(array.astype(np.float32))


def _overwriting(right: Any, *size: Any, **kwargs: Any) -> Any:
    """Stands for an allocator that hands out what a live bool array still uses."""
    for found in gc.get_objects() if size == (5000,) else ():
        # Not isinstance(), which asks a hook of torch for each of a million objects.
        if type(found) is torch.Tensor and found.dtype is torch.bool and found.numel() == 5000:
            found.fill_(True)
    return right(*size, **kwargs)


def _made_once(right: Any, x: Any, **options: Any) -> Any:
    if not hasattr(x, "_array"):
        x._array = right(x, **options)
    return x._array


MINIATURES = [
    Miniature(
        "from_numpy makes float32 of float64",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a, "float64"), _float32),
        caught_by="numpy.from-numpy",
    ),
    Miniature(
        "from_numpy copies arrays that are not contiguous",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and not a.flags.c_contiguous, _copy),
        caught_by="numpy.from-numpy",
    ),
    Miniature(
        "as_tensor copies float16",
        of=("as_tensor",),
        lie=_unless(lambda a: _is_array(a, "float16"), _copy),
        caught_by="numpy.from-numpy",
    ),
    Miniature(
        "from_numpy copies beyond 256 elements",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and a.size > 256, _copy),
        caught_by="numpy.from-numpy",
    ),
    Miniature(
        "numpy() copies int16",
        of=("Tensor.numpy",),
        lie=_unless(lambda t: t.dtype is torch.int16, _copy),
        caught_by="numpy.numpy",
    ),
    Miniature(
        "numpy() copies transposed tensors",
        of=("Tensor.numpy",),
        lie=_unless(lambda t: not t.is_contiguous(), _copy),
        caught_by="numpy.numpy",
    ),
    Miniature(
        "__array__ gives float64 for float32",
        of=("Tensor.__array__",),
        lie=lambda right, t, *args, **kwargs: (
            right(t, *args, **kwargs).astype(np.float64)
            if t.dtype is torch.float32
            else right(t, *args, **kwargs)
        ),
        caught_by="numpy.numpy",
    ),
    Miniature(
        "numpy() forgets the offset",
        of=("Tensor.numpy",),
        lie=_unless(
            lambda t: t.storage_offset() > 0 and not t.requires_grad,
            lambda right, t, *a, **k: right(t.as_strided(t.shape, t.stride(), 0), *a, **k),
        ),
        caught_by="numpy.numpy",
    ),
    Miniature(
        "add_ rebinds instead of writing, for float64",
        of=("Tensor.add_",),
        lie=_unless(lambda t: t.dtype is torch.float64, lambda right, t, x: t + x),
        caught_by="numpy.both-ways",
    ),
    Miniature(
        "from_numpy copies 1025 elements",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and a.size == 1025, _copy),
        caught_by="numpy.both-ways",
    ),
    Miniature(
        "+ adds in place for int64",
        of=("Tensor.__add__",),
        lie=_unless(lambda t: t.dtype is torch.int64, lambda right, t, x: t.add_(x)),
        caught_by="numpy.rebinding",
    ),
    Miniature(
        "torch.add adds in place for one element",
        of=("add",),
        lie=_unless(lambda t: t.numel() == 1, lambda right, t, x: t.add_(x)),
        caught_by="numpy.rebinding",
    ),
    Miniature(
        "asarray(copy=True) shares uint8",
        of=("asarray",),
        lie=lambda right, a, copy=None, **kwargs: (
            right(a, **kwargs) if _is_array(a, "uint8") else right(a, copy=copy, **kwargs)
        ),
        caught_by="numpy.copies",
    ),
    Miniature(
        "clone() shares 33 elements",
        of=("Tensor.clone",),
        lie=_unless(lambda t: t.numel() == 33, lambda right, t: t.view(t.shape)),
        caught_by="numpy.copies",
    ),
    Miniature(
        "from_numpy of a 0-d array has one dimension",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and not a.ndim, lambda right, a: right(a)[None]),
        caught_by="numpy.unusual-arrays",
    ),
    Miniature(
        "from_numpy raises for read-only arrays",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and not a.flags.writeable, lambda right, a: right(None)),
        caught_by="numpy.unusual-arrays",
    ),
    Miniature(
        "from_numpy loses the lengths of an empty array",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and not a.size, lambda right, a: right(a.ravel())),
        caught_by="numpy.unusual-arrays",
    ),
    Miniature(
        "memory of 5000 bools is overwritten once its array is gone",
        of=("ones",),
        lie=_overwriting,
        caught_by="numpy.lifetime",
    ),
    Miniature(
        "from_numpy copies arrays that run backwards along the last dimension",
        of=("from_numpy",),
        lie=_unless(lambda a: _is_array(a) and a.ndim and a.strides[-1] < 0, _copy),
        caught_by="numpy.negative-strides",
    ),
    Miniature(
        "as_tensor copies arrays with negative strides",
        of=("as_tensor",),
        lie=_unless(lambda a: _is_array(a) and any(s < 0 for s in a.strides), _copy),
        caught_by="numpy.negative-strides",
    ),
    Miniature(
        "numpy() makes float32 of bfloat16",
        of=("Tensor.numpy",),
        lie=_unless(
            lambda t: t.dtype is torch.bfloat16, lambda right, t, **k: right(t.float(), **k)
        ),
        caught_by="numpy.refusals",
    ),
    Miniature(
        "from_numpy takes lists",
        of=("from_numpy",),
        lie=_unless(lambda a: isinstance(a, list), lambda right, a: right(np.array(a))),
        caught_by="numpy.refusals",
    ),
    Miniature(
        "numpy() detaches results by itself",
        of=("Tensor.numpy",),
        lie=_unless(
            lambda t: t.requires_grad and not t.is_leaf,
            lambda right, t, **k: right(t.detach(), **k),
        ),
        caught_by="numpy.needs-detach",
    ),
    Miniature(
        "numpy(force=True) copies tensors that require grad",
        of=("Tensor.numpy",),
        lie=_unless(
            lambda t: t.requires_grad,
            lambda right, t, force=False: right(t.clone() if force else t, force=force),
        ),
        caught_by="numpy.needs-detach",
    ),
    Miniature(
        "resolve_conj does not conjugate matrices of complex64",
        of=("Tensor.resolve_conj",),
        lie=_unless(
            lambda t: t.dtype is torch.complex64 and t.is_conj(), lambda right, t: t.conj().clone()
        ),
        caught_by="numpy.needs-resolving",
    ),
    Miniature(
        "numpy() ignores that a view is conjugated",
        of=("Tensor.numpy",),
        lie=_unless(lambda t: t.is_conj(), lambda right, t, **k: right(t.conj(), **k)),
        caught_by="numpy.needs-resolving",
    ),
    Miniature(
        "resize_ of an int8 tensor from an array does nothing",
        of=("Tensor.resize_",),
        lie=_unless(
            lambda t: t.dtype is torch.int8 and not t.untyped_storage().resizable(),
            lambda right, t, size: t,
        ),
        caught_by="numpy.not-resizable",
    ),
    Miniature(
        "numpy() of a tensor on the meta device gives zeros",
        of=("Tensor.numpy",),
        lie=_unless(lambda t: t.is_meta, lambda right, t, **k: np.zeros(t.shape, np.float32)),
        caught_by="numpy.off-cpu",
    ),
    Miniature(
        "cpu() copies a CPU tensor",
        of=("Tensor.cpu",),
        lie=lambda right, t: right(t).clone(),
        caught_by="numpy.off-cpu",
    ),
    Miniature(
        "to(copy=True) shares complex128",
        of=("Tensor.to",),
        lie=lambda right, t, *args, copy=False, **kwargs: right(
            t, *args, copy=copy and t.dtype is not torch.complex128, **kwargs
        ),
        caught_by="numpy.off-cpu",
    ),
    Miniature(
        "sort of 17 rows is descending",
        of=("sort",),
        lie=lambda right, a, dim: right(a, dim, descending=a.shape[0] == 17),
        caught_by="numpy.same-results",
    ),
    Miniature(
        "maximum of int16 adds one where both are equal",
        of=("maximum",),
        lie=lambda right, a, b: right(a, b) + ((a == b) & (a.dtype == torch.int16)).to(a.dtype),
        caught_by="numpy.same-results",
    ),
    Miniature(
        "roll rolls back when not contiguous",
        of=("roll",),
        lie=lambda right, a, n, dim: right(a, n if a.is_contiguous() else -n, dim),
        caught_by="numpy.same-results",
    ),
    Miniature(
        "exp of float64 is computed in float32",
        of=("exp",),
        lie=lambda right, a: right(a.float()).to(a.dtype),
        caught_by="numpy.same-functions",
    ),
    Miniature(
        "tanh of the last element is 1e-6 off from 33 elements on",
        of=("tanh",),
        lie=lambda right, a: (
            right(a).index_fill(-1, torch.tensor([a.shape[-1] - 1]), 0.5)
            if a.ndim and a.numel() >= 33
            else right(a)
        ),
        caught_by="numpy.same-functions",
    ),
    Miniature(
        "mean of float32 leaves out the last element of 1025",
        of=("Tensor.mean",),
        lie=lambda right, t: right(t.flatten()[:-1]) if t.numel() > 1000 else right(t),
        caught_by="numpy.same-functions",
    ),
    Miniature(
        "frombuffer forgets the offset where the count is known",
        of=("frombuffer",),
        lie=lambda right, buffer, *, dtype, count=-1, offset=0: right(
            buffer, dtype=dtype, count=count, offset=0 if count > 0 else offset
        ),
        caught_by="numpy.buffers",
    ),
    Miniature(
        "from_dlpack copies what is not contiguous",
        of=("from_dlpack",),
        lie=lambda right, x: right(x) if right(x).is_contiguous() else right(x).clone(),
        caught_by="numpy.buffers",
    ),
    Miniature(
        "a float64 number of NumPy's widens float32",
        of=("Tensor.__rmul__",),
        lie=lambda right, t, x: right(t.double() if isinstance(x, np.float64) else t, x),
        caught_by="numpy.numbers",
    ),
    Miniature(
        "tensor shares a read-only array",
        of=("tensor",),
        lie=lambda right, data, *args, **kwargs: (
            torch.from_numpy(data)
            if _is_array(data) and not data.flags.writeable
            else right(data, *args, **kwargs)
        ),
        caught_by="numpy.copies",
    ),
    Miniature(
        "the array of a tensor is made once",
        of=("Tensor.numpy",),
        lie=_made_once,
        caught_by="numpy.of-the-moment",
    ),
]
