"""torch.compile: whatever is compiled gives what it gave before.

The compilers are those that come with PyTorch and generate no code of their own (`eager`,
`aot_eager`), so what is judged is the capture: guards, aliasing, mutation, gradients. The
expected values are NumPy's; elements are small integers, so a compiled program is exact too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import tensor_of
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    supported,
)
from tenet.spec.model.dtypes import numpy_dtype

Act = Callable[..., Any]
Array = np.ndarray

COMPILERS = ("eager", "aot_eager")
COVERS = ["notes.compile-equals-eager"]
NEEDS = {"compile"}
GRADIENTS = NEEDS | {"autograd"}
SINGLE = ("float32", "float64")

ARRAY = np.array([[1.0, -2.0, 3.0], [4.0, 0.0, -6.0]])


@contextmanager
def compiling(torch: Any) -> Iterator[Callable[..., Any]]:
    """compile(function, compiler), from a cache that is empty before and after."""
    torch.compiler.reset()
    silent = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # what a clause provokes would be reported as an accident
    try:
        yield lambda function, compiler, **how: torch.compile(function, backend=compiler, **how)
    finally:
        logging.disable(silent)
        torch.compiler.reset()


def tensor(torch: Any, device: str, array: Any, dtype: str = "float32") -> Any:
    """A new tensor with the given elements."""
    return tensor_of(torch, device, np.asarray(array, numpy_dtype(dtype)))


PROGRAMS: dict[str, tuple[Act, Act]] = {
    "arithmetic": (
        lambda torch, a, b: ((a * b + 1 - b / 2).sum(1), (a - b).t()),
        lambda a, b: ((a * b + 1 - b / 2).sum(1), (a - b).T),
    ),
    "selection": (
        lambda torch, a, b: (torch.where(a > b, a, 2 * b)[:, 1:], torch.cat((a[1:], b[:1]))),
        lambda a, b: (np.where(a > b, a, 2 * b)[:, 1:], np.concatenate((a[1:], b[:1]))),
    ),
    "products": (
        lambda torch, a, b: (a @ b.t(), (a[:, None] * b[None]).amax(2)),
        lambda a, b: (a @ b.T, (a[:, None] * b[None]).max(2)),
    ),
    "indexing": (
        lambda torch, a, b: (a[:, [2, 0]], torch.flip(a, (1,)) + b[-1]),
        lambda a, b: (a[:, [2, 0]], a[:, ::-1] + b[-1]),
    ),
}


@clause("compile.values", thorough=True, covers=COVERS, requires=NEEDS)
def a_compiled_function_gives_the_same_result(torch: Any, device: str) -> None:
    """A compiled function returns tensors of the same elements, shapes and dtypes, on every call,
    in a structure of the same kind, for new shapes, dtypes and layouts too."""
    left = np.arange(12.0).reshape(3, 4) - 5
    cases = [(ARRAY, ARRAY[::-1].copy()), (left, left * 2), (left[:1], left[1:2])]
    for compiler in COMPILERS:

        def run(a: Any, b: Any) -> Any:
            results = {name: program(torch, a, b) for name, (program, _) in PROGRAMS.items()}
            return {**results, "rest": [None, 3, ("text", True)]}

        with compiling(torch) as compile_:
            compiled = compile_(run, compiler, dynamic=True)
            single = [*product(cases, SINGLE[:1]), (cases[0], "float64")]
            for (a, b), dtype in single[: 4 if compiler == "eager" else 2]:
                turned = np.ascontiguousarray(a.T)
                for dtype_ in supported([dtype] * 2):
                    x, y = (
                        tensor(torch, device, turned, dtype_).t(),
                        tensor(torch, device, b, dtype_),
                    )
                    with case(compiler=compiler, shape=a.shape, dtype=dtype_):
                        result = compiled(x, y)
                        assert_equal([*result], [*PROGRAMS, "rest"])
                        assert_equal(result["rest"], [None, 3, ("text", True)])
                        for name, (_, reference) in PROGRAMS.items():
                            with case(program=name):
                                assert_that(type(result[name]) is tuple, "the tuple is lost")
                                for got, wanted in zip(result[name], reference(a, b), strict=True):
                                    wanted = np.ascontiguousarray(wanted, dtype_)
                                    assert_equal(got, wanted, signed_zero=False)
                        assert_equal(x, a.astype(dtype_))


@clause("compile.dtypes", thorough=True, covers=COVERS, requires=NEEDS)
def a_compiled_function_promotes_alike(torch: Any, device: str) -> None:
    """Dtypes meet in a compiled function as they do outside, and a call with another dtype gives
    that dtype's result."""
    names = ("float32", "int64", "uint8", "float64", "bool", "bfloat16", "float16")
    for compiler in COMPILERS:
        with compiling(torch) as compile_:
            compiled = compile_(lambda a: (a + 1, a * 2.0, a == 1, a.sum()), compiler)
            alone = compile_(lambda a: a * a, compiler)
            for name in supported(names):
                x = np.array([0, 1, 3], numpy_dtype(name))
                whole = "int64" if name == "bool" else name
                single = name if "float" in name else "float32"
                total = name if "float" in name else "int64"
                with case(compiler=compiler, dtype=name):
                    results = compiled(tensor_of(torch, device, x))
                    assert_equal(type(results), tuple)
                    plus, times, same, total_ = results
                    squares = (x.astype(np.float64) ** 2).astype(x.dtype)
                    assert_equal(alone(tensor_of(torch, device, x)), squares)
                    assert_equal(plus, (x.astype(whole) + 1).astype(whole))
                    assert_equal(times, (x * 2.0).astype(single))
                    assert_equal(same, x == 1)
                    assert_equal(total_, np.asarray(x.sum(), total))


