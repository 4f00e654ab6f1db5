"""Backends that others announce: by an entry point, in a file, by a device's name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COMMAND, Tenet

from tenet.harness.backend import Backend
from tenet.harness.record import read_record
from tenet.harness.verdict import Verdict

SAMPLE = Path(__file__).parent / "sample"
CHOSEN = ("--clause", "creation.eye", "--clause", "comparison.equal", "--clause", "shape.flip")


def test_a_package_announces_its_backend(tmp_path: Path) -> None:
    """Installed as its author would, from its own folder."""
    site = tmp_path / "site"
    source = tmp_path / "source"
    subprocess.run(["cp", "-r", str(SAMPLE), str(source)], check=True)
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", *install, "--target", str(site), str(source)], check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "run", "--backend", "tiny", "--workers", "1", *CHOSEN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / "results" / "tiny" / "0.1.jsonl")
    verdicts = {judgement.clause: judgement for judgement in record.judgements}
    assert verdicts["creation.eye"].verdict is Verdict.PASSED
    assert verdicts["shape.flip"].verdict is Verdict.UNSUPPORTED
    assert verdicts["shape.flip"].reason == "it has no flip"
    assert record.header["lacks"]["complex64"] == "tiny computes with real numbers"


FILE = """
import torch, types
from tenet.harness.backend import Backend
wrong = types.ModuleType("wrong")
wrong.__dict__.update(vars(torch), __name__="wrong", eye=lambda *a, **k: torch.eye(*a, **k) * 2)
backend = Backend(name="doubled", namespace=lambda: wrong)
"""


def test_a_file_makes_a_backend(tenet: Tenet, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    done = tenet("run", "--backend-file", "mine.py", "--workers", "1", *CHOSEN)
    assert done.returncode == 1
    assert "FAILED creation.eye [doubled]" in done.stdout
    assert "FAILED: 1 of 3 verdicts went against doubled." in done.stdout


def test_a_backend_has_releases_of_its_own(tenet: Tenet, tmp_path: Path) -> None:
    """Its record is named by them, and what is known of one is news in another."""
    file = tmp_path / "mine.py"
    text = FILE.replace('name="doubled"', 'name="doubled", package="doubled"')
    file.write_text(text.replace("torch.eye(*a, **k) * 2", "1 / 0"))
    installed = tmp_path / "doubled.dist-info" / "METADATA"
    installed.parent.mkdir()
    installed.write_text("Metadata-Version: 2.1\nName: doubled\nVersion: 1.4\n")
    options = ("--backend-file", "mine.py", "--workers", "0", *CHOSEN)
    done = tenet("run", *options)
    assert "doubled: 1.4, torch " in done.stdout
    record = tmp_path / "results" / "doubled" / "1.4.jsonl"
    assert read_record(record).edition == "1.4"
    tenet("expect", str(record), "--to", "known.toml")
    listed = tmp_path / "known.toml"
    text = listed.read_text().replace('reason = ""', 'reason = "twice the ones"')
    text = text.replace('when = { "dtype" = "float32" }\n', "")
    listed.write_text(text.replace(">=1.4", "<1.5"))
    assert tenet("run", *options, "--expect", "known.toml").returncode == 0
    assert tenet("gate", "--record", str(record), "--expect", "known.toml").returncode == 0
    installed.write_text(installed.read_text().replace("1.4", "1.5"))
    assert tenet("run", *options, "--expect", "known.toml").returncode == 1
    shutil.rmtree(installed.parent)
    done = tenet("run", *options)
    assert done.returncode == 3
    assert "there is no package 'doubled'" in done.stderr


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (None, 2, "there is no such file"),
        ("x = 1", 2, "gives no backend"),
        ("import no_such_library", 3, "No module named 'no_such_library'"),
        (FILE.replace('name="doubled"', 'name="a/b"'), 3, "cannot be named 'a/b'"),
        (FILE.replace(", namespace", ", lacks={'float65': 'no'}, namespace"), 3, "did you mean"),
        (FILE.replace("lambda: wrong", "lambda: no_such_name"), 3, "cannot be had"),
    ],
)
def test_a_bad_file_is_explained(
    tenet: Tenet, tmp_path: Path, text: str | None, status: int, says: str
) -> None:
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    done = tenet("run", "--backend-file", "mine.py", *CHOSEN)
    assert done.returncode == status
    assert says in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_module_that_brings_a_device_has_to_be_there(tenet: Tenet) -> None:
    done = tenet("run", "--import", "torch_nowhere", "--backend", "nowhere", *CHOSEN)
    assert done.returncode == 3
    assert "--import torch_nowhere: it cannot be imported" in done.stderr


@pytest.mark.parametrize("name", ["", "a[b", "a/b", " a", "a\nb"])
def test_a_name_must_fit_ids_and_files(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be named"):
        Backend(name=name)


def test_what_is_lacking_has_a_reason() -> None:
    with pytest.raises(ValueError, match="why does it lack 'float64'"):
        Backend(name="mine", lacks={"float64": ""})


COPY = """
import torch, types
from tenet.harness.backend import Backend
copied = types.ModuleType("copied")
copied.__dict__.update(vars(torch), __name__="copied")
backend = Backend(name="copied", namespace=lambda: copied)
"""


def test_a_copy_of_stock_pytorch_holds(tenet: Tenet, tmp_path: Path) -> None:
    """Nothing depends on the namespace being the module that PyTorch is imported as."""
    (tmp_path / "mine.py").write_text(COPY)
    done = tenet("run", "--backend-file", "mine.py", "--suite", "smoke", "--workers", "2")
    assert done.returncode == 0, done.stdout + done.stderr
