"""Lies about comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

Lie = Callable[..., Any]


def _flipped(where: int) -> Lie:
    """One bool of the result, at a position of the flattened tensor, is the opposite."""

    def lie(right: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs).clone()
        if result.numel() > abs(where) + 1:
            result.view(-1)[where] ^= True
        return result

    return lie


def _in_float(right: Any, input: Any, other: Any) -> Any:
    if isinstance(other, torch.Tensor) and input.dtype == other.dtype == torch.int64:
        return right(input.double(), other.double())
    return right(input, other)


def _flushing(right: Any, a: Any, b: Any) -> Any:
    def flush(x: Any) -> Any:
        half = isinstance(x, torch.Tensor) and x.dtype == torch.float16
        return torch.where(torch.lt(x.abs(), 2**-14), x * 0, x) if half else x

    return right(flush(a), flush(b))


def _by_real_part(right: Any, a: Any, b: Any) -> Any:
    if isinstance(b, torch.Tensor) and a.is_complex() and b.is_complex():
        return right(a.real, b.real)
    return right(a, b)


def _unwritten_surplus(right: Any, x: Any, other: Any) -> Any:
    """Writes through a contiguous copy that is one element too long."""
    right(x, other)
    if x._base is not None and x.storage_offset() and x.numel() > 4:
        x._base.view(-1)[0] = 1
    return x


def _symmetric(right: Any, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    close = right(a, b, *args, **kwargs)
    swapped = right(b, a, *args, **kwargs)
    return close | swapped if isinstance(close, torch.Tensor) else close or swapped


def _strict(right: Any, a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, **kw: Any) -> Any:
    return right(a, b, rtol, atol, **kw) & (((a - b).abs() != atol) | (atol == 0) | (rtol != 0))


def _or_equal_beyond_20(right: Any, input: Any, other: Any) -> Any:
    return input <= other if input.numel() > 20 else right(input, other)


def _squeezing(right: Any, input: Any, other: Any) -> Any:
    one_more = other.shape[:1] == (1,) and other.dim() > input.dim()
    return right(input, other[0] if one_more else other)


def _identical(right: Any, input: Any, other: Any) -> Any:
    return input is other or right(input, other)


MINIATURES = [
    Miniature(
        "lt says yes to equals beyond 20 elements",
        of=("lt",),
        lie=_or_equal_beyond_20,
        caught_by="comparison.elementwise",
    ),
    Miniature(
        "int64 is compared as float64",
        of=("Tensor.__eq__", "eq"),
        lie=_in_float,
        caught_by="comparison.elementwise",
    ),
    Miniature(
        "the method greater_equal is greater for a transposed operand",
        of=("Tensor.greater_equal",),
        lie=lambda right, a, other: right(a, other) if a.is_contiguous() else a > other,
        caught_by="comparison.elementwise",
    ),
    Miniature(
        "not_equal returns uint8",
        of=("not_equal",),
        lie=lambda right, *a, **k: right(*a, **k).to(torch.uint8),
        caught_by="comparison.elementwise",
    ),
    Miniature(
        "> errs on the last of 33 elements",
        of=("Tensor.__gt__",),
        lie=lambda right, a, b: _flipped(-1)(right, a, b) if a.numel() == 33 else right(a, b),
        caught_by="comparison.every-length",
    ),
    Miniature(
        "< flushes float16 subnormals",
        of=("Tensor.__lt__",),
        lie=_flushing,
        caught_by="comparison.every-small-number",
    ),
    Miniature(
        "== of uint8 looks at 7 bits",
        of=("Tensor.__eq__",),
        lie=lambda right, a, b: (
            right(a & 127, b & 127)
            if a.dtype == torch.uint8 and isinstance(b, torch.Tensor) else right(a, b)
        ),
        caught_by="comparison.every-small-number",
    ),
    Miniature(
        "< truncates a fraction for integers",
        of=("Tensor.__lt__",),
        lie=lambda right, a, b: (
            right(a, int(b)) if isinstance(b, float) and b == 2.5 and not a.is_floating_point()
            else right(a, b)
        ),
        caught_by="comparison.scalars",
    ),
    Miniature(
        "a number on the left is taken for one on the right",
        of=("Tensor.__gt__",),
        lie=lambda right, a, b: right(b, a) if isinstance(b, torch.Tensor) else a >= b,
        caught_by="comparison.scalars",
    ),
    Miniature(
        "uint8 meets int8 as uint8",
        of=("lt",),
        lie=lambda right, a, b: (
            right(a.to(torch.uint8), b) if a.dtype == torch.int8 and b.dtype == torch.uint8
            else right(a, b)
        ),
        caught_by="comparison.mixed-dtypes",
    ),
    Miniature(
        "int64 meets float32 as float64",
        of=("eq",),
        lie=lambda right, a, b: (
            right(a.double(), b) if a.dtype == torch.int64 and b.dtype == torch.float32
            else right(a, b)
        ),
        caught_by="comparison.mixed-dtypes",
    ),
    Miniature(
        "complex numbers are equal if their real parts are",
        of=("Tensor.__eq__",),
        lie=_by_real_part,
        caught_by="comparison.complex",
    ),
    Miniature(
        "complex numbers have an order",
        of=("less",),
        lie=lambda right, a, b: right(a.real, b) if a.is_complex() else right(a, b),
        caught_by="comparison.complex",
    ),
    Miniature(
        "ge cuts clashing shapes to the shorter one",
        of=("ge",),
        lie=lambda right, a, b: (
            right(a[: min(len(a), len(b))], b[: min(len(a), len(b))])
            if a.dim() == b.dim() == 1 and a.shape != b.shape and 1 not in (len(a), len(b))
            else right(a, b)
        ),
        caught_by="comparison.shapes",
    ),
    Miniature(
        "eq_ returns another tensor",
        of=("Tensor.eq_",),
        lie=lambda right, a, b: right(a, b).view_as(a),
        caught_by="comparison.in-place",
    ),
    Miniature(
        "less_ writes in front of its target",
        of=("Tensor.less_",),
        lie=_unwritten_surplus,
        caught_by="comparison.in-place",
    ),
    Miniature(
        "gt with out= leaves an out of uint8 alone",
        of=("gt",),
        lie=lambda right, a, b, out: out if out.dtype == torch.uint8 else right(a, b, out=out),
        caught_by="comparison.out",
    ),
    Miniature(
        "isinf overlooks negative infinity of float64",
        of=("Tensor.isinf",),
        lie=lambda right, a: right(a) & (a > 0) if a.dtype == torch.float64 else right(a),
        caught_by="comparison.classes",
    ),
    Miniature(
        "isfinite asks the real part alone",
        of=("isfinite",),
        lie=lambda right, a: right(a.real) if a.is_complex() else right(a),
        caught_by="comparison.classes",
    ),
    Miniature(
        "equal ignores a leading dimension of 1",
        of=("equal",),
        lie=_squeezing,
        caught_by="comparison.equal",
    ),
    Miniature(
        "equal takes a tensor for equal to itself",
        of=("equal",),
        lie=_identical,
        caught_by="comparison.equal",
    ),
    Miniature(
        "the method equal compares bits",
        of=("Tensor.equal",),
        lie=lambda right, a, other: right(a, other) and (
            a.dtype != torch.float32
            or right(a.contiguous().view(torch.int32), other.contiguous().view(torch.int32))
        ),
        caught_by="comparison.equal",
    ),
    Miniature(
        "equal overlooks element 31 of int16",
        of=("equal",),
        lie=lambda right, a, b: (
            right(torch.cat([a[:31], a[32:]]), torch.cat([b[:31], b[32:]]))
            if a.dtype == torch.int16 and a.dim() == 1 and a.shape == b.shape else right(a, b)
        ),
        caught_by="comparison.equal-at-every-position",
    ),
    Miniature(
        "equal tells dtypes apart",
        of=("equal",),
        lie=lambda right, a, b: a.dtype == b.dtype and right(a, b),
        caught_by="comparison.equal-across-dtypes",
    ),
    Miniature(
        "isclose is symmetric",
        of=("isclose",),
        lie=_symmetric,
        caught_by="comparison.isclose",
    ),
    Miniature(
        "the method allclose takes rtol for atol",
        of=("Tensor.allclose",),
        lie=lambda right, a, b, rtol=1e-5, atol=1e-8, **k: right(a, b, atol, rtol, **k),
        caught_by="comparison.isclose",
    ),
    Miniature(
        "the boundary is not close",
        of=("isclose",),
        lie=_strict,
        caught_by="comparison.isclose-boundaries",
    ),
    Miniature(
        "a finite number is close to infinity",
        of=("isclose",),
        lie=lambda right, a, b, rtol=0, atol=0, **k: (
            right(a, b, rtol, atol, **k) | (a.isfinite() & b.isinf() & (rtol > 0))
        ),
        caught_by="comparison.isclose-boundaries",
    ),
    Miniature(
        "the default rtol is 1e-6",
        of=("allclose",),
        lie=lambda right, a, b, rtol=1e-6, **k: right(a, b, rtol=rtol, **k),
        caught_by="comparison.isclose-defaults",
    ),
    Miniature(
        "the method isclose forgets atol where rtol is given",
        of=("Tensor.isclose",),
        lie=lambda right, a, b, **k: right(a, b, **{"atol": 0.0 if "rtol" in k else 1e-8, **k}),
        caught_by="comparison.isclose-defaults",
    ),
    Miniature(
        "allclose overlooks the last of 9 elements",
        of=("allclose",),
        lie=lambda right, a, b, *args: (
            right(a[:-1], b[:-1], *args) if a.numel() == 9 else right(a, b, *args)
        ),
        caught_by="comparison.allclose-at-every-position",
    ),
    Miniature(
        "the distance of integers wraps around",
        of=("isclose",),
        lie=lambda right, a, b, rtol, atol: (
            (a - b).abs() <= atol + rtol * b.abs() if a.dtype == torch.int8
            else right(a, b, rtol, atol)
        ),
        caught_by="comparison.isclose-kinds",
    ),
    Miniature(
        "complex numbers are close part by part",
        of=("isclose",),
        lie=lambda right, a, b, rtol, atol: (
            right(a.real, b.real, rtol, atol) & right(a.imag, b.imag, rtol, atol)
            if a.is_complex() else right(a, b, rtol, atol)
        ),
        caught_by="comparison.isclose-kinds",
    ),
    Miniature(
        "allclose converts the second operand",
        of=("allclose",),
        lie=lambda right, a, b, **k: right(a, b.to(a.dtype), **k),
        caught_by="comparison.isclose-refusals",
    ),
    Miniature(
        "int8 >= a float rounds the float to zero",
        of=("Tensor.__ge__",),
        lie=lambda right, a, b: right(
            a, int(b) if a.dtype == torch.int8 and isinstance(b, float) and b == b
            and abs(b) != float("inf") else b),
        caught_by="comparison.every-number",
    ),
    Miniature(
        "float64 < float64 is that of float32",
        of=("Tensor.__lt__",),
        lie=lambda right, a, b: (
            right(a.float(), b.float())
            if torch.is_tensor(b) and a.dtype == b.dtype == torch.float64
            else right(a, b)
        ),
        caught_by="comparison.neighbours",
    ),
    Miniature("isin of transposed elements does not invert", ("isin",),
              lambda right, x, y, invert=False: right(
                  x, y, invert=invert and x.is_contiguous()), "comparison.isin-of-transposed"),
    Miniature(
        "an int64 is compared with a number as a float64",
        of=("Tensor.__lt__",),
        lie=lambda right, x, n: right(x.double(), float(n)) if isinstance(n, int) else right(x, n),
        caught_by="comparison.precision-of-numbers",
    ),
]  # fmt: skip
