"""What `tenet run` shows: progress, the table, what did not hold, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tenet.harness.backend import Backend
from tenet.harness.budget import left_out_text
from tenet.harness.explain import explanation
from tenet.harness.grouping import Group, groups, with_blocked
from tenet.harness.judge import UNCLAIMED
from tenet.harness.plan import Plan
from tenet.harness.progress import Count, summary
from tenet.harness.record import footer
from tenet.harness.run import Outcome
from tenet.harness.verdict import BROKEN, UNSOUND, Judgement, Verdict
from tenet.spec.sections import SECTIONS

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.KNOWN: "cyan",
    Verdict.FIXED: "bold cyan",
    **dict.fromkeys(BROKEN, "bold red"),
    **dict.fromkeys(UNSOUND, "bold magenta"),
}


class Display(Count):
    """Progress while plans run."""

    def __init__(self, plans: Sequence[Plan], console: Console) -> None:
        total = sum(len(plan.selection) for plan in plans)
        super().__init__(total, Verdict, "judging", "judged", console)

    def heard(self, judgement: Judgement) -> None:
        """Count a judgement in."""
        self.add(judgement.verdict)


def announce(plan: Plan, console: Console) -> None:
    """Say what is about to happen."""
    for backend in plan.backends:
        count = len(plan.clauses_on(backend))
        console.print(
            f"{escape(backend.name)}: {_versions(backend)} on {escape(backend.device_name)}, "
            f"{count} clauses, suite {plan.suite.name}, seed {plan.request.seed}",
            highlight=False,
            soft_wrap=True,
        )
    if plan.left_out:
        chosen = len({clause.id for clause, _ in plan.selection})
        console.print(left_out_text(plan.left_out, chosen), highlight=False, soft_wrap=True)


def _versions(backend: Backend) -> str:
    own = f"{backend.release}, " if backend.release else ""
    return escape(f"{own}torch {backend.version}")


def report(outcome: Outcome, seconds: float, console: Console) -> None:
    """Print the table, every failure, and the verdict."""
    plan = outcome.plan
    judgements = with_blocked(_in_reading_order(outcome))
    console.print(_table(outcome, judgements))
    clauses = {clause.id: clause for clause, _ in plan.selection}
    causes = [
        group
        for backend in plan.backends
        for group in groups([j for j in judgements if j.backend == backend.name])
    ]
    for judgement in _worth_explaining(judgements, causes):
        console.print()
        text = explanation(judgement, clauses[judgement.clause], plan.request.seed)
        first, _, rest = text.partition("\n")
        console.print(first, style=_STYLES[judgement.verdict], markup=False, highlight=False)
        console.print(rest, markup=False, highlight=False, soft_wrap=True)
    if len(causes) > 1 or any(len(group.clauses) > 1 for group in causes):
        console.print("\nprobable causes", style="bold")
        for group in causes:
            text = f"  {len(group.clauses)}: {group.cause} ({_first(group.clauses)})"
            console.print(text, markup=False, highlight=False, soft_wrap=True)
    for judgement in judgements:
        if judgement.verdict in (Verdict.KNOWN, Verdict.FIXED):
            text = f"{judgement.verdict} {judgement.clause} [{judgement.backend}]: "
            console.print(
                text, style=_STYLES[judgement.verdict], markup=False, highlight=False, end=""
            )
            console.print(judgement.reason, markup=False, highlight=False, soft_wrap=True)
    for judgement in judgements:
        if judgement.reason.endswith(UNCLAIMED):
            text = f"notice {judgement.clause} [{judgement.backend}]: {judgement.reason}"
            console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for text in strays(judgements):
        console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for problem in outcome.problems:
        console.print(f"\nharness: {problem}", style="bold magenta", markup=False, soft_wrap=True)
    console.print()
    for name, path in outcome.paths.items():
        console.print(f"record of {name}: {path}", markup=False, highlight=False, soft_wrap=True)
    end = footer(outcome.judgements, seconds)
    console.print(
        f"{end['drawn']:,} examples drawn, {end['cases']:,} cases checked in {seconds:.1f} s "
        f"({end['drawn_per_second_and_core']:,} examples and "
        f"{end['cases_per_second_and_core']:,} cases a second and core)",
        highlight=False,
        soft_wrap=True,
    )
    style = {0: "bold green", 1: "bold red"}.get(outcome.exit_status(), "bold magenta")
    console.print(verdict_line(outcome), style=style, markup=False, highlight=False, soft_wrap=True)


_MANY = 20


def _worth_explaining(judgements: list[Judgement], causes: list[Group]) -> list[Judgement]:
    """What went against the backends; of many failures with one cause, the first only."""
    against = [j for j in judgements if j.verdict in BROKEN | UNSOUND]
    if len(against) <= _MANY:
        return [j for j in against if j.verdict is not Verdict.BLOCKED]
    firsts = {group.clauses[0] for group in causes}
    return [
        j
        for j in against
        if j.verdict in UNSOUND or (j.clause in firsts and j.verdict is not Verdict.BLOCKED)
    ]


def verdict_line(outcome: Outcome) -> str:
    """The verdict in one line."""
    counts = Counter(judgement.verdict for judgement in outcome.judgements)
    names = ", ".join(backend.name for backend in outcome.plan.backends)
    status = outcome.exit_status()
    if status == 1:
        broken = sum(counts[verdict] for verdict in BROKEN)
        return f"FAILED: {broken} of {len(outcome.judgements)} verdicts went against {names}."
    if status == 3:
        return f"BROKEN: no verdict on {names}; {summary(counts, Verdict)}."
    asked = "every clause asked"
    if counts[Verdict.KNOWN]:
        asked += f" but {counts[Verdict.KNOWN]}, which are known failures"
    return f"PASSED: {names} held to {asked} ({summary(counts, Verdict)})."


def _table(outcome: Outcome, judgements: list[Judgement]) -> Table:
    table = Table(title="section x device", title_justify="left")
    table.add_column("section")
    backends = [backend.name for backend in outcome.plan.backends]
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for judgement in judgements:
        section = judgement.clause.partition(".")[0]
        counts.setdefault((section, judgement.backend), Counter())[judgement.verdict] += 1
    for name in backends:
        table.add_column(escape(name))
    strayed = Counter((j.clause.partition(".")[0], j.backend) for j in judgements if j.elsewhere)
    away = [name for name in backends if any(on == name for _, on in strayed)]
    for name in away:
        table.add_column(f"not all of it there: {escape(name)}")
    present = {section for section, _ in counts}
    for section in SECTIONS:
        if section in present:
            cells = [_cell(counts.get((section, name))) for name in backends]
            table.add_row(section, *cells, *(_number(strayed[section, name]) for name in away))
    totals = [
        sum((c for (_, on), c in counts.items() if on == name), Counter[Verdict]())
        for name in backends
    ]
    table.add_section()
    sums = (sum(n for (_, on), n in strayed.items() if on == name) for name in away)
    table.add_row("all", *map(_cell, totals), *map(_number, sums))
    return table


def _number(clauses: int) -> str:
    return f"[yellow]{clauses}[/]" if clauses else "[dim]-[/dim]"


def strays(judgements: Iterable[Judgement]) -> Iterator[str]:
    """A line for each reason why something did not run where it was asked to, with its clauses."""
    clauses: dict[tuple[str, str], list[str]] = {}
    for judgement in judgements:
        for reason in judgement.elsewhere:
            clauses.setdefault((judgement.backend, reason), []).append(judgement.clause)
    for (backend, reason), those in sorted(clauses.items(), key=lambda item: -len(item[1])):
        yield f"not there [{backend}]: {reason}: {len(those)} ({_first(those)})"


def _first(clauses: Sequence[str]) -> str:
    """The first few, where there may be many."""
    return ", ".join(clauses[:4]) + (", ..." if len(clauses) > 4 else "")


def _cell(counts: Counter[Verdict] | None) -> str:
    if not counts:
        return "[dim]-[/dim]"
    return ", ".join(
        f"[{_STYLES[verdict]}]{counts[verdict]} {verdict}[/]"
        for verdict in Verdict
        if counts[verdict]
    )


def _in_reading_order(outcome: Outcome) -> list[Judgement]:
    order = {
        (clause.id, backend.name): place
        for place, (clause, backend) in enumerate(outcome.plan.selection)
    }
    return sorted(outcome.judgements, key=lambda j: order[j.clause, j.backend])
