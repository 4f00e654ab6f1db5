"""Views: other shapes, strides and offsets over the same memory, and what never shares it.

The memory of the base is modelled as a flat array, a view as a Geometry (`model.strides`): what
a view reads, and what a write through it changes, follows from the address of each element.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, seeds, shapes, tensor_of, values
from tenet.spec.cases.copies import COPIES
from tenet.spec.cases.kinds import combined, showing
from tenet.spec.cases.layouts import LAYOUTS, WRITABLE, arrange
from tenet.spec.cases.moves import Move, moves, said
from tenet.spec.cases.scenes import (
    Scene,
    does_not_share,
    lies,
    other_than,
    results_of,
    scene_of,
    shares_both_ways,
    shows,
    starts_there,
    tensors_in,
)
from tenet.spec.cases.steps import DEEPER_VIEWS, EVERY_VIEW
from tenet.spec.cases.writes import OVERLAPPING, REFUSED, WRITES
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
    supported,
)
from tenet.spec.model import strides
from tenet.spec.model.dtypes import ALL, COMPLEX
from tenet.spec.model.strides import Geometry
from tenet.spec.operators.laws import hold
from tenet.spec.operators.views import VIEWS

hold(VIEWS, covers=("notes.view-operations",), effort=0.1)


REARRANGING = (
    "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis",
    "t", "T", "mT", "H", "mH", "adjoint",
)  # fmt: skip
RESHAPING = ("view", "view_as", "unflatten", "squeeze", "unsqueeze", "detach")
CUTTING = ("select", "narrow", "diagonal", "unfold", "as_strided")
SPLITTING = ("unbind", "split", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit")
EXPANDING = ("expand", "expand_as", "broadcast_to")
EVERY_NAME = ("index", *REARRANGING, *RESHAPING, *CUTTING, *SPLITTING, *EXPANDING)


def _every_spelling_is_a_view(torch: Any, device: str, move: Move, dtype: str, seed: int) -> None:
    name, arguments = move.step
    scene = scene_of(torch, device, move, dtype, seed)
    at = results_of(name, scene.geometry, arguments)
    for spelling, call in said(move.step):
        with case(spelling=spelling):
            views = tensors_in(call(torch, scene.x, arguments))
            shares_both_ways(torch, device, scene, views, at, seed)


def _shows(move: Move, dtype: str, **_: object) -> frozenset[Hashable]:
    return showing((move.step[0], dtype), move.shape, move.layout)


def _drawn(*names: str, count: int = 100, **kwargs: Any) -> dict[str, Any]:
    return {
        "move": moves(names, count=count, **{"layouts": WRITABLE, **kwargs}),
        "dtype": st.sampled_from(ALL),
        "seed": seeds(),
    }


@clause(
    "view.stride-rule",
    covers=["notes.stride-rule", "notes.view-operations", "dlnotes.expand"],
    requires={"views"},
    metadata_only=True,
    effort=1.5,
    shows=lambda move, turn: combined(move.step[0], move.shape, move.layout),
)
@for_all(move=moves(EVERY_NAME, count=120), turn=st.integers(0, 3))
def views_change_only_shape_stride_and_offset(
    torch: Any, device: str, move: Move, turn: int
) -> None:
    """Element i, j, ... lies at storage_offset + the sum of index times stride; each view operation
    gives the shape, strides and offset under which its elements are found where they lie, in every
    dtype, which take turns in the spellings."""
    name, arguments = move.step
    ways = said(move.step)
    for place, dtype in enumerate(supported(ALL), turn):
        scene = scene_of(torch, device, move, dtype, 0)
        at = results_of(name, scene.geometry, arguments)
        lies(scene.x, scene.geometry, scene.base)
        spelling, call = ways[place % len(ways)]
        with case(dtype=dtype, spelling=spelling):
            views = tensors_in(call(torch, scene.x, arguments))
            assert_equal(len(views), len(at))
            for view, geometry in zip(views, at, strict=True):
                assert_metadata(view, dtype=dtype)
                lies(view, geometry, scene.base)


@clause(
    "view.storage",
    covers=["notes.stride-rule", "notes.view-operations"],
    requires={"views"},
    effort=3,
)
@for_all(**_drawn(*EVERY_NAME, count=30))
def views_lie_in_the_storage_of_their_base(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """A view has the storage of its base: data_ptr is the base's plus the offset in bytes, the
    element size and device are the base's, and an as_strided of offset 0 sees the base again."""
    name, arguments = move.step
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        at = results_of(name, scene.geometry, arguments)
        [_, call], *_ = said(move.step)
        for view, geometry in zip(tensors_in(call(torch, scene.x, arguments)), at, strict=True):
            assert_equal(view.element_size(), scene.memory.dtype.itemsize)
            assert_that(view.device == scene.base.device, "the view is on another device")
            if geometry.size:
                same = view.untyped_storage().data_ptr() == scene.base.untyped_storage().data_ptr()
                assert_that(same, "the view has another storage than its base")
                starts_there(view, geometry, scene.base, scene.memory.dtype.itemsize)
                whole = view.as_strided((scene.memory.size,), (1,), scene.base.storage_offset())
                flat = replace(geometry, shape=(scene.memory.size,), stride=(1,), offset=0)
                held = flat.read(scene.memory)
                assert_equal(whole, held, signed_zero=not geometry.conjugated)


