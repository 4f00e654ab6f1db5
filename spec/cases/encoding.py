"""Examples as JSON: what a record stores of a failure, and what a replay reads back.

JSON's own types stand for themselves; everything else is an object with one `$`-key.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

Described = TypeVar("Described", bound=type)

_described: dict[str, type] = {}


def encodable(kind: Described) -> Described:
    """Let a frozen dataclass of plain data appear in examples."""
    _described[kind.__name__] = kind
    return kind


def encode(value: Any) -> Any:
    """The value as JSON data. TypeError, naming the type, for what no example may hold."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else {"$float": repr(value)}
    if isinstance(value, complex):
        return {"$complex": [encode(value.real), encode(value.imag)]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"$dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, slice):
        return {"$slice": [encode(part) for part in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"$ellipsis": True}
    if type(value).__name__ in _described:
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {f"${type(value).__name__}": fields}
    raise TypeError(f"an example cannot hold a {type(value).__name__}: {value!r}")


def decode(data: Any) -> Any:
    """The value that `encode` was given. ValueError for data that it cannot have written."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise ValueError(f"no encoded value has {len(data)} keys: {sorted(data)}")
    [(tag, content)] = data.items()
    if tag == "$float":
        return float(content)
    if tag == "$complex":
        return complex(*map(decode, content))
    if tag == "$tuple":
        return tuple(map(decode, content))
    if tag == "$dict":
        return {decode(key): decode(item) for key, item in content}
    if tag == "$slice":
        return slice(*map(decode, content))
    if tag == "$ellipsis":
        return ...
    if tag[1:] in _described:
        return _described[tag[1:]](**{name: decode(item) for name, item in content.items()})
    raise ValueError(f"unknown tag {tag!r} in an encoded example")
