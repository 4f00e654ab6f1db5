"""Paddle's own tensors behind PyTorch's names, as `paddle.enable_compat()` gives them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from tenet.harness.backend import Backend


@cache
def _namespace() -> Any:
    """What `import torch` gives under Paddle's proxy, by Paddle's name.

    The proxy calls its modules `torch`, `torch.nn`, ...; `torch` is left to PyTorch here, so that
    nobody takes the one for the other.
    """
    paddle = import_module("paddle")
    with paddle.compat.use_torch_proxy_guard(silent=True):
        torch = import_module("torch")
        for name in ("nn.functional", "nn.init", "optimizer", "autograd", "linalg"):
            import_module(f"torch.{name}")
        _rename(torch, "paddle", set())
    return torch


def _rename(module: ModuleType, name: str, seen: set[int]) -> None:
    seen.add(id(module))
    module.__name__ = name
    for part, value in list(vars(module).items()):
        proxy = isinstance(value, ModuleType) and value.__name__.startswith("torch.")
        if proxy and id(value) not in seen:
            _rename(value, f"{name}.{part}", seen)


backend = Backend(
    name="paddle",
    namespace=_namespace,
    lacks={
        "accelerator": "it computes on the CPU",
        "numpy": "from_numpy() copies the array",
        "views": "its tensors have no storage_offset()",
        "float16": "hardly any of its CPU kernels takes it; not even add()",
        "bfloat16": "hardly any of its CPU kernels takes it; not even add()",
        "out": "add(x, y, out=z) returns another tensor than z",
        "overlap-check": "it writes into tensors that overlap in memory",
        "index-check": "an index tensor out of range reads the memory beyond the tensor",
        "sparse": "its sparse tensors have an interface of their own",
        "allocation-count": "it has no dispatch modes",
        "compile": "it has a compiler of its own",
    },
)
