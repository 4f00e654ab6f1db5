"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tenet.harness.report.content import Column, clause_ids, said, source
from tenet.harness.report.extras import Audited, Timed
from tenet.harness.report.texts import STRAYED
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.language import Clause

LARGEST = 10_000_000
"""Bytes. Scripts and sources are left out, the oldest records' first, where it would be more."""

_LEAST = (0, 1, 2)
"""What is kept of failures: all; without scripts; the latest record's only."""


def as_html(
    columns: Sequence[Column],
    sections: Sequence[str],
    specification: Mapping[str, Clause],
    timed: Timed | None = None,
    audit: Audited | None = None,
) -> str:
    """The page; with the times and the audit's score where there are any."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    folder = files("tenet.harness.report")
    template = environment.from_string((folder / "page.html").read_text(encoding="utf-8"))
    for thrift in _LEAST:
        data = json.dumps(_data(columns, specification, thrift), ensure_ascii=False,
                          separators=(",", ":"))  # fmt: skip
        text = template.render(
            tenet=version("tensor-tenet"),
            columns=columns,
            timed=timed,
            audit=audit,
            sections=[*sections, "all"],
            verdicts=[verdict.value for verdict in Verdict],
            rows=[(s, [_cell(column, s) for column in columns]) for s in [*sections, "all"]],
            style=Markup((folder / "page.css").read_text(encoding="utf-8")),
            script=Markup((folder / "page.js").read_text(encoding="utf-8")),
            # The only way out of a script element is a `<`.
            data=Markup(data.replace("<", "\\u003c")),
        )
        if len(text.encode(errors="replace")) <= LARGEST:
            break
    return text


def _cell(column: Column, section: str) -> list[tuple[str, int]]:
    """The verdicts with their numbers, and of how many clauses not all ran there."""
    counts = column.counts(section)
    cell = [(verdict.value, counts[verdict]) for verdict in Verdict if counts[verdict]]
    strayed = column.strayed(section)
    return [*cell, (STRAYED, strayed)] if strayed else cell


def _data(
    columns: Sequence[Column], specification: Mapping[str, Clause], thrift: int
) -> dict[str, Any]:
    """What the page's script shows on demand. A clause's verdicts are one letter a record."""
    letters = {verdict: chr(ord("a") + number) for number, verdict in enumerate(Verdict)}
    sources: dict[str, int] = {}
    clauses = []
    for id in clause_ids(columns, specification):
        judgements = [column.judgements.get(id) for column in columns]
        entry: dict[str, Any] = {
            "id": id,
            "v": "".join("-" if j is None else letters[j.verdict] for j in judgements),
        }
        clause = specification.get(id)
        if clause is not None:
            entry.update(said(clause))
            if thrift < 2:
                entry["source"] = sources.setdefault(source(clause), len(sources))
        details = _details(judgements, thrift)
        if details:
            entry["d"] = details
        clauses.append(entry)
    return {
        "verdicts": {letter: verdict.value for verdict, letter in letters.items()},
        "titles": [column.title for column in columns],
        "sources": list(sources),
        "clauses": clauses,
    }


def _details(judgements: Sequence[Judgement | None], thrift: int) -> dict[str, Any]:
    """By the number of the record: why a clause did not pass there."""
    found: dict[str, Any] = {}
    for number, judgement in reversed(list(enumerate(judgements))):
        if judgement is None or not (judgement.reason or judgement.failure or judgement.elsewhere):
            continue
        if judgement.verdict is Verdict.UNSUPPORTED and found:
            continue
        entry: dict[str, Any] = {"reason": judgement.reason[:2000]} if judgement.reason else {}
        if judgement.elsewhere:
            entry["elsewhere"] = judgement.elsewhere
        if judgement.failure is not None:
            entry.update(_failure(judgement.failure, script=thrift == 0))
        found[str(number)] = entry
        if thrift == 2:
            break
    return found


def _failure(failure: Failure, *, script: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "what": failure.what,
        "got": failure.got[:2000],
        "expected": failure.expected[:2000],
        "where": failure.where,
        "case": failure.case,
        "shown": failure.shown,
        "at": failure.at,
    }
    if script and failure.script:
        entry["script"] = failure.script
    return entry
