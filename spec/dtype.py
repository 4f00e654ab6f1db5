"""Dtypes: what they are called, how large and how fine they are, and conversion between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, arrange, layouts, place, regimes, seeds, shapes, tensor_of
from tenet.spec.cases import values as values_of
from tenet.spec.cases.kinds import showing
from tenet.spec.language import (
    assert_close,
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
from tenet.spec.model.casting import beside_ties, converted, nearest, samples, settled
from tenet.spec.model.dtypes import (
    ALL,
    COMPLEX,
    DTYPES,
    FLOATS,
    FORMATS,
    INTEGERS,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import half_product, half_sum, ulps

HALVES = ("float16", "bfloat16")

LITERALS: tuple[Any, ...] = (
    *(1.5, 0.1, [1.0], [0.1, 0.2, 0.3], [1, 2.5], [[1.0, 2.0], [3.0, 4.0]], [[1], [0.5]]),
    *(float("nan"), [-0.0], 1e300, [True, 2.5], (1.0, 2.0), [[[0.5]]]),
)
COMPLEX_LITERALS: tuple[Any, ...] = (1j, [1.0, 2j], [[1 + 0j]])
INTEGER_LITERALS: tuple[Any, ...] = (1, [1, 2], [[-1]])

LITERAL_FACTORIES: dict[str, Callable[[Any, str, Any], Any]] = {
    "tensor": lambda torch, device, data: torch.tensor(data, device=device),
    "as_tensor": lambda torch, device, data: torch.as_tensor(data, device=device),
    "asarray": lambda torch, device, data: torch.asarray(data, device=device),
}
FLOAT_FACTORIES: dict[str, Callable[[Any, str], Any]] = {
    "zeros": lambda torch, device: torch.zeros(3, device=device),
    "ones": lambda torch, device: torch.ones(2, 3, device=device),
    "empty": lambda torch, device: torch.empty(3, device=device),
    "rand": lambda torch, device: torch.rand(3, device=device),
    "randn": lambda torch, device: torch.randn(3, device=device),
    "eye": lambda torch, device: torch.eye(3, device=device),
    "full": lambda torch, device: torch.full((2,), 1.5, device=device),
    "arange": lambda torch, device: torch.arange(0.0, 3.0, device=device),
    "arange of one": lambda torch, device: torch.arange(3.5, device=device),
    "linspace": lambda torch, device: torch.linspace(0, 1, 5, device=device),
}

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
    "to(dtype)": lambda torch, x, name: x.to(_of(torch, name)),
    "method": lambda torch, x, name: getattr(x, METHODS[name])(),
    "type(dtype)": lambda torch, x, name: x.type(_of(torch, name)),
    "to(dtype=)": lambda torch, x, name: x.to(dtype=_of(torch, name)),
    "to(device, dtype)": lambda torch, x, name: x.to(x.device, _of(torch, name)),
    "to(other)": lambda torch, x, name: x.to(_like(torch, x, name)),
    "type_as(other)": lambda torch, x, name: x.type_as(_like(torch, x, name)),
    "type(dtype=)": lambda torch, x, name: x.type(dtype=_of(torch, name)),
    "as_tensor": lambda torch, x, name: torch.as_tensor(x, dtype=_of(torch, name)),
    "asarray": lambda torch, x, name: torch.asarray(x, dtype=_of(torch, name)),
}
"""Spellings that make no copy where the tensor has the dtype already."""
COPIES: dict[str, Callable[[Any, Any, str], Any]] = {
    "to(copy)": lambda torch, x, name: x.to(_of(torch, name), copy=True),
    "to(dtype=, copy)": lambda torch, x, name: x.to(dtype=_of(torch, name), copy=True),
    "to(device, dtype, copy)": lambda torch, x, name: x.to(x.device, _of(torch, name), copy=True),
    "to(other, copy)": lambda torch, x, name: x.to(_like(torch, x, name), copy=True),
    "asarray(copy)": lambda torch, x, name: torch.asarray(x, dtype=_of(torch, name), copy=True),
}
SPELLINGS = CONVERSIONS | COPIES
MEMORY_KEEPING = tuple(name for name in SPELLINGS if "asarray" not in name)


def _of(torch: Any, name: str) -> Any:
    return getattr(torch, name)


def _like(torch: Any, x: Any, name: str) -> Any:
    return torch.zeros((2,), dtype=_of(torch, name), device=x.device)


def _some(names: tuple[str, ...], seed: int) -> tuple[str, ...]:
    """Every third name: one example need not serve all, the next one serves others."""
    return names[seed % 3 :: 3]


# ------------------------------------------------------------------ names, defaults and limits


@clause("dtype.names", covers=["mlnotes.typed-constructors"], metadata_only=True)
def dtypes_have_aliases_and_a_category(torch: Any, device: str) -> None:
    """float, double, half, long, int, short, cfloat and cdouble are other names of float32,
    float64, float16, int64, int32, int16, complex64 and complex128: the same objects. A dtype
    knows whether it is floating-point, complex or signed."""
    for name in supported(ALL):
        dtype = _of(torch, name)
        with case(dtype=name):
            assert_equal(str(dtype), f"torch.{name}")
            assert_equal(dtype.is_floating_point, category(name) is Category.FLOAT)
            assert_equal(dtype.is_complex, category(name) is Category.COMPLEX)
            assert_equal(dtype.is_signed, name not in ("bool", "uint8"))
            x = torch.zeros(2, dtype=dtype, device=device)
            assert_same_object(x.dtype, dtype)
            assert_equal(x.is_floating_point(), category(name) is Category.FLOAT)
            assert_equal(torch.is_floating_point(x), category(name) is Category.FLOAT)
            assert_equal(x.is_complex(), category(name) is Category.COMPLEX)
            assert_equal(torch.is_complex(x), category(name) is Category.COMPLEX)
            assert_equal(x.is_signed(), name not in ("bool", "uint8"))
            for other in ALL:
                assert_equal(dtype == _of(torch, other), name == other)
            for alias in DTYPES[name].aliases:
                assert_same_object(_of(torch, alias), dtype)
                assert_metadata(
                    torch.zeros(2, dtype=_of(torch, alias), device=device), dtype=name, shape=(2,)
                )


TYPED = {
    "FloatTensor": "float32",
    "LongTensor": "int64",
    "DoubleTensor": "float64",
    "HalfTensor": "float16",
    "IntTensor": "int32",
    "ShortTensor": "int16",
    "CharTensor": "int8",
    "ByteTensor": "uint8",
    "BoolTensor": "bool",
    "BFloat16Tensor": "bfloat16",
}


@clause("dtype.typed-constructors", covers=["mlnotes.typed-constructors"])
def typed_constructors_name_their_dtype(torch: Any, device: str) -> None:
    """torch.FloatTensor, LongTensor, DoubleTensor, HalfTensor and their kin make CPU tensors of
    float32, int64, float64, float16 ... from data or from sizes; type() without an argument
    answers with this name, and with it, as text or class, converts."""
    data = [[0, 1, 2], [3, 100, 5]]
    for constructor, name in TYPED.items():
        make = getattr(torch, constructor)
        with case(constructor=constructor):
            made = make(data)
            assert_equal(made, np.array(data).astype(numpy_dtype(name)))
            assert_equal(made.device.type, "cpu")
            assert_metadata(make(2, 3), shape=(2, 3), dtype=name)
            assert_metadata(make(), shape=(0,), dtype=name)
            assert_equal(make([]), np.array([], numpy_dtype(name)))
            assert_equal(made.type(), f"torch.{constructor}")
            assert_that(isinstance(made, make), f"it is no instance of torch.{constructor}")
            for other, target in TYPED.items():
                expected = np.array(data).astype(numpy_dtype(name)).astype(numpy_dtype(target))
                assert_equal(made.type(f"torch.{other}"), expected)
                assert_equal(made.type(getattr(torch, other)), expected)
                assert_equal(isinstance(made, getattr(torch, other)), other == constructor)


@clause("dtype.default", covers=["minicourse.default-dtype"], metadata_only=True)
def float_literals_become_float32(torch: Any, device: str) -> None:
    """Unless told otherwise, Python floats, alone or among integers and bools, and the float
    factories give float32; complex literals give complex64, integers int64, bools bool."""
    assert_same_object(torch.get_default_dtype(), torch.float32)
    groups = ((LITERALS, "float32"), (COMPLEX_LITERALS, "complex64"), (INTEGER_LITERALS, "int64"))
    for literals, name in (*groups, ((True, [True, False]), "bool")):
        for spelling, make in LITERAL_FACTORIES.items():
            for literal in literals:
                with case(factory=spelling, literal=literal):
                    assert_metadata(
                        make(torch, device, literal), dtype=name, shape=np.shape(literal)
                    )
    for spelling, factory in FLOAT_FACTORIES.items():
        with case(factory=spelling):
            assert_metadata(factory(torch, device), dtype="float32")


@clause(
    "dtype.default-change",
    covers=["minicourse.default-dtype"],
    requires={"default-dtype"},
    metadata_only=True,
)
def set_default_dtype_changes_what_literals_become(torch: Any, device: str) -> None:
    """set_default_dtype() sets what Python floats and the float factories give, and, with
    float32 and float64, the complex dtype of the same width; integers and tensors that exist
    keep theirs. finfo() without an argument describes it. Other dtypes are refused."""
    before = torch.get_default_dtype()
    kept = torch.tensor([1.5], device=device)
    try:
        for name in supported(["float64", "float16", "bfloat16", "float32"]):
            torch.set_default_dtype(_of(torch, name))
            with case(default=name):
                assert_same_object(torch.get_default_dtype(), _of(torch, name))
                for make in LITERAL_FACTORIES.values():
                    for literal in LITERALS:
                        assert_metadata(make(torch, device, literal), dtype=name)
                    assert_metadata(make(torch, device, [1, 2]), dtype="int64")
                for spelling, factory in FLOAT_FACTORIES.items():
                    with case(factory=spelling):
                        assert_metadata(factory(torch, device), dtype=name)
                whole = torch.tensor([1, 2], device=device)
                assert_metadata(whole / 2, dtype=name)
                assert_metadata(whole + 0.5, dtype=name)
                assert_metadata(torch.ones(2, dtype=torch.float32, device=device), dtype="float32")
                assert_equal(torch.finfo().bits, DTYPES[name].bits)
                assert_metadata(kept, dtype="float32")
                for other in ("int64", "int32", "bool"):
                    assert_raises(torch.set_default_dtype, _of(torch, other))
                    assert_same_object(torch.get_default_dtype(), _of(torch, name))
            if name in ("float32", "float64"):
                wide = "complex64" if name == "float32" else "complex128"
                for literal in COMPLEX_LITERALS:
                    assert_metadata(torch.tensor(literal, device=device), dtype=wide)
    finally:
        torch.set_default_dtype(before)
    assert_metadata(torch.tensor([0.5], device=device), dtype="float32")


@clause("dtype.requested", covers=["minicourse.default-dtype"], effort=3)
@for_all(dtype=st.sampled_from(ALL), seed=seeds(), length=st.sampled_from(LENGTHS[:20]))
def every_dtype_can_be_asked_for(
    torch: Any, device: str, dtype: str, seed: int, length: int
) -> None:
    """dtype= of tensor, as_tensor, asarray, zeros, ones, full and arange is the dtype of the
    result; Python numbers that it can hold are kept, and others rounded to nearest."""
    for name in supported([dtype]):
        asked = _of(torch, name)
        array = values_of((length,), name, ("signed", "normal", "extreme")[seed % 3], seed)
        plain = array.astype(np.float64).tolist() if name in FLOATS else array.tolist()
        for make in (torch.tensor, torch.as_tensor, torch.asarray):
            assert_equal(make(plain, dtype=asked, device=device), array)
            assert_equal(make([plain, plain], dtype=asked, device=device), np.array([array] * 2))
        for number in plain[:2]:
            expected = np.full((3,), number, numpy_dtype(name))
            assert_equal(torch.full((3,), number, dtype=asked, device=device), expected)
            assert_equal(torch.tensor(number, dtype=asked, device=device), expected[0])
        assert_equal(torch.zeros(length, dtype=asked, device=device), np.zeros_like(array))
        assert_equal(torch.ones(length, dtype=asked, device=device), np.ones_like(array))
        if name in FLOATS:
            doubles = settled(values_of((length,), "float64", "normal", seed), name)
            made = torch.tensor(doubles.tolist(), dtype=asked, device=device)
            assert_equal(made, converted(doubles, name))


@clause("dtype.sizes", covers=["minicourse.precision-memory"], metadata_only=True)
def lower_precision_takes_fewer_bytes(torch: Any, device: str) -> None:
    """An element takes 1 byte in bool, uint8 and int8, 2 in half precision and int16, 4 in
    float32 and int32, 8 in float64, int64 and complex64, 16 in complex128. element_size(),
    itemsize and nbytes say so, and so many bytes show when the memory is seen as uint8."""
    for name in supported(ALL):
        size = DTYPES[name].bits // 8
        dtype = _of(torch, name)
        assert_equal(dtype.itemsize, size)
        for shape in ((), (0,), (1,), (3, 5), (2, 0), (1025,)):
            x = torch.zeros(shape, dtype=dtype, device=device)
            with case(dtype=name, shape=shape):
                assert_equal(x.element_size(), size)
                assert_equal(x.itemsize, size)
                assert_equal(x.nbytes, int(np.prod(shape)) * size)
        x = torch.zeros(3, 5, dtype=dtype, device=device)
        with case(dtype=name):
            assert_metadata(x.view(torch.uint8), shape=(3, 5 * size), dtype="uint8")
            assert_equal(x.t()[1].nbytes, 3 * size)
            assert_equal(x.t()[1].element_size(), size)


@clause("dtype.limits", covers=["minicourse.precision-memory"], metadata_only=True)
def finfo_and_iinfo_state_the_limits(torch: Any, device: str) -> None:
    """finfo gives bits, eps (2^-10 for float16, 2^-7 for bfloat16, 2^-23 for float32, 2^-52 for
    float64), the largest and the lowest finite number and the smallest normal one; iinfo gives
    bits, min and max of an integer dtype."""
    for name in supported(FLOATS):
        info, layout = torch.finfo(_of(torch, name)), FORMATS[name]
        with case(dtype=name):
            assert_equal(info.bits, DTYPES[name].bits)
            assert_equal(info.eps, layout.eps)
            assert_equal(float(info.max), layout.max)
            assert_equal(float(info.min), -layout.max)
            assert_equal(info.tiny, layout.tiny)
            assert_equal(info.smallest_normal, layout.tiny)
            digits = int((layout.precision - 1) * np.log10(2))
            exact = abs(info.resolution * 10.0**digits - 1) < 1e-6
            assert_that(exact, f"resolution is {info.resolution!r}, not 10^-{digits}")
    assert_equal(torch.finfo().bits, torch.finfo(torch.get_default_dtype()).bits)
    for name in supported(INTEGERS):
        limits, bounds = torch.iinfo(_of(torch, name)), np.iinfo(numpy_dtype(name))  # type: ignore[type-var]
        with case(dtype=name):
            assert_equal(limits.bits, bounds.bits)
            assert_equal(limits.min, int(bounds.min))
            assert_equal(limits.max, int(bounds.max))


@clause("dtype.eps-is-the-gap", covers=["minicourse.precision-memory", "notes.half-precision"])
def eps_is_the_gap_above_one(torch: Any, device: str) -> None:
    """1 + eps is the number after 1, 1 + eps/2 is a tie that goes to 1 and (1 + eps) + eps/2 one
    that goes up; the largest number plus half its gap goes to inf, less than that does not."""
    for name in supported(FLOATS):
        layout = FORMATS[name]
        gap = layout.max * (layout.eps / (2 - layout.eps))  # between the two largest numbers
        sums = (
            (1.0, layout.eps, 1 + layout.eps),
            (1.0, layout.eps / 2, 1.0),
            (1 + layout.eps, layout.eps / 2, 1 + 2 * layout.eps),
            (1.0, -layout.eps / 2, 1 - layout.eps / 2),
            (1.0, -layout.eps / 4, 1.0),
            (layout.max, gap / 2, np.inf),
            (-layout.max, -gap / 2, -np.inf),
            (layout.max, gap / 4, layout.max),
            (layout.max, layout.max, np.inf),
        )
        columns = np.array(sums).T.astype(numpy_dtype(name))
        for repeats in (1, 3, 8):  # 9, 27 and 72 elements: a tail, and whole vectors
            left, right, expected = (np.tile(column, repeats) for column in columns)
            with case(dtype=name, length=len(left)):
                total = tensor_of(torch, device, left) + tensor_of(torch, device, right)
                assert_equal(total, expected)
        for left_one, right_one, expected_one in columns.T:
            with case(dtype=name, left=left_one, right=right_one):
                one = tensor_of(torch, device, np.asarray(left_one))
                other = tensor_of(torch, device, np.asarray(right_one))
                assert_equal(one + other, np.asarray(expected_one))


# ------------------------------------------------------------------------------- conversion


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
        for target in supported(_some(ALL, seed)):
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
            dtype = _of(torch, target)
            for seed, length in enumerate(LENGTHS):
                given, wanted = samples((length,), source, target, 31 + seed)
                with case(source=source, target=target, length=length):
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
                result = tensor_of(torch, device, given).to(_of(torch, target))
                assert_equal(result, converted(given, target))
    for target in supported(HALVES):
        numbers = codes[: 1 << 15 : 1 if target == "float16" else 3].view(numpy_dtype(target))
        for source in supported(["float32", "float64"]):
            random = np.random.Generator(np.random.PCG64(1))
            ties = beside_ties(numbers.astype(np.float64), source, target, random)
            given = settled(ties, target)
            with case(source=source, target=target, ties="all"):
                result = tensor_of(torch, device, given).to(_of(torch, target))
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
                        assert_equal(x.to(_of(torch, target)).isnan(), every)
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
                assert_equal(x.to(_of(torch, via)).to(_of(torch, name)), array)
                assert_equal((x > 0).to(_of(torch, via)).to(torch.bool), array > 0)


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
                    made = make(array, dtype=_of(torch, target), device=device)
                    assert_equal(made, expected)


@clause(
    "dtype.cast-into-every",
    thorough=True,
    covers=["minicourse.type-conversion", "notes.casting"],
    requires={"in-place"},
)
def writing_into_a_tensor_converts_between_every_two_dtypes(torch: Any, device: str) -> None:
    """copy_() and assignment convert between any two dtypes, into contiguous, strided and
    transposed tensors, and copy_() returns the tensor that it wrote to."""
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
        for index, target in enumerate(supported(_some(ALL, seed))):
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
    source that is dense in memory) the strides of its source, which keeps its own dtype."""
    for name in supported([source]):
        arrangement = arrange(np.zeros(shape, bool), layout)
        base = torch.empty(arrangement.base.shape, dtype=_of(torch, name), device=device)
        x = arrangement.of_tensor(base)
        dense = shape if min(shape, default=2) > 1 else None
        for target in supported(ALL):
            with case(target=target):
                result = SPELLINGS[spelling](torch, x, target)
                assert_metadata(
                    result, shape=shape, dtype=target, stride=x.stride() if dense else None
                )
                assert_equal(result.device, x.device)
        assert_metadata(x, shape=shape, dtype=name)


