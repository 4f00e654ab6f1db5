"""Conversion between dtypes: values, and what stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import inf, isnan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    EVERY_LENGTH,
    LENGTHS,
    MANY,
    arrange,
    layouts,
    place,
    seeds,
    shapes,
    tensor_of,
)
from tenet.spec.cases import values as values_of
from tenet.spec.cases.kinds import showing
from tenet.spec.dtype.common import named, some_of
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.casting import beside_ties, converted, samples, settled
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    DTYPES,
    FLOATS,
    FORMATS,
    HALVES,
    INTEGERS,
    numpy_dtype,
)
from tenet.spec.model.memory_order import channels_last, row_major

METHODS = {
    "float32": "float",
    "float64": "double",
    "float16": "half",
    "bfloat16": "bfloat16",
    "int64": "long",
    "int32": "int",
    "int16": "short",
    "int8": "char",
    "uint8": "byte",
    "bool": "bool",
    "complex64": "cfloat",
    "complex128": "cdouble",
}
CONVERSIONS: dict[str, Callable[[Any, Any, str], Any]] = {
    "to(dtype)": lambda torch, x, name: x.to(named(torch, name)),
    "method": lambda torch, x, name: getattr(x, METHODS[name])(),
    "type(dtype)": lambda torch, x, name: x.type(named(torch, name)),
    "to(dtype=)": lambda torch, x, name: x.to(dtype=named(torch, name)),
    "to(device, dtype)": lambda torch, x, name: x.to(x.device, named(torch, name)),
    "to(other)": lambda torch, x, name: x.to(_like(torch, x, name)),
    "type_as(other)": lambda torch, x, name: x.type_as(_like(torch, x, name)),
    "type(dtype=)": lambda torch, x, name: x.type(dtype=named(torch, name)),
    "as_tensor": lambda torch, x, name: torch.as_tensor(x, dtype=named(torch, name)),
    "asarray": lambda torch, x, name: torch.asarray(x, dtype=named(torch, name)),
}
"""Spellings that make no copy where the tensor has the dtype already."""
COPIES: dict[str, Callable[[Any, Any, str], Any]] = {
    "to(copy)": lambda torch, x, name: x.to(named(torch, name), copy=True),
    "to(dtype=, copy)": lambda torch, x, name: x.to(dtype=named(torch, name), copy=True),
    "to(device, dtype, copy)": lambda torch, x, name: x.to(x.device, named(torch, name), copy=True),
    "to(other, copy)": lambda torch, x, name: x.to(_like(torch, x, name), copy=True),
    "to(dtype, False, True)": lambda torch, x, name: x.to(named(torch, name), False, True),
    "asarray(copy)": lambda torch, x, name: torch.asarray(x, dtype=named(torch, name), copy=True),
}
SPELLINGS = CONVERSIONS | COPIES
MEMORY_KEEPING = tuple(name for name in SPELLINGS if "asarray" not in name)


def _like(torch: Any, x: Any, name: str) -> Any:
    """A tensor of the dtype, sometimes without dimensions: its own shape plays no part."""
    return torch.zeros((2,) * (x.dim() % 2), dtype=named(torch, name), device=x.device)


@clause(
    "dtype.cast",
    covers=["minicourse.type-conversion", "notes.casting"],
    effort=6,
    shows=lambda source, spelling, shape, layout, seed: showing((source, spelling), shape, layout),
)
@for_all(
    source=st.sampled_from(ALL),
    spelling=st.sampled_from(tuple(SPELLINGS)),
    shape=shapes(max_size=600),
    layout=layouts(),
    seed=seeds(),
)
def casting_rounds_truncates_and_asks_for_zero(
    torch: Any, device: str, source: str, spelling: str, shape: Any, layout: str, seed: int
) -> None:
    """Conversion rounds to nearest, ties to even, between floats (to inf beyond the largest),
    cuts fractions off towards integers, and makes True of whatever is not zero, nan included;
    values that fit are kept, integers that do not wrap around. However it is spelled and
    however the source lies in memory, which stays as it was."""
    for name in supported([source]):
        for target in supported(some_of(ALL, seed)):
            given, wanted = (arrange(a, layout) for a in samples(shape, name, target, seed))
            x = given.of_tensor(tensor_of(torch, device, given.base))
            with case(source=name, target=target):
                result = SPELLINGS[spelling](torch, x, target)
                assert_equal(result, np.array(wanted.of_array(wanted.base)))
        with case(source=name, target=target, unchanged="the source"):
            assert_equal(x, np.array(given.of_array(given.base)))


@clause(
    "dtype.cast-spellings", thorough=True, covers=["minicourse.type-conversion", "notes.casting"]
)
def every_spelling_converts_between_every_two_dtypes(torch: Any, device: str) -> None:
    """to(), type(), type_as(), the named methods, as_tensor() and asarray() convert alike
    between any two dtypes, vectors and transposed matrices, and leave the source unchanged."""
    for number, (source, target) in enumerate(_pairs()):
        for shape, layout in (((130,), "contiguous"), ((3, 9), "transposed")):
            given, wanted = (arrange(a, layout) for a in samples(shape, source, target, number))
            x = given.of_tensor(tensor_of(torch, device, given.base))
            expected = np.array(wanted.of_array(wanted.base))
            for spelling, convert in SPELLINGS.items():
                with case(source=source, target=target, layout=layout, spelling=spelling):
                    assert_equal(convert(torch, x, target), expected)
            with case(source=source, target=target, unchanged="the source"):
                assert_equal(x, np.array(given.of_array(given.base)))


def _pairs() -> Iterator[tuple[str, str]]:
    """Every two dtypes that the backend has, in both orders, and each with itself."""
    for source in supported(ALL):
        for target in supported(ALL):
            yield source, target


@clause("dtype.cast-lengths", thorough=True, covers=["notes.casting", "minicourse.type-conversion"])
def casting_is_the_same_at_every_length(torch: Any, device: str) -> None:
    """Between any two dtypes, at any length, to() converts every element as documented, the
    first and the last ones too."""
    for source in supported(ALL):
        for target in supported(ALL):
            dtype = named(torch, target)
            for seed, length in enumerate(EVERY_LENGTH):
                given, wanted = samples((length,), source, target, 31 + seed)
                with case(source=source, target=target, length=length):
                    assert_equal(tensor_of(torch, device, given).to(dtype), wanted)
            given, wanted = (np.resize(a, MANY) for a in samples((4099,), source, target, 5))
            with case(source=source, target=target, length=MANY):
                assert_equal(tensor_of(torch, device, given).to(dtype), wanted)
            given, wanted = samples((), source, target, 7)
            with case(source=source, target=target, shape=()):
                assert_equal(tensor_of(torch, device, given).to(dtype), wanted)


@clause("dtype.cast-every-value", thorough=True, covers=["notes.casting", "notes.half-precision"])
def casting_is_exact_for_every_small_value(torch: Any, device: str) -> None:
    """Each value of the dtypes of 8 and 16 bits converts to each dtype as documented, and each
    tie between two half-precision numbers goes to the even one, from float32 and float64."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    for source in supported(["float16", "bfloat16", "int16", "int8", "uint8", "bool"]):
        bits = DTYPES[source].bits
        every = codes.view(numpy_dtype(source)) if bits == 16 else np.arange(1 << bits)
        for target in supported(ALL):
            if target == "bfloat16" and bits == 16 and source != "float16":
                continue  # ties of int16 are among dtype.cast's; reading this many is slow
            given = settled(every.astype(numpy_dtype(source)), target)
            with case(source=source, target=target):
                result = tensor_of(torch, device, given).to(named(torch, target))
                assert_equal(result, converted(given, target))
    for target in supported(HALVES):
        numbers = codes[: 1 << 15 : 1 if target == "float16" else 3].view(numpy_dtype(target))
        for source in supported(["float32", "float64"]):
            random = np.random.Generator(np.random.PCG64(1))
            ties = beside_ties(numbers.astype(np.float64), source, target, random)
            given = settled(ties, target)
            with case(source=source, target=target, ties="all"):
                result = tensor_of(torch, device, given).to(named(torch, target))
                assert_equal(result, converted(given, target))


