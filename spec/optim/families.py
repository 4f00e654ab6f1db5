"""Each optimizer moves its parameters by its published formula."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import MANY, seeds, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model import optimizers
from tenet.spec.model.layers import unit, wide
from tenet.spec.model.optimizers import travelled_bound
from tenet.spec.model.tolerance import Bound
from tenet.spec.optim.common import (
    FAMILIES,
    FORMS,
    SINGLE,
    STEPS,
    Family,
    Options,
    course,
    flat,
    forms_of,
    give,
    options_of,
    parameters,
    steps,
)


def _follows(torch: Any, device: str, family: Family, seed: int) -> None:
    """All options in all forms, so that what is wrong in one of them alone is not left to
    chance; their dtypes take turns, and one list of parameters with two groups of them."""
    for turn, (chosen, form) in enumerate(product(family.options, forms_of(family))):
        options = {**family.required, **chosen}
        grouped = (turn + turn // len(forms_of(family)) + seed) % 3 == 1
        # One form more or less than an even number: neither goes by one dtype only.
        dtype = SINGLE[(turn + turn // len(forms_of(family)) + seed) % 2]
        for name in supported([dtype]):
            with case(form=form, dtype=name, grouped=grouped, **chosen):
                start, gradients = course(name, seed)
                end, way = family.reference(wide(start), wide(gradients), **options)
                bound = travelled_bound(wide(start), end, way, STEPS, name)
                held = parameters(torch, device, start, turned=(seed + turn) % 3 == 0)
                before = list(held)
                kind = getattr(torch.optim, family.name)
                given = [{"params": held[:3]}, {"params": held[3:]}] if grouped else held
                optimizer = kind(given, **options, **options_of(torch, device, form))
                steps(torch, device, optimizer, held, gradients)
                assert_close(tensor_of(torch, device, flat(held)), end, bound)
                kept = [one for group in optimizer.param_groups for one in group["params"]]
                same = len(kept) == len(before) and all(map(operator.is_, kept, before))
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


@clause(
    "optim.rmsprop",
    covers=["notes.optimizer-family"],
    requires={"autograd"},
    effort=0.012,
    thorough=True,
)
@for_all(seed=seeds())
def rmsprop_divides_by_the_root_mean_square(torch: Any, device: str, seed: int) -> None:
    """RMSprop divides the gradient by the root of the running average of its square, plus eps;
    centered takes the square of the average gradient off, momentum accumulates the quotients."""
    _follows(torch, device, FAMILIES["RMSprop"], seed)


@clause(
    "optim.adagrad",
    covers=["notes.optimizer-family"],
    requires={"autograd"},
    effort=0.012,
    thorough=True,
)
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
            for how in product(SINGLE, forms_of(FAMILIES[name]))
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
    # What the first group says for itself is no other group's default.
    first = {"lr": 0.13, "weight_decay": 0.3, **({"momentum": 0.4} if name == "SGD" else {})}
    for dtype in supported([kind]):
        start, gradients = course(dtype, seed)
        exact, slopes = wide(start), wide(gradients)
        held = parameters(torch, device, start)
        sizes = np.cumsum([0, *(parameter.numel() for parameter in held)])
        optimizer = getattr(torch.optim, name)(
            [{"params": held[:2], **first}, {"params": held[2:5], **other}],
            **shared,
            **options_of(torch, device, form),
        )
        later = {"lr": 0.02} if seed % 2 else {}
        for step, gradient in enumerate(tensor_of(torch, device, gradients[:10])):
            if step == 4:
                optimizer.add_param_group({"params": held[5:-1], **later})
            give(held, gradient)
            held[-1].grad = None
            if step % 3:
                held[0].grad = held[2].grad = None
            if step == 9:
                optimizer.param_groups[1]["lr"] = 0.0
            optimizer.step()
        assert_equal([len(group["params"]) for group in optimizer.param_groups], [2, 3, 1])
        for of, part, taken, options in (
            ("a gradient now and then", slice(0, sizes[1]), slice(0, 10, 3), {**shared, **first}),
            (
                "the first group's options",
                slice(sizes[1], sizes[2]),
                slice(0, 10),
                {**shared, **first},
            ),
            # Momentum and averages, too, wait for the next gradient.
            (
                "its own, now and then",
                slice(sizes[2], sizes[3]),
                slice(0, 9, 3),
                {**shared, **other},
            ),
            ("its own options", slice(sizes[3], sizes[5]), slice(0, 9), {**shared, **other}),
            ("added later", slice(sizes[5], sizes[-2]), slice(4, 10), {**shared, **later}),
            ("no gradient", slice(sizes[-2], sizes[-1]), slice(0, 0), shared),
        ):
            end, way = family.reference(exact[part], slopes[taken, part], **options)
            bound = travelled_bound(exact[part], end, way, 10, dtype)
            with case(group=of):
                assert_close(tensor_of(torch, device, flat(held)[part]), end, bound)


_MANY = 260
"""More steps than a byte counts."""


@clause("optim.many-steps", covers=["mlnotes.sgd", "mlnotes.adam", "notes.optimizer-family"],
        requires={"autograd"}, thorough=True)  # fmt: skip
def the_formula_holds_for_many_steps(torch: Any, device: str) -> None:
    """Each optimizer, in each of its forms, moves by its formula after hundreds of steps as at
    first: what counts the steps does not overflow, no correction ends early, and no average
    drifts."""
    every = [(family, form) for family in FAMILIES.values() for form in forms_of(family)]
    for turn, (family, form) in enumerate(every):
        # By its defaults, and with all that it may be told.
        chosen = family.options[-(turn % 2)]
        for dtype in supported([SINGLE[turn // 2 % 2]]):
            # Steps of about one size, and such as grow smaller.
            gradients = 1 + values((_MANY, 3), dtype, "normal", 5) / 4
            gradients[:, 2] /= np.arange(1, _MANY + 1)
            start, options = np.array([1.0, -2.0, 0.5], dtype), {**family.required, **chosen}
            with case(optimizer=family.name, form=form, dtype=dtype, **chosen):
                end, way = family.reference(wide(start), wide(gradients), **options)
                parameter = torch.nn.Parameter(tensor_of(torch, device, start))
                made = getattr(torch.optim, family.name)
                optimizer = made([parameter], **options, **options_of(torch, device, form))
                for gradient in tensor_of(torch, device, gradients):
                    parameter.grad = gradient
                    optimizer.step()
                bound = travelled_bound(wide(start), end, way, _MANY, dtype)
                assert_close(parameter.detach(), end, bound)


_FIRST = {"SGD": 0.5, "Adam": 0.5, "AdamW": 0.495, "RMSprop": -4.0, "Adagrad": 0.5}
"""Where a step with lr = 0.5 and gradient 1 leads from 1."""


@clause("optim.low-precision", covers=["notes.optimizer-family"], requires={"autograd"})
def every_optimizer_steps_in_low_precision(torch: Any, device: str) -> None:
    """Every optimizer, in each of its forms, moves parameters of half precision by its formula,
    alone and among others of another dtype, and keeps their dtype."""
    known = [*supported(("float32", "float64", "bfloat16", "float16"))]
    for family in FAMILIES.values():
        for form, turned in product(forms_of(family), (False, True)):
            if (family.name, form) == ("SGD", "fused"):
                continue  # a clause of its own: optim.fused-low-precision
            options = {"lr": 0.5, **options_of(torch, device, form)}
            held = []
            for place, name in enumerate((*known, *known)):
                array = np.ones((3, 2 + place), "float32")
                weight = tensor_of(torch, device, array).to(getattr(torch, name))
                weight = weight.t().contiguous().t() if turned else weight
                held.append(torch.nn.Parameter(weight))
                held[-1].grad = torch.ones_like(weight)
            several = getattr(torch.optim, family.name)(held[: len(known)], **options)
            alone = [getattr(torch.optim, family.name)([p], **options) for p in held[len(known) :]]
            for optimizer in (several, *alone):
                optimizer.step()
            for place, (parameter, name) in enumerate(zip(held, (*known, *known), strict=True)):
                with case(optimizer=family.name, form=form, turned=turned, dtype=name,
                          alone=place >= len(known)):  # fmt: skip
                    expected = np.full((3, 2 + place), _FIRST[family.name])
                    # An eps of 1e-8 moves a quotient by up to 5e-7.
                    off = 8 * unit(name) * abs(_FIRST[family.name]) + 1e-6
                    assert_close(parameter, expected, Bound(name, 4, "one step", off))


def _scattered(torch: Any, device: str, form: str) -> tuple[list[Any], list[Any]]:
    """(parameters of ones, more than one launch of a kernel takes; what lies between them)."""

    def ones(*shape: int) -> Any:
        return tensor_of(torch, device, np.ones(shape, "float32"))

    stepped, columns, later = ones(10), ones(3, 4), ones(9)
    views = [later[4:]]
    if form != "fused":
        # PyTorch 2.13 has a defect here: a fused step takes a parameter with gaps as it lies in
        # memory, and so writes into the gaps.
        views += [stepped[::2], columns[:, 1:3]]
    few = [ones(1) for _ in range(_TENSORS)]
    every = [ones(0), ones(MANY), *views, *few, ones(2, 3), ones(0)]
    return [torch.nn.Parameter(one) for one in every], [stepped[1::2], columns[:, ::3], later[:4]]


_TENSORS = 150
"""More parameters than are joined in one launch of a kernel."""


@clause("optim.every-parameter", covers=["notes.optimizer-family"], requires={"autograd", "views"},
        thorough=True)  # fmt: skip
def a_step_moves_every_element_of_every_parameter(torch: Any, device: str) -> None:
    """A step, in each of its forms, moves every element of every parameter and nothing else:
    hundreds of parameters, more elements than 16 bits count, parameters that begin within their
    memory or have gaps there, and those that stand beside empty ones, be these first or last."""
    for family in FAMILIES.values():
        for form in forms_of(family):
            held, between = _scattered(torch, device, form)
            for parameter in held:
                parameter.grad = torch.ones_like(parameter)
            made = getattr(torch.optim, family.name)
            made(held, lr=0.5, **options_of(torch, device, form)).step()
            first = _FIRST[family.name]
            # An eps of 1e-8 moves a quotient by up to 5e-7.
            bound = Bound("float32", 4, "one step", 8 * unit("float32") * abs(first) + 1e-6)
            with case(optimizer=family.name, form=form):
                moved = flat(held)
                assert_close(tensor_of(torch, device, moved), np.full(moved.shape, first), bound)
            for gap in between:
                with case(optimizer=family.name, form=form, place="between"):
                    assert_equal(gap, np.ones(tuple(gap.shape), np.float32))


@clause(
    "optim.tensor-rate", covers=["notes.optimizer-family"], requires={"autograd"}, thorough=True
)
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


def _ways_to_say(held: list[Any]) -> dict[str, Any]:
    """Four parameters, as they may be given to an optimizer: in their order, all of one rate."""
    names = [(f"p{place}", parameter) for place, parameter in enumerate(held)]
    return {
        "list": held,
        "tuple": (*held,),
        "generator": (parameter for parameter in held),
        "names and parameters": iter(names),
        "groups of one": [{"params": parameter} for parameter in held],
        "groups from a generator": ({"params": [one]} for one in held),
        "groups of generators": [{"params": iter(held[:3])}, {"params": iter(held[3:])}],
        "groups of names": [{"params": names[:1]}, {"params": iter(names[1:])}],
    }


@clause("optim.parameters-in-other-words", covers=["notes.optimizer-family"], requires={"autograd"})
def parameters_and_rates_come_in_several_forms(torch: Any, device: str) -> None:
    """An optimizer takes any iterable of parameters, of names and parameters, or of dicts of one
    or of several; a rate is a number, whole ones and NumPy's among them. The names stay with the
    parameters. Adam with decoupled_weight_decay=True is AdamW."""
    for family in FAMILIES.values():
        for way, rate in product(_ways_to_say([None] * 4), (1, 0.5, np.float64(0.5))):
            held = [torch.nn.Parameter(torch.ones(1 + place, device=device)) for place in range(4)]
            made = getattr(torch.optim, family.name)
            optimizer = made(_ways_to_say(held)[way], lr=rate)
            with case(optimizer=family.name, parameters=way, lr=repr(rate)):
                found = [one for group in optimizer.param_groups for one in group["params"]]
                assert_equal([*map(id, found)], [*map(id, held)])
                if "names" in way:
                    groups = optimizer.state_dict()["param_groups"]
                    names = [name for group in groups for name in group["param_names"]]
                    assert_equal(names, ["p0", "p1", "p2", "p3"])
                for parameter in held:
                    parameter.grad = torch.ones_like(parameter)
                optimizer.step()
                expected = 1 + (_FIRST[family.name] - 1) * float(rate) / 0.5
                # An eps of 1e-8 moves a quotient by up to 5e-7.
                bound = Bound("float32", 4, "one step", 8 * unit("float32") * 8 + 1e-6)
                for parameter in held:
                    assert_close(parameter.detach(), np.full(len(parameter), expected), bound)
    for form, dtype in product(forms_of(FAMILIES["Adam"]), supported(SINGLE)):
        start, gradients = course(dtype, 2, 4)
        options: Options = {"lr": 0.05, "weight_decay": 0.3, "amsgrad": form == "foreach"}
        end, way_ = optimizers.adamw(wide(start), wide(gradients), **options)
        held = parameters(torch, device, start)
        optimizer = torch.optim.Adam(
            held, decoupled_weight_decay=True, **options, **options_of(torch, device, form)
        )
        steps(torch, device, optimizer, held, gradients)
        with case(optimizer="Adam", decoupled_weight_decay=True, form=form, dtype=dtype):
            bound = travelled_bound(wide(start), end, way_, 4, dtype)
            assert_close(tensor_of(torch, device, flat(held)), end, bound)


@clause("optim.differentiable-steps", covers=["notes.optimizer-family"], requires={"autograd"})
def a_differentiable_step_is_the_same_step(torch: Any, device: str) -> None:
    """With differentiable=True an optimizer steps by its formula, also of tensors that are no
    leaves, and the step is recorded: of SGD the new parameter's gradient for the old one is
    1 - lr * weight_decay, for the gradient -lr."""
    for family, dtype in product(FAMILIES.values(), supported(SINGLE)):
        for chosen in family.options:
            options = {**family.required, **chosen}
            start, gradients = (x[..., :7] for x in course(dtype, 5, 3))
            end, way = family.reference(wide(start), wide(gradients), **options)
            leaf = tensor_of(torch, device, start).requires_grad_()
            moved = leaf.clone()
            made = getattr(torch.optim, family.name)
            optimizer = made([moved], differentiable=True, **options)
            with case(optimizer=family.name, dtype=dtype, **chosen):
                for gradient in tensor_of(torch, device, gradients):
                    moved.grad = gradient.clone()
                    optimizer.step()
                # Steps are counted in float32, in which 1 - 0.999^t may be off by 2e-4 of itself.
                near = travelled_bound(wide(start), end, way, 3, dtype).absolute + 2e-4 * way
                assert_close(moved.detach(), end, Bound(dtype, 1, "three steps", near))
    for dtype, decay in product(supported(SINGLE), (0.0, 0.25)):
        leaf = tensor_of(torch, device, np.array([1.0, -2.0], dtype)).requires_grad_()
        slope = tensor_of(torch, device, np.array([0.5, 4.0], dtype)).requires_grad_()
        moved = leaf.clone()
        moved.grad = slope.clone()
        torch.optim.SGD([moved], lr=0.5, weight_decay=decay, differentiable=True).step()
        moved.sum().backward()
        with case(of="the step itself", dtype=dtype, weight_decay=decay):
            assert_equal(leaf.grad, np.full(2, 1 - 0.5 * decay, dtype))
            assert_equal(slope.grad, np.full(2, -0.5, dtype))


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
