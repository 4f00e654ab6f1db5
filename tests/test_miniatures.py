"""Every section can fail: a backend with one lie is caught by the clause that forbids it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import Phase

from tenet.harness import generation
from tenet.harness.audit import miniatures
from tenet.harness.audit.miniature import Miniature
from tenet.harness.backend import Backend
from tenet.harness.expectation import load, shipped
from tenet.harness.expecting import forgiving
from tenet.harness.judge import judge, replay
from tenet.harness.suite import SUITES
from tenet.harness.verdict import Verdict
from tenet.spec.operators import laws
from tenet.spec.sections import specification

FOLDER = Path(miniatures.__file__).parent
MINIATURES: list[Miniature] = [
    miniature
    for path in sorted(FOLDER.glob("[a-z]*.py"))
    for miniature in import_module(f"{miniatures.__name__}.{path.stem}").MINIATURES
]
KNOWN = load(shipped("cpu"))


@pytest.fixture(autouse=True)
def _no_failure_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes longer than to find it, and says nothing about whether it is found."""
    monkeypatch.setattr(generation, "PHASES", (Phase.generate,))


@pytest.mark.parametrize("miniature", MINIATURES, ids=lambda m: f"{m.caught_by}: {m.name}")
def test_a_lie_is_caught(miniature: Miniature) -> None:
    for package in miniature.needs:
        pytest.importorskip(package)
    # What stock PyTorch gets wrong itself is no lie of the miniature's.
    clause = forgiving(specification()[miniature.caught_by], Backend("cpu"), KNOWN)
    with miniature.told() as backend:
        judgement = judge(clause, backend, examples=SUITES["core"].examples, seed=0)
        assert judgement.verdict is Verdict.FAILED, judgement
        assert judgement.failure is not None
        assert judgement.failure.example is not None
        again = replay(clause, backend, judgement.failure.example)
        assert again.verdict is Verdict.FAILED
    truthful = replay(clause, Backend("cpu"), judgement.failure.example)
    assert truthful.verdict is Verdict.PASSED, truthful


def test_every_clause_has_a_lie_that_it_catches() -> None:
    """The laws of operators have theirs in test_laws."""
    written = {id for id, clause in specification().items() if clause.module not in laws.MODULES}
    assert written - {miniature.caught_by for miniature in MINIATURES} == set()
