"""Lines of every length, and many lines."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    place,
    tensor_of,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import (
    FORMATS,
    REAL,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import ulps
from tenet.spec.reduction.common import (
    Array,
)


@clause("reduction.every-length", covers=["mlnotes.dim-is-axis", "notes.layout-independence"])
@for_all(piece=st.sampled_from([(length, turn) for length in EVERY_LENGTH if length
                                for turn in range(3)]))  # fmt: skip
def every_length_is_reduced_to_its_end(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """A reduction reads each element, the last included, of every critical length: of a vector,
    of the rows and of the columns of a matrix, and of all of it, packed, transposed or stepped,
    in every dtype."""
    length, turn = piece
    for dtype in supported(REAL[turn::3]):
        kind = numpy_dtype(dtype)
        array = np.zeros((3, length), kind)
        array[:, 5::9], array[1, -1] = 1, 1  # so few that no sum of them is rounded
        low = array.copy()
        low[0], low[2, -1], low[2, :-1] = 1, 0, 1
        x, y = tensor_of(torch, device, array), tensor_of(torch, device, low)
        whole = array.astype(np.int64)
        total = "int64" if category(dtype) is not Category.FLOAT else dtype
        for lying, dim in (("rows", 1), ("columns", 0), ("transposed", 1), ("vector", 0)):
            if lying == "vector":
                a, c, left, least = x[1], y[2], array[1], low[2]
            elif lying == "columns":
                a, c, left, least = x.t().contiguous(), y.t().contiguous(), array.T, low.T
            elif lying == "transposed":
                a, c, left, least = x.t().contiguous().t(), y.t().contiguous().t(), array, low
            else:
                a, c, left, least = x, y, array, low
            summed = left.astype(np.int64)
            with case(dtype=dtype, length=length, lying=lying):
                assert_equal(a.sum(dim), summed.sum(dim).astype(numpy_dtype(total)))
                assert_equal(a.sum(), np.asarray(summed.sum()).astype(numpy_dtype(total)))
                assert_equal(a.amax(dim), left.max(dim))
                assert_equal(c.amin(dim), least.min(dim))
                assert_equal(torch.max(a, dim).values, left.max(dim))
                assert_equal(torch.min(c, dim).values, least.min(dim))
                assert_equal(a.any(dim), _bool(left.any(dim), dtype))
                assert_equal(c.all(dim), _bool(least.all(dim), dtype))
                assert_equal(torch.count_nonzero(a, dim), np.asarray((left != 0).sum(dim)))
                assert_equal(a.cumsum(dim), summed.cumsum(dim).astype(numpy_dtype(total)))
                assert_equal(c.prod(dim), least.astype(np.int64).prod(dim)
                             .astype(numpy_dtype(total)))  # fmt: skip
                if dtype != "bool":
                    assert_equal(a.argmax(dim), np.asarray(left.argmax(dim)))
                    assert_equal(c.argmin(dim), np.asarray(least.argmin(dim)))
        ends = np.arange(length) == length - 1
        alone, but = (tensor_of(torch, device, z.astype(kind)) for z in (ends, ~ends))
        with case(dtype=dtype, length=length, lying="the last alone"):
            assert_equal(alone.any(), _bool(np.True_, dtype))
            assert_equal(alone.any(0), _bool(np.True_, dtype))
            assert_equal(but.all(), _bool(np.False_, dtype))
        assert_equal(x.sum((0, 1)), np.asarray(whole.sum()).astype(numpy_dtype(total)))
        corner = np.zeros((3, length), kind)
        corner[-1, -1] = 1
        for lying in ("contiguous", "transposed", "stepped"):
            p, q = (place(torch, device, z.astype(kind), lying).view for z in (corner, corner == 0))
            with case(dtype=dtype, length=length, lying=lying, reduced="both dimensions"):
                for most in (p.amax((0, 1)), p.amax((-1, 0)), p.amax(), p.max()):
                    assert_equal(most, np.ones((), kind))
                for least_ in (q.amin((0, 1)), q.amin(), q.min()):
                    assert_equal(least_, np.zeros((), kind))
                assert_equal(p.sum((0, 1)), np.asarray(1).astype(numpy_dtype(total)))
                assert_equal(p.any((0, 1)), _bool(np.True_, dtype))
                assert_equal(q.all((0, 1)), _bool(np.False_, dtype))
                if dtype != "bool":
                    assert_equal(p.argmax(), np.int64(3 * length - 1))
                    assert_equal(q.argmin(), np.int64(3 * length - 1))


@clause("reduction.many-lines", covers=["mlnotes.dim-is-axis", "notes.layout-independence"])
def many_lines_are_reduced_to_their_last(torch: Any, device: str) -> None:
    """More lines than 2^16, and lines as long, are reduced, scanned and searched to their last
    element, along the rows and along the columns."""
    count = 2**16 + 1
    for dtype, (shape, dim) in product(
        supported(("float32", "int64")), (((count, 2), 1), ((count, 2), 0), ((2, count), 1),
                                          ((2, count), 0), ((count,), 0))
    ):  # fmt: skip
        array = (np.arange(count * len(shape)) % 9001 == 7).astype(dtype).reshape(shape)
        array[(-1,) * (len(shape) - 1) + (0,)] = 1  # a scan of the last line is not the line
        array[(-1,) * len(shape)] = 2
        x = tensor_of(torch, device, array)
        with case(dtype=dtype, shape=shape, dim=dim):
            assert_equal(x.sum(dim), array.sum(dim))
            assert_equal(x.sum(), np.asarray(array.sum()))
            assert_equal(x.amax(dim), array.max(dim))
            assert_equal((1 - x).amin(dim), (1 - array).min(dim))
            assert_equal(x.argmax(dim), np.asarray(array.argmax(dim)))
            assert_equal(x.any(dim), np.asarray(array.any(dim)))
            assert_equal((1 - x).prod(dim), (1 - array).prod(dim))
            assert_equal(x.cumsum(dim), array.cumsum(dim))
            if dtype == "float32":
                thrice = ulps(3, dtype, "an exact sum, a reciprocal and a product")
                assert_close(x.mean(dim), array.astype(np.float64).mean(dim), thrice)
                lost = (16 + shape[dim]) * FORMATS[dtype].eps
                bound = ulps(16 + shape[dim], dtype, "a sum of a line and a quotient")
                logarithm = ulps(16, dtype, "the logarithm of a sum of a line", lost)
                share = np.exp(array.astype(np.float64))
                share /= share.sum(dim, keepdims=True)
                assert_close(x.softmax(dim), share, bound)
                assert_close(x.log_softmax(dim), np.log(share), logarithm)


def _bool(result: Any, dtype: str) -> Array:
    """any and all of uint8 are uint8, of every other dtype bool."""
    return np.asarray(result).astype("uint8" if dtype == "uint8" else bool)
