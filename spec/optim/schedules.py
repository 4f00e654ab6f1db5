"""Learning rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

from tenet.spec.language import assert_equal, assert_that, case, clause, read
from tenet.spec.model.layers import unit
from tenet.spec.optim.common import Options


# Learning rates
class Schedule(NamedTuple):
    """A schedule's class and arguments, and the rate it sets after so many steps, from lr = 1."""

    name: str
    arguments: Options
    rate: Callable[[int], float]


def _restarting(step: int, first: int, factor: int) -> float:
    length = first
    while step >= length:
        step, length = step - length, length * factor
    return 0.1 + 0.9 * (1 + math.cos(math.pi * step / length)) / 2


def _one_cycle(step: int, total: int = 20) -> float:
    """max_lr = 2, pct_start 0.3, div_factor 25, final_div_factor 1e4, cosine."""
    start, top, end = 2 / 25, 2.0, 2 / 25 / 1e4
    turn = 0.3 * total - 1
    if step <= turn:
        return top + (start - top) * (1 + math.cos(math.pi * step / turn)) / 2
    part = (step - turn) / (total - 1 - turn)
    return end + (top - end) * (1 + math.cos(math.pi * part)) / 2


def _one_cycle_height(step: int, total: int = 20) -> float:
    """How far the rate of one cycle has risen, from 0 to 1 and back."""
    turn = 0.3 * total - 1
    part = 1 - step / turn if step <= turn else (step - turn) / (total - 1 - turn)
    return (1 + math.cos(math.pi * part)) / 2


def _three_phases(step: int, total: int = 20) -> float:
    """Linear, up and down alike by pct_start 0.4, then to the end: 2 / 10 to 2 to 2 / 10 / 100."""
    start, top, end = 2 / 10, 2.0, 2 / 10 / 100
    turn = 0.4 * total - 1
    if step <= turn:
        return start + (top - start) * step / turn
    if step <= 2 * turn:
        return top + (start - top) * (step - turn) / turn
    return start + (end - start) * (step - 2 * turn) / (total - 1 - 2 * turn)


