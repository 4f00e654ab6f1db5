"""Optimizers, learning rate schedules and gradient clipping."""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import seeds, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import optimizers
from tenet.spec.model.layers import Array, unit, wide
from tenet.spec.model.optimizers import travelled_bound
from tenet.spec.model.tolerance import Bound

SINGLE = ("float32", "float64")
STEPS = 12
Shape = tuple[int, ...]
Options = dict[str, Any]

# Odd lengths, a number, an empty one: what an implementation that joins parameters mixes up.
SHAPES: tuple[Shape, ...] = ((3,), (), (2, 5), (0,), (17,), (129,), (3, 1, 4))
COUNT = sum(math.prod(shape) for shape in SHAPES)


class Family(NamedTuple):
    """An optimizer: its class, its reference, and options worth trying, alone and together."""

    name: str
    reference: optimizers.Method
    required: Options
    options: tuple[Options, ...]
    fused: bool = True


FAMILIES = {
    "SGD": Family(
        "SGD", optimizers.sgd, {"lr": 0.1},
        ({}, {"lr": 1e-3}, {"momentum": 0.9}, {"weight_decay": 0.1}, {"maximize": True},
         {"momentum": 0.9, "dampening": 0.3}, {"momentum": 0.9, "nesterov": True},
         {"momentum": 0.5, "weight_decay": 0.2, "maximize": True},
         {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05, "lr": 0.03},
         {"momentum": 0.7, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}, {"lr": 0.0}),
    ),
    "Adam": Family(
        "Adam", optimizers.adam, {},
        ({}, {"lr": 0.1}, {"betas": (0.5, 0.7)}, {"eps": 0.1}, {"weight_decay": 0.1},
         {"amsgrad": True, "betas": (0.9, 0.5)}, {"maximize": True}, {"betas": (0.0, 0.9)},
         {"lr": 0.05, "betas": (0.8, 0.6), "eps": 0.01, "weight_decay": 0.2, "amsgrad": True},
         {"lr": 0.02, "weight_decay": 0.1, "maximize": True, "eps": 0.5}),
    ),
    "AdamW": Family(
        "AdamW", optimizers.adamw, {},
        ({}, {"lr": 0.1}, {"betas": (0.5, 0.7)}, {"eps": 0.1}, {"weight_decay": 0.3, "lr": 0.05},
         {"weight_decay": 0.0}, {"amsgrad": True, "betas": (0.9, 0.5)}, {"maximize": True},
         {"lr": 0.05, "betas": (0.8, 0.6), "eps": 0.01, "weight_decay": 0.2, "amsgrad": True,
          "maximize": True}),
    ),
    "RMSprop": Family(
        "RMSprop", optimizers.rmsprop, {},
        ({}, {"lr": 0.1}, {"alpha": 0.5}, {"eps": 0.1}, {"weight_decay": 0.1}, {"momentum": 0.8},
         {"centered": True, "eps": 0.01}, {"maximize": True},
         {"centered": True, "momentum": 0.5, "alpha": 0.8, "eps": 0.1, "weight_decay": 0.1}),
        False,
    ),
    "Adagrad": Family(
        "Adagrad", optimizers.adagrad, {},
        ({}, {"lr": 0.5}, {"lr_decay": 0.2}, {"weight_decay": 0.1}, {"eps": 0.3},
         {"initial_accumulator_value": 0.7}, {"maximize": True},
         {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.2, "eps": 0.1, "maximize": True,
          "initial_accumulator_value": 0.1}),
    ),
}  # fmt: skip
FORMS: dict[str, Options] = {
    "default": {}, "for-loop": {"foreach": False}, "foreach": {"foreach": True},
    "fused": {"fused": True},
}  # fmt: skip
_JOINED_ON = ("cpu", "cuda")
"""Where parameters may be joined by foreach and fused forms; elsewhere these may raise."""


def _forms(family: Family) -> list[str]:
    return [form for form in FORMS if form != "fused" or family.fused]


def _form(torch: Any, device: str, form: str) -> Options:
    """The options that ask for a form; the default one where the device has no such form."""
    known = form in ("default", "for-loop") or torch.device(device).type in _JOINED_ON
    return FORMS[form if known else "default"]


def parameters(torch: Any, device: str, numbers: Array, *, turned: bool = False) -> list[Any]:
    """One parameter of each shape, with the numbers in turn; turned: the matrix lies transposed."""
    made, start = [], 0
    for shape in SHAPES:
        array = numbers[start : start + math.prod(shape)].reshape(shape)
        start += array.size
        tensor = tensor_of(torch, device, array)
        if turned and array.ndim == 2:
            tensor = tensor_of(torch, device, np.ascontiguousarray(array.T)).t()
        made.append(torch.nn.Parameter(tensor))
    return made


