"""Judging one clause on one backend."""

from __future__ import annotations

import random
import time
import traceback
import warnings
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis.errors import UnsatisfiedAssumption
from hypothesis.strategies import fixed_dictionaries

from tenet.harness.backend import Backend
from tenet.harness.generation import draws, seed_for, shrink
from tenet.harness.staging import staging
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.cases import decode, encode
from tenet.spec.language import Clause, Mismatch, Misuse, Tally, counting

SHRINK_SECONDS = 10.0
"""How long a failure is made smaller; what is smallest by then is reported."""

UNCLAIMED = "but it is there: you may want to claim it"
"""Ends the reason why a capability is unsupported that a backend has, and says it lacks."""

PATIENCE = 10
"""How many examples are tried for each that is wanted, where a check gives up on some."""

_ORACLES = ("tenet.spec.model", "tenet.spec.cases.values", "tenet.spec.cases.shapes")


class _Trial:
    """Runs the examples of one clause and keeps count."""

    def __init__(self, clause: Clause, backend: Backend) -> None:
        self.clause = clause
        self.torch = backend.torch
        self.foreign = backend.foreign
        self.device = backend.device
        self.tally = Tally(lacks=frozenset(backend.lacks))
        self.examples = self.asserted = self.discarded = 0
        self.missing: dict[str, None] = {}
        self.smallest: dict[str, Any] | None = None
        self.error: BaseException | None = None
        self.case: dict[str, object] = {}
        self.give_up_at: float | None = None

    def run(self, drawn: dict[str, Any]) -> None:
        """Try one example; raises what the check raises."""
        out_of_time = self.give_up_at is not None and time.monotonic() > self.give_up_at
        if out_of_time and drawn != self.smallest:
            return
        self.examples += 1
        before = self.tally.cases
        self.tally.labels.clear()
        try:
            self.clause.check(self.torch, self.device, **drawn)
        except UnsatisfiedAssumption:
            self.discarded += 1
            raise
        except (Exception, SystemExit) as error:
            missing = _missing_name(self.torch, error) if self.foreign else ""
            if missing:
                self.missing[missing] = None
                self.discarded += 1
                raise UnsatisfiedAssumption from error
            if self.give_up_at is None:
                self.give_up_at = time.monotonic() + SHRINK_SECONDS
            self.smallest, self.error, self.case = drawn, error, self.tally.labelled()
            # One kind of error for Hypothesis: it then shrinks to the smallest failure of all.
            raise _ExampleError from error
        finally:
            self.asserted += self.tally.cases > before


class _ExampleError(Exception):
    """The example fails; the trial knows how."""


def _missing_name(torch: Any, error: BaseException) -> str:
    """The name that a namespace which is not PyTorch's has not got; empty for other errors."""
    root = getattr(torch, "__name__", "")
    if isinstance(error, ModuleNotFoundError) and root:
        name = str(error.name)
        return name.removeprefix(f"{root}.") if name.startswith(f"{root}.") else ""
    if not isinstance(error, AttributeError) or error.obj is None:
        return ""
    tensor = getattr(torch, "Tensor", None)
    if isinstance(tensor, type) and isinstance(error.obj, tensor):
        return f"Tensor.{error.name}"
    module = getattr(error.obj, "__name__", "")
    # A namespace may pass on what another module of its name has.
    if error.obj is torch or (root and f"{module}.".startswith(f"{root}.")):
        return ".".join([*module.removeprefix(root).split("."), str(error.name)]).strip(".")
    return ""


def judge(clause: Clause, backend: Backend, *, examples: int, seed: int) -> Judgement:
    """Search for an example on which the backend does not hold to the clause.

    examples: the suite's budget; the clause multiplies it with its effort. seed: that of the
    run; the clause's own follows from it, so neither order nor other clauses matter.
    """
    lacking = backend.lacking(clause)
    if lacking:
        reason = "; ".join(f"{name}: {why}" for name, why in sorted(lacking.items()))
        if clause.section == "capability":
            able = replace(backend, lacks={})
            there = judge(clause, able, examples=examples, seed=seed).verdict is Verdict.PASSED
            reason += f"; {UNCLAIMED}" if there else ""
        return Judgement(clause.id, backend.name, Verdict.UNSUPPORTED, reason=reason)
    trial = _Trial(clause, backend)
    own_seed = seed_for(seed, clause.id)
    started = time.perf_counter()
    broken: BaseException | None = None
    with _watched(trial, backend):
        try:
            with _reseeded(backend, own_seed):
                number = max(1, round(examples * clause.effort / backend.thrift))
                _search(trial, number, own_seed)
        except (Exception, SystemExit) as error:
            broken = error
    return _conclude(trial, backend, broken, time.perf_counter() - started)


def replay(clause: Clause, backend: Backend, example: Mapping[str, Any]) -> Judgement:
    """Try the one example that a record stores. ValueError where it cannot be read."""
    trial = _Trial(clause, backend)
    drawn = {name: decode(value) for name, value in example.items()}
    started = time.perf_counter()
    broken: BaseException | None = None
    with _watched(trial, backend):
        try:
            with _reseeded(backend, seed_for(0, clause.id)):
                trial.run(drawn)
        except (Exception, SystemExit) as error:
            broken = error
    return _conclude(trial, backend, broken, time.perf_counter() - started)


