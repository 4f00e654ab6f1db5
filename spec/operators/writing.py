"""The laws of writing: `out=`, and the method that ends in an underscore, put the result into a
tensor that is there already, however that lies.

Kernels that write have loops of their own: for targets with gaps or in another order, for those
of few elements, for every dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from tenet.spec.cases import Place, place, values
from tenet.spec.cases.kinds import lying, showing
from tenet.spec.cases.shapes import Shape
from tenet.spec.language import assert_equal, assert_same_object, has, read, supported
from tenet.spec.operators.combinations import is_wild, point_wise, with_single
from tenet.spec.operators.operator import (
    Array,
    Built,
    Call,
    Operator,
    arrays_of,
    build,
    expected_of,
    find,
)
from tenet.spec.operators.results import check, metadata_of
from tenet.spec.operators.spellings import short
from tenet.spec.operators.ways import Way, apart

_ONE_OR_TWO = ((True, True), (True, False), (False, True))
"""Which of two targets lies in the layout that is asked for."""


@dataclass(frozen=True)
class Use:
    """A call made concrete in one dtype, whose result is to be written."""

    torch: Any
    device: str
    operator: Operator
    call: Call
    dtype: str

    @cached_property
    def built(self) -> Built:
        """The operands, and the result."""
        return build(self.operator, self.call, self.torch, self.device, self.dtype)

    def check(self, result: Any) -> None:
        """The result is the reference's."""
        built = self.built
        check(self.operator, self.call, self.dtype, built.expected, built.arrays, result)

    def fits_itself(self) -> bool:
        """Whether the first operand can hold the result."""
        return writes_itself(self.operator, self.dtype) and [*self._parts()] == [
            (self.built.arrays[0].shape, self.dtype)
        ]

    def into_out(self, layout: str) -> Iterator[Way]:
        """out= is returned, holds the result, and nothing around it was touched."""
        function, keywords = find(self.torch, self.operator.name), self.call.keywords
        parts, several = self._parts(), isinstance(self.built.expected, tuple)

        def program(*tensors: Any) -> Any:
            into = tensors[: len(parts)] if several else tensors[0]
            operands = tensors[len(parts) :]
            return self.operator.apply(partial(function, out=into), operands, keywords)

        layout = self.operator.out_layout or layout
        # Two targets lie alike, or one of them in order: each has strides of its own.
        for first, second in _ONE_OR_TWO if several and layout != "contiguous" else ((True, True),):
            # What is there before must not count: that includes nan, which 0 times it still is.
            lie = [layout if first else "contiguous", layout if second else "contiguous"]
            targets = [
                self._target(values(shape, dtype, "special"), lie[number % 2])
                for number, (shape, dtype) in enumerate(parts)
            ]
            labels = {"spelling": "out=", "dtype": self.dtype, "layout": lie[0], "second": lie[1]}
            yield self._writing(labels, program, targets)

    def into_itself(self, layout: str) -> Way:
        """The method that ends in an underscore returns its tensor, which holds the result, and
        nothing around it was touched."""
        name, keywords = f"{short(self.operator)}_", self.call.keywords

        def program(into: Any, _: Any, *others: Any) -> Any:
            return self.operator.method_of(name, (into, *others), keywords)

        labels = {"spelling": f"Tensor.{name}", "dtype": self.dtype, "layout": layout}
        return self._writing(labels, program, [self._target(self.built.arrays[0], layout)])

    def _parts(self) -> list[tuple[Shape, str]]:
        return metadata_of(self.operator, self.dtype, self.built.expected)

    def _target(self, array: Array, layout: str) -> Place:
        # Without views there is no other layout, and nothing around a target to be touched.
        return place(self.torch, self.device, array, layout if has("views") else "contiguous")

    def _writing(
        self, labels: Mapping[str, object], program: Callable[..., Any], targets: list[Place]
    ) -> Way:
        views = tuple(target.view for target in targets)

        def check_written(result: Any) -> None:
            several = isinstance(self.built.expected, tuple)
            for part, view in zip(result if several else [result], views, strict=True):
                assert_same_object(part, view)
            self.check(views if several else views[0])
            for target in targets:
                assert_equal(target.base, target.after(read(target.view)))

        return Way(labels, program, check_written, views)


def takes_out(operator: Operator, call: Call) -> bool:
    """Whether the call can have out=."""
    return operator.out and set(operator.out_needs) <= call.keywords.keys()


def writes_itself(operator: Operator, dtype: str) -> bool:
    """Whether there is a method that ends in an underscore, whose result stays in the dtype."""
    return operator.in_place and operator.result(dtype) == dtype


def out(
    torch: Any, device: str, operator: Operator, call: Call, layout: str, single: int | None
) -> None:
    """out= is returned and holds the result, whatever was there before, and nothing beside it is
    written: in every dtype, in every layout, at every rank, and of every kind of size."""
    call = with_single(operator, call, single)
    if takes_out(operator, call):
        for dtype in supported(operator.dtypes):
            use = Use(torch, device, operator, call, dtype)
            apart(use.into_out(layout), use.built.tensors)


def in_place(
    torch: Any, device: str, operator: Operator, call: Call, layout: str, single: int | None
) -> None:
    """The method that ends in an underscore gives its tensor the result and returns it, and nothing
    beside it is written: in every dtype, in every layout, at every rank, and of every kind of size.
    """
    call = with_single(operator, call, single)
    for dtype in supported(operator.dtypes):
        use = Use(torch, device, operator, call, dtype)
        if use.fits_itself():
            apart([use.into_itself(layout)], use.built.tensors)


def shown_by_out(
    operator: Operator, call: Call, layout: str, single: int | None
) -> frozenset[Hashable]:
    """What is special about the target, and about the operands."""
    call = with_single(operator, call, single)
    return _shown(operator, call, layout, 0) if takes_out(operator, call) else frozenset()


def shown_in_place(
    operator: Operator, call: Call, layout: str, single: int | None
) -> frozenset[Hashable]:
    """What is special about the target, where it holds the result, and about other operands."""
    call = with_single(operator, call, single)
    fits = _shape(operator, call) == call.operands[0].shape
    return _shown(operator, call, layout, 1) if fits else frozenset()


def _shown(operator: Operator, call: Call, layout: str, first: int) -> frozenset[Hashable]:
    if is_wild(call):
        return frozenset({"wild"})
    found = showing("target", _shape(operator, call), operator.out_layout or layout)
    for number, operand in enumerate(call.operands[first:], first):
        found |= {(number, lying(operand.shape, getattr(operand, "layout", "contiguous")))}
    return found


def _shape(operator: Operator, call: Call) -> Shape:
    """The shape of the result, or of its first part."""
    if point_wise(operator, call):
        return np.broadcast_shapes(*(operand.shape for operand in call.operands))
    dtype = operator.dtypes[0]
    expected = expected_of(operator, call, arrays_of(operator, call, dtype), dtype)
    return metadata_of(operator, dtype, expected)[0][0]