def give(held: list[Any], numbers: Any) -> None:
    """Every parameter gets its share of the numbers, a tensor, as its gradient.

    It lies in memory as the parameter does, which is how backward() leaves it.
    """
    start = 0
    for parameter in held:
        count, shape = parameter.numel(), tuple(parameter.shape)
        gradient = numbers[start : start + count].view(shape)
        if not parameter.is_contiguous():
            gradient = gradient.t().contiguous().t()
        parameter.grad = gradient
        start += count


def flat(held: list[Any]) -> Array:
    """The numbers of all parameters, one after the other."""
    return np.concatenate([read(parameter).reshape(-1) for parameter in held])


def steps(torch: Any, device: str, optimizer: Any, held: list[Any], gradients: Array) -> None:
    every = tensor_of(torch, device, gradients)
    for gradient in every:
        give(held, gradient)
        optimizer.step()


def course(name: str, seed: int, count: int = STEPS) -> tuple[Array, Array]:
    """Where the parameters begin, and a gradient for every step; some elements have none."""
    start = values((COUNT,), name, "normal", seed)
    gradients = values((count, COUNT), name, "normal", seed + 1)
    gradients[:, 5::7] = 0
    gradients[: count // 2, 6::11] = 0
    return start, gradients


def _follows(torch: Any, device: str, family: Family, seed: int) -> None:
    """All options in all forms, so that what is wrong in one of them alone is not left to
    chance; their dtypes take turns."""
    for turn, (chosen, form) in enumerate(product(family.options, _forms(family))):
        options = {**family.required, **chosen}
        # One form more or less than an even number: neither goes by one dtype only.
        dtype = SINGLE[(turn + turn // len(_forms(family)) + seed) % 2]
        for name in supported([dtype]):
            with case(form=form, dtype=name, **chosen):
                start, gradients = course(name, seed)
                end, way = family.reference(wide(start), wide(gradients), **options)
                bound = travelled_bound(wide(start), end, way, STEPS, name)
                held = parameters(torch, device, start, turned=(seed + turn) % 3 == 0)
                before = list(held)
                kind = getattr(torch.optim, family.name)
                optimizer = kind(held, **options, **_form(torch, device, form))
                steps(torch, device, optimizer, held, gradients)
                assert_close(tensor_of(torch, device, flat(held)), end, bound)
                same = all(map(operator.is_, optimizer.param_groups[0]["params"], before))
                assert_that(same, "the optimizer holds other parameters")
                # Not documented of the joined form, which may use them for the velocities.
                if not (chosen.get("nesterov") and form in ("foreach", "default")):
                    last = flat([parameter.grad for parameter in held])
                    assert_that((last == gradients[-1]).all(), "the step changed the gradient")


@clause("optim.sgd", covers=["mlnotes.sgd", "notes.optimizer-family"],
        requires={"autograd"}, effort=0.012)  # fmt: skip
@for_all(seed=seeds())
def sgd_steps_against_the_gradient(torch: Any, device: str, seed: int) -> None:
    """SGD subtracts lr times the gradient, or with momentum lr times a velocity
    v = momentum * v + (1 - dampening) * g that begins as the first gradient; nesterov steps by
    g + momentum * v; weight_decay adds its share of the parameter to the gradient, maximize turns
    the gradient round. The loop, foreach and fused forms do the same."""
    _follows(torch, device, FAMILIES["SGD"], seed)


@clause("optim.adam", covers=["mlnotes.adam", "notes.optimizer-family"],
        requires={"autograd"}, effort=0.012)  # fmt: skip
@for_all(seed=seeds())
def adam_steps_by_its_corrected_averages(torch: Any, device: str, seed: int) -> None:
    """Adam divides the running average of the gradient by the root of that of its square plus
    eps, both corrected for their start at 0, and takes lr = 0.001, betas (0.9, 0.999) and
    eps = 1e-8 unless told otherwise; amsgrad uses the largest average of squares so far."""
    _follows(torch, device, FAMILIES["Adam"], seed)


@clause("optim.adamw", covers=["notes.optimizer-family"], requires={"autograd"}, effort=0.012)
@for_all(seed=seeds())
def adamw_decays_the_weights_apart_from_the_gradient(torch: Any, device: str, seed: int) -> None:
    """AdamW shrinks the parameters by lr * weight_decay (0.01 unless told otherwise) and then
    steps as Adam without weight decay."""
    _follows(torch, device, FAMILIES["AdamW"], seed)


@clause("optim.rmsprop", covers=["notes.optimizer-family"], requires={"autograd"}, effort=0.012)
@for_all(seed=seeds())
def rmsprop_divides_by_the_root_mean_square(torch: Any, device: str, seed: int) -> None:
    """RMSprop divides the gradient by the root of the running average of its square, plus eps;
    centered takes the square of the average gradient off, momentum accumulates the quotients."""
    _follows(torch, device, FAMILIES["RMSprop"], seed)


@clause("optim.adagrad", covers=["notes.optimizer-family"], requires={"autograd"}, effort=0.012)
@for_all(seed=seeds())
def adagrad_divides_by_the_root_of_the_sum_of_squares(torch: Any, device: str, seed: int) -> None:
    """Adagrad divides the gradient by the root of the sum of all its squares, plus eps; lr_decay
    lowers the rate with every step, initial_accumulator_value is where the sum begins."""
    _follows(torch, device, FAMILIES["Adagrad"], seed)


@clause(
    "optim.parameter-groups",
    covers=["notes.optimizer-family"],
    requires={"autograd"},
    effort=0.3,
)
@for_all(
    how=st.sampled_from(
        [
            (name, turn, *how)
            for name in FAMILIES
            for turn in range(len(FAMILIES[name].options))
            for how in product(SINGLE, _forms(FAMILIES[name]))
        ]
    ),
    seed=seeds(),
)
def parameter_groups_take_their_own_options(
    torch: Any, device: str, how: tuple[str, int, str, str], seed: int
) -> None:
    """A group of parameters goes by its own options where it has some and by the optimizer's where
    it has not; a group can be added later and begins with its first step, and what is written
    into a group's lr counts from the next step on. A parameter without a gradient is left alone,
    and its state waits with it."""
    name, turn, kind, form = how
    family = FAMILIES[name]
    shared = {**family.required, "weight_decay": 0.1}
    other = {"lr": 0.07, "weight_decay": 0.0, **family.options[turn]}
    # Where Adagrad's sums begin is said once, for all groups.
    other.pop("initial_accumulator_value", None)
    for dtype in supported([kind]):
        start, gradients = course(dtype, seed)
        exact, slopes = wide(start), wide(gradients)
        held = parameters(torch, device, start)
        sizes = np.cumsum([0, *(parameter.numel() for parameter in held)])
        optimizer = getattr(torch.optim, name)(
            [{"params": held[:2]}, {"params": held[2:4], **other}],
            **shared,
            **_form(torch, device, form),
        )
        late = {"params": held[4:-1], "lr": 0.02}
        for step, gradient in enumerate(tensor_of(torch, device, gradients[:10])):
            if step == 4:
                optimizer.add_param_group(dict(late))
            give(held, gradient)
            held[-1].grad = None
            if step % 3:
                held[0].grad = None
            if step == 9:
                optimizer.param_groups[1]["lr"] = 0.0
            optimizer.step()
        assert_equal([len(group["params"]) for group in optimizer.param_groups], [2, 2, 2])
        for of, part, taken, options in (
            ("a gradient now and then", slice(0, sizes[1]), slice(0, 10, 3), shared),
            ("the optimizer's options", slice(sizes[1], sizes[2]), slice(0, 10), shared),
            ("its own options", slice(sizes[2], sizes[4]), slice(0, 9), {**shared, **other}),
            ("added later", slice(sizes[4], sizes[-2]), slice(4, 10), {**shared, "lr": 0.02}),
            ("no gradient", slice(sizes[-2], sizes[-1]), slice(0, 0), shared),
        ):
            end, way = family.reference(exact[part], slopes[taken, part], **options)
            bound = travelled_bound(exact[part], end, way, 10, dtype)
            with case(group=of):
                assert_close(tensor_of(torch, device, flat(held)[part]), end, bound)


@clause("optim.tensor-rate", covers=["notes.optimizer-family"], requires={"autograd"})
def a_rate_may_be_a_tensor(torch: Any, device: str) -> None:
    """lr may be a tensor of one element: the steps are those of the number, and what is written
    into it, by hand or by a schedule, counts from the next step on."""
    for family, form in product(FAMILIES.values(), ("default", "for-loop")):
        for dtype in supported(SINGLE):
            with case(optimizer=family.name, form=form, dtype=dtype):
                start, gradients = course(dtype, 3, 6)
                ends = []
                for rate in (0.5, torch.tensor(0.5)):
                    held = parameters(torch, device, start)
                    made = getattr(torch.optim, family.name)
                    optimizer = made(held, lr=rate, **FORMS[form])
                    steps(torch, device, optimizer, held, gradients[:2])
                    if isinstance(rate, float):
                        optimizer.param_groups[0]["lr"] = 0.125
                    else:
                        rate.fill_(0.125)
                    steps(torch, device, optimizer, held, gradients[2:4])
                    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
                    for gradient in gradients[4:]:
                        steps(torch, device, optimizer, held, gradient[None])
                        schedule.step()
                    assert_equal(float(optimizer.param_groups[0]["lr"]), 0.125 / 4)
                    ends.append(flat(held))
                moved = np.abs(ends[0] - start).max() + np.abs(start).max()
                # The rate is exact, what is computed from it has the precision of its own dtype.
                bound = Bound(dtype, 4, "six steps", 64 * unit("float32") * moved)
                assert_close(tensor_of(torch, device, ends[1]), ends[0], bound)


@clause("optim.in-place", covers=["mlnotes.step-updates-in-place"], requires={"autograd"})
def step_updates_the_parameters_in_place(torch: Any, device: str) -> None:
    """step() writes the new values into the very tensors that the model holds, so that views of
    them and the model see the new values; the step is not recorded, the gradients stay, and given
    a closure step() runs it with gradients on and returns its loss."""
    for family, dtype in product(FAMILIES.values(), supported(SINGLE)):
        for form in _forms(family):
            with case(optimizer=family.name, form=form, dtype=dtype):
                model = torch.nn.Linear(3, 2).to(device=device, dtype=getattr(torch, dtype))
                weight, place = model.weight, model.weight.data_ptr()
                view = model.weight.detach()[0]
                optimizer = getattr(torch.optim, family.name)(
                    model.parameters(), lr=0.1, **_form(torch, device, form)
                )
                x = tensor_of(torch, device, values((4, 3), dtype, "normal", 5))
                before, first = read(model(x)), read(weight)
                (model(x) ** 2).sum().backward()
                gradient = read(weight.grad)
                assert_equal(optimizer.step(), None)
                assert_same_object(model.weight, weight)
                assert_equal(weight.data_ptr(), place)
                assert_equal(view, read(weight)[0])
                assert_that((read(weight) != first).all(), "the weight stayed as it was")
                assert_that((read(model(x)) != before).any(), "the model sees the old weight")
                assert_equal(weight.grad, gradient)
                assert_equal((weight.requires_grad, weight.is_leaf), (True, True))
                assert_equal(weight.grad_fn, None)

                def closure() -> Any:
                    optimizer.zero_grad()  # noqa: B023 - called in this iteration
                    loss = (model(x) ** 2).sum()  # noqa: B023 - as above
                    loss.backward()
                    return loss

                expected, second = read((model(x) ** 2).sum()), read(weight)
                with torch.no_grad():
                    loss = optimizer.step(closure)
                assert_equal(loss, expected)
                assert_that((read(weight) != second).any(), "the weight stayed as it was")


@clause("optim.zero-grad", covers=["mlnotes.zero-grad"], requires={"autograd"})
def zero_grad_clears_what_backward_gathers(torch: Any, device: str) -> None:
    """Gradients of several backward calls add up. zero_grad() of the optimizer clears those of its
    parameters and zero_grad() of a module those of all of its own: to None, or, with
    set_to_none=False, to zeros in the same tensor. A step then leaves the parameters alone (None),
    or goes on with gradient 0."""
    for dtype, name in product(supported(SINGLE), FAMILIES):
        weights = [tensor_of(torch, device, values((n,), dtype, "signed", n)) for n in (1, 8, 33)]
        held = [torch.nn.Parameter(weight.clone()) for weight in weights]
        x = [tensor_of(torch, device, values((n,), dtype, "signed", 3 * n)) for n in (1, 8, 33)]
        groups = [{"params": held[:1]}, {"params": held[1:2], "lr": 0.1}]
        optimizer = getattr(torch.optim, name)(groups, lr=0.5)
        with case(optimizer=name, dtype=dtype):

            def backward() -> None:
                sum((p * n).sum() for p, n in zip(held, x, strict=True)).backward()  # noqa: B023 - called in this iteration

            for times in (1, 2, 3):
                backward()
                for parameter, number in zip(held, x, strict=True):
                    assert_equal(parameter.grad, times * read(number), signed_zero=False)
            gradients = [parameter.grad for parameter in held]
            optimizer.zero_grad(set_to_none=False)
            for parameter, gradient in zip(held[:2], gradients, strict=False):
                assert_same_object(parameter.grad, gradient)
                zeros = np.zeros(tuple(parameter.shape), dtype)
                assert_equal(gradient, zeros, signed_zero=False)
                assert_equal(gradient.requires_grad, False)
            assert_equal(held[2].grad, 3 * read(x[2]), signed_zero=False)
            backward()
            assert_equal(held[1].grad, read(x[1]), signed_zero=False)
            for options in ({}, {"set_to_none": True}):
                backward()
                optimizer.zero_grad(**options)
                assert_equal([parameter.grad for parameter in held[:2]], [None, None])
                optimizer.step()
                for parameter, weight in zip(held, weights, strict=True):
                    assert_equal(parameter, read(weight))
            backward()
            assert_equal(held[0].grad, read(x[0]), signed_zero=False)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)).to(device)
    for to_none in (True, False):
        model(torch.ones(1, 3, device=device)).sum().backward()
        model.zero_grad(set_to_none=to_none)
        for parameter in model.parameters():
            if to_none:
                assert_equal(parameter.grad, None)
            else:
                assert_equal(parameter.grad, np.zeros(tuple(parameter.shape), np.float32))


@clause(
    "optim.resume",
    covers=["notes.optimizer-family"],
    requires={"autograd"},
    effort=0.3,
)
@for_all(
    how=st.sampled_from(
        [
            (name, turn, form)
            for name in FAMILIES
            for turn in range(len(FAMILIES[name].options))
            for form in ("for-loop", "foreach")
        ]
    ),
    kind=st.sampled_from(SINGLE),
    seed=seeds(),
)
def an_optimizer_resumes_from_its_state(
    torch: Any, device: str, how: tuple[str, int, str], kind: str, seed: int
) -> None:
    """An optimizer that loads the state_dict of another goes on bit by bit as the other would
    have, whatever options it was made with: the state holds the options of every group and the
    running averages of every parameter, in the parameter's dtype and device."""
    name, turn, form = how
    family = FAMILIES[name]
    options = {**family.required, **family.options[turn]}
    for dtype in supported([kind]):
        start, gradients = course(dtype, seed, 6)
        with case(**options):
            held = parameters(torch, device, start)
            made = getattr(torch.optim, name)
            optimizer = made(_halves(held), **options, **_form(torch, device, form))
            steps(torch, device, optimizer, held, gradients[:3])
            state = copy.deepcopy(optimizer.state_dict())
            assert_equal(sorted(state), ["param_groups", "state"])
            again = parameters(torch, device, flat(held))
            resumed = made(_halves(again), lr=0.9, **_form(torch, device, form))
            resumed.load_state_dict(state)
            for key, value in options.items():
                assert_equal(resumed.param_groups[0][key], value)
            assert_equal(resumed.param_groups[1]["lr"], 0.25)
            for old, new in zip(held, again, strict=True):
                assert_equal(sorted(resumed.state[new]), sorted(optimizer.state[old]))
                for key, value in optimizer.state[old].items():
                    with case(state=key):
                        kept = resumed.state[new][key]
                        assert_equal(kept, read(value) if hasattr(value, "dtype") else value)
            for parameter in again:
                for key, value in resumed.state[parameter].items():
                    if key != "step" and hasattr(value, "dtype"):
                        assert_equal(value.dtype, parameter.dtype)
                        assert_equal(tuple(value.shape), tuple(parameter.shape))
            steps(torch, device, optimizer, held, gradients[3:])
            steps(torch, device, resumed, again, gradients[3:])
            assert_equal(tensor_of(torch, device, flat(again)), flat(held))
            uneven = [{"params": again[:2]}, {"params": again[2:]}]
            for groups in (again, uneven):
                assert_raises(made(groups, lr=0.1).load_state_dict, state)
    other = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    assert_raises(other.load_state_dict, state)


def _halves(held: list[Any]) -> list[dict[str, Any]]:
    """Two groups, the second with a rate of its own."""
    return [{"params": held[:3]}, {"params": held[3:], "lr": 0.25}]


def _refused(call: Callable[..., object], *args: Any, **options: Any) -> str:
    """What a call does that has to raise ValueError; nothing where it does."""
    try:
        call(*args, **options)
    except ValueError:
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing is raised"


_BAD: dict[str, tuple[Options, ...]] = {
    "SGD": ({"lr": -0.1}, {"lr": 0.1, "momentum": -0.5}, {"lr": 0.1, "weight_decay": -1e-3},
            {"lr": 0.1, "nesterov": True}, {"lr": 0.1, "nesterov": True, "momentum": 0.9,
                                            "dampening": 0.1}),
    "Adam": ({"lr": -1e-9}, {"betas": (-0.1, 0.9)}, {"betas": (1.0, 0.9)}, {"betas": (0.9, 1.0)},
             {"betas": (0.9, 1.5)}, {"betas": (0.9, -0.1)}, {"eps": -1e-8}, {"weight_decay": -1}),
    "RMSprop": ({"lr": -1}, {"alpha": -0.1}, {"eps": -1}, {"momentum": -0.1},
                {"weight_decay": -0.1}),
    "Adagrad": ({"lr": -1}, {"lr_decay": -0.1}, {"eps": -1}, {"weight_decay": -0.1},
                {"initial_accumulator_value": -0.1}),
}  # fmt: skip
_BAD["AdamW"] = _BAD["Adam"]


@clause("optim.bad-hyperparameters", covers=["notes.bad-hyperparameters"])
def bad_hyperparameters_raise_value_error(torch: Any, device: str) -> None:
    """A negative learning rate, momentum, weight decay or eps, a beta outside of [0, 1), nesterov
    without momentum or with dampening, and an empty list of parameters raise ValueError, for the
    optimizer as for one of its groups; their neighbours do not."""
    parameter = torch.nn.Parameter(torch.ones(2, device=device))
    for name, family in FAMILIES.items():
        kind = getattr(torch.optim, name)
        for options in ({"lr": 0.0}, *family.options):
            with case(optimizer=name, **options):
                made = kind([parameter], **{**family.required, **options})
                assert_same_object(made.param_groups[0]["params"][0], parameter)
        for options in _BAD[name]:
            with case(optimizer=name, **options):
                problem = _refused(kind, [parameter], **options)
                assert_that(not problem, problem)
        with case(optimizer=name, parameters="none"):
            problem = _refused(kind, [], lr=0.1)
            assert_that(not problem, problem)
    for betas in ((0.0, 0.0), (0.999999, 0.999999)):
        assert_equal(torch.optim.Adam([parameter], betas=betas).defaults["betas"], betas)
    assert_raises(torch.optim.SGD, parameter, lr=0.1)  # a tensor is no list of them
    assert_raises(torch.optim.SGD, [parameter * 2], lr=0.1)  # no leaf
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    assert_raises(optimizer.add_param_group, {"params": [parameter]})  # twice


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
    Schedule("PolynomialLR", {"total_iters": 4, "power": 0.5},
             lambda t: (1 - min(t, 4) / 4) ** 0.5),
    Schedule("CosineAnnealingWarmRestarts", {"T_0": 4, "eta_min": 0.1},
             lambda t: _restarting(t, 4, 1)),
)  # fmt: skip