def _triangle(
    step: int, up: int = 3, down: int = 2, scale: Callable[[int, int], float] = lambda c, t: 1.0
) -> float:
    """scale: of the amplitude, by the number of the cycle and of the step."""
    place = step % (up + down)
    height = 0.9 * scale(step // (up + down), step)
    return 0.1 + height * (place / up if place <= up else 1 - (place - up) / down)


SCHEDULES = (
    Schedule("StepLR", {"step_size": 3}, lambda t: 0.1 ** (t // 3)),
    Schedule("StepLR", {"step_size": 4, "gamma": 0.5}, lambda t: 0.5 ** (t // 4)),
    Schedule("MultiStepLR", {"milestones": [2, 5, 5, 11], "gamma": 0.3},
             lambda t: 0.3 ** sum(t >= m for m in (2, 5, 5, 11))),
    Schedule("ExponentialLR", {"gamma": 0.9}, lambda t: 0.9**t),
    Schedule("CosineAnnealingLR", {"T_max": 18, "eta_min": 0.05},
             lambda t: 0.05 + 0.95 * (1 + math.cos(math.pi * t / 18)) / 2),
    Schedule("CosineAnnealingLR", {"T_max": 7},
             lambda t: (1 + math.cos(math.pi * t / 7)) / 2),
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.1},
             lambda t: _restarting(t, 3, 2)),
    Schedule("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}, lambda t: 1 / (1 + t)),
    Schedule("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 1 / (t + 2)},
             lambda t: math.prod(1 - 1 / (s + 2) for s in range(1, t + 1))),
    Schedule("LinearLR", {"start_factor": 0.25, "total_iters": 6},
             lambda t: 0.25 + 0.75 * min(t, 6) / 6),
    Schedule("LinearLR", {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 9},
             lambda t: 1 - 0.8 * min(t, 9) / 9),
    Schedule("ConstantLR", {"factor": 0.5, "total_iters": 4}, lambda t: 0.5 if t < 4 else 1.0),
    Schedule("PolynomialLR", {"total_iters": 10, "power": 2.0},
             lambda t: (1 - min(t, 10) / 10) ** 2),
    Schedule("OneCycleLR", {"max_lr": 2.0, "total_steps": 20, "cycle_momentum": False},
             _one_cycle),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                          "cycle_momentum": False}, _triangle),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                          "mode": "triangular2", "cycle_momentum": False},
             lambda t: _triangle(t, scale=lambda cycle, step: 0.5**cycle)),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "gamma": 0.9,
                          "mode": "exp_range", "cycle_momentum": False},
             lambda t: _triangle(t, 3, 3, lambda cycle, step: 0.9**step)),
    Schedule("OneCycleLR", {"max_lr": 2.0, "total_steps": 20, "cycle_momentum": False,
                            "pct_start": 0.4, "anneal_strategy": "linear", "div_factor": 10,
                            "final_div_factor": 100, "three_phase": True}, _three_phases),
    Schedule("OneCycleLR", {"max_lr": 2.0, "epochs": 4, "steps_per_epoch": 5,
                            "cycle_momentum": False}, _one_cycle),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                          "scale_fn": lambda cycle: 1 / cycle, "cycle_momentum": False},
             lambda t: _triangle(t, scale=lambda cycle, step: 1 / (cycle + 1))),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                          "scale_fn": lambda step: 1 / (1 + step), "scale_mode": "iterations",
                          "cycle_momentum": False},
             lambda t: _triangle(t, scale=lambda cycle, step: 1 / (1 + step))),
    Schedule("PolynomialLR", {"total_iters": 4, "power": 0.5},
             lambda t: (1 - min(t, 4) / 4) ** 0.5),
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 4, "eta_min": 0.1},
             lambda t: _restarting(t, 4, 1)),
)  # fmt: skip


LONG = 130
"""So many steps are a long run."""

LONG_SCHEDULES = (
    *(each for each in SCHEDULES if each.name != "OneCycleLR"),
    Schedule("StepLR", {"step_size": 30}, lambda t: 0.1 ** (t // 30)),
    Schedule("MultiStepLR", {"milestones": [60, 120]}, lambda t: 0.1 ** ((t >= 60) + (t >= 120))),
    Schedule("ExponentialLR", {"gamma": 0.999}, lambda t: 0.999**t),
    Schedule("CosineAnnealingLR", {"T_max": 100},
             lambda t: (1 + math.cos(math.pi * t / 100)) / 2),
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 50, "eta_min": 0.1},
             lambda t: _restarting(t, 50, 1)),
    Schedule("LinearLR", {"start_factor": 0.5, "total_iters": 100},
             lambda t: 0.5 + 0.5 * min(t, 100) / 100),
    Schedule("ConstantLR", {"factor": 0.5, "total_iters": 70}, lambda t: 0.5 if t < 70 else 1.0),
    Schedule("PolynomialLR", {"total_iters": 120}, lambda t: 1 - min(t, 120) / 120),
    Schedule("OneCycleLR", {"max_lr": 2.0, "total_steps": LONG, "cycle_momentum": False},
             lambda t: _one_cycle(t, LONG)),
    Schedule("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 40,
                          "cycle_momentum": False}, lambda t: _triangle(t, 40, 40)),
)  # fmt: skip


def _near(got: float, expected: float, steps: int = 20) -> bool:
    """Rates may be kept up step by step: so many, of a dozen operations each, in float64."""
    return abs(got - expected) <= 13 * steps * unit("float64") * max(1.0, abs(expected))


