"""Whether what a check expects owes anything to the backend: the check once more, lied to.

A script holds numbers that the check has worked out. Those that it made of what the backend gave
(a count of equal samples) or of the process (an address) are no fair expectation: against them
the truthful backend fails too. So the check runs a second time, in which every value that it
reads of the backend is another and every comparison is let pass; what a script is to hold has to
come out the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields, is_dataclass
from inspect import signature
from types import FrameType
from typing import Any
from unittest.mock import patch

import numpy as np

from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.trace import Proxy, Trace, reading_noted
from tenet.spec.language import checks

_ASSERTIONS = [name for name in vars(checks) if name.startswith("assert_")]
_ABOUT = ("dim", "size", "numel", "stride", "storage_offset", "element_size", "nelement",
          "ndimension")  # fmt: skip
"""Calls for the form of a tensor; a check that is lied to about that comes nowhere."""


@contextmanager
def counting(trace: Trace) -> Iterator[None]:
    """While the block runs, the trace counts the comparisons, and notes how far it was at each."""
    tally = vars(checks)["tally"]

    def counted() -> Any:
        trace.comparisons += 1
        trace.reached = len(trace.statements)
        return tally()

    with patch.object(checks, "tally", counted):
        yield


def told_apart(trace: Trace, caller: FrameType, lasti: int, run: Callable[[Trace], object]) -> None:
    """UntraceableError where what the script is to hold (`trace.fixed`) is not the same again.

    caller, lasti: where the comparison is made; run: runs the check with a trace.
    """
    twin = Trace(alter=_Alteration())
    seen: list[dict[str, str]] = []

    def at(frame: FrameType, given: dict[str, Any]) -> None:
        twin.comparisons += 1
        if twin.comparisons < trace.comparisons:
            return
        if (frame.f_code, frame.f_lasti) == (caller.f_code, lasti):
            seen.append({name: digest(_found(name, frame, given)) for name in trace.fixed})
        raise _EnoughError

    # What is lied to may fail in any way.
    with passing_all(at), reading_noted(twin), suppress(Exception, UntraceableError, _EnoughError):
        run(twin)
    if not seen:
        raise UntraceableError("what the backend gives decides what is compared")
    if seen[0] != trace.fixed:
        raise UntraceableError("what is expected depends on what the backend gave")


class _EnoughError(BaseException):
    """The comparison that matters has been reached."""


@contextmanager
def passing_all(at: Callable[[FrameType, dict[str, Any]], None]) -> Iterator[None]:
    """While the block runs, comparisons tell `at` their caller and arguments, and hold."""
    with ExitStack() as stack:
        for name in _ASSERTIONS:
            original = getattr(checks, name)
            instead = _passing(original, at)
            for module in list(sys.modules.values()):
                known = getattr(module, "__name__", "").startswith("tenet.spec.")
                if known and vars(module).get(name) is original:
                    stack.enter_context(patch.object(module, name, instead))
        yield


def _passing(original: Any, at: Callable[[FrameType, dict[str, Any]], None]) -> Any:
    parameters = signature(original)
    raises = original.__name__ == "assert_raises"

    def passes(*args: Any, **kwargs: Any) -> None:
        given = parameters.bind(*args, **kwargs)
        given.apply_defaults()
        at(sys._getframe(1), given.arguments)
        if raises:
            try:
                args[0](*args[1:], **kwargs)
            except Exception:
                return

    return passes


def _found(name: str, frame: FrameType, given: dict[str, Any]) -> Any:
    """What a name of `Trace.fixed` stands for: `=expected` is an argument of the comparison."""
    if name.startswith("="):
        return given.get(name[1:])
    first, *path = name.split(".")
    value = {**frame.f_globals, **frame.f_locals}.get(first)
    for part in path:
        value = getattr(value, part, None)
    return value


def digest(value: Any) -> str:
    """Text that differs where values do."""
    if isinstance(value, Proxy):
        return "the backend's"
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype}{value.shape}{np.asarray(value).tobytes().hex()}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}({','.join(map(digest, value))})"
    if is_dataclass(value) and not isinstance(value, type):
        parts = (f"{part.name}={digest(getattr(value, part.name))}" for part in fields(value))
        return f"{type(value).__name__}({','.join(parts)})"
    return getattr(value, "__qualname__", None) or repr(value)


class _Alteration:
    """Makes another value of each that is read; of the same kind, so that the check goes on."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)

    def __call__(self, value: Any, source: str) -> Any:
        name = source.rpartition(".")[2]
        if name in _ABOUT or name.startswith("is_"):
            return value
        return self.of(value)

    def of(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._array(value)
        if type(value) is list:
            return [self.of(item) for item in value]
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + int(self.random.integers(1, 4))
        if isinstance(value, float | complex):
            return value * 1.25 + self.random.random() + 1
        return value

    def _array(self, value: np.ndarray) -> np.ndarray:
        if value.dtype.kind == "b":
            return ~value
        if value.dtype.kind in "iu":
            return np.asarray(value + self.random.integers(1, 4, value.shape).astype(value.dtype))
        if value.dtype.kind in "fcV":
            noise = np.asarray(self.random.random(value.shape) + 1).astype(value.dtype)
            with np.errstate(all="ignore"):
                return np.asarray(value + noise).astype(value.dtype)
        return value
