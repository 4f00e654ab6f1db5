"""The rows of operations that join tensors, repeat them or place them in a larger one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LAYOUTS, LENGTHS, Operand, layouts, regimes, seeds
from tenet.spec.cases.pools import from_pool
from tenet.spec.model.dtypes import ALL
from tenet.spec.operators.domains import anywhere
from tenet.spec.operators.operator import Array, Call, Operator, table

Shape = tuple[int, ...]
Arguments = tuple[tuple[str, Any], ...]
Group = tuple[tuple[Shape, ...], Arguments]

_FEW = (2, 3, 1, 5, 8, 9, 0)


def _length(random: Random) -> int:
    return random.choice([n for n in LENGTHS if n < 300] if random.random() < 0.3 else _FEW)


def _shape(random: Random, low: int, high: int) -> Shape:
    while True:
        shape = tuple(_length(random) for _ in range(random.randint(low, high)))
        if np.prod(shape) <= 1500:
            return shape


def _of_one(shapes: tuple[Shape, ...]) -> bool:
    """Only one has elements, and it has or gets a dimension of length 1: PyTorch 2.13's cat leaves
    an out= of other strides there unwritten."""
    full = [shape for shape in shapes if 0 not in shape]
    return len(full) == 1 and (len(full[0]) < 3 or 1 in full[0])


def _uses(make: Callable[[Random], Group], *, joined: bool) -> st.SearchStrategy[Call]:
    def pool() -> list[Group]:
        random = Random("joins")
        groups = {make(random) for _ in range(150)}
        return sorted(
            (group for group in groups if not (joined and _of_one(group[0]))),
            key=lambda group: (sum(np.prod(shape) for shape in group[0]), repr(group)),
        )

    kinds = tuple(LAYOUTS)

    def made(group: Group, layout: str, regime: str, seed: int) -> Call:
        # The layout of the operands changes from one to the next, or only the first is laid out.
        several = [kinds[(seed + number) % len(kinds)] for number in range(len(group[0]))]
        places = [layout, *(several if seed % 3 else ["contiguous"] * len(several))]
        return Call(
            tuple(
                Operand(shape, place, regime, seed + 7 * number)
                for number, (shape, place) in enumerate(zip(group[0], places, strict=False))
            ),
            group[1],
        )

    return st.builds(
        made, from_pool(pool), layouts(), regimes(finite=False), seeds()
    )  # fmt: skip


def _along_one(random: Random) -> Group:
    """Shapes that differ in the dimension along which they are joined."""
    shape = _shape(random, 1, 4)
    dim = random.randrange(len(shape))
    count = random.choice((2, 3, 1, 5))
    group = tuple((*shape[:dim], random.choice((shape[dim], _length(random) % 40)),
                   *shape[dim + 1 :]) for _ in range(count))  # fmt: skip
    return group, (("dim", dim - len(shape) if random.random() < 0.4 else dim),)


def _alike(random: Random) -> Group:
    shape = _shape(random, 0, 3)
    dim = random.randrange(-len(shape) - 1, len(shape) + 1)
    return (shape,) * random.choice((2, 3, 1, 5)), (("dim", dim),)


def _side_by_side(dim: int, least: int = 2) -> Callable[[Random], Group]:
    """Shapes that may differ in one dimension, which is the first of vectors and scalars."""

    def make(random: Random) -> Group:
        shape = _shape(random, 0, 4)
        count = random.choice((2, 3, 1, 4))
        if len(shape) < least:
            return (shape,) * count, ()
        return tuple((*shape[:dim], random.choice((shape[dim], 1, 2)), *shape[dim + 1 :])
                     for _ in range(count)), ()  # fmt: skip

    return make


def _columns(random: Random) -> Group:
    rows = _length(random) % 70
    return tuple(random.choice(((rows,), (rows, 2), (rows, 1)))
                 for _ in range(random.choice((2, 3, 1)))), ()  # fmt: skip


def _blocks(random: Random) -> Group:
    # PyTorch 2.13 gives a row to an empty vector, and forgets it in the derivative: what stands
    # below is given the gradient of the row above.
    shapes = [_shape(random, 0, 2) for _ in range(random.choice((2, 3, 1)))]
    return tuple(shape for shape in shapes if shape != (0,)) or ((2,),), ()


def _diagonal(low: int, high: int, name: str) -> Callable[[Random], Group]:
    def make(random: Random) -> Group:
        shape = _shape(random, low, high)
        while np.prod(shape) > 130:
            shape = _shape(random, low, high)
        return (shape,), ((name, random.choice((0, 1, -1, 3, -2))),)

    return make


def _tiled(random: Random) -> Group:
    shape = _shape(random, 0, 3)
    counts = (2, 1, 3, 0) if random.random() < 0.2 else (2, 1, 3)
    dims = tuple(random.choice(counts) for _ in range(random.randint(1, 4)))
    return (shape,), (("dims", dims),)


def _padded(random: Random) -> Group:
    shape = tuple(n or 2 for n in _shape(random, 1, 4))
    sides = tuple(random.choice((1, 0, 2, 7)) for _ in range(2 * random.randint(1, len(shape))))
    return (shape,), (("pad", sides), ("value", random.choice((0, 1))))


# ------------------------------------------------------------------------------- references


def _cat(*arrays: Array, dim: int) -> Array:
    return np.concatenate(arrays, axis=dim)


def _stack(*arrays: Array, dim: int) -> Array:
    return np.stack(arrays, axis=dim)


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: function(arrays)


def _block_diagonal(*arrays: Array) -> Array:
    blocks = [np.atleast_2d(array) for array in arrays]
    result = np.zeros(np.sum([block.shape for block in blocks], axis=0), blocks[0].dtype)
    row = column = 0
    for block in blocks:
        result[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return result


def _pad(x: Array, pad: tuple[int, ...], value: Any) -> Array:
    """The sides of the last dimension come first."""
    widths = [pad[2 * d : 2 * d + 2] for d in range(len(pad) // 2)]
    widths += [(0, 0)] * (x.ndim - len(widths))
    return np.pad(x, widths[::-1], constant_values=value)


# ------------------------------------------------------------------------------------- rows


def _row(name: str, reference: Any, make: Callable[[Random], Group], **more: Any) -> Operator:
    settings: dict[str, Any] = {
        "dtypes": ALL, "smooth": anywhere, "in_place": False, "out": False, "method": False,
    }  # fmt: skip
    return Operator(name=name, section="indexing", reference=reference,
                    calls=_uses(make, joined="listed" in more),
                    **{**settings, **more})  # fmt: skip


_LISTED = {"listed": True, "out": True}

JOINS = table(
    _row("cat", _cat, _along_one, aliases=("concat", "concatenate"), **_LISTED),
    _row("stack", _stack, _alike, new_dims=1, **_LISTED),
    _row("hstack", _joined(np.hstack), _side_by_side(1), **_LISTED),
    _row("vstack", _joined(np.vstack), _side_by_side(0), aliases=("row_stack",), **_LISTED),
    _row("dstack", _joined(np.dstack), _side_by_side(2, 3), **_LISTED),
    _row("column_stack", _joined(np.column_stack), _columns, **_LISTED),
    _row("block_diag", _block_diagonal, _blocks, any_input=True),
    _row("diag", lambda x, diagonal: np.diag(x, diagonal), _diagonal(1, 2, "diagonal"),
         method=True, out=True),
    _row("diagflat", lambda x, offset: np.diagflat(x, offset), _diagonal(0, 3, "offset"),
         method=True, any_input=True),
    _row("tile", lambda x, dims: np.tile(x, dims), _tiled, method=True, any_input=True),
    _row("nn.functional.pad", _pad, _padded, any_input=True, grows=True),
)  # fmt: skip
"""Elements are moved bit by bit."""
