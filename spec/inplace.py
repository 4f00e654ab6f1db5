"""In place: methods that end in an underscore, augmented assignment, and `out=`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import product
from operator import methodcaller
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    LAYOUTS,
    LENGTHS,
    MANY,
    REGIMES,
    WRITABLE,
    Operand,
    Place,
    broadcast_shapes,
    broadcastable,
    incompatible_shapes,
    operands,
    place,
    seeds,
    selections,
    tensor_of,
    values,
    with_dim,
)
from tenet.spec.cases.kinds import showing
from tenet.spec.cases.underscores import (
    APPLICABLE,
    BINARY,
    BY_POSITIVE,
    CHANGES,
    DERIVED,
    ELEMENTARY,
    FUNCTIONS,
    ONE,
    SIGNED,
    UNARY,
    WITH_OUT,
    Act,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    FLOATS,
    FORMATS,
    INTEGERS,
    NUMERIC,
    REAL,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import Bound

Array = np.ndarray
Pair = tuple[Operand, Operand]
Shape = tuple[int, ...]

# Typed names for what the standard library's stubs leave untyped.
iadd: Callable[..., Any] = operator.iadd
isub: Callable[..., Any] = operator.isub
imul: Callable[..., Any] = operator.imul
itruediv: Callable[..., Any] = operator.itruediv
setitem: Callable[..., Any] = operator.setitem

UNDERSCORE = "basics.inplace-underscore"
OUT = "basics.add-out"


def _changes(place: Place, act: Callable[..., Any], expected: Array, *others: Any) -> None:
    """`act(view, *others)` turns the view into `expected`, returns it, and writes nowhere else."""
    view = place.view
    memory, stride = view.data_ptr(), view.stride()
    assert_same_object(act(view, *others), view)
    assert_equal(place.base, place.after(expected.astype(place.array.dtype)))
    assert_metadata(view, shape=expected.shape, stride=stride)
    assert_that(view.data_ptr() == memory, "the tensor has moved to other memory")


def _pair(group: tuple[Shape, Shape], how: tuple[str, str, str], seed: int) -> Pair:
    regime, first, second = how
    shape = broadcastable(*group) or ()
    return Operand(shape, first, regime, seed), Operand(group[1], second, regime, seed + 7)


# One choice of three things is drawn faster than three choices.
pairs = st.builds(
    _pair,
    broadcast_shapes(max_size=1100),
    st.sampled_from([*product(REGIMES, WRITABLE, LAYOUTS)]),
    seeds(),
)
"""A target that can be written to, and an operand that broadcasts to its shape."""


ANY_VALUES = ("bitwise and", "bitwise or", "bitwise xor", "copy")
"""Operations whose result never leaves the dtype, whatever the integers."""


def _tame(pair: Pair, dtype: str, name: str) -> Pair:
    """Integers so small that no result leaves their dtype; other dtypes as they are."""
    if category(dtype) in (Category.BOOL, Category.FLOAT) or name in ANY_VALUES:
        return pair
    regimes = ("ties" if name == "pow" else "signed", "ties")
    first, second = (
        Operand(o.shape, o.layout, regime, o.seed) for o, regime in zip(pair, regimes, strict=True)
    )
    return first, second


def _target(torch: Any, device: str, operand: Operand, dtype: str) -> Place:
    """The first operand; small unsigned integers so large that no difference is negative."""
    array = operand.array(dtype)
    if dtype == "uint8" and operand.regime == "signed":
        array += 9
    return place(torch, device, array, operand.layout)


def _shows(operands: Pair, how: Hashable, **_: object) -> frozenset[Hashable]:
    return showing(how, operands[0].shape, operands[0].layout)


@clause("inplace.two-operands", covers=[UNDERSCORE], requires={"in-place"}, effort=16, shows=_shows)
@for_all(operands=pairs, how=st.sampled_from(APPLICABLE))
def an_underscore_method_changes_the_tensor_itself(
    torch: Any, device: str, operands: Pair, how: tuple[str, str]
) -> None:
    """x.add_(y) and its kin, and the operators += -= *= /= //= %= **= &= |= ^= <<= >>=, give x
    the values of the operation without the underscore: in its own memory, shape, strides and
    dtype, and nowhere else. They give x itself; y, which broadcasts, stays as it is."""
    name, dtype = how
    operation = {**BINARY, **BY_POSITIVE}[name]
    for kind in supported([dtype]):
        first, second = _tame(operands, kind, name)
        other, right = second.on(torch, device, kind), second.array(kind)
        for spelling, act in operation.spellings.items():
            with case(spelling=spelling):
                target = _target(torch, device, first, kind)
                expected = operation.reference(target.array, right)
                _changes(target, act, expected, other)
        assert_equal(other, right)


@clause("inplace.every-length", thorough=True, covers=[UNDERSCORE], requires={"in-place"})
def an_underscore_method_reaches_every_element(torch: Any, device: str) -> None:
    """An operation in place changes every element, however many there are, and none beyond."""
    for name, length in product(supported(NUMERIC), (*EVERY_LENGTH, MANY)):
        one = numpy_dtype(name).type(1 + 1j if name in COMPLEX else 1)
        left = values((length,), name, "small") + one  # no zero: the sign of -0 is not at stake
        right = values((length,), name, "ties", 4)
        other = tensor_of(torch, device, right)
        base = np.concatenate([left, np.full(9, 5, left.dtype)])
        for spelling, expected in (
            ("add_", left + right),
            ("copy_", right),
            *([("mul_", left * right)] if name not in (*COMPLEX, "int8", "uint8") else []),
        ):
            whole = tensor_of(torch, device, base)
            with case(dtype=name, length=length, spelling=spelling):
                getattr(whole[:length], spelling)(other)
                assert_equal(whole, np.concatenate([expected, base[length:]]).astype(base.dtype))
        for spelling, arguments, number in (
            ("fill_", (3,), 3), ("zero_", (), 0), ("add_", (1,), None), ("neg_", (), None),
        ):  # fmt: skip
            if spelling == "neg_" and name == "uint8":
                continue
            expected = np.full_like(left, number) if number is not None else (
                left + 1 if spelling == "add_" else -left)  # fmt: skip
            whole = tensor_of(torch, device, base)
            with case(dtype=name, length=length, spelling=spelling):
                getattr(whole[:length], spelling)(*arguments)
                assert_equal(whole, np.concatenate([expected, base[length:]]).astype(base.dtype))


@clause(
    "inplace.one-operand",
    covers=[UNDERSCORE],
    requires={"in-place"},
    effort=16,
    shows=lambda operand, how: showing(how, operand.shape, operand.layout),
)
@for_all(operand=operands(writable=True), how=st.sampled_from(ONE))
def an_underscore_method_without_another_tensor_changes_the_tensor_itself(
    torch: Any, device: str, operand: Operand, how: tuple[str, str]
) -> None:
    """abs_, neg_, clamp_, fill_, zero_, round_ and their kin, and arithmetic with a number,
    change the tensor itself, return it, and leave its memory, shape, strides and dtype alone."""
    name, dtype = how
    unary = UNARY[name]
    for kind in supported([dtype]):
        array = operand.array(kind)
        if kind in SIGNED and name in ("abs", "neg"):
            array = np.asarray(
                np.maximum(array, -np.iinfo(array.dtype).max)
            )  # -min is beyond the dtype
        expected = np.asarray(unary.reference(array))
        for spelling in unary.spellings:
            target = place(torch, device, array, operand.layout)
            with case(spelling=spelling):
                _changes(
                    target, methodcaller(spelling, *unary.arguments, **unary.keywords), expected
                )


def _near(name: str) -> Bound:
    """Room for libraries of elementary functions: the section on those is stricter.

    A few ulps, and a few eps where the result crosses 0; 16 bits are rounded from float32.
    """
    count = 16.0 if name in ("float32", "float64") else 2.0
    return Bound(name, count, "elementary function", absolute=count / 2 * FORMATS[name].eps)


@clause("inplace.elementary-functions", covers=[UNDERSCORE], requires={"in-place"})
def an_elementary_function_with_an_underscore_changes_the_tensor_itself(
    torch: Any, device: str
) -> None:
    """exp_, log_, sin_, sqrt_, sigmoid_ and the other elementary functions that end in an
    underscore replace every element by the function's value, in place, and return the tensor."""
    for (spellings, reference, low, high), name in product(ELEMENTARY, supported(FLOATS)):
        points = np.linspace(low, high, 37).astype(numpy_dtype(name))
        expected = np.vectorize(reference, [np.float64])(points.astype(np.float64))
        for spelling, layout in product(spellings, ("contiguous", "stepped")):
            with case(spelling=spelling, dtype=name, layout=layout):
                target = place(torch, device, points, layout)
                memory = target.view.data_ptr()
                assert_same_object(getattr(target.view, spelling)(), target.view)
                assert_that(target.view.data_ptr() == memory, "the tensor has moved")
                assert_close(target.view, expected, _near(name))
                _around_is_untouched(target)


