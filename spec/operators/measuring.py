"""The rows of distances, normalisation, integration and counting along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, seeds
from tenet.spec.cases.shapes import of_many_ranks
from tenet.spec.model.dtypes import FLOATS, FORMATS, HALVES, INTEGERS
from tenet.spec.model.tolerance import Bound
from tenet.spec.operators.domains import anywhere, apart, modest, nonzero
from tenet.spec.operators.operator import (
    Accuracy,
    Array,
    Call,
    Operator,
    as_is,
    exact,
    index,
    table,
)
from tenet.spec.operators.reductions import tame, uses

SINGLE = ("float32", "float64")
Shape = tuple[int, ...]
Arguments = tuple[tuple[str, Any], ...]
Pool = list[tuple[tuple[Shape, ...], Arguments]]

_LENGTHS = (2, 3, 1, 7, 8, 9, 16, 17, 33, 65, 129)


def _shapes(rank: int, count: int = 60) -> list[Shape]:
    random = Random(f"measuring {rank}")
    if rank == 1:
        return [(n,) for n in (*_LENGTHS, 257, 1025)]
    pool: set[Shape] = set()
    while len(pool) < count:
        shape = tuple(random.choice(_LENGTHS[:8]) for _ in range(rank - 1))
        pool.add((*shape, random.choice(_LENGTHS)))
    return sorted((shape for shape in pool if np.prod(shape) < 3000), key=np.prod)


def _uses(pool: Pool, regimes: tuple[str, ...] = ("signed", "normal")) -> st.SearchStrategy[Call]:
    def made(use: Any, layout: str, other: str, regime: str, seed: int) -> Call:
        shapes, arguments = use
        places = (layout, other)
        return Call(
            tuple(
                Operand(shape, place, regime, seed + 11 * number)
                for number, (shape, place) in enumerate(zip(shapes, places, strict=False))
            ),
            arguments,
        )

    return st.builds(
        made, st.sampled_from(pool), layouts(), layouts(), st.sampled_from(regimes), seeds()
    )  # fmt: skip


def _of_many_ranks() -> list[Shape]:
    return [*of_many_ranks(Random("many ranks"), 300)]


def _alike(**choices: tuple[Any, ...]) -> Pool:
    """Two operands of one shape, and arguments."""
    random = Random("alike")
    return [
        ((shape, shape), tuple((name, random.choice(values)) for name, values in choices.items()))
        for shape in (*_shapes(2), *_shapes(3), *_shapes(4), *_of_many_ranks())
    ]


def _crossed() -> Pool:
    random = Random("crossed")
    pool: Pool = []
    for batch, rows, columns in (*_shapes(3, 90),):
        length = random.choice((2, 3, 1, 5, 8, 9, 17))
        if rows * columns * length < 4000:
            kept = (batch,) if random.random() < 0.4 else ()
            pool.append((((*kept, rows, length), (*kept, columns, length)),
                         (("p", random.choice((1.0, 2.0, np.inf, 3.0))),)))  # fmt: skip
    return pool


def _searched() -> Pool:
    random = Random("searched")
    edges = ((3,), (1,), (8,), (17,), (130,), (0,))
    shapes = ((), *_shapes(1), *_shapes(2), *_shapes(3), *_of_many_ranks())
    return [((shape, random.choice(edges)), (("right", random.random() < 0.5),))
            for shape in shapes]  # fmt: skip


# ---------------------------------------------------------------------------------- bounds


def _relative(roundings: Callable[[int], float], dim: str, reason: str) -> Accuracy:
    """So many roundings of the size of the result, of a length n that is reduced."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        n = arrays[0].shape[arguments.get(dim, -1)]
        unit = FORMATS[dtype].eps / 2
        size = np.abs(np.asarray(expected, np.float64)) + FORMATS[dtype].tiny / FORMATS[dtype].eps
        return Bound(dtype, 0.5, reason, absolute=size * roundings(n) * unit)

    return accuracy


_SUMMED = _relative(lambda n: n + 12, "dim", "n + 12 roundings without cancellation")


def _of_differences(dtype: str, expected: Array, arrays: tuple[Array, ...], _: Any) -> Bound:
    """Each difference of numbers below 100 errs by 2u of them, that of eps included, and the norm
    by as much as the norm of those errors and n + 12 roundings of its own."""
    n = arrays[0].shape[-1]
    unit = FORMATS[dtype].eps / 2
    largest = max(float(np.max(np.abs(array.astype(np.float64)), initial=1)) for array in arrays)
    error = 4 * n * largest * unit + np.abs(expected).astype(np.float64) * (n + 12) * unit
    return Bound(dtype, 0.5, "4 n u max|x| of the differences, n + 12 roundings", absolute=error)


