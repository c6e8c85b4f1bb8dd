"""Two people on the deployed application: neither reaches what is the other's, by any way that the proxy passes on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from commands import PROJECT
from people import Crowd, Person, ask

ROUTES = PROJECT / "frontend" / "src" / "server" / "proxy-routes.ts"
NOBODY = "00000000-0000-4000-8000-000000000000"
BODIES: dict[str, Any] = {
    "{user_id}/tasks": {"title": "planted"},
    "{user_id}/tasks/{task_id}": {"title": "taken over"},
    "{user_id}/chat": {"message": "show my tasks"},
    "{user_id}/conversations/{conversation_id}": {"title": "taken over"},
}
"""What to send with POST, PUT and PATCH, so that nothing but the owner stands in the way."""


def proxied() -> list[tuple[str, str]]:
    """Method and path of all that the proxy passes on, as it declares it itself."""
    found = re.findall(r"^\s*route\(\"([^\"]+)\",([^)]*)\)", ROUTES.read_text(), re.MULTILINE)
    return [(method, path) for path, methods in found for method in re.findall(r'"([A-Z]+)"', methods)]


@dataclass(frozen=True)
class Two:
    """The owner of a task and a conversation, and somebody else who has the same."""

    owner: Person
    other: Person
    owners: dict[str, str]
    others: dict[str, str]


@pytest.fixture(scope="module")
def two(people: Crowd) -> Two:
    owner, other = people.person(), people.person()
    return Two(owner, other, furnished(owner, "the owner's secret"), furnished(other, "the other's own"))


def furnished(person: Person, title: str) -> dict[str, str]:
    """Give somebody a task and a conversation; the values of a path's placeholders."""
    task = person.ask("POST", f"/api/proxy/{person.id}/tasks", {"title": title})
    assert task["status"] == 201, task["text"]
    chat = person.ask("POST", f"/api/proxy/{person.id}/chat", {"message": "show my tasks"})
    assert chat["status"] == 200, chat["text"]
    return {
        "user_id": person.id,
        "task_id": task["json"]["id"],
        "conversation_id": chat["json"]["conversation_id"],
    }


def holdings(person: Person) -> Any:
    """All that somebody has, as the application shows it to them."""
    tasks = person.ask("GET", f"/api/proxy/{person.id}/tasks")
    conversations = person.ask("GET", f"/api/proxy/{person.id}/conversations")
    assert tasks["status"] == conversations["status"] == 200
    return tasks["json"]["tasks"], conversations["json"]["conversations"]


def send(person: Person, method: str, path: str, values: dict[str, str]) -> Any:
    body = BODIES.get(path) if method in ("POST", "PUT", "PATCH") else None
    return person.ask(method, f"/api/proxy/{path.format(**values)}", body)


def test_the_ways_are_known() -> None:
    assert len(proxied()) >= 11
    assert {path for method, path in proxied() if method in ("POST", "PUT", "PATCH")} <= {
        *BODIES,
        "{user_id}/tasks/{task_id}/complete",
    }


def test_the_others_ids_lead_nowhere(two: Two) -> None:
    before = holdings(two.owner)
    leaks = []
    for method, path in proxied():
        answer = send(two.other, method, path, two.owners)
        if answer["status"] != 403 or "secret" in answer["text"]:
            leaks.append(f"{method} {path} in the owner's name: {answer['status']} {answer['text'][:80]}")
        if path.count("{") > 1:
            answer = send(two.other, method, path, two.owners | {"user_id": two.other.id})
            unknown = send(
                two.other, method, path, dict.fromkeys(two.owners, NOBODY) | {"user_id": two.other.id}
            )
            if answer["status"] != 404 or (answer["status"], answer["text"]) != (
                unknown["status"],
                unknown["text"],
            ):
                leaks.append(f"{method} {path} in one's own name: {answer['status']} {answer['text'][:80]}")
    assert leaks == []
    assert holdings(two.owner) == before


def test_the_same_ways_are_open_to_the_owner(two: Two) -> None:
    """The control: with one's own ids the very same requests are answered."""
    closed = []
    for method, path in sorted(proxied(), key=lambda each: each[0] == "DELETE"):
        answer = send(two.other, method, path, two.others)
        if answer["status"] not in (200, 201, 204):
            closed.append(f"{method} {path}: {answer['status']} {answer['text'][:80]}")
    assert closed == []


def test_nothing_is_open_without_a_session(people: Crowd, two: Two) -> None:
    page = people.visitor()
    page.goto("/auth/signin")
    opened = []
    for method, path in proxied():
        body = BODIES.get(path) if method in ("POST", "PUT", "PATCH") else None
        answer = ask(page, method, f"/api/proxy/{path.format(**two.owners)}", body)
        if answer["status"] != 401:
            opened.append(f"{method} {path}: {answer['status']}")
    page.context.close()
    assert opened == []


def test_the_assistant_acts_for_nobody_else(two: Two) -> None:
    before = holdings(two.owner)
    chat = f"/api/proxy/{two.other.id}/chat"
    for message in (
        f"delete {two.owners['task_id']}",
        f"complete {two.owners['task_id']}",
        f"rename {two.owners['task_id']} to mine",
        "show all tasks",
    ):
        answer = two.other.ask("POST", chat, {"message": message})
        assert answer["status"] == 200, answer["text"]
        assert "secret" not in answer["text"]
    taken = {"message": "what did we say?", "conversation_id": two.owners["conversation_id"]}
    assert two.other.ask("POST", chat, taken)["status"] == 404
    assert holdings(two.owner) == before


def test_the_second_person_sees_nothing(people: Crowd, two: Two) -> None:
    newcomer = people.person()
    newcomer.page.goto("/dashboard")
    newcomer.page.get_by_text("No tasks yet").wait_for()
    newcomer.page.goto("/chat")
    newcomer.page.get_by_label("Message", exact=True).wait_for()
    assert newcomer.page.get_by_test_id("conversation").count() == 0
    newcomer.context.close()
    two.owner.page.goto("/dashboard")
    two.owner.task("the owner's secret").wait_for()
