"""Random programs of a few steps, and how each step is said.

A program is drawn as plain data: what it starts from, and for each step an operation and a
seed. The seed chooses operands, arguments and spelling among those that are defined where the
program has got to; the interpreter (`spec.model.interpreter`) says which are, by taking each
step itself. What a failure shows is the text that ran.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.layouts import LAYOUTS, Arrangement, arrange
from tenet.spec.cases.operands import tensor_of
from tenet.spec.cases.operations import (
    MEANT,
    ROWS,
    WRITES,
    is_statement,
    shown,
    shown_index,
    spoken,
)
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import Shape, broadcastable
from tenet.spec.cases.values import values
from tenet.spec.model.interpreter import Operation, perform
from tenet.spec.model.machine import Held, Machine, Undefined

PASS = "pass"
"""The step that does nothing."""


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One step that is taken: what it means, how it is said, and its result's index."""

    operation: Operation
    spelling: str
    result: int

    def on(self, torch: Any) -> Callable[[Sequence[Any]], Any]:
        """What the backend gives, of the tensors that there are so far."""
        _, operands, arguments = self.operation
        function, given = spoken(self.spelling), dict(zip("nm", arguments, strict=False))
        return lambda tensors: function(torch, *[tensors[i] for i in operands], **given)

    def __repr__(self) -> str:
        _, operands, arguments = self.operation
        said = shown(self.spelling, [name_of(i) for i in operands], arguments)
        returns_operand = is_statement(self.spelling) or self.result in operands
        return said if returns_operand else f"{name_of(self.result)} = {said}"


def name_of(tensor: int) -> str:
    """a, b, c, ..., z, a1, ..."""
    turn, letter = divmod(tensor, 26)
    return "abcdefghijklmnopqrstuvwxyz"[letter] + (str(turn) if turn else "")


