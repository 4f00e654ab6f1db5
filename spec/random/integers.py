"""Random integers and permutations."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    layouts,
    place,
    seeds,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import statistics as law
from tenet.spec.model.dtypes import FLOATS, FORMATS, INTEGERS, numpy_dtype
from tenet.spec.model.statistics import agreement
from tenet.spec.random.common import (
    MANY,
    assert_fair,
    assert_follows,
    assert_unsurprising,
    start,
    where,
)

INTEGER_RANGES = (
    (0, 1), (0, 2), (0, 256), (-128, 128), (-1, 1), (-1, 0), (5, 6), (-7, -3), (0, 1000003),
    (0, 2**31), (-(2**31), 2**31), (0, 2**32), (2**40, 2**40 + 3), (-(2**62), 2**62),
    (0, 2**62), (2**62, 2**62 + 2**20), (0, 2**63 - 1), (-(2**63), 2**63 - 1),
)  # fmt: skip
"""Ranges that divide 2^64, or are so much smaller that the remainder shows in no sample."""


@clause("random.integers", thorough=True, covers=["basics.randint"])
def randint_draws_every_integer_but_the_upper_end(torch: Any, device: str) -> None:
    """randint(low, high) is uniform on the integers from low to high - 1, low defaulting to 0
    and the dtype to int64, in every range that the dtype holds; random_(from, to) too, and
    random_() draws from 0 up over the dtype's numbers, of a floating-point dtype up to where it
    holds every whole number."""
    for name in supported(INTEGERS):
        info = np.iinfo(numpy_dtype(name))  # type: ignore[type-var]  # a dtype of INTEGERS
        for low, high in INTEGER_RANGES:
            if low < info.min or high - 1 > info.max:
                continue
            with case(dtype=name, low=low, high=high):
                of, options = law.integers(low, high), where(torch, device, name)
                got = torch.randint(low, high, (MANY // 8,), **options)
                assert_metadata(got, shape=(MANY // 8,), dtype=name)
                assert_follows(read(got), of, name)
                if high - low <= 256:  # each of them is drawn: (1 - 1/256)^16384 < 1e-27
                    expected = np.arange(low, high, dtype=numpy_dtype(name))
                    assert_that(
                        np.array_equal(np.unique(read(got)), expected),
                        f"only {np.unique(read(got))} were drawn",
                    )
                got = torch.zeros(MANY // 8, **options).random_(low, high)
                assert_follows(read(got), of, name)
        with case(dtype=name, function="random_()"):
            got = torch.zeros(MANY // 8, **where(torch, device, name)).random_()
            samples = read(got)
            assert_that(samples.min() >= 0, f"{samples.min()} was drawn")
            assert_that(samples.max() > info.max * 0.75, f"only up to {samples.max()}")
    for name in supported(FLOATS):
        # Up to where neighbours are whole numbers: none of the upper quarter has a chance of
        # 0.75^16384.
        end = 2 ** FORMATS[name].precision
        with case(dtype=name, function="random_()"):
            samples = read(torch.zeros(MANY // 8, **where(torch, device, name)).random_())
            whole = samples.astype(np.float64)
            assert_that(np.array_equal(whole, np.floor(whole)), "not all are whole numbers")
            assert_that(whole.min() >= 0 and whole.max() <= end, f"{whole.max()} was drawn")
            assert_that(whole.max() > end * 0.75, f"only up to {whole.max()}")
    assert_metadata(torch.randint(3, (2, 3), device=device), shape=(2, 3), dtype="int64")
    assert_equal(torch.randint(1, (4,), device=device), np.zeros(4, np.int64))
    assert_equal(torch.randint(7, 8, (), device=device), np.array(7))


@clause("random.permutation", thorough=True, covers=["basics.randperm", "basics.randperm-one-to-n"])
def randperm_holds_every_number_below_n_once(torch: Any, device: str) -> None:
    """randperm(n) holds each of 0, ..., n-1 exactly once (not 1, ..., n), as int64 unless a
    dtype is given, for every n; also through out= and with a generator."""
    generator = torch.Generator(device=device)
    for count in (*LENGTHS, 4, 5, 6, 10, 100, 40000, 70000):
        for name in supported((*INTEGERS, *FLOATS)):
            largest = {"float16": 2048, "bfloat16": 256}.get(name)
            if name in INTEGERS:
                kind = numpy_dtype(name)
                largest = int(np.iinfo(kind).max)  # type: ignore[type-var]  # of INTEGERS
            if (largest is not None and count > largest) or (count > 5000 and name[0] != "i"):
                continue
            with case(n=count, dtype=name):
                expected = np.arange(count).astype(numpy_dtype(name))
                got = torch.randperm(count, **where(torch, device, name))
                assert_metadata(got, shape=(count,), dtype=name)
                values = read(got)
                assert_that(np.array_equal(np.sort(values), expected), f"it holds {values}")
        with case(n=count):
            got = torch.randperm(n=count, device=device, generator=generator)
            assert_metadata(got, shape=(count,), dtype="int64")
            assert_that(np.array_equal(np.sort(read(got)), np.arange(count)), "some repeat")
            if count > 20:
                assert_that(not np.array_equal(read(got), np.arange(count)), "it is sorted")
    assert_raises(torch.randperm, -1, device=device)
    for name in supported(("uint8",)):
        assert_raises(torch.randperm, 300, **where(torch, device, name))


@clause("random.permutation-out", covers=["basics.randperm"], requires={"out", "views"}, effort=4)
@for_all(count=st.sampled_from(LENGTHS), layout=layouts(writable=True), seed=seeds())
def randperm_writes_into_out(torch: Any, device: str, count: int, layout: str, seed: int) -> None:
    """With out= randperm writes the permutation into the given tensor and nowhere else."""
    start(torch, device, seed)
    target = place(torch, device, np.full((count,), -9), layout)
    assert_same_object(torch.randperm(count, out=target.view), target.view)
    got = read(target.view)
    assert_that(np.array_equal(np.sort(got), np.arange(count)), f"it holds {got}")
    assert_equal(target.base, target.after(got))


@clause("random.permutation-uniform", thorough=True, covers=["basics.randperm"])
def every_permutation_is_as_likely_as_any_other(torch: Any, device: str) -> None:
    """All n! orders of randperm(n) are equally likely, and every number is equally likely at
    every place, in every dtype and spelling."""
    rows = 20000
    for count in (2, 3, 4):
        with case(n=count):
            index = {order: i for i, order in enumerate(permutations(range(count)))}
            orders = [tuple(torch.randperm(count, device=device).tolist()) for _ in range(rows)]
            tally = np.bincount([index[order] for order in orders], minlength=len(index))
            assert_unsurprising(tally / rows, rows, 1 / len(index))
    rows = 2000
    for count in (9, 17, 40):
        with case(n=count):
            rounds = [read(torch.randperm(count, device=device)) for _ in range(rows)]
            shares = (np.stack(rounds)[:, :, None] == np.arange(count)).mean(axis=0)
            assert_unsurprising(shares, rows, 1 / count)
    rows, generator = 400, torch.Generator(device=device).manual_seed(3)
    ways: dict[str, dict[str, Any]] = {
        name: where(torch, device, name) for name in supported((*INTEGERS, *FLOATS))
    }
    ways |= {
        "generator": {"device": device, "generator": generator},
        "out": {"out": torch.empty(9, dtype=torch.int64, device=device)},
    }
    for way, options in ways.items():
        with case(way=way):
            rounds = [np.array(read(torch.randperm(9, **options))) for _ in range(rows)]
            shares = (np.stack(rounds)[:, :, None] == np.arange(9)).mean(axis=0)
            assert_unsurprising(shares, rows, 1 / 9)
    for count in (1025, 2**16 + 2, MANY):
        with case(n=count):
            values = read(torch.randperm(count, device=device))
            # Places that are compared once each: by symmetry, fair and independent.
            for lag in (1, count // 4, count // 2):
                blocks = values[: count // (2 * lag) * 2 * lag].reshape(-1, 2, lag)
                rises = blocks[:, 0] < blocks[:, 1]
                assert_fair(agreement(rises.ravel(), np.ones(rises.size, bool)))
            # The first half holds as many small numbers as drawn without replacement.
            small = values[: count // 2] < count // 2
            assert_unsurprising(np.array(small.mean()), count // 2, (count // 2) / count)
