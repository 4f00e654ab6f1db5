"""Lies about attributes."""

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

MINIATURES: list[Miniature] = []


def lie(name: str, caught_by: str, *of: str) -> Any:
    """Register a function as a lie about the dotted names `of`."""

    def register(function: Any) -> Any:
        MINIATURES.append(Miniature(name, of, function, f"attributes.{caught_by}"))
        return function

    return register


# ------------------------------------------------------------------------------ the shape


@lie("size(-1) is that of the dimension before", "size", "Tensor.size")
def _(right, x, *dim, **o):
    return right(x, -2) if dim == (-1,) and x.ndim > 2 else right(x, *dim, **o)


@lie("size(d) wraps around", "size", "Tensor.size")
def _(right, x, *dim, **o):
    return right(x, dim[0] % x.ndim) if dim and x.ndim else right(x, *dim, **o)


@lie("shape of an expanded tensor is that of its base", "size", "Tensor.shape")
def _(right, x):
    return torch.Size(n if s else 1 for n, s in zip(right(x), x.stride(), strict=True))


@lie("dim= is ignored", "size", "Tensor.size")
def _(right, x, *a, dim=None):
    return right(x, *a) if dim is None else right(x, 0)


@lie("size() is a list", "size-is-a-tuple", "Tensor.size")
def _(right, x, *dim):
    return right(x, *dim) if dim else list(right(x))


@lie("shape is a plain tuple", "size-is-a-tuple", "Tensor.shape")
def _(right, x):
    return tuple(right(x))


@lie("size() of an empty tensor is sorted", "size-is-a-tuple", "Tensor.size")
def _(right, x, *dim):
    return right(x, *dim) if dim or x.numel() else torch.Size(sorted(right(x)))


@lie("ndim stops at 4", "ndim", "Tensor.ndim")
def _(right, x):
    return min(right(x), 4)


@lie("dim() of a scalar is 1", "ndim", "Tensor.dim")
def _(right, x):
    return right(x) or 1


@lie("dim() leaves out a leading 1", "ndim", "Tensor.dim")
def _(right, x):
    return right(x) - (x.shape[:1] == (1,))


@lie("numel() of a scalar is 0", "numel", "Tensor.numel")
def _(right, x):
    return right(x) if x.ndim else 0


@lie("numel() counts an empty length as 1", "numel", "Tensor.numel")
def _(right, x):
    return right(x) or 1


@lie("numel() counts memory", "numel", "numel")
def _(right, x):
    return x.untyped_storage().nbytes() // x.element_size()


@lie("nelement() counts an expanded dimension once", "numel", "Tensor.nelement")
def _(right, x):
    return right(x) if x.is_contiguous() or 0 not in x.stride() else right(x[:1])


# -------------------------------------------------------------------- dtype, device, layout


@lie("the dtype of a bfloat16 scalar is float32", "three", "Tensor.dtype")
def _(right, x):
    return torch.float32 if right(x) is torch.bfloat16 and not x.ndim else right(x)


@lie("device is a string", "three", "Tensor.device")
def _(right, x):
    return str(right(x))


@lie("complex64 is no complex dtype", "three", "Tensor.is_complex")
def _(right, x):
    return x.dtype is torch.complex128


@lie("layout of a strided view is another", "three", "Tensor.layout")
def _(right, x):
    return right(x) if x.is_contiguous() else torch.sparse_coo


@lie("eye requires gradients", "defaults", "eye")
def _(right, *a, **o):
    return right(*a, **o).requires_grad_()


@lie("rand is float64 by default", "defaults", "rand")
def _(right, *a, **o):
    return right(*a, **({"dtype": torch.float64} | o))


@lie("ones ignores the default device", "defaults", "ones")
def _(right, *a, **o):
    return right(*a, **o) if "device" in o else right(*a, device="meta", **o)


@lie("is_cuda is always true", "device", "Tensor.is_cuda")
def _(right, x):
    return True


@lie("is_cpu is not true of bool", "device", "Tensor.is_cpu")
def _(right, x):
    return right(x) and x.dtype is not torch.bool


@lie("zeros_like goes elsewhere", "device", "zeros_like")
def _(right, x, **o):
    return right(x, device="meta", **o)


@lie("sparse tensors are strided", "layout", "Tensor.layout")
def _(right, x):
    return torch.strided


@lie("to_sparse of int16 stays dense", "layout", "Tensor.to_sparse")
def _(right, x, *a):
    return x if x.dtype is torch.int16 else right(x, *a)


