"""Arguments of convolutions and pooling layers that fit their input, simplest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import Shape

Drawn = TypeVar("Drawn", "Convolution", "Pooling")
_POOL_SIZE = 600
_LENGTHS = (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 20, 31, 33, 2, 1)
_PRODUCTS = 50000
"""As many a convolution may take, so that it is quick."""
_CHANNELS = (1, 2, 3, 4, 5, 8, 9, 16, 17)


@encodable
@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution of an input (N, C, *lengths). padding: a length each, or "same", "valid"."""

    shape: Shape
    out: int
    kernel: Shape
    stride: Shape
    padding: Shape | str = ()
    dilation: Shape = ()
    groups: int = 1
    bias: bool = True
    mode: str = "zeros"


@encodable
@dataclass(frozen=True, slots=True)
class Pooling:
    """Pooling over (N, C, *lengths). stride None: that of the kernel."""

    shape: Shape
    kernel: Shape
    stride: Shape | None
    padding: Shape
    dilation: Shape
    ceil: bool


def _each(rank: int, choices: tuple[int, ...], random: Random) -> Shape:
    """A value for each dimension, the same one half of the time."""
    first = random.choice(choices)
    return tuple(first if random.random() < 0.5 else random.choice(choices) for _ in range(rank))


def _fits(lengths: Shape, kernel: Shape, dilation: Shape, padding: Shape) -> bool:
    return all(
        n + 2 * p >= d * (k - 1) + 1
        for n, k, d, p in zip(lengths, kernel, dilation, padding, strict=True)
    )


def _convolution(rank: int, random: Random) -> Convolution | None:
    groups = random.choice((1, 1, 1, 2, 2, 3, 4))
    # One channel a group, for which there are kernels of their own, is common in networks; from
    # eight on a group's channels fill a vector.
    choices = _CHANNELS if groups == 1 else (1, 1, 1, 2, 3, 4, 8, 9, 16)
    channels, out = (groups * random.choice(choices) for _ in range(2))
    # Squares among them: what takes one length for another keeps their shape.
    shape = (random.choice((1, 2, 3, 5)), channels, *_each(rank, _LENGTHS, random))
    kernel = _each(rank, (1, 2, 3, 3, 4, 5), random)
    if random.random() < 0.2:
        kernel = (1,) * rank  # a product of matrices
    stride = _each(rank, (1, 1, 2, 3), random)
    padding: Shape | str = _each(rank, (0, 0, 1, 2, 3), random)
    dilation = _each(rank, (1, 1, 1, 2, 3), random)
    mode = random.choice(("zeros", "zeros", "zeros", "reflect", "replicate", "circular"))
    if random.random() < 0.15 * rank:
        padding = random.choice(("same", "same", "valid"))
        if padding == "same":
            stride = (1,) * rank
            dilation = tuple(random.choice((1, 2, 3)) for _ in range(rank))
        mode = "zeros"
    spread = (0,) * rank if isinstance(padding, str) else padding
    widest = min(shape[2:]) - 1
    products = prod(shape) * out // groups * prod(kernel)
    if (mode != "zeros" and max(spread) > widest) or products > _PRODUCTS:
        return None
    # What "same" adds lets every kernel fit.
    if padding != "same" and not _fits(shape[2:], kernel, dilation, spread):
        return None
    bias = random.random() < 0.7
    return Convolution(shape, out, kernel, stride, padding, dilation, groups, bias, mode)


def _pooling(rank: int, random: Random) -> Pooling | None:
    lengths = _each(rank, _LENGTHS, random)
    shape = (random.choice((1, 2, 3)), random.choice(_CHANNELS), *lengths)
    kernel = _each(rank, (2, 2, 3, 3, 1, 4, 5), random)
    stride = None if random.random() < 0.3 else _each(rank, (1, 2, 2, 3), random)
    padding = tuple(random.randint(0, k // 2) if random.random() < 0.5 else 0 for k in kernel)
    dilation = _each(rank, (1, 1, 1, 2), random)
    # A dilated window must not lie in the padding alone, and average pooling has no dilation.
    fits = _fits(shape[2:], kernel, dilation, (0,) * rank)
    if not fits or prod(shape) > 3000:
        return None
    return Pooling(shape, kernel, stride, padding, dilation, random.random() < 0.4)


def _pool(make: Callable[[int, Random], Drawn | None], name: str) -> list[Drawn]:
    random = Random(name)
    found: set[Drawn] = set()
    while len(found) < _POOL_SIZE:
        # As many over two dimensions as over one, though fewer of them are small enough.
        made = make(1 if 2 * len(found) < _POOL_SIZE else 2, random)
        if made is not None:
            found.add(made)
    return sorted(found, key=lambda drawn: (prod(drawn.shape), repr(drawn)))


def convolutions() -> st.SearchStrategy[Convolution]:
    """Convolutions over one or two dimensions."""
    return from_pool(lambda: _pool(_convolution, "convolution"))


def poolings() -> st.SearchStrategy[Pooling]:
    """Poolings over one or two dimensions."""
    return from_pool(lambda: _pool(_pooling, "pooling"))
