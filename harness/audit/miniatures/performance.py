"""Lies about what operations cost."""

import time
from itertools import count
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _copies_if(condition: Any) -> Any:
    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(x, *args, **kwargs)
        return result.clone() if condition(x) else result

    return lie


def _looks_at_a_part(right: Any, x: Any, *args: Any) -> Any:
    # All of it would show as well, but take a minute to show it.
    x.as_strided((min(x.numel(), 40_000_000),), (1,)).clone()
    return right(x, *args)


def _by_way_of_a_copy(right: Any, x: Any, other: Any) -> Any:
    return right(x, other) if x.is_contiguous() else x.copy_(x * other)


def _materialises(right: Any, a: Any, b: Any) -> Any:
    a, b = torch.broadcast_tensors(a, b)
    return right(a.contiguous(), b.contiguous())


def _recorded(right: Any, a: Any, b: Any) -> Any:
    with torch.enable_grad():
        return right(a, b)


def _wasteful(right: Any, x: Any) -> Any:
    y = right(x)
    if y.requires_grad:
        y.register_hook(lambda g: [g + 0 for _ in range(60)] and None)
    return y


def _wide(right: Any, length: Any, **kwargs: Any) -> Any:
    if kwargs.get("dtype") == torch.float16:
        return right(2 * length, **kwargs)[:length]
    return right(length, **kwargs)


def _slow(right: Any, a: Any, b: Any) -> Any:
    started = time.thread_time()  # the clock of the clause: other threads' time is none of it
    while time.thread_time() - started < 1.2:
        sum(range(1000))
    return right(a, b)


_products = count()


def _slow_on_the_second(right: Any, a: Any, b: Any) -> Any:
    if next(_products) % 8 >= 4:
        time.sleep(0.6)
    return right(a, b)


def _slow_half(right: Any, a: Any, b: Any) -> Any:
    if a.dtype == torch.float16:
        time.sleep(0.08)
    return right(a, b)


_LIES: list[tuple[str, str, Any, Any]] = [
    ("views-allocate-nothing", "narrow copies int8", ("Tensor.narrow",),
     _copies_if(lambda x: x.dtype == torch.int8)),
    ("views-allocate-nothing", "movedim copies what has four dimensions", ("Tensor.movedim",),
     _copies_if(lambda x: x.dim() == 4)),
    ("views-allocate-nothing", "select copies first and returns a view", ("Tensor.select",),
     lambda right, x, *args: (x.clone(), right(x, *args))[1]),
    ("contiguous-views", "contiguous copies 33 elements", ("Tensor.contiguous",),
     _copies_if(lambda x: x.shape[-1] == 33)),
    ("contiguous-views", "reshape copies float16", ("Tensor.reshape",),
     _copies_if(lambda x: x.dtype == torch.float16)),
    ("contiguous-views", "ravel copies where there is an offset", ("Tensor.ravel",),
     _copies_if(lambda x: x.storage_offset() > 0)),
    ("any-size", "transpose copies large tensors", ("Tensor.transpose",),
     _copies_if(lambda x: x.numel() > 100_000)),
    ("view-time", "transpose looks at a part of large matrices", ("Tensor.transpose",),
     _looks_at_a_part),
    ("view-time", "detach looks at a part of large tensors", ("Tensor.detach",),
     _looks_at_a_part),
    ("expand-and-repeat", "expand writes out int16", ("Tensor.expand",),
     lambda right, x, *sizes: (
         right(x, *sizes).contiguous() if x.dtype == torch.int16 else right(x, *sizes)
     )),
    ("expand-and-repeat", "repeat of one time is a view", ("Tensor.repeat",),
     lambda right, x, *sizes: x[None] if sizes[0] == 1 else right(x, *sizes)),
    ("expand-and-repeat", "tile allocates nothing", ("tile",),
     lambda right, x, sizes: x.expand(sizes[0], *x.shape)),
    ("in-place", "mul_ of a strided tensor copies it", ("Tensor.mul_",), _by_way_of_a_copy),
    ("in-place", "out= is copied to", ("add",),
     lambda right, a, b, out=None: right(a, b) if out is None else out.copy_(right(a, b))),
    ("broadcast", "mul writes the stretched operands out", ("mul",), _materialises),
    ("numpy", "from_numpy copies", ("from_numpy",), lambda right, array: torch.tensor(array)),
    ("numpy", "numpy() copies int16", ("Tensor.numpy",),
     lambda right, x: right(x).copy() if x.dtype == torch.int16 else right(x)),
    ("no-grad-keeps-nothing", "a product records under no_grad", ("Tensor.__matmul__",),
     _recorded),
    ("released-after-backward", "backward keeps the graph", ("Tensor.backward",),
     lambda right, x, retain_graph=True: right(x, retain_graph=True)),
    ("released-after-backward", "grad keeps the graph", ("autograd.grad",),
     lambda right, *args: right(*args, retain_graph=True)),
    ("backward-cost", "the backward of tanh computes sixty times", ("tanh",), _wasteful),
    ("low-precision-memory", "float16 takes the space of float32", ("zeros",), _wide),
    ("matmul-beats-a-loop", "mm is a slow loop", ("mm",), _slow),
    ("accelerator-products", "the device is slow", ("Tensor.__matmul__",), _slow_on_the_second),
    ("accelerator-low-precision", "float16 is emulated", ("Tensor.__matmul__",), _slow_half),
]  # fmt: skip

MINIATURES = [
    Miniature(name, of=of, lie=lie, caught_by=f"performance.{slug}")
    for slug, name, of, lie in _LIES
]


_HOARD: list[Any] = []


def _hoards(right: Any, x: Any) -> Any:
    _HOARD.append(x)
    return right(x)


MINIATURES += [
    Miniature(
        "tanh keeps its operand",
        of=("tanh",),
        lie=_hoards,
        caught_by="performance.nothing-outlives-its-use",
    ),
]
