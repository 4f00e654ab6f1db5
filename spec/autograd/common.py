"""What the clauses on automatic differentiation share: leaves, elements, and what a gradient is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tenet.spec.cases import shapes, tensor_of, values
from tenet.spec.cases.operands import laid as lying
from tenet.spec.language import assert_equal, assert_that
from tenet.spec.model.dtypes import numpy_dtype

Array = np.ndarray
Shape = tuple[int, ...]
Act = Callable[..., Any]

SINGLE = ("float32", "float64")
NEEDS = {"autograd"}
small = shapes(max_rank=3, max_size=300, often=((),))


def leaf(torch: Any, device: str, array: Any, dtype: str = "float32") -> Any:
    """A leaf that requires gradients, with the given elements."""
    return tensor_of(torch, device, np.asarray(array, numpy_dtype(dtype))).requires_grad_()


def plain(torch: Any, device: str, array: Any, dtype: str = "float32") -> Any:
    """A tensor that does not."""
    return tensor_of(torch, device, np.asarray(array, numpy_dtype(dtype)))


def laid(torch: Any, device: str, array: Array, layout: str, dtype: str) -> Any:
    """A tensor in a layout, which requires gradients."""
    return lying(torch, device, array.astype(numpy_dtype(dtype)), layout).requires_grad_()


def signed(shape: Shape, seed: int = 0) -> Array:
    """Integers from -9 to 9, as float64."""
    return values(shape, "float64", "signed", seed)


def assert_grad(tensor: Any, expected: Any, dtype: str) -> None:
    """The gradient of a tensor is there, on its device, not itself tracked, and exact."""
    assert_that(tensor.grad is not None, "there is no gradient")
    assert_equal(tensor.grad, np.asarray(expected, numpy_dtype(dtype)), signed_zero=False)
    facts = tensor.grad.device == tensor.device, tensor.grad.requires_grad
    assert_equal(facts, (True, False))


SAVERS: dict[str, Act] = {
    "mul": lambda torch, x: x * x,
    "exp": lambda torch, x: torch.exp(x),
    "pow": lambda torch, x: x**3,
    "matmul": lambda torch, x: x @ x,
    "tanh": lambda torch, x: torch.tanh(x),
    "div": lambda torch, x: 1 / x,
    "prod": lambda torch, x: x.prod(),
    "softmax": lambda torch, x: torch.softmax(x, 0),
}
"""Operations whose gradient needs a tensor that forward saved."""

OPERAND_SAVED: dict[str, Act] = {
    "mul": lambda torch, x, w: x * w,
    "div": lambda torch, x, w: x / w,
    "matmul": lambda torch, x, w: x @ w,
    "matmul from the left": lambda torch, x, w: w @ x,
    "linear": lambda torch, x, w: torch.nn.functional.linear(x, w),
}
"""Operations of vectors or matrices whose gradient by the first needs the second."""
