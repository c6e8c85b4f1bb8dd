"""One day: the person's own, told by their browser, remembered, used by the list, the model and the tools."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database, migrated
from people import Person

from todo_backend.chat.instructions import instructions
from todo_backend.day import as_written, begin_of_day

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""25 hours apart: their days are never the same one."""


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        # Midnight in India is 18:30 in UTC.
        ("2026-11-30T18:29:59Z", "Asia/Kolkata", "2026-11-30"),
        ("2026-11-30T18:30:00Z", "Asia/Kolkata", "2026-12-01"),
        # California ends summer time on 1 November 2026 at 09:00 UTC: its days begin at 07:00, then at 08:00.
        ("2026-11-01T06:59:59Z", "America/Los_Angeles", "2026-10-31"),
        ("2026-11-01T07:00:00Z", "America/Los_Angeles", "2026-11-01"),
        ("2026-11-02T07:59:59Z", "America/Los_Angeles", "2026-11-01"),
        ("2026-11-02T08:00:00Z", "America/Los_Angeles", "2026-11-02"),
        # The Chatham Islands are 13:45 ahead in summer, from 27 September 2026 on, and 12:45 before.
        ("2026-09-26T11:14:59Z", "Pacific/Chatham", "2026-09-26"),
        ("2026-09-26T11:15:00Z", "Pacific/Chatham", "2026-09-27"),
        ("2026-09-27T10:14:59Z", "Pacific/Chatham", "2026-09-27"),
        ("2026-09-27T10:15:00Z", "Pacific/Chatham", "2026-09-28"),
    ],
)
def test_the_day_of_a_zone(now: str, zone: str, day: str) -> None:
    moment = datetime.fromisoformat(now)
    assert begin_of_day(moment, zone).isoformat() == f"{day}T00:00:00+00:00"
    assert f"Today is {day}, a " in instructions(moment, zone)
    assert f"({zone})" in instructions(moment, zone)


def test_a_due_date_is_kept_as_written() -> None:
    given = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert as_written(given) == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


def overdue(person: Person, zone: str | None) -> list[str]:
    headers = {"X-Time-Zone": zone} if zone else {}
    answer = person.http.get("tasks", params={"status": "overdue"}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()["tasks"]]


def today_in(zone: str) -> str:
    return datetime.now(ZoneInfo(zone)).date().isoformat()


def test_overdue_is_by_the_persons_day_and_the_zone_is_remembered(alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        for zone in (EAST, WEST):
            person.http.post("tasks", json={"title": zone, "target_completion_date": today_in(zone)})
    assert overdue(alice, WEST) == []
    assert overdue(alice, None) == []
    assert overdue(alice, EAST) == [WEST]
    assert overdue(alice, None) == [WEST]
    # What no zone is called changes nothing, and another person's zone is their own.
    assert (
        overdue(alice, "Mars/Olympus") == overdue(alice, "../../etc/passwd") == overdue(alice, "") == [WEST]
    )
    assert overdue(bob, WEST) == []


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_the_assistant_lives_in_the_persons_day(alice: Person, model: ScriptedModel, zone: str) -> None:
    other = WEST if zone == EAST else EAST
    for each in (zone, other):
        alice.http.post("tasks", json={"title": each, "target_completion_date": today_in(each)})
    model.steps(tool("list_tasks", status="overdue"), text("There."))
    answer = alice.http.post("chat", json={"message": "overdue?"}, headers={"X-Time-Zone": zone})
    assert answer.status_code == 200, answer.text
    told = str(model.requests[0]["messages"][0]["content"])
    assert f"Today is {today_in(zone)}, a " in told
    found = [task["title"] for task in answer.json()["tool_calls"][0]["result"]["tasks"]]
    assert found == ([WEST] if zone == EAST else [])


def test_completed_tasks_by_the_persons_day(alice: Person, model: ScriptedModel) -> None:
    task = alice.http.post("tasks", json={"title": "milk"}).json()
    alice.http.patch(f"tasks/{task['id']}/complete")
    today = datetime.now(ZoneInfo(EAST)).date()
    for day, expected in (
        (today, ["milk"]),
        (today - timedelta(days=1), []),
        (today + timedelta(days=1), []),
    ):
        model.steps(
            tool("list_tasks", completed_from=day.isoformat(), completed_to=day.isoformat()), text("There.")
        )
        answer = alice.http.post("chat", json={"message": f"done {day}?"}, headers={"X-Time-Zone": EAST})
        result = answer.json()["tool_calls"][0]["result"]
        assert [found["title"] for found in result["tasks"]] == expected


def test_an_upgrade_keeps_what_was_there(postgres: Database) -> None:
    database = migrated(postgres, "before_time_zones")
    assert database.alembic("downgrade", "0003").returncode == 0
    database.rows("INSERT INTO \"user\" (id, name, email) VALUES ('old', 'A Person', 'old@example.org')")
    database.rows(
        "INSERT INTO task (user_id, title, target_completion_date) VALUES"
        " ('old', 'day', '2026-12-01T00:00Z'), ('old', 'time', '2026-12-01T17:00Z'), ('old', 'none', NULL)"
    )
    before = database.rows("SELECT * FROM task ORDER BY title")
    for arguments in (("upgrade", "head"), ("downgrade", "0003"), ("upgrade", "head")):
        done = database.alembic(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert database.rows("SELECT * FROM task ORDER BY title") == before
