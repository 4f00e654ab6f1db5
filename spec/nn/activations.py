"""Activations and softmax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from operator import methodcaller
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, place, seeds, tensor_of, values
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_same_object,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import layers
from tenet.spec.model.dtypes import FORMATS, numpy_dtype
from tenet.spec.model.layers import Array, unit, wide
from tenet.spec.model.tolerance import rounded, ulps
from tenet.spec.nn.common import FLOATS, Shape, far_from_zero, filled, laid_out


class Activation(NamedTuple):
    """An activation function: its layer, its spellings as functions, reference, and bound."""

    module: str
    functional: str
    names: tuple[str, ...]
    reference: Callable[[Array], Array]
    ulps: float = 0
    absolute: Callable[[Array], Array] | None = None
    inplace: bool = True
    options: dict[str, Any] = {}  # noqa: RUF012 - never written to


def _softplus(x: Array) -> Array:
    """With beta = 0.5 and threshold = 1.5: exact powers, so that all agree where it bends."""
    return np.where(x.real > 3, x, 2 * np.log1p(np.exp(np.where(x.real > 3, 0, x) / 2)))


def _gelu_by_tanh(x: Array) -> Array:
    return np.asarray(x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2)


def _exponential(alpha: float, scale: float) -> Callable[[Array], Array]:
    """x above 0, alpha * (e^(x / scale) - 1) below."""
    return lambda x: np.where(x.real > 0, x, alpha * np.expm1(np.where(x.real > 0, 0, x) / scale))


ACTIVATIONS = (
    Activation("ReLU", "relu", ("relu", "relu_"), layers.relu),
    Activation("Sigmoid", "sigmoid", ("sigmoid", "sigmoid_"), layers.sigmoid, 16, None, False),
    Activation("Tanh", "tanh", ("tanh", "tanh_"), np.tanh, 16, None, False),
    Activation("GELU", "gelu", (), layers.gelu, 16, np.abs, False),
    Activation("SiLU", "silu", (), lambda x: x * layers.sigmoid(x), 16),
    Activation(
        "ELU", "elu", (), lambda x: np.where(x.real > 0, x, np.exp(x) - 1), 16, np.ones_like
    ),
    Activation("LeakyReLU", "leaky_relu", (), lambda x: np.where(x.real > 0, x, 0.01 * x), 2),
    Activation("ReLU6", "relu6", (), lambda x: np.clip(x, 0, 6)),
    Activation("GELU", "gelu", (), _gelu_by_tanh, 16, np.abs, False, {"approximate": "tanh"}),
    Activation("ELU", "elu", (), _exponential(0.5, 1.0), 16, np.ones_like, True, {"alpha": 0.5}),
    Activation("CELU", "celu", (), _exponential(0.5, 0.5), 16, np.ones_like, True, {"alpha": 0.5}),
    Activation("LeakyReLU", "leaky_relu", (), lambda x: np.where(x.real > 0, x, 0.25 * x), 2,
               None, True, {"negative_slope": 0.25}),
    Activation("Softplus", "softplus", (), _softplus, 16, np.ones_like, False,
               {"beta": 0.5, "threshold": 1.5}),
    Activation("LogSigmoid", "logsigmoid", (), lambda x: np.log(layers.sigmoid(x)), 16,
               np.ones_like, False),
    Activation("Hardtanh", "hardtanh", (), lambda x: np.clip(x, -2, 0.5), 0, None, True,
               {"min_val": -2.0, "max_val": 0.5}),
)  # fmt: skip
"""absolute: the rounding error of something that cancels, in units of u."""

ACTIVATED: tuple[Shape, ...] = (
    (3,), (), (2, 3), (0,), (7,), (8,), (9,), (15,), (16,), (17,), (31,), (33,), (3, 65), (127,),
    (2, 3, 4), (257,), (1025,), (2, 0, 3), (4099,),
)  # fmt: skip


def _activations(
    torch: Any, activation: Activation
) -> Iterator[tuple[str, bool, Callable[[Any], Any]]]:
    """Every spelling of an activation, and whether it works in place."""
    options = activation.options
    functional = partial(getattr(torch.nn.functional, activation.functional), **options)
    yield "layer", False, getattr(torch.nn, activation.module)(**options)
    yield "functional", False, functional
    for name in activation.names:
        yield f"torch.{name}", name.endswith("_"), getattr(torch, name)
        yield f"Tensor.{name}", name.endswith("_"), methodcaller(name)
    if activation.inplace:
        yield "layer in place", True, getattr(torch.nn, activation.module)(inplace=True, **options)
        yield "functional in place", True, lambda x: functional(x, inplace=True)


@clause("nn.activations", covers=["mlnotes.activations"], effort=1.5)
@for_all(
    shape=st.sampled_from(ACTIVATED),
    layout=layouts(),
    how=st.sampled_from(
        [*product(FLOATS, ("small", "signed", "normal", "ties"), range(len(ACTIVATIONS)))]
    ),
    seed=seeds(),
)
def activations_compute_their_functions(
    torch: Any, device: str, shape: Shape, layout: str, how: tuple[str, str, int], seed: int
) -> None:
    """ReLU is max(x, 0), Sigmoid 1 / (1 + e^-x), Tanh the hyperbolic tangent; GELU, SiLU, ELU,
    CELU, LeakyReLU, ReLU6, Hardtanh, Softplus and LogSigmoid compute their published functions as
    well, with the options that they are given. The layer, the function and the
    method agree; those in place write into their operand and return it, the others leave it."""
    dtype, regime, which = how
    activation = ACTIVATIONS[which]
    for name in supported([dtype]):
        x = values(shape, name, regime, seed)
        reference = activation.reference(wide(x))
        u = unit("float32" if name in layers.HALF else name)
        absolute = FORMATS[name].tiny + 4 * u * (
            activation.absolute(np.abs(wide(x))) if activation.absolute else 0.0
        )
        wanted = ulps(1 if name in layers.HALF else activation.ulps, name, "", absolute)  # type: ignore[arg-type]
        for spelling, inplace, call in _activations(torch, activation):
            with case(spelling=spelling):
                given = place(torch, device, x, "gapped" if layout == "expanded" else layout)
                with torch.set_grad_enabled(seed % 3 != 0):
                    got = call(given.view)
                if activation.ulps:
                    assert_close(got, reference, wanted)
                else:
                    assert_equal(got, rounded(reference, name), signed_zero=False)
                if inplace:
                    assert_same_object(got, given.view)
                    assert_equal(given.base, given.after(read(got)))
                else:
                    assert_equal(given.view, x)


_EDGES = (-np.inf, -1e4, -100.0, -80.0, -60.0, -45.0, -30.0, -20.0, -15.0, -10.0, -1e-6, -0.0, 0.0,
          1e-6, 8.0, 15.0, 20.0, 30.0, 60.0, 80.0, 100.0, 1e4, np.inf)  # fmt: skip


@clause("nn.activations-at-the-ends", covers=["mlnotes.activations"])
def activations_saturate_without_overflow(torch: Any, device: str) -> None:
    """Far from 0 ReLU goes on as x or 0, Sigmoid goes to 0 and 1 and Tanh to -1 and 1, at infinity
    exactly; tiny numbers pass through ReLU and Tanh as they are."""
    for name in supported(FLOATS):
        x = np.array(_EDGES * 3).astype(numpy_dtype(name))
        for activation in ACTIVATIONS[:3]:
            for spelling, _, call in _activations(torch, activation):
                with case(activation=activation.module, spelling=spelling, dtype=name):
                    bound = ulps(16, name, "some ulps, or flushed to zero", FORMATS[name].tiny)
                    expected = rounded(activation.reference(wide(x)), name)
                    assert_close(call(tensor_of(torch, device, x)), wide(expected), bound)


@clause("nn.activations-of-channels", covers=["mlnotes.activations"])
def some_activations_know_dimensions(torch: Any, device: str) -> None:
    """PReLU multiplies what is below 0 by the slope of its channel, the second dimension, or by
    the only one; GLU multiplies one half of a dimension by the sigmoid of the other."""
    nn = torch.nn
    for name, shape in product(supported(FLOATS), ((4, 3), (2, 3, 5), (3, 3, 3), (2, 3, 2, 2))):
        x = values(shape, name, "normal", 3)
        for count in (1, 3):
            slopes = np.array([0.25, -2.0, 0.0][:count]).astype(numpy_dtype(name))
            per = slopes.reshape(1, count, *[1] * (len(shape) - 2))
            layer = filled(torch, device, nn.PReLU(count), weight=slopes)
            with case(of="PReLU", shape=shape, slopes=count, dtype=name):
                expected = rounded(np.where(wide(x) > 0, wide(x), wide(x) * wide(per)), name)
                got = layer(tensor_of(torch, device, x)).detach()
                assert_equal(got, expected, signed_zero=False)
        for dim in range(-len(shape), len(shape)):
            doubled = np.concatenate([x, values(shape, name, "normal", 4)], dim)
            given, gate = np.split(wide(doubled), 2, dim)
            expected = given * layers.sigmoid(gate)
            bound = ulps(16, name, "a sigmoid and a product", FORMATS[name].tiny)
            with case(of="GLU", shape=shape, dim=dim, dtype=name):
                assert_close(nn.GLU(dim)(tensor_of(torch, device, doubled)), expected, bound)


@clause("nn.softmax-of-large-numbers", covers=["mlnotes.activations"], thorough=True)
def softmax_does_not_overflow_along_any_dimension(torch: Any, device: str) -> None:
    """What is added to all elements along dim changes nothing, so softmax of large numbers is that
    of their differences, along every dimension, for every length, dtype and memory layout."""
    for name, shape in product(supported(FLOATS), ((3, 4), (4, 4), (2, 17), (3, 3, 3), (33, 2))):
        small = values(shape, name, "signed", 3)
        # Multiples of 16 are exact in bfloat16; e^2000 is in no format.
        large = {
            "2048": (wide(small) * 16 + 2048).astype(small.dtype),
            "integers": far_from_zero(small, name),
            "sixteens": far_from_zero(small, name, 16),
            "equal": far_from_zero(np.zeros(shape), name, 8),
        }
        for dim, sign, (size, positive) in product(range(len(shape)), (1, -1), large.items()):
            x = positive * np.asarray(sign, positive.dtype)
            for turned in (False, True):
                given = tensor_of(torch, device, x.T.copy() if turned else x)
                given = given.permute(*reversed(range(len(shape)))) if turned else given
                with case(dtype=name, shape=shape, dim=dim, sign=sign, turned=turned, size=size):
                    expected = layers.softmax(wide(x), dim)
                    bound = layers.softmax_bound(wide(x), dim, name)
                    assert_close(torch.softmax(given, dim), expected, bound)
                    logs = torch.nn.functional.log_softmax(given, dim)
                    expected = layers.log_softmax(wide(x), dim)
                    assert_close(logs, expected, layers.log_softmax_bound(wide(x), dim, name))


@clause("nn.softmax", covers=["mlnotes.activations"])
@for_all(
    shape=st.sampled_from(
        [(s, d) for s in (*ACTIVATED[2:], (5, 7, 3), (3, 17, 2), (2, 129), (33, 33), (2, 3, 2, 5),
                          (4, 4), (3, 3, 3))
         if 0 not in s for d in range(-len(s), len(s))]
    ),
    layout=layouts(),
    how=st.sampled_from([*product(FLOATS, ("small", "normal", "ties", "huge", "holes"))]),
    seed=seeds(),
)  # fmt: skip
def softmax_normalises_exponentials(
    torch: Any, device: str, shape: tuple[Shape, int], layout: str, how: tuple[str, str], seed: int
) -> None:
    """Softmax(dim) is e^x over the sum of e^x along dim, so its results add up to 1 there, also
    where e^x itself would overflow; -inf has no share. LogSoftmax is its logarithm. dtype= casts
    the operand first."""
    lengths, dim = shape
    dtype, regime = how
    functional = torch.nn.functional
    for name in supported([dtype]):
        x = values(lengths, name, "normal" if regime in ("huge", "holes") else regime, seed)
        if regime == "huge":
            x = (wide(x) * 500).astype(x.dtype)
        if regime == "holes":
            x.reshape(-1)[1::3] = -np.inf
            np.moveaxis(x, dim, 0)[0] = 0
        given = laid_out(torch, device, x, layout)
        expected = layers.softmax(wide(x), dim)
        bound = layers.softmax_bound(wide(x), dim, name)
        for spelling, got in (
            ("layer", torch.nn.Softmax(dim=dim)(given)),
            ("functional", functional.softmax(given, dim)),
            ("function", torch.softmax(given, dim=dim)),
            ("method", given.softmax(dim)),
        ):
            with case(spelling=spelling):
                assert_close(got, expected, bound)
        total = wide(read(functional.softmax(given, dim=dim))).sum(dim)
        off = np.abs(total - 1).max()
        allowed = (lengths[dim] + 16) * unit(name)
        assert_that(off <= allowed, f"the sum along dim is off by {off}")
        with case(spelling="LogSoftmax"):
            expected = layers.log_softmax(wide(x), dim)
            bound = layers.log_softmax_bound(wide(x), dim, name)
            assert_close(torch.nn.LogSoftmax(dim)(given), expected, bound)
            assert_close(functional.log_softmax(given, dim=dim), expected, bound)
        with case(spelling="dtype="):
            for other in supported(["float64"]):
                bound = layers.softmax_bound(wide(x), dim, other)
                wider = {"dtype": torch.float64}
                for got in (
                    functional.softmax(given, dim, **wider),
                    torch.softmax(given, dim, **wider),
                    given.softmax(dim, **wider),
                ):
                    assert_close(got, layers.softmax(wide(x), dim), bound)
                bound = layers.log_softmax_bound(wide(x), dim, other)
                for got in (
                    functional.log_softmax(given, dim, **wider),
                    torch.log_softmax(given, dim, **wider),
                    given.log_softmax(dim, **wider),
                ):
                    assert_close(got, layers.log_softmax(wide(x), dim), bound)
        assert_equal(given, x)
