"""Bad input: how a good call of an operator is made bad, in each of the documented ways.

A way takes a row, a call, the operands (as tensors and arrays) and yields calls that have to
raise, by name, each beside a good one of the same spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenet.spec.cases import Operand, broadcastable, tensor_of, values
from tenet.spec.language import has
from tenet.spec.model.dtypes import Category, category
from tenet.spec.operators.operator import Built, Call, Operator, build, find

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """A call that has to raise, and its neighbour that has to succeed."""

    what: str
    bad: Callable[[], Any]
    good: Callable[[], Any]


@dataclass(frozen=True)
class Setting:
    """Where the refusals are asked for. dtype: the first that the operator takes."""

    torch: Any
    device: str
    operator: Operator
    call: Call
    dtype: str

    def built(self, call: Call | None = None, dtype: str = "") -> Built:
        """The operands of the call, or of another."""
        return build(self.operator, call or self.call, self.torch, self.device, dtype or self.dtype)

    def applied(self, operands: Any, keywords: dict[str, Any], **more: Any) -> Callable[[], Any]:
        """The function, called with these."""
        function = find(self.torch, self.operator.name)
        return lambda: self.operator.apply(
            lambda *args, **named: function(*args, **named, **more), operands, keywords
        )

    def in_place(self, operands: Any, keywords: dict[str, Any]) -> Callable[[], Any]:
        """The in-place method of the first operand."""
        name = f"{self.operator.name.rpartition('.')[2]}_"
        return lambda: self.operator.method_of(name, operands, keywords)

    def empty(self, shape: Shape, dtype: str) -> Any:
        """A destination."""
        return self.torch.zeros(shape, dtype=getattr(self.torch, dtype), device=self.device)


Way = Callable[[Setting], Iterator[Refusal]]

_DIMS = ("dim", "dim0", "dim1", "dim2", "axis0", "axis1", "source", "destination")


def _out_of_range(setting: Setting) -> Iterator[Refusal]:
    """A dimension that the operand does not have, counted from either end."""
    keywords = setting.call.keywords
    named = {name: keywords[name] for name in _DIMS if name in keywords}
    if isinstance(keywords.get("dims"), tuple) and setting.operator.name != "tile":
        named["dims"] = keywords["dims"]
    tensors = setting.built().tensors
    if not tensors[0].numel():  # cummin, of 2.13, does not look at the dimension then
        return
    rank = max(tensors[0].ndim + setting.operator.new_dims, 1)
    good = setting.applied(tensors, keywords)
    for name, dim in named.items():
        for beyond in (rank, -rank - 1):
            other = (*dim[:-1], beyond) if isinstance(dim, tuple) else beyond
            if dim == ():
                continue
            bad = setting.applied(tensors, {**keywords, name: other})
            yield Refusal(f"{name}={other} of {rank} dimensions", bad, good)


def _misfit(setting: Setting) -> Iterator[Refusal]:
    """Operands that do not broadcast; or, where they are not broadcast, of other lengths."""
    operator, call = setting.operator, setting.call
    built = setting.built()
    good = setting.applied(built.tensors, call.keywords)
    for number, shape in _misfits(operator, call):
        other = _reshaped(call, number, shape)
        # Only the shape is wrong: the elements are those of the simplest operand.
        odd = tensor_of(setting.torch, setting.device, other.operands[number].array(setting.dtype))
        tensors = (*built.tensors[:number], odd, *built.tensors[number + 1 :])
        bad = setting.applied(tensors, call.keywords)
        yield Refusal(f"operand {number} of shape {shape}", bad, good)


def _misfits(operator: Operator, call: Call) -> Iterator[tuple[int, Shape]]:
    shapes = [operand.shape for operand in call.operands]
    if operator.fits is not None:
        number, axis = operator.fits
        shape = list(shapes[number])
        shape[axis] += 1
        yield number, tuple(shape)
        return
    if not operator.broadcasts:
        return
    last = len(shapes) - 1
    for other in shapes[:last]:
        longer = (other[-1] + 2,) if other and other[-1] != 1 else None
        if longer and broadcastable(*shapes[:last], longer) is None:
            yield last, longer
            return


def _all_alike(call: Call) -> bool:
    """All operands have one dtype, and they are several."""
    return len(call.operands) > 1 and all(isinstance(part, Operand) for part in call.operands)


def _plain(call: Call) -> Call:
    """The first operand contiguous, so that it can be written to."""
    return Call((replace(call.operands[0], layout="contiguous"), *call.operands[1:]),
                call.arguments)  # fmt: skip


def _of_three(operator: Operator, call: Call) -> Call:
    """Where operands of any shape are taken, some of three elements: none or one would not do."""
    if operator.section != "elementwise" or (len(call.operands) > 1 and not operator.broadcasts):
        return call
    return Call(tuple(replace(part, shape=(3,)) for part in call.operands), call.arguments)


def _reshaped(call: Call, number: int, shape: Shape) -> Call:
    operands = list(call.operands)
    operand = operands[number]
    if isinstance(operand, Operand):
        operand = Operand(shape)
    operands[number] = replace(operand, shape=shape)
    return Call(tuple(operands), call.arguments)


def _growing(setting: Setting) -> Iterator[Refusal]:
    """An in-place operation whose result has not the shape of the operand."""
    operator, call = setting.operator, setting.call
    shapes = [operand.shape for operand in call.operands]
    if not (operator.in_place and operator.broadcasts and len(shapes) > 1):
        return
    if not has("in-place"):
        return
    if operator.result(setting.dtype) != setting.dtype:
        return
    whole = broadcastable(*shapes)
    assert whole is not None
    built = setting.built(_reshaped(call, 0, whole))
    large = setting.built(_reshaped(_reshaped(call, 0, whole), len(shapes) - 1, (2, *whole)))
    yield Refusal(
        f"in place, {whole} with {(2, *whole)}",
        setting.in_place((built.tensors[0], *large.tensors[1:]), call.keywords),
        setting.in_place(built.tensors, call.keywords),
    )


def _category_in_place(setting: Setting) -> Iterator[Refusal]:
    """An in-place operation whose result has a higher category than the operand."""
    operator, call = setting.operator, setting.call
    if not operator.in_place or not {"float32", "int64"} <= set(operator.dtypes):
        return
    if not has("in-place", "float32", "int64"):
        return
    call = _plain(call)
    good = setting.built(call, dtype="float32")
    if good.arrays[0].shape != getattr(good.expected, "shape", ()):
        return
    integers = setting.built(call, dtype="int64").tensors
    if operator.result("int64") == "float32":
        bad = setting.in_place(integers, call.keywords)
    elif operator.result("int64") == "int64" and _all_alike(call) and operator.broadcasts:
        bad = setting.in_place((integers[0], *good.tensors[1:]), call.keywords)
    else:
        return
    yield Refusal("in place, an int64 operand for a float32 result", bad,
                  setting.in_place(good.tensors, call.keywords))  # fmt: skip


_LOWER = {Category.INTEGER: "bool", Category.FLOAT: "int64", Category.COMPLEX: "float32"}


def _category_out(setting: Setting) -> Iterator[Refusal]:
    """An out= of a lower category than the result's."""
    operator, call = setting.operator, setting.call
    keywords = call.keywords
    into = operator.result(setting.dtype)
    if not operator.out or category(into) is Category.BOOL or not has("out"):
        return
    if not set(operator.out_needs) <= keywords.keys():
        return
    built = setting.built(_of_three(operator, call))
    if isinstance(built.expected, tuple) or any(not array.size for array in built.arrays):
        return
    shape = built.expected.shape
    lower = _LOWER[category(into)]
    yield Refusal(
        f"out= of {lower} for a result of {into}",
        setting.applied(built.tensors, keywords, out=setting.empty(shape, lower)),
        setting.applied(built.tensors, keywords, out=setting.empty(shape, into)),
    )


