"""The bridge to NumPy: arrays and CPU tensors over the same memory, and equal results."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, arrange, layouts, seeds, shapes, tensor_of, values
from tenet.spec.cases.layouts import LAYOUTS
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    elements,
    for_all,
    has,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, INTEGERS, NUMERIC, numpy_dtype
from tenet.spec.model.tolerance import summation, ulps

BRIDGED = tuple(name for name in ALL if name != "bfloat16")
"""The dtypes that NumPy has too."""
ARITHMETIC = tuple(name for name in NUMERIC if name != "bfloat16")
REGIMES = ("small", "signed", "normal", "extreme")  # all equal to themselves: no nan

TO_TENSOR: dict[str, Callable[[Any, Any], Any]] = {
    "from_numpy": lambda torch, array: torch.from_numpy(array),
    "as_tensor": lambda torch, array: torch.as_tensor(array),
    "asarray": lambda torch, array: torch.asarray(array),
    "as_tensor(dtype=)": lambda torch, array: torch.as_tensor(
        array, dtype=getattr(torch, array.dtype.name)
    ),
    "as_tensor(device=)": lambda torch, array: torch.as_tensor(array, device="cpu"),
    "asarray(copy=False)": lambda torch, array: torch.asarray(array, copy=False),
}
TO_ARRAY: dict[str, Callable[[Any], Any]] = {
    "numpy": lambda tensor: tensor.numpy(),
    "asarray": lambda tensor: np.asarray(tensor),
    "__array__": lambda tensor: tensor.__array__(),
    "numpy(force=False)": lambda tensor: tensor.numpy(force=False),
    "numpy(force=True)": lambda tensor: tensor.numpy(force=True),
    "detach().numpy": lambda tensor: tensor.detach().numpy(),
    "cpu().numpy": lambda tensor: tensor.cpu().numpy(),
    "asarray(dtype=)": lambda tensor: np.asarray(
        tensor, dtype=numpy_dtype(str(tensor.dtype).rpartition(".")[2])
    ),
}


def _assert_array(got: Any, expected: Any) -> None:
    """The array is one of NumPy's, and has the dtype, shape and elements of `expected`."""
    assert_that(isinstance(got, np.ndarray), f"it is a {type(got).__name__}, no array")
    assert_equal(got.dtype.name, expected.dtype.name)
    assert_equal(got.shape, expected.shape)
    assert_equal(got.tolist(), expected.tolist())


