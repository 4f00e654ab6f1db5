"""Functions of layers and losses whose operands repeat in memory, or are long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations, product
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.cases import LAYOUTS, place, tensor_of, values
from tenet.spec.language import assert_close, assert_equal, case, clause, supported
from tenet.spec.model import layers
from tenet.spec.model.layers import Array, unit
from tenet.spec.model.tolerance import Bound
from tenet.spec.nn.common import SINGLE, Shape, full_precision


class Call(NamedTuple):
    """A function of torch.nn.functional, the shapes of its operands, and its formula.

    rows: where an operand holds indices, how many there are to choose from.
    """

    name: str
    shapes: tuple[Shape, ...]
    backend: Callable[..., Any]
    reference: Callable[..., Array]
    rows: dict[int, int] = {}  # noqa: RUF012 - never written to


_X = (3, 4, 6)
"""Samples, channels and places."""
_ONCE: Any = ((1,), [(0, 0)], (1,), 1)


def _over(dims: tuple[int, ...], per: Shape) -> Callable[..., Array]:
    return lambda x, w, b: layers.normalised(x, dims, 0.5) * w.reshape(per) + b.reshape(per)


def _pool(kernel: int, stride: int, padding: int) -> layers.Pool:
    return layers.Pool(_X[2:], (kernel,), (stride,), (padding,), (1,), False)


CALLS = (
    Call("linear", (_X, (5, 6), (5,)), lambda f, *given: f.linear(*given), layers.linear),
    Call("conv1d", (_X, (2, 4, 3), (2,)), lambda f, *given: f.conv1d(*given),
         lambda *given: layers.convolution(*given, *_ONCE)),
    Call("conv2d", (_X, (2, 4, 3), (2,)),
         lambda f, x, w, b: f.conv2d(x.unsqueeze(2), w.unsqueeze(2), b).squeeze(2),
         lambda *given: layers.convolution(*given, *_ONCE)),
    Call("max_pool1d", (_X,), lambda f, x: f.max_pool1d(x, 3, 2, 1),
         lambda x: _pool(3, 2, 1).largest(x)[0]),
    Call("max_pool2d", (_X,), lambda f, x: f.max_pool2d(x.unsqueeze(2), (1, 2)).squeeze(2),
         lambda x: _pool(2, 2, 0).largest(x)[0]),
    Call("avg_pool1d", (_X,), lambda f, x: f.avg_pool1d(x, 3, 2, 1),
         lambda x: _pool(3, 2, 1).average(x, True)),
    Call("avg_pool2d", (_X,), lambda f, x: f.avg_pool2d(x.unsqueeze(2), (1, 2)).squeeze(2),
         lambda x: _pool(2, 2, 0).average(x, True)),
    Call("adaptive_avg_pool1d", (_X,), lambda f, x: f.adaptive_avg_pool1d(x, 3),
         lambda x: x.reshape(*x.shape[:2], 3, 2).mean(-1)),
    Call("adaptive_avg_pool2d", (_X,),
         lambda f, x: f.adaptive_avg_pool2d(x.unsqueeze(2), (1, 2)).squeeze(2),
         lambda x: x.reshape(*x.shape[:2], 2, 3).mean(-1)),
    Call("group_norm", (_X, (4,), (4,)), lambda f, x, w, b: f.group_norm(x, 2, w, b, 0.5),
         lambda x, w, b: layers.normalised(x.reshape(len(x), 2, 12), (2,), 0.5).reshape(x.shape)
         * w[:, None] + b[:, None]),
    Call("layer_norm", (_X, (6,), (6,)), lambda f, x, w, b: f.layer_norm(x, (6,), w, b, 0.5),
         _over((2,), (6,))),
    Call("layer_norm over two", (_X, (4, 6), (4, 6)),
         lambda f, x, w, b: f.layer_norm(x, (4, 6), w, b, 0.5), _over((1, 2), (4, 6))),
    Call("batch_norm", (_X, (4,), (4,)),
         lambda f, x, w, b: f.batch_norm(x, None, None, w, b, True, eps=0.5),
         _over((0, 2), (4, 1))),
    Call("batch_norm in evaluation", (_X, (4,), (4,)),
         lambda f, x, w, b: f.batch_norm(x, b, abs(w) + 1, w, b, eps=0.5),
         lambda x, w, b: (x - b[:, None]) / np.sqrt(np.abs(w) + 1.5)[:, None] * w[:, None]
         + b[:, None]),
    *[Call(f"softmax of {dim}", (_X,), lambda f, x, dim=dim: f.softmax(x, dim),
           lambda x, dim=dim: layers.softmax(x, dim)) for dim in range(3)],
    *[Call(f"log_softmax of {dim}", (_X,), lambda f, x, dim=dim: f.log_softmax(x, dim),
           lambda x, dim=dim: layers.log_softmax(x, dim)) for dim in range(3)],
    Call("mse_loss", (_X, _X), lambda f, *given: f.mse_loss(*given),
         lambda x, y: np.asarray(((x - y) ** 2).mean())),
    Call("binary_cross_entropy_with_logits", (_X, _X),
         lambda f, *given: f.binary_cross_entropy_with_logits(*given),
         lambda *given: np.asarray(layers.binary_cross_entropy(*given).mean())),
    Call("cross_entropy", (_X, (3, 6)),
         lambda f, *given: f.cross_entropy(*given),
         lambda *given: np.asarray(layers.cross_entropy(*given)[0].mean()), {1: 4}),
    Call("embedding", (_X[:2], (9, 5)),
         lambda f, *given: f.embedding(*given),
         lambda index, table: np.asarray(table[index]), {0: 9}),
)  # fmt: skip


def _repeated(shape: Shape) -> Iterator[tuple[int, ...]]:
    """The dimensions along which the elements repeat: none of them, each, and several."""
    dims = range(len(shape))
    return chain.from_iterable(combinations(dims, count) for count in range(len(shape) + 1))


def _operand(call: Call, place: int, shape: Shape, seed: int) -> Array:
    if place in call.rows:
        return np.asarray(values(shape, "int64", "normal", seed) % call.rows[place])
    return values(shape, "float64", "signed", seed + place)


def _on(torch: Any, device: str, array: Array, name: str) -> Any:
    return tensor_of(torch, device, array.astype(name) if array.dtype.kind == "f" else array)


@clause(
    "nn.expanded-operands",
    covers=[
        "minicourse.linear-is-matmul", "notes.normalisation-pooling-conv", "mlnotes.losses",
        "mlnotes.activations",
    ], thorough=True)  # fmt: skip
def an_expanded_operand_counts_as_what_it_shows(torch: Any, device: str) -> None:
    """Layers and losses take an expanded tensor, of which several elements are one in memory, for
    what it shows: as the input, a parameter, a table or the target, expanded along the samples,
    the channels, the places or several of these."""
    for which, call in enumerate(CALLS):
        for number, shape in enumerate(call.shapes):
            for dims in _repeated(shape):
                kept = tuple(1 if dim in dims else n for dim, n in enumerate(shape))
                # Whole numbers: what a kernel reads wrongly is off by one at least.
                arrays = [
                    _operand(call, at, of if at != number else kept, which)
                    for at, of in enumerate(call.shapes)
                ]
                pairs = [*zip(arrays, call.shapes, strict=True)]
                exact = [np.broadcast_to(array, of) for array, of in pairs]
                expected = call.reference(*exact)
                for name in supported(SINGLE):
                    given = [_on(torch, device, array, name).expand(of) for array, of in pairs]
                    with case(of=call.name, operand=number, expanded=dims, dtype=name):
                        with full_precision(torch):
                            got = call.backend(torch.nn.functional, *given)
                        size = 512 * unit(name) * max(8.0, np.abs(expected).max())
                        assert_close(got, expected, Bound(name, 4, "512 roundings", size))
                        for tensor, array in zip(given, exact, strict=True):
                            assert_equal(
                                tensor,
                                array.astype(name if array.dtype.kind == "f" else array.dtype),
                            )


_MANY = 50
"""Samples, so that the input has more than a thousand elements."""


@clause(
    "nn.many-elements",
    covers=[
        "minicourse.linear-is-matmul", "notes.normalisation-pooling-conv", "mlnotes.losses",
        "mlnotes.activations",
    ], thorough=True)  # fmt: skip
def many_elements_are_treated_as_few_are(torch: Any, device: str) -> None:
    """Layers and losses of more than a thousand elements, which threads may share, follow their
    formulas, wherever the input lies in memory."""
    for which, call in enumerate(CALLS):
        shapes = [(_MANY, *of[1:]) if of[0] == _X[0] else of for of in call.shapes]
        arrays = [_operand(call, number, of, which) for number, of in enumerate(shapes)]
        expected = call.reference(*arrays)
        for name, layout in product(supported(SINGLE), LAYOUTS):
            if layout == "expanded":
                continue
            given = [_on(torch, device, array, name) for array in arrays]
            kept = arrays[0].astype(name) if arrays[0].dtype.kind == "f" else arrays[0]
            given[0] = place(torch, device, kept, layout).view
            with case(of=call.name, dtype=name, layout=layout):
                with full_precision(torch):
                    got = call.backend(torch.nn.functional, *given)
                size = 512 * unit(name) * max(8.0, np.abs(expected).max())
                assert_close(got, expected, Bound(name, 4, "512 roundings", size))