@clause(
    "view.rearranged",
    covers=["notes.view-operations", "minicourse.permute-shares", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=3,
    shows=_shows,
    thorough=True,
)
@for_all(**_drawn(*REARRANGING))
def reordering_dimensions_gives_a_view(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """permute, transpose, swapaxes, movedim, t, T, mT, H, mH and adjoint give views: a write
    through the view is seen in the base and the reverse (H, mH, adjoint: conjugated)."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.reshaped",
    covers=["notes.view-operations", "minicourse.view-shares"],
    requires={"views", "in-place"},
    effort=3,
    shows=_shows,
    thorough=True,
)
@for_all(**_drawn(*RESHAPING))
def another_shape_of_the_same_memory_is_a_view(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """view, view_as, unflatten, squeeze, unsqueeze and detach give views: a write through either
    is seen in both, and nothing around the view is touched."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.cut",
    covers=["notes.view-operations", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=3,
    shows=_shows,
)
@for_all(**_drawn(*CUTTING))
def a_part_of_a_tensor_is_a_view(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """select, narrow, diagonal, unfold and as_strided give views: a write through the view
    reaches the elements that it shows and no other, and a write to the base is seen in it."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.indexed",
    covers=["notes.view-operations"],
    requires={"views", "in-place"},
    effort=3,
)
@for_all(**_drawn("index", count=900))
def basic_indexing_gives_a_view(torch: Any, device: str, move: Move, dtype: str, seed: int) -> None:
    """Indexing with integers, slices, ... and None gives a view: a write through it is seen in
    the base at exactly the selected places, and the reverse."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.split",
    covers=["notes.view-operations"],
    requires={"views", "in-place"},
    effort=1.5,
    shows=_shows,
)
@for_all(**_drawn(*SPLITTING))
def every_piece_of_a_split_is_a_view(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """unbind, split, chunk, tensor_split, hsplit, vsplit and dsplit give views, one beside the
    other: each covers its own part of the base, and together they cover all of it."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.expand",
    covers=["dlnotes.expand", "notes.view-operations", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=3,
    shows=_shows,
)
@for_all(**_drawn(*EXPANDING, count=200, layouts=tuple(LAYOUTS)))
def expand_stretches_without_copying(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """expand, expand_as and broadcast_to stretch dimensions of length 1 over the same memory:
    stride 0 on the stretched ones, -1 keeps a length, a write to the base is seen all along."""
    for kind in supported([dtype]):
        _every_spelling_is_a_view(torch, device, move, kind, seed)


@clause(
    "view.every-operation",
    thorough=True,
    covers=["notes.view-operations", "minicourse.view-shares", "minicourse.permute-shares"],
    requires={"views", "in-place"},
)
def every_view_operation_shares_memory_in_every_dtype(torch: Any, device: str) -> None:
    """Each view operation gives a view for every dtype; over the dtypes, in every spelling."""
    for turn, dtype in enumerate(supported(ALL)):
        for shape, step in EVERY_VIEW:
            move = Move(shape, "contiguous", (step,))
            scene = scene_of(torch, device, move, dtype, 5)
            at = results_of(step[0], scene.geometry, step[1])
            ways = said(step)
            for spelling, call in {ways[i % len(ways)] for i in (turn, turn + 1)}:
                with case(dtype=dtype, shape=shape, step=step, spelling=spelling):
                    views = tensors_in(call(torch, scene.x, step[1]))
                    shares_both_ways(torch, device, scene, views, at, 5)


@clause(
    "view.every-layout",
    thorough=True,
    covers=["notes.view-operations", "notes.stride-rule"],
    requires={"views"},
    metadata_only=True,
)
def view_operations_heed_strides_in_every_dtype(torch: Any, device: str) -> None:
    """Each view operation gives, in every dtype and every layout, which take turns in the
    spellings, the shape, strides and offset that follow from those of the tensor."""
    for turn, (dtype, layout) in enumerate(product(supported(ALL), WRITABLE)):
        for shape, step in (*EVERY_VIEW, *DEEPER_VIEWS):
            move = Move(shape, layout, (step,))
            scene = scene_of(torch, device, move, dtype, 5)
            at = results_of(step[0], scene.geometry, step[1])
            ways = said(step)
            if not at:
                continue  # a shape that these strides do not allow
            spelling, call = ways[turn % len(ways)]
            with case(dtype=dtype, layout=layout, shape=shape, step=step, spelling=spelling):
                views = tensors_in(call(torch, scene.x, step[1]))
                assert_equal(len(views), len(at))
                for view, geometry in zip(views, at, strict=True):
                    lies(view, geometry, scene.base)


@clause("view.lifetime", covers=["notes.view-operations", "notes.stride-rule"],
        requires={"views"}, thorough=True)  # fmt: skip
def a_view_keeps_the_memory_that_it_shows(torch: Any, device: str) -> None:
    """The memory stays for as long as a view shows it, though the tensor that it was made from is
    gone and others of its size are made: so with every piece of a split, and with the parts of
    complex numbers."""
    for turn, dtype in enumerate(supported(ALL)):
        for shape, step in (*EVERY_VIEW, *DEEPER_VIEWS):
            ways = said(step)
            spelling, call = ways[turn % len(ways)]
            with case(dtype=dtype, shape=shape, step=step, spelling=spelling):
                scene = scene_of(torch, device, Move(shape, "contiguous", ()), dtype, 5)
                at, memory = results_of(step[0], scene.geometry, step[1]), scene.memory
                views = tensors_in(call(torch, scene.x, step[1]))
                del scene
                _show_still(torch, views, at, memory)
    for dtype, (spelling, (part, rule)) in product(supported(COMPLEX), _PARTS.items()):
        with case(dtype=dtype, spelling=spelling):
            scene = scene_of(torch, device, Move((3, 9), "contiguous", ()), dtype, 5)
            at, memory = [rule(scene.geometry)], scene.memory
            views = [part(torch, scene.x)]
            del scene
            _show_still(torch, views, at, memory)


def _show_still(torch: Any, views: list[Any], at: Sequence[Geometry], memory: np.ndarray) -> None:
    """The views show what their tensor held, whose memory is asked for by others."""
    size, kind = memory.nbytes, torch.uint8
    others = [torch.ones(size, dtype=kind, device=views[0].device) for _ in range(3)]
    for view, geometry in zip(views, at, strict=True):
        of_parts = view.element_size() != memory.dtype.itemsize
        shows(view, geometry, memory.view(memory.real.dtype) if of_parts else memory)
    assert_equal(len(others), 3)  # they are there until now


CHAINED = (
    "index", "permute", "transpose", "movedim", "select", "narrow", "diagonal", "unfold",
    "squeeze", "unsqueeze", "view", "unflatten", "mT", "swapaxes", "expand", "as_strided",
    "index", "narrow", "detach",
)  # fmt: skip


@clause(
    "view.writes",
    covers=["notes.view-operations", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=1,
)
@for_all(**_drawn("index", "contiguous", "diagonal", "as_strided", "permute", count=240))
def a_write_reaches_what_the_view_shows_and_no_other_element(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """However a view is written to as a whole (copy_, fill_, zero_, an assignment, a mask), the
    elements that it shows change in the base, and those between and around them do not."""
    name, arguments = move.step
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        view, at = scene.x, scene.geometry
        if name != "contiguous":
            [at], [(_, call), *_] = results_of(name, at, arguments), said(move.step)
            view = call(torch, view, arguments)
        if at.overlaps():
            continue
        for turn, (write, (does, leaves)) in enumerate(WRITES.items()):
            with case(write=write):
                new = at.read(other_than(scene.memory, seed + turn))
                does(view, tensor_of(torch, device, new))
                at.write(scene.memory, leaves(new))
                assert_equal(scene.base, scene.memory.reshape(tuple(scene.base.shape)))


@clause(
    "view.chains",
    covers=["notes.view-operations", "notes.stride-rule", "minicourse.view-shares"],
    requires={"views", "in-place"},
    effort=1.5,
    thorough=True,
)
@for_all(
    move=moves(CHAINED, length=(2, 4), layouts=WRITABLE, count=160),
    write=st.sampled_from(list(WRITES)),
    dtype=st.sampled_from(ALL),
    seed=seeds(),
)
def a_view_of_a_view_is_a_view_of_the_base(
    torch: Any, device: str, move: Move, write: str, dtype: str, seed: int
) -> None:
    """Views of views lie in the one storage: whatever the chain, a write through the last one is
    seen in the base and in every view between, at the elements that it shows and no other."""
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        view, geometry, memory = scene.x, scene.geometry, scene.memory
        between = []
        for place, (name, arguments) in enumerate(move.steps):
            ways = said((name, arguments))
            view = ways[(seed + place) % len(ways)][1](torch, view, arguments)
            [geometry] = results_of(name, geometry, arguments)
            lies(view, geometry, scene.base)
            between.append((view, geometry))
        shows(view, geometry, memory)
        if not geometry.overlaps():
            does, leaves = WRITES[write]
            new = geometry.read(other_than(memory, seed))
            does(view, tensor_of(torch, device, new))
            geometry.write(memory, leaves(new))
            assert_equal(scene.base, memory.reshape(tuple(scene.base.shape)))
        for seen, at in between:
            shows(seen, at, memory)
        memory[:] = other_than(memory, seed + 1)
        scene.base.copy_(tensor_of(torch, device, memory.reshape(tuple(scene.base.shape))))
        shows(view, geometry, memory)


@clause(
    "view.strides-allow",
    covers=["minicourse.view-needs-strides", "minicourse.view-shares"],
    requires={"views"},
    effort=3,
)
@for_all(move=moves(("reshape_as",), count=1500), dtype=st.sampled_from(ALL), seed=seeds())
def view_raises_where_strides_cannot_express_the_shape(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """view gives a shape that strides over the same memory can express and raises for any other;
    reshape, or contiguous() before view, gives that one too."""
    _, (shape,) = move.step
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        expected = scene.geometry.read(scene.memory).reshape(shape)
        at = strides.view(scene.geometry, shape)
        for spelling, call in (*said(("view", (shape,))), *said(("view_as", (shape,)))):
            with case(spelling=spelling):
                if at is None:
                    assert_raises(call, torch, scene.x, (shape,))
                    own = scene.x.contiguous()
                    assert_equal(call(torch, own, (shape,)), expected)
                else:
                    view = call(torch, scene.x, (shape,))
                    lies(view, at, scene.base)
                    shows(view, at, scene.memory)
        assert_equal(scene.x.reshape(shape), expected)


@clause(
    "view.maybe",
    covers=[
        "notes.maybe-view",
        "dlnotes.reshape-copies",
        "minicourse.reshape-for-independence",
        "minicourse.view-needs-strides",
    ],
    requires={"views", "in-place"},
    effort=3,
    shows=_shows,
    thorough=True,
)
@for_all(**_drawn("reshape", "reshape_as", "flatten", count=400))
def reshape_gives_a_view_where_strides_allow_one(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """reshape, reshape_as and flatten give a view where the strides allow one (of a contiguous
    tensor always, so the result is not independent; to part a dimension they always do), and a
    copy only otherwise."""
    _, arguments = move.step
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        for parted in _parted(move.shape):
            if (there := strides.view(scene.geometry, parted)) is not None:
                lies(scene.x.reshape(parted), there, scene.base)
        for spelling, call in said(move.step):
            with case(spelling=spelling):
                result = call(torch, scene.x, arguments)
                at = strides.view(scene.geometry, tuple(result.shape))
                if at is not None:
                    shares_both_ways(torch, device, scene, [result], [at], seed)
                else:
                    _is_independent(torch, device, scene, result)


def _parted(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shape with one dimension made two, which any strides can express."""
    for dim, length in enumerate(shape):
        for part in (2, 3, 5):
            if length > part and not length % part:
                yield (*shape[:dim], length // part, part, *shape[dim + 1 :])


def _is_independent(torch: Any, device: str, scene: Scene, copy: Any) -> None:
    """What is written to either is not seen in the other, whichever is written first."""
    held = scene.geometry.read(scene.memory).reshape(tuple(copy.shape))
    assert_equal(copy, held)
    does_not_share(torch, device, scene, copy, held)


@clause(
    "view.contiguous",
    covers=["notes.maybe-view", "minicourse.view-needs-strides"],
    requires={"views", "in-place"},
    effort=2,
)
@for_all(**_drawn("contiguous", count=600))
def contiguous_gives_the_tensor_itself_or_a_copy(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """contiguous() gives the tensor itself where its elements lie in row-major order one after
    another, and otherwise a copy in which they do; ravel() makes none there either."""
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        result = scene.x.contiguous()
        if scene.geometry.size and scene.geometry.is_contiguous():
            assert_same_object(result, scene.x)
            assert_equal(scene.x.ravel().data_ptr(), scene.x.data_ptr())
            assert_equal(torch.ravel(scene.x).data_ptr(), scene.x.data_ptr())
        elif scene.geometry.size:
            own = strides.contiguous(move.shape).significant[0]
            assert_equal(strides.significant(move.shape, result.stride()), own)
            _is_independent(torch, device, scene, result)


@clause(
    "view.copies",
    covers=[
        "notes.copies",
        "basics.clone",
        "minicourse.reshape-for-independence",
        "dlnotes.repeat",
    ],
    requires={"in-place"},
    effort=5,
)
@for_all(**_drawn("contiguous", count=600), copy=st.sampled_from(list(COPIES)))
def copies_share_nothing_with_their_source(
    torch: Any, device: str, move: Move, dtype: str, seed: int, copy: str
) -> None:
    """clone, repeat, cat, stack, gather, index_select and indexing by tensors, lists and masks
    give copies, and so do flip, roll, scatter and others that find nothing to move or to write:
    what is written to the source is not seen in the copy, nor the reverse."""
    for kind in supported([dtype]):
        if not move.shape and "clone" not in copy and "repeat(" not in copy:
            continue
        scene = scene_of(torch, device, move, kind, seed)
        _is_independent(torch, device, scene, COPIES[copy](torch, scene.x))


@clause(
    "view.copies-every-dtype",
    thorough=True,
    covers=["notes.copies", "basics.clone", "dlnotes.repeat"],
    requires={"in-place"},
)
def copies_share_nothing_in_any_dtype(torch: Any, device: str) -> None:
    """Every operation that copies does so for every dtype, of every layout, and of one element."""
    for dtype in supported(ALL):
        for shape in ((3, 9), (1,), (33,)):
            for copy, does in COPIES.items():
                with case(dtype=dtype, shape=shape, copy=copy):
                    scene = scene_of(torch, device, Move(shape, "contiguous", ()), dtype, 1)
                    _is_independent(torch, device, scene, does(torch, scene.x))


@clause("view.partial-copies", covers=["notes.copies"], requires={"in-place"})
@for_all(**_drawn("contiguous", count=600, max_size=200))
def advanced_indexing_of_some_elements_copies(
    torch: Any, device: str, move: Move, dtype: str, seed: int
) -> None:
    """Index tensors, masks, gather and index_select that pick some elements, in any order and
    again and again, give copies of them."""
    if not move.shape or 0 in move.shape:
        return
    length = move.shape[0]
    picked = np.random.Generator(np.random.PCG64(seed)).integers(0, length, 5)
    mask = np.arange(length) % 2 == seed % 2
    for kind in supported([dtype]):
        scene = scene_of(torch, device, move, kind, seed)
        x, at = scene.x, tensor_of(torch, device, picked)
        wide = at.reshape((-1,) + (1,) * (x.dim() - 1)).expand((5, *move.shape[1:]))
        ways: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
            "x[indices]": (lambda t: t[at], picked),  # noqa: B023 - called in this very turn
            "x[mask]": (lambda t: t[tensor_of(torch, device, mask)], mask),
            "index_select": (lambda t: t.index_select(0, at), picked),  # noqa: B023 - as above
            "gather": (lambda t: t.gather(0, wide), picked),  # noqa: B023 - as above
        }
        for way, (pick, chosen) in ways.items():
            with case(way=way):
                held = scene.geometry.read(scene.memory)[chosen]
                copy = pick(x)
                assert_equal(copy, held)
                does_not_share(torch, device, scene, copy, held)


@clause(
    "view.overlapping-write",
    covers=["notes.overlap-write"],
    requires={"in-place", "overlap-check", "views"},
)
def writing_to_an_expanded_tensor_raises(torch: Any, device: str) -> None:
    """Arithmetic, copies and assignments into a tensor whose elements overlap in memory (an
    expanded one) raise; into its clone, or where no length was stretched, they do not."""
    for dtype in supported(("float32", "int64", "float64", "int32", "bfloat16", "complex64")):
        for source, sizes in OVERLAPPING:
            for write, does in REFUSED.items():
                with case(dtype=dtype, source=source, sizes=sizes, write=write):
                    base = tensor_of(torch, device, values(source, dtype))
                    x = base.expand(sizes)
                    assert_raises(does, torch, x)
                    does(torch, torch.ones_like(x).contiguous())
                    if source:
                        does(torch, base.expand((1, *source))[0])


# ------------------------------------------------------------------------ other element types


def _scaled(g: Geometry, first: int = 0) -> Geometry:
    """The geometry of one of the two parts of complex elements, in units of a part."""
    return Geometry(g.shape, tuple(2 * s for s in g.stride), 2 * g.offset + first)


_PARTS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Geometry], Geometry]]] = {
    "x.real": (lambda torch, x: x.real, lambda g: _scaled(g)),
    "torch.real(x)": (lambda torch, x: torch.real(x), lambda g: _scaled(g)),
    "x.imag": (lambda torch, x: x.imag, lambda g: _scaled(g, 1)),
    "torch.imag(x)": (lambda torch, x: torch.imag(x), lambda g: _scaled(g, 1)),
    "torch.view_as_real(x)": (
        lambda torch, x: torch.view_as_real(x),
        lambda g: Geometry((*g.shape, 2), (*_scaled(g).stride, 1), 2 * g.offset),
    ),
    "torch.view_as_complex(torch.view_as_real(x))": (
        lambda torch, x: torch.view_as_complex(torch.view_as_real(x)),
        lambda g: g,
    ),
}


