"""The rows of products of vectors, matrices and batches of them."""

from __future__ import annotations

import operator as symbols
from collections.abc import Callable, Sequence
from math import prod
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, seeds
from tenet.spec.cases.pools import from_pool
from tenet.spec.model.dtypes import COMPLEX, FLOATS, FORMATS, HALVES
from tenet.spec.model.tolerance import Bound
from tenet.spec.operators.domains import anywhere
from tenet.spec.operators.operator import Array, Call, Operator, table
from tenet.spec.operators.reductions import tame

Shape = tuple[int, ...]

LENGTHS = (1, 2, 3, 0, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1025)
"""Vector tails and tiles: one below, at and above each power of two."""
_REGIMES = ("signed", "small", "normal", "ties", "wide", "extreme")
_MOST = 30_000
"""Multiplications in one product."""


def _sizes(random: Random, count: int) -> list[int]:
    """`count` lengths, at least one of them of any size, whose product is moderate."""
    while True:
        sizes = [random.choice(LENGTHS if random.random() < 0.6 else (2, 3, 1, 5, 8, 17))
                 for _ in range(count)]  # fmt: skip
        if random.random() < 0.25:
            # What is turned or taken for something else raises unless matrices are square.
            sizes[-1] = sizes[0]
        if prod(max(n, 1) for n in sizes) <= _MOST:
            return sizes


def shape_pool(
    make: Callable[[Random], tuple[Shape, ...]], count: int = 400
) -> list[tuple[Shape, ...]]:
    """Groups of operands' shapes, the simplest first."""
    random = Random("products")
    pool = {make(random) for _ in range(count)}
    return sorted(pool, key=lambda group: (any(0 in s for s in group),
                                           sum(prod(s) for s in group), group))  # fmt: skip


def products(
    make: Callable[[Random], tuple[Shape, ...]],
    places: st.SearchStrategy[str] | None = None,
    **choices: Sequence[Any],
) -> st.SearchStrategy[Call]:
    """Uses of an operator whose operands have the shapes that `make` gives, in any layout
    or in those of `places`."""
    anywhere_ = layouts() if places is None else places

    def made(group: Any, places: Any, regime: str, seed: int, chosen: Any) -> Call:
        operands = tuple(
            Operand(shape, place, regime, seed + 7 * number)
            for number, (shape, place) in enumerate(zip(group, places, strict=False))
        )
        return Call(operands, chosen)

    random = Random("arguments")
    settings: list[tuple[tuple[str, Any], ...]] = [()]
    if choices:
        settings = [tuple((name, values[0]) for name, values in choices.items())]
        settings += [
            tuple((name, random.choice(values)) for name, values in choices.items())
            for _ in range(20)
        ]
    return st.builds(
        made, from_pool(lambda: shape_pool(make)), st.tuples(anywhere_, anywhere_, anywhere_),
        st.sampled_from(_REGIMES), seeds(), st.sampled_from(settings),
    )  # fmt: skip


# ---------------------------------------------------------------------------------- shapes


def _matrices(random: Random) -> tuple[Shape, ...]:
    m, k, n = _sizes(random, 3)
    return (m, k), (k, n)


def _vectors(random: Random) -> tuple[Shape, ...]:
    n = random.choice((*LENGTHS, 1023, 1024, 4099))
    return (n,), (n,)


def _matrix_vector(random: Random) -> tuple[Shape, ...]:
    m, k = _sizes(random, 2)
    return (m, k), (k,)


def _batches(random: Random) -> tuple[Shape, ...]:
    b = random.choice((2, 1, 3, 0, 5))
    m, k, n = _sizes(random, 3)
    while b * m * k * n > _MOST:
        m, k, n = _sizes(random, 3)
    return (b, m, k), (b, k, n)


