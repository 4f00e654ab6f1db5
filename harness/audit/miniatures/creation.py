"""Lies about creation."""

from typing import Any

import numpy as np
import torch

from tenet.harness.audit.miniature import Miniature


def lie(name: str, caught_by: str, *of: str) -> Any:
    """Register a function as a lie about the dotted names `of`."""

    def register(function: Any) -> Any:
        MINIATURES.append(Miniature(name, of, function, f"creation.{caught_by}"))
        return function

    return register


MINIATURES: list[Miniature] = []


# ---------------------------------------------------------------------------- from data


@lie("an int8 scalar is int32", "scalar", "tensor")
def _(right, data, **o):
    if o.get("dtype") is torch.int8:
        o["dtype"] = torch.int32
    return right(data, **o)


@lie("item() of a bool is an int", "scalar", "Tensor.item")
def _(right, x):
    return int(right(x)) if x.dtype is torch.bool else right(x)


@lie("item() passes int64 through a float", "scalar", "Tensor.item")
def _(right, x):
    return int(float(right(x))) if x.dtype is torch.int64 else right(x)


@lie("a number makes a tensor of shape (1,)", "scalar", "tensor")
def _(right, data, **o):
    return right([data] if isinstance(data, float) else data, **o)


@lie("-0.0 loses its sign", "scalar", "tensor")
def _(right, data, **o):
    return right(0.0 if isinstance(data, float) and data == 0 else data, **o)


@lie("item() takes the first of two elements", "item", "Tensor.item")
def _(right, x):
    return right(x.flatten()[0] if x.numel() == 2 else x)


@lie("item() of no element is 0", "item", "Tensor.item")
def _(right, x):
    return right(x) if x.numel() else 0


@lie("item() refuses three dimensions", "item", "Tensor.item")
def _(right, x):
    if x.ndim == 3:
        raise RuntimeError("too many dimensions")
    return right(x)


@lie("item() forgets the storage offset", "item", "Tensor.item")
def _(right, x):
    return right(x.as_strided(x.shape, x.stride(), 0))


@lie("nested lists of rank 3 lose a leading 1", "nested-lists", "tensor")
def _(right, data=None, **o):
    x = right(data, **o)
    return x[0] if x.ndim == 3 and x.shape[0] == 1 else x


@lie("tuples are read back to front", "nested-lists", "tensor")
def _(right, data=None, **o):
    flips = isinstance(data, tuple) and len(data) > 8
    return right(data[::-1] if flips else data, **o)


@lie("complex data beyond 16 numbers infer complex128", "nested-lists", "tensor")
def _(right, data=None, **o):
    x = right(data, **o)
    wide = x.is_complex() and x.numel() > 16 and "dtype" not in o
    return x.to(torch.complex128) if wide else x


@lie("as_tensor swaps the axes of a matrix", "nested-lists", "as_tensor")
def _(right, data, **o):
    x = right(data, **o)
    return x.t().reshape(x.shape) if x.ndim == 2 else x


@lie("the first number decides the dtype", "inference", "tensor")
def _(right, data, **o):
    first = data[0] if isinstance(data, list) and data and "dtype" not in o else None
    return right(data, **o, dtype=torch.int64) if type(first) is int else right(data, **o)


@lie("an empty list is of integers", "inference", "tensor")
def _(right, data, **o):
    x = right(data, **o)
    return x if x.numel() else x.long()


@lie("bools among integers stay bools", "inference", "tensor")
def _(right, data, **o):
    return right(data, **o).bool() if data == [True, 2] else right(data, **o)


@lie("a long list is cut", "ragged", "tensor")
def _(right, data, **o):
    try:
        return right(data, **o)
    except ValueError:
        shortest = min(map(len, data), default=0) if isinstance(data[0], list) else 0
        return right([row[:shortest] for row in data], **o)


@lie("a number among lists is a row", "ragged", "tensor")
def _(right, data, **o):
    if any(isinstance(row, list) for row in data):
        width = max(len(row) for row in data if isinstance(row, list))
        data = [row if isinstance(row, list) else [row] * width for row in data]
    return right(data, **o)


@lie("a list among numbers is its element", "ragged", "tensor")
def _(right, data, **o):
    if not isinstance(data[0], list):
        data = [row[0] if isinstance(row, list) else row for row in data]
    return right(data, **o)


