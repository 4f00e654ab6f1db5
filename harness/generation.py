"""Where Hypothesis gets its choices from: one seeded stream for each clause.

Hypothesis' own generator mixes in constants found in the modules that happen to be imported,
so the same seed gives other examples in another process, and it spends most of its time on
novelty. This provider (Hypothesis' interface for alternative backends) does neither. Shrinking
remains Hypothesis' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from random import Random
from typing import Any, NoReturn

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider

NAME = "tenet"
_stream = Random(0)


class SeededProvider(PrimitiveProvider):
    """Uniform choices from the stream that `seeded` has set; weights, a hint, are not taken."""

    lifetime = "test_function"

    def draw_boolean(self, p: float = 0.5) -> bool:
        return _stream.random() < p

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        if min_value is None or max_value is None:
            _undrawable("integers without both bounds")
        return _stream.randint(min_value, max_value)

    def draw_float(self, **constraints: Any) -> float:
        _undrawable("floats")

    def draw_string(self, *intervals: Any, **constraints: Any) -> str:
        _undrawable("strings")

    def draw_bytes(self, min_size: int = 0, max_size: int = 2**10) -> bytes:
        _undrawable("bytes")


def _undrawable(what: str) -> NoReturn:
    raise NotImplementedError(
        f"clauses draw booleans, bounded integers and sampled_from, not {what}; "
        "make the data from a drawn regime and seed (tenet.spec.cases.values)"
    )


AVAILABLE_PROVIDERS[NAME] = f"{__name__}.{SeededProvider.__qualname__}"


def seed_for(seed: int, clause: str) -> int:
    """The seed of one clause: the same whatever runs before it, beside it or elsewhere."""
    return int.from_bytes(sha256(f"{seed} {clause}".encode()).digest()[:8], "big")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the choices made inside the block come from a stream of this seed."""
    global _stream
    before, _stream = _stream, Random(seed)
    try:
        yield
    finally:
        _stream = before
