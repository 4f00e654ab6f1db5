"""Views: new shapes for the memory that is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tenet.harness.bench.oracle import require
from tenet.harness.bench.workload import Family, Task

_VIEWS: dict[str, tuple[Callable[[Any], Any], str, Callable[[int], tuple[Any, Any]]]] = {
    # How; the clause; shape and strides of what comes out of a matrix of n rows of 10 elements.
    "transpose": (lambda x: x.t(), "view.rearranged", lambda n: ((10, n), (1, 10))),
    "reshape": (lambda x: x.reshape(10, -1), "view.reshaped", lambda n: ((10, n), (n, 1))),
    "slice": (lambda x: x[1::2, 3:], "view.cut", lambda n: ((n // 2, 7), (20, 1))),
    "select": (lambda x: x[1], "view.indexed", lambda n: ((10,), (1,))),
    "expand": (lambda x: x.unsqueeze(0).expand(7, -1, -1), "view.expand",
               lambda n: ((7, n, 10), (0, 10, 1))),
}  # fmt: skip


def _view(torch: Any, device: str, elements: int, *, how: str) -> Task:
    act, _, metadata = _VIEWS[how]
    x = torch.zeros(elements // 10, 10, device=device)
    shape, strides = metadata(elements // 10)

    def check(got: Any) -> None:
        require(tuple(got.shape) == shape, f"shape {tuple(got.shape)}, not {shape}")
        require(tuple(got.stride()) == strides, f"strides {tuple(got.stride())}, not {strides}")
        shared = got.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        require(shared, "memory of its own")

    return Task(lambda: act(x), check)


FAMILIES = tuple(
    Family(f"view.{how}", partial(_view, how=how), clause, {"elements": (1_000, 10_000_000)},
           requires=frozenset({"views"}))
    for how, (_, clause, _) in _VIEWS.items()
)  # fmt: skip
