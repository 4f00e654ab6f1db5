"""Sums over any dimensions: einsum, tensordot, products of many."""

from __future__ import annotations

from itertools import pairwise, product
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, place, seeds, tensor_of, values
from tenet.spec.cases.contractions import EINSUMS, PAIRINGS, Equation, Pairs, numbered, terms_of
from tenet.spec.cases.operands import laid
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.matmul.common import (
    SINGLE,
)
from tenet.spec.model.dtypes import INTEGERS, numpy_dtype

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
