"""Each operator wrong in one dtype alone, for one kind of operand alone.

So backends err: the loop for bfloat16 takes the stride of the wrong dimension, the last elements
of a row that no vector register holds are skipped, a matrix that is expanded is read as if it was
not. The operators of the table take turns in the dtypes, so that every kind meets every dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tenet.harness.audit.faults import Condition, both, known, of, wrapped, wrong_at_the_end
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.narrow.common import kinds
from tenet.harness.audit.operators import lawful, tensors_of


def mutants() -> Iterator[Mutant]:
    """For each operator and each kind of operand, one that is wrong in one of the dtypes."""
    for place, operator in enumerate(lawful().values()):
        dtypes = operator.dtypes
        for turn, (kind, condition) in enumerate(kinds(operator).items()):
            dtype = dtypes[(place + turn) % len(dtypes)]
            short = operator.name.rpartition(".")[2]
            yield Mutant(
                name=f"narrow.{operator.name}:{kind}-{dtype}",
                says=f"{operator.name}: the last element is wrong, {kind} and {dtype} alone",
                sections=(operator.section,),
                fault=wrapped(
                    " ".join((operator.name, *([f"Tensor.{short}"] if operator.method else []))),
                    _last_off(both(of(dtype), condition)),
                ),
                likely=(f"{operator.section}.{operator.name.replace('.', '-')}.everywhere",),
                origin="narrow",
            )


def _last_off(when: Condition) -> Callable[..., Any]:
    """The last element is wrong there."""
    fits = known(when)

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        wrong = any(map(fits, tensors_of(args)))
        result = right(*args, **kwargs)
        return wrong_at_the_end(result) if wrong and kwargs.get("out") is None else result

    return lie
