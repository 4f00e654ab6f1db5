"""The ways to say a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tenet.spec.operators.names import names_of
from tenet.spec.operators.operator import Call, Operator, applied, find


def short(operator: Operator) -> str:
    """The name of its method."""
    return operator.name.rpartition(".")[2]


def spellings(
    torch: Any, operator: Operator, call: Call
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The ways to say a call that give a new result, besides the function with its operands in
    order: aliases, the method, the Python operator, the function with its operands by name."""
    for alias in operator.aliases:
        yield alias, applied(operator, find(torch, alias), call)
    if operator.method:
        name, keywords = short(operator), call.keywords
        yield f"Tensor.{name}", lambda *tensors: operator.method_of(name, tensors, keywords)
    if operator.symbol is not None and not call.arguments:
        yield "operator", operator.symbol
    if names := names_of(operator):
        yield "by name", _by_name(operator, find(torch, operator.name), call, names)


def _by_name(
    operator: Operator, function: Callable[..., Any], call: Call, names: tuple[str, ...]
) -> Callable[..., Any]:
    """The function with every operand by its name, the last one first."""
    keywords = call.keywords

    def program(*tensors: Any) -> Any:
        operands = [list(tensors)] if operator.listed else tensors
        named = dict(zip(names, operands, strict=False))
        return function(**dict(reversed(named.items())), **keywords)

    return program
