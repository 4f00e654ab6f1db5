"""Programs: several operations one after another, on tensors that may share memory.

Each operation has clauses of its own; here they meet. A program of a few random steps runs on
the backend and on the interpreter of `model.interpreter`, whose memory is a flat array for each
storage, and every tensor that is left has to hold what the interpreter holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import tensor_of
from tenet.spec.cases.operations import CASTS, NEW, TURNS, VIEWS, WRITES
from tenet.spec.cases.programs import Plan, Program, built, name_of, programs
from tenet.spec.cases.scenes import lies
from tenet.spec.cases.successions import (
    CHANGES,
    IDLE,
    OF_ANY_RANK,
    OF_ARRAYS,
    OF_FLOATS,
    OF_MASKS,
    OF_MATRICES,
    OF_NUMBERS,
    OF_PLACES,
    Array,
    Change,
    Say,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_same_object,
    case,
    clause,
    compiles,
    for_all,
    has,
    read,
    staged,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, FORMATS, category, numpy_dtype
from tenet.spec.model.interpreter import run
from tenet.spec.model.machine import Machine
from tenet.spec.model.tolerance import Bound

FUNCTIONAL = (*NEW, *VIEWS)
WRITING = (*VIEWS, *WRITES, *WRITES, *WRITES, *TURNS, *NEW)
MIXED = (*NEW, *CASTS, *WRITES, *CASTS, "index", "transpose", "reshape", "expand", "contiguous")

SAME = st.sampled_from([(name,) for name in ALL])
PAIRS = [
    (a, b)
    for a in ALL
    for b in ALL
    # Within a category there is more to get wrong.
    for _ in range(2 if category(a) == category(b) else 1)
    if a != b
]


Calls = tuple[Say, ...]
Echo = tuple[int, Any]
"""A result that is, or at least shows, a tensor that was there before: which, and the result."""


def _taken(torch: Any, plan: Plan, tensors: list[Any]) -> list[Echo]:
    """Every step on the backend; what a step returns joins the tensors, or is one of them.

    Which object a compiled program returns is not documented, so there it is enough that what
    should be a tensor holds what that tensor holds: these results are given back.
    """
    if compiles() and plan.steps:
        results = iter(staged(_whole(torch, plan))(*tensors))
    else:
        results = (step.on(torch)(tensors) for step in plan.steps)  # each when it is asked for
    echoes: list[Echo] = []
    for step in plan.steps:
        with case(step=step):
            result = next(results)
            if step.result == len(tensors):
                tensors.append(result)
            elif compiles():
                echoes.append((step.result, result))
            else:
                assert_same_object(result, tensors[step.result])
    return echoes


def _whole(torch: Any, plan: Plan) -> Callable[..., list[Any]]:
    """The steps as one program: of the tensors that it starts from, to the result of each."""
    steps = [(step.on(torch), step.result) for step in plan.steps]

    def program(*given: Any) -> list[Any]:
        tensors, results = list(given), []
        for step, result in steps:
            results.append(step(tensors))
            if result == len(tensors):
                tensors.append(results[-1])
        return results

    return program


def _hold(machine: Machine, tensors: list[Any], echoes: list[Echo]) -> None:
    """Every tensor has the dtype, shape and elements of the interpreter's."""
    for i, got in [*enumerate(tensors), *echoes]:
        with case(tensor=name_of(i)):
            # What 0 * -1 gives is no question of memory.
            assert_equal(got, machine.read(machine.tensors[i]), signed_zero=False)


def _lie(machine: Machine, tensors: list[Any]) -> None:
    """Tensors with documented strides have them, and start where they have to in their storage."""
    roots: dict[int, Any] = {}
    for i, (got, held) in enumerate(zip(tensors, machine.tensors, strict=True)):
        root = roots.setdefault(held.storage, got)
        if held.placed and got is not root:
            with case(tensor=name_of(i)):
                lies(got, held.geometry, root)


def _overwritten(torch: Any, device: str, machine: Machine, tensors: list[Any]) -> None:
    """Write other elements into each storage, by the first tensor that shows it."""
    met: set[int] = set()
    for i, held in enumerate(machine.tensors):
        if held.storage not in met:
            met.add(held.storage)
            old = machine.read(held)
            places = np.arange(old.size).reshape(old.shape)
            new = ~old if old.dtype == bool else (40 + (places + 13 * i) % 60).astype(old.dtype)
            machine.store(held, new)
            tensors[i].copy_(tensor_of(torch, device, new))


