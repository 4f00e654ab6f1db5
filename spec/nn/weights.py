"""A layer computes with what it holds at the time, however that has come there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.cases import tensor_of, values
from tenet.spec.language import assert_close, case, clause, has, supported
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS
from tenet.spec.model.layers import Array
from tenet.spec.model.tolerance import Bound
from tenet.spec.nn.common import SINGLE, Shape, filled, full_precision


class Layer(NamedTuple):
    """A layer: how it is made, what it is given, the shapes of what it holds, what it gives."""

    make: Callable[[Any], Any]
    given: Shape
    holds: dict[str, Shape]
    gives: Callable[..., Array]


def _convolved(x: Array, weight: Array, bias: Array) -> Array:
    rank = weight.ndim - 2
    return layers.convolution(x, weight, bias, (1,) * rank, [(0, 0)] * rank, (1,) * rank, 1)


def _standard(
    x: Array, weight: Array, bias: Array, running_mean: Array, running_var: Array
) -> Array:
    return np.asarray((x - running_mean) / np.sqrt(running_var + 1) * weight + bias)


LAYERS: dict[str, Layer] = {
    "Linear": Layer(
        lambda nn: nn.Linear(3, 2), (4, 3), {"weight": (2, 3), "bias": (2,)}, layers.linear
    ),
    "Conv1d": Layer(
        lambda nn: nn.Conv1d(2, 3, 2), (2, 2, 5), {"weight": (3, 2, 2), "bias": (3,)}, _convolved
    ),
    "Conv2d": Layer(
        lambda nn: nn.Conv2d(2, 3, 2), (1, 2, 4, 3), {"weight": (3, 2, 2, 2), "bias": (3,)},
        _convolved,
    ),
    "Embedding": Layer(
        lambda nn: nn.Embedding(5, 3), (4,), {"weight": (5, 3)},
        lambda x, weight: weight[abs(x).astype(int) % 5],
    ),
    "BatchNorm1d": Layer(
        lambda nn: nn.BatchNorm1d(3, eps=1.0), (4, 3),
        dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (3,)), _standard,
    ),
    "LayerNorm": Layer(
        lambda nn: nn.LayerNorm(3), (4, 3), {"weight": (3,), "bias": (3,)},
        lambda x, weight, bias: layers.normalised(x, (1,), 1e-5) * weight + bias,
    ),
    "PReLU": Layer(
        lambda nn: nn.PReLU(3), (4, 3), {"weight": (3,)},
        lambda x, weight: np.where(x > 0, x, x * weight),
    ),
}  # fmt: skip


def _step(torch: Any, module: Any, key: str, new: Any) -> None:
    held = getattr(module, key)
    optimizer = torch.optim.SGD([held], lr=1.0)
    held.grad = held.detach() - new
    optimizer.step()
    held.grad = None


def _by_name(torch: Any, module: Any, key: str, new: Any, **options: Any) -> None:
    module.load_state_dict({**module.state_dict(), key: new}, **options)


def _replace(torch: Any, module: Any, key: str, new: Any) -> None:
    trained = isinstance(getattr(module, key), torch.nn.Parameter)
    setattr(module, key, torch.nn.Parameter(new) if trained else new)


def _by_rows(torch: Any, module: Any, key: str, new: Any) -> None:
    with torch.no_grad():
        for held, row in zip(getattr(module, key), new, strict=True):
            held.copy_(row)


def _in_its_array(torch: Any, module: Any, key: str, new: Any) -> None:
    getattr(module, key).detach().numpy()[...] = new.numpy()


WAYS: dict[str, Callable[[Any, Any, str, Any], object]] = {
    "copy_": lambda torch, module, key, new: torch.no_grad()(getattr(module, key).copy_)(new),
    "a step": _step,
    "load_state_dict": _by_name,
    "data.copy_": lambda torch, module, key, new: getattr(module, key).data.copy_(new),
    "data": lambda torch, module, key, new: setattr(getattr(module, key), "data", new),
    "row by row": _by_rows,
    "load_state_dict(assign)": lambda *given: _by_name(*given, assign=True),
    "replaced": _replace,
    "its array": _in_its_array,
}
"""Ways to change what a layer holds. The last needs NumPy."""
MODES: dict[str, Callable[[Any], Any]] = {
    "no_grad": lambda torch: torch.no_grad(),
    "recording": lambda torch: torch.enable_grad(),
    "inference_mode": lambda torch: torch.inference_mode(),
}


@clause(
    "nn.weights-of-the-moment",
    covers=[
        "hackmd.module-forward",
        "notes.normalisation-pooling-conv",
        "mlnotes.step-updates-in-place",
    ],
    requires={"autograd", "in-place"},
    thorough=True,
)
def a_layer_computes_with_what_it_holds_now(torch: Any, device: str) -> None:
    """In eval mode too a layer computes with the parameters and buffers that it has when it is
    called: as an optimizer's step, load_state_dict, a write in place, through .data or through a
    shared array has left them, or as they have been replaced."""
    ways = [*WAYS] if device == "cpu" and has("numpy") else [*WAYS][:-1]
    for (kind, layer), name, mode in product(LAYERS.items(), supported(SINGLE), MODES):
        x = values(layer.given, name, "signed", 4)
        held = {
            key: abs(values(shape, name, "signed", 9 + turn)) + turn
            for turn, (key, shape) in enumerate(layer.holds.items())
        }
        module = filled(torch, device, layer.make(torch.nn), **held).eval()
        given = tensor_of(torch, device, x)
        given = given.abs().long() % 5 if kind == "Embedding" else given
        for turn, (way, key) in enumerate([("as made", ""), *product(ways, layer.holds)]):
            if way == "a step" and "running" in key:
                continue
            if key:
                held[key] = held[key] + 1 + turn % 3
                WAYS[way](torch, module, key, tensor_of(torch, device, held[key]))
            with case(layer=kind, dtype=name, mode=mode, changed=key, by=way):
                with full_precision(torch), MODES[mode](torch):
                    got = module(given).clone()
                expected = np.asarray(layer.gives(x * 1.0, **held), np.float64)
                # A weight that is a whole number too small makes a hundredth and more.
                room = 64 * FORMATS[name].eps * (1 + abs(expected).max())
                assert_close(got.detach(), expected, Bound(name, 4, "some 20 products", room))
