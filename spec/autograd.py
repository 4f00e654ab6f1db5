"""Automatic differentiation: what is recorded, what backward() gives, and what it refuses.

Elements are small integers wherever a derivative allows, so gradients are exact in every dtype
and on every device; the derivatives of single operations are the operator tables' business.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    Operand,
    arrange,
    broadcast_shapes,
    broadcastable,
    seeds,
    selections,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.cases.gradients import (
    MODES,
    ROUTES,
    TRACES,
    differences,
    doubled,
    exact_in,
    kept,
    unbroadcast,
)
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
from tenet.spec.model.dtypes import COMPLEX, FLOATS, FORMATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import Bound, ulps

Array = np.ndarray
Shape = tuple[int, ...]
Act = Callable[..., Any]

SINGLE = ("float32", "float64")
NEEDS = {"autograd"}
small = shapes(max_rank=3, max_size=300)


def leaf(torch: Any, device: str, array: Any, dtype: str = "float32") -> Any:
    """A leaf that requires gradients, with the given elements."""
    return tensor_of(torch, device, np.asarray(array, numpy_dtype(dtype))).requires_grad_()


def plain(torch: Any, device: str, array: Any, dtype: str = "float32") -> Any:
    """A tensor that does not."""
    return tensor_of(torch, device, np.asarray(array, numpy_dtype(dtype)))


def laid(torch: Any, device: str, array: Array, layout: str, dtype: str) -> Any:
    """A tensor in a layout, which requires gradients."""
    arrangement = arrange(array.astype(numpy_dtype(dtype)), layout)
    return arrangement.of_tensor(tensor_of(torch, device, arrangement.base)).requires_grad_()


def signed(shape: Shape, seed: int = 0) -> Array:
    """Integers from -9 to 9, as float64."""
    return values(shape, "float64", "signed", seed)


def assert_grad(tensor: Any, expected: Any, dtype: str) -> None:
    """The gradient of a tensor is there, on its device, not itself tracked, and exact."""
    assert_that(tensor.grad is not None, "there is no gradient")
    assert_equal(tensor.grad, np.asarray(expected, numpy_dtype(dtype)), signed_zero=False)
    facts = tensor.grad.device == tensor.device, tensor.grad.requires_grad
    assert_equal(facts, (True, False))


# ------------------------------------------------------------------ what is recorded


@clause(
    "autograd.requires-grad-spreads",
    covers=["basics.default-no-grad", "basics.grad-fn"],
    requires=NEEDS,
    metadata_only=True,
    effort=3,
)
@for_all(shape=small, trace=st.sampled_from([*TRACES]), dtype=st.sampled_from(FLOATS + COMPLEX))
def a_result_is_tracked_as_soon_as_one_input_is(
    torch: Any, device: str, shape: Shape, trace: str, dtype: str
) -> None:
    """requires_grad is False by default, and a result requires gradients exactly if one of its
    inputs does. Without that it is a leaf and has no grad_fn; with it, grad_fn names the backward
    of the operation that made it. A leaf has no grad_fn."""
    spelling, name = TRACES[trace]
    for tracked in ((False, False), (True, False), (False, True), (True, True)):
        for known in supported([dtype]):
            a, b = (torch.ones(shape, dtype=getattr(torch, known), device=device) for _ in "ab")
            assert_equal((a.requires_grad, a.grad_fn, a.is_leaf), (False, None, True))
            a.requires_grad_(tracked[0])
            b.requires_grad = tracked[1]
            with case(tracked=tracked, dtype=known):
                result = spelling(torch, a, b)
                assert_equal((a.grad_fn, b.grad_fn), (None, None))
                expected = any(tracked) if trace.endswith("b") else tracked[0]
                facts = result.requires_grad, result.is_leaf, result.grad_fn is None
                assert_equal(facts, (expected, not expected, not expected))
                if expected:
                    text = type(result.grad_fn).__name__
                    assert_that(name in text and "Backward" in text, f"grad_fn is {text}")


@clause("autograd.requires-grad_", covers=["basics.requires-grad_"], requires=NEEDS,
        metadata_only=True, effort=4)  # fmt: skip
@for_all(shape=small, dtype=st.sampled_from(FLOATS + COMPLEX), whole=st.sampled_from(INTEGERS))
def requires_grad_changes_the_flag_in_place(
    torch: Any, device: str, shape: Shape, dtype: str, whole: str
) -> None:
    """x.requires_grad_() and requires_grad_(flag) set the flag of a leaf and return it; only what
    is computed afterwards is recorded. Integers cannot require gradients, nor can a result of
    tracked inputs stop to."""
    for name, other in product(supported([dtype]), supported([whole])):
        x = torch.ones(shape, dtype=getattr(torch, name), device=device)
        before = x * 2
        assert_same_object(x.requires_grad_(), x)
        assert_equal((x.requires_grad, before.requires_grad, x.is_leaf), (True, False, True))
        result = x * 2
        assert_same_object(x.requires_grad_(requires_grad=False), x)
        flags = x.requires_grad, result.requires_grad, (x * 2).requires_grad
        assert_equal(flags, (False, True, False))
        assert_equal(x.requires_grad_(True).requires_grad, True)
        assert_raises(result.requires_grad_, False)
        integers = torch.ones(shape, dtype=getattr(torch, other), device=device)
        assert_raises(integers.requires_grad_)
        assert_equal(integers.requires_grad_(False).requires_grad, False)


@clause("autograd.history", covers=["basics.dag", "basics.grad-fn"], requires=NEEDS)
def the_graph_holds_the_whole_history_without_cycles(torch: Any, device: str) -> None:
    """grad_fn.next_functions lead from a result through every operation to its leaves, and never
    in a circle. A node is visited once by backward, however many paths lead to it."""
    x, y = leaf(torch, device, [2.0]), leaf(torch, device, [3.0])
    result = ((x * y + x) * y).sum()
    nodes, path = [], []

    def walk(node: Any) -> None:
        assert_that(node not in path, "the graph has a cycle")
        path.append(node)
        nodes.append(node)
        for following, _ in node.next_functions:
            if following is not None:
                walk(following)
        path.pop()

    walk(result.grad_fn)
    reached = [node.variable for node in nodes if hasattr(node, "variable")]
    assert_equal(sum(v is x for v in reached), 2)
    assert_equal(sum(v is y for v in reached), 2)
    assert_equal(len({type(node).__name__ for node in nodes}), 4)
    result.backward()
    assert_grad(x, [3 * 3 + 3], "float32")
    assert_grad(y, [2 * 2 * 3 + 2], "float32")
    for depth in (1, 2, 60):
        z = leaf(torch, device, [1.0], "float32")
        branch = z
        for _ in range(depth):
            branch = branch + branch
        branch.backward()
        with case(depth=depth):
            assert_grad(z, [2.0**depth], "float32")
    deep = z = leaf(torch, device, [1.0])
    for _ in range(3000):
        deep = deep + 1
    deep.backward()
    assert_grad(z, [1.0], "float32")


@clause("autograd.dynamic-graph", covers=["basics.dynamic-graph"], requires=NEEDS, effort=0.75)
@for_all(seed=seeds(), length=st.sampled_from((3, 1, 2)))
def the_path_that_was_taken_is_differentiated(
    torch: Any, device: str, seed: int, length: int
) -> None:
    """The graph is recorded while the code runs: a vector doubled until its norm passes 1000 has
    the gradient of as many doublings as there were, and of a branch only the one taken counts."""
    array = signed((length,), seed)
    array[0] = array[0] or 1
    expected, factor = doubled(array, 1000.0)
    weights = np.array([0.125, 1.0, 2.0])[:length]
    for name in supported(SINGLE):
        x = leaf(torch, device, array, name)
        y = x * 2
        while y.norm() < 1000:
            y = y * 2
        assert_equal(y.detach(), expected.astype(name))
        y.backward(plain(torch, device, weights, name))
        assert_grad(x, weights * factor, name)
        z = leaf(torch, device, array, name)
        branch = z * 3 if z.sum() > 0 else z * z
        branch.sum().backward()
        taken = np.full(length, 3.0) if array.sum() > 0 else 2 * array
        assert_grad(z, taken, name)


# ------------------------------------------------------------------ backward


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
    leaf add up as well."""
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


