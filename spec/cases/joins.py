"""Groups of tensors to join: shapes that match along all dimensions but one, and that do not."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from random import Random

from hypothesis import strategies as st

from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.layouts import LAYOUTS
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import Shape

_SHORT = (2, 3, 1, 4, 5, 7, 8, 9)
_LONG = (0, 15, 16, 17, 31, 32, 33, 64, 65, 129, 257)
_LAYOUTS = tuple(LAYOUTS)


@encodable
@dataclass(frozen=True, slots=True)
class Join:
    """Tensors to join: the name of the function, shape and layout of each, and the dimension."""

    name: str
    parts: tuple[tuple[Shape, str], ...]
    dim: int


def _along(name: str, rank: int, random: Random) -> int:
    """The dimension, of the parts, along which lengths may differ; from the end if negative."""
    if name in ("vstack", "row_stack"):
        return 0
    if name in ("hstack", "column_stack"):
        return 1 if rank > 1 else 0
    return 2 if name == "dstack" else random.randrange(-rank, rank)


def _shapes(name: str, random: Random) -> tuple[tuple[Shape, ...], int] | None:
    """Shapes that join, and the dimension."""
    rank = random.choice((2, 3, 1, 2, 4, 0))
    count = random.choice((2, 3, 1, 2, 5))
    shape = [random.choice(_SHORT) for _ in range(rank)]
    if shape and random.random() < 0.3:
        shape[random.randrange(rank)] = random.choice(_LONG)
    if name == "stack":
        return (tuple(shape),) * count, random.randint(-rank - 1, rank)
    if rank == 0:
        return None if name in ("cat", "concat", "concatenate") else (((),) * count, 0)
    dim = _along(name, rank, random)
    stacks_rows = rank == 1 and name in ("vstack", "row_stack", "column_stack")
    alike = random.random() < 0.2 or dim >= rank or stacks_rows
    parts = []
    for _ in range(count):
        part = list(shape)
        if not alike:
            part[dim] = random.choice((*_SHORT, *_LONG))
        parts.append(tuple(part))
    if name == "cat" and random.random() < 0.1:
        parts.insert(random.randrange(len(parts) + 1), (0,))
    return tuple(parts), dim


def _simplicity(group: tuple[Shape, ...]) -> tuple[object, ...]:
    sizes = [prod(max(n, 1) for n in shape) for shape in group]
    return (any(0 in shape for shape in group), sum(sizes), len(group))


def joins(*names: str, count: int = 250, max_size: int = 1500) -> st.SearchStrategy[Join]:
    """Groups that the named functions join, at most max_size elements each."""
    return from_pool(lambda: _joins(names, count, max_size))


def _joins(names: tuple[str, ...], count: int, max_size: int) -> list[Join]:
    random = Random(f"{names}")
    pool: list[Join] = []
    for name in names:
        found = 0
        while found < count:
            drawn = _shapes(name, random)
            if drawn is None or sum(map(prod, drawn[0])) > max_size:
                continue
            mixed = random.random() < 0.7
            parts = tuple(
                (shape, random.choice(_LAYOUTS) if mixed else "contiguous") for shape in drawn[0]
            )
            pool.append(Join(name, parts, drawn[1]))
            found += 1
    return sorted(pool, key=lambda join: (_simplicity(tuple(s for s, _ in join.parts)), repr(join)))


def mismatched(count: int = 200) -> st.SearchStrategy[tuple[str, tuple[Shape, ...], int]]:
    """Groups that stack or cat has to refuse: function, shapes, dimension."""
    return from_pool(lambda: _mismatched(count))


def _mismatched(count: int) -> list[tuple[str, tuple[Shape, ...], int]]:
    random = Random("mismatched")
    pool: set[tuple[str, tuple[Shape, ...], int]] = set()
    while len(pool) < count:
        name = random.choice(("stack", "cat"))
        drawn = _shapes(name, random)
        if drawn is None or len(drawn[0]) < 2 or sum(map(prod, drawn[0])) > 600:
            continue
        shapes, dim = drawn
        if any(shape == (0,) for shape in shapes):
            continue
        rank = len(shapes[0])
        worse = [list(shape) for shape in shapes]
        place = random.randrange(1, len(shapes))
        kind = random.choice(("length", "rank", "dim"))
        others = [d for d in range(rank) if name == "stack" or d != dim % rank]
        if kind == "length" and others:
            worse[place][random.choice(others)] += random.choice((1, 8))
        elif kind == "rank":
            worse[place].insert(random.randint(0, rank), 2)
        elif kind == "dim":
            beyond = rank + (name == "stack")
            dim = random.choice((beyond, -beyond - 1, beyond + 3))
        else:
            continue
        pool.add((name, tuple(map(tuple, worse)), dim))
    return sorted(pool, key=lambda item: (_simplicity(item[1]), item))
