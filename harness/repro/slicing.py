"""The specification's own code, cut down to what one check needs: one flat file, no imports of it.

What a function needs are the definitions of the names that it reads, and what those need in turn.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.sources import OURS, Name, Names, Source, is_module, source_of_module

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
        key = _home(module, name) if module.startswith(OURS) else Key("", f"{module}:{name}")
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
        found = sorted(Names(source, node, decorators).found, key=Name.place)
        for name, said in [(name, self._said(module, source, name)) for name in found][::-1]:
            if said in name.hidden:
                raise HiddenError(next(key for key, taken in self._names.items() if taken == said))
            raw = lines[name.line]
            lines[name.line] = raw[: name.start] + said.encode() + raw[name.end :]
        lines[node.lineno] = lines[node.lineno][start:]
        return "\n".join(lines[n].decode() for n in sorted(lines))

    def _said(self, module: str, source: Source, name: Name) -> str:
        if not name.attribute:
            return self.need(module, name.written)
        # An attribute of one of the specification's modules, which a flat file has not.
        owner, attribute = name.written.split(".")
        where, what = source.imported[owner]
        return self.need(f"{where}.{what}", attribute, apart=True)


def _home(module: str, name: str) -> Key:
    """Where a name comes from, however often it is handed on. UntraceableError if nobody says."""
    while True:
        source = source_of_module(module)
        if name in source.defined:
            return Key(module, name)
        if name not in source.imported:
            raise UntraceableError(f"{module} does not say what {name} is")
        where, what = source.imported[name]
        if not where.startswith(OURS):
            return Key("", f"{where}:{what}" if what else f"{where}:")
        if is_module(where, what):
            raise UntraceableError(f"{module} hands the module {what} on")
        module, name = where, what


def _draws(node: ast.FunctionDef) -> bool:
    """Whether a function makes a strategy, which a script, that has its example, does not need."""
    return node.returns is not None and "SearchStrategy" in ast.unparse(node.returns)


def _called(decorator: ast.expr) -> str:
    inner = decorator.func if isinstance(decorator, ast.Call) else decorator
    return inner.id if isinstance(inner, ast.Name) else ""
