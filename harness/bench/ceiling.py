"""What the device can do at best, measured in the same session."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

from tenet.harness.bench.clock import clock_for
from tenet.harness.bench.measure import Measurement

_COPIED = 2**25
"""float32 numbers that are copied: 128 MiB, more than caches hold."""
_SIDES = {"cpu": (128, 512, 768), "accelerator": (1024, 8192)}


@dataclass(frozen=True)
class Ceiling:
    """bandwidth: bytes a second, read and written, of a copy; products: flops a second of the
    best matrix product, by dtype."""

    bandwidth: float
    products: dict[str, float] = field(default_factory=dict)

    def share(self, measured: Measurement, dtype: str) -> float | None:
        """The least time that the ceiling allows, as a share of the time measured.

        Above 1 where the data stay in a cache, which is faster than the memory. None for work
        that neither moves nor computes, such as a view.
        """
        if measured.void or not measured.seconds:
            return None
        least = measured.bytes / self.bandwidth if self.bandwidth else 0.0
        best = self.products.get(dtype)
        if best and measured.flops:
            least = max(least, measured.flops / best)
        return least / measured.seconds if least else None


def measure_ceiling(torch: Any, device: str, dtypes: list[str]) -> Ceiling:
    """Measure it: a second or so. A dtype that the device cannot multiply is left out."""
    clock = clock_for(torch, device, "processor")
    source = torch.ones(_COPIED, device=device)
    target = torch.zeros_like(source)
    copying = min(clock.block(lambda: target.copy_(source), 1)[0] for _ in range(5))
    kind = "cpu" if torch.device(device).type == "cpu" else "accelerator"
    products: dict[str, float] = {}
    for name, side in product(dtypes, _SIDES[kind]):
        try:
            x = torch.ones(side, side, dtype=getattr(torch, name), device=device)
            multiply = partial(torch.matmul, x, x)
            first = clock.block(multiply, 1)[0]
            # A format that is emulated is slow enough to be timed once.
            again = [clock.block(multiply, 1)[0] for _ in range(4 if first < 0.3 else 0)]
        except (RuntimeError, TypeError):
            continue
        rate = 2 * side**3 / min([first, *again])
        products[name] = max(products.get(name, 0.0), rate)
    return Ceiling(8 * _COPIED / copying, products)
