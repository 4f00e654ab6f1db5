"""What a step writes to, what gradients it starts from, and what it resumes from."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import place, seeds, tensor_of, values
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
from tenet.spec.model.optimizers import travelled_bound
from tenet.spec.model.tolerance import Bound
from tenet.spec.optim.common import (
    FAMILIES,
    SINGLE,
    course,
    flat,
    forms_of,
    options_of,
    parameters,
    steps,
)


@clause(
    "optim.in-place", covers=["mlnotes.step-updates-in-place"], requires={"autograd"}, thorough=True
)
def step_updates_the_parameters_in_place(torch: Any, device: str) -> None:
    """step() writes the new values into the very tensors that the model holds, so that views of
    them and the model see the new values; the step is not recorded, the gradients stay, and given
    a closure step() runs it once, with gradients on, and returns its loss."""
    for family, dtype in product(FAMILIES.values(), supported(SINGLE)):
        for form in forms_of(family):
            with case(optimizer=family.name, form=form, dtype=dtype):
                model = torch.nn.Linear(3, 2).to(device=device, dtype=getattr(torch, dtype))
                weight, place = model.weight, model.weight.data_ptr()
                view = model.weight.detach()[0]
                optimizer = getattr(torch.optim, family.name)(
                    model.parameters(), lr=0.1, **options_of(torch, device, form)
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

                calls: list[None] = []

                def closure() -> Any:
                    calls.append(None)  # noqa: B023 - called in this iteration
                    optimizer.zero_grad()  # noqa: B023 - called in this iteration
                    loss = (model(x) ** 2).sum()  # noqa: B023 - as above
                    loss.backward()
                    return loss

                expected, second = read((model(x) ** 2).sum()), read(weight)
                with torch.no_grad():
                    loss = optimizer.step(closure)
                assert_equal((loss.item(), len(calls)), (expected.item(), 1))
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
    array = values((3, 4), "float32", "signed", 2)
    for layout in ("transposed", "stepped", "offset", "permuted"):
        lying = place(torch, device, array, layout)
        parameter = torch.nn.Parameter(torch.zeros(3, 4, device=device))
        parameter.grad = lying.view
        with case(gradient=layout):
            torch.optim.SGD([parameter], lr=1.0).zero_grad(set_to_none=False)
            assert_equal(lying.base, lying.after(np.zeros_like(array)), signed_zero=False)
    # Of a gradient that can itself be differentiated no more is left than of another.
    for name in FAMILIES:
        parameter = torch.nn.Parameter(torch.full((3,), 2.0, device=device))
        recorded = torch.autograd.grad((parameter**3).sum(), parameter, create_graph=True)
        parameter.grad = recorded[0]
        optimizer = getattr(torch.optim, name)([parameter], lr=0.5)
        with case(optimizer=name, gradient="recorded"):
            optimizer.zero_grad(set_to_none=False)
            assert_equal(parameter.grad, np.zeros(3, np.float32))
            assert_equal((parameter.grad.requires_grad, parameter.grad.grad_fn), (False, None))
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
            for form in forms_of(FAMILIES[name])
        ]
    ),
    kind=st.sampled_from((*SINGLE, *SINGLE, "bfloat16", "float16")),
    seed=seeds(),
)
def an_optimizer_resumes_from_its_state(
    torch: Any, device: str, how: tuple[str, int, str], kind: str, seed: int
) -> None:
    """An optimizer that loads the state_dict of another goes on bit by bit as the other would
    have, whatever options it was made with: the state holds the options of every group and the
    running averages of every parameter, in the parameter's dtype and device. It is left as it
    was."""
    name, turn, form = how
    family = FAMILIES[name]
    options = {**family.required, **family.options[turn]}
    if (name, form) == ("SGD", "fused"):
        kind = "float32"  # low precision has a clause of its own: optim.fused-low-precision
    for dtype in supported([kind]):
        start, gradients = course(dtype, seed, 6)
        with case(**options):
            held = parameters(torch, device, start)
            made = getattr(torch.optim, name)
            optimizer = made(_halves(held), **options, **options_of(torch, device, form))
            steps(torch, device, optimizer, held, gradients[:3])
            state = copy.deepcopy(optimizer.state_dict())
            assert_equal(sorted(state), ["param_groups", "state"])
            again = parameters(torch, device, flat(held))
            resumed = made(_halves(again), lr=0.9, **options_of(torch, device, form))
            resumed.load_state_dict(state)
            assert_equal(state["param_groups"], optimizer.state_dict()["param_groups"])
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


@clause("optim.alike", covers=["notes.optimizer-family"], requires={"autograd", "float64"},
        thorough=True)  # fmt: skip
def parameters_of_one_shape_are_not_taken_for_each_other(torch: Any, device: str) -> None:
    """Of parameters of one shape in one group, now one and now another of which has no gradient,
    each goes by its own gradients and averages."""
    shape, count = (5,), 9
    start = values((3, *shape), "float64", "normal", 3)
    slopes = values((count, 3, *shape), "float64", "normal", 4)
    # First gradients that come late have a clause of their own: optim.fused-late-gradient
    missing = [[step > 0 and (step + 2 * turn) % 4 in (1, 2 - turn) for turn in range(3)]
               for step in range(count)]  # fmt: skip
    for family in FAMILIES.values():
        # The forms take turns in the options; of each the averages are among them.
        every = [(form, options) for turn, form in enumerate(forms_of(family))
                 for options in family.options[turn % 3 :: 3]]  # fmt: skip
        for form, options in every:
            taken = {**family.required, **options}
            held = [torch.nn.Parameter(each) for each in tensor_of(torch, device, start)]
            made = getattr(torch.optim, family.name)
            optimizer = made(held, **taken, **options_of(torch, device, form))
            for gone, gradients in zip(missing, tensor_of(torch, device, slopes), strict=True):
                for parameter, gradient, absent in zip(held, gradients, gone, strict=True):
                    parameter.grad = None if absent else gradient
                optimizer.step()
            for turn, parameter in enumerate(held):
                own = slopes[[not gone[turn] for gone in missing], turn]
                end, way = family.reference(start[turn], own, **taken)
                bound = travelled_bound(start[turn], end, way, count, "float64")
                with case(optimizer=family.name, form=form, parameter=turn, **options):
                    assert_close(parameter.detach(), end, bound)


_IN_TURN: tuple[dict[str, Any], ...] = (
    {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.0, "maximize": False}, {"lr": 0.25},
    {"momentum": 0.25}, {"weight_decay": 0.5}, {"weight_decay": 0.0, "maximize": True},
    {"maximize": False, "lr": 0.125}, {"momentum": 0.0},
)  # fmt: skip
"""What is written into a group of SGD before each step: nothing of it rounds."""


@clause("optim.options-of-the-moment", covers=["notes.optimizer-family"], requires={"autograd"})
def what_is_written_into_a_group_counts_from_the_next_step_on(torch: Any, device: str) -> None:
    """A group's options may be written to between steps, as schedules do: lr, momentum,
    weight_decay and maximize of SGD, lr and weight_decay of Adam, are at each step what they are
    then."""
    for name, form in product(supported(SINGLE), forms_of(FAMILIES["SGD"])):
        given = options_of(torch, device, form)
        parameter = torch.nn.Parameter(tensor_of(torch, device, np.ones(3, name)))
        first = _IN_TURN[0]
        optimizer = torch.optim.SGD([parameter], **first, **given)
        at, velocity, now = 1.0, 0.0, {**first}
        for step, turn in enumerate(_IN_TURN):
            optimizer.param_groups[0].update(turn)
            now.update(turn)
            parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            slope = (-1.0 if now["maximize"] else 1.0) + now["weight_decay"] * at
            velocity = now["momentum"] * velocity + slope
            at -= now["lr"] * velocity
            with case(optimizer="SGD", form=form, dtype=name, step=step, **turn):
                assert_equal(parameter.detach(), np.full(3, at, name))
        for family in ("Adam", "AdamW"):
            parameter = torch.nn.Parameter(tensor_of(torch, device, np.ones(3, name)))
            optimizer = getattr(torch.optim, family)([parameter], lr=0.5, **given)
            for step, decay in enumerate((0.0, 0.5, 0.25)):
                optimizer.param_groups[0].update(weight_decay=decay, lr=0.5 / (step + 1))
                parameter.grad = torch.zeros_like(parameter)
                before = read(parameter)
                optimizer.step()
                shrunk = before * (1 - decay * 0.5 / (step + 1))
                with case(optimizer=family, form=form, dtype=name, weight_decay=decay):
                    if family == "AdamW":
                        assert_close(parameter.detach(), shrunk, Bound(name, 2, "one product"))
                    else:
                        assert_equal((read(parameter) == before).all() == (decay == 0.0), True)


def _halves(held: list[Any]) -> list[dict[str, Any]]:
    """Two groups, the second with a rate of its own."""
    return [{"params": held[:3]}, {"params": held[3:], "lr": 0.25}]
