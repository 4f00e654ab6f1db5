"""Making tensors."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any

import numpy as np

from tenet.harness.bench.oracle import gives, pattern, require
from tenet.harness.bench.workload import Family, Task
from tenet.spec.language.reading import read

_SIZES = (1_000, 1_000_000)


def _zeros(torch: Any, device: str, elements: int) -> Task:
    work = partial(torch.zeros, elements, device=device)
    return Task(work, gives(np.zeros(elements, np.float32)), bytes=4 * elements)


def _full(torch: Any, device: str, elements: int) -> Task:
    work = partial(torch.full, (elements,), 1.5, device=device)
    return Task(work, gives(np.full(elements, 1.5, np.float32)), bytes=4 * elements)


def _arange(torch: Any, device: str, elements: int) -> Task:
    work = partial(torch.arange, elements, device=device)
    return Task(work, gives(np.arange(elements)), bytes=8 * elements)


def _rand(torch: Any, device: str, elements: int) -> Task:
    def check(got: Any) -> None:
        values = read(got).astype(np.float64)
        require(values.shape == (elements,), f"shape {values.shape}, not ({elements},)")
        require(((values >= 0) & (values < 1)).all(), "a number outside [0, 1)")
        # The mean of n of them deviates by more than 7 / sqrt(12 n) once in 10^11 draws.
        away = abs(values.mean() - 0.5)
        require(away < 7 / sqrt(12 * elements), f"a mean {away:.3g} off 1/2")

    return Task(partial(torch.rand, elements, device=device), check, bytes=4 * elements)


def _from_list(torch: Any, device: str, elements: int) -> Task:
    array = np.tile(pattern(), elements // 1000)
    work = partial(torch.tensor, array.tolist(), device=device)
    return Task(work, gives(array), bytes=12 * elements)


FAMILIES = (
    Family("creation.zeros", _zeros, "creation.zeros-and-ones", {"elements": _SIZES}),
    Family("creation.full", _full, "creation.full", {"elements": _SIZES}),
    Family("creation.arange", _arange, "creation.arange-integers", {"elements": _SIZES}),
    Family("creation.rand", _rand, "creation.rand", {"elements": _SIZES}),
    Family("creation.from-list", _from_list, "creation.nested-lists", {"elements": _SIZES[:1]}),
)