def _of_cosine(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
    """(2n + 12) u: the product of the lengths bounds the inner product's terms."""
    n = arrays[0].shape[arguments["dim"]]
    absolute = (2 * n + 12) * FORMATS[dtype].eps / 2
    return Bound(dtype, 0.5, "(2n + 12) u of the product of the lengths", absolute=absolute)


def _of_trapezoids(whole: bool) -> Accuracy:
    """(n + 4) u of the sum of the magnitudes times dx; half precision adds in its own dtype."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        dim = arguments["dim"]
        size = np.sum(np.abs(arrays[0].astype(np.float64)), axis=dim, keepdims=not whole)
        n = arrays[0].shape[dim]
        absolute = (n + 4) * FORMATS[dtype].eps / 2 * size * abs(arguments["dx"])
        return Bound(dtype, 0.5, "(n + 4) u sum|y| dx", absolute=absolute + FORMATS[dtype].tiny)

    return accuracy


# ------------------------------------------------------------------------------ references


def _norm(x: Array, p: float, dim: int, keepdims: bool = False) -> Array:
    size = np.abs(x)
    if p == np.inf:
        return np.asarray(np.max(size, axis=dim, keepdims=keepdims))
    if p == 2:
        return np.asarray(np.sqrt(np.sum(size * size, axis=dim, keepdims=keepdims)))
    total = np.sum(size ** np.asarray(p, size.dtype), axis=dim, keepdims=keepdims)
    return np.asarray(total ** (np.asarray(1, size.dtype) / np.asarray(p, size.dtype)))


def _normalized(x: Array, p: float, dim: int) -> Array:
    return np.asarray(x / np.maximum(_norm(x, p, dim, keepdims=True), 1e-12))


def _cosine(x: Array, y: Array, dim: int) -> Array:
    lengths = [np.maximum(_norm(part, 2, dim), 1e-8) for part in (x, y)]
    return np.asarray(np.sum(x * y, axis=dim) / (lengths[0] * lengths[1]))


def _pairwise(x: Array, y: Array, p: float, keepdim: bool) -> Array:
    return _norm(x - y + 1e-6, p, -1, keepdims=keepdim)


def _all_pairs(x: Array, y: Array, p: float) -> Array:
    return _norm(x[..., :, None, :] - y[..., None, :, :], p, -1)


def _halves(y: Array, dim: int) -> Array:
    """The area below each two neighbours, of width 1."""
    n = y.shape[dim]
    return np.asarray((np.take(y, range(1, n), dim) + np.take(y, range(n - 1), dim)) / 2)


def _trapezoid(y: Array, dx: float, dim: int) -> Array:
    return np.asarray(np.sum(_halves(y, dim), axis=dim) * dx)


def _trapezoids(y: Array, dx: float, dim: int) -> Array:
    return np.asarray(np.cumsum(_halves(y, dim), axis=dim) * dx)


def _bucket(x: Array, edges: Array, right: bool) -> Array:
    return np.asarray(np.searchsorted(edges, x, side="right" if right else "left"), np.int64)


def _sorted(x: Array) -> Array:
    return np.asarray(np.sort(x))


def _of_length(x: Array) -> Array:
    """Not so near 0 that a vector is shorter than a half: dividing by it magnifies little."""
    return np.asarray(np.copysign(np.maximum(np.abs(nonzero(x)), 0.5), x))


def _below(x: Array) -> Array:
    return np.asarray(-1.7 * apart(x))


# ------------------------------------------------------------------------------------ rows


def _row(name: str, reference: Callable[..., Any], calls: Any, **row: Any) -> Operator:
    given: dict[str, Any] = {
        "section": "reduction", "dtypes": SINGLE, "in_place": False, "method": False,
        "out": False, "prepare": modest, "smooth": anywhere,
    }  # fmt: skip
    return Operator(name=name, reference=reference, calls=calls, **{**given, **row})


_ALONG = uses(whole=False, keepdim=False, zero_d=False, at_least=2, dx=(1.0, 0.5, 2.0))
_POWERS = (2.0, 1.0, 3.0)
_SEARCHES: dict[str, Any] = {
    "dtypes": tuple(name for name in FLOATS + INTEGERS if name not in HALVES), "result": index,
    "accuracy": exact, "smooth": None, "out": True,
}  # fmt: skip

MEASURING = table(
    _row("nn.functional.normalize", _normalized,
         uses(whole=False, keepdim=False, zero_d=False, at_least=1, p=_POWERS),
         accuracy=_SUMMED, smooth=_of_length),
    _row("nn.functional.cosine_similarity", _cosine, _uses(_alike(dim=(-1, 0, 1))),
         accuracy=_of_cosine, prepare=tame, smooth=(apart, _below)),
    _row("nn.functional.pairwise_distance", _pairwise,
         _uses(_alike(p=_POWERS, keepdim=(False, True))),
         accuracy=_of_differences, smooth=(apart, _below), any_input=True),
    _row("cdist", _all_pairs, _uses(_crossed()), accuracy=_of_differences,
         smooth=(apart, _below), fits=(1, -1),
         once="PyTorch states that its backward has no derivative"),
    _row("trapezoid", _trapezoid, _ALONG, accuracy=_of_trapezoids(True), aliases=("trapz",)),
    _row("cumulative_trapezoid", _trapezoids, _ALONG, accuracy=_of_trapezoids(False)),
    _row("bucketize", _bucket, _uses(_searched(), ("signed", "normal", "extreme")),
         prepare=(as_is, _sorted), order=(0, 1), **_SEARCHES),
)  # fmt: skip
"""Norms of differences are judged where no two operands meet."""
