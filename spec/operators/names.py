"""What the documents call the operands: they may be handed over by these names, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tenet.spec.operators.operator import Operator

_USUAL = ("input", "other")

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "addbmm": "input batch1 batch2",
        "addcdiv": "input tensor1 tensor2",
        "addcmul": "input tensor1 tensor2",
        "addmm": "input mat1 mat2",
        "addmv": "input mat vec",
        "addr": "input vec1 vec2",
        "baddbmm": "input batch1 batch2",
        "bmm": "input mat2",
        "bucketize": "input boundaries",
        "cdist": "x1 x2",
        "clamp": "input min max",
        "complex": "real imag",
        "cumulative_trapezoid": "y x",
        "dot": "input tensor",
        "float_power": "input exponent",
        "gather": "input index",
        "heaviside": "input values",
        "index_add": "input index source",
        "index_copy": "input index source",
        "index_select": "input index",
        "isin": "elements test_elements",
        "lerp": "input end weight",
        "linalg.det": "A",
        "linalg.inv": "A",
        "linalg.slogdet": "A",
        "linalg.solve": "A B",
        "linalg.vecdot": "x y",
        "linalg.vector_norm": "x",
        "mm": "input mat2",
        "mv": "input vec",
        "nn.functional.cosine_similarity": "x1 x2",
        "nn.functional.linear": "input weight bias",
        "nn.functional.pairwise_distance": "x1 x2",
        "nn.functional.prelu": "input weight",
        "outer": "input vec2",
        "polar": "abs angle",
        "pow": "input exponent",
        "repeat_interleave": "input repeats",
        "scatter": "input index src",
        "scatter_add": "input index src",
        "scatter_reduce": "input index src",
        "take": "input index",
        "take_along_dim": "input indices",
        "tensordot": "a b",
        "trapezoid": "y x",
        "where": "condition input other",
        # Any number of tensors.
        "block_diag": "",
        # PyTorch refuses the `A` of its documents, and takes `input`.
        "linalg.cholesky": "",
        "linalg.matrix_power": "",
        # Methods, whose functions stand in no document.
        "index_fill": "",
        "masked_fill": "",
        "masked_scatter": "",
        "put": "",
    }
)


def names_of(operator: Operator) -> tuple[str, ...]:
    """The names of its operands, in their order; none where they cannot be named."""
    if operator.listed:
        return ("tensors",)
    told = _NAMES.get(operator.name)
    return _USUAL if told is None else tuple(told.split())
