"""The rows of linear algebra: determinants, inverses, solutions and factors of square matrices.

The matrices are near the identity, so that their condition number is below 4 and no pivot is
needed; the reference eliminates in extended precision, which NumPy's routines do not offer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, layouts, seeds
from tenet.spec.model.dtypes import FORMATS
from tenet.spec.model.tolerance import Bound
from tenet.spec.operators.domains import modest
from tenet.spec.operators.operator import Array, Call, Operator, table

Shape = tuple[int, ...]

_SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 0)
_BATCHES: tuple[Shape, ...] = ((), (2,), (1,), (3, 2), (0,), (7,))


def _uses(*, right: bool = False) -> st.SearchStrategy[Call]:
    """Batches of square matrices; right: with as many right-hand sides, or with one for all."""
    pool = [
        (batch, n, sides)
        for batch in _BATCHES
        for n in _SIZES
        for sides in (_sides(batch, n) if right else ((),))
        if n < 10 or len(batch) < 2
    ]

    def made(use: Any, layout: str, other: str, regime: str, seed: int) -> Call:
        batch, n, sides = use
        operands = [Operand((*batch, n, n), layout, regime, seed)]
        if right:
            operands.append(Operand(sides, other, regime, seed + 7))
        return Call(tuple(operands))

    # A matrix near the identity has no equal rows: it is never expanded; a right-hand side may be.
    return st.builds(
        made, st.sampled_from(pool), layouts(writable=True), layouts(),
        st.sampled_from(("signed", "small", "normal")), seeds(),
    )  # fmt: skip


def _sides(batch: Shape, n: int) -> list[Shape]:
    """Right-hand sides for a batch of n x n: matrices, vectors, and one of either for the batch."""
    matrices = [(*batch, n, k) for k in (1, 3, 17)]
    return list(dict.fromkeys((*matrices, (*batch, n), (n,), (n, 1), (n, 3))))


def near_identity(array: Array) -> Array:
    """I + E with |E| below 1/2 in the norms of rows and of columns."""
    n = array.shape[-1]
    return np.asarray(np.eye(n) + np.tanh(array.astype(np.float64)) / (2 * max(n, 1)))


def _definite(array: Array) -> Array:
    """The same, symmetric."""
    near = near_identity(array)
    return np.asarray((near + np.swapaxes(near, -1, -2)) / 2)


# ------------------------------------------------------------------------------- references


def _eliminated(a: Array, b: Array) -> tuple[Array, Array]:
    """The solution of a @ x = b by Gauss and Jordan, and the pivots."""
    a, b = a.copy(), np.broadcast_to(b, (*a.shape[:-1], b.shape[-1])).copy()
    n = a.shape[-1]
    pivots = np.ones(a.shape[:-1], a.dtype)
    for k in range(n):
        pivots[..., k] = a[..., k, k]
        pivot = a[..., k, k][..., None].copy()
        a[..., k, :], b[..., k, :] = a[..., k, :] / pivot, b[..., k, :] / pivot
        factors = a[..., :, k][..., None].copy()
        factors[..., k, :] = 0
        a -= factors * a[..., k : k + 1, :]
        b -= factors * b[..., k : k + 1, :]
    return b, pivots


def _inverse(a: Array) -> Array:
    return _eliminated(a, np.eye(a.shape[-1], dtype=a.dtype))[0]


def _solution(a: Array, b: Array) -> Array:
    """b is a vector, or one a matrix if it has the shape of such a batch; else it is matrices."""
    if b.ndim == 1 or b.shape == a.shape[:-1]:
        return np.asarray(_eliminated(a, b[..., None])[0][..., 0])
    return _eliminated(a, b)[0]


def _determinant(a: Array) -> Array:
    return np.asarray(np.prod(_eliminated(a, np.zeros_like(a))[1], axis=-1))


def _log_determinant(a: Array) -> tuple[Array, Array]:
    pivots = _eliminated(a, np.zeros_like(a))[1]
    return np.prod(np.sign(pivots), axis=-1), np.sum(np.log(np.abs(pivots)), axis=-1)


def _cholesky(a: Array) -> Array:
    """a = l @ l.T, column by column."""
    lower = np.zeros_like(a)
    for k in range(a.shape[-1]):
        done = np.sum(lower[..., k:, :k] * lower[..., k : k + 1, :k], axis=-1)
        rest = a[..., k:, k] - done
        lower[..., k:, k] = rest / np.sqrt(rest[..., :1])
    return lower


# ------------------------------------------------------------------------------------ bounds


def _backward_stable(dtype: str, expected: Array, arrays: tuple[Array, ...], _: Any) -> Bound:
    """8 n u kappa |x|: elimination errs as if the matrix had been changed by 3 n u |L| |U| (Higham,
    theorem 9.3), here below 6 n u, and kappa is below 4 (1 + 1/2 over 1 - 1/2, and a half)."""
    n = arrays[0].shape[-1]
    size = float(np.max(np.abs(expected), initial=1.0))
    unit = FORMATS[dtype].eps / 2
    return Bound(dtype, 1, "8 n u kappa |x|, kappa < 4", absolute=32 * max(n, 1) * unit * size)


# ------------------------------------------------------------------------------------- rows


def _row(name: str, reference: Any, **more: Any) -> Operator:
    settings: dict[str, Any] = {
        "section": "matmul", "calls": _uses(), "dtypes": ("float32", "float64"),
        "prepare": near_identity, "smooth": near_identity, "accuracy": _backward_stable,
        "in_place": False, "method": False, "fits": (0, -1),
    }  # fmt: skip
    return Operator(name=f"linalg.{name}", reference=reference, **{**settings, **more})


SOLVING = table(
    _row("inv", _inverse, aliases=("inverse",)),
    _row("det", _determinant, aliases=("det",)),
    _row("slogdet", _log_determinant, smooth=None, aliases=("slogdet",)),
    _row("solve", _solution, calls=_uses(right=True), prepare=(near_identity, modest),
         smooth=(near_identity, modest)),
    _row("cholesky", _cholesky, prepare=_definite, smooth=None),
)  # fmt: skip
"""Where the choice is free, as the sign of a factor's column is, there is no row."""
