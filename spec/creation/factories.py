"""What all factories have in common: dtype, device, out=, memory, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LAYOUTS, LENGTHS, MANY, Operand, place, shapes, tensor_of
from tenet.spec.cases.factories import (
    FACTORIES,
    FRESH,
    FROM_A_TENSOR,
    INTO_OUT,
    OF_DEFAULT_DTYPE,
    WRONG,
    WRONG_OPTIONS,
)
from tenet.spec.cases.spacings import fits
from tenet.spec.creation.common import Shape, as_python, dtypes
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import ALL, DTYPES, FLOATS, INTEGERS, numpy_dtype


@clause("creation.dtype-argument", covers=["basics.dtype-argument"], metadata_only=True)
def every_factory_returns_the_dtype_that_it_is_given(torch: Any, device: str) -> None:
    """dtype= is what a factory returns, for every factory and dtype, by whichever of its names the
    dtype is given (torch.long is torch.int64, torch.double is torch.float64)."""
    for name in supported(ALL):
        x = torch.empty(2, 2, dtype=torch.float32, device=device)
        for alias in (name, *DTYPES[name].aliases):
            given = getattr(torch, alias)
            with case(dtype=alias):
                for factory, (call, made) in FACTORIES.items():
                    if name in made:
                        with case(factory=factory):
                            y = call(torch, dtype=given, device=device)
                            assert_metadata(y, dtype=name)
                            assert_equal(y.dtype == given, True)
                for factory, (call, made) in FROM_A_TENSOR.items():
                    if name in made:
                        with case(factory=factory):
                            assert_metadata(call(torch, x, dtype=given), shape=(2, 2), dtype=name)
                if name in ("int32", "int64"):
                    for corner in ("tril_indices", "triu_indices"):
                        with case(factory=corner):
                            y = getattr(torch, corner)(3, 3, 1, dtype=given, device=device)
                            count = 8 if corner == "tril_indices" else 3
                            assert_metadata(y, shape=(2, count), dtype=name)


@clause(
    "creation.default-dtype",
    covers=["minicourse.arange", "dlnotes.tensor-from-list-or-array"],
    requires={"default-dtype"},
)
def factories_follow_the_default_dtype(torch: Any, device: str) -> None:
    """Where nothing else decides, a factory makes the default float dtype; set_default_dtype
    changes it. Integers and bools still infer int64 and bool."""
    before = torch.get_default_dtype()
    for default in supported(FLOATS):
        try:
            torch.set_default_dtype(getattr(torch, default))
            made = {name: call(torch, device) for name, call in OF_DEFAULT_DTYPE.items()}
            integers = torch.arange(3, device=device), torch.tensor([1], device=device)
            full = torch.full((2,), 3, device=device)
            bools = torch.tensor([True], device=device)
        finally:
            torch.set_default_dtype(before)
        with case(default=default):
            for name, x in made.items():
                with case(factory=name):
                    assert_metadata(x, dtype=default)
            for x in (*integers, full):
                assert_metadata(x, dtype="int64")
            assert_metadata(bools, dtype="bool")


@clause("creation.out", covers=["basics.dtype-argument"], requires={"out", "views", "in-place"})
def factories_write_into_out(torch: Any, device: str) -> None:
    """Given out=, a factory writes into that tensor, in its dtype and through its strides, touches
    nothing around it, and returns it; an empty one takes the shape of what is written."""
    for name in supported(INTEGERS + FLOATS):
        for factory, (call, numbers) in INTO_OUT.items():
            expected = numbers.astype(numpy_dtype(name))
            for layout in LAYOUTS:
                if layout == "expanded":
                    continue
                held = np.full(expected.shape, 77, expected.dtype)
                there = place(torch, device, held, layout)
                with case(factory=factory, dtype=name, layout=layout):
                    options = {"out": there.view}
                    if factory.startswith("full"):
                        options["dtype"] = getattr(torch, name)
                    assert_same_object(call(torch, **options), there.view)
                    assert_equal(there.base, there.after(expected))
            with case(factory=factory, dtype=name, out="empty"):
                into = torch.empty(0, dtype=getattr(torch, name), device=device)
                options = {"out": into}
                if factory.startswith("full"):
                    options["dtype"] = into.dtype
                assert_same_object(call(torch, **options), into)
                assert_equal(into, expected)


@clause(
    "creation.independent",
    covers=["minicourse.zeros-ones", "minicourse.like", "basics.new-ones"],
    requires={"in-place"},
    effort=1,  # an example tries every factory
)
@for_all(
    shape=shapes(min_rank=1, max_size=300, empty=False),
    layout=st.sampled_from(("contiguous", "expanded", "transposed", "stepped")),
    dtype=dtypes,
)
def a_new_tensor_shares_memory_with_no_other(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """What a factory returns has memory of its own: a write to one element changes neither its
    other elements, also where those of the tensor that the factory was given share memory, nor
    that tensor, nor what the same call makes next."""
    operand = Operand(shape, layout)
    for name in supported([dtype]):
        x, array = operand.on(torch, device, name), operand.array(name)
        for factory, call in FRESH.items():
            first, second = call(torch, x, device), call(torch, x, device)
            before = read(first)
            corner = (0,) * before.ndim
            written = before.copy()
            written[corner] = not before[corner]
            first[corner] = as_python(written[corner])
            with case(factory=factory):
                assert_equal(first, written)
                assert_equal(second, before)
                assert_equal(call(torch, x, device), before)
                assert_equal(x, array)


@clause(
    "creation.every-length",
    thorough=True,
    covers=["minicourse.zeros-ones", "minicourse.like", "minicourse.arange", "basics.new-ones"],
)
def every_length_of_every_dtype_is_filled(torch: Any, device: str) -> None:
    """Factories fill tensors of every dtype to the last element, at any length: a scalar, none
    at all, and the lengths around those in which a device works."""
    for name in supported(ALL):
        options = {"dtype": getattr(torch, name), "device": device}
        for shape in [(), *((n,) for n in (*LENGTHS, MANY))]:
            zeros, ones = np.zeros(shape, numpy_dtype(name)), np.ones(shape, numpy_dtype(name))
            with case(dtype=name, shape=shape):
                x = torch.zeros(shape, **options)
                assert_equal(x, zeros)
                assert_equal(torch.ones(shape, **options), ones)
                assert_equal(torch.full(shape, 1, **options), ones)
                assert_equal(torch.ones_like(x), ones)
                assert_equal(torch.full_like(x, 1), ones)
                assert_equal(x.new_ones(shape), ones)
                assert_equal(x.new_full(shape, 1), ones)
                y = tensor_of(torch, device, ones)
                assert_equal(torch.zeros_like(y), zeros)
                assert_equal(y.new_zeros(shape), zeros)
                counts = np.arange(zeros.size)
                if shape and name in INTEGERS + FLOATS and fits(counts, name):
                    counted = counts.astype(numpy_dtype(name))
                    assert_equal(torch.arange(zeros.size, **options), counted)


@clause(
    "creation.device-argument", covers=["minicourse.like", "basics.new-ones"], metadata_only=True
)
def factories_make_tensors_on_the_device_that_they_are_given(torch: Any, device: str) -> None:
    """device=, a string or a torch.device, is where the tensor lives; *_like and new_* use their
    argument's device. layout=torch.strided, the default, may be said."""
    there = torch.device(device)
    x = torch.empty(2, 2, device=device)
    for name, (call, made) in FACTORIES.items():
        with case(factory=name):
            for dtype in supported(made[:1]):
                options = {"dtype": getattr(torch, dtype), "layout": torch.strided}
                for spelling in (device, there):
                    y = call(torch, device=spelling, **options)
                    assert_equal(y.device.type, there.type)
                    assert_equal(y.device == x.device, True)
    for name, (call, _) in FROM_A_TENSOR.items():
        with case(factory=name):
            assert_equal(call(torch, x).device == x.device, True)
            assert_equal(call(torch, x, device=there).device == x.device, True)
            # From a tensor of the CPU onto the device, and from the device to the CPU.
            assert_equal(call(torch, torch.ones(2, 2), device=device).device == x.device, True)
            assert_equal(call(torch, x, device="cpu").device.type, "cpu")


