"""Products of every length and of many blocks, in full precision."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import EVERY_LENGTH, place, tensor_of, values
from tenet.spec.language import (
    assert_equal,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, INTEGERS, numpy_dtype


@clause("matmul.every-length", covers=["notes.matmul-family", "notes.layout-independence"])
@for_all(
    piece=st.sampled_from([(n, turn) for n in EVERY_LENGTH if 0 < n < 300 for turn in range(2)])
)
def every_length_of_a_product_counts_to_its_end(
    torch: Any, device: str, piece: tuple[int, int]
) -> None:
    """Rows, columns and inner dimensions of every critical length are multiplied to their ends,
    in every dtype, packed, transposed, offset or stepped, alone and in a batch: products of zeros
    and ones are exact."""
    length, turn = piece
    for dtype in supported((FLOATS + INTEGERS)[turn::2]):
        for rows, inner, columns in ((length, 2, 3), (2, length, 3), (3, 2, length)):
            left = np.arange(rows * inner).reshape(rows, inner) % 3 == 0
            right = np.arange(inner * columns).reshape(inner, columns) % 4 == 0
            left[-1, -3:], right[-3:, -1] = True, True
            left, right = left.astype(numpy_dtype(dtype)), right.astype(numpy_dtype(dtype))
            whole = left.astype(np.int64) @ right.astype(np.int64)
            expected = whole.astype(numpy_dtype(dtype))
            a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
            over, across = (place(torch, device, x, "transposed").view for x in (left, right))
            later, gapped = (
                place(torch, device, left, lying).view for lying in ("offset", "stepped")
            )
            with case(dtype=dtype, shape=(rows, inner, columns)):
                for first, second in ((a, b), (over, b), (a, across), (over, across),
                                      (later, b), (gapped, across)):  # fmt: skip
                    assert_equal(torch.mm(first, second), expected)
                assert_equal(torch.mv(over, across[:, -1]), expected[:, -1])
                batch = torch.stack([a, a]) @ torch.stack([b, b])
                assert_equal(batch, np.stack([expected] * 2))
                assert_equal(torch.stack([over, a]) @ across, np.stack([expected] * 2))
                assert_equal(torch.addmm(torch.zeros_like(b[0]), a, b), expected)
                assert_equal(a[-1] @ b[:, -1], expected[-1, -1])
                assert_equal(torch.dot(a[-1], b[:, -1].contiguous()), expected[-1, -1])
                assert_equal(torch.outer(a[:, 0], b[0]), np.outer(left[:, 0], right[0]))
                assert_equal(torch.kron(a[:, 0].contiguous(), b[0]), np.kron(left[:, 0], right[0]))
                assert_equal(torch.nn.functional.linear(a, across.t()), expected)


_LARGE = ((65, 300, 33), (130, 257, 67), (5, 1030, 9), (65537, 2, 3), (2, 65537, 2), (3, 2, 65537))


@clause("matmul.many-blocks", covers=["notes.matmul-family", "notes.batched-slice"])
def products_of_many_blocks_are_whole(torch: Any, device: str) -> None:
    """Matrices of many tiles in every direction, and more rows, columns, terms or matrices of a
    batch than 2^16, are multiplied to their last element: products of few ones are exact."""
    for dtype, (rows, inner, columns) in product(supported(("float32", "float64")), _LARGE):
        random = np.random.Generator(np.random.PCG64(rows + inner))
        left, right = (
            random.integers(0, 9, shape) == 0 for shape in ((rows, inner), (inner, columns))
        )
        left[-1, -1], right[-1, -1] = True, True
        left, right = left.astype(dtype), right.astype(dtype)
        expected = left @ right  # whole numbers, which are exact
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        with case(dtype=dtype, shape=(rows, inner, columns)):
            assert_equal(a @ b, expected)
            assert_equal(torch.mm(a.t().contiguous().t(), b.t().contiguous().t()), expected)
            assert_equal(torch.bmm(a[None], b[None]), expected[None])
            assert_equal(torch.addmm(b[0] * 0 + 1, a, b), expected + 1)
            assert_equal(torch.mv(a, b[:, -1]), expected[:, -1])
            assert_equal(torch.nn.functional.linear(a, b.t()), expected)
    for dtype in supported(("float32", "float64", "int64")):
        count = 2**16 + 1
        left, right = (values((count, *shape), dtype, "signed", 3) for shape in ((1, 2), (2, 1)))
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        with case(dtype=dtype, matrices=count):
            for got in (torch.bmm(a, b), a @ b, torch.baddbmm(a[..., :1] * 0, a, b)):
                assert_equal(got, left @ right, signed_zero=False)


@clause("matmul.full-precision", covers=["notes.matmul-family", "notes.half-precision"])
def elements_keep_all_of_their_digits_in_a_product(torch: Any, device: str) -> None:
    """A row of which all elements but one are 0 picks an element: no digit of it is lost, however
    many there are to add up, as no operand is rounded to a narrower format on the way."""
    for dtype, (rows, inner, columns) in product(
        supported(FLOATS), ((3, 5, 4), (2, 65, 9), (17, 130, 17), (5, 600, 33), (33, 1025, 8),
                            (1, 4099, 2), (65, 256, 65))
    ):  # fmt: skip
        held = values((inner, columns), dtype, "normal", rows)
        at = np.arange(rows) * 7 % inner
        picks = (np.arange(inner) == at[:, None]).astype(held.dtype)
        p, x, zeros = (
            tensor_of(torch, device, each)
            for each in (picks, held, np.zeros((rows, columns), held.dtype))
        )
        for member, got in {
            "matmul": p @ x, "mm": torch.mm(p, x), "turned": torch.mm(x.t(), p.t()).t(),
            "bmm": torch.bmm(p[None], x[None])[0], "addmm": torch.addmm(zeros, p, x),
            "baddbmm": torch.baddbmm(zeros[None], p[None], x[None])[0],
            "linear": torch.nn.functional.linear(p, x.t()),
            "einsum": torch.einsum("ij,jk->ik", p, x), "inner": torch.inner(p, x.t()),
            "mv": torch.stack([torch.mv(p, column) for column in x.t()], 1),
        }.items():  # fmt: skip
            with case(dtype=dtype, shape=(rows, inner, columns), member=member):
                assert_equal(got, held[at], signed_zero=False)
        for row, chosen in zip(p[:3], at, strict=False):
            with case(dtype=dtype, inner=inner, member="dot"):
                assert_equal(torch.dot(row, x[:, -1].contiguous()), held[chosen, -1])
