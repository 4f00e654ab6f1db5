"""Miniatures: stock PyTorch, but for one lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch

from tenet.harness.backend import Backend


@dataclass(frozen=True)
class Miniature:
    """A backend that lies in exactly one way.

    name: the lie, in a few words; of: dotted names under torch whose meaning changes
    (`add`, `Tensor.add_`, `Tensor.__getitem__`); lie: called as lie(right, *args, **kwargs),
    where `right` is the truthful function; caught_by: the clause that has to fail;
    needs: packages without which the clause is unsupported.
    """

    name: str
    of: tuple[str, ...]
    lie: Callable[..., Any]
    caught_by: str
    needs: tuple[str, ...] = ()

    @contextmanager
    def told(self) -> Iterator[Backend]:
        """The backend, while the lie is being told in this process."""
        with telling(self.of, self.lie):
            yield Backend(name="miniature", device="cpu")


@contextmanager
def telling(of: tuple[str, ...], lie: Callable[..., Any]) -> Iterator[None]:
    """Let the dotted names under torch mean what the lie says, inside the block."""
    with ExitStack() as stack:
        for dotted in of:
            owner: Any = torch
            *path, name = dotted.split(".")
            for part in path:
                owner = getattr(owner, part)
            stack.enter_context(patch.object(owner, name, _telling(lie, owner, name)))
        yield


def _telling(lie: Callable[..., Any], owner: Any, name: str) -> Any:
    truth = getattr(owner, name)
    if not callable(truth):  # a property, such as Tensor.T: the lie replaces its getter
        return property(lambda tensor: lie(lambda t: truth.__get__(t), tensor))

    def told(*args: Any, **kwargs: Any) -> Any:
        return lie(truth, *args, **kwargs)

    return told
