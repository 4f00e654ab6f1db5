"""Attributes: what a tensor says of itself, and of its place in memory and in the graph."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import index
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LAYOUTS, Operand, arrange, layouts, operands, seeds, shapes, tensor_of
from tenet.spec.cases.factories import FACTORIES, FROM_A_TENSOR
from tenet.spec.cases.kinds import combined
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
    has,
    supported,
)
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    REAL,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.memory_order import channels_last, is_row_major, row_major

Shape = tuple[int, ...]

dtypes = st.sampled_from(ALL)
differentiable = st.sampled_from(FLOATS + COMPLEX)
DISCRETE = tuple(name for name in ALL if name not in FLOATS + COMPLEX)


def _laid_out(torch: Any, device: str, shape: Shape, layout: str, dtype: str) -> Any:
    """A tensor of a shape in a layout whose elements do not matter, made on the device itself."""
    arrangement = arrange(np.zeros(shape, bool), layout)
    base = torch.zeros(arrangement.base.shape, dtype=getattr(torch, dtype), device=device)
    return arrangement.of_tensor(base)


# ------------------------------------------------------------------------------ the shape


@clause("attributes.size", covers=["dlnotes.size"], metadata_only=True, effort=8)
@for_all(shape=shapes(), layout=layouts(), dtype=dtypes)
def size_is_the_shape(torch: Any, device: str, shape: Shape, layout: str, dtype: str) -> None:
    """shape and size() are equal: the length of every dimension. size(d) is the length of dimension
    d, counted from the end where d is negative; it raises where there is no such dimension."""
    rank = len(shape)
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        assert_equal(tuple(x.shape), shape)
        assert_equal(tuple(x.size()), shape)
        assert_equal(x.shape == x.size(), True)
        for dim in range(-rank, rank):
            with case(dim=dim):
                assert_equal(x.size(dim), shape[dim])
                assert_equal(x.size(dim=dim), shape[dim])
                assert_equal(x.shape[dim], shape[dim])
        assert_raises(x.size, rank)
        assert_raises(x.size, -rank - 1)


@clause("attributes.size-is-a-tuple", covers=["basics.size-is-tuple"], metadata_only=True, effort=8)
@for_all(shape=shapes(), layout=layouts(), dtype=dtypes)
def size_supports_what_a_tuple_supports(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """size() is a torch.Size, a tuple: it can be unpacked, indexed, sliced, joined, repeated,
    compared, hashed, searched and counted, but not changed. numel() is its product."""
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        for size in (x.size(), x.shape):
            assert_that(isinstance(size, torch.Size), f"a {type(size).__name__}, no torch.Size")
            assert_that(isinstance(size, tuple), f"a {type(size).__name__}, no tuple")
            assert_equal([*size], [*shape])
            assert_equal((len(size), hash(size), size == shape), (len(shape), hash(shape), True))
            assert_equal((tuple(size[1:]), tuple(size[::-1])), (shape[1:], shape[::-1]))
            assert_equal(tuple(size + (3,)), (*shape, 3))  # noqa: RUF005 - joining is what is asked
            assert_equal(tuple(size * 2), shape * 2)
            assert_equal((2 in size, size.count(2)), (2 in shape, shape.count(2)))
            assert_equal((size < (2, 2), size >= (2, 2)), (shape < (2, 2), shape >= (2, 2)))
            assert_equal(size.numel(), prod(shape))
            for place, length in enumerate(shape):
                assert_equal(size[place], length)
                assert_equal(size.index(length), shape.index(length))
            assert_raises(_set_first, size)


def _set_first(size: Any) -> None:
    size[0] = 1


@clause("attributes.ndim", covers=["dlnotes.ndim"], metadata_only=True, effort=8)
@for_all(shape=shapes(max_rank=6, max_size=700), layout=layouts(), dtype=dtypes)
def ndim_is_the_number_of_dimensions(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """ndim, dim() and len(shape) are the number of dimensions, 0 for a scalar, also of what views
    make of the tensor."""
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        others = [(x, len(shape)), (x.unsqueeze(0), len(shape) + 1), (x.new_empty(()), 0)]
        if shape and shape[0]:
            others.append((x[0], len(shape) - 1))
        for tensor, rank in others:
            assert_equal(tensor.ndim, rank)
            assert_equal(tensor.dim(), rank)
            assert_equal(len(tensor.shape), rank)


_LARGE = ((2**31,), (2**16, 2**16), (2**31 - 1, 3), (2**20, 2**13, 0))
"""Shapes of more elements than 32 bits count."""


@clause("attributes.numel", covers=["dlnotes.numel"], metadata_only=True, effort=8)
@for_all(shape=shapes(), layout=layouts(), dtype=dtypes)
def numel_is_the_product_of_the_shape(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """numel() is the number of elements: the product of the shape, 1 for a scalar and 0 where any
    length is 0. It counts elements, not memory: those of an expanded tensor all count, and what
    lies between or around them does not."""
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        assert_equal(x.numel(), prod(shape))
        assert_equal(torch.numel(x), prod(shape))
        assert_equal(x.nelement(), prod(shape))
        assert_equal(x.nbytes, prod(shape) * x.element_size())
        assert_equal(x.new_empty(()).numel(), 1)
        assert_equal(x.new_empty((*shape, 0)).numel(), 0)
        assert_equal(x.new_empty((1, *shape)).expand(3, *shape).numel(), 3 * prod(shape))
        if has("views"):  # without them what is expanded would take that much memory
            large = _LARGE[len(shape) % len(_LARGE)]
            with case(expanded=large):
                wide = x.new_empty(()).expand(large)
                counts = (wide.numel(), wide.shape.numel(), wide.nbytes // x.element_size())
                assert_equal(counts, (prod(large),) * 3)


@clause("attributes.protocols", covers=["minicourse.item-single-element", "dlnotes.size"])
def a_tensor_takes_part_in_the_protocols_of_python(torch: Any, device: str) -> None:
    """float(), int(), complex() and the truth of a tensor of one element are its item()'s, whatever
    its rank, and so is how a 0-d tensor is formatted; of no element or several they raise. len()
    and iteration go along the first dimension, which a 0-d tensor has not; a number is in a tensor
    that has it anywhere; Python takes a tensor of integers as an index, and no other; nbytes
    counts elements, and stride(d) counts d from either end."""
    for name in supported(ALL):
        kind = getattr(torch, name)
        zero_d = torch.ones((), dtype=kind, device=device)
        for rank in range(4):
            one = torch.ones((1,) * rank, dtype=kind, device=device)
            with case(dtype=name, ndim=rank):
                assert_equal(
                    (bool(one), bool(one - one if name != "bool" else ~one)), (True, False)
                )
                assert_equal((complex(one), one.nbytes), (1 + 0j, one.element_size()))
                if name not in COMPLEX:
                    assert_equal((float(one), int(one)), (1.0, 1))
                else:
                    assert_equal((bool(one * 1j), complex(one * 1j)), (True, 1j))
                if name in FLOATS:
                    assert_equal((int(one * -1.5), float(one * -1.5)), (-1, -1.5))
                if name in FLOATS and rank == 0:
                    assert_equal(f"{one * 2.25:+.3f}", "+2.250")
                if name in INTEGERS:
                    assert_equal((index(one), "abc"[one]), (1, "b"))
                elif name != "bool":
                    assert_raises(index, one)
        with case(dtype=name, ndim=0):
            assert_raises(len, zero_d)
            assert_raises(iter, zero_d)
            assert_raises(list, zero_d)
        for shape in ((2,), (0,), (2, 1), (1, 2), (2, 3), (0, 2), (2, 2, 3), (1, 2, 1, 2)):
            several = torch.ones(shape, dtype=kind, device=device)
            with case(dtype=name, shape=shape):
                for convert in (bool, float, int):
                    assert_raises(convert, several)
                assert_equal((len(several), len(list(several))), (shape[0], shape[0]))
                assert_equal((1 in several, 0 in several), (prod(shape) > 0, False))
                if prod(shape):
                    several[(-1,) * len(shape)] = 0
                    assert_equal(0 in several, True)
                assert_equal(several.nbytes, prod(shape) * several.element_size())
        if not has("views"):
            continue
        whole = torch.ones((2, 3, 4, 5), dtype=kind, device=device).transpose(1, 3)
        for rank, x in enumerate((whole[0, 0, 0], whole[0, 0], whole[0], whole), 1):
            begins, (step, *steps) = x.storage_offset(), x.stride()
            assert_equal((len(x), len([*x])), (x.shape[0], x.shape[0]))
            for place, row in enumerate(x):
                with case(dtype=name, ndim=rank, row=place):
                    assert_metadata(row, shape=tuple(x.shape[1:]), stride=tuple(steps))
                    assert_equal(row.storage_offset(), begins + place * step)
            for d in range(rank):
                with case(dtype=name, ndim=rank, d=d):
                    assert_equal((x.stride(d), x.stride(d - rank)), (x.stride()[d],) * 2)
                    assert_equal(x.stride()[d], (60, 1, 5, 20)[d - rank])


# -------------------------------------------------------------------- dtype, device, layout


@clause(
    "attributes.three",
    covers=["minicourse.three-attributes", "dlnotes.device", "dlnotes.layout"],
    metadata_only=True,
    effort=8,
)
@for_all(shape=shapes(), layout=layouts(), dtype=dtypes)
def every_tensor_has_a_shape_a_dtype_and_a_device(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """shape, dtype and device are those that the tensor was made with, also seen through views;
    dtype and device are comparable objects. The layout of every dense tensor, contiguous or not, is
    torch.strided."""
    there = torch.device(device)
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        assert_metadata(x, shape=shape, dtype=name)
        assert_equal(x.dtype == getattr(torch, name), True)
        assert_metadata(x.new_empty(()), shape=(), dtype=name)
        assert_that(isinstance(x.dtype, torch.dtype), f"dtype is a {type(x.dtype).__name__}")
        assert_that(isinstance(x.device, torch.device), f"device is a {type(x.device).__name__}")
        assert_equal(x.device.type, there.type)
        if there.index is not None:
            assert_equal(x.device.index, there.index)
        assert_equal(x.is_cuda, there.type == "cuda")
        assert_equal(x.layout == torch.strided, True)
        assert_equal(x.is_sparse, False)
        kind = category(name)
        assert_equal(x.is_floating_point(), kind is Category.FLOAT)
        assert_equal(x.is_complex(), kind is Category.COMPLEX)
        assert_equal(x.requires_grad, False)


_FLOAT_FACTORIES: dict[str, Callable[..., Any]] = {
    "zeros": lambda t, **o: t.zeros(2, 3, **o),
    "ones": lambda t, **o: t.ones(2, 3, **o),
    "empty": lambda t, **o: t.empty(2, 3, **o),
    "rand": lambda t, **o: t.rand(2, 3, **o),
    "randn": lambda t, **o: t.randn(2, 3, **o),
    "full": lambda t, **o: t.full((2, 3), 0.5, **o),
    "eye": lambda t, **o: t.eye(2, 3, **o),
    "arange": lambda t, **o: t.arange(3.0, **o),
    "linspace": lambda t, **o: t.linspace(0, 1, 3, **o),
    "empty_strided": lambda t, **o: t.empty_strided((2, 3), (3, 1), **o),
}


@clause("attributes.defaults", covers=["minicourse.three-attributes"], metadata_only=True)
def float_factories_have_defaults(torch: Any, device: str) -> None:
    """Unless something else is asked for, a float factory makes a float32 tensor on the default
    device that requires no gradient; torch.device as a context changes the default device."""
    for name, factory in _FLOAT_FACTORIES.items():
        with case(factory=name):
            anywhere = factory(torch)
            with torch.device(device):
                here = factory(torch)
            for x in (anywhere, here, factory(torch, device=device)):
                assert_metadata(x, dtype="float32")
                assert_equal(x.requires_grad, False)
                assert_equal(x.layout == torch.strided, True)
            assert_equal(anywhere.device.type, torch.get_default_device().type)
            assert_equal(here.device.type, torch.device(device).type)
    with torch.device(device), case(factory="tensor"):
        # The meta device takes the place of data but keeps none.
        x = torch.tensor([[0.5, 1, 2], [3, 4, 5]])
        assert_metadata(x, shape=(2, 3), dtype="float32")
        assert_equal((x.device.type, x.requires_grad), (torch.device(device).type, False))


@clause("attributes.device", covers=["dlnotes.device"], metadata_only=True)
def device_names_where_the_tensor_lives(torch: Any, device: str) -> None:
    """device names the device on which the tensor was made, as a torch.device that compares equal
    to others of the same name; results live where their operands do. is_cuda, is_cpu and is_meta
    agree with device.type, on the CPU as on any device."""
    for where in dict.fromkeys((device, "cpu")):
        there = torch.device(where)
        for name in supported(ALL):
            x = torch.ones(2, 3, dtype=getattr(torch, name), device=where)
            results = {"x": x, "view": x[:, 1:].t(), "like": torch.zeros_like(x), "sum": x + x}
            for what, tensor in (results | {"data": x.data, "compared": x == x}).items():
                with case(device=where, dtype=name, what=what):
                    assert_equal(tensor.device == x.device, True)
                    assert_equal(tensor.device.type, there.type)
                    assert_equal(tensor.is_cuda, there.type == "cuda")
                    assert_equal(tensor.is_cpu, there.type == "cpu")
                    assert_equal(tensor.is_meta, there.type == "meta")
                    assert_equal(str(tensor.device).partition(":")[0], there.type)


@clause("attributes.layout", covers=["dlnotes.layout"], requires={"sparse"})
def sparse_tensors_have_another_layout(torch: Any, device: str) -> None:
    """A dense tensor's layout is torch.strided; a sparse tensor in coordinate format has the layout
    torch.sparse_coo, and is made dense again by to_dense()."""
    for name in supported(REAL):
        kind = getattr(torch, name)
        array = np.array([[0, 1, 0], [1, 0, 1]]).astype(numpy_dtype(name))
        dense = tensor_of(torch, device, array)
        indices = torch.tensor([[0, 1, 1], [1, 0, 2]], device=device)
        ones = torch.ones(3, dtype=kind, device=device)
        made = torch.sparse_coo_tensor(indices, ones, (2, 3))
        with case(dtype=name):
            assert_equal((dense.layout == torch.strided, dense.is_sparse), (True, False))
            for sparse in (dense.to_sparse(), made):
                assert_equal(sparse.layout == torch.sparse_coo, True)
                assert_equal((sparse.layout == torch.strided, sparse.is_sparse), (False, True))
                assert_metadata(sparse, shape=(2, 3), dtype=name)
                assert_equal(sparse.to_dense(), array)
                assert_equal(sparse.to_dense().layout == torch.strided, True)


# --------------------------------------------------------------------------- the gradient


_OF_DATA: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "tensor": (lambda t, **o: t.tensor([[0.5, 1, 2], [3, 4, 5]], **o), ALL),
    "new_tensor": (lambda t, x, **o: x.new_tensor([[0.5, 1, 2], [3, 4, 5]], **o), ALL),
}


@clause(
    "attributes.requires-grad", covers=["dlnotes.requires-grad"], requires={"autograd"}, effort=6
)
@for_all(shape=shapes(max_size=200), layout=layouts(), dtype=dtypes)
def a_leaf_may_require_gradients_if_its_dtype_can(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """requires_grad is False unless it is given at creation or set afterwards, by assignment or by
    requires_grad_(), on a leaf: on a result that is part of a graph it cannot be switched off. Only
    floating-point and complex tensors may require gradients; for others this raises."""
    for name in supported([dtype]):
        x = Operand(shape, layout).on(torch, device, name)
        options = {"dtype": getattr(torch, name), "device": device}
        assert_equal((x.requires_grad, x.is_leaf), (False, True))
        assert_equal((x + x).requires_grad, False)
        if name in DISCRETE:
            assert_raises(setattr, x, "requires_grad", True)
            assert_raises(x.requires_grad_)
            assert_raises(torch.zeros, shape, requires_grad=True, **options)
            assert_equal(x.requires_grad, False)
            x.requires_grad = False
            assert_equal(torch.zeros(shape, requires_grad=False, **options).requires_grad, False)
            continue
        made = torch.ones(shape, requires_grad=True, **options)
        assert_equal((made.requires_grad, made.is_leaf), (True, True))
        x.requires_grad = True
        assert_equal((x.requires_grad, x.is_leaf), (True, True))
        result = x * 2
        assert_equal((result.requires_grad, result.is_leaf), (True, False))
        assert_raises(setattr, result, "requires_grad", False)
        assert_equal(result.requires_grad, True)
        assert_same_object(x.requires_grad_(False), x)
        assert_equal((x.requires_grad, (x * 2).requires_grad), (False, False))
        assert_equal(x.requires_grad_().requires_grad, True)


@clause(
    "attributes.requires-grad-of-factories",
    covers=["dlnotes.requires-grad", "minicourse.three-attributes"],
    requires={"autograd"},
)
def every_factory_takes_requires_grad(torch: Any, device: str) -> None:
    """Every factory takes requires_grad=True and then makes a leaf that requires gradients, which
    it does not otherwise, not even after the model of a tensor that does; with an integer or bool
    dtype that raises."""
    after = FROM_A_TENSOR | {"new_tensor": _OF_DATA["new_tensor"]}
    for name in supported(ALL):
        options = {"dtype": getattr(torch, name), "device": device}
        for factory, (call, makes) in (FACTORIES | _OF_DATA | after).items():
            if name not in makes:
                continue
            # A model that requires gradients itself hands that to nothing.
            models = [torch.zeros(2, 2, device=device, requires_grad=r) for r in (False, True)]
            for given in [(model,) for model in models] if factory in after else [()]:
                with case(factory=factory, dtype=name):
                    assert_equal(call(torch, *given, **options).requires_grad, False)
                    if name in DISCRETE:
                        assert_raises(call, torch, *given, requires_grad=True, **options)
                    else:
                        x = call(torch, *given, requires_grad=True, **options)
                        assert_metadata(x, shape=tuple(x.shape), dtype=name)
                        assert_equal((x.requires_grad, x.is_leaf, x.grad_fn), (True, True, None))


@clause(
    "attributes.data",
    covers=["dlnotes.data"],
    requires={"autograd", "views", "in-place"},
    effort=4,
)
@for_all(
    shape=shapes(max_size=600),
    layout=layouts(writable=True),
    dtype=differentiable,
    seed=seeds(),
)
def data_is_the_tensor_outside_the_graph(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, seed: int
) -> None:
    """.data is a tensor of the same elements, shape and strides over the same memory: a write
    through either is seen in the other. It requires no gradient and nothing computed from it does,
    even where the tensor does, so it may be written to."""
    operand = Operand(shape, layout, "signed", seed)
    array = operand.array(dtype)
    for name in supported([dtype]):
        x = operand.on(torch, device, name).requires_grad_()
        result = x * 1
        for tensor in (x, result):
            data = tensor.data
            assert_metadata(data, shape=shape, dtype=name, stride=tensor.stride())
            assert_equal((data.requires_grad, data.is_leaf, data.grad_fn), (False, True, None))
            assert_equal((data * 2).requires_grad, False)
            assert_equal(data, array)
            data.mul_(2)
            assert_equal(tensor, array * numpy_dtype(name).type(2))
        with torch.no_grad():
            x.fill_(3)
        assert_equal(x.data, np.full(shape, 3, numpy_dtype(name)))
        assert_equal((x.requires_grad, x.is_leaf), (True, True))


@clause(
    "attributes.data-of-any-dtype",
    covers=["dlnotes.data"],
    requires={"views", "in-place"},
    effort=8,
)
@for_all(shape=shapes(max_size=600), layout=layouts(writable=True), dtype=dtypes)
def data_shares_memory(torch: Any, device: str, shape: Shape, layout: str, dtype: str) -> None:
    """.data shares memory with a tensor of any dtype and layout, and with all of it: what a write
    through .data changes, in the tensor and in what it is a view of, are the tensor's elements."""
    operand = Operand(shape, layout)
    for name in supported([dtype]):
        there = operand.place(torch, device, name)
        new = np.ones(shape, numpy_dtype(name))
        assert_equal(there.view.data, there.array)
        there.view.data.fill_(1)
        assert_equal(there.base, there.after(new))
        there.view.fill_(0)
        assert_equal(there.view.data, np.zeros_like(new))


