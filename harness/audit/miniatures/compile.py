"""Lies about compiled programs."""

import copy
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _around(wrap: Any) -> Any:
    """Replaces compiled(*args) by wrap(compiled, *args)."""

    def lie(right: Any, function: Any = None, **how: Any) -> Any:
        if function is None or isinstance(function, torch.nn.Module):
            return right(function, **how)
        compiled = right(function, **how)
        return lambda *args: wrap(compiled, *args)

    return lie


def _mapped(change: Any) -> Any:
    """Changes every tensor in a result."""

    def walk(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return change(value)
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        return type(value)(map(walk, value)) if isinstance(value, list | tuple) else value

    return _around(lambda compiled, *args: walk(compiled(*args)))


def _remembers(key: Any) -> Any:
    """Without guards: what was computed is returned again for what looks alike."""

    def lie(right: Any, function: Any = None, **how: Any) -> Any:
        compiled, seen = right(function, **how), {}

        def run(*args: Any) -> Any:
            look = key(args)
            if look not in seen:
                seen[look] = compiled(*args)
            return seen[look]

        return run

    return lie


def _frozen(right: Any, function: Any = None, **how: Any) -> Any:
    """Python arguments of the first call are compiled in."""
    compiled = right(function, **how)
    first: list[Any] = []

    def run(x: Any, *rest: Any) -> Any:
        first[:] = first or [rest]
        return compiled(x, *first[0])

    return run


def _apart(right: Any, function: Any = None, **how: Any) -> Any:
    module = copy.deepcopy(function) if isinstance(function, torch.nn.Module) else function
    return right(module, **how)


def _swallows(compiled: Any, *args: Any) -> Any:
    try:
        return compiled(*args)
    except RuntimeError:
        return args[0]


def _twice(compiled: Any, *args: Any) -> Any:
    compiled(*args)
    return compiled(*args)


def _on_copies(compiled: Any, *args: Any) -> Any:
    return compiled(*[a.clone() if isinstance(a, torch.Tensor) else a for a in args])


def _always_training(right: Any, function: Any = None, **how: Any) -> Any:
    """A compiled module stays in the mode in which it was compiled."""
    if isinstance(function, torch.nn.Module):
        forward = function.forward
        function.forward = lambda x: (function.train(), forward(x))[1]
    return right(function, **how)


_LIES: list[tuple[str, str, Any]] = [
    ("values", "float64 is computed in float32", _around(
        lambda compiled, a, b: compiled(a.float().double() + 1e-9, b))),
    ("values", "results of the same shape are remembered", _remembers(
        lambda args: args[0].shape[1])),
    ("values", "tuples become lists", _around(lambda compiled, *args: {
        n: [*v] if isinstance(v, tuple) else v for n, v in compiled(*args).items()})),
    ("dtypes", "dtypes are not guarded", _remembers(lambda args: args[0].shape)),
    ("dtypes", "bools become numbers", _mapped(
        lambda t: t.long() if t.dtype == torch.bool else t)),
    ("control-flow", "Python arguments are those of the first call", _frozen),
    ("control-flow", "a branch is decided once", _remembers(
        lambda args: (args[1:], args[0].shape))),
    ("aliasing", "results are copied", _mapped(lambda t: t.clone())),
    ("aliasing", "results are other tensors", _mapped(lambda t: t.view_as(t))),
    ("mutation", "the arguments are copied", _around(_on_copies)),
    ("mutation", "everything happens twice", _around(_twice)),
    ("gradients", "results are cut from the graph", _mapped(lambda t: t.detach())),
    ("gradients", "no_grad is not guarded", _around(lambda compiled, *args: (
        torch.enable_grad()(compiled)(*args)))),
    ("errors", "errors are swallowed", _around(_swallows)),
    ("modules", "the module is copied", _apart),
    ("modules", "eval() is ignored", _always_training),
]  # fmt: skip

MINIATURES = [
    Miniature(name, of=("compile",), lie=lie, caught_by=f"compile.{slug}")
    for slug, name, lie in _LIES
]
