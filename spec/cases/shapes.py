"""Shapes, and tuples of shapes, at the lengths where kernels break.

Each strategy is one choice from a pool that is computed once, simplest first: one choice is
what Hypothesis draws and shrinks fastest.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from random import Random

from hypothesis import strategies as st

from tenet.spec.cases.pools import from_pool

Shape = tuple[int, ...]

LENGTHS = (1, 2, 3, 0, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129,
           255, 256, 257, 1023, 1024, 1025, 4099)  # fmt: skip
"""Vector tails, thread grains and tiles: one below, at and above each power of two."""
EVERY_LENGTH = (1, 2, 3, 0, *range(4, 34), 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513,
                1023, 1024, 1025)  # fmt: skip
"""Every length up to some vectors' widths: whatever is left over by a vector, thread or tile."""
MANY = 70001
"""More than 16 bits count, or a thread's share holds."""

_SHORT = (2, 3, 1, 0, 5, 7, 8, 9, 16, 17)
_LEAST = (2, 1, 3)
_MOST_RANKS = 6
_POOL_SIZE = 600


def _simplicity(shape: Shape) -> tuple[bool, int, int, Shape]:
    # A zero length is an edge of its own: it comes after the plain small shapes.
    return (0 in shape, prod(max(n, 1) for n in shape), len(shape), shape)


def _group_simplicity(group: tuple[Shape, ...]) -> tuple[object, ...]:
    parts = [_simplicity(shape) for shape in group]
    return (any(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts), group)


