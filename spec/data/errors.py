"""Errors and dying workers reach the caller."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from traceback import clear_frames
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.loading import (
    Deadly,
    Faulty,
    Numbers,
    SampleError,
    failing_stream,
    unfit,
)
from tenet.spec.data.common import batch_sizes, chunks, flat, order, sizes
from tenet.spec.language import assert_equal, assert_same_object, assert_that, case, clause, for_all

ERRORS = (SampleError, ValueError, KeyError, IndexError, TypeError, RuntimeError, OSError)


def _raised_by(batches: Iterable[Any]) -> tuple[list[Any], type[BaseException] | None]:
    """What came before the error, and the error's type."""
    got: list[Any] = []
    try:
        for batch in batches:
            got.append(batch.tolist())
    except Exception as error:
        # The frames hold the loader's workers, which a later fork would inherit.
        clear_frames(error.__traceback__)
        return got, type(error)
    return got, None


@clause("data.errors", covers=["notes.loader-errors"], effort=2)
@for_all(
    size=sizes,
    batch_size=batch_sizes,
    bad=st.integers(0, 128),
    error=st.integers(0, len(ERRORS) - 1),
)
def an_error_of_a_data_set_reaches_the_caller(
    torch: Any, device: str, size: int, batch_size: int, bad: int, error: int
) -> None:
    """What a data set, a stream, a sampler or a collate_fn raises comes out of the loader, of its
    own type, after the batches before the bad one; another loader over the good samples is
    unharmed."""
    bad %= size
    data = Faulty(size, bad, ERRORS[error])
    loader = torch.utils.data.DataLoader(data, batch_size)
    good = chunks([*range(size)], batch_size)[: bad // batch_size]
    for _ in range(2):
        got, kind = _raised_by(loader)
        assert_equal(got, good)
        assert_same_object(kind, ERRORS[error])
    rest = [index for index in range(size) if index != bad]
    loader = torch.utils.data.DataLoader(data, batch_size, sampler=rest)
    assert_equal(order(loader), chunks(rest, batch_size))
    load, kind = torch.utils.data.DataLoader, ERRORS[error]

    def places() -> Iterator[int]:
        yield from range(bad)
        raise kind("no more places")

    def collate(samples: list[int]) -> Any:
        if bad in samples:
            raise kind("no batch")
        return np.array(samples)

    for what, loader in (
        ("stream", load(failing_stream(torch, bad, kind), batch_size)),
        ("sampler", load(Numbers(size), batch_size, sampler=places())),
        ("collate_fn", load(Numbers(size), batch_size, collate_fn=collate)),
    ):
        with case(raised_by=what, error=kind.__name__):
            got, found = _raised_by(loader)
            assert_equal(got, good)
            assert_same_object(found, kind)


@clause("data.errors-in-workers", thorough=True, covers=["notes.loader-errors"])
def an_error_in_a_worker_reaches_the_caller(torch: Any, device: str) -> None:
    """What a data set, a stream or a collate_fn raises in a worker is raised in the caller, of
    its own type, after the batches before the bad one."""
    for place, error in enumerate(ERRORS):
        workers = 1 + place % 2
        with case(error=error.__name__, workers=workers):
            data = Faulty(7, place, error)
            loader = torch.utils.data.DataLoader(data, 2, num_workers=workers)
            got, kind = _raised_by(loader)
            assert_equal(got, chunks([*range(7)], 2)[: place // 2])
            assert_same_object(kind, error)
    load = torch.utils.data.DataLoader
    for what, loader, error in (
        ("stream", load(failing_stream(torch, 3, OSError), 2, num_workers=1), OSError),
        ("collate_fn", load(Numbers(7), 2, num_workers=1, collate_fn=unfit), SampleError),
    ):
        with case(raised_by=what):
            arrived = []
            try:
                for batch in loader:
                    arrived.append([int(sample) for sample in batch])
                kind = None
            except Exception as raised:
                clear_frames(raised.__traceback__)
                kind = type(raised)
            assert_equal(arrived, [[0, 1]])
            assert_same_object(kind, error)


PATIENCE = 60
"""Seconds after which a loader that waits for a dead worker is given up."""


@clause("data.dying-workers", thorough=True, covers=["notes.loader-errors"])
def a_worker_that_dies_raises_in_the_caller(torch: Any, device: str) -> None:
    """A worker that ends without a word makes the loader raise, rather than wait for ever; the
    same data set loads without workers."""
    for workers, status in ((1, 3), (2, 1), (1, -9)):
        with case(workers=workers, status=status):
            data = Deadly(5, status)
            loader = torch.utils.data.DataLoader(data, 1, num_workers=workers, timeout=PATIENCE)
            started = time.monotonic()
            got, kind = _raised_by(loader)
            waited = time.monotonic() - started
            assert_that(kind is not None, f"the loader gave {got} and no error")
            assert_that(waited < PATIENCE, f"the loader waited for {waited:.0f} seconds")
            assert_equal(flat(order(torch.utils.data.DataLoader(data))), [*range(5)])
