"""Each element is drawn with its own parameters, and parameters have a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from tenet.spec.model.dtypes import FLOATS, numpy_dtype
from tenet.spec.model.statistics import Law, departure
from tenet.spec.random.common import (
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


@clause("random.certainties", covers=["notes.distributions", "basics.normal"], effort=3)
@for_all(
    operand=st.builds(Operand, shapes(max_size=600), layouts(), st.just("small"), seeds()),
    dtype=st.sampled_from(FLOATS),
)
def what_is_impossible_is_never_drawn(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """A probability of 0 never comes true and one of 1 always, element by element; a Poisson
    rate of 0 gives 0 and a standard deviation of 0 the mean itself; dropout keeps everything
    with probability 0 and nothing with 1."""
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
            drawn_zero = read(torch.poisson(p * 50)) == 0  # exp(-50) is 2e-22
            assert_that(np.array_equal(drawn_zero, odd == 0), "a rate of 0 gave another number")
        with case(function="normal"):
            assert_equal(torch.normal(x, 0.0), whole)
            assert_equal(torch.normal(x, torch.zeros_like(x)), whole)
        dropout = torch.nn.functional.dropout
        with case(function="dropout"):
            assert_equal(dropout(x, 0.0), whole)
            assert_equal(dropout(x, 1.0), np.zeros_like(whole), signed_zero=False)
            assert_equal(dropout(x, 0.5, training=False), whole)
            assert_equal(x, whole)


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
    for name, low, high in (("uint8", 0, 256), ("int8", -128, 128), ("int16", 0, 2**15)):
        for dtype in supported([name]):
            with case(function="randint", dtype=dtype):
                options = where(torch, device, dtype)
                assert_metadata(torch.randint(low, high, (2,), **options), dtype=dtype)
                assert_raises(torch.randint, low, high + 1, (2,), **options)
                assert_raises(torch.randint, low - 2**15 - 1, high, (2,), **options)
