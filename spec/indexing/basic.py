"""Basic indices: integers, slices, None and the ellipsis."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from operator import getitem, setitem
from random import Random
from typing import Any

import numpy as np

from tenet.spec.cases import (
    WRITABLE,
    Operand,
    layouts,
    operands,
    place,
    seeds,
    selections,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.indexing.common import TURNS, Shape
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS


def _raises_index_error(call: Callable[[], object], otherwise: str) -> None:
    raised: object = None
    try:
        call()
    except Exception as error:
        raised = error
    assert_that(isinstance(raised, IndexError), f"{otherwise}: {raised!r} instead of IndexError")


@clause(
    "indexing.basic",
    covers=["basics.index-like-numpy", "minicourse.index-drops-dim", "minicourse.colon-keeps-dim"],
    requires={"views", "in-place"},
    effort=3,
)
@for_all(selection=selections(), turn=TURNS, seed=seeds(), layout=layouts(writable=True))
def a_basic_index_gives_the_view_that_numpy_gives(
    torch: Any, device: str, selection: Any, turn: int, seed: int, layout: str
) -> None:
    """An index of integers, slices, ... and None selects what it selects in NumPy; the result is
    a view of the same strides, and what is written to it is written to its base."""
    shape, index = selection
    for dtype in supported(ALL[turn::4]):
        at = place(torch, device, values(shape, dtype, "normal", seed), layout)
        expected = at.array[index]
        with case(dtype=dtype):
            picked = at.view[index]
            assert_equal(picked, np.asarray(expected))
            if len(index) == 1:
                assert_equal(at.view[index[0]], np.asarray(expected))
            if expected.size:
                strides = at.arrangement.of_array(at.arrangement.base)[index].strides
                ours = [s * expected.itemsize for n, s in zip(picked.shape, picked.stride(),
                                                              strict=True) if n > 1]  # fmt: skip
                theirs = [s for n, s in zip(expected.shape, strides, strict=True) if n > 1]
                assert_equal(ours, theirs)
            picked.fill_(1)
            changed = at.array.copy()
            changed[index] = 1
            assert_equal(at.base, at.after(changed))


@clause(
    "indexing.integers",
    covers=["minicourse.index-chain", "minicourse.colon-keeps-dim", "minicourse.index-drops-dim"],
    effort=1.5,
)
@for_all(operand=operands(shapes(1, 4, 400, empty=False)), turn=TURNS, seed=seeds())
def integers_drop_dimensions_and_colons_keep_them(
    torch: Any, device: str, operand: Operand, turn: int, seed: int
) -> None:
    """x[i] selects along dimension 0 and drops it, x[i][j] is x[i, j], a colon keeps its
    dimension wherever it stands, and a slice of one element keeps it where an integer does not."""
    random = Random(seed)
    index = tuple(random.randrange(-n, n) for n in operand.shape)
    colon = tuple(slice(None) if random.random() < 0.5 else i for i in index)
    one = tuple(slice(i % n, i % n + 1) for i, n in zip(index, operand.shape, strict=True))
    for dtype in supported(ALL[turn::4]):
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        with case(dtype=dtype, index=index):
            chained = x
            for depth, i in enumerate(index, 1):
                chained = chained[i]
                assert_equal(chained, np.asarray(array[index[:depth]]))
            assert_equal(x[index], np.asarray(array[index]))
            assert_equal(x[torch.tensor(index[0], device=device)], np.asarray(array[index[0]]))
            assert_equal(x[colon], np.asarray(array[colon]))
            assert_equal(x[..., index[-1]], np.asarray(array[..., index[-1]]))
            assert_equal(x[one], np.asarray(array[one]))
            assert_equal(x[:], array)


@clause(
    "indexing.out-of-range",
    covers=["minicourse.index-drops-dim", "notes.negative-slice-step"],
    requires={"in-place"},
)
@for_all(shape=shapes(0, 4, 300), seed=seeds())
def an_integer_out_of_range_and_a_negative_step_raise(
    torch: Any, device: str, shape: Shape, seed: int
) -> None:
    """An integer below -n or from n on raises IndexError in any dimension, reading and writing,
    and so does one index more than there are dimensions; a slice out of range selects less, and
    one with a negative step raises."""
    array = values(shape, "float32", "small", seed)
    x = tensor_of(torch, device, array)
    for dim, n in enumerate(shape):
        before = (slice(None),) * dim
        for i in (n, -n - 1, n + 1 + seed):
            for index in ((*before, i), i) if dim == 0 else ((*before, i),):
                with case(index=index):
                    _raises_index_error(partial(getitem, x, index), "read")
                    _raises_index_error(partial(setitem, x, index, 1), "write")
        for low, high in ((n, n + 5), (-n - 5, -n), (-n - 3, n + 3)):
            part = (*before, slice(low, high))
            assert_equal(x[part], array[part])
        for step in (slice(None, None, -1), slice(n, 0, -2)):
            with case(step=step):
                assert_raises(getitem, x, (*before, step))
                assert_raises(setitem, x, (*before, step), 1)
    _raises_index_error(lambda: x[(slice(None),) * len(shape) + (0,)], "one index too many")
    _raises_index_error(lambda: x[(0,) * (len(shape) + 1)], "one index too many")
    assert_equal(x[...], array)


def _kind(part: object) -> Hashable:
    """What a part of a basic index is."""
    if not isinstance(part, slice):
        return type(part).__name__
    return part.start is not None, part.step not in (None, 1)


def _of_parts(selection: Any, seed: int, layout: str) -> frozenset[Hashable]:
    """What is new about a selection: the kinds of its first two parts, alone or before others, and
    each layout of one part or several."""
    _, index = selection
    first = tuple(map(_kind, index[:2]))
    return frozenset({(first, len(index) > 2), (layout, len(index) > 1)})


@clause("indexing.basic-write", covers=["notes.index-put"], requires={"in-place"}, effort=1,
        shows=_of_parts)  # fmt: skip
@for_all(selection=selections(), seed=seeds(), layout=layouts(writable=True))
def assignment_through_a_basic_index_broadcasts_and_converts(
    torch: Any, device: str, selection: Any, seed: int, layout: str
) -> None:
    """x[index] = value writes exactly the selected elements: a number, a 0-d tensor, a tensor of
    the selection's shape or one that broadcasts to it, converted to the dtype of x; one that does
    not broadcast to it raises."""
    shape, index = selection
    random = Random(seed)
    for turn, dtype in enumerate(supported(ALL), seed):
        array = values(shape, dtype, "normal", seed)
        picked = np.shape(array[index])
        drop = random.randint(0, len(picked))
        stretched = tuple(1 if random.random() < 0.4 else n for n in picked[drop:])
        other = "int32" if dtype == "float32" else "float32"
        # Each dtype has two of them at a time.
        ways = (
            ("number", 1),
            ("0-d", np.asarray(values((1,), dtype, "normal", seed + 3)[0])),
            ("same shape", values(picked, dtype, "normal", seed + 1)),
            ("broadcast", values(stretched, dtype, "signed", seed + 2)),
            ("another dtype", values(stretched, other, "small", seed)),
        )
        for kind, source in (ways[turn % 5], ways[(turn + 2) % 5]):
            at = place(torch, device, array, layout)
            lying = WRITABLE[turn % len(WRITABLE)]
            value = source if isinstance(source, int) else place(torch, device, source, lying).view
            changed = array.copy()
            changed[index] = source if isinstance(source, int) else source.astype(array.dtype)
            with case(dtype=dtype, value=kind):
                at.view[index] = value
                assert_equal(at.base, at.after(changed))
        if picked and picked[-1] > 1 and turn % 4 == 0:
            for wrong in ((*picked, 1), (*picked[:-1], picked[-1] + 1)):
                with case(dtype=dtype, value=wrong):
                    value = tensor_of(torch, device, values(wrong, dtype))
                    assert_raises(setitem, tensor_of(torch, device, array), index, value)


_ODD_INDICES: tuple[Any, ...] = (
    True, False, None, ..., slice(None, None, 5), slice(3, 1), slice(-1, None), slice(None, -9),
    (0, None, slice(None)), (slice(None), None, 1), (None, 0, None), (..., None), (0, ..., 0),
    [], [0, -1], [True, False], ([0, 1], slice(None), [0, 1]), (slice(None), [1], 0),
    (slice(None), 1, [0, 0, 1]), ([[0], [1]], [0, 2]),
)  # fmt: skip
"""Indices of a tensor of 2x3x4, at the edge of what NumPy documents."""
_OF_A_VECTOR: tuple[Any, ...] = (
    (2, None), (None, 2), (-1, None), (2, None, ...), (None, 2, None), (..., 3, None), (5, ...),
    (slice(1, 5, 2), None), (None, slice(2, None)), (None, None, -3),
)  # fmt: skip


_AS_NUMPY_SAYS_THEM: tuple[Any, ...] = (
    np.int64(1), np.int32(-2), (np.int64(1), slice(None), np.int32(3)), np.array(1),
    slice(np.int64(1), None), (0, slice(np.int64(0), np.int64(2)), slice(None, None, np.int64(3))),
    np.array([-1, 0]), np.array([[1], [0]]), (np.array([0, 1]), np.array([-1, 2])),
    (slice(None), np.array([2, 0, 2])), np.array(True), np.array(False), np.array([False, True]),
    (np.array([True, False]), 1), (1, np.array([False, True, True])), (0, 1, np.array([3, -4])),
    (np.array([False, True]), slice(None), np.array([3])),
    (slice(None), np.array([True, False, True]), 2), range(0, 2, 2),
    range(0, 2), (0, range(2, -1, -2)),
)  # fmt: skip
"""Indices of NumPy's numbers and arrays, which tensors may stand for."""


