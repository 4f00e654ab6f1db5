"""The audit: its mutants are what they say, it finds their killers, and it cannot be fooled."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tenet.harness.audit import catalogue, pool
from tenet.harness.audit.examine import Examination, Fate, Finding, Kill, attempt
from tenet.harness.audit.faults import kernels, packed, unspread
from tenet.harness.audit.learning import learned
from tenet.harness.audit.mutant import Mutant, holds
from tenet.harness.audit.pool import Terms
from tenet.harness.audit.power import Power
from tenet.harness.audit.record import read_audit
from tenet.harness.audit.score import by, idle, percent, score
from tenet.harness.backend import Backend
from tenet.harness.budget import affordable, left_out_text, seconds_of
from tenet.harness.cli import main
from tenet.harness.errors import UsageError
from tenet.harness.judge import judge
from tenet.harness.plan import Request, plan
from tenet.harness.verdict import Verdict
from tenet.spec.sections import SECTIONS, specification

DEEP = [mutant for mutant in catalogue.mutants().values() if mutant.origin == "deep"]
KILLED = "comparison.ge-bool"
SMOKE = Terms(examples=8, thorough=False, seed=0)


@pytest.fixture(scope="module")
def examination() -> Examination:
    return replace(SMOKE.examination(), power=Power())


@pytest.mark.parametrize("mutant", DEEP, ids=lambda mutant: mutant.name)
def test_a_deep_mutant_is_wrong_as_long_as_it_is_active(mutant: Mutant) -> None:
    assert mutant.proof is not None
    assert holds(mutant.proof)
    assert mutant.proven()
    assert holds(mutant.proof)


def test_there_are_enough_deep_mutants_in_every_category() -> None:
    counts: dict[str, int] = {}
    for mutant in DEEP:
        counts[mutant.category] = counts.get(mutant.category, 0) + 1
    assert len(DEEP) >= 150
    assert len(counts) >= 20
    assert min(counts.values()) >= 8, counts


def test_mutants_name_sections_and_clauses_that_exist() -> None:
    clauses = set(specification())
    for mutant in catalogue.mutants().values():
        assert mutant.sections
        assert set(mutant.sections) <= set(SECTIONS), mutant.name
        assert set(mutant.likely) <= clauses, mutant.name


def test_narrow_mutants_take_turns_in_the_dtypes() -> None:
    narrow = [name for name in catalogue.mutants() if name.startswith("narrow.")]
    kinds = {name.partition(":")[2].rpartition("-")[::2] for name in narrow}
    dtypes = {dtype for _, dtype in kinds}
    assert {"float32", "bfloat16", "int8", "bool", "complex64"} < dtypes
    for kind in ("strided", "expanded", "transposed", "shifted"):
        assert {dtype for other, dtype in kinds if other == kind} == dtypes


def test_a_narrow_mutant_is_wrong_in_one_dtype_for_one_kind_of_operand() -> None:
    whole = torch.arange(12, dtype=torch.int16).view(3, 4)
    [mutant] = [m for n, m in catalogue.mutants().items() if n.startswith("narrow.abs:transposed-")]
    dtype = getattr(torch, mutant.name.rpartition("-")[2])
    there = whole.to(dtype).t()
    with mutant.active():
        wrong = torch.abs(there)
        assert torch.equal(wrong, there.abs())  # the function and the method alike
        assert (wrong != there).nonzero().tolist() == [[3, 2]]
        assert torch.equal(torch.abs(whole.to(dtype)), whole.to(dtype))
        assert torch.equal(torch.abs(whole.t()), whole.t()) or dtype is torch.int16


@pytest.mark.parametrize("side", ["of", "from"])
def test_a_narrow_gradient_is_wrong_in_one_dtype_for_one_kind_of_operand_or_arrival(
    side: str,
) -> None:
    kind = f"square:{side}-" if side == "from" else "exp2:of-"
    mutant = next(
        m for n, m in catalogue.mutants().items() if n.startswith(f"narrow-gradient.{kind}trans")
    )
    dtype = getattr(torch, mutant.name.rpartition("-")[2])
    x, g = torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[1.0, 1], [0.5, 2]])
    name = mutant.name.partition(".")[2].partition(":")[0]

    def gradient(operand: torch.Tensor, arriving: torch.Tensor, of: torch.dtype) -> torch.Tensor:
        leaf = operand.to(of, copy=True).requires_grad_()
        getattr(torch, name)(leaf).backward(arriving.to(of, copy=True))
        assert leaf.grad is not None
        return leaf.grad

    turned = (x.t().contiguous().t(), g) if side == "of" else (x, g.t().contiguous().t())
    right = gradient(*turned, dtype)
    with mutant.active():
        assert torch.equal(gradient(x, g, dtype), right)
        for other in {torch.float32, torch.float64} - {dtype}:
            assert torch.equal(gradient(*turned, other), gradient(x, g, other))
        assert (gradient(*turned, dtype) != right).tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize(("family", "examples"), [("narrow", 100), ("narrow-gradient", 250)])
def test_narrow_mutants_are_killed(family: str, examples: int) -> None:
    examination = Terms(examples=examples, thorough=True, seed=0).examination()
    for name in ("add", "where", "sum", "tile", "mm"):
        for mutant in catalogue.chosen((f"{family}.{name}:*",)):
            assert examination.examine(mutant).fate is Fate.KILLED, mutant.name


def test_functions_methods_operators_and_autograd_see_a_kernel() -> None:
    x = torch.ones(3, requires_grad=True)
    twice = kernels("mul.Tensor", lambda original, a, b: 2 * original(a, b))
    with twice():
        assert torch.mul(x, x).tolist() == x.mul(x).tolist() == (x * 1).tolist() == [2, 2, 2]
        (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 4, 4]
    assert (x * x).tolist() == [1, 1, 1]


def test_a_lie_that_cannot_be_told_is_the_truth() -> None:
    with kernels("add.Tensor", lambda original, a, b: a.no_such_name)():
        assert (torch.ones(2) + 1).tolist() == [2, 2]


def test_operands_are_taken_as_they_lie() -> None:
    assert packed(torch.arange(6).reshape(2, 3).t()).flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert packed(torch.arange(6)[::2]).tolist() == [0, 1, 2]
    assert unspread(torch.ones(1).expand(3)).tolist() == [1, 0, 0]


def test_a_mutant_is_killed_by_a_clause_of_its_section(examination: Examination) -> None:
    finding = examination.examine(catalogue.mutants()[KILLED])
    assert finding.fate is Fate.KILLED
    assert [kill.clause.partition(".")[0] for kill in finding.kills] == ["comparison"]
    assert finding.kills[0].examples >= 1
    assert 0 < finding.kills[0].seconds <= finding.seconds


def test_every_killer_is_found_where_all_are_asked(examination: Examination) -> None:
    of_few = {
        id: clause
        for id, clause in examination.specification.items()
        if id in ("comparison.elementwise", "comparison.every-length", "comparison.equal")
    }
    every = replace(examination, specification=of_few, every=True, thorough=True)
    finding = every.examine(catalogue.mutants()["comparison.lt-129"])
    assert finding.judged == 3
    assert {kill.clause for kill in finding.kills} <= set(of_few) - {"comparison.equal"}


def nothing() -> object:
    @contextmanager
    def fault():  # type: ignore[no-untyped-def] # a context that does nothing
        yield

    return fault()


def test_what_is_not_wrong_is_not_proven(examination: Examination) -> None:
    idle_one = Mutant("test.idle", "nothing", ("logging",), nothing, lambda t: True)  # type: ignore[arg-type]
    assert examination.examine(idle_one).fate is Fate.UNPROVEN


def test_what_no_clause_sees_survives(examination: Examination) -> None:
    unseen = Mutant("test.unseen", "nothing that shows", ("logging",), nothing)  # type: ignore[arg-type]
    only = {id: c for id, c in examination.specification.items() if c.section == "logging"}
    assert replace(examination, specification=only).examine(unseen).fate is Fate.SURVIVED


def test_a_clause_that_fails_on_stock_kills_nobody(examination: Examination) -> None:
    def check(torch: object, device: str) -> None:
        raise RuntimeError("on every backend")

    wrong = replace(specification()["comparison.equal"], check=check, strategies={})
    fooled = replace(examination, specification={wrong.id: wrong}, held={})
    finding = fooled.examine(catalogue.mutants()[KILLED])
    assert finding.fate is Fate.SURVIVED
    assert finding.alarms == (wrong.id,)


def test_an_attempt_ends_as_the_judgement_does_and_is_not_shrunk() -> None:
    clause = specification()["comparison.in-place"]
    mutant = catalogue.mutants()["comparison.in-place-lt"]
    with mutant.active() as backend:
        whole = judge(clause, backend, examples=250, seed=0)
        verdict, tried, seconds = attempt(clause, backend, 250, 0)
    assert verdict is whole.verdict is Verdict.FAILED
    assert 1 <= tried <= whole.examples
    assert seconds > 0
    assert attempt(clause, Backend("cpu"), 8, 0)[0] is Verdict.PASSED


def test_a_process_that_dies_is_no_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_work", dying)
    [finding] = pool.examine_all(SMOKE, [KILLED], workers=1)
    assert finding.fate is Fate.CRASHED
    assert "status 7" in finding.reason
    assert percent([finding]) == 0


def test_what_a_loader_starts_is_as_faulty_as_the_process_that_starts_it() -> None:
    name = "data.get-worker-info-knows-of-one-worker"
    [finding] = pool.examine_all(replace(SMOKE, thorough=True), [name], workers=1)
    assert finding.fate is Fate.KILLED, finding


def test_a_mutant_of_an_accelerator_is_not_examined_where_there_is_none(
    examination: Examination,
) -> None:
    finding = examination.examine(catalogue.mutants()["performance.the-device-is-slow"])
    assert finding.fate is Fate.UNSUPPORTED
    assert finding.reason == "it computes on the CPU"


def dying(pipe: object, terms: Terms) -> None:
    os._exit(7)


def found(name: str, fate: Fate, *clauses: str) -> Finding:
    kills = tuple(Kill(clause, 3, 0.5) for clause in clauses)
    return Finding(name, "c", name[0], "deep", fate, kills, seconds=1.0, judged=1)


def test_the_score_counts_what_could_be_examined() -> None:
    findings = [
        found("a1", Fate.KILLED, "a.x"),
        found("a2", Fate.SURVIVED),
        found("b1", Fate.KILLED, "b.x", "a.x"),
        found("b2", Fate.CRASHED),
        found("c1", Fate.UNSUPPORTED),
    ]
    assert percent(findings) == 50
    assert by(findings, "section") == {"a": 50, "b": 50, "c": 100}
    assert score(findings)["median_examples"] == 3
    assert idle(findings, ["a.x", "a.y", "b.x"]) == ["a.y"]
    assert percent([]) == 100


def test_what_is_learned_replaces_what_was_known() -> None:
    known = Power({"a.x": 2}, {"a.x": 1.0}, {"m1": "a.x", "m2": "a.x"})
    power = learned([found("m1", Fate.KILLED, "a.y"), found("m2", Fate.SURVIVED)], known)
    assert power.killed == {"m1": "a.y"}
    assert power.kills == {"a.y": 1}
    assert power.rate("a.y") == 1.0
    assert power.killers("m2") == ()


def priced(*costs: tuple[str, int, float]) -> Power:
    return Power({id: kills for id, kills, _ in costs}, {id: cost for id, _, cost in costs})


def test_a_budget_buys_the_most_kills_a_second_first() -> None:
    ids = ["comparison.elementwise", "comparison.isclose", "comparison.classes"]
    cpu = Backend("cpu")
    asked = [(specification()[id], cpu) for id in ids]
    power = priced((ids[0], 10, 20.0), (ids[1], 9, 1.0), (ids[2], 0, 1.0))
    assert affordable(asked, 2.5, 250, power) == (ids[1:], ids[:1])
    assert affordable(asked, 22, 250, power) == (ids, [])
    assert affordable(asked, 1.5, 250, power) == (ids[1:2], [ids[0], ids[2]])
    assert affordable(asked * 2, 2.5, 250, power) == (ids[1:2], [ids[0], ids[2]])
    with pytest.raises(UsageError, match="too short for any clause"):
        affordable(asked, 1e-9, 250, power)
    text = left_out_text(["comparison.isclose", "view.storage", "view.cut"], 7)
    assert text == "the budget covers 7 of 10 clauses; not covered: comparison 1, view 2"


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("90", 90), ("1.5m", 90), ("1h", 3600)])
def test_a_budget_is_a_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0s", "-3s", "5 days"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write 60s, 5m or 1h"):
        seconds_of(text)


def test_a_plan_on_a_budget_says_what_it_leaves_out() -> None:
    chosen = ("comparison.*",)
    whole = plan(Request(backends=("cpu",), clauses=chosen))
    part = plan(Request(backends=("cpu",), clauses=chosen, budget="1s"))
    kept = [clause.id for clause, _ in part.selection]
    assert 0 < len(kept) < len(whole.selection)
    assert {*kept, *part.left_out} == {clause.id for clause, _ in whole.selection}
    assert part.request.clauses == tuple(kept)


def status_of(*arguments: str) -> int:
    try:
        return main(("audit", *arguments))
    except SystemExit as left:
        return int(left.code or 0)


QUICK = ("--mutant", KILLED, "--suite", "smoke", "--workers", "0")


def test_a_killed_mutant_gives_0_and_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert status_of(*QUICK, "--results", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert KILLED in said
    assert "100.0 % of 1 mutants killed" in said
    path = tmp_path / "audit" / f"{torch.__version__}.jsonl"
    header, findings, footer = read_audit(path)
    assert header["suite"] == "smoke"
    assert [finding.mutant for finding in findings] == [KILLED]
    assert footer is not None
    assert footer["score"] == 100
    assert path.with_suffix(".previous.jsonl").exists()


def test_too_low_a_score_gives_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Examination, "examine", lambda self, mutant: found(mutant.name, Fate.SURVIVED)
    )
    arguments = (*QUICK, "--results", str(tmp_path))
    assert status_of(*arguments) == 1
    assert status_of(*arguments, "--at-least", "0") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mutant", "comparison.ge-bol"), "did you mean comparison.ge-bool"),
        (("--mutant", "zzz*"), "unknown mutant 'zzz*'"),
        (("--suite", "cor"), "unknown suite 'cor'; did you mean core?"),
        (("--at-least", "101"), "a score is a percentage"),
        (("--workers", "-1"), "'-1' is not a whole number from 0 up"),
        ((*QUICK, "--origin", "law"), "no mutant is left"),
        ((*QUICK, "--results", "/dev/null/x"), "choose another folder with --results"),
    ],
)
def test_bad_usage_gives_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of(*arguments) == 2
    assert said in capsys.readouterr().err


def test_list_names_the_mutants(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--list", "--mutant", "optim.adam-*", "--origin", "deep") == 0
    assert "optim.adam-eps: Adam adds eps of 1e-7 for 1e-8" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["notes", '{"kind": "finding", "content": {}}', ""])
def test_what_is_no_record_is_not_overwritten(tmp_path: Path, line: str) -> None:
    path = tmp_path / "audit" / f"{torch.__version__}.jsonl"
    path.parent.mkdir()
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(UsageError):
        read_audit(path)
    assert status_of(*QUICK, "--results", str(tmp_path)) == 2
    assert path.read_text(encoding="utf-8") == f"{line}\n"


def test_a_finding_is_read_as_it_was_written() -> None:
    finding = found("a1", Fate.KILLED, "a.x")
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding
