"""What `tenet audit` shows: progress, the matrix, what survived, the scores."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tenet.harness.audit.examine import ALIVE, Fate, Finding
from tenet.harness.audit.mutant import Mutant
from tenet.harness.audit.score import by, score

_STYLES = {
    Fate.KILLED: "green",
    Fate.UNSUPPORTED: "yellow",
    **dict.fromkeys(ALIVE, "bold red"),
}
_WHOLE = 400
"""Up to so many mutants the matrix has a row for each; beyond, only those that are not killed."""


def show(
    findings: Sequence[Finding], mutants: dict[str, Mutant], idle: Sequence[str], console: Console
) -> None:
    """Print the matrix, the mutants that are not killed, idle clauses, and the scores."""
    shown = findings if len(findings) <= _WHOLE else [f for f in findings if f.fate in ALIVE]
    if shown:
        console.print(_matrix(shown))
    for finding in findings:
        if finding.fate in ALIVE:
            _alive(finding, mutants[finding.mutant], console)
        for what, clauses in (("errored", finding.errored), ("failed on stock", finding.alarms)):
            if clauses:
                _plain(console, f"{finding.mutant}: {what}: {', '.join(clauses)}")
    console.print(_scores(findings))
    if idle:
        _plain(console, f"\n{len(idle)} clauses that no mutant fails:")
        for clause in idle:
            _plain(console, f"  {clause}")
    total = score(findings)
    _plain(
        console,
        f"\n{total['score']} % of {len(findings)} mutants killed; to the first kill, in the "
        f"median: {total['median_seconds']} s, {total['median_examples']:g} examples",
    )


def _plain(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _alive(finding: Finding, mutant: Mutant, console: Console) -> None:
    reason = f" ({finding.reason})" if finding.reason else ""
    console.print(
        f"[bold red]{finding.fate.upper()}[/] {escape(finding.mutant)}: {escape(mutant.says)}; "
        f"asked: {', '.join(mutant.sections)}{escape(reason)}",
        highlight=False,
        soft_wrap=True,
    )


def _matrix(findings: Sequence[Finding]) -> Table:
    table = Table(title="mutant x clause", title_justify="left")
    for name in ("mutant", "category", "killed by"):
        table.add_column(name, overflow="fold")
    for name in ("examples", "seconds"):
        table.add_column(name, justify="right")
    for finding in findings:
        style = _STYLES[finding.fate]
        kills = finding.kills
        table.add_row(
            escape(finding.mutant),
            finding.category,
            "\n".join(kill.clause for kill in kills) or f"[{style}]{finding.fate}[/]",
            "\n".join(str(kill.examples) for kill in kills),
            "\n".join(f"{kill.seconds:.3f}" for kill in kills) if len(kills) > 1
            else f"{finding.seconds:.3f}",
        )  # fmt: skip
    return table


def _scores(findings: Sequence[Finding]) -> Table:
    table = Table(title="score", title_justify="left")
    table.add_column("section or origin")
    for name in ("mutants", "killed %", "median s", "median examples"):
        table.add_column(name, justify="right")
    for what in ("section", "origin"):
        for name in by(findings, what):
            _score_row(table, name, [f for f in findings if getattr(f, what) == name])
        table.add_section()
    _score_row(table, "all", findings)
    return table


def _score_row(table: Table, name: str, findings: Sequence[Finding]) -> None:
    figures = score(findings)
    style = "green" if figures["score"] == 100 else "bold red"
    table.add_row(
        name,
        str(len(findings)),
        f"[{style}]{figures['score']:g}[/]",
        f"{figures['median_seconds']:.2f}",
        f"{figures['median_examples']:g}",
    )
