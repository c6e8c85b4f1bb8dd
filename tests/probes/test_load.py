"""People at work: what they count as answered and as an error, and that nobody of them is left."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.probes import users
from runbook.probes.load import Pace
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


class Somebody:
    """Answers by what the test says; counts who came and went."""

    there = 0
    answer: Any = None

    def __init__(self, world: World) -> None:
        del world

    def __enter__(self) -> Somebody:
        if Somebody.answer is None:
            raise Unmeasurable("nobody can sign up")
        Somebody.there += 1
        return self

    def __exit__(self, *_: object) -> None:
        Somebody.there -= 1

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        if isinstance(Somebody.answer, Exception):
            raise Somebody.answer
        return httpx.Response(Somebody.answer, json={"id": "t1"})


@pytest.fixture
def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    Somebody.there, Somebody.answer = 0, 200
    monkeypatch.setattr(users, "Person", Somebody)
    monkeypatch.setattr(users, "BUSY", Pace(every=0.001))
    return world_of(settings, api=FakeApi(), cluster=FakeCluster())


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds whose drills' people were removed."""
    found: list[World] = []
    monkeypatch.setattr(users, "remove_people", found.append)
    return found


def until(answered: Any) -> None:
    end = time.monotonic() + 10
    while not answered() and time.monotonic() < end:
        threading.Event().wait(0.01)


def test_answers_are_counted_and_nobody_is_left(world: World, removed: list[World]) -> None:
    with users.at_work(world, 3) as seen:
        assert Somebody.there == 3
        until(lambda: seen.answered > 100)
    assert seen.answered > 100
    assert {"list", "create", "delete"} <= set(seen.seconds)
    assert not seen.errors
    assert seen.lasted > 0
    assert (Somebody.there, removed) == (0, [world])


@pytest.mark.parametrize(
    ("answer", "error"), [(503, ": 503 of the ingress"), (httpx.ReadTimeout("slow"), ": ReadTimeout slow")]
)
def test_any_answer_but_success_is_an_error(
    world: World, removed: list[World], answer: Any, error: str
) -> None:
    Somebody.answer = answer
    with users.at_work(world, 1) as seen:
        until(lambda: seen.errors)
    assert all(each.endswith(error) for each in seen.errors)
    assert seen.answered == 0


def test_who_cannot_sign_up_stops_all(world: World, removed: list[World]) -> None:
    Somebody.answer = None
    with pytest.raises(Unmeasurable, match="nobody can sign up"), users.at_work(world, 2):
        pass
    assert removed == [world]


def test_people_go_also_when_something_breaks(world: World, removed: list[World]) -> None:
    with pytest.raises(KeyboardInterrupt), users.at_work(world, 2):
        raise KeyboardInterrupt
    assert (Somebody.there, removed) == (0, [world])
