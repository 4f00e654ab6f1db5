"""Views: other shapes, strides and offsets over the same memory, and what never shares it.

The memory of the base is modelled as a flat array, a view as a Geometry (`model.strides`): what
a view reads, and what a write through it changes, follows from the address of each element.
"""

# In reading order.
from tenet.spec.view import table  # isort: skip
from tenet.spec.view import memory  # isort: skip
from tenet.spec.view import operations  # isort: skip
from tenet.spec.view import writes  # isort: skip
from tenet.spec.view import copies  # isort: skip
from tenet.spec.view import readings  # isort: skip

__all__ = ["copies", "memory", "operations", "readings", "table", "writes"]
