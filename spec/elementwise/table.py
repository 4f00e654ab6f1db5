"""The laws over the table of point-wise operations; and some of their calls, written out."""

from __future__ import annotations

from typing import Any

from tenet.spec.cases.written import COMPUTED, gives_what_is_written
from tenet.spec.language import clause
from tenet.spec.operators.activations import ACTIVATIONS
from tenet.spec.operators.laws import hold
from tenet.spec.operators.mixed import MIXED
from tenet.spec.operators.pointwise import POINTWISE
from tenet.spec.operators.special import SPECIAL

for operators, effort in ((POINTWISE, 0.15), (MIXED, 0.1), (SPECIAL, 0.1), (ACTIVATIONS, 0.12)):
    covers = ("notes.elementwise-family", "notes.layout-independence")
    hold(operators, covers=covers, effort=effort)


@clause(
    "elementwise.written-out",
    covers=["notes.elementwise-family", "notes.promotion-categories", "notes.nan-propagation"],
)
def element_wise_functions_follow_their_arguments(torch: Any, device: str) -> None:
    """Calls with every argument written out give what a count by hand gives: numbers of another
    category than the tensor's, crossed limits, ties, roundings of every mode, NaN and
    infinities where an argument says what becomes of them."""
    gives_what_is_written(torch, device, COMPUTED)
