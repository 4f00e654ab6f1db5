"""Nothing that a backend does can break the run: every other verdict is there all the same."""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from conftest import COMMAND, Tenet

from tenet.harness.record import Record, read_record
from tenet.harness.verdict import Judgement, Verdict
from tenet.harness.watch import Limits, Watch, watching

DEADLY = {
    "eye": ("creation.eye", "ctypes.string_at(0)"),
    "linspace": ("creation.linspace-exact", "os.abort()"),
    "full": ("creation.full", "os._exit(0)"),
    "isclose": ("comparison.isclose", "os.kill(os.getpid(), signal.SIGFPE)"),
    "flip": ("shape.flip", "os.close(1); os.close(2); os.abort()"),
    "equal": ("comparison.equal", "os.write(2, b'out of registers'); os.abort()"),
    "stack": (
        "shape.stack",
        "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)];"
        "[os.write(fd, b'x' * 4096) for fd in (1, 2) for _ in range(2000)]; os.abort()",
    ),
}
ENDLESS = {
    "cat": ("shape.cat", "time.sleep(600)"),
    "squeeze": ("shape.squeeze", "ctypes.PyDLL(None).sleep(600)"),  # with the interpreter's lock
    "flatten": ("shape.flatten", "hoard = [b'x' * (1 << 26) for _ in range(16)]; time.sleep(9)"),
}


def lying(deeds: dict[str, tuple[str, str]]) -> str:
    """A backend in which each function does its deed at its fifth call in a process."""
    lines = ["import ctypes, itertools, os, signal, sys, time"]
    for name, (_, deed) in deeds.items():
        lines.append(f"""
def wrong(*arguments, right=torch.{name}, calls=itertools.count(1), **options):
    if next(calls) == 5:
        {deed}
    return right(*arguments, **options)
torch.{name} = wrong""")
    return "\n".join(lines)


def judged(
    tenet: Tenet, tmp_path: Path, deeds: dict[str, tuple[str, str]], *options: str
) -> tuple[Record, dict[str, Judgement], str]:
    clauses = [clause for clause, _ in deeds.values()] + ["attributes.ndim", "view.storage"]
    chosen = [word for clause in clauses for word in ("--clause", clause)]
    done = tenet("run", "--backend", "cpu", "--workers", "2", *chosen, *options, lie=lying(deeds))
    assert done.returncode == 1, done.stdout + done.stderr
    [path] = tmp_path.glob("results/cpu/*.jsonl")
    record = read_record(path)
    judgements = {judgement.clause: judgement for judgement in record.judgements}
    assert sorted(judgements) == sorted(clauses)
    assert len(record.judgements) == len(clauses)
    assert judgements.pop("attributes.ndim").verdict is Verdict.PASSED
    assert judgements.pop("view.storage").verdict is Verdict.PASSED
    return record, judgements, done.stdout


def test_a_death_is_a_verdict_with_the_example_that_was_running(
    tenet: Tenet, tmp_path: Path
) -> None:
    record, judgements, output = judged(tenet, tmp_path, DEADLY)
    assert record.footer is not None
    for clause, judgement in judgements.items():
        assert judgement.verdict is Verdict.CRASHED, judgement
        assert judgement.failure is not None
        assert judgement.failure.example
        assert f"CRASHED {clause}" in output
    assert "out of registers" in judgements["comparison.equal"].reason
    assert "x" * 3000 not in output


@pytest.mark.parametrize("which", [1, 2])
def test_a_worker_that_dies_as_it_starts_is_replaced(
    which: int, tenet: Tenet, tmp_path: Path
) -> None:
    """The n-th worker ends before it has answered to its name; the others do not."""
    lie = f"""
import os, sys
if "stdin.readline" in " ".join(sys.orig_argv):
    for number in range(1, 9):
        try:
            os.close(os.open(f"{tmp_path}/{{number}}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        if number == {which}:
            os._exit(1)
        break
"""
    chosen = ("--clause", "attributes.*")
    done = tenet("run", "--backend", "cpu", "--workers", "2", *chosen, "--suite", "smoke", lie=lie)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "3").exists(), "nobody died"
    [path] = tmp_path.glob("results/cpu/*.jsonl")
    assert read_record(path).footer is not None


