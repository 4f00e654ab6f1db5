"""Workloads: measured pieces of work, each written once, for every tool that times them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from tenet.harness.errors import UsageError, matching
from tenet.spec.model.dtypes import DTYPES

Value = str | int | bool
ClockName = Literal["processor", "wall"]
Where = Literal["any", "cpu", "accelerator"]


@dataclass(frozen=True)
class Task:
    """A workload made ready on a device.

    work: does it once, and gives what `check` takes; check: raises Wrong where what the work
    gave, or did, is not what the specification says; bytes: read and written at the least;
    flops: additions and multiplications.
    """

    work: Callable[[], Any]
    check: Callable[[Any], None]
    bytes: int = 0
    flops: int = 0


@dataclass(frozen=True)
class Family:
    """Workloads that differ in their parameters alone: one for each combination of them.

    name: `topic.work`; make: called as make(torch, device, **parameters); clause: the id of the
    clause that documents what is checked; parameters: the values of each; clock: `processor`
    for what one thread computes without waiting, `wall` for what reads files, waits, or has
    other processes help; where: the kind of device that it is for; requires: capabilities;
    version: raised when the work changes, so that times of before are no longer compared.
    """

    name: str
    make: Callable[..., Task]
    clause: str
    parameters: Mapping[str, Sequence[Value]]
    clock: ClockName = "processor"
    where: Where = "any"
    requires: frozenset[str] = frozenset()
    version: int = 1

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """One for each combination of the parameters."""
        return tuple(
            Workload(self, dict(zip(self.parameters, values, strict=True)))
            for values in product(*self.parameters.values())
        )


@dataclass(frozen=True)
class Workload:
    """One member of a family."""

    family: Family
    parameters: Mapping[str, Value]

    @property
    def name(self) -> str:
        """The family's name and the parameters: `elementwise.add/1e5/float32`."""
        return "/".join((self.family.name, *map(in_short, self.parameters.items())))

    @property
    def topic(self) -> str:
        """What the name begins with."""
        return self.family.name.partition(".")[0]

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return str(self.parameters.get("dtype", "float32"))

    def lacking(self, device: str, lacks: Mapping[str, str]) -> str:
        """Why it cannot be measured there; empty where it can. lacks: capabilities not there."""
        kind = "cpu" if device.partition(":")[0] == "cpu" else "accelerator"
        if self.family.where not in ("any", kind):
            return f"it is for a device of the kind {self.family.where}"
        asked = sorted(self.family.requires | {self.dtype})
        return next((f"{name}: {lacks[name]}" for name in asked if name in lacks), "")

    def make(self, torch: Any, device: str) -> Task:
        """Make it ready."""
        return self.family.make(torch, device, **self.parameters)


def in_short(parameter: tuple[str, Value]) -> str:
    """A parameter as names show it: 1e5, float32, foreach, no-foreach, workers=2."""
    name, value = parameter
    if isinstance(value, bool):
        return name if value else f"no-{name}"
    if isinstance(value, str):
        return value
    digits = str(value).rstrip("0")
    zeros = len(str(value)) - len(digits)
    text = f"{digits}e{zeros}" if len(digits) == 1 and zeros > 2 else str(value)
    return text if name == "elements" else f"{name}={text}"


def choose(workloads: Mapping[str, Workload], patterns: Sequence[str]) -> list[Workload]:
    """The workloads whose names match a pattern; all, where there is none.

    UsageError, with the nearest names, for a pattern that matches nothing.
    """
    chosen = matching("workload", patterns, workloads) if patterns else set(workloads)
    return [workload for name, workload in workloads.items() if name in chosen]


def named(families: Sequence[Family]) -> dict[str, Workload]:
    """The workloads of the families by name. ValueError where two are called the same."""
    found: dict[str, Workload] = {}
    for family in families:
        unknown_dtypes = set(family.parameters.get("dtype", ())) - set(DTYPES)
        if unknown_dtypes:
            raise ValueError(f"workload {family.name}: no such dtype: {unknown_dtypes}")
        for workload in family.workloads:
            if workload.name in found:
                raise ValueError(f"two workloads are called {workload.name}")
            found[workload.name] = workload
    return found


def nothing_left(names: Sequence[str]) -> UsageError:
    """The error for a choice that no backend can be measured by."""
    return UsageError(
        f"nothing to measure on {', '.join(names)}; choose other workloads or another backend"
    )
