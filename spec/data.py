"""Data sets, samplers and the loader that makes batches of them."""

from __future__ import annotations

import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import permutations
from math import ceil, floor, prod
from traceback import clear_frames
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, operands, tensor_of
from tenet.spec.cases.loading import (
    SOURCES,
    Deadly,
    Faulty,
    Init,
    Numbers,
    SampleError,
    Slow,
    Tensors,
    Witness,
    keep,
    stream,
    subclass,
)
from tenet.spec.cases.trainings import seeded
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    home,
    supported,
)
from tenet.spec.model.dtypes import ALL, numpy_dtype

SIZES = (10, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129)
BATCH_SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 128, 200)
MANY = 20
"""Two shuffles of so many samples are equal once in 20! = 2e18 times."""

sizes = st.sampled_from(SIZES)
batch_sizes = st.sampled_from(BATCH_SIZES)
seeds = st.integers(0, 999)


def generator(torch: Any, seed: int) -> Any:
    """A stream of its own. Samplers draw on the CPU, whatever device the samples are on."""
    return torch.Generator().manual_seed(seed)


def chunks(items: Any, size: int, drop_last: bool = False) -> list[Any]:
    """The items cut into runs of `size`; the last may be shorter, or is left out."""
    count = len(items) // size if drop_last else ceil(len(items) / size)
    return [items[size * n : size * (n + 1)] for n in range(count)]


def flat(batches: list[list[int]]) -> list[int]:
    return [item for batch in batches for item in batch]


def order(loader: Any) -> list[list[int]]:
    """One pass over a loader of numbers."""
    return [batch.tolist() for batch in loader]


@clause(
    "data.batches",
    covers=[
        "hackmd.batches",
        "mlnotes.dataset",
        "hackmd.loader-dataset-len",
        "notes.drop-last",
        "hackmd.shuffle",
    ],
    effort=0.8,
)
@for_all(
    size=sizes,
    batch_size=batch_sizes,
    drop_last=st.booleans(),
    source=st.sampled_from([*SOURCES]),
    dtype=st.sampled_from(ALL),
)
def a_loader_cuts_a_data_set_into_batches_in_order(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool, source: str, dtype: str
) -> None:
    """A data set is whatever has __getitem__ and __len__. A loader gives its samples in order,
    batch_size at a time, with a new leading dimension, on every pass anew; the last batch is
    shorter, or with drop_last=True left out. len(loader) is the number of batches and
    len(loader.dataset) that of the samples; whole numbers become int64."""
    for name in supported([dtype]):
        images = (np.arange(size * 6).reshape(size, 2, 3) % 101).astype(numpy_dtype(name))
        labels = [7 * index - 5 for index in range(size)]
        data = SOURCES[source](torch, device, tensor_of(torch, device, images), labels)
        loader = torch.utils.data.DataLoader(data, batch_size=batch_size, drop_last=drop_last)

        expected = chunks(images, batch_size, drop_last)
        batches = list(loader)
        assert_equal(len(loader), len(expected))
        assert_equal(len(loader.dataset), size)
        assert_same_object(loader.dataset, data)
        assert_equal([len(x) for x, _ in batches], [len(x) for x in expected])
        assert_equal([y.tolist() for _, y in batches], chunks(labels, batch_size, drop_last))
        for place in {0, len(expected) - 1} if expected else ():
            with case(batch=place):
                assert_equal(batches[place][0], expected[place])
                wanted = chunks(np.array(labels), batch_size)[place]
                assert_equal(batches[place][1], wanted)
        assert_equal([x.tolist() for x, _ in batches], [x.tolist() for x in expected])
        assert_equal([y.tolist() for _, y in loader], [y.tolist() for _, y in batches])