def _around_is_untouched(target: Place) -> None:
    """Whatever the view holds by now, its base holds around it what it held before."""
    whole = np.array(target.base.tolist(), np.float64)
    expected = target.arrangement.base.astype(np.float64)
    target.arrangement.of_array(whole)[...] = 0
    target.arrangement.of_array(expected)[...] = 0
    assert_that(np.array_equal(whole, expected), "an element outside the tensor was written")


def _on_device(torch: Any, device: str, value: Any, dtype: str) -> Any:
    """An argument of a change: arrays become tensors, floating-point ones of the dtype."""
    if isinstance(value, tuple):
        return tuple(_on_device(torch, device, item, dtype) for item in value)
    if not isinstance(value, np.ndarray):
        return value
    kept = value.dtype.kind in "bi"
    return tensor_of(torch, device, value if kept else value.astype(numpy_dtype(dtype)))


@clause("inplace.methods", thorough=True, covers=[UNDERSCORE], requires={"in-place"})
def every_underscore_method_writes_its_twins_answer(torch: Any, device: str) -> None:
    """Matrix products, cumulative sums, masks, indices, scatters and the rest of the documented
    methods that end in an underscore do to the tensor what their twins without it answer."""
    for change in CHANGES:
        for name, layout in product(supported(change.dtypes), ("contiguous", *WRITABLE[1:6])):
            array = change.target.astype(numpy_dtype(name))
            arguments = _on_device(torch, device, change.arguments, name)
            keywords = {k: _on_device(torch, device, v, name) for k, v in change.keywords.items()}
            with case(spelling=change.spelling, dtype=name, layout=layout):
                _changes(
                    place(torch, device, array, layout),
                    methodcaller(change.spelling, *arguments, **keywords),
                    change.reference(array.astype(np.float64)),
                )


