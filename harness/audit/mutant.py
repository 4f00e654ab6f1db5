"""Mutants: stock PyTorch, but for one fault, and the proof that the fault is there.

They live in the package, and not with the tests, so that `tenet audit` works from an installed
copy: a user who adds clauses can see what they catch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch

from tenet.harness.backend import Backend

Fault = Callable[[], AbstractContextManager[object]]
"""Makes the context in which PyTorch is wrong in this process."""

Proof = Callable[[Any], object]
"""Called with the torch namespace: true of stock PyTorch, and not of the mutant."""


@dataclass(frozen=True)
class Mutant:
    """A backend with one fault.

    name: `category.slug`, stable; says: the fault, in a few words; sections: whose clauses may
    kill it, its own first; fault: puts it into place; proof: None where a kill that does not
    repeat on stock is the proof; likely: clauses to ask first; needs: packages without which
    those are unsupported; origin: `deep`, `miniature` or `law`.
    """

    name: str
    says: str
    sections: tuple[str, ...]
    fault: Fault
    proof: Proof | None = None
    likely: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    origin: str = "deep"

    @property
    def category(self) -> str:
        """The class of faults that it stands for."""
        return self.name.partition(".")[0]

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that it needs and that are not installed."""
        return tuple(package for package in self.needs if find_spec(package) is None)

    @contextmanager
    def active(self) -> Iterator[Backend]:
        """The faulty backend, while the fault is in place in this process."""
        with self.fault():
            yield Backend(name="mutant", device="cpu")

    def proven(self) -> bool:
        """Whether the fault shows, here and now; True where there is no proof to ask."""
        if self.proof is None:
            return True
        with self.active():
            return not holds(self.proof)


def holds(proof: Proof) -> bool:
    """Whether a proof holds of the torch of this process; one that raises does not."""
    try:
        return bool(proof(torch))
    except Exception:
        return False
