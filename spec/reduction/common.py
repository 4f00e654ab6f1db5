"""What the clauses of reductions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
SINGLE = ("float32", "float64")

SELECTORS: dict[str, Callable[..., Any]] = {
    "max": lambda torch, x, dim: torch.max(x, dim),
    "min": lambda torch, x, dim: x.min(dim=dim),
    "median": lambda torch, x, dim: torch.median(x, dim),
    "mode": lambda torch, x, dim: x.mode(dim),
    "kthvalue": lambda torch, x, dim: torch.kthvalue(x, 1, dim),
}
"""Reductions that choose an element of each line, and tell its place."""