@lie("to_dense loses the last element", "layout", "Tensor.to_dense")
def _(right, x, *a):
    y = right(x, *a)
    y[-1, -1] = 0
    return y


# --------------------------------------------------------------------------- the gradient


@lie("requires_grad_() takes integers", "requires-grad", "Tensor.requires_grad_")
def _(right, x, *a):
    return x if x.dtype is torch.int32 else right(x, *a)


@lie("requires_grad_(False) returns another tensor", "requires-grad", "Tensor.requires_grad_")
def _(right, x, *a):
    return right(x, *a).detach() if a == (False,) else right(x, *a)


@lie("requires_grad_() ignores float16", "requires-grad", "Tensor.requires_grad_")
def _(right, x, *a):
    return x if x.dtype is torch.float16 else right(x, *a)


@lie("ones forgets requires_grad=", "requires-grad", "ones")
def _(right, *a, requires_grad=False, **o):
    return right(*a, **o)


@lie("eye makes no leaf", "requires-grad-of-factories", "eye")
def _(right, *a, **o):
    x = right(*a, **o)
    return x * 1 if x.requires_grad else x


@lie("full of int64 forgets to refuse", "requires-grad-of-factories", "full")
def _(right, *a, dtype=None, requires_grad=False, **o):
    return right(*a, dtype=dtype, requires_grad=requires_grad and dtype is not torch.int64, **o)


@lie("zeros_like of complex64 forgets requires_grad=", "requires-grad-of-factories", "zeros_like")
def _(right, *a, **o):
    x = right(*a, **o)
    return x.detach() if x.dtype is torch.complex64 else x


@lie("data of a result stays in the graph", "data", "Tensor.data")
def _(right, x):
    return right(x) if x.is_leaf else x.view(x.shape)


@lie("data is a copy where strides have gaps", "data", "Tensor.data")
def _(right, x):
    return right(x) if x.is_contiguous() or x.ndim != 1 else right(x).clone()


@lie("data is contiguous", "data", "Tensor.data")
def _(right, x):
    return right(x).contiguous()


@lie("data of int8 is a copy", "data-of-any-dtype", "Tensor.data")
def _(right, x):
    return right(x).clone() if x.dtype is torch.int8 else right(x)


@lie("data begins where the storage begins", "data-of-any-dtype", "Tensor.data")
def _(right, x):
    return right(x).as_strided(x.shape, x.stride(), 0)


@lie("data of a scalar is a copy", "data-of-any-dtype", "Tensor.data")
def _(right, x):
    return right(x) if x.ndim else right(x).clone()


@lie("grad is zeros before backward", "grad", "Tensor.grad")
def _(right, x):
    return torch.zeros_like(x).detach() if right(x) is None else right(x)


@lie("grad of a scalar has one dimension", "grad", "Tensor.grad")
def _(right, x):
    g = right(x)
    return g.reshape(1) if g is not None and not g.ndim else g


@lie("grad of bfloat16 is float32", "grad", "Tensor.grad")
def _(right, x):
    g = right(x)
    return g.float() if g is not None and g.dtype is torch.bfloat16 else g


@lie("grad requires a gradient", "grad", "Tensor.grad")
def _(right, x):
    g = right(x)
    return g if g is None else g.clone().requires_grad_()


# ------------------------------------------------------------------------ order in memory


@lie("T is a copy", "T", "Tensor.T")
def _(right, x):
    return right(x).clone()


@lie("T of a stepped matrix ignores its strides", "T", "Tensor.T")
def _(right, x):
    return right(x) if x.is_contiguous() else right(x.contiguous())


@lie("T of a square matrix is itself", "T", "Tensor.T")
def _(right, x):
    return x if x.shape[0] == x.shape[1] else right(x)


@lie("t() reverses uint8", "T", "Tensor.t")
def _(right, x):
    return right(x).flip(0) if x.dtype is torch.uint8 else right(x)


@lie("transpose takes a negative dimension from the front", "T-of-other-ranks", "Tensor.transpose")
def _(right, x, first, second):
    return right(x, -first - 1 if first < 0 else first, second)


@lie("permute of four dimensions is its inverse", "T-of-other-ranks", "Tensor.permute")
def _(right, x, *dims):
    inverse = len(dims) == 4
    return right(x, *sorted(range(4), key=lambda i: dims[i])) if inverse else right(x, *dims)


@lie("permute of an expanded tensor copies wrongly", "T-of-other-ranks", "permute")
def _(right, x, dims):
    return right(x.flip(0), dims) if x.ndim == 3 and not x.is_contiguous() else right(x, dims)