@clause("inplace.wrapped-diagonals", covers=[UNDERSCORE], requires={"in-place"})
def a_diagonal_begins_again_below_its_end(torch: Any, device: str) -> None:
    """fill_diagonal_(value, wrap=True) writes along the diagonal and, in a matrix of more rows than
    columns, begins again one row below its end, as numpy.fill_diagonal does: however the matrix
    lies in memory."""
    shapes = ((9, 3), (20, 6), (5, 1), (4, 3), (3, 3), (2, 5))
    for shape, name, layout in product(shapes, supported(("float32", "int64")), WRITABLE):
        array = np.full(shape, 2, numpy_dtype(name))
        expected = array.astype(np.float64)
        np.fill_diagonal(expected, 7, wrap=True)
        target = place(torch, device, array, layout)
        memory = "packed" if target.view.stride() == (shape[1], 1) else "strided"
        diagonal = "again" if shape[0] > shape[1] + 1 else "once"
        with case(diagonal=diagonal, memory=memory, shape=shape, layout=layout, dtype=name):
            _changes(target, methodcaller("fill_diagonal_", 7, wrap=True), expected)


@clause("inplace.derived-functions", covers=[UNDERSCORE], requires={"in-place"})
def special_functions_with_an_underscore_change_the_tensor_itself(torch: Any, device: str) -> None:
    """digamma_, igamma_, atan2_, hypot_, renorm_ and others whose answer is not exact change the
    tensor itself too, and return it."""
    for change in DERIVED:
        for name, layout in product(supported(change.dtypes), ("contiguous", "stepped")):
            array = change.target.astype(numpy_dtype(name))
            arguments = _on_device(torch, device, change.arguments, name)
            with case(spelling=change.spelling, dtype=name, layout=layout):
                target = place(torch, device, array, layout)
                result = getattr(target.view, change.spelling)(*arguments, **change.keywords)
                assert_same_object(result, target.view)
                bound = Bound(name, 64, "special function", absolute=8 * FORMATS[name].eps)
                assert_close(target.view, change.reference(array.astype(np.float64)), bound)
                _around_is_untouched(target)


