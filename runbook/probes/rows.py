"""What PostgreSQL holds of a person, read by an independent connection: each row by content and last change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.probes.person import Person
    from runbook.world import World

_ROWS = """
WITH person AS (SELECT user_id FROM task WHERE title LIKE %(nonce)s)
SELECT 'task ' || t.id AS name, t.xmin::text || ' ' || md5(t::text) AS state FROM task t
    WHERE t.user_id IN (TABLE person)
UNION ALL SELECT 'conversation ' || c.id, c.xmin::text || ' ' || md5(c::text) FROM conversation c
    WHERE c.user_id IN (TABLE person)
UNION ALL SELECT 'message ' || m.id, m.xmin::text || ' ' || md5(m::text) FROM message m
    JOIN conversation c ON c.id = m.conversation_id WHERE c.user_id IN (TABLE person)"""
"""`xmin` is the transaction that wrote the row as it is: a row that was written again is another one."""

Rows = dict[str, str]


def store(person: Person, title: str) -> None:
    """A task by the application's API. Raises `Unmeasurable` where it is not made: then nothing can be lost either."""
    import httpx

    try:
        answer = person.ask("POST", "/tasks", json={"title": title})
        told = str(answer.status_code)
    except httpx.HTTPError as problem:
        told = repr(problem)
    if told != "201":
        raise Unmeasurable(
            f"a task could not be stored: {told}",
            wanted="a row to look at",
            hint="inv verify.step T053 --drills",
        )


def of_person(world: World, nonce: str) -> Rows:
    """Each row of whoever has a task of that name, by table and id, with what tells it from any other state of it."""
    with world.database.connect() as connection:
        found = connection.execute(_ROWS, {"nonce": f"%{nonce}%"}).fetchall()
    return {str(row["name"]): str(row["state"]) for row in found}


def differences(before: Rows, after: Rows) -> list[str]:
    """Rows that are lost or were written again; empty where every row is as it was."""
    return [f"{name} is lost" for name in before if name not in after] + [
        f"{name} was written again" for name in before if name in after and after[name] != before[name]
    ]
