"""The ways to say a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tenet.spec.operators.operator import Call, Operator, applied, find


def short(operator: Operator) -> str:
    """The name of its method."""
    return operator.name.rpartition(".")[2]


def spellings(
    torch: Any, operator: Operator, call: Call
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The ways to say a call that give a new result, besides the function: aliases, the method,
    the Python operator."""
    for alias in operator.aliases:
        yield alias, applied(operator, find(torch, alias), call)
    if operator.method:
        name, keywords = short(operator), call.keywords
        yield f"Tensor.{name}", lambda *tensors: operator.method_of(name, tensors, keywords)
    if operator.symbol is not None and not call.arguments:
        yield "operator", operator.symbol
