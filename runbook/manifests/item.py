"""One object of manifests, and what a rule says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.manifests.documents import Document, at, fields

SHOWN = 80
"""Characters of a value that evidence shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One object. `namespace` is the effective one; `file` is where a person finds it."""

    document: Document
    namespace: str
    file: str
    rendered: bool = False
    """Helm made it from the template `file`, so that its lines are not the file's."""

    @property
    def raw(self) -> Mapping[str, Any]:
        return fields(self.document.value)

    @property
    def kind(self) -> str:
        return str(self.raw.get("kind"))

    @property
    def name(self) -> str:
        metadata = fields(self.raw.get("metadata"))
        return str(metadata.get("name") or metadata.get("generateName") or "")

    @property
    def annotations(self) -> Mapping[str, Any]:
        return fields(at(self.raw, "metadata.annotations"))

    @property
    def spec(self) -> Mapping[str, Any]:
        return fields(self.raw.get("spec"))

    @property
    def title(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"

    def line_of(self, path: str) -> int | None:
        return None if self.rendered else self.document.line_of(path)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule does not hold: in this object, at this path, with this value there."""

    item: Item
    path: str
    seen: str


def shown(value: object) -> str:
    """A value as evidence shows it."""
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
