"""Broadcasting: operands of different shapes are stretched to a common one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    LAYOUTS,
    WRITABLE,
    Operand,
    arrange,
    broadcast_shapes,
    broadcastable,
    incompatible_shapes,
    seeds,
    tensor_of,
)
from tenet.spec.cases.promoting import VIEWS, method
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
from tenet.spec.model.dtypes import ALL, COMPLEX, FLOATS, numpy_dtype

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]

FLAT = [shape for rank in range(3) for shape in product((1, 2, 0, 3), repeat=rank)]
"""Every shape of up to two dimensions whose lengths are at most 3."""

SMALL = [*FLAT, *product((1, 2, 0), repeat=3)]
"""The same, and every shape of three dimensions whose lengths are at most 2."""

DEEP = [
    ((2, 1, 3, 1, 2), (3, 1, 2, 1)),
    ((1, 2, 1, 2, 1, 2), (2, 1, 2, 1, 2, 1)),
    ((2, 1, 1, 2, 3), (1, 3, 1, 1, 1)),
    ((3, 1, 2, 1, 2, 1, 2), (2,)),
    ((2, 1, 2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2, 1, 2)),
    ((1, 1, 1, 1, 1, 5), (4, 1, 1)),
    ((2, 2, 2, 2, 2), (2, 1, 2, 1, 2)),
    ((2, 0, 1, 3, 1), (1, 1, 4, 1, 2)),
    ((1, 33, 1, 1, 2), (2, 1, 1, 17, 1)),
]
"""More dimensions than kernels like to handle, stretched in turn."""

STRETCHED = [
    pair
    for n in (3, 8, 9, 15, 17, 31, 33, 64, 65, 129, 257, 1025)
    for pair in (
        ((3, n), (n,)),
        ((3, 1), (1, n)),
        ((n, 1), (n, 3)),
        ((), (n,)),
        ((1,), (2, n)),
        ((n, 1), (2,)),
        ((2, 1, n), (3, 1)),
        ((1, n), (3, n)),
        ((2, n, 1), (2, 1, 3)),
        ((n, 2), (1, 1)),
    )
]
"""Each way to stretch a row, a column or one element, at the lengths where kernels break."""

EQUAL_COUNTS = [
    ((2, 3), (3, 2)),
    ((6,), (2, 3)),
    ((4,), (2, 2)),
    ((2, 2, 2), (4, 2)),
    ((8,), (2, 4)),
    ((3, 4), (12,)),
    ((9,), (3, 3)),
    ((2, 3, 4), (4, 3, 2)),
    ((16, 2), (2, 16)),
]
"""Incompatible shapes with equally many elements, which once were taken in order."""

OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None, tuple[str, ...]]] = {
    "add": (np.add, operator.add, ALL),
    "mul": (np.multiply, operator.mul, tuple(name for name in ALL if name not in COMPLEX)),
    "sub": (np.subtract, operator.sub, tuple(name for name in ALL if name != "bool")),
    "maximum": (np.maximum, None, tuple(name for name in ALL if name not in COMPLEX)),
    "lt": (np.less, operator.lt, tuple(name for name in ALL if name not in COMPLEX)),
    "ne": (np.not_equal, operator.ne, ALL),
    "div": (np.true_divide, operator.truediv, FLOATS),
    "logical_and": (np.logical_and, None, ALL),
}
"""NumPy's reference, Python's operator, and the dtypes in which NumPy's answer is the answer."""


def _spellings(torch: Any, name: str) -> list[tuple[str, Callable[[Any, Any], Any]]]:
    ways = [(f"torch.{name}(a, b)", getattr(torch, name)), (f"a.{name}(b)", method(name))]
    spoken = OPERATIONS[name][1]
    return ways if spoken is None else [*ways, (f"operator.{spoken.__name__}(a, b)", spoken)]


two_operands = st.builds(
    lambda group, view, seed: (
        Operand(group[0], view[0], view[2], seed),
        Operand(group[1], view[1], view[2], seed + 7),
    ),
    st.one_of(broadcast_shapes(max_size=1200), st.sampled_from(DEEP), st.sampled_from(STRETCHED)),
    st.sampled_from(VIEWS),
    seeds(),
)


