"""Moving elements, whatever their number: each function that only moves them, at every length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import EVERY_LENGTH, MANY, tensor_of, values
from tenet.spec.indexing.common import Array
from tenet.spec.language import assert_equal, case, clause, for_all, has, supported
from tenet.spec.model.dtypes import ALL, BOOL


@clause(
    "indexing.every-length",
    covers=["basics.index-like-numpy", "notes.scatter-gather", "notes.layout-independence"],
)
@for_all(piece=st.sampled_from([(n, turn) for n in EVERY_LENGTH if n for turn in range(3)]))
def every_length_is_moved_whole(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """Whatever picks, joins, turns, repeats, copies or writes elements does so with each of them,
    along the rows and the columns of a matrix and in a vector of every length, in every dtype."""
    length, turn = piece
    places = np.random.Generator(np.random.PCG64(length)).permutation(length)
    for dtype in supported(ALL[turn::3]):
        rows = values((2, length), dtype, "small", length)
        for lying, array, dim in (("rows", rows, 1), ("columns", rows.T.copy(), 0)):
            for function, got, expected in _moves(torch, device, array, dim, places, dtype):
                with case(function=function, dtype=dtype, length=length, lying=lying):
                    assert_equal(got, expected)
        for function, got, expected in _of_a_vector(torch, device, rows[0], places):
            with case(function=function, dtype=dtype, length=length, lying="vector"):
                assert_equal(got, expected)


_LARGE = ((2, MANY), (MANY, 2), (259, 271))
"""More rows or columns than 16 bits count, and more of both than a tile holds."""


@clause(
    "indexing.beyond-sixteen-bits",
    covers=["basics.index-like-numpy", "notes.scatter-gather", "notes.layout-independence"],
    thorough=True,
)
def places_are_counted_beyond_sixteen_bits(torch: Any, device: str) -> None:
    """Whatever picks, joins, turns, repeats, copies or writes elements does so with each of more
    than 65,536, in a vector and along the rows and the columns of a matrix."""
    for turn, dtype in enumerate(supported(ALL)):
        for shape in ((MANY,), _LARGE[turn % len(_LARGE)]):
            array = values(shape, dtype, "normal", turn)
            dim = int(np.argmax(shape))
            places = np.random.Generator(np.random.PCG64(turn)).permutation(shape[dim])
            if len(shape) == 1:
                calls = _of_a_vector(torch, device, array, places)
            else:
                calls = _moves(torch, device, array, dim, places, dtype)
            for function, got, expected in calls:
                with case(function=function, dtype=dtype, shape=shape):
                    assert_equal(got, expected)


def _moves(
    torch: Any, device: str, array: Array, dim: int, places: Array, dtype: str
) -> Iterator[tuple[str, Any, Array]]:
    """(function, what it gives, what it has to give) for a matrix, along one of its dimensions."""
    x, index = tensor_of(torch, device, array), tensor_of(torch, device, places)
    along = np.expand_dims(places, 1 - dim)
    all_places = np.broadcast_to(along, array.shape)
    every = tensor_of(torch, device, np.array(all_places))
    kept = np.expand_dims(places % 3 != 1, 1 - dim)
    mask = tensor_of(torch, device, kept)
    moved = np.empty_like(array)
    np.put_along_axis(moved, all_places, array, dim)
    zeros = torch.zeros_like(x)
    yield "index_select", x.index_select(dim, index), np.take(array, places, dim)
    yield "gather", x.gather(dim, every), np.take_along_axis(array, all_places, dim)
    yield "scatter", zeros.scatter(dim, every, x), moved
    yield "index_copy", zeros.index_copy(dim, index, x), moved
    if dtype not in BOOL:
        yield "index_add", zeros.index_add(dim, index, x), np.zeros_like(moved) + moved
        yield "scatter_add", zeros.scatter_add(dim, every, x), np.zeros_like(moved) + moved
    yield "flip", x.flip(dim), np.flip(array, dim)
    yield "roll", x.roll(2, dim), np.roll(array, 2, dim)
    yield (
        "cat",
        torch.cat([x, x[:1] if dim == 0 else x[:, :1]], dim),
        np.concatenate([array, np.take(array, [0], dim)], dim),
    )
    yield "stack", torch.stack([x, x], dim), np.stack([array, array], dim)
    yield "repeat_interleave", x.repeat_interleave(2, dim), np.repeat(array, 2, dim)
    yield "masked_fill", x.masked_fill(mask, 1), np.where(kept, np.ones_like(array), array)
    yield "masked_select", x.masked_select(mask), array[np.broadcast_to(kept, array.shape)]
    yield "tril", x.tril(-1), np.tril(array, -1)
    yield "triu", x.triu(1), np.triu(array, 1)
    yield "clone", x.clone(), array
    yield "contiguous", x.t().contiguous(), array.T
    yield "reshape", x.t().reshape(-1), array.T.reshape(-1)
    if has("in-place"):
        yield "copy_", torch.zeros_like(x).copy_(x.t().contiguous().t()), array
    if dim == 0:
        yield "embedding", torch.nn.functional.embedding(index, x), array[places]


def _of_a_vector(
    torch: Any, device: str, array: Array, places: Array
) -> Iterator[tuple[str, Any, Array]]:
    """The same for a vector."""
    x, index = tensor_of(torch, device, array), tensor_of(torch, device, places)
    chosen = places % 3 != 1
    mask = tensor_of(torch, device, chosen)
    moved = np.empty_like(array)
    moved[places] = array
    yield "take", x.take(index), array[places]
    yield "x[index]", x[index], array[places]
    yield "x[mask]", x[mask], array[chosen]
    yield "clone", x.clone(), array
    yield "contiguous", x[::2].contiguous(), array[::2]
    yield "flip", x.flip(0), array[::-1]
    yield "roll", x.roll(-1), np.roll(array, -1)
    yield "cat", torch.cat([x, x]), np.concatenate([array, array])
    yield "stack", torch.stack([x, x]), np.stack([array, array])
    yield "nonzero", mask.nonzero()[:, 0], np.flatnonzero(chosen)
    yield "put", torch.zeros_like(x).put(index, x), moved
    if not has("in-place"):
        return
    written = torch.zeros_like(x)
    written[index] = x
    yield "x[index] = y", written, moved
    written = torch.zeros_like(x)
    written[mask] = x[: int(chosen.sum())]
    expected = np.zeros_like(array)
    expected[chosen] = array[: chosen.sum()]
    yield "x[mask] = y", written, expected
    yield "copy_", torch.zeros_like(x).copy_(x), array
    yield "fill_", torch.zeros_like(x).fill_(1), np.ones_like(array)
