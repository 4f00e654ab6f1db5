"""Products of vectors and matrices: the laws over the table, and what is said beyond them."""

# In reading order.
from tenet.spec.matmul import table  # isort: skip
from tenet.spec.matmul import ranks  # isort: skip
from tenet.spec.matmul import family  # isort: skip
from tenet.spec.matmul import contractions  # isort: skip
from tenet.spec.matmul import solving  # isort: skip
from tenet.spec.matmul import lengths  # isort: skip

__all__ = ["contractions", "family", "lengths", "ranks", "solving", "table"]
