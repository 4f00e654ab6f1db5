"""Comparing two environments: the pairs, the rulings, what is stored, and the calibration."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tenet.harness.bench import against, calibration
from tenet.harness.bench.calibration import Calibration, calibrate, threshold_of
from tenet.harness.bench.history import in_order, write_history
from tenet.harness.bench.measure import Measurement
from tenet.harness.bench.oracle import Wrong
from tenet.harness.bench.pairs import AFTER, BEFORE, Arm, Design, Pairs, measure_pairs
from tenet.harness.bench.record import BenchRecord
from tenet.harness.bench.ruling import Ruling, compare, rule, settle
from tenet.harness.bench.sides import Side, Void, side_of
from tenet.harness.bench.store import Store
from tenet.harness.bench.worker import Worker
from tenet.harness.bench.workload import Workload
from tenet.harness.bench.workloads import workloads
from tenet.harness.errors import HarnessError, UsageError

NAME = "view.select/1e3"
OTHER = "view.expand/1e3"
QUIET = Console(quiet=True)


def a_group(ratio: float, noise: float, seed: int = 0, processes: int = 5) -> list[list[float]]:
    values = np.random.default_rng(seed).normal(log(ratio), noise, (processes, 8))
    return [list(row) for row in values]


def entries(ratio: float, seed: int = 0, stage: str = "first", name: str = NAME) -> list[Pairs]:
    """Pairs as an environment `ratio` times as slow would give."""
    random = np.random.default_rng(seed)
    found = []
    for process in range(5):
        for placement in range(4):
            noise = random.normal(1, 0.01, 8)
            seconds = {"before": [1.0] * 8, "after": list(ratio * noise)}
            found.append(Pairs(stage, name, process, placement, "thread", 9, seconds))
    return found


@pytest.mark.parametrize(
    ("ratio", "noise", "ruling"),
    [
        (1.0, 0.01, Ruling.SAME),
        (1.02, 0.002, Ruling.SAME),
        (1.05, 0.01, Ruling.SLOWER),
        (1.10, 0.03, Ruling.SLOWER),
        (0.90, 0.02, Ruling.FASTER),
        (1.0, 0.30, Ruling.INCONCLUSIVE),
    ],
)
def test_rulings(ratio: float, noise: float, ruling: Ruling) -> None:
    found, middle, low, high = rule(a_group(ratio, noise), 0.05)
    assert found is ruling
    assert low <= middle <= high


def test_one_process_that_is_off_does_not_decide() -> None:
    groups = [*a_group(1.0, 0.005, processes=4), [log(1.3)] * 8]
    assert rule(groups, 0.05)[0] in (Ruling.SAME, Ruling.INCONCLUSIVE)


def test_fresh_processes_settle_what_was_open() -> None:
    def groups(ratio: float, noise: float) -> list[list[float]]:
        return a_group(ratio, noise, seed=3)

    slow, same, wild = groups(1.1, 0.01), groups(1.0, 0.01), groups(1.0, 0.4)
    assert rule(wild, 0.05)[0] is Ruling.INCONCLUSIVE
    assert settle(slow, slow, 0.05) is Ruling.SLOWER
    assert settle(slow, same, 0.05) is Ruling.INCONCLUSIVE
    assert settle(slow, groups(0.9, 0.01), 0.05) is Ruling.INCONCLUSIVE
    assert settle(wild, wild, 0.05) is Ruling.INCONCLUSIVE
    assert settle(same, slow, 0.05) is Ruling.SAME, "what is no suspect is not measured again"
    off = [*groups(1.1, 0.01)[:4], [log(0.7)] * 8]
    assert settle(off, slow, 0.05) is Ruling.SLOWER
    assert settle(off, same, 0.05) is not Ruling.SLOWER


def test_a_suspect_counts_where_fresh_processes_say_the_same() -> None:
    slow, same = entries(1.1), entries(1.0, 1, "again")
    assert compare(NAME, slow, [], 0.05).ruling is Ruling.SLOWER
    assert compare(NAME, slow, entries(1.1, 2, "again"), 0.05).ruling is Ruling.SLOWER
    assert compare(NAME, slow, same, 0.05).ruling is not Ruling.SLOWER
    one = compare(NAME, entries(1.1), [], 0.05)
    assert one.ratio == pytest.approx(1.1, abs=0.01)
    assert one.pairs == 5 * 4 * 8


def test_a_void_side_is_no_comparison() -> None:
    found = compare(NAME, [*entries(1.0), Pairs("first", NAME, 1, 0, void="Wrong: 1")], [], 0.05)
    assert (found.ruling, found.void) == (Ruling.VOID, "Wrong: 1")


# ------------------------------------------------------------------ what is stored


def test_an_interrupted_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    key = {"purpose": "against"}
    store = Store(tmp_path, key)
    store.add(entries(1.0)[:4])
    store.close()
    with store.path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "pairs", "content": {"sta')  # it was writing when it was killed
    again = Store(tmp_path, key)
    assert again.resumed == 4
    assert again.has("first", 0, NAME)
    assert not again.has("first", 1, NAME)
    again.end({})
    again.close()
    anew = Store(tmp_path, key)
    assert anew.resumed == 0
    anew.close()
    lines = [json.loads(line) for line in anew.path.read_text().splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds == ["start", *["pairs"] * 4, "end", "start"], "it is only appended to"
    assert lines[1]["content"]["parameters"] == {"elements": 1000}
    assert Store(tmp_path, {"purpose": "other"}).path != store.path


def test_what_holds_no_pairs_is_not_written_to(tmp_path: Path) -> None:
    path = Store(tmp_path, {}).path
    path.write_text("somebody's notes\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no pairs"):
        Store(tmp_path, {})
    assert path.read_text(encoding="utf-8") == "somebody's notes\n"


# ------------------------------------------------------------------ processes


class FakeProcess:
    """A process of a side without a process: it takes a second for a block, and slower blocks
    take as much longer."""

    died = False

    def __init__(self, log_: list[str], name: str) -> None:
        self.log, self.name = log_, name

    def __enter__(self) -> FakeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append(f"end {self.name}")

    def ask(self, act: str, **arguments: Any) -> dict[str, Any]:
        if act == "open" and arguments["workload"] == OTHER:
            raise Void("Wrong: 1, not 2")
        if act == "block":
            self.log.append(f"{self.name}{1 + arguments['slower']:g}")
        return {"number": 1, "clock": "thread", "seconds": 1.0 + arguments.get("slower", 0)}


class FakeSide:
    def __init__(self, log_: list[str], name: str) -> None:
        self.log, self.name = log_, name

    def start(self, threads: int) -> FakeProcess:
        return FakeProcess(self.log, self.name)


def test_sides_take_turns_in_alternating_order() -> None:
    said: list[str] = []
    sides: Any = (FakeSide(said, "a"), FakeSide(said, "b"))
    chosen = [workloads()[OTHER], workloads()[NAME]]
    arms = [BEFORE, AFTER, Arm("slow", 1, 0.5)]
    design = Design(placements=2, turns=4)
    wrong, *found = measure_pairs(sides, arms, chosen, design, "first", 3)
    assert wrong.void == "Wrong: 1, not 2"
    assert [entry.placement for entry in found] == [0, 1]
    assert found[0].seconds == {"before": [1.0] * 4, "after": [1.0] * 4, "slow": [1.5] * 4}
    turns = said[3:15]  # after a first turn that does not count
    assert turns == ["a1", "b1", "b1.5", "b1.5", "b1", "a1", "b1", "b1.5", "a1", "a1", "b1.5", "b1"]
    assert said[-2:] == ["end b", "end a"]


def test_a_worker_checks_what_it_timed() -> None:
    import torch

    worker = Worker(torch)
    cores = worker._cores
    worker._cores = []  # this process stays where it is
    worker.hello(threads=1, device="cpu")
    assert worker.open(NAME, placement=1, core=0) == {"clock": "thread"}
    number = worker.calibrate(0.001)["number"]
    assert number > 100

    def seconds(number: int, slower: float) -> float:
        # One block may be disturbed by what runs beside it; the least of several is not.
        return min(worker.block(number, slower)["seconds"] for _ in range(9))

    assert 1.3 < seconds(number, 1.0) / seconds(number, 0.0) < 3
    assert seconds(1, 1.0) / seconds(1, 0.0) > 1.2
    worker.last = torch.zeros(3)
    with pytest.raises(Wrong):
        worker.close()
    assert cores is not None


@pytest.mark.slow
def test_a_slower_environment_is_found_by_real_processes(tmp_path: Path) -> None:
    """The other python is this one, in which `select` does its work twice."""
    site = tmp_path / "site"
    site.mkdir()
    lie = (
        "import torch\nright = torch.Tensor.__getitem__\n"
        "torch.Tensor.__getitem__ = lambda x, i: (right(x, i), right(x, i))[1]\n"
    )
    (site / "sitecustomize.py").write_text(lie, encoding="utf-8")
    slow = tmp_path / "python-that-is-slow"
    slow.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    here = Side()
    other = side_of(str(slow), here)
    assert other.python == str(slow)
    design = Design(processes=1, placements=3, turns=4)
    key, _ = against.key_of("against", (here, other), design, "this device")
    assert key["after"]["torch"] == key["before"]["torch"]
    store = Store(tmp_path, key)
    against.fill(
        store, (here, other), (BEFORE, AFTER), [workloads()[NAME]], design, ["first"], QUIET
    )
    found = compare(NAME, store.of("first", NAME), [], 0.05)
    assert found.ruling is Ruling.SLOWER
    assert found.ratio > 1.3


def test_a_process_that_cannot_serve_says_why(tmp_path: Path) -> None:
    bare = tmp_path / "python-bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    with pytest.raises(HarnessError, match=r"ModuleNotFoundError.*pip install torch numpy"):
        Side(python=str(bare)).start()


# ------------------------------------------------------------------ the gate as a whole


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Nothing is measured: by name, `NAME` is 10% slower at first, `OTHER` the same."""
    asked: list[tuple[str, int]] = []

    def fake(
        sides: object, arms: Sequence[Arm], chosen: Sequence[Workload], design: Design,
        stage: str, process: int,
    ) -> Iterator[Pairs]:  # fmt: skip
        asked.append((stage, process))
        for workload in chosen:
            slow = workload.name == NAME and stage == "first"
            ratio = (1.1 if slow else 1.0) * (1 + arms[1].slower)
            made = entries(ratio, len(asked), stage, workload.name)
            yield from made[4 * process : 4 * process + 4]

    monkeypatch.setattr(against, "measure_pairs", fake)
    return asked


