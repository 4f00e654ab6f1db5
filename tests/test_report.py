"""Reports: what they say, that nothing gets out of them, and how they look in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from records import ID, OTHER, failing, passing, written
from test_cli import status_of

from tenet.harness.audit.catalogue import mutants
from tenet.harness.audit.examine import Fate, finding
from tenet.harness.grouping import BASIC, groups, with_blocked
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.sections import specification

ROOT = Path(__file__).parent.parent
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> `|]]>&\x00\ud800"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")


def evil() -> Judgement:
    failure = Failure(
        EVIL, EVIL, EVIL, [0], {"dtype": EVIL}, {EVIL: EVIL}, {"n": 1}, "x:1", f"print({EVIL!r})"
    )
    return Judgement(OTHER, "cpu", Verdict.FAILED, 1, reason=EVIL, failure=failure)


@pytest.fixture
def records(tmp_path: Path) -> list[str]:
    """Two runs, the later of which holds failures of every kind and text that wants out."""
    first = written(tmp_path / "1", passing(), passing(OTHER), passing("view.copies"))
    unsupported = passing("nn.linear", Verdict.UNSUPPORTED, reason="none")
    known = passing("view.copies", Verdict.KNOWN, reason="known")
    second = written(
        tmp_path / "2",
        failing(script="print(1)"),
        evil(),
        unsupported,
        known,
        torch="2.14.0",
        device_name=EVIL,
        started="2026-12-01T00:00:00+00:00",
        whole=False,
    )
    return [second, first]


def made(folder: Path, records: list[str], format: str) -> str:
    path = folder / f"report.{format}"
    assert status_of("report", *records, "--format", format, "--to", str(path)) == 0
    return path.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Counts elements, and what they would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.labels = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [f"{n}={v}" for n, v in attrs if n in ("src", "onerror", "srcset")]
        self.fetched += [str(v) for n, v in attrs if n == "href" and not str(v).startswith("#")]


def test_the_page_is_self_contained_and_nothing_gets_out(
    tmp_path: Path, records: list[str]
) -> None:
    text = made(tmp_path, records, "html")
    page = Tags()
    page.feed(text)
    assert page.fetched == []
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    assert 'lang="en"' in text
    assert text.count("<h1>") == 1
    assert page.tags.count("label") == page.tags.count("select") + page.tags.count("input")
    assert text.count('scope="row"') == page.tags.count("tr") - 1
    data = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
    entry = next(clause for clause in data["clauses"] if clause["id"] == ID)
    assert [data["verdicts"][letter] for letter in entry["v"]] == ["passed", "failed"]
    assert entry["d"]["1"]["script"] == "print(1)"
    assert "@clause(" in data["sources"][entry["source"]]
    assert "cut short" in text


def test_an_existing_file_is_not_overwritten(tmp_path: Path, records: list[str]) -> None:
    path = tmp_path / "mine.html"
    path.write_text("mine")
    assert status_of("report", *records, "--to", str(path)) == 2
    assert path.read_text() == "mine"
    assert status_of("report", *records, "--to", str(path), "--force") == 0


def test_markdown_shows_what_it_is_given(tmp_path: Path, records: list[str]) -> None:
    text = made(tmp_path, records, "markdown")
    assert "| all | 3 passed | 2 failed, 1 unsupported, 1 known |" in text
    outside = re.sub(r"^(`{3,})$.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)<(script|img)", outside)


def test_junit_is_xml_that_counts(tmp_path: Path, records: list[str]) -> None:
    root = ElementTree.fromstring(made(tmp_path, records, "junit"))
    first, second = root.findall("testsuite")
    assert (first.get("tests"), first.get("failures")) == ("3", "0")
    counts = [second.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "2", "1", "2"]
    assert second.find(f"testcase[@name='{ID}']/failure") is not None


def test_json_is_as_its_schema_says(tmp_path: Path, records: list[str]) -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    data = json.loads(made(tmp_path, records, "json"))
    assert list(departures(data, schema, schema)) == []
    data["records"][0]["judgements"][0]["verdict"] = "fine"
    del data["records"][1]["title"]
    assert len(list(departures(data, schema, schema))) == 2
    verdicts = schema["$defs"]["judgement"]["properties"]["verdict"]["enum"]
    assert verdicts == [verdict.value for verdict in Verdict]


KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "boolean": bool, "null": type(None)}  # fmt: skip


def departures(data: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> Any:
    """The little of JSON Schema that the published one uses."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    types = schema.get("type", [])
    kinds = [KINDS[name] for name in ([types] if isinstance(types, str) else types)]
    if kinds and not any(isinstance(data, kind) for kind in kinds):
        yield f"{at} is no {types}"
        return
    if "enum" in schema and data not in schema["enum"]:
        yield f"{at} is {data!r}"
    if isinstance(data, dict):
        yield from (
            f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in data
        )
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, value in data.items():
            if name in known or isinstance(others, dict):
                yield from departures(value, known.get(name, others), root, f"{at}.{name}")
            elif not others:
                yield f"{at}.{name} is unknown"
    if isinstance(data, list):
        for number, item in enumerate(data):
            yield from departures(item, schema.get("items", {}), root, f"{at}[{number}]")


