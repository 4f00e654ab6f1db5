"""Lies about layers, losses and modules."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.faults import spread, strided, transposed, unspread
from tenet.harness.audit.gradients import misled
from tenet.harness.audit.miniature import Miniature

F = torch.nn.functional


def _longer(length: int, wrong: Any) -> Any:
    """Tells the truth up to a number of elements, and something else beyond."""
    return lambda right, x, *a, **k: (
        wrong(right(x, *a, **k)) if x.numel() > length else right(x, *a, **k)
    )


def _last_zero(out: Any) -> Any:
    changed = out.clone()
    if changed.numel():
        changed.view(-1)[-1] = 0
    return changed


def _scaled(factor: float) -> Any:
    return lambda right, *a, **k: right(*a, **k) * factor


def _without(name: str, otherwise: Any) -> Any:
    """Ignores one argument."""

    def lie(right: Any, *a: Any, **k: Any) -> Any:
        if name in k:
            k[name] = otherwise
        return right(*a, **k)

    return lie


def _linear_without_bias(right: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    return right(x, weight, bias if x.dim() != 1 else None)


def _linear_detached(right: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    return right(x, weight, None if bias is None or x.dim() < 3 else bias.detach() + 0 * bias)


def _packed_once(right: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    if torch.is_grad_enabled():
        return right(x, weight, bias)
    if not hasattr(weight, "_packed"):
        weight._packed = weight.detach().clone()
    return right(x, weight._packed, bias)


def _initially_small(right: Any, module: Any) -> None:
    right(module)
    with torch.no_grad():
        module.weight.mul_(0.25)


def _flipped(right: Any, x: Any, weight: Any, *a: Any, **k: Any) -> Any:
    return right(x, weight.flip(-1) if weight.shape[-1] == 4 else weight, *a, **k)


def _rows_for_columns(right: Any, x: Any, weight: Any, bias: Any = None, stride: Any = 1,
                      padding: Any = 0, *a: Any, **k: Any) -> Any:  # fmt: skip
    if isinstance(padding, tuple) and len(padding) == 2:
        padding = (padding[1], padding[0])
    return right(x, weight, bias, stride, padding, *a, **k)


def _half_convolution(right: Any, x: Any, weight: Any, *a: Any, **k: Any) -> Any:
    if x.dtype is torch.float32 and x.is_contiguous():
        return right(x.bfloat16().float(), weight, *a, **k)
    return right(x, weight, *a, **k)


def _padding_wins(right: Any, x: Any, kernel: Any, stride: Any = None, padding: Any = 0,
                  *a: Any, **k: Any) -> Any:  # fmt: skip
    out = right(x, kernel, stride, padding, *a, **k)
    padded = padding != 0 and padding != (0, 0)
    return out.clamp(min=0) if padded and isinstance(out, torch.Tensor) else out


def _floored(right: Any, x: Any, kernel: Any, stride: Any = None, padding: Any = 0,
             ceil_mode: bool = False, *a: Any, **k: Any) -> Any:  # fmt: skip
    return right(x, kernel, stride, padding, False, *a, **k)


def _padding_counted(right: Any, x: Any, kernel: Any, stride: Any = None, padding: Any = 0,
                     ceil_mode: bool = False, count_include_pad: bool = True, *a: Any,
                     **k: Any) -> Any:  # fmt: skip
    return right(x, kernel, stride, padding, ceil_mode, True, *a, **k)


def _biased_running(right: Any, x: Any, mean: Any, var: Any, *a: Any, **k: Any) -> Any:
    count = x.numel() // x.shape[1]
    training = k.get("training", a[2] if len(a) > 2 else False)
    before = None if var is None else var.clone()
    out = right(x, mean, var, *a, **k)
    if training and var is not None:
        with torch.no_grad():
            var.copy_(before + (var - before) * ((count - 1) / count))
    return out


def _unbiased_layer(right: Any, x: Any, shape: Any, *a: Any, **k: Any) -> Any:
    out = right(x, shape, *a, **k)
    return out * (1 - 1e-3) if x.shape[-1] > 128 else out


def _embedding_gradient(right: Any, index: Any, weight: Any, padding: Any = None, *a: Any,
                        **k: Any) -> Any:  # fmt: skip
    return right(index, weight, None, *a, **k)


def _softmax_unshifted(right: Any, x: Any, dim: Any = None, *a: Any, **k: Any) -> Any:
    if x.dtype is torch.float64 and not k and not any(a):
        return x.exp() / x.exp().sum(dim, keepdim=True)
    return right(x, dim, *a, **k)


def _mean_of_all(right: Any, x: Any, target: Any, *a: Any, **k: Any) -> Any:
    """Divides by the number of samples, whatever the weights."""
    if k.get("reduction", "mean") == "mean" and not target.is_floating_point():
        k["reduction"] = "sum"
        return right(x, target, *a, **k) / max(target.numel(), 1)
    return right(x, target, *a, **k)


def _accepts_all(right: Any, x: Any, target: Any, *a: Any, **k: Any) -> Any:
    return right(x, target.clamp(max=x.shape[1] - 1), *a, **k)


def _overflowing(right: Any, x: Any, target: Any, *a: Any, **k: Any) -> Any:
    if x.dtype is torch.float32 and "pos_weight" not in k:
        return F.binary_cross_entropy(torch.sigmoid(x), target, *a, **k)
    return right(x, target, *a, **k)


def _wrong_gradient(factor: float) -> Any:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, above: Any) -> Any:
            changed = above.clone()
            changed.view(-1)[-1:] *= factor
            return changed

    return lambda right, x, *a, **k: right(
        Wrong.apply(x) if x.dtype is torch.float64 and x.requires_grad else x, *a, **k
    )


def _row_dropout(right: Any, x: Any, p: float = 0.5, training: bool = True, *a: Any,
                 **k: Any) -> Any:  # fmt: skip
    if not training or p in (0.0, 1.0):
        return right(x, p, training, *a, **k)
    return x * right(torch.ones_like(x[:, :1]), p, training)


def _train_shallow(right: Any, module: Any, mode: bool = True) -> Any:
    module.training = mode
    for child in module.children():
        child.training = mode
    return module


def _without_frozen(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    return (pair for pair in right(module, *a, **k) if pair[1].requires_grad)


def _all_buffers(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    module._non_persistent_buffers_set.clear()
    return right(module, *a, **k)


def _copied(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    import copy

    return right(copy.deepcopy(module), *a, **k)


def _integers_too(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    out = right(module, *a, **k)
    if hasattr(out, "count"):
        out.count = out.count.to(out.scale.dtype)
    return out


def _flat_text(right: Any, module: Any) -> str:
    return str(right(module)).replace("      (", "    (")


def _last_first(right: Any, module: Any, x: Any) -> Any:
    layers = list(module)
    if len(layers) == 4:
        layers = [layers[0], *layers[2:], layers[1]]
    for layer in layers:
        x = layer(x)
    return x


def _every_dimension(right: Any, module: Any, x: Any) -> Any:
    return x.reshape(-1, 1) if x.dim() == 2 and x.shape[0] > 4 else right(module, x)


def _untied(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    seen = right(module, *a, **{**k, "remove_duplicate": False})
    return seen


def _max_gradient_to_first(right: Any, x: Any, *a: Any, **k: Any) -> Any:
    out = right(x, *a, **k)
    if isinstance(out, torch.Tensor) and x.requires_grad and out.numel() > 30:
        return out.detach() + 0 * x.sum()
    return out


def _slope_of_one(right: Any, x: Any, *a: Any, **k: Any) -> Any:
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, above: Any) -> Any:
            return unspread(above)

    out = right(x, *a, **k)
    return Once.apply(out) if out.requires_grad else out


def _forward_twice(right: Any, module: Any, *a: Any, **k: Any) -> Any:
    k.pop("twice", None)
    return right(module, *a, **k)


MINIATURES = [
    Miniature("a linear layer drops its bias for one sample", ("nn.functional.linear",),
              _linear_without_bias, "nn.linear"),
    Miniature("the last result of a long linear layer is 0", ("nn.functional.linear",),
              _longer(1000, _last_zero), "nn.linear"),
    Miniature("linear sends no gradient to its bias beyond two dimensions",
              ("nn.functional.linear",), _linear_detached, "nn.linear-gradients"),
    Miniature("weights begin too small", ("nn.Linear.reset_parameters",), _initially_small,
              "nn.linear-documented"),
    Miniature("kernels of length 4 are turned round", ("nn.functional.conv1d",), _flipped,
              "nn.convolution"),
    Miniature("rows are padded as columns", ("nn.functional.conv2d",), _rows_for_columns,
              "nn.convolution"),
    Miniature("contiguous float32 inputs are rounded to bfloat16", ("nn.functional.conv2d",),
              _half_convolution, "nn.convolution"),
    Miniature("a double convolution's last input gradient doubles", ("nn.functional.conv1d",),
              _wrong_gradient(2.0), "nn.convolution-gradients"),
    Miniature("padding counts as 0 in a maximum", ("nn.functional.max_pool2d",), _padding_wins,
              "nn.max-pooling"),
    Miniature("max pooling has no gradient beyond 30 results", ("nn.functional.max_pool1d",),
              _max_gradient_to_first, "nn.max-pooling"),
    Miniature("average pooling ignores ceil_mode", ("nn.functional.avg_pool2d",), _floored,
              "nn.average-pooling"),
    Miniature("average pooling always counts the padding", ("nn.functional.avg_pool1d",),
              _padding_counted, "nn.average-pooling"),
    Miniature("the running variance is that of n", ("nn.functional.batch_norm",),
              _biased_running, "nn.batch-norm"),
    Miniature("eps of batch norm is fixed", ("nn.functional.batch_norm",),
              lambda right, x, m, v, w=None, b=None, t=False, mom=0.1, eps=1e-5: right(
                  x, m, v, w, b, t, mom, 1e-5), "nn.batch-norm"),
    Miniature("layer norm divides long rows by n - 1", ("nn.functional.layer_norm",),
              _unbiased_layer, "nn.layer-norm"),
    Miniature("the padding row is trained", ("nn.functional.embedding",), _embedding_gradient,
              "nn.embedding"),
    Miniature("tanh is 0 at the last of many", ("nn.functional.tanh", "tanh", "Tensor.tanh"),
              _longer(1024, _last_zero), "nn.activations"),
    Miniature("relu_ gives a new tensor", ("relu_",), lambda right, x: torch.relu(x),
              "nn.activations"),
    Miniature("gelu is the tanh form", ("nn.functional.gelu",),
              lambda right, x, **k: right(x, approximate="tanh"), "nn.activations"),
    Miniature("sigmoid stops at -50", ("sigmoid",),
              lambda right, x: right(x.clamp(min=-50)), "nn.activations-at-the-ends"),
    Miniature("softmax does not subtract the largest", ("softmax",), _softmax_unshifted,
              "nn.softmax"),
    Miniature("Tensor.softmax takes the last dimension for negative ones", ("Tensor.softmax",),
              lambda right, x, dim, *a, **k: right(x, max(dim, -1), *a, **k), "nn.softmax"),
    Miniature("the mean squared error of many is of one fewer", ("nn.functional.mse_loss",),
              lambda right, x, t, **k: right(x, t, **k) * (
                  1 if x.numel() < 100 or k.get("reduction", "mean") != "mean"
                  else x.numel() / (x.numel() - 1)), "nn.losses"),
    Miniature("smooth_l1_loss ignores beta", ("nn.functional.smooth_l1_loss",),
              _without("beta", 1.0), "nn.losses"),
    Miniature("cross entropy averages over all samples", ("nn.functional.cross_entropy",),
              _mean_of_all, "nn.cross-entropy"),
    Miniature("a target beyond the last class is the last one", ("nn.functional.nll_loss",),
              _accepts_all, "nn.targets-in-range"),
    Miniature("pos_weight is ignored", ("nn.functional.binary_cross_entropy_with_logits",),
              _without("pos_weight", None), "nn.bce-with-logits"),
    Miniature("large logits overflow in float32",
              ("nn.functional.binary_cross_entropy_with_logits",), _overflowing,
              "nn.bce-at-the-ends"),
    Miniature("softmax has a wrong last gradient in float64", ("softmax",),
              _wrong_gradient(1.01), "nn.gradients"),
    Miniature("the gradient of silu is that of its value", ("nn.functional.silu",),
              _wrong_gradient(0.5), "nn.gradients"),
    Miniature("dropout drops whole rows", ("nn.functional.dropout",), _row_dropout, "nn.dropout"),
    Miniature("dropout does not enlarge what it keeps", ("dropout",),
              lambda right, x, p, training: right(x, p, training) * (1 - p), "nn.dropout"),
    Miniature("train reaches the children only", ("nn.Module.train",), _train_shallow,
              "nn.modes"),
    Miniature("a keyword of a call is lost", ("nn.Module.__call__",), _forward_twice,
              "nn.module-forward"),
    Miniature("frozen parameters are not listed", ("nn.Module.named_parameters",),
              _without_frozen, "nn.registry"),
    Miniature("every buffer is persistent", ("nn.Module.state_dict",), _all_buffers,
              "nn.registry"),
    Miniature("to gives a copy", ("nn.Module.to",), _copied, "nn.module-conversion"),
    Miniature("half converts integers", ("nn.Module.half",), _integers_too,
              "nn.module-conversion"),
    Miniature("deep layers are printed like shallow ones", ("nn.Module.__repr__",), _flat_text,
              "nn.module-print"),
    Miniature("a Sequential of four begins with its third", ("nn.Sequential.forward",),
              _last_first, "nn.sequential"),
    Miniature("Flatten makes a column of a matrix", ("nn.Flatten.forward",), _every_dimension,
              "nn.flatten"),
    Miniature("a shared parameter is listed twice", ("nn.Module.named_parameters",), _untied,
              "nn.tied-parameters"),
    Miniature("linear takes zeros for what repeats along the samples", ("nn.functional.linear",),
              lambda right, x, w, b=None: right(unspread(x), w, b), "nn.expanded-operands"),
    Miniature("an expanded table is read past its row", ("nn.functional.embedding",),
              lambda right, x, w, *a, **k: right(x, unspread(w), *a, **k),
              "nn.expanded-operands"),
    Miniature("the last of strided bfloat16 images is normalised to 0",
              ("nn.functional.batch_norm",),
              lambda right, x, *a, **k: _last_zero(right(x, *a, **k).contiguous())
              if x.dtype is torch.bfloat16 and not x.is_contiguous() else right(x, *a, **k),
              "nn.batch-norm-in-half"),
    Miniature("max pooling of no samples makes one", ("nn.functional.max_pool2d",),
              lambda right, x, *a, **k: right(x if len(x) else x.new_zeros(1, *x.shape[1:]),
                                              *a, **k), "nn.no-samples"),
    Miniature("the slope of tanh counts what repeats once", ("tanh", "nn.functional.tanh"),
              _slope_of_one, "nn.gradients"),
]  # fmt: skip


def _forgets_frequencies(right: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs.pop("scale_grad_by_freq", None)
    return right(*args[:5], **kwargs)


def _takes_no_logarithms(right: Any, *args: Any, **kwargs: Any) -> Any:
    return right(*args, **{**kwargs, "log_target": False})


def _hears_nothing(right: Any, module: Any, hook: Any, **kwargs: Any) -> Any:
    def deaf(*args: Any, **more: Any) -> None:
        hook(*args, **more)

    return right(module, deaf, **kwargs)


def _walks_anyway(right: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
    return right(module, *args[:1], **{**kwargs, "recurse": True})


def _takes_nothing_away(right: Any, x: Any, dim: Any, **kwargs: Any) -> Any:
    return x.exp() / x.exp().sum(dim, keepdim=True)


def _exchanges_rows_and_columns(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    square = x.shape[-1] == x.shape[-2]
    return right(x.mT, *args, **kwargs).mT if square else right(x, *args, **kwargs)


MINIATURES += [
    Miniature(
        "glu exchanges its halves",
        of=("nn.functional.glu",),
        lie=lambda right, x, dim=-1: right(x.flip(dim), dim).flip(dim),
        caught_by="nn.activations-of-channels",
    ),
    Miniature(
        "adaptive pooling begins one element late",
        of=(
            "nn.functional.adaptive_avg_pool1d",
            "nn.functional.adaptive_avg_pool2d",
        ),
        lie=lambda right, x, size: right(x.roll(1, -1), size),
        caught_by="nn.adaptive-pooling",
    ),
    Miniature(
        "insert appends to a ModuleList",
        of=("nn.ModuleList.insert",),
        lie=lambda right, modules, index, module: right(modules, len(modules), module),
        caught_by="nn.containers",
    ),
    Miniature(
        "scale_grad_by_freq is forgotten",
        of=("nn.functional.embedding",),
        lie=_forgets_frequencies,
        caught_by="nn.embedding-options",
    ),
    Miniature(
        "two groups are one",
        of=("nn.functional.group_norm",),
        lie=lambda right, x, groups, *args: right(x, 1 if groups == 2 else groups, *args),
        caught_by="nn.group-norm",
    ),
    Miniature(
        "log_target is forgotten",
        of=("nn.functional.kl_div",),
        lie=_takes_no_logarithms,
        caught_by="nn.kl-divergence",
    ),
    Miniature(
        "what a forward hook returns is forgotten",
        of=("nn.Module.register_forward_hook",),
        lie=_hears_nothing,
        caught_by="nn.module-hooks",
    ),
    Miniature(
        "named_parameters walks through submodules in any case",
        of=("nn.Module.named_parameters",),
        lie=_walks_anyway,
        caught_by="nn.registry-changes",
    ),
    Miniature(
        "softmax does not take the greatest away",
        of=(
            "softmax",
            "nn.functional.softmax",
            "Tensor.softmax",
        ),
        lie=_takes_nothing_away,
        caught_by="nn.softmax-of-large-numbers",
    ),
    Miniature(
        "convolution exchanges rows and columns of square images",
        of=(
            "nn.functional.conv2d",
            "conv2d",
        ),
        lie=_exchanges_rows_and_columns,
        caught_by="nn.square-images",
    ),
    Miniature(
        "transposed convolution forgets its bias",
        of=(
            "nn.functional.conv_transpose1d",
            "nn.functional.conv_transpose2d",
        ),
        lie=lambda right, x, weight, bias=None, *args: right(x, weight, None, *args),
        caught_by="nn.transposed-convolution",
    ),
    Miniature("the gradient of an expanded input of layer_norm is wrong",
              ("nn.functional.layer_norm",), misled(when=spread), "nn.gradients-of-views"),
    Miniature("the gradient of an expanded weight of batch_norm is wrong",
              ("nn.functional.batch_norm",), misled(when=spread, at=3), "nn.gradients-of-views"),
    Miniature("the gradient of a strided input of average pooling is wrong",
              ("nn.functional.avg_pool1d",), misled(when=strided), "nn.gradients-of-views"),
    Miniature("the gradient of an image of one sample is wrong where it is normalised",
              ("nn.functional.batch_norm",), misled(when=lambda x: x.dim() == 3 and len(x) == 1),
              "nn.gradients"),
    Miniature("the gradient of a strided sequence is wrong where it is normalised",
              ("nn.functional.layer_norm",), misled(when=lambda x: x.dim() == 3 and strided(x)),
              "nn.normalisation-gradients"),
    Miniature("the gradient of images of four dimensions is wrong where they are normalised",
              ("nn.functional.batch_norm",), misled(when=lambda x: x.dim() == 4),
              "nn.strided-normalisation-weights"),
    Miniature("the last average of many is 0", ("nn.functional.avg_pool1d",),
              _longer(1024, _last_zero), "nn.many-elements"),
    Miniature("the last of many normalised groups is 0", ("nn.functional.group_norm",),
              _longer(1024, _last_zero), "nn.many-elements"),
    Miniature("the last of a strided bfloat16 transposed convolution is 0",
              ("nn.functional.conv_transpose1d",),
              lambda right, x, *a, **k: _last_zero(right(x, *a, **k))
              if x.dtype is torch.bfloat16 and strided(x) else right(x, *a, **k),
              "nn.transposed-convolution"),
    Miniature("the last adaptive average of a transposed image is 0",
              ("nn.functional.adaptive_avg_pool2d",),
              lambda right, x, *a, **k: _last_zero(right(x, *a, **k))
              if transposed(x) else right(x, *a, **k), "nn.adaptive-pooling"),
    Miniature("a row beyond the 65536th has another gradient", ("softmax", "nn.functional.softmax"),
              misled(when=lambda x: x.dim() == 2 and len(x) > 65536), "nn.beyond-sixteen-bits"),
    Miniature("the last of many samples is mapped to 0", ("nn.functional.linear",),
              _longer(65536, _last_zero), "nn.beyond-sixteen-bits"),
    Miniature("a weight of half precision has another gradient", ("nn.functional.linear",),
              misled(when=lambda w: w.dtype in (torch.float16, torch.bfloat16), at=1),
              "nn.linear-gradients"),
    Miniature("the last of rows of 22 that are normalised has another gradient",
              ("nn.functional.layer_norm",), misled(when=lambda x: x.shape[-1] == 22),
              "nn.every-length"),
    Miniature("padding that goes around takes the one end for the other", ("nn.functional.pad",),
              lambda right, x, pad, mode="constant", value=None: right(
                  x, [pad[1], pad[0], *pad[2:]] if mode == "circular" else pad, mode, value),
              "nn.padding-modes"),
    Miniature("linear keeps the weight that it was first called with", ("nn.functional.linear",),
              _packed_once, "nn.weights-of-the-moment"),
    Miniature("gelu is a sigmoid of 1.702 x times x where nothing is recorded",
              ("nn.functional.gelu",),
              lambda right, x, **k: right(x, **k) if torch.is_grad_enabled()
              else x * torch.sigmoid(1.702 * x), "nn.recorded-or-not"),
]  # fmt: skip


def _sums(right: Any, loss: Any, *a: Any, **k: Any) -> None:
    right(loss, *a, **{"reduction": "sum", **k})


MINIATURES += [
    Miniature("a loss of distances that is left to itself is their sum", ("nn.L1Loss.__init__",),
              _sums, "nn.loss-defaults"),
]  # fmt: skip
