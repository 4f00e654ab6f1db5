"""Products refuse operands of unequal dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tenet.spec.dtype.common import named
from tenet.spec.language import assert_equal, assert_raises, case, clause, supported
from tenet.spec.model.dtypes import ALL, COMPLEX, FLOATS, numpy_dtype

PRODUCTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "matmul": lambda torch, a, b: torch.matmul(a, b),
    "@": lambda torch, a, b: a @ b,
    "Tensor.matmul": lambda torch, a, b: a.matmul(b),
    "mm": lambda torch, a, b: torch.mm(a, b),
    "Tensor.mm": lambda torch, a, b: a.mm(b),
    "linear": lambda torch, a, b: torch.nn.functional.linear(a, b.t()),
    "bmm": lambda torch, a, b: torch.bmm(a[None], b[None])[0],
    "batched matmul": lambda torch, a, b: torch.matmul(a[None, None], b)[0, 0],
    "mv": lambda torch, a, b: torch.stack([torch.mv(a, b[:, 0]), torch.mv(a, b[:, 1])], 1),
    "matmul of a vector": lambda torch, a, b: torch.stack([a[0] @ b, a[1] @ b]),
    "dot": lambda torch, a, b: torch.stack(
        [torch.stack([torch.dot(a[i], b[:, j]) for j in (0, 1)]) for i in (0, 1)]
    ),
    "tensordot": lambda torch, a, b: torch.tensordot(a, b, 1),
    "einsum": lambda torch, a, b: torch.einsum("ij,jk->ik", a, b),
    "addmm": lambda torch, a, b: torch.addmm(b.new_zeros(2), a, b),
    "inner": lambda torch, a, b: torch.inner(a, b.t()),
}


@clause("dtype.mismatch", covers=["minicourse.matmul-dtype-mismatch"])
def products_demand_equal_dtypes(torch: Any, device: str) -> None:
    """matmul (@), mm, bmm, mv, dot, linear and their kin do not promote: they raise where the
    dtypes of their operands differ, a bias or what is added among them, and give the product once
    one is cast to the other's dtype."""
    left, right = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[1, 0], [2, 1], [0, 3]])
    for first in supported(ALL):
        for second in supported(ALL):
            if first == second:
                continue
            a = torch.tensor(left.tolist(), device=device).to(named(torch, first))
            b = torch.tensor(right.tolist(), device=device).to(named(torch, second))
            cure = second if second in (*FLOATS, *COMPLEX) else "float32"
            factor = left != 0 if first == "bool" else left
            expected = (factor @ (right != 0 if second == "bool" else right)).astype(
                numpy_dtype(cure)
            )
            for spelling, product in PRODUCTS.items():
                with case(first=first, second=second, spelling=spelling):
                    assert_raises(product, torch, a, b)
            for cured in supported([cure]):
                same, other = a.to(named(torch, cured)), b.to(named(torch, cured))
                spellings = tuple(PRODUCTS) if first in ("float32", "int64") else ("matmul",)
                for spelling in spellings:
                    with case(first=first, second=second, spelling=spelling, cast=cured):
                        assert_equal(PRODUCTS[spelling](torch, same, other), expected)
    _linear_demands_its_bias_too(torch, device, left, right)


def _linear_demands_its_bias_too(torch: Any, device: str, left: Any, right: Any) -> None:
    linear = torch.nn.functional.linear
    for name in supported(["float64", "float16", "bfloat16"]):
        a, b = (torch.tensor(array.tolist(), device=device).float() for array in (left, right.T))
        bias = torch.ones(2, device=device)
        with case(first="float32", bias=name):
            assert_raises(linear, a.to(named(torch, name)), b, bias)
            assert_raises(linear, a, b.to(named(torch, name)), bias)
            assert_raises(linear, a, b, bias.to(named(torch, name)))
            assert_raises(torch.addmm, bias.to(named(torch, name)), a, b.t())
            assert_raises(torch.addmv, bias.to(named(torch, name)), a, b[0])
            assert_raises(torch.baddbmm, bias.to(named(torch, name)), a[None], b.t()[None])
            assert_equal(torch.addmm(bias, a, b.t()), (left @ right + 1).astype(np.float32))
            assert_equal(linear(a, b, bias), (left @ right + 1).astype(np.float32))
