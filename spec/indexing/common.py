"""What the clauses on indexing share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray
Shape = tuple[int, ...]
TURNS = st.sampled_from(range(4))
"""Which of the dtypes an example is tried on: every fourth of them."""


def widened(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.name == "bfloat16" else array