@cache
def _pool(min_rank: int, max_rank: int, max_size: int) -> tuple[Shape, ...]:
    random = Random("shapes")
    pool: set[Shape] = set()
    pool.update(shape for shape in of_many_ranks(random, max_size) if len(shape) <= max_rank)
    for rank in range(min_rank, min(max_rank, 4) + 1):
        if rank == 0:
            pool.add(())
        elif rank == 1:
            pool.update((n,) for n in LENGTHS if n <= max_size)
        else:
            for _ in range(_POOL_SIZE // 4):
                shape = [random.choice(_SHORT) for _ in range(rank)]
                if random.random() < 0.3:
                    shape[random.randrange(rank)] = random.choice(LENGTHS)
                if prod(shape) <= max_size:
                    pool.add(tuple(shape))
    return tuple(sorted(pool, key=_simplicity))


def of_many_ranks(random: Random, max_size: int) -> Iterator[Shape]:
    """Short shapes of ranks that kernels with a loop for each dimension seldom meet."""
    for rank in range(5, _MOST_RANKS + 1):
        for _ in range(24):
            shape = tuple(random.choice(_LEAST) for _ in range(rank))
            if prod(shape) <= max_size:
                yield shape


def shapes(
    min_rank: int = 0,
    max_rank: int = _MOST_RANKS,
    max_size: int = 5000,
    *,
    empty: bool = True,
    often: tuple[Shape, ...] = (),
) -> st.SearchStrategy[Shape]:
    """Shapes of min_rank to max_rank dimensions and at most max_size elements.

    empty=False leaves out the shapes without elements; each of those that come often is one in
    about twenty.
    """

    def pool() -> list[Shape]:
        found = [s for s in _pool(min_rank, max_rank, max_size) if empty or 0 not in s]
        return [shape for shape in often for _ in range(len(found) // 20)] + found

    return from_pool(pool)


def with_dim(
    min_rank: int = 1, max_rank: int = _MOST_RANKS, max_size: int = 5000, *, empty: bool = True
) -> st.SearchStrategy[tuple[Shape, int]]:
    """A shape and one of its dimensions, counted from either end (-rank <= dim < rank)."""
    return from_pool(
        lambda: [
            (shape, dim)
            for shape in _pool(min_rank, max_rank, max_size)
            if empty or 0 not in shape
            for dim in (*range(len(shape)), *range(-len(shape), 0))
        ]
    )


def _stretched(shape: Shape, random: Random) -> Shape:
    """A shape that broadcasts to the given one: leading lengths dropped, others set to 1."""
    kept = shape[random.randint(0, len(shape)) if random.random() < 0.5 else 0 :]
    return tuple(1 if random.random() < 0.35 else n for n in kept)


@cache
def _broadcast_pool(count: int, max_size: int) -> tuple[tuple[Shape, ...], ...]:
    random = Random("broadcast")
    pool: set[tuple[Shape, ...]] = {((),) * count, ((1,),) * count, ((2,),) * count}
    for shape in _pool(0, _MOST_RANKS, max_size):
        pool.add((shape,) * count)
        for _ in range(3):
            operands = [_stretched(shape, random) for _ in range(count)]
            if random.random() < 0.5:
                operands[random.randrange(count)] = shape
            pool.add(tuple(operands))
    return tuple(sorted(pool, key=_group_simplicity))


def broadcast_shapes(count: int = 2, max_size: int = 3000) -> st.SearchStrategy[tuple[Shape, ...]]:
    """`count` shapes that broadcast with each other; equal ones and empty ones are among them."""
    return from_pool(lambda: _broadcast_pool(count, max_size))


def broadcastable(*shapes: Shape) -> Shape | None:
    """The common shape by the documented rule, None where there is none.

    Aligned from the last dimension, two lengths are compatible if they are equal, or one of
    them is 1, or one is missing (source: broadcasting semantics). Written out, not borrowed.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result = []
    for place in range(rank):
        lengths = {s[place - rank] for s in shapes if len(s) >= rank - place} - {1}
        if len(lengths) > 1:
            return None
        result.append(lengths.pop() if lengths else 1)
    return tuple(result)


@cache
def _incompatible_pool() -> tuple[tuple[Shape, Shape], ...]:
    random = Random("incompatible")
    pool: set[tuple[Shape, Shape]] = {((2,), (3,)), ((0,), (2,)), ((2, 3), (2, 4)), ((2, 3), (2,))}
    candidates = [s for s in _pool(1, 4, 600) if s]
    while len(pool) < 400:
        first = random.choice(candidates)
        second = list(first[random.randrange(len(first)) :])
        place = random.randrange(len(second))
        second[place] = random.choice([second[place] + 1, second[place] * 2, 0, 5])
        pair = (first, tuple(second))
        if broadcastable(*pair) is None:
            pool.add(pair if random.random() < 0.5 else pair[::-1])
    return tuple(sorted(pool, key=_group_simplicity))


def incompatible_shapes() -> st.SearchStrategy[tuple[Shape, Shape]]:
    """Two shapes that do not broadcast with each other."""
    return from_pool(_incompatible_pool)


@st.composite
def selections(draw: st.DrawFn, max_size: int = 600) -> tuple[Shape, tuple[object, ...]]:
    """A shape and a basic index of it: integers, slices with a positive step, ..., None.

    The index always fits; it may select nothing, everything, or a single element.
    """
    shape = draw(shapes(min_rank=1, max_size=max_size, empty=False))
    random = Random(draw(st.integers(0, 4095)))
    index: list[object] = []
    ellipsis_at = random.randrange(len(shape) + 1) if random.random() < 0.25 else None
    skipped = 0
    for place, length in enumerate(shape):
        if place == ellipsis_at:
            index.append(...)
            skipped = random.randint(0, len(shape) - place)
        if skipped:
            skipped -= 1
            continue
        kind = random.random()
        if kind < 0.35:
            index.append(random.randrange(-length, length))
        elif kind < 0.85:
            start = random.choice([None, random.randint(-length - 1, length + 1)])
            stop = random.choice([None, random.randint(-length - 1, length + 1)])
            index.append(slice(start, stop, random.choice([None, 1, 2, 3])))
        else:
            index.append(slice(None))
        if random.random() < 0.1:
            index.append(None)
    if ellipsis_at is None:
        while index and random.random() < 0.2:
            index.pop()
    return shape, tuple(index)
