"""Operators: what one row of the table says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    Operand,
    broadcast_shapes,
    layouts,
    regimes,
    seeds,
    shapes,
)
from tenet.spec.cases.encoding import encodable
from tenet.spec.cases.operands import laid
from tenet.spec.language import staged
from tenet.spec.model.dtypes import FORMATS, Category, category
from tenet.spec.model.tolerance import Bound, rounded

Array = np.ndarray
Prepare = Callable[[Array], Array]
Domain = Prepare | tuple[Prepare, ...]
"""One preparation for every operand, or one for each."""


@encodable
@dataclass(frozen=True, slots=True)
class Indices:
    """An int64 operand with elements of [low, high); `unique`: each at most once; `narrow`: an
    int32 one."""

    shape: tuple[int, ...]
    low: int
    high: int
    seed: int = 0
    unique: bool = False
    layout: str = "contiguous"
    narrow: bool = False

    def array(self, dtype: str) -> Array:
        """The elements; the dtype of the other operands does not matter."""
        random = np.random.Generator(np.random.PCG64(self.seed))
        count = int(np.prod(self.shape))
        if self.unique:
            chosen = random.permutation(np.arange(self.low, self.high))[:count]
            return chosen.reshape(self.shape).astype(np.int64)
        kind = np.int32 if self.narrow else np.int64
        return random.integers(self.low, self.high, self.shape, np.int64).astype(kind)


@encodable
@dataclass(frozen=True, slots=True)
class Mask:
    """A bool operand; about half of it is true."""

    shape: tuple[int, ...]
    seed: int = 0
    layout: str = "contiguous"

    def array(self, dtype: str) -> Array:
        """The elements; the dtype of the other operands does not matter."""
        random = np.random.Generator(np.random.PCG64(self.seed))
        return random.integers(0, 2, self.shape).astype(bool)


@encodable
@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operator: operands, then keyword arguments as (name, value) pairs."""

    operands: tuple[Any, ...]
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def keywords(self) -> dict[str, Any]:
        """The keyword arguments."""
        return dict(self.arguments)


Accuracy = Callable[[str, Array, tuple[Array, ...], dict[str, Any]], Bound | None]
"""(result dtype, reference, operands in working precision, arguments) -> the bound; None where
the result has to be the reference rounded once."""


def exact(dtype: str, expected: Array, operands: Any, arguments: Any) -> None:
    """The correctly rounded result, bit by bit."""
    return None


def within(
    units: float, reason: str, *, half: float = 1.0, scale: Callable[..., Any] | None = None
) -> Accuracy:
    """So many units in the last place of float32 and float64, and `half` of the half formats.

    A half format that computes in float32 and rounds once is within 1 unit; each intermediate
    result that is rounded to it adds half a unit, and up to its condition number.
    scale: of the operands, what an absolute error of `units` times the unit roundoff refers to,
    where the result may be smaller than what it is the difference of. A result below the
    smallest normal number may be flushed to zero; a larger one may not be wrong by as much, which
    in float16 would be half of a ten-thousandth.
    """

    def accuracy(dtype: str, expected: Array, operands: tuple[Array, ...], arguments: Any) -> Bound:
        count = half if dtype in ("float16", "bfloat16") else units
        layout = FORMATS[dtype]
        # What is as near to it as the error may be rounds to a number below it.
        least = layout.tiny * (1 + count * layout.eps)
        absolute: Any = np.where(np.abs(np.asarray(expected)) < least, layout.tiny, 0.0)
        if scale is not None:
            wide = (np.abs(operand.astype(np.float64)) for operand in operands)
            absolute = np.asarray(scale(*wide), np.float64) * count * layout.eps / 2 + absolute
        return Bound(dtype, count, reason, absolute=absolute)

    return accuracy


def same(dtype: str) -> str:
    """The result has the operands' dtype."""
    return dtype


def floating(dtype: str) -> str:
    """Integers and bools give the default dtype, everything else its own."""
    return dtype if category(dtype) >= Category.FLOAT else "float32"


def boolean(dtype: str) -> str:
    """The result is bool."""
    return "bool"


def wide(dtype: str) -> str:
    """Integers and bools accumulate in int64, everything else in its own dtype."""
    return dtype if category(dtype) >= Category.FLOAT else "int64"


def index(dtype: str) -> str:
    """The result is int64."""
    return "int64"


