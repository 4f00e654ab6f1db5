"""Data sets, samplers and the loader that makes batches of them."""

# In reading order.
from tenet.spec.data import batches  # isort: skip
from tenet.spec.data import shuffling  # isort: skip
from tenet.spec.data import workers  # isort: skip
from tenet.spec.data import collation  # isort: skip
from tenet.spec.data import samplers  # isort: skip
from tenet.spec.data import sets  # isort: skip
from tenet.spec.data import errors  # isort: skip

__all__ = ["batches", "collation", "errors", "samplers", "sets", "shuffling", "workers"]