@clause(
    "view.complex-parts",
    covers=["notes.view-operations", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=0.5,
)
@for_all(
    move=moves(("contiguous",), layouts=WRITABLE, count=600),
    ways=st.sampled_from([(0, 2, 4), (1, 3, 5)]),
    seed=seeds(),
)
def real_imag_and_view_as_real_share_memory(
    torch: Any, device: str, move: Move, ways: tuple[int, ...], seed: int
) -> None:
    """real, imag and view_as_real show the parts of complex elements in place, and
    view_as_complex shows pairs of parts as complex elements: writes are seen either way."""
    for dtype in supported(COMPLEX):
        scene = scene_of(torch, device, move, dtype, seed)
        memory = scene.memory
        for way in ways:
            spelling, (call, rule) = list(_PARTS.items())[way]
            at = rule(scene.geometry)
            held = memory if at is scene.geometry else memory.view(memory.real.dtype)
            with case(spelling=spelling, dtype=dtype):
                view = call(torch, scene.x)
                starts_there(view, at, scene.base, held.dtype.itemsize)
                shows(view, at, held)
                new = at.read(other_than(held, seed))
                view.copy_(tensor_of(torch, device, new))
                at.write(held, new)
                assert_equal(scene.base, memory.reshape(tuple(scene.base.shape)))
                memory[:] = other_than(memory, seed + 1)
                scene.base.copy_(tensor_of(torch, device, memory.reshape(tuple(scene.base.shape))))
                shows(view, at, held)


_LAZY: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "x.conj()": (lambda x: x.conj(), lambda a: a.conj()),
    "x.H": (lambda x: x.H, lambda a: a.conj().T),
    "x.conj()[1:, ::2]": (lambda x: x.conj()[1:, ::2], lambda a: a.conj()[1:, ::2]),
    "x.conj().imag": (lambda x: x.conj().imag, lambda a: -a.imag),
    "x.conj().imag.t()": (lambda x: x.conj().imag.t(), lambda a: -a.imag.T),
    "x.conj().imag[:, 1]": (lambda x: x.conj().imag[:, 1], lambda a: -a.imag[:, 1]),
}
"""Views that are conjugated or negated only when their elements are read."""

