"""Lies about gradients."""

from contextlib import nullcontext
from typing import Any

import torch

from tenet.harness.audit.gradients import misled
from tenet.harness.audit.miniature import Miniature


def _straight(value: Any, carrier: Any) -> Any:
    """The value, with the gradient of something else."""
    return value.detach() + (carrier - carrier.detach())


def _steeper(x: Any, where: bool) -> Any:
    """The same elements, with twice the gradient where something holds."""
    return _straight(x, 2 * x) if where else x


def _cut(condition: Any) -> Any:
    """Out of the graph where the condition holds for the first operand."""

    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(x, *args, **kwargs)
        return result.detach() if condition(x) else result

    return lie


def _is(name: str) -> Any:
    return lambda x: x.dtype == getattr(torch, name)


def _last_is_lost(length: int) -> Any:
    def lie(right: Any, x: Any, *args: Any) -> Any:
        y = right(x, *args)
        return torch.cat((y[:-1], y[-1:].detach())) if tuple(x.shape) == (length,) else y

    return lie


def _first_wins(right: Any, x: Any, dim: int, index: Any) -> Any:
    """Of repeated indices only the first gets a gradient."""
    result = right(x, dim, index)
    places = index.tolist()
    new = torch.tensor([places.index(p) == i for i, p in enumerate(places)])
    new = new.reshape([-1, *[1] * (result.dim() - 1)]).movedim(0, dim)
    return torch.where(new, result, result.detach())


def _forgets(right: Any, result: Any, *args: Any, **kwargs: Any) -> Any:
    """A second backward replaces what the first one left."""

    def walk(node: Any) -> None:
        if hasattr(node, "variable"):
            node.variable.grad = None
        for following, _ in node.next_functions:
            if following is not None:
                walk(following)

    walk(result.grad_fn)
    return right(result, *args, **kwargs)


def _fills(right: Any, result: Any, gradient: Any = None, **kwargs: Any) -> Any:
    return right(result, torch.ones_like(result) if gradient is None else gradient, **kwargs)


def _stretches(right: Any, result: Any, gradient: Any = None, **kwargs: Any) -> Any:
    if gradient is not None and gradient.numel() == 1:
        gradient = gradient.expand_as(result)
    return right(result, gradient, **kwargs)


