"""Operations of two operands that promote, with every documented way to say each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.layouts import LAYOUTS
from tenet.spec.cases.operands import Operand
from tenet.spec.cases.shapes import broadcast_shapes, broadcastable
from tenet.spec.cases.values import REGIMES, seeds
from tenet.spec.model.dtypes import ALL, Category, category, numpy_dtype
from tenet.spec.model.promotion import KINDS, Kind, Rank, below, result, true_division

Spelling = tuple[str, Callable[[Any, Any], Any]]

NUMBER = {"bool": True, "int64": 2, "float32": 1.5, "complex64": 1 + 2j}
"""A Python number of each type, under the dtype by which a Kind names it."""


def _truth(*kinds: Kind, default: str = "float32") -> str | None:
    return result(*kinds, default=default) and "bool"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and how promotion applies to it.

    names: its functions, each of them a method too; operator: its name in Python's `operator`;
    lowest, highest: the categories in which it computes; gives: the dtype of its result;
    left, right: whether its functions are documented to take a Python number there (its
    operator takes one on either side); in_place: whether `name_` exists; bools: whether bool
    operands are documented.
    """

    names: tuple[str, ...]
    operator: str | None = None
    lowest: Category = Category.BOOL
    highest: Category = Category.COMPLEX
    gives: Callable[..., str | None] = result
    left: bool = False
    right: bool = True
    in_place: bool = True
    bools: bool = True

    def takes(self, left: Kind, right: Kind) -> bool:
        """Whether the documents define the operation, and its result, on these operands."""
        ranks = {left.rank, right.rank}
        dtype = result(left, right)
        if dtype is None or ranks == {Rank.NUMBER}:
            return False
        if not self.bools and Category.BOOL in (left.category, right.category):
            return False
        return self.lowest <= category(dtype) <= self.highest

    def spellings(self, torch: Any, left: Kind, right: Kind) -> Iterator[Spelling]:
        """Each way to say it for such operands: how it reads, and a function of the two."""
        first, second = (kind.rank == Rank.NUMBER for kind in (left, right))
        if (self.left or not first) and (self.right or not second):
            for name in self.names:
                yield f"torch.{name}(a, b)", getattr(torch, name)
                if not first:
                    yield f"a.{name}(b)", method(name)
        if self.operator:
            yield f"operator.{self.operator}(a, b)", getattr(operator, self.operator)

    def in_place_spellings(self, right: Kind) -> Iterator[Spelling]:
        """Each way to say it in place, where it has any."""
        if not self.in_place:
            return
        if self.right or right.rank != Rank.NUMBER:
            for name in self.names:
                yield f"a.{name}_(b)", method(f"{name}_")
        if self.operator and hasattr(operator, f"i{self.operator.rstrip('_')}"):
            name = f"i{self.operator.rstrip('_')}"
            yield f"operator.{name}(a, b)", getattr(operator, name)


def method(name: str) -> Callable[[Any, Any], Any]:
    """The method of that name as a function of two."""
    return lambda a, b: getattr(a, name)(b)


_UP_TO_FLOAT: dict[str, Any] = {"highest": Category.FLOAT}
_WHOLE: dict[str, Any] = {"highest": Category.INTEGER}
_DIVISION: dict[str, Any] = {"lowest": Category.INTEGER, **_UP_TO_FLOAT}
_TENSORS: dict[str, Any] = {"right": False, "in_place": False, **_UP_TO_FLOAT}

ARITHMETIC = (
    Operation(("add",), "add"),
    Operation(("mul", "multiply"), "mul"),
    Operation(("sub", "subtract"), "sub", bools=False),
)
DIVISION = (Operation(("div", "divide", "true_divide"), "truediv", gives=true_division),)
REMAINING = (
    Operation(("floor_divide",), "floordiv", **_DIVISION),
    Operation(("remainder",), "mod", left=True, **_DIVISION),
    Operation(("fmod",), **_DIVISION),
    Operation(("pow",), "pow", lowest=Category.INTEGER, left=True),
    Operation(("bitwise_and",), "and_", **_WHOLE),
    Operation(("bitwise_or",), "or_", **_WHOLE),
    Operation(("bitwise_xor",), "xor", **_WHOLE),
    Operation(("bitwise_left_shift",), "lshift", bools=False, **_WHOLE),
    Operation(("bitwise_right_shift",), "rshift", bools=False, **_WHOLE),
    Operation(("maximum",), **_TENSORS),
    Operation(("minimum",), **_TENSORS),
    Operation(("fmax",), **_TENSORS),
    Operation(("fmin",), **_TENSORS),
    Operation(
        ("atan2", "arctan2"), lowest=Category.INTEGER, gives=true_division, right=False,
        highest=Category.FLOAT,
    ),
)  # fmt: skip
COMPARISONS = (
    Operation(("eq",), "eq", gives=_truth),
    Operation(("ne", "not_equal"), "ne", gives=_truth),
    Operation(("lt", "less"), "lt", gives=_truth, **_UP_TO_FLOAT),
    Operation(("le", "less_equal"), "le", gives=_truth, **_UP_TO_FLOAT),
    Operation(("gt", "greater"), "gt", gives=_truth, **_UP_TO_FLOAT),
    Operation(("ge", "greater_equal"), "ge", gives=_truth, **_UP_TO_FLOAT),
)
OPERATIONS = (*ARITHMETIC, *DIVISION, *REMAINING, *COMPARISONS)
BY_NAME = {name: operation for operation in OPERATIONS for name in operation.names}