@clause(
    "broadcasting.every-small-pair",
    thorough=True,
    covers=["notes.broadcast-rule", "basics.broadcast"],
)
def small_shapes_follow_the_rule(torch: Any, device: str) -> None:
    """Aligned from the last dimension, two lengths agree if they are equal or one of them is 1 or
    missing, and the other one is the result's, 0 included; all else raises."""
    arrays = {
        shape: np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
        for shape in SMALL
    }
    tensors = {shape: tensor_of(torch, device, array) for shape, array in arrays.items()}
    for first, second in product(SMALL, repeat=2):
        a, b = tensors[first], tensors[second]
        with case(first=first, second=second):
            if broadcastable(first, second) is None:
                assert_raises(operator.add, a, b)
            else:
                assert_equal(a + b, arrays[first] + arrays[second])


_SPREAD = [shape for rank in range(4) for shape in product((1, 17), repeat=rank)]
"""Every shape of up to three dimensions, each stretched or longer than a vector."""

_KINDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "add": (np.add, ("float32", "int64", "bfloat16")),
    "sub": (np.subtract, ("float64", "int16", "float16")),
    "mul": (np.multiply, ("int32", "float32", "uint8")),
    "div": (np.true_divide, ("float32", "float64")),
    "eq": (np.equal, ("int64", "float32", "bool")),
    "ne": (np.not_equal, ("uint8", "float16")),
    "lt": (np.less, ("float32", "int16")),
    "le": (np.less_equal, ("int32", "bfloat16")),
    "gt": (np.greater, ("float64", "int8")),
    "ge": (np.greater_equal, ("int64", "float32")),
    "maximum": (np.maximum, ("float32", "int32")),
    "fmin": (np.fmin, ("float64",)),
    "bitwise_xor": (np.bitwise_xor, ("int64", "bool")),
    "logical_and": (np.logical_and, ("bool", "float32")),
    "fmod": (np.fmod, ("int64", "float32")),
}
"""NumPy's reference, and a few dtypes: each kernel has a loop of its own."""


@clause("broadcasting.every-stretch", thorough=True,
        covers=["notes.broadcast-rule", "basics.broadcast", "dlnotes.comparisons"])  # fmt: skip
def every_operation_stretches_every_dimension(torch: Any, device: str) -> None:
    """Whichever dimensions of either operand are stretched or missing, each operation pairs the
    same elements as the others do, and comparisons among them."""
    numbers = np.arange(17**3) % 11 + 1
    for turn, (first, second) in enumerate(product(_SPREAD, repeat=2)):
        p, q = (np.prod(shape, dtype=int) for shape in (first, second))
        for name, (reference, dtypes) in _KINDS.items():
            for dtype in supported([dtypes[turn % len(dtypes)]]):
                a, b = (
                    (part % (2 if dtype == "bool" else 12)).astype(numpy_dtype(dtype))
                    for part in (numbers[:p].reshape(first), numbers[-q:].reshape(second))
                )
                x, y = tensor_of(torch, device, a), tensor_of(torch, device, b)
                with case(function=name, dtype=dtype, first=first, second=second):
                    assert_equal(getattr(torch, name)(x, y), reference(a, b))


_DEEPER = [shape for rank in range(5) for shape in product((1, 3), repeat=rank)]
"""The same of up to four dimensions, and short: for what a dtype's kernel does."""


