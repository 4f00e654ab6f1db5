"""Point-wise operations: the laws over the table, and what the documents say beyond them."""

# In reading order.
from tenet.spec.elementwise import table  # isort: skip
from tenet.spec.elementwise import operands  # isort: skip
from tenet.spec.elementwise import special  # isort: skip
from tenet.spec.elementwise import whole  # isort: skip
from tenet.spec.elementwise import floats  # isort: skip

__all__ = ["floats", "operands", "special", "table", "whole"]
