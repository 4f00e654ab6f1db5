"""The operations that programs are made of: how each is said, and arguments that may fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

from tenet.spec.cases.arguments import ARGUMENTS
from tenet.spec.model.dtypes import ALL
from tenet.spec.model.machine import Held, Machine


class Row(NamedTuple):
    """One operation. spellings: Python with the operands x, y, z and the arguments n, m;
    operands: how many; arguments(machine, operands, random): some that may fit, or None."""

    spellings: tuple[str, ...]
    operands: int
    arguments: Callable[[Machine, Sequence[Held], Random], tuple[Any, ...] | None]


def _row(*spellings: str, of: int = 1, **arguments: Any) -> Row:
    """arguments: the chooser of each, by its letter (n, m)."""
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
    "ne": _two("!=", "ne"),
    "le": _two("<=", "le"),
    "minimum": _row("torch.minimum(x, y)", "x.minimum(y)", of=2),
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

MEANT = {"add-number": "add_", "mul-number": "mul_", "add-n": "add", "mul-n": "mul",
          "sum-all": "sum", "add-mixed": "add", "mul-mixed": "mul"}  # fmt: skip
"""Rows that are said like no other but mean what another operation does."""

_STATEMENT = re.compile(r"x(\[[^=]*\])? [+*-]?= |x\[\w\]\.")


@cache
def spoken(spelling: str) -> Callable[..., Any]:
    """A spelling as a function of torch, the operands x, y, z and the arguments n, m: what a
    failure shows and what ran cannot differ."""
    body = f"{spelling}; return x" if is_statement(spelling) else f"return {spelling}"
    scope: dict[str, Any] = {"__name__": __name__}
    exec(f"def step(torch, x=None, y=None, z=None, n=None, m=None):\n    {body}", scope)
    function: Callable[..., Any] = scope["step"]
    return function


def is_statement(spelling: str) -> bool:
    """Whether it is no expression that a name could be bound to."""
    return _STATEMENT.match(spelling) is not None


def shown(spelling: str, operands: Sequence[str], arguments: Sequence[Any]) -> str:
    """A spelling with the names of the operands and the arguments in place of its letters."""
    named = dict(zip("xyz", operands, strict=False))
    given = dict(zip("nm", arguments, strict=False))

    def filled(match: re.Match[str]) -> str:
        if match["dtype"]:
            return f"torch.{given[match['dtype']]}"
        if match["index"]:
            return f"[{shown_index(given[match['index']])}]"
        if match["items"]:
            return ", ".join(map(repr, given[match["items"]]))
        letter = match["plain"]
        return named[letter] if letter in named else repr(given[letter])

    return _PLACEHOLDER.sub(filled, spelling)


_PLACEHOLDER = re.compile(
    r"getattr\(torch, (?P<dtype>[nm])\)|\[(?P<index>[nm])\]"
    r"|\*(?P<items>[nm])|\b(?P<plain>[xyznm])\b"
)


def shown_index(index: object) -> str:
    """A basic index as it is written between the brackets."""
    if isinstance(index, tuple):
        return ", ".join(map(shown_index, index)) + ("," if len(index) == 1 else "") or "()"
    if isinstance(index, slice):
        ends = [index.start, index.stop, *([] if index.step is None else [index.step])]
        return ":".join("" if end is None else str(end) for end in ends)
    return "..." if index is ... else repr(index)
