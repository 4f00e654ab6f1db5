"""Laws of random samples, and what cannot happen by chance.

A sample never proves a distribution, but it can refute one: each test here raises a false alarm
with probability at most ALARM, whatever stream of numbers a correct backend draws from. A run
makes fewer than 10^6 such tests, so by the union bound a correct backend fails one run in
10^10. No test is asymptotic. The bounds are

Chernoff        The number k of successes in n independent trials of probability p has
                P(n * KL(k/n, p) > t on a given side) <= exp(-t), with KL(a, p) =
                a ln(a/p) + (1-a) ln((1-a)/(1-p)) (Hoeffding, 1963, theorem 1). It also holds for
                sampling without replacement (theorem 4 there).
Laurent-Massart A chi-square variable X of n degrees has P(X - n >= 2 sqrt(n t) + 2t) <= exp(-t)
                and P(n - X >= 2 sqrt(n t)) <= exp(-t) (2000, lemma 1).

The number of samples at or below a point is binomial, so a law is tested at a hundred points
at once by Chernoff and the union bound: sharper than Kolmogorov-Smirnov in both tails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tenet.spec.model.dtypes import FORMATS

Array = np.ndarray

ALARM = 1e-16
"""The largest probability of a false alarm of one test."""

_TAILS = (1e-5, 1e-4, 1e-3, 0.003)
LEVELS = np.array([*_TAILS, *np.linspace(0.01, 0.99, 99), *(1 - np.array(_TAILS[::-1]))])
"""The probabilities at whose quantiles a continuous law is tested."""


@dataclass(frozen=True)
class Law:
    """A distribution, as far as it is tested.

    points, levels: P(X <= points[i]) = levels[i], ascending. admits: which values may occur at
    all. normal: mean and standard deviation of a normal law. discrete: values may repeat.
    """

    name: str
    points: Array
    levels: Array
    admits: Callable[[Array], Array]
    normal: tuple[float, float] | None = None
    discrete: bool = False

    def bits(self, dtype: str) -> float:
        """A lower bound of the min-entropy of one sample in the given dtype."""
        if self.discrete:
            masses = np.diff(np.concatenate([[0.0], self.levels]))
            return float(-np.log2(min(masses.max(), 1 - 1e-9)))
        return 4.0 if dtype in ("float16", "bfloat16") else 16.0


def _continuous(
    name: str,
    quantile: Callable[[float], float],
    admits: Callable[[Array], Array],
    normal: tuple[float, float] | None = None,
) -> Law:
    return Law(name, np.array([quantile(float(q)) for q in LEVELS]), LEVELS, admits, normal)


def uniform(low: float, high: float) -> Law:
    """The continuous uniform law of [low, high)."""
    return _continuous(
        f"uniform on [{low:g}, {high:g})",
        lambda q: low + (high - low) * q,
        lambda x: (x >= low) & (x < high),
    )


def normal(mean: float, std: float) -> Law:
    """The normal law."""
    return _continuous(
        f"normal of mean {mean:g} and standard deviation {std:g}",
        NormalDist(mean, std).inv_cdf,
        np.isfinite,
        (mean, std),
    )


def exponential(rate: float) -> Law:
    """The exponential law; half precision may round a sample to 0."""
    return _continuous(
        f"exponential of rate {rate:g}", lambda q: -math.log1p(-q) / rate, lambda x: x >= 0
    )


def cauchy(median: float, scale: float) -> Law:
    """The Cauchy law; half precision may overflow."""
    return _continuous(
        f"Cauchy of median {median:g} and scale {scale:g}",
        lambda q: median + scale * math.tan(math.pi * (q - 0.5)),
        lambda x: x == x,
    )


def log_normal(mean: float, std: float) -> Law:
    """The law of exp(N), N normal of the given mean and standard deviation."""
    return _continuous(
        f"log-normal of {mean:g} and {std:g}",
        lambda q: math.exp(NormalDist(mean, std).inv_cdf(q)),
        lambda x: x >= 0,
    )


def categories(values: Sequence[float], weights: Sequence[float], name: str = "") -> Law:
    """The law of finitely many ascending values with the given weights."""
    mass = np.asarray(weights, np.float64) / np.sum(weights)
    drawn = np.asarray(values)[mass > 0]
    return Law(
        name or f"values {list(values)} of weights {list(weights)}",
        np.asarray(values),
        np.minimum(np.cumsum(mass), 1.0),
        lambda x: np.isin(x, drawn),
        discrete=True,
    )


def integers(low: int, high: int) -> Law:
    """The uniform law of the integers low, ..., high - 1."""
    count = high - low
    steps = sorted({count * i // 64 for i in range(1, 65)} - {0})
    return Law(
        f"uniform on the integers of [{low}, {high})",
        np.array([low + step - 1 for step in steps]),
        np.array([step / count for step in steps]),
        lambda x: (x >= low) & (x <= high - 1) & (x == np.floor(x)),
        discrete=True,
    )


def bernoulli(p: float, one: float = 1.0) -> Law:
    """The law of `one` with probability p, else 0."""
    return categories((0.0, one), (1 - p, p), f"{one:g} with probability {p:g}, else 0")


def geometric(p: float) -> Law:
    """The law of the number of trials up to the first success: 1, 2, ..."""
    points = np.arange(1, 100)
    return Law(
        f"geometric of {p:g}",
        points,
        1 - (1 - p) ** points,
        lambda x: (x >= 1) & (x == np.floor(x)),
        discrete=True,
    )


def poisson(rate: float) -> Law:
    """The Poisson law."""
    points = np.arange(int(rate + 12 * math.sqrt(rate) + 20))
    logs = [k * math.log(rate) - rate - math.lgamma(k + 1) for k in points.tolist()]
    return Law(
        f"Poisson of rate {rate:g}",
        points,
        np.minimum(np.cumsum(np.exp(logs)), 1.0),
        lambda x: (x >= 0) & (x == np.floor(x)),
        discrete=True,
    )


def surprise(share: Array, trials: int | Array, low: Array, high: Array) -> Array:
    """n * KL(share, p) for the p of [low, high] that is nearest to the share; Chernoff's t."""
    a, p = np.asarray(share, np.float64), np.clip(share, low, high)
    with np.errstate(all="ignore"):
        yes = np.where(a > 0, a * np.log(a / p), 0.0)
        no = np.where(a < 1, (1 - a) * np.log((1 - a) / (1 - p)), 0.0)
    return np.asarray(trials * (yes + no))


