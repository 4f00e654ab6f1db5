"""Records of measurements: JSON lines, one file for each backend and version."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tenet.harness.backend import Backend
from tenet.harness.bench.ceiling import Ceiling
from tenet.harness.bench.measure import Measurement
from tenet.harness.errors import UsageError
from tenet.harness.lines import begin, file_name, line, unwritable

FOLDER = "bench"


@dataclass(frozen=True)
class BenchRecord:
    """What a file holds. ceiling: None where the run was cut short before it."""

    header: dict[str, Any]
    ceiling: Ceiling | None
    measurements: list[Measurement]


def record_path(results: str | Path, backend: Backend) -> Path:
    """`<results>/<backend>/bench/<version>.jsonl`."""
    folder = Path(results) / file_name(backend.name) / FOLDER
    return folder / f"{file_name(backend.version)}.jsonl"


def harness_version() -> str:
    """Tenet's version and a digest of the modules that measure: a change to them changes it."""
    return f"{version('tensor-tenet')}+{_digest()}"


def _digest() -> str:
    whole = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:8]


def fingerprint(backend: Backend) -> str:
    """The device and the machine, as far as they decide how fast something is."""
    return f"{backend.device_name}, {os.cpu_count()} cores, {platform.machine()}"


def header_of(backend: Backend, threads: int) -> dict[str, Any]:
    """Who was measured, by what, where and when."""
    return {
        "backend": backend.name,
        "torch": backend.version,
        "device": fingerprint(backend),
        "threads": threads,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()}",
        "harness": harness_version(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


class BenchWriter:
    """A record while it is written. The one that stood there is kept as `.previous.jsonl`.

    UsageError where nothing can be written.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        try:
            self._file = begin(path)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        self._write("header", header)

    def ceiling(self, ceiling: Ceiling) -> None:
        """Add the ceiling."""
        self._write("ceiling", asdict(ceiling))

    def add(self, measurement: Measurement) -> None:
        """Add a measurement."""
        self._write("measurement", asdict(measurement))

    def close(self) -> None:
        """End the record."""
        self._file.close()

    def _write(self, kind: str, content: dict[str, Any]) -> None:
        self._file.write(line(kind, json.dumps(content)))
        self._file.flush()


def read_bench(path: Path) -> BenchRecord:
    """Read a record, whole or cut short. UsageError for anything else."""
    header: dict[str, Any] | None = None
    ceiling: Ceiling | None = None
    measurements: list[Measurement] = []
    try:
        for kind, content in _entries(path):
            if kind == "header":
                header = content
            elif kind == "ceiling":
                ceiling = Ceiling(**content)
            else:
                measurements.append(Measurement(**content))
        if header is None:
            raise ValueError("it has no header")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no record of `tenet bench`: {error}") from error
    return BenchRecord(header, ceiling, measurements)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines.pop()  # what follows the last line break: nothing, or a line that was being written
    for text in lines:
        entry = json.loads(text)
        yield entry["kind"], entry["content"]


def stored(results: str | Path) -> list[BenchRecord]:
    """Every record below `results`, the earlier versions first as far as names tell."""
    paths = sorted(Path(results).glob(f"*/{FOLDER}/*.jsonl"))
    return [read_bench(path) for path in paths if not path.stem.endswith(".previous")]
