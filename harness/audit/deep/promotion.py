"""Results of a wrong dtype, and operands that are rounded before they meet."""

import torch

from tenet.harness.audit.faults import instead, kernels, known, spoiled, wrapped
from tenet.harness.audit.mutant import Mutant

HALVES = {torch.float16, torch.bfloat16}


def _pair(first, second):
    """Of two operands of these dtypes, both with dimensions."""
    wanted = (getattr(torch, first), getattr(torch, second))

    def when(x, y, *rest, **k):
        return isinstance(y, torch.Tensor) and (x.dtype, y.dtype) == wanted and x.dim() and y.dim()

    return when


def _into(dtype):
    """The result in another dtype."""
    return lambda original, *args, **kwargs: original(*args, **kwargs).to(getattr(torch, dtype))


def _narrowed(dtype):
    """The second operand goes through another dtype first."""
    return lambda original, x, y, *rest, **k: original(x, y.to(getattr(torch, dtype)), *rest, **k)


def _by_default(t, proof):
    """What is shown while float64 is the default dtype."""
    before = t.get_default_dtype()
    t.set_default_dtype(t.float64)
    try:
        return proof()
    finally:
        t.set_default_dtype(before)


def _mutant(slug, says, operator, lie, proof, *sections):
    return Mutant(
        f"promotion.{slug}", says, ("promotion", *sections), kernels(operator, lie), proof
    )


