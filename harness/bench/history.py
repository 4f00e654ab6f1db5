"""Speed over the releases of torch, as asv shows it.

asv's x-axis is the history of a git repository. The one that is made here has a commit, with a
tag, for each release of torch that there is a record of; the results are filed as if they had
been measured at those commits. `asv publish` in the folder then draws the curves and finds steps.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from tenet.harness.bench.measure import Measurement
from tenet.harness.bench.record import BenchRecord
from tenet.harness.bench.workload import Family
from tenet.harness.bench.workloads import FAMILIES, workloads
from tenet.harness.errors import HarnessError, UsageError
from tenet.harness.lines import file_name

_RELEASES = "releases"
_ENVIRONMENT = "existing-torch"
_DAY = 86_400
_START = 1_600_000_000
"""Any time will do: a release a day, in order, so that asv draws them evenly."""


@dataclass(frozen=True)
class Written:
    """releases: of torch, in order; results: how many files of them."""

    releases: list[str]
    results: int


def release_of(version: str) -> str:
    """The release of a version: 2.13.0+cpu is one of 2.13.0."""
    return version.partition("+")[0]


def in_order(versions: Sequence[str]) -> list[str]:
    """Releases by their numbers; one that is not final comes before the final one."""

    def place(version: str) -> tuple[list[int], bool, str]:
        numbers = re.match(r"\d+(\.\d+)*", version)
        final = numbers is not None and numbers.end() == len(version)
        return [int(n) for n in numbers[0].split(".")] if numbers else [], final, version

    return sorted(set(versions), key=place)


def write_history(records: Sequence[BenchRecord], folder: Path) -> Written:
    """Write records as results of asv, with all that `asv publish` asks for.

    UsageError where there are none, or where the folder holds something else; HarnessError
    without git.
    """
    if not records:
        raise UsageError("no records of `tenet bench` were found; measure first, or see --results")
    if folder.exists() and any(folder.iterdir()) and not (folder / "asv.conf.json").exists():
        raise UsageError(f"{folder} holds something else; choose another folder")
    releases = in_order([release_of(record.header["torch"]) for record in records])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        commits = _repository(folder / _RELEASES, releases)
        _write(folder / "asv.conf.json", _configuration())
        # What an earlier history filed may stand at commits that are no more.
        shutil.rmtree(folder / "results", ignore_errors=True)
        _write(folder / "results" / "benchmarks.json", _benchmarks())
        for record in records:
            _results(folder / "results", record, commits)
    except OSError as error:
        raise UsageError(f"the history cannot be written to {folder}: {error}") from error
    return Written(releases, len(records))


def _repository(folder: Path, releases: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Commit and time (in milliseconds) of each release. What is there already stays as it is,
    unless a release came in between: then it is made anew, which changes the later commits."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--initial-branch=main")
    commits: dict[str, tuple[str, int]] = {}
    parent: list[str] = []
    for number, release in enumerate(releases):
        seconds = _START + number * _DAY
        # The tree is empty: nothing is built or checked out.
        tree = _git(folder, "hash-object", "-t", "tree", "-w", "--stdin")
        commit = _git(folder, "commit-tree", tree, *parent, "-m", f"torch {release}", at=seconds)
        _git(folder, "tag", "--force", f"v{release}", commit)
        commits[release] = commit, 1000 * seconds
        parent = ["-p", commit]
    _git(folder, "update-ref", "refs/heads/main", parent[1])
    return commits


def _git(folder: Path, *arguments: str, at: int = _START) -> str:
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "tenet"), ("EMAIL", "tenet@example"), ("DATE", f"{at} +0000"))
    }
    # The repository is the one in this folder, whatever an outer git has in mind.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env={**outer, **who}, input="",
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise HarnessError(f"git {arguments[0]} failed in {folder}: {said.strip()}") from error
    return done.stdout.strip()


def _configuration() -> dict[str, Any]:
    return {
        "version": 1,
        "project": "torch",
        "project_url": "https://pytorch.org",
        "repo": _RELEASES,
        "branches": ["main"],
        "benchmark_dir": ".",
        "environment_type": "existing",
        "results_dir": "results",
        "html_dir": "html",
        "show_commit_url": "https://github.com/pytorch/pytorch/releases#",
    }


def _benchmarks() -> dict[str, Any]:
    """What asv finds out about benchmarks when it runs them itself."""
    return {"version": 2, **{family.name: _benchmark(family) for family in FAMILIES}}


def _benchmark(family: Family) -> dict[str, Any]:
    return {
        "name": family.name,
        "type": "time",
        "unit": "seconds",
        "version": str(family.version),
        "param_names": list(family.parameters),
        "params": [[repr(value) for value in values] for values in family.parameters.values()],
        "code": f"checked as clause {family.clause} says",
        "timeout": 60.0,
        "number": 0,
        "repeat": 0,
        "rounds": 1,
        "min_run_count": 1,
        "sample_time": 0.01,
        "warmup_time": -1,
    }


def _results(folder: Path, record: BenchRecord, commits: Mapping[str, tuple[str, int]]) -> None:
    header = record.header
    commit, date = commits[release_of(header["torch"])]
    machine = file_name(f"{header['backend']}-{header['device']}")
    about = {
        "machine": machine,
        "os": header["platform"].partition(" ")[0],  # a new kernel starts no new curve
        "arch": header["device"].rpartition(", ")[2],
        "cpu": header["device"],
        "num_cpu": "",
        "ram": "",
    }
    parameters = {**about, "python": header["python"], "backend": header["backend"]}
    _write(folder / machine / "machine.json", {**about, "version": 1})
    _write(
        folder / machine / f"{commit[:8]}-{_ENVIRONMENT}.json",
        {
            "version": 2,
            "commit_hash": commit,
            "date": date,
            "env_name": _ENVIRONMENT,
            "env_vars": {},
            "python": header["python"],
            "requirements": {},
            "params": parameters,
            "result_columns": ["result", "params", "version", "started_at", "duration"],
            "results": _columns(record),
            "durations": {},
        },
    )


def _columns(record: BenchRecord) -> dict[str, list[Any]]:
    started = int(datetime.fromisoformat(record.header["started"]).timestamp() * 1000)
    measured: dict[str, Measurement] = {one.workload: one for one in record.measurements}
    named = {(w.family.name, *w.parameters.values()): name for name, w in workloads().items()}
    columns = {}
    for family in FAMILIES:
        values = []
        for point in product(*family.parameters.values()):
            one = measured.get(named[family.name, *point])
            values.append(one.seconds if one is not None and not one.void else None)
        if any(value is not None for value in values):
            shown = _benchmark(family)
            columns[family.name] = [values, shown["params"], shown["version"], started, 0.0]
    return columns


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
