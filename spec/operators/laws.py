"""The laws of operators: written once, held to by every row of the table.

`hold` turns each law into one clause for each operator, `section.operator.law`, so that a
verdict names the operation that is broken and the way in which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import REGIMES, Operand, layouts, place, seeds, values
from tenet.spec.cases.operands import tensor_of
from tenet.spec.cases.values import FINITE
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_that,
    case,
    compiles,
    has,
    staged,
    supported,
)
from tenet.spec.language.clause import register
from tenet.spec.operators import derivatives, slopes, vectors, writing
from tenet.spec.operators.combinations import alone, kinds, of_any_length, with_single
from tenet.spec.operators.derivatives import curvature, gradient
from tenet.spec.operators.operator import (
    Built,
    Call,
    Operator,
    Table,
    applied,
    build,
    find,
    of_operand,
    program_of,
)
from tenet.spec.operators.refusals import Setting
from tenet.spec.operators.refusals import refusals as refused
from tenet.spec.operators.results import check, metadata_of
from tenet.spec.operators.slopes import gradient_by_dtype
from tenet.spec.operators.spellings import spellings
from tenet.spec.operators.vectors import (
    gradient_lengths,
    lengths,
    line_lengths,
    of_elements,
    of_lines,
    shown,
    shown_of_lines,
)
from tenet.spec.operators.ways import Way, apart, together
from tenet.spec.operators.writing import (
    Use,
    in_place,
    out,
    shown_by_out,
    shown_in_place,
    takes_out,
    writes_itself,
)

Law = Callable[..., None]

MODULES = (__name__, *(each.__name__ for each in (writing, derivatives, slopes, vectors)))
"""Where the laws are written."""
_ALIKE, _LYING = st.sampled_from(vectors.ALIKE), st.sampled_from(tuple(vectors.LYING))
AT_ONCE = 3
"""How many dtypes one example serves: more of them would leave fewer shapes and layouts."""


def hold(
    operators: Table,
    *,
    covers: tuple[str, ...],
    effort: float = 0.15,
) -> None:
    """Register the laws for every operator of a table.

    covers: the statements that the laws answer to. effort: of the value law; the others, which
    vary less, take half of it.
    """
    for operator in operators.values():
        stated = (*covers, *operator.covers)
        add = partial(_add, operator, stated)
        turns = st.sampled_from(range(max(1, len(operator.dtypes) // AT_ONCE)))
        add("value", value, {"call": operator.calls, "turn": turns}, effort=effort, staged=True)
        add("everywhere", everywhere, {"call": operator.calls, "single": alone()}, effort=2,
            thorough=True, shows=partial(kinds, operator))  # fmt: skip
        if of_elements(operator):
            add("lengths", lengths, {"call": operator.calls, "lying": _LYING}, effort=1,
                thorough=True, shows=shown)  # fmt: skip
        elif of_lines(operator):
            add("lengths", line_lengths, {"call": operator.calls}, effort=0.5, thorough=True,
                shows=shown_of_lines)  # fmt: skip
        said_otherwise = operator.method or operator.aliases or operator.out
        if said_otherwise or not (operator.view or operator.grows):
            add("forms", forms, {"call": operator.calls, "layout": layouts(writable=True)},
                effort=effort / 2, staged=True)  # fmt: skip
        if operator.out:
            add("out", out, {"call": operator.calls, "layout": layouts(writable=True),
                "single": alone()}, requires=("out",), effort=1, thorough=True,
                shows=partial(shown_by_out, operator))  # fmt: skip
        if any(writes_itself(operator, dtype) for dtype in operator.dtypes):
            add("in-place", in_place, {"call": operator.calls, "layout": layouts(writable=True),
                "single": alone()}, requires=("in-place",), effort=1, thorough=True,
                shows=partial(shown_in_place, operator))  # fmt: skip
        if operator.view:
            add("aliasing", aliasing, {"call": operator.calls, "layout": layouts(writable=True)},
                effort=effort / 2, requires=("views", "in-place"), staged=True)  # fmt: skip
        add("metadata", metadata, {"call": operator.calls}, effort=effort / 4,
            metadata_only=True, thorough=True)  # fmt: skip
        if not operator.any_input:
            add("refusals", refusals, {"call": operator.calls}, effort=effort / 5, staged=True)
        if operator.smooth is not None:
            add("gradient", gradient, {"call": operator.calls, "seed": seeds()},
                effort=effort / 2, requires=("autograd", "float64"), staged=True)  # fmt: skip
            add("gradient-by-dtype", gradient_by_dtype,
                {"call": operator.calls, "single": alone(), "seed": seeds()}, effort=1,
                requires=("autograd",), thorough=True,
                shows=partial(slopes.shown, operator))  # fmt: skip
        if operator.smooth is not None and of_elements(operator):
            add("gradient-lengths", gradient_lengths,
                {"call": operator.calls, "lying": _ALIKE, "seed": seeds()}, effort=1,
                requires=("autograd",), thorough=True, shows=shown)  # fmt: skip
        if operator.smooth is not None and not operator.once:
            add("curvature", curvature, {"call": operator.calls, "seed": seeds()},
                effort=max(effort / 4, 0.035), staged=True,
                thorough=True, requires=("autograd", "double-backward", "float64"))  # fmt: skip


def _add(
    operator: Operator,
    covers: tuple[str, ...],
    slug: str,
    law: Law,
    drawn: dict[str, st.SearchStrategy[Any]],
    **settings: Any,
) -> None:
    says = f"{operator.name}: {' '.join((law.__doc__ or '').split())}"
    name = operator.name.replace(".", "-")
    register(
        f"{operator.section}.{name}.{slug}",
        partial(law, operator=operator),
        says=says,
        covers=covers,
        drawn=drawn,
        **settings,
    )


def value(torch: Any, device: str, operator: Operator, call: Call, turn: int) -> None:
    """The result is the reference's, within the derived bound, for every dtype, layout, length
    and value; it has the documented dtype and shape, and the operands keep theirs."""
    for dtype in supported(_served(operator, call, turn)):
        free = _free(operator, call)
        program = program_of(torch, operator, call, any_length=free)
        for use in _uses(call, free):
            built = build(operator, use, torch, device, dtype)
            with case(dtype=dtype):
                result = program(*built.tensors)
                check(operator, use, dtype, built.expected, built.arrays, result)
                for tensor, array in zip(built.tensors, built.arrays, strict=True):
                    assert_equal(tensor, array)


def everywhere(torch: Any, device: str, operator: Operator, call: Call, single: int | None) -> None:
    """The result is the reference's in every dtype together with every layout, every rank and
    every kind of size: none, one, few, many elements, and a row that leaves a vector's tail."""
    call = with_single(operator, call, single)
    program = applied(operator, find(torch, operator.name), call)
    for dtype in supported(operator.dtypes):
        built = build(operator, call, torch, device, dtype)
        with case(dtype=dtype):
            result = program(*built.tensors)
            check(operator, call, dtype, built.expected, built.arrays, result)


