"""The model of promotion, held against the laws of a lattice and the documented examples."""

from __future__ import annotations

from itertools import product

import pytest

from tenet.spec.model.dtypes import ALL, FLOATS
from tenet.spec.model.promotion import (
    KINDS,
    Kind,
    Rank,
    below,
    castable,
    promoted,
    result,
    true_division,
)

BOOL, INT, FLOAT, COMPLEX = (
    Kind(name, Rank.NUMBER) for name in ("bool", "int64", "float32", "complex64")
)


def zero_dim(dtype: str) -> Kind:
    return Kind(dtype, Rank.ZERO_DIM)


def test_the_order_is_one() -> None:
    for a, b, c in product(ALL, repeat=3):
        assert below(a, a)
        assert not (below(a, b) and below(b, a)) or a == b
        assert not (below(a, b) and below(b, c)) or below(a, c)


def test_joining_is_symmetric_idempotent_and_associative() -> None:
    for a, b, c in product(ALL, repeat=3):
        assert promoted(a, a) == a
        assert promoted(a, b) == promoted(b, a)
        assert promoted(promoted(a, b), c) == promoted(a, promoted(b, c))
        assert below(a, b) == (promoted(a, b) == b)


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("uint8", "int8", "int16"),
        ("uint8", "int64", "int64"),
        ("float16", "bfloat16", "float32"),
        ("int64", "float16", "float16"),
        ("int64", "bfloat16", "bfloat16"),
        ("bool", "uint8", "uint8"),
        ("float64", "complex64", "complex128"),
        ("float32", "complex64", "complex64"),
        ("int64", "complex64", "complex64"),
    ],
)
def test_documented_joins(first: str, second: str, joined: str) -> None:
    assert promoted(first, second) == joined


@pytest.mark.parametrize(
    ("operands", "dtype"),
    [
        ((INT, INT), "int64"),
        ((Kind("int32"), INT), "int32"),
        ((Kind("int32"), zero_dim("int64")), "int32"),
        ((Kind("int64"), Kind("float32")), "float32"),
        ((Kind("int32"), FLOAT), "float32"),
        ((Kind("uint8"), zero_dim("int64")), "uint8"),
        ((Kind("bool"), Kind("int32")), "int32"),
        ((Kind("float32"), zero_dim("float64")), "float32"),
        ((Kind("int64"), zero_dim("float64")), "float64"),
        ((zero_dim("int8"), INT), "int8"),
        ((Kind("bool"), zero_dim("int8"), INT), "int8"),
        ((Kind("bool"), zero_dim("int8"), FLOAT), "float32"),
        ((Kind("float64"), COMPLEX), "complex128"),
        ((Kind("float32"), zero_dim("complex128")), None),
    ],
)
def test_documented_results(operands: tuple[Kind, ...], dtype: str | None) -> None:
    assert result(*operands) == dtype


def test_only_pythons_floats_and_division_ask_for_the_default() -> None:
    for default in FLOATS:
        assert result(Kind("int64"), FLOAT, default=default) == default
        assert result(Kind("float16"), FLOAT, default=default) == "float16"
        assert true_division(Kind("int8"), BOOL, default=default) == default
        assert true_division(Kind("float16"), INT, default=default) == "float16"


def test_the_order_of_operands_does_not_matter() -> None:
    for a, b in product(KINDS, repeat=2):
        assert result(a, b) == result(b, a)


def test_documented_casts() -> None:
    assert castable("float64", "float32")
    assert not castable("float32", "int32")
    assert not castable("int32", "bool")
    assert not castable("complex64", "float32")


def test_kinds_read_as_words() -> None:
    assert repr(zero_dim("int8")) == "a 0-d tensor of int8"
    assert repr(INT) == "a Python int"
