"""What every worker does, wherever it runs: judge one clause on one backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tenet.harness.backend import Backend
from tenet.harness.expectation import Expectation
from tenet.harness.expecting import judge_expecting
from tenet.harness.repro.script import with_script
from tenet.harness.verdict import Judgement, item_name
from tenet.harness.watch import Journal
from tenet.spec.language import Clause

ONE_CORE: Mapping[str, str] = MappingProxyType(
    {"OMP_NUM_THREADS": "1", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
)
"""Variables of a worker's environment. It is one core: two threads on two busy cores are far slower
than one. Whoever sets them otherwise is obeyed."""


def judged(
    clause: Clause,
    backend: Backend,
    *,
    examples: int,
    seed: int,
    known: Sequence[Expectation],
    journal: Journal | None = None,
) -> Judgement:
    """The judgement, with a script that shows a failure. journal: where every example is noted
    before it is tried."""
    followed = clause
    if journal is not None:
        followed = journal.follow(item_name(clause.id, backend.name), clause)
    judgement = judge_expecting(followed, backend, examples=examples, seed=seed, known=known)
    if journal is not None:
        journal.rest()
    return with_script(judgement, clause, backend)
