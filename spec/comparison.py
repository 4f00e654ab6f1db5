"""Comparisons: element by element (`gt`, `eq`, ...), and of whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, layouts, regimes, seeds, tensor_of
from tenet.spec.language import (
    assert_equal,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, REAL

ORDER = {
    "eq": (np.equal, lambda a, b: a == b),
    "ne": (np.not_equal, lambda a, b: a != b),
    "lt": (np.less, lambda a, b: a < b),
    "le": (np.less_equal, lambda a, b: a <= b),
    "gt": (np.greater, lambda a, b: a > b),
    "ge": (np.greater_equal, lambda a, b: a >= b),
}

pairs = st.builds(
    lambda group, layout, regime, seed: (
        Operand(group[0], layout, regime, seed),
        Operand(group[1], "contiguous", regime, seed + 7),
    ),
    broadcast_shapes(),
    layouts(),
    regimes(),
    seeds(),
)


@clause("comparison.elementwise", covers=["dlnotes.comparisons"], effort=2)
@for_all(operands=pairs, dtype=st.sampled_from(REAL))
def comparisons_give_bools_of_the_broadcast_shape(
    torch: Any, device: str, operands: tuple[Operand, Operand], dtype: str
) -> None:
    """eq, ne, lt, le, gt and ge compare element by element, as function, method and operator
    alike, and give bool tensors of the broadcast shape; any comparison with NaN is False but ne."""
    for name in supported([dtype]):
        a, b = (operand.on(torch, device, name) for operand in operands)
        left, right = (operand.array(name) for operand in operands)
        for comparison, (reference, operator) in ORDER.items():
            expected = reference(left, right)
            with case(comparison=comparison):
                assert_equal(getattr(torch, comparison)(a, b), expected)
                assert_equal(getattr(a, comparison)(b), expected)
                assert_equal(operator(a, b), expected)
