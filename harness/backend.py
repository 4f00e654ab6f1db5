"""Backends: what is judged."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tenet.harness import compiling
from tenet.harness.compiling import EAGER
from tenet.harness.errors import HarnessError, UsageError, unknown
from tenet.spec.language import Clause
from tenet.spec.language.capability import unknown_capability

OLDEST_TORCH = (2, 6)
"""The release that brought torch.accelerator, by which devices are found."""


def _import_torch() -> Any:
    return import_module("torch")


@dataclass(frozen=True)
class Backend:
    """One thing to judge: a namespace that speaks PyTorch's API, and a device of it.

    name: what verdicts and records call it.
    device: the device string that clauses pass on.
    namespace: gives the `torch` namespace; PyTorch's own by default.
    lacks: capabilities that it does not have (see `tenet spec --capabilities`), each with the
        reason. What is not named here is claimed, and judged.
    mode: how operations run: one by one (`eager`), or the name of a backend of torch.compile;
        such a backend is asked the clauses whose programs can be compiled.
    package: the distribution that it comes in, where that is not torch's: its version names the
        record, and is what the version conditions of known failures speak of.
    cost: the time of one of its examples as a multiple of eager mode's, about: so many fewer are
        tried; by default what its mode is known for.
    Raises ValueError for a name that no record or test id could bear, and for what is no
    capability.
    """

    name: str
    device: str = "cpu"
    namespace: Callable[[], Any] = _import_torch
    lacks: Mapping[str, str] = field(default_factory=dict)
    mode: str = EAGER
    package: str = ""
    cost: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^][/\s][^][/\n]*", self.name):
            raise ValueError(f"a backend cannot be named {self.name!r}; leave out [, ] and /")
        for name, reason in self.lacks.items():
            problem = unknown_capability(name)
            if problem is not None or not reason:
                raise ValueError(f"{self.name}: {problem or f'why does it lack {name!r}?'}")

    @property
    def thrift(self) -> int:
        """By how much fewer examples it is judged than it would be in eager mode."""
        by_mode = 1 if self.mode == EAGER else compiling.cost(self.mode)
        return by_mode if self.cost is None else self.cost

    def lacking(self, clause: Clause) -> dict[str, str]:
        """The capabilities that a clause asks for and the backend lacks, with the reasons."""
        return {name: self.lacks[name] for name in clause.requires if name in self.lacks}

    @property
    def foreign(self) -> bool:
        """Whether the namespace is not PyTorch's own; then it may lack some of the names."""
        return getattr(self.torch, "__name__", None) != "torch"

    @property
    def inherits(self) -> bool:
        """Whether the namespace is PyTorch's or made of it: it reports PyTorch's own version."""
        return self.version == str(getattr(sys.modules.get("torch"), "__version__", ""))

    @property
    def torch(self) -> Any:
        """The namespace; imports it on first use."""
        return self.namespace()

    @property
    def version(self) -> str:
        """The version that the namespace reports, as plain text."""
        return str(getattr(self.torch, "__version__", "unknown"))

    @property
    def release(self) -> str:
        """The version of its package; empty where it names none. HarnessError for one that is
        not there."""
        try:
            return version(self.package) if self.package else ""
        except PackageNotFoundError as error:
            raise HarnessError(
                f"{self.name}: there is no package {self.package!r} in this environment; "
                "install it, or correct the backend's `package`"
            ) from error

    @property
    def edition(self) -> str:
        """The version that its records and known failures are told apart by."""
        return self.release or self.version

    @property
    def device_name(self) -> str:
        """What the hardware calls itself."""
        kind = self.device.partition(":")[0]
        module = getattr(self.torch, kind, None)
        name = getattr(module, "get_device_name", None)
        if kind in ("cpu", "meta") or name is None:
            return _processor()
        return str(name(self.device))


