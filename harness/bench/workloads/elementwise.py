"""Operations on every element."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.harness.bench.oracle import PERIOD, gives, pattern, tensor
from tenet.harness.bench.workload import Family, Task
from tenet.spec.model.dtypes import DTYPES
from tenet.spec.model.tolerance import rounded, ulps

_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def _add(torch: Any, device: str, elements: int, dtype: str) -> Task:
    left, right = pattern(1, dtype), pattern(2, dtype)
    expected = rounded(left.astype(np.float64) + right.astype(np.float64), dtype)
    x, y = (tensor(torch, device, array, times=elements // PERIOD) for array in (left, right))
    moved = 3 * elements * DTYPES[dtype].bits // 8
    return Task(lambda: torch.add(x, y), gives(expected), bytes=moved, flops=elements)


def _exp(torch: Any, device: str, elements: int, dtype: str) -> Task:
    array = pattern(1, dtype)
    # Half precision is computed in float32 and rounded.
    bound = ulps(1 if dtype == "bfloat16" else 4, dtype, "an elementary function")
    x = tensor(torch, device, array, times=elements // PERIOD)
    check = gives(np.exp(array.astype(np.float64)), bound)
    moved = 2 * elements * DTYPES[dtype].bits // 8
    return Task(lambda: torch.exp(x), check, bytes=moved, flops=elements)


def _where(torch: Any, device: str, elements: int, dtype: str) -> Task:
    left, right = pattern(1, dtype), pattern(2, dtype)
    pick = np.random.default_rng(3).random(PERIOD) < 0.5
    arrays = pick, left, right
    c, x, y = (tensor(torch, device, array, times=elements // PERIOD) for array in arrays)
    check = gives(np.where(pick, left, right))
    moved = elements * (1 + 3 * DTYPES[dtype].bits // 8)
    return Task(lambda: torch.where(c, x, y), check, bytes=moved)


_DTYPES = ("float32", "float16", "bfloat16", "float64")

FAMILIES = (
    Family("elementwise.add", _add, "elementwise.add.value",
           {"elements": _SIZES, "dtype": _DTYPES}),
    Family("elementwise.exp", _exp, "elementwise.exp.value",
           {"elements": _SIZES, "dtype": ("float32", "bfloat16")}),
    Family("elementwise.where", _where, "elementwise.where.value",
           {"elements": _SIZES, "dtype": ("float32",)}),
)  # fmt: skip
