"""Dropout: what is zeroed, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tenet.spec.cases import (
    tensor_of,
)
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_same_object,
    assert_that,
    case,
    clause,
    read,
    supported,
)
from tenet.spec.model import statistics as law
from tenet.spec.model.dtypes import FLOATS, numpy_dtype
from tenet.spec.model.statistics import serial_dependence
from tenet.spec.model.tolerance import ulps
from tenet.spec.random.common import (
    assert_fair,
    assert_follows,
    where,
)


def _dropouts(torch: Any, p: float) -> list[tuple[str, Callable[[Any], Any]]]:
    functional, module = torch.nn.functional.dropout, torch.nn.Dropout(p)
    return [
        ("F.dropout(x, p)", lambda x: functional(x, p)),
        ("F.dropout(p=, training=, inplace=)",
         lambda x: functional(x, p=p, training=True, inplace=False)),
        ("F.dropout(inplace=True)", lambda x: functional(x, p, inplace=True)),
        ("torch.dropout", lambda x: torch.dropout(x, p, True)),
        ("nn.Dropout", module.train()),
        ("nn.Dropout(inplace=True)", torch.nn.Dropout(p, inplace=True)),
    ]  # fmt: skip


@clause("random.dropout", thorough=True, covers=["notes.distributions"])
def dropout_zeroes_and_scales_what_it_keeps(torch: Any, device: str) -> None:
    """While training, dropout zeroes each element with probability p (one half by default),
    independently of the others, and divides the rest by 1 - p; in evaluation it changes
    nothing. The input stays as it is unless inplace=True, which returns it."""
    for name, p in product(supported(FLOATS), (0.5, 0.1, 0.75)):
        whole = (np.arange(96 * 257).reshape(96, 257) % 50 + 1).astype(numpy_dtype(name))
        for (spelling, call), turned in zip(_dropouts(torch, p), (0, 1) * 3, strict=True):
            with case(spelling=spelling, dtype=name, p=p):
                x = tensor_of(torch, device, whole.T.copy() if turned else whole)
                x = x.t() if turned else x
                got = call(x)
                dropped = read(got) == 0
                expected = np.where(dropped, 0, whole.astype(np.float64) / (1 - p))
                assert_close(got, expected, ulps(3, name, "1/(1-p), rounded, times x"))
                assert_follows(dropped.astype(int), law.bernoulli(p), "int64")
                if p == 0.5:
                    assert_fair(serial_dependence(dropped.ravel()))
                    assert_fair(serial_dependence(dropped.T.ravel()))
                if "inplace=True" in spelling:
                    assert_same_object(got, x)
                else:
                    assert_equal(x, whole)
    ones = torch.ones(96, 257, device=device)
    for call in (torch.nn.functional.dropout, torch.nn.Dropout()):
        dropped = read(call(ones)) == 0
        assert_follows(dropped.astype(int), law.bernoulli(0.5), "int64")
    for shape, (spelling, call) in product(
        ((6, 31, 65), (4, 3, 16, 65), (2, 4097), (2, 3, 9, 8, 33)), _dropouts(torch, 0.5)[::2]
    ):
        with case(shape=shape, spelling=spelling):
            dropped = read(call(torch.ones(shape, device=device))) == 0
            assert_follows(dropped.astype(int), law.bernoulli(0.5), "int64")
            for dim in range(len(shape)):
                # Neighbours along any dimension, samples among them, have masks of their own.
                assert_fair(serial_dependence(np.moveaxis(dropped, dim, -1).ravel()))
    module = torch.nn.Dropout(0.75).eval()
    assert_equal(module(ones), np.ones((96, 257), np.float32))
    assert_follows(read(module.train()(ones)), law.bernoulli(0.25, 4.0), "float32")


@clause("random.dropout-channels", covers=["notes.distributions"])
def channel_dropout_zeroes_whole_channels(torch: Any, device: str) -> None:
    """Dropout1d, Dropout2d and Dropout3d zero a whole channel of a sample with probability p and
    divide the others by 1 - p, also where there is one sample only."""
    for rank in (1, 2, 3):
        shape = (256, 31, 5, 2, 3)[: rank + 2]
        x = torch.ones(shape, device=device)
        functional = getattr(torch.nn.functional, f"dropout{rank}d")
        module = getattr(torch.nn, f"Dropout{rank}d")
        lone = torch.ones(1, 8000, *shape[2:], device=device)
        # Of rank 2 a sample without a batch is taken for a batch of lines.
        samples = [x, lone] if rank == 2 else [x, lone, lone[0]]
        for call, given in product(
            (lambda x, f=functional: f(x, 0.75), module(0.75), module(p=0.75)), samples
        ):
            with case(rank=rank, shape=tuple(given.shape)):
                got = call(given)
                assert_metadata(got, shape=tuple(given.shape), dtype="float32")
                whole = read(got).reshape(-1, prod(shape[2:]))
                assert_that((whole == whole[:, :1]).all(), "a channel is dropped in part")
                assert_follows(whole[:, 0], law.bernoulli(0.25, 4.0), "float32")
        with case(rank=rank, p=0.5):
            kept = read(functional(x)).reshape(256, 31, -1)[:, :, 0] != 0
            assert_fair(serial_dependence(kept.ravel()))
            assert_equal(module(0.5).eval()(x), np.ones(shape, np.float32))


@clause("random.dropout-gradient", covers=["notes.distributions"], requires={"autograd"})
def what_is_dropped_gets_no_gradient(torch: Any, device: str) -> None:
    """The gradient of dropout is zero where the element was dropped and 1/(1-p) elsewhere: one
    mask for both directions."""
    for name, shape in product(supported(("float32", "float64")), ((7,), (33, 65), (3, 4, 1025))):
        with case(dtype=name, shape=shape):
            x = torch.ones(shape, **where(torch, device, name), requires_grad=True)
            got = torch.nn.functional.dropout(x, 0.75)
            got.sum().backward()
            assert_equal(x.grad, read(got))
