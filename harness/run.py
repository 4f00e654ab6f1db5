"""Running a plan: pytest runs the items, pytest-xdist the workers, this listens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

import pytest

from tenet.harness.errors import HarnessError
from tenet.harness.plan import Plan
from tenet.harness.plugin import JOURNAL, judgement_of
from tenet.harness.record import Records
from tenet.harness.verdict import BROKEN, UNSOUND, Judgement, Verdict
from tenet.harness.watch import Limits, Watch, watching
from tenet.harness.worker import ONE_CORE

_IDLE_SESSIONS = 3
"""So many in a row without a judgement are taken for the end."""


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


@dataclass(frozen=True)
class Ledger:
    """Where judgements are entered as they are made: the record, the outcome, the listener."""

    outcome: Outcome
    records: Records
    listener: Listener

    def enter(self, judgement: Judgement) -> bool:
        """Enter a judgement as it counts; False where the record cannot be written."""
        judgement = self.outcome.plan.settled(judgement)
        try:
            self.records.add(judgement)
        except OSError as error:
            self.outcome.problems.append(
                f"the record cannot be written: {error}; make room, and go on with --resume"
            )
            return False
        self.outcome.judgements.append(judgement)
        self.listener.heard(judgement)
        return True


class _Listening:
    """A pytest plugin that hands judgements on, and keeps what pytest itself complains of."""

    def __init__(self, ledger: Ledger, watch: Watch) -> None:
        self.ledger = ledger
        self.outcome = ledger.outcome
        self.watch = watch
        self.deaths = 0
        self.gateways: list[Any] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        self.gateways.append(node.gateway)
        node.workerinput[JOURNAL] = self.watch.open_journal(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        self.deaths += error is not None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        judgement = judgement_of(report)
        if judgement is not None:
            if judgement.verdict is Verdict.CRASHED:
                judgement = self.watch.explain(judgement)
            if not self.ledger.enter(judgement):
                pytest.exit("no record")
        elif report.failed:
            self.outcome.problems.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcome.problems.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_internalerror(
        self, excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        # A worker that dies before it has said a word fails the call that starts it.
        self.deaths += isinstance(excinfo.value, EOFError | OSError)
        self.outcome.problems.append(str(excrepr))

    def dismiss(self) -> None:
        """End the workers that are left of a session which pytest-xdist gave up."""
        for gateway in self.gateways:
            gateway.exit()


def run(
    plan: Plan,
    *,
    workers: int,
    results: str,
    listener: Listener,
    limits: Limits,
    resume: bool = False,
) -> Outcome:
    """Judge everything in the plan, and write the records below `results`.

    workers: processes that judge side by side, each ended where it exceeds the limits; 0 judges
    in this process, where a backend that crashes or hangs takes the run along. resume: carry on
    what a run of the same plan left unfinished there. Raises UsageError where the records cannot
    be written, or resumed.
    """
    records = Records(plan, results, resume=resume)
    outcome = Outcome(plan, records.paths, records.judged)
    for judgement in outcome.judgements:
        listener.heard(judgement)
    if outcome.complete:
        records.close()
        return outcome
    for name, value in ONE_CORE.items():
        os.environ.setdefault(name, value)
    # The plugins and options that somebody else's tests need have no say in a verdict.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        with watching(limits) as watch:
            status = _sessions(Ledger(outcome, records, listener), watch, workers)
    finally:
        records.close()
    if status == pytest.ExitCode.INTERRUPTED and not outcome.complete and not outcome.problems:
        raise HarnessError("interrupted; go on with --resume")
    if not outcome.complete and not outcome.problems:
        outcome.problems.append(
            f"pytest ended with status {int(status)} after {len(outcome.judgements)} of "
            f"{len(plan.selection)} judgements"
        )
    return outcome


def _sessions(ledger: Ledger, watch: Watch, workers: int) -> int:
    """The status of the last of as many pytest sessions as it takes.

    pytest-xdist replaces a worker that dies, but gives up where one dies before all have started
    and told what there is to judge. Then what is left is begun anew, a few times where nothing
    comes of it.
    """
    outcome = ledger.outcome
    idle = 0
    while True:
        before, known = len(outcome.judgements), len(outcome.problems)
        listening = _Listening(ledger, watch)
        with _list_of(outcome.judgements) as done:
            arguments = [*_arguments(outcome.plan, workers), "--done", done]
            status = pytest.main(arguments, plugins=[listening])
        idle = idle + 1 if len(outcome.judgements) == before else 0
        gave_up = status == pytest.ExitCode.INTERNAL_ERROR and listening.deaths
        if outcome.complete or not gave_up or idle == _IDLE_SESSIONS:
            return status
        listening.dismiss()
        del outcome.problems[known:]


@contextmanager
def _list_of(judgements: list[Judgement]) -> Iterator[str]:
    """A file that names the items that have been judged: every worker passes over the same ones,
    however late it starts."""
    with NamedTemporaryFile("w", prefix="tenet-", suffix=".done", encoding="utf-8") as file:
        file.writelines(f"{judgement.item}\n" for judgement in judgements)
        file.flush()
        yield file.name


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
    arguments += ["-s", "-p", "no:logging", "-p", "no:faulthandler", "--import-mode=importlib"]
    if workers:
        arguments += ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"]
        # A worker that dies is replaced as often as there are clauses to die of.
        arguments += ["--max-worker-restart", str(len(plan.selection))]
    for backend in plan.backends:
        arguments += ["--backend", backend.name]
    for pattern in request.clauses:
        arguments += ["--clause", pattern]
    for path in request.backend_files:
        arguments += ["--backend-file", os.path.abspath(path)]
    for module in request.imports:
        arguments += ["--import", module]
    for path in request.expect:
        arguments += ["--expect", os.path.abspath(path)]
    arguments += ["--suite", plan.suite.name, "--examples", str(plan.examples)]
    return [*arguments, "--seed", str(request.seed)]
