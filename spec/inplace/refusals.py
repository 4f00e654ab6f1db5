"""What cannot be written: numbers of a higher category, elements that overlap, bad values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tenet.spec.cases import (
    tensor_of,
)
from tenet.spec.inplace.common import (
    OUT,
    UNDERSCORE,
    iadd,
)
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    case,
    clause,
    has,
    supported,
)
from tenet.spec.model.dtypes import (
    ALL,
    INTEGERS,
    Category,
    category,
    numpy_dtype,
)

imul: Callable[..., Any] = operator.imul
itruediv: Callable[..., Any] = operator.itruediv


@clause(
    "inplace.categories",
    thorough=True,
    covers=[UNDERSCORE, OUT, "notes.promotion-inplace"],
    requires={"in-place", "out"},
)
def a_result_above_the_targets_category_is_refused(torch: Any, device: str) -> None:
    """The result is cast to the dtype of the tensor that it is written into, if that is of the
    same category (bool, integer, floating point, complex) or a higher one; if it is of a lower
    one the operation raises, and the tensor stays as it is."""
    for into, first, second in product(
        supported(ALL), supported(ALL), ("float32", "int64", "bool")
    ):
        if [*supported([second])] != [second]:
            continue
        a, b = (tensor_of(torch, device, np.ones(9, numpy_dtype(name))) for name in (first, second))
        old = np.zeros(9, numpy_dtype(into))
        z = tensor_of(torch, device, old)
        fits = max(category(first), category(second)) <= category(into)
        two = 1 if category(first) == category(second) == Category.BOOL else 2
        with case(into=into, first=first, second=second):
            if fits:
                assert_same_object(torch.add(a, b, out=z), z)
                assert_equal(z, np.full(9, two).astype(numpy_dtype(into)))
            else:
                assert_raises(torch.add, a, b, out=z)
                assert_equal(z, old)
        if second != "float32":
            continue
        z = tensor_of(torch, device, old)
        with case(into=into, other=first):
            if category(first) <= category(into):
                assert_same_object(z.add_(a), z)
                assert_same_object(iadd(z, a), z)
                wanted = 1 if category(into) is Category.BOOL else 2
                assert_equal(z, np.full(9, wanted).astype(numpy_dtype(into)))
            else:
                assert_raises(z.add_, a)
                assert_raises(operator.iadd, z, a)
                assert_raises(z.mul_, a)
                assert_equal(z, old)
        if category(into) < Category.FLOAT:
            with case(into=into, other="a fraction"):
                assert_raises(z.add_, 1.5)
                assert_raises(z.div_, 2)
                assert_raises(itruediv, z, z)


_FRACTIONS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "add_": (lambda x, n: x.add_(n), 1),
    "add_(alpha=)": (lambda x, n: x.add_(x, alpha=n), 1),
    "sub_": (lambda x, n: x.sub_(n), 1),
    "mul_": (lambda x, n: x.mul_(n), 2),
    "floor_divide_": (lambda x, n: x.floor_divide_(n), 2),
    "remainder_": (lambda x, n: x.remainder_(n), 2),
    "fmod_": (lambda x, n: x.fmod_(n), 2),
    "pow_": (lambda x, n: x.pow_(n), 2),
    "div_(rounding_mode=)": (lambda x, n: x.div_(n, rounding_mode="trunc"), 2),
    "clamp_": (lambda x, n: x.clamp_(n), 1),
    "clamp_(max=)": (lambda x, n: x.clamp_(max=n), 1),
    "clamp_ between": (lambda x, n: x.clamp_(n - 1, n), 1),
    "clamp_min_": (lambda x, n: x.clamp_min_(n), 1),
    "clamp_max_": (lambda x, n: x.clamp_max_(n), 1),
    "div_": (lambda x, n: x.div_(n), None),
    "copysign_": (lambda x, n: x.copysign_(n), None),
    "sqrt_": (lambda x, n: x.sqrt_(), None),
    "exp_": (lambda x, n: x.exp_(), None),
    "sigmoid_": (lambda x, n: x.sigmoid_(), None),
    "reciprocal_": (lambda x, n: x.reciprocal_(), None),
}
"""Method: what it does with a number, and a whole one with which its result is whole."""


@clause("inplace.fractions", covers=["notes.promotion-inplace"], requires={"in-place"})
def a_fraction_is_not_written_into_integers(torch: Any, device: str) -> None:
    """In place, integers take no fraction as a number and no function whose results are floats: it
    raises and leaves them as they were, where a whole number is taken."""
    for name, shape in product(supported(INTEGERS), ((), (3,))):
        old = np.full(shape, 3, name)
        for spelling, (act, whole) in _FRACTIONS.items():
            with case(dtype=name, spelling=spelling, shape=shape):
                x = tensor_of(torch, device, old)
                assert_raises(act, x, 1.5)
                assert_equal(x, old)
                if whole is not None:
                    assert_same_object(act(x, whole), x)


@clause(
    "inplace.overlap",
    covers=[UNDERSCORE, "notes.overlap-write"],
    requires={"in-place", "overlap-check"},
)
def writing_where_elements_share_memory_is_refused(torch: Any, device: str) -> None:
    """An operation in place on an expanded tensor, whose elements share memory, raises; on the
    tensor that was expanded it does not."""
    for name, shape in product(supported(ALL), ((1,), (3, 1), (1, 4))):
        small = tensor_of(torch, device, np.ones(shape, numpy_dtype(name)))
        large = small.expand(3, 4) if len(shape) == 2 else small.expand(5)
        acts: dict[str, Callable[[Any], Any]] = {
            "add_": lambda x: x.add_(x.dtype.is_floating_point),
            "copy_": lambda x: x.copy_(torch.zeros_like(x)),
            "zero_ by mul_": lambda x: x.mul_(x[:1] == 5),
            "logical_not_": lambda x: x.logical_not_(),
            "eq_": lambda x: x.eq_(1),
            "*=": lambda x: imul(x, True),
            "out=": lambda x: torch.add(x[:1], x[:1], out=x),
        }
        for spelling, act in acts.items():
            with case(spelling=spelling, dtype=name, shape=shape):
                if spelling != "out=":
                    act(small.clone())
                assert_raises(act, large)
        assert_equal(small, np.ones(shape, numpy_dtype(name)))


_INTO: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "linspace": lambda t, x, i, to: t.linspace(0, 1, 3, device=x.device, out=to),
    "gather": lambda t, x, i, to: t.gather(x, 0, i, out=to),
    "index_select": lambda t, x, i, to: t.index_select(x, 0, i, out=to),
    "take": lambda t, x, i, to: t.take(x, i, out=to),
    "cumsum": lambda t, x, i, to: t.cumsum(x, 0, out=to),
    "cumprod": lambda t, x, i, to: t.cumprod(x, 0, out=to),
    "cat": lambda t, x, i, to: t.cat([x, x], out=to),
    "stack": lambda t, x, i, to: t.stack([x, x], out=to),
    "where": lambda t, x, i, to: t.where(x > 1, x, 2 * x, out=to),
    "exp": lambda t, x, i, to: t.exp(x, out=to),
    "clamp": lambda t, x, i, to: t.clamp(x, 0, 1, out=to),
    "bitwise_or": lambda t, x, i, to: t.bitwise_or(x, i, out=to),
    "outer": lambda t, x, i, to: t.outer(x, x, out=to),
    "addcmul": lambda t, x, i, to: t.addcmul(x, x, x, out=to),
    "scatter": lambda t, x, i, to: t.scatter(x, 0, i, x, out=to),
    "index_add": lambda t, x, i, to: t.index_add(x, 0, i, x, out=to),
}
_INTO_WHOLE = ("bitwise_or",)
"""What is written into a tensor that is given, and of which of them the operands are integers."""


@clause(
    "inplace.overlap-of-products",
    covers=["notes.overlap-write"],
    requires={"in-place", "overlap-check", "out"},
)
def products_and_triangles_refuse_to_write_where_elements_share_memory(
    torch: Any, device: str
) -> None:
    """What adds a product in place, or cuts a triangle out, raises on an expanded tensor as all
    writing does, and so does what is told to write into one by out=; on its clone it does not."""
    ones = torch.ones((3, 3), device=device)
    acts: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
        "addmm_": ((3, 3), lambda x: x.addmm_(ones, ones)),
        "addr_": ((3, 3), lambda x: x.addr_(ones[0], ones[0])),
        "addbmm_": ((3, 3), lambda x: x.addbmm_(ones[None], ones[None])),
        "index_add_": ((3,), lambda x: x.index_add_(0, torch.arange(3, device=device), ones[0])),
        "cumsum_": ((3,), lambda x: x.cumsum_(0)),
        "addmv_": ((3,), lambda x: x.addmv_(ones, ones[0])),
        "baddbmm_": ((1, 3, 3), lambda x: x.baddbmm_(ones[None], ones[None])),
        "tril_": ((3, 3), lambda x: x.tril_()),
        "triu_": ((3, 3), lambda x: x.triu_()),
    }
    for spelling, (shape, act) in acts.items():
        with case(spelling=spelling):
            expanded = torch.ones(1, device=device).expand(shape)
            act(expanded.clone())
            assert_raises(act, expanded)
    for spelling, call in _INTO.items():
        line = torch.arange(3, device=device)
        x = line if spelling in _INTO_WHOLE else line + 0.5
        with case(spelling=spelling, out="expanded"):
            target = torch.zeros_like(call(torch, x, line, None))
            call(torch, x, line, target)
            assert_raises(call, torch, x, line, target.flatten()[:1].expand(target.shape))


@clause("inplace.refused-values", covers=[UNDERSCORE, OUT], requires={"in-place"})
def what_cannot_be_written_is_refused(torch: Any, device: str) -> None:
    """fill_ takes a number or a tensor without dimensions, and no vector; out= takes no tensor that
    requires gradients, as what is written there has none. The target stays as it was."""
    for name in supported(("float32", "int64", "float64")):
        target = torch.ones(3, dtype=getattr(torch, name), device=device)
        for shape in ((1,), (2,), (3,), (1, 1)):
            with case(dtype=name, value=shape):
                assert_raises(target.fill_, torch.zeros(shape, dtype=target.dtype, device=device))
                assert_equal(target, np.ones(3, name))
        with case(dtype=name, value=()):
            filled = target.clone().fill_(torch.zeros((), dtype=target.dtype, device=device))
            assert_equal(filled, np.zeros(3, name))
    if not (has("autograd") and has("out")):
        return
    x = torch.ones(3, device=device)
    calls: dict[str, Callable[..., Any]] = {
        "add": lambda out: torch.add(x, x, out=out),
        "mul": lambda out: torch.mul(x, 2, out=out),
        "exp": lambda out: torch.exp(x, out=out),
        "sum": lambda out: torch.sum(x, 0, out=out),
        "matmul": lambda out: torch.matmul(x[None], x[:, None], out=out),
        "cat": lambda out: torch.cat([x, x], out=out),
    }
    for spelling, call in calls.items():
        with case(spelling=spelling):
            shape = tuple(call(None).shape)
            leaf = torch.zeros(shape, device=device, requires_grad=True)
            assert_raises(call, leaf)
            assert_equal(leaf.detach(), np.zeros(shape, np.float32))
            call(torch.zeros(shape, device=device))
