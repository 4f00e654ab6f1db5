"""Operands that are numbers, multiplied, rebound or the tensor itself; and every length."""

from __future__ import annotations

import operator as symbols
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    Operand,
    broadcast_shapes,
    layouts,
    operands,
    seeds,
    tensor_of,
    values,
)
from tenet.spec.cases.layouts import arrange
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, FORMATS, INTEGERS, Category, category
from tenet.spec.model.tolerance import rounded, ulps

ARITHMETIC = {"add": symbols.add, "sub": symbols.sub, "mul": symbols.mul}
NUMBERS = (10, 1, 2, -3, 0, 7)


@clause(
    "elementwise.number-operand",
    covers=["minicourse.scalar-arithmetic", "minicourse.out-of-place"],
    effort=0.5,
)
@for_all(operand=operands(), number=st.sampled_from(NUMBERS), turn=st.sampled_from(range(3)))
def a_number_applies_to_every_element(
    torch: Any, device: str, operand: Operand, number: int, turn: int
) -> None:
    """tensor + 10, tensor - 10 and tensor * 10 apply to every element, as do 10 + tensor,
    10 - tensor and 10 * tensor, and tensor / 49 of floats; the operand keeps its values."""
    for dtype in supported((INTEGERS + FLOATS)[turn::3]):
        tensor, array = operand.on(torch, device, dtype), operand.array(dtype)
        wrapped = np.array(number).astype(array.dtype)
        for name, operator in ARITHMETIC.items():
            with case(dtype=dtype, operation=name):
                assert_equal(operator(tensor, number), _exactly(operator, array, wrapped))
                assert_equal(operator(number, tensor), _exactly(operator, wrapped, array))
        if dtype in FLOATS:
            # A device may multiply by the reciprocal, which is rounded too.
            bound = ulps(2, dtype, "a reciprocal and a product", FORMATS[dtype].tiny)
            exact = array.astype(np.float64) / 49
            with case(dtype=dtype, operation="div"):
                assert_close(tensor / 49, exact, bound)
                assert_close(torch.div(tensor, 49.0), exact, bound)
        assert_equal(tensor, array)