def _near(got: float, expected: float) -> bool:
    """Rates may be kept up step by step: 20 of them, a few operations each, in float64."""
    return abs(got - expected) <= 256 * unit("float64") * max(1.0, abs(expected))


@clause("optim.schedules", thorough=True, covers=["notes.optimizer-family"], requires={"autograd"})
def schedules_set_the_published_rates(torch: Any, device: str) -> None:
    """A schedule sets every group's lr, beginning with that of step 0, to what its formula gives,
    from the lr that the group began with; get_last_lr() reports it, the optimizer steps by it,
    and a schedule goes on from a saved state."""
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
                    state, held = scheduler.state_dict(), optimizer.state_dict()
                    scheduler = kind(optimizer, **schedule.arguments)
                    optimizer.load_state_dict(held)
                    scheduler.load_state_dict(state)
                if step < 19:
                    scheduler.step()


@clause("optim.chained-schedules", covers=["notes.optimizer-family"], requires={"autograd"})
def schedules_follow_each_other_and_combine(torch: Any, device: str) -> None:
    """SequentialLR hands over from one schedule to the next at its milestones, ChainedScheduler
    multiplies what its schedules do; two schedules of one optimizer act on the rate in turn."""
    rates = torch.optim.lr_scheduler

    def lr_of(make: Callable[[Any], list[Any]], count: int = 12) -> list[float]:
        parameter = torch.nn.Parameter(torch.zeros(1, device=device))
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        schedulers, seen = make(optimizer), []
        for _ in range(count):
            seen.append(float(optimizer.param_groups[0]["lr"]))
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
    combined = [(0.1 if t < 4 else 1.0) * 0.9**t for t in range(12)]
    sequence = [0.1] * 4 + [0.9**t for t in range(8)]
    for name, expected, make in (
        ("in turn", combined, both),
        ("ChainedScheduler", combined, lambda o: [rates.ChainedScheduler(both(o), optimizer=o)]),
        ("SequentialLR", sequence, lambda o: [rates.SequentialLR(o, both(o), milestones=[4])]),
    ):
        for step, (got, wanted) in enumerate(zip(lr_of(make), expected, strict=True)):
            with case(combination=name, step=step):
                assert_that(_near(got, wanted), f"lr is {got}, not {wanted}")


