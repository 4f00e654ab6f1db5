"""A mutant for every law of every operator: written once, as the laws are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import torch

from tenet.harness.audit.faults import wrapped, wrong_at_the_end
from tenet.harness.audit.mutant import Mutant
from tenet.spec.language import Clause
from tenet.spec.language.checks import DOCUMENTED_ERRORS
from tenet.spec.operators import laws
from tenet.spec.operators.names import names_of
from tenet.spec.operators.operator import Operator
from tenet.spec.operators.slopes import DTYPES
from tenet.spec.sections import specification


def scaled(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """1.001 times the result; other integers, the other truth value."""
    return _wrong(right(*args, **kwargs))


def _wrong(result: Any) -> Any:
    if isinstance(result, tuple | list):
        return (_wrong(result[0]), *result[1:])
    if result.dtype == torch.bool:
        return ~result
    return result * 1.001 if result.is_floating_point() or result.is_complex() else result + 1


def off_where_odd(dtype: str) -> Callable[..., Any]:
    """Half as much again and one, for one dtype alone, and there where an operand of it has gaps or
    another order, or one element."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        odd = any(
            part.dtype == getattr(torch, dtype) and (part.numel() == 1 or not part.is_contiguous())
            for part in tensors_of(args)
        )
        result = right(*args, **kwargs)
        return _off(result) if odd else result

    return lie


def _off(result: Any) -> Any:
    if isinstance(result, tuple | list):
        return (_off(result[0]), *result[1:])
    return _wrong(result) if not result.is_floating_point() else result * 1.5 + 1


def off_at_the_end(dtype: str, length: int) -> Callable[..., Any]:
    """The last element is wrong, of operands with one length and one dtype alone."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        return wrong_at_the_end(result) if _with_length(args, dtype, length) else result

    return lie


def _with_length(args: Any, dtype: str, length: int) -> bool:
    kind = getattr(torch, dtype)
    return any(part.dtype == kind and length in part.shape for part in tensors_of(args))


def of_another_dtype(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The right values, in another dtype."""
    result = right(*args, **kwargs)
    return result.to(torch.int16 if result.dtype == torch.int32 else torch.int32)


