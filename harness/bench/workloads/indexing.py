"""Picking and placing elements by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.harness.bench.oracle import gives, tensor
from tenet.harness.bench.workload import Family, Task

_SIZES = (1_000, 100_000)


def _data(torch: Any, device: str, elements: int) -> tuple[Any, ...]:
    random = np.random.default_rng(1)
    values = random.permutation(elements).astype(np.float32)
    places = random.integers(0, elements, elements)
    return values, places, tensor(torch, device, values), tensor(torch, device, places)


def _advanced(torch: Any, device: str, elements: int) -> Task:
    values, places, x, index = _data(torch, device, elements)
    return Task(lambda: x[index], gives(values[places]), bytes=16 * elements)


def _gather(torch: Any, device: str, elements: int) -> Task:
    values, places, x, index = _data(torch, device, elements)
    work = lambda: torch.gather(x, 0, index)  # noqa: E731 - as its neighbours
    return Task(work, gives(values[places]), bytes=16 * elements)


def _rows(torch: Any, device: str, elements: int) -> Task:
    values, places, x, index = _data(torch, device, elements)
    x, rows = x.reshape(-1, 10), values.reshape(-1, 10)
    few, index = places[: elements // 10] % len(rows), index[: elements // 10] % len(rows)
    work = lambda: torch.index_select(x, 0, index)  # noqa: E731 - as its neighbours
    return Task(work, gives(rows[few]), bytes=8 * elements + 8 * len(few))


def _masked(torch: Any, device: str, elements: int) -> Task:
    values, places, x, _ = _data(torch, device, elements)
    mask = places % 2 == 0
    m = tensor(torch, device, mask)
    return Task(lambda: x[m], gives(values[mask]), bytes=5 * elements + 4 * int(mask.sum()))


def _written(torch: Any, device: str, elements: int) -> Task:
    """Every index once, so that the order of the writes does not show."""
    values, _, x, _ = _data(torch, device, elements)
    order = np.random.default_rng(2).permutation(elements)
    index, target = tensor(torch, device, order), torch.zeros(elements, device=device)
    expected = np.empty_like(values)
    expected[order] = values

    def work() -> Any:
        target[index] = x
        return target

    return Task(work, gives(expected), bytes=16 * elements)


FAMILIES = (
    Family("indexing.advanced", _advanced, "indexing.advanced", {"elements": _SIZES}),
    Family("indexing.gather", _gather, "indexing.gather.value", {"elements": _SIZES}),
    Family("indexing.rows", _rows, "indexing.index_select.value", {"elements": _SIZES}),
    Family("indexing.masked", _masked, "indexing.masked", {"elements": _SIZES}),
    Family("indexing.write", _written, "indexing.advanced-write", {"elements": _SIZES}),
)