def _strides_of(array: Any) -> tuple[int, ...] | None:
    """Strides in elements; None where lengths of 0 or 1 leave them open."""
    if min(array.shape, default=2) < 2:
        return None
    return tuple(stride // array.itemsize for stride in array.strides)


@clause(
    "numpy.from-numpy",
    covers=["minicourse.from-numpy-shares", "basics.numpy-inplace-both-ways"],
    requires={"numpy", "in-place"},
    effort=2,
)
@for_all(
    dtype=st.sampled_from(BRIDGED),
    spelling=st.sampled_from((*TO_TENSOR, *["from_numpy"] * 4)),
    shape=shapes(max_size=300),
    layout=layouts(),
    seed=seeds(),
)
def from_numpy_shares_memory_with_the_array(
    torch: Any, device: str, dtype: str, spelling: str, shape: Any, layout: str, seed: int
) -> None:
    """from_numpy() (and as_tensor() and asarray(), asked for no other dtype) gives a CPU tensor
    of the array's dtype, shape and strides over the same memory: what is written on either side
    shows on the other, and nothing beside it changes."""
    if not shape and spelling.startswith("asarray"):
        spelling = "from_numpy"  # whether asarray shares a 0-d array, as a scalar, is open
    for name in supported([dtype]):
        before, by_array, by_tensor = (
            values(shape, name, REGIMES[(seed + shift) % 4], seed + shift) for shift in range(3)
        )
        arrangement = arrange(before, layout)
        base = arrangement.base.copy()
        array = _seen(arrangement, base)
        tensor = TO_TENSOR[spelling](torch, array)
        assert_metadata(tensor, dtype=name, shape=array.shape, stride=_strides_of(array))
        assert_equal(str(tensor.device), "cpu")
        assert_equal(elements(tensor), array.tolist())
        if array.size:
            assert_equal(tensor.data_ptr(), array.ctypes.data)
        base[...] = arrange(by_array, layout).base
        assert_equal(elements(tensor), array.tolist())
        if layout != "expanded":
            expected = base.copy()
            arrangement.of_array(expected)[...] = by_tensor
            tensor.copy_(tensor_of(torch, "cpu", by_tensor))
            assert_equal(base.tolist(), expected.tolist())


def _seen(arrangement: Any, base: Any) -> Any:
    """The operand as a writable view of the base; NumPy's own broadcast arrays are read-only."""
    array = arrangement.of_array(base)
    if array.flags.writeable:
        return array
    return np.lib.stride_tricks.as_strided(base, array.shape, array.strides)


@clause(
    "numpy.numpy",
    covers=["minicourse.numpy-shares", "basics.numpy-inplace-both-ways"],
    requires={"numpy", "in-place"},
    effort=0.5,
)
@for_all(
    dtype=st.sampled_from(BRIDGED),
    spelling=st.sampled_from(tuple(TO_ARRAY)),
    shape=shapes(max_size=300),
    layout=layouts(),
    seed=seeds(),
)
def numpy_shares_memory_with_the_tensor(
    torch: Any, device: str, dtype: str, spelling: str, shape: Any, layout: str, seed: int
) -> None:
    """numpy() of a CPU tensor (and np.asarray() of it) gives an array of its dtype, shape and
    strides over the same memory: what is written on either side shows on the other, and nothing
    beside it changes."""
    for name in supported([dtype]):
        before, by_array, by_tensor = (
            values(shape, name, REGIMES[(seed + shift) % 4], seed + shift) for shift in range(3)
        )
        arrangement = arrange(before, layout)
        base = tensor_of(torch, device, arrangement.base)
        tensor = arrangement.of_tensor(base)
        array = TO_ARRAY[spelling](tensor)
        _assert_array(array, np.array(arrangement.of_array(arrangement.base)))
        if _strides_of(array) is not None:
            assert_equal(_strides_of(array), tuple(tensor.stride()))
        if array.size:
            assert_equal(array.ctypes.data, tensor.data_ptr())
        changed = arrange(by_tensor, layout)
        base.copy_(tensor_of(torch, device, changed.base))
        _assert_array(array, np.array(changed.of_array(changed.base)))
        if layout != "expanded":
            expected = changed.base.copy()
            changed.of_array(expected)[...] = by_array
            array[...] = by_array
            assert_equal(elements(base), expected.tolist())


def _add_to_tensor(tensor: Any) -> None:
    tensor += 1


def _add_to_array(array: Any) -> None:
    array += 1


BY_TENSOR: dict[str, Callable[[Any], object]] = {
    "t.add_(1)": lambda tensor: tensor.add_(1),
    "t += 1": _add_to_tensor,
    "t.add_(t of ones)": lambda tensor: tensor.add_(tensor.new_ones(tensor.shape)),
}
BY_ARRAY: dict[str, Callable[[Any], object]] = {
    "np.add(a, 1, out=a)": lambda array: np.add(array, 1, out=array),
    "a += 1": _add_to_array,
    "a[...] = a + 1": lambda array: array.__setitem__(..., array + 1),
}


@clause(
    "numpy.both-ways",
    covers=[
        "basics.numpy-inplace-both-ways",
        "minicourse.numpy-shares",
        "minicourse.from-numpy-shares",
    ],
    requires={"numpy", "in-place"},
)
def in_place_changes_show_on_the_other_side(torch: Any, device: str) -> None:
    """t.add_(1) and t += 1 show in the array, np.add(a, 1, out=a) and a += 1 in the tensor,
    whichever of the two was there first, at any length, again and again. The array of a default
    tensor is float32; the tensor of a default array stays float64."""
    assert_equal(torch.ones(5, device=device).numpy().dtype.name, "float32")
    assert_metadata(torch.from_numpy(np.ones(5)), dtype="float64", shape=(5,))
    for name, length in product(supported(ARITHMETIC), (1, 5, 8, 17, 64, 1025)):
        expected = (np.arange(length) % 50).astype(numpy_dtype(name))
        for first in ("array", "tensor"):
            if first == "array":
                array = expected.copy()
                tensor = torch.from_numpy(array)
            else:
                tensor = tensor_of(torch, device, expected)
                array = tensor.numpy()
            now = expected
            for side, writes in ((tensor, BY_TENSOR), (array, BY_ARRAY)):
                for write, change in writes.items():
                    change(side)
                    now = now + np.ones((), now.dtype)
                    with case(dtype=name, length=length, first=first, write=write):
                        assert_equal(elements(tensor), now.tolist())
                        assert_equal(array.tolist(), now.tolist())


_MOMENTS: dict[str, Callable[[Any, Any], object]] = {
    "t_": lambda torch, tensor: tensor.t_(),
    "unsqueeze_": lambda torch, tensor: tensor.unsqueeze_(0),
    "squeeze_": lambda torch, tensor: tensor.squeeze_(),
    "transpose_": lambda torch, tensor: tensor.transpose_(0, 1),
    "as_strided_": lambda torch, tensor: tensor.as_strided_((2, 2), (2, 1), 1),
    "data": lambda torch, tensor: setattr(tensor, "data", torch.ones_like(tensor)),
    "set_": lambda torch, tensor: tensor.set_(tensor.new_ones(4)),
    "resize_": lambda torch, tensor: tensor.resize_(2),
}
"""What gives a tensor another shape or other memory, in place; one after the other."""


@clause("numpy.of-the-moment", covers=["minicourse.numpy-shares"], requires={"numpy", "in-place"})
def an_array_is_that_of_the_tensor_as_it_is(torch: Any, device: str) -> None:
    """numpy() and np.asarray() show the tensor as it is when they are called: with the shape, the
    strides and the memory that it has been given in place since the last time. An array that was
    asked for before stays what it is."""
    for name, spelling in product(supported(BRIDGED), TO_ARRAY):
        to_array = TO_ARRAY[spelling]
        tensor = tensor_of(torch, device, (np.arange(6) % 2).astype(numpy_dtype(name)))
        tensor = tensor.reshape(2, 3)
        for moment, change in _MOMENTS.items():
            before = to_array(tensor)
            shape, held = before.shape, before.tolist()
            change(torch, tensor)
            with case(dtype=name, spelling=spelling, after=moment):
                array = to_array(tensor)
                assert_equal(array.shape, tuple(tensor.shape))
                assert_equal(array.tolist(), elements(tensor))
                assert_equal(array.ctypes.data, tensor.data_ptr())
                assert_equal((before.shape, before.tolist()), (shape, held))


@clause(
    "numpy.rebinding",
    covers=["minicourse.reassign-does-not-share"],
    requires={"numpy"},
    effort=0.75,
)
@for_all(dtype=st.sampled_from(ARITHMETIC), length=st.sampled_from(LENGTHS), seed=seeds())
def rebinding_a_name_leaves_the_other_side_unchanged(
    torch: Any, device: str, dtype: str, length: int, seed: int
) -> None:
    """a = a + 1 and t = t + 1 make new objects: the other side, and what the name held before,
    keep their elements, and what is new shares memory with neither."""
    for name in supported([dtype]):
        data = values((length,), name, "small")
        one = np.ones((), data.dtype)
        for first in ("array", "tensor"):
            if first == "array":
                array = data.copy()
                tensor = torch.from_numpy(array)
            else:
                tensor = tensor_of(torch, device, data)
                array = tensor.numpy()
            with case(first=first):
                held_array, held_tensor = array, tensor
                array = array + 1
                assert_equal(elements(tensor), data.tolist())
                tensor = tensor + 1
                assert_equal(elements(tensor), (data + one).tolist())
                assert_equal(held_array.tolist(), data.tolist())
                assert_equal(elements(held_tensor), data.tolist())
                array[...] = 7
                assert_equal(elements(tensor), (data + one).tolist())
                assert_equal(elements(held_tensor), data.tolist())
                for new in (held_tensor.add(1), 1 + held_tensor, torch.add(held_tensor, 1)):
                    assert_equal(elements(new), (data + one).tolist())
                    assert_equal(held_array.tolist(), data.tolist())


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


COPIED_TENSORS: dict[str, Callable[[Any, Any], Any]] = {
    "torch.tensor": lambda torch, array: torch.tensor(array),
    "torch.tensor, read-only": lambda torch, array: torch.tensor(_read_only(array)),
    "asarray(copy=True)": lambda torch, array: torch.asarray(array, copy=True),
    "from_dlpack(copy=True)": lambda torch, array: torch.from_dlpack(array, copy=True),
    "from_dlpack(tensor, copy=True)": lambda torch, array: torch.from_dlpack(
        torch.from_numpy(array), copy=True
    ),
    "from_numpy().clone": lambda torch, array: torch.from_numpy(array).clone(),
    "to(copy=True)": lambda torch, array: torch.from_numpy(array).to("cpu", copy=True),
    "as_tensor(other dtype)": lambda torch, array: torch.as_tensor(
        array, dtype=torch.float64 if array.dtype.name == "float32" else torch.float32
    ),
    "asarray(other dtype)": lambda torch, array: torch.asarray(
        array, dtype=torch.int64 if array.dtype.name == "int32" else torch.int32
    ),
}
COPIED_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "np.array": lambda tensor: np.array(tensor),
    "from_dlpack(copy=True)": lambda tensor: np.from_dlpack(tensor, copy=True),
    "clone().numpy": lambda tensor: tensor.clone().numpy(),
    "numpy().copy": lambda tensor: tensor.numpy().copy(),
    "asarray(other dtype)": lambda tensor: np.asarray(
        tensor, dtype=np.float64 if tensor.element_size() == 4 else np.float32
    ),
    "to(copy).numpy": lambda tensor: tensor.to("cpu", copy=True).numpy(),
}


