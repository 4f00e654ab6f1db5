"""Lies that training brings to light."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _uphill(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and parameter.dim() == 1:
                parameter.grad.neg_()
    return right(optimizer, *a, **k)


def _standing(right: Any, optimizer: Any, *a: Any, **k: Any) -> None:
    return None


def _creeping(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.add_(1e-6)
    return right(optimizer, *a, **k)


def _weak(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    """A gradient is off by one in ten thousand."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and parameter.dim() == 2:
                parameter.grad.mul_(1.0001)
    return right(optimizer, *a, **k)


_calls = [0]


def _unseeded(right: Any, x: Any, *a: Any, **k: Any) -> Any:
    _calls[0] += 1
    return right(x, *a, **k) * (1 + (_calls[0] % 11) * 1e-6)


MINIATURES = [
    Miniature("biases go uphill with SGD", ("optim.SGD.step",), _uphill, "training.regression"),
    Miniature("Adam does not step", ("optim.Adam.step",), _standing, "training.classification"),
    Miniature("the images are never seen", ("nn.functional.conv2d",),
              lambda right, x, *a, **k: right(x * 0, *a, **k), "training.classification"),
    Miniature("max_pool2d has no gradient", ("nn.functional.max_pool2d",),
              lambda right, x, *a, **k: right(x, *a, **k) * 0, "training.loops"),
    Miniature("Adam does not step", ("optim.Adam.step",), _standing, "training.loops"),
    Miniature("nothing is fitted to random labels", ("optim.SGD.step",), _standing,
              "training.random-labels"),
    Miniature("parameters creep at rate 0", ("optim.Adam.step",), _creeping,
              "training.rate-zero"),
    Miniature("gradients are a little too large", ("optim.SGD.step",), _weak,
              "training.follows-reference"),
    Miniature("relu differs from call to call", ("nn.functional.relu",), _unseeded,
              "training.repeats"),
    Miniature("the mean of small batches is their sum", ("nn.functional.cross_entropy",),
              lambda right, x, t, **k: right(x, t, **k) * (len(t) if 1 < len(t) < 4 else 1),
              "training.eval-average"),
    Miniature("no_grad records", ("no_grad",), lambda right: torch.enable_grad(),
              "training.predictions"),
]  # fmt: skip
