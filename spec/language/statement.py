"""Statements: the sentences of the documents that the specification answers to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Statement:
    """One documented sentence. `erratum` says what holds where the sentence is wrong."""

    id: str
    topic: str
    says: str
    source: str
    erratum: str | None = None


@lru_cache(maxsize=1)
def statements() -> dict[str, Statement]:
    """Every statement by its id, in the order of the documents."""
    text = (files("tenet.spec") / "documents" / "behaviours.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    titles = {slug: document["title"] for slug, document in content["document"].items()}
    return {
        entry["id"]: Statement(
            id=entry["id"],
            topic=entry["topic"],
            says=entry["says"],
            source=titles[entry["id"].partition(".")[0]],
            erratum=entry.get("erratum"),
        )
        for entry in content["statement"]
    }
