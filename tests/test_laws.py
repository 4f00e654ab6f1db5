"""The laws can fail: for every operator, each law catches a fault of its kind.

Scaling a result by 1.001 fails everywhere, and so do 8 units in the last place beyond the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tenet.harness.audit.miniature import Miniature
from tenet.harness.backend import Backend
from tenet.harness.judge import judge
from tenet.harness.verdict import Verdict
from tenet.spec.model.dtypes import FORMATS
from tenet.spec.model.tolerance import Bound, ulp
from tenet.spec.operators import laws
from tenet.spec.operators.operator import Call, Operator, build
from tenet.spec.sections import specification

CLAUSES = {
    clause.id: clause for clause in specification().values() if clause.module == laws.__name__
}
OPERATORS: dict[str, Operator] = {
    clause.check.keywords["operator"].name: clause.check.keywords["operator"]  # type: ignore[attr-defined] # a partial
    for clause in CLAUSES.values()
}


def scaled(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """1.001 times the result; other integers, the other truth value."""
    return _wrong(right(*args, **kwargs))


def _wrong(result: Any) -> Any:
    if isinstance(result, tuple):
        return (_wrong(result[0]), *result[1:])
    if result.dtype == torch.bool:
        return ~result
    return result * 1.001 if result.is_floating_point() or result.is_complex() else result + 1


def of_another_dtype(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    result = right(*args, **kwargs)
    return result.to(torch.int16 if result.dtype == torch.int32 else torch.int32)


def of_another_slope(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The right value, with a derivative that is a thousandth too large in every element."""
    tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
    extra = sum(arg.sum() - arg.detach().sum() for arg in tensors if arg.is_floating_point())
    result = right(*args, **kwargs)
    if isinstance(result, tuple):
        return (result[0] + extra * 1e-3, *result[1:])
    return result + extra * 1e-3


def copying(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """out= is written, and something else returned."""
    return right(*args, **kwargs).clone()


def not_held(law: str, operator: Operator, lie: Callable[..., Any], *names: str) -> None:
    clause = CLAUSES[f"{operator.section}.{operator.name.replace('.', '-')}.{law}"]
    miniature = Miniature(lie.__name__, names or (operator.name,), lie, clause.id)
    with miniature.told() as backend:
        judgement = judge(clause, backend, examples=250, seed=0)
    assert judgement.verdict is Verdict.FAILED, judgement


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_every_law_catches_its_fault(operator: Operator) -> None:
    not_held("value", operator, scaled)
    if f"{operator.section}.{operator.name.replace('.', '-')}.metadata" in CLAUSES:
        not_held("metadata", operator, of_another_dtype)
    if operator.smooth is not None:
        not_held("gradient", operator, of_another_slope)
    for alias in operator.aliases:
        not_held("forms", operator, scaled, alias)
    if operator.method:
        not_held("forms", operator, scaled, f"Tensor.{operator.name.rpartition('.')[2]}")
    if operator.out:
        not_held("forms", operator, copying)


@np.errstate(all="ignore")
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_eight_units_beyond_the_bound_fail(operator: Operator) -> None:
    calls: list[Call] = []
    clause = replace(
        CLAUSES[f"{operator.section}.{operator.name.replace('.', '-')}.value"],
        check=lambda torch, device, call, turn: calls.append(call),
    )
    judge(clause, Backend("cpu"), examples=20, seed=0)
    for call in calls:
        for dtype in set(operator.dtypes) & {"float16", "bfloat16", "float32", "float64"}:
            into = operator.result(dtype)
            built = build(operator, call, torch, "cpu", dtype)
            expected = np.asarray(
                built.expected[0] if isinstance(built.expected, tuple) else built.expected
            )
            if not into.endswith(("16", "32", "64")) or "int" in into or not expected.size:
                continue
            bound = operator.accuracy(into, expected, built.arrays, call.keywords)
            bound = bound or Bound(into, 0.5, "exact")
            wide = expected.astype(np.longdouble)
            allowed = bound.allowed(wide)
            beyond = wide + allowed + 8 * ulp(np.abs(wide) + allowed, into)
            finite = np.isfinite(wide) & (np.abs(beyond) < FORMATS[into].max / 2)
            assert bound.exceeded(beyond, wide)[finite].all()
