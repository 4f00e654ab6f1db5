"""What a report says, as plain data, before it becomes a page or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from tenet.harness.comparison import by_clause
from tenet.harness.grouping import Group, groups, with_blocked
from tenet.harness.record import Record
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.language import Clause, statements
from tenet.spec.language.clause import unwrapped

FORMAT = 1


@dataclass(frozen=True)
class Column:
    """One record of a report, with what stands on a broken basic clause as blocked."""

    title: str
    header: dict[str, Any]
    whole: bool
    judgements: dict[str, Judgement]
    groups: list[Group]

    def counts(self, section: str) -> Counter[Verdict]:
        """How often each verdict came out in a section; in all of them for `all`."""
        return Counter(judgement.verdict for judgement in self._of(section))

    def strayed(self, section: str) -> int:
        """Of how many clauses of a section not all ran where it was asked to."""
        return sum(bool(judgement.elsewhere) for judgement in self._of(section))

    def _of(self, section: str) -> list[Judgement]:
        return [
            judgement
            for id, judgement in self.judgements.items()
            if section in ("all", id.partition(".")[0])
        ]


def columns(records: Sequence[Record]) -> list[Column]:
    """The records in the order in which their runs started, each under a title of its own."""
    made: list[Column] = []
    titles = Counter[str]()
    for record in sorted(records, key=lambda r: str(r.header.get("started", ""))):
        header = record.header
        title = f"{header.get('backend', '?')} {record.edition}"
        titles[title] += 1
        if titles[title] > 1:
            title += f" ({titles[title]})"
        judgements = {j.clause: j for j in with_blocked(by_clause(record).values())}
        made.append(
            Column(
                title,
                header,
                record.footer is not None,
                judgements,
                groups(list(judgements.values())),
            )
        )
    return made


def sections(columns: Sequence[Column], order: Sequence[str]) -> list[str]:
    """The sections that occur, those of the specification first and in its order."""
    found = {id.partition(".")[0] for column in columns for id in column.judgements}
    return [s for s in order if s in found] + sorted(found - set(order))


def clause_ids(columns: Sequence[Column], specification: Mapping[str, Clause]) -> list[str]:
    """Every clause that was judged, in the order of the specification, then the unknown ones."""
    found = dict.fromkeys(id for column in columns for id in column.judgements)
    return [id for id in specification if id in found] + [
        id for id in found if id not in specification
    ]


def said(clause: Clause) -> dict[str, Any]:
    """What a clause states: its text, its statements and where it stands."""
    return {
        "says": " ".join(clause.says.split()),
        "covers": [
            f"{statements()[id].erratum or statements()[id].says} [{id}]" for id in clause.covers
        ],
        "at": f"{clause.module}, line {clause.line}",
    }


@cache
def _source(check: Any) -> str:
    import inspect

    try:
        return inspect.getsource(check)
    except (OSError, TypeError):
        return ""


def source(clause: Clause) -> str:
    """The clause as it is written; clauses made of one law share it."""
    return _source(unwrapped(clause.check))


def as_json(columns: Sequence[Column]) -> dict[str, Any]:
    """All of it, as docs/report.schema.json describes it."""
    return {
        "format": FORMAT,
        "tenet": version("tensor-tenet"),
        "records": [
            {
                "title": column.title,
                "complete": column.whole,
                "header": column.header,
                "verdicts": {v.value: n for v, n in column.counts("all").items()},
                "groups": [asdict(group) for group in column.groups],
                "judgements": [asdict(judgement) for judgement in column.judgements.values()],
            }
            for column in columns
        ],
    }
