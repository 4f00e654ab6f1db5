"""What the clauses on layers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tenet.spec.cases import arrange, place, tensor_of
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.layers import Array, wide

FLOATS = ("float32", "float64", "float16", "bfloat16")
SINGLE = ("float32", "float64")
REDUCTIONS = ("mean", "sum", "none")
Shape = tuple[int, ...]


@contextmanager
def full_precision(torch: Any) -> Iterator[None]:
    """Convolutions in the full float32: cuDNN may round their operands to TF32 by default."""
    cudnn: Any = getattr(getattr(torch, "backends", None), "cudnn", None)
    if not hasattr(cudnn, "allow_tf32"):
        yield
        return
    before, cudnn.allow_tf32 = cudnn.allow_tf32, False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before


def laid_out(torch: Any, device: str, array: Array, layout: str) -> Any:
    """A tensor with the elements of an array, in a layout that repeats none of them."""
    return place(torch, device, array, "gapped" if layout == "expanded" else layout).view


def filled(torch: Any, device: str, module: Any, **arrays: Array) -> Any:
    """The module with the given parameters and buffers, on the device and in the arrays' dtype."""
    name = next(iter(arrays.values())).dtype.name
    module = module.to(device=device, dtype=getattr(torch, name))
    with torch.no_grad():
        for attribute, array in arrays.items():
            getattr(module, attribute).copy_(tensor_of(torch, device, array))
    return module


def leaf(torch: Any, device: str, array: Array, layout: str = "contiguous") -> Any:
    """A tensor that gathers gradients, in a layout that repeats no element."""
    return laid_out(torch, device, array, layout).requires_grad_()


def arriving(torch: Any, device: str, array: Array, layout: str) -> tuple[Any, Array]:
    """A gradient for a result, and what it holds: expanded, all its samples are the first."""
    arrangement = arrange(array, layout)
    held = np.array(arrangement.of_array(arrangement.base))
    return arrangement.of_tensor(tensor_of(torch, device, arrangement.base)), held


def far_from_zero(whole: Array, dtype: str, step: float = 1.0) -> Array:
    """Small whole numbers, moved so far that the dtype's numbers are a step apart there: their
    differences are exact."""
    middle = 1.5 * 2.0 ** (FORMATS[dtype].precision - 1)
    return np.asarray(((middle + wide(whole)) * step).astype(numpy_dtype(dtype)))


def one_or_each(lengths: Shape, seed: int) -> Any:
    """(2, 2) may be written 2."""
    return lengths[0] if len(set(lengths)) == 1 and seed % 2 else lengths