@clause("data.images", covers=["hackmd.batches", "hackmd.batch-nchw"])
def a_batch_has_the_dimensions_of_its_samples_and_one_more(torch: Any, device: str) -> None:
    """1000 samples of shape (28, 28) give 15 batches of shape (64, 28, 28) and one of 40: the
    batch is (N, H, W), and has a channel dimension only where each sample has one."""
    for shape in ((28, 28), (1, 28, 28)):
        images = (np.arange(1000 * 784, dtype=np.int64) % 9973).reshape(1000, *shape)
        images = images.astype(np.float32)
        labels = np.arange(1000) % 10
        data = torch.utils.data.TensorDataset(
            tensor_of(torch, device, images), tensor_of(torch, device, labels)
        )
        batches = list(torch.utils.data.DataLoader(data, 64))
        assert_equal([tuple(x.shape) for x, _ in batches], [(64, *shape)] * 15 + [(40, *shape)])
        for place, (x, y) in enumerate(batches):
            with case(batch=place, shape=shape):
                assert_equal(x, images[64 * place : 64 * (place + 1)])
                assert_equal(y, labels[64 * place : 64 * (place + 1)])


@clause("data.defaults", covers=["hackmd.batches", "hackmd.shuffle", "notes.drop-last"], effort=0.3)
@for_all(size=sizes)
def a_loader_left_to_itself_gives_single_samples_in_order(
    torch: Any, device: str, size: int
) -> None:
    """By default a batch is one sample, in order and none left out; batch_size=None gives the
    samples as they are, without a new dimension. Two passes may be under way at once."""
    load = torch.utils.data.DataLoader
    assert_equal(order(load(Numbers(size))), [[index] for index in range(size)])
    assert_equal(len(load(Numbers(size))), size)
    rows = np.arange(size * 3, dtype=np.float32).reshape(size, 3)
    plain = load(list(tensor_of(torch, device, rows)), batch_size=None)
    assert_equal([row.tolist() for row in plain], rows.tolist())
    assert_equal(len(plain), size)
    loader = load(Numbers(size), batch_size=2, shuffle=False)
    first, second = iter(loader), iter(loader)
    got = [batch.tolist() for pair in zip(first, second, strict=True) for batch in pair]
    assert_equal(got, [batch for batch in chunks([*range(size)], 2) for _ in range(2)])
    for begun, expected in zip(loader, chunks([*range(size)], 2), strict=True):
        # One that begins while another is under way begins at the beginning.
        assert_equal(order(loader), chunks([*range(size)], 2))
        assert_equal(begun.tolist(), expected)
    turned = [{"row": row, "text": "x", "n": 3} for row in rows]
    for sample, row in zip(load(turned, batch_size=None), rows, strict=True):
        # An array becomes a tensor, without batches too.
        assert_equal((sample["row"].tolist(), sample["text"], sample["n"]), (row.tolist(), "x", 3))
        assert_equal(sample["row"].dtype, torch.float32)


@clause("data.empty", covers=["mlnotes.dataset", "notes.drop-last", "hackmd.loader-dataset-len"])
def an_empty_data_set_gives_no_batches(torch: Any, device: str) -> None:
    """A data set without samples is loaded in no batches."""
    for batch_size in (1, 4):
        for drop_last in (False, True):
            with case(batch_size=batch_size, drop_last=drop_last):
                loader = torch.utils.data.DataLoader([], batch_size, drop_last=drop_last)
                assert_equal((list(loader), len(loader), len(loader.dataset)), ([], 0, 0))


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
    about as often, whether the loader shuffles or a sampler."""
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
    sample takes, on each of two passes."""

    def passes(**options: Any) -> list[list[list[int]]]:
        loader = torch.utils.data.DataLoader(
            Slow(size),
            batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            generator=generator(torch, size),
            **options,
        )
        return [order(loader) for _ in range(2 if persistent else 1)]

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
    single = list(torch.utils.data.DataLoader(data, None, num_workers=1))
    for index, sample in enumerate(single):
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
        told(2, generator=generator(torch, 5))
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
    assert_that(by_global_seed[0][1][2] != first[0][1][2], "two seeds gave one base seed")
    assert_equal([sample[1] for sample in told(0)], [None] * 6)
    assert_that(data.get_worker_info() is None, "there is a worker outside of workers")


