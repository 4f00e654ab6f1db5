"""The rows of reductions and scans, with the error bounds of their summations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, Operand, layouts, regimes, seeds
from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import of_many_ranks
from tenet.spec.model.dtypes import BOOL, COMPLEX, FLOATS, FORMATS, HALVES, INTEGERS
from tenet.spec.model.tolerance import Bound, ulp
from tenet.spec.operators.domains import anywhere, ranks
from tenet.spec.operators.operator import (
    Array,
    Call,
    Operator,
    boolean,
    exact,
    index,
    same,
    table,
    wide,
)
from tenet.spec.operators.results import indices

REAL = FLOATS + INTEGERS
ANY = REAL + BOOL
SINGLE = ("float32", "float64")

# ------------------------------------------------------------------------------------- uses

_FEW = (2, 3, 1, 5, 8, 9, 17)


def _shapes(max_size: int) -> list[tuple[int, ...]]:
    """Every length alone and beside a few, at each place; the simplest first."""
    random = Random("reductions")
    pool: set[tuple[int, ...]] = {(n,) for n in LENGTHS if n <= max_size}
    for long in (*LENGTHS, *_FEW, *_FEW):
        for rank in (2, 2, 3, 4):
            shape = [random.choice(_FEW) for _ in range(rank)]
            shape[random.randrange(rank)] = long
            if prod(shape) <= max_size:
                pool.add(tuple(shape))
    pool.update(of_many_ranks(random, max_size))
    return sorted(pool, key=lambda shape: (0 in shape, prod(shape), shape))


def _dims(shape: tuple[int, ...], random: Random) -> int:
    return random.randrange(-len(shape), len(shape))


def _count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements are reduced to one."""
    if dim is None:
        return prod(shape)
    return prod(shape[d] for d in (dim if isinstance(dim, tuple) else (dim,)))


def uses(
    *,
    whole: bool = True,
    one: bool = True,
    several: bool = False,
    keepdim: bool = True,
    at_least: int = 0,
    max_size: int = 5000,
    finite: bool = True,
    zero_d: bool = True,
    overlapping: bool = True,
    **choices: Sequence[Any],
) -> st.SearchStrategy[Call]:
    """Uses of a reduction: of all elements, over one dimension, over several of them.

    keepdim: it takes keepdim. at_least: the fewest elements that it reduces to one; 0 lets it
    reduce none. zero_d: also of a tensor without dimensions, which is one element. overlapping:
    equal slices may share memory. choices: further keyword arguments; without dimensions the first
    of each.
    """

    def pool() -> list[tuple[tuple[int, ...], tuple[tuple[str, Any], ...]]]:
        random = Random("uses")
        found: list[tuple[tuple[int, ...], tuple[tuple[str, Any], ...]]] = []

        def add(shape: tuple[int, ...], dim: Any) -> None:
            # A reduction of no element inside an empty result is as undocumented as one outside.
            if _count(shape, dim) < at_least or (at_least and 0 in shape):
                return
            arguments: list[tuple[str, Any]] = [] if dim is None else [("dim", dim)]
            if keepdim and dim is not None and random.random() < 0.5:
                arguments.append(("keepdim", random.random() < 0.7))
            arguments += [(name, random.choice(values)) for name, values in choices.items()]
            found.append((shape, tuple(arguments)))

        for shape in _shapes(max_size):
            if whole:
                add(shape, None)
            if one:
                add(shape, _dims(shape, random))
                add(shape, random.randrange(len(shape)))
            if several and len(shape) > 1:
                chosen = random.sample(range(len(shape)), random.randint(1, len(shape)))
                add(shape, tuple(d - len(shape) if random.random() < 0.4 else d for d in chosen))
        if zero_d:
            extra = tuple((name, values[0]) for name, values in choices.items())
            for dim in (None, 0, -1):
                if not (whole if dim is None else one):
                    continue
                arguments_: tuple[tuple[str, Any], ...] = () if dim is None else (("dim", dim),)
                if keepdim and dim is not None:
                    found.insert(0, ((), (*arguments_, ("keepdim", True), *extra)))
                found.insert(0, ((), arguments_ + extra))
        return found

    return st.builds(
        lambda use, layout, regime, seed: Call((Operand(use[0], layout, regime, seed),), use[1]),
        from_pool(pool),
        layouts(writable=not overlapping),
        regimes(finite=finite),
        seeds(),
    )


