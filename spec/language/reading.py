"""Reading what a backend computed, as plain NumPy arrays."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from tenet.spec.model.dtypes import numpy_dtype


def is_tensor(value: object) -> TypeGuard[Any]:
    """Whether a value looks like a tensor of any torch-like library."""
    return (
        hasattr(value, "dtype")
        and hasattr(value, "tolist")
        and not isinstance(value, np.ndarray | np.generic)
    )


def home(torch: Any) -> str:
    """The name by which the namespace can be imported, in this process and in others: that of
    the package of its submodules, for what is injected may be a copy, or stand for another."""
    return str(torch.utils.__name__).rpartition(".")[0]


def dtype_name(dtype: object) -> str:
    """The bare name of a dtype of any torch-like library: torch.float32 -> 'float32'."""
    return str(dtype).rpartition(".")[2]


def read(tensor: Any) -> np.ndarray:
    """The elements of a tensor as an array of the same shape and dtype that shares nothing.

    Goes through numpy(), which is exact, and through tolist() where a library has no such
    bridge. NumPy has no bfloat16: it goes through float32, which holds each of its numbers.
    """
    plain = tensor.detach()
    name = dtype_name(plain.dtype)
    if not hasattr(plain, "numpy"):
        return np.array(plain.tolist(), dtype=numpy_dtype(name)).reshape(tuple(plain.shape))
    if plain.device.type != "cpu":
        plain = plain.cpu()
    if name == "bfloat16":
        return np.asarray(plain.float().numpy()).astype(numpy_dtype(name))
    # A library that never leaves a conjugation or a sign to be applied later has no such names.
    for lazy in ("resolve_conj", "resolve_neg"):
        plain = getattr(plain, lazy, lambda now=plain: now)()
    return np.array(plain.numpy())


def elements(tensor: Any) -> list[Any] | Any:
    """tolist(): the elements without any use of the NumPy bridge, for clauses about it."""
    return tensor.detach().tolist()