@clause(
    "data.collate-tensors",
    covers=["notes.collate", "hackmd.batches"],
    requires={"in-place"},
    effort=2,
)
@for_all(
    operand=operands(),
    count=st.sampled_from((2, 1, 3, 4, 5, 8, 9, 17)),
    dtype=st.sampled_from(ALL),
)
def tensors_are_collated_by_stacking(
    torch: Any, device: str, operand: Operand, count: int, dtype: str
) -> None:
    """Tensors of one shape are stacked along a new first dimension, bit by bit and in their
    dtype, whatever their layout; the batch is a copy, and a write to it reaches no sample."""
    same = (operand.shape, operand.layout, operand.regime)
    if prod(operand.shape) > 300:
        count = min(count, 3)
    for name in supported([dtype]):
        described = [Operand(*same, operand.seed + n) for n in range(count)]
        samples = [one.on(torch, device, name) for one in described]
        expected = np.stack([one.array(name) for one in described])
        batch = torch.utils.data.default_collate(samples)
        assert_equal(batch, expected)
        [loaded] = torch.utils.data.DataLoader(samples, batch_size=count)
        assert_equal(loaded, expected)
        if "expanded" not in operand.layout:
            batch.zero_()
            loaded.zero_()
            assert_equal(samples[-1], expected[-1])


class Point(NamedTuple):
    """A sample of named parts."""

    x: Any
    y: Any


def _numbers_of(torch: Any, device: str) -> Iterator[tuple[str, list[Any], np.ndarray]]:
    """Samples that are numbers or arrays, with the batch that they make."""
    yield "int", [0, -1, 2**62, -(2**62)], np.array([0, -1, 2**62, -(2**62)])
    floats = [1 / 3, -0.0, float("inf"), float("nan"), 1e300, 2.0**-1074]
    yield "float", floats, np.array(floats)
    yield "bool", [True, False, True], np.array([True, False, True])
    yield "one int", [5], np.array([5])
    for dtype in supported(ALL):
        if dtype == "bfloat16":
            continue  # NumPy has no such arrays
        whole = (np.arange(24).reshape(2, 3, 4) % 9).astype(numpy_dtype(dtype))
        yield f"array {dtype}", [*whole], whole
        yield f"stepped array {dtype}", [*whole[:, :, ::2]], whole[:, :, ::2].copy()
        yield f"0-d array {dtype}", [np.array(x) for x in whole[0, 0]], whole[0, 0]
        yield f"NumPy scalar {dtype}", [*whole[1, 2]], whole[1, 2]
        yield f"empty array {dtype}", [x[:0] for x in whole], whole[:, :0]


@clause("data.collate-numbers", covers=["notes.collate", "hackmd.batches"])
def numbers_and_arrays_become_tensors_of_their_own_dtype(torch: Any, device: str) -> None:
    """Python's int, float and bool become int64, float64 and bool without loss; NumPy arrays
    and scalars become tensors of the dtype that they have."""
    for what, samples, expected in _numbers_of(torch, device):
        with case(samples=what):
            assert_equal(torch.utils.data.default_collate(samples), expected)
            [batch] = torch.utils.data.DataLoader(samples, batch_size=len(samples))
            assert_equal(batch, expected)


def _check_structure(got: Any, expected: Any) -> None:
    """Arrays stand for tensors. A mapping, a named tuple and a list keep their kind; of a tuple
    it is documented only that it becomes a sequence."""
    if isinstance(expected, np.ndarray):
        assert_equal(got, expected)
    elif isinstance(expected, dict):
        assert_equal(type(got), type(expected))
        assert_equal(list(got), list(expected))
        for key, part in expected.items():
            with case(key=key):
                _check_structure(got[key], part)
    elif isinstance(expected, str | bytes):
        assert_equal(got, expected)
    else:
        if isinstance(expected, Point):
            assert_equal((type(got), got._fields), (Point, ("x", "y")))
        else:
            assert_that(isinstance(got, list | tuple), f"it is a {type(got).__name__}")
        assert_equal(len(got), len(expected))
        for place, part in enumerate(expected):
            with case(place=place):
                _check_structure(got[place], part)


