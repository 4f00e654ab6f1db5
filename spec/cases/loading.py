"""Data sets for a loader.

They are classes of a module, so that a worker that does not fork can import them, and those that
make tensors hold the name of the namespace, since a module cannot be sent to a worker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from tenet.spec.cases.operands import tensor_of
from tenet.spec.language.reading import home
from tenet.spec.model.dtypes import numpy_dtype


class Numbers:
    """A data set of the least kind: sample i is the number i."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return index


class Endless:
    """Sample i is the number i, and nobody knows how many there are."""

    def __getitem__(self, index: int) -> int:
        return index


class Slow(Numbers):
    """The first sample takes longest, so whoever does not wait for it comes in first."""

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.01 if index == 0 else 0)
        return super().__getitem__(index)


class Faulty(Numbers):
    """One sample cannot be had."""

    def __init__(self, count: int, bad: int, error: type[Exception]) -> None:
        super().__init__(count)
        self.bad, self.error = bad, error

    def __getitem__(self, index: int) -> Any:
        if index == self.bad:
            raise self.error("this sample cannot be had")
        return super().__getitem__(index)


class Deadly(Numbers):
    """A worker that reads sample 1 ends at once, by a status or (negative) a signal."""

    def __init__(self, count: int, status: int) -> None:
        super().__init__(count)
        self.parent, self.status = os.getpid(), status

    def __getitem__(self, index: int) -> Any:
        if index == 1 and os.getpid() != self.parent:
            if self.status < 0:
                os.kill(os.getpid(), -self.status)
            os._exit(self.status)
        return super().__getitem__(index)


class SampleError(Exception):
    """An error that no library knows."""


class Tensors(Numbers):
    """Sample i holds tensors of several shapes and layouts, made where it is asked for."""

    def __init__(self, count: int, namespace: str, dtypes: tuple[str, ...]) -> None:
        super().__init__(count)
        self.namespace, self.dtypes = namespace, dtypes

    def _whole(self, index: int, dtype: str) -> np.ndarray:
        return (np.arange(12).reshape(3, 4) * (index + 1) % 100).astype(numpy_dtype(dtype))

    def __getitem__(self, index: int) -> Any:
        torch = import_module(self.namespace)
        sample: dict[str, Any] = {"name": f"sample {super().__getitem__(index)}", "number": index}
        for dtype in self.dtypes:
            whole = tensor_of(torch, "cpu", self._whole(index, dtype))
            sample[dtype] = whole.t(), whole[1, 2], whole[:0], whole[:, ::2]
        return sample

    def expected(self, index: int, dtype: str) -> list[np.ndarray]:
        """The tensors of one dtype in sample `index`."""
        whole = self._whole(index, dtype)
        return [whole.T, np.asarray(whole[1, 2]), whole[:0], whole[:, ::2]]


class Witness(Numbers):
    """Sample i tells which worker reads it, and what that worker knows and draws."""

    def __init__(self, count: int, namespace: str) -> None:
        super().__init__(count)
        self.namespace = namespace
        self.started: list[int] = []

    def __getitem__(self, index: int) -> Any:
        torch = import_module(self.namespace)
        info = torch.utils.data.get_worker_info()
        own = info is not None and info.dataset is self
        draw = int(torch.randint(2**62, (1,)).item())
        told = None if info is None else (info.id, info.num_workers, info.seed, own)
        return index, told, torch.initial_seed(), draw, tuple(self.started), os.getpid()


class Init:
    """A worker_init_fn that leaves its mark on the worker's copy of the data set."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def __call__(self, worker: int) -> None:
        torch = import_module(self.namespace)
        torch.utils.data.get_worker_info().dataset.started.append(worker)


def keep(samples: list[Any]) -> list[Any]:
    """A collate_fn that leaves the samples alone."""
    return samples


def unfit(samples: list[Any]) -> Any:
    """A collate_fn that fails at the first batch in which there is a 2."""
    if 2 in samples:
        raise SampleError("these samples make no batch")
    return samples


def failing_stream(torch: Any, count: int, error: type[Exception]) -> Any:
    """An IterableDataset that gives the numbers below `count` and then raises."""
    namespace = import_module(torch) if isinstance(torch, str) else torch

    def numbers(self: Any) -> Iterator[int]:
        yield from range(count)
        raise error("the stream broke off")

    content: dict[str, Any] = {
        "__iter__": numbers,
        "__reduce__": lambda self: (failing_stream, (home(namespace), count, error)),
    }
    return type("Failing", (namespace.utils.data.IterableDataset,), content)()


def stream(torch: Any, count: int, shared: bool = True, sized: bool = False) -> Any:
    """An IterableDataset of the numbers below `count`; shared: a worker takes its share only.

    `torch` is the namespace, or its name where a worker builds its copy.
    """
    namespace = import_module(torch) if isinstance(torch, str) else torch

    def numbers(self: Any) -> Iterator[int]:
        worker = namespace.utils.data.get_worker_info()
        if shared and worker is not None:
            return iter(range(worker.id, count, worker.num_workers))
        return iter(range(count))

    content: dict[str, Any] = {
        "__iter__": numbers,
        "__reduce__": lambda self: (stream, (home(namespace), count, shared, sized)),
    }
    if sized:
        content["__len__"] = lambda self: count
    return type("Stream", (namespace.utils.data.IterableDataset,), content)()


def subclass(torch: Any, count: int, **more: Any) -> Any:
    """The numbers below `count`, as a data set that is declared as the documents do it."""
    content = {
        "__len__": lambda self: count,
        "__getitem__": lambda self, index: Numbers(count)[index],
        **more,
    }
    return type("Own", (torch.utils.data.Dataset,), content)()


class Pairs(Numbers):
    """Sample i is row i of the images, with a label."""

    def __init__(self, images: Any, labels: list[int]) -> None:
        super().__init__(len(labels))
        self.images, self.labels = images, labels

    def __getitem__(self, index: int) -> Any:
        return self.images[super().__getitem__(index)], self.labels[index]


class PairsAtOnce(Pairs):
    """The same, and several samples can be asked for at once."""

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [self[index] for index in indices]


SOURCES: dict[str, Callable[[Any, str, Any, list[int]], Any]] = {
    # Data sets of images, a tensor, with labels.
    "own class": lambda torch, device, images, labels: Pairs(images, labels),
    "TensorDataset": lambda torch, device, images, labels: torch.utils.data.TensorDataset(
        images, torch.tensor(labels, dtype=torch.int64, device=device)
    ),
    "subclass": lambda torch, device, images, labels: subclass(
        torch, len(labels), __getitem__=lambda self, i: (images[i], labels[i])
    ),
    "with __getitems__": lambda torch, device, images, labels: PairsAtOnce(images, labels),
    "list": lambda torch, device, images, labels: list(zip(images, labels, strict=True)),
    "Subset": lambda torch, device, images, labels: torch.utils.data.Subset(
        Pairs(images, labels), range(len(labels))
    ),
}