@contextmanager
def _watched(trial: _Trial, backend: Backend) -> Iterator[None]:
    """Count what the check compares, run its programs in the backend's mode, warn of nothing."""
    with (
        counting(trial.tally),
        staging(backend, trial.tally),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _reseeded(backend: Backend, seed: int) -> Iterator[None]:
    """Every global generator that a check may reach starts from the seed; Python's and NumPy's
    are given back as they were. Gradients and the default dtype are as in a new process."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # PyTorch's own manual_seed notes the whole call stack once for every kind of accelerator, which
    # takes a millisecond; where there is none, the processor's generator is all that is drawn from.
    source = backend.torch if backend.device not in ("cpu", "meta") else None
    source = source or getattr(backend.torch, "default_generator", backend.torch)
    manual_seed = getattr(source, "manual_seed", None)
    if manual_seed is not None:
        manual_seed(seed % 2**63)
    # What a clause that failed half-way left behind must not fail the next.
    for setter, usual in (("set_grad_enabled", True), ("set_default_dtype", "float32")):
        with suppress(Exception):
            value = getattr(backend.torch, usual) if isinstance(usual, str) else usual
            getattr(backend.torch, setter)(value)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _search(trial: _Trial, examples: int, seed: int) -> None:
    if not trial.clause.strategies:
        trial.run({})
        return
    strategy = fixed_dictionaries(dict(trial.clause.strategies))
    shows = trial.clause.shows
    shown = set[Hashable]()
    passed_over = unfit = 0
    # The simplest, often of one element, tells little alone.
    for drawn, choices in draws(strategy, seed, simplest=examples > 1):
        news = None if shows is None else shows(**drawn)
        if news is not None and shown.issuperset(news):
            # One that shows nothing at all is none, as one is that is discarded.
            passed_over += bool(news)
            unfit += not news
        else:
            shown.update(news or ())
            try:
                trial.run(drawn)
            except UnsatisfiedAssumption:
                pass
            except _ExampleError:
                shrink(strategy, choices, seed, trial.run)
                return
        tried = passed_over + trial.examples - trial.discarded
        if tried >= examples or trial.examples + unfit >= PATIENCE * examples:
            return


def _conclude(
    trial: _Trial, backend: Backend, broken: BaseException | None, seconds: float
) -> Judgement:
    verdict, reason, failure = Verdict.PASSED, "", None
    if trial.error is not None:
        at_fault = _fault_of_the_check(trial.error)
        verdict = Verdict.ERRORED if at_fault else Verdict.FAILED
        failure = _failure(trial)
        if not isinstance(broken, _ExampleError):
            reason = "the failure did not repeat when the same example was run again"
    elif broken is not None and not (trial.examples and trial.examples == trial.discarded):
        verdict, reason = Verdict.ERRORED, "".join(traceback.format_exception(broken))[-2000:]
    elif trial.missing:
        verdict = Verdict.UNSUPPORTED
        reason = f"it has no {', '.join(trial.missing)}"
    elif not trial.tally.cases and trial.tally.skipped:
        verdict = Verdict.UNSUPPORTED
        reason = "; ".join(f"{name}: {backend.lacks[name]}" for name in trial.tally.skipped)
    elif not trial.tally.cases:
        verdict = Verdict.VACUOUS
        reason = f"{trial.examples} examples ran, {trial.discarded} discarded, nothing compared"
    return Judgement(
        clause=trial.clause.id,
        backend=backend.name,
        verdict=verdict,
        examples=trial.examples,
        drawn=trial.examples if trial.clause.strategies else 0,
        asserted=trial.asserted,
        discarded=trial.discarded,
        cases=trial.tally.cases,
        skipped=trial.tally.skipped,
        elsewhere=list(trial.tally.elsewhere),
        seconds=seconds,
        reason=reason,
        failure=failure,
    )


def _failure(trial: _Trial) -> Failure:
    error, drawn = trial.error, trial.smallest or {}
    assert error is not None
    labels = {name: _shown(value) for name, value in trial.case.items()}
    common = {
        "case": labels,
        "shown": {name: _shown(value) for name, value in drawn.items()},
        "example": {name: encode(value) for name, value in drawn.items()},
        "at": _place(trial.clause, error),
    }
    if isinstance(error, Mismatch):
        where = None if error.where is None else list(error.where)
        return Failure(error.what, error.got, error.expected, where, **common)  # type: ignore[arg-type]
    got = f"{type(error).__name__}: {error}"
    return Failure("raised", got[:2000], "no error", **common)  # type: ignore[arg-type]


def _place(clause: Clause, error: BaseException) -> str:
    """The line of the section at which an error surfaced."""
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") == clause.module
    ]
    return f"{clause.module}:{lines[-1] if lines else clause.line}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _fault_of_the_check(error: BaseException) -> bool:
    """Whether an error comes from the specification's own oracles and not from the backend.

    What a call into the backend raises surfaces in a section, or where tensors are built and
    read; the oracles never touch a backend.
    """
    if isinstance(error, Misuse):
        return True
    modules = [
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    ours = [name for name in modules if name.startswith("tenet.spec.")]
    return bool(ours) and ours[-1].startswith(_ORACLES) and not isinstance(error, Mismatch)