@clause("dtype.no-op", covers=["minicourse.type-conversion"], metadata_only=True)
def converting_to_the_same_dtype_returns_the_tensor_itself(torch: Any, device: str) -> None:
    """to(), type(), type_as() and the named methods return the tensor itself, no copy, where it
    has the dtype (and device) already; to(copy=True) never does, nor does any other dtype."""
    for name in supported(ALL):
        whole = torch.zeros(4, 6, dtype=_of(torch, name), device=device)
        for layout, x in {"whole": whole, "transposed": whole.t(), "view": whole[1:, ::2]}.items():
            for spelling, convert in CONVERSIONS.items():
                with case(dtype=name, layout=layout, spelling=spelling):
                    same = convert(torch, x, name)
                    if spelling != "asarray":  # documented to share memory, no more
                        assert_same_object(same, x)
            assert_same_object(x.to(x.device), x)
            assert_same_object(x.to(x), x)
            assert_same_object(x.to(_of(torch, name), non_blocking=True), x)
            for spelling, convert in COPIES.items():
                with case(dtype=name, layout=layout, spelling=spelling):
                    copy = convert(torch, x, name)
                    assert_that(copy is not x, "the tensor itself is returned")
                    assert_metadata(copy, shape=x.shape, dtype=name)
            for target in supported(ALL):
                other = x.to(_of(torch, target))
                with case(dtype=name, target=target):
                    assert_equal(other is x, target == name)


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


