"""Random programs: what is shown is what runs, and the interpreter's memory by example."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis.strategies import SearchStrategy

from tenet.harness.generation import draws
from tenet.spec.cases import decode, encode
from tenet.spec.cases.programs import Program, built, name_of
from tenet.spec.model.interpreter import MEANING, perform
from tenet.spec.model.machine import Machine, Undefined
from tenet.spec.sections import specification

CLAUSES = [id for id, clause in specification().items() if "program" in clause.strategies]


def _drawn(id: str, count: int) -> list[Program]:
    [strategy] = specification()[id].strategies.values()
    wrapped: SearchStrategy[Any] = strategy.map(lambda program: {"program": program})
    return [drawn["program"] for drawn, _ in islice(draws(wrapped, 3), count)]


@pytest.mark.parametrize("id", CLAUSES)
def test_what_is_shown_is_what_runs(id: str) -> None:
    for program in _drawn(id, 60):
        plan = program.plan()
        tensors = built(torch, "cpu", plan)
        for step in plan.steps:
            result = step.on(torch)(tensors)
            if step.result == len(tensors):
                tensors.append(result)
        shown: dict[str, Any] = {"torch": torch}
        exec(repr(program), shown)
        for i, tensor in enumerate(tensors):
            again = shown[name_of(i)]
            assert again.dtype == tensor.dtype
            assert torch.equal(again, tensor), (repr(program), name_of(i))


@pytest.mark.parametrize("id", CLAUSES)
def test_a_record_holds_a_program(id: str) -> None:
    for program in _drawn(id, 20):
        assert decode(json.loads(json.dumps(encode(program)))) == program


@pytest.mark.parametrize("id", CLAUSES)
def test_most_steps_find_something_to_work_on(id: str) -> None:
    programs = _drawn(id, 300)
    taken = sum(len(program.plan().steps) for program in programs)
    assert taken > 0.7 * sum(len(program.steps) for program in programs)


def test_every_meaning_is_said() -> None:
    taken = {
        step.operation[0] for id in CLAUSES for p in _drawn(id, 1200) for step in p.plan().steps
    }
    assert taken == set(MEANING)


def test_a_write_through_a_view_reaches_the_storage() -> None:
    machine = Machine()
    machine.tensors.append(machine.allocate(np.arange(6).reshape(2, 3), "int64"))
    turned = perform(machine, ("transpose", (0,), ((0, 1),)))
    row = perform(machine, ("index", (turned,), (1,)))
    copy = perform(machine, ("clone", (row,), ()))
    assert perform(machine, ("mul_", (row,), (3,))) == row
    assert machine.read(machine.tensors[0]).tolist() == [[0, 3, 2], [3, 12, 5]]
    assert machine.read(machine.tensors[copy]).tolist() == [1, 4]


def test_what_is_not_documented_changes_nothing() -> None:
    machine = Machine()
    machine.tensors.append(machine.allocate(np.arange(3), "int8"))
    wide = perform(machine, ("expand", (0,), ((2, 3),)))
    for step in (
        ("fill_", (wide,), (1,)),
        ("add_", (0, wide), ()),
        ("mul_", (0,), (2.0,)),
        ("view", (wide,), ((6,),)),
    ):
        with pytest.raises(Undefined):
            perform(machine, step)
    assert len(machine.storages) == 1
    assert machine.storages[0].tolist() == [0, 1, 2]
