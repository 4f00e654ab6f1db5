"""Which operands a product takes: ranks, lengths and dtypes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, place, seeds, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.matmul.common import (
    FACTOR_LENGTHS,
    SINGLE,
    in_double,
)
from tenet.spec.model.dtypes import FLOATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import Bound, half_product
from tenet.spec.operators.products import matmul_shapes, shape_pool

_PAIRS = shape_pool(matmul_shapes)


def _whole(dtype: str, reason: str = "sums of products of small integers are exact") -> Bound:
    """Sums of products of integers of at most 9, below 2^24: no rounding but the last."""
    return Bound(dtype, 0.5, reason)


@clause("matmul.is-not-elementwise", covers=["minicourse.elementwise-vs-matmul"], effort=0.5)
@for_all(length=st.sampled_from((*FACTOR_LENGTHS, 1025)), seed=seeds(),
         layout=layouts(writable=True))  # fmt: skip
def the_product_of_vectors_is_their_dot_product(
    torch: Any, device: str, length: int, seed: int, layout: str
) -> None:
    """a * b multiplies element by element; matmul(a, b) and a @ b of vectors are the sum of that,
    a 0-d tensor: of [1, 2, 3] with itself 14."""
    for dtype in supported(("float32", "float64", "float16", "bfloat16")):
        array, other = values((length,), dtype, "signed", seed), values((length,), dtype, "ties")
        a, b = place(torch, device, array, layout).view, tensor_of(torch, device, other)
        terms = in_double(array) * in_double(other)
        bound = half_product(terms, dtype) if dtype not in SINGLE else _whole(dtype)
        with case(dtype=dtype):
            assert_equal(a * b, terms.astype(array.dtype))
            for product in (torch.matmul(a, b), a @ b, a.matmul(b), torch.dot(a, b)):
                assert_close(product, terms.sum(), bound)
            known = torch.tensor([1, 2, 3], dtype=a.dtype, device=device)
            assert_equal(torch.matmul(known, known), np.array(14).astype(array.dtype))


@clause("matmul.mm-of-vectors", covers=["minicourse.mm-is-matmul"])
def mm_takes_matrices_only(torch: Any, device: str) -> None:
    """mm takes two 2-D matrices, for which it is matmul; a vector or a batch on either side
    raises, where matmul takes it."""
    for name in supported(FLOATS):
        matrix = tensor_of(torch, device, values((3, 3), name))
        vector, batch = matrix[0], matrix.expand(2, 3, 3)
        expected = (in_double(read(matrix)) @ in_double(read(matrix))).astype(numpy_dtype(name))
        for mm in (torch.mm, lambda a, b: a.mm(b)):
            with case(dtype=name):
                assert_equal(mm(matrix, matrix), expected)
                for other in (vector, batch, matrix[0, 0]):
                    assert_raises(mm, matrix, other)
                    assert_raises(mm, other, matrix)
                assert_raises(mm, vector, vector)
                assert_raises(mm, batch, batch)
        squares = np.asarray((in_double(read(vector)) ** 2).sum()).astype(numpy_dtype(name))
        assert_equal(torch.matmul(vector, vector), squares)


@clause("matmul.ranks-of-members", covers=["minicourse.matmul-batched", "notes.matmul-ranks"])
def each_member_takes_operands_of_its_ranks(torch: Any, device: str) -> None:
    """mv takes a matrix and a vector, dot two vectors, bmm two batches of the same size: no
    batch is broadcast there. matmul takes anything but 0-d tensors."""
    of = {rank: torch.ones((3,) * rank, device=device) for rank in range(5)}
    members: dict[str, tuple[tuple[int, int], ...]] = {
        "dot": ((1, 1),), "mv": ((2, 1),), "mm": ((2, 2),), "bmm": ((3, 3),),
        "matmul": tuple((a, b) for a in range(1, 5) for b in range(1, 5)),
    }  # fmt: skip
    for name, ranks in members.items():
        function = getattr(torch, name)
        for first in range(5):
            for second in range(5):
                with case(member=name, ranks=(first, second)):
                    if (first, second) not in ranks:
                        assert_raises(function, of[first], of[second])
                        continue
                    shape = (3,) * (max(first, second, 2) - (first == 1) - (second == 1))
                    assert_equal(function(of[first], of[second]), np.full(shape, 3, np.float32))
    assert_raises(torch.bmm, of[3][:1], of[3])
    assert_raises(torch.bmm, of[3], of[3][:2])
    assert_equal(torch.matmul(of[3][:1], of[3]), np.full((3, 3, 3), 3, np.float32))
    assert_raises(torch.matmul, of[3][:2], of[3])


_MISFITS = (
    ((3, 2), (3, 2)), ((2,), (3,)), ((2, 3), (2,)), ((2,), (3, 2)), ((1, 3), (2, 3)),
    ((2, 1), (3, 2)), ((2, 3, 4), (2, 3, 4)), ((5, 2, 3), (4, 2)), ((2, 3), (5, 2, 3)),
    ((0,), (1,)), ((1,), (3, 2)), ((3, 1), (2,)), ((2, 3, 1), (2, 2, 2)),
    ((2, 0), (1, 2)), ((1,), (2,)), ((17, 33), (32, 17)), ((4, 2, 3), (3, 3, 2)),
)  # fmt: skip


@clause("matmul.inner-dimensions", covers=["minicourse.inner-dimensions"])
def the_inner_dimensions_have_to_be_equal(torch: Any, device: str) -> None:
    """Inner dimensions that differ raise, 1 not being stretched; equal ones give the outer ones:
    3x2 @ 2x3 is 3x3, and 3x2 @ 3x2 fits once one of them is transposed."""
    for name in supported(FLOATS):
        for left, right in _MISFITS:
            a = tensor_of(torch, device, values(left, name, "signed", 3))
            b = tensor_of(torch, device, values(right, name, "signed", 9))
            functions: list[Callable[..., Any]] = [torch.matmul, operator.matmul,
                                                   lambda x, y: x.matmul(y)]  # fmt: skip
            ranks = (len(left), len(right))
            members = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}
            functions += [getattr(torch, members[ranks])] if ranks in members else []
            with case(dtype=name, shapes=(left, right)):
                for function in functions:
                    assert_raises(function, a, b)
        for rows, inner in ((3, 2), (2, 3), (1, 4), (4, 1), (17, 33)):
            array = values((rows, inner), name, "signed", 5)
            x, wide = tensor_of(torch, device, array), in_double(array)
            with case(dtype=name, shape=(rows, inner)):
                for result, expected in (
                    (x @ x.T, wide @ wide.T), (x.T @ x, wide.T @ wide),
                    (torch.mm(x, x.t()), wide @ wide.T), (x.matmul(x.mT), wide @ wide.T),
                ):  # fmt: skip
                    bound = half_product(np.full(inner + rows, 81.0), name)
                    assert_close(result, expected, bound if name not in SINGLE else _whole(name))


@clause("matmul.dtypes", covers=["minicourse.inner-dimensions", "notes.matmul-family"])
def operands_have_one_dtype(torch: Any, device: str) -> None:
    """Products do not promote: operands of two dtypes raise."""
    shapes = {"dot": ((3,), (3,)), "mv": ((3, 3), (3,)), "mm": ((3, 3), (3, 3)),
              "bmm": ((2, 3, 3), (2, 3, 3)), "matmul": ((3, 3), (3, 3))}  # fmt: skip
    names = [*supported(FLOATS)]
    for first in names:
        for second in names:
            for member, (left, right) in shapes.items():
                a = torch.ones(left, dtype=getattr(torch, first), device=device)
                b = torch.ones(right, dtype=getattr(torch, second), device=device)
                function = getattr(torch, member)
                with case(member=member, dtype=first, other=second):
                    if first != second:
                        assert_raises(function, a, b)
                    else:
                        full = np.full(np.matmul(read(a), read(b)).shape if first in SINGLE
                                       else tuple(function(a, b).shape), 3.0)  # fmt: skip
                        assert_equal(function(a, b), full.astype(numpy_dtype(first)))


@clause("matmul.integers", covers=["notes.matmul-family", "notes.matmul-ranks"],
        requires={"integer-matmul"}, effort=1.5)  # fmt: skip
@for_all(pair=st.sampled_from(_PAIRS), seed=seeds(), layout=layouts(writable=True),
         regime=st.sampled_from(("signed", "normal")))  # fmt: skip
def products_of_integers_are_exact(
    torch: Any, device: str, pair: Any, seed: int, layout: str, regime: str
) -> None:
    """Products of integers are integers of the same dtype, exact, or modulo 2 to the power of the
    width where they go beyond it, at every size and rank."""
    left, right = pair
    for dtype in supported(INTEGERS):
        a, b = values(left, dtype, regime, seed), values(right, dtype, regime, seed + 9)
        x, y = place(torch, device, a, layout).view, tensor_of(torch, device, b)
        expected = np.asarray(np.matmul(a, b), a.dtype)
        with case(dtype=dtype):
            assert_equal(torch.matmul(x, y), expected)
            assert_equal(x @ y, expected)


_EMPTY_ADDITIONS = (
    ("addmm", (2, 3), (2, 0), (0, 3)), ("addmm", (33, 65), (33, 0), (0, 65)),
    ("baddbmm", (2, 3, 4), (2, 3, 0), (2, 0, 4)), ("baddbmm", (1, 1, 1), (1, 1, 0), (1, 0, 1)),
    ("addbmm", (3, 4), (2, 3, 0), (2, 0, 4)), ("addbmm", (3, 4), (0, 3, 5), (0, 5, 4)),
)  # fmt: skip
"""What adds a product of nothing to a summand: the shapes of the three."""


@clause("matmul.empty", covers=["notes.matmul-empty"])
def nothing_sums_to_zero(torch: Any, device: str) -> None:
    """An inner dimension of 0 gives zeros, 0-d for vectors; an outer or a batch dimension of 0
    gives an empty result. To a summand that adds nothing: addmm, baddbmm and addbmm give beta times
    it, addbmm over no batch too."""
    shapes = (
        ((0,), (0,)), ((2, 0), (0, 3)), ((2, 0), (0,)), ((0,), (0, 3)), ((4, 2, 0), (4, 0, 3)),
        ((4, 2, 0), (0, 3)), ((17, 0), (0, 33)), ((0, 2), (2, 3)), ((2, 3), (3, 0)),
        ((0, 2, 3), (0, 3, 4)), ((0, 2, 3), (3, 4)), ((2, 3), (0, 3, 4)), ((0, 0), (0, 0)),
        ((1, 2, 3), (0, 3, 2)), ((0, 3), (3,)), ((2, 1, 2, 0), (3, 0, 2)),
    )  # fmt: skip
    members = {(1, 1): ("dot", "inner"), (2, 1): ("mv",), (2, 2): ("mm",), (3, 3): ("bmm",)}
    for name in supported(FLOATS):
        for left, right in shapes:
            a = torch.ones(left, dtype=getattr(torch, name), device=device)
            b = torch.ones(right, dtype=getattr(torch, name), device=device)
            expected = np.asarray(np.matmul(np.ones(left), np.ones(right)))
            same_batch = len(left) != 3 or left[0] == right[0]
            with case(dtype=name, shapes=(left, right)):
                full = expected.astype(numpy_dtype(name))
                assert_equal(torch.matmul(a, b), full)
                assert_equal(a @ b, full)
                for member in members.get((len(left), len(right)), ()) if same_batch else ():
                    assert_equal(getattr(torch, member)(a, b), full)
    for name in supported(FLOATS):
        dtype = getattr(torch, name)
        for member, summand, left, right in _EMPTY_ADDITIONS:
            m, a, b = (torch.ones(s, dtype=dtype, device=device) for s in (summand, left, right))
            for beta in (1, 5, 0, -2):
                times = np.full(summand, beta, numpy_dtype(name))
                with case(dtype=name, member=member, shapes=(left, right), beta=beta):
                    assert_equal(getattr(torch, member)(m, a, b, beta=beta), times)
                    out = torch.full_like(m, 7)
                    assert_equal(getattr(torch, member)(m, a, b, beta=beta, out=out), times)


@clause("matmul.addmv-of-an-empty-product", covers=["notes.matmul-family", "notes.matmul-empty"])
def addmv_of_an_empty_product_has_the_result_s_shape(torch: Any, device: str) -> None:
    """addmv(input, mat, vec) has as many elements as mat has rows, also where mat has no column
    and the product is 0, or input is broadcast."""
    for name in supported(SINGLE):
        for summand, rows, columns in product(((), (1,), None), (3, 1, 0, 9), (2, 0, 1)):
            shape = (rows,) if summand is None else summand
            short = "broadcast" if shape != (rows,) else "whole"
            filled = "empty" if 0 in (rows, columns) else "filled"
            x, mat, vec = (torch.ones(s, dtype=getattr(torch, name), device=device)
                           for s in (shape, (rows, columns), (columns,)))  # fmt: skip
            expected = np.full((rows,), 1 + columns, name)
            for spelling, call in (("function", torch.addmv), ("method", type(x).addmv)):
                with case(summand=short, product=filled, rows=rows, columns=columns,
                          spelling=spelling, dtype=name):  # fmt: skip
                    assert_equal(call(x, mat, vec), expected)


@clause("matmul.vecdot-dim-range", covers=["notes.dim-range", "notes.matmul-family"])
def vecdot_refuses_a_dimension_out_of_range(torch: Any, device: str) -> None:
    """linalg.vecdot(x, y, dim=d) takes a dimension that its operands have, and raises for another,
    whatever their length."""
    for shape in ((2,), (3, 2), (1, 1), (1,), (17,), (1, 3)):
        rank = len(shape)
        x = torch.ones(shape, device=device)
        for dim in (-rank, rank - 1, rank, -rank - 1, rank + 7):
            with case(shape=shape, dim=dim, operands="vectors" if rank == 1 else "more"):
                if -rank <= dim < rank:
                    expected = np.ones(shape, "float32").sum(dim)
                    assert_equal(torch.linalg.vecdot(x, x, dim=dim), np.asarray(expected))
                else:
                    assert_raises(torch.linalg.vecdot, x, x, dim=dim)
