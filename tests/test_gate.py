"""Comparing records, and the gate that they have to pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Tenet
from records import EXAMPLE, ID, OTHER, failing, passing, written
from test_cli import status_of, the_record

from tenet.harness.backend import Backend
from tenet.harness.expectation import load
from tenet.harness.expecting import judge_expecting
from tenet.harness.judge import judge
from tenet.harness.record import read_record
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.sections import specification

CHOSEN = ("--backend", "cpu", "--clause", ID, "--suite", "smoke", "--workers", "0")
LIE = """
add = torch.Tensor.__add__
torch.Tensor.__add__ = lambda x, y: add(add(x, y), 1 if x.dtype == torch.int64 else 0)
"""
UNSUPPORTED = Verdict.UNSUPPORTED


def ruled(folder: Path, now: list[Judgement], before: list[Judgement], *more: str) -> int:
    record = written(folder / "now.jsonl", *now)
    baseline = written(folder / "before.jsonl", *before)
    return status_of("gate", "--record", record, "--baseline", baseline, *more)


@pytest.mark.parametrize(
    ("now", "before", "status", "said"),
    [
        ([passing()], [passing()], 0, "PASSES: cpu"),
        ([failing()], [failing()], 0, "as in the baseline"),
        ([failing()], [passing()], 1, "failed (values; dtype=int16); new failure"),
        ([failing(dtype="int8")], [failing()], 1, "failed before: failed (values; dtype=int16)"),
        ([failing(what="dtype")], [failing()], 1, "failed (dtype; dtype=int16); failed before"),
        ([passing(verdict=Verdict.CRASHED)], [failing()], 1, "failed before"),
        ([passing()], [passing(), passing(OTHER)], 1, "1 clauses of the baseline were not judged"),
        ([passing(), passing(OTHER, UNSUPPORTED)], [passing(), passing(OTHER)], 1, "was passed"),
        ([passing(), passing(OTHER, UNSUPPORTED)], [passing()], 1, "1 clauses are unsupported"),
        ([passing(verdict=UNSUPPORTED)], [passing(verdict=UNSUPPORTED)], 3, "nothing was judged"),
        ([passing(verdict=Verdict.VACUOUS)], [passing()], 3, "the check is at fault"),
        ([passing(verdict=Verdict.FIXED, reason="holds now")], [passing()], 0, "holds now"),
    ],
)
def test_what_passes_the_gate(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    now: list[Judgement],
    before: list[Judgement],
    status: int,
    said: str,
) -> None:
    assert ruled(tmp_path, now, before) == status
    assert said in capsys.readouterr().out


def test_strictly_what_is_fixed_does_not_pass(tmp_path: Path) -> None:
    fixed = [passing(verdict=Verdict.FIXED, reason="holds now")]
    assert ruled(tmp_path, fixed, [passing()], "--strict") == 1


@pytest.mark.parametrize("judgements", [[], [passing()], [failing()]])
def test_a_record_cut_short_is_never_green(tmp_path: Path, judgements: list[Judgement]) -> None:
    record = written(tmp_path / "now.jsonl", *judgements, whole=False, clauses=5)
    assert status_of("gate", "--record", record) == (1 if judgements == [failing()] else 3)
    empty = written(tmp_path / "empty.jsonl")
    assert status_of("gate", "--record", empty) == 3


def test_a_footer_does_not_make_a_record_whole(tmp_path: Path) -> None:
    assert status_of("gate", "--record", written(tmp_path / "r", passing(), clauses=2)) == 3


def test_lost_capabilities_fewer_examples_and_time_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "before.jsonl", passing(seconds=1.0))
    now = written(tmp_path / "now.jsonl", passing(seconds=3.0), lacks={"fft": "no"}, examples=8)
    gate = ("gate", "--record", now, "--baseline", before)
    assert status_of(*gate, "--slower", "2") == 1
    out = capsys.readouterr().out
    assert "capability fft was lost: no" in out
    assert "8 examples a clause were tried, 250 were before" in out
    assert "more than 2 times" in out


def test_bad_usage_gives_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = written(tmp_path / "whole.jsonl", passing())
    cut = written(tmp_path / "cut.jsonl", passing(), whole=False)
    other = written(tmp_path / "other.jsonl", passing(), backend="cuda")
    for arguments, said in [
        (("gate", "--record", str(tmp_path / "none")), "none cannot be read"),
        (("gate", "--record", whole, "--baseline", cut), "is no baseline"),
        (("gate", "--record", whole, "--baseline", other), "a baseline of 'cuda'"),
        (("gate", "--record", whole, "--record", whole), "two records of 'cpu'"),
        (("gate", "--record", whole, "--slower", "0.5"), "'0.5' is no factor from 1 up"),
        (("gate", "--record", whole, "--expect", "none.toml"), "none.toml cannot be read"),
        (("compare", whole, str(tmp_path / "none")), "none cannot be read"),
        (("expect",), "name the records"),
        (("expect", whole, "--check", whole), "--check takes lists"),
        (("expect", whole, "--to", whole), "cannot be read as a list of expectations"),
        (("expect", whole, "--expires", "soon"), "'soon' is no day"),
    ]:
        assert status_of(*arguments) == 2, arguments
        assert said in capsys.readouterr().err
    assert Path(whole).read_text(encoding="utf-8").startswith('{"kind"')


@pytest.mark.parametrize("format", ["terminal", "markdown", "json"])
def test_compare_names_every_kind_of_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    before = written(
        tmp_path / "before.jsonl",
        passing("a.fails"),
        failing("a.passes"),
        failing("a.otherwise"),
        passing("a.gone"),
        passing("a.unsupported"),
        passing("a.slower", seconds=0.1),
        passing("a.same"),
        lacks={"fft": "none yet"},
    )
    after = written(
        tmp_path / "after.jsonl",
        failing("a.fails"),
        passing("a.passes"),
        failing("a.otherwise", what="dtype"),
        passing("a.new"),
        passing("a.unsupported", Verdict.UNSUPPORTED),
        passing("a.slower", seconds=0.5),
        passing("a.same"),
        torch="2.14.0",
        lacks={"out": "gone"},
        whole=False,
    )
    assert status_of("compare", before, after, "--format", format) == 0
    out = capsys.readouterr().out
    for kind in ("newly failing", "newly passing", "changed otherwise", "no longer supported",
                 "capabilities gained", "capabilities lost", "judged before only",
                 "judged after only", "much slower"):  # fmt: skip
        assert (kind.replace(" ", "_") if format == "json" else kind) in out
    assert "cut short" in out
    assert "a.same" not in out
    if format == "json":
        assert json.loads(out)["settings"]["torch"] == {"before": "2.13.0+cpu", "after": "2.14.0"}


def test_expect_writes_a_list_and_keeps_its_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "known.toml"
    record = written(tmp_path / "r.jsonl", failing(), passing(OTHER, Verdict.CRASHED))
    assert status_of("expect", record, "--to", str(path), "--expires", "2027-06-30") == 0
    assert "2 known failures, 2 of them new" in capsys.readouterr().out
    first, second = load([path])
    assert first.when == {"dtype": "int16", "operand.layout": "transposed"}
    assert (first.symptom, first.version) == ("values | at [0] | dtype=int16", ">=2.13")
    assert first.example == EXAMPLE
    assert second.symptom == "crashed"

    path.write_text(path.read_text().replace('reason = ""', 'reason = "why"', 1))
    other = written(tmp_path / "s.jsonl", failing(), failing(dtype="int8"))
    assert status_of("expect", other, "--to", str(path)) == 0
    assert [e.reason for e in load([path])] == ["why", "", ""]
    listed = load([path])[0].describe()
    fixed = passing(verdict=Verdict.FIXED, reason=f"holds now: x ({listed})")
    assert status_of("expect", written(tmp_path / "t.jsonl", fixed), "--to", str(path)) == 0
    assert [e.reason for e in load([path])] == ["", ""]


def test_expect_completes_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = torch.Tensor.__add__
    monkeypatch.setattr(torch.Tensor, "__add__", lambda x, y: right(right(x, y), 1))
    clause = specification()[ID]
    judgement = judge(clause, Backend("cpu"), examples=20, seed=0)
    record = written(tmp_path / "r.jsonl", judgement, examples=20)
    path = str(tmp_path / "known.toml")
    assert status_of("expect", record, "--to", path, "--complete") == 0
    assert capsys.readouterr().err == ""
    known = load([path])
    assert len(known) > 5
    again = judge_expecting(clause, Backend("cpu"), examples=20, seed=0, known=known)
    assert again.verdict is Verdict.KNOWN


def test_expect_checks_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "known.toml"
    entry = "[[expectation]]\nclause='{}'\nbackend='cpu'\nsymptom='values'\nexample='{}'\n"
    text = entry.format("view.none", "{}") + "reason='r'\nissue='i'\nexpires=2020-01-01\n"
    path.write_text(text + entry.format(ID, '{"x": 1}') + entry.format(ID, '{"x": 1}'))
    assert status_of("expect", "--check", str(path)) == 1
    out = capsys.readouterr().out
    for said in ("no such clause", "expired on 2020-01-01", "reason is missing", "draws",
                 "issue is missing", "expires is missing", "says the same"):  # fmt: skip
        assert said in out
    assert status_of("expect", "--check") == 0


def test_from_the_first_failure_to_a_quiet_gate(tenet: Tenet, tmp_path: Path) -> None:
    assert tenet("gate", *CHOSEN, lie=LIE).returncode == 1
    listed = str(tmp_path / "known.toml")
    assert status_of("expect", str(the_record(tmp_path)), "--to", listed) == 0
    done = tenet("gate", *CHOSEN, "--expect", "known.toml", lie=LIE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 known failures" in done.stdout
    assert '"verdict": "known"' in the_record(tmp_path).read_text()


FEW = ("comparison.elementwise", "indexing.sort", ID)
"""Clauses of which each run draws other examples for another seed."""


def verdicts(record: Path) -> list[tuple[Any, ...]]:
    read = read_record(record)
    return [(j.clause, j.verdict, j.examples, j.cases, j.failure) for j in read.judgements]


TWICE = """
import sys
from tenet.harness.cli import main
for seed in "012":
    for turn in ("first", "second"):
        options = ["--suite", "smoke", "--workers", "0", "--seed", seed]
        folder = f"{turn}/{seed}"
        status = main(["gate", "--backend", "cpu", *sys.argv[1:], *options, "--results", folder])
        print("STATUS", seed, status)
"""


def test_the_gate_says_the_same_twice(tmp_path: Path) -> None:
    """docs/ci.md has the command that does this for 100 seeds and the whole of a suite."""
    done = subprocess.run(
        [sys.executable, "-c", TWICE, *(word for id in FEW for word in ("--clause", id))],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith(("STATUS", "PASSES"))]
    passes = "PASSES: cpu, against the specification"
    assert said == [line for seed in "012" for line in [passes, f"STATUS {seed} 0"] * 2], (
        done.stdout + done.stderr
    )
    for seed in "012":
        first, second = (
            verdicts(next(tmp_path.glob(f"{turn}/{seed}/cpu/*.jsonl")))
            for turn in ("first", "second")
        )
        assert first == second
        assert {clause for clause, *_ in first} == set(FEW)
