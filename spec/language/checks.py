"""Comparisons that a clause states. Each counts as one case and names what differs first.

They compare bits, not appearances: dtype, shape and every element have to be equal, -0.0 is
not 0.0, and NaN equals NaN (its sign and payload are not documented).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tenet.spec.language.reading import dtype_name, is_tensor, read
from tenet.spec.language.tally import tally
from tenet.spec.model.dtypes import name_of
from tenet.spec.model.tolerance import Bound

DOCUMENTED_ERRORS = (RuntimeError, IndexError, ValueError, TypeError)
"""What documented bad input raises; which of them is not documented. NotImplementedError is a
RuntimeError, so a clause on errors also makes a valid call of the same spelling succeed."""


class Misuse(Exception):
    """A check is written wrongly; it says nothing about a backend."""


class Mismatch(AssertionError):
    """A backend differs from the specification.

    what: the kind of difference (`dtype`, `shape`, `values`, `raised`, ...); got, expected: as
    text, at the place that differs; where: index of the first differing element, if any.
    """

    def __init__(
        self, what: str, got: object, expected: object, where: Sequence[int] | None = None
    ) -> None:
        self.what = what
        self.got = _text(got)
        self.expected = _text(expected)
        self.where = None if where is None else tuple(int(i) for i in where)
        at = f" at {list(self.where)}" if self.where is not None else ""
        super().__init__(f"{what}{at}: got {self.got}, expected {self.expected}")


def assert_equal(got: Any, expected: Any, *, signed_zero: bool = True) -> None:
    """`got` is exactly `expected`.

    A tensor is compared with a NumPy array (or NumPy scalar) in dtype, shape and every element;
    anything else with `==` and in type. signed_zero=False lets 0.0 and -0.0 be equal.
    """
    tally().cases += 1
    if isinstance(expected, np.ndarray | np.generic):
        _compare(got, np.asarray(expected), None, signed_zero)
    elif isinstance(expected, float) and isinstance(got, float):
        same = got == expected and str(got)[0] == str(expected)[0]
        if not same and not (got != got and expected != expected):
            raise Mismatch("value", got, expected)
    elif is_tensor(expected):
        raise Misuse("compare with a NumPy array: an expected value is not the backend's")
    elif is_tensor(got):
        if isinstance(expected, list | tuple):
            raise Misuse("compare a tensor with a NumPy array, or read it first")
        # Where a number or a bool is documented, a library may well give a tensor.
        raise Mismatch("type", "a tensor", "None" if expected is None else type(expected).__name__)
    elif got != expected or not _same_kind(got, expected):
        raise Mismatch("value", got, expected)


def assert_close(got: Any, expected: Any, bound: Bound) -> None:
    """Every element of the tensor `got` lies within `bound` of `expected`.

    expected: float64 (or complex128) array of the reference values, not yet rounded to the
    result's dtype. The bound knows the dtype that the result must have.
    """
    tally().cases += 1
    _compare(got, np.asarray(expected), bound, signed_zero=False)


def assert_that(holds: object, otherwise: str) -> None:
    """A plain fact holds; `otherwise` says what is the case where it does not."""
    tally().cases += 1
    if not holds:
        raise Mismatch("fact", otherwise, "the opposite")


def assert_same_object(got: Any, expected: Any) -> None:
    """`got` is the very object `expected`, not an equal one."""
    tally().cases += 1
    if got is not expected:
        raise Mismatch("identity", f"another object ({type(got).__name__})", "the same object")


def assert_metadata(
    got: Any,
    *,
    shape: Sequence[int] | None = None,
    dtype: str | None = None,
    stride: Sequence[int] | None = None,
) -> None:
    """The tensor `got` has the given shape, dtype and stride; its elements are not read."""
    tally().cases += 1
    if dtype is not None and dtype_name(got.dtype) != dtype:
        raise Mismatch("dtype", dtype_name(got.dtype), dtype)
    if shape is not None and tuple(got.shape) != tuple(shape):
        raise Mismatch("shape", tuple(got.shape), tuple(shape))
    if stride is not None and tuple(got.stride()) != tuple(stride):
        raise Mismatch("stride", tuple(got.stride()), tuple(stride))


def assert_raises(call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """`call(*args, **kwargs)` raises RuntimeError, IndexError, ValueError or TypeError."""
    tally().cases += 1
    try:
        result = call(*args, **kwargs)
    except DOCUMENTED_ERRORS:
        return
    except Exception as error:
        raise Mismatch("raised", f"{type(error).__name__}: {error}", _ERRORS) from error
    raise Mismatch("raised", f"no error, but {_brief(result)}", _ERRORS)


_ERRORS = "one of " + ", ".join(error.__name__ for error in DOCUMENTED_ERRORS)


def _compare(got: Any, expected: np.ndarray, bound: Bound | None, signed_zero: bool) -> None:
    if not is_tensor(got):
        raise Mismatch("type", type(got).__name__, "a tensor")
    wanted = name_of(expected.dtype) if bound is None else bound.dtype
    if dtype_name(got.dtype) != wanted:
        raise Mismatch("dtype", dtype_name(got.dtype), wanted)
    if tuple(got.shape) != expected.shape:
        raise Mismatch("shape", tuple(got.shape), expected.shape)
    values = read(got)
    if values.shape != expected.shape:
        raise Mismatch("shape of what is read", values.shape, expected.shape)
    if bound is None and values.tobytes() == expected.tobytes():
        return
    differs = (
        _differs(values, expected, signed_zero)
        if bound is None
        else bound.exceeded(values, expected)
    )
    if differs.any():
        where = tuple(int(i[0]) for i in np.nonzero(differs)) if differs.ndim else ()
        allowed = "" if bound is None else f" within {bound.describe(expected[where])}"
        raise Mismatch("values", values[where], f"{_text(expected[where])}{allowed}", where)


def _differs(values: np.ndarray, expected: np.ndarray, signed_zero: bool) -> np.ndarray:
    if values.dtype.kind == "c":
        real = _differs(values.real, expected.real, signed_zero)
        return np.asarray(real | _differs(values.imag, expected.imag, signed_zero))
    differs = values != expected
    if values.dtype.kind in "fV":  # ml_dtypes registers its floats with the kind V
        differs &= ~(np.isnan(values) & np.isnan(expected))
        if signed_zero:
            zero = (values == 0) & (expected == 0)
            differs |= zero & (np.signbit(values) != np.signbit(expected))
    return np.asarray(differs)


_PLAIN = frozenset({bool, int, float, complex, str})


def _same_kind(got: object, expected: object) -> bool:
    """True is not 1 and 1 is not 1.0, though Python calls them equal."""
    if type(expected) in _PLAIN:
        return type(got) is type(expected) or type(got) not in _PLAIN
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        kinds = list(map(type, expected))
        if kinds == list(map(type, got)) and _PLAIN.issuperset(kinds):
            return True
        return all(map(_same_kind, got, expected))
    return True


def _brief(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if is_tensor(value) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    text = str(value) if isinstance(value, np.generic) else repr(value)
    return text if len(text) <= 400 else f"{text[:400]}... ({len(text)} characters)"