def _plateau(metrics: list[float], mode: str, factor: float, patience: int, cooldown: int,
             threshold: float, threshold_mode: str, min_lr: float) -> list[float]:  # fmt: skip
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
            rate, cooling, bad = max(rate * factor, min_lr), cooldown, 0
        rates.append(rate)
    return rates


@clause("optim.plateau", covers=["notes.optimizer-family"], requires={"autograd"})
def a_plateau_lowers_the_rate(torch: Any, device: str) -> None:
    """ReduceLROnPlateau multiplies lr by factor once the metric has not got better, by more than
    the threshold, for more than `patience` steps, then rests for `cooldown` steps; lr does not
    fall below min_lr."""
    curve = [10.0, 9.0, 8.99, 8.5, 8.5, 8.49, 8.6, 8.5, 8.5, 8.5, 7.0, 7.1, 7.2, 7.0, 6.999, 7.0,
             7.0, 7.0, 7.0, 7.0, 7.0, 7.0]  # fmt: skip
    for mode, patience, cooldown, threshold, kind, least in product(
        ("min", "max"), (0, 2), (0, 3), (1e-4, 0.05), ("rel", "abs"), (0.0, 0.2)
    ):
        metrics = curve if mode == "min" else [20 - number for number in curve]
        options = {"mode": mode, "factor": 0.5, "patience": patience, "cooldown": cooldown,
                   "threshold": threshold, "threshold_mode": kind, "min_lr": least}  # fmt: skip
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, device=device))], lr=1.0)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        got = []
        for metric in metrics:
            scheduler.step(metric)
            got.append(float(optimizer.param_groups[0]["lr"]))
        with case(**options):
            assert_equal(got, _plateau(metrics, **options))  # type: ignore[arg-type]


