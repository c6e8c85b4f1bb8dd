"""The page and the tasks watched: answers counted, failures with their time, a control that must fail, nobody left."""

from __future__ import annotations

import threading

import httpx
import pytest

from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.probes import load, users
from runbook.probes.load import LoadResult, Pace
from runbook.world import World
from tests.fakes.worlds import world_of


class Person:
    """And the ingress: 200 for the page and the tasks until told otherwise, and 404 for a host that nobody serves."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.nowhere = 404
        self.down = threading.Event()

    def __call__(self, _: World) -> Person:
        return self

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ask(self, method: str, path: str) -> httpx.Response:
        assert method == "GET"
        return self.get(path)

    def get(self, path: str, *, host: str = "") -> httpx.Response:
        if self.down.is_set():
            raise httpx.ConnectError("connection refused")
        return httpx.Response(self.nowhere if host else self.status.get(path, 200))


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    made = Person()
    monkeypatch.setattr(users, "Person", made)
    monkeypatch.setattr(users, "WATCHING", Pace(pause=0.001))
    monkeypatch.setattr(users, "remove_people", lambda _: "")
    return made


@pytest.fixture
def world(settings: Settings, person: Person) -> World:
    return world_of(settings, http=person)


def _until(found: LoadResult, enough: int) -> None:
    def look() -> None:
        if found.made < enough:
            raise NotYet(str(found.made))

    eventually(look, timeout=10, wanted="visits", every=0.01)


def test_answers_are_counted(world: World, person: Person) -> None:
    with users.watched(world) as found:
        _until(found, load.FEWEST)
    assert found.problems() == []
    assert str(found) == f"none of {found.made} requests failed"
    made = found.made
    assert not [each for each in threading.enumerate() if each.name.startswith("load")]
    assert found.made == made


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_other_answers_and_broken_connections_are_failures(world: World, person: Person, status: int) -> None:
    with users.watched(world) as found:
        _until(found, load.FEWEST)
        person.status["/tasks"] = status
        _until(found, found.made + 6)
        person.down.set()
        _until(found, found.made + 6)
    (told,) = found.problems()
    assert f"of {found.made} requests failed; the first: after" in told
    assert f"the tasks: {status}" in told
    assert any("the page: ConnectError connection refused" in str(each) for each in found.failures)


def test_too_few_say_nothing() -> None:
    with pytest.raises(Unmeasurable, match="only 3 requests"):
        LoadResult({"the page": [0.1] * 3}).problems()


def test_what_fails_before_is_no_verdict(world: World, person: Person) -> None:
    person.status["/"] = 503
    with (
        pytest.raises(Unmeasurable, match="before anything was changed: the page: 503"),
        users.watched(world),
    ):
        pytest.fail("nothing may be changed")


def test_a_control_that_is_answered_is_no_verdict(world: World, person: Person) -> None:
    person.nowhere = 200
    with pytest.raises(Unmeasurable, match=r"nobody\.invalid is answered as well"), users.watched(world):
        pytest.fail("nothing may be changed")
