"""Creation: tensors from data, filled, evenly spaced, and after the model of another tensor."""

# In reading order.
from tenet.spec.creation import data  # isort: skip
from tenet.spec.creation import filled  # isort: skip
from tenet.spec.creation import spaced  # isort: skip
from tenet.spec.creation import modelled  # isort: skip
from tenet.spec.creation import factories  # isort: skip

__all__ = ["data", "factories", "filled", "modelled", "spaced"]
