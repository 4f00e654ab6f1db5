"""Running the parts of a plan on a Ray cluster.

A task is given a chunk of clauses, and tells each judgement as it is made, so what a task that
dies has judged is not lost. On every node a watcher outlives the tasks: it ends those beyond the
limits, and knows which clause and example a dead one was at. A node that dies takes its watcher
along, and so tells itself apart from a clause that kills its worker.
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import chain, zip_longest
from math import ceil
from typing import Any

from tenet.harness.audit.power import known_power
from tenet.harness.budget import MEASURED, UNKNOWN
from tenet.harness.errors import HarnessError
from tenet.harness.fleet.cluster import nodes
from tenet.harness.fleet.demand import Demand, Node, lacking
from tenet.harness.fleet.job import differing
from tenet.harness.fleet.node import DIED, Watcher, judge_clauses, watcher_name
from tenet.harness.fleet.parts import Part, apart, cause_of, remote, unmakeable
from tenet.harness.record import Records
from tenet.harness.run import Ledger, Listener, Outcome
from tenet.harness.verdict import Judgement, Verdict

CHUNK_SECONDS = 5.0
"""What a chunk is expected to take: long beside the start of a task, short beside a run."""

CHUNK_CLAUSES = 32

DEATHS = 2
"""A clause that was running at so many deaths of a worker is to blame for them."""

READY_SECONDS = 120.0
"""What a worker may take at least before it judges: torch may lie on a slow disk."""

UNREADY = 3
"""A backend whose workers died or hung so often before they judged anything is given up."""

LOSSES = 5
"""A chunk that was lost with so many nodes is given up."""

_PAUSE = 1.0
"""Seconds between two looks at the nodes."""

_ANSWER = 20.0
"""Seconds in which the watcher of a node that is alive answers."""

_SAME = ("tenet", "numpy", "hypothesis", "torch", "release")
"""What has to be the same on all nodes for their judgements to go into one record."""


@dataclass(eq=False)
class Chunk:
    """Clauses that a task judges, or is yet to. losses: nodes that died under them; node, ready,
    heard: where the task runs, whether it has begun to judge, and when it was last heard."""

    part: int
    backend: str
    clauses: list[str]
    losses: int = 0
    node: str = ""
    ready: bool = False
    heard: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Options:
    """How a run goes: seconds for one example; memory of a worker in bytes, 0 for its share;
    workers: tasks at the same time, None for as many as there is room for."""

    seconds: float
    memory: int = 0
    workers: int | None = None
    resume: bool = False


def run_parts(
    ray: Any, parts: Sequence[Part], *, results: str, listener: Listener, options: Options
) -> list[Outcome]:
    """Judge every part, and write the records below `results`.

    Raises UsageError where the records cannot be written or resumed, HarnessError where the run
    was interrupted, or where the nodes do not agree on what is judged.
    """
    apart(parts, results)
    ledgers: list[Ledger] = []
    try:
        for part in parts:
            records = Records(
                part.plan, results, resume=options.resume, surroundings=part.surroundings
            )
            ledgers.append(
                Ledger(Outcome(part.plan, records.paths, records.judged), records, listener)
            )
            for judgement in records.judged:
                listener.heard(judgement)
        outcomes = [ledger.outcome for ledger in ledgers]
        if not all(outcome.complete for outcome in outcomes):
            _Run(ray, parts, ledgers, options).go()
        return outcomes
    finally:
        for ledger in ledgers:
            ledger.records.close()


class _NoRecordError(Exception):
    """A record cannot be written."""


def crashed(clause: str, backend: str) -> Judgement:
    """The judgement on a clause whose worker left nothing but its death."""
    return Judgement(clause, backend, Verdict.CRASHED, reason=DIED)


class _Run:
    """The state of a run: what waits, what runs, and who watches."""

    def __init__(
        self, ray: Any, parts: Sequence[Part], ledgers: Sequence[Ledger], options: Options
    ) -> None:
        self.ray = ray
        self.parts = parts
        self.ledgers = ledgers
        self.options = options
        self.jobs = [part.job.to_json() for part in parts]
        self.running: dict[Any, Chunk] = {}
        self.deaths: Counter[tuple[int, str, str]] = Counter()
        self.unready: Counter[tuple[int, str]] = Counter()
        self.watchers: dict[tuple[int, str], Any] = {}
        self.nodes: list[Node] = []
        self.judged = {
            (index, judgement.clause, judgement.backend)
            for index, ledger in enumerate(ledgers)
            for judgement in ledger.outcome.judgements
        }
        self.looked = -_PAUSE
        self._look_around()
        self.waiting = deque(self._chunks())

    def go(self) -> None:
        try:
            while self.waiting or self.running:
                self._submit()
                ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=_PAUSE)
                for task in ready:
                    self._listen(task)
                if time.monotonic() - self.looked >= _PAUSE:
                    self._look_around()
                    self._look_for_the_stuck()
        except _NoRecordError:
            return  # the outcome says so
        except KeyboardInterrupt:
            raise HarnessError("interrupted; go on with --resume") from None
        finally:
            for task in self.running:
                self.ray.cancel(task, force=True)
            self._dismiss_watchers()

    # ------------------------------------------------------------------------------- giving out

    def _chunks(self) -> Iterator[Chunk]:
        """All that is left to judge, in turns of the parts and backends: none waits for another."""
        cores = sum(node.resources.get("CPU", 0) for node in self.nodes)
        queues = []
        for index, part in enumerate(self.parts):
            for backend in part.plan.backends:
                left = [
                    clause.id
                    for clause in part.plan.clauses_on(backend)
                    if (index, clause.id, backend.name) not in self.judged
                ]
                most = max(1, min(CHUNK_CLAUSES, ceil(len(left) / max(1, 2 * cores))))
                queues.append(
                    [
                        Chunk(index, backend.name, clauses)
                        for clauses in chunked(left, part.plan.examples, most)
                    ]
                )
        yield from filter(None, chain.from_iterable(zip_longest(*queues)))

    def _submit(self) -> None:
        most = self.options.workers or len(self.running) + len(self.waiting)
        while self.waiting and len(self.running) < most:
            chunk = self.waiting.popleft()
            part = self.parts[chunk.part]
            task = remote(
                self.ray,
                judge_clauses,
                part.demands[chunk.backend],
                part.environment,
                num_returns="streaming",
            ).remote(self.jobs[chunk.part], chunk.backend, chunk.clauses)
            chunk.heard = time.monotonic()
            self.running[task] = chunk

    def _again(self, chunk: Chunk, clauses: Iterable[str]) -> None:
        """Give out once more those clauses of a chunk."""
        if left := list(clauses):
            self.waiting.append(Chunk(chunk.part, chunk.backend, left, chunk.losses))

    # --------------------------------------------------------------------------------- hearing

    def _listen(self, task: Any) -> None:
        errors = self.ray.exceptions
        chunk = self.running[task]
        try:
            message = json.loads(self.ray.get(next(task)))
        except StopIteration:
            del self.running[task]
            self._again(chunk, chunk.clauses)
        except errors.RuntimeEnvSetupError as error:
            raise unmakeable(self.parts[chunk.part].environment, error) from error
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            del self.running[task]
            self._died(chunk, error)
        except errors.RayTaskError as error:
            if not isinstance(error.cause, errors.RayError):
                raise cause_of(error) from error
            del self.running[task]
            self._lost(chunk)  # it spoke to a watcher that is gone
        except errors.TaskCancelledError:
            del self.running[task]
            self._not_ready(chunk, f"hangs for {self._readiness:g} s")
        except errors.RayError:
            # The node died, or what was on its way from there was lost with it.
            del self.running[task]
            self._lost(chunk)
        else:
            self._hear(chunk, message)

    def _hear(self, chunk: Chunk, message: dict[str, Any]) -> None:
        chunk.heard = time.monotonic()
        if "node" in message:
            chunk.node = message["node"]
        elif "clause" in message:
            judgement = Judgement.from_data(message)
            chunk.clauses.remove(judgement.clause)
            self._enter(chunk.part, judgement)
        else:
            chunk.ready = True
            self.unready[chunk.part, chunk.backend] = 0
            part = self.parts[chunk.part]
            [backend] = [b for b in part.plan.backends if b.name == chunk.backend]
            planned = {**part.surroundings, "torch": backend.version, "release": backend.release}
            differs = differing(planned, message, _SAME)
            if differs:
                raise HarnessError(
                    f"{chunk.backend} is not the same everywhere: on {self._address(chunk.node)} "
                    f"{differs}; install the same on every node, or name one with --ray-torch"
                )

    def _enter(self, part: int, judgement: Judgement) -> None:
        key = (part, judgement.clause, judgement.backend)
        if key in self.judged:
            return
        self.judged.add(key)
        if not self.ledgers[part].enter(judgement):
            raise _NoRecordError

    # ---------------------------------------------------------------------------------- deaths

    def _died(self, chunk: Chunk, error: Exception) -> None:
        """A worker died, while its node may be alive."""
        try:
            explained = self._explained(chunk)
        except self.ray.exceptions.RayError:
            self._lost(chunk)  # so the node is dead too, or dying
            return
        if not explained and not chunk.ready:
            self._not_ready(chunk, "dies")
            return
        if explained and isinstance(error, self.ray.exceptions.OutOfMemoryError):
            first, _, _ = str(error).partition("\n")
            explained = replace(explained, reason=f"{explained.reason}; Ray ended it: {first}")
        self._blame(chunk, [explained.clause] if explained else chunk.clauses, explained)

    def _explained(self, chunk: Chunk) -> Judgement | None:
        """The judgement on the clause at which a worker died, if it was at one."""
        watcher = self.watchers.get((chunk.part, chunk.node))
        if watcher is None:
            return None
        asked = watcher.explain.remote(chunk.backend, chunk.clauses)
        told = self.ray.get(asked, timeout=_ANSWER)
        return None if told is None else Judgement.from_json(told)

    def _blame(self, chunk: Chunk, suspects: list[str], explained: Judgement | None) -> None:
        """One of the suspects killed its worker: they are tried again, each alone, and the rest
        as before. explained: where there is one suspect only, and the watcher knows how."""
        self._again(chunk, [clause for clause in chunk.clauses if clause not in suspects])
        for clause in list(suspects):
            key = (chunk.part, clause, chunk.backend)
            self.deaths[key] += len(suspects) == 1
            hung = explained is not None and explained.verdict is Verdict.TIMED_OUT
            if hung or self.deaths[key] >= DEATHS:
                self._enter(chunk.part, explained or crashed(clause, chunk.backend))
            else:
                self.waiting.append(Chunk(chunk.part, chunk.backend, [clause]))

    def _not_ready(self, chunk: Chunk, how: str) -> None:
        """A worker died or hung before it judged anything: no clause is to blame."""
        key = (chunk.part, chunk.backend)
        self.unready[key] += 1
        self._again(chunk, chunk.clauses)
        if self.unready[key] >= UNREADY:
            for other in [each for each in self.waiting if (each.part, each.backend) == key]:
                self.waiting.remove(other)
                self._give_up(other, f"{how} before it judged anything, {UNREADY} times")

    def _lost(self, chunk: Chunk) -> None:
        """The node died; that is no fault of what ran on it."""
        chunk.losses += 1
        if chunk.losses < LOSSES:
            self._again(chunk, chunk.clauses)
            return
        self._give_up(chunk, f"was lost with its node {LOSSES} times")

    def _give_up(self, chunk: Chunk, why: str) -> None:
        left = ", ".join(chunk.clauses[:3]) + (", ..." if len(chunk.clauses) > 3 else "")
        self.ledgers[chunk.part].outcome.problems.append(
            f"{chunk.backend} {why}: {left} not judged; go on with --resume"
        )

    # ------------------------------------------------------------------------------- the nodes

    def _look_around(self) -> None:
        """See that there is a watcher on every node that may run a task."""
        self.looked = time.monotonic()
        self.nodes = nodes(self.ray)
        affinity = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        for node in self.nodes:
            for index, part in enumerate(self.parts):
                if (index, node.id) in self.watchers or not Demand().met_by(node):
                    continue
                self.watchers[index, node.id] = (
                    self.ray.remote(Watcher)
                    .options(
                        name=watcher_name(part.job.id, node.id),
                        num_cpus=0,
                        scheduling_strategy=affinity(node.id, soft=False),
                        **part.environment.options(),
                    )
                    .remote(self.options.seconds, self.options.memory, int(node.resources["CPU"]))
                )

    def _look_for_the_stuck(self) -> None:
        """End tasks that do not get ready, and those that no node can run any more."""
        now = time.monotonic()
        for task, chunk in list(self.running.items()):
            silent = now - chunk.heard > self._readiness
            if chunk.node and not chunk.ready and silent:
                self.ray.cancel(task, force=True)
            demand = self.parts[chunk.part].demands[chunk.backend]
            # The list of nodes may be late: ask again before giving up.
            if chunk.node or now - chunk.heard < 10 * _PAUSE:
                continue
            if not any(demand.met_by(node) for node in self.nodes):
                del self.running[task]
                self.ray.cancel(task, force=True)
                self._give_up(chunk, lacking(demand, self.nodes))

    @property
    def _readiness(self) -> float:
        """Seconds that a worker may take to import and find its backend."""
        return max(READY_SECONDS, self.options.seconds)

    def _address(self, id: str) -> str:
        return next((str(node) for node in self.nodes if node.id == id), f"node {id}")

    def _dismiss_watchers(self) -> None:
        closing = [watcher.close.remote() for watcher in self.watchers.values()]
        if closing:
            self.ray.wait(closing, num_returns=len(closing), timeout=2 * _PAUSE)
        for watcher in self.watchers.values():
            self.ray.kill(watcher)


def chunked(clauses: Sequence[str], examples: int, most: int) -> Iterator[list[str]]:
    """The clauses in chunks of about `CHUNK_SECONDS`, and of not more than `most`."""
    seconds: Mapping[str, float] = known_power().seconds
    chunk: list[str] = []
    cost = 0.0
    for clause in clauses:
        chunk.append(clause)
        cost += seconds.get(clause, UNKNOWN) * examples / MEASURED
        if len(chunk) == most or cost >= CHUNK_SECONDS:
            yield chunk
            chunk, cost = [], 0.0
    if chunk:
        yield chunk
