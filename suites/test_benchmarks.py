"""The workloads as tests of pytest-benchmark.

`python -m pytest --pyargs tenet.suites.test_benchmarks --benchmark-only --backend cpu`

They take minutes, and time says nothing about conformance: unless pytest-benchmark is installed
and --benchmark-only or --benchmark-enable asks for them, they are left out. pytest-benchmark does
not time beside xdist: in this repository, add `-n0 --dist=no`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tenet.harness.backend import Backend, resolve
from tenet.harness.bench.clock import waiting
from tenet.harness.bench.workload import Workload
from tenet.harness.bench.workloads import workloads

pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed")


def _asked(config: pytest.Config) -> bool:
    names = ("benchmark_only", "benchmark_enable")
    return any(config.getoption(name, default=False) for name in names)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each workload and backend that can do it."""
    pairs: list[tuple[Workload, Backend]] = []
    if _asked(metafunc.config):
        pairs = [
            (workload, backend)
            for backend in resolve(list(metafunc.config.getoption("backend")))
            for workload in workloads().values()
            if "values" not in backend.lacks and not workload.lacking(backend.device, backend.lacks)
        ]
    names = [f"{workload.name}[{backend.name}]" for workload, backend in pairs]
    if pairs:
        metafunc.parametrize(("workload", "backend"), pairs, ids=names)
    else:
        skipped = pytest.mark.skip(reason="timed where --benchmark-only asks for it")
        metafunc.parametrize(
            ("workload", "backend"), [pytest.param(None, None, marks=skipped, id="none")]
        )


def test_workload(workload: Workload, backend: Backend, benchmark: Any) -> None:
    """Right before, timed, right after."""
    torch = backend.torch
    torch.set_num_threads(1)
    task = workload.make(torch, backend.device)
    task.check(task.work())
    wait = waiting(torch, backend.device)

    def timed() -> Any:
        result = task.work()
        wait()
        return result

    work = task.work if torch.device(backend.device).type == "cpu" else timed
    benchmark.group = workload.family.name
    benchmark.extra_info.update(bytes=task.bytes, flops=task.flops, **workload.parameters)
    task.check(benchmark(work))
