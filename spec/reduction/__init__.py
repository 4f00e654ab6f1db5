"""Reductions: the laws over the table, and what the documents say beyond them."""

# In reading order.
from tenet.spec.reduction import table  # isort: skip
from tenet.spec.reduction import whole  # isort: skip
from tenet.spec.reduction import special  # isort: skip
from tenet.spec.reduction import dimensions  # isort: skip
from tenet.spec.reduction import selection  # isort: skip
from tenet.spec.reduction import spread  # isort: skip
from tenet.spec.reduction import lengths  # isort: skip

__all__ = ["dimensions", "lengths", "selection", "special", "spread", "table", "whole"]
