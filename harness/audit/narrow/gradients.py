"""Gradients: a backward pass that is wrong in one dtype alone, for one kind of
operand alone, or for one kind of gradient that arrives.

A backward pass has loops of its own, which are met by other layouts than those of the operands:
what arrives from a sum is expanded, what arrives from a transposition has another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from tenet.harness.audit.faults import both, known, of, wrapped
from tenet.harness.audit.gradients import at_the_end, bent
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.narrow.common import kinds
from tenet.harness.audit.operators import lawful
from tenet.spec.model.dtypes import HALVES
from tenet.spec.operators.domains import ranks
from tenet.spec.operators.operator import Operator
from tenet.spec.operators.slopes import DTYPES

_FLAT = frozenset({"floor", "ceil", "trunc", "round", "angle"})
"""Their derivatives are 0, whatever arrives; that of an angle, of real numbers."""
_LONELY = frozenset({"softmax", "log_softmax", "nn.functional.softmin"})
"""Of one element alone their value is fixed, so that what arrives has no effect."""
_NOT_TOLD = {
    # Of equal elements it is left open which one is meant.
    "cummax": "expanded",
    "cummin": "expanded",
    # One rounding for each of the products that follow: in a half format that hides much.
    "cumprod": "expanded",
    # One of hundreds that are added up is as small, in a half format, as their roundings.
    "put": "expanded",
    "masked_scatter": "expanded",
    "dstack": "expanded",
    "column_stack": "expanded",
}
"""Kinds of operands whose gradient is not known, or not well enough."""


def mutants() -> Iterator[Mutant]:
    """For each operator that has a derivative and each kind of operand, one whose gradient is wrong
    in one of the dtypes; of point-wise ones every other kind is that of the gradient that arrives.
    """
    differentiable = [row for row in lawful().values() if row.smooth is not None]
    for place, operator in enumerate(differentiable):
        dtypes = [dtype for dtype in DTYPES if dtype in operator.dtypes]
        for turn, (kind, condition) in enumerate(kinds(operator).items()):
            dtype = dtypes[(place + turn) % len(dtypes)]
            if (place // 2 + turn) % 2 and _arrives(operator, kind):
                there = both(of(operator.result(dtype)), condition)
                yield _mutant(operator, "from", kind, dtype, _misread(dtype, known(there)))
            elif not _untold(operator, kind, dtype):
                lie = _wrong_for(known(both(of(dtype), condition)))
                yield _mutant(operator, "of", kind, dtype, lie)


def _untold(operator: Operator, kind: str, dtype: str) -> bool:
    """Whether the gradient of such operands is not known; so it is where an order counts, and the
    format has not as many numbers as there are elements, as a rule."""
    large = kind in ("of-many", "of-rank-4")
    ordered = operator.smooth is ranks and large and dtype in HALVES
    return ordered or _NOT_TOLD.get(operator.name) == kind


def _arrives(operator: Operator, kind: str) -> bool:
    """Whether gradients of that kind arrive, and matter."""
    if operator.section != "elementwise" or operator.name in _FLAT:
        return False
    return not (operator.name in _LONELY and kind in ("without-dimensions", "of-one-element"))


def _mutant(
    operator: Operator, side: str, kind: str, dtype: str, lie: Callable[..., Any]
) -> Mutant:
    short = operator.name.rpartition(".")[2]
    where = "operands" if side == "of" else "arriving gradients"
    clause = f"{operator.section}.{operator.name.replace('.', '-')}.gradient-by-dtype"
    return Mutant(
        name=f"narrow-gradient.{operator.name}:{side}-{kind}-{dtype}",
        says=f"{operator.name}: the gradient's last element is wrong, for {dtype} {where} "
        f"{kind} alone",
        sections=(operator.section,),
        fault=wrapped(
            " ".join((operator.name, *([f"Tensor.{short}"] if operator.method else []))), lie
        ),
        likely=(clause,),
        origin="narrow",
    )


def _wrong_for(fits: Callable[..., bool]) -> Callable[..., Any]:
    """The gradient of such operands is wrong."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def passed(arg: Any) -> Any:
            if type(arg) in (list, tuple):
                return type(arg)(map(passed, arg))
            tracked = isinstance(arg, torch.Tensor) and arg.requires_grad and fits(arg)
            return bent(arg) if tracked else arg

        return right(*args, **kwargs) if "out" in kwargs else right(*map(passed, args), **kwargs)

    return lie


def _misread(dtype: str, fits: Callable[..., bool]) -> Callable[..., Any]:
    """Such gradients are misread on arrival, where an operand has the dtype."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        tracked = isinstance(result, torch.Tensor) and result.requires_grad
        if not tracked or not any(known(of(dtype))(arg) for arg in args):
            return result
        return bent(
            result, lambda gradient, _: at_the_end(gradient) if fits(gradient) else gradient
        )

    return lie