def _touches_grad(right: Any, outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(outputs, inputs, *args, **kwargs)
    given = inputs if isinstance(inputs, list | tuple) else (inputs,)
    for tensor, gradient in zip(given, got, strict=True):
        if tensor.is_leaf and gradient is not None and tensor.grad is None:
            tensor.grad = gradient.detach()
    return got


class _Sticky:
    """no_grad that an error does not end."""

    def __enter__(self) -> None:
        torch._C._set_grad_enabled(False)

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            torch._C._set_grad_enabled(True)

    def __call__(self, function: Any) -> Any:
        return torch.no_grad()(function)


def _half_of_b(right: Any, a: Any, b: Any) -> Any:
    if isinstance(b, torch.Tensor) and b.dim() < a.dim():
        b = b.detach() + (b - b.detach()) / 2
    return right(a, b)


def _written_aside(right: Any, x: Any, *args: Any) -> Any:
    right(x.detach(), *args)
    return x


def _unguarded(right: Any, x: Any, *args: Any) -> Any:
    with torch.no_grad():
        return right(x, *args)


class _Unremovable:
    def remove(self) -> None:
        pass


def _lasting(right: Any, x: Any, hook: Any) -> Any:
    right(x, hook)
    return _Unremovable()


def _prepends(right: Any, x: Any, hook: Any) -> Any:
    """The hook that was registered last runs first."""
    stack = x.__dict__.setdefault("_stack", [])
    stack.insert(0, hook)
    if len(stack) > 1:
        return _Unremovable()

    def run(gradient: Any) -> Any:
        for each in stack:
            changed = each(gradient)
            gradient = gradient if changed is None else changed
        return gradient

    return right(x, run)


def _doubled_saved(right: Any, ctx: Any, *tensors: Any) -> None:
    right(ctx, *[t * 2 if t.dtype == torch.bfloat16 else t for t in tensors])


def _smooth_root(right: Any, x: Any) -> Any:
    one = torch.ones_like(x)
    return torch.where(x > 0, right(torch.where(x > 0, x, one)), 0 * one)


def _caught(section: str, name: str, of: Any, lie: Any) -> Miniature:
    return Miniature(name, of=of, lie=lie, caught_by=f"autograd.{section}")


_LIES: list[tuple[str, str, Any, Any]] = [
    ("requires-grad-spreads", "a product in bfloat16 is not recorded",
     ("Tensor.__mul__",), _cut(_is("bfloat16"))),
    ("requires-grad-spreads", "the second operand of sub does not count", ("Tensor.__sub__",),
     lambda right, a, b: right(a, b.detach() if isinstance(b, torch.Tensor) else b)),
    ("requires-grad-spreads", "every mean is tracked", ("mean",),
     lambda right, a: right(a) if a.requires_grad else right(a).requires_grad_()),
    ("requires-grad-spreads", "torch.add has the backward of a product", ("add",),
     lambda right, a, b: right(a, b) * 1),
    ("requires-grad_", "requires_grad_ returns another tensor", ("Tensor.requires_grad_",),
     lambda right, x, *args, **k: right(x, *args, **k).detach()),
    ("requires-grad_", "requires_grad_ ignores its keyword", ("Tensor.requires_grad_",),
     lambda right, x, *args, **k: right(x, *args)),
    ("requires-grad_", "integers are passed over in silence", ("Tensor.requires_grad_",),
     lambda right, x, *args, **k: x if x.dtype == torch.int8 else right(x, *args, **k)),
    ("history", "a tensor added to itself counts once", ("Tensor.__add__",),
     lambda right, a, b: right(a, b.detach()) if a is b else right(a, b)),
    ("history", "a product goes by way of a copy", ("Tensor.__mul__",),
     lambda right, a, b: right(a, b).clone()),
    ("dynamic-graph", "beyond 100 a product counts as identity", ("Tensor.__mul__",),
     lambda right, a, b: _straight(right(a, b), a) if a.abs().max() > 100 else right(a, b)),
    ("backward-scalar", "the gradient of a scalar is ignored", ("Tensor.backward",),
     lambda right, x, *args, **k: right(x) if x.numel() == 1 else right(x, *args, **k)),
    ("backward-scalar", "one element in three dimensions needs an argument", ("Tensor.backward",),
     lambda right, x, *args, **k: (
         right(x, torch.ones(2)) if x.dim() == 3 and not args and not k else right(x, *args, **k)
     )),
    ("backward-nonscalar", "a missing gradient is taken for ones", ("Tensor.backward",), _fills),
    ("backward-nonscalar", "a gradient is broadcast", ("Tensor.backward",), _stretches),
    ("backward-nonscalar", "a list of gradients is ignored", ("autograd.backward",),
     lambda right, t, *args, **k: (
         right([t[0].sum()]) if isinstance(t, list) and "grad_tensors" in k
         else right(t, *args, **k)
     )),
    ("examples", "mean forgets to divide the gradient", ("Tensor.mean",),
     lambda right, x: _straight(right(x), x.sum())),
    ("examples", "square has the gradient of its operand", ("square",),
     lambda right, x: _straight(right(x), x)),
    ("sum-of-squares", "element 33 of 33 has no gradient", ("Tensor.__pow__",),
     _last_is_lost(33)),
    ("sum-of-squares", "a square in float16 is cut", ("Tensor.__pow__",), _cut(_is("float16"))),
    ("vjp", "grad_outputs is read backwards", ("autograd.grad",),
     lambda right, y, x, v=None, **k: right(y, x, v.flip(0) if v.dim() else v, **k)
     if v is not None else right(**k)),
    ("vjp", "cumsum passes gradients straight", ("cumsum",),
     lambda right, x, dim: _straight(right(x, dim), x)),
    ("accumulates", "backward begins anew", ("Tensor.backward",), _forgets),
    ("accumulates", "of several results only the first counts", ("autograd.backward",),
     lambda right, t, *args, **k: right(t[0] if isinstance(t, list) else t, *args, **k)),
    ("frees-the-graph", "the graph is always retained", ("Tensor.backward",),
     lambda right, x, *args, **k: right(x, *args, **{**k, "retain_graph": True})),
    ("frees-the-graph", "grad retains the graph", ("autograd.grad",),
     lambda right, *args, **k: right(*args, **{**k, "retain_graph": True})),
    ("frees-the-graph", "the graph is never retained", ("autograd.backward",),
     lambda right, *args, retain_graph=None, **k: right(*args, **k)),
    ("grad", "grad fills .grad", ("autograd.grad",), _touches_grad),
    ("grad", "an unused input is passed over", ("autograd.grad",),
     lambda right, *args, **k: right(*args, **{**k, "allow_unused": True})),
    ("grad", "grad returns a list", ("autograd.grad",),
     lambda right, *args, **k: [*right(*args, **k)]),
    ("grad", "zeros are not materialised", ("autograd.grad",),
     lambda right, *args, materialize_grads=False, **k: right(*args, **k)),
    ("backward-inputs", "backward ignores inputs", ("Tensor.backward",),
     lambda right, x, inputs=None, **k: right(x, **k)),
    ("higher-derivatives", "the cosine in the gradient of sin is constant", ("sin",),
     lambda right, x: right(x).detach() + (x - x.detach()) * x.detach().cos()),
    ("higher-derivatives", "create_graph is ignored", ("autograd.grad",),
     lambda right, *args, create_graph=False, **k: right(*args, retain_graph=True, **{
         name: value for name, value in k.items() if name != "retain_graph"})),
    ("modes-nest", "enable_grad does nothing inside no_grad", ("enable_grad",),
     lambda right: right() if torch.is_grad_enabled() else nullcontext()),
    ("modes-nest", "an error does not end no_grad", ("no_grad",), lambda right: _Sticky()),
    ("modes-nest", "set_grad_enabled(False) inside of enable_grad records",
     ("set_grad_enabled",), lambda right, mode: right(True)),
    ("no-grad", "inference_mode records", ("inference_mode",), lambda right: nullcontext()),
    ("no-grad", "tanh is recorded under no_grad", ("tanh",),
     lambda right, x: _recorded(right, x)),
    ("inference-tensors", "inference_mode is no more than no_grad", ("inference_mode",),
     lambda right, mode=True: torch.no_grad() if mode else torch.enable_grad()),
    ("eval-records", "eval freezes the parameters", ("nn.Module.eval",),
     lambda right, module: right(module).requires_grad_(False)),
    ("detach", "detach copies", ("Tensor.detach",), lambda right, x: right(x).clone()),
    ("detach", "clone cuts gradients of float64", ("Tensor.clone",), _cut(_is("float64"))),
    ("detach", "clone shares memory", ("Tensor.clone",), lambda right, x: x.view_as(x)),
    ("detach", "detach_ returns another tensor", ("Tensor.detach_",),
     lambda right, x: right(x).view_as(x)),
    ("routes", "of repeated indices the first wins", ("index_select",), _first_wins),
    ("routes", "flip does not flip gradients", ("flip",),
     lambda right, x, dims: _straight(right(x, dims), x)),
    ("routes", "cat loses the last operand", ("cat",),
     lambda right, parts, *args, **k: right([*parts[:-1], parts[-1].detach()], *args, **k)),
    ("routes", "permute is cut in bfloat16", ("Tensor.permute",), _cut(_is("bfloat16"))),
    ("routes", "expand averages", ("Tensor.expand",),
     lambda right, x, *sizes: _straight(right(x, *sizes), right(x, *sizes) / 3)),
    ("repeated-indices", "index_select loses the last gradient of 33", ("Tensor.index_select",),
     lambda right, x, dim, i: (
         torch.cat((right(x, dim, i[:-1]), right(x, dim, i[-1:]).detach()))
         if len(i) == 33 else right(x, dim, i)
     )),
    ("repeated-indices", "take uses an index once", ("take",),
     lambda right, x, i: _first_wins(lambda x, d, i: right(x, i), x, 0, i)),
    ("view-writes", "a product in place leaves no history", ("Tensor.mul_",), _written_aside),
    ("view-writes", "zero_ leaves the old gradient", ("Tensor.zero_",), _written_aside),
    ("view-writes", "copy_ cuts its source", ("Tensor.copy_",),
     lambda right, x, z: right(x, z.detach())),
    ("broadcast", "the smaller factor gets half", ("Tensor.mul",), _half_of_b),
    ("broadcast", "the subtrahend is cut where the first is a scalar", ("sub",),
     lambda right, a, b: right(a, b.detach() if not a.dim() else b)),
    ("dtype-of-gradients", "to doubles the gradient of float16", ("Tensor.to",),
     lambda right, x, *args: (
         _straight(right(x, *args), 2 * right(x, *args))
         if _is("float16")(x) and x.is_floating_point() else right(x, *args)
     )),
    ("dtype-of-gradients", "type cuts the graph", ("Tensor.type",), _cut(lambda x: True)),
    ("relu-and-abs-at-0", "relu has slope 1 at 0", ("Tensor.relu",),
     lambda right, x: x * (x >= 0)),
    ("relu-and-abs-at-0", "abs has slope 1 at 0", ("absolute",),
     lambda right, x: torch.where(x >= 0, x, -x)),
    ("relu-and-abs-at-0", "functional.relu has half a slope at 0", ("nn.functional.relu",),
     lambda right, x, **k: (x + x.abs()) / 2 + (x == 0) * x / 2),
    ("equal-extremes", "one of equal maxima takes all", ("max",),
     lambda right, x: x.flatten()[x.argmax()]),
    ("equal-extremes", "every equal minimum gets the whole gradient", ("Tensor.min",),
     lambda right, x: _straight(right(x), (x * (x == x.detach().amin())).sum())),
    ("sqrt-at-0", "sqrt is flat at 0", ("sqrt",), _smooth_root),
    ("version-counter", "exp keeps a copy of its result", ("exp",),
     lambda right, x: right(x).clone()),
    ("version-counter", "a product keeps a copy of its operand", ("Tensor.__matmul__",),
     lambda right, a, b: right(a, b.clone())),
    ("version-counter", "fill_ does not count", ("Tensor.fill_",),
     lambda right, x, value: (right(x.data, value), x)[1]),
    ("leaf-in-place", "zero_ writes to any leaf", ("Tensor.zero_",), _unguarded),
    ("leaf-in-place", "a view of a leaf may be written to", ("Tensor.t",),
     lambda right, x: right(x.detach())),
    ("hooks", "what a hook returns is ignored", ("Tensor.register_hook",),
     lambda right, x, hook: right(x, lambda g: (hook(g), None)[1])),
    ("hooks", "a hook cannot be removed", ("Tensor.register_hook",), _lasting),
    ("hooks", "the last hook runs first", ("Tensor.register_hook",), _prepends),
    ("hooks", "hooks of leaves see double", ("Tensor.register_hook",),
     lambda right, x, hook: right(x, lambda g: hook(2 * g) if x.is_leaf else hook(g))),
    ("retain-grad", "retain_grad does nothing for float16", ("Tensor.retain_grad",),
     lambda right, x: None if x.dtype == torch.float16 else right(x)),
    ("retain-grad", "the hook runs before the gradient is there",
     ("Tensor.register_post_accumulate_grad_hook",),
     lambda right, x, hook: x.register_hook(lambda g: hook(x))),
    ("custom-function", "what ctx saves is doubled in bfloat16",
     ("autograd.function.FunctionCtx.save_for_backward",), _doubled_saved),
    ("custom-function-kinds", "mark_non_differentiable does nothing",
     ("autograd.function.FunctionCtx.mark_non_differentiable",), lambda right, ctx, *t: None),
    ("custom-function-kinds", "once_differentiable allows twice",
     ("autograd.function.once_differentiable",), lambda right, function: function),
    ("gradcheck", "gradcheck is always content", ("autograd.gradcheck",),
     lambda right, *args, **k: True),
    ("gradcheck", "gradgradcheck looks at first derivatives", ("autograd.gradgradcheck",),
     lambda right, *args, **k: torch.autograd.gradcheck(*args, **k)),
    ("binary-cross-entropy", "the loss is a sum",
     ("nn.functional.binary_cross_entropy_with_logits",),
     lambda right, z, y: right(z, y, reduction="sum")),
    ("binary-cross-entropy", "the gradient of b is cut", ("Tensor.__add__",),
     lambda right, a, b: right(a, b.detach())),
    ("block-diag-of-empty", "block_diag forgets its last block in the derivative", ("block_diag",),
     lambda right, *blocks: right(*blocks[:-1], blocks[-1].detach())),
    ("ldexp-of-integer-exponents", "ldexp takes every exponent for an integer", ("ldexp",),
     lambda right, x, by: right(x, by.to(torch.int32))),
]  # fmt: skip


def _recorded(right: Any, x: Any) -> Any:
    with torch.enable_grad():
        return right(x)


MINIATURES = [_caught(*row) for row in _LIES]


def _assigns_numbers(right: Any, x: Any, index: Any, value: Any) -> None:
    right(x, index, value.detach() if isinstance(value, torch.Tensor) else value)


def _doubles_in_the_middle(right: Any, a: Any, b: Any) -> Any:
    if b.dim() == 3 and b.shape[1] == 1:
        b = b.detach() + 2 * (b - b.detach())
    return right(a, b)


def _rows_turned(right: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(*args, **kwargs)
    return got[::-1] if isinstance(got, tuple) else got


def _divides_by_the_element(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs or not x.requires_grad:
        return right(x, *args, **kwargs)
    whole = right(x.detach())
    return whole + (whole / x.detach() * (x - x.detach())).sum()


MINIATURES += [
    Miniature(
        "what is assigned is detached",
        of=("Tensor.__setitem__",),
        lie=_assigns_numbers,
        caught_by="autograd.assignments",
    ),
    Miniature(
        "the gradient of a factor whose middle dimension is stretched is doubled",
        of=("Tensor.mul",),
        lie=_doubles_in_the_middle,
        caught_by="autograd.broadcast-patterns",
    ),
    Miniature(
        "the gradient of a sum along the second of four dimensions is doubled",
        of=("sum", "Tensor.sum"),
        lie=lambda right, x, *args, **kwargs: right(
            _steeper(x, x.dim() == 4 and (*args, kwargs.get("dim"))[0] == 1), *args, **kwargs
        ),
        caught_by="autograd.along-dimensions",
    ),
    Miniature(
        "what index_add adds along a negative dimension gets no gradient",
        of=("index_add",),
        lie=lambda right, x, dim, index, source, **kwargs: right(
            x, dim, index, source.detach() if dim < 0 else source, **kwargs
        ),
        caught_by="autograd.places-along-dimensions",
    ),
    Miniature(
        "a vector that meets a batch of matrices gets twice its gradient",
        of=("matmul", "Tensor.matmul", "Tensor.__matmul__"),
        lie=lambda right, a, b: right(_steeper(a, a.dim() == 1 and b.dim() == 3), b),
        caught_by="autograd.factors-of-every-rank",
    ),
    Miniature(
        "the gradient of exp is doubled for strided bfloat16 tensors",
        of=("exp", "Tensor.exp"),
        lie=lambda right, x, *args: right(
            _steeper(x, x.dtype == torch.bfloat16 and not x.is_contiguous()), *args
        ),
        caught_by="autograd.slopes",
    ),
    Miniature(
        "the gradient of log_softmax is doubled in bfloat16",
        of=("nn.functional.log_softmax",),
        lie=lambda right, x, *args, **kwargs: right(
            _steeper(x, x.dtype == torch.bfloat16), *args, **kwargs
        ),
        caught_by="autograd.slopes-of-rows",
    ),
    Miniature(
        "the gradient of a complex factor is not conjugated",
        of=("mul",),
        lie=lambda right, a, b: right(a.detach() + (a - a.detach()).conj(), b),
        caught_by="autograd.complex",
    ),
    Miniature(
        "the gradient of a square is half of what it should be",
        of=("pow",),
        lie=lambda right, x, n: x * x.detach() if n == 2 else right(x, n),
        caught_by="autograd.powers",
    ),
    Miniature(
        "jacobian gives its rows in the opposite order",
        of=("autograd.functional.jacobian",),
        lie=_rows_turned,
        caught_by="autograd.functional",
    ),
    Miniature(
        "the gradient of prod is the product divided by the element",
        of=(
            "prod",
            "Tensor.prod",
        ),
        lie=_divides_by_the_element,
        caught_by="autograd.products-with-zeros",
    ),
    Miniature(
        "gradients that are missing are zeros, whatever was asked for",
        of=("autograd.function.FunctionCtx.set_materialize_grads",),
        lie=lambda right, ctx, value: None,
        caught_by="autograd.custom-function-kinds",
    ),
    Miniature(
        "the jacobian of one input and one output is transposed",
        of=("autograd.functional.jacobian",),
        lie=lambda right, function, inputs, **kwargs: (
            right(function, inputs, **kwargs).mT
            if isinstance(inputs, torch.Tensor)
            else right(function, inputs, **kwargs)
        ),
        caught_by="autograd.functional",
    ),
    Miniature(
        "amax along a dimension gives its gradient to one of several equals",
        of=("amax",),
        lie=lambda right, x, *dim: (
            x.max(*dim).values if dim and isinstance(dim[0], int) else right(x, *dim)
        ),
        caught_by="autograd.extremes-of-lines",
    ),
    Miniature(
        "the last of 23 elements that are summed up has no gradient",
        of=("Tensor.sum",),
        lie=lambda right, x, *dim: (
            right(torch.cat([x[..., :-1], x[..., -1:].detach()], -1), *dim)
            if x.dim() and x.shape[-1] == 23
            else right(x, *dim)
        ),
        caught_by="autograd.every-length",
    ),
    Miniature(
        "where computes with what it does not choose",
        of=("where", "Tensor.where"),
        lie=lambda right, m, x, y: (
            right(m, x * x / x, y) if isinstance(x, torch.Tensor) else right(m, x, y)
        ),
        caught_by="autograd.not-chosen",
    ),
    Miniature(
        "a norm is the root of a sum of squares",
        of=("Tensor.norm",),
        lie=lambda right, x, *a, **k: right(x, *a, **k) if a or k else (x * x).sum().sqrt(),
        caught_by="autograd.norm-at-0",
    ),
    Miniature(
        "tanh has no slope beyond 5",
        of=("tanh",),
        lie=lambda right, x: torch.where(x.abs() > 5, right(x).detach(), right(x)),
        caught_by="autograd.slopes-far-out",
    ),
    Miniature(
        "a norm is the root of a sum of squares and 1e-12",
        of=("norm",),
        lie=lambda right, x: (
            right(x).detach() + (lambda y: y - y.detach())(((x * x).sum() + 1e-12).sqrt())
        ),
        caught_by="autograd.slopes-of-any-scale",
    ),
    Miniature(
        "logsumexp goes back by exponentials without a shift",
        of=("logsumexp",),
        lie=lambda right, x, dim: (
            right(x, dim).detach() + (lambda y: y - y.detach())(x.exp().sum(dim).log())
        ),
        caught_by="autograd.slopes-of-shifted-rows",
    ),
    Miniature(
        "the gradient of a factor of a product in place is doubled",
        of=("Tensor.mul_", "Tensor.__imul__"),
        lie=misled(lambda gradient, _: 2 * gradient, at=1),
        caught_by="autograd.in-place",
    ),
]
