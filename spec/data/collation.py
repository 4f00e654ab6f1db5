"""Samples are collated into a batch."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from copy import copy
from math import prod
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import Operand, operands, tensor_of
from tenet.spec.cases.loading import Numbers, keep
from tenet.spec.cases.misfits import refused
from tenet.spec.data.common import batch_sizes, chunks, sizes
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, numpy_dtype


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
    # No float in between would keep them: each is one more than a power of two.
    for power in (24, 31, 53, 62):
        whole = [0, -1, 2**power + 1, -(2**power) - 1]
        yield f"int of {power} bits", whole, np.array(whole)
    floats = [1 / 3, -0.0, float("inf"), float("nan"), 1e300, 2.0**-1074]
    yield "float", floats, np.array(floats)
    yield "bool", [True, False, True], np.array([True, False, True])
    yield "one int", [5], np.array([5])
    for dtype in supported(ALL):
        if dtype == "bfloat16":
            continue  # NumPy has no such arrays
        table = (np.arange(24).reshape(2, 3, 4) % 9).astype(numpy_dtype(dtype))
        yield f"array {dtype}", [*table], table
        yield f"stepped array {dtype}", [*table[:, :, ::2]], table[:, :, ::2].copy()
        yield f"0-d array {dtype}", [np.array(x) for x in table[0, 0]], table[0, 0]
        yield f"NumPy scalar {dtype}", [*table[1, 2]], table[1, 2]
        yield f"empty array {dtype}", [x[:0] for x in table], table[:, :0]


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
    elif isinstance(expected, str | bytes | int | float):
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
    "defaultdict": lambda x, n, t, b: defaultdict(list, n=n, x=x),
    "named tuple": lambda x, n, t, b: Point(y=n, x=x),
    "named tuple of containers": lambda x, n, t, b: Point([n, (x, t)], {"x": x, "o": Point(t, n)}),
    "list of containers": lambda x, n, t, b: [OrderedDict(y=[x], a=n), (Point(n, (x,)),)],
    "text": lambda x, n, t, b: t,
    "bytes": lambda x, n, t, b: b,
    "text and bytes": lambda x, n, t, b: (t, b, n),
    "nested": lambda x, n, t, b: {"a": [(x, {"b": Point(n, t)}), n / 4], "c": ({"d": x, "e": b},)},
}


def _turned(sample: Any) -> Any:
    """The same sample, but for the order in which a mapping gives its keys."""
    if not isinstance(sample, dict):
        return sample
    turned = copy(sample)
    turned.clear()
    turned.update(reversed(sample.items()))
    return turned


@clause("data.collate-structures", covers=["notes.collate"])
def containers_are_collated_part_by_part(torch: Any, device: str) -> None:
    """Mappings, named tuples, tuples and lists of one length are collated part by part, to any
    depth; text and bytes are kept, one for each sample. The keys may come in any order. Without
    batches, default_convert makes tensors of the arrays in such a sample and leaves the rest."""
    for count in (1, 2, 3, 8, 300):
        x, n = np.arange(count * 2, dtype=np.int32).reshape(count, 2), np.arange(count)
        texts, raw = [f"sample {i}" for i in n], [bytes([i % 256]) for i in n]
        on_device = tensor_of(torch, device, x)
        for what, build in STRUCTURES.items():
            parts = [(on_device[i], i, texts[i], raw[i]) for i in range(count)]
            samples = [build(*part) for part in parts]
            with case(samples=what, count=count):
                _check_structure(torch.utils.data.default_collate(samples), build(x, n, texts, raw))
                [got] = torch.utils.data.DataLoader(samples, count)
                _check_structure(got, build(x, n, texts, raw))
                turned = [*map(_turned, samples[1:])]
                got = torch.utils.data.default_collate(samples[:1] + turned)
                _check_structure(got, build(x, n, texts, raw))
    for what, build in STRUCTURES.items():
        with case(sample=what, batches="none"):
            for array in (x[0], x[:, 0], np.array(2.5)):
                sample = build(array, 3, "t", b"b")
                _check_structure(torch.utils.data.default_convert(sample), sample)
                [got] = torch.utils.data.DataLoader([sample], batch_size=None)
                _check_structure(got, sample)


def _uneven(torch: Any, device: str) -> Iterator[tuple[list[Any], list[Any]]]:
    """Tensors and arrays that differ in one length, the second in more or in fewer, and others
    that do not differ."""
    for shape in ((2, 3), (1, 3), (2, 3, 4), (2, 0)):
        for dim in range(len(shape)):
            longer = tuple(n + (place == dim) for place, n in enumerate(shape))
            for first, second in ((shape, longer), (longer, shape)):
                sizes = np.ones(first, np.float32), np.ones(second, np.float32)
                yield [*sizes], [sizes[0]] * 2
                made = [tensor_of(torch, device, array) for array in sizes]
                yield made, [made[0]] * 2


@clause("data.collate-unequal", covers=["notes.collate"], thorough=True)
def samples_of_unequal_shape_cannot_be_collated(torch: Any, device: str) -> None:
    """Samples that differ in shape or in their parts raise, and so do those that no tensor can
    hold; a collate_fn of one's own takes them, and what it returns is the batch."""
    data = torch.utils.data
    for unequal, equal in (
        ([torch.ones(2, device=device), torch.ones(3, device=device)], [torch.ones(2)] * 2),
        ([torch.ones(2, 1, device=device), torch.ones(2, device=device)], [torch.ones(2, 1)] * 2),
        ([torch.ones(1, device=device), torch.ones((), device=device)], [torch.ones(1)] * 2),
        ([np.ones(2), np.ones(3)], [np.ones(2)] * 2),
        *_uneven(torch, device),
        ([(1, 2), (1, 2, 3)], [(1, 2)] * 2),
        ([[1, 2, 3], [1, 2]], [[1, 2]] * 2),
        ([{"x": torch.ones(2)}, {"x": torch.ones(1)}], [{"x": torch.ones(1)}] * 2),
        ([(1, [2, 3]), (1, [2])], [(1, [2])] * 2),
        # What is no number, array, text or container of these makes no batch.
        ([None, None], [0] * 2),
        ([{"x": object()}] * 2, [{"x": 1.5}] * 2),
        ([np.array(["a", "b"])] * 2, ["a"] * 2),
        ([np.array([None])] * 2, [np.array([1])] * 2),
    ):
        shapes = [tuple(getattr(sample, "shape", ())) for sample in unequal]
        with case(samples=str(unequal), shapes=shapes):
            assert_raises(data.default_collate, unequal)
            assert_that(data.default_collate(equal) is not None, "equal samples gave nothing")
            assert_raises(list, data.DataLoader(unequal, 2))
            assert_equal(len(list(data.DataLoader(equal, 2))), 1)
            [own] = data.DataLoader(unequal, 2, collate_fn=keep)
            assert_equal(len(own), 2)
            assert_same_object(own[1], unequal[1])
    uneven = [{"x": 1, "y": 2}, {"x": 1}]
    assert_that(refused(data.default_collate, uneven), "a part that one sample lacks was left out")


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
