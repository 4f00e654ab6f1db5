"""Fused steps: of gradients that lie otherwise, of low precision, of parameters that come late."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import place, tensor_of
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_that,
    case,
    clause,
    has,
    read,
    supported,
)
from tenet.spec.model.tolerance import Bound
from tenet.spec.optim.common import FORMS, options_of


@clause(
    "optim.fused-gradient-layout",
    covers=["notes.optimizer-family"],
    requires={"autograd", "in-place"},
)
def a_gradient_that_lies_otherwise_moves_the_right_elements(torch: Any, device: str) -> None:
    """A step moves each element by its own gradient and nothing beside the parameter, in every
    form, whether the gradient lies in memory as the parameter does or not, and where the parameter
    has gaps. A fused form may refuse what does not lie alike."""
    for family, form in product(("SGD", "Adam", "AdamW", "Adagrad"), FORMS):
        for shape, layout in product(((2, 3), (4, 8), (1, 5)), ("same", "transposed", "gapped")):
            same = layout == "same" or (layout == "transposed" and 1 in shape)
            with case(form=form, layout="same" if same else layout, family=family, shape=shape):
                gradient = np.zeros(shape, "float32")
                gradient[:, 1:] = 1
                gaps = layout == "gapped" and has("views")
                there = place(
                    torch, device, np.zeros_like(gradient), "gapped" if gaps else "contiguous"
                )
                parameter = there.view.requires_grad_()
                parameter.grad = (
                    tensor_of(torch, device, gradient.T.copy()).t()
                    if layout == "transposed"
                    else tensor_of(torch, device, gradient)
                )
                options = options_of(torch, device, form)
                expected = gradient != 0
                try:
                    getattr(torch.optim, family)([parameter], lr=0.5, **options).step()
                except RuntimeError:
                    if same or form != "fused":
                        raise
                    expected = np.zeros(shape, bool)
                moved = read(parameter)
                assert_that(((moved != 0) == expected).all(), f"moved are {moved.tolist()}")
                assert_equal(there.base, there.after(moved))


@clause(
    "optim.fused-low-precision",
    covers=["notes.optimizer-family"],
    requires={"autograd", "in-place"},
    thorough=True,
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
                options = {"momentum": momentum, **options_of(torch, device, form)}
                step = torch.optim.SGD([parameter], lr=0.5, **options).step
                step()
                assert_equal(read(parameter).astype("float64").tolist(), [0.5] * length)
                step()
                then = 0.0 if momentum == 0 else -0.25
                assert_equal(read(parameter).astype("float64").tolist(), [then] * length)


@clause(
    "optim.fused-late-gradient",
    covers=["notes.optimizer-family"],
    requires={"autograd", "in-place"},
    thorough=True,
)
def a_first_gradient_may_come_later_than_others(torch: Any, device: str) -> None:
    """A parameter whose first gradient comes when others have had theirs moves, in every form, as
    it does alone from then on."""
    families: dict[str, tuple[dict[str, float], ...]] = {
        "SGD": ({}, {"momentum": 0.5}),
        "Adam": ({},),
        "AdamW": ({},),
        "Adagrad": ({},),
    }
    for (family, several), form in product(families.items(), FORMS):
        for options in several:
            with case(family=family, form=form, **options):
                early, late, alone = (
                    tensor_of(torch, device, np.ones(5, "float32")).requires_grad_()
                    for _ in range(3)
                )
                made = getattr(torch.optim, family)
                both = made([early, late], lr=0.5, **options, **options_of(torch, device, form))
                single = made([alone], lr=0.5, **options, **options_of(torch, device, "for-loop"))
                early.grad = torch.ones_like(early)
                both.step()
                assert_equal(late, np.ones(5, "float32"))
                for _ in range(2):
                    for parameter in (late, alone):
                        parameter.grad = torch.ones_like(parameter)
                    both.step()
                    single.step()
                allowed = Bound("float32", 4, "the same formula, in another order")
                assert_close(late, read(alone).astype("float64"), allowed)
