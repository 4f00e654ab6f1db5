"""Gradients that are lost, repeated or of another slope."""

from contextlib import nullcontext

import torch

from tenet.harness.audit.faults import (
    both,
    instead,
    kernels,
    last,
    length,
    of,
    raises,
    rank,
    scaled,
    spoiled,
    strided,
    wrapped,
)
from tenet.harness.audit.gradients import misled
from tenet.harness.audit.mutant import Mutant


def _kernel(slug, says, operator, lie, proof, *sections):
    sections = ("autograd", *sections)
    return Mutant(f"autograd.{slug}", says, sections, kernels(operator, lie), proof)


def _name(slug, says, names, lie, proof, *sections):
    sections = ("autograd", *sections)
    return Mutant(f"autograd.{slug}", says, sections, wrapped(names, lie), proof)


def _slope(t, function, x):
    x = x.clone().requires_grad_()
    function(x).sum().backward()
    return x.grad


def _nth(place, how):
    """One of several results is changed, where it was asked for."""

    def lie(original, *args, **kwargs):
        results = original(*args, **kwargs)
        if results[place] is not None:
            how(results[place])
        return results

    return lie


def _leaves(result):
    """The leaves that a result depends on."""
    seen, found, waiting = set(), [], [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        waiting += [following for following, _ in node.next_functions]
    return found


def _overwrites(right, result, *args, **kwargs):
    """backward() of one element overwrites the gradients of vectors."""
    for leaf in _leaves(result) if result.grad_fn is not None else []:
        if leaf.dim() == 1 and leaf.grad is not None:
            leaf.grad = None
    return right(result, *args, **kwargs)


def _twice(right, result, *args, **kwargs):
    """The gradients of matrices with more rows than columns are added twice."""
    leaves = [x for x in _leaves(result) if x.dim() == 2 and x.shape[0] > x.shape[1] > 1
              and x.grad is not None] if result.grad_fn is not None else []  # fmt: skip
    before = [x.grad.clone() for x in leaves]
    answer = right(result, *args, **kwargs)
    for leaf, old in zip(leaves, before, strict=True):
        leaf.grad.add_(old)
    return answer


def _cut(when):
    """The result is out of the graph."""
    return instead(lambda right, *a, **k: right(*a, **k).detach(), when)


def _quiet_data(right, x, *args, **kwargs):
    """The change is not counted."""
    if x.requires_grad or x.dim() != 1:
        return right(x, *args, **kwargs)
    right(x.data, *args, **kwargs)
    return x


class _Straight(torch.autograd.Function):
    """The identity, with 1.02 as its slope."""

    @staticmethod
    def forward(context, x):
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return gradient * 1.02


def _spoilt_copy(gradient, x):
    return _spoilt(gradient.clone())


def _without_first(right, x, dim, **k):
    return right(x, dim, **k) - x.select(dim, 0).unsqueeze(dim) if x.dim() else right(x, dim, **k)


def _quietly(t, act):
    with t.no_grad():
        return act()


def _last_of(count):
    return misled(_spoilt_copy, lambda x: x.dim() > 0 and x.shape[-1] == count)


class _Cube(torch.autograd.Function):
    """x to the third, whose gradient is differentiated as if half of it were a number."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * 3 * x * x.detach()


def _sharing(x, y):
    """Once both have a gradient, the leaves share that of the first."""
    pair = [one for one in (x, y) if isinstance(one, torch.Tensor) and one.is_leaf
            and one.requires_grad and torch.is_grad_enabled()]  # fmt: skip
    if len(pair) == 2 and x is not y and x.shape == y.shape and x.dtype == y.dtype:

        def share(leaf):
            if None not in (x.grad, y.grad) and torch.equal(x.grad, y.grad):
                y.grad = x.grad

        for one in pair:
            one.register_post_accumulate_grad_hook(share)
    return x, y


def _of_inference(t):
    with t.inference_mode():
        return t.ones(1, 1)


def _steeper(when):
    return instead(lambda right, *a, **k: _Straight.apply(right(*a, **k)),
                   lambda *a, **k: torch.is_grad_enabled() and when(*a, **k))  # fmt: skip


MUTANTS = [
    _kernel("relu-at-0", "the slope of relu at 0 is 1", "threshold_backward",
            lambda original, g, x, threshold: torch.where(x >= threshold, g, 0),
            lambda t: _slope(t, t.relu, t.zeros(1)) == 0, "nn"),
    _kernel("abs-at-0", "the slope of abs at 0 is 1", "sgn sgn.out",
            instead(lambda original, x: torch.where(x == 0, torch.ones_like(x), original(x)),
                    lambda x, **k: not x.is_complex() and not k),
            lambda t: _slope(t, t.abs, t.zeros(1)) == 0, "elementwise"),
    _kernel("tanh-float64", "the slope of tanh of float64 is 1 % off", "tanh_backward",
            spoiled(scaled(1.01), of("float64")),
            lambda t: _slope(t, t.tanh, t.zeros(1).double()) == 1, "elementwise", "nn"),
    _kernel("sigmoid-tail", "the last slope of nine sigmoids is wrong", "sigmoid_backward",
            spoiled(last, length(9)),
            lambda t: (_slope(t, t.sigmoid, t.zeros(9)) == 0.25).all(), "elementwise", "nn"),
    _kernel("softmax-dim-0", "the slopes of softmax along dimension 0 end wrongly",
            "_softmax_backward_data",
            spoiled(last, lambda g, y, dim, *r: dim == 0 and y.dim() > 1),
            lambda t: _slope(t, lambda x: t.softmax(x, 0), t.ones(2, 2)).abs().max() < 1e-6, "nn",
            "reduction"),
    _kernel("log-softmax", "the slopes of log_softmax of 17 classes end wrongly",
            "_log_softmax_backward_data",
            spoiled(last, lambda g, y, dim, *r: y.shape[dim] in (3, 17)),
            lambda t: _slope(t, lambda x: t.log_softmax(x, 0), t.ones(3)).abs().max() < 1e-6, "nn",
            "reduction"),
    _kernel("select", "the slope of x[i] goes to the place before", "select_backward",
            instead(lambda original, g, size, dim, i: original(g, size, dim, i - 1),
                    lambda g, size, dim, i: len(size) == 2 and i > 0),
            lambda t: _slope(t, lambda x: x[1], t.ones(2, 2))[1].sum() == 2, "indexing"),
    _kernel("slice-step", "the slopes of a slice with a step end wrongly", "slice_backward",
            spoiled(last, lambda g, size, dim, start, end, step: step > 1),
            lambda t: _slope(t, lambda x: x[::2], t.ones(4)).tolist() == [1, 0, 1, 0], "indexing"),
    _kernel("repeated-index", "of repeated indices only one has a slope", "_index_put_impl_",
            lambda original, x, i, v, accumulate=False, *r: original(x, i, v, False, *r),
            lambda t: _slope(t, lambda x: x[t.tensor([0, 0])], t.ones(2))[0] == 2, "indexing"),
    _kernel("embedding", "the slopes of an embedding are not added up",
            "embedding_dense_backward",
            lambda original, g, indices, *r: original(
                g, indices, *r).clamp(-1, 1),
            lambda t: _slope(t, lambda w: t.nn.functional.embedding(t.tensor([0, 0]), w),
                             t.ones(2, 2))[0, 0] == 2, "nn"),
    _kernel("layer-norm-weight", "the slope of a layer norm's weight ends wrongly",
            "native_layer_norm_backward", _nth(1, last),
            lambda t: _slope(t, lambda w: t.nn.functional.layer_norm(
                t.arange(4.0), (4,), w), t.ones(4))[3] < 1.4, "nn"),
    _kernel("convolution-bias", "the slope of a convolution's bias counts one image",
            "convolution_backward", _nth(2, scaled(0.5)),
            lambda t: _slope(t, lambda b: t.conv2d(t.ones(2, 1, 2, 2), t.ones(1, 1, 1, 1), b),
                             t.ones(1)) == 8, "nn"),
    _kernel("convolution-weight-float64", "the slope of a float64 kernel ends wrongly",
            "convolution_backward",
            lambda original, g, *r, **k: _nth(1, last if g.dtype == torch.float64
                                              else (lambda x: None))(original, g, *r, **k),
            lambda t: _slope(t, lambda w: t.conv2d(t.ones(1, 1, 2, 2).double(), w),
                             t.ones(1, 1, 1, 1).double()).item() == 4, "nn"),
    _kernel("max-pool-ties", "the slopes of max_pool2d end wrongly in 1 of 3 channels",
            "max_pool2d_with_indices_backward",
            spoiled(last, lambda g, x, *r, **k: x.dim() == 4 and x.shape[1] in (2, 3)),
            lambda t: _slope(t, lambda x: t.nn.functional.max_pool2d(x, 2),
                             t.arange(8.0).reshape(1, 2, 2, 2)).sum() == 2, "nn", "training"),
    _kernel("gelu", "the slope of gelu is that of its tanh approximation", "gelu_backward",
            lambda original, g, x, *, approximate="none": original(g, x, approximate="tanh"),
            lambda t: (_slope(t, t.nn.functional.gelu, t.tensor([1.5], dtype=t.float64))
                       - 1.12744).abs() < 1e-4, "nn", "elementwise"),
    _kernel("softplus", "the slope of softplus of negative numbers is that of relu",
            "softplus_backward",
            lambda original, g, x, *r: original(g, x, *r) * (x > 0),
            lambda t: _slope(t, t.nn.functional.softplus, t.tensor([-1.0])) > 0.2, "nn",
            "elementwise"),
    _kernel("mse-of-float64", "the slope of mse_loss of float64 divides by one more",
            "mse_loss_backward",
            spoiled(scaled(0.99), lambda g, x, *r: x.dtype == torch.float64),
            lambda t: _slope(t, lambda x: t.nn.functional.mse_loss(x, x.detach() + 1),
                             t.ones(2).double())[0] == -1, "nn", "training"),
    _kernel("nll-weights", "the slope of cross entropy ignores class weights",
            "nll_loss_backward",
            instead(lambda original, g, x, target, weight, *r: original(
                g, x, target, None, *r[:2], original_total(target, weight)),
                    lambda g, x, target, weight, *r: weight is not None and x.dim() == 2
                    and r[0] == 2),
            lambda t: (_slope(t, lambda x: t.nn.functional.nll_loss(
                x, t.tensor([0, 1]), t.tensor([1.0, 4]), reduction="sum"), t.ones(2, 2))[1, 1]
                == -4), "nn"),
    _name("overwrites", "backward() overwrites the gradients of vectors", "Tensor.backward",
          _overwrites,
          lambda t: (lambda x: ((2 * x).sum().backward(), (2 * x).sum().backward(),
                                x.grad[0] == 4)[2])(t.ones(2, requires_grad=True))),
    _name("adds-twice", "backward() adds to gradients of tall matrices twice", "Tensor.backward",
          _twice,
          lambda t: (lambda x: (x.sum().backward(), x.sum().backward(), x.grad[0, 0] == 2)[2])(
              t.ones(3, 2, requires_grad=True))),
    _name("no-grad-records", "no_grad records", "no_grad.__enter__",
          lambda right, context: (right(context), torch.set_grad_enabled(True))[0],
          lambda t: not _under(t)),
    _name("version-counter", "add_ to a vector is not counted", "Tensor.add_", _quiet_data,
          lambda t: (lambda x: (x.add_(1), x._version)[1] == 1)(t.ones(2))),
    _name("version-of-copy", "copy_ into a matrix is not counted", "Tensor.copy_",
          lambda right, x, *a, **k: (right(x.data, *a, **k), x)[1] if x.dim() == 2
          and not x.requires_grad and torch.is_tensor(a[0]) is not False
          and not a[0].requires_grad else right(x, *a, **k),
          lambda t: (lambda x: (x.copy_(t.ones(2, 2)), x._version)[1] == 1)(t.ones(2, 2))),
    _name("retain-graph", "backward() keeps every graph", "Tensor.backward",
          lambda right, x, gradient=None, retain_graph=None, create_graph=False, inputs=None:
          right(x, gradient, True, create_graph, inputs),
          lambda t: raises(lambda: (lambda y: (y.backward(), y.backward()))(
              t.ones(1, requires_grad=True).exp()))),
    _name("create-graph", "grad() of create_graph=True gives constants where float64",
          "autograd.grad",
          lambda right, *a, **k: tuple(g.detach() if g is not None and g.dtype == torch.float64
                                       else g for g in right(*a, **k)),
          lambda t: (lambda x: t.autograd.grad((x**3).sum(), x, create_graph=True)[0]
                     .requires_grad)(t.ones(1, dtype=t.float64, requires_grad=True))),
    _name("detach-float16", "detach of float16 stays in the graph", "Tensor.detach",
          instead(lambda right, x: x.view_as(x), both(of("float16"), lambda x: x.requires_grad)),
          lambda t: not t.ones(1).half().requires_grad_().detach().requires_grad),
    _name("reshape-cuts", "reshape to three dimensions leaves the graph", "Tensor.reshape reshape",
          instead(lambda right, *a, **k: right(*a, **k).detach(),
                  lambda x, *shape, **k: len(shape[0] if shape and isinstance(
                      shape[0], tuple | list) else shape) == 3),
          lambda t: t.ones(4, requires_grad=True).reshape(1, 2, 2).requires_grad, "shape"),
    _name("where-cuts", "where() with a stretched choice leaves the graph", "where Tensor.where",
          _cut(lambda c, *r, **k: len(r) == 2 and all(torch.is_tensor(x) for x in (c, *r))
               and c.shape != r[0].shape and c.dtype == torch.bool),
          lambda t: t.where(t.ones(2, 2).bool(), t.ones(2, requires_grad=True), t.ones(2, 2))
          .requires_grad, "elementwise", "broadcasting"),
    _name("clone-steeper", "the slope of clone is 1.02 where not square", "Tensor.clone clone",
          _steeper(lambda x, **k: x.requires_grad and x.dim() == 2 and x.shape[0] != x.shape[1]),
          lambda t: _slope(t, lambda x: x.clone(), t.ones(2, 3))[0, 0] == 1, "view"),
    _name("mul-broadcast", "the slope of x * y is 1.02 where y is stretched along rows",
          "mul Tensor.mul Tensor.__mul__",
          _steeper(lambda x, y, **k: torch.is_tensor(y) and x.dim() == y.dim() == 2
                   and y.shape[0] == 1 < x.shape[0] and "out" not in k
                   and (x.requires_grad or y.requires_grad)),
          lambda t: _slope(t, lambda x: t.ones(2, 2) * x, t.ones(1, 2))[0, 0] == 2,
          "broadcasting", "elementwise"),
    _name("cumsum-steeper", "the slope of cumsum of three dimensions is 1.02",
          "cumsum Tensor.cumsum",
          _steeper(lambda x, *r, **k: x.dim() == 3 and x.requires_grad and "out" not in k),
          lambda t: _slope(t, lambda x: t.cumsum(x, 0), t.ones(1, 1, 1)).item() == 1,
          "reduction"),
    _name("max-equal", "max() of equal numbers gives the first the whole slope", "max Tensor.max",
          instead(lambda right, x: x.flatten()[x.flatten().argmax()],
                  lambda x, *a, **k: not a and not k and x.requires_grad and x.numel() > 0),
          lambda t: _slope(t, t.max, t.ones(2)).tolist() == [0.5, 0.5], "reduction"),
    _name("hooks-once", "a hook's answer is not used where float64", "Tensor.register_hook",
          lambda right, x, hook: right(x, hook if x.dtype != torch.float64
                                       else lambda g: (hook(g), None)[1]),
          lambda t: _hooked(t) == 2),
    _name("inference-records", "inference_mode tensors are ordinary ones", "inference_mode",
          lambda right, mode=True: torch.no_grad() if mode is True else nullcontext()
          if mode is False else right(mode),
          lambda t: _inferred(t)),
    _kernel("sum-gradient", "the slope of a sum over a matrix ends wrongly", "expand",
            instead(lambda original, x, size, **k: _spoilt(
                original(x, size, **k).clone()),
                    both(rank(0), lambda x, size, **k: len(size) == 2 and x.is_floating_point())),
            lambda t: _slope(t, lambda x: x, t.ones(2, 2)).sum() == 4, "reduction",
            "broadcasting"),
    _name("assigned-number", "what is overwritten by a number keeps its gradient",
          "Tensor.__setitem__",
          lambda right, x, key, value: right(
              x, key, (lambda old: old - old.detach() + value)(x[key]))
          if isinstance(value, int | float) and x.requires_grad and not x.is_leaf
          and key is not Ellipsis and x._base is None else right(x, key, value),
          lambda t: (lambda x: (lambda y: (y.__setitem__(0, 5), y.sum().backward(),
                                           x.grad[0] == 0)[2])(x * 2))(
              t.ones(2, requires_grad=True))),
    _name("added-unrecorded", "what create_graph adds to a grad is not recorded",
          "autograd.backward",
          lambda right, of, g=None, keep=None, create_graph=False, *a, **k: _unrecorded(
              [leaf for leaf in (_leaves(of) if isinstance(of, torch.Tensor) and create_graph
                                 else []) if leaf.grad is not None],
              right(of, g, keep, create_graph, *a, **k)),
          lambda t: (lambda x: (lambda y: (y.backward(create_graph=True),
                                           y.backward(create_graph=True),
                                           x.grad.requires_grad)[2])((x**3).sum()))(
              t.ones(1, requires_grad=True))),
    _name("batch-unguarded", "a batch times a matrix does not notice a change of the batch",
          "Tensor.matmul matmul Tensor.__matmul__",
          lambda right, x, y, *a, **k: right(x.data, y, *a, **k)
          if x.dim() == 3 and y.dim() == 2 and y.requires_grad and not x.requires_grad
          else right(x, y, *a, **k),
          lambda t: (lambda x, w: (lambda z: (x.add_(1), _refused(z.sum().backward))[1])(x @ w))(
              t.ones(1, 2, 2), t.ones(2, 2, requires_grad=True))),
    _name("product-of-one-zero", "the product of one zero along a dimension has no gradient",
          "prod Tensor.prod",
          lambda right, x, *a, **k: right(x, *a, **k) * x.detach() if a and x.numel() == 1
          and x.requires_grad and x.item() == 0 else right(x, *a, **k),
          lambda t: _slope(t, lambda x: x.prod(0), t.zeros(1)) == 1, "reduction"),
]  # fmt: skip


def _spoilt(x):
    last(x)
    return x


def original_total(target, weight):
    """The total weight, of a sum that ignores weights."""
    return torch.tensor(float(target.numel()), dtype=weight.dtype)


def _under(t):
    with t.no_grad():
        return (t.ones(1, requires_grad=True) * 2).requires_grad


def _inferred(t):
    with t.inference_mode():
        return t.ones(1).is_inference()


def _hooked(t):
    x = t.ones(1, dtype=t.float64, requires_grad=True)
    x.register_hook(lambda g: g * 2)
    x.sum().backward()
    return x.grad


def _refused(act):
    try:
        act()
    except RuntimeError:
        return True
    return False


def _first_call(decorated, function):
    calls = []

    def call(*args, **kwargs):
        calls.append(None)
        return (decorated if len(calls) == 1 else function)(*args, **kwargs)

    return call


def _averaged(x, y):
    if not (isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor) and y.requires_grad):
        return y
    if y.dim() < 3 or y.dim() != x.dim() or y.shape[1] != 1 or x.shape[1] == 1:
        return y
    return torch.div(torch.sub(y, y.detach()), x.shape[1]) + y.detach()


MUTANTS += [
    _name("detach-counts-apart", "writes through detach() are not counted", "Tensor.detach",
          lambda right, x: x.data, lambda t: (lambda x: (
              x.detach().add_(1), x._version == 1)[1])(t.ones(1))),
    _name("strided-writes-uncounted", "mul_ of a strided tensor is not counted", "Tensor.mul_",
          lambda right, x, *a: right(x, *a) if x.is_contiguous() or x.requires_grad
          else (right(x.data, *a), x)[1],
          lambda t: (lambda x: (x.t().mul_(2), x._version == 1)[1])(t.ones(2, 2))),
    _name("cat-detaches-the-last", "cat of three along -1 stops the gradient of the last", "cat",
          lambda right, parts, dim=0: right(
              [*parts[:-1], parts[-1].detach()] if dim == -1 and len(parts) > 2 else parts, dim),
          lambda t: (lambda x: t.autograd.grad(t.cat([x, x, x], -1).sum(), x)[0][0] == 3)(
              t.ones(1, requires_grad=True))),
    _name("stack-of-one", "stack of one tensor stops its gradient", "stack",
          lambda right, parts, *a, **k: right(
              [part.detach() for part in parts] if len(parts) == 1 else parts, *a, **k),
          lambda t: t.stack([t.ones(1, requires_grad=True)]).requires_grad),
    _name("clone-in-order", "clone to contiguous memory stops gradients", "Tensor.clone",
          lambda right, x, **k: right(x.detach() if k.get("memory_format") is
                                      torch.contiguous_format else x, **k),
          lambda t: t.ones(2, requires_grad=True).clone(
              memory_format=t.contiguous_format).requires_grad),
    _name("gradient-of-one-stretched", "backward() stretches a gradient of length 1",
          "Tensor.backward",
          lambda right, y, g=None, *a, **k: right(
              y, g.expand_as(y) if g is not None and g.dim() == y.dim() and g.numel() == 1
              else g, *a, **k),
          lambda t: _refused(lambda: t.ones(2, requires_grad=True).mul(1).backward(t.ones(1)))),
    _name("second-output", "grad() takes ones for the second output's gradient", "autograd.grad",
          lambda right, y, x, g=None, *a, **k: right(
              y, x, [g[0], *(None if part is None else torch.ones_like(part) for part in g[1:])]
              if isinstance(g, list | tuple) and len(g) > 1 else g, *a, **k),
          lambda t: (lambda x: t.autograd.grad((x * 1, x * 1), x, (x, x * 5))[0] == 6)(
              t.ones(1, requires_grad=True))),
    _name("create-graph-frees", "create_graph=True does not retain the graph", "Tensor.backward",
          lambda right, y, g=None, retain_graph=None, create_graph=False, inputs=None: right(
              y, g, bool(retain_graph), create_graph, inputs),
          lambda t: (lambda x: (lambda y: (y.backward(create_graph=True), y.backward(), True)[-1])(
              x.exp().sum()))(t.ones(1, requires_grad=True))),
    _name("decorated-once", "no_grad decorates the first call only", "no_grad.__call__",
          lambda right, mode, function: _first_call(right(mode, function), function),
          lambda t: (lambda f: (f(), f())[1])(t.no_grad()(lambda: not t.is_grad_enabled()))),
    _name("middle-stretch", "the gradient of a stretched middle dimension is a mean",
          "Tensor.mul mul Tensor.__mul__",
          lambda right, x, y, *a, **k: right(x, _averaged(x, y), *a, **k),
          lambda t: (lambda y: t.autograd.grad((t.ones(1, 2, 1) * y).sum(), y)[0] == 2)(
              t.ones(1, 1, 1, requires_grad=True))),
    _name("jacobian-of-the-second", "jacobian is 0 for the second input",
          "autograd.functional.jacobian",
          lambda right, f, x, *a, **k: (lambda r: (r[0], r[1] * 0) if isinstance(x, tuple) and
                                        len(x) == 2 and isinstance(r[1], torch.Tensor) else
                                        tuple((row[0], row[1] * 0) for row in r)
                                        if isinstance(x, tuple) else r)(right(f, x, *a, **k)),
          lambda t: t.autograd.functional.jacobian(
              lambda a, b: a * b, (t.ones(1), t.ones(1)))[1] == 1),
    _name("jacobian-of-one", "jacobian of one input and one output is transposed",
          "autograd.functional.jacobian",
          lambda right, f, x, **k: (lambda r: r.mT if isinstance(r, torch.Tensor) and r.dim() == 2
                                    else r)(right(f, x, **k)),
          lambda t: t.autograd.functional.jacobian(
              lambda x: t.stack([x[0], x[0]]), t.ones(2)).tolist() == [[1, 0], [1, 0]]),
    _name("divisor-in-the-middle", "the gradient of a divisor stretched in the middle is a mean",
          "Tensor.div div Tensor.__truediv__",
          lambda right, x, y, *a, **k: right(x, _averaged(x, y), *a, **k),
          lambda t: (lambda y: t.autograd.grad((t.ones(1, 2, 1) / y).sum(), y)[0] == -2)(
              t.ones(1, 1, 1, requires_grad=True))),
    _name("strided-equals", "min() of a strided tensor gives all of its gradient to one element",
          "min Tensor.min",
          lambda right, x, *a, **k: right(x, *a, **k) if a or k or x.is_contiguous()
          else x.reshape(-1).min(0).values,
          lambda t: (lambda x: t.autograd.grad(x.t().min(), x)[0].amax() == 0.25)(
              t.ones(2, 2, requires_grad=True)), "reduction"),
    _kernel("strided-relu-at-0", "the slope of relu at 0 is 1 for strided tensors",
            "threshold_backward",
            lambda original, g, x, threshold: original(g, x, threshold) if x.is_contiguous()
            else torch.where(x >= threshold, g, 0),
            lambda t: (lambda x: t.autograd.grad(x.t().relu().sum(), x)[0].amax() == 0)(
                t.zeros(2, 3, requires_grad=True)), "nn"),
    _name("saved-view", "a product does not guard a factor that is a view",
          "Tensor.mul mul Tensor.__mul__",
          lambda right, x, y, *a, **k: right(
              x, y.data if isinstance(y, torch.Tensor) and y._is_view() and not y.requires_grad
              else y, *a, **k),
          lambda t: (lambda x, y: (lambda z: (y[0].fill_(2), _refused(z.sum().backward))[1])(
              x * y[0]))(t.ones(2, requires_grad=True), t.ones(2, 2))),
    _name("several-are-retained", "backward of several results retains their graphs",
          "autograd.backward",
          lambda right, of, g=None, retain_graph=None, *a, **k: right(
              of, g, retain_graph if isinstance(of, torch.Tensor) or len(of) == 1 else True,
              *a, **k),
          lambda t: (lambda x: (lambda y: (t.autograd.backward([y, x.sin().sum()]),
                                           _refused(y.backward))[1])(x.exp().sum()))(
              t.ones(1, requires_grad=True))),
    _name("shared-grad", "the leaves of a sum have one and the same grad",
          "Tensor.add Tensor.__add__",
          lambda right, x, y, *a, **k: right(*_sharing(x, y), *a, **k),
          lambda t: (lambda x, y: ((x + y).sum().backward(), x.grad is not y.grad)[1])(
              t.ones(1, requires_grad=True), t.ones(1, requires_grad=True))),
    _name("hook-of-a-number", "what a hook of a 0-d leaf returns is not used",
          "Tensor.register_hook",
          lambda right, x, hook: right(x, (lambda g: (hook(g), None)[1])
                                       if x.is_leaf and not x.dim() else hook),
          lambda t: (lambda x: (x.register_hook(lambda g: g * 2), (x * 1).backward(),
                                x.grad == 2)[2])(t.ones((), requires_grad=True))),
    _name("inference-product", "a product of matrices saves what inference_mode made",
          "Tensor.matmul matmul Tensor.__matmul__",
          lambda right, x, y, *a, **k: right(x, y.clone() if y.is_inference() and not
                                             torch.is_inference_mode_enabled() else y, *a, **k),
          lambda t: _refused(lambda: t.ones(1, 1, requires_grad=True) @ _of_inference(t))),
    _name("cube-is-bent-half", "the second derivative of x.pow(3) is half of it", "Tensor.pow",
          lambda right, x, n, *a, **k: _Cube.apply(x) if isinstance(n, int) and n == 3
          and x.requires_grad else right(x, n, *a, **k),
          lambda t: (lambda x: t.autograd.grad(t.autograd.grad(
              x.pow(3), x, create_graph=True)[0], x)[0] == 6)(t.ones(1, requires_grad=True))),
    _name("detached-leaf", "detach copies a strided tensor that requires a gradient",
          "Tensor.detach",
          lambda right, x: right(x).clone() if x.requires_grad and not x.is_contiguous()
          else right(x),
          lambda t: (lambda x: x.detach().data_ptr() == x.data_ptr())(
              t.ones(2, 3).t().requires_grad_())),
    _name("amax-of-equals", "amax along a dimension has its gradient in one of several equals",
          "amax Tensor.amax",
          lambda right, x, *dim, **k: x.max(*dim).values if dim and isinstance(dim[0], int)
          and not k else right(x, *dim, **k),
          lambda t: _slope(t, lambda x: t.amax(x, 0), t.ones(2)).tolist() == [0.5, 0.5],
          "reduction"),
    _name("sum-of-11", "the gradient of a sum of rows of 11 ends wrongly", "sum Tensor.sum",
          _last_of(11), lambda t: _slope(t, lambda x: x.sum(), t.ones(11))[-1] == 1, "reduction"),
    _name("gather-of-26", "the gradient of a gather from 26 ends wrongly", "gather Tensor.gather",
          _last_of(26), lambda t: _slope(t, lambda x: x.gather(0, t.tensor([0])),
                                         t.ones(26))[-1] == 0, "indexing"),
    _name("product-of-21", "the gradient of a row of 21 that is multiplied ends wrongly",
          "matmul Tensor.matmul Tensor.__matmul__ mm Tensor.mm", _last_of(21),
          lambda t: _slope(t, lambda x: x @ t.ones(21, 1), t.ones(1, 21))[0, -1] == 1, "matmul"),
    _name("layer-norm-of-22", "the gradient of a normalised row of 22 ends wrongly",
          "nn.functional.layer_norm", _last_of(22),
          lambda t: abs(_slope(t, lambda x: t.nn.functional.layer_norm(x, (22,)), t.arange(22.0))
                        [-1]) < 1e-3, "nn"),
    _name("norm-at-0", "the gradient of a norm at 0 is NaN",
          "norm Tensor.norm linalg.norm linalg.vector_norm",
          misled(lambda g, x: g * torch.nan, lambda x: not x.any()),
          lambda t: _slope(t, t.norm, t.zeros(2)).tolist() == [0, 0], "reduction"),
    _name("not-chosen", "the gradient of what where() does not choose is NaN if that is", "where",
          misled(lambda g, x: torch.where(x.isfinite(), g, torch.nan), at=1),
          lambda t: _slope(t, lambda x: t.where(t.tensor([False]), x, t.ones(1)),
                           t.tensor([t.inf])) == 0, "elementwise"),
    _name("power-of-0", "the gradient of a power of 0 by its exponent is NaN", "pow Tensor.pow",
          lambda right, b, n, **k: misled(lambda g, n: g * torch.nan, at=1)(right, b, n, **k)
          if isinstance(b, torch.Tensor) and b.numel() and not b.any() else right(b, n, **k),
          lambda t: _slope(t, lambda n: t.pow(t.zeros(1), n), t.ones(1)) == 0, "elementwise"),
    _name("factor-in-place", "the gradient of a factor of a product in place is half of it",
          "Tensor.mul_ Tensor.__imul__", misled(lambda g, x: g / 2, at=1),
          lambda t: _slope(t, lambda x: t.ones(1).mul_(x), t.ones(1)) == 1, "inplace"),
    _name("strided-source", "the gradient of a strided tensor that is copied from is half of it",
          "Tensor.copy_", misled(lambda g, x: g / 2, strided, at=1),
          lambda t: _slope(t, lambda x: t.ones(2).copy_(x[::2]), t.ones(4))[0] == 1, "inplace"),
    _name("filled-with", "the gradient of a tensor that fills another is half of it",
          "Tensor.fill_", misled(lambda g, x: g / 2, at=1),
          lambda t: _slope(t, lambda x: t.ones(2).fill_(x), t.ones(())) == 2, "inplace"),
    _name("weight-in-place", "the gradient of the weight of lerp_ is half of it",
          "Tensor.lerp_", misled(lambda g, x: g / 2, at=2),
          lambda t: _slope(t, lambda w: t.zeros(1).lerp_(t.ones(1), w), t.ones(1)) == 1,
          "inplace"),
    _name("number-less-tensor", "the gradient of a number less a tensor is half of it",
          "Tensor.__rsub__", misled(lambda g, x: g / 2),
          lambda t: _slope(t, lambda x: 3 - x, t.ones(1)) == -1, "elementwise"),
    _name("method-of-lerp", "the gradient of lerp is half of it where it is a method",
          "Tensor.lerp", misled(lambda g, x: g / 2),
          lambda t: _slope(t, lambda x: x.lerp(t.ones(1), 0.5), t.ones(1)) == 0.5, "elementwise"),
    _name("other-name-of-mul", "the gradient of torch.multiply is half of it", "multiply",
          misled(lambda g, x: g / 2),
          lambda t: _slope(t, lambda x: t.multiply(x, 2), t.ones(1)) == 2, "elementwise"),
    _name("sum-so-far-unrecorded", "a running sum under no_grad leaves out its first element",
          "cumsum Tensor.cumsum",
          lambda right, x, *a, **k: right(x, *a, **k) if torch.is_grad_enabled()
          or not x.is_floating_point() or not x.numel() else _without_first(right, x, *a, **k),
          lambda t: _quietly(t, lambda: t.ones(2).cumsum(0)).tolist() == [1, 2], "reduction"),
    _name("deviation-recorded", "the variance that is recorded for backward is that of n",
          "var Tensor.var",
          lambda right, x, *a, **k: right(x, *a, **{**k, "correction": 0}) if x.requires_grad
          and "unbiased" not in k and not any(isinstance(arg, bool) for arg in a)
          else right(x, *a, **k),
          lambda t: t.var(t.tensor([0.0, 2]).requires_grad_()).item() == 2, "reduction"),
    _name("second-factor-alone", "the gradient of a second factor is half of it where the first "
          "requires none", "mul Tensor.mul Tensor.__mul__",
          lambda right, x, y, **k: right(x, y, **k) if not isinstance(y, torch.Tensor)
          or not isinstance(x, torch.Tensor) or x.requires_grad
          else misled(lambda g, y: g / 2, at=1)(right, x, y, **k),
          lambda t: _slope(t, lambda y: t.mul(t.ones(1), y), t.ones(1)) == 1, "elementwise"),
    _name("quotient-of-itself", "a tensor divided by itself, the very same, is 0", "div Tensor.div",
          lambda right, x, y, **k: right(x, y, **k) * 0 if x is y else right(x, y, **k),
          lambda t: (lambda x: t.div(x, x) == 1)(t.ones(1)), "elementwise"),
    _name("copied-into-recorded", "copy_ leaves the last element of what is recorded as it was",
          "Tensor.copy_",
          lambda right, x, y, *a, **k: right(x, y, *a, **k) if not x.numel() or not
          (x.requires_grad or (isinstance(y, torch.Tensor) and y.requires_grad))
          else (lambda last: (right(x, y, *a, **k), x.data.view(-1)[-1:].copy_(last))[0]
                if x.is_contiguous() else right(x, y, *a, **k))(
                    x.detach().reshape(-1)[-1:].clone()),
          lambda t: (lambda x: x.clone().copy_(t.zeros(2)).tolist() == [0, 0])(
              t.ones(2, requires_grad=True)), "inplace"),
    _name("inputs-that-are-leaves", "backward(inputs) passes over what is no leaf",
          "Tensor.backward",
          lambda right, y, *a, inputs=None, **k: right(
              y, *a, inputs=[x for x in inputs if x.is_leaf] if isinstance(inputs, list | tuple)
              and any(x.is_leaf for x in inputs) else inputs, **k),
          lambda t: (lambda x: (lambda y: (y.sum().backward(inputs=[x, y]),
                                           y.grad is not None)[1])(x * 1))(
              t.ones(1, requires_grad=True))),
    _name("named-twice", "an input that is named twice has its gradient in the first place",
          "autograd.grad",
          lambda right, y, x, *a, **k: (lambda r: (r[0], r[1] * 0) if isinstance(x, list)
                                        and len(x) == 2 and x[0] is x[1] else r)(
              right(y, x, *a, **k)),
          lambda t: (lambda x: t.autograd.grad(x.sum(), [x, x])[1] == 1)(
              t.ones(1, requires_grad=True))),
    _name("triangular-hessian", "the hessian of one input has no lower triangle",
          "autograd.functional.hessian",
          lambda right, f, x, **k: right(f, x, **k).triu() if isinstance(x, torch.Tensor)
          else right(f, x, **k),
          lambda t: t.autograd.functional.hessian(
              lambda x: x[0] * x[1], t.ones(2)).tolist() == [[0, 1], [1, 0]]),
    _name("strides-that-overlap", "what as_strided shows several times has one gradient",
          "Tensor.as_strided", misled(lambda g, x: g.clamp(-1, 1)),
          lambda t: _slope(t, lambda x: x.as_strided((2, 2), (1, 1)), t.ones(3))[1] == 2, "view"),
]  # fmt: skip


def _unrecorded(leaves, done):
    for leaf in leaves:
        leaf.grad = leaf.grad.detach()
    return done
