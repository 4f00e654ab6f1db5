"""Performance that needs no clock: what is allocated, kept and released, and how much is done.

The few clauses that measure time compare two ways in one process and leave a margin of an order
of magnitude; everything else counts bytes and operator calls.
"""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    LENGTHS,
    Operand,
    broadcast_shapes,
    broadcastable,
    operands,
    seeds,
    shapes,
    tensor_of,
)
from tenet.spec.cases.gradients import kept
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.language.allocations import allocations
from tenet.spec.model.dtypes import ALL, DTYPES, FLOATS, INTEGERS

Shape = tuple[int, ...]
Act = Callable[..., Any]

COUNTED = {"allocation-count", "views"}

VIEWS: dict[str, Act] = {
    "x[0]": lambda x: x[0],
    "x[-1]": lambda x: x[-1],
    "x[::2]": lambda x: x[::2],
    "x[..., 1:]": lambda x: x[..., 1:],
    "x[None]": lambda x: x[None],
    "T": lambda x: x.permute(*reversed(range(x.dim()))),
    "mT": lambda x: x[None].mT,
    "transpose": lambda x: x.transpose(0, -1),
    "swapaxes": lambda x: x.swapaxes(0, -1),
    "permute": lambda x: x.permute(*range(1, x.dim()), 0),
    "movedim": lambda x: x.movedim(0, -1),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "expand": lambda x: x.unsqueeze(0).expand(1000, *x.shape),
    "expand_as": lambda x: x[:1].expand_as(x),
    "narrow": lambda x: x.narrow(0, 0, 1),
    "select": lambda x: x.select(-1, 0),
    "diagonal": lambda x: x[None].diagonal(0, 0, -1),
    "unfold": lambda x: x.unfold(0, 1, 1),
    "as_strided": lambda x: x.as_strided((1,), (1,)),
    "split": lambda x: x.split(len(x) // 3 + 1),
    "chunk": lambda x: x.chunk(3, -1),
    "unbind": lambda x: x[:5].unbind(),
    "view_as": lambda x: x.view_as(x),
    "unflatten": lambda x: x.unflatten(0, (-1, 1)),
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "to its own dtype": lambda x: x.to(x.dtype),
    "to its own device": lambda x: x.to(x.device),
}
"""Documented view operations of a tensor of any layout, with at least one dimension and element."""

OF_CONTIGUOUS: dict[str, Act] = {
    "contiguous": lambda x: x.contiguous(),
    "view": lambda x: x.view(-1),
    "reshape": lambda x: x.reshape(-1),
    "flatten": lambda x: x.flatten(),
    "ravel": lambda x: x.ravel(),
}
"""Operations that allocate nothing where the elements lie in order already."""


@clause(
    "performance.views-allocate-nothing",
    thorough=True,
    covers=["notes.view-allocates-nothing"],
    requires=COUNTED,
    effort=0.75,
)
@for_all(
    shape=shapes(min_rank=1, max_size=5000, empty=False),
    layout=st.sampled_from([*LAYOUTS]),
    view=st.sampled_from([*VIEWS]),
    turn=st.integers(0, 2),
)
def a_view_allocates_no_memory(
    torch: Any, device: str, shape: Shape, layout: str, view: str, turn: int
) -> None:
    """Every view operation gives tensors of the memory that is there: no bytes are allocated,
    whatever the dtype, the layout and the size."""
    for name in supported(ALL[turn::3]):
        x = Operand(shape, layout).on(torch, device, name)
        with allocations(torch) as count:
            result = VIEWS[view](x)
        assert_equal(count.bytes, 0)
        storage = x.untyped_storage().data_ptr()
        for part in result if isinstance(result, list | tuple) else (result,):
            shared = part.untyped_storage().data_ptr() == storage
            assert_that(shared, f"{view} has memory of its own")


@clause("performance.contiguous-views", thorough=True, covers=["notes.view-allocates-nothing"],
        requires=COUNTED)  # fmt: skip
def reordering_what_is_in_order_allocates_nothing(torch: Any, device: str) -> None:
    """contiguous() of a contiguous tensor, and view, reshape, flatten and ravel of one, allocate
    nothing, at every length and for every dtype; of a transposed one, contiguous and reshape
    allocate the whole result."""
    kinds = ((1, 0), (1, 3), (2, 1))
    for turn, (length, name) in enumerate(product(LENGTHS, supported(ALL))):
        dtype, item = getattr(torch, name), DTYPES[name].bits // 8
        rank, offset = kinds[turn % 3]
        shape = (length + offset,) if rank == 1 else (2 + offset, length)
        x = torch.zeros(shape, dtype=dtype, device=device)[offset:]
        for operation, act in OF_CONTIGUOUS.items():
            with allocations(torch) as count:
                act(x)
            with case(length=length, dtype=name, operation=operation, offset=offset):
                assert_equal(count.bytes, 0)
        if length > 1:
            turned = torch.zeros(length, 2, dtype=dtype, device=device).t()
            for operation in ("contiguous", "reshape", "flatten"):
                with allocations(torch) as count:
                    OF_CONTIGUOUS[operation](turned)
                with case(length=length, dtype=name, operation=operation):
                    assert_equal(count.bytes, 2 * length * item)


@clause(
    "performance.any-size", thorough=True, covers=["notes.view-allocates-nothing"], requires=COUNTED
)
def a_view_does_the_same_work_at_any_size(torch: Any, device: str) -> None:
    """A view operation runs the same operators for ten elements and for a million, and a view of
    more elements than any memory holds can be made."""
    small_, large = (torch.zeros(n, 10, device=device) for n in (1, 100_000))
    for view, act in VIEWS.items():
        if view in ("unbind", "split", "chunk"):  # as many results as there are parts
            continue
        with case(view=view):
            with allocations(torch) as few:
                act(small_)
            with allocations(torch) as many:
                act(large)
            assert_equal((many.bytes, many.names), (0, few.names))
    vast = torch.ones(1, device=device).expand(2**40)
    assert_metadata(vast, shape=(2**40,), stride=(0,))
    assert_equal(vast[2**39].item(), 1.0)
    assert_metadata(vast.view(2**20, 2**20).t()[::2], shape=(2**19, 2**20), stride=(0, 0))


WIDENINGS: dict[str, tuple[bool, Act]] = {
    "expand": (False, lambda torch, x, wide: x.expand(wide)),
    "expand(*)": (False, lambda torch, x, wide: x.expand(*wide)),
    "expand(-1)": (False, lambda torch, x, wide: x.expand(wide[0], *[-1] * x.dim())),
    "broadcast_to": (False, lambda torch, x, wide: torch.broadcast_to(x, wide)),
    "repeat": (True, lambda torch, x, wide: x.repeat(wide[0], *[1] * x.dim())),
    "tile": (True, lambda torch, x, wide: torch.tile(x, (wide[0], *[1] * x.dim()))),
}
"""Ways to a new leading dimension, and whether they copy."""


@clause("performance.expand-and-repeat", thorough=True,
        covers=["dlnotes.expand-no-copy-repeat-copy"],
        requires=COUNTED, effort=0.5)  # fmt: skip
@for_all(
    shape=shapes(max_rank=3, max_size=600, empty=False),
    times=st.sampled_from((3, 2, 1, 17)),
    layout=st.sampled_from([*LAYOUTS]),
    dtype=st.sampled_from(ALL),
)
def expand_allocates_nothing_and_repeat_everything(
    torch: Any, device: str, shape: Shape, times: int, layout: str, dtype: str
) -> None:
    """expand, expand_as and broadcast_to allocate nothing; repeat, tile and repeat_interleave
    allocate the bytes of their whole result at least once."""
    for name in supported([dtype]):
        x = Operand(shape, layout).on(torch, device, name)
        wide = (times, *shape)
        size = times * int(np.prod(shape)) * DTYPES[name].bits // 8
        for act, (copies, call) in WIDENINGS.items():
            with case(operation=act, dtype=name):
                with allocations(torch) as count:
                    result = call(torch, x, wide)
                assert_metadata(result, shape=wide, dtype=name)
                shared = result.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
                assert_equal(shared, not copies)
                if copies:
                    assert_that(count.bytes >= size, f"{count.bytes} bytes of {size}")
                    assert_equal(result.untyped_storage().nbytes(), size)
                else:
                    assert_equal(count.bytes, 0)


IN_PLACE: dict[str, Act] = {
    "add_": lambda x: x.add_(1),
    "mul_": lambda x: x.mul_(2),
    "+=": lambda x: x.__iadd__(1),
    "zero_": lambda x: x.zero_(),
    "fill_": lambda x: x.fill_(1),
    "copy_": lambda x: x.copy_(x),
    "sub_": lambda x: x.sub_(x),
    "clamp_": lambda x: x.clamp_(0, 1),
    "abs_": lambda x: x.abs_(),
    "neg_": lambda x: x.neg_(),
    "mul_ by a tensor": lambda x: x.mul_(x),
}


@clause("performance.in-place", thorough=True,
        covers=["notes.view-allocates-nothing", "hackmd.no-grad-memory"],
        requires=COUNTED | {"in-place"}, effort=1.5)  # fmt: skip
@for_all(
    operand=operands(writable=True),
    act=st.sampled_from([*IN_PLACE]),
    dtype=st.sampled_from(FLOATS + INTEGERS[:1]),
)
def an_operation_in_place_allocates_nothing(
    torch: Any, device: str, operand: Operand, act: str, dtype: str
) -> None:
    """An in-place operation writes into the memory that is there and allocates nothing in
    proportion to it; the same operation with a result allocates that result and no more, and
    with out= nothing."""
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        # A Python number may become a tensor of one element.
        spare = 16
        with allocations(torch) as count:
            IN_PLACE[act](x)
        assert_that(count.bytes <= spare, f"{count.bytes} bytes were allocated")
        size = x.numel() * DTYPES[name].bits // 8
        with allocations(torch) as count:
            result = x + x
        assert_that(size <= count.bytes <= size + spare, f"{count.bytes} bytes, not {size}")
        with allocations(torch) as count:
            torch.add(x, x, out=result)
        assert_that(count.bytes <= spare, f"{count.bytes} bytes were allocated")


MEETINGS: dict[str, Act] = {
    "+": lambda torch, a, b: a + b,
    "mul": lambda torch, a, b: torch.mul(a, b),
    "maximum": lambda torch, a, b: torch.maximum(a, b),
    "sub": lambda torch, a, b: a.sub(b),
}


@clause("performance.broadcast", thorough=True, covers=["dlnotes.expand-no-copy-repeat-copy"],
        requires=COUNTED)  # fmt: skip
@for_all(pair=broadcast_shapes(), dtype=st.sampled_from(FLOATS), seed=seeds())
def broadcasting_allocates_its_result_alone(
    torch: Any, device: str, pair: tuple[Shape, Shape], dtype: str, seed: int
) -> None:
    """An operation on operands that broadcast allocates its result, and not the operands
    stretched to it."""
    for name in supported([dtype]):
        a, b = (Operand(shape, seed=seed).on(torch, device, name) for shape in pair)
        size = int(np.prod(broadcastable(*pair) or ())) * DTYPES[name].bits // 8
        for spelling, act in MEETINGS.items():
            with case(spelling=spelling, dtype=name):
                with allocations(torch) as count:
                    act(torch, a, b)
                assert_equal(count.bytes, size)


@clause("performance.numpy", thorough=True, covers=["notes.view-allocates-nothing"],
        requires=COUNTED | {"numpy"})  # fmt: skip
def the_numpy_bridge_copies_nothing(torch: Any, device: str) -> None:
    """from_numpy() and numpy() share memory and allocate nothing, at every length and dtype."""
    for length, name in product(LENGTHS[:3] + LENGTHS[4:], supported(ALL)):
        if name == "bfloat16":  # NumPy has none
            continue
        array = np.zeros(length, DTYPES[name].numpy)
        with case(length=length, dtype=name):
            with allocations(torch) as count:
                x = torch.from_numpy(array)
            assert_equal(count.bytes, 0)
            assert_equal(x.data_ptr(), array.ctypes.data)
            with allocations(torch) as count:
                back = x.numpy()
            assert_equal(count.bytes, 0)
            assert_equal(back.ctypes.data, x.data_ptr())


# ------------------------------------------------------------------ what backward costs


def _layers(torch: Any, device: str, count: int, width: int = 8) -> tuple[Any, list[Any]]:
    """The result of a chain of layers, and their weights."""
    weights = [
        torch.full((width, width), 1 / width, device=device, requires_grad=True)
        for _ in range(count)
    ]
    x = torch.ones(4, width, device=device)
    for weight in weights:
        x = torch.tanh(x @ weight)
    return x.sum(), weights


@clause("performance.no-grad-keeps-nothing", covers=["hackmd.no-grad-memory"],
        requires={"autograd"})  # fmt: skip
def no_grad_saves_the_memory_for_gradients(torch: Any, device: str) -> None:
    """Under no_grad, set_grad_enabled(False) and inference_mode no tensor is saved for backward,
    in the forward pass of any depth; without them the saved tensors grow with it. Operations on
    tensors that do not require gradients save nothing either."""
    modes: dict[str, Act] = {
        "no_grad": torch.no_grad,
        "set_grad_enabled": lambda: torch.set_grad_enabled(False),
        "inference_mode": torch.inference_mode,
    }
    counts = []
    for depth in (1, 2, 4, 8, 16):
        with kept(torch) as saved:
            _layers(torch, device, depth)
        counts.append(len(saved))
        with case(depth=depth):
            assert_that(len(saved) >= 2 * depth, f"{len(saved)} tensors are saved")
        for mode, enter in modes.items():
            with kept(torch) as saved, enter():
                _layers(torch, device, depth)
            with case(depth=depth, mode=mode):
                assert_equal(len(saved), 0)
    with case(depths=(4, 8, 16)):
        assert_equal(counts[4] - counts[3], 2 * (counts[3] - counts[2]))
    for name in supported(FLOATS):
        x = torch.ones(3, 3, dtype=getattr(torch, name), device=device)
        with kept(torch) as saved:
            torch.tanh(x @ x).exp() * x
        with case(dtype=name):
            assert_equal(len(saved), 0)
        with kept(torch) as saved:
            torch.tanh(x.requires_grad_() @ x).exp() * x
        assert_that(len(saved) > 0, "nothing is saved with gradients either")


class _Box:
    """Holds a saved tensor: as long as the graph holds the box, and no longer."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


@clause("performance.released-after-backward", covers=["notes.autograd-cost"],
        requires={"autograd"})  # fmt: skip
def what_was_kept_for_backward_is_released_by_it(torch: Any, device: str) -> None:
    """What forward saved is released by backward, though the result lives on, unless the graph is
    retained; and it is released when the result is dropped without any backward."""
    boxes: list[Any] = []

    def pack(tensor: Any) -> _Box:
        box = _Box(tensor.detach())  # a result that kept its own graph would never die
        boxes.append(weakref.ref(box))
        return box

    def alive() -> int:
        return sum(box() is not None for box in boxes)

    def left() -> int:
        if alive():
            gc.collect()
        return alive()

    for depth in (1, 5, 20):
        with case(depth=depth):
            boxes.clear()
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
                result, weights = _layers(torch, device, depth)
            saved = alive()
            assert_that(saved == len(boxes) >= 2 * depth, f"{saved} tensors are saved")
            result.backward(retain_graph=True)
            assert_equal(alive(), saved)
            result.backward()
            assert_equal(left(), 0)
            assert_that(all(w.grad is not None for w in weights), "a gradient is missing")
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
                result, weights = _layers(torch, device, depth)
            torch.autograd.grad(result, weights)
            assert_equal(left(), 0)
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
                result, _ = _layers(torch, device, depth)
            assert_that(alive() > 0, "the graph does not hold what it saved")
            del result
            assert_equal(left(), 0)


COST = 6
"""Backward of a matrix product is two products and two transposes, of tanh three operations; the
sums of gradients and what an engine adds come on top."""


def _computing(torch: Any) -> dict[str, Act]:
    """Operations of a batch of square matrices and a matrix that allocate their result."""
    functional = torch.nn.functional
    return {
        "linear": lambda x, w: functional.linear(x, w),
        "matmul": lambda x, w: x @ w,
        "mul": lambda x, w: x * w,
        "add": lambda x, w: x + w,
        "where": lambda x, w: torch.where(x > 0, x, w),
        "cat": lambda x, w: torch.cat([x[0], w]),
        "relu": lambda x, w: functional.relu(x * w),
        "relu alone": lambda x, w: torch.relu(x),
        "exp": lambda x, w: torch.exp(x),
        "tanh": lambda x, w: torch.tanh(w),
        "gelu": lambda x, w: functional.gelu(x),
        "dropout": lambda x, w: functional.dropout(x, 0.5),
        "softmax": lambda x, w: torch.softmax(x, -1),
        "log_softmax": lambda x, w: functional.log_softmax(w, -1),
        "layer_norm": lambda x, w: functional.layer_norm(x, (4, 4), w, w),
        "conv1d": lambda x, w: functional.conv1d(x, w[:, :, None]),
        "max_pool1d": lambda x, w: functional.max_pool1d(x, 2),
        "embedding": lambda x, w: functional.embedding(x[0].long(), w),
        "sum": lambda x, w: x.sum(0),
        "amax": lambda x, w: w.amax(0),
        "sort": lambda x, w: x.sort(-1).values,
        "index": lambda x, w: w[[0, 2, 2]],
        "clone": lambda x, w: x.clone(),
        "mse_loss": lambda x, w: functional.mse_loss(x[0], w),
        "cross_entropy": lambda x, w: functional.cross_entropy(w, x[0, 0].long()),
    }


@clause("performance.nothing-outlives-its-use",
        covers=["notes.autograd-cost", "hackmd.no-grad-memory"], requires={"autograd"},
        thorough=True)  # fmt: skip
def what_is_dropped_is_released(torch: Any, device: str) -> None:
    """Operands, intermediate results and gradients are released when the last name for them goes:
    neither an operation, with recording on or off, nor a backward pass holds on to them, nor,
    where nothing is recorded, a result that lives on."""
    functional = torch.nn.functional
    modes: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "recorded": nullcontext,
        "no_grad": torch.no_grad,
        "inference_mode": torch.inference_mode,
    }

    def steps(recorded: bool) -> Iterator[tuple[str, Any]]:
        x = torch.ones(4, 4, device=device)
        weight = torch.ones(4, 4, device=device, requires_grad=True)
        line, plane = functional.linear(x, weight), x @ weight
        hidden = functional.relu(line) + torch.tanh(plane)
        view = hidden.t()[1:].reshape(-1)
        shares = torch.softmax(view, 0)
        loss = shares.square().sum() + hidden.clone().detach().mean()
        yield from (("operand", x), ("weight", weight), ("linear", line), ("product", plane),
                    ("hidden", hidden), ("view", view), ("softmax", shares),
                    ("loss", loss))  # fmt: skip
        if recorded:
            torch.autograd.grad(loss, weight, retain_graph=True)
            loss.backward()
            yield "gradient", weight.grad

    for mode, make in modes.items():
        with make():
            held = [(name, weakref.ref(made)) for name, made in steps(mode == "recorded")]
        gc.collect()
        for name, reference in held:
            with case(mode=mode, of=name):
                assert_that(reference() is None, "something holds on to it")
    # Without recording a result holds on to nothing of what it was computed from.
    for (mode, make), (name, act) in product([*modes.items()][1:], _computing(torch).items()):
        with case(mode=mode, of=name), make():
            x = torch.ones(2, 4, 4, device=device)
            weight = torch.full((4, 4), 0.5, device=device, requires_grad=True)
            operands = [weakref.ref(x), weakref.ref(weight)]
            result = act(x, weight)
            del x, weight
            alive = sum(reference() is not None for reference in operands)
            if alive:
                gc.collect()
                alive = sum(reference() is not None for reference in operands)
            assert_equal(result.requires_grad, False)
            assert_that(not alive, f"the result keeps {alive} of its operands alive")


@clause("performance.backward-cost", thorough=True, covers=["notes.autograd-cost"],
        requires={"autograd", "allocation-count"})  # fmt: skip
def backward_costs_a_small_multiple_of_forward(torch: Any, device: str) -> None:
    """One backward pass gives the gradients of all parameters for at most six times the operator
    calls and the allocated bytes of the forward pass, whether there is one parameter or a hundred,
    and whether each is used once or shared."""
    for depth in (1, 3, 10, 100):
        with allocations(torch) as forward:
            result, weights = _layers(torch, device, depth)
        with allocations(torch) as backward:
            result.backward()
        with case(depth=depth):
            assert_that(all(w.grad is not None for w in weights), "a gradient is missing")
            assert_that(
                backward.calls <= COST * forward.calls,
                f"{backward.calls} operators after {forward.calls}",
            )
            assert_that(
                backward.bytes <= COST * forward.bytes,
                f"{backward.bytes} bytes after {forward.bytes}",
            )
    for depth in (5, 20):
        x = torch.ones(3, device=device, requires_grad=True)
        with allocations(torch) as forward:
            result = x
            for _ in range(depth):
                result = result * result + result  # 2^depth paths lead back to x
        with allocations(torch) as backward:
            (result * 0).sum().backward()
        with case(doublings=depth):
            assert_that(
                backward.calls <= COST * (forward.calls + 2),
                f"{backward.calls} operators after {forward.calls}",
            )


# ------------------------------------------------------------------ precision and speed


@clause("performance.low-precision-memory", thorough=True,
        covers=["minicourse.low-precision-faster"],
        requires={"allocation-count"})  # fmt: skip
def lower_precision_takes_less_memory(torch: Any, device: str) -> None:
    """A tensor takes its number of elements times the width of its dtype: float16 and bfloat16 half
    of float32, which takes half of float64; so do the results computed from it."""
    for length, name in product(LENGTHS, supported(FLOATS)):
        size = length * DTYPES[name].bits // 8
        with case(length=length, dtype=name):
            with allocations(torch) as count:
                x = torch.zeros(length, dtype=getattr(torch, name), device=device)
            facts = count.bytes, x.untyped_storage().nbytes(), x.nbytes
            assert_equal(facts, (size, size, size))
            assert_equal(x.element_size() * x.numel(), size)
            with allocations(torch) as count:
                result = x * x
            assert_equal((count.bytes, result.nbytes), (size, size))
            if name != "float64":
                with allocations(torch) as count:
                    matrix = x[:, None] @ x[None, :3]
                assert_equal(matrix.nbytes, length * min(3, length) * DTYPES[name].bits // 8)


def _ratio(first: Callable[[], object], second: Callable[[], object], pairs: int = 7) -> float:
    """How often the time of `second` goes into that of `first`: the median of pairs that run in
    turns, by the clock of this thread, which stands while other processes have the processor."""
    ratios = []
    for turn in range(pairs):
        seconds = {}
        for act in (first, second) if turn % 2 == 0 else (second, first):
            started = time.thread_time()
            act()
            seconds[act] = max(time.thread_time() - started, 1e-9)
        ratios.append(seconds[first] / seconds[second])
    return sorted(ratios)[pairs // 2]


@clause("performance.view-time", covers=["notes.view-allocates-nothing"], requires={"views"})
def a_view_takes_the_same_time_for_any_size(torch: Any, device: str) -> None:
    """A view operation of a tensor of 10^8 elements takes no more than twenty times as long as of
    one of 10^3: it would be some ten thousand times, were the elements touched."""
    small_, large = (
        torch.empty(*shape, dtype=torch.uint8, device=device)
        for shape in ((10, 100), (10_000, 10_000))
    )
    for view, act in VIEWS.items():
        with case(view=view):
            act(small_), act(large)
            ratio = _ratio(partial(_often, act, large), partial(_often, act, small_))
            assert_that(ratio <= 20, f"the large one takes {ratio:.0f} times as long")


def _often(act: Act, x: Any) -> None:
    """Long enough for the clock, and no longer: a copy of 10^8 elements takes its time."""
    for _ in range(5):
        act(x)


def _best(clock: Callable[[], float], act: Callable[[], object], repetitions: int = 5) -> float:
    """Seconds of the fastest of several repetitions; at least a nanosecond."""
    times = []
    for _ in range(repetitions):
        started = clock()
        act()
        times.append(clock() - started)
    return max(min(times), 1e-9)


@clause("performance.matmul-beats-a-loop", covers=["minicourse.matmul-beats-loop"])
def matmul_is_far_faster_than_a_loop_over_the_elements(torch: Any, device: str) -> None:
    """A product of two 128 x 128 matrices takes less than a hundredth of the time of a Python loop
    over the elements, which gives the same."""
    size = 128
    array = (np.arange(size * size) % 7 - 3).reshape(size, size).astype(np.float32)
    a, b = tensor_of(torch, device, array), tensor_of(torch, device, array.T.copy())

    def element() -> Any:
        total = 0.0
        for k in range(size):
            total = total + a[3, k] * b[k, 5]
        return float(total)

    expected = array @ array.T
    assert_equal(element(), float(expected[3, 5]))
    # Stock PyTorch: 10,000 to 100,000 times. The loop's one element stands for all of them.
    ways: dict[str, Act] = {
        "matmul": lambda: torch.matmul(a, b),
        "@": lambda: a @ b,
        "mm": lambda: torch.mm(a, b),
    }
    for way, act in ways.items():
        with case(way=way):
            assert_equal(act(), expected, signed_zero=False)
            ratio = _ratio(element, partial(_first, act), 3) * size * size
            assert_that(ratio >= 100, f"the loop takes only {ratio:.0f} times as long")


def _first(act: Act) -> Any:
    return act()[0, 0].item()


def _multiplied(x: Any, wait: Act) -> None:
    """A product, from its start to its end."""
    wait()
    x @ x
    wait()


def _synchronize(torch: Any, device: str) -> Callable[[], None]:
    """Waits until the device has done what it was given."""
    wait: Callable[[], None] = getattr(torch, torch.device(device).type).synchronize
    return wait


@clause("performance.accelerator-products", covers=["dlnotes.gpu-matmul-speedup"],
        requires={"accelerator"})  # fmt: skip
def an_accelerator_multiplies_matrices_faster_than_the_processor(torch: Any, device: str) -> None:
    """A large float32 product takes an accelerator less than half the time of the CPU, timed
    between two calls of synchronize(), and gives the same."""
    size = 1024
    array = (np.arange(size * size) % 5 - 2).reshape(size, size).astype(np.float32)
    expected = array.astype(np.float64) @ array
    seconds = []
    for where in ("cpu", device):
        x = tensor_of(torch, where, array)
        wait = _synchronize(torch, where)
        assert_equal(x @ x, expected.astype(np.float32), signed_zero=False)
        wait()
        seconds.append(_best(time.perf_counter, partial(_multiplied, x, wait), 3))
    # Where the device is the processor itself, both are the same but for the noise.
    least = 2 if torch.device(device).type != "cpu" else 0.2
    ratio = seconds[0] / seconds[1]
    assert_that(ratio >= least, f"the device is {ratio:.2f} times as fast")


@clause("performance.accelerator-low-precision", covers=["minicourse.low-precision-faster"],
        requires={"accelerator"})  # fmt: skip
def an_accelerator_is_not_slower_in_lower_precision(torch: Any, device: str) -> None:
    """On an accelerator a large product in float16 takes no more time than in float32 (a quarter is
    allowed for noise)."""
    wait = _synchronize(torch, device)
    processor = torch.device(device).type == "cpu"
    size = 8 if processor else 2048

    def seconds(name: str) -> float:
        x = torch.zeros(size, size, dtype=getattr(torch, name), device=device)
        _multiplied(x, wait)
        return _best(time.perf_counter, partial(_multiplied, x, wait), 20)

    for name in supported(("float16",)):
        single, half = seconds("float32"), seconds(name)
        # A processor may have to emulate it: tiny products only have to end.
        limit = 1.25 * single + (0.05 if processor else 0)
        assert_that(half <= limit, f"{half:.6f} s, in float32 {single:.6f} s")
