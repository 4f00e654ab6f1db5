"""What changed between two records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenet.harness.expectation import kind_of
from tenet.harness.record import Record
from tenet.harness.verdict import BROKEN, UNSOUND, Judgement, Verdict

HOLDS = frozenset({Verdict.PASSED, Verdict.FIXED})
"""The backend holds to the clause."""
_SLOWER = 2.0
_SECONDS = 0.1
"""A clause's duration is worth a line where it grew by this factor and by this much."""


@dataclass(frozen=True)
class Change:
    """One clause that two records tell different things of; None: it was not judged there."""

    clause: str
    before: Judgement | None
    after: Judgement | None

    def describe(self) -> str:
        """From what to what, in a line."""
        return f"{self.clause}: {in_words(self.before)} -> {in_words(self.after)}"


@dataclass(frozen=True)
class Comparison:
    """What changed from one record to another.

    settings: header entries that differ, as (before, after); gained, lost: capabilities, each
    with the reason why it was, or is, lacking; failing: clauses that do not hold any more;
    passing: clauses that hold now and were refuted or unsupported; unsupported: clauses that
    are no longer judged for want of a capability; otherwise: fail as before, but in another
    way, or changed between the other verdicts; only_before, only_after: judged once; slower:
    clauses that take much longer; seconds: worked in all.
    """

    settings: dict[str, tuple[object, object]]
    gained: dict[str, str]
    lost: dict[str, str]
    failing: list[Change]
    passing: list[Change]
    unsupported: list[Change]
    otherwise: list[Change]
    only_before: list[str]
    only_after: list[str]
    slower: list[Change]
    seconds: tuple[float, float]

    @property
    def groups(self) -> dict[str, list[str]]:
        """The lines of every kind of change, by its title."""
        return {
            "newly failing": [change.describe() for change in self.failing],
            "no longer supported": [change.describe() for change in self.unsupported],
            "changed otherwise": [change.describe() for change in self.otherwise],
            "newly passing": [change.describe() for change in self.passing],
            "capabilities lost": [f"{name}: {why}" for name, why in self.lost.items()],
            "capabilities gained": [f"{name}: {why}" for name, why in self.gained.items()],
            "judged before only": self.only_before,
            "judged after only": self.only_after,
            "much slower": [
                f"{c.clause}: {c.before.seconds:.2f} s -> {c.after.seconds:.2f} s"
                for c in self.slower
                if c.before is not None and c.after is not None
            ],
        }


def in_words(judgement: Judgement | None) -> str:
    """A verdict, with the symptom of a failure."""
    if judgement is None:
        return "not judged"
    way = way_of(judgement)
    return f"{judgement.verdict} ({way})" if way else str(judgement.verdict)


def way_of(judgement: Judgement) -> str:
    """The way in which a clause fails: kind and case, but not the place, which a seed moves."""
    failure = judgement.failure
    if failure is None:
        return ""
    labels = ", ".join(f"{name}={value}" for name, value in failure.case.items())
    kind = kind_of(failure.what, failure.got)
    return f"{kind}; {labels}" if labels else kind


def by_clause(record: Record) -> dict[str, Judgement]:
    """The judgements of a record by clause; the last where there are several."""
    return {judgement.clause: judgement for judgement in record.judgements}


_SETTINGS = (
    "backend",
    "mode",
    "torch",
    "release",
    "device_name",
    "python",
    "suite",
    "examples",
    "seed",
)


def compare(before: Record, after: Record) -> Comparison:
    """What changed from `before` to `after`."""
    old, new = by_clause(before), by_clause(after)
    changes = [Change(id, old[id], new[id]) for id in new if id in old]
    groups: dict[str, list[Change]] = {
        "failing": [],
        "passing": [],
        "unsupported": [],
        "otherwise": [],
    }
    for change in changes:
        group = _group(change)
        if group:
            groups[group].append(change)
    lacked: Mapping[str, str] = before.header.get("lacks", {})
    lacks: Mapping[str, str] = after.header.get("lacks", {})
    return Comparison(
        settings={
            name: (before.header.get(name), after.header.get(name))
            for name in _SETTINGS
            if before.header.get(name) != after.header.get(name)
        },
        gained={name: why for name, why in lacked.items() if name not in lacks},
        lost={name: why for name, why in lacks.items() if name not in lacked},
        only_before=[id for id in old if id not in new],
        only_after=[id for id in new if id not in old],
        slower=[change for change in changes if _much_slower(change)],
        seconds=(_worked(before), _worked(after)),
        **groups,
    )


def _group(change: Change) -> str:
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    against = BROKEN | UNSOUND
    if before.verdict == after.verdict and way_of(before) == way_of(after):
        return ""
    if after.verdict in against and before.verdict not in against:
        return "failing"
    if after.verdict in HOLDS:
        return "" if before.verdict in HOLDS else "passing"
    if after.verdict is Verdict.UNSUPPORTED:
        return "unsupported"
    return "otherwise"


def _much_slower(change: Change) -> bool:
    before = change.before.seconds if change.before else 0.0
    after = change.after.seconds if change.after else 0.0
    return after > _SLOWER * before and after - before > _SECONDS


def _worked(record: Record) -> float:
    return sum(judgement.seconds for judgement in record.judgements)