@clause(
    "broadcasting.every-dtype",
    thorough=True,
    covers=["notes.broadcast-rule", "basics.broadcast", "notes.layout-independence"],
)
def every_dtype_stretches_every_dimension(torch: Any, device: str) -> None:
    """Whichever dimensions of either operand are stretched or missing, the elements of every dtype
    are paired in the same way; over the pairs of shapes, by every operation, and of operands that
    lie in memory in every way."""
    for place, dtype in enumerate(supported(ALL)):
        spoken = [name for name, (_, _, dtypes) in OPERATIONS.items() if dtype in dtypes]
        sources = {}
        for at, shape in enumerate(_DEEPER):
            count = np.prod(shape, dtype=int)
            array = (np.arange(count) % (2 if dtype == "bool" else 7) + 1).reshape(shape)
            arrangement = arrange(
                array.astype(numpy_dtype(dtype)), WRITABLE[(at + place) % len(WRITABLE)]
            )
            tensor = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
            sources[shape] = tensor, arrangement.of_array(arrangement.base)
        for turn, (first, second) in enumerate(product(_DEEPER, repeat=2), place):
            (x, a), (y, b) = sources[first], sources[second]
            chosen = {spoken[turn % len(spoken)]}
            if len(first) == len(second) == 3:
                chosen.add(spoken[turn // 7 % len(spoken)])
            for name in sorted(chosen):
                with case(operation=name, dtype=dtype, first=first, second=second):
                    assert_equal(getattr(torch, name)(x, y), OPERATIONS[name][0](a, b))


@clause(
    "broadcasting.shape-function",
    thorough=True,
    covers=["notes.broadcast-rule"],
    metadata_only=True,
)
def broadcast_shapes_states_the_rule(torch: Any, device: str) -> None:
    """broadcast_shapes gives the common shape of any number of shapes, as a torch.Size, or
    raises where there is none."""
    for first, second in product(SMALL, repeat=2):
        expected = broadcastable(first, second)
        with case(first=first, second=second):
            if expected is None:
                assert_raises(torch.broadcast_shapes, first, second)
            else:
                got = torch.broadcast_shapes(first, torch.Size(second))
                assert_equal(tuple(got), expected)
                assert_that(type(got) is torch.Size, f"it is a {type(got).__name__}")
    few = [(), (1,), (2,), (3, 1), (1, 2), (0, 1), (2, 1, 1), (4, 3, 2)]
    for group in product(few, repeat=3):
        expected = broadcastable(*group)
        with case(shapes=group):
            if expected is None:
                assert_raises(torch.broadcast_shapes, *group)
            else:
                assert_equal(tuple(torch.broadcast_shapes(*group)), expected)
    for group in DEEP:
        with case(shapes=group):
            assert_equal(tuple(torch.broadcast_shapes(*group)), broadcastable(*group))


@clause("broadcasting.values", covers=["notes.broadcast-rule", "basics.broadcast"], effort=1)
@for_all(pair=two_operands, dtype=st.sampled_from(ALL))
def stretched_operands_repeat_their_elements(
    torch: Any, device: str, pair: tuple[Operand, Operand], dtype: str
) -> None:
    """A stretched operand counts as if its elements were repeated, in whichever place it stands,
    however it lies in memory and however the operation is said; it is not changed itself."""
    if dtype in COMPLEX and pair[0].regime == "special":
        # What complex arithmetic makes of infinities is not documented.
        pair = (replace(pair[0], regime="normal"), replace(pair[1], regime="normal"))
    for name in supported([dtype]):
        a, b = (each.on(torch, device, name) for each in pair)
        x, y = (each.array(name) for each in pair)
        for at, (operation, (reference, _, dtypes)) in enumerate(OPERATIONS.items()):
            if name not in dtypes:
                continue
            ways = _spellings(torch, operation)
            spelling, call = ways[(pair[0].seed + at) % len(ways)]
            # Which zero is larger is not documented, nor how complex arithmetic signs its zeros.
            signed = operation != "maximum" and name not in COMPLEX
            with case(spelling=spelling):
                assert_equal(call(a, b), reference(x, y), signed_zero=signed)
                assert_equal(call(b, a), reference(y, x), signed_zero=signed)
        assert_equal(a, x)
        assert_equal(b, y)


POINTWISE = ("add", "mul", "sub", "div", "pow", "remainder", "fmod", "maximum", "minimum", "atan2",
             "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor",
             "floor_divide", "fmax", "fmin", "hypot", "copysign")  # fmt: skip


@clause(
    "broadcasting.result-shape",
    covers=["notes.broadcast-rule", "basics.broadcast"],
    metadata_only=True,
    effort=2,
)
@for_all(
    shapes=st.one_of(
        broadcast_shapes(max_size=600), st.sampled_from(DEEP), st.sampled_from(STRETCHED)
    ),
    group=st.integers(0, 5),
)
def every_pointwise_operation_broadcasts(
    torch: Any, device: str, shapes: Shapes, group: int
) -> None:
    """Point-wise operations of two tensors give the common shape, whichever they are."""
    first, second = shapes
    a, b = torch.ones(first, device=device), torch.ones(second, device=device)
    expected = broadcastable(first, second)
    for name in POINTWISE[group::6]:
        with case(operation=name):
            assert_metadata(getattr(torch, name)(a, b), shape=expected)
            assert_metadata(getattr(b, name)(a), shape=expected)


@clause(
    "broadcasting.incompatible", covers=["basics.broadcast", "notes.broadcast-rule"], effort=1.5
)
@for_all(
    shapes=st.one_of(incompatible_shapes(), st.sampled_from(EQUAL_COUNTS)),
    group=st.integers(0, 5),
    dtype=st.sampled_from(("float32", "int64")),
)
def incompatible_shapes_raise(
    torch: Any, device: str, shapes: tuple[Shape, Shape], group: int, dtype: str
) -> None:
    """Where two lengths differ and neither is 1, every operation raises, also where the operands
    have equally many elements, and leaves both as they were."""
    for name in supported([dtype]):
        a, b = (torch.ones(shape, dtype=getattr(torch, name), device=device) for shape in shapes)
        one = torch.ones(1, dtype=getattr(torch, name), device=device)
        ways = [way for operation in OPERATIONS for way in _spellings(torch, operation)]
        whole = name != "float32"
        ways += [
            (f"torch.{other}(a, b)", getattr(torch, other))
            for other in POINTWISE
            if not (whole and other == "hypot")
        ]
        ways += [("torch.broadcast_tensors(a, b)", torch.broadcast_tensors)]
        ways += [("where", lambda p, q: torch.where(p > 0, p, q))]
        if not whole:
            ways += [("lerp", lambda p, q: torch.lerp(p, q, 0.5))]
        for spelling, call in ways[group::6]:
            with case(spelling=spelling):
                assert_raises(call, a, b)
                assert_raises(call, b, a)
                call(a, one)
        assert_equal(a, np.ones(shapes[0], name))
        assert_equal(b, np.ones(shapes[1], name))


IN_PLACE: tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...] = (
    ("a.add_(b)", np.add, method("add_")),
    ("a.mul_(b)", np.multiply, method("mul_")),
    ("a.sub_(b)", np.subtract, method("sub_")),
    ("a += b", np.add, operator.iadd),
    ("a *= b", np.multiply, operator.imul),
    ("a -= b", np.subtract, operator.isub),
    ("a.clamp_(min=b)", np.maximum, lambda a, b: a.clamp_(min=b)),
    ("a.addcmul_(b, b)", lambda x, y: x + y * y, lambda a, b: a.addcmul_(b, b)),
    ("a.eq_(b)", lambda x, y: np.equal(x, y).astype(x.dtype), method("eq_")),
    ("a.logical_and_(b)", lambda x, y: np.logical_and(x, y).astype(x.dtype),
     method("logical_and_")),
)  # fmt: skip


@clause(
    "broadcasting.in-place-small",
    thorough=True,
    covers=["notes.broadcast-inplace"],
    requires={"in-place"},
)
def no_in_place_operation_changes_a_shape(torch: Any, device: str) -> None:
    """In place, the target keeps its shape: () does not become (1,), nor 1 become 0, and where
    the common shape is not the target's, the operation raises."""
    for target, other in product(FLAT, repeat=2):
        x, y = (
            (np.arange(np.prod(shape, dtype=int), dtype=np.float32) % 5 + first).reshape(shape)
            for first, shape in ((1, target), (2, other))
        )
        b = tensor_of(torch, device, y)
        fits = broadcastable(target, other) == target
        for spelling, reference, call in IN_PLACE:
            a = tensor_of(torch, device, x)
            with case(spelling=spelling, target=target, other=other):
                if fits:
                    assert_same_object(call(a, b), a)
                    assert_equal(a, np.asarray(reference(x, y), np.float32))
                else:
                    assert_raises(call, a, b)
                    assert_metadata(a, shape=target)


@clause(
    "broadcasting.in-place",
    covers=["notes.broadcast-inplace"],
    effort=3,
    requires={"in-place", "views"},
)
@for_all(
    shapes=st.one_of(
        broadcast_shapes(max_size=600),
        st.sampled_from([*DEEP, *EQUAL_COUNTS]),
        st.sampled_from(STRETCHED),
        incompatible_shapes(),
    ),
    layout=st.sampled_from(WRITABLE),
    seed=seeds(),
    dtype=st.sampled_from(("float32", "int64", "float64", "int32", "int16", "float16", "int8")),
)
def an_in_place_operation_keeps_its_shape_or_raises(
    torch: Any, device: str, shapes: tuple[Shape, Shape], layout: str, seed: int, dtype: str
) -> None:
    """In place, the other operand is stretched to the target's shape; where the common shape
    would be another one, it raises: the target never changes shape, not even from () to (1,)."""
    for name in supported([dtype]):
        common = broadcastable(*shapes)
        pairs = [(shapes[0], shapes[1])]
        if common is not None:
            pairs = [(common, shapes[0]), (common, shapes[1]), *pairs]
        for at, (target, other) in enumerate(pairs):
            spelling, reference, call = IN_PLACE[(seed + 3 * at) % len(IN_PLACE)]
            site = Operand(target, layout, "ties", seed).place(torch, device, name)
            right = Operand(other, "contiguous", "signed", seed + 7)
            b, y = right.on(torch, device, name), right.array(name)
            with case(spelling=spelling, target=target, other=other):
                if common == target:
                    new = reference(site.array, y).astype(site.array.dtype)
                    assert_same_object(call(site.view, b), site.view)
                    assert_equal(site.base, site.after(new), signed_zero=False)
                else:
                    assert_raises(call, site.view, b)
                    assert_equal(site.base, site.after(site.array))
                    one = torch.ones((), dtype=site.view.dtype, device=device)
                    call(site.view, one)
                assert_metadata(site.view, shape=target, dtype=name)
                assert_equal(b, y)


@clause(
    "broadcasting.out",
    covers=["notes.broadcast-rule", "basics.add-out"],
    requires={"out"},
    effort=3,
)
@for_all(pair=two_operands, layout=st.sampled_from(WRITABLE))
def out_receives_the_common_shape(
    torch: Any, device: str, pair: tuple[Operand, Operand], layout: str
) -> None:
    """out= takes a result of the common shape: a tensor of that shape is written where it lies,
    and an empty one is resized."""
    a, b = (each.on(torch, device, "float32") for each in pair)
    x, y = (each.array("float32") for each in pair)
    shape = broadcastable(*(each.shape for each in pair)) or ()
    for at in range(2):
        name = ("add", "sub", "maximum", "mul", "div")[(pair[0].seed + at) % 5]
        expected, call = OPERATIONS[name][0](x, y), getattr(torch, name)
        with case(operation=name):
            site = Operand(shape, layout, "signed").place(torch, device, "float32")
            stride = site.view.stride()
            assert_same_object(call(a, b, out=site.view), site.view)
            assert_equal(site.base, site.after(expected), signed_zero=name != "maximum")
            assert_metadata(site.view, shape=shape, stride=stride)
            fresh = torch.empty(0, device=device)
            assert_same_object(call(a, b, out=fresh), fresh)
            assert_equal(fresh, expected, signed_zero=name != "maximum")


@clause(
    "broadcasting.views",
    covers=["notes.broadcast-rule", "dlnotes.expand"],
    requires={"in-place", "views"},
    effort=2,
)
@for_all(pair=two_operands, dtype=st.sampled_from(ALL))
def stretching_makes_views(
    torch: Any, device: str, pair: tuple[Operand, Operand], dtype: str
) -> None:
    """broadcast_to, broadcast_tensors, expand and expand_as stretch alike, without a copy: the
    stretched dimensions have stride 0, and what is written to the source shows in all of them. A
    new dimension needs a length, so that -1 raises for it."""
    for name in supported([dtype]):
        a, b = (each.on(torch, device, name) for each in pair)
        x, y = (each.array(name) for each in pair)
        shape = broadcastable(a.shape, b.shape) or ()
        for source, array, other in ((a, x, b), (b, y, a)):
            expected = np.broadcast_to(array, shape)
            together = torch.broadcast_tensors(source, other)
            views = {
                "torch.broadcast_to(a, shape)": torch.broadcast_to(source, shape),
                "a.broadcast_to(shape)": source.broadcast_to(shape),
                "a.expand(*shape)": source.expand(*shape) if shape else source.expand(shape),
                "a.expand_as(b)": source.expand_as(together[1]),
                "torch.broadcast_tensors(a, b)": together[0],
            }
            for spelling, view in views.items():
                with case(spelling=spelling):
                    assert_equal(view, expected)
                    assert_that(*_stretched(source, view))
            if pair[0].layout == "expanded" and source is a:
                continue
            if pair[1].layout == "expanded" and source is b:
                continue
            # A length that is not there cannot be kept.
            assert_raises(source.expand, (-1, *source.shape))
            assert_raises(source.expand, -1, *source.shape)
            source.fill_(1)
            for spelling, view in views.items():
                with case(spelling=spelling):
                    assert_equal(view, np.ones(shape, array.dtype))


def _stretched(source: Any, view: Any) -> tuple[bool, str]:
    """Whether a view repeats its source by strides alone. Lengths of 1 have no stride to keep."""
    missing = len(view.shape) - len(source.shape)
    lengths = (1,) * missing + tuple(source.shape)
    strides = (0,) * missing + tuple(source.stride())
    wanted = [0 if was == 1 else stride for was, stride in zip(lengths, strides, strict=True)]
    found = view.stride()
    same = all(
        got == want
        for got, want, now in zip(found, wanted, view.shape, strict=True)
        if now > 1 and 0 not in view.shape
    )
    return same, f"the strides are {tuple(found)}, not {tuple(wanted)}"


THREE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "where": (lambda x, y, z: np.where(x > 1, y, z), lambda t, a, b, c: t.where(a > 1, b, c)),
    "Tensor.where": (
        lambda x, y, z: np.where(x > 1, y, z),
        lambda t, a, b, c: b.where(a > 1, c),
    ),
    "addcmul": (lambda x, y, z: x + y * z, lambda t, a, b, c: t.addcmul(a, b, c)),
    "Tensor.addcmul": (lambda x, y, z: x + y * z, lambda t, a, b, c: a.addcmul(b, c)),
    "clamp": (
        lambda x, y, z: np.minimum(np.maximum(x, y), z),
        lambda t, a, b, c: t.clamp(a, b, c),
    ),
    "sum": (lambda x, y, z: x + y + z, lambda t, a, b, c: a + b + c),
}


