"""The rows of operations that are documented to return a view of their operand."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, regimes, seeds
from tenet.spec.model.dtypes import ALL, COMPLEX
from tenet.spec.operators.domains import anywhere
from tenet.spec.operators.mixed import real_of
from tenet.spec.operators.operator import Array, Call, Operator, table, unary

Shape = tuple[int, ...]
Arguments = tuple[tuple[str, Any], ...]


def _uses(
    choose: Callable[[Shape, Random], Arguments | None], rank: int = 1
) -> st.SearchStrategy[Call]:
    """Operands, each with arguments that its shape allows; None: it allows none."""
    random = Random("views")
    pool = []
    for shape in _SHAPES:
        arguments = choose(shape, random) if len(shape) >= rank else None
        if arguments is not None:
            pool.append((shape, arguments))
    return st.builds(
        lambda use, layout, regime, seed: Call((Operand(use[0], layout, regime, seed),), use[1]),
        st.sampled_from(pool), layouts(), regimes(finite=False), seeds(),
    )  # fmt: skip


def _pool() -> list[Shape]:
    random = Random("shapes of views")
    some: set[Shape] = {(), (1,), (2,), (8,), (17,), (129,), (1025,), (0,)}
    for rank in (2, 2, 2, 3, 3, 4):
        for _ in range(25):
            some.add(tuple(random.choice((2, 3, 1, 5, 8, 17, 4, 6)) for _ in range(rank)))
    some |= {(2, 0), (0, 3), (2, 0, 3), (33, 65), (3, 130), (1, 1), (1, 4, 1)}
    return sorted(some, key=lambda shape: (0 in shape, np.prod(shape), shape))


_SHAPES = _pool()


def _signed(dim: int, rank: int, random: Random) -> int:
    return dim - rank if random.random() < 0.4 else dim


def _dim(shape: Shape, random: Random) -> Arguments:
    return (("dim", random.randrange(-len(shape), len(shape))),)


def _new_dim(shape: Shape, random: Random) -> Arguments:
    return (("dim", random.randrange(-len(shape) - 1, len(shape) + 1)),)


def _order(shape: Shape, random: Random) -> Arguments:
    chosen = random.sample(range(len(shape)), len(shape))
    return (("dims", tuple(_signed(d, len(shape), random) for d in chosen)),)


def _two(first: str, second: str) -> Callable[[Shape, Random], Arguments]:
    def choose(shape: Shape, random: Random) -> Arguments:
        rank = len(shape)
        return ((first, random.randrange(-rank, rank)), (second, random.randrange(-rank, rank)))

    return choose


def _planes(shape: Shape, random: Random) -> Arguments:
    rank = len(shape)
    one, two = (_signed(d, rank, random) for d in random.sample(range(rank), 2))
    return (("offset", random.choice((0, 1, -1, 2, -3, 40))), ("dim1", one), ("dim2", two))


def _one(shape: Shape, random: Random) -> Arguments | None:
    dim = random.randrange(-len(shape), len(shape))
    n = shape[dim]
    return (("dim", dim), ("index", random.randrange(-n, n))) if n else None


def _part(shape: Shape, random: Random) -> Arguments:
    dim = random.randrange(-len(shape), len(shape))
    start = random.randint(0, shape[dim])
    return (("dim", dim), ("start", start), ("length", random.randint(0, shape[dim] - start)))


def _factors(shape: Shape, random: Random) -> Arguments:
    dim = random.randrange(-len(shape), len(shape))
    n = shape[dim]
    divisors = [d for d in range(1, n + 1) if n % d == 0] or [1]
    first = random.choice(divisors)
    sizes = (first, n // first)
    inferred = (-1, n // first) if 0 not in shape else sizes
    return (("dim", dim), ("sizes", random.choice((sizes, inferred, (1, n)))))


# ------------------------------------------------------------------------------- references


def _diagonal(x: Array, offset: int, dim1: int, dim2: int) -> Array:
    view = np.diagonal(x, offset, dim1, dim2)
    view.flags.writeable = True  # NumPy's is read-only, though it shares memory
    return view


def _selected(x: Array, dim: int, index: int) -> Array:
    at: Any = [slice(None)] * x.ndim
    at[dim] = index
    view: Array = x[(*at, ...)]
    return view


def _narrowed(x: Array, dim: int, start: int, length: int) -> Array:
    at: Any = [slice(None)] * x.ndim
    at[dim] = slice(start, start + length)
    view: Array = x[tuple(at)]
    return view


def _unflattened(x: Array, dim: int, sizes: Shape) -> Array:
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :])


def _squeezed(x: Array, dim: int) -> Array:
    return np.squeeze(x, dim) if x.ndim and x.shape[dim] == 1 else x.view()


def _parts(x: Array) -> Array:
    return np.asarray(x.reshape(*x.shape, 1).view(x.real.dtype))


# ------------------------------------------------------------------------------------- rows


def _row(name: str, reference: Any, calls: Any, **more: Any) -> Operator:
    settings: dict[str, Any] = {
        "dtypes": ALL, "smooth": anywhere, "in_place": False, "out": False, "view": True,
    }  # fmt: skip
    return Operator(name=name, section="view", reference=reference, calls=calls,
                    **{**settings, **more})  # fmt: skip


_NUMBERS = {"dtypes": COMPLEX, "calls": unary(), "result": real_of, "smooth": None}

VIEWS = table(
    _row("diagonal", _diagonal, _uses(_planes, rank=2), order=(0, "offset", "dim1", "dim2")),
    _row("movedim", lambda x, source, destination: np.moveaxis(x, source, destination),
         _uses(_two("source", "destination")), aliases=("moveaxis",),
         order=(0, "source", "destination")),
    _row("transpose", lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1),
         _uses(_two("dim0", "dim1")), aliases=("swapdims",), order=(0, "dim0", "dim1")),
    _row("swapaxes", lambda x, axis0, axis1: np.swapaxes(x, axis0, axis1),
         _uses(_two("axis0", "axis1"))),
    _row("permute", lambda x, dims: np.transpose(x, dims), _uses(_order, rank=0)),
    _row("unsqueeze", lambda x, dim: np.expand_dims(x, dim), _uses(_new_dim, rank=0), new_dims=1,
         order=(0, "dim")),
    _row("squeeze", _squeezed, _uses(_dim), order=(0, "dim")),
    _row("select", _selected, _uses(_one)),
    _row("narrow", _narrowed, _uses(_part), order=(0, "dim", "start", "length")),
    _row("unflatten", _unflattened, _uses(_factors)),
    _row("real", lambda x: x.real, **_NUMBERS, method=False, any_input=True),
    _row("imag", lambda x: x.imag, **_NUMBERS, method=False, refuses=("float32",)),
    _row("view_as_real", _parts, **_NUMBERS, method=False, refuses=("float32",)),
)  # fmt: skip
"""Each is held to it that what is written to the one is read from the other."""
