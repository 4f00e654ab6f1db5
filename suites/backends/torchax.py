"""torchax: PyTorch's tensors computed by JAX, on the device `jax`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from tenet.harness.backend import Backend


@contextmanager
def _missing_overloads_excused(torch: Any) -> Iterator[None]:
    """torchax lists overloads by name (`aten.prod.dim_Dimname`) when it is loaded; PyTorch 2.13
    has no named dimensions any more, and refuses. A stand-in that no call is ever equal to takes
    their places in those lists."""
    packet = torch._ops.OpOverloadPacket
    found = packet.__getattr__

    def lenient(self: Any, name: str) -> Any:
        try:
            return found(self, name)
        except AttributeError:
            if name.startswith("_"):
                raise
            return object()

    packet.__getattr__ = lenient
    try:
        yield
    finally:
        packet.__getattr__ = found


@cache
def _namespace() -> Any:
    torch = import_module("torch")
    with _missing_overloads_excused(torch):
        torchax = import_module("torchax")
        torchax.default_env()
    # Without it float64 and int64 are silently computed as float32 and int32; this is torchax's
    # own switch for exact dtypes and the full precision of matrix products.
    torchax.enable_accuracy_mode()
    torchax.enable_globally()
    return torch


backend = Backend(
    name="torchax",
    device="jax",
    namespace=_namespace,
    package="torchax",
    # Every operation is compiled for every shape and dtype that it meets first.
    cost=125,
    lacks={
        "views": "JAX's arrays have no strides and no address",
        "overlap-check": "JAX's arrays never overlap in memory",
        "index-check": "JAX clamps an index out of range on purpose",
        "out": "most of its operators take no out=",
        "sparse": "torchax has no sparse tensors",
    },
)
