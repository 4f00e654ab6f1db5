"""`tenet audit`: examine the suite with faulty backends."""

from __future__ import annotations

import argparse
import os
from typing import Any

from tenet.harness.commands.options import at_least

_OPTIONS: dict[str, dict[str, Any]] = {
    "--suite": {
        "default": "core",
        "metavar": "NAME",
        "help": "the budget: smoke, core or full; default: core",
    },
    "-m --mutant": {
        "action": "append",
        "default": [],
        "metavar": "GLOB",
        "help": "only the mutants whose name matches; repeat for several",
    },
    "--origin": {
        "action": "append",
        "default": [],
        "choices": ("deep", "miniature", "law", "narrow"),
        "help": "only deep faults, miniatures, or the faults of the operators' laws",
    },
    "--seed": {
        "type": at_least(0),
        "default": 0,
        "metavar": "N",
        "help": "the same seed gives the same examples; default: 0",
    },
    "--workers": {
        "type": at_least(0),
        "metavar": "N",
        "help": "processes side by side; default: one a core; 0: none but this one",
    },
    "--every": {
        "action": "store_true",
        "help": "judge every clause that may kill, not only up to the first that does",
    },
    "--blind": {
        "action": "store_true",
        "help": "use no knowledge of which clause kills which mutant: an honest time to the kill",
    },
    "--at-least": {
        "type": float,
        "default": 100.0,
        "metavar": "SCORE",
        "help": "percent of mutants to be killed; fewer: exit status 1; default: 100",
    },
    "--learn": {
        "action": "store_true",
        "help": "write what was learned to the package, for the order of later runs and audits",
    },
    "--results": {
        "default": "results",
        "metavar": "DIR",
        "help": "where the record goes; default: results",
    },
    "--list": {"action": "store_true", "help": "list the mutants, and stop"},
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "audit",
        help="examine the suite with faulty backends",
        description="Runs the clauses against mutants: stock PyTorch, with one fault each.",
        epilog="exit status: 0 enough were killed, 1 too few, 2 bad usage, 3 the harness broke",
    )
    for names, settings in _OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    parser.set_defaults(command=_audit)


def _audit(options: argparse.Namespace) -> int:
    from tenet.harness.backend import load_torch
    from tenet.harness.errors import UsageError
    from tenet.harness.suite import suite_of

    if not 0 <= options.at_least <= 100:
        raise UsageError(f"--at-least {options.at_least:g}: a score is a percentage, 0 to 100")
    suite = suite_of(options.suite)
    _able(load_torch())
    from tenet.harness.audit.catalogue import chosen

    mutants = {m.name: m for m in chosen(tuple(options.mutant))}
    if options.origin:
        mutants = {name: m for name, m in mutants.items() if m.origin in options.origin}
        if not mutants:
            raise UsageError("no mutant is left; choose other names, or another --origin")
    if options.list:
        for mutant in mutants.values():
            print(f"{mutant.name}: {mutant.says}")
        return 0
    from rich.console import Console

    from tenet.harness.audit.examine import PROGRAM, Fate, order
    from tenet.harness.audit.matrix import show
    from tenet.harness.audit.pool import Terms, examine_all
    from tenet.harness.audit.record import AuditRecord, header
    from tenet.harness.audit.score import idle, percent
    from tenet.harness.backend import resolve
    from tenet.harness.progress import Count
    from tenet.spec.sections import specification

    console = Console()
    if not console.is_terminal:
        console.width = 160  # a file has room for the matrix
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = len(os.sched_getaffinity(0)) if options.workers is None else options.workers
    terms = Terms(suite.examples, suite.thorough, options.seed, options.every, options.blind)
    about = header(terms, suite.name, options.mutant, len(mutants))
    [stock] = resolve(["cpu"])
    sections = {section for mutant in mutants.values() for section in mutant.sections}
    asked = [
        clause.id
        for clause in specification().values()
        if clause.section in sections - {PROGRAM}
        and (suite.thorough or not clause.thorough)
        and not stock.lacking(clause)
    ]
    findings = []
    with AuditRecord(options.results, about, len(mutants)) as record:
        with Count(len(mutants), Fate, "examining", "examined", console) as count:
            for finding in examine_all(terms, list(mutants), workers):
                findings.append(finding)
                record.add(finding)
                count.add(finding.fate)
        findings = order(findings, list(mutants))
    # Where mutants were chosen, that the others are absent says nothing about a clause.
    whole = not options.mutant and not options.origin
    show(findings, mutants, idle(findings, asked) if whole or options.every else [], console)
    console.print(f"record: {record.path}", markup=False, highlight=False, soft_wrap=True)
    if options.learn:
        from tenet.harness.audit.learning import learn

        learn(findings)
    return 0 if percent(findings) >= options.at_least else 1


def _able(torch: Any) -> None:
    """HarnessError for a torch whose kernels cannot be replaced from Python."""
    from tenet.harness.errors import HarnessError

    if not hasattr(torch.library, "get_kernel"):
        raise HarnessError(
            f"torch {torch.__version__} is too old to be made faulty; the audit needs "
            "torch.library.get_kernel, of torch 2.10 or later"
        )
