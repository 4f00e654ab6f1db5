"""What a workload has to give, computed without the backend that is timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tenet.spec.language.reading import dtype_name, read
from tenet.spec.model.dtypes import numpy_dtype
from tenet.spec.model.tolerance import Bound

Array = np.ndarray

PERIOD = 1000
"""Elements after which large data repeat, so that an oracle need not be as large as they are."""


class Wrong(Exception):
    """A workload gave another result than it has to: its time says nothing."""


def pattern(seed: int = 0, dtype: str = "float32", *, least: float = -4, most: float = 4) -> Array:
    """PERIOD numbers in [least, most), rounded to the dtype."""
    values = np.random.default_rng(seed).uniform(least, most, PERIOD)
    return np.asarray(values.astype(np.float32).astype(numpy_dtype(dtype)))


def whole(shape: Sequence[int], seed: int = 0, dtype: str = "float32", most: int = 2) -> Array:
    """Whole numbers from -most to most: sums and products of them are exact in most formats."""
    values = np.random.default_rng(seed).integers(-most, most + 1, tuple(shape))
    return np.asarray(values.astype(numpy_dtype(dtype)))


def tensor(torch: Any, device: str, array: Array, *, times: int = 1) -> Any:
    """The array as a tensor on the device; one of a single dimension, so many times over.

    It goes through a list: what a bridge to NumPy does is among the things that are measured.
    """
    dtype = getattr(torch, str(array.dtype.name))
    made = torch.tensor(array.tolist(), dtype=dtype, device=device)
    return made.repeat(times) if times > 1 else made


def gives(expected: Array, bound: Bound | None = None) -> Callable[[Any], None]:
    """A check that a tensor is `expected`: exactly, or within the bound.

    Where the tensor is longer than the expected array, of one dimension, it has to repeat it.
    The bound knows the dtype that the tensor must have; without one it is the array's.
    """
    allowed = None if bound is None else np.broadcast_to(bound.allowed(expected), expected.shape)
    wanted_dtype = str(expected.dtype.name) if bound is None else bound.dtype

    def check(got: Any) -> None:
        if dtype_name(got.dtype) != wanted_dtype:
            raise Wrong(f"dtype {dtype_name(got.dtype)}, not {wanted_dtype}")
        values = read(got)
        if values.shape != expected.shape:
            length = expected.shape[0] if expected.ndim == 1 else 0
            if values.ndim != 1 or not length or values.size % length or not values.size:
                raise Wrong(f"shape {values.shape}, not {expected.shape}")
            values = values.reshape(-1, length)
        if allowed is None:
            right = values == expected
        else:
            right = np.abs(values.astype(np.float64) - expected) <= allowed
        if not right.all():
            at = tuple(int(i[0]) for i in np.nonzero(~right)) if right.ndim else ()
            wanted = expected[at[values.ndim - expected.ndim :]] if at else expected
            where = f" at {list(at)}" if at else ""
            raise Wrong(f"{values[at]}{where}, not {wanted}")

    return check


def each(*checks: Callable[[Any], None]) -> Callable[[Any], None]:
    """A check of several results, one by one."""

    def check(got: Any) -> None:
        results = tuple(got)
        if len(results) != len(checks):
            raise Wrong(f"{len(results)} results, not {len(checks)}")
        for result, one in zip(results, checks, strict=True):
            one(result)

    return check


def require(holds: object, otherwise: str) -> None:
    """Raise Wrong, with what is the case instead, unless it holds."""
    if not holds:
        raise Wrong(otherwise)