@clause("dtype.item", covers=["dlnotes.item-float32-rounding"], effort=6)
@for_all(dtype=st.sampled_from(ALL), regime=regimes(), seed=seeds())
def item_gives_the_rounded_number(
    torch: Any, device: str, dtype: str, regime: str, seed: int
) -> None:
    """item() and tolist() give the number that the tensor really holds as a Python number: the
    rounded one for a float, exact for every integer; float(), int(), bool() and complex() too."""
    for name in supported([dtype]):
        array = values_of((7,), name, regime, seed)
        plain = array.astype(np.float64).tolist() if name in FLOATS else array.tolist()
        x = tensor_of(torch, device, array)
        if regime != "special":  # nan is not equal to itself
            assert_equal(x.tolist(), plain)
        column = torch.stack([x, x], 1)
        for place_of, number in enumerate(plain):
            with case(dtype=name, number=number):
                element = x[place_of]
                _assert_number(element.item(), number)
                _assert_number(column[place_of : place_of + 1, :1].item(), number)
                _assert_number(element.tolist(), number)
                assert_equal(bool(element), bool(number))
        real = category(name) is not Category.COMPLEX
        if real and np.isfinite(plain[0]):
            assert_equal(int(x[0]), int(plain[0]))
            _assert_number(float(x[0]), float(plain[0]))
        _assert_number(complex(x[0]), complex(plain[0]))