@clause(
    "numpy.copies",
    covers=["minicourse.from-numpy-shares", "minicourse.numpy-shares"],
    requires={"numpy", "in-place"},
)
def copies_share_nothing(torch: Any, device: str) -> None:
    """torch.tensor(array), asarray(copy=True), a conversion to another dtype, np.array(tensor)
    and a clone's array are copies: later writes on either side are not seen on the other."""
    real = tuple(name for name in BRIDGED if not name.startswith("complex"))
    for name, length in product(supported(real), (1, 8, 33)):
        data = (np.arange(length) % 2).astype(numpy_dtype(name))
        kept = [int(number) for number in data]
        for spelling, copied in COPIED_TENSORS.items():
            with case(dtype=name, length=length, spelling=spelling):
                array = data.copy()
                tensor = copied(torch, array)
                array[...] = 1 - data.astype(int)
                assert_equal([int(number) for number in elements(tensor)], kept)
                tensor.fill_(1)
                assert_equal([int(number) for number in array], [1 - number for number in kept])
        for spelling, copy_of in COPIED_ARRAYS.items():
            with case(dtype=name, length=length, spelling=spelling):
                tensor = tensor_of(torch, device, data)
                array = copy_of(tensor)
                tensor.copy_(tensor_of(torch, device, (1 - data.astype(int)).astype(data.dtype)))
                assert_equal([int(number) for number in array], kept)
                array.fill(1)
                changed = [int(number) for number in elements(tensor)]
                assert_equal(changed, [1 - number for number in kept])


