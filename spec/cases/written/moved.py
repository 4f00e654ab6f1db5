"""Calls that move elements, written out."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np

from tenet.spec.cases.written.language import Written, call, counted, function, i64

A, C = counted(2, 3), counted(2, 3, 4)
V, W = counted(5), i64(7, 8)
ONE_BY_TWO = (counted(2), counted(3) + 5, counted(4) + 9)
R = counted(2, 1, 2, 1, 3, 1, 2, 1)


MOVED: tuple[Written, ...] = (
    *(call("rot90", A, k, (0, 1), gives=np.rot90(A, k)) for k in (-1, 0, 1, 2, 3, 5, -2, -3)),
    call("rot90", A, -1, gives=np.rot90(A, -1)),
    call("rot90", C, 1, (2, 0), gives=np.rot90(C, 1, (2, 0))),
    call("rot90", C, k=1, dims=(-1, -2), gives=np.rot90(C, 1, (-1, -2))),
    *(call("roll", V, by, 0, gives=np.roll(V, by)) for by in (7, -7, 5, -1, 0)),
    call("roll", A, 2, gives=np.roll(A, 2)),
    call("roll", A, shifts=-4, gives=np.roll(A, -4)),
    call("roll", A, (1, 1), (0, 0), gives=A),
    call("roll", C, (1, -2), (0, -1), gives=np.roll(C, (1, -2), (0, -1))),
    call("roll", C, shifts=(3,), dims=(-2,), gives=C),
    call("flip", C, (-1, 0), gives=np.flip(C, (2, 0)).copy()),
    call("flip", C, (1,), gives=C[:, ::-1].copy()),
    call("flip", C, (), gives=C),
    call("chunk", V, 3, gives=(V[:2], V[2:4], V[4:])),
    call("chunk", V, 9, gives=tuple(V[k : k + 1] for k in range(5))),
    call("chunk", V, 4, gives=(V[:2], V[2:4], V[4:])),
    call("chunk", A, chunks=2, dim=-1, gives=(A[:, :2], A[:, 2:])),
    call("split", V, 2, gives=(V[:2], V[2:4], V[4:])),
    call("split", V, 9, gives=(V,)),
    call("split", A, (1, 2), 1, gives=(A[:, :1], A[:, 1:])),
    call("split", A, [2, 0, 1], dim=-1, gives=(A[:, :2], A[:, :0], A[:, 2:])),
    call("tensor_split", V, (1, 9), gives=(V[:1], V[1:], V[:0])),
    call("tensor_split", V, (3, 1), gives=(V[:3], V[:0], V[1:])),
    call("tensor_split", V, (-2,), gives=(V[:3], V[3:])),
    call("tensor_split", V, (), gives=(V,)),
    call("tensor_split", W, 3, gives=(W[:1], W[1:], W[:0])),
    call("tensor_split", V, 3, dim=-1, gives=(V[:2], V[2:4], V[4:])),
    call("repeat_interleave", W, i64(1, 2), dim=-1, gives=i64(7, 8, 8)),
    call("repeat_interleave", W, i64(2, 0), gives=i64(7, 7)),
    call("repeat_interleave", A, i64(0, 2, 1), dim=-1, gives=A[:, [1, 1, 2]]),
    call("repeat_interleave", A, i64(0, 2), 0, gives=A[[1, 1]]),
    call("repeat_interleave", A, np.array([0, 2], np.int32), 0, gives=A[[1, 1]]),
    call("repeat_interleave", A, i64(3), dim=0, gives=np.repeat(A, 3, 0)),
    call("repeat_interleave", A, 2, gives=np.repeat(A, 2)),
    call("repeat_interleave", W, i64(1, 2), dim=0, output_size=3, gives=i64(7, 8, 8)),
    call("movedim", C, (0, -1), (-1, 0), gives=np.moveaxis(C, (0, -1), (-1, 0))),
    call("movedim", C, -1, 0, gives=np.moveaxis(C, -1, 0)),
    call("swapaxes", C, -1, 0, gives=np.swapaxes(C, -1, 0)),
    call("squeeze", C.reshape(1, 6, 1, 4, 1), (0, -1), gives=C.reshape(6, 1, 4)),
    call("squeeze", C, 1, gives=C),
    call("unflatten", C, -1, (2, -1), gives=C.reshape(2, 3, 2, 2)),
    call("flatten", C, -2, -1, gives=C.reshape(2, 12)),
    call("flatten", np.array(5), gives=i64(5)),
    call("tile", A, (2,), gives=np.tile(A, 2)),
    call("tile", W, (2, 1, 2), gives=np.tile(W, (2, 1, 2))),
    call("narrow", A, -1, -2, 2, gives=A[:, 1:]),
    call("narrow", A, 1, np.array(1), 2, gives=A[:, 1:]),
    call("narrow", A, 0, np.array(-1), 1, gives=A[1:]),
    call("select", C, -1, -4, gives=C[..., 0]),
    call("diagonal", A, -1, gives=i64(3)),
    call("diagonal", C, 1, -2, -1, gives=np.diagonal(C, 1, 1, 2)),
    call("diag_embed", W, offset=-1, gives=np.diag(W, -1)),
    call("diag_embed", W, offset=2, gives=np.diag(W, 2)),
    call("diag_embed", A, 0, 0, 2, gives=np.stack([np.diag(r) for r in A], 1)),
    call("diag_embed", A, 1, 2, 0, gives=np.stack([np.diag(r, 1).T for r in A], 1)),
    call("diag", W, -1, gives=np.diag(W, -1)),
    call("diag", A, 1, gives=np.diag(A, 1)),
    call("diagflat", A, -1, gives=np.diagflat(A, -1)),
    *(call(name, A, k, gives=getattr(np, name)(A, k))
      for name in ("tril", "triu") for k in (-2, -1, 0, 1, 3)),
    call("tril", C, diagonal=-1, gives=np.tril(C, -1)),
    # Of more dimensions than most kernels have loops for.
    call("clone", R, gives=R),
    call("permute", R, (6, 7, 4, 0, 2, 5, 3, 1), gives=R.transpose(6, 7, 4, 0, 2, 5, 3, 1)),
    call("flip", R, (0, -2), gives=np.flip(R, (0, -2)).copy()),
    call("roll", R, (1, 2), (2, 4), gives=np.roll(R, (1, 2), (2, 4))),
    call("reshape", R, (4, 6), gives=R.reshape(4, 6)),
    call("squeeze", R, gives=R.squeeze()),
)  # fmt: skip
"""The same elements elsewhere."""


JOINS: tuple[Written, ...] = (
    *(function("cat", [C, C + 50, C[:1] + 90][: 3 if dim in (0, -3) else 2], dim,
                gives=np.concatenate([C, C + 50, C[:1] + 90][: 3 if dim in (0, -3) else 2], dim))
      for dim in range(-3, 3)),
    function("cat", [C, C + 50], -3, gives=np.concatenate([C, C + 50])),
    function("cat", (A, A + 9), dim=-1, gives=np.hstack([A, A + 9])),
    *(function("stack", [A, A + 9], dim, gives=np.stack([A, A + 9], dim)) for dim in range(-3, 3)),
    function("stack", (np.array(1), np.array(2)), gives=i64(1, 2)),
    function("column_stack", [W, W[:, None] + 5, A[:, :2]],
              gives=np.column_stack([W, W[:, None] + 5, A[:, :2]])),
    function("hstack", (np.array(1), W), gives=i64(1, 7, 8)),
    function("vstack", (W, A[:, :2]), gives=np.vstack([W, A[:, :2]])),
    function("dstack", (W, W + 1), gives=np.dstack([W, W + 1])),
    function("block_diag", A, np.array(9), W, gives=i64(
        [0, 1, 2, 0, 0, 0], [3, 4, 5, 0, 0, 0], [0, 0, 0, 9, 0, 0], [0, 0, 0, 0, 7, 8])),
    *(function("meshgrid", *ONE_BY_TWO, indexing=order,
                gives=tuple(np.meshgrid(*ONE_BY_TWO, indexing=order))) for order in ("ij", "xy")),
    function("meshgrid", *ONE_BY_TWO[:2], indexing="xy",
              gives=tuple(np.meshgrid(*ONE_BY_TWO[:2], indexing="xy"))),
    function("cartesian_prod", W, counted(2), gives=i64([7, 0], [7, 1], [8, 0], [8, 1])),
    *(function("combinations", V[:4], r, gives=i64(*combinations(range(4), r))) for r in (1, 2, 3)),
    function("combinations", V[:3], r=2, with_replacement=True,
              gives=i64(*combinations_with_replacement(range(3), 2))),
    function("tril_indices", 3, 4, -1, gives=np.stack(np.tril_indices(3, -1, 4))),
    function("triu_indices", 3, 4, 1, gives=np.stack(np.triu_indices(3, 1, 4))),
    function("triu_indices", 3, 2, offset=-1, gives=np.stack(np.triu_indices(3, -1, 2))),
    function("broadcast_tensors", W, V[:, None],
              gives=(np.broadcast_to(W, (5, 2)), np.broadcast_to(V[:, None], (5, 2)))),
    function("atleast_1d", np.array(5), gives=i64(5)),
    function("atleast_2d", W, gives=W[None]),
    function("atleast_3d", A, gives=A[:, :, None]),
    function("atleast_3d", W, gives=W[None, :, None]),
    function("eye", 2, 4, gives=np.eye(2, 4, dtype=np.float32)),
)  # fmt: skip
"""Tensors made of several, or of lengths."""
