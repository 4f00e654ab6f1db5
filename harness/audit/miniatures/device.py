"""Lies about devices."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

DeviceType = torch.device

# PyTorch notes once which functions heed a default device: the true ones, not the patched.
with torch.device("cpu"):
    torch.zeros(1)


def _patched(name: str, of: str, lie: Any, caught_by: str) -> Miniature:
    return Miniature(name, tuple(of.split()), lie, f"device.{caught_by}")


def _named(right: Any, *args: Any, **kwargs: Any) -> Any:
    """A device of a number that is not looked at when it is compared."""
    if args == ("cuda:1",):
        return right("cuda:0")
    return right(*args, **kwargs)


def _lenient(right: Any, *args: Any, **kwargs: Any) -> Any:
    if args and isinstance(args[0], str):
        return right(args[0].lower() or "cpu", *args[1:], **kwargs)
    return right(*args, **kwargs)


def _lenient_factory(right: Any, *args: Any, **kwargs: Any) -> Any:
    if kwargs.get("device") == "nope":
        kwargs["device"] = "cpu"
    return right(*args, **kwargs)


def _copying_to(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """A device object is not seen to be the tensor's own."""
    got = right(x, *args, **kwargs)
    moved = args and isinstance(args[0], DeviceType)
    return got.clone() if got is x and moved else got


