"""Reading what a backend computed, as plain NumPy arrays."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from tenet.spec.model.dtypes import numpy_dtype


def is_tensor(value: object) -> TypeGuard[Any]:
    """Whether a value looks like a tensor of any torch-like library."""
    return hasattr(value, "dtype") and hasattr(value, "tolist") and not isinstance(
        value, np.ndarray | np.generic
    )


def dtype_name(dtype: object) -> str:
    """The bare name of a dtype of any torch-like library: torch.float32 -> 'float32'."""
    return str(dtype).rpartition(".")[2]


def read(tensor: Any) -> np.ndarray:
    """The elements of a tensor as an array of the same shape and dtype that shares nothing.

    Goes through numpy(), which is exact, and through tolist() where a dtype (bfloat16) or a
    library has no such bridge. float16 and bfloat16 pass through Python floats without loss.
    """
    plain = tensor.detach()
    name = dtype_name(plain.dtype)
    if name != "bfloat16" and hasattr(plain, "numpy"):
        if plain.device.type != "cpu":
            plain = plain.cpu()
        if plain.is_complex():
            plain = plain.resolve_conj()
        return np.array(plain.resolve_neg().numpy())
    return np.array(plain.tolist(), dtype=numpy_dtype(name)).reshape(tuple(plain.shape))


def elements(tensor: Any) -> list[Any] | Any:
    """tolist(): the elements without any use of the NumPy bridge, for clauses about it."""
    return tensor.detach().tolist()
