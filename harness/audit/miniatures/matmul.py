"""Lies about products."""

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

MATMUL = ("matmul", "Tensor.matmul", "Tensor.__matmul__")


def _at_inner(length: int) -> Any:
    """Leaves out the last term where the inner dimension has one length."""

    def lie(right: Any, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        if a.shape[-1] == length:
            return right(a[..., :-1], b[:-1] if b.dim() < 2 else b[..., :-1, :], *args, **kwargs)
        return right(a, b, *args, **kwargs)

    return lie


def _cut(right: Any, a: Any, b: Any) -> Any:
    """Inner dimensions that differ are cut to the shorter one."""
    if a.dim() == b.dim() == 2:
        n = min(a.shape[1], b.shape[0])
        return right(a[:, :n], b[:n])
    return right(a, b)


def _stretched(right: Any, a: Any, b: Any) -> Any:
    """A batch of one is broadcast."""
    if a.dim() == b.dim() == 3 and a.shape[0] == 1:
        a = a.expand(b.shape[0], *a.shape[1:])
    return right(a, b)


def _promoting(right: Any, a: Any, b: Any) -> Any:
    dtype = torch.promote_types(a.dtype, b.dtype)
    return right(a.to(dtype), b.to(dtype))


MINIATURES = [
    Miniature(
        "the method multiplies vectors of 33 element by element",
        of=("Tensor.matmul",),
        lie=lambda right, a, b: a * b if a.dim() == b.dim() == 1 and len(a) == 33 else right(a, b),
        caught_by="matmul.is-not-elementwise",
    ),
    Miniature("dot leaves out the 17th term", of=("dot",), lie=_at_inner(17),
              caught_by="matmul.is-not-elementwise"),
    Miniature("mm takes vectors", of=("mm",), caught_by="matmul.mm-of-vectors",
              lie=lambda right, a, b: torch.matmul(a, b)),
    Miniature("the method mm takes a vector on the right", of=("Tensor.mm",),
              caught_by="matmul.mm-of-vectors",
              lie=lambda right, a, b: a @ b if b.dim() == 1 else right(a, b)),
    Miniature("bmm broadcasts its batch", of=("bmm",), lie=_stretched,
              caught_by="matmul.ranks-of-members"),
    Miniature("mv takes a matrix", of=("mv",), caught_by="matmul.ranks-of-members",
              lie=lambda right, a, b: a @ b if b.dim() == 2 else right(a, b)),
    Miniature("inner dimensions are cut to fit", of=MATMUL, lie=_cut,
              caught_by="matmul.inner-dimensions"),
    Miniature("bmm promotes", of=("bmm",), lie=_promoting, caught_by="matmul.dtypes"),
    Miniature(
        "int64 products go through float64",
        of=MATMUL,
        lie=lambda right, a, b: (
            right(a.double(), b.double()).long() if a.dtype == torch.int64 else right(a, b)
        ),
        caught_by="matmul.integers",
    ),
    Miniature(
        "int8 products saturate",
        of=("Tensor.__matmul__",),
        lie=lambda right, a, b: (
            right(a.long(), b.long()).clamp(-128, 127).to(torch.int8)
            if a.dtype == torch.int8
            else right(a, b)
        ),
        caught_by="matmul.integers",
    ),
    Miniature(
        "mm over nothing leaves memory as it was",
        of=("mm",),
        lie=lambda right, a, b: right(a, b) + (not a.shape[-1]),
        caught_by="matmul.empty",
    ),
    Miniature("tensordot leaves out the 65th term", of=("tensordot",), caught_by="matmul.family",
              lie=lambda right, a, b, dims: _at_inner(65)(right, a, b, dims)
              if dims == 1 else right(a, b, dims)),
    Miniature(
        "mm of a strided operand takes its memory's order",
        of=("mm",),
        lie=lambda right, a, b: (
            right(a.t().contiguous().reshape(a.shape), b)
            if not a.is_contiguous() and a.shape[0] == 3
            else right(a, b)
        ),
        caught_by="matmul.family",
    ),
    Miniature(
        "einsum without an arrow keeps the labels as they stand",
        of=("einsum",),
        lie=lambda right, equation, *t: right("cb,ba->ca" if equation == "cb,ba" else equation, *t),
        caught_by="matmul.einsum",
    ),
    Miniature(
        "multi_dot of four forgets the last but one's sign",
        of=("linalg.multi_dot",),
        lie=lambda right, tensors: right([*tensors[:-2], tensors[-2].abs(), tensors[-1]])
        if len(tensors) == 4
        else right(tensors),
        caught_by="matmul.multi-dot",
    ),
    Miniature(
        "baddbmm multiplies NaN by a beta of zero",
        of=("baddbmm",),
        lie=lambda right, m, a, b, beta=1, alpha=1: (
            m * beta + right(m * 0, a, b, beta=0, alpha=alpha)
        ),
        caught_by="matmul.beta-zero",
    ),
    Miniature(
        "in place, addmv of bfloat16 multiplies NaN by a beta of zero",
        of=("Tensor.addmv_",),
        lie=lambda right, m, a, b, beta=1, alpha=1: (
            m.mul_(beta) if m.dtype == torch.bfloat16 else right(m, a, b, beta=beta, alpha=alpha)
        ),
        caught_by="matmul.beta-zero",
    ),
    Miniature(
        "bmm computes the last slice of eight in half precision",
        of=("bmm",),
        lie=lambda right, a, b: (
            torch.cat([right(a[:-1], b[:-1]), right(a[-1:].half(), b[-1:].half()).to(a.dtype)])
            if len(a) == 8
            else right(a, b)
        ),
        caught_by="matmul.slices",
    ),
    Miniature("addmv leaves a product of one column out", ("addmv",),
              lambda right, x, mat, vec: (
                  x.expand(len(mat)) if len(vec) == 1 else right(x, mat, vec)),
              "matmul.addmv-of-an-empty-product"),
    Miniature("vecdot wraps the dimension around", ("linalg.vecdot",),
              lambda right, x, y, dim: right(x, y, dim=dim % x.dim()), "matmul.vecdot-dim-range"),
    Miniature("kron exchanges its operands for a column", ("kron",),
              lambda right, a, b: right(b, a) if b.shape == (3, 1) else right(a, b),
              "matmul.kron-of-transposed"),
    Miniature(
        "mm of uint8 forgets the last of 17 columns",
        of=("mm",),
        lie=lambda right, a, b: (
            torch.cat([right(a, b)[:, :-1], right(a, b)[:, -1:] * 0], 1)
            if a.dtype == torch.uint8 and b.shape[1] == 17
            else right(a, b)
        ),
        caught_by="matmul.every-length",
    ),
]  # fmt: skip


def _loses_conjugation(right: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    return right(a, b.conj() if b.is_conj() else b, **kwargs)


def _exchanges_for_none(right: Any, a: Any, b: Any, dims: Any) -> Any:
    return right(b, a, dims) if dims == 0 else right(a, b, dims)


def _solves_from_the_left(right: Any, a: Any, b: Any, *, left: bool = True) -> Any:
    return right(a, b) if left else right(a, b.mT).mT


def _as_they_stand(a: Any, b: Any, dims: Any) -> Any:
    """Pairs of dimensions without their order, where the lengths fit."""
    if isinstance(dims, int):
        return dims
    first, second = (
        sorted(d % x.dim() for d in each) for x, each in zip((a, b), dims, strict=True)
    )
    fits = [a.shape[d] for d in first] == [b.shape[d] for d in second]
    return (first, second) if fits else dims


MINIATURES += [
    Miniature(
        "the conjugation of a second operand is lost",
        of=(
            "mv",
            "mm",
            "matmul",
            "dot",
        ),
        lie=_loses_conjugation,
        caught_by="matmul.conjugates",
    ),
    Miniature(
        "einsum without an arrow takes capital labels for small ones",
        of=("einsum",),
        lie=lambda right, text, *rest: right(
            text.swapcase() if isinstance(text, str) and "->" not in text else text, *rest
        ),
        caught_by="matmul.einsum-of-any-letters",
    ),
    Miniature(
        "tensordot pairs dimensions in the order in which they stand",
        of=("tensordot",),
        lie=lambda right, a, b, dims: right(a, b, _as_they_stand(a, b, dims)),
        caught_by="matmul.contracted-pairs",
    ),
    Miniature(
        "tensordot over no dimensions exchanges its operands",
        of=("tensordot",),
        lie=_exchanges_for_none,
        caught_by="matmul.contracted",
    ),
    Miniature(
        "solve with left=False forgets to transpose the matrix",
        of=("linalg.solve",),
        lie=_solves_from_the_left,
        caught_by="matmul.solved-from-the-right",
    ),
    Miniature(
        "the outer product of bools is one of floats",
        of=("outer", "Tensor.outer"),
        lie=lambda right, x, y: right(x.float(), y) if x.dtype == torch.bool else right(x, y),
        caught_by="matmul.written-out",
    ),
    Miniature(
        "mm leaves out what it would multiply by zero",
        of=("mm",),
        lie=lambda right, a, b: (
            right(a, b.nan_to_num(0, 0, 0)) if not a.any(0).all() else right(a, b)
        ),
        caught_by="matmul.not-finite",
    ),
    Miniature(
        "a NaN spoils the whole vector of mv",
        of=("mv",),
        lie=lambda right, a, x: right(a, x) * (1 + 0 * x.sum()),
        caught_by="matmul.not-finite",
    ),
    Miniature(
        "baddbmm of int64 forgets alpha",
        of=("baddbmm", "Tensor.baddbmm_"),
        lie=lambda right, m, a, b, beta=1, alpha=1: right(
            m, a, b, beta=beta, alpha=1 if m.dtype == torch.int64 else alpha
        ),
        caught_by="matmul.weighted-integers",
    ),
    Miniature(
        "the inverse of a singular matrix is what comes out",
        of=("linalg.inv",),
        lie=lambda right, x, **k: right(x, **k) if k else torch.linalg.inv_ex(x).inverse,
        caught_by="matmul.no-solution",
    ),
    Miniature(
        "a matrix of the batch after the first 2^16 is not multiplied",
        of=("bmm",),
        lie=lambda right, a, b: (
            torch.cat([right(a[: 2**16], b[: 2**16]), 0 * right(a[2**16 :], b[2**16 :])])
            if len(a) > 2**16
            else right(a, b)
        ),
        caught_by="matmul.many-blocks",
    ),
    Miniature(
        "mm of more than 512 terms takes its matrices in bfloat16",
        of=("mm",),
        lie=lambda right, a, b: right(a, b.bfloat16().to(b.dtype)) if len(b) > 512 else right(a, b),
        caught_by="matmul.full-precision",
    ),
    Miniature(
        "addmm into a tensor that is given takes a transposed square as it lies",
        of=("addmm",),
        lie=lambda right, m, a, b, **k: (
            right(m, a, b.t(), **k)
            if "out" in k and b.shape[0] == b.shape[1] > b.stride(0) == 1
            else right(m, a, b, **k)
        ),
        caught_by="matmul.squares",
    ),
]
