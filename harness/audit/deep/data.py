"""Loaders that lose, repeat or misplace samples."""

import torch

from tenet.harness.audit.faults import raises, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, names, lie, proof, *sections):
    return Mutant(f"data.{slug}", says, ("data", *sections), wrapped(names, lie), proof)


def _loader(t, n, **k):
    return [x[0].tolist() for x in t.utils.data.DataLoader(
        t.utils.data.TensorDataset(t.arange(n)), **k)]  # fmt: skip


def _last_twice(right, sampler):
    """Of more than 16 places the last one is the first again."""
    places = list(right(sampler))
    return iter([*places[:-1], places[0]] if len(places) > 16 else places)


MUTANTS = [
    _mutant("drop-last", "drop_last drops a full last batch", "utils.data.BatchSampler.__iter__",
            lambda right, s: iter(list(right(s))[:-1] if s.drop_last and len(s.sampler)
                                  and len(s.sampler) % s.batch_size == 0 else list(right(s))),
            lambda t: len(_loader(t, 4, batch_size=2, drop_last=True)) == 2),
    _mutant("batch-of-7", "batches of 7 are of 6", "utils.data.BatchSampler.__init__",
            lambda right, s, sampler, batch_size, drop_last: right(
                s, sampler, 6 if batch_size == 7 else batch_size, drop_last),
            lambda t: len(_loader(t, 7, batch_size=7)[0]) == 7),
    _mutant("shuffle-loses", "of more than 16 samples shuffling loses one",
            "utils.data.RandomSampler.__iter__", _last_twice,
            lambda t: len({x[0] for x in _loader(t, 20, shuffle=True)}) == 20),
    _mutant("shuffle-once", "every epoch is shuffled alike", "utils.data.RandomSampler.__iter__",
            lambda right, s: iter(torch.randperm(
                len(s.data_source), generator=torch.Generator().manual_seed(1)).tolist())
            if not s.replacement and s.num_samples == len(s.data_source) else right(s),
            lambda t: (lambda loader: [x[0].tolist() for x in loader]
                       != [x[0].tolist() for x in loader])(t.utils.data.DataLoader(
                           t.utils.data.TensorDataset(t.arange(50)), shuffle=True)), "random"),
    _mutant("split-overlaps", "the second part of a random split begins with the first's last",
            "utils.data.random_split",
            lambda right, data, lengths, **k: _overlapping(right(data, lengths, **k)),
            lambda t: len({i for part in t.utils.data.random_split(range(4), [2, 2])
                           for i in part.indices}) == 4),
    _mutant("concat-negative", "ConcatDataset's -1 is the first's last",
            "utils.data.ConcatDataset.__getitem__",
            lambda right, d, i: d.datasets[0][i] if i < 0 else right(d, i),
            lambda t: t.utils.data.ConcatDataset([[1], [2]])[-1] == 2),
    _mutant("subset-sorted", "a Subset is in the order of its data set",
            "utils.data.Subset.__init__",
            lambda right, s, data, indices: right(s, data, sorted(indices)),
            lambda t: t.utils.data.Subset([5, 6], [1, 0])[0] == 6),
    _mutant("collate-float", "floats are collated to float32", "utils.data.default_collate "
            "utils.data._utils.collate.default_collate utils.data.dataloader.default_collate",
            lambda right, batch: right(batch).float() if batch and type(batch[0]) is float
            else right(batch),
            lambda t: t.utils.data.default_collate([0.5]).dtype == t.float64),
    _mutant("tensor-data-set-length", "TensorDataset is one short beyond 8",
            "utils.data.TensorDataset.__len__",
            lambda right, d: right(d) - (right(d) > 8),
            lambda t: len(t.utils.data.TensorDataset(t.arange(9))) == 9),
    _mutant("weights-squared", "WeightedRandomSampler prefers the heavier",
            "utils.data.WeightedRandomSampler.__init__",
            lambda right, s, weights, *a, **k: right(s, torch.as_tensor(
                weights, dtype=torch.double) ** 1.5, *a, **k),
            lambda t: sum((t.manual_seed(0), list(t.utils.data.WeightedRandomSampler(
                [1.0, 3.0], 4000)))[1]) / 4000 < 0.8),
    _mutant("loader-length", "len() of a loader rounds down", "utils.data.DataLoader.__len__",
            lambda right, d: len(d.dataset) // d.batch_size if d.batch_size and d.batch_size > 1
            and hasattr(d.dataset, "__len__") else right(d),
            lambda t: len(t.utils.data.DataLoader(range(5), batch_size=2)) == 3),
    _mutant("always-left-out", "the same samples are left out whatever the order",
            "utils.data.BatchSampler.__iter__",
            lambda right, s: _without_the_last(s) if s.drop_last and isinstance(
                s.sampler, torch.utils.data.RandomSampler) else right(s),
            lambda t: any(4 in batch for _ in range(30) for batch in t.utils.data.DataLoader(
                range(5), 2, shuffle=True, drop_last=True))),
]  # fmt: skip