SQUARES = [
    tuple((n,) * rank for rank in ranks)
    for n in (2, 3)
    for ranks in product((1, 2, 3), repeat=3)
    if len({*ranks}) > 1
]
"""Ranks that differ, where nothing but the rule says which dimensions belong together."""


@clause("broadcasting.squares", covers=["notes.broadcast-rule"])
def equal_lengths_are_aligned_from_the_last_dimension(torch: Any, device: str) -> None:
    """Where all lengths are equal, any alignment would fit: it is that of the last dimensions, for
    two operands and for three."""
    for dtype, shapes in product(supported(("float32", "int64", "bfloat16", "uint8")), SQUARES):
        group = [Operand(shape, "contiguous", "ties", 5 * at) for at, shape in enumerate(shapes)]
        tensors = [each.on(torch, device, dtype) for each in group]
        arrays = [each.array(dtype) for each in group]
        for operation, (reference, call) in THREE.items():
            with case(operation=operation, dtype=dtype, shapes=shapes):
                got = call(torch, *tensors)
                assert_equal(got, reference(*arrays).astype(arrays[0].dtype), signed_zero=False)
        for operation in ("add", "maximum", "lt"):
            with case(operation=operation, dtype=dtype, shapes=shapes[:2]):
                got = getattr(torch, operation)(*tensors[:2])
                assert_equal(got, OPERATIONS[operation][0](*arrays[:2]))