def of_another_slope(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The right value, with a derivative that is a thousandth too large in every element."""
    extra = sum(part.sum() - part.detach().sum() for part in _floats(args))
    return _plus(right(*args, **kwargs), extra * 1e-3)


def steeper_in(dtype: str) -> Callable[..., Any]:
    """The right value, with a derivative that is half as much again and three quarters, for one
    dtype alone."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        if all(part.dtype != getattr(torch, dtype) for part in tensors_of(args)):
            return result
        return _plus(result, _steeper(result, args))

    return lie


def steeper_at_the_end(dtype: str, length: int) -> Callable[..., Any]:
    """So in the last element, of vectors of one length and one dtype alone."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        shape = (result[0] if isinstance(result, tuple) else result).shape
        if not _with_length(args, dtype, length) or shape != (length,):
            return result
        return _plus(result, _steeper(result, args) * (torch.arange(length) == length - 1))

    return lie


def _steeper(result: Any, args: Any) -> Any:
    first = result[0] if isinstance(result, tuple) else result
    extra = (first - first.detach()) / 2
    for part in [
        each for each in tensors_of(args) if each.is_floating_point() or each.is_complex()
    ]:
        if part.shape == first.shape:  # where the derivative is 0, half as much again is not
            extra = extra + 3 * (part - part.detach()) / 4
    return extra


def of_another_bend(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The right value and derivative, and 0.002 more in the second derivative."""
    extra = sum(((part - part.detach()) ** 2).sum() for part in _floats(args))
    return _plus(right(*args, **kwargs), extra * 1e-3)


def _floats(args: Any) -> list[torch.Tensor]:
    return [tensor for tensor in tensors_of(args) if tensor.is_floating_point()]


def tensors_of(args: Any) -> list[torch.Tensor]:
    """The tensors among arguments, and in those that are lists."""
    flat = [part for arg in args for part in (arg if isinstance(arg, list | tuple) else [arg])]
    return [part for part in flat if isinstance(part, torch.Tensor)]


def _plus(result: Any, extra: Any) -> Any:
    return (result[0] + extra, *result[1:]) if isinstance(result, tuple) else result + extra


def forgiving(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Something, where an error is due."""
    try:
        return right(*args, **kwargs)
    except DOCUMENTED_ERRORS:
        return args[0]


def copying(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Something else is returned than what was written; a view is a copy."""
    return right(*args, **kwargs).clone()


def sharing(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result lies in the memory of an operand, where it fits."""
    result = right(*args, **kwargs)
    first = result[0] if isinstance(result, tuple | list) else result
    for operand in tensors_of(args):
        if first.numel() <= operand.numel():
            lying = operand.detach().flatten()[: first.numel()].reshape(first.shape)
            return (lying, *result[1:]) if isinstance(result, tuple) else lying
    return result


def wrong_by_name(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Scaled, where every operand comes by its name."""
    result = right(*args, **kwargs)
    return result if args else _wrong(result)


@cache
def lawful() -> Mapping[str, Operator]:
    """The rows of the operator table that laws hold for, by the operator's name."""
    return {operator.name: operator for _, operator in _held()}


def mutants() -> Iterator[Mutant]:
    """For each law of each operator, what it has to catch."""
    for clause, operator in _held():
        for says, lie, names in _lies(clause.id.rpartition(".")[2], operator):
            first = names.partition(" ")[0]
            yield Mutant(
                name=f"{clause.id}:{says}" + (f":{first}" if first != operator.name else ""),
                says=f"{names}: {says.replace('-', ' ')}",
                sections=(clause.section,),
                fault=wrapped(names, lie),
                likely=(clause.id,),
                origin="law",
            )


def _held() -> Iterator[tuple[Clause, Operator]]:
    for clause in specification().values():
        if clause.module in laws.MODULES:
            yield clause, clause.check.keywords["operator"]  # type: ignore[attr-defined] # a partial


def _lies(law: str, operator: Operator) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """(what is wrong, the lie, the names that tell it)."""
    short = operator.name.rpartition(".")[2]
    if law == "value":
        yield "scaled", scaled, operator.name
    elif law == "everywhere":
        dtype = operator.dtypes[-1]
        yield f"off-where-odd-{dtype}", off_where_odd(dtype), operator.name
    elif law == "metadata":
        yield "another-dtype", of_another_dtype, operator.name
    elif law == "gradient":
        yield "another-slope", of_another_slope, operator.name
    elif law == "gradient-by-dtype":
        narrow = [dtype for dtype in operator.dtypes if dtype in DTYPES]
        dtype = narrow[len(operator.name) % len(narrow)]
        yield f"steeper-{dtype}", steeper_in(dtype), operator.name
    elif law == "lengths":
        dtype, length = _vector(operator.name, operator.dtypes)
        yield f"last-of-{length}-{dtype}", off_at_the_end(dtype, length), operator.name
    elif law == "gradient-lengths":
        dtype, length = _vector(operator.name, [d for d in operator.dtypes if d in DTYPES])
        yield f"steeper-last-of-{length}-{dtype}", steeper_at_the_end(dtype, length), operator.name
    elif law == "curvature":
        yield "another-bend", of_another_bend, operator.name
    elif law == "refusals":
        in_place = f" Tensor.{short}_" if operator.in_place else ""
        yield "forgiving", forgiving, operator.name + in_place
    elif law == "out":
        yield "beside", copying, operator.name
    elif law == "in-place":
        yield "beside", copying, f"Tensor.{short}_"
    elif law == "aliasing":
        yield "copied", copying, operator.name
    elif law == "forms":
        if names_of(operator):
            yield "wrong-by-name", wrong_by_name, operator.name
        for alias in operator.aliases:
            yield "scaled", scaled, alias
        if operator.method:
            yield "scaled", scaled, f"Tensor.{short}"
        if operator.out:
            yield "copied", copying, operator.name
        if not (operator.aliases or operator.method or operator.out):
            yield "shared", sharing, operator.name


def _vector(name: str, dtypes: Sequence[str]) -> tuple[str, int]:
    """One of the dtypes, and a length, by the letters of the name."""
    number = sum(map(ord, name))
    return dtypes[number % len(dtypes)], 4 + number % 27
