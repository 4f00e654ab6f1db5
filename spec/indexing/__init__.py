"""Indexing: picking elements and writing them, by place, by index tensor, by mask, by rank."""

# In reading order.
from tenet.spec.indexing import table  # isort: skip
from tenet.spec.indexing import basic  # isort: skip
from tenet.spec.indexing import advanced  # isort: skip
from tenet.spec.indexing import places  # isort: skip
from tenet.spec.indexing import order  # isort: skip
from tenet.spec.indexing import lengths  # isort: skip

__all__ = ["advanced", "basic", "lengths", "order", "places", "table"]
