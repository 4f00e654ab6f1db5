"""What runs on the nodes: tasks that judge, and one watcher on each node that outlives them."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tenet.harness.announced import import_all, installed, of_files
from tenet.harness.backend import Backend, eager_name, load_torch, resolve
from tenet.harness.errors import HarnessError
from tenet.harness.fleet.job import Job, described
from tenet.harness.record import surroundings
from tenet.harness.verdict import Judgement, Verdict
from tenet.harness.watch import Journal, Limits, memory_share, watching
from tenet.harness.worker import judged
from tenet.spec.sections import specification

DIED = "the process that judged it died"

_PATIENCE = 60.0
"""Seconds that a task waits for the watcher of a node that has just joined."""


class Watcher:
    """Watches the workers of one job on its node, as `tenet run` watches those of a machine.

    seconds: for one example; memory: bytes of one worker, 0 for its share among so many cores.
    """

    def __init__(self, seconds: float, memory: int, cores: int) -> None:
        self._stack = ExitStack()
        limits = Limits(seconds, memory or memory_share(cores))
        self._watch = self._stack.enter_context(watching(limits))

    def open_journal(self, worker: str) -> str:
        """The path of a journal for a new worker of this node."""
        return self._watch.open_journal(worker)

    def explain(self, backend: str, clauses: Sequence[str]) -> str | None:
        """The judgement of that one of the clauses at which a worker died; None where it was at
        none of them."""
        for clause in clauses:
            bare = Judgement(clause, backend, Verdict.CRASHED, reason=DIED)
            explained = self._watch.explain(bare)
            if explained is not bare:
                return explained.to_json()
        return None

    def close(self) -> None:
        """Remove the journals."""
        self._stack.close()


def watcher_name(job: str, node: str) -> str:
    """Under which a node's tasks of a job find their watcher."""
    return f"tenet-{job}-{node}"


def survey(text: str, kinds: Sequence[str]) -> str:
    """Which devices the backends are on that a job asks for, by name: `{"tiny": "cpu"}`.

    Where it names none, those of its files, or else all that are installed, and the devices that
    the cluster may have: the names among `kinds` that torch takes for devices.
    """
    job = _job(text)
    import_all(job.request.imports)
    others = _announced(job.sources)
    names = job.request.backends or tuple(_of_files(job.sources))
    if not names:
        names = ("cpu", *filter(_is_device, kinds), "meta", *others)
    return json.dumps({name: _device(name, others) for name in dict.fromkeys(names)})


def _device(name: str, others: dict[str, Backend]) -> str:
    base = eager_name(name)
    for known in (name, base):
        if known in others:
            return others[known].device
    return base


def _is_device(kind: str) -> bool:
    torch = load_torch()
    try:
        torch.device(kind)
    except RuntimeError:
        return False
    return True


def describe(text: str, names: Sequence[str]) -> str:
    """What the named backends say of themselves, and what judges them."""
    job = _job(text)
    said = [described(_backend(job.sources, job.request.imports, name)) for name in names]
    return json.dumps({"surroundings": surroundings(), "backends": said})


def judge_clauses(text: str, name: str, clauses: Sequence[str]) -> Iterator[str]:
    """Tell that it has begun, and where; then what the backend is here; then each judgement."""
    job = _job(text)
    node = import_module("ray").get_runtime_context().get_node_id()
    journal = _journal(job.id, node)
    yield json.dumps({"node": node})
    backend = _backend(job.sources, job.request.imports, name)
    every = _every_clause()
    yield json.dumps({**surroundings(), "torch": backend.version, "release": backend.release})
    for clause in clauses:
        judgement = judged(
            every[clause],
            backend,
            examples=job.examples,
            seed=job.request.seed,
            known=job.known,
            journal=journal,
        )
        yield judgement.to_json()


# A worker is used for many tasks, and needs to get ready for one job only once.


@cache
def _job(text: str) -> Job:
    return Job.from_json(text)


Sources = tuple[tuple[str, str], ...]
"""Path and text of each backend file."""


@cache
def _paths(sources: Sources) -> tuple[str, ...]:
    """The backend files on this node: where they were, or else a copy."""
    paths = []
    for number, (path, source) in enumerate(sources):
        here = Path(path)
        if not here.is_file() or here.read_text(encoding="utf-8") != source:
            here = Path(_folder().name, str(number), here.name)
            here.parent.mkdir(exist_ok=True)
            here.write_text(source, encoding="utf-8")
        paths.append(str(here))
    return tuple(paths)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tenet-")  # it lasts as long as this process


@cache
def _of_files(sources: Sources) -> dict[str, Backend]:
    # Once in a process: a file may register a device, which can be done once only.
    return of_files(_paths(sources))


@cache
def _announced(sources: Sources) -> dict[str, Backend]:
    return {**installed(), **_of_files(sources)}


@cache
def _backend(sources: Sources, imports: tuple[str, ...], name: str) -> Backend:
    import_all(imports)
    [backend] = resolve((name,), _announced(sources))
    return backend


@cache
def _every_clause() -> dict[str, Any]:
    every = specification()
    gc.collect()
    gc.freeze()  # as the plugin does: a collection need not walk through torch again
    return every


@cache
def _journal(job: str, node: str) -> Journal:
    # The last words of a worker are its own: Ray would have it list its whole stack after them.
    faulthandler.disable()
    ray = import_module("ray")
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            watcher = ray.get_actor(watcher_name(job, node))
            break
        except ValueError:
            if time.monotonic() > end:
                raise HarnessError(f"node {node} has no watcher; go on with --resume") from None
            time.sleep(0.05)
    return Journal(ray.get(watcher.open_journal.remote(f"worker-{os.getpid()}")))
