"""The same seed gives the same examples: in another process, order, and hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys
from dataclasses import replace
from zlib import crc32
from tenet.harness.backend import Backend
from tenet.harness.judge import judge
from tenet.spec.sections import specification
clauses = list(specification().values())
if sys.argv[1] == "backwards":
    clauses.reverse()
    import sqlite3, xml.dom.minidom  # Hypothesis itself would look into local modules
digests = {}
for clause in clauses:
    if clause.strategies:
        seen = []
        check = lambda torch, device, **drawn: seen.append(repr(sorted(drawn.items())))
        listening = replace(clause, check=check, effort=1.0)
        judge(listening, Backend("cpu"), examples=15, seed=7)
        digests[clause.id] = crc32("".join(seen).encode())
print(json.dumps(digests))
"""


def digests(order: str, hash_seed: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, order],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_examples_depend_on_the_seed_and_the_clause_only() -> None:
    forwards = digests("forwards", "1")
    assert forwards == digests("backwards", "2")
    assert len(set(forwards.values())) > len(forwards) / 2
