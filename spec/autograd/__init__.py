"""Automatic differentiation: what is recorded, what backward() gives, and what it refuses.

Elements are small integers wherever a derivative allows, so gradients are exact in every dtype
and on every device; the derivatives of single operations are the operator tables' business.
"""

# In reading order.
from tenet.spec.autograd import recording  # isort: skip
from tenet.spec.autograd import backward  # isort: skip
from tenet.spec.autograd import routes  # isort: skip
from tenet.spec.autograd import dimensions  # isort: skip
from tenet.spec.autograd import lengths  # isort: skip
from tenet.spec.autograd import slopes  # isort: skip
from tenet.spec.autograd import points  # isort: skip
from tenet.spec.autograd import writes  # isort: skip
from tenet.spec.autograd import changes  # isort: skip
from tenet.spec.autograd import custom  # isort: skip

__all__ = [
    "backward",
    "changes",
    "custom",
    "dimensions",
    "lengths",
    "points",
    "recording",
    "routes",
    "slopes",
    "writes",
]
