"""The person's own day in a real browser, wherever they are: the page, the list, the assistant and its tools agree."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from people import Crowd


@pytest.mark.parametrize(
    "zone",
    [
        *("Asia/Kolkata", "America/Los_Angeles", "Pacific/Chatham"),
        # 25 hours apart: whatever the hour of the run, one of the two has another day than UTC.
        *("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ],
)
def test_one_day(people: Crowd, zone: str) -> None:
    person = people.person(timezone_id=zone)
    page = person.page
    yesterday = datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)
    made = person.ask(
        "POST", f"/api/proxy/{person.id}/tasks", {"title": "late", "target_completion_date": str(yesterday)}
    )
    assert made["status"] == 201, made["text"]
    page.goto("/chat")
    person.say("add ring the school today")
    person.say("add feed the cat tomorrow")
    for title, badge in (("ring the school", "Due today"), ("feed the cat", "Due tomorrow")):
        person.task(title).filter(has_text=badge).first.wait_for()
    heard = person.say("what is due today?").text
    assert "1 task due today" in heard, heard
    assert "ring the school" in heard
    heard = person.say("what is overdue?").text
    assert "1 overdue task" in heard, heard
    assert "Due yesterday" in heard
    page.goto("/dashboard?status=overdue")
    person.task("late").filter(has_text="Due yesterday").wait_for()
    assert page.get_by_test_id("task-item").count() == 1
    page.goto("/dashboard")
    page.get_by_role("button", name=re.compile("Edit ring")).click()
    page.get_by_label("Time").fill("15:30")
    page.get_by_role("button", name="Save").click()
    person.task("ring the school").filter(has_text="Due today, 15:30").wait_for()
    assert person.problems == []
    person.context.close()
