"""Systems of equations beyond the table."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_raises,
    case,
    clause,
    supported,
)
from tenet.spec.matmul.common import (
    SINGLE,
    Array,
)
from tenet.spec.model.dtypes import FORMATS
from tenet.spec.model.tolerance import Bound


@clause("matmul.solved-from-the-right", covers=["notes.matmul-family"])
def solving_from_the_right_and_upper_factors(torch: Any, device: str) -> None:
    """linalg.solve with left=False gives the x of x @ a = b, and linalg.cholesky with upper=True
    the upper factor, the conjugate transpose of the lower; of one matrix and of a batch."""
    for dtype in supported(SINGLE):
        # Unit triangles of small whole numbers, and an exact product of them.
        lower = np.tril(values((2, 4, 4), dtype, "signed", 3) % 3, -1) + np.eye(4)
        x = values((2, 3, 4), dtype, "signed", 4).astype(np.float64)
        scale = np.array([2.0, 4.0, 1.0, 2.0])
        definite = (lower * scale) @ np.swapaxes(lower * scale, -1, -2)
        # Substitution with such triangles errs by n u |L^-1| |L| |x|, below 8 n u 50.
        bound = Bound(dtype, 0.5, "n u kappa |x|", absolute=32 * 50 * FORMATS[dtype].eps)
        for batch in (slice(None), 0):
            a, b = lower[batch].astype(dtype), (x @ lower)[batch].astype(dtype)
            with case(dtype=dtype, batch=batch == slice(None)):
                solved = torch.linalg.solve(
                    tensor_of(torch, device, a), tensor_of(torch, device, b), left=False
                )
                assert_close(solved, x[batch], bound)
                m = tensor_of(torch, device, definite[batch].astype(dtype))
                factor = (lower * scale)[batch]
                assert_close(torch.linalg.cholesky(m, upper=True),
                             np.swapaxes(factor, -1, -2), bound)  # fmt: skip
                assert_close(torch.linalg.cholesky(m), factor, bound)


SINGULAR = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [0.0, 1.0, 4.0]])
"""Twice its first row is its second; whether rows are eliminated or columns, each quotient is a
power of two, so that the pivot that is 0 comes out as 0, with fused products, too."""
INDEFINITE = np.array([[2.0, 4.0, 0.0], [4.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
"""Symmetric, with the eigenvalue -2."""


@clause("matmul.no-solution", covers=["notes.matmul-family"])
def what_has_no_inverse_raises(torch: Any, device: str) -> None:
    """inv and solve of a matrix whose rows are dependent raise, and so does cholesky of one that is
    not positive definite; alone, and as one of a batch."""
    ask: tuple[tuple[str, Array, Callable[[Any], Any]], ...] = (
        ("linalg.inv", SINGULAR, lambda x: torch.linalg.inv(x)),
        ("inverse", SINGULAR, lambda x: torch.inverse(x)),
        ("solve", SINGULAR, lambda x: torch.linalg.solve(x, torch.ones_like(x))),
        ("solve of a vector", SINGULAR, lambda x: torch.linalg.solve(x, torch.ones_like(x[0]))),
        ("zeros", np.zeros((2, 2)), lambda x: torch.linalg.inv(x)),
        ("of one element", np.zeros((1, 1)), lambda x: torch.linalg.inv(x)),
        ("cholesky", INDEFINITE, lambda x: torch.linalg.cholesky(x)),
        ("cholesky of one element", -np.ones((1, 1)), lambda x: torch.linalg.cholesky(x)),
    )
    for (what, matrix, act), dtype in product(ask, supported(SINGLE)):
        good = tensor_of(torch, device, np.eye(len(matrix), dtype=dtype))
        bad = tensor_of(torch, device, matrix.astype(dtype))
        with case(function=what, dtype=dtype):
            assert_raises(act, bad)
            act(good)
        # A batch of matrices is solved for a batch of matrices.
        for number in range(3) if what != "solve of a vector" else ():
            batch = torch.stack([*[good] * number, bad, *[good] * (2 - number)])
            with case(function=what, dtype=dtype, number=number):
                assert_raises(act, batch)
