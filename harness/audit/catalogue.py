"""All mutants: the deep ones, the miniatures, and those of the operator table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from types import ModuleType

from tenet.harness.audit import deep, miniatures, narrow, operators
from tenet.harness.audit.faults import wrapped
from tenet.harness.audit.miniature import Miniature
from tenet.harness.audit.mutant import Mutant
from tenet.harness.errors import matching


@cache
def mutants() -> dict[str, Mutant]:
    """Every mutant by its name: the deep ones, the miniatures, those of the operators.

    ValueError for a name that two have.
    """
    found: dict[str, Mutant] = {}
    made = (_deep, _miniatures, operators.mutants, narrow.mutants)
    for mutant in chain.from_iterable(make() for make in made):
        if mutant.name in found:
            raise ValueError(f"two mutants are called {mutant.name!r}")
        found[mutant.name] = mutant
    return found


def chosen(patterns: tuple[str, ...]) -> list[Mutant]:
    """The mutants whose names match a glob, all without one; UsageError where nothing does."""
    known = mutants()
    names = matching("mutant", patterns, known) if patterns else set(known)
    return [mutant for name, mutant in known.items() if name in names]


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{module.name}")


def _deep() -> Iterator[Mutant]:
    for module in _modules(deep):
        yield from module.MUTANTS


def _miniatures() -> Iterator[Mutant]:
    taken: dict[str, int] = {}
    for module in _modules(miniatures):
        for miniature in module.MINIATURES:
            yield _of_miniature(miniature, taken)


def _of_miniature(miniature: Miniature, taken: dict[str, int]) -> Mutant:
    """Its kill, which does not repeat on stock, is its proof."""
    section = miniature.caught_by.partition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", miniature.name.lower()).strip("-")
    name = f"{section}.{slug}"
    taken[name] = taken.get(name, 0) + 1
    return Mutant(
        name=name if taken[name] == 1 else f"{name}-{taken[name]}",
        says=miniature.name,
        sections=(section,),
        fault=wrapped(" ".join(miniature.of), miniature.lie),
        likely=(miniature.caught_by,),
        needs=miniature.needs,
        origin="miniature",
    )
