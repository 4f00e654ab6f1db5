"""How a call is written out, made in every way, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from tenet.spec.cases.layouts import arrange
from tenet.spec.cases.operands import tensor_of
from tenet.spec.language import assert_close, assert_equal, assert_that, case, dtype_name
from tenet.spec.model.dtypes import numpy_dtype
from tenet.spec.model.tolerance import ulps

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Written:
    """A call, and what it gives: an array, or a tuple of them.

    name: the function below the namespace; arguments, keywords: with arrays in the place of
    tensors; method: also a method of its first argument; near: how many units in the last place
    the result may be off, where it is not exact; laid: also with tensors in another layout.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    expected: Any
    method: bool = True
    near: float = 0.0
    laid: bool = True

    def spoken(self) -> str:
        """The call as one would write it."""
        parts = [_spoken(argument) for argument in self.arguments]
        parts += [f"{key}={_spoken(argument)}" for key, argument in self.keywords.items()]
        return f"{self.name}({', '.join(parts)})"

    def of(self, dtype: str) -> Written:
        """The same call of elements of a dtype, where elements are moved and not computed: of the
        first argument, or of all tensors that are joined."""
        first, *rest = self.arguments
        if not isinstance(first, np.ndarray | list | tuple):
            return self  # made of lengths alone
        if not self.method:
            rest = [_cast(argument, dtype) for argument in rest]
        arguments = (_cast(first, dtype), *rest)
        return replace(self, arguments=arguments, expected=_cast(self.expected, dtype))

    def with_elements(self, dtype: str) -> Written:
        """The same call where elements of float32, small whole numbers, are of a dtype; the call
        itself where some are not."""
        arrays = [a for a in (*self.arguments, *_parts(self.expected)) if _is_float(a)]
        if not all(np.isfinite(a).all() and (a == np.trunc(a)).all() for a in arrays):
            return self
        arguments = (_cast(a, dtype) if _is_float(a) else a for a in self.arguments)
        results = tuple(_cast(a, dtype) if _is_float(a) else a for a in _parts(self.expected))
        expected = results if isinstance(self.expected, tuple) else results[0]
        return replace(self, arguments=(*arguments,), expected=expected)

    def calls(
        self, torch: Any, device: str, layout: str
    ) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Every way to make the call, by name; once with tensors in the layout."""
        function = attrgetter(self.name)(torch)
        for laid in ("contiguous", layout) if self.laid else ("contiguous",):
            given = partial(_given, torch, device, layout=laid)
            call = partial(function, *map(given, self.arguments),
                           **{key: given(it) for key, it in self.keywords.items()})  # fmt: skip
            yield f"function, {laid}", call
            if self.method and laid == "contiguous":
                first, *rest = call.args
                yield "method", partial(getattr(first, self.name), *rest, **call.keywords)


def _cast(argument: Any, dtype: str) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.astype(numpy_dtype(dtype))
    if isinstance(argument, list | tuple):
        return type(argument)(_cast(part, dtype) for part in argument)
    return argument


def _is_float(argument: Any) -> bool:
    return isinstance(argument, np.ndarray) and argument.dtype == np.float32


def _parts(expected: Any) -> tuple[Any, ...]:
    return expected if isinstance(expected, tuple) else (expected,)


def _spoken(argument: Any) -> str:
    return repr(argument.tolist()) if isinstance(argument, np.ndarray) else repr(argument)


def _given(torch: Any, device: str, argument: Any, layout: str) -> Any:
    if isinstance(argument, np.ndarray):
        arrangement = arrange(argument, layout)
        return arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
    if isinstance(argument, list | tuple) and any(isinstance(x, np.ndarray) for x in argument):
        return type(argument)(_given(torch, device, part, layout) for part in argument)
    return argument


_LAID = ("transposed", "stepped", "offset", "gapped", "rows-stepped")
"""In turn, how the tensors of a call lie in memory: the elements, and so the results, are the
same."""


def gives_what_is_written(torch: Any, device: str, rows: Iterable[Written], turn: int = 0) -> None:
    """Make every call, every way, and compare what it gives. turn: the first row's, of layouts."""
    for place, row in enumerate(rows, turn):
        parts = _parts(row.expected)
        for spelling, call in row.calls(torch, device, _LAID[place % len(_LAID)]):
            with case(call=row.spoken(), spelling=spelling):
                result = call()
                results = result if isinstance(row.expected, tuple) else (result,)
                assert_that(len(results) == len(parts), f"{len(results)} results")
                for got, wanted in zip(results, map(np.asarray, parts), strict=True):
                    if row.near:
                        reason = "so many roundings of a short composition"
                        assert_close(got, wanted, ulps(row.near, dtype_name(got.dtype), reason))
                    else:
                        assert_equal(got, wanted)


def call(name: str, *arguments: Any, gives: Any, **keywords: Any) -> Written:
    """A function that is a method too, and what it gives; near=, laid=: see `Written`."""
    method, near = keywords.pop("method", True), keywords.pop("near", 0.0)
    laid = keywords.pop("laid", True)
    return Written(name, arguments, keywords, gives, method, near, laid)


def function(name: str, *arguments: Any, gives: Any, **keywords: Any) -> Written:
    """A function that is no method."""
    return call(name, *arguments, gives=gives, method=False, **keywords)


def f32(*numbers: Any) -> Array:
    """The numbers, or rows, as float32."""
    return np.array(numbers, np.float32)


def i64(*numbers: Any) -> Array:
    """The numbers, or rows, as int64."""
    return np.array(numbers, np.int64)


def counted(*shape: int) -> Array:
    """0, 1, 2, ... in a shape, as int64."""
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


def counted_floats(*shape: int) -> Array:
    """The same as float32."""
    return counted(*shape).astype(np.float32)
