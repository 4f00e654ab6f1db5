"""Type promotion: the dtype of a result, and the values that follow from it."""

# In reading order.
from tenet.spec.promotion import lattice  # isort: skip
from tenet.spec.promotion import results  # isort: skip
from tenet.spec.promotion import computed  # isort: skip
from tenet.spec.promotion import targets  # isort: skip

__all__ = ["computed", "lattice", "results", "targets"]
