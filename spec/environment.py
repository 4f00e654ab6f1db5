"""The environment: which release it is, and functions that documents of old releases miss."""

from __future__ import annotations

import re
from importlib import metadata
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, Operand, operands, place, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import ALL, COMPLEX, FORMATS, Category, category
from tenet.spec.model.tolerance import Bound

RELEASE = re.compile(r"(\d+)\.(\d+)(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[\w.-]+)?")
"""A version as packages are numbered (source: PEP 440, without epochs)."""


@clause("environment.version", covers=["minicourse.version"], metadata_only=True)
def the_version_names_the_release(torch: Any, device: str) -> None:
    """torch.__version__ is text that names the release, 1.10 or later: the one that is
    installed."""
    version = torch.__version__
    assert_that(isinstance(version, str), f"it is a {type(version).__name__}")
    text = str(version)
    match = RELEASE.fullmatch(text)
    assert_that(match is not None, f"{text!r} is no version")
    if match is not None:
        release = int(match[1]), int(match[2])
        assert_that(release >= (1, 10), f"{text} is older than 1.10")
    for name in metadata.packages_distributions().get(torch.__name__, [])[:1]:
        installed = metadata.version(name)
        assert_equal(text.partition("+")[0], installed.partition("+")[0])


@clause("environment.flip", covers=["basics.missing-functions"], requires={"in-place"}, effort=5)
@for_all(operand=operands(), dtype=st.sampled_from(ALL), choice=st.integers(0, 255))
def flip_reverses_the_named_dimensions(
    torch: Any, device: str, operand: Operand, dtype: str, choice: int
) -> None:
    """torch.flip(x, dims) reverses the order along each of dims, counted from either end, and
    copies; none or all dimensions can be named, one out of range raises."""
    rank = len(operand.shape)
    dims = tuple(d if choice >> (d + 4) & 1 else d - rank for d in range(rank) if choice >> d & 1)
    for name in supported([dtype]):
        source = operand.on(torch, device, name)
        array = operand.array(name)
        expected = np.ascontiguousarray(np.flip(array, dims)).reshape(array.shape)
        got = torch.flip(source, dims)
        assert_equal(got, expected)
        assert_equal(source.flip(dims), expected)
        assert_equal(source.flip(*dims) if dims else source.flip(()), expected)
        assert_equal(torch.flip(input=source, dims=[*dims]), expected)
        got.zero_()
        assert_equal(source, array)
        if rank:
            assert_raises(torch.flip, source, (rank,))
            assert_raises(torch.flip, source, (-rank - 1,))
        if rank == 2:
            assert_equal(torch.fliplr(source), np.ascontiguousarray(np.fliplr(array)))
            assert_equal(torch.flipud(source), np.ascontiguousarray(np.flipud(array)))


TESTS: tuple[tuple[str, Any], ...] = (
    ("isnan", np.isnan),
    ("isinf", np.isinf),
    ("isfinite", np.isfinite),
    ("isposinf", np.isposinf),
    ("isneginf", np.isneginf),
)


