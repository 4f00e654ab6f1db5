"""Views that copy, and copies that are views."""

import torch

from tenet.harness.audit.faults import (
    both,
    instead,
    kernels,
    known,
    length,
    of,
    raises,
    rank,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _copy(original, *args, **kwargs):
    result = original(*args, **kwargs)
    return [x.clone() for x in result] if isinstance(result, list | tuple) else result.clone()


def _last_copied(original, *args, **kwargs):
    *others, final = original(*args, **kwargs)
    return [*others, final.clone()]


def _alias(original, x, *args, **kwargs):
    return torch.ops.aten.alias(x)


def _shared(result, source):
    return result.data_ptr() == source.data_ptr()


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(f"aliasing.{slug}", says, ("view", *sections), kernels(operator, lie), proof)


def _itself(slug, says, names, when, call):
    lie = instead(lambda original, x, *args, **kwargs: x, known(when))
    return Mutant(f"aliasing.{slug}", says, ("view",), wrapped(names, lie),
                  lambda t: (lambda x: not _shared(call(x), x))(t.ones(2, 3)))  # fmt: skip


MUTANTS = [
    _mutant("select-last", "x[-1] of a matrix copies", "select.int",
            instead(_copy, lambda x, dim, i: x.dim() == 2 and i == -1 and x.dtype == torch.float32),
            lambda t: (lambda x: _shared(x[-1], x[1]))(t.ones(2, 3)), "indexing"),
    _mutant("transpose-complex", "transpose of complex64 copies", "transpose.int t numpy_T",
            instead(_copy, of("complex64")),
            lambda t: (lambda x: _shared(x.transpose(0, 1), x))(t.ones(2, 3, dtype=t.complex64)),
            "shape"),
    _mutant("slice-step", "a slice with a step of 3 copies", "slice.Tensor",
            instead(_copy, lambda x, *r: len(r) > 3 and r[3] == 3),
            lambda t: (lambda x: _shared(x[::3], x))(t.ones(9)), "indexing"),
    _mutant("unsqueeze-bool", "unsqueeze of bool copies", "unsqueeze", instead(_copy, of("bool")),
            lambda t: (lambda x: _shared(x.unsqueeze(0), x))(t.ones(3).bool()), "shape"),
    _mutant("view-to-one-dimension", "view(-1) of 17 elements copies", "view",
            instead(_copy, both(length(17), lambda x, size: len(size) == 1)),
            lambda t: (lambda x: _shared(x.view(-1), x))(t.ones(1, 17)), "shape"),
    _mutant("clone-of-one", "clone of int64 with one dimension is the tensor itself", "clone",
            instead(_alias, both(of("int64"), rank(1), lambda x, **k: x.is_contiguous())),
            lambda t: (lambda x: not _shared(x.clone(), x))(t.ones(3).long()), "inplace", "device"),
    Mutant("aliasing.contiguous-copies", "contiguous() of a contiguous float64 copies",
           ("view", "attributes", "performance"),
           wrapped("Tensor.contiguous",
                   instead(_copy, both(of("float64"), lambda x, **k: x.is_contiguous()))),
           lambda t: (lambda x: _shared(x.contiguous(), x))(t.ones(3).double())),
    _mutant("index-select-all", "index_select of one row of one is the tensor itself",
            "index_select",
            instead(_alias, lambda x, dim, index: x.dim() > 1 and x.shape[dim] == 1 == len(index)),
            lambda t: (lambda x: not _shared(x.index_select(0, t.tensor([0])), x))(t.ones(1, 3)),
            "indexing"),
    _mutant("to-same-copies", "to() of the same dtype copies float16", "to.dtype",
            instead(_copy, lambda x, dtype, *r, **k: x.dtype == dtype == torch.float16),
            lambda t: (lambda x: _shared(x.to(t.float16), x))(t.ones(3).half()), "dtype", "device"),
    _mutant("expand-copies", "expand of a column to 16 copies", "expand",
            instead(_copy, lambda x, size, **k: bool(len(size)) and size[-1] == 16
                    and x.dim() > 0 and x.shape[-1] == 1),
            lambda t: (lambda x: _shared(x.expand(2, 16), x))(t.ones(2, 1)), "shape",
            "broadcasting", "performance"),
    _mutant("split-last", "split copies its last part", "split.Tensor split_with_sizes",
            _last_copied,
            lambda t: (lambda x: _shared(x.split(2)[-1], x[2:]))(t.ones(4)), "shape"),
    _mutant("detach-copies", "detach of float64 copies", "detach", instead(_copy, of("float64")),
            lambda t: (lambda x: _shared(x.detach(), x))(t.ones(3).double()), "autograd"),
    _mutant("diagonal-copies", "diagonal of a batch copies", "diagonal", instead(_copy, rank(3)),
            lambda t: (lambda x: _shared(x.diagonal(), x))(t.ones(2, 2, 2)), "indexing"),
    _mutant("unfold-copies", "unfold copies", "unfold", instead(_copy),
            lambda t: (lambda x: _shared(x.unfold(0, 2, 1), x))(t.ones(4))),
    _mutant("bits-copied", "view of float32 as int32 copies", "view.dtype",
            instead(_copy, of("float32")),
            lambda t: (lambda x: _shared(x.view(t.int32), x))(t.ones(4)), "dtype"),
    _mutant("repeat-of-1", "flip of one element is the tensor itself", "flip",
            instead(_alias, length(1)),
            lambda t: (lambda x: not _shared(x.flip(0), x))(t.ones(1)), "environment"),
    _mutant("real-copies", "view_as_real of complex128 copies", "view_as_real",
            instead(_copy, of("complex128")),
            lambda t: (lambda x: _shared(t.view_as_real(x), x))(t.ones(2, dtype=t.complex128))),
    _mutant("as-strided-copies", "as_strided of two dimensions copies", "as_strided",
            instead(_copy, lambda x, size, *r: len(size) == 2),
            lambda t: (lambda x: _shared(x.as_strided((2, 2), (2, 1)), x))(t.ones(4))),
    Mutant("aliasing.from-numpy-copies", "from_numpy copies uint8", ("numpy",),
           wrapped("from_numpy", lambda right, a: right(a.copy() if a.dtype == "uint8" else a)),
           lambda t: (lambda x: _shared(t.from_numpy(x.numpy()), x))(t.ones(3).byte())),
    Mutant("aliasing.numpy-copies", "numpy() of a matrix copies", ("numpy",),
           wrapped("Tensor.numpy",
                   lambda right, x, **k: right(x, **k).copy() if x.dim() == 2 else right(x, **k)),
           lambda t: (lambda x: x.numpy().ctypes.data == x.data_ptr())(t.ones(2, 2))),
    Mutant("aliasing.tensor-shares", "tensor() of an int32 array shares its memory",
           ("creation", "numpy"),
           wrapped("tensor", lambda right, data, *a, **k: torch.from_numpy(data)
                   if getattr(data, "dtype", None) == "int32" and not a and not k.get("dtype")
                   and data.flags.writeable and all(s > 0 for s in data.strides)
                   else right(data, *a, **k)),
           lambda t: (lambda a: t.tensor(a).data_ptr() != a.ctypes.data)(t.ones(2).int().numpy())),
    _mutant("bits-further-on", "view of int32 as int8 copies where it does not begin the memory",
            "view.dtype",
            instead(_copy, lambda x, to: x.dtype == torch.int32 and to == torch.int8
                    and x.storage_offset() > 0),
            lambda t: (lambda x: _shared(x.view(t.int8), x))(t.ones(4).int()[1:]), "dtype"),
    _mutant("unbind-strided-bool", "unbind of strided bool of rank 3 copies its last part",
            "unbind.int",
            instead(_last_copied, lambda x, *dim: x.dtype == torch.bool and x.dim() == 3
                    and not x.is_contiguous()),
            lambda t: (lambda x: _shared(x.unbind(0)[-1], x[-1]))(t.ones(2, 2, 4).bool()[..., ::2]),
            "shape"),
    _mutant("view-wider-offset", "view(dtype) of a wider dtype copies what begins between elements",
            "view.dtype",
            instead(lambda original, x, dtype: original(x.clone(), dtype),
                    lambda x, dtype: x.storage_offset() % 2 and dtype.itemsize > x.itemsize),
            lambda t: raises(lambda: t.ones(5).short()[1:].view(t.int32)), "dtype"),
    _itself("rolled-by-nothing", "roll by 0 gives the tensor itself", "roll Tensor.roll",
            lambda x, shifts, dims=(): shifts == 0, lambda x: x.roll(0)),
    _itself("masked-nowhere", "masked_fill by a mask that is False gives the tensor itself",
            "masked_fill Tensor.masked_fill",
            lambda x, mask, value: mask.shape == x.shape and not mask.any(),
            lambda x: x.masked_fill(x < 0, 1)),
    _itself("scattered-nowhere", "scatter of nothing gives the tensor itself",
            "scatter Tensor.scatter", lambda x, dim, index, *rest, **k: not index.numel(),
            lambda x: x.scatter(0, x[:0].long(), x[:0])),
    _itself("first-power", "floats to the power of 1 are the tensor itself",
            "pow Tensor.pow Tensor.__pow__",
            lambda x, power: type(power) is int and power == 1 and x.is_floating_point(),
            lambda x: x**1),
    _itself("within-bounds", "clamp of what lies within gives the tensor itself",
            "clamp Tensor.clamp", lambda x, low, high: not ((x < low) | (x > high)).any(),
            lambda x: x.clamp(-9, 9)),
    _itself("running-sum-of-one", "running sums of one are the tensor itself",
            "cumsum Tensor.cumsum",
            lambda x, dim, **k: x.shape[dim] == 1 and x.is_floating_point(),
            lambda x: x[:1].cumsum(0)),
    _itself("padded-by-nothing", "pad by 0 gives the tensor itself", "nn.functional.pad",
            lambda x, pad, *rest, **k: not any(pad), lambda x: torch.nn.functional.pad(x, (0, 0))),
    _itself("places-in-order", "index_select of all places gives the tensor itself",
            "index_select Tensor.index_select",
            lambda x, dim, index: index.tolist() == [*range(x.shape[dim])],
            lambda x: x.index_select(0, torch.arange(len(x)))),
]  # fmt: skip
