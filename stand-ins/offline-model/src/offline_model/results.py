"""Tool results as a chat history carries them: nested JSON texts in several shapes, read into one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

Task = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered: the task objects found, in order, or why the call failed."""

    ok: bool
    tasks: tuple[Task, ...] = ()
    reason: str = ""
    total: int = 0
    """Tasks in all, where the tool counts those beyond the end of its list."""


def read(content: str) -> Result:
    """Read a tool's answer: an envelope with a success flag, plain data, MCP content, or an error text."""
    value = _unwrapped(content)
    if isinstance(value, str):
        # Agent frameworks hand failures of a tool to the model as plain sentences.
        return Result(ok=False, reason=value.strip() or "the tool answered nothing")
    if isinstance(value, dict):
        flag = value.get("success", value.get("ok"))
        if flag is False or (flag is None and value.get("error")):
            return Result(ok=False, reason=_reason(value))
    return Result(ok=True, tasks=tuple(_tasks(value)), total=_total(value))


def due_day(task: Task) -> date | None:
    """The day on which a task is due."""
    text = str(task.get("target_completion_date") or task.get("due_date") or "")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def is_completed(task: Task) -> bool:
    return bool(task.get("is_completed", task.get("completed", task.get("status") == "completed")))


def _unwrapped(value: Any) -> Any:
    """Undo JSON in strings and the text parts of MCP content, however deep."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except json.JSONDecodeError:
            return value
        return value if isinstance(inner, int | float | bool | None) else _unwrapped(inner)
    if (
        isinstance(value, dict)
        and value.get("type") in ("text", "output_text")
        and isinstance(value.get("text"), str)
    ):
        return _unwrapped(value["text"])
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        parts = [_unwrapped(part) for part in value]
        return parts[0] if len(parts) == 1 else parts
    return value


def _tasks(value: Any) -> list[Task]:
    """Every task object (an id and a title) inside a value, outermost first, in order."""
    if isinstance(value, dict):
        if "title" in value and "id" in value:
            return [value]
        return [task for inner in value.values() for task in _tasks(inner)]
    if isinstance(value, list):
        return [task for inner in value for task in _tasks(inner)]
    return []


def _total(value: Any) -> int:
    """The count beside a list of tasks: of those that match, else of all."""
    if not isinstance(value, dict):
        return 0
    counts = [value.get(key) for key in ("matching", "total")]
    return next((count for count in counts if isinstance(count, int)), 0) or _total(value.get("data"))


def _reason(envelope: dict[str, Any]) -> str:
    for key in ("reason", "error", "message", "detail"):
        found = envelope.get(key)
        if isinstance(found, dict):
            return _reason(found)
        if found:
            return str(found)
    return "the tool gave no reason"
