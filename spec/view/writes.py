"""What is written through a view is written to its base, along any chain of views."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tenet.spec.cases import seeds, tensor_of
from tenet.spec.cases.layouts import WRITABLE
from tenet.spec.cases.moves import Move, moves, said
from tenet.spec.cases.scenes import (
    lies,
    other_than,
    results_of,
    scene_of,
    shows,
)
from tenet.spec.cases.writes import WRITES
from tenet.spec.language import (
    assert_equal,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL
from tenet.spec.view.common import (
    drawn,
)

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
@for_all(**drawn("index", "contiguous", "diagonal", "as_strided", "permute", count=240))
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
