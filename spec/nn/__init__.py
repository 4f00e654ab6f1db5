"""Layers, losses and modules."""

from tenet.spec.nn import activations, gradients, layers, losses, modules, normalisation

__all__ = ["activations", "gradients", "layers", "losses", "modules", "normalisation"]
