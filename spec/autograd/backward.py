"""What backward() and torch.autograd.grad() give, and what they keep."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import (
    NEEDS,
    SAVERS,
    SINGLE,
    Act,
    Array,
    Shape,
    assert_grad,
    laid,
    leaf,
    plain,
    signed,
    small,
)
from tenet.spec.cases import LAYOUTS, LENGTHS, seeds, shapes
from tenet.spec.cases.gradients import differences, exact_in
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, FORMATS, numpy_dtype
from tenet.spec.model.tolerance import Bound, ulps


@clause("autograd.backward-scalar", covers=["basics.backward-scalar"], requires=NEEDS, effort=0.4)
@for_all(shape=small, kept_dims=st.sampled_from(((), (1,), (1, 1, 1))), seed=seeds())
def backward_of_one_element_needs_no_argument(
    torch: Any, device: str, shape: Shape, kept_dims: Shape, seed: int
) -> None:
    """backward() of a result with one element, whatever its shape, is backward() with a gradient
    of one: as method and as torch.autograd.backward. Another gradient scales, and leaves that
    the result does not depend on keep grad None."""
    array, weights = signed(shape, seed), signed(shape, seed + 1)
    for name in supported(("float32", *FLOATS[seed % 4 :][:1])):
        bystander = leaf(torch, device, array, name)
        w = plain(torch, device, weights, name)
        seedling = torch.ones(kept_dims, dtype=getattr(torch, name), device=device)
        acts: dict[str, tuple[Act, int]] = {
            "none": (lambda r: r.backward(), 1),
            "one": (lambda r, g=seedling: r.backward(g), 1),
            "keyword": (lambda r, g=seedling: r.backward(gradient=-2 * g), -2),
            "function": (lambda r: torch.autograd.backward(r), 1),
            "function of one": (lambda r, g=seedling: torch.autograd.backward((r,), (3 * g,)), 3),
        }
        for spelling, (act, factor) in acts.items():
            x = leaf(torch, device, array, name)
            with case(spelling=spelling, dtype=name):
                assert_equal(act((x * w).sum().reshape(kept_dims)), None)
                assert_grad(x, factor * weights, name)
        assert_equal((bystander.grad, w.grad), (None, None))


SEEDED: dict[str, Act] = {
    "method": lambda torch, y, v: y.backward(v),
    "keyword": lambda torch, y, v: y.backward(gradient=v),
    "function": lambda torch, y, v: torch.autograd.backward(y, v),
    "list": lambda torch, y, v: torch.autograd.backward([y], grad_tensors=[v]),
}


@clause(
    "autograd.backward-nonscalar", covers=["basics.backward-nonscalar"], requires=NEEDS, effort=2
)
@for_all(shape=shapes(max_rank=3, max_size=1100), spelling=st.sampled_from([*SEEDED]), seed=seeds())
def backward_of_more_elements_needs_a_gradient_of_their_shape(
    torch: Any, device: str, shape: Shape, spelling: str, seed: int
) -> None:
    """backward() of a result that has not exactly one element needs a gradient of the result's
    shape: without it, or with another shape, it raises, and no gradient appears."""
    array, weights, along = (signed(shape, seed + i) for i in range(3))
    for name in supported(("float32", *FLOATS[seed % 4 :][:1])):
        x = leaf(torch, device, array, name)
        y = x * plain(torch, device, weights, name)
        ones = [1] * len(shape)
        # That it could be stretched to the shape, or be read as it, is not enough.
        for other in ((*shape, 2), (1, *shape), (*shape, 1), shape[1:], (*ones[1:], *shape[:1]),
                      ones, (array.size,)):  # fmt: skip
            if tuple(other) != shape:
                with case(shape=tuple(other)):
                    wrong = torch.ones(other, dtype=getattr(torch, name), device=device)
                    assert_raises(SEEDED[spelling], torch, y, wrong)
        if array.size != 1:
            assert_raises(y.backward)
            assert_raises(torch.autograd.backward, y)
            one = torch.ones((), dtype=getattr(torch, name), device=device)
            assert_raises(SEEDED[spelling], torch, y, one)
        assert_that(x.grad is None, "there is a gradient")
        SEEDED[spelling](torch, y, plain(torch, device, along, name))
        assert_grad(x, weights * along, name)


@clause("autograd.examples", covers=["basics.mean-example", "dlnotes.sum-of-squares"],
        requires=NEEDS)  # fmt: skip
def the_documents_examples_hold(torch: Any, device: str) -> None:
    """out = mean(3 (x + 2)^2) of ones(2, 2) is 27, and x.grad is 4.5 everywhere; the gradient of
    sum(x^2) at [[1, 0], [-1, 1]] is [[2, 0], [-2, 2]], however the square is written."""
    for name in supported(FLOATS):
        x = torch.ones(2, 2, dtype=getattr(torch, name), device=device, requires_grad=True)
        y = x + 2
        z = y * y * 3
        out = z.mean()
        assert_equal(out.detach(), np.asarray(27, numpy_dtype(name)))
        out.backward()
        assert_grad(x, np.full((2, 2), 4.5), name)
        array = np.array([[1.0, 0.0], [-1.0, 1.0]])
        squares: dict[str, Act] = {
            "pow": lambda x: x.pow(2).sum(),
            "**": lambda x: (x**2).sum(),
            "torch.sum": lambda x: torch.sum(torch.pow(x, 2)),
            "*": lambda x: (x * x).sum(),
            "square": lambda x: torch.square(x).sum(),
        }
        for spelling, act in squares.items():
            leaf_ = leaf(torch, device, array, name)
            act(leaf_).backward()
            with case(spelling=spelling, dtype=name):
                assert_grad(leaf_, 2 * array, name)


@clause("autograd.sum-of-squares", covers=["dlnotes.sum-of-squares"], requires=NEEDS)
def the_gradient_of_the_sum_of_squares_is_twice_the_tensor(torch: Any, device: str) -> None:
    """The gradient of sum(x^2) is 2 x, at every length, for every dtype."""
    for length, name in product(LENGTHS, supported(FLOATS)):
        array = signed((length,), length)
        x = leaf(torch, device, array, name)
        (x**2).sum().backward()
        with case(length=length, dtype=name):
            assert_grad(x, 2 * array, name)


BENDS: dict[str, tuple[Act, Callable[[Array], Array]]] = {
    "square": (lambda torch, x: x * x, lambda x: x * x),
    "matrix": (
        lambda torch, x: torch.outer(x, x).sum(0) + x,
        lambda x: np.outer(x, x).sum(0) + x,
    ),
    "neighbours": (lambda torch, x: x[1:] * x[:-1], lambda x: x[1:] * x[:-1]),
    "mirror": (lambda torch, x: x * torch.flip(x, (0,)) - 3 * x, lambda x: x * x[::-1] - 3 * x),
    "running": (lambda torch, x: torch.cumsum(x, 0) * x[0], lambda x: np.cumsum(x) * x[0]),
    "inner": (lambda torch, x: torch.dot(x, x), lambda x: np.dot(x, x)),
    "fan": (
        lambda torch, x: torch.stack((x, 2 * x, x * x[-1])),
        lambda x: np.stack((x, 2 * x, x * x[-1])),
    ),
}
"""Functions of a vector of degree two at most, of which differences give the exact Jacobian."""


@clause(
    "autograd.vjp", covers=["basics.vjp", "basics.backward-nonscalar"], requires=NEEDS, effort=1
)
@for_all(
    bend=st.sampled_from([*BENDS]), length=st.sampled_from((3, 1, 2, 7, 8, 9, 17)), seed=seeds()
)
def backward_multiplies_the_jacobian_from_the_left(
    torch: Any, device: str, bend: str, length: int, seed: int
) -> None:
    """y.backward(v) gives the product of v and the Jacobian of y, and so does torch.autograd.grad
    with grad_outputs=v; the Jacobian itself, row by row, from unit vectors."""
    act, reference = BENDS[bend]
    array = signed((length,), seed) // 2
    jacobian = differences(reference, array)
    along = signed(reference(array).shape, seed + 1)
    expected = np.tensordot(along, jacobian, along.ndim)
    for name in supported(SINGLE):
        x = leaf(torch, device, array, name)
        v = plain(torch, device, along, name)
        y = act(torch, x)
        got = torch.autograd.grad(y, x, v, retain_graph=True)[0]
        assert_equal(got, expected.astype(name), signed_zero=False)
        row = np.zeros(along.shape)
        if row.size:
            row.flat[seed % row.size] = 1
        unit = plain(torch, device, row, name)
        got = torch.autograd.grad(outputs=[y], inputs=[x], grad_outputs=[unit], retain_graph=True)
        wanted = np.tensordot(row, jacobian, row.ndim).astype(name)
        assert_equal(got[0], wanted, signed_zero=False)
        y.backward(v)
        assert_grad(x, expected, name)


@clause("autograd.accumulates", covers=["hackmd.grad-accumulates"], requires=NEEDS, effort=1)
@for_all(
    shape=shapes(max_rank=3, max_size=1100),
    layout=st.sampled_from([*LAYOUTS]),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def gradients_add_up_until_they_are_cleared(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, seed: int
) -> None:
    """Every backward adds to the grad that is there, in place, so that its strides stay;
    grad = None or grad.zero_() begins anew. Within one graph the contributions of all uses of a
    leaf add up as well. The grad of one leaf is not that of another."""
    first, second = signed(shape, seed), signed(shape, seed + 7)
    for name in supported([dtype]):
        x = laid(torch, device, second, layout, name)
        w = plain(torch, device, first, name)
        u = plain(torch, device, second, name)
        (x * w).sum().backward()
        assert_grad(x, first, name)
        there = x.grad
        (x * u).sum().backward()
        assert_grad(x, first + second, name)
        (x * w + x * u).sum().backward()
        assert_grad(x, 2 * (first + second), name)
        assert_same_object(x.grad, there)
        x.grad.zero_()
        torch.autograd.backward([(x * w).sum(), (x * u).sum()])
        assert_grad(x, first + second, name)
        x.grad = None
        (x * u).sum().backward()
        assert_grad(x, second, name)
        # A gradient that reaches several leaves unchanged is each one's own from then on.
        one, other = (laid(torch, device, second, layout, name) for _ in range(2))
        (one + other).backward(u)
        there = one.grad
        (one + other).backward(u)
        assert_same_object(one.grad, there)
        for tensor in (one, other):
            assert_grad(tensor, 2 * second, name)
        one.grad.zero_()
        assert_grad(other, 2 * second, name)
        assert_equal(u, second.astype(numpy_dtype(name)))
        # Of one number, too, each element gets a gradient of its own.
        other.grad = None
        other.sum().backward()
        assert_grad(other, np.ones(shape), name)
        if 0 not in shape:
            other.grad[(0,) * len(shape)] = 3
            wanted = np.ones(shape)
            wanted[(0,) * len(shape)] = 3
            assert_grad(other, wanted, name)
        x.grad = given = laid(torch, device, first, layout, name).detach()
        strides = given.stride()
        # A layout that repeats its elements cannot be added to in place.
        if layout != "expanded":
            (x * u).sum().backward()
            assert_grad(x, first + second, name)
            (x * 0).sum().backward()
            assert_grad(x, first + second, name)
            assert_same_object(x.grad, given)
            assert_equal(given.stride(), strides)


@clause("autograd.frees-the-graph", covers=["basics.dag", "notes.retain-graph"], requires=NEEDS)
def a_second_backward_raises_unless_the_graph_is_retained(torch: Any, device: str) -> None:
    """backward() and torch.autograd.grad free what the graph has saved, so a second pass raises;
    with retain_graph=True the graph stays for another, which adds to grad. A new forward pass makes
    a new graph."""
    array = np.array([[1.0, 2.0], [4.0, 3.0]])
    for (saver, act), name in product(SAVERS.items(), supported(SINGLE)):
        with case(operation=saver, dtype=name):
            x = leaf(torch, device, array, name)
            y = act(torch, x).sum()
            y.backward()
            once = read(x.grad)
            assert_raises(y.backward)
            assert_raises(torch.autograd.grad, y, x)
            assert_equal(x.grad, once)
            x = leaf(torch, device, array, name)
            y = act(torch, x).sum()
            y.backward(retain_graph=True)
            torch.autograd.backward(y, retain_graph=True)
            (last,) = torch.autograd.grad(y, x, retain_graph=True)
            assert_equal(last, once)
            assert_equal(x.grad, 2 * once)
            y.backward(None, True)  # by its place
            assert_equal(x.grad, 3 * once)
            torch.autograd.backward(y, None, True)
            x.grad = torch.autograd.grad(y, x, None, True)[0] * 2
            torch.autograd.grad(y, x)
            assert_raises(y.backward)
            assert_raises(torch.autograd.backward, y, retain_graph=True)
            act(torch, x).sum().backward()
            assert_equal(x.grad, 3 * once)
            # create_graph=True retains the graph unless it is told not to.
            y = act(torch, x).sum()
            torch.autograd.grad(y, x, create_graph=True)
            torch.autograd.grad(y, x, create_graph=True, retain_graph=False)
            assert_raises(torch.autograd.grad, y, x)
            # Several results are freed together, each with what it saved of its own.
            results = [act(torch, x * n).sum() for n in (1, 1, 1)]
            torch.autograd.backward(results, retain_graph=True)
            torch.autograd.grad(results, x, retain_graph=True)
            x.grad = None
            torch.autograd.backward(results)
            assert_equal(x.grad, 3 * once)
            for result in results:
                assert_raises(result.backward)
            results = [act(torch, x).sum(), act(torch, x * 1).sum()]
            torch.autograd.grad(results, x)
            for result in results:
                assert_raises(torch.autograd.grad, result, x)


@clause("autograd.grad", covers=["notes.autograd-grad"], requires=NEEDS, effort=1.5)
@for_all(shape=small, dtype=st.sampled_from(FLOATS), seed=seeds())
def grad_returns_gradients_and_leaves_grad_alone(
    torch: Any, device: str, shape: Shape, dtype: str, seed: int
) -> None:
    """torch.autograd.grad(outputs, inputs) returns a tuple of gradients in the order of the
    inputs, leaves or intermediate results, each as often as it is named, an output itself among
    them, and touches no .grad. For an input that was not used it raises, or gives None with
    allow_unused=True and zeros with materialize_grads=True."""
    first, second = signed(shape, seed), signed(shape, seed + 1)
    grad = torch.autograd.grad
    for name in supported([dtype]):
        a, b, unused = (leaf(torch, device, array, name) for array in (first, second, first))
        unused.grad = plain(torch, device, second, name)
        middle = a * b
        total = (middle * 2).sum()
        got = grad(total, (b, middle, a), retain_graph=True)
        assert_that(isinstance(got, tuple), f"it is a {type(got).__name__}")
        wanted = (2 * first, np.full(shape, 2.0), 2 * second)
        for part, expected in zip(got, wanted, strict=True):
            assert_equal(part, expected.astype(numpy_dtype(name)), signed_zero=False)
            assert_equal(part.requires_grad, False)
        for again in grad(total, [b, b], retain_graph=True):
            assert_equal(again, wanted[0].astype(numpy_dtype(name)), signed_zero=False)
        for itself in (b, middle):
            (got_back,) = grad(itself, itself, plain(torch, device, first, name), retain_graph=True)
            assert_equal(got_back, first.astype(numpy_dtype(name)))
        c, d = middle * 3, a.sum()
        weights = [plain(torch, device, second, name), plain(torch, device, np.array(4.0), name)]
        several = {
            "two": grad((c, d), (a, b), weights, retain_graph=True),
            "turned round": grad([d, c], [a, b], weights[::-1], retain_graph=True),
            "None for the number": grad((c, d), (a, b), (weights[0], None), retain_graph=True),
        }
        for how, (of_a, of_b) in several.items():
            with case(outputs=how):
                factor = 1 if how.startswith("None") else 4
                slopes = 3 * second * second + factor, 3 * second * first
                if all(exact_in(name, np.abs(slope)) for slope in slopes):
                    for part, expected in zip((of_a, of_b), slopes, strict=True):
                        expected = expected.astype(numpy_dtype(name))
                        assert_equal(part, expected, signed_zero=False)
        # Of three outputs, as of two, the gradients add up.
        three = (a.sum(), (a * 2).sum(), (a * 4).sum())
        for kept in (three, list(three[::-1])):
            (together,) = grad(kept, a, retain_graph=True)
            assert_equal(together, np.full(shape, 7, numpy_dtype(name)))
        (last,) = grad(three, a, [None, plain(torch, device, np.array(2.0), name), None])
        assert_equal(last, np.full(shape, 1 + 4 + 4, numpy_dtype(name)))
        assert_raises(grad, total, w := plain(torch, device, first, name), retain_graph=True)
        assert_raises(grad, total, w, retain_graph=True, allow_unused=True)
        assert_raises(grad, total, unused, retain_graph=True)
        assert_raises(grad, total, [a, unused], retain_graph=True)
        assert_equal(grad(total, (unused,), allow_unused=True, retain_graph=True), (None,))
        got = grad(total, [unused, a], allow_unused=True, materialize_grads=True)
        assert_equal(got[0], np.zeros(shape, numpy_dtype(name)))
        assert_equal((a.grad, b.grad), (None, None))
        assert_equal(unused.grad, second.astype(numpy_dtype(name)))


@clause("autograd.backward-inputs", covers=["notes.autograd-grad"], requires=NEEDS)
def backward_may_be_limited_to_some_inputs(torch: Any, device: str) -> None:
    """backward(inputs=...) accumulates into the given tensors only, leaves or intermediate
    results."""
    for name, spelling in product(supported(FLOATS), ("method", "function")):
        a, b = (leaf(torch, device, [n, 2.0], name) for n in (1.0, 3.0))
        result = (a * b).sum()
        with case(dtype=name, spelling=spelling):
            if spelling == "method":
                result.backward(inputs=[b])
            else:
                torch.autograd.backward(result, inputs=[b])
            assert_that(a.grad is None, "there is a gradient")
            assert_grad(b, [1.0, 2.0], name)
            middle = a * b
            total = (middle * 5).sum()
            if spelling == "method":
                total.backward(inputs=(b, middle))
            else:
                torch.autograd.backward(total, inputs=[middle, b])
            assert_that(a.grad is None, "there is a gradient")
            assert_grad(b, [1.0 + 5.0, 2.0 + 10.0], name)
            assert_equal(middle.grad, np.full(2, 5, numpy_dtype(name)))
            # One tensor may stand alone.
            c, d = (leaf(torch, device, [n, 2.0], name) for n in (1.0, 3.0))
            if spelling == "method":
                (c * d).sum().backward(inputs=c)
            else:
                torch.autograd.backward((c * d).sum(), inputs=c)
            assert_that(d.grad is None, "there is a gradient")
            assert_grad(c, [3.0, 2.0], name)


class Chain(NamedTuple):
    """A function and its first three derivatives, for positive arguments."""

    act: Act
    derivatives: tuple[Callable[[Array], Array], ...]


CHAINS = {
    "cube": Chain(
        lambda torch, x: x * x * x, (lambda x: 3 * x * x, lambda x: 6 * x, lambda x: 6 + 0 * x)
    ),
    "exp": Chain(lambda torch, x: torch.exp(x), (np.exp, np.exp, np.exp)),
    "sin": Chain(
        lambda torch, x: torch.sin(x), (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))
    ),
    "log": Chain(
        lambda torch, x: torch.log(x),
        (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
    ),
    "reciprocal": Chain(
        lambda torch, x: 1 / x,
        (lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4),
    ),
    "sqrt": Chain(
        lambda torch, x: torch.sqrt(x),
        (lambda x: x**-0.5 / 2, lambda x: -(x**-1.5) / 4, lambda x: 3 * x**-2.5 / 8),
    ),
    "second power": Chain(
        lambda torch, x: x**2, (lambda x: 2 * x, lambda x: 2 + 0 * x, lambda x: 0 * x)
    ),
    "third power": Chain(
        lambda torch, x: x.pow(3), (lambda x: 3 * x**2, lambda x: 6 * x, lambda x: 6 + 0 * x)
    ),
    "fourth power": Chain(
        lambda torch, x: x**4,
        (lambda x: 4 * x**3, lambda x: 12 * x**2, lambda x: 24 * x),
    ),
    "minus second power": Chain(
        lambda torch, x: torch.pow(x, -2),
        (lambda x: -2 / x**3, lambda x: 6 / x**4, lambda x: -24 / x**5),
    ),
    "half power": Chain(
        lambda torch, x: x**0.5,
        (lambda x: x**-0.5 / 2, lambda x: -(x**-1.5) / 4, lambda x: 3 * x**-2.5 / 8),
    ),
}  # fmt: skip


@clause("autograd.higher-derivatives", covers=["notes.retain-graph", "notes.numeric-gradient"],
        requires={*NEEDS, "double-backward"}, effort=0.4)  # fmt: skip
@for_all(chain=st.sampled_from([*CHAINS]), shape=small, seed=seeds())
def gradients_of_gradients_are_higher_derivatives(
    torch: Any, device: str, chain: str, shape: Shape, seed: int
) -> None:
    """With create_graph=True a gradient is itself recorded and can be differentiated again: the
    second and third derivatives are the analytic ones, also of what was added to a .grad that
    was there. Without it, gradients are not tracked."""
    array = 0.5 + np.abs(signed(shape, seed)) / 8
    for name in supported(SINGLE):
        # Half a dozen operations of a few units each; sin and cos may cancel near their zeros.
        bound = Bound(name, 64, "a few operations of 4 ulp each", 8 * FORMATS[name].eps)
        x = leaf(torch, device, array, name)
        current = CHAINS[chain].act(torch, x)
        untracked = torch.autograd.grad(current.sum(), x, retain_graph=True)[0]
        assert_equal((untracked.requires_grad, untracked.grad_fn), (False, None))
        for order, derivative in enumerate(CHAINS[chain].derivatives, 1):
            with case(order=order, dtype=name):
                (current,) = torch.autograd.grad(current.sum(), x, create_graph=True)
                assert_close(current, derivative(array), bound)
                if order == 1:
                    assert_equal(current.requires_grad, True)
                if not current.requires_grad:
                    break
        assert_that(x.grad is None, "there is a gradient")
        cube = (x * x * x).sum()
        cube.backward(create_graph=True)
        assert_equal(x.grad.requires_grad, True)
        # retain_graph is by default what create_graph is.
        (again,) = torch.autograd.grad(cube, x, retain_graph=True)
        assert_close(again, 3 * array**2, ulps(4, name, "two products and a sum"))
        once, x.grad = x.grad, x.grad.clone()
        cube.backward(create_graph=True)
        with case(grad="added to", dtype=name):
            assert_close(x.grad, 6 * array**2, ulps(8, name, "two products and three sums"))
            assert_equal(x.grad.requires_grad, True)
        for slope, factor in ((once, 6), (x.grad, 12)):
            x.grad = None
            slope.sum().backward(retain_graph=True)
            assert_close(x.grad, factor * array, ulps(8, name, "products and sums of two"))
        x.grad = None


@clause("autograd.functional", covers=["basics.vjp"], requires=NEEDS)
def jacobians_and_hessians_come_in_the_order_of_the_inputs(torch: Any, device: str) -> None:
    """torch.autograd.functional: jacobian has a block for each output and input, vjp and jvp are
    its products with a vector from the left and from the right, hessian and hvp are those of the
    gradient; they touch no .grad, and create_graph=True keeps them differentiable."""
    functional = torch.autograd.functional
    a, b = np.array([1.0, -2.0, 3.0]), np.array([2.0, 5.0, -1.0])
    zeros, rolled = np.zeros((3, 3)), np.roll(np.eye(3), 1, 0)  # which is not symmetric
    for name in supported(SINGLE):
        x, y = leaf(torch, device, a, name), leaf(torch, device, b, name)
        left, right = np.array([1.0, 0.0, -2.0]), b[::-1].copy()
        u, v = plain(torch, device, left, name), plain(torch, device, right, name)

        def several(x: Any, y: Any) -> Any:
            return x * x * y, y.roll(1, 0) * 3

        def single(x: Any, y: Any) -> Any:
            return (x * x * y).sum()

        blocks = ((np.diag(2 * a * b), np.diag(a * a)), (zeros, 3 * rolled))
        for vectorize in (False, True):
            got = functional.jacobian(several, (x, y), vectorize=vectorize)
            for row, wanted in zip(got, blocks, strict=True):
                for part, expected in zip(row, wanted, strict=True):
                    with case(dtype=name, vectorize=vectorize):
                        assert_equal(part, expected.astype(name), signed_zero=False)
        forward = functional.jacobian(
            lambda x: x * x.roll(1, 0), x, vectorize=True, strategy="forward-mode"
        )
        alone = functional.jacobian(lambda x: x * x.roll(1, 0), x, create_graph=True)
        by_hand = np.diag(np.roll(a, 1)) + a[:, None] * rolled
        assert_equal(forward, by_hand.astype(name), signed_zero=False)
        rows = functional.jacobian(lambda x: x * x.roll(1, 0), x, vectorize=True)
        assert_equal(rows, by_hand.astype(name), signed_zero=False)
        assert_equal(alone.detach(), by_hand.astype(name), signed_zero=False)
        assert_equal(alone.requires_grad, True)
        hessian = functional.hessian(single, (x, y))
        bent = functional.hessian(lambda x: (x[1:] * x[:-1]).sum() + (x[0] * x[2]) * 3, x)
        ring = np.array([[0, 1, 3], [1, 0, 1], [3, 1, 0]])
        assert_equal(bent, ring.astype(name), signed_zero=False)
        second = ((np.diag(2 * b), np.diag(2 * a)), (np.diag(2 * a), zeros))
        for row, wanted in zip(hessian, second, strict=True):
            for part, expected in zip(row, wanted, strict=True):
                assert_equal(part, expected.astype(name), signed_zero=False)
        results = {
            "vjp": (functional.vjp(several, (x, y), (u, v))[1],
                    (left * 2 * a * b, left * a * a + 3 * np.roll(right, -1))),
            "jvp": (functional.jvp(several, (x, y), (u, v))[1],
                    (2 * a * b * left + a * a * right, 3 * np.roll(right, 1))),
            "hvp": (functional.hvp(single, (x, y), (u, v))[1],
                    (2 * b * left + 2 * a * right, 2 * a * left)),
            "vhp": (functional.vhp(single, (x, y), (u, v))[1],
                    (2 * b * left + 2 * a * right, 2 * a * left)),
        }  # fmt: skip
        for way, (parts, expecteds) in results.items():
            for part, expected in zip(parts, expecteds, strict=True):
                with case(way=way, dtype=name):
                    assert_equal(part, expected.astype(name), signed_zero=False)
        assert_equal((x.grad, y.grad), (None, None))


_NAMED = {"float32": "float", "float64": "double", "float16": "half", "bfloat16": "bfloat16"}

CONVERSIONS: dict[str, Act] = {
    "to": lambda x, dtype, w: x.to(dtype),
    "type": lambda x, dtype, w: x.type(dtype),
    "named": lambda x, dtype, w: getattr(x, _NAMED[str(dtype).rpartition(".")[2]])(),
    "copied": lambda x, dtype, w: x.to(dtype, copy=True),
    "type_as": lambda x, dtype, w: x.type_as(w.to(dtype)),
    "to a tensor's": lambda x, dtype, w: x.to(w.to(dtype)),
    "promoted": lambda x, dtype, w: x * w.abs().clamp(1, 1).to(dtype),
    "there and back": lambda x, dtype, w: x.to(dtype).to(x.dtype),
    "summed": lambda x, dtype, w: (x * w).sum(dtype=dtype),
}


@clause("autograd.dtype-of-gradients", covers=["notes.backward-dtype"], requires=NEEDS)
def a_gradient_has_the_dtype_and_device_of_its_leaf(torch: Any, device: str) -> None:
    """Whatever the computation was promoted or converted to, or moved to, the gradient has the
    dtype and the device of the leaf; a leaf without gaps gives it its strides."""
    array, along = np.array([[1.0, -2.0, 3.0]]), np.array([[2.0, 5.0, -4.0]])
    for name, through in product(supported(FLOATS), supported(FLOATS)):
        weights = plain(torch, device, along)
        for step, act in CONVERSIONS.items():
            x = leaf(torch, device, array, name)
            y = act(x, getattr(torch, through), weights)
            with case(dtype=name, through=through, step=step):
                y.backward((weights if y.dim() else torch.ones((), device=device)).to(y.dtype))
                assert_grad(x, along, name)
    for name in supported(FLOATS):
        host = torch.ones(1, 3, dtype=getattr(torch, name), requires_grad=True)
        (host.to(device) * plain(torch, device, along, name)).sum().backward()
        assert_grad(host, along, name)
        for wrong in ((3,), (1, 3, 1), (3, 1), (1, 4)):
            with case(assigned=wrong, dtype=name):
                assert_raises(setattr, host, "grad", torch.ones(wrong, dtype=host.dtype))
        dense = plain(torch, device, np.arange(12).reshape(3, 4), name).t().requires_grad_()
        (dense * 2).sum().backward()
        assert_metadata(dense.grad, shape=(4, 3), dtype=name, stride=(1, 4))
        assert_grad(dense, np.full((4, 3), 2.0), name)


@clause("autograd.binary-cross-entropy", covers=["hackmd.bce-example"], requires=NEEDS, effort=1.5)
@for_all(sizes=st.sampled_from(((5, 3), (1, 1), (2, 8), (9, 17))), seed=seeds())
def backward_fills_the_parameters_of_a_linear_layer(
    torch: Any, device: str, sizes: tuple[int, int], seed: int
) -> None:
    """With z = x @ w + b and binary_cross_entropy_with_logits(z, y), z and the loss have a
    grad_fn, and backward gives w and b gradients of their shapes: x^T (sigmoid(z) - y) / n and
    (sigmoid(z) - y) / n."""
    rows, columns = sizes
    x, y = np.ones(rows) + np.arange(rows) % 2, (signed((columns,), seed) > 0) * 1.0
    weights, bias = signed((rows, columns), seed) / 16, signed((columns,), seed + 1) / 8
    z = x @ weights + bias
    slope = (1 / (1 + np.exp(-z)) - y) / columns
    for name in supported(SINGLE):
        w, b = leaf(torch, device, weights, name), leaf(torch, device, bias, name)
        inputs, target = plain(torch, device, x, name), plain(torch, device, y, name)
        out = torch.matmul(inputs, w) + b
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out, target)
        assert_that(out.grad_fn is not None and loss.grad_fn is not None, "a grad_fn is missing")
        loss.backward()
        # z is exact; sigmoid, its difference from y <= 1, the division and the product with x <= 2
        # err by a few units of numbers below 2.
        bound = Bound(name, 4, "sigmoid, difference, quotient, product", 8 * FORMATS[name].eps)
        assert_close(w.grad, np.outer(x, slope), bound)
        assert_close(b.grad, slope, bound)
        assert_equal((inputs.grad, target.grad), (None, None))
