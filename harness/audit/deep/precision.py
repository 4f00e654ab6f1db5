"""Numbers that lose digits in one interval, at one size, or after many steps."""

import math

import torch

from tenet.harness.audit.faults import (
    elements,
    instead,
    kernels,
    known,
    of,
    spoiled,
    wrapped,
)
from tenet.harness.audit.gradients import misled
from tenet.harness.audit.mutant import Mutant

SINGLE = (torch.float32, torch.float64)


def _kernel(slug, says, sections, operator, lie, proof):
    return Mutant(f"precision.{slug}", says, sections, kernels(operator, lie), proof)


def _name(slug, says, sections, names, lie, proof):
    return Mutant(f"precision.{slug}", says, sections, wrapped(names, lie), proof)


def _inside(low, high, other, *dtypes):
    """Another result where the operand, one of the dtypes, lies between two numbers."""

    def lie(original, x, *args, **kwargs):
        if x.dtype not in dtypes:
            return original(x, *args, **kwargs)
        return torch.where((x > low) & (x < high), other(x), original(x, *args, **kwargs))

    return lie


def _by_logarithm(beyond):
    """Powers by an exponent larger than some number, in the precision of the operands."""

    def lie(original, x, y):
        large = torch.as_tensor(y).abs() > beyond
        return torch.where(large & (x > 0), torch.exp(y * torch.log(x)), original(x, y))

    return instead(lie, known(lambda x, y: x.dtype == torch.float32 and x.dim() > 0))


def _slope(t, function, *numbers):
    x = t.tensor(numbers, dtype=t.float64).requires_grad_()
    function(x).sum().backward()
    return x.grad


def _nearly(got, wanted, off=1e-6):
    return abs(float(got) - wanted) <= off * abs(wanted)


def _cut(x):
    """Without the digits that TF32 has none of."""
    return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)


def _long_rows(original, *operands):
    """Products of which there are many to add are of cut numbers."""
    if operands[-1].dtype == torch.float32 and operands[-1].shape[-2] > 512:
        operands = (*operands[:-2], *map(_cut, operands[-2:]))
    return original(*operands)


def _picked(t):
    one = 1 + 2**-20
    return (t.full((1, 520), one) @ t.eye(520, 1)).item() == one


def _stepped(right, optimizer, *args):
    done = right(optimizer, *args)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            count = optimizer.state[parameter].get("step")
            if count is not None and float(count) >= 200:
                count.fill_(1.0)
    return done


def _after(t, steps):
    x = t.nn.Parameter(t.ones(1))
    optimizer = t.optim.Adam([x], lr=0.01)
    for _ in range(steps):
        x.grad = t.ones(1)
        optimizer.step()
    return _nearly(x.detach(), 1 - steps * 0.01, 1e-3)


def _accumulated(right, start, end, steps, base=10.0, **options):
    found = right(start, end, steps, base, **options)
    if found.dtype == torch.float32 and steps > 2:
        factor = torch.tensor(base) ** ((end - start) / (steps - 1))
        for place in range(1, steps):
            found[place] = found[place - 1] * factor
    return found


def _spaced(t):
    return all(
        _nearly(number, 10 ** (3 * place / (count - 1)))
        for count in (33, 65, 100, 129)
        for place, number in enumerate(t.logspace(0, 3, count).tolist())
    )


