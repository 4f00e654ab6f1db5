"""What becomes of the programs of a clause on a backend: compiled, watched, or run as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tenet.harness.backend import Backend
from tenet.harness.compiling import EAGER, Compiling, guards_untimed, linked_quickly
from tenet.spec.language import Tally

Program = Callable[..., Any]

AT_HOME = ("cpu", "meta")
"""Devices that no operation falls back from."""

WATCHED = 3
"""Of the programs of a clause, how many are watched operation by operation, which takes long."""

_FALLBACK = "aten::_to_cpu"
"""What PyTorch's fallback for devices that lack an operation calls first, and nobody else does."""


@contextmanager
def staging(backend: Backend, tally: Tally) -> Iterator[None]:
    """Run the programs of the clause that is counted into the tally in the backend's mode."""
    compiles = backend.mode != EAGER
    leaves = backend.device.partition(":")[0] not in AT_HOME
    if not (compiles or leaves):
        yield
        return
    compiling = Compiling(backend.torch, backend.mode, tally.elsewhere) if compiles else None
    residence = Residence(backend.torch, backend.device, tally.elsewhere) if leaves else None

    def stage(program: Program, any_length: bool) -> Program:
        program = compiling(program, any_length) if compiling else program
        return residence(program) if residence else program

    tally.stage, tally.compiles = stage, compiles
    if not compiles:
        yield
        return
    backend.torch.compiler.reset()
    try:
        with guards_untimed(), linked_quickly():
            yield
    finally:
        backend.torch.compiler.reset()


class Residence:
    """Notes what did not run on the device: results that lie on another one, and operations that
    PyTorch sent to the CPU because the device has none."""

    def __init__(self, torch: Any, device: str, elsewhere: dict[str, None]) -> None:
        self.torch = torch
        self.kind = device.partition(":")[0]
        self.elsewhere = elsewhere
        self.unwatched = WATCHED

    def __call__(self, program: Program) -> Program:
        def call(*tensors: Any) -> Any:
            profiler = getattr(getattr(self.torch, "autograd", None), "profiler", None)
            if profiler is None or not self.unwatched:
                result = program(*tensors)
            else:
                self.unwatched -= 1
                with profiler.profile(use_kineto=False) as seen:
                    result = program(*tensors)
                self._note_fallbacks(seen.function_events)
            for part in result if isinstance(result, tuple | list) else (result,):
                kind = getattr(getattr(part, "device", None), "type", self.kind)
                if kind != self.kind:
                    self.elsewhere[f"a result lies on {kind}"] = None
            return result

        return call

    def _note_fallbacks(self, events: Any) -> None:
        for event in events:
            if event.name == _FALLBACK:
                caller = event.cpu_parent
                name = "an operation" if caller is None else caller.name
                self.elsewhere[f"{name} fell back to the CPU"] = None