STRUCTURES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    # Of a tensor x, a number n, a text t and bytes b: one sample, or with a batch of each the
    # batch that they are collated to.
    "tuple": lambda x, n, t, b: (x, n),
    "list": lambda x, n, t, b: [x, n],
    "dict": lambda x, n, t, b: {"x": x, "n": n, "t": t},
    "dict of other keys": lambda x, n, t, b: {2: n, (1, 0): x},
    "OrderedDict": lambda x, n, t, b: OrderedDict(n=n, x=x),
    "named tuple": lambda x, n, t, b: Point(y=n, x=x),
    "text": lambda x, n, t, b: t,
    "bytes": lambda x, n, t, b: b,
    "text and bytes": lambda x, n, t, b: (t, b, n),
    "nested": lambda x, n, t, b: {"a": [(x, {"b": Point(n, t)}), n / 4], "c": ({"d": x, "e": b},)},
}


@clause("data.collate-structures", covers=["notes.collate"])
def containers_are_collated_part_by_part(torch: Any, device: str) -> None:
    """Mappings, named tuples, tuples and lists of one length are collated part by part, to any
    depth; text and bytes are kept, one for each sample."""
    for count in (1, 2, 3, 8):
        x, n = np.arange(count * 2, dtype=np.int32).reshape(count, 2), np.arange(count)
        texts, raw = [f"sample {i}" for i in n], [bytes([i]) for i in n]
        on_device = tensor_of(torch, device, x)
        for what, build in STRUCTURES.items():
            parts = [(on_device[i], i, texts[i], raw[i]) for i in range(count)]
            samples = [build(*part) for part in parts]
            with case(samples=what, count=count):
                _check_structure(torch.utils.data.default_collate(samples), build(x, n, texts, raw))
                [got] = torch.utils.data.DataLoader(samples, count)
                _check_structure(got, build(x, n, texts, raw))


@clause("data.collate-unequal", covers=["notes.collate"])
def samples_of_unequal_shape_cannot_be_collated(torch: Any, device: str) -> None:
    """Samples that differ in shape or in number of parts raise; a collate_fn of one's own takes
    them, and what it returns is the batch."""
    data = torch.utils.data
    for unequal, equal in (
        ([torch.ones(2, device=device), torch.ones(3, device=device)], [torch.ones(2)] * 2),
        ([torch.ones(2, 1, device=device), torch.ones(2, device=device)], [torch.ones(2, 1)] * 2),
        ([torch.ones(1, device=device), torch.ones((), device=device)], [torch.ones(1)] * 2),
        ([np.ones(2), np.ones(3)], [np.ones(2)] * 2),
        ([(1, 2), (1, 2, 3)], [(1, 2)] * 2),
        ([[1, 2, 3], [1, 2]], [[1, 2]] * 2),
        ([{"x": torch.ones(2)}, {"x": torch.ones(1)}], [{"x": torch.ones(1)}] * 2),
    ):
        with case(samples=str(unequal)):
            assert_raises(data.default_collate, unequal)
            assert_that(data.default_collate(equal) is not None, "equal samples gave nothing")
            assert_raises(list, data.DataLoader(unequal, 2))
            assert_equal(len(list(data.DataLoader(equal, 2))), 1)
            [own] = data.DataLoader(unequal, 2, collate_fn=keep)
            assert_equal(len(own), 2)
            assert_same_object(own[1], unequal[1])


