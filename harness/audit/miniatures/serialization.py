"""Lies about saving and loading."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

LOAD = ("load",)
SAVE = ("save",)
STATE = ("nn.Module.load_state_dict",)


def walked(value: Any, change: Callable[[Any], Any]) -> Any:
    """A nested value in which change(tensor) stands for every tensor."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, OrderedDict | dict):
        return type(value)((key, walked(part, change)) for key, part in value.items())
    if type(value) in (list, tuple):
        return type(value)(walked(part, change) for part in value)
    return value


def loads(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A lie about loading: every tensor becomes change(tensor)."""
    return lambda right, *args, **o: walked(right(*args, **o), change)


def saves(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A lie about saving: change(tensor) is saved for every tensor."""

    def lie(right: Any, obj: Any, f: Any, **options: Any) -> Any:
        return right(walked(obj, change), f, **options)

    return lie


def of_dtype(dtype: torch.dtype, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: change(x) if x.dtype == dtype else x


def _quiet(x: Any) -> Any:
    """NaNs become the usual one."""
    if not x.is_floating_point():
        return x
    return torch.where(x.isnan(), torch.full_like(x, float("nan")), x)


def _old_loses_the_last(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    """The last element of a large tensor is lost in the old format."""
    value = right(f, *args, **options)
    if not isinstance(f, io.BytesIO) or f.getvalue().startswith(b"PK"):
        return value
    return walked(value, lambda x: x.index_fill(0, torch.tensor(-1), 0) if x.numel() > 5000 else x)


def _copies_apart(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    value = right(f, *args, **options)
    return walked(value, lambda x: x.clone()) if options.get("mmap") else value


def _remembers(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    """What is loaded by bytes seen before is the same object as before."""
    if not isinstance(f, io.BytesIO):
        return right(f, *args, **options)
    key = f.getvalue(), str(options)
    if key not in _seen:
        _seen[key] = right(f, *args, **options)
    return _seen[key]


_seen: dict[Any, Any] = {}


def _trusting(when: Callable[[Any, dict[str, Any]], bool]) -> Callable[..., Any]:
    def lie(right: Any, f: Any, *args: Any, **options: Any) -> Any:
        if when(f, options):
            options["weights_only"] = False
        return right(f, *args, **options)

    return lie


def _tolerant(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    """A file that cannot be read is an empty checkpoint."""
    try:
        return right(f, *args, **options)
    except (EOFError, RuntimeError):
        if isinstance(f, io.BytesIO) and 900 < len(f.getvalue()) < 1000:
            return {}
        raise


def _forgives(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    """A file without elements has zeros."""
    try:
        return right(f, *args, **options)
    except Exception as error:
        if "data/0" in str(error):
            return {"a": torch.zeros(500)}
        raise


def _ignores_location(right: Any, f: Any, map_location: Any = None, **options: Any) -> Any:
    return right(f, **options)


def _loads_all(right: Any, module: Any, state: Any, strict: bool = True, **o: Any) -> Any:
    """Unexpected names are passed over."""
    kept = {name: value for name, value in state.items() if name in module.state_dict()}
    return right(module, kept if len(kept) < len(state) else state, strict, **o)


def _drops_what_is_none(right: Any, module: Any, state: Any, strict: bool = True, **o: Any) -> Any:
    none = [name for name, value in module._buffers.items() if value is None]
    return right(module, {k: v for k, v in state.items() if k not in none}, strict, **o)


def _broadcasts(right: Any, module: Any, state: Any, strict: bool = True, **o: Any) -> Any:
    """A longer vector is cut."""
    own = module.state_dict()
    state = OrderedDict(
        (k, v[: len(own[k])] if k in own and v.dim() == own[k].dim() == 1 else v)
        for k, v in state.items()
    )
    return right(module, state, strict, **o)


def _reports_nothing(right: Any, module: Any, state: Any, strict: bool = True, **o: Any) -> Any:
    report = right(module, state, strict, **o)
    report.missing_keys.clear()
    return report


def _skips_buffers(right: Any, module: Any, state: Any, strict: bool = True, **o: Any) -> Any:
    before = {name: value.clone() for name, value in module.named_buffers()}
    report = right(module, state, strict, **o)
    for name, value in module.named_buffers():
        if name.endswith("running_var"):
            value.copy_(before[name])
    return report


def _assigns(right: Any, module: Any, state: Any, strict: bool = True, assign: bool = False) -> Any:
    return right(module, state, strict, assign=True)


def _never_assigns(
    right: Any, module: Any, state: Any, strict: bool = True, assign: bool = False
) -> Any:
    return right(module, state, strict)


def _keeps_rate(right: Any, optimizer: Any, state: Any) -> Any:
    rates = [group["lr"] for group in optimizer.param_groups]
    right(optimizer, state)
    optimizer.param_groups[1]["lr"] = rates[1]


def _loses_second_moment(right: Any, optimizer: Any, state: Any) -> Any:
    right(optimizer, state)
    for own in optimizer.state.values():
        if "exp_avg_sq" in own:
            own["exp_avg_sq"] = own["exp_avg_sq"].half().float()


def _reads_at_once(right: Any, f: Any, *args: Any, **options: Any) -> Any:
    """mmap reads everything at once."""
    return right(f, *args, **{**options, "mmap": False})


def _own_storage(x: Any) -> Any:
    return x.clone() if x.untyped_storage().nbytes() > 10_000 else x


def _without_offset(x: Any) -> Any:
    return x.contiguous() if x.dim() > 1 else x


MINIATURES = [
    Miniature(
        "a loaded matrix is contiguous", LOAD, loads(_without_offset), "serialization.round-trip"
    ),
    Miniature(
        "bfloat16 is loaded as float32",
        LOAD,
        loads(of_dtype(torch.bfloat16, lambda x: x.float())),
        "serialization.round-trip",
    ),
    Miniature(
        "a path object saves complex numbers without their last imaginary part",
        SAVE,
        lambda right, obj, f, **o: right(
            walked(obj, of_dtype(torch.complex64, lambda x: x.real + 0j))
            if isinstance(f, os.PathLike)
            else obj,
            f,
            **o,
        ),
        "serialization.round-trip",
    ),
    Miniature(
        "save() closes the file",
        SAVE,
        lambda right, obj, f, **o: (
            right(obj, f, **o),
            f.close() if hasattr(f, "close") and not isinstance(f, io.BytesIO) else None,
        )[0],
        "serialization.round-trip",
    ),
    Miniature("NaNs lose their payload", LOAD, loads(_quiet), "serialization.every-bit"),
    Miniature(
        "-0.0 is saved as 0.0 in half precision",
        SAVE,
        saves(of_dtype(torch.float16, lambda x: x + 0)),
        "serialization.every-bit",
    ),
    Miniature(
        "the last element is lost in the old format beyond 5000",
        LOAD,
        _old_loses_the_last,
        "serialization.lengths",
    ),
    Miniature(
        "tensors of three dimensions without elements become flat",
        LOAD,
        loads(lambda x: x.flatten() if x.dim() == 3 and not x.numel() else x),
        "serialization.lengths",
    ),
    Miniature(
        "tensors that share memory are loaded apart with mmap",
        LOAD,
        _copies_apart,
        "serialization.sharing",
    ),
    Miniature(
        "loading one file twice gives one tensor", LOAD, _remembers, "serialization.separate-files"
    ),
    Miniature("a view is saved alone", SAVE, saves(_own_storage), "serialization.whole-storage"),
    Miniature(
        "a clone of a view carries what the view did",
        ("Tensor.clone",),
        lambda right, x: torch.ones(10_000).to(x.dtype)[: x.numel()].reshape(x.shape).copy_(x),
        "serialization.whole-storage",
    ),
    Miniature(
        "ordered dicts are loaded as dicts",
        LOAD,
        lambda right, *args, **o: (
            lambda value: dict(value) if type(value) is OrderedDict else value
        )(right(*args, **o)),
        "serialization.containers",
    ),
    Miniature(
        "a tuple of two is loaded as a list",
        LOAD,
        lambda right, *args, **o: (
            lambda value: list(value) if type(value) is tuple and len(value) == 2 else value
        )(right(*args, **o)),
        "serialization.containers",
    ),
    Miniature(
        "parameters are loaded as tensors",
        LOAD,
        loads(lambda x: x.detach() if isinstance(x, torch.nn.Parameter) else x),
        "serialization.parameters",
    ),
    Miniature(
        "running variances are not loaded", STATE, _skips_buffers, "serialization.state-dict"
    ),
    Miniature(
        "a state dict leaves out what does not require gradients",
        ("nn.Module.state_dict",),
        lambda right, module, *args, **o: OrderedDict(
            (k, v)
            for k, v in right(module, *args, **o).items()
            if k in dict(module.named_parameters())
        ),
        "serialization.state-dict",
    ),
    Miniature(
        "unexpected names are passed over", STATE, _loads_all, "serialization.other-structure"
    ),
    Miniature(
        "a value for a buffer that is None is dropped",
        STATE,
        _drops_what_is_none,
        "serialization.other-structure",
    ),
    Miniature("a longer vector is cut", STATE, _broadcasts, "serialization.other-structure"),
    Miniature(
        "missing names are not reported", STATE, _reports_nothing, "serialization.other-structure"
    ),
    Miniature("values are always swapped in", STATE, _assigns, "serialization.assign"),
    Miniature("assign is not heeded", STATE, _never_assigns, "serialization.assign"),
    Miniature(
        "any pickle is loaded by default",
        LOAD,
        _trusting(lambda f, options: "weights_only" not in options),
        "serialization.weights-only",
    ),
    Miniature(
        "files in the old format are trusted",
        LOAD,
        _trusting(lambda f, options: isinstance(f, io.BytesIO) and f.getvalue()[:2] != b"PK"),
        "serialization.weights-only",
    ),
    Miniature(
        "mapped files are trusted",
        LOAD,
        _trusting(lambda f, options: options.get("mmap", False)),
        "serialization.weights-only",
    ),
    Miniature(
        "declaring a class safe has no effect",
        ("serialization.safe_globals",),
        lambda right, classes: right([]),
        "serialization.safe-globals",
    ),
    Miniature(
        "where one class is safe everything is",
        LOAD,
        _trusting(
            lambda f, options: any(
                getattr(kind, "__name__", "") == "Plain"
                for kind in torch.serialization.get_safe_globals()
            )
        ),
        "serialization.safe-globals",
    ),
    Miniature("some short files are empty checkpoints", LOAD, _tolerant, "serialization.truncated"),
    Miniature("missing elements are zeros", LOAD, _forgives, "serialization.corrupted"),
    Miniature("mmap reads the file at once", LOAD, _reads_at_once, "serialization.mmap"),
    Miniature("map_location is not heeded", LOAD, _ignores_location, "serialization.map-location"),
    Miniature(
        "a function as map_location is not called",
        LOAD,
        lambda right, f, map_location=None, **o: right(
            f, map_location=None if callable(map_location) else map_location, **o
        ),
        "serialization.map-location",
    ),
    Miniature(
        "the global state is only as good as its seed",
        ("set_rng_state",),
        lambda right, state: torch.manual_seed(int(state[0])),
        "serialization.random-states",
    ),
    Miniature(
        "an optimizer keeps the rate of its second group",
        ("optim.Optimizer.load_state_dict",),
        _keeps_rate,
        "serialization.resumed-training",
    ),
    Miniature(
        "the second moments are loaded in half precision",
        ("optim.Optimizer.load_state_dict",),
        _loses_second_moment,
        "serialization.resumed-training",
    ),
]


def _saves_signed(right: Any, what: Any, *args: Any, **kwargs: Any) -> None:
    if isinstance(what, dict):
        what = {name: _signed(part) for name, part in what.items()}
    right(what, *args, **kwargs)


def _signed(part: Any) -> Any:
    wide = isinstance(part, torch.Tensor) and part.dtype == torch.uint16
    return part.view(torch.int16) if wide else part


MINIATURES += [
    Miniature(
        "uint16 is saved with a sign",
        of=("save",),
        lie=_saves_signed,
        caught_by="serialization.rare-dtypes",
    ),
]


def _thousand(right: Any, *args: Any, **kwargs: Any) -> Any:
    """A list ends with its thousandth part."""
    got = right(*args, **kwargs)
    if isinstance(got, dict):
        return {key: part[:1000] if type(part) is list else part for key, part in got.items()}
    return got


def _without_extra(right: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
    state = right(module, *args, **kwargs)
    for name in [name for name in state if name.endswith("_extra_state")]:
        del state[name]
    return state


def _in_training(right: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(*args, **kwargs)
    return got.train() if isinstance(got, torch.nn.Module) else got


MINIATURES += [
    Miniature(
        "a list is loaded up to its thousandth part",
        of=("load",),
        lie=_thousand,
        caught_by="serialization.large-containers",
    ),
    Miniature(
        "state_dict leaves out what get_extra_state gives",
        of=("nn.Module.state_dict",),
        lie=_without_extra,
        caught_by="serialization.extra-state",
    ),
    Miniature(
        "a model is in training when it is loaded",
        of=("load",),
        lie=_in_training,
        caught_by="serialization.whole-model",
    ),
]
