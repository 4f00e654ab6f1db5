"""Values and pickles that call what a file of weights must not be able to call."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

EXECUTED: list[str] = []
"""What loading a file has made run."""


def record(what: str = "code") -> str:
    """Stands for any function that a file must not be able to call."""
    EXECUTED.append(what)
    return what


class Plain:
    """A class that nobody has declared safe. Its state is set when it is loaded."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def __setstate__(self, state: dict[str, Any]) -> None:
        record("state")
        self.__dict__.update(state)


class Call:
    """Is loaded by calling a function."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.called = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.called


_HERE = __name__.encode()
_CODE = f"__import__({__name__!r}, fromlist=['record']).record()"
UNSAFE: dict[str, Callable[[], Any]] = {
    "a call of a function": lambda: Call(record, "call"),
    "eval": lambda: Call(eval, _CODE),
    "exec": lambda: Call(exec, _CODE),
    "os.system": lambda: Call(os.system, "exit 0"),
    "getattr": lambda: Call(getattr, Plain(), "value"),
    "an import": lambda: Call(__import__, "os"),
    "an object": lambda: Plain(3),
    "a class": lambda: Plain,
    "a function": lambda: record,
    "in a list": lambda: [1, [Call(record)]],
    "in a dict": lambda: {"weight": 1.0, "more": Call(record)},
    "a key": lambda: {Call(record): 1},
    "in an ordered dict": lambda: OrderedDict(a=1, b=(2, Call(record))),
    "a path": lambda: Path("x"),
    "a fraction": lambda: Fraction(1, 2),
    "a span of time": lambda: {"weight": 1.0, "took": timedelta(1)},
    "an array": lambda: np.ones(2),
}
RAW: dict[str, bytes] = {
    # The same in each of pickle's ways to call or build.
    "REDUCE": b"c" + _HERE + b"\nrecord\n(S'x'\ntR.",
    "INST": b"(S'x'\ni" + _HERE + b"\nrecord\n.",
    "OBJ": b"(c" + _HERE + b"\nrecord\nS'x'\no.",
    "STACK_GLOBAL": b"\x80\x04\x8c" + bytes([len(_HERE)]) + _HERE + b"\x8c\x06record\x93)R.",
    "NEWOBJ and BUILD": b"\x80\x02c" + _HERE + b"\nPlain\n)\x81}(X\x05\x00\x00\x00valueK\x03sb.",
    "REDUCE after a dict": b"(dp0\nS'a'\nc" + _HERE + b"\nrecord\n)Rs.",
    "discarded": b"c" + _HERE + b"\nrecord\n)R0N.",
}
