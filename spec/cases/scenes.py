"""Scenes: a tensor inside its base, a model of the base's memory, and whether views share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenet.spec.cases.moves import Move
from tenet.spec.cases.operands import tensor_of
from tenet.spec.cases.values import values
from tenet.spec.language import assert_equal, assert_metadata
from tenet.spec.model import strides
from tenet.spec.model.strides import Geometry


@dataclass(frozen=True, slots=True)
class Scene:
    """A source inside its base: tensors, the geometry of the source, and the base's memory."""

    base: Any
    x: Any
    geometry: Geometry
    memory: np.ndarray


def scene_of(torch: Any, device: str, move: Move, dtype: str, seed: int) -> Scene:
    """The source of a move as a tensor, with its base and what the base's memory holds."""
    arrangement = move.arranged(dtype, seed)
    base = tensor_of(torch, device, arrangement.base)
    memory = arrangement.base.ravel().copy()
    return Scene(base, arrangement.of_tensor(base), move.source(), memory)


def results_of(name: str, geometry: Geometry, arguments: tuple[Any, ...]) -> list[Geometry]:
    """What the rule says of each tensor that an operation gives."""
    result = strides.RULES[name](geometry, *arguments)
    return [result] if isinstance(result, Geometry) else list(result or ())


def tensors_in(result: Any) -> list[Any]:
    """The tensors that an operation gave: one, or a sequence of several."""
    return list(result) if isinstance(result, tuple | list) else [result]


def lies(got: Any, geometry: Geometry, base: Any) -> None:
    """Shape, strides and offset are those of the rule, as far as they reach an element."""
    assert_metadata(got, shape=geometry.shape)
    if geometry.size:
        offset = got.storage_offset() - base.storage_offset()
        stride = strides.significant(geometry.shape, got.stride())
        assert_equal((stride, offset), geometry.significant)


def starts_there(got: Any, geometry: Geometry, base: Any, itemsize: int) -> None:
    """The first element lies as many bytes into the base's memory as the rule says."""
    if geometry.size:
        assert_equal(got.data_ptr() - base.data_ptr(), geometry.offset * itemsize)


def shows(got: Any, geometry: Geometry, memory: np.ndarray) -> None:
    """The tensor holds what lies in memory at its addresses."""
    # Conjugating makes -0.0 of 0.0; which of the two is seen is not what a view is about.
    assert_equal(got, geometry.read(memory), signed_zero=not geometry.conjugated)


def other_than(memory: np.ndarray, seed: int) -> np.ndarray:
    """Elements to write in place of those in memory, nearly all of them different."""
    new = values(memory.shape, memory.dtype.name, "normal", seed + 11)
    return ~memory if memory.dtype == bool else new


def shares_both_ways(
    torch: Any, device: str, scene: Scene, views: Sequence[Any], at: Sequence[Geometry], seed: int
) -> None:
    """A write through each view is seen in the base, a write to the base in each view."""
    assert_equal(len(views), len(at))
    memory, conjugated = scene.memory, any(g.conjugated for g in at)
    for i, (view, geometry) in enumerate(zip(views, at, strict=True)):
        lies(view, geometry, scene.base)
        starts_there(view, geometry, scene.base, memory.dtype.itemsize)
        shows(view, geometry, memory)
        if geometry.size and not geometry.overlaps():
            new = geometry.read(other_than(memory, seed + i))
            view.copy_(tensor_of(torch, device, new))
            geometry.write(memory, new)
    assert_equal(scene.base, memory.reshape(tuple(scene.base.shape)), signed_zero=not conjugated)
    memory[:] = other_than(memory, seed + 23)
    scene.base.copy_(tensor_of(torch, device, memory.reshape(tuple(scene.base.shape))))
    for view, geometry in zip(views, at, strict=True):
        shows(view, geometry, memory)


def does_not_share(torch: Any, device: str, scene: Scene, copy: Any, held: np.ndarray) -> None:
    """`copy`, which holds `held`, sees no write to the base, nor the base one to the copy."""
    memory, shape = scene.memory, tuple(scene.base.shape)
    memory[:] = other_than(memory, 3)
    scene.base.copy_(tensor_of(torch, device, memory.reshape(shape)))
    assert_equal(copy, held)
    copy.copy_(tensor_of(torch, device, other_than(held.ravel(), 5).reshape(held.shape)))
    assert_equal(scene.base, memory.reshape(shape))