def _runs(torch: Any, device: str, program: Program, *, writes: bool) -> None:
    plan = program.plan()
    if [*supported(sorted({*plan.machine.dtypes}))] != sorted({*plan.machine.dtypes}):
        return
    tensors = built(torch, device, plan)
    echoes = _taken(torch, plan, tensors)
    _hold(plan.machine, tensors, echoes)
    if writes:
        _lie(plan.machine, tensors)
        _overwritten(torch, device, plan.machine, tensors)
        with case(then="every storage is overwritten"):
            _hold(plan.machine, tensors, echoes)


@clause(
    "program.functional",
    covers=["minicourse.out-of-place", "notes.layout-independence", "notes.stride-rule"],
    effort=3,
    staged=True,
)
@for_all(program=programs(FUNCTIONAL, SAME))
def steps_without_writes_compose(torch: Any, device: str, program: Program) -> None:
    """Operations that write to no operand compose: each result depends on the elements of its
    operands only, however these came to lie in memory, and all operands keep their elements."""
    _runs(torch, device, program, writes=False)


@clause(
    "program.views-and-writes",
    covers=[
        "notes.view-operations", "notes.maybe-view", "notes.copies", "notes.stride-rule",
        "minicourse.view-shares", "basics.clone", "basics.inplace-underscore", "basics.add-out",
        "notes.index-put",
    ],
    requires={"views", "in-place", "out"},
    effort=6,
    staged=True,
)  # fmt: skip
@for_all(program=programs(WRITING, SAME))
def a_write_is_seen_by_whoever_shares_the_memory_and_nobody_else(
    torch: Any, device: str, program: Program
) -> None:
    """A write through any tensor is seen at once, and later, by all that show the same elements
    of the same storage, and by nothing else; an operation in place returns its operand."""
    _runs(torch, device, program, writes=True)


@clause(
    "program.mixed-dtypes",
    covers=[
        "minicourse.mixed-dtypes-promote", "notes.promotion-inplace", "notes.promotion-priority",
    ],
    requires={"views", "in-place", "out"},
    effort=5,
    staged=True,
)  # fmt: skip
@for_all(program=programs(MIXED, st.sampled_from(PAIRS), inputs=2))
def promoted_results_go_on_as_operands(torch: Any, device: str, program: Program) -> None:
    """A result of mixed dtypes has the promoted one and is an operand like any other; a write
    in place, through a view or to out= keeps the dtype of its target."""
    _runs(torch, device, program, writes=True)


GRADED = (
    "mul", "add", "index", "set-tensor", "add-number", "transpose", "sub", "add_", "copy_",
    "select", "mul-number", "set-number", "expand", "add-at", "clone", "reshape", "sum-all", "sum",
    "narrow", "cat", "permute", "stack", "fill-own", "where-greater", "diagonal", "flatten", "sub_",
    "fill_", "unsqueeze", "squeeze", "unbind", "chunk", "cumsum", "neg", "neg_", "mul-n", "rsub",
    "take-rows", "flip", "repeat", "add-scaled", "contiguous", "fill-where", "mT", "movedim",
    "mul", "mul", "set-tensor", "add_", "clone", "clone", "copy_",
)  # fmt: skip


@cache
def _weights(shape: tuple[int, ...], which: int) -> np.ndarray:
    """Small whole numbers by which the elements of a tensor count in the loss."""
    places = np.arange(prod(shape)).reshape(shape)
    return np.asarray((1 + (places * 3 + which) % 7).astype(np.float64))


def _loss(machine: Machine) -> complex:
    return sum(
        complex((machine.read(held) * _weights(held.shape, i)).sum())
        for i, held in enumerate(machine.tensors)
        if machine.dtype(held) == "float64"
    )


STEP = 2.0**-300
"""An imaginary part so small that its square vanishes beside any number: then the derivative
comes out exact."""


def _slope(plan: Plan, leaf: int, at: int) -> float:
    """The derivative of the loss by one element of a leaf."""
    machine = Machine(complex_step=True)
    for source in plan.sources:
        machine.tensors.append(machine.allocate(source.arrangement.base, "float64"))
        if source.input != source.base:
            machine.tensors.append(machine.viewed(source.base, source.arrangement.steps))
    machine.storages[leaf][at] += STEP * 1j
    run(machine, [step.operation for step in plan.steps])
    return _loss(machine).imag / STEP


