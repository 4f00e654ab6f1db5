"""Calls that compute element by element, and products, written out."""

from __future__ import annotations

from math import inf, log, nan, pi

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

S = counted_floats(2, 3)

HIGH = f32([1000, 1000], [1000, 1000])


ZETA_3 = 1.2020569031595942854
EDGES = f32(-inf, -2.5, -0.0, 0.0, 1.5, inf, nan)

COMPUTED: tuple[Written, ...] = (
    call("clamp", i64(1, 2, 3), 1.5, gives=f32(1.5, 2, 3)),
    call("clamp", i64(1, 2, 3), max=2.5, gives=f32(1, 2, 2.5)),
    call("clamp", f32(0, 5), 3, 1, gives=f32(1, 1)),
    call("clamp", f32(nan, 0, 5), min=f32(1, 1, 1), gives=f32(nan, 1, 5)),
    call("clamp", f32(nan, 0, 5), max=f32(1, 1, 1), gives=f32(nan, 0, 1)),
    call("clamp", i64(-5, 0, 5), i64(-1, 1, 1), i64(1, 2, 3), gives=i64(-1, 1, 3)),
    call("round", f32(15, 25, -25, 1234), decimals=-1, gives=f32(20, 20, -20, 1230)),
    call("round", f32(0.125, -0.375), decimals=2, gives=f32(0.12, -0.38), near=1),
    call("pow", i64(2, -3), 3, gives=i64(8, -27)),
    call("pow", f32(2, 4), -1, gives=f32(0.5, 0.25)),
    call("pow", f32(4, 9), 0.5, gives=f32(2, 3)),
    call("pow", f32(0, 1, nan), 0, gives=f32(1, 1, 1)),
    function("pow", 2, i64(0, 3), gives=i64(1, 8)),
    function("pow", 2.0, i64(-1, 3), gives=f32(0.5, 8)),
    call("div", i64(7, -7), 2, gives=f32(3.5, -3.5)),
    call("div", i64(7, -7), 2, rounding_mode="floor", gives=i64(3, -4)),
    call("div", i64(7, -7), 2, rounding_mode="trunc", gives=i64(3, -3)),
    call("div", i64(7, -7), 2.0, rounding_mode="trunc", gives=f32(3, -3)),
    call("div", f32(7, -7), f32(2), rounding_mode="floor", gives=f32(3, -4)),
    call("floor_divide", i64(7, -7), 2, gives=i64(3, -4)),
    call("remainder", i64(7, -7), 3, gives=i64(1, 2)),
    call("remainder", f32(7, -7), -3, gives=f32(-2, -1)),
    call("fmod", i64(7, -7), 3, gives=i64(1, -1)),
    function("remainder", 7, i64(3, -3), gives=i64(1, -2)),
    call("add", i64(1, 2), 3, alpha=2, gives=i64(7, 8)),
    call("add", f32(1, 2), np.array(3), alpha=0.5, gives=f32(2.5, 3.5)),
    call("sub", i64(1, 2), i64(3), alpha=-2, gives=i64(7, 8)),
    function("sub", np.array(5), i64(3), gives=i64(2)),
    function("rsub", i64(1, 2), 5, gives=i64(4, 3)),
    call("lerp", f32(0, 10), f32(1, 20), 2.0, gives=f32(2, 30)),
    call("lerp", f32(0, 10), f32(1, 20), -1.0, gives=f32(-1, 0)),
    call("lerp", f32(0, 10), f32(1, 20), f32(0.5, 0), gives=f32(0.5, 10)),
    call("addcmul", f32(1, 2), f32(3, 4), f32(5), value=-1, gives=f32(-14, -18)),
    call("addcdiv", f32(1, 2), f32(3, 4), f32(2), value=2, gives=f32(4, 6)),
    call("ldexp", f32(2**-100, 3), i64(110, -1), gives=f32(1024, 1.5)),
    call("logit", f32(0, 1), eps=0.25, gives=np.array([-log(3), log(3)]), near=4),
    call("logit", f32(0, 0.5, 1), gives=f32(-inf, 0, inf)),
    call("nan_to_num", EDGES[[0, 5, 6]], 1, 2, 3, gives=f32(3, 2, 1)),
    call("nan_to_num", EDGES[[0, 5, 6]], posinf=4, gives=f32(np.finfo(np.float32).min, 4, 0)),
    call("heaviside", EDGES[:6], f32(0.5), gives=f32(0, 0, 0.5, 0.5, 1, 1)),
    call("copysign", f32(1, -2), -0.0, gives=f32(-1, -2)),
    call("sign", EDGES[:6], gives=f32(-1, -1, 0, 0, 1, 1)),
    call("signbit", EDGES[:6], gives=np.array([True, True, True, False, False, False])),
    call("xlogy", f32(0, 0, 2), f32(0, nan, 1), gives=f32(0, nan, 0)),
    call("logaddexp", f32(-inf, inf, 0).astype(np.float64), f32(-inf, 0, 0).astype(np.float64),
         gives=np.array([-inf, inf, log(2)]), near=4),
    call("float_power", i64(2, 3), 2, gives=np.array([4.0, 9.0])),
    call("bitwise_and", i64(6, -1), 3, gives=i64(2, 3)),
    call("bitwise_right_shift", np.array([-8, 8], np.int8), 1, gives=np.array([-4, 4], np.int8)),
    call("bitwise_left_shift", np.array([1, 3], np.uint8), 7, gives=np.array([128, 128], np.uint8)),
    call("gcd", i64(-4, 0, 12), i64(6, -5, -18), gives=i64(2, 5, 6)),
    call("lcm", i64(-4, 0, 3), i64(6, 5, 3), gives=i64(12, 0, 3)),
    call("isclose", f32(1, 1, nan, inf), f32(1.5, 3, nan, inf), 0.0, 0.5, True,
         gives=np.array([True, False, True, True])),
    call("isclose", f32(1, nan), f32(1, nan), gives=np.array([True, False])),
    function("where", np.array([True, False]), 1.5, i64(4, 5), gives=f32(1.5, 5)),
    function("where", np.array([True, False]), f32(1, 2), 0, gives=f32(1, 0)),
    call("maximum", f32(nan, 1), f32(0, nan), gives=f32(nan, nan)),
    call("fmax", f32(nan, 1), f32(0, nan), gives=f32(0, 1)),
    function("vander", i64(1, 2, 3), gives=np.vander([1, 2, 3])),
    function("vander", i64(1, 2, 3), 2, True, gives=np.vander([1, 2, 3], 2, True)),
    call("hypot", f32(3e30, 0), f32(4e30, -2), gives=f32(5e30, 2), near=4),
    function("polygamma", 2, f32(1, 2), gives=np.array([-2 * ZETA_3, 2 - 2 * ZETA_3]), near=8),
    function("polygamma", 3, f32(1), gives=np.array([pi**4 / 15]), near=8),
    call("frac", f32(-2.5, 2.25), gives=f32(-0.5, 0.25)),
    call("softmax", HIGH, -1, gives=f32([0.5, 0.5], [0.5, 0.5])),
    call("log_softmax", HIGH, dim=0, gives=np.full((2, 2), -log(2)), near=4),
    call("softmax", f32(-inf, 0), 0, gives=f32(0, 1)),
)  # fmt: skip
"""Numbers computed element by element, exactly but where `near` says otherwise."""

