"""Lies about dtypes and conversions."""

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _when(condition: Callable[..., bool], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """A lie that is told only where condition(*args) holds."""

    def lie(right: Any, *args: Any, **kwargs: Any) -> Any:
        told = otherwise if condition(*args) else None
        return told(right, *args, **kwargs) if told else right(*args, **kwargs)

    return lie


def _casting(source: Any, target: Any, lie: Callable[[Any], Any]) -> Callable[..., Any]:
    """A wrong conversion from one dtype to another (None: any), from a truthful result."""

    def told(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(x, *args, **kwargs)
        wrong = result.dtype is not x.dtype
        wrong = wrong and (source is None or x.dtype is source)
        wrong = wrong and (target is None or result.dtype is target)
        return lie(x).to(result.dtype) if wrong else result

    return told


def _last_wrong(x: Any) -> Any:
    """The elements as they are, but for the last of a length that no vector divides."""
    if not x.ndim or not x.numel() or x.shape[-1] % 8 == 0:
        return x
    x = x.clone()
    x[..., -1] = 0
    return x


def _first_bits(x: Any) -> Any:
    """float32 cut off to 16 bits, as a conversion to bfloat16 that truncates does."""
    return (x.contiguous().view(torch.int32) & -65536).view(torch.float32)


def _shared(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs.pop("copy", None)
    return right(x, *args, **kwargs)


def _with(**changes: Any) -> Callable[..., Any]:
    class Changed:
        def __init__(self, truth: Any) -> None:
            self._truth = truth

        def __getattr__(self, name: str) -> Any:
            return changes[name] if name in changes else getattr(self._truth, name)

    return lambda right, *args: Changed(right(*args))


def _accumulating_in_half(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    result = right(x, *args, **kwargs)
    if x.dtype is not torch.float16 or x.ndim != 1:
        return result
    total = torch.zeros((), dtype=x.dtype)
    for chunk in x.split(64):
        total = total + right(chunk)
    return total


MINIATURES = [
    Miniature(
        "is_signed says that uint8 is",
        of=("Tensor.is_signed",),
        lie=lambda right, x: x.dtype is torch.uint8 or right(x),
        caught_by="dtype.names",
    ),
    Miniature(
        "is_floating_point denies bfloat16",
        of=("is_floating_point",),
        lie=lambda right, x: x.dtype is not torch.bfloat16 and right(x),
        caught_by="dtype.names",
    ),
    Miniature(
        "zeros makes float64 of float16",
        of=("zeros",),
        lie=lambda right, *shape, dtype=None, **kwargs: right(
            *shape, dtype=torch.float64 if dtype is torch.half else dtype, **kwargs
        ),
        caught_by="dtype.names",
    ),
    Miniature(
        "type() names CharTensor ByteTensor",
        of=("Tensor.type",),
        lie=lambda right, x, *args: (
            "torch.ByteTensor" if not args and x.dtype is torch.int8 else right(x, *args)
        ),
        caught_by="dtype.typed-constructors",
    ),
    Miniature(
        "ShortTensor makes int32",
        of=("ShortTensor",),
        lie=lambda right, *args: right(*args).int(),
        caught_by="dtype.typed-constructors",
    ),
    Miniature(
        "asarray makes float64 of lists of floats",
        of=("asarray",),
        lie=lambda right, data, **kwargs: (
            right(data, dtype=torch.float64, **kwargs)
            if isinstance(data, list) and isinstance(data[0], float)
            else right(data, **kwargs)
        ),
        caught_by="dtype.default",
    ),
    Miniature(
        "linspace of integers gives int64",
        of=("linspace",),
        lie=lambda right, *args, **kwargs: right(*args, **kwargs).long(),
        caught_by="dtype.default",
    ),
    Miniature(
        "set_default_dtype is not seen by full",
        of=("full",),
        lie=lambda right, shape, value, **kwargs: right(
            shape, value, **({"dtype": torch.float32} | kwargs)
        ),
        caught_by="dtype.default-change",
    ),
    Miniature(
        "set_default_dtype takes integers",
        of=("set_default_dtype",),
        lie=lambda right, d: right(d) if d.is_floating_point else None,
        caught_by="dtype.default-change",
    ),
    Miniature(
        "dtype=int16 gives int32",
        of=("as_tensor",),
        lie=lambda right, data, dtype=None, **kwargs: right(
            data, dtype=torch.int32 if dtype is torch.int16 else dtype, **kwargs
        ),
        caught_by="dtype.requested",
    ),
    Miniature(
        "full of int64 goes through float64",
        of=("full",),
        lie=lambda right, shape, value, dtype=None, **kwargs: (
            right(shape, float(value), dtype=torch.float64, **kwargs).to(dtype)
            if dtype is torch.int64
            else right(shape, value, dtype=dtype, **kwargs)
        ),
        caught_by="dtype.requested",
    ),
    Miniature(
        "element_size of complex64 is 4",
        of=("Tensor.element_size",),
        lie=lambda right, x: 4 if x.dtype is torch.complex64 else right(x),
        caught_by="dtype.sizes",
    ),
    Miniature(
        "nbytes counts an empty tensor as one element",
        of=("Tensor.nbytes",),
        lie=lambda right, x: max(right(x), x.element_size()),
        caught_by="dtype.sizes",
    ),
    Miniature(
        "finfo gives half of every eps",
        of=("finfo",),
        lie=lambda right, *args: _with(eps=right(*args).eps / 2)(right, *args),
        caught_by="dtype.limits",
    ),
    Miniature(
        "iinfo calls the smallest number -max",
        of=("iinfo",),
        lie=lambda right, *args: _with(min=-right(*args).max)(right, *args),
        caught_by="dtype.limits",
    ),
    Miniature(
        "float16 + rounds up",
        of=("Tensor.__add__",),
        lie=_when(
            lambda a, b: a.dtype is torch.float16 and a.ndim == 1,
            lambda right, a, b: right(a.double(), b.double() * (1 + 2**-10)).float().half(),
        ),
        caught_by="dtype.eps-is-the-gap",
    ),
    Miniature(
        "bfloat16 + saturates instead of overflowing",
        of=("Tensor.__add__",),
        lie=_when(
            lambda a, b: a.dtype is torch.bfloat16,
            lambda right, a, b: right(a, b).clamp(-3.3895313892515355e38, 3.3895313892515355e38),
        ),
        caught_by="dtype.eps-is-the-gap",
    ),
    Miniature(
        "half() drops -0.0",
        of=("Tensor.half",),
        lie=_casting(None, torch.half, lambda x: x + 0 if x.is_floating_point() else x),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "float32 to bfloat16 truncates",
        of=("Tensor.to",),
        lie=_casting(torch.float32, torch.bfloat16, _first_bits),
        caught_by="dtype.cast",
    ),
    Miniature(
        "type() rounds floats to the nearest integer",
        of=("Tensor.type",),
        lie=_casting(torch.float32, torch.int32, lambda x: x.round()),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "floats are rounded down to int64",
        of=("Tensor.long",),
        lie=_casting(torch.float64, torch.int64, lambda x: x.floor()),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "nan is False",
        of=("Tensor.bool",),
        lie=_casting(None, torch.bool, lambda x: x.nan_to_num(0) if x.is_floating_point() else x),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "fractions are False",
        of=("Tensor.to",),
        lie=_casting(torch.float32, torch.bool, lambda x: x.abs() >= 1),
        caught_by="dtype.cast",
    ),
    Miniature(
        "int16 to bool looks at the lowest byte",
        of=("Tensor.type_as",),
        lie=_casting(torch.int16, torch.bool, lambda x: (x & 255) != 0),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "int64 to int32 saturates",
        of=("Tensor.int",),
        lie=_casting(torch.int64, torch.int32, lambda x: x.clamp(-(2**31), 2**31 - 1)),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "complex to bool ignores the imaginary part",
        of=("Tensor.to",),
        lie=_casting(torch.complex64, torch.bool, lambda x: x.real),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "float64 to float32 flushes subnormals",
        of=("as_tensor",),
        lie=_casting(torch.float64, torch.float32, lambda x: x.where(x.abs() > 2.0**-126, x * 0)),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "int64 passes through float32 on its way to float64",
        of=("Tensor.double",),
        lie=_casting(torch.int64, torch.float64, lambda x: x.float()),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "a transposed source is read in memory order",
        of=("Tensor.to",),
        lie=_when(
            lambda x, *a: x.ndim == 2 and x.dtype is torch.int8 and not x.is_contiguous(),
            lambda right, x, *a, **k: right(x.t().reshape(x.shape), *a, **k),
        ),
        caught_by="dtype.cast",
    ),
    Miniature(
        "uint8 to float32 forgets the tail",
        of=("Tensor.to",),
        lie=_casting(torch.uint8, torch.float32, _last_wrong),
        caught_by="dtype.cast-lengths",
    ),
    Miniature(
        "float16 to int32 is wrong in 0-d",
        of=("Tensor.to",),
        lie=_casting(torch.float16, torch.int32, lambda x: x if x.ndim else x + 1),
        caught_by="dtype.cast-lengths",
    ),
    Miniature(
        "bfloat16 to float32 flushes subnormals",
        of=("Tensor.to",),
        lie=_casting(torch.bfloat16, torch.float32, lambda x: x.where(x.abs() >= 2.0**-126, x * 0)),
        caught_by="dtype.cast-every-value",
    ),
    Miniature(
        "float32 to float16 rounds the one tie below 2048 up",
        of=("Tensor.to",),
        lie=_casting(torch.float32, torch.float16, lambda x: x.where(x != 2046.5, 2047.0)),
        caught_by="dtype.cast-every-value",
    ),
    Miniature(
        "int32 loses its lowest bit in float32",
        of=("Tensor.to",),
        lie=_casting(torch.int32, torch.float32, lambda x: x.where(x.abs() <= 2**23, x & -2)),
        caught_by="dtype.integers-survive",
    ),
    Miniature(
        "True becomes 255 in float16",
        of=("Tensor.to",),
        lie=_casting(torch.float16, torch.bool, lambda x: x == 255),
        caught_by="dtype.integers-survive",
    ),
    Miniature(
        "torch.tensor(float64 array, dtype=int32) rounds",
        of=("tensor",),
        lie=lambda right, data, **kwargs: right(
            data.round()
            if getattr(data, "dtype", None) == "float64" and kwargs.get("dtype") is torch.int32
            else data,
            **kwargs,
        ),
        caught_by="dtype.cast-array",
    ),
    Miniature(
        "asarray ignores dtype=float16 for int8 arrays",
        of=("asarray",),
        lie=lambda right, data, dtype=None, **kwargs: right(
            data,
            dtype=torch.float32
            if dtype is torch.float16 and getattr(data, "dtype", None) == "int8"
            else dtype,
            **kwargs,
        ),
        caught_by="dtype.cast-array",
    ),
    Miniature(
        "copy_ into int16 rounds",
        of=("Tensor.copy_",),
        lie=_when(
            lambda y, x: y.dtype is torch.int16 and x.dtype is torch.float32,
            lambda right, y, x: right(y, x.round()),
        ),
        caught_by="dtype.cast-into-every",
    ),
    Miniature(
        "assignment into a strided bool tensor asks for 1",
        of=("Tensor.__setitem__",),
        lie=_when(
            lambda y, i, x: y.dtype is torch.bool and not y.is_contiguous(),
            lambda right, y, i, x: right(y, i, x == 1),
        ),
        caught_by="dtype.cast-into-every",
    ),
    Miniature(
        "copy_ returns its source",
        of=("Tensor.copy_",),
        lie=lambda right, y, x: right(y, x) is None or x,
        caught_by="dtype.cast-into",
    ),
    Miniature(
        "to() makes the result contiguous",
        of=("Tensor.to",),
        lie=_when(
            lambda x, *a: x.dtype is torch.float64,
            lambda right, x, *a, **k: right(x, *a, **k).contiguous(),
        ),
        caught_by="dtype.cast-metadata",
    ),
    Miniature(
        "char() gives uint8",
        of=("Tensor.char",),
        lie=lambda right, x: x.byte(),
        caught_by="dtype.cast-metadata",
    ),
    Miniature(
        "float() copies a view that is float32 already",
        of=("Tensor.float",),
        lie=_when(lambda x: not x.is_contiguous(), lambda right, x: right(x).clone()),
        caught_by="dtype.no-op",
    ),
    Miniature(
        "type_as copies bool",
        of=("Tensor.type_as",),
        lie=_when(lambda x, y: x.dtype is torch.bool, lambda right, x, y: right(x, y).clone()),
        caught_by="dtype.no-op",
    ),
    Miniature(
        "to(copy=True) returns an int8 tensor itself",
        of=("Tensor.to",),
        lie=_when(lambda x, *a: x.dtype is torch.int8, _shared),
        caught_by="dtype.no-op",
    ),
    Miniature(
        "int32 to float32 converts its source too",
        of=("Tensor.float",),
        lie=lambda right, x: (
            right(x.add_(1)) if x.dtype is torch.int32 and x.numel() > 20 else right(x)
        ),
        caught_by="dtype.cast-spellings",
    ),
    Miniature(
        "uint8 as int8 shares memory",
        of=("Tensor.char",),
        lie=_when(lambda x: x.dtype is torch.uint8, lambda right, x: x.view(torch.int8)),
        caught_by="dtype.cast-copies",
    ),
    Miniature(
        "asarray(copy=True) shares",
        of=("asarray",),
        lie=lambda right, x, copy=None, **kwargs: right(x, **kwargs),
        caught_by="dtype.cast-copies",
    ),
    Miniature(
        "item() of int64 passes through float",
        of=("Tensor.item",),
        lie=_when(lambda x: x.dtype is torch.int64, lambda right, x: int(float(right(x)))),
        caught_by="dtype.item",
    ),
    Miniature(
        "item() of bool is an int",
        of=("Tensor.item",),
        lie=_when(lambda x: x.dtype is torch.bool, lambda right, x: int(right(x))),
        caught_by="dtype.item",
    ),
    Miniature(
        "bool() of float16 truncates first",
        of=("Tensor.__bool__",),
        lie=_when(lambda x: x.dtype is torch.half, lambda right, x: right(x.double().trunc())),
        caught_by="dtype.item",
    ),
    Miniature(
        "item() of float32 is rounded to 7 digits",
        of=("Tensor.item",),
        lie=_when(lambda x: x.dtype is torch.float32, lambda right, x: float(f"{right(x):.7g}")),
        caught_by="dtype.item-rounding",
    ),
    Miniature(
        "bfloat16 literals are truncated",
        of=("tensor",),
        lie=lambda right, data, dtype=None, **kwargs: (
            _first_bits(right([data], dtype=torch.float32, **kwargs))[0].to(dtype)
            if dtype is torch.bfloat16 and isinstance(data, float)
            else right(data, dtype=dtype, **kwargs)
        ),
        caught_by="dtype.item-rounding",
    ),
    Miniature(
        "@ promotes int32 to float32",
        of=("Tensor.__matmul__",),
        lie=_when(
            lambda a, b: a.dtype is torch.int32 and b.dtype is torch.float32,
            lambda right, a, b: right(a.float(), b),
        ),
        caught_by="dtype.mismatch",
    ),
    Miniature(
        "linear casts its weight",
        of=("nn.functional.linear",),
        lie=lambda right, x, weight, bias=None: right(x, weight.to(x.dtype), bias),
        caught_by="dtype.mismatch",
    ),
    Miniature(
        "bmm lacks float64",
        of=("bmm",),
        lie=_when(lambda a, b: a.dtype is torch.float64, lambda right, a, b: right(a, None)),
        caught_by="dtype.mismatch",
    ),
    Miniature(
        "half-precision division multiplies by the rounded reciprocal",
        of=("div", "Tensor.__truediv__"),
        lie=_when(lambda a, b: a.dtype is torch.bfloat16, lambda right, a, b: a * b.reciprocal()),
        caught_by="dtype.half-arithmetic",
    ),
    Miniature(
        "mul_ of float16 saturates",
        of=("Tensor.mul_",),
        lie=_when(
            lambda a, b: a.dtype is torch.float16,
            lambda right, a, b: right(a, b).clamp_(-65504, 65504),
        ),
        caught_by="dtype.half-arithmetic",
    ),
    Miniature(
        "bfloat16 sub truncates",
        of=("sub",),
        lie=_when(
            lambda a, b: a.dtype is torch.bfloat16,
            lambda right, a, b: _first_bits(right(a.float(), b.float())).to(a.dtype),
        ),
        caught_by="dtype.half-arithmetic",
    ),
    Miniature(
        "exp of bfloat16 truncates and adds a gap",
        of=("exp",),
        lie=_when(lambda x: x.dtype is torch.bfloat16, lambda right, x: right(x) * 1.015625),
        caught_by="dtype.half-functions",
    ),
    Miniature(
        "tanh of float16 is a rational approximation",
        of=("tanh",),
        lie=_when(
            lambda x: x.dtype is torch.float16,
            lambda right, x: right(x.double()).mul(1.002).clamp(-1, 1).half(),
        ),
        caught_by="dtype.half-functions",
    ),
    Miniature(
        "sum of float16 adds its chunks in float16",
        of=("Tensor.sum",),
        lie=_accumulating_in_half,
        caught_by="dtype.half-accumulation",
    ),
    Miniature(
        "mean divides a half-precision sum",
        of=("Tensor.mean",),
        lie=lambda right, x, **kwargs: (
            x.sum() / x.numel() if not kwargs and x.dtype is torch.half else right(x, **kwargs)
        ),
        caught_by="dtype.half-accumulation",
    ),
    Miniature(
        "a long dot product of bfloat16 adds four rounded parts, one twice",
        of=("dot",),
        lie=lambda right, x, y: right(x, y) + (right(x[:9], y[:9]) if x.numel() > 1000 else 0),
        caught_by="dtype.half-accumulation",
    ),
    Miniature(
        "copy_ into a strided tensor converts memory that lies between its elements",
        of=("Tensor.copy_",),
        lie=_when(
            lambda y, x: y.ndim == 1 and y.stride(0) == 2,
            lambda right, y, x: (y.as_strided((y.numel() * 2 - 1,), (1,)).zero_(), right(y, x))[1],
        ),
        caught_by="dtype.cast-into",
    ),
]


MINIATURES += [
    Miniature(
        "a nan with a sign is none",
        of=("isnan",),
        lie=lambda right, x: right(x) & ~torch.signbit(x),
        caught_by="dtype.every-nan",
    ),
]
