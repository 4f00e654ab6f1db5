"""The gate: whether a record may pass, given a baseline and the known failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tenet.harness.comparison import by_clause, in_words, way_of
from tenet.harness.expectation import Expectation
from tenet.harness.expecting import settle_recorded
from tenet.harness.record import Record
from tenet.harness.verdict import BROKEN, UNSOUND, Verdict


@dataclass
class Ruling:
    """What the gate says of one record.

    red: why it does not pass, a line each; unsound: why it says nothing, a line each; notes:
    what is worth knowing all the same.
    """

    backend: str
    red: list[str] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """0 passes, 1 does not, 3 cannot be told."""
        return 1 if self.red else 3 if self.unsound else 0


def settled(record: Record, known: Sequence[Expectation]) -> Record:
    """The record with the failures that an expectation names as known ones."""
    version = record.edition
    return replace(
        record, judgements=[settle_recorded(j, version, known) for j in record.judgements]
    )


def rule(
    record: Record,
    baseline: Record | None,
    *,
    strict: bool = False,
    slower: float | None = None,
) -> Ruling:
    """Rule on a record.

    baseline: an earlier record of the same backend, whose failures are tolerated; without one
    every failure counts. strict: a known failure that passes counts too. slower: the factor by
    which the time worked on the clauses of both records may grow.
    """
    ruling = Ruling(str(record.header.get("backend", "?")))
    _completeness(record, ruling)
    now = by_clause(record)
    before = {} if baseline is None else by_clause(baseline)
    for id, judgement in now.items():
        old = before.get(id)
        if judgement.verdict in UNSOUND:
            ruling.unsound.append(f"{id}: {in_words(judgement)}; the check is at fault")
        elif judgement.verdict in BROKEN:
            if old is None or old.verdict not in BROKEN:
                ruling.red.append(f"{id}: {in_words(judgement)}; new failure")
            elif (old.verdict, way_of(old)) != (judgement.verdict, way_of(judgement)):
                ruling.red.append(f"{id}: {in_words(judgement)}; failed before: {in_words(old)}")
            else:
                ruling.notes.append(f"{id}: {in_words(judgement)}; as in the baseline")
        elif judgement.verdict is Verdict.FIXED:
            line = f"{id}: {judgement.reason}; remove it from its list"
            (ruling.red if strict else ruling.notes).append(line)
        elif old is not None and judgement.verdict is Verdict.UNSUPPORTED != old.verdict:
            ruling.red.append(f"{id}: unsupported, was {old.verdict}; {judgement.reason}")
    known = sum(j.verdict is Verdict.KNOWN for j in now.values())
    if known:
        ruling.notes.append(f"{known} known failures")
    if baseline is not None:
        _against(record, baseline, slower, ruling)
    return ruling


def _completeness(record: Record, ruling: Ruling) -> None:
    if not record.judgements:
        ruling.unsound.append("the record is empty: nothing was judged")
    elif all(j.verdict is Verdict.UNSUPPORTED for j in record.judgements):
        ruling.unsound.append("every clause is unsupported: nothing was judged")
    planned, judged = record.header.get("clauses"), len(by_clause(record))
    if record.footer is None or judged != planned:
        ruling.unsound.append(f"the record was cut short: {judged} of {planned} clauses judged")


def _against(record: Record, baseline: Record, slower: float | None, ruling: Ruling) -> None:
    now, before = by_clause(record), by_clause(baseline)
    missing = [id for id in before if id not in now]
    if missing:
        ruling.red.append(
            f"{len(missing)} clauses of the baseline were not judged: {_some(missing)}"
        )
    lacks, lacked = record.header.get("lacks", {}), baseline.header.get("lacks", {})
    for name, why in lacks.items():
        if name not in lacked:
            ruling.red.append(f"capability {name} was lost: {why}")
    counts = [
        sum(j.verdict is Verdict.UNSUPPORTED for j in judgements.values())
        for judgements in (before, now)
    ]
    # Those that the baseline has are named above, one by one; these are among the new ones.
    if counts[1] > counts[0]:
        ruling.red.append(f"{counts[1]} clauses are unsupported, {counts[0]} were before")
    examples = record.header.get("examples", 0), baseline.header.get("examples", 0)
    if examples[0] < examples[1]:
        ruling.red.append(
            f"{examples[0]} examples a clause were tried, {examples[1]} were before: "
            "fewer find less"
        )
    both = [id for id in now if id in before]
    if slower is not None and both:
        seconds = [sum(judgements[id].seconds for id in both) for judgements in (before, now)]
        if seconds[1] > slower * seconds[0]:
            ruling.red.append(
                f"{seconds[1]:.1f} s worked, {seconds[0]:.1f} s before: more than {slower:g} times"
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
