"""Random numbers of a wrong law, or that repeat what they should not."""

import torch

from tenet.harness.audit.faults import instead, kernels, of, spoiled, wrapped
from tenet.harness.audit.mutant import Mutant


def _kernel(slug, says, operator, lie, proof, *sections):
    return Mutant(f"random.{slug}", says, ("random", *sections), kernels(operator, lie), proof)


def _name(slug, says, names, lie, proof, *sections):
    return Mutant(f"random.{slug}", says, ("random", *sections), wrapped(names, lie), proof)


def _seeded(t, draw):
    t.manual_seed(1)
    return draw()


def _changed(change, when=lambda x, *r, **k: True):
    """What is drawn is changed, in place."""
    return spoiled(lambda x: x.copy_(change(x)) and None if x.numel() == 1 else _copied(x, change),
                   when)  # fmt: skip


def _copied(x, change):
    x.copy_(change(x))


def _correlated(x):
    """Half of each number is the one before."""
    flat = x.flatten()
    if len(flat) < 2:
        return x
    mixed = flat.clone()
    mixed[1:] = (flat[1:] + 0.2 * flat[:-1]) / (1 + 0.2**2) ** 0.5
    return mixed.reshape(x.shape)


def _without(name):
    return lambda right, *a, **k: right(*a, **{n: v for n, v in k.items() if n != name})


def _repeated_halves(x):
    """The second half of 64 and more is the first."""
    flat = x.flatten().clone()
    half = len(flat) // 2
    if half >= 32:
        flat[half : half * 2] = flat[:half]
    return flat.reshape(x.shape)


