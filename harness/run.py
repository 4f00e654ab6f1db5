"""Running a plan: pytest runs the items, pytest-xdist the workers, this listens."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from tenet.harness.errors import HarnessError
from tenet.harness.plan import Plan
from tenet.harness.plugin import judgement_of
from tenet.harness.record import Records
from tenet.harness.verdict import BROKEN, UNSOUND, Judgement


class Listener(Protocol):
    """Is told of every judgement as it is made."""

    def heard(self, judgement: Judgement) -> None: ...


@dataclass
class Outcome:
    """What a run found. paths: the records, by backend; complete: every clause was judged."""

    plan: Plan
    paths: dict[str, Path]
    judgements: list[Judgement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return len(self.judgements) == len(self.plan.selection)

    def exit_status(self) -> int:
        """0 all held, 1 something failed, 3 the harness or a check broke."""
        verdicts = {judgement.verdict for judgement in self.judgements}
        if verdicts & BROKEN:
            return 1
        return 3 if verdicts & UNSOUND or not self.complete else 0


class _Listening:
    """A pytest plugin that hands judgements on, and keeps what pytest itself complains of."""

    def __init__(self, outcome: Outcome, records: Records, listener: Listener) -> None:
        self.outcome = outcome
        self.records = records
        self.listener = listener

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        judgement = judgement_of(report)
        if judgement is not None:
            self.outcome.judgements.append(judgement)
            self.records.add(judgement)
            self.listener.heard(judgement)
        elif report.failed:
            self.outcome.problems.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcome.problems.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_internalerror(self, excrepr: object) -> None:
        self.outcome.problems.append(str(excrepr))


def run(plan: Plan, *, workers: int, results: str, listener: Listener) -> Outcome:
    """Judge everything in the plan, and write the records below `results`.

    workers: processes that judge side by side; 0 judges in this process, where a backend that
    crashes takes the run along. Raises UsageError where the records cannot be written.
    """
    records = Records(plan, results)
    outcome = Outcome(plan, records.paths)
    # A worker is one core: two threads on two busy cores are far slower than one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The plugins and options that somebody else's tests need have no say in a verdict.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        status = pytest.main(
            _arguments(plan, workers), plugins=[_Listening(outcome, records, listener)]
        )
    finally:
        records.close()
    if not outcome.complete and not outcome.problems:
        outcome.problems.append(
            f"pytest ended with status {int(status)} after {len(outcome.judgements)} of "
            f"{len(plan.selection)} judgements"
        )
    if status == pytest.ExitCode.INTERRUPTED and not outcome.complete:
        raise HarnessError("interrupted; the record holds what was judged so far")
    return outcome


def _arguments(plan: Plan, workers: int) -> list[str]:
    request = plan.request
    arguments = [
        "--pyargs",
        "tenet.suites.test_clauses",
        "-c",
        os.devnull,
        "--rootdir",
        os.getcwd(),
    ]
    arguments += ["-p", "tenet.harness.plugin", "-p", "no:terminal", "-p", "no:cacheprovider"]
    arguments += ["-p", "no:logging", "-p", "no:faulthandler", "--import-mode=importlib"]
    if workers:
        arguments += ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"]
        # A worker that dies is replaced as often as there are clauses to die of.
        arguments += ["--max-worker-restart", str(len(plan.selection))]
    for backend in plan.backends:
        arguments += ["--backend", backend.name]
    for pattern in request.clauses:
        arguments += ["--clause", pattern]
    arguments += ["--suite", plan.suite.name, "--examples", str(plan.examples)]
    return [*arguments, "--seed", str(request.seed)]
