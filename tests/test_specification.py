"""Traceability: what the documents state and what the clauses answer to."""

from __future__ import annotations

from pathlib import Path

from tenet.harness.specification import uncovered
from tenet.spec.language import statements
from tenet.spec.sections import SECTIONS, specification

RATCHET = 0
"""How many statements no clause covers yet. It may only go down."""


def test_uncovered_statements_only_get_fewer() -> None:
    assert len(uncovered()) == RATCHET, [statement.id for statement in uncovered()]


def test_every_section_has_clauses() -> None:
    assert {clause.section for clause in specification().values()} == set(SECTIONS)


def test_every_topic_is_a_section() -> None:
    topics = {statement.topic for statement in statements().values()}
    # Programs combine what other sections specify, and capabilities are what those build on; the
    # documents have no statements of their own for them.
    assert sorted(SECTIONS) == sorted({*topics, "program", "capability"})


def test_every_section_is_one_module_or_package() -> None:
    folder = Path(__file__).parent.parent / "spec"
    machinery = {"cases", "language", "model", "operators", "sections"}
    modules = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert (modules | packages) - machinery - {"__init__"} == set(SECTIONS)