@clause(
    "attributes.grad", covers=["dlnotes.grad-none-then-tensor"], requires={"autograd"}, effort=0.75
)
@for_all(
    shape=shapes(max_size=600),
    layout=layouts(),
    dtype=differentiable,
    seed=seeds(),
)
def grad_is_none_until_backward_fills_it(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, seed: int
) -> None:
    """A leaf's grad is None before backward(), and after it a tensor of the leaf's shape, dtype and
    device that holds the gradient and requires none itself. A tensor that requires no gradient
    keeps None."""
    gradient = Operand(shape, "contiguous", "signed", seed)
    for name in supported([dtype]):
        x = Operand(shape, layout).on(torch, device, name).requires_grad_()
        other = torch.ones(shape, dtype=getattr(torch, name), device=device)
        assert_same_object(x.grad, None)
        result = x * 2 + other
        assert_same_object(x.grad, None)
        result.backward(gradient.on(torch, device, name))
        assert_equal(x.grad, gradient.array(name) * numpy_dtype(name).type(2), signed_zero=False)
        assert_equal((x.grad.device == x.device, x.grad.requires_grad), (True, False))
        assert_same_object(other.grad, None)
        assert_metadata(x, shape=shape, dtype=name)
        if name in FLOATS:
            y = Operand(shape, layout).on(torch, device, name).requires_grad_()
            y.sum().backward()
            assert_equal(y.grad, np.ones(shape, numpy_dtype(name)))


