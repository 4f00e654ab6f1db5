"""Writing down the programs that a check hands to torch.compile: as functions of the script.

A program runs once on stand-ins of its operands, operation by operation, and the calls that it
makes are its text. That text is what is compiled then, here as in the script.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenet.harness.compiling import Compiling
from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.trace import Proxy, Trace, guard, real

Program = Callable[..., Any]


def refuse_foreign(torch: Any, mode: str) -> None:
    """UntraceableError for a compiler that a script would not find."""
    registry = torch._dynamo.backends.registry
    if not str(registry.lookup_backend(mode).__module__).startswith("torch."):
        raise UntraceableError(f"the compiler {mode} comes in a package of its own")


def recorded(torch: Any, mode: str, trace: Trace) -> Callable[[Program, bool], Program]:
    """What becomes of a program while calls are written down. torch: the real namespace.
    UntraceableError for a compiler that a script would not find."""
    refuse_foreign(torch, mode)
    compiling = Compiling(torch, mode, {})

    def stage(program: Program, any_length: bool) -> Program:
        compiled: list[tuple[str, Program]] = []

        def call(*operands: Any) -> Any:
            if not compiled:
                name, source, around = _written(torch, trace, program, operands)
                made = {"torch": torch, **{other: trace.values[other] for other in around}}
                exec(source, made)
                lengths = ", dynamic=True" if any_length else ""
                decorated = f"\n@torch.compile(backend={mode!r}{lengths})\n{source}\n"
                trace.add(decorated, name, around, True, None, guard())
                compiled.append((name, compiling(made[name], any_length)))
            [(name, run)] = compiled
            uses = {name}
            said = ", ".join(trace.say(operand, uses) for operand in operands)
            result, given = trace.note(
                f"{name}({said})", uses, lambda: run(*real(operands)), pure=False
            )
            return trace.wrap(result, given)

        return call

    return stage


def _written(
    torch: Any, trace: Trace, program: Program, operands: tuple[Any, ...]
) -> tuple[str, str, set[str]]:
    """A name for the program, its source, and what it reads beside its operands."""
    name = trace.name("p")
    parameters = [trace.name("t") for _ in operands]
    uses: set[str] = set()
    before, trace.statements = trace.statements, []
    try:
        stand_ins = [
            Proxy(_copied(torch, real(operand)), parameter, trace)
            for operand, parameter in zip(operands, parameters, strict=True)
        ]
        try:
            last = f"return {trace.say(program(*stand_ins), uses)}"
        except UntraceableError:
            raise
        except Exception:
            last = ""
        body = trace.statements
    finally:
        trace.statements = before
    if any(statement.error for statement in (body if last else body[:-1])):
        raise UntraceableError("a program goes on after an error")
    own = {*parameters, *(statement.target for statement in body)}
    around = uses.union(*(statement.uses for statement in body)) - own
    if not around <= trace.values.keys():
        raise UntraceableError("a program reads what the script does not make")
    lines = [*(statement.text for statement in body), *filter(None, [last])]
    source = "\n    ".join([f"def {name}({', '.join(parameters)}):", *lines])
    return name, source, around


def _copied(torch: Any, tensor: Any) -> Any:
    """A tensor that the program may write to: of the same layout where that can be."""
    with torch.no_grad():
        copy = torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device=tensor.device
        )
        try:
            copy.copy_(tensor)
        except RuntimeError:  # its elements share memory
            copy = tensor.clone()
    return copy.requires_grad_(tensor.requires_grad)