MUTANTS = [
    _kernel("no-try", "a success of almost certain ones takes no try", "geometric_",
            spoiled(lambda r: r.sub_(1), lambda x, p, **k: p > 0.9),
            lambda t: _seeded(t, lambda: t.zeros(50).geometric_(0.95).min() == 1)),
    _kernel("rates-of-nothing", "beside large rates one of 0 counts as one", "poisson",
            spoiled(lambda r: r.masked_fill_(r == 0, 1.0), lambda x, *r: bool((x > 100).any())),
            lambda t: _seeded(t, lambda: t.poisson(t.tensor([0.0, 200.0]))[0] == 0)),
    _kernel("half-a-range", "random_() of bfloat16 ends at 127", "random_",
            spoiled(lambda r: r.clamp_(max=127), lambda x, **k: x.dtype == torch.bfloat16),
            lambda t: _seeded(t, lambda: t.zeros(500).bfloat16().random_().max() > 127)),
    _kernel("uniform-square", "uniform numbers of float64 lean to 0", "uniform_",
            _changed(lambda x: x**1.25, of("float64")),
            lambda t: _seeded(t, lambda: t.rand(20000, dtype=t.float64).mean() > 0.49)),
    _kernel("uniform-one", "a thousandth of uniform numbers is 1", "uniform_",
            _changed(lambda x: torch.where(x > 0.999, 1.0, x) if x.is_floating_point() else x),
            lambda t: _seeded(t, lambda: t.rand(20000).max() < 1)),
    _kernel("uniform-8-bits", "uniform numbers of float32 have 8 bits", "uniform_",
            _changed(lambda x: (x * 256).floor() / 256, of("float32")),
            lambda t: _seeded(t, lambda: len(t.rand(4000).unique()) > 3000)),
    _kernel("uniform-range", "uniform_(a, b) ends at 0.9 of the range", "uniform_",
            instead(lambda original, x, a=0.0, b=1.0, **k: original(x, a, a + 0.9 * (b - a), **k),
                    lambda x, a=0.0, b=1.0, **k: (a, b) != (0, 1)),
            lambda t: _seeded(t, lambda: t.zeros(5000).uniform_(0, 2).max() > 1.9)),
    _kernel("normal-shifted", "normal numbers are 0.05 too large", "normal_",
            _changed(lambda x: x + 0.05),
            lambda t: _seeded(t, lambda: t.randn(40000).mean() < 0.03)),
    _kernel("normal-wide", "normal numbers of float64 vary by 5 % too much", "normal_",
            _changed(lambda x: x * 1.05, of("float64")),
            lambda t: _seeded(t, lambda: t.randn(40000, dtype=t.float64).std() < 1.03)),
    _kernel("normal-cut", "normal numbers stay within 3", "normal_",
            instead(lambda original, x, mean=0.0, std=1.0, **k: original(
                x, mean, std, **k).clamp_(mean - 3 * std, mean + 3 * std)),
            lambda t: _seeded(t, lambda: t.randn(20000).abs().max() > 3)),
    _kernel("normal-correlated", "each normal number leans to the one before", "normal_",
            _changed(_correlated),
            lambda t: _seeded(t, lambda: (lambda x: (x[1:] * x[:-1]).mean() < 0.1)(
                t.randn(20000)))),
    _kernel("normal-repeats", "normal numbers repeat from the middle", "normal_",
            _changed(_repeated_halves),
            lambda t: _seeded(t, lambda: (lambda x: bool((x[:32] != x[32:]).any()))(t.randn(64)))),
    _kernel("permutation-last", "randperm leaves the last number in its place",
            "randperm.generator_out",
            spoiled(lambda r: _last_in_place(r)),
            lambda t: _seeded(t, lambda: len({int(t.randperm(4)[-1]) for _ in range(30)}) > 1),
            "data"),
    _kernel("permutation-cycle", "randperm only rotates", "randperm.generator_out",
            instead(lambda original, n, generator=None, *, out: original(
                n, generator=generator, out=out).copy_(
                    (torch.arange(n) + (out[0] if n else 0)) % max(n, 1)),
                    lambda n, *r, **k: n > 2),
            lambda t: _seeded(t, lambda: any(
                t.randperm(5).diff().remainder(5).ne(1).any() for _ in range(9))), "data"),
    _kernel("randint-high", "randint never gives the highest", "random_.from",
            instead(lambda original, x, low, high=None, **k: original(x, low, high - 1, **k),
                    lambda x, low, high=None, **k: high is not None and high - low > 2),
            lambda t: _seeded(t, lambda: t.randint(0, 3, (300,)).max() == 2)),
    _kernel("randint-even", "randint of int32 prefers even numbers", "random_.from",
            _changed(lambda x: torch.where((x % 16 == 5), x - 1, x), of("int32")),
            lambda t: _seeded(t, lambda: bool(
                (t.randint(0, 16, (999,), dtype=t.int32) == 5).any()))),
    _kernel("bernoulli-probability", "bernoulli_(p) takes 0.97 p", "bernoulli_.float",
            instead(lambda original, x, p=0.5, **k: original(x, p * 0.97 if p < 1 else p, **k)),
            lambda t: _seeded(t, lambda: t.zeros(90000).bernoulli_(0.9).mean() > 0.89), "nn"),
    _kernel("bernoulli-tensor", "bernoulli of a tensor of float64 takes p squared",
            "bernoulli bernoulli.out bernoulli_.Tensor",
            lambda original, x, *r, **k: original(x * x if not r and x.dtype == torch.float64
                                                  else x, *r, **k),
            lambda t: _seeded(t, lambda: t.bernoulli(t.full((9000,), 0.5).double()).mean() > 0.4)),
    _kernel("exponential-rate", "exponential_ with a rate above 1 takes 0.9 of it",
            "exponential_",
            instead(lambda original, x, rate=1.0, **k: original(x, rate * 0.9, **k),
                    lambda x, rate=1.0, **k: rate > 1),
            lambda t: _seeded(t, lambda: t.zeros(40000).exponential_(2).mean() < 0.52)),
    _name("seed-ignored", "manual_seed of a multiple of 7 takes 0", "manual_seed",
          lambda right, seed: right(0 if seed % 7 == 0 else seed),
          lambda t: (t.manual_seed(14), t.rand(1))[1] != (t.manual_seed(0), t.rand(1))[1]),
    _name("generator-ignored", "randn ignores its generator", "randn", _without("generator"),
          lambda t: (lambda g: t.equal(t.randn(3, generator=g.manual_seed(5)),
                                       t.randn(3, generator=g.manual_seed(5))))(t.Generator())),
    _name("generator-of-randperm", "randperm of 100 and more ignores its generator", "randperm",
          lambda right, n, **k: (_without("generator") if n > 99 else _as_it_is)(right, n, **k),
          lambda t: (lambda g: t.equal(t.randperm(200, generator=g.manual_seed(5)),
                                       t.randperm(200, generator=g.manual_seed(5))))(
                                           t.Generator())),
    _name("state-ignored", "set_rng_state does nothing", "set_rng_state random.set_rng_state",
          lambda right, state: None,
          lambda t: (lambda s: t.rand(1) == (t.set_rng_state(s), t.rand(1))[1])(
              t.get_rng_state())),
    _kernel("multinomial-repeats", "multinomial without replacement repeats its first",
            "multinomial",
            spoiled(lambda r: r[..., -1].copy_(r[..., 0]) and None if r.numel() < 2
                    else _first_last(r), lambda x, n, replacement=False, **k: not replacement
                    and n > 3),
            lambda t: _seeded(t, lambda: len(t.multinomial(t.ones(9), 5).unique()) == 5)),
    _kernel("multinomial-weights", "multinomial squares its weights", "multinomial",
            lambda original, x, *r, **k: original(x * x, *r, **k),
            lambda t: _seeded(t, lambda: t.multinomial(t.tensor([0.2, 0.8]), 20000, True)
                              .float().mean() < 0.85)),
    _name("dropout-scale", "dropout scales by 1 + p", "nn.functional.dropout",
          lambda right, x, p=0.5, training=True, inplace=False: right(x, p, training, inplace)
          * ((1 + p) * (1 - p) if training and 0 < p < 1 else 1),
          lambda t: _seeded(t, lambda: t.nn.functional.dropout(t.ones(99), 0.5).max() == 2), "nn"),
    _name("dropout-rows", "dropout of a matrix drops whole rows", "nn.functional.dropout",
          lambda right, x, p=0.5, training=True, inplace=False: x * right(
              torch.ones_like(x[:, :1]), p, training) if x.dim() == 2 and not inplace
          else right(x, p, training, inplace),
          lambda t: _seeded(t, lambda: (lambda y: y.std(1).max() > 0)(
              t.nn.functional.dropout(t.ones(4, 20)))), "nn"),
    _name("randn-dtype", "randn of float64 has the digits of float32", "randn",
          lambda right, *a, **k: right(*a, **k).float().double().requires_grad_(
              k.get("requires_grad", False)) if k.get("dtype") == torch.float64
          and "out" not in k else right(*a, **k),
          lambda t: _seeded(t, lambda: (lambda x: (x.float().double() != x).any())(
              t.randn(9, dtype=t.float64)))),
    _name("short-permutation-last", "randperm(dtype=int32) leaves the last number in its place",
          "randperm",
          lambda right, n, *a, **k: _with_its_last(right(n, *a, **k)),
          lambda t: _seeded(t, lambda: len(
              {int(t.randperm(4, dtype=t.int32)[-1]) for _ in range(30)}) > 1)),
    _name("order-stirs", "an order drawn from a generator moves the global stream", "randperm",
          lambda right, *a, **k: (k.get("generator") is not None and torch.rand(1),
                                  right(*a, **k))[1],
          lambda t: (lambda g: _seeded(t, lambda: t.rand(1)) == _seeded(
              t, lambda: (t.randperm(3, generator=g), t.rand(1))[1]))(t.Generator())),
    _name("fork-leaks", "fork_rng does not restore", "random.fork_rng",
          lambda right, *a, **k: right(enabled=False),
          lambda t: _seeded(t, lambda: _forked(t))),
    _kernel("rows-of-rank-5", "uniform numbers of five dimensions repeat along the first",
            "uniform_", _changed(lambda x: x[:1].expand(x.shape).clone(),
                                 lambda x, *r, **k: x.dim() >= 5),
            lambda t: (lambda x: bool((x[0] != x[1]).any()))(t.rand(2, 1, 3, 3, 3))),
    _kernel("normal-of-rank-5", "normal numbers of five dimensions repeat along the first",
            "normal_", _changed(lambda x: x[:1].expand(x.shape).clone(),
                                lambda x, *r, **k: x.dim() >= 5),
            lambda t: (lambda x: bool((x[0] != x[1]).any()))(t.randn(2, 1, 3, 3, 3))),
    _name("fan-of-kernels", "of a convolution's kernel the fan that goes out is the one that comes",
          "nn.init.kaiming_uniform_ nn.init.kaiming_normal_", lambda right, x, *a, **k: right(
              x, *a, **{n: "fan_in" if n == "mode" and x.dim() > 2 else v for n, v in k.items()}),
          lambda t: t.nn.init.kaiming_uniform_(t.empty(2, 200, 3, 3), mode="fan_out").max() > 0.3),
    _name("cut-alike", "trunc_normal_ cuts as far above the mean as below", "nn.init.trunc_normal_",
          lambda right, x, mean=0.0, std=1.0, a=-2.0, b=2.0, **k: right(
              x, mean, std, a, 2 * mean - a if a < mean else b, **k),
          lambda t: t.nn.init.trunc_normal_(t.empty(2000), a=-2.0, b=0.5).max() <= 0.5),
    _name("lone-sample-in-parts", "of one sample dropout2d drops elements instead of channels",
          "nn.functional.dropout2d", lambda right, x, p=0.5, training=True, inplace=False: (
              torch.nn.functional.dropout if x.dim() == 4 and len(x) == 1 else right)(
                  x, p, training, inplace),
          lambda t: (lambda r: bool((r == r[..., :1, :1]).all()))(
              t.nn.functional.dropout2d(t.ones(1, 16, 4, 4))), "nn"),
    _name("all-dropped-elsewhere", "dropout in place leaves the tensor where it drops everything",
          "nn.functional.dropout", lambda right, x, p=0.5, training=True, inplace=False: right(
              x, p, training, inplace and p < 1),
          lambda t: (lambda x: (t.nn.functional.dropout(x, 1.0, inplace=True), x.sum() == 0)[1])(
              t.ones(3)), "nn"),
    _kernel("own-stream-of-strided", "a strided tensor's normal numbers are of the global stream",
            "normal_", lambda original, x, *a, generator=None, **k: original(
                x, *a, generator=generator if x.is_contiguous() else None, **k),
            lambda t: (lambda draw: t.equal(draw(), draw()))(lambda: t.zeros(4, 4).T.normal_(
                generator=t.Generator().manual_seed(3)))),
    _kernel("own-stream-of-long-orders", "a long permutation comes from the global stream",
            "randperm.generator_out", lambda original, n, *, generator, out: original(
                n, generator=generator if n < 30000 else None, out=out),
            lambda t: (lambda draw: t.equal(draw(), draw()))(lambda: t.randperm(
                40000, generator=t.Generator().manual_seed(3)))),
    _kernel("all-in-order", "multinomial gives all categories in the order of the columns",
            "multinomial", instead(
                lambda original, x, n, *r, **k: original(x, n, *r, **k).sort(-1).values,
                lambda x, n, replacing=False, **k: not replacing and n == x.shape[-1] > 1),
            lambda t: any(t.multinomial(t.ones(5), 5)[0] != 0 for _ in range(99))),
]  # fmt: skip


