"""Reductions: the laws over the table."""

from __future__ import annotations

from tenet.spec.operators.laws import hold
from tenet.spec.operators.measuring import MEASURING
from tenet.spec.operators.reductions import REDUCTIONS

hold(REDUCTIONS, covers=("mlnotes.dim-is-axis",))
hold(MEASURING, covers=("mlnotes.dim-is-axis",), effort=0.1)