SAVERS: dict[str, Act] = {
    "mul": lambda torch, x: x * x,
    "exp": lambda torch, x: torch.exp(x),
    "pow": lambda torch, x: x**3,
    "matmul": lambda torch, x: x @ x,
    "tanh": lambda torch, x: torch.tanh(x),
    "div": lambda torch, x: 1 / x,
    "prod": lambda torch, x: x.prod(),
    "softmax": lambda torch, x: torch.softmax(x, 0),
}
"""Operations whose gradient needs a tensor that forward saved."""


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
            torch.autograd.grad(y, x)
            assert_raises(y.backward)
            assert_raises(torch.autograd.backward, y, retain_graph=True)
            act(torch, x).sum().backward()
            assert_equal(x.grad, 3 * once)


# ------------------------------------------------------------------ torch.autograd.grad


@clause("autograd.grad", covers=["notes.autograd-grad"], requires=NEEDS, effort=1.5)
@for_all(shape=small, dtype=st.sampled_from(FLOATS), seed=seeds())
def grad_returns_gradients_and_leaves_grad_alone(
    torch: Any, device: str, shape: Shape, dtype: str, seed: int
) -> None:
    """torch.autograd.grad(outputs, inputs) returns a tuple of gradients in the order of the
    inputs, leaves or intermediate results, and touches no .grad. For an input that was not
    used it raises, or gives None with allow_unused=True and zeros with materialize_grads=True."""
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
        assert_raises(grad, total, unused, retain_graph=True)
        assert_raises(grad, total, [a, unused], retain_graph=True)
        assert_equal(grad(total, (unused,), allow_unused=True, retain_graph=True), (None,))
        got = grad(total, [unused, a], allow_unused=True, materialize_grads=True)
        assert_equal(got[0], np.zeros(shape, numpy_dtype(name)))
        assert_equal((a.grad, b.grad), (None, None))
        assert_equal(unused.grad, second.astype(numpy_dtype(name)))


@clause("autograd.backward-inputs", covers=["notes.autograd-grad"], requires=NEEDS)
def backward_may_be_limited_to_some_inputs(torch: Any, device: str) -> None:
    """backward(inputs=...) accumulates into the given leaves only."""
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
    "power": Chain(
        lambda torch, x: x**4,
        (lambda x: 4 * x**3, lambda x: 12 * x**2, lambda x: 24 * x),
    ),
}  # fmt: skip


@clause("autograd.higher-derivatives", covers=["notes.retain-graph", "notes.numeric-gradient"],
        requires={*NEEDS, "double-backward"}, effort=0.4)  # fmt: skip
@for_all(chain=st.sampled_from([*CHAINS]), shape=small, seed=seeds())
def gradients_of_gradients_are_higher_derivatives(
    torch: Any, device: str, chain: str, shape: Shape, seed: int
) -> None:
    """With create_graph=True a gradient is itself recorded and can be differentiated again: the
    second and third derivatives are the analytic ones. Without it, gradients are not tracked."""
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
        slope, x.grad = x.grad, None
        (slope * 2).sum().backward()
        assert_close(x.grad, 12 * array, ulps(4, name, "three products"))
        x.grad = None


# ------------------------------------------------------------------ modes


@clause("autograd.modes-nest", covers=["basics.no-grad", "notes.inference-mode"], requires=NEEDS,
        metadata_only=True, effort=2)  # fmt: skip
@for_all(modes=st.lists(st.sampled_from([*MODES]), max_size=4).map(tuple), shape=small)
def modes_nest_and_end_where_they_began(
    torch: Any, device: str, modes: tuple[str, ...], shape: Shape
) -> None:
    """Inside no_grad(), set_grad_enabled(False) and inference_mode() nothing is recorded, inside
    enable_grad() and set_grad_enabled(True) it is; the innermost counts, and at its end, by an
    error too, the one around it holds again. As decorators they hold while the function runs,
    at every call, and while the body of a generator does."""
    x = torch.ones(shape, device=device, requires_grad=True)

    def facts() -> tuple[bool, bool, bool]:
        result = x * 2
        return torch.is_grad_enabled(), result.requires_grad, result.grad_fn is not None

    def enter(left: tuple[str, ...], enabled: bool) -> None:
        assert_equal(facts(), (enabled,) * 3)
        if not left:
            raise _EndedError
        make, outcome = MODES[left[0]]
        try:
            with make(torch):
                enter(left[1:], outcome)
        finally:
            assert_equal(facts(), (enabled,) * 3)
        raise AssertionError("unreachable")

    try:
        with suppress(_EndedError):
            enter(modes, True)
        for mode in modes[:2]:
            make, outcome = MODES[mode]

            def each() -> Iterator[tuple[bool, bool, bool]]:
                yield facts()
                yield facts()

            decorated, steps = make(torch)(facts), make(torch)(each)
            for _ in range(2):
                assert_equal(decorated(), (outcome,) * 3)
                assert_equal(facts(), (True,) * 3)
                for step in steps():
                    assert_equal((step, facts()), ((outcome,) * 3, (True,) * 3))
    finally:
        torch.set_grad_enabled(True)


class _EndedError(Exception):
    """Leaves all modes at once."""


@clause("autograd.no-grad", covers=["basics.no-grad", "hackmd.no-grad-memory"],
        requires=NEEDS)  # fmt: skip
