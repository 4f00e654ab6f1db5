"""Records as files: JSON lines, each `{"kind": ..., "content": ...}`, that are only ever added to.

A header, items of one kind, and a footer, without which the record was cut short. What follows
the last line break was being written when its writer died, and is not read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

from tenet.harness.errors import UsageError

Item = TypeVar("Item")
Content = dict[str, Any]


def file_name(name: str) -> str:
    """The name in characters that every file system takes."""
    return "".join(c if c.isalnum() or c in "+-._" else "-" for c in name)


def begin(path: Path) -> TextIO:
    """A new file at the path; one that stood there is kept beside it as `.previous.jsonl`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and barely_begun(path):
        path.unlink()
    elif path.exists():
        os.replace(path, path.with_suffix(".previous.jsonl"))
    return path.open("x", encoding="utf-8")


def barely_begun(path: Path) -> bool:
    """Whether its writer was killed before it had written the header: there is nothing to lose."""
    with path.open("rb") as file:
        first = file.readline()
    start = line("header", "").partition("}")[0].encode()
    return not first.endswith(b"\n") and (start.startswith(first) or first.startswith(start))


def unwritable(folder: str | Path, error: OSError) -> UsageError:
    """The error for a folder in which no record can be begun."""
    return UsageError(
        f"results cannot be written to {folder}: {error}; choose another folder with --results"
    )


def line(kind: str, content: str) -> str:
    """One line of a record. content: as JSON."""
    return f'{{"kind": "{kind}", "content": {content}}}\n'


def read_lines(
    path: Path, what: str, kind: str, build: Callable[[Content], Item], marks: str
) -> tuple[Content, list[Item], Content | None]:
    """(header, items, footer) of a record; footer None where it was cut short.

    what: the record in words. kind: of the items, which `build` makes of their content. marks: a
    field that the header of such a record has. UsageError, naming the line, for anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a record: {error}") from error
    header: Content | None = None
    footer: Content | None = None
    items: list[Item] = []
    for number, text in enumerate(lines, 1):
        try:
            entry = json.loads(text)
            found, content = entry["kind"], entry["content"]
            if (found == "header") != (header is None) or footer is not None:
                raise ValueError(f"a {found} does not belong here")
            if found == "header" and marks in content:
                header = dict(content)
            elif found == kind:
                items.append(build(content))
            elif found == "footer":
                footer = dict(content)
            else:
                raise ValueError(f"a {found} of another kind of record")
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path} is no {what}, or a corrupted one (line {number}: {error}); "
                "move it away, or choose another folder with --results"
            ) from error
    if header is None:
        raise UsageError(
            f"{path} has no header; move it away, or choose another folder with --results"
        )
    return header, items, footer
