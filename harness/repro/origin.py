"""Where a value of a check comes from: only what owes nothing to the backend is a fair expectation.

A script holds numbers that the check has worked out. Those that it made of what the backend gave
(a count of equal samples, an address) are the faulty backend's: against them the truthful one
fails too. So each is followed through the source of the check, against the run: a name is tainted
where a stand-in was in what it was made of, in what chose it, or in what was written into it.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import numpy as np

from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.trace import Proxy

_OF_THE_PROCESS = {"ctypes", "data_ptr", "__array_interface__", "id", "hash", "getpid", "time"}
"""Names of what is another number in every process."""
_FIXED = (bool, int, float, complex, str, bytes, type(None), ModuleType, FunctionType, type,
          np.dtype, np.generic)  # fmt: skip
_JUMPS = (ast.Continue, ast.Break, ast.Return)


@dataclass(frozen=True)
class _Flow:
    """What is read goes into the targets. written: into what they hold, not only their names."""

    targets: frozenset[str]
    read: frozenset[str]
    written: bool = False


@dataclass(frozen=True)
class Origin:
    """The calls that led to a comparison, outermost first, each as a frame and a place in it."""

    places: list[tuple[FrameType, int]]
    known: dict[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, error: BaseException, last: FrameType) -> Origin:
        """The check's own frames, down to the one that made the comparison."""
        places: list[tuple[FrameType, int]] = []
        traceback: TracebackType | None = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if not str(frame.f_globals.get("__name__")).startswith("tenet.harness."):
                places.append((frame, traceback.tb_lasti))
            if frame is last:
                break
            traceback = traceback.tb_next
        return cls(places)

    def require(self, *expressions: ast.expr) -> None:
        """UntraceableError where one of them, as the last frame says it, is not the check's."""
        tainted = self.tainted(len(self.places) - 1)
        for expression in expressions:
            if bad := _names(expression) & (tainted | _OF_THE_PROCESS):
                import os
                if os.environ.get("G2"): print(ast.unparse(expression), bad)
                raise UntraceableError("what is expected depends on what the backend gave")

    def require_way(self) -> None:
        """UntraceableError where what the backend gave decided that there is a comparison."""
        for depth, (frame, lasti) in enumerate(self.places):
            line = _position(frame.f_code, lasti)[0] or 0
            tests = frozenset[str]().union(*_tests(frame.f_code, line))
            if bad := tests & self.tainted(depth):
                import os
                if os.environ.get("G2"): print('WAY', frame.f_code.co_name, bad)
                raise UntraceableError("what the backend gave decides what is compared")

    def tainted(self, depth: int) -> frozenset[str]:
        """The names that owe something to the backend, in one of the frames."""
        if depth not in self.known:
            self.known[depth] = self._tainted(depth)
        return self.known[depth]

    def _tainted(self, depth: int) -> frozenset[str]:
        frame = self.places[depth][0]
        held = frame.f_locals
        found = {name for name, value in held.items() if _holds_stand_in(value)}
        found |= self._given(depth)
        outer = frame.f_code.co_qualname.rpartition(".<locals>.")[0]
        for above in range(depth):
            if self.places[above][0].f_code.co_qualname == outer:
                found |= self.tainted(above) & set(frame.f_code.co_freevars)
        grown = True
        while grown:
            before = len(found)
            for flow in _flows(frame.f_code):
                if flow.read & found or flow.read & _OF_THE_PROCESS:
                    found |= {
                        name
                        for name in flow.targets
                        if not flow.written or not isinstance(held.get(name), _FIXED)
                    }
            grown = len(found) > before
        return frozenset(found)

    def _given(self, depth: int) -> set[str]:
        """The parameters for which the caller handed in what is tainted there."""
        code = self.places[depth][0].f_code
        count = code.co_argcount + code.co_kwonlyargcount
        names = list(code.co_varnames[: count + 2])
        if depth == 0:
            return set()  # what was drawn, and the stand-ins
        tainted = self.tainted(depth - 1) | _OF_THE_PROCESS
        try:
            call = call_at(*self.places[depth - 1])
        except UntraceableError:
            return set(names)
        method = isinstance(call.func, ast.Attribute) and names[:1] == ["self"]
        given = [call.func.value] if isinstance(call.func, ast.Attribute) and method else []
        given += call.args
        if any(isinstance(one, ast.Starred) for one in given) or len(given) > code.co_argcount:
            return set(names) if _names(call) & tainted else set()
        found = {n for n, one in zip(names, given, strict=False) if _names(one) & tainted}
        for keyword in call.keywords:
            if _names(keyword.value) & tainted:
                found |= {keyword.arg} if keyword.arg else set(names)
        return found