# --------------------------------------------------------------------------------- domains


def moderate(array: Array) -> Array:
    """Finite floats so small that no sum of 2^13 of them overflows on the way; integers stay."""
    if array.dtype.kind in "fV" and array.dtype.name in FORMATS:
        most = FORMATS["float32" if array.dtype.name in HALVES else array.dtype.name].max / 2**14
        with np.errstate(all="ignore"):
            # In float64, since ml_dtypes has no clip that keeps the dtype.
            wide_ = array.astype(np.float64)
            return np.where(np.isfinite(wide_), np.clip(wide_, -most, most), wide_)
    return array


def tame(array: Array) -> Array:
    """Finite floats whose squares and cubes neither overflow nor underflow: at most 10^4, and
    zero where smaller than 10^-3."""
    if array.dtype.kind in "fV":
        wide_ = array.astype(np.float64)
        kept = np.where(np.isfinite(wide_), np.clip(wide_, -1e4, 1e4), wide_)
        return np.where(np.abs(kept) < 1e-3, 0.0, kept)
    return array


def near_one(array: Array) -> Array:
    """Floats of magnitude 0.9 to 1.1, so that a product of 600 stays in range; 0 stays 0.

    Of many integers most become 1 and the others are odd, since a product of many that are drawn
    is 0 modulo 2^64, whatever is multiplied. What begins with 0 stays as it is.
    """
    if array.dtype.kind in "iu" and array.size > 16 and array.flat[0] != 0:
        return np.where(array % 4 == 3, array, 1)
    if array.dtype.kind in "fV":
        wide_ = array.astype(np.float64)
        factor = np.copysign(0.9 + 0.2 * np.abs(np.tanh(wide_)), wide_)
        return np.where(np.isfinite(wide_) & (wide_ != 0), factor, wide_)
    return array


def around_one(array: Array) -> Array:
    """Factors near 1."""
    return np.asarray(1 + 0.1 * np.tanh(array))


# ---------------------------------------------------------------------------------- bounds


def _axes(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"axis": arguments.get("dim"), "keepdims": arguments.get("keepdim", False)}


def _unit(dtype: str) -> float:
    """The unit roundoff of the running sum: half precision accumulates in float32."""
    return FORMATS["float32" if dtype in HALVES else dtype].eps / 2


def _magnitude(array: Array) -> Array:
    """|x| in the precision of bounds."""
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    return np.asarray(np.abs(array.astype(kind)))


def _bound(dtype: str, reason: str, absolute: Any) -> Bound:
    # Small numbers may be flushed to zero: those of float32 where half precision is computed in it,
    # and a result in between may be rounded to the half format once more.
    layout = FORMATS[dtype]
    flushed = layout.tiny
    if dtype in HALVES:
        flushed = max(FORMATS["float32"].tiny, layout.smallest)
    return Bound(dtype, 0.5, f"{reason}; then rounded once", np.asarray(absolute) + flushed)


def _terms(array: Array, arguments: dict[str, Any]) -> int:
    shape = array.shape
    return _count(shape, arguments.get("dim")) if shape else 1


