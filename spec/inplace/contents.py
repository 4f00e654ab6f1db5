"""Tensors that are filled, copied into, and given another shape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from itertools import product
from operator import methodcaller
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    WRITABLE,
    Operand,
    broadcast_shapes,
    broadcastable,
    incompatible_shapes,
    place,
    selections,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.inplace.common import (
    UNDERSCORE,
    Array,
    Pair,
    Shape,
    assert_changes,
    iadd,
    pairs,
    shows_kind,
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
    supported,
)
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    FLOATS,
    FORMATS,
    INTEGERS,
    REAL,
    numpy_dtype,
)

setitem: Callable[..., Any] = operator.setitem


@clause(
    "inplace.copy",
    covers=[UNDERSCORE],
    requires={"in-place"},
    effort=12,
    shows=lambda operands, dtypes: shows_kind(operands, dtypes),
)
@for_all(operands=pairs, dtypes=st.sampled_from([*product(ALL, REAL), *product(COMPLEX, COMPLEX)]))
def copy_writes_the_other_tensors_elements(
    torch: Any, device: str, operands: Pair, dtypes: tuple[str, str]
) -> None:
    """x.copy_(y) broadcasts y to x's shape, converts its elements to x's dtype and writes them
    into x; y stays as it is."""
    into, other = dtypes
    for name, source in product(supported([into]), supported([other])):
        first, second = operands
        regime = second.regime if name == source else "small"
        second = Operand(second.shape, second.layout, regime, second.seed)
        right = second.array(source)
        y = second.on(torch, device, source)
        target = first.place(torch, device, name)
        expected = np.broadcast_to(right.astype(numpy_dtype(name)), first.shape)
        assert_changes(target, methodcaller("copy_", y), expected)
        again = first.place(torch, device, name)
        assert_changes(again, methodcaller("copy_", y, non_blocking=False), expected)
        assert_equal(y, right)
        # Two parts of one memory that have no element in common.
        both = tensor_of(torch, device, np.stack([np.zeros_like(right), right]))
        both[0].copy_(both[1])
        assert_equal(both, np.stack([right, right]))


@clause("inplace.fill", thorough=True, covers=[UNDERSCORE], requires={"in-place"})
def fill_writes_one_number_everywhere(torch: Any, device: str) -> None:
    """fill_(number) and fill_(tensor without dimensions) write the number, exactly where the
    dtype holds it, into every element; zero_() writes zeros."""
    for name in supported(ALL):
        kind = numpy_dtype(name)
        numbers: list[Any] = [0, 1, True]
        if name in INTEGERS:
            info = np.iinfo(np.dtype(name))
            numbers += [int(info.min), int(info.max), int(info.max) - 1, 2.0]
        elif name in FLOATS:
            edge = FORMATS[name]
            numbers += [-0.0, 0.5, -2, float("inf"), float("-inf"), float("nan")]
            numbers += [edge.max, edge.tiny, edge.smallest, 1 + edge.eps]
        elif name in COMPLEX:
            numbers += [0.5, 1 - 2j, complex(float("inf"), -0.0)]
        for number, layout in product(numbers, ("contiguous", "transposed", "stepped", "offset")):
            array = values((5, 7), name, "ties")
            expected = np.full((5, 7), number).astype(kind)
            with case(dtype=name, number=number, layout=layout):
                assert_changes(
                    place(torch, device, array, layout), methodcaller("fill_", number), expected
                )
                element = tensor_of(torch, device, np.asarray(number).astype(kind))
                assert_changes(
                    place(torch, device, array, layout), methodcaller("fill_", element), expected
                )
                zeros = np.zeros((5, 7), kind)
                assert_changes(place(torch, device, array, layout), methodcaller("zero_"), zeros)


def _written_parts(selection: Any, how: tuple[str, str]) -> frozenset[Hashable]:
    """What is new about an assignment: what its first two parts are, of a dtype; its layout."""
    _, index = selection
    parts = tuple(
        (part.start is not None, part.step not in (None, 1))
        if isinstance(part, slice)
        else type(part).__name__
        for part in index[:2]
    )
    return frozenset({(how[0], parts, len(index) > 2), how})


@clause(
    "inplace.assignment",
    covers=[UNDERSCORE, "notes.index-put"],
    requires={"in-place"},
    effort=4,
    shows=_written_parts,
)
@for_all(
    selection=selections(),
    how=st.sampled_from([*product(("float32", "int64", "bool", "float64", "uint8"), WRITABLE)]),
)
def assignment_to_a_selection_writes_there_alone(
    torch: Any, device: str, selection: tuple[Shape, tuple[Any, ...]], how: tuple[str, str]
) -> None:
    """x[index] = value, x[index] += value and x[index].fill_(value) write into the selected
    elements of x, broadcasting the value, and nowhere else; x[mask] = value into those that
    the mask names."""
    (shape, index), (dtype, layout) = selection, how
    for name in supported([dtype]):
        array = values(shape, name, "small")
        new = values(array[index].shape, name, "signed", len(shape) + 1)
        row = new[(0,) * (new.ndim - 1)] if new.size and new.ndim else new
        mask = values(shape, "bool", "normal", len(index))
        changes: dict[str, Callable[..., None]] = {
            "x[index] = 1": lambda x, y, r, m: setitem(x, index, 1),
            "x[index] = y": lambda x, y, r, m: setitem(x, index, y),
            "x[index] = row": lambda x, y, r, m: setitem(x, index, r),
            "x[index] += y": lambda x, y, r, m: setitem(x, index, x[index] + y),
            "x[mask] = 1": lambda x, y, r, m: setitem(x, m, 1),
        }
        for spelling, change in changes.items():
            expected = array.copy()
            change(expected, new, row, mask)
            target = place(torch, device, array, layout)
            lying = WRITABLE[(len(index) + sum(shape)) % len(WRITABLE)]
            given = [place(torch, device, part, lying).view for part in (new, row, mask)]
            with case(spelling=spelling):
                change(target.view, *given)
                assert_equal(target.base, target.after(expected))
        expected = array.copy()
        expected[index] = 1
        with case(spelling="x[index].fill_(1)"):
            target = place(torch, device, array, layout)
            target.view[index].fill_(1)
            assert_equal(target.base, target.after(expected))
        expected = np.where(mask, np.ones_like(array), array)
        with case(spelling="masked_fill_"):
            m = tensor_of(torch, device, mask)
            assert_changes(
                place(torch, device, array, layout), methodcaller("masked_fill_", m, 1), expected
            )


@clause("inplace.shape", covers=[UNDERSCORE], requires={"in-place"}, effort=1.5)
@for_all(drawn=with_dim(max_size=600), other=st.integers(0, 3), layout=st.sampled_from(WRITABLE))
def an_underscore_method_changes_the_tensors_own_shape(
    torch: Any, device: str, drawn: tuple[Shape, int], other: int, layout: str
) -> None:
    """t_, transpose_, swapaxes_, swapdims_, squeeze_ and unsqueeze_ change the shape and the
    strides of the tensor itself, move no element in memory, and return it."""
    shape, dim = drawn
    second = other % len(shape)
    array = values(shape, "float32", "small")
    swapped = array.swapaxes(dim, second)
    squeezed = array.squeeze(dim) if shape[dim] == 1 else array
    changes: dict[str, tuple[Callable[[Any], Any], Array]] = {
        "transpose_": (lambda x: x.transpose_(dim, second), swapped),
        "transpose_ from the end": (lambda x: x.transpose_(second - len(shape), dim), swapped),
        "swapaxes_": (lambda x: x.swapaxes_(dim, second), swapped),
        "swapdims_": (lambda x: x.swapdims_(dim0=dim, dim1=second), swapped),
        "squeeze_()": (lambda x: x.squeeze_(), array.squeeze()),
        "squeeze_(dim)": (lambda x: x.squeeze_(dim), squeezed),
        "unsqueeze_": (lambda x: x.unsqueeze_(dim), np.expand_dims(array, dim)),
    }
    if len(shape) <= 2:
        changes["t_"] = (lambda x: x.t_(), array.T)
    for spelling, (act, expected) in changes.items():
        with case(spelling=spelling):
            target = place(torch, device, array, layout)
            x = target.view[...]  # a view of its own: the base keeps its shape
            memory, strides = x.data_ptr(), sorted(x.stride())
            assert_same_object(act(x), x)
            assert_equal(x, np.array(expected))
            assert_that(x.data_ptr() == memory, "the tensor has moved to other memory")
            if "squeeze" not in spelling:
                assert_equal(sorted(x.stride()), strides)
            assert_equal(target.base, target.arrangement.base)


@clause("inplace.resize", covers=[UNDERSCORE, "notes.stride-rule"], requires={"in-place", "views"})
def resize_and_set_give_the_tensor_other_sizes_and_memory(torch: Any, device: str) -> None:
    """resize_ gives the tensor itself another size over its memory, from where it begins on:
    elements stay in their order, those that find no room come back with it, and more are added
    behind. set_ gives it the memory of another tensor, with its shape, strides and offset."""
    for name in supported(ALL):
        array = (np.arange(12) % 7).astype(numpy_dtype(name))
        with case(dtype=name, method="resize_"):
            x = tensor_of(torch, device, array[:6])
            memory = x.data_ptr()
            for sizes in ((4,), (2, 3), (1, 2), (6,)):
                assert_same_object(x.resize_(sizes), x)
                assert_equal(x, array[: int(np.prod(sizes))].reshape(sizes))
                assert_equal(x.data_ptr(), memory)
            # Memory that an array shows, as whoever reads a tensor may ask for, does not grow.
            x = tensor_of(torch, device, array[:6])
            assert_same_object(x.resize_(3, 5), x)
            assert_metadata(x, shape=(3, 5), stride=(5, 1), dtype=name)
            assert_equal(x.view(-1)[:6], array[:6])
            x.resize_(2, 3)
            assert_equal(x, array[:6].reshape(2, 3))
            base = tensor_of(torch, device, array)
            part = base[3:9]
            for sizes in ((2,), (2, 2), (3, 3)):
                part.resize_(*sizes)
                assert_equal(part, array[3 : 3 + int(np.prod(sizes))].reshape(sizes))
            part.zero_()
            assert_equal(base, np.concatenate([array[:3], np.zeros_like(array[3:])]))
        with case(dtype=name, method="set_"):
            base = tensor_of(torch, device, array).view(3, 4)
            table = array.reshape(3, 4).copy()
            x = tensor_of(torch, device, array[:2])
            for there, seen in (
                (base, table), (base[1:], table[1:]), (base.t(), table.T),
                (base[:, 1::2], table[:, 1::2]),
            ):  # fmt: skip
                assert_same_object(x.set_(there), x)
                assert_metadata(x, shape=seen.shape, stride=there.stride(), dtype=name)
                assert_equal(x, np.array(seen))
                assert_equal(x.data_ptr(), there.data_ptr())
            x.set_(base.untyped_storage(), 5, (2, 2), (4, 1))
            assert_equal(x, np.array(table[1:, 1:3]))
            x.zero_()
            table[1:, 1:3] = 0
            assert_equal(base, table)


@clause(
    "inplace.keeps-shape",
    covers=[UNDERSCORE, "notes.broadcast-inplace"],
    requires={"in-place"},
    effort=1.5,
)
@for_all(fitting=broadcast_shapes(max_size=600), clashing=incompatible_shapes())
def broadcasting_never_enlarges_the_target(
    torch: Any, device: str, fitting: tuple[Shape, Shape], clashing: tuple[Shape, Shape]
) -> None:
    """An operation in place raises where broadcasting would change the shape of its target, and
    where the shapes do not broadcast at all; the target stays as it is."""
    for shape, other in (fitting, clashing):
        fits = broadcastable(shape, other) == shape
        old = values(shape, "float32", "small")
        y = torch.ones(other, device=device)
        mask = torch.ones(other, device=device, dtype=torch.bool)
        for spelling, act, *others in (
            ("add_", methodcaller("add_", y)),
            ("+=", iadd, y),
            ("mul_", methodcaller("mul_", y)),
            ("copy_", methodcaller("copy_", y)),
            ("masked_fill_", methodcaller("masked_fill_", mask, 3)),
        ):
            x = tensor_of(torch, device, old)
            with case(spelling=spelling, target=shape, other=other):
                if fits:
                    assert_same_object(act(x, *others), x)
                    assert_metadata(x, shape=shape)
                else:
                    assert_raises(act, x, *others)
                    assert_equal(x, old)
