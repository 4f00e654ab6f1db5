"""An interpreter for small tensor programs: what each operation means for a `Machine`.

A meaning takes the machine, the operands and the arguments, and gives the tensor that the
step's expression names: a new one, or the very operand that it returns. It raises `Undefined`
for a step whose outcome the documents leave open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tenet.spec.model import promotion, strides
from tenet.spec.model.dtypes import Category, category
from tenet.spec.model.machine import (
    ARITHMETIC,
    COMPARISONS,
    Array,
    Held,
    Machine,
    Number,
    Undefined,
    broadcast,
)
from tenet.spec.model.strides import Geometry, Shape

Meaning = Callable[..., Held]


def _viewed(name: str) -> Meaning:
    def view(machine: Machine, x: Held, arguments: tuple[Any, ...]) -> Held:
        if name == "view" and not x.placed:
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
    # The product may be rounded before it is added.
    values, _ = machine.combined("mul", y, alpha)
    machine.converted(values, promotion.promoted(machine.dtype(x), machine.dtype(y)))
    return _computed("add-scaled")(machine, x, y, alpha)


def _put(machine: Machine, x: Held, values: Array, dtype: str | None, *sources: Held) -> Held:
    """Write elements into x, which keeps its dtype; dtype: that of the computation, if any."""
    machine.check_write(x, *sources)
    if dtype is not None and not promotion.castable(dtype, machine.dtype(x)):
        raise Undefined("a category above that of the target")
    if broadcast(np.empty(x.shape), values) != x.shape:
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
    if broadcast(np.empty(x.shape), mask) != x.shape:
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
    shape = broadcast(mask, a, b)
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
            values = machine.wide(values, dtype)
            if name == "cumsum":
                return _new(machine, values.cumsum(dim), dtype, x)
            found = values.sum(dim, keepdims=keepdim)
        elif name == "amax":
            _need(category(dtype) is not Category.COMPLEX and values.size > 0)
            found = values.max(dim, keepdims=keepdim)
        else:
            _need(dtype != "uint8")  # it has a dtype of its own
            _need(category(dtype) is not Category.COMPLEX)
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
        values = join([a, b], dim)
        # With four dimensions lengths of 1 make memory formats ambiguous.
        plain = x.plain and y.plain and values.ndim < 4
        return machine.allocate(values, machine.dtype(x), plain)

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