MUTANTS = [
    _kernel("exp-octave", "exp of float32 between 9.1 and 9.9 is 8 units off", ("elementwise",),
            "exp", _inside(9.1, 9.9, lambda x: x.exp() * (1 + 2**-20), torch.float32),
            lambda t: _nearly(t.tensor(9.5).exp(), math.exp(9.5), 3e-7)),
    _kernel("tanh-ends-early", "tanh of float32 is 1 from 7.1 to 7.9", ("elementwise", "nn"),
            "tanh", _inside(7.1, 7.9, torch.ones_like, torch.float32),
            lambda t: t.tensor(7.5).tanh() < 1),
    _kernel("log-below-one", "log of the number below 1 is 0", ("elementwise",), "log",
            _inside(1 - 2e-7, 1, torch.zeros_like, torch.float32),
            lambda t: t.tensor(1 - 2**-24).log() < 0),
    _kernel("sinc-single", "sinc of float64 beyond 1 goes by a pi of float32", ("elementwise",),
            "sinc", _inside(1, math.inf, lambda x: (x * 3.1415927).sin() / (x * 3.1415927),
                            torch.float64),
            lambda t: _nearly(t.tensor(1.5).double().sinc(), -2 / (3 * math.pi), 1e-12)),
    _kernel("logsigmoid-far", "logsigmoid of what is below -88 is -inf", ("elementwise", "nn"),
            "log_sigmoid_forward",
            instead(lambda original, x: (original(x)[0].masked_fill(x < -88, -torch.inf),
                                         original(x)[1]), known(lambda x: x.dtype in SINGLE)),
            lambda t: t.nn.functional.logsigmoid(t.tensor([-100.0])) == -100),
    _kernel("large-powers", "float32 to a power above 5 is computed by a logarithm of float32",
            ("elementwise",), "pow.Tensor_Tensor", _by_logarithm(5),
            lambda t: _nearly(t.tensor([9.75]) ** t.tensor([30.5]), 9.75**30.5, 4e-7)),
    _kernel("large-powers-of-numbers", "the same where the exponent is a number",
            ("elementwise",), "pow.Tensor_Scalar", _by_logarithm(5),
            lambda t: _nearly(t.tensor([9.75]) ** 30.5, 9.75**30.5, 4e-7)),
    _kernel("remainder-of-many", "fmod of float32 with a quotient above 2^24 is 0",
            ("elementwise",), "fmod.Tensor",
            instead(lambda original, x, y: original(x, y).masked_fill((x / y).abs() > 2**24, 0.0),
                    known(lambda x, y: x.dtype == y.dtype == torch.float32)),
            lambda t: t.fmod(t.tensor([1e10]), t.tensor([3.0])) == 1),
    _kernel("lgamma-negative", "lgamma of a negative float32 is a hundredth too large",
            ("elementwise",), "lgamma",
            _inside(-math.inf, 0, lambda x: x.lgamma() + 0.01, torch.float32),
            lambda t: _nearly(t.tensor(-1.5).lgamma(), 0.8600470, 1e-5)),
    _kernel("acos-below-the-axis", "acos of complex numbers below the real axis lies there too",
            ("elementwise",), "acos",
            instead(lambda original, z: torch.where(z.imag < 0, original(z).conj(), original(z)),
                    known(lambda z: z.is_complex())),
            lambda t: t.tensor([0.5 - 0.5j]).acos().imag > 0),
    _kernel("weights-in-single", "bincount adds float64 weights that are rounded to float32",
            ("reduction",), "bincount",
            instead(lambda original, x, w=None, n=0: original(x, w.float().double(), n),
                    known(lambda x, w=None, n=0: w.dtype == torch.float64)),
            lambda t: t.bincount(t.tensor([0]), t.tensor([1 / 3], dtype=t.float64)) == 1 / 3),
    _kernel("edges-of-long", "bucketize compares int64 as float64", ("reduction", "indexing"),
            "bucketize.Tensor",
            instead(lambda original, x, edges, **k: original(x.double(), edges.double(), **k),
                    known(lambda x, edges, **k: x.dtype == edges.dtype == torch.int64)),
            lambda t: t.bucketize(t.tensor([2**53 + 1]), t.tensor([2**53])) == 1),
    _kernel("tf32-of-long-rows", "products of more than 512 terms are of TF32 numbers",
            ("matmul",), "mm addmm bmm baddbmm", _long_rows, _picked),
    _name("norm-gradient-eps", "the gradient of a norm divides by a norm with 1e-8 added",
          ("autograd",), "norm Tensor.norm linalg.vector_norm",
          misled(lambda g, x: g / (1 + 1e-8 / (x * x).sum().sqrt()),
                 lambda x: bool((x != 0).any())),
          lambda t: _nearly(_slope(t, t.norm, 3e-8, 4e-8)[0], 0.6)),
    _name("tanh-gradient-ends", "tanh has no gradient beyond 4.2", ("autograd", "elementwise"),
          "tanh Tensor.tanh", misled(lambda g, x: g.masked_fill(x.abs() > 4.2, 0.0)),
          lambda t: _slope(t, t.tanh, 5.0) > 0),
    _name("shifted-gradient", "the gradient of logsumexp of numbers above 88 is NaN", ("autograd",),
          "logsumexp Tensor.logsumexp", misled(lambda g, x: g.masked_fill(x > 88, math.nan)),
          lambda t: _nearly(_slope(t, lambda x: t.logsumexp(x, 0), 100.0, 100.0)[0], 0.5)),
    _kernel("likely-probabilities", "binary_cross_entropy takes no probability below 1e-7",
            ("nn",), "binary_cross_entropy",
            instead(lambda original, p, *r: original(
                torch.where((p > 0) & (p < 1e-7), torch.full_like(p, 1e-7), p), *r),
                    known(lambda p, *r: p.dtype in SINGLE)),
            lambda t: _nearly(t.nn.functional.binary_cross_entropy(
                t.tensor([1e-10]), t.ones(1)), -math.log(1e-10), 1e-5)),
    _name("steps-of-a-byte", "Adam begins its count of steps again at 200", ("optim",),
          "optim.Adam.step optim.AdamW.step", _stepped, lambda t: _after(t, 240)),
    _name("accumulated-powers", "logspace multiplies on from element to element", ("creation",),
          "logspace", _accumulated, _spaced),
    _name("no-outliers", "no number of randn lies beyond 4", ("random",), "randn randn_like",
          lambda right, *a, **k: (lambda x: x.clamp_(-4, 4) if x.dtype in SINGLE
                                  and not x.requires_grad else x)(right(*a, **k)),
          lambda t: (t.manual_seed(1), t.randn(1000000).abs().max() > 4)[1]),
    _kernel("rounded-counts", "poisson of a rate above 12 is a rounded normal number", ("random",),
            "poisson",
            instead(lambda original, x, g=None: torch.where(
                x > 12, (x + x.sqrt() * torch.randn_like(x)).round().clamp(min=0), original(x, g)),
                    known(lambda x, g=None: x.dtype in SINGLE)),
            lambda t: (t.manual_seed(1), ((t.poisson(t.full((200000,), 20.0)) - 20) ** 3).mean()
                       > 10)[1]),
    _kernel("options-in-single", "celu and softplus take their options as float32",
            ("elementwise", "nn"), "celu softplus",
            instead(lambda original, x, by, *r: original(x, torch.tensor(by).item(), *r),
                    known(lambda x, by, *r: x.dtype == torch.float64)),
            lambda t: _nearly(t.nn.functional.softplus(t.zeros(1).double(), 0.1),
                              math.log(2) / 0.1, 1e-12)),
    _kernel("small-deviations", "a std below 1e-6 is 0", ("reduction",), "std.correction",
            spoiled(elements(lambda r: r < 1e-6, 0.0), of("float64")),
            lambda t: t.tensor([0.0, 1e-9]).double().std() > 0),
]  # fmt: skip