def summed(mean: bool = False, skip_nan: bool = False) -> Callable[..., Bound]:
    """n*u*sum|t| (Higham, eq. 4.4), and for a mean divided by n, with a rounding more."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        magnitude = _magnitude(arrays[0])
        if skip_nan:
            magnitude = np.nan_to_num(magnitude, nan=0.0, posinf=np.inf)
        count = _terms(arrays[0], arguments) + 2
        total = np.sum(magnitude, **_axes(arguments))
        if mean:
            total = total / np.maximum(np.sum(~np.isnan(_magnitude(arrays[0])),
                                              **_axes(arguments)), 1)  # fmt: skip
        error = total * count * _unit(dtype)
        return _bound(dtype, "(n+1)*u*sum|t|", error)

    return accuracy


def relative(extra: float, *, own: bool = False) -> Callable[..., Bound]:
    """(n + extra) roundings of a result without cancellation, each relative to it; own: to its
    dtype, where half precision is not documented to accumulate in float32, and a product that has
    become small has no digits left to lose: what it is rounded by, the factors after it enlarge."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        count = _terms(arrays[0], arguments) + extra
        absolute = np.abs(np.asarray(expected, _plain(expected)))
        absolute = absolute * count * (FORMATS[dtype].eps / 2 if own else _unit(dtype))
        if own:
            growth = np.fmax(np.nan_to_num(_magnitude(arrays[0])), 1).prod(dtype=np.float64)
            absolute = absolute + count * FORMATS[dtype].smallest * growth
        return _bound(dtype, f"n+{extra:g} roundings without cancellation", absolute)

    return accuracy


def _plain(array: Array) -> type:
    return np.complex128 if np.iscomplexobj(array) else np.float64


def _spread(dtype: str, array: Array, arguments: dict[str, Any]) -> tuple[Array, Array]:
    """The variance, and the error that Welford's or a two-pass algorithm may make in it.

    n*u*sqrt(1 + mean^2/var)*var to first order, and (n*u*mean)^2 to second (Chan, Golub and
    LeVeque, 1983), with a factor of 4 for the order of updates in parallel.
    """
    wide_ = array.astype(np.float64)
    correction = arguments.get("correction", 1)
    n = _terms(array, arguments)
    variance = _variance(wide_, **arguments)
    if n <= correction:
        return variance, np.zeros_like(variance)
    mean = np.mean(wide_, **_axes(arguments))
    step = 4 * (n + 4) * _unit(dtype)
    first = np.sqrt(variance * (variance + mean**2)) * step
    return variance, (first + (step * mean) ** 2) * n / (n - correction)