def as_is(array: Array) -> Array:
    """No preparation."""
    return array


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One row of the table.

    name: the function, below the namespace (`add`, `nn.functional.gelu`).
    section: the section whose clauses it gives.
    reference: called with arrays in working precision (see `working`) and the arguments; gives
        the value in that precision.
    calls: draws uses of it.
    dtypes: of the operands, the simplest first.
    result: the result's dtype for an operand dtype (the default dtype being float32).
    accuracy: the bound on the result.
    prepare: brings drawn elements into the domain that is documented; applied in the dtype.
        One for all operands, or one for each.
    native: the reference takes the elements in the dtype that they have, not in a wider one.
    smooth: brings elements to where the operation has a derivative; None: it has none. One for
        all operands, or one for each.
    once: why the derivative is not differentiated again, where it is not.
    view: the result shares the memory of its operand, as documented, and the reference gives a
        NumPy view of its own.
    grows: the result has more elements than the operand, and so no room in its memory.
    listed: the operands are handed over as one sequence.
    broadcasts: the operands broadcast, so that others do not fit.
    fits: else, an operand and its dimension that another length does not fit.
    new_dims: how many dimensions more than the operand's may be named.
    refuses: dtypes that are documented not to be taken.
    any_input: no tensor is documented to be refused.
    accepts: ways of bad input (see `refusals`) that are not refused, each with the reason.
    aliases: other functions that are the same; method: also x.name(...); symbol: also a Python
    operator; in_place: also x.name_(...); out: takes out=;
    out_needs: arguments without which it does not.
    out_layout: the only layout of out= that is asked for, where another is known to fail.
    covers: statements, beyond those of the law.
    signed_zero: whether the sign of a zero result is documented.
    order: how a call is written where operands do not come first, all of them: numbers of
    operands and names of arguments, positionally (`(0, "dim", 1)`); the rest is by keyword.
    """

    name: str
    section: str
    reference: Callable[..., Any]
    calls: st.SearchStrategy[Call]
    dtypes: tuple[str, ...]
    result: Callable[[str], str] = same
    accuracy: Accuracy = exact
    prepare: Domain = as_is
    native: bool = False
    smooth: Domain | None = None
    once: str = ""
    view: bool = False
    grows: bool = False
    listed: bool = False
    broadcasts: bool = False
    fits: tuple[int, int] | None = None
    new_dims: int = 0
    refuses: tuple[str, ...] = ()
    any_input: bool = False
    accepts: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    method: bool = True
    symbol: Callable[..., Any] | None = None
    in_place: bool = True
    out: bool = True
    out_needs: tuple[str, ...] = ()
    out_layout: str = ""
    covers: tuple[str, ...] = ()
    signed_zero: bool = True
    order: tuple[int | str, ...] = ()

    def apply(self, function: Callable[..., Any], operands: Any, keywords: dict[str, Any]) -> Any:
        """Call a function with operands and arguments in the order of the documents."""
        if self.listed:
            return function(list(operands), **keywords)
        if not self.order:
            return function(*operands, **keywords)
        positional = [
            keywords[part] if isinstance(part, str) else operands[part]
            for part in self.order
            if isinstance(part, int) or part in keywords
        ]
        rest = {name: value for name, value in keywords.items() if name not in self.order}
        return function(*positional, **rest)

    def method_of(self, name: str, operands: Any, keywords: dict[str, Any]) -> Any:
        """Call the method of the first operand, which stands first in any order."""
        method = getattr(operands[0], name)
        return self.apply(lambda _, *rest, **named: method(*rest, **named), operands, keywords)


def working(operator: Operator, array: Array, dtype: str) -> Array:
    """The elements in the precision in which the reference computes.

    Floats widen: float64 for the narrower formats, and extended precision for float64 where a
    bound is judged. A correctly rounded result is not, as two roundings are not one: there
    float64 stays (and float64 for float32 is innocuous: 53 >= 2 * 24 + 2 bits; Figueroa, 1995).
    Integers stay as they are and wrap as NumPy's do; where the result is floating they become
    float32 first, as the operation on them does.
    """
    if operator.native:
        return array
    kind = category(dtype)
    extended = operator.accuracy is not exact
    if kind is Category.FLOAT:
        return array.astype(np.longdouble if extended and dtype == "float64" else np.float64)
    if kind is Category.COMPLEX:
        return array.astype(np.clongdouble if extended and dtype == "complex128" else np.complex128)
    if operator.result is floating:
        return array.astype(np.float32).astype(np.float64)
    return array


def of_operand(domain: Domain, place: int) -> Prepare:
    """The preparation of one operand, by its place."""
    return domain[place] if isinstance(domain, tuple) else domain


def find(torch: Any, dotted: str) -> Any:
    """The function of that dotted name below the namespace."""
    return attrgetter(dotted)(torch)


def program_of(
    torch: Any, operator: Operator, call: Call, *, any_length: bool = False
) -> Callable[..., Any]:
    """The operation, with the arguments of the call, as a program of its operands."""
    return staged(applied(operator, find(torch, operator.name), call), any_length=any_length)


def applied(operator: Operator, function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """The function with the arguments of the call, of the operands."""
    keywords = call.keywords
    return lambda *tensors: operator.apply(function, tensors, keywords)


@dataclass(frozen=True, slots=True)
class Built:
    """A call made concrete for one dtype: arrays, and tensors of the same elements."""

    arrays: tuple[Array, ...]
    tensors: tuple[Any, ...]
    expected: Any


def build(operator: Operator, call: Call, torch: Any, device: str, dtype: str) -> Built:
    """Make the operands of a call, and compute what it has to give."""
    arrays = arrays_of(operator, call, dtype)
    tensors = (
        laid(torch, device, array, getattr(operand, "layout", "contiguous"))
        for array, operand in zip(arrays, call.operands, strict=True)
    )
    return Built(arrays, tuple(tensors), expected_of(operator, call, arrays, dtype))


def arrays_of(operator: Operator, call: Call, dtype: str) -> tuple[Array, ...]:
    """The elements of the operands, brought into the operator's domain."""
    arrays = []
    for place, operand in enumerate(call.operands):
        array = operand.array(dtype)
        if isinstance(operand, Operand):
            ready = of_operand(operator.prepare, place)
            array = np.asarray(ready(_tame(operand, array, dtype))).astype(array.dtype)
        arrays.append(array)
    return tuple(arrays)


