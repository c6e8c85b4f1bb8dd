"""The state store: defined with its scope, and loaded by the backend's sidecars alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.app.dapr import source as dapr_source
from runbook.checks.dapr import state_components
from runbook.clients.kube import pod_http, workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.recorded import Recorded
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

STORE = {"name": "statestore", "type": "state.redis", "version": "v1"}


def component() -> dict[str, Any]:
    return {
        "kind": "Component",
        "metadata": {"name": "statestore", "namespace": "todo"},
        "spec": {"type": "state.redis"},
        "scopes": ["todo-backend"],
    }


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(component(), *(meshed.pod(each) for each in COMPONENTS))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Pod -> what its sidecar says of itself."""
    given = {
        f"{each.name}-1": {
            "id": each.app_id,
            "runtimeVersion": dapr_source.version(),
            "components": [STORE] if each is BACKEND else [],
        }
        for each in COMPONENTS
    }

    def ask(_: World, pod: dict[str, Any], port: int, path: str) -> httpx.Response:
        assert (port, path) == (3500, "/v1.0/metadata")
        told = given.get(workloads.name(pod))
        return httpx.Response(503, text="not ready") if told is None else httpx.Response(200, json=told)

    monkeypatch.setattr(pod_http, "ask", ask)
    return given


@pytest.fixture
def world(settings: Settings, api: FakeApi, answers: dict[str, Any]) -> World:
    return world_of(settings, api=api, cluster=FakeCluster(), commands=Recorded({}))


def test_the_store_is_loaded_where_it_belongs(world: World) -> None:
    outcome = state_components.scoped(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "loaded by the 1 sidecars of todo-backend, by none of the 2 others" in outcome.observed


def test_a_store_that_the_backend_has_not_loaded(world: World, answers: dict[str, Any]) -> None:
    answers["backend-1"]["components"] = []
    assert "the sidecar of pod backend-1 has not loaded statestore" in state_components.scoped(world).observed


def test_a_store_that_others_have_loaded(world: World, answers: dict[str, Any]) -> None:
    answers["frontend-1"]["components"] = [STORE]
    assert "the sidecar of pod frontend-1 has loaded statestore" in state_components.scoped(world).observed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scopes": []}, "is for every app, not"),
        ({"scopes": ["todo-backend", "other"]}, "is for ['todo-backend', 'other'], not"),
        ({"spec": {"type": "state.in-memory"}}, "is of type state.in-memory, not state.redis"),
    ],
)
def test_a_definition_that_is_not_as_wanted(
    world: World, api: FakeApi, change: dict[str, Any], words: str
) -> None:
    api.objects["Component", "todo", "statestore"] |= change
    assert words in state_components.scoped(world).observed


def test_no_definition(world: World, api: FakeApi) -> None:
    del api.objects["Component", "todo", "statestore"]
    assert "there is no component statestore" in state_components.scoped(world).observed


def test_a_sidecar_of_another_version(world: World, answers: dict[str, Any]) -> None:
    answers["backend-1"]["runtimeVersion"] = "1.12.0"
    assert "the sidecar of pod backend-1 is Dapr 1.12.0" in state_components.scoped(world).observed


def test_a_sidecar_that_does_not_answer_is_no_verdict(world: World, answers: dict[str, Any]) -> None:
    del answers["backend-1"]
    with pytest.raises(Unmeasurable, match="does not tell its metadata"):
        state_components.scoped(world)


def test_a_component_without_a_pod_is_no_verdict(world: World, api: FakeApi) -> None:
    del api.objects["Pod", "todo", "mcp-server-1"]
    with pytest.raises(Unmeasurable, match="there is no pod of mcp-server"):
        state_components.scoped(world)


def test_the_cli_has_to_agree_where_it_speaks_of_our_cluster(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_components.dapr_cli, "speaks_of_our_cluster", lambda *_: True)
    monkeypatch.setattr(state_components.dapr_cli, "components", lambda *_: {"statestore"})
    assert state_components.scoped(world).green
    monkeypatch.setattr(state_components.dapr_cli, "components", lambda *_: set())
    assert "`dapr components` does not list statestore" in state_components.scoped(world).observed