def test_suspects_are_measured_again(tmp_path: Path, measured: list[tuple[str, int]]) -> None:
    chosen = [workloads()[NAME], workloads()[OTHER]]
    store = Store(tmp_path, {})
    found = against.against(store, (Side(), Side()), chosen, Design(), 0.05, QUIET)
    assert found[0].ruling not in (Ruling.SLOWER, Ruling.FASTER)
    assert found[1].ruling is Ruling.SAME
    assert measured == [(stage, n) for stage in ("first", "again") for n in range(5)]
    assert {e.workload for e in store.entries if e.stage == "again"} == {NAME}


def test_calibration_tells_what_the_gate_is_worth(
    tmp_path: Path, measured: list[tuple[str, int]]
) -> None:
    facts = {"torch": "2.13.0", "fingerprint": "a device"}
    chosen = [workloads()[OTHER]]
    store = Store(tmp_path, {})
    made = calibrate(store, Side(), chosen, Design(), 3, facts, QUIET)
    assert (made.trials, made.false_alarms) == (3, 0.0)
    assert made.found == {"5%": 1.0, "10%": 1.0}
    assert made.smallest is not None
    assert made.smallest <= 0.05
    assert len(measured) == 5 * (3 + 2 + 2)  # pairs, of the rounds of equals and of each slowdown
    assert calibration.known(tmp_path, "a device") is None
    calibration.keep(made, tmp_path)
    assert calibration.known(tmp_path, "a device") == made
    assert calibration.known(tmp_path, "another") is None