def test_twenty_records_of_five_thousand_verdicts(tmp_path: Path) -> None:
    ids = [*specification()][:1000]
    ids += [f"elementwise.operator{n}.value" for n in range(5000 - len(ids))]
    judgements = [
        failing(id, script="x" * 2000) if n % 50 == 0 else passing(id) for n, id in enumerate(ids)
    ]
    one = Path(written(tmp_path / "0.jsonl", *judgements, torch="2.0.0"))
    text = one.read_text(encoding="utf-8")
    records = [str(one)]
    for n in range(1, 20):
        path = tmp_path / f"{n}.jsonl"
        path.write_text(text.replace("2.0.0", f"2.{n}.0", 1), encoding="utf-8")
        records.append(str(path))
    text = made(tmp_path, records, "html")
    assert len(text.encode()) < 10_000_000


@pytest.mark.skipif(not CHROMIUM, reason="no chromium on PATH: `command -v chromium` finds none")
@pytest.mark.parametrize(
    ("address", "visible", "hidden"),
    [
        ("", [ID, OTHER, "nn.linear", "view.copies"], []),
        ("#verdict=not-passed&section=view", [OTHER, "view.copies"], [ID, "nn.linear"]),
        ("#dtype=int16", [ID], [OTHER, "nn.linear", "view.copies"]),
        ("#text=CLONE-is", [OTHER], [ID, "nn.linear", "view.copies"]),
    ],
)
def test_in_a_browser(
    tmp_path: Path, records: list[str], address: str, visible: list[str], hidden: list[str]
) -> None:
    made(tmp_path, records, "html")
    probe = (
        (tmp_path / "report.html")
        .read_text(encoding="utf-8")
        .replace(
            "</body>",
            "<script>document.querySelectorAll('#list > details')"
            ".forEach(row => row.open = true)</script>"
            "</body>",
        )
    )
    (tmp_path / "report.html").write_text(probe, encoding="utf-8")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         f"file://{tmp_path / 'report.html'}{address}"],
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    rows = dict(re.findall(r'<details id="([\w.-]+)"([^>]*)>', done.stdout))
    assert set(rows) == {*visible, *hidden}, done.stderr
    assert [id for id in visible if "hidden" in rows[id]] == []
    assert [id for id in hidden if "hidden" not in rows[id]] == []
    assert f"{len(visible)} of 4 clauses" in done.stdout
    assert "<img" not in done.stdout
    assert "print(1)" in done.stdout  # the opened rows were filled


def test_failures_are_grouped_by_cause() -> None:
    add = [failing(f"elementwise.add.{law}", dtype) for law, dtype in
           (("value", "int8"), ("forms", "int16"), ("gradient", "float32"))]  # fmt: skip
    half = [failing(f"elementwise.{name}.value", "bfloat16", "raised") for name in "abcd"]
    bare = replace(passing(ID), verdict=Verdict.FAILED, failure=Failure("fact", "a", "b"))
    assert [group.clauses for group in groups([bare])] == [(ID,)]
    alone = failing("view.copies", "bool", "dtype")
    found = [(group.cause, len(group.clauses)) for group in groups([*add, alone, *half])]
    assert found == [
        ("dtype bfloat16, symptom raised 11", 4),
        ("operator add, symptom values", 3),
        ("dtype; dtype=bool", 1),
    ]


def test_what_stands_on_a_failed_basic_clause_is_blocked() -> None:
    assert set(BASIC) <= set(specification())
    judgements = [failing(ID), failing(BASIC[0]), passing(OTHER)]
    verdicts = [judgement.verdict for judgement in with_blocked(judgements)]
    assert verdicts == [Verdict.BLOCKED, Verdict.FAILED, Verdict.PASSED]
    first, second = groups(with_blocked(judgements))
    assert first.clauses == (BASIC[0],)
    assert second.cause == "blocked by the basic clauses"
    elsewhere = [failing(ID), replace(failing(BASIC[0]), backend="cuda")]
    assert with_blocked(elsewhere) == elsewhere


