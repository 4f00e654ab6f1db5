"""Type promotion: which dtype an operation on operands of several dtypes gives.

Nothing here is a table of results. One dtype stands at or below another if operands of the
first can become operands of the second without leaving what the second can say; the promoted
dtype of two is the lowest that stands above both. (Source: tensor attributes, type promotion.)

A second rule ranks the operands themselves: dimensioned tensors before 0-d tensors before
Python numbers. One of a later rank counts only if its category is higher than that of all
before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from tenet.spec.model.dtypes import ALL, DTYPES, FORMATS, Category, category

COMPLEX_OF = {"float32": "complex64", "float64": "complex128"}
"""The complex dtype whose parts have a dtype. float16 is left out: complex32 is experimental."""


class Rank(IntEnum):
    """What an operand is: the lower ranks decide first."""

    DIMENSIONED = 0
    ZERO_DIM = 1
    NUMBER = 2


@dataclass(frozen=True, slots=True, repr=False)
class Kind:
    """What promotion sees of an operand: its dtype and its rank.

    For a Python number (rank NUMBER) the dtype names its Python type: bool, int64 (int),
    float32 (float) or complex64 (complex); the default dtype then says how wide it is.
    """

    dtype: str
    rank: int = Rank.DIMENSIONED

    @property
    def category(self) -> Category:
        """The category of the dtype."""
        return category(self.dtype)

    def __repr__(self) -> str:
        if self.rank == Rank.NUMBER:
            return f"a Python {_PYTHON_TYPES[self.dtype]}"
        return f"a {'0-d ' if self.rank == Rank.ZERO_DIM else ''}tensor of {self.dtype}"


_PYTHON_TYPES = {"bool": "bool", "int64": "int", "float32": "float", "complex64": "complex"}
NUMBERS = tuple(Kind(name, Rank.NUMBER) for name in _PYTHON_TYPES)
TENSORS = tuple(Kind(name, rank) for rank in (Rank.DIMENSIONED, Rank.ZERO_DIM) for name in ALL)
KINDS = (*TENSORS, *NUMBERS)


def below(lower: str, upper: str) -> bool:
    """Whether a dtype stands at or below another in the lattice.

    A category stands below every higher one, whatever the widths (int64 below float16); within
    the integers, and within floats and complex numbers together, the upper dtype has to hold
    every value of the lower: so float64 is not below complex64.
    """
    first, second = category(lower), category(upper)
    if first > second:
        return False
    if first >= Category.FLOAT:
        narrow, wide = FORMATS[lower], FORMATS[upper]
        return (
            narrow.precision <= wide.precision
            and narrow.max <= wide.max
            and narrow.smallest >= wide.smallest
        )
    if first == second == Category.INTEGER:
        inner, outer = (np.iinfo(DTYPES[name].numpy.name) for name in (lower, upper))
        return bool(outer.min <= inner.min and inner.max <= outer.max)
    return True


@cache
def promoted(first: str, second: str) -> str:
    """The least upper bound of two dtypes: the one above both that stands below all such."""
    above = [name for name in ALL if below(first, name) and below(second, name)]
    [least] = [name for name in above if all(below(name, other) for other in above)]
    return least


def castable(source: str, target: str) -> bool:
    """Whether a result may be cast into a target: its category must not be above the target's."""
    return category(source) <= category(target)


@cache
def result(*operands: Kind, default: str = "float32") -> str | None:
    """The dtype of arithmetic on the operands; None where the documents leave it open.

    default: the default dtype, which a Python float has. Open is how wide a complex result is
    where a 0-d complex tensor meets floats of another width, or a Python complex number meets a
    dtype whose complex counterpart is experimental.
    """
    decided: str | None = None
    for rank in Rank:
        names = {_width(kind, default) for kind in operands if kind.rank == rank}
        if None in names:
            return None
        joined = _joined(name for name in names if name is not None)
        if joined is None or (decided and category(joined) <= category(decided)):
            continue
        if decided and (category(decided), category(joined)) == (Category.FLOAT, Category.COMPLEX):
            # The float keeps its precision; a 0-d tensor has one of its own, which may differ.
            lifted = COMPLEX_OF.get(decided)
            if lifted is None or (rank == Rank.ZERO_DIM and lifted != joined):
                return None
            joined = lifted
        decided = joined
    return decided


def true_division(*operands: Kind, default: str = "float32") -> str | None:
    """As `result`, but integers and bools are lifted to the default dtype."""
    dtype = result(*operands, default=default)
    return default if dtype is not None and category(dtype) < Category.FLOAT else dtype


def _width(kind: Kind, default: str) -> str | None:
    if kind.rank != Rank.NUMBER:
        return kind.dtype
    if kind.category == Category.FLOAT:
        return default
    return COMPLEX_OF.get(default) if kind.category == Category.COMPLEX else kind.dtype


def _joined(names: Iterable[str]) -> str | None:
    joined: str | None = None
    for name in names:
        joined = name if joined is None else promoted(joined, name)
    return joined
