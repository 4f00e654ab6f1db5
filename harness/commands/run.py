"""`tenet run`: judge backends."""

from __future__ import annotations

import argparse
import os
from typing import Any

from tenet.harness.commands.options import at_least

_RUN_OPTIONS: dict[str, dict[str, Any]] = {
    "--backend": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "cpu, cuda:1, mps, xpu, meta, ...; repeat for several; default: all found",
    },
    "--suite": {
        "default": "core",
        "metavar": "NAME",
        "help": "smoke, core or full; default: core",
    },
    "-k --clause": {
        "action": "append",
        "default": [],
        "metavar": "GLOB",
        "help": "only the clauses whose id matches; repeat for several",
    },
    "--examples": {
        "type": at_least(1),
        "metavar": "N",
        "help": "examples for each clause instead of the suite's number",
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
    "--results": {
        "default": "results",
        "metavar": "DIR",
        "help": "where the records go; default: results",
    },
    "--list": {"action": "store_true", "help": "list what would run, and stop"},
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="judge backends",
        description="Judges every device of this machine, or the backends named.",
        epilog="exit status: 0 all held, 1 something failed, 2 bad usage, 3 the harness broke",
    )
    for names, settings in _RUN_OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    from tenet.harness.plan import Request, plan

    made = plan(
        Request(
            backends=tuple(options.backend),
            suite=options.suite,
            clauses=tuple(options.clause),
            examples=options.examples,
            seed=options.seed,
        )
    )
    if options.list:
        for clause, backend in made.selection:
            print(f"{clause.id}[{backend.name}]")
        return 0
    import time

    from rich.console import Console

    from tenet.harness.run import run
    from tenet.harness.terminal import Display, announce, report

    console = Console()
    workers = len(os.sched_getaffinity(0)) if options.workers is None else options.workers
    started = time.perf_counter()
    announce(made, console)
    with Display(made, console) as display:
        outcome = run(made, workers=workers, results=options.results, listener=display)
    report(outcome, time.perf_counter() - started, console)
    return outcome.exit_status()
