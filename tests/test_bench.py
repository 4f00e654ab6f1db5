"""Workloads, clocks, `tenet bench`, and the tools that time the same workloads."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from tenet.harness.backend import Backend
from tenet.harness.bench import oracle
from tenet.harness.bench.bench import in_units, measurable
from tenet.harness.bench.ceiling import Ceiling
from tenet.harness.bench.clock import clock_for
from tenet.harness.bench.measure import Measurement, measure
from tenet.harness.bench.memory import peak_of
from tenet.harness.bench.record import read_bench, stored
from tenet.harness.bench.workload import Family, Task, Workload, choose, named
from tenet.harness.bench.workloads import FAMILIES, workloads
from tenet.harness.cli import main
from tenet.harness.errors import UsageError
from tenet.spec.sections import specification

ROOT = Path(__file__).parent.parent


def cheap(family: Family) -> list[Workload]:
    """Its workloads on the processor, but for the largest: those only repeat the others."""
    return [
        workload
        for workload in family.workloads
        if not workload.lacking("cpu", {}) and int(workload.parameters.get("elements", 0)) < 10**6
    ]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_workload_gives_what_it_has_to(family: Family) -> None:
    assert family.clause in specification()
    for workload in cheap(family):
        task = workload.make(torch, "cpu")
        task.check(task.work())
        task.check(task.work())


LIES = {
    "elementwise.add/1e3/float32": ("add", lambda right: lambda x, y: right(x, y) + 1e-5),
    "elementwise.exp/1e3/bfloat16": ("exp", lambda right: lambda x: right(x) * 1.01),
    "matmul.square/side=32/float32": ("matmul", lambda right: lambda x, y: right(x, y.t())),
    "reduction.sum/1e3/float32": ("sum", lambda right: lambda x: right(x[1:])),
    "view.reshape/1e3": ("Tensor.reshape", lambda right: lambda x, *s: right(x, *s).clone()),
    "bridge.from-numpy/1e3": ("from_numpy", lambda right: lambda a: right(a.copy())),
    "autograd.forward/depth=1": ("Tensor.relu", lambda right: lambda x: x.detach()),
    "autograd.backward/depth=4": ("Tensor.relu", lambda right: lambda x: right(x) * 2),
    "training.perceptron/width=128": ("optim.SGD.zero_grad", lambda right: lambda self: None),
    "optim.adam-step/foreach": ("optim.Adam.step", lambda right: lambda self: None),
    "files.save/1e3": ("save", lambda right: lambda x, path: right(x + 1, path)),
    "copies.from-device/1e3": ("Tensor.to", lambda right: lambda x, *a, **k: x),
    "creation.rand/1e3": ("rand", lambda right: lambda n, device: right(n, device=device) / 2),
}


@pytest.mark.parametrize("name", LIES)
def test_a_time_of_a_wrong_result_is_void(name: str) -> None:
    dotted, lie = LIES[name]
    owner: object = torch
    *path, last = dotted.split(".")
    for part in path:
        owner = getattr(owner, part)
    with patch.object(owner, last, lie(getattr(owner, last))):
        measured = measure(torch, "cpu", workloads()[name], 0.01)
    assert measured.void.startswith("wrong:"), measured
    assert not measured.seconds


def a_family(task: Task, **options: object) -> Family:
    return Family("test.one", lambda torch, device: task, "creation.full", {}, **options)  # type: ignore[arg-type]


def test_a_result_that_becomes_wrong_while_it_is_timed_is_void() -> None:
    calls = iter(range(10**9))
    right = oracle.gives(np.asarray(0.0, np.float32))
    task = Task(lambda: torch.tensor(0.0 if next(calls) < 5 else 1.0), right)
    [workload] = a_family(task).workloads
    assert measure(torch, "cpu", workload, 0.01).void == "wrong: 1.0, not 0.0"


def test_what_raises_is_void_and_says_why() -> None:
    def work() -> object:
        raise ValueError("no kernel\nfor this")

    [workload] = a_family(Task(work, lambda got: None)).workloads
    assert measure(torch, "cpu", workload, 0.01).void == "raised ValueError: no kernel"


def test_the_oracle_names_what_differs_first() -> None:
    check = oracle.gives(np.arange(3, dtype=np.float32))
    check(torch.tensor([0.0, 1, 2, 0, 1, 2]))
    for got, said in (
        (torch.tensor([0.0, 1, 2, 0, 5, 2]), r"5.0 at \[1, 1\], not 1.0"),
        (torch.tensor([0, 1, 2]), "dtype int64, not float32"),
        (torch.zeros(4), r"shape \(4,\), not \(3,\)"),
        (torch.tensor([0.0, float("nan"), 2]), "nan"),
    ):
        with pytest.raises(oracle.Wrong, match=said):
            check(got)


def test_work_of_one_thread_is_timed_by_the_thread() -> None:
    assert clock_for(torch, "cpu", "processor").name == "thread"
    assert clock_for(torch, "cpu", "wall").name == "wall"
    with patch.object(torch, "get_num_threads", lambda: 2):
        assert clock_for(torch, "cpu", "processor").name == "wall"
    [workload] = a_family(Task(lambda: torch.zeros(1), lambda got: None)).workloads
    measured = measure(torch, "cpu", workload, 0.02)
    assert 1e-8 < measured.seconds < 1e-2
    assert measured.blocks >= 3
    assert measured.number > 1


def test_peak_memory_is_what_is_held_at_once() -> None:
    x = torch.ones(1000)
    assert peak_of(torch, "cpu", lambda: x[::2]) == 0
    assert peak_of(torch, "cpu", lambda: x + 1) == 4000
    assert peak_of(torch, "cpu", lambda: ((x + 1) + 1) + 1) == 8000


def test_the_ceiling_is_a_share_of_the_least_time() -> None:
    ceiling = Ceiling(1e9, {"float32": 1e10})
    measured = Measurement("x", seconds=1.0, bytes=10**8, flops=5 * 10**9)
    assert ceiling.share(measured, "float32") == pytest.approx(0.5)
    assert ceiling.share(measured, "float16") == pytest.approx(0.1)
    assert ceiling.share(Measurement("view", seconds=1.0), "float32") is None


@pytest.mark.parametrize(
    ("value", "text"), [(1.88e-6, "1.88 us"), (0.02345, "23.4 ms"), (0, "0 s"), (999.7, "1000 s")]
)
def test_units(value: float, text: str) -> None:
    assert in_units(value, "s") == text


def test_names_are_chosen_by_pattern_and_the_nearest_are_named() -> None:
    chosen = [w.name for w in choose(workloads(), ["matmul.square/*/float64"])]
    assert chosen[0] == "matmul.square/side=32/float64"
    with pytest.raises(UsageError, match=r"did you mean elementwise\.add/1e3/float32"):
        choose(workloads(), ["elementwise.ad/1e3/float32"])
    family = FAMILIES[0]
    with pytest.raises(ValueError, match="two workloads"):
        named([family, family])


def test_what_a_device_cannot_do_is_left_out() -> None:
    name = "elementwise.add/1e3/float64"
    lacking = Backend("mps", device="mps", lacks={"float64": "Metal has none"})
    chosen = [workloads()[name], workloads()["elementwise.add/1e3/float32"]]
    [(_, able)] = measurable(chosen, [lacking], strictly=True)
    assert [workload.dtype for workload in able] == ["float32"]
    meta = Backend("meta", device="meta", lacks={"values": "it holds none"})
    with pytest.raises(UsageError, match="nothing to measure on meta"):
        measurable(chosen, [meta], strictly=True)
    assert not measurable(chosen, [lacking, meta], strictly=False)[1:]
    whole = workloads()["matmul.documented/side=1e4"]
    assert whole.lacking("cpu", {})
    assert not whole.lacking("cuda:1", {})


def test_bench_writes_a_record_and_keeps_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["bench", "--backend", "cpu", "-k", "view.select/1e3", "--results", str(tmp_path)]
    assert main(arguments) == 0
    assert main(arguments) == 0
    [record] = stored(tmp_path)
    assert record.header["torch"] == torch.__version__
    assert record.ceiling is not None
    assert record.ceiling.bandwidth > 1e8
    [measured] = record.measurements
    assert (measured.workload, measured.void) == ("view.select/1e3", "")
    assert measured.seconds > 0
    out = capsys.readouterr().out
    assert "of ceiling" in out
    assert "view.select/1e3" in out
    [kept] = tmp_path.glob("cpu/bench/*.previous.jsonl")
    assert read_bench(kept).measurements
    with patch.object(torch.Tensor, "__getitem__", lambda x, i: torch.zeros(10)):
        assert main(arguments) == 1
    assert "FAILED: 1 timings are void" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-k", "view.selec"), "unknown workload 'view.selec'; did you mean view.select"),
        (("--backend", "cup"), "unknown backend 'cup'; did you mean cpu?"),
        (("--against", "/nowhere/python"), "is no interpreter that can be run"),
        (("--against", "cqu"), "unknown backend 'cqu'"),
        (("--against", "cpu", "--threshold", "0.1"), "--threshold 0.1 is too tight; 5 is"),
        (("--threshold", "-3"), "'-3' is no number of percent above 0"),
        (("--calibrate", "--rounds", "1"), "'1' is not a whole number from 2 up"),
        (("--history", "site"), "no records of `tenet bench` were found"),
        (("--quick", "--long"), "not allowed with argument --quick"),
        (("-k", "view.select/1e3", "--backend", "cpu", "--results", "/dev/null/x"), "--results"),
    ],
)
def test_bad_usage_gives_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["bench", *arguments])
    except SystemExit as left:
        status = int(left.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_list_names_what_would_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list", "-k", "bridge.to-numpy/*"]) == 0
    assert capsys.readouterr().out.split() == [
        "bridge.to-numpy/1e3[cpu]",
        "bridge.to-numpy/1e6[cpu]",
    ]


@pytest.mark.slow
def test_pytest_benchmark_times_the_same_workloads(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    path = ROOT / "suites" / "test_benchmarks.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    command += ["--backend", "cpu", "-k", "view.select"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    asked = subprocess.run(
        [*command, "-n0", "--dist=no", "--benchmark-only", "--benchmark-max-time=0.05"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stdout
    assert "2 passed" in asked.stdout
    assert "test_workload[view.select/1e3[cpu]]" in asked.stdout


def test_asv_finds_and_times_the_same_workloads() -> None:
    """As `asv run -E existing --quick` does, in one process."""
    discovery = pytest.importorskip("asv_runner.discovery")
    suite = import_module("tenet.suites.benchmarks.workloads")
    found = [
        discovery._get_benchmark(name, suite, None, value)
        for name, value in vars(suite).items()
        if name.startswith("time_")
    ]
    by_name = {benchmark.name: benchmark for benchmark in found}
    of_cpu = [family for family in FAMILIES if family.where != "accelerator"]
    assert len(by_name) == len(found) == len(of_cpu)
    benchmark = by_name["workloads.time_view_select"]
    assert benchmark.params == [["1000", "10000000"]]
    benchmark.set_param_idx(0)
    benchmark.repeat, benchmark.number, benchmark.warmup_time = 1, 1, 0
    benchmark.do_setup()
    result = benchmark.do_run()
    assert 0 < result["samples"][0] < 1e-2, "making the workload was timed"
    with (
        patch.object(torch.Tensor, "__getitem__", lambda x, i: torch.zeros(10)),
        pytest.raises(oracle.Wrong),
    ):
        benchmark.do_teardown()