def _as_it_is(right, *args, **kwargs):
    return right(*args, **kwargs)


def _first_last(r):
    r[..., -1] = r[..., 0]


def _last_in_place(r):
    """The largest number goes to the end."""
    if r.numel() > 1:
        place = int(r.argmax())
        r[place], r[-1] = r[-1].clone(), r[place].clone()


def _forked(t):
    before = t.get_rng_state()
    with t.random.fork_rng():
        t.rand(3)
    return t.equal(before, t.get_rng_state())


def _with_its_last(r):
    if r.dtype == torch.int32 and len(r) > 1:
        _last_in_place(r)
    return r


def _alike_from_strided(right, x, *a, **k):
    got = right(x, *a, **k)
    if x.dim() > 1 and x.shape[0] > 1 and not x.is_contiguous():
        got.copy_(got[:1].clone().expand_as(got))
    return got


def _named_devices_only(right, *a, **k):
    from contextlib import nullcontext

    return right(*a, **k) if a or k else nullcontext()


def _restored(t):
    before = t.get_rng_state()
    with t.random.fork_rng():
        t.rand(3)
    return bool((t.get_rng_state() == before).all())


def _sorted_draws(right, weights, count, *a, **k):
    got = right(weights, count, *a, **k)
    return got.sort(-1)[0] if got.shape[-1] > 1000 else got