_READS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[np.ndarray], Any]]] = {
    "clone": (lambda torch, v: v.clone(), lambda a: a),
    "contiguous": (lambda torch, v: v.contiguous(), lambda a: a),
    "to": (lambda torch, v: v.to(torch.complex128), lambda a: a.astype(np.complex128)),
    "copy_": (lambda torch, v: torch.zeros_like(v).copy_(v), lambda a: a),
    "copy_ of another dtype": (
        lambda torch, v: torch.zeros(v.shape, dtype=torch.complex128, device=v.device).copy_(v),
        lambda a: a.astype(np.complex128),
    ),
    "reshape": (lambda torch, v: v.reshape(-1), lambda a: a.reshape(-1)),
    "cat": (lambda torch, v: torch.cat([v, v]), lambda a: np.concatenate([a, a])),
    "stack": (lambda torch, v: torch.stack([v, v]), lambda a: np.stack([a, a])),
    "repeat": (lambda torch, v: v.repeat_interleave(2, 0), lambda a: a.repeat(2, 0)),
    "flip": (lambda torch, v: v.flip(0), lambda a: a[::-1]),
    "index": (lambda torch, v: v[[1, 0, 1]], lambda a: a[[1, 0, 1]]),
    "index_select": (
        lambda torch, v: v.index_select(0, torch.tensor([1, 0], device=v.device)),
        lambda a: a[[1, 0]],
    ),
    "mask": (lambda torch, v: v[v != 0], lambda a: a[a != 0]),
    "where": (
        lambda torch, v: torch.where(v == 0, torch.ones_like(v), v),
        lambda a: np.where(a == 0, np.ones_like(a), a),
    ),
    "index_put": (
        lambda torch, v: torch.zeros_like(v).index_put(
            (torch.arange(len(v), device=v.device).flip(0),), v
        ),
        lambda a: a[::-1],
    ),
    "v + v": (lambda torch, v: v + v, lambda a: a + a),
    "v * 2": (lambda torch, v: v * 2, lambda a: a * 2),
    "-v": (lambda torch, v: -v, lambda a: -a),
    "+=": (lambda torch, v: torch.zeros_like(v).add_(v), lambda a: a),
    "sum": (lambda torch, v: v.sum(), lambda a: a.sum()),
    "sum of a dimension": (lambda torch, v: v.sum(0), lambda a: a.sum(0)),
    "cumsum": (lambda torch, v: v.cumsum(0), lambda a: a.cumsum(0)),
    "==": (lambda torch, v: v == v.resolve_conj().resolve_neg(), lambda a: a == a),
    "equal": (lambda torch, v: torch.equal(v, v.resolve_conj().resolve_neg()), lambda a: True),
    "tolist": (lambda torch, v: v.tolist(), lambda a: a.tolist()),
    "item": (lambda torch, v: v.flatten()[-1].item(), lambda a: a.reshape(-1)[-1].item()),
}
_WIDENING = ("to", "copy_ of another dtype")
_READS_OF_REAL: dict[str, tuple[Callable[[Any, Any], Any], Callable[[np.ndarray], Any]]] = {
    "amax": (lambda torch, v: v.amax(0), lambda a: a.max(0)),
    "argmin": (lambda torch, v: v.argmin(), lambda a: np.int64(a.argmin())),
    "sort": (lambda torch, v: v.sort(0)[0], lambda a: np.sort(a, 0)),
    "v < 0": (lambda torch, v: v < 0, lambda a: a < 0),
    "abs": (lambda torch, v: v.abs(), lambda a: abs(a)),
    "to integers": (lambda torch, v: v.to(torch.int64), lambda a: a.astype(np.int64)),
}


