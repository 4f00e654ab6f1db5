"""What audits have learned: how many mutants each clause kills, how long it takes, and which
clause kills which mutant.

`power.json` beside this module is what the last recorded audit learned; `tenet audit --learn`
writes it. It sets the order in which an audit asks clauses, and what a budget in seconds buys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("power.json")


@dataclass(frozen=True)
class Power:
    """kills: how many mutants a clause killed; seconds: how long it takes to judge stock PyTorch
    with the examples of the core suite; killed: the clause that killed a mutant."""

    kills: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    killed: Mapping[str, str] = field(default_factory=dict)

    def rate(self, clause: str) -> float:
        """Kills a second; 0 for a clause of which nothing is known."""
        return self.kills.get(clause, 0) / max(self.seconds.get(clause, 1.0), 1e-3)

    def killers(self, mutant: str) -> tuple[str, ...]:
        """The clause that is known to kill a mutant, if any."""
        return (self.killed[mutant],) if mutant in self.killed else ()


@cache
def known_power() -> Power:
    """What the package knows; nothing where the file is absent."""
    if not FILE.exists():
        return Power()
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return Power(data["kills"], data["seconds"], data["killed"])


def write_power(power: Power, path: Path = FILE) -> None:
    """Write what was learned, a line an entry, so that changes to it can be read."""
    data = {
        name: dict(sorted(getattr(power, name).items())) for name in ("kills", "seconds", "killed")
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
