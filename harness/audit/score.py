"""The figures of an audit: who was killed, by what, how fast, and what killed nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from tenet.harness.audit.examine import ALIVE, Fate, Finding, Kill


def score(findings: Sequence[Finding]) -> dict[str, Any]:
    """Counts and percentages, overall, by section, category and origin, and the medians.

    Mutants that could not be examined, for want of a package, count nowhere.
    """
    kills = [finding.kills[0] for finding in findings if finding.kills]
    return {
        "fates": dict(Counter(finding.fate.value for finding in findings)),
        "score": percent(findings),
        "sections": by(findings, "section"),
        "categories": by(findings, "category"),
        "origins": by(findings, "origin"),
        "median_seconds": _median(f.seconds for f in findings if f.kills),
        "median_examples": _median(kill.examples for kill in kills),
    }


def percent(findings: Iterable[Finding]) -> float:
    """Killed, of those that counted; 100 where none did."""
    fates = Counter(finding.fate for finding in findings)
    counted = fates[Fate.KILLED] + sum(fates[fate] for fate in ALIVE)
    return round(100 * fates[Fate.KILLED] / counted, 2) if counted else 100.0


def by(findings: Sequence[Finding], what: str) -> dict[str, float]:
    """The score of each section, category or origin, by its name."""
    names = dict.fromkeys(getattr(finding, what) for finding in findings)
    return {
        name: percent([finding for finding in findings if getattr(finding, what) == name])
        for name in sorted(names)
    }


def idle(findings: Sequence[Finding], asked: Iterable[str]) -> list[str]:
    """The clauses that were asked and killed nobody."""
    killers = {kill.clause for finding in findings for kill in finding.kills}
    return [clause for clause in asked if clause not in killers]


def _median(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return round(median(values), 3) if values else 0.0


def first_kill(finding: Finding) -> Kill | None:
    """The kill that came first."""
    return finding.kills[0] if finding.kills else None
