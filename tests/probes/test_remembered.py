"""A message sent twice through the page's own requests, and what Redis is asked of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from runbook.clients.redis import RedisError
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.probes import person, remembered
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, http_of, world_of

Handler = Callable[[httpx.Request], httpx.Response]


class Forwarding(FakeApi):
    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (pod, port, namespace) == ("redis-0", 6379, "todo")
        yield 7000


@pytest.fixture
def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(remembered, "remove_people", lambda _: "")
    return world_of(settings, api=Forwarding(*meshed.redis()), cluster=FakeCluster(), http=http_of(settings))


def serve(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> None:
    transport = httpx.MockTransport(handler)
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=transport))


class Application:
    """Signs everyone up, and answers each key once; `busy` first says that it still works on it."""

    def __init__(self, *, busy: int = 0, forgets: bool = False) -> None:
        self.busy, self.forgets = busy, forgets
        self.answers: dict[str, str] = {}
        self.hosts: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.headers["host"])
        if request.url.path in (person.SIGN_UP, person.SIGN_IN):
            return httpx.Response(200, json={"user": {"id": "u1"}})
        assert request.url.path == "/api/proxy/u1/chat"
        if self.busy:
            self.busy -= 1
            return httpx.Response(409, headers={"Retry-After": "0"})
        key = request.headers["idempotency-key"]
        if key in self.answers and not self.forgets:
            return httpx.Response(
                200, text=self.answers[key].replace(" ", ""), headers={"Idempotency-Replayed": "true"}
            )
        self.answers[key] = json.dumps({"response": f"added{len(self.answers)}", "nth": self.busy})
        return httpx.Response(200, text=self.answers[key])


def test_the_second_answer_is_the_first_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application(busy=2)
    serve(monkeypatch, application)
    sent = remembered.send_twice(world)
    assert (sent.statuses, sent.replayed, sent.same, sent.left) == ((200, 200), True, True, "")
    assert list(application.answers) == [sent.key]
    assert application.hosts == {"todo.local"}


def test_an_application_that_remembers_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Application(forgets=True))
    assert not remembered.send_twice(world).replayed


def test_nobody_can_sign_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda _: httpx.Response(500))
    with pytest.raises(Unmeasurable, match="nobody can sign up"):
        remembered.send_twice(world)


def replies(monkeypatch: pytest.MonkeyPatch, **told: Any) -> list[Sequence[str]]:
    """What Redis says to each command; the commands are kept."""
    asked: list[Sequence[str]] = []

    def converse(port: int, *commands: Sequence[str]) -> list[Any]:
        assert port == 7000
        asked.extend(commands)
        return [told[command[0]] for command in commands]

    monkeypatch.setattr(remembered, "converse", converse)
    return asked


def test_redis_is_asked_for_the_key_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "todo-backend||chat-1-k1"
    asked = replies(monkeypatch, AUTH="OK", KEYS=[name], HGETALL=["version", "1", "data", "{}"], TTL=590)
    found = remembered.recall(world, "k1")
    assert found == remembered.Remembered(name, ("version", "data"), 590)
    assert ["AUTH", meshed.PASSWORD] in asked
    assert remembered.own_key(name) == "chat-1-k1"
    assert remembered.own_key("other||chat-1-k1") == ""


def test_redis_holds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replies(monkeypatch, AUTH="OK", KEYS=[])
    assert remembered.recall(world, "k1") is None


def test_redis_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replies(monkeypatch, AUTH=RedisError("WRONGPASS"), KEYS=[])
    with pytest.raises(Unmeasurable, match="Redis refuses: WRONGPASS"):
        remembered.recall(world, "k1")


def test_no_redis(settings: Settings) -> None:
    with pytest.raises(Unmeasurable, match="no pod of Redis"):
        remembered.recall(world_of(settings, api=FakeApi(), cluster=FakeCluster()), "k1")
