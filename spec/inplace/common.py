"""What the clauses of writing in place share: operands, targets, and what a write changes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    REGIMES,
    WRITABLE,
    Operand,
    Place,
    broadcast_shapes,
    broadcastable,
    place,
    seeds,
    tensor_of,
)
from tenet.spec.cases.kinds import showing
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_same_object,
    assert_that,
)
from tenet.spec.model.dtypes import (
    Category,
    category,
    numpy_dtype,
)

Array = np.ndarray
Pair = tuple[Operand, Operand]
Shape = tuple[int, ...]

# Typed names for what the standard library's stubs leave untyped.
iadd: Callable[..., Any] = operator.iadd

UNDERSCORE = "basics.inplace-underscore"
OUT = "basics.add-out"


def assert_changes(place: Place, act: Callable[..., Any], expected: Array, *others: Any) -> None:
    """`act(view, *others)` turns the view into `expected`, returns it, and writes nowhere else."""
    view = place.view
    memory, stride = view.data_ptr(), view.stride()
    assert_same_object(act(view, *others), view)
    assert_equal(place.base, place.after(expected.astype(place.array.dtype)))
    assert_metadata(view, shape=expected.shape, stride=stride)
    assert_that(view.data_ptr() == memory, "the tensor has moved to other memory")


def pair_of(group: tuple[Shape, Shape], how: tuple[str, str, str], seed: int) -> Pair:
    """A target of the shape that the two broadcast to, and an operand."""
    regime, first, second = how
    shape = broadcastable(*group) or ()
    return Operand(shape, first, regime, seed), Operand(group[1], second, regime, seed + 7)


# One choice of three things is drawn faster than three choices.
pairs = st.builds(
    pair_of,
    broadcast_shapes(max_size=1100),
    st.sampled_from([*product(REGIMES, WRITABLE, LAYOUTS)]),
    seeds(),
)
"""A target that can be written to, and an operand that broadcasts to its shape."""


ANY_VALUES = ("bitwise and", "bitwise or", "bitwise xor", "copy")
"""Operations whose result never leaves the dtype, whatever the integers."""


def tame(pair: Pair, dtype: str, name: str) -> Pair:
    """Integers so small that no result leaves their dtype; other dtypes as they are."""
    if category(dtype) in (Category.BOOL, Category.FLOAT) or name in ANY_VALUES:
        return pair
    regimes = ("ties" if name == "pow" else "signed", "ties")
    first, second = (
        Operand(o.shape, o.layout, regime, o.seed) for o, regime in zip(pair, regimes, strict=True)
    )
    return first, second


def target_of(torch: Any, device: str, operand: Operand, dtype: str) -> Place:
    """The first operand; small unsigned integers so large that no difference is negative."""
    array = operand.array(dtype)
    if dtype == "uint8" and operand.regime == "signed":
        array += 9
    return place(torch, device, array, operand.layout)


def shows_kind(operands: Pair, how: Hashable, **_: object) -> frozenset[Hashable]:
    """Which pairs of operation, shape and layout an example shows."""
    return showing(how, operands[0].shape, operands[0].layout)


def on_device(torch: Any, device: str, value: Any, dtype: str) -> Any:
    """An argument of a change: arrays become tensors, floating-point ones of the dtype."""
    if isinstance(value, tuple):
        return tuple(on_device(torch, device, item, dtype) for item in value)
    if not isinstance(value, np.ndarray):
        return value
    kept = value.dtype.kind in "bi"
    return tensor_of(torch, device, value if kept else value.astype(numpy_dtype(dtype)))
