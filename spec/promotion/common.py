"""What the clauses on promotion share."""

from __future__ import annotations

from functools import cache
from itertools import product

from tenet.spec.cases import Operand
from tenet.spec.cases.promoting import Operation
from tenet.spec.language import supported
from tenet.spec.model.promotion import KINDS, TENSORS, Kind, Rank

Pair = tuple[Operand, Operand]
DIMENSIONED = tuple(kind for kind in TENSORS if kind.rank == Rank.DIMENSIONED)

Promotion = tuple[Kind, Kind, str]


@cache
def promotions_of(operation: Operation) -> tuple[Promotion, ...]:
    """Every pair of kinds that an operation takes, with the dtype of its result."""
    return tuple(
        (left, right, dtype)
        for left, right in product(KINDS, repeat=2)
        if operation.takes(left, right) and (dtype := operation.gives(left, right))
    )


def all_supported(*names: str) -> bool:
    wanted = set(names)
    return len(list(supported(sorted(wanted)))) == len(wanted)


EDGES = tuple(
    (Operand((33,), regime=regime, seed=3), Operand((33,), regime=regime, seed=71))
    for regime in ("normal", "special", "signed")
)
"""Two vectors, full of edges."""

STRIDED = (
    (Operand((9, 4), "transposed", "normal", 3), Operand((9, 4), "contiguous", "normal", 71)),
    (Operand((5, 2, 3), "contiguous", "signed", 3), Operand((5, 1, 3), "stepped", "signed", 71)),
)
"""Two matrices or more, one of which does not lie in memory as it is read."""
