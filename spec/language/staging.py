"""Staging: the pieces of a clause that run in the mode of the backend.

A backend runs operations one by one, or it compiles a whole function of tensors first. A clause
that is asked of both says which of its calls are such functions; what becomes of them, the
harness says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenet.spec.language.tally import tally

Program = Callable[..., Any]


def staged(program: Program, *, any_length: bool = False) -> Program:
    """The function as the backend's mode runs it: itself where operations run one by one.

    It takes tensors, and gives tensors or sequences of them; it may write to those it takes. One
    that serves several calls is compiled once. any_length: also for calls with tensors of other
    lengths, which are symbols then; else a second compilation serves those.
    """
    stage = tally().stage
    return program if stage is None else stage(program, any_length)


def compiles() -> bool:
    """Whether programs are compiled first, which is dear: a clause then asks for fewer of them,
    and more of each."""
    return tally().compiles
