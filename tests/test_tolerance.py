"""The bounds hold what they promise: gaps between numbers, single roundings, edges of formats."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from tenet.spec.cases import values
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.tolerance import Bound, rounded, summation, ulp, ulps

FLOATS = ("float16", "bfloat16", "float32", "float64")
INF, NAN = np.inf, np.nan


def after(x: float, dtype: str) -> float:
    """The next number of the format above x."""
    kind = numpy_dtype(dtype)
    step = ml_dtypes.bfloat16(np.inf) if dtype == "bfloat16" else kind.type(np.inf)
    return float(np.nextafter(np.asarray(x, kind), np.asarray(step, kind)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_an_ulp_is_the_distance_to_the_next_number(dtype: str) -> None:
    layout = FORMATS[dtype]
    numbers = [1.0, 1.5, 2.0, 0.5, 1024.0, 3.0, layout.tiny, 2 * layout.tiny, layout.max / 4]
    for x in [*numbers, 0.0, layout.smallest, layout.tiny / 2, layout.tiny - layout.smallest]:
        assert ulp(np.array(x), dtype) == after(x, dtype) - x, x
        assert ulp(np.array(-x), dtype) == ulp(np.array(x), dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_an_ulp_just_below_a_power_of_two_is_the_smaller_one(dtype: str) -> None:
    layout = FORMATS[dtype]
    below = 2.0 - layout.eps
    assert ulp(np.array([below, 2.0]), dtype).tolist() == [layout.eps, 2 * layout.eps]


def test_an_ulp_of_what_is_not_finite_is_finite() -> None:
    assert np.isfinite(ulp(np.array([INF, -INF, NAN]), "float32")).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_formats_are_what_numpy_and_ml_dtypes_say(dtype: str) -> None:
    info, layout = ml_dtypes.finfo(numpy_dtype(dtype)), FORMATS[dtype]
    assert float(info.eps) == layout.eps
    assert float(info.max) == layout.max
    assert float(info.tiny) == layout.tiny
    assert float(info.smallest_subnormal) == layout.smallest


def nearest(x: Fraction, dtype: str) -> float:
    """Rounded to nearest, ties to even, in exact rational arithmetic."""
    low = Fraction(float(numpy_dtype(dtype).type(float(x))))
    gap = Fraction(float(ulp(np.array(float(x)), dtype)))
    candidates = [low + n * gap for n in range(-2, 3)]
    best = min(abs(c - x) for c in candidates)
    near = [c for c in candidates if abs(c - x) == best]
    return float(next((c for c in near if (c / gap) % 2 == 0), near[0]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_reference_is_rounded_only_once(dtype: str) -> None:
    half = FORMATS[dtype].eps / 2
    for tie in (1 + half, 1 + 3 * half, 4 + 4 * half, -1 - half):
        for off in (0.0, 2.0**-50, -(2.0**-50), 2.0**-31, -(2.0**-31)):
            exact = Fraction(tie) + Fraction(off)
            reference = np.array([float(exact)])
            assert float(rounded(reference, dtype)[0]) == nearest(Fraction(float(exact)), dtype)
            longer = np.array([tie], np.longdouble) + np.longdouble(off)
            if Fraction(*longer[0].as_integer_ratio()) == exact:
                assert float(rounded(longer, dtype)[0]) == nearest(exact, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("regime", ["normal", "wide", "extreme", "special", "small"])
def test_rounding_keeps_what_the_dtype_holds(dtype: str, regime: str) -> None:
    array = values((3000,), dtype, regime, 17)
    again = rounded(array.astype(np.float64), dtype)
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again.astype(np.float64), array.astype(np.float64))
    assert (np.signbit(again) == np.signbit(array))[~np.isnan(array)].all()


def test_rounding_overflows_to_infinity_at_half_an_ulp_beyond_the_largest() -> None:
    for dtype in ("float16", "bfloat16", "float32"):
        layout = FORMATS[dtype]
        half = float(ulp(np.array(layout.max), dtype)) / 2
        got = rounded(np.array([layout.max, layout.max + half, layout.max + half * 0.99]), dtype)
        assert got.astype(np.float64).tolist() == [layout.max, INF, layout.max]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", [1.0, 3.0, 1024.0, 1e-3, 0.9])
def test_a_bound_allows_its_ulps_and_not_eight_more(dtype: str, scale: float) -> None:
    expected = rounded(np.array([scale, -scale]), dtype).astype(np.float64)
    gap = ulp(expected, dtype)
    for count in (1.0, 2.0, 4.0):
        bound = ulps(count, dtype, "test")
        assert not bound.exceeded(rounded(expected + count * gap, dtype), expected).any()
        assert not bound.exceeded(rounded(expected - count * gap, dtype), expected).any()
        beyond = expected + np.sign(expected) * (count + 8) * gap
        assert bound.exceeded(rounded(beyond, dtype), expected).all()


def test_a_bound_of_nothing_demands_the_number_itself() -> None:
    bound = Bound("float32", 0, "exact")
    assert not bound.exceeded(np.float32([1.5, -0.0]), np.array([1.5, 0.0])).any()
    assert bound.exceeded(np.float32([1.5]), np.array([np.nextafter(1.5, 2)])).all()


@pytest.mark.parametrize(
    ("got", "wanted", "broken"),
    [
        (NAN, NAN, False), (NAN, 1.0, True), (1.0, NAN, True), (INF, NAN, True), (NAN, INF, True),
        (INF, INF, False), (-INF, INF, True), (3e38, INF, True), (INF, 1.0, True),
        (INF, 1e39, False), (-INF, 1e39, True), (INF, 3.40282e38, True), (-INF, -1e39, False),
        (INF, FORMATS["float32"].max, False), (INF, FORMATS["float32"].max * (1 - 1e-6), True),
        (FORMATS["float32"].max, FORMATS["float32"].max * (1 + 2.0**-26), False),
    ],
)  # fmt: skip
def test_edges_of_a_bound(got: float, wanted: float, broken: bool) -> None:
    bound = ulps(2, "float32", "test")
    assert bool(bound.exceeded(np.float32([got]), np.array([wanted]))[0]) is broken


def test_an_infinite_allowance_does_not_let_infinity_pass_for_a_number() -> None:
    bound = summation(np.array([INF, INF, INF]), 3, "float32", "float32")
    got, wanted = np.float32([1.0, -INF, INF]), np.array([INF, INF, INF])
    assert bound.exceeded(got, wanted).tolist() == [True, True, False]


def test_complex_numbers_are_near_in_the_plane_and_alike_where_they_are_not_finite() -> None:
    bound = ulps(2, "complex64", "test")
    wanted = np.array([1 + 1j, complex(NAN, 1), complex(INF, 0), complex(INF, 0), complex(NAN, 1)])
    got = np.array([1 + 1j, complex(NAN, 1), complex(INF, 0), complex(-INF, 0), complex(1, 1)])
    assert bound.exceeded(got, wanted).tolist() == [False, False, False, True, True]
    eps = FORMATS["complex64"].eps
    assert not bound.exceeded(np.array([1 + eps * 1j]), np.array([1 + 0j])).any()
    assert bound.exceeded(np.array([1 + 10 * eps + 1j]), np.array([1 + 1j])).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("terms", [1, 2, 17, 1000])
def test_sums_in_any_order_lie_within_the_summation_bound(dtype: str, terms: int) -> None:
    kind = numpy_dtype(dtype)
    array = values((40, terms), dtype, "normal", terms)
    exact = array.astype(np.float64).sum(1)
    bound = summation(np.abs(array.astype(np.float64)).sum(1), terms, dtype, dtype)
    for order in (slice(None), slice(None, None, -1)):
        running = np.zeros(40, kind)
        for column in array[:, order].T:
            running = (running + column).astype(kind)
        assert not bound.exceeded(running, exact).any()


def test_the_summation_bound_is_not_idle() -> None:
    array = values((100,), "float32", "normal", 5).astype(np.float64)
    bound = summation(np.asarray(np.abs(array).sum()), 100, "float32", "float32")
    exact = np.asarray(array.sum())
    for wrong in (array[:-1].sum(), array.sum() * 1.001, array.sum() + 0.01):
        assert bound.exceeded(np.float32(wrong), exact).all()


def test_a_final_rounding_across_a_power_of_two_is_within_the_bound() -> None:
    # The running sum has moved from just below 2 to beyond it, where the gap is twice as wide.
    gap = FORMATS["float16"].eps
    bound = Bound("float16", 0.5, "test", absolute=1.6 * gap)
    assert not bound.exceeded(np.array([2 + 2 * gap], np.float16), np.array([2 - 1e-9])).any()
