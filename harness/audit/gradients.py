"""Wrong gradients: tensors that are what they were, until a gradient arrives at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.faults import Condition, always, wrong_at_the_end

Change = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(the gradient that arrives, the tensor) -> the gradient that goes on."""


class _Bent(torch.autograd.Function):
    """The identity, whose gradient is another."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, change: Change) -> torch.Tensor:
        ctx.change = change
        ctx.save_for_backward(tensor)
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx: Any, *arriving: Any) -> Any:
        return ctx.change(arriving[0], *ctx.saved_tensors), None


def at_the_end(gradient: torch.Tensor, _: object = None) -> torch.Tensor:
    """The gradient, wrong in its last element."""
    changed: torch.Tensor = wrong_at_the_end(gradient)
    return changed


def bent(tensor: torch.Tensor, change: Change = at_the_end) -> torch.Tensor:
    """The tensor, whose gradient is another."""
    result: torch.Tensor = _Bent.apply(tensor, change)  # type: ignore[no-untyped-call] # torch's
    return result


def misled(
    change: Change = at_the_end, when: Condition = always, at: int = 0
) -> Callable[..., Any]:
    """The gradient of the operand at a place is another, where that meets a condition."""

    def lie(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        operand: Any = args[at] if len(args) > at else None
        tracked = isinstance(operand, torch.Tensor) and operand.requires_grad
        if tracked and torch.is_grad_enabled() and when(operand):
            args = (*args[:at], bent(operand, change), *args[at + 1 :])
        return right(*args, **kwargs)

    return lie
