"""What is recorded, and when nothing is."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from threading import Thread
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import (
    NEEDS,
    OPERAND_SAVED,
    SAVERS,
    SINGLE,
    Act,
    Shape,
    assert_grad,
    leaf,
    plain,
    signed,
    small,
)
from tenet.spec.cases import LAYOUTS, Operand, seeds
from tenet.spec.cases.gradients import MODES, TRACES, doubled, kept
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
from tenet.spec.model.dtypes import COMPLEX, FLOATS, INTEGERS, numpy_dtype


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
    """x.requires_grad_() and requires_grad_(flag) set the flag of a leaf and return it, not that
    of the base of a view; only what is computed afterwards is recorded. Integers cannot require
    gradients, nor can a result of tracked inputs stop to."""
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
        base = torch.ones(shape, dtype=getattr(torch, name), device=device)
        assert_equal((base.view(-1).requires_grad_().requires_grad, base.requires_grad),
                     (True, False))  # fmt: skip
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


@clause("autograd.dynamic-graph", covers=["basics.dynamic-graph"], requires=NEEDS, effort=0.4)
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


@clause("autograd.modes-nest", covers=["basics.no-grad", "notes.inference-mode"], requires=NEEDS,
        metadata_only=True, effort=2)  # fmt: skip
@for_all(modes=st.lists(st.sampled_from([*MODES]), max_size=4).map(tuple), shape=small)
def modes_nest_and_end_where_they_began(
    torch: Any, device: str, modes: tuple[str, ...], shape: Shape
) -> None:
    """Inside no_grad(), set_grad_enabled(False) and inference_mode() nothing is recorded, inside
    enable_grad() and set_grad_enabled(True) it is; the innermost counts, and at its end, by an
    error too, the one around it holds again. They hold in their own thread alone. As decorators
    they hold while the function runs, at every call, and while the body of a generator does."""
    x = torch.ones(shape, device=device, requires_grad=True)

    def facts() -> tuple[bool, bool, bool]:
        result = x * 2
        return torch.is_grad_enabled(), result.requires_grad, result.grad_fn is not None

    def enter(left: tuple[str, ...], enabled: bool) -> None:
        assert_equal(facts(), (enabled,) * 3)
        if not left:
            with torch.inference_mode():
                assert_equal((x * 2).requires_grad, False)
            assert_equal(facts(), (enabled,) * 3)
            elsewhere: list[tuple[bool, bool, bool]] = []
            thread = Thread(target=lambda: elsewhere.append(facts()))
            thread.start()
            thread.join()
            assert_equal(elsewhere, [(True,) * 3])
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
            bare = getattr(torch, mode, None)  # as in @torch.no_grad above a function
            for _ in range(2):
                assert_equal(decorated(), (outcome,) * 3)
                assert_equal(facts(), (True,) * 3)
                if bare is not None:
                    assert_equal((bare(facts)(), facts()), ((outcome,) * 3, (True,) * 3))
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
            # What was recorded before is differentiated there as elsewhere.
            total = expected.sum()
            if mode == "inference_mode":
                total.backward()
                continue
            with make():
                total.backward()
            assert_that(x.grad is not None, "there is no gradient")
    try:
        torch.set_grad_enabled(False)
        assert_equal((torch.is_grad_enabled(), (x * 2).requires_grad), (False, False))
        torch.set_grad_enabled(mode=True)
        assert_equal((torch.is_grad_enabled(), (x * 2).requires_grad), (True, True))
    finally:
        torch.set_grad_enabled(True)
    _is_read_as_any_other(torch, device)


def _is_read_as_any_other(torch: Any, device: str) -> None:
    """What requires gradients, a leaf or a result, has the values of what does not, in whatever
    way they are asked for; what is made of it under no_grad is as much a copy as elsewhere."""
    # A third is no number of a lower precision.
    array = np.array([[3.0, -1 / 3, 0.0, 2.0], [0.0, 5.0, -7.0, 1 / 3]])
    for name in supported(SINGLE):
        wide = array.astype(numpy_dtype(name))
        x = leaf(torch, device, array, name)
        for kind, tracked in (("leaf", x), ("result", x * 1)):
            with case(of=kind, dtype=name):
                assert_equal(tracked.tolist(), wide.tolist())
                assert_equal(tracked[0, 1].item(), float(wide[0, 1]))
                assert_equal(float(tracked[0, 1]), float(wide[0, 1]))
                assert_equal(tracked.argmax(), np.asarray(wide.argmax()))
                assert_equal(tracked.argmin(1), wide.argmin(1))
                assert_equal(tracked.nonzero(), np.argwhere(wide))
                ordered, places = tracked.sort(1)
                assert_equal(ordered.detach(), np.sort(wide, 1))
                assert_equal(places, np.argsort(wide, 1))
                assert_equal(tracked > 0, wide > 0)
                other = (tracked.detach() * 2).requires_grad_()
                assert_equal((torch.equal(tracked, other), torch.equal(tracked, x)), (False, True))
                assert_equal(torch.allclose(tracked, other), False)
                with torch.no_grad():
                    copy, turned = tracked.clone(), tracked.t().contiguous()
                    assert_equal((turned.is_contiguous(), copy.requires_grad), (True, False))
                    copy.zero_()
                    turned.zero_()
                assert_equal(tracked.detach(), wide)


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
        flags = [one.is_inference() for one in (made, result, result[1:], ordinary)]
        with case(dtype=name):
            assert_equal(flags, [True, True, True, False])
            assert_equal((result.requires_grad, w.is_inference()), (False, False))
            for tensor in (made, result, result[:]):
                assert_raises(operator.mul, w, tensor)
                assert_raises(torch.mul, tensor, w)
                for operation, act in OPERAND_SAVED.items():
                    with case(operation=operation):
                        assert_raises(act, torch, w, tensor)
                        act(torch, w, tensor.clone())
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
        for of in (x, y):
            detached = of.detach()
            facts = detached.requires_grad, detached.grad_fn, detached.is_leaf
            assert_equal(facts, (False, None, True))
            assert_equal((detached.data_ptr(), detached.stride()), (of.data_ptr(), of.stride()))
            # Each is a tensor of its own: what one is told is no matter of the next.
            of.detach().requires_grad_().detach_().unsqueeze_(0)
            of.detach().requires_grad_()
            another = of.detach()
            assert_equal((another.requires_grad, another.shape), (False, of.shape))
        copied = y.clone()
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
        if array.size:
            # A write through what was detached is seen by backward, which needed the old value.
            needed = x.exp()
            total = needed.sum()
            one = torch.ones_like(total.detach())
            torch.autograd.grad(total, x, one, retain_graph=True)
            needed.detach().zero_()
            assert_raises(torch.autograd.grad, total, x, one)
        assert_same_object(z.detach_(), z)
        assert_equal((z.requires_grad, z.grad_fn, z.is_leaf), (False, None, True))
        free = plain(torch, device, array, name).requires_grad_()
        assert_same_object(free.detach_(), free)
        assert_equal((free.requires_grad, free.is_leaf), (False, True))
