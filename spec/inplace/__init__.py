"""In place: methods that end in an underscore, augmented assignment, and `out=`."""

# In reading order.
from tenet.spec.inplace import functions  # isort: skip
from tenet.spec.inplace import contents  # isort: skip
from tenet.spec.inplace import targets  # isort: skip
from tenet.spec.inplace import refusals  # isort: skip

__all__ = ["contents", "functions", "refusals", "targets"]
