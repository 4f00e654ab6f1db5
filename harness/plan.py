"""The plan of a run: everything that was asked for, checked before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tenet.harness.announced import import_all, installed, of_files
from tenet.harness.audit.power import known_power
from tenet.harness.backend import Backend, resolve
from tenet.harness.budget import affordable, seconds_of
from tenet.harness.compiling import EAGER
from tenet.harness.errors import UsageError
from tenet.harness.expectation import ENDED, Expectation, load, shipped
from tenet.harness.expecting import settle_crash
from tenet.harness.suite import Suite, select, suite_of
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.language import Clause
from tenet.spec.sections import specification

DEFAULT_SUITE = "core"


@dataclass(frozen=True)
class Request:
    """What the user asked for, in words: names and numbers, as options or arguments give them.

    expect: files of known failures, beside those that come with Tenet. backend_files: Python
    files that make backends; imports: modules to import first, which bring devices with them.
    budget: how long it may take on one core, such as `60s`.
    """

    backends: tuple[str, ...] = ()
    suite: str = DEFAULT_SUITE
    clauses: tuple[str, ...] = ()
    examples: int | None = None
    seed: int = 0
    expect: tuple[str, ...] = ()
    backend_files: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    budget: str | None = None


@dataclass(frozen=True)
class Plan:
    """What will be judged.

    examples: the budget of one clause before its effort counts; expectations: the known failures;
    left_out: ids of the clauses for which a budget in seconds is too short.
    """

    request: Request
    suite: Suite
    examples: int
    backends: tuple[Backend, ...]
    selection: tuple[tuple[Clause, Backend], ...]
    expectations: tuple[Expectation, ...] = ()
    left_out: tuple[str, ...] = ()

    def clauses_on(self, backend: Backend) -> list[Clause]:
        """The clauses that are asked of one backend."""
        return [clause for clause, on in self.selection if on.name == backend.name]

    def settled(self, judgement: Judgement) -> Judgement:
        """A judgement as it counts: a process that ended as expected is a known failure, and one
        that ended over a capability that its backend does not claim says nothing."""
        if judgement.verdict not in ENDED:
            return judgement
        [backend] = [on for on in self.backends if on.name == judgement.backend]
        section, _, name = judgement.clause.partition(".")
        if section == "capability" and name in backend.lacks:
            reason = f"{name}: {backend.lacks[name]}"
            return Judgement(judgement.clause, backend.name, Verdict.UNSUPPORTED, reason=reason)
        return settle_crash(judgement, backend.edition, self.expectations)


def plan(request: Request) -> Plan:
    """Work a request out. UsageError for a name or number that cannot be, HarnessError for a
    torch that cannot be used."""
    check(request)
    import_all(request.imports)
    files = of_files(request.backend_files)
    backends = resolve(request.backends or tuple(files), {**installed(), **files})
    return planned(request, backends)


def check(request: Request) -> None:
    """UsageError for a suite or a number that cannot be."""
    suite_of(request.suite)
    if request.examples is not None and request.examples < 1:
        raise UsageError(f"--examples {request.examples}: a clause needs at least 1 example")
    if request.seed < 0:
        raise UsageError(f"--seed {request.seed}: a seed is a whole number from 0 up")


def planned(request: Request, backends: Sequence[Backend]) -> Plan:
    """The plan for backends that are known: of these, only what they say of themselves is used,
    so they may be elsewhere."""
    suite = suite_of(request.suite)
    named = bool(request.backends or request.backend_files)
    selection = select(specification(), suite, request.clauses, backends, named=named)
    examples = suite.examples if request.examples is None else request.examples
    left_out: list[str] = []
    if request.budget is not None:
        chosen, left_out = affordable(
            selection, seconds_of(request.budget), examples, known_power()
        )
        # The workers of the run are told the clauses by name, and need no budget of their own.
        request = replace(request, clauses=tuple(chosen), budget=None)
        selection = [pair for pair in selection if pair[0].id in set(chosen)]
    # What is compiled most often comes first: at the end of a run, whoever is left with it would be
    # waited for. Elsewhere the order is that of the text.
    selection.sort(key=lambda pair: 0 if pair[1].mode == EAGER else -pair[0].effort)
    asked = {backend.name for _, backend in selection}
    return Plan(
        request=request,
        suite=suite,
        examples=examples,
        left_out=tuple(left_out),
        backends=tuple(backend for backend in backends if backend.name in asked),
        selection=tuple(selection),
        expectations=load([*_shipped_for(backends), *request.expect]),
    )


def _shipped_for(backends: Sequence[Backend]) -> list[Path]:
    """What comes with Tenet for any of them; a namespace made of PyTorch's fails as its device."""
    return shipped(*{name for backend in backends for name in (backend.name, backend.device)})
