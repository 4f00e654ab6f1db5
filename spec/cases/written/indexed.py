"""Calls that find elements, or put them somewhere, written out."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from tenet.spec.cases.written.language import (
    Array,
    Written,
    call,
    counted_floats,
    f32,
    function,
    i64,
)

T = f32([3, 1, 2], [0, 5, 4])

SIX = counted_floats(2, 3) + 1
YES = np.array([True, True, True])
UNSIGNED = np.array([[3, 250, 7], [255, 0, 128]], np.uint8)


def _put(base: Array, index: Any, value: Any) -> Array:
    result = base.copy()
    result[index] = value
    return result


INDEXED: tuple[Written, ...] = (
    call("gather", i64([1, 2, 3], [4, 5, 6]), 0, i64([1]), gives=i64([4])),
    call("gather", i64([1, 2, 3], [4, 5, 6]), 0, i64([1, 0]), gives=i64([4, 2])),
    call("gather", i64([1, 2, 3], [4, 5, 6]), -1, i64([2, 2, 0, 1]), gives=i64([3, 3, 1, 2])),
    call("take_along_dim", SIX, i64([2], [0]), dim=-1, gives=f32([3], [4])),
    # Of a strided tensor indexing.take-along-flattened asks it: torch 2.13 refuses one.
    call("take_along_dim", SIX, i64(5, 0, 1), laid=False, gives=f32(6, 1, 2)),
    call("take", SIX, i64([0, 5], [-1, -6]), gives=f32([1, 6], [6, 1])),
    call("index_select", SIX, -1, i64(2, 0, 2), gives=SIX[:, [2, 0, 2]]),
    call("index_select", SIX, dim=0, index=np.array([1], np.int32), gives=SIX[1:]),
    call("index_copy", SIX, -2, i64(1, 0), SIX + 10, gives=(SIX + 10)[::-1].copy()),
    call("index_copy", SIX, -1, i64(2), f32([0], [9]), gives=f32([1, 2, 0], [4, 5, 9])),
    call("index_fill", SIX, -1, i64(0, 2), 9.0, gives=f32([9, 2, 9], [9, 5, 9])),
    call("index_fill", SIX, 0, i64(1), np.array(7, np.float32), gives=f32([1, 2, 3], [7, 7, 7])),
    call("index_add", SIX, -2, i64(1, 1), f32([1, 1, 1], [2, 2, 2]), alpha=2,
         gives=f32([1, 2, 3], [10, 11, 12])),
    call("index_add", i64(1, 2), 0, i64(0, 0, 1), i64(1, 1, 1), alpha=-1, gives=i64(-1, 1)),
    call("scatter", SIX, 1, i64([1, 2], [0, 0]), 9.0, gives=f32([1, 9, 9], [9, 5, 6])),
    call("scatter", SIX, -2, i64([1, 0, 1]), f32([7, 8, 9]), gives=f32([1, 8, 3], [7, 5, 9])),
    call("scatter", YES, 0, i64(2, 0), False, gives=np.array([False, True, False])),
    call("index_fill", YES, 0, i64(1), False, gives=np.array([True, False, True])),
    call("masked_fill", YES, np.array([True, False, False]), False,
         gives=np.array([False, True, True])),
    call("masked_fill", ~YES, np.array([False, True, False]), np.array(True),
         gives=np.array([False, True, False])),
    call("scatter", SIX, 1, i64([0, 2], [1, 1]), 3.0, reduce="multiply",
         gives=f32([3, 2, 9], [4, 45, 6])),
    call("scatter_add", SIX, -1, i64([0, 0, 2]), f32([1, 1, 1]), gives=f32([3, 2, 4], [4, 5, 6])),
    *(call("scatter_reduce", f32(4, 5), 0, i64(0, 0), f32(8, 2), how, include_self=with_self,
           gives=f32(value, 5))
      for how, with_self, value in (
          ("sum", True, 14), ("sum", False, 10), ("prod", True, 64), ("prod", False, 16),
          ("amax", True, 8), ("amax", False, 8), ("amin", True, 2), ("amin", False, 2),
          ("mean", False, 5))),
    call("scatter_reduce", f32(4, 5), 0, i64(0), f32(8), "mean", gives=f32(6, 5)),
    call("scatter_reduce", f32(4, 5), 0, i64(0), f32(2), "amax", include_self=False,
         gives=f32(2, 5)),
    call("scatter_reduce", f32(4, 5), 0, i64(1), f32(9), reduce="amin", include_self=False,
         gives=f32(4, 9)),
    call("scatter_reduce", i64(4, 5), 0, i64(0), i64(8), "mean", gives=i64(6, 5)),
    call("scatter_reduce", np.array([4, 5], np.int32), 0, i64(0, 0), np.array([8, 0], np.int32),
         "mean", gives=np.array([4, 5], np.int32)),
    *(call("index_reduce", f32([4, 6], [5, 7]), 0, i64(0, 0), f32([8, 2], [2, 1]), how,
           include_self=with_self, gives=f32(row, [5, 7]))
      for how, with_self, row in (
          ("prod", True, [64, 12]), ("prod", False, [16, 2]), ("amax", True, [8, 6]),
          ("amax", False, [8, 2]), ("amin", True, [2, 1]), ("amin", False, [2, 1]))),
    call("scatter_reduce", np.array([-4, 5], np.int32), 0, i64(0, 0), np.array([-8, 0], np.int32),
         "mean", gives=np.array([-4, 5], np.int32)),
    call("index_reduce", f32([4, 2]), -1, i64(1, 1), f32([8, 2]), "mean", gives=f32([4, 4])),
    call("index_reduce", f32([4, 2]), 1, i64(1, 1), f32([8, 2]), "mean", include_self=False,
         gives=f32([4, 5])),
    call("masked_scatter", SIX, np.array([True, False, True]), f32(10, 20, 30, 40),
         gives=f32([10, 2, 20], [30, 5, 40])),
    call("masked_scatter", SIX, np.array([[True], [False]]), f32(7, 8, 9, 0),
         gives=f32([7, 8, 9], [4, 5, 6])),
    call("masked_fill", SIX, np.array([True, False, True]), 0, gives=f32([0, 2, 0], [0, 5, 0])),
    call("masked_fill", SIX.astype(np.float64), np.array([[True], [False]]), np.array(0.1),
         gives=np.array([[0.1] * 3, [4, 5, 6]])),
    call("masked_fill", SIX, np.array([[True], [False]]), np.array(0.1),
         gives=f32([0.1] * 3, [4, 5, 6])),
    call("masked_fill", SIX, np.array([True, False, True]), np.array(7, np.float32),
         gives=f32([7, 2, 7], [7, 5, 7])),
    call("masked_fill", i64(1, 2), np.array([False, True]), np.array(9), gives=i64(1, 9)),
    call("masked_select", SIX, np.array([[True], [False]]), gives=f32(1, 2, 3)),
    call("masked_select", f32(5), np.array([[True, False], [True, True]]), gives=f32(5, 5, 5)),
    call("nonzero", np.array(3), gives=np.zeros((1, 0), np.int64)),
    call("nonzero", np.array(0.0, np.float32), gives=np.zeros((0, 0), np.int64)),
    call("nonzero", f32([0, nan], [-0.0, 2]), gives=i64([0, 1], [1, 1])),
    call("nonzero", f32([0, nan], [-0.0, 2]), as_tuple=True, gives=(i64(0, 1), i64(1, 1))),
    call("nonzero", np.array(3), as_tuple=True, gives=(i64(0),)),
    call("nonzero", np.array(0), as_tuple=True, gives=(i64(),)),
    call("argwhere", i64([0, 3], [4, 0]), gives=i64([0, 1], [1, 0])),
    function("where", np.array([[False, True], [True, False]]), gives=(i64(0, 1), i64(1, 0))),
    call("topk", UNSIGNED, 2, gives=(np.array([[250, 7], [255, 128]], np.uint8),
                                     i64([1, 2], [0, 2]))),
    call("topk", UNSIGNED, 2, -1, False, gives=(np.array([[3, 7], [0, 128]], np.uint8),
                                                i64([0, 2], [1, 2]))),
    call("topk", T, 1, -1, False, False, gives=(f32([1], [0]), i64([1], [0]))),
    call("topk", T, 1, sorted=False, gives=(f32([3], [5]), i64([0], [1]))),
    call("topk", T, 1, dim=0, largest=False, gives=(f32([0, 1, 2]), i64([1, 0, 0]))),
    call("topk", T, 3, sorted=True, gives=(f32([3, 2, 1], [5, 4, 0]), i64([0, 2, 1], [1, 2, 0]))),
    call("sort", UNSIGNED, -1, True, gives=(np.array([[250, 7, 3], [255, 128, 0]], np.uint8),
                                            i64([1, 2, 0], [0, 2, 1]))),
    call("sort", T, dim=0, gives=(f32([0, 1, 2], [3, 5, 4]), i64([1, 0, 0], [0, 1, 1]))),
    call("sort", i64(2, 1, 2, 1), stable=True, descending=True,
         gives=(i64(2, 2, 1, 1), i64(0, 2, 1, 3)), method=True),
    # Zeros of either sign are equal.
    call("sort", f32(0.0, 1, -0.0, 0.0), stable=True, gives=(f32(0.0, -0.0, 0.0, 1),
                                                             i64(0, 2, 3, 1))),
    call("sort", f32(-0.0, 1, 0.0, -0.0), stable=True, descending=True,
         gives=(f32(1, -0.0, 0.0, -0.0), i64(1, 0, 2, 3))),
    call("sort", f32(2, nan, -inf, inf), gives=(f32(-inf, 2, inf, nan), i64(2, 0, 3, 1))),
    call("sort", f32(2, nan, 1), descending=True, gives=(f32(nan, 2, 1), i64(1, 0, 2))),
    call("argsort", T, -1, True, gives=i64([0, 2, 1], [1, 2, 0])),
    call("argsort", i64(1, 0, 1, 0), stable=True, gives=i64(1, 3, 0, 2)),
    call("msort", T, gives=np.sort(T, 0)),
    call("unique", i64([3, 1, 1], [5, 2, 2]), dim=1, return_inverse=True, return_counts=True,
         gives=(i64([1, 3], [2, 5]), i64(1, 0, 0), i64(2, 1))),
    call("unique", i64([3, 1], [3, 1], [0, 2]), True, True, True, -2,
         gives=(i64([0, 2], [3, 1]), i64(1, 1, 0), i64(1, 2))),
    call("unique_consecutive", i64([3, 1, 1, 3], [5, 2, 2, 5]), return_inverse=True,
         return_counts=True, dim=-1,
         gives=(i64([3, 1, 3], [5, 2, 5]), i64(0, 1, 1, 2), i64(1, 2, 1))),
    function("searchsorted", i64(1, 3, 3, 5), i64(0, 3, 5, 6), gives=i64(0, 1, 3, 4)),
    function("searchsorted", i64(1, 3, 3, 5), i64(0, 3, 5, 6), right=True, gives=i64(0, 3, 4, 4)),
    function("searchsorted", i64(1, 3, 3, 5), i64(0, 3, 5, 6), side="right", gives=i64(0, 3, 4, 4)),
    function("searchsorted", i64([1, 3], [5, 7]), i64([2], [7]), gives=i64([1], [1])),
    function("searchsorted", i64(5, 1, 3), i64(4), sorter=i64(1, 2, 0), gives=i64(2)),
    function("bucketize", i64(1, 3, 4), i64(1, 3), gives=i64(0, 1, 2)),
    function("bucketize", i64(1, 3, 4), i64(1, 3), right=True, gives=i64(1, 2, 2)),
    # A number has a place, too: one without dimensions.
    function("bucketize", 3, i64(1, 3), gives=np.array(1)),
    function("bucketize", 3, i64(1, 3), right=True, gives=np.array(2)),
    function("bucketize", 3, i64(1, 3), out_int32=True, right=True, gives=np.array(2, np.int32)),
    function("searchsorted", i64(1, 3, 3, 5), 3, gives=np.array(1)),
    function("searchsorted", i64(1, 3, 3, 5), 3, right=True, gives=np.array(3)),
    function("searchsorted", i64(1, 3, 3, 5), 3, side="right", gives=np.array(3)),
    call("select_scatter", SIX, f32(8, 9), 1, -1, gives=_put(SIX, (slice(None), -1), [8, 9])),
    call("slice_scatter", SIX, f32([8, 9], [7, 6]), dim=1, start=0, end=3, step=2,
         gives=_put(SIX, (slice(None), slice(0, 3, 2)), [[8, 9], [7, 6]])),
    call("diagonal_scatter", SIX, f32(8, 9), 1, gives=f32([1, 8, 3], [4, 5, 9])),
    call("diagonal_scatter", SIX[:, :2], f32(8), -1, gives=f32([1, 2], [8, 5])),
    function("isin", i64(1, 2, 3), i64(2, 5), invert=True, gives=np.array([True, False, True])),
    function("isin", i64(1, 2), i64(1), assume_unique=True, invert=True,
              gives=np.array([False, True])),
    function("isin", i64(1, 2), i64(1), assume_unique=True, gives=np.array([True, False])),
    function("isin", i64([1, 2], [2, 3]), 2, gives=np.array([[False, True], [True, False]])),
)  # fmt: skip
"""Elements by their places, and places by their elements."""
