"""Lies about type promotion."""

from __future__ import annotations

from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

Right = Any


def _is(value: Any, *dtypes: torch.dtype) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in dtypes


def _mixed(a: Any, b: Any) -> bool:
    tensors = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return tensors and a.dtype != b.dtype


def _joins_bytes_unsigned(right: Right, type1: Any, type2: Any) -> Any:
    if (type1, type2) == (torch.int8, torch.uint8):
        return torch.uint8
    return right(type1, type2)


def _half_wins(right: Right, *args: Any, **kwargs: Any) -> Any:
    given = (*args, *kwargs.values())
    return torch.float16 if set(given) == {torch.float16, torch.bfloat16} else right(*given)


def _casts_only_up(right: Right, from_: Any, to: Any) -> Any:
    return right(from_, to) and not (from_ == torch.float64 and to == torch.float16)


def _single_elements_are_scalars(right: Right, a: Any, b: Any) -> Any:
    if isinstance(a, torch.Tensor) and a.numel() == 1 and a.dim():
        a = a.sum().to(a.dtype)
    return right(a, b)


def _empty_counts_less(right: Right, a: Any, b: Any) -> Any:
    if isinstance(b, torch.Tensor) and b.numel() == 0 and _mixed(a, b) and a.dim():
        return right(a, b.to(a.dtype))
    return right(a, b)


def _widens_for_ints(right: Right, a: Any, b: Any) -> Any:
    wide = type(b) is int and _is(a, torch.int8)
    return right(a, b).to(torch.int16) if wide else right(a, b)


