"""What the clauses on random numbers share: draws, and statements about samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenet.spec.cases.samplers import SAMPLERS, Sampler
from tenet.spec.language import (
    assert_metadata,
    assert_that,
    dtype_name,
)
from tenet.spec.model import statistics as law
from tenet.spec.model.statistics import Law, departure

Shape = tuple[int, ...]

MANY = 2**17
LAWS = ["dlnotes.rand-range", "dlnotes.randn-moments", "basics.randint", "basics.normal",
        "basics.uniform_", "notes.distributions"]  # fmt: skip
DRAWN = [(sampler.name, dtype) for sampler in SAMPLERS for dtype in sampler.dtypes]
"""Every draw, in every dtype that it is documented for."""


def where(torch: Any, device: str, dtype: str) -> dict[str, Any]:
    """The keywords that place a draw."""
    return {"dtype": getattr(torch, dtype), "device": device}


def drawn(torch: Any, device: str, sampler: Sampler, shape: Shape, dtype: str, **more: Any) -> Any:
    """One draw of a sampler, whose shape and dtype are as documented."""
    got = sampler.draw(torch, shape, where(torch, device, dtype), more)
    expected = "int64" if sampler.name == "multinomial" else dtype
    if dtype_name(got.dtype) != expected or tuple(got.shape) != shape:
        assert_metadata(got, shape=shape, dtype=expected)
    return got


def start(torch: Any, device: str, seed: int) -> None:
    """Seed the device's global stream, so that an example draws the same whenever it runs."""
    # On the CPU the generator itself is seeded: manual_seed also reaches for every accelerator.
    seeded = torch.default_generator if device.partition(":")[0] == "cpu" else torch
    seeded.manual_seed(seed)


def assert_follows(samples: np.ndarray, of: Law, dtype: str) -> None:
    """The samples can come from the law."""
    problem = departure(samples, of, dtype)
    assert_that(problem is None, problem or "")


def assert_fair(problem: str | None) -> None:
    """A test of the model found no problem."""
    assert_that(problem is None, problem or "")


def surely_differ(of: Law, dtype: str, count: int) -> bool:
    """Whether two draws of so many samples are equal with a probability below 2^-64 only."""
    return of.bits(dtype) * count >= 64


def assert_unsurprising(shares: np.ndarray, trials: int, probability: float | np.ndarray) -> None:
    """Each share of the trials can be that of events of the given probability."""
    wanted = np.broadcast_to(np.asarray(probability, np.float64), shares.shape)
    surprise = law.surprise(shares, trials, wanted, wanted)
    worst = int(np.argmax(surprise))
    assert_that(
        surprise.max() <= law.limit(shares.size),
        f"{shares.flat[worst]:.4f} of {trials} at {worst}, not {wanted.flat[worst]:.4f}",
    )
