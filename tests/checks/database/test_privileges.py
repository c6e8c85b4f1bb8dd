"""What a role may do beyond its work, by what the server says of it and by an attempt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege

from runbook.checks.database import privileges
from runbook.checks.database.privileges import RIGHTS
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from tests.fakes.worlds import world_of

ROLES = {
    "database-url": "todo_backend_b",
    "frontend-database-url": "todo_frontend",
    "mcp-database-url": "todo_mcp",
}


class Connection:
    """A role that has exactly its rights, and may make no table."""

    def __init__(self, key: str) -> None:
        self.role: dict[str, Any] | None = {
            "rolname": ROLES[key],
            **dict.fromkeys(privileges.ATTRIBUTES, False),
            "within": ["todo_backend"] if key == "database-url" else [],
            "owned": 0,
            "creates_in": [],
        }
        self.tables = [
            {"name": table, "privilege": right} for table, rights in RIGHTS[key].items() for right in rights
        ]
        self.makes = False
        self.said = ""

    def execute(self, statement: str, *_: Any) -> Connection:
        self.said = statement
        if statement.startswith("CREATE TABLE") and not self.makes:
            raise InsufficientPrivilege("permission denied for schema public")
        return self

    def fetchone(self) -> dict[str, Any] | None:
        return self.role

    def fetchall(self) -> list[dict[str, Any]]:
        return self.tables

    @contextmanager
    def transaction(self, *, force_rollback: bool) -> Iterator[None]:
        assert force_rollback
        yield


class Database:
    def __init__(self) -> None:
        self.of = {key: Connection(key) for key in RIGHTS}

    @contextmanager
    def connect(self, *, key: str) -> Iterator[Connection]:
        yield self.of[key]


@pytest.fixture
def database() -> Database:
    return Database()


def excesses(database: Database) -> list[str]:
    return privileges.excesses(world_of(Settings(), database=database))


def test_exactly_the_rights_of_its_work_are_no_excess(database: Database) -> None:
    assert excesses(database) == []


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("rolsuper", True, "todo_mcp is a superuser"),
        ("creates_schemas", True, "todo_mcp may create schemas"),
        ("owned", 3, "todo_mcp owns 3 objects"),
        ("creates_in", ["public"], "todo_mcp may create objects in schema public"),
        ("within", ["todo_owner"], "todo_mcp is a member of todo_owner"),
    ],
)
def test_what_a_role_is_too_much_is_named(column: str, value: Any, words: str, database: Database) -> None:
    role = database.of["mcp-database-url"].role
    assert role
    role[column] = value
    assert excesses(database) == [words]


def test_rights_in_tables_are_compared_both_ways(database: Database) -> None:
    tables = database.of["mcp-database-url"].tables
    tables.append({"name": "account", "privilege": "SELECT"})
    tables.append({"name": "task", "privilege": "TRUNCATE"})
    tables.remove({"name": "task", "privilege": "DELETE"})
    assert excesses(database) == [
        "todo_mcp may SELECT in account",
        "todo_mcp may TRUNCATE in task",
        "todo_mcp may not DELETE in task",
    ]


def test_a_table_that_could_be_made_is_told(database: Database) -> None:
    database.of["database-url"].makes = True
    assert excesses(database) == ["todo_backend_b made a table"]


def test_a_role_that_the_server_does_not_know_is_no_verdict(database: Database) -> None:
    database.of["database-url"].role = None
    with pytest.raises(Unmeasurable, match="does not know the role"):
        excesses(database)