@clause("compile.control-flow", thorough=True, covers=COVERS, requires=NEEDS)
def a_compiled_function_decides_on_every_call(torch: Any, device: str) -> None:
    """Branches and loops that depend on data, on Python arguments, on attributes and on what a
    function closes over are decided on every call, not once when it was compiled."""
    for compiler in COMPILERS:
        settings = {"factor": 2}

        def choose(x: Any, times: int, flag: bool, settings: dict[str, int] = settings) -> Any:
            x = x * settings["factor"]
            for _ in range(times):
                x = x + 1
            if x.sum() > 0:
                x = x * 10
            return -x if flag else x

        def expected(
            x: Array, times: int, flag: bool, settings: dict[str, int] = settings
        ) -> Array:
            x = x * settings["factor"] + times
            x = x * 10 if x.sum() > 0 else x
            return (-x if flag else x).astype(np.float32)

        with compiling(torch) as compile_:
            compiled = compile_(choose, compiler)
            calls = (
                (2, 1, False, 1), (2, 1, False, -1), (2, 3, False, -1), (2, 3, True, 1),
                (5, 3, True, 1), (2, 1, False, 1),
            )  # fmt: skip
            for factor, times, flag, sign in calls:
                settings["factor"] = factor
                array = sign * np.array([1.0, 20.0])
                with case(compiler=compiler, factor=factor, times=times, flag=flag, sign=sign):
                    got = compiled(tensor(torch, device, array), times, flag)
                    assert_equal(got, expected(array, times, flag))
                    got = compiled(tensor(torch, device, array), flag=flag, times=times)
                    assert_equal(got, expected(array, times, flag))


ALONE: dict[str, tuple[Act, tuple[int, ...]]] = {
    "slice": (lambda x: x[1:], (3, 1)),
    "step": (lambda x: x[:, ::2], (3, 2)),
    "swap": (lambda x: x.swapaxes(0, 1), (1, 3)),
    "element": (lambda x: x[1, 1:2], (1,)),
}
"""Views that are the only result, with their strides: alike in both libraries."""


@clause("compile.aliasing", thorough=True, covers=COVERS, requires=NEEDS | {"views", "in-place"})
def a_compiled_function_returns_views_where_eager_does(torch: Any, device: str) -> None:
    """What is a view of an argument stays a view of it, an argument that is returned is itself,
    two results that share memory still do, and a copy stays a copy."""

    def program(x: Any) -> Any:
        fresh = x * 2
        return x.t()[1:], x, x.clone(), fresh, fresh[0]

    for compiler, dtype in product(COMPILERS, supported(SINGLE[:1])):
        with compiling(torch) as compile_:
            compiled = compile_(program, compiler)
            for again in (False, True):
                x = tensor(torch, device, ARRAY, dtype)
                with case(compiler=compiler, again=again):
                    view, same, copy, fresh, row = compiled(x)
                    assert_same_object(same, x)
                    assert_equal((view.stride(), view.storage_offset()), ((1, 3), 1))
                    x.fill_(7)
                    fresh.fill_(9)
                    assert_equal(view, np.full((2, 2), 7, dtype))
                    assert_equal(copy, ARRAY.astype(dtype))
                    assert_equal(row, np.full(3, 9, dtype))
                    view.zero_()
                    assert_equal(x, np.array([[7, 0, 0], [7, 0, 0]], dtype))
            for alone, (act, strides) in ALONE.items():
                compiled = compile_(act, compiler)
                for again in (False, True):
                    x = tensor(torch, device, ARRAY, dtype)
                    with case(compiler=compiler, alone=alone, again=again):
                        view = compiled(x)
                        assert_equal(view.stride(), strides)
                        view.fill_(7)
                        changed = ARRAY.astype(dtype)
                        act(changed)[...] = 7
                        assert_equal(x, changed)


