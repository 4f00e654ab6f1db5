"""Calls written out: every argument at hand, in the order and the forms of the documents.

What is drawn elsewhere meets an option now and then; here each one stands in a line, with what
NumPy or a count by hand makes of it.
"""

from tenet.spec.cases.written.computed import COMPUTED, MULTIPLIED
from tenet.spec.cases.written.indexed import INDEXED
from tenet.spec.cases.written.language import gives_what_is_written
from tenet.spec.cases.written.moved import JOINS, MOVED
from tenet.spec.cases.written.reduced import REDUCED

__all__ = [
    "COMPUTED",
    "INDEXED",
    "JOINS",
    "MOVED",
    "MULTIPLIED",
    "REDUCED",
    "gives_what_is_written",
]
