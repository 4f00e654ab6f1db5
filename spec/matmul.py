"""Products of vectors and matrices: the laws over the table, and what is said beyond them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise, product
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import EVERY_LENGTH, layouts, place, seeds, tensor_of, values
from tenet.spec.cases.contractions import EINSUMS, PAIRINGS, Equation, Pairs, numbered, terms_of
from tenet.spec.cases.operands import laid
from tenet.spec.cases.written import MULTIPLIED, gives_what_is_written
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, FORMATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import Bound, half_product
from tenet.spec.operators.laws import hold
from tenet.spec.operators.products import PRODUCTS, matmul_shapes, shape_pool
from tenet.spec.operators.solving import SOLVING

hold(PRODUCTS, covers=("notes.matmul-family",))
hold(SOLVING, covers=("notes.matmul-family",), effort=0.1)

Array = np.ndarray
SINGLE = ("float32", "float64")

_PAIRS = shape_pool(matmul_shapes)
_LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)


def _wide(array: Array) -> Array:
    return array.astype(np.float64)


def _whole(dtype: str, reason: str = "sums of products of small integers are exact") -> Bound:
    """Sums of products of integers of at most 9, below 2^24: no rounding but the last."""
    return Bound(dtype, 0.5, reason)


@clause("matmul.is-not-elementwise", covers=["minicourse.elementwise-vs-matmul"], effort=0.5)
@for_all(length=st.sampled_from((*_LENGTHS, 1025)), seed=seeds(),
         layout=layouts(writable=True))  # fmt: skip
def the_product_of_vectors_is_their_dot_product(
    torch: Any, device: str, length: int, seed: int, layout: str
) -> None:
    """a * b multiplies element by element; matmul(a, b) and a @ b of vectors are the sum of that,
    a 0-d tensor: of [1, 2, 3] with itself 14."""
    for dtype in supported(("float32", "float64", "float16", "bfloat16")):
        array, other = values((length,), dtype, "signed", seed), values((length,), dtype, "ties")
        a, b = place(torch, device, array, layout).view, tensor_of(torch, device, other)
        terms = _wide(array) * _wide(other)
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
        expected = (_wide(read(matrix)) @ _wide(read(matrix))).astype(numpy_dtype(name))
        for mm in (torch.mm, lambda a, b: a.mm(b)):
            with case(dtype=name):
                assert_equal(mm(matrix, matrix), expected)
                for other in (vector, batch, matrix[0, 0]):
                    assert_raises(mm, matrix, other)
                    assert_raises(mm, other, matrix)
                assert_raises(mm, vector, vector)
                assert_raises(mm, batch, batch)
        squares = np.asarray((_wide(read(vector)) ** 2).sum()).astype(numpy_dtype(name))
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
            x, wide = tensor_of(torch, device, array), _wide(array)
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


def _agreeing(torch: Any, a: Any, b: Any, dot: bool) -> dict[str, Any]:
    """Every member that takes the operands: two matrices, or two vectors."""
    if dot:
        return {
            "dot": torch.dot(a, b), "inner": torch.inner(a, b), "vdot": torch.vdot(a, b),
            "einsum": torch.einsum("i,i->", a, b), "einsum implicit": torch.einsum("i,i", a, b),
            "tensordot": torch.tensordot(a, b, dims=1), "vecdot": torch.linalg.vecdot(a, b),
            "mv": torch.mv(a[None], b)[0], "mm": torch.mm(a[None], b[:, None])[0, 0],
            "sum": (a * b).sum(), "x.dot": a.dot(b),
        }  # fmt: skip
    zero = torch.zeros((a.shape[0], b.shape[1]), dtype=a.dtype, device=a.device)
    stacked = a[None].expand(2, *a.shape), b[None].expand(2, *b.shape)
    return {
        "mm": torch.mm(a, b), "x.mm": a.mm(b), "bmm": torch.bmm(a[None], b[None])[0],
        "bmm of two": torch.bmm(*stacked)[1], "addmm": torch.addmm(zero, a, b),
        "x.addmm": zero.addmm(a, b), "baddbmm": torch.baddbmm(zero[None], a[None], b[None])[0],
        "addbmm": torch.addbmm(zero, a[None], b[None]),
        "einsum": torch.einsum("ij,jk->ik", a, b), "einsum of a list":
        torch.einsum("ij,jk", [a, b]), "einsum turned": torch.einsum("ij,jk->ki", a, b).T,
        "tensordot": torch.tensordot(a, b, dims=1), "tensordot of lists":
        torch.tensordot(a, b, dims=([1], [0])), "inner": torch.inner(a, b.T),
        "mv": torch.stack([torch.mv(a, column) for column in b.T[:2]], 1)
        if b.shape[1] == 2 else torch.mm(a, b),
        "linear": torch.nn.functional.linear(a, b.T), "multi_dot": torch.linalg.multi_dot([a, b]),
        "chain_matmul": torch.linalg.multi_dot([a, b.T.contiguous().T]),
    }  # fmt: skip


@clause("matmul.family", covers=["notes.matmul-family", "minicourse.at-operator"])
@for_all(rows=st.sampled_from((2, 1, 3, 7, 8, 17, 33)), inner=st.sampled_from(_LENGTHS),
         columns=st.sampled_from((2, 1, 3, 8, 9, 33)), seed=seeds(),
         layout=layouts(writable=True), dot=st.booleans())  # fmt: skip
def the_members_of_the_family_agree(
    torch: Any, device: str, rows: int, inner: int, columns: int, seed: int, layout: str, dot: bool
) -> None:
    """a @ b, matmul, dot, mv, mm, bmm, addmm, baddbmm, addbmm, einsum, tensordot, inner and linear
    give the same product where they take the same operands: small integers multiply exactly."""
    for dtype in supported(SINGLE):
        left = values((inner,) if dot else (rows, inner), dtype, "signed", seed)
        right = values((inner,) if dot else (inner, columns), dtype, "signed", seed + 99)
        a = place(torch, device, left, layout).view
        b = place(torch, device, right, layout).view
        expected = np.asarray(left @ right)
        with case(dtype=dtype):
            assert_equal(a @ b, expected, signed_zero=False)
            assert_equal(torch.matmul(a, b), expected, signed_zero=False)
            for member, result in _agreeing(torch, a, b, dot).items():
                with case(member=member):
                    assert_equal(result, expected, signed_zero=False)


@clause("matmul.squares", covers=["notes.matmul-family", "notes.layout-independence"],
        requires={"in-place", "out"})  # fmt: skip
def square_matrices_are_not_taken_turned(torch: Any, device: str) -> None:
    """Square matrices would fit if they were taken turned, and are not: however the factors and
    the target of a product lie in memory, of one pair and of a batch, as a function, in place and
    into a tensor that is given."""
    lie = ("contiguous", "transposed", "permuted", "stepped")
    sizes = [(dtype, 3) for dtype in supported(FLOATS)]  # whose sums are numbers of half precision
    for dtype, n in (*sizes, *product(supported(SINGLE[:1]), (2, 17))):
        left, right = (values((n, n), dtype, "signed", seed) for seed in (3, 4))
        expected = (_wide(left) @ _wide(right)).astype(left.dtype)
        vector = right[0].copy()
        turned = (_wide(left) @ _wide(vector)).astype(left.dtype)
        for at, beside, into in product(lie, lie, lie[:2]):
            a, b = (place(torch, device, m, x).view for m, x in ((left, at), (right, beside)))
            c = place(torch, device, np.zeros_like(left), into).view
            zeros = torch.zeros_like(c)
            v = tensor_of(torch, device, vector)
            with case(dtype=dtype, n=n, left=at, right=beside, into=into):
                for member, got in {
                    "matmul": a @ b, "mm": torch.mm(a, b, out=c), "addmm": torch.addmm(c * 0, a, b),
                    "addmm, out=": torch.addmm(zeros, a, b, out=torch.empty_like(c)),
                    "addmm_": (c * 0).addmm_(a, b), "matmul, out=": torch.matmul(a, b, out=c),
                    "bmm": torch.bmm(a[None], b[None], out=c[None])[0],
                    "baddbmm": torch.baddbmm(zeros[None], a[None], b[None])[0],
                    "baddbmm_": zeros.clone()[None].baddbmm_(a[None], b[None])[0],
                    "addbmm": torch.addbmm(zeros, a[None], b[None]),
                    "linear": torch.nn.functional.linear(a, b.t()),
                    "einsum": torch.einsum("ij,jk", a, b),
                }.items():  # fmt: skip
                    with case(member=member):
                        assert_equal(got, expected, signed_zero=False)
                for member, got in {
                    "mv": torch.mv(a, v), "addmv": torch.addmv(v * 0, a, v), "matmul": a @ v,
                    "of the transpose": v @ a.t(),
                }.items():  # fmt: skip
                    with case(member=member, of="a vector"):
                        assert_equal(got, turned, signed_zero=False)


EQUATIONS = {
    "ij->ji": ((3, 4),), "ii->i": ((3, 3),), "ii": ((4, 4),), "ij->": ((3, 5),),
    "ij->i": ((7, 9),), "ij->j": ((7, 9),), "i,j->ij": ((3,), (8,)), "i,i->i": ((9,), (9,)),
    "ij,j->i": ((3, 17), (17,)), "ij,ij->": ((3, 9), (3, 9)), "ij,kj->ik": ((3, 8), (5, 8)),
    "ij,jk": ((3, 4), (4, 2)), "cb,ba": ((3, 4), (4, 2)), "bij,bjk->bik": ((2, 3, 4), (2, 4, 5)),
    "bij,bkj->bik": ((2, 3, 4), (2, 5, 4)), "...ij,...jk->...ik": ((2, 3, 4), (4, 5)),
    "b...i,b...i->b...": ((2, 3, 4), (2, 3, 4)), "bhqd,bhkd->bhqk": ((2, 2, 3, 4), (2, 2, 5, 4)),
    "ij,jk,kl->il": ((2, 3), (3, 4), (4, 5)), "bn,anm,bm->ba": ((2, 3), (5, 3, 4), (2, 4)),
    "ijk,k->ji": ((2, 3, 4), (4,)), "...->...": ((2, 3),), "ijkl->lkij": ((2, 3, 4, 5),),
    "i,i": ((1,), (1,)), "ij,jk->ik": ((0, 3), (3, 2)), "aij,jk->ik": ((2, 3, 4), (4, 5)),
    "i j, j k -> i k": ((3, 4), (4, 2)), "ba": ((2, 3),), "cab": ((2, 3, 4),),
    "iij->ij": ((3, 3, 4),),
    "ij,ij->ij": ((3, 9), (3, 9)), "ii,i": ((4, 4), (4,)), "...i->i...": ((2, 3, 4),),
    "ab,cd->acbd": ((3, 3), (2, 4)), "ab,cd->abcd": ((2, 3), (3, 3)),
}  # fmt: skip
"""Equation: shapes of its operands."""


def _sums_alone(equation: str) -> bool:
    """Whether a label of one operand alone is summed over: all sums of integers are of int64."""
    operands, arrow, result = equation.partition("->")
    terms = operands.split(",")
    once = [label for label in operands if sum(label in term for term in terms) == 1]
    kept = result if arrow else [label for label in once if operands.count(label) == 1]
    return any(label.isalpha() and label not in kept for label in once)


@clause("matmul.einsum", covers=["notes.matmul-family"], effort=3)
@for_all(equation=st.sampled_from(list(EQUATIONS)), seed=seeds(), layout=layouts(writable=True))
def einsum_sums_over_the_labels_that_are_not_in_the_result(
    torch: Any, device: str, equation: str, seed: int, layout: str
) -> None:
    """einsum multiplies the operands along equal labels and sums over those that the result does
    not name; without an arrow the result has the labels that stand once, in the order of the
    alphabet; ... stands for further dimensions, which broadcast."""
    integers = ("int64",) if _sums_alone(equation) else INTEGERS
    for dtype in supported((*SINGLE, integers[seed % len(integers)])):
        arrays = [values(shape, dtype, "signed", seed + 9 * n)
                  for n, shape in enumerate(EQUATIONS[equation])]  # fmt: skip
        tensors = [place(torch, device, array, layout).view for array in arrays]
        # Integers wrap: what is exact in 64 bits is cut to as many as there are.
        wide = np.float64 if dtype in SINGLE else np.int64
        expected = np.asarray(np.einsum(equation, *(array.astype(wide) for array in arrays)))
        with case(dtype=dtype):
            for got in (torch.einsum(equation, *tensors), torch.einsum(equation, tensors)):
                assert_equal(got, expected.astype(numpy_dtype(dtype)), signed_zero=False)


def _members(torch: Any, a: Any, b: Any, x: Any, y: Any) -> dict[str, Any]:
    """Products of two matrices of 3x4 and 4x5, and of two vectors of 4 elements."""
    zero = torch.zeros(3, 5, dtype=a.dtype, device=a.device)
    return {
        "matmul": a @ b, "mm": torch.mm(a, b), "addmm": torch.addmm(zero, a, b),
        "einsum": torch.einsum("ij,jk->ik", a, b), "tensordot": torch.tensordot(a, b, dims=1),
        "bmm": torch.bmm(a[None], b[None])[0], "matmul of a batch": torch.matmul(a[None], b)[0],
        "out=": torch.mm(a, b, out=torch.empty_like(zero)),
        "baddbmm": torch.baddbmm(zero[None], a[None], b[None])[0],
        "addbmm": torch.addbmm(zero, a[None], b[None]),
        "addmv": torch.addmv(zero[:, 0], a, y), "addr": torch.addr(zero[:, :4], a[:, 0], y),
        "dot": torch.dot(x, y), "vdot": torch.vdot(x, y), "mv": torch.mv(a, y),
        "vm": x @ b, "inner": torch.inner(x, y), "outer": torch.outer(x, y), "vecdot":
        torch.linalg.vecdot(x, y), "sum": (x * y).sum(),
    }  # fmt: skip


@clause("matmul.conjugates", covers=["notes.matmul-family", "notes.view-operations"])
def a_conjugated_view_is_multiplied_as_what_it_shows(torch: Any, device: str) -> None:
    """conj() and H are views that conjugate what is read through them, as imag of them is one
    that negates, and products take their elements as they read, on the left, on the right and
    on both sides."""
    for dtype in supported(("complex64", "complex128")):
        arrays = [values(shape, dtype, "signed", n) for n, shape in
                  enumerate(((3, 4), (4, 5), (4,), (4,)))]  # fmt: skip
        plain = [tensor_of(torch, device, array) for array in arrays]
        lazy = [tensor_of(torch, device, array.conj()).conj() for array in arrays]
        turned = [
            tensor_of(torch, device, np.ascontiguousarray(array.conj().T)).H
            if array.ndim > 1
            else tensor_of(torch, device, array)
            for array in arrays
        ]
        a, b, x, y = arrays
        product_ = a @ b
        expected = dict.fromkeys(("matmul", "mm", "addmm", "einsum", "tensordot", "bmm", "out=",
                                  "matmul of a batch", "baddbmm", "addbmm"), product_)  # fmt: skip
        expected |= {
            "dot": x @ y, "vdot": x.conj() @ y, "mv": a @ y, "vm": x @ b, "inner": x @ y,
            "outer": np.outer(x, y), "vecdot": x.conj() @ y, "sum": x @ y, "addmv": a @ y,
            "addr": np.outer(a[:, 0], y),
        }  # fmt: skip
        kinds = {"plain": plain, "conj": lazy, "H": turned}
        for (left, first), (right, second) in product(kinds.items(), repeat=2):
            operands = first[0], second[1], first[2], second[3]
            for member, got in _members(torch, *operands).items():
                with case(dtype=dtype, left=left, right=right, member=member):
                    assert_equal(got, np.asarray(expected[member]), signed_zero=False)
        for kind, held in kinds.items():
            with case(dtype=dtype, left=kind, member="imag"):
                turning, others = held[0].imag, held[1].imag
                assert_equal(turning @ others, a.imag @ b.imag, signed_zero=False)
                assert_equal(turning * turning, a.imag * a.imag, signed_zero=False)
                assert_equal(turning * 2, a.imag * 2, signed_zero=False)
                assert_equal(1 - turning, 1 - a.imag, signed_zero=False)
        summand = values((3, 5), dtype, "signed", 8)
        lazily = tensor_of(torch, device, summand.conj()).conj()
        with case(dtype=dtype, member="summand"):
            p, q = plain[:2]
            batch = torch.baddbmm(lazily[None], p[None], q[None])[0]
            for got in (torch.addmm(lazily, p, q), lazily + p @ q, batch):
                assert_equal(got, summand + product_, signed_zero=False)
        beside = values((3, 4), dtype, "signed", 9)
        for (kind, held), dim in product(kinds.items(), range(-2, 2)):
            with case(dtype=dtype, left=kind, member="vecdot", dim=dim):
                got = torch.linalg.vecdot(held[0], tensor_of(torch, device, beside), dim=dim)
                assert_equal(got, (a.conj() * beside).sum(dim), signed_zero=False)


@clause("matmul.einsum-of-any-letters", covers=["notes.matmul-family"], effort=2)
@for_all(equation=EINSUMS, spelling=st.sampled_from(("equation", "lists")),
         layout=layouts(writable=True), seed=seeds())  # fmt: skip
def einsum_takes_labels_in_any_order_and_several_times(
    torch: Any, device: str, equation: Equation, spelling: str, layout: str, seed: int
) -> None:
    """Operands of einsum may have a label twice, which takes their diagonal, name no label at all,
    and have lengths of 1, which are stretched; capital labels come before small ones where no
    result is named. Labels may be told in lists of numbers, too."""
    text, shapes = equation
    terms, named = terms_of(text)
    for dtype in supported(("float32", "float64", "int64", "complex64", "complex128")):
        arrays = [values(shape, dtype, "signed", seed + n) for n, shape in enumerate(shapes)]
        tensors = [laid(torch, device, array, layout) for array in arrays]
        arguments: list[Any] = [text, *tensors]
        if spelling == "lists":
            arguments = [part for pair in zip(tensors, map(numbered, terms), strict=True)
                         for part in pair]  # fmt: skip
            arguments += [] if named is None else [numbered(named)]
        expected = np.asarray(np.einsum(text, *arrays))
        with case(dtype=dtype):
            got = torch.einsum(*arguments)
            assert_metadata(got, dtype=dtype, shape=expected.shape)
            assert_equal(got, expected, signed_zero=False)


@clause("matmul.contracted-pairs", covers=["notes.matmul-family"])
@for_all(pairs=PAIRINGS, layout=layouts(writable=True), seed=seeds())
def tensordot_contracts_pairs_of_dimensions(
    torch: Any, device: str, pairs: Pairs, layout: str, seed: int
) -> None:
    """tensordot sums over pairs of dimensions, the nth that is named of the one operand with the
    nth of the other, in any order and counted from either end; the others follow in their order,
    those of the first operand before those of the second."""
    first, second, of_first, of_second = pairs
    dims = of_first, of_second
    for dtype in supported(("float32", "float64", "int64", "complex64")):
        a, b = values(first, dtype, "signed", seed), values(second, dtype, "signed", seed + 1)
        x, y = laid(torch, device, a, layout), laid(torch, device, b, layout)
        expected = np.asarray(np.tensordot(a, b, axes=dims))
        with case(dtype=dtype):
            assert_equal(torch.tensordot(x, y, dims=dims), expected, signed_zero=False)


@clause("matmul.contracted", covers=["notes.matmul-family"])
def tensordot_contracts_the_dimensions_that_are_named(torch: Any, device: str) -> None:
    """tensordot sums over the last dims dimensions of the first operand and the first of the
    second: over none for 0, an outer product; or over pairs of dimensions, in any order. kron
    has the first's elements times all of the second, of the same rank or not. The cross product
    is taken along the dimension that is named, counted from either end."""
    for dtype in supported(SINGLE):
        a, b = values((2, 3, 4), dtype, "signed", 1), values((3, 4, 2), dtype, "signed", 2)
        x, y = tensor_of(torch, device, a), tensor_of(torch, device, b)
        for dims in (0, 2, ([1], [0]), ([2, 1], [1, 0]), ([0, 1, 2], [2, 0, 1]), ([-1], [-2])):
            with case(dtype=dtype, dims=dims):
                expected = np.tensordot(a, b, axes=dims)
                assert_equal(torch.tensordot(x, y, dims=dims), np.asarray(expected),
                             signed_zero=False)  # fmt: skip
        vector, matrix = values((3,), dtype, "signed", 6), values((2, 2), dtype, "signed", 7)
        few = [(each, tensor_of(torch, device, each)) for each in (vector, matrix, a)]
        for (one, p), (other, q) in product(few, repeat=2):
            with case(dtype=dtype, kron=(one.ndim, other.ndim)):
                assert_equal(torch.kron(p, q), np.kron(one, other), signed_zero=False)
        same = values((2, 3, 4), dtype, "signed", 3)
        with case(dtype=dtype, dims="none of equal shapes"):
            assert_equal(torch.tensordot(x, tensor_of(torch, device, same), dims=0),
                         np.asarray(np.tensordot(a, same, axes=0)), signed_zero=False)  # fmt: skip
        for dim in range(-3, 3):
            shape = [2, 2, 2]
            shape[dim] = 3
            left, right = (values(tuple(shape), dtype, "signed", n) for n in (4, 5))
            expected = np.cross(left, right, axis=dim)
            p, q = tensor_of(torch, device, left), tensor_of(torch, device, right)
            with case(dtype=dtype, cross=dim):
                for got in (torch.linalg.cross(p, q, dim=dim), torch.cross(p, q, dim=dim),
                            p.cross(q, dim)):  # fmt: skip
                    assert_equal(got, expected, signed_zero=False)


@clause("matmul.solved-from-the-right", covers=["notes.matmul-family"])
def solving_from_the_right_and_upper_factors(torch: Any, device: str) -> None:
    """linalg.solve with left=False gives the x of x @ a = b, and linalg.cholesky with upper=True
    the upper factor, the conjugate transpose of the lower; of one matrix and of a batch."""
    for dtype in supported(SINGLE):
        # Unit triangles of small whole numbers, and an exact product of them.
        lower = np.tril(values((2, 4, 4), dtype, "signed", 3) % 3, -1) + np.eye(4)
        x = values((2, 3, 4), dtype, "signed", 4).astype(np.float64)
        scale = np.array([2.0, 4.0, 1.0, 2.0])
        definite = (lower * scale) @ np.swapaxes(lower * scale, -1, -2)
        # Substitution with such triangles errs by n u |L^-1| |L| |x|, below 8 n u 50.
        bound = Bound(dtype, 0.5, "n u kappa |x|", absolute=32 * 50 * FORMATS[dtype].eps)
        for batch in (slice(None), 0):
            a, b = lower[batch].astype(dtype), (x @ lower)[batch].astype(dtype)
            with case(dtype=dtype, batch=batch == slice(None)):
                solved = torch.linalg.solve(
                    tensor_of(torch, device, a), tensor_of(torch, device, b), left=False
                )
                assert_close(solved, x[batch], bound)
                m = tensor_of(torch, device, definite[batch].astype(dtype))
                factor = (lower * scale)[batch]
                assert_close(torch.linalg.cholesky(m, upper=True),
                             np.swapaxes(factor, -1, -2), bound)  # fmt: skip
                assert_close(torch.linalg.cholesky(m), factor, bound)


@clause("matmul.multi-dot", covers=["notes.matmul-family"], effort=8)
@for_all(sizes=st.sampled_from([tuple(Random(n).choices((2, 3, 1, 5, 8, 17), k=3 + n % 4))
                                for n in range(60)]),
         seed=seeds(), ends=st.sampled_from(("matrices", "first", "last", "both")))  # fmt: skip
def a_chain_is_multiplied_in_any_order(
    torch: Any, device: str, sizes: Any, seed: int, ends: str
) -> None:
    """linalg.multi_dot is the product of all matrices; the first and the last may be vectors."""
    for dtype in supported(("float64",)):
        shapes = list(pairwise(sizes))
        arrays = [values(s, dtype, "signed", seed + 9 * n) for n, s in enumerate(shapes)]
        arrays[0] = arrays[0][0] if ends in ("first", "both") else arrays[0]
        arrays[-1] = arrays[-1][..., 0] if ends in ("last", "both") else arrays[-1]
        tensors = [tensor_of(torch, device, np.ascontiguousarray(array)) for array in arrays]
        expected = arrays[0]
        for array in arrays[1:]:
            expected = np.matmul(expected, array)
        with case(dtype=dtype):
            assert_equal(torch.linalg.multi_dot(tensors), np.asarray(expected), signed_zero=False)


ADDITIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "addmm": ((3, 5), (3, 4), (4, 5)), "addmv": ((3,), (3, 4), (4,)), "addr": ((3, 5), (3,), (5,)),
    "baddbmm": ((2, 3, 5), (2, 3, 4), (2, 4, 5)), "addbmm": ((3, 5), (2, 3, 4), (2, 4, 5)),
}  # fmt: skip


@clause("matmul.beta-zero", covers=["notes.matmul-family"])
def a_beta_of_zero_ignores_the_summand(torch: Any, device: str) -> None:
    """With beta=0 nan and inf in the summand do not reach the result of addmm, addmv, addr,
    baddbmm and addbmm; with any other beta they do; in place as well."""
    for name in supported(FLOATS):
        for member, (summand, *shapes) in ADDITIONS.items():
            a, b = (values(shape, name, "signed", 4 + n) for n, shape in enumerate(shapes))
            x, y = tensor_of(torch, device, a), tensor_of(torch, device, b)
            whole = np.outer if member == "addr" else np.matmul
            expected = whole(_wide(a), _wide(b))
            expected = expected.sum(0) if member == "addbmm" else expected
            exact = (expected * 2).astype(numpy_dtype(name))
            for wild in (np.nan, np.inf):
                full = np.full(summand, wild).astype(numpy_dtype(name))
                with case(dtype=name, member=member, summand=wild):
                    m = tensor_of(torch, device, full)
                    function = getattr(torch, member)
                    result = function(m, x, y, beta=0, alpha=2)
                    assert_equal(result, exact, signed_zero=False)
                    assert_equal(function(m, x, y), full)
                    getattr(m, f"{member}_")(x, y, beta=0, alpha=2)
                    assert_equal(m, exact, signed_zero=False)


@clause("matmul.weighted-integers", covers=["notes.matmul-family"], requires={"integer-matmul"})
def weighted_sums_of_integers_are_exact(torch: Any, device: str) -> None:
    """addmm, addmv, addr, baddbmm and addbmm of integers are beta * summand + alpha * product,
    exact, as functions and in place."""
    for name in supported(INTEGERS):
        for member, (summand, *shapes) in ADDITIONS.items():
            m, a, b = (values(s, name, "small", 2 + n) for n, s in enumerate((summand, *shapes)))
            # Small enough for 8 bits: 3 * 11 and 2 * 2 * 4 * 4 at most, and -4 * 4 at least.
            m, a, b = m % 12, a % 3, b % 3
            whole = np.outer if member == "addr" else np.matmul
            made = whole(a.astype(np.int64), b.astype(np.int64))
            made = made.sum(0) if member == "addbmm" else made
            x, y = tensor_of(torch, device, a), tensor_of(torch, device, b)
            for beta, alpha in ((1, 1), (2, 1), (1, 2), (3, 2), (0, 2), (2, 0)):
                expected = (beta * m.astype(np.int64) + alpha * made).astype(m.dtype)
                with case(dtype=name, member=member, beta=beta, alpha=alpha):
                    target = tensor_of(torch, device, m)
                    given = {"beta": beta, "alpha": alpha}
                    assert_equal(getattr(torch, member)(target, x, y, **given), expected)
                    assert_equal(getattr(target, f"{member}_")(x, y, **given), expected)


@clause("matmul.not-finite", covers=["notes.matmul-family", "notes.extremal-values",
                                     "notes.nan-propagation"], thorough=True)  # fmt: skip
def an_infinity_and_a_nan_reach_what_they_are_multiplied_into(torch: Any, device: str) -> None:
    """An infinite element makes each sum that it is a term of infinite, or NaN where its factor is
    0: no product with a zero is left out. A NaN makes it NaN; other sums do not notice."""
    for name, (rows, inner, columns) in product(
        supported(FLOATS), ((1, 1, 1), (3, 2, 2), (2, 5, 3), (4, 9, 8), (17, 33, 5), (3, 65, 9))
    ):
        kind = numpy_dtype(name)
        zeros, right = np.zeros((rows, inner), kind), np.ones((inner, columns), kind)
        some = zeros.copy()
        some[::2, inner // 2], some[1::2, 0] = 1, -1
        for special, left in product((np.inf, -np.inf, np.nan), (some, zeros)):
            at = inner // 2, columns - 1
            right[at] = special
            with np.errstate(invalid="ignore"):
                # NumPy's own product may leave zeros out too: term by term it is not one.
                terms = _wide(left)[:, :, None] * _wide(right)
                expected = terms.sum(1).astype(kind)
            for lying in ("contiguous", "transposed"):
                a = place(torch, device, left, lying).view
                b = place(torch, device, right, lying).view
                zero = torch.zeros((rows, columns), dtype=a.dtype, device=device)
                with case(dtype=name, shape=(rows, inner, columns), special=special, lying=lying):
                    for member, got in (
                        ("matmul", a @ b), ("mm", torch.mm(a, b)),
                        ("turned", torch.mm(b.t(), a.t()).t()),
                        ("addmm", torch.addmm(zero, a, b)),
                        ("bmm", torch.bmm(a[None], b[None])[0]),
                        ("linear", torch.nn.functional.linear(a, b.t())),
                        ("einsum", torch.einsum("ij,jk->ik", a, b)),
                    ):  # fmt: skip
                        with case(member=member):
                            assert_equal(got, expected, signed_zero=False)
                    column = b[:, -1]
                    assert_equal(torch.mv(a, column), expected[:, -1], signed_zero=False)
                    assert_equal(torch.mv(b.t(), a[-1]), expected[-1], signed_zero=False)
                    assert_equal(torch.dot(a[-1], column), expected[-1, -1], signed_zero=False)


@clause("matmul.slices", covers=["notes.batched-slice", "minicourse.matmul-batched"], effort=0.5)
@for_all(batch=st.sampled_from((2, 3, 1, 8, 17)), rows=st.sampled_from((3, 1, 2, 8, 17)),
         inner=st.sampled_from(_LENGTHS), seed=seeds(),
         layout=layouts(writable=True))  # fmt: skip
def a_batch_is_computed_slice_by_slice(
    torch: Any, device: str, batch: int, rows: int, inner: int, seed: int, layout: str
) -> None:
    """A batched product and the products of its slices are both within the error bound of the
    true ones, and so within twice that of each other, but not necessarily bit by bit."""
    for dtype in supported(("float32", "float64", "bfloat16", "float16")):
        left = values((batch, rows, inner), dtype, "normal", seed)
        right = values((batch, inner, 3), dtype, "normal", seed + 99)
        a, b = place(torch, device, left, layout).view, tensor_of(torch, device, right)
        wide = np.float64 if dtype != "float64" else np.longdouble
        expected = np.matmul(left.astype(wide), right.astype(wide))
        size = np.matmul(np.abs(_wide(left)), np.abs(_wide(right)))
        eps = float(np.finfo(np.float64 if dtype == "float64" else np.float32).eps)
        units = (inner + 1) * eps / 2
        if dtype not in SINGLE:
            units += 2 * (2.0**-7 if dtype == "bfloat16" else 2.0**-10)
        last = batch - 1
        with case(dtype=dtype):
            for result in (torch.matmul(a, b), torch.bmm(a, b)):
                assert_close(result, expected, Bound(dtype, 0.5, "n*u*sum|a||b|", size * units))
            one = Bound(dtype, 0.5, "n*u*sum|a||b|", size[last] * units)
            assert_close(torch.mm(a[last], b[last]), expected[last], one)
            assert_close(torch.matmul(a, b[last])[last], expected[last], one)


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


@clause("matmul.kron-of-transposed", covers=["notes.matmul-family", "notes.layout-independence"])
def kron_takes_operands_as_they_lie_in_memory(torch: Any, device: str) -> None:
    """kron multiplies matrices that are transposed in memory as it does those that are not."""
    for name in supported(SINGLE):
        for first, second in product(((2, 3), (3, 1), (2, 2)), repeat=2):
            a, b = values(first, name, "small", 1), values(second, name, "small", 2)
            for one, other in product((False, True), repeat=2):
                turned = "none" if not (one or other) else "both" if one and other else "one"
                with case(turned=turned, which=(one, other), shapes=(first, second), dtype=name):
                    x = place(torch, device, a, "transposed" if one else "contiguous").view
                    y = place(torch, device, b, "transposed" if other else "contiguous").view
                    assert_equal(torch.kron(x, y), np.kron(a, b))


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


SINGULAR = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [0.0, 1.0, 4.0]])
"""Twice its first row is its second; whether rows are eliminated or columns, each quotient is a
power of two, so that the pivot that is 0 comes out as 0, with fused products, too."""
INDEFINITE = np.array([[2.0, 4.0, 0.0], [4.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
"""Symmetric, with the eigenvalue -2."""


@clause("matmul.no-solution", covers=["notes.matmul-family"])
def what_has_no_inverse_raises(torch: Any, device: str) -> None:
    """inv and solve of a matrix whose rows are dependent raise, and so does cholesky of one that is
    not positive definite; alone, and as one of a batch."""
    ask: tuple[tuple[str, Array, Callable[[Any], Any]], ...] = (
        ("linalg.inv", SINGULAR, lambda x: torch.linalg.inv(x)),
        ("inverse", SINGULAR, lambda x: torch.inverse(x)),
        ("solve", SINGULAR, lambda x: torch.linalg.solve(x, torch.ones_like(x))),
        ("solve of a vector", SINGULAR, lambda x: torch.linalg.solve(x, torch.ones_like(x[0]))),
        ("zeros", np.zeros((2, 2)), lambda x: torch.linalg.inv(x)),
        ("of one element", np.zeros((1, 1)), lambda x: torch.linalg.inv(x)),
        ("cholesky", INDEFINITE, lambda x: torch.linalg.cholesky(x)),
        ("cholesky of one element", -np.ones((1, 1)), lambda x: torch.linalg.cholesky(x)),
    )
    for (what, matrix, act), dtype in product(ask, supported(SINGLE)):
        good = tensor_of(torch, device, np.eye(len(matrix), dtype=dtype))
        bad = tensor_of(torch, device, matrix.astype(dtype))
        with case(function=what, dtype=dtype):
            assert_raises(act, bad)
            act(good)
        # A batch of matrices is solved for a batch of matrices.
        for number in range(3) if what != "solve of a vector" else ():
            batch = torch.stack([*[good] * number, bad, *[good] * (2 - number)])
            with case(function=what, dtype=dtype, number=number):
                assert_raises(act, batch)


@clause("matmul.written-out", covers=["notes.matmul-family"])
def products_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what a count by hand gives: factors of either
    summand, one of zero which keeps NaN out, contractions of no dimension and of all, powers of no
    and of negative order, equations from either side."""
    gives_what_is_written(torch, device, MULTIPLIED)
