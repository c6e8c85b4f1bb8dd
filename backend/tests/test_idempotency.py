"""The same message twice is one message: for two replicas, with a Dapr sidecar and without."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from harness.dapr import STORE, Sidecar, sidecar
from harness.inline import inline_backend
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database
from harness.processes import BACKEND, Service, executable, free_port, service
from people import Person, backend_variables
from test_stream import EVENTS, parsed

from todo_backend.state import DaprState, StateUnavailableError


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


@pytest.fixture(scope="module")
def plain(database: Database, mcp_server: Service, scripted: ScriptedModel) -> Iterator[str]:
    """A backend without Dapr, beside the common one."""
    with inline_backend(backend_variables(database, mcp_server.url, scripted.url)) as url:
        yield url


@pytest.fixture(params=["plain", "dapr"])
def person(request: pytest.FixtureRequest, database: Database, backend: Service) -> Iterator[Person]:
    """A person on the backend of each kind; `other` is the same person on another replica."""
    if request.param == "plain":
        urls = [backend.url, request.getfixturevalue("plain")]
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
    [(_, [kept])] = dapr.requests
    assert kept["metadata"] == {"ttlInSeconds": "600"}
    assert "private" not in str(dapr.requests)


def test_a_broken_store_costs_neither_the_answer_nor_the_promise(
    replicas: list[str], dapr: Sidecar, database: Database, model: ScriptedModel
) -> None:
    model.script = lambda _: text("Hello.")
    person = Person(database, replicas[0])
    same, body = key(), {"message": "hello"}
    dapr.broken = True
    try:
        first, again = (person.http.post("chat", json=body, headers=same) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()
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


def test_what_a_tool_was_begun_for_is_not_begun_again(person: Person, model: ScriptedModel) -> None:
    same, body = key(), {"message": "add once"}
    model.steps(tool("add_task", title="once"), 401)
    assert person.http.post("chat", json=body, headers=same).status_code == 502
    model.steps(tool("add_task", title="once"), text("Added."))
    for http in (person.other, person.http):
        again = http.post("chat", json=body, headers=same | EVENTS)
        assert again.status_code == 409
        assert "Retry-After" not in again.headers
        assert "add task" in again.json()["detail"]
    assert person.http.get("tasks").json()["total"] == 1
    assert person.http.post("chat", json=body, headers=key()).status_code == 200


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_ends_in_the_middle_takes_no_message_twice(
    person: Person,
    ended_by: signal.Signals,
    database: Database,
    mcp_server: Service,
    model: ScriptedModel,
    tmp_path: Path,
) -> None:
    same, body = key(), {"message": "add once"}
    variables = backend_variables(database, mcp_server.url, model.url) | {"SHUTDOWN_TIMEOUT": "1"}
    with service([executable(BACKEND, "todo-backend")], variables, tmp_path / "log") as running:
        asked = iter(range(3))
        gone = threading.Event()

        def script(_: object) -> dict[str, Any]:
            if next(asked) == 0:
                return tool("add_task", title="once")
            running.process.send_signal(ended_by)
            gone.wait(60)
            return text("Too late.")

        model.script = script
        with person.at(running.url) as http, suppress(httpx2.TransportError):
            http.post("chat", json=body, headers=same)
        running.process.wait(60)
        gone.set()
    model.steps(tool("add_task", title="once"), text("Added."))
    early = person.http.post("chat", json=body, headers=same)
    assert early.status_code == 409
    if ended_by == signal.SIGKILL:  # nobody could say that it ended
        assert early.headers["Retry-After"] == "2"
        database.rows("UPDATE chat_key SET turn_ends_at = now() WHERE user_id = $1", person.id)
    late = person.other.post("chat", json=body, headers=same)
    assert (late.status_code, "add task" in late.json()["detail"]) == (409, True)
    assert person.http.get("tasks").json()["total"] == 1


def test_an_attempt_that_was_overtaken_runs_no_tool(
    person: Person, database: Database, model: ScriptedModel
) -> None:
    same, body = key(), {"message": "add once"}
    overtaken: list[Any] = []

    def script(_: object) -> dict[str, Any]:
        if not overtaken:
            # As after a pause of the whole machine: its time is over before its first tool runs.
            database.rows("UPDATE chat_key SET turn_ends_at = now() WHERE user_id = $1", person.id)
            overtaken.append(None)
            overtaken.append(person.other.post("chat", json=body, headers=same))
            return tool("add_task", title="once")
        return tool("add_task", title="once") if len(overtaken) == 1 and not done() else text("Added.")

    def done() -> bool:
        return bool(person.http.get("tasks").json()["total"])

    model.script = script
    assert person.http.post("chat", json=body, headers=same).status_code == 500
    assert overtaken[1].status_code == 200
    assert person.http.get("tasks").json()["total"] == 1


def test_an_answer_whose_conversation_is_gone_is_not_made_again(
    person: Person, dapr: Sidecar, model: ScriptedModel
) -> None:
    same, body = key(), {"message": "hello"}
    model.steps(text("Hello."))
    first = person.http.post("chat", json=body, headers=same)
    person.http.delete(f"conversations/{first.json()['conversation_id']}")
    dapr.entries.clear()
    again = person.http.post("chat", json=body, headers=same)
    assert (again.status_code, "Retry-After" in again.headers) == (409, False)


def test_keys_are_forgotten_after_a_day(person: Person, database: Database, model: ScriptedModel) -> None:
    model.script = lambda _: text("Hello.")
    same = key()
    assert person.http.post("chat", json={"message": "hello"}, headers=same).status_code == 200
    database.rows(
        "UPDATE chat_key SET created_at = now() - interval '99 years' WHERE user_id = $1", person.id
    )
    assert person.http.post("chat", json={"message": "hello"}, headers=key()).status_code == 200
    kept = database.rows("SELECT key FROM chat_key WHERE user_id = $1", person.id)
    assert len(kept) == 1


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
