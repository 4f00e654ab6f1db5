"""The laws over the table of index operations and joins; and some of their calls, written out."""

from __future__ import annotations

from typing import Any

from tenet.spec.cases.written import INDEXED, gives_what_is_written
from tenet.spec.language import clause, supported
from tenet.spec.model.dtypes import FLOATS, INTEGERS
from tenet.spec.operators.indexing import INDEXING
from tenet.spec.operators.joins import JOINS
from tenet.spec.operators.laws import hold

for operators in (INDEXING, JOINS):
    hold(operators, covers=("basics.index-like-numpy",), effort=0.1)


@clause(
    "indexing.written-out",
    covers=[
        "notes.scatter-gather",
        "notes.index-put",
        "notes.sort-topk",
        "basics.nonzero",
        "basics.gather",
    ],
    thorough=True,
)
def indexing_functions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what NumPy or a count by hand gives: a shorter
    index, a dimension from either end, masks that broadcast, reductions with and without the
    elements that are there, the order of equal elements, the side of a boundary; in every dtype
    of numbers that have an order."""
    for turn, dtype in enumerate(supported(FLOATS + INTEGERS)):
        rows = (row.with_elements(dtype) for row in INDEXED)
        gives_what_is_written(torch, device, rows, turn)