def _otherwise(arguments: Options) -> Options:
    """Other numbers where numbers are said; a function or a word is in no saved state."""

    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [other(each) for each in value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return value + 1 if isinstance(value, int) else value * 0.75

    return {name: other(value) for name, value in arguments.items()}


@clause("optim.schedules", thorough=True, covers=["notes.optimizer-family"], requires={"autograd"})
def schedules_set_the_published_rates(torch: Any, device: str) -> None:
    """A schedule sets every group's lr, beginning with that of step 0, to what its formula gives,
    from the lr that the group began with; get_last_lr() reports it, the optimizer steps by it,
    and a schedule goes on from a saved state, whatever numbers it was made with."""
    for schedule in SCHEDULES:
        for base in (1.0, 0.5):
            # Schedules that name rates instead of factors go by one base only.
            absolute = {"eta_min", "max_lr", "base_lr"} & set(schedule.arguments)
            if base != 1.0 and absolute:
                continue
            parameter = torch.nn.Parameter(torch.zeros(1, device=device))
            other = torch.nn.Parameter(torch.zeros(1, device=device))
            groups = [{"params": [parameter]}, {"params": [other], "lr": base}]
            optimizer = torch.optim.SGD(groups, lr=1.0)
            kind = getattr(torch.optim.lr_scheduler, schedule.name)
            scheduler = kind(optimizer, **schedule.arguments)
            for step in range(20):
                with case(schedule=schedule.name, step=step, base=base):
                    expected = schedule.rate(step)
                    rates = [float(group["lr"]) for group in optimizer.param_groups]
                    assert_that(_near(rates[0], expected), f"lr is {rates[0]}, not {expected}")
                    assert_that(_near(rates[1], base * expected), f"lr is {rates[1]}")
                    assert_equal([float(rate) for rate in scheduler.get_last_lr()], rates)
                before = read(parameter)[0]
                parameter.grad = torch.ones_like(parameter)
                optimizer.step()
                moved = float(before - read(parameter)[0])
                assert_that(abs(moved - rates[0]) < 1e-4 * (1 + abs(before)), f"moved by {moved}")
                if step == 9:
                    # Into others, which began with another rate and were told other numbers.
                    state, held = scheduler.state_dict(), optimizer.state_dict()
                    optimizer = torch.optim.SGD(
                        [{"params": [parameter]}, {"params": [other]}], lr=3.0
                    )
                    scheduler = kind(optimizer, **_otherwise(schedule.arguments))
                    optimizer.load_state_dict(held)
                    scheduler.load_state_dict(state)
                    assert_equal([float(rate) for rate in scheduler.get_last_lr()], rates)
                if step < 19:
                    scheduler.step()


@clause("optim.long-schedules", covers=["notes.optimizer-family"], requires={"autograd"})
def schedules_set_the_published_rates_to_the_end(torch: Any, device: str) -> None:
    """A schedule that goes on for more than a hundred steps sets what its formula gives in each."""
    for schedule in LONG_SCHEDULES:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, device=device))], lr=1.0)
        kind = getattr(torch.optim.lr_scheduler, schedule.name)
        scheduler = kind(optimizer, **schedule.arguments)
        for step in range(LONG):
            with case(schedule=schedule.name, step=step):
                rate, expected = float(optimizer.param_groups[0]["lr"]), schedule.rate(step)
                assert_that(_near(rate, expected, LONG), f"lr is {rate}, not {expected}")
            optimizer.step()
            if step < LONG - 1:
                scheduler.step()