def _exactly(operator: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The operation in float64, rounded once; integers wrap in their own dtype."""
    if left.dtype.kind in "iu":
        return np.asarray(operator(left, right))
    wide = operator(left.astype(np.float64), right.astype(np.float64))
    return rounded(np.asarray(wide), left.dtype.name)


@clause("elementwise.alpha", covers=["dlnotes.arithmetic-functions", "notes.elementwise-family"],
        requires={"in-place", "out"}, effort=0.5)  # fmt: skip
@for_all(
    group=broadcast_shapes(2),
    layout=layouts(),
    name=st.sampled_from(("add", "sub", "subtract")),
    alpha=st.sampled_from((2, -2, 1, 0, -1, 0.5, 3)),
    seed=seeds(),
)
def alpha_multiplies_the_second_operand(
    torch: Any, device: str, group: Any, layout: str, name: str, alpha: float, seed: int
) -> None:
    """add and sub take alpha, which multiplies the second operand first, be that a tensor or a
    number; integers wrap. For integers alpha has to be one too; a float raises."""
    sign = 1 if name == "add" else -1
    function = getattr(torch, name)
    for dtype in supported((INTEGERS + FLOATS)[seed % 3 :: 3]):
        whole = category(dtype) is Category.INTEGER
        # Small whole numbers and halves of them are not rounded on the way; integers may wrap.
        first = Operand(group[0], layout, "normal" if whole else "signed", seed)
        second = Operand(group[1], "contiguous", first.regime, seed + 7)
        x, y = first.on(torch, device, dtype), second.on(torch, device, dtype)
        a, b = first.array(dtype), second.array(dtype)
        with case(dtype=dtype):
            if whole and isinstance(alpha, float):
                assert_raises(function, x, y, alpha=alpha)
                assert_raises(getattr(x, name), 1, alpha=alpha)
                continue
            if dtype == "uint8" and alpha < 0:  # uint8 has no such number
                continue
            kind = a.dtype if whole else np.dtype(np.float64)
            factor = np.array(sign * alpha).astype(kind)
            expected = (a.astype(kind) + factor * b.astype(kind)).astype(a.dtype)
            assert_equal(function(x, y, alpha=alpha), expected)
            assert_equal(getattr(x, name)(y, alpha=alpha), expected)
            out = torch.empty(expected.shape, dtype=x.dtype, device=device)
            assert_same_object(function(x, y, alpha=alpha, out=out), out)
            assert_equal(out, expected)
            number = (a.astype(kind) + factor * kind.type(3)).astype(a.dtype)
            assert_equal(function(x, 3, alpha=alpha), number)
            if a.shape == expected.shape:
                written = tensor_of(torch, device, a)
                assert_same_object(getattr(written, f"{name}_")(y, alpha=alpha), written)
                assert_equal(written, expected)


@clause("elementwise.rebinding", covers=["minicourse.out-of-place"], effort=5)
@for_all(operand=operands(), name=st.sampled_from(sorted(ARITHMETIC)))
def reassignment_leaves_the_old_tensor_as_it_was(
    torch: Any, device: str, operand: Operand, name: str
) -> None:
    """x = x + 1 binds a new tensor to the name; who holds the old one still sees its values."""
    for dtype in supported(("float32", "int64")):
        tensor = old = operand.on(torch, device, dtype)
        tensor = ARITHMETIC[name](tensor, 1)
        with case(dtype=dtype):
            assert_that(tensor is not old, "the operand itself came back")
            if tensor.numel():
                tensor.zero_()
            assert_equal(old, operand.array(dtype))


EXPONENTS = (2, 3, 1, 0, 4)


@clause("elementwise.power", covers=["dlnotes.pow"], effort=0.5)
@for_all(
    operand=operands(finite=True),
    exponent=st.sampled_from(EXPONENTS),
)
def pow_raises_every_element(torch: Any, device: str, operand: Operand, exponent: int) -> None:
    """x.pow(n), torch.pow(x, n), x ** n and the exponent as a tensor are the n-th power, element
    by element; integers wrap around."""
    for dtype in supported(("float32", "float64", *INTEGERS)):
        tensor, array = operand.on(torch, device, dtype), operand.array(dtype)
        power = np.power(array, np.array(exponent, array.dtype))
        whole = torch.full_like(tensor, exponent)
        with case(dtype=dtype):
            for result in (
                tensor.pow(exponent),
                torch.pow(tensor, exponent),
                tensor**exponent,
                torch.pow(tensor, whole),
            ):
                if array.dtype.kind in "iu":
                    assert_equal(result, power)
                else:
                    exact = array.astype(np.longdouble) ** exponent
                    bound = ulps(4, dtype, "up to 3 products, or exp(n*log(x)) in more bits",
                                 FORMATS[dtype].tiny)  # fmt: skip
                    assert_close(result, exact, bound)


_ONE: dict[str, tuple[Callable[..., Any], frozenset[Category]]] = {
    "abs": (np.abs, frozenset({Category.INTEGER, Category.FLOAT})),
    "neg": (np.negative, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "sign": (np.sign, frozenset({Category.INTEGER, Category.FLOAT})),
    "square": (np.square, frozenset({Category.INTEGER, Category.FLOAT})),
    "clone": (np.array, frozenset(Category)),
    "logical_not": (np.logical_not, frozenset(Category)),
    "bitwise_not": (np.invert, frozenset({Category.INTEGER, Category.BOOL})),
    "relu": (lambda x: np.maximum(x, x.dtype.type(0)),
             frozenset({Category.INTEGER, Category.FLOAT})),
}  # fmt: skip
_TWO: dict[str, tuple[Callable[..., Any], frozenset[Category]]] = {
    "add": (np.add, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "sub": (np.subtract, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "mul": (np.multiply, frozenset({Category.INTEGER, Category.FLOAT})),
    "maximum": (np.maximum, frozenset({Category.INTEGER, Category.FLOAT, Category.BOOL})),
    "div": (np.divide, frozenset({Category.FLOAT})),
    "eq": (np.equal, frozenset(Category)),
    "lt": (np.less, frozenset({Category.INTEGER, Category.FLOAT, Category.BOOL})),
    "bitwise_and": (np.bitwise_and, frozenset({Category.INTEGER, Category.BOOL})),
    "logical_or": (np.logical_or, frozenset(Category)),
}
"""Function: (the reference, the kinds of dtypes), where every result is exact."""

_LYING = ("contiguous", "stepped", "offset", "expanded")


@clause(
    "elementwise.every-length",
    covers=["notes.elementwise-family", "notes.layout-independence"],
)
@for_all(piece=st.sampled_from([(length, turn) for length in EVERY_LENGTH for turn in range(3)]))
def every_length_is_computed_to_its_end(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """Exact functions of one and of two operands are right at each element of a vector of every
    critical length, packed, stepped, offset or expanded, in every dtype."""
    length, turn = piece
    for dtype in supported(ALL[turn::3]):
        kind = category(dtype)
        plain = values((length,), dtype, "signed", length)
        divisors = np.where(np.arange(length) % 2, 4, 2).astype(plain.dtype)
        for lying in _LYING:
            laid = arrange(plain, lying)
            array = np.array(laid.of_array(laid.base))
            x = laid.of_tensor(tensor_of(torch, device, laid.base))
            for name, (reference, kinds) in _ONE.items():
                if kind in kinds:
                    with case(dtype=dtype, layout=lying, function=name, length=length):
                        assert_equal(getattr(torch, name)(x), reference(array), signed_zero=False)
            y = tensor_of(torch, device, divisors)
            for name, (reference, kinds) in _TWO.items():
                if kind in kinds:
                    with case(dtype=dtype, layout=lying, function=name, length=length):
                        does = getattr(torch, name)
                        assert_equal(does(x, y), reference(array, divisors), signed_zero=False)
                        assert_equal(does(y, x), _known(reference, divisors, array, name),
                                     signed_zero=False)  # fmt: skip
            chosen = np.arange(length) % 3 != 1
            with case(dtype=dtype, layout=lying, function="where", length=length):
                assert_equal(torch.where(tensor_of(torch, device, chosen), x, y),
                             np.where(chosen, array, divisors))  # fmt: skip


@clause(
    "elementwise.many-elements",
    covers=["notes.elementwise-family", "notes.layout-independence"],
)
def many_elements_are_computed_to_their_last(torch: Any, device: str) -> None:
    """Exact functions are right at each of more elements than a thread or a grid takes at once:
    beyond 2^15, 2^16 and 2^17, in a row, in a column, transposed and stretched."""
    for count, dtype in product((2**15, 2**16, 2**17), supported(("float32", "int64", "int8"))):
        array = values((count // 2 + 1, 2), dtype, "signed", 5)
        divisors = np.where(np.arange(2) % 2, array.dtype.type(4), array.dtype.type(2))
        x, y = tensor_of(torch, device, array), tensor_of(torch, device, divisors)
        row, flat = x.reshape(-1), array.ravel()
        for name in ("abs", "neg", "square", "relu", "clone"):
            for lying, a, held in (
                ("row", row, flat), ("column", row[:, None], flat[:, None]),
                ("transposed", x.t(), array.T),
            ):  # fmt: skip
                with case(function=name, dtype=dtype, count=count, lying=lying):
                    assert_equal(getattr(torch, name)(a), _ONE[name][0](held), signed_zero=False)
        for name in ("add", "sub", "mul", "maximum", "eq", "lt"):
            does, reference = getattr(torch, name), _TWO[name][0]
            with case(function=name, dtype=dtype, count=count):
                assert_equal(does(x, y), reference(array, divisors), signed_zero=False)
                assert_equal(does(x, x), reference(array, array), signed_zero=False)
                assert_equal(does(y[:, None], x.t()), reference(divisors[:, None], array.T),
                             signed_zero=False)  # fmt: skip


def _known(reference: Callable[..., Any], left: Any, right: Any, name: str) -> Any:
    """A quotient is rounded once from float64 (float32 and float64 by NumPy's own division)."""
    with np.errstate(all="ignore"):
        if name == "div" and left.dtype.itemsize < 4:
            return rounded(left.astype(np.float64) / right.astype(np.float64), left.dtype.name)
        return reference(left, right)


@clause("elementwise.refused-powers", covers=["dlnotes.pow"])
def integers_have_no_negative_integer_powers(torch: Any, device: str) -> None:
    """An integer tensor to a negative integer power raises, as its result is not an integer; as a
    float power it is a float, and to the power 0 it is 1."""
    for name in supported(INTEGERS):
        x = torch.tensor([1, 2, 3], dtype=getattr(torch, name), device=device)
        for exponent in (-1, -2, -7):
            with case(dtype=name, exponent=exponent):
                assert_raises(torch.pow, x, exponent)
                assert_raises(lambda a, n: a**n, x, exponent)
        with case(dtype=name, exponent=0):
            assert_equal(x**0, np.ones(3, name))
        with case(dtype=name, exponent=-1.0):
            assert_equal(torch.tensor([1, 2, 4], device=device).to(x.dtype) ** -1.0,
                         np.array([1, 0.5, 0.25], np.float32))  # fmt: skip


_MEETINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "x and its transpose": (lambda x: x, lambda x: x.T),
    "the rest and all but the last": (lambda x: x[1:], lambda x: x[:-1]),
    "columns and rows": (lambda x: x[:, :1], lambda x: x[:1]),
    "every other row, and the first ones": (lambda x: x[::2], lambda x: x[: (len(x) + 1) // 2]),
    "a stretched row": (lambda x: x, lambda x: x[1]),
}
_ARITHMETIC: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "eq": np.equal,
}  # fmt: skip


@clause("elementwise.of-itself", covers=["notes.layout-independence"], requires={"views"}, effort=2)
@for_all(
    length=st.sampled_from([2, 3, 5, 8, 9, 16, 17, 33]),
    meeting=st.sampled_from(list(_MEETINGS)),
    dtype=st.sampled_from(["float32", "int64", "float64", "int32", "float16", "uint8"]),
    seed=seeds(),
)
def views_of_one_tensor_meet(
    torch: Any, device: str, length: int, meeting: str, dtype: str, seed: int
) -> None:
    """Two views of one tensor, which overlap in memory, are operands like any others."""
    for name in supported([dtype]):
        array = values((length, length), name, "signed", seed)
        x = tensor_of(torch, device, array)
        left, right = _MEETINGS[meeting]
        for function, reference in _ARITHMETIC.items():
            with case(function=function):
                got = getattr(torch, function)(left(x), right(x))
                assert_equal(got, reference(left(array), right(array)), signed_zero=False)
        assert_equal(x, array)