# ------------------------------------------------------------------------ order in memory


@clause("attributes.T", covers=["dlnotes.T"], requires={"views", "in-place"}, effort=6)
@for_all(
    shape=shapes(2, 2, 3000),
    layout=layouts(writable=True),
    dtype=dtypes,
    seed=seeds(),
)
def T_swaps_rows_and_columns(  # noqa: N802 - its name
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, seed: int
) -> None:
    """T of a 2-D tensor has its columns as rows, as t() and transpose(0, 1) have; it is a view with
    the two strides swapped, so a write to it is a write to the tensor."""
    operand = Operand(shape, layout, "signed", seed)
    array = operand.array(dtype)
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        rows, columns = x.stride()
        assert_metadata(x.T, shape=shape[::-1], dtype=name, stride=(columns, rows))
        assert_equal(x.T, array.T)
        assert_equal(x.T.T, array)
        assert_equal(x.t(), array.T)
        assert_equal(x.mT, array.T)
        assert_equal(torch.transpose(x, 0, 1), array.T)
        assert_equal(x, array)
        if array.size:
            x.T[-1, 0] = 1
            changed = array.copy()
            changed[0, -1] = 1
            assert_equal(x, changed)


@clause("attributes.T-of-other-ranks", covers=["dlnotes.T"], effort=5)
@for_all(operand=operands(shapes(max_size=600)), dtype=dtypes, pair=st.integers(0, 15))
def other_ranks_use_permute_or_transpose(
    torch: Any, device: str, operand: Operand, dtype: str, pair: int
) -> None:
    """At any rank, transpose(d0, d1) swaps two dimensions and permute puts all of them into the
    given order: reversed, permute does what T does to two."""
    array = operand.array(dtype)
    rank = array.ndim
    backwards = tuple(reversed(range(rank)))
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        assert_equal(x.permute(backwards), array.transpose(backwards))
        assert_equal(torch.permute(x, backwards), array.transpose(backwards))
        if rank:
            first, second = pair % rank, pair // 4 % rank
            assert_equal(x.transpose(first, second), array.swapaxes(first, second))
            assert_equal(x.transpose(first - rank, second), array.swapaxes(first, second))
            rotated = (*range(first, rank), *range(first))
            assert_equal(x.permute(*rotated), array.transpose(rotated))


