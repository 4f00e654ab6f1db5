"""What the clauses on data sets share: sizes, and how a loader's output is read."""

from __future__ import annotations

from math import ceil
from typing import Any

from hypothesis import strategies as st

SIZES = (10, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129)
BATCH_SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 128, 200)
MANY = 20
"""Two shuffles of so many samples are equal once in 20! = 2e18 times."""

sizes = st.sampled_from(SIZES)
batch_sizes = st.sampled_from(BATCH_SIZES)
seeds = st.integers(0, 999)


def generator(torch: Any, seed: int) -> Any:
    """A stream of its own. Samplers draw on the CPU, whatever device the samples are on."""
    return torch.Generator().manual_seed(seed)


def chunks(items: Any, size: int, drop_last: bool = False) -> list[Any]:
    """The items cut into runs of `size`; the last may be shorter, or is left out."""
    count = len(items) // size if drop_last else ceil(len(items) / size)
    return [items[size * n : size * (n + 1)] for n in range(count)]


def flat(batches: list[list[int]]) -> list[int]:
    return [item for batch in batches for item in batch]


def order(loader: Any) -> list[list[int]]:
    """One pass over a loader of numbers."""
    return [batch.tolist() for batch in loader]
