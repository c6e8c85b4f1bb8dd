"""The same message twice is one message: in memory, and in the state store of a Dapr sidecar."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from harness.dapr import STORE, Sidecar, sidecar
from harness.inline import inline_backend
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database
from harness.processes import Service, free_port
from people import Person, backend_variables
from test_stream import EVENTS, parsed

from todo_backend.state import DaprState, MemoryState, StateUnavailableError


@pytest.fixture(scope="module")
def dapr() -> Iterator[Sidecar]:
    with sidecar() as running:
        yield running


@pytest.fixture(scope="module")
def replicas(
    database: Database, mcp_server: Service, scripted: ScriptedModel, dapr: Sidecar
) -> Iterator[list[str]]:
    """Two backends that share one state store."""
    variables = backend_variables(database, mcp_server.url, scripted.url)
    variables |= {"STATE_STORE": STORE, "DAPR_HTTP_PORT": str(dapr.port)}
    with inline_backend(variables) as first, inline_backend(variables) as second:
        yield [first, second]


@pytest.fixture(params=["memory", "dapr"])
def person(request: pytest.FixtureRequest, database: Database, backend: Service) -> Iterator[Person]:
    """A person on the backend of each kind; `other` is the same person on another replica, if any."""
    if request.param == "memory":
        urls = [backend.url, backend.url]
    else:
        request.getfixturevalue("dapr").broken = False
        urls = request.getfixturevalue("replicas")
    person = Person(database, urls[0])
    person.other = person.at(urls[1])
    with person.http, person.other:
        yield person


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_the_same_key_brings_the_same_answer_and_no_second_task(person: Person, model: ScriptedModel) -> None:
    model.steps(tool("add_task", title="once"), text("Added."))
    same, body = key(), {"message": "add once"}
    first = person.http.post("chat", json=body, headers=same)
    again = person.other.post("chat", json=body, headers=same)
    assert (first.status_code, again.status_code) == (200, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    streamed = person.other.post("chat", json=body, headers=same | EVENTS)
    assert streamed.headers["Idempotency-Replayed"] == "true"
    names = [name for name, _ in parsed(streamed.text)]
    assert names == ["conversation", "tool_call", "delta", "done"]
    assert parsed(streamed.text)[-1][1] == first.json()
    assert person.http.get("tasks").json()["total"] == 1
    assert len(model.requests) == 2


def test_a_message_under_way_is_not_begun_again(person: Person, model: ScriptedModel) -> None:
    same, body = key(), {"message": "hello"}
    meanwhile: list[Any] = []

    def script(_: object) -> dict[str, Any]:
        meanwhile.append(person.other.post("chat", json=body, headers=same))
        return text("Hello.")

    model.script = script
    assert person.http.post("chat", json=body, headers=same).status_code == 200
    [early] = meanwhile
    assert (early.status_code, early.headers["Retry-After"]) == (409, "2")


def test_a_failed_message_may_be_sent_again_and_is_kept_once(person: Person, model: ScriptedModel) -> None:
    same = key()
    model.steps(401)
    failed = person.http.post("chat", json={"message": "hello"}, headers=same)
    assert failed.status_code == 502
    conversation = failed.json()["conversation_id"]
    model.steps(text("Hello."))
    body = {"message": "hello", "conversation_id": conversation}
    assert person.other.post("chat", json=body, headers=same).status_code == 200
    kept = person.http.get(f"conversations/{conversation}").json()["messages"]
    assert [message["content"] for message in kept] == ["hello", "Hello."]


def test_a_key_belongs_to_one_message_of_one_person(
    person: Person, bob: Person, model: ScriptedModel
) -> None:
    model.script = lambda _: text("Hello.")
    same = key()
    assert person.http.post("chat", json={"message": "hello"}, headers=same).status_code == 200
    other = person.http.post("chat", json={"message": "good bye"}, headers=same)
    assert other.status_code == 422
    assert "another message" in other.json()["detail"]
    theirs = bob.http.post("chat", json={"message": "hello"}, headers=same)
    assert theirs.status_code == 200
    assert "Idempotency-Replayed" not in theirs.headers
    bad = person.http.post("chat", json={"message": "hello"}, headers={"Idempotency-Key": "1"})
    assert bad.status_code == 422
    unknown = {"message": "hello", "conversation_id": str(uuid4())}
    fresh = key()
    assert person.http.post("chat", json=unknown, headers=fresh).status_code == 404
    assert person.http.post("chat", json={"message": "hello"}, headers=fresh).status_code == 200


def test_the_sidecar_gets_a_time_to_live_and_no_words(
    replicas: list[str], dapr: Sidecar, database: Database, model: ScriptedModel
) -> None:
    dapr.broken = False
    model.steps(text("Hello."))
    dapr.requests.clear()
    sent = Person(database, replicas[0]).http.post("chat", json={"message": "private"}, headers=key())
    assert sent.status_code == 200
    (_, [claim]), (_, [kept]) = dapr.requests
    assert claim["metadata"] == {"ttlInSeconds": "70"}
    assert kept["metadata"] == {"ttlInSeconds": "600"}
    assert "private" not in str(dapr.requests)


def test_a_broken_store_costs_no_answer(
    replicas: list[str], dapr: Sidecar, database: Database, model: ScriptedModel
) -> None:
    model.script = lambda _: text("Hello.")
    person = Person(database, replicas[0])
    same, body = key(), {"message": "hello"}
    dapr.broken = True
    try:
        assert person.http.post("chat", json=body, headers=same).status_code == 200
        assert person.http.post("chat", json=body, headers=same).status_code == 200
    finally:
        dapr.broken = False


def test_a_store_that_is_not_there_is_told_by_kind() -> None:
    async def ask() -> None:
        store = DaprState(STORE, free_port())
        try:
            await store.create("key", {}, 10)
        finally:
            await store.close()

    with pytest.raises(StateUnavailableError, match="POST: ConnectError"):
        asyncio.run(ask())


def test_memory_forgets_in_time_and_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_backend.state._ENTRIES", 2)

    async def use() -> None:
        state = MemoryState()
        assert await state.create("a", {"n": 1}, 60)
        assert not await state.create("a", {"n": 2}, 60)
        assert await state.create("gone", {}, 0)
        assert await state.read("gone") is None
        assert await state.create("b", {}, 60)
        assert await state.read("a") is None  # the oldest made room
        await state.delete("b")
        assert await state.read("b") is None

    asyncio.run(use())


def test_only_one_of_many_claims_succeeds(dapr: Sidecar) -> None:
    dapr.broken = False
    won: list[bool] = []

    def claim() -> None:
        async def once() -> bool:
            store = DaprState(STORE, dapr.port)
            try:
                return await store.create("contested", {}, 60)
            finally:
                await store.close()

        won.append(asyncio.run(once()))

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, False, True]