@clause(
    "creation.bad-input",
    covers=["minicourse.zeros-ones", "minicourse.rand", "minicourse.arange", "dlnotes.eye",
            "dlnotes.linspace", "dlnotes.empty", "dlnotes.tensor-from-list-or-array"],
)  # fmt: skip
def factories_refuse_what_makes_no_tensor(torch: Any, device: str) -> None:
    """Sizes that are negative or no integers, a step of 0 or away from the end, ranges without an
    end, data that are no numbers, a missing argument, and options that do not exist all raise."""
    for name, bad, good in WRONG:
        factory = getattr(torch, name)
        with case(factory=name, arguments=bad):
            assert_raises(factory, *bad, device=device)
            assert_equal(factory(*good, device=device).device.type, torch.device(device).type)
    calls: list[tuple[str, Any]] = [("tensor", [1.0]), ("zeros", 2), ("ones", 2), ("empty", 2)]
    for name, argument in [*calls, ("arange", 2.0), ("eye", 2), ("rand", 2)]:
        factory = getattr(torch, name)
        for wrong, option in WRONG_OPTIONS:
            with case(factory=name, option=wrong):
                assert_raises(factory, argument, **({"device": device} | option))
        assert_metadata(factory(argument, dtype=torch.float32, device=device), dtype="float32")
    for name in supported(INTEGERS):
        with case(call="new_zeros and zeros_like", dtype=name):
            x = torch.ones(2, dtype=getattr(torch, name), device=device)
            assert_raises(x.new_zeros, -1)
            assert_raises(torch.zeros_like, [1, 2])
            assert_equal(x.new_zeros(1), np.zeros(1, numpy_dtype(name)))
            assert_equal(torch.zeros_like(x), np.zeros(2, numpy_dtype(name)))
