"""Optimizers with a wrong constant, and schedules that are late."""

from collections.abc import Iterator

import torch

from tenet.harness.audit.faults import wrapped
from tenet.harness.audit.mutant import Mutant


def _options(change, only=lambda group: True):
    """Every step is taken with other options."""

    def lie(right, optimizer, *args, **kwargs):
        kept = [dict(group) for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            if only(group):
                group.update(change(group))
        try:
            return right(optimizer, *args, **kwargs)
        finally:
            for group, before in zip(optimizer.param_groups, kept, strict=True):
                group.update({name: before[name] for name in before})

    return lie


def _sgd(slug, says, change, options, only=lambda group: True):
    return Mutant(f"optim.{slug}", says, ("optim",),
                  wrapped("optim.SGD.step", _options(change, only)),
                  lambda t: _as_by_hand(t, options))  # fmt: skip


def _as_by_hand(t, options):
    """Three steps of SGD give what its documented formula does."""
    x = t.ones(2, dtype=t.float64, requires_grad=True)
    optimizer = t.optim.SGD([x], lr=0.1, momentum=0.9, **options)
    by_hand, buffer = 1.0, None
    for _ in range(3):
        x.grad = x.detach() * 2 + 0.3
        optimizer.step()
        slope = by_hand * 2 + 0.3
        fresh = slope * (1 - options.get("dampening", 0))
        buffer = slope if buffer is None else 0.9 * buffer + fresh
        by_hand -= 0.1 * (slope + 0.9 * buffer if options.get("nesterov") else buffer)
    return abs(x[0].item() - by_hand) < 1e-9


def _name(slug, says, names, lie, proof, *sections):
    return Mutant(f"optim.{slug}", says, ("optim", *sections), wrapped(names, lie), proof)


def _schedule(t, make, steps):
    x = t.ones(1, requires_grad=True)
    optimizer = t.optim.SGD([x], lr=1.0)
    schedule = make(t.optim.lr_scheduler, optimizer)
    for _ in range(steps):
        optimizer.step()
        schedule.step()
    return optimizer.param_groups[0]["lr"]


def _clipped(t, **k):
    x = t.ones(4, requires_grad=True)
    x.grad = t.ones(4)
    t.nn.utils.clip_grad_norm_([x], 1.0, **k)
    return x.grad


def _staying(form, which):
    """Parameters, by their place in a group, that a form of an optimizer does not move."""

    def lie(right, optimizer, *args, **kwargs):
        kept = [
            (parameter, parameter.detach().clone())
            for group in optimizer.param_groups
            for place, parameter in enumerate(group["params"])
            if group.get(form) and which(place, group["params"])
        ]
        result = right(optimizer, *args, **kwargs)
        with torch.no_grad():
            for parameter, before in kept:
                parameter.copy_(before)
        return result

    return lie


def _largest_by_name(t):
    held = t.zeros(2, requires_grad=True)
    held.grad = t.tensor([3.0, 4.0])
    return t.nn.utils.clip_grad_norm_([held], 9.0, "inf").item()


def _loaded_length(t):
    optimizer = t.optim.SGD([t.ones(1)], lr=1.0)
    one, other = (t.optim.lr_scheduler.CosineAnnealingLR(optimizer, n) for n in (5, 9))
    other.load_state_dict(one.state_dict())
    return other.T_max


def _moved(t, optimizer, form, held):
    """Which of the parameters, zeros, a step moves."""
    for parameter in held:
        parameter.requires_grad_()
        parameter.grad = t.ones_like(parameter)
    getattr(t.optim, optimizer)(held, lr=0.5, **{form: True}).step()
    return [bool((parameter != 0).any()) for parameter in held]


MUTANTS = [
    _sgd("momentum", "a momentum of 0.9 is 0.899",
          lambda g: {"momentum": g["momentum"] * 0.999}, {}),
    _sgd("nesterov", "Nesterov's momentum is the ordinary one",
          lambda g: {"nesterov": False}, {"nesterov": True}),
    _sgd("dampening", "dampening is forgotten", lambda g: {"dampening": 0},
          {"dampening": 0.5}, only=lambda g: not g["nesterov"]),
    _name("adam-eps", "Adam adds eps of 1e-7 for 1e-8", "optim.Adam.step",
          _options(lambda g: {"eps": g["eps"] * 10}),
          lambda t: _first_step(t, "Adam", 1e-6) < -0.0989),
    _name("adam-second-beta", "Adam's second beta is 0.1 % smaller", "optim.Adam.step",
          _options(lambda g: {"betas": (g["betas"][0], g["betas"][1] * 0.999)}),
          lambda t: abs(_adam(t) - _adam_by_hand()) < 1e-9, "training"),
    _name("adam-amsgrad", "Adam ignores amsgrad", "optim.Adam.step",
          _options(lambda g: {"amsgrad": False}),
          lambda t: abs(_adam(t, amsgrad=True) - _adam_by_hand(amsgrad=True)) < 1e-9),
    _name("adam-decay", "Adam decays weights apart from the gradient", "optim.Adam.step",
          lambda right, o, *a, **k: _decoupled(right, o, *a, **k),
          lambda t: abs(_adam(t, weight_decay=0.5) - _adam_by_hand(decay=0.5)) < 1e-9),
    _name("adamw-decay", "AdamW decays 1 % too little", "optim.AdamW.step",
          _options(lambda g: {"weight_decay": g["weight_decay"] * 0.99}),
          lambda t: abs(_zero_step(t, "AdamW", lr=0.5, weight_decay=0.1) - 0.95) < 1e-9),
    _name("rmsprop-alpha", "RMSprop's alpha is 0.1 % smaller", "optim.RMSprop.step",
          _options(lambda g: {"alpha": g["alpha"] * 0.999}),
          lambda t: abs(_first_step(t, "RMSprop", 1.0) + 1.0) < 1e-6),
    _name("rmsprop-centered", "RMSprop ignores centered", "optim.RMSprop.step",
          _options(lambda g: {"centered": False}),
          lambda t: _first_step(t, "RMSprop", 1.0, centered=True) < -1.004),
    _name("adagrad-decay", "Adagrad ignores lr_decay", "optim.Adagrad.step",
          _options(lambda g: {"lr_decay": 0}),
          lambda t: abs(_second_step(t) + 0.0707106 / 2) < 1e-5),
    _name("maximize", "maximize is ignored by SGD with momentum", "optim.SGD.step",
          _options(lambda g: {"maximize": False}, lambda g: g["momentum"] > 0),
          lambda t: _first_step(t, "SGD", 1.0, momentum=0.9, maximize=True) > 0),
    _name("step-early", "StepLR is one step early after the first",
          "optim.lr_scheduler.StepLR.get_lr",
          lambda right, s: right(s) if s.last_epoch <= s.step_size else [
              g["lr"] * (s.gamma if (s.last_epoch - 1) % s.step_size == 0 else 1)
              for g in s.optimizer.param_groups],
          lambda t: abs(_schedule(t, lambda m, o: m.StepLR(o, 2), 3) - 0.1) < 1e-9),
    _name("cosine-floor", "CosineAnnealingLR ignores eta_min",
          "optim.lr_scheduler.CosineAnnealingLR.__init__",
          lambda right, s, o, T_max, eta_min=0.0, *a, **k: right(s, o, T_max, 0.0, *a, **k),  # noqa: N803
          lambda t: abs(_schedule(t, lambda m, o: m.CosineAnnealingLR(o, 2, 0.5), 2) - 0.5) < 1e-9),
    _name("exponential", "ExponentialLR multiplies by gamma only while above 0.1",
          "optim.lr_scheduler.ExponentialLR.get_lr",
          lambda right, s: [max(rate, 0.1) if g["lr"] >= 0.1 else g["lr"] for rate, g in
                            zip(right(s), s.optimizer.param_groups, strict=True)],
          lambda t: _schedule(t, lambda m, o: m.ExponentialLR(o, 0.5), 4) < 0.1),
    _name("clip-norm", "clip_grad_norm_ leaves a norm 1 % too large",
          "nn.utils.clip_grad_norm_",
          lambda right, parameters, max_norm, *a, **k: right(parameters, max_norm * 1.01, *a, **k),
          lambda t: abs(_clipped(t).norm().item() - 1) < 1e-3),
    _name("clip-infinite", "clip_grad_norm_ of order inf takes the sum",
          "nn.utils.clip_grad_norm_",
          lambda right, parameters, max_norm, norm_type=2.0, *a, **k: right(
              parameters, max_norm, 1.0 if norm_type == float("inf") else norm_type, *a, **k),
          lambda t: abs(_clipped(t, norm_type=float("inf"))[0].item() - 1) < 1e-3),
    _name("state-dict", "load_state_dict forgets the step counts", "optim.Adam.load_state_dict",
          lambda right, o, state: (right(o, state), [
              s["step"].zero_() for s in o.state.values() if "step" in s])[0],
          lambda t: _resumed(t) == 2, "serialization"),
    _name("zero-grad", "zero_grad leaves the gradients of the second group",
          "optim.SGD.zero_grad optim.Adam.zero_grad",
          lambda right, o, *a, **k: _clear(o.param_groups[0]["params"]),
          lambda t: _second_cleared(t), "training"),
]  # fmt: skip


def _first_step(t, name, slope, **options):
    x = t.zeros(1, dtype=t.float64, requires_grad=True)
    optimizer = getattr(t.optim, name)([x], lr=0.1, **options)
    x.grad = t.full_like(x, slope).detach()
    optimizer.step()
    return x.item()


def _zero_step(t, name, **options):
    x = t.ones(1, dtype=t.float64, requires_grad=True)
    optimizer = getattr(t.optim, name)([x], **options)
    x.grad = t.zeros_like(x).detach()
    optimizer.step()
    return x.item()


def _second_step(t):
    x = t.zeros(1, dtype=t.float64, requires_grad=True)
    optimizer = t.optim.Adagrad([x], lr=0.1, lr_decay=1.0)
    for _ in range(2):
        before = x.item()
        x.grad = t.ones_like(x).detach()
        optimizer.step()
    return x.item() - before


def _adam(t, **options):
    x = t.ones(1, dtype=t.float64, requires_grad=True)
    optimizer = t.optim.Adam([x], lr=0.1, **options)
    for slope in (1.0, -3.0, 0.0):
        x.grad = t.full_like(x, slope).detach()
        optimizer.step()
    return x.item()


def _adam_by_hand(amsgrad=False, decay=0.0):
    x, first, second, largest = 1.0, 0.0, 0.0, 0.0
    for step, slope in enumerate((1.0, -3.0, 0.0), 1):
        slope += decay * x
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        largest = max(largest, second)
        wide = (largest if amsgrad else second) / (1 - 0.999**step)
        x -= 0.1 * first / (1 - 0.9**step) / (wide**0.5 + 1e-8)
    return x


def _decoupled(right, optimizer, *args, **kwargs):
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
    return _options(lambda g: {"weight_decay": 0})(right, optimizer, *args, **kwargs)


def _resumed(t):
    x = t.ones(1, requires_grad=True)
    optimizer = t.optim.Adam([x])
    for _ in range(2):
        x.grad = t.ones(1)
        optimizer.step()
    other = t.optim.Adam([x])
    other.load_state_dict(optimizer.state_dict())
    return int(other.state[x]["step"])


def _clear(parameters):
    for parameter in parameters:
        parameter.grad = None


def _second_cleared(t):
    x, y = t.ones(1, requires_grad=True), t.ones(1, requires_grad=True)
    optimizer = t.optim.SGD([{"params": [x]}, {"params": [y]}], lr=0.1)
    y.grad = t.ones(1)
    optimizer.zero_grad()
    return y.grad is None


def _shared(option):
    """Every group goes by the first one's option."""

    def lie(right, optimizer, *args, **kwargs):
        kept = [group[option] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group[option] = kept[0]
        try:
            return right(optimizer, *args, **kwargs)
        finally:
            for group, value in zip(optimizer.param_groups, kept, strict=True):
                group[option] = value

    return lie


def _moved_by_group(t, name, options):
    """Two groups of other options come to different places."""
    x, y = (t.zeros(1, requires_grad=True) for _ in range(2))
    optimizer = getattr(t.optim, name)([{"params": [x]}, {"params": [y], **options}], lr=0.1)
    for slope in (1.0, 3.0):
        x.grad = y.grad = t.full((1,), slope)
        optimizer.step()
    return abs(x.item() - y.item()) > 1e-4


def _together(right, optimizer):
    result = right(optimizer)
    states = [state for state in optimizer.state.values() if "step" in state]
    for state in states:
        state["step"].fill_(max(float(other["step"]) for other in states))
    return result


def _counts_apart(t, x, y):
    optimizer = t.optim.Adam([x, y])
    for both in (True, False):
        x.grad, y.grad = t.ones(1), t.ones(1) if both else None
        optimizer.step()
    return float(optimizer.state[y]["step"]) == 1


def _rises(t):
    """Whether a step that maximises follows the gradient."""
    x = t.zeros(1, requires_grad=True)
    x.grad = t.ones(1)
    t.optim.Adam([x], maximize=True, fused=True).step()
    return x.item() > 0


def _coasting(right, optimizer, *args, **kwargs):
    result = right(optimizer, *args, **kwargs)
    with torch.no_grad():
        for group in optimizer.param_groups:
            for one in group["params"]:
                speed = optimizer.state.get(one, {}).get("momentum_buffer")
                if one.grad is None and speed is not None:
                    one.sub_(speed * float(group["lr"]))
    return result


def _zeroed(t):
    """What is left of a transposed gradient."""
    x = t.ones(2, 3, requires_grad=True)
    x.grad = t.ones(3, 2).T
    t.optim.SGD([x]).zero_grad(set_to_none=False)
    return x.grad.sum()


def _rests(t):
    x = t.zeros(1, requires_grad=True)
    optimizer = t.optim.SGD([x], lr=1.0, momentum=0.5)
    x.grad = t.ones(1)
    optimizer.step()
    x.grad = None
    optimizer.step()
    return x.item() == -1


MUTANTS += [
    Mutant("optim.betas-of-a-group", "Adam uses the first group's betas for all", ("optim",),
           wrapped("optim.Adam.step", _shared("betas")),
           lambda t: _moved_by_group(t, "Adam", {"betas": (0.0, 0.5)})),
    Mutant("optim.momentum-of-a-group", "SGD uses the first group's momentum for all", ("optim",),
           wrapped("optim.SGD.step", _shared("momentum")),
           lambda t: _moved_by_group(t, "SGD", {"momentum": 0.9})),
    Mutant("optim.fused-maximize", "the fused Adam forgets maximize", ("optim",),
           wrapped("optim.Adam.step", _options(lambda g: {"maximize": False},
                                               only=lambda g: g["fused"])),
           _rises),
    Mutant("optim.steps-counted-together", "Adam counts the steps of all parameters alike",
           ("optim",), wrapped("optim.Adam.step", lambda right, o, *a, **k: _together(right, o)),
           lambda t: (lambda x, y: _counts_apart(t, x, y))(
               t.zeros(1, requires_grad=True), t.zeros(1, requires_grad=True))),
    Mutant("optim.coasts", "SGD goes on by momentum where there is no gradient", ("optim",),
           wrapped("optim.SGD.step", _coasting),
           _rests),
    Mutant("optim.closure-twice", "Adam asks its closure twice", ("optim",),
           wrapped("optim.Adam.step", lambda right, o, closure=None: (
               closure and closure(), right(o, closure))[1]),
           lambda t: (lambda seen: (t.optim.Adam([t.zeros(1, requires_grad=True)]).step(
               lambda: seen.append(1)), len(seen) == 1)[1])(list[int]())),
    Mutant("optim.decay-of-the-first", "a group that names no decay has the first group's",
           ("optim",), wrapped("optim.Optimizer.add_param_group", lambda right, s, group: right(
               s, {"weight_decay": s.param_groups[0]["weight_decay"], **group}
               if s.param_groups and "weight_decay" in s.defaults else group)),
           lambda t: t.optim.SGD([{"params": [t.zeros(1, requires_grad=True)], "weight_decay": 0.5},
                                  {"params": [t.ones(1, requires_grad=True)]}],
                                 lr=1.0).param_groups[1]["weight_decay"] == 0),
    Mutant("optim.one-cycle-momentum", "OneCycleLR cycles no momentum", ("optim",),
           wrapped("optim.lr_scheduler.OneCycleLR.__init__", lambda right, s, *a, **k: right(
               s, *a, **{**k, "cycle_momentum": False})),
           lambda t: (lambda o: (t.optim.lr_scheduler.OneCycleLR(o, 1.0, 9),
                                 o.param_groups[0]["momentum"] == 0.95)[1])(
               t.optim.SGD([t.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5))),
    Mutant("optim.strided-gradients-stay", "zero_grad to zeros passes over strided gradients",
           ("optim",), wrapped("optim.Optimizer.zero_grad", lambda right, o, set_to_none=True: (
               lambda kept: (right(o, set_to_none), [one.copy_(was) for one, was in kept])[0])(
                   [(p.grad, p.grad.clone()) for group in o.param_groups for p in group["params"]
                    if not set_to_none and p.grad is not None and not p.grad.is_contiguous()])),
           lambda t: _zeroed(t) == 0),
    Mutant("optim.sums-of-later-groups", "Adagrad begins at 0 in all groups but the first",
           ("optim",), wrapped("optim.Adagrad.__init__", lambda right, o, *a, **k: (
               right(o, *a, **k), [o.state[p]["sum"].zero_() for group in o.param_groups[1:]
                                   for p in group["params"]])[0]),
           lambda t: (lambda x, y: t.optim.Adagrad(
               [{"params": [x]}, {"params": [y]}], initial_accumulator_value=1.0).state[y]["sum"]
               == 1)(*(t.ones(1, requires_grad=True) for _ in range(2)))),
    Mutant("optim.cyclic-momentum", "CyclicLR cycles no momentum where it halves its cycles",
           ("optim",), wrapped("optim.lr_scheduler.CyclicLR.__init__",
                               lambda right, s, *a, **k: right(s, *a, **{
                                   **k, **({"cycle_momentum": False}
                                           if k.get("mode") == "triangular2" else {})})),
           lambda t: (lambda o: (t.optim.lr_scheduler.CyclicLR(o, 0.1, 1.0, mode="triangular2"),
                                 o.param_groups[0]["momentum"] == 0.9)[1])(
               t.optim.SGD([t.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5))),
    Mutant("optim.second-milestone", "SequentialLR reaches its second milestone a step late",
           ("optim",), wrapped("optim.lr_scheduler.SequentialLR.__init__",
                               lambda right, s, o, schedulers, milestones: right(
                                   s, o, schedulers,
                                   [m + (i > 0) for i, m in enumerate(milestones)])),
           lambda t: _schedule(t, lambda rates, o: rates.SequentialLR(
               o, [rates.ConstantLR(o, f, 9) for f in (1.0, 0.5, 0.25)], milestones=[1, 2]), 2)
           == 0.25),
    Mutant("optim.least-rates", "ReduceLROnPlateau takes the least of its bounds for all groups",
           ("optim",), wrapped("optim.lr_scheduler.ReduceLROnPlateau.__init__",
                               lambda right, s, o, *a, **k: right(s, o, *a, **{
                                   n: [min(v)] * len(v) if n == "min_lr" and isinstance(v, list)
                                   else v for n, v in k.items()})),
           lambda t: (lambda o: (lambda s: (s.step(1.0), s.step(1.0),
                                            o.param_groups[1]["lr"] == 0.75)[2])(
               t.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=0,
                                                      min_lr=[0.0, 0.75])))(
               t.optim.SGD([{"params": [t.ones(1, requires_grad=True)]} for _ in range(2)],
                           lr=1.0))),
    # After bugs of real backends that their users reported.
    _name("hundred-and-ten", "the joined form of SGD moves 110 parameters at most",
          "optim.SGD.step", _staying("foreach", lambda place, held: place >= 110),
          lambda t: _moved(t, "SGD", "foreach", [t.zeros(1) for _ in range(111)])[-1]),
    _name("before-nothing", "the fused form of Adam leaves out the parameter before a last, empty"
          " one", "optim.Adam.step",
          _staying("fused", lambda place, held: place + 2 == len(held) and not held[-1].numel()),
          lambda t: _moved(t, "Adam", "fused", [t.zeros(1), t.zeros(0)])[0]),
    _name("with-gaps", "the joined form of Adam leaves out vectors with gaps", "optim.Adam.step",
          _staying("foreach", lambda place, held: held[place].dim() == 1
                   and not held[place].is_contiguous()),
          lambda t: _moved(t, "Adam", "foreach", [t.zeros(4)[::2]])[0]),
    _name("infinity-by-name", "the infinity norm, asked for by name, is that of squares",
          "nn.utils.clip_grad_norm_",
          lambda right, held, most, norm_type=2.0, *a, **k: right(
              held, most, 2.0 if norm_type == "inf" else norm_type, *a, **k),
          lambda t: _largest_by_name(t) == 4),
    _name("own-length", "a cosine keeps its length where another's state is loaded",
          "optim.lr_scheduler.LRScheduler.load_state_dict",
          lambda right, schedule, state: right(schedule, {
              name: value for name, value in state.items() if name != "T_max"}),
          lambda t: _loaded_length(t) == 5),
]  # fmt: skip


def _halves_one(right, held, most, *a, **k):
    """A parameter that is given by itself is measured, and left as it is."""
    if not isinstance(held, torch.Tensor):
        return right(held, most, *a, **k)
    kept = held.grad.clone()
    norm = right(held, most, *a, **k)
    held.grad.copy_(kept)
    return norm


def _sloping(t, gradient):
    x = t.ones_like(gradient, requires_grad=True)
    x.grad = gradient
    return x


def _clipped_alone(t):
    x = _sloping(t, t.full((1,), 9.0))
    t.nn.utils.clip_grad_norm_(x, 1.0)
    return x.grad.item() < 2


def _forgets_half(right, optimizer, state):
    right(optimizer, state)
    for parameter, held in optimizer.state.items():
        if parameter.dtype in (torch.float16, torch.bfloat16):
            for name, value in held.items():
                if isinstance(value, torch.Tensor) and name != "step":
                    held[name] = torch.zeros_like(value)


def _resumed_in_half(t):
    x = t.ones(2, dtype=t.bfloat16, requires_grad=True)
    x.grad = t.ones_like(x)
    first, second = (t.optim.SGD([x], lr=0.1, momentum=0.5) for _ in range(2))
    first.step()
    second.load_state_dict(first.state_dict())
    return bool((second.state[x]["momentum_buffer"] == 1).all())


def _recorded_stay(right, optimizer, set_to_none=True):
    held = [p for group in optimizer.param_groups for p in group["params"]]
    kept = [(p, p.grad.clone()) for p in held if p.grad is not None and p.grad.grad_fn is not None]
    right(optimizer, set_to_none)
    if not set_to_none:
        for parameter, gradient in kept:
            parameter.grad = gradient


def _recorded_is_cleared(t):
    x = t.ones(1, requires_grad=True)
    [x.grad] = t.autograd.grad((x**3).sum(), x, create_graph=True)
    t.optim.SGD([x], lr=0.1).zero_grad(set_to_none=False)
    return x.grad.item() == 0


def _sequence(t):
    """The rate after a step of a sequence that goes on from another's state."""

    def made():
        optimizer = t.optim.SGD([t.ones(1, requires_grad=True)], lr=1.0)
        rates = t.optim.lr_scheduler
        phases = [rates.ConstantLR(optimizer, 0.5, 2), rates.ExponentialLR(optimizer, 0.5)]
        return optimizer, rates.SequentialLR(optimizer, phases, [2])

    (first, old), (second, new) = made(), made()
    for _ in range(4):
        first.step()
        old.step()
    second.load_state_dict(first.state_dict())
    new.load_state_dict(old.state_dict())
    second.step()
    new.step()
    return second.param_groups[0]["lr"]


def _two_rates(t):
    held = [{"params": [t.ones(1, requires_grad=True)]} for _ in range(2)]
    optimizer = t.optim.SGD(held, lr=1.0)
    t.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[1.0, 3.0], total_steps=9,
                                    cycle_momentum=False)  # fmt: skip
    return optimizer.param_groups[1]["max_lr"]


def _restarted(t):
    optimizer = t.optim.SGD([t.ones(1, requires_grad=True)], lr=1.0)
    schedule = t.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 4)
    schedule.step(2.0)
    before = optimizer.param_groups[0]["lr"]
    schedule.step(2.5)
    return before - optimizer.param_groups[0]["lr"]


def _begins_again(right, schedule, state):
    right(schedule, state)
    schedule.last_epoch = 0


def _steps_by(t, make):
    x = t.ones(1, requires_grad=True)
    x.grad = t.ones(1)
    make(x).step()
    return x.item()


MUTANTS += [
    _name("one-is-not-clipped", "clip_grad_norm_ of one tensor leaves its gradient",
          "nn.utils.clip_grad_norm_", _halves_one, _clipped_alone),
    _name("values-of-a-generator", "clip_grad_value_ takes nothing from a generator",
          "nn.utils.clip_grad_value_",
          lambda right, held, *a, **k: None if isinstance(held, Iterator) else right(held, *a, **k),
          lambda t: (lambda x: (t.nn.utils.clip_grad_value_(iter([x]), 1.0),
                                x.grad.item() == 1)[1])(_sloping(t, t.full((1,), 9.0)))),
    _name("norm-of-order-4", "clip_grad_norm_ of order 4 is of order 3",
          "nn.utils.clip_grad_norm_",
          lambda right, held, most, norm_type=2.0, *a, **k: right(
              held, most, 3.0 if norm_type == 4 else norm_type, *a, **k),
          lambda t: abs(t.nn.utils.clip_grad_norm_(
              [_sloping(t, t.ones(16))], 9.0, 4.0).item() - 2) < 1e-3),
    _name("half-averages", "load_state_dict forgets the averages of half precision",
          "optim.Optimizer.load_state_dict", _forgets_half, _resumed_in_half),
    _name("recorded-gradients-stay", "zero_grad to zeros passes over recorded gradients",
          "optim.Optimizer.zero_grad", _recorded_stay, _recorded_is_cleared),
    _name("sequences-begin-again", "a SequentialLR that is given a state begins again",
          "optim.lr_scheduler.SequentialLR.load_state_dict", _begins_again,
          lambda t: abs(_sequence(t) - 0.125) < 1e-9),
    _name("one-peak-for-all", "OneCycleLR takes the first of its rates for all groups",
          "optim.lr_scheduler.OneCycleLR.__init__",
          lambda right, s, optimizer, max_lr, *a, **k: right(
              s, optimizer, max_lr[0] if isinstance(max_lr, list) else max_lr, *a, **k),
          lambda t: _two_rates(t) == 3),
    _name("whole-epochs", "warm restarts know whole epochs only",
          "optim.lr_scheduler.CosineAnnealingWarmRestarts.step",
          lambda right, s, epoch=None: right(s, epoch if epoch is None else int(epoch)),
          lambda t: _restarted(t) > 0.1),
    _name("plateau-by-tensors", "a plateau takes tensors for 0",
          "optim.lr_scheduler.ReduceLROnPlateau.step",
          lambda right, s, metric, *a, **k: right(
              s, 0.0 if isinstance(metric, torch.Tensor) else metric, *a, **k),
          lambda t: (lambda s: (s.step(t.tensor(3.0)), s.best == 3)[1])(
              t.optim.lr_scheduler.ReduceLROnPlateau(t.optim.SGD(
                  [t.ones(1, requires_grad=True)], lr=1.0)))),
    _name("groups-of-one", "a group of one tensor by itself stays",
          "optim.Optimizer.add_param_group",
          lambda right, s, group: right(s, {**group, "lr": 0.0} if isinstance(
              group["params"], torch.Tensor) else group),
          lambda t: _steps_by(t, lambda x: t.optim.SGD([{"params": x}], lr=1.0)) == 0),
    _name("decoupled-by-name-only", "Adam ignores decoupled_weight_decay",
          "optim.Adam.__init__",
          lambda right, s, *a, decoupled_weight_decay=False, **k: right(
              s, *a, decoupled_weight_decay=decoupled_weight_decay
              and type(s) is not torch.optim.Adam, **k),
          lambda t: abs(_steps_by(t, lambda x: t.optim.Adam(
              [x], lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)) - 0.25) < 1e-3),
    _name("differentiable-decay", "RMSprop that is differentiable decays no weight",
          "optim.RMSprop.__init__",
          lambda right, s, *a, **k: right(
              s, *a, **{**k, "weight_decay": 0} if k.get("differentiable") else k),
          lambda t: t.optim.RMSprop([t.ones(1, requires_grad=True)], weight_decay=0.5,
                                    differentiable=True).defaults["weight_decay"] == 0.5),
]  # fmt: skip
