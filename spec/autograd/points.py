"""Derivatives at the points where a formula does not tell them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.autograd.common import (
    NEEDS,
    SINGLE,
    Act,
    Array,
    Shape,
    assert_grad,
    laid,
    leaf,
    plain,
    signed,
)
from tenet.spec.cases import LAYOUTS, seeds, shapes, tensor_of, values
from tenet.spec.language import assert_close, assert_equal, case, clause, for_all, supported
from tenet.spec.model.dtypes import COMPLEX, FLOATS, INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import ulps

COMPLEX_ACTS: dict[str, tuple[Act, Callable[[Array, Array, Array], tuple[Array, Array]]]] = {
    "a * b": (lambda torch, a, b: a * b, lambda a, b, g: (g * b.conj(), g * a.conj())),
    "torch.mul": (
        lambda torch, a, b: torch.mul(a, b),
        lambda a, b, g: (g * b.conj(), g * a.conj()),
    ),
    "a - b": (lambda torch, a, b: a - b, lambda a, b, g: (g, -g)),
    "a * a + b": (lambda torch, a, b: a * a + b, lambda a, b, g: (2 * g * a.conj(), g)),
    "conj": (lambda torch, a, b: a.conj() * 2 + b * 1j,
             lambda a, b, g: (2 * g.conj(), g * -1j)),
    "matmul": (
        lambda torch, a, b: a @ b,
        lambda a, b, g: (g @ b.conj().T, a.conj().T @ g),
    ),
    "real and imag": (
        lambda torch, a, b: torch.complex(a.real, b.imag),
        lambda a, b, g: (g.real + 0j, g.imag * 1j),
    ),
    "view_as_real": (
        lambda torch, a, b: torch.view_as_complex(torch.view_as_real(a).flip(-1) * 3) + b,
        lambda a, b, g: (3 * (g.imag + 1j * g.real), g),
    ),
}  # fmt: skip


@clause("autograd.complex", covers=["notes.numeric-gradient"], requires=NEEDS)
def the_gradient_of_complex_numbers_is_conjugate(torch: Any, device: str) -> None:
    """The gradient of a real number L by z = a + ib is dL/da + i dL/db, so that a step against it
    lowers L: through a product it goes with the conjugate of the other factor. Of a real number
    beside complex ones it is the real part of that."""
    a, b, g = (signed((3, 3), n) + 1j * signed((3, 3), n + 5) for n in range(3))
    for name, (spelling, (act, slopes)) in product(supported(COMPLEX), COMPLEX_ACTS.items()):
        with case(dtype=name, spelling=spelling):
            x, y = leaf(torch, device, a, name), leaf(torch, device, b, name)
            act(torch, x, y).backward(plain(torch, device, g, name))
            for tensor, expected in zip((x, y), slopes(a, b, g), strict=True):
                assert_grad(tensor, expected, name)
    for name, real in product(supported(COMPLEX), supported(SINGLE)):
        if (name, real) == ("complex64", "float64"):
            continue  # the factors meet in complex128
        above, other = plain(torch, device, g, name), plain(torch, device, b, name)
        with case(dtype=name, real=real):
            for act, slope in (
                (lambda x, y: x * y, g * b.conj()), (lambda x, y: y * x, g * b.conj()),
                (lambda x, y: y - x, -g), (lambda x, y: torch.add(x, y), g),
            ):  # fmt: skip
                x = leaf(torch, device, a.real, real)
                act(x, other).backward(above)
                assert_grad(x, slope.real, real)


@clause("autograd.powers", covers=["notes.numeric-gradient"], requires=NEEDS)
def a_power_has_its_gradient_at_every_base(torch: Any, device: str) -> None:
    """The gradient of x^n is n x^(n-1) for negative x and for 0 as well; of x^0 it is 0. By an
    exponent above 0 a power of 0 does not change."""
    array = np.array([-3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0])
    for n, name in product(range(7), supported(SINGLE)):
        expected = n * array ** (n - 1) if n else 0 * array
        exponent = plain(torch, device, np.full(10, float(n)), name)
        ways: dict[str, Act] = {
            "**": lambda x, n=n: x**n,
            "pow": lambda x, n=n: torch.pow(x, float(n)),
            "tensor": lambda x, e=exponent: x.pow(e),
            "in place": lambda x, n=n: (x * 1).pow_(n),
        }
        for way, act in ways.items():
            with case(n=n, way=way, dtype=name):
                x = leaf(torch, device, array, name)
                act(x).sum().backward()
                assert_close(x.grad, expected, ulps(4, name, "a power and a product"))
    for name, length in product(supported(SINGLE), (1, 9)):
        zero, exponents = np.zeros(length), np.resize([1.0, 2.0, 0.5, 3.5], length)
        base = plain(torch, device, zero, name)
        roots: dict[str, Act] = {
            "**": lambda n, x=base: x**n, "pow": lambda n, x=base: torch.pow(x, n),
            "0 **": lambda n: 0.0**n, "of a number": lambda n: torch.pow(0.0, n),
        }  # fmt: skip
        for way, act in roots.items():
            with case(base=0, way=way, dtype=name, length=length):
                n = leaf(torch, device, exponents, name)
                act(n).sum().backward()
                assert_grad(n, zero, name)


CHOICES: dict[str, tuple[Act, float, float]] = {
    "where": (lambda torch, m, x, y: torch.where(m, x, y), 1, 1),
    "where of functions": (lambda torch, m, x, y: torch.where(m, 3 * x, -y), 3, -1),
    "where of a number": (lambda torch, m, x, y: torch.where(m, x, 2.0) + 0 * y.detach(), 1, 0),
    "Tensor.where": (lambda torch, m, x, y: x.where(m, y), 1, 1),
    "masked_fill": (lambda torch, m, x, y: x.masked_fill(~m, 5.0), 1, 0),
    "masked_fill_": (lambda torch, m, x, y: (x * 2).masked_fill_(~m, 5.0), 2, 0),
}
"""What chooses: the call, of a mask and two tensors, and the slopes by the first and by the other
where they are chosen."""


@clause("autograd.not-chosen", covers=["notes.numeric-gradient", "notes.extremal-values"],
        requires=NEEDS | {"in-place"})  # fmt: skip
def what_is_not_chosen_has_no_gradient(torch: Any, device: str) -> None:
    """Where the element of one tensor is chosen, or a number in its place, that of the other has
    gradient 0, be it NaN or infinite; what is chosen has its slope, be it infinite too."""
    for name, length in product(supported(FLOATS), (1, 4, 9, 33)):
        chosen = np.arange(length) % 3 != 1
        ends = np.resize([np.inf, np.nan, -np.inf, 2.0], length)
        arrays = ends, ends[::-1].copy()
        for spelling, (act, first, other) in CHOICES.items():
            with case(spelling=spelling, dtype=name, length=length):
                x, y = (leaf(torch, device, array, name) for array in arrays)
                result = act(torch, plain(torch, device, chosen, "bool"), x, y)
                along = np.resize([2.0, -1.0, 3.0], length)
                result.backward(plain(torch, device, along, name))
                assert_grad(x, first * along * chosen, name)
                if other:
                    assert_grad(y, other * along * ~chosen, name)


NORMS: dict[str, Act] = {
    "x.norm()": lambda torch, x, d: x.norm(),
    "torch.norm": lambda torch, x, d: torch.norm(x),
    "torch.norm of 2": lambda torch, x, d: torch.norm(x, 2, dim=d),
    "torch.norm of 1": lambda torch, x, d: torch.norm(x, p=1, dim=d),
    "linalg.norm": lambda torch, x, d: torch.linalg.norm(x),
    "vector_norm": lambda torch, x, d: torch.linalg.vector_norm(x, dim=d),
    "vector_norm of 1": lambda torch, x, d: torch.linalg.vector_norm(x, 1, dim=d),
    "vector_norm of 3": lambda torch, x, d: torch.linalg.vector_norm(x, 3.0, dim=d),
    "vector_norm of inf": lambda torch, x, d: torch.linalg.vector_norm(x, np.inf, dim=d),
}


@clause("autograd.norm-at-0", covers=["notes.subgradients"], requires=NEEDS)
def a_norm_has_no_slope_at_0(torch: Any, device: str) -> None:
    """The gradient of a norm at 0 is 0, the least of its slopes there, and does not spoil that of
    the lines beside it. The largest magnitude shares its gradient evenly among equal ones."""
    for (shape, layout), name in product(EDGES, supported(FLOATS)):
        for spelling, norm in NORMS.items():
            with case(shape=shape, layout=layout, dtype=name, spelling=spelling):
                x = laid(torch, device, np.zeros(shape), layout, name)
                result = norm(torch, x, tuple(range(len(shape))) or None)
                result.backward(plain(torch, device, np.array(3.0), name))
                assert_equal(x.grad, np.zeros(shape, numpy_dtype(name)), signed_zero=False)
    lines = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, -4.0], [2.0, -2.0, 0.0, 1.0]])
    for name, (spelling, order, slopes) in product(supported(SINGLE), (
        ("2", 2, lines[:2] / [[1.0], [5.0]]), ("1", 1, np.sign(lines)),
        ("inf", np.inf, [[0, 0, 0, 0], [0, 0, 0, -1], [0.5, -0.5, 0, 0]]),
    )):  # fmt: skip
        for function in (torch.linalg.vector_norm, torch.norm):
            with case(order=spelling, dtype=name):
                x = leaf(torch, device, lines[: len(slopes)], name)
                function(x, order, dim=1).sum().backward()
                assert_close(x.grad, np.array(slopes), ulps(2, name, "a root and a quotient"))
                for line, slope in zip(lines, slopes, strict=False):
                    x = leaf(torch, device, line, name)
                    function(x, order).backward()
                    assert_close(x.grad, np.array(slope), ulps(2, name, "a root and a quotient"))


EDGES: tuple[tuple[Shape, str], ...] = (
    *(((length,), "contiguous") for length in (1, 4, 7, 9, 17, 33, 65, 130, 1025)),
    ((), "contiguous"),
    *(((3, 9), layout) for layout in ("transposed", "stepped", "gapped")),
    *(((2, 3, 4), layout) for layout in ("permuted", "offset", "channels-last")),
)
"""Shapes and layouts that points without a derivative are tried in."""

KINKS: dict[str, Act] = {
    "torch.relu": lambda torch, x: torch.relu(x),
    "Tensor.relu": lambda torch, x: x.relu(),
    "functional.relu": lambda torch, x: torch.nn.functional.relu(x),
    "nn.ReLU": lambda torch, x: torch.nn.ReLU()(x),
    "relu_": lambda torch, x: (x * 1).relu_(),
    "torch.abs": lambda torch, x: torch.abs(x),
    "Tensor.abs": lambda torch, x: x.abs(),
    "torch.absolute": lambda torch, x: torch.absolute(x),
    "abs": lambda torch, x: abs(x),
}


@clause("autograd.relu-and-abs-at-0", covers=["notes.subgradients"], requires=NEEDS, thorough=True)
def relu_and_abs_have_no_slope_at_0(torch: Any, device: str) -> None:
    """The gradient of relu and of abs at 0, and at -0.0, is 0; elsewhere it is the slope, of a
    complex number its direction. At every length, in every layout and for every dtype."""
    for (shape, layout), name in product(EDGES, supported(FLOATS)):
        array = np.resize([0.0, 2.0, -0.0, -3.0, 0.5], shape)
        array[(-1,) * array.ndim] = 0.0
        for spelling, act in KINKS.items():
            x = laid(torch, device, array, layout, name)
            act(torch, x).backward(plain(torch, device, np.full(shape, 3.0), name))
            slope = np.sign(array) if "abs" in spelling else np.maximum(np.sign(array), 0)
            with case(shape=shape, layout=layout, dtype=name, spelling=spelling):
                assert_equal(x.grad, (3 * slope).astype(numpy_dtype(name)), signed_zero=False)
    for name, length in product(supported(COMPLEX), (1, 5, 33)):
        array = np.resize([0, 2, -3j, complex(0, -0.0), -4], length)
        x = leaf(torch, device, array, name)
        x.abs().sum().backward()
        with case(shape=(length,), dtype=name):
            slope = array / np.where(array == 0, 1, np.abs(array))
            assert_equal(x.grad, slope.astype(numpy_dtype(name)), signed_zero=False)


EXTREMES: dict[str, tuple[Act, Act]] = {
    "torch.max": (lambda torch, x: torch.max(x), np.max),
    "torch.min": (lambda torch, x: torch.min(x), np.min),
    "Tensor.max": (lambda torch, x: x.max(), np.max),
    "Tensor.min": (lambda torch, x: x.min(), np.min),
}


@clause("autograd.equal-extremes", covers=["notes.subgradients"], requires=NEEDS, effort=1)
@for_all(
    shape=shapes(max_rank=3, max_size=300, empty=False),
    layout=st.sampled_from([layout for layout in LAYOUTS if layout != "expanded"]),
    spelling=st.sampled_from([*EXTREMES]),
    seed=seeds(),
)
def equal_extremes_share_the_gradient_evenly(
    torch: Any, device: str, shape: Shape, layout: str, spelling: str, seed: int
) -> None:
    """max() and min() of the whole tensor share the gradient evenly among all elements that are
    equal to the extreme; the others have 0."""
    array = values(shape, "float64", "ties", seed)
    act, reference = EXTREMES[spelling]
    hit = array == reference(array)
    for name in supported(FLOATS):
        x = laid(torch, device, array, layout, name)
        act(torch, x).backward()
        assert_close(x.grad, hit / hit.sum(), ulps(1, name, "one division"))


@clause("autograd.extremes-of-lines", covers=["notes.subgradients"], requires=NEEDS, thorough=True)
def an_extreme_of_a_line_passes_its_gradient_on(torch: Any, device: str) -> None:
    """amax(dim) and amin(dim) share the gradient of each line evenly among the elements that are
    equal to its extreme; max(dim) and min(dim) give all of it to the one that their index names."""
    for shape, name in product(((5,), (3, 4), (2, 3, 4), (1, 6), (2, 17)), supported(FLOATS)):
        array = values(shape, "float64", "ties", 3)
        for dim, (many, one, reference) in product(
            range(-1, len(shape)), (("amax", "max", np.max), ("amin", "min", np.min))
        ):
            hit = array == reference(array, dim, keepdims=True)
            weights = np.arange(1.0, 1 + hit.any(dim).size).reshape(hit.any(dim).shape)
            share = np.expand_dims(weights, dim) * hit / hit.sum(dim, keepdims=True)
            with case(shape=shape, dtype=name, dim=dim, function=many):
                x = leaf(torch, device, array, name)
                getattr(torch, many)(x, dim).backward(plain(torch, device, weights, name))
                assert_close(x.grad, share, ulps(1, name, "one division"))
            with case(shape=shape, dtype=name, dim=dim, function=one):
                x = leaf(torch, device, array, name)
                found = getattr(torch, one)(x, dim)
                found.values.backward(plain(torch, device, weights, name))
                whole = np.zeros(shape)
                places = np.expand_dims(np.array(found.indices.tolist()), dim)
                np.put_along_axis(whole, places, np.expand_dims(weights, dim), dim)
                assert_close(x.grad, whole, ulps(0, name, "elements are copied"))


@clause("autograd.sqrt-at-0", covers=["notes.subgradients"], requires=NEEDS)
def sqrt_is_infinitely_steep_at_0(torch: Any, device: str) -> None:
    """The gradient of sqrt at 0 is inf; elsewhere 1 / (2 sqrt(x))."""
    ways: dict[str, Act] = {"torch.sqrt": torch.sqrt, "Tensor.sqrt": lambda x: x.sqrt()}
    for (shape, layout), name, way in product(EDGES, supported(FLOATS), ways):
        array = np.resize([0.0, 4.0, 0.25, 1.0], shape)
        array[(-1,) * array.ndim] = 0.0
        x = laid(torch, device, array, layout, name)
        ways[way](x).sum().backward()
        facts = {"shape": shape, "layout": layout, "dtype": name, "way": way}
        with np.errstate(divide="ignore"), case(**facts):
            assert_close(x.grad, 0.5 / np.sqrt(array), ulps(2, name, "a root and a quotient"))


PRODUCTS: dict[str, tuple[Act, Callable[[Array], Array]]] = {
    "prod()": (lambda torch, x: x.prod(), np.prod),
    "prod(dim)": (lambda torch, x: torch.prod(x, -1), lambda x: x.prod(-1)),
    "prod(dim, keepdim)": (
        lambda torch, x: torch.prod(x, 0, keepdim=True),
        lambda x: x.prod(0, keepdims=True),
    ),
    "cumprod": (lambda torch, x: torch.cumprod(x, -1), lambda x: x.cumprod(-1)),
    "cumprod first": (lambda torch, x: x.cumprod(0), lambda x: x.cumprod(0)),
}


@clause(
    "autograd.products-with-zeros", covers=["notes.numeric-gradient"], requires=NEEDS, thorough=True
)
def a_product_has_its_gradient_beside_zeros(torch: Any, device: str) -> None:
    """A product is linear in each factor: the gradient of prod and of cumprod by an element is what
    remains without it, also where that element is 0, or another, or several are."""
    six = [2.0, -1.0, 3.0, 2.0, -2.0, 1.0]
    factors = [(six, zeros) for zeros in ((), (0,), (4,), (1, 4), (0, 1, 2), (0, 3), (5,))]
    factors += [([3.0], ()), ([3.0], (0,)), ([3.0, -2.0], (1,)), ([3.0, -2.0], (0, 1))]
    for (way, (act, reference)), (among, zeros), name in product(
        PRODUCTS.items(), factors, supported(SINGLE)
    ):
        array = np.array(among)
        array[list(zeros)] = 0
        count = len(array)
        for shape in ((count,), (1, count), *([(2, 3), (3, 2)] if count == 6 else [])):
            at = array.reshape(shape)
            along = signed(reference(at).shape, 3)
            slopes = [  # of what is linear, without rounding
                ((reference(at + unit) - reference(at - unit)) / 2 * along).sum()
                for unit in np.eye(count).reshape(count, *shape)
            ]
            with case(way=way, zeros=zeros, shape=shape, dtype=name):
                x = leaf(torch, device, at, name)
                act(torch, x).backward(plain(torch, device, along, name))
                assert_grad(x, np.reshape(slopes, shape), name)


@clause("autograd.ldexp-of-integer-exponents", covers=["notes.numeric-gradient"],
        requires={"autograd"})  # fmt: skip
def the_gradient_of_ldexp_is_the_power_of_two(torch: Any, device: str) -> None:
    """ldexp(x, n) is x * 2^n, so its gradient with respect to x is 2^n, for negative n as well
    and whatever the dtype of n."""
    for name in supported(("float32", "float64")):
        for kind, exponent in product((*INTEGERS, "float32"), (1, 0, 5, -1, -2, -5)):
            if kind in supported([kind]) and not (kind == "uint8" and exponent < 0):
                signs = "negative" if exponent < 0 else "other"
                whole = "integer" if kind in INTEGERS else "float"
                with case(exponents=whole, sign=signs, exponent=exponent, of=kind, dtype=name):
                    x = tensor_of(torch, device, np.ones(3, name)).requires_grad_()
                    by = tensor_of(torch, device, np.full(3, exponent, kind))
                    result = torch.ldexp(x, by)
                    result.sum().backward()
                    assert_equal(result, np.full(3, 2.0**exponent, name))
                    assert_equal(x.grad, np.full(3, 2.0**exponent, name))
