"""`python -m tenet.suites.backends NAME [-- OPTIONS]`: judge a real backend in its own environment.

The environment stands below `.backends/NAME` and is made once; OPTIONS go to `tenet run`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions, version
from json import loads
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tenet.harness.errors import UsageError, unknown

FOLDER = Path(".backends")
_HERE = Path(__file__).parent
_READY = "tenet-requirements.txt"
"""What has been installed; written last, so an environment cut short is made again."""


@dataclass(frozen=True)
class Recipe:
    """How a backend is had. requirements: in the versions that it was tried with; environment:
    variables to run it with. The file that makes it a backend stands here, under its name."""

    requirements: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "torchax": Recipe(
            requirements=("torchax==0.0.13", "jax[cpu]==0.10.2"),
            # Nearly all the time goes into compiling small operations: what one process has
            # compiled, the others and the next run need not.
            environment={
                "JAX_COMPILATION_CACHE_DIR": "compiled",
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            },
        ),
        "paddle": Recipe(requirements=("paddlepaddle==3.3.1",)),
        "openvino": Recipe(requirements=("openvino==2026.4.1",)),
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status is that of `tenet run`, or 2 where the command is wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(prog="python -m tenet.suites.backends", description=__doc__)
    parser.add_argument("name", metavar="NAME", help=", ".join(RECIPES))
    name = parser.parse_args(given[:cut]).name
    try:
        if name not in RECIPES:
            raise unknown("backend", name, RECIPES)
        folder = FOLDER.absolute() / name
        python = prepare(folder, RECIPES[name])
    except UsageError as error:
        print(f"tenet: {error}", file=sys.stderr)
        return 2
    command = [python.with_name("tenet"), "run", "--backend-file", _HERE / f"{name}.py"]
    settings = {**os.environ, **_environment(folder, RECIPES[name])}
    return subprocess.run([*map(str, command), *given[cut + 1 :]], env=settings).returncode


def prepare(folder: Path, recipe: Recipe) -> Path:
    """The Python of an environment with Tenet and the recipe's requirements; makes it where it
    is not there or has others. UsageError where it cannot be made."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready, wanted = folder / _READY, "\n".join([*recipe.requirements, *_tenet()]) + "\n"
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {folder} with {', '.join(recipe.requirements)}", file=sys.stderr)
    try:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", *_tenet(), *recipe.requirements], check=True
        )
        ready.write_text(wanted, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(f"{folder} cannot be made: {error}; remove it and try again") from error
    return python


def _tenet() -> list[str]:
    """What to tell pip so that it installs this Tenet, with the versions it is tested with."""
    # In a checkout there may be two: what was installed, which says from where, and what building
    # it left beside the sources, which is found first there.
    said = [each.read_text("direct_url.json") for each in distributions(name="tensor-tenet")]
    source: dict[str, Any] = next((loads(text) for text in said if text), {})
    path = url2pathname(urlsplit(source.get("url", "")).path)
    if not path or not Path(path).is_dir():
        return [f"tensor-tenet=={version('tensor-tenet')}"]
    editable = ["-e"] if source.get("dir_info", {}).get("editable") else []
    constraints = Path(path) / "constraints.txt"
    pinned = ["-c", str(constraints)] if constraints.is_file() else []
    return [*pinned, *editable, path]


def _environment(folder: Path, recipe: Recipe) -> dict[str, str]:
    """The variables of the recipe; a folder named in one lies in that of the environment."""
    return {
        name: str(folder / value) if name.endswith("_DIR") else value
        for name, value in recipe.environment.items()
    }


if __name__ == "__main__":
    sys.exit(main())
