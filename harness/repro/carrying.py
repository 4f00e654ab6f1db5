"""A script that carries the check itself: for what straight-line calls cannot say.

A check that counts, sorts or measures what it reads has no calls that could be written out with
what is due beside them. Its script holds the smallest example, and the code of the check with
all that this needs of the specification.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from tenet.harness.backend import Backend
from tenet.harness.compiling import EAGER
from tenet.harness.generation import seed_for
from tenet.harness.repro.literals import UntraceableError, container, literal
from tenet.harness.repro.programs import refuse_foreign
from tenet.harness.repro.slicing import HiddenError, Key, Slice
from tenet.harness.repro.sources import source_of_module
from tenet.harness.verdict import Failure
from tenet.spec.cases import decode
from tenet.spec.language import Clause
from tenet.spec.operators.operator import Operator

_TALLY = "tenet.spec.language.tally"
_TABLES = "tenet.spec.operators."
_STAGING = '''

def compiled(program, any_length):
    """The program, compiled where it is first called."""
    return torch.compile(program, backend={!r}, dynamic=any_length or None)

'''


def carried(clause: Clause, backend: Backend, failure: Failure, module: str) -> str:
    """What follows the head of the script: imports, the check's code, the example, the outcome.

    module: what is imported as torch. UntraceableError for a check that cannot be cut out.
    """
    if backend.mode != EAGER:
        refuse_foreign(backend.torch, backend.mode)
    apart = set[Key]()
    while True:
        try:
            return _carried(clause, backend, failure, module, Slice(apart))
        except HiddenError as hidden:
            if hidden.key in apart:
                raise
            apart.add(hidden.key)


def _carried(clause: Clause, backend: Backend, failure: Failure, module: str, cut: Slice) -> str:
    numpy, random = cut.need("numpy"), cut.need("random")
    counting, tally = cut.need(_TALLY, "counting"), cut.need(_TALLY, "Tally")
    given = [f"lacks=frozenset({sorted(backend.lacks)!r})"] if backend.lacks else []
    staging = ""
    if backend.mode != EAGER:
        given += ["stage=compiled", "compiles=True"]
        staging = _STAGING.format(backend.mode)
    check: Any = clause.check
    bound: dict[str, Any] = {}
    while isinstance(check, partial):
        check, bound = check.func, {**check.keywords, **bound}
    called = said(check, cut)
    drawn = bound | {name: decode(value) for name, value in (failure.example or {}).items()}
    arguments = [f"{name}={said(value, cut)}" for name, value in drawn.items()]
    seed = seed_for(0, clause.id)
    lines = ",\n        ".join(["torch", repr(backend.device), *arguments])
    return f"""\
from __future__ import annotations

{cut.imports(("sys", "warnings", module if module == "torch" else f"{module} as torch"))}


{cut.definitions()}
{staging}

warnings.simplefilter("ignore")
{random}.seed({seed})
{numpy}.random.seed({seed % 2**32})
if hasattr(torch, "manual_seed"):
    torch.manual_seed({seed % 2**63})
try:
    with {numpy}.errstate(all="ignore"), {counting}({tally}({", ".join(given)})):
      {called}(
        {lines},
      )
except NameError:
    raise  # the script's own fault
except Exception as error:
    print("FAILS:", error)
    sys.exit(1)
print("it holds")
sys.exit(0)
"""


def said(value: Any, cut: Slice) -> str:
    """A value as source; what it needs of the specification is asked for."""
    if isinstance(value, FunctionType):
        if value.__name__ != value.__qualname__ or value.__closure__ is not None:
            raise UntraceableError(f"{value.__qualname__} is made while it runs")
        return cut.need(value.__module__, value.__name__)
    if isinstance(value, Operator):
        return _row(value.name, cut)
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        given = [
            f"{part.name}={said(getattr(value, part.name), cut)}"
            for part in fields(value)
            if part.init
        ]
        return f"{cut.need(kind.__module__, kind.__name__)}({', '.join(given)})"
    if isinstance(value, np.ufunc):
        return f"{cut.need('numpy')}.{value.__name__}"
    if type(value) in (tuple, list, dict):
        return container(value, lambda item: said(item, cut))
    return literal(value)


def _row(name: str, cut: Slice) -> str:
    """A row of the table, as its table writes it."""
    for module in sorted(other for other in sys.modules if other.startswith(_TABLES)):
        for nodes in source_of_module(module).defined.values():
            for element in (each for node in nodes for each in _elements(node)):
                if any(name == said or name.endswith(f".{said}") for said in _first(element)):
                    return cut.expression(module, element)
    raise UntraceableError(f"no table says what {name} is")


def _elements(node: ast.stmt) -> list[ast.expr]:
    """The items of a table, or of a tuple that is a part of one."""
    value = getattr(node, "value", None)
    return value.args if isinstance(value, ast.Call) else getattr(value, "elts", [])


def _first(element: ast.expr) -> Iterator[str]:
    """The name that a row gives."""
    if isinstance(element, ast.Call):
        named = [word.value for word in element.keywords if word.arg == "name"]
        for argument in (*element.args[:1], *named):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
