"""A run on a cluster: a few Ray nodes on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
from conftest import COMMAND, Tenet
from ray.cluster_utils import Cluster

from tenet.harness.cli import main
from tenet.harness.errors import UsageError
from tenet.harness.fleet.cluster import Environment, connected, environments
from tenet.harness.fleet.demand import Demand, Node, demand_of
from tenet.harness.fleet.job import Job
from tenet.harness.fleet.parts import Part, apart
from tenet.harness.fleet.run import CHUNK_CLAUSES, chunked
from tenet.harness.plan import Request, plan
from tenet.harness.record import read_record
from tenet.harness.verdict import Judgement, Verdict

CHOSEN = (
    "--clause",
    "comparison.is*",
    "--clause",
    "attributes.c*",
    "--examples",
    "5",
    "--seed",
    "3",
)
FEW = (
    *("--clause", "comparison.isclose", "--clause", "comparison.elementwise"),
    *("--clause", "attributes.ndim", "--examples", "2"),
)

LYING = """
import ctypes, os, signal, time
from types import ModuleType
import torch
from tenet.harness.backend import Backend

def right_but(name, deed):
    namespace = ModuleType("torch")
    def wrong(*arguments, **options):
        deed()
        return getattr(torch, name)(*arguments, **options)
    setattr(namespace, name, wrong)
    namespace.__getattr__ = lambda name: getattr(torch, name)
    return namespace
