"""Random programs of a few steps, and how each step is said.

A program is drawn as plain data: what it starts from, and for each step an operation and a
seed. The seed chooses operands, arguments and spelling among those that are defined where the
program has got to; the interpreter (`spec.model.interpreter`) says which are, by taking each
step itself. What a failure shows is the text that ran.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from random import Random
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.arguments import ARGUMENTS
from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.layouts import LAYOUTS, Arrangement, arrange
from tenet.spec.cases.operands import tensor_of
from tenet.spec.cases.shapes import Shape, broadcastable
from tenet.spec.cases.values import values
from tenet.spec.model.dtypes import ALL
from tenet.spec.model.interpreter import Held, Machine, Operation, Undefined, perform

# --------------------------------------------------------------------------- how steps are said


class Row(NamedTuple):
    """One operation. spellings: Python with the operands x, y, z and the arguments n, m, k;
    operands: how many; arguments(machine, operands, random): some that may fit, or None."""

    spellings: tuple[str, ...]
    operands: int
    arguments: Callable[[Machine, Sequence[Held], Random], tuple[Any, ...] | None]


def _row(*spellings: str, of: int = 1, **arguments: Any) -> Row:
    """arguments: the chooser of each, by its letter (n, m, k)."""
    chooser = list(arguments.values())

    def choose(machine: Machine, tensors: Sequence[Held], random: Random) -> Any:
        chosen = []
        for each in chooser:
            found = each(machine, tensors, random)
            if found is None:
                return None
            chosen.append(found)
        return tuple(chosen)

    return Row(spellings, of, choose)


def _fitting(name: str) -> Any:
    """Arguments of an operation that moves elements."""
    return lambda machine, tensors, random: ARGUMENTS[name](tensors[0].shape, random)


def _number(machine: Machine, tensors: Sequence[Held], random: Random) -> int:
    return random.choice((1, 2, 3, 0))


def _mixed_number(machine: Machine, tensors: Sequence[Held], random: Random) -> int | float:
    return random.choice((1, 2, 3.0, 0, 2.0))


def _bit(machine: Machine, tensors: Sequence[Held], random: Random) -> int:
    return random.choice((1, 0))


def _flag(machine: Machine, tensors: Sequence[Held], random: Random) -> bool:
    return random.random() < 0.4


def _index(machine: Machine, tensors: Sequence[Held], random: Random) -> Any:
    found = ARGUMENTS["index"](tensors[0].shape, random)
    return None if found is None else found[0]


def _place(machine: Machine, tensors: Sequence[Held], random: Random) -> int:
    return random.choice((0, -1, 1))


def _dim(machine: Machine, tensors: Sequence[Held], random: Random) -> int | None:
    rank = len(tensors[0].shape)
    return random.randrange(-rank, rank) if rank else None


def _new_dim(machine: Machine, tensors: Sequence[Held], random: Random) -> int:
    rank = len(tensors[0].shape)
    return random.randint(-rank - 1, rank)


def _rows(machine: Machine, tensors: Sequence[Held], random: Random) -> list[int] | None:
    shape = tensors[0].shape
    if not shape or not shape[0]:
        return None
    return [random.randrange(shape[0]) for _ in range(random.randint(1, 4))]


def _dtype(machine: Machine, tensors: Sequence[Held], random: Random) -> str:
    return random.choice(ALL)


def _moves(name: str, *more: str) -> Row:
    return _row(f"x.{name}(*n)", f"torch.{name}(x, *n)", *more, n=_fitting(name))


def _method(name: str) -> Row:
    return _row(f"x.{name}(*n)", n=_fitting(name))


def _pieces(name: str) -> Row:
    return _row(f"x.{name}(*n)[m]", f"torch.{name}(x, *n)[m]", n=_fitting(name), m=_place)


def _two(sign: str, name: str) -> Row:
    return _row(f"x {sign} y", f"torch.{name}(x, y)", f"x.{name}(y)", of=2)


VIEWS: dict[str, Row] = {
    "index": _row("x[n]", n=_index),
    "transpose": _moves("transpose", "x.swapaxes(*n)"),
    "view": _method("view"),
    "select": _moves("select"),
    "unsqueeze": _moves("unsqueeze"),
    "permute": _moves("permute"),
    "narrow": _moves("narrow"),
    "squeeze": _moves("squeeze"),
    "expand": _method("expand"),
    "diagonal": _moves("diagonal"),
    "unbind": _pieces("unbind"),
    "chunk": _pieces("chunk"),
    "split": _pieces("split"),
    "tensor_split": _pieces("tensor_split"),
    "reshape": _moves("reshape"),
    "flatten": _moves("flatten"),
    "unflatten": _moves("unflatten"),
    "movedim": _moves("movedim", "x.moveaxis(*n)"),
    "T": _row("x.T", n=_fitting("T")),
    "mT": _row("x.mT", n=_fitting("mT")),
    "unfold": _method("unfold"),
    "detach": _method("detach"),
    "contiguous": _row("x.contiguous()"),
}  # fmt: skip
"""Views of their operand; reshape, flatten and contiguous copy where no view will do."""

WRITES: dict[str, Row] = {
    "fill_": _row("x.fill_(n)", "x[...] = n", n=_bit),
    "add_": _row("x += y", "x.add_(y)", "x.__iadd__(y)", of=2),
    "copy_": _row("x.copy_(y)", "x[...] = y", of=2),
    "add-number": _row("x += n", "x.add_(n)", n=_number),
    "mul-number": _row("x *= n", "x.mul_(n)", "x.multiply_(n)", n=_number),
    "set-number": _row("x[m] = n", "x[m].fill_(n)", n=_bit, m=_index),
    "set-tensor": _row("x[n] = y", "x[n].copy_(y)", of=2, n=_index),
    "add-at": _row("x[m] += n", "x[m].add_(n)", n=_number, m=_index),
    "mul-at": _row("x[n] *= y", "x[n].mul_(y)", of=2, n=_index),
    "sub_": _row("x -= y", "x.sub_(y)", of=2),
    "mul_": _row("x *= y", "x.mul_(y)", of=2),
    "maximum_": _row("torch.maximum(x, y, out=x)", of=2),
    "neg_": _row("x.neg_()", "torch.neg(x, out=x)"),
    "fill-own": _row("x[x > n] = m", "x.masked_fill_(x > n, m)", n=_number, m=_bit),
    "fill-where": _row("x.masked_fill_(y > n, m)", of=2, n=_number, m=_bit),
    "fill-mask": _row("x.masked_fill_(y, n)", of=2, n=_bit),
    "add-out": _row("torch.add(x, y, out=z)", of=3),
    "sub-out": _row("torch.sub(x, y, out=z)", of=3),
    "mul-out": _row("torch.mul(x, y, out=z)", of=3),
    "gt-out": _row("torch.gt(x, y, out=z)", of=3),
}
"""Writes into an operand, which they return."""

TURNS: dict[str, Row] = {
    "transpose_": _row("x.transpose_(*n)", n=_fitting("transpose")),
    "unsqueeze_": _row("x.unsqueeze_(*n)", n=_fitting("unsqueeze")),
    "squeeze_": _row("x.squeeze_(*n)", n=_fitting("squeeze")),
}
"""In-place operations that change how a tensor lies and no element."""

NEW: dict[str, Row] = {
    "add": _two("+", "add"),
    "clone": _row("x.clone()", "torch.clone(x)"),
    "mul": _two("*", "mul"),
    "sub": _two("-", "sub"),
    "add-n": _row("x + n", "n + x", "torch.add(x, n)", n=_number),
    "mul-n": _row("x * n", "n * x", "torch.mul(x, n)", n=_number),
    "rsub": _row("n - x", n=_number),
    "neg": _row("-x", "torch.neg(x)"),
    "abs": _row("abs(x)", "x.abs()"),
    "add-scaled": _row("torch.add(x, y, alpha=n)", "x.add(y, alpha=n)", of=2, n=_number),
    "maximum": _row("torch.maximum(x, y)", "x.maximum(y)", of=2),
    "sum-all": _row("x.sum()", "torch.sum(x)"),
    "sum": _row("x.sum(n, m)", "torch.sum(x, dim=n, keepdim=m)", n=_dim, m=_flag),
    "amax": _row("x.amax(n, m)", "torch.amax(x, n, m)", n=_dim, m=_flag),
    "any": _row("x.any(n, m)", n=_dim, m=_flag),
    "cumsum": _row("x.cumsum(n)", "torch.cumsum(x, dim=n)", n=_dim),
    "cat": _row("torch.cat((x, y), n)", "torch.cat([x, y], dim=n)", of=2, n=_dim),
    "stack": _row("torch.stack((x, y), n)", of=2, n=_new_dim),
    "gt": _two(">", "gt"),
    "eq": _two("==", "eq"),
    "lt": _two("<", "lt"),
    "ge": _two(">=", "ge"),
    "where-greater": _row("torch.where(x > n, x, y)", "x.where(x > n, y)", of=2, n=_number),
    "where": _row("torch.where(z, x, y)", of=3),
    "masked": _row("x[y]", "x.masked_select(y)", of=2),
    "take-rows": _row("x[n]", "x.index_select(0, torch.tensor(n, device=x.device))", n=_rows),
    "flip": _row("x.flip(n)", "torch.flip(x, (n,))", n=_dim),
    "repeat": _method("repeat"),
    "clone-contiguous": _row("x.clone(memory_format=torch.contiguous_format)"),
}
"""New tensors over memory of their own."""

CASTS: dict[str, Row] = {
    "to": _row("x.to(getattr(torch, n))", "x.to(dtype=getattr(torch, n))", n=_dtype),
    "add-mixed": _row("x + n", "n + x", n=_mixed_number),
    "mul-mixed": _row("x * n", "torch.mul(x, n)", n=_mixed_number),
}
"""Other dtypes."""

ROWS = VIEWS | WRITES | TURNS | NEW | CASTS
_MEANT = {"add-number": "add_", "mul-number": "mul_", "add-n": "add", "mul-n": "mul",
          "sum-all": "sum", "add-mixed": "add", "mul-mixed": "mul"}  # fmt: skip
"""Rows that are said like no other but mean what another operation does."""

_STATEMENT = re.compile(r"x(\[[^=]*\])? [+*-]?= |x\[\w\]\.")


@cache
def _compiled(spelling: str) -> Callable[..., Any]:
    """A spelling as a function: what a failure shows and what ran cannot differ."""
    body = f"{spelling}; return x" if _STATEMENT.match(spelling) else f"return {spelling}"
    scope: dict[str, Any] = {"__name__": __name__}
    exec(f"def step(torch, x=None, y=None, z=None, n=None, m=None):\n    {body}", scope)
    function: Callable[..., Any] = scope["step"]
    return function


def _shown_index(index: object) -> str:
    if isinstance(index, tuple):
        return ", ".join(map(_shown_index, index)) + ("," if len(index) == 1 else "") or "()"
    if isinstance(index, slice):
        ends = [index.start, index.stop, *([] if index.step is None else [index.step])]
        return ":".join("" if end is None else str(end) for end in ends)
    return "..." if index is ... else repr(index)


# -------------------------------------------------------------------------------- the programs


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is taken: what it means, how it is said, and its result's index."""

    operation: Operation
    spelling: str
    result: int

    def on(self, torch: Any, tensors: Sequence[Any]) -> Any:
        """What the backend gives."""
        _, operands, arguments = self.operation
        named = dict(zip("xyz", (tensors[i] for i in operands), strict=False))
        return _compiled(self.spelling)(torch, **named, **dict(zip("nm", arguments, strict=False)))

    def __str__(self) -> str:
        _, operands, arguments = self.operation
        named = dict(zip("xyz", map(name_of, operands), strict=False))
        given = dict(zip("nm", arguments, strict=False))

        def shown(match: re.Match[str]) -> str:
            if match["dtype"]:
                return f"torch.{given[match['dtype']]}"
            if match["index"]:
                return f"[{_shown_index(given[match['index']])}]"
            if match["items"]:
                return ", ".join(map(repr, given[match["items"]]))
            letter = match["plain"]
            return named[letter] if letter in named else repr(given[letter])

        said = _PLACEHOLDER.sub(shown, self.spelling)
        returns_operand = _STATEMENT.match(self.spelling) or self.result in operands
        return said if returns_operand else f"{name_of(self.result)} = {said}"


