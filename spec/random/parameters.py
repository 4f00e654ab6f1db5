"""Each element is drawn with its own parameters, and parameters have a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    Operand,
    layouts,
    seeds,
    shapes,
    tensor_of,
)
from tenet.spec.cases.samplers import (
    numbers,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import statistics as law
from tenet.spec.model.dtypes import FLOATS, FORMATS, numpy_dtype
from tenet.spec.model.statistics import Law, departure
from tenet.spec.random.common import (
    MANY,
    Shape,
    start,
    where,
)

PARAMETERS = np.array([[0.1, 0.9, 0.5, 0.02], [0.75, 0.3, 0.98, 0.6]])


def _parameter_layouts(torch: Any, device: str, dtype: str) -> Iterator[tuple[str, Any, Any]]:
    """A parameter for each column, for 2048 rows: repeated in memory, transposed, or expanded."""
    row = PARAMETERS.astype(numpy_dtype(dtype)).ravel()
    whole = np.tile(row, (2048, 1))
    yield "contiguous", tensor_of(torch, device, whole), row
    yield "transposed", tensor_of(torch, device, np.ascontiguousarray(whole.T)).t(), row
    yield "expanded", tensor_of(torch, device, row).expand(2048, 8), row
    stepped = np.repeat(whole, 2, axis=1)
    stepped[:, ::2] = 0.99
    yield "stepped", tensor_of(torch, device, stepped)[:, 1::2], row


@clause("random.parameters", thorough=True, covers=["notes.distributions", "basics.normal"])
def each_element_is_drawn_with_its_own_parameter(torch: Any, device: str) -> None:
    """bernoulli, poisson and normal take a tensor of parameters and draw each element with the
    one at its place, however the tensor lies in memory; the parameters stay as they are."""
    for name in supported(FLOATS):
        for layout, given, row in _parameter_layouts(torch, device, name):
            kept = read(given)
            zeros, ones = torch.zeros_like(given), torch.ones_like(given)
            cases: tuple[tuple[str, Any, Callable[[float], Law]], ...] = (
                ("bernoulli", torch.bernoulli(given), law.bernoulli),
                ("bernoulli_", zeros.clone().bernoulli_(given), law.bernoulli),
                ("poisson", torch.poisson(given * 8), lambda p: law.poisson(8 * p)),
                ("normal(mean)", torch.normal(given * 4, ones), lambda p: law.normal(4 * p, 1)),
                ("normal(mean, 2)", torch.normal(given * 4, 2), lambda p: law.normal(4 * p, 2)),
                ("normal(std)", torch.normal(zeros, given), lambda p: law.normal(0, p)),
                ("normal(0, std)", torch.normal(0.0, given), lambda p: law.normal(0, p)),
            )
            for function, got, of in cases:
                with case(function=function, layout=layout, dtype=name):
                    assert_metadata(got, shape=(2048, 8), dtype=name)
                    samples = numbers(got)
                    for column, parameter in enumerate(row.tolist()):
                        problem = departure(samples[:, column], of(parameter), name)
                        assert_that(problem is None, f"column {column}: {problem}")
            with case(layout=layout, dtype=name):
                assert_equal(given, kept)


SCALES = (1e-12, 1e-7, 1e-3, 1e3, 1e7, 1e12)


@clause("random.scales", thorough=True,
        covers=["notes.distributions", "basics.normal", "basics.uniform_"])  # fmt: skip
def parameters_may_be_tiny_and_huge(torch: Any, device: str) -> None:
    """Samples follow their law at every scale, from 1e-12 to 1e12: a normal law of that standard
    deviation, the uniform one on an interval of that length, the exponential one of that mean, the
    Cauchy law of that width."""
    for name, scale in product(supported(("float32", "float64")), SCALES):
        options = where(torch, device, name)
        empty = torch.empty(MANY // 8, **options)
        zeros = torch.zeros_like(empty)
        for function, got, of in (
            ("normal_", empty.clone().normal_(0, scale), law.normal(0, scale)),
            ("normal_, mean", empty.clone().normal_(-scale, scale), law.normal(-scale, scale)),
            ("normal", torch.normal(0.0, scale, empty.shape, **options), law.normal(0, scale)),
            ("normal(std)", torch.normal(0.0, zeros + scale), law.normal(0, scale)),
            ("normal(mean)", torch.normal(zeros + scale, scale), law.normal(scale, scale)),
            ("uniform_", empty.clone().uniform_(-scale, scale), law.uniform(-scale, scale)),
            ("exponential_", empty.clone().exponential_(1 / scale), law.exponential(1 / scale)),
            ("cauchy_", empty.clone().cauchy_(0, scale), law.cauchy(0, scale)),
        ):
            with case(function=function, dtype=name, scale=scale):
                samples = numbers(got)
                problem = departure(samples, of, name)
                assert_that(problem is None, problem or "")
                # Of 2^14 draws from 2^23 equally likely numbers, 16 pairs are equal on average.
                several = samples.size - np.unique(samples).size
                assert_that(several < samples.size // 8, f"{several} of {samples.size} came before")


@clause("random.certainties", covers=["notes.distributions", "basics.normal"], effort=3)
@for_all(
    operand=st.builds(Operand, shapes(max_size=600), layouts(), st.just("small"), seeds()),
    dtype=st.sampled_from(FLOATS),
)
def what_is_impossible_is_never_drawn(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """A probability of 0 never comes true and one of 1 always, element by element; a Poisson
    rate of 0 gives 0, a standard deviation of 0 the mean itself, and the first success takes a
    try; dropout keeps everything with probability 0 and nothing with 1."""
    start(torch, device, operand.seed)
    for name in supported([dtype]):
        whole = operand.array(name)
        x = operand.on(torch, device, name)
        odd = (whole.astype(np.float64) % 2).astype(numpy_dtype(name))
        p = x % 2
        with case(function="bernoulli"):
            assert_equal(torch.bernoulli(p), odd)
            assert_equal(torch.zeros_like(x).bernoulli_(p), odd)
            assert_equal(torch.zeros_like(x).bernoulli_(0), np.zeros_like(odd))
            assert_equal(torch.zeros_like(x).bernoulli_(1), np.ones_like(odd))
        with case(function="poisson"):
            for rate in (50, 800):  # exp(-50) is 2e-22
                drawn_zero = read(torch.poisson(p * rate)) == 0
                assert_that(np.array_equal(drawn_zero, odd == 0), "a rate of 0 gave another number")
        with case(function="geometric_"):
            tries = read(torch.zeros_like(x).geometric_(0.95))
            assert_that((tries >= 1).all(), "less than one try was drawn")
        with case(function="normal"):
            assert_equal(torch.normal(x, 0.0), whole)
            assert_equal(torch.normal(x, torch.zeros_like(x)), whole)
            for mean in (0.0, -2.5):
                still = np.full_like(whole, mean)
                options = where(torch, device, name)
                assert_equal(torch.empty(x.shape, **options).normal_(mean, 0), still)
                assert_equal(torch.normal(mean, 0.0, tuple(x.shape), **options), still)
        dropout = torch.nn.functional.dropout
        with case(function="dropout"):
            assert_equal(dropout(x, 0.0), whole)
            assert_equal(dropout(x, 1.0), np.zeros_like(whole), signed_zero=False)
            assert_equal(dropout(x, 0.5, training=False), whole)
            assert_equal(x, whole)


@clause("random.certainties-of-many", covers=["notes.distributions"], thorough=True)
def what_is_impossible_is_not_drawn_among_many(torch: Any, device: str) -> None:
    """However many are drawn at once, a probability or a weight of 0 never comes true and one of 1
    always, by bernoulli, dropout and multinomial, be there many rows or many categories."""
    start(torch, device, 3)
    for name in supported(FLOATS):
        odd = np.arange(8 * MANY) % 2
        p = tensor_of(torch, device, odd.astype(numpy_dtype(name)))
        with case(function="bernoulli", dtype=name):
            assert_equal(torch.bernoulli(p), odd.astype(numpy_dtype(name)))
            assert_equal(torch.zeros_like(p).bernoulli_(p), odd.astype(numpy_dtype(name)))
            for certain in (0, 1):
                assert_that(bool((p.bernoulli_(certain) == certain).all()), f"of {certain}")
        with case(function="dropout", dtype=name):
            kept = torch.nn.functional.dropout(torch.ones_like(p), 0.0)
            assert_that(bool((kept == 1).all()), "an element was dropped")
    sizes = ((MANY // 2, 2), (3001, 3), (300, 257), (3, MANY // 2))
    for name, (rows, length) in product(supported(("float32", "float64")), sizes):
        for first in (0, 1):
            turn = np.arange(rows)[:, None] + first
            weights = tensor_of(torch, device, ((np.arange(length) + turn) % 2).astype(name))
            with case(function="multinomial", dtype=name, rows=rows, length=length, first=first):
                for count, again in ((1, False), (1, True), (9, True)):
                    got = read(weights.multinomial(count, again))
                    assert_that(bool(((got + turn) % 2 == 1).all()), "one of weight 0")


@clause("random.parameters-out-of-range", covers=["basics.randint", "basics.uniform_",
        "basics.normal", "notes.distributions"])  # fmt: skip
def parameters_outside_their_range_raise(torch: Any, device: str) -> None:
    """An empty range, a negative standard deviation, a rate or scale that is not positive, a
    probability outside [0, 1], and more draws without replacement than categories raise."""
    x = torch.ones(4, device=device)
    negative = torch.full((4,), -1.0, device=device)
    dropout = torch.nn.functional.dropout
    rows: tuple[tuple[str, Callable[..., Any], tuple[Any, ...], tuple[Any, ...]], ...] = (
        ("randint", lambda *a: torch.randint(*a, (2,), device=device), (3, 4), (3, 3)),
        ("randint", lambda *a: torch.randint(*a, (2,), device=device), (-1, 1), (1, -1)),
        ("randint", lambda *a: torch.randint(*a, (2,), device=device), (1,), (0,)),
        ("random_", x.random_, (2, 3), (3, 3)),
        ("uniform_", x.uniform_, (0, 1), (1, 0)),
        ("normal_", x.normal_, (0, 0), (0, -1)),
        ("normal", lambda s: torch.normal(0.0, s, (2,), device=device), (1.0,), (-1.0,)),
        ("normal(tensors)", torch.normal, (x, x.abs()), (x, negative)),
        ("normal(number)", torch.normal, (0.0, x.abs()), (0.0, negative)),
        ("exponential_", x.exponential_, (0.5,), (-0.5,)),
        ("cauchy_", x.cauchy_, (0, 1), (0, -1)),
        ("log_normal_", x.log_normal_, (0, 1), (0, -1)),
        ("geometric_", x.geometric_, (0.5,), (1.5,)),
        ("geometric_", x.geometric_, (0.5,), (0.0,)),
        ("bernoulli_", x.bernoulli_, (1.0,), (1.5,)),
        ("bernoulli_", x.bernoulli_, (0.0,), (-0.5,)),
        ("bernoulli", torch.bernoulli, (torch.ones(4, device=device),), (negative,)),
        ("bernoulli", torch.bernoulli, (torch.zeros(4, device=device),), (negative + 3,)),
        ("dropout", dropout, (x, 0.5), (x, 1.5)),
        ("dropout", dropout, (x, 0.5), (x, -0.1)),
        ("nn.Dropout", torch.nn.Dropout, (1.0,), (1.1,)),
        ("multinomial", torch.multinomial, (torch.ones(4, device=device), 4),
         (torch.ones(4, device=device), 5)),
        ("multinomial", torch.multinomial, (torch.ones(4, device=device), 1),
         (torch.ones(4, device=device), 0)),
        ("multinomial", torch.multinomial, (torch.ones(2, 3, device=device), 1),
         (torch.ones(2, 3, 4, device=device), 1)),
    )  # fmt: skip
    for function, call, valid, invalid in rows:
        with case(function=function):
            assert_that(call(*valid) is not None, "a valid call gave nothing")
            assert_raises(call, *invalid)
    # On the CPU: elsewhere the error comes later, and may take the device with it.
    for function, call, wrong in (
        ("poisson", torch.poisson, [1.0, -1.0]),
        ("multinomial", lambda w: torch.multinomial(w, 1), [1.0, -1.0, 1.0]),
        ("multinomial", lambda w: torch.multinomial(w, 4, True), [1.0, -1.0, 1.0]),
        ("multinomial", lambda w: w.multinomial(1), [0.0, 0.0]),
        ("multinomial", lambda w: w.multinomial(1), [1.0, float("nan")]),
        ("multinomial", lambda w: w.multinomial(1), [1.0, float("inf")]),
    ):
        with case(function=function, parameters=str(wrong)):
            assert_that(call(torch.ones(3)) is not None, "a valid call gave nothing")
            assert_raises(call, torch.tensor(wrong))
    for name, low, high in (("uint8", 0, 256), ("int8", -128, 128), ("int16", 0, 2**15)):
        for dtype in supported([name]):
            with case(function="randint", dtype=dtype):
                options = where(torch, device, dtype)
                assert_metadata(torch.randint(low, high, (2,), **options), dtype=dtype)
                assert_raises(torch.randint, low, high + 1, (2,), **options)
                assert_raises(torch.randint, low - 2**15 - 1, high, (2,), **options)


def _initialisers(
    init: Any, shape: Shape
) -> tuple[
    dict[str, tuple[Callable[..., Any], float]], dict[str, tuple[Callable[..., Any], float]]
]:
    """Calls that fill a weight: those that draw up to a bound, and those of a deviation.

    The fans of a convolution's kernel are its channels times what lies behind them.
    """
    into, out = prod(shape[1:]), shape[0] * prod(shape[2:])
    spans: dict[str, tuple[Callable[..., Any], float]] = {
        "uniform_": (lambda t, **k: init.uniform_(t, -3.0, 3.0, **k), 3.0),
        "kaiming_uniform_": (init.kaiming_uniform_, (6 / into) ** 0.5),
        "kaiming_uniform_, fan_out": (
            lambda t, **k: init.kaiming_uniform_(t, mode="fan_out", **k), (6 / out) ** 0.5),
        "kaiming_uniform_, a": (lambda t, **k: init.kaiming_uniform_(t, 2.0, **k),
                                (2 / 5 * 3 / into) ** 0.5),
        "kaiming_uniform_, linear": (
            lambda t, **k: init.kaiming_uniform_(t, nonlinearity="linear", **k),
            (3 / into) ** 0.5),
        "xavier_uniform_": (init.xavier_uniform_, (6 / (out + into)) ** 0.5),
        "xavier_uniform_, gain": (lambda t, **k: init.xavier_uniform_(t, 2.5, **k),
                                  2.5 * (6 / (out + into)) ** 0.5),
        "trunc_normal_": (lambda t, **k: init.trunc_normal_(t, 0.0, 5.0, -0.5, 0.5, **k), 0.5),
    }  # fmt: skip
    deviations: dict[str, tuple[Callable[..., Any], float]] = {
        "normal_": (lambda t, **k: init.normal_(t, 0.0, 3.0, **k), 3.0),
        "kaiming_normal_": (init.kaiming_normal_, (2 / into) ** 0.5),
        "kaiming_normal_, fan_out": (
            lambda t, **k: init.kaiming_normal_(t, mode="fan_out", **k), (2 / out) ** 0.5),
        "xavier_normal_, gain": (lambda t, **k: init.xavier_normal_(t, 2.5, **k),
                                 2.5 * (2 / (out + into)) ** 0.5),
    }  # fmt: skip
    return spans, deviations


@clause("random.initialisation", covers=["notes.generator", "basics.uniform_", "basics.normal"])
def initialisers_draw_in_place_from_their_range(torch: Any, device: str) -> None:
    """nn.init fills a tensor in place and returns it: kaiming and xavier with numbers of the
    published range or deviation, by the fan that is named and the gain; trunc_normal_ within its
    bounds; orthogonal_ with orthogonal rows or columns. A generator is drawn from instead of the
    global stream, and replays."""
    generator = torch.Generator(device=device)
    for name, shape in product(
        supported(("float32", "float64")), ((40, 160), (40, 16, 10), (8, 50, 4, 4))
    ):
        options = where(torch, device, name)
        spans, deviations = _initialisers(torch.nn.init, shape)
        for function, (fill, size) in {**spans, **deviations}.items():
            with case(function=function, shape=shape, dtype=name):
                target = torch.zeros(shape, **options)
                assert_that(fill(target) is target, "another tensor was returned")
                numbers_ = np.abs(read(target).astype(np.float64))
                if function in spans:
                    assert_that(numbers_.max() <= size * (1 + 1e-6), f"one is {numbers_.max()}")
                    # Of 6400, all within 0.98 of the range: once in 1e56.
                    assert_that(numbers_.max() > 0.98 * size, f"none beyond {numbers_.max()}")
                else:
                    # Off by 1 in sqrt(2 * 6400) = 113 on average; seven of those.
                    deviation = np.sqrt((numbers_**2).mean()) / size
                    assert_that(abs(deviation - 1) < 0.062, f"{deviation} of the deviation")
                start(torch, device, 3)
                expected = read(torch.rand(3, device=device))
                start(torch, device, 3)
                first = read(fill(target, generator=generator.manual_seed(5)))
                assert_equal(torch.rand(3, device=device), expected)
                assert_equal(fill(target, generator=generator.manual_seed(5)), first)
    for name in supported(("float32", "float64")):
        options = where(torch, device, name)
        for mean, low, high in ((0.0, -2.0, 0.5), (1.0, 0.75, 4.0), (-3.0, -2.0, -1.0)):
            with case(function="trunc_normal_", mean=mean, low=low, high=high, dtype=name):
                made = torch.nn.init.trunc_normal_(
                    torch.zeros(6400, **options), mean, 2.0, low, high
                )
                least, most = read(made).min(), read(made).max()
                assert_that(low <= least and most <= high, f"from {least} to {most}")
                # The density is nowhere below 0.3 of its mean: none in 0.02 of it once in 1e16.
                edge = 0.02 * (high - low)
                near = least < low + edge and most > high - edge
                assert_that(near, f"only from {least} to {most}")
        for shape in ((3, 8), (8, 3), (4, 4), (3, 2, 5)):
            with case(function="orthogonal_", shape=shape, dtype=name):
                made = read(torch.nn.init.orthogonal_(torch.zeros(shape, **options), 2.0))
                flat = made.astype(np.float64).reshape(shape[0], -1)
                long, short = max(flat.shape), min(flat.shape)
                square = flat @ flat.T if len(flat) == short else flat.T @ flat
                off = np.abs(square / 4 - np.eye(short)).max()
                # Each of the `short` reflections that make it rounds a column by a gap or two for
                # each of its `long` terms, the gain by half of one; a product of two has both.
                assert_that(off <= 8 * long * short * FORMATS[name].eps, f"off by {off}")
