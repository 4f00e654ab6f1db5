"""What the clauses on dtypes share."""

from __future__ import annotations

from typing import Any


def named(torch: Any, name: str) -> Any:
    return getattr(torch, name)


def some_of(names: tuple[str, ...], seed: int) -> tuple[str, ...]:
    """Every third name: one example need not serve all, the next one serves others."""
    return names[seed % 3 :: 3]
