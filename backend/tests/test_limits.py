"""Bounds: requests per user and the size of bodies."""

from collections.abc import Iterator

import httpx2
import pytest
from harness.inline import inline_backend
from harness.model import ScriptedModel, text
from harness.postgres import Database
from harness.processes import Service
from people import Person, backend_variables

from todo_backend.limits import RateLimit


def test_a_bucket_empties_and_fills_again() -> None:
    limit = RateLimit(60)
    assert [limit.wait("a", now=0) for _ in range(60)] == [0] * 60
    assert limit.wait("a", now=0) == 1
    assert limit.wait("a", now=0.5) == 0.5
    assert limit.wait("b", now=0.5) == 0
    assert limit.wait("a", now=1) == 0
    assert limit.wait("a", now=1) == 1
    assert [limit.wait("a", now=1000) for _ in range(61)] == [0] * 60 + [1]
    assert RateLimit(0).wait("a") == 0


def test_the_oldest_users_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_backend.limits._USERS", 2)
    limit = RateLimit(1)
    for user in ("a", "b", "c"):
        assert limit.wait(user, now=0) == 0
    assert limit.wait("c", now=0) > 0
    assert limit.wait("a", now=0) == 0


@pytest.fixture
def limited(database: Database, mcp_server: Service, scripted: ScriptedModel) -> Iterator[str]:
    variables = backend_variables(database, mcp_server.url, scripted.url)
    variables |= {"API_REQUESTS_PER_MINUTE": "5", "CHAT_REQUESTS_PER_MINUTE": "2"}
    with inline_backend(variables) as url:
        yield url


def test_each_user_has_limits_of_their_own(limited: str, database: Database, model: ScriptedModel) -> None:
    model.script = lambda _: text("Hello.")
    alice, bob = Person(database, limited), Person(database, limited)
    statuses = [alice.http.post("chat", json={"message": "hello"}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert [alice.http.get("tasks").status_code for _ in range(3)] == [200, 200, 429]
    answer = alice.http.get("tasks")
    assert 1 <= int(answer.headers["Retry-After"]) <= 12
    assert "Please wait" in answer.json()["detail"]
    assert bob.http.get("tasks").status_code == 200
    # Another's path counts for who asks, not for whom it names.
    for _ in range(6):
        alice.http.get(f"{limited}/api/{bob.id}/tasks")
    assert bob.http.get("tasks").status_code == 200


def test_the_assistant_is_asked_so_often_by_one_person_and_by_all_whatever_replica(
    database: Database, mcp_server: Service, scripted: ScriptedModel, model: ScriptedModel
) -> None:
    model.script = lambda _: text("Hello.")
    variables = backend_variables(database, mcp_server.url, scripted.url)
    variables |= {"CHAT_REQUESTS_PER_DAY": "3", "CHAT_REQUESTS_PER_DAY_IN_ALL": "5"}
    with inline_backend(variables) as first, inline_backend(variables) as second:
        alice, bob = Person(database, first), Person(database, first)

        def ask(person: Person, url: str) -> httpx2.Response:
            with person.at(url) as http:
                return http.post("chat", json={"message": "hello"})

        assert [ask(alice, url).status_code for url in (first, second, first, second)] == [200, 200, 200, 429]
        assert [ask(bob, url).status_code for url in (second, first)] == [200, 200]
        refused = ask(bob, second)
        assert (refused.status_code, "today" in refused.json()["detail"]) == (429, True)
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600
        assert "hours" in refused.json()["detail"]
        database.rows("DELETE FROM rate_limit WHERE key = 'chat-all'")


def test_large_bodies_are_refused_before_they_are_read(alice: Person) -> None:
    answer = alice.http.post("tasks", json={"title": "x" * 70_000})
    assert answer.status_code == 413
    assert "at most 65536 bytes" in answer.json()["detail"]

    def chunks() -> Iterator[bytes]:
        yield b'{"title": "'
        for _ in range(70):
            yield b"x" * 1024

    streamed = alice.http.post("tasks", content=chunks(), headers={"Content-Type": "application/json"})
    assert streamed.status_code == 413
    assert streamed.headers["X-Request-ID"]
