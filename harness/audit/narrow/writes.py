"""Writing: `out=`, or the method that ends in an underscore, is wrong in one dtype
alone, for one kind of target alone.

A kernel that writes into a tensor that is there already has loops of its own, or goes by way of a
copy that has: what a new result never meets, as that has no gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from tenet.harness.audit.faults import Condition, both, known, of, wrapped, wrong_at_the_end
from tenet.harness.audit.mutant import Fault, Mutant
from tenet.harness.audit.narrow.common import calls_of, kinds
from tenet.harness.audit.operators import lawful, tensors_of
from tenet.spec.operators.operator import Call, Operator, arrays_of, expected_of
from tenet.spec.operators.results import metadata_of
from tenet.spec.operators.writing import writes_itself

_OVERLAPPING = "expanded"
"""The kind of tensor that nothing can be written to."""


def mutants() -> Iterator[Mutant]:
    """For each operator that writes and each kind of target, one that is wrong in a dtype."""
    for place, operator in enumerate(lawful().values()):
        for turn, (kind, condition) in enumerate(_of_targets(operator).items()):
            dtype = operator.dtypes[(place + turn) % len(operator.dtypes)]
            if operator.out and not operator.out_layout:
                there = known(both(of(operator.result(dtype)), condition))
                fault = wrapped(operator.name, _into_out(there))
                yield _mutant(operator, "out", kind, operator.result(dtype), fault)
            if writes_itself(operator, dtype):
                there = known(both(of(dtype), condition))
                name = f"Tensor.{operator.name.rpartition('.')[2]}_"
                yield _mutant(operator, "in-place", kind, dtype, wrapped(name, _into_itself(there)))


def _of_targets(operator: Operator) -> dict[str, Condition]:
    """The kinds of targets that the results of an operator fit."""
    ranks = {len(_shape(operator, call)) for call in calls_of(operator)}
    left_out = {_OVERLAPPING}
    if ranks <= {0, 1}:
        left_out |= {"transposed"}
    if ranks == {0}:
        left_out |= {"strided", "shifted"}
    if operator.section == "reduction":
        left_out |= {"of-many"}  # what is left of a reduction is seldom so much
    return {kind: there for kind, there in kinds(operator).items() if kind not in left_out}


@np.errstate(all="ignore")
def _shape(operator: Operator, call: Call) -> tuple[int, ...]:
    dtype = operator.dtypes[0]
    expected = expected_of(operator, call, arrays_of(operator, call, dtype), dtype)
    return metadata_of(operator, dtype, expected)[0][0]


def _mutant(operator: Operator, law: str, kind: str, dtype: str, fault: Fault) -> Mutant:
    spelling = "out=" if law == "out" else "the method that ends in an underscore"
    return Mutant(
        name=f"narrow-write.{operator.name}:{law}-{kind}-{dtype}",
        says=f"{operator.name}: {spelling} writes a wrong last element, to {dtype} targets "
        f"{kind} alone",
        sections=(operator.section, "inplace"),
        fault=fault,
        likely=(f"{operator.section}.{operator.name.replace('.', '-')}.{law}",),
        origin="narrow",
    )


def _into_out(fits: Callable[..., bool]) -> Callable[..., Any]:
    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        wrong = [target for target in tensors_of([kwargs.get("out")]) if fits(target)]
        result = right(*args, **kwargs)
        for target in wrong[:1]:
            target.copy_(wrong_at_the_end(target.clone()))
        return result

    return lie


def _into_itself(fits: Callable[..., bool]) -> Callable[..., Any]:
    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        wrong = bool(args) and fits(args[0])
        result = right(*args, **kwargs)
        if wrong:
            with torch.no_grad():
                result.copy_(wrong_at_the_end(result.detach().clone()))
        return result

    return lie
