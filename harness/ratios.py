"""How the times of two records of `tenet bench` compare."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tenet.harness.bench.bench import in_units
from tenet.harness.bench.record import BenchRecord, read_bench


@dataclass(frozen=True)
class Ratio:
    """One workload in both records: seconds of one operation; ratio: after by before.

    within: the difference is no larger than the spreads of both measurements together; None for
    the numbers where a result was void.
    """

    workload: str
    before: float | None
    after: float | None
    ratio: float | None
    within: bool
    void: str = ""

    def describe(self) -> str:
        """The change in a line."""
        if self.before is None or self.after is None or self.ratio is None:
            return f"{self.workload}: {self.void}"
        times = f"{in_units(self.before, 's')} -> {in_units(self.after, 's')}"
        return f"{self.workload}: {times}, {self.ratio:.2f} times" + (
            " (within the spread)" if self.within else ""
        )


@dataclass(frozen=True)
class Ratios:
    """settings: header entries that differ; only_before, only_after: workloads of one record."""

    settings: dict[str, tuple[object, object]]
    ratios: list[Ratio]
    only_before: list[str]
    only_after: list[str]

    @property
    def groups(self) -> dict[str, list[str]]:
        """The lines of every kind, by its title; the largest changes first."""
        said: dict[str, list[Ratio]] = {"slower": [], "faster": [], "as fast": [], "void": []}
        for one in self.ratios:
            slower = one.ratio is not None and one.ratio > 1
            kind = "void" if one.ratio is None else "as fast" if one.within else "slower"
            said["faster" if kind == "slower" and not slower else kind].append(one)
        said["slower"].sort(key=lambda one: -(one.ratio or 0))
        said["faster"].sort(key=lambda one: one.ratio or 0)
        lines = {kind: [one.describe() for one in ones] for kind, ones in said.items()}
        return {
            **lines,
            "timed before only": self.only_before,
            "timed after only": self.only_after,
        }

    def to_json(self) -> dict[str, Any]:
        """As `tenet compare --format json` prints it."""
        return asdict(self)


_SETTINGS = ("backend", "torch", "device", "threads", "python", "harness")


def ratios(before: BenchRecord, after: BenchRecord) -> Ratios:
    """What the second record tells of each workload of the first."""
    old = {one.workload: one for one in before.measurements}
    new = {one.workload: one for one in after.measurements}
    found = []
    for name in (name for name in old if name in new):
        first, second = old[name], new[name]
        void = first.void or second.void
        if void or not first.seconds or not second.seconds:
            said = (void or "no time").encode(errors="replace").decode()
            found.append(Ratio(name, None, None, None, False, said))
            continue
        ratio = second.seconds / first.seconds
        within = max(ratio, 1 / ratio) <= 1 + first.spread + second.spread
        found.append(Ratio(name, first.seconds, second.seconds, ratio, within))
    return Ratios(
        {
            name: (before.header.get(name), after.header.get(name))
            for name in _SETTINGS
            if before.header.get(name) != after.header.get(name)
        },
        found,
        [name for name in old if name not in new],
        [name for name in new if name not in old],
    )


def read_pair(before: Path, after: Path) -> Ratios:
    """The same for two files. UsageError where one is no record of `tenet bench`."""
    return ratios(read_bench(before), read_bench(after))


def is_bench(path: Path) -> bool:
    """Whether a file begins as the records of `tenet bench` do; False where it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            entry = json.loads(file.readline())
        return bool(entry["kind"] == "header" and "threads" in entry["content"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
