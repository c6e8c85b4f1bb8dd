"""The shapes in which tool results come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offline_model.results import due_day, is_completed, read

TASK = {"id": "a1", "title": "buy milk"}


@pytest.mark.parametrize(
    "value",
    [
        {"success": True, "data": {"tasks": [TASK]}},
        {"success": True, "data": TASK},
        {"tasks": [TASK]},
        [TASK],
        {"result": [TASK]},
        {"type": "text", "text": json.dumps({"success": True, "data": [TASK]})},
        [{"type": "text", "text": json.dumps(TASK)}],
        json.dumps({"success": True, "data": TASK}),
    ],
)
def test_tasks_are_found_in_any_envelope(value: Any) -> None:
    result = read(json.dumps(value))
    assert result.ok
    assert result.tasks == (TASK,)


def test_parts_of_mcp_content_keep_their_order() -> None:
    other = {"id": "a2", "title": "buy tea"}
    parts = [{"type": "text", "text": json.dumps(TASK)}, {"type": "text", "text": json.dumps(other)}]
    assert read(json.dumps(parts)).tasks == (TASK, other)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            json.dumps({"success": False, "error": {"operation": "add_task", "reason": "title is empty"}}),
            "title is empty",
        ),
        (json.dumps({"success": False, "message": "not found"}), "not found"),
        (json.dumps({"ok": False}), "no reason"),
        (json.dumps({"error": "database is away"}), "database is away"),
        ("An error occurred while running the tool.", "An error occurred"),
        ("", "nothing"),
    ],
)
def test_failures_keep_their_reason(content: str, reason: str) -> None:
    result = read(content)
    assert not result.ok
    assert reason in result.reason


def test_an_empty_list_is_a_good_answer() -> None:
    result = read(json.dumps({"success": True, "data": {"tasks": [], "total": 0}}))
    assert result.ok
    assert result.tasks == ()


def test_due_day_and_completion_are_read_from_task_columns() -> None:
    day = due_day({"target_completion_date": "2026-11-24T00:00:00"})
    assert day is not None
    assert day.isoformat() == "2026-11-24"
    assert due_day({"target_completion_date": None}) is None
    assert due_day({"due_date": "soon"}) is None
    assert is_completed({"is_completed": True})
    assert not is_completed({"title": "open"})
