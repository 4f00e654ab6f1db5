"""How much memory a piece of work holds at once."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from tenet.harness.bench.clock import waiting
from tenet.spec.language.reading import home, is_tensor

Work = Callable[[], Any]


def peak_of(torch: Any, device: str, work: Work) -> int | None:
    """Bytes that doing the work holds at once beyond what there was; None where nobody counts.

    An accelerator's allocator counts them itself. On the processor the storages of operators'
    results are counted as they come and go; what a kernel takes while it runs does not show.
    """
    counting = _on_cpu if torch.device(device).type == "cpu" else _on_device
    try:
        return counting(torch, device, work)
    except (AttributeError, ImportError, NotImplementedError, RuntimeError, TypeError):
        return None


def _on_cpu(torch: Any, device: str, work: Work) -> int:
    mode: Any = import_module(f"{home(torch)}.utils._python_dispatch").TorchDispatchMode
    weak: Any = import_module(f"{home(torch)}.multiprocessing.reductions").StorageWeakRef
    old: set[Any] = set()
    held: dict[Any, tuple[Any, int]] = {}
    most = 0

    def meet(value: Any, new: bool) -> None:
        if isinstance(value, list | tuple):
            for item in value:
                meet(item, new)
        elif is_tensor(value):
            storage = value.untyped_storage()
            key = storage._cdata
            if not new and key not in held:
                old.add(key)
            elif key not in old and key not in held:
                held[key] = weak(storage), storage.nbytes()

    class Watch(mode):  # type: ignore[misc]  # the base is injected
        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal most
            keywords = kwargs or {}
            for key in [key for key, (storage, _) in held.items() if storage.expired()]:
                del held[key]
            meet([*args, *keywords.values()], False)
            result = function(*args, **keywords)
            meet(result, True)
            most = max(most, sum(size for _, size in held.values()))
            return result

    with Watch():
        work()
    return most


def _on_device(torch: Any, device: str, work: Work) -> int:
    kind = getattr(torch, torch.device(device).type)
    wait = waiting(torch, device)
    wait()
    kind.reset_peak_memory_stats(device)
    before = int(kind.memory_allocated(device))
    result = work()
    wait()
    del result
    return int(kind.max_memory_allocated(device)) - before
