"""Small data sets that a small model learns, made with NumPy: the same on every machine."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([*name.encode(), seed]))


def line(count: int, seed: int, noise: float = 0.1) -> tuple[Array, Array]:
    """Points (count, 3) and values (count, 1) of 2a - b + c/2 + 1 with normal noise."""
    random = _random("line", seed)
    x = random.standard_normal((count, 3))
    y = x @ [[2.0], [-1.0], [0.5]] + 1 + noise * random.standard_normal((count, 1))
    return x, y


def wave(count: int, seed: int) -> tuple[Array, Array]:
    """Points (count, 1) of [-2, 2] and the values (count, 1) of sin(2x) there."""
    x = _random("wave", seed).uniform(-2, 2, (count, 1))
    return x, np.sin(2 * x)


def moons(count: int, seed: int, noise: float = 0.1) -> tuple[Array, Array]:
    """Points (count, 2) on two interlocking half circles, and which of them (count,) int64."""
    random = _random("moons", seed)
    label = np.arange(count) % 2
    angle = random.uniform(0, np.pi, count)
    x = np.where(label, 1 - np.cos(angle), np.cos(angle))
    y = np.where(label, 0.5 - np.sin(angle), np.sin(angle))
    points = np.stack([x, y], 1) + noise * random.standard_normal((count, 2))
    order = random.permutation(count)
    return points[order], label[order].astype(np.int64)


def stripes(count: int, seed: int) -> tuple[Array, Array]:
    """Images (count, 1, 8, 8) of one stripe, and what it is: a row, a column, or either of the
    diagonals, (count,) int64; where it lies differs, and noise lies over it."""
    random = _random("stripes", seed)
    label = random.integers(0, 4, count)
    place = random.integers(0, 8, count)
    row, column = np.indices((8, 8))
    along = np.stack([row, column, row + column, row - column])[label]
    image = ((along - place[:, None, None]) % 8 == 0).astype(float)
    return (image + 0.3 * random.standard_normal(image.shape))[:, None], label.astype(np.int64)


def labels_at_random(count: int, classes: int, seed: int) -> Array:
    """Labels (count,) int64 that nothing explains."""
    return _random("labels", seed).integers(0, classes, count).astype(np.int64)


def order(count: int, seed: int) -> Array:
    """A permutation of the samples."""
    return _random("order", seed).permutation(count)
