"""The laws can fail: for every operator, each law catches a fault of its kind.

Scaling a result by 1.001 fails everywhere, a second derivative scaled so does, and 8 units in the
last place beyond the bound do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tenet.harness.audit.examine import attempt
from tenet.harness.audit.miniature import Miniature
from tenet.harness.audit.operators import (
    copying,
    forgiving,
    of_another_bend,
    of_another_dtype,
    of_another_slope,
    off_at_the_end,
    scaled,
    steeper_at_the_end,
    steeper_in,
)
from tenet.harness.backend import Backend
from tenet.harness.judge import judge
from tenet.harness.verdict import Verdict
from tenet.spec.cases.kinds import lying
from tenet.spec.language import Clause
from tenet.spec.model.dtypes import FORMATS, Category, category
from tenet.spec.model.tolerance import Bound, ulp
from tenet.spec.operators import combinations, derivatives, laws, paths, slopes
from tenet.spec.operators.operator import Call, Operator, build
from tenet.spec.operators.refusals import Setting, refusals
from tenet.spec.sections import specification

CLAUSES = {
    clause.id: clause for clause in specification().values() if clause.module in laws.MODULES
}
OPERATORS: dict[str, Operator] = {
    clause.check.keywords["operator"].name: clause.check.keywords["operator"]  # type: ignore[attr-defined] # a partial
    for clause in CLAUSES.values()
}


def of_scaled_bend(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The right value and derivative, and 1.001 times the second derivative."""

    def scaled_from_here(grad: torch.Tensor) -> torch.Tensor:
        return grad.detach() + 1.001 * (grad - grad.detach())

    def hooked(arg: Any) -> Any:
        if isinstance(arg, list):
            return [hooked(part) for part in arg]
        if not (isinstance(arg, torch.Tensor) and arg.requires_grad):
            return arg
        arg = arg.clone()
        arg.register_hook(scaled_from_here)
        return arg

    return right(*map(hooked, args), **kwargs)


def clause_of(law: str, operator: Operator) -> Clause | None:
    return CLAUSES.get(f"{operator.section}.{operator.name.replace('.', '-')}.{law}")


def calls_of(operator: Operator, examples: int = 20) -> list[Call]:
    """Some uses of an operator."""
    calls: list[Call] = []
    clause = clause_of("value", operator)
    assert clause is not None
    spying = replace(clause, check=lambda torch, device, call, turn: calls.append(call), effort=1.0)
    judge(spying, Backend("cpu"), examples=examples, seed=0)
    return calls


