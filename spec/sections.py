"""The sections of the specification, in reading order: a module or package of this folder each."""

from __future__ import annotations

from importlib import import_module

from tenet.spec.language import Clause, registry

SECTIONS = (
    "capability",
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
    "indexing",
    "numpy",
    "comparison",
    "inplace",
    "program",
    "random",
    "device",
    "autograd",
    "nn",
    "optim",
    "data",
    "training",
    "serialization",
    "performance",
    "compile",
    "logging",
    "environment",
)


def specification() -> dict[str, Clause]:
    """Every clause by its id, section by section, in the order of the text."""
    for section in SECTIONS:
        import_module(f"tenet.spec.{section}")
    # Clauses register as their modules are read, which is the order of the text already, but
    # for a section that somebody has imported before.
    places = {section: place for place, section in enumerate(SECTIONS)}
    return dict(sorted(registry.items(), key=lambda item: places[item[1].section]))