def _processor() -> str:
    """The processor's model where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


_NO_ACCELERATOR = {"accelerator": "it computes on the CPU"}
_OFF_CPU = {
    "numpy": "NumPy shares memory with CPU tensors only",
    "index-check": "a kernel that meets an index out of range ends the process",
    "integer-matmul": "PyTorch multiplies integer matrices on the CPU only",
}
_LACKS: dict[str, dict[str, str]] = {
    "cpu": _NO_ACCELERATOR,
    "meta": {
        "accelerator": "the meta device computes nothing",
        "values": "the meta device holds no data",
        "numpy": "the meta device holds no data",
    },
    "mps": {
        **_OFF_CPU,
        "float64": "Metal has no float64",
        "complex128": "Metal has no float64",
    },
}
_PACKAGES = ("torchvision", "tensorboard")
"""Capabilities that are packages of their own."""


def _absent_packages() -> dict[str, str]:
    return {name: f"{name} is not installed" for name in _PACKAGES if find_spec(name) is None}


def _of_device(device: str) -> Backend:
    kind = device.partition(":")[0]
    lacks = _LACKS.get(kind, _OFF_CPU)
    return Backend(name=device, device=device, lacks={**lacks, **_absent_packages()})


def load_torch() -> Any:
    """PyTorch, once it is known to import and to be new enough. HarnessError otherwise."""
    try:
        torch = _import_torch()
    except Exception as error:
        raise HarnessError(
            f"torch cannot be imported ({type(error).__name__}: {error}); install it with "
            "`python -m pip install -c constraints.txt torch`"
        ) from error
    numbers = tuple(int(n) for n in re.findall(r"\d+", str(torch.__version__))[:2])
    if numbers < OLDEST_TORCH:
        oldest = ".".join(map(str, OLDEST_TORCH))
        raise HarnessError(
            f"torch {torch.__version__} is too old; the oldest supported release is {oldest}"
        )
    return torch


def found_devices() -> list[str]:
    """The devices of this machine: cpu, every accelerator that torch reports, and meta."""
    torch = load_torch()
    kinds: dict[str, int] = {}
    accelerator = (
        torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    )
    if accelerator is not None:
        kinds[accelerator.type] = torch.accelerator.device_count()
    for kind in ("cuda", "mps", "xpu"):
        module = getattr(torch, kind, None)
        if kind not in kinds and module is not None and module.is_available():
            kinds[kind] = module.device_count()
    devices = ["cpu"]
    for kind, count in kinds.items():
        devices += [kind] if count == 1 else [f"{kind}:{index}" for index in range(count)]
    return [*devices, "meta"]


_NONE: Mapping[str, Backend] = MappingProxyType({})


def resolve(names: Sequence[str], others: Mapping[str, Backend] = _NONE) -> list[Backend]:
    """The backends of the given names; where none is given, every device found and the others.

    A name is one of the others', or that of a device that torch knows, with `+` and a backend of
    torch.compile or without. UsageError for any other, and for a device that this machine does
    not have; HarnessError for a namespace that cannot be had.
    """
    if not names:
        names = [*found_devices(), *others]
    _check_known([name if name in others else eager_name(name) for name in names], others)
    return [_named(name, others) for name in dict.fromkeys(names)]


def eager_name(name: str) -> str:
    """The name without a mode: `cpu` of `cpu+inductor`."""
    return name.partition("+")[0]


def _named(name: str, others: Mapping[str, Backend]) -> Backend:
    if name in others:
        return _usable(others[name])
    base, _, mode = name.partition("+")
    backend = _usable(others[base]) if base in others else _of_device(base)
    if not mode:
        return backend
    compiling.check(backend.torch, name, mode)
    lacks = {"double-backward": compiling.DOUBLE_BACKWARD, **backend.lacks}
    return replace(backend, name=name, mode=mode, lacks=lacks)


def _check_known(names: Sequence[str], others: Mapping[str, Backend]) -> None:
    if all(name in others for name in names):
        return
    torch = load_torch()
    found = found_devices()
    for name in names:
        if name in found or name in others:
            continue
        try:
            torch.empty(1, device=torch.device(name))
        except Exception as error:
            raise _unusable(torch, name, [*others, *found], error) from error


def _usable(backend: Backend) -> Backend:
    try:
        _ = backend.torch
    except Exception as error:
        raise HarnessError(
            f"the namespace of backend {backend.name!r} cannot be had "
            f"({type(error).__name__}: {error}); is its package installed?"
        ) from error
    return replace(backend, lacks={**_absent_packages(), **backend.lacks})


def _unusable(torch: Any, name: str, found: list[str], error: Exception) -> UsageError:
    try:
        torch.device(name)
    except Exception:
        return unknown("backend", name, found)
    detail = str(error).partition("\n")[0]
    return UsageError(
        f"backend {name!r} cannot be used on this machine ({detail}); found: {', '.join(found)}"
    )
