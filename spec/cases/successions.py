"""Calls that follow each other on one tensor, and changes that come between them.

What a backend keeps from one call for the next (a compiled kernel, a packed operand, a buffer, a
result) has to be told apart by everything that the next depends on. Each family here holds calls
that differ in an argument, its type, or the order of the operand in memory, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import setitem
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.model import layers

Array = np.ndarray


class Say(NamedTuple):
    """One call. call: of the namespace and a tensor; gives: of its elements, as int64 or float64;
    dtype: the result's, where it is another than of the same arithmetic on the tensor."""

    call: Callable[[Any, Any], Any]
    gives: Callable[[Array], Any]
    dtype: str = ""


def _read(torch: Any, x: Any, elements: Any) -> Any:
    return torch.tensor(elements, dtype=x.dtype, device=x.device)


def _places(torch: Any, x: Any, first: int) -> Any:
    return torch.arange(first, first + 2, device=x.device)


OF_ANY_RANK: dict[str, tuple[Say, ...]] = {
    "alpha of add": (
        Say(lambda torch, x: torch.add(x, x), lambda a: 2 * a),
        Say(lambda torch, x: torch.add(x, x, alpha=3), lambda a: 4 * a),
        Say(lambda torch, x: x.add(x, alpha=-2), lambda a: -a),
    ),
    "alpha of sub": (
        Say(lambda torch, x: torch.sub(x.t(), x), lambda a: a.T - a),
        Say(lambda torch, x: torch.sub(x.t(), x, alpha=2), lambda a: a.T - 2 * a),
    ),
    "+ a number": (
        Say(lambda torch, x: x + 1, lambda a: a + 1),
        Say(lambda torch, x: x + 2, lambda a: a + 2),
        Say(lambda torch, x: x + 1.0, lambda a: a + 1.0),
        Say(lambda torch, x: x + True, lambda a: a + 1),
        Say(lambda torch, x: x + 0.5, lambda a: a + 0.5),
    ),
    "* a number": (
        Say(lambda torch, x: x * 1, lambda a: a),
        Say(lambda torch, x: x * 1.0, lambda a: a * 1.0),
        Say(lambda torch, x: x * True, lambda a: a),
        Say(lambda torch, x: x * -2, lambda a: -2 * a),
        Say(lambda torch, x: x.mul(0.25), lambda a: a * 0.25),
    ),
    "a number - x": (
        Say(lambda torch, x: 1 - x, lambda a: 1 - a),
        Say(lambda torch, x: 1.0 - x, lambda a: 1.0 - a),
        Say(lambda torch, x: 2 - x, lambda a: 2 - a),
    ),
    "** a number": (
        Say(lambda torch, x: x**2, lambda a: a**2),
        Say(lambda torch, x: x**2.0, lambda a: a**2.0),
        Say(lambda torch, x: x**3, lambda a: a**3),
        Say(lambda torch, x: torch.pow(x, 1), lambda a: a),
    ),
    "// and % of a number": (
        Say(lambda torch, x: x // 2, lambda a: a // 2),
        Say(lambda torch, x: x // -3, lambda a: a // -3),
        Say(lambda torch, x: x % 2, lambda a: a % 2),
        Say(lambda torch, x: x % 3, lambda a: a % 3),
    ),
    "rounding_mode": (
        Say(lambda torch, x: torch.div(x, 2), lambda a: a / 2),
        Say(lambda torch, x: torch.div(x, 2, rounding_mode="trunc"),
            lambda a: np.trunc(a / 2).astype(a.dtype)),
        Say(lambda torch, x: torch.div(x, 2, rounding_mode="floor"), lambda a: a // 2),
    ),
    "rounding_mode of tensors": (
        Say(lambda torch, x: torch.div(x, torch.full_like(x, 2)), lambda a: a / 2),
        Say(lambda torch, x: torch.div(x, torch.full_like(x, 2), rounding_mode="trunc"),
            lambda a: np.trunc(a / 2).astype(a.dtype)),
        Say(lambda torch, x: torch.div(x, torch.full_like(x, 2), rounding_mode="floor"),
            lambda a: a // 2),
    ),
    "bounds": (
        Say(lambda torch, x: x.clamp(0, 1), lambda a: a.clip(0, 1)),
        Say(lambda torch, x: x.clamp(-1, 2), lambda a: a.clip(-1, 2)),
        Say(lambda torch, x: x.clamp(min=1), lambda a: a.clip(1)),
        Say(lambda torch, x: x.clamp(max=1), lambda a: a.clip(None, 1)),
    ),
    "compared with a number": (
        Say(lambda torch, x: x > 0, lambda a: a > 0),
        Say(lambda torch, x: x > 1, lambda a: a > 1),
        Say(lambda torch, x: x >= 1, lambda a: a >= 1),
        Say(lambda torch, x: x == 1, lambda a: a == 1),
    ),
    "filled by a mask": (
        Say(lambda torch, x: x.masked_fill(x > 0, 5), lambda a: np.where(a > 0, 5, a)),
        Say(lambda torch, x: x.masked_fill(x > 0, 7), lambda a: np.where(a > 0, 7, a)),
        Say(lambda torch, x: x.masked_fill(x > 1, 7), lambda a: np.where(a > 1, 7, a)),
        Say(lambda torch, x: torch.where(x > 0, x, 3), lambda a: np.where(a > 0, a, 3)),
        Say(lambda torch, x: torch.where(x > 0, 3, x), lambda a: np.where(a > 0, 3, a)),
    ),
    "made like it": (
        Say(lambda torch, x: torch.full_like(x, 1), lambda a: np.full_like(a, 1)),
        Say(lambda torch, x: torch.full_like(x, 2), lambda a: np.full_like(a, 2)),
        Say(lambda torch, x: torch.zeros_like(x), lambda a: np.zeros_like(a)),
    ),
    "converted": (
        Say(lambda torch, x: x.to(torch.int32), lambda a: a, "int32"),
        Say(lambda torch, x: x.to(torch.bool), lambda a: a != 0),
        Say(lambda torch, x: x.int(), lambda a: a, "int32"),
        Say(lambda torch, x: x.clone(), lambda a: a),
        Say(lambda torch, x: x.clone() if x.dtype == torch.float64 else x.double(), lambda a: a,
            "float64"),
        Say(lambda torch, x: torch.zeros_like(x, dtype=torch.int32).copy_(x), lambda a: a, "int32"),
    ),
    "order in memory": (
        Say(lambda torch, x: x.neg(), lambda a: -a),
        Say(lambda torch, x: x.t().neg(), lambda a: -a.T),
        Say(lambda torch, x: torch.abs(x.t()), lambda a: abs(a.T)),
        Say(lambda torch, x: torch.abs(x), lambda a: abs(a)),
    ),
    "summed": (
        Say(lambda torch, x: x.sum(), lambda a: a.sum()),
        Say(lambda torch, x: x.sum(-1), lambda a: a.sum(-1) if a.ndim else a),
        Say(lambda torch, x: x.sum(-1, dtype=torch.int32), lambda a: a.sum(-1) if a.ndim else a,
            "int32"),
        Say(lambda torch, x: x.amax(), lambda a: a.max()),
    ),
    "read": (
        Say(lambda torch, x: _read(torch, x, x.tolist()), lambda a: a),
        Say(lambda torch, x: _read(torch, x, [row.tolist() for row in x] if x.dim() else x.item()),
            lambda a: a),
    ),
}  # fmt: skip
"""Calls whose results are whole numbers, halves or quarters, and so exact."""

_IDLE: dict[str, Callable[[Any, Any], Any]] = {
    "x + 0": lambda torch, x: x + 0,
    "x - 0": lambda torch, x: x - 0,
    "x * 1": lambda torch, x: x * 1,
    "x // 1": lambda torch, x: x // 1,
    "x ** 1": lambda torch, x: x**1,
    "pow(x, ones)": lambda torch, x: torch.pow(x, torch.ones_like(x)),
    "clamp": lambda torch, x: x.clamp(-99, 99),
    "clamp(min)": lambda torch, x: torch.clamp(x, min=-99),
    "maximum": lambda torch, x: torch.maximum(x, x),
    "nan_to_num": lambda torch, x: torch.nan_to_num(x),
    "round": lambda torch, x: x.round(),
    "floor": lambda torch, x: torch.floor(x),
    "trunc": lambda torch, x: x.trunc(),
    "sum": lambda torch, x: x[None].sum(0, dtype=x.dtype),
    "sum(keepdim)": lambda torch, x: x[None].sum(0, keepdim=True, dtype=x.dtype)[0],
    "sum of one": lambda torch, x: torch.sum(x[None], 0).to(x.dtype),
    "prod": lambda torch, x: x[..., None].prod(-1, dtype=x.dtype),
    "amax": lambda torch, x: x[None].amax(0),
    "amin": lambda torch, x: torch.amin(x[..., None], -1),
    "max": lambda torch, x: x[None].max(0).values,
    "median": lambda torch, x: x[None].median(0).values,
    "cumsum": lambda torch, x: x[None].cumsum(0, dtype=x.dtype)[0],
    "cumsum of one": lambda torch, x: torch.cumsum(x[None], 0)[0],
    "cummax": lambda torch, x: x[None].cummax(0).values[0],
    "sort": lambda torch, x: torch.sort(x[None], 0).values[0],
    "topk": lambda torch, x: x[None].topk(1, 0).values[0],
}
IDLE = {name: (Say(call, lambda a: a),) for name, call in _IDLE.items()}
"""Calls that find nothing to do, and give a new tensor all the same."""

OF_MATRICES: dict[str, tuple[Say, ...]] = {
    "which is stretched": (
        Say(lambda torch, x: x[:1] - x[:, :1], lambda a: a[:1] - a[:, :1]),
        Say(lambda torch, x: x[:, :1] - x[:1], lambda a: a[:, :1] - a[:1]),
        Say(lambda torch, x: x - x[:1], lambda a: a - a[:1]),
        Say(lambda torch, x: x[:1] - x, lambda a: a[:1] - a),
        Say(lambda torch, x: x - x[:, :1], lambda a: a - a[:, :1]),
    ),
    "dimension of a sum": (
        Say(lambda torch, x: x.sum(0), lambda a: a.sum(0)),
        Say(lambda torch, x: x.sum(1), lambda a: a.sum(1)),
        Say(lambda torch, x: x.sum(1, keepdim=True), lambda a: a.sum(1, keepdims=True)),
        Say(lambda torch, x: x.t().sum(1), lambda a: a.sum(0)),
    ),
    "dimension of a maximum": (
        Say(lambda torch, x: x.amax(0), lambda a: a.max(0)),
        Say(lambda torch, x: x.amax(1), lambda a: a.max(1)),
        Say(lambda torch, x: x.amax(1, keepdim=True), lambda a: a.max(1, keepdims=True)),
        Say(lambda torch, x: x.max(0).values, lambda a: a.max(0)),
        Say(lambda torch, x: x.max(1).values, lambda a: a.max(1)),
    ),
    "dimension of a scan": (
        Say(lambda torch, x: x.cumsum(0), lambda a: a.cumsum(0)),
        Say(lambda torch, x: x.cumsum(1), lambda a: a.cumsum(1)),
        Say(lambda torch, x: x.cumprod(0), lambda a: a.cumprod(0)),
        Say(lambda torch, x: x.cumprod(1), lambda a: a.cumprod(1)),
    ),
    "order of a sort": (
        Say(lambda torch, x: x.sort(0).values, lambda a: np.sort(a, 0)),
        Say(lambda torch, x: x.sort(1).values, lambda a: np.sort(a, 1)),
        Say(lambda torch, x: x.sort(1, descending=True).values, lambda a: np.sort(a, 1)[:, ::-1]),
        Say(lambda torch, x: x.topk(2).values, lambda a: np.sort(a, 1)[:, :-3:-1]),
        Say(lambda torch, x: x.topk(2, largest=False).values, lambda a: np.sort(a, 1)[:, :2]),
        Say(lambda torch, x: x.topk(2, 0).values, lambda a: np.sort(a, 0)[:-3:-1]),
    ),
    "triangles": (
        Say(lambda torch, x: x.tril(), lambda a: np.tril(a)),
        Say(lambda torch, x: x.tril(1), lambda a: np.tril(a, 1)),
        Say(lambda torch, x: x.tril(-1), lambda a: np.tril(a, -1)),
        Say(lambda torch, x: x.triu(-1), lambda a: np.triu(a, -1)),
    ),
    "turned": (
        Say(lambda torch, x: x.flip(0), lambda a: a[::-1]),
        Say(lambda torch, x: x.flip(1), lambda a: a[:, ::-1]),
        Say(lambda torch, x: x.roll(1, 0), lambda a: np.roll(a, 1, 0)),
        Say(lambda torch, x: x.roll(2, 0), lambda a: np.roll(a, 2, 0)),
        Say(lambda torch, x: x.roll(1, 1), lambda a: np.roll(a, 1, 1)),
    ),
    "picked": (
        Say(lambda torch, x: x.index_select(0, _places(torch, x, 0)), lambda a: a[:2]),
        Say(lambda torch, x: x.index_select(0, _places(torch, x, 1)), lambda a: a[1:3]),
        Say(lambda torch, x: x[_places(torch, x, 2)], lambda a: a[2:4]),
        Say(lambda torch, x: x[[1, 0]], lambda a: a[[1, 0]]),
        Say(lambda torch, x: x.masked_select(x > 0), lambda a: a[a > 0]),
        Say(lambda torch, x: x[x > 1], lambda a: a[a > 1]),
    ),
    "joined": (
        Say(lambda torch, x: torch.cat([x, -x], 0), lambda a: np.concatenate([a, -a])),
        Say(lambda torch, x: torch.cat([x, -x], 1), lambda a: np.concatenate([a, -a], 1)),
        Say(lambda torch, x: torch.cat([-x, x], 1), lambda a: np.concatenate([-a, a], 1)),
        Say(lambda torch, x: torch.stack([x, -x], 0), lambda a: np.stack([a, -a])),
        Say(lambda torch, x: torch.stack([x, -x], 1), lambda a: np.stack([a, -a], 1)),
    ),
    "repeated": (
        Say(lambda torch, x: x.repeat(2, 1), lambda a: np.tile(a, (2, 1))),
        Say(lambda torch, x: x.repeat(1, 2), lambda a: np.tile(a, (1, 2))),
        Say(lambda torch, x: x.repeat_interleave(2, 0), lambda a: a.repeat(2, 0)),
        Say(lambda torch, x: x.repeat_interleave(2, 1), lambda a: a.repeat(2, 1)),
    ),
    "padded": (
        Say(lambda torch, x: torch.nn.functional.pad(x, (1, 0)),
            lambda a: np.pad(a, ((0, 0), (1, 0)))),
        Say(lambda torch, x: torch.nn.functional.pad(x, (1, 0), value=3),
            lambda a: np.pad(a, ((0, 0), (1, 0)), constant_values=3)),
        Say(lambda torch, x: torch.nn.functional.pad(x, (0, 1)),
            lambda a: np.pad(a, ((0, 0), (0, 1)))),
    ),
}  # fmt: skip
"""The same of square matrices alone."""


OF_FLOATS: dict[str, tuple[Say, ...]] = {
    "dimension of softmax": (
        Say(lambda torch, x: x.softmax(0), lambda a: layers.softmax(a, 0)),
        Say(lambda torch, x: x.softmax(1), lambda a: layers.softmax(a, 1)),
        Say(lambda torch, x: x.log_softmax(0), lambda a: layers.log_softmax(a, 0)),
        Say(lambda torch, x: x.log_softmax(1), lambda a: layers.log_softmax(a, 1)),
    ),
    "correction": (
        Say(lambda torch, x: x.var(0), lambda a: a.var(0, ddof=1)),
        Say(lambda torch, x: x.var(0, correction=0), lambda a: a.var(0)),
        Say(lambda torch, x: x.var(1), lambda a: a.var(1, ddof=1)),
        Say(lambda torch, x: x.std(1), lambda a: a.std(1, ddof=1)),
        Say(lambda torch, x: x.std(1, unbiased=False), lambda a: a.std(1)),
    ),
    "dimension of a mean": (
        Say(lambda torch, x: x.mean(0), lambda a: a.mean(0)),
        Say(lambda torch, x: x.mean(1), lambda a: a.mean(1)),
        Say(lambda torch, x: x.mean(), lambda a: a.mean()),
    ),
    "order of a norm": (
        Say(lambda torch, x: x.norm(), lambda a: np.sqrt((a * a).sum())),
        Say(lambda torch, x: torch.linalg.vector_norm(x), lambda a: np.sqrt((a * a).sum())),
        Say(lambda torch, x: torch.linalg.vector_norm(x, 1), lambda a: abs(a).sum()),
        Say(lambda torch, x: torch.linalg.vector_norm(x, 3),
            lambda a: np.cbrt((abs(a) ** 3).sum())),
    ),
    "slope below 0": (
        Say(lambda torch, x: torch.nn.functional.leaky_relu(x),
            lambda a: np.where(a > 0, a, a / 100)),
        Say(lambda torch, x: torch.nn.functional.leaky_relu(x, 0.5),
            lambda a: np.where(a > 0, a, a / 2)),
        Say(lambda torch, x: torch.nn.functional.elu(x), lambda a: np.where(a > 0, a, np.expm1(a))),
        Say(lambda torch, x: torch.nn.functional.elu(x, 2.0),
            lambda a: np.where(a > 0, a, 2 * np.expm1(a))),
    ),
    "eps": (
        Say(lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[1:]),
            lambda a: layers.normalised(a, (-1,), 1e-5)),
        Say(lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[1:], eps=3.0),
            lambda a: layers.normalised(a, (-1,), 3)),
    ),
    "order in memory": (
        Say(lambda torch, x: x.tanh(), np.tanh),
        Say(lambda torch, x: x.t().tanh(), lambda a: np.tanh(a.T)),
        Say(lambda torch, x: x.float().tanh(), np.tanh, "float32"),
        Say(lambda torch, x: x.double().tanh(), np.tanh, "float64"),
        Say(lambda torch, x: x.t().double().tanh(), lambda a: np.tanh(a.T), "float64"),
    ),
    "root": (
        Say(lambda torch, x: x.abs().sqrt(), lambda a: np.sqrt(abs(a))),
        Say(lambda torch, x: x.abs().float().sqrt(), lambda a: np.sqrt(abs(a)), "float32"),
        Say(lambda torch, x: x.abs().double().sqrt(), lambda a: np.sqrt(abs(a)), "float64"),
    ),
}  # fmt: skip
"""Calls of matrices that round."""


def _gathered(a: Array) -> Array:
    total = np.zeros_like(a)
    np.add.at(total, a, a)
    return total


OF_PLACES: dict[str, tuple[Say, ...]] = {
    "places": (
        Say(lambda torch, x: _numbered(torch, x)[x], lambda a: 5 - a),
        Say(lambda torch, x: _numbered(torch, x).index_select(0, x), lambda a: 5 - a),
        Say(lambda torch, x: _numbered(torch, x).take(x), lambda a: 5 - a),
        Say(lambda torch, x: torch.gather(_numbered(torch, x), 0, x), lambda a: 5 - a),
        Say(lambda torch, x: torch.nn.functional.embedding(x, _numbered(torch, x)[:, None])[:, 0],
            lambda a: 5 - a),
        Say(lambda torch, x: torch.bincount(x, minlength=4), lambda a: np.bincount(a, minlength=4)),
        Say(lambda torch, x: torch.nn.functional.one_hot(x, 4), lambda a: np.eye(4, dtype=int)[a]),
        Say(lambda torch, x: torch.zeros_like(x).index_add(0, x, x), _gathered),
    ),
}  # fmt: skip
"""Calls of a vector of integers from 0 to 3, which says where."""

OF_MASKS: dict[str, tuple[Say, ...]] = {
    "a mask": (
        Say(lambda torch, x: _numbered(torch, x)[x], lambda a: (5 - np.arange(len(a)))[a]),
        Say(lambda torch, x: _numbered(torch, x).masked_select(x),
            lambda a: (5 - np.arange(len(a)))[a]),
        Say(lambda torch, x: x.nonzero(), lambda a: np.argwhere(a)),
        Say(lambda torch, x: x.sum(), lambda a: a.sum()),
        Say(lambda torch, x: torch.count_nonzero(x), lambda a: a.sum()),
        Say(lambda torch, x: ~x, lambda a: ~a),
        Say(lambda torch, x: x.any(), lambda a: a.any()),
        Say(lambda torch, x: torch.where(x, 3, 4), lambda a: np.where(a, 3, 4)),
    ),
}  # fmt: skip
"""Calls of a vector that says whether."""


def _numbered(torch: Any, x: Any) -> Any:
    return 5 - torch.arange(len(x), device=x.device)


def _first(a: Array) -> Array:
    changed = a.copy()
    changed.flat[0] = 3
    return changed


Change = tuple[Callable[[Any, Any], object], Callable[[Array], Array]]
"""What is done to a tensor, and what it holds then."""

CHANGES: dict[str, Change] = {
    "zero_": (lambda torch, x: x.zero_(), np.zeros_like),
    "an element": (lambda torch, x: x.view(-1)[0].fill_(3), _first),
    "fill_": (lambda torch, x: x.fill_(2), lambda a: np.full_like(a, 2)),
    "assignment": (lambda torch, x: setitem(x, ..., 1), np.ones_like),
    "data": (lambda torch, x: x.data.zero_(), np.zeros_like),
    "other data": (lambda torch, x: setattr(x, "data", torch.ones_like(x)), np.ones_like),
}
OF_NUMBERS: dict[str, Change] = {
    "add_": (lambda torch, x: x.add_(1), lambda a: a + 1),
    "mul_": (lambda torch, x: x.mul_(-2), lambda a: -2 * a),
}
"""Changes of what is neither a place nor a mask."""
OF_ARRAYS: dict[str, Change] = {
    "its array": (lambda torch, x: x.numpy().fill(2), lambda a: np.full_like(a, 2)),
}
"""Changes that need NumPy."""
