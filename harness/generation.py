"""Where examples come from: one seeded stream of choices for each clause.

Hypothesis' own generator mixes in constants found in the modules that happen to be imported,
so the same seed gives other examples in another process; and its engine, which looks for what
it has not seen, takes longer than most checks. So examples are drawn here, from Hypothesis'
strategies, and only a failure is handed to Hypothesis, which makes it smaller: its interface for
alternative backends begins with the failure's choices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from random import Random
from typing import Any, NoReturn

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis.control import BuildContext
from hypothesis.errors import StopTest
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider
from hypothesis.strategies import SearchStrategy

NAME = "tenet"
Drawn = dict[str, Any]
Choice = bool | int

PHASES = (Phase.generate, Phase.shrink)
"""What is done with a failure: it is tried again, and made smaller."""

DULL = 50
"""Draws of known examples in a row, beside four for each known one, after which a space counts as
exhausted: of n equally likely examples one has then been missed with probability e^-4 at most."""


def seed_for(seed: int, clause: str) -> int:
    """The seed of one clause: the same whatever runs before it, beside it or elsewhere."""
    return int.from_bytes(sha256(f"{seed} {clause}".encode()).digest()[:8], "big")


def draws(
    strategy: SearchStrategy[Drawn], seed: int, *, simplest: bool = True
) -> Iterator[tuple[Drawn, tuple[Choice, ...]]]:
    """Different examples while there are any, each with its choices; the first is the simplest
    one where that is asked for."""
    random = Random(seed)
    known = set[tuple[Choice, ...]]()
    dull = 0
    while dull < DULL + 4 * len(known):
        source = _Source(None if simplest and not (known or dull) else random)
        dull += 1
        try:
            with BuildContext(source, wrapped_test=draws):
                drawn = source.draw(strategy)
        except StopTest:  # a strategy gave up, and drew nothing that would serve
            continue
        choices = tuple(source.made)
        if choices not in known:
            known.add(choices)
            dull = 0
            yield drawn, choices


class _Source(ConjectureData):
    """What strategies draw from: uniform choices, or the simplest ones where there is no stream.

    It leaves out what Hypothesis writes down for shrinking and for reports.
    """

    def __init__(self, random: Random | None) -> None:
        super().__init__(random=None, provider=RepeatingProvider)
        self.stream = random
        self.made: list[Choice] = []

    def draw(self, strategy: SearchStrategy[Any], *label: Any, **observe_as: Any) -> Any:
        return strategy.do_draw(self)

    def track_arg_label(self, label: str) -> Any:
        return _UNTRACKED

    def start_span(self, label: int) -> None:
        self.depth += 1

    def stop_span(self, *, discard: bool = False) -> None:
        self.depth -= 1

    def draw_boolean(self, p: float = 0.5, *, forced: Any = None, observe: bool = True) -> bool:
        if forced is not None:
            return bool(forced)
        choice = self.stream is not None and self.stream.random() < p
        self.made.append(choice)
        return choice

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: Any = None,
        shrink_towards: int = 0,
        forced: int | None = None,
        observe: bool = True,
    ) -> int:
        if forced is not None:
            return forced
        if min_value is None or max_value is None:
            _undrawable("integers without both bounds")
        if self.stream is None:
            choice = min(max(shrink_towards, min_value), max_value)
        else:
            choice = self.stream.randint(min_value, max_value)
        self.made.append(choice)
        return choice


def shrink(
    strategy: SearchStrategy[Drawn],
    choices: tuple[Choice, ...],
    seed: int,
    attempt: Callable[[Drawn], None],
) -> None:
    """Try the example of these choices, and then ever smaller ones; raises what the last raises.

    attempt: raises one kind of error where an example fails.
    """

    @hypothesis_seed(seed)  # the order in which it shrinks
    @settings(
        max_examples=2,  # the simplest, and the one that is known to fail
        backend=NAME,
        database=None,
        deadline=None,
        derandomize=False,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(drawn=strategy)
    def search(drawn: Drawn) -> None:
        attempt(drawn)

    with _repeating(choices):
        search()


class RepeatingProvider(PrimitiveProvider):
    """Repeats the choices that `shrink` has set."""

    lifetime = "test_function"

    def draw_boolean(self, p: float = 0.5) -> bool:
        return bool(next(_choices, False))

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
        return min(max(int(next(_choices, shrink_towards)), min_value), max_value)

    def draw_float(self, **constraints: Any) -> float:
        _undrawable("floats")

    def draw_string(self, *intervals: Any, **constraints: Any) -> str:
        _undrawable("strings")

    def draw_bytes(self, min_size: int = 0, max_size: int = 2**10) -> bytes:
        _undrawable("bytes")


AVAILABLE_PROVIDERS[NAME] = f"{__name__}.{RepeatingProvider.__qualname__}"
_choices: Iterator[Choice] = iter(())
_UNTRACKED = nullcontext(dict[str, int]())


@contextmanager
def _repeating(choices: tuple[Choice, ...]) -> Iterator[None]:
    global _choices
    before, _choices = _choices, iter(choices)
    try:
        yield
    finally:
        _choices = before


def _undrawable(what: str) -> NoReturn:
    raise NotImplementedError(
        f"clauses draw booleans, bounded integers and sampled_from, not {what}; "
        "make the data from a drawn regime and seed (tenet.spec.cases.values)"
    )
