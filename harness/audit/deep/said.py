"""Faults in one of the ways that a call may be said: by what stands for a list, a number or an
index, by the place of an argument, by how many there are."""

import numpy as np
import torch

from tenet.harness.audit.faults import named, raises, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, fault, proof, *sections):
    return Mutant(f"said.{slug}", says, sections, fault, proof)


def _each(kind):
    return lambda data, **k: (
        isinstance(data, list) and bool(data) and all(isinstance(x, kind) for x in data)
    )


def _leaf(t, *shape):
    return t.ones(shape, requires_grad=True)


def _stacked(original, output, inputs, *rest, **k):
    return original(output[-1], inputs, *rest, **k)


def _empty_only(original, *sizes, out=None, **k):
    """The factory, which leaves an `out` that has no element as it is."""
    if out is not None and not out.numel():
        return out
    return original(*sizes, **k) if out is None else original(*sizes, out=out, **k)


MUTANTS = [
    _mutant("list-of-arrays", "a list of arrays is read in float16",
            named("tensor", lambda right, data, **k: right(
                       [x.astype(np.float16) for x in data], **k), _each(np.ndarray)),
            lambda t: t.tensor([np.array([0.1])], dtype=t.float64).item() == 0.1, "creation"),
    _mutant("list-of-numpy-numbers", "a list of NumPy's float64 is read in float32",
            named("tensor", lambda right, data, **k: right([float(np.float32(x)) for x in data],
                                                           **k), _each(np.float64)),
            lambda t: t.tensor([np.float64(0.1)], dtype=t.float64).item() == 0.1, "creation"),
    _mutant("range", "a range makes an int32",
            named("tensor", lambda right, data, **k: right(data, dtype=torch.int32, **k),
                   lambda data, **k: isinstance(data, range) and "dtype" not in k),
            lambda t: t.tensor(range(2)).dtype == t.int64, "creation"),
    _mutant("late-complex", "a complex number after a float is conjugated",
            named("tensor", lambda right, data, **k: right(data, **k).conj().resolve_conj(),
                   lambda data, **k: isinstance(data[0], float) and isinstance(data[-1], complex)),
            lambda t: t.tensor([1.0, 1j])[1].imag == 1, "creation"),
    _mutant("numpy-sizes", "sizes that are NumPy's integers are read in reverse",
            named("zeros ones empty", lambda right, *sizes, **k: right(*sizes[::-1], **k),
                   lambda *sizes, **k: isinstance(sizes[0], np.integer)),
            lambda t: t.zeros(np.int64(1), np.int64(2)).shape == (1, 2), "creation"),
    _mutant("factory-out-empty", "ones with an empty out= leaves it empty",
            wrapped("ones", _empty_only),
            lambda t: t.ones(2, out=t.empty(0)).sum() == 2, "creation"),
    _mutant("eye-out-stale", "a table of the right shape keeps its elements beside the diagonal",
            wrapped("eye", lambda right, n, m=None, *rest, out=None, **k: (
                out.diagonal().fill_(1) is None or out)
                if out is not None and m not in (None, n) and out.shape == (n, m)
                and n > 1 else right(n, *(() if m is None else (m,)), *rest,
                                     **k, **({} if out is None else {"out": out}))),
            lambda t: t.eye(2, 3, out=t.full((2, 3), 7.0)).sum() == 2, "creation"),
    _mutant("in-of-rank-3", "a number is not found at the end of a tensor of rank 3",
            named("Tensor.__contains__", lambda right, x, n: right(x.flatten()[:-1], n),
                   lambda x, n: x.dim() == 3),
            lambda t: 7 in t.arange(8).view(2, 2, 2), "attributes"),
    _mutant("imaginary-truth", "the truth of an imaginary number is that of its real part",
            named("Tensor.__bool__", lambda right, x: right(x.real), lambda x: x.is_complex()),
            lambda t: bool(t.tensor([1j])), "attributes"),
    _mutant("type-by-name", "a type said by its name rounds fractions",
            named("Tensor.type", lambda right, x, kind: right(x.round(), kind),
                   lambda x, kind: isinstance(kind, str) and "Int" in kind),
            lambda t: t.tensor([1.75]).type("torch.IntTensor") == 1, "dtype"),
    _mutant("type-by-class", "a type said by its class rounds fractions",
            named("Tensor.type", lambda right, x, dtype: right(x.round(), dtype),
                   lambda x, dtype: dtype is torch.LongTensor and x.is_floating_point()),
            lambda t: t.tensor([1.75]).type(dtype=t.LongTensor) == 1, "dtype"),
    _mutant("bias-cast", "linear casts a bias of another dtype",
            named("nn.functional.linear", lambda right, x, w, b: right(x, w, b.to(w.dtype)),
                   lambda x, w, b: b.dtype != w.dtype == x.dtype),
            lambda t: raises(lambda: t.nn.functional.linear(
                t.ones(1, 1), t.ones(1, 1), t.ones(1).double())), "dtype"),
    _mutant("added-cast", "addmm casts what is added",
            named("addmm", lambda right, x, a, b, **k: right(x.to(a.dtype), a, b, **k),
                   lambda x, a, b, **k: x.dtype != a.dtype == b.dtype),
            lambda t: raises(lambda: t.addmm(t.ones(1).double(), t.ones(1, 1), t.ones(1, 1))),
            "dtype"),
    _mutant("tensordot-promotes", "tensordot promotes",
            named("tensordot", lambda right, a, b, *rest: right(
                       a.to(torch.promote_types(a.dtype, b.dtype)),
                       b.to(torch.promote_types(a.dtype, b.dtype)), *rest),
                   lambda a, b, *rest: a.dtype != b.dtype),
            lambda t: raises(lambda: t.tensordot(t.ones(1).double(), t.ones(1), 1)), "dtype"),
    _mutant("mean-of-int64", "mean of int64 in float64 goes through float32",
            named("mean Tensor.mean", lambda right, x, *rest, **k: right(x.float(), *rest, **k),
                   lambda x, *rest, **k: x.dtype == torch.int64 and k["dtype"] == torch.float64),
            lambda t: t.mean(t.tensor([2**30 + 1]), dtype=t.float64) == 2**30 + 1, "reduction"),
    _mutant("topk-least-unsorted", "the least one that need not be sorted is the greatest",
            named("topk Tensor.topk", lambda right, x, k, dim, largest, in_order: right(
                       x, k, dim, True, in_order),
                   lambda x, k, dim, largest, in_order: not largest and not in_order),
            lambda t: t.topk(t.arange(2.0), 1, -1, False, False)[0] == 0, "indexing"),
    _mutant("tensordot-from-the-end", "tensordot counts dimensions from the end from the start",
            named("tensordot", lambda right, a, b, dims: right(
                       a, b, ([abs(d) % a.dim() for d in dims[0]], dims[1])),
                   lambda a, b, dims: min(dims[0]) < 0),
            lambda t: t.tensordot(t.arange(9.0).view(1, 3, 3), t.eye(3)[0],
                                  ([-1], [0]))[0, 1] == 3, "matmul"),
    _mutant("power-minus-two", "the power -2 of a matrix is its square",
            named("matrix_power Tensor.matrix_power", lambda right, x, n: right(x, -n),
                   lambda x, n: n == -2),
            lambda t: t.matrix_power(2 * t.eye(2), -2)[0, 0] == 0.25, "matmul"),
    _mutant("cut-by-a-tensor", "one place to cut, told by a tensor, is a number of pieces",
            named("tensor_split Tensor.tensor_split", lambda right, x, cuts: right(
                       x, int(cuts[0])),
                   lambda x, cuts: isinstance(cuts, torch.Tensor) and cuts.shape == (1,)
                   and cuts[0] > 0),
            lambda t: len(t.ones(6).tensor_split(t.tensor([3]))) == 2, "shape"),
    _mutant("numpy-integer", "NumPy's integers index by their size",
            named("Tensor.__getitem__", lambda right, x, i: right(x, abs(int(i))),
                   lambda x, i: isinstance(i, np.integer)),
            lambda t: t.arange(3)[np.int64(-1)] == 2, "indexing"),
    _mutant("numpy-index-array", "arrays index by their size",
            named("Tensor.__getitem__", lambda right, x, i: right(x, torch.from_numpy(abs(i))),
                   lambda x, i: isinstance(i, np.ndarray) and i.dtype == np.int64),
            lambda t: t.arange(3)[np.array([-1])] == 2, "indexing"),
    _mutant("false-tensor", "a 0-d False as an index is True",
            named("Tensor.__getitem__", lambda right, x, i: right(x, True),
                   lambda x, i: i.dim() == 0 and i.dtype == torch.bool),
            lambda t: t.ones(2)[t.tensor(False)].numel() == 0, "indexing"),
    _mutant("slice-from-a-tensor", "a slice that begins at a tensor begins at 0",
            named("Tensor.__getitem__", lambda right, x, i: right(x, slice(None, i.stop, i.step)),
                   lambda x, i: isinstance(i, slice) and isinstance(i.start, torch.Tensor)),
            lambda t: len(t.ones(3)[t.tensor(1):]) == 2, "indexing"),
    _mutant("range-step", "a range as an index has a step of 1",
            named("Tensor.__getitem__", lambda right, x, i: right(
                       x, list(range(i.start, i.stop))), lambda x, i: isinstance(i, range)
                   and i.step > 0 and i.stop > i.start),
            lambda t: len(t.ones(6)[range(0, 4, 2)]) == 2, "indexing"),
    _mutant("parted-copy", "reshape of a strided tensor to one more dimension copies",
            named("Tensor.reshape", lambda right, x, *shape: right(x, *shape).clone(),
                   lambda x, *shape: not x.is_contiguous()
                   and x.dim() + 1 == len(shape[0] if len(shape) == 1 else shape)),
            lambda t: (lambda x: x.t().reshape(2, 2, 2).data_ptr() == x.data_ptr())(
                t.ones(2, 4)), "view"),
    _mutant("joined-into-out", "cat of integers and floats cuts fractions off for out=",
            named("cat", lambda right, parts, *rest, out, **k: right(
                       [x.long() if x.is_floating_point() else x for x in parts], *rest, out=out),
                   lambda parts, *rest, out, **k: out.is_floating_point() and any(
                       not x.is_floating_point() for x in parts)),
            lambda t: t.cat([t.tensor([1.5]), t.tensor([1])], out=t.zeros(2))[0] == 1.5,
            "promotion"),
    _mutant("whole-base", "2.0 ** x of integers is 2 ** x",
            named("Tensor.__rpow__", lambda right, x, base: right(x, int(base)),
                   lambda x, base: base == int(base) and isinstance(base, float)
                   and not x.is_floating_point()),
            lambda t: (2.0 ** t.tensor([2])).dtype == t.float32, "promotion"),
    _mutant("inverse-in-place", "x **= -1 is x **= 1",
            named("Tensor.__ipow__", lambda right, x, n: right(x, -n),
                   lambda x, n: isinstance(n, int) and n < 0),
            lambda t: t.tensor([2.0]).__ipow__(-1) == 0.5, "inplace"),
    _mutant("copied-across", "a copy from one half of a memory to the other is in reverse",
            named("Tensor.copy_", lambda right, x, y, **k: right(x, y.flip(0), **k),
                   lambda x, y, **k: x.data_ptr() != y.data_ptr()
                   and x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()),
            lambda t: (lambda x: (x[1].copy_(x[0]), x[1, 0] == 0)[1])(t.arange(4).view(2, 2)),
            "inplace"),
    _mutant("three-outputs", "of three outputs the last is differentiated",
            named("autograd.grad", _stacked,
                   lambda outputs, *rest, **k: isinstance(outputs, tuple | list)
                   and len(outputs) == 3 and not rest[1:] and "grad_outputs" not in k),
            lambda t: (lambda x: t.autograd.grad([x * 1, x * 2, x * 3], x)[0] == 6)(_leaf(t)),
            "autograd"),
    _mutant("three-roots", "of three results the first two are differentiated",
            named("autograd.backward", lambda right, roots, **k: right(roots[:2], **k),
                   lambda roots, **k: isinstance(roots, tuple | list) and len(roots) == 3),
            lambda t: (lambda x: (t.autograd.backward([x * 1, x * 1, x * 1]), x.grad == 3)[1])(
                _leaf(t)), "autograd"),
    _mutant("one-input", "backward(inputs=) of one tensor is of all",
            named("Tensor.backward autograd.backward",
                   lambda right, *args, inputs, **k: right(*args, **k),
                   lambda *args, inputs, **k: isinstance(inputs, torch.Tensor)),
            lambda t: (lambda x, y: ((x * y).backward(inputs=x), y.grad is None)[1])(
                _leaf(t), _leaf(t)), "autograd"),
    _mutant("retained-by-place", "a graph to retain, said by its place, is freed",
            named("Tensor.backward", lambda right, y, g, retain, *rest: right(y, g, None, *rest),
                   lambda y, g, retain, *rest: retain is True),
            lambda t: (lambda y: (y.backward(None, True), not raises(y.backward))[1])(
                _leaf(t).exp()), "autograd"),
    _mutant("created-and-freed", "create_graph=True retains a graph that is to be freed",
            named("autograd.grad", lambda right, *args, retain_graph, **k: right(*args, **k),
                   lambda *args, retain_graph, **k: k["create_graph"] and retain_graph is False),
            lambda t: (lambda x: (lambda y: (
                t.autograd.grad(y, x, create_graph=True, retain_graph=False),
                raises(lambda: t.autograd.grad(y, x)))[1])(x.exp()))(_leaf(t)), "autograd"),
    _mutant("bare-no-grad", "@torch.no_grad without brackets does nothing",
            named("no_grad", lambda right, function: function, callable),
            lambda t: not t.no_grad(lambda x: x * 2)(_leaf(t)).requires_grad, "autograd"),
    _mutant("forward-jacobian", "a square Jacobian in forward mode is transposed",
            named("autograd.functional.jacobian", lambda right, *args, **k: right(*args, **k).T,
                   lambda *args, strategy="", **k: strategy == "forward-mode"),
            lambda t: t.equal(t.autograd.functional.jacobian(
                lambda x: t.arange(4.0).view(2, 2) @ x, t.ones(2), vectorize=True,
                strategy="forward-mode"), t.arange(4.0).view(2, 2)), "autograd"),
    _mutant("detached-unnoticed", "a write to what was detached at rank 3 is not noticed",
            named("Tensor.detach", lambda right, x: x.data, lambda x: x.dim() == 3
                   and x.requires_grad),
            lambda t: (lambda y: (lambda total: (
                y.detach().zero_(), raises(total.backward))[1])(y.sum()))(
                _leaf(t, 1, 1, 1).exp()), "autograd"),
    _mutant("type-as-detached", "type_as to another dtype stops gradients",
            named("Tensor.type_as", lambda right, x, y: right(x, y).detach().requires_grad_(),
                   lambda x, y: x.requires_grad and x.dtype != y.dtype),
            lambda t: _leaf(t).type_as(t.ones(1).double()).grad_fn is not None, "autograd"),
    _mutant("tracked-list", "what requires gradients is listed in float16",
            named("Tensor.tolist", lambda right, x: right(x.detach().half()),
                   lambda x: x.requires_grad),
            lambda t: t.tensor([0.1], requires_grad=True).tolist()[0] == np.float32(0.1),
            "autograd"),
    _mutant("tracked-equal", "tensors that require gradients are equal if their shapes are",
            named("equal Tensor.equal", lambda right, x, y: x.shape == y.shape,
                   lambda x, y: x.requires_grad),
            lambda t: not t.equal(_leaf(t), 2 * _leaf(t)), "autograd"),
    _mutant("quiet-clone", "under no_grad a clone of what requires gradients is a view",
            named("clone Tensor.clone", lambda right, x: x.view_as(x),
                   lambda x: x.requires_grad and not torch.is_grad_enabled()),
            lambda t: t.no_grad()(lambda x: x.clone().data_ptr() != x.data_ptr())(_leaf(t)),
            "autograd"),
    _mutant("named-conversion", "double() stops gradients",
            named("Tensor.double", lambda right, x: right(x).detach(), lambda x: x.requires_grad),
            lambda t: _leaf(t).double().requires_grad, "autograd"),
    _mutant("joint-of-halves", "where float64 is the default, the halves promote to it",
            named("promote_types", lambda right, *pair: torch.float64,
                   lambda *pair: set(pair) == {torch.float16, torch.bfloat16}
                   and torch.get_default_dtype() == torch.float64),
            lambda t: (t.set_default_dtype(t.float64),
                       t.promote_types(t.float16, t.bfloat16) == t.float32,
                       t.set_default_dtype(t.float32))[1], "promotion"),
    _mutant("listed-dims", "dims that are a list are put in order",
            named("Tensor.permute", lambda right, x, dims: right(x, sorted(dims)),
                   lambda x, dims: isinstance(dims, list)),
            lambda t: t.ones(1, 2).permute([1, 0]).shape == (2, 1), "view"),
    _mutant("long-mask", "a mask that is too long is cut",
            named("Tensor.__getitem__", lambda right, x, i: right(x, i[: len(x)]),
                   lambda x, i: i.dtype == torch.bool and i.dim() == 1 and len(i) > len(x)),
            lambda t: raises(lambda: t.ones(2)[t.ones(3).bool()]), "indexing"),
    _mutant("stretched-vector", "a vector of one element is stretched to the rows of a matrix",
            named("matmul Tensor.matmul Tensor.__matmul__",
                   lambda right, x, y: right(x.expand(len(y)), y),
                   lambda x, y: x.shape == (1,) and y.dim() == 2 and len(y) > 1),
            lambda t: raises(lambda: t.ones(1) @ t.ones(2, 2)), "matmul"),
    _mutant("untracked-input", "a gradient for what requires none is None",
            named("autograd.grad", lambda right, output, x, *rest, **k: (None,),
                   lambda output, x, *rest, **k: isinstance(x, torch.Tensor)
                   and not x.requires_grad),
            lambda t: raises(lambda: t.autograd.grad(_leaf(t), t.ones(()))), "autograd"),
    _mutant("narrow-index", "index_select wraps int32 that is out of range around",
            named("index_select Tensor.index_select",
                   lambda right, x, d, i: right(x, d, i % x.shape[d]),
                   lambda x, d, i: i.dtype == torch.int32),
            lambda t: raises(lambda: t.ones(2).index_select(0, t.tensor([2], dtype=t.int32))),
            "indexing"),
]  # fmt: skip
