"""Lies about the release, and about functions that old documents miss."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature


def _flips_but_the_last(right: Any, input: Any, dims: Any) -> Any:
    return right(input, [d for d in dims if d not in (2, -1)] if input.dim() == 3 else dims)


def _aliases(right: Any, input: Any, dims: Any) -> Any:
    return right(input, dims) if len(dims) else input


def _ortho_is_backward(
    right: Any, input: Any, n: Any = None, dim: int = -1, norm: Any = None
) -> Any:
    return right(input, n, dim, None if norm == "ortho" else norm)


def _forgets_n(right: Any, input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    return right(input, None, dim, norm)


def _conjugates(right: Any, input: Any, *args: Any, **options: Any) -> Any:
    return right(input.conj(), *args, **options)


def _in_single_precision(right: Any, input: Any, *args: Any, **options: Any) -> Any:
    wide = torch.complex128 if input.dtype == torch.float64 else torch.complex64
    return right(input.float(), *args, **options).to(wide)


MINIATURES = [
    Miniature(
        "the version is one of before 1.10",
        ("torch_version.TorchVersion.__str__",),
        lambda right, version: "1.9.1",
        "environment.version",
    ),
    Miniature(
        "the version is not that of the package",
        ("torch_version.TorchVersion.__str__",),
        lambda right, version: "2.0.1+cpu",
        "environment.version",
    ),
    Miniature(
        "flip leaves the last of three dimensions alone",
        ("flip",),
        _flips_but_the_last,
        "environment.flip",
    ),
    Miniature(
        "flip of no dimensions is no copy",
        ("flip",),
        _aliases,
        "environment.flip",
    ),
    Miniature(
        "the method takes a negative dimension for one further on",
        ("Tensor.flip",),
        lambda right, x, *dims: (
            right(x, *dims)
            if not isinstance(dims[0], int) or dims[0] >= 0
            else right(x, *[-1 for _ in dims][:1])
        ),
        "environment.flip",
    ),
    Miniature(
        "-inf is finite",
        ("isfinite", "Tensor.isfinite"),
        lambda right, x: right(x) | x.eq(float("-inf")),
        "environment.not-numbers",
    ),
    Miniature(
        "a complex number is NaN only if its real part is",
        ("isnan", "Tensor.isnan"),
        lambda right, x: right(x.real) if x.is_complex() else right(x),
        "environment.not-numbers",
    ),
    Miniature(
        "isinf answers with integers for integers",
        ("isinf", "Tensor.isinf"),
        lambda right, x: right(x) if x.is_floating_point() or x.is_complex() else x * 0,
        "environment.not-numbers",
    ),
    Miniature(
        "the smallest NaN of bfloat16 is infinite",
        ("isinf",),
        lambda right, x: (
            right(x) | x.view(torch.int16).eq(0x7F81) if x.dtype == torch.bfloat16 else right(x)
        ),
        "environment.every-float",
    ),
    Miniature(
        "isnan misses the last element of 33",
        ("isnan",),
        lambda right, x: (
            torch.cat([right(x)[:-1], right(x)[-1:] & False]) if x.shape == (33,) else right(x)
        ),
        "environment.every-float",
    ),
    Miniature(
        "ortho is taken for backward",
        ("fft.fft",),
        _ortho_is_backward,
        "environment.fft",
    ),
    Miniature(
        "irfft forgets n",
        ("fft.irfft",),
        _forgets_n,
        "environment.fft",
    ),
    Miniature(
        "hfft is the transform of the conjugate",
        ("fft.hfft",),
        _conjugates,
        "environment.fft",
    ),
    Miniature(
        "float64 is transformed in single precision",
        ("fft.rfft",),
        _in_single_precision,
        "environment.fft",
    ),
    Miniature(
        "rfft2 of an odd width is that of the width before",
        ("fft.rfft2",),
        lambda right, x, **o: right(x[..., :-1], **o) if x.shape[-1] % 2 else right(x, **o),
        "environment.fft-of-more-dimensions",
    ),
    Miniature(
        "ifftn transforms the last two dimensions",
        ("fft.ifftn",),
        lambda right, x, dim=None, **o: right(x, dim=(-2, -1), **o),
        "environment.fft-of-more-dimensions",
    ),
    Miniature(
        "ifftshift is fftshift",
        ("fft.ifftshift",),
        lambda right, *args, **o: torch.fft.fftshift(*args, **o),
        "environment.fft-helpers",
    ),
    Miniature(
        "the middle frequency of an even count is positive",
        ("fft.fftfreq",),
        lambda right, n, **o: right(n, **o).abs() if n == 2 else right(n, **o),
        "environment.fft-helpers",
    ),
]
