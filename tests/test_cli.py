"""The command: exit statuses, messages, and what each of them leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import Tenet

from tenet.harness.cli import main
from tenet.harness.record import read_record
from tenet.harness.verdict import Verdict

CHOSEN = ("run", "--backend", "cpu", "--clause", "comparison.elementwise", "--suite", "smoke")
QUICK = (*CHOSEN, "--workers", "0")


def status_of(*arguments: str) -> int:
    """The exit status of the command, run in this process."""
    try:
        return main(arguments)
    except SystemExit as left:
        return int(left.code or 0)


def the_record(folder: Path) -> Path:
    [path] = (p for p in folder.glob("results/cpu/*.jsonl") if "previous" not in p.name)
    return path


def test_a_backend_that_holds_gives_0_and_a_record(tenet: Tenet, tmp_path: Path) -> None:
    done = tenet(*CHOSEN)
    assert done.returncode == 0, done.stderr
    assert "PASSED" in done.stdout.splitlines()[-1]
    record = read_record(the_record(tmp_path))
    assert [j.verdict for j in record.judgements] == [Verdict.PASSED]
    assert record.header["seed"] == 0
    assert record.header["suite"] == "smoke"
    assert record.footer is not None
    assert record.footer["cases"] == record.judgements[0].cases > 0


def test_a_backend_that_lies_gives_1_and_an_explanation(tenet: Tenet, tmp_path: Path) -> None:
    done = tenet(*QUICK, lie="torch.lt = torch.le")
    assert done.returncode == 1, done.stderr
    assert "FAILED comparison.elementwise [cpu]" in done.stdout
    for part in ("behaviour:", "documented:", "example:", "expected:", "got:", "first at:"):
        assert part in done.stdout
    [judgement] = read_record(the_record(tmp_path)).judgements
    assert judgement.failure is not None
    assert judgement.failure.example


def test_a_worker_that_dies_is_a_verdict_and_the_run_goes_on(tenet: Tenet, tmp_path: Path) -> None:
    chosen = ("--clause", "comparison.isclose*", "--clause", "comparison.elementwise")
    lie = "import os; torch.isclose = lambda *a, **k: os.kill(os.getpid(), 11)"
    done = tenet("run", "--backend", "cpu", *chosen, "--suite", "smoke", "--workers", "1", lie=lie)
    assert done.returncode == 1, done.stderr
    record = read_record(the_record(tmp_path))
    verdicts = {j.clause: j.verdict for j in record.judgements}
    assert Verdict.CRASHED in verdicts.values()
    assert verdicts["comparison.elementwise"] is Verdict.PASSED
    assert record.footer is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--backend", "cup"), "unknown backend 'cup'; did you mean cpu?"),
        (("--suite", "cor"), "unknown suite 'cor'; did you mean core?"),
        (("--clause", "comparison.elementwize"), "did you mean comparison.elementwise"),
        (("--clause", "zzz*"), "unknown clause 'zzz*'"),
        (("--examples", "0"), "'0' is not a whole number from 1 up"),
        (("--seed", "-1"), "'-1' is not a whole number from 0 up"),
        (("--workers", "two"), "'two' is not a whole number from 0 up"),
        (("--backend", "meta", "--clause", "comparison.elementwise"), "nothing to run on meta"),
        (("--results", "/dev/null/x"), "choose another folder with --results"),
    ],
)
def test_bad_usage_gives_2_and_names_the_value(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of("run", *arguments) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("results/**/*.jsonl"))


def test_what_is_no_record_is_not_overwritten(tenet: Tenet, tmp_path: Path) -> None:
    path = tmp_path / "results" / "cpu" / f"{torch.__version__}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("somebody's notes\n", encoding="utf-8")
    done = tenet(*QUICK)
    assert done.returncode == 2
    assert "is no record" in done.stderr
    assert path.read_text(encoding="utf-8") == "somebody's notes\n"


def test_the_record_before_is_kept(tenet: Tenet, tmp_path: Path) -> None:
    tenet(*QUICK)
    before = the_record(tmp_path).read_text(encoding="utf-8")
    tenet(*QUICK, "--seed", "1")
    [kept] = tmp_path.glob("results/cpu/*.previous.jsonl")
    assert kept.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("torch.__version__ = '1.13.1'", "the oldest supported release is 2.6"),
        ("import sys; sys.modules['torch'] = None", "torch cannot be imported"),
    ],
)
def test_a_torch_that_cannot_be_used_gives_3(tenet: Tenet, lie: str, said: str) -> None:
    done = tenet(*QUICK, lie=lie)
    assert done.returncode == 3
    assert said in done.stderr


def test_list_names_what_would_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(*QUICK, "--list") == 0
    assert capsys.readouterr().out.split() == ["comparison.elementwise[cpu]"]


def test_help_needs_nothing_heavy() -> None:
    program = (
        "import sys, tenet.harness.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'hypothesis', 'pytest', 'rich'} & set(sys.modules)\n"
        "raise SystemExit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_spec_prints_statements_with_their_clauses(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("spec") == 0
    text = capsys.readouterr().out
    assert "[dlnotes.comparisons;" in text
    assert "checked by comparison.elementwise" in text


def test_spec_shows_one_clause_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("spec", "comparison.elementwise") == 0
    assert "@clause(" in capsys.readouterr().out
    assert status_of("spec", "comparison.elementwize") == 2
    assert "did you mean comparison.elementwise" in capsys.readouterr().err


def test_spec_lists_what_no_clause_covers(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("spec", "--uncovered") == 0
    assert capsys.readouterr().out == ""
