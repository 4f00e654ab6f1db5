"""Advanced indices: index tensors and masks."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from operator import getitem, setitem
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    WRITABLE,
    Operand,
    layouts,
    place,
    seeds,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.kinds import combined
from tenet.spec.indexing.common import TURNS, Shape, widened
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, NUMERIC

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
    """The index of a pattern, with arrays for tensors; negative indices are among them, and for
    every eighth seed masks that name nothing."""
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
            parts.append(random.integers(0, 3, wide) > (3 if seed % 8 == 7 else 0))
        else:
            parts.append({":": slice(None), "s": slice(1, None, 2), "n": None,
                          "0": int(random.integers(-n, n))}[part])  # fmt: skip
        dim += used.get(part, 1)
    return tuple(parts)


def _laid(torch: Any, device: str, array: Any, seed: int) -> Any:
    """A tensor that lies in memory as the seed says."""
    return place(torch, device, np.asarray(array), WRITABLE[seed % len(WRITABLE)]).view


def _on(torch: Any, device: str, index: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    """The index with tensors: int64 ones, or int32 ones for every third seed; laid out as another
    operand might be."""
    narrow = seed % 3 == 1 and "int32" in list(supported(["int32"]))
    return tuple(
        _laid(
            torch,
            device,
            part.astype(np.int32) if narrow and part.dtype != bool else part,
            seed // 3 + spot,
        )
        if isinstance(part, np.ndarray)
        else part
        for spot, part in enumerate(index)
    )


def _shows(use: tuple[Shape, str, int], layout: str, seed: int) -> frozenset[Hashable]:
    """What is new about a use: its pattern, at a rank or in a layout that is dense or not; any
    indices, or any masks, of another kind of operand; one index alone that lies otherwise."""
    shape, pattern, _length = use
    parts = "masks" if set(pattern) & set("mMF") else "indices"
    new: set[Hashable] = {(pattern, layout == "contiguous"), (pattern, len(shape))}
    if len(pattern) == 1:
        new.add((pattern, WRITABLE[seed // 3 % len(WRITABLE)]))
    if parts == "masks" and seed % 8 == 7:
        new.add((pattern, "nothing"))
    return combined(parts, shape, layout) | new


ADVANCED = st.sampled_from(_patterned())


def _stretching(shape: Shape, seed: int) -> Shape:
    """A shape that broadcasts to that of a selection: leading lengths dropped, others 1."""
    random = Random(seed)
    kept = shape[random.choice((0, 0, random.randint(0, len(shape)))) :]
    return tuple(1 if random.random() < 0.4 else n for n in kept)


def _too_large(shape: Shape) -> list[Shape]:
    """Shapes that do not broadcast to that of a selection: as many elements, and one more."""
    return [(*shape, 1), (*shape[:-1], shape[-1] + 1)] if shape and shape[-1] > 1 else []


@clause(
    "indexing.advanced",
    covers=["notes.advanced-indexing"],
    requires={"in-place"},
    effort=2,
    shows=_shows,
)
@for_all(use=ADVANCED, seed=seeds(), layout=layouts())
def index_tensors_and_masks_select_as_in_numpy(
    torch: Any, device: str, use: Any, seed: int, layout: str
) -> None:
    """Index tensors broadcast with each other; their dimensions stand where they stood if they
    are neighbours, in front if anything separates them; negative indices count from the end; a
    bool mask is its nonzero(); all mix with integers, slices, ... and None. It is a copy."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, seed)
    for dtype in supported(ALL):
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


