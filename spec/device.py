"""Devices: how they are named, how tensors get there and back, and what may meet on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    Operand,
    incompatible_shapes,
    layouts,
    operands,
    place,
    seeds,
    shapes,
    tensor_of,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    dtype_name,
    for_all,
    supported,
)
from tenet.spec.model.casting import samples
from tenet.spec.model.dtypes import ALL

Shape = tuple[int, ...]


def kind_of(device: str) -> str:
    """The type of a device: `cuda` of `cuda:1`."""
    return device.partition(":")[0]


def elsewhere(device: str) -> str:
    """Another device than the given one, that every machine has."""
    return "meta" if kind_of(device) == "cpu" else "cpu"


def assert_on(tensor: Any, device: str) -> None:
    """The tensor is on the device; `cuda` stands for the current one of that type."""
    kind, _, index = device.partition(":")
    right = tensor.device.type == kind and (not index or tensor.device.index == int(index))
    assert_that(right, f"it is on {tensor.device}, not on {device}")


# ------------------------------------------------------------------ names

NAMES = (("cpu", None), ("cuda", None), ("cuda", 0), ("cuda", 1), ("cuda", 12), ("mps", None),
         ("meta", None), ("xpu", 3), ("mps", 0))  # fmt: skip


@clause("device.names", covers=["dlnotes.torch-device", "minicourse.device-count"],
        metadata_only=True)  # fmt: skip
def a_device_is_a_type_and_a_number(torch: Any, device: str) -> None:
    """torch.device('cuda:0'), torch.device('cuda', 0) and the device of type='cuda', index=0 are
    equal and print as they are written, whether or not this machine has the device; another
    type or number, or none, is another device."""
    made = []
    for kind, index in NAMES:
        text = kind if index is None else f"{kind}:{index}"
        with case(device=text):
            one = torch.device(text)
            made.append(one)
            assert_equal((one.type, one.index), (kind, index))
            assert_equal(str(one), text)
            others = [torch.device(text), torch.device(one)]
            if index is not None:
                others += [torch.device(kind, index), torch.device(type=kind, index=index)]
                assert_that(torch.device(kind) != one, f"it equals {kind} of no number")
            for other in others:
                assert_that(one == other, f"{one!r} is not {other!r}")
                assert_that(hash(one) == hash(other), f"the hash of {one!r} is not its own")
                assert_that(not one != other, f"{one!r} differs from {other!r}")  # noqa: SIM202 - != is asked
    assert_equal(len(set(made)), len(NAMES))
    x = torch.zeros(2, device=device)
    assert_that(torch.device(str(x.device)) == x.device, "a tensor's device has another name")
    assert_equal(x.device.type, kind_of(device))
    assert_that(x.is_meta == (kind_of(device) == "meta"), f"is_meta is {x.is_meta}")
    assert_that(x.is_cpu == (kind_of(device) == "cpu"), f"is_cpu is {x.is_cpu}")
    assert_that(x.is_cuda == (kind_of(device) == "cuda"), f"is_cuda is {x.is_cuda}")


NO_DEVICES = ("nope", "", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:0:1", ":0", "cuda 0", "gpu",
              "meta:x")  # fmt: skip


@clause("device.unknown-names", covers=["notes.copy-between-devices"], metadata_only=True)
def unknown_names_of_devices_raise(torch: Any, device: str) -> None:
    """A string that names no device raises, wherever a device is expected: in torch.device, in
    a factory, and in to()."""
    x = torch.ones(2, device=device)
    calls: dict[str, Callable[[str], Any]] = {
        "torch.device": torch.device,
        "zeros": lambda name: torch.zeros(2, device=name),
        "zeros_like": lambda name: torch.zeros_like(x, device=name),
        "new_zeros": lambda name: x.new_zeros(2, device=name),
        "tensor": lambda name: torch.tensor([1.0], device=name),
        "to": x.to,
        "to(device=)": lambda name: x.to(device=name),
        "to(name, dtype)": lambda name: x.to(name, torch.float16),
    }
    for function, call in calls.items():
        with case(function=function):
            got = call(device)
            assert_equal(getattr(got, "device", got).type, kind_of(device))
            for name in NO_DEVICES:
                with case(name=name):
                    assert_raises(call, name)
    assert_raises(torch.device, "cuda", -1)
    assert_raises(torch.device, "nope", 0)


# ------------------------------------------------------------------ counting


def _modules(torch: Any, device: str) -> Iterator[tuple[str, Any]]:
    """The accelerators' modules that count their devices: those of PyTorch, and the device's."""
    for kind in dict.fromkeys(("cuda", "xpu", kind_of(device))):
        module = getattr(torch, kind, None)
        if kind not in ("cpu", "meta", "mps") and (module is not None or kind == "cuda"):
            yield kind, module


def _works(torch: Any, name: str) -> bool:
    """Whether a tensor can be made on a device. What an absent one raises is not documented."""
    try:
        return bool(torch.ones(3, device=name).sum().item() == 3)
    except Exception:
        return False


@clause("device.count", covers=["minicourse.device-count", "notes.copy-between-devices"])
def devices_are_numbered_from_0_to_their_count(torch: Any, device: str) -> None:
    """device_count() says how many accelerators of a type there are: the numbers below it can
    be used, and the next one raises. is_available() says whether there is any."""
    for kind, module in _modules(torch, device):
        with case(kind=kind):
            count = module.device_count()
            assert_that(type(count) is int and count >= 0, f"device_count() gives {count!r}")
            assert_equal(module.is_available(), count > 0)
            for index in range(count):
                name = f"{kind}:{index}"
                assert_that(_works(torch, name), f"{name} of {count} cannot be used")
                assert_that(torch.ones(1, device=name).device == torch.device(name), "it moved")
            for index in (count, count + 1, 100):
                name = f"{kind}:{index}"
                assert_that(not _works(torch, name), f"{name} of {count} is there")
    total = torch.accelerator.device_count()
    current = torch.accelerator.current_accelerator()
    assert_equal(torch.accelerator.is_available(), total > 0)
    if total:
        assert_that(_works(torch, f"{current.type}:{total - 1}"), "the last cannot be used")
        assert_that(0 <= torch.accelerator.current_device_index() < total, "the current is none")


@clause("device.pick", covers=["minicourse.pick-device"])
def the_device_that_is_available_can_be_used(torch: Any, device: str) -> None:
    """cuda, then mps, then cpu: the first of them that is_available() works, and one that says
    that it is not available does not."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    for kind, answer in available.items():
        with case(kind=kind):
            assert_that(answer is True or answer is False, f"is_available() gives {answer!r}")
            assert_equal(_works(torch, kind), answer)
    picked = next(kind for kind, answer in available.items() if answer)
    model = torch.nn.Linear(3, 2).to(picked)
    got = model(torch.ones(4, 3, device=picked))
    assert_metadata(got, shape=(4, 2), dtype="float32")
    assert_on(got, picked)


