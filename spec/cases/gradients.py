"""What gradients are tried on: operations that move elements, modes, and exact differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tenet.spec.model.dtypes import FORMATS

Array = np.ndarray
Act = Callable[..., Any]

TRACES: dict[str, tuple[Act, str]] = {
    "a + b": (lambda torch, a, b: a + b, "Add"),
    "torch.add(a, b)b": (lambda torch, a, b: torch.add(a, b), "Add"),
    "a + 1": (lambda torch, a, b: a + 1, "Add"),
    "mul b": (lambda torch, a, b: a * b, "Mul"),
    "torch.mul b": (lambda torch, a, b: torch.mul(a, b), "Mul"),
    "2 * a": (lambda torch, a, b: 2 * a, "Mul"),
    "mean": (lambda torch, a, b: a.mean(), "Mean"),
    "torch.mean": (lambda torch, a, b: torch.mean(a), "Mean"),
    "sum": (lambda torch, a, b: a.sum(), "Sum"),
    "sub b": (lambda torch, a, b: a - b, "Sub"),
    "div b": (lambda torch, a, b: a / b, "Div"),
    "pow": (lambda torch, a, b: a**2, "Pow"),
    "neg": (lambda torch, a, b: -a, "Neg"),
    "exp": (lambda torch, a, b: torch.exp(a), "Exp"),
    "reshape": (lambda torch, a, b: a.view(-1), "View"),
}
"""Operations, and the word by which grad_fn names each; a name ending in b uses both operands."""


def _rows(length: int) -> list[int]:
    """Indices of a dimension with repetitions, from either end."""
    return [0, length - 1, 0, -1, length // 2]


def _where_even(n: int) -> list[bool]:
    return [i % 2 == 0 for i in range(n)]


def _tensor(torch: Any, like: Any, data: Any) -> Any:
    return torch.tensor(data, device=like.device)


def _gathered(length: int, shape: tuple[int, ...]) -> Array:
    return np.arange(int(np.prod(shape))).reshape(shape) * 3 % max(length, 1)


ROUTES: dict[str, tuple[Act, Callable[[Array], Array]]] = {
    "x[0]": (lambda torch, x: x[0], lambda x: x[0]),
    "x[-1:]": (lambda torch, x: x[-1:], lambda x: x[-1:]),
    "x[1::2]": (lambda torch, x: x[1::2], lambda x: x[1::2]),
    "x[..., 0]": (lambda torch, x: x[..., 0], lambda x: x[..., 0]),
    "x[..., -1:]": (lambda torch, x: x[..., -1:], lambda x: x[..., -1:]),
    "x[None]": (lambda torch, x: x[None], lambda x: x[None]),
    "x[list]": (lambda torch, x: x[_rows(len(x))], lambda x: x[_rows(len(x))]),
    "x[indices]": (
        lambda torch, x: x[_tensor(torch, x, _rows(len(x)))],
        lambda x: x[_rows(len(x))],
    ),
    "x[..., indices]": (
        lambda torch, x: x[..., _tensor(torch, x, _rows(x.shape[-1]))],
        lambda x: x[..., _rows(x.shape[-1])],
    ),
    "x[mask]": (
        lambda torch, x: x[_tensor(torch, x, _where_even(len(x)))],
        lambda x: x[np.array(_where_even(len(x)))],
    ),
    "masked_select": (
        lambda torch, x: x.masked_select(_tensor(torch, x, _where_even(x.shape[-1]))),
        lambda x: x[np.broadcast_to(_where_even(x.shape[-1]), x.shape)],
    ),
    "index_select": (
        lambda torch, x: torch.index_select(x, -1, _tensor(torch, x, [0, 0, x.shape[-1] - 1])),
        lambda x: x[..., [0, 0, -1]],
    ),
    "gather": (
        lambda torch, x: torch.gather(
            x, -1, _tensor(torch, x, _gathered(x.shape[-1], tuple(x.shape)))
        ),
        lambda x: np.take_along_axis(x, _gathered(x.shape[-1], x.shape), -1),
    ),
    "gather first": (
        lambda torch, x: x.gather(0, _tensor(torch, x, _gathered(x.shape[0], tuple(x.shape)))),
        lambda x: np.take_along_axis(x, _gathered(x.shape[0], x.shape), 0),
    ),
    "take": (
        lambda torch, x: torch.take(x, _tensor(torch, x, _rows(x.numel()))),
        lambda x: x.ravel()[_rows(x.size)],
    ),
    "cat": (lambda torch, x: torch.cat((x, x[:1], x)), lambda x: np.concatenate((x, x[:1], x))),
    "cat last": (
        lambda torch, x: torch.cat([x[..., 1:], x], dim=-1),
        lambda x: np.concatenate([x[..., 1:], x], -1),
    ),
    "cat of one": (lambda torch, x: torch.cat([x]), lambda x: x),
    "cat of three last": (
        lambda torch, x: torch.cat((x, x[..., :1], x), -1),
        lambda x: np.concatenate((x, x[..., :1], x), -1),
    ),
    "cat beside nothing": (
        lambda torch, x: torch.cat([x[:0], x, x[:0]]),
        lambda x: x,
    ),
    "concatenate": (
        lambda torch, x: torch.concatenate((x[:1], x), axis=0),
        lambda x: np.concatenate((x[:1], x)),
    ),
    "stack": (lambda torch, x: torch.stack((x, x)), lambda x: np.stack((x, x))),
    "stack of one": (lambda torch, x: torch.stack([x]), lambda x: x[None]),
    "stack of three inside": (
        lambda torch, x: torch.stack((x, x, x), 1),
        lambda x: np.stack((x, x, x), 1),
    ),
    "hstack": (lambda torch, x: torch.hstack((x, x)), lambda x: np.hstack((x, x))),
    "vstack": (lambda torch, x: torch.vstack((x, x, x)), lambda x: np.vstack((x, x, x))),
    "stack last": (lambda torch, x: torch.stack([x, x], dim=-1), lambda x: np.stack([x, x], -1)),
    "permute": (
        lambda torch, x: x.permute(*range(1, x.dim()), 0),
        lambda x: x.transpose(*range(1, x.ndim), 0),
    ),
    "transpose": (
        lambda torch, x: torch.transpose(x, 0, -1),
        lambda x: np.swapaxes(x, 0, -1),
    ),
    "expand": (
        lambda torch, x: x.unsqueeze(0).expand(3, *x.shape),
        lambda x: np.broadcast_to(x, (3, *x.shape)),
    ),
    "expand inside": (
        lambda torch, x: x.unsqueeze(-1).expand(*x.shape, 2),
        lambda x: np.broadcast_to(x[..., None], (*x.shape, 2)),
    ),
    "expand -1": (
        lambda torch, x: x[None].expand(2, *[-1] * x.dim()),
        lambda x: np.broadcast_to(x, (2, *x.shape)),
    ),
    "broadcast_to": (
        lambda torch, x: torch.broadcast_to(x[..., :1], (2, *x.shape)),
        lambda x: np.broadcast_to(x[..., :1], (2, *x.shape)),
    ),
    "expand_as": (
        lambda torch, x: x[:1].expand_as(x),
        lambda x: np.broadcast_to(x[:1], x.shape),
    ),
    "repeat": (
        lambda torch, x: x.repeat(2, *[1] * x.dim()),
        lambda x: np.tile(x, (2, *[1] * x.ndim)),
    ),
    "flip": (lambda torch, x: torch.flip(x, (0, -1)[: min(x.dim(), 2)]),
             lambda x: np.flip(x, (0, -1)[: min(x.ndim, 2)])),
    "roll": (lambda torch, x: torch.roll(x, 2, 0), lambda x: np.roll(x, 2, 0)),
    "reshape": (lambda torch, x: x.reshape(-1), lambda x: x.reshape(-1)),
    "flatten": (lambda torch, x: torch.flatten(x), lambda x: x.ravel()),
    "squeeze": (lambda torch, x: x[:1].squeeze(0), lambda x: x[0]),
    "movedim": (lambda torch, x: torch.movedim(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)),
    "narrow": (lambda torch, x: x.narrow(0, 0, 1), lambda x: x[:1]),
    "narrow last": (lambda torch, x: torch.narrow(x, -1, -1, 1), lambda x: x[..., -1:]),
    "select": (lambda torch, x: x.select(-1, -1), lambda x: x[..., -1]),
    "select first": (lambda torch, x: torch.select(x, -x.dim(), 0), lambda x: x[0]),
    "unsqueeze": (lambda torch, x: torch.unsqueeze(x, -2), lambda x: np.expand_dims(x, -2)),
    "unflatten": (lambda torch, x: x.unflatten(-1, (1, -1)), lambda x: np.expand_dims(x, -2)),
    "ravel": (lambda torch, x: x.transpose(0, -1).ravel(),
              lambda x: np.swapaxes(x, 0, -1).ravel()),
    "repeat_interleave": (
        lambda torch, x: x.repeat_interleave(3, -1),
        lambda x: np.repeat(x, 3, -1),
    ),
    "take_along_dim": (
        lambda torch, x: torch.take_along_dim(
            x, _tensor(torch, x, _gathered(x.shape[0], tuple(x.shape))), 0
        ),
        lambda x: np.take_along_axis(x, _gathered(x.shape[0], x.shape), 0),
    ),
    "index_select first": (
        lambda torch, x: x.index_select(0, _tensor(torch, x, [len(x) - 1, 0, 0, 0])),
        lambda x: x[[-1, 0, 0, 0]],
    ),
    "split": (lambda torch, x: torch.split(x, 2)[-1], lambda x: x[(len(x) - 1) // 2 * 2 :]),
    "chunk": (
        lambda torch, x: torch.chunk(x, 2)[0],
        lambda x: x[: (len(x) + 1) // 2],
    ),
    "unbind": (lambda torch, x: torch.unbind(x)[-1], lambda x: x[-1]),
    "diagonal": (
        lambda torch, x: x[None].diagonal(0, 0, -1),
        lambda x: np.diagonal(x[None], 0, 0, -1),
    ),
    "contiguous": (
        lambda torch, x: x.transpose(0, -1).contiguous(),
        lambda x: np.swapaxes(x, 0, -1),
    ),
    "unfold": (
        lambda torch, x: x.unfold(0, 1, 1),
        lambda x: np.expand_dims(x, -1),
    ),
    "as_strided": (
        lambda torch, x: x.reshape(-1).contiguous().as_strided((x.numel() // 2, 2), (1, 1)),
        lambda x: np.stack([x.ravel()[n : n + x.size // 2] for n in (0, 1)], -1)
        if x.size > 1 else np.zeros((0, 2), x.dtype),
    ),
    "clone": (lambda torch, x: x.clone(), lambda x: x),
    "clone in order": (
        lambda torch, x: x.transpose(0, -1).clone(memory_format=torch.contiguous_format),
        lambda x: np.swapaxes(x, 0, -1),
    ),
    "clone as it lies": (
        lambda torch, x: torch.clone(x.transpose(0, -1), memory_format=torch.preserve_format),
        lambda x: np.swapaxes(x, 0, -1),
    ),
    "iterate": (lambda torch, x: torch.cat([row.reshape(-1) for row in [*x][:3]]),
                lambda x: x[:3].ravel()),
}  # fmt: skip
"""Operations that move elements and compute nothing, in both libraries."""


MODES: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "no_grad": (lambda torch: torch.no_grad(), False),
    "enable_grad": (lambda torch: torch.enable_grad(), True),
    "off": (lambda torch: torch.set_grad_enabled(False), False),
    "on": (lambda torch: torch.set_grad_enabled(True), True),
}
"""Ways to switch recording off and on, and whether they record."""


def differences(function: Callable[[Array], Array], at: Array) -> Array:
    """The Jacobian of a function of degree two at most: central differences of step 1 are exact.

    at: a vector; the result has the function's shape and then the vector's length.
    """
    columns = []
    for unit in np.eye(at.size):
        columns.append((function(at + unit) - function(at - unit)) / 2)
    return np.stack(columns, -1)


def doubled(array: Array, limit: float) -> tuple[Array, float]:
    """The array doubled once, and again until its norm reaches the limit; and the factor."""
    factor = 2.0
    while np.sqrt(np.sum((array * factor) ** 2)) < limit:
        factor *= 2
    return array * factor, factor


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Summed over the dimensions that broadcasting added to the shape or stretched in it."""
    total = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and total.shape[i] != 1)
    return np.asarray(total.sum(stretched, keepdims=True))


_PARTS = {"complex64": "float32", "complex128": "float64"}


def exact_in(dtype: str, magnitudes: Array) -> bool:
    """Whether sums of integers of these total magnitudes are exact in the dtype, in any order."""
    return bool(np.max(magnitudes, initial=0) <= 2 / FORMATS[_PARTS.get(dtype, dtype)].eps / 2)


@contextmanager
def kept(torch: Any) -> Iterator[list[Any]]:
    """The tensors that are saved for backward while the block runs."""
    saved: list[Any] = []

    def pack(tensor: Any) -> Any:
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved
