"""What the clauses on layers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tenet.spec.cases import place, tensor_of
from tenet.spec.model.layers import Array

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


def leaf(torch: Any, device: str, array: Array) -> Any:
    """A tensor that gathers gradients."""
    return tensor_of(torch, device, array).requires_grad_()


def one_or_each(lengths: Shape, seed: int) -> Any:
    """(2, 2) may be written 2."""
    return lengths[0] if len(set(lengths)) == 1 and seed % 2 else lengths