def nothing_is_recorded_or_kept_under_no_grad(torch: Any, device: str) -> None:
    """Under no_grad a result of tracked inputs is a leaf without grad_fn, and nothing is saved for
    backward; its value is the same. A tensor made there with requires_grad=True still requires
    gradients, and those that did before still do."""
    array = np.array([[1.0, 2.0], [4.0, 3.0]])
    off: dict[str, Act] = {
        "no_grad": lambda: torch.no_grad(),
        "set_grad_enabled": lambda: torch.set_grad_enabled(False),
        "inference_mode": lambda: torch.inference_mode(),
    }
    for (saver, act), (mode, make) in product(SAVERS.items(), off.items()):
        x = leaf(torch, device, array)
        with case(operation=saver, mode=mode):
            with kept(torch) as saved:
                expected = act(torch, x)
            assert_that(bool(saved), "nothing was saved outside of the mode either")
            with kept(torch) as saved, make():
                result = act(torch, x)
                fresh = torch.ones(2, device=device, requires_grad=True)
            assert_equal(len(saved), 0)
            facts = result.requires_grad, result.grad_fn, result.is_leaf
            assert_equal(facts, (False, None, True))
            assert_equal(result, read(expected))
            assert_equal((x.requires_grad, fresh.requires_grad), (True, True))
            assert_raises(result.sum().backward)
            expected.sum().backward()
    try:
        torch.set_grad_enabled(False)
        assert_equal((torch.is_grad_enabled(), (x * 2).requires_grad), (False, False))
        torch.set_grad_enabled(mode=True)
        assert_equal((torch.is_grad_enabled(), (x * 2).requires_grad), (True, True))
    finally:
        torch.set_grad_enabled(True)


@clause("autograd.inference-tensors", covers=["notes.inference-mode"], requires=NEEDS)
def inference_tensors_cannot_be_saved_for_backward(torch: Any, device: str) -> None:
    """A tensor made in inference_mode, and a view of it, cannot be saved for backward afterwards:
    that raises. It can be used where nothing is saved, and its clone everywhere.
    inference_mode(False) makes ordinary tensors."""
    for name in supported(FLOATS):
        w = leaf(torch, device, [1.0, 2.0, 3.0], name)
        with torch.inference_mode():
            made = torch.ones(3, dtype=getattr(torch, name), device=device)
            result = w * 2
        with torch.inference_mode(mode=False):
            ordinary = w.detach() * 3
        for decorate in (torch.inference_mode(), torch.inference_mode):
            decorated = decorate(lambda of: of * 2)
            for _ in range(2):
                assert_equal(decorated(w).is_inference(), True)
                assert_equal(torch.is_inference_mode_enabled(), False)
        flags = made.is_inference(), result.is_inference(), ordinary.is_inference()
        with case(dtype=name):
            assert_equal(flags, (True, True, False))
            assert_equal((result.requires_grad, w.is_inference()), (False, False))
            for tensor in (made, result, result[:]):
                assert_raises(operator.mul, w, tensor)
                assert_raises(torch.mul, tensor, w)
                assert_equal((w * tensor.clone()).requires_grad, True)
            (w + result).sum().backward()
            assert_grad(w, np.ones(3), name)
            (w * ordinary).sum().backward()
            assert_grad(w, [4.0, 7.0, 10.0], name)


@clause("autograd.eval-records", covers=["notes.inference-mode"], requires=NEEDS)
def eval_does_not_switch_recording_off(torch: Any, device: str) -> None:
    """module.eval() changes how some layers compute, not what is recorded: its results require
    gradients and backward() reaches the parameters, as in train()."""
    for name, training in product(supported(SINGLE), (False, True)):
        module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.0))
        module = module.to(device=device, dtype=getattr(torch, name))
        module.train() if training else module.eval()
        array = np.array([[1.0, 2.0, 3.0], [4.0, -5.0, 6.0]])
        result = module(plain(torch, device, array, name))
        with case(training=training, dtype=name):
            assert_equal((result.requires_grad, torch.is_grad_enabled()), (True, True))
            result.sum().backward()
            assert_grad(module[0].weight, np.tile(array.sum(0), (2, 1)), name)
            assert_grad(module[0].bias, [2.0, 2.0], name)


# ------------------------------------------------------------------ sharing and copying


@clause(
    "autograd.detach", covers=["notes.detach"], requires=NEEDS | {"in-place", "views"}, effort=3
)
@for_all(operand=st.builds(Operand, small, st.sampled_from([*LAYOUTS]), st.just("signed"), seeds()),
         dtype=st.sampled_from(FLOATS + COMPLEX))  # fmt: skip
