"""Floating-point numbers: quotients, remainders, decimals, exponents, limits and blends."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, broadcast_shapes, layouts, operands, seeds, tensor_of, values
from tenet.spec.cases.layouts import arrange
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model.dtypes import BOOL, FLOATS, FORMATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import rounded, ulps


@clause("elementwise.where", covers=["notes.elementwise-family"], effort=0.75)
@for_all(group=broadcast_shapes(3), seed=seeds(), layout=st.sampled_from(("contiguous", "stepped")))
def where_chooses_element_by_element(
    torch: Any, device: str, group: Any, seed: int, layout: str
) -> None:
    """where(condition, a, b) takes a's element where the condition holds and b's elsewhere, bit
    by bit (NaN included), for operands that broadcast."""
    choice = values(group[0], "bool", "normal", seed)
    condition = tensor_of(torch, device, choice)
    for dtype in supported(("float32", "int64", "bool", "bfloat16", "float64", "int8")):
        a = Operand(group[1], layout, "special", seed)
        b = Operand(group[2], "contiguous", "special", seed + 5)
        expected = np.where(choice, a.array(dtype), b.array(dtype))
        with case(dtype=dtype):
            x, y = a.on(torch, device, dtype), b.on(torch, device, dtype)
            assert_equal(torch.where(condition, x, y), expected)
            assert_equal(x.where(condition, y), expected)


@clause("elementwise.clamp", covers=["notes.elementwise-family"], effort=0.5)
@for_all(operand=operands(finite=True), low=st.sampled_from((0, -3, 2)),
         span=st.sampled_from((4, 0, 50, -3)))  # fmt: skip
def clamp_keeps_elements_within_its_limits(
    torch: Any, device: str, operand: Operand, low: int, span: int
) -> None:
    """clamp(min, max) raises what is below min to min and lowers what is above max to max, so that
    all is max where min is above it; either limit may be left out, both may be tensors, and NaN
    stays NaN."""
    high = low + span
    for dtype in supported(("float32", "int64", "float64", "int8", "float16", "bfloat16")):
        array = operand.array(dtype)
        tensor = operand.on(torch, device, dtype)
        least, most = np.array(low).astype(array.dtype), np.array(high).astype(array.dtype)
        with case(dtype=dtype):
            within = np.minimum(np.maximum(array, least), most).astype(array.dtype)
            assert_equal(tensor.clamp(low, high), within, signed_zero=False)
            assert_equal(torch.clip(tensor, low, high), within, signed_zero=False)
            assert_equal(tensor.clamp(min=low), np.maximum(array, least), signed_zero=False)
            assert_equal(torch.clamp(tensor, max=high), np.minimum(array, most), signed_zero=False)
            lows, highs = torch.full_like(tensor, low), torch.full_like(tensor, high)
            assert_equal(torch.clamp(tensor, lows, highs), within, signed_zero=False)
    for dtype in supported(FLOATS):
        nan = tensor_of(torch, device, np.full(17, np.nan, numpy_dtype(dtype)))
        lows, highs = torch.full_like(nan, low), torch.full_like(nan, high)
        for result in (nan.clamp(low, high), nan.clamp(lows, highs), nan.clamp(min=lows),
                       torch.clamp(nan, max=highs)):  # fmt: skip
            assert_equal(result, np.full(17, np.nan, numpy_dtype(dtype)))


@clause("elementwise.lerp", covers=["notes.elementwise-family"], effort=0.75)
@for_all(
    operand=operands(finite=True), weight=st.sampled_from((0.5, 0.0, 1.0, 0.25, 0.75, 2.0, -1.5))
)
def lerp_goes_from_start_to_end(torch: Any, device: str, operand: Operand, weight: float) -> None:
    """lerp(start, end, w) is start + w * (end - start): start at 0, end at 1, and beyond them
    below 0 and above 1; w a number or a tensor."""
    for dtype in supported(("float32", "float64")):
        start = np.clip(operand.array(dtype), -1e3, 1e3)
        end = np.clip(start * -0.5 + 3, -1e3, 1e3).astype(start.dtype)
        a, b = tensor_of(torch, device, start), tensor_of(torch, device, end)
        exact = start.astype(np.longdouble) * (1 - weight) + end.astype(np.longdouble) * weight
        scale = np.max(np.abs(np.concatenate([start.ravel(), end.ravel(), [0]])))
        reach = 1 + abs(weight)
        bound = ulps(2, dtype, "three roundings, of terms as large as the weighted ends",
                     4 * FORMATS[dtype].eps * reach * float(scale))  # fmt: skip
        with case(dtype=dtype):
            assert_close(torch.lerp(a, b, weight), exact, bound)
            assert_close(a.lerp(b, torch.full_like(a, weight)), exact, bound)


@clause("elementwise.float-remainder", covers=["notes.integer-division"])
@for_all(operand=operands(finite=True), divisor=st.sampled_from((2.5, -2.5, 1.0, -0.75)))
def the_remainder_of_floats_has_the_divisors_sign(
    torch: Any, device: str, operand: Operand, divisor: float
) -> None:
    """x % d and remainder(x, d) have the sign of d and differ from x by a whole multiple of d;
    fmod has the sign of x; x // d is the quotient rounded down, and so it is where the number is
    what is divided. An integer or a bool that is divided by a float is a float first."""
    whole = (INTEGERS + BOOL)[operand.seed % 2 :: 2]
    for dtype in supported(("float32", "float64", *whole)):
        held = operand.array(dtype)
        if dtype in FLOATS:
            held = (np.round(np.clip(held, -1e3, 1e3) * 8) / 8).astype(numpy_dtype(dtype))
        elif dtype in INTEGERS:
            held = np.fmod(held, 1000 if held.itemsize > 1 else 100).astype(held.dtype)
        array = held.astype(np.float64 if dtype == "float64" else np.float32)
        tensor = tensor_of(torch, device, held)
        with case(dtype=dtype):
            remains = np.mod(array, array.dtype.type(divisor))
            assert_equal(tensor % divisor, remains, signed_zero=False)
            assert_equal(torch.remainder(tensor, divisor), remains, signed_zero=False)
            fmod = np.fmod(array, array.dtype.type(divisor))
            assert_equal(torch.fmod(tensor, divisor), fmod, signed_zero=False)
            down = np.floor_divide(array, array.dtype.type(divisor))
            assert_equal(tensor // divisor, down, signed_zero=False)
            others = np.where(array == 0, array.dtype.type(1.5), array)
            y, number = tensor_of(torch, device, others), array.dtype.type(divisor)
            assert_equal(divisor % y, np.mod(number, others), signed_zero=False)
            assert_equal(divisor // y, np.floor_divide(number, others), signed_zero=False)
            towards_zero = np.trunc(np.divide(array, array.dtype.type(divisor)))
            for way, quotient in (("floor", down), ("trunc", towards_zero)):
                divided = torch.div(tensor, divisor, rounding_mode=way)
                assert_equal(divided, quotient.astype(array.dtype), signed_zero=False)


_QUOTIENTS = (1000, 7, 1, 40, 2**18)
"""How large the quotients may be."""


@clause("elementwise.float-quotients", covers=["notes.integer-division", "notes.extremal-values"],
        effort=0.5)  # fmt: skip
@for_all(
    group=broadcast_shapes(2),
    layout=layouts(),
    reach=st.sampled_from(_QUOTIENTS),
    seed=seeds(),
)
def quotients_of_floats_round_as_asked(
    torch: Any, device: str, group: Any, layout: str, reach: int, seed: int
) -> None:
    """// and div(rounding_mode="floor") round the exact quotient down, not a rounded one, so that
    1.0 // 0.1 is 9; div(rounding_mode="trunc") takes the fraction off the quotient that division
    gives. fmod has the sign of the dividend, zero included, and % that of the divisor."""
    for dtype in supported(FLOATS):
        b = Operand(group[1], layout, "normal", seed).array(dtype)
        b = np.where(np.abs(b) < 0.0625, b.dtype.type(0.5), b).astype(b.dtype)
        a = Operand(group[0], "contiguous", "normal", seed + 3).array(dtype).astype(np.float64)
        most = min(reach, 1000) if dtype in ("float16", "bfloat16") else reach
        largest = np.abs(b.astype(np.float64)).min(initial=1.0) * most
        a = np.clip(a * most / 4, -largest, largest)
        # Half of them as near to a multiple of a divisor as can be, to either side of it.
        one = b.astype(np.float64).ravel()[:1].sum() or 1.0
        beside = rounded(np.rint(a / one) * one, dtype).astype(np.float64)
        a = np.where(np.arange(a.size).reshape(a.shape) % 2 == seed % 2, beside, a).astype(b.dtype)
        x = tensor_of(torch, device, a)
        arrangement = arrange(b, layout)
        y = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
        # The remainder of two floats is one itself, and so the quotient follows without rounding.
        wide, by = a.astype(np.float64), b.astype(np.float64)
        fmod = np.fmod(wide, by)
        below = (fmod != 0) & ((fmod < 0) != (by < 0))
        down, remains = np.rint((wide - fmod) / by) - below, fmod + below * by
        trunc = np.trunc(rounded(wide / by, dtype).astype(np.float64))
        with case(dtype=dtype):
            assert_equal(torch.fmod(x, y), fmod.astype(a.dtype))
            for result in (x % y, torch.remainder(x, y)):
                assert_equal(result, remains.astype(a.dtype), signed_zero=False)
            if dtype in ("float16", "bfloat16"):  # to half precision a quotient may be rounded
                continue
            assert_equal(torch.div(x, y, rounding_mode="trunc"), trunc.astype(a.dtype),
                         signed_zero=False)  # fmt: skip
            for result in (x // y, torch.floor_divide(x, y), torch.div(x, y, rounding_mode="floor"),
                           x.div(y, rounding_mode="floor")):  # fmt: skip
                assert_equal(result, down.astype(a.dtype), signed_zero=False)


@clause("elementwise.exponents", covers=["notes.elementwise-family", "notes.extremal-values"],
        effort=0.5)  # fmt: skip
@for_all(operand=operands(finite=True))
def numbers_come_apart_into_mantissa_and_exponent(
    torch: Any, device: str, operand: Operand
) -> None:
    """frexp gives a mantissa of 0.5 to 1 and an int32 exponent of 2, of numbers below the smallest
    normal one too, and ldexp puts them together again."""
    for dtype in supported(("float32", "float64", "float16")):
        array, x = operand.array(dtype), operand.on(torch, device, dtype)
        with case(dtype=dtype):
            mantissa, exponent = np.frexp(array)
            got = torch.frexp(x)
            assert_equal(got.mantissa, mantissa)
            assert_equal(got.exponent, exponent.astype(np.int32))
            if dtype != "float16":
                # In two steps, for 2 to the power of the whole exponent may be no number.
                half = got.exponent // 2
                again = torch.ldexp(torch.ldexp(got.mantissa, half), got.exponent - half)
                normal = (np.abs(array) >= FORMATS[dtype].tiny) | (array == 0)
                shown = torch.where(tensor_of(torch, device, normal), again, x)
                assert_equal(shown, array)


@clause("elementwise.decimals", covers=["notes.elementwise-family"], effort=1.5)
@for_all(operand=operands(finite=True))
def halves_round_to_even(torch: Any, device: str, operand: Operand) -> None:
    """round() takes halves to the even neighbour: 0.5 to 0, 1.5 and 2.5 to 2. It rounds to so many
    decimals, and left of the point where they are negative: 0.375 at 2 is 0.38, 25 at -1 is 20."""
    for dtype in supported(FLOATS):
        halves = (np.round(np.clip(operand.array(dtype), -60, 60)) + 0.5).astype(numpy_dtype(dtype))
        with case(dtype=dtype):
            expected = np.rint(halves.astype(np.float64)).astype(halves.dtype)
            assert_equal(tensor_of(torch, device, halves).round(), expected)
    for dtype in supported(("float32", "float64")):
        whole = np.round(np.clip(operand.array(dtype), -1200, 1200)).astype(np.float64)
        for decimals in (-3, -2, -1, 0, 1, 2, 3):
            # Multiples of the last place, and what lies halfway, without any rounding.
            tens, step = 10.0 ** abs(decimals), 2.0 ** -(decimals + 1)
            if decimals < 0:
                given, expected = whole * tens / 2, np.rint(whole / 2) * tens
            else:
                given, expected = whole * step, np.rint(whole * step * tens) / tens
            given, expected = given.astype(dtype), expected.astype(dtype)
            with case(dtype=dtype, decimals=decimals):
                x = tensor_of(torch, device, given)
                assert_equal(torch.round(x, decimals=decimals), expected)
                assert_equal(x.round_(decimals=decimals), expected)


@clause("elementwise.remainder-of-large-quotients",
        covers=["notes.elementwise-family", "notes.extremal-values"])  # fmt: skip
def the_remainder_of_a_large_quotient_is_finite(torch: Any, device: str) -> None:
    """fmod and remainder of finite numbers are finite, and exact, also where the quotient is
    larger than the largest number, or than a number that has all of its digits, whatever the number
    of elements."""
    pairs = {
        "float64": {
            "some": (7.5, 2.0),
            "large": (1e300, 7e270),
            "beyond": (1.7e308, 2.0**-1000),
            "whole": (1e22, 7.0),
            "odd": (2.0**90 + 2.0**38, 3.0),
        },
        "float32": {
            "some": (7.5, 2.0),
            "large": (1e30, 7e25),
            "beyond": (3e38, 2.0**-120),
            "whole": (1e10, 3.0),
            "odd": (2.0**60 + 2.0**37, 0.75),
        },
    }
    for name in supported(("float64", "float32")):
        for (quotient, (a, b)), length in product(pairs[name].items(), (1, 2, 3, 64, 128)):
            x, y = np.full(length, a, name), np.full(length, b, name)
            for function, sign in product(("fmod", "remainder"), (1, -1)):
                size = "long" if length > 3 else "short"
                with case(quotient=quotient, size=size, length=length, function=function,
                          sign=sign, dtype=name):  # fmt: skip
                    tensors = tensor_of(torch, device, x), tensor_of(torch, device, sign * y)
                    expected = getattr(np, function)(x, sign * y)
                    call = getattr(torch, function)
                    assert_equal(call(*tensors), expected, signed_zero=False)
