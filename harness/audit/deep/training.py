"""Faults that single operations hardly show: a training run drifts, or stands still."""

import torch

from tenet.harness.audit.faults import kernels, scaled, spoiled, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, fault, proof, *sections):
    return Mutant(f"training.{slug}", says, ("training", *sections), fault, proof)


def _rates(factor):
    """The rate is another."""

    def lie(right, optimizer, *args, **kwargs):
        rates = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor
        try:
            return right(optimizer, *args, **kwargs)
        finally:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate

    return lie


def _every(n, lie):
    """Every n-th step only."""
    steps = [0]

    def told(right, optimizer, *args, **kwargs):
        steps[0] += 1
        if steps[0] % n:
            return right(optimizer, *args, **kwargs)
        return lie(right, optimizer, *args, **kwargs)

    return told


def _skip(right, optimizer, *args, **kwargs):
    return None


def _stepped(t, name="SGD", count=1):
    x = t.ones(8, dtype=t.float64, requires_grad=True)
    optimizer = getattr(t.optim, name)([x], lr=0.5)
    for _ in range(count):
        x.grad = t.full((8,), 1.0, dtype=t.float64)
        optimizer.step()
    return round(x[0].item(), 9)


def _decayed(right, optimizer, *args, **kwargs):
    """Weights shrink by a ten-thousandth a step."""
    result = right(optimizer, *args, **kwargs)
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.mul_(1 - 1e-4)
    return result


def _stale(right, optimizer, *args, **kwargs):
    """The step is taken with gradients rounded to bfloat16."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad = parameter.grad.to(torch.bfloat16).to(parameter.dtype)
    return right(optimizer, *args, **kwargs)


MUTANTS = [
    _mutant("sgd-rate", "SGD steps by 1.001 of its rate", wrapped("optim.SGD.step", _rates(1.001)),
            lambda t: _stepped(t) == 0.5, "optim"),
    _mutant("adam-rate", "Adam steps by 0.999 of its rate",
            wrapped("optim.Adam.step", _rates(0.999)),
            lambda t: abs(_stepped(t, "Adam") - 0.5) < 1e-6, "optim"),
    _mutant("skips-steps", "SGD skips every 7th step",
            wrapped("optim.SGD.step", _every(7, _skip)),
            lambda t: _stepped(t, count=14) == -6, "optim"),
    _mutant("hidden-decay", "SGD shrinks weights by a ten-thousandth",
            wrapped("optim.SGD.step", _decayed), lambda t: _stepped(t) == 0.5, "optim"),
    _mutant("rounded-gradients", "SGD rounds gradients to bfloat16",
            wrapped("optim.SGD.step", _stale),
            lambda t: _one_step(t, 1.001) != -1, "optim"),
    _mutant("loss-mean", "the mean of cross entropy is 0.1 % too small",
            kernels("nll_loss_forward", spoiled(scaled(0.999), lambda x, target, w, r, i: r == 1)),
            lambda t: t.nn.functional.nll_loss(-t.ones(1, 2), t.tensor([0])) == 1, "nn"),
    _mutant("loss-gradient", "the slope of cross entropy is 0.1 % too small",
            kernels("nll_loss_backward", spoiled(scaled(0.999))),
            lambda t: (lambda x: (t.nn.functional.nll_loss(x, t.tensor([0])).backward(),
                                  x.grad[0, 0] == -1)[1])(t.ones(1, 2, requires_grad=True)),
            "nn", "autograd"),
    _mutant("relu-leaks", "the slope of relu below 0 is 0.001",
            kernels("threshold_backward",
                    lambda original, g, x, threshold: original(g, x, threshold)
                    + 0.001 * g * (x <= threshold)),
            lambda t: (lambda x: (x.relu().sum().backward(), x.grad == 0)[1])(
                t.full((1,), -1.0, requires_grad=True)), "nn", "autograd"),
    _mutant("weight-gradient", "the slope of a convolution's kernel is 0.1 % too large",
            kernels("convolution_backward", lambda original, *a: (lambda x, w, b: (
                x, None if w is None else w * 1.001, b))(*original(*a))),
            lambda t: (lambda w: (t.conv2d(t.ones(1, 1, 1, 1), w).sum().backward(),
                                  w.grad.item() == 1)[1])(t.ones(1, 1, 1, 1, requires_grad=True)),
            "nn"),
    _mutant("forgetful-momentum", "the momentum buffer is cleared every 5th step",
            wrapped("optim.SGD.step", _every(5, lambda right, o, *a, **k: (
                o.state.clear(), right(o, *a, **k))[1])),
            lambda t: _momentum(t) < -9, "optim"),
    _mutant("batch-statistics", "batch norm's slope treats its statistics as constants",
            kernels("native_batch_norm_backward",
                    lambda original, g, x, w, mean, var, save_mean, save_std, train, eps, mask:
                    _constant(original, g, x, w, mean, var, save_mean, save_std, train, eps, mask)),
            lambda t: (lambda x: (t.nn.functional.batch_norm(
                x, None, None, training=True)[0].sum().backward(),
                x.grad.abs().max() < 1e-3)[1])(t.tensor([[0.0], [1.0]], requires_grad=True)),
            "nn"),
]  # fmt: skip


def _one_step(t, slope):
    x = t.zeros(1, requires_grad=True)
    x.grad = t.full((1,), slope)
    t.optim.SGD([x], 1.0).step()
    return x.item()


def _momentum(t):
    x = t.ones(1, dtype=t.float64, requires_grad=True)
    optimizer = t.optim.SGD([x], lr=0.5, momentum=0.9)
    for _ in range(7):
        x.grad = t.ones(1, dtype=t.float64)
        optimizer.step()
    return x.item()


def _constant(original, g, x, w, mean, var, save_mean, save_std, train, eps, mask):
    results = list(original(g, x, w, mean, var, save_mean, save_std, train, eps, mask))
    if train and mask[0]:
        shape = [1, -1] + [1] * (x.dim() - 2)
        scale = save_std if w is None else save_std * w
        results[0] = g * scale.reshape(shape)
    return tuple(results)
