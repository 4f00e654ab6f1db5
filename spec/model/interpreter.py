"""An interpreter for small tensor programs, with a memory model of its own.

A storage is a flat array; a tensor says which addresses of one storage it shows, in which
shape. Every read collects, and every write scatters, address by address, so who sees whose
writes follows from the documented stride rule and from nothing that NumPy does with views.

Elements are whole numbers so small that arithmetic is exact in the dtype at hand; a step whose
outcome the documents leave open, or that would round, raises `Undefined` and changes nothing.
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

    def _wide(self, values: Array, dtype: str) -> Array:
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
        wide = [self._wide(values, common) for values in read]
        _broadcast(*wide)
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


def _broadcast(*arrays: Array) -> Shape:
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        raise Undefined("shapes that do not broadcast") from None


# ------------------------------------------------------------------------------ what steps mean
#
# A meaning takes the machine, the operands and the arguments, and gives the tensor that the
# step's expression names: a new one, or the very operand that it returns.

Meaning = Callable[..., Held]


def _viewed(name: str) -> Meaning:
    def view(machine: Machine, x: Held, arguments: tuple[Any, ...]) -> Held:
        if name in ("view", "view_as") and not x.placed:
            raise Undefined("strides that are not documented")
        geometry = strides.RULES[name](x.geometry, *arguments)
        if not isinstance(geometry, Geometry):
            raise Undefined("strides that cannot say it")
        return Held(x.storage, geometry, x.placed)

    return view


def _piece(name: str) -> Meaning:
    def piece(machine: Machine, x: Held, arguments: tuple[Any, ...], which: int) -> Held:
        pieces = strides.RULES[name](x.geometry, *arguments)
        if not isinstance(pieces, tuple) or not -len(pieces) <= which < len(pieces):
            raise Undefined("no such piece")
        return Held(x.storage, pieces[which], x.placed)

    return piece


def _reshaped(sizes: Callable[..., Shape]) -> Meaning:
    """A view where strides can say it, else a copy."""

    def reshape(machine: Machine, x: Held, arguments: tuple[Any, ...]) -> Held:
        if not x.placed:
            raise Undefined("strides that are not documented")
        shape = sizes(x.shape, *arguments)
        if shape == x.shape:
            raise Undefined("whether it is the operand itself, or a view of it")
        view = strides.view(x.geometry, shape)
        if view is not None:
            return Held(x.storage, view)
        shape = strides.inferred(shape, x.geometry.size)
        return machine.allocate(machine.read(x).reshape(shape), machine.dtype(x))

    return reshape


def _flattened(shape: Shape, start: int = 0, end: int = -1) -> Shape:
    if not shape:
        return (1,)
    first, last = start % len(shape), end % len(shape)
    merged = int(np.prod(shape[first : last + 1], dtype=int))
    return (*shape[:first], merged, *shape[last + 1 :])


def _contiguous(machine: Machine, x: Held) -> Held:
    if not x.placed:
        raise Undefined("strides that are not documented")
    return x if x.plain else machine.allocate(machine.read(x), machine.dtype(x))


def _rearranged(name: str) -> Meaning:
    """The tensor itself gets the geometry of the view operation."""

    def rearrange(machine: Machine, x: Held, arguments: tuple[Any, ...]) -> Held:
        x.geometry = _viewed(name)(machine, x, arguments).geometry
        return x

    return rearrange


def _computed(name: str) -> Meaning:
    def compute(machine: Machine, *operands: Held | Number) -> Held:
        values, dtype = machine.combined(name, *operands)
        tensors = [x for x in operands if isinstance(x, Held)]
        plain = all(x.plain and x.shape in ((), values.shape) for x in tensors)
        return machine.allocate(machine.converted(values, dtype), dtype, plain)

    return compute


def _scaled(machine: Machine, x: Held, y: Held, alpha: int) -> Held:
    _need("bool" not in (machine.dtype(x), machine.dtype(y)))
    return _computed("add-scaled")(machine, x, y, alpha)


def _put(machine: Machine, x: Held, values: Array, dtype: str | None, *sources: Held) -> Held:
    """Write elements into x, which keeps its dtype; dtype: that of the computation, if any."""
    machine.check_write(x, *sources)
    if dtype is not None and not promotion.castable(dtype, machine.dtype(x)):
        raise Undefined("a category above that of the target")
    if _broadcast(np.empty(x.shape), values) != x.shape:
        raise Undefined("an in-place operation cannot grow its target")
    machine.store(x, machine.converted(values, machine.dtype(x)))
    return x


def _in_place(name: str) -> Meaning:
    def compute(machine: Machine, x: Held, *others: Held | Number) -> Held:
        values, dtype = machine.combined(name, x, *others)
        values = machine.converted(values, dtype)
        return _put(machine, x, values, dtype, *(y for y in others if isinstance(y, Held)))

    return compute


def _into(name: str) -> Meaning:
    """The result goes to the last operand (out=)."""

    def compute(machine: Machine, *operands: Held) -> Held:
        *sources, out = operands
        values, dtype = machine.combined(name, *sources)
        if values.shape != out.shape:
            raise Undefined("out= would be resized")
        return _put(machine, out, machine.converted(values, dtype), dtype, *sources)

    return compute


def _filled(machine: Machine, x: Held, number: Number) -> Held:
    return _put(machine, x, np.asarray(number), None)


def _copied(machine: Machine, x: Held, y: Held) -> Held:
    return _put(machine, x, machine.read(y), None, y)


def _at(meaning: Meaning) -> Meaning:
    """The same, on what a basic index selects: x[i] = ..., x[i] += ..."""

    def write(machine: Machine, x: Held, *rest: Any) -> Held:
        *others, index = rest
        part = Held(x.storage, strides.index(x.geometry, index), x.placed)
        meaning(machine, part, *others)
        return x

    return write


def _mask_filled(machine: Machine, x: Held, mask: Array, number: Number) -> Held:
    if _broadcast(np.empty(x.shape), mask) != x.shape:
        raise Undefined("a mask larger than the tensor")
    kept = machine.read(x)
    values = machine.converted(np.asarray(number), machine.dtype(x))
    return _put(machine, x, np.where(mask, values, kept), None)


def _fill_where_greater(machine: Machine, x: Held, y: Held, least: int, number: Number) -> Held:
    return _mask_filled(machine, x, machine.combined("gt", y, least)[0], number)


def _fill_own_where_greater(machine: Machine, x: Held, least: int, number: Number) -> Held:
    return _fill_where_greater(machine, x, x, least, number)


def _fill_mask(machine: Machine, x: Held, mask: Held, number: Number) -> Held:
    _need(machine.dtype(mask) == "bool")
    machine.check_write(x, mask)
    return _mask_filled(machine, x, machine.read(mask), number)


def _need(holds: bool) -> None:
    if not holds:
        raise Undefined("operands of other kinds")


def _new(machine: Machine, values: Array, dtype: str, *tensors: Held) -> Held:
    return machine.allocate(values, dtype, all(x.plain for x in tensors))


def _cloned(machine: Machine, x: Held) -> Held:
    return _new(machine, machine.read(x), machine.dtype(x), x)


def _cloned_contiguous(machine: Machine, x: Held) -> Held:
    return machine.allocate(machine.read(x), machine.dtype(x))


def _cast(machine: Machine, x: Held, dtype: str) -> Held:
    if dtype == machine.dtype(x):
        return x
    return _new(machine, machine.converted(machine.read(x), dtype), dtype, x)


def _chosen(machine: Machine, mask: Array, x: Held, y: Held, *masks: Held) -> Held:
    _need(machine.dtype(x) == machine.dtype(y) and machine.dtype(x) != "bool")
    a, b = machine.read(x), machine.read(y)
    shape = _broadcast(mask, a, b)
    _need(bool(x.shape) == bool(y.shape))
    plain = all(t.plain and t.shape == shape for t in (x, y, *masks))
    return machine.allocate(np.where(mask, a, b), machine.dtype(x), plain)


def _where(machine: Machine, x: Held, y: Held, mask: Held) -> Held:
    _need(machine.dtype(mask) == "bool")
    return _chosen(machine, machine.read(mask), x, y, mask)


def _where_greater(machine: Machine, x: Held, y: Held, least: int) -> Held:
    return _chosen(machine, machine.combined("gt", x, least)[0], x, y)


def _reduced(name: str) -> Meaning:
    """A reduction over one dimension or all; sums count exactly as far as every order does."""

    def reduce(machine: Machine, x: Held, dim: int | None = None, keepdim: bool = False) -> Held:
        values, dtype = machine.read(x), machine.dtype(x)
        _need(dim is None or -values.ndim <= dim < values.ndim)
        if name in ("sum", "cumsum"):
            if category(dtype) <= Category.INTEGER:
                dtype = "int64"
            values = machine.converted(values, dtype)
            if not machine.complex_step:
                size = np.abs(values.astype(np.complex128)).sum(keepdims=True)
                machine.converted(np.ceil(size), dtype)
            values = machine._wide(values, dtype)
            if name == "cumsum":
                return _new(machine, values.cumsum(dim), dtype, x)
            found = values.sum(dim, keepdims=keepdim)
        elif name == "amax":
            _need(category(dtype) is not Category.COMPLEX and values.size > 0)
            found = values.max(dim, keepdims=keepdim)
        else:
            _need(dtype != "uint8")  # it has a dtype of its own
            found, dtype = (values != 0).any(dim, keepdims=keepdim), "bool"
        return _new(machine, np.asarray(found), dtype, x)

    return reduce


def _joined(join: Callable[..., Array]) -> Meaning:
    def joined(machine: Machine, x: Held, y: Held, dim: int) -> Held:
        _need(machine.dtype(x) == machine.dtype(y))
        a, b = machine.read(x), machine.read(y)
        if join is np.stack:
            _need(a.shape == b.shape and -a.ndim - 1 <= dim <= a.ndim)
        else:
            _need(a.ndim == b.ndim > 0 and -a.ndim <= dim < a.ndim)
            lengths = zip(a.shape, b.shape, range(a.ndim), strict=True)
            _need(all(n == m or d == dim % a.ndim for n, m, d in lengths))
        return _new(machine, join([a, b], dim), machine.dtype(x), x, y)

    return joined


def _moved(function: Callable[..., Array]) -> Meaning:
    def move(machine: Machine, x: Held, *arguments: Any) -> Held:
        values = np.asarray(function(machine.read(x), *arguments))
        return _new(machine, values, machine.dtype(x), x)

    return move


def _masked(machine: Machine, x: Held, mask: Held) -> Held:
    _need(machine.dtype(mask) == "bool" and mask.shape == x.shape and x.shape != ())
    return machine.allocate(machine.read(x)[machine.read(mask)], machine.dtype(x))


_VIEWS = (
    "transpose", "permute", "view", "select", "narrow", "unsqueeze", "squeeze",
    "expand", "diagonal", "unflatten", "movedim", "T", "mT", "unfold", "detach",
)  # fmt: skip
_PIECES = ("unbind", "chunk", "split", "tensor_split")

MEANING: dict[str, Meaning] = {
    **{name: _viewed(name) for name in _VIEWS},
    "index": lambda machine, x, index: Held(x.storage, strides.index(x.geometry, index), x.placed),
    **{name: _piece(name) for name in _PIECES},
    "reshape": _reshaped(lambda shape, sizes: tuple(sizes)),
    "flatten": _reshaped(_flattened),
    "contiguous": _contiguous,
    **{f"{name}_": _rearranged(name) for name in ("transpose", "unsqueeze", "squeeze")},
    **{name: _computed(name) for name in (*ARITHMETIC, *COMPARISONS)},
    "add-scaled": _scaled,
    **{f"{name}_": _in_place(name) for name in ("add", "sub", "mul", "neg", "maximum")},
    **{f"{name}-out": _into(name) for name in ("add", "sub", "mul", "gt")},
    "fill_": _filled,
    "copy_": _copied,
    "set-number": _at(_filled),
    "set-tensor": _at(_copied),
    **{f"{name}-at": _at(_in_place(name)) for name in ("add", "mul")},
    "fill-mask": _fill_mask,
    "fill-where": _fill_where_greater,
    "fill-own": _fill_own_where_greater,
    "where": _where,
    "where-greater": _where_greater,
    "clone": _cloned,
    "clone-contiguous": _cloned_contiguous,
    "to": _cast,
    **{name: _reduced(name) for name in ("sum", "cumsum", "amax", "any")},
    "cat": _joined(np.concatenate),
    "stack": _joined(np.stack),
    "flip": _moved(np.flip),
    "repeat": _moved(lambda a, arguments: np.tile(a, arguments[0])),
    "take-rows": _moved(lambda a, rows: a[rows]),
    "masked": _masked,
}
"""What each operation does: meaning(machine, *operands, *arguments)."""

Operation = tuple[str, tuple[int, ...], tuple[Any, ...]]


def perform(machine: Machine, operation: Operation) -> int:
    """Take one step: (name, operands as indices of tensors, arguments). The result's index.

    Undefined, with the machine unchanged, for a step that nobody is told the outcome of.
    """
    name, operands, arguments = operation
    tensors = [machine.tensors[i] for i in operands]
    storages = len(machine.storages)
    try:
        found = MEANING[name](machine, *tensors, *arguments)
        if found.geometry.size > machine.most:
            raise Undefined("more elements than a small program needs")
    except Undefined:
        del machine.storages[storages:], machine.dtypes[storages:]
        raise
    for i in operands:
        if machine.tensors[i] is found:
            return i
    machine.tensors.append(found)
    return len(machine.tensors) - 1


def run(machine: Machine, program: Sequence[Operation]) -> None:
    """Take every step of a program that has been found to be defined."""
    for operation in program:
        perform(machine, operation)
