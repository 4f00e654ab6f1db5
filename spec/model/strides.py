"""Where elements lie: the shape, strides and offset that each view operation has to give.

Element (i, j, ...) lies at offset + i*stride[0] + j*stride[1] + ... (source: tensor views), so a
flat NumPy array and a Geometry together answer what any view reads, and what a write changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Dims = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a tensor lies in its storage; strides and offset count elements.

    conjugated: the values are the conjugates of what lies in memory (H, mH, adjoint).
    """

    shape: Shape
    stride: Shape
    offset: int = 0
    conjugated: bool = False

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def significant(self) -> tuple[Shape, int]:
        """Strides and offset that reach an element: lengths of 1 and empty tensors have none."""
        if not self.size:
            return (), 0
        return significant(self.shape, self.stride), self.offset

    def addresses(self) -> np.ndarray:
        """The address of every element: int64, of this shape."""
        at = np.full((), self.offset)
        for length, stride in zip(self.shape, self.stride, strict=True):
            at = at[..., None] + np.arange(length) * stride
        return at

    def read(self, memory: np.ndarray) -> np.ndarray:
        """What a tensor that lies so in the flat array `memory` holds."""
        found = np.asarray(memory[self.addresses()])
        return np.conj(found) if self.conjugated and found.dtype.kind == "c" else found

    def write(self, memory: np.ndarray, new: Any) -> None:
        """Change `memory` as writing `new`, which broadcasts to the shape, has to."""
        held = np.broadcast_to(np.asarray(new, memory.dtype), self.shape)
        memory[self.addresses()] = (
            np.conj(held) if self.conjugated and held.dtype.kind == "c" else held
        )

    def overlaps(self) -> bool:
        """Whether two elements share an address."""
        return len(np.unique(self.addresses())) < self.size

    def is_contiguous(self) -> bool:
        """Whether the elements lie one after another in row-major order."""
        return self.significant[0] == contiguous(self.shape).significant[0]


def significant(shape: Sequence[int], stride: Sequence[int]) -> Shape:
    """The strides of the dimensions longer than 1: no other stride reaches an element."""
    return tuple(s for n, s in zip(shape, stride, strict=True) if n > 1)


def contiguous(shape: Sequence[int]) -> Geometry:
    """The geometry of a new tensor: row-major, from the start of its storage."""
    stride: list[int] = []
    step = 1
    for length in reversed(shape):
        stride.insert(0, step)
        step *= max(length, 1)
    return Geometry(tuple(shape), tuple(stride))


def after(geometry: Geometry, steps: Sequence[tuple[str, Any]]) -> Geometry:
    """The geometry after the steps of a `cases.layouts.Arrangement`."""
    for kind, argument in steps:
        geometry = {"index": index, "permute": permute, "expand": expand}[kind](geometry, argument)
    return geometry


# ------------------------------------------------------------------------------ rearranging


def _flat(arguments: tuple[Any, ...]) -> Shape:
    """Sizes or dims given as one sequence or one by one."""
    [*items] = arguments[0] if arguments and not isinstance(arguments[0], int) else arguments
    return tuple(items)


def _several(dims: Dims) -> Shape:
    return (dims,) if isinstance(dims, int) else tuple(dims)


def permute(g: Geometry, *dims: Any) -> Geometry:
    """Dimension i of the result is dimension dims[i]."""
    order = [dim % g.rank for dim in _flat(dims)]
    return replace(
        g, shape=tuple(g.shape[d] for d in order), stride=tuple(g.stride[d] for d in order)
    )


def transpose(g: Geometry, a: int, b: int) -> Geometry:
    """The two dimensions change places."""
    order = list(range(g.rank))
    if g.rank:
        order[a], order[b] = order[b], order[a]
    return permute(g, order)


def movedim(g: Geometry, source: Dims, destination: Dims) -> Geometry:
    """The dimensions `source` end up at `destination`; the others keep their order."""
    pairs = zip(_several(source), _several(destination), strict=True)
    places = {d % g.rank: s % g.rank for s, d in pairs}
    others = iter(d for d in range(g.rank) if d not in places.values())
    return permute(g, [places[d] if d in places else next(others) for d in range(g.rank)])


def t(g: Geometry) -> Geometry:
    """The transpose of a matrix; fewer dimensions stay as they are."""
    return transpose(g, 0, 1) if g.rank == 2 else g


def matrix_transpose(g: Geometry) -> Geometry:
    """The last two dimensions change places."""
    return transpose(g, -2, -1)


