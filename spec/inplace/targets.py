"""`out=`: results that are written to a tensor that is there."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    WRITABLE,
    place,
)
from tenet.spec.cases.underscores import (
    BINARY,
    BY_POSITIVE,
    FUNCTIONS,
    WITH_OUT,
)
from tenet.spec.inplace.common import (
    OUT,
    Pair,
    assert_changes,
    on_device,
    pairs,
    shows_kind,
    tame,
    target_of,
)
from tenet.spec.language import (
    assert_equal,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import (
    numpy_dtype,
)


def _into(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda out, *operands: function(*operands, out=out)


@clause("inplace.out", covers=[OUT], requires={"out"}, effort=10, shows=shows_kind)
@for_all(operands=pairs, how=st.sampled_from(WITH_OUT), layout=st.sampled_from(WRITABLE))
def out_receives_the_result(
    torch: Any, device: str, operands: Pair, how: tuple[str, str], layout: str
) -> None:
    """torch.add(x, y, out=z) and its kin write the result into z, in the memory and with the
    strides that z has, and nowhere else, and return z. An empty z takes the result's shape; z
    may be x or y itself. The operands stay as they are otherwise."""
    name, dtype = how
    operation = {**BINARY, **BY_POSITIVE}[name]
    for kind in supported([dtype]):
        first, second = tame(operands, kind, name)
        function = getattr(torch, operation.function or "")
        source = target_of(torch, device, first, kind)
        x, y = source.view, second.on(torch, device, kind)
        right = second.array(kind)
        expected = np.asarray(operation.reference(source.array, right))
        z = place(torch, device, np.ones_like(source.array), layout)
        assert_changes(z, _into(function), expected, x, y)
        empty = torch.empty(0, dtype=x.dtype, device=device)
        assert_same_object(function(x, y, out=empty), empty)
        assert_equal(empty, expected.astype(source.array.dtype))
        assert_equal(source.base, source.arrangement.base)
        assert_equal(y, right)
        with case(out="the first operand"):
            assert_changes(source, _into(function), expected, source.view, y)
        if first.shape == second.shape and second.layout != "expanded":
            with case(out="the second operand"):
                z = place(torch, device, right, second.layout)
                x = target_of(torch, device, first, kind).view
                assert_changes(z, _into(function), expected, x, z.view)


@clause("inplace.out-of-functions", thorough=True, covers=[OUT], requires={"out"})
def every_kind_of_function_writes_into_out(torch: Any, device: str) -> None:
    """Functions of one operand, reductions, products, joins, selections and factories take out=
    as torch.add does; those with two results take a pair."""
    for (spelling, arguments, keywords, answer), name in product(
        FUNCTIONS, supported(("float32", "float64"))
    ):
        call = operator.attrgetter(spelling)(torch)
        answers = answer if isinstance(answer, tuple) else (answer,)
        dtypes = [a.dtype.name if a.dtype.kind in "bi" else name for a in answers]
        expected = [
            np.asarray(a).astype(numpy_dtype(d)) for a, d in zip(answers, dtypes, strict=True)
        ]
        given = on_device(torch, device, arguments, name)
        named = {k: on_device(torch, device, v, name) for k, v in keywords.items()}
        for layout in ("contiguous", "transposed", "stepped", "gapped", "resized"):
            with case(spelling=spelling, dtype=name, layout=layout):
                if layout == "resized":
                    places = []
                    views = [torch.empty(0, dtype=getattr(torch, d), device=device) for d in dtypes]
                else:
                    places = [place(torch, device, np.full_like(e, 1), layout) for e in expected]
                    views = [p.view for p in places]
                paired = len(answers) > 1
                result = call(*given, **named, out=tuple(views) if paired else views[0])
                for got, view in zip(result if paired else (result,), views, strict=True):
                    assert_same_object(got, view) if not paired else assert_that(
                        got.data_ptr() == view.data_ptr(), "the result is not what out= gave"
                    )
                for view, wanted in zip(views, expected, strict=True):
                    assert_equal(view, wanted, signed_zero=False)
                for p, wanted in zip(places, expected, strict=False):
                    assert_equal(p.base, p.after(wanted), signed_zero=False)
