"""The GitHub action: its shell steps, run as a runner would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMAND = "from tenet.harness.cli import main; raise SystemExit(main())"


def gate_step() -> str:
    """The script of the last step. (No YAML parser is among the dependencies.)"""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    return textwrap.dedent(text.rpartition("run: |\n")[2])


def run_step(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    tenet = folder / "bin" / "tenet"
    tenet.parent.mkdir(exist_ok=True)
    tenet.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{COMMAND}" "$@"\n')
    tenet.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tenet.parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(("BASELINE", "EXPECT"), ""),
        **{"BACKEND": "cpu", "SUITE": "smoke", "STRICT": "false", "RESULTS": "my results"},
        **inputs,
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", gate_step()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_action_passes_status_and_reports_on(tmp_path: Path) -> None:
    record = tmp_path / "my results" / "cpu" / "2.0.jsonl"
    record.parent.mkdir(parents=True)
    record.write_text((ROOT / "results/cpu/2.13.0+cpu.jsonl").read_text(encoding="utf-8"))
    done = run_step(tmp_path, BACKEND="none; touch hacked")  # ends before it judges anything
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "hacked").exists()
    assert (tmp_path / "my results" / "report.html").exists()
    assert (tmp_path / "my results" / "junit.xml").exists()
    assert "| section |" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (tmp_path / "output").read_text() == "report=my results/report.html\n"


def test_without_a_record_the_status_still_counts(tmp_path: Path) -> None:
    done = run_step(tmp_path, SUITE="none")
    assert done.returncode == 2
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("name", re.findall(r"\$([A-Z_]+)", gate_step()))
def test_every_variable_is_an_input(name: str) -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    known = name.startswith("GITHUB_") or f"{name}: ${{{{ inputs.{name.lower()} }}}}" in text
    assert known
