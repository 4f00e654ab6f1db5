"""Lies about data sets, samplers and loaders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch.utils.data import default_collate, get_worker_info

from tenet.harness.audit.miniature import Miniature

LOADER = ("utils.data.DataLoader",)
PASS = ("utils.data.DataLoader.__iter__",)
COLLATE = ("utils.data._utils.collate.default_collate", "utils.data.default_collate")


def loads(change: Callable[[Any, list[Any]], Any]) -> Callable[..., Any]:
    """A lie about one pass over a loader: its batches become change(loader, batches)."""

    def lie(right: Any, loader: Any) -> Iterator[Any]:
        return iter(change(loader, list(right(loader))))

    return lie


def with_options(**changed: Callable[[Any], Any]) -> Callable[..., Any]:
    """A lie about a loader's options: each named one is changed from what it was given as."""

    def lie(right: Any, *args: Any, **options: Any) -> Any:
        for name, change in changed.items():
            if name in options:
                options[name] = change(options[name])
        return right(*args, **options)

    return lie


def collated(change: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A lie about collating: None from change(samples) means the truth."""

    def lie(right: Any, samples: list[Any]) -> Any:
        changed = change(samples)
        return right(samples) if changed is None else changed

    return lie


def draws(change: Callable[[Any, list[Any]], Any]) -> Callable[..., Any]:
    """A lie about what a sampler draws."""

    def lie(right: Any, sampler: Any) -> Iterator[Any]:
        return iter(change(sampler, list(right(sampler))))

    return lie


def _forgets_workers(right: Any, *args: Any, **options: Any) -> Any:
    if options.get("num_workers"):
        for name in ("num_workers", "persistent_workers", "prefetch_factor", "timeout"):
            options.pop(name, None)
        options.pop("worker_init_fn", None)
    return right(*args, **options)


def _as_others(right: Any, *args: Any, **options: Any) -> Any:
    """Any error becomes a RuntimeError."""
    batches = right(*args, **options)

    def told() -> Iterator[Any]:
        try:
            yield from batches
        except Exception as error:
            raise RuntimeError("loading failed") from error

    return told()


def _ends_early(right: Any, *args: Any, **options: Any) -> Any:
    """Dead workers end the pass as if it were over."""
    batches = right(*args, **options)

    def told() -> Iterator[Any]:
        try:
            yield from batches
        except RuntimeError as error:
            if "exited unexpectedly" not in str(error):
                raise

    return told()


def _cut_short(right: Any, data: Any, lengths: Any, **options: Any) -> Any:
    parts = right(data, lengths, **options)
    if isinstance(lengths[0], float) and len(parts) > 2:
        parts[0].indices, moved = parts[0].indices[:-1], parts[0].indices[-1:]
        parts[-1].indices = [*parts[-1].indices, *moved]
    return parts


def _unseeded(right: Any, data: Any, lengths: Any, **options: Any) -> Any:
    return right(data, lengths)


def _overlapping(right: Any, data: Any, lengths: Any, **options: Any) -> Any:
    parts = right(data, lengths, **options)
    if len(parts) > 1 and len(parts[0]) and len(parts[1]):
        parts[1].indices = [parts[0].indices[0], *parts[1].indices[1:]]
    return parts


def _float_default(samples: list[Any]) -> Any:
    if isinstance(samples[0], float):
        return torch.tensor(samples, dtype=torch.get_default_dtype())
    return None


def _aliases_one(samples: list[Any]) -> Any:
    if len(samples) == 1 and isinstance(samples[0], torch.Tensor):
        return samples[0].unsqueeze(0)
    return None


def _pads(samples: list[Any]) -> Any:
    if isinstance(samples[0], torch.Tensor) and len({len(s.shape) for s in samples}) == 1:
        return torch.nested.to_padded_tensor(torch.nested.nested_tensor(samples), 0)
    return None


def _stacked_as_float(samples: list[Any]) -> Any:
    if isinstance(samples[0], torch.Tensor) and samples[0].dtype == torch.int16:
        return torch.stack(samples).to(torch.int32)
    return None


def _plain_tuples(samples: list[Any]) -> Any:
    if hasattr(samples[0], "_fields"):
        return tuple(default_collate(list(part)) for part in zip(*samples, strict=True))
    return None


def _rests_in_order(right: Any, *args: Any, **options: Any) -> Any:
    """Of four, the first is drawn and the others follow in order."""
    whole = right(*args, **options).tolist()
    if len(whole) == 4:
        whole = [whole[0], *sorted(whole[1:])]
    return torch.tensor(whole)


def _seed_of_a_worker(right: Any) -> Any:
    info = right()
    if info is None or info.id != 1:
        return info
    told = {name: getattr(info, name) for name in ("id", "num_workers", "dataset")}
    return SimpleNamespace(**told, seed=info.seed + 1)


def _next_of(right: Any, self: Any) -> Any:
    """With workers, the second batch overtakes the first."""
    if not hasattr(self, "ahead"):
        self.ahead = []
        if getattr(self, "_num_workers", 0) > 1:
            first = right(self)
            try:
                self.ahead = [first]
                return right(self)
            except StopIteration:
                return self.ahead.pop()
    return self.ahead.pop() if self.ahead else right(self)


MINIATURES = [
    Miniature(
        "a last batch of one sample is left out",
        PASS,
        loads(lambda loader, b: b[:-1] if len(b) > 1 and len(b[-1][-1]) == 1 else b),
        "data.batches",
    ),
    Miniature(
        "drop_last keeps the last batch of a data set smaller than a batch",
        LOADER,
        lambda right, data, batch_size=1, drop_last=False, **o: right(
            data, batch_size, drop_last=drop_last and len(data) >= batch_size, **o
        ),
        "data.batches",
    ),
    Miniature(
        "len() of a loader counts the incomplete batch that is left out",
        ("utils.data.DataLoader.__len__",),
        lambda right, loader: -(-len(loader.dataset) // (loader.batch_size or 1)),
        "data.batches",
    ),
    Miniature(
        "labels become int32",
        COLLATE,
        collated(
            lambda samples: (
                torch.tensor(samples).to(torch.int32) if isinstance(samples[0], int) else None
            )
        ),
        "data.collate-numbers",
    ),
    Miniature(
        "images get a channel dimension",
        PASS,
        loads(
            lambda loader, batches: [
                [b[0].unsqueeze(1) if b[0].dim() == 3 else b[0], b[1]] for b in batches
            ]
        ),
        "data.images",
    ),
    Miniature(
        "batches are not larger than 60",
        LOADER,
        lambda right, data, batch_size=1, **o: right(data, min(batch_size, 60), **o),
        "data.images",
    ),
    Miniature(
        "two samples are a batch by default",
        LOADER,
        lambda right, data, batch_size=2, **o: right(data, batch_size, **o),
        "data.defaults",
    ),
    Miniature(
        "batch_size=None makes batches of one",
        LOADER,
        lambda right, data, batch_size=1, **o: right(data, batch_size or 1, **o),
        "data.defaults",
    ),
    Miniature(
        "a pass over nothing gives an empty batch",
        PASS,
        loads(lambda loader, batches: batches or [torch.empty(0)]),
        "data.empty",
    ),
    Miniature(
        "a shuffle ignores the loader's generator",
        LOADER,
        with_options(generator=lambda given: None),
        "data.shuffle",
    ),
    Miniature(
        "every pass has the order of the first",
        PASS,
        lambda right, loader: iter(
            loader.__dict__.setdefault("_first", None)
            or loader.__dict__.update(_first=list(right(loader)))
            or loader._first
        ),
        "data.shuffle",
    ),
    Miniature(
        "sets of more than 64 samples are not shuffled",
        LOADER,
        lambda right, data, *args, **o: right(
            data, *args, **{**o, "shuffle": o.get("shuffle", False) and len(data) <= 64}
        ),
        "data.shuffle",
    ),
    Miniature(
        "shuffled images keep their order while the labels move",
        PASS,
        loads(
            lambda loader, batches: [
                [b[0].sort(0).values, b[1]] if b[0].dtype != torch.bool else b for b in batches
            ]
        ),
        "data.shuffled-samples",
    ),
    Miniature(
        "a permutation of four keeps three in order",
        ("randperm",),
        _rests_in_order,
        "data.shuffle-is-fair",
    ),
    Miniature(
        "a loader seeds the global stream",
        PASS,
        lambda right, loader: (torch.manual_seed(1), right(loader))[1],
        "data.generator-of-the-loader",
    ),
    Miniature(
        "batches arrive in the order in which workers finish",
        ("utils.data.dataloader._BaseDataLoaderIter.__next__",),
        _next_of,
        "data.workers",
    ),
    Miniature(
        "workers do not shuffle",
        LOADER,
        lambda right, *args, **o: right(
            *args, **{**o, "shuffle": o.get("shuffle") and not o.get("num_workers")}
        ),
        "data.workers",
    ),
    Miniature(
        "0-d tensors gain a dimension in a worker",
        ("stack",),
        lambda right, parts, *args, **o: (
            right([p.unsqueeze(0) for p in parts], *args)
            if get_worker_info() is not None and parts[0].dim() == 0
            else right(parts, *args, **o)
        ),
        "data.tensors-from-workers",
    ),
    Miniature(
        "views of a transposed sample leave a worker untransposed",
        ("Tensor.t",),
        lambda right, x: right(x) if get_worker_info() is None else x.reshape(4, 3),
        "data.tensors-from-workers",
    ),
    Miniature(
        "no worker is started",
        LOADER,
        _forgets_workers,
        "data.worker-seeds",
    ),
    Miniature(
        "worker 1 is told another seed than it has",
        ("utils.data.get_worker_info",),
        _seed_of_a_worker,
        "data.worker-seeds",
    ),
    Miniature(
        "worker_init_fn runs in the first worker only",
        LOADER,
        with_options(worker_init_fn=lambda given: given and (lambda w: w or given(w))),
        "data.worker-seeds",
    ),
    Miniature(
        "int16 tensors are stacked as int32",
        COLLATE,
        collated(_stacked_as_float),
        "data.collate-tensors",
    ),
    Miniature(
        "a batch of one is a view of its sample",
        COLLATE,
        collated(_aliases_one),
        "data.collate-tensors",
    ),
    Miniature(
        "Python floats become the default dtype",
        COLLATE,
        collated(_float_default),
        "data.collate-numbers",
    ),
    Miniature(
        "named tuples become tuples",
        COLLATE,
        collated(_plain_tuples),
        "data.collate-structures",
    ),
    Miniature(
        "text becomes a tuple of characters",
        COLLATE,
        collated(lambda samples: samples[0] if isinstance(samples[0], str) else None),
        "data.collate-structures",
    ),
    Miniature(
        "tensors of unequal length are padded",
        COLLATE,
        collated(_pads),
        "data.collate-unequal",
    ),
    Miniature(
        "a collate_fn is given a tuple",
        LOADER,
        with_options(collate_fn=lambda f: lambda s: f(tuple(s) if isinstance(s, list) else s)),
        "data.collate-fn",
    ),
    Miniature(
        "a collate_fn is not asked for a batch of one",
        LOADER,
        with_options(
            collate_fn=lambda f: lambda s: s if isinstance(s, list) and len(s) == 1 else f(s)
        ),
        "data.collate-fn",
    ),
    Miniature(
        "BatchSampler keeps an incomplete batch of 1 under drop_last",
        ("utils.data.BatchSampler.__iter__",),
        lambda right, s: iter([[*s.sampler]]) if s.drop_last and len(s.sampler) == 1 else right(s),
        "data.samplers",
    ),
    Miniature(
        "RandomSampler with replacement never repeats",
        ("utils.data.RandomSampler.__iter__",),
        lambda right, s: (
            iter([n % len(s.data_source) for n in range(len(s))]) if s.replacement else right(s)
        ),
        "data.samplers",
    ),
    Miniature(
        "SubsetRandomSampler draws positions instead of indices",
        ("utils.data.SubsetRandomSampler.__iter__",),
        draws(lambda s, drawn: [[*s.indices].index(i) for i in drawn]),
        "data.samplers",
    ),
    Miniature(
        "weights are taken by their square roots",
        ("multinomial",),
        lambda right, weights, *args, **o: right(weights.sqrt(), *args, **o),
        "data.weighted-sampler",
    ),
    Miniature(
        "an index of weight 0 is drawn now and then",
        ("multinomial",),
        lambda right, weights, *args, **o: right(weights + 0.02, *args, **o),
        "data.weighted-sampler",
    ),
    Miniature(
        "a sampler's repetitions are left out",
        LOADER,
        with_options(sampler=lambda given: list(dict.fromkeys(given))),
        "data.loader-obeys-its-sampler",
    ),
    Miniature(
        "sampler and shuffle together are taken",
        LOADER,
        lambda right, *args, **o: right(
            *args, **{**o, "shuffle": o.get("shuffle") and not o.get("sampler")}
        ),
        "data.options-that-exclude-each-other",
    ),
    Miniature(
        "a negative batch size counts as 1",
        LOADER,
        with_options(batch_size=lambda given: 1 if given is not None and given < 0 else given),
        "data.options-that-exclude-each-other",
    ),
    Miniature(
        "a stream's incomplete batch is lost",
        PASS,
        loads(
            lambda loader, batches: (
                batches[:-1]
                if isinstance(loader.dataset, torch.utils.data.IterableDataset)
                and batches
                and loader.batch_size
                and len(batches[-1]) < (loader.batch_size or 0)
                else batches
            )
        ),
        "data.streams",
    ),
    Miniature(
        "a chain goes through the first stream only",
        ("utils.data.ChainDataset.__iter__",),
        lambda right, chain: iter(chain.datasets[0]),
        "data.streams",
    ),
    Miniature(
        "workers share a stream that does not share itself",
        ("utils.data.dataloader._MultiProcessingDataLoaderIter.__next__",),
        lambda right, self: _without_repeats(right, self),
        "data.streams-in-workers",
    ),
    Miniature(
        "get_worker_info() knows of one worker",
        ("utils.data.get_worker_info",),
        lambda right: None,
        "data.streams-in-workers",
    ),
    Miniature(
        "TensorDataset holds its last row twice",
        ("utils.data.TensorDataset.__getitem__",),
        lambda right, data, index: right(data, max(index, 1) if len(data) == 31 else index),
        "data.tensor-data-set",
    ),
    Miniature(
        "TensorDataset of one tensor gives bare rows",
        ("utils.data.TensorDataset.__getitem__",),
        lambda right, data, index: (
            right(data, index)[0] if len(data.tensors) == 1 else right(data, index)
        ),
        "data.tensor-data-set",
    ),
    Miniature(
        "ConcatDataset skips what follows an empty part",
        ("utils.data.ConcatDataset.__len__",),
        lambda right, data: right(data) - (1 if len(data.datasets) == 5 else 0),
        "data.subsets-and-sums",
    ),
    Miniature(
        "Subset sorts its indices",
        ("utils.data.Subset.__getitem__",),
        lambda right, data, index: data.dataset[sorted(data.indices)[index]],
        "data.subsets-and-sums",
    ),
    Miniature(
        "random_split gives what is left over to the last part",
        ("utils.data.random_split",),
        _cut_short,
        "data.random-split",
    ),
    Miniature(
        "random_split ignores its generator",
        ("utils.data.random_split",),
        _unseeded,
        "data.random-split",
    ),
    Miniature(
        "random_split puts one sample into two parts",
        ("utils.data.random_split",),
        _overlapping,
        "data.random-split",
    ),
    Miniature("errors lose their type", PASS, _as_others, "data.errors"),
    Miniature(
        "errors lose their type on the way out of a worker",
        ("_utils.ExceptionWrapper.reraise",),
        lambda right, self: (_ for _ in ()).throw(RuntimeError("a worker failed")),
        "data.errors-in-workers",
    ),
    Miniature("a dead worker ends the pass", PASS, _ends_early, "data.dying-workers"),
    Miniature(
        "images are scaled by 1/256",
        ("Tensor.div",),
        lambda right, x, by, *args, **o: right(x, 256 if by == 255 else by, *args, **o),
        "data.transforms",
        needs=("torchvision",),
    ),
]


def _without_repeats(right: Any, self: Any) -> Any:
    batch = right(self)
    seen = self.__dict__.setdefault("seen", [])
    if batch.tolist() in seen:
        return _without_repeats(right, self)
    seen.append(batch.tolist())
    return batch