def _nans(name: str) -> np.ndarray:
    """Nans of a dtype with either sign and each single bit of the payload, and with all bits."""
    kept = FORMATS[name].precision - 1
    unsigned = np.dtype(f"uint{DTYPES[name].bits}")
    sign = 1 << (DTYPES[name].bits - 1)
    infinity = sign - (1 << kept)
    payloads = [1 << bit for bit in range(kept)] + [(1 << kept) - 1]
    codes = [infinity + payload + signed for signed in (0, sign) for payload in payloads]
    return np.array(codes, unsigned).view(numpy_dtype(name))


@clause("dtype.every-nan", covers=["notes.casting", "notes.nan-propagation"])
def a_nan_is_a_nan_whatever_its_payload(torch: Any, device: str) -> None:
    """A nan of any sign and payload is a nan: it stays one in every other dtype of floats, is
    True as a bool, unequal to itself, found by isnan, and handed on by sums and extrema."""
    for source in supported(FLOATS):
        nans = _nans(source)
        for layout in ("contiguous", "stepped"):
            given = arrange(nans, layout)
            x = given.of_tensor(tensor_of(torch, device, given.base))
            every = np.ones(nans.shape, bool)
            with case(source=source, layout=layout):
                for target in supported(FLOATS):
                    with case(target=target):
                        assert_equal(x.to(named(torch, target)).isnan(), every)
                for answer in (x.bool(), torch.isnan(x), x != x, ~(x == x), ~x.isfinite()):
                    assert_equal(answer, every)
                assert_equal(torch.isnan(x + 1), every)
                assert_equal(torch.isnan(torch.maximum(x, torch.ones_like(x))), every)
                assert_equal(torch.isnan(torch.minimum(torch.ones_like(x), x)), every)
                for number, one in enumerate(x):
                    with case(element=number):
                        assert_equal(isnan(one.item()), True)


