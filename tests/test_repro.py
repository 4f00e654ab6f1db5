"""Scripts that show a failure: they fail on the backend that lies, and hold on stock."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Tenet
from records import failing, passing, written
from test_cli import status_of, the_record
from test_miniatures import MINIATURES

from tenet.harness.audit.miniature import Miniature
from tenet.harness.backend import Backend
from tenet.harness.judge import judge
from tenet.harness.repro.literals import UntraceableError, literal
from tenet.harness.repro.script import ends, script, traced
from tenet.spec.sections import specification

SECTIONS = ("creation", "elementwise", "reduction", "shape", "view", "indexing", "inplace",
            "comparison", "matmul", "broadcasting", "promotion", "attributes")  # fmt: skip
SOME = [m for m in MINIATURES if m.caught_by.partition(".")[0] in SECTIONS and not m.needs][::25]


def tried(miniature: Miniature) -> str:
    clause = specification()[miniature.caught_by]
    with miniature.told() as backend:
        failure = judge(clause, backend, examples=60, seed=0).failure
        if failure is None:
            return "not caught by so few examples"
        try:
            text = traced(clause, backend, failure)
        except UntraceableError:
            assert "It needs Tenet because" in script(clause, backend, failure)
            return "needs Tenet"
        assert ends(text, backend) == 1
        assert "tenet." not in text.partition('"""\n')[2]
    assert ends(text, Backend("cpu")) == 0, text
    return "stands alone"


def test_scripts_fail_on_the_lie_and_hold_on_stock() -> None:
    outcomes = Counter(map(tried, SOME))
    assert outcomes["stands alone"] > 3 * outcomes["needs Tenet"], outcomes


def test_a_script_stands_in_the_record_and_runs_alone(tenet: Tenet, tmp_path: Path) -> None:
    lie = "torch.lt = lambda x, y, **k: torch.le(x, y, **k)"
    chosen = ("--backend", "cpu", "-k", "comparison.elementwise", "--suite", "smoke")
    assert tenet("run", *chosen, "--workers", "0", lie=lie).returncode == 1
    record = str(the_record(tmp_path))
    path = tmp_path / "shows.py"
    assert status_of("repro", record, "comparison.elementwise", "--to", str(path)) == 0
    assert status_of("repro", record, "comparison.elementwise", "--to", str(path)) == 2

    def run(folder: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(path)],
            env={"PYTHONPATH": folder},
            capture_output=True,
            text=True,
        )

    held = run("")
    assert (held.returncode, held.stdout.splitlines()[-1]) == (0, "it holds"), held.stderr
    failed = run(str(tmp_path / "site"))
    assert failed.returncode == 1, failed.stderr
    assert "FAILS: values" in failed.stdout


def test_what_has_no_script_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = written(tmp_path / "r.jsonl", failing(), passing("view.copies"))
    assert status_of("repro", record, "view.copies") == 2
    assert "is passed there" in capsys.readouterr().err
    assert status_of("repro", record, "elementwise.number-operan") == 2
    assert "did you mean elementwise.number-operand" in capsys.readouterr().err


def test_a_failure_that_does_not_repeat_gets_a_script_that_needs_tenet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = written(tmp_path / "r.jsonl", failing())
    assert status_of("repro", record, "elementwise.number-operand") == 0
    text = capsys.readouterr().out
    assert "It needs Tenet because" in text
    compile(text, "script", "exec")
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # stock holds


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "uint8", "bool"])
@pytest.mark.parametrize("count", [0, 1, 7, 2000])
def test_literals_give_every_bit_back(dtype: str, count: int) -> None:
    bits = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 256, (count, 8))
    array = bits.astype(np.uint8).view(dtype)
    names = {"np": np, **{name: __import__(name) for name in ("base64", "zlib")}}
    again = eval(literal(array), names)
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    numbers = array == array
    assert (again[numbers].tobytes(), (again == again).tolist()) == (
        array[numbers].tobytes(),
        numbers.tolist(),
    )


def test_literals_of_plain_data() -> None:
    for value in (-0.0, 1 + 0j, complex(-0.0, float("inf")), (1,), [()], {"a": None}, ..., "x"):
        assert repr(eval(literal(value), {"np": np})) == repr(value)
    with pytest.raises(UntraceableError):
        literal(torch)
