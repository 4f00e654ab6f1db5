"""Reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.harness.bench.oracle import gives, tensor, whole
from tenet.harness.bench.workload import Family, Task
from tenet.spec.model.dtypes import DTYPES
from tenet.spec.model.layers import softmax, softmax_bound

_SIZES = (1_000, 100_000, 10_000_000)
_SIDE = 1_000


def _repeated(torch: Any, device: str, elements: int, dtype: str) -> tuple[Any, Any, int]:
    """Odd numbers, whose sums are exact, and miss none of them unnoticed: the tensor, a thousand
    of them, and how often."""
    array = 2 * whole((_SIDE,), 1, dtype) + 1
    times = elements // _SIDE
    return tensor(torch, device, array, times=times), array.astype(np.float64), times


def _sum(torch: Any, device: str, elements: int, dtype: str) -> Task:
    x, array, times = _repeated(torch, device, elements, dtype)
    expected = np.asarray(array.sum() * times, DTYPES[dtype].numpy)
    moved = elements * DTYPES[dtype].bits // 8
    return Task(lambda: torch.sum(x), gives(expected), bytes=moved, flops=elements)


def _max(torch: Any, device: str, elements: int, dtype: str) -> Task:
    x, array, _ = _repeated(torch, device, elements, dtype)
    expected = np.asarray(array.max(), DTYPES[dtype].numpy)
    moved = elements * DTYPES[dtype].bits // 8
    return Task(lambda: torch.amax(x), gives(expected), bytes=moved, flops=elements)


def _argmax(torch: Any, device: str, elements: int) -> Task:
    array = np.random.default_rng(1).permutation(elements).astype(np.float32)
    x = tensor(torch, device, array)
    return Task(lambda: torch.argmax(x), gives(np.asarray(array.argmax())), bytes=4 * elements)


def _over(torch: Any, device: str, side: int, dim: int) -> Task:
    array = whole((side, side), 1)
    x = tensor(torch, device, array)
    check = gives(array.sum(dim, dtype=np.float64).astype(np.float32))
    return Task(lambda: torch.sum(x, dim), check, bytes=4 * side * side, flops=side * side)


def _softmax(torch: Any, device: str, side: int) -> Task:
    array = whole((side, side), 1)
    x, exact = tensor(torch, device, array), array.astype(np.float64)
    check = gives(softmax(exact, 1), softmax_bound(exact, 1, "float32"))
    return Task(lambda: torch.softmax(x, 1), check, bytes=8 * side * side, flops=3 * side * side)


FAMILIES = (
    Family("reduction.sum", _sum, "reduction.sum.value",
           {"elements": _SIZES, "dtype": ("float32", "float64")}),
    Family("reduction.max", _max, "reduction.amax.value",
           {"elements": _SIZES, "dtype": ("float32",)}),
    Family("reduction.argmax", _argmax, "reduction.argmax.value", {"elements": (100_000,)}),
    Family("reduction.sum-over", _over, "reduction.sum.value", {"side": (500,), "dim": (0, 1)}),
    Family("reduction.softmax", _softmax, "nn.softmax", {"side": (256,)}),
)  # fmt: skip
