"""Dtypes: what they are called, how large and how fine they are, and conversion between them."""

# In reading order.
from tenet.spec.dtype import names  # isort: skip
from tenet.spec.dtype import conversion  # isort: skip
from tenet.spec.dtype import numbers  # isort: skip
from tenet.spec.dtype import products  # isort: skip
from tenet.spec.dtype import halves  # isort: skip

__all__ = ["conversion", "halves", "names", "numbers", "products"]
