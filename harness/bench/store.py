"""Raw pairs on disk: append-only, so that what was measured is never lost or measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenet.harness.bench.pairs import Pairs
from tenet.harness.bench.workloads import workloads
from tenet.harness.errors import UsageError


class Store:
    """The pairs of one comparison, which `key` describes; in a file that is named after it.

    A run that has not ended is taken up where it stopped, and so is one that has ended where
    `falls_short` says of its outcome that more was asked for. `resumed` tells how many of its
    entries were there already.
    """

    def __init__(
        self,
        folder: str | Path,
        key: Mapping[str, Any],
        falls_short: Callable[[Mapping[str, Any]], bool] = lambda outcome: False,
    ) -> None:
        self._falls_short = falls_short
        text = json.dumps(key, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.path = Path(folder) / "pairs" / f"{name}.jsonl"
        self.entries: list[Pairs] = []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            open_run = self._read() if self.path.exists() else False
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"pairs cannot be stored below {folder}: {error}; "
                "choose another folder with --results"
            ) from error
        self.resumed = len(self.entries)
        if not open_run:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            self._write("start", {**key, "started": started})

    def _read(self) -> bool:
        """Read the last run; whether it goes on."""
        whole = self.path.read_text(encoding="utf-8")
        if whole and not whole.endswith("\n"):  # the last line was being written
            whole = whole[: whole.rfind("\n") + 1]
            self.path.write_text(whole, encoding="utf-8")
        going_on = False
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                entry = json.loads(line)
                kind, content = entry["kind"], entry["content"]
                if kind == "end" and self._falls_short(content):
                    continue
                if kind in ("start", "end"):
                    self.entries.clear()
                    going_on = kind == "start"
                else:
                    content.pop("parameters", None)
                    self.entries.append(Pairs(**content))
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{self.path} holds no pairs (line {number}: {error}); move it away"
                ) from error
        return going_on

    def add(self, entries: list[Pairs]) -> None:
        """Add what a pair of processes told of a workload: all of it, or nothing."""
        self.entries += entries
        lines = [self._line("pairs", self._described(entry)) for entry in entries]
        self._file.write("".join(lines))
        self._file.flush()

    @staticmethod
    def _described(entry: Pairs) -> dict[str, Any]:
        parameters = dict(workloads()[entry.workload].parameters)
        return {**entry.to_dict(), "parameters": parameters}

    def has(self, stage: str, process: int, workload: str) -> bool:
        """Whether that is there already."""
        return any(
            (e.stage, e.process, e.workload) == (stage, process, workload) for e in self.entries
        )

    def of(self, stage: str, workload: str) -> list[Pairs]:
        """The pairs of a workload in a stage."""
        return [e for e in self.entries if e.stage == stage and e.workload == workload]

    def end(self, content: Mapping[str, Any]) -> None:
        """The comparison is complete; the next of its kind starts anew."""
        self._write("end", content)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, kind: str, content: Mapping[str, Any]) -> None:
        self._file.write(self._line(kind, content))
        self._file.flush()

    @staticmethod
    def _line(kind: str, content: Mapping[str, Any]) -> str:
        return json.dumps({"kind": kind, "content": dict(content)}) + "\n"