# ------------------------------------------------------------------ moving


Spelling = Callable[[Any, Any, str, Any], Any]
"""Of torch, a tensor, a device and a dtype."""

STAYING: dict[str, Spelling] = {
    "to(str)": lambda torch, x, to, dtype: x.to(to),
    "to(device)": lambda torch, x, to, dtype: x.to(torch.device(to)),
    "to(x.device)": lambda torch, x, to, dtype: x.to(x.device),
    "to(device=)": lambda torch, x, to, dtype: x.to(device=to),
    "to(dtype)": lambda torch, x, to, dtype: x.to(dtype),
    "to(device, dtype)": lambda torch, x, to, dtype: x.to(to, dtype),
    "to(device=, dtype=)": lambda torch, x, to, dtype: x.to(device=to, dtype=dtype),
    "to(tensor)": lambda torch, x, to, dtype: x.to(torch.ones((), dtype=dtype, device=to)),
    "to(non_blocking=)": lambda torch, x, to, dtype: x.to(to, non_blocking=True),
    "to(copy=False)": lambda torch, x, to, dtype: x.to(to, copy=False),
    "cpu()": lambda torch, x, to, dtype: x.cpu() if x.device.type == "cpu" else x,
}
COPYING: dict[str, Spelling] = {
    "to(str, copy=True)": lambda torch, x, to, dtype: x.to(to, copy=True),
    "to(device, dtype, copy=True)": lambda torch, x, to, dtype: x.to(to, dtype, copy=True),
    "to(dtype, copy=True)": lambda torch, x, to, dtype: x.to(dtype, copy=True),
}


@clause("device.stays", covers=["minicourse.to-returns-new", "dlnotes.torch-device"],
        metadata_only=True, effort=8)  # fmt: skip
@for_all(shape=shapes(max_size=600), dtype=st.sampled_from(ALL), transposed=st.booleans())
def a_tensor_that_is_there_already_is_returned_itself(
    torch: Any, device: str, shape: Shape, dtype: str, transposed: bool
) -> None:
    """to() returns the tensor itself where neither device nor dtype changes, whether the device
    is given as a string or as an object; copy=True makes a copy all the same."""
    for name in supported([dtype]):
        kind = getattr(torch, name)
        x = torch.ones(shape, dtype=kind, device=device)
        x = x.permute(*reversed(range(len(shape)))) if transposed and shape else x
        for spelling, stay in STAYING.items():
            with case(spelling=spelling):
                assert_same_object(stay(torch, x, device, kind), x)
        for spelling, copy in COPYING.items():
            with case(spelling=spelling):
                copied = copy(torch, x, device, kind)
                assert_that(copied is not x, "copy=True returned the tensor itself")
                assert_metadata(copied, shape=tuple(x.shape), dtype=name)
                assert_on(copied, device)