@lie("gaps before the elements are not contiguous", "is-contiguous", "Tensor.is_contiguous")
def _(right, x, **o):
    return right(x, **o) and x.storage_offset() == 0


@lie("a transposed matrix is contiguous", "is-contiguous", "Tensor.is_contiguous")
def _(right, x, **o):
    return right(x, **o) or (x.ndim == 2 and right(x.t(), **o))


@lie("strides of length 1 matter", "is-contiguous", "Tensor.is_contiguous")
def _(right, x, **o):
    return right(x, **o) and tuple(x.stride()) == tuple(torch.empty(x.shape).stride())


@lie("contiguous() always copies", "contiguous", "Tensor.contiguous")
def _(right, x, **o):
    return right(x, **o).clone()


@lie("contiguous() keeps gaps", "contiguous", "Tensor.contiguous")
def _(right, x, **o):
    return x if x.ndim == 2 and x.stride()[-1] == 2 else right(x, **o)


@lie("contiguous() of complex128 conjugates", "contiguous", "Tensor.contiguous")
def _(right, x, **o):
    y = right(x, **o)
    return y if y is x or not y.is_complex() else y.conj().resolve_conj()


@lie("contiguous() leaves out the last row of 17", "contiguous", "Tensor.contiguous")
def _(right, x, **o):
    y = right(x, **o)
    if y is not x and y.ndim and y.shape[0] == 17:
        y[16] = 0
    return y


@lie(
    "contiguous() of a gapped int32 matrix reads gaps", "order-of-every-layout", "Tensor.contiguous"
)
def _(right, x, **o):
    y = right(x, **o)
    if x.dtype is torch.int32 and x.ndim == 2 and x.storage_offset() and x.stride(0) > x.shape[1]:
        return x.as_strided(x.shape, (x.shape[1], 1), 0).clone()
    return y


@lie("data of a transposed uint8 matrix is not", "order-of-every-layout", "Tensor.data")
def _(right, x):
    wrong = x.dtype is torch.uint8 and x.ndim == 2 and x.stride(0) == 1 and not x.is_contiguous()
    return right(x).as_strided(x.shape, (x.shape[1], 1)) if wrong else right(x)


@lie("channels_last is ignored", "contiguous-channels-last", "Tensor.contiguous")
def _(right, x, memory_format=torch.contiguous_format):
    return right(x)


@lie("channels_last reads the wrong order", "contiguous-channels-last", "Tensor.contiguous")
def _(right, x, memory_format=torch.contiguous_format):
    if memory_format is torch.channels_last and x.is_contiguous() and x.shape[1] > 1:
        return right(x.flip(1), memory_format=memory_format)
    return right(x, memory_format=memory_format)


MINIATURES += [
    Miniature(
        "stride(-d) is stride(d - 1)",
        of=("Tensor.stride",),
        lie=lambda right, x, *dims: right(x, *(-d - 1 if d < 0 else d for d in dims)),
        caught_by="attributes.protocols",
    ),
    Miniature(
        "the first element alone is looked for in bfloat16",
        of=("Tensor.__contains__",),
        lie=lambda right, x, element: right(
            x.reshape(-1)[:1] if x.dtype == torch.bfloat16 else x, element
        ),
        caught_by="attributes.protocols",
    ),
    Miniature(
        "a tensor of a fraction is an index",
        of=("Tensor.__index__",),
        lie=lambda right, x: int(x.item()) if x.is_floating_point() else right(x),
        caught_by="attributes.protocols",
    ),
    Miniature(
        "nbytes of a strided tensor counts what lies between",
        of=("Tensor.nbytes",),
        lie=lambda right, x: right(x) if x.is_contiguous() else right(x) + x.element_size(),
        caught_by="attributes.numel",
    ),
    Miniature(
        "iteration over a strided int16 matrix goes backwards",
        of=("Tensor.__iter__",),
        lie=lambda right, x: (
            iter([*right(x)][::-1])
            if x.dtype == torch.int16 and x.dim() == 2 and not x.is_contiguous()
            else right(x)
        ),
        caught_by="attributes.protocols",
    ),
    Miniature(
        "to() heeds no memory format",
        of=("Tensor.to",),
        lie=lambda right, x, *args, **kwargs: right(
            x, *args, **{key: value for key, value in kwargs.items() if key != "memory_format"}
        ),
        caught_by="attributes.contiguous-channels-last",
    ),
]