def expected_of(operator: Operator, call: Call, arrays: tuple[Array, ...], dtype: str) -> Any:
    """What the reference makes of the elements, in its working precision."""
    widened = [
        working(operator, array, dtype) if isinstance(operand, Operand) else array
        for array, operand in zip(arrays, call.operands, strict=True)
    ]
    return operator.reference(*widened, **call.keywords)


def _tame(operand: Operand, array: Array, dtype: str) -> Array:
    # Complex arithmetic on infinities and at the ends of the range is not documented.
    wild = category(dtype) is Category.COMPLEX and operand.regime in ("special", "extreme", "wide")
    return replace(operand, regime="normal").array(dtype) if wild else array


def rounded_to(expected: Array, dtype: str) -> Array:
    """An exact operation's result: the reference in its dtype."""
    return rounded(np.asarray(expected), dtype)


def unary(*, finite: bool = False, max_size: int = 3000) -> st.SearchStrategy[Call]:
    """Uses of an operator with one operand."""
    return st.builds(
        lambda shape, layout, regime, seed: Call((Operand(shape, layout, regime, seed),)),
        shapes(max_size=max_size),
        layouts(),
        regimes(finite=finite),
        seeds(),
    )


def n_ary(count: int, *, finite: bool = False) -> st.SearchStrategy[Call]:
    """Uses of an operator with `count` operands that broadcast."""
    kinds = tuple(LAYOUTS)

    def made(group: Any, first: str, last: str, regime: str, seed: int) -> Call:
        between = (kinds[(seed + number) % len(kinds)] for number in range(count - 2))
        layouts = (first, *between, last)
        return Call(
            tuple(
                Operand(shape, layout, regime, seed + 7 * place)
                for place, (shape, layout) in enumerate(zip(group, layouts, strict=True))
            )
        )

    return st.builds(
        made, broadcast_shapes(count), layouts(), layouts(), regimes(finite=finite), seeds()
    )


def with_arguments(calls: st.SearchStrategy[Call], **choices: list[Any]) -> st.SearchStrategy[Call]:
    """The same uses, with keyword arguments chosen from lists."""
    names = tuple(choices)

    def add(call: Call, *chosen: Any) -> Call:
        return Call(call.operands, tuple(zip(names, chosen, strict=True)))

    return st.builds(add, calls, *(st.sampled_from(values) for values in choices.values()))


Table = Mapping[str, Operator]


def table(*operators: Operator) -> dict[str, Operator]:
    """Rows by name. ValueError for a name that stands twice."""
    rows = {operator.name: operator for operator in operators}
    if len(rows) != len(operators):
        raise ValueError("an operator stands twice in the table")
    return rows
