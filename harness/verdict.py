"""Verdicts, and what is known about how they came about."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How a backend stands to a clause."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    UNSUPPORTED = "unsupported"
    VACUOUS = "vacuous"
    BLOCKED = "blocked"
    KNOWN = "known"
    FIXED = "fixed"


BROKEN = frozenset({Verdict.FAILED, Verdict.CRASHED, Verdict.TIMED_OUT, Verdict.BLOCKED})
"""The backend does not hold to the clause (`blocked`: nor to a basic one that it stands on)."""
UNSOUND = frozenset({Verdict.ERRORED, Verdict.VACUOUS})
"""The check is at fault, and says nothing about the backend."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a verdict is not `passed`.

    what: the kind of difference; got, expected: as text; where: index of the first element that
    differs; case: labels of the one case; shown: the smallest example for people; example: the
    same, encoded for replay (see spec.cases.encoding); at: module and line of the check; script:
    a Python script that shows it (see harness.repro).
    """

    what: str
    got: str
    expected: str
    where: list[int] | None = None
    case: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    example: dict[str, Any] | None = None
    at: str = ""
    script: str = ""


def item_name(clause: str, backend: str) -> str:
    """What pytest calls the judging of a clause on a backend."""
    return f"{clause}[{backend}]"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One clause judged on one backend.

    examples: tried; drawn: of these, made by Hypothesis; asserted: reached a comparison;
    discarded: given up as not applicable; cases: comparisons; skipped: dtypes passed over, with
    how often; excused: failures passed over because an expectation names them; seconds: of this
    process; reason: for a verdict without a failure.
    """

    clause: str
    backend: str
    verdict: Verdict
    examples: int = 0
    drawn: int = 0
    asserted: int = 0
    discarded: int = 0
    cases: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    excused: int = 0
    seconds: float = 0.0
    reason: str = ""
    failure: Failure | None = None

    @property
    def item(self) -> str:
        """What pytest calls it."""
        return item_name(self.clause, self.backend)

    def to_json(self) -> str:
        """One line of JSON, as a record stores it and a worker sends it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Judgement:
        """The judgement that `to_json` gave. TypeError or ValueError for anything else."""
        return cls.from_data(json.loads(text))

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Judgement:
        """The same of the JSON object, parsed already."""
        failure = data.get("failure")
        return cls(
            **{
                **data,
                "verdict": Verdict(data["verdict"]),
                "failure": None if failure is None else Failure(**failure),
            }
        )