@clause("compile.mutation", thorough=True, covers=COVERS, requires=NEEDS | {"views", "in-place"})
def a_compiled_function_writes_what_eager_writes(torch: Any, device: str) -> None:
    """In-place writes to arguments, to views of them and with out= happen, once a call, and
    results computed before and after a write see what eager would; nothing else is written."""

    def program(x: Any, y: Any, out: Any) -> Any:
        before = x + 1
        x.mul_(2)
        x[0] = y
        x.t()[1:].add_(1)
        torch.add(x, 1, out=out)
        return before, x.sum()

    for compiler in COMPILERS:
        with compiling(torch) as compile_:
            compiled = compile_(program, compiler)
            x, y = tensor(torch, device, ARRAY), tensor(torch, device, [5.0, 6.0, 7.0])
            around = tensor(torch, device, np.zeros((2, 5)))
            out = tensor(torch, device, np.zeros((2, 3)))
            array = ARRAY.copy()
            for again in (False, True):
                with case(compiler=compiler, again=again):
                    before, total = compiled(x, y, out)
                    wanted = array + 1
                    array *= 2
                    array[0] = [5, 6, 7]
                    array[:, 1:] += 1
                    assert_equal(before, wanted.astype(np.float32))
                    assert_equal(total, np.asarray(array.sum(), np.float32))
                    assert_equal(x, array.astype(np.float32))
                    assert_equal(out, (array + 1).astype(np.float32))
                    assert_equal(y, np.array([5, 6, 7], np.float32))
            stepped = compile_(lambda x: x.add_(3), compiler)
            target = around[:, 1::2]
            with case(compiler=compiler, program="a strided view"):
                assert_same_object(stepped(target), target)
                expected = np.zeros((2, 5), np.float32)
                expected[:, 1::2] = 3
                assert_equal(around, expected)


@clause("compile.gradients", thorough=True, covers=COVERS, requires=GRADIENTS)
def gradients_flow_through_a_compiled_function(torch: Any, device: str) -> None:
    """backward() through a compiled function gives eager's gradients, also where it detaches, turns
    recording off for a part, uses an argument twice, or broadcasts; arguments that do not require
    gradients get none, and a call under no_grad records nothing."""

    def program(x: Any, w: Any) -> Any:
        with torch.no_grad():
            constant = x * 3
        y = x * w + x.detach() * x + constant * w
        return y[:, 1:].sum(1) * 2, y[0].detach()

    for compiler in COMPILERS:
        with compiling(torch) as compile_:
            compiled = compile_(program, compiler)
            for flags in ((True, True), (True, False), (False, True))[: 3 - (compiler != "eager")]:
                x = tensor(torch, device, ARRAY).requires_grad_(flags[0])
                w = tensor(torch, device, [2.0, -1.0, 3.0]).requires_grad_(flags[1])
                with case(compiler=compiler, flags=flags):
                    result, cut = compiled(x, w)
                    assert_equal((result.requires_grad, cut.requires_grad), (True, False))
                    weights = np.array([2.0, -1.0, 3.0])
                    y = ARRAY * weights + ARRAY * ARRAY * flags[0] + 3 * ARRAY * weights
                    if not flags[0]:
                        y += ARRAY * ARRAY
                    assert_equal(result.detach(), (y[:, 1:].sum(1) * 2).astype(np.float32))
                    assert_equal(cut, y[0].astype(np.float32))
                    result.backward(tensor(torch, device, [1.0, 10.0]))
                    along = np.array([[0, 2, 2], [0, 20, 20]])
                    if flags[0]:
                        expected = (along * (weights + ARRAY)).astype(np.float32)
                        assert_equal(x.grad, expected, signed_zero=False)
                    if flags[1]:
                        expected = (along * 4 * ARRAY).sum(0).astype(np.float32)
                        assert_equal(w.grad, expected, signed_zero=False)
                    assert_equal((x.grad is None, w.grad is None), (not flags[0], not flags[1]))
            alone = compile_(lambda x, w: x * w, compiler)
            for rows in (2, 1, 3):
                with case(compiler=compiler, rows=rows):
                    array = np.resize(ARRAY, (rows, 3))
                    x, w = tensor(torch, device, array).requires_grad_(), tensor(torch, device, 2)
                    for number in (w, tensor(torch, device, 5)):
                        x.grad, result = None, alone(x, number)
                        assert_equal(result.requires_grad, True)
                        result.sum().backward()
                        assert_equal(x.grad, np.full((rows, 3), float(number), np.float32))
            with torch.no_grad(), case(compiler=compiler, mode="no_grad"):
                result, _ = compiled(x, w)
                assert_equal((result.requires_grad, result.grad_fn), (False, None))
            with case(compiler=compiler, mode="again"):
                assert_equal(compiled(x, w)[0].requires_grad, True)