@clause("dtype.integers-survive", covers=["notes.casting"])
@for_all(integer=st.sampled_from(INTEGERS), seed=seeds(), length=st.sampled_from(LENGTHS))
def integers_survive_a_float_within_its_mantissa(
    torch: Any, device: str, integer: str, seed: int, length: int
) -> None:
    """An integer of at most 11, 8, 24 or 53 bits passes through float16, bfloat16, float32 or
    float64 (and the complex dtypes) and back without loss; so does a bool."""
    for name in supported([integer]):
        info = np.iinfo(numpy_dtype(name))  # type: ignore[type-var]
        random = np.random.Generator(np.random.PCG64(seed))
        for via in supported((*FLOATS, *COMPLEX)):
            most = 2 ** FORMATS[via].precision
            low, high = max(info.min, -most), min(info.max, most)
            array = random.integers(low, high, length, dtype=numpy_dtype(name), endpoint=True)
            array[:1], array[-1:] = low, high
            x = tensor_of(torch, device, array)
            with case(dtype=name, via=via):
                assert_equal(x.to(named(torch, via)).to(named(torch, name)), array)
                assert_equal((x > 0).to(named(torch, via)).to(torch.bool), array > 0)


@clause("dtype.cast-array", thorough=True, covers=["minicourse.type-conversion", "notes.casting"])
def arrays_are_converted_on_their_way_in(torch: Any, device: str) -> None:
    """torch.tensor, as_tensor and asarray of a NumPy array with dtype= give that dtype and
    convert as to() does, wherever the array's elements lie."""
    placed = (
        ((130,), "contiguous"),
        ((), "contiguous"),
        ((5, 7), "transposed"),
        ((17,), "stepped"),
    )
    for number, (source, target) in enumerate(_pairs()):
        if source == "bfloat16":  # NumPy has no such arrays
            continue
        for shape, layout in placed:
            given, wanted = (arrange(a, layout) for a in samples(shape, source, target, number))
            array, expected = given.of_array(given.base), np.array(wanted.of_array(wanted.base))
            for spelling in ("tensor", "as_tensor", "asarray"):
                with case(source=source, target=target, layout=layout, spelling=spelling):
                    make = getattr(torch, spelling)
                    made = make(array, dtype=named(torch, target), device=device)
                    assert_equal(made, expected)


@clause(
    "dtype.cast-into-every",
    thorough=True,
    covers=["minicourse.type-conversion", "notes.casting"],
    requires={"in-place"},
)
def writing_into_a_tensor_converts_between_every_two_dtypes(torch: Any, device: str) -> None:
    """copy_() and assignment convert between any two dtypes, into contiguous, strided and
    transposed tensors, and copy_() returns the tensor that it wrote to. A Python number converts
    alike wherever it is filled in: 2 and 0.5 are True in a bool, and 2.75 is 2 in an integer."""
    placed = (((130,), "contiguous"), ((33,), "stepped"), ((4, 9), "transposed"), ((), "offset"))
    for number, (source, target) in enumerate(_pairs()):
        for shape, layout in placed:
            given, wanted = samples(shape, source, target, number)
            x = tensor_of(torch, device, given)
            start = np.zeros(shape, numpy_dtype(target))
            with case(source=source, target=target, into=layout):
                copied = place(torch, device, start, layout)
                assert_same_object(copied.view.copy_(x), copied.view)
                assert_equal(copied.base, copied.after(wanted))
                assigned = place(torch, device, start, layout)
                assigned.view[...] = x
                assert_equal(assigned.base, assigned.after(wanted))
    for target in supported(ALL):
        for number, (dims, layout) in product(_fillings(target), placed):
            with case(number=number, target=target, into=layout):
                _fills_in(torch, device, number, target, dims, layout)