@clause("broadcasting.three-operands", covers=["notes.broadcast-rule"], effort=2)
@for_all(
    shapes=broadcast_shapes(3, max_size=1200),
    layout=st.sampled_from(tuple(LAYOUTS)),
    seed=seeds(),
    dtype=st.sampled_from(("float32", "int64", "float64", "int32", "uint8", "float16", "bfloat16")),
)
def three_operands_broadcast_together(
    torch: Any, device: str, shapes: Shapes, layout: str, seed: int, dtype: str
) -> None:
    """Operations of three tensors stretch all three to one shape, also where no two of them
    have it."""
    laid = (layout, "contiguous", "transposed")
    group = [
        Operand(shape, how, "ties", seed + 5 * at)
        for at, (shape, how) in enumerate(zip(shapes, laid, strict=True))
    ]
    for name in supported([dtype]):
        tensors = [each.on(torch, device, name) for each in group]
        arrays = [each.array(name) for each in group]
        for operation, (reference, call) in THREE.items():
            with case(operation=operation):
                got = call(torch, *tensors)
                assert_equal(got, reference(*arrays).astype(arrays[0].dtype), signed_zero=False)
        for view, array in zip(torch.broadcast_tensors(*tensors), arrays, strict=True):
            assert_equal(view, np.broadcast_to(array, np.broadcast_shapes(*shapes)))
