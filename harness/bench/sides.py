"""The sides of a comparison: worker processes that time blocks of work when they are told to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any

from tenet.harness.bench import worker
from tenet.harness.errors import HarnessError, UsageError
from tenet.spec import language

_BOOT = """
import importlib.util, sys, types
tenet = sys.modules["tenet"] = types.ModuleType("tenet")
tenet.__path__ = []
for portion, folder in (("spec", {spec!r}), ("harness", {harness!r})):
    found = importlib.util.spec_from_file_location(
        "tenet." + portion, folder + "/__init__.py", submodule_search_locations=[folder])
    module = sys.modules[found.name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    setattr(tenet, portion, module)
from tenet.harness.bench.worker import serve
serve()
"""
"""Both sides run this process's own Tenet, whatever is installed beside the other torch."""


_SAME = {
    "PYTHONHASHSEED": "0",
    # glibc moves these with what a process happened to free before: an operation whose result is
    # a few MB then takes up to twice as long for one process, and for the next it does not.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
}


class Void(Exception):
    """A side gave a wrong result, or raised: the comparison says nothing."""


@dataclass(frozen=True)
class Side:
    """One of two environments to compare.

    python: the interpreter; backend: the device there.
    """

    python: str = sys.executable
    backend: str = "cpu"

    def start(self, threads: int = 1) -> Process:
        """A fresh process of it. HarnessError where it does not answer."""
        return Process(self, threads)


class Process:
    """A worker process of a side, for use in a `with` block.

    `facts` tells what it is: torch, python, device.
    """

    def __init__(self, side: Side, threads: int) -> None:
        self.side = side
        folders = [str(Path(m.__file__ or "").parents[1]) for m in (language, worker)]
        code = _BOOT.format(spec=folders[0], harness=folders[1])
        environment = {**os.environ, **_SAME, "OMP_NUM_THREADS": str(threads)}
        # Not a pipe: nobody reads it while the process lives, and a full pipe would stop it.
        self._errors = TemporaryFile("w+", errors="replace")  # noqa: SIM115 - `end` closes
        try:
            self._process = subprocess.Popen(
                [side.python, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                env=environment,
            )
        except OSError as error:
            raise UsageError(f"{side.python} cannot be started: {error}") from error
        try:
            self.facts = self.ask("hello", threads=threads, device=side.backend)
        except BaseException:
            self.end()
            raise

    def ask(self, act: str, **arguments: Any) -> dict[str, Any]:
        """Have it do something, and give its answer. Void where it could not, HarnessError where it
        died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"act": act, **arguments}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (BrokenPipeError, OSError):
            answer = ""
        if not answer:
            raise HarnessError(self._obituary())
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise Void(found["error"])
        return found

    def _obituary(self) -> str:
        self._process.kill()
        self._process.communicate()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["without a word"])[-1]
        hint = ""
        if "ModuleNotFoundError" in last:
            hint = f"; `{self.side.python} -m pip install torch numpy ml-dtypes hypothesis`"
        return f"a process of {self.side.python} died ({last}){hint}"

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()


def side_of(text: str, here: Side) -> Side:
    """The other side: an interpreter, given as a path or as a command, or a backend of this one.

    UsageError for what is neither.
    """
    path = shutil.which(text)
    if path is not None and Path(text).name.startswith(("python", "pypy")):
        return Side(python=path, backend=here.backend)
    from tenet.harness.backend import resolve

    if os.sep in text:
        raise UsageError(
            f"{text!r} is no interpreter that can be run; give the path of a python, such as "
            ".venv/bin/python, or the name of a backend"
        )
    [backend] = resolve([text])
    return Side(backend=backend.name)