def _plain(array: np.ndarray) -> np.ndarray:
    """In a dtype that NumPy's own tests take, of the same value."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


@clause("environment.not-numbers", covers=["basics.missing-functions"], effort=4)
@for_all(operand=operands(), dtype=st.sampled_from(ALL))
def infinities_and_nans_are_told_from_numbers(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """isnan, isinf and isfinite, as function and method, and isposinf and isneginf test each
    element, as NumPy's do; a complex number is infinite, or NaN, if one of its parts is, and an
    integer is always finite."""
    for name in supported([dtype]):
        source, array = operand.on(torch, device, name), operand.array(name)
        for test, reference in TESTS:
            if category(name) is Category.COMPLEX and test in ("isposinf", "isneginf"):
                continue
            expected = np.asarray(reference(_plain(array)))
            with case(test=test):
                assert_equal(getattr(torch, test)(source), expected)
                assert_equal(getattr(source, test)(), expected)
        assert_equal(source, array)


@clause("environment.every-float", thorough=True, covers=["basics.missing-functions"])
def the_tests_know_every_number(torch: Any, device: str) -> None:
    """The tests are right of every 16-bit number, of the edges of the wider formats, and at
    every length."""
    for name in supported(("float16", "bfloat16")):
        whole = np.arange(2**16, dtype=np.uint16).view(np.int16)
        source = tensor_of(torch, device, whole).view(getattr(torch, name))
        bits, top = (10, 0x1F) if name == "float16" else (7, 0xFF)
        exponent, fraction = whole.view(np.uint16) >> bits & top, whole & (1 << bits) - 1
        nan, inf = (exponent == top) & (fraction != 0), (exponent == top) & (fraction == 0)
        expected = {
            "isnan": nan, "isinf": inf, "isfinite": exponent != top,
            "isposinf": inf & (whole >= 0), "isneginf": inf & (whole < 0),
        }  # fmt: skip
        for test, answer in expected.items():
            with case(dtype=name, test=test):
                assert_equal(getattr(torch, test)(source), answer)
    for name, length in product(supported(("float32", "float64", "complex64")), LENGTHS):
        for last in (np.nan, np.inf, -np.inf, 1.0):
            array = values((length,), name, "special", length)
            array[length - 1 :] = last
            source = tensor_of(torch, device, array)
            for test, reference in TESTS[:3]:
                with case(dtype=name, test=test, length=length, last=last):
                    assert_equal(getattr(torch, test)(source), reference(array))


SIGNALS = (4, 1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 30, 31, 32, 33, 64, 97, 128, 250)
NORMS = (None, "backward", "ortho", "forward")

# What each takes: real or complex numbers. hfft and irfft take half of a spectrum.
ONE_DIMENSION = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MORE = ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")
TO_REAL = ("irfft", "hfft", "irfft2", "irfftn")
FROM_REAL = ("rfft", "ihfft", "rfft2", "rfftn")


def _dtypes(function: str) -> tuple[tuple[str, str], ...]:
    """The dtypes that a transform takes and what each becomes."""
    pairs = (("float32", "complex64"), ("float64", "complex128"))
    if function in TO_REAL:
        return tuple((taken, real) for real, wide in pairs for taken in (wide, real))
    if function in FROM_REAL:
        return pairs
    return tuple((taken, wide) for real, wide in pairs for taken in (real, wide))


def _transform_bound(array: np.ndarray, expected: np.ndarray, count: int, dtype: str) -> Bound:
    """The bound for a discrete Fourier transform over `count` points.

    A fast transform errs by at most about 4 log2(n) u |X| in the norm |.| over all elements
    (Higham, 2nd ed., section 24.1, with twiddle factors good to some ulps), so no element errs
    by more. Lengths with large prime factors go through a convolution of three transforms of up
    to four times the length; the factor of 10 allows for that.
    """
    size = max(float(np.linalg.norm(expected)), float(np.linalg.norm(array)))
    growth = 10 * (np.log2(max(count, 2)) + 2) * FORMATS[dtype].eps / 2
    return Bound(dtype, 1, "10 (log2 n + 2) u |X|, |.| over all elements", growth * size)


@clause("environment.fft", covers=["basics.missing-functions"], requires={"fft"}, effort=0.2)
@for_all(
    length=st.sampled_from(SIGNALS),
    rows=st.sampled_from(((), (2,), (3, 2))),
    axis=st.integers(0, 2),
    points=st.sampled_from((None, 4, 1, 8, 13, 40)),
    norm=st.sampled_from(NORMS),
    seed=st.integers(0, 99),
)
def fourier_transforms_are_those_of_numpy(
    torch: Any,
    device: str,
    length: int,
    rows: tuple[int, ...],
    axis: int,
    points: int | None,
    norm: str | None,
    seed: int,
) -> None:
    """torch.fft has fft, ifft, rfft, irfft, hfft and ihfft over one dimension, of n points (the
    input is cut or padded with zeros) and normed backward, forward or both ways: the numbers of
    NumPy's within rounding, in the precision of the input, wherever that lies in memory; whole
    numbers are taken for numbers of the default dtype. out= takes the result."""
    dim = axis % (len(rows) + 1)
    shape = (*rows[:dim], length, *rows[dim:])
    for turn, function in enumerate(ONE_DIMENSION):
        count = points
        if count is None and function in ("irfft", "hfft") and length == 1:
            count = 1  # 2 * (length - 1) points would be none
        pairs = _dtypes(function)
        taken, given = pairs[(seed + turn) % len(pairs)]
        for name in supported([taken]):
            for wanted in supported([given]):
                array = values(shape, name, "normal", seed)
                options = {} if norm is None else {"norm": norm}
                wide = array.astype(np.complex128 if name in COMPLEX else np.float64)
                expected = getattr(np.fft, function)(wide, n=count, axis=dim, norm=norm)
                bound = _transform_bound(array, expected, max(length, count or 0), wanted)
                call = getattr(torch.fft, function)
                source = tensor_of(torch, device, array)
                with case(function=function, dtype=name):
                    last = dim == len(rows)
                    if last and count is None and norm is None:
                        assert_close(call(source), expected, bound)
                    negative = dim - len(shape)
                    assert_close(call(source, count, negative, norm), expected, bound)
                    assert_close(call(input=source, n=count, dim=dim, **options), expected, bound)
                    assert_equal(source, array)
                    for layout in ("transposed", "stepped", "offset") if has("views") else ():
                        with case(layout=layout):
                            lying = place(torch, device, array, layout).view
                            assert_close(call(lying, count, dim, norm), expected, bound)
                    if has("out"):
                        kind = str(np.dtype(wanted))
                        out = torch.zeros(expected.shape, dtype=getattr(torch, kind), device=device)
                        assert_same_object(call(source, count, dim, norm, out=out), out)
                        assert_close(out, expected, bound)
        for name in supported(["int64" if seed % 2 else "int32"]) if has("float32") else ():
            if function in TO_REAL or not supported(["complex64"]):
                continue
            array = values(shape, name, "small", seed)
            expected = getattr(np.fft, function)(array, n=count, axis=dim, norm=norm)
            real = array.astype(np.float32)
            bound = _transform_bound(real, expected, max(length, count or 0), "complex64")
            with case(function=function, dtype=name):
                got = getattr(torch.fft, function)(
                    tensor_of(torch, device, array), count, dim, norm
                )
                assert_close(got, expected, bound)


BOXES = (((4, 6), None), ((5, 3), None), ((3, 4, 5), (0, 2)), ((2, 7, 3), (1, 2)),
         ((2, 4, 3), None), ((2, 3, 1, 5), None), ((3, 4, 4), (2, 0)))  # fmt: skip


@clause(
    "environment.fft-of-more-dimensions",
    thorough=True,
    covers=["basics.missing-functions"],
    requires={"fft"},
)
def fourier_transforms_go_over_several_dimensions(torch: Any, device: str) -> None:
    """fft2, ifft2, rfft2, irfft2, fftn, ifftn, rfftn and irfftn transform two, all or the named
    dimensions, of any size, or cut or padded to the sizes asked for."""
    for function, norm in product(MORE, NORMS[1:]):
        for shape, dims in BOXES:
            for taken, given in _dtypes(function):
                for name in supported([taken]):
                    for wanted in supported([given]):
                        array = values(shape, name, "normal", 7)
                        wide = array.astype(np.complex128 if name in COMPLEX else np.float64)
                        axes = dims or ((-2, -1) if function.endswith("2") else None)
                        expected = getattr(np.fft, function)(wide, axes=axes, norm=norm)
                        bound = _transform_bound(array, expected, prod(shape) * 2, wanted)
                        source = tensor_of(torch, device, array)
                        options = {} if dims is None else {"dim": dims}
                        with case(function=function, dtype=name, shape=shape, norm=norm):
                            got = getattr(torch.fft, function)(source, norm=norm, **options)
                            assert_close(got, expected, bound)
                            # Of other lengths, the input is cut or padded.
                            over = axes or tuple(range(len(shape)))
                            for more in (-1, 2):
                                points = [max(shape[d] + more, 1) for d in over]
                                if function in TO_REAL and points[-1] < 2:
                                    continue
                                expected_ = getattr(np.fft, function)(
                                    wide, s=points, axes=over, norm=norm
                                )
                                sized = _transform_bound(array, expected_, prod(points) * 2, wanted)
                                got = getattr(torch.fft, function)(source, points, over, norm)
                                assert_close(got, expected_, sized)


@clause("environment.fft-helpers", covers=["basics.missing-functions"], requires={"fft"})
def frequencies_are_listed_and_shifted_as_numpys(torch: Any, device: str) -> None:
    """fftfreq and rfftfreq list the frequencies of n samples d apart; fftshift moves the zero
    frequency to the middle, and ifftshift back, along all or the named dimensions."""
    for count, spacing in product((1, 2, 3, 4, 5, 8, 9, 16, 33), (1.0, 0.5, 0.125)):
        for name in supported(("float32", "float64")):
            with case(count=count, spacing=spacing, dtype=name):
                for function in ("fftfreq", "rfftfreq"):
                    make = getattr(torch.fft, function)
                    got = make(count, d=spacing, dtype=getattr(torch, name), device=device)
                    expected = getattr(np.fft, function)(count, d=spacing)
                    bound = Bound(name, 2, "a division and a product, each rounded once")
                    assert_close(got, expected, bound)
    for shape, dims in product(((5,), (4,), (3, 4), (2, 3, 5)), (None, 0, -1, (0, -1))):
        if dims == (0, -1) and len(shape) == 1:
            continue
        for name in supported(ALL):
            array = values(shape, name, "normal", 5)
            source = tensor_of(torch, device, array)
            options = {} if dims is None else {"dim": dims}
            for function in ("fftshift", "ifftshift"):
                with case(function=function, shape=shape, dims=dims, dtype=name):
                    expected = getattr(np.fft, function)(array, axes=dims)
                    assert_equal(getattr(torch.fft, function)(source, **options), expected)
