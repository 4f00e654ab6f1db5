"""Point-wise operations: the laws over the table, and what the documents say beyond them."""

from __future__ import annotations

import operator as symbols
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LENGTHS,
    Operand,
    broadcast_shapes,
    layouts,
    operands,
    seeds,
    shapes,
    tensor_of,
    values,
)
from tenet.spec.cases.layouts import arrange
from tenet.spec.cases.written import COMPUTED, gives_what_is_written
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import (
    ALL,
    FLOATS,
    FORMATS,
    INTEGERS,
    Category,
    category,
    numpy_dtype,
)
from tenet.spec.model.tolerance import rounded, ulps
from tenet.spec.operators.activations import ACTIVATIONS
from tenet.spec.operators.laws import hold
from tenet.spec.operators.mixed import MIXED
from tenet.spec.operators.operator import find
from tenet.spec.operators.pointwise import POINTWISE
from tenet.spec.operators.special import SPECIAL

for operators, effort in ((POINTWISE, 0.15), (MIXED, 0.1), (SPECIAL, 0.1), (ACTIVATIONS, 0.12)):
    covers = ("notes.elementwise-family", "notes.layout-independence")
    hold(operators, covers=covers, effort=effort)

ARITHMETIC = {"add": symbols.add, "sub": symbols.sub, "mul": symbols.mul}
NUMBERS = (10, 1, 2, -3, 0, 7)


@clause(
    "elementwise.number-operand",
    covers=["minicourse.scalar-arithmetic", "minicourse.out-of-place"],
    effort=0.5,
)
@for_all(operand=operands(), number=st.sampled_from(NUMBERS), turn=st.sampled_from(range(3)))
def a_number_applies_to_every_element(
    torch: Any, device: str, operand: Operand, number: int, turn: int
) -> None:
    """tensor + 10, tensor - 10 and tensor * 10 apply to every element, as do 10 + tensor,
    10 - tensor and 10 * tensor, and tensor / 49 of floats; the operand keeps its values."""
    for dtype in supported((INTEGERS + FLOATS)[turn::3]):
        tensor, array = operand.on(torch, device, dtype), operand.array(dtype)
        wrapped = np.array(number).astype(array.dtype)
        for name, operator in ARITHMETIC.items():
            with case(dtype=dtype, operation=name):
                assert_equal(operator(tensor, number), _exactly(operator, array, wrapped))
                assert_equal(operator(number, tensor), _exactly(operator, wrapped, array))
        if dtype in FLOATS:
            # A device may multiply by the reciprocal, which is rounded too.
            bound = ulps(2, dtype, "a reciprocal and a product", FORMATS[dtype].tiny)
            exact = array.astype(np.float64) / 49
            with case(dtype=dtype, operation="div"):
                assert_close(tensor / 49, exact, bound)
                assert_close(torch.div(tensor, 49.0), exact, bound)
        assert_equal(tensor, array)


