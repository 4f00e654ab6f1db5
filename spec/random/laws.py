"""Samples follow the law that they are named for, at every length and in every layout."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from math import prod
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    layouts,
    place,
    seeds,
    shapes,
)
from tenet.spec.cases.samplers import (
    BY_NAME,
    FILLERS,
    FILLERS_BY_NAME,
    SAMPLERS,
    SIGNED,
    numbers,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import statistics as law
from tenet.spec.model.dtypes import FLOATS, numpy_dtype
from tenet.spec.model.statistics import Law, agreement, departure
from tenet.spec.random.common import (
    DRAWN,
    LAWS,
    MANY,
    Shape,
    assert_fair,
    assert_follows,
    drawn,
    start,
    where,
)


@clause("random.laws", thorough=True, covers=LAWS)
def samples_follow_the_law_that_they_are_named_for(torch: Any, device: str) -> None:
    """rand is uniform on [0, 1), randn normal of mean 0 and standard deviation 1, normal of the
    given ones, uniform_ uniform on [from, to), randint and random_ on the integers of
    [low, high); bernoulli, poisson, multinomial, exponential_, cauchy_, log_normal_, geometric_
    and dropout sample what they name, in every dtype and spelling."""
    for sampler in SAMPLERS:
        for name in supported(sampler.dtypes):
            with case(sampler=sampler.name, dtype=name):
                count = MANY if name in ("float32", "int64") else MANY // 4
                got = drawn(torch, device, sampler, (count,), name)
                assert_follows(numbers(got), sampler.law, name)


@clause("random.moments", thorough=True, covers=["dlnotes.randn-moments", "basics.normal"])
def normal_samples_have_their_mean_and_standard_deviation(torch: Any, device: str) -> None:
    """A million samples of randn have mean 0 and standard deviation 1, and those of normal and
    normal_ the given ones, within what chance allows."""
    for sampler in SAMPLERS:
        if sampler.law.normal is None:
            continue
        for name in supported(("float32", "float64")):
            with case(sampler=sampler.name, dtype=name):
                count = 8 * MANY if name == "float32" else 2 * MANY
                samples = read(drawn(torch, device, sampler, (count,), name))
                assert_follows(samples, sampler.law, name)
                assert_fair(law.unlikely_moments(samples, *sampler.law.normal, name))


@clause("random.complex-normal", covers=["dlnotes.randn-moments"])
def complex_normal_samples_have_independent_parts(torch: Any, device: str) -> None:
    """The real and the imaginary part of a complex randn are independent normal numbers of
    variance 1/2, so that the whole has variance 1."""
    part = law.normal(0, 0.5**0.5)
    for name in supported(("complex64", "complex128")):
        options = where(torch, device, name)
        for got in (torch.randn(MANY, **options), torch.randn_like(torch.zeros(MANY, **options))):
            with case(dtype=name):
                assert_metadata(got, shape=(MANY,), dtype=name)
                samples = read(got)
                for values in (samples.real, samples.imag):
                    assert_follows(values, part, "float32")
                    assert_fair(law.unlikely_moments(values, 0, 0.5**0.5, "float32"))
                assert_fair(agreement(samples.real > 0, samples.imag > 0))


RANGES = ((0, 1), (1, 2), (-1, 1), (0.5, 0.75), (-3, 5), (0, 1000), (1000, 1001), (-2, -1))


@clause("random.half-open", thorough=True,
        covers=["dlnotes.rand-range", "basics.uniform_", "notes.distributions"])  # fmt: skip
def the_upper_end_is_never_drawn(torch: Any, device: str) -> None:
    """rand may draw 0 but never 1, and uniform_(from, to) may draw `from` but never `to`: also
    in half precision, where numbers just below the end are easily rounded up to it.
    exponential_ never draws 0."""
    for name in supported(FLOATS):
        options = where(torch, device, name)
        for low, high in RANGES:
            if float(numpy_dtype(name).type(high)) != high:
                continue
            with case(dtype=name, low=low, high=high):
                samples = numbers(torch.zeros(MANY, **options).uniform_(low, high))
                assert_that(low <= samples.min(), f"{samples.min()} was drawn")
                assert_that(samples.max() < high, f"{samples.max()} was drawn")
        with case(dtype=name, function="rand"):
            samples = numbers(torch.rand(MANY, **options))
            assert_that(samples.min() >= 0 and samples.max() < 1, f"{samples.max()} was drawn")
            # Of a continuous law; half precision cannot hold so many different numbers.
            if name in ("float32", "float64"):
                different = np.unique(samples[: MANY // 2]).size
                assert_that(different > MANY // 4, f"only {different} of {MANY // 2} differ")
    # The documentation excludes 0 from exponential_; float16 alone is too coarse to keep to it.
    for name in supported(("float32", "float64", "bfloat16")):
        with case(dtype=name, function="exponential_"):
            samples = numbers(torch.zeros(MANY, **where(torch, device, name)).exponential_())
            assert_that(samples.min() > 0, "0 was drawn")
    # In float32, one number in 2^24 or 2^25 lies next to the end.
    target = torch.zeros(8 * MANY, device=device)
    for turn in range(64):
        got = target.uniform_() if turn % 4 == 3 else torch.rand(8 * MANY, device=device)
        largest = read(got).max()
        assert_that(largest < 1, f"{largest} was drawn")


def _repeats(matrix: np.ndarray, dtype: str) -> str | None:
    """Why the columns of a matrix of a continuous law cannot be independent of each other.

    No value of it has a larger probability than 2^-20, in half precision 2^-5.
    """
    rows, length = matrix.shape
    chance = np.asarray(2.0**-20 if dtype in ("float32", "float64") else 2.0**-5)
    for column in {0, length // 2, length - 1}:
        same = (matrix == matrix[:, column : column + 1]).mean(axis=0)
        same[column] = 0
        surprise = law.surprise(same, rows, np.zeros(()), chance)
        if surprise.max() > law.limit(3 * length):
            other = int(surprise.argmax())
            return f"elements {column} and {other} are equal in {same[other]:.2f} of {rows} draws"
    if rows > 1:
        same = (matrix[1:] == matrix[0]).mean(axis=0)
        surprise = law.surprise(same, rows - 1, np.zeros(()), chance)
        if surprise.max() > law.limit(length):
            return f"element {int(surprise.argmax())} repeats {matrix[0, surprise.argmax()]}"
    return None


TAILED = ("rand", "randn", "uniform_(-3, 5)", "normal(mean, std, size)", "exponential_()",
          "log_normal_()", "rand_like", "randn_like", "normal(tensor, tensor)", "normal_(2, 0.5)",
          "bernoulli_(0.3)", "randint(low, high)", "dropout", "poisson(4)")  # fmt: skip


@clause("random.every-length", thorough=True, covers=LAWS)
def every_element_is_a_sample_of_its_own_at_every_length(torch: Any, device: str) -> None:
    """However long a tensor is, and however many dimensions it has, each element down to the last
    follows the law, and none repeats another or the draw before."""
    several = [(2,) * rank for rank in range(2, 8)] + [(3, 2, 1, 2, 2, 5)]
    for name, shape in product(TAILED, [*((length,) for length in LENGTHS if length), *several]):
        sampler = BY_NAME[name]
        kinds = FLOATS
        for dtype in supported(kinds if prod(shape) < 2000 else kinds[:1]):
            with case(sampler=name, shape=shape, dtype=dtype):
                draws = [drawn(torch, device, sampler, shape, dtype) for _ in range(24)]
                matrix = np.stack([numbers(draw).ravel() for draw in draws])
                problem = departure(matrix, sampler.law, dtype)
                for column in (0, -1):
                    problem = problem or departure(matrix[:, column], sampler.law, dtype)
                if not sampler.law.discrete:
                    problem = problem or _repeats(matrix, dtype) or _repeats(matrix.T, dtype)
                assert_fair(problem)
    for name, shape, layout in product(
        ("rand_like", "randn_like"), ((5, 4), (3, 5, 2), (33, 17)), ("transposed", "stepped")
    ):
        for dtype in supported(FLOATS):
            like = place(torch, device, np.zeros(shape, numpy_dtype(dtype)), layout).view
            with case(sampler=name, shape=shape, dtype=dtype, like=layout):
                draws = [getattr(torch, name)(like) for _ in range(24)]
                matrix = np.stack([numbers(draw).ravel() for draw in draws])
                problem = departure(matrix, BY_NAME[name].law, dtype)
                assert_fair(problem or _repeats(matrix, dtype) or _repeats(matrix.T, dtype))


@clause("random.in-place", covers=["basics.uniform_", "notes.distributions"],
        requires={"in-place", "views"}, effort=5)  # fmt: skip
@for_all(
    shape=shapes(max_size=2000),
    layout=layouts(writable=True),
    how=st.sampled_from([(filler.name, dtype) for filler in FILLERS for dtype in filler.dtypes]),
    seed=seeds(),
)
def refilling_a_view_touches_nothing_else(
    torch: Any, device: str, shape: Shape, layout: str, how: tuple[str, str], seed: int
) -> None:
    """uniform_, normal_, random_, bernoulli_, exponential_ and their kin refill the tensor
    itself, every element of it and nothing around it, in any layout, and return it; a generator
    of the same seed refills it alike."""
    filler = FILLERS_BY_NAME[how[0]]
    generator = torch.Generator(device=device)
    start(torch, device, seed)
    for name in supported(how[1:]):
        before = np.full(shape, -9 if name in SIGNED else 1).astype(numpy_dtype(name))
        target = place(torch, device, before, layout)
        around = read(target.base)
        assert_same_object(filler.fill(target.view, {}), target.view)
        got = read(target.view)
        assert_equal(target.base, target.after(got))
        target.arrangement.of_array(around)[...] = got
        assert_equal(target.base, around)
        samples = got.astype(np.float32) if name == "bfloat16" else got
        assert_follows(samples, filler.law, name)
        if not filler.law.discrete and name in ("float32", "float64") and got.size > 4:
            different = np.unique(got).size
            assert_that(2 * different > got.size, f"only {different} of {got.size} differ")
        first, second = (
            read(filler.fill(target.view, {"generator": generator.manual_seed(seed)}))
            for _ in range(2)
        )
        replayed = np.array_equal(first, second, equal_nan=True)
        assert_that(replayed, "the generator was not drawn from")


def _into(torch: Any, out: Any, shape: Shape, device: str) -> list[tuple[str, Any, Law]]:
    """The functions that write into out=, called; with the laws that they write."""
    dtype = out.dtype
    half = torch.full(shape, 0.5, dtype=dtype, device=device)
    return [
        ("rand", lambda: torch.rand(shape, out=out), law.uniform(0, 1)),
        ("randn", lambda: torch.randn(shape, out=out), law.normal(0, 1)),
        ("randint(high)", lambda: torch.randint(9, shape, out=out), law.integers(0, 9)),
        ("randint", lambda: torch.randint(-3, 9, shape, out=out), law.integers(-3, 9)),
        ("normal(mean, std)", lambda: torch.normal(1.0, 2.0, shape, out=out), law.normal(1, 2)),
        ("normal(tensors)", lambda: torch.normal(half, half, out=out), law.normal(0.5, 0.5)),
        ("normal(tensor)", lambda: torch.normal(half, 1.0, out=out), law.normal(0.5, 1)),
        ("normal(number)", lambda: torch.normal(0.0, half, out=out), law.normal(0, 0.5)),
        ("bernoulli", lambda: torch.bernoulli(half, out=out), law.bernoulli(0.5)),
    ]


@clause("random.out", covers=LAWS, requires={"out", "views"})
@for_all(
    shape=shapes(max_size=1100),
    layout=layouts(writable=True),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def samples_are_written_into_out(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, seed: int
) -> None:
    """With out= rand, randn, randint, normal and bernoulli write their samples into the given
    tensor and nowhere else, and return it."""
    start(torch, device, seed)
    for name in supported([dtype]):
        target = place(torch, device, np.full(shape, -9.0).astype(numpy_dtype(name)), layout)
        for function, call, of in _into(torch, target.view, shape, device):
            with case(function=function):
                assert_same_object(call(), target.view)
                got = read(target.view)
                assert_equal(target.base, target.after(got))
                samples = got.astype(np.float32) if name == "bfloat16" else got
                assert_follows(samples, of, name)


@clause("random.shapes", covers=LAWS, metadata_only=True, effort=8)
@for_all(how=st.sampled_from(DRAWN), shape=shapes())
def draws_have_the_shape_and_dtype_asked_for(
    torch: Any, device: str, how: tuple[str, str], shape: Shape
) -> None:
    """A draw has the shape, the dtype and the device that it was asked for, also with no
    element and with no dimension."""
    sampler = BY_NAME[how[0]]
    for size, name in product({shape, ()}, supported(how[1:])):
        got = drawn(torch, device, sampler, size, name)
        assert_metadata(got, shape=size)
        assert_that(got.device.type == device.partition(":")[0], f"it is on {got.device}")


_CONTINUOUS: dict[str, Callable[[Any, Any], Any]] = {
    "rand": lambda torch, x: torch.rand(64, dtype=x.dtype, device=x.device),
    "randn": lambda torch, x: torch.randn(64, dtype=x.dtype, device=x.device),
    "rand_like": lambda torch, x: torch.rand_like(x),
    "randn_like": lambda torch, x: torch.randn_like(x),
    "uniform_": lambda torch, x: x.clone().uniform_(-1, 1),
    "normal_": lambda torch, x: x.clone().normal_(0.5, 2),
    "normal": lambda torch, x: torch.normal(x, x + 1),
    "exponential_": lambda torch, x: x.clone().exponential_(),
}


@clause("random.low-bits", covers=LAWS)
def samples_are_drawn_in_their_own_precision(torch: Any, device: str) -> None:
    """float64 samples of a continuous law are no float32 numbers, float32 ones no bfloat16
    numbers: of 64, more than half would be with a probability below 1e-16 only."""
    for dtype, coarse in (("float64", "float32"), ("float32", "bfloat16")):
        for name in supported((dtype,)):
            zeros = torch.zeros(64, **where(torch, device, name))
            for draw, does in _CONTINUOUS.items():
                with case(draw=draw, dtype=name):
                    start(torch, device, 5)
                    got = does(torch, zeros)
                    assert_metadata(got, shape=(64,), dtype=name)
                    samples = read(got)
                    same = samples.astype(numpy_dtype(coarse)).astype(samples.dtype) == samples
                    assert_that(same.sum() <= 32, f"{same.sum()} of 64 have the bits of {coarse}")


class Rare(NamedTuple):
    """What happens seldom: how it is drawn, when it happened, and how likely it is."""

    draw: Callable[[Any, int, dict[str, Any]], Any]
    happened: Callable[[np.ndarray], np.ndarray]
    chance: float
    samples: int


_BEYOND_4 = 2 * NormalDist().cdf(-4)
_RARE: dict[str, Rare] = {
    "randn": Rare(lambda t, n, w: t.randn(n, **w), lambda x: np.abs(x) > 4, _BEYOND_4, 8 * MANY),
    "randn_like": Rare(
        lambda t, n, w: t.randn_like(t.zeros(n, **w)), lambda x: np.abs(x) > 4, _BEYOND_4, 8 * MANY
    ),
    "normal_": Rare(
        lambda t, n, w: t.zeros(n, **w).normal_(2, 0.5), lambda x: np.abs(x - 2) > 2, _BEYOND_4,
        8 * MANY,
    ),
    "normal": Rare(
        lambda t, n, w: t.normal(t.ones(n, **w), 3), lambda x: np.abs(x - 1) > 12, _BEYOND_4,
        8 * MANY,
    ),
    "log_normal_": Rare(
        lambda t, n, w: t.zeros(n, **w).log_normal_(0, 0.5), lambda x: np.abs(np.log(x)) > 2,
        _BEYOND_4, 8 * MANY,
    ),
    "exponential_": Rare(
        lambda t, n, w: t.zeros(n, **w).exponential_(2), lambda x: x > 4.5, math.exp(-9), 8 * MANY
    ),
    "cauchy_": Rare(
        lambda t, n, w: t.zeros(n, **w).cauchy_(), lambda x: np.abs(x) > 5000,
        2 / math.pi * math.atan(1 / 5000), 8 * MANY,
    ),
    "bernoulli_": Rare(
        lambda t, n, w: t.zeros(n, **w).bernoulli_(0.001), lambda x: x == 1, 0.001, MANY
    ),
    "bernoulli": Rare(
        lambda t, n, w: t.bernoulli(t.full((n,), 0.001, **w)), lambda x: x == 1, 0.001, MANY
    ),
    "almost always": Rare(
        lambda t, n, w: t.zeros(n, **w).bernoulli_(0.999), lambda x: x == 0, 0.001, MANY
    ),
    "geometric_": Rare(
        lambda t, n, w: t.zeros(n, **w).geometric_(0.02), lambda x: x > 300, 0.98**300, MANY
    ),
    "dropout": Rare(
        lambda t, n, w: t.nn.functional.dropout(t.ones(n, **w), 0.999), lambda x: x != 0, 0.001,
        MANY,
    ),
    "multinomial": Rare(
        lambda t, n, w: t.multinomial(t.tensor([999.0, 1.0], **w), n, True), lambda x: x == 1,
        0.001, MANY,
    ),
    "rand": Rare(lambda t, n, w: t.rand(n, **w), lambda x: x < 0.001, 0.001, MANY),
    "rand near 1": Rare(lambda t, n, w: t.rand(n, **w), lambda x: x > 0.999, 0.001, MANY),
}  # fmt: skip


@clause("random.rare-events", thorough=True, covers=LAWS)
def what_is_rare_happens_as_often_as_it_should(torch: Any, device: str) -> None:
    """Far from the middle the laws hold, too: normal numbers lie beyond four standard deviations,
    exponential and Cauchy ones far out, a small probability comes true and a large one fails, as
    often as their laws say; and a Poisson number of a larger rate is not a rounded normal one."""
    for (name, rare), dtype in product(_RARE.items(), supported(("float32", "float64"))):
        with case(draw=name, dtype=dtype):
            got = rare.draw(torch, rare.samples, where(torch, device, dtype))
            share = np.asarray(rare.happened(read(got)).mean())
            give = law.slack(dtype)
            low, high = np.asarray(rare.chance - give), np.asarray(rare.chance + give)
            surprise = law.surprise(share, rare.samples, low, high)
            assert_that(
                bool(surprise <= law.limit(1)),
                f"{share} of {rare.samples} samples, not {rare.chance:.6f}",
            )
    for rate, dtype in product((20, 60, 300, 20_000), supported(("float32", "float64"))):
        with case(draw="poisson", rate=rate, dtype=dtype):
            rates = torch.full((MANY,), float(rate), **where(torch, device, dtype))
            assert_follows(read(torch.poisson(rates)), law.poisson(rate), dtype)
