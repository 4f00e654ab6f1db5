"""The gradients of operations in place: of the tensor that is changed, and of what changes it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tenet.spec.autograd.common import NEEDS, Array
from tenet.spec.cases import WRITABLE, arrange, tensor_of
from tenet.spec.cases.underscores import (
    BINARY,
    CHANGES,
    DERIVED,
    ELEMENTARY,
    INDEX,
    SCATTER,
    UNARY,
    Change,
    P,
    X,
)
from tenet.spec.language import assert_close, assert_that, case, clause, read, supported
from tenet.spec.model.dtypes import FLOATS, FORMATS
from tenet.spec.model.tolerance import Bound, rounded

Arrays = dict[Hashable, Array]
Tensors = dict[Hashable, Any]

STEP = 2.0**-14
"""Of central differences in float64. Their truncation is STEP^2 / 6 of a third derivative, which is
less than a thousand of the first here, and the rounding of values up to 1000 is 1000 u / STEP."""
OFF = 1e-5
"""What they may be off by, relative to the terms: more than both together."""
ROUNDINGS = 16
"""Of the terms of a gradient: the formulas take up to four operations, each of which rounds, and
the worst conditioned, 1 / (1 - x^2) up to 0.92, quadruples what its operand is off by."""
_WITHOUT = frozenset({
    "heaviside_", "nextafter_", "floor_divide_", "igamma_", "igammac_",
    "asinh_", "arcsinh_", "acosh_", "arccosh_", "atanh_", "arctanh_", "sgn_",
    "eq_", "lt_", "less_", "logical_not_",
})  # fmt: skip
"""Methods that have no derivative by each of their operands, or not in place, as they say
themselves; that of sgn_ is a tensor of zeros without memory, which cannot be read. The last four
answer yes or no."""


def _changes() -> Iterator[Change]:
    """The documented changes of floating-point tensors, in every spelling."""
    for change in (*CHANGES, *DERIVED):
        if not set(change.dtypes) & set(FLOATS):
            continue
        if change.spelling.startswith("scatter"):
            # Of a source that is larger than its index there is no gradient.
            change = replace(change, arguments=tuple(map(_first_rows, change.arguments)))
        yield change
    for name in ("add", "sub", "mul", "div", "copy"):
        for spelling in BINARY[name].spellings:
            operator = f"__i{'truediv' if name == 'div' else name}__"
            for other in (P, P[0], P[:, :1], P[0, 0]):
                yield _by(operator if "=" in spelling else spelling, np.array(other))
    yield _by("fill_", np.array(1.5))
    yield Change("index_fill_", (0, INDEX, np.array(9.0)), np.copy)
    for unary in UNARY.values():
        for spelling in unary.spellings if set(unary.dtypes) & set(FLOATS) else ():
            yield Change(spelling, unary.arguments, np.copy, unary.keywords, X - 2.5)
    for spellings, _, low, high in ELEMENTARY:
        inside = low + (high - low) * np.linspace(0.1, 0.9, 9).reshape(3, 3)
        yield from (Change(spelling, (), np.copy, target=inside) for spelling in spellings)


def _with_derivative() -> list[Change]:
    return [change for change in _changes() if change.spelling not in _WITHOUT]


def _first_rows(argument: Any) -> Any:
    index, _ = SCATTER.shape
    return argument[:index] if isinstance(argument, np.ndarray) else argument


def _by(spelling: str, other: Array) -> Change:
    return Change(spelling, (other,), np.copy, dtypes=FLOATS)


def _tensors(change: Change, seed: int) -> tuple[Arrays, Arrays]:
    """(the target and each floating-point operand, by its place or name, a little beside the whole
    numbers of the table, so that no two are the same; a direction for each)."""
    random = np.random.Generator(np.random.PCG64(seed))
    given: dict[Hashable, Any] = {"target": change.target}
    given |= enumerate(change.arguments)
    given |= change.keywords.items()
    moving = {
        place: each
        for place, each in given.items()
        if isinstance(each, np.ndarray) and (place == "target" or each.dtype.kind == "f")
    }
    at = {}
    for number, (place, each) in enumerate(moving.items()):
        beside = random.uniform(0.05, 0.1, each.shape) + 0.15 * number
        at[place] = rounded(each + beside, "bfloat16").astype(np.float64)
    return at, {place: random.uniform(-1, 1, each.shape) for place, each in at.items()}


def _after(torch: Any, device: str, change: Change, tensors: Tensors) -> Any:
    """What the method returns; indices and masks become tensors as they are."""

    def given(place: Hashable, value: Any) -> Any:
        if place in tensors:
            return tensors[place]
        if isinstance(value, tuple):
            return tuple(given(None, each) for each in value)
        return tensor_of(torch, device, value) if isinstance(value, np.ndarray) else value

    arguments = [given(place, value) for place, value in enumerate(change.arguments)]
    keywords = {name: given(name, value) for name, value in change.keywords.items()}
    return getattr(tensors["target"], change.spelling)(*arguments, **keywords)


def _slope(
    torch: Any, device: str, change: Change, at: Arrays, along: Arrays, weights: Array
) -> float:
    """The derivative along the directions, by differences of the operation itself."""

    def outcome(step: float) -> float:
        moved = {p: tensor_of(torch, device, at[p] + step * along[p]) for p in at}
        return float((read(_after(torch, device, change, moved)) * weights).sum())

    return (outcome(STEP) - outcome(-STEP)) / (2 * STEP)


@clause("autograd.in-place", covers=["notes.view-gradient", "notes.numeric-gradient"],
        requires=NEEDS | {"in-place", "views", "float64"}, thorough=True)  # fmt: skip
def what_is_changed_in_place_has_the_gradient_of_the_change(torch: Any, device: str) -> None:
    """Every documented method that ends in an underscore, and every operator that ends in =, passes
    the gradient of what it leaves to the tensor that it changes, as that was before, and to the
    tensors that change it: as much as differences of its values say, in every dtype and layout.
    What it leaves is the same recorded or not."""
    for turn, change in enumerate(_with_derivative()):
        at, along = _tensors(change, turn)
        weights = np.random.default_rng(turn).integers(1, 9, change.target.shape) / 4.0
        with case(spelling=change.spelling):
            slope = _slope(torch, device, change, at, along, weights)
        dtypes = [name for name in change.dtypes if name in FLOATS] + ["float64"]
        for dtype in supported(dict.fromkeys(dtypes)):
            with case(spelling=change.spelling, dtype=dtype):
                plain = {
                    p: tensor_of(torch, device, rounded(each, dtype)) for p, each in at.items()
                }
                expected = read(_after(torch, device, change, plain)).astype(np.float64)
            first = 2 * turn + FLOATS.index(dtype)
            for lying in (first, first + 1):
                layouts = {
                    place: WRITABLE[(lying + 4 * number) % len(WRITABLE)]
                    for number, place in enumerate(at)
                }
                with case(spelling=change.spelling, dtype=dtype, layout=layouts["target"]):
                    leaves, laid = {}, {}
                    for place, each in at.items():
                        laid[place] = arrange(each, layouts[place])
                        base = rounded(laid[place].base, dtype)
                        leaves[place] = tensor_of(torch, device, base).requires_grad_()
                    tensors = {p: laid[p].of_tensor(leaf * 1) for p, leaf in leaves.items()}
                    result = _after(torch, device, change, tensors)
                    room = ROUNDINGS * FORMATS[dtype].eps / 2
                    off = room * np.abs(expected).max()
                    assert_close(result, expected, Bound(dtype, 0, "one formula", absolute=off))
                    result.backward(tensor_of(torch, device, rounded(weights, dtype)))
                    terms = [
                        laid[place].of_array(read(leaf.grad)) * along[place]
                        for place, leaf in leaves.items()
                        if leaf.grad is not None
                    ]
                    _assert_slope(terms, slope, float(weights.sum()), OFF + room)


def _assert_slope(terms: list[Array], slope: float, size: float, relative: float) -> None:
    """The terms add up to the slope, relative to their magnitudes and a size."""
    got = float(sum(each.sum() for each in terms))
    allowed = relative * float(size + sum(np.abs(each).sum() for each in terms))
    assert_that(
        abs(got - slope) <= allowed,
        f"the derivative along a direction is {got!r}, by differences {slope!r}, which is more "
        f"than {allowed!r} away",
    )
