"""Modes: clauses whose programs are compiled first, and what did not run where it was asked to."""

from __future__ import annotations

import os
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import a_clause

from tenet.harness.backend import Backend, resolve
from tenet.harness.compiling import Compiling, _gold
from tenet.harness.errors import UsageError
from tenet.harness.expectation import Expectation
from tenet.harness.expecting import judge_expecting
from tenet.harness.judge import judge
from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.script import ends, script, traced
from tenet.harness.staging import Residence
from tenet.harness.suite import SUITES, select
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.language import assert_equal, assert_raises, case, compiles, staged
from tenet.spec.sections import specification

CAPTURED: list[Any] = []


def _liar(module: Any, inputs: Any) -> Callable[..., Any]:
    """Compiles each program into one whose floating-point results are one more."""
    CAPTURED.append(module)

    def run(*tensors: Any) -> Any:
        parts = module(*tensors)
        return tuple(part + 1 if part.is_floating_point() else part for part in parts)

    return run


def _plain(module: Any, inputs: Any) -> Callable[..., Any]:
    """Compiles nothing: the captured operations, one by one."""
    CAPTURED.append(module)
    run: Callable[..., Any] = module.forward
    return run


def _forgetful(module: Any, inputs: Any) -> Callable[..., Any]:
    """Compiles each program into one that writes to copies of what it is given."""
    return lambda *tensors: module(*(tensor.clone() for tensor in tensors))


COMPILERS = {"tenet_liar": _liar, "tenet_plain": _plain, "tenet_forgetful": _forgetful}


@pytest.fixture(autouse=True)
def compilers() -> None:
    CAPTURED.clear()
    for name, compiler in COMPILERS.items():
        if name not in torch._dynamo.list_backends(exclude_tags=None):
            torch._dynamo.register_backend(compiler_fn=compiler, name=name)


def of_mode(mode: str) -> Backend:
    [backend] = resolve([f"cpu+{mode}"])
    return backend


def judged(check: Callable[..., None], mode: str) -> Judgement:
    return judge(a_clause(check, staged=True), of_mode(mode), examples=10, seed=0)


def test_a_name_says_device_and_compiler() -> None:
    backend = of_mode("aot_eager")
    assert (backend.name, backend.device, backend.mode) == ("cpu+aot_eager", "cpu", "aot_eager")
    assert "double-backward" in backend.lacks
    assert backend.thrift > 1


def test_an_unknown_compiler_is_named_with_its_neighbours() -> None:
    with pytest.raises(UsageError, match=r"inductr.*inductor"):
        resolve(["cpu+inductr"])


def test_only_clauses_with_programs_are_asked() -> None:
    selected = select(specification(), SUITES["core"], [], [of_mode("aot_eager")], named=True)
    assert {clause.staged for clause, _ in selected} == {True}
    sections = {clause.section for clause, _ in selected}
    assert {"elementwise", "matmul", "view", "program"} <= sections
    with pytest.raises(UsageError, match="compiles programs"):
        select(specification(), SUITES["core"], ["data.*"], [of_mode("aot_eager")], named=True)


def test_eager_mode_compiles_nothing() -> None:
    def check(torch: Any, device: str) -> None:
        program = lambda x: x + 1  # noqa: E731 - the very function is asked for
        assert staged(program) is program
        assert_equal(compiles(), False)

    assert judge(a_clause(check), Backend("cpu"), examples=1, seed=0).verdict is Verdict.PASSED


def test_programs_are_compiled() -> None:
    def check(torch: Any, device: str) -> None:
        x = torch.ones(3)
        assert_equal(staged(lambda x: x * 2)(x), np.full(3, 2, np.float32))
        assert_equal(compiles(), True)

    assert judged(check, "tenet_plain").verdict is Verdict.PASSED
    assert len(CAPTURED) == 1
    assert judged(check, "tenet_liar").verdict is Verdict.FAILED