def _lazy_copy(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """copy=True is forgotten where the dtype is given as well."""
    if len(args) == 2:
        kwargs.pop("copy", None)
    return right(x, *args, **kwargs)


def _sharing(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """copy=True makes another tensor over the same memory."""
    return x.view(x.shape) if kwargs.pop("copy", False) else right(x, *args, **kwargs)


def _flushing(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(x, *args, **kwargs)
    return got.nan_to_num() if kwargs.get("copy") and got.dtype is torch.bfloat16 else got


def _positional_dtype(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The dtype is taken by keyword only."""
    if len(args) == 3:
        args = args[:1]
    return right(x, *args, **kwargs)


def _through_float32(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if x.dtype is torch.int64 and len(args) == 2 and args[1] is torch.float64:
        return right(right(x, torch.float32), *args, **kwargs)
    return right(x, *args, **kwargs)


def _copies_first_row(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    if y.dim() < x.dim() and x.dim() > 1:
        right(x[:1], y, *args, **kwargs)
        return x
    return right(x, y, *args, **kwargs)


def _late_copy(right: Any, x: Any, y: Any, non_blocking: bool = False) -> Any:
    return x if non_blocking and x.dtype is torch.uint8 else right(x, y, non_blocking)


def _to_contiguous(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    if x.is_contiguous():
        return right(x, y, *args, **kwargs)
    right(x.as_strided(x.shape, torch.empty(x.shape).stride()), y, *args, **kwargs)
    return x


def _resizing(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    if x.numel() == y.numel():
        y = y.reshape(x.shape)
    return right(x, y, *args, **kwargs)


def _stays(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs["device"] = x.device
    return right(x, *args, **kwargs)


def _moving(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    """The second operand is moved to the first where it is elsewhere."""
    if isinstance(y, torch.Tensor) and y.device != x.device:
        y = torch.zeros_like(y, device=x.device)
    return right(x, y, *args, **kwargs)


def _strict(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(y, torch.Tensor) and y.device != x.device:
        raise RuntimeError("two devices")
    return right(x, y, *args, **kwargs)


def _any_single(right: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
    """One element is as good as no dimension."""
    if y.shape == (1,) and x.device != y.device:
        y = y.reshape(())
    return right(x, y, *args, **kwargs)


def _stale(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """A copy that does not block shows what the tensor holds later."""
    if kwargs.get("non_blocking") and kwargs.get("copy"):
        return x.view(x.shape)
    return right(x, *args, **kwargs)


def _transposing(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(x, *args, **kwargs)
    return got.contiguous() if x.device.type == "meta" else got


def _on_meta(change: Any) -> Any:
    def lie(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        got = right(x, *args, **kwargs)
        return change(got) if x.device.type == "meta" else got

    return lie


def _zeros_from_meta(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if x.device.type == "meta" and args == ("cpu",):
        return torch.zeros(x.shape, dtype=x.dtype)
    return right(x, *args, **kwargs)


MINIATURES = [
    _patched("cuda:1 is cuda:0", "device", _named, "names"),
    _patched("a device of no number has number 0", "device",
             lambda right, *a, **k: right("mps", 0) if a == ("mps",) else right(*a, **k),
             "names"),
    _patched("names of devices may be in capitals", "device", _lenient, "unknown-names"),
    _patched("zeros falls back to the CPU", "zeros", _lenient_factory, "unknown-names"),
    _patched("to(device=) falls back to the CPU", "Tensor.to", _lenient_factory,
             "unknown-names"),
    _patched("there is a GPU that cannot be used", "cuda.device_count", lambda right: 1,
             "count"),
    _patched("ones takes a number too many", "ones",
             lambda right, *a, **k: right(*a, **{**k, "device": "cpu"}), "count"),
    _patched("device_count counts one when there is none", "accelerator.device_count",
             lambda right: 1, "count"),
    _patched("cuda says that it is available", "cuda.is_available", lambda right: True, "pick"),
    _patched("to() copies for a device object", "Tensor.to", _copying_to, "stays"),
    _patched("copy=True is forgotten beside a dtype", "Tensor.to", _lazy_copy, "stays"),
    _patched("cpu() always copies", "Tensor.cpu", lambda right, x: right(x).clone(), "stays"),
    _patched("copy=True shares memory", "Tensor.to", _sharing, "moves"),
    _patched("a copy of bfloat16 loses NaN", "Tensor.to", _flushing, "moves"),
    _patched("to(tensor) moves nothing", "Tensor.to",
             lambda right, x, *a, **k: x if isinstance(a[0], torch.Tensor) else right(x, *a, **k),
             "moves"),
    _patched("a third argument hides the dtype", "Tensor.to", _positional_dtype, "converts"),
    _patched("int64 goes to float64 through float32", "Tensor.to", _through_float32,
             "converts"),
    _patched("a row is copied once", "Tensor.copy_", _copies_first_row, "copy"),
    _patched("copy_ without blocking never copies uint8", "Tensor.copy_", _late_copy, "copy"),
    _patched("copy_ writes a strided tensor as if it were none", "Tensor.copy_", _to_contiguous,
             "copy"),
    _patched("copy_ reshapes", "Tensor.copy_", _resizing, "copy-shapes"),
    _patched("copy_ takes the other dtype", "Tensor.copy_",
             lambda right, x, y, *a, **k: right(x, y, *a, **k).to(y.dtype), "copy-shapes"),
    _patched("a copied row is repeated to fit", "Tensor.copy_",
             lambda right, x, y, *a, **k: right(x, y[:1] if x.dim() == y.dim() == 1 else y),
             "copy-shapes"),
    _patched("randn loses the default device", "randn",
             lambda right, *a, **k: right(*a, **{"device": "cpu", **k}), "default"),
    _patched("set_default_device is not heeded", "set_default_device", lambda right, d: None,
             "default"),
    _patched("ones_like stays where its argument is", "ones_like", _stays, "factories"),
    _patched("new_full stays where its tensor is", "Tensor.new_full", _stays, "factories"),
    _patched("randn_like of float64 is float32", "randn_like",
             lambda right, x, **k: right(x, **{**k, "dtype": None})
             if k.get("dtype") is torch.float64 and x.device.type == "cpu"
             else right(x, **k).float(), "factories"),
    _patched("arange ignores the default device", "arange",
             lambda right, *a, device="cpu", **k: right(*a, device=device, **k), "default"),
    _patched("maximum moves its second operand", "maximum", _moving, "one-device"),
    _patched("x / y moves its second operand", "Tensor.__truediv__", _moving, "one-device"),
    _patched("where takes a condition from anywhere", "where",
             lambda right, c, *a: right(torch.ones(c.shape, device=a[0].device) > 0
                                        if c.device != a[0].device else c, *a), "one-device"),
    _patched("mul refuses a CPU number", "mul", _strict, "scalars-meet"),
    _patched("gt takes any tensor of one element", "gt", _any_single, "scalars-meet"),
    _patched("sub stays with the number", "sub",
             lambda right, x, y: right(x, y) if x.dim() else torch.zeros(y.shape),
             "scalars-meet"),
    _patched("the method leaves float32 behind", "Tensor.cpu",
             lambda right, x: right(x).double(), "named-method"),
    _patched("a copy that does not block is late", "Tensor.to", _stale, "as-if-in-order"),
    _patched("work in place is lost every now and then", "Tensor.mul_",
             lambda right, x, y: x if x.numel() > 65536 and int(x[2]) % 11 == 7
             else right(x, y), "as-if-in-order"),
    _patched("meta's argmax is int32", "Tensor.argmax", _on_meta(lambda x: x.int()), "meta"),
    _patched("meta's transpose is contiguous", "Tensor.transpose", _transposing, "meta"),
    _patched("meta's sum keeps float16's integers", "Tensor.sum",
             _on_meta(lambda x: x.int() if x.dtype is torch.int64 else x), "meta"),
    _patched("a meta tensor comes back as zeros", "Tensor.to", _zeros_from_meta,
             "meta-holds-nothing"),
    _patched("a meta tensor's values are zeros", "Tensor.tolist",
             lambda right, x: [] if x.device.type == "meta" else right(x),
             "meta-holds-nothing"),
]  # fmt: skip