def test_who_takes_too_much_time_or_memory_is_ended(tenet: Tenet, tmp_path: Path) -> None:
    limits = ("--timeout", "8", "--memory", "1000")
    _, judgements, _ = judged(tenet, tmp_path, ENDLESS, *limits)
    for clause in ("shape.cat", "shape.squeeze"):
        assert judgements[clause].verdict is Verdict.TIMED_OUT
        assert "no answer within 8 s" in judgements[clause].reason
    assert judgements["shape.flatten"].verdict is Verdict.CRASHED
    assert "MiB are more than" in judgements["shape.flatten"].reason


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_ended_is_resumed(tmp_path: Path, end: signal.Signals) -> None:
    """At whatever moment: no verdict is lost, and none is there twice."""
    options = ["run", "--backend", "cpu", "--workers", "1", "--clause", "attributes.*"]
    options += ["--results", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    begun = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options],
        env=environment, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while not [line for path in tmp_path.glob("cpu/*") for line in path.read_text().splitlines()]:
        assert begun.poll() is None
        time.sleep(0.05)
    time.sleep(random.Random(int(end)).uniform(0.5, 2))
    if end is signal.SIGKILL:
        begun.kill()
    else:  # as a terminal or `timeout` does
        os.killpg(begun.pid, end)
    begun.wait(30)
    [path] = tmp_path.glob("cpu/*.jsonl")
    before = read_record(path)
    if end is signal.SIGKILL:  # it may have died in the middle of a line
        with path.open("a", encoding="utf-8") as file:
            file.write('{"kind": "judgement", "content": {"clau')
    again = subprocess.run(
        [sys.executable, "-c", COMMAND, *options, "--resume"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    after = read_record(path)
    assert after.footer is not None
    assert after.judgements[: len(before.judgements)] == before.judgements
    clauses = [judgement.clause for judgement in after.judgements]
    assert len(set(clauses)) == len(clauses) == after.header["clauses"]


def test_another_run_is_not_resumed(tenet: Tenet, tmp_path: Path) -> None:
    chosen = ("run", "--backend", "cpu", "--workers", "0", "--clause", "attributes.ndim")
    assert tenet(*chosen, "--seed", "1").returncode == 0
    [path] = tmp_path.glob("results/cpu/*.jsonl")
    before = path.read_bytes()
    refused = tenet(*chosen, "--seed", "2", "--resume")
    assert refused.returncode == 2
    assert "its seed is 1, this run's is 2" in refused.stderr
    assert path.read_bytes() == before
    assert tenet(*chosen, "--seed", "1", "--resume").returncode == 0  # there is nothing left to do
    assert path.read_bytes() == before


def test_a_full_disk_is_said_and_corrupts_nothing(tenet: Tenet, tmp_path: Path) -> None:
    lie = """
import resource
from tenet.harness.record import Records
right = Records.add
def add(self, judgement):
    if self.judged:
        raise OSError(28, "No space left on device")
    right(self, judgement)
Records.add = add
"""
    chosen = ("run", "--backend", "cpu", "--workers", "1", "--clause", "attributes.*")
    full = tenet(*chosen, lie=lie)
    assert full.returncode == 3
    assert "No space left on device; make room, and go on with --resume" in full.stdout
    [path] = tmp_path.glob("results/cpu/*.jsonl")
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == [
        "header",
        "judgement",
    ]


def test_a_line_that_is_being_written_ends_nobody(tmp_path: Path) -> None:
    """Packing first clears the fields, so that a reader may meet a start of 0."""
    with watching(Limits(seconds=60, memory=1 << 40)) as watch:
        path = watch.open_journal("gw0")
        with open(path, "r+b") as file:
            view = mmap.mmap(file.fileno(), 0)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            struct.pack_into("=qdqq", view, 0, os.getpid(), 0.0, 1, 0)  # as a torn read sees it
            struct.pack_into("=qdqq", view, 0, os.getpid(), time.monotonic(), 1, 0)
    # This process is the one that would have been ended.


@dataclass
class _Process:
    """What the watch asks of a process."""

    state: str
    worked: float = 0.0
    ended: bool = False

    def status(self) -> str:
        return self.state

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=self.worked, system=0.0)

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=0)

    def children(self, recursive: bool) -> list[psutil.Process]:
        return []

    def kill(self) -> None:
        self.ended = True


@pytest.mark.parametrize(
    ("state", "worked", "waited", "ended"),
    [
        (psutil.STATUS_RUNNING, 0.1, 2.0, False),  # others have the processor
        (psutil.STATUS_RUNNING, 0.1, 11.0, True),  # for too long
        (psutil.STATUS_RUNNING, 0.6, 2.0, True),  # it computes, and does not end
        (psutil.STATUS_SLEEPING, 0.1, 2.0, True),  # it waits for something
        (psutil.STATUS_RUNNING, 0.1, 0.5, False),
    ],
)
def test_who_is_starved_is_given_time(
    state: str, worked: float, waited: float, ended: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    process = _Process(state)
    monkeypatch.setattr(psutil, "Process", lambda pid: process)
    watch = Watch(Limits(seconds=1, memory=1 << 40), tmp_path)
    path = watch.open_journal("gw0")
    now = time.monotonic()
    with open(path, "r+b") as file:
        struct.pack_into("=qdqq", mmap.mmap(file.fileno(), 0), 0, os.getpid(), now, 1, 0)
    [worker] = watch._workers
    worker.output.touch()
    watch._look_at(worker)
    process.worked = worked
    monkeypatch.setattr(time, "monotonic", lambda: now + waited)
    watch._look_at(worker)
    assert process.ended is ended
