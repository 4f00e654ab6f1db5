"""Views that read the same bytes otherwise: parts of complex numbers, conjugates, other dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, seeds, tensor_of, values
from tenet.spec.cases.kinds import combined
from tenet.spec.cases.layouts import WRITABLE, arrange
from tenet.spec.cases.moves import Move, moves
from tenet.spec.cases.scenes import (
    other_than,
    scene_of,
    shows,
    starts_there,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import ALL, COMPLEX
from tenet.spec.view.common import (
    PARTS,
)


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
            spelling, (call, rule) = list(PARTS.items())[way]
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