@clause("optim.cycled-momentum", covers=["notes.optimizer-family"], requires={"autograd"})
def momentum_falls_where_the_rate_rises(torch: Any, device: str) -> None:
    """OneCycleLR and CyclicLR move the momentum of SGD, and the first beta of Adam, against the
    rate: from the largest down to the smallest and back; with cycle_momentum=False it stays."""
    rates = torch.optim.lr_scheduler
    bounds = {"base_momentum": 0.5, "max_momentum": 0.75}

    def fallen(part: float, low: float, high: float) -> float:
        return high - (high - low) * part

    # How far the rate has risen says how far the momentum has fallen.
    for kind, arguments, height, low, high in (
        ("OneCycleLR", {"max_lr": 2.0, "total_steps": 20}, _one_cycle_height, 0.85, 0.95),
        ("OneCycleLR", {"max_lr": 2.0, "total_steps": 20, **bounds}, _one_cycle_height, 0.5, 0.75),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2},
         lambda t: (_triangle(t) - 0.1) / 0.9, 0.8, 0.9),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                      **bounds}, lambda t: (_triangle(t) - 0.1) / 0.9, 0.5, 0.75),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                      "mode": "triangular2", **bounds},
         lambda t: (_triangle(t, scale=lambda cycle, step: 0.5**cycle) - 0.1) / 0.9, 0.5, 0.75),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2,
                      "mode": "exp_range", "gamma": 0.9},
         lambda t: (_triangle(t, scale=lambda cycle, place: 0.9**place) - 0.1) / 0.9, 0.8, 0.9),
    ):  # fmt: skip
        for family, cycled in product(("SGD", "Adam"), (True, False)):
            held = [torch.nn.Parameter(torch.zeros(1, device=device)) for _ in range(2)]
            own: Options = {"momentum": 0.625} if family == "SGD" else {"betas": (0.625, 0.5)}
            groups = [{"params": [one]} for one in held]
            optimizer = getattr(torch.optim, family)(groups, lr=1.0, **own)
            scheduler = getattr(rates, kind)(optimizer, **arguments, cycle_momentum=cycled)
            for step in range(19):
                expected = fallen(height(step), low, high) if cycled else 0.625
                for group in optimizer.param_groups:
                    got = group["momentum"] if family == "SGD" else group["betas"][0]
                    with case(schedule=kind, optimizer=family, cycled=cycled, step=step):
                        assert_that(_near(got, expected), f"momentum is {got}, not {expected}")
                        if family == "Adam":
                            assert_equal(group["betas"][1], 0.5)
                optimizer.step()
                scheduler.step()


