"""Tensors after the model of another tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, operands, shapes, values
from tenet.spec.cases.factories import sized
from tenet.spec.creation.common import Shape, dtypes
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, Category, category, numpy_dtype
from tenet.spec.model.memory_order import channels_last, dense_strides, row_major


def _like(torch: Any, x: Any, number: Any, **options: Any) -> Iterator[tuple[str, Any, Any]]:
    """The *_like functions that fill, with the number that they fill with."""
    yield "zeros_like", torch.zeros_like(x, **options), 0
    yield "ones_like", torch.ones_like(x, **options), 1
    yield "full_like", torch.full_like(x, number, **options), number
    yield "full_like(fill_value=)", torch.full_like(x, fill_value=number, **options), number


@clause("creation.like", covers=["minicourse.like", "basics.randn-like-override"], effort=4)
@for_all(operand=operands(shapes(max_size=1100)), dtype=dtypes, target=dtypes)
def like_takes_the_shape_and_dtype_of_its_argument(
    torch: Any, device: str, operand: Operand, dtype: str, target: str
) -> None:
    """zeros_like, ones_like and full_like give a new tensor of their argument's shape, dtype and
    device, filled with 0, 1 or the given number; dtype= overrides the dtype. The argument's layout
    does not matter and its elements stay as they are."""
    number = {Category.BOOL: 1, Category.INTEGER: 100}.get(category(target), -0.5)
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        for call, y, fill in _like(torch, x, 7):
            with case(call=call, dtype=name):
                assert_equal(y, np.full(operand.shape, fill, numpy_dtype(name)))
        for other in supported([target]):
            for call, y, fill in _like(torch, x, number, dtype=getattr(torch, other)):
                with case(call=call, dtype=other):
                    assert_equal(y, np.full(operand.shape, fill, numpy_dtype(other)))
        assert_equal(x, operand.array(name))


def _random_like(torch: Any, x: Any, **options: Any) -> Iterator[tuple[str, Any]]:
    yield "rand_like", torch.rand_like(x, **options)
    yield "randn_like", torch.randn_like(x, **options)


@clause(
    "creation.like-metadata",
    covers=["basics.randn-like-override", "minicourse.like"],
    metadata_only=True,
    effort=4,
)
@for_all(shape=shapes(), dtype=dtypes, target=dtypes)
def like_keeps_the_size_and_lets_the_dtype_be_overridden(
    torch: Any, device: str, shape: Shape, dtype: str, target: str
) -> None:
    """Every *_like function keeps the size of its argument; the dtype is the argument's, or the one
    given as dtype=, such as the float dtype in which random numbers are drawn like integers."""
    for name in supported([dtype]):
        x = torch.zeros(shape, dtype=getattr(torch, name), device=device)
        assert_metadata(torch.empty_like(x), shape=shape, dtype=name)
        assert_metadata(torch.zeros_like(x), shape=shape, dtype=name)
        assert_metadata(torch.ones_like(input=x), shape=shape, dtype=name)
        if category(name) is Category.FLOAT:
            for call, y in _random_like(torch, x):
                with case(call=call):
                    assert_metadata(y, shape=shape, dtype=name)
        if category(name) in (Category.FLOAT, Category.INTEGER):
            assert_metadata(torch.randint_like(x, 9), shape=shape, dtype=name)
        for other in supported([target]):
            given = getattr(torch, other)
            with case(override=other):
                assert_metadata(torch.empty_like(x, dtype=given), shape=shape, dtype=other)
                assert_metadata(torch.zeros_like(x, dtype=given), shape=shape, dtype=other)
                assert_metadata(torch.full_like(x, 1, dtype=given), shape=shape, dtype=other)
            if category(other) is Category.FLOAT:
                for call, y in _random_like(torch, x, dtype=given):
                    with case(call=call, override=other):
                        assert_metadata(y, shape=shape, dtype=other)
            if category(other) in (Category.FLOAT, Category.INTEGER):
                y = torch.randint_like(x, 0, 9, dtype=given)
                assert_metadata(y, shape=shape, dtype=other)


_LIKE = ("empty_like", "zeros_like", "ones_like", "rand_like", "randn_like")


@clause(
    "creation.memory-format",
    covers=["minicourse.like", "dlnotes.empty"],
    requires={"views"},
    metadata_only=True,
    effort=2,
)
@for_all(
    shape=shapes(min_rank=2, max_rank=5, empty=False),
    rotation=st.integers(0, 4),
    dtype=st.sampled_from(FLOATS),
)
def a_dense_layout_is_kept_unless_another_is_asked_for(
    torch: Any, device: str, shape: Shape, rotation: int, dtype: str
) -> None:
    """A *_like result has the strides of an argument that fills its memory, in whatever order;
    memory_format=contiguous_format makes it contiguous, and channels_last (rank 4) or
    channels_last_3d (rank 5) lets dimension 1 vary fastest. empty_strided takes strides."""
    rank = len(shape)
    # Without dimensions of length 1, whose stride says nothing.
    shape = tuple(max(length, 2) for length in shape)
    order = tuple((dim + rotation) % rank for dim in range(rank))
    dense = dense_strides(shape, order)
    wanted = [({}, dense), ({"memory_format": torch.preserve_format}, dense)]
    wanted += [({"memory_format": torch.contiguous_format}, row_major(shape))]
    if rank >= 4:
        last = torch.channels_last if rank == 4 else torch.channels_last_3d
        wanted += [({"memory_format": last}, channels_last(shape))]
    for name in supported([dtype]):
        options = {"dtype": getattr(torch, name), "device": device}
        x = torch.empty_strided(shape, dense, **options)
        assert_metadata(x, shape=shape, dtype=name, stride=dense)
        for given, stride in wanted:
            for call in _LIKE:
                with case(call=call, **given):
                    y = getattr(torch, call)(x, **given)
                    assert_metadata(y, shape=shape, dtype=name, stride=stride)
        for given, stride in wanted[2:]:
            with case(call="empty", **given):
                assert_metadata(torch.empty(shape, **options, **given), stride=stride)


@clause("creation.new", covers=["basics.new-ones"], effort=4)
@for_all(
    shape=shapes(max_size=300),
    layout=layouts(),
    dtype=dtypes,
    target=dtypes,
)
def new_methods_take_dtype_and_device_from_their_tensor(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, target: str
) -> None:
    """new_zeros, new_ones, new_full, new_empty and new_tensor give a tensor of the given size or
    data, with the dtype and device of the tensor that they are called on unless others are given.
    That tensor's own shape, strides and elements play no part and stay as they are."""
    stride = None if 0 in shape else row_major(shape)
    data = values(tuple(min(n, 3) for n in shape if n), "bool")
    operand = Operand((3, 2), layout)
    number = {Category.BOOL: 1, Category.INTEGER: 100}.get(category(target), -0.5)
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        for other in supported([name] if name == target else [name, target]):
            given = {} if other == name else {"dtype": getattr(torch, other), "device": device}
            kind = numpy_dtype(other)
            with case(dtype=other):
                for call in ("new_zeros", "new_ones", "new_empty"):
                    for spelling, y in sized(getattr(x, call), shape, **given):
                        with case(call=call, size=spelling):
                            assert_metadata(y, shape=shape, dtype=other, stride=stride)
                assert_equal(x.new_zeros(shape, **given), np.zeros(shape, kind))
                assert_equal(x.new_ones(shape, **given), np.ones(shape, kind))
                assert_equal(x.new_full(shape, 7, **given), np.full(shape, 7, kind))
                if given:
                    assert_equal(x.new_full(shape, number, **given), np.full(shape, number, kind))
                assert_equal(x.new_tensor(data.tolist(), **given), data.astype(kind))
                # An array's own dtype plays no part either.
                assert_equal(x.new_tensor(data.astype(np.int16), **given), data.astype(kind))
        assert_equal(x, operand.array(name))


_NEW = ("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor")


@clause("creation.new-is-a-method", covers=["basics.new-ones-function"])
def new_is_asked_of_a_tensor_not_of_the_module(torch: Any, device: str) -> None:
    """Erratum: torch.new_ones(5, 3) does not exist. new_zeros, new_ones, new_full, new_empty and
    new_tensor are methods of a tensor, as in x.new_ones(5, 3)."""
    x = torch.zeros(2, dtype=torch.int32, device=device)
    for name in _NEW:
        with case(name=name):
            assert_that(not hasattr(torch, name), f"the module has a function {name}")
            assert_that(callable(getattr(x, name, None)), f"a tensor has no method {name}")
    assert_equal(x.new_ones(5, 3), np.ones((5, 3), np.int32))
