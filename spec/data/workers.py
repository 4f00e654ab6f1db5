"""Workers change who loads, and not what."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases.loading import Init, Slow, Tensors, Witness, keep
from tenet.spec.cases.trainings import seeded
from tenet.spec.data.common import chunks, flat, generator, order
from tenet.spec.language import assert_equal, assert_that, case, clause, for_all, home, supported
from tenet.spec.model.dtypes import ALL


@clause(
    "data.workers",
    thorough=True,
    covers=["notes.loader-workers", "notes.loader-seeding"],
    effort=0.02,
)
@for_all(
    # The simplest, which is always tried, is where most can go wrong.
    size=st.sampled_from((17, 1, 2, 5, 9, 16, 33)),
    batch_size=st.sampled_from((2, 1, 4, 5, 16)),
    workers=st.sampled_from((2, 1, 3)),
    shuffle=st.sampled_from((True, False)),
    drop_last=st.booleans(),
    persistent=st.sampled_from((True, False)),
    prefetch=st.sampled_from((None, 1, 3)),
)
def workers_change_who_loads_and_not_what(
    torch: Any,
    device: str,
    size: int,
    batch_size: int,
    workers: int,
    shuffle: bool,
    drop_last: bool,
    persistent: bool,
    prefetch: int | None,
) -> None:
    """A loader gives the same batches in the same order whatever num_workers is, however long a
    sample takes, on each of two passes, also where a pass before was left early."""

    def passes(**options: Any) -> list[list[list[int]]]:
        loader = torch.utils.data.DataLoader(
            Slow(size),
            batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            generator=generator(torch, size),
            **options,
        )
        first = order(loader)
        if not persistent:
            return [first]
        for _ in loader:
            break  # what was on its way is not of the next pass
        return [first, order(loader)]

    got = passes(num_workers=workers, persistent_workers=persistent, prefetch_factor=prefetch)
    alone = passes()
    assert_equal(got[0], alone[0])
    kept = size - size % batch_size if drop_last else size
    assert_equal([len(batch) for batch in got[0]], [len(b) for b in alone[0]])
    for one in got:
        assert_equal(len(set(flat(one)) & set(range(size))), kept)
        if shuffle and persistent and kept >= 16:
            # One in 16! = 2e13 by chance.
            assert_that(got[0] != got[1], "two passes came in one order")
        if not shuffle:
            assert_equal(one, chunks([*range(size)], batch_size, drop_last))


@clause(
    "data.tensors-from-workers", thorough=True, covers=["notes.loader-workers", "notes.collate"]
)
def tensors_come_out_of_a_worker_as_they_were(torch: Any, device: str) -> None:
    """Tensors of every dtype, views, 0-d and empty ones, numbers and text arrive from a worker
    with the values, shapes and dtypes that they have without one, batched or single."""
    dtypes = tuple(supported(ALL))
    data = Tensors(5, home(torch), dtypes)
    for workers in (0, 2):
        batches = list(torch.utils.data.DataLoader(data, 3, num_workers=workers))
        numbers = [[0, 1, 2], [3, 4]]
        assert_equal(len(batches), 2)
        for batch, rows in zip(batches, numbers, strict=True):
            assert_equal(batch["number"], np.array(rows))
            assert_equal(list(batch["name"]), [f"sample {row}" for row in rows])
            for dtype in dtypes:
                expected = [data.expected(row, dtype) for row in rows]
                for place, part in enumerate(zip(*expected, strict=True)):
                    with case(dtype=dtype, workers=workers, part=place):
                        assert_equal(batch[dtype][place], np.stack(part))
    # Without batches they come in the order that is asked for, too.
    asked = [3, 0, 4, 1, 2]
    single = torch.utils.data.DataLoader(data, None, sampler=asked, num_workers=2)
    for index, sample in zip(asked, single, strict=True):
        for dtype in dtypes:
            for place, one in enumerate(data.expected(index, dtype)):
                with case(dtype=dtype, sample=index, part=place):
                    assert_equal(sample[dtype][place], one)


@clause(
    "data.worker-seeds",
    thorough=True,
    covers=["notes.loader-seeding", "notes.loader-workers", "minicourse.loader-randomness"],
)
def each_worker_has_a_seed_of_its_own_that_a_run_repeats(torch: Any, device: str) -> None:
    """Worker k is seeded with base_seed + k, where base_seed is drawn from the loader's
    generator or the global stream: a run repeats, numbers drawn in workers included, and two
    workers draw different ones. worker_init_fn runs once in each worker, with its number,
    before it loads. get_worker_info() tells a worker its number, how many there are, its seed
    and its copy of the data set; outside of workers it is None."""
    data = torch.utils.data

    def told(workers: int, **options: Any) -> list[Any]:
        own = Witness(6, home(torch))
        init = Init(home(torch)) if workers else None
        loader = data.DataLoader(
            own, 2, num_workers=workers, collate_fn=keep, worker_init_fn=init, **options
        )
        batches = list(loader)
        assert_equal(own.started, [])  # the workers' copies were marked, not this one
        return [sample for batch in batches for sample in batch]

    first = told(2, generator=generator(torch, 4))
    with seeded(torch, 9):
        again = told(2, generator=generator(torch, 4))
        by_global_seed = told(2)
    with seeded(torch, 9):
        other = told(2, generator=generator(torch, 5))
        assert_equal([s[:5] for s in told(2)], [s[:5] for s in by_global_seed])
    assert_equal([sample[0] for sample in first], [*range(6)])
    assert_equal([sample[:5] for sample in again], [sample[:5] for sample in first])
    base = min(sample[1][2] for sample in first)
    assert_equal({sample[1][0] for sample in first}, {0, 1})
    for index, info, initial, _, started, process in first:
        worker = info[0]
        with case(sample=index, worker=worker):
            assert_equal(info, (worker, 2, base + worker, True))
            assert_equal(initial, base + worker)
            assert_equal(started, (worker,))
            assert_that(process != os.getpid(), "the sample was loaded by the caller itself")
    assert_equal(len({(s[1][0], s[5]) for s in first}), 2)
    assert_equal(len({sample[3] for sample in first}), 6)
    bases = {samples[0][1][2] for samples in (first, by_global_seed, other)}
    assert_that(len(bases) == 3, "two seeds gave one base seed")
    assert_equal([sample[1] for sample in told(0)], [None] * 6)
    assert_that(data.get_worker_info() is None, "there is a worker outside of workers")
