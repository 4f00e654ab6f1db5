"""Calls written out: every argument at hand, in the order and the forms of the documents.

What is drawn elsewhere meets an option now and then; here each one stands in a line, with what
NumPy or a count by hand makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from math import inf, log, nan, pi
from typing import Any

import numpy as np

from tenet.spec.cases.operands import tensor_of
from tenet.spec.language import assert_close, assert_equal, assert_that, case, dtype_name
from tenet.spec.model.dtypes import numpy_dtype
from tenet.spec.model.tolerance import ulps

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Written:
    """A call, and what it gives: an array, or a tuple of them.

    name: the function below the namespace; arguments, keywords: with arrays in the place of
    tensors; method: also a method of its first argument; near: how many units in the last place
    the result may be off, where it is not exact.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    expected: Any
    method: bool = True
    near: float = 0.0

    def spoken(self) -> str:
        """The call as one would write it."""
        parts = [_spoken(argument) for argument in self.arguments]
        parts += [f"{key}={_spoken(argument)}" for key, argument in self.keywords.items()]
        return f"{self.name}({', '.join(parts)})"

    def of(self, dtype: str) -> Written:
        """The same call of elements of a dtype, where elements are moved and not computed: of the
        first argument, or of all tensors that are joined."""
        first, *rest = self.arguments
        if not isinstance(first, np.ndarray | list | tuple):
            return self  # made of lengths alone
        if not self.method:
            rest = [_cast(argument, dtype) for argument in rest]
        arguments = (_cast(first, dtype), *rest)
        return replace(self, arguments=arguments, expected=_cast(self.expected, dtype))

    def calls(self, torch: Any, device: str) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Every way to make the call, by name."""
        arguments = tuple(_given(torch, device, argument) for argument in self.arguments)
        keywords = {key: _given(torch, device, it) for key, it in self.keywords.items()}
        function = torch
        for part in self.name.split("."):
            function = getattr(function, part)
        yield "function", lambda: function(*arguments, **keywords)
        if self.method:
            yield "method", lambda: getattr(arguments[0], self.name)(*arguments[1:], **keywords)


def _cast(argument: Any, dtype: str) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.astype(numpy_dtype(dtype))
    if isinstance(argument, list | tuple):
        return type(argument)(_cast(part, dtype) for part in argument)
    return argument


def _spoken(argument: Any) -> str:
    return repr(argument.tolist()) if isinstance(argument, np.ndarray) else repr(argument)


def _given(torch: Any, device: str, argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return tensor_of(torch, device, argument)
    if isinstance(argument, list | tuple) and any(isinstance(x, np.ndarray) for x in argument):
        return type(argument)(_given(torch, device, part) for part in argument)
    return argument


def gives_what_is_written(torch: Any, device: str, rows: Iterable[Written]) -> None:
    """Make every call, every way, and compare what it gives."""
    for row in rows:
        parts = row.expected if isinstance(row.expected, tuple) else (row.expected,)
        for spelling, call in row.calls(torch, device):
            with case(call=row.spoken(), spelling=spelling):
                result = call()
                results = result if isinstance(row.expected, tuple) else (result,)
                assert_that(len(results) == len(parts), f"{len(results)} results")
                for got, wanted in zip(results, map(np.asarray, parts), strict=True):
                    if row.near:
                        reason = "so many roundings of a short composition"
                        assert_close(got, wanted, ulps(row.near, dtype_name(got.dtype), reason))
                    else:
                        assert_equal(got, wanted)


def _row(name: str, *arguments: Any, gives: Any, **keywords: Any) -> Written:
    method, near = keywords.pop("method", True), keywords.pop("near", 0.0)
    return Written(name, arguments, keywords, gives, method, near)


def _function(name: str, *arguments: Any, gives: Any, **keywords: Any) -> Written:
    return _row(name, *arguments, gives=gives, method=False, **keywords)


def _f(*numbers: Any) -> Array:
    return np.array(numbers, np.float32)


def _i(*numbers: Any) -> Array:
    return np.array(numbers, np.int64)


def _whole(*shape: int) -> Array:
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


def _single(*shape: int) -> Array:
    return _whole(*shape).astype(np.float32)


A, B, C = _whole(2, 3), _whole(3, 2) + 10, _whole(2, 3, 4)
V, W = _whole(5), _i(7, 8)
ONE_BY_TWO = (_whole(2), _whole(3) + 5, _whole(4) + 9)

MOVED: tuple[Written, ...] = (
    *(_row("rot90", A, k, (0, 1), gives=np.rot90(A, k)) for k in (-1, 0, 1, 2, 3, 5, -2)),
    _row("rot90", A, -1, gives=np.rot90(A, -1)),
    _row("rot90", C, 1, (2, 0), gives=np.rot90(C, 1, (2, 0))),
    _row("rot90", C, k=1, dims=(-1, -2), gives=np.rot90(C, 1, (-1, -2))),
    *(_row("roll", V, by, 0, gives=np.roll(V, by)) for by in (7, -7, 5, -1, 0)),
    _row("roll", A, 2, gives=np.roll(A, 2)),
    _row("roll", A, shifts=-4, gives=np.roll(A, -4)),
    _row("roll", A, (1, 1), (0, 0), gives=A),
    _row("roll", C, (1, -2), (0, -1), gives=np.roll(C, (1, -2), (0, -1))),
    _row("roll", C, shifts=(3,), dims=(-2,), gives=C),
    _row("flip", C, (-1, 0), gives=np.flip(C, (2, 0)).copy()),
    _row("flip", C, (1,), gives=C[:, ::-1].copy()),
    _row("flip", C, (), gives=C),
    _row("chunk", V, 3, gives=(V[:2], V[2:4], V[4:])),
    _row("chunk", V, 9, gives=tuple(V[k : k + 1] for k in range(5))),
    _row("chunk", V, 4, gives=(V[:2], V[2:4], V[4:])),
    _row("chunk", A, chunks=2, dim=-1, gives=(A[:, :2], A[:, 2:])),
    _row("split", V, 2, gives=(V[:2], V[2:4], V[4:])),
    _row("split", V, 9, gives=(V,)),
    _row("split", A, (1, 2), 1, gives=(A[:, :1], A[:, 1:])),
    _row("split", A, [2, 0, 1], dim=-1, gives=(A[:, :2], A[:, :0], A[:, 2:])),
    _row("tensor_split", V, (1, 9), gives=(V[:1], V[1:], V[:0])),
    _row("tensor_split", V, (3, 1), gives=(V[:3], V[:0], V[1:])),
    _row("tensor_split", V, (-2,), gives=(V[:3], V[3:])),
    _row("tensor_split", V, (), gives=(V,)),
    _row("tensor_split", W, 3, gives=(W[:1], W[1:], W[:0])),
    _row("tensor_split", V, 3, dim=-1, gives=(V[:2], V[2:4], V[4:])),
    _row("repeat_interleave", W, _i(1, 2), dim=-1, gives=_i(7, 8, 8)),
    _row("repeat_interleave", W, _i(2, 0), gives=_i(7, 7)),
    _row("repeat_interleave", A, _i(0, 2, 1), dim=-1, gives=A[:, [1, 1, 2]]),
    _row("repeat_interleave", A, _i(0, 2), 0, gives=A[[1, 1]]),
    _row("repeat_interleave", A, _i(3), dim=0, gives=np.repeat(A, 3, 0)),
    _row("repeat_interleave", A, 2, gives=np.repeat(A, 2)),
    _row("repeat_interleave", W, _i(1, 2), dim=0, output_size=3, gives=_i(7, 8, 8)),
    _row("movedim", C, (0, -1), (-1, 0), gives=np.moveaxis(C, (0, -1), (-1, 0))),
    _row("movedim", C, -1, 0, gives=np.moveaxis(C, -1, 0)),
    _row("swapaxes", C, -1, 0, gives=np.swapaxes(C, -1, 0)),
    _row("squeeze", C.reshape(1, 6, 1, 4, 1), (0, -1), gives=C.reshape(6, 1, 4)),
    _row("squeeze", C, 1, gives=C),
    _row("unflatten", C, -1, (2, -1), gives=C.reshape(2, 3, 2, 2)),
    _row("flatten", C, -2, -1, gives=C.reshape(2, 12)),
    _row("flatten", np.array(5), gives=_i(5)),
    _row("tile", A, (2,), gives=np.tile(A, 2)),
    _row("tile", W, (2, 1, 2), gives=np.tile(W, (2, 1, 2))),
    _row("narrow", A, -1, -2, 2, gives=A[:, 1:]),
    _row("select", C, -1, -4, gives=C[..., 0]),
    _row("diagonal", A, -1, gives=_i(3)),
    _row("diagonal", C, 1, -2, -1, gives=np.diagonal(C, 1, 1, 2)),
    _row("diag_embed", W, offset=-1, gives=np.diag(W, -1)),
    _row("diag_embed", W, offset=2, gives=np.diag(W, 2)),
    _row("diag_embed", A, 0, 0, 2, gives=np.stack([np.diag(r) for r in A], 1)),
    _row("diag", W, -1, gives=np.diag(W, -1)),
    _row("diag", A, 1, gives=np.diag(A, 1)),
    _row("diagflat", A, -1, gives=np.diagflat(A, -1)),
    *(_row(name, A, k, gives=getattr(np, name)(A, k))
      for name in ("tril", "triu") for k in (-2, -1, 0, 1, 3)),
    _row("tril", C, diagonal=-1, gives=np.tril(C, -1)),
)  # fmt: skip
"""The same elements elsewhere."""

JOINS: tuple[Written, ...] = (
    *(_function("cat", [C, C + 50, C[:1] + 90][: 3 if dim in (0, -3) else 2], dim,
                gives=np.concatenate([C, C + 50, C[:1] + 90][: 3 if dim in (0, -3) else 2], dim))
      for dim in range(-3, 3)),
    _function("cat", [C, C + 50], -3, gives=np.concatenate([C, C + 50])),
    _function("cat", (A, A + 9), dim=-1, gives=np.hstack([A, A + 9])),
    *(_function("stack", [A, A + 9], dim, gives=np.stack([A, A + 9], dim)) for dim in range(-3, 3)),
    _function("stack", (np.array(1), np.array(2)), gives=_i(1, 2)),
    _function("column_stack", [W, W[:, None] + 5, A[:, :2]],
              gives=np.column_stack([W, W[:, None] + 5, A[:, :2]])),
    _function("hstack", (np.array(1), W), gives=_i(1, 7, 8)),
    _function("vstack", (W, A[:, :2]), gives=np.vstack([W, A[:, :2]])),
    _function("dstack", (W, W + 1), gives=np.dstack([W, W + 1])),
    _function("block_diag", A, np.array(9), W, gives=_i(
        [0, 1, 2, 0, 0, 0], [3, 4, 5, 0, 0, 0], [0, 0, 0, 9, 0, 0], [0, 0, 0, 0, 7, 8])),
    *(_function("meshgrid", *ONE_BY_TWO, indexing=order,
                gives=tuple(np.meshgrid(*ONE_BY_TWO, indexing=order))) for order in ("ij", "xy")),
    _function("meshgrid", *ONE_BY_TWO[:2], indexing="xy",
              gives=tuple(np.meshgrid(*ONE_BY_TWO[:2], indexing="xy"))),
    _function("cartesian_prod", W, _whole(2), gives=_i([7, 0], [7, 1], [8, 0], [8, 1])),
    *(_function("combinations", V[:4], r, gives=_i(*combinations(range(4), r))) for r in (1, 2, 3)),
    _function("combinations", V[:3], r=2, with_replacement=True,
              gives=_i(*combinations_with_replacement(range(3), 2))),
    _function("tril_indices", 3, 4, -1, gives=np.stack(np.tril_indices(3, -1, 4))),
    _function("triu_indices", 3, 4, 1, gives=np.stack(np.triu_indices(3, 1, 4))),
    _function("triu_indices", 3, 2, offset=-1, gives=np.stack(np.triu_indices(3, -1, 2))),
    _function("broadcast_tensors", W, V[:, None],
              gives=(np.broadcast_to(W, (5, 2)), np.broadcast_to(V[:, None], (5, 2)))),
    _function("atleast_1d", np.array(5), gives=_i(5)),
    _function("atleast_2d", W, gives=W[None]),
    _function("atleast_3d", A, gives=A[:, :, None]),
    _function("atleast_3d", W, gives=W[None, :, None]),
    _function("eye", 2, 4, gives=np.eye(2, 4, dtype=np.float32)),
)  # fmt: skip
"""Tensors made of several, or of lengths."""

S = _single(2, 3)
T = _f([3, 1, 2], [0, 5, 4])
QUARTERS = _f(0, 1, 2, 4)
UNSURE = _f([1, nan, 3], [nan, nan, nan])
HIGH = _f([1000, 1000], [1000, 1000])

REDUCED: tuple[Written, ...] = (
    *(_row("sum", C.astype(np.float32), dims, keepdim=keep,
           gives=C.astype(np.float32).sum(dims, keepdims=keep))
      for dims in ((-1, -2), (0, 2), (-3,), 1, (0, 1, 2)) for keep in (False, True)),
    _row("sum", np.array([True, True, False]), gives=np.array(2)),
    _row("mean", S, (0, 1), keepdim=True, gives=_f([2.5])),
    _row("mean", S, -1, gives=_f(1, 4)),
    _row("prod", S + 1, -1, keepdim=True, gives=_f([6], [120])),
    _row("nansum", UNSURE, gives=np.float32(4)),
    _row("nansum", UNSURE, 1, gives=_f(4, 0)),
    _row("nanmean", UNSURE, -1, gives=_f(2, nan)),
    _function("std_mean", _f([1, 1], [2, 2]), dim=-1, keepdim=True,
         gives=(_f([0], [0]), _f([1], [2]))),
    _function("var_mean", _f([1, 3], [5, 9]), dim=1, correction=0, keepdim=True,
         gives=(_f([1], [4]), _f([2], [7]))),
    _function("var_mean", _f(1, 3, 5), dim=None, gives=(np.float32(4), np.float32(3))),
    _row("var", _f(1, 3, 5), correction=1, gives=np.float32(4)),
    _row("var", _f(1, 3, 5), correction=2, gives=np.float32(8)),
    _row("var", _f([1, 3], [5, 9]), 1, False, True, gives=_f([1], [4])),
    _row("var", _f([1, 3], [5, 9]), (0, 1), unbiased=False, gives=np.float32(8.75)),
    _row("std", _f(1, 3, 5), unbiased=True, gives=np.float32(2)),
    _row("amax", T, (0, 1), gives=np.float32(5)),
    _row("amin", T, (-1,), True, gives=_f([1], [0])),
    _row("aminmax", T, dim=-1, keepdim=True, gives=(_f([1], [0]), _f([3], [5]))),
    _row("aminmax", T, gives=(np.float32(0), np.float32(5))),
    _row("argmax", T, gives=np.array(4)),
    _row("argmax", T, -1, True, gives=_i([0], [1])),
    _row("argmin", T, dim=0, keepdim=True, gives=_i([1, 0, 0])),
    _row("max", T, -1, keepdim=True, gives=(_f([3], [5]), _i([0], [1]))),
    _row("min", T, dim=0, gives=(_f(0, 1, 2), _i(1, 0, 0))),
    _row("max", T, T[::-1].copy(), gives=np.maximum(T, T[::-1])),
    _row("min", T, _f(2, 2, 2), gives=np.minimum(T, 2)),
    _row("any", T > 4, 1, True, gives=np.array([[False], [True]])),
    _row("all", T > 0, (0, 1), gives=np.array(False)),
    _row("any", T > 4, dim=(0,), gives=np.array([False, True, False])),
    _row("count_nonzero", T, (0, 1), gives=np.array(5)),
    _row("count_nonzero", T, dim=0, gives=_i(1, 2, 2)),
    _row("median", _f(4, 1, 3, 2), gives=np.float32(2)),
    _row("median", _f([5, 1, 3], [4, 6, 8]), -1, True, gives=(_f([3], [6]), _i([2], [1]))),
    _row("median", _f(2, nan, 1), gives=np.float32(nan)),
    _row("nanmedian", _f(2, nan, 1, 7), gives=np.float32(2)),
    _row("kthvalue", T, 2, 1, True, gives=(_f([2], [4]), _i([2], [2]))),
    _row("kthvalue", T, k=3, dim=-1, gives=(_f(3, 5), _i(0, 1))),
    _row("cumsum", A, -2, gives=A.cumsum(0)),
    _row("cumsum", S, dim=1, gives=S.cumsum(1)),
    _row("cumprod", S + 1, -1, gives=(S + 1).cumprod(1)),
    _row("cummax", _f(1, 3, 2, 5), 0, gives=(_f(1, 3, 3, 5), _i(0, 1, 1, 3))),
    _row("cummin", _f([3, 1], [2, 4]), -2, gives=(_f([3, 1], [2, 1]), _i([0, 0], [1, 0]))),
    _row("logcumsumexp", _f(-inf, -inf, 0), 0, gives=_f(-inf, -inf, 0)),
    _row("logcumsumexp", _f(-inf, -inf, 0).astype(np.float64), dim=-1,
         gives=np.array([-inf, -inf, 0])),
    _row("logsumexp", HIGH, (0, 1), gives=np.float64(1000 + log(4)), near=4),
    _row("logsumexp", HIGH, -1, True, gives=np.array([[1000 + log(2)]] * 2), near=4),
    _row("logsumexp", -HIGH, dim=(0, 1), keepdim=True, gives=np.array([[log(4) - 1000]]), near=4),
    _row("diff", _i(0, 1, 4, 9), n=2, prepend=_i(5), gives=_i(6, 2, 2)),
    _row("diff", _i(0, 1, 4, 9), append=_i(16, 25), gives=_i(1, 3, 5, 7, 9)),
    _row("diff", A, 1, 0, gives=np.diff(A, axis=0)),
    _row("diff", A, n=2, dim=-1, append=A[:, :1], gives=np.diff(A, 2, append=A[:, :1])),
    _row("bincount", _i(1, 1, 3), minlength=2, gives=_i(0, 2, 0, 1)),
    _row("bincount", _i(1, 1, 3), minlength=6, gives=_i(0, 2, 0, 1, 0, 0)),
    _row("bincount", _i(0, 2, 2), _f(0.5, 1, 2), gives=np.array([0.5, 0, 3], np.float32)),
    _row("cov", _f(1, 3), correction=0, gives=np.float32(1)),
    _row("cov", _f([1, 3], [2, 6]), gives=_f([2, 4], [4, 8])),
    _row("cov", _f(1, 3), fweights=_i(1, 3), correction=0, gives=np.float32(0.75)),
    _row("quantile", QUARTERS, _f(0.25, 0.75), interpolation="lower", gives=_f(0, 2)),
    _row("quantile", QUARTERS, _f(0.25, 0.75), interpolation="higher", gives=_f(1, 4)),
    _row("quantile", QUARTERS, _f(0.25, 0.875), interpolation="nearest", gives=_f(1, 4)),
    _row("quantile", QUARTERS, 0.5, interpolation="midpoint", gives=np.float32(1.5)),
    _row("quantile", QUARTERS, 0.5, gives=np.float32(1.5)),
    _row("quantile", T, 0.5, -1, True, gives=_f([2], [4])),
    _row("quantile", T, _f(0, 0.5, 1), dim=1, gives=_f([1, 0], [2, 4], [3, 5])),
    _row("nanquantile", _f(1, nan, 3), 0.5, gives=np.float32(2)),
    _row("histc", _f(0, 1, 1, 2, 4), 4, 0, 4, gives=_f(1, 2, 1, 1)),
    _row("unique_consecutive", _i(1, 1, 2, 1), return_inverse=True, return_counts=True,
         gives=(_i(1, 2, 1), _i(0, 0, 1, 2), _i(2, 1, 1))),
    _row("unique", _i([2, 1], [2, 1], [0, 5]), return_counts=True, dim=0,
         gives=(_i([0, 5], [2, 1]), _i(1, 2))),
    _row("unique", _i(3, 1, 3), return_inverse=True, gives=(_i(1, 3), _i(1, 0, 1))),
    _function("trapezoid", _f(1, 3, 5), gives=np.float32(6)),
    _function("trapezoid", _f([1, 3], [5, 7]), dx=2, dim=0, gives=_f(6, 10)),
    _function("trapezoid", _f(1, 3, 5), _f(0, 2, 3), gives=np.float32(8)),
    _function("cumulative_trapezoid", _f(1, 3, 5), gives=_f(2, 6)),
    _function("linalg.norm", _f([3, 0], [4, 0]), gives=np.float32(5)),
    _function("linalg.vector_norm", _f([3, -4], [0, 0]), 1, -1, True, gives=_f([7], [0])),
    _function("linalg.vector_norm", _f(3, -4, 0), 0, gives=np.float32(2)),
    _function("linalg.vector_norm", _f(3, -4, 0), ord=inf, gives=np.float32(4)),
    _function("linalg.vector_norm", _f(3, -4, 0), ord=-inf, gives=np.float32(0)),
    _function("linalg.matrix_norm", _f([1, -2], [3, 4]), 1, gives=np.float32(6)),
    _function("linalg.matrix_norm", _f([1, -2], [3, 4]), inf, gives=np.float32(7)),
)  # fmt: skip

ROWS, COLUMNS = np.array([[0, 1], [1, 0]]), np.array([[1, 2], [0, 0]])
SIX = _single(2, 3) + 1
UNSIGNED = np.array([[3, 250, 7], [255, 0, 128]], np.uint8)


def _put(base: Array, index: Any, value: Any) -> Array:
    result = base.copy()
    result[index] = value
    return result


INDEXED: tuple[Written, ...] = (
    _row("gather", _i([1, 2, 3], [4, 5, 6]), 0, _i([1]), gives=_i([4])),
    _row("gather", _i([1, 2, 3], [4, 5, 6]), 0, _i([1, 0]), gives=_i([4, 2])),
    _row("gather", _i([1, 2, 3], [4, 5, 6]), -1, _i([2, 2, 0, 1]), gives=_i([3, 3, 1, 2])),
    _row("take_along_dim", SIX, _i([2], [0]), dim=-1, gives=_f([3], [4])),
    _row("take_along_dim", SIX, _i(5, 0), gives=_f(6, 1)),
    _row("take", SIX, _i([0, 5], [-1, -6]), gives=_f([1, 6], [6, 1])),
    _row("index_select", SIX, -1, _i(2, 0, 2), gives=SIX[:, [2, 0, 2]]),
    _row("index_select", SIX, dim=0, index=np.array([1], np.int32), gives=SIX[1:]),
    _row("index_copy", SIX, -2, _i(1, 0), SIX + 10, gives=(SIX + 10)[::-1].copy()),
    _row("index_copy", SIX, -1, _i(2), _f([0], [9]), gives=_f([1, 2, 0], [4, 5, 9])),
    _row("index_fill", SIX, -1, _i(0, 2), 9.0, gives=_f([9, 2, 9], [9, 5, 9])),
    _row("index_fill", SIX, 0, _i(1), np.array(7, np.float32), gives=_f([1, 2, 3], [7, 7, 7])),
    _row("index_add", SIX, -2, _i(1, 1), _f([1, 1, 1], [2, 2, 2]), alpha=2,
         gives=_f([1, 2, 3], [10, 11, 12])),
    _row("index_add", _i(1, 2), 0, _i(0, 0, 1), _i(1, 1, 1), alpha=-1, gives=_i(-1, 1)),
    _row("scatter", SIX, 1, COLUMNS, 9.0, gives=_f([1, 9, 9], [9, 5, 6])),
    _row("scatter", SIX, -2, _i([1, 0, 1]), _f([7, 8, 9]), gives=_f([1, 8, 3], [7, 5, 9])),
    _row("scatter", SIX, 1, _i([0, 2], [1, 1]), 3.0, reduce="multiply",
         gives=_f([3, 2, 9], [4, 45, 6])),
    _row("scatter_add", SIX, -1, _i([0, 0, 2]), _f([1, 1, 1]), gives=_f([3, 2, 4], [4, 5, 6])),
    *(_row("scatter_reduce", _f(4, 5), 0, _i(0, 0), _f(8, 2), how, include_self=with_self,
           gives=_f(value, 5))
      for how, with_self, value in (
          ("sum", True, 14), ("sum", False, 10), ("prod", True, 64), ("prod", False, 16),
          ("amax", True, 8), ("amax", False, 8), ("amin", True, 2), ("amin", False, 2),
          ("mean", False, 5))),
    _row("scatter_reduce", _f(4, 5), 0, _i(0), _f(8), "mean", gives=_f(6, 5)),
    _row("scatter_reduce", _f(4, 5), 0, _i(0), _f(2), "amax", include_self=False, gives=_f(2, 5)),
    _row("scatter_reduce", _f(4, 5), 0, _i(1), _f(9), reduce="amin", include_self=False,
         gives=_f(4, 9)),
    _row("scatter_reduce", _i(4, 5), 0, _i(0), _i(8), "mean", gives=_i(6, 5)),
    _row("scatter_reduce", np.array([4, 5], np.int32), 0, _i(0, 0), np.array([8, 0], np.int32),
         "mean", gives=np.array([4, 5], np.int32)),
    _row("masked_scatter", SIX, np.array([True, False, True]), _f(10, 20, 30, 40),
         gives=_f([10, 2, 20], [30, 5, 40])),
    _row("masked_scatter", SIX, np.array([[True], [False]]), _f(7, 8, 9, 0),
         gives=_f([7, 8, 9], [4, 5, 6])),
    _row("masked_fill", SIX, np.array([True, False, True]), 0, gives=_f([0, 2, 0], [0, 5, 0])),
    _row("masked_fill", SIX.astype(np.float64), np.array([[True], [False]]), np.array(0.1),
         gives=np.array([[0.1] * 3, [4, 5, 6]])),
    _row("masked_fill", _i(1, 2), np.array([False, True]), np.array(9), gives=_i(1, 9)),
    _row("masked_select", SIX, np.array([[True], [False]]), gives=_f(1, 2, 3)),
    _row("masked_select", _f(5), np.array([[True, False], [True, True]]), gives=_f(5, 5, 5)),
    _row("nonzero", np.array(3), gives=np.zeros((1, 0), np.int64)),
    _row("nonzero", np.array(0.0, np.float32), gives=np.zeros((0, 0), np.int64)),
    _row("nonzero", _f([0, nan], [-0.0, 2]), gives=_i([0, 1], [1, 1])),
    _row("nonzero", _f([0, nan], [-0.0, 2]), as_tuple=True, gives=(_i(0, 1), _i(1, 1))),
    _row("argwhere", _i([0, 3], [4, 0]), gives=_i([0, 1], [1, 0])),
    _function("where", np.array([[False, True], [True, False]]), gives=(_i(0, 1), _i(1, 0))),
    _row("topk", UNSIGNED, 2, gives=(np.array([[250, 7], [255, 128]], np.uint8),
                                     _i([1, 2], [0, 2]))),
    _row("topk", UNSIGNED, 2, -1, False, gives=(np.array([[3, 7], [0, 128]], np.uint8),
                                                _i([0, 2], [1, 2]))),
    _row("topk", T, 1, dim=0, largest=False, gives=(_f([0, 1, 2]), _i([1, 0, 0]))),
    _row("topk", T, 3, sorted=True, gives=(_f([3, 2, 1], [5, 4, 0]), _i([0, 2, 1], [1, 2, 0]))),
    _row("sort", UNSIGNED, -1, True, gives=(np.array([[250, 7, 3], [255, 128, 0]], np.uint8),
                                            _i([1, 2, 0], [0, 2, 1]))),
    _row("sort", T, dim=0, gives=(_f([0, 1, 2], [3, 5, 4]), _i([1, 0, 0], [0, 1, 1]))),
    _row("sort", _i(2, 1, 2, 1), stable=True, descending=True,
         gives=(_i(2, 2, 1, 1), _i(0, 2, 1, 3)), method=True),
    _row("sort", _f(2, nan, -inf, inf), gives=(_f(-inf, 2, inf, nan), _i(2, 0, 3, 1))),
    _row("sort", _f(2, nan, 1), descending=True, gives=(_f(nan, 2, 1), _i(1, 0, 2))),
    _row("argsort", T, -1, True, gives=_i([0, 2, 1], [1, 2, 0])),
    _row("argsort", _i(1, 0, 1, 0), stable=True, gives=_i(1, 3, 0, 2)),
    _row("msort", T, gives=np.sort(T, 0)),
    _function("searchsorted", _i(1, 3, 3, 5), _i(0, 3, 5, 6), gives=_i(0, 1, 3, 4)),
    _function("searchsorted", _i(1, 3, 3, 5), _i(0, 3, 5, 6), right=True, gives=_i(0, 3, 4, 4)),
    _function("searchsorted", _i(1, 3, 3, 5), _i(0, 3, 5, 6), side="right", gives=_i(0, 3, 4, 4)),
    _function("searchsorted", _i([1, 3], [5, 7]), _i([2], [7]), gives=_i([1], [1])),
    _function("searchsorted", _i(5, 1, 3), _i(4), sorter=_i(1, 2, 0), gives=_i(2)),
    _function("bucketize", _i(1, 3, 4), _i(1, 3), gives=_i(0, 1, 2)),
    _function("bucketize", _i(1, 3, 4), _i(1, 3), right=True, gives=_i(1, 2, 2)),
    _row("select_scatter", SIX, _f(8, 9), 1, -1, gives=_put(SIX, (slice(None), -1), [8, 9])),
    _row("slice_scatter", SIX, _f([8, 9], [7, 6]), dim=1, start=0, end=3, step=2,
         gives=_put(SIX, (slice(None), slice(0, 3, 2)), [[8, 9], [7, 6]])),
    _row("diagonal_scatter", SIX, _f(8, 9), 1, gives=_f([1, 8, 3], [4, 5, 9])),
    _function("isin", _i(1, 2, 3), _i(2, 5), invert=True, gives=np.array([True, False, True])),
    _function("isin", _i(1, 2), _i(1), assume_unique=True, invert=True,
              gives=np.array([False, True])),
    _function("isin", _i(1, 2), _i(1), assume_unique=True, gives=np.array([True, False])),
    _function("isin", _i([1, 2], [2, 3]), 2, gives=np.array([[False, True], [True, False]])),
)  # fmt: skip
"""Elements by their places, and places by their elements."""

ZETA_3 = 1.2020569031595942854
EDGES = _f(-inf, -2.5, -0.0, 0.0, 1.5, inf, nan)

COMPUTED: tuple[Written, ...] = (
    _row("clamp", _i(1, 2, 3), 1.5, gives=_f(1.5, 2, 3)),
    _row("clamp", _i(1, 2, 3), max=2.5, gives=_f(1, 2, 2.5)),
    _row("clamp", _f(0, 5), 3, 1, gives=_f(1, 1)),
    _row("clamp", _f(nan, 0, 5), min=_f(1, 1, 1), gives=_f(nan, 1, 5)),
    _row("clamp", _f(nan, 0, 5), max=_f(1, 1, 1), gives=_f(nan, 0, 1)),
    _row("clamp", _i(-5, 0, 5), _i(-1, 1, 1), _i(1, 2, 3), gives=_i(-1, 1, 3)),
    _row("round", _f(15, 25, -25, 1234), decimals=-1, gives=_f(20, 20, -20, 1230)),
    _row("round", _f(0.125, -0.375), decimals=2, gives=_f(0.12, -0.38), near=1),
    _row("pow", _i(2, -3), 3, gives=_i(8, -27)),
    _row("pow", _f(2, 4), -1, gives=_f(0.5, 0.25)),
    _row("pow", _f(4, 9), 0.5, gives=_f(2, 3)),
    _row("pow", _f(0, 1, nan), 0, gives=_f(1, 1, 1)),
    _function("pow", 2, _i(0, 3), gives=_i(1, 8)),
    _function("pow", 2.0, _i(-1, 3), gives=_f(0.5, 8)),
    _row("div", _i(7, -7), 2, gives=_f(3.5, -3.5)),
    _row("div", _i(7, -7), 2, rounding_mode="floor", gives=_i(3, -4)),
    _row("div", _i(7, -7), 2, rounding_mode="trunc", gives=_i(3, -3)),
    _row("div", _i(7, -7), 2.0, rounding_mode="trunc", gives=_f(3, -3)),
    _row("div", _f(7, -7), _f(2), rounding_mode="floor", gives=_f(3, -4)),
    _row("floor_divide", _i(7, -7), 2, gives=_i(3, -4)),
    _row("remainder", _i(7, -7), 3, gives=_i(1, 2)),
    _row("remainder", _f(7, -7), -3, gives=_f(-2, -1)),
    _row("fmod", _i(7, -7), 3, gives=_i(1, -1)),
    _function("remainder", 7, _i(3, -3), gives=_i(1, -2)),
    _row("add", _i(1, 2), 3, alpha=2, gives=_i(7, 8)),
    _row("add", _f(1, 2), np.array(3), alpha=0.5, gives=_f(2.5, 3.5)),
    _row("sub", _i(1, 2), _i(3), alpha=-2, gives=_i(7, 8)),
    _function("sub", np.array(5), _i(3), gives=_i(2)),
    _function("rsub", _i(1, 2), 5, gives=_i(4, 3)),
    _row("lerp", _f(0, 10), _f(1, 20), 2.0, gives=_f(2, 30)),
    _row("lerp", _f(0, 10), _f(1, 20), -1.0, gives=_f(-1, 0)),
    _row("lerp", _f(0, 10), _f(1, 20), _f(0.5, 0), gives=_f(0.5, 10)),
    _row("addcmul", _f(1, 2), _f(3, 4), _f(5), value=-1, gives=_f(-14, -18)),
    _row("addcdiv", _f(1, 2), _f(3, 4), _f(2), value=2, gives=_f(4, 6)),
    _row("ldexp", _f(2**-100, 3), _i(110, -1), gives=_f(1024, 1.5)),
    _row("logit", _f(0, 1), eps=0.25, gives=np.array([-log(3), log(3)]), near=4),
    _row("logit", _f(0, 0.5, 1), gives=_f(-inf, 0, inf)),
    _row("nan_to_num", EDGES[[0, 5, 6]], 1, 2, 3, gives=_f(3, 2, 1)),
    _row("nan_to_num", EDGES[[0, 5, 6]], posinf=4, gives=_f(np.finfo(np.float32).min, 4, 0)),
    _row("heaviside", EDGES[:6], _f(0.5), gives=_f(0, 0, 0.5, 0.5, 1, 1)),
    _row("copysign", _f(1, -2), -0.0, gives=_f(-1, -2)),
    _row("sign", EDGES[:6], gives=_f(-1, -1, 0, 0, 1, 1)),
    _row("signbit", EDGES[:6], gives=np.array([True, True, True, False, False, False])),
    _row("xlogy", _f(0, 0, 2), _f(0, nan, 1), gives=_f(0, nan, 0)),
    _row("logaddexp", _f(-inf, inf, 0).astype(np.float64), _f(-inf, 0, 0).astype(np.float64),
         gives=np.array([-inf, inf, log(2)]), near=4),
    _row("float_power", _i(2, 3), 2, gives=np.array([4.0, 9.0])),
    _row("bitwise_and", _i(6, -1), 3, gives=_i(2, 3)),
    _row("bitwise_right_shift", np.array([-8, 8], np.int8), 1, gives=np.array([-4, 4], np.int8)),
    _row("bitwise_left_shift", np.array([1, 3], np.uint8), 7, gives=np.array([128, 128], np.uint8)),
    _row("gcd", _i(-4, 0, 12), _i(6, -5, -18), gives=_i(2, 5, 6)),
    _row("lcm", _i(-4, 0, 3), _i(6, 5, 3), gives=_i(12, 0, 3)),
    _row("isclose", _f(1, 1, nan, inf), _f(1.5, 3, nan, inf), 0.0, 0.5, True,
         gives=np.array([True, False, True, True])),
    _row("isclose", _f(1, nan), _f(1, nan), gives=np.array([True, False])),
    _function("where", np.array([True, False]), 1.5, _i(4, 5), gives=_f(1.5, 5)),
    _function("where", np.array([True, False]), _f(1, 2), 0, gives=_f(1, 0)),
    _row("maximum", _f(nan, 1), _f(0, nan), gives=_f(nan, nan)),
    _row("fmax", _f(nan, 1), _f(0, nan), gives=_f(0, 1)),
    _function("vander", _i(1, 2, 3), gives=np.vander([1, 2, 3])),
    _function("vander", _i(1, 2, 3), 2, True, gives=np.vander([1, 2, 3], 2, True)),
    _row("hypot", _f(3e30, 0), _f(4e30, -2), gives=_f(5e30, 2), near=4),
    _function("polygamma", 2, _f(1, 2), gives=np.array([-2 * ZETA_3, 2 - 2 * ZETA_3]), near=8),
    _function("polygamma", 3, _f(1), gives=np.array([pi**4 / 15]), near=8),
    _row("frac", _f(-2.5, 2.25), gives=_f(-0.5, 0.25)),
    _row("softmax", HIGH, -1, gives=_f([0.5, 0.5], [0.5, 0.5])),
    _row("log_softmax", HIGH, dim=0, gives=np.full((2, 2), -log(2)), near=4),
    _row("softmax", _f(-inf, 0), 0, gives=_f(0, 1)),
)  # fmt: skip
"""Numbers computed element by element, exactly but where `near` says otherwise."""

MULTIPLIED: tuple[Written, ...] = (
    _row("cross", _f([1, 0, 0]), _f([0, 1, 0]), dim=-1, gives=_f([0, 0, 1])),
    _function("linalg.cross", _f([1], [0], [0]), _f([0], [1], [0]), dim=-2,
              gives=_f([0], [0], [1])),
    _function("linalg.cross", _f([0, 1, 0]), _f([0, 0, 1], [1, 0, 0]),
              gives=_f([1, 0, 0], [0, 0, -1])),
    _row("outer", np.array([True, False]), np.array([True, True]),
         gives=np.array([[True, True], [False, False]])),
    _row("outer", _i(1, 2), _f(0.5, 2), gives=_f([0.5, 2], [1, 4])),
    _function("tensordot", S, S, 0, gives=np.multiply.outer(S, S)),
    _function("tensordot", S, S, 2, gives=np.float32(55)),
    _function("tensordot", S, S, ([1], [1]), gives=S @ S.T),
    _function("tensordot", S, S, dims=([0, 1], [0, 1]), gives=np.float32(55)),
    _row("matrix_power", _f([1, 1], [0, 1]), 3, gives=_f([1, 3], [0, 1])),
    _row("matrix_power", _f([1, 1], [0, 1]), 0, gives=_f([1, 0], [0, 1])),
    _row("matrix_power", _f([2, 0], [0, 4]), -1, gives=_f([0.5, 0], [0, 0.25])),
    _row("addmm", _f(1, 2), _f([1, 2], [3, 4]), _f([1, 0], [0, 1]), beta=0.5, alpha=2,
         gives=_f([2.5, 5], [6.5, 9])),
    _row("addmm", _f(nan, inf), _f([1, 2], [3, 4]), _f([1, 0], [0, 1]), beta=0,
         gives=_f([1, 2], [3, 4])),
    _row("baddbmm", S[None, :, :2], S[None], _single(1, 3, 2), beta=2, alpha=0.5,
         gives=2 * S[None, :, :2] + 0.5 * (S[None] @ _single(1, 3, 2))),
    _row("addmv", _f(1, 2), _f([1, 2], [3, 4]), _f(1, 1), alpha=2, beta=-1, gives=_f(5, 12)),
    _row("addr", _f([1, 1], [1, 1]), _f(1, 2), _f(3, 4), beta=0, alpha=2,
         gives=_f([6, 8], [12, 16])),
    _function("einsum", "ij,kj->ki", S, S[:1], gives=S[:1] @ S.T),
    _function("einsum", "ba", S, gives=S.T),
    _function("einsum", "ii->i", S[:, :2], gives=_f(0, 4)),
    _function("einsum", "...i,i->...", C.astype(np.float32), _f(1, 0, 0, 2),
              gives=(C[..., 0] + 2 * C[..., 3]).astype(np.float32)),
    _function("linalg.solve", _f([2, 1], [0, 1]), _f([1, 1]), left=False, gives=_f([0.5, 0.5])),
    _function("linalg.solve", _f([2, 0], [0, 4]), _f(1, 1), gives=_f(0.5, 0.25)),
    _function("linalg.cholesky", _f([4, 2], [2, 5]), gives=_f([2, 0], [1, 2])),
    _function("linalg.cholesky", _f([4, 2], [2, 5]), upper=True, gives=_f([2, 1], [0, 2])),
    _function("kron", A, _i([1, 2], [0, 1]), gives=np.kron(A, _i([1, 2], [0, 1]))),
    _function("linalg.multi_dot", [S, S.T.copy(), S], gives=S @ S.T @ S),
    _function("linalg.diagonal", S, offset=-1, gives=_f(3)),
)  # fmt: skip
"""Products of vectors and matrices, and what undoes them."""
