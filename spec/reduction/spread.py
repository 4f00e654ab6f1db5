"""Norms, variances, counts and histograms."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    layouts,
    place,
    seeds,
    tensor_of,
    values,
)
from tenet.spec.cases import with_dim as shapes_with_dim
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import (
    COMPLEX,
    FORMATS,
)
from tenet.spec.model.tolerance import Bound, summation, ulps
from tenet.spec.reduction.common import (
    SINGLE,
    Array,
)


@clause("reduction.bessel", covers=["dlnotes.std-var"], effort=0.5)
@for_all(
    shaped=shapes_with_dim(empty=False, max_size=1500), seed=seeds(), layout=layouts(writable=True)
)
def std_and_var_divide_by_one_less(
    torch: Any, device: str, shaped: Any, seed: int, layout: str
) -> None:
    """var is the square of std. Both divide by n - 1, as with unbiased=True and correction=1;
    by n with unbiased=False and correction=0, and by n less any other correction, which need not
    be whole. Of one element they are nan, or 0 without the correction."""
    shape, dim = shaped
    for dtype in supported(SINGLE):
        array = values(shape, dtype, "signed", seed)
        x, wide = place(torch, device, array, layout).view, array.astype(np.float64)
        n, least = wide.shape[dim], 64 * wide.size * FORMATS[dtype].eps
        bound = ulps(8, dtype, "two passes over integers of at most 9", least)
        some, every = wide.var(dim), wide.var()
        with np.errstate(all="ignore"):
            bessel = some * n / (n - 1) if n > 1 else np.full_like(some, np.nan)
            whole = every * wide.size / (wide.size - 1) if wide.size > 1 else np.float64(np.nan)
        root = ulps(8, dtype, "the root of the variance", float(np.sqrt(least)))
        with case(dtype=dtype):
            assert_close(torch.var(x, dim), bessel, bound)
            assert_close(x.var(), whole, bound)
            assert_close(x.std(), np.sqrt(whole), root)
            assert_close(x.var(dim, unbiased=False), some, bound)
            assert_close(torch.var(x, dim=dim, correction=0), some, bound)
            assert_close(torch.std(x, unbiased=False), np.sqrt(every), root)
            assert_close(x.var(dim, correction=0.3), some * n / (n - 0.3), bound)
            assert_close(torch.var(x, dim, unbiased=True, keepdim=True),
                         np.expand_dims(bessel, dim), bound)  # fmt: skip
            deviation = x.std(dim)
            assert_close(deviation, np.sqrt(bessel), root)
            square = ulps(4, dtype, "a square of a rounded root", least)
            assert_close(torch.var(x, dim), read(deviation).astype(np.float64) ** 2, square)


@clause("reduction.norms", covers=["mlnotes.dim-is-axis"])
def the_norm_of_order_zero_counts(torch: Any, device: str) -> None:
    """vector_norm of order 0 counts the elements that differ from 0; norm() is the root of the
    sum of squares; of order p, above 0 or below, both are the sum of p-th powers to 1/p, of
    complex numbers that of their magnitudes. Of any order but 0 they hand a NaN on."""
    for name, length in product(supported(SINGLE), (1, 2, 7, 8, 17, 33, 129)):
        array = values((length,), name, "signed", length)
        x, wide = tensor_of(torch, device, array), array.astype(np.float64)
        with case(dtype=name, length=length):
            count = np.asarray((array != 0).sum(), array.dtype)
            assert_equal(torch.linalg.vector_norm(x, 0), count)
            spoilt = array.copy()
            spoilt[length // 2] = np.nan
            y = tensor_of(torch, device, spoilt)
            for order in (2, 1, np.inf, -np.inf, 3):
                nan = np.asarray(np.nan, array.dtype)
                assert_equal(torch.linalg.vector_norm(y, order), nan)
                assert_equal(torch.norm(y, order), nan)
            apart = np.where(array == 0, array.dtype.type(2), array)
            z, size = tensor_of(torch, device, apart), np.abs(apart).astype(np.longdouble)
            for order in (0.5, 0.7, 1.3, 4, 7.5, -0.7, -1, -2, -3.5):
                power = np.longdouble(order)
                # The root of a power counts the roundings of the sum 1/p times.
                steep = ulps((length + 16) * max(1, 1 / abs(order)), name, "powers and their sum")
                wanted = (size**power).sum() ** (1 / power)
                with case(order=order):
                    assert_close(torch.linalg.vector_norm(z, order), wanted, steep)
                    assert_close(torch.norm(z, order), wanted, steep)
            root = np.sqrt((wide * wide).sum())
            bound = ulps(length + 4, name, "n roundings without cancellation")
            assert_close(x.norm(), root, bound)
            assert_close(torch.norm(x), root, bound)
            assert_close(torch.linalg.norm(x), root, bound)
    for name, length in product(supported(COMPLEX), (1, 3, 9, 33)):
        array = values((length,), name, "signed", length)
        array = np.where(array == 0, array.dtype.type(2j), array)
        z, size = tensor_of(torch, device, array), np.abs(array.astype(np.clongdouble))
        real = {"complex64": "float32", "complex128": "float64"}[name]
        for order in (2, 1, np.inf, -np.inf, 3, 0, -1):
            bound = ulps(length + 16, real, "roots, powers and their sum")
            with case(dtype=name, length=length, order=order):
                got = torch.linalg.vector_norm(z, order)
                assert_close(got, np.linalg.norm(size, order), bound)
                assert_metadata(got, shape=(), dtype=real)


_OFFSETS = {"float32": 2.0**16, "float64": 2.0**42}


def _far_from_zero(name: str, count: int, exact: Any) -> Bound:
    """How wrong the variance of so many numbers beside the offset may be: their mean may be off by
    n*u of itself, and counts squared (Chan, Golub and LeVeque, 1983)."""
    step = 4 * (count + 4) * FORMATS[name].eps / 2 * _OFFSETS[name]
    most = float(np.max(np.sqrt(exact) * step + step**2)) * 2
    return ulps(8, name, "n*u*kappa, kappa = sqrt(1 + mean^2/var)", most)


@clause("reduction.variance-far-from-zero", covers=["dlnotes.std-var"], effort=0.5)
@for_all(length=st.sampled_from((2, 3, 7, 8, 9, 17, 33, 129, 1025)), seed=seeds(),
         last=st.booleans(), sign=st.sampled_from((1, -1)))  # fmt: skip
def the_variance_does_not_suffer_from_a_large_mean(
    torch: Any, device: str, length: int, seed: int, last: bool, sign: int
) -> None:
    """var and std measure the distance from the mean, so that elements far from zero and near
    each other lose no more than their mean does: the difference of the mean square and the
    squared mean would lose everything."""
    for name in supported(SINGLE):
        near = values((2, length), "int16", "signed", seed).astype(np.float64)
        array = (near + sign * _OFFSETS[name]).astype(name)
        exact = near.var(1, ddof=1)
        x = tensor_of(torch, device, array if last else array.T)
        dim = 1 if last else 0
        bound = _far_from_zero(name, length, exact)
        # Over both dimensions, and over those of length 1 beside another, too.
        every = near.var(ddof=1)
        loosely = _far_from_zero(name, 2 * length, every)
        with case(dtype=name):
            assert_close(x.var(dim), exact, bound)
            assert_close(torch.var_mean(x, dim)[0], exact, bound)
            assert_close(x.select(1 - dim, 0).var(), exact[0], bound)
            assert_close(x.unsqueeze(-1).var((dim, 2)), exact, bound)
            assert_close(x.var((0, -1)), every, loosely)
            assert_close(x.var(), every, loosely)
            assert_close(torch.var_mean(x, (1, 0), keepdim=True)[0], every.reshape(1, 1), loosely)


_SCALES = (0, 1, -1)
"""Of numbers: powers of 2^30, whose cubes float32 holds."""
_HOMOGENEOUS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Array], Any], int]] = {
    "sum": (lambda t, x: x.sum(1), lambda x: x.sum(1), 1),
    "mean": (lambda t, x: t.mean(x, 1), lambda x: x.mean(1), 1),
    "var": (lambda t, x: x.var(1), lambda x: x.var(1, ddof=1), 2),
    "var of all": (lambda t, x: t.var(x), lambda x: x.var(ddof=1), 2),
    "std": (lambda t, x: t.std(x, 1), lambda x: x.std(1, ddof=1), 1),
    "std of all": (lambda t, x: x.std(), lambda x: x.std(ddof=1), 1),
    "std_mean": (lambda t, x: t.std_mean(x, 1)[0], lambda x: x.std(1, ddof=1), 1),
    "var_mean": (lambda t, x: t.var_mean(x, 1)[0], lambda x: x.var(1, ddof=1), 2),
    "cov": (lambda t, x: t.cov(x), np.cov, 2),
    "norm": (lambda t, x: x.norm(), np.linalg.norm, 1),
    "vector_norm": (
        lambda t, x: t.linalg.vector_norm(x, dim=1), lambda x: np.linalg.norm(x, axis=1), 1
    ),
    "norm of order 1": (lambda t, x: t.norm(x, 1, 1), lambda x: np.abs(x).sum(1), 1),
    "norm of order 3": (
        lambda t, x: t.linalg.vector_norm(x, 3, 1),
        lambda x: (np.abs(x) ** 3).sum(1) ** (1 / 3), 1,
    ),
    "median": (lambda t, x: x.median(1).values, lambda x: np.sort(x)[:, (x.shape[1] - 1) // 2], 1),
    "quantile": (lambda t, x: x.quantile(0.5, 1), lambda x: np.median(x, 1), 1),
    "cdist": (
        lambda t, x: t.cdist(x[:1], x[1:])[0], lambda x: np.linalg.norm(x[:1] - x[1:], axis=1), 1
    ),
    "dist": (lambda t, x: t.dist(x[0], x[1]), lambda x: np.linalg.norm(x[0] - x[1]), 1),
    "normalize": (
        lambda t, x: t.nn.functional.normalize(x),
        lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), 0,
    ),
    "corrcoef": (lambda t, x: t.corrcoef(x), np.corrcoef, 0),
}  # fmt: skip
"""Function: (the call, the reference, by which power of a factor it grows)."""


@clause("reduction.of-any-scale", covers=["dlnotes.std-var", "minicourse.min-max-mean-sum"])
def statistics_scale_with_their_elements(torch: Any, device: str) -> None:
    """Sums, deviations, norms and distances of small numbers are as small, and those of large ones
    as large, to the same number of digits: nothing is added to them, nor taken for 0. normalize
    divides by the norm, or by eps where that is larger; cosine_similarity by both, likewise."""
    for name, length, scale in product(supported(SINGLE), (3, 9, 33), _SCALES):
        # The last is the first, so that no line is of equal elements.
        whole = np.array([values((length,), name, "signed", seed) for seed in (3, 4, 5)])
        whole[:, 0], whole[:, -1] = (5, -7, 2), (-3, 8, 9)
        factor = 2.0 ** (30 * scale)
        x = tensor_of(torch, device, (whole * factor).astype(name))
        for function, (call, reference, degree) in _HOMOGENEOUS.items():
            expected = np.asarray(reference(whole.astype(np.float64)))
            # Sums of numbers below 10 may cancel; those of squares below 100.
            lost = 4 * length * FORMATS[name].eps * 10 ** max(degree, 1)
            bound = ulps(16, name, "a sum of a line", lost * factor**degree)
            with case(function=function, dtype=name, length=length, scale=f"2^{30 * scale}"):
                assert_close(call(torch, x), expected * factor**degree, bound)
    for name in supported(SINGLE):
        direction = np.array([[3.0, -4.0], [8.0, 15.0]])
        lengths = np.array([[5.0], [17.0]])
        for size in (1.0, 1e-6, 1e-9, 1e-14):
            x = tensor_of(torch, device, (direction * size).astype(name))
            functional, bound = torch.nn.functional, ulps(16, name, "a norm and a quotient")
            with case(dtype=name, size=size, function="normalize"):
                for given, eps in (({}, 1e-12), ({"eps": 1e-7}, 1e-7)):
                    shorter = direction * size / np.maximum(lengths * size, eps)
                    assert_close(functional.normalize(x, **given), shorter, bound)
            with case(dtype=name, size=size, function="cosine_similarity"):
                y = tensor_of(torch, device, np.array([[1.0, -1.0], [1.0, 2.0]], name))
                inner = np.array([7.0, 38.0]) * size
                for given, eps in (({}, 1e-8), ({"eps": 1e-3}, 1e-3)):
                    both = np.maximum(lengths[:, 0] * size, eps) * np.sqrt([2.0, 5.0])
                    assert_close(functional.cosine_similarity(x, y, **given), inner / both, bound)


@clause("reduction.counts-and-covariances", covers=["mlnotes.dim-is-axis", "dlnotes.std-var"])
def counts_covariances_and_differences_agree_with_numpy(torch: Any, device: str) -> None:
    """bincount counts each whole number, or sums their weights, wherever both lie in memory, and
    gives minlength numbers at least; cov and corrcoef compare rows, cov dividing by n minus
    correction; diff of order n takes what is put before and behind along."""
    for length, layout in product((1, 2, 9, 33, 129), ("contiguous", "stepped", "offset")):
        with case(function="bincount", length=length, layout=layout):
            for integer in supported(("int64", "int32", "uint8")):
                whole = values((length,), "uint8", "signed", length).astype(integer)
                x = place(torch, device, whole, layout).view
                for minlength in (0, 4, 12):
                    counted = np.bincount(whole, minlength=minlength)
                    assert_equal(torch.bincount(x, minlength=minlength), counted)
                for name in supported(SINGLE):
                    weights = values((length,), name, "signed", 3)
                    w = place(torch, device, weights, layout).view
                    assert_equal(x.bincount(w), np.bincount(whole, weights).astype(name))
                    parts = values((length,), name, "normal", 3)
                    sizes = np.bincount(whole, np.abs(parts))
                    bound = summation(sizes, length, name, name)
                    assert_close(x.bincount(tensor_of(torch, device, parts)),
                                 np.bincount(whole, parts), bound)  # fmt: skip
                    for minlength in (4, 12):
                        expected = np.bincount(whole, weights, minlength).astype(name)
                        assert_equal(torch.bincount(x, w, minlength), expected)
    for name in supported(SINGLE):
        bound = ulps(64, name, "n roundings of whole numbers below 10", 512 * FORMATS[name].eps)
        for shape in ((2, 9), (3, 17), (5,)):
            array = values(shape, name, "signed", 5)
            x, wide = tensor_of(torch, device, array), array.astype(np.float64)
            for correction in (1, 0, 2):
                with case(function="cov", dtype=name, shape=shape, correction=correction):
                    assert_close(torch.cov(x, correction=correction),
                                 np.cov(wide, ddof=correction), bound)  # fmt: skip
            with case(function="corrcoef", dtype=name, shape=shape):
                assert_close(torch.corrcoef(x), np.corrcoef(wide), bound)
    for name in supported(("float32", "int64", "int16")):
        array, more = values((3, 5), name, "signed", 6), values((3, 2), name, "signed", 7)
        x, y = tensor_of(torch, device, array), tensor_of(torch, device, more)
        for n, ends in product((1, 2, 3), ("prepend", "append")):
            with case(function="diff", dtype=name, n=n, ends=ends):
                expected = np.diff(array, n, 1, **{ends: more})
                assert_equal(torch.diff(x, n, 1, **{ends: y}), expected, signed_zero=False)
        with case(function="diff", dtype=name, ends="both"):
            expected = np.diff(array, 2, -1, prepend=more, append=more)
            assert_equal(x.diff(2, -1, prepend=y, append=y), expected, signed_zero=False)
        for dim, keepdim in product((0, 1, -1), (True, False)):
            with case(function="aminmax", dtype=name, dim=dim, keepdim=keepdim):
                low, high = torch.aminmax(x, dim=dim, keepdim=keepdim)
                assert_equal(low, array.min(dim, keepdims=keepdim), signed_zero=False)
                assert_equal(high, array.max(dim, keepdims=keepdim), signed_zero=False)


_BINS = (
    (4, -4, 4), (1, -1, 3), (8, -4, 4), (16, -2, 2), (3, 0, 3), (17, 0, 17), (5, -2.5, 2.5),
    (5, 0, 10), (2, 9.75, 11.75), (64, -8, 8),
)  # fmt: skip
"""Numbers of bins, and ranges: all bins are so wide that no edge is rounded."""


@clause("reduction.histogram", covers=["mlnotes.dim-is-axis"], effort=0.5)
@for_all(length=st.sampled_from((3, 9, 1, 2, 17, 33, 65, 129, 257, 1025, 0)), seed=seeds(),
         layout=layouts(writable=True), asked=st.sampled_from(_BINS))  # fmt: skip
def histc_counts_what_lies_in_the_range(
    torch: Any, device: str, length: int, seed: int, layout: str, asked: tuple[int, float, float]
) -> None:
    """histc counts the elements in bins of one width between min and max, which belong to the
    first and the last; what is less than min, greater than max or NaN is ignored. Without a range
    it is that of the elements."""
    bins, low, high = asked
    for name in supported(SINGLE):
        # Quarters, so that many lie on an edge.
        array = values((length,), name, "signed", seed) + (np.arange(length) + seed) % 4 / 4
        strange = np.resize([np.nan, np.inf, -np.inf, low, high, low - 0.25, high + 0.25], length)
        array = np.where(np.arange(length) % 3 == 2, strange, array).astype(name)
        numbers = array[np.isfinite(array)]
        counted = np.histogram(numbers, bins, (low, high))[0].astype(name)
        x = place(torch, device, array, layout).view
        with case(dtype=name, bins=bins, min=low, max=high):
            assert_equal(torch.histc(x, bins, low, high), counted)
            assert_equal(x.histc(bins=bins, min=low, max=high), counted)
            table = place(torch, device, np.stack([array, array[::-1]]), layout).view
            assert_equal(torch.histc(table, bins, min=low, max=high), 2 * counted)
        if length:
            ends = np.append(np.abs(np.floor(numbers)) % 8, [0, 8]).astype(name)
            with case(dtype=name, bins=4, elements="of their own range"):
                y = place(torch, device, ends, layout).view
                counted = np.histogram(ends, 4)[0].astype(name)
                assert_equal(torch.histc(y, 4), counted)
                assert_equal(y.histc(4, min=0, max=0), counted)
