"""Indexing: picking elements and writing them, by place, by index tensor, by mask, by rank."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import getitem, setitem
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    Operand,
    broadcast_shapes,
    layouts,
    operands,
    place,
    seeds,
    selections,
    shapes,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.written import INDEXED, gives_what_is_written
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import ALL, BOOL, FLOATS, INTEGERS, NUMERIC
from tenet.spec.operators.indexing import INDEXING, coordinates, order
from tenet.spec.operators.joins import JOINS
from tenet.spec.operators.laws import hold

for operators in (INDEXING, JOINS):
    hold(operators, covers=("basics.index-like-numpy",), effort=0.1)

Array = np.ndarray
Shape = tuple[int, ...]
ORDERED = FLOATS + INTEGERS
TURNS = st.sampled_from(range(4))
"""Which of the dtypes an example is tried on: every fourth of them."""


def _raises_index_error(call: Callable[[], object], otherwise: str) -> None:
    raised: object = None
    try:
        call()
    except Exception as error:
        raised = error
    assert_that(isinstance(raised, IndexError), f"{otherwise}: {raised!r} instead of IndexError")


# ----------------------------------------------------------------------------- basic indices


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


@clause("indexing.basic-write", covers=["notes.index-put"], requires={"in-place"}, effort=0.4)
@for_all(selection=selections(), turn=TURNS, seed=seeds(), layout=layouts(writable=True))
def assignment_through_a_basic_index_broadcasts_and_converts(
    torch: Any, device: str, selection: Any, turn: int, seed: int, layout: str
) -> None:
    """x[index] = value writes exactly the selected elements: a number, a 0-d tensor, a tensor of
    the selection's shape or one that broadcasts to it, converted to the dtype of x."""
    shape, index = selection
    random = Random(seed)
    for dtype in supported(ALL[turn::4]):
        array = values(shape, dtype, "normal", seed)
        picked = np.shape(array[index])
        drop = random.randint(0, len(picked))
        stretched = tuple(1 if random.random() < 0.4 else n for n in picked[drop:])
        other = "int32" if dtype == "float32" else "float32"
        for kind, source in (
            ("number", 1),
            ("0-d", np.asarray(values((1,), dtype, "normal", seed + 3)[0])),
            ("same shape", values(picked, dtype, "normal", seed + 1)),
            ("broadcast", values(stretched, dtype, "signed", seed + 2)),
            ("another dtype", values(stretched, other, "small", seed)),
        ):
            at = place(torch, device, array, layout)
            value = source if isinstance(source, int) else tensor_of(torch, device, source)
            changed = array.copy()
            changed[index] = source if isinstance(source, int) else source.astype(array.dtype)
            with case(dtype=dtype, value=kind):
                at.view[index] = value
                assert_equal(at.base, at.after(changed))


# -------------------------------------------------------------------------- advanced indices

_PATTERNS = (
    "i", "ii", ":i", "i:", "m", "M", "i:i", "I", "ij", "e", "z", "iI", ":ii", "i:j", ":i:j",
    "::i", ".i", "i.", "i.j", "ni", "in", "i0", "0i", ":0i", ":z", "zi", ":m", ":M", "m:", "M.",
    "si", "is", "i:s", "s.i", "j:i", "iii", "i:ii", "ii:i", ":e", "e:", "F", "n:i", "nm", "m0",
    "0m",
)  # fmt: skip
"""One letter a part. i, j, I: index tensors of shapes (k,), (2, 1), (2, k); z: 0-d; e: empty;
m, M, F: masks of one dimension, of two, of all; s: a slice with a step; n: None; 0: an integer,
which stands beside an index tensor only, since apart from it NumPy and PyTorch differ."""


def _patterned() -> list[tuple[Shape, str, int]]:
    random = Random("patterns")
    pool = []
    for pattern in _PATTERNS:
        for turn in range(8):
            rank = sum({"n": 0, "M": 2, ".": 0, "F": 3}.get(part, 1) for part in pattern)
            more = 0 if "F" in pattern else min(turn % 3, 4 - rank)
            shape = tuple(random.choice((3, 2, 4, 1, 5, 7, 9)) for _ in range(rank + max(more, 0)))
            if turn > 4:
                shape = (random.choice((17, 33, 64)), *shape[1:])
            pool.append((shape, pattern, random.choice((2, 3, 1, 7, 16, 33))))
    return sorted(pool, key=lambda entry: (len(entry[1]), np.prod(entry[0]), entry[2]))


