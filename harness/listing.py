"""Lists of known failures: made from records, and examined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from tenet.harness.backend import Backend
from tenet.harness.expectation import ENDED, Expectation, symptom
from tenet.harness.expecting import judge_expecting, settle_recorded, staleness, traits_of
from tenet.harness.record import Record
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.language import Clause

_PLAINEST = {"layout": "contiguous", "regime": "small"}
"""What an example shrinks to. Anything else stands in it because the failure needs it."""


def updated(
    existing: Sequence[Expectation], records: Sequence[Record], expires: date
) -> tuple[list[Expectation], list[str]]:
    """The list that says of every failure in the records that it is known, and what was left out.

    Entries that name a failure already are kept as they are, with their reasons; those that a
    record says are fixed go. New ones get the day `expires`.
    """
    entries, left_out = list(existing), list[str]()
    for record in records:
        backend, version = str(record.header["backend"]), record.edition
        for judgement in sorted(record.judgements, key=lambda j: j.clause):
            concerned = [e for e in entries if e.is_for(judgement.clause, backend, version)]
            if judgement.verdict is Verdict.FIXED:
                # `passed` would not do: a search without a replay may just have missed it.
                over = [e for e in concerned if f"({e.describe()})" in judgement.reason]
                entries = [e for e in entries if e not in over]
                continue
            entry = _entry(judgement, backend, version, expires)
            if entry is None:
                if judgement.verdict in (Verdict.ERRORED, Verdict.VACUOUS, Verdict.FAILED):
                    why = judgement.reason.strip().rpartition("\n")[2]
                    left_out.append(f"{judgement.clause}: {judgement.verdict}; {why}")
                continue
            # Whether an entry's day is over says nothing about which failure it names.
            lasting = [replace(e, expires=None) for e in concerned]
            named = [e for e in lasting if _names(e, judgement, version)]
            outdated = [e for e in named if not _same_arguments(e, entry)]
            if len(outdated) < len(named):
                continue
            kin = [e for e in entries if _same_case(e, entry)]
            if outdated:
                kin = [e for e in entries if replace(e, expires=None) in outdated]
                entry = replace(kin[0], symptom=entry.symptom, example=entry.example)
            elif kin:  # the same failure, which shows otherwise now
                entry = replace(entry, reason=kin[0].reason, issue=kin[0].issue)
            if kin:
                entries = [entry if e == kin[0] else e for e in entries if e not in kin[1:]]
            else:
                entries.append(entry)
    return entries, left_out


ROUNDS = 40
"""How many failures of one clause are listed before it is given up as broken altogether."""


def completed(
    entries: Sequence[Expectation],
    record: Record,
    specification: Mapping[str, Clause],
    backend: Backend,
    expires: date,
) -> tuple[list[Expectation], list[str]]:
    """The list with what stands behind the failures that it names, and what was left out.

    An example shows one failure; the next shows once that is known. So each clause of the record
    that is known or failed is judged on the backend, with the record's budget and seed, until it
    shows nothing new.
    """
    made, left_out = list(entries), list[str]()
    for judgement in record.judgements:
        clause = specification.get(judgement.clause)
        if clause is None or judgement.verdict not in (Verdict.FAILED, Verdict.KNOWN):
            continue
        for _ in range(ROUNDS):
            again = judge_expecting(
                clause,
                backend,
                examples=int(record.header["examples"]),
                seed=int(record.header["seed"]),
                known=made,
            )
            if again.verdict is not Verdict.FAILED:
                break
            now = replace(record, judgements=[again])
            grown, flaky = updated(made, [now], expires)
            if grown == made:
                left_out += flaky or [f"{clause.id}: failed; {again.reason}"]
                break
            made = grown
        else:
            left_out.append(f"{clause.id}: more than {ROUNDS} failures; write a wider `when`")
    return made, left_out


def _same_case(one: Expectation, other: Expectation) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("clause", "backend", "example", "when")
    )


def _names(entry: Expectation, judgement: Judgement, version: str) -> bool:
    return settle_recorded(judgement, version, [entry]).verdict is Verdict.KNOWN


def _same_arguments(one: Expectation, other: Expectation) -> bool:
    """Whether the examples give the same arguments. One that does not can be of the clause as it
    was once, and says what it says of the clause as it is."""
    if one.example is None or other.example is None:
        return True
    return one.example.keys() == other.example.keys()


def _entry(judgement: Judgement, backend: str, version: str, expires: date) -> Expectation | None:
    """What to expect from now on; None for what cannot be replayed or is no failure."""
    since = ".".join(version.partition("+")[0].split(".")[:2])
    common = {
        "clause": judgement.clause,
        "backend": backend,
        "version": f">={since}" if since.replace(".", "").isdigit() else "",
        "expires": expires,
    }
    if judgement.verdict in ENDED:
        return Expectation(symptom=str(judgement.verdict), **common)  # type: ignore[arg-type]
    failure = judgement.failure
    # A reason stands there where the failure did not repeat: it would not when replayed.
    flaky = judgement.reason.startswith("the failure did not repeat")
    if judgement.verdict is not Verdict.FAILED or failure is None or flaky:
        return None
    if failure.example is None:
        return None
    return Expectation(
        symptom=symptom(failure),
        when=condition(failure),
        example=failure.example,
        **common,  # type: ignore[arg-type]
    )


def condition(failure: Failure) -> dict[str, str]:
    """The fewest traits that set a failure apart, as far as its smallest example shows.

    The labels of its case; arguments that are names (of a dtype, an operation), and fields of
    others that are layouts and regimes: where shrinking left them unlike the plainest. Lengths,
    seeds and other numbers are left out: they rarely are the cause, and a condition that asks for
    them lets the same failure through with the next seed.
    """
    found = dict(failure.case)
    for name, value in (failure.example or {}).items():
        if name not in found and _is_named(value) and value not in _PLAINEST.values():
            found[name] = failure.shown.get(name, str(value))
    for name, value in traits_of(failure).items():
        plainest = _PLAINEST.get(name.rpartition(".")[2])
        if plainest is not None and "." in name and value != plainest:
            found[name] = value
    return found


def _is_named(encoded: Any) -> bool:
    """Whether an encoded argument is a name, or several."""
    if isinstance(encoded, dict) and list(encoded) == ["$tuple"]:
        return bool(encoded["$tuple"]) and all(map(_is_named, encoded["$tuple"]))
    return isinstance(encoded, str)


def problems(
    entries: Sequence[Expectation], specification: Mapping[str, Clause], today: date
) -> list[str]:
    """What is wrong with a list, a line each: unknown ids, stale examples, no reasons, expired."""
    found: list[str] = []
    seen: dict[tuple[str, str, str, str], str] = {}
    for entry in entries:
        where = f"{entry.origin} ({entry.clause})"
        clause = specification.get(entry.clause)
        if clause is None:
            found.append(f"{where}: there is no such clause; remove the entry")
        elif stale := staleness(entry, clause):
            found.append(stale)
        if not entry.reason.strip():
            found.append(f"{where}: reason is missing; say why the failure is accepted")
        if not entry.issue.strip():
            found.append(f"{where}: issue is missing; link to where it is dealt with")
        if entry.expires is None:
            found.append(f"{where}: expires is missing; name the last day on which it counts")
        elif entry.expired(today):
            found.append(f"{where}: expired on {entry.expires}; repair it or renew it")
        key = (entry.clause, entry.backend, entry.version, f"{entry.symptom} {dict(entry.when)}")
        if key in seen:
            found.append(f"{where}: says the same as {seen[key]}; remove one of them")
        seen.setdefault(key, entry.origin)
    return found
