"""Operations that copy, whatever their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _all(torch: Any, x: Any) -> Any:
    return torch.arange(x.shape[0], device=x.device)


def _everywhere(torch: Any, x: Any) -> Any:
    return (
        torch.arange(x.shape[0], device=x.device).reshape(-1, *(1,) * (x.dim() - 1)).expand(x.shape)
    )


COPIES: dict[str, Callable[[Any, Any], Any]] = {
    "x.clone()": lambda torch, x: x.clone(),
    "torch.clone(x)": lambda torch, x: torch.clone(x),
    "x.repeat(ones)": lambda torch, x: x.repeat((1,) * x.dim()),
    "torch.cat([x])": lambda torch, x: torch.cat([x]),
    "torch.cat([x], dim=-1)": lambda torch, x: torch.cat([x], dim=-1),
    "torch.cat([x, empty])": lambda torch, x: torch.cat([x, x[:0]]),
    "torch.concat([x])": lambda torch, x: torch.concat([x]),
    "torch.stack([x])[0]": lambda torch, x: torch.stack([x])[0],
    "torch.stack([x], dim=-1)[..., 0]": lambda torch, x: torch.stack([x], dim=-1)[..., 0],
    "x[indices]": lambda torch, x: x[_all(torch, x)],
    "x[list]": lambda torch, x: x[list(range(x.shape[0]))],
    "x[mask]": lambda torch, x: x[_all(torch, x) >= 0],
    "x[whole mask]": lambda torch, x: x[(_all(torch, x) >= 0)[(...,) + (None,) * (x.dim() - 1)]
                                        .expand(x.shape)].reshape(x.shape),
    "x.gather(0, index)": lambda torch, x: x.gather(0, _everywhere(torch, x)),
    "torch.gather(x, 0, index)": lambda torch, x: torch.gather(x, 0, _everywhere(torch, x)),
    "x.index_select(0, index)": lambda torch, x: x.index_select(0, _all(torch, x)),
    "torch.index_select(x, 0, i)": lambda torch, x: torch.index_select(x, 0, _all(torch, x)),
    "x.take(places)": lambda torch, x: x.take(
        torch.arange(x.numel(), device=x.device).reshape(x.shape)
    ),
    "torch.cat([empty, x])": lambda torch, x: torch.cat([x[:0], x]),
    "x.tile(1)": lambda torch, x: x.tile((1,)),
    "x.repeat_interleave(1, 0)": lambda torch, x: x.repeat_interleave(1, 0),
    "x.repeat_interleave(1)": lambda torch, x: x.repeat_interleave(1).reshape(x.shape),
    "x.roll(0, 0)": lambda torch, x: x.roll(0, 0),
    "torch.roll(x, n, 0)": lambda torch, x: torch.roll(x, x.shape[0], 0),
    "torch.flip(x, ())": lambda torch, x: torch.flip(x, ()),
    "x.tril(n)": lambda torch, x: x.tril(x.shape[-1]) if x.dim() > 1 else x.clone(),
    "x.triu(-n)": lambda torch, x: x.triu(-x.shape[-2]) if x.dim() > 1 else x.clone(),
    "x.masked_fill(nowhere, 1)": lambda torch, x: x.masked_fill(_everywhere(torch, x) < 0, 1),
    "torch.where(everywhere, x, 1)": lambda torch, x: torch.where(
        _everywhere(torch, x) >= 0, x, torch.ones_like(x)
    ),
    "x.index_fill(0, nothing, 1)": lambda torch, x: x.index_fill(0, _all(torch, x)[:0], 1),
    "x.index_copy(0, nothing, empty)": lambda torch, x: x.index_copy(0, _all(torch, x)[:0], x[:0]),
    "x.index_add(0, nothing, empty)": lambda torch, x: x.index_add(0, _all(torch, x)[:0], x[:0]),
    "x.scatter(0, nothing, empty)": lambda torch, x: x.scatter(0, _everywhere(torch, x)[:0], x[:0]),
    "x.scatter_add(0, nothing, empty)": lambda torch, x: x.scatter_add(
        0, _everywhere(torch, x)[:0], x[:0]
    ),
    "pad(x, no)": lambda torch, x: torch.nn.functional.pad(x, (0, 0)),
}  # fmt: skip
"""Operations that copy, said so that the result equals the source: where sharing tempts most."""
