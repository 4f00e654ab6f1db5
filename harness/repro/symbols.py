"""The operators of stand-ins: Python looks for those on the class, not on the object."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tenet.harness.repro.trace import Proxy, Trace, parts_of, real, root, silent

_SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
            "pow": "**", "matmul": "@", "and": "&", "or": "|", "xor": "^", "lshift": "<<",
            "rshift": ">>"}  # fmt: skip
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def stand_in(namespace: Any, trace: Trace) -> Any:
    """What a check is given in place of the namespace, so that its calls are written down."""
    return Proxy(namespace, "torch", trace)


def _binary(symbol: str, function: Callable[[Any, Any], Any], turned: bool) -> Any:
    def apply(self: Proxy, other: Any) -> Any:
        trace = parts_of(self)[2]
        uses: set[str] = set()
        left, right = (other, self) if turned else (self, other)
        said = f"{trace.say(left, uses)} {symbol} {trace.say(right, uses)}"
        result, name = trace.note(said, uses, lambda: function(real(left), real(right)), pure=True)
        trace.look_back(result, (left, right))
        return trace.wrap(result, name)

    return apply


def _in_place(name: str, function: Callable[[Any, Any], Any]) -> Any:
    def apply(self: Proxy, other: Any) -> Any:
        value, _, trace = parts_of(self)
        uses: set[str] = set()
        said = f"operator.{name}({trace.say(self, uses)}, {trace.say(other, uses)})"
        result, noted = trace.note(said, uses, lambda: function(value, real(other)), pure=False)
        return self if result is value else trace.wrap(result, noted)

    return apply


def _unary(symbol: str, function: Callable[[Any], Any]) -> Any:
    def apply(self: Proxy) -> Any:
        value, source, trace = parts_of(self)
        result, name = trace.note(
            f"{symbol}{source}", {root(source)}, lambda: function(value), pure=True
        )
        trace.look_back(result, (self,))
        return trace.wrap(result, name)

    return apply


def _conversion(name: str, function: Callable[[Any], Any]) -> Any:
    def apply(self: Proxy) -> Any:
        value, source, trace = parts_of(self)
        if silent():
            return function(value)
        result, noted = trace.note(
            f"{name}({source})", {root(source)}, lambda: function(value), pure=True
        )
        if trace.alter is not None and name in ("bool", "int", "float", "complex"):
            result = trace.alter(result, name)
        return trace.wrap(result, noted)

    return apply


def _entered(proxy: Proxy) -> Any:
    value, source, trace = parts_of(proxy)
    result, name = trace.note(
        f"{source}.__enter__()", {root(source)}, lambda: value.__enter__(), pure=False
    )
    return trace.wrap(result, name)


def _left(proxy: Proxy, *error: Any) -> Any:
    value, source, trace = parts_of(proxy)
    done = value.__exit__(*error)
    trace.add(f"{source}.__exit__(None, None, None)", None, {root(source)}, False)
    return done


for _name, _symbol in _SYMBOLS.items():
    _function = getattr(operator, f"__{_name}__")
    setattr(Proxy, f"__{_name}__", _binary(_symbol, _function, turned=False))
    setattr(Proxy, f"__r{_name}__", _binary(_symbol, _function, turned=True))
    setattr(Proxy, f"__i{_name}__", _in_place(f"i{_name}", getattr(operator, f"__i{_name}__")))
for _name, _symbol in _COMPARISONS.items():
    setattr(Proxy, f"__{_name}__", _binary(_symbol, getattr(operator, _name), turned=False))
for _name, _symbol in {"neg": "-", "pos": "+", "invert": "~"}.items():
    setattr(Proxy, f"__{_name}__", _unary(_symbol, getattr(operator, _name)))
Proxy.__abs__ = _conversion("abs", abs)  # type: ignore[attr-defined]
for _convert in (bool, int, float, complex, len):
    setattr(Proxy, f"__{_convert.__name__}__", _conversion(_convert.__name__, _convert))
Proxy.__index__ = _conversion("operator.index", operator.index)  # type: ignore[attr-defined]
Proxy.__enter__ = _entered  # type: ignore[attr-defined]
Proxy.__exit__ = _left  # type: ignore[attr-defined]
