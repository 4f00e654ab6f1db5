"""Counting what operations allocate and how many of them run, through a dispatch mode.

It sees the result of every operator, on every device; what a kernel takes and gives back while
it runs does not show, so the counts are the same on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tenet.spec.language.reading import home, is_tensor


@dataclass
class Allocations:
    """bytes: of the storages that appeared; calls: of operators; names: of those operators."""

    bytes: int = 0
    names: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many operators ran."""
        return len(self.names)


@contextmanager
def allocations(torch: Any) -> Iterator[Allocations]:
    """Count the operators that run in the block, and the bytes of new storages in their results."""
    mode: Any = import_module(f"{home(torch)}.utils._python_dispatch").TorchDispatchMode
    count = Allocations()
    known: dict[Any, Any] = {}

    def meet(value: Any, new: bool) -> None:
        if isinstance(value, list | tuple):
            for item in value:
                meet(item, new)
        elif is_tensor(value):
            storage = value.untyped_storage()
            key = storage.data_ptr() or storage._cdata
            if key not in known:
                known[key] = value  # alive, so no other storage gets its address
                count.bytes += storage.nbytes() if new else 0

    class Counter(mode):  # type: ignore[misc]  # the base is injected
        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            keywords = kwargs or {}
            meet([*args, *keywords.values()], False)
            result = function(*args, **keywords)
            meet(result, True)
            count.names.append(str(function))
            return result

    with Counter():
        yield count
    known.clear()