@clause(
    "view.conjugated",
    covers=["notes.view-operations", "notes.layout-independence"],
    requires={"views", "in-place"},
)
def conjugated_views_are_taken_as_they_read(torch: Any, device: str) -> None:
    """conj() of a complex tensor, and imag of that, are views whose elements are conjugated or
    negated where they are read: whatever copies, converts, joins, picks, compares or adds them
    takes what they show, and so does a tensor that its own conjugate is written to. What is
    written through such a view is read from it again."""
    for dtype in supported(COMPLEX):
        array = values((3, 4), dtype, "signed", 2)
        for spelling, (view, shown) in _LAZY.items():
            expected = np.ascontiguousarray(shown(array))
            for reading, (call, answer) in {**_READS, **_READS_OF_REAL}.items():
                if reading in _READS_OF_REAL and np.iscomplexobj(expected):
                    continue
                if reading in _WIDENING and not has("complex128"):
                    continue
                with case(spelling=spelling, reading=reading, dtype=dtype):
                    got = call(torch, view(tensor_of(torch, device, array)))
                    answered = answer(expected)
                    if isinstance(answered, np.ndarray | np.generic):
                        assert_equal(got, np.asarray(answered), signed_zero=False)
                    else:
                        assert_that(got == answered, f"{got} for {answered}")
            with case(spelling=spelling, dtype=dtype, reading="what was written"):
                x, written = tensor_of(torch, device, array), array.copy()
                new = values(expected.shape, str(expected.dtype), "signed", 5)
                view(x).copy_(tensor_of(torch, device, new))
                assert_equal(view(x), new, signed_zero=False)
                view(x).mul_(2)
                assert_equal(view(x), new * 2, signed_zero=False)
                if expected.size == array.size and np.iscomplexobj(expected):
                    written = 2 * shown(new)
                    assert_equal(x, np.ascontiguousarray(written), signed_zero=False)
        for written_to in ("copy_", "x[:]", "add_"):
            with case(dtype=dtype, itself=written_to):
                x = tensor_of(torch, device, array)
                if written_to == "copy_":
                    x.copy_(x.conj())
                elif written_to == "x[:]":
                    x[:] = x.conj()
                else:
                    x.add_(x.conj()).sub_(tensor_of(torch, device, array))
                assert_equal(x, array.conj(), signed_zero=False)