def varied(root: bool) -> Callable[..., Bound]:
    """The bound of a variance, or of its square root; and of the mean that comes with it."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        variance, error = _spread(dtype, arrays[0], arguments)
        if root:
            deviation = np.sqrt(variance)
            shrunk = error / np.where(deviation > 0, deviation, 1)
            error = np.where(deviation > 0, np.minimum(np.sqrt(error), shrunk), np.sqrt(error))
        reason = "n*u*kappa, kappa = sqrt(1 + mean^2/var)"
        return _bound(dtype, reason, np.where(np.isfinite(error), error, 0.0))

    return accuracy


def varied_or_mean(root: bool) -> Callable[..., Bound]:
    """As `varied`, with the error of the mean on top: the two share a row."""
    first, second = varied(root), summed(mean=True)

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        rule = second if _is_mean(np.asarray(expected), arrays, arguments) else first
        return rule(dtype, expected, arrays, arguments)

    return accuracy


def _is_mean(expected: Array, arrays: tuple[Array, ...], arguments: dict[str, Any]) -> bool:
    mean = np.mean(arrays[0].astype(expected.dtype), **_axes(arguments))
    return bool(np.allclose(mean, expected, rtol=1e-12, atol=0, equal_nan=True))


def scanned(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
    """The prefix of i terms: i*u*sum of their magnitudes."""
    total = np.cumsum(np.atleast_1d(_magnitude(arrays[0])), axis=arguments["dim"])
    count = _terms(arrays[0], arguments) + 1
    return _bound(dtype, "i*u*sum|t|", total.reshape(expected.shape) * count * _unit(dtype))


def _weights(array: Array, arguments: dict[str, Any]) -> tuple[Array, Array, Array]:
    """How far each element lies below the maximum, its softmax, and the mean distance."""
    wide_ = array.astype(np.float64)
    axes = {"axis": arguments["dim"], "keepdims": True}
    below = np.max(wide_, **axes, initial=-np.inf) - wide_
    share = np.exp(-below)
    share = share / np.sum(share, **axes)
    return below, share, np.sum(np.where(share > 0, share * below, 0), **axes)


def exponential(kind: str) -> Callable[..., Bound]:
    """exp(x - max) has the relative error u*(|x - max| + 2), and the sum of n of them (n+4)*u
    more and the mean of the former; a logarithm makes absolute errors of relative ones."""

    def accuracy(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
        below, share, mean = _weights(arrays[0], arguments)
        count, own = _terms(arrays[0], arguments) + 8, FORMATS[dtype].eps / 2
        unit = _unit(dtype)
        if kind == "softmax":
            error = share * ((count + below + mean) * unit + 2 * own)
        elif kind == "log_softmax":
            error = (count + mean + 3 * below) * unit + (6 + 2 * below) * own
        else:  # composed of operations that each round to the dtype itself
            axes = {"axis": arguments["dim"], "keepdims": True}
            biggest = np.max(_magnitude(arrays[0]), **axes, initial=0)
            error = count * unit + (4 + mean + biggest) * own
            error = error.reshape(expected.shape)
        return _bound(dtype, "u*(n + 8 + |x - max|)", np.where(np.isfinite(error), error, 0))

    return accuracy


def log_scanned(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
    """Each step of the scan adds 4 roundings of a number as large as the largest element."""
    biggest = np.max(_magnitude(arrays[0]), initial=1)
    count = 4 * (_terms(arrays[0], arguments) + 2)
    return _bound(dtype, "4 roundings a step", (biggest + 10) * count * _unit(dtype))


def interpolated(dtype: str, expected: Array, arrays: tuple[Array, ...], arguments: Any) -> Bound:
    """Three roundings of numbers as large as the two neighbours."""
    biggest = np.max(np.nan_to_num(_magnitude(arrays[0])), initial=0)
    return Bound(dtype, 1, "a + w*(b - a)", absolute=4 * biggest * FORMATS[dtype].eps
                 + float(ulp(np.asarray(0.0), dtype)))  # fmt: skip


# ------------------------------------------------------------------------------ references


def _reduced(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """A NumPy reduction, under PyTorch's names of the arguments; 0-d arrays have one dimension."""

    def reference(x: Array, dim: Any = None, keepdim: bool = False, **more: Any) -> Any:
        if x.ndim == 0:
            return np.asarray(function(x.reshape(1), axis=0, **fixed, **more)).reshape(())
        return np.asarray(function(x, axis=dim, keepdims=keepdim, **fixed, **more))

    return reference


def _whole_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Integers and bools accumulate in int64."""
    reduce = _reduced(function)

    def reference(x: Array, **arguments: Any) -> Any:
        return reduce(x.astype(np.int64) if x.dtype.kind in "biu" else x, **arguments)

    return reference


def _variance(x: Array, dim: Any = None, keepdim: bool = False, correction: float = 1) -> Array:
    """sum (x - mean)^2 / max(0, n - correction): nan where that is 0 / 0."""
    n = _count(x.shape, dim) if x.ndim else 1
    if not n:
        return np.full_like(np.sum(x, axis=dim, keepdims=keepdim), np.nan)
    away = x - np.mean(x, axis=dim, keepdims=True)
    square = np.sum(away * away, axis=dim, keepdims=keepdim)
    return np.asarray(square / np.asarray(max(0.0, n - correction), square.dtype))


def _deviation(x: Array, **arguments: Any) -> Array:
    return np.asarray(np.sqrt(_variance(x, **arguments)))


def _with_mean(function: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: Array, **arguments: Any) -> Any:
        mean = np.asarray(np.mean(x, **_axes(arguments)))
        return function(x, **arguments), mean

    return reference


def _argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The first position of an extreme element, as documented for several equal ones."""

    def reference(x: Array, dim: Any = None, keepdim: bool = False) -> Any:
        if x.ndim == 0:
            return indices(np.zeros(()))
        return indices(np.asarray(function(x, axis=dim, keepdims=keepdim)))

    return reference


