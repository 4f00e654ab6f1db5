"""A hundred faults at random moments: each run ends with a whole record, none lost or double.

`python -m pytest tests/test_faults.py -m "slow or not slow"` injects all of them; without `-m`,
one of each kind that `test_isolation.py` does not inject. What is drawn follows from the number of
the fault alone.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import COMMAND

from tenet.harness.record import Record, read_record
from tenet.harness.verdict import Judgement, Verdict

FAULTS = 100
CHOSEN = ("--backend", "cpu", "--clause", "comparison.*", "--examples", "40")
LIMITS = ("--workers", "2", "--timeout", "6", "--memory", "900")

DEEDS = {
    "segfault": "ctypes.string_at(0)",
    "abort": "os.abort()",
    "exit": "os._exit(0)",
    "arithmetic": "os.kill(os.getpid(), signal.SIGFPE)",
    "hang": "ctypes.PyDLL(None).sleep(600)",  # with the interpreter's lock
    "sleep": "time.sleep(600)",
    "memory": "hoard = [b'x' * (1 << 26) for _ in range(16)]; time.sleep(600)",
}
"""What the backend does, once in a run."""
ENDED = {"hang": Verdict.TIMED_OUT, "sleep": Verdict.TIMED_OUT}
"""As what it is known; all else is `crashed`."""
KILLS = ["kill a worker", "kill a worker at once"]
KINDS = [*DEEDS, *KILLS, "kill the run", "interrupt the run"]
ELSEWHERE = {"abort", "exit", "arithmetic", "hang", "sleep"}
"""Kinds that test_isolation.py injects, at a moment of its own."""

LIE = """
import ctypes, itertools, os, signal, time, torch
def wrong(*arguments, right=torch.tensor, calls=itertools.count(1), **options):
    if next(calls) == {moment}:
        try:
            os.close(os.open({mark!r}, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            {deed}
    return right(*arguments, **options)
torch.tensor = wrong
"""


def begin(folder: Path, *options: str, lie: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    if lie:
        (folder / "sitecustomize.py").write_text(lie, encoding="utf-8")
        environment["PYTHONPATH"] = str(folder)
    command = [sys.executable, "-c", COMMAND, "run", *CHOSEN, *LIMITS, *options]
    return subprocess.Popen(
        [*command, "--results", str(folder)],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = run.communicate(timeout=240)
    return run.returncode, output


def record_in(folder: Path) -> Record:
    [path] = folder.glob("cpu/*.jsonl")
    return read_record(path)


def facts(judgement: Judgement) -> tuple[object, ...]:
    """What does not depend on how long anything took."""
    return judgement.verdict, judgement.examples, judgement.cases, judgement.reason


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    status, output = ended(begin(folder))
    assert status == 0, output
    return {judgement.clause: facts(judgement) for judgement in record_in(folder).judgements}


def cases() -> Iterator[object]:
    for number in range(FAULTS):
        kind = KINDS[number % len(KINDS)]
        always = number < len(KINDS) and kind not in ELSEWHERE
        marks = [] if always else [pytest.mark.slow]
        yield pytest.param(number, kind, id=f"{number}-{kind.replace(' ', '-')}", marks=marks)


@pytest.mark.parametrize(("number", "kind"), list(cases()))
def test_no_verdict_is_lost_or_double(
    number: int, kind: str, tmp_path: Path, undisturbed: dict[str, tuple[object, ...]]
) -> None:
    random_ = random.Random(number)
    if kind in DEEDS:
        mark = tmp_path / "done"
        lie = LIE.format(moment=random_.randint(1, 4000), mark=str(mark), deed=DEEDS[kind])
        status, output = ended(begin(tmp_path, lie=lie))
        assert mark.exists(), "the backend had no occasion"
        assert status == 1, output
        allowed = {ENDED.get(kind, Verdict.CRASHED)}
    else:
        run = begin(tmp_path)
        disturb(run, kind, random_)
        status, output = ended(run)
        if kind not in KILLS:
            assert status != 0, output
            status, output = ended(begin(tmp_path, "--resume"))
        allowed = {Verdict.CRASHED} if kind in KILLS else set()
    record = record_in(tmp_path)
    assert record.footer is not None, output
    counts = Counter(judgement.clause for judgement in record.judgements)
    assert counts == Counter(undisturbed.keys()), output
    others = [j for j in record.judgements if facts(j) != undisturbed[j.clause]]
    assert {judgement.verdict for judgement in others} <= allowed, output
    assert len(others) == 1 if kind in DEEDS else len(others) <= 1
    assert (status == 0) == (not others)


def workers_of(run: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(run.pid).children(recursive=True)
    return [process for process in children if process.status() != psutil.STATUS_ZOMBIE]


def disturb(run: subprocess.Popen[str], kind: str, random_: random.Random) -> None:
    """At a random moment after the run began to judge, or to make its workers."""
    folder = Path(run.args[-1])  # type: ignore[index, arg-type] # the arguments are a list
    early = kind == "kill a worker at once"
    while not (workers_of(run) if early else list(folder.glob("cpu/*.jsonl"))):
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    time.sleep(random_.uniform(0, 3))
    if kind in KILLS:
        workers = workers_of(run)
        if workers:
            random_.choice(workers).kill()
    else:
        run.send_signal(signal.SIGKILL if kind == "kill the run" else signal.SIGINT)
