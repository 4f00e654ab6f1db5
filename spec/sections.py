"""The sections of the specification, in reading order: one module of this folder each."""

from __future__ import annotations

from importlib import import_module

from tenet.spec.language import Clause, registry

SECTIONS = (
    "creation",
    "attributes",
    "dtype",
    "promotion",
    "elementwise",
    "broadcasting",
    "matmul",
    "reduction",
    "shape",
    "view",
    "numpy",
    "comparison",
    "inplace",
    "random",
    "device",
    "nn",
    "optim",
    "data",
    "training",
    "serialization",
    "logging",
    "environment",
)


def specification() -> dict[str, Clause]:
    """Every clause by its id, section by section, in the order of the text."""
    for section in SECTIONS:
        import_module(f"tenet.spec.{section}")
    return dict(sorted(registry.items(), key=_reading_order))


def _reading_order(item: tuple[str, Clause]) -> tuple[int, int]:
    clause = item[1]
    return SECTIONS.index(clause.section), clause.line
