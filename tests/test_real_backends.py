"""The recipes for real backends: each has its file, and the command says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tenet.harness.announced import of_files
from tenet.harness.expectation import load, shipped
from tenet.suites.backends import __main__ as command

FOLDER = Path(command.__file__).parent


@pytest.mark.parametrize("name", command.RECIPES)
def test_a_recipe_has_a_file_that_makes_the_backend_of_its_name(name: str) -> None:
    backends = of_files([str(FOLDER / f"{name}.py")])
    assert list(backends) == [name]
    assert all(backends[name].lacks.values())


@pytest.mark.parametrize("name", command.RECIPES)
def test_requirements_are_pinned(name: str) -> None:
    assert all("==" in requirement for requirement in command.RECIPES[name].requirements)


def test_shipped_expectations_of_a_recipe_say_why() -> None:
    entries = [entry for entry in load(shipped()) if entry.backend in command.RECIPES]
    assert [entry.origin for entry in entries if not entry.reason or entry.expires is None] == []


def test_an_unknown_name_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["padle"]) == 2
    assert "did you mean paddle?" in capsys.readouterr().err


def test_options_go_to_tenet_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    settings: dict[str, str] = {}

    def run(arguments: list[str], env: dict[str, str]) -> Any:
        ran.append(arguments)
        settings.update(env)
        return type("Done", (), {"returncode": 1})

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "prepare", lambda folder, recipe: folder / "bin" / "python")
    monkeypatch.setattr(command.subprocess, "run", run)
    assert command.main(["torchax", "--", "--suite", "smoke"]) == 1
    folder = tmp_path / ".backends" / "torchax"
    file = str(FOLDER / "torchax.py")
    assert ran == [
        [str(folder / "bin" / "tenet"), "run", "--backend-file", file, "--suite", "smoke"]
    ]
    assert settings["JAX_COMPILATION_CACHE_DIR"] == str(folder / "compiled")


def test_what_building_left_beside_the_sources_is_not_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = command._tenet()
    left = tmp_path / "tensor_tenet.egg-info" / "PKG-INFO"
    left.parent.mkdir()
    left.write_text("Metadata-Version: 2.1\nName: tensor-tenet\nVersion: 0.0.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert command.version("tensor-tenet") == "0.0.0"
    assert command._tenet() == installed


def test_an_environment_that_is_ready_is_kept(tmp_path: Path) -> None:
    recipe = command.Recipe(requirements=("nothing==1",))
    wanted = "\n".join([*recipe.requirements, *command._tenet()]) + "\n"
    (tmp_path / command._READY).write_text(wanted, encoding="utf-8")
    assert command.prepare(tmp_path, recipe).parent == tmp_path / (
        "Scripts" if sys.platform == "win32" else "bin"
    )


def test_an_environment_that_cannot_be_made_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".backends").write_text("no folder", encoding="utf-8")
    assert command.main(["paddle"]) == 2
    assert "cannot be made" in capsys.readouterr().err