def _in_tensors(torch: Any, device: str, index: Any) -> Any:
    """The index with a tensor in the place of each NumPy number and array."""
    part = partial(_in_tensors, torch, device)
    if isinstance(index, tuple):
        return tuple(map(part, index))
    if isinstance(index, slice):
        return slice(*map(part, (index.start, index.stop, index.step)))
    return tensor_of(torch, device, np.asarray(index)) if isinstance(index, _NUMPYS) else index


_NUMPYS = (np.ndarray, np.number)


@clause("indexing.odd-ones", covers=["basics.index-like-numpy", "notes.advanced-indexing"])
def indices_mean_what_they_mean_to_numpy(torch: Any, device: str) -> None:
    """A bool alone adds a dimension of length 1 or 0, an empty list picks nothing, a step may be
    longer than the dimension, and indices before and behind a slice put their dimensions first;
    NumPy's numbers and arrays are indices, and the bounds of slices, as tensors are; what is
    written through such an index arrives where it is read."""
    for dtype in supported(ALL):
        array = values((2, 3, 4), dtype, "signed", 1)
        for number, index in enumerate(_ODD_INDICES):
            found = array[np.array([], np.int64) if index == [] else index]
            x = tensor_of(torch, device, array)
            with case(dtype=dtype, index=number):
                assert_equal(x[index], found)
                written = array.copy()
                written[np.array([], np.int64) if index == [] else index] = 1
                x[index] = 1
                assert_equal(x, written)
        for number, index in enumerate(_AS_NUMPY_SAYS_THEM):
            found, written = array[index], array.copy()
            written[index] = 1
            for kind, said in (("NumPy", index), ("tensors", _in_tensors(torch, device, index))):
                x = tensor_of(torch, device, array)
                with case(dtype=dtype, index=number, of=kind):
                    assert_equal(x[said], found)
                    x[said] = 1
                    assert_equal(x, written)
        line = values((9,), dtype, "small", 1)[1:]
        vector = tensor_of(torch, device, values((9,), dtype, "small", 1))[1:]
        for number, index in enumerate(_OF_A_VECTOR):
            with case(dtype=dtype, index=number, of="a vector"):
                assert_equal(vector[index], line[index])
        x = tensor_of(torch, device, array)
        for length in (1, 3, 5):  # a mask is as long as what it chooses from
            mask = torch.ones(length, dtype=torch.bool, device=device)
            with case(dtype=dtype, mask=length):
                assert_raises(getitem, x, mask)
                assert_raises(getitem, x, (0, 0, mask))
                assert_raises(setitem, x, mask, 1)
        for negative in (slice(None, None, -1), slice(2, 0, -1), (0, slice(None, None, -2))):
            assert_raises(getitem, x, negative)
        for count in (2, 17):
            mask = np.arange(3 * count).reshape(3, count) % 4 != 1
            lying = tensor_of(torch, device, np.ascontiguousarray(mask.T)).t()
            every = values((3, count), dtype, "ties", 2)
            y = tensor_of(torch, device, every)
            with case(dtype=dtype, mask="transposed", count=count):
                assert_equal(y[lying], every[mask])
                assert_equal(y.masked_select(lying), every[mask])
                assert_equal(lying.nonzero(), np.argwhere(mask))
        with case(dtype=dtype, nonzero="0-d"):
            scalar = torch.ones((), dtype=getattr(torch, dtype), device=device)
            assert_equal(scalar.nonzero(), np.zeros((1, 0), np.int64))
    for dtype in supported(FLOATS):
        nan = torch.full((9,), float("nan"), dtype=getattr(torch, dtype), device=device)
        with case(dtype=dtype, nonzero="nan"):
            assert_equal(nan.nonzero(), np.arange(9)[:, None])
            assert_equal(torch.count_nonzero(nan), np.int64(9))


