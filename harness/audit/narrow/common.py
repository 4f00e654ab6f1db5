"""What narrow faults share: the kinds of operands, and what becomes of a result."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any

from hypothesis.strategies import fixed_dictionaries

from tenet.harness.audit.faults import Condition, both, shifted, spread, strided
from tenet.harness.audit.faults import transposed as crossed
from tenet.harness.audit.operators import lawful
from tenet.harness.generation import draws
from tenet.spec.operators.operator import Call, Operator

_LOOKED_AT = 10
"""Calls of an operator, to see what operands it takes."""


def _several(x: Any, *rest: Any, **k: Any) -> bool:
    return bool(x.numel() > 1)


LAYOUTS: dict[str, Condition] = {
    "strided": both(strided, _several),
    "expanded": both(spread, _several),
    "transposed": crossed,
    "shifted": both(shifted, _several),
}
"""How an operand lies that every operator takes."""

SIZES: dict[str, Condition] = {
    "tail": lambda x, *rest, **k: x.dim() > 0 and x.shape[-1] > 16 and x.shape[-1] % 16 == 1,
    "without-dimensions": lambda x, *rest, **k: x.dim() == 0,
    "of-one-element": lambda x, *rest, **k: x.dim() > 1 and x.numel() == 1,
    "of-rank-4": lambda x, *rest, **k: x.dim() == 4 and x.numel() > 1,
    "of-rank-5": lambda x, *rest, **k: x.dim() == 5 and x.numel() > 1,
    "of-many": lambda x, *rest, **k: x.numel() > 1024,
}
"""How large an operand is that operators take which ask for no particular lengths."""

_OF_ANY_SIZE = ("elementwise", "reduction")
"""Sections whose operators take operands of any size."""
_LONE = ("without-dimensions", "of-one-element")
_SINGULAR = frozenset({"expanded"})
_NOT_ASKED: dict[str, Iterable[str]] = {
    "nn.functional.glu": SIZES,  # it halves a dimension
    "trace": SIZES,  # of a matrix
    "diff": _LONE,  # nothing is left
    "trapezoid": _LONE,  # nothing lies between
    "cumulative_trapezoid": _LONE,
    "kthvalue": _LONE,  # there is no second
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), _LONE),  # none by n - 1
    # Along a dimension, of vectors, and of matrices.
    "nn.functional.normalize": ("without-dimensions",),
    "nn.functional.cosine_similarity": ("without-dimensions",),
    "nn.functional.pairwise_distance": ("without-dimensions",),
    "cdist": ("without-dimensions", "of-rank-4", "of-rank-5"),
    "count_nonzero": ("without-dimensions",),  # PyTorch raises where a dimension is named
    "median": _SINGULAR,  # equal elements: which one is named is left open
    "nanmedian": _SINGULAR,
    "linalg.inv": _SINGULAR,
    "linalg.det": _SINGULAR,
    "linalg.slogdet": _SINGULAR,
    "linalg.solve": _SINGULAR,
    "linalg.cholesky": _SINGULAR,
    "kron": LAYOUTS,  # PyTorch 2.13 is wrong there itself
}
"""Kinds of operands that an operator does not take, or of which its result is not documented."""


def kinds(operator: Operator) -> dict[str, Condition]:
    """The kinds of operands that an operator takes, and what tells them."""
    kinds = LAYOUTS | SIZES if operator.section in _OF_ANY_SIZE else dict(LAYOUTS)
    of_vectors = all(len(call.operands[0].shape) < 2 for call in calls_of(operator))
    left_out = {*_NOT_ASKED.get(operator.name, ()), *(["transposed"] if of_vectors else [])}
    return {kind: condition for kind, condition in kinds.items() if kind not in left_out}


def calls_of(operator: Operator) -> tuple[Call, ...]:
    """Some uses of an operator."""
    return _calls(operator.name)


@cache
def _calls(name: str) -> tuple[Call, ...]:
    strategy = fixed_dictionaries({"call": lawful()[name].calls})
    return tuple(drawn["call"] for drawn, _ in islice(draws(strategy, 0), _LOOKED_AT))
