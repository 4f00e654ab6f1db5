"""Judging a clause that has known failures: replay them first, then search for others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis.errors import UnsatisfiedAssumption

from tenet.harness.backend import Backend
from tenet.harness.compiling import EAGER
from tenet.harness.expectation import ENDED, Expectation, described, kind_of, symptom
from tenet.harness.judge import judge, replay
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.cases import decode
from tenet.spec.language import Clause, Mismatch, Misuse, tally


def judge_expecting(
    clause: Clause,
    backend: Backend,
    *,
    examples: int,
    seed: int,
    known: Sequence[Expectation],
    today: date | None = None,
) -> Judgement:
    """As `judge`, with the known failures among `known` replayed first and then left out.

    `known` where each still fails as it says and the search finds nothing else; `fixed` where
    one passes; `failed` where one fails in another way or is past its day, or where the search
    finds a failure that none of them names. One whose example the clause no longer draws is left
    out, and the reason says so: `failed` where the search meets a failure, `fixed` where not.
    """
    day = date.today() if today is None else today
    concerned = _concerned(known, clause, backend)
    inherited = _inherited(known, clause, backend)
    if not (concerned or inherited) or backend.lacking(clause):
        return judge(clause, backend, examples=examples, seed=seed)
    stale = [(e, why) for e in concerned if (why := staleness(e, clause))]
    if stale:
        left_out = [e for e, _ in stale]
        others = [e for e in known if e not in left_out]
        judgement = judge_expecting(
            clause, backend, examples=examples, seed=seed, known=others, today=day
        )
        return _without(judgement, stale)
    standing: list[Expectation] = []
    fixed: list[Expectation] = []
    shown: Judgement | None = None
    seconds = 0.0
    for expectation in concerned:
        if expectation.example is None:  # a crash: it shows when the clause is run
            standing.append(expectation)
            continue
        # An example may fail in several cases, and would show the first of them only.
        others = [e for e in concerned if e.example is not None and not _covers(e, expectation)]
        met: list[BaseException] = []
        again = replay(_excusing(clause, others, met), backend, expectation.example)
        seconds += again.seconds
        if again.verdict is Verdict.VACUOUS and met:  # another known failure comes before it
            standing.append(expectation)
            continue
        if again.verdict is Verdict.PASSED:
            fixed.append(expectation)
            continue
        contradiction = _contradiction(expectation, again, day)
        if contradiction:
            return replace(again, reason=contradiction, seconds=seconds)
        shown = shown or again
        standing.append(expectation)
    excused: list[BaseException] = []
    passed_over = [*(e for e in standing if e.example is not None), *inherited]
    rest = _excusing(clause, passed_over, excused)
    searched = judge(rest, backend, examples=examples, seed=seed)
    searched = replace(searched, excused=len(excused), seconds=searched.seconds + seconds)
    if not excused:  # what eager mode fails at need not come up where programs are compiled
        inherited = []
    return _together(searched, shown, [*standing, *inherited], fixed)


def _contradiction(expectation: Expectation, again: Judgement, today: date) -> str:
    """Why the replayed failure is not the expected one; empty where it is."""
    if again.verdict is not Verdict.FAILED or again.failure is None:
        return f"{expectation.origin}: the known example is {again.verdict} now; {again.reason}"
    if symptom(again.failure) != expectation.symptom:
        return f"{expectation.origin}: fails in another way; expected was {expectation.symptom}"
    if expectation.expired(today):
        return f"{expectation.origin}: expired on {expectation.expires}; repair it or renew it"
    return ""


def _together(
    searched: Judgement,
    shown: Judgement | None,
    standing: Sequence[Expectation],
    fixed: Sequence[Expectation],
) -> Judgement:
    if searched.verdict in (Verdict.FAILED, Verdict.ERRORED, Verdict.CRASHED):
        beside = "; ".join(e.origin for e in (*standing, *fixed))
        reason = searched.reason or f"not the failure that is known ({beside})"
        return replace(searched, reason=reason)
    over = [*fixed, *(e for e in standing if e.example is None)]
    if over:
        return replace(searched, verdict=Verdict.FIXED, reason=_hold_now(over))
    if not standing:
        return searched
    return replace(
        searched,
        verdict=Verdict.KNOWN,
        reason=described(standing),
        failure=None if shown is None else shown.failure,
    )


def _without(judgement: Judgement, stale: Sequence[tuple[Expectation, str]]) -> Judgement:
    """What was judged without expectations that no longer fit, each with why it does not."""
    reasons = [reason for reason in (judgement.reason, *(why for _, why in stale)) if reason]
    held = (Verdict.PASSED, Verdict.KNOWN, Verdict.FIXED)
    if judgement.verdict in held:
        reasons.append(_hold_now([e for e, _ in stale]))
        judgement = replace(judgement, verdict=Verdict.FIXED)
    return replace(judgement, reason="; ".join(reasons))


def _hold_now(over: Sequence[Expectation]) -> str:
    return "; ".join(f"holds now: {e.origin} ({e.describe()})" for e in over)


def _concerned(known: Sequence[Expectation], clause: Clause, backend: Backend) -> list[Expectation]:
    """Those that speak of the clause on the backend: by its name, or, for a namespace that is
    PyTorch's or made of it, by its device, for such a backend inherits PyTorch's own failures."""
    known = [expectation for expectation in known if expectation.clause == clause.id]
    if not known:
        return []
    names = {(backend.name, backend.edition)}
    if backend.mode == EAGER and backend.inherits:
        names.add((backend.device, backend.version))
    return [e for e in known if any(e.is_for(clause.id, *name) for name in names)]


def _inherited(known: Sequence[Expectation], clause: Clause, backend: Backend) -> list[Expectation]:
    """What the device is known to fail in eager mode, of a backend that compiles for it: the same
    kernels may be at work, on another dtype of an example than where they were met."""
    if backend.mode == EAGER or not backend.inherits:
        return []
    those = (e for e in known if e.is_for(clause.id, backend.device, backend.version))
    return [e for e in those if e.example is not None]


def forgiving(clause: Clause, backend: Backend, known: Sequence[Expectation]) -> Clause:
    """The clause, passing over what is known to fail on the backend and over nothing else."""
    concerned = [*_concerned(known, clause, backend), *_inherited(known, clause, backend)]
    return _excusing(clause, [e for e in concerned if e.example is not None], [])


def settle_crash(
    judgement: Judgement, version: str, known: Sequence[Expectation], today: date | None = None
) -> Judgement:
    """A judgement whose process died, as `known` where that was expected."""
    day = date.today() if today is None else today
    for expectation in known:
        if (
            judgement.verdict in ENDED
            and expectation.symptom == judgement.verdict
            and expectation.is_for(judgement.clause, judgement.backend, version)
            and not expectation.expired(day)
        ):
            return replace(judgement, verdict=Verdict.KNOWN, reason=expectation.describe())
    return judgement


def settle_recorded(
    judgement: Judgement, version: str, known: Sequence[Expectation], today: date | None = None
) -> Judgement:
    """A recorded failure, as `known` where an expectation names it; nothing is run."""
    day = date.today() if today is None else today
    failure = judgement.failure
    if judgement.verdict is not Verdict.FAILED or failure is None:
        return settle_crash(judgement, version, known, day)
    if failure.example is None:
        return judgement
    traits = features(decoded(failure.example), failure.case)
    for expectation in known:
        if (
            expectation.is_for(judgement.clause, judgement.backend, version)
            and expectation.kind == kind_of(failure.what, failure.got)
            and _matches(expectation.when, traits)
            and not expectation.expired(day)
        ):
            return replace(judgement, verdict=Verdict.KNOWN, reason=expectation.describe())
    return judgement


def staleness(expectation: Expectation, clause: Clause) -> str:
    """Why an expectation cannot be replayed any more; empty where it can."""
    if expectation.example is None:
        return ""
    wanted, has = set(clause.strategies), set(expectation.example)
    again = "write it anew with `tenet expect`"
    if wanted != has:
        return (
            f"{expectation.origin}: its example gives {sorted(has)}, but the clause draws "
            f"{sorted(wanted)}; {again}"
        )
    try:
        decoded(expectation.example)
    except (ValueError, TypeError) as error:
        return f"{expectation.origin}: its example cannot be read ({error}); {again}"
    return ""


# --------------------------------------------------------------------------------- matching


def decoded(example: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a record stores. ValueError where they cannot be read."""
    return {name: decode(value) for name, value in example.items()}


