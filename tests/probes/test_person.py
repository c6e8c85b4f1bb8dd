"""Somebody who signs up and speaks: what they meet on the way."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import httpx
import pytest

from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.probes import person
from runbook.probes.person import Person
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, http_of, world_of

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def world(settings: Settings) -> World:
    return world_of(settings, api=FakeApi(), cluster=FakeCluster(), http=http_of(settings))


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], list[httpx.Request]]:
    """Let this answer every request; the requests are kept."""

    def served(handler: Handler) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return handler(request)

        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=transport))
        return asked

    return served


def signed_up(request: httpx.Request) -> httpx.Response | None:
    answers = {person.SIGN_UP: {"status": True}, person.SIGN_IN: {"user": {"id": "u1"}}}
    found = answers.get(request.url.path)
    return None if found is None else httpx.Response(200, json=found)


def test_who_is_signed_up_asks_below_their_own_path(
    world: World, serve: Callable[[Handler], list[httpx.Request]]
) -> None:
    asked = serve(lambda request: signed_up(request) or httpx.Response(200, json=[]))
    with Person(world) as somebody:
        somebody.ask("GET", "/tasks", params={"sort": "due"})
        somebody.say("hello", "k1")
        somebody.say("hello")
    assert [each.url.path for each in asked] == [
        "/api/auth/sign-up/email",
        "/api/auth/sign-in/email",
        "/api/proxy/u1/tasks",
        "/api/proxy/u1/chat",
        "/api/proxy/u1/chat",
    ]
    assert {each.headers["host"] for each in asked} == {"todo.local"}
    assert asked[0].headers["origin"] == "http://todo.local"
    assert json.loads(asked[0].content)["email"].endswith("@drill.invalid")
    assert [each.headers.get("idempotency-key") for each in asked[3:]] == ["k1", None]


def test_a_crowded_sign_up_is_tried_again(
    world: World, serve: Callable[[Handler], list[httpx.Request]]
) -> None:
    answers = [
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(429, headers={"Retry-After": "0"}),
    ]
    serve(lambda request: answers.pop() if answers else signed_up(request) or httpx.Response(200))
    with Person(world):
        assert answers == []


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(429, headers={"Retry-After": "0"}),
        lambda _: httpx.Response(200, json={"unexpected": 1}),
    ],
)
def test_nobody_can_sign_up(
    world: World, serve: Callable[[Handler], list[httpx.Request]], handler: Handler
) -> None:
    serve(handler)
    with pytest.raises(Unmeasurable, match="nobody can sign up"), Person(world):
        pass


def test_a_message_that_is_being_answered_is_waited_for(
    world: World, serve: Callable[[Handler], list[httpx.Request]]
) -> None:
    busy = [httpx.Response(409, headers={"Retry-After": "0"})] * 2
    serve(lambda request: signed_up(request) or (busy.pop() if busy else httpx.Response(200, text="done")))
    with Person(world) as somebody:
        assert somebody.say("hello", "k1").text == "done"


def test_a_message_that_was_carried_out_in_part_is_not_waited_for(
    world: World, serve: Callable[[Handler], list[httpx.Request]]
) -> None:
    asked = serve(lambda request: signed_up(request) or httpx.Response(409, text="in part"))
    with Person(world) as somebody:
        assert somebody.say("hello", "k1").text == "in part"
    assert len(asked) == 3


def test_a_chat_that_does_not_answer_is_no_verdict(
    world: World, serve: Callable[[Handler], list[httpx.Request]]
) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        if found := signed_up(request):
            return found
        raise httpx.ConnectError("refused")

    serve(broken)
    with Person(world) as somebody, pytest.raises(Unmeasurable, match="the chat does not answer: refused"):
        somebody.say("hello")
