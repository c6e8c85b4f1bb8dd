"""The schema: from nothing to the newest version and back, and who may do what in it."""

import asyncpg
import pytest
from harness.postgres import Database, migrated


@pytest.fixture
def fresh(postgres: Database, request: pytest.FixtureRequest) -> Database:
    """A database that has just been upgraded from nothing."""
    return migrated(postgres, request.node.name)


def test_down_and_up_again(fresh: Database) -> None:
    for arguments in (("downgrade", "base"), ("upgrade", "head")):
        done = fresh.alembic(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    tables = fresh.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in tables} == {
        "alembic_version",
        *("task", "conversation", "message", "chat_key"),
        *("rate_limit", "preference"),
        *("user", "session", "account", "verification"),
    }


def test_models_and_migrations_agree(database: Database) -> None:
    done = database.alembic("check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_difference_would_be_seen(fresh: Database) -> None:
    fresh.rows("ALTER TABLE task DROP COLUMN priority", role="todo_owner")
    done = fresh.alembic("check")
    assert done.returncode != 0
    assert "priority" in done.stdout + done.stderr


def test_an_upgrade_without_news_renews_the_rights(fresh: Database) -> None:
    fresh.rows("REVOKE ALL ON task FROM todo_mcp", role="todo_owner")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        fresh.rows("SELECT * FROM task", role="todo_mcp")
    assert fresh.alembic("upgrade", "head").returncode == 0
    assert fresh.rows("SELECT * FROM task", role="todo_mcp") == []


RIGHTS = {
    "todo_backend": {
        *("task", "conversation", "message", "chat_key", "rate_limit", "preference"),
        *("user", "session"),
    },
    "todo_frontend": {"user", "session", "account", "verification", "rate_limit"},
    "todo_mcp": {"task"},
}
TABLES = set().union(*RIGHTS.values()) | {"alembic_version"}


@pytest.mark.parametrize("role", RIGHTS)
def test_each_role_reads_only_its_tables(database: Database, role: str) -> None:
    for table in sorted(TABLES):
        if table in RIGHTS[role]:
            database.rows(f'SELECT * FROM "{table}" LIMIT 1', role=role)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                database.rows(f'SELECT * FROM "{table}" LIMIT 1', role=role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        database.rows("CREATE TABLE mine (id int)", role=role)


def test_the_backend_writes_no_sessions(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        database.rows("DELETE FROM session", role="todo_backend")
