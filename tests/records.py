"""Records made by hand, for tests of what reads them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tenet.harness.verdict import Failure, Judgement, Verdict

ID = "elementwise.number-operand"
OTHER = "view.clone-is-independent"
EXAMPLE = {
    "operand": {
        "$Operand": {
            "shape": {"$tuple": [3]},
            "layout": "transposed",
            "regime": "small",
            "seed": 0,
        }
    },
    "number": 10,
    "turn": 1,
}


def failing(clause: str = ID, dtype: str = "int16", what: str = "values", **more: Any) -> Judgement:
    """A failure at [0] of one dtype."""
    failure = Failure(
        what, "11", "10", [0], {"dtype": dtype}, {"number": "10"}, EXAMPLE, "x:1", **more
    )
    return Judgement(clause, "cpu", Verdict.FAILED, 3, 3, 3, failure=failure)


def passing(clause: str = ID, verdict: Verdict = Verdict.PASSED, **more: Any) -> Judgement:
    """A verdict without a failure."""
    return Judgement(clause, "cpu", verdict, 3, 3, 3, cases=9, **more)


def written(path: Path, *judgements: Judgement, whole: bool = True, **header: Any) -> str:
    """A record of these judgements; gives its path as text."""
    said = {
        "backend": "cpu",
        "torch": "2.13.0+cpu",
        "device_name": "a processor",
        "lacks": {},
        "suite": "core",
        "examples": 250,
        "seed": 0,
        "clauses": len(judgements),
        "started": "2026-11-21T06:00:00+00:00",
        **header,
    }
    lines = [{"kind": "header", "content": said}]
    lines += [{"kind": "judgement", "content": json.loads(j.to_json())} for j in judgements]
    if whole:
        counts = Counter(str(j.verdict) for j in judgements)
        lines.append({"kind": "footer", "content": {"verdicts": counts, "seconds": 1.0}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)
