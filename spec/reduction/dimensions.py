"""Dimensions, and results that are written to where they are asked to be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import (
    layouts,
    place,
    seeds,
    tensor_of,
    values,
)
from tenet.spec.cases import with_dim as shapes_with_dim
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.reduction.common import (
    SELECTORS,
)

ALONG: dict[str, Callable[..., Any]] = {
    name: (lambda function: lambda torch, x, dim: getattr(torch, function)(x, dim))(name)
    for name in ("sum", "prod", "amax", "amin", "argmax", "argmin", "max", "min", "cumsum",
                 "cumprod", "cummax", "any", "all", "median", "mode", "count_nonzero")
}  # fmt: skip
ALONG |= {
    "x.sum": lambda torch, x, dim: x.sum(dim=dim),
    "x.max": lambda torch, x, dim: x.max(dim=dim),
    "x.argmax": lambda torch, x, dim: x.argmax(dim=dim),
    "mean": lambda torch, x, dim: x.float().mean(dim),
    "std": lambda torch, x, dim: torch.std(x.float(), dim),
    "x.var": lambda torch, x, dim: x.float().var(dim=dim),
    "logsumexp": lambda torch, x, dim: torch.logsumexp(x.float(), dim),
}


@clause("reduction.dim-range", thorough=True, covers=["notes.dim-range"], metadata_only=True)
def a_dimension_lies_within_the_rank(torch: Any, device: str) -> None:
    """dim goes from -ndim to ndim - 1; beyond either end it raises. A 0-d tensor counts as one
    of one dimension."""
    for rank, (name, function) in product(range(5), ALONG.items()):
        x = torch.ones((2, 3, 4, 5)[:rank], dtype=torch.int64, device=device)
        if not rank and name == "cummax":  # its refusal for 0-d tensors differs by device
            continue
        last = max(rank, 1)
        with case(rank=rank, reduction=name):
            for dim in range(-last, last):
                result = function(torch, x, dim)
                part = result[0] if isinstance(result, tuple) else result
                kept = name.startswith("cum")
                shape = list(x.shape)
                if rank and not kept:
                    del shape[dim]
                assert_metadata(part, shape=tuple(shape))
            for beyond in (last, -last - 1, last + 5, -last - 6):
                assert_raises(function, torch, x, beyond)


@clause("reduction.dim-twice", thorough=True, covers=["notes.dim-range"], metadata_only=True)
def a_dimension_is_given_once(torch: Any, device: str) -> None:
    """A dimension given twice, by the same number or once from each end, raises; different ones
    do not; and one of several out of range raises."""
    x = torch.ones((2, 3, 4), device=device)
    functions = (torch.sum, torch.mean, torch.amax, torch.amin, torch.std, torch.var,
                 torch.logsumexp, torch.any, torch.all, torch.nansum)  # fmt: skip
    for function in functions:
        with case(reduction=function.__name__):
            for dims, left in (((0, 1), (4,)), ((0, -1), (3,)), ((-1, -2), (2,)), ((1,), (2, 4))):
                assert_metadata(function(x, dims), shape=left)
            for twice in ((0, 0), (1, -2), (-1, 2), (0, 1, 0), (-1, -1)):
                assert_raises(function, x, twice)
            for beyond in ((0, 3), (-4, 1)):
                assert_raises(function, x, beyond)


@clause("reduction.out-pair", covers=["dlnotes.max-dim"], requires={"out"}, effort=0.5)
@for_all(
    shaped=shapes_with_dim(empty=False, max_size=300), layout=layouts(writable=True), seed=seeds()
)
def two_results_go_to_two_destinations(
    torch: Any, device: str, shaped: Any, layout: str, seed: int
) -> None:
    """out= of max, min, median, mode and kthvalue takes a pair; both are written, within their
    views alone."""
    shape, dim = shaped
    for dtype in supported(("float32", "int64")):
        array = values(shape, dtype, "signed", seed)
        x = tensor_of(torch, device, array)
        for name in SELECTORS:
            arguments = (1, dim) if name == "kthvalue" else (dim,)
            plain = getattr(torch, name)(x, *arguments)
            left = tuple(plain[0].shape)
            first = place(torch, device, values(left, dtype), layout)
            second = place(torch, device, values(left, "int64"), layout)
            with case(dtype=dtype, reduction=name):
                pair = (first.view, second.view)
                result = getattr(torch, name)(x, *arguments, out=pair)
                assert_same_object(result[0], first.view)
                assert_same_object(result[1], second.view)
                at = np.expand_dims(read(second.view), dim)
                taken = np.squeeze(np.take_along_axis(array, at, dim), dim)
                assert_equal(first.base, first.after(taken), signed_zero=False)
                assert_equal(second.base, second.after(read(second.view)))
                assert_equal(plain[0], taken, signed_zero=False)


@clause("reduction.extremes-so-far-dim-range", covers=["notes.dim-range", "notes.empty-inputs"],
        requires={"values"})  # fmt: skip
def cumulative_operations_refuse_a_dimension_out_of_range(torch: Any, device: str) -> None:
    """cumsum, cumprod, cummin, cummax and logcumsumexp take a dimension that the operand has, and
    raise for another, also where there are no elements."""
    names = ("cumsum", "cumprod", "cummin", "cummax", "logcumsumexp")
    for name, shape in product(names, ((3,), (2, 3), (1,), (0,), (2, 0), (0, 3), ())):
        size, rank = "empty" if 0 in shape else "filled", max(len(shape), 1)
        x = torch.ones(shape, device=device)
        calls = {"function": getattr(torch, name), "method": getattr(type(x), name)}
        for (spelling, call), dim in product(
            calls.items(), (-rank, rank - 1, rank, -rank - 1, rank + 7)
        ):
            with case(operation=name, size=size, shape=shape, dim=dim, spelling=spelling):
                if -rank <= dim < rank:
                    result = call(x, dim)
                    result = result[0] if isinstance(result, tuple) else result
                    assert_metadata(result, shape=shape, dtype="float32")
                else:
                    assert_raises(call, x, dim)


@clause("reduction.diff-of-empty-out", covers=["notes.empty-inputs"], requires={"out"})
def the_differences_of_nothing_fill_out(torch: Any, device: str) -> None:
    """diff(x, out=y) gives what diff(x) does, also where there is no element to take a
    difference of."""
    for name in supported(("float32", "int64")):
        for shape, n in product(((3,), (1,), (0,), (2, 3), (2, 0), (0, 2), (9,)), (1, 2)):
            x = values(shape, name, "small", 3)
            for dim in range(-len(shape), len(shape)):
                along = "nothing" if shape[dim] == 0 else "something"
                with case(along=along, shape=shape, n=n, dim=dim, dtype=name):
                    expected = np.diff(x, n, dim)
                    tensor = tensor_of(torch, device, x)
                    assert_equal(torch.diff(tensor, n, dim), expected)
                    out = torch.ones(expected.shape, dtype=tensor.dtype, device=device)
                    assert_same_object(torch.diff(tensor, n, dim, out=out), out)
                    assert_equal(out, expected)
