"""Learning from an audit: what it found goes to `power.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tenet.harness.audit.catalogue import mutants
from tenet.harness.audit.examine import Finding
from tenet.harness.audit.power import Power, known_power, write_power


def learned(
    findings: Iterable[Finding],
    before: Power,
    took: Mapping[str, float] | None = None,
    assumed: Mapping[str, str] | None = None,
) -> Power:
    """What was known, with what the findings add to it.

    A mutant that is examined again replaces its killer. assumed: for a mutant that was never
    examined, the clause that it was written for. took: seconds that clauses took to judge
    stock PyTorch with the examples of the core suite, where they were measured.
    """
    killed = dict(before.killed)
    for finding in findings:
        killed.pop(finding.mutant, None)
        if finding.kills:
            killed[finding.mutant] = finding.kills[0].clause
    seconds = {**before.seconds, **(took or {})}
    kills = Counter({**(assumed or {}), **killed}.values())
    return Power(kills=dict(kills), seconds=seconds, killed=killed)


def learn(findings: Iterable[Finding], took: Mapping[str, float] | None = None) -> None:
    """Write what was learned to the package."""
    assumed = {name: mutant.likely[0] for name, mutant in mutants().items() if mutant.likely}
    write_power(learned(findings, known_power(), took, assumed))
    known_power.cache_clear()