def _assert_number(got: Any, expected: Any) -> None:
    if isinstance(expected, complex) and isinstance(got, complex):
        assert_equal(got.real, expected.real)
        assert_equal(got.imag, expected.imag)
    else:
        assert_equal(got, expected)


@clause("dtype.item-rounding", covers=["dlnotes.item-float32-rounding"])
def item_of_a_literal_is_its_rounding(torch: Any, device: str) -> None:
    """item() of tensor(3.14) is 3.140000104904175, the float32 nearest to 3.14; in float64 it
    is 3.14 itself, in float16 3.140625, in bfloat16 3.140625."""
    literals = (3.14, 0.1, -2.7, 1 / 3, 16777217.0, 1e-45, 65519.0, 65520.0, 2049.0, 2051.0)
    for literal in (*literals, 1e-8, 257.0, 259.0, -0.0):
        exact = np.asarray(literal)
        for name in supported(FLOATS):
            rounded = float(nearest(exact, name))
            dtype = _of(torch, name)
            with case(literal=literal, dtype=name):
                if np.isfinite(rounded) or name == "float64":
                    assert_equal(torch.tensor(literal, dtype=dtype, device=device).item(), rounded)
                    assert_equal(
                        torch.tensor([[literal]], dtype=dtype, device=device).item(), rounded
                    )
                wide = torch.tensor(literal, dtype=torch.float32, device=device)
                single = nearest(nearest(exact, "float32"), name)
                assert_equal(wide.to(dtype).item(), float(single))
    assert_equal(torch.tensor(3.14, device=device).item(), 3.140000104904175)
    assert_equal(torch.tensor([3.14], device=device).item(), 3.140000104904175)


