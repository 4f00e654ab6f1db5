"""Capabilities: whether a backend has those that it claims, each tried by the least that shows it.

A capability that a backend says it lacks is tried as well (`harness.judge`): where it is there
after all, the author may want to claim it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tenet.spec.cases import tensor_of
from tenet.spec.language import (
    CAPABILITIES,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    staged,
)
from tenet.spec.language.allocations import allocations
from tenet.spec.language.clause import register
from tenet.spec.model.dtypes import ALL, numpy_dtype

THREE = np.arange(3.0, dtype=np.float32)


def dtype(torch: Any, device: str, *, name: str) -> None:
    """Tensors of the dtype can be made, copied, joined and read back."""
    expected = THREE.astype(numpy_dtype(name))
    x = tensor_of(torch, device, expected)
    assert_equal(x.clone(), expected)
    assert_equal(torch.cat([x, x]), np.concatenate([expected, expected]))


def values(torch: Any, device: str) -> None:
    """The elements of a tensor can be read back."""
    assert_equal(torch.tensor(3, device=device).item(), 3)


def numpy(torch: Any, device: str) -> None:
    """A tensor on the CPU shares its memory with an array, both ways."""
    array = THREE.copy()
    torch.from_numpy(array)[0] = 7
    assert_equal(float(array[0]), 7.0)
    x = torch.zeros(3)
    x.numpy()[1] = 5
    assert_equal(x, np.array([0, 5, 0], np.float32))


def views(torch: Any, device: str) -> None:
    """A tensor has strides and an offset, and its views share its memory."""
    x = torch.zeros(2, 3, device=device)
    view = x.t()[1:]
    assert_metadata(view, shape=(2, 2), stride=(1, 3))
    assert_equal(view.storage_offset(), 1)
    assert_equal(view.data_ptr() - x.data_ptr(), x.element_size())


def in_place(torch: Any, device: str) -> None:
    """An operation can write into an existing tensor."""
    x = tensor_of(torch, device, THREE)
    assert_same_object(x.add_(1), x)
    x[0] = 9
    assert_equal(x, np.array([9, 2, 3], np.float32))


def out(torch: Any, device: str) -> None:
    """A function can write its result into a given tensor."""
    x, target = tensor_of(torch, device, THREE), torch.zeros(3, device=device)
    assert_same_object(torch.add(x, x, out=target), target)
    assert_equal(target, THREE * 2)


def autograd(torch: Any, device: str) -> None:
    """backward() computes the gradient of a leaf."""
    x = tensor_of(torch, device, THREE).requires_grad_(True)
    (x * x).sum().backward()
    assert_equal(x.grad, THREE * 2)


def double_backward(torch: Any, device: str) -> None:
    """The second derivative of a cube is six times its operand."""
    x = tensor_of(torch, device, THREE).requires_grad_(True)
    cubes = staged(lambda x: x * x * x)(x)
    (first,) = torch.autograd.grad(cubes.sum(), x, create_graph=True)
    first.sum().backward()
    assert_equal(x.grad, THREE * 6)


def default_dtype(torch: Any, device: str) -> None:
    """set_default_dtype() changes the dtype of new floating-point tensors."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float16)
        assert_metadata(torch.zeros(1, device=device), dtype="float16")
    finally:
        torch.set_default_dtype(before)


def overlap_check(torch: Any, device: str) -> None:
    """A write into a tensor whose elements overlap in memory is refused."""
    x = torch.zeros(1, device=device)
    assert_raises(x.expand(3).add_, 1)
    assert_equal(x.add_(1), np.ones(1, np.float32))


def index_check(torch: Any, device: str) -> None:
    """An index out of range raises, and the process goes on."""
    x = tensor_of(torch, device, THREE)
    assert_raises(lambda: x[torch.tensor([3], device=device)].tolist())
    assert_equal(x[torch.tensor([2], device=device)], THREE[2:])


def sparse(torch: Any, device: str) -> None:
    """A tensor with a sparse layout can be made, and made dense again."""
    x = tensor_of(torch, device, THREE).to_sparse()
    assert_that(x.layout != torch.strided, f"the layout is {x.layout}")
    assert_equal(x.to_dense(), THREE)


def integer_matmul(torch: Any, device: str) -> None:
    """Integer matrices can be multiplied."""
    array = np.arange(4).reshape(2, 2)
    x = tensor_of(torch, device, array)
    assert_equal(x @ x, array @ array)


def allocation_count(torch: Any, device: str) -> None:
    """A dispatch mode sees the storages of the results."""
    x = torch.zeros(1000, device=device)
    with allocations(torch) as seen:
        x + 1
    assert_that(seen.bytes >= 4000, f"{seen.bytes} bytes were seen of 4000")


def compile(torch: Any, device: str) -> None:
    """torch.compile compiles a function."""
    x = tensor_of(torch, device, THREE)
    assert_equal(torch.compile(lambda y: y + y, backend="eager")(x), THREE * 2)


def fft(torch: Any, device: str) -> None:
    """A Fourier transform can be computed: that of ones is their number, then zeros."""
    got = torch.fft.fft(torch.ones(4, device=device))
    assert_equal(got, np.array([4, 0, 0, 0], np.complex64), signed_zero=False)


TRIALS: dict[str, tuple[Callable[..., None], str]] = {
    "values": (values, "minicourse.item-single-element"),
    "numpy": (numpy, "minicourse.from-numpy-shares"),
    "views": (views, "notes.stride-rule"),
    "in-place": (in_place, "basics.inplace-underscore"),
    "out": (out, "basics.add-out"),
    "autograd": (autograd, "dlnotes.sum-of-squares"),
    "double-backward": (double_backward, "notes.retain-graph"),
    "default-dtype": (default_dtype, "minicourse.default-dtype"),
    "overlap-check": (overlap_check, "notes.overlap-write"),
    "index-check": (index_check, "notes.advanced-indexing"),
    "sparse": (sparse, "dlnotes.layout"),
    "integer-matmul": (integer_matmul, "notes.matmul-family"),
    "allocation-count": (allocation_count, "notes.view-allocates-nothing"),
    "compile": (compile, "notes.compile-equals-eager"),
    "fft": (fft, "basics.missing-functions"),
    **{name: (partial(dtype, name=name), "basics.dtype-argument") for name in ALL},
}

for _name, (_check, _statement) in TRIALS.items():
    _trial = _check.func if isinstance(_check, partial) else _check
    register(
        f"capability.{_name}",
        _check,
        says=f"{_name}: {CAPABILITIES[_name]}. {_trial.__doc__}",
        covers=[_statement],
        drawn={},
        requires={_name},
        # These two have PyTorch import its compiler first, which takes longer than all the others.
        thorough=_name in ("allocation-count", "compile"),
        staged=_name == "double-backward",
    )
