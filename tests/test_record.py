"""Records: whole, cut short at any byte, and corrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenet.harness.errors import UsageError
from tenet.harness.plan import Request, plan
from tenet.harness.record import Records, read_record
from tenet.harness.verdict import Failure, Judgement, Verdict

FAILURE = Failure("values", "0.0", "nan", [0, 1], {"dtype": "float32"}, {"n": "1"}, {"n": 1}, "x:1")


CHOSEN = Request(("cpu",), "smoke", ("comparison.*",))


def made(folder: Path) -> Path:
    asked = plan(CHOSEN)
    records = Records(asked, folder)
    for clause, backend in asked.selection:
        records.add(Judgement(clause.id, backend.name, Verdict.FAILED, 3, 3, failure=FAILURE))
    records.close()
    return records.paths["cpu"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    record = read_record(made(tmp_path))
    assert record.footer is not None
    assert all(judgement.failure == FAILURE for judgement in record.judgements)
    assert record.header["clauses"] == len(record.judgements) > 1


def test_a_record_cut_at_any_byte_loses_its_last_line_only(tmp_path: Path) -> None:
    path = made(tmp_path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in range(len(lines[0]), len(whole)):
        path.write_bytes(whole[:cut])
        record = read_record(path)
        assert record.footer is None
        complete = whole[:cut].count(b"\n") - 1
        assert len(record.judgements) == complete


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_killed_before_its_first_line_left_nothing(tmp_path: Path, resume: bool) -> None:
    path = made(tmp_path)
    whole = path.read_bytes()
    earlier = path.with_suffix(".previous.jsonl")
    earlier.write_text("an earlier record")
    for cut in (0, 5, whole.index(b"\n")):
        path.write_bytes(whole[:cut])
        records = Records(plan(CHOSEN), tmp_path, resume=resume)
        assert records.judged == []
        records.close()
        assert read_record(path).judgements == []
    assert earlier.read_text() == "an earlier record"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "notes\n",
        '{"kind": "judgement", "content": {}}\n',
        '{"kind": "header", "content": {}}\n{"kind": "judgement", "content": {"clause": 1}}\n',
        '{"kind": "header", "content": {}}\n{"kind": "header", "content": {}}\n',
        '{"kind": "header", "content": {}}\n{"kind": "footer", "content": {}}\n{"kind": 1}\n',
    ],
)
def test_a_corrupted_record_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"record\.jsonl"):
        read_record(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(UsageError, match="cannot be read"):
        read_record(path)