# ----------------------------------------------------------------- products of unequal dtypes

PRODUCTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "matmul": lambda torch, a, b: torch.matmul(a, b),
    "@": lambda torch, a, b: a @ b,
    "Tensor.matmul": lambda torch, a, b: a.matmul(b),
    "mm": lambda torch, a, b: torch.mm(a, b),
    "Tensor.mm": lambda torch, a, b: a.mm(b),
    "linear": lambda torch, a, b: torch.nn.functional.linear(a, b.t()),
    "bmm": lambda torch, a, b: torch.bmm(a[None], b[None])[0],
    "batched matmul": lambda torch, a, b: torch.matmul(a[None, None], b)[0, 0],
    "mv": lambda torch, a, b: torch.stack([torch.mv(a, b[:, 0]), torch.mv(a, b[:, 1])], 1),
    "matmul of a vector": lambda torch, a, b: torch.stack([a[0] @ b, a[1] @ b]),
    "dot": lambda torch, a, b: torch.stack(
        [torch.stack([torch.dot(a[i], b[:, j]) for j in (0, 1)]) for i in (0, 1)]
    ),
}


@clause("dtype.mismatch", covers=["minicourse.matmul-dtype-mismatch"])
def products_demand_equal_dtypes(torch: Any, device: str) -> None:
    """matmul (@), mm, bmm, mv, dot and linear do not promote: they raise where the dtypes of
    their operands differ, and give the product once one is cast to the other's dtype."""
    left, right = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[1, 0], [2, 1], [0, 3]])
    for first in supported(ALL):
        for second in supported(ALL):
            if first == second:
                continue
            a = torch.tensor(left.tolist(), device=device).to(_of(torch, first))
            b = torch.tensor(right.tolist(), device=device).to(_of(torch, second))
            cure = second if second in (*FLOATS, *COMPLEX) else "float32"
            factor = left != 0 if first == "bool" else left
            expected = (factor @ (right != 0 if second == "bool" else right)).astype(
                numpy_dtype(cure)
            )
            for spelling, product in PRODUCTS.items():
                with case(first=first, second=second, spelling=spelling):
                    assert_raises(product, torch, a, b)
            for cured in supported([cure]):
                same, other = a.to(_of(torch, cured)), b.to(_of(torch, cured))
                spellings = tuple(PRODUCTS) if first in ("float32", "int64") else ("matmul",)
                for spelling in spellings:
                    with case(first=first, second=second, spelling=spelling, cast=cured):
                        assert_equal(PRODUCTS[spelling](torch, same, other), expected)
    _linear_demands_its_bias_too(torch, device, left, right)