MOVING: dict[str, Spelling] = {
    "to(str)": STAYING["to(str)"],
    "to(device)": STAYING["to(device)"],
    "to(device=)": STAYING["to(device=)"],
    "to(tensor)": STAYING["to(tensor)"],
    "to(device, dtype)": STAYING["to(device, dtype)"],
    "to(copy=True)": COPYING["to(str, copy=True)"],
    "cpu()": lambda torch, x, to, dtype: x.cpu() if to == "cpu" else x.to(to),
}


@clause("device.moves", covers=["minicourse.to-returns-new", "minicourse.cpu-roundtrip",
        "dlnotes.torch-device"], effort=5)  # fmt: skip
@for_all(operand=operands(shapes(max_size=1100)), dtype=st.sampled_from(ALL))
def moving_there_and_back_keeps_every_value(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """to(), and cpu(), return a new tensor on the other device, of the same shape and dtype, and
    leave the first where it was; the way to the CPU and back keeps every bit, NaN and -0.0
    included, whatever the layout."""
    there = elsewhere(device)
    for name in supported([dtype]):
        whole = operand.array(name)
        x = operand.on(torch, device, name)
        for spelling, move in MOVING.items():
            with case(spelling=spelling):
                moved = move(torch, x, there, x.dtype)
                assert_metadata(moved, shape=operand.shape, dtype=name)
                assert_on(moved, there)
                assert_on(x, device)
                if there == "cpu":
                    assert_equal(moved, whole)
        with case(spelling="there and back"):
            host = x.to("cpu", copy=True)
            assert_on(host, "cpu")
            assert_equal(host, whole)
            back = host.to(device, copy=True)
            assert_on(back, device)
            assert_equal(back, whole)
            if operand.shape and back.numel():
                back.zero_()
            assert_equal(host, whole)
            assert_equal(x, whole)


CASTS = st.sampled_from([*product(ALL, repeat=2)])

CONVERTING: dict[str, Spelling] = {
    "to(str, dtype)": STAYING["to(device, dtype)"],
    "to(device, dtype)": lambda torch, x, to, dtype: x.to(torch.device(to), dtype),
    "to(device=, dtype=)": STAYING["to(device=, dtype=)"],
    "to(str, dtype=)": lambda torch, x, to, dtype: x.to(to, dtype=dtype),
    "to(device, dtype, True)": lambda torch, x, to, dtype: x.to(to, dtype, True),
    "to(tensor)": STAYING["to(tensor)"],
}


@clause(
    "device.converts",
    covers=["basics.to-device-and-dtype", "minicourse.to-returns-new"],
    effort=5,
)
@for_all(shape=shapes(max_size=1100), dtypes=CASTS, seed=seeds())
def one_call_moves_and_converts(
    torch: Any, device: str, shape: Shape, dtypes: tuple[str, str], seed: int
) -> None:
    """x.to(device, dtype) moves and converts in one call, by position and by keyword, towards
    the device and back; x keeps its device, its dtype and its values."""
    source, target = dtypes
    for first, second in product(supported([source]), supported([target])):
        given, expected = samples(shape, first, second, seed)
        kind = getattr(torch, second)
        x = tensor_of(torch, device, given)
        origins = [x] if kind_of(device) == "cpu" else [x, tensor_of(torch, "cpu", given)]
        for origin in origins:
            for spelling, convert in CONVERTING.items():
                with case(spelling=spelling, origin=origin.device.type):
                    got = convert(torch, origin, device, kind)
                    assert_on(got, device)
                    assert_equal(got, expected)
            assert_equal(origin, given)
        with case(spelling="to another device"):
            got = x.to(elsewhere(device), kind)
            assert_on(got, elsewhere(device))
            assert_metadata(got, shape=shape, dtype=second)
            if elsewhere(device) == "cpu":
                assert_equal(got, expected)
            assert_on(x, device)


def _stretchable(shape: Shape, how: str) -> Shape:
    """A shape that broadcasts to the given one."""
    if how == "scalar":
        return ()
    if how == "row" and 0 not in shape[:1]:
        return shape[1:]
    if how == "ones":
        return tuple(1 if i % 2 else n for i, n in enumerate(shape))
    return shape


@clause(
    "device.copy", covers=["notes.copy-between-devices"], requires={"in-place", "views"}, effort=4
)
@for_all(
    shape=shapes(max_size=1100),
    how=st.sampled_from([*product(("same", "row", "ones", "scalar"), ("contiguous", "stepped",
        "transposed", "offset", "gapped", "permuted"))]),
    dtypes=CASTS,
    seed=seeds(),
    layout=layouts(),
)  # fmt: skip
def copy_converts_and_broadcasts_into_the_tensor(
    torch: Any, device: str, shape: Shape, how: tuple[str, str], dtypes: tuple[str, str],
    seed: int, layout: str,
) -> None:  # fmt: skip
    """copy_ writes the other tensor's values into the tensor, converted to its dtype and device
    and broadcast to its shape, writes nothing around it, and returns it; non_blocking changes
    no value. The other tensor stays as it is."""
    source, target = dtypes
    for first, second in product(supported([source]), supported([target])):
        given, expected = samples(_stretchable(shape, how[0]), first, second, seed)
        if layout == "expanded":
            given, expected = (
                np.broadcast_arrays(given[:1], given)[0] if given.ndim else given,
                (np.broadcast_arrays(expected[:1], expected)[0] if expected.ndim else expected),
            )
        result = np.broadcast_to(expected, shape)
        blank = np.zeros(shape, expected.dtype)
        pairs = {(device, device), (device, "cpu"), ("cpu", device)}
        for (to, origin), more in product(sorted(pairs), ({}, {"non_blocking": True})):
            with case(to=to, origin=origin, **more):
                x = _arranged(torch, origin, given, layout)
                into = place(torch, to, blank, how[1])
                assert_same_object(into.view.copy_(x, **more), into.view)
                _synchronize(torch, device)
                assert_equal(into.base, into.after(result))
                assert_on(into.view, to)
                assert_equal(x, given)


def _arranged(torch: Any, device: str, array: np.ndarray, layout: str) -> Any:
    if layout == "expanded" and array.ndim and array.shape[0]:
        return tensor_of(torch, device, array[:1].copy()).expand(*array.shape)
    return place(torch, device, array, "contiguous" if layout == "expanded" else layout).view


@clause("device.copy-shapes", covers=["notes.copy-between-devices"], requires={"in-place"},
        metadata_only=True, effort=8)  # fmt: skip
@for_all(clashing=incompatible_shapes(), dtypes=CASTS)
def copy_refuses_what_does_not_broadcast(
    torch: Any, device: str, clashing: tuple[Shape, Shape], dtypes: tuple[str, str]
) -> None:
    """copy_ keeps the tensor's shape and dtype, and raises for a tensor that does not broadcast
    to its shape, be it that it has a dimension more, even of length 1."""
    for first, second in product(supported(dtypes[:1]), supported(dtypes[1:])):
        x = torch.ones(clashing[0], dtype=getattr(torch, first), device=device)
        y = torch.ones(clashing[1], dtype=getattr(torch, second), device=device)
        assert_raises(x.copy_, y)
        for longer in ((1, *clashing[0]), (2, *clashing[0])):
            assert_raises(x.copy_, torch.ones(longer, dtype=y.dtype, device=device))
        z = torch.ones(clashing[0], dtype=getattr(torch, second), device=device)
        assert_metadata(x.copy_(z), shape=clashing[0], dtype=first)
        assert_on(x.copy_(z), device)


# ------------------------------------------------------------------ making


def _factories(torch: Any, x: Any, shape: Shape) -> dict[str, Callable[..., Any]]:
    """Factories of a tensor of the given shape; they take dtype= and device=."""
    return {
        "zeros": lambda **o: torch.zeros(shape, **o),
        "ones": lambda **o: torch.ones(shape, **o),
        "empty": lambda **o: torch.empty(shape, **o),
        "full": lambda **o: torch.full(shape, 1, **o),
        "empty_strided": lambda **o: torch.empty_strided(shape, (1,) * len(shape), **o),
        "zeros_like": lambda **o: torch.zeros_like(x, **o),
        "ones_like": lambda **o: torch.ones_like(x, **o),
        "empty_like": lambda **o: torch.empty_like(x, **o),
        "full_like": lambda **o: torch.full_like(x, 1, **o),
        "new_zeros": lambda **o: x.new_zeros(shape, **o),
        "new_ones": lambda **o: x.new_ones(shape, **o),
        "new_empty": lambda **o: x.new_empty(shape, **o),
        "new_full": lambda **o: x.new_full(shape, 1, **o),
    }


def _floating(torch: Any, x: Any, shape: Shape) -> dict[str, Callable[..., Any]]:
    return {
        "rand": lambda **o: torch.rand(shape, **o),
        "randn": lambda **o: torch.randn(shape, **o),
        "rand_like": lambda **o: torch.rand_like(x, **o),
        "randn_like": lambda **o: torch.randn_like(x, **o),
    }


def _numbered(torch: Any) -> dict[str, Callable[..., Any]]:
    """Factories of three numbers."""
    return {
        "tensor": lambda **o: torch.tensor([1, 0, 1], **o),
        "as_tensor": lambda **o: torch.as_tensor([1, 0, 1], **o),
        "arange": lambda **o: torch.arange(3, **o),
        "linspace": lambda **o: torch.linspace(0, 2, 3, **o),
        "randint": lambda **o: torch.randint(0, 2, (3,), **o),
        "randperm": lambda **o: torch.randperm(3, **o),
        "eye": lambda **o: torch.eye(3, **o)[0],
    }


@clause("device.factories", covers=["basics.create-on-device"], metadata_only=True, effort=0.75)
@for_all(shape=shapes(max_rank=3, max_size=600), dtype=st.sampled_from(ALL), text=st.booleans())
def factories_make_their_tensor_on_the_device(
    torch: Any, device: str, shape: Shape, dtype: str, text: bool
) -> None:
    """A factory makes its tensor on the device that device= names, by string or by object, and
    so do *_like and new_*, wherever their tensor is; without device= these stay with it."""
    for name in supported([dtype]):
        kind = getattr(torch, name)
        for origin in (device, elsewhere(device)):
            x = torch.zeros(shape, dtype=kind, device=origin)
            calls = _factories(torch, x, shape)
            if name.startswith(("float", "bfloat")):
                calls |= _floating(torch, x, shape)
            for function, make in calls.items():
                with case(function=function, origin=origin):
                    got = make(dtype=kind, device=device if text else torch.device(device))
                    assert_metadata(got, shape=shape, dtype=name)
                    assert_on(got, device)
                    if text:
                        assert_on(make(device=elsewhere(device)), elsewhere(device))
                    if "like" in function or "new" in function:
                        assert_on(make(), origin)


@contextmanager
def _default_device(torch: Any, name: str) -> Iterator[None]:
    before = torch.get_default_device()
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None if before.type == "cpu" else before)


