"""`tenet bench`: how fast backends are."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from tenet.harness.commands.options import at_least, percentage

if TYPE_CHECKING:
    from tenet.harness.bench.workload import Workload

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
    "--threshold": {
        "type": percentage,
        "metavar": "PERCENT",
        "help": "the slowdown that --against has to find; default: 5, or what --calibrate found",
    },
    "--rounds": {
        "type": at_least(2),
        "default": 3,
        "metavar": "N",
        "help": "comparisons of each workload with its equal that --calibrate makes, and a third "
        "as many with each slowdown; default: 3",
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
        epilog="exit status: 0 done; 1 a result was wrong, or slower than OTHER's; "
        "2 bad usage; 3 the harness broke",
    )
    for names, settings in _OPTIONS.items():
        parser.add_argument(*names.split(), **settings)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="a moment for each: the default")
    length.add_argument("--long", action="store_true", help="ten times as long for each")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the workloads, and stop")
    what.add_argument(
        "--against",
        metavar="OTHER",
        help="compare this environment with OTHER, by interleaved pairs; OTHER: the path of "
        "another python, or a backend",
    )
    what.add_argument(
        "--calibrate",
        action="store_true",
        help="find out which slowdowns --against finds on this machine, and how often it errs",
    )
    what.add_argument(
        "--history",
        metavar="DIR",
        help="write the stored records to DIR as a site for `asv publish`, by release of torch",
    )
    parser.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> int:
    # Before torch starts its threads.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.history is not None:
        return _history(options)
    from tenet.harness.backend import resolve
    from tenet.harness.bench.bench import bench, measurable, show, wide_console
    from tenet.harness.bench.workload import choose
    from tenet.harness.bench.workloads import workloads

    chosen = choose(workloads(), options.workload)
    if options.against is not None or options.calibrate:
        return _pairs(options, chosen)
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


def _pairs(options: argparse.Namespace, chosen: list[Workload]) -> int:
    from tenet.harness.backend import resolve
    from tenet.harness.bench import against, calibration
    from tenet.harness.bench.bench import measurable, wide_console
    from tenet.harness.bench.pairs import Design
    from tenet.harness.bench.record import fingerprint
    from tenet.harness.bench.ruling import Ruling
    from tenet.harness.bench.sides import Side, side_of
    from tenet.harness.bench.store import Store
    from tenet.harness.errors import UsageError

    if len(options.backend) > 1:
        raise UsageError("--against and --calibrate take one --backend")
    [backend] = resolve(options.backend or ["cpu"])
    design = Design(threads=options.threads)
    console = wide_console()
    here = Side(backend=backend.name)
    before = here if options.against is None else side_of(options.against, here)
    able = [workload for _, every in measurable(chosen, [backend], strictly=True)
            for workload in every]  # fmt: skip
    if before.backend != backend.name:
        [other] = resolve([before.backend])
        able = [workload for _, every in measurable(able, [other], strictly=True)
                for workload in every]  # fmt: skip
    device = fingerprint(backend)
    asked = None if options.threshold is None else options.threshold / 100
    found = calibration.known(options.results, device)
    threshold = calibration.threshold_of(asked, found)
    purpose = "calibrate" if options.calibrate else "against"
    key, facts = against.key_of(purpose, (before, here), design, device)
    wanted = options.rounds * len(able)
    store = Store(options.results, key, lambda outcome: outcome.get("trials", wanted) < wanted)
    try:
        if store.resumed:
            console.print(f"going on where it stopped: {store.path}", markup=False, soft_wrap=True)
        if options.calibrate:
            told = {**facts[1], "fingerprint": device}
            made = calibration.calibrate(store, here, able, design, options.rounds, told, console)
            calibration.keep(made, options.results)
            calibration.show(made, console)
            status = 0
        else:
            compared = against.against(store, (before, here), able, design, threshold, console)
            against.show(compared, (titled(facts[0]), titled(facts[1])), console)
            bad = {Ruling.SLOWER, Ruling.VOID}
            status = 1 if any(one.ruling in bad for one in compared) else 0
            console.print(f"threshold: {100 * threshold:g}%", highlight=False)
    finally:
        store.close()
    console.print(f"pairs: {store.path}", markup=False, highlight=False, soft_wrap=True)
    return status


def titled(facts: dict[str, Any]) -> str:
    """A side in a few words."""
    return f"torch {facts['torch']} on {facts['backend']} (Python {facts['python']})"


def _history(options: argparse.Namespace) -> int:
    from pathlib import Path

    from tenet.harness.bench.history import write_history
    from tenet.harness.bench.record import stored

    written = write_history(stored(options.results), Path(options.history))
    print(f"{written.results} results of torch {', '.join(written.releases)} in {options.history}")
    print(f"next: cd {options.history} && asv publish && asv preview")
    return 0
