"""The published updates of optimizers, in float64 NumPy.

Each function takes parameters and a gradient for every step, and returns the parameters after
the last step, and the way travelled: the sum of what every step could have added had nothing
cancelled, to which rounding errors are proportional.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tenet.spec.model.layers import unit
from tenet.spec.model.tolerance import Bound

Array = np.ndarray


Method = Callable[..., tuple[Array, Array]]
"""An optimizer's reference: parameters (n,), gradients (steps, n), and its options by name."""


def travelled_bound(start: Array, end: Array, way: Array, steps: int, dtype: str) -> Bound:
    """Every step rounds the parameter once (u|p|), and its own update in some 16 operations, on
    running averages that have been rounded once a step and operation before."""
    u = unit(dtype)
    largest = np.maximum(np.abs(start), np.abs(end)) + way
    absolute = u * (2 * steps * largest + (16 + 8 * steps) * way)
    return Bound(dtype, 1, f"{steps} steps of some 16 operations", absolute)


def sgd(
    start: Array, gradients: Array, *, lr: float = 1e-3, momentum: float = 0,
    dampening: float = 0, weight_decay: float = 0, nesterov: bool = False, maximize: bool = False,
) -> tuple[Array, Array]:  # fmt: skip
    """v = momentum * v + (1 - dampening) * g, from v = g at the first step; p -= lr * v."""
    p, way = start.copy(), np.zeros_like(start)
    velocity, reach = np.zeros_like(start), np.zeros_like(start)
    for step, gradient in enumerate(gradients):
        g = (-gradient if maximize else gradient) + weight_decay * p
        size = np.abs(gradient) + weight_decay * np.abs(p)
        if momentum:
            share = 1 - dampening if step else 1.0
            velocity = momentum * velocity + share * g
            reach = momentum * reach + abs(share) * size
            g = g + momentum * velocity if nesterov else velocity
            size = size + momentum * reach if nesterov else reach
        p -= lr * g
        way += lr * size
    return p, way


def adam(
    start: Array, gradients: Array, *, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, maximize: bool = False,
    decoupled: bool = False,
) -> tuple[Array, Array]:  # fmt: skip
    """p -= lr * m' / (sqrt(v') + eps) with running averages m of g and v of g^2, corrected for
    their start at 0; amsgrad divides by the largest v so far; decoupled weight decay shrinks
    the parameter itself and leaves the gradient alone (AdamW)."""
    p, way = start.copy(), np.zeros_like(start)
    m, reach, v, most = (np.zeros_like(start) for _ in range(4))
    first, second = betas
    for step, gradient in enumerate(gradients, 1):
        g = -gradient if maximize else gradient
        size = np.abs(gradient)
        if decoupled:
            way += lr * weight_decay * np.abs(p)
            p = p * (1 - lr * weight_decay)
        else:
            size = size + weight_decay * np.abs(p)
            g = g + weight_decay * p
        m = first * m + (1 - first) * g
        reach = first * reach + (1 - first) * size
        v = second * v + (1 - second) * g * g
        most = np.maximum(most, v)
        root = np.sqrt((most if amsgrad else v) / (1 - second**step)) + eps
        p = p - lr * m / (1 - first**step) / root
        way += lr * reach / (1 - first**step) / root
    return p, way


def adamw(start: Array, gradients: Array, *, weight_decay: float = 1e-2,
          **options: Any) -> tuple[Array, Array]:  # fmt: skip
    """Adam with decoupled weight decay, 0.01 by default."""
    return adam(start, gradients, weight_decay=weight_decay, decoupled=True, **options)


def rmsprop(
    start: Array, gradients: Array, *, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
    weight_decay: float = 0, momentum: float = 0, centered: bool = False, maximize: bool = False,
) -> tuple[Array, Array]:  # fmt: skip
    """p -= lr * g / (sqrt(v) + eps), v the running average of g^2, less the square of the running
    average of g where centered; with momentum, p -= lr * b with b = momentum * b + g / ..."""
    p, way = start.copy(), np.zeros_like(start)
    v, average, velocity, reach = (np.zeros_like(start) for _ in range(4))
    for gradient in gradients:
        g = (-gradient if maximize else gradient) + weight_decay * p
        size = np.abs(gradient) + weight_decay * np.abs(p)
        v = alpha * v + (1 - alpha) * g * g
        average = alpha * average + (1 - alpha) * g
        spread = v - average**2 if centered else v
        # What cancels in the difference weighs more by as much.
        size = size * np.where(spread > 0, v / np.maximum(spread, 1e-300), 1)
        root = np.sqrt(spread) + eps
        velocity = momentum * velocity + g / root
        reach = momentum * reach + size / root
        p = p - lr * velocity
        way += lr * reach
    return p, way


def adagrad(
    start: Array, gradients: Array, *, lr: float = 1e-2, lr_decay: float = 0,
    weight_decay: float = 0, initial_accumulator_value: float = 0, eps: float = 1e-10,
    maximize: bool = False,
) -> tuple[Array, Array]:  # fmt: skip
    """p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps), s the sum of all g^2."""
    p, way = start.copy(), np.zeros_like(start)
    total = np.full_like(start, initial_accumulator_value)
    for step, gradient in enumerate(gradients):
        g = (-gradient if maximize else gradient) + weight_decay * p
        size = np.abs(gradient) + weight_decay * np.abs(p)
        total = total + g * g
        rate = lr / (1 + step * lr_decay)
        root = np.sqrt(total) + eps
        p = p - rate * g / root
        way += rate * size / root
    return p, way
