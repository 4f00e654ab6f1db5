"""Backends that somebody else announces: by an entry point, or in a Python file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tenet.harness.backend import Backend
from tenet.harness.errors import HarnessError, UsageError

GROUP = "tenet.backends"
"""Of the entry points: `name = "package.module:backend"` in a package's pyproject.toml."""


def installed() -> dict[str, Backend]:
    """The backends of installed packages, by name. UsageError for an entry point without one,
    HarnessError where it cannot be loaded."""
    found: dict[str, Backend] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found.update(_by_name(_of_entry(entry), f"entry point {entry.name!r} ({entry.value})"))
    return found


def of_files(files: Iterable[str]) -> dict[str, Backend]:
    """The backends that Python files make, by name. UsageError for a file without one,
    HarnessError where its code fails."""
    found: dict[str, Backend] = {}
    for file in files:
        found.update(_by_name(_of_file(Path(file)), file))
    return found


def import_all(modules: Iterable[str]) -> None:
    """Import what brings a device. HarnessError for what cannot be imported."""
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            raise HarnessError(
                f"--import {module}: it cannot be imported ({type(error).__name__}: {error}); "
                "is it installed in this environment?"
            ) from error


def _by_name(values: Iterable[object], source: str) -> dict[str, Backend]:
    backends = [value for value in values if isinstance(value, Backend)]
    if not backends:
        raise UsageError(
            f"{source} gives no backend; it needs something like "
            "`backend = tenet.harness.backend.Backend(name='mine', device='mine')`"
        )
    names = [backend.name for backend in backends]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{source} gives two backends named {name!r}; rename one of them")
    return {backend.name: backend for backend in backends}


def _of_entry(entry: EntryPoint) -> list[object]:
    try:
        value = entry.load()
    except Exception as error:
        raise HarnessError(
            f"backend {entry.name!r} cannot be loaded from {entry.value} "
            f"({type(error).__name__}: {error}); repair or uninstall {_package(entry)}"
        ) from error
    return list(value) if isinstance(value, list | tuple) else [value]


def _package(entry: EntryPoint) -> str:
    return "its package" if entry.dist is None else entry.dist.name


def _of_file(path: Path) -> list[object]:
    if not path.is_file():
        raise UsageError(f"--backend-file {path}: there is no such file")
    name = f"tenet_backend_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--backend-file {path}: a Python file ends in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise HarnessError(
            f"--backend-file {path} cannot be run ({type(error).__name__}: {error}); repair it"
        ) from error
    return list(vars(module).values())
