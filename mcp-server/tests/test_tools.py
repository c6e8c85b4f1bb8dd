"""The tools through the real client: what they do, and how they refuse."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from callers import Caller
from harness.postgres import Database
from mcp_types import Tool


def offered(caller: Caller) -> dict[str, Tool]:
    async def ask() -> dict[str, Tool]:
        async with caller.session("test") as session:
            return {tool.name: tool for tool in (await session.list_tools()).tools}

    return asyncio.run(ask())


def test_the_schemas_are_typed_and_know_no_user(alice: Caller) -> None:
    tools = offered(alice)
    assert set(tools) == {
        *("add_task", "list_tasks", "get_task", "search_tasks"),
        *("update_task", "complete_task", "delete_task"),
    }
    assert "user" not in json.dumps([tool.input_schema for tool in tools.values()]).lower()
    title = tools["add_task"].input_schema["properties"]["title"]
    assert (title["minLength"], title["maxLength"]) == (1, 200)
    assert tools["add_task"].input_schema["required"] == ["title"]
    for tool in tools.values():
        assert tool.description
        assert tool.output_schema is not None
        assert "success" in tool.output_schema["properties"]


def test_a_task_is_added_with_defaults_and_with_everything(alice: Caller, database: Database) -> None:
    plain = alice.done("add_task", title="  plain ", description=None, priority=None, due_date=None)["task"]
    assert (plain["title"], plain["description"], plain["priority"]) == ("plain", "", "medium")
    assert plain["target_completion_date"] is None
    full = alice.done(
        "add_task", title="full", description="details", priority="low", due_date="2030-01-31T10:00:00+02:00"
    )["task"]
    assert full["target_completion_date"] == "2030-01-31T10:00:00Z"
    rows = database.rows("SELECT id, user_id, priority FROM task WHERE user_id = $1 ORDER BY title", alice.id)
    assert [(str(row["id"]), row["priority"]) for row in rows] == [
        (full["id"], "low"),
        (plain["id"], "medium"),
    ]


def test_the_list_is_newest_first_and_filtered(alice: Caller) -> None:
    assert alice.done("list_tasks") == {"success": True, "tasks": [], "total": 0}
    ids = [
        alice.done("add_task", title=f"task {n}", priority="high" if n else "low")["task"]["id"]
        for n in range(3)
    ]
    alice.done("complete_task", task_id=ids[1])

    def listed(**filters: str) -> list[str]:
        found = alice.done("list_tasks", **filters)
        assert found["total"] == len(found["tasks"])
        return [task["id"] for task in found["tasks"]]

    assert listed() == listed(status="all") == [ids[2], ids[1], ids[0]]
    assert listed(status="pending") == [ids[2], ids[0]]
    assert listed(status="completed") == [ids[1]]
    assert listed(status="pending", priority="high") == [ids[2]]


def test_the_list_by_due_date_and_order(alice: Caller) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    dues = {"past": "2001-01-01", "today": today, "soon": "2090-01-01", "later": "2090-01-02", "never": None}
    for title, due in dues.items():
        alice.done("add_task", title=title, due_date=due, priority="high" if title == "later" else "low")

    def listed(**filters: str) -> list[str]:
        return [task["title"] for task in alice.done("list_tasks", **filters)["tasks"]]

    assert listed(status="overdue") == ["past"]
    assert listed(due_from="2090-01-01", due_before="2090-01-02") == ["soon"]
    assert listed(sort="due") == ["past", "today", "soon", "later", "never"]
    assert listed(sort="priority") == ["later", "never", "soon", "today", "past"]
    assert listed(sort="title") == ["later", "never", "past", "soon", "today"]


def test_a_task_is_read_and_found_by_words(alice: Caller) -> None:
    milk = alice.done("add_task", title="Buy Milk", description="2 litres\nat the corner")["task"]
    bread = alice.done("add_task", title="100% bread_roll")["task"]
    assert alice.done("get_task", task_id=milk["id"])["task"] == milk

    def found(query: str, **more: str) -> list[str]:
        return [task["id"] for task in alice.done("search_tasks", query=query, **more)["tasks"]]

    assert found(" milk ") == found("CORNER") == [milk["id"]]
    assert found("%") == found("d_r") == [bread["id"]]
    assert found("milk", status="completed") == found("nothing") == []


def test_a_long_list_is_cut_and_counted(alice: Caller, database: Database) -> None:
    database.rows(
        "INSERT INTO task (user_id, title) SELECT $1, 'task ' || n FROM generate_series(1, 130) AS n",
        alice.id,
    )
    found = alice.done("list_tasks")
    assert (len(found["tasks"]), found["total"]) == (100, 130)


def test_an_update_changes_only_what_is_given(alice: Caller) -> None:
    task = alice.done("add_task", title="old", description="kept", due_date="2030-01-31")["task"]
    changed = alice.done("update_task", task_id=task["id"], title="new", priority="high")["task"]
    assert changed == task | {"title": "new", "priority": "high", "updated_at": changed["updated_at"]}
    cleared = alice.done("update_task", task_id=task["id"], clear_due_date=True)["task"]
    assert cleared["target_completion_date"] is None
    assert alice.done("update_task", task_id=task["id"], description="")["task"]["description"] == ""


def test_completing_is_idempotent_and_can_be_undone(alice: Caller) -> None:
    task = alice.done("add_task", title="a task")["task"]
    done = alice.done("complete_task", task_id=task["id"])["task"]
    again = alice.done("complete_task", task_id=task["id"])["task"]
    assert done["is_completed"]
    assert again["completed_at"] == done["completed_at"] is not None
    reopened = alice.done("complete_task", task_id=task["id"], completed=False)["task"]
    assert (reopened["is_completed"], reopened["completed_at"]) == (False, None)


def test_deleting_says_what_went(alice: Caller) -> None:
    task = alice.done("add_task", title="a task")["task"]
    assert alice.done("delete_task", task_id=task["id"]) == {
        "success": True,
        "id": task["id"],
        "title": "a task",
    }
    assert "could not delete the task: no task with this id" in alice.refused(
        "delete_task", task_id=task["id"]
    )


def test_the_limits_are_those_of_the_table(alice: Caller) -> None:
    task = alice.done("add_task", title="☃" * 200, description="☃" * 1000)["task"]
    assert (len(task["title"]), len(task["description"])) == (200, 1000)


@pytest.mark.parametrize(
    ("name", "arguments", "place"),
    [
        ("add_task", {}, "title"),
        ("add_task", {"title": ""}, "title"),
        ("add_task", {"title": "   "}, "title"),
        ("add_task", {"title": "x" * 201}, "title"),
        ("add_task", {"title": "nul\0"}, "title"),
        ("add_task", {"title": "x", "description": "x" * 1001}, "description"),
        ("add_task", {"title": "x", "priority": "urgent"}, "priority"),
        ("add_task", {"title": "x", "due_date": "soon"}, "due_date"),
        ("add_task", {"title": "x", "due_date": "9999-12-31T23:59:59-14:00"}, "due_date"),
        ("list_tasks", {"status": "open"}, "status"),
        ("list_tasks", {"sort": "size"}, "sort"),
        ("list_tasks", {"due_from": "soon"}, "due_from"),
        ("search_tasks", {}, "query"),
        ("search_tasks", {"query": " "}, "query"),
        ("get_task", {"task_id": "1"}, "task_id"),
        ("complete_task", {"task_id": "1"}, "task_id"),
        ("update_task", {"task_id": str(uuid4())}, "at least one field"),
        (
            "update_task",
            {"task_id": str(uuid4()), "due_date": "2030-01-31", "clear_due_date": True},
            "either",
        ),
    ],
)
def test_wrong_arguments_are_explained(
    alice: Caller, name: str, arguments: dict[str, Any], place: str
) -> None:
    told = alice.refused(name, **arguments)
    assert place in told
    # For a model to read: one line without the library's links, classes and prefixes.
    assert "\n" not in told
    assert not {"http", "pydantic", "Error executing"} & set(told.replace(":", " ").split())
    assert alice.done("list_tasks")["total"] == 0


def test_an_account_that_is_gone_is_told(alice: Caller, database: Database) -> None:
    database.rows('DELETE FROM "user" WHERE id = $1', alice.id)
    assert "the account no longer exists" in alice.refused("add_task", title="x")


REACHES: dict[str, dict[str, Any] | None] = {
    "get_task": {},
    "update_task": {"title": "taken over"},
    "complete_task": {},
    "delete_task": {},
    "list_tasks": None,
    "search_tasks": None,
    "add_task": None,
}
"""For each tool how it would reach another user's task by its id; None for those that take no id."""