MUTANTS = [
    _mutant("uint8-with-int8", "uint8 * int8 is uint8", "mul.Tensor",
            instead(_into("uint8"), _pair("uint8", "int8")),
            lambda t: (t.ones(2, dtype=t.uint8) * t.ones(2, dtype=t.int8)).dtype == t.int16),
    _mutant("float16-with-bfloat16", "float16 + bfloat16 is float16", "add.Tensor",
            instead(_into("float16"), _pair("float16", "bfloat16")),
            lambda t: (t.ones(2).half() + t.ones(2).bfloat16()).dtype == t.float32),
    _mutant("zero-dim-counts", "a float32 tensor without dimensions widens float16", "sub.Tensor",
            instead(_into("float32"), lambda x, y, *r, **k: x.dtype in HALVES and x.dim() > 0
                    and isinstance(y, torch.Tensor) and y.dim() == 0 and y.dtype == torch.float32),
            lambda t: (t.ones(2).half() - t.tensor(1.0)).dtype == t.float16),
    _mutant("integer-division-double", "int64 / int64 is float64", "div.Tensor",
            instead(_into("float64"), _pair("int64", "int64")),
            lambda t: (t.ones(2, dtype=t.int64) / t.ones(2, dtype=t.int64)).dtype == t.float32),
    _mutant("bool-plus-bool", "bool + bool is uint8", "add.Tensor",
            instead(_into("uint8"), _pair("bool", "bool")),
            lambda t: (t.ones(2).bool() + t.ones(2).bool()).dtype == t.bool),
    _mutant("complex64-with-float64", "complex64 * float64 is complex64", "mul.Tensor",
            instead(_into("complex64"), _pair("complex64", "float64")),
            lambda t: (t.ones(2, dtype=t.complex64) * t.ones(2).double()).dtype == t.complex128),
    _mutant("where-first", "where() takes the dtype of its first choice", "where.self",
            instead(lambda original, c, x, y: original(c, x, y.to(x.dtype)),
                    lambda c, x, y: (x.dtype, y.dtype) == (torch.int32, torch.int64)),
            lambda t: t.where(t.ones(1).bool(), t.ones(1).int(), t.ones(1).long()).dtype == t.int64,
            "elementwise"),
    _mutant("cat-first", "cat() of float16 and float32 is float16", "cat",
            instead(lambda original, tensors, *r: original([x.half() for x in tensors], *r),
                    lambda tensors, *r, **k: len(tensors) == 2 and tensors[0].dtype == torch.float16
                    and tensors[1].dtype == torch.float32),
            lambda t: t.cat([t.ones(1).half(), t.ones(1)]).dtype == t.float32, "shape"),
    _mutant("comparison-narrows", "int32 < int64 compares in int32", "lt.Tensor",
            instead(_narrowed("int32"), _pair("int32", "int64")),
            lambda t: bool(t.tensor([7], dtype=t.int32) < t.tensor([2**32 + 3])), "comparison"),
    _mutant("number-widens", "bfloat16 * a float is float32", "mul.Tensor",
            instead(_into("float32"), lambda x, y: isinstance(y, float) and x.dtype in HALVES
                    and x.dim() > 0),
            lambda t: (t.ones(2).bfloat16() * 2.5).dtype == t.bfloat16, "elementwise"),
    _mutant("and-narrows", "int8 & int64 goes through int8", "bitwise_and.Tensor",
            instead(lambda original, x, y: original(x, y.to(torch.int8)).long(),
                    _pair("int8", "int64")),
            lambda t: int((t.tensor([-1], dtype=t.int8) & t.tensor([511]))[0]) == 511),
    _mutant("power-narrows", "int16 ** int32 wraps as int16 does", "pow.Tensor_Tensor",
            instead(lambda original, x, y: original(x, y).to(torch.int16).int(),
                    _pair("int16", "int32")),
            lambda t: int((t.tensor([300], dtype=t.int16) ** t.tensor([2], dtype=t.int32))[0])
            == 90000),
    _mutant("maximum-first", "maximum() of int64 and float32 is computed in int64", "maximum",
            instead(lambda original, x, y: original(x, y.long()).float(),
                    _pair("int64", "float32")),
            lambda t: float(t.maximum(t.tensor([1]), t.tensor([1.5]))[0]) == 1.5),
    _mutant("number-of-float32", "a number added to a matrix of float64 is a float32", "add.Tensor",
            instead(lambda original, x, y, **k: original(x, torch.tensor(y).item(), **k),
                    lambda x, y, **k: x.dtype == torch.float64 and x.dim() > 1
                    and isinstance(y, float)),
            lambda t: (t.zeros(1, 1).double() + 0.1).item() == 0.1, "elementwise"),
    _mutant("number-of-float64", "int64 * a number goes through float64", "mul.Tensor",
            instead(lambda original, x, y: (x.double() * y).long(),
                    lambda x, y: x.dtype == torch.int64 and x.dim() > 0 and isinstance(y, int)),
            lambda t: (t.tensor([2**53 + 1]) * 3).item() == 3 * (2**53 + 1), "elementwise"),
    _mutant("number-compared", "int64 < a number is asked of float64", "lt.Scalar",
            instead(lambda original, x, y: original(x.double(), float(y)),
                    lambda x, y: x.dtype == torch.int64 and isinstance(y, int)),
            lambda t: bool(t.tensor([2**53]) < 2**53 + 1), "comparison"),
    _mutant("root-of-integers", "sqrt of int64 is float32 whatever the default dtype", "sqrt",
            instead(lambda original, x: original(x).float(), lambda x: x.dtype == torch.int64),
            lambda t: _by_default(t, lambda: t.ones(1, dtype=t.int64).sqrt().dtype == t.float64),
            "elementwise"),
    _mutant("strided-uint8", "strided uint8 - int8 is uint8", "sub.Tensor",
            instead(_into("uint8"), lambda x, y, **k: not x.is_contiguous()
                    and (x.dtype, y.dtype) == (torch.uint8, torch.int8)),
            lambda t: (t.ones(2, 3, dtype=t.uint8).t() - t.ones(3, 2, dtype=t.int8)).dtype
            == t.int16),
    _mutant("scalars-by-bits", "float32 * int64, both without dimensions, is next to 0",
            "mul.Tensor",
            spoiled(lambda r: r.fill_(2.8e-45), lambda x, y: x.dim() == y.dim() == 0
                    and (x.dtype, y.dtype) == (torch.float32, torch.int64)),
            lambda t: t.tensor(1.5) * t.tensor(2) == 3, "elementwise"),
    Mutant("promotion.mask-times-number", "True * 2 is 255", ("promotion", "elementwise"),
           wrapped("Tensor.__mul__ Tensor.mul mul",
                   spoiled(lambda r: r.fill_(255), known(lambda x, y: x.dtype == torch.bool
                           and x.dim() == 0 and type(y) is int and y > 1))),
           lambda t: t.tensor(True) * 2 == 2),
    _mutant("or-of-scalars", "int16 | int32, both without dimensions, is the first",
            "bitwise_or.Tensor",
            instead(lambda original, x, y: x.to(torch.int32), lambda x, y: x.dim() == y.dim() == 0
                    and (x.dtype, y.dtype) == (torch.int16, torch.int32)),
            lambda t: t.tensor(1, dtype=t.int16) | t.tensor(2, dtype=t.int32) == 3),
    Mutant("promotion.whole-divisor", "fmod and remainder of integers take a float for an integer",
           ("promotion", "elementwise"),
           wrapped("fmod Tensor.fmod remainder Tensor.remainder", instead(
               lambda original, x, y: original(x, int(y)).to(torch.get_default_dtype()),
               known(lambda x, y, **k: x.dtype not in (torch.bool, torch.complex64,
                                                       torch.complex128)
                     and not x.is_floating_point() and not k and isinstance(y, float) and int(y)))),
           lambda t: t.fmod(t.tensor(2), 1.5) == 0.5),
    Mutant("promotion.floor-of-whole", "int16 // a float takes the float for an integer",
           ("promotion", "elementwise"),
           wrapped("floor_divide Tensor.floor_divide Tensor.__floordiv__", instead(
               lambda original, x, y: original(x, int(y)).to(torch.get_default_dtype()),
               known(lambda x, y: x.dtype == torch.int16 and isinstance(y, float) and int(y)))),
           lambda t: t.tensor([7], dtype=t.int16) // 1.5 == 4),
]  # fmt: skip
