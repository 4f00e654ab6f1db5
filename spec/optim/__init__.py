"""Optimizers, learning rate schedules and gradient clipping."""

# In reading order.
from tenet.spec.optim import families  # isort: skip
from tenet.spec.optim import state  # isort: skip
from tenet.spec.optim import schedules  # isort: skip
from tenet.spec.optim import clipping  # isort: skip
from tenet.spec.optim import fused  # isort: skip

__all__ = ["clipping", "families", "fused", "schedules", "state"]
