"""Modules of the specification as source: what their names are assigned by, and which they read.

They hold nothing but imports, functions, classes and constants, so what a definition needs can be
read off its names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import getsource
from types import ModuleType

from tenet.harness.repro.literals import UntraceableError

OURS = "tenet.spec."
"""Begins the names of the specification's modules."""

Scope = tuple[frozenset[str], ...]


@dataclass
class Source:
    """A module, read: its lines, what its names are assigned by, and where it imports others."""

    lines: list[str]
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.defined or name in self.imported


@cache
def source_of_module(name: str) -> Source:
    """The module of that name, read. UntraceableError where its source is not at hand."""
    try:
        text = getsource(import_module(name))
    except (OSError, TypeError) as error:
        raise UntraceableError(f"{name} has no source") from error
    source = Source(text.splitlines())
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                source.imported[alias.asname or alias.name] = alias.name, ""
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                source.imported[alias.asname or alias.name] = node.module, alias.name
        else:
            for bound in _bound_by(node):
                source.defined.setdefault(bound, []).append(node)
    return source


def _bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    bound = []
    for target in targets:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            inner = part.value if isinstance(part, ast.Subscript) else part  # what gets an entry
            if isinstance(inner, ast.Name):
                bound.append(inner.id)
    return bound


@dataclass(frozen=True)
class Name:
    """A name that is read, where it stands. hidden: names that mean something else there;
    attribute: it is one of a module of ours, and stands with that."""

    written: str
    line: int
    start: int
    end: int
    hidden: frozenset[str] = frozenset()
    attribute: bool = False

    def place(self) -> tuple[int, int]:
        """Where it stands."""
        return self.line, self.start


def is_module(where: str, what: str) -> bool:
    """Whether a name that is imported from a module of ours is a module itself."""
    return isinstance(getattr(import_module(where), what, None), ModuleType)


class Names:
    """The names of its module that a definition reads when it runs; not those of annotations."""

    def __init__(self, source: Source, node: ast.AST, decorators: list[ast.expr]) -> None:
        self.source = source
        self.found: list[Name] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._renamed(node)
        self._visit(node, (), decorators)

    def _renamed(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        """The name that a definition gives, which may have to be another."""
        line = self.source.lines[node.lineno - 1]
        start = len(line.partition(node.name)[0].encode())
        self.found.append(Name(node.name, node.lineno, start, start + len(node.name)))

    def _visit(self, node: ast.AST, scope: Scope, decorators: list[ast.expr] | None = None) -> None:
        if isinstance(node, ast.Attribute) and self._of_ours(node, scope):
            return
        if isinstance(node, ast.Name):
            self._note(node, scope)
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            for outside in _evaluated_outside(node, decorators):
                self._visit(outside, scope)
            inner = (*scope, _locals(node))
            for child in node.body if isinstance(node.body, list) else [node.body]:
                self._visit(child, inner)
        elif isinstance(node, ast.ClassDef):
            kept = node.decorator_list if decorators is None else decorators
            for outside in [*kept, *node.bases, *(word.value for word in node.keywords)]:
                self._visit(outside, scope)
            own = frozenset(bound for inside in node.body for bound in _bound_by(inside))
            for inside in node.body:  # methods do not see the names of their class
                method = isinstance(inside, ast.FunctionDef)
                self._visit(inside, scope if method else (*scope, own))
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            bound = {
                part.id
                for each in node.generators
                for part in ast.walk(each.target)
                if isinstance(part, ast.Name)
            }
            for part in ast.iter_child_nodes(node):
                self._visit(part, (*scope, frozenset(bound)))
        elif isinstance(node, ast.AnnAssign):
            for side in (node.target, node.value):
                if side is not None:
                    self._visit(side, scope)
        else:
            for part in ast.iter_child_nodes(node):
                self._visit(part, scope)

    def _note(self, node: ast.Name, scope: Scope) -> None:
        if node.id in self.source and not any(node.id in names for names in scope):
            hidden = frozenset().union(*scope)
            self.found.append(Name(node.id, node.lineno, node.col_offset, _end(node), hidden))

    def _of_ours(self, node: ast.Attribute, scope: Scope) -> bool:
        owner = node.value
        if not isinstance(owner, ast.Name) or any(owner.id in names for names in scope):
            return False
        where, what = self.source.imported.get(owner.id, ("", ""))
        if not where.startswith(OURS) or not is_module(where, what):
            return False
        if owner.lineno != (node.end_lineno or 0):
            raise UntraceableError("an attribute of a module stands on a line of its own")
        written = f"{owner.id}.{node.attr}"
        hidden = frozenset().union(*scope)
        found = Name(written, owner.lineno, owner.col_offset, _end(node), hidden, attribute=True)
        self.found.append(found)
        return True


def _end(node: ast.expr) -> int:
    assert node.end_col_offset is not None
    return node.end_col_offset


def _evaluated_outside(
    node: ast.FunctionDef | ast.Lambda, decorators: list[ast.expr] | None
) -> Iterator[ast.AST]:
    """What a function evaluates where it is defined: decorators and defaults."""
    if isinstance(node, ast.FunctionDef):
        yield from node.decorator_list if decorators is None else decorators
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)


def _locals(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    """The names that a function binds: parameters, and what is assigned in it."""
    args = node.args
    names = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    names |= {a.arg for a in (args.vararg, args.kwarg) if a is not None}
    inside = node.body if isinstance(node.body, list) else []
    todo: list[ast.AST] = list(inside)
    while todo:
        part = todo.pop()
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
            continue
        if isinstance(part, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp):
            continue
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        if isinstance(part, ast.ExceptHandler) and part.name:
            names.add(part.name)
        todo.extend(ast.iter_child_nodes(part))
    return frozenset(names)
