"""The streamed form of a chat: the same answer as without, piece by piece."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from harness.model import ScriptedModel, text, tool
from people import Person

from todo_backend.chat.exchange import Event
from todo_backend.chat.stream import server_sent, wanted

EVENTS = {"Accept": "text/event-stream, application/json"}


def parsed(body: str) -> list[tuple[str, Any]]:
    """The events of a stream, comments left out."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def chat(person: Person, message: str, **body: Any) -> list[tuple[str, Any]]:
    answer = person.http.post("chat", json={"message": message, **body}, headers=EVENTS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert answer.headers["X-Request-ID"]
    return parsed(answer.text)


def test_events_come_in_order_and_end_with_the_whole_answer(alice: Person, model: ScriptedModel) -> None:
    model.steps(tool("add_task", title="buy milk"), text("Added “buy milk”, as asked."))
    (first, conversation), (second, call), *deltas, (last, whole) = chat(alice, "add buy milk")
    assert (first, second, last) == ("conversation", "tool_call", "done")
    assert conversation == {"conversation_id": whole["conversation_id"], "model": "scripted"}
    assert (call["tool"], call["arguments"]) == ("add_task", {"title": "buy milk"})
    assert whole["tool_calls"] == [call]
    assert {name for name, _ in deltas} == {"delta"}
    assert len(deltas) > 1
    assert "".join(data["text"] for _, data in deltas) == whole["response"] == "Added “buy milk”, as asked."


def test_the_stored_answer_is_the_same_with_and_without_a_stream(alice: Person, model: ScriptedModel) -> None:
    def stored(conversation: str) -> list[Any]:
        messages = alice.http.get(f"conversations/{conversation}").json()["messages"]
        for message in messages:
            del message["id"], message["created_at"]
        return list(messages)

    script = (tool("list_tasks"), text("You have no tasks."))
    model.steps(*script)
    streamed = chat(alice, "show all")[-1][1]
    model.steps(*script)
    plain = alice.http.post("chat", json={"message": "show all"}).json()
    assert streamed | {"conversation_id": ""} == plain | {"conversation_id": ""}
    assert stored(streamed["conversation_id"]) == stored(plain["conversation_id"])


def test_a_tool_is_seen_before_the_answer_is_there(alice: Person, model: ScriptedModel) -> None:
    seen = threading.Event()

    def script(body: dict[str, Any]) -> dict[str, Any]:
        if body["messages"][-1]["role"] == "user":
            return tool("add_task", title="early")
        assert seen.wait(60)
        return text("Done.")

    model.script = script
    with alice.http.stream("POST", "chat", json={"message": "go"}, headers=EVENTS) as answer:
        names = []
        for line in answer.iter_lines():
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
                if names[-1] == "tool_call":
                    seen.set()
    assert names == ["conversation", "tool_call", "delta", "done"]


@pytest.mark.parametrize(
    ("model_status", "status", "retry_after"), [(401, 502, None), (429, 429, 30), (503, 503, 10)]
)
def test_a_failure_is_the_last_event(
    alice: Person, model: ScriptedModel, model_status: int, status: int, retry_after: int | None
) -> None:
    model.steps(tool("add_task", title="made"), model_status, model_status, model_status)
    *_, (name, failure) = chat(alice, "add made")
    assert (name, failure["status"], failure["retry_after"]) == ("error", status, retry_after)
    assert "Your message is saved. Some changes to your tasks were already made." in failure["detail"]
    assert "secret" not in failure["detail"]
    assert alice.http.get("tasks").json()["total"] == 1


def test_what_is_wrong_with_the_request_is_told_without_a_stream(alice: Person, model: ScriptedModel) -> None:
    for body, status in (({"message": ""}, 422), ({"message": "x", "conversation_id": str(uuid4())}, 404)):
        answer = alice.http.post("chat", json=body, headers=EVENTS)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"


def test_an_answer_is_finished_and_stored_though_its_reader_has_gone(
    alice: Person, model: ScriptedModel
) -> None:
    gone = threading.Event()

    def script(_: object) -> dict[str, Any]:
        assert gone.wait(60)
        return text("Nobody read this.")

    model.script = script
    with alice.http.stream("POST", "chat", json={"message": "hello"}, headers=EVENTS) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                conversation = json.loads(line.removeprefix("data: "))["conversation_id"]
                break
    gone.set()
    UUID(conversation)
    # The next message waits for the model, so the answer before is stored by the time it is told.
    for _ in range(600):
        messages = alice.http.get(f"conversations/{conversation}").json()["messages"]
        if len(messages) == 2:
            break
    assert [message["content"] for message in messages] == ["hello", "Nobody read this."]


def test_silence_is_broken_by_comments() -> None:
    async def late() -> AsyncIterator[Event]:
        await asyncio.sleep(0.05)
        yield "word"

    async def collect() -> list[str]:
        return [line async for line in server_sent(uuid4(), "model", late(), silence=0.01)]

    lines = asyncio.run(collect())
    assert ": still working\n\n" in lines
    assert lines[-1] == 'event: delta\ndata: {"text": "word"}\n\n'


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("application/json, text/event-stream;q=0.9", True),
        ("Text/Event-Stream", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
    ],
)
def test_only_who_asks_gets_a_stream(accept: str, streams: bool) -> None:
    assert wanted(accept) is streams