def _extreme(value: Callable[..., Any], position: Callable[..., Any]) -> Callable[..., Any]:
    values, places = _reduced(value), _argument(position)
    return lambda x, **arguments: (values(x, **arguments), places(x, **arguments))


def _selected(choose: Callable[..., Any]) -> Callable[..., Any]:
    """The value that `choose` takes from the sorted lanes; which of equal ones stays open."""

    def reference(x: Array, dim: int, keepdim: bool = False, **more: Any) -> Any:
        lanes = x.reshape(1) if x.ndim == 0 else x
        value = np.asarray(choose(np.sort(lanes, axis=dim), dim, **more))
        return (np.expand_dims(value, dim) if keepdim and x.ndim else value.reshape(
            () if x.ndim == 0 else value.shape), None)  # fmt: skip

    return reference


def _taken(ordered: Array, dim: int, place: int) -> Array:
    return np.asarray(np.take(ordered, place, axis=dim))


def _middle(ordered: Array, dim: int) -> Array:
    return _taken(ordered, dim, (ordered.shape[dim] - 1) // 2)


def _mode(ordered: Array, dim: int) -> Array:
    """The most frequent element of each lane; the smallest of several."""

    def most(lane: Array) -> Any:
        found, counts = np.unique(lane, return_counts=True)
        return found[np.argmax(counts)]

    return np.asarray(np.apply_along_axis(most, dim, ordered))


def _quantile(x: Array, q: float, dim: Any = None, keepdim: bool = False,
              interpolation: str = "linear") -> Array:  # fmt: skip
    """q * (n - 1) is the rank; between two ranks by the rule that is named."""
    lanes = x.reshape(-1) if dim is None or x.ndim == 0 else x
    axis = 0 if dim is None or x.ndim == 0 else dim
    ordered = np.sort(lanes, axis=axis)
    rank = q * (ordered.shape[axis] - 1)
    low = _taken(ordered, axis, int(np.floor(rank)))
    high = _taken(ordered, axis, int(np.ceil(rank)))
    rules = {
        "linear": rank - np.floor(rank),
        "lower": 0,
        "higher": 1,
        "midpoint": 0.5,
        "nearest": np.rint(rank) - np.floor(rank),
    }
    weight = rules[interpolation]
    value = low if weight == 0 else high if weight == 1 else low + weight * (high - low)
    if keepdim and x.ndim and dim is not None:
        return np.expand_dims(value, axis)
    return np.asarray(value)


def _norm(x: Array, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Array:
    lanes = np.abs(x.reshape(1) if x.ndim == 0 else x)
    axes: dict[str, Any] = {"axis": 0 if x.ndim == 0 else dim, "keepdims": keepdim and x.ndim > 0}
    if ord == np.inf:
        return np.asarray(np.max(lanes, **axes))
    if ord == -np.inf:
        return np.asarray(np.min(lanes, **axes))
    if ord == 0:
        return np.asarray(np.sum(lanes != 0, **axes).astype(lanes.dtype))
    if ord == 2:
        return np.asarray(np.sqrt(np.sum(lanes * lanes, **axes)))
    return np.asarray(np.sum(lanes**ord, **axes) ** np.asarray(1 / ord, lanes.dtype)
                      if ord != 1 else np.sum(lanes, **axes))  # fmt: skip


def _old_norm(x: Array, p: float = 2, dim: Any = None, keepdim: bool = False) -> Array:
    return _norm(x, p, dim, keepdim)


def _dist(x: Array, y: Array, p: float = 2) -> Array:
    return _norm(np.ravel(x - y), p)


def _log_sum(x: Array, dim: Any, keepdim: bool = False) -> Array:
    lanes = x.reshape(1) if x.ndim == 0 else x
    peak = np.max(lanes, axis=dim, keepdims=True, initial=-np.inf)
    # Without elements, or with -inf alone, the sum is 0; one inf makes it inf.
    peak = np.where(np.isfinite(peak), peak, 0)
    total = np.log(np.sum(np.exp(lanes - peak), axis=dim, keepdims=True)) + peak
    return np.asarray(total if keepdim and x.ndim else np.squeeze(total, axis=dim))


def _log_softmax(x: Array, dim: int) -> Array:
    return np.asarray(x - _log_sum(x, dim, bool(x.ndim)))


def softmax(x: Array, dim: int) -> Array:
    below = x - (np.max(x, axis=dim, keepdims=True, initial=-np.inf) if x.ndim else x)
    share = np.exp(below)
    return np.asarray(share / np.sum(share, axis=dim, keepdims=True) if x.ndim else share)


def _scan(function: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: Array, dim: int) -> Any:
        whole = x.astype(np.int64) if x.dtype.kind in "biu" else x
        return np.asarray(function(np.atleast_1d(whole), axis=dim)).reshape(x.shape)

    return reference


def _running(function: np.ufunc) -> Callable[..., Any]:
    return lambda x, dim: (function.accumulate(np.atleast_1d(x), axis=dim).reshape(x.shape), None)


def _difference(x: Array, dim: int = -1, n: int = 1) -> Array:
    return np.asarray(np.diff(x, n=n, axis=dim))


def _trace(x: Array) -> Any:
    return np.trace(x.astype(np.int64) if x.dtype.kind in "biu" else x)


def _ends(x: Array, dim: Any = None, keepdim: bool = False) -> Any:
    return _reduced(np.min)(x, dim, keepdim), _reduced(np.max)(x, dim, keepdim)


# ------------------------------------------------------------------------------------ rows


def _row(name: str, reference: Callable[..., Any], **row: Any) -> Operator:
    given: dict[str, Any] = {"section": "reduction", "dtypes": ANY, "in_place": False}
    return Operator(name=name, reference=reference, **{**given, **row})


def logical(dtype: str) -> str:
    """bool; uint8 alone keeps its own dtype, as documented."""
    return "uint8" if dtype == "uint8" else "bool"


_CASTING = {"out= category": "out= states the dtype, as the argument dtype does"}
_SUMS = uses(several=True, finite=False)
_MEANS = uses(several=True, finite=False, at_least=1)
_PRODUCTS = {"prepare": near_one, "smooth": around_one}
_VARIANCES = {"dtypes": FLOATS, "prepare": tame, "smooth": ranks}
_VARIED = uses(several=True, zero_d=False, at_least=3, finite=False, correction=(1, 0, 2))
_NONE_EMPTY: dict[str, Any] = {"at_least": 1}
_VARIED_FINITE = uses(several=True, zero_d=False, at_least=3, correction=(1, 0, 2))
_LANES = uses(whole=False, finite=False, **_NONE_EMPTY)
# The median of a vector of stride 0 reads beyond its memory in PyTorch 2.13 on the CPU.
_APART = uses(whole=False, overlapping=False, **_NONE_EMPTY)
_ALONG_ANY = uses(whole=False, keepdim=False, finite=False)
_ALONG_SOME = uses(whole=False, keepdim=False, **_NONE_EMPTY)
_ORDERS = (2, 1, np.inf, -np.inf, 3)
_ORDERED = uses(several=True, ord=_ORDERS, finite=False, **_NONE_EMPTY)
_QUANTILES = uses(q=(0.5, 0.25, 0.75, 0.0, 1.0),
                  interpolation=("linear", "lower", "higher", "midpoint", "nearest"),
                  max_size=1500, **_NONE_EMPTY)  # fmt: skip
_SORTED = {"dtypes": REAL, "smooth": ranks, "signed_zero": False}


def _beside(shape: tuple[int, ...], seed: int) -> tuple[int, ...]:
    """One that broadcasts to it: itself, or without its first dimension, or with a last of 1."""
    return (shape, shape[1:], (*shape[:-1], 1)[: len(shape)], shape)[seed % 4]


_PAIRS = st.builds(
    lambda shape, layout, other, seed, p: Call(
        (
            Operand(shape, layout, "normal", seed),
            Operand(_beside(shape, seed), other, "signed", seed + 7),
        ),
        (("p", p),),
    ),
    st.sampled_from([s for s in _shapes(3000) if 0 not in s]), layouts(), layouts(), seeds(),
    st.sampled_from(_ORDERS),
)  # fmt: skip
_SQUARES = st.builds(
    lambda shape, layout, regime, seed: Call((Operand(shape, layout, regime, seed),)),
    st.sampled_from([(2, 2), (1, 1), (2, 3), (9, 7), (0, 3), (17, 17), (33, 65), (129, 9)]),
    layouts(), regimes(), seeds(),
)  # fmt: skip

REDUCTIONS = table(
    _row("sum", _whole_numbers(np.sum), calls=_SUMS, dtypes=ANY + COMPLEX, result=wide,
         accuracy=summed(), prepare=moderate, smooth=anywhere,
         out_needs=("dim",), covers=("dlnotes.sum-dim", "notes.integer-reductions"),
         accepts=_CASTING),
    _row("mean", _reduced(np.mean), calls=_MEANS, refuses=("int64",), dtypes=FLOATS + COMPLEX,
         accuracy=summed(mean=True), prepare=moderate, smooth=anywhere,
         covers=("dlnotes.sum-dim",)),
    _row("nansum", _whole_numbers(np.nansum), calls=_SUMS, dtypes=SINGLE + INTEGERS, result=wide,
         accuracy=summed(skip_nan=True), prepare=moderate, smooth=anywhere),
    _row("nanmean", _reduced(np.nanmean), calls=_MEANS, dtypes=SINGLE,
         accuracy=summed(mean=True, skip_nan=True), prepare=moderate, smooth=anywhere),
    _row("prod", _whole_numbers(np.prod), calls=uses(max_size=1100, finite=False), result=wide,
         accuracy=relative(2, own=True), covers=("notes.integer-reductions",), out_needs=("dim",),
         accepts=_CASTING, **_PRODUCTS),
    _row("amax", _reduced(np.max), calls=uses(several=True, finite=False, **_NONE_EMPTY),
         smooth=ranks, signed_zero=False),
    _row("amin", _reduced(np.min), calls=uses(several=True, finite=False, **_NONE_EMPTY),
         smooth=ranks, signed_zero=False),
    _row("aminmax", _ends, calls=uses(finite=False, **_NONE_EMPTY), signed_zero=False),
    _row("max", _extreme(np.max, np.argmax), calls=_LANES, smooth=ranks, signed_zero=False,
         covers=("dlnotes.max-dim",)),
    _row("min", _extreme(np.min, np.argmin), calls=_LANES, smooth=ranks, signed_zero=False,
         covers=("dlnotes.max-dim",)),
    _row("argmax", _argument(np.argmax), calls=uses(finite=False, **_NONE_EMPTY), dtypes=REAL,
         result=index, covers=("dlnotes.argmax-dim", "minicourse.argmin-argmax")),
    _row("argmin", _argument(np.argmin), calls=uses(finite=False, **_NONE_EMPTY), dtypes=REAL,
         result=index, covers=("dlnotes.argmax-dim", "minicourse.argmin-argmax")),
    _row("var", _variance, calls=_VARIED, accuracy=varied(False), **_VARIANCES,
         covers=("dlnotes.std-var",)),
    _row("std", _deviation, calls=_VARIED, accuracy=varied(True), **_VARIANCES,
         covers=("dlnotes.std-var",)),
    _row("var_mean", _with_mean(_variance), calls=_VARIED_FINITE, accuracy=varied_or_mean(False),
         method=False, out=False, **_VARIANCES),
    _row("std_mean", _with_mean(_deviation), calls=_VARIED_FINITE, accuracy=varied_or_mean(True),
         method=False, out=False, **_VARIANCES),
    _row("median", _selected(_middle), calls=_APART, covers=("dlnotes.median",), **_SORTED),
    _row("nanmedian", _selected(_middle), calls=_APART, **_SORTED),
    _row("mode", _selected(_mode), calls=uses(whole=False, max_size=1100, **_NONE_EMPTY),
         **_SORTED),
    _row("kthvalue", _selected(lambda x, dim, k: _taken(x, dim, k - 1)), **_SORTED,
         calls=uses(whole=False, at_least=3, k=(1, 2, 3))),
    _row("quantile", _quantile, calls=_QUANTILES, dtypes=SINGLE, accuracy=interpolated,
         prepare=moderate, smooth=ranks),
    _row("nanquantile", _quantile, calls=_QUANTILES, dtypes=SINGLE, accuracy=interpolated,
         prepare=moderate, smooth=ranks),
    _row("all", _reduced(np.all), calls=uses(several=True, finite=False), result=logical),
    _row("any", _reduced(np.any), calls=uses(several=True, finite=False), result=logical),
    _row("count_nonzero", lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=dim)),
         calls=uses(several=True, keepdim=False, finite=False, zero_d=False), dtypes=ANY + COMPLEX,
         result=index, out=False),
    _row("linalg.vector_norm", _norm, calls=_ORDERED, dtypes=FLOATS, accuracy=relative(12),
         prepare=tame, smooth=ranks, method=False),
    _row("norm", _old_norm, calls=uses(several=True, p=_ORDERS, **_NONE_EMPTY), dtypes=SINGLE,
         accuracy=relative(12), prepare=tame, smooth=ranks, out=False),
    _row("dist", _dist, calls=_PAIRS, broadcasts=True, dtypes=SINGLE, out=False, prepare=tame,
         accuracy=relative(16)),
    _row("logsumexp", _log_sum, calls=uses(whole=False, several=True, **_NONE_EMPTY), dtypes=FLOATS,
         accuracy=exponential("logsumexp"), prepare=tame, smooth=anywhere,
         aliases=("special.logsumexp",)),
    _row("softmax", softmax, calls=_ALONG_SOME, dtypes=FLOATS, prepare=tame, smooth=anywhere,
         accuracy=exponential("softmax"), aliases=("nn.functional.softmax",)),
    _row("log_softmax", _log_softmax, calls=_ALONG_SOME, dtypes=FLOATS, prepare=tame,
         accuracy=exponential("log_softmax"), smooth=anywhere,
         aliases=("nn.functional.log_softmax",)),
    _row("cumsum", _scan(np.cumsum), calls=uses(whole=False, keepdim=False, finite=False),
         result=wide, accuracy=scanned, prepare=moderate, smooth=anywhere, in_place=True,
         accepts=_CASTING),
    _row("cumprod", _scan(np.cumprod), result=wide, accuracy=relative(2, own=True), in_place=True,
         calls=uses(whole=False, keepdim=False, finite=False, max_size=1100), accepts=_CASTING,
         **_PRODUCTS),
    _row("cummax", _running(np.maximum), calls=_ALONG_ANY, smooth=ranks, signed_zero=False),
    _row("cummin", _running(np.minimum), calls=_ALONG_ANY, smooth=ranks, signed_zero=False),
    _row("logcumsumexp", _scan(np.logaddexp.accumulate), dtypes=SINGLE, accuracy=log_scanned,
         calls=_ALONG_SOME, prepare=tame, smooth=anywhere),
    _row("diff", _difference, dtypes=REAL, accuracy=exact, result=same, smooth=anywhere,
         calls=uses(whole=False, keepdim=False, zero_d=False, finite=False, at_least=1)),
    _row("trace", _trace, calls=_SQUARES, any_input=True, dtypes=REAL, result=wide, out=False,
         prepare=moderate,
         accuracy=lambda dtype, expected, arrays, arguments: _bound(
             dtype, "n*u*sum|t|",
             np.trace(_magnitude(arrays[0])) * sum(arrays[0].shape) * _unit(dtype)),
         smooth=anywhere),
)  # fmt: skip
"""Every reduction, by the name of its function. `max`, `min`, `median` are those along a
dimension; without one they are in the clauses."""

__all__ = ["REDUCTIONS", "boolean", "moderate", "tame", "uses"]
