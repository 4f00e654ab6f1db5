"""What clauses are tried on: pools, layouts, places, values, and examples as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    REGIMES,
    Operand,
    arrange,
    broadcast_shapes,
    broadcastable,
    decode,
    encode,
    incompatible_shapes,
    operands,
    place,
    selections,
    shapes,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.kinds import lying
from tenet.spec.cases.values import FINITE
from tenet.spec.language import read
from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, numpy_dtype

SHAPES = ((), (1,), (0,), (3,), (17,), (2, 3), (1, 1), (0, 3), (3, 0), (4, 1), (2, 3, 4),
          (2, 1, 3), (2, 3, 0, 2), (2, 3, 2, 3), (1, 3, 1, 2))  # fmt: skip
WRITABLE = [name for name in LAYOUTS if name != "expanded"]


def pool(strategy: SearchStrategy[Any]) -> list[Any]:
    """The elements of a pool, in its order."""
    # Hypothesis has no public way.
    return list(strategy.wrapped_strategy.elements)  # type: ignore[attr-defined]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_layout_holds_the_array_in_numpy_and_in_torch(
    layout: str, shape: tuple[int, ...]
) -> None:
    for dtype in ("float32", "bool", "bfloat16", "complex64", "uint8"):
        array = values(shape, dtype, "normal", 3)
        arrangement = arrange(array, layout)
        expected = array
        if layout == "expanded" and array.ndim and array.shape[0]:
            expected = np.array(np.broadcast_to(array[:1], shape))
        assert same(np.array(arrangement.of_array(arrangement.base)), expected)
        assert arrangement.base.flags.c_contiguous
        tensor = arrangement.of_tensor(tensor_of(torch, "cpu", arrangement.base))
        assert same(read(tensor), expected)
        operand = Operand(shape, layout, "normal", 3)
        assert same(operand.array(dtype), expected)
        assert same(read(operand.on(torch, "cpu", dtype)), expected)


def test_layouts_differ_in_memory_as_their_names_say() -> None:
    def strides(layout: str) -> tuple[int, ...]:
        return tuple(Operand((2, 3, 4), layout).on(torch, "cpu", "float32").stride())

    assert strides("contiguous") == strides("offset") == (12, 4, 1)
    assert strides("transposed") == (1, 2, 6)
    assert strides("stepped")[-1] == 2
    assert strides("rows-stepped")[0] == 36
    assert strides("expanded")[0] == 0
    assert strides("channels-last") == (12, 1, 3)
    assert Operand((3,), "offset").on(torch, "cpu", "float32").storage_offset() == 3


@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 4), (4, 1), (3, 4), (1, 1), (2, 1, 3),
    (2, 3, 1), (1, 3, 4), (2, 3, 4), (2, 3, 1, 1), (2, 1, 3, 4), (1, 1, 1, 5)])  # fmt: skip
def test_what_a_layout_comes_to_is_told_by_its_strides(shape: tuple[int, ...]) -> None:
    seen: dict[str, set[object]] = {}
    for layout in LAYOUTS:
        arrangement = arrange(np.arange(np.prod(shape)).reshape(shape), layout)
        view = arrangement.of_tensor(torch.from_numpy(arrangement.base))
        steps = tuple(s for s, n in zip(view.stride(), view.shape, strict=True) if n > 1)
        memory = (steps, view.storage_offset()) if steps else bool(view.storage_offset())
        seen.setdefault(lying(shape, layout), set()).add(memory)
    # By how much one is shifted or stepped makes no difference.
    one = [memories for kind, memories in seen.items() if kind not in ("offset", "stepped")]
    assert all(len(memories) == 1 for memories in one), seen
    assert sum(map(len, seen.values())) == len(set[object]().union(*seen.values())), seen


@pytest.mark.parametrize("layout", WRITABLE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_place_knows_its_base_after_a_write(layout: str, shape: tuple[int, ...]) -> None:
    for dtype in ("float32", "int64", "bool", "bfloat16"):
        spot = place(torch, "cpu", values(shape, dtype, "ties", 1), layout)
        before = spot.arrangement.base.copy()
        new = values(shape, dtype, "small") == 0
        new = new.astype(numpy_dtype(dtype))
        assert same(read(spot.view), spot.array)
        spot.view.copy_(tensor_of(torch, "cpu", new))
        assert same(read(spot.base), spot.after(new))
        assert same(spot.arrangement.base, before)
        assert same(spot.after(spot.array), before)


@pytest.mark.parametrize("layout", ["stepped", "offset", "gapped", "rows-stepped"])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
def test_what_lies_around_a_single_element_differs_from_it(
    layout: str, shape: tuple[int, ...]
) -> None:
    for value in (0, 1, 7):
        arrangement = arrange(np.full(shape, value), layout)
        around = arrangement.base.copy()
        assert (around == value).sum() == 1


def test_an_expanded_operand_has_no_place_to_write_to() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        Operand((2, 3), "expanded").place(torch, "cpu", "float32")


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod([max(n, 1) for n in shape], dtype=int))


def test_pools_put_the_simplest_first() -> None:
    drawn = pool(shapes())
    assert drawn[0] == ()
    full = [s for s in drawn if 0 not in s]
    assert drawn[: len(full)] == full, "shapes without elements come last"
    assert [_size(s) for s in full] == sorted(_size(s) for s in full)
    assert pool(broadcast_shapes())[0] == ((), ())
    assert pool(with_dim())[0] == ((1,), 0)
    assert sum(map(_size, pool(incompatible_shapes())[0])) <= 6


def test_every_interesting_length_is_drawn() -> None:
    assert {s[0] for s in pool(shapes()) if len(s) == 1} == set(LENGTHS)
    assert {s[0] for s, _ in pool(with_dim()) if len(s) == 1} == set(LENGTHS)
    both = {s[0] for s, t in pool(broadcast_shapes()) if len(s) == 1 and s == t}
    assert both >= {n for n in LENGTHS if n <= 3000}
    for power in (8, 16, 32, 64, 128, 256, 1024):
        assert {power - 1, power, power + 1} <= set(LENGTHS)
    for rank in (2, 3, 4):
        last = {s[-1] for s in pool(shapes()) if len(s) == rank}
        assert {0, 1, 2, 3, 7, 8, 9, 16, 17} <= last


def test_pools_hold_every_rank_and_length_0_and_1() -> None:
    drawn = pool(shapes())
    assert {len(s) for s in drawn} == {0, 1, 2, 3, 4, 5, 6}
    for rank in (1, 2, 3, 4):
        for length in (0, 1):
            assert any(length in s for s in drawn if len(s) == rank)
    assert all(0 not in s for s in pool(shapes(empty=False)))
    assert {d for s, d in pool(with_dim()) if len(s) == 3} == {-3, -2, -1, 0, 1, 2}


def test_groups_broadcast_or_clash_as_numpy_says() -> None:
    for group in pool(broadcast_shapes(3)):
        assert broadcastable(*group) == np.broadcast_shapes(*group)
    for group in pool(incompatible_shapes()):
        with pytest.raises(ValueError, match="broadcast"):
            np.broadcast_shapes(*group)


@settings(max_examples=300, deadline=None, database=None)
@given(selections())
def test_a_selection_fits_its_shape(selection: tuple[tuple[int, ...], tuple[object, ...]]) -> None:
    shape, index = selection
    array = np.arange(int(np.prod(shape))).reshape(shape)
    assert np.array_equal(torch.tensor(array)[index].numpy(), array[index])


@settings(max_examples=300, deadline=None, database=None)
@given(st.one_of(operands(), selections(), with_dim(), broadcast_shapes(), incompatible_shapes()))
def test_a_drawn_example_survives_json(example: Any) -> None:
    again = decode(json.loads(json.dumps(encode(example))))
    assert again == example
    assert type(again) is type(example)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -1, 2**70, "x", 1.5, -0.0, float("inf"), float("-inf"), float("nan"),
        1 - 2j, complex("nan"), complex(-0.0, 1.0), (), (1, (2, [3])), [], {"a": 1, 2: (3,)},
        slice(None), slice(1, None, 2), ..., (slice(0, 3), ..., None, -1),
        Operand((2, 0), "gapped", "wide", 9), {"$tuple": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_values_of_every_kind_survive_json(value: object) -> None:
    again = decode(json.loads(json.dumps(encode(value))))
    assert repr(again) == repr(value)
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, np.zeros(2), b"x"], ids=lambda value: type(value).__name__
)
def test_what_no_example_may_hold_is_named(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        encode(value)


@pytest.mark.parametrize("data", [{"$nothing": 1}, {"a": 1, "b": 2}, {}])
def test_what_encode_cannot_have_written_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="enc"):
        decode(data)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("regime", REGIMES)
def test_values_are_the_same_every_time(dtype: str, regime: str) -> None:
    for shape in ((), (0,), (7,), (3, 5), (9000,)):
        array = values(shape, dtype, regime, 41)
        assert array.shape == shape
        assert array.dtype == numpy_dtype(dtype)
        assert same(array, values(shape, dtype, regime, 41))
        array[...] = 0
        assert same(values(shape, dtype, regime, 41), values(shape, dtype, regime, 41))


def test_values_are_those_of_every_machine() -> None:
    assert values((4,), "int64", "normal", 3).tolist() == FIXED["int64"]
    assert values((4,), "float32", "ties", 3).tolist() == FIXED["float32"]


FIXED = {
    "int64": [
        1922457979267540809, 7984341411970490635, -2844125835567642977, 2443693496464330970,
    ],
    "float32": [0.0, 2.5, 2.5, 0.0],
}  # fmt: skip


@pytest.mark.parametrize("dtype", ALL)
def test_regimes_are_what_they_say(dtype: str) -> None:
    plain = values((300,), dtype, "small")
    wide = np.complex128 if "complex" in dtype else np.float64
    assert plain[:3].real.tolist() == ([False, True, False] if dtype == "bool" else [0, 1, 2])
    assert same(plain, values((300,), dtype, "small", 77))
    for regime in FINITE:
        assert np.isfinite(values((8209,), dtype, regime).astype(wide)).all()
    assert len(np.unique(values((50,), dtype, "constant", 9).astype(wide))) == 1
    if dtype in FLOATS:
        special = values((8209,), dtype, "special").astype(np.float64)
        assert np.isnan(special).any()
        assert np.isposinf(special).any()
        assert np.isneginf(special).any()
        assert (np.signbit(special) & (special == 0)).any()
    if dtype in INTEGERS:
        info = np.iinfo(dtype)
        extreme = values((8209,), dtype, "extreme")
        assert {info.min, info.max, 0, 1} <= set(extreme.tolist())
