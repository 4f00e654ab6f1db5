"""The running count of one clause: what it tried, what it compared, what it left out.

A clause that compares nothing proves nothing, so every comparison is counted where it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any


@dataclass
class Tally:
    """Counts of one clause on one backend.

    cases: comparisons made; skipped: dtypes passed over because the backend declares that it
    lacks them, with how often; labels: what the enclosing `case` blocks name; forgives: tells of
    an error in a `case` block whether it is a known one, which does not end the example; stage:
    what becomes of a program, None where it runs as it is; compiles: whether it is compiled;
    elsewhere: what did not run where it was asked to, each once.
    """

    lacks: frozenset[str] = frozenset()
    cases: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    labels: list[dict[str, object]] = field(default_factory=list)
    forgives: Callable[[BaseException], bool] | None = None
    stage: Callable[[Callable[..., Any], bool], Callable[..., Any]] | None = None
    compiles: bool = False
    elsewhere: dict[str, None] = field(default_factory=dict)

    def labelled(self) -> dict[str, object]:
        """The labels of all open `case` blocks, the outermost first."""
        merged: dict[str, object] = {}
        for labels in self.labels:
            merged.update(labels)
        return merged


_idle = Tally()
_current: ContextVar[Tally] = ContextVar("tally", default=_idle)


def tally() -> Tally:
    """The tally of the clause that is running; outside a run, one that nobody reads."""
    return _current.get()


@contextmanager
def counting(into: Tally) -> Iterator[Tally]:
    """Count into the given tally while the block runs."""
    token = _current.set(into)
    try:
        yield into
    finally:
        _current.reset(token)


class case:  # noqa: N801 - reads as a statement: `with case(dtype="int8"):`
    """Names the one case that a failure inside the block is about: `with case(dtype=name):`."""

    __slots__ = ("labels",)

    def __init__(self, **labels: object) -> None:
        self.labels = labels

    def __enter__(self) -> None:
        _current.get().labels.append(self.labels)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        current = _current.get()
        if error is not None:
            known = current.forgives is not None and current.forgives(error)
            if not known:  # an error leaves its labels in place: they are read where it is caught
                return None
        current.labels.pop()
        return error is not None


def supported(names: Iterable[str]) -> Iterator[str]:
    """The names that the backend does not declare to lack, in order; counts those passed over.

    `names` are dtype names or other capabilities. A clause loops over `supported(FLOATS)`, so a
    device without float64 is judged on the rest, and the report says what was left out.
    """
    current = _current.get()
    for name in names:
        if name in current.lacks:
            current.skipped[name] = current.skipped.get(name, 0) + 1
        else:
            yield name


def has(*capabilities: str) -> bool:
    """Whether the backend claims all of these; what it lacks is counted as passed over."""
    return len(list(supported(capabilities))) == len(capabilities)
