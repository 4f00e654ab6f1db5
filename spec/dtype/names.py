"""What dtypes are called, the default one, and how large and fine they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, seeds, tensor_of
from tenet.spec.cases import values as values_of
from tenet.spec.dtype.common import named
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.casting import converted, settled
from tenet.spec.model.dtypes import (
    ALL,
    DTYPES,
    FLOATS,
    FORMATS,
    INTEGERS,
    Category,
    category,
    numpy_dtype,
)

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
    "logspace": lambda torch, device: torch.logspace(0, 1, 5, device=device),
    "normal": lambda torch, device: torch.normal(0.0, 1.0, (3,), device=device),
    "weight": lambda torch, device: torch.nn.Linear(2, 3, device=device).weight,
    "buffer": lambda torch, device: torch.nn.BatchNorm1d(3, device=device).running_mean,
}


@clause("dtype.names", covers=["mlnotes.typed-constructors"], metadata_only=True)
def dtypes_have_aliases_and_a_category(torch: Any, device: str) -> None:
    """float, double, half, long, int, short, cfloat and cdouble are other names of float32,
    float64, float16, int64, int32, int16, complex64 and complex128: the same objects. A dtype
    knows whether it is floating-point, complex or signed."""
    for name in supported(ALL):
        dtype = named(torch, name)
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
                assert_equal(dtype == named(torch, other), name == other)
            for alias in DTYPES[name].aliases:
                assert_same_object(named(torch, alias), dtype)
                assert_metadata(
                    torch.zeros(2, dtype=named(torch, alias), device=device), dtype=name, shape=(2,)
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
                if target in INTEGERS + FLOATS:
                    parts = make([1.75, 2.5, 0.625, 2.875])
                    cut = read(parts).astype(numpy_dtype(target))
                    assert_equal(parts.type(f"torch.{other}"), cut)
                    assert_equal(parts.type(dtype=getattr(torch, other)), cut)
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
    """set_default_dtype() sets what Python floats, the float factories and new layers give, and,
    with float32 and float64, the complex dtype of the same width; integers, tensors that exist and
    what is made like them keep theirs. finfo() without an argument describes it. Other dtypes are
    refused."""
    before = torch.get_default_dtype()
    kept = torch.tensor([1.5], device=device)
    try:
        for name in supported(["float64", "float16", "bfloat16", "float32"]):
            torch.set_default_dtype(named(torch, name))
            with case(default=name):
                assert_same_object(torch.get_default_dtype(), named(torch, name))
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
                for like in (torch.zeros_like, torch.rand_like, lambda x: torch.full_like(x, 2),
                             lambda x: x.new_zeros(2), lambda x: x.new_full((2,), 2)):  # fmt: skip
                    assert_metadata(like(kept), dtype="float32")
                for other in ("int64", "int32", "bool"):
                    assert_raises(torch.set_default_dtype, named(torch, other))
                    assert_same_object(torch.get_default_dtype(), named(torch, name))
            if name in ("float32", "float64"):
                wide = "complex64" if name == "float32" else "complex128"
                for literal in COMPLEX_LITERALS:
                    for make in LITERAL_FACTORIES.values():
                        assert_metadata(make(torch, device, literal), dtype=wide)
                assert_metadata(torch.full((2,), 1j, device=device), dtype=wide)
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
        asked = named(torch, name)
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
        dtype = named(torch, name)
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
        info, layout = torch.finfo(named(torch, name)), FORMATS[name]
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
        limits, bounds = torch.iinfo(named(torch, name)), np.iinfo(numpy_dtype(name))  # type: ignore[type-var]
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
