"""Ways to save a value and load it again, and files of which the contents are chosen."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from tenet.spec.language import assert_that


def saved(torch: Any, value: Any, **options: Any) -> bytes:
    """The contents of the file that a value is saved to."""
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def loaded(torch: Any, content: bytes, **options: Any) -> Any:
    """What the contents of a file load as."""
    return torch.load(io.BytesIO(content), **options)


class Sink:
    """A file-like object with no more methods than save() is documented to need."""

    def __init__(self) -> None:
        self.content = io.BytesIO()

    def write(self, data: Any) -> int:
        return self.content.write(data)

    def flush(self) -> None:
        self.content.flush()


class Source:
    """A file-like object with no more methods than load() is documented to need."""

    def __init__(self, content: bytes) -> None:
        inner = io.BytesIO(content)
        self.read, self.readline = inner.read, inner.readline
        self.tell, self.seek = inner.tell, inner.seek


@cache
def _folder() -> TemporaryDirectory[str]:
    """Where this process keeps its files; it is removed when the process ends."""
    return TemporaryDirectory(prefix="tenet-", ignore_cleanup_errors=True)


_numbers = count()


@contextmanager
def a_path() -> Iterator[str]:
    """A path at which nothing is, and nothing will be: a file that is mapped stays readable."""
    path = os.path.join(os.path.realpath(_folder().name), f"{next(_numbers)}.pt")
    try:
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)


def _by_least_files(torch: Any, value: Any, **options: Any) -> Any:
    sink = Sink()
    torch.save(value, sink)
    return torch.load(Source(sink.content.getvalue()), **options)


def _by_path(torch: Any, value: Any, **options: Any) -> Any:
    with a_path() as path:
        torch.save(value, path)
        return torch.load(path, **options)


def _by_path_object(torch: Any, value: Any, **options: Any) -> Any:
    with a_path() as path:
        torch.save(obj=value, f=Path(path))
        return torch.load(f=Path(path), **options)


def _by_open_file(torch: Any, value: Any, **options: Any) -> Any:
    with a_path() as path:
        with open(path, "wb") as file:
            torch.save(value, file)
            assert_that(not file.closed, "save() closed a file that it was given open")
        with open(path, "rb") as file:
            got = torch.load(file, **options)
            assert_that(not file.closed, "load() closed a file that it was given open")
        return got


def _in_old_format(torch: Any, value: Any, **options: Any) -> Any:
    return loaded(torch, saved(torch, value, _use_new_zipfile_serialization=False), **options)


def _by_protocol(protocol: int) -> Callable[[Any, Any], Any]:
    """Pickled by a later protocol, of which those that allow only weights know nothing."""
    return lambda torch, value: loaded(
        torch, saved(torch, value, pickle_protocol=protocol), weights_only=False
    )


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "buffer": lambda torch, value: loaded(torch, saved(torch, value)),
    "path": _by_path,
    "path object": _by_path_object,
    "open file": _by_open_file,
    "file-like objects": _by_least_files,
    "mmap": lambda torch, value: _by_path(torch, value, mmap=True),
    "old format": _in_old_format,
    "any pickle": lambda torch, value: _by_path(torch, value, weights_only=False),
    "weights only": lambda torch, value: _by_path(torch, value, weights_only=True),
    "protocol 4": _by_protocol(4),
    "protocol 5": _by_protocol(5),
}
ways = st.sampled_from([*WAYS])


def carried(torch: Any, value: Any, way: str) -> Any:
    """A value saved and loaded in the given way."""
    return WAYS[way](torch, value)


def archive_of(records: dict[str, bytes]) -> bytes:
    """A zip archive of the given records."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_pickle(file: bytes, content: bytes) -> bytes:
    """A saved file with another pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            is_pickle = item.filename.endswith("/data.pkl")
            new.writestr(item.filename, content if is_pickle else old.read(item))
    return buffer.getvalue()
