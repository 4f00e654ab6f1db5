"""What gives a view: the same elements in other places."""

from __future__ import annotations

from itertools import product
from typing import Any

from tenet.spec.cases.layouts import LAYOUTS, WRITABLE
from tenet.spec.cases.moves import Move, said
from tenet.spec.cases.scenes import (
    lies,
    results_of,
    scene_of,
    shares_both_ways,
    tensors_in,
)
from tenet.spec.cases.steps import DEEPER_VIEWS, EVERY_VIEW
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL
from tenet.spec.view.common import (
    CUTTING,
    EXPANDING,
    REARRANGING,
    RESHAPING,
    SPLITTING,
    drawn,
    shows_move,
)


def _every_spelling_is_a_view(torch: Any, device: str, move: Move, dtype: str, seed: int) -> None:
    name, arguments = move.step
    scene = scene_of(torch, device, move, dtype, seed)
    at = results_of(name, scene.geometry, arguments)
    for spelling, call in said(move.step):
        with case(spelling=spelling):
            views = tensors_in(call(torch, scene.x, arguments))
            shares_both_ways(torch, device, scene, views, at, seed)


@clause(
    "view.rearranged",
    covers=["notes.view-operations", "minicourse.permute-shares", "notes.stride-rule"],
    requires={"views", "in-place"},
    effort=3,
    shows=shows_move,
    thorough=True,
)
@for_all(**drawn(*REARRANGING))
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
    shows=shows_move,
    thorough=True,
)
@for_all(**drawn(*RESHAPING))
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
    shows=shows_move,
)
@for_all(**drawn(*CUTTING))
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
@for_all(**drawn("index", count=900))
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
    shows=shows_move,
)
@for_all(**drawn(*SPLITTING))
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
    shows=shows_move,
)
@for_all(**drawn(*EXPANDING, count=200, layouts=tuple(LAYOUTS)))
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