MULTIPLIED: tuple[Written, ...] = (
    call("cross", f32([1, 0, 0]), f32([0, 1, 0]), dim=-1, gives=f32([0, 0, 1])),
    function("linalg.cross", f32([1], [0], [0]), f32([0], [1], [0]), dim=-2,
              gives=f32([0], [0], [1])),
    function("linalg.cross", f32([0, 1, 0]), f32([0, 0, 1], [1, 0, 0]),
              gives=f32([1, 0, 0], [0, 0, -1])),
    call("outer", np.array([True, False]), np.array([True, True]),
         gives=np.array([[True, True], [False, False]])),
    call("outer", i64(1, 2), f32(0.5, 2), gives=f32([0.5, 2], [1, 4])),
    function("tensordot", S, S, 0, gives=np.multiply.outer(S, S)),
    function("tensordot", S, S, 2, gives=np.float32(55)),
    function("tensordot", S, S, ([1], [1]), gives=S @ S.T),
    function("tensordot", S, S, dims=([0, 1], [0, 1]), gives=np.float32(55)),
    call("matrix_power", f32([1, 1], [0, 1]), 3, gives=f32([1, 3], [0, 1])),
    call("matrix_power", f32([1, 1], [0, 1]), 0, gives=f32([1, 0], [0, 1])),
    call("matrix_power", f32([2, 0], [0, 4]), -1, gives=f32([0.5, 0], [0, 0.25])),
    call("addmm", f32(1, 2), f32([1, 2], [3, 4]), f32([1, 0], [0, 1]), beta=0.5, alpha=2,
         gives=f32([2.5, 5], [6.5, 9])),
    call("addmm", f32([10], [20]), f32([1, 2], [3, 4]), f32([1, 0], [0, 1]),
         gives=f32([11, 12], [23, 24])),
    call("addmm", f32([10, 20]), f32([1, 2], [3, 4]), f32([1, 0], [0, 1]),
         gives=f32([11, 22], [13, 24])),
    call("addmm", np.array(10, np.float32), f32([1, 2], [3, 4]), f32([1, 0], [0, 1]),
         gives=f32([11, 12], [13, 14])),
    call("baddbmm", f32([[10], [20]]), f32([[1, 2], [3, 4]]), f32([[1, 0], [0, 1]]),
         gives=f32([[11, 12], [23, 24]])),
    call("addr", f32([10], [20]), f32(1, 2), f32(3, 4), gives=f32([13, 14], [26, 28])),
    call("addmm", f32(nan, inf), f32([1, 2], [3, 4]), f32([1, 0], [0, 1]), beta=0,
         gives=f32([1, 2], [3, 4])),
    call("baddbmm", S[None, :, :2], S[None], counted_floats(1, 3, 2), beta=2, alpha=0.5,
         gives=2 * S[None, :, :2] + 0.5 * (S[None] @ counted_floats(1, 3, 2))),
    call("addmv", f32(1, 2), f32([1, 2], [3, 4]), f32(1, 1), alpha=2, beta=-1, gives=f32(5, 12)),
    call("addr", f32([1, 1], [1, 1]), f32(1, 2), f32(3, 4), beta=0, alpha=2,
         gives=f32([6, 8], [12, 16])),
    function("einsum", "ij,kj->ki", S, S[:1], gives=S[:1] @ S.T),
    function("einsum", "ba", S, gives=S.T),
    function("einsum", "ii->i", S[:, :2], gives=f32(0, 4)),
    function("einsum", "...i,i->...", C.astype(np.float32), f32(1, 0, 0, 2),
              gives=(C[..., 0] + 2 * C[..., 3]).astype(np.float32)),
    function("linalg.solve", f32([2, 1], [0, 1]), f32([1, 1]), left=False, gives=f32([0.5, 0.5])),
    function("linalg.solve", f32([2, 0], [0, 4]), f32(1, 1), gives=f32(0.5, 0.25)),
    function("linalg.cholesky", f32([4, 2], [2, 5]), gives=f32([2, 0], [1, 2])),
    function("linalg.cholesky", f32([4, 2], [2, 5]), upper=True, gives=f32([2, 1], [0, 2])),
    # matmul.kron-of-transposed asks of other layouts.
    function("kron", A, i64([1, 2], [0, 1]), laid=False, gives=np.kron(A, i64([1, 2], [0, 1]))),
    function("linalg.multi_dot", [S, S.T.copy(), S], gives=S @ S.T @ S),
    function("linalg.diagonal", S, offset=-1, gives=f32(3)),
)  # fmt: skip
"""Products of vectors and matrices, and what undoes them."""