def matmul_shapes(random: Random) -> tuple[Shape, ...]:
    """Every pair of ranks, with batch dimensions that broadcast."""
    first, second = random.choice(
        [(2, 2), (1, 1), (1, 2), (2, 1), (3, 3), (3, 2), (2, 3), (3, 1), (1, 3), (4, 3), (3, 4),
         (4, 4), (4, 1), (1, 4), (4, 2), (2, 4), (5, 5), (5, 2), (3, 5)])  # fmt: skip
    m, k, n = _sizes(random, 3)
    batch = [random.choice((2, 3, 1, 2, 0)) for _ in range(max(first, second, 2) - 2)]
    while prod(max(b, 1) for b in batch) * m * k * n > _MOST:
        m, k, n = _sizes(random, 3)

    def batched(rank: int) -> Shape:
        kept = batch[len(batch) - max(rank - 2, 0) :]
        return tuple(1 if random.random() < 0.3 else b for b in kept)

    left = (k,) if first == 1 else (*batched(first), m, k)
    right = (k,) if second == 1 else (*batched(second), k, n)
    return left, right


def _outer(random: Random) -> tuple[Shape, ...]:
    m, n = _sizes(random, 2)
    return (m,), (n,)


def _added(make: Callable[[Random], tuple[Shape, ...]], result: Callable[..., Shape]) -> Any:
    """In front, a summand of the result's shape, or one that broadcasts to it."""

    def shapes(random: Random) -> tuple[Shape, ...]:
        first, second = make(random)
        whole = result(first, second)
        # PyTorch 2.13's addmv gives the summand's shape where one that broadcasts meets an empty
        # product: addmv(ones(1), ones(3, 0), ones(0)) has one element.
        if 0 not in (*first, *second) and random.random() < 0.4:
            shorter = tuple(1 if random.random() < 0.5 else n for n in whole)
            whole = shorter[random.randint(0, 1) if len(shorter) > 1 else 0 :]
        return whole, first, second

    return shapes


def _rows_alike(random: Random) -> tuple[Shape, ...]:
    shape = (*(random.choice((2, 3, 1)) for _ in range(random.randint(0, 2))),
             random.choice(LENGTHS))  # fmt: skip
    return shape, shape


def _linear(random: Random) -> tuple[Shape, ...]:
    m, k, n = _sizes(random, 3)
    left = random.choice([(m, k), (k,), (1, m, k)])
    return left, (n, k), (n,)


def _inner_shapes(random: Random) -> tuple[Shape, ...]:
    m, k, n = _sizes(random, 3)
    groups: tuple[tuple[Shape, ...], ...] = (
        ((m, k), (n, k)), ((k,), (n, k)), ((k,), (k,)),
    )  # fmt: skip
    return random.choice(groups)


def _contracted(random: Random) -> tuple[Shape, ...]:
    m, k, n = _sizes(random, 3)
    return (m, k, 2), (k, 2, n)


def _kron(random: Random) -> tuple[Shape, ...]:
    small = (2, 3, 1, 5, 8)
    return ((random.choice(small), random.choice(small)),
            (random.choice(small), random.choice(small)))  # fmt: skip


def _square(random: Random) -> tuple[Shape, ...]:
    n = random.choice((2, 1, 3, 5, 8, 9, 17))
    return (random.choice(((n, n), (2, n, n))),)


def _cross(random: Random) -> tuple[Shape, ...]:
    shape = random.choice(((3,), (2, 3), (17, 3), (65, 3), (2, 5, 3), (0, 3)))
    return shape, shape


# ---------------------------------------------------------------------------------- bounds


def bounded(terms: Callable[..., tuple[Any, int]]) -> Callable[..., Bound]:
    """n*u*sum|a||b| of the products that are summed, computed from the data.

    terms: of the operands' magnitudes and the arguments, sum|a||b| for every element of the
    result, and n. A half format accumulates in float32; its libraries may add a few partial
    sums in half precision, of which 4 are granted. A complex product is 4 real ones.
    """

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        kind = np.complex128 if dtype.startswith("complex") else np.float64
        magnitude, n = terms(*(np.abs(array.astype(kind)) for array in arrays), **arguments)
        layout = FORMATS[dtype]
        units = (n + 2) * (FORMATS["float32"] if dtype in HALVES else layout).eps / 2
        if dtype in HALVES:
            units += 4 * layout.eps / 2
        if dtype.startswith("complex"):
            units *= 4
        absolute = np.asarray(magnitude).reshape(np.shape(expected)) * units + layout.tiny
        return Bound(dtype, 0.5, "(n+2)*u*sum|a||b|, then rounded once", absolute)

    return accuracy


