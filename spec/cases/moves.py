"""Operations that only move elements: every way to say them, and arguments that fit.

A step is a name and its arguments, plain data; a `Move` takes one or several of them from a
shape in a layout. The pools are computed once, simplest first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.arguments import ARGUMENTS, Arguments
from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.layouts import LAYOUTS, Arrangement, arrange
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import LENGTHS, Shape
from tenet.spec.cases.values import values
from tenet.spec.model import strides
from tenet.spec.model.strides import Geometry

Step = tuple[str, Arguments]
Call = Callable[[Any, Any, Arguments], Any]


@encodable
@dataclass(frozen=True, slots=True)
class Move:
    """Steps from a tensor of a shape in a layout."""

    shape: Shape
    layout: str
    steps: tuple[Step, ...]

    @property
    def step(self) -> Step:
        """The only step."""
        return self.steps[0]

    def arranged(self, dtype: str, seed: int, regime: str = "signed") -> Arrangement:
        """The source's elements, laid out."""
        return arrange(values(self.shape, dtype, regime, seed), self.layout)

    def source(self) -> Geometry:
        """How the source lies in the memory of its arrangement's base."""
        return _source(self.shape, self.layout)


@lru_cache(maxsize=4096)
def _source(shape: Shape, layout: str) -> Geometry:
    arrangement = arrange(np.zeros(shape, bool), layout)
    return strides.after(strides.contiguous(arrangement.base.shape), arrangement.steps)


# --------------------------------------------------------------------------- ways to say it

_SAID: dict[str, tuple[str, str]] = {
    "permute": ("fm*", "dims"),
    "transpose": ("fm", "dim0 dim1"),
    "swapaxes": ("fm", "axis0 axis1"),
    "swapdims": ("fm", "dim0 dim1"),
    "movedim": ("fm", "source destination"),
    "moveaxis": ("fm", "source destination"),
    "t": ("fm", ""),
    "T": ("p", ""),
    "mT": ("p", ""),
    "H": ("p", ""),
    "mH": ("p", ""),
    "adjoint": ("fm", ""),
    "select": ("fm", "dim index"),
    "narrow": ("fm", "dim start length"),
    "diagonal": ("fm", "offset dim1 dim2"),
    "unfold": ("m", "dimension size step"),
    "split": ("fm", "- dim"),
    "chunk": ("fm", "chunks dim"),
    "tensor_split": ("fm", "- dim"),
    "hsplit": ("fm", "-"),
    "vsplit": ("fm", "-"),
    "dsplit": ("fm", "-"),
    "unbind": ("fm", "dim"),
    "squeeze": ("fm", "dim"),
    "unsqueeze": ("fm", "dim"),
    "expand": ("m*", "-"),
    "broadcast_to": ("fm", "size"),
    "view": ("m*", "-"),
    "reshape": ("fm*", "shape"),
    "unflatten": ("fm", "dim sizes"),
    "flatten": ("fm", "start_dim end_dim"),
    "ravel": ("fm", ""),
    "as_strided": ("fm", "size stride storage_offset"),
    "detach": ("fm", ""),
    "repeat": ("m*", "-"),
    "tile": ("fm*", "dims"),
    "repeat_interleave": ("fm", "repeats dim"),
    "flip": ("fm*", "dims"),
    "roll": ("fm", "shifts dims"),
    "rot90": ("fm", "k dims"),
    "fliplr": ("fm", ""),
    "flipud": ("fm", ""),
    "contiguous": ("m", ""),
    "clone": ("fm", ""),
}
"""name: how it is said, and the names of its parameters (- where it has no documented one).
f: torch.name(x, ...); m: x.name(...); p: x.name; *: sizes or dims one by one, and as a list,
as well."""


def _function(name: str) -> Call:
    return lambda torch, x, arguments: getattr(torch, name)(x, *arguments)


def _method(name: str) -> Call:
    return lambda torch, x, arguments: getattr(x, name)(*arguments)


def _one_by_one(name: str) -> Call:
    return lambda torch, x, arguments: getattr(x, name)(*arguments[0])


def _listed(name: str) -> Call:
    return lambda torch, x, arguments: getattr(x, name)([*arguments[0]])


def _keywords(name: str, parameters: tuple[str, ...], function: bool) -> Call:
    # The arguments without a documented name come first and stay positional.
    first = sum(parameter == "-" for parameter in parameters)

    def call(torch: Any, x: Any, arguments: Arguments) -> Any:
        named = dict(zip(parameters[first:], arguments[first:], strict=False))
        if not function:
            return getattr(x, name)(*arguments[:first], **named)
        if first:
            return getattr(torch, name)(x, *arguments[:first], **named)
        return getattr(torch, name)(input=x, **named)

    return call


def _as_other(name: str) -> Call:
    def call(torch: Any, x: Any, arguments: Arguments) -> Any:
        return getattr(x, name)(torch.empty(arguments[0], device=x.device))

    return call


