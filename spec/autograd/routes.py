"""Gradients flow back the way the elements came: through views, writes and broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import (
    NEEDS,
    SINGLE,
    Act,
    Array,
    Shape,
    assert_grad,
    laid,
    leaf,
    plain,
    signed,
)
from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    Operand,
    broadcast_shapes,
    broadcastable,
    seeds,
    selections,
    shapes,
    tensor_of,
)
from tenet.spec.cases.gradients import ROUTES, exact_in, unbroadcast
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import COMPLEX, FLOATS, numpy_dtype


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
    # Without strides there is nothing to state them of.
    act, reference = ROUTES[route if route != "as_strided" or has("views") else "unfold"]
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
        "embedding": lambda x, i: torch.nn.functional.embedding(i, x[:, None])[:, 0],
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
    no longer that of what was there, be z a number or a tensor without gradients; where z has
    gradients, x requires them from then on, if it did not before."""
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
        constant = plain(torch, device, signed(region.shape), name)
        for what, value in (("zero", 0), ("number", 9.5), ("untracked", constant)):
            with case(place=where, value=what, dtype=name):
                x = leaf(torch, device, array, name)
                target = x * 2 if tracked else x.clone()
                target[key] = value
                target.backward(plain(torch, device, along, name))
                expected = (2 if tracked else 1) * along
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
POWERS: dict[str, tuple[Act, Callable[[Array, Array], tuple[Array, Array]]]] = {
    "div": (lambda torch, a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "maximum": (lambda torch, a, b: torch.maximum(a, b), lambda a, b: (a > b, a < b)),
    "minimum": (lambda torch, a, b: torch.minimum(a, b), lambda a, b: (a < b, a > b)),
    "fmax": (lambda torch, a, b: torch.fmax(a, b), lambda a, b: (a > b, a < b)),
    "addcmul": (
        lambda torch, a, b: torch.addcmul(a.detach(), a, b, value=2),
        lambda a, b: (2 * b, 2 * a),
    ),
    "addcdiv": (
        lambda torch, a, b: torch.addcdiv(a, a.detach(), b),
        lambda a, b: (np.ones(()), -a / b**2),
    ),
    "lerp": (
        lambda torch, a, b: torch.lerp(a, b, 0.25),
        lambda a, b: (np.full((), 0.75), np.full((), 0.25)),
    ),
}
"""As MEETINGS, but for operands that are powers of two and three times such: the slopes, and sums
of a few of them, are exact, and no two elements are equal."""


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


@clause(
    "autograd.broadcast-patterns",
    covers=["notes.broadcast-gradient"],
    requires=NEEDS,
    thorough=True,
)
def every_stretched_dimension_is_summed_over(torch: Any, device: str) -> None:
    """Whichever of the dimensions of an operand are stretched, first, middle, last or absent,
    its gradient is summed over these and no other, in the first operand and in the second."""
    whole = (2, 3, 4)
    kept = [tuple(n if keep else 1 for n, keep in zip(whole, flags, strict=True))
            for flags in product((True, False), repeat=3)]  # fmt: skip
    patterns = {shape[skip:] for shape in kept for skip in range(4)}
    array, along = signed(whole, 1), np.sign(signed(whole, 2))
    for shape, name in product(sorted(patterns), supported(SINGLE)):
        other = signed(shape, 3)
        for spelling, (act, derivative) in {**MEETINGS, **POWERS}.items():
            for turned in (False, True):
                with case(shape=shape, dtype=name, spelling=spelling, second=not turned):
                    arrays = (other, array) if turned else (array, other)
                    if spelling in POWERS:
                        signs = np.sign(arrays[1] + 0.5)
                        arrays = 3 * np.exp2(arrays[0] % 3), signs * np.exp2(arrays[1] % 4)
                    pair = [leaf(torch, device, elements, name) for elements in arrays]
                    act(torch, *pair).backward(plain(torch, device, along, name))
                    slopes = derivative(*np.broadcast_arrays(*arrays))
                    for tensor, slope in zip(pair, slopes, strict=True):
                        assert_grad(tensor, unbroadcast(slope * along, tuple(tensor.shape)), name)


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
