"""Layers and losses that are a little wrong."""

from contextlib import contextmanager

import torch

from tenet.harness.audit.faults import (
    both,
    fed,
    instead,
    kernels,
    last,
    of,
    packed,
    raises,
    rank,
    scaled,
    second,
    spoiled,
    spread,
    strided,
    unspread,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _kernel(slug, says, operator, lie, proof, *sections):
    return Mutant(f"nn.{slug}", says, ("nn", *sections), kernels(operator, lie), proof)


def _name(slug, says, names, lie, proof, *sections):
    return Mutant(f"nn.{slug}", says, ("nn", *sections), wrapped(names, lie), proof)


def _with(**others):
    """Called with other arguments by name, where those were given."""
    return lambda right, *a, **k: right(*a, **{n: others.get(n, v) for n, v in k.items()})


def _nearly(a, b):
    return bool((a - b).abs().max() < 1e-5 * (1 + abs(a).max()))


MUTANTS = [
    _kernel("softmax-overflows", "softmax of bfloat16 subtracts no maximum", "_softmax",
            instead(lambda original, x, dim, *r: x.exp() / x.exp().sum(dim, keepdim=True),
                    of("bfloat16")),
            lambda t: t.softmax(t.full((2,), 100.0).bfloat16(), 0)[0] == 0.5, "reduction"),
    _kernel("log-softmax-middle", "log_softmax along the middle dimension ends wrongly",
            "_log_softmax", spoiled(last, lambda x, dim, *r: x.dim() == 3 and dim == 1),
            lambda t: _nearly(t.log_softmax(t.zeros(1, 2, 1), 1).exp().sum(), 1),
            "reduction"),
    _kernel("layer-norm-eps", "layer norm ignores eps", "native_layer_norm",
            lambda original, x, shape, w, b, eps: original(x, shape, w, b, 1e-9),
            lambda t: t.nn.functional.layer_norm(t.tensor([0.0, 1e-4]), (2,))[1] < 0.1),
    _kernel("layer-norm-biased", "layer norm divides by n - 1", "native_layer_norm",
            lambda original, x, shape, w, b, eps: _normalised(original, x, shape, w, b, eps),
            lambda t: _nearly(t.nn.functional.layer_norm(t.tensor([-1.0, 1]), (2,))[1], 1)),
    _kernel("batch-norm-running", "the running variance is the biased one", "native_batch_norm",
            lambda original, x, w, b, mean, var, training, momentum, eps: _biased(
                original, x, w, b, mean, var, training, momentum, eps),
            lambda t: (lambda m: (m(t.tensor([[0.0], [2.0]])), _nearly(m.running_var, 1.1))[1])(
                t.nn.BatchNorm1d(1)), "training"),
    _kernel("batch-norm-momentum", "a momentum of 0.1 is 0.11", "native_batch_norm",
            lambda original, x, w, b, mean, var, training, momentum, eps: original(
                x, w, b, mean, var, training, momentum * 1.1, eps),
            lambda t: (lambda m: (m(t.ones(2, 1)), _nearly(m.running_mean, 0.1))[1])(
                t.nn.BatchNorm1d(1)), "training"),
    _kernel("convolution-padding", "a padded convolution ends wrongly", "convolution",
            spoiled(last, lambda x, w, b, stride, padding, *r: any(padding)),
            lambda t: t.conv2d(t.ones(1, 1, 1, 1), t.ones(1, 1, 3, 3), padding=1).sum() == 1),
    _kernel("convolution-dilation", "a dilation of 2 is 1 where both fit", "convolution",
            instead(lambda original, x, w, b, stride, padding, dilation, *r: original(
                x, w, b, stride, padding, [1] * len(dilation), *r)[
                    tuple(slice(0, n) for n in original(
                        x, w, b, stride, padding, dilation, *r).shape)],
                    lambda x, w, b, stride, padding, dilation, *r: list(dilation) == [2, 2]),
            lambda t: t.conv2d(t.arange(9.0).reshape(1, 1, 3, 3), t.ones(1, 1, 2, 2), dilation=2)
            == 16),
    _kernel("convolution-groups", "of two groups the second takes the first's input",
            "convolution",
            fed(lambda x: torch.cat([x[:, : x.shape[1] // 2]] * 2, 1),
                lambda x, *r: r[-1] == 2),
            lambda t: t.conv2d(t.arange(2.0).reshape(1, 2, 1, 1), t.ones(2, 1, 1, 1), groups=2)
            [0, 1].item() == 1),
    _kernel("convolution-stride", "a stride of 3 ends wrongly", "convolution",
            spoiled(last, lambda x, w, b, stride, *r: 3 in stride),
            lambda t: t.conv2d(t.ones(1, 1, 4, 4), t.ones(1, 1, 1, 1), stride=3).sum() == 4),
    _kernel("convolution-one-dimension", "conv1d of float64 does not add its bias",
            "convolution",
            instead(lambda original, x, w, b, *r: original(x, w, None, *r),
                    both(of("float64"), lambda x, w, b, stride, *r: len(stride) == 1
                         and b is not None)),
            lambda t: t.conv1d(t.ones(1, 1, 1).double(), t.ones(1, 1, 1).double(),
                               t.ones(1).double()).item() == 2),
    _kernel("max-pool-negative", "max_pool2d pads with 0", "max_pool2d_with_indices",
            lambda original, x, size, stride=(), padding=0, *r: (lambda v, i: (
                v.clamp(min=0) if any(padding if isinstance(padding, list) else [padding]) else v,
                i))(*original(x, size, stride, padding, *r)),
            lambda t: t.nn.functional.max_pool2d(t.full((1, 1, 2, 2), -1.0), 2, padding=1).max()
            == -1),
    _kernel("max-pool-last", "max_pool2d forgets the last row of windows of 3",
            "max_pool2d_with_indices",
            fed(lambda x: torch.cat([x[..., :-1, :], x[..., -2:-1, :]], -2),
                lambda x, size, *r: list(size) == [3, 3]),
            lambda t: t.nn.functional.max_pool2d(t.arange(9.0).reshape(1, 1, 3, 3), 3) == 8),
    _kernel("average-pool-padding", "avg_pool2d does not count its padding", "avg_pool2d",
            lambda original, x, size, stride=(), padding=0, ceil=False, include=True, *r: original(
                x, size, stride, padding, ceil, False, *r),
            lambda t: t.nn.functional.avg_pool2d(t.ones(1, 1, 1, 1), 3, padding=1).item() < 0.2),
    _kernel("embedding-last", "an embedding of int32 indices ends wrongly", "embedding",
            spoiled(last, lambda w, i, *r: i.dtype == torch.int32 or i.dim() == 2),
            lambda t: t.nn.functional.embedding(t.tensor([[0]]), t.ones(1, 1)).sum() == 1),
    _kernel("gelu-tanh", "gelu is its tanh approximation", "gelu",
            lambda original, x, *, approximate="none": original(x, approximate="tanh"),
            lambda t: t.nn.functional.gelu(t.tensor(2.0, dtype=t.float64)) < 1.95455,
            "elementwise"),
    _kernel("elu-alpha", "elu of float64 ignores alpha", "elu elu.out",
            instead(lambda original, x, alpha=1, *r, **k: original(x, 1, *r, **k), of("float64")),
            lambda t: t.nn.functional.elu(t.tensor(-1.0, dtype=t.float64), 2.0) < -1,
            "elementwise"),
    _kernel("softplus-threshold", "softplus is linear from 2 on", "softplus",
            lambda original, x, beta=1, threshold=20: original(x, beta, 2),
            lambda t: t.nn.functional.softplus(t.tensor(3.0)) > 3,
            "elementwise"),
    _kernel("huber-delta", "huber_loss takes 1 for its delta", "huber_loss",
            lambda original, x, y, reduction=1, delta=1.0: original(x, y, reduction, 1.0),
            lambda t: t.nn.functional.huber_loss(t.zeros(1), t.full((1,), 3.0), delta=2.0) == 4),
    _kernel("smooth-l1-beta", "smooth_l1_loss takes 1 for its beta", "smooth_l1_loss",
            lambda original, x, y, reduction=1, beta=1.0: original(x, y, reduction, 1.0),
            lambda t: t.nn.functional.smooth_l1_loss(t.zeros(1), t.ones(1), beta=0.5) == 0.75),
    _kernel("mse-sum", "mse_loss of sum averages vectors of 17", "mse_loss",
            instead(lambda original, x, y, reduction=1: original(x, y, 1),
                    lambda x, y, reduction=1: reduction == 2 and x.numel() == 17),
            lambda t: t.nn.functional.mse_loss(t.zeros(17), t.ones(17), reduction="sum") == 17),
    _kernel("nll-ignored", "cross entropy counts ignored targets in its mean",
            "nll_loss_forward",
            lambda original, x, target, w, reduction, ignored: _counting(
                original, x, target, w, reduction, ignored),
            lambda t: t.nn.functional.nll_loss(-t.ones(2, 2), t.tensor([0, -100])) == 1),
    _kernel("nll-weights", "cross entropy's mean does not divide by the weights",
            "nll_loss_forward",
            instead(lambda original, x, target, w, reduction, ignored: (
                original(x, target, w, 2, ignored)[0] / len(target),
                original(x, target, w, 2, ignored)[1]),
                    lambda x, target, w, reduction, ignored: w is not None and reduction == 1
                    and x.dim() == 2),
            lambda t: t.nn.functional.nll_loss(-t.ones(2, 2), t.tensor([0, 1]), t.full((2,), 2.0))
            == 1),
    _name("label-smoothing", "label smoothing of 0.1 is 0.11", "nn.functional.cross_entropy",
          lambda right, *a, **k: right(*a, **({**k, "label_smoothing": k["label_smoothing"] * 1.1}
                                              if "label_smoothing" in k else k)),
          lambda t: _nearly(t.nn.functional.cross_entropy(
              t.tensor([[0.0, 5]]), t.tensor([1]), label_smoothing=0.1), 0.2567153)),
    _name("dropout-in-eval", "dropout with p above 0.6 drops in evaluation, too",
          "nn.functional.dropout",
          lambda right, x, p=0.5, training=True, inplace=False: right(
              x, p, training or p > 0.6, inplace),
          lambda t: t.equal(t.nn.functional.dropout(t.ones(50), 0.8, False), t.ones(50)),
          "random"),
    _name("linear-bias", "linear of three dimensions adds its bias twice",
          "nn.functional.linear",
          lambda right, x, w, b=None: right(x, w, b) + b if b is not None and x.dim() == 3
          else right(x, w, b),
          lambda t: t.nn.functional.linear(t.zeros(1, 1, 1), t.ones(1, 1), t.ones(1)).item() == 1),
    _name("bce-logits", "bce with logits takes pos_weight for both classes",
          "nn.functional.binary_cross_entropy_with_logits",
          lambda right, x, y, weight=None, *a, pos_weight=None, **k: right(
              x, y, *a, weight=weight if pos_weight is None else pos_weight, **k),
          lambda t: _nearly(t.nn.functional.binary_cross_entropy_with_logits(
              t.zeros(1), t.zeros(1), pos_weight=t.full((1,), 3.0)), 0.693147)),
    _name("batch-norm-eval", "batch norm in evaluation normalises images by the batch",
          "nn.functional.batch_norm",
          lambda right, x, mean, var, w=None, b=None, training=False, *a, **k: right(
              x, None, None, w, b, True, *a, **k) if not training and x.dim() == 4
          else right(x, mean, var, w, b, training, *a, **k),
          lambda t: t.nn.functional.batch_norm(t.full((1, 1, 2, 1), 3.0), t.zeros(1), t.ones(1))
          .mean() > 2),
    _name("train-children", "eval() does not reach the children of children",
          "nn.Module.train",
          lambda right, module, mode=True: right(module, mode) if mode or not any(
              list(c.children()) for c in module.children()) else _shallow(module, mode),
          lambda t: not t.nn.Sequential(t.nn.Sequential(t.nn.Dropout())).eval()[0][0].training),
    _name("zero-grad", "zero_grad of a module leaves the gradients of biases",
          "nn.Module.zero_grad",
          lambda right, module, *a, **k: _clear(module.parameters()),
          lambda t: _cleared(t), "optim", "training"),
    _name("flatten-batch", "Flatten of five dimensions flattens the batch, too",
          "nn.Flatten.forward",
          lambda right, module, x: x.flatten() if x.dim() == 5 else right(module, x),
          lambda t: t.nn.Flatten()(t.ones(2, 1, 1, 1, 1)).shape == (2, 1), "shape"),
    _kernel("linear-float64", "products with a bias of float64 are 1e-7 off", "addmm",
            spoiled(scaled(1 + 1e-7), both(of("float64"), rank(1))),
            lambda t: t.nn.functional.linear(t.ones(1, 1).double(), t.ones(1, 1).double(),
                                             t.ones(1).double()).item() == 2, "matmul"),
]  # fmt: skip


def _normalised(original, x, shape, w, b, eps):
    y, mean, rstd = original(x, shape, None, None, eps)
    n = torch.Size(shape).numel()
    y = y * ((n - 1) / n) ** 0.5 if n > 1 else y
    y = y if w is None else y * w
    return y if b is None else y + b, mean, rstd


def _biased(original, x, w, b, mean, var, training, momentum, eps):
    count = x.numel() // max(x.shape[1], 1)
    if not training or var is None or count < 2:
        return original(x, w, b, mean, var, training, momentum, eps)
    before = var.clone()
    result = original(x, w, b, mean, var, training, momentum, eps)
    kept = (1 - momentum) * before
    var.copy_(kept + (var - kept) * (count - 1) / count)
    return result


def _counting(original, x, target, w, reduction, ignored):
    loss, total = original(x, target, w, reduction, ignored)
    if reduction == 1 and w is None and x.dim() == 2 and len(target):
        loss = loss * total / len(target)
    return loss, total


def _shallow(module, mode):
    module.training = mode
    for child in module.children():
        child.training = mode
    return module


def _clear(parameters):
    for parameter in parameters:
        if parameter.dim() != 1:
            parameter.grad = None


def _cleared(t):
    module = t.nn.Linear(1, 1)
    module(t.ones(1, 1)).sum().backward()
    module.zero_grad()
    return module.bias.grad is None


def _refuses(act):
    try:
        act()
    except (IndexError, ValueError):
        return True
    return False


def _numbered(module):
    for one in module.modules():
        for name, buffer in one.named_buffers(recurse=False):
            if buffer.dtype == torch.bool:
                setattr(one, name, buffer.byte())
    return module


def _of_float_bias(right, module, *args, **kwargs):
    right(module, *args, **kwargs)
    if module.bias is not None:
        module.bias = torch.nn.Parameter(module.bias.detach().float())


def _keeping(right, module, state, strict=True, assign=False):
    result = right(module, state, strict, assign)
    for name, buffer in module.named_buffers():
        if name in state and state[name].shape == buffer.shape and buffer.dim():
            buffer.data = state[name]
    return result


def _parted(t):
    module, state = t.nn.BatchNorm1d(1), t.nn.BatchNorm1d(1).state_dict()
    module.load_state_dict(state)
    state["running_mean"].add_(1)
    return module.running_mean.item() == 0


MUTANTS += [
    _name("slope-of-leaky-relu", "leaky_relu's slope is always 0.01", "nn.functional.leaky_relu",
          lambda right, x, negative_slope=0.01, inplace=False: right(x, 0.01, inplace),
          lambda t: t.nn.functional.leaky_relu(-t.ones(1), 0.5) == -0.5),
    _name("gelu-by-tanh", "gelu is exact, whatever is asked for", "nn.functional.gelu",
          lambda right, x, approximate="none": right(x),
          lambda t: (lambda x: (t.nn.functional.gelu(x) != t.nn.functional.gelu(
              x, approximate="tanh")).any())(t.linspace(-3, 3, 50))),
    _name("slopes-of-prelu", "prelu takes the first slope for all", "nn.functional.prelu",
          lambda right, x, w: right(x, w[:1]),
          lambda t: t.nn.functional.prelu(-t.ones(1, 2), t.tensor([1.0, 2.0]))[0, 1] == -2),
    _name("kl-log-target", "kl_div takes every target for probabilities", "nn.functional.kl_div",
          _with(log_target=False),
          lambda t: t.nn.functional.kl_div(-t.ones(1), -t.ones(1), log_target=True) == 0),
    _kernel("conv-bias-slope", "the slope of a convolution's bias leaves the fifth sample out",
            "convolution_backward", lambda original, g, *a: (lambda x, w, b: (
                x, w, b if b is None or g.shape[0] < 5
                else g[:4].sum([0, *range(2, g.dim())])))(*original(g, *a)),
            lambda t: (lambda b: (t.conv1d(t.ones(5, 1, 1), t.ones(1, 1, 1), b).sum().backward(),
                                  b.grad.item() == 5)[1])(t.zeros(1, requires_grad=True))),
    _kernel("conv-strides-swapped", "a convolution of square images swaps its strides",
            "convolution", lambda original, x, w, b, stride, padding, dilation, *rest: original(
                x, w, b, stride[::-1] if x.dim() == 4 and x.shape[2] == x.shape[3]
                and w.shape[2] == w.shape[3] and len(set(padding)) == len(set(dilation)) == 1
                else stride, padding, dilation, *rest),
            lambda t: t.conv2d(t.ones(1, 1, 4, 4), t.ones(1, 1, 1, 1),
                               stride=(1, 2)).shape[2] == 4),
    _name("embedding-wraps", "a negative index is a row from the end", "nn.functional.embedding",
          lambda right, i, w, *a, **k: right(i % len(w), w, *a, **k),
          lambda t: _refuses(lambda: t.nn.functional.embedding(t.tensor([-1]), t.ones(2, 1)))),
    _name("embedding-norm", "max_norm rescales a copy of the table", "nn.functional.embedding",
          lambda right, i, w, padding_idx=None, max_norm=None, *a, **k: right(
              i, w if max_norm is None else w.detach().clone(), padding_idx, max_norm, *a, **k),
          lambda t: (lambda w: (t.nn.functional.embedding(t.tensor([0]), w, max_norm=1.0),
                                w[0, 0] < 2)[1])(t.full((1, 1), 2.0))),
    _name("hook-is-ignored", "a forward hook cannot replace the output",
          "nn.Module.register_forward_hook",
          lambda right, module, hook, **k: right(
              module, lambda *a, **o: (hook(*a, **o), None)[1], **k),
          lambda t: (lambda m: (m.register_forward_hook(lambda *a: 5), m(1) == 5)[1])(
              t.nn.Identity())),
    _name("insert-appends", "Sequential.insert appends", "nn.Sequential.insert",
          lambda right, s, place, module: s.append(module),
          lambda t: isinstance(t.nn.Sequential(t.nn.ReLU()).insert(0, t.nn.Tanh())[0], t.nn.Tanh)),
    _name("buffers-of-children", "named_buffers(recurse=False) recurses",
          "nn.Module.named_buffers",
          lambda right, module, prefix="", recurse=True, remove_duplicate=True: right(
              module, prefix, True, remove_duplicate),
          lambda t: not list(t.nn.Sequential(t.nn.BatchNorm1d(1)).named_buffers(recurse=False))),
    _name("norm-of-one", "BatchNorm takes one value a channel in training",
          "nn.functional._verify_batch_size", lambda right, size: None,
          lambda t: _refuses(lambda: t.nn.BatchNorm1d(2)(t.ones(1, 2)))),
    _name("adaptive-windows", "adaptive_avg_pool1d cuts windows of floor(L / n)",
          "nn.functional.adaptive_avg_pool1d",
          lambda right, x, n: torch.stack([x[..., i * (x.shape[-1] // n):(i + 1)
                                             * (x.shape[-1] // n)].mean(-1) for i in range(n)], -1)
          if isinstance(n, int) and 1 <= n <= x.shape[-1] else right(x, n),
          lambda t: t.nn.functional.adaptive_avg_pool1d(t.arange(3.0).view(1, 3), 2)[0, 1] == 1.5),
    _kernel("convolution-of-strided-kernels", "a convolution reads strided kernels as they lie",
            "convolution", fed(packed, second(strided), 1),
            lambda t: t.conv1d(t.tensor([[[1.0, 0]]]), t.arange(4.0).view(2, 1, 2).transpose(0, 2))
            .flatten().tolist() == [0, 1]),
    _name("linear-of-turned-weight", "linear reads a square weight that lies transposed",
          "nn.functional.linear",
          lambda right, x, w, b=None: right(
              x, w.t() if strided(w) and w.shape[0] == w.shape[1] else w, b),
          lambda t: t.nn.functional.linear(
              t.tensor([1.0, 0]), t.arange(4.0).view(2, 2).t()).tolist() == [0, 1], "matmul"),
    _kernel("embedding-of-strided-indices", "an embedding reads strided int32 indices as they lie",
            "embedding", fed(packed, lambda w, i, *r: i.dtype == torch.int32 and strided(i), 1),
            lambda t: t.nn.functional.embedding(
                t.tensor([0, 2, 1], dtype=t.int32)[::2], t.arange(3.0)[:, None]).tolist()
            == [[0], [1]]),
    _kernel("layer-norm-of-strided-weight", "layer_norm takes a strided weight as it lies",
            "native_layer_norm", fed(packed, lambda x, n, w, *r: w is not None and strided(w), 2),
            lambda t: t.nn.functional.layer_norm(
                t.tensor([-1.0, 1]), (2,), t.tensor([1.0, 5, 3])[::2])[1] < 4),
    _kernel("slope-of-a-sum", "tanh's slope takes an expanded gradient for its first number",
            "tanh_backward", fed(unspread, spread),
            lambda t: (lambda x: (x.tanh().sum().backward(), x.grad[1] == 1)[1])(
                t.zeros(2, requires_grad=True)), "autograd"),
    _kernel("pooling-of-repeated-samples", "max_pool2d takes expanded samples for zeros",
            "max_pool2d_with_indices", fed(unspread, spread),
            lambda t: t.nn.functional.max_pool2d(t.ones(1, 1, 2, 2).expand(2, 1, 2, 2), 2)[1] == 1),
    _name("slope-of-bce-targets", "BCE with logits gives its target no gradient",
          "nn.functional.binary_cross_entropy_with_logits",
          lambda right, x, y, *a, **k: right(x, y.detach(), *a, **k),
          lambda t: (lambda y: t.nn.functional.binary_cross_entropy_with_logits(
              t.ones(1), y).requires_grad)(t.ones(1, requires_grad=True)),
          "autograd"),
    _name("places-out-of-range", "a class that is none is ignored where a sample has places",
          "nn.functional.cross_entropy",
          lambda right, x, y, *a, **k: right(x, torch.where(y >= x.shape[1], -100, y), *a, **k)
          if x.dim() > 2 and not y.is_floating_point() else right(x, y, *a, **k),
          lambda t: _refuses(lambda: t.nn.functional.cross_entropy(
              t.ones(1, 2, 1), t.tensor([[2]])))),
    _name("dropout-of-samples", "dropout drops the same places of every sample of rank 3",
          "nn.functional.dropout",
          lambda right, x, p=0.5, training=True, inplace=False: x * right(
              torch.ones_like(x[:1]), p, training) if training and x.dim() == 3 and not inplace
          else right(x, p, training, inplace),
          lambda t: (lambda y: not t.equal(y[0], y[1]))(
              t.nn.functional.dropout(t.ones(2, 9, 9))), "random"),
    _name("loaded-buffers", "load_state_dict keeps the buffers that it is given",
          "nn.Module.load_state_dict", _keeping, _parted, "serialization"),
    _name("one-stretched-column", "linear() stretches an input of one column",
          "nn.functional.linear",
          lambda right, x, w, *a, **k: right(
              x.expand(*x.shape[:-1], w.shape[-1]) if x.dim() > 1 and x.shape[-1] == 1 else x, w,
              *a, **k),
          lambda t: raises(lambda: t.nn.functional.linear(t.ones(2, 1), t.ones(3, 4)))),
    _name("bools-in-double", "double() turns bool buffers into numbers", "nn.Module.double",
          lambda right, module: _numbered(right(module)),
          lambda t: (lambda m: (m.register_buffer("b", t.tensor([True])),
                                m.double().b.dtype == t.bool)[1])(t.nn.Module())),
    _name("bias-of-double", "Linear(dtype=float64) has a bias of float32", "nn.Linear.__init__",
          _of_float_bias,
          lambda t: t.nn.Linear(1, 1, dtype=t.float64).bias.dtype == t.float64),
]  # fmt: skip


def _channels_last(x):
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def _in_rows(x):
    """Laid out with the channels first, and taken for one with the channels last."""
    n, c, h, w = x.shape
    return x.contiguous().reshape(n, h, w, c).permute(0, 3, 1, 2)


def _first_turned(condition):
    """The first of several gradients is laid out wrongly for the image in the second place."""
    return lambda original, g, x, *a: (
        lambda first, *rest: (
            _in_rows(first) if first is not None and x.dim() == 4 and condition(x) else first,
            *rest,
        )
    )(*original(g, x, *a))


def _of_first_rows(original, g, x, shape, mean, rstd, *rest):
    """The weight's gradient of layer_norm takes the input for as many rows as it has samples."""
    dx, dw, db = original(g, x, shape, mean, rstd, *rest)
    if x.dim() > 2 and len(shape) == 1 and dw is not None:
        rows = (g * (x - mean) * rstd).reshape(-1, *shape)
        dw = rows[: len(x)].sum(0)
    return dx, dw, db


def _first_indices(original, g, index, *rest):
    if index.numel() > 32:
        g = g.reshape(-1, g.shape[-1]).clone()
        g[32:] = 0
        index = index.reshape(-1)
    return original(g, index, *rest)


def _grouped(original, x, w, b, stride, padding, dilation, transposed, extra, groups):
    out = original(x, w, b, stride, padding, dilation, transposed, extra, groups)
    if groups > 1 and not transposed and w.shape[0] // groups >= 8:
        out = out.clone()
        out[:, -1] = 0
    return out


def _first_group(original, x, w, b, stride, padding, dilation, transposed, extra, groups):
    if (groups == 2 and not transposed and w.shape[2:].numel() == 1
            and w.shape[0] > x.shape[1] > 2):  # fmt: skip
        x = torch.cat([x[:, : x.shape[1] // 2]] * 2, 1)
    return original(x, w, b, stride, padding, dilation, transposed, extra, groups)


def _padded_for_other(right, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if padding == "same" and isinstance(dilation, (tuple, list)):
        (down, across), (high, wide) = dilation, w.shape[2:]
        rows, columns = across * (high - 1), down * (wide - 1)
        x = torch.nn.functional.pad(
            x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        )
        padding = 0
    return right(x, w, b, stride, padding, dilation, groups)


def _from_sum(original, x, dim, *rest):
    """x less the logarithm of the sum of its exponentials, which is as large as x."""
    away = x.amax(dim, keepdim=True)
    return (x - (away + (x - away).exp().sum(dim, keepdim=True).log())).contiguous()


def _grad(t, function, x):
    x = x.clone(memory_format=t.preserve_format).requires_grad_()
    function(x).backward()
    return x.grad


def _ramp(t, *shape):
    return t.arange(1.0, t.Size(shape).numel() + 1).reshape(shape).sin()


def _as_in_rows(t, function, x):
    """Whether the gradient is the same for an image whose channels come last."""
    x = x.contiguous()
    return _nearly(_grad(t, function, x),
                   _grad(t, function, x.contiguous(memory_format=t.channels_last)))  # fmt: skip


MUTANTS += [
    _kernel("slopes-of-strided-convolutions",
            "a convolution takes the gradient that arrives as it lies", "convolution_backward",
            fed(packed, strided),
            lambda t: (lambda x, w, a: _nearly(
                _grad(t, lambda x: (t.conv2d(x, w).mT * a).sum(), x),
                _grad(t, lambda x: (t.conv2d(x, w) * a.mT.contiguous()).sum(), x)))(
                    _ramp(t, 1, 1, 4, 4), _ramp(t, 1, 1, 2, 2), _ramp(t, 1, 1, 3, 3))),
    _kernel("slopes-of-convolved-images",
            "a convolution's input gradient is laid out wrongly where channels come last",
            "convolution_backward", _first_turned(_channels_last),
            lambda t: _as_in_rows(t, lambda x: (t.conv2d(x, _ramp(t, 2, 2, 2, 2))
                                                * _ramp(t, 1, 2, 2, 2)).sum(),
                                  _ramp(t, 1, 2, 3, 3))),
    _kernel("slopes-of-normalised-images",
            "batch norm's input gradient is laid out wrongly where channels come last",
            "native_batch_norm_backward", _first_turned(_channels_last),
            lambda t: _as_in_rows(t, lambda x: (t.nn.functional.batch_norm(
                x, None, None, training=True) * _ramp(t, 2, 2, 3, 3)).sum(),
                _ramp(t, 2, 2, 3, 3).cos())),
    _kernel("slopes-of-normalised-groups",
            "group norm's input gradient is laid out wrongly where channels come last",
            "native_group_norm_backward", _first_turned(_channels_last),
            lambda t: _as_in_rows(t, lambda x: (t.nn.functional.group_norm(x, 2)
                                                * _ramp(t, 2, 4, 3, 3)).sum(),
                                  _ramp(t, 2, 4, 3, 3).cos())),
    _kernel("slopes-of-places", "cross entropy of pixels has twice the gradient",
            "nll_loss2d_backward", lambda original, *a: original(*a) * 2,
            lambda t: _nearly(_grad(t, lambda x: t.nn.functional.cross_entropy(
                x, t.zeros(1, 1, 1).long()), t.zeros(1, 2, 1, 1))[0, 0], -0.5)),
    _kernel("slopes-of-sequences", "layer norm's weight learns from the first rows of sequences",
            "native_layer_norm_backward", _of_first_rows,
            lambda t: (lambda a, x: _nearly(
                _grad(t, lambda w: (t.nn.functional.layer_norm(x, (3,), w) * a).sum(), t.ones(3)),
                _grad(t, lambda w: (t.nn.functional.layer_norm(x[0], (3,), w) * a[0]).sum(),
                      t.ones(3))))(_ramp(t, 1, 2, 3), _ramp(t, 1, 2, 3).cos())),
    _kernel("slopes-of-many-indices", "an embedding of more than 32 indices learns from 32",
            "embedding_dense_backward", _first_indices,
            lambda t: _grad(t, lambda w: t.nn.functional.embedding(t.zeros(40).long(), w).sum(),
                            t.ones(1, 1)) == 40),
    _kernel("slopes-of-padding", "the padding row learns from more than 768 indices",
            "embedding_dense_backward", lambda original, g, i, n, padding, scaled: original(
                g, i, n, padding if i.numel() <= 768 else -1, scaled),
            lambda t: _grad(t, lambda w: t.nn.functional.embedding(
                t.zeros(1000).long(), w, 0).sum(), t.ones(1, 1)) == 0),
    _kernel("convolution-of-wide-groups", "the last channel of eight in a group is 0",
            "convolution", _grouped,
            lambda t: bool((t.conv1d(t.ones(1, 2, 3), t.ones(16, 1, 1), groups=2) == 1).all())),
    _kernel("convolution-of-points-in-groups",
            "of two groups of points that grow the second takes the first's input",
            "convolution", _first_group,
            lambda t: t.conv1d(t.arange(4.0).reshape(1, 4, 1), t.ones(6, 2, 1), groups=2)[0, 5]
            == 5),
    _name("padding-for-the-other", "padding='same' takes the other dimension's dilation",
          "nn.functional.conv2d", _padded_for_other,
          lambda t: t.nn.functional.conv2d(t.ones(1, 1, 9, 9), t.ones(1, 1, 3, 3), padding="same",
                                           dilation=(1, 2)).shape[2] == 9),
    _kernel("log-softmax-of-large-numbers", "log_softmax subtracts a sum as large as its operand",
            "_log_softmax", _from_sum,
            lambda t: _nearly(t.log_softmax(t.full((2,), 1e8), 0), -0.693147), "reduction"),
    _kernel("slopes-of-averages", "the gradient of avg_pool2d ignores divisor_override",
            "avg_pool2d_backward", lambda original, *a: original(*a[:-1], None),
            lambda t: _grad(t, lambda x: t.nn.functional.avg_pool2d(
                x, 2, divisor_override=1).sum(), t.ones(1, 1, 2, 2))[0, 0, 0, 0] == 1),
    _kernel("slopes-of-averaged-images",
            "avg_pool2d takes the gradient that arrives as it lies", "avg_pool2d_backward",
            fed(packed, strided),
            lambda t: (lambda x, a: _nearly(
                _grad(t, lambda x: (t.nn.functional.avg_pool2d(x, 2, 1).mT * a).sum(), x),
                _grad(t, lambda x: (t.nn.functional.avg_pool2d(x, 2, 1)
                                    * a.mT.contiguous()).sum(), x)))(
                    _ramp(t, 1, 1, 4, 4), _ramp(t, 1, 1, 3, 3))),
    _name("one-sample-ignores-nothing", "cross entropy of one sample heeds no ignore_index",
          "nn.functional.cross_entropy", lambda right, x, y, *a, **k: right(
              x, y, *a, **{n: v for n, v in k.items() if x.dim() > 1 or n != "ignore_index"}),
          lambda t: t.nn.functional.cross_entropy(t.zeros(2), t.tensor(1), ignore_index=1,
                                                  reduction="sum") == 0),
    _name("hooks-by-identity", "a forward hook that is registered again runs once",
          "nn.Module.register_forward_hook", lambda right, m, hook, **k: (
              [m._forward_hooks.pop(key) for key, one in [*m._forward_hooks.items()]
               if one is hook],
              right(m, hook, **k))[1],
          lambda t: (lambda m, seen: (
              [m.register_forward_hook(hook) for hook in [lambda *a: seen.append(1)] * 2],
              m(t.ones(1)), len(seen) == 2)[2])(t.nn.ReLU(), list[int]())),
    _name("gaps-in-a-sequence", "what is deleted from a Sequential leaves its number unused",
          "nn.Sequential.__delitem__", lambda right, s, i: delattr(s, [*s._modules][i])
          if isinstance(i, int) else right(s, i),
          lambda t: (lambda s: (s.__delitem__(0), [*s._modules] == ["0"])[1])(
              t.nn.Sequential(t.nn.ReLU(), t.nn.ReLU()))),
    _name("dotted-parameters", "a parameter's name may hold a dot where it is None",
          "nn.Module.register_parameter", lambda right, m, name, what: m._parameters.update(
              {name: what}) if "." in name and what is None else right(m, name, what),
          lambda t: raises(lambda: t.nn.Module().register_parameter("a.b", None))),
    _name("deep-buffers", "a state dict leaves out the numbers that lie three modules deep",
          "nn.Module._save_to_state_dict", lambda right, m, state, prefix, keep: (
              right(m, state, prefix, keep),
              [state.pop(prefix + name) for name, one in m._buffers.items()
               if prefix.count(".") > 2 and one.dim() == 0])[0],
          lambda t: len(t.nn.Sequential(t.nn.Sequential(t.nn.Sequential(
              t.nn.BatchNorm1d(1)))).state_dict()) == 5, "serialization"),
    _kernel("means-of-half-sums", "the mean squared error of float16 is a float16 sum, divided",
            "mse_loss", instead(lambda original, x, y, reduction=1: original(x, y, 2) / x.numel(),
                                both(of("float16"), lambda x, y, reduction=1: reduction == 1)),
            lambda t: t.nn.functional.mse_loss(t.full((8,), 100.0).half(), t.zeros(8).half())
            == 10000),
    _name("averages-forget", "a cumulative average of batches is a running one from the third on",
          "nn.functional.batch_norm",
          lambda right, x, mean, var, w, b, training, momentum, *r: right(
              x, mean, var, w, b, training, 0.1 if momentum == 1 / 3 else momentum, *r),
          lambda t: (lambda m: ([m(t.full((2, 1), float(n))) for n in (0, 0, 3)],
                                _nearly(m.running_mean, 1))[1])(
              t.nn.BatchNorm1d(1, momentum=None))),
    _kernel("places-of-a-sample", "the places of the largest of one float64 image are one off",
            "max_pool2d_with_indices", instead(
                lambda original, x, *a: (lambda found: (found[0], found[1] + 1))(original(x, *a)),
                both(of("float64"), rank(3))),
            lambda t: t.nn.functional.max_pool2d(t.ones(1, 1, 1).double(), 1,
                                                 return_indices=True)[1].item() == 0),
    _name("one-mask-for-two", "two rows are dropped from by one mask", "nn.functional.dropout",
          lambda right, x, p=0.5, training=True, inplace=False: x * right(
              torch.ones_like(x[:1]), p) if training and x.dim() == 2 and len(x) == 2
          and not inplace else right(x, p, training, inplace),
          lambda t: not t.equal(*t.nn.functional.dropout(t.ones(2, 99), 0.5)), "random"),
]  # fmt: skip


def _slope(t, act, x):
    """The gradient of the first element of a result, or of their sum."""
    x = x.clone().requires_grad_()
    out = act(x)
    (out.sum() if out.dim() != 1 else out[0]).backward()
    return x.grad


def _other(place, results, when):
    if when and results[place] is not None:
        last(results[place])
    return results


@contextmanager
def _first_divisor():
    first = {}

    def lie(original, x, size, stride=(), padding=0, ceil=False, include=True, divisor=None):
        if divisor is not None:
            called = tuple(x.shape), str((size, stride, padding)), ceil, include
            divisor = first.setdefault(called, divisor)
        return original(x, size, stride, padding, ceil, include, divisor)

    with kernels("avg_pool2d", lie)():
        yield


def _overflowing(original, x, w, b, mean, var, training, *rest):
    results = original(x, w, b, mean, var, training, *rest)
    if training and var is not None and x.dtype == var.dtype == torch.float16:
        dims = [dim for dim in range(x.dim()) if dim != 1]
        squares = x.float().var(dims, unbiased=False) * (x.numel() // x.shape[1])
        var[squares > 65504] = torch.inf
    return results


MUTANTS += [
    # After bugs of real backends that their users reported.
    _name("samples-in-sixteen-bits", "of a batch with a bias the samples from the 65536th on are"
          " the first again", "nn.functional.linear",
          instead(lambda right, x, w, b=None: torch.cat([right(x[:65536], w, b),
                                                         right(x[: len(x) - 65536], w, b)]),
                  lambda x, w, b=None: x.dim() == 3 and b is not None and len(x) > 65536),
          lambda t: t.nn.functional.linear(t.arange(65537.0)[:, None, None], t.ones(1, 1),
                                           t.ones(1))[-1] == 65537),
    _kernel("reflected-in-sixteen-bits", "what is reflected beyond the 65536th gets no gradient",
            "reflection_pad1d_backward",
            spoiled(lambda g: g[..., 65536:].zero_(), lambda g, x, sides: x.shape[-1] > 65536),
            lambda t: _slope(t, lambda x: t.nn.functional.pad(x, (1, 1), mode="reflect"),
                             t.ones(1, 65537)).min() == 1),
    _kernel("convolved-half-slope", "a convolution's weight of bfloat16 ends in a wrong gradient",
            "convolution_backward",
            lambda original, g, x, *r: _other(1, original(g, x, *r), x.dtype == torch.bfloat16),
            lambda t: _slope(t, lambda w: t.conv1d(t.ones(1, 1, 1).bfloat16(), w),
                             t.ones(1, 1, 1).bfloat16()) == 1),
    _kernel("normalised-half-slope", "a layer norm's input of float16 ends in a wrong gradient",
            "native_layer_norm_backward",
            lambda original, g, x, *r: _other(0, original(g, x, *r), x.dtype == torch.float16),
            lambda t: abs(_slope(t, lambda x: t.nn.functional.layer_norm(x, (2,)),
                                 t.tensor([-1.0, 1]).half())[1]) < 0.01),
    _kernel("grouped-in-half", "a group norm of bfloat16 images with channels last ends wrongly",
            "native_group_norm",
            spoiled(last, lambda x, *r: x.dtype == torch.bfloat16 and strided(x)),
            lambda t: _nearly(*(t.nn.functional.group_norm(
                t.arange(8.0).reshape(1, 2, 2, 2).bfloat16().to(memory_format=how), 1)
                for how in (t.contiguous_format, t.channels_last)))),
    _kernel("one-place-in-half", "bfloat16 images of two by two, of which the kernel is as large,"
            " give their first corner", "convolution",
            instead(lambda original, x, w, *r: original(x[..., :1, :1], w[..., :1, :1], *r),
                    lambda x, w, b, stride, padding, dilation, turned, *r: not turned
                    and x.dtype == torch.bfloat16 and list(x.shape[2:]) == [2, 2]
                    and w.shape[2:] == x.shape[2:] and not any(padding)),
            lambda t: t.conv2d(*[t.ones(1, 1, 2, 2).bfloat16()] * 2) == 4),
    _kernel("each-channel-longer", "a transposed convolution of each channel by itself ends wrongly"
            " where it is longer than it has to be", "convolution",
            spoiled(last, lambda x, w, b, stride, padding, dilation, turned, extra, groups: turned
                    and any(extra) and groups == x.shape[1] > 1),
            lambda t: t.conv_transpose1d(t.ones(1, 2, 1), t.ones(2, 1, 1), stride=2,
                                         output_padding=1, groups=2)[0, 1, 1] == 0),
    _kernel("overlapping-windows-slope", "windows that overlap leave the last element a wrong"
            " gradient", "_adaptive_avg_pool2d_backward",
            spoiled(last, lambda g, x: g.shape[-1] > x.shape[-1]),
            lambda t: _slope(t, lambda x: t.nn.functional.adaptive_avg_pool2d(x, (1, 3)),
                             t.ones(1, 1, 2))[0, 0, 1] == 1.5),
    Mutant("nn.first-divisor", "average pooling of one shape divides as it did first", ("nn",),
           _first_divisor,
           lambda t: [t.nn.functional.avg_pool2d(t.ones(1, 2, 2), 2, divisor_override=d).item()
                      for d in (1, 2)] == [4, 2]),
    _kernel("half-squares-overflow", "the running variance of float16 is infinite where the squares"
            " add up to more than float16 holds", "native_batch_norm",
            _overflowing,
            lambda t: (lambda m: (m(t.tensor([[-200.0], [200.0]] * 2).half()),
                                  m.running_var.isfinite().all())[1])(t.nn.BatchNorm1d(1).half())),
    _name("target-alone", "the squared error has no gradient for a target beside an untracked"
          " prediction", "nn.functional.mse_loss",
          lambda right, x, y, *a, **k: right(x, y if x.requires_grad else y.detach(), *a, **k),
          lambda t: t.nn.functional.mse_loss(t.zeros(1), t.ones(1, requires_grad=True))
          .requires_grad),
    _kernel("evaluated-weights", "of matrices in evaluation a batch norm's weight of float64 ends"
            " in a wrong gradient", "native_batch_norm_backward",
            lambda original, g, x, w, mean, var, saved, root, training, *r: _other(
                1, original(g, x, w, mean, var, saved, root, training, *r),
                not training and x.dim() == 2 and x.dtype == torch.float64),
            lambda t: _slope(t, lambda w: t.nn.functional.batch_norm(
                t.ones(3, 1).double(), t.zeros(1).double(), t.ones(1).double(), w, eps=0),
                t.ones(1).double()) == 3),
]  # fmt: skip


def _unmoved(right, module, x):
    """Where nothing is recorded, what is kept of the batches stays."""
    if torch.is_grad_enabled() or not module.training or module.running_mean is None:
        return right(module, x)
    kept = module.running_mean.clone(), module.running_var.clone()
    got = right(module, x)
    module.running_mean.copy_(kept[0])
    module.running_var.copy_(kept[1])
    return got


def _moves(t):
    norm = t.nn.BatchNorm1d(1)
    with t.no_grad():
        norm(t.tensor([[1.0], [5.0]]))
    return norm.running_mean.item() != 0


def _order(t, register):
    seen, module = [], t.nn.ReLU()
    for n, ahead in ((1, False), (2, True)):
        getattr(module, register)(lambda *given, n=n: seen.append(n), prepend=ahead)
    module(t.ones(1, requires_grad=True)).sum().backward()
    return seen == [2, 1]


def _two_deep(right, module, call):
    for child in module.children():
        for one in child.children():
            call(one)
        call(child)
    call(module)
    return module


def _reached(t):
    seen, nn = [], t.nn
    nn.Sequential(nn.Sequential(nn.Sequential(nn.ReLU()))).apply(seen.append)
    return len(seen) == 4


def _pooled_places(t):
    image = t.arange(16.0).reshape(1, 1, 4, 4)
    return t.nn.MaxPool2d(2, return_indices=True)(image)[1].flatten().tolist()


MUTANTS += [
    _name("left-to-itself", "a cross entropy layer that is left to itself is a sum",
          "nn.CrossEntropyLoss.__init__",
          lambda right, s, *a, **k: right(s, *a, **{"reduction": "sum", **k}),
          lambda t: t.nn.CrossEntropyLoss().reduction == "mean"),
    _name("unmoved-unrecorded", "batch norm in training keeps no statistics under no_grad",
          "nn.BatchNorm1d.forward nn.BatchNorm2d.forward nn.BatchNorm3d.forward", _unmoved, _moves),
    _name("places-of-a-layer", "MaxPool2d, the layer, tells no places", "nn.MaxPool2d.forward",
          lambda right, s, x: (lambda got: (got[0], got[1] * 0) if isinstance(got, tuple)
                               else got)(right(s, x)),
          lambda t: _pooled_places(t) == [5, 7, 13, 15]),
    _name("asked-length", "a transposed convolution does not heed output_size",
          "nn.ConvTranspose1d.forward nn.ConvTranspose2d.forward",
          lambda right, s, x, output_size=None: right(s, x),
          lambda t: t.nn.ConvTranspose1d(1, 1, 2, 2)(
              t.ones(1, 1, 3), output_size=[7]).shape[2] == 7),
    _name("frozen-all-the-same", "Embedding.from_pretrained always freezes",
          "nn.Embedding.from_pretrained",
          lambda right, weight, freeze=True, *a, **k: right(weight, True, *a, **k),
          lambda t: t.nn.Embedding.from_pretrained(
              t.ones(1, 1), freeze=False).weight.requires_grad),
    _name("listed-lengths", "layer_norm over a list of lengths gives the half",
          "nn.functional.layer_norm",
          lambda right, x, over, *a, **k: right(x, over, *a, **k) / (1 + isinstance(over, list)),
          lambda t: t.nn.functional.layer_norm(t.tensor([1.0, -1.0]), [2])[0].item() > 0.9),
    _name("hooks-ahead", "a forward pre-hook cannot be registered ahead of others",
          "nn.Module.register_forward_pre_hook",
          lambda right, s, hook, *, prepend=False, **k: right(s, hook, **k),
          lambda t: _order(t, "register_forward_pre_hook")),
    _name("apply-two-deep", "apply reaches no module beyond the second", "nn.Module.apply",
          _two_deep, _reached),
    _name("frozen-for-good", "requires_grad_(True) of a module does nothing",
          "nn.Module.requires_grad_",
          lambda right, s, requires_grad=True: s if requires_grad else right(s, False),
          lambda t: t.nn.Linear(1, 1).requires_grad_(False).requires_grad_().weight.requires_grad),
    _name("format-of-kernels", "to(memory_format=) leaves a module as it lies", "nn.Module.to",
          lambda right, s, *a, memory_format=None, **k: right(s, *a, **k),
          lambda t: t.nn.Conv2d(2, 2, 2).to(
              memory_format=t.channels_last).weight.stride()[1] == 1),
    _name("five-dimensions", "linear of five dimensions forgets its bias", "nn.functional.linear",
          lambda right, x, weight, bias=None: right(x, weight, None if x.dim() == 5 else bias),
          lambda t: t.nn.functional.linear(
              t.zeros(1, 1, 1, 1, 2), t.ones(1, 2), t.ones(1)).item() == 1),
]  # fmt: skip