# Clipping


@clause("optim.clip-norm", covers=["notes.optimizer-family"], requires={"autograd"}, effort=0.5)
@for_all(
    how=st.sampled_from([*product((2.0, 1.0, math.inf, 3.0), (0.1, 1.0, 5.0, 1e6), SINGLE)]),
    seed=seeds(),
)
def clip_grad_norm_bounds_the_norm_of_all_gradients(
    torch: Any, device: str, how: tuple[float, float, str], seed: int
) -> None:
    """clip_grad_norm_ returns the norm of all gradients taken as one vector, and scales them in
    place by max_norm / norm where the norm is larger, so that they have norm max_norm and the
    same direction; smaller gradients stay as they are. A parameter without a gradient counts
    nothing; error_if_nonfinite raises."""
    kind, most, drawn = how
    clip = torch.nn.utils.clip_grad_norm_
    for dtype in supported([drawn]):
        numbers = values((COUNT,), dtype, "normal", seed)
        exact = wide(numbers)
        if kind == math.inf:
            norm = np.abs(exact).max()
        else:
            norm = (np.abs(exact) ** kind).sum() ** (1 / kind)
        u = (COUNT + 32) * unit(dtype)
        for options in ({}, {"foreach": False}, {"foreach": True}):
            if options.get("foreach") and torch.device(device).type not in _JOINED_ON:
                continue  # an error there, by the documents
            held = parameters(torch, device, numbers)
            give(held, tensor_of(torch, device, numbers))
            held.insert(0, torch.nn.Parameter(torch.zeros(3, device=device)))
            # The largest of no elements is not defined, so an empty gradient has no such norm.
            held = [parameter for parameter in held if parameter.numel() or kind != math.inf]
            gradients = [parameter.grad for parameter in held]
            with case(**options):
                got = clip(held if options else iter(held), most, kind, **options)
                assert_close(got, norm, Bound(dtype, 1, "a norm", u * norm))
                after = flat([gradient for gradient in gradients if gradient is not None])
                for parameter, gradient in zip(held, gradients, strict=True):
                    assert_that(parameter.grad is gradient, "another tensor became the gradient")
                after = tensor_of(torch, device, after)
                if norm < most * (1 - 1e-3):
                    assert_equal(after, numbers)
                elif norm > most * (1 + 1e-3):
                    scaled = exact * most / norm
                    # The published factor is max_norm / (norm + 1e-6).
                    bound = Bound(dtype, 2, "scaled once", np.abs(scaled) * (u + 1e-6 / norm))
                    assert_close(after, scaled, bound)
        single = torch.nn.Parameter(torch.zeros(2, dtype=getattr(torch, dtype), device=device))
        single.grad = tensor_of(torch, device, np.array([3.0, 4.0], dtype))
        assert_equal(clip(single, 10.0), np.asarray(5.0, dtype))
        assert_equal(clip([], 1.0), np.asarray(0.0, np.float32))
        single.grad[0] = math.nan
        assert_raises(clip, single, 10.0, error_if_nonfinite=True)


