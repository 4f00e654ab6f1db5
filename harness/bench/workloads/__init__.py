"""The workloads: data for every tool that times them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from tenet.harness.bench.workload import Family, Workload, named
from tenet.harness.bench.workloads import (
    creation,
    elementwise,
    indexing,
    learning,
    moves,
    products,
    reduction,
    views,
)

FAMILIES: tuple[Family, ...] = (
    *creation.FAMILIES,
    *elementwise.FAMILIES,
    *reduction.FAMILIES,
    *products.FAMILIES,
    *views.FAMILIES,
    *indexing.FAMILIES,
    *moves.FAMILIES,
    *learning.FAMILIES,
)


@cache
def workloads() -> Mapping[str, Workload]:
    """Every workload by name, in reading order."""
    return MappingProxyType(named(FAMILIES))