"""


def lying(folder: Path, name: str, deed: str, device: str = "cpu") -> str:
    """The file of a backend `liar` in which a function does a deed first."""
    path = folder / "liar.py"
    made = f"namespace = right_but({name!r}, lambda: {deed})"
    backend = f"liar = Backend('liar', {device!r}, lambda: namespace)"
    path.write_text("\n".join((LYING, made, backend)), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes that judge beside a head that does not; this process is connected to them."""
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    store = 80 << 20
    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": store, "include_dashboard": False},
    )
    made.add_node(num_cpus=1, object_store_memory=store)
    made.add_node(num_cpus=1, object_store_memory=store, resources={"npu": 1})
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def fleet(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Runs `tenet run` on the cluster; gives the exit status. Its records are below tmp_path."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*options: str) -> int:
        # On a machine with work for four, Ray's processes take minutes to start.
        patient = ("--timeout", "600", *options)
        return main(("run", "--ray", cluster.address, "--results", str(tmp_path), *patient))

    yield run
    signal.signal(signal.SIGTERM, handler)


def judged(folder: Path, backend: str) -> dict[str, Judgement]:
    """The judgements of a whole record; none is there twice."""
    [path] = folder.glob(f"{backend}/*.jsonl")
    record = read_record(path)
    assert record.footer is not None
    found = {judgement.clause: judgement for judgement in record.judgements}
    assert len(found) == len(record.judgements) == record.header["clauses"]
    return found


def essence(path: Path) -> list[str]:
    """The lines of a record in order, without time and place."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for passing in ("seconds", "worked", "started", "git"):
            entry["content"].pop(passing, None)
        for rate in ("drawn_per_second_and_core", "cases_per_second_and_core"):
            entry["content"].pop(rate, None)
        lines.append(json.dumps(entry, ensure_ascii=False))
    return sorted(lines)


def test_a_record_is_that_of_a_local_run(
    fleet: Callable[..., int], tenet: Tenet, tmp_path: Path
) -> None:
    file = lying(tmp_path, "isclose", "torch.isclose()")  # a failure, with example and script
    options = ("--backend", "cpu", "--backend", "liar", "--backend-file", file, *CHOSEN)
    assert fleet(*options) == 1
    here = tenet("run", *options, "--workers", "0")
    assert here.returncode == 1, here.stdout + here.stderr
    for backend in ("cpu", "liar"):
        [spread] = tmp_path.glob(f"{backend}/*.jsonl")
        [local] = tmp_path.glob(f"results/{backend}/*.jsonl")
        assert essence(spread) == essence(local)
        assert spread.name == local.name
    assert judged(tmp_path, "liar")["comparison.isclose"].verdict is Verdict.FAILED


def test_a_clause_that_kills_its_worker_is_crashed(
    fleet: Callable[..., int], tmp_path: Path
) -> None:
    file = lying(tmp_path, "isclose", "(os.write(2, b'out of registers'), os.abort())")
    assert fleet("--backend-file", file, *FEW) == 1
    found = judged(tmp_path, "liar")
    dead = found.pop("comparison.isclose")
    assert dead.verdict is Verdict.CRASHED
    assert dead.failure is not None
    assert dead.failure.example
    assert "out of registers" in dead.reason
    assert {j.verdict for j in found.values()} == {Verdict.PASSED}


def test_a_worker_that_dies_once_costs_nothing(fleet: Callable[..., int], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    deed = f"os.path.exists({str(mark)!r}) or (open({str(mark)!r}, 'x'), os.kill(os.getpid(), 9))"
    assert fleet("--backend-file", lying(tmp_path, "isclose", deed), *FEW) == 0
    assert mark.exists()
    assert {j.verdict for j in judged(tmp_path, "liar").values()} == {Verdict.PASSED}


def test_a_clause_that_hangs_is_timed_out(fleet: Callable[..., int], tmp_path: Path) -> None:
    file = lying(tmp_path, "isclose", "ctypes.PyDLL(None).sleep(600)")  # with the lock
    assert fleet("--backend-file", file, *FEW, "--timeout", "4") == 1
    found = judged(tmp_path, "liar")
    hung = found.pop("comparison.isclose")
    assert hung.verdict is Verdict.TIMED_OUT
    assert "no answer within 4 s" in hung.reason
    assert {j.verdict for j in found.values()} == {Verdict.PASSED}


def test_a_node_that_dies_is_nobodys_fault(
    fleet: Callable[..., int], cluster: Cluster, tmp_path: Path
) -> None:
    doomed = cluster.add_node(num_cpus=2, object_store_memory=80 << 20)
    mark = tmp_path / "mark"
    # The first to come by waits there until its node is gone.
    deed = (
        f"__import__('ray').get_runtime_context().get_node_id() == {doomed.node_id!r} "
        f"and (open({str(mark)!r}, 'w'), time.sleep(600))"
    )

    def kill() -> None:
        end = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < end:
            time.sleep(0.05)
        cluster.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    options = ("--clause", "comparison.e*", "--clause", "attributes.c*", "--examples", "2")
    status = fleet("--backend-file", lying(tmp_path, "tensor", deed), *options)
    killer.join()
    assert mark.exists()
    assert status == 0
    assert {j.verdict for j in judged(tmp_path, "liar").values()} <= {
        Verdict.PASSED,
        Verdict.UNSUPPORTED,
        Verdict.KNOWN,
    }


def test_a_device_is_judged_where_it_is(
    fleet: Callable[..., int], cluster: Cluster, tmp_path: Path
) -> None:
    """The miniature of an npu is a processor that says on which node it was asked."""
    deed = (
        f"open({str(tmp_path / 'node')!r}, 'a').write("
        "__import__('ray').get_runtime_context().get_node_id() + chr(10))"
    )
    file = Path(lying(tmp_path, "isclose", deed, device="npu"))
    # Its tensors are those of the processor.
    text = file.read_text(encoding="utf-8")
    alias = "namespace.tensor = lambda *a, device=None, **o: torch.tensor(*a, **o)"
    file.write_text(text.replace("liar =", f"{alias}\nliar ="), encoding="utf-8")
    fleet("--backend-file", str(file), *FEW)
    assert judged(tmp_path, "liar")
    [home] = [n["NodeID"] for n in ray.nodes() if n["Alive"] and "npu" in n["Resources"]]
    assert set((tmp_path / "node").read_text(encoding="utf-8").split()) == {home}


def test_a_device_that_no_node_has_is_said(
    fleet: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("--backend", "xpu", *FEW) == 2
    said = capsys.readouterr().err
    assert "'xpu' needs the resource 'xpu', which no node of the cluster has" in said
    assert "npu 1" in said  # the nodes, with what they have
    assert fleet("--backend", "cuda", *FEW) == 2
    assert "'GPU'" in capsys.readouterr().err


@pytest.mark.slow
def test_versions_are_judged_side_by_side(fleet: Callable[..., int], tmp_path: Path) -> None:
    """Two Python executables; one finds a torch that calls itself otherwise."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import torch\ntorch.__version__ = '9.9.0'\n")
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n')
    other.chmod(0o755)
    matrix = ("--ray-torch", str(other), "--ray-torch", sys.executable, "--backend", "cpu", *FEW)
    assert fleet(*matrix) == 0
    found = [read_record(path) for path in sorted(tmp_path.glob("cpu/*.jsonl"))]
    own, stated = (record.header["torch"] for record in found)
    assert own != stated == "9.9.0"
    for record in found:
        assert len(record.judgements) == record.header["clauses"] == 3