@clause("optim.clip-value", covers=["notes.optimizer-family"], requires={"autograd"}, effort=1.5)
@for_all(most=st.sampled_from((0.5, 1.0, 1e-3, 100.0)), drawn=st.sampled_from(SINGLE), seed=seeds())
def clip_grad_value_bounds_every_gradient(
    torch: Any, device: str, most: float, drawn: str, seed: int
) -> None:
    """clip_grad_value_ brings every element of every gradient, in place, into
    [-clip_value, clip_value]."""
    for dtype in supported([drawn]):
        numbers = values((COUNT,), dtype, "normal", seed)
        for options in ({}, {"foreach": False}):
            held = parameters(torch, device, numbers)
            give(held, tensor_of(torch, device, numbers))
            gradients = [parameter.grad for parameter in held]
            with case(**options):
                assert_equal(torch.nn.utils.clip_grad_value_(held, most, **options), None)
                limit = np.asarray(most, dtype)
                got = tensor_of(torch, device, flat(gradients))
                assert_equal(got, np.clip(numbers, -limit, limit))
                assert_same_object(held[0].grad, gradients[0])


@clause(
    "optim.fused-gradient-layout",
    covers=["notes.optimizer-family"],
    requires={"autograd", "in-place"},
)
def a_gradient_that_lies_otherwise_moves_the_right_elements(torch: Any, device: str) -> None:
    """A step moves each element by its own gradient, in every form, whether the gradient lies in
    memory as the parameter does or not. A fused form may refuse what does not."""
    for family, form in product(("SGD", "Adam", "AdamW", "Adagrad"), FORMS):
        for shape, layout in product(((2, 3), (4, 8), (1, 5)), ("same", "transposed")):
            same = layout == "same" or 1 in shape
            with case(form=form, layout="same" if same else layout, family=family, shape=shape):
                gradient = np.zeros(shape, "float32")
                gradient[0, 1:] = 1
                parameter = torch.zeros(shape, device=device, requires_grad=True)
                parameter.grad = (
                    tensor_of(torch, device, gradient.T.copy()).t()
                    if layout == "transposed"
                    else tensor_of(torch, device, gradient)
                )
                options = _form(torch, device, form)
                expected = gradient != 0
                try:
                    getattr(torch.optim, family)([parameter], lr=0.5, **options).step()
                except RuntimeError:
                    if same or form != "fused":
                        raise
                    expected = np.zeros(shape, bool)
                moved = read(parameter) != 0
                assert_that((moved == expected).all(), f"moved are {moved.tolist()}")


