"""Results of operators, held to the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.spec.cases.shapes import Shape
from tenet.spec.language import assert_close, assert_equal, assert_that
from tenet.spec.model.dtypes import Category, category
from tenet.spec.operators.operator import Array, Call, Operator, rounded_to


class IndexArray(np.ndarray):
    """Marks the part of a reference that holds indices, which stay int64 beside float values."""


def indices(array: Array) -> Array:
    """The array, marked as one of indices."""
    return np.asarray(array, np.int64).view(IndexArray)


def metadata_of(operator: Operator, dtype: str, expected: Any) -> list[tuple[Shape, str]]:
    """Shape and dtype of each part of the result for operands of a dtype.

    A part that the documents leave open holds indices, as many as there are values.
    """
    parts = expected if isinstance(expected, tuple) else (expected,)
    return [
        (np.shape(parts[0] if part is None else part),
         "int64" if part is None or isinstance(part, IndexArray) else operator.result(dtype))
        for part in parts
    ]  # fmt: skip


def check(
    operator: Operator,
    call: Call,
    dtype: str,
    expected: Any,
    arrays: tuple[Array, ...],
    result: Any,
) -> None:
    """Compare a result (or each part of a tuple of results) with the reference."""
    if isinstance(expected, tuple):
        assert_that(len(result) == len(expected), f"{len(result)} results")
        for part, wanted in zip(result, expected, strict=True):
            if wanted is not None:  # a part that the documents leave open
                check(operator, call, dtype, wanted, arrays, part)
        return
    reference = np.asarray(expected)
    ((_, into),) = metadata_of(operator, dtype, expected)
    inexact = category(into) >= Category.FLOAT
    bound = operator.accuracy(into, reference, arrays, call.keywords) if inexact else None
    if bound is None:
        assert_equal(result, rounded_to(reference, into), signed_zero=operator.signed_zero)
    else:
        assert_close(result, reference, bound)
