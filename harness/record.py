"""Records: what a run found, as JSON lines that are only ever appended to.

A header (who, what, where), a line for each judgement, a footer. A record without a footer was
cut short; a reader of a half-written file loses its last line only.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from tenet.harness.backend import Backend
from tenet.harness.errors import UsageError
from tenet.harness.lines import barely_begun, begin, file_name, line, read_lines, unwritable
from tenet.harness.plan import Plan
from tenet.harness.verdict import Judgement, Verdict

FORMAT = 1


@dataclass(frozen=True)
class Record:
    """A record as read. footer is None where the run was cut short."""

    header: dict[str, Any]
    judgements: list[Judgement]
    footer: dict[str, Any] | None

    @property
    def edition(self) -> str:
        """The backend's own version, or that of its torch."""
        return str(self.header.get("release") or self.header.get("torch", "?"))


def record_path(folder: str | Path, backend: Backend) -> Path:
    """`<folder>/<backend>/<edition>.jsonl`, in characters that every file system takes."""
    return Path(folder) / file_name(backend.name) / f"{file_name(backend.edition)}.jsonl"


def read_record(path: Path) -> Record:
    """Read a record, whole or cut short. UsageError, naming the line, for anything else."""
    header, judgements, footer = read_lines(
        path, "record", "judgement", Judgement.from_data, marks="clauses"
    )
    return Record(header, judgements, footer)


class Records:
    """The records of a run while it goes on: one file for each backend.

    A record that stands at a path already is kept beside it as `<version>.previous.jsonl`, or,
    where the run resumes one that was cut short, is carried on. Raises UsageError, before any
    file is touched, where a path cannot be written, holds something that is no record, or one
    of another run than that to be resumed. surroundings: of the processes that judge, where
    those are not this machine's.
    """

    def __init__(
        self,
        plan: Plan,
        folder: str | Path,
        *,
        resume: bool = False,
        surroundings: Mapping[str, str] | None = None,
    ) -> None:
        self.paths = {backend.name: record_path(folder, backend) for backend in plan.backends}
        self._headers = {
            backend.name: header(backend, plan, surroundings) for backend in plan.backends
        }
        self._started = time.perf_counter()
        self._files: dict[str, TextIO] = {}
        self._seen: dict[str, list[Judgement]] = {name: [] for name in self.paths}
        self._kept: dict[str, int] = {}
        for backend in plan.backends:
            path = self.paths[backend.name]
            if not path.exists() or barely_begun(path):
                continue
            record = read_record(path)
            if resume:
                self._seen[backend.name] = _resumed(record, self._headers[backend.name], path)
                self._kept[backend.name] = path.read_bytes().rfind(b"\n") + 1
        self._expected = {b.name: len(plan.clauses_on(b)) for b in plan.backends}
        try:
            for path in self.paths.values():
                path.parent.mkdir(parents=True, exist_ok=True)
                if not os.access(path.parent, os.W_OK):
                    raise PermissionError(f"no permission to write in {path.parent}")
            for backend in plan.backends:
                self._open(backend)
        except OSError as error:
            raise unwritable(folder, error) from error

    @property
    def judged(self) -> list[Judgement]:
        """What has been judged so far, on every backend."""
        return [judgement for seen in self._seen.values() for judgement in seen]

    def _open(self, backend: Backend) -> None:
        path = self.paths[backend.name]
        if backend.name in self._kept:
            os.truncate(path, self._kept[backend.name])  # a line that was being written
            if len(self._seen[backend.name]) < self._expected[backend.name]:
                self._files[backend.name] = path.open("a", encoding="utf-8")
            return
        self._files[backend.name] = begin(path)
        self._write(backend.name, "header", json.dumps(self._headers[backend.name]))

    def add(self, judgement: Judgement) -> None:
        """Append one judgement; it is on its way to the disk when this returns."""
        self._write(judgement.backend, "judgement", judgement.to_json())
        self._seen[judgement.backend].append(judgement)

    def close(self) -> None:
        """End every record: with a footer where all its clauses have been judged."""
        for name, file in self._files.items():
            seen = self._seen[name]
            if len(seen) == self._expected[name]:
                end = footer(seen, time.perf_counter() - self._started)
                self._write(name, "footer", json.dumps(end))
            file.close()
        self._files.clear()

    def _write(self, backend: str, kind: str, content: str) -> None:
        file = self._files[backend]
        file.write(line(kind, content))
        file.flush()


_SAME_RUN = ("format", "tenet", "backend", "mode", "lacks", "torch", "release", "numpy",
             "hypothesis", "suite", "examples", "seed", "chosen", "clauses")  # fmt: skip
"""What has to agree for one run to carry on the record of another."""


def _resumed(record: Record, now: dict[str, Any], path: Path) -> list[Judgement]:
    """What a record cut short holds already. UsageError where it is another run's."""
    differing = [name for name in _SAME_RUN if record.header.get(name) != now.get(name)]
    if differing:
        first = differing[0]
        raise UsageError(
            f"{path} cannot be resumed: its {first} is {record.header.get(first)!r}, this run's is "
            f"{now.get(first)!r}; run without --resume, or with the options it was begun with"
        )
    return record.judgements


def surroundings() -> dict[str, str]:
    """What this process judges with: versions, and the platform."""
    return {
        "tenet": version("tensor-tenet"),
        "numpy": version("numpy"),
        "hypothesis": version("hypothesis"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def header(backend: Backend, plan: Plan, around: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Who was judged, by what, where and when. around: the `surroundings`, if not these here."""
    around = surroundings() if around is None else around
    return {
        "format": FORMAT,
        "tenet": around["tenet"],
        "backend": backend.name,
        "device": backend.device,
        "device_name": backend.device_name,
        "mode": backend.mode,
        "lacks": dict(backend.lacks),
        "torch": backend.version,
        **({"release": backend.release} if backend.release else {}),
        **{name: around[name] for name in ("numpy", "hypothesis", "python", "platform")},
        "suite": plan.suite.name,
        "examples": plan.examples,
        "seed": plan.request.seed,
        "chosen": list(plan.request.clauses),
        "clauses": len(plan.clauses_on(backend)),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": _git_state(),
    }


def footer(judgements: list[Judgement], seconds: float) -> dict[str, Any]:
    """Counts over a finished run. seconds: by the clock; worked: summed over all processes.

    The rates are those of one core: counts over the seconds worked.
    """
    worked = sum(judgement.seconds for judgement in judgements)
    drawn = sum(judgement.drawn for judgement in judgements)
    cases = sum(judgement.cases for judgement in judgements)
    verdicts = Counter(judgement.verdict for judgement in judgements)
    return {
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict},
        "examples": sum(judgement.examples for judgement in judgements),
        "drawn": drawn,
        "cases": cases,
        "seconds": round(seconds, 3),
        "worked": round(worked, 3),
        "drawn_per_second_and_core": round(drawn / worked) if worked else 0,
        "cases_per_second_and_core": round(cases / worked) if worked else 0,
    }


def _git_state() -> dict[str, Any] | None:
    """Commit and cleanliness of the repository that the run was started in, if it is one."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
