"""A loader cuts a data set into batches."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import tensor_of
from tenet.spec.cases.loading import SOURCES, Numbers
from tenet.spec.data.common import batch_sizes, chunks, flat, order, sizes
from tenet.spec.language import assert_equal, assert_same_object, case, clause, for_all, supported
from tenet.spec.model.dtypes import ALL, numpy_dtype


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
    batch is (N, H, W), and has a channel dimension only where each sample has one. A batch may be
    larger than that, up to all samples."""
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
        for size in (257, 600, 1000, 1001):
            batches = list(torch.utils.data.DataLoader(data, size))
            with case(batch_size=size, shape=shape):
                assert_equal([len(x) for x, _ in batches], [len(x) for x in chunks(labels, size)])
                assert_equal(batches[0][0], images[:size])
                assert_equal([*flat([y.tolist() for _, y in batches])], labels.tolist())
    for size in (257, 600, 2000):
        with case(batch_size=size, samples="numbers"):
            loader = torch.utils.data.DataLoader(range(1500), size)
            assert_equal(order(loader), chunks([*range(1500)], size))


@clause("data.defaults", covers=["hackmd.batches", "hackmd.shuffle", "notes.drop-last"], effort=0.3)
@for_all(size=sizes)
def a_loader_left_to_itself_gives_single_samples_in_order(
    torch: Any, device: str, size: int
) -> None:
    """By default a batch is one sample, in order and none left out; batch_size=None gives the
    samples as they are, without a new dimension. Two passes may be under way at once. Where
    pin_memory=True finds no memory to pin it changes nothing."""
    load = torch.utils.data.DataLoader
    assert_equal(order(load(Numbers(size))), [[index] for index in range(size)])
    assert_equal(len(load(Numbers(size))), size)
    rows = np.arange(size * 3, dtype=np.float32).reshape(size, 3)
    plain = load(list(tensor_of(torch, device, rows)), batch_size=None)
    assert_equal([row.tolist() for row in plain], rows.tolist())
    assert_equal(len(plain), size)
    for options in ({"shuffle": True}, {"sampler": range(size)}):
        mixed = load(list(tensor_of(torch, device, rows)), batch_size=None, **options)
        assert_equal(sorted(row.tolist() for row in mixed), rows.tolist())
    loader = load(Numbers(size), batch_size=2, shuffle=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no accelerator
        pinned = order(load(Numbers(size), batch_size=2, pin_memory=True))
    assert_equal(pinned, chunks([*range(size)], 2))
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
