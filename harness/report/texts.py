"""Reports as Markdown and as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from tenet.harness.comparison import in_words
from tenet.harness.explain import explanation
from tenet.harness.report.content import Column
from tenet.harness.verdict import BROKEN, UNSOUND, Judgement, Verdict
from tenet.spec.language import Clause

_MOST = 50
"""Failures written out in Markdown: a job summary has an end."""


def markdown_text(value: object) -> str:
    """Text that Markdown shows as it stands, in one line."""
    plain = " ".join(str(value).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#~&" else c for c in plain)


def fenced(text: str) -> str:
    """A code block, whatever stands in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def as_markdown(
    columns: Sequence[Column], sections: Sequence[str], specification: Mapping[str, Clause]
) -> str:
    """The matrix, the failures by cause, and each failure explained."""
    lines = ["# Tenet", ""]
    titles = [markdown_text(column.title) for column in columns]
    lines += [f"| section | {' | '.join(titles)} |", "| --- |" + " --- |" * len(titles)]
    for section in [*sections, "all"]:
        cells = [counted(column, section) or "-" for column in columns]
        lines.append(f"| {markdown_text(section)} | {' | '.join(cells)} |")
    for column in columns:
        broken = [j for j in column.judgements.values() if j.verdict in BROKEN | UNSOUND]
        if not column.whole:
            lines += ["", f"**{markdown_text(column.title)} was cut short.**"]
        if not broken:
            continue
        lines += ["", f"## {markdown_text(column.title)}: {len(broken)} against it", ""]
        for group in column.groups:
            ids = ", ".join(map(markdown_text, group.clauses[:8]))
            more = f" and {len(group.clauses) - 8} more" if len(group.clauses) > 8 else ""
            lines.append(f"- {markdown_text(group.cause)}: {ids}{more}")
        for judgement in broken[:_MOST]:
            if judgement.verdict is not Verdict.BLOCKED:
                lines += ["", *_details(judgement, specification, column)]
        if len(broken) > _MOST:
            lines += ["", f"{len(broken) - _MOST} more are in the record."]
    return "\n".join(lines) + "\n"


STRAYED = "not all there"
"""Of clauses of which something did not run where it was asked to."""


def counted(column: Column, section: str) -> str:
    """How often each verdict came out, in words."""
    counts = column.counts(section)
    words = [f"{counts[v]} {v}" for v in Verdict if counts[v]]
    strayed = column.strayed(section)
    return ", ".join([*words, f"({strayed} {STRAYED})"] if strayed else words)


def _details(
    judgement: Judgement, specification: Mapping[str, Clause], column: Column
) -> list[str]:
    lines = [
        "<details>",
        f"<summary>{_html(judgement.clause)}: {_html(in_words(judgement))}</summary>",
        "",
        fenced(explained(judgement, specification, column)),
    ]
    if judgement.failure is not None and judgement.failure.script:
        lines += ["", fenced(judgement.failure.script)]
    return [*lines, "", "</details>"]


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def explained(judgement: Judgement, specification: Mapping[str, Clause], column: Column) -> str:
    """The explanation of a failure, also for a clause that this Tenet does not have."""
    clause = specification.get(judgement.clause)
    seed = column.header.get("seed")
    if clause is not None:
        return explanation(judgement, clause, seed if isinstance(seed, int) else None)
    failure = judgement.failure
    if failure is None:
        return judgement.reason
    return f"{failure.what}: got {failure.got}, expected {failure.expected}"


_ANNOTATIONS = 10
"""GitHub shows that many of a step."""


def as_github(columns: Sequence[Column], specification: Mapping[str, Clause]) -> str:
    """Workflow commands, a line each, which GitHub turns into annotations of the run."""
    lines = []
    for column in columns:
        if not column.whole:
            lines.append(_command("error", column.title, "The record was cut short."))
        for judgement in column.judgements.values():
            if judgement.verdict in BROKEN | UNSOUND and judgement.verdict is not Verdict.BLOCKED:
                title = f"{column.title}: {judgement.clause} {in_words(judgement)}"
                text = explained(judgement, specification, column)
                lines.append(_command("error", title, text[:4000]))
    if len(lines) > _ANNOTATIONS:
        more = f"{len(lines) - _ANNOTATIONS + 1} more are in the job summary and the report."
        lines[_ANNOTATIONS - 1 :] = [_command("error", "Tenet", more)]
    return "".join(f"{line}\n" for line in lines)


def _command(kind: str, title: str, text: str) -> str:
    """A workflow command; what is escaped in its parts is what GitHub's toolkit escapes."""
    ends = "%\r\n"
    return f"::{kind} title={_percent(title, ends + ':,')}::{_percent(text, ends)}"


def _percent(text: str, characters: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in characters else c for c in _xml(text))


def as_junit(columns: Sequence[Column], specification: Mapping[str, Clause]) -> str:
    """JUnit XML: a suite for each record, a case for each clause; errors are faults of checks."""
    root = ElementTree.Element("testsuites", name="tenet")
    for column in columns:
        verdicts = [judgement.verdict for judgement in column.judgements.values()]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(column.title),
            tests=str(len(verdicts)),
            failures=str(sum(v in BROKEN for v in verdicts)),
            errors=str(sum(v in UNSOUND for v in verdicts) + (not column.whole)),
            skipped=str(sum(v in _SKIPPED for v in verdicts)),
            time=f"{sum(j.seconds for j in column.judgements.values()):.3f}",
            timestamp=_xml(str(column.header.get("started", ""))),
        )
        for judgement in column.judgements.values():
            _case(suite, judgement, column, specification)
        if not column.whole:
            case = ElementTree.SubElement(suite, "testcase", name="the record", classname="tenet")
            ElementTree.SubElement(case, "error", message="the record was cut short")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


_SKIPPED = (Verdict.UNSUPPORTED, Verdict.KNOWN)


def _case(
    suite: ElementTree.Element,
    judgement: Judgement,
    column: Column,
    specification: Mapping[str, Clause],
) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=_xml(judgement.clause),
        classname=_xml(f"tenet.{judgement.clause.partition('.')[0]}"),
        time=f"{judgement.seconds:.3f}",
    )
    if judgement.verdict in _SKIPPED:
        message = _xml(f"{judgement.verdict}: {judgement.reason}")
        ElementTree.SubElement(case, "skipped", message=message)
    elif judgement.verdict in BROKEN | UNSOUND:
        kind = "failure" if judgement.verdict in BROKEN else "error"
        entry = ElementTree.SubElement(
            case, kind, message=_xml(in_words(judgement)), type=str(judgement.verdict)
        )
        entry.text = _xml(explained(judgement, specification, column))


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
