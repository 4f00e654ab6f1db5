"""Tensors filled by their shape."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import shapes
from tenet.spec.cases.factories import sized
from tenet.spec.creation.common import INFERRED, Shape, dtypes, numbers_in
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, Category, category, numpy_dtype
from tenet.spec.model.memory_order import row_major


@clause(
    "creation.zeros-and-ones", covers=["minicourse.zeros-ones", "basics.dtype-argument"], effort=8
)
@for_all(shape=shapes(), dtype=dtypes)
def zeros_and_ones_fill_the_shape(torch: Any, device: str, shape: Shape, dtype: str) -> None:
    """zeros and ones give a tensor of the given shape and dtype, float32 by default, in which every
    element is 0 or 1; the size is given as a tuple, as a list, as size= or number by number."""
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        for factory, number in ((torch.zeros, 0), (torch.ones, 1)):
            expected = np.full(shape, number, numpy_dtype(name))
            for spelling, x in sized(factory, shape, **options):
                with case(value=number, size=spelling):
                    assert_equal(x, expected)


@clause("creation.full", covers=["basics.dtype-argument"], effort=8)
@for_all(shape=shapes(), dtype=dtypes, which=st.integers(0, 11))
def full_fills_the_shape_with_one_value(
    torch: Any, device: str, shape: Shape, dtype: str, which: int
) -> None:
    """full gives every element the one given value, exactly: integer extremes, -0.0, infinities and
    NaN too. Without dtype= the kind of the value decides, as in torch.tensor; with it, and of a
    tensor that is filled or imitated, the dtype does, and cuts a fraction off."""
    numbers = numbers_in(dtype)
    number = numbers[which % len(numbers)]
    for name in supported([dtype]):
        expected = np.full(shape, number).astype(numpy_dtype(name))
        options = {"dtype": getattr(torch, name), "device": device}
        x = torch.empty(shape, **options)
        assert_equal(torch.full(shape, number, **options), expected)
        assert_equal(torch.full(size=list(shape), fill_value=number, **options), expected)
        assert_equal(x.new_full(shape, number), expected)
        assert_equal(torch.full_like(x, number), expected)
        if INFERRED[category(name)] == name:
            assert_equal(torch.full(shape, number, device=device), expected)
        for other in (True, 3, 2.5):
            with case(value=other):
                expected = np.full(shape, other).astype(numpy_dtype(name))
                assert_equal(torch.full(shape, other, **options), expected)
                assert_equal(x.new_full(shape, other), expected)
                assert_equal(torch.full_like(x, other), expected)


@clause(
    "creation.sizes",
    covers=["dlnotes.empty", "minicourse.rand", "minicourse.zeros-ones", "basics.dtype-argument"],
    metadata_only=True,
    effort=8,
)
@for_all(shape=shapes(), dtype=dtypes)
def every_spelling_of_a_size_gives_that_shape(
    torch: Any, device: str, shape: Shape, dtype: str
) -> None:
    """empty, zeros, ones, rand and randn give a contiguous tensor of the given shape and dtype,
    float32 by default, however the size is spelt; what empty holds is not defined."""
    stride = None if 0 in shape else row_major(shape)
    factories = ["empty", "zeros", "ones"]
    if category(dtype) is Category.FLOAT:
        factories = ["rand", "empty", "randn"]
    for name in supported([dtype]):
        options = {} if name == "float32" else {"dtype": getattr(torch, name)}
        for factory in factories:
            for spelling, x in sized(getattr(torch, factory), shape, device=device, **options):
                with case(factory=factory, size=spelling):
                    assert_metadata(x, shape=shape, dtype=name, stride=stride)


def _drawn(torch: Any, shape: Shape, options: dict[str, Any]) -> list[tuple[str, Any]]:
    """rand in every spelling of the size; the same numbers whenever the example is repeated."""
    before = torch.get_rng_state()
    torch.manual_seed(prod(shape) + 1)
    try:
        return list(sized(torch.rand, shape, **options))
    finally:
        torch.set_rng_state(before)


@clause("creation.rand", covers=["minicourse.rand", "dlnotes.rand-range"], effort=1.5)
@for_all(shape=shapes(), dtype=st.sampled_from(FLOATS))
def rand_fills_the_shape_with_samples(torch: Any, device: str, shape: Shape, dtype: str) -> None:
    """rand gives samples of [0, 1), float32 by default: 0 may appear, 1 never. The elements are
    drawn one by one, and a second call draws others."""
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        made = _drawn(torch, shape, options)
        drawn = [read(x).astype(np.float64) for _, x in made]
        for (spelling, x), samples in zip(made, drawn, strict=True):
            with case(size=spelling):
                assert_metadata(x, shape=shape, dtype=name)
                inside = ((samples >= 0) & (samples < 1)).all()
                assert_that(inside, "a sample outside [0, 1)")
                if samples.size >= 15:
                    # Of float16's 2048 equally likely numbers: a chance below 2^-150.
                    assert_that((samples != samples.flat[-1]).any(), "all samples are equal")
        if prod(shape) >= 15:
            assert_that((drawn[0] != drawn[1]).any(), "a second call draws the same samples")


@clause("creation.tensor-of-sizes", covers=["basics.Tensor-sizes"], effort=5)
@for_all(shape=shapes(min_rank=1))
def torch_Tensor_takes_sizes(torch: Any, device: str, shape: Shape) -> None:  # noqa: N802 - its name
    """torch.Tensor(5, 3) makes a float32 tensor of that shape, whose elements are not defined;
    torch.Tensor([5, 3]), given a list, makes one of these elements."""
    stride = None if 0 in shape else row_major(shape)
    assert_metadata(torch.Tensor(*shape), shape=shape, dtype="float32", stride=stride)
    assert_equal(torch.Tensor(list(shape)), np.array(shape, np.float32))
    assert_metadata(torch.Tensor(), shape=(0,), dtype="float32")