def _served(operator: Operator, call: Call, turn: int) -> tuple[str, ...]:
    """The dtypes of one example: every so-manieth from `turn` on; where each has to be compiled
    for, one of them all."""
    if compiles():
        return (operator.dtypes[(turn + call.operands[0].seed) % len(operator.dtypes)],)
    return operator.dtypes[turn :: max(1, len(operator.dtypes) // AT_ONCE)]


USES = 6
"""How many calls are made of what has been compiled once."""

_OF_ANY_REGIME = frozenset({"small", "ties", "constant", "wide", "extreme"})
"""Regimes that are drawn only where all finite ones are."""


def _free(operator: Operator, call: Call) -> bool:
    """Whether one compilation is to serve any length: of every other call that allows it, for
    lengths that are symbols make other code than those that are known."""
    return of_any_length(operator, call) and call.operands[0].seed % 2 == 0


def _uses(call: Call, free: bool) -> Iterator[Call]:
    """The call; and where it is compiled, more that the same compilation serves: of other elements
    and, where it is free to, other lengths."""
    yield call
    if compiles():
        for number in range(1, USES):
            times = 1 + number % 3 if free else 1
            operands = (_another(each, number, times) for each in call.operands)
            yield replace(call, operands=tuple(operands))


def _another(operand: Any, number: int, times: int) -> Any:
    """The operand with other elements, and so many times as long wherever it is longer than 1: as
    every other operand, so that they still go together."""
    if not isinstance(operand, Operand):
        return operand
    regime = operand.regime
    if regime == "special":
        regime = REGIMES[-number]
    elif regime in _OF_ANY_REGIME:
        regime = FINITE[-number]
    shape = tuple(length * times if length > 1 else length for length in operand.shape)
    return replace(operand, shape=shape, regime=regime, seed=operand.seed + 101 * number)


def forms(torch: Any, device: str, operator: Operator, call: Call, layout: str) -> None:
    """Every documented spelling gives the same: aliases, the method, the Python operator, the
    in-place method (which returns its operand) and out= (which returns the destination); the
    latter two write nothing outside the view they are given, and a result shares no memory
    with an operand. It makes no difference to it whether backward is prepared for, nor whether
    two equal operands are one tensor."""
    turn = 0 if compiles() else call.operands[0].seed % len(operator.dtypes)
    turned = supported((*operator.dtypes[turn:], *operator.dtypes[:turn]))
    for dtype in islice(turned, 1 if compiles() else AT_ONCE):
        _forms(Use(torch, device, operator, call, dtype), layout)


def _forms(use: Use, layout: str) -> None:
    """The same for one dtype."""
    torch, operator, call, tensors = use.torch, use.operator, use.call, use.built.tensors
    said = [
        Way({"spelling": spelling}, program, use.check)
        for spelling, program in spellings(torch, operator, call)
    ]
    into_out = [*use.into_out(layout)] if has("out") and takes_out(operator, call) else []
    into_itself = [use.into_itself(layout)] if has("in-place") and use.fits_itself() else []
    if compiles():
        # Dynamo leaves an out= with gaps to eager mode, and ends the graph there.
        gaps = [way for way in into_out if not all(each.is_contiguous() for each in way.targets)]
        whole = [way for way in into_out if way not in gaps]
        together([*said, *whole, *into_itself], tensors)
        apart(gaps, tensors)
    else:
        apart([*said, *into_out, *into_itself], tensors)
        if operator.smooth is not None and has("autograd"):
            _recorded_or_not(use)
        if operator.broadcasts and len(call.operands) == 2:
            _with_itself(use)
    _check_fresh(operator, call, torch, use.built)


def _recorded_or_not(use: Use) -> None:
    """Operands that require gradients give the same, also under no_grad."""
    torch, operator, call = use.torch, use.operator, use.call
    tensors = [
        tensor.detach().requires_grad_(tensor.is_floating_point() or tensor.is_complex())
        for tensor in use.built.tensors
    ]
    for spelling, said in (
        (operator.name, applied(operator, find(torch, operator.name), call)),
        *spellings(torch, operator, call),
    ):
        with case(spelling=spelling, mode="recorded"):
            use.check(said(*tensors))
        with torch.no_grad(), case(spelling=spelling, mode="no_grad"):
            use.check(said(*tensors))


def _with_itself(use: Use) -> None:
    """One tensor as both operands, which are prepared alike, is as good as two."""
    torch, operator, call = use.torch, use.operator, use.call
    first, second = (of_operand(operator.prepare, place) for place in range(2))
    if first is second and isinstance(call.operands[1], Operand):
        # The second is what has the stricter conditions, such as to be a small exponent.
        twice = replace(use, call=replace(call, operands=call.operands[1:] * 2))
        tensor = twice.built.tensors[0]
        with case(spelling="x with x", dtype=use.dtype):
            function = applied(operator, find(torch, operator.name), twice.call)
            twice.check(function(tensor, tensor))


def aliasing(torch: Any, device: str, operator: Operator, call: Call, layout: str) -> None:
    """The result is a view: what is written to it is written to the operand, and to no other
    element of the operand's memory; what is written to the operand shows in the result."""
    for dtype in supported(_served(operator, call, 0)):
        operand = replace(call.operands[0], layout="contiguous")
        source = operand.array(dtype)
        target = place(torch, device, source, layout)
        with case(dtype=dtype, layout=layout, written="the result"):
            result = program_of(torch, operator, call)(target.view)
            shown = operator.reference(source, **call.keywords)
            new = values(shown.shape, operator.result(dtype), "signed", operand.seed + 3)
            result.copy_(tensor_of(torch, device, new))
            shown[...] = new
            assert_equal(target.view, source)
            assert_equal(target.base, target.after(source))
        with case(dtype=dtype, layout=layout, written="the operand"):
            source[...] = values(source.shape, dtype, "signed", operand.seed + 9)
            target.view.copy_(tensor_of(torch, device, source))
            assert_equal(result, np.array(operator.reference(source, **call.keywords)))


def _check_fresh(operator: Operator, call: Call, torch: Any, built: Built) -> None:
    """Writing to a result leaves the operands as they were."""
    if operator.view:
        return  # held to the contrary
    with case(spelling="fresh result"):
        result = operator.apply(find(torch, operator.name), built.tensors, call.keywords)
        for part in result if isinstance(built.expected, tuple) else (result,):
            if part.numel():
                part.zero_()
        for tensor, array in zip(built.tensors, built.arrays, strict=True):
            assert_equal(tensor, array)


def metadata(torch: Any, device: str, operator: Operator, call: Call) -> None:
    """The shape and the dtype of the result follow from the operands' alone."""
    for dtype in supported(operator.dtypes):
        built = build(operator, call, torch, device, dtype)
        with case(dtype=dtype):
            result = operator.apply(find(torch, operator.name), built.tensors, call.keywords)
            parts = result if isinstance(built.expected, tuple) else (result,)
            wanted = metadata_of(operator, dtype, built.expected)
            for part, (shape, into) in zip(parts, wanted, strict=True):
                assert_metadata(part, shape=shape, dtype=into)


def refusals(torch: Any, device: str, operator: Operator, call: Call) -> None:
    """Bad input raises, and its good neighbour does not: a dimension out of range, operands that
    do not fit each other, an in-place operation or an out= whose result has another shape or a
    higher category, a dtype that is not taken, an in-place operation on overlapping memory."""
    dtype = next(supported(operator.dtypes), None)
    if dtype is None:
        return
    built = build(operator, call, torch, device, dtype)
    good = operator.apply(find(torch, operator.name), built.tensors, call.keywords)
    if not isinstance(built.expected, tuple):
        assert_metadata(good, shape=np.shape(built.expected), dtype=operator.result(dtype))
    else:
        assert_that(len(good) == len(built.expected), f"{len(good)} results")
    for refusal in refused(Setting(torch, device, operator, call, dtype)):
        with case(input=refusal.what):
            assert_raises(staged(refusal.bad))
            refusal.good()
