"""State through the backend: answered once, kept under its name and for a while, known to its sidecar alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.checks.dapr import state_store
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.probes import remembered
from runbook.probes.dapr import invocation
from runbook.probes.remembered import Remembered, Sent
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

SENT = Sent("k1", "r1", (200, 200), replayed=True, same=True, left="")
HELD = Remembered("todo-backend||chat-1-k1", ("version", "first-write", "data"), 590)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the drill sees; a test breaks one entry."""
    found: dict[str, Any] = {"sent": SENT, "held": HELD, "backend": 200, "frontend": 400, "heard": True}
    monkeypatch.setattr(remembered, "send_twice", lambda _: found["sent"])
    found["server"] = True
    monkeypatch.setattr(remembered, "has_server", lambda _: found["server"])
    monkeypatch.setattr(remembered, "recall", lambda _, key: found["held"] if key == "k1" else None)

    def through(_: World, pod: Any, store: str, key: str) -> int:
        assert (store, key) == ("statestore", "chat-1-k1")
        return int(found[workloads.component(pod)])

    def heard(_: World, pods: list[Any], request_id: str) -> bool:
        assert [workloads.name(pod) for pod in pods] == ["mcp-server-1"]
        assert request_id == "r1"
        return bool(found["heard"])

    monkeypatch.setattr(remembered, "through_sidecar", through)
    monkeypatch.setattr(invocation, "heard", heard)
    return found


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(*map(meshed.pod, COMPONENTS))


@pytest.fixture
def world(settings: Settings, api: FakeApi, told: dict[str, Any]) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def test_the_answer_is_kept_for_the_backend_alone(world: World) -> None:
    outcome = state_store.kept(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert outcome.evidence["state"]["name"] == HELD.name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sent": replace(SENT, statuses=(503, 200))}, "the message was answered 503"),
        ({"sent": replace(SENT, replayed=False)}, "was answered again"),
        ({"sent": replace(SENT, same=False)}, "was answered again"),
        ({"held": None}, "Redis holds nothing of that key: the answer was kept elsewhere"),
        ({"held": replace(HELD, name="chat-1-k1")}, "without the prefix todo-backend"),
        ({"held": replace(HELD, fields=("data",))}, "it has the fields data"),
        ({"held": replace(HELD, seconds=-1)}, "it ends in -1 s"),
        ({"backend": 204}, "the backend's own sidecar answers 204"),
        ({"heard": False}, "the MCP server never heard of the message"),
        ({"frontend": 204}, "the frontend's sidecar answers 204 for it, and should not know the store"),
    ],
)
def test_what_is_not_as_wanted_is_named(
    world: World, told: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    told |= change
    outcome = state_store.kept(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_person_who_stays_is_told_of(world: World, told: dict[str, Any]) -> None:
    told["sent"] = replace(SENT, left="1 people of drills are still there")
    assert "not cleaned up: 1 people" in state_store.kept(world).observed


def test_without_redis_nothing_is_kept_in_it(world: World, told: dict[str, Any]) -> None:
    told["server"] = False
    outcome = state_store.kept(world)
    assert (outcome.status, outcome.observed) == (Status.FAILED, "Redis has no pod, so nothing is kept in it")


def test_no_pod_to_ask(world: World, api: FakeApi) -> None:
    del api.objects["Pod", "todo", f"{BACKEND.name}-1"]
    with pytest.raises(Unmeasurable, match="no pod of backend"):
        state_store.kept(world)
