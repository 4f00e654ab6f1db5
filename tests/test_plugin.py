"""The same by pytest: one item for each clause and backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tenet.harness.record import read_record


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--pyargs",
            "tenet.suites",
            "--suite",
            "smoke",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_items_are_named_after_clause_and_backend(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path, "--backend", "cpu", "--clause", "comparison.*", "--collect-only", "-q"
    )
    assert "::comparison.elementwise[cpu]" in done.stdout


def test_a_session_judges_and_records(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path, "--backend", "cpu", "--clause", "comparison.elementwise", "--results", "here"
    )
    assert done.returncode == 0, done.stdout
    [path] = tmp_path.glob("here/cpu/*.jsonl")
    assert read_record(path).footer is not None


def test_nothing_is_recorded_unless_asked_for(tmp_path: Path) -> None:
    run_pytest(tmp_path, "--backend", "cpu", "--clause", "comparison.elementwise")
    assert not list(tmp_path.rglob("*.jsonl"))


def test_an_unknown_backend_ends_the_session_with_its_name(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--backend", "cup")
    assert done.returncode == 2
    assert "unknown backend 'cup'" in done.stdout
