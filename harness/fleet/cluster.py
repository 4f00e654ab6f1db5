"""The connection to a Ray cluster, and the environments that tasks run in there."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from packaging.version import InvalidVersion, Version

from tenet.harness.errors import UsageError
from tenet.harness.fleet.demand import Node, nodes_of
from tenet.harness.worker import ONE_CORE


@dataclass(frozen=True)
class Environment:
    """Which torch tasks find. label: as it was asked for; settings: Ray's runtime environment."""

    label: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The options of a Ray task that runs in it."""
        return {"runtime_env": self.settings} if self.settings else {}


def environments(wanted: Sequence[str]) -> list[Environment]:
    """An environment for each version of torch or Python executable; where none is named, the
    one that the nodes have. UsageError for what is neither."""
    found = [_environment(text) for text in dict.fromkeys(wanted)]
    return found or [Environment()]


def _environment(text: str) -> Environment:
    if os.sep in text:
        return Environment(text, {"py_executable": text})
    try:
        return Environment(text, {"pip": [f"torch=={Version(text)}"]})
    except InvalidVersion as error:
        raise UsageError(
            f"--ray-torch {text!r} is neither a version, such as 2.13.0, nor the path of a Python "
            "executable, such as /envs/nightly/bin/python"
        ) from error


def load_ray() -> Any:
    """Ray. UsageError where it is not installed."""
    try:
        return import_module("ray")
    except ImportError as error:
        raise UsageError(
            f"--ray needs Ray, which cannot be imported ({error}); install it with "
            '`python -m pip install "tensor-tenet[ray]"`'
        ) from error


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[Any]:
    """Ray, connected to the cluster while the block runs; a program that is connected already
    stays so.

    address: `host:port` or `auto` of a cluster that this machine is a node of, or `local` for a
    cluster of this machine alone, with so many cores. UsageError where there is no cluster.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    if address.startswith("ray://"):
        raise UsageError(
            f"--ray {address}: judgements do not come through the Ray client; give host:port on a "
            "node of the cluster, or `ray job submit -- tenet run --ray auto`"
        )
    if address not in ("auto", "local"):
        _knock(address)
    variables = {name: os.environ.get(name, value) for name, value in ONE_CORE.items()}
    options: dict[str, Any] = {"address": address, "runtime_env": {"env_vars": variables}}
    if address == "local":
        options |= {"num_cpus": cores, "include_dashboard": False}
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first, _, _ = str(error).strip().partition("\n")
        raise UsageError(
            f"--ray {address}: there is no cluster to join ({first}); "
            "start one with `ray start --head`, or use --ray local"
        ) from error
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray puts its own
        _keep_quiet()
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """UsageError where nobody answers: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            return
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--ray {address}: nobody answers there ({error}); give host:port as `ray start "
            "--head` printed it, or auto, or local"
        ) from error


def _keep_quiet() -> None:
    """A worker's death is a verdict here; Ray has no option that leaves its own report out."""
    with suppress(ImportError, AttributeError, KeyError, ValueError):
        logs = import_module("ray._private.ray_logging")
        logs.global_worker_stdstream_dispatcher.remove_handler("ray_print_logs")


def nodes(ray: Any) -> list[Node]:
    """The nodes of the cluster that are alive."""
    return nodes_of(ray.nodes())