@clause("optim.chained-schedules", covers=["notes.optimizer-family"], requires={"autograd"})
def schedules_follow_each_other_and_combine(torch: Any, device: str) -> None:
    """SequentialLR hands over from one schedule to the next at its milestones, ChainedScheduler
    multiplies what its schedules do; two schedules of one optimizer act on the rate in turn. What
    they have set is their get_last_lr(), and others go on from their state at any step. A schedule
    of several groups takes a function or a rate for each."""
    rates = torch.optim.lr_scheduler

    def made(make: Callable[[Any], list[Any]], rate: float) -> tuple[Any, list[Any]]:
        parameter = torch.nn.Parameter(torch.zeros(1, device=device))
        optimizer = torch.optim.SGD([parameter], lr=rate)
        return optimizer, make(optimizer)

    def lr_of(make: Callable[[Any], list[Any]], resumed: int, count: int = 12) -> list[float]:
        optimizer, schedulers = made(make, 1.0)
        seen: list[float] = []
        for step in range(count):
            if step == resumed:
                before, old = optimizer, schedulers
                optimizer, schedulers = made(make, 3.0)
                optimizer.load_state_dict(before.state_dict())
                for scheduler, one in zip(schedulers, old, strict=True):
                    scheduler.load_state_dict(one.state_dict())
            seen.append(float(optimizer.param_groups[0]["lr"]))
            assert_equal([float(rate) for rate in schedulers[-1].get_last_lr()], seen[-1:])
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
        return seen

    def both(optimizer: Any) -> list[Any]:
        constant = rates.ConstantLR(optimizer, factor=0.1, total_iters=4)
        return [constant, rates.ExponentialLR(optimizer, gamma=0.9)]

    for kind in ("LambdaLR", "MultiplicativeLR"):
        held = [torch.nn.Parameter(torch.zeros(1, device=device)) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [one]} for one in held], lr=1.0)
        several = getattr(rates, kind)(optimizer, [lambda t: 0.5**t, lambda t: 0.25])
        for step in range(4):
            with case(combination=f"{kind} with a function for each group", step=step):
                by_step = [0.5**step, 0.25]
                products = [0.5 ** (step * (step + 1) // 2), 0.25**step]
                set_ = [float(group["lr"]) for group in optimizer.param_groups]
                assert_equal(set_, by_step if kind == "LambdaLR" else products)
            optimizer.step()
            several.step()

    for kind, said, rate in (
        ("OneCycleLR", {"max_lr": [2.0, 6.0], "total_steps": 20}, _one_cycle),
        ("CyclicLR", {"base_lr": [0.1, 0.3], "max_lr": [1.0, 3.0], "step_size_up": 3,
                      "step_size_down": 2}, _triangle),
    ):  # fmt: skip
        held = [torch.nn.Parameter(torch.zeros(1, device=device)) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [one]} for one in held], lr=1.0)
        scheduler = getattr(rates, kind)(optimizer, **said, cycle_momentum=False)
        for step in range(12):
            for group, times in zip(optimizer.param_groups, (1, 3), strict=True):
                with case(combination=f"{kind} with a rate for each group", step=step):
                    got = float(group["lr"])
                    assert_that(_near(got, times * rate(step)), f"lr is {got}")
            optimizer.step()
            scheduler.step()

    def several_phases(optimizer: Any) -> list[Any]:
        phases = [*both(optimizer), rates.StepLR(optimizer, 2, 0.5)]
        return [rates.SequentialLR(optimizer, phases, milestones=[4, 7])]

    combined = [(0.1 if t < 4 else 1.0) * 0.9**t for t in range(12)]
    sequence = [0.1] * 4 + [0.9**t for t in range(8)]
    longer = [0.1] * 4 + [1.0, 0.9, 0.81] + [1.0, 1.0, 0.5, 0.5, 0.25]
    for name, expected, make in (
        ("in turn", combined, both),
        ("ChainedScheduler", combined, lambda o: [rates.ChainedScheduler(both(o), optimizer=o)]),
        ("SequentialLR", sequence, lambda o: [rates.SequentialLR(o, both(o), milestones=[4])]),
        ("SequentialLR of three", longer, several_phases),
    ):
        for resumed in range(0, 12, 3):
            found = lr_of(make, resumed)
            for step, (got, wanted) in enumerate(zip(found, expected, strict=True)):
                with case(combination=name, resumed=resumed, step=step):
                    assert_that(_near(got, wanted), f"lr is {got}, not {wanted}")


@clause("optim.schedules-begun-later", covers=["notes.optimizer-family"], requires={"autograd"})
def a_schedule_may_begin_in_its_middle(torch: Any, device: str) -> None:
    """A schedule that is made with last_epoch=t, for an optimizer whose groups have gone so far,
    goes on with the rate of step t + 1; CosineAnnealingWarmRestarts also goes to any place within
    an epoch, by step(epoch)."""
    rates = torch.optim.lr_scheduler
    # Of these the rate at a step does not depend on that of the step before, which a document
    # leaves open here; nor is the first step one at which the rate falls.
    known = ("LambdaLR", "MultiStepLR", "CyclicLR", "OneCycleLR")
    for schedule in SCHEDULES:
        if schedule.name not in known:
            continue
        for last in (2, 6):
            held = torch.nn.Parameter(torch.zeros(1, device=device))
            kind = getattr(rates, schedule.name)
            first = torch.optim.SGD([held], lr=1.0)
            earlier = kind(first, **schedule.arguments)
            for _ in range(last):
                first.step()
                earlier.step()
            optimizer = torch.optim.SGD([held], lr=3.0)
            optimizer.load_state_dict(first.state_dict())
            scheduler = kind(optimizer, **schedule.arguments, last_epoch=last)
            for step in range(last + 1, 19):
                with case(schedule=schedule.name, last_epoch=last, step=step):
                    rate, expected = float(optimizer.param_groups[0]["lr"]), schedule.rate(step)
                    assert_that(_near(rate, expected), f"lr is {rate}, not {expected}")
                optimizer.step()
                scheduler.step()
    for times, least in product((1, 2), (0.0, 0.1)):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, device=device))], lr=1.0)
        scheduler = rates.CosineAnnealingWarmRestarts(optimizer, 4, times, least)
        for quarter in (1, 2, 5, 15, 16, 17, 30, 47, 49, 6, 0):
            epoch = place = quarter / 4
            length = 4
            while place >= length:
                place, length = place - length, length * times
            expected = least + (1 - least) * (1 + math.cos(math.pi * place / length)) / 2
            scheduler.step(epoch)
            with case(epoch=epoch, times=times, least=least):
                rate = float(optimizer.param_groups[0]["lr"])
                assert_that(_near(rate, expected), f"lr is {rate}, not {expected}")
                assert_equal([float(one) for one in scheduler.get_last_lr()], [rate])