def adjoint(g: Geometry) -> Geometry:
    """The last two dimensions change places, and complex values are conjugated."""
    return replace(matrix_transpose(g), conjugated=not g.conjugated)


# ---------------------------------------------------------------------------------- cutting


def cut(g: Geometry, dim: int, start: int, length: int, step: int = 1) -> Geometry:
    """`length` places of dimension dim: start, start + step, ..."""
    shape, stride = list(g.shape), list(g.stride)
    offset = g.offset + start * stride[dim]
    shape[dim], stride[dim] = length, stride[dim] * step
    return replace(g, shape=tuple(shape), stride=tuple(stride), offset=offset)


def _without(g: Geometry, *dims: int) -> Geometry:
    kept = [d for d in range(g.rank) if d not in {dim % g.rank for dim in dims}]
    return permute(g, kept)


def select(g: Geometry, dim: int, index: int) -> Geometry:
    """One place of dimension dim, which disappears."""
    return _without(cut(g, dim, index % g.shape[dim], 1), dim)


def narrow(g: Geometry, dim: int, start: int, length: int) -> Geometry:
    """`length` places from `start`, which counts from the end where it is negative."""
    return cut(g, dim, start + g.shape[dim] if start < 0 else start, length)


def index(g: Geometry, wanted: Any) -> Geometry:
    """Basic indexing: integers, slices, one ..., None."""
    parts = list(wanted) if isinstance(wanted, tuple) else [wanted]
    consumed = sum(part is not None and part is not ... for part in parts)
    at = next((i for i, part in enumerate(parts) if part is ...), len(parts))
    parts[at : at + 1] = [slice(None)] * (g.rank - consumed)
    dim = 0
    for part in parts:
        if part is None:
            g, dim = unsqueeze(g, dim), dim + 1
        elif isinstance(part, slice):
            places = range(*part.indices(g.shape[dim]))
            g, dim = cut(g, dim, places.start, len(places), places.step), dim + 1
        else:
            g = select(g, dim, part)
    return g