def features(drawn: Mapping[str, Any], labels: Mapping[str, object]) -> dict[str, str]:
    """What a condition can speak of: arguments, their fields (`operand.layout`), and labels."""
    found: dict[str, str] = {}
    for name, value in drawn.items():
        _describe(name, value, found)
    found.update({name: _text(value) for name, value in labels.items()})
    return found


def _describe(name: str, value: Any, into: dict[str, str]) -> None:
    into[name] = _text(value)
    if dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            _describe(f"{name}.{part.name}", getattr(value, part.name), into)
    elif isinstance(value, tuple | list) and any(map(dataclasses.is_dataclass, value)):
        for number, part in enumerate(value):
            _describe(f"{name}.{number}", part, into)


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _covers(one: Expectation, other: Expectation) -> bool:
    """Whether one's condition holds of the other's failure."""
    traits = {**features(decoded(other.example or {}), {}), **other.when}
    return one.kind == other.kind and _matches(one.when, traits)


def _matches(when: Mapping[str, str], traits: Mapping[str, str]) -> bool:
    return all(traits.get(name) == value for name, value in when.items())


def _excusing(clause: Clause, known: Sequence[Expectation], excused: list[BaseException]) -> Clause:
    """The clause, passing over the failures that are known and over nothing else.

    A failure inside a `case` block ends that case only, so its example goes on to the others.
    excused: is given what was passed over.
    """
    if not known:
        return clause

    def check(torch: Any, device: str, **drawn: Any) -> None:
        before = len(excused)

        def is_known(error: BaseException) -> bool:
            kind = _kind(error)
            if kind is None:
                return False
            traits = features(drawn, tally().labelled())
            if not any(e.kind == kind and _matches(e.when, traits) for e in known):
                return False
            excused.append(error)
            return True

        with _forgiving(is_known):
            try:
                clause.check(torch, device, **drawn)
            except Exception as error:
                # What a forgiven case did not come to assign, nobody can read after it.
                orphaned = len(excused) > before and isinstance(error, NameError)
                if not orphaned and not is_known(error):
                    raise

    return replace(clause, check=check)


@contextmanager
def _forgiving(is_known: Callable[[BaseException], bool]) -> Iterator[None]:
    counts = tally()
    counts.forgives = is_known
    try:
        yield
    finally:
        counts.forgives = None


def _kind(error: BaseException) -> str | None:
    """The kind of a failure; None for what is none."""
    if isinstance(error, Mismatch):
        return kind_of(error.what, error.got)
    if isinstance(error, Misuse | UnsatisfiedAssumption) or not isinstance(error, Exception):
        return None
    return kind_of("raised", f"{type(error).__name__}: ")


def traits_of(failure: Failure) -> dict[str, str]:
    """The features of a recorded failure; empty where its example cannot be read."""
    try:
        return features(decoded(failure.example or {}), failure.case)
    except (ValueError, TypeError):
        return dict(failure.case)