def _plateau(metrics: list[float], mode: str, factor: float, patience: int, cooldown: int,
             threshold: float, threshold_mode: str, min_lr: float,
             eps: float) -> list[float]:  # fmt: skip
    """The rates that ReduceLROnPlateau sets, by its published rule."""
    rate, bad, cooling, best = 1.0, 0, 0, math.inf if mode == "min" else -math.inf
    rates = []
    for metric in metrics:
        sign = 1 if mode == "max" else -1
        bar = best + sign * (threshold if threshold_mode == "abs" else threshold * best)
        better = metric > bar if mode == "max" else metric < bar
        best, bad = (metric, 0) if better or math.isinf(best) else (best, bad + 1)
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            lower, cooling, bad = max(rate * factor, min_lr), cooldown, 0
            rate = lower if rate - lower > eps else rate
        rates.append(rate)
    return rates


@clause("optim.plateau", covers=["notes.optimizer-family"], requires={"autograd"})
def a_plateau_lowers_the_rate(torch: Any, device: str) -> None:
    """ReduceLROnPlateau multiplies lr by factor once the metric has not got better, by more than
    the threshold, for more than `patience` steps, then rests for `cooldown` steps; lr does not
    fall below min_lr, nor by eps or less. Another one goes on from its state at any step. The
    metric is a number, or a tensor of one."""
    curve = [10.0, 9.0, 8.99, 8.5, 8.5, 8.49, 8.6, 8.5, 8.5, 8.5, 7.0, 7.1, 7.2, 7.0, 6.999, 7.0,
             7.0, 7.0, 7.0, 7.0, 7.0, 7.0]  # fmt: skip
    ways = product(("min", "max"), (0, 2), (0, 3), (1e-4, 0.05), ("rel", "abs"), (0.0, 0.2))
    for turn, (mode, patience, cooldown, threshold, kind, least) in enumerate(ways):
        metrics = curve if mode == "min" else [20 - number for number in curve]
        options = {"mode": mode, "factor": 0.5, "patience": patience, "cooldown": cooldown,
                   "threshold": threshold, "threshold_mode": kind, "min_lr": least,
                   "eps": (1e-8, 0.2, 0.0)[turn % 3]}  # fmt: skip
        held = [torch.nn.Parameter(torch.zeros(1, device=device)) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [one]} for one in held], lr=1.0)
        # One bound for all groups, or one for each.
        each = [least, 0.7]
        said = {**options, "min_lr": each} if least else options
        made = torch.optim.lr_scheduler.ReduceLROnPlateau
        scheduler = made(optimizer, **said)
        got = []
        for step, metric in enumerate(metrics):
            if step % 2:
                saved, scheduler = scheduler.state_dict(), made(optimizer, **said)
                scheduler.load_state_dict(saved)
            scheduler.step(torch.tensor(metric, dtype=torch.float64) if step % 3 == 2 else metric)
            got.append([float(group["lr"]) for group in optimizer.param_groups])
        for place, bound in enumerate(each if least else [least, least]):
            expected = _plateau(metrics, **{**options, "min_lr": bound})  # type: ignore[arg-type]
            with case(**options, group=place):
                assert_equal([rates[place] for rates in got], expected)
