"""Methods that compute in place what their functions give."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from operator import methodcaller
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    LENGTHS,
    MANY,
    WRITABLE,
    Operand,
    Place,
    operands,
    place,
    tensor_of,
    values,
)
from tenet.spec.cases.kinds import showing
from tenet.spec.cases.underscores import (
    APPLICABLE,
    BINARY,
    BY_POSITIVE,
    CHANGES,
    DERIVED,
    ELEMENTARY,
    ONE,
    SIGNED,
    UNARY,
    Act,
)
from tenet.spec.inplace.common import (
    OUT,
    UNDERSCORE,
    Array,
    Pair,
    Shape,
    assert_changes,
    on_device,
    pairs,
    shows_kind,
    tame,
    target_of,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import (
    COMPLEX,
    FLOATS,
    FORMATS,
    NUMERIC,
    numpy_dtype,
)
from tenet.spec.model.tolerance import Bound

isub: Callable[..., Any] = operator.isub


@clause(
    "inplace.two-operands", covers=[UNDERSCORE], requires={"in-place"}, effort=16, shows=shows_kind
)
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
        first, second = tame(operands, kind, name)
        other, right = second.on(torch, device, kind), second.array(kind)
        for spelling, act in operation.spellings.items():
            with case(spelling=spelling):
                target = target_of(torch, device, first, kind)
                expected = operation.reference(target.array, right)
                assert_changes(target, act, expected, other)
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
                assert_changes(
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


@clause("inplace.methods", thorough=True, covers=[UNDERSCORE], requires={"in-place"})
def every_underscore_method_writes_its_twins_answer(torch: Any, device: str) -> None:
    """Matrix products, cumulative sums, masks, indices, scatters and the rest of the documented
    methods that end in an underscore do to the tensor what their twins without it answer."""
    for change in CHANGES:
        for name, layout in product(supported(change.dtypes), ("contiguous", *WRITABLE[1:6])):
            array = change.target.astype(numpy_dtype(name))
            arguments = on_device(torch, device, change.arguments, name)
            keywords = {k: on_device(torch, device, v, name) for k, v in change.keywords.items()}
            with case(spelling=change.spelling, dtype=name, layout=layout):
                assert_changes(
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
            assert_changes(target, methodcaller("fill_diagonal_", 7, wrap=True), expected)


@clause("inplace.derived-functions", covers=[UNDERSCORE], requires={"in-place"})
def special_functions_with_an_underscore_change_the_tensor_itself(torch: Any, device: str) -> None:
    """digamma_, igamma_, atan2_, hypot_, renorm_ and others whose answer is not exact change the
    tensor itself too, and return it."""
    for change in DERIVED:
        for name, layout in product(supported(change.dtypes), ("contiguous", "stepped")):
            array = change.target.astype(numpy_dtype(name))
            arguments = on_device(torch, device, change.arguments, name)
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
                assert_changes(target, act, np.asarray(reference(array, right)), other)


_FEW: tuple[tuple[Shape, Shape], ...] = (((), ()), ((0,), ()), ((1,), (1,)), ((2, 1), ()))


@clause("inplace.few-elements", covers=[UNDERSCORE], requires={"in-place"}, thorough=True)
def a_tensor_of_one_or_no_element_is_changed_itself(torch: Any, device: str) -> None:
    """A 0-d tensor, one of one element and an empty one are changed themselves too, by every
    operation with an underscore and every operator that ends in =, in every dtype."""
    for name, dtype in APPLICABLE:
        operation = {**BINARY, **BY_POSITIVE}[name]
        for kind, (shape, other) in product(supported([dtype]), _FEW):
            pair = tame((Operand(shape, seed=5), Operand(other, seed=8)), kind, name)
            first, second = (replace(each, regime="ties") for each in pair)
            given, right = second.on(torch, device, kind), second.array(kind)
            for spelling, act in operation.spellings.items():
                with case(dtype=kind, spelling=spelling, shape=shape):
                    target = target_of(torch, device, first, kind)
                    assert_changes(target, act, operation.reference(target.array, right), given)


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
