"""Clauses: documented behaviours, each written once as an executable check."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

from tenet.spec.language.capability import unknown_capability
from tenet.spec.language.statement import statements

Check = TypeVar("Check", bound=Callable[..., None])

Shows = Callable[..., Collection[Hashable]]

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
    thorough: takes long whatever the budget; the quickest suite leaves it out.
    staged: what it judges runs in the backend's mode, so a backend that compiles is asked it too.
    strategies: what is drawn, by parameter name; a clause without any is exhaustive.
    shows: what an example shows, by what is drawn; those that show nothing new are passed over.
    check: called as check(torch, device, **drawn); raises where the behaviour does not hold.
    """

    id: str
    says: str
    covers: tuple[str, ...]
    requires: frozenset[str]
    metadata_only: bool
    effort: float
    thorough: bool
    staged: bool
    strategies: Mapping[str, SearchStrategy[Any]]
    check: Callable[..., None]
    module: str
    line: int
    shows: Shows | None = None

    @property
    def section(self) -> str:
        """The topic that the clause belongs to."""
        return self.id.partition(".")[0]

    def source(self) -> str:
        """The clause as it is written."""
        return inspect.getsource(unwrapped(self.check))


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
    thorough: bool = False,
    staged: bool = False,
    shows: Shows | None = None,
) -> Callable[[Check], Check]:
    """Register a check as the clause `id`.

    covers: ids of statements; at least one. requires: names of capabilities. effort: multiple
    of the suite's examples. thorough: the quickest suite leaves it out. staged: its programs go
    through `staged()`. shows: what an example shows, by what is drawn: of so many that are drawn,
    those that show nothing new are passed over. The docstring of the check is the text of the
    clause. Raises ClauseError
    for an id that is taken or not of the form `section.slug`, for an unknown statement or
    capability, a missing docstring, and parameters that nothing draws.
    """

    def decorate(check: Check) -> Check:
        # A section is a module, or a package of modules.
        package, section = f".{check.__module__}".split(".")[-2:]
        if id.partition(".")[0] not in (package, section):
            raise ClauseError(f"clause {id!r}: the id must be {section}.<slug>, after its module")
        register(
            id,
            check,
            says=inspect.cleandoc(check.__doc__ or ""),
            covers=covers,
            requires=requires,
            metadata_only=metadata_only,
            effort=effort,
            thorough=thorough,
            staged=staged,
            shows=shows,
            drawn=getattr(check, _STRATEGIES, {}),
        )
        return check

    return decorate


def register(
    id: str,
    check: Callable[..., None],
    *,
    says: str,
    covers: Collection[str],
    drawn: Mapping[str, SearchStrategy[Any]],
    requires: Collection[str] = (),
    metadata_only: bool = False,
    effort: float = 1.0,
    thorough: bool = False,
    staged: bool = False,
    shows: Shows | None = None,
) -> None:
    """Register a clause that is made rather than written, such as a law for one operator.

    As `clause`, but that the text and the strategies are handed in.
    """
    written = unwrapped(check)
    problem = _problem(id, check, says, covers, requires, effort, drawn)
    if problem:
        raise ClauseError(f"clause {id!r}: {problem}")
    registry[id] = Clause(
        id=id,
        says=says,
        covers=tuple(covers),
        requires=frozenset(requires) | (frozenset() if metadata_only else {"values"}),
        metadata_only=metadata_only,
        effort=effort,
        thorough=thorough,
        staged=staged,
        strategies=MappingProxyType(dict(drawn)),
        check=check,
        module=written.__module__,
        line=written.__code__.co_firstlineno,
        shows=shows,
    )


def unwrapped(check: Callable[..., None]) -> Any:
    """The function that is written in a module, without what was bound to it."""
    while isinstance(check, partial):
        check = check.func
    return check


@cache
def _parameters(check: Callable[..., None]) -> tuple[str, ...]:
    """The names of what a written function takes: a law is asked for once, not for every row."""
    return tuple(inspect.signature(check).parameters)


def _problem(
    id: str,
    check: Callable[..., None],
    says: str,
    covers: Collection[str],
    requires: Collection[str],
    effort: float,
    drawn: Mapping[str, object],
) -> str | None:
    if not id.partition(".")[2]:
        return "the id must be <section>.<slug>"
    taken_by = registry.get(id)
    if taken_by and unwrapped(taken_by.check).__qualname__ != unwrapped(check).__qualname__:
        return f"{taken_by.module} line {taken_by.line} has this id already"
    if not says.strip():
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
    bound = check.keywords if isinstance(check, partial) else {}
    taken = [name for name in _parameters(unwrapped(check)) if name not in bound]
    if taken[:2] != expected[:2] or set(taken) != set(expected):
        return f"the check takes {taken} but is called with {expected}"
    return None
