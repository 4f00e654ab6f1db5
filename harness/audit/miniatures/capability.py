"""Backends that claim what they do not have."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature
from tenet.spec.model.dtypes import ALL


def _refuse(right: Any, *arguments: Any, **options: Any) -> Any:
    raise NotImplementedError("not on this device")


def _copy(right: Any, *arguments: Any, **options: Any) -> Any:
    return right(*arguments, **options).clone()


def _array_copy(right: Any, *arguments: Any, **options: Any) -> Any:
    return right(*arguments, **options).copy()


def _elsewhere(right: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    return right(x.clone(), *arguments, **options)


def _out_unwritten(right: Any, *arguments: Any, out: Any = None, **options: Any) -> Any:
    return right(*arguments, **options) if out is None else out


def _without_graph(right: Any, *arguments: Any, **options: Any) -> Any:
    return tuple(each.detach() for each in right(*arguments, **options))


def _overlapping_too(right: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    return x if 0 in x.stride() else right(x, *arguments, **options)


def _clamped(right: Any, x: Any, index: Any) -> Any:
    return right(x, index.clamp(max=len(x) - 1) if isinstance(index, torch.Tensor) else index)


def _without(name: str) -> Any:
    """Joining tensors of the dtype does nothing."""

    def wrong(right: Any, tensors: Any, *arguments: Any, **options: Any) -> Any:
        if tensors[0].dtype is getattr(torch, name):
            return tensors[0]
        return right(tensors, *arguments, **options)

    return wrong


MINIATURES = [
    Miniature("elements cannot be read", ("Tensor.item",), _refuse, "capability.values"),
    Miniature("from_numpy copies", ("from_numpy",), _copy, "capability.numpy"),
    Miniature("numpy() copies", ("Tensor.numpy",), _array_copy, "capability.numpy"),
    Miniature("t copies", ("Tensor.t",), _copy, "capability.views"),
    Miniature("no offset is kept", ("Tensor.storage_offset",), lambda right, x: 0,
              "capability.views"),
    Miniature("add_ adds elsewhere", ("Tensor.add_",), _elsewhere, "capability.in-place"),
    Miniature("a gradient has no graph", ("autograd.grad",), _without_graph,
              "capability.double-backward"),
    Miniature("out= is not written", ("add",), _out_unwritten, "capability.out"),
    Miniature("backward does nothing", ("Tensor.backward",), lambda right, x: None,
              "capability.autograd"),
    Miniature("the default dtype is fixed", ("set_default_dtype",), lambda right, dtype: None,
              "capability.default-dtype"),
    Miniature("a write into overlapping elements is ignored", ("Tensor.add_",), _overlapping_too,
              "capability.overlap-check"),
    Miniature("an index out of range is clamped", ("Tensor.__getitem__",), _clamped,
              "capability.index-check"),
    Miniature("to_sparse stays dense", ("Tensor.to_sparse",), lambda right, x: x,
              "capability.sparse"),
    Miniature("products of integer matrices are refused", ("Tensor.__matmul__",), _refuse,
              "capability.integer-matmul"),
    Miniature("storages have no size", ("UntypedStorage.nbytes",), lambda right, x: 0,
              "capability.allocation-count"),
    Miniature("nothing can be compiled", ("compile",), _refuse, "capability.compile"),
    Miniature("a transform keeps its input", ("fft.fft",), lambda right, x: x, "capability.fft"),
    *(Miniature(f"{name} cannot be joined", ("cat",), _without(name), f"capability.{name}")
      for name in ALL),
]  # fmt: skip