_PLACEHOLDER = re.compile(
    r"getattr\(torch, (?P<dtype>[nm])\)|\[(?P<index>[nm])\]"
    r"|\*(?P<items>[nm])|\b(?P<plain>[xyznm])\b"
)


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
            step = _resolved(machine, name, Random(seed), frozen)
            if step is not None:
                steps.append(step)
        return Plan(tuple(sources), tuple(steps), machine)

    def __repr__(self) -> str:
        plan = self.plan()
        lines = [line for source in plan.sources for line in _said_source(source)]
        return "\n".join([*lines, *map(str, plan.steps)])


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
        view += f"[{_shown_index(argument)}]" if kind == "index" else f".{kind}({argument})"
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
    row, meant = ROWS[name], _MEANT.get(name, name)
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
        chosen.append(random.choice(fitting))
    return tuple(chosen)


def _fits(shape: Shape, other: Shape, name: str) -> bool:
    if name in _OF_EQUAL_RANK:
        return len(shape) == len(other)
    return broadcastable(shape, other) is not None


_SAVING = frozenset(
    {"mul", "where", "where-greater", "masked", "unbind", "chunk", "split", "tensor_split"}
)
"""Backward needs their operands as they were, or forbids writes through their results."""


def _may_write(machine: Machine, target: Held, frozen: Collection[int] | None) -> bool:
    return frozen is None or (target.storage not in frozen and machine.dtype(target) == "float64")