def test_a_calibration_goes_on_where_more_rounds_are_asked_for(
    tmp_path: Path, measured: list[tuple[str, int]]
) -> None:
    facts = {"torch": "2.13.0", "fingerprint": "a device"}
    chosen = [workloads()[OTHER]]

    def after(rounds: int) -> Calibration:
        store = Store(tmp_path, {}, lambda outcome: outcome["trials"] < rounds)
        try:
            return calibrate(store, Side(), chosen, Design(), rounds, facts, QUIET)
        finally:
            store.close()

    assert after(3).trials == 3
    before = list(measured)
    assert after(5).trials == 5
    more = [stage for stage, _ in measured[len(before) :]]
    assert set(more) == {"round 3, 0% slower", "round 4, 0% slower"}
    assert len(more) == 2 * 5
    assert after(5).trials == 5
    assert len(measured) == len(before) + len(more) + 5 * (5 + 2 + 2)  # as many: it starts anew


def test_a_threshold_that_is_too_tight_is_refused() -> None:
    noisy = Calibration("d", "h", "t", 9, 0.08, 0.0, {}, 0.08)
    fine = Calibration("d", "h", "t", 9, 0.05, 0.0, {}, 0.03)
    assert threshold_of(None, None) == 0.05
    assert threshold_of(0.1, None) == 0.1
    assert threshold_of(None, noisy) == 0.08
    assert threshold_of(None, fine) == 0.05
    assert threshold_of(0.03, fine) == 0.03
    with pytest.raises(UsageError, match=r"--threshold 5 is too tight; 8 is the least slowdown"):
        threshold_of(0.05, noisy)
    with pytest.raises(UsageError, match="--calibrate"):
        threshold_of(0.02, None)


