"""Operands: described by plain data, built as NumPy arrays and as tensors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.layouts import LAYOUTS, Arrangement, arrange
from tenet.spec.cases.shapes import Shape, shapes
from tenet.spec.cases.values import regimes, seeds, values
from tenet.spec.model.dtypes import name_of


def tensor_of(torch: Any, device: str, array: np.ndarray | np.generic) -> Any:
    """A new contiguous tensor with the elements, shape and dtype of an array, or of one number.

    bfloat16, for which NumPy arrays have no bridge, goes through float32, which holds it exactly.
    The dtype is said: a backend that does not take it from the array fails where that is asked,
    and not in every clause.
    """
    array = np.asarray(array)
    name = name_of(array.dtype)
    dtype = getattr(torch, name)
    if name == "bfloat16":
        array = array.astype(np.float32)
    return torch.tensor(array, dtype=dtype, device=device)


def laid(torch: Any, device: str, array: np.ndarray, layout: str) -> Any:
    """The elements of an array as a tensor in a layout, over fresh memory."""
    arrangement = arrange(array, layout)
    return arrangement.of_tensor(tensor_of(torch, device, arrangement.base))


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor that lies inside a larger one.

    base, view: the tensors; array: what the view holds; after(new): what the base has to hold
    once the view holds `new` and nothing around it was touched.
    """

    base: Any
    view: Any
    array: np.ndarray
    arrangement: Arrangement

    def after(self, new: np.ndarray) -> np.ndarray:
        """The base's expected elements when the view holds `new` (of the view's shape)."""
        expected = self.arrangement.base.copy()
        self.arrangement.of_array(expected)[...] = new
        return expected


def place(torch: Any, device: str, array: np.ndarray, layout: str) -> Place:
    """Put an array onto the device in a layout, with its surroundings at hand.

    `expanded` overlaps in memory and cannot be written to: ValueError.
    """
    if layout == "expanded":
        raise ValueError("an expanded operand overlaps in memory; it has no place to write to")
    arrangement = arrange(array, layout)
    base = tensor_of(torch, device, arrangement.base)
    return Place(base, arrangement.of_tensor(base), array, arrangement)


@encodable
@dataclass(frozen=True, slots=True)
class Operand:
    """One operand of a case: which elements, and how they lie in memory.

    The dtype is given when the operand is built, so one example serves every dtype.
    """

    shape: Shape
    layout: str = "contiguous"
    regime: str = "small"
    seed: int = 0

    def array(self, dtype: str) -> np.ndarray:
        """The elements, as a new C-ordered array (expanded: equal slices along dimension 0)."""
        array = values(self.shape, dtype, self.regime, self.seed)
        if self.layout == "expanded":
            arrangement = arrange(array, self.layout)
            array = np.array(arrangement.of_array(arrangement.base))
        return array

    def on(self, torch: Any, device: str, dtype: str) -> Any:
        """The operand as a tensor of the device, in its layout, over fresh memory."""
        return laid(torch, device, values(self.shape, dtype, self.regime, self.seed), self.layout)

    def place(self, torch: Any, device: str, dtype: str) -> Place:
        """The operand inside a larger tensor; ValueError where its layout overlaps."""
        return place(torch, device, self.array(dtype), self.layout)


def layouts(*, writable: bool = False, only: Collection[str] = ()) -> st.SearchStrategy[str]:
    """A layout; writable=True leaves out the one whose elements overlap in memory."""
    names = [
        name
        for name in LAYOUTS
        if not (writable and name == "expanded") and (not only or name in only)
    ]
    return st.sampled_from(names)


def operand(
    of_shape: Shape, *, writable: bool = False, finite: bool = False
) -> st.SearchStrategy[Operand]:
    """An operand of one given shape."""
    return st.builds(
        Operand, st.just(of_shape), layouts(writable=writable), regimes(finite=finite), seeds()
    )


def operands(
    of_shapes: st.SearchStrategy[Shape] | None = None,
    *,
    writable: bool = False,
    finite: bool = False,
) -> st.SearchStrategy[Operand]:
    """An operand of any shape, in any layout, with values of any regime."""
    drawn = shapes() if of_shapes is None else of_shapes
    return st.builds(Operand, drawn, layouts(writable=writable), regimes(finite=finite), seeds())
