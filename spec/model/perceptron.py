"""A perceptron with one hidden layer and its training, in float64 NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenet.spec.model.layers import log_softmax

Array = np.ndarray
Weights = tuple[Array, Array, Array, Array]


def initial(widths: tuple[int, int, int], seed: int) -> Weights:
    """Weights (hidden, in), (hidden,), (out, hidden), (out,) of the usual size; float32 holds
    them exactly."""
    random = np.random.Generator(np.random.PCG64(seed))
    before, hidden, after = widths
    shapes = ((hidden, before), (hidden,), (after, hidden), (after,))
    fans = (before, before, hidden, hidden)
    return tuple(
        random.uniform(-1, 1, shape).astype(np.float32).astype(np.float64)
        / 2 ** np.ceil(np.log2(fan) / 2)
        for shape, fan in zip(shapes, fans, strict=True)
    )


def evaluate(weights: Sequence[Array], x: Array, y: Array) -> tuple[float, list[Array]]:
    """The mean loss of tanh units and its gradients for the four weights.

    Integer labels: cross entropy of the outputs; other targets: the mean squared difference.
    """
    first, first_bias, second, second_bias = weights
    hidden = np.tanh(x @ first.T + first_bias)
    out = hidden @ second.T + second_bias
    if y.dtype.kind == "i":
        log = log_softmax(out, 1)
        rows = np.arange(len(y))
        loss = -log[rows, y].mean()
        above = np.exp(log)
        above[rows, y] -= 1
        above /= len(y)
    else:
        loss = ((out - y) ** 2).mean()
        above = 2 * (out - y) / out.size
    below = (above @ second) * (1 - hidden**2)
    return float(loss), [below.T @ x, below.sum(0), above.T @ hidden, above.sum(0)]
