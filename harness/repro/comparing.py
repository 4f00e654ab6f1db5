"""The comparison that failed, as lines of a script that leave `holds`."""

from __future__ import annotations

import ast
import linecache
from dataclasses import is_dataclass
from textwrap import indent
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from tenet.harness.repro.literals import UntraceableError, container, literal
from tenet.harness.repro.trace import Proxy, Trace, root, source_of
from tenet.harness.repro.twin import digest
from tenet.spec.language import dtype_name
from tenet.spec.model.dtypes import FORMATS

_CHECKS = "tenet.spec.language.checks"

Lines = tuple[list[str], set[str]]


def place_of(error: BaseException) -> tuple[FrameType, int] | None:
    """Where the check makes the comparison that failed: its frame, and the place in it."""
    caller, check, place = _frames(error)
    return None if check is None else (caller, place.tb_lasti)


def comparison(error: BaseException, trace: Trace) -> Lines:
    """The failing comparison, and the names that it reads. UntraceableError where it cannot be
    said without the check's own code."""
    caller, check, place = _frames(error)
    if check is None:
        return _raised(error, trace)
    # What follows undoes what the check has set, on the way out.
    handed_in = {name for name, _ in trace.arrays.values()}
    trace.statements[trace.reached :] = [
        statement
        for statement in trace.statements[trace.reached :]
        if statement.within is check or statement.target in handed_in
    ]
    given, name = check.f_locals, check.f_code.co_name
    if name == "assert_raises":
        return _not_raised(check, trace)
    if name == "assert_that":
        said, uses = _said(caller, place, 0, trace)
        return [f"holds = bool({said})"], uses
    if name == "assert_metadata":
        return _metadata(given, trace)
    if name == "assert_same_object":
        (one, first), (other, second) = (
            _written(given[what], caller, place, i, trace)
            for i, what in enumerate(("got", "expected"))
        )
        if one == other:
            raise UntraceableError("both are the same object of the script")
        return [f"holds = {one} is {other}"], first | second
    if name not in ("assert_equal", "assert_close"):
        raise UntraceableError(f"{name} cannot be said in a script")
    expected = given["expected"]
    if isinstance(expected, Proxy) or not isinstance(given["got"], Proxy):
        return _plain(given, _said(caller, place, 0, trace), trace)
    uses = set[str]()
    lines = [f"got = {trace.say(given['got'], uses)}"]
    if name == "assert_close":
        trace.fixed |= {"=expected": digest(expected), "=bound": digest(given["bound"])}
        return [*lines, *_within(given["bound"], np.asarray(expected))], uses
    if expected is None:
        return [*lines, "expected = None", "holds = got is expected"], uses
    if not isinstance(expected, np.ndarray | np.generic):
        raise UntraceableError("a tensor is compared with what is no array")
    wanted = np.asarray(expected)
    read = trace.plain.get(id(expected))  # the backend is compared with itself
    if read:
        uses.add(root(read))
    else:
        trace.fixed["=expected"] = digest(expected)
    zero = "" if given["signed_zero"] else ", signed_zero=False"
    lines += [
        f"expected = {read or literal(wanted)}",
        f"holds = same(got, expected, {str(wanted.dtype.name)!r}{zero})",
    ]
    return lines, uses


def _frames(error: BaseException) -> tuple[FrameType, FrameType | None, TracebackType]:
    """The frame of the check that made the comparison, that of the comparison, and the place."""
    traceback = error.__traceback__
    before: TracebackType | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__") == _CHECKS and frame.f_code.co_name.startswith("assert"):
            if before is None:
                break
            return before.tb_frame, frame, before
        before, traceback = traceback, traceback.tb_next
    assert before is not None
    return before.tb_frame, None, before


def _raised(error: BaseException, trace: Trace) -> Lines:
    last = next((s for s in reversed(trace.statements) if s.error is error), None)
    if last is None:
        raise UntraceableError(f"the check's own code raises {type(error).__name__}")
    del trace.statements[trace.statements.index(last) :]
    lines = ["holds = False", last.text, "holds = True"]
    return lines, set(last.uses)


