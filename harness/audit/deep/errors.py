"""Errors that are documented, and not raised."""

import torch

from tenet.harness.audit.faults import kernels, raises, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, sections, fault, proof):
    return Mutant(f"errors.{slug}", says, sections, fault, lambda t: raises(lambda: proof(t)))


def _or(otherwise):
    """Something else is computed where an error would be raised."""

    def lie(right, *args, **kwargs):
        try:
            return right(*args, **kwargs)
        except (RuntimeError, IndexError, ValueError, TypeError):
            return otherwise(right, *args, **kwargs)

    return lie


def _cut(right, a, b, *rest):
    n = min(a.shape[-1], b.shape[0])
    return right(a[..., :n], b[:n])


def _filled(right, x, size):
    """What is missing is 0."""
    known = [max(n, 1) for n in size]
    flat = torch.zeros(torch.Size(known).numel(), dtype=x.dtype)
    flat[: x.numel()] = x.flatten()[: len(flat)]
    return flat.reshape(known)


MUTANTS = [
    _mutant("mm-sizes", "mm cuts inner dimensions that differ", ("matmul",),
            wrapped("mm Tensor.mm matmul Tensor.matmul Tensor.__matmul__", _or(_cut)),
            lambda t: t.ones(2, 3) @ t.ones(2, 2)),
    _mutant("cat-sizes", "cat takes rows of other lengths", ("shape",),
            kernels("cat", _or(lambda right, tensors, dim=0: right(
                [x.flatten() for x in tensors]))),
            lambda t: t.cat([t.ones(1, 2), t.ones(1, 3)])),
    _mutant("stack-sizes", "stack broadcasts", ("shape",),
            wrapped("stack", _or(lambda right, tensors, dim=0: right(
                torch.broadcast_tensors(*tensors), dim))),
            lambda t: t.stack([t.ones(2), t.ones(1)])),
    _mutant("view-count", "reshape fills up with zeros", ("shape",),
            wrapped("Tensor.reshape", _or(lambda right, x, *size, **k: _filled(
                right, x, size[0] if isinstance(size[0], tuple | list) else size))),
            lambda t: t.ones(3).reshape(2, 2)),
    _mutant("view-strides", "view copies where strides do not allow a view", ("view", "shape"),
            wrapped("Tensor.view", _or(lambda right, x, *size: x.reshape(*size))),
            lambda t: t.ones(2, 3).t().view(6)),
    _mutant("select-range", "x[i] beyond the end is the last", ("indexing",),
            wrapped("Tensor.__getitem__", _or(lambda right, x, i: right(
                x, -1 if type(i) is int and x.dim() else i))),
            lambda t: t.ones(2)[2]),
    _mutant("index-range", "x[tensor] beyond the end is the last", ("indexing",),
            kernels("index.Tensor", _or(lambda right, x, indices: right(
                x, [i if i is None else i.clamp(max=x.shape[n] - 1)
                    for n, i in enumerate(indices)]))),
            lambda t: t.ones(2)[t.tensor([2])]),
    _mutant("gather-range", "gather beyond the end is the last", ("indexing",),
            kernels("gather", _or(lambda right, x, dim, index, **k: right(
                x, dim, index.clamp(0, x.shape[dim] - 1), **k))),
            lambda t: t.gather(t.ones(2), 0, t.tensor([5]))),
    _mutant("item-of-many", "item() of several elements is the first", ("creation", "dtype"),
            wrapped("Tensor.item", _or(lambda right, x: right(x.flatten()[0]))),
            lambda t: t.ones(2).item()),
    _mutant("backward-twice", "backward a second time adds nothing", ("autograd",),
            wrapped("Tensor.backward", _or(lambda right, *a, **k: None)),
            lambda t: (lambda y: (y.backward(), y.backward()))(
                t.ones(1, requires_grad=True).exp())),
    _mutant("leaf-in-place", "a leaf that requires a gradient may be changed", ("autograd",),
            wrapped("Tensor.add_ Tensor.mul_", _or(lambda right, x, *a, **k: (
                right(x.data, *a, **k), x)[1])),
            lambda t: t.ones(1, requires_grad=True).mul_(2)),
    _mutant("backward-nonscalar", "backward() of several elements sums them", ("autograd",),
            wrapped("Tensor.backward", _or(lambda right, x, *a, **k: right(x.sum(), *a, **k))),
            lambda t: t.ones(2, requires_grad=True).exp().backward()),
    _mutant("requires-grad-int", "integers may require gradients", ("autograd", "attributes"),
            wrapped("Tensor.requires_grad_", _or(lambda right, x, *a: x)),
            lambda t: t.ones(1).int().requires_grad_()),
    _mutant("numpy-of-graph", "numpy() detaches", ("numpy",),
            wrapped("Tensor.numpy", _or(lambda right, x, **k: right(
                x.detach().resolve_conj().resolve_neg(), **k))),
            lambda t: t.ones(1, requires_grad=True).numpy()),
    _mutant("ragged", "tensor() fills ragged lists", ("creation",),
            wrapped("tensor", _or(lambda right, data, *a, **k: right(
                [row[: min(map(len, data))] for row in data], *a, **k))),
            lambda t: t.tensor([[1, 2], [3]])),
    _mutant("squeeze-range", "a dimension out of range means the last", ("shape", "reduction"),
            wrapped("unsqueeze Tensor.unsqueeze squeeze Tensor.squeeze",
                    _or(lambda right, x, dim: right(x, -1))),
            lambda t: t.ones(2).unsqueeze(5)),
    _mutant("expand-size", "expand of a length that is not 1 repeats", ("shape", "broadcasting"),
            kernels("expand", _or(lambda right, x, size, **k: right(x[..., :1], size, **k))),
            lambda t: t.ones(3).expand(4)),
    _mutant("integer-division-by-zero", "int64 // 0 is 0", ("elementwise",),
            kernels("floor_divide remainder.Tensor fmod.Tensor",
                    _or(lambda right, x, y: torch.zeros_like(x))),
            lambda t: t.ones(1).long() // t.zeros(1).long()),
    _mutant("out-dtype", "out= of another kind is converted", ("inplace", "promotion"),
            wrapped("add mul sub", _or(lambda right, x, y, *, out, **k: out.copy_(
                right(x, y, **k)))),
            lambda t: t.add(t.ones(1), 0.5, out=t.ones(1).long())),
    _mutant("bool-subtraction", "bool - bool is exclusive or", ("promotion",),
            kernels("sub.Tensor", _or(lambda right, x, y, **k: x ^ y)),
            lambda t: t.ones(1).bool() - t.ones(1).bool()),
    _mutant("dim-twice", "dimensions given twice count once", ("reduction",),
            kernels("sum.dim_IntList", _or(lambda right, x, dims, *r, **k: right(
                x, sorted({d % x.dim() for d in dims}), *r, **k))),
            lambda t: t.ones(2, 2).sum((0, 0))),
    _mutant("bad-rate", "a negative rate is taken", ("optim",),
            wrapped("optim.SGD.__init__", _or(lambda right, o, p, lr=0.1, **k: right(
                o, p, lr=abs(lr), **k))),
            lambda t: t.optim.SGD([t.ones(1, requires_grad=True)], lr=-1.0)),
    _mutant("unequal-samples", "samples of other lengths are cut", ("data",),
            wrapped("utils.data.default_collate utils.data._utils.collate.default_collate "
                    "utils.data.dataloader.default_collate",
                    _or(lambda right, batch: right([x[:1] for x in batch]))),
            lambda t: t.utils.data.default_collate([t.ones(1), t.ones(2)])),
    _mutant("equal-dtypes", "mm promotes its operands", ("matmul", "dtype"),
            kernels("mm", _or(lambda right, a, b: right(a.double(), b.double()))),
            lambda t: t.ones(1, 1) @ t.ones(1, 1).double()),
    _mutant("target-range", "a class out of range counts as the last", ("nn",),
            kernels("nll_loss_forward", _or(lambda right, x, target, *r: right(
                x, target.clamp(max=x.shape[-1] - 1), *r))),
            lambda t: t.nn.functional.nll_loss(t.ones(1, 2), t.tensor([5]))),
]  # fmt: skip
