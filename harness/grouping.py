"""Failures by their probable cause, and what stands on a basic clause that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tenet.harness.comparison import way_of
from tenet.harness.expectation import kind_of
from tenet.harness.verdict import BROKEN, Judgement, Verdict
from tenet.spec.cases import LAYOUTS

BASIC = ("creation.from-array", "attributes.size")
"""Clauses without which no other says much: tensors are built, and read back, as they are.

A failure beside one of these may well be its consequence. What passes all the same has passed.
"""


@dataclass(frozen=True)
class Group:
    """Failures that probably have one cause. cause: in words; clauses: their ids."""

    cause: str
    clauses: tuple[str, ...]


def with_blocked(judgements: Iterable[Judgement]) -> list[Judgement]:
    """The judgements, in which a failure beside a failed basic clause of its backend is blocked."""
    every = list(judgements)
    broken: dict[str, str] = {}
    for judgement in every:
        if judgement.clause in BASIC and judgement.verdict is Verdict.FAILED:
            broken.setdefault(judgement.backend, judgement.clause)
    return [
        replace(
            judgement,
            verdict=Verdict.BLOCKED,
            reason=f"{broken[judgement.backend]} failed, on which this stands",
        )
        if judgement.verdict is Verdict.FAILED
        and judgement.backend in broken
        and judgement.clause not in BASIC
        else judgement
        for judgement in every
    ]


def groups(judgements: Sequence[Judgement]) -> list[Group]:
    """The failures by probable cause, the basic clauses first, then the largest group first.

    A cause is an operator, a dtype, a layout, an error, or several of these. The one
    that explains the most failures takes them; what shares its cause with no other stands alone.
    """
    failed = [j for j in judgements if j.verdict in BROKEN]
    found = [Group(f"basic clause ({way_of(j)})", (j.clause,)) for j in failed if j.clause in BASIC]
    found += [
        Group("blocked by the basic clauses", tuple(blocked))
        for blocked in [[j.clause for j in failed if j.verdict is Verdict.BLOCKED]]
        if blocked
    ]
    left = [j for j in failed if j.clause not in BASIC and j.verdict is not Verdict.BLOCKED]
    causes = {id(j): _causes(j) for j in left}
    while left:
        counts = Counter(cause for j in left for cause in causes[id(j)])
        if not counts:
            break
        # Of causes that explain as much, the one that says more is the better.
        cause, count = max(counts.items(), key=lambda item: (item[1], item[0].count(",")))
        if count < 2:
            break
        found.append(Group(cause, tuple(j.clause for j in left if cause in causes[id(j)])))
        left = [j for j in left if cause not in causes[id(j)]]
    return found + [Group(way_of(j) or str(j.verdict), (j.clause,)) for j in left]


def _causes(judgement: Judgement) -> list[str]:
    """What a failure may come of: operator, dtype, layout, or an error; and each with its symptom.

    That the values differ is no cause by itself: most failures would share it.
    """
    failure = judgement.failure
    if failure is None:
        return [str(judgement.verdict)]
    operator, dtype = _operator(judgement), failure.case.get("dtype", "")
    shown = " ".join(failure.shown.values())
    traits = [f"operator {operator}"] if operator else []
    traits += [f"dtype {dtype}"] if dtype else []
    traits += [f"layout {name}" for name in _LAYOUTS if f"layout='{name}'" in shown]
    traits += [f"{one}, {other}" for one, other in combinations(traits, 2)]
    symptom = f"symptom {kind_of(failure.what, failure.got)}"
    with_symptom = [f"{trait}, {symptom}" for trait in traits]
    alone = [symptom] if failure.what == "raised" else []
    return [*with_symptom, *traits, *alone]


_LAYOUTS = tuple(name for name in LAYOUTS if name != "contiguous")


def _operator(judgement: Judgement) -> str:
    """`add` of `elementwise.add.value`, or what the case calls an operation."""
    parts = judgement.clause.split(".")
    if len(parts) == 3:
        return parts[1]
    case = judgement.failure.case if judgement.failure else {}
    return next((case[name] for name in ("operation", "operator", "name") if name in case), "")