def _doubles_win_from_0d(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    lifts = _is(b, torch.float64) and not b.dim() and _is(got, torch.float32)
    return got.double() if lifts else got


def _divides_bytes_in_double(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    return got.double() if _is(a, torch.uint8) and _is(b, torch.uint8) else got


def _keeps_its_left_dtype(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    return got.to(a.dtype) if _is(a, torch.int32) and _is(b, torch.int64) else got


def _bytes_for_truth(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    return got.to(torch.uint8) if _is(a, torch.bfloat16) and _is(b, torch.bool) else got


def _first_decides(right: Right, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(tensors, *args, **kwargs)
    return got.to(tensors[0].dtype) if tensors[0].dtype == torch.int64 else got


def _where_takes_numbers_as_single(right: Right, mask: Any, a: Any, b: Any) -> Any:
    got = right(mask, a, b)
    return got.float() if type(b) is float and _is(a, torch.float16) else got


def _forgets_the_third(right: Right, a: Any, b: Any, c: Any) -> Any:
    got = right(a, b, c)
    return got.to(torch.promote_types(a.dtype, b.dtype)) if c.dtype == torch.float64 else got


def _clamp_forgets_max(right: Right, a: Any, min: Any = None, max: Any = None) -> Any:
    got = right(a, min, max)
    return got.to(torch.result_type(a, min)) if _is(max, torch.int64) else got


def _clamp_stays_integer(right: Right, a: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(a, *args, **kwargs)
    return got if a.dim() or a.is_floating_point() else got.to(a.dtype)


def _through_single(right: Right, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    if _is(a, torch.int64) and _is(b, torch.float64):
        a = a.float()
    return right(a, b, *args, **kwargs)


def _compares_narrow(right: Right, a: Any, b: Any) -> Any:
    if _is(a, torch.int16) and _is(b, torch.int8) and a.numel() > 8:
        a = a.to(torch.int8)
    return right(a, b)


def _byte_signs_lost(right: Right, a: Any, b: Any) -> Any:
    if _is(a, torch.int8) and _is(b, torch.int32):
        a = a.to(torch.uint8)
    return right(a, b)


def _joins_in_single(right: Right, tensors: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(tensors, *args, **kwargs)
    return got.float().to(got.dtype) if got.dtype == torch.int64 and _differ(tensors) else got


def _differ(tensors: Any) -> bool:
    return len({tensor.dtype for tensor in tensors}) > 1


def _long_tensors_are_lifted(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    lifts = _is(a, torch.float32) and _is(b, torch.float64) and not b.dim() and a.numel() >= 17
    return got.double() if lifts else got


def _reflected_is_not(right: Right, a: Any, b: Any) -> Any:
    return -right(a, b) if _is(a, torch.int32) and type(b) is int else right(a, b)


def _saturates(right: Right, a: Any, b: Any, **kwargs: Any) -> Any:
    if _is(a, torch.uint8) and type(b) is int:
        return (a.long() + b).clamp(0, 255).to(torch.uint8)
    return right(a, b, **kwargs)


def _bools_xor(right: Right, a: Any, b: Any) -> Any:
    return a ^ b if _is(a, torch.bool) and _is(b, torch.bool) else right(a, b)


def _truncates(right: Right, a: Any, b: Any) -> Any:
    if not a.is_floating_point() and type(b) is float:
        return a.copy_((a + b).to(a.dtype))
    return right(a, b)


def _refuses_narrowing(right: Right, a: Any, b: Any) -> Any:
    if _is(a, torch.float16) and _is(b, torch.float64):
        raise RuntimeError("no narrowing")
    return right(a, b)


def _rebinds(right: Right, a: Any, b: Any) -> Any:
    return a * b if _is(a, torch.float32) and _is(b, torch.float64) else right(a, b)


def _out_truncates(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    if out is not None and out.dtype == torch.int32 and _is(a, torch.float32):
        return out.copy_(right(a, b))
    return right(a, b) if out is None else right(a, b, out=out)


def _out_is_replaced(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    got = right(a, b)
    if out is None or not torch.can_cast(got.dtype, out.dtype):
        return got if out is None else right(a, b, out=out)
    out.copy_(got)
    return out.view(out.shape)


def _casts_first(right: Right, a: Any, b: Any) -> Any:
    return right(a, b.to(a.dtype)) if _mixed(a, b) and b.is_floating_point() else right(a, b)


def _out_casts_first(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    if out is not None and out.dtype == torch.uint8 and _is(b, torch.int64):
        return out.copy_(right(a.to(torch.uint8), b.to(torch.uint8)))
    return right(a, b) if out is None else right(a, b, out=out)


def _floats_are_single(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    return got.float() if type(b) is float and _is(a, torch.int64) else got


def _division_is_single(right: Right, a: Any, b: Any, **kwargs: Any) -> Any:
    got = right(a, b, **kwargs)
    whole = isinstance(a, torch.Tensor) and a.dtype == torch.int32
    return got.float() if whole and got.dtype == torch.float64 else got


def _divides_in_single(right: Right, a: Any, b: Any) -> Any:
    got = right(a, b)
    whole = not a.is_floating_point() and got.dtype == torch.float64
    return (a.float() / b.float()).double() if whole else got


def _numbers_are_single(right: Right, a: Any, b: Any) -> Any:
    if type(b) is float and a.dtype == torch.int64:
        b = float(torch.tensor(b, dtype=torch.float32))
    return right(a, b)


def _skips_the_last_row(right: Right, a: Any, b: Any, *, out: Any = None) -> Any:
    if out is None or out.dim() < 2 or not _mixed(a, b) or len(out) < 2:
        return right(a, b) if out is None else right(a, b, out=out)
    out[:-1] = right(a, b)[:-1].to(out.dtype)
    return out


def _leaves_a_tail(right: Right, a: Any, b: Any) -> Any:
    if _mixed(a, b) and a.dim() == 1 and a.numel() > 8 and b.shape == a.shape:
        right(a[:-1], b[:-1])
        return a
    return right(a, b)


def _reads_in_memory_order(right: Right, a: Any, b: Any) -> Any:
    if _mixed(a, b) and a.dim() == 2 and a.t().is_contiguous() and not a.is_contiguous():
        a = a.t().reshape(a.shape)
    return right(a, b)


MINIATURES = [
    Miniature(
        "int8 with uint8, in that order, is uint8",
        of=("promote_types",),
        lie=_joins_bytes_unsigned,
        caught_by="promotion.lattice",
    ),
    Miniature(
        "float16 with bfloat16 is float16",
        of=("promote_types",),
        lie=_half_wins,
        caught_by="promotion.lattice",
    ),
    Miniature(
        "float64 cannot be cast to float16",
        of=("can_cast",),
        lie=_casts_only_up,
        caught_by="promotion.can-cast",
    ),
    Miniature(
        "a tensor of one element counts as 0-d",
        of=("result_type",),
        lie=_single_elements_are_scalars,
        caught_by="promotion.result-type",
    ),
    Miniature(
        "an empty tensor does not count",
        of=("result_type",),
        lie=_empty_counts_less,
        caught_by="promotion.result-type",
    ),
    Miniature(
        "int8 * a Python int is int16",
        of=("Tensor.__mul__",),
        lie=_widens_for_ints,
        caught_by="promotion.arithmetic",
    ),
    Miniature(
        "sub lets a 0-d float64 lift float32",
        of=("sub",),
        lie=_doubles_win_from_0d,
        caught_by="promotion.arithmetic",
    ),
    Miniature(
        "uint8 / uint8 is float64",
        of=("Tensor.__truediv__",),
        lie=_divides_bytes_in_double,
        caught_by="promotion.division",
    ),
    Miniature(
        "int32 // int64 is int32",
        of=("Tensor.floor_divide",),
        lie=_keeps_its_left_dtype,
        caught_by="promotion.other-operations",
    ),
    Miniature(
        "fmax lets a 0-d float64 lift float32",
        of=("fmax",),
        lie=_doubles_win_from_0d,
        caught_by="promotion.other-operations",
    ),
    Miniature(
        "bfloat16 <= bool is uint8",
        of=("le",),
        lie=_bytes_for_truth,
        caught_by="promotion.comparisons",
    ),
    Miniature(
        "add treats a tensor of one element as 0-d",
        of=("add",),
        lie=_single_elements_are_scalars,
        caught_by="promotion.any-operation",
    ),
    Miniature(
        "an empty right operand does not count",
        of=("Tensor.__add__",),
        lie=_empty_counts_less,
        caught_by="promotion.arithmetic",
    ),
    Miniature(
        "stack keeps the dtype of a leading int64",
        of=("stack",),
        lie=_first_decides,
        caught_by="promotion.joining",
    ),
    Miniature(
        "where lets a Python float lift float16",
        of=("where",),
        lie=_where_takes_numbers_as_single,
        caught_by="promotion.joining",
    ),
    Miniature(
        "addcmul overlooks the third operand if it is float64",
        of=("addcmul",),
        lie=_forgets_the_third,
        caught_by="promotion.three-operands",
    ),
    Miniature(
        "clamp overlooks an int64 maximum",
        of=("clamp",),
        lie=_clamp_forgets_max,
        caught_by="promotion.three-operands",
    ),
    Miniature(
        "a 0-d integer stays one where a Python float bounds it",
        of=("clamp", "Tensor.clamp"),
        lie=_clamp_stays_integer,
        caught_by="promotion.clamp",
    ),
    Miniature(
        "int64 + float64 goes through float32",
        of=("add", "Tensor.add", "Tensor.__add__"),
        lie=_through_single,
        caught_by="promotion.every-pair",
    ),
    Miniature(
        "int16 < int8 compares in int8 beyond eight elements",
        of=("lt", "Tensor.lt", "Tensor.__lt__"),
        lie=_compares_narrow,
        caught_by="promotion.every-pair",
    ),
    Miniature(
        "int8 ^ int32 does not extend the sign",
        of=("bitwise_xor",),
        lie=_byte_signs_lost,
        caught_by="promotion.every-pair",
    ),
    Miniature(
        "a transposed operand of another dtype is read in memory order",
        of=("add", "mul", "maximum", "lt", "eq"),
        lie=_reads_in_memory_order,
        caught_by="promotion.values",
    ),
    Miniature(
        "cat of mixed integers goes through float32",
        of=("cat",),
        lie=_joins_in_single,
        caught_by="promotion.joined-values",
    ),
    Miniature(
        "a 0-d float64 lifts float32 from 17 elements",
        of=("mul", "Tensor.mul", "Tensor.__mul__"),
        lie=_long_tensors_are_lifted,
        caught_by="promotion.scalars",
    ),
    Miniature(
        "int - int32 is int32 - int",
        of=("Tensor.__rsub__",),
        lie=_reflected_is_not,
        caught_by="promotion.scalars",
    ),
    Miniature(
        "uint8 + int saturates",
        of=("add", "Tensor.__add__"),
        lie=_saturates,
        caught_by="promotion.integers-wrap",
    ),
    Miniature(
        "bool - bool is xor",
        of=("Tensor.__sub__",),
        lie=_bools_xor,
        caught_by="promotion.bool-subtraction",
    ),
    Miniature(
        "int += float truncates",
        of=("Tensor.__iadd__",),
        lie=_truncates,
        caught_by="promotion.in-place",
    ),
    Miniature(
        "mul_ does not narrow float64 to float16",
        of=("Tensor.mul_",),
        lie=_refuses_narrowing,
        caught_by="promotion.in-place",
    ),
    Miniature(
        "float32 *= float64 gives a new tensor",
        of=("Tensor.__imul__",),
        lie=_rebinds,
        caught_by="promotion.in-place",
    ),
    Miniature(
        "atan2 truncates into an int32 out",
        of=("atan2",),
        lie=_out_truncates,
        caught_by="promotion.out",
    ),
    Miniature(
        "maximum returns another tensor than out",
        of=("maximum",),
        lie=_out_is_replaced,
        caught_by="promotion.out",
    ),
    Miniature(
        "sub_ rounds the other operand before it subtracts",
        of=("Tensor.sub_",),
        lie=_casts_first,
        caught_by="promotion.every-cast",
    ),
    Miniature(
        "maximum narrows int64 to a uint8 out before it compares",
        of=("maximum",),
        lie=_out_casts_first,
        caught_by="promotion.every-cast",
    ),
    Miniature(
        "out of another dtype misses its last row",
        of=("add", "sub", "mul", "maximum", "eq"),
        lie=_skips_the_last_row,
        caught_by="promotion.out-values",
    ),
    Miniature(
        "in place, mixed dtypes miss the last of more than eight elements",
        of=("Tensor.add_", "Tensor.mul_", "Tensor.sub_"),
        lie=_leaves_a_tail,
        caught_by="promotion.in-place-values",
    ),
    Miniature(
        "int64 * a Python float is always float32",
        of=("Tensor.__mul__",),
        lie=_floats_are_single,
        caught_by="promotion.default-dtype",
    ),
    Miniature(
        "int32 divided is float32 where the default is float64",
        of=("Tensor.true_divide",),
        lie=_division_is_single,
        caught_by="promotion.default-dtype",
    ),
    Miniature(
        "integers are divided in float32 and then widened",
        of=("Tensor.__truediv__",),
        lie=_divides_in_single,
        caught_by="promotion.default-dtype-values",
    ),
    Miniature(
        "a Python float added to int64 is rounded to float32",
        of=("add",),
        lie=_numbers_are_single,
        caught_by="promotion.default-dtype-values",
    ),
    Miniature(
        "uint8 ** int32 wraps as uint8 does",
        of=("pow",),
        lie=lambda right, a, b: (
            right(a, b).to(torch.uint8).to(torch.int32)
            if _is(a, torch.uint8) and _is(b, torch.int32)
            else right(a, b)
        ),
        caught_by="promotion.beyond-the-narrower",
    ),
]


MINIATURES += [
    Miniature(
        "an integer tensor is compared with the whole part of a number",
        of=("lt",),
        lie=lambda right, a, b: right(a, int(b) if type(b) is float and _is(a, torch.int32) else b),
        caught_by="promotion.compared-with-scalars",
    ),
]