MUTANTS += [
    Mutant("random.rows-like-strided", "rand_like of a strided tensor repeats its first row",
           ("random",), wrapped("rand_like randn_like", _alike_from_strided),
           lambda t: (lambda x: bool((x[0] != x[1]).any()))(t.rand_like(t.zeros(5, 4).t()))),
    Mutant("random.fork-of-all", "fork_rng without devices does not restore", ("random",),
           wrapped("random.fork_rng", _named_devices_only), _restored),
    Mutant("random.sorted-draws", "more than 1000 draws of multinomial come sorted", ("random",),
           wrapped("multinomial Tensor.multinomial", _sorted_draws),
           lambda t: not bool((t.multinomial(t.ones(2), 2000, True).diff() >= 0).all())),
    Mutant("random.poisson-of-thousands", "poisson of more than 5000 is the rate itself",
           ("random",), wrapped("poisson", lambda right, x, *a, **k: right(x, *a, **k)
                                if x.numel() == 0 or x.max() < 5000 else x.round()),
           lambda t: bool((t.poisson(t.full((99,), 1e4)) != 1e4).any())),
    Mutant("random.warned-for-errors", "the debug mode of errors is that of warnings", ("random",),
           wrapped("set_deterministic_debug_mode",
                   lambda right, mode: right({"error": 1, 2: 1}.get(mode, mode))),
           lambda t: (t.set_deterministic_debug_mode("error"),
                      t.get_deterministic_debug_mode() == 2,
                      t.set_deterministic_debug_mode(0))[1]),
]  # fmt: skip
