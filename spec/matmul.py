"""Products of vectors, matrices and batches of matrices."""
from tenet.spec.operators.laws import hold
from tenet.spec.operators.products import PRODUCTS
hold(PRODUCTS, covers=("notes.matmul-family",))