@clause(
    "indexing.advanced-write",
    covers=["notes.index-put"],
    requires={"in-place"},
    effort=2,
    shows=_shows,
)
@for_all(use=ADVANCED, seed=seeds(), layout=layouts(writable=True))
def assignment_through_index_tensors_writes_the_selected_elements(
    torch: Any, device: str, use: Any, seed: int, layout: str
) -> None:
    """x[index] = value with index tensors and masks writes the selected elements and no other: a
    number, a tensor of the selection's shape, one that broadcasts, also where nothing is selected;
    one that does not broadcast raises."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, seed)
    places = np.arange(np.prod(use[0], dtype=np.int64)).reshape(use[0])[index]
    stretched = _stretching(places.shape, seed)
    sources = np.arange(np.prod(stretched, dtype=np.int64)).reshape(stretched)
    pairs = np.stack([places, np.broadcast_to(sources, places.shape)]).reshape(2, -1)
    if np.unique(pairs, axis=1).shape[1] > np.unique(places).size:
        # A place that is written twice has to get the same twice.
        stretched = (1,) * (seed % (places.ndim + 1))
    for turn, dtype in enumerate(supported(ALL), seed):
        array = values(use[0], dtype, "normal", seed)
        # Every place has a value of its own, so that a repeated index writes the same twice.
        wanted = values(use[0], dtype, "signed", seed + 1)
        picked = np.asarray(wanted[index])
        one = values(stretched, dtype, "normal", seed + 2)
        ways = (("number", 1), ("same shape", picked), ("broadcast", one), ("same shape", picked))
        for kind, source in (ways[turn % 4], ways[(turn + 1) % 4]):
            at = place(torch, device, array, layout)
            value = source if isinstance(source, int) else _laid(torch, device, source, turn)
            changed = array.copy()
            changed[index] = source if isinstance(source, int) else source.astype(array.dtype)
            with case(dtype=dtype, value=kind):
                at.view[chosen[0] if len(chosen) == 1 and turn % 2 else chosen] = value
                assert_equal(at.base, at.after(changed))
        for wrong in _too_large(picked.shape)[turn % 6 :: 6]:
            with case(dtype=dtype, value=wrong):
                value = tensor_of(torch, device, values(wrong, dtype))
                assert_raises(setitem, tensor_of(torch, device, array), chosen, value)


@clause("indexing.index-put", covers=["notes.index-put"], requires={"in-place"}, effort=0.6)
@for_all(use=st.sampled_from([u for u in _patterned() if set(u[1]) <= set("ijIemMF")]),
         seed=seeds(), turn=TURNS, layout=layouts(writable=True))  # fmt: skip
def index_put_writes_or_adds_up(
    torch: Any, device: str, use: Any, seed: int, turn: int, layout: str
) -> None:
    """index_put_(indices, values) writes like x[indices] = values and returns x; with
    accumulate=True repeated indices add every contribution; index_put leaves x as it was. The
    values broadcast to what is selected, and raise where they do not, in either case."""
    index = _index(use, seed)
    chosen = _on(torch, device, index, 3 * seed)
    for number, dtype in enumerate(supported(NUMERIC[turn::4]), seed):
        array = values(use[0], dtype, "signed", seed)
        source = values(np.shape(array[index]), dtype, "signed", seed + 1)
        added = array.copy()
        np.add.at(added, index, source)
        written = array.copy()
        written[index] = values((), dtype, "signed", seed + 2)
        # Ones and twos: every sum of them is exact in every dtype.
        few = values(_stretching(source.shape, seed) if number % 2 else (), "int64", "signed", seed)
        spread = (few % 2 + 1).astype(array.dtype)
        summed = array.copy()
        # Written out, as NumPy 2.4 reads beyond a vector that it broadcasts to a matrix of indices.
        np.add.at(summed, index, np.array(np.broadcast_to(spread, source.shape), order="C"))
        x, value = tensor_of(torch, device, array), _laid(torch, device, source, seed + 1)
        one = _laid(torch, device, spread, seed)
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
        with case(dtype=dtype, values=spread.shape):
            assert_equal(x.index_put(chosen, one, accumulate=True), summed)
            plain = tensor_of(torch, device, array)
            assert_same_object(plain.index_put_(chosen, one, accumulate=True), plain)
            assert_equal(plain, summed)
        for wrong in _too_large(source.shape)[number % 2 :: 2]:
            given = tensor_of(torch, device, values(wrong, dtype))
            for accumulate in (False, True):
                with case(dtype=dtype, values=wrong, accumulate=accumulate):
                    assert_raises(plain.index_put_, chosen, given, accumulate=accumulate)
                    assert_raises(torch.index_put, x, chosen, given, accumulate)


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
    stands, for everything that picks or writes by index, and however it is called: below 0 as well
    for gather, index_select, the scatters, index_add, index_copy and index_reduce, below -n for
    x[index], index_put, index_fill, take and put."""
    shape, dim = shaped
    n, at = shape[dim], dim % len(shape)
    dtype = [*supported(("float32", "int64", "float64", "int32", "float16"))][seed % 5 :: 5] or [
        "float32"
    ]
    x = tensor_of(torch, device, values(shape, dtype[0]))
    y, size = torch.ones_like(x), x.numel()
    before = (slice(None),) * at
    how = ("sum", "prod", "amax", "amin", "mean")[seed % 5]
    calls: dict[str, tuple[int, Callable[[Any], tuple[Any, ...]]]] = {
        "gather": (0, lambda i: (dim, i)),
        "scatter": (0, lambda i: (dim, i, y)),
        "scatter a number": (0, lambda i: (dim, i, 1)),
        "scatter_add": (0, lambda i: (dim, i, y)),
        "scatter_reduce": (0, lambda i: (dim, i, y, how)),
        "index_select": (0, lambda i: (dim, _vector(i, at).int() if seed % 2 else _vector(i, at))),
        "index_add": (0, lambda i: (dim, _vector(i, at), y)),
        "index_copy": (0, lambda i: (dim, _vector(i, at), y)),
        "index_reduce": (0, lambda i: (dim, _vector(i, at), y, "prod" if how == "sum" else how)),
        "index_fill": (-n, lambda i: (dim, _vector(i, at), 1)),
        "index_put": (-n, lambda i: (_alone(torch, x, at, i), y[(0,) * len(shape)], seed % 2 == 1)),
        "take": (-size, lambda i: (i,)),
        "put": (-size, lambda i: (i, y, seed % 2 == 1)),
        "x[index]": (-n, lambda i: ((*before, _vector(i, at)),)),
        "x[index] =": (-n, lambda i: ((*before, _vector(i, at)), 1)),
    }
    # take_along_dim is not among them: PyTorch 2.13 wraps around what is out of range.
    spot = tuple(int(i) for i in np.unravel_index(seed % size, shape))
    spot = (*[0] * at, spot[at], *[0] * (len(shape) - at - 1))
    indices: dict[tuple[int, int], Any] = {}
    for name, (low, arguments) in calls.items():
        high = size if name in ("take", "put") else n
        for turn, wrong in enumerate((high, low - 1, high + seed), seed):
            call = _spelled(torch, x, name, turn)
            for element in (wrong, high - 1):
                if (high, element) not in indices:
                    index = np.full(shape, high - 1, np.int64)
                    index[spot] = element
                    indices[high, element] = tensor_of(torch, device, index)
            with case(spelling=name, index=wrong):
                assert_raises(call, *arguments(indices[high, wrong]))
                call(*arguments(indices[high, high - 1]))