def timed(path: Path, torch: str, **seconds: float) -> str:
    """A record of `tenet bench`, whose workloads' names hold no dots here."""
    header = {"backend": EVIL, "torch": torch, "threads": 1, "started": torch}
    lines = [{"kind": "header", "content": header}]
    lines.append({"kind": "ceiling", "content": {"bandwidth": 1e10, "products": {}}})
    for name, value in seconds.items():
        void = EVIL if not value else ""
        content = {"workload": name, "seconds": value, "spread": 0.1, "bytes": 4096, "void": void}
        lines.append({"kind": "measurement", "content": content})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def audited(path: Path) -> str:
    header = {"torch": EVIL, "suite": "core", "mutants": 2}
    one = finding(mutants()["comparison.ge-bool"], Fate.KILLED)
    other = replace(one, mutant=EVIL, fate=Fate.SURVIVED)
    lines = [{"kind": "header", "content": header}]
    lines += [{"kind": "finding", "content": each.to_json()} for each in (one, other)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_the_page_shows_times_and_the_score(tmp_path: Path, records: list[str]) -> None:
    first = timed(tmp_path / "b1", "2.12.0", add=2e-6, mul=5e-5)
    second = timed(tmp_path / "b2", "2.13.0", add=3e-6, mul=0.0, sub=1e-3)
    more = ["--bench", second, "--bench", first, "--audit", audited(tmp_path / "a")]
    text = made(tmp_path, [*records, *more], "html")
    page = Tags()
    page.feed(text)
    assert page.fetched == []
    assert page.tags.count("script") == 2
    assert page.tags.count("img") == 0
    assert page.tags.count("svg") == 3
    assert page.tags.count("circle") == 4
    assert text.index("2.00 us") < text.index("3.00 us")
    assert "(20% of the ceiling)" in text
    assert "from 1.00 us to 1.00 ms" in text
    assert "<strong>50.0%</strong>" in text
    assert "Not found: 1" in text
    assert "The audit was cut short." in text
    assert status_of("report", *records, *more, "--format", "json", "--to", "-") == 2
    assert status_of("report", *records, "--bench", records[0], "--to", "-") == 2
    assert status_of("report", *records, "--audit", records[0], "--to", "-") == 2


def test_github_gets_a_command_a_line(tmp_path: Path, records: list[str]) -> None:
    lines = made(tmp_path, records, "github").splitlines()
    assert len(lines) == 3  # cut short, and two failures
    for line in lines:
        found = re.fullmatch(r"::error title=((?:[^:,%]|%[0-9A-F]{2})+)::(.+)", line)
        assert found, line
        assert re.fullmatch(r"([^%]|%25|%0A|%0D)*", found[2])
    assert any(ID in line and "%0A" in line for line in lines)
    many = [failing(id) for id in [*specification()][-30:]]
    (tmp_path / "report.github").unlink()
    lines = made(tmp_path, [written(tmp_path / "many", *many)], "github").splitlines()
    assert len(lines) == 10
    assert "21 more" in lines[-1]


def test_ratios_of_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = timed(tmp_path / "b1", "2.12.0", add=2e-6, mul=5e-5, neg=1e-6, sub=1e-6, abs=1e-6)
    after = timed(tmp_path / "b2", "2.13.0", add=3e-6, mul=2e-5, neg=1.1e-6, sub=0.0, exp=1e-6)
    assert status_of("compare", before, after) == 0
    out = capsys.readouterr().out
    assert "slower: 1\n  add: 2.00 us -> 3.00 us, 1.50 times" in out
    assert "faster: 1\n  mul: 50.0 us -> 20.0 us, 0.40 times" in out
    assert "as fast: 1\n  neg: " in out
    assert "void: 1\n  sub: " in out
    assert "timed before only: 1\n  abs" in out
    assert "torch: 2.12.0 -> 2.13.0" in out
    both = ["compare", written(tmp_path / "1", passing()), written(tmp_path / "2", failing())]
    both += ["--bench", before, after, "--format"]
    assert status_of(*both, "json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["times"]["ratios"][0]["ratio"] == pytest.approx(1.5)
    assert "changes" in said
    assert status_of(*both, "markdown") == 0
    assert "### slower (1)" in capsys.readouterr().out
    assert status_of("compare", before, str(tmp_path / "1")) == 2
    assert status_of("compare", before, after, "--bench", before, after) == 2
