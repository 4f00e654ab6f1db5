"""Products of vectors and matrices: the laws over the table."""

from __future__ import annotations

from tenet.spec.operators.laws import hold
from tenet.spec.operators.products import PRODUCTS
from tenet.spec.operators.solving import SOLVING

hold(PRODUCTS, covers=("notes.matmul-family",))
hold(SOLVING, covers=("notes.matmul-family",), effort=0.1)