def _index(use: tuple[Shape, str, int], seed: int) -> tuple[Any, ...]:
    """The index of a pattern, with arrays for tensors; negative indices are among them."""
    shape, pattern, k = use
    random = np.random.Generator(np.random.PCG64(seed))
    parts: list[Any] = []
    used = {"n": 0, "M": 2, "F": len(shape)}
    dim = 0
    for spot, part in enumerate(pattern):
        if part == ".":
            parts.append(...)
            dim = len(shape) - sum(used.get(p, 1) for p in pattern[spot + 1 :])
            continue
        n = shape[dim] if dim < len(shape) else 1
        sizes: dict[str, Shape] = {"i": (k,), "j": (2, 1), "I": (2, k), "z": (), "e": (0,)}
        if part in sizes:
            parts.append(np.asarray(random.integers(-n, n, sizes[part]), np.int64))
        elif part in "mMF":
            wide = shape[dim : dim + used.get(part, 1)]
            parts.append(random.integers(0, 3, wide) > 0)
        else:
            parts.append({":": slice(None), "s": slice(1, None, 2), "n": None,
                          "0": int(random.integers(-n, n))}[part])  # fmt: skip
        dim += used.get(part, 1)
    return tuple(parts)


def _on(torch: Any, device: str, index: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    """The index with tensors: int64 ones, or int32 ones for every third seed."""
    dtype = torch.int32 if seed % 3 == 1 and "int32" in list(supported(["int32"])) else torch.int64
    return tuple(
        tensor_of(torch, device, part).to(torch.bool if part.dtype == bool else dtype)
        if isinstance(part, np.ndarray)
        else part
        for part in index
    )


ADVANCED = st.sampled_from(_patterned())


@clause("indexing.advanced", covers=["notes.advanced-indexing"], requires={"in-place"}, effort=1)
@for_all(use=ADVANCED, seed=seeds(), turn=TURNS, layout=layouts())
def index_tensors_and_masks_select_as_in_numpy(
    torch: Any, device: str, use: Any, seed: int, turn: int, layout: str
) -> None:
    """Index tensors broadcast with each other; their dimensions stand where they stood if they
    are neighbours, in front if anything separates them; negative indices count from the end; a
    bool mask is its nonzero(); all mix with integers, slices, ... and None. It is a copy."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, seed)
    for dtype in supported(ALL[turn::4]):
        operand = Operand(use[0], layout, "normal", seed)
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        expected = np.asarray(array[index])
        with case(dtype=dtype):
            picked = x[chosen]
            assert_equal(picked, expected)
            if len(index) == 1 and isinstance(index[0], np.ndarray):
                assert_equal(x[chosen[0]], expected)
                if index[0].ndim == 1 and index[0].size:
                    assert_equal(x[index[0].tolist()], expected)
            if use[1] not in ("z", ":z"):  # a 0-d index alone may count as an integer
                picked.zero_()
                assert_equal(x, array)


@clause("indexing.advanced-write", covers=["notes.index-put"], requires={"in-place"}, effort=0.6)
@for_all(use=ADVANCED, seed=seeds(), turn=TURNS, layout=layouts(writable=True))
def assignment_through_index_tensors_writes_the_selected_elements(
    torch: Any, device: str, use: Any, seed: int, turn: int, layout: str
) -> None:
    """x[index] = value with index tensors and masks writes the selected elements and no other: a
    number, a tensor of the selection's shape, one that broadcasts."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, seed)
    for dtype in supported(ALL[turn::4]):
        array = values(use[0], dtype, "normal", seed)
        # Every place has a value of its own, so that a repeated index writes the same twice.
        wanted = values(use[0], dtype, "signed", seed + 1)
        picked = np.asarray(wanted[index])
        one = (values((1,), dtype, "normal", seed + 2)).reshape((1,) * (seed % (picked.ndim + 1)))
        for kind, source in (
            ("number", 1),
            ("same shape", picked),
            ("broadcast", one),
        ):
            at = place(torch, device, array, layout)
            value = source if isinstance(source, int) else tensor_of(torch, device, source)
            changed = array.copy()
            changed[index] = source if isinstance(source, int) else source.astype(array.dtype)
            with case(dtype=dtype, value=kind):
                at.view[chosen] = value
                assert_equal(at.base, at.after(changed))


@clause("indexing.index-put", covers=["notes.index-put"], requires={"in-place"}, effort=0.6)
@for_all(use=st.sampled_from([u for u in _patterned() if set(u[1]) <= set("ijIemMF")]),
         seed=seeds(), turn=TURNS, layout=layouts(writable=True))  # fmt: skip
def index_put_writes_or_adds_up(
    torch: Any, device: str, use: Any, seed: int, turn: int, layout: str
) -> None:
    """index_put_(indices, values) writes like x[indices] = values and returns x; with
    accumulate=True repeated indices add every contribution; index_put leaves x as it was."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, 0)
    for dtype in supported(NUMERIC[turn::4]):
        array = values(use[0], dtype, "signed", seed)
        source = values(np.shape(array[index]), dtype, "signed", seed + 1)
        added = array.copy()
        np.add.at(added, index, source)
        written = array.copy()
        written[index] = values((), dtype, "signed", seed + 2)
        x, value = tensor_of(torch, device, array), tensor_of(torch, device, source)
        constant = tensor_of(torch, device, values((), dtype, "signed", seed + 2))
        at, plain = place(torch, device, array, layout), tensor_of(torch, device, array)
        with case(dtype=dtype):
            assert_equal(x.index_put(chosen, value, accumulate=True), added)
            assert_equal(torch.index_put(x, chosen, value, True), added)
            assert_equal(x.index_put(chosen, constant), written)
            assert_equal(x, array)
            assert_same_object(at.view.index_put_(chosen, value, accumulate=True), at.view)
            assert_equal(at.base, at.after(added))
            assert_same_object(plain.index_put_(chosen, constant), plain)
            assert_equal(plain, written)


@clause("indexing.gradient", covers=["notes.advanced-indexing", "notes.index-put"],
        requires={"autograd"}, effort=0.6)  # fmt: skip
@for_all(use=ADVANCED, seed=seeds())
def the_gradient_of_a_selection_adds_up_where_it_came_from(
    torch: Any, device: str, use: Any, seed: int
) -> None:
    """backward() through x[index] puts each gradient where its element came from: elements picked
    twice get the sum, others zero. Through an assignment the written places get none, and the
    value gets theirs."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, seed)
    for dtype in supported(("float32", "float64")[: 1 + seed % 2]):
        array = values(use[0], dtype, "signed", seed)
        x = tensor_of(torch, device, array).requires_grad_(True)
        weights = values(np.shape(array[index]), dtype, "signed", seed + 1)
        expected = np.zeros_like(array)
        np.add.at(expected, index, weights)
        with case(dtype=dtype):
            x[chosen].backward(tensor_of(torch, device, weights))
            assert_equal(x.grad, expected, signed_zero=False)
            leaf = tensor_of(torch, device, array).requires_grad_(True)
            value = tensor_of(torch, device, np.asarray(2, array.dtype)).requires_grad_(True)
            outer = values(use[0], dtype, "signed", seed + 2)
            copy = leaf.clone()
            copy[chosen] = value
            copy.backward(tensor_of(torch, device, outer))
            kept = outer.copy()
            kept[index] = 0
            assert_equal(leaf.grad, kept, signed_zero=False)
            # With repeated indices it is not documented how often the value counts.
            if len({*np.arange(outer.size).reshape(outer.shape)[index].ravel().tolist()}) == (
                weights.size
            ):
                assert_equal(value.grad, np.asarray(outer[index].sum()), signed_zero=False)


@clause(
    "indexing.tensor-out-of-range",
    covers=["basics.gather", "notes.advanced-indexing"],
    requires={"index-check", "in-place"},
    effort=0.2,
)
@for_all(shaped=with_dim(1, 3, 300, empty=False), seed=seeds())
def an_index_tensor_out_of_range_raises(torch: Any, device: str, shaped: Any, seed: int) -> None:
    """An element of an index tensor outside the dimension raises, wherever in the tensor it
    stands: below 0 as well for gather, scatter, index_select and index_add, below -n for x[index]
    and take."""
    shape, dim = shaped
    n, at = shape[dim], dim % len(shape)
    x = tensor_of(torch, device, values(shape, "float32"))
    before = (slice(None),) * at
    calls: dict[str, tuple[int, Callable[[Any], Any]]] = {
        "gather": (0, lambda i: torch.gather(x, dim, i)),
        "scatter_": (0, lambda i: x.clone().scatter_(dim, i, 1.0)),
        "scatter_add_": (0, lambda i: x.clone().scatter_add_(dim, i, torch.ones_like(x))),
        "index_select": (0, lambda i: x.index_select(dim, _vector(i, at))),
        "index_add_": (0, lambda i: x.clone().index_add_(dim, _vector(i, at), torch.ones_like(x))),
        "x[index]": (-n, lambda i: x[(*before, _vector(i, at))]),
        "x[index] =": (-n, lambda i: x.clone().__setitem__((*before, _vector(i, at)), 1.0)),
        "take": (-x.numel(), lambda i: x.take(i)),
    }
    spot = tuple(int(i) for i in np.unravel_index(seed % int(np.prod(shape)), shape))
    spot = (*[0] * at, spot[at], *[0] * (len(shape) - at - 1))
    for name, (low, call) in calls.items():
        high = x.numel() if name == "take" else n
        for wrong in (high, low - 1, high + seed):
            good = np.full(shape, high - 1, np.int64)
            bad = good.copy()
            bad[spot] = wrong
            with case(spelling=name, index=wrong):
                assert_raises(call, tensor_of(torch, device, bad))
                call(tensor_of(torch, device, good))


def _vector(index: Any, dim: int) -> Any:
    """The elements along a dimension, at 0 in the others."""
    return index[(*(0,) * dim, slice(None), *(0,) * (index.dim() - dim - 1))]


# --------------------------------------------------------------------------- masks and places


@clause("indexing.masked", covers=["basics.masked-select", "notes.advanced-indexing"], effort=1)
@for_all(group=broadcast_shapes(2, 1500), layout=layouts(), seed=seeds(), turn=TURNS)
def masked_select_gives_the_chosen_elements_in_order(
    torch: Any, device: str, group: Any, layout: str, seed: int, turn: int
) -> None:
    """masked_select(mask) gives the elements where the mask is true as one dimension, in row-major
    order, and a copy; the mask and the tensor broadcast."""
    shape, other = group
    mask = Operand(other, layout, "normal", seed + 1)
    truth = mask.array("bool")
    for dtype in supported(ALL[turn::4]):
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


@clause("indexing.counts", covers=["basics.masked-select", "basics.nonzero", "basics.index-select"])
def every_number_of_elements_can_be_picked(torch: Any, device: str) -> None:
    """However many elements are picked, by a mask, by their places or by an index, they are all
    there, at the counts where kernels break as well."""
    for count in LENGTHS:
        truth = np.zeros(2 * count + 3, bool)
        truth[1 : 2 * count + 1 : 2] = True
        where = np.flatnonzero(truth).astype(np.int64)
        mask = tensor_of(torch, device, truth)
        places = tensor_of(torch, device, where)
        assert_equal(mask.nonzero(), where[:, None])
        for dtype in supported(("float32", "int64", "bool", "bfloat16", "uint8")):
            array = values(truth.shape, dtype, "normal", count)
            x = tensor_of(torch, device, array)
            with case(dtype=dtype, count=count):
                assert_equal(x.masked_select(mask), array[truth])
                assert_equal(x[mask], array[truth])
                assert_equal(x[places], array[truth])
                assert_equal(x.index_select(0, places), array[truth])
                assert_equal(x.gather(0, places), array[truth])
                assert_equal(x.masked_fill(mask, 0), np.where(truth, np.zeros((), array.dtype),
                                                              array))  # fmt: skip
                assert_equal(x.sort().values, np.sort(_wide(array)).astype(array.dtype))


@clause("indexing.nonzero", covers=["basics.nonzero"], effort=0.4)
@for_all(operand=operands(), turn=TURNS)
def nonzero_lists_the_places_of_nonzero_elements(
    torch: Any, device: str, operand: Operand, turn: int
) -> None:
    """nonzero() gives one row of int64 indices an element that is not zero, (count, ndim), in
    row-major order; NaN is not zero, -0.0 is. argwhere is the same; as_tuple=True, and where()
    of a condition alone, give one vector a dimension, which index the elements."""
    for dtype in supported(ALL[turn::4]):
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


# --------------------------------------------------------------------------------- the order


def _wide(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.name == "bfloat16" else array


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
        by = order(_wide(array), dim, down).astype(np.int64)
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
            assert_equal(last, np.take_along_axis(array, order(_wide(array)), -1),
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
                by = order(_wide(array), dim, largest).take(first, axis=dim)
                expected = np.take_along_axis(array, by, dim)
                found = torch.topk(x, k, dim=dim, largest=largest)
                assert_equal(found.values, expected, signed_zero=False)
                _produces(found.indices, array, expected, dim)
                loose = x.topk(k, dim, largest, sorted=False)
                again = read(loose.values)
                ranked = np.take_along_axis(again, order(_wide(again), dim, largest), dim)
                assert_that(bool((ranked == expected).all()), "sorted=False gives other values")
                _produces(loose.indices, array, again, dim)
            last = min(k, shape[-1])
            by = order(_wide(array), -1, True).take(np.arange(last), axis=-1)
            assert_equal(x.topk(last)[0], np.take_along_axis(array, by, -1), signed_zero=False)
            assert_raises(torch.topk, x, n + 1, dim)


@clause("indexing.searchsorted", covers=["notes.sort-topk"], effort=0.75)
@for_all(rows=st.sampled_from(((), (2,), (3, 2))), seed=seeds(), layout=layouts(),
         n=st.sampled_from((3, 1, 8, 9, 17, 33, 129, 0)), turn=TURNS)  # fmt: skip
def searchsorted_finds_where_values_belong(
    torch: Any, device: str, rows: Shape, n: int, seed: int, layout: str, turn: int
) -> None:
    """searchsorted gives the first place before which a value keeps the order, with right=True (or
    side="right") the last; row by row where the sequence has rows; in int32 if asked; sorter
    orders an unsorted sequence. bucketize is the same for one sequence of boundaries."""
    right = bool(seed % 2)
    side = "right" if right else "left"
    for dtype in supported(ORDERED[turn::4]):
        loose = values((*rows, n), dtype, "ties" if seed % 3 else "normal", seed)
        by = order(_wide(loose)).astype(np.int64)
        sequence = np.take_along_axis(loose, by, -1)
        query = Operand((*rows, 7), layout, "ties" if seed % 3 else "normal", seed + 1)
        asked = query.array(dtype)
        expected = np.array([
            np.searchsorted(_wide(line), _wide(wanted), side=side)  # type: ignore[call-overload]
            for line, wanted in zip(sequence.reshape(-1, n) if n else [sequence[..., :].ravel()] *
                                    int(np.prod(rows)), asked.reshape(-1, 7), strict=True)
        ], np.int64).reshape(asked.shape)  # fmt: skip
        s, v = tensor_of(torch, device, sequence), query.on(torch, device, dtype)
        with case(dtype=dtype, side=side):
            assert_equal(torch.searchsorted(s, v, right=right), expected)
            assert_equal(torch.searchsorted(s, v, side=side), expected)
            assert_equal(torch.searchsorted(s, v, right=right, out_int32=True),
                         expected.astype(np.int32))  # fmt: skip
            found = torch.searchsorted(tensor_of(torch, device, loose), v, right=right,
                                       sorter=tensor_of(torch, device, by))  # fmt: skip
            assert_equal(found, expected)
            if not rows:
                assert_equal(torch.bucketize(v, s, right=right), expected)
                assert_equal(torch.bucketize(v, s, out_int32=True, right=right),
                             expected.astype(np.int32))  # fmt: skip


@clause("indexing.unique", covers=["notes.sort-topk"], effort=0.4)
@for_all(operand=operands(shapes(1, 3, 1100), finite=True), seed=seeds(), turn=TURNS)
def unique_lists_each_value_once(
    torch: Any, device: str, operand: Operand, seed: int, turn: int
) -> None:
    """unique gives the distinct values in ascending order, where each element went and how often
    each occurs; along a dimension, the distinct slices; unique_consecutive drops only repeats
    of the neighbour before."""
    for dtype in supported((ORDERED + BOOL)[turn::4]):
        x, array = operand.on(torch, device, dtype), operand.array(dtype)
        flat = _wide(array).ravel()
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
                slices = np.unique(_wide(array), axis=0).astype(array.dtype)
                assert_equal(torch.unique(x, dim=0), slices, signed_zero=False)


_ODD_INDICES: tuple[Any, ...] = (
    True, False, None, ..., slice(None, None, 5), slice(3, 1), slice(-1, None), slice(None, -9),
    (0, None, slice(None)), (slice(None), None, 1), (None, 0, None), (..., None), (0, ..., 0),
    [], [0, -1], ([0, 1], slice(None), [0, 1]), (slice(None), [1], 0),
    (slice(None), 1, [0, 0, 1]), ([[0], [1]], [0, 2]),
)  # fmt: skip
"""Indices of a tensor of 2x3x4, at the edge of what NumPy documents."""


@clause("indexing.odd-ones", covers=["basics.index-like-numpy", "notes.advanced-indexing"])
def indices_mean_what_they_mean_to_numpy(torch: Any, device: str) -> None:
    """A bool alone adds a dimension of length 1 or 0, an empty list picks nothing, a step may be
    longer than the dimension, and indices before and behind a slice put their dimensions first;
    what is written through such an index arrives where it is read."""
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
        x = tensor_of(torch, device, array)
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


@clause("indexing.slices-replaced", covers=["notes.index-put", "notes.scatter-gather"])
def slices_are_replaced_in_a_copy(torch: Any, device: str) -> None:
    """select_scatter, slice_scatter and diagonal_scatter give a copy in which what select, a slice
    or diagonal shows is replaced; the tensor itself stays as it is."""
    for dtype in supported(ALL):
        array = values((4, 5, 6), dtype, "signed", 1)
        x = tensor_of(torch, device, array)
        for dim, at in ((0, 0), (1, -1), (-1, 2), (-3, 3)):
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


@clause("indexing.sort-every-length", covers=["notes.sort-topk"])
@for_all(piece=st.sampled_from([(n, turn) for n in LENGTHS for turn in range(3)]))
def sort_orders_every_length(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """Whatever the length and the dtype, either way and in a vector or the columns of a matrix: a
    stable sort keeps equals in their order, and NaN counts as the largest."""
    length, turn = piece
    for dtype in supported((ORDERED + BOOL)[turn::3]):
        array = values((length,), dtype, "ties", length)
        if dtype in FLOATS:
            array[length // 2 :: 5] = np.nan
        x = tensor_of(torch, device, array)
        for down in (False, True):
            by = order(_wide(array), -1, down).astype(np.int64)
            with case(dtype=dtype, length=length, descending=down):
                kept, stable = torch.sort(x, stable=True, dim=0, descending=down)
                assert_equal(kept, array[by], signed_zero=False)
                assert_equal(stable, by)
                assert_equal(x.sort(descending=down).values, array[by], signed_zero=False)
                assert_equal(x.argsort(stable=True, descending=down), by)
                columns = torch.stack([x, x], 1).sort(dim=0, descending=down, stable=True)
                assert_equal(columns.indices, np.stack([by, by], 1))


@clause("indexing.square", covers=["notes.advanced-indexing", "notes.index-put"])
def two_index_tensors_keep_their_order(torch: Any, device: str) -> None:
    """x[i, j] picks row i and column j, also of a square, where the reverse would fit; so does a
    write, of index tensors and of numbers, and of a batch of squares."""
    for dtype in supported(ALL):
        for length in (2, 3, 9, 17):
            array = values((length, length), dtype, "normal", length)
            array[0, 1], array[1, 0] = 0, 1
            x = tensor_of(torch, device, array)
            rows = np.arange(length)
            columns = (rows + 1) % length
            i, j = tensor_of(torch, device, rows), tensor_of(torch, device, columns)
            with case(dtype=dtype, length=length):
                assert_equal(x[i, j], array[rows, columns])
                assert_equal(x[j, i], array[columns, rows])
                assert_equal(x[0, 1], array[0, 1])
                batch = torch.stack([x, x])
                assert_equal(batch[:, i, j], np.stack([array[rows, columns]] * 2))
                assert_equal(batch[1, i, j], array[rows, columns])
                written = array.copy()
                written[rows, columns] = array[columns, rows]
                x[i, j] = x[j, i]
                assert_equal(x, written)


@clause("indexing.expanded-index",
        covers=["basics.gather", "basics.index-select", "notes.layout-independence"])  # fmt: skip
def an_expanded_index_counts_as_often_as_it_is_repeated(torch: Any, device: str) -> None:
    """An index, a mask or a source that is expanded, or steps through memory, is worth what it
    reads as, to every operation that takes one."""
    for dtype in supported(ALL):
        array = values((5,), dtype, "normal", 3)
        array[0], array[2] = 0, 1
        x = tensor_of(torch, device, array)
        table, grid = torch.stack([x, x.flip(0)]), np.stack([array, array[::-1]])
        two = torch.tensor([0, 2, 0, 0], device=device)
        row = torch.tensor([[2, 4, 0]], device=device).expand(2, 3)
        repeated = two[1].expand(7)
        gapped = torch.stack([repeated, two[0].expand(7)], 1)[:, 0]
        for lying, index in (("expanded", repeated), ("stepped", gapped)):
            expected = np.full(7, array[2])
            with case(dtype=dtype, lying=lying):
                assert_equal(x.gather(0, index), expected)
                assert_equal(torch.gather(x, 0, index), expected)
                assert_equal(torch.index_select(x, 0, index), expected)
                assert_equal(torch.take_along_dim(x, index, 0), expected)
                assert_equal(torch.take(x, index), expected)
                assert_equal(x[index], expected)
        with case(dtype=dtype, lying="rows"):
            assert_equal(table.gather(1, row), grid[:, [2, 4, 0]])
            assert_equal(torch.take_along_dim(table, row, 1), grid[:, [2, 4, 0]])
            scattered = np.zeros_like(grid)
            scattered[:, [2, 4, 0]] = array[2]
            source = x[2].expand(2, 3)
            assert_equal(torch.zeros_like(table).scatter(1, row, source), scattered)
            mask = torch.tensor([[True], [False]], device=device).expand(2, 5)
            assert_equal(table[mask], grid[0])
            assert_equal(table.masked_select(mask), grid[0])
            expanded = x[2].expand(5)
            assert_equal(expanded[two[1:2]], array[2:3])
            assert_equal(expanded.gather(0, two), np.full(4, array[2]))


@clause("indexing.triangles", covers=["basics.index-like-numpy"])
def triangles_are_cut_along_every_diagonal(torch: Any, device: str) -> None:
    """tril keeps what lies on and below a diagonal and triu what lies on and above it, for every
    shape up to 5 by 6, every diagonal of it and beyond, in every dtype, packed or transposed."""
    for rows in (1, 2, 3, 5):
        for columns in (1, 2, 3, 4, 6):
            for turn, k in enumerate(range(-rows - 1, columns + 2), rows + columns):
                for dtype in supported(ALL[turn % 6 :: 6]):
                    array = np.ones((rows, columns), values((1,), dtype).dtype)
                    x = place(torch, device, array, ("contiguous", "transposed")[k % 2]).view
                    with case(dtype=dtype, shape=(rows, columns), diagonal=k):
                        assert_equal(torch.tril(x, k), np.tril(array, k))
                        assert_equal(x.triu(k), np.triu(array, k))
                        if not k:
                            assert_equal(x.tril(), np.tril(array))
                            assert_equal(torch.triu(x), np.triu(array))


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


@clause(
    "indexing.written-out",
    covers=[
        "notes.scatter-gather",
        "notes.index-put",
        "notes.sort-topk",
        "basics.nonzero",
        "basics.gather",
    ],
)
def indexing_functions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what NumPy or a count by hand gives: a shorter
    index, a dimension from either end, masks that broadcast, reductions with and without the
    elements that are there, the order of equal elements, the side of a boundary."""
    gives_what_is_written(torch, device, INDEXED)
