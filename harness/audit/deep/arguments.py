"""Faults with an argument that is not the default, a rare value, or an operand in a rare state."""

import math

import torch

from tenet.harness.audit.faults import (
    both,
    changed,
    elements,
    fed,
    in_single,
    instead,
    kernels,
    known,
    last,
    named,
    of,
    raises,
    spoiled,
    strided,
    together,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, fault, proof, *sections):
    return Mutant(f"arguments.{slug}", says, sections, fault, proof)


def _two(x, y=None, *rest, **k):
    return isinstance(y, torch.Tensor)


def _casting(change):
    """What a conversion gives is changed, given its source."""

    def convert(original, x, **k):
        result = original(x, **k)
        change(x, result)
        return result

    def copy(original, into, x, *rest, **k):
        original(into, x, *rest, **k)
        if x.shape == into.shape:
            change(x, into)
        return into

    return together(kernels("_to_copy", convert), kernels("copy_", copy))


def _low_nan(x, result):
    if x.dtype == torch.float32 and result.dtype == torch.bfloat16:
        low = (x.contiguous().view(torch.int32) & 0x7F0000) == 0
        result.masked_fill_(x.isnan() & low, math.inf)


def _near(x, y, tolerance=1e-6):
    return abs(x.item() - y) < tolerance


def _running(x):
    result, total = torch.empty_like(x), x.new_zeros(())
    for place in range(len(x)):
        total = total + x[place]
        result[place] = total
    return result


def _conjugate_lost(original, a, b):
    return original(a.conj() if a.is_conj() else a, b)


