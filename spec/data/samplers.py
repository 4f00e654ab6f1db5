"""Samplers say which samples are drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tenet.spec.cases.loading import Endless, Numbers, stream
from tenet.spec.data.common import MANY, batch_sizes, chunks, flat, generator, order, seeds, sizes
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    read,
)


@clause("data.samplers", covers=["notes.samplers"], effort=3)
@for_all(size=sizes, batch_size=batch_sizes, drop_last=st.booleans(), seed=seeds)
def samplers_draw_what_they_name(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool, seed: int
) -> None:
    """SequentialSampler gives 0 to n-1 in order, RandomSampler a permutation (or num_samples of
    them with replacement), SubsetRandomSampler a permutation of the given indices, and
    BatchSampler cuts another sampler's indices into lists. len() counts what comes; a generator
    of the same seed repeats it, and is all that is drawn from."""
    data = torch.utils.data
    everything, source = [*range(size)], Numbers(size)
    assert_equal(list(data.SequentialSampler(source)), everything)
    assert_equal(len(data.SequentialSampler(source)), size)

    subset = [3 * index + 1 for index in everything if index % 3]
    fewer = max(1, size // 2)
    makers: tuple[tuple[str, Callable[[Any], Any], list[int]], ...] = (
        ("RandomSampler", lambda g: data.RandomSampler(source, generator=g), everything),
        ("subset", lambda g: data.SubsetRandomSampler(subset, generator=g), subset),
        (
            "WeightedRandomSampler",
            lambda g: data.WeightedRandomSampler([0.5] * size, size, False, generator=g),
            everything,
        ),
    )
    state = read(torch.get_rng_state())
    for name, maker, expected in makers:
        with case(sampler=name):
            sampler = maker(generator(torch, seed))
            got = list(sampler)
            assert_equal(sorted(got), expected)
            assert_equal(len(sampler), len(expected))
            assert_equal(list(maker(generator(torch, seed))), got)
            if len(expected) >= MANY:
                assert_that(list(sampler) != got, "two passes came in one order")
            assert_equal(torch.get_rng_state(), state)
    few = data.RandomSampler(source, num_samples=fewer)
    assert_equal((len(list(few)), len(set(few) & set(everything)), len(few)), (fewer,) * 3)
    # More than there are: one permutation after another, and the beginning of a last one.
    many = data.RandomSampler(
        source, num_samples=2 * size + fewer, generator=generator(torch, seed)
    )
    rounds = chunks(list(many), size)
    assert_equal([len(one) for one in rounds], [size, size, fewer])
    assert_equal([len(set(one) & set(everything)) for one in rounds], [size, size, fewer])
    assert_equal(len(many), 2 * size + fewer)
    if size >= MANY:
        assert_that(rounds[0] != rounds[1], "two rounds came in one order")
    state = read(torch.get_rng_state())
    again = data.RandomSampler(source, True, 3 * size, generator(torch, seed))
    drawn = list(again)
    repeated = data.RandomSampler(source, True, 3 * size, generator(torch, seed))
    assert_equal(list(repeated), drawn)
    assert_equal(torch.get_rng_state(), state)
    assert_equal((len(drawn), len(again)), (3 * size, 3 * size))
    assert_that(set(drawn) <= set(everything), "an index out of range was drawn")
    if size >= MANY:
        assert_that(len(set(drawn[:size])) < size, "with replacement nothing came twice")
    # Of a million, 300 are drawn 45 times in 1000 with one twice.
    wide = data.RandomSampler(range(10**6), True, 300, generator(torch, seed))
    assert_that(len(set(wide)) > 290, "with replacement some came again and again")
    for wrong in (0, -1, 2.0):
        with case(num_samples=wrong):
            assert_raises(data.RandomSampler, source, num_samples=wrong)
            assert_raises(data.WeightedRandomSampler, [1.0] * size, wrong)
    assert_raises(data.RandomSampler, source, "yes")
    assert_raises(data.WeightedRandomSampler, [[1.0]], 1)
    batches = data.BatchSampler(data.SequentialSampler(source), batch_size, drop_last)
    assert_equal(list(batches), chunks(everything, batch_size, drop_last))
    assert_equal(len(batches), len(chunks(everything, batch_size, drop_last)))
    assert_equal(list(data.BatchSampler(subset, batch_size, False)), chunks(subset, batch_size))
    # In the order of the sampler, and of it as often as it comes.
    mixed = [*(index * 7 % size for index in reversed(range(size))), 0, 0]
    assert_equal(list(data.BatchSampler(mixed, batch_size, False)), chunks(mixed, batch_size))
    # Indices may be numbers of a tensor.
    chosen = data.SubsetRandomSampler(torch.tensor(mixed))
    assert_equal(sorted(int(index) for index in chosen), sorted(mixed))


@clause("data.weighted-sampler", thorough=True, covers=["notes.samplers"])
def a_weighted_sampler_draws_by_weight(torch: Any, device: str) -> None:
    """WeightedRandomSampler draws index i in proportion to weight i, never one of weight 0, and
    without replacement each at most once. RandomSampler with replacement draws evenly."""
    data = torch.utils.data
    for weights in ((0.0, 1.0, 2.0, 5.0, 0.0), (3.0, 1.0), (0.1, 0.1, 0.2)):
        total, count = sum(weights), 4000
        # Weights may be a tensor, too.
        given = torch.tensor(weights, dtype=torch.float64) if len(weights) % 2 else weights
        sampler = data.WeightedRandomSampler(given, count)
        singles = [data.WeightedRandomSampler(weights, 1, replacement=False)] * 1000
        for name, drawn in (
            ("with replacement", list(sampler)),
            ("one without replacement", flat([list(one) for one in singles])),
        ):
            found = Counter(drawn)
            for index, weight in enumerate(weights):
                with case(weights=weights, index=index, sampler=name):
                    share = weight / total
                    # Binomial; seven deviations are exceeded once in 4e11 runs.
                    mean, width = len(drawn) * share, 7 * (len(drawn) * share * (1 - share)) ** 0.5
                    near = abs(found[index] - mean) <= width
                    assert_that(near, f"{found[index]} of {len(drawn)} draws")
        positive = [index for index, weight in enumerate(weights) if weight]
        for _ in range(100):
            alone = data.WeightedRandomSampler(weights, len(positive), replacement=False)
            assert_equal(sorted(alone), positive)
    found = Counter(data.RandomSampler(range(5), replacement=True, num_samples=4000))
    for index in range(5):
        # Mean 800, deviation 25.3.
        assert_that(abs(found[index] - 800) < 178, f"{index} came {found[index]} of 4000 times")


@clause("data.loader-obeys-its-sampler", covers=["notes.samplers", "mlnotes.dataset"], effort=1)
@for_all(size=sizes, batch_size=batch_sizes, drop_last=st.booleans(), step=st.integers(1, 7))
def a_loader_takes_the_samples_that_its_sampler_names(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool, step: int
) -> None:
    """sampler= is any iterable of indices, in its order and with its repetitions; batch_sampler=
    is any iterable of lists of them, each a batch. Each pass asks it anew. A data set of which
    nobody knows the length is loaded by them, too."""
    load = torch.utils.data.DataLoader
    wanted = [*(index * step % size for index in reversed(range(size))), 0, 0]
    loader = load(Numbers(size), batch_size, sampler=wanted, drop_last=drop_last)
    for _ in range(2):
        assert_equal(order(loader), chunks(wanted, batch_size, drop_last))
    assert_equal(len(loader), len(chunks(wanted, batch_size, drop_last)))
    assert_equal(len(loader.dataset), size)
    lists = [wanted[: step + 1], wanted[-1:], wanted]
    loader = load(Numbers(size), batch_sampler=lists)
    assert_equal((order(loader), len(loader)), (lists, 3))
    loader = load(Numbers(size), batch_size=None, sampler=wanted)
    assert_equal(([int(sample) for sample in loader], len(loader)), (wanted, len(wanted)))
    endless = load(Endless(), batch_size, sampler=wanted, drop_last=drop_last)
    assert_equal(order(endless), chunks(wanted, batch_size, drop_last))
    endless = load(Endless(), batch_sampler=lists)
    assert_equal((order(endless), len(endless)), (lists, 3))


@clause("data.options-that-exclude-each-other", covers=["notes.samplers", "notes.loader-errors"])
def contradictory_options_raise(torch: Any, device: str) -> None:
    """sampler excludes shuffle; batch_sampler excludes batch_size, shuffle, sampler and
    drop_last; a stream takes none of them; batch_size is at least 1; worker options need
    workers, of which there are not fewer than none."""
    load = torch.utils.data.DataLoader
    numbers, flow, lists = Numbers(4), stream(torch, 4), [[0, 1], [2]]
    valid: tuple[tuple[Any, dict[str, Any]], ...] = (
        (numbers, {"sampler": [0]}),
        (numbers, {"sampler": [0], "shuffle": False}),
        (numbers, {"batch_sampler": lists}),
        (numbers, {"batch_size": 1}),
        (numbers, {"batch_size": None}),
        (numbers, {"num_workers": 0, "timeout": 0}),
        (flow, {"batch_size": 2, "drop_last": True}),
    )
    for source, options in valid:
        with case(options=options):
            assert_that(len(list(load(source, **options))) > 0, "there were no batches")
    for source, options in (
        (numbers, {"sampler": [0], "shuffle": True}),
        (numbers, {"batch_sampler": lists, "shuffle": True}),
        (numbers, {"batch_sampler": lists, "batch_size": 2}),
        (numbers, {"batch_sampler": lists, "sampler": [0]}),
        (numbers, {"batch_sampler": lists, "drop_last": True}),
        (numbers, {"batch_size": None, "drop_last": True}),
        (flow, {"shuffle": True}),
        (flow, {"sampler": [0]}),
        (flow, {"batch_sampler": lists}),
        (numbers, {"batch_size": 0}),
        (numbers, {"batch_size": -1}),
        (numbers, {"batch_size": -64, "drop_last": True}),
        (numbers, {"batch_size": 0, "shuffle": True}),
        (flow, {"batch_size": 0}),
        (flow, {"batch_size": -3}),
        (numbers, {"num_workers": -1}),
        (numbers, {"timeout": -1}),
        (numbers, {"persistent_workers": True}),
        (numbers, {"prefetch_factor": 2}),
    ):
        with case(options=options):
            assert_raises(lambda s, o: list(load(s, **o)), source, options)
    loader = load(numbers, 2)
    for name, value in (("batch_size", 3), ("drop_last", True), ("sampler", [0]), ("dataset", [])):
        with case(changed=name):
            assert_raises(setattr, loader, name, value)  # once made, it stays as it is
    for size in (0, -1):
        assert_raises(torch.utils.data.BatchSampler, range(4), size, False)
    assert_equal(list(torch.utils.data.BatchSampler(range(4), 3, False)), [[0, 1, 2], [3]])
