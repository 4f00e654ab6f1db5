"""Hooks, functions with a backward of their own, and the numerical check of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import NEEDS, Act, Shape, assert_grad, leaf, plain, signed, small
from tenet.spec.cases import seeds
from tenet.spec.cases.gradients import exact_in
from tenet.spec.language import (
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
from tenet.spec.model.dtypes import FLOATS, numpy_dtype


@clause("autograd.hooks", covers=["notes.hooks"], requires=NEEDS, effort=2)
@for_all(shape=small, dtype=st.sampled_from(FLOATS), seed=seeds(), at_leaf=st.booleans())
def a_hook_sees_a_gradient_and_may_replace_it(
    torch: Any, device: str, shape: Shape, dtype: str, seed: int, at_leaf: bool
) -> None:
    """A hook registered on a tensor is called with its gradient, once a backward, in the order of
    registration; what it returns replaces the gradient for the next hook and for all that
    follows, None leaves it. remove() ends it. An untracked tensor takes no hook."""
    array, weights = signed(shape, seed), signed(shape, seed + 1)
    seen: list[tuple[str, Any]] = []
    for name in supported([dtype]):
        x, w = leaf(torch, device, array, name), plain(torch, device, weights, name)
        hooked = x if at_leaf else x * 1

        def watch(label: str, change: Act | None) -> Act:
            def hook(gradient: Any) -> Any:
                seen.append((label, gradient.detach().clone()))
                return None if change is None else change(gradient)

            return hook

        handles = [
            hooked.register_hook(watch("looks", None)),
            hooked.register_hook(watch("doubles", lambda g: g * 2)),
            hooked.register_hook(watch("negates", lambda g: -g)),
        ]
        hooked.register_hook(watch("gone", lambda g: g * 0)).remove()
        (hooked * w).sum().backward()
        assert_equal([label for label, _ in seen], ["looks", "doubles", "negates"])
        for (label, got), factor in zip(seen, (1, 1, 2), strict=True):
            with case(hook=label):
                expected = (factor * weights).astype(numpy_dtype(name))
                assert_equal(got, expected, signed_zero=False)
        assert_grad(x, -2 * weights, name)
        seen.clear()
        handles[1].remove()
        hooked = x if at_leaf else x * 1
        (hooked * w).sum().backward()
        assert_equal([label for label, _ in seen], ["looks", "negates"] if at_leaf else [])
        # What they see is the new gradient, whatever is there to which it is added.
        for _, got in seen:
            assert_equal(got, weights.astype(numpy_dtype(name)), signed_zero=False)
        assert_grad(x, -3 * weights if at_leaf else -weights, name)
        seen.clear()
        assert_raises(w.register_hook, print)


@clause("autograd.retain-grad", covers=["notes.hooks"], requires=NEEDS, effort=2)
@for_all(shape=small, dtype=st.sampled_from(FLOATS), seed=seeds())
def retain_grad_keeps_the_gradient_of_a_result(
    torch: Any, device: str, shape: Shape, dtype: str, seed: int
) -> None:
    """Only leaves keep their gradient; retain_grad() makes a result keep its own, as the hooks left
    it, and changes nothing for a leaf. register_post_accumulate_grad_hook is called with a leaf
    once its grad is there."""
    array, weights = signed(shape, seed), signed(shape, seed + 1)
    calls: list[Any] = []

    def after(tensor: Any) -> None:
        calls.append((tensor, read(tensor.grad)))

    for name in supported([dtype]):
        x, w = leaf(torch, device, array, name), plain(torch, device, weights, name)
        x.retain_grad()
        calls.clear()
        handle = x.register_post_accumulate_grad_hook(after)
        lost, kept_, hooked = x * 2, x * 3, x * 5
        kept_.retain_grad()
        hooked.retain_grad()
        assert_equal((lost.retains_grad, kept_.retains_grad, kept_.grad), (False, True, None))
        hooked.register_hook(lambda g: g * 2)
        before = x * 1
        before.register_hook(lambda g: g * 3)
        before.retain_grad()
        ((lost + kept_ + hooked) * w).sum().backward(retain_graph=True)
        assert_that(lost.grad is None, "there is a gradient")
        assert_equal(kept_.grad, weights.astype(numpy_dtype(name)), signed_zero=False)
        assert_equal(hooked.grad, (2 * weights).astype(numpy_dtype(name)), signed_zero=False)
        assert_grad(x, 15 * weights, name)
        assert_equal(len(calls), 1)
        assert_same_object(calls[0][0], x)
        assert_that(np.array_equal(calls[0][1], read(x.grad)), "the hook saw another grad")
        (x * 2).sum().backward()
        assert_equal(len(calls), 2)
        assert_that(np.array_equal(calls[1][1], read(x.grad)), "the hook saw another grad")
        handle.remove()
        (x * 2).sum().backward()
        assert_equal(len(calls), 2)
        (before * w).sum().backward()
        assert_equal(before.grad, (3 * weights).astype(numpy_dtype(name)), signed_zero=False)
        assert_raises(w.retain_grad)


@clause("autograd.custom-function", covers=["notes.custom-function"], requires=NEEDS, effort=1)
@for_all(shape=small, dtype=st.sampled_from(FLOATS), seed=seeds())
def the_backward_of_a_custom_function_is_used(
    torch: Any, device: str, shape: Shape, dtype: str, seed: int
) -> None:
    """The backward of a torch.autograd.Function is what the graph uses, right or wrong. It gets the
    gradient of the result, what ctx saved, and ctx.needs_input_grad; it returns one gradient for
    each argument, None for what is no tensor. Forward itself is not recorded."""
    first, second, along = (signed(shape, seed + i) for i in range(3))
    seen: list[Any] = []

    class Weighed(torch.autograd.Function):  # type: ignore[misc]  # the base is injected
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any, factor: int) -> Any:
            ctx.save_for_backward(a, b)
            ctx.factor = factor
            seen.append((a * b).requires_grad)
            return a * b * factor

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            a, b = ctx.saved_tensors
            seen.append(ctx.needs_input_grad)
            # Not the derivative: nobody can have computed it without this method.
            return gradient * a * 7, gradient * b - ctx.factor, None

    for name in supported([dtype]):
        for tracked in ((True, True), (True, False), (False, True)):
            seen.clear()
            a, b = (plain(torch, device, array, name) for array in (first, second))
            a.requires_grad_(tracked[0])
            b.requires_grad_(tracked[1])
            result = Weighed.apply(a * 1, b * 1, 2)
            with case(tracked=tracked):
                expected = (first * second * 2).astype(numpy_dtype(name))
                assert_equal(result, expected, signed_zero=False)
                assert_equal((result.requires_grad, result.is_leaf), (True, False))
                name_of = type(result.grad_fn).__name__
                assert_that("Weighed" in name_of, f"grad_fn is {name_of}")
                # Every call has a context of its own.
                Weighed.apply(b.detach() + 1, a.detach() - 1, 5)
                result.backward(plain(torch, device, along, name))
                assert_equal(seen, [False, False, (*tracked, False)])
                for tensor, flag, wanted in (
                    (a, tracked[0], along * first * 7), (b, tracked[1], along * second - 2)
                ):  # fmt: skip
                    if flag and exact_in(name, np.abs(wanted)):
                        assert_grad(tensor, wanted, name)
                    assert_equal(tensor.grad is not None, flag)
        assert_equal(Weighed.apply(a.detach(), b.detach(), 2).requires_grad, False)


@clause("autograd.custom-function-kinds", covers=["notes.custom-function"],
        requires=NEEDS | {"in-place"})  # fmt: skip
def custom_functions_say_what_is_special_about_them(torch: Any, device: str) -> None:
    """ctx.mark_non_differentiable excludes a result, ctx.mark_dirty announces an in-place write,
    several results bring a gradient each (zeros where none came; None after
    ctx.set_materialize_grads(False)), once_differentiable forbids a second derivative, and
    setup_context may stand apart from forward."""
    function = torch.autograd.Function

    class Sorted(function):  # type: ignore[misc,valid-type]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            rank = (x > 1).to(x.dtype)
            ctx.mark_non_differentiable(rank)
            return x * 2, x * 3, rank

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any, third: Any) -> Any:
            return first * 10 + second * 100

    class Missed(function):  # type: ignore[misc,valid-type]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            assert_that(first is None, "a gradient that nothing gave is not None")
            return second * 3

    class Scaled(function):  # type: ignore[misc,valid-type]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(4)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient * 4

    class Apart(function):  # type: ignore[misc,valid-type]  # the base is injected
        @staticmethod
        def forward(x: Any, factor: int) -> Any:
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.factor = inputs[1]
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (output,) = ctx.saved_tensors
            return gradient * output * ctx.factor, None

    class Once(function):  # type: ignore[misc,valid-type]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
        def backward(ctx: Any, gradient: Any) -> Any:
            (x,) = ctx.saved_tensors
            return gradient * 2 * x

    for name in supported(FLOATS):
        with case(dtype=name):
            x = leaf(torch, device, [1.0, 2.0, 3.0], name)
            first, second, rank = Sorted.apply(x)
            assert_equal((second.requires_grad, rank.requires_grad), (True, False))
            first.sum().backward(retain_graph=True)
            assert_grad(x, [10.0] * 3, name)
            x.grad = None
            torch.autograd.backward([first.sum(), second.sum()])
            assert_grad(x, [110.0] * 3, name)
            x.grad = None
            Missed.apply(x)[1].sum().backward()
            assert_grad(x, [3.0] * 3, name)
            x.grad = None
            middle = x * 1
            assert_same_object(Scaled.apply(middle), middle)
            middle.sum().backward()
            assert_grad(x, [4.0] * 3, name)
            x.grad = None
            Apart.apply(x, 3).sum().backward()
            assert_grad(x, [9.0, 18.0, 27.0], name)
            (once,) = torch.autograd.grad(Once.apply(x).sum(), x, create_graph=True)
            assert_equal(once.detach(), np.array([2, 4, 6], numpy_dtype(name)))
            assert_raises(lambda g=once, t=x: torch.autograd.grad(g.sum(), t))


@clause(
    "autograd.gradcheck",
    covers=["notes.numeric-gradient"],
    requires=NEEDS | {"float64"},
    thorough=True,
)
def gradcheck_tells_right_gradients_from_wrong_ones(torch: Any, device: str) -> None:
    """In float64 torch.autograd.gradcheck and gradgradcheck compare the analytic derivatives with
    central differences: True where they agree, an error (or False with raise_exception=False)
    where a backward is wrong."""

    class Wrong(torch.autograd.Function):  # type: ignore[misc]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (x,) = ctx.saved_tensors
            return gradient * x * 1.9

    class Flat(torch.autograd.Function):  # type: ignore[misc]  # the base is injected
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (x,) = ctx.saved_tensors
            return gradient * 2 * x.detach()  # right, but cut from the graph

    right: dict[str, Act] = {
        "sin": torch.sin,
        "square": lambda x: x * x,
        "matmul": lambda x: x @ x.t(),
        "softmax": lambda x: torch.softmax(x, 1),
        "norm": lambda x: (x * x).sum().sqrt(),
        "log": torch.log,
        "tanh": lambda x: torch.tanh(x)[:, 1:],
    }
    x = leaf(torch, device, [[0.5, 1.25, 2.0], [0.75, 1.5, 0.3]], "float64")
    for name, act in right.items():
        with case(function=name):
            assert_equal(torch.autograd.gradcheck(act, (x,)), True)
            assert_equal(torch.autograd.gradgradcheck(act, (x,)), True)
    check, second = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    assert_raises(check, Wrong.apply, (x,))
    assert_equal(check(Wrong.apply, (x,), raise_exception=False), False)
    assert_equal(check(Flat.apply, (x,)), True)
    assert_raises(second, Flat.apply, (x,))
    assert_equal(second(Flat.apply, (x,), raise_exception=False), False)
