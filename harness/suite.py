"""Suites: named choices of clauses, each with a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenet.harness.backend import Backend
from tenet.harness.compiling import EAGER
from tenet.harness.errors import UsageError, matching, unknown
from tenet.spec.language import Clause


@dataclass(frozen=True, slots=True)
class Suite:
    """A choice of clauses and a budget.

    examples: how many each clause draws, before its own effort counts; thorough: whether it
    takes in the clauses that are marked so; purpose: when to run it.
    """

    name: str
    examples: int
    thorough: bool
    purpose: str


SUITES = {
    suite.name: suite
    for suite in (
        Suite("smoke", 4, False, "most clauses, a few examples each: while you work"),
        Suite("core", 250, True, "every clause in earnest: before a merge"),
        Suite("full", 1250, True, "every clause, five times as long: at night, before a release"),
    )
}


def suite_of(name: str) -> Suite:
    """The suite of that name; UsageError, with the nearest, where there is none."""
    if name not in SUITES:
        raise unknown("suite", name, SUITES)
    return SUITES[name]


def select(
    specification: dict[str, Clause],
    suite: Suite,
    patterns: Sequence[str],
    backends: Sequence[Backend],
    *,
    named: bool,
) -> list[tuple[Clause, Backend]]:
    """The clauses to judge on each backend, in reading order.

    patterns: ids or globs; where there is none, all that the suite takes in. A backend without
    values (meta) is asked only for what metadata can answer, one that compiles only for clauses
    whose programs can be compiled. UsageError for a pattern that
    matches no clause, for an empty selection, and for a backend without a clause where the
    backends were named.
    """
    every = {id for id, clause in specification.items() if suite.thorough or not clause.thorough}
    chosen = matching("clause", patterns, specification) if patterns else every
    selected = [
        (clause, backend)
        for id, clause in specification.items()
        if id in chosen
        for backend in backends
        if (clause.metadata_only or "values" not in backend.lacks)
        and (clause.staged or backend.mode == EAGER)
    ]
    reached = {backend.name for _, backend in selected}
    for backend in backends:
        if backend.name not in reached and (named or not reached):
            raise UsageError(
                f"nothing to run on {backend.name}: {_why_not(backend)}; choose other clauses or "
                "another backend"
            )
    return selected


def _why_not(backend: Backend) -> str:
    if backend.mode != EAGER:
        return "it compiles programs, and no chosen clause has any"
    return "it holds no values, and every chosen clause asks for them"
