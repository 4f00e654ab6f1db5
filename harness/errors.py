"""Errors that end a run before it judges anything."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(Exception):
    """What was asked for cannot be done; the message names the value and the repair. Exit 2."""


class HarnessError(Exception):
    """The harness or its surroundings are broken; the message says what and the repair. Exit 3."""


def unknown(kind: str, value: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist, with the nearest that do."""
    names = list(known)
    near = get_close_matches(value, names, n=3, cutoff=0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
    return UsageError(f"unknown {kind} {value!r}; {hint}")
