"""Examining the suite: which clause kills a mutant, after how many examples and seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from tenet.harness.audit.faults import touched
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.power import Power
from tenet.harness.backend import Backend, resolve
from tenet.harness.expectation import Expectation, load, shipped
from tenet.harness.expecting import forgiving
from tenet.harness.judge import judge
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.language import Clause

LOOKS = (8, 64)
"""Examples of the rounds before the last: most faults show early, and every clause gets a chance
before any of them spends its budget. A round begins with the examples of the one before."""

PROGRAM = "program"
"""The section whose clauses may kill mutants of every other."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNPROVEN = "unproven"
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    UNSUPPORTED = "unsupported"


ALIVE = frozenset({Fate.SURVIVED, Fate.UNPROVEN, Fate.CRASHED, Fate.TIMED_OUT})
"""Counts against the score. A crash of the harness is no kill."""


@dataclass(frozen=True)
class Kill:
    """A clause that failed on a mutant, and holds on stock PyTorch.

    examples: tried by that clause up to the first failure; seconds: the clause's own.
    """

    clause: str
    examples: int
    seconds: float


@dataclass(frozen=True)
class Finding:
    """What became of one mutant.

    seconds: until the first kill, with everything that was judged before it, or until all
    clauses were judged; judged: how many judgements that took; errored: clauses whose check broke;
    alarms: clauses that fail on stock with the same examples, and prove nothing.
    """

    mutant: str
    category: str
    section: str
    origin: str
    fate: Fate
    kills: tuple[Kill, ...] = ()
    seconds: float = 0.0
    judged: int = 0
    errored: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a record stores it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Finding:
        """What `to_json` gave."""
        kills = tuple(Kill(**kill) for kill in data["kills"])
        fate = Fate(data["fate"])
        errored, alarms = tuple(data["errored"]), tuple(data["alarms"])
        return cls(**{**data, "fate": fate, "kills": kills, "errored": errored, "alarms": alarms})


def finding(mutant: Mutant, fate: Fate, **known: Any) -> Finding:
    """A finding about a mutant."""
    return Finding(mutant.name, mutant.category, mutant.sections[0], mutant.origin, fate, **known)


