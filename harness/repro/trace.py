"""Writing down the calls that a check makes into a backend.

The check runs as always, but the namespace it is given is a stand-in, and so is every tensor
that comes out of it: each hands the call on to the real thing and notes it as a statement.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import GeneratorType, ModuleType
from typing import Any

import numpy as np

from tenet.harness.repro.literals import UntraceableError, container, literal, placed
from tenet.spec.language import read

_SILENT = ("tenet.spec.language.reading", "tenet.spec.language.checks")
"""What reads a result does not belong to the behaviour."""

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.ndarray, np.generic)
_NAMED = ("dtype", "layout", "memory_format", "qscheme")
"""Types of the namespace whose values are called by name."""


_PASSING = (GeneratorType, ItemsView, KeysView, ValuesView)
"""What is there to be gone through, and has no places."""

_MOST = 40_000
"""Statements. Nobody waits for more to be written down."""


@dataclass
class Statement:
    """One line of the script.

    target: the name that it assigns; uses: the names that it reads; error: what it raised;
    within: the `assert_raises` that it was made in; pure: changes nothing that it reads.
    """

    text: str
    target: str | None
    uses: frozenset[str]
    pure: bool
    error: BaseException | None = None
    within: object = None


@dataclass
class Trace:
    """The statements so far.

    values: what the names hold; stand_ins: for what came back, by its identity; plain: which name
    holds a plain value, by its identity; named: the same for dtypes and their kin, which a torch-
    like library may print otherwise than it names them; arrays: the same for arrays that were
    handed in, with their bytes; doubtful: arrays that may have been made of what was read;
    mistakable: names of what a call was given and gave back; fixed: what the comparison holds that
    the check has worked out, as text (see twin.py); comparisons: how many were made; reached: how
    many statements there were when the last began; alter: makes other values of those that are
    read.
    """

    statements: list[Statement] = field(default_factory=list)
    plain: dict[int, str] = field(default_factory=dict)
    alive: list[object] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    stand_ins: dict[int, Proxy] = field(default_factory=dict)
    arrays: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    mistakable: set[str] = field(default_factory=set)
    has_read: bool = False
    count: int = 0
    fixed: dict[str, str] = field(default_factory=dict)
    comparisons: int = 0
    reached: int = 0
    alter: Callable[[Any, str], Any] | None = None

    def name(self, letter: str) -> str:
        """A name that is not taken."""
        self.count += 1
        return f"{letter}{self.count}"

    def say(self, value: Any, uses: set[str]) -> str:
        """A value as source; adds the names it needs to `uses`."""
        if isinstance(value, Proxy):
            source = _source(value)
            uses.add(root(source))
            return source
        if isinstance(value, np.ndarray) and value.ndim:
            return self._array(value, uses)
        if isinstance(value, tuple | list | dict):
            return container(value, lambda item: self.say(item, uses))
        if isinstance(value, slice):
            parts = (value.start, value.stop, value.step)
            return f"slice({', '.join(self.say(part, uses) for part in parts)})"
        kind = type(value).__name__
        if kind in _NAMED:
            return self.named.get(id(value)) or str(value)
        if kind == "device":
            return f"torch.device({str(value)!r})"
        return literal(value)

    def _array(self, value: np.ndarray, uses: set[str]) -> str:
        """The name of an array: it may share memory with a tensor, so each stands there once."""
        if id(value) in self.plain:
            uses.add(root(self.plain[id(value)]))
            return self.plain[id(value)]
        content = value.tobytes()
        known = self.arrays.get(id(value))
        if known is not None and known[1] == content:
            uses.add(known[0])
            return known[0]
        if known is not None:
            raise UntraceableError("an array that was handed in has changed since")
        if value.dtype.name == "bfloat16":
            raise UntraceableError("an array of bfloat16 goes into the backend")
        self.alive.append(value)
        name = self.name("a")
        self.arrays[id(value)] = name, content
        if self.has_read:
            self.doubtful.add(name)
        self.add(f"{name} = {placed(value)}", name, set(), True)
        uses.add(name)
        return name

    def note(
        self, expression: str, uses: set[str], call: Callable[[], Any], *, pure: bool
    ) -> tuple[Any, str]:
        """Make a call and note it; what it gave, and the name that holds that."""
        within = guard()
        if len(self.statements) > _MOST:
            raise UntraceableError("it takes too many calls")
        try:
            result = call()
        except Exception as error:
            self.add(expression, None, uses, pure, error, within)
            raise
        if isinstance(result, _PASSING):  # such as parameters(): the script has all at once
            result, expression = list(result), f"list({expression})"
        if result is None:  # it was called for what it changes
            self.add(expression, None, uses, False, None, within)
            return None, "None"
        name = self.name("v" if isinstance(result, _PLAIN) else "t")
        self.add(f"{name} = {expression}", name, uses, pure, None, within)
        self.values[name] = result
        return result, name

    def add(self, text: str, target: str | None, uses: set[str], *rest: Any) -> None:
        """Note a statement: text, target, uses, pure, and what more there is to it."""
        self.statements.append(Statement(text, target, frozenset(uses - {"torch"}), *rest))

    def look_back(self, result: Any, operands: Iterable[Any]) -> None:
        """Note where a call gives back what it was given: there the check may mean either."""
        parts = result if isinstance(result, tuple | list) else (result,)
        for operand in operands:
            if isinstance(operand, tuple | list):
                self.look_back(result, operand)
            elif isinstance(operand, Proxy) and any(real(operand) is part for part in parts):
                self.mistakable.add(root(_source(operand)))

    def wrap(self, value: Any, name: str) -> Any:
        """A result as the check gets it: plain data as it is, anything else as a stand-in."""
        if _is_plain(value):
            if value is None:
                return None
            self.plain[id(value)] = name
            self.alive.append(value)
            return value
        if type(value) in (tuple, list):
            parts = [self.wrap(part, f"{name}[{i}]") for i, part in enumerate(value)]
            made = type(value)(parts)
            self.plain[id(made)] = name
            self.alive.append(made)
            return made
        if isinstance(value, Iterator):
            raise UntraceableError("an iterator came back")
        # One thing has one stand-in: checks ask whether two results are the same object.
        return self.stand_ins.setdefault(id(value), Proxy(value, name, self))


def _is_plain(value: Any) -> bool:
    if isinstance(value, _PLAIN) or type(value).__name__ in (*_NAMED, "device"):
        return True
    return isinstance(value, tuple | list | dict) and all(
        map(_is_plain, value.values() if isinstance(value, dict) else value)
    )


def root(source: str) -> str:
    return source.partition("[")[0].partition(".")[0]


def _source(proxy: Proxy) -> str:
    return str(object.__getattribute__(proxy, "_tenet_source"))


def real(value: Any) -> Any:
    """The real thing behind stand-ins, in containers too."""
    if isinstance(value, Proxy):
        return object.__getattribute__(value, "_tenet_real")
    if type(value) in (tuple, list):
        return type(value)(map(real, value))
    if type(value) is dict:
        return {key: real(item) for key, item in value.items()}
    if type(value) is slice:
        return slice(real(value.start), real(value.stop), real(value.step))
    return value


def source_of(value: Any) -> str | None:
    """The source of a stand-in; None for anything else."""
    return _source(value) if isinstance(value, Proxy) else None


def silent() -> bool:
    """Whether the code that uses a stand-in is not the check's own."""
    frame = sys._getframe(2)
    return frame.f_globals.get("__name__") in _SILENT and frame.f_code.co_name != "assert_raises"


