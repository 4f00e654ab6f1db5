"""Narrow faults: operators wrong in one dtype alone, for one kind of operand alone."""

from __future__ import annotations

from collections.abc import Iterator

from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.narrow import gradients, values, writes


def mutants() -> Iterator[Mutant]:
    """Of values, of gradients and of what is written."""
    for faults in (values, gradients, writes):
        yield from faults.mutants()