@dataclass
class Examination:
    """The suite, as mutants are examined with it; it remembers how stock PyTorch did.

    examples: of the suite, before a clause's effort; every: judge all clauses that may kill;
    blind: ask no clause first because it is known to kill the mutant at hand.
    known: failures of stock PyTorch itself, which say nothing about a mutant.
    """

    specification: dict[str, Clause]
    examples: int
    thorough: bool
    seed: int
    power: Power
    every: bool = False
    blind: bool = False
    stock: Backend = field(default_factory=lambda: resolve(["cpu"])[0])
    known: Sequence[Expectation] = field(default_factory=lambda: load(shipped("cpu")))
    held: dict[str, int] = field(default_factory=dict)

    def clauses(self, mutant: Mutant) -> list[Clause]:
        """The clauses that may kill a mutant, the likeliest first."""
        sections = (*mutant.sections, PROGRAM)
        may = {
            clause.id: forgiving(clause, self.stock, self.known)
            for clause in self.specification.values()
            if clause.section in sections and (self.thorough or not clause.thorough)
        }
        likely = [] if self.blind else [*mutant.likely, *self.power.killers(mutant.name)]
        first = [may[id] for id in dict.fromkeys(likely) if id in may]
        known = {clause.id for clause in first}
        rest = [clause for clause in may.values() if clause.id not in known]
        rest.sort(key=lambda c: (c.section == PROGRAM, not self._near(mutant, c),
                                 -self.power.rate(c.id)))  # fmt: skip
        return [*first, *rest]

    def _near(self, mutant: Mutant, clause: Clause) -> bool:
        """Whether a clause is likely to kill a mutant: it is known to, or named after what is
        wrong."""
        if self.blind:
            return False
        likely = (*mutant.likely, *self.power.killers(mutant.name))
        return clause.id in likely or not touched(mutant.fault).isdisjoint(
            re.split(r"[.-]", clause.id)
        )

    def examine(self, mutant: Mutant) -> Finding:
        """Ask the clauses, until one kills the mutant or all have been asked."""
        if mutant.missing:
            reason = f"{', '.join(mutant.missing)} is not installed"
            return finding(mutant, Fate.UNSUPPORTED, reason=reason)
        likely = [self.specification[id] for id in mutant.likely if id in self.specification]
        lacking = [self.stock.lacking(clause) for clause in likely]
        if lacking and all(lacking):
            reasons = {reason for those in lacking for reason in those.values()}
            return finding(mutant, Fate.UNSUPPORTED, reason="; ".join(sorted(reasons)))
        if not mutant.proven():
            reason = "its proof does not show it: it is PyTorch as it should be"
            return finding(mutant, Fate.UNPROVEN, reason=reason)
        kills: dict[str, Kill] = {}
        errored: dict[str, None] = {}
        alarms: dict[str, None] = {}
        started = time.perf_counter()
        judged, seconds = 0, None
        for clause, examples in self._rounds(mutant):
            if clause.id in kills or clause.id in errored or clause.id in alarms:
                continue
            judged += 1
            before = time.perf_counter() - started
            with mutant.active() as faulty:
                verdict, tried, took = attempt(
                    clause, replace(faulty, lacks=self.stock.lacks), examples, self.seed
                )
            if verdict is Verdict.FAILED:
                if not self.holds_on_stock(clause, tried):
                    alarms[clause.id] = None
                    continue
                kills[clause.id] = Kill(clause.id, tried, round(took, 4))
                seconds = before + took if seconds is None else seconds
                if not self.every:
                    break
            elif verdict in (Verdict.ERRORED, Verdict.VACUOUS):
                errored[clause.id] = None
        return finding(
            mutant,
            Fate.KILLED if kills else Fate.SURVIVED,
            kills=tuple(kills.values()),
            seconds=round(time.perf_counter() - started if seconds is None else seconds, 4),
            judged=judged,
            errored=tuple(errored),
            alarms=tuple(alarms),
        )

    def _rounds(self, mutant: Mutant) -> Iterator[tuple[Clause, int]]:
        clauses = self.clauses(mutant)
        looks = () if self.every else tuple(look for look in LOOKS if look < self.examples)
        near = set() if self.every else {c.id for c in clauses if self._near(mutant, c)}
        yield from ((clause, self.examples) for clause in clauses if clause.id in near)
        for number, examples in enumerate((*looks, self.examples)):
            for clause in clauses:
                # What draws nothing has said everything in the first round.
                if clause.id not in near and (clause.strategies or not number):
                    yield clause, examples

    def holds_on_stock(self, clause: Clause, tried: int) -> bool:
        """Whether stock PyTorch passes the first examples of the same seed."""
        if self.held.get(clause.id, 0) < tried:
            # The effort of 1 makes the budget the number of examples itself; of one example alone
            # the judge would take another than of several.
            judgement = judge(
                replace(clause, effort=1.0), self.stock, examples=max(2, tried), seed=self.seed
            )
            self.held[clause.id] = tried if judgement.verdict is Verdict.PASSED else -1
        return self.held[clause.id] >= tried


def attempt(
    clause: Clause, backend: Backend, examples: int, seed: int
) -> tuple[Verdict, int, float]:
    """Judge a clause without making its failure smaller: (verdict, examples tried, seconds)."""
    check = _Attempt(clause.check)
    started = time.perf_counter()
    # A partial, since a clause may ask for the module in which its check was written.
    watched = replace(clause, check=partial(check.run))
    judgement: Judgement = judge(watched, backend, examples=examples, seed=seed)
    seconds = time.perf_counter() - started if check.seconds is None else check.seconds
    return judgement.verdict, check.tried, seconds


class _Attempt:
    """A check that, once it has failed, fails for that example only, and tries no other.

    The judge then has nothing to shrink, and its verdict is still its own.
    """

    def __init__(self, check: Callable[..., None]) -> None:
        self.check = check
        self.tried = 0
        self.started = time.perf_counter()
        self.seconds: float | None = None
        self.failure: tuple[str, BaseException] | None = None

    def run(self, torch: Any, device: str, **drawn: Any) -> None:
        if self.failure is not None:
            example, error = self.failure
            if repr(drawn) == example:
                raise error
            return
        self.tried += 1
        try:
            self.check(torch, device, **drawn)
        except (Exception, SystemExit) as error:
            if type(error).__name__ != "UnsatisfiedAssumption":
                self.seconds = time.perf_counter() - self.started
                self.failure = repr(drawn), error
            raise


def order(findings: Sequence[Finding], names: Sequence[str]) -> list[Finding]:
    """The findings, in the order in which the mutants were chosen."""
    place = {name: number for number, name in enumerate(names)}
    return sorted(findings, key=lambda finding: place[finding.mutant])
