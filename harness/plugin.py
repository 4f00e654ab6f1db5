"""The pytest plugin: clauses as test items, verdicts as their reports.

It is loaded into every pytest session of an environment that has Tenet, so it imports nothing
heavy until clauses are collected. `-p no:tenet` keeps it out.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tenet.harness.backend import Backend
    from tenet.harness.plan import Plan, Request
    from tenet.harness.verdict import Judgement
    from tenet.spec.language import Clause

_PROPERTY = "tenet"
JOURNAL = "tenet_journal"
"""Under this name `tenet run` tells a worker where to note what it does."""


class Conformance:
    """Stands in a test module for every clause on every backend of the plan."""

    __test__ = False


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tenet", "Tenet: conformance of a tensor backend")
    for name, kind, default, metavar, text in _OPTIONS:
        action = "append" if isinstance(default, list) else "store"
        group.addoption(name, action=action, type=kind, default=default, metavar=metavar, help=text)


_OPTIONS: tuple[tuple[str, type, Any, str, str], ...] = (
    ("--backend", str, [], "NAME", "a backend to judge, such as cpu or cuda:1; default: all found"),
    ("--backend-file", str, [], "FILE", "a Python file that makes backends"),
    ("--import", str, [], "MODULE", "import it first: it brings a device, such as torch_npu"),
    ("--suite", str, "core", "NAME", "smoke, core or full; default: core"),
    ("--clause", str, [], "GLOB", "only the clauses whose id matches"),
    ("--examples", int, None, "N", "examples for each clause instead of the suite's number"),
    ("--seed", int, 0, "N", "the same seed gives the same examples; default: 0"),
    ("--expect", str, [], "FILE", "a list of known failures, beside those that come with Tenet"),
    ("--done", str, None, "FILE", "pass over the items that this file names, one a line"),
    ("--results", str, None, "DIR", "write a record for each backend below DIR"),
)


def request_of(config: pytest.Config) -> Request:
    """What the command line of this session asks for."""
    from tenet.harness.plan import Request

    return Request(
        backends=tuple(config.getoption("backend")),
        suite=config.getoption("suite"),
        clauses=tuple(config.getoption("clause")),
        examples=config.getoption("examples"),
        seed=config.getoption("seed"),
        expect=tuple(config.getoption("expect")),
        backend_files=tuple(config.getoption("backend_file")),
        imports=tuple(config.getoption("import")),
    )


def _plan(config: pytest.Config) -> Plan:
    known = config.stash.get(_PLAN, None)
    if known is None:
        from tenet.harness.errors import HarnessError, UsageError
        from tenet.harness.plan import plan

        try:
            known = plan(request_of(config))
        except (UsageError, HarnessError) as error:
            raise pytest.UsageError(f"tenet: {error}") from error
        config.stash[_PLAN] = known
    return known


_PLAN = pytest.StashKey["Plan"]()
_JOURNAL = pytest.StashKey[Any]()


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[ClauseItem] | None:
    if not isinstance(obj, Conformance):
        return None
    from tenet.harness.verdict import item_name

    plan = _plan(collector.config)
    path = collector.config.getoption("done")
    done = set(Path(path).read_text(encoding="utf-8").splitlines()) if path else set[str]()
    return [
        ClauseItem.from_parent(collector, name=item, clause=clause, backend=backend)
        for clause, backend in plan.selection
        if (item := item_name(clause.id, backend.name)) not in done
    ]


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(isinstance(item, ClauseItem) for item in session.items):
        # What is loaded by now stays: a garbage collection need not walk through torch again.
        gc.collect()
        gc.freeze()


class ClauseItem(pytest.Item):
    """One clause on one backend."""

    def __init__(self, *, clause: Clause, backend: Backend, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clause = clause
        self.backend = backend

    def runtest(self) -> None:
        from tenet.harness.verdict import Verdict
        from tenet.harness.worker import judged

        plan = _plan(self.config)
        judgement = judged(
            self.clause,
            self.backend,
            examples=plan.examples,
            seed=plan.request.seed,
            known=plan.expectations,
            journal=self.config.stash.get(_JOURNAL, None),
        )
        self.user_properties.append((_PROPERTY, judgement.to_json()))
        if judgement.verdict is Verdict.UNSUPPORTED:
            pytest.skip(f"unsupported: {judgement.reason}")
        if judgement.verdict is Verdict.KNOWN:
            pytest.xfail(f"known: {judgement.reason}")
        if judgement.verdict not in (Verdict.PASSED, Verdict.FIXED):
            raise NotHeldError(judgement)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotHeldError):
            from tenet.harness.explain import explanation

            return explanation(excinfo.value.judgement, self.clause)
        if isinstance(excinfo.value, pytest.xfail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int, str]:
        return self.path, 0, ""  # a line: pytest insists on one where it skips


class NotHeldError(Exception):
    """The verdict goes against the backend, or says that the check is at fault."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.verdict)
        self.judgement = judgement


def judgement_of(report: pytest.TestReport) -> Judgement | None:
    """The judgement that a report carries; None for a report of something else.

    A worker that died reports no judgement: pytest-xdist names the item that was running.
    """
    from tenet.harness.verdict import Judgement, Verdict

    for name, value in report.user_properties:
        if name == _PROPERTY and report.when == "call":
            return Judgement.from_json(str(value))
    if report.failed and report.when not in ("setup", "call", "teardown"):
        clause, _, rest = report.nodeid.rpartition("::")[2].partition("[")
        return Judgement(
            clause, rest.removesuffix("]"), Verdict.CRASHED, reason=str(report.longrepr)
        )
    return None


def pytest_configure(config: pytest.Config) -> None:
    journal = getattr(config, "workerinput", {}).get(JOURNAL)
    if journal is not None:
        from tenet.harness.watch import Journal

        config.stash[_JOURNAL] = Journal(journal)
    folder = config.getoption("results", None)
    if folder is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recording(folder), "tenet-recording")


class _Recording:
    """Writes the records of a plain pytest session that asked for them with --results."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.plan: Any = None
        self.records: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        from tenet.harness.errors import UsageError
        from tenet.harness.record import Records

        try:
            self.plan = _plan(session.config)
            self.records = Records(self.plan, self.folder)
        except UsageError as error:
            raise pytest.UsageError(f"tenet: {error}") from error

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        judgement = judgement_of(report)
        if judgement is not None:
            self.records.add(self.plan.settled(judgement))

    def pytest_sessionfinish(self) -> None:
        if self.records is not None:
            self.records.close()