@clause("indexing.number-write", covers=["basics.index-like-numpy", "notes.index-put"])
def a_number_replaces_what_an_index_picks(torch: Any, device: str) -> None:
    """x[index] = number writes the number, whatever stood there, in every dtype and for every
    kind of index: a number, a negative one, a slice, an ellipsis, a list, a tensor, a mask."""
    for dtype in supported(ALL):
        array = values((7,), dtype, "normal", 5)
        array[:3], array[-1] = 1, 1
        picks: dict[Any, Any] = {
            "0": (0, 0), "-1": (-1, -1), "1:3": (slice(1, 3), slice(1, 3)), "...": (..., ...),
            "::2": (slice(None, None, 2), slice(None, None, 2)), "[0, 2]": ([0, 2], [0, 2]),
            "tensor": (torch.tensor([1, 5], device=device), [1, 5]),
            "mask": (torch.arange(7, device=device) < 2, np.arange(7) < 2),
        }  # fmt: skip
        for named, (index, pick) in picks.items():
            for number in (3, 1, True, 0) if dtype == "bool" else (3, 1, 0):
                x, expected = tensor_of(torch, device, array), array.copy()
                x[index] = number
                expected[pick] = number
                with case(dtype=dtype, index=named, number=number):
                    assert_equal(x, expected)
