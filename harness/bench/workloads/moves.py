"""Between memories: NumPy's, the processor's, a device's, and the disk's."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tenet.harness.bench.oracle import PERIOD, gives, pattern, require, tensor
from tenet.harness.bench.workload import Family, Task

_SIZES = (1_000, 1_000_000)
_BRIDGE = frozenset({"numpy"})


def _from_numpy(torch: Any, device: str, elements: int) -> Task:
    array = np.tile(pattern(), elements // PERIOD)
    same = gives(array)

    def check(got: Any) -> None:
        require(got.data_ptr() == array.ctypes.data, "memory of its own")
        same(got)

    return Task(lambda: torch.from_numpy(array), check)


def _to_numpy(torch: Any, device: str, elements: int) -> Task:
    array = np.tile(pattern(), elements // PERIOD)
    x = tensor(torch, device, pattern(), times=elements // PERIOD)

    def check(got: Any) -> None:
        require(got.ctypes.data == x.data_ptr(), "memory of its own")
        require(np.array_equal(got, array), "other elements")

    return Task(x.numpy, check)


def _copied(torch: Any, device: str, elements: int) -> Task:
    array = np.tile(pattern(), elements // PERIOD)
    return Task(partial(torch.tensor, array), gives(array), bytes=8 * elements)


def _clone(torch: Any, device: str, elements: int) -> Task:
    x = tensor(torch, device, pattern(), times=elements // PERIOD)
    return Task(x.clone, gives(pattern()), bytes=8 * elements)


def _to(torch: Any, device: str, elements: int, *, out: bool) -> Task:
    """From the processor's memory to the device's, or out of it."""
    here, there = (device, "cpu") if out else ("cpu", device)
    x = tensor(torch, here, pattern(), times=elements // PERIOD)
    kind = torch.device(there).type
    same = gives(pattern())

    def check(got: Any) -> None:
        require(got.device.type == kind, f"a tensor on {got.device}")
        require(got.data_ptr() != x.data_ptr(), "the memory of the source")
        same(got)

    return Task(lambda: x.to(there, copy=True), check, bytes=8 * elements)


def _save(torch: Any, device: str, elements: int) -> Task:
    folder = TemporaryDirectory(prefix="tenet-bench-")
    x = tensor(torch, device, pattern(), times=elements // PERIOD)
    same = gives(pattern())

    def work() -> Any:
        path = Path(folder.name) / "x.pt"
        torch.save(x, path)
        return path

    return Task(
        work,
        lambda path: same(torch.load(path, map_location=device, weights_only=True)),
        bytes=8 * elements,
    )


def _load(torch: Any, device: str, elements: int) -> Task:
    saved = io.BytesIO()
    torch.save(tensor(torch, device, pattern(), times=elements // PERIOD), saved)

    def work() -> Any:
        saved.seek(0)
        return torch.load(saved, map_location=device, weights_only=True)

    return Task(work, gives(pattern()), bytes=8 * elements)


FAMILIES = (
    Family("bridge.from-numpy", _from_numpy, "numpy.from-numpy", {"elements": _SIZES},
           requires=_BRIDGE, where="cpu"),
    Family("bridge.to-numpy", _to_numpy, "numpy.numpy", {"elements": _SIZES},
           requires=_BRIDGE, where="cpu"),
    Family("bridge.copied", _copied, "numpy.copies", {"elements": _SIZES},
           requires=_BRIDGE, where="cpu"),
    Family("copies.clone", _clone, "view.copies", {"elements": _SIZES}),
    Family("copies.to-device", partial(_to, out=False), "device.copy", {"elements": _SIZES},
           clock="wall"),
    Family("copies.from-device", partial(_to, out=True), "device.copy", {"elements": _SIZES},
           clock="wall"),
    Family("files.save", _save, "serialization.round-trip", {"elements": _SIZES}, clock="wall"),
    Family("files.load", _load, "serialization.round-trip", {"elements": _SIZES}, clock="wall"),
)  # fmt: skip