@clause("device.default", covers=["basics.create-on-device"], metadata_only=True)
def a_default_device_is_where_factories_create(torch: Any, device: str) -> None:
    """Inside `with torch.device(d)`, and after set_default_device(d), factories create on d
    unless device= names another; afterwards they create on the CPU again."""
    contexts: dict[str, Callable[[str], Any]] = {
        "with torch.device": torch.device,
        "set_default_device": lambda name: _default_device(torch, name),
    }
    x = torch.zeros(2, 3, device=device)
    made = {**_factories(torch, x, (2, 3)), **_floating(torch, x, (2, 3)), **_numbered(torch)}
    for function, make in made.items():
        fixed = "like" in function or "new" in function
        for here, (context, enter) in product((device, elsewhere(device)), contexts.items()):
            with case(function=function, context=context, device=here):
                with enter(here):
                    assert_on(make(), device if fixed else here)
                    assert_on(make(device=device), device)
                    assert_on(make(device=elsewhere(device)), elsewhere(device))
                assert_on(make(), device if fixed else "cpu")
    for function, make in _numbered(torch).items():
        with case(function=function):
            assert_on(make(device=device), device)
            assert_on(make(device=torch.device(device)), device)


# ------------------------------------------------------------------ meeting


def _meetings(torch: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """Operations of two float tensors of shape (3,)."""
    elementwise = ("add", "sub", "mul", "div", "maximum", "minimum", "pow", "atan2", "fmod",
                   "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "hypot")  # fmt: skip
    meetings: dict[str, Callable[[Any, Any], Any]] = {
        name: getattr(torch, name) for name in elementwise
    }
    return meetings | {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
        "<": lambda x, y: x < y,
        "Tensor.add": lambda x, y: x.add(y),
        "cat": lambda x, y: torch.cat([x, y]),
        "stack": lambda x, y: torch.stack([x, y]),
        "where": lambda x, y: torch.where(x > 0, x, y),
        "where(condition)": lambda x, y: torch.where(y > 0, x, x),
        "addcmul": lambda x, y: torch.addcmul(x, y, x),
        "lerp": lambda x, y: torch.lerp(x, y, 0.5),
        "dot": torch.dot,
        "clamp": lambda x, y: torch.clamp(x, min=y),
        "masked_fill": lambda x, y: x.masked_fill(y > 0, 0),
        "mse_loss": torch.nn.functional.mse_loss,
    }


def _moving_meetings(torch: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """Those that PyTorch's CPU kernels do not check against the meta device."""
    return {
        "matmul": lambda x, y: x.expand(3, 3) @ y.expand(3, 3),
        "mv": lambda x, y: x.expand(3, 3).mv(y),
        "bmm": lambda x, y: torch.bmm(x.expand(1, 3, 3), y.expand(1, 3, 3)),
        "linear": lambda x, y: torch.nn.functional.linear(x, y.expand(2, 3)),
        "gather": lambda x, y: x.gather(0, (y * 0).long()),
        "index_select": lambda x, y: x.index_select(0, (y * 0).long()),
    }


@clause("device.one-device", covers=["minicourse.same-device-rule"])
def tensors_of_two_devices_do_not_meet(torch: Any, device: str) -> None:
    """The tensors of an operation have to be on one device: operands of two raise, whichever
    comes first, and the operands stay as they are."""
    there = elsewhere(device)
    x = torch.tensor([1.0, 2.0, 3.0], device=device)
    y = torch.tensor([1.0, 2.0, 3.0], device=there)
    calls = _meetings(torch)
    if there != "meta":
        calls |= _moving_meetings(torch)
    for function, call in calls.items():
        with case(function=function):
            assert_on(call(x, x.clone()), device)
            assert_raises(call, x, y)
            assert_on(call(y, y.clone()), there)
            assert_raises(call, y, x)
    out = torch.zeros(3, device=there)
    assert_on(torch.add(x, x, out=torch.zeros(3, device=device)), device)
    assert_raises(torch.add, x, x, out=out)
    module = torch.nn.Linear(3, 2).to(device)
    assert_on(module(x), device)
    assert_equal(x, np.array([1, 2, 3], np.float32))


@clause("device.scalars-meet", covers=["minicourse.same-device-rule"])
def a_cpu_tensor_without_dimensions_meets_any_device(torch: Any, device: str) -> None:
    """A 0-d CPU tensor may be an operand beside tensors of any device, whose result stays on
    theirs; a 0-d tensor of another device beside CPU tensors may not, nor one of dimension 1."""
    away = elsewhere(device) if kind_of(device) == "cpu" else device
    values = np.array([1, 2, 3], np.float32)
    x = torch.tensor([1.0, 2.0, 3.0], device=away)
    host = torch.tensor([1.0, 2.0, 3.0])
    number, number_away = torch.tensor(2.0), torch.tensor(2.0, device=away)
    single = torch.tensor([2.0])
    functions = (("add", np.add), ("sub", np.subtract), ("mul", np.multiply),
                 ("div", np.divide), ("maximum", np.maximum), ("gt", np.greater))  # fmt: skip
    for name, reference in functions:
        call = getattr(torch, name)
        with case(function=name):
            for got, expected in (
                (call(x, number), reference(values, np.float32(2))),
                (call(number, x), reference(np.float32(2), values)),
            ):
                assert_on(got, away)
                assert_metadata(got, shape=(3,), dtype=expected.dtype.name)
                if away != "meta":
                    assert_equal(got, expected)
            assert_raises(call, host, number_away)
            assert_raises(call, number_away, host)
            assert_raises(call, x, single)
            assert_equal(call(host, number), reference(values, np.float32(2)))
    got = torch.where(x > 1, x, number)
    assert_on(got, away)
    assert_metadata(got, shape=(3,), dtype="float32")


# ------------------------------------------------------------------ accelerators


def _module(torch: Any, device: str) -> Any:
    return getattr(torch, kind_of(device))


def _synchronize(torch: Any, device: str) -> None:
    """Wait for what the device has been given to do."""
    module = getattr(torch, kind_of(device), None)
    if module is not None:  # without a module, a library has nothing to wait for
        module.synchronize()


@clause("device.named-method", covers=["dlnotes.cuda-method", "minicourse.device-count"],
        requires={"accelerator"})  # fmt: skip
def the_method_named_like_the_device_moves_there(torch: Any, device: str) -> None:
    """x.cuda() moves to the current device as x.to('cuda') does, x.cuda(i) to number i; a tensor
    that is there is returned itself; get_device_name(i) names the hardware. Other accelerators
    have the method and the module of their name."""
    kind = kind_of(device)
    whole = np.arange(6, dtype=np.float32)
    host = torch.arange(6, dtype=torch.float32)
    count = 0 if kind in ("cpu", "mps") else _module(torch, device).device_count()
    # Metal has one device and no method of its name.
    moved = host.to(kind) if kind == "mps" else getattr(host, kind)()
    assert_on(moved, kind)
    assert_that(moved.device == host.to(kind).device, f"it is on {moved.device}")
    assert_equal(moved, whole)
    for index in range(count):
        method, named = getattr(host, kind), torch.device(kind, index)
        for spelling in (index, f"{kind}:{index}", named):
            with case(number=spelling):
                moved = method(spelling)
                assert_that(moved.device == named, f"it is on {moved.device}")
                assert_that(moved.device == host.to(f"{kind}:{index}").device, "to() differs")
                assert_equal(moved, whole)
                assert_same_object(getattr(moved, kind)(spelling), moved)
        name = _module(torch, device).get_device_name(index)
        assert_that(isinstance(name, str) and bool(name.strip()), f"its name is {name!r}")
        assert_equal(_module(torch, device).get_device_name(named), name)
    assert_on(host, "cpu")
    assert_on(moved.cpu(), "cpu")
    assert_equal(moved.cpu(), whole)


@clause("device.as-if-in-order", covers=["notes.async-errors", "notes.copy-between-devices"],
        requires={"in-place"})  # fmt: skip
def results_are_as_if_each_operation_waited(torch: Any, device: str) -> None:
    """However the device orders its work, a result is that of the operations one after the
    other: what is read back, at once or after synchronize(), copied without blocking or
    written over afterwards, never shows an earlier or a later state."""
    _synchronize(torch, device)
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    for count in (1, 1025, 2**16 + 1):
        with case(elements=count):
            start = np.arange(count, dtype=np.int64)
            x = torch.arange(count, device=device)
            kept, expected = [], start.copy()
            snapshots = []
            for step in range(40):
                x.mul_(3).add_(step).remainder_(1000003)
                expected = (expected * 3 + step) % 1000003
                if step % 8 == 0:
                    kept.append((x.clone(), x.to("cpu", non_blocking=True, copy=True)))
                    snapshots.append(expected.copy())
            assert_equal(x, expected)
            assert_equal(int(x.sum().item()), int(expected.sum()))
            _synchronize(torch, device)
            for (clone, host), snapshot in zip(kept, snapshots, strict=True):
                assert_equal(clone, snapshot)
                assert_equal(host, snapshot)
            back = torch.zeros(count, dtype=torch.int64, device=device)
            back.copy_(kept[0][1], non_blocking=True)
            back.add_(1)
            assert_equal(back, snapshots[0] + 1)


# ------------------------------------------------------------------ the meta device


def _operations(torch: Any, shape: Shape) -> dict[str, Callable[[Any, Any], Any]]:
    """Operations of two tensors of one shape, of at least one dimension."""
    last = shape[-1]
    functional = torch.nn.functional
    return {
        "add": lambda x, y: x + y,
        "add a number": lambda x, y: x + 1,
        "mul a float": lambda x, y: x * 0.5,
        "div": lambda x, y: x / y,
        "neg": lambda x, y: x.neg(),
        "gt": lambda x, y: x > y,
        "where": lambda x, y: torch.where(x > y, x, y),
        "abs": lambda x, y: x.abs(),
        "add_": lambda x, y: x.clone().add_(y),
        "clone": lambda x, y: x.clone(),
        "contiguous": lambda x, y: x.contiguous(),
        "float64": lambda x, y: x.to(torch.float32),
        "sum": lambda x, y: x.sum(),
        "sum of bools": lambda x, y: (x > 1).sum(),
        "cumsum of bools": lambda x, y: (x > 1).cumsum(0),
        "torch.add": lambda x, y: torch.add(x, 1),
        "torch.mul": lambda x, y: torch.mul(x, y),
        "sum(0)": lambda x, y: x.sum(0),
        "sum(-1, True)": lambda x, y: x.sum(-1, keepdim=True),
        "amax": lambda x, y: x.amax(-1),
        "argmax": lambda x, y: x.argmax(0),
        "max": lambda x, y: x.max(-1),
        "any": lambda x, y: (x > 0).any(0),
        "cumsum": lambda x, y: x.cumsum(-1),
        "sort": lambda x, y: x.sort(-1),
        "transpose": lambda x, y: x.transpose(0, -1),
        "unsqueeze": lambda x, y: x.unsqueeze(1),
        "squeeze": lambda x, y: x.squeeze(),
        "flatten": lambda x, y: x.flatten(),
        "reshape": lambda x, y: x.reshape(-1, last),
        "expand": lambda x, y: x.unsqueeze(0).expand(3, *shape),
        "select": lambda x, y: x[0],
        "slice": lambda x, y: x[..., ::2],
        "narrow": lambda x, y: x.narrow(-1, 0, last - 1),
        "split": lambda x, y: x.split(2, -1),
        "cat": lambda x, y: torch.cat([x, y], -1),
        "stack": lambda x, y: torch.stack([x, y]),
        "index": lambda x, y: x[torch.tensor([0, 0, 0], device=x.device)],
        "zeros_like": lambda x, y: torch.zeros_like(x),
        "empty_like float": lambda x, y: torch.empty_like(x, dtype=torch.float32),
        "new_ones": lambda x, y: x.new_ones(2, 3),
        "tril": lambda x, y: x.reshape(-1, last).tril(),
        "matmul": lambda x, y: x.float().reshape(-1, last) @ y.float().reshape(-1, last).t(),
        "mean": lambda x, y: x.float().mean(-1),
        "softmax": lambda x, y: x.float().softmax(-1),
        "relu": lambda x, y: functional.relu(x),
        "layer_norm": lambda x, y: functional.layer_norm(x.float(), (last,)),
        "pad": lambda x, y: functional.pad(x, (1, 2)),
        "one_hot": lambda x, y: functional.one_hot(torch.zeros(3, dtype=torch.int64,
                                                               device=x.device), 4),
    }  # fmt: skip


def _geometry(result: Any) -> list[tuple[Shape, str, list[int]]]:
    """Shape, dtype and the strides that matter of every tensor of a result."""
    tensors = result if isinstance(result, tuple | list) else [result]
    return [
        (
            tuple(tensor.shape),
            dtype_name(tensor.dtype),
            [step for n, step in zip(tensor.shape, tensor.stride(), strict=True) if n > 1]
            if tensor.numel()
            else [],
        )
        for tensor in tensors
    ]


@clause("device.meta", covers=["notes.meta-device"], requires={"views"}, effort=0.6)
@for_all(
    operand=st.builds(
        Operand,
        shapes(min_rank=1, max_size=300, empty=False),
        layouts(writable=True),
        st.just("small"),
        seeds(),
    ),
    dtype=st.sampled_from(("float32", "int64", "float64", "int32", "float16", "bfloat16")),
)
def meta_tensors_foretell_shape_dtype_and_stride(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """An operation on meta tensors gives the shapes, dtypes and strides that it gives on a real
    device, for every layout of the operands."""
    for name in supported([dtype]):
        real = operand.on(torch, device, name)
        like = operand.on(torch, "meta", name)
        assert_equal(_geometry(like), _geometry(real))
        for make in (torch.empty_like, torch.zeros_like, torch.ones_like):
            assert_equal(_geometry(make(real, device="meta")), _geometry(make(real)))
        operations = [*_operations(torch, operand.shape).items()]
        for turn in range(8):
            function, call = operations[(operand.seed * 8 + turn) % len(operations)]
            with case(function=function):
                got = call(like, like)
                for tensor in got if isinstance(got, tuple | list) else [got]:
                    assert_on(tensor, "meta")
                assert_equal(_geometry(got), _geometry(call(real, real)))


@clause("device.meta-holds-nothing", covers=["notes.meta-device"], metadata_only=True)
def meta_tensors_hold_no_data(torch: Any, device: str) -> None:
    """A tensor on the meta device takes no memory, however large, and has no values: reading
    one, or moving it to a real device, raises; to_empty and *_like make it anew there."""
    real = "cpu" if kind_of(device) == "meta" else device
    for shape in ((), (3,), (2, 3), (2**20, 2**20)):
        with case(shape=shape):
            x = torch.ones(shape, device="meta")
            assert_metadata(x, shape=shape, dtype="float32")
            assert_metadata(x + x, shape=shape, dtype="float32")
            assert_that(x.is_meta, "it is no meta tensor")
            if x.numel() > 10:
                continue
            readings = (x.tolist, x.cpu, x.sum().item, x.numpy, (x.sum() > 0).__bool__)
            for reading in readings:
                assert_raises(reading)
            assert_raises(x.to, real)
            assert_raises(torch.ones(shape, device=real).copy_, x)
            made = torch.zeros_like(x, device=real)
            assert_on(made, real)
            assert_metadata(made.to("meta"), shape=shape, dtype="float32")
            assert_metadata(x.copy_(made), shape=shape, dtype="float32")
            assert_on(x.copy_(made), "meta")
            read_back = made.tolist() if real != "meta" else None
            assert_that(read_back is not None, "the real tensor has no values")
    module = torch.nn.Linear(3, 2, device="meta")
    assert_on(module.weight, "meta")
    assert_metadata(module(torch.ones(5, 3, device="meta")), shape=(5, 2), dtype="float32")
    assert_on(module.to_empty(device=real).weight, real)
