"""The members of the family agree with each other."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, place, seeds, tensor_of, values
from tenet.spec.cases.written import MULTIPLIED, gives_what_is_written
from tenet.spec.language import (
    assert_close,
    assert_equal,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.matmul.common import (
    FACTOR_LENGTHS,
    SINGLE,
    in_double,
)
from tenet.spec.model.dtypes import FLOATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import Bound


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
@for_all(rows=st.sampled_from((2, 1, 3, 7, 8, 17, 33)), inner=st.sampled_from(FACTOR_LENGTHS),
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
        expected = (in_double(left) @ in_double(right)).astype(left.dtype)
        vector = right[0].copy()
        turned = (in_double(left) @ in_double(vector)).astype(left.dtype)
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
            expected = whole(in_double(a), in_double(b))
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
                terms = in_double(left)[:, :, None] * in_double(right)
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
         inner=st.sampled_from(FACTOR_LENGTHS), seed=seeds(),
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
        size = np.matmul(np.abs(in_double(left)), np.abs(in_double(right)))
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


@clause("matmul.written-out", covers=["notes.matmul-family"])
def products_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what a count by hand gives: factors of either
    summand, one of zero which keeps NaN out, contractions of no dimension and of all, powers of no
    and of negative order, equations from either side."""
    gives_what_is_written(torch, device, MULTIPLIED)
