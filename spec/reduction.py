"""Reductions."""
from tenet.spec.operators.laws import hold
from tenet.spec.operators.reductions import REDUCTIONS
hold(REDUCTIONS, covers=("mlnotes.dim-is-axis",))