@pytest.mark.parametrize("gets_on", [True, False])
def test_what_is_compiled_is_linked_by_gold(
    gets_on: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where it is there, the compiler gets on with it, and nobody has chosen another."""
    for name in ("ld.gold", "g++"):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {0 if gets_on else 1}\n")
        (tmp_path / name).chmod(0o755)
    seen: list[str | None] = []

    def check(torch: Any, device: str) -> None:
        folder = os.environ.get("COMPILER_PATH")
        there = folder is not None and os.path.isdir(folder)
        seen.append(os.path.realpath(f"{folder}/ld") if there else folder)
        assert_equal(staged(lambda x: x * 2)(torch.ones(3)), np.full(3, 2, np.float32))

    def look() -> None:
        _gold.cache_clear()
        assert judged(check, "tenet_plain").verdict is Verdict.PASSED

    monkeypatch.delenv("COMPILER_PATH", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    look()
    assert "COMPILER_PATH" not in os.environ
    monkeypatch.setenv("COMPILER_PATH", "chosen")
    look()
    monkeypatch.delenv("COMPILER_PATH")
    (tmp_path / "ld.gold").unlink()
    look()
    _gold.cache_clear()
    assert seen == [os.path.realpath(tmp_path / "ld.gold") if gets_on else None, "chosen", None]


def test_one_compilation_serves_every_length() -> None:
    def check(torch: Any, device: str) -> None:
        program = staged(lambda x: x * 2)
        for length in range(2, 30):
            assert_equal(program(torch.ones(length)), np.full(length, 2, np.float32))

    assert judged(check, "tenet_plain").verdict is Verdict.PASSED
    assert len(CAPTURED) == 2  # of one length, then of any


def test_a_program_for_any_length_is_compiled_once() -> None:
    def check(torch: Any, device: str) -> None:
        program = staged(lambda x: x * 2, any_length=True)
        for length in range(2, 30):
            assert_equal(program(torch.ones(length)), np.full(length, 2, np.float32))

    assert judged(check, "tenet_plain").verdict is Verdict.PASSED
    assert len(CAPTURED) == 1


def test_no_program_is_left_to_eager_mode_for_being_one_of_many() -> None:
    def check(torch: Any, device: str) -> None:
        for number in range(30):
            program = staged(lambda x, number=number: x * number)
            assert_equal(program(torch.ones(3)), np.full(3, number, np.float32))

    assert judged(check, "tenet_plain").verdict is Verdict.PASSED
    assert len(CAPTURED) == 30


def test_what_cannot_be_captured_runs_and_is_told() -> None:
    def check(torch: Any, device: str) -> None:
        def program(x: Any) -> Any:
            return x * int(x.sum().item()) if x.sum() > 0 else x

        assert_equal(staged(program)(torch.ones(3)), np.full(3, 3, np.float32))

    judgement = judged(check, "tenet_plain")
    assert judgement.verdict is Verdict.PASSED
    assert [reason.partition(":")[0] for reason in judgement.elsewhere] == ["graph break"]


def test_an_error_of_eager_mode_is_raised() -> None:
    def check(torch: Any, device: str) -> None:
        assert_raises(staged(lambda x, y: x @ y), torch.ones(2, 3), torch.ones(2, 3))
        assert_equal(staged(lambda x: x @ x)(torch.ones(1, 1)), np.ones((1, 1), np.float32))

    judgement = judged(check, "tenet_plain")
    assert (judgement.verdict, judgement.elsewhere) == (Verdict.PASSED, [])


@pytest.mark.parametrize(
    "id", ["elementwise.exp.value", "elementwise.add.forms", "reduction.sum.value",
           "elementwise.sigmoid.value", "program.functional"],
)  # fmt: skip
def test_a_wrong_compiler_is_found(id: str) -> None:
    clause = specification()[id]
    right = judge(clause, of_mode("tenet_plain"), examples=60, seed=0)
    assert right.verdict is Verdict.PASSED, right
    found = judge(clause, of_mode("tenet_liar"), examples=250, seed=0)
    assert found.verdict is Verdict.FAILED, found


@pytest.mark.parametrize(
    "id", ["elementwise.add.forms", "view.transpose.aliasing", "program.views-and-writes"]
)
def test_a_compiler_that_loses_writes_is_found(id: str) -> None:
    found = judge(specification()[id], of_mode("tenet_forgetful"), examples=60, seed=0)
    assert found.verdict is Verdict.FAILED, found


def test_what_eager_mode_is_known_to_fail_is_known_of_every_mode() -> None:
    def check(torch: Any, device: str) -> None:
        for wrong in (7, 8):
            with case(number=wrong):
                assert_equal(staged(lambda x: x + 1)(torch.ones(1)), np.full(1, wrong, np.float32))

    known = [
        Expectation("test.clause", "cpu", "values", when={"number": str(wrong)}, example={})
        for wrong in (7, 8)
    ]
    clause, backend = a_clause(check, staged=True), of_mode("tenet_plain")
    whole = judge_expecting(clause, backend, examples=1, seed=0, known=known)
    assert (whole.verdict, whole.excused) == (Verdict.KNOWN, 2), whole
    part = judge_expecting(clause, backend, examples=1, seed=0, known=known[:1])
    assert part.verdict is Verdict.FAILED


def test_results_on_another_device_are_told() -> None:
    seen: dict[str, None] = {}
    residence = Residence(torch, "meta", seen)
    residence(lambda x: (x, x.to("meta")))(torch.ones(2))
    assert list(seen) == ["a result lies on cpu"]


def test_operations_that_fall_back_are_told() -> None:
    seen: dict[str, None] = {}
    Residence(torch, "cpu", seen)(lambda x: torch.ops.aten._to_cpu([x])[0])(torch.ones(2))
    assert [text.endswith("fell back to the CPU") for text in seen] == [True]
    seen.clear()
    Residence(torch, "cpu", seen)(lambda x: x.sin().cpu())(torch.ones(2))
    assert not seen


def test_a_program_that_is_no_function_is_compiled_too() -> None:
    add = types.SimpleNamespace(call=torch.add)
    compiled = Compiling(torch, "tenet_plain", {})(add.call)
    assert compiled(torch.ones(2), torch.ones(2)).tolist() == [2, 2]
    assert len(CAPTURED) == 1


@pytest.mark.parametrize(
    ("compiler", "clause"),
    [
        (_liar, "elementwise.neg.value"),
        (_liar, "elementwise.neg.forms"),
        (_forgetful, "elementwise.add.forms"),
        (_forgetful, "program.views-and-writes"),
    ],
)
def test_a_failure_is_shown_by_a_script_that_compiles_it(
    compiler: Callable[..., Any], clause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = f"tenet{compiler.__name__}"
    backend = of_mode(mode)
    failure = judge(specification()[clause], backend, examples=250, seed=0).failure
    assert failure is not None
    with pytest.raises(UntraceableError, match="a package of its own"):
        traced(specification()[clause], backend, failure)
    monkeypatch.setattr(compiler, "__module__", "torch.one_of_its_own")
    text = script(specification()[clause], backend, failure)
    assert f"backend='{mode}'" in text
    assert "It needs Tenet" not in text
    assert ends(text, backend) == 1
    assert ends(text.replace(mode, "tenet_plain"), backend) == 0
