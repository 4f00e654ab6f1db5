"""Errors that end a run before it judges anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase


class UsageError(Exception):
    """What was asked for cannot be done; the message names the value and the repair. Exit 2."""


class HarnessError(Exception):
    """The harness or its surroundings are broken; the message says what and the repair. Exit 3."""


def matching(kind: str, patterns: Iterable[str], known: Collection[str]) -> set[str]:
    """The names that match any of the globs; the error of `unknown` for one that matches none."""
    chosen = set[str]()
    for pattern in patterns:
        names = {name for name in known if fnmatchcase(name, pattern)}
        if not names:
            raise unknown(kind, pattern, known)
        chosen |= names
    return chosen


def unknown(kind: str, value: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist, with the nearest that do."""
    names = list(known)
    near = get_close_matches(value, names, n=3, cutoff=0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
    return UsageError(f"unknown {kind} {value!r}; {hint}")