@clause("compile.errors", thorough=True, covers=COVERS, requires=NEEDS)
def a_compiled_function_refuses_what_eager_refuses(torch: Any, device: str) -> None:
    """What raises outside raises when it is compiled, on the first call and later, and the
    function still works with valid arguments afterwards; an exception of its own comes through as
    it is."""
    fitting, clashing = np.ones((2, 3)), np.ones((2, 4))
    programs: dict[str, tuple[Act, Array]] = {
        "broadcast": (lambda a, b: a + b, fitting + 1),
        "matmul": (lambda a, b: a @ b.t(), np.full((2, 2), 3.0)),
        "cat": (lambda a, b: torch.cat((a, b)), np.ones((4, 3))),
        "view": (lambda a, b: b.view(6) + a.reshape(6), np.full(6, 2.0)),
    }
    for compiler, (name, (program, expected)) in product(COMPILERS, programs.items()):
        with compiling(torch) as compile_, case(compiler=compiler, program=name):
            compiled = compile_(program, compiler)
            good, bad = tensor(torch, device, fitting), tensor(torch, device, clashing)
            assert_raises(compiled, good, bad)
            assert_equal(compiled(good, good), expected.astype(np.float32))
            assert_raises(compiled, good, bad)
            assert_equal(compiled(good, good), expected.astype(np.float32))

    def picky(x: Any, limit: int) -> Any:
        if x.shape[0] > limit:
            raise ValueError("too long")
        return x + limit

    for compiler in COMPILERS:
        with compiling(torch) as compile_, case(compiler=compiler, program="its own"):
            compiled = compile_(picky, compiler)
            x = tensor(torch, device, [1.0, 2.0])
            assert_equal(compiled(x, 5), np.array([6, 7], np.float32))
            try:
                compiled(x, 1)
                raised = False
            except ValueError as error:
                raised = "too long" in str(error)
            assert_that(raised, "its own ValueError did not come through")
            assert_equal(compiled(x, 2), np.array([3, 4], np.float32))


@clause("compile.modules", thorough=True, covers=COVERS, requires=GRADIENTS)
def a_compiled_module_is_the_module(torch: Any, device: str) -> None:
    """torch.compile of a module, as a function or as a decorator, shares its parameters and
    buffers: it follows their changes, fills their gradients, updates the buffers and obeys train()
    and eval()."""
    nn = torch.nn

    class Counting(nn.Module):  # type: ignore[misc,name-defined]  # the base is injected
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Any) -> Any:
            if self.training:
                self.calls += 1
                return self.linear(x)
            return torch.relu(self.linear(x))

    for compiler in COMPILERS:
        with compiling(torch) as compile_, case(compiler=compiler):
            module = Counting().to(device)
            compiled = compile_(module, compiler)
            weights, bias = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 1.0]]), np.array([3.0, -4.0])
            for step in range(2):
                with torch.no_grad():
                    module.linear.weight.copy_(tensor(torch, device, weights + step))
                    module.linear.bias.copy_(tensor(torch, device, bias))
                module.zero_grad()
                compiled.train()
                out = compiled(tensor(torch, device, ARRAY))
                expected = ARRAY @ (weights + step).T + bias
                assert_equal(out.detach(), expected.astype(np.float32))
                out.sum().backward()
                grads = np.tile(ARRAY.sum(0), (2, 1)).astype(np.float32)
                assert_equal(module.linear.weight.grad, grads)
                assert_equal(module.linear.bias.grad, np.full(2, 2, np.float32))
                assert_equal(module.calls, np.asarray(step + 1, np.float32))
                compiled.eval()
                assert_equal(module.training, False)
                got = compiled(tensor(torch, device, ARRAY)).detach()
                assert_equal(got, np.maximum(expected, 0).astype(np.float32), signed_zero=False)
                assert_equal(module.calls, np.asarray(step + 1, np.float32))
            found = {id(p) for p in compiled.parameters()}
            assert_equal(found == {id(p) for p in module.parameters()}, True)

            @torch.compile(backend=compiler)  # type: ignore[untyped-decorator]
            def decorated(x: Any, module: Any = module) -> Any:
                return module.linear(x) * 2

            got = decorated(tensor(torch, device, ARRAY)).detach()
            assert_equal(got, (2 * expected).astype(np.float32))
            assert_equal(module.linear.weight, (weights + 1).astype(np.float32))