@clause("data.collate-fn", covers=["notes.collate"], effort=2)
@for_all(size=sizes, batch_size=batch_sizes)
def a_collate_fn_makes_the_batch_of_the_list_of_samples(
    torch: Any, device: str, size: int, batch_size: int
) -> None:
    """collate_fn is called once for each batch, with the list of its samples, and what it
    returns is handed on as it is. Without batches it converts each sample."""
    given: list[Any] = []

    def collate(samples: Any) -> str:
        given.append(samples)
        return f"batch {len(given)}"

    load = torch.utils.data.DataLoader
    got = list(load(Numbers(size), batch_size, collate_fn=collate))
    assert_equal(given, chunks([*range(size)], batch_size))
    assert_equal(got, [f"batch {n + 1}" for n in range(len(given))])
    for how, options in (
        ("sampler", {"sampler": range(size), "batch_size": batch_size}),
        ("batch_sampler", {"batch_sampler": chunks([*range(size)], batch_size)}),
        ("drop_last", {"batch_size": batch_size, "drop_last": True}),
    ):
        given.clear()
        with case(how=how):
            batches = list(load(Numbers(size), collate_fn=collate, **options))
            expected = chunks([*range(size)], batch_size, "drop_last" in options)
            assert_equal((given, len(batches)), (expected, len(expected)))
    given.clear()
    assert_equal(len(list(load(Numbers(size), batch_size=None, collate_fn=collate))), size)
    assert_equal(given, [*range(size)])


@clause("data.samplers", covers=["notes.samplers"], effort=4)
@for_all(size=sizes, batch_size=batch_sizes, drop_last=st.booleans(), seed=seeds)
def samplers_draw_what_they_name(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool, seed: int
) -> None:
    """SequentialSampler gives 0 to n-1 in order, RandomSampler a permutation (or num_samples of
    them with replacement), SubsetRandomSampler a permutation of the given indices, and
    BatchSampler cuts another sampler's indices into lists. len() counts what comes; a generator
    of the same seed repeats it."""
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
    for name, maker, expected in makers:
        with case(sampler=name):
            sampler = maker(generator(torch, seed))
            got = list(sampler)
            assert_equal(sorted(got), expected)
            assert_equal(len(sampler), len(expected))
            assert_equal(list(maker(generator(torch, seed))), got)
            if len(expected) >= MANY:
                assert_that(list(sampler) != got, "two passes came in one order")
    few = list(data.RandomSampler(source, num_samples=fewer))
    assert_equal((len(few), len(set(few) & set(everything))), (fewer, fewer))
    again = data.RandomSampler(source, replacement=True, num_samples=3 * size)
    drawn = list(again)
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