@clause(
    "optim.fused-low-precision",
    covers=["notes.optimizer-family"],
    requires={"autograd", "in-place"},
)
def a_fused_step_moves_parameters_of_low_precision(torch: Any, device: str) -> None:
    """The fused form of SGD steps in every floating-point dtype, and moves every element, however
    many there are."""
    for name in supported(("float32", "float64", "bfloat16", "float16")):
        for length, momentum, form in product((1, 2, 3, 64, 128, 256), (0.0, 0.5), FORMS):
            size = "long" if length > 3 else "short"
            low = "low" if name.endswith("16") else "high"
            with case(form=form, precision=low, size=size, length=length, momentum=momentum,
                      dtype=name):  # fmt: skip
                ones = np.ones(length, "float32")
                parameter = tensor_of(torch, device, ones).to(getattr(torch, name))
                parameter.requires_grad_()
                parameter.grad = torch.ones_like(parameter)
                options = {"momentum": momentum, **_form(torch, device, form)}
                step = torch.optim.SGD([parameter], lr=0.5, **options).step
                step()
                assert_equal(read(parameter).astype("float64").tolist(), [0.5] * length)
                step()
                then = 0.0 if momentum == 0 else -0.25
                assert_equal(read(parameter).astype("float64").tolist(), [then] * length)
