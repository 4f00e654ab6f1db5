"""Gradients are clipped by norm and by value."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

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
    supported,
)
from tenet.spec.model.layers import unit, wide
from tenet.spec.model.tolerance import Bound
from tenet.spec.optim.common import COUNT, JOINED_ON, SINGLE, flat, give, parameters


# Clipping
@clause("optim.clip-norm", covers=["notes.optimizer-family"], requires={"autograd"}, effort=0.5)
@for_all(
    how=st.sampled_from(
        [*product((2.0, 1.0, math.inf, 3.0, 4.0, 0.5), (0.1, 1, 5.0, 1e6), SINGLE)]
    ),
    seed=seeds(),
)
def clip_grad_norm_bounds_the_norm_of_all_gradients(
    torch: Any, device: str, how: tuple[float, float, str], seed: int
) -> None:
    """clip_grad_norm_ returns the norm of all gradients taken as one vector, and scales them in
    place by max_norm / norm where the norm is larger, so that they have norm max_norm and the
    same direction; smaller gradients stay as they are. A parameter without a gradient counts
    nothing, and one parameter may be given by itself; error_if_nonfinite raises for a norm that
    is NaN or infinite, and scales nothing."""
    kind, most, drawn = how
    clip = torch.nn.utils.clip_grad_norm_
    for dtype in supported([drawn]):
        numbers = values((COUNT,), dtype, "normal", seed)
        exact = wide(numbers)
        if kind == math.inf:
            norm = np.abs(exact).max()
        else:
            norm = (np.abs(exact) ** kind).sum() ** (1 / kind)
        # The root of order 1/2 squares the sum, and so doubles what it is off by.
        u = (COUNT + 32) * unit(dtype) * max(1, 1 / kind)
        for options in ({}, {"foreach": False}, {"foreach": True}):
            if options.get("foreach") and torch.device(device).type not in JOINED_ON:
                continue  # an error there, by the documents
            held = parameters(torch, device, numbers, turned=seed % 2 == 0)
            give(held, tensor_of(torch, device, numbers))
            held.insert(0, torch.nn.Parameter(torch.zeros(3, device=device)))
            # The largest of no elements is not defined, so an empty gradient has no such norm.
            held = [parameter for parameter in held if parameter.numel() or kind != math.inf]
            gradients = [parameter.grad for parameter in held]
            # That norm may be asked for by its name, too.
            said: Any = "inf" if kind == math.inf and options else kind
            with case(**options):
                got = clip(held if options else iter(held), most, said, **options)
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
        for limit in (10, 10.0):
            assert_equal(clip(single, limit), np.asarray(5.0, dtype))
            assert_equal(single.grad, np.array([3.0, 4.0], dtype))
        assert_equal(clip(single, 1), np.asarray(5.0, dtype))
        clipped = Bound(dtype, 4, "scaled once", 1e-6)
        assert_close(single.grad, np.array([0.6, 0.8]), clipped)
        single.grad.copy_(tensor_of(torch, device, np.array([3.0, 4.0], dtype)))
        assert_equal(clip([], 1.0), np.asarray(0.0, np.float32))
        for wrong in (math.nan, math.inf, -math.inf):
            single.grad[0] = wrong
            with case(gradient=wrong):
                for most in (10.0, math.inf):
                    assert_raises(clip, single, most, kind, error_if_nonfinite=True)
                assert_equal(single.grad, np.array([wrong, 4.0], dtype))


@clause("optim.clip-mixed", covers=["notes.optimizer-family"], requires={"autograd"})
def gradients_of_several_dtypes_have_one_norm(torch: Any, device: str) -> None:
    """Gradients of several dtypes and layouts are clipped together, each in its own dtype: the norm
    is that of all of them."""
    known = [*supported(SINGLE)]
    for wide_first, kind in product((False, True), (2.0, 1.0, math.inf)):
        dtypes = known[::-1] if wide_first else known
        numbers = ([[3.0, -4.0], [0.0, 12.0]], [84.0, 0.0, 0.0])
        norm = {2.0: 85.0, 1.0: 103.0, math.inf: 84.0}[kind]
        for options in ({}, {"foreach": False}):
            held = []
            for dtype, array in zip((dtypes[0], dtypes[-1]), numbers, strict=True):
                gradient = tensor_of(torch, device, np.array(array, dtype))
                held.append(torch.nn.Parameter(torch.zeros_like(gradient)))
                held[-1].grad = gradient.t()
            with case(kind=kind, dtypes=dtypes, **options):
                got = torch.nn.utils.clip_grad_norm_(held, norm / 4, kind, **options)
                assert_close(got.to(held[0].dtype), norm, Bound(dtypes[0], 8, "a norm", 0.0))
                for parameter, dtype, array in zip(
                    held, (dtypes[0], dtypes[-1]), numbers, strict=True
                ):
                    scaled = np.array(array).T / 4
                    bound = Bound(dtype, 1, "scaled once", np.abs(scaled) * 2e-6)
                    assert_close(parameter.grad, scaled, bound)


@clause("optim.clip-value", covers=["notes.optimizer-family"], requires={"autograd"}, effort=1.5)
@for_all(most=st.sampled_from((0.5, 1.0, 1e-3, 100.0)), drawn=st.sampled_from(SINGLE), seed=seeds())
def clip_grad_value_bounds_every_gradient(
    torch: Any, device: str, most: float, drawn: str, seed: int
) -> None:
    """clip_grad_value_ brings every element of every gradient, in place, into
    [-clip_value, clip_value]; the parameters come as a list, from a generator, or one by itself,
    and those without a gradient are passed over."""
    for dtype in supported([drawn]):
        numbers = values((COUNT,), dtype, "normal", seed)
        limit, clip = np.asarray(most, dtype), torch.nn.utils.clip_grad_value_
        for options in ({}, {"foreach": False}, {"foreach": True}):
            if options.get("foreach") and torch.device(device).type not in JOINED_ON:
                continue  # an error there, by the documents
            held = parameters(torch, device, numbers, turned=seed % 2 == 0)
            give(held, tensor_of(torch, device, numbers))
            gradients = [parameter.grad for parameter in held]
            held.insert(0, torch.nn.Parameter(torch.zeros(3, device=device)))
            with case(**options):
                assert_equal(clip(held if options else iter(held), most, **options), None)
                got = tensor_of(torch, device, flat(gradients))
                assert_equal(got, np.clip(numbers, -limit, limit))
                assert_same_object(held[1].grad, gradients[0])
        single = torch.nn.Parameter(tensor_of(torch, device, numbers))
        single.grad = tensor_of(torch, device, numbers)
        with case(parameters="one"):
            clip(single, int(most) if most == int(most) else most)
            assert_equal(single.grad, np.clip(numbers, -limit, limit))