@pytest.mark.slow
def test_a_backend_that_dies_as_it_is_made_is_given_up(
    fleet: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No clause is to blame; it showed no sign of it when it was asked what it is."""
    file = tmp_path / "liar.py"
    file.write_text("""
import os, traceback
import torch
from tenet.harness.backend import Backend

def namespace():
    if any(frame.name == "judge_clauses" for frame in traceback.extract_stack()):
        os._exit(1)
    return torch

liar = Backend("liar", "cpu", namespace)
""")
    assert fleet("--backend-file", str(file), "--backend", "liar", "--backend", "cpu", *FEW) == 3
    assert "liar dies before it judged anything, 3 times" in capsys.readouterr().out
    assert {j.verdict for j in judged(tmp_path, "cpu").values()} == {Verdict.PASSED}
    [path] = tmp_path.glob("liar/*.jsonl")
    record = read_record(path)
    assert record.footer is None
    assert record.judgements == []


@pytest.mark.slow
def test_an_interrupted_run_is_resumed(cluster: Cluster, tmp_path: Path) -> None:
    chosen = ("--backend", "cpu", "--clause", "attributes.*", "--examples", "100")
    options = ["run", "--ray", cluster.address, "--results", str(tmp_path), *chosen]
    begun = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while sum(len(p.read_text().splitlines()) for p in tmp_path.glob("cpu/*")) < 3:
        assert begun.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 3
    assert "go on with --resume" in said
    [path] = tmp_path.glob("cpu/*.jsonl")
    before = read_record(path)
    assert before.footer is None
    assert main((*options, "--resume")) == 0
    after = list(judged(tmp_path, "cpu").values())
    assert after[: len(before.judgements)] == before.judgements


# ------------------------------------------------------------------------- without a cluster


def test_what_is_sent_is_what_arrives() -> None:
    made = plan(Request(("cpu",), "smoke", ("comparison.*",)))
    job = Job("a", made.request, (("x.py", "x = 1\n"),), made.examples, made.expectations)
    assert made.expectations
    assert Job.from_json(job.to_json()) == job


def test_environments_are_versions_or_executables() -> None:
    assert environments(()) == [Environment()]
    version, python = environments(("2.12.0", "/envs/nightly/bin/python"))
    assert version.options() == {"runtime_env": {"pip": ["torch==2.12.0"]}}
    assert python.options() == {"runtime_env": {"py_executable": "/envs/nightly/bin/python"}}
    with pytest.raises(UsageError, match="'nightly' is neither a version"):
        environments(("nightly",))


def test_two_environments_of_one_version_are_refused(tmp_path: Path) -> None:
    made = plan(Request(("cpu",), "smoke", ("comparison.*",)))
    one, other = (
        Part(Environment(label), made, Job(label, made.request), {}, {}) for label in ("a", "b")
    )
    apart([one], str(tmp_path))
    with pytest.raises(UsageError, match=r"a and b are both torch .*; leave one of them out"):
        apart([one, other], str(tmp_path))


@pytest.mark.parametrize(
    ("device", "demand"),
    [
        ("cpu", Demand()),
        ("meta", Demand()),
        ("cuda", Demand("GPU")),
        ("npu", Demand("NPU")),  # as Ray spells what it finds itself
        ("mps:0", Demand("mps")),
    ],
)
def test_a_task_asks_for_its_accelerator(device: str, demand: Demand) -> None:
    nodes = [Node("1", "a", {"CPU": 2, "GPU": 1, "NPU": 8}), Node("2", "b", {"CPU": 1, "mps": 1})]
    assert demand_of("x", device, nodes) == demand


def test_a_gpu_has_no_number_in_a_task() -> None:
    with pytest.raises(UsageError, match="name it cuda"):
        demand_of("cuda:1", "cuda:1", [Node("1", "a", {"CPU": 2, "GPU": 2})])


def test_chunks_hold_every_clause_once_and_are_small() -> None:
    clauses = [f"unknown.{number}" for number in range(100)]
    assert [c for chunk in chunked(clauses, 4, CHUNK_CLAUSES) for c in chunk] == clauses
    assert max(map(len, chunked(clauses, 4, CHUNK_CLAUSES))) == CHUNK_CLAUSES
    assert max(map(len, chunked(clauses, 1250, CHUNK_CLAUSES))) == 2


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "ray://127.0.0.1:1"])
def test_an_address_without_a_cluster_is_refused_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UsageError, match=f"--ray {address}"), connected(address):
        pytest.fail("there is no cluster")


def test_without_ray_the_repair_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(("run", "--ray", "auto")) == 2
    assert 'python -m pip install "tensor-tenet[ray]"' in capsys.readouterr().err


def test_versions_need_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("run", "--ray-torch", "2.12.0")) == 2
    assert "--ray ADDRESS" in capsys.readouterr().err
