"""The modes of torch.compile: programs that are compiled before they run."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import Any
from unittest import mock

from tenet.harness.errors import UsageError, unknown

EAGER = "eager"
"""The mode in which operations run one by one."""

DOUBLE_BACKWARD = "what torch.compile compiles is differentiated once"
"""Why a compiling mode lacks the capability `double-backward`: AOTAutograd says so itself."""

_COSTS = {"inductor": 180, "openvino": 24}
_COST = 8


def cost(compiler: str) -> int:
    """How many examples of eager mode one takes the time of, about: so many fewer are tried.

    Of compilers that generate code, a compilation takes most of a second; of others, most of a
    tenth, which is Dynamo's and AOTAutograd's.
    """
    return _COSTS.get(compiler, _COST)


def check(torch: Any, name: str, compiler: str) -> None:
    """UsageError where this PyTorch has no such backend of torch.compile."""
    there = torch.compiler.list_backends(exclude_tags=None)
    if compiler not in there:
        problem = str(unknown(f"compiler of {name}:", compiler, there))
        raise UsageError(f"{problem}; a package that brings it may have to be named by --import")


@contextmanager
def guards_untimed() -> Iterator[None]:
    """Without Dynamo's timing of its guards, which goes into its statistics and nowhere else:
    for every compilation it flushes the caches of the processor, a third of the whole time."""
    guards = import_module("torch._dynamo.guards")
    if not hasattr(guards, "profile_guard_manager"):
        yield
        return
    with mock.patch.object(guards, "profile_guard_manager", return_value=0.0):
        yield


_LINKERS = "COMPILER_PATH"
"""Where GCC and Clang look for a linker first."""


@contextmanager
def linked_quickly() -> Iterator[None]:
    """With gold as the linker, where it is installed and nobody has chosen another: for every
    kernel, GNU ld reads all symbols of PyTorch's libraries, a quarter of the time that compiling
    one takes. The code is the compiler's either way."""
    folder = None if _LINKERS in os.environ else _gold()
    if folder is None:
        yield
        return
    os.environ[_LINKERS] = folder.name
    try:
        yield
    finally:
        os.environ.pop(_LINKERS, None)


@functools.cache
def _gold() -> TemporaryDirectory[str] | None:
    """A folder, kept as long as this process, in which gold is the linker; None where there is
    none that the compiler gets on with."""
    gold, compiler = shutil.which("ld.gold"), shutil.which(os.environ.get("CXX", "g++"))
    if gold is None or compiler is None:
        return None
    folder = TemporaryDirectory(prefix="tenet-")
    os.symlink(gold, os.path.join(folder.name, "ld"))
    nothing = ["-shared", "-fPIC", "-fopenmp", "-x", "c++", os.devnull]
    tried = subprocess.run(
        [compiler, *nothing, "-o", os.path.join(folder.name, "nothing")],
        env={**os.environ, _LINKERS: folder.name},
        capture_output=True,
        check=False,
    )
    return folder if tried.returncode == 0 else None


class Compiling:
    """What a compiling mode makes of a program: one that is compiled where it is first called.

    Lengths that change from call to call become symbols (Dynamo's own rule), so that the second
    compilation serves all calls that follow; of a program for any length they are symbols from
    the first. What cannot be captured whole runs in pieces, partly as in eager mode; `elsewhere`
    then says why.
    """

    def __init__(self, torch: Any, compiler: str, elsewhere: dict[str, None]) -> None:
        self.torch = torch
        self.compiler = compiler
        self.elsewhere = elsewhere

    def __call__(self, program: Callable[..., Any], any_length: bool = False) -> Callable[..., Any]:
        own = _distinct(program)
        run = self._compiled(own, whole=True, any_length=any_length)

        def call(*tensors: Any) -> Any:
            nonlocal run
            try:
                return run(*tensors)
            except Exception as error:
                reason = self._in_pieces(error)
                if not reason:
                    raise
                run = self._compiled(own, whole=False, any_length=any_length)
                result = run(*tensors)
                self.elsewhere[f"graph break: {reason}"] = None
                return result

        return call

    def _in_pieces(self, error: Exception) -> str:
        """Why torch.compile, where it need not capture all of a program, goes on in pieces after
        the error: it cannot capture some of it, or has to look at elements. Empty for others."""
        exc = self.torch._dynamo.exc
        inner = getattr(error, "inner_exception", error)
        looks = type(inner).__name__ == "GuardOnDataDependentSymNode"
        if not (looks or isinstance(error, exc.Unsupported | exc.UserError)):
            return ""
        return str(inner).strip().partition("\n")[0] or type(inner).__name__

    def _compiled(
        self, program: Callable[..., Any], *, whole: bool, any_length: bool
    ) -> Callable[..., Any]:
        compiled: Callable[..., Any] = self.torch.compile(
            program, backend=self.compiler, fullgraph=whole, dynamic=any_length or None
        )
        return compiled


_numbers = itertools.count()


def _distinct(program: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with code of its own: Dynamo counts recompilations by code, and gives up
    after a few, which would leave most programs of one law to eager mode."""
    if not isinstance(program, FunctionType):
        inner = program

        def program(*tensors: Any) -> Any:
            return inner(*tensors)

    code = program.__code__.replace(co_name=f"{program.__code__.co_name}_{next(_numbers)}")
    copy = FunctionType(
        code, program.__globals__, program.__name__, program.__defaults__, program.__closure__
    )
    return functools.update_wrapper(copy, program)
