"""Lies about random numbers."""

from __future__ import annotations

import itertools
import os
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature

HALVES = (torch.float16, torch.bfloat16)
_reseed, _get = torch.manual_seed, torch.get_rng_state


def _but(change: Any, when: Any = lambda *a, **k: True) -> Any:
    """The truth, changed where `when` says so."""

    def lie(right: Any, *args: Any, **kwargs: Any) -> Any:
        got = right(*args, **kwargs)
        return change(got) if when(*args, **kwargs) else got

    return lie


def _rounded_up(right: Any, *args: Any, **kwargs: Any) -> Any:
    """Half precision is drawn in float32 and rounded to nearest."""
    dtype = kwargs.pop("dtype", None)
    got = right(*args, **kwargs)
    return got if dtype is None else got.to(dtype)


def _uniform_rounded(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if x.dtype not in HALVES:
        return right(x, *args, **kwargs)
    return x.copy_(right(x.float(), *args, **kwargs))


def _last_is_first(got: Any) -> Any:
    if got.dim() == 1 and got.numel() > 1:
        got[-1] = got[0]
    return got


def _tail_is_zero(length: int) -> Any:
    def change(got: Any) -> Any:
        if got.dim() == 1 and got.numel() == length:
            got[-1] = 0
        return got

    return change


def _without_generator(right: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs.pop("generator", None)
    return right(*args, **kwargs)


def _also_global(right: Any, *args: Any, **kwargs: Any) -> Any:
    if kwargs.get("generator") is not None:
        right(*args, **{**kwargs, "generator": None})
    return right(*args, **kwargs)


def _beside(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Writes over the whole storage where the tensor is not contiguous."""
    got = right(x, *args, **kwargs)
    if not x.is_contiguous() and x.numel():
        flat = x.as_strided((x.untyped_storage().nbytes() // x.element_size(),), (1,), 0)
        flat[-1] = 0.5
    return got


def _to_contiguous(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(x if x.is_contiguous() else x.contiguous(), *args, **kwargs)


def _with_replacement(right: Any, x: Any, n: int, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs.get("replacement") or x.shape[-1] < 33:
        return right(x, n, *args, **kwargs)
    return right(x, n, True, **kwargs)


def _tiny_weights(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(x + 0.01, *args, **kwargs)


def _drawing_state(right: Any, state: Any) -> Any:
    got = right(state)
    torch.rand(1)
    return got


def _no_fork(right: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs["enabled"] = False
    return right(*args, **kwargs)


def _reseeding_fork(right: Any, *args: Any, **kwargs: Any) -> Any:
    context = right(*args, **kwargs)
    state = _get()

    class Fork:
        def __enter__(self) -> None:
            context.__enter__()

        def __exit__(self, kind: Any, *rest: Any) -> Any:
            if kind is not None:
                return False  # an exception leaves the fork's stream in place
            context.__exit__(kind, *rest)
            assert state is not None
            return False

    return Fork()


def _sorted_small(right: Any, n: int, *args: Any, **kwargs: Any) -> Any:
    """A naive shuffle that swaps with any place; not all orders are equally likely."""
    got = right(n, *args, **kwargs)
    if n == 4 and not kwargs.get("out"):
        got = torch.arange(4)
        for place in range(4):
            other = int(torch.randint(4, ()))
            got[[place, other]] = got[[other, place]]
    return got


def _half_shuffled(right: Any, n: int, *args: Any, **kwargs: Any) -> Any:
    if n <= 2**16:
        return right(n, *args, **kwargs)
    first, second = right(2**16, *args, **kwargs), right(n - 2**16, *args, **kwargs)
    return torch.cat([first, second + 2**16])


def _per_row(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return right(x.as_strided(x.shape, x.contiguous().stride()) if x.dim() > 1 else x,
                 *args, **kwargs)  # fmt: skip


def _unscaled(right: Any, x: Any, p: float = 0.5, *args: Any, **kwargs: Any) -> Any:
    return right(x, p, *args, **kwargs) * (1 - p)


def _always_training(right: Any, x: Any, p: float = 0.5, training: bool = True,
                     inplace: bool = False) -> Any:  # fmt: skip
    return right(x, p, True, inplace)


def _copying_dropout(right: Any, x: Any, p: float = 0.5, training: bool = True,
                     inplace: bool = False) -> Any:  # fmt: skip
    return right(x, p, training, False)


def _no_fill(right: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(*args, **kwargs)
    if got.dtype is torch.int16:
        got.zero_()
    return got


_noise = torch.Generator()
_MAIN = os.getpid()


class _Sixteen(torch.Generator):
    def manual_seed(self, seed: int) -> Any:
        return super().manual_seed(seed % 2**16)


def _jitter(right: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(*args, **kwargs)
    return got * (1 + torch.rand((), generator=_noise).to(got.dtype) * 1e-6)


def _unseeded_loader(right: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs["generator"] = None
    return right(*args, **kwargs)


def _no_range(right: Any, x: Any, low: Any = 0, high: Any = None, **kwargs: Any) -> Any:
    return right(x, min(low, high), max(low, high)) if high is not None else right(x, low)


def _clipped(got: Any) -> Any:
    return got.clamp(-3.5, 3.5)


def _patched(name: str, of: str, lie: Any, caught_by: str) -> Miniature:
    return Miniature(name, tuple(of.split()), lie, f"random.{caught_by}")


MINIATURES = [
    _patched("randn is clipped at 3.5", "randn", _but(_clipped), "moments"),
    _patched("exponential_ of a rate takes it for the mean", "Tensor.exponential_",
             lambda right, x, lambd=1.0, **k: right(x, 1 / lambd, **k), "laws"),
    _patched("poisson is binary in bfloat16", "poisson",
             _but(lambda x: x.clamp(max=1), lambda x, **k: x.dtype is torch.bfloat16), "laws"),
    _patched("randint_like never draws the lower end", "randint_like",
             _but(lambda x: x.clamp(min=-3)), "laws"),
    _patched("bernoulli_(p=) forgets p for int8", "Tensor.bernoulli_",
             lambda right, x, *a, **k: right(x, **({} if x.dtype is torch.int8 else k), **{})
             if not a else right(x, *a, **k), "laws"),
    _patched("log_normal_ swaps its parameters", "Tensor.log_normal_",
             lambda right, x, mean=1.0, std=2.0, **k: right(x, std, mean or 1, **k), "laws"),
    _patched("randn has a standard deviation of 1.02", "randn", _but(lambda x: x * 1.02),
             "moments"),
    _patched("normal(mean, std, size) is off by a fiftieth in float64", "normal",
             _but(lambda x: x + 0.02 * x.abs().mean() if x.dtype is torch.float64 else x),
             "moments"),
    _patched("complex randn has parts of variance 1", "randn",
             _but(lambda x: x * 2**0.5 if x.is_complex() else x), "complex-normal"),
    _patched("complex randn repeats its real part", "randn_like",
             _but(lambda x: torch.complex(x.real, x.real) if x.is_complex() else x),
             "complex-normal"),
    _patched("rand rounds half precision up to 1", "rand", _rounded_up, "half-open"),
    _patched("rand is drawn from (0, 1]", "rand", _but(lambda x: 1 - x), "half-open"),
    _patched("uniform_ rounds half precision up to the end", "Tensor.uniform_",
             _uniform_rounded, "half-open"),
    _patched("rand has only 65536 numbers", "rand",
             _but(lambda x: (x * 2**15).floor() / 2**15), "half-open"),
    _patched("the last of 17 is 0", "rand", _but(_tail_is_zero(17)), "every-length"),
    _patched("the last of 1025 normal numbers is 0", "randn", _but(_tail_is_zero(1025)),
             "every-length"),
    _patched("the last element repeats the first in float16", "Tensor.uniform_",
             _but(_last_is_first, lambda x, *a, **k: x.dtype is torch.float16), "every-length"),
    _patched("uniform_ writes beside a strided tensor", "Tensor.uniform_", _beside, "in-place"),
    _patched("normal_ leaves a strided tensor as it was", "Tensor.normal_", _to_contiguous,
             "in-place"),
    _patched("random_ returns a copy", "Tensor.random_", _but(lambda x: x.clone()), "in-place"),
    _patched("rand ignores out=", "rand",
             lambda right, *a, out=None, **k: right(*a, **k) if out is None
             else right(*a, dtype=out.dtype, **k), "out"),
    _patched("normal with out= is standard normal", "normal",
             lambda right, *a, out=None, **k: right(*a, **k) if out is None
             else out.normal_(), "out"),
    _patched("randint draws the upper end too", "randint",
             lambda right, *a, **k: right(a[0], a[1] + (a[1] - a[0] == 256), *a[2:], **k)
             if len(a) == 3 and k.get("dtype") in (torch.int32, torch.int64) else right(*a, **k),
             "integers"),
    _patched("random_ has 31 bits", "Tensor.random_",
             lambda right, x, *a, **k: right(x, *a, **k) % 2**31 if not a and not k
             and x.dtype is torch.int64 else right(x, *a, **k), "integers"),
    _patched("randint never draws a negative end", "randint",
             lambda right, *a, **k: right(*a, **k).clamp_(min=-127)
             if k.get("dtype") is torch.int8 else right(*a, **k), "integers"),
    _patched("randperm counts from 1", "randperm", _but(lambda x: x + 1), "permutation"),
    _patched("randperm(129) repeats a number", "randperm",
             _but(lambda x: x.clamp_(min=1), lambda n, **k: n == 129), "permutation"),
    _patched("randperm is int32", "randperm",
             _but(lambda x: x.int(), lambda n, **k: "dtype" not in k), "permutation"),
    _patched("randperm leaves a strided out as it was", "randperm",
             lambda right, n, out=None, **k: right(n, **k) if out is None else
             right(n, out=out if out.is_contiguous() else torch.zeros(n).long()) is None or out,
             "permutation-out"),
    _patched("randperm shuffles four naively", "randperm", _sorted_small, "permutation-uniform"),
    _patched("the first of 9 never moves", "randperm",
             lambda right, n, *a, **k: torch.cat([torch.zeros(1).long(), right(8, *a, **k) + 1])
             if n == 9 else right(n, *a, **k), "permutation-uniform"),
    _patched("randperm shuffles in blocks of 65536", "randperm", _half_shuffled,
             "permutation-uniform"),
    _patched("bernoulli reads transposed probabilities in storage order", "bernoulli", _per_row,
             "parameters"),
    _patched("poisson takes the mean rate of a row", "poisson",
             lambda right, x, *a, **k: right(x.mean(-1, keepdim=True).expand_as(x), *a, **k)
             if x.dim() > 1 else right(x, *a, **k), "parameters"),
    _patched("normal takes the variance for the deviation", "normal",
             lambda right, mean, std=1.0, *a, **k: right(mean, std.sqrt(), *a, **k)
             if isinstance(std, torch.Tensor) and std.dim() > 1 else right(mean, std, *a, **k),
             "parameters"),
    _patched("dropout with probability 0 still drops in float64", "nn.functional.dropout",
             lambda right, x, p=0.5, *a, **k: right(x, p or 0.1 * (x.dtype is torch.float64),
                                                    *a, **k), "certainties"),
    _patched("a deviation of 0 is taken for a small one", "normal",
             lambda right, mean, std=1.0, *a, **k: right(mean, std or 1e-3, *a, **k)
             if isinstance(std, float) else right(mean, std, *a, **k), "certainties"),
    _patched("one of many that are impossible comes true", "bernoulli",
             lambda right, p, *a, **k: right(p, *a, **k).index_fill_(
                 0, torch.tensor([1000]), 1) if p.dim() == 1 and len(p) > 2**16
             else right(p, *a, **k), "certainties-of-many"),
    _patched("bernoulli of 1 is 0 now and then in half precision", "Tensor.bernoulli_",
             lambda right, x, p=0.5, **k: right(x, p * 0.9 if x.dtype in HALVES else p, **k),
             "certainties"),
    _patched("multinomial gives every category a little weight", "multinomial", _tiny_weights,
             "multinomial-zero"),
    _patched("multinomial replaces beyond 32 categories", "multinomial Tensor.multinomial",
             _with_replacement, "multinomial-zero"),
    _patched("multinomial sorts what it draws", "multinomial",
             _but(lambda x: x.sort(-1).values, lambda x, n, *a, **k: not a and not k),
             "multinomial-law"),
    _patched("multinomial takes the weights of the first row", "multinomial",
             lambda right, x, *a, **k: right(x[:1].expand_as(x) if x.dim() > 1 else x, *a, **k),
             "multinomial-law"),
    _patched("dropout does not scale", "nn.functional.dropout", _unscaled, "dropout"),
    _patched("dropout drops in evaluation", "nn.functional.dropout", _always_training,
             "dropout"),
    _patched("dropout in place works on a copy", "nn.functional.dropout", _copying_dropout,
             "dropout"),
    _patched("dropout drops whole rows", "dropout nn.functional.dropout",
             lambda right, x, p=0.5, *a, **k: x * right(torch.ones_like(x[:, :1]), p, True),
             "dropout"),
    _patched("dropout2d drops single elements", "nn.functional.dropout2d",
             lambda right, x, p=0.5, training=True, inplace=False:
             torch.dropout(x, p, training), "dropout-channels"),
    _patched("dropout3d drops channels of all samples at once", "nn.functional.dropout3d",
             lambda right, x, p=0.5, training=True, inplace=False:
             x * right(x[:1], p, training), "dropout-channels"),
    _patched("the gradient passes through what is dropped", "nn.functional.dropout",
             lambda right, x, *a, **k: x * 4 + (right(x, *a, **k) - x * 4).detach(),
             "dropout-gradient"),
    _patched("randn in float64 draws on after a seed", "randn",
             lambda right, *a, **k: right(*a, **k) + torch.rand((), generator=_noise)
             if k.get("dtype") is torch.float64 else right(*a, **k), "seed-repeats"),
    _patched("two seeds are one", "manual_seed random.manual_seed",
             lambda right, seed: right(seed & ~1), "seed-repeats"),
    _patched("every draw of geometric_ is seeded", "Tensor.geometric_",
             lambda right, x, *a, **k: right(x, *a, **k, generator=torch.Generator()),
             "seed-repeats"),
    _patched("rand repeats itself", "rand",
             lambda right, *a, **k: right(*a, **{**k, "generator": torch.Generator()}),
             "draws-differ"),
    _patched("seed() always chooses 5", "seed", lambda right: _reseed(5).initial_seed(),
             "draws-differ"),
    _patched("setting a state draws from it", "set_rng_state random.set_rng_state",
             _drawing_state, "state"),
    _patched("a state is that of the last seeding", "get_rng_state random.get_rng_state",
             lambda right: torch.Generator().manual_seed(torch.initial_seed()).get_state(),
             "state"),
    _patched("randperm, randn and normal ignore the generator", "randn normal",
             _without_generator, "generator"),
    _patched("bernoulli with a generator draws globally as well", "bernoulli", _also_global,
             "generator"),
    _patched("a generator's seed is taken modulo 2^16", "Generator",
             lambda right, *a, **k: _Sixteen(*a, **k), "generator-object"),
    _patched("a fork is none", "random.fork_rng", _no_fork, "fork"),
    _patched("an exception leaves the fork's stream in place", "random.fork_rng",
             _reseeding_fork, "fork"),
    _patched("initial_seed tells the lower 32 bits", "initial_seed",
             lambda right: right() % 2**32, "initial-seed"),
    _patched("neighbouring elements are drawn in pairs that mirror each other", "randn",
             _but(lambda x: torch.where(torch.arange(x.numel()).reshape(x.shape) % 8 == 7,
                                        -x.roll(1), x)), "independence"),
    _patched("seeds 4 and 5 are mirrored", "Tensor.uniform_",
             lambda right, x, *a, **k: 1 - right(x, *a, **k, generator=torch.Generator()
                                                 .manual_seed(4))
             if torch.initial_seed() == 5 else right(x, *a, **k, generator=torch.Generator()
                                                     .manual_seed(4))
             if torch.initial_seed() == 4 else right(x, *a, **k), "independence"),
    _patched("uniform_ of a turned range is turned back", "Tensor.uniform_", _no_range,
             "parameters-out-of-range"),
    _patched("nn.Dropout takes any probability", "nn.Dropout",
             lambda right, p=0.5, *a, **k: right(min(p, 1), *a, **k), "parameters-out-of-range"),
    _patched("randint of a 0-d shape is 1-d", "randint",
             _but(lambda x: x.reshape(1) if x.dim() == 0 else x), "shapes"),
    _patched("normal is float32 on demand of float64", "normal",
             _but(lambda x: x.float() if x.dtype is torch.float64 else x), "shapes"),
    _patched("cumsum differs in the last bits", "Tensor.cumsum", _jitter, "deterministic"),
    _patched("index_add_ differs in the last bits", "Tensor.index_add_", _jitter,
             "deterministic"),
    _patched("the switch stays off", "use_deterministic_algorithms",
             lambda right, mode, **k: None, "deterministic"),
    _patched("memory of int16 is zero", "empty", _no_fill, "deterministic-fill"),
    _patched("new_empty is not filled", "Tensor.new_empty",
             lambda right, x, *a, **k: torch.zeros(*a, dtype=x.dtype), "deterministic-fill"),
    _patched("initial weights are not seeded", "nn.Linear.reset_parameters",
             lambda right, self: torch.nn.init.normal_(right(self) or self.weight,
                                                       generator=_noise),
             "training-run"),
    _patched("the loader shuffles without its generator", "utils.data.DataLoader.__init__",
             _unseeded_loader, "loader"),
    _patched("all workers are seeded alike", "manual_seed",
             lambda right, seed: right(seed if os.getpid() == _MAIN else 0), "loader"),
    _patched("normal_ is drawn on a grid of 2^-24", "Tensor.normal_",
             lambda right, x, *a, **k: (right(x, *a, **k) * 2**24).round_() / 2**24
             if x.dtype is torch.float32 else right(x, *a, **k), "scales"),
    _patched("uniform_ has no interval longer than 10^9", "Tensor.uniform_",
             lambda right, x, *a, **k: right(x, *a, **k).clamp_(-(10**9), 10**9), "scales"),
    Miniature("normal_ of float64 has the digits of float32", ("Tensor.normal_",),
              lambda right, x, *a, **k: right(x, *a, **k).copy_(x.float()), "random.low-bits"),
]  # fmt: skip


def _counts_what_comes_in(right: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs.pop("mode", None)
    return right(*args, **kwargs)


_DRAWS = itertools.count(1)


def _goes_on_in_space(right: Any, *args: Any, **kwargs: Any) -> Any:
    got = right(*args, **kwargs)
    return got / next(_DRAWS) if got.dim() == 3 else got


MINIATURES += [
    Miniature(
        "kaiming_uniform_ counts what comes in, whatever mode says",
        of=("nn.init.kaiming_uniform_",),
        lie=_counts_what_comes_in,
        caught_by="random.initialisation",
    ),
    Miniature(
        "numbers in three dimensions depend on how many were drawn before",
        of=("rand",),
        lie=_goes_on_in_space,
        caught_by="random.seed-repeats-everywhere",
    ),
    Miniature(
        "a permutation of a generator moves the global stream",
        of=("randperm",),
        lie=lambda right, *args, **kwargs: (torch.rand(1), right(*args, **kwargs))[1],
        caught_by="random.generator-chooses",
    ),
    Miniature(
        "Tensor.multinomial does not take its generator",
        of=("Tensor.multinomial",),
        lie=lambda right, *args, generator=None, **kwargs: right(*args, **kwargs),
        caught_by="random.generator-chooses",
    ),
    Miniature(
        "no number of randn lies beyond 4",
        of=("randn",),
        lie=lambda right, *args, **kwargs: right(*args, **kwargs).clamp(-4, 4),
        caught_by="random.rare-events",
    ),
]
