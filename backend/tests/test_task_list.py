"""The list of tasks: filters, orders and pages."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from harness.postgres import Database, migrated
from people import Person
from sqlalchemy.dialects import postgresql

from todo_backend.models import Priority
from todo_backend.tasks.listing import Order, Sort, Status, TaskQuery, numbers, page

_DIALECT: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
NOW = datetime.now(UTC)
TASKS: list[dict[str, Any]] = [
    {"title": "Buy milk", "priority": "high", "due": NOW - timedelta(days=1), "done": False},
    {"title": "apples", "priority": "low", "due": NOW + timedelta(days=1), "done": False},
    {"title": "50% off_sale", "priority": "medium", "due": None, "done": False},
    {"title": "Call", "priority": "high", "due": NOW - timedelta(days=2), "done": True},
    {"title": "bread", "priority": "low", "due": None, "done": True},
]


@pytest.fixture
def listing(alice: Person, bob: Person, database: Database) -> Person:
    """Alice with five tasks made one after another, and bob with one of each title."""
    for place, task in enumerate(TASKS):
        for person in (alice, bob):
            database.rows(
                "INSERT INTO task (user_id, title, description, priority, target_completion_date,"
                " is_completed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                person.id,
                task["title"],
                f"number {place}",
                task["priority"],
                task["due"],
                task["done"],
                NOW + timedelta(minutes=place),
            )
    return alice


def titles(person: Person, **query: Any) -> list[str]:
    answer = person.http.get("tasks", params=query)
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()["tasks"]]


MILK, APPLES, SALE, CALL, BREAD = (task["title"] for task in TASKS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [BREAD, CALL, SALE, APPLES, MILK]),
        ({"status": "all", "sort": "created", "order": "asc"}, [MILK, APPLES, SALE, CALL, BREAD]),
        ({"status": "pending"}, [SALE, APPLES, MILK]),
        ({"status": "completed"}, [BREAD, CALL]),
        ({"status": "overdue"}, [MILK]),
        ({"priority": "high"}, [CALL, MILK]),
        ({"priority": "low", "status": "pending"}, [APPLES]),
        ({"sort": "due"}, [CALL, MILK, APPLES, SALE, BREAD]),
        ({"sort": "due", "order": "desc"}, [APPLES, MILK, CALL, BREAD, SALE]),
        ({"sort": "priority"}, [CALL, MILK, SALE, BREAD, APPLES]),
        ({"sort": "priority", "order": "asc"}, [APPLES, BREAD, SALE, MILK, CALL]),
        ({"sort": "title"}, [SALE, APPLES, BREAD, MILK, CALL]),
        ({"sort": "title", "order": "desc"}, [CALL, MILK, BREAD, APPLES, SALE]),
        ({"search": " MILK "}, [MILK]),
        ({"search": "number 3"}, [CALL]),
        ({"search": "% off_"}, [SALE]),
        ({"search": "_"}, [SALE]),
        ({"search": "nothing"}, []),
        ({"limit": 2}, [BREAD, CALL]),
        ({"limit": 2, "offset": 4}, [MILK]),
        ({"offset": 9}, []),
    ],
)
def test_the_list_as_asked(listing: Person, query: dict[str, Any], expected: list[str]) -> None:
    found = titles(listing, **query)
    # Titles are unique but for those without a due date, whose order is that of their ids.
    if query.get("sort") == "due":
        assert found[:3] == expected[:3]
        assert set(found[3:]) == set(expected[3:])
    else:
        assert found == expected


def test_numbers_count_all_and_the_matching(listing: Person) -> None:
    body = listing.http.get("tasks", params={"status": "pending", "search": "a", "limit": 1}).json()
    numbers = {name: body[name] for name in ("total", "completed", "pending", "matching")}
    assert numbers == {"total": 5, "completed": 2, "pending": 3, "matching": 2}
    assert len(body["tasks"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"status": "open"},
        {"priority": "urgent"},
        {"sort": "size"},
        {"order": "up"},
        {"limit": 0},
        {"limit": 201},
        {"offset": -1},
        {"offset": 10**30},
        {"search": "x" * 201},
        {"search": "nul\0"},
    ],
)
def test_wrong_questions_are_told_by_place(alice: Person, query: dict[str, Any]) -> None:
    answer = alice.http.get("tasks", params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(query))]


@pytest.fixture(scope="module")
def crowd(postgres: Database) -> Database:
    """A database of 100,000 tasks: 200 of each of 400 people, and 20,000 of `heavy`."""
    database = migrated(postgres, "crowd")
    database.rows(
        'INSERT INTO "user" (id, name, email)'
        " SELECT name, name, name || '@example.org' FROM (SELECT 'heavy' AS name"
        " UNION ALL SELECT 'person-' || n FROM generate_series(0, 399) AS n) AS names"
    )
    database.rows(
        "INSERT INTO task (user_id, title, priority, is_completed, target_completion_date, created_at)"
        " SELECT CASE WHEN n % 5 = 0 THEN 'heavy' ELSE 'person-' || n % 400 END, 'task ' || md5(n::text),"
        " (ARRAY['high', 'medium', 'low'])[1 + n % 3]::task_priority, n % 7 < 3,"
        " CASE WHEN n % 11 < 8 THEN now() + (n % 1000 - 500) * interval '1 hour' END,"
        " now() - n * interval '1 second' FROM generate_series(1, 100000) AS n"
    )
    database.rows("VACUUM ANALYZE task")
    return database


def explained(database: Database, statements: list[Any]) -> list[set[tuple[str, str | None]]]:
    """For each statement the kinds of nodes of its plan, with the index that each uses."""

    def nodes(plan: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
        yield plan["Node Type"], plan.get("Index Name")
        for child in plan.get("Plans", ()):
            yield from nodes(child)

    async def ask() -> list[set[tuple[str, str | None]]]:
        connection = await asyncpg.connect(database.url("todo_backend"))
        plans = []
        for statement in statements:
            sql = statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})
            [[plan]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) {sql}")
            plans.append(set(nodes(json.loads(plan)[0]["Plan"])))
        await connection.close()
        return plans

    return asyncio.run(ask())


def test_every_question_uses_an_index(crowd: Database) -> None:
    questions = [
        TaskQuery(status=status, priority=priority, search=search, sort=sort, order=order)
        for status in Status
        for priority in (None, Priority.HIGH)
        for search in ("", "abc")
        for sort in Sort
        for order in Order
    ]
    statements: list[Any] = [page("person-1", question, NOW) for question in questions]
    statements += [numbers("person-1", question, NOW) for question in questions]
    for plan in explained(crowd, statements):
        assert not {kind for kind, _ in plan} & {"Seq Scan", "Parallel Seq Scan"}
        assert any(index and index.startswith("ix_task_") for _, index in plan)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ({}, "ix_task_newest"),
        ({"order": "asc"}, "ix_task_newest"),
        ({"status": "pending"}, "ix_task_status_newest"),
        ({"sort": "due"}, "ix_task_due_first"),
        ({"sort": "due", "order": "desc"}, "ix_task_due_last"),
        ({"status": "overdue", "sort": "due"}, "ix_task_due_first"),
        ({"sort": "priority"}, "ix_task_priority"),
        ({"sort": "priority", "order": "asc"}, "ix_task_priority"),
        ({"priority": "high"}, "ix_task_priority"),
        ({"sort": "title"}, "ix_task_title"),
        ({"sort": "title", "order": "desc"}, "ix_task_title"),
    ],
)
def test_the_first_page_of_a_long_list_is_read_in_order(
    crowd: Database, question: dict[str, str], index: str
) -> None:
    [plan] = explained(crowd, [page("heavy", TaskQuery.model_validate(question), NOW)])
    assert plan == {("Limit", None), ("Index Scan", index)}


def test_a_task_is_late_only_once_its_day_is_over(alice: Person) -> None:
    today = datetime.now(UTC).date()
    for title, due in (("today", today), ("yesterday", today - timedelta(days=1))):
        made = alice.http.post("tasks", json={"title": title, "target_completion_date": f"{due}T00:00:00Z"})
        assert made.status_code == 201, made.text
    assert titles(alice, status="overdue") == ["yesterday"]
