"""Functions that pick and write by mask or by place."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    Operand,
    broadcast_shapes,
    layouts,
    operands,
    place,
    seeds,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.kinds import combined
from tenet.spec.indexing.common import TURNS
from tenet.spec.language import (
    assert_equal,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, NUMERIC, numpy_dtype
from tenet.spec.operators.indexing import coordinates


@clause(
    "indexing.masked",
    covers=["basics.masked-select", "notes.advanced-indexing"],
    effort=1,
    shows=lambda group, layout, seed: combined("tensor", group[0], layout),
)
@for_all(group=broadcast_shapes(2, 1500), layout=layouts(), seed=seeds())
def masked_select_gives_the_chosen_elements_in_order(
    torch: Any, device: str, group: Any, layout: str, seed: int
) -> None:
    """masked_select(mask) gives the elements where the mask is true as one dimension, in row-major
    order, and a copy; the mask and the tensor broadcast."""
    shape, other = group
    mask = Operand(other, layout, "normal", seed + 1)
    truth = mask.array("bool")
    for dtype in supported(ALL):
        operand = Operand(shape, layout, "normal", seed)
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        condition = mask.on(torch, device, "bool")
        both = np.broadcast_arrays(array, truth)
        expected = np.asarray(both[0][both[1]])
        with case(dtype=dtype):
            picked = torch.masked_select(x, condition)
            assert_equal(picked, expected)
            assert_equal(x.masked_select(mask=condition), expected)
            picked.zero_()
            assert_equal(x, array)


@clause(
    "indexing.nonzero",
    covers=["basics.nonzero"],
    effort=0.4,
    shows=lambda operand: combined("tensor", operand.shape, operand.layout),
)
@for_all(operand=operands())
def nonzero_lists_the_places_of_nonzero_elements(torch: Any, device: str, operand: Operand) -> None:
    """nonzero() gives one row of int64 indices an element that is not zero, (count, ndim), in
    row-major order; NaN is not zero, -0.0 is. argwhere is the same; as_tuple=True, and where()
    of a condition alone, give one vector a dimension, which index the elements."""
    for dtype in supported(ALL):
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        rows = np.argwhere(array != 0).astype(np.int64)
        with case(dtype=dtype):
            assert_equal(torch.nonzero(x), rows)
            assert_equal(x.nonzero(), rows)
            assert_equal(torch.argwhere(x), rows)
            if not array.ndim:
                continue
            for spelling, found in (
                ("torch.nonzero", torch.nonzero(x, as_tuple=True)),
                ("x.nonzero", x.nonzero(as_tuple=True)),
                ("where", torch.where(x)),
            ):
                with case(spelling=spelling):
                    assert_that(len(found) == array.ndim, f"{len(found)} vectors")
                    for dim, vector in enumerate(found):
                        assert_equal(vector, rows[:, dim])
            assert_equal(x[x.nonzero(as_tuple=True)], array[array != 0])


@clause("indexing.where", covers=["basics.nonzero", "notes.advanced-indexing"], effort=0.75)
@for_all(group=broadcast_shapes(3, 1500), layout=layouts(), seed=seeds(), turn=TURNS)
def where_chooses_element_by_element(
    torch: Any, device: str, group: Any, layout: str, seed: int, turn: int
) -> None:
    """where(condition, x, y) takes x where the condition holds and y elsewhere, bit by bit; the
    three broadcast; x.where(condition, y) is the same, and either may be a number."""
    condition = Operand(group[0], layout, "normal", seed)
    truth = condition.array("bool")
    for dtype in supported(ALL[turn::4]):
        first = Operand(group[1], layout, "special", seed + 1)
        second = Operand(group[2], "contiguous", "special", seed + 2)
        a, b = first.array(dtype), second.array(dtype)
        c = condition.on(torch, device, "bool")
        x, y = first.on(torch, device, dtype), second.on(torch, device, dtype)
        with case(dtype=dtype):
            assert_equal(torch.where(c, x, y), np.where(truth, a, b))
            assert_equal(x.where(c, y), np.where(truth, a, b))
            one, none = (True, False) if dtype == "bool" else (1, 0)
            assert_equal(torch.where(c, one, y), np.where(truth, np.asarray(1, b.dtype), b))
            assert_equal(torch.where(c, x, none), np.where(truth, a, np.asarray(0, a.dtype)))


@clause("indexing.scatter-reverses-gather", covers=["notes.scatter-gather", "basics.gather",
                                                    "basics.index-select"],
        requires={"in-place"}, effort=0.6)  # fmt: skip
@for_all(shaped=with_dim(1, 4, 600, empty=False), seed=seeds(), turn=TURNS,
         layout=layouts(writable=True))  # fmt: skip
def scatter_writes_where_gather_reads(
    torch: Any, device: str, shaped: Any, seed: int, turn: int, layout: str
) -> None:
    """x.scatter_(dim, index, x.gather(dim, index)) changes nothing, and what is scattered is
    gathered again; a number is scattered to every place; only the part of the source that the
    index covers counts; index_select takes int32 indices too."""
    shape, dim = shaped
    random = np.random.Generator(np.random.PCG64(seed))
    index = np.argsort(random.random(shape), axis=dim)
    index = index[tuple(slice(max(1, n - (seed >> d) % 2)) for d, n in enumerate(shape))]
    to = coordinates(index, dim)
    part = tuple(slice(n) for n in index.shape)
    i = tensor_of(torch, device, index.astype(np.int64))
    line = index[tuple(slice(None) if d == dim % len(shape) else 0 for d in range(len(shape)))]
    for dtype in supported(ALL[turn::4]):
        array, source = (values(shape, dtype, "normal", seed + k) for k in (0, 1))
        at, y = place(torch, device, array, layout), tensor_of(torch, device, source)
        expected = array.copy()
        expected[to] = source[part]
        ones = array.copy()
        ones[to] = 1
        with case(dtype=dtype):
            gathered = at.view.gather(dim=dim, index=i)
            assert_equal(gathered, array[to])
            assert_same_object(at.view.scatter_(dim, i, gathered), at.view)
            assert_equal(at.base, at.after(array))
            assert_equal(at.view.scatter(dim, i, 1), ones)
            assert_equal(torch.scatter(at.view, dim=dim, index=i, value=1), ones)
            at.view.scatter_(dim=dim, index=i, src=y)
            assert_equal(at.base, at.after(expected))
            assert_equal(torch.gather(at.view, dim, i), source[part])
            for width in supported(("int32", "int64")):
                vector = tensor_of(torch, device, line.astype(width))
                assert_equal(y.index_select(dim=dim, index=vector), source.take(line, dim))
            assert_same_object(at.view.scatter_(dim, i, 1), at.view)
            ones = expected.copy()
            ones[to] = 1
            assert_equal(at.base, at.after(ones))


@clause("indexing.slices-replaced", covers=["notes.index-put", "notes.scatter-gather"])
def slices_are_replaced_in_a_copy(torch: Any, device: str) -> None:
    """select_scatter, slice_scatter and diagonal_scatter give a copy in which what select, a slice
    or diagonal shows is replaced; the tensor itself stays as it is."""
    for dtype in supported(ALL):
        array = values((4, 5, 6), dtype, "signed", 1)
        x = tensor_of(torch, device, array)
        for dim, at in ((0, 0), (1, -1), (-1, 2), (-3, 3), (0, -2), (1, -5), (-1, -3)):
            expected, index = array.copy(), [slice(None)] * 3
            source = values(np.take(array, 0, dim).shape, dtype, "ties", 2)
            place_: Any = (*index[: dim % 3], at)
            expected[place_] = source
            with case(dtype=dtype, function="select_scatter", dim=dim, index=at):
                got = torch.select_scatter(x, tensor_of(torch, device, source), dim, at)
                assert_equal(got, expected)
        for dim, start, end, step in ((0, 1, 3, 1), (1, None, -1, 2), (-1, -4, None, 3)):
            expected = array.copy()
            place_ = (slice(None),) * (dim % 3) + (slice(start, end, step),)
            source = values(expected[place_].shape, dtype, "ties", 3)
            expected[place_] = source
            with case(dtype=dtype, function="slice_scatter", dim=dim, start=start):
                given = tensor_of(torch, device, source)
                got = torch.slice_scatter(x, given, dim, start=start, end=end, step=step)
                assert_equal(got, expected)
        for offset in (0, 1, -2):
            expected = array.copy()
            shown = np.diagonal(expected, offset, 0, 2)
            source = values(shown.shape, dtype, "ties", 4)
            rows = np.arange(source.shape[1])
            expected[rows + max(-offset, 0), :, rows + max(offset, 0)] = source.T
            with case(dtype=dtype, function="diagonal_scatter", offset=offset):
                got = torch.diagonal_scatter(x, tensor_of(torch, device, source), offset, 0, 2)
                assert_equal(got, expected)
        assert_equal(x, array)


@clause("indexing.put", covers=["notes.index-put"], requires={"in-place"})
def put_writes_by_place_in_row_major_order(torch: Any, device: str) -> None:
    """put_ writes to the places that take reads, counted through the elements in row-major order
    and from the end where negative; with accumulate=True every contribution counts."""
    for dtype in supported(NUMERIC):
        for layout in ("contiguous", "transposed"):
            array = values((3, 7), dtype, "signed", 1)
            at = np.array([0, 5, -1, 5, 13, -21, 5])
            source = values((7,), dtype, "ties", 2)
            index = tensor_of(torch, device, at)
            added = array.copy().reshape(-1)
            np.add.at(added, at, source)
            written = array.copy().reshape(-1)
            single = at[[0, 1, 2, 4]]
            written[single] = source[:4]
            with case(dtype=dtype, layout=layout):
                x = place(torch, device, array, layout).view
                assert_same_object(
                    x.put_(index, tensor_of(torch, device, source), accumulate=True), x
                )
                assert_equal(x, added.reshape(3, 7), signed_zero=False)
                y = place(torch, device, array, layout).view
                y.put_(tensor_of(torch, device, single), tensor_of(torch, device, source[:4]))
                assert_equal(y, written.reshape(3, 7))
                assert_equal(y.take(tensor_of(torch, device, single)), source[:4])


@clause("indexing.repeated-places", covers=["notes.index-put", "notes.layout-independence"])
@for_all(piece=st.sampled_from([(n, turn) for n in LENGTHS for turn in range(3)]))
def every_contribution_to_one_place_counts(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """However often a place is named, among others or alone, index_put and put with
    accumulate=True, index_add, scatter_add and scatter_reduce add every contribution, to a vector
    and to the rows and the columns of a matrix."""
    count, turn = piece
    spots = np.arange(count)
    for dtype, others in product(supported(NUMERIC[turn::3]), (5, count + 1)):
        if count > {"bfloat16": 128, "float16": 1024}.get(dtype, count):
            continue  # not every sum is a number of theirs
        at = np.where(spots % others == others - 1, spots % 4, 2)
        source = (spots % 2 + 1).astype(numpy_dtype(dtype))
        vector = np.zeros(4, source.dtype)
        np.add.at(vector, at, source)
        index, given = tensor_of(torch, device, at), tensor_of(torch, device, source)
        two, pair = torch.stack([index, index]), torch.stack([given, given])
        x = tensor_of(torch, device, np.zeros(4, source.dtype))
        rows, columns = torch.stack([x, x]), torch.stack([x, x], 1)
        sums = {
            "index_put": x.index_put((index,), given, accumulate=True),
            "put": x.put(index, given, accumulate=True),
            "index_add": x.index_add(0, index, given),
            "scatter_add": x.scatter_add(0, index, given),
            "scatter_reduce": x.scatter_reduce(0, index, given, "sum"),
        }
        along = {
            "index_put": columns.index_put((index,), pair.t(), accumulate=True).t(),
            "index_add": columns.index_add(0, index, pair.t()).t(),
            "index_add, columns": rows.index_add(1, index, pair),
            "scatter_add": columns.scatter_add(0, two.t(), pair.t()).t(),
            "scatter_add, columns": rows.scatter_add(-1, two, pair),
        }
        with case(dtype=dtype, count=count, alone=others > count):
            for function, got in sums.items():
                with case(function=function):
                    assert_equal(got, vector)
            for function, got in along.items():
                with case(function=function, of="matrix"):
                    assert_equal(got, np.stack([vector, vector]))


@clause("indexing.take-along-flattened", covers=["basics.gather", "notes.layout-independence"])
def take_along_dim_counts_in_row_major_order(torch: Any, device: str) -> None:
    """take_along_dim without a dimension takes from the elements in row-major order, however they
    lie in memory."""
    at = np.array([5, 0, 20, 5, 11])
    index = tensor_of(torch, device, at)
    for dtype, layout in product(supported(ALL), LAYOUTS):
        x = Operand((3, 7), layout, "signed", 1)
        memory = "packed" if layout in ("contiguous", "offset") else "strided"
        with case(memory=memory, dtype=dtype, layout=layout):
            expected = x.array(dtype).reshape(-1)[at]
            assert_equal(torch.take_along_dim(x.on(torch, device, dtype), index), expected)


@clause("indexing.take-along-broadcast", covers=["basics.gather", "notes.layout-independence"])
def take_along_dim_broadcasts_all_other_dimensions(torch: Any, device: str) -> None:
    """take_along_dim stretches the tensor and the indices to each other in every dimension but the
    one that is indexed, counted from either end."""
    groups = (
        ((3, 4), (1, 5), 1), ((1, 4), (3, 5), -1), ((4, 3), (2, 1), 0), ((4, 1), (2, 3), -2),
        ((2, 4, 3), (1, 5, 3), 1), ((2, 4, 3), (2, 5, 1), -2), ((1, 4, 3), (2, 2, 1), 1),
        ((4, 1, 3), (7, 2, 1), 0), ((2, 3, 4), (1, 1, 9), -1),
    )  # fmt: skip
    for number, (shape, indexed, dim) in enumerate(groups):
        at = values(indexed, "int64", "normal", number) % shape[dim]
        index = tensor_of(torch, device, at)
        for dtype, layout in product(supported(ALL), ("contiguous", "transposed", "stepped")):
            x = Operand(shape, layout, "signed", number)
            expected = np.take_along_axis(x.array(dtype), at, dim)
            with case(dtype=dtype, layout=layout, shapes=(shape, indexed), dim=dim):
                got = torch.take_along_dim(x.on(torch, device, dtype), index, dim)
                assert_equal(got, expected)


@clause("indexing.triangles", covers=["basics.index-like-numpy"], thorough=True)
def triangles_are_cut_along_every_diagonal(torch: Any, device: str) -> None:
    """tril keeps what lies on and below a diagonal and triu what lies on and above it, for every
    shape up to 5 by 6, every diagonal of it and beyond, in every dtype, packed or transposed, and
    for tall and wide ones; tril_indices and triu_indices name these places, row by row."""
    for rows in (1, 2, 3, 5):
        for columns in (1, 2, 3, 4, 6):
            for turn, k in enumerate(range(-rows - 1, columns + 2), rows + columns):
                with case(function="indices", shape=(rows, columns), diagonal=k):
                    below = torch.tril_indices(rows, columns, k, device=device)
                    assert_equal(below, np.stack(np.tril_indices(rows, k, columns)))
                    above = torch.triu_indices(rows, columns, offset=k, device=device)
                    assert_equal(above, np.stack(np.triu_indices(rows, k, columns)))
                for dtype in supported(ALL[turn % 6 :: 6]):
                    array = np.ones((rows, columns), values((1,), dtype).dtype)
                    x = place(torch, device, array, ("contiguous", "transposed")[k % 2]).view
                    with case(dtype=dtype, shape=(rows, columns), diagonal=k):
                        assert_equal(torch.tril(x, k), np.tril(array, k))
                        assert_equal(x.triu(k), np.triu(array, k))
                        if not k:
                            assert_equal(x.tril(), np.tril(array))
                            assert_equal(torch.triu(x), np.triu(array))
    for turn, (rows, columns) in enumerate(((1025, 1), (1, 1025), (300, 3), (3, 300), (129, 130))):
        for k in (-257, -1, 0, 2, 129, 1024):
            for dtype in supported(ALL[turn % 3 :: 3]):
                array = np.ones((rows, columns), values((1,), dtype).dtype)
                x = tensor_of(torch, device, array)
                with case(dtype=dtype, shape=(rows, columns), diagonal=k):
                    assert_equal(torch.tril(x, k), np.tril(array, k))
                    assert_equal(torch.triu(x, k), np.triu(array, k))
