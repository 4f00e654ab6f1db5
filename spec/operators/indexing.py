"""The rows of indexing: picking, writing, ordering and rearranging elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import prod
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LAYOUTS, LENGTHS, Operand, layouts, regimes, seeds
from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.shapes import of_many_ranks
from tenet.spec.model.dtypes import ALL, BOOL, COMPLEX, FLOATS, INTEGERS
from tenet.spec.operators.domains import anywhere, ranks
from tenet.spec.operators.operator import (
    Array,
    Call,
    Indices,
    Mask,
    Operator,
    boolean,
    index,
    table,
    unary,
)
from tenet.spec.operators.results import indices

REAL = FLOATS + INTEGERS
NUMBERS = REAL + COMPLEX
Shape = tuple[int, ...]

# ------------------------------------------------------------------------------------- uses


@encodable
@dataclass(frozen=True, slots=True)
class Lines:
    """An int64 operand; along `dim` each line holds distinct elements of [0, high)."""

    shape: Shape
    dim: int
    high: int
    seed: int = 0
    layout: str = "contiguous"

    def array(self, dtype: str) -> Array:
        """The elements; the dtype of the other operands does not matter."""
        if not self.shape:
            return np.zeros((), np.int64)
        random = np.random.Generator(np.random.PCG64(self.seed))
        dim = self.dim % len(self.shape)
        whole = (*self.shape[:dim], max(self.high, self.shape[dim]), *self.shape[dim + 1 :])
        kept = tuple(slice(n) for n in self.shape)
        return np.asarray(np.argsort(random.random(whole), axis=dim)[kept], np.int64)


_LAID = ("contiguous", "stepped", "transposed", "offset", "permuted", "gapped", "rows-stepped")


def _laid(seed: int) -> str:
    """How indices lie in memory: as the seed says, whatever the layout of what they index."""
    return _LAID[seed % len(_LAID)]


_FEW = (2, 3, 1, 5, 8, 9, 17)
_MOST_SQUARED = 20_000
"""Elements of a result in which one dimension stands twice."""


@cache
def _shapes(max_size: int = 3000) -> list[Shape]:
    """Every length alone and at each place beside a few; the simplest first."""
    random = Random("indexing")
    pool: set[Shape] = {(n,) for n in LENGTHS if n <= max_size}
    for long in (*LENGTHS, *_FEW, *_FEW, *_FEW):
        for rank in (2, 3, 4):
            shape = [random.choice(_FEW) for _ in range(rank)]
            shape[random.randrange(rank)] = long
            if prod(shape) <= max_size:
                pool.add(tuple(shape))
    pool.update(of_many_ranks(random, max_size))
    return [(), *sorted(pool, key=lambda shape: (0 in shape, prod(shape), shape))]


def _dim(shape: Shape, random: Random) -> int:
    rank = max(len(shape), 1)
    return random.randrange(-rank, rank)


def _at(shape: Shape, dim: int, length: int) -> Shape:
    """The shape with another length at one dimension."""
    if not shape:
        return ()
    dim %= len(shape)
    return (*shape[:dim], length, *shape[dim + 1 :])


def _drawn(
    make: Callable[[Any, str, str, int], Call], pool: list[Any], *, finite: bool = True
) -> st.SearchStrategy[Call]:
    return st.builds(make, st.sampled_from(pool), layouts(), regimes(finite=finite), seeds())


def _lengths(n: int, random: Random, most: int) -> int:
    """How long an index into n elements is: as many, fewer, more, none."""
    return min(random.choice((n, 2, 1, 7, 16, 33, 2 * n + 1, 0)), most) if n else 0


def by_line(
    *,
    source: bool = False,
    larger: bool = False,
    distinct: bool = False,
    whole: bool = False,
    regime: str | None = None,
    **choices: tuple[Any, ...],
) -> st.SearchStrategy[Call]:
    """Uses with an index of the operand's rank, along a dimension: it may be smaller than the
    operand in the others (`whole`: it is not), and longer or shorter in that one.

    source: a third operand, as large as the index; `larger`: or larger, for which no derivative
    is documented. distinct: no index twice in a
    line. regime: of the values, where an order of additions may not matter.
    """
    random = Random("by line")
    pool = []
    for shape in _shapes()[whole:]:  # take_along_dim has no dimension 0 of a 0-d tensor
        dim = _dim(shape, random)
        n = shape[dim] if shape else 1
        length = _lengths(n, random, n if distinct else 4 * n)
        inner = shape if whole else tuple(random.choice((m, m, max(m - 1, 0))) for m in shape)
        arguments = tuple((name, random.choice(values)) for name, values in choices.items())
        more = tuple(m + random.choice((0, 0, larger)) for m in _at(inner, dim, length))
        pool.append((shape, dim, n, _at(inner, dim, length), more, arguments))

    def make(use: Any, layout: str, drawn: str, seed: int) -> Call:
        shape, dim, high, picked, more, arguments = use
        laid = _laid(seed)
        kind: Any = (
            Lines(picked, dim, high, seed, laid)
            if distinct
            else Indices(picked, 0, high, seed, layout=laid)
        )
        operands = [Operand(shape, layout, regime or drawn, seed), kind]
        if source:
            operands.append(Operand(more, layout, regime or drawn, seed + 5))
        return Call(tuple(operands), (("dim", dim), *arguments))

    return _drawn(make, pool)


def by_slice(
    *,
    source: bool = False,
    distinct: bool = False,
    narrow: bool = False,
    regime: str | None = None,
    **choices: tuple[Any, ...],
) -> st.SearchStrategy[Call]:
    """Uses with a vector of indices into a dimension; source: as many slices, as third operand;
    narrow: of int32, too."""
    random = Random("by slice")
    pool = []
    for shape in _shapes():
        dim = _dim(shape, random)
        n = shape[dim] if shape else 1
        length = _lengths(n, random, n if distinct else 4 * n) if shape else 1
        arguments = tuple((name, random.choice(values)) for name, values in choices.items())
        pool.append((shape, dim, n, length, arguments))

    def make(use: Any, layout: str, drawn: str, seed: int) -> Call:
        shape, dim, n, length, arguments = use
        operands: list[Any] = [
            Operand(shape, layout, regime or drawn, seed),
            Indices((length,), 0, n, seed, distinct, _laid(seed), narrow and seed % 3 == 2),
        ]
        if source:
            operands.append(Operand(_at(shape, dim, length), layout, regime or drawn, seed + 5))
        return Call(tuple(operands), (("dim", dim), *arguments))

    return _drawn(make, pool)


def _flat(*, put: bool = False, regime: str | None = None) -> st.SearchStrategy[Call]:
    """Uses with indices, negative ones too, into the flattened operand."""
    random = Random("flat")
    pool = [
        (shape, random.choice([s for s in _shapes(200) if prod(s) <= 4 * prod(shape)]))
        for shape in _shapes()
        if prod(shape)
    ]

    def make(use: Any, layout: str, drawn: str, seed: int) -> Call:
        shape, picked = use
        n = prod(shape)
        chosen = Indices(picked, -n, n, seed, layout=_laid(seed))
        if not put:
            return Call((Operand(shape, layout, drawn, seed), chosen))
        source = Operand(picked, _laid(seed + 1), regime or drawn, seed + 5)
        operands = (Operand(shape, layout, regime or drawn, seed), chosen, source)
        return Call(operands, (("accumulate", True),))

    return _drawn(make, pool)


def _masked(*arguments: tuple[str, Any], source: bool = False) -> st.SearchStrategy[Call]:
    """Uses with a mask that broadcasts to the operand."""
    random = Random("masked")
    pool = []
    for shape in _shapes():
        kept = shape[random.choice((0, 0, len(shape) // 2)) :]
        pool.append((shape, tuple(n if random.random() < 0.8 else 1 for n in kept)))

    def make(use: Any, layout: str, regime: str, seed: int) -> Call:
        shape, mask = use
        operands: list[Any] = [Operand(shape, layout, regime, seed), Mask(mask, seed, _laid(seed))]
        if source:
            several = (prod(shape) + seed % 2,)
            operands.append(Operand(several, _laid(seed + 1), regime, seed + 5))
        return Call(tuple(operands), arguments)

    return _drawn(make, pool, finite=False)


def _each(
    *options: Callable[[Shape, Random], tuple[tuple[str, Any], ...]],
    rank: int = 0,
    finite: bool = False,
    empty: bool = True,
    squared: bool = False,
) -> st.SearchStrategy[Call]:
    """Uses with one operand, and arguments that its shape allows. squared: the last dimension
    is as long a second time in the result, which is kept from being much larger so."""
    random = Random("each")
    pool = [
        (shape, option(shape, random))
        for shape in _shapes()
        for option in options
        if len(shape) >= rank and (empty or 0 not in shape)
        if not squared or prod(shape) * shape[-1] <= _MOST_SQUARED
    ]
    return _drawn(
        lambda use, layout, regime, seed: Call((Operand(use[0], layout, regime, seed),), use[1]),
        pool,
        finite=finite,
    )


def _along(**choices: tuple[Any, ...]) -> Callable[[Shape, Random], tuple[tuple[str, Any], ...]]:
    """A dimension, and one value for each further argument."""

    def option(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
        more = tuple((name, random.choice(values)) for name, values in choices.items())
        return (("dim", _dim(shape, random)), *more)

    return option


def _several(name: str, *, shifts: bool = False) -> Any:
    """Some of the dimensions, from either end."""

    def option(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
        chosen = random.sample(range(len(shape)), random.randint(0 if not shifts else 1,
                                                                 len(shape)))  # fmt: skip
        dims = tuple(d - len(shape) if random.random() < 0.4 else d for d in chosen)
        by = tuple(random.choice((1, -1, 2, 0, -9, 33, 70)) for _ in dims)
        return (("shifts", by), (name, dims)) if shifts else ((name, dims),)

    return option


def _diagonal(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
    # No out= there: 2.13 writes outside a strided destination when the operand is expanded.
    return (("diagonal", random.choice((0, 1, -1, 2, -3, 40))),)


def _quarter(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
    return (("k", random.randint(-5, 5)), ("dims", tuple(random.sample(range(len(shape)), 2))))


def _planes(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
    first, second = random.sample(range(len(shape) + 1), 2)
    offset = random.choice((0, 1, -1, 3, -4))
    return (("offset", offset), ("dim1", first), ("dim2", second - len(shape) - 1))


def _among() -> st.SearchStrategy[Call]:
    """Uses with elements in any layout, and few or many to look for in any."""
    # Few in a matrix that is no single row in memory are refused by PyTorch 2.13: they are asked in
    # comparison.isin-of-transposed alone.
    few: list[tuple[Shape, str]] = [
        (shape, layout) for shape in ((2, 2), (2, 3, 2)) for layout in ("contiguous", "offset")
    ]
    free: list[tuple[Shape, str]] = [
        (shape, layout)
        for shape in ((3,), (1,), (0,), (17,), (129,), (9, 17), (5, 3, 4), ())
        for layout in LAYOUTS
    ]
    return st.builds(
        lambda call, others, seed: Call((*call.operands, Operand(others[0], others[1], seed=seed))),
        unary(finite=True), st.sampled_from([*free, *few]), seeds(),
    )  # fmt: skip


def _some(shape: Shape, random: Random) -> tuple[tuple[str, Any], ...]:
    dim = _dim(shape, random)
    n = shape[dim] if shape else 1
    return (("k", min(n, random.choice((n, 1, n // 2, 0))) if shape else 1), ("dim", dim),
            ("largest", random.random() < 0.5))  # fmt: skip


# ------------------------------------------------------------------------------- references


def coordinates(chosen: Array, dim: int) -> tuple[Array, ...]:
    """Where gather reads and scatter writes: each place, but for the chosen one at dim."""
    places: list[Any] = list(np.indices(chosen.shape, sparse=True))
    if places:
        places[dim] = chosen
    return tuple(places)


def gathered(x: Array, chosen: Array, dim: int) -> Array:
    """out[i][j][k] = x[i][chosen[i][j][k]][k], for dim 1."""
    return np.asarray(x[coordinates(chosen, dim)])


def scattered(
    x: Array, chosen: Array, source: Any, dim: int, reduce: str = "", include_self: bool = True
) -> Array:
    """x[i][chosen[i][j][k]][k] = source[i][j][k], or combined with what is there."""
    result, to = np.array(x), coordinates(chosen, dim)
    part = np.asarray(source)[tuple(slice(n) for n in chosen.shape)]
    if not reduce:
        result[to] = part
        return result
    combine, neutral = _COMBINE[reduce]
    if not include_self:
        result[to] = neutral if neutral is not None else part
    combine.at(result, to, part)
    return result


_COMBINE: dict[str, tuple[Any, Any]] = {
    "sum": (np.add, 0),
    "prod": (np.multiply, 1),
    "amax": (np.maximum, None),
    "amin": (np.minimum, None),
}
"""amax and amin of what is new alone: beginning with any of it is the same."""


def sliced(x: Array, chosen: Array, dim: int) -> Array:
    """The chosen slices, one after the other."""
    return np.take(x, chosen, axis=dim) if x.ndim else np.broadcast_to(x, ())


def _line(x: Array) -> Array:
    return x if x.ndim else x.reshape(1)


def written(
    x: Array, chosen: Array, source: Any, dim: int, *, add: bool = False, alpha: int = 1
) -> Array:
    """x with slices written (or added) to the chosen places."""
    result = _line(np.array(x))
    to: Any = (*(slice(None),) * (dim % result.ndim), chosen)
    if add:
        # An element of a longer type keeps NumPy from widening a small integer.
        np.add.at(result, to, _line(source) * np.asarray(alpha, np.asarray(source).dtype))
    else:
        result[to] = _line(source) if isinstance(source, np.ndarray) else source
    return result.reshape(x.shape)


def _put(x: Array, chosen: Array, source: Array, accumulate: bool) -> Array:
    flat = x.reshape(-1).copy()
    np.add.at(flat, chosen, source)
    return flat.reshape(x.shape)


def _fill(x: Array, mask: Array, value: Any) -> Array:
    return np.where(mask, np.asarray(value, x.dtype), x)


def _masked_scatter(x: Array, mask: Array, source: Array) -> Array:
    result = np.array(x)
    chosen = np.broadcast_to(mask, x.shape)
    result[chosen] = source[: int(chosen.sum())]
    return result


def order(x: Array, dim: int = -1, descending: bool = False) -> Array:
    """The indices of a stable sort; of equals, the first stays first in either direction."""
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    last_first = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return np.asarray(x.shape[dim] - 1 - np.flip(last_first, dim))


def _sort(x: Array, dim: int, descending: bool, stable: bool) -> tuple[Array, Array]:
    chosen = order(x, dim, descending)
    values = np.take_along_axis(x, chosen, dim) if x.ndim else x
    return values, indices(chosen)


def _topk(x: Array, k: int, dim: int, largest: bool) -> tuple[Array, None]:
    values = np.take_along_axis(_line(x), order(_line(x), dim, largest), dim)
    kept = np.take(values, np.arange(k), axis=dim)
    return (kept if x.ndim else kept.reshape(())), None


def _triangle(keep: Callable[[Array, Array, int], Array]) -> Callable[..., Array]:
    def reference(x: Array, diagonal: int = 0) -> Array:
        rows, columns = np.ogrid[: x.shape[-2], : x.shape[-1]]
        return np.where(keep(rows, columns, diagonal), x, np.zeros((), x.dtype))

    return reference


def _embed(x: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    n = x.shape[-1]
    side = n + abs(offset)
    result = np.zeros((*x.shape[:-1], side, side), x.dtype)
    steps = np.arange(n)
    result[..., steps + max(-offset, 0), steps + max(offset, 0)] = x
    return np.moveaxis(result, (-2, -1), (dim1, dim2))


def _repeat(x: Array, repeats: int, dim: int) -> Array:
    return np.repeat(x, repeats, axis=dim)


def _isin(x: Array, test: Array) -> Array:
    return np.asarray((x[..., None] == test.reshape(-1)).any(-1))


# ------------------------------------------------------------------------------------- rows

_UNCHECKED = {"overlap": "PyTorch 2.13 writes to an expanded tensor there"}
_BY_LINE: tuple[int | str, ...] = (0, "dim", 1, 2)
_WRITES = ("notes.index-put",)
_SCATTER = ("notes.scatter-gather",)
_SORT = ("notes.sort-topk",)
_KEEPS = ("basics.index-like-numpy",)


def _row(name: str, reference: Any, calls: Any, covers: tuple[str, ...], **more: Any) -> Operator:
    settings: dict[str, Any] = {
        "section": "indexing", "dtypes": ALL, "smooth": anywhere, "in_place": False, "out": True,
    }  # fmt: skip
    return Operator(name=name, reference=reference, calls=calls, covers=covers,
                    **{**settings, **more})  # fmt: skip


def _moves(name: str, reference: Any, calls: Any, **more: Any) -> Operator:
    return _row(name, reference, calls, _KEEPS, **{"out": False, **more})


INDEXING = table(
    _row("gather", gathered, by_line(), ("basics.gather",), order=_BY_LINE[:3]),
    _row("index_select", sliced, by_slice(narrow=True), ("basics.index-select",),
         order=_BY_LINE[:3]),
    _row("take", lambda x, chosen: x.reshape(-1)[chosen], _flat(), _KEEPS),
    _row("take_along_dim", gathered, by_line(whole=True), ("basics.gather",)),
    _row("scatter", scattered, by_line(source=True, distinct=True), _SCATTER,
         order=_BY_LINE, in_place=True),
    _row("scatter_add", lambda x, i, s, dim: scattered(x, i, s, dim, "sum"),
         by_line(source=True, regime="signed"), (*_SCATTER, *_WRITES), dtypes=NUMBERS,
         order=_BY_LINE, in_place=True),
    _row("scatter_reduce", scattered,
         by_line(source=True, larger=True, regime="signed", reduce=("amax", "amin", "sum"),
                 include_self=(True, False)),
         _SCATTER, dtypes=REAL, order=(*_BY_LINE, "reduce"), in_place=True, smooth=None),
    _row("index_add", lambda x, i, s, dim, alpha=1: written(x, i, s, dim, add=True, alpha=alpha),
         by_slice(source=True, narrow=True, regime="signed", alpha=(1, 2)), _WRITES, dtypes=NUMBERS,
         order=_BY_LINE, in_place=True),
    _row("index_copy", written, by_slice(source=True, distinct=True), _WRITES,
         order=_BY_LINE, in_place=True),
    _row("index_fill", lambda x, i, dim, value: written(x, i, value, dim),
         by_slice(value=(1, 0)), _WRITES, order=(0, "dim", 1, "value"), in_place=True,
         out=False, accepts=_UNCHECKED),
    _row("masked_fill", _fill, _masked(("value", 1)), _WRITES, order=(0, 1, "value"),
         in_place=True, out=False, broadcasts=True, accepts=_UNCHECKED),
    _row("masked_scatter", _masked_scatter, _masked(source=True), _WRITES, in_place=True,
         out=False),
    _row("put", _put, _flat(put=True, regime="signed"), _WRITES, dtypes=NUMBERS, in_place=True,
         out=False),
    _row("sort", _sort, _each(_along(descending=(False, True), stable=(True,)), finite=True),
         _SORT, dtypes=REAL + BOOL, smooth=ranks, signed_zero=False),
    _row("argsort", lambda x, dim, descending, stable: order(x, dim, descending),
         _each(_along(descending=(False, True), stable=(True,)), finite=True),
         _SORT, dtypes=REAL + BOOL, smooth=None, out=False, result=index),
    _row("msort", lambda x: np.sort(x, axis=0) if x.ndim else x,
         _each(lambda shape, random: (), finite=True), _SORT, dtypes=REAL + BOOL, smooth=ranks,
         signed_zero=False),
    _row("topk", _topk, _each(_some, finite=True), _SORT, dtypes=REAL, smooth=ranks,
         signed_zero=False),
    _row("isin", _isin, _among(), ("notes.advanced-indexing",), dtypes=REAL,
         result=boolean, smooth=None, method=False, out=False, any_input=True),
    _row("tril", _triangle(lambda i, j, k: j - i <= k),
         _each(_diagonal, rank=2), _KEEPS,
         in_place=True, out=False, accepts=_UNCHECKED, any_input=True),
    _row("triu", _triangle(lambda i, j, k: j - i >= k),
         _each(_diagonal, rank=2), _KEEPS,
         in_place=True, out=False, accepts=_UNCHECKED, any_input=True),
    _moves("diag_embed", _embed, _each(_planes, rank=1, squared=True), new_dims=1),
    _row("flip", lambda x, dims: np.flip(x, dims), _each(_several("dims")),
         ("notes.negative-slice-step",), out=False),
    _moves("fliplr", lambda x: np.flip(x, 1), _each(lambda s, r: (), rank=2), any_input=True),
    _moves("flipud", lambda x: np.flip(x, 0), _each(lambda s, r: (), rank=1), any_input=True),
    _moves("roll", lambda x, shifts, dims: np.roll(x, shifts, dims),
           _each(_several("dims", shifts=True), rank=1)),
    _moves("rot90", lambda x, k, dims: np.rot90(x, k, dims), _each(_quarter, rank=2)),
    _moves("repeat_interleave", _repeat, _each(_along(repeats=(2, 1, 3, 0)), rank=1)),
)  # fmt: skip
"""Elements that are moved are moved bit by bit. Those that are added up are small integers, of
which every partial sum is exact in every dtype, so that no order of additions matters."""