_BITS = [(a, b) for a in ALL for b in ALL if a != b != "bool"]
"""Every pair of dtypes; what bits other than those of 0 and 1 are as a bool is not documented."""


@clause(
    "view.bits",
    covers=["notes.view-operations"],
    requires={"views", "in-place"},
    effort=8,
    shows=lambda pair, shape, layout, seed: combined(pair, shape, layout),
)
@for_all(
    pair=st.sampled_from(_BITS),
    shape=st.sampled_from([(8,), (2, 8), (1, 16), (3, 2, 8), (64,), (5, 24)]),
    layout=layouts(only=["contiguous", "rows-stepped", "offset", "transposed", "stepped"]),
    seed=seeds(),
)
def view_of_another_dtype_shows_the_same_bits(
    torch: Any, device: str, pair: tuple[str, str], shape: tuple[int, ...], layout: str, seed: int
) -> None:
    """view(dtype) shows the same memory as elements of another dtype, where it begins and with its
    steps; where their width differs the last dimension, which lies densely, becomes longer or
    shorter."""
    source, target = pair
    width, other_width = (values((), name).dtype.itemsize for name in pair)
    steps_last = layout in ("transposed", "stepped") or (layout, len(shape)) == ("rows-stepped", 1)
    within = (layout, len(shape)) == ("offset", 1) and width < other_width
    if width != other_width and (steps_last or within):
        layout = "contiguous"
    if shape[-1] * width % other_width:
        shape = (*shape[:-1], 2 * shape[-1])
    for name in supported([source]):
        for other in supported([target]):
            arrangement = arrange(values(shape, name, "signed", seed), layout)
            base = tensor_of(torch, device, arrangement.base)
            x, memory = arrangement.of_tensor(base), arrangement.base.copy()
            seen = arrangement.of_array(memory).view(values((), other).dtype)
            view = x.view(getattr(torch, other))
            assert_equal(view, np.array(seen))
            if target != "uint8" or source != "bool":
                new = values(seen.shape, other, "signed", seed + 1)
                view.copy_(tensor_of(torch, device, new))
                seen[...] = new
                assert_equal(base, memory)