def limit(tests: int) -> float:
    """The surprise that no one of `tests` two-sided tests exceeds but with probability ALARM."""
    return math.log(2 * max(tests, 1) / ALARM)


def slack(dtype: str) -> float:
    """How far the rounding of samples to a dtype may move a probability.

    One rounding moves a sample x by eps/2 * |x|, thus P(X <= x) by that times the density f:
    x*f(x) is at most 2 for every law that is tested, and three roundings (of the number that is
    drawn, scaled and shifted) are granted; they also cover a uniform number of as many bits as
    the significand. Wider formats get 2^-20, as generators of 24 or 32 bits may feed them.
    """
    if dtype in FORMATS:
        return max(3 * FORMATS[dtype].eps, 2.0**-20)
    return 0.0


def departure(samples: Array, law: Law, dtype: str) -> str | None:
    """What about the samples cannot come from the law, None where nothing does.

    samples: an array of any shape, of a dtype that NumPy can sort, not rounded further.
    """
    ordered = np.sort(samples, axis=None)
    if not ordered.size:
        return None
    admitted = law.admits(ordered)
    if not admitted.all():
        return f"{ordered[~admitted][0]} is no value of the law {law.name}"
    share = np.searchsorted(ordered, law.points, side="right") / ordered.size
    give = 0.0 if law.discrete else slack(dtype)
    low, high = np.maximum(law.levels - give, 0.0), np.minimum(law.levels + give, 1.0)
    unlikely = surprise(share, ordered.size, low, high)
    worst = int(np.argmax(unlikely))
    if unlikely[worst] <= limit(len(unlikely)):
        return None
    return (
        f"{share[worst]:.6f} of {ordered.size} samples are at most {law.points[worst]:g}, not "
        f"{law.levels[worst]:.6f} as by the law {law.name}"
    )


def unlikely_moments(samples: Array, mean: float, std: float, dtype: str) -> str | None:
    """What about the mean or the variance of samples cannot come from this normal law.

    The mean of n normal numbers is normal: P(|mean - m| > s sqrt(2t/n)) <= 2 exp(-t). Their
    squared deviations from m, over s^2, are chi-square of n degrees.
    """
    scaled = (samples.astype(np.float64).ravel() - mean) / std
    n, t, give = scaled.size, limit(2), slack(dtype)
    average, square = float(scaled.mean()), float(np.square(scaled).sum())
    if abs(average) > math.sqrt(2 * t / n) + give:
        return f"the mean of {n} samples is off by {average:.5f} standard deviations"
    above, below = 2 * math.sqrt(n * t) + 2 * t, 2 * math.sqrt(n * t)
    if not -below - give * n <= square - n <= above + give * n:
        return f"the variance of {n} samples is {square / n:.5f} times that of the law"
    return None


LAGS = (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 127, 128, 255, 256, 512, 624, 1024,
        2048, 4096, 8192, 16384, 32768)  # fmt: skip
"""Distances at which vector lanes, tiles, thread blocks and generators' blocks repeat."""


def agreement(first: Array, second: Array, tests: int = 1) -> str | None:
    """Why two rows of fair, independent bits are neither: they agree too often or too seldom."""
    n = min(first.size, second.size)
    if not n:
        return None
    share = np.count_nonzero(first[:n] == second[:n]) / n
    half = np.asarray(0.5)
    if surprise(np.asarray(share), n, half, half) <= limit(tests):
        return None
    return f"{share:.4f} of {n} pairs agree, where a half should"


def serial_dependence(bits: Array) -> str | None:
    """Why the bits of one row cannot be fair and independent.

    The agreements at one lag are themselves fair and independent: the row falls into `lag`
    chains, and in a chain of fair bits the agreements of neighbours are fair and independent.
    """
    lags = [lag for lag in LAGS if lag < bits.size]
    for lag in lags:
        problem = agreement(bits[lag:], bits[:-lag], tests=len(lags))
        if problem:
            return f"at a distance of {lag}: {problem}"
    return None