def _not_raised(check: FrameType, trace: Trace) -> Lines:
    inside = [s for s in trace.statements if s.within is check]
    if not inside:
        raise UntraceableError("the call that has to raise is not the backend's")
    trace.statements[:] = [s for s in trace.statements if s.within is not check]
    lines = ["holds = False", "try:"]
    lines += [indent(statement.text, "    ") for statement in inside]
    lines += ["except (RuntimeError, IndexError, ValueError, TypeError):", "    holds = True"]
    return lines, set().union(*(statement.uses for statement in inside))


def _metadata(given: dict[str, Any], trace: Trace) -> Lines:
    uses: set[str] = set()
    facts = []
    trace.fixed |= {f"={name}": digest(given[name]) for name in ("shape", "dtype", "stride")}
    got = trace.say(given["got"], uses)
    if given["dtype"] is not None:
        facts.append(f"str({got}.dtype).rpartition('.')[2] == {given['dtype']!r}")
    for name, said in (("shape", "shape"), ("stride", "stride()")):
        if given[name] is not None:
            facts.append(f"tuple({got}.{said}) == {literal(tuple(given[name]))}")
    return [f"holds = {' and '.join(facts)}"], uses


def _plain(given: dict[str, Any], said: tuple[str, set[str]], trace: Trace) -> Lines:
    expected = given["expected"]
    if isinstance(expected, np.ndarray | np.generic):
        raise UntraceableError("what is compared with an array is no tensor")
    got, uses = said
    trace.fixed["=expected"] = digest(expected)
    if _from_backend(expected, trace):
        raise UntraceableError("what is expected depends on what the backend gave")
    lines = [f"got = {got}", f"expected = {literal(_plainly(expected))}"]
    # repr tells -0.0 from 0.0, 1 from 1.0 and True, and finds NaN equal to NaN.
    kind = isinstance(expected, bool | int | float | complex | str)
    holds = "repr(got) == repr(expected)" if kind else "got == expected"
    return [*lines, f"holds = {holds}"], uses


def _from_backend(value: Any, trace: Trace) -> bool:
    if isinstance(value, tuple | list):
        return any(_from_backend(item, trace) for item in value)
    # Small numbers are one object wherever they come from.
    return isinstance(value, int) and value > 256 and id(value) in trace.plain


def _plainly(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plainly, value))
    return [_plainly(item) for item in value] if isinstance(value, list) else value


def _within(bound: Any, expected: np.ndarray) -> list[str]:
    """The interval in which each element has to lie, rounded outwards to float64."""
    if np.iscomplexobj(expected):
        raise UntraceableError("a bound on complex numbers is no interval")
    wanted = np.asarray(expected, np.longdouble) + 0
    with np.errstate(all="ignore"):
        allowed = np.asarray(bound.allowed(wanted), np.longdouble)
        layout = FORMATS[bound.dtype]
        beyond = np.longdouble(layout.max) * (1 + np.longdouble(layout.eps) / 2)
        open_ended = np.isfinite(wanted) & (np.abs(wanted) + allowed >= beyond)
        low = np.where(np.isfinite(wanted), wanted - allowed, wanted)
        high = np.where(np.isfinite(wanted), wanted + allowed, wanted)
        low = np.where(open_ended & (wanted < 0), -np.inf, low)
        high = np.where(open_ended & (wanted > 0), np.inf, high)
        lower, upper = low.astype(np.float64), high.astype(np.float64)
        lower = np.where(lower > low, np.nextafter(lower, -np.inf), lower)
        upper = np.where(upper < high, np.nextafter(upper, np.inf), upper)
    return [
        f"# {bound.describe(expected[(0,) * expected.ndim]) if expected.size else bound.reason}",
        f"low = {literal(lower)}",
        f"high = {literal(upper)}",
        f"holds = within(got, low, high, {bound.dtype!r})",
    ]


# ------------------------------------------------------- an argument, as the check writes it