_WIDER = (
    ("uint8", "int64"), ("int16", "int32"), ("int8", "bfloat16"), ("float32", "float64"),
    ("float16", "float32"), ("float32", "complex64"), ("int64", "complex128"),
)  # fmt: skip
"""A dtype, and one of which each element takes the place of several."""


@clause("view.bits-refusals", covers=["notes.view-operations", "minicourse.view-needs-strides"],
        requires={"views"})  # fmt: skip
def bits_that_do_not_lie_together_are_not_seen_as_one(torch: Any, device: str) -> None:
    """view(dtype) to a wider dtype raises where the last length, the other strides or the offset
    is no multiple of how many elements become one; to one of another width where the last
    dimension does not lie densely, and for a 0-d tensor."""
    for narrow, wide in _WIDER:
        for source, target in zip(supported([narrow]), supported([wide]), strict=False):
            n = values((), wide).dtype.itemsize // values((), narrow).dtype.itemsize
            into, other = getattr(torch, target), getattr(torch, source)
            memory = torch.zeros(12 * n, dtype=other, device=device)
            with case(dtype=source, into=target):
                for offset in range(1, 2 * n):
                    shifted = memory[offset : offset + 4 * n]
                    with case(offset=offset):
                        if offset % n:
                            assert_raises(shifted.view, into)
                        else:
                            assert_metadata(shifted.view(into), shape=(4,), dtype=target)
                square = memory[: 9 * n].view(3, 3 * n)
                assert_metadata(square.view(into), shape=(3, 3), dtype=target)
                assert_metadata(square[:, :n].view(into), shape=(3, 1), dtype=target)
                assert_raises(square[:, : n + 1].view, into)
                assert_raises(square.t().view, into)
                assert_raises(memory[0].view, into)
                assert_raises(memory.as_strided((2, n), (n + 1, 1)).view, into)
                rows = memory.as_strided((2, n), (2 * n, 1)).view(into)
                assert_metadata(rows, shape=(2, 1), dtype=target)
                large = torch.zeros((2, 3), dtype=into, device=device)
                assert_metadata(large.view(other), shape=(2, 3 * n), dtype=source)
                assert_metadata(large[:, 1:].view(other), shape=(2, 2 * n), dtype=source)
                assert_raises(large.t().view, other)
                assert_raises(large[:, ::2].view, other)
                assert_raises(large[0, 0].view, other)