def detach_shares_memory_and_clone_passes_gradients(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """x.detach() is a view of the same memory, out of the graph: no gradient flows through it.
    x.clone() copies the memory and passes gradients to x. detach_() takes a result out of its
    graph in place."""
    for name in supported([dtype]):
        array = operand.array(name)
        x = operand.on(torch, device, name).requires_grad_()
        y = x * 1
        detached, copied = y.detach(), y.clone()
        facts = detached.requires_grad, detached.grad_fn, detached.is_leaf
        assert_equal(facts, (False, None, True))
        assert_equal((detached.data_ptr(), detached.stride()), (y.data_ptr(), y.stride()))
        facts = copied.requires_grad, copied.is_leaf, copied.grad_fn is None
        assert_equal(facts, (True, False, False))
        (copied * 2 + detached * 5).sum().backward(torch.ones((), dtype=y.dtype, device=device))
        assert_grad(x, np.full(array.shape, 2.0), name)
        z = x * 1
        shared, own = z.detach(), z.clone()
        if array.size:
            shared.fill_(7)
        assert_equal(z, np.full_like(array, 7))
        assert_equal(own, array)
        assert_same_object(z.detach_(), z)
        assert_equal((z.requires_grad, z.grad_fn, z.is_leaf), (False, None, True))
        free = plain(torch, device, array, name).requires_grad_()
        assert_same_object(free.detach_(), free)
        assert_equal((free.requires_grad, free.is_leaf), (False, True))


# ------------------------------------------------------------------ where gradients flow


@clause("autograd.routes", covers=["notes.view-gradient"], requires=NEEDS, effort=3)
@for_all(
    shape=shapes(min_rank=1, max_rank=4, max_size=1100, empty=False),
    layout=st.sampled_from([*LAYOUTS]),
    route=st.sampled_from([*ROUTES]),
    seed=seeds(),
)
def gradients_flow_back_the_way_the_elements_came(
    torch: Any, device: str, shape: Shape, layout: str, route: str, seed: int
) -> None:
    """An operation that only moves elements (a view, an index, gather, cat, stack, permute,
    expand, ...) sends the gradient of each element to where it came from; what was taken
    repeatedly gets the sum, what was left out gets 0."""
    act, reference = ROUTES[route]
    positions = np.arange(int(np.prod(shape))).reshape(shape)
    if layout == "expanded":
        positions = np.array(np.broadcast_to(positions[:1], shape))
    came_from = reference(positions)
    along = signed(came_from.shape, seed)
    expected, reach = np.zeros(positions.size), np.zeros(positions.size)
    np.add.at(expected, came_from.ravel(), along.ravel())
    np.add.at(reach, came_from.ravel(), np.abs(along).ravel())
    for name in supported(("float32", (*FLOATS, *COMPLEX)[seed % 6])):
        if not exact_in(name, reach):
            continue
        operand = Operand(shape, layout, "signed", seed)
        y = operand.on(torch, device, name)
        x = y.requires_grad_()
        result = act(torch, x)
        assert_metadata(result, shape=came_from.shape, dtype=name)
        (got,) = torch.autograd.grad(result, x, plain(torch, device, along, name))
        wanted = expected.reshape(shape)
        if layout == "expanded":
            # Every slice is an element of its own to the graph; only their sum is fixed here.
            got, wanted = got.sum(0), wanted.sum(0) if shape[0] > 1 else wanted[0]
            if not exact_in(name, reach.reshape(shape).sum(0)):
                continue
        assert_equal(got, wanted.astype(numpy_dtype(name)), signed_zero=False)


@clause("autograd.repeated-indices", covers=["notes.view-gradient"], requires=NEEDS)
def repeated_indices_add_up_at_every_length(torch: Any, device: str) -> None:
    """An element that is taken several times, by an index, index_select, gather, take or
    embedding, gets the sum of the gradients; at every length."""
    ways: dict[str, Act] = {
        "index": lambda x, i: x[i],
        "index_select": lambda x, i: x.index_select(0, i),
        "gather": lambda x, i: torch.gather(x, 0, i),
        "take": lambda x, i: torch.take(x, i),
        "mixed": lambda x, i: x[i.flip(0)].flip(0),
    }
    for length, name in product(LENGTHS[1:], supported(SINGLE)):
        index = (np.arange(length) * 7 + np.arange(length) // 3) % max(1, min(length, 5))
        along = signed((length,), length)
        expected = np.zeros(max(length, 1))
        np.add.at(expected, index, along)
        for way, act in ways.items():
            x = leaf(torch, device, np.arange(max(length, 1)), name)
            taken = act(x, plain(torch, device, index, "int64"))
            taken.backward(plain(torch, device, along, name))
            with case(length=length, dtype=name, way=way):
                assert_grad(x, expected, name)


WRITES: dict[str, tuple[Act, float, bool]] = {
    "mul_": (lambda view, z: view.mul_(3), 3, False),
    "*=": (lambda view, z: view.__imul__(-2), -2, False),
    "add_": (lambda view, z: view.add_(z), 1, True),
    "copy_": (lambda view, z: view.copy_(z), 0, True),
    "fill_": (lambda view, z: view.fill_(2), 0, False),
    "zero_": (lambda view, z: view.zero_(), 0, False),
    "[...] =": (lambda view, z: view.__setitem__(..., z), 0, True),
    "neg_": (lambda view, z: view.neg_(), -1, False),
}
"""Writes into a view; what remains of the old gradient, and whether z gets the new one."""


@clause("autograd.view-writes", covers=["notes.view-gradient"],
        requires=NEEDS | {"in-place", "views"}, effort=1)  # fmt: skip
@for_all(selection=selections(max_size=300), write=st.sampled_from([*WRITES]), seed=seeds())
def writes_to_a_view_enter_the_history_of_its_base(
    torch: Any, device: str, selection: tuple[Shape, Any], write: str, seed: int
) -> None:
    """An in-place write to a view of a result is part of the base's history: backward of the
    base passes through it, to what was written as well. A write to the base shows in the
    gradient of a view taken before."""
    shape, index = selection
    act, remains, passes = WRITES[write]
    along = signed(shape, seed + 1)
    region = along[index]
    for name in supported(("float32", *FLOATS[seed % 4 :][:1])):
        x = leaf(torch, device, signed(shape, seed), name)
        z = leaf(torch, device, signed(np.shape(region), seed + 2), name)
        base = x * 2
        before = base.grad_fn
        act(base[index], z)
        assert_that(base.grad_fn is not before, "the base's history is the old one")
        base.backward(plain(torch, device, along, name))
        expected = 2 * along
        expected[index] *= remains
        assert_grad(x, expected, name)
        if passes:
            assert_grad(z, region, name)
            # A tensor that nothing tracked is tracked from then on, however it is written to.
            z.grad = None
            for through_a_view in (True, False):
                free = plain(torch, device, signed(shape, seed), name)
                if through_a_view:
                    act(free[index], z)
                else:
                    free[index] = z
                assert_equal((free.requires_grad, free.is_leaf), (True, False))
                (got,) = torch.autograd.grad(free, z, plain(torch, device, along, name))
                assert_equal(got, np.asarray(region, numpy_dtype(name)), signed_zero=False)
        else:
            assert_that(z.grad is None, "there is a gradient")
        y = leaf(torch, device, signed(shape, seed), name)
        base = y * 1
        view = base[index]
        base.mul_(3)
        view.backward(plain(torch, device, region, name))
        expected = np.zeros(shape)
        expected[index] = 3 * region
        assert_grad(y, expected, name)


PLACES: dict[str, Any] = {
    "slice": slice(1, None),
    "step": slice(None, None, 2),
    "row": 0,
    "last row": -1,
    "element": (1, 2),
    "column": (slice(None), 1),
    "both steps": (slice(1, None, 2), slice(None, None, 3)),
    "ellipsis": ...,
    "list": [0, 2],
    "array": np.array([3, 1]),
    "mask": np.array([True, False, True, True]),
    "pairs": (np.array([0, 3]), np.array([1, 4])),
}
"""Places of a (4, 5) matrix, none of them named twice."""


@clause("autograd.assignments", covers=["notes.view-gradient"], requires=NEEDS | {"in-place"})
def what_is_assigned_takes_its_gradient_along(torch: Any, device: str) -> None:
    """After x[place] = z the gradient of these elements is z's, summed where z was stretched, and
    no longer that of what was there; x requires gradients from then on, if it did not before."""
    array, along = signed((4, 5), 1), signed((4, 5), 2)
    for (where, place), name, tracked in product(PLACES.items(), supported(SINGLE), (False, True)):
        region = along[place]
        index = tuple(place) if isinstance(place, tuple) else (place,)
        given = [plain(torch, device, i, i.dtype.name) if isinstance(i, np.ndarray) else i
                 for i in index]  # fmt: skip
        key = tuple(given) if isinstance(place, tuple) else given[0]
        for shape in {region.shape, region.shape[1:], ()}:
            with case(place=where, value=shape, tracked=tracked, dtype=name):
                x, z = leaf(torch, device, array, name), leaf(torch, device, signed(shape), name)
                target = x * 2 if tracked else plain(torch, device, array, name)
                target[key] = z
                assert_equal((target.requires_grad, target.is_leaf), (True, False))
                target.backward(plain(torch, device, along, name))
                assert_grad(z, unbroadcast(region, shape), name)
                if tracked:
                    expected = 2 * along
                    expected[place] = 0
                    assert_grad(x, expected, name)


MEETINGS: dict[str, tuple[Act, Callable[[Array, Array], tuple[Array, Array]]]] = {
    "add": (lambda torch, a, b: a + b, lambda a, b: (np.ones(()), np.ones(()))),
    "sub": (lambda torch, a, b: torch.sub(a, b), lambda a, b: (np.ones(()), -np.ones(()))),
    "mul": (lambda torch, a, b: a.mul(b), lambda a, b: (b, a)),
    "where": (
        lambda torch, a, b: torch.where(a.detach() > b.detach(), a, b),
        lambda a, b: (a > b, a <= b),
    ),
    "rsub": (
        lambda torch, a, b: torch.rsub(a, b, alpha=2),
        lambda a, b: (np.full((), -2.0), np.ones(())),
    ),
}


@clause("autograd.broadcast", covers=["notes.broadcast-gradient", "notes.backward-dtype"],
        requires=NEEDS, effort=2)  # fmt: skip
@for_all(
    pair=broadcast_shapes(max_size=600),
    how=st.sampled_from([*product(MEETINGS, SINGLE, FLOATS)]),
    layout=st.sampled_from([*LAYOUTS]),
    seed=seeds(),
)
def the_gradient_of_a_broadcast_operand_has_its_own_shape(
    torch: Any, device: str, pair: tuple[Shape, Shape], how: tuple[str, str, str], layout: str,
    seed: int,
) -> None:  # fmt: skip
    """The gradient of an operand that was stretched is summed over the stretched dimensions; it
    has the operand's own shape, dtype and device, though the operands met in another dtype."""
    spelling, first, second = how
    act, derivative = MEETINGS[spelling]
    arrays = [Operand(pair[0], layout, "signed", seed).array("float64"), signed(pair[1], seed + 1)]
    common = broadcastable(*pair) or ()
    along = np.sign(signed(common, seed + 2))
    slopes = [np.broadcast_to(d, common) * along for d in derivative(*arrays)]
    for one, other in product(supported([first]), supported([second])):
        a = laid(torch, device, arrays[0], layout, one)
        b = leaf(torch, device, arrays[1], other)
        result = act(torch, a, b)
        v = plain(torch, device, along, "float32").to(result.dtype)
        for tensor, slope, got, name in zip(
            (a, b), slopes, torch.autograd.grad(result, (a, b), v), (one, other), strict=True
        ):
            assert_metadata(got, shape=tuple(tensor.shape), dtype=name)
            assert_that(got.device == tensor.device, f"the gradient is on {got.device}")
            # The sum may be taken in either dtype.
            magnitude = unbroadcast(np.abs(slope), tuple(tensor.shape))
            if all(exact_in(dtype, magnitude) for dtype in (one, other)):
                expected = unbroadcast(slope, tuple(tensor.shape)).astype(numpy_dtype(name))
                assert_equal(got, expected, signed_zero=False)


@clause("autograd.broadcast-patterns", covers=["notes.broadcast-gradient"], requires=NEEDS)
def every_stretched_dimension_is_summed_over(torch: Any, device: str) -> None:
    """Whichever of the dimensions of an operand are stretched, first, middle, last or absent,
    its gradient is summed over these and no other."""
    whole = (2, 3, 4)
    kept = [tuple(n if keep else 1 for n, keep in zip(whole, flags, strict=True))
            for flags in product((True, False), repeat=3)]  # fmt: skip
    patterns = {shape[skip:] for shape in kept for skip in range(4)}
    array, along = signed(whole, 1), np.sign(signed(whole, 2))
    for shape, name in product(sorted(patterns), supported(SINGLE)):
        other = signed(shape, 3)
        for spelling, (act, derivative) in MEETINGS.items():
            for turned in (False, True):
                with case(shape=shape, dtype=name, spelling=spelling, second=not turned):
                    a, b = leaf(torch, device, array, name), leaf(torch, device, other, name)
                    pair, arrays = ((b, a), (other, array)) if turned else ((a, b), (array, other))
                    act(torch, *pair).backward(plain(torch, device, along, name))
                    slopes = derivative(*np.broadcast_arrays(*arrays))
                    for tensor, slope in zip(pair, slopes, strict=True):
                        assert_grad(tensor, unbroadcast(slope * along, tuple(tensor.shape)), name)


COMPLEX_ACTS: dict[str, tuple[Act, Callable[[Array, Array, Array], tuple[Array, Array]]]] = {
    "a * b": (lambda torch, a, b: a * b, lambda a, b, g: (g * b.conj(), g * a.conj())),
    "torch.mul": (
        lambda torch, a, b: torch.mul(a, b),
        lambda a, b, g: (g * b.conj(), g * a.conj()),
    ),
    "a - b": (lambda torch, a, b: a - b, lambda a, b, g: (g, -g)),
    "a * a + b": (lambda torch, a, b: a * a + b, lambda a, b, g: (2 * g * a.conj(), g)),
    "conj": (lambda torch, a, b: a.conj() * 2 + b * 1j,
             lambda a, b, g: (2 * g.conj(), g * -1j)),
    "matmul": (
        lambda torch, a, b: a @ b,
        lambda a, b, g: (g @ b.conj().T, a.conj().T @ g),
    ),
    "real and imag": (
        lambda torch, a, b: torch.complex(a.real, b.imag),
        lambda a, b, g: (g.real + 0j, g.imag * 1j),
    ),
    "view_as_real": (
        lambda torch, a, b: torch.view_as_complex(torch.view_as_real(a).flip(-1) * 3) + b,
        lambda a, b, g: (3 * (g.imag + 1j * g.real), g),
    ),
}  # fmt: skip


@clause("autograd.complex", covers=["notes.numeric-gradient"], requires=NEEDS)
def the_gradient_of_complex_numbers_is_conjugate(torch: Any, device: str) -> None:
    """The gradient of a real number L by z = a + ib is dL/da + i dL/db, so that a step against it
    lowers L: through a product it goes with the conjugate of the other factor."""
    a, b, g = (signed((3, 3), n) + 1j * signed((3, 3), n + 5) for n in range(3))
    for name, (spelling, (act, slopes)) in product(supported(COMPLEX), COMPLEX_ACTS.items()):
        with case(dtype=name, spelling=spelling):
            x, y = leaf(torch, device, a, name), leaf(torch, device, b, name)
            act(torch, x, y).backward(plain(torch, device, g, name))
            for tensor, expected in zip((x, y), slopes(a, b, g), strict=True):
                assert_grad(tensor, expected, name)


@clause("autograd.powers", covers=["notes.numeric-gradient"], requires=NEEDS)
def a_power_has_its_gradient_at_every_base(torch: Any, device: str) -> None:
    """The gradient of x^n is n x^(n-1) for negative x and for 0 as well; of x^0 it is 0."""
    array = np.array([-3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0])
    for n, name in product(range(7), supported(SINGLE)):
        expected = n * array ** (n - 1) if n else 0 * array
        exponent = plain(torch, device, np.full(10, float(n)), name)
        ways: dict[str, Act] = {
            "**": lambda x, n=n: x**n,
            "pow": lambda x, n=n: torch.pow(x, float(n)),
            "tensor": lambda x, e=exponent: x.pow(e),
            "in place": lambda x, n=n: (x * 1).pow_(n),
        }
        for way, act in ways.items():
            with case(n=n, way=way, dtype=name):
                x = leaf(torch, device, array, name)
                act(x).sum().backward()
                assert_close(x.grad, expected, ulps(4, name, "a power and a product"))


@clause("autograd.functional", covers=["basics.vjp"], requires=NEEDS)
def jacobians_and_hessians_come_in_the_order_of_the_inputs(torch: Any, device: str) -> None:
    """torch.autograd.functional: jacobian has a block for each output and input, vjp and jvp are
    its products with a vector from the left and from the right, hessian and hvp are those of the
    gradient; they touch no .grad, and create_graph=True keeps them differentiable."""
    functional = torch.autograd.functional
    a, b = np.array([1.0, -2.0, 3.0]), np.array([2.0, 5.0, -1.0])
    zeros, eye = np.zeros((3, 3)), np.eye(3)
    for name in supported(SINGLE):
        x, y = leaf(torch, device, a, name), leaf(torch, device, b, name)
        left, right = np.array([1.0, 0.0, -2.0]), b[::-1].copy()
        u, v = plain(torch, device, left, name), plain(torch, device, right, name)

        def several(x: Any, y: Any) -> Any:
            return x * x * y, y.flip(0) * 3

        def single(x: Any, y: Any) -> Any:
            return (x * x * y).sum()

        blocks = ((np.diag(2 * a * b), np.diag(a * a)), (zeros, 3 * eye[::-1]))
        for vectorize in (False, True):
            got = functional.jacobian(several, (x, y), vectorize=vectorize)
            for row, wanted in zip(got, blocks, strict=True):
                for part, expected in zip(row, wanted, strict=True):
                    with case(dtype=name, vectorize=vectorize):
                        assert_equal(part, expected.astype(name), signed_zero=False)
        alone = functional.jacobian(lambda x: x * x, x, create_graph=True)
        assert_equal(alone.detach(), np.diag(2 * a).astype(name), signed_zero=False)
        assert_equal(alone.requires_grad, True)
        hessian = functional.hessian(single, (x, y))
        second = ((np.diag(2 * b), np.diag(2 * a)), (np.diag(2 * a), zeros))
        for row, wanted in zip(hessian, second, strict=True):
            for part, expected in zip(row, wanted, strict=True):
                assert_equal(part, expected.astype(name), signed_zero=False)
        results = {
            "vjp": (functional.vjp(several, (x, y), (u, v))[1],
                    (left * 2 * a * b, left * a * a + 3 * right[::-1])),
            "jvp": (functional.jvp(several, (x, y), (u, v))[1],
                    (2 * a * b * left + a * a * right, 3 * right[::-1])),
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


CONVERSIONS: dict[str, Act] = {
    "to": lambda x, dtype, w: x.to(dtype),
    "type": lambda x, dtype, w: x.type(dtype),
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


KINKS: dict[str, Act] = {
    "torch.relu": lambda torch, x: torch.relu(x),
    "Tensor.relu": lambda torch, x: x.relu(),
    "functional.relu": lambda torch, x: torch.nn.functional.relu(x),
    "nn.ReLU": lambda torch, x: torch.nn.ReLU()(x),
    "relu_": lambda torch, x: (x * 1).relu_(),
    "torch.abs": lambda torch, x: torch.abs(x),
    "Tensor.abs": lambda torch, x: x.abs(),
    "torch.absolute": lambda torch, x: torch.absolute(x),
    "abs": lambda torch, x: abs(x),
}


@clause("autograd.relu-and-abs-at-0", covers=["notes.subgradients"], requires=NEEDS)
def relu_and_abs_have_no_slope_at_0(torch: Any, device: str) -> None:
    """The gradient of relu and of abs at 0, and at -0.0, is 0; elsewhere it is the slope. At
    every length and for every dtype."""
    for length, name in product((1, 4, 7, 9, 17, 33, 65, 130, 1025), supported(FLOATS)):
        array = np.resize([0.0, 2.0, -0.0, -3.0, 0.5], length)
        array[-1] = 0.0
        for spelling, act in KINKS.items():
            x = leaf(torch, device, array, name)
            act(torch, x).backward(plain(torch, device, np.full(length, 3.0), name))
            slope = np.sign(array) if "abs" in spelling else np.maximum(np.sign(array), 0)
            with case(length=length, dtype=name, spelling=spelling):
                assert_equal(x.grad, (3 * slope).astype(numpy_dtype(name)), signed_zero=False)


EXTREMES: dict[str, tuple[Act, Act]] = {
    "torch.max": (lambda torch, x: torch.max(x), np.max),
    "torch.min": (lambda torch, x: torch.min(x), np.min),
    "Tensor.max": (lambda torch, x: x.max(), np.max),
    "Tensor.min": (lambda torch, x: x.min(), np.min),
}


@clause("autograd.equal-extremes", covers=["notes.subgradients"], requires=NEEDS, effort=1)
@for_all(
    shape=shapes(max_rank=3, max_size=300, empty=False),
    spelling=st.sampled_from([*EXTREMES]),
    seed=seeds(),
)
def equal_extremes_share_the_gradient_evenly(
    torch: Any, device: str, shape: Shape, spelling: str, seed: int
) -> None:
    """max() and min() of the whole tensor share the gradient evenly among all elements that are
    equal to the extreme; the others have 0."""
    array = values(shape, "float64", "ties", seed)
    act, reference = EXTREMES[spelling]
    hit = array == reference(array)
    for name in supported(FLOATS):
        x = leaf(torch, device, array, name)
        act(torch, x).backward()
        assert_close(x.grad, hit / hit.sum(), ulps(1, name, "one division"))


@clause("autograd.sqrt-at-0", covers=["notes.subgradients"], requires=NEEDS)
def sqrt_is_infinitely_steep_at_0(torch: Any, device: str) -> None:
    """The gradient of sqrt at 0 is inf; elsewhere 1 / (2 sqrt(x))."""
    ways: dict[str, Act] = {"torch.sqrt": torch.sqrt, "Tensor.sqrt": lambda x: x.sqrt()}
    for length, name, way in product((1, 7, 9, 33, 130), supported(FLOATS), ways):
        array = np.resize([0.0, 4.0, 0.25, 1.0], length)
        array[-1] = 0.0
        x = leaf(torch, device, array, name)
        ways[way](x).sum().backward()
        with np.errstate(divide="ignore"), case(length=length, dtype=name, way=way):
            assert_close(x.grad, 0.5 / np.sqrt(array), ulps(2, name, "a root and a quotient"))


PRODUCTS: dict[str, tuple[Act, Callable[[Array], Array]]] = {
    "prod()": (lambda torch, x: x.prod(), np.prod),
    "prod(dim)": (lambda torch, x: torch.prod(x, -1), lambda x: x.prod(-1)),
    "prod(dim, keepdim)": (
        lambda torch, x: torch.prod(x, 0, keepdim=True),
        lambda x: x.prod(0, keepdims=True),
    ),
    "cumprod": (lambda torch, x: torch.cumprod(x, -1), lambda x: x.cumprod(-1)),
    "cumprod first": (lambda torch, x: x.cumprod(0), lambda x: x.cumprod(0)),
}


@clause("autograd.products-with-zeros", covers=["notes.numeric-gradient"], requires=NEEDS)
def a_product_has_its_gradient_beside_zeros(torch: Any, device: str) -> None:
    """A product is linear in each factor: the gradient of prod and of cumprod by an element is what
    remains without it, also where that element is 0, or another, or several are."""
    for (way, (act, reference)), zeros, name in product(
        PRODUCTS.items(), ((), (0,), (4,), (1, 4), (0, 1, 2), (0, 3), (5,)), supported(SINGLE)
    ):
        array = np.array([2.0, -1.0, 3.0, 2.0, -2.0, 1.0])
        array[list(zeros)] = 0
        for shape in ((6,), (2, 3), (3, 2), (1, 6)):
            at = array.reshape(shape)
            along = signed(reference(at).shape, 3)
            slopes = [  # of what is linear, without rounding
                ((reference(at + unit) - reference(at - unit)) / 2 * along).sum()
                for unit in np.eye(6).reshape(6, *shape)
            ]
            with case(way=way, zeros=zeros, shape=shape, dtype=name):
                x = leaf(torch, device, at, name)
                act(torch, x).backward(plain(torch, device, along, name))
                assert_grad(x, np.reshape(slopes, shape), name)


# ------------------------------------------------------------------ writes that are refused


CHANGES: dict[str, Act] = {
    "add_": lambda torch, t: t.add_(1),
    "mul_": lambda torch, t: t.mul_(2),
    "zero_": lambda torch, t: t.zero_(),
    "fill_": lambda torch, t: t.fill_(1),
    "copy_": lambda torch, t: t.copy_(torch.ones_like(t)),
    "t[0] =": lambda torch, t: t.__setitem__(0, 5),
    "+=": lambda torch, t: t.__iadd__(1),
    "view": lambda torch, t: t.view(-1)[-1].fill_(1),
    "transpose": lambda torch, t: t.t().add_(1),
    "index_fill_": lambda torch, t: t.index_fill_(0, torch.tensor([0], device=t.device), 5),
    "exp_": lambda torch, t: t.exp_(),
}  # fmt: skip
"""In-place changes of a matrix or a vector, all of which count."""

VIEWED: dict[str, Act] = {
    "itself": lambda t: t,
    "row": lambda t: t[0],
    "slice": lambda t: t[..., 1:],
    "step": lambda t: t[..., ::2],
    "transpose": lambda t: t.t(),
    "flat": lambda t: t.view(-1),
    "view of a view": lambda t: t[1:][:, 1:],
    "diagonal": lambda t: t.diagonal(),
    "expanded": lambda t: t[None, 1, 1],
}
WRITTEN: dict[str, Act] = {
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(2),
    "fill_": lambda t: t.fill_(9),
    "copy_": lambda t: t.copy_(t.detach() + 1),
    "zero_": lambda t: t.zero_(),
    "clamp_": lambda t: t.clamp_(max=0.5),
    "[...] =": lambda t: t.__setitem__(..., 9),
    "neg_": lambda t: t.neg_(),
}
"""In-place changes of a matrix of 1 to 4 through its views: each changes what it reaches."""

UNSEEN: dict[str, Act] = {
    "detach": lambda torch, t: t.detach().mul_(2),
    "a view of detach": lambda torch, t: t.detach().t()[1:].zero_(),
    "out=": lambda torch, t: torch.add(t, 1, out=t),
    "out= of a view": lambda torch, t: torch.exp(t[1:], out=t[1:]),
    "requires_grad off": lambda torch, t: t.detach().requires_grad_(False).copy_(-t),
}
"""Ways around the tensor itself: autograd does not look, but the count of changes is shared."""

RESULT_SAVED: dict[str, Act] = {
    "exp": lambda torch, x: torch.exp(x),
    "sqrt": lambda torch, x: torch.sqrt(x),
    "tanh": lambda torch, x: torch.tanh(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "softmax": lambda torch, x: torch.softmax(x, 0),
}
OPERAND_SAVED: dict[str, Act] = {
    "mul": lambda torch, x, w: x * w,
    "div": lambda torch, x, w: x / w,
    "matmul": lambda torch, x, w: x @ w,
    "matmul from the left": lambda torch, x, w: w @ x,
    "linear": lambda torch, x, w: torch.nn.functional.linear(x, w),
}


@clause("autograd.version-counter", thorough=True, covers=["notes.version-counter"],
        requires=NEEDS | {"in-place", "views"})  # fmt: skip
def a_saved_tensor_that_was_changed_makes_backward_raise(torch: Any, device: str) -> None:
    """Once a tensor that was saved for backward (an operand or the result) has been changed in
    place, whatever the way, also through a view or under no_grad, backward raises rather than give
    a wrong gradient. A change of a tensor that is not needed does no harm."""
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    for (change, alter), quiet, array in product(
        CHANGES.items(), (False, True), (matrix, matrix[1])
    ):
        with case(change=change, under_no_grad=quiet, shape=array.shape):
            for operation, act in OPERAND_SAVED.items():
                x, w = leaf(torch, device, array), plain(torch, device, array)
                result = act(torch, x, w).sum()
                with torch.set_grad_enabled(not quiet):
                    alter(torch, w)
                with case(operation=operation):
                    assert_raises(result.backward)
                    assert_that(x.grad is None, "there is a gradient")
                    act(torch, x, w).sum().backward()
            for operation, act in RESULT_SAVED.items():
                x = leaf(torch, device, array)
                result = act(torch, x)
                total = result.sum()
                with torch.set_grad_enabled(not quiet):
                    alter(torch, result)
                with case(operation=operation):
                    assert_raises(total.backward)
                    act(torch, x).sum().backward()
            x, w = leaf(torch, device, array), plain(torch, device, array)
            result = (x + w).sum()
            alter(torch, w)
            result.backward()
            assert_grad(x, np.ones_like(array), "float32")
    through: list[tuple[str, Act]] = [
        (f"{how} through {where}", lambda torch, t, w=write, v=view: w(v(t)))
        for (how, write), (where, view) in product(WRITTEN.items(), VIEWED.items())
    ]
    for change, alter in (*through, *UNSEEN.items()):
        with case(change=change):
            x, w = leaf(torch, device, matrix), plain(torch, device, matrix)
            result = (x * w).sum()
            alter(torch, w)
            assert_raises(result.backward)
            assert_that(x.grad is None, "there is a gradient")
            if not change.startswith("out="):
                result = torch.exp(x)
                total = result.sum()
                alter(torch, result)
                assert_raises(total.backward)


@clause("autograd.leaf-in-place", covers=["notes.leaf-inplace"],
        requires=NEEDS | {"in-place", "views"})  # fmt: skip
def a_leaf_that_requires_gradients_is_not_written_to(torch: Any, device: str) -> None:
    """An in-place operation on a leaf that requires gradients, or on a view of it, raises and
    writes nothing. Under no_grad it may be written to and stays a leaf; a result that is no leaf,
    and a leaf that does not require gradients, may be written to as well."""
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    for (change, alter), name in product(CHANGES.items(), supported(FLOATS)):
        with case(change=change, dtype=name):
            x = leaf(torch, device, array, name)
            assert_raises(alter, torch, x)
            assert_equal(x, array.astype(numpy_dtype(name)))
            free = plain(torch, device, array, name)
            alter(torch, free)
            with torch.no_grad():
                alter(torch, x)
            assert_equal(x, read(free))
            assert_equal((x.requires_grad, x.is_leaf), (True, True))
            assert_that(not np.array_equal(read(x), array), "nothing was written")
            result = x * 1
            alter(torch, result)
            assert_equal((result.requires_grad, result.is_leaf), (True, False))
    for (how, write), (where, view), dtype in product(
        WRITTEN.items(), VIEWED.items(), supported(SINGLE)
    ):
        with case(write=how, through=where, dtype=dtype):
            x = leaf(torch, device, array, dtype)
            assert_raises(lambda w=write, v=view, t=x: w(v(t)))
            assert_equal(x, array.astype(dtype))
            with torch.no_grad():
                write(view(x))
            assert_that(not np.array_equal(read(x), array), "nothing was written")
            assert_equal((x.requires_grad, x.is_leaf, x.grad_fn), (True, True, None))


# ------------------------------------------------------------------ hooks and functions


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
        (hooked * w).sum().backward()
        assert_equal([label for label, _ in seen], ["looks", "doubles", "negates"])
        for (label, got), factor in zip(seen, (1, 1, 2), strict=True):
            with case(hook=label):
                expected = (factor * weights).astype(numpy_dtype(name))
                assert_equal(got, expected, signed_zero=False)
        assert_grad(x, -2 * weights, name)
        seen.clear()
        x.grad = None
        handles[1].remove()
        hooked = x if at_leaf else x * 1
        (hooked * w).sum().backward()
        assert_equal([label for label, _ in seen], ["looks", "negates"] if at_leaf else [])
        assert_grad(x, -weights if at_leaf else weights, name)
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
        ((lost + kept_ + hooked) * w).sum().backward()
        assert_that(lost.grad is None, "there is a gradient")
        assert_equal(kept_.grad, weights.astype(numpy_dtype(name)), signed_zero=False)
        assert_equal(hooked.grad, (2 * weights).astype(numpy_dtype(name)), signed_zero=False)
        assert_grad(x, 15 * weights, name)
        assert_equal(len(calls), 1)
        assert_same_object(calls[0][0], x)
        assert_that(np.array_equal(calls[0][1], read(x.grad)), "the hook saw another grad")
        handle.remove()
        (x * 2).sum().backward()
        assert_equal(len(calls), 1)
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
                result.backward(plain(torch, device, along, name))
                assert_equal(seen, [False, (*tracked, False)])
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
    several results bring a gradient each (zeros where none came), once_differentiable forbids
    a second derivative, and setup_context may stand apart from forward."""
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


@clause("autograd.gradcheck", covers=["notes.numeric-gradient"], requires=NEEDS | {"float64"})
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


@clause("autograd.block-diag-of-empty", covers=["notes.numeric-gradient"], requires={"autograd"})
def each_block_gets_the_gradient_of_where_it_stands(torch: Any, device: str) -> None:
    """block_diag's gradient of a block is that of the place where the block stands, also below a
    block without elements."""
    for name in supported(("float32", "float64")):
        for above, order in product(((), (1,), (0,), (3,), (0, 2), (2, 0), (2, 1)), (1, -1)):
            shapes = (above, (2, 2), (1, 3))[::order]
            with case(empty_vector=above == (0,), order=order, shapes=shapes, dtype=name):
                blocks = [
                    torch.ones(shape, dtype=getattr(torch, name), device=device).requires_grad_()
                    for shape in shapes
                ]
                result = torch.block_diag(*blocks)
                weights = np.arange(1, result.numel() + 1, dtype=name).reshape(tuple(result.shape))
                (result * tensor_of(torch, device, weights)).sum().backward()
                # Whether a vector without elements has a row is not documented.
                row = column = 0
                bare = result.shape[0] - sum(s[0] if len(s) == 2 else s != (0,) for s in shapes)
                for block, shape in zip(blocks, shapes, strict=True):
                    # A vector of n is a block of 1 by n, a number one of 1 by 1.
                    m, n = shape if len(shape) == 2 else (1, *shape) if shape else (1, 1)
                    m = bare if shape == (0,) else m
                    there = weights[row : row + m, column : column + n]
                    assert_equal(block.grad, there.reshape(shape))
                    row, column = row + m, column + n


@clause("autograd.ldexp-of-integer-exponents", covers=["notes.numeric-gradient"],
        requires={"autograd"})  # fmt: skip
def the_gradient_of_ldexp_is_the_power_of_two(torch: Any, device: str) -> None:
    """ldexp(x, n) is x * 2^n, so its gradient with respect to x is 2^n, for negative n as well
    and whatever the dtype of n."""
    for name in supported(("float32", "float64")):
        for kind, exponent in product((*INTEGERS, "float32"), (1, 0, 5, -1, -2, -5)):
            if kind in supported([kind]) and not (kind == "uint8" and exponent < 0):
                signs = "negative" if exponent < 0 else "other"
                whole = "integer" if kind in INTEGERS else "float"
                with case(exponents=whole, sign=signs, exponent=exponent, of=kind, dtype=name):
                    x = tensor_of(torch, device, np.ones(3, name)).requires_grad_()
                    by = tensor_of(torch, device, np.full(3, exponent, kind))
                    result = torch.ldexp(x, by)
                    result.sum().backward()
                    assert_equal(result, np.full(3, 2.0**exponent, name))
                    assert_equal(x.grad, np.full(3, 2.0**exponent, name))
