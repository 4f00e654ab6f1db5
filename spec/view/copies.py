"""What is no view, and shares nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, shapes, tensor_of
from tenet.spec.cases.copies import COPIES
from tenet.spec.cases.layouts import arrange
from tenet.spec.cases.moves import Move
from tenet.spec.cases.scenes import (
    does_not_share,
    scene_of,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL
from tenet.spec.view.common import (
    drawn,
    is_independent,
)


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
@for_all(**drawn("contiguous", count=600), copy=st.sampled_from(list(COPIES)))
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
        is_independent(torch, device, scene, COPIES[copy](torch, scene.x))


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
                    is_independent(torch, device, scene, does(torch, scene.x))


@clause("view.partial-copies", covers=["notes.copies"], requires={"in-place"})
@for_all(**drawn("contiguous", count=600, max_size=200))
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