def guard() -> object:
    """The frame of the `assert_raises` that is running, if one is."""
    frame = sys._getframe(2)
    for _ in range(12):
        if frame.f_code.co_name == "assert_raises":
            return frame
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


_CHANGES = ("backward", "step", "zero_grad", "load_state_dict", "manual_seed", "seed", "apply",
            "set_default_dtype", "register", "train", "eval", "add_param_group")  # fmt: skip


def _is_pure(source: str, keywords: dict[str, Any]) -> bool:
    name = source.rpartition(".")[2]
    changes = name.endswith("_") and not name.endswith("__")
    return not (changes or "out" in keywords or name.startswith(_CHANGES) or "enter" in name)


@contextmanager
def reading_noted(trace: Trace) -> Iterator[None]:
    """While the block runs, what a check reads of a stand-in is noted as well."""

    def noted(tensor: Any) -> np.ndarray:
        if not isinstance(tensor, Proxy):
            return read(tensor)
        source = _source(tensor)
        array, name = trace.note(
            f"read({source})", {root(source)}, lambda: read(real(tensor)), pure=True
        )
        if trace.alter is not None:
            array = trace.alter(array, source)
            trace.alive.append(array)
        trace.plain[id(array)] = name
        trace.has_read = True
        return array  # type: ignore[no-any-return]

    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("tenet.spec.")
        and name not in _SILENT
        and getattr(module, "read", None) is read
    ]
    for module in modules:
        vars(module)["read"] = noted
    try:
        yield
    finally:
        for module in modules:
            vars(module)["read"] = read


