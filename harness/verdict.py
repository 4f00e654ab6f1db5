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
    UNSUPPORTED = "unsupported"
    VACUOUS = "vacuous"


BROKEN = frozenset({Verdict.FAILED, Verdict.CRASHED})
"""The backend does not hold to the clause."""
UNSOUND = frozenset({Verdict.ERRORED, Verdict.VACUOUS})
"""The check is at fault, and says nothing about the backend."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a verdict is not `passed`.

    what: the kind of difference; got, expected: as text; where: index of the first element that
    differs; case: labels of the one case; shown: the smallest example for people; example: the
    same, encoded for replay (see spec.cases.encoding); at: module and line of the check.
    """

    what: str
    got: str
    expected: str
    where: list[int] | None = None
    case: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    example: dict[str, Any] | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One clause judged on one backend.

    examples: tried; drawn: of these, made by Hypothesis; asserted: reached a comparison;
    discarded: given up as not applicable; cases: comparisons; skipped: dtypes passed over, with
    how often; seconds: of this process; reason: for a verdict without a failure.
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
    seconds: float = 0.0
    reason: str = ""
    failure: Failure | None = None

    def to_json(self) -> str:
        """One line of JSON, as a record stores it and a worker sends it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Judgement:
        """The judgement that `to_json` gave. TypeError or ValueError for anything else."""
        data = json.loads(text)
        failure = data.get("failure")
        return cls(
            **{
                **data,
                "verdict": Verdict(data["verdict"]),
                "failure": None if failure is None else Failure(**failure),
            }
        )