@lie("an int16 array is shared", "from-array", "tensor")
def _(right, data, **o):
    if isinstance(data, np.ndarray) and data.dtype == np.int16 and data.flags.writeable:
        return torch.from_numpy(data)
    return right(data, **o)


@lie("an array of float64 becomes float32", "from-array", "tensor")
def _(right, data, **o):
    x = right(data, **o)
    loses = isinstance(data, np.ndarray) and data.dtype == np.float64 and "dtype" not in o
    return x.float() if loses else x


@lie("the strides of an array are ignored", "from-array", "tensor")
def _(right, data, **o):
    if isinstance(data, np.ndarray) and data.ndim == 2 and not data.flags.c_contiguous:
        data = data.ravel("K").reshape(data.shape)
    return right(data, **o)


@lie("an integer before a float decides", "module-is-not-callable", "tensor")
def _(right, data, **o):
    return right([int(n) for n in data], **o)


# ---------------------------------------------------------------------- filled by shape


@lie("zeros leaves the element after 32 alone", "zeros-and-ones", "zeros")
def _(right, *a, **o):
    x = right(*a, **o)
    if x.numel() == 33:
        x.view(-1)[32] = 1
    return x


@lie("ones given a list are transposed", "zeros-and-ones", "ones")
def _(right, *a, **o):
    if a and isinstance(a[0], list):
        a = (a[0][::-1],)
    return right(*a, **o)


@lie("ones of uint8 are 255", "zeros-and-ones", "ones")
def _(right, *a, **o):
    x = right(*a, **o)
    return x * 255 if x.dtype is torch.uint8 else x


@lie("ones default to float64", "zeros-and-ones", "ones")
def _(right, *a, **o):
    return right(*a, **({"dtype": torch.float64} | o))


@lie("full passes integers through float32", "full", "full")
def _(right, size, fill_value, **o):
    rounds = type(fill_value) is int and 2**24 < abs(fill_value) < 2**62
    return right(size, int(np.float32(fill_value)) if rounds else fill_value, **o)


@lie("full loses the sign of zero", "full", "full")
def _(right, size, fill_value, **o):
    return right(size, fill_value if fill_value else abs(fill_value), **o)


@lie("new_full clips infinities", "full", "Tensor.new_full")
def _(right, x, size, fill_value, **o):
    finite = torch.finfo(x.dtype).max if fill_value == float("inf") else fill_value
    return right(x, size, finite, **o)


@lie("empty of float16 is float32", "sizes", "empty")
def _(right, *a, **o):
    wide = o.get("dtype") is torch.float16
    return right(*a, **(o | {"dtype": torch.float32} if wide else o))


@lie("size= of three lengths is reversed", "sizes", "rand")
def _(right, *a, size=None, **o):
    if size is not None and len(size) == 3:
        return right(tuple(size)[::-1], **o)
    return right(*a, **o) if size is None else right(size, **o)


@lie("zeros of rank 4 are laid out channels-last", "sizes", "zeros")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


@lie("rand includes 1", "rand", "rand")
def _(right, *a, **o):
    return (right(*a, **o) * 8).round() / 8


@lie("rand repeats one sample", "rand", "rand")
def _(right, *a, **o):
    x = right(*a, **o)
    return x if x.numel() < 31 else x.view(-1)[:1].expand(x.numel()).reshape(x.shape)


@lie("rand of float16 starts over at every call", "rand", "rand")
def _(right, *a, **o):
    if o.get("dtype") is torch.float16:
        o["generator"] = torch.Generator().manual_seed(0)
    return right(*a, **o)


@lie("torch.Tensor drops a trailing 1", "tensor-of-sizes", "Tensor")
def _(right, *a, **o):
    return right(*a[:-1]) if len(a) > 1 and a[-1] == 1 else right(*a, **o)


@lie("torch.Tensor takes a list for sizes", "tensor-of-sizes", "Tensor")
def _(right, *a, **o):
    return right(*a[0]) if a and isinstance(a[0], list) else right(*a, **o)


@lie("torch.Tensor makes float64", "tensor-of-sizes", "Tensor")
def _(right, *a, **o):
    return right(*a, **o).double()


# ----------------------------------------------------------------------- evenly spaced


