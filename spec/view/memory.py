"""Where elements lie: strides, offsets and one storage, and how long it lives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import seeds, tensor_of, values
from tenet.spec.cases.kinds import combined
from tenet.spec.cases.moves import Move, moves, said
from tenet.spec.cases.scenes import (
    lies,
    results_of,
    scene_of,
    shares_both_ways,
    shows,
    starts_there,
    tensors_in,
)
from tenet.spec.cases.steps import DEEPER_VIEWS, EVERY_VIEW
from tenet.spec.cases.writes import OVERLAPPING, REFUSED
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model import strides
from tenet.spec.model.dtypes import ALL, COMPLEX
from tenet.spec.model.strides import Geometry
from tenet.spec.view.common import (
    CUTTING,
    EXPANDING,
    PARTS,
    REARRANGING,
    RESHAPING,
    SPLITTING,
    drawn,
    is_independent,
    shows_move,
)

EVERY_NAME = ("index", *REARRANGING, *RESHAPING, *CUTTING, *SPLITTING, *EXPANDING)


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
@for_all(**drawn(*EVERY_NAME, count=30))
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
    for dtype, (spelling, (part, rule)) in product(supported(COMPLEX), PARTS.items()):
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
    shows=shows_move,
    thorough=True,
)
@for_all(**drawn("reshape", "reshape_as", "flatten", count=400))
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
                    is_independent(torch, device, scene, result)


def _parted(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shape with one dimension made two, which any strides can express."""
    for dim, length in enumerate(shape):
        for part in (2, 3, 5):
            if length > part and not length % part:
                yield (*shape[:dim], length // part, part, *shape[dim + 1 :])


@clause(
    "view.contiguous",
    covers=["notes.maybe-view", "minicourse.view-needs-strides"],
    requires={"views", "in-place"},
    effort=2,
)
@for_all(**drawn("contiguous", count=600))
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
            is_independent(torch, device, scene, result)


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