class Proxy:
    """Stands for a namespace, a function, a tensor or another object of the backend."""

    __array_ufunc__ = None  # an operator between a NumPy array and a tensor is the tensor's

    def __init__(self, value: Any, source: str, trace: Trace, owner: Proxy | None = None) -> None:
        object.__setattr__(self, "_tenet_real", value)
        object.__setattr__(self, "_tenet_source", source)
        object.__setattr__(self, "_tenet_trace", trace)
        object.__setattr__(self, "_tenet_owner", owner)

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__array_ufunc__"):
            return object.__getattribute__(self, name)
        value, source, trace = parts_of(self)
        found = getattr(value, name)
        if silent():
            return found
        path = f"{source}.{name}"
        of_namespace = isinstance(value, ModuleType | type) or isinstance(found, type)
        if of_namespace or (callable(found) and not _is_object(found)):
            if type(found).__name__ in _NAMED:
                trace.named[id(found)] = path
            return found if _is_plain(found) else Proxy(found, path, trace, self)
        if _is_plain(found):
            trace.plain[id(found)] = path
            trace.alive.append(found)
            return found
        result, noted = trace.note(path, {root(source)}, lambda: found, pure=True)
        return trace.wrap(result, noted)

    def __setattr__(self, name: str, new: Any) -> None:
        value, source, trace = parts_of(self)
        uses = {root(source)}
        said = trace.say(new, uses)
        setattr(value, name, real(new))
        trace.add(f"{source}.{name} = {said}", None, uses, False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value, source, trace = parts_of(self)
        if silent():
            return value(*real(args), **real(kwargs))
        uses = {root(source)}
        said = [trace.say(arg, uses) for arg in args]
        said += [f"{key}={trace.say(arg, uses)}" for key, arg in kwargs.items()]
        pure = _is_pure(source, kwargs) and not isinstance(value, type) and "." in source
        result, name = trace.note(
            f"{source}({', '.join(said)})",
            uses,
            lambda: value(*real(args), **real(kwargs)),
            pure=pure,
        )
        owner = object.__getattribute__(self, "_tenet_owner")
        if not _is_pure(source, kwargs):
            # An operation in place gives its operand back, which has to be the same object.
            for operand in (owner, *args, *kwargs.values()):
                if isinstance(operand, Proxy) and real(operand) is result:
                    return operand
        if trace.alter is not None and _is_plain(result):
            result = trace.alter(result, source)
        trace.look_back(result, (owner, *args, *kwargs.values()))
        return trace.wrap(result, name)

    def __setitem__(self, index: Any, new: Any) -> None:
        value, source, trace = parts_of(self)
        uses = {root(source)}
        text = f"{source}[{trace.say(index, uses)}] = {trace.say(new, uses)}"
        within = guard()
        try:
            value[real(index)] = real(new)
        except Exception as error:
            trace.add(text, None, uses, False, error, within)
            raise
        trace.add(text, None, uses, False, None, within)

    def __getitem__(self, index: Any) -> Any:
        value, source, trace = parts_of(self)
        uses = {root(source)}
        said = f"{source}[{trace.say(index, uses)}]"
        result, name = trace.note(said, uses, lambda: value[real(index)], pure=True)
        return trace.wrap(result, name)

    def __iter__(self) -> Iterator[Any]:
        value, source, trace = parts_of(self)
        if not hasattr(value, "__getitem__") or not hasattr(value, "__len__"):
            raise UntraceableError("the check iterates over what is no sequence")
        said = f"list({source})" if isinstance(value, Mapping) else source
        for number, part in enumerate(list(value)):
            give = partial(_itself, part)
            result, name = trace.note(f"{said}[{number}]", {root(source)}, give, pure=True)
            yield trace.wrap(result, name)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return real(self).__array__(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(real(self))

    def __repr__(self) -> str:
        return repr(real(self))

    def __str__(self) -> str:
        return str(real(self))

    def __format__(self, how: str) -> str:
        return format(real(self), how)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(real(instance), real(self))

    def __mro_entries__(self, bases: Any) -> Any:
        raise UntraceableError("the check derives a class from one of the backend's")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise UntraceableError("the check copies or pickles what the backend made")

    def __copy__(self) -> Any:
        raise UntraceableError("the check copies what the backend made")

    def __deepcopy__(self, memo: Any) -> Any:
        raise UntraceableError("the check copies what the backend made")


def _itself(value: Any) -> Any:
    return value


def parts_of(proxy: Proxy) -> tuple[Any, str, Trace]:
    """The real thing behind a stand-in, its source, and the trace that it notes into."""
    get = object.__getattribute__
    return get(proxy, "_tenet_real"), get(proxy, "_tenet_source"), get(proxy, "_tenet_trace")


def _is_object(value: Any) -> bool:
    """Whether a callable attribute is an object of its own: a module's child, say."""
    return hasattr(value, "parameters") or hasattr(value, "dtype")
