"""The plan of a run: everything that was asked for, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from tenet.harness.backend import Backend, resolve
from tenet.harness.errors import UsageError
from tenet.harness.expectation import ENDED, Expectation, load, shipped
from tenet.harness.expecting import settle_crash
from tenet.harness.suite import Suite, select, suite_of
from tenet.harness.verdict import Judgement
from tenet.spec.language import Clause
from tenet.spec.sections import specification

DEFAULT_SUITE = "core"


@dataclass(frozen=True)
class Request:
    """What the user asked for, in words: names and numbers, as options or arguments give them.

    expect: files of known failures, beside those that come with Tenet.
    """

    backends: tuple[str, ...] = ()
    suite: str = DEFAULT_SUITE
    clauses: tuple[str, ...] = ()
    examples: int | None = None
    seed: int = 0
    expect: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be judged.

    examples: the budget of one clause before its effort counts; expectations: the known failures.
    """

    request: Request
    suite: Suite
    examples: int
    backends: tuple[Backend, ...]
    selection: tuple[tuple[Clause, Backend], ...]
    expectations: tuple[Expectation, ...] = ()

    def clauses_on(self, backend: Backend) -> list[Clause]:
        """The clauses that are asked of one backend, in reading order."""
        return [clause for clause, on in self.selection if on.name == backend.name]

    def settled(self, judgement: Judgement) -> Judgement:
        """A judgement as it counts: a process that ended as expected is a known failure."""
        if judgement.verdict not in ENDED:
            return judgement
        [version] = {on.version for on in self.backends if on.name == judgement.backend}
        return settle_crash(judgement, version, self.expectations)


def plan(request: Request) -> Plan:
    """Work a request out. UsageError for a name or number that cannot be, HarnessError for a
    torch that cannot be used."""
    suite = suite_of(request.suite)
    if request.examples is not None and request.examples < 1:
        raise UsageError(f"--examples {request.examples}: a clause needs at least 1 example")
    if request.seed < 0:
        raise UsageError(f"--seed {request.seed}: a seed is a whole number from 0 up")
    backends = resolve(list(request.backends))
    selection = select(
        specification(), suite, request.clauses, backends, named=bool(request.backends)
    )
    asked = {backend.name for _, backend in selection}
    return Plan(
        request=request,
        suite=suite,
        examples=suite.examples if request.examples is None else request.examples,
        backends=tuple(backend for backend in backends if backend.name in asked),
        selection=tuple(selection),
        expectations=load([*shipped(), *request.expect]),
    )
