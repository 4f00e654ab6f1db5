"""The specification as text: statements, and the clauses that answer to them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tenet.harness.errors import unknown
from tenet.spec.language import CAPABILITIES, Clause, Statement, statements
from tenet.spec.sections import SECTIONS, specification


def covering() -> dict[str, list[Clause]]:
    """For each statement, in the order of the documents, the clauses that cover it."""
    found: dict[str, list[Clause]] = {id: [] for id in statements()}
    for clause in specification().values():
        for id in clause.covers:
            found[id].append(clause)
    return found


def uncovered() -> list[Statement]:
    """The statements that no clause covers."""
    return [statements()[id] for id, clauses in covering().items() if not clauses]


def whole_text() -> Iterator[str]:
    """Section by section, a line at a time: each statement with its clauses, or the clauses of a
    section that the documents do not have."""
    cover = covering()
    documented = [statement.topic for statement in statements().values()]
    for topic in dict.fromkeys([*SECTIONS, *documented]):
        yield topic
        yield "=" * len(topic)
        for statement in statements().values():
            if statement.topic == topic:
                yield from _statement(statement)
                clauses = cover[statement.id]
                yield from (f"    checked by {clause.id}" for clause in clauses)
                if not clauses:
                    yield "    checked by nothing yet"
                yield ""
        if topic not in documented:
            for clause in specification().values():
                if clause.section == topic:
                    yield from textwrap.wrap(f"{clause.id}: {' '.join(clause.says.split())}", 96)
            yield ""


def capabilities_text() -> Iterator[str]:
    """What a backend may say it lacks, and what each means."""
    for name, meaning in CAPABILITIES.items():
        yield f"{name:<18}{meaning}"


def uncovered_text() -> Iterator[str]:
    """A line for each statement without a clause, by topic, and their number; else nothing."""
    missing = uncovered()
    for statement in sorted(missing, key=lambda s: s.topic):
        yield f"{statement.topic}: {statement.id}: {statement.says}"
    if missing:
        yield f"{len(missing)} of {len(statements())} statements are covered by no clause"


def clause_text(id: str) -> Iterator[str]:
    """One clause: what it says, covers, asks for, and its source. UsageError if there is none."""
    clauses = specification()
    if id not in clauses:
        raise unknown("clause", id, clauses)
    clause = clauses[id]
    yield clause.id
    yield from textwrap.wrap(" ".join(clause.says.split()), 96)
    yield ""
    for covered in clause.covers:
        yield from _statement(statements()[covered])
    yield ""
    yield f"asks for: {', '.join(sorted(clause.requires)) or 'nothing beyond shapes and dtypes'}"
    yield f"draws: {', '.join(clause.strategies) or 'nothing; it is exhaustive'}"
    yield f"stands in {clause.module}, line {clause.line}"
    yield ""
    yield clause.source()


def _statement(statement: Statement) -> Iterator[str]:
    text = f"{statement.says} [{statement.id}; {statement.source}]"
    yield from textwrap.wrap(text, 96, subsequent_indent="  ")
    if statement.erratum:
        yield from textwrap.wrap(f"  erratum: {statement.erratum}", 96, subsequent_indent="    ")