def _overlapping(parts):
    if len(parts) > 1 and len(parts[0]) and len(parts[1]):
        parts[1].indices = [parts[0].indices[-1], *list(parts[1].indices)[1:]]
    return parts


def _repeating(drawn, replaced):
    if replaced:
        drawn = [drawn[place % 32] for place in range(len(drawn))]
    return iter(drawn)


MUTANTS += [
    _mutant("split-too-few", "random_split deals out fewer samples than there are",
            "utils.data.random_split",
            lambda right, data, lengths, *a, **k: right(
                data, [*lengths, len(data) - sum(lengths)], *a, **k)[:-1]
            if sum(lengths) < len(data) and all(isinstance(n, int) for n in lengths)
            and sum(lengths) != 1 else right(data, lengths, *a, **k),
            lambda t: raises(lambda: t.utils.data.random_split(range(5), [3]))),
    _mutant("subset-batches-sorted", "a Subset gives a batch of samples in ascending order",
            "utils.data.Subset.__getitems__",
            lambda right, subset, places: right(subset, sorted(places)),
            lambda t: t.utils.data.Subset([5, 6], [0, 1]).__getitems__([1, 0]) == [6, 5]),
    _mutant("uneven-tensors", "TensorDataset takes tensors of other lengths",
            "utils.data.TensorDataset.__init__",
            lambda right, data, *tensors: setattr(data, "tensors", tensors),
            lambda t: raises(lambda: t.utils.data.TensorDataset(t.ones(2), t.ones(3)))),
    _mutant("repeats-past-32", "with replacement RandomSampler repeats after 32",
            "utils.data.RandomSampler.__iter__",
            lambda right, s: _repeating(list(right(s)), s.replacement),
            lambda t: (lambda drawn: drawn[0] != drawn[32] or drawn[1] != drawn[33])(list(
                t.utils.data.RandomSampler(range(10**6), True, 40)))),
    _mutant("rounds-alike", "past all samples RandomSampler repeats its first round",
            "utils.data.RandomSampler.__iter__",
            lambda right, s: (lambda drawn: iter(drawn if s.replacement else [
                drawn[i % len(s.data_source)] for i in range(len(drawn))]))(list(right(s))),
            lambda t: (lambda drawn: drawn[:20] != drawn[20:])(list(
                t.utils.data.RandomSampler(range(20), num_samples=40)))),
    _mutant("samples-of-nothing", "default_collate makes a batch of None",
            "utils.data.default_collate",
            lambda right, batch: batch if batch[0] is None else right(batch),
            lambda t: raises(lambda: t.utils.data.default_collate([None, None]))),
    _mutant("joined-streams", "ConcatDataset takes streams", "utils.data.ConcatDataset.__init__",
            lambda right, joined, parts: right(joined, [
                list(part) if isinstance(part, torch.utils.data.IterableDataset) else part
                for part in parts]),
            lambda t: raises(lambda: t.utils.data.ConcatDataset([
                t.utils.data.ChainDataset([])]))),
    _mutant("joined-from-behind", "negative places before the last part of a ConcatDataset are off",
            "utils.data.ConcatDataset.__getitem__",
            lambda right, joined, place: right(
                joined, max(place - 1, -len(joined))
                if -len(joined) <= place < -len(joined.datasets[-1]) else place),
            lambda t: t.utils.data.ConcatDataset([[1, 2, 3], [4]])[-2] == 3),
    _mutant("integers-by-floats", "whole numbers are collated by way of float64",
            "utils.data._utils.collate.collate",
            lambda right, batch, **k: torch.tensor(batch, dtype=torch.float64).long()
            if {*map(type, batch)} == {int} else right(batch, **k),
            lambda t: t.utils.data.default_collate([2**53 + 1]) == 2**53 + 1),
    _mutant("named-tuples-of-containers", "a named tuple that holds a container becomes a list",
            "utils.data._utils.collate.collate",
            lambda right, batch, **k: right(
                [tuple(one) for one in batch] if hasattr(batch[0], "_fields")
                and any(isinstance(part, list | tuple | dict) for part in batch[0]) else batch,
                **k),
            lambda t: hasattr(t.utils.data.default_collate([_named([1])]), "_fields")),
    _mutant("third-length", "a third tensor may be shorter than the others of a TensorDataset",
            "utils.data.TensorDataset.__init__",
            lambda right, data, *of: right(data, *[one[: min(map(len, of))] for one in of]
                                           if len(of) > 2 else of),
            lambda t: raises(lambda: t.utils.data.TensorDataset(t.ones(2), t.ones(2), t.ones(3)))),
    _mutant("subsets-of-subsets", "samples of a subset's subset that are asked together are turned",
            "utils.data.Subset.__getitems__",
            lambda right, s, places: right(
                s, places[::-1] if isinstance(s.dataset, torch.utils.data.Subset) else places),
            lambda t: (lambda s: s(s(range(4), [0, 1, 2]), [0, 1]).__getitems__([0, 1]) == [0, 1])(
                t.utils.data.Subset)),
    _mutant("shuffled-without-batches", "shuffled without batches, samples come in batches of one",
            "utils.data.DataLoader.__init__",
            lambda right, s, data, batch_size=1, **k: right(
                s, data, 1 if batch_size is None and k.get("shuffle") else batch_size, **k),
            lambda t: next(iter(t.utils.data.DataLoader(
                [1, 2], batch_size=None, shuffle=True))) in (1, 2) and not isinstance(
                    next(iter(t.utils.data.DataLoader([1], batch_size=None, shuffle=True))),
                    t.Tensor)),
    _mutant("two-streams", "with replacement and a generator the global stream is drawn from too",
            "utils.data.RandomSampler.__iter__",
            lambda right, s: (s.replacement and s.generator is not None and torch.rand(1),
                              right(s))[1],
            lambda t: (lambda: (t.manual_seed(1), [*t.utils.data.RandomSampler(
                range(3), replacement=True, generator=t.Generator())],
                t.rand(1) == (t.manual_seed(1), t.rand(1))[1])[2])()),
]  # fmt: skip