_NUMBERS = (2, 0, 1, -3, True, 0.5, 2.75, -0.75, inf, 2 - 3j)


def _fillings(target: str) -> Iterator[Any]:
    """The numbers whose conversion is documented: an integer has no inf and an unsigned one no
    negative numbers, and only a complex number has an imaginary part."""
    for number in _NUMBERS:
        if isinstance(number, complex):
            taken = target in COMPLEX
        elif target in INTEGERS:
            taken = number < inf and (number >= 0 or target != "uint8")
        else:
            taken = True
        if taken:
            yield number


def _fills_in(
    torch: Any, device: str, number: Any, target: str, shape: tuple[int, ...], layout: str
) -> None:
    """Everything that fills a number in, into places that hold something else."""
    start = values_of(shape, target, "signed", 3)
    filled = np.full(shape, number).astype(numpy_dtype(target))
    chosen = np.arange(start.size).reshape(shape) % 3 != 1
    mask = tensor_of(torch, device, chosen)
    some = np.where(chosen, filled, start)
    source = place(torch, device, start, layout).view
    assert_equal(torch.full_like(source, number), filled)
    assert_equal(torch.fill(source, number), filled)
    assert_equal(source.masked_fill(mask, number), some)
    assert_equal(torch.masked_fill(source, mask, number), some)
    writes: list[tuple[Callable[[Any], Any], np.ndarray]] = [
        (lambda x: x.fill_(number), filled),
        (lambda x: x.masked_fill_(mask, number), some),
        (lambda x: x.__setitem__(mask, number), some),
        (lambda x: x.__setitem__(..., number), filled),
    ]
    if shape:
        first = torch.zeros(1, dtype=torch.int64, device=device)
        one = np.concatenate([filled[:1], start[1:]])
        assert_equal(source.index_fill(0, first, number), one)
        writes += [(lambda x: x.index_fill_(0, first, number), one),
                   (lambda x: x.__setitem__(0, number), one)]  # fmt: skip
    for write, expected in writes:
        written = place(torch, device, start, layout)
        write(written.view)
        assert_equal(written.base, written.after(expected))


@clause(
    "dtype.cast-into",
    covers=["minicourse.type-conversion", "notes.casting"],
    requires={"in-place"},
    effort=1.5,
)
@for_all(
    source=st.sampled_from(ALL),
    shape=shapes(max_size=300),
    of=layouts(),
    into=layouts(writable=True),
    seed=seeds(),
)
def copying_into_a_tensor_converts_to_its_dtype(
    torch: Any, device: str, source: str, shape: Any, of: str, into: str, seed: int
) -> None:
    """copy_() and assignment convert to the dtype of the tensor that is written to, by the same
    rules; it keeps its dtype, its surroundings are not touched, and the source is unchanged."""
    for name in supported([source]):
        for index, target in enumerate(supported(some_of(ALL, seed))):
            given, wanted = (arrange(a, of) for a in samples(shape, name, target, seed))
            expected = np.array(wanted.of_array(wanted.base))
            x = given.of_tensor(tensor_of(torch, device, given.base))
            written = place(torch, device, values_of(shape, target, "signed", seed), into)
            with case(source=name, target=target, into=into):
                if (seed + index) % 3:
                    assert_same_object(written.view.copy_(x), written.view)
                else:
                    written.view[...] = x
                assert_equal(written.base, written.after(expected))
        with case(source=name, unchanged="the source"):
            assert_equal(x, np.array(given.of_array(given.base)))