def call_at(frame: FrameType, lasti: int) -> ast.Call:
    """The call that a frame was making. UntraceableError where there is no source of it."""
    first, last, start, end = _position(frame.f_code, lasti)
    if first is None or last is None:
        raise UntraceableError("the check has no source")
    lines = [linecache.getline(frame.f_code.co_filename, n) for n in range(first, last + 1)]
    encoded = [line.encode() for line in lines]
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    try:
        parsed = ast.parse(b"".join(encoded).decode().strip(), mode="eval").body
    except SyntaxError as error:
        raise UntraceableError("the comparison's source cannot be read") from error
    if not isinstance(parsed, ast.Call):
        raise UntraceableError("the comparison is not written as a call")
    return parsed


def _position(code: CodeType, lasti: int) -> tuple[int | None, int | None, int | None, int | None]:
    return list(code.co_positions())[lasti // 2]


def _holds_stand_in(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_holds_stand_in, value))
    return isinstance(value, Proxy) or (
        isinstance(value, dict) and any(map(_holds_stand_in, value.values()))
    )


def _names(tree: ast.AST) -> frozenset[str]:
    """The names in an expression, and those attributes that matter by themselves."""
    return frozenset(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        or (isinstance(node, ast.Attribute) and node.attr in _OF_THE_PROCESS)
    )


@cache
def _source(code: CodeType) -> ast.AST:
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError) as error:
        raise UntraceableError("the check has no source that stands alone") from error
    return ast.increment_lineno(tree, first - 1)


@cache
def _tests(code: CodeType, line: int) -> list[frozenset[str]]:
    """The names in the tests that decided that a line was reached."""
    found = []
    for node in ast.walk(_source(code)):
        if isinstance(node, ast.If | ast.While):
            last = node.end_lineno or node.lineno
            around = node.body[0].lineno <= line <= last
            jumps = any(isinstance(inner, _JUMPS) for inner in ast.walk(node))
            if around or (jumps and last < line):
                found.append(_names(node.test))
    return found


@cache
def _flows(code: CodeType) -> list[_Flow]:
    """Every way in which a name of the function gets what it holds."""
    return list(_flows_of(_source(code), frozenset()))


def _flows_of(node: ast.AST, chosen: frozenset[str]) -> Iterator[_Flow]:
    """chosen: the names in the tests around the node."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            chosen |= _names(test)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _into(target, _names(value) | chosen)
            if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
                # Another name for a part of the same: what is written into it is written there.
                yield _Flow(_roots(value), frozenset().union(*map(_names, targets)), True)
        case (
            ast.AugAssign(target=target, value=ast.expr() as value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.NamedExpr(target=target, value=value)
        ):
            yield from _into(target, _names(value) | chosen)
        case ast.For(target=target, iter=iter) | ast.comprehension(target=target, iter=iter):
            yield from _into(target, _names(iter) | chosen)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield from _into(target, _names(value) | chosen)
        case ast.FunctionDef(name=name, body=body):
            parts = frozenset[str]().union(*map(_names, body))
            yield _Flow(frozenset({name}), parts - {a.arg for a in node.args.args})
        case ast.Expr(value=ast.Call(func=func) as call):
            # Called for what it changes: any of what it was given.
            if not getattr(func, "id", "").startswith("assert_"):
                yield _Flow(_names(call), _names(call) | chosen, True)
        case _:
            pass
    for inner in ast.iter_child_nodes(node):
        yield from _flows_of(inner, chosen)


def _into(target: ast.expr, read: frozenset[str]) -> Iterator[_Flow]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _into(part, read)
    elif isinstance(target, ast.Name):
        yield _Flow(frozenset({target.id}), read)
    else:
        yield _Flow(_roots(target), read | _names(target), True)


def _roots(target: ast.expr) -> frozenset[str]:
    """The names whose contents an assignment to this changes."""
    while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        target = target.value
    return _names(target)
