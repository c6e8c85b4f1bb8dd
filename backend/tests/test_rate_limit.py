"""Counts in the database: the same for every replica, bounded in time, and gone when they have ended."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from harness.postgres import Database

ROLES = ["todo_frontend", "todo_backend"]


def count(database: Database, key: str, most: int = 2, seconds: int = 60, role: str = ROLES[0]) -> int:
    [row] = database.rows("SELECT rate_limit_count($1, $2, $3) AS wait", key, most, seconds, role=role)
    wait: int = row["wait"]
    return wait


@pytest.mark.parametrize("role", ROLES)
def test_so_many_pass_and_the_next_waits(database: Database, role: str) -> None:
    key = uuid4().hex
    assert [count(database, key, role=role) for _ in range(2)] == [0, 0]
    assert [0 < count(database, key, role=role) <= 60 for _ in range(3)] == [True] * 3
    assert count(database, uuid4().hex, role=role) == 0


def test_what_is_given_back_was_never_counted(database: Database) -> None:
    key = uuid4().hex
    for _ in range(5):
        assert count(database, key) == 0
        database.rows("SELECT rate_limit_give_back($1)", key, role=ROLES[0])
    database.rows("SELECT rate_limit_give_back($1)", key, role=ROLES[0])
    assert [count(database, key) > 0 for _ in range(3)] == [False, False, True]


def test_a_time_that_has_ended_begins_again(database: Database) -> None:
    key = uuid4().hex
    for _ in range(3):
        count(database, key)
    database.rows("UPDATE rate_limit SET ends_at = now() WHERE key = $1", key)
    assert count(database, key) == 0
    # However many were refused: one that is given back makes room for one.
    for _ in range(50):
        count(database, key)
    database.rows("SELECT rate_limit_give_back($1)", key, role=ROLES[0])
    database.rows("SELECT rate_limit_give_back($1)", key, role=ROLES[0])
    assert count(database, key) == 0


def test_what_has_ended_is_removed(database: Database) -> None:
    for _ in range(12):
        count(database, uuid4().hex)
    database.rows("UPDATE rate_limit SET ends_at = now() - interval '1 day'")
    for _ in range(20):
        count(database, "kept")
    assert [row["key"] for row in database.rows("SELECT key FROM rate_limit")] == ["kept"]


def test_many_at_once_are_counted_one_by_one(database: Database) -> None:
    key = uuid4().hex
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: count(database, key, most=10), range(30)))
    assert waits.count(0) == 10