def _unusual_arrays(dtype: str) -> Iterator[tuple[str, Any]]:
    data = (np.arange(24) % 7).astype(numpy_dtype(dtype))
    cube = data.reshape(2, 3, 4)
    yield "0-d", data[5:6].reshape(()).copy()
    yield "0-d view", data[5:6].reshape(())
    for shape in ((0,), (0, 3), (3, 0), (2, 0, 4)):
        yield f"empty {shape}", np.zeros(shape, data.dtype)
    yield "Fortran order", np.asfortranarray(cube)
    yield "last element", data[-1:]
    yield "offset", data[3:]
    yield "diagonal", cube[0, :, :3].diagonal()
    yield "swapped axes", cube.swapaxes(0, 2)[1:, ::2]
    yield "new axis", data[::5, None, None]
    yield "every fifth", data[1::5]
    yield (
        "five dimensions",
        np.ascontiguousarray(data.reshape(1, 2, 3, 2, 2)).transpose(4, 2, 0, 3, 1),
    )
    yield "sliding window", np.lib.stride_tricks.as_strided(data, (5, 3), (data.itemsize,) * 2)
    read_only = cube.copy()
    read_only.flags.writeable = False
    yield "read-only", read_only
    yield "broadcast", np.broadcast_to(data[:4], (3, 4))


@clause(
    "numpy.unusual-arrays",
    covers=["minicourse.from-numpy-shares", "minicourse.numpy-shares"],
    requires={"numpy"},
    thorough=True,
)
def arrays_of_any_nonnegative_strides_are_taken(torch: Any, device: str) -> None:
    """from_numpy(), as_tensor() and asarray() take 0-d, empty, Fortran-ordered, sliced,
    broadcast and read-only arrays of every dtype that both sides have, and keep dtype, shape,
    strides and elements; numpy() and np.asarray() lead back to the same memory."""
    for name in supported(BRIDGED):
        for kind, array in _unusual_arrays(name):
            for spelling, to_tensor in TO_TENSOR.items():
                if not array.ndim and spelling.startswith("asarray"):
                    continue  # whether it shares a 0-d array, as a scalar, is open
                with case(dtype=name, array=kind, spelling=spelling):
                    tensor = to_tensor(torch, array)
                    stride = _strides_of(array)
                    assert_metadata(tensor, dtype=name, shape=array.shape, stride=stride)
                    assert_equal(elements(tensor), array.tolist())
                    if array.size:
                        assert_equal(tensor.data_ptr(), array.ctypes.data)
            tensor = torch.from_numpy(array)
            for spelling, to_array in TO_ARRAY.items():
                with case(dtype=name, array=kind, spelling=spelling):
                    back = to_array(tensor)
                    _assert_array(back, array)
                    if array.size:
                        assert_equal(back.ctypes.data, array.ctypes.data)
                        assert_equal(_strides_of(back), _strides_of(array))


@clause(
    "numpy.lifetime",
    covers=["minicourse.from-numpy-shares", "minicourse.numpy-shares"],
    requires={"numpy"},
)
def shared_memory_lives_as_long_as_either_side(torch: Any, device: str) -> None:
    """The memory stays while either side needs it: a tensor outlives the array that it was made
    from, an array its tensor, and a view of either its base."""
    for name in supported(BRIDGED):
        for length in (1, 17, 5000):
            expected = (np.arange(length) % 100 % 2).astype(numpy_dtype(name))
            outliving = [
                torch.from_numpy(expected.copy()),
                torch.from_numpy(expected.copy()[None])[0],
                torch.as_tensor(np.stack([expected, expected])[1]),
                torch.asarray(expected.copy()),
                torch.frombuffer(bytearray(expected.tobytes()), dtype=getattr(torch, name)),
                torch.from_dlpack(expected.copy()),
                torch.from_dlpack(tensor_of(torch, device, expected)),
            ]
            arrays = [
                tensor_of(torch, device, expected).numpy(),
                np.asarray(tensor_of(torch, device, expected)),
                tensor_of(torch, device, np.stack([expected, expected]))[1].numpy(),
                np.from_dlpack(tensor_of(torch, device, expected)),
                np.from_dlpack(tensor_of(torch, device, np.stack([expected, expected])))[1],
            ]
            gc.collect(0)
            overwriting = [np.full_like(expected, 1) for _ in range(8)]
            overwriting += [torch.ones(length, device=device) for _ in range(8)]
            overwriting += [torch.frombuffer(bytearray(expected.nbytes), dtype=torch.uint8)]
            with case(dtype=name, length=length):
                for tensor in outliving:
                    assert_equal(elements(tensor), expected.tolist())
                for array in arrays:
                    assert_equal(array.tolist(), expected.tolist())


