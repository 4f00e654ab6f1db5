"""A namespace that speaks a little of PyTorch's API: it stands in for a library of its own."""

import torch

__version__ = "0.1"

SPOKEN = """
    Size Tensor arange bfloat16 bool device dtype empty equal eye float16 float32 float64
    int8 int16 int32 int64 manual_seed ones tensor uint8 zeros
"""

globals().update({name: getattr(torch, name) for name in SPOKEN.split()})
