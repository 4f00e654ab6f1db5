"""Scripts that show a failure: they fail on the backend that lies, and hold on stock."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from conftest import Tenet
from hypothesis.strategies import fixed_dictionaries
from records import failing, passing, written
from test_cli import status_of, the_record

from tenet.harness.audit.catalogue import mutants
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.power import known_power
from tenet.harness.backend import Backend
from tenet.harness.expectation import load, shipped
from tenet.harness.generation import draws, seed_for
from tenet.harness.judge import judge
from tenet.harness.repro.carrying import carried
from tenet.harness.repro.literals import UntraceableError, literal, placed
from tenet.harness.repro.script import carrying, ends, script, traced
from tenet.harness.verdict import Failure
from tenet.spec.cases import encode
from tenet.spec.sections import specification

SLOW = ("compile", "device", "environment", "logging", "performance")
"""Sections whose failures are of a process or take long to show; a process runs them elsewhere."""
HEAVY = ("nn.gradients", "nn.gradients-of-views")
"""Clauses that take half a minute to shrink."""
HARD = (
    "aliasing.numpy-copies",
    "numpy.from-numpy-copies-arrays-that-are-not-contiguous",
    "numpy.from-numpy-copies-arrays-that-run-backwards-along-the-last-dimension",
    "random.normal-repeats",
    "random.the-switch-stays-off",
)
"""Their scripts once failed on stock: addresses, strides, counts of samples, what is undone."""


def failing_on_stock() -> set[str]:
    """Clauses that stock fails: their scripts fail there as well."""
    return {entry.clause for entry in load(shipped("cpu"))}


@cache
def sample() -> list[Mutant]:
    """A mutant of each kind and section, and those that were hard."""
    asked = specification().keys() - {*failing_on_stock(), *HEAVY}
    kinds: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants().values():
        named = mutant.likely or known_power().killers(mutant.name)
        fit = named and named[0] in asked
        if fit and not mutant.needs and mutant.sections[0] not in SLOW:
            kinds.setdefault((mutant.origin, mutant.category), []).append(mutant)
    some = {every[len(every) // 2].name for every in kinds.values()}
    return [mutants()[name] for name in sorted(some | {*HARD})]


def tried(mutant: Mutant) -> str:
    clause = specification()[(mutant.likely or known_power().killers(mutant.name))[0]]
    with mutant.active() as backend:
        failure = judge(clause, backend, examples=30, seed=0).failure
        if failure is None or failure.example is None:
            return "not caught by so few examples"
        text = script(clause, backend, failure)
        if "It needs Tenet because" in text:
            return text.partition("It needs Tenet because")[2].partition("import json")[0]
        assert ends(text, backend) == 1, mutant.name
        assert "tenet." not in text.partition('"""\n')[2]
    assert ends(text, Backend("cpu")) == 0, f"{mutant.name}\n{text}"
    return "carries the check" if "this is the check itself" in text else "calls alone"


@pytest.mark.parametrize("part", range(4))
def test_scripts_fail_on_the_lie_and_hold_on_stock(part: int) -> None:
    outcomes = Counter(map(tried, sample()[part::4]))
    alone, carry = outcomes.pop("calls alone"), outcomes.pop("carries the check")
    assert alone > carry > 0
    # Nothing needs Tenet.
    assert not outcomes.keys() - {"not caught by so few examples"}, outcomes


def test_the_sample_has_mutants_of_every_origin() -> None:
    assert {mutant.origin for mutant in sample()} == {m.origin for m in mutants().values()}


@pytest.mark.parametrize("part", range(4))
def test_a_check_that_is_cut_out_holds_on_stock(part: int) -> None:
    """Every name that it needs has come along, whatever else has that name."""
    backend, known = Backend("cpu"), failing_on_stock()
    chosen = [
        clause
        for clause in specification().values()
        if clause.section not in SLOW and clause.id not in known
        and backend.lacking(clause) == {} and crc32(clause.id.encode()) % 100 == part
    ]  # fmt: skip
    assert len(chosen) > 15
    for clause in chosen:
        example: dict[str, Any] = {}
        if clause.strategies:
            strategy = fixed_dictionaries(dict(clause.strategies))
            drawn, _ = next(draws(strategy, seed_for(1, clause.id), simplest=False))
            example = {name: encode(value) for name, value in drawn.items()}
        failure = Failure("values", "1", "2", None, example=example)
        assert ends(carried(clause, backend, failure, "torch"), backend) == 0, clause.id


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
    for items in (["a", "bc"], [None, 1.5], np.array(["2020-02-03"], dtype="M8[D]")):
        array = np.array(items)
        again = eval(literal(array), {"np": np})
        assert (again.dtype, again.tolist()) == (array.dtype, array.tolist())
    with pytest.raises(UntraceableError):
        literal(torch)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1],
        lambda a: a[1::2],
        lambda a: a.reshape(4, 6).T,
        lambda a: a.reshape(4, 6)[::-2, 1::2],
        lambda a: np.broadcast_to(a[3], (2, 3)),
    ],
)
def test_arrays_that_go_in_lie_as_they_lay(view: Callable[[np.ndarray], np.ndarray]) -> None:
    array = view(np.arange(24, dtype="int16"))
    again = eval(placed(array), {"np": np})
    assert (again.strides, again.tolist()) == (array.strides, array.tolist())


def test_what_the_backend_gave_is_no_expectation() -> None:
    """The check counts what it reads, and expects that count: only the check can tell."""
    clause = specification()["random.in-place"]
    with mutants()["random.normal-repeats"].active() as backend:
        failure = judge(clause, backend, examples=30, seed=0).failure
        assert failure is not None
        with pytest.raises(UntraceableError, match="depends on what the backend gave"):
            traced(clause, backend, failure)
        assert ends(carrying(clause, backend, failure), backend) == 1


def test_what_a_call_gives_back_is_not_taken_for_its_operand() -> None:
    """cat of one list gives its first item here: on stock that item is no result of cat."""
    clause = specification()["capability.bool"]
    with mutants()["capability.bool-cannot-be-joined"].active() as backend:
        failure = judge(clause, backend, examples=30, seed=0).failure
        assert failure is not None
        with pytest.raises(UntraceableError, match="gave back what it was given"):
            traced(clause, backend, failure)
