"""What the clauses of products share."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
SINGLE = ("float32", "float64")
"""Dtypes in which sums of products of small integers are exact."""
FACTOR_LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)


def in_double(array: Array) -> Array:
    """The elements in float64."""
    return array.astype(np.float64)
