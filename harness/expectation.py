"""Expectations: known failures, listed in TOML files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tenet.harness.errors import UsageError, unknown
from tenet.harness.verdict import Failure, Verdict

ENDED = (Verdict.CRASHED, Verdict.TIMED_OUT)
"""Verdicts on a process that died or was ended. Each is its own symptom: no example of it is
replayed, which would end the next process."""

_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Expectation:
    """One known failure.

    clause: its id; backend: name or glob; version: which versions, as a PEP 440 specifier, all
    where it is empty; when: what has to be true of a case or example for the failure to be this
    one (labels and arguments, by name, as text); symptom: as `symptom` gives it; example: as in
    a record, None for a crash; expires: the last day on which it counts; origin: where it stands.
    """

    clause: str
    backend: str
    symptom: str
    version: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Any] | None = None
    reason: str = ""
    issue: str = ""
    expires: date | None = None
    origin: str = ""

    def is_for(self, clause: str, backend: str, version: str) -> bool:
        """Whether it speaks of a clause on a backend of a version."""
        return (
            clause == self.clause
            and fnmatchcase(backend, self.backend)
            and (not self.version or _contains(self.version, version))
        )

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and today > self.expires

    @property
    def kind(self) -> str:
        """The kind of failure, without place and case."""
        return self.symptom.partition(_SEPARATOR)[0]

    def describe(self) -> str:
        """Reason, issue and symptom in one line."""
        return described([self])


def described(known: Iterable[Expectation]) -> str:
    """Why something fails, in one line: each reason and issue once, with how it shows first."""
    causes: dict[tuple[str, str], list[str]] = {}
    for each in known:
        causes.setdefault((each.reason, each.issue), []).append(each.symptom)
    lines = []
    for cause, (first, *others) in causes.items():
        more = f" (and {len(others)} more like it)" if others else ""
        lines.append("; ".join(part for part in (*cause, first + more) if part))
    return "; ".join(lines)


def _contains(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def kind_of(what: str, got: str) -> str:
    """The kind of a failure: what differs, and for an error its class."""
    if what != "raised":
        return what
    name = got.partition(":")[0].partition(",")[0]
    return f"raised {name}" if name else what


def symptom(failure: Failure) -> str:
    """How a failure shows, in one line that is the same whenever its example is replayed."""
    parts = [kind_of(failure.what, failure.got)]
    if failure.where is not None:
        parts.append(f"at {failure.where}")
    if failure.case:
        parts.append(", ".join(f"{name}={value}" for name, value in failure.case.items()))
    return _SEPARATOR.join(parts)


# ---------------------------------------------------------------------------------- reading

_TEXTS = ("clause", "backend", "symptom", "version", "example", "reason", "issue")
_KEYS = (*_TEXTS, "when", "expires")


def shipped(*names: str) -> list[Path]:
    """The lists that come with Tenet: those of the backends or devices named, or all of them."""
    folder = Path(str(files("tenet.suites"))) / "expectations"
    return [path for path in sorted(folder.glob("*.toml")) if not names or path.stem in names]


def load(paths: Iterable[str | Path]) -> tuple[Expectation, ...]:
    """The expectations of the files, in order. UsageError, naming file and entry, for a file
    that cannot be read or an entry that is written wrongly."""
    return tuple(entry for path in paths for entry in _of_file(Path(path)))


def _of_file(path: Path) -> Iterator[Expectation]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a list of expectations: {error}") from error
    strange = sorted(set(content) - {"expectation"})
    entries = content.get("expectation", [])
    if strange or not isinstance(entries, list):
        what = f"{strange[0]!r} is not known there" if strange else "expectation is no list"
        raise UsageError(f"{path}: {what}; write each known failure below [[expectation]]")
    for number, entry in enumerate(entries, 1):
        origin = f"{path}, entry {number}"
        try:
            yield _of_entry(entry, origin)
        except ValueError as error:
            raise UsageError(f"{origin}: {error}") from error


def _of_entry(entry: Any, origin: str) -> Expectation:
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is no table; write it below [[expectation]]")
    for key, value in entry.items():
        if key not in _KEYS:
            raise ValueError(str(unknown("key", key, _KEYS)))
        if key in _TEXTS and not isinstance(value, str):
            raise ValueError(f"{key} = {value!r} is no text; put it in quotes")
    for key in ("clause", "backend", "symptom"):
        if not entry.get(key):
            raise ValueError(f"{key} is missing")
    when, expires = entry.get("when", {}), entry.get("expires")
    if not isinstance(when, dict) or not all(isinstance(value, str) for value in when.values()):
        raise ValueError(f'when = {when!r} must be texts by name, such as {{ dtype = "int8" }}')
    if expires is not None and type(expires) is not date:
        raise ValueError(f"expires = {expires!r} is no day; write it as 2027-06-30, unquoted")
    try:
        SpecifierSet(entry.get("version", ""))
    except InvalidSpecifier as error:
        raise ValueError(f"version = {entry['version']!r}: write it as '>=2.13,<2.15'") from error
    return Expectation(
        **{**entry, "example": _example(entry), "when": when, "expires": expires, "origin": origin}
    )


def _example(entry: dict[str, Any]) -> dict[str, Any] | None:
    text = entry.get("example")
    if text is None:
        if entry["symptom"] not in ENDED:
            raise ValueError(f"example is missing; only {' and '.join(ENDED)} go without one")
        return None
    if entry["symptom"] in ENDED:
        raise ValueError(f"example is not replayed where a process {entry['symptom']}; remove it")
    try:
        example = json.loads(text)
    except ValueError as error:
        raise ValueError(f"example is no JSON ({error}); copy it from the record") from error
    if not isinstance(example, dict):
        raise ValueError(f"example = {text!r} is no JSON object of arguments by name")
    return example


# ---------------------------------------------------------------------------------- writing

_HEAD = """\
# Known failures, as `tenet expect` writes them. Fill in each reason and issue; both are kept
# when the list is written again. `tenet expect --check FILE` says what is missing or stale.
"""


def text_of(expectations: Sequence[Expectation]) -> str:
    """The expectations as a TOML file that `load` reads back."""
    return "\n".join([_HEAD, *map(_entry_text, expectations)])


def _entry_text(entry: Expectation) -> str:
    lines = ["[[expectation]]"]
    lines += [f"clause = {_quoted(entry.clause)}", f"backend = {_quoted(entry.backend)}"]
    if entry.version:
        lines.append(f"version = {_quoted(entry.version)}")
    if entry.when:
        pairs = ", ".join(f"{_quoted(k)} = {_quoted(v)}" for k, v in entry.when.items())
        lines.append(f"when = {{ {pairs} }}")
    lines.append(f"symptom = {_quoted(entry.symptom)}")
    if entry.example is not None:
        example = json.dumps(entry.example, ensure_ascii=False)
        lines.append(f"example = {_quoted(example)}")
    lines += [f"reason = {_quoted(entry.reason)}", f"issue = {_quoted(entry.issue)}"]
    if entry.expires is not None:
        lines.append(f"expires = {entry.expires.isoformat()}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string: literal where that reads better, else with escapes."""
    printable = all(c >= " " and c != "\x7f" for c in text)
    if '"' in text and "'" not in text and printable:
        return f"'{text}'"
    # JSON's escapes are TOML's, but for one character that JSON leaves alone.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
