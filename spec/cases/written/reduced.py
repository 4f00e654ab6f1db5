"""Reductions, written out."""

from __future__ import annotations

from math import inf, log, nan

import numpy as np

from tenet.spec.cases.written.language import (
    Written,
    call,
    counted,
    counted_floats,
    f32,
    function,
    i64,
)

A, C = counted(2, 3), counted(2, 3, 4)
ONE = np.array(3, np.float32)
FIRST = np.array(0)
ALONE = {
    **dict.fromkeys(("sum", "mean", "prod", "nansum", "nanmean", "amax", "amin", "logsumexp"), ONE),
    **dict.fromkeys(("max", "min", "median", "nanmedian", "mode"), (ONE, FIRST)),
    **dict.fromkeys(("argmax", "argmin"), FIRST),
    **dict.fromkeys(("any", "all"), np.array(True)),
    "aminmax": (ONE, ONE),
}
"""What reductions of a tensor without dimensions give."""

S = counted_floats(2, 3)
T = f32([3, 1, 2], [0, 5, 4])
QUARTERS = f32(0, 1, 2, 4)
UNSURE = f32([1, nan, 3], [nan, nan, nan])
HIGH = f32([1000, 1000], [1000, 1000])

REDUCED: tuple[Written, ...] = (
    *(call("sum", C.astype(np.float32), dims, keepdim=keep,
           gives=C.astype(np.float32).sum(dims, keepdims=keep))
      for dims in ((-1, -2), (0, 2), (-3,), 1, (0, 1, 2)) for keep in (False, True)),
    call("sum", np.array([True, True, False]), gives=np.array(2)),
    call("sum", S, None, True, gives=f32([15])),
    call("sum", C.astype(np.float32), dim=None, keepdim=True, gives=f32([[276]])),
    call("nansum", UNSURE, dim=None, keepdim=True, gives=f32([4])),
    call("mean", S, (0, 1), keepdim=True, gives=f32([2.5])),
    call("mean", S, dim=None, keepdim=True, gives=f32([2.5])),
    call("mean", S, -1, gives=f32(1, 4)),
    call("prod", S + 1, -1, keepdim=True, gives=f32([6], [120])),
    call("nansum", UNSURE, gives=np.float32(4)),
    call("nansum", UNSURE, 1, gives=f32(4, 0)),
    call("nanmean", UNSURE, -1, gives=f32(2, nan)),
    function("std_mean", f32([1, 1], [2, 2]), dim=-1, keepdim=True,
         gives=(f32([0], [0]), f32([1], [2]))),
    function("var_mean", f32([1, 3], [5, 9]), dim=1, correction=0, keepdim=True,
         gives=(f32([1], [4]), f32([2], [7]))),
    function("var_mean", f32(1, 3, 5), dim=None, gives=(np.float32(4), np.float32(3))),
    *(call(name, ONE, dim=dim, keepdim=keep, gives=gives)
      for name, gives in ALONE.items() for dim in (0, -1) for keep in (True, False)),
    *(call("kthvalue", ONE, 1, dim, keepdim=keep, gives=(ONE, FIRST))
      for dim in (0, -1) for keep in (True, False)),
    call("kthvalue", ONE, 1, gives=(ONE, FIRST)),
    *(call(name, ONE, 0.5, dim=dim, keepdim=keep, gives=ONE)
      for name in ("quantile", "nanquantile") for dim in (0, -1) for keep in (True, False)),
    *(call(name, ONE, dim, gives=ONE)
      for name in ("cumsum", "cumprod", "logcumsumexp") for dim in (0, -1)),
    *(call(name, ONE, dim, gives=(ONE, FIRST)) for name in ("cummax", "cummin") for dim in (0, -1)),
    *(function("linalg.vector_norm", ONE, order, dim, keep, gives=ONE)
      for order in (2, 1, inf) for dim in (0, -1) for keep in (True, False)),
    call("var", f32(1, 3, 5), correction=1, gives=np.float32(4)),
    call("var", f32(1, 3, 5), correction=2, gives=np.float32(8)),
    call("var", f32([1, 3], [5, 9]), 1, False, True, gives=f32([1], [4])),
    call("var", f32([1, 3], [5, 9]), (0, 1), unbiased=False, gives=np.float32(8.75)),
    call("var", f32([1, 3], [5, 7]), dim=None, correction=0, keepdim=True, gives=f32([5])),
    call("var", f32(1, 3, 5, 9), 0, correction=0.5, gives=np.float32(10), near=2),
    call("std", f32([0, 2], [5, 9]), 1, correction=1.5, gives=f32(2, 4), near=2),
    call("var", f32(1, 3, 5), correction=3, gives=np.float32(inf)),
    call("var", f32([1, 3], [5, 9]), -1, correction=5, gives=f32(inf, inf)),
    call("std", f32(1, 3, 5), unbiased=True, gives=np.float32(2)),
    call("std", f32([0, 2], [5, 9]), 1, unbiased=False, gives=f32(1, 2)),
    call("std", f32([0, 2], [5, 9]), -1, False, True, gives=f32([1], [2])),
    call("std", f32([0, 2], [5, 9]), (0, 1), unbiased=False, gives=np.sqrt(11.5), near=2),
    function("std_mean", f32([0, 2], [5, 9]), 1, unbiased=False, gives=(f32(1, 2), f32(1, 7))),
    function("var_mean", f32([0, 2], [5, 9]), False, gives=(np.float32(11.5), np.float32(4)),
             near=2),
    call("amax", T, (0, 1), gives=np.float32(5)),
    call("amin", T, (-1,), True, gives=f32([1], [0])),
    call("aminmax", T, dim=-1, keepdim=True, gives=(f32([1], [0]), f32([3], [5]))),
    call("amax", T, (), True, gives=f32([5])),
    call("aminmax", T, keepdim=True, gives=(f32([0]), f32([5]))),
    call("aminmax", T, gives=(np.float32(0), np.float32(5))),
    call("argmax", T, gives=np.array(4)),
    call("argmax", T, -1, True, gives=i64([0], [1])),
    call("argmax", T, keepdim=True, gives=i64([4])),
    call("argmin", T, None, True, gives=i64([3])),
    call("argmax", f32([nan, nan, 1], [1, nan, nan]), 1, gives=i64(0, 1)),
    call("argmin", f32([nan, nan, 1], [1, nan, nan]), gives=np.array(0)),
    call("argmin", T, dim=0, keepdim=True, gives=i64([1, 0, 0])),
    call("max", T, -1, keepdim=True, gives=(f32([3], [5]), i64([0], [1]))),
    call("min", T, dim=0, gives=(f32(0, 1, 2), i64(1, 0, 0))),
    call("max", T, T[::-1].copy(), gives=np.maximum(T, T[::-1])),
    call("min", T, f32(2, 2, 2), gives=np.minimum(T, 2)),
    call("any", T > 4, 1, True, gives=np.array([[False], [True]])),
    call("all", T > 0, (0, 1), gives=np.array(False)),
    call("any", T > 4, dim=(0,), gives=np.array([False, True, False])),
    call("count_nonzero", T, (0, 1), gives=np.array(5)),
    call("count_nonzero", T, dim=0, gives=i64(1, 2, 2)),
    call("median", f32(4, 1, 3, 2), gives=np.float32(2)),
    call("median", f32([5, 1, 3], [4, 6, 8]), -1, True, gives=(f32([3], [6]), i64([2], [1]))),
    call("median", f32(2, nan, 1), gives=np.float32(nan)),
    call("nanmedian", f32(2, nan, 1, 7), gives=np.float32(2)),
    call("kthvalue", T, 2, 1, True, gives=(f32([2], [4]), i64([2], [2]))),
    call("kthvalue", T, k=3, dim=-1, gives=(f32(3, 5), i64(0, 1))),
    call("cumsum", A, -2, gives=A.cumsum(0)),
    call("cumsum", S, dim=1, gives=S.cumsum(1)),
    call("cumprod", S + 1, -1, gives=(S + 1).cumprod(1)),
    call("cummax", f32(1, 3, 2, 5), 0, gives=(f32(1, 3, 3, 5), i64(0, 1, 1, 3))),
    call("cummin", f32([3, 1], [2, 4]), -2, gives=(f32([3, 1], [2, 1]), i64([0, 0], [1, 0]))),
    call("logcumsumexp", f32(-inf, -inf, 0), 0, gives=f32(-inf, -inf, 0)),
    call("logcumsumexp", f32(-inf, -inf, 0).astype(np.float64), dim=-1,
         gives=np.array([-inf, -inf, 0])),
    call("logsumexp", HIGH, (0, 1), gives=np.float64(1000 + log(4)), near=4),
    call("logsumexp", HIGH, -1, True, gives=np.array([[1000 + log(2)]] * 2), near=4),
    call("logsumexp", -HIGH, dim=(0, 1), keepdim=True, gives=np.array([[log(4) - 1000]]), near=4),
    call("diff", i64(0, 1, 4, 9), n=2, prepend=i64(5), gives=i64(6, 2, 2)),
    call("diff", i64(0, 1, 4, 9), append=i64(16, 25), gives=i64(1, 3, 5, 7, 9)),
    call("diff", A, 1, 0, gives=np.diff(A, axis=0)),
    call("diff", A, n=2, dim=-1, append=A[:, :1], gives=np.diff(A, 2, append=A[:, :1])),
    call("bincount", i64(1, 1, 3), minlength=2, gives=i64(0, 2, 0, 1)),
    call("bincount", i64(1, 1, 3), minlength=6, gives=i64(0, 2, 0, 1, 0, 0)),
    call("bincount", i64(0, 2, 2), f32(0.5, 1, 2), gives=np.array([0.5, 0, 3], np.float32)),
    call("cov", f32(1, 3), correction=0, gives=np.float32(1)),
    call("cov", f32([1, 3], [2, 6]), gives=f32([2, 4], [4, 8])),
    call("cov", f32(1, 3), fweights=i64(1, 3), correction=0, gives=np.float32(0.75)),
    call("quantile", QUARTERS, f32(0.25, 0.75), interpolation="lower", gives=f32(0, 2)),
    call("quantile", QUARTERS, f32(0.25, 0.75), interpolation="higher", gives=f32(1, 4)),
    call("quantile", QUARTERS, f32(0.25, 0.875), interpolation="nearest", gives=f32(1, 4)),
    call("quantile", QUARTERS, 0.5, interpolation="midpoint", gives=np.float32(1.5)),
    call("quantile", QUARTERS, 0.5, gives=np.float32(1.5)),
    call("quantile", T, 0.5, keepdim=True, gives=f32([2.5])),
    call("quantile", T, 0.5, -1, True, gives=f32([2], [4])),
    call("quantile", T, f32(0, 0.5, 1), dim=1, gives=f32([1, 0], [2, 4], [3, 5])),
    call("nanquantile", f32(1, nan, 3), 0.5, gives=np.float32(2)),
    call("histc", f32(0, 1, 1, 2, 4), 4, 0, 4, gives=f32(1, 2, 1, 1)),
    call("unique_consecutive", i64(1, 1, 2, 1), return_inverse=True, return_counts=True,
         gives=(i64(1, 2, 1), i64(0, 0, 1, 2), i64(2, 1, 1))),
    call("unique", i64([2, 1], [2, 1], [0, 5]), return_counts=True, dim=0,
         gives=(i64([0, 5], [2, 1]), i64(1, 2))),
    call("unique", i64(3, 1, 3), return_inverse=True, gives=(i64(1, 3), i64(1, 0, 1))),
    function("trapezoid", f32(1, 3, 5), gives=np.float32(6)),
    function("trapezoid", f32([1, 3], [5, 7]), dx=2, dim=0, gives=f32(6, 10)),
    function("trapezoid", f32(1, 3, 5), f32(0, 2, 3), gives=np.float32(8)),
    function("cumulative_trapezoid", f32(1, 3, 5), gives=f32(2, 6)),
    function("linalg.norm", f32([3, 0], [4, 0]), gives=np.float32(5)),
    function("linalg.vector_norm", f32([3, -4], [0, 0]), 1, -1, True, gives=f32([7], [0])),
    function("linalg.vector_norm", f32(3, -4, 0), 0, gives=np.float32(2)),
    function("linalg.vector_norm", f32(nan, 3, 0, inf), 0, gives=np.float32(3)),
    function("linalg.vector_norm", f32([3, -4], [0, 0]), keepdim=True, gives=f32([5])),
    function("linalg.vector_norm", f32([3, -4], [0, 2]), 0, 0, gives=f32(1, 2)),
    function("linalg.vector_norm", f32([9, -4], [0, 2]), 0.5, -1, gives=f32(25, 2), near=4),
    function("linalg.vector_norm", f32(3, -4, 0), ord=inf, gives=np.float32(4)),
    function("linalg.vector_norm", f32(3, -4, 0), ord=-inf, gives=np.float32(0)),
    function("linalg.matrix_norm", f32([1, -2], [3, 4]), 1, gives=np.float32(6)),
    function("linalg.matrix_norm", f32([1, -2], [3, 4]), inf, gives=np.float32(7)),
)  # fmt: skip
