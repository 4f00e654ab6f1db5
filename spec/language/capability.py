"""Capabilities: the named, documented abilities that a clause may ask of a backend."""

from __future__ import annotations

from difflib import get_close_matches

CAPABILITIES: dict[str, str] = {
    "values": "elements can be read back (the meta device holds shapes and dtypes only)",
    "numpy": "CPU tensors share memory with NumPy arrays through from_numpy() and numpy()",
    "views": "tensors have strides and a storage offset, and view operations share memory",
    "in-place": "operations can write into an existing tensor (add_, x[i] = v, fill_)",
    "out": "functions accept out=",
    "autograd": "tensors can require gradients and backward() computes them",
    "double-backward": "a gradient made with create_graph=True can be differentiated in turn",
    "default-dtype": "set_default_dtype() changes the dtype of new floating-point tensors",
    "overlap-check": "a write into a tensor whose elements overlap in memory is refused",
    "index-check": "an index tensor out of range raises instead of ending the process",
    "sparse": "tensors with a sparse layout can be made",
    "accelerator": "the device is no CPU: it has a module of its own under torch",
    "integer-matmul": "matrix products of integer tensors (CUDA has none)",
    "allocation-count": "a dispatch mode sees operators and the storages of their results",
    "compile": "torch.compile compiles functions and modules",
    "fft": "torch.fft computes Fourier transforms",
    "torchvision": "torchvision is installed (image transforms)",
    "tensorboard": "tensorboard is installed (torch.utils.tensorboard writes event files)",
    "bool": "the dtype bool",
    "uint8": "the dtype uint8",
    "int8": "the dtype int8",
    "int16": "the dtype int16",
    "int32": "the dtype int32",
    "int64": "the dtype int64",
    "float16": "the dtype float16",
    "bfloat16": "the dtype bfloat16",
    "float32": "the dtype float32",
    "float64": "the dtype float64",
    "complex64": "the dtype complex64",
    "complex128": "the dtype complex128",
}


def unknown_capability(name: str) -> str | None:
    """What to say about a name that is no capability; None for one that is."""
    if name in CAPABILITIES:
        return None
    near = get_close_matches(name, CAPABILITIES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name!r} is no capability{hint} (known: {', '.join(CAPABILITIES)})"
