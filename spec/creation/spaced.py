"""Evenly spaced numbers, and the identity."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.spacings import (
    DECIMAL_LENGTHS,
    dyadic_ranges,
    dyadic_spaces,
    fits,
    integer_ranges,
)
from tenet.spec.creation.common import dtypes
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import (
    FLOATS,
    FORMATS,
    INTEGERS,
    NUMERIC,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import Bound, rounded, ulps


@clause(
    "creation.arange-integers",
    covers=["minicourse.arange", "basics.dtype-argument"],
    effort=8,
    thorough=True,
)
@for_all(range_of=from_pool(integer_ranges))
def arange_of_integers_is_half_open(
    torch: Any, device: str, range_of: tuple[str, int, int, int]
) -> None:
    """arange(start, end, step) counts from start, which it includes, in equal steps up or down to
    end, which it excludes: exactly, for integers of any size. Integer arguments give int64; start
    is 0 and step is 1 by default; dtype= gives the same numbers in another dtype."""
    dtype, start, end, step = range_of
    expected = np.array(range(start, end, step), np.int64)
    for _ in supported(["int64"]):
        assert_equal(torch.arange(start, end, step, device=device), expected)
        assert_equal(torch.arange(start=start, end=end, step=step, device=device), expected)
        if step == 1:
            assert_equal(torch.arange(start, end, device=device), expected)
        if step == 1 and start == 0:
            assert_equal(torch.arange(end, device=device), expected)
            assert_equal(torch.arange(end=end, device=device), expected)
    for name in supported([dtype]):
        x = torch.arange(start, end, step, dtype=getattr(torch, name), device=device)
        assert_equal(x, expected.astype(numpy_dtype(name)))


@clause("creation.arange-floats", covers=["minicourse.arange", "basics.dtype-argument"], effort=2)
@for_all(spacing=from_pool(dyadic_ranges))
def arange_of_binary_fractions_is_exact(
    torch: Any, device: str, spacing: tuple[float, float, int, float]
) -> None:
    """If any argument is a float, arange gives the default float dtype and, for i from 0, the
    ceil((end - start) / step) elements start + i * step: exactly those, if the dtype holds them."""
    start, step, length, beyond = spacing
    expected = start + step * np.arange(length)
    end = start + step * (length - 1 + beyond)
    for name in supported(FLOATS):
        if not fits(np.array([start, step, *expected, *(expected - start)]), name):
            continue
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        exact = expected.astype(numpy_dtype(name))
        with case(dtype=name, end=end):
            assert_equal(torch.arange(start, end, step, **options), exact)
            assert_equal(torch.arange(start=start, end=end, step=step, **options), exact)
            if start == int(start):
                assert_equal(torch.arange(int(start), end, step, **options), exact)
            # One float among the arguments is enough, be it a whole number.
            if end == int(end):
                assert_equal(torch.arange(start, int(end), step, **options), exact)
            if step == 1:
                assert_equal(torch.arange(start, end, **options), exact)
                if start == int(start):
                    assert_equal(torch.arange(int(start), end, **options), exact)
                if end == int(end):
                    assert_equal(torch.arange(start, int(end), **options), exact)
            if step == 1 and start == 0:
                assert_equal(torch.arange(end, **options), exact)


_DECIMAL = st.sampled_from(
    [(0.0, 0.1), (1.0, -0.1), (0.1, 0.3), (-0.7, 0.7), (5.0, 0.01), (2.0, 1 / 3), (-3.14, -2.72)]
)


@clause("creation.arange-rounding", covers=["minicourse.arange"], effort=2)
@for_all(spacing=_DECIMAL, length=st.sampled_from(LENGTHS[:3] + LENGTHS[4:-1]))
def arange_does_not_gather_rounding_errors(
    torch: Any, device: str, spacing: tuple[float, float], length: int
) -> None:
    """Element i of arange lies at start + i * step, as near as the dtype's rounding of start, step,
    product and sum allows, for the last element as for the first: errors do not add up."""
    start, step = spacing
    # Half a step from either neighbour, the end leaves no doubt about the length.
    end = start + step * (length - 0.5)
    expected = start + step * np.arange(length)
    magnitude = np.abs(start) + np.abs(step * np.arange(length))
    for name in supported(FLOATS):
        unit = FORMATS[name].eps / 2
        reason = "start, step, product and partial sum, and the sum itself, each rounded once"
        bound = Bound(name, 0.5, reason, absolute=4 * unit * magnitude)
        x = torch.arange(start, end, step, dtype=getattr(torch, name), device=device)
        with case(dtype=name, end=end):
            assert_close(x, expected, bound)


@clause("creation.arange-length", thorough=True, covers=["minicourse.arange"], metadata_only=True)
def arange_excludes_an_end_that_the_steps_reach(torch: Any, device: str) -> None:
    """arange has ceil((end - start) / step) elements, so an end that the steps reach is left out,
    whatever the dtype of the result; start equal to end leaves nothing."""
    for arguments, length in DECIMAL_LENGTHS:
        for name in supported(FLOATS):
            with case(arguments=arguments, dtype=name):
                x = torch.arange(*arguments, dtype=getattr(torch, name), device=device)
                assert_metadata(x, shape=(length,), dtype=name, stride=(1,))
        for name in supported(["float32"]):
            assert_metadata(torch.arange(*arguments, device=device), shape=(length,), dtype=name)


@clause("creation.linspace-exact", covers=["dlnotes.linspace", "basics.dtype-argument"], effort=6)
@for_all(space=from_pool(dyadic_spaces), dtype=st.sampled_from(NUMERIC))
def linspace_of_binary_fractions_is_exact(
    torch: Any, device: str, space: tuple[float, float, int], dtype: str
) -> None:
    """linspace(start, end, steps) gives `steps` numbers at equal distances from start to end, both
    included, float32 by default: exactly those, where the dtype holds the distances and numbers.
    One step gives start, none gives an empty tensor."""
    start, distance, steps = space
    counts = np.arange(steps, dtype=np.float64)
    expected = start + distance * counts
    end = start + distance * (steps - 1) if steps > 1 else start + 1
    for name in supported(["float32"] if dtype == "float32" else ["float32", dtype]):
        parts = [expected, expected - start, expected - end, np.array([start, end, end - start])]
        if category(name) is not Category.INTEGER:
            parts += [counts, np.array([distance])]  # integers are computed in a float format
        if not fits(np.concatenate(parts), name):
            continue
        exact = expected.astype(numpy_dtype(name))
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        with case(dtype=name, start=start, end=end, steps=steps):
            assert_equal(torch.linspace(start, end, steps, **options), exact)
            assert_equal(torch.linspace(start=start, end=end, steps=steps, **options), exact)
            if start == int(start) and end == int(end):
                assert_equal(torch.linspace(int(start), int(end), steps=steps, **options), exact)


_ENDS = [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (3.0, -5.0), (1e-3, 1e3), (-3.14, 2.72), (7.0, 7.3),
         (0.0, 2e-7), (3e-8, -5e-9)]  # fmt: skip


@clause("creation.linspace-ends", covers=["dlnotes.linspace"], effort=1.5)
@for_all(ends=st.sampled_from(_ENDS), steps=st.sampled_from(LENGTHS[1:3] + LENGTHS[4:]))
def linspace_includes_both_ends(
    torch: Any, device: str, ends: tuple[float, float], steps: int
) -> None:
    """The first element of linspace is start and the last is end, each rounded to the dtype and no
    more; those between lie at equal distances, but for rounding. Either end may be a tensor
    without dimensions."""
    start, end = ends
    expected = start + (end - start) * (np.arange(steps) / (steps - 1))
    for name in supported(FLOATS):
        if name == "float16" and abs(end) < 1e-4:
            continue  # these are subnormal there
        unit = FORMATS[name].eps / 2
        # The ends, their difference, the count, the quotient, the index, the product: each u.
        reason = "seven roundings of numbers up to |start| + |end|, then the sum rounded"
        bound = Bound(name, 0.5, reason, absolute=8 * unit * (abs(start) + abs(end)))
        options = {"dtype": getattr(torch, name), "device": device}
        first, last = (torch.tensor(number, **options) for number in ends)
        for given in (ends, ((first, last), (start, last), (first, end))[steps % 3]):
            x = torch.linspace(*given, steps, **options)
            with case(dtype=name, start=type(given[0]).__name__, end=type(given[1]).__name__):
                assert_close(x, expected, bound)
                assert_equal(x[0], rounded(np.array(start), name))
                assert_equal(x[-1], rounded(np.array(end), name))


@clause(
    "creation.linspace-integers", covers=["dlnotes.linspace", "basics.dtype-argument"], effort=5
)
@for_all(
    ends=st.sampled_from([(0, 10), (0, 1), (10, 0), (3, 100), (1, 126), (120, 2), (5, 5),
                          (0, 2**24 + 1), (-(2**24) - 3, 2**24 + 5), (2**40 + 1, 3)]),
    steps=st.sampled_from(LENGTHS[1:3] + LENGTHS[4:]),
)  # fmt: skip
def linspace_in_integers_keeps_its_ends(
    torch: Any, device: str, ends: tuple[int, int], steps: int
) -> None:
    """In an integer dtype the first and last elements are start and end, and each of the others is
    an integer less than 1 away from the evenly spaced number; which of them is not documented."""
    start, end = ends
    exact = start + (end - start) * (np.arange(steps) / (steps - 1))
    for name in supported(INTEGERS):
        info = np.iinfo(numpy_dtype(name))  # type: ignore[type-var]  # a dtype of INTEGERS
        if not all(info.min <= number <= info.max for number in ends):
            continue
        x = torch.linspace(start, end, steps, dtype=getattr(torch, name), device=device)
        with case(dtype=name):
            assert_metadata(x, shape=(steps,), dtype=name)
            got = read(x).astype(np.float64)
            assert_equal((int(got[0]), int(got[-1])), (start, end))
            assert_that((np.abs(got - exact) < 1 + 1e-5).all(), "an element more than 1 away")


_SIDES = (1, 2, 3, 0, 5, 7, 8, 9, 16, 17, 33, 65)
_EYES = sorted({(n, m) for n in _SIDES for m in _SIDES} | {(1, 1025), (1025, 2)}, key=prod)


@clause("creation.eye", covers=["dlnotes.eye", "basics.dtype-argument"], effort=4)
@for_all(sides=st.sampled_from(_EYES), dtype=dtypes)
def eye_has_ones_on_the_main_diagonal(
    torch: Any, device: str, sides: tuple[int, int], dtype: str
) -> None:
    """eye(n, m) has n rows and m columns, or n where m is not given; it is 1 where row and column
    are the same and 0 elsewhere, float32 by default."""
    n, m = sides
    for name in supported([dtype]):
        options = {"device": device}
        if name != "float32":
            options["dtype"] = getattr(torch, name)
        expected = np.zeros((n, m), numpy_dtype(name))
        expected[range(min(n, m)), range(min(n, m))] = 1
        assert_equal(torch.eye(n, m, **options), expected)
        assert_equal(torch.eye(n=n, m=m, **options), expected)
        square = np.zeros((n, n), numpy_dtype(name))
        square[range(n), range(n)] = 1
        assert_equal(torch.eye(n, **options), square)


@clause("creation.arange-of-wide-steps", covers=["minicourse.arange"])
def arange_counts_as_far_as_int64_reaches(torch: Any, device: str) -> None:
    """arange(start, end, step) of integers has ceil((end - start) / step) elements, start, start
    + step and so on, where start, end and step are int64, however far apart they are."""
    top = 2**63 - 1
    for start, end, step in (
        (0, 2**62, 2**60), (0, 2**62, 2**61), (-(2**61), 2**61, 2**60), (7, top, top // 2 + 1),
        (0, -(2**62), -(2**60)), (top - 9, top, 4), (-top, 9 - top, 4),
        (0, top, top // 3), (0, top, top), (0, top, top - 1), (-5, top - 5, top // 2),
        (0, -top, -(top // 3)), (-(2**62), 2**62 - 1, 2**61),
    ):  # fmt: skip
        reach = abs(end - start) + abs(step)
        with case(sum="beyond int64" if reach > 2**63 else "int64", range=(start, end, step)):
            expected = np.array(list(range(start, end, step)), np.int64)
            assert_equal(torch.arange(start, end, step, device=device), expected)
            got = torch.arange(start, end, step, dtype=torch.int64, device=device)
            assert_equal(got, expected)


@clause("creation.logspace", covers=["dlnotes.linspace", "basics.dtype-argument"], thorough=True)
def logspace_raises_a_base_to_evenly_spaced_exponents(torch: Any, device: str) -> None:
    """logspace(start, end, steps) has the powers of ten of what linspace gives, both ends
    included, and with base= those of another base."""
    for name in supported(("float32", "float64")):
        dtype = getattr(torch, name)
        for (start, end), base, steps in product(
            ((0, 3), (-2, 2), (3, -1.5)), (10.0, 2.0, 0.5, 3), (0, 1, 2, 4, 9, 33, 65)
        ):
            exponents = np.linspace(start, end, steps, dtype=np.longdouble)
            expected = np.longdouble(base) ** exponents
            # An exponent errs by 4 u of the larger end, which counts ln(base) times: base, step,
            # product and sum are rounded. Then a power of 4 units.
            furthest = 4 * max(abs(start), abs(end)) * abs(np.log(base)) / 2
            bound = ulps(4 + furthest, name, "a power of a rounded exponent")
            with case(dtype=name, ends=(start, end), base=base, steps=steps):
                options = {"dtype": dtype, "device": device}
                for result in (
                    torch.logspace(start, end, steps, base, **options),
                    torch.logspace(start=start, end=end, steps=steps, base=base, **options),
                ):
                    assert_close(result, expected, bound)
                if base == 10.0:
                    assert_close(torch.logspace(start, end, steps, **options), expected, bound)
    assert_metadata(torch.logspace(0, 1, 3, device=device), shape=(3,), dtype="float32")
