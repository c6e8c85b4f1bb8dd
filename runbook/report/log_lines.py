"""A line of a log as a person reads it: who wrote it, when, how bad it is, and the fields of a JSON object as words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from runbook.engine.redaction import redact
from runbook.report.writer import Writer

COLOURS = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta", "bright_blue")
LEVELS = {
    **dict.fromkeys(("error", "critical", "fatal", "panic"), "red"),
    **dict.fromkeys(("warn", "warning"), "yellow"),
    "debug": "bright_black",
}
_TIME = ("time", "timestamp", "ts", "t")
_LEVEL = ("level", "severity", "lvl")
_MESSAGE = ("msg", "message", "event")
_SAME_EVERYWHERE = frozenset({"app_id", "instance", "type", "ver"})
"""What each line of a sidecar repeats, and its prefix says."""


def readable(text: str) -> tuple[str, str]:
    """The level, in small letters or empty, and the words of a line; what is no JSON object stays as it is."""
    fields = _fields(text)
    if fields is None:
        return "", text
    level = str(_taken(fields, _LEVEL)).lower()
    words = [str(_taken(fields, _MESSAGE))]
    _taken(fields, _TIME)
    sidecar = "app_id" in fields and "scope" in fields
    words += [
        f"{name}={_value(value)}"
        for name, value in fields.items()
        if not (sidecar and name in _SAME_EVERYWHERE)
    ]
    return level, " ".join(word for word in words if word)


def _fields(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return dict(found) if isinstance(found, Mapping) else None


def _taken(fields: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields, taken out."""
    return next((fields.pop(name) for name in names if name in fields), "")


def _value(value: Any) -> str:
    if isinstance(value, str):
        return (
            value
            if value and not any(sign.isspace() for sign in value)
            else json.dumps(value, ensure_ascii=False)
        )
    return json.dumps(value, ensure_ascii=False)


class LogPrinter:
    """Writes lines, each behind its pod and container, which keep a colour of their own on a terminal."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._console = Console(file=writer.stream, highlight=False, soft_wrap=True)
        self._colours: dict[str, str] = {}

    def show(self, pod: str, container: str, time: str, text: str) -> None:
        who = f"{pod}/{container}"
        level, words = readable(redact(text))
        clock = time[11:23].rstrip("Z") if len(time) > 19 else time
        if not self.writer.is_terminal:
            self.writer.line(" ".join(part for part in (who, clock, level.upper(), words) if part))
            return
        colour = self._colours.setdefault(who, COLOURS[len(self._colours) % len(COLOURS)])
        line = Text(who, style=colour).append(f" {clock} ", style="dim")
        if level:
            line.append(f"{level.upper()} ", style=LEVELS.get(level, "dim"))
        self._console.print(line.append(redact(words)))
