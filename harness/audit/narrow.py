"""Narrow faults: each operator wrong in one dtype alone, for one kind of operand alone.

So backends err: the loop for bfloat16 takes the stride of the wrong dimension, the last elements
of a row that no vector register holds are skipped, a matrix that is expanded is read as if it was
not. The operators of the table take turns in the dtypes, so that every kind meets every dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from hypothesis.strategies import fixed_dictionaries

from tenet.harness.audit.faults import Condition, both, known, of, shifted, spread, strided, wrapped
from tenet.harness.audit.faults import transposed as crossed
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.operators import lawful, tensors_of
from tenet.harness.generation import draws
from tenet.spec.operators.operator import Operator

_LOOKED_AT = 10
"""Calls of an operator, to see what operands it takes."""


def _several(x: Any, *rest: Any, **k: Any) -> bool:
    return bool(x.numel() > 1)


LAYOUTS: dict[str, Condition] = {
    "strided": both(strided, _several),
    "expanded": both(spread, _several),
    "transposed": crossed,
    "shifted": both(shifted, _several),
}
"""How an operand lies that every operator takes."""

SIZES: dict[str, Condition] = {
    "tail": lambda x, *rest, **k: x.dim() > 0 and x.shape[-1] > 16 and x.shape[-1] % 16 == 1,
    "without-dimensions": lambda x, *rest, **k: x.dim() == 0,
    "of-one-element": lambda x, *rest, **k: x.dim() > 1 and x.numel() == 1,
    "of-rank-4": lambda x, *rest, **k: x.dim() == 4 and x.numel() > 1,
    "of-many": lambda x, *rest, **k: x.numel() > 1024,
}
"""How large an operand is that operators take which ask for no particular lengths."""

_OF_ANY_SIZE = ("elementwise", "reduction")
"""Sections whose operators take operands of any size."""
_LONE = ("without-dimensions", "of-one-element")
_SINGULAR = frozenset({"expanded"})
_NOT_ASKED: dict[str, Iterable[str]] = {
    "nn.functional.glu": SIZES,  # it halves a dimension
    "trace": SIZES,  # of a matrix
    "diff": _LONE,  # nothing is left
    "trapezoid": _LONE,  # nothing lies between
    "cumulative_trapezoid": _LONE,
    "kthvalue": _LONE,  # there is no second
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), _LONE),  # none by n - 1
    # Along a dimension, of vectors, and of matrices.
    "nn.functional.normalize": ("without-dimensions",),
    "nn.functional.cosine_similarity": ("without-dimensions",),
    "nn.functional.pairwise_distance": ("without-dimensions",),
    "cdist": ("without-dimensions", "of-rank-4"),
    "count_nonzero": ("without-dimensions",),  # PyTorch raises where a dimension is named
    "median": _SINGULAR,  # equal elements: which one is named is left open
    "nanmedian": _SINGULAR,
    "linalg.inv": _SINGULAR,
    "linalg.det": _SINGULAR,
    "linalg.slogdet": _SINGULAR,
    "linalg.solve": _SINGULAR,
    "linalg.cholesky": _SINGULAR,
    "kron": LAYOUTS,  # PyTorch 2.13 is wrong there itself
}
"""Kinds of operands that an operator does not take, or of which its result is not documented."""


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
        return spoiled(result) if wrong and kwargs.get("out") is None else result

    return lie


def kinds(operator: Operator) -> dict[str, Condition]:
    """The kinds of operands that an operator takes, and what tells them."""
    kinds = LAYOUTS | SIZES if operator.section in _OF_ANY_SIZE else dict(LAYOUTS)
    strategy = fixed_dictionaries({"call": operator.calls})
    calls = [drawn["call"] for drawn, _ in islice(draws(strategy, 0), _LOOKED_AT)]
    of_vectors = all(len(call.operands[0].shape) < 2 for call in calls)
    left_out = {*_NOT_ASKED.get(operator.name, ()), *(["transposed"] if of_vectors else [])}
    return {kind: condition for kind, condition in kinds.items() if kind not in left_out}


def spoiled(result: Any) -> Any:
    """The last element is half as much again and one; another integer, the other truth value."""
    if isinstance(result, tuple | list):
        rest = (spoiled(result[0]), *result[1:])
        return type(result)(rest)
    if not result.numel():
        return result
    last = torch.zeros(result.numel(), dtype=torch.bool)
    last[-1] = True
    last = last.view(result.shape)
    if result.dtype == torch.bool:
        return result ^ last
    if result.is_floating_point() or result.is_complex():
        other = torch.where(result.isfinite(), result * 1.5 + 1.25, torch.zeros_like(result))
    else:
        other = result + 1
    return torch.where(last, other, result)
