"""The routes of tasks."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from harness.postgres import Database
from people import Person


def create(person: Person, **fields: Any) -> dict[str, Any]:
    answer = person.http.post("tasks", json={"title": "a task", **fields})
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    return task


def test_a_new_task_has_all_fields(alice: Person) -> None:
    task = create(alice, title="  buy milk ")
    assert task | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "user_id": alice.id,
        "title": "buy milk",
        "description": "",
        "priority": "medium",
        "is_completed": False,
        "target_completion_date": None,
        "created_at": "",
        "updated_at": "",
        "completed_at": None,
    }
    assert task["created_at"].endswith("Z")
    assert alice.http.get(f"tasks/{task['id']}").json() == task


def test_the_list_is_newest_first_with_numbers(alice: Person) -> None:
    nothing = {"tasks": [], "total": 0, "completed": 0, "pending": 0, "matching": 0}
    assert alice.http.get("tasks").json() == nothing
    first, second = create(alice, title="first"), create(alice, title="second")
    alice.http.patch(f"tasks/{first['id']}/complete")
    listed = alice.http.get("tasks").json()
    assert [task["id"] for task in listed["tasks"]] == [second["id"], first["id"]]
    assert (listed["total"], listed["completed"], listed["pending"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2030-01-31", "2030-01-31T00:00:00Z"),
        ("2030-01-31T10:00:00", "2030-01-31T10:00:00Z"),
        ("2030-01-31T10:00:00+02:00", "2030-01-31T10:00:00Z"),
        ("2030-01-31T00:00:00+05:30", "2030-01-31T00:00:00Z"),
        ("2030-01-31T23:30:00-12:00", "2030-01-31T23:30:00Z"),
        ("1900-01-01", "1900-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59Z"),
    ],
)
def test_due_dates_are_kept_as_written(alice: Person, sent: str, kept: str) -> None:
    assert create(alice, target_completion_date=sent)["target_completion_date"] == kept


def test_put_changes_what_is_given_and_null_removes_the_due_date(alice: Person) -> None:
    task = create(alice, description="old", priority="high", target_completion_date="2030-01-31")
    path = f"tasks/{task['id']}"
    changed = alice.http.put(path, json={"title": "new"}).json()
    assert changed == task | {"title": "new", "updated_at": changed["updated_at"]}
    assert datetime.fromisoformat(changed["updated_at"]) > datetime.fromisoformat(task["updated_at"])
    cleared = alice.http.put(path, json={"target_completion_date": None, "description": ""}).json()
    assert (cleared["target_completion_date"], cleared["description"], cleared["priority"]) == (
        None,
        "",
        "high",
    )


def test_completion_toggles_and_keeps_its_time(alice: Person) -> None:
    path = f"tasks/{create(alice)['id']}"
    done = alice.http.patch(f"{path}/complete").json()
    assert done["is_completed"]
    assert done["completed_at"] is not None
    renamed = alice.http.put(path, json={"title": "renamed"}).json()
    assert renamed["completed_at"] == done["completed_at"]
    reopened = alice.http.patch(f"{path}/complete").json()
    assert (reopened["is_completed"], reopened["completed_at"]) == (False, None)


def test_deleting_says_what_went(alice: Person) -> None:
    task = create(alice)
    answer = alice.http.delete(f"tasks/{task['id']}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Task deleted", "id": task["id"]})
    assert alice.http.get(f"tasks/{task['id']}").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 200, "description": "x" * 1000},
        {"title": "☃" * 200, "description": "☃" * 1000},
    ],
)
def test_the_limits_of_the_api_are_those_of_the_table(alice: Person, fields: dict[str, Any]) -> None:
    assert create(alice, **fields)["title"] == fields["title"]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 201},
        {"title": None},
        {"title": "nul\0"},
        {"description": "x" * 1001},
        {"description": None},
        {"description": "nul\0"},
        {"priority": "urgent"},
        {"target_completion_date": "soon"},
        {"target_completion_date": "0001-01-01"},
        {"target_completion_date": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_wrong_fields_are_told_by_place(alice: Person, fields: dict[str, Any]) -> None:
    task = create(alice)
    for answer in (
        alice.http.post("tasks", json={"title": "a task", **fields}),
        alice.http.put(f"tasks/{task['id']}", json=fields),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", next(iter(fields))]
    assert alice.http.get("tasks").json()["total"] == 1


def test_an_empty_change_and_broken_bodies_are_refused(alice: Person) -> None:
    path = f"tasks/{create(alice)['id']}"
    assert alice.http.put(path, json={}).status_code == 422
    for content in (b"{", b"[]", b'{"title": "\\ud800"}', b'{"title": "\xff"}'):
        answer = alice.http.post("tasks", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), content


def test_ids_are_checked(alice: Person) -> None:
    for method, path in (("GET", ""), ("PUT", ""), ("PATCH", "/complete"), ("DELETE", "")):
        body = {"title": "x"} if method == "PUT" else None
        assert alice.http.request(method, f"tasks/{uuid4()}{path}", json=body).status_code == 404
        assert alice.http.request(method, f"tasks/1{path}", json=body).status_code == 422


def test_tasks_go_with_their_user(alice: Person, database: Database) -> None:
    create(alice)
    database.rows('DELETE FROM "user" WHERE id = $1', alice.id, role="todo_frontend")
    assert database.rows("SELECT id FROM task WHERE user_id = $1", alice.id) == []
