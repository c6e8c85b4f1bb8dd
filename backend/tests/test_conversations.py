"""The routes of conversations."""

from typing import Any
from uuid import UUID

import pytest
from harness.model import ScriptedModel, text
from harness.postgres import Database
from people import Person


@pytest.fixture
def speaking(model: ScriptedModel) -> ScriptedModel:
    model.script = lambda body: text(f"heard: {body['messages'][-1]['content']}")
    return model


def say(person: Person, message: str, conversation: str | None = None) -> str:
    answer = person.http.post("chat", json={"message": message, "conversation_id": conversation})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["conversation_id"]
    return found


def listed(person: Person, **query: int) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = person.http.get("conversations", params=query).json()["conversations"]
    return page


def test_latest_activity_comes_first(alice: Person, speaking: ScriptedModel) -> None:
    first, second = say(alice, "one"), say(alice, "two")
    assert [entry["id"] for entry in listed(alice)] == [second, first]
    say(alice, "three", first)
    page = listed(alice)
    assert [(entry["id"], entry["title"], entry["preview"]) for entry in page] == [
        (first, "one", "heard: three"),
        (second, "two", "heard: two"),
    ]
    assert [entry["id"] for entry in listed(alice, limit=1, offset=1)] == [second]
    assert alice.http.get("conversations", params={"limit": 1}).json()["total"] == 2


def test_a_page_of_messages_counts_from_the_newest(alice: Person, speaking: ScriptedModel) -> None:
    conversation = say(alice, "one")
    say(alice, "two", conversation)
    path = f"conversations/{conversation}"
    newest = alice.http.get(path, params={"limit": 2}).json()
    assert [message["content"] for message in newest["messages"]] == ["two", "heard: two"]
    assert newest["total"] == 4
    older = alice.http.get(path, params={"limit": 2, "offset": 2}).json()
    assert [message["content"] for message in older["messages"]] == ["one", "heard: one"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": -1}, {"offset": -1}, {"offset": 10**30}]
)
def test_pages_have_limits(alice: Person, speaking: ScriptedModel, query: dict[str, int]) -> None:
    conversation = say(alice, "one")
    for path in ("conversations", f"conversations/{conversation}"):
        assert alice.http.get(path, params=query).status_code == 422


def test_a_conversation_is_renamed_and_deleted_with_its_messages(
    alice: Person, speaking: ScriptedModel, database: Database
) -> None:
    conversation = say(alice, "one")
    path = f"conversations/{conversation}"
    renamed = alice.http.patch(path, json={"title": " groceries "})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "groceries")
    assert set(renamed.json()) == {"id", "title", "created_at", "updated_at"}
    for title in ("", "  ", "x" * 201, None):
        assert alice.http.patch(path, json={"title": title}).status_code == 422
    assert alice.http.get(path).json()["title"] == "groceries"

    assert alice.http.delete(path).status_code == 204
    assert alice.http.get(path).status_code == 404
    assert database.rows("SELECT id FROM message WHERE user_id = $1", alice.id) == []


def test_a_long_first_message_makes_a_short_title(alice: Person, speaking: ScriptedModel) -> None:
    say(alice, "word " * 100)
    [entry] = listed(alice)
    assert len(entry["title"]) == 60
    assert entry["title"].endswith("…")


def test_a_long_conversation_is_told_by_its_newest_messages_and_a_summary(
    alice: Person, speaking: ScriptedModel, database: Database
) -> None:
    conversation = say(alice, "number 0")
    database.rows(
        "INSERT INTO message (conversation_id, user_id, role, content, created_at)"
        " SELECT $1, $2, CASE WHEN n % 2 = 1 THEN 'user' ELSE 'assistant' END, 'number ' || n,"
        " now() + n * interval '1 millisecond' FROM generate_series(1, 70) AS n",
        UUID(conversation),
        alice.id,
    )
    database.rows(
        "UPDATE message SET created_at = created_at - interval '1 hour' WHERE conversation_id = $1",
        UUID(conversation),
    )
    speaking.requests.clear()
    say(alice, "newest", conversation)
    instructions, summary, *turns = (message["content"] for message in speaking.requests[0]["messages"])
    assert "todo list" in instructions
    assert turns == [*(f"number {n}" for n in range(22, 71)), "newest"]
    assert "in the 23 messages that are left out, I wrote:" in summary
    asked = [line.removeprefix("- ") for line in summary.splitlines()[1:]]
    assert asked == [f"number {n}" for n in range(3, 22, 2)]
