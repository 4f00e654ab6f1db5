"""Dense memory orders that the documents name: contiguous (row-major) and channels-last."""

from __future__ import annotations

from collections.abc import Sequence


def dense_strides(shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """The strides of a gapless tensor whose dimensions lie in memory in the given order.

    order: the dimensions, the slowest first. Lengths of 0 count as 1.
    """
    strides = [0] * len(shape)
    step = 1
    for dim in reversed(order):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return tuple(strides)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a fresh, contiguous tensor: the last dimension varies fastest."""
    return dense_strides(shape, range(len(shape)))


def channels_last(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of memory_format channels_last (rank 4) and channels_last_3d (rank 5)."""
    return dense_strides(shape, (0, *range(2, len(shape)), 1))


def is_row_major(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether elements in row-major order lie one after the other.

    The stride of a dimension of length 1 leads nowhere, so it may be anything; a tensor without
    elements is contiguous.
    """
    wanted = row_major(shape)
    return 0 in shape or all(
        length == 1 or stride == step
        for length, stride, step in zip(shape, strides, wanted, strict=True)
    )
