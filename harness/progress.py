"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


def bar(console: Console, *more: ProgressColumn) -> Progress:
    """A bar on a terminal, nothing elsewhere. more: columns after what was done and how long."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *more,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def line_now_and_then(console: Console, done: int, total: int, told: str) -> None:
    """A line at every tenth, where there is no terminal to show a bar on."""
    if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
        console.print(f"{done}/{total} {told}", highlight=False)


class Count:
    """Counts verdicts and shows how many there are of each.

    verdicts: all there can be, in the order shown. doing, done: what happens to one, as
    `judging` and `judged`.
    """

    def __init__(
        self, total: int, verdicts: Iterable[str], doing: str, done: str, console: Console
    ) -> None:
        self._total = total
        self._verdicts = tuple(verdicts)
        self._done = done
        self._console = console
        self._counts: Counter[str] = Counter()
        self._bar = bar(console, TextColumn("{task.fields[counts]}"))
        self._task = self._bar.add_task(doing, total=total, counts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def add(self, verdict: str) -> None:
        """Count one more in."""
        self._counts[verdict] += 1
        text = summary(self._counts, self._verdicts)
        self._bar.update(self._task, advance=1, counts=text)
        told = f"{self._done}: {text}"
        line_now_and_then(self._console, self._counts.total(), self._total, told)


def summary(counts: Mapping[Any, int], verdicts: Iterable[str]) -> str:
    """As `3 passed, 1 failed`."""
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts if counts[verdict])
