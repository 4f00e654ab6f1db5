"""A budget in seconds: the clauses that are worth most, by what the audit learned of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tenet.harness.audit.power import Power
from tenet.harness.backend import Backend
from tenet.harness.errors import UsageError
from tenet.spec.language import Clause

MEASURED = 250
"""The examples with which the seconds of a clause were measured: those of the core suite."""

UNKNOWN = 0.5
"""Seconds assumed of a clause that was never measured."""

SHORTEST = 1e-3
"""Seconds that any clause takes."""

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """`60`, `60s`, `1.5m`, `1h` in seconds; UsageError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip())
    if found is None or float(found[1]) == 0:
        raise UsageError(f"--budget {text!r} is no time; write 60s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def affordable(
    selection: Sequence[tuple[Clause, Backend]],
    seconds: float,
    examples: int,
    power: Power,
) -> tuple[list[str], list[str]]:
    """(the ids to judge, the ids that are left out), each in reading order.

    The clauses with the most kills a second are taken first, and after them the cheapest, as
    long as what they are expected to cost fits. seconds: of one core; examples: of the suite.
    UsageError where not even one clause fits.
    """
    backends = Counter(clause.id for clause, _ in selection)
    clauses = {clause.id: clause for clause, _ in selection}

    def cost(id: str) -> float:
        share = examples / MEASURED if clauses[id].strategies else 1.0
        return max(power.seconds.get(id, UNKNOWN) * share, SHORTEST) * backends[id]

    def rank(id: str) -> tuple[float, float]:
        return -power.kills.get(id, 0) / cost(id), cost(id)

    left, taken = seconds, set[str]()
    for id in sorted(clauses, key=rank):
        if cost(id) <= left:
            left -= cost(id)
            taken.add(id)
    if not taken:
        raise UsageError(f"--budget {seconds:g}s is too short for any clause; allow more")
    return [id for id in clauses if id in taken], [id for id in clauses if id not in taken]


def left_out_text(left_out: Sequence[str], chosen: int) -> str:
    """What a budget leaves uncovered, section by section, in one line."""
    counts = Counter(id.partition(".")[0] for id in left_out)
    sections = ", ".join(f"{section} {count}" for section, count in counts.items())
    return (
        f"the budget covers {chosen} of {chosen + len(left_out)} clauses; "
        f"not covered: {sections or 'nothing'}"
    )