def _linear_demands_its_bias_too(torch: Any, device: str, left: Any, right: Any) -> None:
    linear = torch.nn.functional.linear
    for name in supported(["float64", "float16", "bfloat16"]):
        a, b = (torch.tensor(array.tolist(), device=device).float() for array in (left, right.T))
        bias = torch.ones(2, device=device)
        with case(first="float32", bias=name):
            assert_raises(linear, a.to(_of(torch, name)), b, bias)
            assert_raises(linear, a, b.to(_of(torch, name)), bias)
            assert_equal(linear(a, b, bias), (left @ right + 1).astype(np.float32))


# ------------------------------------------------------------------------------ half precision

ARITHMETIC: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "add": (np.add, lambda a, b: a + b),
    "sub": (np.subtract, lambda a, b: a - b),
    "mul": (np.multiply, lambda a, b: a * b),
    "div": (np.divide, lambda a, b: a / b),
}


@clause("dtype.half-arithmetic", covers=["notes.half-precision"], effort=3)
@for_all(
    dtype=st.sampled_from(HALVES),
    spelling=st.sampled_from(("operator", "function", "in-place")),
    shape=shapes(max_size=300),
    layout=layouts(),
    regime=regimes(),
    seed=seeds(),
)
def half_precision_arithmetic_is_correctly_rounded(
    torch: Any,
    device: str,
    dtype: str,
    spelling: str,
    shape: Any,
    layout: str,
    regime: str,
    seed: int,
) -> None:
    """+, -, * and / of float16 and bfloat16 tensors give the half-precision number nearest to
    the true result, ties to even; beyond the largest number that is inf."""
    for name in supported([dtype]):
        arrays = _half_operands(shape, name, regime, seed)
        operands = [arrange(array, layout) for array in arrays]
        a, b = (each.of_tensor(tensor_of(torch, device, each.base)) for each in operands)
        x, y = (each.of_array(each.base).astype(np.float64) for each in operands)
        for operation, (reference, operator) in ARITHMETIC.items():
            expected = nearest(reference(x, y), name).astype(numpy_dtype(name))
            with case(dtype=name, operation=operation, spelling=spelling):
                if spelling == "operator":
                    assert_equal(operator(a, b), expected)
                elif spelling == "function":
                    assert_equal(getattr(torch, operation)(a, b), expected)
                for _ in supported(["in-place"] if spelling == "in-place" else []):
                    assert_equal(getattr(a.clone(), f"{operation}_")(b), expected)