def not_held(law: str, operator: Operator, lie: Callable[..., Any], *names: str) -> None:
    clause = clause_of(law, operator)
    assert clause is not None
    miniature = Miniature(lie.__name__, names or (operator.name,), lie, clause.id)
    with miniature.told() as backend:
        verdict, tried, _ = attempt(clause, backend, examples=250, seed=0)
    assert verdict is Verdict.FAILED, f"{clause.id}: {verdict} after {tried} examples"


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_every_law_catches_its_fault(operator: Operator) -> None:
    not_held("value", operator, scaled)
    if clause_of("metadata", operator):
        not_held("metadata", operator, of_another_dtype)
    if operator.smooth is not None:
        not_held("gradient", operator, of_another_slope)
        dtypes = [dtype for dtype in slopes.DTYPES if dtype in operator.dtypes]
        for turn in (0, len(dtypes) // 2):  # others for the next operator
            dtype = dtypes[(len(operator.name) + turn) % len(dtypes)]
            not_held("gradient-by-dtype", operator, steeper_in(dtype))
    if clause_of("lengths", operator):
        not_held("lengths", operator, off_at_the_end(operator.dtypes[-1], 21))
    if clause_of("gradient-lengths", operator):
        dtype = dtypes[len(operator.name) % len(dtypes)]
        not_held("gradient-lengths", operator, steeper_at_the_end(dtype, 21))
    for alias in operator.aliases:
        not_held("forms", operator, scaled, alias)
    if operator.method:
        not_held("forms", operator, scaled, f"Tensor.{operator.name.rpartition('.')[2]}")
    if operator.out:
        not_held("forms", operator, copying)
        not_held("out", operator, copying)
    if clause_of("in-place", operator):
        not_held("in-place", operator, copying, f"Tensor.{operator.name.rpartition('.')[2]}_")
    if operator.view:
        not_held("aliasing", operator, copying)


@np.errstate(all="ignore")
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_elements_of_a_point_wise_result_are_made_of_those_at_their_place(
    operator: Operator,
) -> None:
    differentiable = operator.smooth is not None
    calls = [call for call in calls_of(operator, 60) if combinations.point_wise(operator, call)]
    for call in calls if differentiable else []:
        start = paths.start_of(operator, call, 0, "float64")
        before = start.value()
        for place, array in enumerate(start.arrays):
            if array.dtype.kind != "f" or not 1 < array.size < 500:
                continue
            moved = array.copy()
            moved.flat[-1] += 0.01
            arrays = (*start.arrays[:place], moved, *start.arrays[place + 1 :])
            after = replace(start, arrays=arrays).value()
            numbers = np.arange(array.size).reshape(array.shape)
            elsewhere = np.broadcast_to(numbers, before.shape) != array.size - 1
            np.testing.assert_array_equal(after[elsewhere], before[elsewhere])


@np.errstate(all="ignore")
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_every_second_derivative_counts(operator: Operator) -> None:
    if operator.smooth is None or operator.once:
        assert clause_of("curvature", operator) is None
        return
    not_held("curvature", operator, of_another_slope)
    not_held("curvature", operator, of_another_bend)
    lines = [derivatives.line_of(operator, call, 0) for call in calls_of(operator)]
    paths = [line.path for line in lines]
    if any(abs(path.bend()) > 0.01 * np.abs(path.weights).sum() for path in paths):
        not_held("curvature", operator, of_scaled_bend)


@np.errstate(all="ignore")
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_no_bad_input_is_forgiven(operator: Operator) -> None:
    if operator.any_input:
        assert clause_of("refusals", operator) is None
        return
    said = {
        refusal.what
        for call in calls_of(operator)
        for refusal in refusals(Setting(torch, "cpu", operator, call, operator.dtypes[0]))
    }
    assert said
    if any(not what.startswith("in place") for what in said):
        not_held("refusals", operator, forgiving)
    if any(what.startswith("in place") for what in said):
        not_held("refusals", operator, forgiving, f"Tensor.{operator.name.rpartition('.')[2]}_")


@np.errstate(all="ignore")
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_eight_units_beyond_the_bound_fail(operator: Operator) -> None:
    for call in calls_of(operator, 3):
        for dtype in set(operator.dtypes) & {"float16", "bfloat16", "float32", "float64"}:
            into = operator.result(dtype)
            built = build(operator, call, torch, "cpu", dtype)
            expected = np.asarray(
                built.expected[0] if isinstance(built.expected, tuple) else built.expected
            )
            if category(into) < Category.FLOAT or not expected.size:
                continue
            bound = operator.accuracy(into, expected, built.arrays, call.keywords)
            bound = bound or Bound(into, 0.5, "exact")
            wide = np.abs(expected).astype(np.longdouble)  # a complex number errs in its size
            allowed = bound.allowed(wide)
            beyond = wide + allowed + 8 * ulp(np.abs(wide) + allowed, into)
            finite = np.isfinite(wide) & (np.abs(beyond) < FORMATS[into].max / 2)
            assert bound.exceeded(beyond, wide)[finite].all()


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_every_operand_lies_in_many_ways(operator: Operator) -> None:
    seen: dict[int, set[str]] = {}
    for call in calls_of(operator, 120):
        for place, operand in enumerate(call.operands):
            if np.prod(operand.shape) > 1:
                lies = lying(operand.shape, getattr(operand, "layout", "contiguous"))
                seen.setdefault(place, set()).add(lies)
    if operator.name != "kron":  # PyTorch 2.13 is wrong there itself
        assert {place: lies for place, lies in seen.items() if len(lies) < 3} == {}
