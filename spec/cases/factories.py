"""Factories: how each function that makes a tensor is called, rightly and wrongly.

Every call takes the injected namespace; what it makes is small, for what is asked of it holds
for every factory alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, NUMERIC

Shape = tuple[int, ...]
Factory = Callable[..., Any]


def sized(factory: Factory, shape: Shape, **options: Any) -> Iterator[tuple[str, Any]]:
    """One factory with its size in every documented spelling."""
    yield "tuple", factory(shape, **options)
    yield "list", factory(list(shape), **options)
    yield "size=", factory(size=shape, **options)
    if shape:
        yield "separate", factory(*shape, **options)
        yield "NumPy's integers", factory(*map(np.int64, shape), **options)


FACTORIES: dict[str, tuple[Factory, tuple[str, ...]]] = {
    "zeros": (lambda t, **o: t.zeros(2, 2, **o), ALL),
    "ones": (lambda t, **o: t.ones((2, 2), **o), ALL),
    "empty": (lambda t, **o: t.empty(2, 2, **o), ALL),
    "full": (lambda t, **o: t.full((2, 2), 1, **o), ALL),
    "eye": (lambda t, **o: t.eye(2, **o), ALL),
    "arange": (lambda t, **o: t.arange(4, **o), INTEGERS + FLOATS),
    "arange of floats": (lambda t, **o: t.arange(0.0, 4.0, 1.0, **o), INTEGERS + FLOATS),
    "linspace": (lambda t, **o: t.linspace(0, 3, 4, **o), NUMERIC),
    "empty_strided": (lambda t, **o: t.empty_strided((2, 2), (1, 2), **o), ALL),
    "rand": (lambda t, **o: t.rand(2, 2, **o), FLOATS),
    "randn": (lambda t, **o: t.randn(2, 2, **o), FLOATS),
    "randint": (lambda t, **o: t.randint(4, (2, 2), **o), INTEGERS + FLOATS),
    "randperm": (lambda t, **o: t.randperm(4, **o), ("int32", "int64")),
}
"""A call of each factory, and the dtypes that it is documented to make."""

FROM_A_TENSOR: dict[str, tuple[Factory, tuple[str, ...]]] = {
    "zeros_like": (lambda t, x, **o: t.zeros_like(x, **o), ALL),
    "ones_like": (lambda t, x, **o: t.ones_like(x, **o), ALL),
    "empty_like": (lambda t, x, **o: t.empty_like(x, **o), ALL),
    "full_like": (lambda t, x, **o: t.full_like(x, 1, **o), ALL),
    "rand_like": (lambda t, x, **o: t.rand_like(x, **o), FLOATS),
    "randn_like": (lambda t, x, **o: t.randn_like(x, **o), FLOATS),
    "randint_like": (lambda t, x, **o: t.randint_like(x, 4, **o), INTEGERS + FLOATS),
    "new_zeros": (lambda t, x, **o: x.new_zeros(2, 2, **o), ALL),
    "new_ones": (lambda t, x, **o: x.new_ones((2, 2), **o), ALL),
    "new_empty": (lambda t, x, **o: x.new_empty(2, 2, **o), ALL),
    "new_full": (lambda t, x, **o: x.new_full((2, 2), 1, **o), ALL),
}


OF_DEFAULT_DTYPE: dict[str, Callable[[Any, str], Any]] = {
    "tensor": lambda t, d: t.tensor([1.5], device=d),
    "tensor of nothing": lambda t, d: t.tensor([], device=d),
    "zeros": lambda t, d: t.zeros(2, device=d),
    "ones": lambda t, d: t.ones(2, device=d),
    "empty": lambda t, d: t.empty(2, device=d),
    "full": lambda t, d: t.full((2,), 1.5, device=d),
    "eye": lambda t, d: t.eye(2, device=d),
    "arange": lambda t, d: t.arange(0, 2, 0.5, device=d),
    "arange(end)": lambda t, d: t.arange(2.0, device=d),
    "linspace": lambda t, d: t.linspace(0, 1, 2, device=d),
    "rand": lambda t, d: t.rand(2, device=d),
    "randn": lambda t, d: t.randn(2, device=d),
}


INTO_OUT: dict[str, tuple[Factory, np.ndarray]] = {
    "zeros": (lambda t, **o: t.zeros(5, **o), np.zeros(5)),
    "zeros of a tuple": (lambda t, **o: t.zeros((5,), **o), np.zeros(5)),
    "ones": (lambda t, **o: t.ones(5, **o), np.ones(5)),
    "full": (lambda t, **o: t.full((5,), 3.0, **o), np.full(5, 3)),
    "arange": (lambda t, **o: t.arange(1, 10, 2, **o), np.array([1, 3, 5, 7, 9])),
    "linspace": (lambda t, **o: t.linspace(0, 8, 5, **o), np.array([0, 2, 4, 6, 8])),
    "eye": (lambda t, **o: t.eye(1, 5, **o), np.array([[1, 0, 0, 0, 0]])),
    "a wide eye": (lambda t, **o: t.eye(2, 3, **o), np.eye(2, 3)),
    "a high eye": (lambda t, **o: t.eye(4, m=3, **o), np.eye(4, 3)),
    "ones of a table": (lambda t, **o: t.ones(2, 3, **o), np.ones((2, 3))),
    "an empty range": (lambda t, **o: t.arange(3, 3, **o), np.zeros(0)),
}


FRESH: dict[str, Callable[[Any, Any, str], Any]] = {
    "zeros": lambda t, x, d: t.zeros(x.shape, dtype=x.dtype, device=d),
    "ones": lambda t, x, d: t.ones(x.shape, dtype=x.dtype, device=d),
    "full": lambda t, x, d: t.full(x.shape, 1, dtype=x.dtype, device=d),
    "zeros_like": lambda t, x, d: t.zeros_like(x),
    "ones_like": lambda t, x, d: t.ones_like(x),
    "full_like": lambda t, x, d: t.full_like(x, 1),
    "empty_like": lambda t, x, d: t.empty_like(x).fill_(1),
    "new_zeros": lambda t, x, d: x.new_zeros(x.shape),
    "new_ones": lambda t, x, d: x.new_ones(x.shape),
    "new_full": lambda t, x, d: x.new_full(x.shape, 1),
    "new_tensor": lambda t, x, d: x.new_tensor(x),
    "tensor": lambda t, x, d: t.tensor(x),
    "eye": lambda t, x, d: t.eye(3, dtype=x.dtype, device=d),
}


WRONG: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    *(
        (name, bad, good)
        for name in ("zeros", "ones", "empty", "rand", "randn")
        for bad, good in (
            ((-1,), (1,)),
            ((2, -1), (2, 1)),
            (((-3, 0),), ((3, 0),)),
            ((2.5,), (2,)),
            (("2",), (2,)),
            ((None,), (2,)),
        )
    ),
    ("full", ((2, -1), 1), ((2, 1), 1)),
    ("full", ((2,),), ((2,), 1)),
    ("full", ((2,), "1"), ((2,), 1)),
    ("eye", (-1,), (1,)),
    ("eye", (2, -1), (2, 1)),
    ("linspace", (0, 1, -1), (0, 1, 1)),
    ("linspace", (0, 1), (0, 1, 2)),
    ("arange", (0, 5, 0), (0, 5, 1)),
    ("arange", (0.0, 5.0, 0.0), (0.0, 5.0, 1.0)),
    ("arange", (0, 5, -1), (0, -5, -1)),
    ("arange", (5, 0), (0, 5)),
    ("arange", (-1,), (1,)),
    ("arange", (1.0, 0.0, 0.25), (1.0, 0.0, -0.25)),
    ("arange", (0, float("nan")), (0, 1.0)),
    ("arange", (float("-inf"), 0), (-1.0, 0)),
    ("arange", (0, float("inf")), (0, 1.0)),
    ("arange", (), (1,)),
    ("tensor", (None,), (1,)),
    ("tensor", ("1",), (1,)),
    ("tensor", ([1, None],), ([1, 0],)),
    ("tensor", ([1, "2"],), ([1, 2],)),
    ("tensor", ({},), ([],)),
    ("tensor", (), ([],)),
]

WRONG_OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("dtype=", {"dtype": "float32"}),
    ("device=", {"device": "nowhere"}),
    ("unknown", {"colour": "red"}),
]