def _said(
    frame: FrameType, place: TracebackType, position: int, trace: Trace
) -> tuple[str, set[str]]:
    """An argument of the failing comparison in the check's own words, with the script's names."""
    call = _call_at(frame, place)
    if len(call.args) <= position:
        raise UntraceableError("the comparison's argument is not written at its place")
    argument = call.args[position]
    for part in getattr(argument, "elts", [argument]):
        if isinstance(part, ast.Name) and not _comes_from_backend(frame, part.id, trace):
            raise UntraceableError("the comparison is about what the check made of the results")
    uses: set[str] = set()
    said = ast.unparse(_Renaming(frame, trace, uses).visit(call.args[position]))
    if not uses:
        raise UntraceableError("the comparison is about what the check made of the results")
    return said, uses


def _written(
    value: Any, frame: FrameType, place: TracebackType, position: int, trace: Trace
) -> tuple[str, set[str]]:
    """The argument in the check's own words; the name of what it is, where those are of no use to
    a script."""
    try:
        return _said(frame, place, position, trace)
    except UntraceableError:
        source = source_of(value)
        if source is None:
            raise
        return source, {root(source)}


def _comes_from_backend(frame: FrameType, name: str, trace: Trace) -> bool:
    value = frame.f_locals.get(name)
    if isinstance(value, tuple | list) and value and all(isinstance(v, Proxy) for v in value):
        return True
    return isinstance(value, Proxy) or value is None or id(value) in trace.plain


def _call_at(frame: FrameType, place: TracebackType) -> ast.Call:
    positions = list(frame.f_code.co_positions())[place.tb_lasti // 2]
    first, last, start, end = positions
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


class _Renaming(ast.NodeTransformer):
    """Puts the script's names and literals in place of the check's variables."""

    def __init__(self, frame: FrameType, trace: Trace, uses: set[str]) -> None:
        self.frame, self.trace, self.uses = frame, trace, uses

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = {**self.frame.f_globals, **self.frame.f_locals}
        builtins = self.frame.f_builtins
        if node.id not in known:
            if node.id in builtins:
                return node
            raise UntraceableError(f"{node.id} is a name of the check's own")
        value = known[node.id]
        if node.id == "np" or value is builtins.get(node.id):
            return node
        return self._fairly(node.id, value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        base = self.frame.f_locals.get(getattr(node.value, "id", ""))
        if is_dataclass(base) and not isinstance(base, Proxy):
            return self._fairly(ast.unparse(node), getattr(base, node.attr))
        return self.generic_visit(node)  # type: ignore[return-value]

    def _fairly(self, name: str, value: Any) -> ast.expr:
        """What stands for it in the script; where that is no name there, it must be the check's."""
        said = self._of(value)
        names = {node.id for node in ast.walk(said) if isinstance(node, ast.Name)}
        if names.isdisjoint(self.uses):
            self.trace.fixed[name] = digest(value)
        return said

    def _of(self, value: Any) -> ast.expr:
        if value is dtype_name:
            return self._parsed("(lambda dtype: str(dtype).rpartition('.')[2])")
        source = source_of(value)
        if source is None and id(value) in self.trace.plain and not isinstance(value, bool | int):
            source = self.trace.plain[id(value)]
        arrays = self.trace.arrays.keys() | self.trace.plain.keys()
        if isinstance(value, np.ndarray | np.generic) and id(value) not in arrays:
            raise UntraceableError("the comparison is about what was read of the results")
        if source is None:
            return self._parsed(self._literal(value))
        self.uses.add(root(source))
        return self._parsed(source)

    def _literal(self, value: Any) -> str:
        latest = self.trace.plain.get(id(value))
        if latest is not None and isinstance(value, bool | int):
            # The same number may have come from elsewhere; the script is run to find out.
            self.uses.add(root(latest))
            return latest
        if type(value) in (tuple, list):
            if any(isinstance(item, int) and id(item) in self.trace.plain for item in value):
                # Python has one True: which result it came from cannot be told.
                raise UntraceableError("the comparison is about several results that look alike")
            return container(value, lambda item: ast.unparse(self._of(item)))
        return self.trace.say(value, self.uses)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        raise UntraceableError("the comparison's argument has variables of its own")

    visit_GeneratorExp = visit_SetComp = visit_DictComp = visit_Lambda = visit_ListComp  # type: ignore[assignment]  # noqa: N815

    @staticmethod
    def _parsed(text: str) -> ast.expr:
        return ast.parse(text, mode="eval").body