@clause("inplace.itself", covers=[UNDERSCORE, OUT], requires={"in-place", "out"}, effort=1.5)
@for_all(operand=operands(writable=True), dtype=st.sampled_from(FLOATS))
def a_tensor_may_be_its_own_operand(torch: Any, device: str, operand: Operand, dtype: str) -> None:
    """x.add_(x), x *= x and torch.sub(y, x, out=x) read every element before they write it, so
    they give what they give with a copy of x."""
    uses: list[tuple[str, Act, Callable[[Array, Array], Array]]] = [
        ("x.add_(x)", lambda x, y: x.add_(x), lambda x, y: x + x),
        ("x.mul_(x)", lambda x, y: x.mul_(x), lambda x, y: x * x),
        ("x -= x", lambda x, y: isub(x, x), lambda x, y: x - x),
        ("x.sub_(x.clone())", lambda x, y: x.sub_(x.clone()), lambda x, y: x - x),
        ("x.copy_(x)", lambda x, y: x.copy_(x), lambda x, y: x),
        ("add(x, y, out=x)", lambda x, y: torch.add(x, y, out=x), lambda x, y: x + y),
        ("sub(y, x, out=x)", lambda x, y: torch.sub(y, x, out=x), lambda x, y: y - x),
        ("mul(x, x, out=x)", lambda x, y: torch.mul(x, x, out=x), lambda x, y: x * x),
        ("div(y, x, out=x)", lambda x, y: torch.div(y, x, out=x), lambda x, y: y / x),
        ("neg(x, out=x)", lambda x, y: torch.neg(x, out=x), lambda x, y: -x),
        (
            "sub(y[..., :1], x, out=x)",
            lambda x, y: torch.sub(y[..., :1] if y.dim() else y, x, out=x),
            lambda x, y: (y[..., :1] if y.ndim else y) - x,
        ),
        (
            "add(y[:1], x, out=x)",
            lambda x, y: torch.add(y[:1] if y.dim() else y, x, out=x),
            lambda x, y: (y[:1] if y.ndim else y) + x,
        ),
    ]
    for name in supported([dtype]):
        array = operand.array(name)
        right = values(operand.shape, name, operand.regime, operand.seed + 7)
        other = tensor_of(torch, device, right)
        for spelling, act, reference in uses[operand.seed % 2 :: 2]:
            with case(spelling=spelling):
                target = place(torch, device, array, operand.layout)
                _changes(target, act, np.asarray(reference(array, right)), other)


