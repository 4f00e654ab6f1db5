"""Ways to say a call, made concrete: each is a program of tensors, with the check of its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tenet.spec.language import case, staged


@dataclass(frozen=True, eq=False)
class Way:
    """One way to say a call.

    labels: of its cases. program: takes the targets, then the operands of the call. check: of its
    result. targets: tensors that it writes to.
    """

    labels: Mapping[str, object]
    program: Callable[..., Any]
    check: Callable[[Any], None]
    targets: tuple[Any, ...] = ()


def apart(ways: Iterable[Way], operands: Iterable[Any]) -> None:
    """Every way is checked, one by one."""
    operands = tuple(operands)
    for way in ways:
        with case(**way.labels):
            way.check(staged(way.program)(*way.targets, *operands))


def together(ways: Iterable[Way], operands: Iterable[Any]) -> None:
    """Every way is checked, all in one program, which is compiled once; where that raises, one by
    one, so that it can be said of which of them."""
    ways, operands = tuple(ways), tuple(operands)
    if not ways:
        return

    def program(*tensors: Any) -> list[Any]:
        mine: Iterator[Any] = iter(tensors[len(operands) :])
        return [
            way.program(*islice(mine, len(way.targets)), *tensors[: len(operands)]) for way in ways
        ]

    try:
        results = staged(program)(*operands, *(each for way in ways for each in way.targets))
    except Exception:
        apart(ways, operands)
        raise
    for way, result in zip(ways, results, strict=True):
        with case(**way.labels):
            way.check(result)