# --------------------------------------------------------------------------------- refusals


@clause("numpy.negative-strides", covers=["minicourse.from-numpy-shares"], requires={"numpy"})
def arrays_with_negative_strides_are_refused(torch: Any, device: str) -> None:
    """Tensors have no negative strides: from_numpy() and as_tensor() of an array that runs
    backwards along any dimension raise, and take a copy of it."""
    for name in supported(BRIDGED):
        data = (np.arange(60) % 50).astype(numpy_dtype(name))
        for shape in ((60,), (2,), (4, 15), (3, 4, 5)):
            array = data[: int(np.prod(shape))].reshape(shape)
            for backwards in product((False, True), repeat=len(shape)):
                if not any(backwards):
                    continue
                flipped = array[tuple(slice(None, None, -1 if b else None) for b in backwards)]
                for each in (flipped, flipped[..., ::2] if shape == (60,) else flipped.T):
                    with case(dtype=name, shape=shape, strides=each.strides):
                        assert_raises(torch.from_numpy, each)
                        assert_raises(torch.as_tensor, each)
                        taken = torch.from_numpy(each.copy())
                        assert_equal(elements(taken), each.tolist())
                        assert_equal(elements(torch.as_tensor(each.copy())), each.tolist())


@clause(
    "numpy.refusals",
    covers=["minicourse.from-numpy-shares", "minicourse.numpy-shares"],
    requires={"numpy"},
)
def what_numpy_cannot_hold_is_refused(torch: Any, device: str) -> None:
    """numpy() of a bfloat16 tensor raises, as NumPy has no such dtype, and so does from_numpy()
    of text, objects, dates and bytes in the other order, or of what is no array; a conversion
    first makes it work."""
    for name in supported(["bfloat16"]):
        for shape in ((), (3,), (2, 0)):
            tensor = torch.ones(shape, dtype=getattr(torch, name), device=device)
            with case(dtype=name, shape=shape):
                for spelling in ("numpy", "asarray", "__array__"):
                    assert_raises(TO_ARRAY[spelling], tensor)
                    _assert_array(TO_ARRAY[spelling](tensor.float()), np.ones(shape, np.float32))
    foreign = (
        np.array(["a", "b"]),
        np.array([b"a"]),
        np.array([None, 1], object),
        np.array(["2020-01-01"], "datetime64[D]"),
        np.zeros(2, [("a", np.float32), ("b", np.int32)]),
        *(np.ones(2, np.dtype(kind).newbyteorder("S")) for kind in ("i2", "f4", "f8", "c8")),
    )
    for array in foreign:
        with case(array=array.dtype.str):
            assert_raises(torch.from_numpy, array)
    for thing in ([1, 2], (1.0,), 1.5, None, "text", torch.ones(2, device=device)):
        with case(thing=type(thing).__name__):
            assert_raises(torch.from_numpy, thing)
    assert_equal(elements(torch.from_numpy(np.array([1, 2], np.int16))), [1, 2])


@clause(
    "numpy.needs-detach",
    covers=["minicourse.numpy-shares"],
    requires={"numpy", "autograd", "in-place"},
)
def tensors_that_require_grad_are_detached_first(torch: Any, device: str) -> None:
    """numpy() and np.asarray() of a tensor that requires grad raise, a leaf or a result;
    detach().numpy() and numpy(force=True) give the array, over the tensor's own memory."""
    floating = ("float32", "float64", "float16", "complex64", "complex128")
    for name in supported(floating):
        data = values((5,), name, "signed", 3)
        leaf = tensor_of(torch, device, data).requires_grad_()
        for kind, tensor in (("leaf", leaf), ("result", leaf * 1), ("view", leaf[1:])):
            with case(dtype=name, tensor=kind):
                for spelling in ("numpy", "asarray", "__array__", "numpy(force=False)"):
                    assert_raises(TO_ARRAY[spelling], tensor)
                expected = data[1:] if kind == "view" else data
                for spelling in ("detach().numpy", "numpy(force=True)"):
                    array = TO_ARRAY[spelling](tensor)
                    _assert_array(array, expected)
                    assert_equal(array.ctypes.data, tensor.data_ptr())
                with torch.no_grad():
                    alone = tensor * 1
                _assert_array(alone.numpy(), expected)


