"""Tensors that begin with a wrong element, dtype or length."""

import torch

from tenet.harness.audit.faults import (
    instead,
    kernels,
    known,
    last,
    length,
    of,
    rank,
    spoiled,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _kernel(slug, says, operator, lie, proof, *sections):
    sections = ("creation", *sections)
    return Mutant(f"creation.{slug}", says, sections, kernels(operator, lie), proof)


def _name(slug, says, names, lie, proof, *sections):
    sections = ("creation", *sections)
    return Mutant(f"creation.{slug}", says, sections, wrapped(names, lie), proof)


def _spoilt(how, when):
    """A wrapped function whose result is changed where a condition holds for it."""

    def lie(right, *args, **kwargs):
        result = right(*args, **kwargs)
        if result.device.type == "cpu" and when(result):
            how(result.detach())
        return result

    return lie


def _accumulated(right, *args, **kwargs):
    """Steps are added one after another, in float32."""
    result = right(*args, **kwargs)
    if result.dtype != torch.float32 or result.numel() < 3 or result.device.type != "cpu":
        return result
    first, step = result[0].clone(), result[1] - result[0]
    with torch.no_grad():
        for place in range(1, result.numel()):
            first = first + step
            result[place] = first
    return result


MUTANTS = [
    _kernel("zeros-1025", "the last of 1025 zeros is 1", "zero_", spoiled(last, length(1025)),
            lambda t: t.zeros(1025).sum() == 0, "inplace"),
    _kernel("ones-int8", "full of int8 ends with another number", "fill_.Scalar",
            spoiled(last, of("int8")), lambda t: t.ones(3, dtype=t.int8).sum() == 3, "inplace"),
    _kernel("arange-step", "arange with a step of 3 ends wrongly", "arange.start_out",
            spoiled(last, lambda start, end, step=1, *, out: step == 3),
            lambda t: t.arange(0, 9, 3).tolist() == [0, 3, 6]),
    _kernel("arange-negative", "arange downwards leaves out its last", "arange.start_out",
            instead(lambda original, start, end, step=1, *, out: original(
                start, end - step, step, out=out), lambda start, end, step=1, *, out: step < 0
                and end + abs(step) < start),
            lambda t: t.arange(3, 0, -1).tolist() == [3, 2, 1]),
    _name("arange-drifts", "arange of float32 adds its step again and again", "arange",
          _accumulated, lambda t: t.arange(0, 100, 0.1)[-1] == t.tensor(99.9)),
    _kernel("linspace-end", "linspace of 17 float64 ends a unit early", "linspace.out",
            spoiled(lambda r: r[-1:].mul_(1 - 2**-50), lambda a, b, n, *, out: n == 17
                    and out.dtype == torch.float64),
            lambda t: t.linspace(0, 1, 17, dtype=t.float64)[-1] == 1),
    _name("linspace-drifts", "linspace of float32 adds its step again and again", "linspace",
          _accumulated, lambda t: t.linspace(0, 1, 1001)[-1] == 1),
    _kernel("eye-wide", "eye with more columns than rows ends in 1", "eye.m_out",
            spoiled(lambda r: r[-1, -1].fill_(1), lambda n, m, *, out: n < m and n > 0),
            lambda t: t.eye(2, 3).sum() == 2),
    _name("full-bool", "full of True is int64", "full",
          lambda right, size, value, **k: right(
              size, int(value) if type(value) is bool and not k.get("dtype")
              else value, **k),
          lambda t: t.full((2,), True).dtype == t.bool),
    _name("ones-like-bfloat16", "ones_like of bfloat16 is float32", "ones_like",
          lambda right, x, **k: right(x, **({"dtype": torch.float32} | k)
                                      if x.dtype == torch.bfloat16 else k),
          lambda t: t.ones_like(t.ones(1).bfloat16()).dtype == t.bfloat16),
    _name("zeros-like-transposed", "zeros_like of a transposed matrix is contiguous", "zeros_like",
          lambda right, x, **k: right(x.contiguous() if x.dim() == 2 else x, **k),
          lambda t: t.zeros_like(t.ones(2, 3).t()).stride() == (1, 3), "attributes"),
    _name("tensor-of-bools", "tensor() of bools and integers is bool", "tensor",
          lambda right, data, *a, **k: right(
              [bool(x) for x in data] if type(data) is list and {type(x) for x in data}
              == {bool, int} and not k.get("dtype") else data, *a, **k),
          lambda t: t.tensor([True, 2]).dtype == t.int64),
    _name("tensor-of-three", "tensor() of lists three deep swaps two lengths that are equal",
          "tensor",
          lambda right, data, *a, **k: (lambda x: x.transpose(0, 1).contiguous()
                                        if type(data) is list and x.dim() == 3
                                        and x.shape[0] == x.shape[1] else x)(right(data, *a, **k)),
          lambda t: t.tensor([[[1], [2]], [[3], [4]]])[0, 1] == 2),
    _name("tensor-rounds", "tensor() of a float for float16 goes through bfloat16", "tensor",
          lambda right, data, *a, **k: right(data, *a, **k) if k.get("dtype") != torch.float16
          or type(data) is not list else right(data, *a, **{**k, "dtype": torch.float64}).to(
              torch.bfloat16).half(),
          lambda t: t.tensor([1.001953125], dtype=t.float16) != 1, "dtype"),
    _name("new-full-int64", "new_full of float64 with an integer is int64", "Tensor.new_full",
          lambda right, x, size, value, **k: right(x, size, value, **(
              {"dtype": torch.int64} | k if type(value) is int and x.dtype == torch.float64
              else k)),
          lambda t: t.ones(1).double().new_full((1,), 2).dtype == t.float64),
    _name("empty-shape", "empty of four dimensions gets a size of one too many", "empty",
          lambda right, *a, **k: right(*a, **k).unsqueeze(0) if len(a) == 4 else right(*a, **k),
          lambda t: t.empty(1, 1, 1, 1).dim() == 4),
    _name("as-tensor-dtype", "as_tensor of an array of float64 is float32", "as_tensor",
          lambda right, data, *a, **k: right(data, *a, **(k or {"dtype": torch.float32}))
          if getattr(data, "dtype", None) == "float64" else right(data, *a, **k),
          lambda t: t.as_tensor(t.ones(1).double().numpy()).dtype == t.float64, "numpy"),
    _kernel("scalar-tensor", "tensors without dimensions of int16 hold one more", "_to_copy",
            spoiled(last, lambda x, **k: x.dim() == 0 and k.get("dtype") == torch.int16),
            lambda t: t.tensor(1).to(t.int16) == 1, "dtype", "device"),
    _name("zeros-requires-grad", "zeros of float64 forgets requires_grad", "zeros",
          lambda right, *a, **k: right(*a, **{n: v for n, v in k.items() if n != "requires_grad"
                                              or k.get("dtype") != torch.float64}),
          lambda t: t.zeros(1, dtype=t.float64, requires_grad=True).requires_grad,
          "autograd", "attributes"),
    _name("eye-of-one", "eye(1) has one dimension", "eye",
          lambda right, *a, **k: right(*a, **k).flatten() if a == (1,) and "out" not in k
          else right(*a, **k), lambda t: t.eye(1).dim() == 2),
    _name("ones-rank-4", "ones of four dimensions ends in another number", "ones",
          _spoilt(last, rank(4)), lambda t: t.ones(1, 1, 1, 2).sum() == 2),
    _kernel("full-like-kind", "full_like of int32 and a float is float32", "full_like",
            instead(lambda right, x, value, **k: right(x, value, **{**k, "dtype": torch.float32}),
                    lambda x, value, **k: x.dtype == torch.int32 and isinstance(value, float)
                    and k.get("dtype") is None),
            lambda t: t.full_like(t.ones(1, dtype=t.int32), 2.5).dtype == t.int32),
    _name("arange-whole-float", "arange of an integer and a whole float has integers", "arange",
          instead(lambda right, a, b, **k: right(a, int(b), **k),
                  lambda *a, **k: len(a) == 2 and isinstance(a[0], int) and isinstance(a[1], float)
                  and a[1].is_integer() and k.get("dtype") is None and "out" not in k),
          lambda t: t.arange(0, 3.0).dtype == t.float32),
    _name("linspace-tensor-end", "linspace rounds an end that is a tensor to float16", "linspace",
          instead(lambda right, a, b, *rest, **k: right(a, b.half().item(), *rest, **k),
                  known(lambda a, b, *rest, **k: isinstance(b, torch.Tensor))),
          lambda t: t.linspace(0, t.tensor(0.1), 3)[-1] == t.tensor(0.1)),
    _name("full-like-fraction", "full_like of integers cuts a fraction, whatever dtype= says",
          "full_like",
          instead(lambda right, x, value, **k: right(x, int(value), **k),
                  known(lambda x, value, **k: type(value) is float and k.get("dtype")
                        and not x.is_floating_point() and abs(value) < 9)),
          lambda t: t.full_like(t.ones(2).int(), 2.5, dtype=t.float32)[0] == 2.5),
    _name("new-full-fraction", "new_full of integers cuts a fraction, whatever dtype= says",
          "Tensor.new_full",
          instead(lambda right, x, size, value, **k: right(x, size, int(value), **k),
                  known(lambda x, size, value, **k: type(value) is float and k.get("dtype")
                        and not x.is_floating_point() and abs(value) < 9)),
          lambda t: t.ones(2).int().new_full((2,), 2.5, dtype=t.float32)[0] == 2.5),
    _name("new-tensor-of-array", "new_tensor of an array has the array's dtype",
          "Tensor.new_tensor",
          instead(lambda right, x, data, **k: torch.tensor(data),
                  known(lambda x, data, **k: hasattr(data, "strides") and not k.get("dtype"))),
          lambda t: t.ones(1).int().new_tensor(t.ones(1).numpy()).dtype == t.int32),
    _name("like-of-expanded", "ones_like of what is expanded is expanded", "ones_like",
          instead(lambda right, x, **k: right(x[:1], **k).expand(x.shape),
                  known(lambda x, **k: len(x) > 1 and x.stride(0) == 0)),
          lambda t: t.ones_like(t.ones(1).expand(3)).stride() == (1,)),
    _name("tuple-of-lists", "tensor() of a tuple of as many lists as they are long is transposed",
          "tensor",
          instead(lambda right, data, **k: right(data, **k).t().contiguous(),
                  known(lambda data, **k: type(data) is tuple
                        and {len(data)} == {type(row) is list and len(row) for row in data}
                        and not any(type(number) in (list, tuple) for number in data[0]))),
          lambda t: t.tensor(([1, 2], [3, 4]))[0, 1] == 2),
]  # fmt: skip
