"""What is installed is what is in the folders."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORTIONS = ("spec", "harness", "suites")


def test_every_package_is_named() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        named = set(tomllib.load(file)["tool"]["setuptools"]["packages"])
    found = {
        ".".join(("tenet", *path.parent.relative_to(ROOT).parts))
        for portion in PORTIONS
        for path in (ROOT / portion).rglob("__init__.py")
    }
    assert named == found


def test_modules_import_tenet_absolutely() -> None:
    for portion in PORTIONS:
        for path in (ROOT / portion).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    assert node.level == 0, f"{path}:{node.lineno} imports relatively"


def test_sections_state_nothing_that_is_not_counted() -> None:
    for path in (ROOT / "spec").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Assert), (
                f"{path}:{node.lineno}: a bare assert is not counted; use an assert_ function"
            )
