"""`tenet run`: judge backends."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from tenet.harness.commands.options import add_sources, at_least

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenet.harness.plan import Plan, Request
    from tenet.harness.run import Outcome

_RUN_OPTIONS: dict[str, dict[str, Any]] = {
    "--backend": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "cpu, cuda:1, cpu+inductor, meta, ...; repeat for several; default: those of "
        "--backend-file, or all devices found",
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
    "--budget": {
        "metavar": "TIME",
        "help": "such as 60s or 5m of one core: only the clauses that find most in that time",
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
    "--timeout": {
        "type": at_least(1),
        "default": 120,
        "metavar": "SECONDS",
        "help": "how long one example may take before its worker is ended; default: 120",
    },
    "--memory": {
        "type": at_least(1),
        "metavar": "MIB",
        "help": "what a worker may use; default: its share of four fifths of the machine's",
    },
    "--results": {
        "default": "results",
        "metavar": "DIR",
        "help": "where the records go; default: results",
    },
    "--resume": {
        "action": "store_true",
        "help": "carry on the unfinished record of a run with the same options",
    },
    "--expect": {
        "action": "append",
        "default": [],
        "metavar": "FILE",
        "help": "a list of known failures (see `tenet expect`); repeat for several",
    },
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="judge backends",
        description="Judges every device of this machine, or the backends named.",
        epilog="exit status: 0 all held, 1 something failed, 2 bad usage, 3 the harness broke",
    )
    add_choice(parser)
    parser.add_argument("--list", action="store_true", help="list what would run, and stop")
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="judge on the Ray cluster at host:port, or auto; local: one of this machine alone",
    )
    parser.add_argument(
        "--ray-torch",
        action="append",
        default=[],
        metavar="TORCH",
        help="with --ray: a version of torch, or a Python executable of the nodes that has one; "
        "repeat for several; default: the torch that the nodes have",
    )
    parser.set_defaults(command=_run)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is judged, and how."""
    for names, settings in _RUN_OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    add_sources(parser)


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that those options ask for."""
    from tenet.harness.plan import plan

    return plan(_request(options))


def _request(options: argparse.Namespace) -> Request:
    from tenet.harness.plan import Request

    return Request(
        backends=tuple(options.backend),
        suite=options.suite,
        clauses=tuple(options.clause),
        examples=options.examples,
        seed=options.seed,
        expect=tuple(options.expect),
        backend_files=tuple(options.backend_file),
        imports=tuple(options.imports),
        budget=options.budget,
    )


def perform(made: Plan, options: argparse.Namespace) -> Outcome:
    """Run a plan, showing how it goes and what came out."""
    import time

    from rich.console import Console

    from tenet.harness.run import run
    from tenet.harness.terminal import Display, announce, report
    from tenet.harness.watch import Limits, memory_share

    console = Console()
    workers = len(os.sched_getaffinity(0)) if options.workers is None else options.workers
    limits = Limits(
        seconds=options.timeout,
        memory=memory_share(workers) if options.memory is None else options.memory << 20,
    )
    started = time.perf_counter()
    announce(made, console)
    with Display([made], console) as display:
        outcome = run(
            made,
            workers=workers,
            results=options.results,
            resume=options.resume,
            listener=display,
            limits=limits,
        )
    report(outcome, time.perf_counter() - started, console)
    return outcome


def _run(options: argparse.Namespace) -> int:
    if options.ray is not None:
        return _run_on_ray(options)
    if options.ray_torch:
        from tenet.harness.errors import UsageError

        raise UsageError(f"--ray-torch {options.ray_torch[0]} goes with --ray ADDRESS only")
    made = plan_of(options)
    if options.list:
        _list([made])
        return 0
    return perform(made, options).exit_status()


def _list(plans: Iterable[Plan]) -> None:
    from tenet.harness.verdict import item_name

    for made in plans:
        for clause, backend in made.selection:
            print(item_name(clause.id, backend.name))


def _run_on_ray(options: argparse.Namespace) -> int:
    import time

    from rich.console import Console

    from tenet.harness.fleet.cluster import connected, environments
    from tenet.harness.fleet.parts import parts_of
    from tenet.harness.fleet.run import Options, run_parts
    from tenet.harness.terminal import Display, announce, report

    console = Console()
    wanted = environments(options.ray_torch)
    with connected(options.ray, options.workers) as ray:
        parts = parts_of(ray, _request(options), wanted)
        plans = [part.plan for part in parts]
        if options.list:
            _list(plans)
            return 0
        started = time.perf_counter()
        for made in plans:
            announce(made, console)
        with Display(plans, console) as display:
            outcomes = run_parts(
                ray,
                parts,
                results=options.results,
                listener=display,
                options=Options(
                    seconds=options.timeout,
                    memory=0 if options.memory is None else options.memory << 20,
                    workers=options.workers or None,
                    resume=options.resume,
                ),
            )
    for outcome in outcomes:
        report(outcome, time.perf_counter() - started, console)
    statuses = {outcome.exit_status() for outcome in outcomes}
    return 1 if 1 in statuses else max(statuses)