def _inner(reference: Callable[..., Any], axis: int = -1) -> Callable[..., tuple[Any, int]]:
    """The sum runs over the given axis of the first operand."""

    def terms(first: Array, *rest: Array, **arguments: Any) -> tuple[Any, int]:
        n = first.shape[axis] if first.ndim else 1
        return reference(first, *rest, **arguments), n

    return terms


def _with_summand(reference: Callable[..., Any], depth: Callable[[Array], int]) -> Any:
    def terms(summand: Array, first: Array, second: Array,
              beta: float = 1, alpha: float = 1) -> Any:  # fmt: skip
        value = reference(summand, first, second, beta=abs(beta), alpha=abs(alpha))
        return value, depth(first) + 2

    return terms


# ------------------------------------------------------------------------------ references


def _plus(product: Callable[[Array, Array], Any]) -> Callable[..., Any]:
    """beta * summand + alpha * product; a beta of 0 leaves the summand out."""

    def reference(summand: Array, first: Array, second: Array,
                  beta: float = 1, alpha: float = 1) -> Any:  # fmt: skip
        value = alpha * np.asarray(product(first, second))
        return value + np.zeros_like(summand) if beta == 0 else value + beta * summand

    return reference


def _dot(a: Array, b: Array) -> Any:
    return np.asarray(np.sum(a * b))


def _vdot(a: Array, b: Array) -> Any:
    return np.asarray(np.sum(np.conj(a) * b))


def _vecdot(a: Array, b: Array, dim: int = -1) -> Any:
    return np.sum(np.conj(a) * b, axis=dim)


def _inner_product(a: Array, b: Array) -> Any:
    return np.asarray(np.matmul(a, np.swapaxes(b, -1, -2) if b.ndim > 1 else b))


def _tensordot(a: Array, b: Array, dims: int) -> Any:
    return np.asarray(np.tensordot(a, b, axes=dims))


def _affine(x: Array, weight: Array, bias: Array) -> Any:
    return np.matmul(x, weight.T) + bias


def _matrix_power(a: Array, n: int) -> Any:
    result = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    for _ in range(n):
        result = np.matmul(result, a)
    return np.asarray(result)


def _cross_halves(a: Array, b: Array, dim: int) -> tuple[Array, Array]:
    first = np.roll(a, -1, dim) * np.roll(b, -2, dim)
    return first, np.roll(a, -2, dim) * np.roll(b, -1, dim)


def _cross_product(a: Array, b: Array, dim: int = -1) -> Any:
    first, second = _cross_halves(a, b, dim)
    return first - second


def _cross_terms(a: Array, b: Array, dim: int = -1) -> tuple[Any, int]:
    first, second = _cross_halves(a, b, dim)
    return first + second, 2


def _power_terms(a: Array, n: int) -> tuple[Any, int]:
    return _matrix_power(a, n), max(n, 1) * (a.shape[-1] + 1)


def _weighted(name: str, product: Callable[[Array, Array], Any], shapes: Any, result: Any,
              depth: Callable[[Array], int], **row: Any) -> Operator:  # fmt: skip
    reference = _plus(product)
    return _row(name, reference, products(_added(shapes, result), beta=(1, 2, -1, 0.5, 0, 0.1),
                                          alpha=(1, 1, 3, -0.5, 0.3)),
                accuracy=bounded(_with_summand(reference, depth)), in_place=True,
                **row)  # fmt: skip


def _row(name: str, reference: Callable[..., Any], calls: Any, **row: Any) -> Operator:
    given: dict[str, Any] = {
        "section": "matmul", "dtypes": FLOATS + COMPLEX, "prepare": _within_range,
        "accuracy": bounded(_inner(reference)), "smooth": anywhere, "in_place": False,
    }  # fmt: skip
    return Operator(name=name, reference=reference, calls=calls, **{**given, **row})


