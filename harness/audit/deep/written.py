"""Faults that show in one way to write a call, or in one rare argument of it."""

import math

import torch

from tenet.harness.audit.faults import (
    changed,
    fed,
    instead,
    kernels,
    known,
    named,
    of,
    packed,
    raises,
    spoiled,
    wrapped,
)
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, fault, proof, *sections):
    return Mutant(f"written.{slug}", says, sections, fault, proof)


def _both(name):
    return f"{name} Tensor.{name}"


MUTANTS = [
    _mutant("rot90-back", "a turn by -1 is one by 1",
            named(_both("rot90"), lambda original, x, k=1, dims=(0, 1): original(x, 1, dims),
                   lambda x, k=1, *rest, **more: k == -1),
            lambda t: t.rot90(t.arange(4).view(2, 2), -1)[0, 0] == 2, "shape"),
    _mutant("roll-twice", "a dimension that is rolled twice is rolled once",
            kernels("roll", instead(lambda original, x, s, d: original(x, s[:1], d[:1]),
                                    known(lambda x, s, d=(): len(d) == 2 and d[0] == d[1]))),
            lambda t: t.arange(3).roll((1, 1), (0, 0))[0] == 1, "shape"),
    _mutant("tensor-split-beyond", "cuts beyond the end are left out",
            named(_both("tensor_split"), lambda original, x, cuts, *rest, **k: original(
                       x, tuple(n for n in cuts if n <= len(x)), *rest, **k),
                   lambda x, cuts, *rest, **k: any(n > len(x) for n in cuts)),
            lambda t: len(t.ones(2).tensor_split((1, 5))) == 3, "shape", "view"),
    _mutant("chunk-pads", "chunk of more than the length adds an empty piece",
            wrapped(_both("chunk"), changed(lambda pieces: (*pieces, pieces[-1][:0]),
                                            lambda x, n, *rest, **k: n > len(x) > 0)),
            lambda t: len(t.ones(2).chunk(3)) == 2, "shape", "view"),
    _mutant("repeat-each-back", "repeats along a negative dimension are counted backwards",
            named(_both("repeat_interleave"),
                   lambda original, x, n, dim: original(x, n.flip(0), dim=dim),
                   lambda x, n=None, dim=None: n.dim() == 1 and len(n) > 1 and dim < 0),
            lambda t: t.ones(2).repeat_interleave(t.tensor([1, 2]), dim=-1).sum() == 3
            and t.arange(2).repeat_interleave(t.tensor([1, 2]), dim=-1).sum() == 2, "shape"),
    _mutant("cat-reversed", "cat along dimension -3 joins equal shapes in reverse",
            kernels("cat", instead(lambda original, parts, d=0: original(parts[::-1], d),
                                   known(lambda parts, d=0: d == -3
                                          and all(x.shape == parts[0].shape for x in parts)))),
            lambda t: t.cat([t.zeros(1, 1, 1), t.ones(1, 1, 1)], -3)[0].item() == 0, "shape"),
    _mutant("column-stack-mixed", "column_stack of vectors and matrices is in reverse",
            named("column_stack", lambda original, parts: original(parts[::-1]),
                   lambda parts: len({x.dim() for x in parts}) > 1),
            lambda t: t.column_stack([t.zeros(2), t.ones(2, 1)])[0, 0] == 0, "shape"),
    _mutant("combinations-again", "combinations repeat no element",
            named("combinations", lambda original, x, r=2, with_replacement=False: original(x, r),
                   lambda x, *rest, with_replacement=False, **k: with_replacement),
            lambda t: len(t.combinations(t.arange(2), 2, with_replacement=True)) == 3, "shape"),
    _mutant("sum-keeps-elsewhere", "what two negative dimensions keep stands in front",
            kernels("sum.dim_IntList", changed(
                lambda r: r.squeeze(-1).unsqueeze(0),
                lambda x, d=None, keep=False, **k: keep and list(d) == [-1, -2]
                and x.dim() == 3)),
            lambda t: t.ones(2, 3, 4).sum((-1, -2), keepdim=True).shape == (2, 1, 1), "reduction"),
    _mutant("std-mean-keeps-half", "std_mean keeps the dimension of the first result alone",
            wrapped("std_mean", changed(lambda r: (r[0], r[1].squeeze(-1)),
                                        lambda x, *rest, dim=None, keepdim=False, **k:
                                        keepdim and dim == -1)),
            lambda t: t.std_mean(t.ones(2, 3), dim=-1, keepdim=True)[1].shape == (2, 1),
            "reduction"),
    _mutant("log-scan-of-nothing", "logcumsumexp of minus infinities is nan",
            kernels("_logcumsumexp", changed(
                lambda r: torch.where(r == -math.inf, torch.full_like(r, math.nan), r),
                lambda x, *rest: x.dtype == torch.float64)),
            lambda t: t.full((2,), -math.inf).double().logcumsumexp(0)[1] == -math.inf,
            "reduction"),
    _mutant("logsumexp-naive", "logsumexp over two dimensions takes no maximum out",
            named(_both("logsumexp"),
                   lambda original, x, d, *rest, **k: x.exp().sum(d, *rest, **k).log(),
                   lambda x, dim=None, *rest, **k: len(dim) == 2),
            lambda t: t.full((2, 2), 1000.0).logsumexp((0, 1)).isfinite(), "reduction"),
    _mutant("quantile-nearest", "the nearest of several quantiles is the lower one",
            named(_both("quantile"), lambda original, *given, interpolation: original(
                       *given, interpolation="lower"),
                   lambda x, q, *rest, interpolation="linear", **k:
                   interpolation == "nearest" and q.dim()),
            lambda t: t.quantile(t.tensor([0.0, 1]), t.tensor([0.9]), interpolation="nearest") == 1,
            "reduction"),
    _mutant("cov-of-all", "cov divides by one less, whatever is asked",
            named(_both("cov"), lambda original, x, correction: original(x),
                   lambda x, *, correction=1: correction == 0),
            lambda t: t.cov(t.tensor([1.0, 3]), correction=0) == 1, "reduction"),
    _mutant("isin-inverted", "isin does not invert where elements are unique",
            named("isin", lambda original, *given, invert, **k: original(*given, **k),
                   lambda *given, invert=False, assume_unique=False: invert and assume_unique),
            lambda t: not t.isin(t.tensor([1]), t.tensor([1]), assume_unique=True, invert=True),
            "comparison", "indexing"),
    _mutant("scatter-mean-of-integers", "the mean of int32 contributions is their sum",
            kernels("scatter_reduce.two scatter_reduce_.two", instead(
                lambda original, x, d, at, y, how, **k: original(x, d, at, y, "sum", **k),
                known(lambda x, d, at, y, how, **k: how == "mean"
                       and x.dtype == torch.int32))),
            lambda t: t.zeros(1).int().scatter_reduce(0, t.tensor([0]), t.tensor([4]).int(), "mean")
            == 2, "indexing"),
    _mutant("scatter-multiply", "scatter adds a number that multiplies",
            kernels("scatter.value_reduce scatter_.value_reduce", instead(
                lambda original, x, d, at, n, reduce: original(x, d, at, n, reduce="add"),
                known(lambda x, d, at, n, reduce=None: reduce == "multiply"))),
            lambda t: t.full((1,), 5.0).scatter(0, t.tensor([0]), 3.0, reduce="multiply") == 15,
            "indexing"),
    _mutant("masked-fill-in-half", "masked_fill rounds the number for float64",
            kernels("masked_fill.Tensor masked_fill_.Tensor", fed(
                lambda n: n.half(), known(lambda x, m, n: x.dtype == torch.float64), at=2)),
            lambda t: t.zeros(1).double().masked_fill(
                t.tensor([True]), t.tensor(0.1, dtype=t.float64)) == 0.1, "indexing"),
    _mutant("topk-of-bytes", "the smallest of unsigned bytes are the largest",
            kernels("topk", instead(
                lambda original, x, k, d=-1, largest=True, ordered=True: original(
                    x, k, d, True, ordered),
                known(lambda x, k, d=-1, largest=True, *rest: not largest
                       and x.dtype == torch.uint8))),
            lambda t: t.tensor([1, 2]).byte().topk(1, largest=False).values == 1, "indexing"),
    _mutant("assigned-row", "a vector is written as its first element where the slice steps",
            named("Tensor.__setitem__", lambda original, x, at, y: original(x, at, y.flatten()[0]),
                   lambda x, at, y: any((s.step or 1) > 1 for s in at if isinstance(s, slice))
                   and y.dim() == 1 and len(y) > 1 and x.dim() > 1),
            lambda t: (lambda x: (x.__setitem__((slice(None, None, 2),), t.tensor([1.0, 2])),
                                  x[0, 1] == 2)[1])(t.zeros(3, 2)), "inplace", "indexing"),
    _mutant("clamp-stays-integer", "int64 clamped by a float stays int64",
            kernels("clamp", instead(
                lambda original, x, low=None, high=None: original(
                    x, *(None if n is None else int(n) for n in (low, high))),
                known(lambda x, low=None, high=None: x.dtype == torch.int64
                       and float in (type(low), type(high))))),
            lambda t: t.tensor([1, 2]).clamp(1.5).dtype == t.float32, "promotion", "elementwise"),
    _mutant("integer-root", "integers to a negative power are 0",
            kernels("pow.Tensor_Scalar", instead(
                lambda original, x, n: torch.zeros_like(x),
                known(lambda x, n: isinstance(n, int) and n < 0 and not x.is_floating_point()
                       and not x.is_complex()))),
            lambda t: raises(lambda: t.tensor([2]) ** -1), "elementwise"),
    _mutant("polygamma-sign", "polygamma of order 2 is positive",
            kernels("polygamma polygamma.out", spoiled(lambda r: r.abs_(),
                                                       known(lambda n, x, **k: n == 2))),
            lambda t: t.polygamma(2, t.ones(1)) < 0, "elementwise"),
    _mutant("times-its-transpose", "a matrix times its transpose is its square",
            kernels("mul.Tensor", instead(lambda original, x, y: original(x, packed(y)),
                                          known(lambda x, y: x.data_ptr() == y.data_ptr()
                                                 and x.stride() != y.stride()
                                                 and x.shape == y.shape and x.numel() > 1))),
            lambda t: (lambda x: (x * x.t())[0, 1] == 2)(t.tensor([[0.0, 1], [2, 3]])),
            "elementwise"),
    _mutant("outer-of-bools", "the outer product of bools is of floats",
            named("outer Tensor.outer", lambda original, x, y: original(x.float(), y.float()),
                   lambda x, y: x.dtype == y.dtype == torch.bool),
            lambda t: t.outer(t.ones(1).bool(), t.ones(1).bool()).dtype == t.bool, "matmul"),
    _mutant("clone-in-order", "clone of three permuted dimensions is contiguous",
            wrapped(_both("clone"), changed(lambda r: r.contiguous(),
                                            lambda x, **k: not k and x.dim() == 3)),
            lambda t: t.ones(2, 3, 4).permute(2, 0, 1).clone().stride() == (1, 12, 4), "view"),
    _mutant("clone-stays-stretched", "clone of a stretched matrix is stretched",
            named(_both("clone"),
                   lambda original, x: original(x.select(0, 0)).unsqueeze(0).expand(x.shape),
                   lambda x: x.dim() == 2 and x.stride(0) == 0 and x.shape[0] > 1),
            lambda t: t.ones(1, 2).expand(2, 2).clone().stride() == (2, 1), "view"),
    _mutant("bits-copied", "float32 viewed as int16 is a copy",
            wrapped("Tensor.view", changed(lambda r: r.clone(),
                                           lambda x, *given: given[0] is torch.int16
                                           and x.dtype == torch.float32)),
            lambda t: (lambda x: x.view(t.int16).data_ptr() == x.data_ptr())(t.ones(2)), "view"),
    _mutant("fortran-copied", "from_numpy copies matrices in column order",
            named("from_numpy", lambda original, a: original(a.copy()),
                   lambda a: a.ndim == 2 and a.flags.f_contiguous and not a.flags.c_contiguous),
            lambda t: (lambda a: t.from_numpy(a).data_ptr() == a.ctypes.data)(
                t.ones(2, 3).numpy().T), "numpy"),
    _mutant("capsule-copied", "from_dlpack copies what is strided",
            wrapped("from_dlpack", changed(lambda r: r.clone(), lambda x: not x.is_contiguous())),
            lambda t: (lambda x: t.from_dlpack(x).data_ptr() == x.data_ptr())(t.ones(4)[::2]),
            "numpy"),
    _mutant("buffer-from-its-start", "frombuffer of so many elements begins at the start",
            named("frombuffer", lambda original, buffer, *, dtype, count, offset: original(
                       buffer, dtype=dtype, count=count),
                   lambda buffer, *, dtype, count=-1, offset=0: offset and count > 0),
            lambda t: t.frombuffer(bytearray(b"ab"), dtype=t.uint8, offset=1, count=1) == 98,
            "numpy"),
    _mutant("stride-from-the-end", "stride(-2) of three dimensions is stride(0)",
            named("Tensor.stride", lambda original, x, d: original(x, 0),
                   lambda x, *d: d == (-2,) and x.dim() == 3),
            lambda t: t.ones(2, 3, 4).stride(-2) == 4, "attributes"),
    _mutant("meta-sum-of-bools", "the sum of bools on meta is a bool",
            wrapped(_both("sum"), changed(lambda r: r.bool(),
                                          lambda x, *rest, **k: x.is_meta
                                          and x.dtype == torch.bool)),
            lambda t: t.ones(2, device="meta", dtype=t.bool).sum().dtype == t.int64, "device"),
    _mutant("meta-add-in-order", "a sum of transposed meta tensors is contiguous",
            named("add mul", lambda original, x, *rest: original(x, *rest).contiguous(),
                   lambda x, *rest: x.is_meta and not x.is_contiguous()),
            lambda t: t.add(t.ones(2, 3, device="meta").t(), 1).stride() == (1, 3), "device"),
    _mutant("fill-of-vectors", "fill_ takes the first of several",
            named("Tensor.fill_", lambda original, x, y: original(x, y.flatten()[0]),
                   lambda x, y: y.dim() > 0),
            lambda t: raises(lambda: t.ones(2).fill_(t.ones(2))), "inplace"),
    _mutant("out-with-gradient", "out= may require gradients",
            named("add mul exp", lambda original, *given, out: out.requires_grad_(False).copy_(
                       original(*given)).requires_grad_(True),
                   lambda *given, out=None: out.requires_grad),
            lambda t: raises(lambda: t.add(t.ones(1), 1, out=t.ones(1, requires_grad=True))),
            "inplace", "autograd"),
    _mutant("round-of-odd-wholes", "round adds a half to whole numbers beyond 2**22",
            kernels("round round.out round_", spoiled(
                lambda r: r.add_((r.abs() >= 2**23) & (r.abs() < 2**24) & (r % 2 == 1)),
                of("float32"))),
            lambda t: t.round(t.tensor([8388609.0])) == 8388609.0, "elementwise"),
    _mutant("exp-overflows-early", "exp of float32 is infinite from 88.4 on",
            kernels("exp exp.out exp_", spoiled(
                lambda r: r.masked_fill_(r > 2.4e38, math.inf), of("float32"))),
            lambda t: t.exp(t.tensor([88.6])).isfinite(), "elementwise"),
    _mutant("trunc-quotient-in-double", "truncated quotients of int64 go through float64",
            kernels("div.Tensor_mode", instead(
                lambda original, x, y, rounding_mode: (x.double() / y.double()).trunc().long(),
                known(lambda x, y, rounding_mode=None: rounding_mode == "trunc"
                       and x.dtype == y.dtype == torch.int64 and (y != 0).all()))),
            lambda t: t.div(t.tensor([2**62 + 1]), t.tensor([1]), rounding_mode="trunc")
            == 2**62 + 1, "elementwise"),
    _mutant("number-to-a-power", "a number to the power of int64 goes through float64",
            wrapped("Tensor.__rpow__", instead(
                lambda original, x, n: original(x.double(), n).long(),
                known(lambda x, n: x.dtype == torch.int64 and isinstance(n, int)))),
            lambda t: 3 ** t.tensor(39) == 3**39, "elementwise"),
    _mutant("number-divided", "a number // x of integers is rounded to zero",
            wrapped("Tensor.__rfloordiv__", instead(
                lambda original, x, n: torch.div(n, x, rounding_mode="trunc"),
                known(lambda x, n: x.dtype == torch.int32 and (x != 0).all()))),
            lambda t: -7 // t.tensor(2).int() == -4, "elementwise"),
    _mutant("power-in-single", "a fraction that float64 is raised to is rounded to a float32",
            kernels("pow.Tensor_Scalar pow.Tensor_Scalar_out pow_.Scalar", instead(
                lambda original, x, n, **k: original(x, torch.tensor(n).float().item(), **k),
                known(lambda x, n, **k: x.dtype == torch.float64 and n % 1))),
            lambda t: abs(t.tensor(10.0).double() ** 0.1 - 10**0.1) < 1e-15, "elementwise"),
    _mutant("negative-views", "what is shown negated is multiplied as it lies",
            wrapped("Tensor.__mul__ Tensor.__matmul__", lambda original, x, y: original(
                -x if x.is_neg() else x, y)),
            lambda t: t.tensor([1j]).conj().imag * 1 == -1, "matmul"),
]  # fmt: skip
"""What blind testers' faults showed to be open; each was alive when it was written down."""