@clause(
    "attributes.is-contiguous", covers=["dlnotes.is-contiguous"], requires={"views"},
    metadata_only=True, effort=8,
)  # fmt: skip
@for_all(shape=shapes(), layout=layouts(), dtype=dtypes)
def contiguous_means_row_major_without_gaps(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str
) -> None:
    """A fresh tensor is contiguous, and so is any whose elements lie in memory one after the other,
    the last dimension first, wherever they begin. Any other is not: a transposed matrix with
    both lengths above 1, a tensor with gaps, an expanded one."""
    arrangement = arrange(np.zeros(shape, np.int8), layout)
    strides = arrangement.of_array(arrangement.base).strides  # of one byte: counted in elements
    expected = is_row_major(shape, strides)
    for name in supported([dtype]):
        x = _laid_out(torch, device, shape, layout, name)
        assert_equal(x.is_contiguous(), expected)
        assert_equal(x.is_contiguous(memory_format=torch.contiguous_format), expected)
        fresh = torch.empty(shape, dtype=getattr(torch, name), device=device)
        assert_equal(fresh.is_contiguous(), True)
        if len(shape) == 2:
            expected = 0 in shape or 1 in shape
            assert_equal(fresh.transpose(0, 1).is_contiguous(), expected)
            assert_equal(fresh.T.is_contiguous(), expected)
            assert_equal(fresh.T.T.is_contiguous(), True)


