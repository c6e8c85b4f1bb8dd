"""Another application with a sidecar: kept out by access control, let in, or never come as far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.faults import newcomer
from runbook.faults.planting import MARK, Hands
from runbook.probes import remembered
from runbook.probes.dapr import invocation, mtls
from tests.fakes import meshed, running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

OWN = "spiffe://public/ns/todo/todo-mutant"
DENIED = invocation.Answer(403, "code = PermissionDenied", "r1")
ALLOWED = invocation.Answer(200, "", "r2")


class Forwarding(FakeApi):
    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        yield 7000


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each pod's sidecar answers; a test breaks one entry."""
    found: dict[str, Any] = {
        "identity": [OWN],
        "frontend": ALLOWED,
        "mutant": DENIED,
        "backend's store": 204,
        "mutant's store": 400,
    }

    def call(_: Any, pod: Any, called: Any, path: str) -> invocation.Answer:
        assert (called, path) == (BACKEND, "/health")
        return found[workloads.component(pod)]

    monkeypatch.setattr(mtls, "presented", lambda *_: found["identity"])
    monkeypatch.setattr(newcomer, "uris", lambda shown: shown)
    monkeypatch.setattr(invocation, "call", call)
    monkeypatch.setattr(
        remembered, "through_sidecar", lambda _, pod, *__: found[f"{workloads.component(pod)}'s store"]
    )
    monkeypatch.setattr(newcomer, "FOLLOWED", 0.2)
    return found


@pytest.fixture
def api() -> FakeApi:
    there = running.pod(BACKEND)
    there["metadata"] |= {"name": "mutant-1", "uid": "uid-mutant", "labels": dict(newcomer.LABELS)}
    return Forwarding(*map(meshed.pod, COMPONENTS), *meshed.trust_bundle(), there)


@pytest.fixture
def hands(settings: Settings, api: FakeApi, told: dict[str, Any]) -> Hands:
    return Hands(world_of(settings, api=api, cluster=FakeCluster()))


def test_it_is_kept_out(hands: Hands) -> None:
    assert newcomer.is_kept_out(hands) == (
        f"{OWN} is denied backend/health (403), which the frontend gets; it knows no statestore"
    )


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"mutant": ALLOWED}, RunbookError, "it may call backend/health: 200"),
        (
            {"mutant": invocation.Answer(403, "its own words", "r")},
            RunbookError,
            "it may call backend/health: 403",
        ),
        ({"mutant's store": 204}, RunbookError, "its sidecar answers 204 for the state store"),
        ({"mutant": invocation.Answer(500, "no route", "r")}, TimedOut, "500: no route"),
        ({"identity": "self-signed certificate"}, Unmeasurable, "its identity is self-signed certificate"),
        ({"identity": ["spiffe://public/ns/todo/todo-backend"]}, Unmeasurable, "its identity is spiffe"),
        ({"frontend": DENIED}, Unmeasurable, "the frontend's own call is answered 403"),
        ({"backend's store": 500}, Unmeasurable, "the backend's own sidecar answers 500"),
    ],
)
def test_what_is_otherwise_is_named(
    hands: Hands, told: dict[str, Any], change: dict[str, Any], kind: type[RunbookError], words: str
) -> None:
    told |= change
    with pytest.raises(kind, match=words) as caught:
        newcomer.is_kept_out(hands)
    assert type(caught.value) is kind


def test_it_comes_like_the_backend_under_another_name_and_leaves_nothing(
    hands: Hands, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomer.rollout, "settle", lambda *_, **__: None)
    backend = meshed.deployment(BACKEND)
    backend["spec"]["template"]["metadata"]["annotations"] |= {"dapr.io/app-port": "8000", "other": "1"}
    backend["spec"]["template"]["spec"] = {"containers": [{"name": "backend", "image": "todo-backend:1.0.0"}]}
    api.put(backend)
    before = set(api.objects)
    newcomer.arrive(hands)
    made = set(api.objects) - before
    assert sorted(kind for kind, *_ in made) == ["Deployment", "NetworkPolicy", "NetworkPolicy"]
    assert all(MARK in api.objects[each]["metadata"]["labels"] for each in made)
    template = api.objects["Deployment", "todo", "mutant"]["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        "dapr.io/enabled": "true",
        "dapr.io/app-id": "todo-mutant",
        "dapr.io/config": "dapr-config",
    }
    newcomer.leave(hands)
    assert set(api.objects) == before
