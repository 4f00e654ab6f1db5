"""Whole numbers: bits, wrap-around and division."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, operands, seeds, tensor_of, values
from tenet.spec.elementwise.operands import ARITHMETIC
from tenet.spec.language import assert_equal, assert_raises, case, clause, for_all, supported
from tenet.spec.model.dtypes import INTEGERS, numpy_dtype


@clause("elementwise.shifts", covers=["notes.elementwise-family"])
def bits_are_shifted_by_every_amount(torch: Any, device: str) -> None:
    """x << n multiplies by 2 to the power of n, x >> n divides by it and rounds down, for every n
    below the width of the dtype, as a number and as a tensor, and for negative x too."""
    for dtype in supported(INTEGERS):
        info = np.iinfo(numpy_dtype(dtype))  # type: ignore[type-var] # an integer dtype
        amounts = np.arange(info.bits - 1).astype(numpy_dtype(dtype))
        for start in (1, 3, int(info.max), -8, -1, int(info.min)):
            if start < 0 <= int(info.min):
                continue
            whole = np.full_like(amounts, start)
            a, n = (tensor_of(torch, device, array) for array in (whole, amounts))
            down = np.right_shift(whole, amounts)
            with case(dtype=dtype, start=start):
                assert_equal(a >> n, down)
                assert_equal(torch.bitwise_right_shift(a, n), down)
                numbers = (0, 1, 3, info.bits // 2, info.bits - 2)
                for amount in numbers:
                    assert_equal(a >> amount, whole >> amount)
                    assert_equal(torch.bitwise_right_shift(a, amount), whole >> amount)
                if start < 0:
                    continue
                for amount in numbers:
                    if start << amount <= int(info.max):
                        assert_equal(a << amount, whole << amount)
                        assert_equal(torch.bitwise_left_shift(a, amount), whole << amount)
                fits = whole.astype(object) << amounts.astype(object)
                fitting = np.array([x <= int(info.max) for x in fits])
                up = np.where(fitting, fits, 0).astype(amounts.dtype)
                assert_equal((a << n)[: fitting.sum()], up[: fitting.sum()])
                assert_equal(torch.bitwise_left_shift(a, n)[: fitting.sum()], up[: fitting.sum()])


@clause("elementwise.wraparound", covers=["notes.integer-wraparound"], effort=0.5)
@for_all(group=broadcast_shapes(), seed=seeds(), turn=st.sampled_from(range(2)))
def integers_wrap_around(torch: Any, device: str, group: Any, seed: int, turn: int) -> None:
    """Sums, differences, products and negations of integers are those of whole numbers modulo
    2 to the power of the width."""
    for dtype in supported(INTEGERS[turn::2]):
        left = values(group[0], dtype, "extreme", seed)
        right = values(group[1], dtype, "normal", seed + 3)
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        with case(dtype=dtype):
            for name, operator in ARITHMETIC.items():
                exact = operator(left.astype(object), right.astype(object))
                assert_equal(getattr(torch, name)(a, b), _modulo(exact, dtype))
            assert_equal(-a, _modulo(-left.astype(object), dtype))


def _modulo(exact: Any, dtype: str) -> np.ndarray:
    """Whole numbers of any size, brought into the range of a dtype."""
    info = np.iinfo(numpy_dtype(dtype))  # type: ignore[type-var] # an integer dtype
    span, low = 2**info.bits, int(info.min)
    wrapped = (np.asarray(exact, object) - low) % span + low
    return np.asarray(wrapped).astype(numpy_dtype(dtype))


DIVISORS = (3, -3, 2, -2, 7, -1, 1)


@clause("elementwise.integer-division", covers=["notes.integer-division"], effort=0.5)
@for_all(operand=operands(), divisor=st.sampled_from(DIVISORS))
def integer_division_rounds_as_asked(
    torch: Any, device: str, operand: Operand, divisor: int
) -> None:
    """// and % follow Python's sign rules (rounding down, the divisor's sign), on whichever side
    the number stands; div rounds to nothing, toward zero or down by rounding_mode; fmod has the
    dividend's sign."""
    for dtype in supported(("int64", "int32", "int16", "int8")):
        array = operand.array(dtype)
        if divisor == -1:  # the smallest integer has no quotient by -1
            array = np.where(array == np.iinfo(array.dtype).min, 5, array).astype(array.dtype)
        tensor = tensor_of(torch, device, array)
        exact = array.astype(object)
        down, remains = exact // divisor, exact % divisor
        towards_zero = down + ((remains != 0) & (down < 0))
        with case(dtype=dtype):
            for result in (
                tensor // divisor,
                torch.floor_divide(tensor, divisor),
                torch.div(tensor, divisor, rounding_mode="floor"),
                tensor // torch.full_like(tensor, divisor),
            ):
                assert_equal(result, np.asarray(down).astype(array.dtype))
            for result in (tensor % divisor, torch.remainder(tensor, divisor)):
                assert_equal(result, np.asarray(remains).astype(array.dtype))
            trunc = torch.div(tensor, divisor, rounding_mode="trunc")
            assert_equal(trunc, np.asarray(towards_zero).astype(array.dtype))
            fmod = np.asarray(exact - towards_zero * divisor).astype(array.dtype)
            assert_equal(torch.fmod(tensor, divisor), fmod)
            others = np.where(array == 0, array.dtype.type(5), array)
            y, number = tensor_of(torch, device, others), array.dtype.type(divisor)
            assert_equal(divisor // y, number // others)
            assert_equal(torch.div(divisor, y, rounding_mode="floor"), number // others)
            for result in (divisor % y, torch.remainder(divisor, y)):
                assert_equal(result, number % others)


@clause("elementwise.division-by-zero", covers=["notes.integer-division"])
def integer_division_by_zero_raises_on_the_cpu(torch: Any, device: str) -> None:
    """On the CPU // and % of integers by 0 raise; true division gives inf and nan."""
    for dtype in supported(INTEGERS):
        ones = torch.ones(3, dtype=getattr(torch, dtype), device=device)
        with case(dtype=dtype):
            quotient = np.full(3, np.inf, np.float32)
            assert_equal(ones / 0, quotient)
            assert_equal(ones // 1, np.ones(3, numpy_dtype(dtype)))
            if device == "cpu":
                assert_raises(lambda x: x // 0, ones)
                assert_raises(lambda x: x % 0, ones)
                assert_raises(torch.div, ones, ones - 1, rounding_mode="trunc")


_LONG = 2**62 + 1


@clause("elementwise.large-quotients", covers=["notes.integer-division"])
def large_integers_divide_without_rounding(torch: Any, device: str) -> None:
    """Quotients and remainders of int64 are exact beyond the 53 bits of a float64, at any length,
    be the divisor a number or a tensor."""
    for _ in supported(("int64",)):
        for length, (a, b) in product(
            (1, 9, 64), product((_LONG, -_LONG, 2**53 + 1), (1, 3, -3, 7))
        ):
            x = torch.full((length,), a, device=device)
            sign = -1 if (a < 0) != (b < 0) else 1
            toward_zero = sign * (abs(a) // abs(b))
            with case(a=a, b=b, length=length):
                assert_equal(a // torch.full_like(x, b), np.full(length, a // b, np.int64))
                assert_equal(a % torch.full_like(x, b), np.full(length, a % b, np.int64))
                for divisor in (b, torch.full_like(x, b)):
                    for result, number in (
                        (x // divisor, a // b),
                        (torch.div(x, divisor, rounding_mode="floor"), a // b),
                        (torch.div(x, divisor, rounding_mode="trunc"), toward_zero),
                        (x % divisor, a % b),
                        (torch.fmod(x, divisor), a - toward_zero * b),
                    ):
                        assert_equal(result, np.full(length, number, np.int64))
