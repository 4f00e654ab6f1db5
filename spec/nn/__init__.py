"""Layers, losses and modules."""

from tenet.spec.nn import (
    activations,
    expanded,
    gradients,
    layers,
    lengths,
    losses,
    modules,
    normalisation,
    weights,
)

__all__ = [
    "activations",
    "expanded",
    "gradients",
    "layers",
    "lengths",
    "losses",
    "modules",
    "normalisation",
    "weights",
]
