"""Pools: what is drawn by one choice, which is what Hypothesis draws and shrinks fastest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

Drawn = TypeVar("Drawn")


def from_pool(make: Callable[[], Sequence[Drawn]]) -> st.SearchStrategy[Drawn]:
    """One of a pool, the simplest first, which is computed when the first is drawn: most runs
    draw from few of them."""
    return st.deferred(lambda: st.sampled_from(make()))