@lie("arange counts down to and with the end", "arange-integers", "arange")
def _(right, *a, **o):
    if len(a) == 3 and a[2] < 0 and (a[1] - a[0]) % a[2] == 0:
        a = (a[0], a[1] - 1, a[2])
    return right(*a, **o)


@lie("arange computes in double", "arange-integers", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.double().to(x.dtype)


@lie("step= is ignored as a keyword", "arange-integers", "arange")
def _(right, *a, **o):
    if "start" in o and o.get("step") == 2:
        o["step"] = 1
    return right(*a, **o)


@lie("arange in uint8 saturates early", "arange-integers", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.clamp(max=126) if x.dtype is torch.uint8 else x


@lie("the 17th number of a float16 range is off", "arange-floats", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    if x.dtype is torch.float16 and x.numel() == 17:
        x[16] += 1
    return x


@lie("an integer start makes integers", "arange-floats", "arange")
def _(right, *a, **o):
    integer = len(a) == 3 and type(a[0]) is int and "dtype" not in o
    return right(*a, **o).long() if integer else right(*a, **o)


@lie("a fractional step is rounded down in the length", "arange-floats", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    return x[:-1] if len(a) == 3 and a[2] == 1.5 and (a[1] - a[0]) % 1.5 else x


@lie("errors of the step add up", "arange-rounding", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    if x.dtype is torch.float32 and x.numel():
        steps = np.full(len(x), a[2], np.float32)
        steps[0] = a[0]
        x = torch.from_numpy(np.cumsum(steps))
    return x


@lie("float64 ranges are computed in float32", "arange-rounding", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.float().double() if x.dtype is torch.float64 else x


@lie("bfloat16 adds the step to itself", "arange-rounding", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    if x.dtype is torch.bfloat16:
        for i in range(1, min(len(x), 40)):
            x[i] = x[i - 1] + a[2]
    return x


@lie("the length is rounded to the nearest", "arange-length", "arange")
def _(right, *a, **o):
    return right(*a, **o)[: round((a[1] - a[0]) / a[2])]


@lie("an end that is reached is included", "arange-length", "arange")
def _(right, *a, **o):
    return right(a[0], a[1] + a[2] / 100, *a[2:], **o)


@lie("an empty range holds its start", "arange-length", "arange")
def _(right, *a, **o):
    return right(a[0], a[0] + 1, 1, **o) if a[0] == a[1] else right(*a, **o)


@lie("linspace leaves the end out", "linspace-exact", "linspace")
def _(right, start, end, steps, **o):
    return right(start, end, steps + 1, **o)[:-1]


@lie("one step is the end", "linspace-exact", "linspace")
def _(right, start, end, steps, **o):
    return right(end if steps == 1 else start, end, steps, **o)


@lie("linspace of int32 truncates the distance", "linspace-exact", "linspace")
def _(right, start, end, steps, **o):
    if o.get("dtype") is torch.int32 and steps > 1:
        return start + torch.arange(steps, dtype=torch.int32) * int((end - start) / steps)
    return right(start, end, steps, **o)


@lie("the last element is off by a rounding", "linspace-ends", "linspace")
def _(right, start, end, steps, **o):
    x = right(start, end, steps, **o)
    x[-1] = torch.nextafter(x[-1], x[0]) if x.dtype is torch.float32 else x[-1]
    return x


@lie("float64 is computed in float32", "linspace-ends", "linspace")
def _(right, start, end, steps, **o):
    x = right(start, end, steps, **o)
    y = x.float().to(x.dtype)
    y[0], y[-1] = x[0], x[-1]
    return y


@lie("one tail element repeats its neighbour", "linspace-ends", "linspace")
def _(right, start, end, steps, **o):
    x = right(start, end, steps, **o)
    if steps == 33:
        x[31] = x[30]
    return x


@lie("the last integer is not reached", "linspace-integers", "linspace")
def _(right, start, end, steps, **o):
    x = right(start, end, steps, **o)
    if x.dtype is torch.int16 and steps > 7 and end > start:
        x[-1] = end - 1
    return x


@lie("integers are those of a step rounded down", "linspace-integers", "linspace")
def _(right, start, end, steps, **o):
    x = right(start, end, steps, **o)
    x[1:-1] = start + torch.arange(1, steps - 1) * int((end - start) / (steps - 1))
    return x


@lie("the last column of a wide matrix is lost", "eye", "eye")
def _(right, *a, **o):
    x = right(*a, **o)
    if x.shape[1] == x.shape[0] == 17:
        x[16, 16] = 0
    return x


@lie("eye ignores m as a keyword", "eye", "eye")
def _(right, *a, m=None, **o):
    return right(*a, **o)


@lie("a tall eye goes round", "eye", "eye")
def _(right, *a, **o):
    x = right(*a, **o)
    n, m = x.shape
    if n > m > 0:
        x[m, 0] = 1
    return x


@lie("eye of bool is all True", "eye", "eye")
def _(right, *a, **o):
    x = right(*a, **o)
    return ~(x & False) if x.dtype is torch.bool else x


# ------------------------------------------------------------------- after another tensor


@lie("zeros_like fills the memory of an expanded tensor", "like", "zeros_like")
def _(right, x, **o):
    return x.zero_() if x.ndim == 2 and not x.is_contiguous() else right(x, **o)


@lie("ones_like keeps uint8 when asked for int8", "like", "ones_like")
def _(right, x, **o):
    if x.dtype is torch.uint8 and o.get("dtype") is torch.int8:
        o["dtype"] = torch.uint8
    return right(x, **o)


@lie("full_like rounds through the source's dtype", "like", "full_like")
def _(right, x, fill_value, **o):
    number = int(fill_value) if not x.is_floating_point() else fill_value
    return right(x, number, **o)


@lie("randn_like of an int64 stays float64", "like-metadata", "randn_like")
def _(right, x, **o):
    y = right(x, **o)
    return y.double() if x.dtype is torch.int64 else y


@lie("empty_like forgets dtype= for bool", "like-metadata", "empty_like")
def _(right, x, dtype=None, **o):
    return right(x, dtype=None if dtype is torch.bool else dtype, **o)


@lie("randint_like drops a leading 1", "like-metadata", "randint_like")
def _(right, x, *a, **o):
    y = right(x, *a, **o)
    return y[0] if y.ndim == 3 and y.shape[0] == 1 else y


@lie("rand_like is always contiguous", "memory-format", "rand_like")
def _(right, x, **o):
    return right(x, **o).contiguous()


@lie("zeros_like ignores contiguous_format", "memory-format", "zeros_like")
def _(right, x, memory_format=torch.preserve_format):
    kept = memory_format is torch.contiguous_format
    return right(x, memory_format=torch.preserve_format if kept else memory_format)


@lie("empty ignores channels_last_3d", "memory-format", "empty")
def _(right, *a, memory_format=torch.contiguous_format, **o):
    ignored = memory_format is torch.channels_last_3d
    return right(*a, memory_format=torch.contiguous_format if ignored else memory_format, **o)


@lie("new_zeros makes float32 of bfloat16", "new", "Tensor.new_zeros")
def _(right, x, *a, **o):
    y = right(x, *a, **o)
    return y.float() if y.dtype is torch.bfloat16 else y


@lie("new_ones keeps the dtype that it should override", "new", "Tensor.new_ones")
def _(right, x, *a, dtype=None, **o):
    return right(x, *a, **o)


@lie("new_tensor infers its dtype", "new", "Tensor.new_tensor")
def _(right, x, data, **o):
    return torch.tensor(data, **o)


@lie("new_full takes the tensor's shape", "new", "Tensor.new_full")
def _(right, x, size, value, **o):
    return right(x, x.shape if len(size) == 2 else size, value, **o)


@lie("new_ones lays out like its tensor", "new", "Tensor.new_empty")
def _(right, x, *a, **o):
    y = right(x, *a, **o)
    return y.t().contiguous().t() if y.ndim == 2 else y


@lie("new_ones makes zeros", "new-is-a-method", "Tensor.new_ones")
def _(right, x, *a, **o):
    return right(x, *a, **o) * 0


# ----------------------------------------------------------------- common to factories


@lie("randint of int16 is int64", "dtype-argument", "randint")
def _(right, *a, dtype=torch.int64, **o):
    return right(*a, dtype=torch.int64 if dtype is torch.int16 else dtype, **o)


@lie("linspace of float16 is float32", "dtype-argument", "linspace")
def _(right, *a, dtype=None, **o):
    return right(*a, dtype=torch.float32 if dtype is torch.float16 else dtype, **o)


@lie("new_empty of complex64 is complex128", "dtype-argument", "Tensor.new_empty")
def _(right, x, *a, dtype=None, **o):
    return right(x, *a, dtype=torch.complex128 if dtype is torch.complex64 else dtype, **o)


@lie("linspace is always float32", "default-dtype", "linspace")
def _(right, *a, **o):
    return right(*a, dtype=torch.float32, **o)


@lie("full of an integer is a float", "default-dtype", "full")
def _(right, *a, **o):
    return right(*a, **o).to(torch.get_default_dtype())


@lie("arange ignores the default dtype", "default-dtype", "arange")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.float() if x.is_floating_point() else x


@lie("arange returns another tensor than out", "out", "arange")
def _(right, *a, out, **o):
    return right(*a, out=out, **o).clone()


@lie("eye writes past a stepped out", "out", "eye")
def _(right, *a, out, **o):
    if not out.is_contiguous() and out.dtype is torch.int8:
        out.as_strided((1, 6), (6, 1), 0).zero_()
    return right(*a, out=out, **o)


@lie("full leaves the last element of out alone", "out", "full")
def _(right, size, value, *, out, **o):
    last = out[..., -1].clone()
    right(size, value, out=out, **o)
    out[..., -1] = last
    return out


@lie("ones_like expands a single one", "independent", "ones_like")
def _(right, x, **o):
    y = right(x, **o)
    return y if y.numel() < 2 else y.new_ones(()).expand(y.shape)


@lie("zeros of one shape come from a cache", "independent", "zeros")
def _(right, shape, *, cache={}, **o):  # noqa: B006 - a cache is the lie
    return cache.setdefault((tuple(shape), o["dtype"]), right(shape, **o))


@lie("new_tensor shares the memory of a tensor", "independent", "Tensor.new_tensor")
def _(right, x, data, **o):
    return data


@lie("full_like fills its argument", "independent", "full_like")
def _(right, x, value, **o):
    return x.fill_(value) if x.dtype is torch.int8 else right(x, value, **o)


@lie("ones_like of int16 leaves its 33rd element", "every-length", "ones_like")
def _(right, x, **o):
    y = right(x, **o)
    if y.dtype is torch.int16 and y.shape == (33,):
        y[32] = 0
    return y


@lie("new_zeros of a bfloat16 scalar is one", "every-length", "Tensor.new_zeros")
def _(right, x, *a, **o):
    y = right(x, *a, **o)
    return y + 1 if y.dtype is torch.bfloat16 and not y.ndim else y


@lie("arange of float16 repeats after 1024", "every-length", "arange")
def _(right, *a, **o):
    y = right(*a, **o)
    if y.dtype is torch.float16 and len(y) > 1024:
        y[1024] = 1023
    return y


@lie("eye ends up on another device", "device-argument", "eye")
def _(right, *a, **o):
    return right(*a, **o).to("meta")


@lie("a negative size is nothing", "bad-input", "ones")
def _(right, *a, **o):
    if a and all(isinstance(n, int) for n in a):
        a = tuple(max(n, 0) for n in a)
    return right(*a, **o)


@lie("arange the wrong way is empty", "bad-input", "arange")
def _(right, *a, **o):
    if len(a) == 3 and a[0] < a[1] and a[2] < 0:
        a = (a[0], a[0], 1)
    return right(*a, **o)


@lie("text is a number", "bad-input", "tensor")
def _(right, data, **o):
    return (
        right([int(n) if isinstance(n, str) else n for n in data], **o)
        if isinstance(data, list)
        else right(data, **o)
    )


@lie("options that do not exist are ignored", "bad-input", "eye")
def _(right, *a, colour=None, **o):
    return right(*a, **o)


@lie("arange of a very wide step ends early", "arange-of-wide-steps", "arange")
def _(right, *a, **o):
    return right(*a, **o)[:-1] if len(a) == 3 and a[2] == 2**61 else right(*a, **o)


@lie("logspace takes every base for ten", "logspace", "logspace")
def _(right, start, end, steps, base=10.0, **o):
    return right(start, end, steps, **o)
