"""Processes that examine mutants side by side: spawned, replaced when they die, ended when they
hang. A process that dies takes one mutant along, and the audit goes on."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from tenet.harness.audit.catalogue import mutants
from tenet.harness.audit.examine import Examination, Fate, Finding, finding
from tenet.harness.audit.power import known_power
from tenet.spec.sections import specification

LIMIT = 900.0
"""Seconds for one mutant; a worker that takes longer is ended."""


@dataclass(frozen=True)
class Terms:
    """What an examination needs, in plain data that can be sent to a process."""

    examples: int
    thorough: bool
    seed: int
    every: bool = False
    blind: bool = False

    def examination(self) -> Examination:
        """The examination on these terms, with what is known about the power of clauses."""
        return Examination(
            specification=specification(),
            examples=self.examples,
            thorough=self.thorough,
            seed=self.seed,
            power=known_power(),
            every=self.every,
            blind=self.blind,
        )


def examine_all(terms: Terms, names: Sequence[str], workers: int) -> Iterator[Finding]:
    """Examine the mutants, and yield each finding as it is made.

    workers: processes; 0 examines in this one, where a crash takes the audit along.
    """
    if not workers:
        examination = terms.examination()
        for name in names:
            yield examination.examine(mutants()[name])
        return
    pool = [_Worker(terms) for _ in range(min(workers, len(names)))]
    waiting = list(reversed(names))
    try:
        for worker in pool:
            worker.take(waiting.pop())
        while busy := [worker for worker in pool if worker.mutant is not None]:
            wait([*(w.pipe for w in busy), *(w.process.sentinel for w in busy)], timeout=1.0)
            for worker in busy:
                found = worker.found()
                if found is None:
                    continue
                yield found
                if waiting:
                    worker.take(waiting.pop())
    finally:
        for worker in pool:
            worker.end()


class _Worker:
    """One process, and the mutant that it is at."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.mutant: str | None = None
        self.since = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        # Not a daemon: the data section starts processes of its own.
        self.process = context.Process(target=_work, args=(theirs, self.terms))
        self.process.start()
        theirs.close()

    def take(self, mutant: str) -> None:
        if not self.process.is_alive():
            self.end()
            self._start()
        self.mutant, self.since = mutant, time.monotonic()
        self.pipe.send(mutant)

    def found(self) -> Finding | None:
        """What became of the mutant; None while it is being examined."""
        assert self.mutant is not None
        mutant = mutants()[self.mutant]
        try:
            if self.pipe.poll():
                result: Finding = Finding.from_json(self.pipe.recv())
                self.mutant = None
                return result
        except (EOFError, OSError):
            pass
        if not self.process.is_alive():
            self.mutant = None
            reason = f"the process that examined it ended with status {self.process.exitcode}"
            return finding(mutant, Fate.CRASHED, reason=reason)
        if time.monotonic() - self.since > LIMIT:
            self.process.kill()
            self.process.join()
            self.mutant = None
            return finding(mutant, Fate.TIMED_OUT, reason=f"longer than {LIMIT:.0f} s")
        return None

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _work(pipe: Connection[Any, Any], terms: Terms) -> None:
    """The life of a worker: a name in, a finding out."""
    import torch

    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    # A spawned process spawns in its turn; what a DataLoader starts has to be as anywhere else,
    # and as faulty as this process is.
    multiprocessing.set_start_method(None, force=True)
    examination = terms.examination()
    while True:
        try:
            name = pipe.recv()
        except EOFError:
            return
        pipe.send(examination.examine(mutants()[name]).to_json())
