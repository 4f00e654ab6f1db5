"""Records of audits: JSON lines that are only ever appended to, as those of runs are."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from tenet.harness.audit.examine import Finding
from tenet.harness.audit.pool import Terms
from tenet.harness.audit.score import score
from tenet.harness.lines import begin, line, read_lines, unwritable

FORMAT = 1


def read_audit(path: Path) -> tuple[dict[str, Any], list[Finding], dict[str, Any] | None]:
    """(header, findings, footer) of a record; footer None where the audit was cut short.

    UsageError, naming the line, for anything that is no record of an audit.
    """
    return read_lines(path, "record of an audit", "finding", Finding.from_json, marks="mutants")


class AuditRecord:
    """The record of an audit while it goes on: `<folder>/audit/<torch version>.jsonl`.

    One that stands there already is kept as `<version>.previous.jsonl`. UsageError where the
    path cannot be written, or holds something else.
    """

    def __init__(self, folder: str | Path, header: dict[str, Any], expected: int) -> None:
        self.path = Path(folder) / "audit" / f"{header['torch']}.jsonl"
        if self.path.exists():
            read_audit(self.path)
        self._started = time.perf_counter()
        self._expected = expected
        self._findings: list[Finding] = []
        try:
            self._file = begin(self.path)
        except OSError as error:
            raise unwritable(folder, error) from error
        self._write("header", header)

    def add(self, finding: Finding) -> None:
        """Append a finding; it is on its way to the disk when this returns."""
        self._findings.append(finding)
        self._write("finding", finding.to_json())

    def __enter__(self) -> AuditRecord:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the record: with a footer where every mutant has its finding."""
        if len(self._findings) == self._expected:
            seconds = round(time.perf_counter() - self._started, 1)
            self._write("footer", {**score(self._findings), "seconds": seconds})
        self._file.close()

    def _write(self, kind: str, content: object) -> None:
        self._file.write(line(kind, json.dumps(content)))
        self._file.flush()


def header(terms: Terms, suite: str, patterns: Sequence[str], count: int) -> dict[str, Any]:
    """What was examined, with what, where and when."""
    return {
        "format": FORMAT,
        "tenet": version("tensor-tenet"),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "suite": suite,
        "examples": terms.examples,
        "seed": terms.seed,
        "every": terms.every,
        "blind": terms.blind,
        "chosen": list(patterns),
        "mutants": count,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
