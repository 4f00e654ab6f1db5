"""A memory for small tensor programs: storages, and tensors that show them.

A storage is a flat array; a tensor says which addresses of one storage it shows, in which
shape. Every read collects, and every write scatters, address by address, so who sees whose
writes follows from the documented stride rule and from nothing that NumPy does with views.

Elements are whole numbers so small that arithmetic is exact in the dtype at hand; where the
documents leave an outcome open, or it would round, the machine raises `Undefined`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tenet.spec.model import promotion, strides
from tenet.spec.model.dtypes import FORMATS, Category, category, numpy_dtype
from tenet.spec.model.promotion import Kind, Rank
from tenet.spec.model.strides import Geometry, Shape

Array = np.ndarray
Number = int | float


class Undefined(Exception):
    """The documents do not say what the step gives, or it is no step of a small exact program."""


@dataclass(slots=True)
class Held:
    """A tensor. storage: which one it shows; placed: whether its own strides are documented,
    as those of views of contiguous tensors are, and those of arithmetic on views are not."""

    storage: int
    geometry: Geometry
    placed: bool = True

    @property
    def shape(self) -> Shape:
        """The lengths."""
        return self.geometry.shape

    @property
    def plain(self) -> bool:
        """Whether the elements are known to lie one after another."""
        return self.placed and self.geometry.is_contiguous()


@lru_cache(maxsize=20_000)
def _addresses(geometry: Geometry) -> Array:
    return geometry.addresses()


@lru_cache(maxsize=20_000)
def _overlaps(geometry: Geometry) -> bool:
    return geometry.overlaps()


class Machine:
    """Storages, and the tensors that show them.

    limit: the largest magnitude that elements of a float dtype may have; where the dtype holds
    fewer whole numbers, its own limit counts. most: the most elements that a tensor may have.
    complex_step: float64 elements carry a derivative as a tiny imaginary part, and nothing is
    checked: it is for programs that have run without.
    """

    def __init__(
        self, *, limit: float = 2.0**53, most: int = 300, complex_step: bool = False
    ) -> None:
        self.limit = limit
        self.most = most
        self.complex_step = complex_step
        self.storages: list[Array] = []
        self.dtypes: list[str] = []
        self.tensors: list[Held] = []

    # ------------------------------------------------------------------------------- memory

    def dtype(self, x: Held) -> str:
        """The dtype of a tensor."""
        return self.dtypes[x.storage]

    def kind(self, x: Held) -> Kind:
        """What promotion sees of a tensor."""
        return Kind(self.dtype(x), Rank.DIMENSIONED if x.shape else Rank.ZERO_DIM)

    def read(self, x: Held) -> Array:
        """The elements of a tensor, as a new array."""
        return np.asarray(self.storages[x.storage][_addresses(x.geometry)])

    def store(self, x: Held, values: Array) -> None:
        """Write elements that have the dtype already; they broadcast to the shape."""
        self.storages[x.storage][_addresses(x.geometry)] = values

    def allocate(self, values: Any, dtype: str, placed: bool = True) -> Held:
        """A new tensor over memory of its own."""
        made = np.asarray(values, self._element(dtype))
        self.storages.append(made.ravel().copy())
        self.dtypes.append(dtype)
        return Held(len(self.storages) - 1, strides.contiguous(made.shape), placed or made.ndim < 2)

    def _element(self, dtype: str) -> np.dtype[Any]:
        return np.dtype(np.complex128) if self._carries(dtype) else numpy_dtype(dtype)

    def _carries(self, dtype: str) -> bool:
        return self.complex_step and dtype == "float64"

    def viewed(self, x: int, steps: Sequence[tuple[str, Any]]) -> Held:
        """The view to which the steps of an arrangement lead from a tensor."""
        base = self.tensors[x]
        return Held(base.storage, strides.after(base.geometry, steps))

    def check_write(self, x: Held, *sources: Held) -> None:
        """Undefined where the order of element writes would show."""
        if _overlaps(x.geometry):
            raise Undefined("the target overlaps itself")
        for y in sources:
            if y is not x and y.storage == x.storage and x.geometry.size:
                shared = np.intersect1d(_addresses(x.geometry), _addresses(y.geometry))
                if shared.size:
                    raise Undefined("source and target overlap")

    # --------------------------------------------------------------------------- arithmetic

    def converted(self, values: Array, dtype: str) -> Array:
        """Whole numbers in a dtype: exact, or, among integers, wrapped around."""
        if self._carries(dtype):
            return np.asarray(values, np.complex128)
        to = category(dtype)
        if values.dtype.kind == "c" and to is not Category.COMPLEX:
            raise Undefined("the imaginary part would be lost")
        if to is Category.BOOL:
            return np.asarray(values != 0)
        if to is Category.INTEGER:
            target = numpy_dtype(dtype)
            if values.dtype.kind not in "biu":
                bounds = np.iinfo(target.name)
                wide = values.astype(np.float64)
                if not np.all((wide >= float(bounds.min)) & (wide < float(bounds.max))):
                    raise Undefined("beyond the integers")
            return np.asarray(values.astype(target))
        most = min(1 / FORMATS[dtype].eps, self.limit)
        parts = (values.real, values.imag) if values.dtype.kind == "c" else (values,)
        for part in parts:
            if not np.all(np.abs(part.astype(np.float64)) <= most):
                raise Undefined("it would round")
        return np.asarray(values.astype(numpy_dtype(dtype)))

    def wide(self, values: Array, dtype: str) -> Array:
        """The elements in the dtype, where arithmetic neither rounds nor wraps otherwise."""
        exact = self.converted(values, dtype)
        kind = category(dtype)
        if kind is Category.COMPLEX or self._carries(dtype):
            return exact.astype(np.complex128)
        return exact.astype(np.float64) if kind is Category.FLOAT else exact

    def combined(self, name: str, *operands: Held | Number) -> tuple[Array, str]:
        """Elements, not yet of their dtype, and the promoted dtype, of point-wise arithmetic."""
        kinds = [self.kind(x) if isinstance(x, Held) else _NUMBERS[type(x)] for x in operands]
        common = promotion.result(*kinds)
        if common is None:
            raise Undefined("open promotion")
        if name in _NOT_OF_BOOLS and (
            common == "bool" or (name in ("sub", "rsub") and any(k.dtype == "bool" for k in kinds))
        ):
            raise Undefined(f"{name} of bools")
        if name in _OF_ORDERED and category(common) is Category.COMPLEX:
            raise Undefined("complex numbers have no order")
        read = (np.asarray(x) if not isinstance(x, Held) else self.read(x) for x in operands)
        wide = [self.wide(values, common) for values in read]
        broadcast(*wide)
        if name in COMPARISONS:
            if self._carries(common):
                wide = [values.real for values in wide]
            return np.asarray(COMPARISONS[name](*wide)), "bool"
        function = _OF_BOOLS.get(name) if common == "bool" else None
        with np.errstate(over="ignore"):
            return np.asarray((function or ARITHMETIC[name])(*wide)), common


_NUMBERS = {
    bool: Kind("bool", Rank.NUMBER),
    int: Kind("int64", Rank.NUMBER),
    float: Kind("float32", Rank.NUMBER),
}

ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "rsub": lambda a, b: b - a,
    "neg": lambda a: -a,
    "abs": np.abs,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "add-scaled": lambda a, b, alpha: a + alpha * b,
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
_OF_BOOLS: dict[str, Callable[..., Any]] = {"add": np.logical_or, "mul": np.logical_and}
_NOT_OF_BOOLS = frozenset({"sub", "rsub", "neg", "abs"})
_OF_ORDERED = frozenset({"abs", "maximum", "minimum", "lt", "le", "gt", "ge"})


def broadcast(*arrays: Array) -> Shape:
    """The common shape; Undefined where there is none."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        raise Undefined("shapes that do not broadcast") from None