@clause("data.weighted-sampler", thorough=True, covers=["notes.samplers"])
def a_weighted_sampler_draws_by_weight(torch: Any, device: str) -> None:
    """WeightedRandomSampler draws index i in proportion to weight i, never one of weight 0, and
    without replacement each at most once. RandomSampler with replacement draws evenly."""
    data = torch.utils.data
    for weights in ((0.0, 1.0, 2.0, 5.0, 0.0), (3.0, 1.0), (0.1, 0.1, 0.2)):
        total, count = sum(weights), 4000
        sampler = data.WeightedRandomSampler(weights, count)
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
    is any iterable of lists of them, each a batch. Each pass asks it anew."""
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
    for size in (0, -1):
        assert_raises(torch.utils.data.BatchSampler, range(4), size, False)
    assert_equal(list(torch.utils.data.BatchSampler(range(4), 3, False)), [[0, 1, 2], [3]])


@clause("data.streams", covers=["notes.iterable-dataset", "notes.drop-last"], effort=0.75)
@for_all(size=sizes, batch_size=batch_sizes, drop_last=st.booleans())
def an_iterable_data_set_is_streamed_in_its_order(
    torch: Any, device: str, size: int, batch_size: int, drop_last: bool
) -> None:
    """An IterableDataset has no indices: its samples come in the order in which it gives them,
    batch by batch, on every pass anew. The loader has a length only if the data set has one.
    Two streams are chained by +."""
    load = torch.utils.data.DataLoader
    expected = chunks([*range(size)], batch_size, drop_last)
    flow = stream(torch, size)
    loader = load(flow, batch_size, drop_last=drop_last)
    for _ in range(2):
        assert_equal(order(loader), expected)
    assert_raises(len, loader)
    sized = load(stream(torch, size, sized=True), batch_size, drop_last=drop_last)
    assert_equal((order(sized), len(sized)), (expected, len(expected)))
    assert_equal([int(x) for x in load(flow, batch_size=None)], [*range(size)])
    chained = torch.utils.data.ChainDataset([flow, stream(torch, 2), flow])
    assert_equal([*chained], [*range(size), 0, 1, *range(size)])
    both = order(load(flow + stream(torch, 3), batch_size, drop_last=drop_last))
    assert_equal(both, chunks([*range(size), 0, 1, 2], batch_size, drop_last))


@clause(
    "data.streams-in-workers",
    thorough=True,
    covers=["notes.iterable-dataset", "notes.drop-last"],
    effort=0.016,
)
@for_all(
    size=st.sampled_from((7, 1, 2, 4, 9, 16)),
    batch_size=st.sampled_from((2, 1, 3, 5)),
    workers=st.integers(1, 3),
    drop_last=st.booleans(),
)
def each_worker_streams_a_copy_of_its_own(
    torch: Any, device: str, size: int, batch_size: int, workers: int, drop_last: bool
) -> None:
    """Each worker goes through a copy of the stream and batches what that gives, its own
    incomplete last batch included: every sample comes once from each worker, or once in all
    where the stream asks get_worker_info() for its worker's share."""
    for shared in (False, True):
        with case(shared=shared):
            shares = [
                [*range(worker, size, workers)] if shared else [*range(size)]
                for worker in range(workers)
            ]
            loader = torch.utils.data.DataLoader(
                stream(torch, size, shared), batch_size, num_workers=workers, drop_last=drop_last
            )
            expected = [b for share in shares for b in chunks(share, batch_size, drop_last)]
            assert_equal(sorted(order(loader)), sorted(expected))


def _elements(data: Any) -> list[Any]:
    """The samples of a data set, by index."""
    return [data[index] for index in range(len(data))]