def _spelled(torch: Any, x: Any, name: str, turn: int) -> Callable[..., Any]:
    """A function of that name, as a method, of the namespace or in place."""
    if name.startswith("x"):
        return partial(getitem if name == "x[index]" else setitem, x.clone())
    name = name.partition(" ")[0]
    ways: list[Callable[..., Any]] = [getattr(x, name), partial(getattr(torch, name), x)]
    if hasattr(x, f"{name}_"):
        ways.append(getattr(x.clone(), f"{name}_"))
    return ways[turn % len(ways)]


def _vector(index: Any, dim: int) -> Any:
    """The elements along a dimension, at 0 in the others."""
    return index[(*(0,) * dim, slice(None), *(0,) * (index.dim() - dim - 1))]


def _alone(torch: Any, x: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """The elements along a dimension, and the first place in the dimensions before it."""
    vector = _vector(index, dim)
    return (*(torch.zeros_like(vector),) * dim, vector)


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
        whole = tensor_of(torch, device, np.ones(count, bool))
        assert_equal(mask.nonzero(), where[:, None])
        assert_equal(whole.nonzero(), np.arange(count)[:, None])
        for dtype in supported(("float32", "int64", "bool", "bfloat16", "uint8")):
            array = values(truth.shape, dtype, "normal", count)
            x = tensor_of(torch, device, array)
            with case(dtype=dtype, count=count):
                assert_equal(x.masked_select(mask), array[truth])
                assert_equal(x[mask], array[truth])
                assert_equal(x[:count][whole], array[:count])
                assert_equal(x[:count].masked_select(whole), array[:count])
                assert_equal(x[places], array[truth])
                assert_equal(x.index_select(0, places), array[truth])
                assert_equal(x.gather(0, places), array[truth])
                assert_equal(x.masked_fill(mask, 0), np.where(truth, np.zeros((), array.dtype),
                                                              array))  # fmt: skip
                assert_equal(x.sort().values, np.sort(widened(array)).astype(array.dtype))


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
