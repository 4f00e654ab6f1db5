"""Clauses: documented behaviours, each written once as an executable check."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

from tenet.spec.language.capability import unknown_capability
from tenet.spec.language.statement import statements

Check = TypeVar("Check", bound=Callable[..., None])

_STRATEGIES = "__tenet_strategies__"


@dataclass(frozen=True, slots=True)
class Clause:
    """One documented behaviour.

    id: `section.slug`, stable for ever.
    says: the behaviour in one or a few sentences (the check's docstring).
    covers: ids of the documents' statements that the clause answers to.
    requires: capabilities without which the clause is unsupported.
    metadata_only: asks for shapes, dtypes and strides only, so the meta device can hold to it.
    effort: how many examples it is worth, as a multiple of the suite's budget.
    strategies: what is drawn, by parameter name; a clause without any is exhaustive.
    check: called as check(torch, device, **drawn); raises where the behaviour does not hold.
    """

    id: str
    says: str
    covers: tuple[str, ...]
    requires: frozenset[str]
    metadata_only: bool
    effort: float
    strategies: Mapping[str, SearchStrategy[Any]]
    check: Callable[..., None]
    module: str
    line: int

    @property
    def section(self) -> str:
        """The topic that the clause belongs to."""
        return self.id.partition(".")[0]

    def source(self) -> str:
        """The clause as it is written."""
        return inspect.getsource(self.check)


class ClauseError(ValueError):
    """A clause is declared wrongly."""


registry: dict[str, Clause] = {}


def for_all(**strategies: SearchStrategy[Any]) -> Callable[[Check], Check]:
    """Draw the named parameters of a check from strategies that yield plain data."""

    def attach(check: Check) -> Check:
        setattr(check, _STRATEGIES, strategies)
        return check

    return attach


def clause(
    id: str,
    *,
    covers: Collection[str],
    requires: Collection[str] = (),
    metadata_only: bool = False,
    effort: float = 1.0,
) -> Callable[[Check], Check]:
    """Register a check as the clause `id`.

    covers: ids of statements; at least one. requires: names of capabilities. effort: multiple
    of the suite's examples. The docstring of the check is the text of the clause. Raises
    ClauseError for an id that is taken or not of the form `section.slug`, for an unknown
    statement or capability, a missing docstring, and parameters that nothing draws.
    """

    def register(check: Check) -> Check:
        drawn: Mapping[str, SearchStrategy[Any]] = getattr(check, _STRATEGIES, {})
        problem = _problem(id, check, covers, requires, effort, drawn)
        if problem:
            raise ClauseError(f"clause {id!r}: {problem}")
        needed = frozenset(requires) | (frozenset() if metadata_only else {"values"})
        registry[id] = Clause(
            id=id,
            says=inspect.cleandoc(check.__doc__ or ""),
            covers=tuple(covers),
            requires=needed,
            metadata_only=metadata_only,
            effort=effort,
            strategies=MappingProxyType(dict(drawn)),
            check=check,
            module=check.__module__,
            line=inspect.unwrap(check).__code__.co_firstlineno,
        )
        return check

    return register


def _problem(
    id: str,
    check: Callable[..., None],
    covers: Collection[str],
    requires: Collection[str],
    effort: float,
    drawn: Mapping[str, object],
) -> str | None:
    section, _, slug = id.partition(".")
    if not slug or section != check.__module__.rpartition(".")[2]:
        return f"the id must be {check.__module__.rpartition('.')[2]}.<slug>, after its module"
    if id in registry and registry[id].check.__qualname__ != check.__qualname__:
        return f"{registry[id].module} line {registry[id].line} has this id already"
    if not (check.__doc__ or "").strip():
        return "it has no docstring; state the documented behaviour there"
    if not covers:
        return "it covers no statement; name at least one id of behaviours.toml"
    for name in covers:
        if name not in statements():
            return f"there is no statement {name!r} in spec/documents/behaviours.toml"
    for name in requires:
        unknown = unknown_capability(name)
        if unknown:
            return unknown
    if not effort > 0:
        return f"effort must be positive, not {effort!r}"
    expected = ["torch", "device", *drawn]
    taken = list(inspect.signature(check).parameters)
    if taken[:2] != expected[:2] or set(taken) != set(expected):
        return f"the check takes {taken} but is called with {expected}"
    return None
