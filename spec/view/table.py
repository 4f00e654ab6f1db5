"""Views: the laws over the table."""

from __future__ import annotations

from tenet.spec.operators.laws import hold
from tenet.spec.operators.views import VIEWS

hold(VIEWS, covers=("notes.view-operations",), effort=0.1)
