"""Known failures: replayed first, left out of the search, and hiding nothing else."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Tenet

from tenet.harness.audit.miniature import Miniature
from tenet.harness.backend import Backend
from tenet.harness.errors import UsageError
from tenet.harness.expectation import Expectation, load, shipped, symptom, text_of
from tenet.harness.expecting import judge_expecting, settle_crash, settle_recorded
from tenet.harness.judge import judge
from tenet.harness.listing import problems, updated
from tenet.harness.record import Record
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.sections import specification

EXAMPLES, SEED = 60, 0
TODAY = date(2027, 1, 1)


def one_off(method: str, *dtypes: torch.dtype) -> Miniature:
    """A backend whose method is one off for some dtypes, from three elements up."""

    def lie(right: Callable[..., Any], x: Any, other: Any) -> Any:
        result = right(x, other)
        return torch.add(result, 1) if x.dtype in dtypes and x.numel() > 2 else result

    name = f"Tensor.{method} is one off"
    return Miniature(name, (f"Tensor.{method}",), lie, caught_by="elementwise.number-operand")


LIE = one_off("__add__", torch.int16, torch.float32)


def found(miniature: Miniature) -> Judgement:
    with miniature.told() as backend:
        return judge(specification()[miniature.caught_by], backend, examples=EXAMPLES, seed=SEED)


def expected(judgement: Judgement, **changes: object) -> Expectation:
    assert judgement.failure is not None
    entry = Expectation(
        clause=judgement.clause,
        backend="miniature*",
        symptom=symptom(judgement.failure),
        when=judgement.failure.case,
        example=judgement.failure.example,
        reason="a lie",
        origin="list.toml, entry 1",
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


def judged(backend: Backend, *known: Expectation) -> Judgement:
    clause = specification()[known[0].clause]
    return judge_expecting(clause, backend, examples=EXAMPLES, seed=SEED, known=known, today=TODAY)


def until_known(miniature: Miniature) -> list[Expectation]:
    """The list that somebody writes who adds each new failure to it."""
    known = [expected(found(miniature))]
    with miniature.told() as backend:
        while (judgement := judged(backend, *known)).verdict is Verdict.FAILED:
            assert "not the failure that is known" in judgement.reason
            known.append(expected(judgement))
            assert len(known) < 20
    return known


def test_a_failure_that_is_listed_is_known() -> None:
    known = until_known(LIE)
    with LIE.told() as backend:
        judgement = judged(backend, *known)
    assert judgement.verdict is Verdict.KNOWN
    assert judgement.excused > 0
    assert "a lie" in judgement.reason
    assert judgement.failure is not None


def test_one_that_passes_is_fixed() -> None:
    known = [replace(entry, backend="cpu") for entry in until_known(LIE)]
    judgement = judged(Backend("cpu"), *known)
    assert judgement.verdict is Verdict.FIXED
    assert "list.toml, entry 1" in judgement.reason


def test_a_known_failure_hides_no_other() -> None:
    known = until_known(LIE)
    other = one_off("__rsub__", torch.int16)
    with LIE.told(), other.told() as backend:
        judgement = judged(backend, *known)
    assert judgement.verdict is Verdict.FAILED
    assert "not the failure that is known" in judgement.reason


def test_another_symptom_is_a_new_failure() -> None:
    entry = expected(found(LIE), symptom="dtype | dtype=int8")
    with LIE.told() as backend:
        judgement = judged(backend, entry)
    assert judgement.verdict is Verdict.FAILED
    assert "fails in another way" in judgement.reason


def test_past_its_day_it_counts_again() -> None:
    known = [replace(e, expires=date(2026, 12, 31)) for e in until_known(LIE)]
    with LIE.told() as backend:
        assert "expired on 2026-12-31" in judged(backend, *known).reason
        assert judged(backend, *known).verdict is Verdict.FAILED
        on_its_day = [replace(entry, expires=TODAY) for entry in known]
        assert judged(backend, *on_its_day).verdict is Verdict.KNOWN


@pytest.mark.parametrize("other", [{"backend": "cuda"}, {"version": "<2"}])
def test_it_speaks_of_its_backend_and_version_only(other: dict[str, str]) -> None:
    with LIE.told() as backend:
        assert judged(backend, expected(found(LIE), **other)).verdict is Verdict.FAILED


STALE = ({"gone": 1}, {"operand": {"$Gone": {}}, "number": 1, "turn": 0})


@pytest.mark.parametrize("example", STALE)
def test_one_that_no_longer_fits_its_clause_is_left_out(example: dict[str, Any]) -> None:
    entry = expected(found(LIE), example=example)
    with LIE.told() as backend:
        judgement = judged(backend, entry)
    assert judgement.verdict is Verdict.FAILED
    assert judgement.failure is not None
    held = judged(Backend("cpu"), replace(entry, backend="cpu"))
    assert held.verdict is Verdict.FIXED
    for reason in (judgement.reason, held.reason):
        assert "entry 1" in reason
        assert "tenet expect" in reason


def test_one_that_no_longer_fits_is_written_anew_with_its_reason() -> None:
    outdated = expected(found(LIE), example={"gone": 1}, backend="cpu")
    record = Record({"backend": "cpu", "torch": "2.13.0"}, [], None)
    with LIE.told() as backend:
        failed = replace(judged(backend, replace(outdated, backend="miniature*")), backend="cpu")
    (entry,), left_out = updated([outdated], [replace(record, judgements=[failed])], TODAY)
    assert not left_out
    assert failed.failure is not None
    assert entry.example == failed.failure.example
    assert entry.reason == outdated.reason
    held = judged(Backend("cpu"), outdated)
    assert updated([outdated], [replace(record, judgements=[held])], TODAY) == ([], [])


def test_a_known_failure_that_another_comes_before_stays_known() -> None:
    def check(torch: Any, device: str) -> None:
        raise TypeError("before all else")

    clause = replace(specification()["creation.eye"], id="test.clause", strategies={}, check=check)
    known = [
        Expectation("test.clause", "cpu", f"raised {kind}", example={}, reason="a lie")
        for kind in ("ValueError", "TypeError")
    ]
    judgement = judge_expecting(
        clause, Backend("cpu"), examples=1, seed=0, known=known, today=TODAY
    )
    assert judgement.verdict is Verdict.KNOWN, judgement


def test_a_crash_can_be_known() -> None:
    entry = Expectation("a.b", "cpu", "crashed", reason="segfault")
    died = Judgement("a.b", "cpu", Verdict.CRASHED)
    hung = Judgement("a.b", "cpu", Verdict.TIMED_OUT)
    assert settle_crash(hung, "2.13.0", [entry], TODAY) == hung
    hangs = replace(entry, symptom="timed-out")
    assert settle_crash(hung, "2.13.0", [hangs], TODAY).verdict is Verdict.KNOWN
    assert settle_crash(died, "2.13.0", [entry], TODAY).verdict is Verdict.KNOWN
    past = replace(entry, expires=date(2026, 1, 1))
    assert settle_crash(died, "2.13.0", [past], TODAY).verdict is Verdict.CRASHED


def test_a_recorded_failure_is_settled_without_a_run() -> None:
    judgement = found(LIE)
    entry = expected(judgement)
    assert settle_recorded(judgement, "2.13.0", [entry], TODAY).verdict is Verdict.KNOWN
    elsewhere = replace(entry, when={"dtype": "none such"})
    assert settle_recorded(judgement, "2.13.0", [elsewhere], TODAY).verdict is Verdict.FAILED


def test_what_is_written_is_read(tmp_path: Path) -> None:
    entry = expected(found(LIE), expires=TODAY, issue='https://x/"1"', version=">=2.13,<3")
    odd = replace(entry, reason='it\'s "odd"\n\x7f\\ é', when={"a.b": "'x'"})
    path = tmp_path / "list.toml"
    path.write_text(text_of([entry, odd]), encoding="utf-8")
    again = [replace(e, origin=entry.origin) for e in load([path])]
    assert again == [entry, odd]


SHIPPED = [e for e in load(shipped("cpu")) if e.is_for(e.clause, "cpu", torch.__version__)]


def test_the_shipped_lists_are_sound() -> None:
    assert SHIPPED
    assert problems(load(shipped()), specification(), TODAY) == []


@pytest.mark.skipif(
    not torch.__version__.startswith("2.13.") or platform.machine() not in ("x86_64", "AMD64"),
    reason="the shipped list tells of torch 2.13 on x86-64; others may have repaired some of it",
)
@pytest.mark.parametrize("clause", sorted({entry.clause for entry in SHIPPED}))
def test_what_is_shipped_is_known(clause: str) -> None:
    """Each entry fails as it says, each is needed, and nothing else fails."""
    entries = [entry for entry in SHIPPED if entry.clause == clause]
    judgement = judged(Backend("cpu"), *entries)
    assert judgement.verdict is Verdict.KNOWN, judgement
    assert judgement.excused > 0
    assert judgement.cases > 0
    for entry in entries:
        assert len(entry.reason) > 60
        assert entry.when, "nothing else of the clause would count"
        fewer = [other for other in entries if other is not entry]
        assert not fewer or judged(Backend("cpu"), *fewer).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "cannot be read"),
        ("[[known]]", "'known' is not known there"),
        ("[[expectation]]\nclause = 'a.b'", "backend is missing"),
        ("[[expectation]]\nclauze = 'a.b'", "did you mean clause"),
        ("[[expectation]]\nclause = 1", "clause = 1 is no text"),
        ("@expires = '2027-01-01'", "expires = '2027-01-01' is no day"),
        ("@version = 'new'", "version = 'new'"),
        ("@when = { dtype = 1 }", "must be texts by name"),
        ("@example = '{'", "example is no JSON"),
        ("@", "example is missing"),
    ],
)
def test_a_list_written_wrongly_is_refused_by_entry(tmp_path: Path, text: str, said: str) -> None:
    start = "[[expectation]]\nclause = 'a.b'\nbackend = 'cpu'\nsymptom = 'values'\n"
    path = tmp_path / "list.toml"
    path.write_text(text.replace("@", start), encoding="utf-8")
    with pytest.raises(UsageError, match=r"list\.toml") as caught:
        load([path])
    assert said in str(caught.value)


def test_replaying_a_hundred_takes_two_seconds_at_most() -> None:
    known = [expected(found(LIE))] * 100
    with LIE.told() as backend:
        judged(backend, known[0])
        started = time.perf_counter()
        judgement = judged(backend, *known)
    assert time.perf_counter() - started < 2 + judgement.seconds
    assert judgement.seconds < 2


def test_a_backend_made_of_pytorch_inherits_its_failures(tenet: Tenet, tmp_path: Path) -> None:
    """Under whatever name: a copy of stock PyTorch is as right as stock PyTorch."""
    (tmp_path / "control.py").write_text(
        "import torch, types\n"
        "from tenet.harness.backend import Backend\n"
        "copied = types.ModuleType('copied')\n"
        "copied.__dict__.update(vars(torch), __name__='copied')\n"
        "backend = Backend(name='control', namespace=lambda: copied)\n"
    )
    chosen = [word for e in load(shipped("cpu")) for word in ("--clause", e.clause)]
    done = tenet("run", "--backend-file", "control.py", "--workers", "0", *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
