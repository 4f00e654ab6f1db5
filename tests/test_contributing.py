"""The worked example of CONTRIBUTING.md works, and catches the lie that stands beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenet.harness.audit.miniature import Miniature
from tenet.harness.backend import Backend
from tenet.harness.judge import judge
from tenet.harness.verdict import Verdict
from tenet.spec import cases, language
from tenet.spec.language import Clause, registry

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def example() -> tuple[Clause, Miniature]:
    written, lie = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {**vars(cases), **vars(language), "np": np, "Any": Any}
    before = dict(registry)
    exec(written, names | {"__name__": "tenet.spec.view"})
    [id] = set(registry) - set(before)
    return registry.pop(id), eval(lie, {"Miniature": Miniature})


def test_the_example_holds_and_catches_its_lie(example: tuple[Clause, Miniature]) -> None:
    clause, miniature = example
    assert miniature.caught_by == clause.id
    judgement = judge(clause, Backend("cpu"), examples=100, seed=0)
    assert judgement.verdict is Verdict.PASSED, judgement
    with miniature.told() as backend:
        assert judge(clause, backend, examples=100, seed=0).verdict is Verdict.FAILED