def diagonal(g: Geometry, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Geometry:
    """The elements (i, i + offset) of the two dimensions, as a new last one."""
    rows, columns = max(-offset, 0), max(offset, 0)
    length = max(min(g.shape[dim1] - rows, g.shape[dim2] - columns), 0)
    stride = g.stride[dim1] + g.stride[dim2]
    start = g.offset + rows * g.stride[dim1] + columns * g.stride[dim2] if length else g.offset
    rest = _without(g, dim1, dim2)
    return replace(rest, shape=(*rest.shape, length), stride=(*rest.stride, stride), offset=start)


def unfold(g: Geometry, dim: int, size: int, step: int) -> Geometry:
    """Windows of `size` places, every `step` places, as a new last dimension."""
    windows = cut(g, dim, 0, (g.shape[dim] - size) // step + 1, step)
    return replace(windows, shape=(*windows.shape, size), stride=(*windows.stride, g.stride[dim]))


def split(g: Geometry, sizes: Dims, dim: int = 0) -> tuple[Geometry, ...]:
    """Pieces of the given length (the last one may be shorter), or of the given lengths."""
    length = g.shape[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, length - start) for start in range(0, length, sizes)] or [0]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(cut(g, dim, start, size) for start, size in zip(starts, sizes, strict=True))


def chunk(g: Geometry, chunks: int, dim: int = 0) -> tuple[Geometry, ...]:
    """At most `chunks` pieces, all of the length that so many need, the last one shorter."""
    return split(g, max(-(-g.shape[dim] // chunks), 1), dim)


def tensor_split(g: Geometry, where: Dims, dim: int = 0) -> tuple[Geometry, ...]:
    """So many pieces, the first ones longer by one; or pieces that end at the given indices."""
    length = g.shape[dim]
    if isinstance(where, int):
        each, longer = divmod(length, where)
        return split(g, [each + (i < longer) for i in range(where)], dim)
    ends = [min(max(end + length if end < 0 else end, 0), length) for end in where]
    bounds = zip([0, *ends], [*ends, length], strict=True)
    return tuple(cut(g, dim, start, max(end - start, 0)) for start, end in bounds)


def hsplit(g: Geometry, where: Dims) -> tuple[Geometry, ...]:
    """tensor_split along the columns: dimension 1, or the only one."""
    return tensor_split(g, where, 1 if g.rank > 1 else 0)


def unbind(g: Geometry, dim: int = 0) -> tuple[Geometry, ...]:
    """Every place of dimension dim."""
    return tuple(select(g, dim, i) for i in range(g.shape[dim]))


# -------------------------------------------------------------------------------- reshaping


def squeeze(g: Geometry, dims: Dims | None = None) -> Geometry:
    """Without the dimensions of length 1, or those among the given ones."""
    chosen = range(g.rank) if dims is None else [dim % max(g.rank, 1) for dim in _several(dims)]
    return permute(g, [d for d in range(g.rank) if d not in chosen or g.shape[d] != 1])


def unsqueeze(g: Geometry, dim: int) -> Geometry:
    """With a new dimension of length 1 at dim of the result."""
    at = dim % (g.rank + 1)
    return replace(
        g, shape=(*g.shape[:at], 1, *g.shape[at:]), stride=(*g.stride[:at], 0, *g.stride[at:])
    )


def expand(g: Geometry, *sizes: Any) -> Geometry:
    """Lengths of 1 stretch with stride 0; -1 keeps a length; new dimensions come first."""
    wanted = _flat(sizes)
    new = len(wanted) - g.rank
    shape, stride = [1] * new + list(g.shape), [0] * new + list(g.stride)
    for dim, length in enumerate(wanted):
        if length not in (-1, shape[dim]):
            shape[dim], stride[dim] = length, 0
    return replace(g, shape=tuple(shape), stride=tuple(stride))


def inferred(sizes: Shape, count: int) -> Shape:
    """The sizes with -1 replaced by the length that makes `count` elements."""
    known = prod(size for size in sizes if size != -1)
    return tuple(count // known if size == -1 else size for size in sizes)


def view(g: Geometry, *sizes: Any) -> Geometry | None:
    """The same elements in row-major order as another shape; None where no strides say so.

    By definition, not by a rule: there has to be one stride for each dimension that leads to
    the address of every element.
    """
    shape = inferred(_flat(sizes), g.size)
    if not g.size:
        return replace(contiguous(shape), offset=g.offset, conjugated=g.conjugated)
    at = g.addresses().reshape(shape)
    steps = [at[(0,) * d + (slice(2),) + (0,) * (len(shape) - d - 1)] for d in range(len(shape))]
    stride = tuple(int(step[1] - step[0]) if len(step) > 1 else 0 for step in steps)
    candidate = replace(g, shape=shape, stride=stride)
    return candidate if np.array_equal(candidate.addresses(), at) else None


def unflatten(g: Geometry, dim: int, sizes: Shape) -> Geometry:
    """Dimension dim split into the given lengths, row-major; one of them may be -1."""
    at = dim % g.rank
    inner = contiguous(inferred(tuple(sizes), g.shape[at]))
    stride = tuple(step * g.stride[at] for step in inner.stride)
    return replace(
        g,
        shape=(*g.shape[:at], *inner.shape, *g.shape[at + 1 :]),
        stride=(*g.stride[:at], *stride, *g.stride[at + 1 :]),
    )


def as_strided(
    g: Geometry, size: Shape, stride: Shape, storage_offset: int | None = None
) -> Geometry:
    """As given, over the whole storage; the offset stays where none is given."""
    return replace(
        g, shape=size, stride=stride, offset=g.offset if storage_offset is None else storage_offset
    )


def _same(g: Geometry, *_: object) -> Geometry:
    return g


RULES: dict[str, Callable[..., Geometry | tuple[Geometry, ...] | None]] = {
    "index": index,
    "permute": permute,
    "transpose": transpose,
    "swapaxes": transpose,
    "swapdims": transpose,
    "movedim": movedim,
    "moveaxis": movedim,
    "t": t,
    "T": t,
    "mT": matrix_transpose,
    "H": adjoint,
    "mH": adjoint,
    "adjoint": adjoint,
    "select": select,
    "narrow": narrow,
    "diagonal": diagonal,
    "unfold": unfold,
    "split": split,
    "chunk": chunk,
    "tensor_split": tensor_split,
    "hsplit": hsplit,
    "vsplit": tensor_split,
    "dsplit": lambda g, where: tensor_split(g, where, 2),
    "unbind": unbind,
    "squeeze": squeeze,
    "unsqueeze": unsqueeze,
    "expand": expand,
    "expand_as": expand,
    "broadcast_to": expand,
    "view": view,
    "view_as": view,
    "unflatten": unflatten,
    "as_strided": as_strided,
    "detach": _same,
}
"""The geometry of each view operation's result (a tuple where it gives several)."""
