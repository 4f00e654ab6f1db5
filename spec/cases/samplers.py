"""Samplers: every documented way to draw random numbers, with the law that it has to follow."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.cases.shapes import Shape
from tenet.spec.language.reading import dtype_name, read
from tenet.spec.model import statistics as law
from tenet.spec.model.dtypes import ALL, COMPLEX, FLOATS, INTEGERS
from tenet.spec.model.statistics import Law

Where = dict[str, Any]
"""dtype= and device= of a draw."""

More = dict[str, Any]
"""generator=, or nothing."""

SIGNED = tuple(name for name in (*FLOATS, *INTEGERS) if name != "uint8")
NUMBERS = (*FLOATS, *INTEGERS)
NOT_COMPLEX = tuple(name for name in ALL if name not in COMPLEX)


class Sampler(NamedTuple):
    """One way to draw: draw(torch, shape, where, more) gives a tensor of independent samples.

    takes_generator: whether `more` may hold a generator.
    """

    name: str
    draw: Callable[[Any, Shape, Where, More], Any]
    law: Law
    dtypes: tuple[str, ...] = FLOATS
    takes_generator: bool = True


class Filler(NamedTuple):
    """One way to refill a tensor with samples: fill(tensor, more) returns the tensor."""

    name: str
    fill: Callable[[Any, More], Any]
    law: Law
    dtypes: tuple[str, ...] = FLOATS

    def sampler(self) -> Sampler:
        """The same as a draw: zeros are refilled."""
        return Sampler(
            self.name,
            lambda torch, shape, where, more: self.fill(torch.zeros(shape, **where), more),
            self.law,
            self.dtypes,
        )


FILLERS = (
    Filler("uniform_()", lambda x, g: x.uniform_(**g), law.uniform(0, 1)),
    Filler("uniform_(-3, 5)", lambda x, g: x.uniform_(-3, 5, **g), law.uniform(-3, 5)),
    Filler("uniform_(from=1, to=2)", lambda x, g: x.uniform_(**{"from": 1, "to": 2}, **g),
           law.uniform(1, 2)),
    Filler("uniform_(to=0.25)", lambda x, g: x.uniform_(to=0.25, **g), law.uniform(0, 0.25)),
    Filler("normal_()", lambda x, g: x.normal_(**g), law.normal(0, 1)),
    Filler("normal_(2, 0.5)", lambda x, g: x.normal_(2, 0.5, **g), law.normal(2, 0.5)),
    Filler("normal_(mean=-1, std=3)", lambda x, g: x.normal_(mean=-1, std=3, **g),
           law.normal(-1, 3)),
    Filler("exponential_()", lambda x, g: x.exponential_(**g), law.exponential(1)),
    Filler("exponential_(4)", lambda x, g: x.exponential_(4, **g), law.exponential(4)),
    Filler("exponential_(lambd=0.5)", lambda x, g: x.exponential_(lambd=0.5, **g),
           law.exponential(0.5)),
    Filler("cauchy_()", lambda x, g: x.cauchy_(**g), law.cauchy(0, 1)),
    Filler("cauchy_(median=1, sigma=2)", lambda x, g: x.cauchy_(median=1, sigma=2, **g),
           law.cauchy(1, 2)),
    Filler("log_normal_()", lambda x, g: x.log_normal_(**g), law.log_normal(1, 2)),
    Filler("log_normal_(mean=0, std=0.5)", lambda x, g: x.log_normal_(mean=0, std=0.5, **g),
           law.log_normal(0, 0.5)),
    Filler("geometric_(0.25)", lambda x, g: x.geometric_(0.25, **g), law.geometric(0.25), NUMBERS),
    Filler("geometric_(p=0.75)", lambda x, g: x.geometric_(p=0.75, **g), law.geometric(0.75),
           NUMBERS),
    Filler("random_(7)", lambda x, g: x.random_(7, **g), law.integers(0, 7), NUMBERS),
    Filler("random_(-2, 3)", lambda x, g: x.random_(-2, 3, **g), law.integers(-2, 3), SIGNED),
    Filler("random_(from=5, to=69)", lambda x, g: x.random_(**{"from": 5, "to": 69}, **g),
           law.integers(5, 69), NUMBERS),
    Filler("bernoulli_()", lambda x, g: x.bernoulli_(**g), law.bernoulli(0.5), NOT_COMPLEX),
    Filler("bernoulli_(0.3)", lambda x, g: x.bernoulli_(0.3, **g), law.bernoulli(0.3),
           NOT_COMPLEX),
    Filler("bernoulli_(p=0.9)", lambda x, g: x.bernoulli_(p=0.9, **g), law.bernoulli(0.9),
           NOT_COMPLEX),
)  # fmt: skip
"""`from` is a word of Python, so it is passed by unpacking."""


def _full(torch: Any, shape: Shape, value: float, where: Where) -> Any:
    return torch.full(shape, value, **where)


def _categories(torch: Any, shape: Shape, where: Where, more: More) -> Any:
    """Multinomial draws, a row of them for each index of the leading dimension of a matrix."""
    weights = torch.tensor([1.0, 0.0, 3.0, 4.0], **where)
    if 0 in shape:  # no draw at all is refused
        return torch.zeros(shape, dtype=torch.int64, device=where["device"])
    if len(shape) == 1:
        return torch.multinomial(weights, shape[0], True, **more)
    if len(shape) == 2:
        return torch.multinomial(
            weights.expand(shape[0], 4), num_samples=shape[1], replacement=True, **more
        )
    return weights.multinomial(prod(shape), replacement=True, **more).reshape(shape)


_RAND = law.uniform(0, 1)
_RANDN = law.normal(0, 1)

DRAWS = (
    Sampler("rand", lambda t, s, w, g: t.rand(s, **w, **g), _RAND),
    Sampler("rand(*sizes)", lambda t, s, w, g: t.rand(*s, **w, **g) if s else t.rand((), **w, **g),
            _RAND),
    Sampler("rand(size=)", lambda t, s, w, g: t.rand(size=s, **w, **g), _RAND),
    Sampler("rand_like", lambda t, s, w, g: t.rand_like(t.zeros(s, **w)), _RAND, FLOATS, False),
    Sampler("randn", lambda t, s, w, g: t.randn(s, **w, **g), _RANDN),
    Sampler("randn(*sizes)",
            lambda t, s, w, g: t.randn(*s, **w, **g) if s else t.randn((), **w, **g), _RANDN),
    Sampler("randn_like", lambda t, s, w, g: t.randn_like(t.zeros(s, **w)), _RANDN, FLOATS, False),
    Sampler("normal(mean, std, size)", lambda t, s, w, g: t.normal(2.0, 3.0, s, **w, **g),
            law.normal(2, 3)),
    Sampler("normal(mean=, std=, size=)",
            lambda t, s, w, g: t.normal(mean=-1, std=2, size=s, **w, **g), law.normal(-1, 2)),
    Sampler("normal(tensor, tensor)",
            lambda t, s, w, g: t.normal(_full(t, s, 1, w), _full(t, s, 2, w), **g),
            law.normal(1, 2)),
    Sampler("normal(tensor, number)", lambda t, s, w, g: t.normal(_full(t, s, 1, w), 0.5, **g),
            law.normal(1, 0.5)),
    Sampler("normal(tensor)", lambda t, s, w, g: t.normal(_full(t, s, -1, w), **g),
            law.normal(-1, 1)),
    Sampler("normal(number, tensor)", lambda t, s, w, g: t.normal(3.0, _full(t, s, 2, w), **g),
            law.normal(3, 2)),
    Sampler("randint(high)", lambda t, s, w, g: t.randint(10, s, **w, **g), law.integers(0, 10),
            NUMBERS),
    Sampler("randint(low, high)", lambda t, s, w, g: t.randint(3, 100, s, **w, **g),
            law.integers(3, 100), NUMBERS),
    Sampler("randint(low=, high=, size=)",
            lambda t, s, w, g: t.randint(low=-5, high=4, size=s, **w, **g),
            law.integers(-5, 4), SIGNED),
    Sampler("randint(high=, size=)", lambda t, s, w, g: t.randint(high=64, size=s, **w, **g),
            law.integers(0, 64), NUMBERS),
    Sampler("randint(0, 2)", lambda t, s, w, g: t.randint(0, 2, s, **w, **g),
            law.integers(0, 2), NOT_COMPLEX),
    Sampler("randint_like(x, high)", lambda t, s, w, g: t.randint_like(t.zeros(s, **w), 6),
            law.integers(0, 6), NUMBERS, False),
    Sampler("randint_like(x, low, high)",
            lambda t, s, w, g: t.randint_like(t.zeros(s, **w), -4, 4), law.integers(-4, 4),
            SIGNED, False),
    Sampler("bernoulli", lambda t, s, w, g: t.bernoulli(_full(t, s, 0.3, w), **g),
            law.bernoulli(0.3)),
    Sampler("Tensor.bernoulli", lambda t, s, w, g: _full(t, s, 0.8, w).bernoulli(**g),
            law.bernoulli(0.8)),
    Sampler("bernoulli(x, p)", lambda t, s, w, g: t.bernoulli(t.zeros(s, **w), 0.6, **g),
            law.bernoulli(0.6), NOT_COMPLEX),
    Sampler("bernoulli_(tensor)",
            lambda t, s, w, g: t.zeros(s, **w).bernoulli_(
                t.full(s, 0.2, device=w["device"], dtype=t.float32), **g),
            law.bernoulli(0.2), NOT_COMPLEX),
    Sampler("poisson(0.5)", lambda t, s, w, g: t.poisson(_full(t, s, 0.5, w), **g),
            law.poisson(0.5)),
    Sampler("poisson(4)", lambda t, s, w, g: t.poisson(_full(t, s, 4, w), **g), law.poisson(4)),
    Sampler("poisson(30)", lambda t, s, w, g: t.poisson(_full(t, s, 30, w), **g), law.poisson(30)),
    Sampler("multinomial", _categories, law.categories((0, 1, 2, 3), (1, 0, 3, 4))),
    Sampler("dropout", lambda t, s, w, g: t.nn.functional.dropout(t.ones(s, **w), 0.75),
            law.bernoulli(0.25, 4.0), FLOATS, False),
)  # fmt: skip
"""0.3 and the like are rounded in half precision, by less than so many samples can show."""

SAMPLERS = (*DRAWS, *(filler.sampler() for filler in FILLERS))
BY_NAME = {sampler.name: sampler for sampler in SAMPLERS}
FILLERS_BY_NAME = {filler.name: filler for filler in FILLERS}


def numbers(tensor: Any) -> np.ndarray:
    """The samples of a tensor; those of bfloat16 as float32, which NumPy sorts."""
    return read(tensor.float() if dtype_name(tensor.dtype) == "bfloat16" else tensor)
