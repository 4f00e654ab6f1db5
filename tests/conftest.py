"""What the tests of the harness share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis.strategies import SearchStrategy

from tenet.spec.language import Clause

COMMAND = "from tenet.harness.cli import main; raise SystemExit(main())"
Tenet = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure() -> None:
    """A shell that starts a job in the background lets it, and whatever it starts, ignore
    interrupts: here some are sent."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def a_clause(
    check: Callable[..., None],
    requires: Iterable[str] = (),
    *,
    staged: bool = False,
    **drawn: SearchStrategy[Any],
) -> Clause:
    """A clause of no section, with what the test at hand asks of it."""
    return Clause(
        id="test.clause",
        says="",
        covers=(),
        requires=frozenset(requires),
        metadata_only=False,
        effort=1.0,
        thorough=False,
        staged=staged,
        strategies=MappingProxyType(drawn),
        check=check,
        module=__name__,
        line=1,
    )


@pytest.fixture
def tenet(tmp_path: Path) -> Tenet:
    """Runs the command in an empty folder: tenet("run", "--suite", "smoke", lie="...").

    lie: Python code that every process of the run executes as it starts, with `torch` imported:
    the way to make the backend faulty without telling the suite.
    """

    def run(*arguments: str, lie: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        if lie:
            folder = tmp_path / "site"
            folder.mkdir(exist_ok=True)
            (folder / "sitecustomize.py").write_text(f"import torch\n{lie}\n", encoding="utf-8")
            environment["PYTHONPATH"] = str(folder)
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