# ------------------------------------------------------------------ history


def a_record(version: str, factor: float) -> BenchRecord:
    header = {
        "backend": "cpu", "torch": version, "device": "AMD, 2 cores, x86_64", "threads": 1,
        "python": "3.11.7", "platform": "Linux 6", "started": "2026-11-21T07:00:00+00:00",
    }  # fmt: skip
    one = Measurement(NAME, seconds=1e-6 * factor, clock="thread", blocks=3, number=9)
    return BenchRecord(header, None, [one, Measurement(OTHER, void="wrong: 1")])


VERSIONS = ["2.9.0", "2.10.0+cpu", "2.12.1", "2.13.0rc1", "2.13.0+cpu"]


def test_releases_are_in_order() -> None:
    mixed = ["2.13.0", "2.9.1", "2.13.0rc1", "2.10.0", "2.13.0"]
    assert in_order(mixed) == ["2.9.1", "2.10.0", "2.13.0rc1", "2.13.0"]


def test_history_is_a_site_of_asv(tmp_path: Path) -> None:
    site = tmp_path / "site"
    records = [a_record(version, 1 + (i > 2)) for i, version in enumerate(VERSIONS)]
    write_history(records[1:], site)
    written = write_history(records[::-1], site)  # an earlier release came in later
    assert written.releases == ["2.9.0", "2.10.0", "2.12.1", "2.13.0rc1", "2.13.0"]
    releases = site / "releases"
    told = ["git", "log", "--reverse", "--format=%H %s %D"]
    lines = subprocess.run(told, cwd=releases, capture_output=True, text=True, check=True)
    commits = [line.split(" ", 1) for line in lines.stdout.splitlines()]
    assert [about.split(" ")[1] for _, about in commits] == written.releases
    assert all("tag: v2" in about for _, about in commits)
    [machine] = (path.parent for path in site.glob("results/*/machine.json"))
    files = {path.name for path in machine.glob("*-existing-torch.json")}
    assert files == {f"{commit[:8]}-existing-torch.json" for commit, _ in commits}
    content = json.loads((machine / f"{commits[0][0][:8]}-existing-torch.json").read_text())
    assert content["results"]["view.select"][0] == [1e-6, None]
    assert "view.expand" not in content["results"], "a void time is no time"


def test_asv_publishes_it_and_finds_the_step(tmp_path: Path) -> None:
    pytest.importorskip("asv")
    asv = shutil.which("asv") or str(Path(sys.executable).parent / "asv")
    versions = [f"2.{minor}.0" for minor in range(6, 14)]
    records = [a_record(version, 1 + 0.2 * (i > 3)) for i, version in enumerate(versions)]
    write_history(records, tmp_path)
    done = subprocess.run(
        [asv, "publish"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    index = json.loads((tmp_path / "html" / "index.json").read_text())
    assert index["tags"].keys() == {f"v{version}" for version in versions}
    [step] = json.loads((tmp_path / "html" / "regressions.json").read_text())["regressions"]
    assert step[0] == "view.select(1000)"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else"):
        write_history([a_record("2.13.0", 1)], tmp_path)