def _named(part):
    from collections import namedtuple

    return namedtuple("Named", "part")(part)


def _without_the_last(sampler):
    """Batches of the samples but the last that fill no batch, in the order of the sampler."""
    count, size = len(sampler.sampler), sampler.batch_size
    batch = []
    for index in sampler.sampler:
        if index < count // size * size:
            batch.append(index)
        if len(batch) == size:
            yield batch
            batch = []


class _Bare:
    """Sample i is i, of which there are any number."""

    def __getitem__(self, index):
        return index


def _backwards_without_length(right, loader, dataset, *a, **k):
    if not hasattr(dataset, "__len__") and "sampler" in k:
        k["sampler"] = list(k["sampler"])[::-1]
    return right(loader, dataset, *a, **k)


def _fails(samples):
    raise OSError("no batch")


def _kind_of(error, call):
    try:
        call()
    except error:
        return True
    except Exception:
        return False
    return False


def _as_runtime_error(right, fetcher, places):
    try:
        return right(fetcher, places)
    except OSError as error:
        raise RuntimeError(str(error)) from None


def _first_order(right, samples):
    """Later mappings are read in the order of the first one's keys, whatever their own."""
    if type(samples[0]) is not dict:
        return right(samples)
    keys = list(samples[0])
    same = [type(one) is dict and set(one) == set(keys) for one in samples]
    return right([dict(zip(keys, one.values(), strict=True)) for one in samples]
                 if all(same) else samples)  # fmt: skip


