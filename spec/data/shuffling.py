"""The order of samples."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import ceil
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import tensor_of
from tenet.spec.cases.loading import SOURCES, Numbers, keep
from tenet.spec.cases.trainings import seeded
from tenet.spec.data.common import MANY, batch_sizes, chunks, flat, generator, order, seeds, sizes
from tenet.spec.language import assert_equal, assert_that, case, clause, for_all, supported
from tenet.spec.model.dtypes import ALL, numpy_dtype


@clause(
    "data.shuffle",
    covers=[
        "hackmd.shuffle",
        "mlnotes.loader-batch-4",
        "notes.loader-seeding",
        "minicourse.loader-randomness",
    ],
    effort=0.3,
)
@for_all(size=sizes, batch_size=batch_sizes, drop_last=st.booleans(), seed=seeds)
def shuffling_visits_every_sample_once_in_an_order_that_its_seed_fixes(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool, seed: int
) -> None:
    """shuffle=True gives every sample once a pass, in another order each pass. The orders are
    fixed by the generator that the loader is given, whatever the global seed is, and by the
    global seed where it is given none."""

    def passes(**options: Any) -> list[list[list[int]]]:
        loader = torch.utils.data.DataLoader(
            Numbers(size),
            batch_size,
            shuffle=True,
            drop_last=drop_last,
            collate_fn=keep,
            **options,
        )
        return [list(loader), list(loader)]

    with seeded(torch, seed + 1):
        got = passes(generator=generator(torch, seed))
        untouched = torch.initial_seed()
    kept = size - size % batch_size if drop_last else size
    everything = [*range(size)]
    for one in got:
        assert_equal([len(b) for b in one], [len(b) for b in chunks(everything[:kept], batch_size)])
        assert_equal(len(set(flat(one)) & set(everything)), kept)
    assert_equal(untouched, seed + 1)
    with seeded(torch, seed + 2):
        assert_equal(passes(generator=generator(torch, seed)), got)
    with seeded(torch, seed):
        first = passes()
        later = passes()
    with seeded(torch, seed):
        assert_equal(passes(), first)
    if kept >= MANY:
        other = passes(generator=generator(torch, seed + 1))
        orders = [flat(one) for one in (*got, *first, *later, *other)]
        assert_equal(len({tuple(one) for one in orders}), 8)
        assert_that(everything[:kept] not in orders, "a shuffle left the order as it was")


@clause("data.shuffled-samples", covers=["hackmd.shuffle", "mlnotes.loader-batch-4"], effort=1.5)
@for_all(size=sizes, source=st.sampled_from([*SOURCES]), dtype=st.sampled_from(ALL))
def a_shuffled_sample_keeps_its_parts_together(
    torch: Any, device: str, size: int, source: str, dtype: str
) -> None:
    """DataLoader(data, batch_size=4, shuffle=True) gives ceil(n / 4) batches with every sample
    once; what belongs to one sample stays together."""
    for name in supported([dtype]):
        images = (np.arange(size * 6).reshape(size, 2, 3) % 101).astype(numpy_dtype(name))
        labels = [*range(size)]
        data = SOURCES[source](torch, device, tensor_of(torch, device, images), labels)
        loader = torch.utils.data.DataLoader(data, batch_size=4, shuffle=True)
        batches = list(loader)
        assert_equal([len(batches), len(loader)], [ceil(size / 4)] * 2)
        chosen = [y.tolist() for _, y in batches]
        assert_equal(sorted(flat(chosen)), labels)
        for (x, _), rows in zip(batches[-2:], chosen[-2:], strict=True):
            assert_equal(x, images[rows])


@clause("data.shuffle-is-fair", thorough=True, covers=["hackmd.shuffle", "notes.samplers"])
def every_order_is_as_likely_as_any_other(torch: Any, device: str) -> None:
    """A shuffle is a uniformly drawn permutation: of 4 samples each of the 24 orders turns up
    about as often, whether the loader shuffles or a sampler; and where the last batch is dropped
    each sample is left out about as often."""
    data = torch.utils.data
    makers = {
        "loader": data.DataLoader(Numbers(4), batch_size=None, shuffle=True),
        "RandomSampler": data.RandomSampler(range(4)),
        "SubsetRandomSampler": data.SubsetRandomSampler([0, 1, 2, 3]),
    }
    for name, maker in makers.items():
        found = Counter(tuple(int(item) for item in maker) for _ in range(1920))
        for wanted in permutations(range(4)):
            with case(maker=name, order=wanted):
                # Each count is binomial: mean 80, deviation 8.8. Seven of those are 4e-12.
                assert_that(18 < found[wanted] < 142, f"it came {found[wanted]} of 1920 times")
    loader = data.DataLoader(Numbers(5), 2, shuffle=True, drop_last=True)
    left_out = Counter(10 - sum(flat(order(loader))) for _ in range(400))
    for sample in range(5):
        with case(maker="loader that drops the last", sample=sample):
            # Binomial as well: mean 80, deviation 8.
            count = left_out[sample]
            assert_that(24 < count < 136, f"it was left out {count} of 400 times")


@clause(
    "data.generator-of-the-loader",
    covers=["notes.loader-seeding", "minicourse.loader-randomness"],
)
def a_loader_with_its_own_generator_leaves_the_global_stream_alone(torch: Any, device: str) -> None:
    """A generator given to the loader is what its shuffle draws from, with the same orders in a
    replay of its state; the global stream goes on as if there had been no loader."""
    own = generator(torch, 3)
    loader = torch.utils.data.DataLoader(Numbers(30), 4, shuffle=True, generator=own)
    with seeded(torch, 5):
        expected = torch.rand(4).tolist()
    with seeded(torch, 5):
        start = own.get_state()
        got = [order(loader), order(loader)]
        assert_equal(torch.rand(4).tolist(), expected)
    own.set_state(start)
    assert_equal([order(loader), order(loader)], got)
    assert_that(got[0] != got[1], "two passes came in one order")
