"""Gradients, layers, a training step, optimizers, and the loader of the data.

Where sums are compared exactly, the numbers are whole and small, so that they are exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tenet.harness.bench.oracle import Wrong, each, gives, require, tensor, whole
from tenet.harness.bench.workload import Family, Task
from tenet.spec.language.reading import read
from tenet.spec.model.layers import convolution
from tenet.spec.model.optimizers import Method, adam, sgd, travelled_bound

Array = np.ndarray

_WIDTH, _BATCH = 32, 32


def _chain(torch: Any, device: str, depth: int) -> tuple[list[Array], list[Any], Any]:
    """Layers relu(x @ w): the arrays of x and the weights, the weights as tensors, and x."""
    sizes = [(_BATCH, _WIDTH), *[(_WIDTH, _WIDTH)] * depth]
    arrays = [whole(size, seed, most=1) for seed, size in enumerate(sizes)]
    x, *weights = (tensor(torch, device, array) for array in arrays)
    return arrays, [weight.requires_grad_() for weight in weights], x


def _forward_of(x: Any, weights: list[Any]) -> Any:
    for weight in weights:
        x = (x @ weight).relu()
    return x.sum()


def _forward(torch: Any, device: str, depth: int) -> Task:
    arrays, weights, x = _chain(torch, device, depth)
    y = arrays[0].astype(np.float64)
    for weight in arrays[1:]:
        y = np.maximum(y @ weight, 0)
    flops = 2 * depth * _BATCH * _WIDTH**2
    same = gives(np.asarray(y.sum(), np.float32))

    def check(got: Any) -> None:
        require(got.requires_grad, "a result without a history")
        same(got)

    return Task(lambda: _forward_of(x, weights), check, flops=flops)


def _backward(torch: Any, device: str, depth: int) -> Task:
    arrays, weights, x = _chain(torch, device, depth)
    inputs = [arrays[0].astype(np.float64)]
    grads: list[Array] = []
    for weight in arrays[1:]:
        inputs.append(np.maximum(inputs[-1] @ weight, 0))
    g = np.ones_like(inputs[-1])
    for weight, before, after in zip(arrays[:0:-1], inputs[-2::-1], inputs[:0:-1], strict=True):
        g = g * (after > 0)
        grads.insert(0, before.T @ g)
        g = g @ weight.T
    result = _forward_of(x, weights)
    return Task(
        lambda: torch.autograd.grad(result, weights, retain_graph=True),
        each(*(gives(grad.astype(np.float32)) for grad in grads)),
        flops=4 * depth * _BATCH * _WIDTH**2,
    )


def _linear(torch: Any, device: str, width: int) -> Task:
    x, w, b = whole((64, width), 1), whole((width, width), 2), whole((width,), 3)
    layer = torch.nn.Linear(width, width, device=device)
    with torch.no_grad():
        layer.weight.copy_(tensor(torch, device, w))
        layer.bias.copy_(tensor(torch, device, b))
    t = tensor(torch, device, x)
    moved = 4 * (2 * x.size + w.size + b.size)
    return Task(lambda: layer(t), gives(x @ w.T + b), bytes=moved, flops=2 * 64 * width**2)


def _conv(torch: Any, device: str, channels: int) -> Task:
    x, w = whole((8, 3, 32, 32), 1), whole((channels, 3, 3, 3), 2)
    exact = convolution(x, w, None, (1, 1), [(1, 1), (1, 1)], (1, 1), 1)
    t, weight = tensor(torch, device, x), tensor(torch, device, w)
    return Task(
        lambda: torch.nn.functional.conv2d(t, weight, padding=1),
        gives(exact.astype(np.float32)),
        bytes=4 * (x.size + w.size + exact.size),
        flops=2 * 27 * exact.size,
    )


_RATE = 2.0**-20
"""So small that the weights stay about where they start, however long it goes on."""


def _training_step(torch: Any, device: str, width: int) -> Task:
    """A perceptron of one hidden layer, mean squared error, SGD."""
    x, target = whole((32, 64), 1, most=1), whole((32, 8), 2, most=1)
    starts = [whole((64, width), 3, most=1), whole((width, 8), 4, most=1)]
    params = [tensor(torch, device, start).requires_grad_() for start in starts]
    inputs, wanted = tensor(torch, device, x), tensor(torch, device, target)
    beginnings = [param.detach().clone() for param in params]
    optimizer = torch.optim.SGD(params, lr=_RATE)

    def work() -> Any:
        optimizer.zero_grad()
        hidden = (inputs @ params[0]).relu()
        loss = torch.nn.functional.mse_loss(hidden @ params[1], wanted)
        loss.backward()
        optimizer.step()
        return loss

    first, second = (start.astype(np.float64) for start in starts)
    hidden = np.maximum(x @ first, 0)
    g = 2 * (hidden @ second - target) / target.size
    grads = x.T.astype(np.float64) @ (g @ second.T * (hidden > 0)), hidden.T @ g
    ends = [
        (start - _RATE * grad).astype(np.float32)
        for start, grad in zip((first, second), grads, strict=True)
    ]

    def check(got: Any) -> None:
        require(np.isfinite(read(got)), f"a loss of {got}")
        with torch.no_grad():
            for param, beginning in zip(params, beginnings, strict=True):
                param.copy_(beginning)
        work()
        each(*map(gives, ends))(params)

    return Task(work, check, flops=6 * 32 * width * (64 + 8))


def _step(torch: Any, device: str, foreach: bool, *, optimizer: str) -> Task:
    """One step for twenty parameters of a thousand elements."""
    method: Method = sgd if optimizer == "SGD" else adam
    rate = 2.0**-10
    random = np.random.default_rng(1)
    starts = random.uniform(-1, 1, (20, 1000)).astype(np.float32)
    grads = random.uniform(-1, 1, (20, 1000)).astype(np.float32)

    def fresh() -> tuple[list[Any], Any]:
        params = [tensor(torch, device, start).requires_grad_() for start in starts]
        for param, grad in zip(params, grads, strict=True):
            param.grad = tensor(torch, device, grad)
        return params, getattr(torch.optim, optimizer)(params, lr=rate, foreach=foreach)

    ends, ways = method(starts.astype(np.float64), grads[None].astype(np.float64), lr=rate)
    bound = travelled_bound(starts.astype(np.float64), ends, ways, 1, "float32")
    same = gives(ends, bound)
    params, stepping = fresh()

    def check(_: Any) -> None:
        once, one_step = fresh()
        one_step.step()
        same(torch.stack([param.detach() for param in once]))
        require(all(np.isfinite(read(p)).all() for p in params), "a parameter is not finite")

    return Task(stepping.step, check, bytes=4 * (12 if optimizer == "SGD" else 28) * 5000)


def _loader(torch: Any, device: str, workers: int) -> Task:
    rows = whole((256, 16), 1)
    data = torch.utils.data
    batches = data.DataLoader(
        data.TensorDataset(tensor(torch, "cpu", rows)), batch_size=32, num_workers=workers
    )

    def check(got: Any) -> None:
        if len(got) != 8:
            raise Wrong(f"{len(got)} batches, not 8")
        for number, [batch] in enumerate(got):
            gives(rows[32 * number : 32 * number + 32])(batch)

    return Task(lambda: list(batches), check, bytes=8 * rows.size)


FAMILIES = (
    Family("autograd.forward", _forward, "autograd.history", {"depth": (1, 4)}),
    Family("autograd.backward", _backward, "autograd.grad", {"depth": (1, 4)}),
    Family("nn.linear", _linear, "nn.linear", {"width": (256,)}),
    Family("nn.conv2d", _conv, "nn.convolution", {"channels": (16,)}),
    Family("training.perceptron", _training_step, "training.follows-reference", {"width": (128,)}),
    Family("optim.sgd-step", partial(_step, optimizer="SGD"), "optim.sgd",
           {"foreach": (True, False)}),
    Family("optim.adam-step", partial(_step, optimizer="Adam"), "optim.adam",
           {"foreach": (True, False)}),
    Family("data.loader", _loader, "data.batches", {"workers": (0,)}, where="cpu"),
    Family("data.loader-of-processes", _loader, "data.workers", {"workers": (2,)},
           where="cpu", clock="wall"),
)  # fmt: skip
