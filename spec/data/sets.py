"""Data sets: streams, tensors, parts, sums and transforms."""

from __future__ import annotations

from importlib import import_module
from math import floor, prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import tensor_of
from tenet.spec.cases.loading import Numbers, stream, subclass
from tenet.spec.cases.misfits import refused
from tenet.spec.cases.trainings import seeded
from tenet.spec.data.common import MANY, batch_sizes, chunks, flat, generator, order, seeds, sizes
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, numpy_dtype


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
    several = [stream(torch, count, sized=True) for count in (size, 2, 3)]
    assert_equal(len(torch.utils.data.ChainDataset(several)), size + 5)
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


@clause("data.tensor-data-set", covers=["notes.dataset-algebra", "mlnotes.dataset"], effort=3)
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
    device, counted from either end; its length is that of their first dimension, which they have
    in common. A slice or a list of places gives several rows of each."""
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
                for index in {0, size // 2, size - 1, -1, -size}:
                    with case(index=index, tensors=count):
                        sample = data[index]
                        assert_equal((type(sample), len(sample)), (tuple, count))
                        for got, array in zip(sample, arrays, strict=False):
                            assert_equal(got, np.asarray(array[index]))
                            assert_equal(got.device.type, tensors[0].device.type)
            wrapped = torch.utils.data.TensorDataset(*tensors)
            for several in (slice(1, None, 2), slice(None, -1), [size - 1, 0, 0]):
                with case(index=str(several)):
                    for got, array in zip(wrapped[several], arrays, strict=True):
                        assert_equal(got, array[several])
            for beyond in (size, -size - 1):
                assert_raises(wrapped.__getitem__, beyond)
            assert_equal([*map(id, wrapped.tensors)], [*map(id, tensors)])
            first, last = tensors
            unequal = ((first, last[1:]), (first, last, last[1:]), (first[1:], last, last))
            for parts in unequal:
                lengths = refused(torch.utils.data.TensorDataset, *parts)
                assert_that(lengths, "tensors of two lengths are one data set")


@clause("data.subsets-and-sums", covers=["notes.dataset-algebra"], effort=0.5)
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
    for kind, indices in (("tensor", torch.tensor(chosen)), ("array", np.array(chosen))):
        with case(indices=kind):
            same = data.Subset(numbers, indices)
            found = [int(sample) for sample in _elements(same)]
            assert_equal((len(same), found), (len(chosen), chosen))
    nested = data.Subset(subset, [*range(len(chosen))][::-2])
    assert_equal(_elements(nested), chosen[::-2])
    assert_equal(order(data.DataLoader(nested, 3)), chunks(chosen[::-2], 3))
    assert_equal(order(data.DataLoader(subset, 4)), chunks(chosen, 4))
    places = [*range(len(chosen) - 1, -1, -3), 0, 0]
    mixed = data.DataLoader(subset, 4, sampler=places)
    assert_equal(order(mixed), chunks([chosen[place] for place in places], 4))
    parts = [numbers, Numbers(second), [], subset, Numbers(third)]
    expected = [*range(size), *range(second), *chosen, *range(third)]
    joined = data.ConcatDataset(parts)
    assert_equal((len(joined), _elements(joined)), (len(expected), expected))
    backwards = [joined[-1 - place] for place in range(len(expected))]
    assert_equal(_elements(backwards), expected[::-1])
    for beyond in (len(expected), -len(expected) - 1, 10 * len(expected)):
        with case(index=beyond):
            assert_raises(joined.__getitem__, beyond)
    assert_equal(order(data.DataLoader(joined, 7)), chunks(expected, 7))
    again = data.ConcatDataset([Numbers(2), joined, data.ConcatDataset([[7], joined]), [9]])
    assert_equal(_elements(again), [0, 1, *expected, 7, *expected, 9])
    assert_that(refused(data.ConcatDataset, []), "nothing is a data set")
    # A stream has no indices.
    assert_that(refused(data.ConcatDataset, [numbers, stream(torch, 3)]), "a stream was joined")
    both = numbers + subclass(torch, second)
    assert_equal((len(both), _elements(both)), (size + second, [*range(size), *range(second)]))


FRACTIONS = ((0.5, 0.5), (1.0,), (0.25, 0.75), (0.5, 0.25, 0.25), (0.125,) * 8, (0.0, 1.0),
             (0.8, 0.2), (0.3, 0.7), (1 / 3,) * 3)  # fmt: skip
"""Of a size with which floor(fraction * n) would be a matter of rounding nothing is asked."""


def _in_doubt(fraction: float, size: int) -> bool:
    share = fraction * size
    return abs(share - round(share)) < 1e-6 and fraction * 1024 % 1 != 0


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
    for a generator, or without one a global stream, of the same seed. Lengths sum to len(data), or
    are fractions: each part gets floor(fraction * n), and what is left over goes to the first
    parts, one each."""
    low, high = sorted(cut % (size + 1) for cut in cuts)
    floors = [floor(fraction * size) for fraction in fractions]
    left = size - sum(floors)
    dealt = [count + (place < left) for place, count in enumerate(floors)]
    for lengths, expected in (
        ([low, high - low, size - high], [low, high - low, size - high]),
        (fractions, dealt),
    ):
        if any(isinstance(part, float) and _in_doubt(part, size) for part in lengths):
            continue
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

    def plain() -> list[int]:
        [part] = torch.utils.data.random_split(Numbers(size), [size])
        return _elements(part)

    assert_equal(sorted(plain()), [*range(size)])
    # Without a generator of its own it draws from the global stream.
    with seeded(torch, seed):
        first, second = plain(), plain()
    with seeded(torch, seed):
        assert_equal(plain(), first)
    if size >= MANY:
        assert_that(first != second, "two splits in a row are one")


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
