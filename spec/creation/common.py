"""What the clauses on creation share."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.model.dtypes import ALL, FORMATS, Category, category

Shape = tuple[int, ...]

dtypes = st.sampled_from(ALL)

INFERRED = {
    Category.BOOL: "bool",
    Category.INTEGER: "int64",
    Category.FLOAT: "float32",
    Category.COMPLEX: "complex64",
}
"""The dtype that torch.tensor infers from Python data of each category."""


def as_python(array: np.ndarray) -> Any:
    """The elements as nested lists of Python's own numbers (for a 0-d array, the number)."""
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    return array.tolist()


def numbers_in(name: str) -> list[Any]:
    """Python numbers that the dtype holds, or rounds: plain ones, then its edges."""
    kind = category(name)
    if kind is Category.BOOL:
        return [False, True]
    if kind is Category.INTEGER:
        low, high = int(np.iinfo(name).min), int(np.iinfo(name).max)
        return [0, 1, 7, high, high - 1, low, low + 1, *([-1] if low else [])]
    if kind is Category.FLOAT:
        edges = [FORMATS[name].max, -FORMATS[name].max, FORMATS[name].tiny]
        return [0.0, 1.0, -2.5, 3.14, -1 / 3, -0.0, *edges, np.inf, -np.inf, np.nan]
    return [0j, 1 + 2j, -2.5j, 3.14 - 0.1j, complex(np.inf, 1), complex(-1, -np.inf)]