@clause(
    "attributes.contiguous",
    covers=["dlnotes.is-contiguous"],
    requires={"views", "in-place"},
    effort=8,
)
@for_all(operand=operands(shapes(max_size=1100)), dtype=dtypes)
def contiguous_gives_the_same_elements_in_order(
    torch: Any, device: str, operand: Operand, dtype: str
) -> None:
    """contiguous() returns the tensor itself where it is contiguous; otherwise a contiguous tensor
    of the same elements, dtype and shape in memory of its own, and the source stays as it is."""
    array = operand.array(dtype)
    shape = operand.shape
    for name in supported([dtype]):
        x = operand.on(torch, device, name)
        y = x.contiguous()
        assert_equal(y, array)
        assert_equal(y.is_contiguous(), True)
        assert_metadata(y, stride=None if 0 in shape or y is x else row_major(shape))
        assert_same_object(y.contiguous(), y)
        if is_row_major(shape, x.stride()):
            assert_same_object(y, x)
        else:
            before = x.stride()
            y.fill_(1)
            assert_equal(x, array)
            assert_metadata(x, shape=shape, stride=before)


_MATRICES: tuple[Shape, ...] = ((2, 3), (3, 3), (1, 4), (4, 1), (0, 2), (17, 8), (33, 33))


@clause(
    "attributes.order-of-every-layout",
    thorough=True,
    covers=["dlnotes.T", "dlnotes.is-contiguous", "dlnotes.data"],
    requires={"views"},
)
def the_order_in_memory_never_matters(torch: Any, device: str) -> None:
    """Of a matrix of any dtype in any layout, T, data and contiguous() have the right elements, and
    is_contiguous() says whether they lie in order."""
    for name in supported(ALL):
        for layout in LAYOUTS:
            for shape in _MATRICES:
                operand = Operand(shape, layout, "signed", 5)
                array, x = operand.array(name), operand.on(torch, device, name)
                with case(dtype=name, layout=layout, shape=shape):
                    assert_equal(x.T, array.T)
                    assert_equal(x.data, array)
                    assert_equal(x.contiguous(), array)
                    assert_equal(x.T.contiguous(), array.T)
                    assert_equal(x.is_contiguous(), is_row_major(shape, x.stride()))


