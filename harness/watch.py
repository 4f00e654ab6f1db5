"""Watching workers: what each is doing, for how long, and with how much memory.

A worker writes into its journal, a small file that both sides have mapped, which item it judges
and, before every call of the check, the example. The journal outlives the worker. So whoever
dies, or hangs where no signal and no thread of its own would be heard, is known with its example.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pickle
import signal
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.cases import encode
from tenet.spec.language import Clause

_FIELDS = struct.Struct("=qdqq")
"""Process, when the example was begun, length of the item's name, length of the example."""
_SIZE = 1 << 16
_PAUSES = 0.1, 1.0
"""Seconds between two looks, at least and at most: a hang is ended, and memory is missed, by so
much. The longer one is for machines with so many processes that a look takes long."""
_REST = 50
"""For so many times as long as a look took there is no other: watching takes 2% of a core."""
_MOMENT = 0.01
_STARVING = 10
"""So many times the limit is granted to a worker that is ready to run, and seldom gets to."""
_LAST_WORDS = 2000
_CHATTER = 1 << 20
"""Bytes of output of a worker that are kept at most."""


class Journal:
    """The worker's side. Output of a worker goes beside it, where a flood does no harm."""

    def __init__(self, path: str) -> None:
        self._map = _mapped(Path(path))
        self._name = b""
        with _output(Path(path)).open("ab") as output:
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
        _die_with_parent()
        # What is sent to the group of the run, by a terminal or by `timeout`, is for the run to
        # answer: a worker that it ended first would be taken for one that crashed.
        os.setpgrp()

    def follow(self, item: str, clause: Clause) -> Clause:
        """The clause, writing down every example before it is tried."""
        self._name = item.encode()
        self._note({})

        def check(torch: Any, device: str, **drawn: Any) -> None:
            self._note(drawn)
            clause.check(torch, device, **drawn)

        return replace(clause, check=check)

    def rest(self) -> None:
        """Nothing is being judged."""
        self._name = b""
        self._note({})

    def _note(self, drawn: dict[str, Any]) -> None:
        text = pickle.dumps(drawn)
        room = _SIZE - _FIELDS.size - len(self._name)
        written = self._name + (text if len(text) <= room else b"")
        self._map[_FIELDS.size : _FIELDS.size + len(written)] = written
        sizes = len(self._name), len(written) - len(self._name)
        _FIELDS.pack_into(self._map, 0, os.getpid(), time.monotonic(), *sizes)


def _output(journal: Path) -> Path:
    """Where the output of the worker with that journal goes."""
    return journal.with_name(f"{journal.name}.output")


def _mapped(path: Path) -> mmap.mmap:
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _SIZE)


def _die_with_parent() -> None:
    """A worker that hangs must not outlive a run that was killed."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


@dataclass(frozen=True)
class Limits:
    """What one worker may take. seconds: on one example, where the machine lets it have the half
    of them at least; memory: bytes, with its children's."""

    seconds: float
    memory: int


def memory_share(workers: int) -> int:
    """Bytes that each of so many workers may use: four fifths of the machine's, shared."""
    return int(psutil.virtual_memory().total * 0.8 / max(1, workers))


@dataclass
class _Worker:
    path: Path
    map: mmap.mmap
    killed: str = ""
    verdict: Verdict = Verdict.CRASHED
    example: float = 0.0
    worked: float = 0.0
    """When the example was begun that was seen last, and the processor's time until then."""

    @property
    def output(self) -> Path:
        return _output(self.path)

    def reads(self) -> tuple[int, float, str, bytes]:
        """Process, when it began, the item, the example. While a line is being written, this
        may be a mixture of two, so `steady` has to be asked where it matters."""
        process, begun, name, example = _FIELDS.unpack_from(self.map, 0)
        start = _FIELDS.size
        text = bytes(self.map[start : start + name + example])
        return process, begun, text[:name].decode(errors="replace"), text[name:]

    def steady(self) -> bool:
        """Whether the journal says the same for as long as many lines take to write."""
        before = self.reads()
        time.sleep(_MOMENT)
        return before == self.reads()