@clause("view.split-refusals", covers=["notes.view-operations"], requires={"views"})
def lengths_that_do_not_add_up_do_not_split(torch: Any, device: str) -> None:
    """split by lengths raises where they add up to less or to more than the dimension has, or one
    is negative; split by one length raises where that is negative."""
    for dtype, (shape, dim) in product(supported(ALL), (((4,), 0), ((2, 4), -1), ((4, 3), 0))):
        x = torch.ones(shape, dtype=getattr(torch, dtype), device=device)
        with case(dtype=dtype, shape=shape, dim=dim):
            parts = [part.shape[dim] for part in torch.split(x, [1, 3, 0], dim)]
            assert_equal(tuple(parts), (1, 3, 0))
            for lengths in ([1, 2], [4, 1], [1, 4], [], [3], [5, -1], -1):
                assert_raises(torch.split, x, lengths, dim)
                assert_raises(x.split, lengths, dim)


@clause("view.order-of-copies", covers=["basics.clone", "notes.copies"], metadata_only=True,
        requires={"views"}, effort=2)  # fmt: skip
@for_all(
    shape=shapes(max_size=600, empty=False),
    layout=layouts(only=["contiguous", "transposed", "offset", "permuted", "channels-last"]),
    dtype=st.sampled_from(ALL),
)
def a_copy_of_a_dense_tensor_keeps_its_order(
    torch: Any, device: str, shape: Any, layout: str, dtype: str
) -> None:
    """clone(), and the tensors that *_like functions make, have the strides of their tensor where
    its elements lie densely in memory, in whatever order of dimensions; where they are stretched by
    stride 0, those of a contiguous tensor. torch.contiguous_format asks for the latter."""
    for name in supported([dtype]):
        arrangement = arrange(np.zeros(shape, bool), layout)
        kind = getattr(torch, name)
        x = arrangement.of_tensor(torch.zeros(arrangement.base.shape, dtype=kind, device=device))
        wide = torch.zeros(shape[-1:], dtype=kind, device=device).expand(2, *shape)
        for spelling, copy in _LIKE.items():
            with case(spelling=spelling, tensor="dense"):
                given = copy(torch, x, {})
                assert_metadata(given, shape=shape, dtype=name)
                assert_equal(_steps(given), _steps(x))
            plain = {"memory_format": torch.contiguous_format}
            with case(spelling=spelling, tensor="dense", asked="contiguous"):
                assert_that(copy(torch, x, plain).is_contiguous(), "it is not contiguous")
            with case(spelling=spelling, tensor="stretched"):
                assert_that(copy(torch, wide, plain).is_contiguous(), "it is not contiguous")
                if spelling == "clone":
                    assert_that(copy(torch, wide, {}).is_contiguous(), "it is not contiguous")


_LIKE: dict[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    "clone": lambda torch, x, how: x.clone(**how),
    "zeros_like": lambda torch, x, how: torch.zeros_like(x, **how),
    "empty_like": lambda torch, x, how: torch.empty_like(x, **how),
    "ones_like": lambda torch, x, how: torch.ones_like(x, **how),
    "full_like": lambda torch, x, how: torch.full_like(x, 1, **how),
}


def _steps(x: Any) -> list[int]:
    """The strides of the dimensions along which there is a next element."""
    return [step for n, step in zip(x.shape, x.stride(), strict=True) if n > 1]