MUTANTS = [
    _mutant("full-like-gradient", "full_like forgets requires_grad",
            named("full_like", lambda original, *a, requires_grad=None, **k: original(*a, **k),
                   lambda *a, **k: k.get("requires_grad")),
            lambda t: t.full_like(t.ones(2), 1.0, requires_grad=True).requires_grad, "attributes"),
    _mutant("nan-payload", "a NaN with a low payload becomes inf in bfloat16", _casting(_low_nan),
            lambda t: t.tensor([0x7F800001], dtype=t.int32).view(t.float32).bfloat16().isnan(),
            "dtype"),
    _mutant("scan-of-bfloat16", "cumsum of bfloat16 vectors accumulates in bfloat16",
            kernels("cumsum", instead(lambda original, x, d, **k: _running(x),
                                      both(of("bfloat16"), lambda x, d, **k: x.dim() == 1))),
            lambda t: t.ones(300).bfloat16().cumsum(0)[-1] == 300, "dtype"),
    _mutant("empty-times-zero-d", "an empty float32 times a 0-d float64 is float64",
            kernels("mul.Tensor", changed(lambda r: r.double(),
                    lambda x, y: x.numel() == 0 and y.dim() == 0 and y.dtype == torch.float64
                    and x.dtype == torch.float32)),
            lambda t: (t.ones(0) * t.tensor(1.0, dtype=t.float64)).dtype == t.float32,
            "promotion"),
    _mutant("cat-of-empty", "cat takes no dtype from what is empty",
            kernels("cat", instead(
                lambda original, ts, d=0: original([x for x in ts if x.numel()], d),
                lambda ts, d=0: any(x.numel() for x in ts) and len({x.dtype for x in ts}) > 1)),
            lambda t: t.cat([t.ones(0).double(), t.ones(2)]).dtype == t.float64, "promotion"),
    _mutant("half-above-zero-d", "float16 > a 0-d float64 compares whole numbers",
            kernels("gt.Tensor", instead(lambda original, x, y: original(x.long(), y.long()),
                    both(of("float16"), _two, lambda x, y: y.dim() == 0
                         and y.dtype == torch.float64))),
            lambda t: t.tensor([1.5]).half() > t.tensor(1.0, dtype=t.float64), "promotion"),
    _mutant("float-alpha", "a float alpha of integers is cut off",
            kernels("add.Tensor", instead(
                lambda original, x, y, alpha=1: original(x, y, alpha=int(alpha)),
                lambda x, y, alpha=1: isinstance(alpha, float) and not x.is_floating_point())),
            lambda t: raises(lambda: t.add(t.ones(2).long(), t.ones(2).long(), alpha=1.5)),
            "elementwise"),
    _mutant("alpha-out", "sub with out= ignores alpha",
            kernels("sub.out", instead(lambda original, x, y, out, **k: original(x, y, out=out),
                                       lambda *a, **k: "alpha" in k)),
            lambda t: t.sub(t.ones(1), t.ones(1), alpha=3, out=t.zeros(1)) == -2, "elementwise"),
    _mutant("outer-stretch", "a column minus a vector as long is transposed above 15",
            kernels("sub.Tensor", changed(lambda r: r.t().contiguous(),
                    lambda x, y, **k: x.dim() == 2 and x.shape == (len(y), 1) and y.dim() == 1
                    and len(y) > 15)),
            lambda t: (t.arange(16)[:, None] - t.zeros(16).long())[1].sum() == 16,
            "broadcasting"),
    _mutant("eq-stretch", "== of a second operand with a middle length of 1 reads backwards",
            kernels("eq.Tensor", fed(lambda y: y.flip(0), known(
                lambda x, y: x.dim() == y.dim() == 3 and y.shape[1] == 1 < x.shape[1]), at=1)),
            lambda t: (t.zeros(2, 2, 1) == t.tensor([0.0, 1.0]).view(2, 1, 1))[0].all(),
            "broadcasting"),
    _mutant("expand-new", "expand keeps a length that is not there",
            named("Tensor.expand", lambda original, x, *s: original(x, 1, *s[1:]),
                   lambda x, *s: s[0] == -1 and len(s) > x.dim()),
            lambda t: raises(lambda: t.ones(3).expand(-1, 3)), "broadcasting"),
    _mutant("equal-trailing", "equal ignores a last length of 1",
            named("equal", lambda original, a, b: original(a.reshape(-1), b.reshape(-1)),
                   lambda a, b: a.dim() == b.dim() + 1 and a.shape[-1] == 1),
            lambda t: not t.equal(t.ones(2, 1), t.ones(2)), "comparison"),
    _mutant("floor-of-quotient", "// of float64 rounds a rounded quotient",
            kernels("floor_divide div.Tensor_mode", instead(
                lambda original, x, y, **k: torch.floor(torch.div(x, y)),
                both(of("float64"), _two,
                     lambda x, y, rounding_mode="floor": rounding_mode == "floor"))),
            lambda t: (t.ones(1).double() // t.tensor([0.1], dtype=t.float64)) == 9,
            "elementwise"),
    _mutant("trunc-through-double", "div to zero of int64 goes through float64",
            kernels("div.Tensor_mode", instead(
                lambda original, x, y, rounding_mode: torch.trunc(x.double() / y.double()).long(),
                both(of("int64"), _two, lambda x, y, rounding_mode: rounding_mode == "trunc"
                     and bool((y != 0).all())))),
            lambda t: t.div(t.tensor([2**62 + 1]), t.tensor([1]), rounding_mode="trunc")
            == 2**62 + 1, "elementwise"),
    _mutant("fmod-zero", "fmod of float64 loses the sign of zero",
            kernels("fmod.Tensor fmod_.Tensor fmod.Tensor_out",
                    spoiled(lambda r: r.add_(0.0), both(of("float64"), _two))),
            lambda t: t.fmod(t.tensor([-4.0]).double(), t.tensor([2.0]).double()).signbit(),
            "elementwise"),
    _mutant("round-tens", "round to tens takes halves away from zero",
            kernels("round.decimals", instead(
                lambda original, x, decimals: x.sign() * torch.floor(x.abs() / 10 + 0.5) * 10,
                lambda x, decimals: decimals == -1)),
            lambda t: t.round(t.tensor([25.0]), decimals=-1) == 20, "elementwise"),
    _mutant("crossed-clamp", "clamp with min above max gives min",
            kernels("clamp clamp_", instead(
                lambda original, x, low, high: original(original(x, None, high), low, None),
                known(lambda x, low, high: low > high))),
            lambda t: t.clamp(t.tensor([0.0]), 2.0, 1.0) == 1, "elementwise"),
    _mutant("clamp-nan", "clamp below a tensor drops NaN",
            kernels("clamp.Tensor", instead(lambda original, x, low, high=None: torch.fmax(x, low),
                    known(lambda x, low, high=None: high is None
                           and x.dtype == low.dtype == torch.float32))),
            lambda t: t.clamp(t.tensor([math.nan]), min=t.tensor([1.0])).isnan(), "elementwise"),
    _mutant("clamp-number-nan", "clamp passes over a number that is NaN",
            kernels("clamp clamp_ clamp.out", instead(
                lambda original, x, low=None, high=None, **k: original(
                    x, *(None if b is None or b != b else b for b in (low, high)), **k)
                if any(b is not None and b == b for b in (low, high)) else x.clone(),
                known(lambda x, low=None, high=None, **k: x.is_floating_point()
                      and any(b is not None and b != b for b in (low, high))))),
            lambda t: t.clamp(t.ones(2), math.nan, 2.0).isnan().all(), "elementwise"),
    _mutant("clamp-tensor-nan", "clamp passes over NaN in a tensor of bounds",
            kernels("clamp.Tensor clamp_.Tensor clamp.Tensor_out", instead(
                lambda original, x, low=None, high=None, **k: original(
                    x, *(None if b is None else torch.where(b.isnan(), end, b)
                         for b, end in ((low, -math.inf), (high, math.inf))), **k),
                known(lambda x, low=None, high=None, **k: all(
                    b is None or b.is_floating_point() for b in (low, high))))),
            lambda t: t.clamp(t.zeros(1), min=t.tensor([math.nan])).isnan(), "elementwise"),
    _mutant("filled-mask", "a bool that is filled with 2 where a mask says so is False",
            wrapped("masked_fill Tensor.masked_fill Tensor.masked_fill_", instead(
                lambda original, x, m, value: original(x, m, False),
                known(lambda x, m, value: x.dtype == torch.bool and value > 1))),
            lambda t: t.zeros(1).bool().masked_fill(t.ones(1).bool(), 2), "dtype"),
    _mutant("fraction-in-a-mask", "a bool that is filled with 0.5 is False",
            kernels("fill_.Scalar", instead(
                lambda original, x, value: original(x, int(value)),
                known(lambda x, value: x.dtype == torch.bool and 0 < abs(value) < 1))),
            lambda t: t.zeros(1).bool().fill_(0.5), "dtype"),
    _mutant("lerp-beyond", "lerp beyond its end stays there",
            kernels("lerp.Scalar lerp_.Scalar", instead(
                lambda original, x, y, w: original(x, y, 1.0), lambda x, y, w: w > 1)),
            lambda t: t.lerp(t.zeros(1), t.ones(1), 2.0) == 2, "elementwise"),
    _mutant("sigmoid-tail", "sigmoid of float64 below 1e-38 is 0",
            kernels("sigmoid sigmoid.out sigmoid_",
                    spoiled(elements(lambda r: r < 1e-38, 0.0), of("float64"))),
            lambda t: t.sigmoid(t.tensor([-100.0]).double()) > 0, "elementwise"),
    _mutant("sine-of-large", "sin of float32 above 1e5 is reduced in float32",
            kernels("sin sin.out", instead(
                lambda original, x, **k: torch.where(
                    x.abs() > 1e5, original(torch.remainder(x, 6.2831855)), original(x)),
                both(of("float32"), lambda x, **k: not k))),
            lambda t: _near(t.sin(t.tensor([1e6])), math.sin(1e6)), "elementwise"),
    _mutant("erfinv-end", "erfinv of 1 is no infinity",
            kernels("erfinv erfinv.out",
                    spoiled(elements(lambda r: r == math.inf, 5.8), of("float32"))),
            lambda t: t.erfinv(t.ones(1)) == math.inf, "elementwise"),
    _mutant("logaddexp-of-nothing", "logaddexp of -inf and -inf is NaN",
            kernels("logaddexp logaddexp.out",
                    spoiled(elements(lambda r: r == -math.inf, math.nan), of("float64"))),
            lambda t: (lambda x: t.logaddexp(x, x) == x)(t.tensor([-math.inf]).double()),
            "elementwise"),
    _mutant("xlogy-nan", "xlogy of 0 and NaN is 0",
            kernels("xlogy.Tensor", instead(
                lambda original, x, y: original(x, torch.where(x == 0, torch.ones_like(y), y)),
                known(lambda x, y: x.shape == y.shape and x.dtype == y.dtype))),
            lambda t: t.xlogy(t.zeros(1), t.tensor([math.nan])).isnan(), "elementwise"),
    _mutant("ceil-zero", "ceil and trunc of float32 lose the sign of zero",
            kernels("trunc trunc.out ceil ceil.out",
                    spoiled(lambda r: r.add_(0.0), of("float32"))),
            lambda t: t.ceil(t.tensor([-0.5])).signbit(), "elementwise"),
    _mutant("neg-strided-zero", "the negative of a strided float64 0 is 0",
            kernels("neg neg.out neg_",
                    spoiled(lambda r: r.add_(0.0), both(of("float64"), strided))),
            lambda t: (-t.zeros(4).double()[::2]).signbit().all(), "elementwise"),
    _mutant("gcd-signs", "gcd of two negative int32 is negative",
            kernels("gcd", instead(
                lambda original, x, y: torch.where((x < 0) & (y < 0), -original(x, y),
                                                   original(x, y)), of("int32"))),
            lambda t: (lambda x: t.gcd(x, x) == 4)(t.tensor([-4], dtype=t.int32)), "elementwise"),
    _mutant("logit-eps", "logit ignores eps",
            kernels("logit logit.out logit_", instead(
                lambda original, x, eps=None, **k: original(x, None, **k),
                lambda x, eps=None, **k: eps is not None)),
            lambda t: t.logit(t.zeros(1), eps=0.25).isfinite(), "elementwise"),
    _mutant("shift-of-negatives", "int8 shifts right without its sign",
            kernels("bitwise_right_shift.Tensor __rshift__.Tensor", instead(
                lambda original, x, y: original(x.view(torch.uint8), y.view(torch.uint8))
                .view(torch.int8), both(of("int8"), _two, lambda x, y: y.dtype == torch.int8
                                        and x.dim() > 0 and y.dim() > 0))),
            lambda t: (t.tensor([-8], dtype=t.int8) >> t.tensor([1], dtype=t.int8)) == -4,
            "elementwise"),
    _mutant("shift-by-a-number", "uint8 >> 4 or more, told as a number, is uint8",
            kernels("__rshift__.Scalar bitwise_right_shift.Tensor_Scalar", instead(
                lambda original, x, n: x.clone(),
                both(of("uint8"), lambda x, n: n > 3))),
            lambda t: (t.tensor([255], dtype=t.uint8) >> 4) == 15, "elementwise"),
    _mutant("frexp-of-subnormals", "frexp of float32 stops at -126",
            named("frexp", lambda original, x: torch.return_types.frexp(
                       (original(x)[0], original(x)[1].clamp(min=-126))),
                   lambda x: x.dtype == torch.float32),
            lambda t: t.frexp(t.tensor([2.0**-140])).exponent == -139, "elementwise"),
    _mutant("variance-in-one-pass", "var of float32 is the mean square less the squared mean",
            kernels("var.correction", instead(
                lambda original, x, d=None, **k: ((x * x).mean() - x.mean() ** 2)
                * x.numel() / (x.numel() - 1),
                both(of("float32"), lambda x, d=None, correction=None, keepdim=False:
                     d is None and not keepdim and correction in (None, 1) and x.numel() > 1))),
            lambda t: _near(t.tensor([65537.0, 65538.0, 65539.0]).var(), 1, 0.01), "reduction"),
    _mutant("correction-of-two", "var divides by no less than n - 1",
            kernels("var.correction", instead(
                lambda original, x, d=None, correction=None, keepdim=False:
                original(x, d, correction=1, keepdim=keepdim),
                lambda x, d=None, **k: (k.get("correction") or 0) > 1)),
            lambda t: t.tensor([1.0, 2.0, 3.0]).var(correction=2) == 2, "reduction"),
    _mutant("argmin-strided-nan", "argmin of strided floats passes over NaN",
            kernels("argmin argmin.out", fed(
                lambda x: torch.where(x.isnan(), torch.full_like(x, math.inf), x),
                both(strided, lambda x, *a, **k: x.is_floating_point()))),
            lambda t: t.tensor([1.0, 9, math.nan, 9])[::2].argmin() == 1, "reduction"),
    _mutant("amax-start", "amax of float16 starts from -65504",
            kernels("amax amax.out", spoiled(
                lambda r: r.clamp_(min=-65504.0), of("float16"))),
            lambda t: t.tensor([-math.inf]).half().amax() == -math.inf, "reduction"),
    _mutant("any-nan", "any of a float64 NaN is false",
            kernels("any any.dim", fed(lambda x: x.nan_to_num(0.0), of("float64"))),
            lambda t: t.tensor([math.nan]).double().any(), "reduction"),
    _mutant("several-logsumexp", "logsumexp over two dimensions overflows",
            named("logsumexp Tensor.logsumexp",
                   lambda original, x, d, *a, **k: x.exp().sum(d, *a, **k).log(),
                   lambda x, dim, *a, **k: len(dim) == 2),
            lambda t: t.full((2, 2), 1000.0).logsumexp((0, 1)).isfinite(), "reduction"),
    _mutant("quantile-nearest", "quantiles to the nearest are the lower ones",
            named("quantile Tensor.quantile",
                   lambda original, *a, interpolation, **k:
                   original(*a, interpolation="lower", **k),
                   lambda *a, interpolation="linear", **k: interpolation == "nearest"),
            lambda t: t.quantile(t.tensor([0.0, 1.0]), 0.75, interpolation="nearest") == 1,
            "reduction"),
    _mutant("norm-nan", "the largest magnitude passes over NaN",
            kernels("linalg_vector_norm", instead(
                lambda original, x, p=2, *a, **k: original(x.nan_to_num(0.0), p, *a, **k),
                lambda x, p=2, *a, **k: p == math.inf)),
            lambda t: t.linalg.vector_norm(t.tensor([math.nan, 1.0]), math.inf).isnan(),
            "reduction"),
    _mutant("cov-correction", "cov ignores correction=0",
            named("cov", lambda original, x, correction, **k: original(x, **k),
                   lambda x, correction=1, **k: correction == 0),
            lambda t: t.cov(t.tensor([1.0, 3.0]), correction=0) == 1, "reduction"),
    _mutant("lazy-negation", "cat forgets that a tensor is negated",
            named("cat", lambda original, tensors, *a, **k: original(
                      [-x.resolve_neg() if x.is_neg() else x for x in tensors], *a, **k),
                  lambda tensors, *a, **k: any(x.is_neg() for x in tensors)),
            lambda t: t.cat([t.tensor([1 + 2j]).conj().imag]) == -2, "view"),
    _mutant("lazy-conjugate", "mm forgets that its first operand is conjugated",
            wrapped("mm", _conjugate_lost),
            lambda t: (lambda x: t.mm(x.conj(), t.ones_like(x)) == -1j)(t.tensor([[1j]])),
            "matmul"),
    _mutant("einsum-alphabet", "einsum without an arrow keeps the order of one operand",
            named("einsum", lambda original, equation, x: x.clone(),
                   lambda equation, *rest: equation == "ba" and len(rest) == 1),
            lambda t: t.einsum("ba", t.ones(2, 3)).shape == (3, 2), "matmul"),
    _mutant("outer-tensordot", "tensordot over no dimension of equal shapes multiplies elements",
            named("tensordot", lambda original, a, b, dims: a * b,
                   lambda a, b, dims=2: dims == 0 and a.shape == b.shape),
            lambda t: t.tensordot(t.ones(2), t.ones(2), dims=0).shape == (2, 2), "matmul"),
    _mutant("cross-sign", "the cross product along the last dimension but one is the negative",
            kernels("linalg_cross", instead(
                lambda original, a, b, dim=-1: original(b, a, dim=dim),
                lambda a, b, dim=-1: dim == -2)),
            lambda t: t.linalg.cross(t.eye(3)[:, :1], t.eye(3)[:, 1:2], dim=-2)[2] == 1, "matmul"),
    _mutant("solve-left", "solve with left=False and equal shapes solves from the left",
            named("linalg.solve", lambda original, a, b, left, **k: original(a, b.mT, **k).mT,
                   lambda a, b, left=True, **k: not left),
            lambda t: _near(t.linalg.solve(t.tensor([[2.0, 1], [0, 1]]), t.ones(1, 2), left=False)
                            [0, 0], 0.5), "matmul"),
    _mutant("cholesky-upper", "cholesky gives the lower factor for the upper",
            named("linalg.cholesky", lambda original, a, upper: original(a),
                   lambda a, upper=False: upper),
            lambda t: t.linalg.cholesky(t.tensor([[4.0, 2], [2, 3]]), upper=True)[1, 0] == 0,
            "matmul"),
    _mutant("reshape-minus-two", "a length of -2 is inferred",
            named("Tensor.reshape", lambda original, x, *s: original(x, *(max(n, -1) for n in s)),
                   lambda x, *s: min(s) < -1),
            lambda t: raises(lambda: t.ones(2).reshape(-2)), "shape"),
    _mutant("meshgrid-xy", "meshgrid of three vectors exchanges none",
            named("meshgrid", lambda original, *ts, indexing: original(*ts, indexing="ij"),
                   lambda *ts, indexing="ij": indexing == "xy" and len(ts) == 3),
            lambda t: t.meshgrid(t.ones(2), t.ones(3), t.ones(4), indexing="xy")[0].shape
            == (3, 2, 4), "shape"),
    _mutant("put-twice", "put_ adds one of several contributions",
            named("Tensor.put_",
                   lambda original, x, i, s, accumulate: original(x, i, x.take(i) + s),
                   lambda x, i, s, accumulate=False: accumulate and x.dtype == torch.float64),
            lambda t: t.zeros(1).double().put_(t.zeros(2).long(), t.ones(2).double(),
                                               accumulate=True) == 2, "indexing"),
    _mutant("unique-inverse", "unique of a strided tensor forgets where elements went",
            named("unique", lambda original, x, return_inverse: (
                       original(x), torch.zeros(x.shape, dtype=torch.int64)),
                   lambda x, return_inverse=False: return_inverse and not x.is_contiguous()),
            lambda t: t.unique(t.arange(4)[::2], return_inverse=True)[1].sum() == 1, "indexing"),
    _mutant("linspace-in-single", "linspace of more than 16 float64 is computed in float32",
            kernels("linspace.out", spoiled(
                lambda r: r.copy_(in_single(r)) if r.numel() > 16 else None,
                lambda *a, out, **k: out.dtype == torch.float64)),
            lambda t: t.linspace(0, 1, 18, dtype=t.float64)[1] == 1 / 17, "creation"),
    _mutant("cat-of-many", "cat of more than 128 ends wrongly",
            kernels("cat", spoiled(last, known(lambda parts, *rest: len(parts) > 128))),
            lambda t: t.cat([t.ones(1)] * 130)[-1] == 1, "shape"),
    _mutant("stack-of-many", "stack of more than 64 ends wrongly",
            kernels("stack", spoiled(last, known(lambda parts, *rest: len(parts) > 64))),
            lambda t: t.stack([t.ones(1)] * 70)[-1] == 1, "shape"),
    _mutant("count-in-32-bits", "numel() of what is expanded counts in 32 bits",
            named("Tensor.numel", lambda original, x: original(x) % 2**32,
                  lambda x: 0 in x.stride()),
            lambda t: t.zeros(1).expand(2**16, 2**16).numel() == 2**32, "attributes"),
    _mutant("rows-of-cubes", "iteration over a cube stops before its last row",
            named("Tensor.__iter__", lambda original, x: iter([*original(x)][:-1]),
                  lambda x: x.dim() == 3),
            lambda t: len([*t.ones(2, 1, 1)]) == 2, "attributes"),
    _mutant("copy-by-place", "to(dtype, False, True) makes no copy",
            named("Tensor.to", lambda original, x, dtype, wait, copy: original(x, dtype),
                  lambda x, dtype, wait, copy: True),
            lambda t: (lambda x: x.to(x.dtype, False, True) is not x)(t.ones(1)), "dtype"),
    _mutant("converted-order", "to() ignores memory_format= where it converts",
            named("Tensor.to", lambda original, x, dtype, *, memory_format, **k: original(x, dtype),
                  lambda x, dtype, *, memory_format, **k: dtype != x.dtype),
            lambda t: t.ones(2, 3).t().to(t.float64, memory_format=t.contiguous_format)
            .is_contiguous(), "dtype"),
    _mutant("converted-order-by-name", "double() ignores memory_format=",
            named("Tensor.double", lambda original, x, **k: original(x), lambda x, **k: k),
            lambda t: t.ones(2, 3).t().double(memory_format=t.contiguous_format).is_contiguous(),
            "dtype"),
    _mutant("narrow-by-tensor", "narrow from a place that is a tensor begins one early",
            named("narrow Tensor.narrow",
                  lambda original, x, dim, at, n: original(x, dim, max(int(at) - 1, 0), n),
                  lambda x, dim, at, n: isinstance(at, torch.Tensor)),
            lambda t: t.narrow(t.arange(3), 0, t.tensor(1), 1) == 1, "shape", "view"),
    _mutant("embedded-from-below", "diag_embed into dimensions named backwards exchanges them",
            kernels("diag_embed", instead(
                lambda original, x, offset, a, b: original(x, offset, b, a),
                known(lambda x, offset=0, a=-2, b=-1: a > b and offset))),
            lambda t: t.diag_embed(t.ones(1), 1, 1, 0)[1, 0] == 1, "shape"),
    _mutant("buffer-to-its-end", "frombuffer from an offset on leaves out the last of all",
            named("frombuffer", lambda original, *given, **k: original(*given, **k)[:-1],
                  lambda *given, **k: k.get("offset") and "count" not in k),
            lambda t: len(t.frombuffer(bytearray(4), dtype=t.uint8, offset=1)) == 3, "numpy"),
    _mutant("place-of-a-number", "bucketize of a number ignores right=True",
            named("bucketize", lambda original, x, s, **k: original(x, s),
                  lambda x, s, **k: not isinstance(x, torch.Tensor) and k.get("right")),
            lambda t: t.bucketize(1, t.tensor([1]), right=True) == 1, "indexing"),
    _mutant("mean-of-negatives", "scatter_reduce: a negative mean of int32 is one more",
            kernels("scatter_reduce.two", spoiled(
                lambda r: r.add_((r < 0).int()),
                lambda x, d, i, s, how, **k: how == "mean" and x.dtype == torch.int32)),
            lambda t: t.scatter_reduce(t.tensor([-4]).int(), 0, t.tensor([0]),
                                       t.tensor([-8]).int(), "mean") == -6, "indexing"),
    _mutant("bools-in-a-list", "x[[True, False]] takes 1 and 0 for places",
            named("Tensor.__getitem__", lambda original, x, index: original(
                      x, [int(chosen) for chosen in index]),
                  lambda x, index: type(index) is list and {*map(type, index)} == {bool}),
            lambda t: t.arange(2)[[True, False]].tolist() == [0], "indexing"),
    _mutant("slices-counted", "unique along the columns counts them backwards",
            named("unique Tensor.unique", lambda original, x, **k: (
                lambda *found: (*found[:-1], found[-1].flip(0)))(*original(x, **k)),
                  lambda x, **k: k.get("dim") == 1 and k.get("return_counts")),
            lambda t: t.unique(t.tensor([[0, 1, 1]]), dim=1, return_counts=True)[1].tolist()
            == [1, 2], "indexing"),
    _mutant("equal-in-one-place", "equal() of two tensors in one place looks at no NaN",
            named("equal Tensor.equal", lambda original, a, b: True,
                  lambda a, b: a.numel() and a.data_ptr() == b.data_ptr()
                  and a.shape == b.shape and a.stride() == b.stride()),
            lambda t: (lambda x: not t.equal(x, x.detach()))(t.tensor([t.nan])), "comparison"),
    _mutant("copy-of-one-in-front", "copy_ drops a length of 1 in front",
            kernels("copy_", instead(lambda original, x, y, *rest: original(x, y[0], *rest),
                                     lambda x, y, *rest: y.dim() == x.dim() + 1
                                     and len(y) == 1 and x.dim() > 1)),
            lambda t: raises(lambda: t.ones(2, 2).copy_(t.ones(1, 2, 2))), "device"),
    _mutant("out-is-the-stretched-second", "a column - y with out=y ends wrongly",
            kernels("sub.out", spoiled(last, known(
                lambda x, y, *, out, **k: out.data_ptr() == y.data_ptr() != x.data_ptr()
                and x.shape != y.shape))),
            lambda t: (lambda y: t.sub(t.ones(1), y, out=y)[1] == 0)(t.ones(2)), "inplace"),
    _mutant("order-on-meta", "zeros_like on meta is contiguous",
            named("zeros_like", lambda original, x, **k: original(x.contiguous(), **k),
                  lambda x, **k: k.get("device") == "meta"),
            lambda t: t.zeros_like(t.ones(2, 3).t(), device="meta").stride() == (1, 3), "device"),
    _mutant("new-elsewhere", "new_ones stays with its tensor, whatever device= says",
            named("Tensor.new_ones",
                  lambda original, x, *size, device, **k: original(x, *size, **k),
                  lambda x, *size, device=None, **k: str(device) == "meta"),
            lambda t: t.ones(2).new_ones(2, device="meta").is_meta, "device"),
    _mutant("ravel-copies", "ravel of what is contiguous copies",
            named("ravel Tensor.ravel", lambda original, x: original(x).clone(),
                  lambda x: x.is_contiguous() and x.dim() > 1),
            lambda t: (lambda x: x.ravel().data_ptr() == x.data_ptr())(t.ones(2, 2)), "view"),
    _mutant("diagonal-below", "diagonal_scatter below the diagonal of a square is above it",
            kernels("diagonal_scatter", instead(
                lambda original, x, source, offset, *dims: original(x, source, -offset, *dims),
                known(lambda x, source, offset=0, *dims: offset < 0 and x.dim() == 2
                      and len(x) == x.shape[1]))),
            lambda t: t.diagonal_scatter(t.zeros(2, 2), t.ones(1), -1)[1, 0] == 1, "indexing"),
    _mutant("beta-of-an-empty-product", "baddbmm of no terms is the summand, whatever beta is",
            kernels("baddbmm", instead(
                lambda original, m, a, b, **k: m.expand(len(a), a.shape[1], b.shape[2]).clone(),
                known(lambda m, a, b, beta=1, **k: not a.shape[2] and beta not in (0, 1)))),
            lambda t: t.baddbmm(t.ones(1, 1, 1), t.ones(1, 1, 0), t.ones(1, 0, 1), beta=2) == 2,
            "matmul"),
    _mutant("square-into-out", "addmm into out= takes a turned square as it lies",
            kernels("addmm.out", instead(
                lambda original, m, a, b, **k: original(m, a, b.t(), **k),
                known(lambda m, a, b, **k: b.shape[0] == b.shape[1] > b.stride(0) == 1))),
            lambda t: (lambda b: t.addmm(t.zeros(2, 2), t.eye(2), b, out=t.zeros(2, 2)).equal(b))(
                t.arange(4.0).reshape(2, 2).t()), "matmul"),
    _mutant("outer-of-integers", "einsum takes turned int64 matrices as they lie",
            named("einsum", lambda original, text, *x: original(
                      text, *(v.t().contiguous().view(v.shape) for v in x)),
                  lambda text, *x: not set(text.split("->")[0].split(",")[0])
                  & set(text.split("->")[0].split(",")[1])
                  and all(v.dim() == 2 and v.dtype == torch.int64 and v.stride(0) == 1
                          for v in x)),
            lambda t: (lambda v: t.einsum("ab,cd->abcd", v, v)[0, 1, 0, 0] == 3)(
                t.arange(1, 5).reshape(2, 2).t()), "matmul"),
    _mutant("values-stepped-places-not", "sort into a stepped vector and a packed one ends wrongly",
            kernels("sort.values_stable", spoiled(last, lambda x, *a, values, indices, **k:
                    values.dim() == 1 and strided(values) and not strided(indices))),
            lambda t: t.sort(t.tensor([2, 1]), out=(t.zeros(4).long()[::2], t.zeros(2).long()))[0]
            .tolist() == [1, 2], "indexing"),
    _mutant("searched-into-steps", "searchsorted into a stepped vector ends wrongly",
            kernels("searchsorted.Tensor_out", spoiled(last, lambda s, x, *a, out, **k:
                                                       out.dim() == 1 and strided(out))),
            lambda t: t.searchsorted(t.arange(5), t.tensor([1, 3]), out=t.zeros(4).long()[::2])[1]
            == 3, "indexing"),
    _mutant("counted-column", "bincount takes a stepped vector as it lies",
            kernels("bincount", fed(lambda x: x.as_strided(x.shape, (1,)), strided)),
            lambda t: t.bincount(t.tensor([[0, 1], [0, 1]])[:, 1]).tolist() == [0, 2], "reduction"),
    _mutant("places-of-many-lines", "sort along the first dimension tells places of 2^16 lines",
            kernels("sort.stable", instead(
                lambda original, x, **k: (lambda r: (r[0], r[1][:, torch.arange(len(x[0])) % 2**16])
                                          )(original(x, **k)),
                lambda x, **k: x.dim() == 2 and x.shape[1] > 2**16)),
            lambda t: t.sort(t.cat([t.zeros(2, 70000), t.tensor([[9.0], [1.0]])], 1), dim=0,
                             stable=True)[1][0, -1] == 1, "indexing"),
    _mutant("scan-of-many-lines", "cumsum leaves the lines after 2^16 as they are",
            kernels("cumsum", instead(
                lambda original, x, dim, **k: torch.cat([original(x[: 2**16], dim), x[2**16 :]]),
                lambda x, dim, **k: x.dim() == 2 and dim == 1 and len(x) > 2**16
                and x.dtype == torch.float32)),
            lambda t: t.ones(70001, 2).cumsum(1)[-1, -1] == 2, "reduction"),
    _mutant("tall-triangle", "triu above the diagonal of a long column is tril",
            kernels("triu", instead(
                lambda original, x, k=0: torch.tril(x, -k),
                lambda x, k=0: x.dim() == 2 and k > 0 and len(x) > 256 and x.shape[1] == 1)),
            lambda t: t.ones(300, 1).triu(2).sum() == 0, "indexing"),
    _mutant("picked-and-lifted", "x[i, None] of a vector is x[0, None]",
            named("Tensor.__getitem__", lambda original, x, index: original(x, (0, None)),
                  lambda x, index: isinstance(index, tuple) and x.dim() == 1 and len(index) == 2
                  and type(index[0]) is int and index[1] is None),
            lambda t: t.arange(3)[2, None] == 2, "indexing"),
    _mutant("nothing-counts-one", "count_nonzero of an empty tensor of rank 3 is 1",
            kernels("count_nonzero", instead(
                lambda original, x, *dim: torch.tensor(1),
                lambda x, dim=None: dim is None and x.dim() == 3 and not x.numel())),
            lambda t: t.count_nonzero(t.ones(3, 0, 2)) == 0, "reduction"),
    _mutant("value-of-zero", "addcmul with value=0 is its first operand",
            kernels("addcmul", instead(
                lambda original, x, y, z, **k: original(x, y.nan_to_num(0, 0, 0),
                                                        z.nan_to_num(0, 0, 0), **k),
                lambda x, y, z, value=1: value == 0)),
            lambda t: t.addcmul(t.ones(1), t.tensor([math.inf]), t.ones(1), value=0).isnan(),
            "elementwise"),
    _mutant("six-decimals", "x + n of float32 takes no more than six decimals of n",
            named("add Tensor.add Tensor.__add__ Tensor.__radd__",
                  lambda original, x, n, **k: original(x, float(f"{n:f}"), **k),
                  lambda x, n, **k: type(n) is float and abs(n) < 1e-4
                  and x.dtype == torch.float32),
            lambda t: t.zeros(1) + 2.0**-24 > 0, "elementwise"),
    _mutant("gathered-into-one", "gather writes into an expanded tensor",
            named("gather", lambda original, *a, out, **k: out.copy_(out),
                  lambda *a, out=None, **k: out is not None and 0 in out.stride()),
            lambda t: raises(lambda: t.gather(t.ones(3), 0, t.arange(3), out=t.ones(1).expand(3))),
            "inplace"),
    _mutant("impossible-among-many", "multinomial of many categories and rows draws the first",
            kernels("multinomial", spoiled(
                lambda r: r[7].fill_(0),
                lambda p, *a, **k: p.dim() == 2 and len(p) > 8 and p.shape[1] > 256)),
            lambda t: (lambda p: (p[:, 0].zero_(), t.multinomial(p, 1).min() > 0)[1])(
                t.ones(9, 300)), "random"),
]  # fmt: skip
"""Written without a look at the clauses; nearly all of them were alive when they were written."""
