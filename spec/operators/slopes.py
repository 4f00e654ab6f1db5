"""The law of gradients in every dtype.

Where an operation is point-wise, each element of a gradient is the sum of the slopes of those
elements of the result that it takes part in, and is compared alone. Where it is not, the gradients
have to sum up to the derivative along a line through all elements, and along one through two alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tenet.spec.cases import LAYOUTS, Arrangement, Operand, arrange, values
from tenet.spec.cases.kinds import lying, size
from tenet.spec.cases.operands import tensor_of
from tenet.spec.cases.shapes import Shape
from tenet.spec.language import assert_close, assert_metadata, assert_that, case, read, supported
from tenet.spec.model.dtypes import FORMATS, HALVES
from tenet.spec.model.tolerance import Bound, rounded
from tenet.spec.operators.combinations import point_wise, reduced, with_single
from tenet.spec.operators.derivatives import RELATIVE
from tenet.spec.operators.domains import ranks
from tenet.spec.operators.operator import Array, Call, Operator, exact, find
from tenet.spec.operators.paths import STEP, Path, Start, first, sources, start_of, total, widest
from tenet.spec.operators.plateaus import ended, on_plateau

ROUNDINGS = 6
"""By how many roundings of its terms and of its operands, each all in one direction, a derivative
may be off in the dtype that it is computed in, besides those that the value may be off by. The
formulas of the table take up to a dozen operations, whose roundings partly cancel: of 40,000
derivatives of PyTorch none is off by more than four."""
_CHAINED = frozenset({"prod", "cumprod", "cummax", "cummin"})
"""Operators whose backward multiplies, or adds up, a whole line, one element after another; those
that pick elements, or repeat them, add up what was read from one place."""
_NORMS = frozenset({"linalg.vector_norm", "norm"})
"""Operators whose backward divides by a power of the value, so that its errors count several times:
as many roundings more."""
_DEVIATIONS = frozenset({"std", "std_mean"})
"""Operators that have no derivative where they are 0."""
_LOGARITHMS = frozenset({"log_softmax", "logsumexp", "logcumsumexp"})
"""Operators whose backward takes the exponential of the rounded value, by whose magnitude the
rounding grows."""
_SCALES = frozenset({"deg2rad"})
"""Operators whose derivative is one small number: nothing cancels on the way to it, and of six
roundings of the weights alone it would hardly be told from 0 in bfloat16."""
_HELD = {
    "float32": ("float32", "float64"),
    "bfloat16": ("float16", "bfloat16"),
    "complex64": ("complex64", "complex128"),
}
"""Elements of the one dtype, and the dtypes that hold them: both half formats hold what bfloat16
does, of a moderate size, so that one reference serves both."""
DTYPES = tuple(dtype for dtypes in _HELD.values() for dtype in dtypes)
"""The dtypes in which an operation has a derivative."""
DIFFERENCES = 1e-9
"""What plain differences in float64 are off by, relative to the slopes: truncation is STEP^4 of a
fifth derivative."""
OF_VALUES = 32 * 2.0**-53 / STEP
"""The same, relative to the values that are subtracted: of one rounding in each, Richardson's rule
makes three over the step; and a reference rounds up to ten times."""
RANGE = 2.0**7
"""Results up to there are looked at in float16, where elements are more than moved: their squares,
which the gradient of a norm has on its way, are numbers of it too."""
KINK = 1e-6
"""Slopes to the two sides that differ by more, relative to what they are made of, are those of a
kink, on which elements may fall that are rounded to the same number."""


def shown(operator: Operator, call: Call, single: int | None, seed: int) -> frozenset[Hashable]:
    """What is special about each of the operands, and about the gradient that arrives."""
    call = with_single(operator, call, single)
    operands = call.operands
    shape = operands[0].shape
    if point_wise(operator, call):
        shape = np.broadcast_shapes(*(operand.shape for operand in operands))
    found = _kinds(("arriving", on_plateau(operator, call, seed)), shape, _lying(seed))
    if operator.section == "reduction":
        found |= {(operands[0].layout, reduced(call))}
    return found.union(
        *(
            _kinds(place, each.shape, getattr(each, "layout", ""))
            for place, each in enumerate(operands)
        )
    )


def _kinds(what: Hashable, shape: Shape, layout: str) -> frozenset[Hashable]:
    """It lies in a layout and has a rank, each together with a kind of size."""
    many = size(shape)
    return frozenset({(what, lying(shape, layout), many), (what, len(shape), many)})


def gradient_by_dtype(
    torch: Any, device: str, operator: Operator, call: Call, single: int | None, seed: int
) -> None:
    """In each floating and complex dtype backward() gives the derivative (by a complex number: that
    by its real part, and i times that by its imaginary part) within the precision of that dtype,
    in the leaf's dtype and shape: for every layout of an operand and of the gradient that arrives,
    every rank and every kind of size."""
    call = with_single(operator, call, single)
    for held, there, start in starts(operator, call, seed):
        value = start.value()
        arriving = _arriving(value.shape, seed, operator.result(held))
        expected = [*_expected(start, value, np.array(arriving.of_array(arriving.base)), held)]
        for dtype in there:
            with case(dtype=dtype):
                leaves, operands = start.leaves(torch, device, dtype)
                result = first(operator.apply(find(torch, operator.name), operands, call.keywords))
                weights = tensor_of(torch, device, rounded(arriving.base, operator.result(dtype)))
                result.backward(arriving.of_tensor(weights))
                for leaf in leaves:
                    assert_metadata(leaf.grad, shape=tuple(leaf.shape), dtype=dtype)
                gradients = [leaf.grad for leaf in leaves]
                roundings = roundings_of(start, value, dtype)
                for each in expected:
                    each.check(gradients, dtype, roundings)


def starts(
    operator: Operator, call: Call, seed: int
) -> Iterator[tuple[str, tuple[str, ...], Start]]:
    """(the dtype that holds the elements, those in which the gradient is asked for, the operands),
    for each kind of dtype that the operator and the backend take."""
    for held, dtypes in _HELD.items():
        there = tuple(supported(name for name in dtypes if name in operator.dtypes))
        if there:
            yield held, there, ended(start_of(operator, call, seed, held))


def roundings_of(start: Start, value: Array, dtype: str) -> float:
    """By how many roundings a gradient may be off."""
    operator = start.operator
    # What the value may be off by, its derivative may be as well.
    bound = operator.accuracy(dtype, value, start.arrays, start.call.keywords)
    count: float = ROUNDINGS + (0 if bound is None else bound.ulps)
    lengths = (*start.arrays[0].shape, *value.shape)
    picks = any(not isinstance(operand, Operand) for operand in start.call.operands)
    if operator.name in _CHAINED or (picks and operator.section == "indexing"):
        count += max(lengths, default=0)
    elif operator.section == "matmul" and dtype not in HALVES:
        # The gradient of one factor is a sum along the rows or the columns of the other; half
        # formats are added up in a wider one.
        count += max(lengths, default=0)
    elif operator.grows:
        count += value.size / max(1, start.arrays[0].size)
    if operator.name in _NORMS:
        count += ROUNDINGS
    if operator.name in _LOGARITHMS:
        count += float(np.abs(value).max(initial=0))
    return count


def _lying(seed: int) -> str:
    """The layout of the gradient that arrives."""
    return tuple(LAYOUTS)[seed % len(LAYOUTS)]


def _arriving(shape: tuple[int, ...], seed: int, dtype: str) -> Arrangement:
    """The weights of the elements of a result, in one of the layouts."""
    return arrange(weights_of(shape, dtype, seed), _lying(seed))


def weights_of(shape: tuple[int, ...], dtype: str, seed: int) -> Array:
    """Numbers that the dtype holds, as float64 or complex128."""
    wide = widest(dtype)
    return rounded(values(shape, wide, "normal", seed + 500), dtype).astype(wide)


class Expected(Protocol):
    """Something that gradients have to be."""

    def check(self, gradients: list[Any], dtype: str, roundings: float) -> None: ...


def _expected(start: Start, value: Array, weights: Array, held: str) -> Iterator[Expected]:
    if point_wise(start.operator, start.call):
        yield from slopes_of(start, value, weights, held)
    elif not _tied(start) and (value.all() or start.operator.name not in _DEVIATIONS):
        yield from _slants(start, bool(_large(start, value).any()), weights, held)


def _large(start: Start, value: Array) -> Array:
    """Which elements of the result are not looked at in float16."""
    return np.asarray(np.abs(value) > (np.inf if start.operator.accuracy is exact else RANGE))


def _of_differences(dtype: str) -> float:
    """In the widest formats as much as the law for float64 allows, whose differences are better."""
    return RELATIVE if dtype == widest(dtype) else DIFFERENCES


@dataclass(frozen=True)
class Slopes:
    """What the gradient of one leaf is.

    place: which leaf; base: its elements; at: for each element of the result, which of them it is
    made of; paths: on which all of them move, in the real direction and in the imaginary one;
    large: the elements of the result that are not looked at in float16; unit: one relative
    rounding; cancels: the terms may be differences of the weights.
    """

    place: int
    base: Array
    at: Array
    paths: tuple[Path, ...]
    large: Array
    unit: float
    cancels: bool

    def check(self, gradients: list[Any], dtype: str, roundings: float) -> None:
        """Every element of the gradient is the derivative in this dtype; where the gradient has
        fewer elements than the leaf, they are those of its beginning."""
        layout = FORMATS[dtype]
        got = read(gradients[self.place]).astype(self.base.dtype)
        there = tuple(map(slice, got.shape))
        slopes, weights, values = (term[there] for term in self._terms)
        size = slopes + weights
        allowed = roundings * (layout.eps / 2 * size + layout.tiny * self._count[there])
        allowed += _of_differences(dtype) * size + OF_VALUES * values
        wanted = self._wanted[there]
        # What is well within needs no closer look.
        if not (np.abs(got - wanted) <= allowed).all():
            allowed += roundings * layout.eps / 2 * self._unsettled[there]
            skipped = self._open | self._beyond if dtype == "float16" else self._open
            wanted = np.where(skipped[there], got, wanted)
        reason = f"{roundings:g} roundings of its terms, weights and operands"
        assert_close(gradients[self.place], wanted, Bound(dtype, 0, reason, absolute=allowed))

    def _gathered(self, of_result: Any) -> Array:
        """The sums, for each element of the leaf, over the elements of the result."""
        plain = np.asarray(of_result, np.float64).ravel()
        return np.bincount(self.at, plain, self.base.size).reshape(self.base.shape)

    @cached_property
    def _wanted(self) -> Array:
        found = [self._gathered(path.slopes()) for path in self.paths]
        return found[0] + 1j * found[1] if len(found) > 1 else found[0]

    @cached_property
    def _terms(self) -> tuple[Array, Array, Array]:
        """The magnitudes of the terms, of the weights that they may be differences of, and of the
        values that they are the derivatives of."""
        return (
            self._gathered(sum(np.abs(path.slopes()) for path in self.paths)),
            self._gathered(self.cancels * len(self.paths) * np.abs(self.paths[0].weights)),
            self._gathered(sum(np.abs(path.terms(STEP)) for path in self.paths)),
        )

    @cached_property
    def _count(self) -> Array:
        return self._gathered(np.ones(self.large.shape))

    @cached_property
    def _open(self) -> Array:
        """Elements that take part in one of the result which has a kink there, or no end."""
        odd = np.zeros(self.large.shape, bool)
        for path in self.paths:
            odd |= ~(path.kinks() <= KINK * (np.abs(path.slopes()) + np.abs(path.weights)))
        return self._gathered(odd) > 0

    @cached_property
    def _beyond(self) -> Array:
        """Elements that take part in one of the result which is too large."""
        return self._gathered(self.large) > 0

    @cached_property
    def _unsettled(self) -> Array:
        """What one rounding of each operand makes of the terms, in unit roundoffs."""
        turns = (1 + self.unit, 1 + 1j * self.unit)[: len(self.paths)]
        found: Any = 0.0
        for path in self.paths:
            for number, array in enumerate(path.arrays):
                for turn in turns:
                    arrays = (*path.arrays[:number], array * turn, *path.arrays[number + 1 :])
                    found = found + np.abs(path.moved(arrays)) / self.unit
        return self._gathered(found)


def slopes_of(start: Start, value: Array, weights: Array, held: str) -> Iterator[Slopes]:
    """For each leaf of a point-wise operation: by every element of it."""
    large = _large(start, value)
    parts = (1, 1j) if start.wide == "complex128" else (1,)
    laid = [(n, arrangement) for n, arrangement in enumerate(start.laid) if arrangement is not None]
    for place, (number, arrangement) in enumerate(laid):
        base = arrangement.base
        along = [
            [np.full(base.shape, part) if n == number else None for n in range(len(start.laid))]
            for part in parts
        ]
        yield Slopes(
            place=place,
            base=base,
            at=np.broadcast_to(sources(arrangement), large.shape).ravel(),
            paths=tuple(_plain(start, tuple(directions), weights) for directions in along),
            large=large,
            unit=FORMATS[held].eps / 2,
            cancels=start.operator.name not in _SCALES,
        )


def _plain(start: Start, along: tuple[Array | None, ...], weights: Array) -> Path:
    """The line, whose reference is computed in float64."""
    return replace(start.path(along, weights), precision=np.float64)


@dataclass(frozen=True)
class Slant:
    """A direction, and what the derivative along it is.

    path: in that direction; along: of each leaf; large: whether a value is too large for float16;
    unit: one relative rounding; seed: of the choice which operands are rounded up, and which down.
    """

    path: Path
    along: tuple[Array, ...]
    large: bool
    unit: float
    seed: int

    def check(self, gradients: list[Any], dtype: str, roundings: float) -> None:
        """The gradients in this dtype give the derivative."""
        terms = [
            (read(gradient).astype(along.dtype).conj() * along).real
            for gradient, along in zip(gradients, self.along, strict=True)
        ]
        got, size = total(terms)
        layout = FORMATS[dtype]
        steps = sum(float(np.abs(along).sum()) for along in self.along)
        # Half formats compute in a wider one, and round in the end; the value is rounded too.
        often = max(1, roundings - ROUNDINGS) if dtype in HALVES else roundings
        scale = size + self._size
        allowed = roundings * (layout.eps / 2 * scale + layout.tiny * steps)
        allowed += often * layout.eps / 2 * self._of_weights
        allowed += _of_differences(dtype) * (scale + self._of_weights)
        allowed += self._of_values * float(np.abs(self.path.terms(STEP)).sum())
        off = abs(got - self._wanted)
        # What is well within needs no closer look.
        if not off <= allowed:
            allowed += roundings * layout.eps / 2 * self._unsettled
        assert_that(
            off <= allowed or not self._smooth or (self.large and dtype == "float16"),
            f"the derivative along a direction is {got!r}, by differences {self._wanted!r}, which "
            f"is more than {allowed!r} away",
        )

    @cached_property
    def _wanted(self) -> float:
        return float(self.path.slopes().sum())

    @cached_property
    def _size(self) -> float:
        return float(np.abs(self.path.slopes()).sum())

    @cached_property
    def _of_weights(self) -> float:
        """How far a rounding of every weight may move the derivative, in unit roundoffs, where its
        terms are what is left of differences of weights."""
        steps = sum(np.abs(each).sum() for each in self.path.directions if each is not None)
        return float(steps) * float(np.abs(self.path.weights).max(initial=0))

    @cached_property
    def _of_values(self) -> float:
        """What rounding the values makes of the differences, where a reference may round as often
        as there are elements: a running sum of equal numbers errs to one side all along."""
        often = max(10, *(array.size for array in self.path.arrays)) / 10
        return OF_VALUES * often * self.path.roundoff / 2.0**-53

    @cached_property
    def _smooth(self) -> bool:
        """Whether there is no kink there."""
        return float(self.path.kinks().sum()) <= KINK * (self._size + self._of_weights)

    @cached_property
    def _unsettled(self) -> float:
        """What one rounding of every operand, up or down, makes of it, in unit roundoffs."""
        random = np.random.Generator(np.random.PCG64(self.seed))
        moves = []
        for _ in range(2):
            arrays = tuple(
                array
                if direction is None
                else array * (1 + self.unit * random.choice([-1.0, 1.0], array.shape))
                for array, direction in zip(self.path.arrays, self.path.directions, strict=True)
            )
            moves.append(float(abs(self.path.moved(arrays).sum())))
        return max(moves) / self.unit


def _tied(start: Start) -> bool:
    """Whether rounding made the same what has to be different: it is left open which one counts."""
    domains = start.operator.smooth
    ordered = ranks in (domains if isinstance(domains, tuple) else (domains,))
    return ordered and any(_repeats(each) for each in start.laid if each is not None)


def _repeats(arrangement: Arrangement) -> bool:
    """Whether two elements of an operand are the same, beyond one that is shown more than once."""
    seen = arrangement.base.ravel()[np.unique(sources(arrangement))]
    return bool(np.unique(seen).size < seen.size)


def _slants(start: Start, large: bool, weights: Array, held: str) -> Iterator[Slant]:
    """Along every element, and along two alone, the last of them."""
    dense = start.directions()
    for along in (dense, start.few(dense)):
        # What is added up in float64 is not known to more digits than a gradient in it.
        fine = held == "float32"
        path = start.path(along, weights) if fine else _plain(start, along, weights)
        told = tuple(direction for direction in along if direction is not None)
        yield Slant(path, told, large, FORMATS[held].eps / 2, start.seed)