def _within_range(array: Array) -> Array:
    """Products and sums of them stay in range in float32, and in float16 mostly."""
    kept = np.clip(tame(array), -100, 100) if array.dtype.kind in "fV" else array
    return np.asarray(kept)


def _small(array: Array) -> Array:
    """At most 1, so that powers stay in range."""
    return _within_range(array) / 100 if array.dtype.kind in "fV" else array


def _batch_sum(a: Array, b: Array) -> Any:
    return np.sum(np.matmul(a, b), axis=0)


def _last(a: Array) -> int:
    return int(a.shape[-1])


_UNCHECKED = {"overlap": "PyTorch 2.13 writes to an expanded tensor there"}
_REAL = {"dtypes": FLOATS}

PRODUCTS = table(
    # PyTorch 2.13's matmul of 3 or more dimensions by 2 refuses an out= that it cannot fold to 2.
    _row("matmul", np.matmul, products(matmul_shapes), out_layout="offset", symbol=symbols.matmul,
         aliases=("linalg.matmul",), covers=("minicourse.at-operator", "notes.matmul-ranks",
                                             "minicourse.matmul-batched", "notes.matmul-empty"),
         fits=(0, -1)),
    _row("mm", np.matmul, products(_matrices), fits=(1, 0)),
    _row("bmm", np.matmul, products(_batches), fits=(1, 1)),
    _row("mv", np.matmul, products(_matrix_vector), fits=(1, 0)),
    _row("dot", _dot, products(_vectors), fits=(1, 0)),
    _row("vdot", _vdot, products(_vectors), fits=(1, 0)),
    _row("linalg.vecdot", _vecdot, products(_rows_alike, dim=(-1,)), method=False,
         accepts={"dimension": "PyTorch 2.13 does not look at it where the length is 1"}),
    _row("inner", _inner_product, products(_inner_shapes), fits=(0, -1)),
    _row("outer", np.outer, products(_outer), aliases=("ger",),
         accuracy=bounded(lambda a, b: (np.outer(a, b), 1))),
    # PyTorch 2.13 refuses to multiply by some matrices that are transposed in memory.
    _row("kron", np.kron, products(_kron, st.just("contiguous")),
         accuracy=bounded(lambda a, b: (np.kron(a, b), 1))),
    _row("tensordot", _tensordot, products(_contracted, dims=(2,)),
        accuracy=bounded(lambda a, b, dims: (_tensordot(a, b, dims), 2 * a.shape[1])),
        method=False),
    _row("linalg.cross", _cross_product, products(_cross, dim=(-1,)), method=False,
         accuracy=bounded(_cross_terms), fits=(1, -1)),
    _row("linalg.matrix_power", _matrix_power, products(_square, n=(2, 3, 1, 0, 4, 5)),
         dtypes=("float32", "float64", *COMPLEX), prepare=_small, accuracy=bounded(_power_terms),
         smooth=lambda x: np.tanh(x) / 2, fits=(0, -1)),
    _row("nn.functional.linear", _affine, products(_linear), method=False, out=False, **_REAL,
         accuracy=bounded(lambda x, w, b: (_affine(x, w, b), x.shape[-1] + 2)), fits=(0, -1)),
    _weighted("addmm", np.matmul, _matrices, lambda a, b: (a[0], b[1]), _last, fits=(2, 0)),
    _weighted("addmv", np.matmul, _matrix_vector, lambda a, b: (a[0],), _last, fits=(2, 0),
              accepts=_UNCHECKED),
    _weighted("addr", np.outer, _outer, lambda a, b: (a[0], b[0]), lambda a: 1),
    _weighted("baddbmm", np.matmul, _batches, lambda a, b: (a[0], a[1], b[2]), _last, fits=(2, 1),
              accepts=_UNCHECKED),
    _weighted("addbmm", _batch_sum, _batches, lambda a, b: (a[1], b[2]),
              lambda a: a.shape[0] * a.shape[2],
              # Half precision adds batch after batch in its own dtype, and may overflow there.
              dtypes=("float32", "float64", *COMPLEX), fits=(2, 1)),
)  # fmt: skip
"""Every product, by the name of its function; einsum and linalg.multi_dot, which take their
operands otherwise, are in the clauses."""