@clause(
    "inplace.copy",
    covers=[UNDERSCORE],
    requires={"in-place"},
    effort=12,
    shows=lambda operands, dtypes: _shows(operands, dtypes),
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
        _changes(target, methodcaller("copy_", y), expected)
        again = first.place(torch, device, name)
        _changes(again, methodcaller("copy_", y, non_blocking=False), expected)
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
                _changes(
                    place(torch, device, array, layout), methodcaller("fill_", number), expected
                )
                element = tensor_of(torch, device, np.asarray(number).astype(kind))
                _changes(
                    place(torch, device, array, layout), methodcaller("fill_", element), expected
                )
                zeros = np.zeros((5, 7), kind)
                _changes(place(torch, device, array, layout), methodcaller("zero_"), zeros)


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
            _changes(
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


def _into(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda out, *operands: function(*operands, out=out)


@clause("inplace.out", covers=[OUT], requires={"out"}, effort=10, shows=_shows)
@for_all(operands=pairs, how=st.sampled_from(WITH_OUT), layout=st.sampled_from(WRITABLE))
def out_receives_the_result(
    torch: Any, device: str, operands: Pair, how: tuple[str, str], layout: str
) -> None:
    """torch.add(x, y, out=z) and its kin write the result into z, in the memory and with the
    strides that z has, and nowhere else, and return z. An empty z takes the result's shape; z
    may be x or y itself. The operands stay as they are otherwise."""
    name, dtype = how
    operation = {**BINARY, **BY_POSITIVE}[name]
    for kind in supported([dtype]):
        first, second = _tame(operands, kind, name)
        function = getattr(torch, operation.function or "")
        source = _target(torch, device, first, kind)
        x, y = source.view, second.on(torch, device, kind)
        right = second.array(kind)
        expected = np.asarray(operation.reference(source.array, right))
        z = place(torch, device, np.ones_like(source.array), layout)
        _changes(z, _into(function), expected, x, y)
        empty = torch.empty(0, dtype=x.dtype, device=device)
        assert_same_object(function(x, y, out=empty), empty)
        assert_equal(empty, expected.astype(source.array.dtype))
        assert_equal(source.base, source.arrangement.base)
        assert_equal(y, right)
        with case(out="the first operand"):
            _changes(source, _into(function), expected, source.view, y)
        if first.shape == second.shape and second.layout != "expanded":
            with case(out="the second operand"):
                z = place(torch, device, right, second.layout)
                x = _target(torch, device, first, kind).view
                _changes(z, _into(function), expected, x, z.view)


@clause("inplace.out-of-functions", thorough=True, covers=[OUT], requires={"out"})
def every_kind_of_function_writes_into_out(torch: Any, device: str) -> None:
    """Functions of one operand, reductions, products, joins, selections and factories take out=
    as torch.add does; those with two results take a pair."""
    for (spelling, arguments, keywords, answer), name in product(
        FUNCTIONS, supported(("float32", "float64"))
    ):
        call = operator.attrgetter(spelling)(torch)
        answers = answer if isinstance(answer, tuple) else (answer,)
        dtypes = [a.dtype.name if a.dtype.kind in "bi" else name for a in answers]
        expected = [
            np.asarray(a).astype(numpy_dtype(d)) for a, d in zip(answers, dtypes, strict=True)
        ]
        given = _on_device(torch, device, arguments, name)
        named = {k: _on_device(torch, device, v, name) for k, v in keywords.items()}
        for layout in ("contiguous", "transposed", "stepped", "gapped", "resized"):
            with case(spelling=spelling, dtype=name, layout=layout):
                if layout == "resized":
                    places = []
                    views = [torch.empty(0, dtype=getattr(torch, d), device=device) for d in dtypes]
                else:
                    places = [place(torch, device, np.full_like(e, 1), layout) for e in expected]
                    views = [p.view for p in places]
                paired = len(answers) > 1
                result = call(*given, **named, out=tuple(views) if paired else views[0])
                for got, view in zip(result if paired else (result,), views, strict=True):
                    assert_same_object(got, view) if not paired else assert_that(
                        got.data_ptr() == view.data_ptr(), "the result is not what out= gave"
                    )
                for view, wanted in zip(views, expected, strict=True):
                    assert_equal(view, wanted, signed_zero=False)
                for p, wanted in zip(places, expected, strict=False):
                    assert_equal(p.base, p.after(wanted), signed_zero=False)


@clause(
    "inplace.categories",
    thorough=True,
    covers=[UNDERSCORE, OUT, "notes.promotion-inplace"],
    requires={"in-place", "out"},
)
def a_result_above_the_targets_category_is_refused(torch: Any, device: str) -> None:
    """The result is cast to the dtype of the tensor that it is written into, if that is of the
    same category (bool, integer, floating point, complex) or a higher one; if it is of a lower
    one the operation raises, and the tensor stays as it is."""
    for into, first, second in product(
        supported(ALL), supported(ALL), ("float32", "int64", "bool")
    ):
        if [*supported([second])] != [second]:
            continue
        a, b = (tensor_of(torch, device, np.ones(9, numpy_dtype(name))) for name in (first, second))
        old = np.zeros(9, numpy_dtype(into))
        z = tensor_of(torch, device, old)
        fits = max(category(first), category(second)) <= category(into)
        two = 1 if category(first) == category(second) == Category.BOOL else 2
        with case(into=into, first=first, second=second):
            if fits:
                assert_same_object(torch.add(a, b, out=z), z)
                assert_equal(z, np.full(9, two).astype(numpy_dtype(into)))
            else:
                assert_raises(torch.add, a, b, out=z)
                assert_equal(z, old)
        if second != "float32":
            continue
        z = tensor_of(torch, device, old)
        with case(into=into, other=first):
            if category(first) <= category(into):
                assert_same_object(z.add_(a), z)
                assert_same_object(iadd(z, a), z)
                wanted = 1 if category(into) is Category.BOOL else 2
                assert_equal(z, np.full(9, wanted).astype(numpy_dtype(into)))
            else:
                assert_raises(z.add_, a)
                assert_raises(operator.iadd, z, a)
                assert_raises(z.mul_, a)
                assert_equal(z, old)
        if category(into) < Category.FLOAT:
            with case(into=into, other="a fraction"):
                assert_raises(z.add_, 1.5)
                assert_raises(z.div_, 2)
                assert_raises(itruediv, z, z)


_FRACTIONS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "add_": (lambda x, n: x.add_(n), 1),
    "add_(alpha=)": (lambda x, n: x.add_(x, alpha=n), 1),
    "sub_": (lambda x, n: x.sub_(n), 1),
    "mul_": (lambda x, n: x.mul_(n), 2),
    "floor_divide_": (lambda x, n: x.floor_divide_(n), 2),
    "remainder_": (lambda x, n: x.remainder_(n), 2),
    "fmod_": (lambda x, n: x.fmod_(n), 2),
    "pow_": (lambda x, n: x.pow_(n), 2),
    "div_(rounding_mode=)": (lambda x, n: x.div_(n, rounding_mode="trunc"), 2),
    "clamp_": (lambda x, n: x.clamp_(n), 1),
    "clamp_(max=)": (lambda x, n: x.clamp_(max=n), 1),
    "clamp_ between": (lambda x, n: x.clamp_(n - 1, n), 1),
    "clamp_min_": (lambda x, n: x.clamp_min_(n), 1),
    "clamp_max_": (lambda x, n: x.clamp_max_(n), 1),
    "div_": (lambda x, n: x.div_(n), None),
    "copysign_": (lambda x, n: x.copysign_(n), None),
    "sqrt_": (lambda x, n: x.sqrt_(), None),
    "exp_": (lambda x, n: x.exp_(), None),
    "sigmoid_": (lambda x, n: x.sigmoid_(), None),
    "reciprocal_": (lambda x, n: x.reciprocal_(), None),
}
"""Method: what it does with a number, and a whole one with which its result is whole."""


@clause("inplace.fractions", covers=["notes.promotion-inplace"], requires={"in-place"})
def a_fraction_is_not_written_into_integers(torch: Any, device: str) -> None:
    """In place, integers take no fraction as a number and no function whose results are floats: it
    raises and leaves them as they were, where a whole number is taken."""
    for name, shape in product(supported(INTEGERS), ((), (3,))):
        old = np.full(shape, 3, name)
        for spelling, (act, whole) in _FRACTIONS.items():
            with case(dtype=name, spelling=spelling, shape=shape):
                x = tensor_of(torch, device, old)
                assert_raises(act, x, 1.5)
                assert_equal(x, old)
                if whole is not None:
                    assert_same_object(act(x, whole), x)


_FEW: tuple[tuple[Shape, Shape], ...] = (((), ()), ((0,), ()), ((1,), (1,)), ((2, 1), ()))


@clause("inplace.few-elements", covers=[UNDERSCORE], requires={"in-place"}, thorough=True)
def a_tensor_of_one_or_no_element_is_changed_itself(torch: Any, device: str) -> None:
    """A 0-d tensor, one of one element and an empty one are changed themselves too, by every
    operation with an underscore and every operator that ends in =, in every dtype."""
    for name, dtype in APPLICABLE:
        operation = {**BINARY, **BY_POSITIVE}[name]
        for kind, (shape, other) in product(supported([dtype]), _FEW):
            pair = _tame((Operand(shape, seed=5), Operand(other, seed=8)), kind, name)
            first, second = (replace(each, regime="ties") for each in pair)
            given, right = second.on(torch, device, kind), second.array(kind)
            for spelling, act in operation.spellings.items():
                with case(dtype=kind, spelling=spelling, shape=shape):
                    target = _target(torch, device, first, kind)
                    _changes(target, act, operation.reference(target.array, right), given)


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


@clause(
    "inplace.overlap",
    covers=[UNDERSCORE, "notes.overlap-write"],
    requires={"in-place", "overlap-check"},
)
def writing_where_elements_share_memory_is_refused(torch: Any, device: str) -> None:
    """An operation in place on an expanded tensor, whose elements share memory, raises; on the
    tensor that was expanded it does not."""
    for name, shape in product(supported(ALL), ((1,), (3, 1), (1, 4))):
        small = tensor_of(torch, device, np.ones(shape, numpy_dtype(name)))
        large = small.expand(3, 4) if len(shape) == 2 else small.expand(5)
        acts: dict[str, Callable[[Any], Any]] = {
            "add_": lambda x: x.add_(x.dtype.is_floating_point),
            "copy_": lambda x: x.copy_(torch.zeros_like(x)),
            "zero_ by mul_": lambda x: x.mul_(x[:1] == 5),
            "logical_not_": lambda x: x.logical_not_(),
            "eq_": lambda x: x.eq_(1),
            "*=": lambda x: imul(x, True),
            "out=": lambda x: torch.add(x[:1], x[:1], out=x),
        }
        for spelling, act in acts.items():
            with case(spelling=spelling, dtype=name, shape=shape):
                if spelling != "out=":
                    act(small.clone())
                assert_raises(act, large)
        assert_equal(small, np.ones(shape, numpy_dtype(name)))


_INTO: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "linspace": lambda t, x, i, to: t.linspace(0, 1, 3, device=x.device, out=to),
    "gather": lambda t, x, i, to: t.gather(x, 0, i, out=to),
    "index_select": lambda t, x, i, to: t.index_select(x, 0, i, out=to),
    "take": lambda t, x, i, to: t.take(x, i, out=to),
    "cumsum": lambda t, x, i, to: t.cumsum(x, 0, out=to),
    "cumprod": lambda t, x, i, to: t.cumprod(x, 0, out=to),
    "cat": lambda t, x, i, to: t.cat([x, x], out=to),
    "stack": lambda t, x, i, to: t.stack([x, x], out=to),
    "where": lambda t, x, i, to: t.where(x > 1, x, 2 * x, out=to),
    "exp": lambda t, x, i, to: t.exp(x, out=to),
    "clamp": lambda t, x, i, to: t.clamp(x, 0, 1, out=to),
    "bitwise_or": lambda t, x, i, to: t.bitwise_or(x, i, out=to),
    "outer": lambda t, x, i, to: t.outer(x, x, out=to),
    "addcmul": lambda t, x, i, to: t.addcmul(x, x, x, out=to),
    "scatter": lambda t, x, i, to: t.scatter(x, 0, i, x, out=to),
    "index_add": lambda t, x, i, to: t.index_add(x, 0, i, x, out=to),
}
_INTO_WHOLE = ("bitwise_or",)
"""What is written into a tensor that is given, and of which of them the operands are integers."""


@clause(
    "inplace.overlap-of-products",
    covers=["notes.overlap-write"],
    requires={"in-place", "overlap-check", "out"},
)
def products_and_triangles_refuse_to_write_where_elements_share_memory(
    torch: Any, device: str
) -> None:
    """What adds a product in place, or cuts a triangle out, raises on an expanded tensor as all
    writing does, and so does what is told to write into one by out=; on its clone it does not."""
    ones = torch.ones((3, 3), device=device)
    acts: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
        "addmm_": ((3, 3), lambda x: x.addmm_(ones, ones)),
        "addr_": ((3, 3), lambda x: x.addr_(ones[0], ones[0])),
        "addbmm_": ((3, 3), lambda x: x.addbmm_(ones[None], ones[None])),
        "index_add_": ((3,), lambda x: x.index_add_(0, torch.arange(3, device=device), ones[0])),
        "cumsum_": ((3,), lambda x: x.cumsum_(0)),
        "addmv_": ((3,), lambda x: x.addmv_(ones, ones[0])),
        "baddbmm_": ((1, 3, 3), lambda x: x.baddbmm_(ones[None], ones[None])),
        "tril_": ((3, 3), lambda x: x.tril_()),
        "triu_": ((3, 3), lambda x: x.triu_()),
    }
    for spelling, (shape, act) in acts.items():
        with case(spelling=spelling):
            expanded = torch.ones(1, device=device).expand(shape)
            act(expanded.clone())
            assert_raises(act, expanded)
    for spelling, call in _INTO.items():
        line = torch.arange(3, device=device)
        x = line if spelling in _INTO_WHOLE else line + 0.5
        with case(spelling=spelling, out="expanded"):
            target = torch.zeros_like(call(torch, x, line, None))
            call(torch, x, line, target)
            assert_raises(call, torch, x, line, target.flatten()[:1].expand(target.shape))


