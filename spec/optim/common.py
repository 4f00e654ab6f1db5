"""What the clauses on optimizers share: their families and forms, and a course of gradients."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tenet.spec.cases import tensor_of, values
from tenet.spec.language import read
from tenet.spec.model import optimizers
from tenet.spec.model.layers import Array

SINGLE = ("float32", "float64")
STEPS = 12
Shape = tuple[int, ...]
Options = dict[str, Any]

# Odd lengths, a number, an empty one: what an implementation that joins parameters mixes up.
SHAPES: tuple[Shape, ...] = ((3,), (), (2, 5), (0,), (17,), (129,), (3, 1, 4))
COUNT = sum(math.prod(shape) for shape in SHAPES)


class Family(NamedTuple):
    """An optimizer: its class, its reference, and options worth trying, alone and together."""

    name: str
    reference: optimizers.Method
    required: Options
    options: tuple[Options, ...]
    fused: bool = True


FAMILIES = {
    "SGD": Family(
        "SGD", optimizers.sgd, {"lr": 0.1},
        ({}, {"lr": 1e-3}, {"momentum": 0.9}, {"weight_decay": 0.1}, {"maximize": True},
         {"momentum": 0.9, "dampening": 0.3}, {"momentum": 0.9, "nesterov": True},
         {"momentum": 0.5, "weight_decay": 0.2, "maximize": True},
         {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05, "lr": 0.03},
         {"momentum": 0.7, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}, {"lr": 0.0}),
    ),
    "Adam": Family(
        "Adam", optimizers.adam, {},
        ({}, {"lr": 0.1}, {"betas": (0.5, 0.7)}, {"eps": 0.1}, {"weight_decay": 0.1},
         {"amsgrad": True, "betas": (0.9, 0.5)}, {"maximize": True}, {"betas": (0.0, 0.9)},
         {"lr": 0.05, "betas": (0.8, 0.6), "eps": 0.01, "weight_decay": 0.2, "amsgrad": True},
         {"lr": 0.02, "weight_decay": 0.1, "maximize": True, "eps": 0.5}),
    ),
    "AdamW": Family(
        "AdamW", optimizers.adamw, {},
        ({}, {"lr": 0.1}, {"betas": (0.5, 0.7)}, {"eps": 0.1}, {"weight_decay": 0.3, "lr": 0.05},
         {"weight_decay": 0.0}, {"amsgrad": True, "betas": (0.9, 0.5)}, {"maximize": True},
         {"lr": 0.05, "betas": (0.8, 0.6), "eps": 0.01, "weight_decay": 0.2, "amsgrad": True,
          "maximize": True}),
    ),
    "RMSprop": Family(
        "RMSprop", optimizers.rmsprop, {},
        ({}, {"lr": 0.1}, {"alpha": 0.5}, {"eps": 0.1}, {"weight_decay": 0.1}, {"momentum": 0.8},
         {"centered": True, "eps": 0.01}, {"maximize": True},
         {"centered": True, "momentum": 0.5, "alpha": 0.8, "eps": 0.1, "weight_decay": 0.1}),
        False,
    ),
    "Adagrad": Family(
        "Adagrad", optimizers.adagrad, {},
        ({}, {"lr": 0.5}, {"lr_decay": 0.2}, {"weight_decay": 0.1}, {"eps": 0.3},
         {"initial_accumulator_value": 0.7}, {"maximize": True},
         {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.2, "eps": 0.1, "maximize": True,
          "initial_accumulator_value": 0.1}),
    ),
}  # fmt: skip
FORMS: dict[str, Options] = {
    "default": {}, "for-loop": {"foreach": False}, "foreach": {"foreach": True},
    "fused": {"fused": True},
}  # fmt: skip
JOINED_ON = ("cpu", "cuda")
"""Where parameters may be joined by foreach and fused forms; elsewhere these may raise."""


def forms_of(family: Family) -> list[str]:
    return [form for form in FORMS if form != "fused" or family.fused]


def options_of(torch: Any, device: str, form: str) -> Options:
    """The options that ask for a form; the default one where the device has no such form."""
    known = form in ("default", "for-loop") or torch.device(device).type in JOINED_ON
    return FORMS[form if known else "default"]


def parameters(torch: Any, device: str, numbers: Array, *, turned: bool = False) -> list[Any]:
    """One parameter of each shape, with the numbers in turn; turned: the matrix lies transposed."""
    made, start = [], 0
    for shape in SHAPES:
        array = numbers[start : start + math.prod(shape)].reshape(shape)
        start += array.size
        tensor = tensor_of(torch, device, array)
        if turned and array.ndim == 2:
            tensor = tensor_of(torch, device, np.ascontiguousarray(array.T)).t()
        made.append(torch.nn.Parameter(tensor))
    return made


def give(held: list[Any], numbers: Any) -> None:
    """Every parameter gets its share of the numbers, a tensor, as its gradient.

    It lies in memory as the parameter does, which is how backward() leaves it.
    """
    start = 0
    for parameter in held:
        count, shape = parameter.numel(), tuple(parameter.shape)
        gradient = numbers[start : start + count].view(shape)
        if not parameter.is_contiguous():
            gradient = gradient.t().contiguous().t()
        parameter.grad = gradient
        start += count


def flat(held: list[Any]) -> Array:
    """The numbers of all parameters, one after the other."""
    return np.concatenate([read(parameter).reshape(-1) for parameter in held])


def steps(torch: Any, device: str, optimizer: Any, held: list[Any], gradients: Array) -> None:
    every = tensor_of(torch, device, gradients)
    for gradient in every:
        give(held, gradient)
        optimizer.step()


def course(name: str, seed: int, count: int = STEPS) -> tuple[Array, Array]:
    """Where the parameters begin, and a gradient for every step; some elements have none."""
    start = values((COUNT,), name, "normal", seed)
    gradients = values((count, COUNT), name, "normal", seed + 1)
    gradients[:, 5::7] = 0
    gradients[: count // 2, 6::11] = 0
    return start, gradients