def _half_operands(shape: Any, dtype: str, regime: str, seed: int) -> list[Any]:
    first, second = (values_of(shape, dtype, regime, seed + shift) for shift in (0, 7))
    if dtype == "bfloat16":
        # float32, in which most backends compute, rounds bfloat16's subnormals once more.
        left, right = first.astype(np.float64), second.astype(np.float64)
        results = [np.abs(reference(left, right)) for reference, _ in ARITHMETIC.values()]
        blurred = np.any([(r > 0) & (r < FORMATS[dtype].tiny) for r in results], axis=0)
        first[blurred], second[blurred] = 3, 7
    return [first, second]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "atan": np.arctan,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "reciprocal": np.reciprocal,
}


@clause("dtype.half-functions", covers=["notes.half-precision"], effort=3)
@for_all(
    dtype=st.sampled_from(HALVES),
    shape=shapes(max_size=300),
    layout=layouts(),
    regime=regimes(),
    seed=seeds(),
)
def half_precision_functions_are_within_a_gap(
    torch: Any, device: str, dtype: str, shape: Any, layout: str, regime: str, seed: int
) -> None:
    """exp, log, sqrt, sin, tanh and their kin of float16 and bfloat16 tensors lie within one gap
    of the true value, and go to inf where it is beyond the largest number."""
    for name in supported([dtype]):
        given = arrange(values_of(shape, name, regime, seed), layout)
        x = given.of_tensor(tensor_of(torch, device, given.base))
        exact = given.of_array(given.base).astype(np.float64)
        # float32 may flush what is below its smallest normal number, which is bfloat16's too.
        flushed = FORMATS["float32"].tiny if name == "bfloat16" else 0.0
        bound = ulps(1, name, "computed in float32, rounded once", flushed)
        for function in _some(tuple(FUNCTIONS), seed):
            reference = FUNCTIONS[function]
            if function == "reciprocal" and flushed:
                continue  # 1/x of a subnormal that is flushed is inf
            with case(dtype=name, function=function):
                assert_close(getattr(torch, function)(x), reference(exact), bound)


SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda torch, x: x.sum(),
    "sum(dim)": lambda torch, x: x[None].sum(1)[0],
    "sum(columns)": lambda torch, x: torch.sum(torch.stack([x] * 9, 1), 0)[4],
    "nansum": lambda torch, x: torch.nansum(x),
}
MEANS: dict[str, Callable[[Any, Any], Any]] = {
    "mean": lambda torch, x: x.mean(),
    "mean(dim)": lambda torch, x: torch.mean(x[None], 1)[0],
    "mean(columns)": lambda torch, x: torch.stack([x] * 9, 1).mean(dim=0)[4],
}
DOTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "dot": lambda torch, x, y: torch.dot(x, y),
    "matmul": lambda torch, x, y: torch.matmul(x, y),
    "mv": lambda torch, x, y: torch.mv(torch.stack([x] * 3), y)[1],
    "mm": lambda torch, x, y: torch.mm(torch.stack([x] * 5), y[:, None])[4, 0],
    "@": lambda torch, x, y: (torch.stack([x] * 17) @ torch.stack([y] * 9, 1))[16, 8],
    "bmm": lambda torch, x, y: torch.bmm(x[None, None], y[None, :, None])[0, 0, 0],
    "linear": lambda torch, x, y: torch.nn.functional.linear(x[None], torch.stack([y] * 4))[0, 3],
}


@clause("dtype.half-accumulation", covers=["notes.half-precision"], effort=0.75)
@for_all(
    dtype=st.sampled_from(HALVES),
    length=st.sampled_from(tuple(n for n in LENGTHS if n)),
    kind=st.sampled_from(("ones", "positive", "signed", "large")),
    seed=seeds(),
)
def half_precision_sums_accumulate_in_float32(
    torch: Any, device: str, dtype: str, length: int, kind: str, seed: int
) -> None:
    """Sums, means and products of float16 and bfloat16 tensors accumulate in float32 and round
    once at the end: a long sum of ones does not stop growing, a mean whose sum exceeds the
    largest half-precision number is right, and a result that exceeds it is inf."""
    for name in supported([dtype]):
        x, y = (_terms(kind, name, length, seed + shift) for shift in (0, 11))
        a, b = tensor_of(torch, device, x), tensor_of(torch, device, y)
        exact, other = x.astype(np.float64), y.astype(np.float64)
        bound = half_sum(exact, name)
        for spelling, total in SUMS.items():
            with case(dtype=name, spelling=spelling):
                assert_close(total(torch, a), exact.sum(), bound)
        # Half of a unit more for each partial result, as large as the largest of them.
        with case(dtype=name, spelling="cumsum"):
            assert_close(a.cumsum(0), exact.cumsum(), bound)
        bound = half_sum(exact / length, name)
        for spelling, mean in MEANS.items():
            with case(dtype=name, spelling=spelling):
                assert_close(mean(torch, a), exact.mean(), bound)
        if kind == "large":
            continue  # products of large numbers may pass through inf where a sum is split
        bound = half_product(exact * other, name)
        for spelling, product in DOTS.items():
            with case(dtype=name, spelling=spelling):
                assert_close(product(torch, a, b), exact @ other, bound)


def _terms(kind: str, dtype: str, length: int, seed: int) -> Any:
    if kind == "ones":
        return np.ones(length, numpy_dtype(dtype))
    normal = values_of((length,), "float32", "normal", seed)
    if kind == "signed":
        return normal.astype(numpy_dtype(dtype))
    scale = 1.0 if kind == "positive" else 3000.0
    return (scale * (1 + np.abs(np.sin(normal)))).astype(numpy_dtype(dtype))
