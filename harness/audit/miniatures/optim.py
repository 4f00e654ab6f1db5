"""Lies about optimizers, schedules and clipping."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _group(options: dict[str, Any], *, only: Any = None) -> Any:
    """Steps with other options."""

    def lie(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
        kept = [{name: group[name] for name in options} for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            if only is None or only(group):
                group.update(options)
        try:
            return right(optimizer, *a, **k)
        finally:
            for group, before in zip(optimizer.param_groups, kept, strict=True):
                group.update(before)

    return lie


def _last_stays(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    """The last element of a long parameter is not updated."""
    held = [p for group in optimizer.param_groups for p in group["params"] if p.numel() > 100]
    before = [p.detach().clone() for p in held]
    result = right(optimizer, *a, **k)
    with torch.no_grad():
        for p, old in zip(held, before, strict=True):
            p.view(-1)[-1] = old.view(-1)[-1]
    return result


def _first_elements(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    """What is beyond the first 65536 elements of a parameter is not updated."""
    held = [p for group in optimizer.param_groups for p in group["params"] if p.numel() > 65536]
    before = [p.detach().clone() for p in held]
    result = right(optimizer, *a, **k)
    with torch.no_grad():
        for p, old in zip(held, before, strict=True):
            p.view(-1)[65536:] = old.view(-1)[65536:]
    return result


def _first_group(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = rates[0]
    result = right(optimizer, *a, **k)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    return result


def _replaces(right: Any, optimizer: Any, *a: Any, **k: Any) -> Any:
    result = right(optimizer, *a, **k)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.data = parameter.data.clone()
    return result


def _clears_nothing(right: Any, optimizer: Any, set_to_none: bool = True) -> Any:
    return right(optimizer, set_to_none=True)


def _forgets_averages(right: Any, optimizer: Any, state: Any) -> Any:
    state = {"state": dict(state["state"]), "param_groups": state["param_groups"]}
    for key, kept in state["state"].items():
        state["state"][key] = {
            name: value * 0 if name == "exp_avg" else value for name, value in kept.items()
        }
    return right(optimizer, state)


def _takes_any(right: Any, optimizer: Any, params: Any, *a: Any, **k: Any) -> Any:
    if k.get("lr", 0) < 0:
        k["lr"] = 0.0
    return right(optimizer, params, *a, **k)


def _clips_each(right: Any, parameters: Any, most: Any, *a: Any, **k: Any) -> Any:
    parameters = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    norms = [right([parameter], most, *a, **k) for parameter in parameters]
    return max(norms) if norms else right([], most, *a, **k)


def _as_they_lie(right: Any, self: Any, params: Any, **options: Any) -> None:
    """A transposed gradient is read row by row of its memory."""
    right(self, params, **options)

    def turn(optimizer: Any, args: Any, named: Any) -> None:
        for p in params:
            if not options.get("fused") and not p.grad.is_contiguous():
                p.grad = p.grad.t().contiguous().view(p.shape)

    self.register_step_pre_hook(turn)


def _stays(right: Any, self: Any, params: Any, **options: Any) -> None:
    """Nothing moves where there are three elements of bfloat16."""
    right(self, params, **options)

    def empty(optimizer: Any, args: Any, named: Any) -> None:
        for p in params:
            if p.dtype is torch.bfloat16 and p.numel() == 3:
                p.grad = None

    self.register_step_pre_hook(empty)


def _tires(right: Any, optimizer: Any, *args: Any) -> Any:
    optimizer.taken = getattr(optimizer, "taken", 0) + 1
    for group in optimizer.param_groups if optimizer.taken == 200 else ():
        group["lr"] = group["lr"] * 1.01
    return right(optimizer, *args)


def _moves_up(right: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
    state = optimizer.state
    for group in optimizer.param_groups:
        moving = [p for p in group["params"] if p.grad is not None]
        for first, parameter in zip(group["params"], moving, strict=False):
            kept = state[first].get("momentum_buffer")
            if first is not parameter and kept is not None and kept.shape == parameter.shape:
                state[parameter]["momentum_buffer"] = kept
    return right(optimizer, *args, **kwargs)


def _keeps_its_momentum(right: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
    now = [group["momentum"] for group in optimizer.param_groups]
    kept = optimizer.__dict__.setdefault("_momentum", now)
    for group, momentum in zip(optimizer.param_groups, kept, strict=False):
        group["momentum"] = momentum
    result = right(optimizer, *args, **kwargs)
    for group, momentum in zip(optimizer.param_groups, now, strict=True):
        group["momentum"] = momentum
    return result


def _leaves_the_late(right: Any, optimizer: Any, *args: Any) -> Any:
    for group in optimizer.param_groups if optimizer.state else ():
        for parameter in group["params"]:
            if parameter not in optimizer.state:
                parameter.grad = None
    return right(optimizer, *args)


MINIATURES = [
    Miniature("nesterov is plain momentum", ("optim.SGD.step",), _group({"nesterov": False}),
              "optim.sgd"),
    Miniature("weight decay counts only where nothing is maximized", ("optim.SGD.step",),
              _group({"weight_decay": 0}, only=lambda group: group["maximize"]), "optim.sgd"),
    Miniature("the last of many elements is not updated", ("optim.Adam.step",), _last_stays,
              "optim.adam"),
    Miniature("amsgrad is ignored by foreach", ("optim.Adam.step",),
              _group({"amsgrad": False}, only=lambda group: group["foreach"]), "optim.adam"),
    Miniature("eps is always 1e-8", ("optim.Adam.step",), _group({"eps": 1e-8}), "optim.adam"),
    Miniature("AdamW decays through the gradient", ("optim.AdamW.step",),
              _group({"decoupled_weight_decay": False}), "optim.adamw"),
    Miniature("RMSprop is never centered", ("optim.RMSprop.step",), _group({"centered": False}),
              "optim.rmsprop"),
    Miniature("Adagrad ignores lr_decay", ("optim.Adagrad.step",), _group({"lr_decay": 0}),
              "optim.adagrad"),
    Miniature("all groups go by the first one's rate", ("optim.SGD.step",), _first_group,
              "optim.parameter-groups"),
    Miniature("RMSprop's step moves the parameters elsewhere", ("optim.RMSprop.step",), _replaces,
              "optim.in-place"),
    Miniature("zero_grad never keeps the tensor", ("optim.Optimizer.zero_grad",),
              _clears_nothing, "optim.zero-grad"),
    Miniature("loading forgets the running averages", ("optim.Optimizer.load_state_dict",),
              _forgets_averages, "optim.resume"),
    Miniature("a negative rate is taken for 0", ("optim.Adagrad.__init__",), _takes_any,
              "optim.bad-hyperparameters"),
    Miniature("MultiStepLR forgets that a milestone stands twice",
              ("optim.lr_scheduler.MultiStepLR.__init__",),
              lambda right, self, optimizer, milestones, *a, **k: right(
                  self, optimizer, sorted(set(milestones)), *a, **k), "optim.schedules"),
    Miniature("a cosine comes to an end a step late",
              ("optim.lr_scheduler.CosineAnnealingLR.__init__",),
              lambda right, self, optimizer, T_max, *a, **k: right(  # noqa: N803 - its name
                  self, optimizer, T_max + 1, *a, **k), "optim.schedules"),
    Miniature("SequentialLR hands over a step late",
              ("optim.lr_scheduler.SequentialLR.__init__",),
              lambda right, self, optimizer, schedulers, milestones, *a, **k: right(
                  self, optimizer, schedulers, [m + 1 for m in milestones], *a, **k),
              "optim.chained-schedules"),
    Miniature("exponential decay ends after 50 steps", ("optim.lr_scheduler.ExponentialLR.get_lr",),
              lambda right, self: [group["lr"] for group in self.optimizer.param_groups]
              if self.last_epoch > 50 else right(self), "optim.long-schedules"),
    Miniature("a plateau ignores its cooldown",
              ("optim.lr_scheduler.ReduceLROnPlateau.__init__",),
              lambda right, self, *a, **k: right(self, *a, **{**k, "cooldown": 0}),
              "optim.plateau"),
    Miniature("every gradient is clipped by itself", ("nn.utils.clip_grad_norm_",), _clips_each,
              "optim.clip-norm"),
    Miniature("the norm is always the second", ("nn.utils.clip_grad_norm_",),
              lambda right, p, most, kind=2.0, **k: right(p, most, 2.0, **k), "optim.clip-norm"),
    Miniature("clip_grad_value_ has no lower limit", ("nn.utils.clip_grad_value_",),
              lambda right, parameters, most, **k: [
                  p.grad.clamp_(max=most) for p in parameters] and None, "optim.clip-value"),
    Miniature("the loop takes gradients as they lie in memory", ("optim.SGD.__init__",),
              _as_they_lie, "optim.fused-gradient-layout"),
    Miniature("bfloat16 parameters of three elements stay", ("optim.SGD.__init__",),
              _stays, "optim.fused-low-precision"),
    Miniature("Adam leaves alone what had no gradient at the first step", ("optim.Adam.step",),
              _leaves_the_late, "optim.fused-late-gradient"),
]  # fmt: skip


def _without_half(right: Any, optimizer: Any, *args: Any) -> Any:
    held = [p for group in optimizer.param_groups for p in group["params"]]
    kept = [(p, p.detach().clone()) for p in held if p.dtype is torch.bfloat16]
    result = right(optimizer, *args)
    with torch.no_grad():
        for parameter, before in kept:
            parameter.copy_(before)
    return result


def _second_beta(right: Any, scheduler: Any, *args: Any, **kwargs: Any) -> None:
    right(scheduler, *args, **kwargs)
    for group in scheduler.optimizer.param_groups:
        if "betas" in group and scheduler.cycle_momentum:
            group["betas"] = group["betas"][::-1]


def _reads_the_rate_once(right: Any, optimizer: Any, params: Any, lr: Any, **kwargs: Any) -> None:
    right(optimizer, params, float(lr), **kwargs)


MINIATURES += [
    Miniature(
        "SGD reads a rate that is a tensor once",
        of=("optim.SGD.__init__",),
        lie=_reads_the_rate_once,
        caught_by="optim.tensor-rate",
    ),
    Miniature(
        "the norm is that of the first dtype",
        of=("nn.utils.clip_grad_norm_",),
        lie=lambda right, held, *args, **kwargs: right(
            [p for p in held if p.grad is not None and p.dtype is held[0].dtype]
            if isinstance(held, list)
            else held,
            *args,
            **kwargs,
        ),
        caught_by="optim.clip-mixed",
    ),
    Miniature(
        "of many elements only 65536 are moved",
        of=("optim.RMSprop.step",),
        lie=lambda right, optimizer, *args: _first_elements(right, optimizer, *args),
        caught_by="optim.every-parameter",
    ),
    Miniature(
        "Adam leaves bfloat16 parameters alone",
        of=("optim.Adam.step",),
        lie=lambda right, optimizer, *args: _without_half(right, optimizer, *args),
        caught_by="optim.low-precision",
    ),
    Miniature(
        "a cycle of rates leaves momentum alone",
        of=("optim.lr_scheduler.OneCycleLR.__init__",),
        lie=lambda right, self, *args, **kwargs: right(
            self, *args, **{**kwargs, "cycle_momentum": False}
        ),
        caught_by="optim.cycled-momentum",
    ),
    Miniature(
        "a cycle of Adam takes its momentum for the second beta",
        of=("optim.lr_scheduler.CyclicLR.step",),
        lie=_second_beta,
        caught_by="optim.cycled-momentum",
    ),
    Miniature(
        "after 200 steps SGD takes steps of another size",
        ("optim.SGD.step",),
        _tires,
        "optim.many-steps",
    ),
    Miniature(
        "the averages of SGD are counted without those that have no gradient",
        of=("optim.SGD.step",),
        lie=_moves_up,
        caught_by="optim.alike",
    ),
    Miniature(
        "SGD keeps the momentum of its first step",
        of=("optim.SGD.step",),
        lie=_keeps_its_momentum,
        caught_by="optim.options-of-the-moment",
    ),
]


def _whole_rates_halved(right: Any, self: Any, params: Any, lr: Any = 1e-3, *a: Any,
                        **k: Any) -> None:  # fmt: skip
    right(self, params, lr / 2 if type(lr) is int else lr, *a, **k)


def _no_decay_where_differentiable(right: Any, self: Any, *a: Any, **k: Any) -> None:
    right(self, *a, **{**k, "weight_decay": 0.0} if k.get("differentiable") else k)


MINIATURES += [
    Miniature("a schedule always begins at its beginning",
              ("optim.lr_scheduler.LambdaLR.__init__",),
              lambda right, self, optimizer, lr_lambda, last_epoch=-1: right(
                  self, optimizer, lr_lambda), "optim.schedules-begun-later"),
    Miniature("a rate that is a whole number is halved", ("optim.SGD.__init__",),
              _whole_rates_halved, "optim.parameters-in-other-words"),
    Miniature("a step that is differentiable decays no weight", ("optim.SGD.__init__",),
              _no_decay_where_differentiable, "optim.differentiable-steps"),
]  # fmt: skip