def _exactly(operator: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The operation in float64, rounded once; integers wrap in their own dtype."""
    if left.dtype.kind in "iu":
        return np.asarray(operator(left, right))
    wide = operator(left.astype(np.float64), right.astype(np.float64))
    return rounded(np.asarray(wide), left.dtype.name)


@clause("elementwise.alpha", covers=["dlnotes.arithmetic-functions", "notes.elementwise-family"],
        requires={"in-place", "out"}, effort=0.5)  # fmt: skip
@for_all(
    group=broadcast_shapes(2),
    layout=layouts(),
    name=st.sampled_from(("add", "sub", "subtract")),
    alpha=st.sampled_from((2, -2, 1, 0, -1, 0.5, 3)),
    seed=seeds(),
)
def alpha_multiplies_the_second_operand(
    torch: Any, device: str, group: Any, layout: str, name: str, alpha: float, seed: int
) -> None:
    """add and sub take alpha, which multiplies the second operand first, be that a tensor or a
    number; integers wrap. For integers alpha has to be one too; a float raises."""
    sign = 1 if name == "add" else -1
    function = getattr(torch, name)
    for dtype in supported((INTEGERS + FLOATS)[seed % 3 :: 3]):
        whole = category(dtype) is Category.INTEGER
        # Small whole numbers and halves of them are not rounded on the way; integers may wrap.
        first = Operand(group[0], layout, "normal" if whole else "signed", seed)
        second = Operand(group[1], "contiguous", first.regime, seed + 7)
        x, y = first.on(torch, device, dtype), second.on(torch, device, dtype)
        a, b = first.array(dtype), second.array(dtype)
        with case(dtype=dtype):
            if whole and isinstance(alpha, float):
                assert_raises(function, x, y, alpha=alpha)
                assert_raises(getattr(x, name), 1, alpha=alpha)
                continue
            if dtype == "uint8" and alpha < 0:  # uint8 has no such number
                continue
            kind = a.dtype if whole else np.dtype(np.float64)
            factor = np.array(sign * alpha).astype(kind)
            expected = (a.astype(kind) + factor * b.astype(kind)).astype(a.dtype)
            assert_equal(function(x, y, alpha=alpha), expected)
            assert_equal(getattr(x, name)(y, alpha=alpha), expected)
            out = torch.empty(expected.shape, dtype=x.dtype, device=device)
            assert_same_object(function(x, y, alpha=alpha, out=out), out)
            assert_equal(out, expected)
            number = (a.astype(kind) + factor * kind.type(3)).astype(a.dtype)
            assert_equal(function(x, 3, alpha=alpha), number)
            if a.shape == expected.shape:
                written = tensor_of(torch, device, a)
                assert_same_object(getattr(written, f"{name}_")(y, alpha=alpha), written)
                assert_equal(written, expected)


@clause("elementwise.rebinding", covers=["minicourse.out-of-place"], effort=5)
@for_all(operand=operands(), name=st.sampled_from(sorted(ARITHMETIC)))
def reassignment_leaves_the_old_tensor_as_it_was(
    torch: Any, device: str, operand: Operand, name: str
) -> None:
    """x = x + 1 binds a new tensor to the name; who holds the old one still sees its values."""
    for dtype in supported(("float32", "int64")):
        tensor = old = operand.on(torch, device, dtype)
        tensor = ARITHMETIC[name](tensor, 1)
        with case(dtype=dtype):
            assert_that(tensor is not old, "the operand itself came back")
            if tensor.numel():
                tensor.zero_()
            assert_equal(old, operand.array(dtype))


EXPONENTS = (2, 3, 1, 0, 4)


@clause("elementwise.power", covers=["dlnotes.pow"], effort=0.5)
@for_all(
    operand=operands(finite=True),
    exponent=st.sampled_from(EXPONENTS),
)
def pow_raises_every_element(torch: Any, device: str, operand: Operand, exponent: int) -> None:
    """x.pow(n), torch.pow(x, n), x ** n and the exponent as a tensor are the n-th power, element
    by element; integers wrap around."""
    for dtype in supported(("float32", "float64", *INTEGERS)):
        tensor, array = operand.on(torch, device, dtype), operand.array(dtype)
        power = np.power(array, np.array(exponent, array.dtype))
        whole = torch.full_like(tensor, exponent)
        with case(dtype=dtype):
            for result in (
                tensor.pow(exponent),
                torch.pow(tensor, exponent),
                tensor**exponent,
                torch.pow(tensor, whole),
            ):
                if array.dtype.kind in "iu":
                    assert_equal(result, power)
                else:
                    exact = array.astype(np.longdouble) ** exponent
                    bound = ulps(4, dtype, "up to 3 products, or exp(n*log(x)) in more bits",
                                 FORMATS[dtype].tiny)  # fmt: skip
                    assert_close(result, exact, bound)


INF, NAN = np.inf, np.nan

LIMITS: dict[str, tuple[tuple[float, float], ...]] = {
    "sqrt": ((-1.0, NAN), (0.0, 0.0), (-0.0, -0.0), (INF, INF), (NAN, NAN), (4.0, 2.0)),
    "exp": ((-INF, 0.0), (INF, INF), (0.0, 1.0), (NAN, NAN)),
    "expm1": ((-INF, -1.0), (INF, INF), (0.0, 0.0), (NAN, NAN)),
    "log": ((0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0), (NAN, NAN)),
    "log2": ((0.0, -INF), (-1.0, NAN), (INF, INF), (8.0, 3.0), (NAN, NAN)),
    "log10": ((0.0, -INF), (-1.0, NAN), (INF, INF), (1.0, 0.0), (NAN, NAN)),
    "log1p": ((-1.0, -INF), (-2.0, NAN), (INF, INF), (0.0, 0.0), (NAN, NAN)),
    "abs": ((-INF, INF), (INF, INF), (-0.0, 0.0), (NAN, NAN), (-2.5, 2.5)),
    "sin": ((0.0, 0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "cos": ((0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "tan": ((0.0, 0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)),
    "tanh": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (NAN, NAN)),
    "sigmoid": ((INF, 1.0), (-INF, 0.0), (0.0, 0.5), (NAN, NAN)),
    "erf": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (NAN, NAN)),
    "reciprocal": ((INF, 0.0), (-INF, -0.0), (0.0, INF), (-0.0, -INF), (NAN, NAN)),
    "sign": ((INF, 1.0), (-INF, -1.0), (0.0, 0.0), (NAN, 0.0)),
    "rsqrt": ((0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (NAN, NAN)),
    "exp2": ((-INF, 0.0), (INF, INF), (0.0, 1.0), (NAN, NAN)),
    "sinh": ((INF, INF), (-INF, -INF), (0.0, 0.0), (NAN, NAN)),
    "cosh": ((INF, INF), (-INF, INF), (0.0, 1.0), (NAN, NAN)),
    "asinh": ((INF, INF), (-INF, -INF), (0.0, 0.0), (NAN, NAN)),
    "acosh": ((1.0, 0.0), (INF, INF), (0.5, NAN), (-INF, NAN), (NAN, NAN)),
    "atanh": ((1.0, INF), (-1.0, -INF), (1.5, NAN), (0.0, 0.0), (NAN, NAN)),
    "asin": ((0.0, 0.0), (1.0078125, NAN), (-1.0078125, NAN), (NAN, NAN)),
    "acos": ((1.0, 0.0), (1.0078125, NAN), (-1.0078125, NAN), (NAN, NAN)),
    "erfc": ((INF, 0.0), (-INF, 2.0), (0.0, 1.0), (NAN, NAN)),
    "erfinv": ((1.0, INF), (-1.0, -INF), (1.5, NAN), (0.0, 0.0), (NAN, NAN)),
    "lgamma": ((0.0, INF), (-1.0, INF), (-3.0, INF), (INF, INF), (-INF, INF), (NAN, NAN)),
    "digamma": ((0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)),
    "logit": ((0.0, -INF), (1.0, INF), (1.5, NAN), (0.5, 0.0), (NAN, NAN)),
    "sinc": ((0.0, 1.0), (-0.0, 1.0), (NAN, NAN)),
    "special.entr": ((0.0, 0.0), (1.0, 0.0), (-1.0, -INF), (INF, -INF), (NAN, NAN)),
    "special.ndtr": ((INF, 1.0), (-INF, 0.0), (0.0, 0.5), (NAN, NAN)),
    "special.ndtri": ((1.0, INF), (0.0, -INF), (1.5, NAN), (NAN, NAN)),
    "trunc": ((-0.5, -0.0), (0.5, 0.0), (INF, INF), (-0.0, -0.0), (NAN, NAN)),
    "ceil": ((-0.5, -0.0), (0.5, 1.0), (-INF, -INF), (-0.0, -0.0), (NAN, NAN)),
    "floor": ((-0.5, -1.0), (0.5, 0.0), (-INF, -INF), (-0.0, -0.0), (NAN, NAN)),
    "round": ((-0.5, -0.0), (0.5, 0.0), (INF, INF), (-0.0, -0.0), (NAN, NAN)),
    "logical_not": ((NAN, 0.0), (INF, 0.0), (0.0, 1.0), (-0.0, 1.0)),
}
"""Function: (argument, limit) pairs, as IEEE 754 and C have them. An argument just outside a domain
is the number after its end in bfloat16, which every format of floats has."""

SIGNED = frozenset({"abs", "sqrt", "reciprocal", "rsqrt", "trunc", "ceil", "floor", "round"})
"""Those whose zeros have a documented sign."""
WIDE_ONLY = frozenset({"special.ndtr", "special.ndtri"})
"""Those that are documented for float32 and float64 only."""


@clause("elementwise.special-values", covers=["dlnotes.unary-math", "notes.extremal-values"])
def functions_take_their_limits_at_special_values(torch: Any, device: str) -> None:
    """sqrt(-1) is nan, log(0) is -inf, exp(-inf) is 0, and the like at 0, at infinity and at
    NaN, for one element and for more than a vector of them, stepped or not."""
    for dtype in supported(FLOATS):
        for name, points in LIMITS.items():
            if name in WIDE_ONLY and dtype in ("float16", "bfloat16"):
                continue
            array, limit = np.array(points).T.astype(numpy_dtype(dtype))
            for times in (1, 40):
                with case(dtype=dtype, function=name, length=times * len(points)):
                    x = tensor_of(torch, device, np.tile(array, times))
                    strided = torch.stack([x, x], 1)[:, 0]
                    for argument in (x, strided):
                        result = find(torch, name)(argument)
                        expected = np.tile(limit, times)
                        if name == "logical_not":
                            expected = expected.astype(bool)
                        assert_equal(result, expected, signed_zero=name in SIGNED)


SPECIALS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0, -2.0)
"""Powers of two beside what is special: what is finite is exact in every dtype."""

MEETINGS: dict[str, tuple[Callable[..., Any], bool]] = {
    "add": (np.add, True),
    "sub": (np.subtract, True),
    "mul": (np.multiply, True),
    "div": (np.divide, True),
    "copysign": (np.copysign, True),
    "pow": (np.power, False),
    "maximum": (np.maximum, False),
    "minimum": (np.minimum, False),
    "fmax": (np.fmax, False),
    "fmin": (np.fmin, False),
    "fmod": (np.fmod, True),
    "atan2": (np.arctan2, True),
    "hypot": (np.hypot, False),
    "logaddexp": (np.logaddexp, False),
    "remainder": (np.mod, False),
    "xlogy": (
        lambda x, y: np.where(np.isnan(y), y, np.where(x == 0, 0, x * np.log(y))),
        False,
    ),
    "ldexp": (lambda x, y: x * np.exp2(y), False),
}
"""Function: (the reference, whether the sign of a zero follows from IEEE 754)."""


@clause("elementwise.special-pairs", covers=["notes.extremal-values", "notes.nan-propagation"])
def special_values_meet_each_other(torch: Any, device: str) -> None:
    """Every special value meets every other, as IEEE 754 and C have it: nan ** 0 is 1, inf - inf
    is nan, maximum keeps NaN on either side, fmax drops it; in a vector, broadcast or stepped."""
    points = np.array(SPECIALS)
    left, right = (side.ravel() for side in np.meshgrid(points, points, indexing="ij"))
    for name, (reference, signed) in MEETINGS.items():
        with np.errstate(all="ignore"):
            exact = reference(left, right)
        for dtype in supported(FLOATS):
            a, b = (tensor_of(torch, device, side.astype(numpy_dtype(dtype)))
                    for side in (left, right))  # fmt: skip
            few = tensor_of(torch, device, points.astype(numpy_dtype(dtype)))
            does = getattr(torch, name)
            vector, table = does(a, b), does(few[:, None], few)
            stepped = does(torch.stack([a, b], 1)[:, 0], torch.stack([a, b], 1)[:, 1])
            for lying, result in (("vector", vector), ("table", table.reshape(-1)),
                                  ("stepped", stepped)):  # fmt: skip
                with case(function=name, dtype=dtype, lying=lying):
                    if name in ("atan2", "hypot", "logaddexp", "xlogy"):
                        assert_close(result, exact, ulps(8, dtype, "an elementary function"))
                        if signed:
                            sure = ~np.isnan(exact)
                            assert_that(
                                bool((np.signbit(read(result)) == np.signbit(exact))[sure].all()),
                                "a sign differs",
                            )
                        continue
                    expected = exact.astype(numpy_dtype(dtype))
                    if name == "copysign":  # the sign of a NaN is not documented
                        result, expected = result[~b.isnan()], expected[~np.isnan(right)]
                    assert_equal(result, expected, signed_zero=signed)


_ONE: dict[str, tuple[Callable[..., Any], frozenset[Category]]] = {
    "abs": (np.abs, frozenset({Category.INTEGER, Category.FLOAT})),
    "neg": (np.negative, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "sign": (np.sign, frozenset({Category.INTEGER, Category.FLOAT})),
    "square": (np.square, frozenset({Category.INTEGER, Category.FLOAT})),
    "clone": (np.array, frozenset(Category)),
    "logical_not": (np.logical_not, frozenset(Category)),
    "bitwise_not": (np.invert, frozenset({Category.INTEGER, Category.BOOL})),
    "relu": (lambda x: np.maximum(x, x.dtype.type(0)),
             frozenset({Category.INTEGER, Category.FLOAT})),
}  # fmt: skip
_TWO: dict[str, tuple[Callable[..., Any], frozenset[Category]]] = {
    "add": (np.add, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "sub": (np.subtract, frozenset({Category.INTEGER, Category.FLOAT, Category.COMPLEX})),
    "mul": (np.multiply, frozenset({Category.INTEGER, Category.FLOAT})),
    "maximum": (np.maximum, frozenset({Category.INTEGER, Category.FLOAT, Category.BOOL})),
    "div": (np.divide, frozenset({Category.FLOAT})),
    "eq": (np.equal, frozenset(Category)),
    "lt": (np.less, frozenset({Category.INTEGER, Category.FLOAT, Category.BOOL})),
    "bitwise_and": (np.bitwise_and, frozenset({Category.INTEGER, Category.BOOL})),
    "logical_or": (np.logical_or, frozenset(Category)),
}
"""Function: (the reference, the kinds of dtypes), where every result is exact."""

_LYING = ("contiguous", "stepped", "offset", "expanded")


@clause(
    "elementwise.every-length",
    covers=["notes.elementwise-family", "notes.layout-independence"],
)
@for_all(piece=st.sampled_from([(length, turn) for length in LENGTHS for turn in range(3)]))
def every_length_is_computed_to_its_end(torch: Any, device: str, piece: tuple[int, int]) -> None:
    """Exact functions of one and of two operands are right at each element of a vector of every
    critical length, packed, stepped, offset or expanded, in every dtype."""
    length, turn = piece
    for dtype in supported(ALL[turn::3]):
        kind = category(dtype)
        plain = values((length,), dtype, "signed", length)
        divisors = np.where(np.arange(length) % 2, 4, 2).astype(plain.dtype)
        for lying in _LYING:
            laid = arrange(plain, lying)
            array = np.array(laid.of_array(laid.base))
            x = laid.of_tensor(tensor_of(torch, device, laid.base))
            for name, (reference, kinds) in _ONE.items():
                if kind in kinds:
                    with case(dtype=dtype, layout=lying, function=name, length=length):
                        assert_equal(getattr(torch, name)(x), reference(array), signed_zero=False)
            y = tensor_of(torch, device, divisors)
            for name, (reference, kinds) in _TWO.items():
                if kind in kinds:
                    with case(dtype=dtype, layout=lying, function=name, length=length):
                        does = getattr(torch, name)
                        assert_equal(does(x, y), reference(array, divisors), signed_zero=False)
                        assert_equal(does(y, x), _known(reference, divisors, array, name),
                                     signed_zero=False)  # fmt: skip
            chosen = np.arange(length) % 3 != 1
            with case(dtype=dtype, layout=lying, function="where", length=length):
                assert_equal(torch.where(tensor_of(torch, device, chosen), x, y),
                             np.where(chosen, array, divisors))  # fmt: skip


def _known(reference: Callable[..., Any], left: Any, right: Any, name: str) -> Any:
    """A quotient is rounded once from float64 (float32 and float64 by NumPy's own division)."""
    with np.errstate(all="ignore"):
        if name == "div" and left.dtype.itemsize < 4:
            return rounded(left.astype(np.float64) / right.astype(np.float64), left.dtype.name)
        return reference(left, right)


@clause("elementwise.shifts", covers=["notes.elementwise-family"])
def bits_are_shifted_by_every_amount(torch: Any, device: str) -> None:
    """x << n multiplies by 2 to the power of n, x >> n divides by it and rounds down, for every n
    below the width of the dtype, as a number and as a tensor, and for negative x too."""
    for dtype in supported(INTEGERS):
        info = np.iinfo(numpy_dtype(dtype))  # type: ignore[type-var] # an integer dtype
        amounts = np.arange(info.bits - 1).astype(numpy_dtype(dtype))
        for start in (1, 3, int(info.max), -8, -1, int(info.min)):
            if start < 0 <= int(info.min):
                continue
            whole = np.full_like(amounts, start)
            a, n = (tensor_of(torch, device, array) for array in (whole, amounts))
            down = np.right_shift(whole, amounts)
            with case(dtype=dtype, start=start):
                assert_equal(a >> n, down)
                assert_equal(torch.bitwise_right_shift(a, n), down)
                assert_equal(a >> 3, whole >> 3)
                if start < 0:
                    continue
                fits = whole.astype(object) << amounts.astype(object)
                fitting = np.array([x <= int(info.max) for x in fits])
                up = np.where(fitting, fits, 0).astype(amounts.dtype)
                assert_equal((a << n)[: fitting.sum()], up[: fitting.sum()])
                assert_equal(torch.bitwise_left_shift(a, n)[: fitting.sum()], up[: fitting.sum()])


@clause("elementwise.signed-zero", covers=["notes.extremal-values"])
def the_sign_of_zero_is_kept(torch: Any, device: str) -> None:
    """-0.0 is kept by negation, products, quotients, roots and conversions, and 0.0 - 0.0 is 0.0
    while -0.0 - 0.0 is -0.0."""
    for dtype in supported(FLOATS):
        for length in (1, 33):
            plus = np.zeros(length, numpy_dtype(dtype))
            minus = -plus
            packed = tensor_of(torch, device, plus)
            stepped = torch.stack([packed, packed + 1], 1)[:, 0]
            for zero, lying in ((packed, "packed"), (stepped, "stepped")):
                with case(dtype=dtype, length=length, lying=lying):
                    assert_equal(-zero, minus)
                    assert_equal(zero * -1, minus)
                    assert_equal(-zero / 3, minus)
                    assert_equal(zero / -np.inf, minus)
                    assert_equal(torch.sqrt(-zero), minus)
                    assert_equal(zero - zero, plus)
                    assert_equal(-zero - zero, minus)
                    assert_equal(-zero + zero, plus)


@clause("elementwise.subnormals", covers=["notes.extremal-values"], effort=4)
@for_all(shape=shapes(min_rank=1, empty=False), seed=seeds())
def subnormal_numbers_are_kept(torch: Any, device: str, shape: Any, seed: int) -> None:
    """Numbers below the smallest normal one are numbers: sums, differences and products by a
    number of them are exact or correctly rounded, not zero."""
    for dtype in supported(("float32", "float64")):
        layout = FORMATS[dtype]
        steps = values(shape, "int16", "normal", seed).astype(np.float64)
        tiny = (steps * layout.smallest).astype(numpy_dtype(dtype))
        tensor = tensor_of(torch, device, tiny)
        with case(dtype=dtype):
            assert_equal(tensor + tensor, tiny + tiny)
            assert_equal(tensor * 3, (steps * 3 * layout.smallest).astype(numpy_dtype(dtype)))
            assert_equal(tensor - tensor * 2, -tiny, signed_zero=False)


@clause("elementwise.wraparound", covers=["notes.integer-wraparound"], effort=0.5)
@for_all(group=broadcast_shapes(), seed=seeds(), turn=st.sampled_from(range(2)))
def integers_wrap_around(torch: Any, device: str, group: Any, seed: int, turn: int) -> None:
    """Sums, differences, products and negations of integers are those of whole numbers modulo
    2 to the power of the width."""
    for dtype in supported(INTEGERS[turn::2]):
        left = values(group[0], dtype, "extreme", seed)
        right = values(group[1], dtype, "normal", seed + 3)
        a, b = tensor_of(torch, device, left), tensor_of(torch, device, right)
        with case(dtype=dtype):
            for name, operator in ARITHMETIC.items():
                exact = operator(left.astype(object), right.astype(object))
                assert_equal(getattr(torch, name)(a, b), _modulo(exact, dtype))
            assert_equal(-a, _modulo(-left.astype(object), dtype))


def _modulo(exact: Any, dtype: str) -> np.ndarray:
    """Whole numbers of any size, brought into the range of a dtype."""
    info = np.iinfo(numpy_dtype(dtype))  # type: ignore[type-var] # an integer dtype
    span, low = 2**info.bits, int(info.min)
    wrapped = (np.asarray(exact, object) - low) % span + low
    return np.asarray(wrapped).astype(numpy_dtype(dtype))


DIVISORS = (3, -3, 2, -2, 7, -1, 1)


@clause("elementwise.integer-division", covers=["notes.integer-division"], effort=0.5)
@for_all(operand=operands(), divisor=st.sampled_from(DIVISORS))
def integer_division_rounds_as_asked(
    torch: Any, device: str, operand: Operand, divisor: int
) -> None:
    """// and % follow Python's sign rules (rounding down, the divisor's sign); div rounds to
    nothing, toward zero or down by rounding_mode; fmod has the dividend's sign."""
    for dtype in supported(("int64", "int32", "int16", "int8")):
        array = operand.array(dtype)
        if divisor == -1:  # the smallest integer has no quotient by -1
            array = np.where(array == np.iinfo(array.dtype).min, 5, array).astype(array.dtype)
        tensor = tensor_of(torch, device, array)
        exact = array.astype(object)
        down, remains = exact // divisor, exact % divisor
        towards_zero = down + ((remains != 0) & (down < 0))
        with case(dtype=dtype):
            for result in (
                tensor // divisor,
                torch.floor_divide(tensor, divisor),
                torch.div(tensor, divisor, rounding_mode="floor"),
                tensor // torch.full_like(tensor, divisor),
            ):
                assert_equal(result, np.asarray(down).astype(array.dtype))
            for result in (tensor % divisor, torch.remainder(tensor, divisor)):
                assert_equal(result, np.asarray(remains).astype(array.dtype))
            trunc = torch.div(tensor, divisor, rounding_mode="trunc")
            assert_equal(trunc, np.asarray(towards_zero).astype(array.dtype))
            fmod = np.asarray(exact - towards_zero * divisor).astype(array.dtype)
            assert_equal(torch.fmod(tensor, divisor), fmod)


@clause("elementwise.division-by-zero", covers=["notes.integer-division"])
def integer_division_by_zero_raises_on_the_cpu(torch: Any, device: str) -> None:
    """On the CPU // and % of integers by 0 raise; true division gives inf and nan."""
    for dtype in supported(INTEGERS):
        ones = torch.ones(3, dtype=getattr(torch, dtype), device=device)
        with case(dtype=dtype):
            quotient = np.full(3, np.inf, np.float32)
            assert_equal(ones / 0, quotient)
            assert_equal(ones // 1, np.ones(3, numpy_dtype(dtype)))
            if device == "cpu":
                assert_raises(lambda x: x // 0, ones)
                assert_raises(lambda x: x % 0, ones)
                assert_raises(torch.div, ones, ones - 1, rounding_mode="trunc")


@clause("elementwise.where", covers=["notes.elementwise-family"], effort=0.75)
@for_all(group=broadcast_shapes(3), seed=seeds(), layout=st.sampled_from(("contiguous", "stepped")))
def where_chooses_element_by_element(
    torch: Any, device: str, group: Any, seed: int, layout: str
) -> None:
    """where(condition, a, b) takes a's element where the condition holds and b's elsewhere, bit
    by bit (NaN included), for operands that broadcast."""
    choice = values(group[0], "bool", "normal", seed)
    condition = tensor_of(torch, device, choice)
    for dtype in supported(("float32", "int64", "bool", "bfloat16", "float64", "int8")):
        a = Operand(group[1], layout, "special", seed)
        b = Operand(group[2], "contiguous", "special", seed + 5)
        expected = np.where(choice, a.array(dtype), b.array(dtype))
        with case(dtype=dtype):
            x, y = a.on(torch, device, dtype), b.on(torch, device, dtype)
            assert_equal(torch.where(condition, x, y), expected)
            assert_equal(x.where(condition, y), expected)


@clause("elementwise.clamp", covers=["notes.elementwise-family"], effort=0.5)
@for_all(operand=operands(finite=True), low=st.sampled_from((0, -3, 2)),
         span=st.sampled_from((4, 0, 50, -3)))  # fmt: skip
def clamp_keeps_elements_within_its_limits(
    torch: Any, device: str, operand: Operand, low: int, span: int
) -> None:
    """clamp(min, max) raises what is below min to min and lowers what is above max to max, so that
    all is max where min is above it; either limit may be left out, both may be tensors, and NaN
    stays NaN."""
    high = low + span
    for dtype in supported(("float32", "int64", "float64", "int8", "float16", "bfloat16")):
        array = operand.array(dtype)
        tensor = operand.on(torch, device, dtype)
        least, most = np.array(low).astype(array.dtype), np.array(high).astype(array.dtype)
        with case(dtype=dtype):
            within = np.minimum(np.maximum(array, least), most).astype(array.dtype)
            assert_equal(tensor.clamp(low, high), within, signed_zero=False)
            assert_equal(torch.clip(tensor, low, high), within, signed_zero=False)
            assert_equal(tensor.clamp(min=low), np.maximum(array, least), signed_zero=False)
            assert_equal(torch.clamp(tensor, max=high), np.minimum(array, most), signed_zero=False)
            lows, highs = torch.full_like(tensor, low), torch.full_like(tensor, high)
            assert_equal(torch.clamp(tensor, lows, highs), within, signed_zero=False)
    for dtype in supported(FLOATS):
        nan = tensor_of(torch, device, np.full(17, np.nan, numpy_dtype(dtype)))
        lows, highs = torch.full_like(nan, low), torch.full_like(nan, high)
        for result in (nan.clamp(low, high), nan.clamp(lows, highs), nan.clamp(min=lows),
                       torch.clamp(nan, max=highs)):  # fmt: skip
            assert_equal(result, np.full(17, np.nan, numpy_dtype(dtype)))


@clause("elementwise.lerp", covers=["notes.elementwise-family"], effort=0.75)
@for_all(
    operand=operands(finite=True), weight=st.sampled_from((0.5, 0.0, 1.0, 0.25, 0.75, 2.0, -1.5))
)
def lerp_goes_from_start_to_end(torch: Any, device: str, operand: Operand, weight: float) -> None:
    """lerp(start, end, w) is start + w * (end - start): start at 0, end at 1, and beyond them
    below 0 and above 1; w a number or a tensor."""
    for dtype in supported(("float32", "float64")):
        start = np.clip(operand.array(dtype), -1e3, 1e3)
        end = np.clip(start * -0.5 + 3, -1e3, 1e3).astype(start.dtype)
        a, b = tensor_of(torch, device, start), tensor_of(torch, device, end)
        exact = start.astype(np.longdouble) * (1 - weight) + end.astype(np.longdouble) * weight
        scale = np.max(np.abs(np.concatenate([start.ravel(), end.ravel(), [0]])))
        reach = 1 + abs(weight)
        bound = ulps(2, dtype, "three roundings, of terms as large as the weighted ends",
                     4 * FORMATS[dtype].eps * reach * float(scale))  # fmt: skip
        with case(dtype=dtype):
            assert_close(torch.lerp(a, b, weight), exact, bound)
            assert_close(a.lerp(b, torch.full_like(a, weight)), exact, bound)


@clause("elementwise.float-remainder", covers=["notes.integer-division"])
@for_all(operand=operands(finite=True), divisor=st.sampled_from((2.5, -2.5, 1.0, -0.75)))
def the_remainder_of_floats_has_the_divisors_sign(
    torch: Any, device: str, operand: Operand, divisor: float
) -> None:
    """x % d and remainder(x, d) have the sign of d and differ from x by a whole multiple of d;
    fmod has the sign of x; x // d is the quotient rounded down."""
    for dtype in supported(("float32", "float64")):
        array = (np.round(np.clip(operand.array(dtype), -1e3, 1e3) * 8) / 8).astype(
            numpy_dtype(dtype)
        )
        tensor = tensor_of(torch, device, array)
        with case(dtype=dtype):
            remains = np.mod(array, array.dtype.type(divisor))
            assert_equal(tensor % divisor, remains, signed_zero=False)
            assert_equal(torch.remainder(tensor, divisor), remains, signed_zero=False)
            fmod = np.fmod(array, array.dtype.type(divisor))
            assert_equal(torch.fmod(tensor, divisor), fmod, signed_zero=False)
            down = np.floor_divide(array, array.dtype.type(divisor))
            assert_equal(tensor // divisor, down, signed_zero=False)


_QUOTIENTS = (1000, 7, 1, 40)
"""How large the quotients may be."""


@clause("elementwise.float-quotients", covers=["notes.integer-division", "notes.extremal-values"],
        effort=0.5)  # fmt: skip
@for_all(
    group=broadcast_shapes(2),
    layout=layouts(),
    reach=st.sampled_from(_QUOTIENTS),
    seed=seeds(),
)
def quotients_of_floats_round_as_asked(
    torch: Any, device: str, group: Any, layout: str, reach: int, seed: int
) -> None:
    """// and div(rounding_mode="floor") round the exact quotient down, not a rounded one, so that
    1.0 // 0.1 is 9; div(rounding_mode="trunc") takes the fraction off the quotient that division
    gives. fmod has the sign of the dividend, zero included, and % that of the divisor."""
    for dtype in supported(FLOATS):
        b = Operand(group[1], layout, "normal", seed).array(dtype)
        b = np.where(np.abs(b) < 0.0625, b.dtype.type(0.5), b).astype(b.dtype)
        a = Operand(group[0], "contiguous", "normal", seed + 3).array(dtype).astype(np.float64)
        largest = np.abs(b.astype(np.float64)).min(initial=1.0) * reach
        a = np.clip(a * reach / 4, -largest, largest).astype(b.dtype)
        x = tensor_of(torch, device, a)
        arrangement = arrange(b, layout)
        y = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
        # The remainder of two floats is one itself, and so the quotient follows without rounding.
        wide, by = a.astype(np.float64), b.astype(np.float64)
        fmod = np.fmod(wide, by)
        below = (fmod != 0) & ((fmod < 0) != (by < 0))
        down, remains = np.rint((wide - fmod) / by) - below, fmod + below * by
        trunc = np.trunc(rounded(wide / by, dtype).astype(np.float64))
        with case(dtype=dtype):
            assert_equal(torch.fmod(x, y), fmod.astype(a.dtype))
            for result in (x % y, torch.remainder(x, y)):
                assert_equal(result, remains.astype(a.dtype), signed_zero=False)
            if dtype in ("float16", "bfloat16"):  # to half precision a quotient may be rounded
                continue
            assert_equal(torch.div(x, y, rounding_mode="trunc"), trunc.astype(a.dtype),
                         signed_zero=False)  # fmt: skip
            for result in (x // y, torch.floor_divide(x, y), torch.div(x, y, rounding_mode="floor"),
                           x.div(y, rounding_mode="floor")):  # fmt: skip
                assert_equal(result, down.astype(a.dtype), signed_zero=False)


_LONG = 2**62 + 1


@clause("elementwise.large-quotients", covers=["notes.integer-division"])
def large_integers_divide_without_rounding(torch: Any, device: str) -> None:
    """Quotients and remainders of int64 are exact beyond the 53 bits of a float64, at any length,
    be the divisor a number or a tensor."""
    for _ in supported(("int64",)):
        for length, (a, b) in product(
            (1, 9, 64), product((_LONG, -_LONG, 2**53 + 1), (1, 3, -3, 7))
        ):
            x = torch.full((length,), a, device=device)
            sign = -1 if (a < 0) != (b < 0) else 1
            toward_zero = sign * (abs(a) // abs(b))
            with case(a=a, b=b, length=length):
                for divisor in (b, torch.full_like(x, b)):
                    for result, number in (
                        (x // divisor, a // b),
                        (torch.div(x, divisor, rounding_mode="floor"), a // b),
                        (torch.div(x, divisor, rounding_mode="trunc"), toward_zero),
                        (x % divisor, a % b),
                        (torch.fmod(x, divisor), a - toward_zero * b),
                    ):
                        assert_equal(result, np.full(length, number, np.int64))


@clause("elementwise.exponents", covers=["notes.elementwise-family", "notes.extremal-values"],
        effort=0.5)  # fmt: skip
@for_all(operand=operands(finite=True))
def numbers_come_apart_into_mantissa_and_exponent(
    torch: Any, device: str, operand: Operand
) -> None:
    """frexp gives a mantissa of 0.5 to 1 and an int32 exponent of 2, of numbers below the smallest
    normal one too, and ldexp puts them together again."""
    for dtype in supported(("float32", "float64", "float16")):
        array, x = operand.array(dtype), operand.on(torch, device, dtype)
        with case(dtype=dtype):
            mantissa, exponent = np.frexp(array)
            got = torch.frexp(x)
            assert_equal(got.mantissa, mantissa)
            assert_equal(got.exponent, exponent.astype(np.int32))
            if dtype != "float16":
                # In two steps, for 2 to the power of the whole exponent may be no number.
                half = got.exponent // 2
                again = torch.ldexp(torch.ldexp(got.mantissa, half), got.exponent - half)
                normal = (np.abs(array) >= FORMATS[dtype].tiny) | (array == 0)
                shown = torch.where(tensor_of(torch, device, normal), again, x)
                assert_equal(shown, array)


@clause("elementwise.decimals", covers=["notes.elementwise-family"], effort=3)
@for_all(operand=operands(finite=True))
def halves_round_to_even(torch: Any, device: str, operand: Operand) -> None:
    """round() takes halves to the even neighbour: 0.5 to 0, 1.5 and 2.5 to 2. It rounds to so many
    decimals, and left of the point where they are negative: 25 at -1 is 20."""
    for dtype in supported(FLOATS):
        halves = (np.round(np.clip(operand.array(dtype), -60, 60)) + 0.5).astype(numpy_dtype(dtype))
        with case(dtype=dtype):
            expected = np.rint(halves.astype(np.float64)).astype(halves.dtype)
            assert_equal(tensor_of(torch, device, halves).round(), expected)
    for dtype in supported(("float32", "float64")):
        # Tens, units and tenths of these are halves or whole numbers, without any rounding.
        quarters = (np.round(np.clip(operand.array(dtype), -600, 600)) / 4).astype(dtype)
        for decimals, tenfold in ((-1, 0.1), (0, 1.0), (1, 10.0)):
            given = quarters * 20 if decimals < 0 else quarters
            shifted = np.rint(given / 10) if decimals < 0 else np.rint(given * tenfold)
            expected = (shifted * 10 if decimals < 0 else shifted / tenfold).astype(dtype)
            with case(dtype=dtype, decimals=decimals):
                x = tensor_of(torch, device, given)
                assert_equal(torch.round(x, decimals=decimals), expected)
                assert_equal(x.round_(decimals=decimals), expected)


@clause("elementwise.infinities-replaced", covers=["notes.elementwise-family"])
def nan_to_num_replaces_what_is_not_finite(torch: Any, device: str) -> None:
    """nan_to_num makes NaN 0 and the infinities the largest finite numbers, or what is asked
    for."""
    points = [1.5, np.nan, np.inf, -np.inf, -0.0]
    for dtype in supported(FLOATS):
        kind, largest = numpy_dtype(dtype), FORMATS[dtype].max
        tensor = tensor_of(torch, device, np.array(points * 9).astype(kind))
        with case(dtype=dtype):
            plain = np.array([1.5, 0.0, largest, -largest, -0.0] * 9).astype(kind)
            assert_equal(torch.nan_to_num(tensor), plain)
            asked = np.array([1.5, 2.0, 3.0, -4.0, -0.0] * 9).astype(kind)
            assert_equal(tensor.nan_to_num(nan=2.0, posinf=3.0, neginf=-4.0), asked)


@clause("elementwise.remainder-of-large-quotients",
        covers=["notes.elementwise-family", "notes.extremal-values"])  # fmt: skip
def the_remainder_of_a_large_quotient_is_finite(torch: Any, device: str) -> None:
    """fmod and remainder of finite numbers are finite, and exact, also where the quotient is
    larger than the largest number, whatever the number of elements."""
    pairs = {
        "float64": {
            "some": (7.5, 2.0),
            "large": (1e300, 7e270),
            "beyond": (1.7e308, 2.0**-1000),
        },
        "float32": {"some": (7.5, 2.0), "large": (1e30, 7e25), "beyond": (3e38, 2.0**-120)},
    }
    for name in supported(("float64", "float32")):
        for (quotient, (a, b)), length in product(pairs[name].items(), (1, 2, 3, 64, 128)):
            x, y = np.full(length, a, name), np.full(length, b, name)
            for function, sign in product(("fmod", "remainder"), (1, -1)):
                size = "long" if length > 3 else "short"
                with case(quotient=quotient, size=size, length=length, function=function,
                          sign=sign, dtype=name):  # fmt: skip
                    tensors = tensor_of(torch, device, x), tensor_of(torch, device, sign * y)
                    expected = getattr(np, function)(x, sign * y)
                    call = getattr(torch, function)
                    assert_equal(call(*tensors), expected, signed_zero=False)


@clause("elementwise.erf-of-tiny", thorough=True, covers=["notes.elementwise-family"])
def erf_of_a_small_number_is_proportional_to_it(torch: Any, device: str) -> None:
    """erf(x) of a small x is 2/sqrt(pi) * x, in every dtype down to its smallest normal number."""
    low = {"float32": -126, "float64": -1022, "bfloat16": -126, "float16": -14}
    for name in supported(("float32", "float64", "bfloat16", "float16")):
        for power in (-6, -9, -12, -14, -30, -60, -126):
            if power < low[name]:
                continue
            size = "tiny" if power < -18 else "small"
            for sign, length in product((1, -1), (1, 3, 64)):
                x = np.full(length, sign * 2.0**power)
                # The series leaves less than x^7/42 out.
                expected = 2 / np.sqrt(np.pi) * (x - x**3 / 3 + x**5 / 10)
                bound = ulps(4, name, "an elementary function; the series is shorter than an ulp")
                if power > -9 and name == "float64":
                    continue
                with case(size=size, power=power, length=length, sign=sign, dtype=name):
                    tensor = tensor_of(torch, device, x.astype(numpy_dtype(name)))
                    assert_close(torch.erf(tensor), expected, bound)
                    assert_close(torch.special.erf(tensor), expected, bound)
                    assert_close(tensor.erf_(), expected, bound)


@clause("elementwise.complex-negative-zero", covers=["notes.extremal-values"])
def the_negative_of_a_complex_zero_part_keeps_its_sign(torch: Any, device: str) -> None:
    """The negative of a complex number has the negative of both parts, that of 0.0 being -0.0,
    whatever the number of elements before and after it."""
    numbers = (1 + 2j, complex(0, 1), complex(1, 0), complex(0, 0), complex(-0.0, -0.0), 3 - 1j)
    for name in supported(("complex64", "complex128")):
        for number, length in product(numbers, (1, 2, 3, 64, 128)):
            zero = "no zero" if number.real and number.imag else "a zero"
            zero = "negative zeros" if str(number.real) == "-0.0" else zero
            size = "long" if length > 3 else "short"
            array = np.empty(length, name)
            array.real, array.imag = number.real, number.imag
            expected = np.empty(length, name)
            expected.real, expected.imag = -array.real, -array.imag
            for spelling, call in {"neg": torch.neg, "-x": symbols.neg, "negative": torch.negative,
                                   "neg_": lambda x: x.neg_()}.items():  # fmt: skip
                with case(part=zero, size=size, length=length, number=number, spelling=spelling,
                          dtype=name):  # fmt: skip
                    assert_equal(call(tensor_of(torch, device, array)), expected)


@clause(
    "elementwise.written-out",
    covers=["notes.elementwise-family", "notes.promotion-categories", "notes.nan-propagation"],
)
def element_wise_functions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what a count by hand gives: numbers of another
    category than the tensor's, crossed limits, ties, roundings of every mode, NaN and
    infinities where an argument says what becomes of them."""
    gives_what_is_written(torch, device, COMPUTED)


@clause("elementwise.refused-powers", covers=["dlnotes.pow"])
def integers_have_no_negative_integer_powers(torch: Any, device: str) -> None:
    """An integer tensor to a negative integer power raises, as its result is not an integer; as a
    float power it is a float, and to the power 0 it is 1."""
    for name in supported(INTEGERS):
        x = torch.tensor([1, 2, 3], dtype=getattr(torch, name), device=device)
        for exponent in (-1, -2, -7):
            with case(dtype=name, exponent=exponent):
                assert_raises(torch.pow, x, exponent)
                assert_raises(lambda a, n: a**n, x, exponent)
        with case(dtype=name, exponent=0):
            assert_equal(x**0, np.ones(3, name))
        with case(dtype=name, exponent=-1.0):
            assert_equal(torch.tensor([1, 2, 4], device=device).to(x.dtype) ** -1.0,
                         np.array([1, 0.5, 0.25], np.float32))  # fmt: skip


_MEETINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "x and its transpose": (lambda x: x, lambda x: x.T),
    "the rest and all but the last": (lambda x: x[1:], lambda x: x[:-1]),
    "columns and rows": (lambda x: x[:, :1], lambda x: x[:1]),
    "every other row, and the first ones": (lambda x: x[::2], lambda x: x[: (len(x) + 1) // 2]),
    "a stretched row": (lambda x: x, lambda x: x[1]),
}
_ARITHMETIC: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "eq": np.equal,
}  # fmt: skip


@clause("elementwise.of-itself", covers=["notes.layout-independence"], requires={"views"}, effort=2)
@for_all(
    length=st.sampled_from([2, 3, 5, 8, 9, 16, 17, 33]),
    meeting=st.sampled_from(list(_MEETINGS)),
    dtype=st.sampled_from(["float32", "int64", "float64", "int32", "float16", "uint8"]),
    seed=seeds(),
)
def views_of_one_tensor_meet(
    torch: Any, device: str, length: int, meeting: str, dtype: str, seed: int
) -> None:
    """Two views of one tensor, which overlap in memory, are operands like any others."""
    for name in supported([dtype]):
        array = values((length, length), name, "signed", seed)
        x = tensor_of(torch, device, array)
        left, right = _MEETINGS[meeting]
        for function, reference in _ARITHMETIC.items():
            with case(function=function):
                got = getattr(torch, function)(left(x), right(x))
                assert_equal(got, reference(left(array), right(array)), signed_zero=False)
        assert_equal(x, array)
