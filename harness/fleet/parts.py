"""The plan of a run on a cluster: a part for each environment, made where its backends are."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tenet.harness.errors import HarnessError, UsageError
from tenet.harness.fleet.cluster import Environment, nodes
from tenet.harness.fleet.demand import Demand, Node, demand_of
from tenet.harness.fleet.job import Job, Remote
from tenet.harness.fleet.node import describe, survey
from tenet.harness.plan import Plan, Request, check, planned
from tenet.harness.record import record_path

_PATIENCE = 120
"""Seconds in which an executable has to answer that is named as an environment."""


@dataclass(frozen=True)
class Part:
    """What is judged in one environment. demands: by backend; surroundings: versions of there."""

    environment: Environment
    plan: Plan
    job: Job
    demands: Mapping[str, Demand]
    surroundings: Mapping[str, str]


def parts_of(ray: Any, request: Request, environments: Sequence[Environment]) -> list[Part]:
    """Work a request out, in each environment. UsageError for what cannot be, such as a device
    that no node has; HarnessError for an environment that cannot be made or used."""
    check(request)
    sources = _sources(request.backend_files)
    there = nodes(ray)
    jobs = [Job(uuid.uuid4().hex[:8], request, sources) for _ in environments]
    kinds = _kinds(there)
    surveys = [
        remote(ray, survey, Demand(), environment).remote(job.to_json(), kinds)
        for job, environment in zip(jobs, environments, strict=True)
    ]
    found = [
        json.loads(answer(ray, asked, environment))
        for asked, environment in zip(surveys, environments, strict=True)
    ]
    return [
        _part(ray, job, environment, devices, there)
        for job, environment, devices in zip(jobs, environments, found, strict=True)
    ]


def apart(parts: Sequence[Part], folder: str) -> None:
    """UsageError where two parts would write the same record."""
    taken: dict[Path, Part] = {}
    for part in parts:
        for backend in part.plan.backends:
            other = taken.setdefault(record_path(folder, backend), part)
            if other is not part:
                raise UsageError(
                    f"--ray-torch {other.environment.label} and {part.environment.label} are both "
                    f"torch {backend.version}; leave one of them out"
                )


def _sources(files: Sequence[str]) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(
            (str(Path(file).absolute()), Path(file).read_text(encoding="utf-8")) for file in files
        )
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--backend-file cannot be read: {error}") from error


def _kinds(there: Sequence[Node]) -> list[str]:
    """What may be the names of the cluster's devices."""
    names = {name for node in there for name in node.kinds} - {"CPU"}
    return sorted("cuda" if name == "GPU" else name.lower() for name in names)


def _part(
    ray: Any,
    job: Job,
    environment: Environment,
    devices: Mapping[str, str],
    there: Sequence[Node],
) -> Part:
    demands = {name: demand_of(name, device, there) for name, device in devices.items()}
    asked = {
        demand: remote(ray, describe, demand, environment).remote(
            job.to_json(), [name for name in devices if demands[name] == demand]
        )
        for demand in dict.fromkeys(demands.values())
    }
    answers = [json.loads(answer(ray, each, environment)) for each in asked.values()]
    said = {each["name"]: Remote(**each) for told in answers for each in told["backends"]}
    made = planned(job.request, [said[name] for name in devices])
    return Part(
        environment=environment,
        plan=made,
        job=replace(job, examples=made.examples, known=made.expectations),
        demands=demands,
        surroundings=answers[0]["surroundings"],
    )


def remote(ray: Any, function: Any, demand: Demand, environment: Environment, **more: Any) -> Any:
    """The function as a Ray task that asks for what it needs. A worker is kept for the next task,
    with a GPU too, and a task that died is retried by who knows why it died."""
    options = {**demand.options(), **environment.options(), **more}
    return _task(ray, function).options(**options)


@cache
def _task(ray: Any, function: Any) -> Any:
    # Ray sends the code to the cluster once for each of these.
    return ray.remote(max_retries=0, max_calls=0)(function)


def answer(ray: Any, asked: Any, environment: Environment) -> str:
    """What a task of the plan answers; the errors that it raised itself."""
    named = "py_executable" in environment.settings
    try:
        return str(ray.get(asked, timeout=_PATIENCE if named else None))
    except ray.exceptions.GetTimeoutError as error:
        raise HarnessError(
            f"--ray-torch {environment.label} gave no answer within {_PATIENCE} s: is it there on "
            "every node, with tensor-tenet[ray] installed, and does the cluster have a free CPU?"
        ) from error
    except ray.exceptions.RuntimeEnvSetupError as error:
        raise unmakeable(environment, error) from error
    except ray.exceptions.RayTaskError as error:
        raise cause_of(error) from error
    except ray.exceptions.RayError as error:
        raise HarnessError(f"a backend could not be asked what it is: {error}") from error


def unmakeable(environment: Environment, error: Exception) -> HarnessError:
    """The error for an environment that Ray cannot set up."""
    asked = f"--ray-torch {environment.label}" if environment.label else "the environment of a task"
    return HarnessError(f"{asked} cannot be made: {error}")


def cause_of(error: Any) -> Exception:
    """What a task raised, if it is meant for the user."""
    if isinstance(error.cause, UsageError | HarnessError):
        return error.cause
    return HarnessError(f"a task of the cluster failed: {error}")
