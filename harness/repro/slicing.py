"""The specification's own code, cut down to what one check needs: one flat file, no imports of it.

Modules of the specification hold nothing but imports, functions, classes and constants, so what a
function needs can be read off its names: those, and what they need in turn.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import getsource
from types import ModuleType

from tenet.harness.repro.literals import UntraceableError

_OURS = "tenet.spec."
_REGISTERS = {"clause", "for_all", "encodable"}
"""Decorators that enter something into a register of the specification; a script has none."""

_NOTHING = '''

class Nothing:
    """Stands for Hypothesis: the example is there, and nothing is drawn."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

'''

Scope = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Key:
    """A name at the top of a module; an empty module: what is imported from elsewhere."""

    module: str
    name: str


class HiddenError(UntraceableError):
    """What needs the definition has a variable of the same name."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key.name} of {key.module} is a variable elsewhere")
        self.key = key


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


class Slice:
    """What has been asked for so far, with all that it needs, in an order in which it runs.

    apart: names that are not to be used as they are.
    """

    def __init__(self, apart: Collection[Key] = ()) -> None:
        self._apart = set(apart)
        self._names: dict[Key, str] = {}
        self._taken = {"torch", "sys", "warnings", "compiled", "Nothing"}
        self._parts: dict[Key, str] = {}
        self._imports = set[tuple[str, str]]()

    def need(self, module: str, name: str = "", *, apart: bool = False) -> str:
        """Ask for a name of a module, or with none for a module that is not the specification's;
        what it is called in the file. apart: not by its own name, which those who say the module's
        with it may use for what they make of it."""
        key = _home(module, name) if module.startswith(_OURS) else Key("", f"{module}:{name}")
        if key not in self._names:
            self._names[key] = self._free(key, apart or key in self._apart)
            if key.module:
                nodes = source_of_module(key.module).defined[key.name]
                text = "\n".join(self._written(key.module, node) for node in nodes)
                self._parts[key] = text
            else:
                self._import(key)
        return self._names[key]

    def imports(self, more: Iterable[str]) -> str:
        """The lines that import what is needed, and more modules."""
        whole = sorted({line for module, line in self._imports if not module}.union(more))
        parts = {module: list[str]() for module, _ in sorted(self._imports) if module}
        for module, line in sorted(self._imports):
            if module:
                parts[module].append(line)
        return "\n".join(
            [f"import {line}" for line in whole]
            + [f"from {module} import {', '.join(lines)}" for module, lines in parts.items()]
        )

    def definitions(self) -> str:
        """The functions, classes and constants, each below what it needs."""
        return re.sub("\n{4,}", "\n\n\n", "\n".join(self._parts.values())).strip("\n")

    def _free(self, key: Key, apart: bool) -> str:
        """A name that nothing else has: its own, or with that of its module."""
        where, _, what = (key.name if not key.module else f"{key.module}:{key.name}").partition(":")
        name = what or {"numpy": "np"}.get(where, where)
        while name in self._taken or apart:
            name, apart = f"{name}_of_{where.rpartition('.')[2]}", False
        self._taken.add(name)
        return name

    def _import(self, key: Key) -> None:
        module, _, attribute = key.name.partition(":")
        plainly = attribute or module
        said = self._names[key]
        if module.partition(".")[0] == "hypothesis":
            self._parts[key] = f"{_NOTHING}\n\n{said} = Nothing()"
            return
        line = plainly if said == plainly else f"{plainly} as {said}"
        self._imports.add((module if attribute else "", line))

    def expression(self, module: str, node: ast.expr) -> str:
        """An expression of a module with the file's names in it."""
        return self._text(module, node, [], node.col_offset)

    def _written(self, module: str, node: ast.stmt) -> str:
        """A definition with the file's names in it; what it needs has been asked for then."""
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            return self._text(module, node, [])
        if isinstance(node, ast.FunctionDef) and _draws(node):
            return f"{self.need(module, node.name)} = {self.need('hypothesis', 'strategies')}"
        kept = [d for d in node.decorator_list if _called(d) not in _REGISTERS]
        return f"\n\n{self._text(module, node, kept)}\n\n"

    def _text(
        self, module: str, node: ast.stmt | ast.expr, decorators: list[ast.expr], start: int = 0
    ) -> str:
        """The lines of it and of its decorators. start: the column in which it begins."""
        source = source_of_module(module)
        lines: dict[int, bytes] = {}
        for part in (*decorators, node):
            for n in range(part.lineno, (part.end_lineno or part.lineno) + 1):
                lines[n] = source.lines[n - 1].encode()
        if start:
            lines[node.end_lineno or 0] = lines[node.end_lineno or 0][: node.end_col_offset]
        for name in sorted(_Names(source, node, decorators).found, key=_Name.place, reverse=True):
            said = self._said(module, source, name)
            if said in name.hidden:
                raise HiddenError(next(key for key, taken in self._names.items() if taken == said))
            raw = lines[name.line]
            lines[name.line] = raw[: name.start] + said.encode() + raw[name.end :]
        lines[node.lineno] = lines[node.lineno][start:]
        return "\n".join(lines[n].decode() for n in sorted(lines))

    def _said(self, module: str, source: Source, name: _Name) -> str:
        if not name.attribute:
            return self.need(module, name.written)
        # An attribute of one of the specification's modules, which a flat file has not.
        owner, attribute = name.written.split(".")
        where, what = source.imported[owner]
        return self.need(f"{where}.{what}", attribute, apart=True)


@dataclass(frozen=True)
class _Name:
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


def _home(module: str, name: str) -> Key:
    """Where a name comes from, however often it is handed on. UntraceableError if nobody says."""
    while True:
        source = source_of_module(module)
        if name in source.defined:
            return Key(module, name)
        if name not in source.imported:
            raise UntraceableError(f"{module} does not say what {name} is")
        where, what = source.imported[name]
        if not where.startswith(_OURS):
            return Key("", f"{where}:{what}" if what else f"{where}:")
        if is_module(where, what):
            raise UntraceableError(f"{module} hands the module {what} on")
        module, name = where, what


def is_module(where: str, what: str) -> bool:
    """Whether a name that is imported from a module of ours is a module itself."""
    return isinstance(getattr(import_module(where), what, None), ModuleType)


def _draws(node: ast.FunctionDef) -> bool:
    """Whether a function makes a strategy, which a script, that has its example, does not need."""
    return node.returns is not None and "SearchStrategy" in ast.unparse(node.returns)


def _called(decorator: ast.expr) -> str:
    inner = decorator.func if isinstance(decorator, ast.Call) else decorator
    return inner.id if isinstance(inner, ast.Name) else ""


class _Names:
    """The names of its module that a definition reads when it runs; not those of annotations."""

    def __init__(self, source: Source, node: ast.AST, decorators: list[ast.expr]) -> None:
        self.source = source
        self.found: list[_Name] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._renamed(node)
        self._visit(node, (), decorators)

    def _renamed(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        """The name that a definition gives, which may have to be another."""
        line = self.source.lines[node.lineno - 1]
        start = len(line.partition(node.name)[0].encode())
        self.found.append(_Name(node.name, node.lineno, start, start + len(node.name)))

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
            self.found.append(_Name(node.id, node.lineno, node.col_offset, _end(node), hidden))

    def _of_ours(self, node: ast.Attribute, scope: Scope) -> bool:
        owner = node.value
        if not isinstance(owner, ast.Name) or any(owner.id in names for names in scope):
            return False
        where, what = self.source.imported.get(owner.id, ("", ""))
        if not where.startswith(_OURS) or not is_module(where, what):
            return False
        if owner.lineno != (node.end_lineno or 0):
            raise UntraceableError("an attribute of a module stands on a line of its own")
        written = f"{owner.id}.{node.attr}"
        hidden = frozenset().union(*scope)
        found = _Name(written, owner.lineno, owner.col_offset, _end(node), hidden, attribute=True)
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
