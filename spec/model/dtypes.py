"""The dtypes: names, categories, widths, and their NumPy counterparts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np


class Category(IntEnum):
    """Categories rank in this order (source: tensor attributes, type promotion)."""

    BOOL = 0
    INTEGER = 1
    FLOAT = 2
    COMPLEX = 3


@dataclass(frozen=True, slots=True)
class DType:
    """One dtype. bits: width of an element; aliases: other documented names."""

    name: str
    category: Category
    bits: int
    numpy: np.dtype[np.generic]
    aliases: tuple[str, ...] = ()


def _dtype(name: str, category: Category, numpy: object, *aliases: str) -> DType:
    counterpart = np.dtype(numpy)  # type: ignore[call-overload]
    return DType(name, category, counterpart.itemsize * 8, counterpart, aliases)


DTYPES: dict[str, DType] = {
    dtype.name: dtype
    for dtype in (
        # The simplest first: a search that shrinks ends at the front.
        _dtype("float32", Category.FLOAT, np.float32, "float"),
        _dtype("int64", Category.INTEGER, np.int64, "long"),
        _dtype("bool", Category.BOOL, np.bool_),
        _dtype("float64", Category.FLOAT, np.float64, "double"),
        _dtype("int32", Category.INTEGER, np.int32, "int"),
        _dtype("uint8", Category.INTEGER, np.uint8),
        _dtype("int8", Category.INTEGER, np.int8),
        _dtype("int16", Category.INTEGER, np.int16, "short"),
        _dtype("float16", Category.FLOAT, np.float16, "half"),
        _dtype("bfloat16", Category.FLOAT, ml_dtypes.bfloat16),
        _dtype("complex64", Category.COMPLEX, np.complex64, "cfloat"),
        _dtype("complex128", Category.COMPLEX, np.complex128, "cdouble"),
    )
}

ALL = tuple(DTYPES)


def _of(*categories: Category) -> tuple[str, ...]:
    return tuple(dtype.name for dtype in DTYPES.values() if dtype.category in categories)


BOOL = _of(Category.BOOL)
INTEGERS = _of(Category.INTEGER)
FLOATS = _of(Category.FLOAT)
HALVES = ("float16", "bfloat16")
COMPLEX = _of(Category.COMPLEX)
REAL = _of(Category.BOOL, Category.INTEGER, Category.FLOAT)
NUMERIC = _of(Category.INTEGER, Category.FLOAT, Category.COMPLEX)


def numpy_dtype(name: str) -> np.dtype[np.generic]:
    """The NumPy dtype of a dtype name (bfloat16 is that of ml_dtypes). KeyError if unknown."""
    return DTYPES[name].numpy


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """The name of a NumPy dtype, which NumPy puts together anew each time that it is asked."""
    return str(dtype.name)


def category(name: str) -> Category:
    """The category of a dtype name."""
    return DTYPES[name].category


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """A binary floating-point format (IEEE 754, and bfloat16 by the same scheme).

    precision: significand bits with the hidden one; eps: gap between 1 and the next number,
    2^(1-precision); tiny: smallest normal; smallest: smallest subnormal; max: largest finite.
    """

    precision: int
    eps: float
    tiny: float
    smallest: float
    max: float


def _format(precision: int, exponent_bits: int) -> FloatFormat:
    bias = 2 ** (exponent_bits - 1) - 1
    return FloatFormat(
        precision=precision,
        eps=2.0 ** (1 - precision),
        tiny=2.0 ** (1 - bias),
        smallest=2.0 ** (2 - bias - precision),
        max=(2.0 - 2.0 ** (1 - precision)) * 2.0**bias,
    )


FORMATS: dict[str, FloatFormat] = {
    "float16": _format(11, 5),
    "bfloat16": _format(8, 8),
    "float32": _format(24, 8),
    "float64": _format(53, 11),
}
FORMATS["complex64"] = FORMATS["float32"]
FORMATS["complex128"] = FORMATS["float64"]