def test_another_users_task_is_as_absent_as_none(alice: Caller, bob: Caller) -> None:
    assert set(offered(alice)) == set(REACHES)  # a new tool needs a case here
    task = alice.done("add_task", title="mine")["task"]
    assert bob.done("list_tasks")["tasks"] == []
    assert bob.done("search_tasks", query="mine")["tasks"] == []
    for name, arguments in REACHES.items():
        if arguments is not None:
            theirs = bob.refused(name, task_id=task["id"], **arguments)
            assert theirs == bob.refused(name, task_id=str(uuid4()), **arguments)
    bob.refused("complete_task", task_id=task["id"], completed=False)
    assert alice.done("list_tasks")["tasks"] == [task]


def test_a_user_among_the_arguments_changes_nothing(alice: Caller, bob: Caller, database: Database) -> None:
    bob.done("add_task", title="whose", user_id=alice.id)
    [row] = database.rows("SELECT user_id FROM task WHERE title = 'whose'")
    assert row["user_id"] == bob.id


def test_two_users_at_once_never_mix(alice: Caller, bob: Caller, database: Database) -> None:
    async def add(caller: Caller) -> None:
        async with caller.session("test") as session:
            await asyncio.gather(
                *(session.call_tool("add_task", {"title": f"of {caller.id}"}) for _ in range(10))
            )

    async def both() -> None:
        await asyncio.gather(add(alice), add(bob))

    asyncio.run(both())
    for caller in (alice, bob):
        rows = database.rows("SELECT title FROM task WHERE user_id = $1", caller.id)
        assert [row["title"] for row in rows] == [f"of {caller.id}"] * 10
