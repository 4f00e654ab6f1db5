"""The order of elements: sorting, the largest, where a value belongs, and each value once."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    MANY,
    Operand,
    arrange,
    layouts,
    operands,
    place,
    seeds,
    shapes,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.kinds import combined
from tenet.spec.indexing.common import TURNS, Array, Shape, widened
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    has,
    read,
    supported,
)
from tenet.spec.model.dtypes import BOOL, FLOATS, INTEGERS, numpy_dtype
from tenet.spec.operators.indexing import order

ORDERED = FLOATS + INTEGERS


@clause("indexing.sort", covers=["notes.sort-topk"], effort=0.6)
@for_all(shaped=with_dim(max_size=1500), regime=st.sampled_from(("ties", "normal", "extreme")),
         layout=layouts(), seed=seeds(), turn=TURNS)  # fmt: skip
def sort_gives_values_and_the_indices_that_produce_them(
    torch: Any, device: str, shaped: Any, regime: str, layout: str, seed: int, turn: int
) -> None:
    """sort orders along a dimension, the last by default, either way; the int64 indices are a
    permutation that produces the values; with stable=True that of a stable sort, in which equals
    keep their order also when descending; argsort gives the indices alone."""
    shape, dim = shaped
    down = bool(seed % 2)
    for dtype in supported((ORDERED + BOOL)[turn::4]):
        operand = Operand(shape, layout, regime, seed)
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        by = order(widened(array), dim, down).astype(np.int64)
        expected = np.take_along_axis(array, by, dim)
        with case(dtype=dtype, descending=down):
            found = torch.sort(x, dim=dim, descending=down)
            assert_equal(found.values, expected, signed_zero=False)
            _produces(found.indices, array, expected, dim)
            _produces(x.argsort(dim, down), array, expected, dim)
            kept, stable = x.sort(stable=True, dim=dim, descending=down)
            assert_equal(kept, expected, signed_zero=False)
            assert_equal(stable, by)
            assert_equal(torch.argsort(x, dim=dim, descending=down, stable=True), by)
            last = x.sort()[0]
            assert_equal(last, np.take_along_axis(array, order(widened(array)), -1),
                         signed_zero=False)  # fmt: skip
            assert_equal(x, array)


def _produces(indices: Any, array: Array, expected: Array, dim: int) -> None:
    """The indices are distinct along the dimension and pick the expected values."""
    assert_metadata(indices, shape=expected.shape, dtype="int64")
    chosen = read(indices)
    inside = bool(((chosen >= 0) & (chosen < array.shape[dim])).all())
    assert_that(inside, "an index is out of range")
    assert_that(
        bool((np.diff(np.sort(chosen, axis=dim), axis=dim) > 0).all()), "an index stands twice"
    )
    picked = np.take_along_axis(array, chosen, dim)
    assert_that(bool((picked == expected).all()), "the indices do not produce the values")


@clause("indexing.topk", covers=["notes.sort-topk"], effort=0.4)
@for_all(shaped=with_dim(max_size=1500), regime=st.sampled_from(("normal", "ties", "extreme")),
         layout=layouts(), seed=seeds(), turn=TURNS)  # fmt: skip
def topk_gives_the_largest_in_order(
    torch: Any, device: str, shaped: Any, regime: str, layout: str, seed: int, turn: int
) -> None:
    """topk(k) gives the k largest along a dimension (the last by default) in descending order,
    with indices that produce them; largest=False the smallest, ascending; sorted=False the same
    ones in any order. More than there are raises."""
    shape, dim = shaped
    n = shape[dim]
    k = (n, 1, n // 2, 0)[seed % 4] if n else 0
    for dtype in supported(ORDERED[turn::4]):
        operand = Operand(shape, layout, regime, seed)
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        first = np.arange(k)
        with case(dtype=dtype, k=k):
            for largest in (True, False):
                by = order(widened(array), dim, largest).take(first, axis=dim)
                expected = np.take_along_axis(array, by, dim)
                found = torch.topk(x, k, dim=dim, largest=largest)
                assert_equal(found.values, expected, signed_zero=False)
                _produces(found.indices, array, expected, dim)
                loose = x.topk(k, dim, largest, sorted=False)
                again = read(loose.values)
                ranked = np.take_along_axis(again, order(widened(again), dim, largest), dim)
                assert_that(bool((ranked == expected).all()), "sorted=False gives other values")
                _produces(loose.indices, array, again, dim)
            last = min(k, shape[-1])
            by = order(widened(array), -1, True).take(np.arange(last), axis=-1)
            assert_equal(x.topk(last)[0], np.take_along_axis(array, by, -1), signed_zero=False)
            assert_raises(torch.topk, x, n + 1, dim)


@clause(
    "indexing.searchsorted",
    covers=["notes.sort-topk"],
    effort=0.75,
    shows=lambda rows, n, seed, layout: {(rows, layout), (rows, n)},
)
@for_all(
    rows=st.sampled_from(((), (2,), (3, 2))),
    seed=seeds(),
    layout=layouts(),
    n=st.sampled_from((3, 1, 8, 9, 17, 33, 129, 0)),
)
def searchsorted_finds_where_values_belong(
    torch: Any, device: str, rows: Shape, n: int, seed: int, layout: str
) -> None:
    """searchsorted gives the first place before which a value keeps the order, with right=True (or
    side="right") the last; row by row where the sequence has rows; in int32 if asked; sorter
    orders an unsorted sequence. bucketize is the same for one sequence of boundaries."""
    right = bool(seed % 2)
    side = "right" if right else "left"
    for dtype in supported(ORDERED):
        loose = values((*rows, n), dtype, "ties" if seed % 3 else "normal", seed)
        by = order(widened(loose)).astype(np.int64)
        sequence = np.take_along_axis(loose, by, -1)
        query = Operand((*rows, 7), layout, "ties" if seed % 3 else "normal", seed + 1)
        asked = query.array(dtype)
        expected = np.array([
            np.searchsorted(widened(line), widened(wanted), side=side)  # type: ignore[call-overload]
            for line, wanted in zip(sequence.reshape(-1, n) if n else [sequence[..., :].ravel()] *
                                    int(np.prod(rows)), asked.reshape(-1, 7), strict=True)
        ], np.int64).reshape(asked.shape)  # fmt: skip
        own = "contiguous" if layout == "expanded" else layout  # a place for each element
        laid = arrange(sequence, own)
        s, v = laid.of_tensor(tensor_of(torch, device, laid.base)), query.on(torch, device, dtype)
        with case(dtype=dtype, side=side):
            assert_equal(torch.searchsorted(s, v, right=right), expected)
            assert_equal(torch.searchsorted(s, v, side=side), expected)
            assert_equal(torch.searchsorted(s, v, right=right, out_int32=True),
                         expected.astype(np.int32))  # fmt: skip
            turned = place(torch, device, by, own)
            found = torch.searchsorted(tensor_of(torch, device, loose), v, right=right,
                                       sorter=turned.view)  # fmt: skip
            assert_equal(found, expected)
            if has("out"):
                into = place(torch, device, np.full_like(expected, -1), own)
                assert_same_object(torch.searchsorted(s, v, side=side, out=into.view), into.view)
                assert_equal(into.base, into.after(expected))
            if not rows:
                assert_equal(torch.bucketize(v, s, right=right), expected)
                assert_equal(torch.bucketize(v, s, out_int32=True, right=right),
                             expected.astype(np.int32))  # fmt: skip


@clause(
    "indexing.unique",
    covers=["notes.sort-topk"],
    effort=0.4,
    shows=lambda operand, seed: combined("tensor", operand.shape, operand.layout),
)
@for_all(operand=operands(shapes(1, 3, 1100), finite=True), seed=seeds())
def unique_lists_each_value_once(torch: Any, device: str, operand: Operand, seed: int) -> None:
    """unique gives the distinct values in ascending order, where each element went and how often
    each occurs; along a dimension, the distinct slices; unique_consecutive drops only repeats
    of the neighbour before."""
    for dtype in supported(ORDERED + BOOL):
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        flat = widened(array).ravel()
        each, back, count = np.unique(flat, return_inverse=True, return_counts=True)
        starts = np.flatnonzero(
            np.concatenate([[flat.size > 0], flat[1:] != flat[:-1]])[: flat.size]
        )
        runs = np.diff(np.append(starts, flat.size)).astype(np.int64)
        with case(dtype=dtype):
            assert_equal(torch.unique(x), each.astype(array.dtype), signed_zero=False)
            found = x.unique(return_inverse=True, return_counts=True)
            assert_equal(found[0], each.astype(array.dtype), signed_zero=False)
            assert_equal(found[1], back.reshape(array.shape).astype(np.int64))
            assert_equal(found[2], count.astype(np.int64))
            alone = torch.unique(x, return_inverse=True)
            assert_equal(alone[0], each.astype(array.dtype), signed_zero=False)
            assert_equal(alone[1], back.reshape(array.shape).astype(np.int64))
            assert_equal(torch.unique(x, return_counts=True)[1], count.astype(np.int64))
            runs_found = torch.unique_consecutive(x, return_inverse=True, return_counts=True)
            assert_equal(runs_found[0], array.ravel()[starts], signed_zero=False)
            assert_equal(runs_found[1],
                         np.repeat(np.arange(starts.size), runs).reshape(array.shape))  # fmt: skip
            assert_equal(runs_found[2], runs)
            if array.size and array.shape[0] <= 64:
                dim = seed % array.ndim
                slices, at, often = np.unique(
                    widened(array), axis=dim, return_inverse=True, return_counts=True
                )
                slices = slices.astype(array.dtype)
                assert_equal(torch.unique(x, dim=dim), slices, signed_zero=False)
                found = x.unique(dim=dim, return_inverse=True, return_counts=True)
                assert_equal(found[0], slices, signed_zero=False)
                assert_equal(found[1], at.reshape(-1).astype(np.int64))
                assert_equal(found[2], often.astype(np.int64))
                rows = array.reshape(len(array), -1)
                differs = np.concatenate([[True], (rows[1:] != rows[:-1]).any(1)])
                assert_equal(torch.unique_consecutive(x, dim=0), array[differs])


@clause("indexing.order-beyond-sixteen-bits", covers=["notes.sort-topk"], thorough=True)
def the_order_of_many_is_told_by_places_beyond_sixteen_bits(torch: Any, device: str) -> None:
    """sort, argsort, topk, searchsorted, bucketize and unique tell the places of more than 65,536
    elements, in one line or in as many, and tell elements from each other by all their bits."""
    count = MANY
    places = np.random.Generator(np.random.PCG64(count)).permutation(count).astype(np.int64)
    for dtype in supported(ORDERED):
        # Numbers that the dtype tells apart: neighbours, where it has so many; else equals.
        whole = np.arange(count, dtype=np.int64) - count // 2
        if dtype in INTEGERS:
            whole = whole // (1 if dtype in ("int32", "int64") else 512) + 150 * (dtype == "uint8")
            whole += 2**53 * (dtype == "int64")
        else:
            whole = whole // (1 if dtype in ("float32", "float64") else 512)
        ordered = whole.astype(numpy_dtype(dtype))
        mixed = np.empty_like(ordered)
        mixed[places] = ordered
        by = np.argsort(widened(mixed), kind="stable").astype(np.int64)
        x, s = tensor_of(torch, device, mixed), tensor_of(torch, device, ordered)
        with case(dtype=dtype):
            kept, stable = torch.sort(x, stable=True)
            assert_equal(kept, ordered)
            assert_equal(stable, by)
            assert_equal(x.argsort(stable=True), by)
            assert_equal(x.topk(count - 3, largest=False).values, ordered[:-3])
            assert_equal(x.topk(5).values, ordered[-5:][::-1])
            firsts = np.searchsorted(widened(ordered), widened(mixed))
            assert_equal(torch.searchsorted(s, x), firsts.astype(np.int64))
            assert_equal(torch.bucketize(x, s, right=True), np.searchsorted(
                widened(ordered), widened(mixed), side="right").astype(np.int64))  # fmt: skip
            each, back, counts = np.unique(widened(mixed), return_inverse=True, return_counts=True)
            found = torch.unique(x, return_inverse=True, return_counts=True)
            for got, expected in zip(found, (each.astype(mixed.dtype), back, counts), strict=True):
                assert_equal(got, expected)
        # As many lines, each of two.
        lines = np.stack([mixed, ordered])
        by = order(widened(lines), 0, False).astype(np.int64)
        for lying, dim in (("columns", 0), ("rows", 1)):
            y = tensor_of(torch, device, lines if dim == 0 else np.ascontiguousarray(lines.T))
            with case(dtype=dtype, lines=lying):
                told = by if dim == 0 else by.T
                kept, stable = torch.sort(y, dim=dim, stable=True)
                assert_equal(kept, np.sort(lines, 0) if dim == 0 else np.sort(lines, 0).T)
                assert_equal(stable, told)
                assert_equal(y.topk(1, dim=dim, largest=False).values.flatten(), lines.min(0))


@clause("indexing.sort-every-length", covers=["notes.sort-topk"])
@for_all(piece=st.sampled_from([(n, turn) for n in EVERY_LENGTH for turn in range(3)]))
def sort_orders_every_length(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """Whatever the length and the dtype, either way and in a vector or the columns of a matrix: a
    stable sort keeps equals in their order, and NaN counts as the largest; for topk too."""
    length, turn = piece
    for dtype in supported((ORDERED + BOOL)[turn::3]):
        array = values((length,), dtype, "ties", length)
        if dtype in FLOATS:
            array[length // 2 :: 5] = np.nan
        x = tensor_of(torch, device, array)
        # Among equals two that change places are not told apart by what they are.
        mixed = np.random.Generator(np.random.PCG64(length)).permutation(length).astype(array.dtype)
        y = tensor_of(torch, device, mixed)
        for down in (False, True):
            by = order(widened(array), -1, down).astype(np.int64)
            with case(dtype=dtype, length=length, descending=down):
                told = mixed[order(widened(mixed), -1, down)]
                assert_equal(torch.sort(y, descending=down).values, told)
                kept, stable = torch.sort(x, stable=True, dim=0, descending=down)
                assert_equal(kept, array[by], signed_zero=False)
                assert_equal(stable, by)
                assert_equal(x.sort(descending=down).values, array[by], signed_zero=False)
                assert_equal(x.argsort(stable=True, descending=down), by)
                k = (length, length // 2, min(length, 1))[length % 3]
                if dtype not in BOOL:
                    best = x.topk(k, largest=down).values
                    assert_equal(best, array[by][:k], signed_zero=False)
                columns = torch.stack([x, x], 1).sort(dim=0, descending=down, stable=True)
                assert_equal(columns.indices, np.stack([by, by], 1))
