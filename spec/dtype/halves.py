"""Half precision: rounding, functions, and sums that accumulate in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, arrange, layouts, regimes, seeds, shapes, tensor_of
from tenet.spec.cases import values as values_of
from tenet.spec.dtype.common import some_of
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model.casting import nearest
from tenet.spec.model.dtypes import FORMATS, HALVES, numpy_dtype
from tenet.spec.model.tolerance import half_product, half_sum, ulps

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
        for function in some_of(tuple(FUNCTIONS), seed):
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
    kind=st.sampled_from(("ones", "whole", "positive", "signed", "large")),
    seed=seeds(),
)
def half_precision_sums_accumulate_in_float32(
    torch: Any, device: str, dtype: str, length: int, kind: str, seed: int
) -> None:
    """Sums, means and products of float16 and bfloat16 tensors accumulate in float32 and round
    once at the end: a long sum of ones does not stop growing, one of whole numbers is the nearest
    that there is, a mean whose sum exceeds the largest half-precision number is right, and a
    result that exceeds it is inf."""
    for name in supported([dtype]):
        x, y = (_terms(kind, name, length, seed + shift) for shift in (0, 11))
        a, b = tensor_of(torch, device, x), tensor_of(torch, device, y)
        exact, other = x.astype(np.float64), y.astype(np.float64)
        bound = half_sum(exact, name)
        if kind in ("ones", "whole"):
            # No sum of them is rounded in float32, in any order.
            bound = ulps(0.5, name, "whole numbers below 2^24, rounded once")
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
    if kind == "whole":
        return np.floor(np.abs(normal) * 8).astype(numpy_dtype(dtype))
    if kind == "signed":
        return normal.astype(numpy_dtype(dtype))
    scale = 1.0 if kind == "positive" else 3000.0
    return (scale * (1 + np.abs(np.sin(normal)))).astype(numpy_dtype(dtype))