@dataclass(frozen=True, slots=True)
class Source:
    """What a program starts from: a base, and the input that lies in it."""

    arrangement: Arrangement
    dtype: str
    base: int
    input: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A program worked out: its sources, its steps, and the machine after the last."""

    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    machine: Machine


@encodable
@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """What a program is drawn as.

    inputs: shape and layout of each; dtypes: theirs, in turn; seed: of their elements; steps:
    names of operations, each with a seed; graded: only steps that autograd follows.
    """

    inputs: tuple[tuple[Shape, str], ...]
    dtypes: tuple[str, ...]
    seed: int
    steps: tuple[tuple[str, int], ...]
    graded: bool = False

    def plan(self) -> Plan:
        """The steps that it takes; one that finds nothing to work on is left out."""
        machine = Machine(limit=2.0**16) if self.graded else Machine()
        sources = []
        for i, (shape, layout) in enumerate(self.inputs):
            dtype = self.dtypes[i % len(self.dtypes)]
            array = np.asarray(values(shape, dtype, "signed", self.seed + i))
            if dtype != "bool":
                array = np.asarray(array % 4) if dtype == "uint8" else _small(array)
            sources.append(_start(machine, arrange(array, layout), dtype))
        frozen = set(range(len(machine.storages))) if self.graded else None
        steps: list[Step] = []
        for name, seed in self.steps:
            step = None if name == PASS else _resolved(machine, name, Random(seed), frozen)
            if step is not None:
                steps.append(step)
        return Plan(tuple(sources), tuple(steps), machine)

    def __repr__(self) -> str:
        plan = self.plan()
        lines = [line for source in plan.sources for line in _said_source(source)]
        return "\n".join([*lines, *map(repr, plan.steps)])


def _small(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "c":
        return np.asarray(array.real % 4 + 1j * (array.imag % 3 - 1), array.dtype)
    wide = array.astype(np.int64)
    return np.asarray((np.sign(wide) * (np.abs(wide) % 5)).astype(array.dtype))


def _start(machine: Machine, arrangement: Arrangement, dtype: str) -> Source:
    base = machine.allocate(arrangement.base, dtype)
    machine.tensors.append(base)
    at = len(machine.tensors) - 1
    if not arrangement.steps:
        return Source(arrangement, dtype, at, at)
    machine.tensors.append(machine.viewed(at, arrangement.steps))
    return Source(arrangement, dtype, at, at + 1)


def _said_source(source: Source) -> Iterator[str]:
    base = source.arrangement.base
    made = f"torch.tensor({base.tolist()}" if base.size else f"torch.zeros({base.shape}"
    yield f"{name_of(source.base)} = {made}, dtype=torch.{source.dtype})"
    view = name_of(source.base)
    for kind, argument in source.arrangement.steps:
        view += f"[{shown_index(argument)}]" if kind == "index" else f".{kind}({argument})"
    if source.arrangement.steps:
        yield f"{name_of(source.input)} = {view}"


def built(torch: Any, device: str, plan: Plan, *, requires_grad: bool = False) -> list[Any]:
    """The tensors that a program starts from: bases and inputs, as the machine counts them."""
    tensors: list[Any] = []
    for source in plan.sources:
        base = tensor_of(torch, device, source.arrangement.base)
        tensors.append(base.requires_grad_() if requires_grad else base)
        if source.input != source.base:
            tensors.append(source.arrangement.of_tensor(base))
    return tensors


_ATTEMPTS = 8


def _resolved(machine: Machine, name: str, random: Random, frozen: set[int] | None) -> Step | None:
    """A step of that operation on what there is; None where some attempts find none.

    frozen: storages that gradients forbid to write to; None where there are no gradients.
    """
    row, meant = ROWS[name], MEANT.get(name, name)
    for _ in range(_ATTEMPTS):
        operands = _operands(machine, name, row.operands, random)
        tensors = [machine.tensors[i] for i in operands]
        arguments = row.arguments(machine, tensors, random) if tensors else None
        if arguments is None or (name in WRITES and not _may_write(machine, tensors[0], frozen)):
            continue
        operation = (meant, operands, arguments)
        try:
            result = perform(machine, operation)
        except Undefined:
            continue
        if frozen is not None and name in _SAVING:
            frozen.update(tensor.storage for tensor in tensors)
        # Nothing with out= takes part in a gradient.
        said = [s for s in row.spellings if frozen is None or "out=" not in s]
        return Step(operation, random.choice(said), result)
    return None


_NEEDS_MASK = {("fill-mask", 1), ("masked", 1), ("where", 2)}
_OF_EQUAL_RANK = frozenset({"cat", "stack"})


def _operands(machine: Machine, name: str, how_many: int, random: Random) -> tuple[int, ...]:
    """Any tensor, rather a late one; then others whose shapes go with it. () if there are none."""
    tensors = machine.tensors
    first = len(tensors) - 1
    if random.random() < 0.6:
        first -= min(random.randrange(len(tensors)), random.randrange(len(tensors)))
    shape, chosen = tensors[first].shape, [first]
    for place in range(1, how_many):
        fitting = [
            i
            for i, other in enumerate(tensors)
            if ((name, place) not in _NEEDS_MASK or machine.dtype(other) == "bool")
            and _fits(shape, other.shape, name)
        ]
        if not fitting:
            return ()
        # Shapes that differ, 0-d among them, are fewer, and where promotion and broadcasting err.
        others = [i for i in fitting if tensors[i].shape != shape]
        chosen.append(random.choice(others if others and random.random() < 0.5 else fitting))
    return tuple(chosen)


def _fits(shape: Shape, other: Shape, name: str) -> bool:
    if name in _OF_EQUAL_RANK:
        return len(shape) == len(other)
    common = broadcastable(shape, other)
    return common == shape if name in WRITES and "-out" not in name else common is not None


_SAVING = frozenset(
    {"mul", "where", "where-greater", "masked", "unbind", "chunk", "split", "tensor_split"}
)
"""Backward needs their operands as they were, or forbids writes through their results."""


def _may_write(machine: Machine, target: Held, frozen: Collection[int] | None) -> bool:
    return frozen is None or (target.storage not in frozen and machine.dtype(target) == "float64")


# --------------------------------------------------------------------------------- the drawing

_SHAPES: tuple[Shape, ...] = (
    (2, 3), (3,), (2,), (), (1, 3), (2, 1), (3, 2), (4, 4), (2, 3, 2), (1, 2, 3), (6,), (3, 1, 2),
    (3, 3), (2, 2, 2), (2, 2), (3, 2, 3), (5, 5), (3, 3, 3), (5, 3), (8,), (9, 2), (17,),
    (2, 2, 2, 2), (33,), (0,), (2, 0), (65,), (3, 17), (7, 9), (1,),
)  # fmt: skip


@cache
def _starts(limit: int, most: int) -> list[tuple[tuple[Shape, str], ...]]:
    """Up to `most` inputs, the later ones of shapes that go with the first."""
    random = Random(f"programs {limit}")
    layouts = ("contiguous", "contiguous", *LAYOUTS)
    shapes = [shape for shape in _SHAPES if prod(shape) <= limit]
    partners = {
        first: [shape for shape in shapes if broadcastable(shape, first) is not None]
        for first in shapes
    }
    found: set[tuple[tuple[Shape, str], ...]] = {((shape, "contiguous"),) for shape in shapes}
    for _ in range(1500):
        first = random.choice(shapes)
        fitting = partners[first]
        others = random.choice((0, 1, 1, 2)) % most
        likely = [*fitting, *[(), first[1:], first[-1:]] * (len(fitting) // 4), first]
        chosen = [first, *(random.choice(likely) for _ in range(others))]
        start = tuple((shape, random.choice(layouts)) for shape in chosen)
        if sum(arrange(np.zeros(shape), layout).base.size for shape, layout in start) <= limit:
            found.add(start)
    return sorted(
        found,
        key=lambda start: (
            len(start),
            sum(layout != "contiguous" for _, layout in start),
            sum(prod(shape) or limit for shape, _ in start),
            start,
        ),
    )


def programs(
    operations: Collection[str],
    dtypes: st.SearchStrategy[tuple[str, ...]],
    *,
    inputs: int = 1,
    graded: bool = False,
) -> st.SearchStrategy[Program]:
    """Programs of up to six steps on at most three inputs, and at least so many.

    operations: names of rows; the more often, the likelier, and the earlier, the simpler.
    """

    def starts() -> list[tuple[tuple[Shape, str], ...]]:
        every = _starts(12, 2) if graded else _starts(250, 3)
        return [start for start in every if len(start) >= inputs]

    # A step may be none: so a program gets shorter as it is made simpler.
    step = st.tuples(st.sampled_from([PASS, *operations]), st.integers(0, 999))
    return st.builds(
        Program,
        from_pool(starts),
        dtypes,
        st.integers(0, 99),
        st.tuples(*[step] * 6),
        st.just(graded),
    )
