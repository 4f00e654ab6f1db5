"""Categories and their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    layouts,
    place,
    seeds,
    tensor_of,
)
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, numpy_dtype
from tenet.spec.model.statistics import serial_dependence
from tenet.spec.random.common import (
    MANY,
    assert_fair,
    assert_unsurprising,
    start,
)


@clause("random.multinomial-zero", covers=["notes.distributions"])
@for_all(
    length=st.sampled_from([n for n in LENGTHS if 0 < n < 2000]),
    layout=layouts(),
    every=st.sampled_from((2, 1, 3, 7)),
    rows=st.sampled_from((0, 1, 5)),
    dtype=st.sampled_from(FLOATS),
    seed=seeds(),
)
def categories_without_weight_are_never_drawn(
    torch: Any, device: str, length: int, layout: str, every: int, rows: int, dtype: str, seed: int
) -> None:
    """multinomial draws only categories of a weight above 0, each row by its own weights, which
    need not sum to 1; without replacement it draws none twice. A vector gives a vector, a
    matrix a row for each of its rows, of int64."""
    start(torch, device, seed)
    for name in supported([dtype]):
        shape = (rows, length) if rows else (length,)
        # Row r has weight at every place that leaves the remainder r; at least at one place.
        place_of = np.arange(length) + np.zeros(shape, int)
        shift = np.arange(rows)[:, None] if rows and layout != "expanded" else 0
        weights = np.where((place_of + shift) % every == every - 1, place_of % 5 + 1, 0)
        weights[..., -1] = 3
        given = weights.astype(numpy_dtype(name))
        if layout == "expanded" and not rows:
            layout = "contiguous"
        x = _laid(torch, device, given, layout)
        allowed = [set(np.flatnonzero(row).tolist()) for row in np.atleast_2d(weights)]
        count = min(map(len, allowed))
        with case(dtype=name):
            got = torch.multinomial(x, 20, replacement=True)
            assert_metadata(got, shape=(*shape[:-1], 20), dtype="int64")
            for row, places in zip(np.atleast_2d(read(got)), allowed, strict=True):
                assert_that(set(row.tolist()) <= places, f"{row} was drawn of {places}")
            got = x.multinomial(count)
            assert_metadata(got, shape=(*shape[:-1], count), dtype="int64")
            for row, places in zip(np.atleast_2d(read(got)), allowed, strict=True):
                assert_that(set(row.tolist()) <= places, f"{row} was drawn of {places}")
                assert_that(len(set(row.tolist())) == count, f"{row} repeats")
            assert_equal(x, given)


def _laid(torch: Any, device: str, array: np.ndarray, layout: str) -> Any:
    """The array as a tensor in a layout; expanded where all its rows are equal."""
    if layout == "expanded":
        return tensor_of(torch, device, array[:1]).expand(*array.shape)
    return place(torch, device, array, layout).view


@clause("random.multinomial-law", covers=["notes.distributions"], thorough=True)
def categories_are_drawn_in_proportion_to_their_weights(torch: Any, device: str) -> None:
    """With replacement each draw follows the weights, whatever the one before was; without, the
    first follows them, and the next the weights of what is left, in the order of the columns."""
    weights = np.array([[1.0, 2.0, 3.0, 4.0, 0.0], [8.0, 0.5, 0.25, 1.0, 0.25]])
    rows = 2**14
    for name in supported(FLOATS):
        whole = tensor_of(torch, device, np.tile(weights, (rows, 1)).astype(numpy_dtype(name)))
        with_replacement = read(torch.multinomial(whole, 3, replacement=True)).reshape(rows, 2, 3)
        without = read(torch.multinomial(whole, 2)).reshape(rows, 2, 2)
        single = read(torch.multinomial(whole[1], MANY, True))
        orders = read(torch.multinomial(whole[:, :4], 4)).reshape(rows, 2, 4)
        for row, of in enumerate(weights / weights.sum(axis=1, keepdims=True)):
            with case(dtype=name, weights=tuple(of.tolist())):
                for column in range(3):
                    shares = np.bincount(with_replacement[:, row, column], minlength=5) / rows
                    assert_unsurprising(shares, rows, of)
                pairs = with_replacement[:, row, 0] * 5 + with_replacement[:, row, 2]
                shares = np.bincount(pairs, minlength=25).reshape(5, 5) / rows
                assert_unsurprising(shares, rows, of[:, None] * of)
                pairs = without[:, row, 0] * 5 + without[:, row, 1]
                shares = np.bincount(pairs, minlength=25).reshape(5, 5) / rows
                left = of / (1 - of[:, None]) * (1 - np.eye(5))
                assert_unsurprising(shares, rows, of[:, None] * left)
                # Where all are drawn, too, their order is by chance.
                shares = np.bincount(orders[:, row, 0], minlength=4) / rows
                assert_unsurprising(shares, rows, of[:4] / of[:4].sum())
        with case(dtype=name, shape=(5,)):
            shares = np.bincount(single, minlength=5) / MANY
            assert_unsurprising(shares, MANY, weights[1] / 10)
        fair = tensor_of(torch, device, np.ones(2).astype(numpy_dtype(name)))
        for rows_ in (1, 8):
            with case(dtype=name, shape=(rows_, 2), draws="one after the other"):
                heads = read(torch.multinomial(fair.expand(rows_, 2), MANY // 16, True))
                assert_fair(serial_dependence(heads.ravel() > 0))
        # One at a time: that one of two never comes is no law of theirs (3/4 to the power of 256).
        two = tensor_of(torch, device, np.array([1.0, 3.0]).astype(numpy_dtype(name)))
        for again in (False, True):
            with case(dtype=name, shape=(2,), draws=1, replacement=again):
                ones = {int(torch.multinomial(two, 1, again)) for _ in range(256)}
                assert_that(ones == {0, 1}, f"only {ones} were drawn")