@clause("inplace.with-itself", covers=[UNDERSCORE], requires={"in-place"}, thorough=True)
def an_operand_may_be_the_tensor_itself(torch: Any, device: str) -> None:
    """x.add_(x), sub_, mul_, div_, copy_ and maximum with out=x read x as it was before, at every
    critical length, in every dtype, also where x steps through memory."""
    for length in LENGTHS[:-1]:
        for dtype in supported(("float32", "int64", "float64", "int32", "float16", "uint8")):
            array = np.where(np.arange(length) % 2, 4, 2).astype(values((1,), dtype).dtype)
            for layout in ("contiguous", "stepped"):
                x = place(torch, device, array, layout).view
                with case(dtype=dtype, length=length, layout=layout):
                    assert_equal(x.add_(x), array + array)
                    assert_equal(x.mul_(x), (array + array) ** 2)
                    assert_equal(x.copy_(x), (array + array) ** 2)
                    if x.is_floating_point():
                        assert_equal(x.div_(x), np.ones_like(array))
                        assert_equal(x, np.ones_like(array))
                    assert_equal(x.sub_(x), np.zeros_like(array))
                    assert_equal(x, np.zeros_like(array))


@clause("inplace.refused-values", covers=[UNDERSCORE, OUT], requires={"in-place"})
def what_cannot_be_written_is_refused(torch: Any, device: str) -> None:
    """fill_ takes a number or a tensor without dimensions, and no vector; out= takes no tensor that
    requires gradients, as what is written there has none. The target stays as it was."""
    for name in supported(("float32", "int64", "float64")):
        target = torch.ones(3, dtype=getattr(torch, name), device=device)
        for shape in ((1,), (2,), (3,), (1, 1)):
            with case(dtype=name, value=shape):
                assert_raises(target.fill_, torch.zeros(shape, dtype=target.dtype, device=device))
                assert_equal(target, np.ones(3, name))
        with case(dtype=name, value=()):
            filled = target.clone().fill_(torch.zeros((), dtype=target.dtype, device=device))
            assert_equal(filled, np.zeros(3, name))
    if not (has("autograd") and has("out")):
        return
    x = torch.ones(3, device=device)
    calls: dict[str, Callable[..., Any]] = {
        "add": lambda out: torch.add(x, x, out=out),
        "mul": lambda out: torch.mul(x, 2, out=out),
        "exp": lambda out: torch.exp(x, out=out),
        "sum": lambda out: torch.sum(x, 0, out=out),
        "matmul": lambda out: torch.matmul(x[None], x[:, None], out=out),
        "cat": lambda out: torch.cat([x, x], out=out),
    }
    for spelling, call in calls.items():
        with case(spelling=spelling):
            shape = tuple(call(None).shape)
            leaf = torch.zeros(shape, device=device, requires_grad=True)
            assert_raises(call, leaf)
            assert_equal(leaf.detach(), np.zeros(shape, np.float32))
            call(torch.zeros(shape, device=device))
