"""What a task asks of the node that runs it, and whether any node can give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenet.harness.errors import UsageError

_ON_ANY_NODE = ("cpu", "meta")
_GPU = "cuda"


@dataclass(frozen=True)
class Node:
    """A machine of the cluster. resources: how much of each it has in all, by Ray's names."""

    id: str
    address: str
    resources: Mapping[str, float]

    @property
    def kinds(self) -> dict[str, float]:
        """The resources that somebody gave it, without those that Ray names after itself."""
        own = ("node:", "memory", "object_store_memory", "accelerator_type:")
        return {name: n for name, n in self.resources.items() if not name.startswith(own)}

    def __str__(self) -> str:
        has = ", ".join(f"{name} {number:g}" for name, number in sorted(self.kinds.items()))
        return f"{self.address} ({has or 'nothing'})"


def nodes_of(listed: Iterable[Mapping[str, Any]]) -> list[Node]:
    """The nodes that are alive, of what `ray.nodes()` lists."""
    return [
        Node(node["NodeID"], node["NodeManagerAddress"], node["Resources"])
        for node in listed
        if node["Alive"]
    ]


@dataclass(frozen=True)
class Demand:
    """One core, and perhaps an accelerator: `GPU`, or a resource that is called as its device."""

    accelerator: str = ""

    def options(self) -> dict[str, Any]:
        """The options of a Ray task that asks for it."""
        if self.accelerator == "GPU":
            return {"num_cpus": 1, "num_gpus": 1}
        return {"num_cpus": 1, "resources": {self.accelerator: 1} if self.accelerator else {}}

    def met_by(self, node: Node) -> bool:
        """Whether the node could give it if nothing else ran there."""
        wanted = ("CPU", self.accelerator) if self.accelerator else ("CPU",)
        return all(node.resources.get(name, 0) >= 1 for name in wanted)


def demand_of(backend: str, device: str, nodes: Sequence[Node]) -> Demand:
    """What it takes to judge a backend of that device. UsageError, naming resource and nodes,
    where no node has it: Ray itself would wait without a word."""
    kind, _, index = device.partition(":")
    if kind in _ON_ANY_NODE:
        demand = Demand()
    elif kind == _GPU:
        if index not in ("", "0"):
            raise UsageError(
                f"backend {backend!r}: a task sees only the GPU that Ray gives it; name it {_GPU}"
            )
        demand = Demand("GPU")
    else:
        # Ray itself finds some kinds, and spells them in capitals.
        spelled = {name.casefold(): name for node in nodes for name in node.kinds}
        demand = Demand(spelled.get(kind.casefold(), kind))
    if not any(demand.met_by(node) for node in nodes):
        raise UsageError(f"backend {backend!r} {lacking(demand, nodes)}")
    return demand


def lacking(demand: Demand, nodes: Sequence[Node]) -> str:
    """Why a demand cannot be met, and what to do."""
    what = demand.accelerator or "CPU"
    start = {"GPU": "--num-gpus 1", "CPU": "--num-cpus 1"}.get(
        what, f"--resources '{{\"{what}\": 1}}'"
    )
    there = "; ".join(map(str, nodes)) or "none"
    return (
        f"needs the resource {what!r}, which no node of the cluster has beside a CPU "
        f"(nodes: {there}); start one that has with `ray start {start}`, or name other backends"
    )
