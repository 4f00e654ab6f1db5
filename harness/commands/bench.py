"""`tenet bench`: how fast backends are."""

from __future__ import annotations

import argparse
import os
from typing import Any

from tenet.harness.commands.options import at_least

_OPTIONS: dict[str, dict[str, Any]] = {
    "--backend": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "a backend to measure, such as cpu or cuda:1; repeat for several; default: all",
    },
    "-k --workload": {
        "action": "append",
        "default": [],
        "metavar": "GLOB",
        "help": "only the workloads whose name matches; repeat for several",
    },
    "--threads": {
        "type": at_least(1),
        "default": 1,
        "metavar": "N",
        "help": "threads of the processor; default: 1",
    },
    "--results": {
        "default": "results",
        "metavar": "DIR",
        "help": "where the records go; default: results",
    },
}
_QUICK, _LONG = 0.15, 1.5
"""Seconds for each workload."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast backends are",
        description="Times every workload on every device of this machine; a time counts only "
        "where the result is right, before and after.",
        epilog="exit status: 0 done; 1 a result was wrong, or slower than the other side; "
        "2 bad usage; 3 the harness broke",
    )
    for names, settings in _OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="a moment for each: the default")
    length.add_argument("--long", action="store_true", help="ten times as long for each")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the workloads, and stop")
    parser.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> int:
    # Before torch starts its threads.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    from tenet.harness.backend import resolve
    from tenet.harness.bench.bench import bench, measurable, show, wide_console
    from tenet.harness.bench.workload import choose
    from tenet.harness.bench.workloads import workloads

    chosen = choose(workloads(), options.workload)
    backends = resolve(options.backend)
    plan = measurable(chosen, backends, strictly=bool(options.backend))
    if options.list:
        for backend, able in plan:
            for workload in able:
                print(f"{workload.name}[{backend.name}]")
        return 0
    console = wide_console()
    void = 0
    for backend, able in plan:
        result = bench(
            backend,
            able,
            budget=_LONG if options.long else _QUICK,
            threads=options.threads,
            results=options.results,
            console=console,
        )
        show(result, console)
        void += result.void
    if void:
        console.print(f"FAILED: {void} timings are void: the results were wrong.", style="bold red")
    return 1 if void else 0
