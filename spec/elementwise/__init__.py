"""Point-wise operations: the laws over the table, and what the documents say beyond them."""

# In reading order.
from tenet.spec.elementwise import table  # isort: skip
from tenet.spec.elementwise import operands  # isort: skip
from tenet.spec.elementwise import special  # isort: skip
from tenet.spec.elementwise import octaves  # isort: skip
from tenet.spec.elementwise import whole  # isort: skip
from tenet.spec.elementwise import floats  # isort: skip
from tenet.spec.elementwise import numbers  # isort: skip
from tenet.spec.elementwise import complexes  # isort: skip

__all__ = [
    "complexes",
    "floats",
    "numbers",
    "octaves",
    "operands",
    "special",
    "table",
    "whole",
]