@clause("numpy.needs-resolving", covers=["minicourse.numpy-shares"], requires={"numpy", "views"})
def lazy_conjugates_are_resolved_first(torch: Any, device: str) -> None:
    """numpy() of a conjugated or negated view that is not carried out yet raises;
    resolve_conj() or resolve_neg() first, or force=True, gives the right elements."""
    for name in supported(["complex64", "complex128"]):
        data = values((3, 4), name, "signed", 5)
        tensor = tensor_of(torch, device, data)
        lazy = {
            "conj": (tensor.conj(), data.conj()),
            "transposed": (tensor.t().conj(), data.T.conj()),
            "imag of conj": (tensor.conj().imag, data.conj().imag),
        }
        for kind, (view, expected) in lazy.items():
            with case(dtype=name, view=kind):
                if view.is_conj() or view.is_neg():
                    assert_raises(TO_ARRAY["numpy"], view)
                _assert_array(view.resolve_conj().resolve_neg().numpy(), expected)
                _assert_array(view.numpy(force=True), expected)
        _assert_array(tensor.numpy(), data)


@clause(
    "numpy.not-resizable", covers=["minicourse.from-numpy-shares"], requires={"numpy", "in-place"}
)
def shared_memory_is_not_resized(torch: Any, device: str) -> None:
    """The tensor that from_numpy() returns cannot grow (resize_ raises and changes nothing); one
    that owns its memory can."""
    for name in supported(BRIDGED):
        array = np.ones(3, numpy_dtype(name))
        tensor = torch.from_numpy(array)
        with case(dtype=name):
            for size in ((4,), (5, 7), (1000,)):
                assert_raises(tensor.resize_, size)
            assert_equal([int(number) for number in array], [1, 1, 1])
            own = tensor_of(torch, device, array)
            assert_metadata(own.resize_((5, 7)), shape=(5, 7), dtype=name)


@clause("numpy.off-cpu", covers=["minicourse.gpu-to-numpy", "dlnotes.numpy-cpu-only"])
def tensors_off_the_cpu_come_to_it_first(torch: Any, device: str) -> None:
    """numpy() and np.asarray() of a tensor on another device raise. cpu() first: from an
    accelerator it copies, so later writes on either side are not seen on the other; a CPU tensor
    it returns as it is, and to("cpu", copy=True) copies."""
    for name in supported(BRIDGED):
        data = (np.arange(12) % 2).astype(numpy_dtype(name)).reshape(3, 4)
        tensor = tensor_of(torch, device, data)
        on_cpu = tensor.device.type == "cpu"
        elsewhere = torch.empty(3, 4, dtype=tensor.dtype, device="meta") if on_cpu else tensor
        with case(dtype=name, away=str(elsewhere.device)):
            for view in (elsewhere, elsewhere[1:, ::2], elsewhere[0, 0], elsewhere[:0]):
                for spelling in ("numpy", "asarray", "__array__", "numpy(force=False)"):
                    assert_raises(TO_ARRAY[spelling], view)
        with case(dtype=name):
            _comes_to_the_cpu(torch, tensor, data)
        if on_cpu:
            assert_same_object(tensor.cpu(), tensor)


def _comes_to_the_cpu(torch: Any, tensor: Any, data: Any) -> None:
    other = (data == 0).astype(data.dtype)
    copying: dict[str, Callable[[Any], Any]] = {
        "to(copy=True)": lambda tensor: tensor.to("cpu", copy=True)
    }
    if tensor.device.type != "cpu":
        copying |= {"cpu": lambda tensor: tensor.cpu(), "to": lambda tensor: tensor.to("cpu")}
        _assert_array(tensor.numpy(force=True), data)
    assert_equal(str(tensor.cpu().device), "cpu")
    _assert_array(tensor.cpu().numpy(), data)
    _assert_array(tensor.t().cpu().numpy(), data.T)
    for spelling, copy_of in copying.items():
        with case(spelling=spelling):
            host = copy_of(tensor)
            array = host.numpy()
            _assert_array(array, data)
            for _ in supported(["in-place"]):
                source = tensor.clone()
                array = copy_of(source).numpy()
                source.copy_(tensor_of(torch, str(source.device), other))
                _assert_array(array, data)
                array[...] = data
                assert_equal(elements(source), other.tolist())


# ------------------------------------------------------------------------------ equal results

