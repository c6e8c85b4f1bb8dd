"""Waivers: findings that someone has looked at and lets stand, for a reason and until a day.

A waiver that has expired or that nothing needs fails: the list stays true by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbook.errors import UsageError
from runbook.manifests.documents import documents

FORM = "a list of waivers with id, object, reason and expires"


class Waiver(BaseModel):
    """One entry of a waiver file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    object: str
    """As output names it, such as `Deployment todo/backend`; * stands for anything."""
    reason: str = Field(min_length=10)
    expires: date
    """The last day on which it holds."""
    rendering: str = "*"
    """Only in renderings of this title; * stands for anything."""

    def covers(self, rule: str, title: str, rendering: str) -> bool:
        return rule == self.id and fnmatchcase(title, self.object) and fnmatchcase(rendering, self.rendering)

    def __str__(self) -> str:
        where = "" if self.rendering == "*" else f" in {self.rendering}"
        return f"waiver of {self.id} for {self.object}{where}"


def read(file: Path, known: Collection[str]) -> tuple[Waiver, ...]:
    """The waivers of a file. Raises `UsageError` for a bad form or an id that no rule has."""
    try:
        found = documents(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", wanted=FORM) from error
    listed = found[0].value if found else []
    if len(found) > 1 or not isinstance(listed, list):
        raise UsageError(f"{file} is no list", wanted=FORM)
    waivers = []
    for number, entry in enumerate(listed, 1):
        try:
            waiver = Waiver.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the entry"
            raise UsageError(f"waiver {number} of {file}: {place}: {first['msg']}", wanted=FORM) from error
        if waiver.id not in known:
            raise UsageError(
                f"waiver {number} of {file}: there is no rule {waiver.id}", wanted="an id of docs/rules.md"
            )
        waivers.append(waiver)
    return tuple(waivers)
