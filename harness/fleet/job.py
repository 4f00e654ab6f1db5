"""What a node has to know, and what it tells: plain JSON, for versions may differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from tenet.harness.backend import Backend
from tenet.harness.errors import HarnessError
from tenet.harness.expectation import Expectation
from tenet.harness.plan import Request


@dataclass(frozen=True)
class Job:
    """The part of a run that nodes judge in one environment.

    id: of this part of this run; sources: path and text of each backend file; examples, and
    known, as of the plan, once there is one.
    """

    id: str
    request: Request
    sources: tuple[tuple[str, str], ...] = ()
    examples: int = 0
    known: tuple[Expectation, ...] = ()

    def to_json(self) -> str:
        """As it is sent."""
        return json.dumps(asdict(self), default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` gave."""
        data = json.loads(text)
        request: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data["request"].items()
        }
        return cls(
            id=data["id"],
            request=Request(**request),
            sources=tuple((path, text) for path, text in data["sources"]),
            examples=data["examples"],
            known=tuple(map(_expectation, data["known"])),
        )


def _expectation(data: dict[str, Any]) -> Expectation:
    expires = data["expires"]
    return Expectation(**{**data, "expires": expires and date.fromisoformat(expires)})


def described(backend: Backend) -> dict[str, Any]:
    """What a backend says of itself where it is."""
    said = {
        field.name: getattr(backend, field.name)
        for field in fields(backend)
        if field.name != "namespace"
    }
    lacks = dict(backend.lacks)
    return {
        **said,
        "lacks": lacks,
        "reported": backend.version,
        "released": backend.release,
        "hardware": backend.device_name,
    }


@dataclass(frozen=True)
class Remote(Backend):
    """A backend that is elsewhere, as `described` there. reported, released: its versions."""

    reported: str = ""
    released: str = ""
    hardware: str = ""

    @property
    def torch(self) -> Any:
        raise HarnessError(f"the namespace of {self.name} is on the nodes of the cluster only")

    @property
    def version(self) -> str:
        return self.reported

    @property
    def release(self) -> str:
        return self.released

    @property
    def device_name(self) -> str:
        return self.hardware


def differing(here: Mapping[str, Any], there: Mapping[str, Any], names: Sequence[str]) -> str:
    """What is not the same on two nodes, in words; empty where all is."""
    return ", ".join(
        f"{name} is {there[name]!r}, not {here[name]!r}"
        for name in names
        if here[name] != there[name]
    )