def _refused_dtype(setting: Setting) -> Iterator[Refusal]:
    """A dtype that is documented not to be taken."""
    operator, call = setting.operator, setting.call
    built = setting.built()
    good = setting.applied(built.tensors, call.keywords)
    for dtype in operator.refuses:
        tensors = tuple(
            tensor_of(setting.torch, setting.device, values(operand.shape, dtype))
            if isinstance(operand, Operand)
            else tensor
            for operand, tensor in zip(call.operands, built.tensors, strict=True)
        )
        yield Refusal(f"an operand of {dtype}", setting.applied(tensors, call.keywords), good)


def _overlap(setting: Setting) -> Iterator[Refusal]:
    """Writing in place to a tensor whose elements overlap in memory."""
    operator, call = setting.operator, setting.call
    if not operator.in_place or operator.result(setting.dtype) != setting.dtype:
        return
    built = setting.built(_plain(_of_three(operator, call)))
    shape = built.arrays[0].shape
    if not has("in-place", "overlap-check") or any(not array.size for array in built.arrays):
        return
    if shape != np.shape(built.expected) or built.arrays[0].size < 2:
        return
    first, *rest = built.tensors
    overlapping = first.reshape(-1)[:1].clone().expand(first.numel()).reshape(shape)
    yield Refusal(
        "in place, an expanded operand",
        setting.in_place((overlapping, *rest), call.keywords),
        setting.in_place((first, *rest), call.keywords),
    )


WAYS: dict[str, Way] = {
    "dimension": _out_of_range,
    "shape": _misfit,
    "growth": _growing,
    "in-place category": _category_in_place,
    "out= category": _category_out,
    "dtype": _refused_dtype,
    "overlap": _overlap,
}


def refusals(setting: Setting) -> Iterator[Refusal]:
    """The bad calls that are documented for a row, but for those that it is known to accept."""
    for name, way in WAYS.items():
        if name not in setting.operator.accepts:
            yield from way(setting)