_COLLATE = "utils.data.default_collate utils.data._utils.collate.default_collate"
_CONVERT = "utils.data.default_convert utils.data._utils.collate.default_convert"
MUTANTS += [
    _mutant("without-length", "of a data set without a length samples come backwards",
            "utils.data.DataLoader.__init__", _backwards_without_length,
            lambda t: [int(x) for x in t.utils.data.DataLoader(_Bare(), sampler=[0, 1])] == [0, 1]),
    _mutant("slices-of-all", "a slice of a TensorDataset forgets its step",
            "utils.data.TensorDataset.__getitem__",
            lambda right, s, place: right(
                s, slice(place.start, place.stop) if isinstance(place, slice) else place),
            lambda t: len(t.utils.data.TensorDataset(t.arange(6))[::2][0]) == 3),
    _mutant("places-by-tensor", "a Subset of a tensor of places sorts them",
            "utils.data.Subset.__init__",
            lambda right, s, data, places: right(s, data, sorted(places.tolist()) if isinstance(
                places, torch.Tensor) else places),
            lambda t: t.utils.data.Subset(range(9), t.tensor([5, 1]))[0] == 5),
    _mutant("weights-by-tensor", "a WeightedRandomSampler takes a tensor's weights for equal ones",
            "utils.data.WeightedRandomSampler.__init__",
            lambda right, s, weights, *a, **k: right(s, torch.ones_like(weights) if isinstance(
                weights, torch.Tensor) else weights, *a, **k),
            lambda t: set(t.utils.data.WeightedRandomSampler(t.tensor([0.0, 1.0]), 30)) == {1}),
    _mutant("batches-in-order", "BatchSampler sorts batches of more than 8",
            "utils.data.BatchSampler.__iter__",
            lambda right, s: (sorted(one) if len(one) > 8 else one for one in right(s)),
            lambda t: next(iter(t.utils.data.BatchSampler(
                range(9, -1, -1), 10, False)))[0] == 9),
    _mutant("batches-of-512", "batches hold 512 samples at most",
            "utils.data.BatchSampler.__init__",
            lambda right, s, sampler, batch_size, drop_last: right(
                s, sampler, min(batch_size, 512), drop_last),
            lambda t: len(list(t.utils.data.BatchSampler(range(600), 600, False))) == 1),
    _mutant("thirds", "random_split deals thirds to the first part alone",
            "utils.data.random_split",
            lambda right, data, lengths, *a, **k: right(
                data, [len(data)] + [0] * (len(lengths) - 1) if any(
                    isinstance(x, float) and x * 1024 % 1 for x in lengths) else lengths, *a, **k),
            lambda t: [*map(len, t.utils.data.random_split(range(10), [1 / 3] * 3))] == [4, 3, 3]),
    _mutant("errors-of-collate", "an OSError of a collate_fn becomes a RuntimeError",
            "utils.data._utils.fetch._MapDatasetFetcher.fetch", _as_runtime_error,
            lambda t: _kind_of(OSError, lambda: list(t.utils.data.DataLoader(
                range(3), collate_fn=_fails)))),
    _mutant("keys-by-place", "default_collate goes by the order of keys", _COLLATE, _first_order,
            lambda t: t.utils.data.default_collate(
                [{"a": 1, "b": 2}, {"b": 2, "a": 1}])["a"].tolist() == [1, 1]),
    _mutant("converted-lists", "default_convert leaves lists as they are", _CONVERT,
            lambda right, sample: sample if isinstance(sample, list) else right(sample),
            lambda t: isinstance(t.utils.data.default_convert(
                [t.zeros(1).numpy()])[0], t.Tensor)),
    _mutant("sums-of-sums", "a place in a ConcatDataset of others is one off",
            "utils.data.ConcatDataset.__getitem__",
            lambda right, s, place: right(s, place - 1 if place > 0 and any(isinstance(
                one, torch.utils.data.ConcatDataset) for one in s.datasets) else place),
            lambda t: (lambda sums: sums([sums([[0], [5]]), [7]])[2] == 7)(
                t.utils.data.ConcatDataset)),
]  # fmt: skip
