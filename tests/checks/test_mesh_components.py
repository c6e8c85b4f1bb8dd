"""The state store: defined with its scope, and loaded by the backend's sidecars alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from runbook.actions import dapr_source
from runbook.application import BACKEND, COMPONENTS
from runbook.checks import mesh_components
from runbook.errors import Unmeasurable
from runbook.settings import Settings
from runbook.step import Status
from runbook.world import World
from tests import meshed
from tests.cluster.recorded import Recorded
from tests.worlds import FakeApi, FakeCluster, world_of

STORE = {"name": "statestore", "type": "state.redis", "version": "v1"}


class Sidecars(FakeApi):
    """Each pod's sidecar answers on a port of its own."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__(*objects)
        self.ports: dict[int, str] = {}

    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (port, namespace) == (3500, "todo")
        self.ports[number := 9000 + len(pod)] = pod
        yield number


class NoDapr(Recorded):
    def __init__(self) -> None:
        super().__init__({})

    def find(self, name: str) -> None:
        return None


def component() -> dict[str, Any]:
    return {
        "kind": "Component",
        "metadata": {"name": "statestore", "namespace": "todo"},
        "spec": {"type": "state.redis"},
        "scopes": ["todo-backend"],
    }


@pytest.fixture
def api() -> Sidecars:
    return Sidecars(component(), *(meshed.pod(each) for each in COMPONENTS))


@pytest.fixture
def answers(api: Sidecars, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Pod -> what its sidecar says of itself."""
    given = {
        f"{each.name}-1": {
            "id": each.app_id,
            "runtimeVersion": dapr_source.version(),
            "components": [STORE] if each is BACKEND else [],
        }
        for each in COMPONENTS
    }

    def get(url: str, **_: Any) -> httpx.Response:
        pod = api.ports[httpx.URL(url).port or 0]
        if pod not in given:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=given[pod], request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)
    return given


@pytest.fixture
def world(settings: Settings, api: Sidecars, answers: dict[str, Any]) -> World:
    return world_of(settings, api=api, cluster=FakeCluster(), commands=NoDapr())


def test_the_store_is_loaded_where_it_belongs(world: World) -> None:
    outcome = mesh_components.scoped(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "loaded by the 1 sidecars of todo-backend, by none of the 2 others" in outcome.observed


def test_a_store_that_the_backend_has_not_loaded(world: World, answers: dict[str, Any]) -> None:
    answers["backend-1"]["components"] = []
    assert "the sidecar of pod backend-1 has not loaded statestore" in mesh_components.scoped(world).observed


def test_a_store_that_others_have_loaded(world: World, answers: dict[str, Any]) -> None:
    answers["frontend-1"]["components"] = [STORE]
    assert "the sidecar of pod frontend-1 has loaded statestore" in mesh_components.scoped(world).observed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scopes": []}, "is for every app, not"),
        ({"scopes": ["todo-backend", "other"]}, "is for ['todo-backend', 'other'], not"),
        ({"spec": {"type": "state.in-memory"}}, "is of type state.in-memory, not state.redis"),
    ],
)
def test_a_definition_that_is_not_as_wanted(
    world: World, api: Sidecars, change: dict[str, Any], words: str
) -> None:
    api.objects["Component", "todo", "statestore"] |= change
    assert words in mesh_components.scoped(world).observed


def test_no_definition(world: World, api: Sidecars) -> None:
    del api.objects["Component", "todo", "statestore"]
    assert "there is no component statestore" in mesh_components.scoped(world).observed


def test_a_sidecar_of_another_version(world: World, answers: dict[str, Any]) -> None:
    answers["backend-1"]["runtimeVersion"] = "1.12.0"
    assert "the sidecar of pod backend-1 is Dapr 1.12.0" in mesh_components.scoped(world).observed


def test_a_sidecar_that_does_not_answer_is_no_verdict(world: World, answers: dict[str, Any]) -> None:
    del answers["backend-1"]
    with pytest.raises(Unmeasurable, match="does not tell its metadata"):
        mesh_components.scoped(world)


def test_a_component_without_a_pod_is_no_verdict(world: World, api: Sidecars) -> None:
    del api.objects["Pod", "todo", "mcp-server-1"]
    with pytest.raises(Unmeasurable, match="there is no pod of mcp-server"):
        mesh_components.scoped(world)
