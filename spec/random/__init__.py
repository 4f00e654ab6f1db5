"""Random numbers: the laws that samples follow, and the streams that they come from.

No clause knows the numbers of a stream: they differ between devices and releases. What a clause
asks of samples holds for every stream but with a probability of 1e-16 (`model.statistics`).
"""

# In reading order.
from tenet.spec.random import laws  # isort: skip
from tenet.spec.random import integers  # isort: skip
from tenet.spec.random import parameters  # isort: skip
from tenet.spec.random import multinomial  # isort: skip
from tenet.spec.random import dropout  # isort: skip
from tenet.spec.random import streams  # isort: skip
from tenet.spec.random import runs  # isort: skip

__all__ = ["dropout", "integers", "laws", "multinomial", "parameters", "runs", "streams"]
