"""Arguments that fit: for each operation that moves elements, some for a given shape."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod
from random import Random
from typing import Any

from tenet.spec.cases.shapes import Shape

Arguments = tuple[Any, ...]


def _dim(shape: Shape, random: Random) -> int:
    return random.randrange(-len(shape), len(shape))


def _either_end(dim: int, rank: int, random: Random) -> int:
    return dim - rank if random.random() < 0.4 else dim


def _dims(shape: Shape, count: int, random: Random) -> tuple[int, ...]:
    chosen = random.sample(range(len(shape)), count)
    return tuple(_either_end(dim, len(shape), random) for dim in chosen)


def _two(shape: Shape, random: Random) -> Arguments | None:
    return (_dim(shape, random), _dim(shape, random)) if shape else None


def _movedim(shape: Shape, random: Random) -> Arguments | None:
    if not shape:
        return None
    if random.random() < 0.4:
        return (_dim(shape, random), _dim(shape, random))
    count = random.randint(1, len(shape))
    return (_dims(shape, count, random), _dims(shape, count, random))


def _select(shape: Shape, random: Random) -> Arguments | None:
    if not shape or 0 in shape:
        return None
    dim = _dim(shape, random)
    return (dim, random.randrange(-shape[dim], shape[dim]))


def _narrow(shape: Shape, random: Random) -> Arguments | None:
    if not shape or 0 in shape:
        return None
    dim = _dim(shape, random)
    start = random.randrange(shape[dim])
    length = random.randint(0 if random.random() < 0.1 else 1, shape[dim] - start)
    return (dim, _either_end(start, shape[dim], random), length)


def _diagonal(shape: Shape, random: Random) -> Arguments | None:
    if len(shape) < 2:
        return None
    if random.random() < 0.2:
        return ()
    if random.random() < 0.3:
        return (random.randint(-shape[0], shape[1]),)
    first, second = _dims(shape, 2, random)
    return (random.randint(-shape[first], shape[second]), first, second)


def _unfold(shape: Shape, random: Random) -> Arguments | None:
    if not shape or 0 in shape:
        return None
    dim = _dim(shape, random)
    return (dim, random.randint(1, shape[dim]), random.randint(1, 3))


def _few(shape: Shape, dim: int) -> bool:
    return shape[dim] <= 9


def _unbind(shape: Shape, random: Random) -> Arguments | None:
    dim = _dim(shape, random) if shape else 0
    if not shape or not _few(shape, dim) or not shape[dim]:
        return None
    return () if dim == 0 and random.random() < 0.5 else (dim,)


def _bounds(length: int, random: Random) -> list[int]:
    return sorted(random.randint(0, length) for _ in range(random.randint(1, 3)))


def _split(shape: Shape, random: Random) -> Arguments | None:
    if not shape:
        return None
    dim = _dim(shape, random)
    length = shape[dim]
    if not length:  # how many pieces nothing falls into is not documented
        return None
    if random.random() < 0.5:
        size: object = max(-(-length // random.randint(1, 4)), 1)
    else:
        cuts = [0, *_bounds(length, random), length]
        size = [b - a for a, b in pairwise(cuts)]
    return (size,) if dim == 0 and random.random() < 0.5 else (size, dim)


def _chunk(shape: Shape, random: Random) -> Arguments | None:
    dim = _dim(shape, random) if shape else 0
    return (random.randint(1, 5), dim) if shape and shape[dim] else None


def _ends(length: int, random: Random) -> object:
    if random.random() < 0.5:
        return random.randint(1, 4)
    return tuple(_either_end(end, length, random) if end else 0 for end in _bounds(length, random))


def _tensor_split(shape: Shape, random: Random) -> Arguments | None:
    dim = _dim(shape, random) if shape else 0
    return (_ends(shape[dim], random), dim) if shape else None


def _named_split(rank: int, dim: int) -> Callable[[Shape, Random], Arguments | None]:
    def arguments(shape: Shape, random: Random) -> Arguments | None:
        if len(shape) < rank:
            return None
        length = shape[dim] if len(shape) > 1 else shape[0]
        where = _ends(length, random)
        return None if isinstance(where, int) and length % where else (where,)

    return arguments


def _squeeze(shape: Shape, random: Random) -> Arguments | None:
    kind = random.random()
    if 1 not in shape and random.random() < 0.7:
        return None
    if kind < 0.3 or not shape:
        return ()
    if kind < 0.7:
        return (_dim(shape, random),)
    return (_dims(shape, random.randint(1, len(shape)), random),)


def _unsqueeze(shape: Shape, random: Random) -> Arguments | None:
    return (random.randint(-len(shape) - 1, len(shape)),) if len(shape) < 5 else None


def _expand(shape: Shape, random: Random) -> Arguments | None:
    if prod(shape) > 300 or (1 not in shape and random.random() < 0.5):
        return None
    sizes = [random.choice((2, 3, 1, 5)) if n == 1 else random.choice((n, -1)) for n in shape]
    new = [random.choice((2, 1, 3)) for _ in range(random.choice((0, 0, 1, 2)))]
    return ((*new, *sizes),)


def _expand_known(shape: Shape, random: Random) -> Arguments | None:
    arguments = _expand(shape, random)
    if arguments is None:
        return None
    [sizes] = arguments
    new = len(sizes) - len(shape)
    return ((*sizes[:new], *(max(n, m) for n, m in zip(sizes[new:], shape, strict=True))),)


def factors(count: int, random: Random, at_most: int = 4) -> Shape:
    """Lengths whose product is the given count; 1 is often among them."""
    if not count:
        lengths = [random.choice((2, 3, 1)) for _ in range(random.randint(0, at_most - 1))]
        lengths.insert(random.randint(0, len(lengths)), 0)
        return tuple(lengths)
    sizes: list[int] = []
    while count > 1 and len(sizes) < at_most - 1 and random.random() < 0.8:
        divisor = random.choice([d for d in range(1, min(count, 70) + 1) if count % d == 0])
        sizes.append(divisor)
        count //= divisor
    if count > 1 or random.random() < 0.3:
        sizes.insert(random.randint(0, len(sizes)), count)
    return tuple(sizes)


def _inferable(sizes: Shape, random: Random) -> Shape:
    """The sizes, with one of them perhaps left for the backend to infer."""
    at = random.randrange(len(sizes)) if sizes else 0
    if not sizes or random.random() < 0.6 or prod(sizes[:at] + sizes[at + 1 :]) == 0:
        return sizes
    return (*sizes[:at], -1, *sizes[at + 1 :])


def _reshape(shape: Shape, random: Random) -> Arguments | None:
    return (_inferable(factors(prod(shape), random), random),)


def _reshape_known(shape: Shape, random: Random) -> Arguments | None:
    return (factors(prod(shape), random),)


def _unflatten(shape: Shape, random: Random) -> Arguments | None:
    if not shape or 0 in shape:
        return None
    dim = _dim(shape, random)
    sizes = factors(shape[dim], random, at_most=3)
    return (dim, _inferable(sizes, random)) if sizes else None


def _flatten(shape: Shape, random: Random) -> Arguments | None:
    if not shape or random.random() < 0.3:
        return ()
    first, last = sorted(random.randrange(len(shape)) for _ in range(2))
    ends = (_either_end(first, len(shape), random), _either_end(last, len(shape), random))
    return ends[: random.choice((1, 2))]


def _as_strided(shape: Shape, random: Random) -> Arguments | None:
    count = prod(shape)
    if not count:
        return None
    size = tuple(random.choice((1, 2, 3, 4)) for _ in range(random.randint(0, 3)))
    stride = tuple(random.choice((1, 2, 3, 4, 6, 8, 0)) for _ in size)
    reach = sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if reach >= count:
        return None
    offset = random.randrange(count - reach)
    return (size, stride) if random.random() < 0.3 else (size, stride, offset)


def _repeat(shape: Shape, random: Random) -> Arguments | None:
    if prod(shape) > 300:
        return None
    new = random.choice((0, 0, 1, 2))
    return (tuple(random.choice((2, 1, 3, 1, 0)) for _ in range(len(shape) + new)),)


def _tile(shape: Shape, random: Random) -> Arguments | None:
    if prod(shape) > 300:
        return None
    return (tuple(random.choice((2, 1, 3, 1, 0)) for _ in range(random.randint(0, 4))),)


def _repeat_interleave(shape: Shape, random: Random) -> Arguments | None:
    if not shape or prod(shape) > 300:
        return None
    repeats = random.choice((2, 3, 1, 0))
    return (repeats,) if random.random() < 0.4 else (repeats, _dim(shape, random))


def _roll(shape: Shape, random: Random) -> Arguments | None:
    if random.random() < 0.3:
        return (random.choice((1, 2, -1, 5, -3)),)  # of the elements one after another
    if not shape:
        return None
    dims = _dims(shape, random.randint(1, len(shape)), random)
    shifts = tuple(random.randint(-shape[dim] - 1, shape[dim] + 1) for dim in dims)
    return (shifts, dims) if len(dims) > 1 or random.random() < 0.5 else (shifts[0], dims[0])


def _rot90(shape: Shape, random: Random) -> Arguments | None:
    if len(shape) < 2:
        return None
    turns = random.choice((1, -1, 2, 3, 0, 5, -2))
    return (turns, _dims(shape, 2, random)) if random.random() < 0.8 else (turns,)


def _index(shape: Shape, random: Random) -> Arguments | None:
    if not shape or 0 in shape:
        return None
    parts: list[object] = []
    for length in shape[: random.randint(1, len(shape))]:
        kind = random.random()
        if kind < 0.3:
            parts.append(random.randrange(-length, length))
        elif kind < 0.9:
            start, stop = (random.randint(-length - 1, length + 1) for _ in range(2))
            ends = random.choice(((start, stop), (start, None), (None, stop), (None, None)))
            parts.append(slice(ends[0], ends[1], random.choice((None, 1, 2, 3))))
        else:
            parts.append(slice(None))
        if random.random() < 0.1:
            parts.append(None)
    if random.random() < 0.15:
        parts.append(...)
    return (tuple(parts) if len(parts) > 1 or random.random() < 0.5 else parts[0],)


def _of_rank(*ranks: int) -> Callable[[Shape, Random], Arguments | None]:
    return lambda shape, random: () if len(shape) in ranks else None


def _any_dims(shape: Shape, random: Random) -> Arguments | None:
    return (_dims(shape, random.randint(0, len(shape)), random),)


ARGUMENTS: dict[str, Callable[[Shape, Random], Arguments | None]] = {
    "permute": lambda shape, random: (_dims(shape, len(shape), random),),
    "transpose": _two,
    "swapaxes": _two,
    "swapdims": _two,
    "movedim": _movedim,
    "moveaxis": _movedim,
    "t": _of_rank(0, 1, 2),
    "T": _of_rank(2),
    "mT": _of_rank(2, 3, 4),
    "H": _of_rank(2),
    "mH": _of_rank(2, 3, 4),
    "adjoint": _of_rank(2, 3, 4),
    "index": _index,
    "select": _select,
    "narrow": _narrow,
    "diagonal": _diagonal,
    "unfold": _unfold,
    "split": _split,
    "chunk": _chunk,
    "tensor_split": _tensor_split,
    "hsplit": _named_split(1, 1),
    "vsplit": _named_split(2, 0),
    "dsplit": _named_split(3, 2),
    "unbind": _unbind,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "expand": _expand,
    "expand_as": _expand_known,
    "broadcast_to": _expand_known,
    "view": _reshape,
    "view_as": _reshape_known,
    "reshape": _reshape,
    "reshape_as": _reshape_known,
    "unflatten": _unflatten,
    "flatten": _flatten,
    "ravel": lambda shape, random: (),
    "as_strided": _as_strided,
    "detach": lambda shape, random: (),
    "contiguous": lambda shape, random: (),
    "clone": lambda shape, random: (),
    "repeat": _repeat,
    "tile": _tile,
    "repeat_interleave": _repeat_interleave,
    "flip": _any_dims,
    "roll": _roll,
    "rot90": _rot90,
    "fliplr": _of_rank(2, 3, 4),
    "flipud": _of_rank(1, 2, 3, 4),
}
"""Arguments of each operation that fit a shape; None where none were found."""