@clause("dtype.cast-metadata", covers=["minicourse.type-conversion"], metadata_only=True, effort=6)
@for_all(
    source=st.sampled_from(ALL),
    spelling=st.sampled_from(MEMORY_KEEPING),
    shape=shapes(),
    layout=layouts(only=["contiguous", "transposed", "offset", "permuted", "channels-last"]),
)
def a_conversion_keeps_shape_device_and_strides(
    torch: Any, device: str, source: str, spelling: str, shape: Any, layout: str
) -> None:
    """The result of a conversion has the dtype asked for, and the shape, the device and (for a
    source that is dense in memory) the strides of its source, which keeps its own dtype. A new
    tensor is contiguous with memory_format=contiguous_format; with channels_last, of four
    dimensions, the second varies fastest."""
    for name in supported([source]):
        arrangement = arrange(np.zeros(shape, bool), layout)
        base = torch.empty(arrangement.base.shape, dtype=named(torch, name), device=device)
        x = arrangement.of_tensor(base)
        dense = shape if min(shape, default=2) > 1 else None
        for target in supported(ALL):
            with case(target=target):
                result = SPELLINGS[spelling](torch, x, target)
                assert_metadata(
                    result, shape=shape, dtype=target, stride=x.stride() if dense else None
                )
                assert_equal(result.device, x.device)
                for asked, given in _in_orders(torch, x, target) if dense else ():
                    with case(memory_format=asked):
                        stride = {"contiguous": row_major, "channels last": channels_last}[asked]
                        assert_metadata(given, shape=shape, dtype=target, stride=stride(shape))
        assert_metadata(x, shape=shape, dtype=name)


def _in_orders(torch: Any, x: Any, target: str) -> Iterator[tuple[str, Any]]:
    """Conversions that are asked for an order of the elements in memory, which they name."""
    kind, asked = named(torch, target), {"memory_format": torch.contiguous_format}
    yield "contiguous", x.to(kind, copy=True, **asked)
    if x.dim() == 4:
        yield "channels last", x.to(kind, copy=True, memory_format=torch.channels_last)
    if x.dtype != kind:
        yield "contiguous", x.to(kind, **asked)
        yield "contiguous", x.to(x.device, kind, **asked)
        yield "contiguous", getattr(x, METHODS[target])(**asked)


@clause("dtype.no-op", covers=["minicourse.type-conversion"], metadata_only=True)
def converting_to_the_same_dtype_returns_the_tensor_itself(torch: Any, device: str) -> None:
    """to(), type(), type_as() and the named methods return the tensor itself, no copy, where it
    has the dtype (and device) already; to(copy=True) never does, nor does any other dtype, which
    asarray(copy=False) refuses."""
    for name in supported(ALL):
        whole = torch.zeros(4, 6, dtype=named(torch, name), device=device)
        for layout, x in {"whole": whole, "transposed": whole.t(), "view": whole[1:, ::2]}.items():
            for spelling, convert in CONVERSIONS.items():
                with case(dtype=name, layout=layout, spelling=spelling):
                    same = convert(torch, x, name)
                    if spelling != "asarray":  # documented to share memory, no more
                        assert_same_object(same, x)
            assert_same_object(x.to(x.device), x)
            assert_same_object(x.to(x), x)
            assert_same_object(x.to(named(torch, name), non_blocking=True), x)
            for spelling, convert in COPIES.items():
                with case(dtype=name, layout=layout, spelling=spelling):
                    copy = convert(torch, x, name)
                    assert_that(copy is not x, "the tensor itself is returned")
                    assert_metadata(copy, shape=x.shape, dtype=name)
            for target in supported(ALL):
                other = x.to(named(torch, target))
                uncopied = {"dtype": named(torch, target), "copy": False}
                with case(dtype=name, target=target):
                    assert_equal(other is x, target == name)
                    if target == name:
                        assert_metadata(torch.asarray(x, **uncopied), shape=x.shape, dtype=name)
                    else:
                        assert_raises(torch.asarray, x, **uncopied)


@clause(
    "dtype.cast-copies", thorough=True, covers=["minicourse.type-conversion"], requires={"in-place"}
)
def a_conversion_owns_its_memory(torch: Any, device: str) -> None:
    """What another dtype or copy=True gives is new memory: writing to it leaves the source
    unchanged, and writing to the source leaves it unchanged."""
    for source, target in _pairs():
        array = np.arange(18).reshape(9, 2).astype(numpy_dtype(source))
        ones = np.ones((9, 2), numpy_dtype(target))
        for spelling, convert in (COPIES if source == target else SPELLINGS).items():
            x = tensor_of(torch, device, array)
            with case(source=source, target=target, spelling=spelling):
                result = convert(torch, x, target)
                result.fill_(1)
                assert_equal(x, array)
                x.zero_()
                assert_equal(result, ones)