def ones(
    torch: Any, device: str, shape: tuple[int, ...], kinds: tuple[Kind, ...] = KINDS
) -> dict[Kind, Any]:
    """An operand of every kind: ones of the shape, 0-d ones, and Python numbers."""
    made: dict[Kind, Any] = {}
    for kind in kinds:
        if kind.rank == Rank.NUMBER:
            made[kind] = NUMBER[kind.dtype]
        else:
            dims = () if kind.rank == Rank.ZERO_DIM else shape
            made[kind] = torch.ones(dims, dtype=getattr(torch, kind.dtype), device=device)
    return made


def simplest_first(plain: tuple[Any, ...]) -> int:
    return sum(ALL.index(part[0] if isinstance(part, tuple) else part) for part in plain)


PAIRS = sorted([(first, second) for first in ALL for second in ALL], key=simplest_first)
KIND_PAIRS = sorted(
    [
        ((a.dtype, int(a.rank)), (b.dtype, int(b.rank)))
        for a, b in product(KINDS, repeat=2)
        if a.rank != Rank.ZERO_DIM != b.rank and not a.rank == b.rank == Rank.NUMBER
    ],
    key=simplest_first,
)
LENGTH_PAIRS = [
    pair
    for pair in product([(1,), (2,), (), (1, 1), (0,), (3, 1), (2, 0), (1, 1, 1), (33,)], repeat=2)
    if broadcastable(*pair) is not None
]
"""Tensors of one element and of none, which are not 0-d, with each other and with 0-d ones."""
KIND_TRIPLES = sorted(product(product(ALL, (0, 1)), repeat=3), key=simplest_first)


VIEWS = sorted(
    product(LAYOUTS, ("contiguous", "transposed", "stepped", "expanded"), REGIMES),
    key=lambda view: tuple(LAYOUTS).index(view[0]) + REGIMES.index(view[2]),
)

two_operands = st.builds(
    lambda group, view, seed: (
        Operand(group[0], view[0], view[2], seed),
        Operand(group[1], view[1], view[2], seed + 7),
    ),
    broadcast_shapes(max_size=1200),
    st.sampled_from(VIEWS),
    seeds(),
)


def pool(shapes: Iterable[tuple[int, ...]], regimes: Iterable[str] = REGIMES) -> list[Operand]:
    """Operands of every shape, layout and regime, so that one choice draws all three."""
    grid = product(enumerate(shapes), enumerate(LAYOUTS), enumerate(regimes))
    ranked = sorted((i + j + k, s, name, regime) for (i, s), (j, name), (k, regime) in grid)
    return [Operand(s, name, regime, at) for at, (_, s, name, regime) in enumerate(ranked)]


EXACT: dict[str, Any] = {
    "add": np.add,
    "mul": np.multiply,
    "sub": np.subtract,
    "div": np.true_divide,
    "maximum": np.maximum,
    "eq": np.equal,
    "lt": np.less,
    "ne": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "le": np.less_equal,
    "bitwise_xor": np.bitwise_xor,
}
"""Operations that NumPy computes exactly as IEEE 754 and two's complement say."""


def kind_of(operand: Operand, dtype: str) -> Kind:
    return Kind(dtype, Rank.DIMENSIONED if operand.shape else Rank.ZERO_DIM)


def fitted(operand: Operand, source: str, target: str) -> Operand:
    """The operand, with values that convert to the target without rounding where they must.

    Into 16 bits a backend may convert through a wider dtype, and a scalar may never be rounded
    to the narrow dtype at all; neither is documented. Small numbers are the same either way.
    Nor is it documented what complex arithmetic makes of infinities.
    """
    if category(target) == Category.COMPLEX and operand.regime == "special":
        operand = replace(operand, regime="normal")
    narrow = numpy_dtype(target).itemsize == 2 and category(target) == Category.FLOAT
    fits = not narrow or numpy_dtype(source).itemsize == 1
    if source == target or (fits and below(source, target)):
        return operand
    return replace(operand, regime="ties")


def product_is_exact(dtype: str, operands: tuple[Operand, ...]) -> bool:
    # A complex product is several roundings, which nothing documents; small ones need none.
    return dtype not in ("complex64", "complex128") or all(
        operand.regime in ("small", "signed", "ties") for operand in operands
    )


def casts_plainly(source: str, target: str) -> bool:
    """Whether a cast rounds once at most: into 16 bits, a backend may go through float32."""
    narrow = category(target) == Category.FLOAT and numpy_dtype(target).itemsize == 2
    return not narrow or source in (target, "float32", "bool", "uint8", "int8")
