"""Products of matrices.

The factors are -1, 0 and 1, so every sum is exact in every dtype, in whatever order it is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.harness.bench.oracle import gives, tensor, whole
from tenet.harness.bench.workload import Family, Task
from tenet.spec.model.dtypes import DTYPES, numpy_dtype

Shape = tuple[int, ...]


def _product(torch: Any, device: str, left: Shape, right: Shape, dtype: str = "float32") -> Task:
    a, b = whole(left, 1, dtype, most=1), whole(right, 2, dtype, most=1)
    exact = a.astype(np.float32) @ b.astype(np.float32)
    x, y = tensor(torch, device, a), tensor(torch, device, b)
    return Task(
        lambda: torch.matmul(x, y),
        gives(exact.astype(numpy_dtype(dtype))),
        bytes=(a.size + b.size + exact.size) * DTYPES[dtype].bits // 8,
        flops=2 * exact.size * left[-1],
    )


def _square(torch: Any, device: str, side: int, dtype: str) -> Task:
    return _product(torch, device, (side, side), (side, side), dtype)


def _skinny(torch: Any, device: str, columns: int) -> Task:
    return _product(torch, device, (4096, 64), (64, columns))


def _batched(torch: Any, device: str, batch: int, side: int) -> Task:
    return _product(torch, device, (batch, side, side), (batch, side, side))


def _documented(torch: Any, device: str, side: int) -> Task:
    """A matrix of equal blocks: each block of the product is that of the blocks, times their
    number."""
    blocks = side // 1000
    a, b = whole((1000, 1000), 1, most=1), whole((1000, 1000), 2, most=1)
    x, y = (tensor(torch, device, array).repeat(blocks, blocks) for array in (a, b))
    return Task(
        lambda: torch.matmul(x, y),
        gives(np.tile(a @ b * np.float32(blocks), (blocks, blocks))),
        bytes=12 * side * side,
        flops=2 * side**3,
    )


def _loop(torch: Any, device: str, side: int) -> Task:
    a, b = whole((side, side), 1, most=1), whole((side, side), 2, most=1)
    x, y = tensor(torch, device, a), tensor(torch, device, b)

    def work() -> Any:
        product = torch.zeros(side, side, device=device)
        for i in range(side):
            for j in range(side):
                total = 0.0
                for k in range(side):
                    total = total + x[i, k] * y[k, j]
                product[i, j] = total
        return product

    return Task(work, gives(a @ b), bytes=12 * side * side, flops=2 * side**3)


FAMILIES = (
    Family("matmul.square", _square, "matmul.matmul.value",
           {"side": (32, 128, 512), "dtype": ("float32", "float64")}),
    Family("matmul.square-half", _square, "matmul.matmul.value",
           {"side": (128,), "dtype": ("float16", "bfloat16")}),
    Family("matmul.skinny", _skinny, "matmul.matmul.value", {"columns": (1, 8)}),
    Family("matmul.batched", _batched, "matmul.matmul.value", {"batch": (64,), "side": (32,)}),
    Family("matmul.documented", _documented, "performance.accelerator-products",
           {"side": (10_000,)}, where="accelerator"),
    Family("matmul.documented-at-a-tenth", _documented, "matmul.matmul.value",
           {"side": (1_000,)}, where="cpu"),
    Family("matmul.python-loop", _loop, "performance.matmul-beats-a-loop", {"side": (8,)}),
    Family("matmul.instead-of-the-loop", lambda torch, device, side: _square(
               torch, device, side, "float32"),
           "performance.matmul-beats-a-loop", {"side": (8,)}),
)  # fmt: skip