@clause(
    "program.gradient",
    covers=["notes.view-gradient", "notes.numeric-gradient", "notes.broadcast-gradient"],
    requires={"autograd", "views", "in-place", "float64"},
    effort=2,
    staged=True,
)
@for_all(program=programs(GRADED, st.just(("float64",)), graded=True))
def gradients_flow_through_whole_programs(torch: Any, device: str, program: Program) -> None:
    """backward() through views, writes into views and arithmetic gives, for every element of
    every leaf, the derivative of what the program computes."""
    plan = program.plan()
    tensors = built(torch, device, plan, requires_grad=True)
    echoes = _taken(torch, plan, tensors)
    _hold(plan.machine, tensors, echoes)
    loss = torch.zeros((), dtype=torch.float64, device=device)
    for i, (got, held) in enumerate(zip(tensors, plan.machine.tensors, strict=True)):
        if plan.machine.dtype(held) == "float64":
            loss = loss + (got * tensor_of(torch, device, _weights(held.shape, i))).sum()
    loss.backward()
    for leaf, source in enumerate(plan.sources):
        base = source.arrangement.base
        slopes = [_slope(plan, leaf, at) for at in range(base.size)]
        with case(leaf=name_of(source.base)):
            expected = np.array(slopes, np.float64).reshape(base.shape)
            assert_equal(tensors[source.base].grad, expected, signed_zero=False)


def _follows(got: Any, say: Say, array: Array, name: str) -> None:
    """The result is what the call gives of these elements, of that dtype."""
    expected = np.asarray(say.gives(array))
    kind = expected.dtype.kind
    into = {"b": "bool", "i": "int64" if name == "bool" else name}.get(kind, name)
    if kind == "f" and name == "int64":
        into = "float32"
    into = say.dtype or into
    wanted = expected.astype(numpy_dtype(into))
    if into in FLOATS and not np.array_equal(read(got), wanted):
        # Another argument, or other elements, make a hundredth and more; how near a result has
        # to be is for the clauses on each operation.
        bound = Bound(into, 16, "a few roundings", absolute=16 * FORMATS[into].eps)
        assert_close(got, expected.astype(np.float64), bound)
    else:
        assert_equal(got, wanted, signed_zero=False)


def _succeed(
    torch: Any, device: str, uses: Calls, array: Array, name: str, ways: dict[str, Change]
) -> None:
    """Every call after every other, and again after a change; by itself, after each of them."""
    for turn, (first, second) in enumerate(product(uses, uses)):
        x = tensor_of(torch, device, array.astype(numpy_dtype(name)))
        one, other = first.call(torch, x), second.call(torch, x)
        results, holds = [("before", one, first, array), ("next", other, second, array)], array
        for way in [*ways] if first is second else [[*ways][turn % len(ways)]]:
            change, becomes = ways[way]
            change(torch, x)
            holds = becomes(holds)
            results.append((way, second.call(torch, x), second, holds))
        for when, got, use, held in results:
            with case(first=uses.index(first), second=uses.index(second), result=when):
                _follows(got, use, held, name)
        one.zero_()
        with case(first=uses.index(first), second=uses.index(second), then="the first is changed"):
            _follows(other, second, array, name)


@clause(
    "program.calls-in-succession",
    covers=["minicourse.out-of-place", "notes.layout-independence"],
    requires={"in-place", "views"},
    thorough=True,
)
def a_call_knows_nothing_of_the_one_before(torch: Any, device: str) -> None:
    """What a call gives depends on what its operand holds then and on its arguments: not on calls
    before it, of the same tensor with other arguments, nor on what that held then. It is a tensor
    of its own, which stays when the operand is changed, in whatever way, or used in another."""
    elements = np.array([1, -2, 0, 3, 2, -1, 4, -3, 1, 0, -4, 2, 5, -2, 3, -1, 1])
    square = elements[:16].reshape(4, 4)
    ways = CHANGES | (OF_ARRAYS if device == "cpu" and has("numpy") else {})
    for name in supported(("float32", "int64", "float64", "float16")):
        for families, array in (
            (OF_ANY_RANK | IDLE, np.array(3)),
            (OF_ANY_RANK | IDLE, elements),
            (OF_ANY_RANK | IDLE | OF_MATRICES | (OF_FLOATS if name in FLOATS else {}), square),
        ):
            for family, uses in families.items():
                with case(family=family, dtype=name, shape=array.shape):
                    _succeed(torch, device, uses, array, name, OF_NUMBERS | ways)
    for families, array, name in (
        (OF_PLACES, abs(elements) % 4, "int64"),
        (OF_MASKS, elements > 0, "bool"),
    ):
        for family, uses in families.items():
            with case(family=family):
                _succeed(torch, device, uses, array, name, ways)