# --------------------------------------------------------------------------------- the drawing

_SHAPES: tuple[Shape, ...] = (
    (2, 3), (3,), (2,), (), (1, 3), (2, 1), (3, 2), (4, 4), (2, 3, 2), (1, 2, 3), (6,), (3, 1, 2),
    (5, 3), (8,), (9, 2), (17,), (2, 2, 2, 2), (33,), (0,), (2, 0), (65,), (3, 17), (7, 9), (1,),
)  # fmt: skip


def _starts(limit: int, most: int, layouts: Sequence[str]) -> list[tuple[tuple[Shape, str], ...]]:
    """Up to `most` inputs, the later ones of shapes that go with the first."""
    random = Random(f"programs {limit}")
    shapes = [shape for shape in _SHAPES if prod(shape) <= limit]
    found: dict[tuple[tuple[Shape, str], ...], None] = {}
    for _ in range(1500):
        first = random.choice(shapes)
        fitting = [s for s in shapes if broadcastable(s, first) is not None]
        others = min(random.randrange(most), random.randrange(most))
        chosen = [first, *(random.choice(fitting) for _ in range(others))]
        start = tuple((shape, random.choice(layouts)) for shape in chosen)
        if sum(arrange(np.zeros(*s), layout).base.size for *s, layout in start) <= limit:
            found[start] = None
    order = list(LAYOUTS)
    return sorted(
        found,
        key=lambda start: (
            len(start),
            sum(prod(shape) or limit for shape, _ in start),
            [order.index(layout) for _, layout in start],
        ),
    )


def programs(
    operations: Collection[str],
    dtypes: st.SearchStrategy[tuple[str, ...]],
    *,
    graded: bool = False,
) -> st.SearchStrategy[Program]:
    """Programs of two to six steps on one to three inputs.

    operations: names of rows; the more often, the likelier, and the earlier, the simpler.
    """
    layouts = ("contiguous", "contiguous", *LAYOUTS)
    starts = _starts(12, 2, layouts) if graded else _starts(250, 3, layouts)
    named = st.tuples(st.sampled_from([*operations]), st.integers(0, 999))
    return st.builds(
        Program,
        st.sampled_from(starts),
        dtypes,
        st.integers(0, 99),
        st.lists(named, min_size=2, max_size=6).map(tuple),
        st.just(graded),
    )
