"""What clauses are tried on: Hypothesis strategies that yield plain data, never tensors.

An example is drawn as a description (shapes, layout, value regime, seed) and its data is made
with NumPy, which is fast; everything is ordered so that shrinking ends at the simplest.
"""

from tenet.spec.cases.encoding import decode, encode
from tenet.spec.cases.layouts import LAYOUTS, WRITABLE, Arrangement, arrange
from tenet.spec.cases.operands import Operand, Place, layouts, operand, operands, place, tensor_of
from tenet.spec.cases.shapes import (
    EVERY_LENGTH,
    LENGTHS,
    MANY,
    broadcast_shapes,
    broadcastable,
    incompatible_shapes,
    selections,
    shapes,
    with_dim,
)
from tenet.spec.cases.values import REGIMES, regimes, seeds, values

__all__ = [
    "EVERY_LENGTH",
    "LAYOUTS",
    "LENGTHS",
    "MANY",
    "REGIMES",
    "WRITABLE",
    "Arrangement",
    "Operand",
    "Place",
    "arrange",
    "broadcast_shapes",
    "broadcastable",
    "decode",
    "encode",
    "incompatible_shapes",
    "layouts",
    "operand",
    "operands",
    "place",
    "regimes",
    "seeds",
    "selections",
    "shapes",
    "tensor_of",
    "values",
    "with_dim",
]