class Watch:
    """The run's side: journals of all workers, and a thread that ends those beyond the limits."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._workers: list[_Worker] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def open_journal(self, worker: str) -> str:
        """A journal for a new worker; its path."""
        # Another session of pytest-xdist gives the same names.
        path = self._folder / f"{len(self._workers)}-{worker}"
        path.write_bytes(bytes(_SIZE))
        self._workers.append(_Worker(path, _mapped(path)))
        return str(path)

    def explain(self, judgement: Judgement) -> Judgement:
        """What is known of a worker that died while it judged: the example, and why."""
        for worker in reversed(self._workers):
            _, begun, name, text = worker.reads()
            if name == judgement.item:
                break
        else:
            return judgement
        drawn: dict[str, Any] = pickle.loads(text) if text else {}
        reason = worker.killed or "the process that judged it died"
        words = worker.output.read_bytes()[-_LAST_WORDS:]
        if words.strip():
            reason += "; its last words: " + words.decode(errors="replace").strip()
        failure = Failure(
            what=worker.verdict.value,
            got=reason,
            expected="an answer, or an error",
            shown={name: str(value) for name, value in drawn.items()},
            example={name: encode(value) for name, value in drawn.items()},
        )
        seconds = max(0.0, time.monotonic() - begun)
        return replace(
            judgement, verdict=worker.verdict, reason=reason, failure=failure, seconds=seconds
        )

    def _look_on(self) -> None:
        least, most = _PAUSES
        pause = least
        while not self._over.wait(pause):
            began = time.monotonic()
            for worker in list(self._workers):
                if not worker.killed:
                    self._look_at(worker)
            pause = min(most, max(least, _REST * (time.monotonic() - began)))

    def _look_at(self, worker: _Worker) -> None:
        try:
            if worker.output.stat().st_size > _CHATTER:
                os.truncate(worker.output, 0)
            pid, begun, name, _ = worker.reads()
            if not name:
                return
            process = psutil.Process(pid)
            family = (process, *process.children(recursive=True))
            if begun != worker.example:
                worker.example, worker.worked = begun, _worked(family)
            late = time.monotonic() - begun > self._limits.seconds
            if late and not self._starves(worker, family) and worker.steady():
                worker.verdict = Verdict.TIMED_OUT
                self._kill(worker, process, f"no answer within {self._limits.seconds:g} s")
                return
            used = sum(each.memory_info().rss for each in family)
            if used > self._limits.memory:
                allowed = f"the {self._limits.memory / 2**20:,.0f} MiB that a worker may use"
                self._kill(worker, process, f"{used / 2**20:,.0f} MiB are more than {allowed}")
        except (psutil.Error, OSError):
            return  # it is gone; pytest-xdist will say so

    def _starves(self, worker: _Worker, family: Iterable[psutil.Process]) -> bool:
        """Whether it would go on, but others have the processor: it has used less than half of
        what it may, and is not waiting for anything else."""
        ready = any(each.status() == psutil.STATUS_RUNNING for each in family)
        worked = _worked(family) - worker.worked
        waited = time.monotonic() - worker.example
        limit = self._limits.seconds
        return ready and worked < limit / 2 and waited < _STARVING * limit

    def _kill(self, worker: _Worker, process: psutil.Process, why: str) -> None:
        worker.killed = why
        children = process.children(recursive=True)
        for each in (process, *children):
            each.kill()


def _worked(family: Iterable[psutil.Process]) -> float:
    """Seconds of the processor's time that processes have used."""
    return float(sum(times.user + times.system for times in (p.cpu_times() for p in family)))


@contextmanager
def watching(limits: Limits) -> Iterator[Watch]:
    """Watch workers while the block runs."""
    with tempfile.TemporaryDirectory(prefix="tenet-") as folder:
        watch = Watch(limits, Path(folder))
        watch._thread.start()
        try:
            yield watch
        finally:
            watch._over.set()
            watch._thread.join()