EXACT: dict[str, tuple[Callable[[Any, Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "a + b": (lambda torch, a, b: a + b, lambda a, b: a + b),
    "a - b": (lambda torch, a, b: a - b, lambda a, b: a - b),
    "a * b": (lambda torch, a, b: a * b, lambda a, b: a * b),
    "-a": (lambda torch, a, b: -a, lambda a, b: -a),
    "abs": (lambda torch, a, b: torch.abs(a), lambda a, b: np.abs(a)),
    "square": (lambda torch, a, b: torch.square(a), lambda a, b: np.square(a)),
    "sign": (lambda torch, a, b: torch.sign(a), lambda a, b: np.sign(a)),
    "maximum": (lambda torch, a, b: torch.maximum(a, b), np.maximum),
    "minimum": (lambda torch, a, b: torch.minimum(a, b), np.minimum),
    "a == b": (lambda torch, a, b: a == b, np.equal),
    "a < b": (lambda torch, a, b: a < b, np.less),
    "where": (lambda torch, a, b: torch.where(a > b, a, b), lambda a, b: np.where(a > b, a, b)),
    "flip": (lambda torch, a, b: torch.flip(a, (0,)), lambda a, b: np.flip(a, 0)),
    "roll": (lambda torch, a, b: torch.roll(a, 2, 0), lambda a, b: np.roll(a, 2, 0)),
    "T": (lambda torch, a, b: a.T, lambda a, b: a.T),
    "reshape": (lambda torch, a, b: a.reshape(-1), lambda a, b: a.reshape(-1)),
    "stack": (lambda torch, a, b: torch.stack([a, b], 1), lambda a, b: np.stack([a, b], 1)),
    "concatenate": (lambda torch, a, b: torch.cat([a, b], 0), lambda a, b: np.concatenate([a, b])),
    "sort": (lambda torch, a, b: torch.sort(a, 1).values, lambda a, b: np.sort(a, 1)),
    "max": (lambda torch, a, b: a.amax(1), lambda a, b: a.max(1)),
    "min": (lambda torch, a, b: a.amin(0), lambda a, b: a.min(0)),
    "any": (lambda torch, a, b: (a > b).any(0), lambda a, b: (a > b).any(0)),
    "all": (lambda torch, a, b: (a > b).all(1), lambda a, b: (a > b).all(1)),
    "tril": (lambda torch, a, b: torch.tril(a), lambda a, b: np.tril(a)),
    "count": (
        lambda torch, a, b: torch.count_nonzero(a, 0),
        lambda a, b: np.count_nonzero(a, 0),
    ),
    "outer": (lambda torch, a, b: torch.outer(a[:, 0], b[0]), lambda a, b: np.outer(a[:, 0], b[0])),
    "clip": (lambda torch, a, b: torch.clamp(a, 2, 5), lambda a, b: np.clip(a, 2, 5)),
    "sum": (  # overflow wraps around on both sides; of floats, sums are bounded below
        lambda torch, a, b: (a != b).sum(0),
        lambda a, b: (a != b).sum(0),
    ),
}


@clause("numpy.same-results", covers=["dlnotes.numpy-cpu-only"], effort=4)
@for_all(
    dtype=st.sampled_from((*INTEGERS, *FLOATS)),
    shape=shapes(min_rank=2, max_rank=2, max_size=1100, empty=False),
    layout=layouts(),
    regime=st.sampled_from(("small", "signed", "normal", "ties")),
    seed=seeds(),
)
def the_same_computation_gives_what_numpy_gives(
    torch: Any, device: str, dtype: str, shape: Any, layout: str, regime: str, seed: int
) -> None:
    """Arithmetic, comparison, selection, sorting, rearranging and counting give exactly the
    elements, shape and dtype that the same expression gives on NumPy arrays."""
    operations = tuple(EXACT)[seed % 4 :: 4]
    for name in supported([dtype]):
        first, second = (
            arrange(values(shape, name, regime, seed + shift), layout) for shift in (0, 9)
        )
        a, b = (side.of_tensor(tensor_of(torch, device, side.base)) for side in (first, second))
        x, y = (side.of_array(side.base) for side in (first, second))
        for operation in operations:
            compute, reference = EXACT[operation]
            expected = np.asarray(reference(x, y))
            if operation == "clip":  # NumPy widens bfloat16 for the bounds' sake
                expected = expected.astype(x.dtype)
            with case(operation=operation):
                assert_equal(compute(torch, a, b), expected, signed_zero=False)


ELEMENTARY = ("exp", "log", "sqrt", "sin", "cos", "tanh", "log1p", "expm1", "exp2", "log2")


@clause("numpy.same-functions", covers=["dlnotes.numpy-cpu-only"], effort=0.75)
@for_all(
    dtype=st.sampled_from(("float32", "float64")),
    shape=shapes(max_size=1100),
    layout=layouts(),
    regime=st.sampled_from(("small", "signed", "normal", "ties")),
    seed=seeds(),
)
def elementary_functions_agree_with_numpy(
    torch: Any, device: str, dtype: str, shape: Any, layout: str, regime: str, seed: int
) -> None:
    """exp, log, sin and their kin agree with NumPy's of the same name within 4 units in the last
    place, division is exact, and sums, means and products of matrices agree within the bound of
    their summation."""
    for name in supported([dtype]):
        given = arrange(values(shape, name, regime, seed), layout)
        tensor = given.of_tensor(tensor_of(torch, device, given.base))
        array = given.of_array(given.base)
        wide = array.astype(np.longdouble)
        bound = ulps(4, name, "the accuracy that vector libraries state")
        for function in ELEMENTARY[seed % 3 :: 3]:
            expected = getattr(np, function)(wide).astype(np.float64)
            with case(function=function):
                got = getattr(torch, function)(tensor)
                assert_close(got, expected, bound)
        with case(function="divide"):
            # By a tensor: devices may multiply with the reciprocal of a number.
            thirds = tensor / torch.full_like(tensor, 3)
            assert_equal(thirds, array / numpy_dtype(name).type(3))
        count = max(array.size, 1)
        total, magnitude = np.asarray(wide.sum(), np.float64), np.abs(wide).sum()
        with case(function="sum"):
            assert_close(tensor.sum(), total, summation(magnitude, count, name, name))
        if array.size:
            bound = summation(magnitude / count, count + 1, name, name)
            with case(function="mean"):
                assert_close(tensor.mean(), total / count, bound)
            flat = wide.reshape(-1)
            bound = summation((flat * flat).sum(), count + 1, name, name)
            with case(function="matmul"):
                row = tensor.reshape(1, -1)
                product_of = np.asarray((flat * flat).sum(), np.float64).reshape(1, 1)
                assert_close(torch.matmul(row, row.T), product_of, bound)


@clause("numpy.buffers", covers=["minicourse.from-numpy-shares"], requires={"numpy"})
def other_buffers_are_shared_as_arrays_are(torch: Any, device: str) -> None:
    """frombuffer() shows a buffer's bytes from an offset on, as many elements as asked for, and
    from_dlpack() an array or a tensor, whatever their strides: over the same memory, so that a
    write on either side shows on the other."""
    for name in supported(("float32", "int64", "int16", "uint8", "float64")):
        dtype = np.dtype(name)
        for offset, count in ((0, -1), (0, 3), (2, 3), (3, -1), (7, 1)):
            with case(dtype=name, offset=offset, count=count):
                memory = bytearray(np.arange(1, 9).astype(dtype).tobytes())
                array = np.frombuffer(memory, dtype)
                shown = array[offset:] if count < 0 else array[offset : offset + count]
                options = {"dtype": getattr(torch, name), "offset": offset * dtype.itemsize}
                given = torch.frombuffer(memory, count=count, **options)
                # All from the offset on are meant, too, where no count is given.
                for shows in (given, torch.frombuffer(memory, **options) if count < 0 else given):
                    assert_metadata(shows, shape=shown.shape, dtype=name)
                    assert_equal(elements(shows), shown.tolist())
                given.fill_(9)
                assert_equal(shown.tolist(), elements(given))
                tracked = [name.startswith("float"), False] if has("autograd") else []
                for asked in tracked:
                    leaf = torch.frombuffer(memory, requires_grad=asked, **options)
                    assert_equal(leaf.requires_grad, asked)
                assert_equal(array.tolist().count(9), len(shown))
        for layout in LAYOUTS:
            for shape in ((6,), (4, 6), (2, 3, 4)):
                arrangement = arrange(values(shape, name, "small"), layout)
                base = arrangement.base.copy()
                array = arrangement.of_array(base)
                tensor = arrangement.of_tensor(torch.from_numpy(base))
                # An array that repeats its elements is read-only: not every DLPack hands that on.
                sources = {"tensor": tensor} | ({"array": array} if array.flags.writeable else {})
                for source, whole in sources.items():
                    with case(dtype=name, layout=layout, shape=shape, source=source):
                        given = torch.from_dlpack(whole)
                        stride = _strides_of(array)
                        assert_metadata(given, shape=shape, dtype=name, stride=stride)
                        assert_equal(given.data_ptr(), array.ctypes.data)
                        assert_equal(elements(given), array.tolist())


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


@clause("numpy.numbers", covers=["dlnotes.numpy-cpu-only"], requires={"numpy"})
def a_numpy_number_counts_as_the_python_number_that_it_is(torch: Any, device: str) -> None:
    """A NumPy number on either side of an operator is what the Python number of its value is, of
    whatever width: the result has the dtype of the tensor, or, of integers and a fraction, the
    default one."""
    for name in supported(NUMERIC):
        tensor = tensor_of(torch, device, np.array([1, 2, 5]).astype(numpy_dtype(name)))
        for kind in ("float64", "float32", "float16", "int64", "int16"):
            number = np.dtype(kind).type(3)
            expected = "float32" if name in INTEGERS and kind in FLOATS else name
            for operator, apply in _OPERATORS.items():
                for tensor_first in (True, False):
                    with case(dtype=name, number=kind, operator=operator, first=tensor_first):
                        ends = (tensor, number) if tensor_first else (number, tensor)
                        by_hand = [apply(n, 3) if tensor_first else apply(3, n) for n in (1, 2, 5)]
                        if expected != "uint8" or min(by_hand) >= 0:
                            array = np.array(by_hand).astype(numpy_dtype(expected))
                            assert_equal(apply(*ends), array)
