"""Gradients along every dimension, of every rank: where one of many is easily treated apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.autograd.common import NEEDS, SINGLE, Act, Array, Shape, laid, plain, signed
from tenet.spec.cases import WRITABLE
from tenet.spec.cases.gradients import differences
from tenet.spec.language import assert_close, case, clause, supported
from tenet.spec.model.dtypes import FLOATS, FORMATS
from tenet.spec.model.tolerance import Bound

_RANKS: tuple[Shape, ...] = ((3,), (2, 3), (3, 2, 2), (2, 3, 1, 2))


def _apart(shape: Shape, seed: int) -> Array:
    """Integers no two of which are closer than 4, so that a step of 1 changes no order; none is
    0."""
    numbers = np.random.default_rng(seed).permutation(prod(shape))
    return (4.0 * numbers - 2 * prod(shape) + 1).reshape(shape)


def _backward(
    torch: Any, device: str, name: str, turn: int, arrays: tuple[Array, ...], along: Array, act: Act
) -> list[Any]:
    """The gradients of operands, each in a layout of its own, where the result has this one."""
    tensors = [
        laid(torch, device, array, WRITABLE[(turn + 4 * place) % len(WRITABLE)], name)
        for place, array in enumerate(arrays)
    ]
    act(*tensors).backward(plain(torch, device, along, name))
    return [tensor.grad for tensor in tensors]


def _assert_near(got: Any, expected: Array, name: str) -> None:
    scale = float(np.abs(expected).max(initial=1))
    bound = Bound(name, 4, "sums and quotients", 16 * FORMATS[name].eps * scale)
    assert_close(got, expected, bound)


LINES: dict[str, tuple[Act, Act]] = {
    # One dimension, of x, which is reduced or gone along.
    "cumsum": (lambda torch, x, d: torch.cumsum(x, d), lambda x, d: x.cumsum(d)),
    "cumprod": (lambda torch, x, d: x.cumprod(d), lambda x, d: x.cumprod(d)),
    "prod": (lambda torch, x, d: torch.prod(x, d), lambda x, d: x.prod(d)),
    "max": (lambda torch, x, d: torch.max(x, d).values, lambda x, d: x.max(d)),
    "min": (lambda torch, x, d: x.min(d, keepdim=True)[0], lambda x, d: x.min(d, keepdims=True)),
    "sort": (lambda torch, x, d: torch.sort(x, d).values, lambda x, d: np.sort(x, d)),
    "sort down": (
        lambda torch, x, d: x.sort(dim=d, descending=True)[0],
        lambda x, d: -np.sort(-x, d),
    ),
    "topk": (
        lambda torch, x, d: x.topk(1, d)[0],
        lambda x, d: x.max(d, keepdims=True),
    ),
    "kthvalue": (lambda torch, x, d: torch.kthvalue(x, 1, d)[0], lambda x, d: x.min(d)),
    "median": (
        lambda torch, x, d: torch.median(x, d).values,
        lambda x, d: np.take(np.sort(x, d), (x.shape[d] - 1) // 2, d),
    ),
    "cummax": (
        lambda torch, x, d: torch.cummax(x, d).values,
        lambda x, d: np.maximum.accumulate(x, d),
    ),
    "cummin": (lambda torch, x, d: x.cummin(d)[0], lambda x, d: np.minimum.accumulate(x, d)),
    "diff": (lambda torch, x, d: torch.diff(x, dim=d), lambda x, d: np.diff(x, axis=d)),
    "flip": (lambda torch, x, d: torch.flip(x, (d,)), lambda x, d: np.flip(x, d)),
    "roll": (lambda torch, x, d: torch.roll(x, 1, d), lambda x, d: np.roll(x, 1, d)),
    "pad": (
        lambda torch, x, d: torch.nn.functional.pad(x, [0, 0] * ((-1 - d) % x.dim()) + [2, -1]),
        lambda x, d: np.insert(x, [0, 0], 0, d).take(range(x.shape[d] + 1), d),
    ),
    "unbind": (lambda torch, x, d: torch.unbind(x, d)[-1], lambda x, d: np.take(x, -1, d)),
    "repeat_interleave": (
        lambda torch, x, d: torch.repeat_interleave(
            x, torch.arange(x.shape[d], device=x.device) + 1, d
        ),
        lambda x, d: np.repeat(x, np.arange(x.shape[d]) + 1, d),
    ),
    "unfold": (
        lambda torch, x, d: x.unfold(d, min(2, x.shape[d]), 1),
        lambda x, d: np.lib.stride_tricks.sliding_window_view(x, min(2, x.shape[d]), d),
    ),
}
SEVERAL: dict[str, tuple[Act, Act]] = {
    # One dimension or several.
    "sum": (lambda torch, x, d: torch.sum(x, d), lambda x, d: x.sum(d)),
    "Tensor.sum": (
        lambda torch, x, d: x.sum(dim=d, keepdim=True),
        lambda x, d: x.sum(d, keepdims=True),
    ),
    "nansum": (lambda torch, x, d: torch.nansum(x, d), lambda x, d: x.sum(d)),
    "mean": (lambda torch, x, d: torch.mean(x, d), lambda x, d: x.mean(d)),
    "Tensor.mean": (
        lambda torch, x, d: x.mean(dim=d, keepdim=True),
        lambda x, d: x.mean(d, keepdims=True),
    ),
    "amax": (lambda torch, x, d: torch.amax(x, d), lambda x, d: x.max(d)),
    "amin": (
        lambda torch, x, d: x.amin(d, keepdim=True),
        lambda x, d: x.min(d, keepdims=True),
    ),
    "var": (
        lambda torch, x, d: torch.var(x, dim=d, correction=0),
        lambda x, d: x.var(d),
    ),
    "var keepdim": (
        lambda torch, x, d: x.var(dim=d, correction=0, keepdim=True),
        lambda x, d: x.var(d, keepdims=True),
    ),
}  # fmt: skip


def _dimensions(rank: int, several: bool) -> Iterator[int | tuple[int, ...]]:
    """Each dimension from either end; several of them, in either order."""
    yield from range(-rank, rank)
    if several:
        for count in range(1, rank + 1):
            for chosen in combinations(range(rank), count):
                for order in dict.fromkeys((chosen, chosen[::-1])):
                    yield tuple(d - rank if d % 2 else d for d in order)


@clause(
    "autograd.along-dimensions", covers=["notes.numeric-gradient"], requires=NEEDS, thorough=True
)
def a_gradient_is_the_same_along_every_dimension(torch: Any, device: str) -> None:
    """What goes along a dimension, or several, or reduces them, passes its gradient back along
    them and no other: whichever they are, counted from either end, in every rank and layout."""
    # Each is of degree two at most in a single element, so a central difference is exact.
    turn = 0
    for shape, (name, (act, reference)) in product(_RANKS, {**LINES, **SEVERAL}.items()):
        for dims in _dimensions(len(shape), name in SEVERAL):
            turn += 1
            if name == "cumprod" and isinstance(dims, int) and shape[dims] == 1:
                continue
            array = _apart(shape, turn)
            steps = np.eye(array.size, dtype=np.longdouble).reshape(array.size, *shape)
            # Counted from the end they are the same with all the steps side by side.
            ends = np.subtract(np.mod(dims, len(shape)), len(shape)).tolist()
            axis = tuple(ends) if isinstance(ends, list) else ends
            slopes = (reference(array + steps, axis) - reference(array - steps, axis)) / 2
            along = 6 * signed(slopes.shape[1:], turn)
            expected = (slopes * along).reshape(array.size, -1).sum(1).reshape(shape)
            # Products of three are too large for float16.
            kinds = SINGLE if name == "cumprod" else FLOATS
            for dtype in supported([kinds[turn % len(kinds)]]):
                with case(function=name, shape=shape, dim=dims, dtype=dtype):
                    [got] = _backward(
                        torch, device, dtype, turn, (array,), along,
                        lambda x, a=act, d=dims: a(torch, x, d),
                    )  # fmt: skip
                    _assert_near(got, expected, dtype)


def _places(shape: Shape, dim: int) -> Array:
    """For every element a place along the dimension; some come repeatedly, some never."""
    return np.arange(prod(shape)).reshape(shape) * 2 // 3 % shape[dim]


def _once(shape: Shape, dim: int) -> Array:
    """For every element a place along the dimension, each once."""
    line = (np.arange(shape[dim]) + 1) % shape[dim]
    sizes = [1] * len(shape)
    sizes[dim] = shape[dim]
    return np.broadcast_to(line.reshape(sizes), shape).copy()


def _rows(shape: Shape, dim: int) -> Array:
    """A vector of places along the dimension, the last of which comes twice."""
    return np.array([*range(shape[dim]), shape[dim] - 1])


def _longer(shape: Shape, dim: int) -> Shape:
    """As many as _rows along the dimension."""
    sizes = [*shape]
    sizes[dim] += 1
    return tuple(sizes)


def _without(shape: Shape, dim: int) -> Shape:
    return tuple(np.delete(shape, dim))


def _added(x: Array, dim: int, index: Array, source: Array) -> Array:
    """scatter_add, written out."""
    result = x.copy()
    for place in np.ndindex(index.shape):
        where = [*place]
        where[dim] = index[place]
        result[tuple(where)] += source[place]
    return result


def _put(x: Array, dim: int, index: Array, source: Array) -> Array:
    result = x.copy()
    np.put_along_axis(result, index, source, dim)
    return result


def _rows_added(x: Array, dim: int, rows: Array, source: Array) -> Array:
    result = np.moveaxis(x.copy(), dim, 0)
    np.add.at(result, rows, np.moveaxis(source, dim, 0))
    return np.moveaxis(result, 0, dim)


def _rows_put(x: Array, dim: int, rows: Array, source: Any) -> Array:
    result = np.moveaxis(x.copy(), dim, 0)
    result[rows] = source if np.ndim(source) == 0 else np.moveaxis(source, dim, 0)
    return np.moveaxis(result, 0, dim)


def _first(shape: Shape, dim: int) -> Array:
    return np.zeros(1, np.int64)


class Placing(NamedTuple):
    """An operation that takes from or writes to places along a dimension.

    act: called with torch, the dimension, the index and the operands, as the reference is but for
    torch; places: its index, of a shape and a dimension; others: the shapes of the operands after
    x; factor: of what is added, which the reference leaves out.
    """

    act: Act
    reference: Act
    places: Callable[[Shape, int], Array]
    others: Callable[[Shape, int], tuple[Shape, ...]] = lambda shape, dim: ()
    factor: int = 1


PLACINGS = {
    "gather": Placing(
        lambda torch, d, i, x: torch.gather(x, d, i),
        lambda d, i, x: np.take_along_axis(x, i, d), _places,
    ),
    "take_along_dim": Placing(
        lambda torch, d, i, x: torch.take_along_dim(x, i, d),
        lambda d, i, x: np.take_along_axis(x, i, d), _places,
    ),
    "index_select": Placing(
        lambda torch, d, i, x: x.index_select(d, i), lambda d, i, x: np.take(x, i, d), _rows,
    ),
    "scatter": Placing(
        lambda torch, d, i, x, y: torch.scatter(x, d, i, y),
        lambda d, i, x, y: _put(x, d, i, y), _once, lambda shape, dim: (shape,),
    ),
    "scatter_": Placing(
        lambda torch, d, i, x, y: (x * 1).scatter_(d, i, y),
        lambda d, i, x, y: _put(x, d, i, y), _once, lambda shape, dim: (shape,),
    ),
    "scatter_add": Placing(
        lambda torch, d, i, x, y: x.scatter_add(d, i, y),
        lambda d, i, x, y: _added(x, d, i, y), _places, lambda shape, dim: (shape,),
    ),
    "scatter_reduce": Placing(
        lambda torch, d, i, x, y: x.scatter_reduce(d, i, y, "sum"),
        lambda d, i, x, y: _added(x, d, i, y), _places, lambda shape, dim: (shape,),
    ),
    "index_add": Placing(
        lambda torch, d, i, x, y: torch.index_add(x, d, i, y, alpha=-3),
        lambda d, i, x, y: _rows_added(x, d, i, y), _rows,
        lambda shape, dim: (_longer(shape, dim),), -3,
    ),
    "index_add_": Placing(
        lambda torch, d, i, x, y: (x * 1).index_add_(d, i, y),
        lambda d, i, x, y: _rows_added(x, d, i, y), _rows,
        lambda shape, dim: (_longer(shape, dim),),
    ),
    "index_put": Placing(
        lambda torch, d, i, x, y: x.movedim(d, 0).index_put(
            (i,), y.movedim(d, 0), accumulate=True
        ).movedim(0, d),
        lambda d, i, x, y: _rows_added(x, d, i, y), _rows,
        lambda shape, dim: (_longer(shape, dim),),
    ),
    "masked_fill": Placing(
        lambda torch, d, i, x, y: x.masked_fill(i == 0, y),
        lambda d, i, x, y: np.where(i == 0, y, x), _places, lambda shape, dim: ((),),
    ),
    "index_copy": Placing(
        lambda torch, d, i, x, y: torch.index_copy(x, d, i, y),
        lambda d, i, x, y: _rows_put(x, d, i, y), _first,
        lambda shape, dim: (tuple(np.where(np.arange(len(shape)) == dim % len(shape), 1, shape)),),
    ),
    "index_fill": Placing(
        lambda torch, d, i, x, y: torch.index_fill(x, d, i, y),
        lambda d, i, x, y: _rows_put(x, d, i, y), _first, lambda shape, dim: ((),),
    ),
    "select_scatter": Placing(
        lambda torch, d, i, x, y: torch.select_scatter(x, y, d, -1),
        lambda d, i, x, y: _rows_put(x, d, np.array([-1]), np.expand_dims(y, d)), _first,
        lambda shape, dim: (_without(shape, dim),),
    ),
    "cat": Placing(
        lambda torch, d, i, x, y, z: torch.cat((x, y, z, x), d),
        lambda d, i, x, y, z: np.concatenate((x, y, z, x), d), _first,
        lambda shape, dim: (_longer(shape, dim), shape),
    ),
    "stack": Placing(
        lambda torch, d, i, x, y: torch.stack((y, x, y), d),
        lambda d, i, x, y: np.stack((y, x, y), d), _first, lambda shape, dim: (shape,),
    ),
}  # fmt: skip


@clause("autograd.places-along-dimensions", covers=["notes.view-gradient"],
        requires=NEEDS | {"in-place"}, thorough=True)  # fmt: skip
def what_is_placed_along_a_dimension_gets_its_gradient(torch: Any, device: str) -> None:
    """What is taken from, put to or added to places along a dimension, whichever it is, gets the
    gradient of where it went, and what was overwritten gets none: the tensor that is written to
    as well as what is written."""
    turn = 0
    for shape, (name, placing) in product(_RANKS, PLACINGS.items()):
        for dim in range(-len(shape), len(shape)):
            turn += 1
            index = placing.places(shape, dim)
            shapes = (shape, *placing.others(shape, dim))
            sizes = [prod(one) for one in shapes]
            # Each element is a bit, so that the result tells which elements went where.
            bits = np.split(2 ** np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
            whole = [part.reshape(one) for part, one in zip(bits, shapes, strict=True)]
            shown = placing.reference(dim, index, *whole)
            along = signed(shown.shape, turn)
            arrays = tuple(_apart(one, turn + at) for at, one in enumerate(shapes))
            for dtype in supported([FLOATS[turn % len(FLOATS)]]):
                taken = plain(torch, device, index, "int64")
                with case(function=name, shape=shape, dim=dim, dtype=dtype):
                    grads = _backward(
                        torch, device, dtype, turn, arrays, along,
                        lambda *xs, p=placing, d=dim, i=taken: p.act(torch, d, i, *xs),
                    )  # fmt: skip
                    for place, (got, part) in enumerate(zip(grads, whole, strict=True)):
                        went = (part[..., *[None] * shown.ndim] & shown) != 0
                        expected = (went * along).sum(tuple(range(part.ndim, went.ndim)))
                        with case(operand=place):
                            _assert_near(got, expected * (placing.factor if place else 1), dtype)


def _windows(x: Array, size: Shape) -> Array:
    axes = tuple(range(-len(size), 0))
    return np.lib.stride_tricks.sliding_window_view(x, size, axes)


FACTORS: dict[str, tuple[Act, Act]] = {
    "@": (lambda torch, a, b: a @ b, np.matmul),
    "matmul": (lambda torch, a, b: torch.matmul(a, b), np.matmul),
    "Tensor.matmul": (lambda torch, a, b: a.matmul(b), np.matmul),
}
LEFT: tuple[Shape, ...] = ((3,), (2, 3), (2, 2, 3), (1, 2, 3), (2, 1, 2, 3))
RIGHT: tuple[Shape, ...] = ((3,), (3, 2), (2, 3, 2), (1, 3, 1), (2, 3, 2), (2, 2, 3, 1))
FORMS: dict[str, tuple[Act, Act, tuple[Shape, ...]]] = {
    "mm": (lambda torch, a, b: torch.mm(a, b), np.matmul, ((2, 3), (3, 4))),
    "bmm": (lambda torch, a, b: torch.bmm(a, b), np.matmul, ((2, 2, 3), (2, 3, 2))),
    "mv": (lambda torch, a, b: torch.mv(a, b), np.matmul, ((2, 3), (3,))),
    "dot": (lambda torch, a, b: torch.dot(a, b), np.dot, ((3,), (3,))),
    "outer": (lambda torch, a, b: torch.outer(a, b), np.outer, ((3,), (2,))),
    "inner": (lambda torch, a, b: torch.inner(a, b), np.inner, ((2, 3), (2, 2, 3))),
    "tensordot": (
        lambda torch, a, b: torch.tensordot(a, b, ([0, 2], [1, 0])),
        lambda a, b: np.tensordot(a, b, ([0, 2], [1, 0])), ((2, 2, 3), (3, 2, 2)),
    ),
    "einsum": (
        lambda torch, a, b, c: torch.einsum("bi,bij,j->bj", a, b, c),
        lambda a, b, c: np.einsum("bi,bij,j->bj", a, b, c), ((2, 3), (2, 3, 2), (2,)),
    ),
    "einsum of one": (
        lambda torch, a: torch.einsum("bii->ib", a), lambda a: np.einsum("bii->ib", a),
        ((2, 3, 3),),
    ),
    "einsum ellipsis": (
        lambda torch, a, b: torch.einsum("...ij,jk->...ki", a, b),
        lambda a, b: np.einsum("...ij,jk->...ki", a, b), ((2, 2, 3), (3, 2)),
    ),
    "addmm": (
        lambda torch, a, b, c: torch.addmm(a, b, c, beta=2, alpha=-3),
        lambda a, b, c: 2 * a - 3 * (b @ c), ((4,), (2, 3), (3, 4)),
    ),
    "addmv": (
        lambda torch, a, b, c: torch.addmv(a, b, c, alpha=2),
        lambda a, b, c: a + 2 * (b @ c), ((2,), (2, 3), (3,)),
    ),
    "addr": (
        lambda torch, a, b, c: torch.addr(a, b, c, beta=3),
        lambda a, b, c: 3 * a + np.outer(b, c), ((2, 3), (2,), (3,)),
    ),
    "baddbmm": (
        lambda torch, a, b, c: torch.baddbmm(a, b, c, beta=2, alpha=-1),
        lambda a, b, c: 2 * a - b @ c, ((2, 1, 2), (2, 2, 3), (2, 3, 2)),
    ),
    "addbmm": (
        lambda torch, a, b, c: torch.addbmm(a, b, c, alpha=2),
        lambda a, b, c: a + 2 * (b @ c).sum(0), ((2, 2), (2, 2, 3), (2, 3, 2)),
    ),
    "linear": (
        lambda torch, a, b, c: torch.nn.functional.linear(a, b, c),
        lambda a, b, c: a @ b.T + c, ((2, 2, 3), (2, 3), (2,)),
    ),
    "linear of a vector": (
        lambda torch, a, b, c: torch.nn.functional.linear(a, b, c),
        lambda a, b, c: a @ b.T + c, ((3,), (2, 3), (2,)),
    ),
    "bilinear": (
        lambda torch, a, b, c: torch.nn.functional.bilinear(a, b, c),
        lambda a, b, c: np.einsum("ni,oij,nj->no", a, c, b), ((3, 2), (3, 2), (2, 2, 2)),
    ),
    "conv1d": (
        lambda torch, a, b, c: torch.nn.functional.conv1d(a, b, c),
        lambda a, b, c: np.einsum("nilk,oik->nol", _windows(a, (2,)), b) + c[:, None],
        ((2, 2, 4), (3, 2, 2), (3,)),
    ),
    "conv2d": (
        lambda torch, a, b, c: torch.nn.functional.conv2d(a, b, c),
        lambda a, b, c: np.einsum("nihwkl,oikl->nohw", _windows(a, (2, 1)), b) + c[:, None, None],
        ((2, 2, 3, 2), (2, 2, 2, 1), (2,)),
    ),
    "multi_dot": (
        lambda torch, a, b, c: torch.linalg.multi_dot([a, b, c]),
        lambda a, b, c: a @ b @ c, ((2, 3), (3, 2), (2,)),
    ),
    "vecdot": (
        lambda torch, a, b: torch.linalg.vecdot(a, b, dim=0),
        lambda a, b: (a * b).sum(0), ((3, 2), (3, 2)),
    ),
    "cross": (
        lambda torch, a, b: torch.linalg.cross(a, b, dim=0),
        lambda a, b: np.cross(a, b, axis=0), ((3, 2), (3, 2)),
    ),
}  # fmt: skip


@clause("autograd.factors-of-every-rank", covers=["notes.numeric-gradient",
                                                  "notes.broadcast-gradient"],
        requires=NEEDS, thorough=True)  # fmt: skip
def both_factors_of_a_product_get_their_gradients(torch: Any, device: str) -> None:
    """The factors of a product of vectors, matrices and batches of them, of the same rank or not,
    each get the gradient of a product, summed over the batches for which they were stretched."""
    meetings = [
        (name, act, reference, (left, right))
        for left, right in product(LEFT, RIGHT)
        for name, (act, reference) in FACTORS.items()
    ]
    forms = [(name, *form) for name, form in FORMS.items() for _ in FLOATS]
    # Linear in each of its operands: a central difference is exact.
    for turn, (name, act, reference, shapes) in enumerate((*meetings, *forms)):
        arrays = tuple(signed(shape, turn + at) for at, shape in enumerate(shapes))
        along = signed(np.shape(reference(*arrays)), turn)
        for dtype in supported([FLOATS[turn % len(FLOATS)]]):
            with case(function=name, shapes=shapes, dtype=dtype):
                grads = _backward(
                    torch, device, dtype, turn, arrays, along, lambda *xs, a=act: a(torch, *xs)
                )
                for place, got in enumerate(grads):

                    def moved(
                        flat: Array, at: int = place, given: Any = arrays, of: Act = reference
                    ) -> Array:
                        others = [*given]
                        others[at] = flat.reshape(given[at].shape)
                        return np.asarray(of(*others))

                    slopes = differences(moved, arrays[place].ravel())
                    expected = np.tensordot(along, slopes, along.ndim)
                    with case(operand=place):
                        _assert_near(got, expected.reshape(shapes[place]), dtype)
