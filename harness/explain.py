"""Explaining what did not hold, in plain text."""

from __future__ import annotations

import textwrap

from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.language import Clause, statements

_WIDTH = 96
_LABEL = 12


def explanation(judgement: Judgement, clause: Clause, seed: int | None = None) -> str:
    """The documented behaviour, the smallest example, expected against got, and how to repeat it.

    seed: that of the run, for the command that repeats it.
    """
    lines = [f"{judgement.verdict.upper()} {clause.id} [{judgement.backend}]"]
    lines += _paragraph("behaviour", " ".join(clause.says.split()))
    for id in clause.covers:
        statement = statements()[id]
        text = (
            f"{statement.erratum} (erratum to: {statement.says})"
            if statement.erratum
            else (statement.says)
        )
        lines += _paragraph("documented", f"{text} [{id}]")
    failure = judgement.failure
    if failure is not None:
        for name, value in failure.shown.items():
            lines += _paragraph("example", f"{name} = {value}")
        if failure.case:
            labels = ", ".join(f"{name}={value}" for name, value in failure.case.items())
            lines += _paragraph("case", labels)
        lines += _paragraph("differs in", failure.what)
        if failure.where is not None:
            where = failure.where if failure.where else "the only element"
            lines += _paragraph("first at", f"{where}")
        lines += _paragraph("expected", failure.expected)
        lines += _paragraph("got", failure.got)
        lines += _paragraph("checked at", failure.at)
    if judgement.reason and (failure is None or failure.got != judgement.reason):
        lines += _paragraph("reason", judgement.reason)
    if judgement.verdict is Verdict.CRASHED:
        lines += _paragraph("note", "the process that judged this clause died; the others went on")
    again = f"tenet run --backend {judgement.backend} --clause {clause.id}"
    lines += _paragraph("again", again if seed is None else f"{again} --seed {seed}")
    return "\n".join(lines)


def _paragraph(label: str, text: str) -> list[str]:
    pad = " " * (_LABEL + 2)
    wrapped = [
        piece
        for line in text.splitlines() or [""]
        for piece in textwrap.wrap(line, _WIDTH - len(pad), break_on_hyphens=False) or [""]
    ]
    return [f"  {label + ':':<{_LABEL}}{wrapped[0]}", *(pad + piece for piece in wrapped[1:])]