@clause("data.tensor-data-set", covers=["notes.dataset-algebra", "mlnotes.dataset"], effort=5)
@for_all(
    size=sizes,
    row=st.sampled_from(((2,), (), (1,), (3, 4), (0,))),
    dtype=st.sampled_from(ALL),
    other=st.sampled_from(ALL),
)
def a_tensor_data_set_pairs_the_rows_of_its_tensors(
    torch: Any, device: str, size: int, row: tuple[int, ...], dtype: str, other: str
) -> None:
    """Sample i of TensorDataset(a, b, ...) is the tuple of their rows i, exact and on their
    device; its length is that of their first dimension, which they have in common."""
    for name in supported([dtype]):
        for second in supported([other]):
            arrays = [
                (np.arange(size * prod(row)).reshape(size, *row) % 101).astype(numpy_dtype(name)),
                (np.arange(size)[::-1] % 7).astype(numpy_dtype(second)),
            ]
            tensors = [tensor_of(torch, device, array) for array in arrays]
            for count in (1, 2):
                data = torch.utils.data.TensorDataset(*tensors[:count])
                assert_equal(len(data), size)
                for index in {0, size // 2, size - 1}:
                    with case(index=index, tensors=count):
                        sample = data[index]
                        assert_equal((type(sample), len(sample)), (tuple, count))
                        for got, array in zip(sample, arrays, strict=False):
                            assert_equal(got, np.asarray(array[index]))
                            assert_equal(got.device.type, tensors[0].device.type)
            refused = False
            try:
                torch.utils.data.TensorDataset(tensors[0], tensors[1][1:])
            except Exception:  # which one is not documented
                refused = True
            assert_that(refused, "tensors of two lengths are one data set")


@clause("data.subsets-and-sums", covers=["notes.dataset-algebra"], effort=1)
@for_all(size=sizes, second=sizes, third=sizes, step=st.integers(1, 7))
def subsets_and_concatenations_keep_every_sample(
    torch: Any, device: str, size: int, second: int, third: int, step: int
) -> None:
    """Subset(data, indices) is data at these indices, in their order; ConcatDataset, and + of
    two data sets, is one after the other, every sample once."""
    data = torch.utils.data
    numbers = subclass(torch, size)
    chosen = [*(index * step % size for index in reversed(range(size))), 0]
    subset = data.Subset(numbers, chosen)
    assert_equal((len(subset), _elements(subset)), (len(chosen), chosen))
    nested = data.Subset(subset, [*range(len(chosen))][::-2])
    assert_equal(_elements(nested), chosen[::-2])
    assert_equal(order(data.DataLoader(subset, 4)), chunks(chosen, 4))
    places = [*range(len(chosen) - 1, -1, -3), 0, 0]
    mixed = data.DataLoader(subset, 4, sampler=places)
    assert_equal(order(mixed), chunks([chosen[place] for place in places], 4))
    parts = [numbers, Numbers(second), [], subset, Numbers(third)]
    expected = [*range(size), *range(second), *chosen, *range(third)]
    joined = data.ConcatDataset(parts)
    assert_equal((len(joined), _elements(joined)), (len(expected), expected))
    ends = [joined[-1], joined[-len(expected)]]
    assert_equal(_elements(ends), [expected[-1], expected[0]])
    for beyond in (len(expected), -len(expected) - 1, 10 * len(expected)):
        with case(index=beyond):
            assert_raises(joined.__getitem__, beyond)
    assert_equal(order(data.DataLoader(joined, 7)), chunks(expected, 7))
    both = numbers + subclass(torch, second)
    assert_equal((len(both), _elements(both)), (size + second, [*range(size), *range(second)]))


FRACTIONS = ((0.5, 0.5), (1.0,), (0.25, 0.75), (0.5, 0.25, 0.25), (0.125,) * 8, (0.0, 1.0))
"""Exact in binary, so that floor(fraction * n) is not a matter of rounding."""


@clause("data.random-split", covers=["notes.dataset-algebra"], effort=0.6)
@for_all(
    size=sizes,
    cuts=st.tuples(st.integers(0, 129), st.integers(0, 129)),
    fractions=st.sampled_from(FRACTIONS),
    seed=seeds,
)
def a_random_split_deals_out_every_sample_once(
    torch: Any, device: str, size: int, cuts: tuple[int, int], fractions: Any, seed: int
) -> None:
    """random_split(data, lengths) deals every sample to exactly one part, at random, the same
    for a generator of the same seed. Lengths sum to len(data), or are fractions: each part gets
    floor(fraction * n), and what is left over goes to the first parts, one each."""
    low, high = sorted(cut % (size + 1) for cut in cuts)
    floors = [floor(fraction * size) for fraction in fractions]
    left = size - sum(floors)
    dealt = [count + (place < left) for place, count in enumerate(floors)]
    for lengths, expected in (
        ([low, high - low, size - high], [low, high - low, size - high]),
        ([*fractions], dealt),
    ):
        with case(lengths=lengths):

            def split(seed: int, lengths: Any = lengths) -> list[list[int]]:
                own = generator(torch, seed)
                parts = torch.utils.data.random_split(Numbers(size), lengths, generator=own)
                return [[int(sample) for sample in _elements(part)] for part in parts]

            got = split(seed)
            assert_equal([len(part) for part in got], expected)
            assert_equal(sorted(flat(got)), [*range(size)])
            with seeded(torch, seed + 5):
                assert_equal(split(seed), got)
            if size >= MANY:
                assert_that(flat(got) != [*range(size)], "the samples were dealt out in order")
                assert_that(split(seed + 1) != got, "two seeds gave one split")
    for lengths in ([size, 1], [size - 1], [0], [0.5, 0.75], [1.5, -0.5]):
        if sum(lengths) != 1 or min(lengths) < 0:  # a single 1 is a fraction
            assert_raises(torch.utils.data.random_split, Numbers(size), lengths)
    plain = torch.utils.data.random_split(Numbers(size), [size])
    assert_equal(sorted(_elements(plain[0])), [*range(size)])


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


@clause("data.errors", covers=["notes.loader-errors"], effort=4)
@for_all(
    size=sizes,
    batch_size=batch_sizes,
    bad=st.integers(0, 128),
    error=st.integers(0, len(ERRORS) - 1),
)
def an_error_of_a_data_set_reaches_the_caller(
    torch: Any, device: str, size: int, batch_size: int, bad: int, error: int
) -> None:
    """What a data set raises comes out of the loader, of its own type, after the batches
    before the bad one; another loader over the good samples is unharmed."""
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


@clause("data.errors-in-workers", thorough=True, covers=["notes.loader-errors"])
def an_error_in_a_worker_reaches_the_caller(torch: Any, device: str) -> None:
    """What a data set raises in a worker is raised in the caller, of its own type, after the
    batches before the bad one."""
    for place, error in enumerate(ERRORS):
        workers = 1 + place % 2
        with case(error=error.__name__, workers=workers):
            data = Faulty(7, place, error)
            loader = torch.utils.data.DataLoader(data, 2, num_workers=workers)
            got, kind = _raised_by(loader)
            assert_equal(got, chunks([*range(7)], 2)[: place // 2])
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


@clause("data.transforms", covers=["hackmd.transforms"], requires={"torchvision"})
def transforms_resize_crop_and_scale_an_image(torch: Any, device: str) -> None:
    """Compose([Resize(256), CenterCrop(224), ToTensor()]) scales the shorter side of an image
    to 256, cuts 224 by 224 out of its middle, and gives a contiguous float32 tensor (C, H, W)
    with 0 for 0 and 1 for 255."""
    transforms = import_module("torchvision.transforms")
    image_of = import_module("PIL.Image").fromarray
    transform = transforms.Compose(
        [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
    )
    for channels in ((), (3,)):
        for height, width in ((256, 256), (256, 300), (302, 256)):
            with case(height=height, width=width, channels=channels):
                # The shorter side is 256 already: only the crop is left, and it moves no value.
                pixels = np.arange(height * width * prod(channels)) * 7919 % 256
                pixels = pixels.reshape(height, width, *channels).astype(np.uint8)
                top, left = (height - 224) // 2, (width - 224) // 2
                whole = pixels.reshape(height, width, -1).transpose(2, 0, 1).astype(np.float32)
                got = transform(image_of(pixels))
                crop = whole[:, top : top + 224, left : left + 224]
                assert_equal(got, np.ascontiguousarray(crop) / np.float32(255))
                assert_that(got.is_contiguous(), "the tensor is not contiguous")
        for height, width in ((512, 512), (100, 80), (300, 700), (1, 1), (257, 256)):
            with case(height=height, width=width, channels=channels):
                for shade in (0, 77, 255):
                    flat_image = image_of(np.full((height, width, *channels), shade, np.uint8))
                    expected = np.full((channels or (1,))[0] * 224 * 224, shade, np.float32)
                    shape = ((channels or (1,))[0], 224, 224)
                    assert_equal(transform(flat_image), expected.reshape(shape) / np.float32(255))
    # Twice as large: the shades of neighbouring pairs of columns are kept, in their places.
    ramp = np.broadcast_to(np.arange(512) // 2, (512, 512)).astype(np.uint8)
    for image, axis in ((ramp, 2), (ramp.T, 1)):
        got = transform(image_of(np.ascontiguousarray(image))) * 255
        shades = np.array(got.round().tolist())
        wanted = np.arange(16, 240).reshape((1, 1, 224) if axis == 2 else (1, 224, 1))
        assert_that(np.abs(shades - wanted).max() <= 1, "the ramp is not in its place")