@cache
def spellings(name: str) -> dict[str, Call]:
    """Every documented way to say an operation: label -> call(torch, x, arguments)."""
    if name == "index":
        return {"x[...]": lambda torch, x, arguments: x[arguments[0]]}
    if name.endswith("_as"):
        return {f"x.{name}(other)": _as_other(name)}
    how, words = _SAID[name]
    parameters = tuple(words.split())
    if how == "p":
        return {f"x.{name}": lambda torch, x, arguments: getattr(x, name)}
    said: dict[str, Call] = {}
    if "m" in how:
        said[f"x.{name}(...)"] = _method(name)
    if "f" in how:
        said[f"torch.{name}(x, ...)"] = _function(name)
    if "*" in how:
        said[f"x.{name}(*...)"] = _one_by_one(name)
        said[f"x.{name}([*...])"] = _listed(name)
    if "m" in how and parameters and parameters[-1] != "-" and "*" not in how:
        said[f"x.{name}({parameters[-1]}=...)"] = _keywords(name, parameters, function=False)
    if "f" in how and parameters and parameters[-1] != "-":
        said[f"torch.{name}(input=x, ...)"] = _keywords(name, parameters, function=True)
    return said


def said(step: Step) -> list[tuple[str, Call]]:
    """The spellings that the step's arguments allow."""
    name, arguments = step
    # Sizes given one by one need at least one; without arguments keywords say nothing new.
    return [
        (label, call)
        for label, call in spellings(name).items()
        if not ("*" in label and not (arguments and arguments[0]))
        and (arguments or "=" not in label)
    ]


# -------------------------------------------------------------------------------------- pools

_SHORT = (2, 3, 1, 4, 5, 1, 7, 8, 9)


def _shape(random: Random, max_size: int) -> Shape:
    while True:
        shape = [random.choice(_SHORT) for _ in range(random.choice((1, 2, 3, 2, 3, 4, 0)))]
        if shape and random.random() < 0.3:
            shape[random.randrange(len(shape))] = random.choice(LENGTHS)
        if prod(shape) <= max_size:
            return tuple(shape)


def _results(name: str, geometry: Geometry, arguments: Arguments) -> list[Geometry] | None:
    """What a view operation gives; None where strides cannot say it."""
    result = strides.RULES[name](geometry, *arguments)
    if result is None:
        return None
    return [result] if isinstance(result, Geometry) else list(result)


def _stepped(
    names: Sequence[str], shape: Shape, layout: str, length: int, random: Random
) -> tuple[Step, ...] | None:
    """Steps that fit one after another, or None where chance found too few.

    No view leaves the memory of the arrangement's base; within a chain none is empty.
    """
    memory = prod(arrange(np.zeros(shape, bool), layout).base.shape)
    geometry = _source(shape, layout)
    steps: list[Step] = []
    for _ in range(4 * length):
        name = random.choice(names)
        arguments = ARGUMENTS[name](geometry.shape, random)
        if arguments is None:
            continue
        if name in strides.RULES:
            results = _results(name, geometry, arguments)
            if results is None or (length > 1 and not results[0].size):
                continue
            if name == "as_strided" and results[0].addresses().max() >= memory:
                continue
            geometry = results[0]
        steps.append((name, arguments))
        if len(steps) == length:
            return tuple(steps)
    return None


def moves(
    names: Sequence[str],
    *,
    length: tuple[int, int] = (1, 1),
    layouts: Sequence[str] = tuple(LAYOUTS),
    max_size: int = 300,
    count: int = 60,
) -> st.SearchStrategy[Move]:
    """Steps of the named operations from shapes of at most max_size elements.

    length: the fewest and the most steps; count: how many moves the pool holds for each name.
    Where strides have a say (view) the step is one that they allow.
    """
    return from_pool(lambda: _pool(tuple(names), length, tuple(layouts), max_size, count))


def _pool(
    names: tuple[str, ...],
    length: tuple[int, int],
    layouts: tuple[str, ...],
    max_size: int,
    count: int,
) -> list[Move]:
    random = Random(f"{names}{length}")
    pool: dict[str, Move] = {}
    for first in names:
        found = tried = 0
        while found < count and tried < 20 * count:
            tried += 1
            shape, layout = _shape(random, max_size), random.choice(layouts)
            steps = random.randint(*length)
            chosen = names if steps > 1 else (first,)
            taken = _stepped(chosen, shape, layout, steps, random)
            if taken is not None:
                move = Move(shape, layout, taken)
                found += repr(move) not in pool
                pool[repr(move)] = move
    return sorted(pool.values(), key=_simplicity)


def _simplicity(move: Move) -> tuple[object, ...]:
    size = prod(max(n, 1) for n in move.shape)
    return (len(move.steps), 0 in move.shape, size, len(move.shape), repr(move))