@clause(
    "attributes.contiguous-channels-last",
    covers=["dlnotes.is-contiguous"],
    requires={"views"},
    effort=8,
    shows=lambda operand, dtype: combined(dtype, operand.shape, operand.layout),
)
@for_all(
    operand=operands(shapes(4, 5, 900, empty=False)),
    dtype=dtypes,
)
def contiguous_takes_a_memory_format(torch: Any, device: str, operand: Operand, dtype: str) -> None:
    """contiguous(memory_format=torch.channels_last), or channels_last_3d at rank 5, gives
    the same elements with dimension 1 varying fastest; is_contiguous with that format agrees.
    clone() and to() take a memory format as well."""
    shape = operand.shape
    three = len(shape) == 5
    array = operand.array(dtype)
    for name in supported([dtype]):
        last = torch.channels_last_3d if three else torch.channels_last
        x = operand.on(torch, device, name)
        y = x.contiguous(memory_format=last)
        assert_equal(y, array)
        assert_equal(y.is_contiguous(memory_format=last), True)
        assert_same_object(y.contiguous(memory_format=last), y)
        if 1 not in shape:
            assert_metadata(y, stride=channels_last(shape))
            assert_equal(y.is_contiguous(), False)
        assert_equal(y.contiguous(), array)
        for spelling, copy in {
            "clone": x.clone(memory_format=last),
            "to": x.to(memory_format=last),
            "to(dtype)": x.to(x.dtype, memory_format=last),
            "to(copy)": x.to(copy=True, memory_format=last),
        }.items():
            with case(spelling=spelling):
                assert_equal(copy, array)
                if 1 not in shape:
                    assert_metadata(copy, stride=channels_last(shape))
        assert_equal(dtype_name(y.dtype), name)
