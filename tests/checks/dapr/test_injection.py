"""Sidecars: one in each pod, of today's control plane, with mutual TLS, never restarted, and nothing besides."""

from __future__ import annotations

import pytest

from runbook.app import blueprint
from runbook.app.application import BACKEND, COMPONENTS, FRONTEND
from runbook.app.sidecars import INJECTOR, TRUST_BUNDLE
from runbook.checks.dapr import injection
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed, running
from tests.fakes.worlds import FakeApi, FakeCluster, Object, world_of


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(*meshed.application(), *meshed.control_plane("1"))


@pytest.fixture
def world(settings: Settings, api: FakeApi) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def backend(api: FakeApi) -> Object:
    return api.objects["Pod", "todo", "backend-1"]


def test_each_pod_holds_its_own_container_and_the_sidecar(world: World) -> None:
    outcome = injection.injected(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "backend backend+daprd" in outcome.observed
    assert set(outcome.evidence["pods"]) == {f"{each.name}-1" for each in COMPONENTS}


def test_a_native_sidecar_counts_too(world: World, api: FakeApi) -> None:
    api.put(meshed.pod(BACKEND, native=True))
    assert injection.injected(world).green


def test_a_pod_that_slipped_through_is_named(world: World, api: FakeApi) -> None:
    api.put(running.pod(BACKEND))
    outcome = injection.injected(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed.startswith("pod backend-1 has the containers backend, not backend and daprd")


def test_a_further_container_is_named(world: World, api: FakeApi) -> None:
    backend(api)["spec"]["containers"].append({"name": "helper"})
    assert "has the containers backend, daprd, helper" in injection.injected(world).observed


def test_a_sidecar_that_crashed_is_told_with_its_end(world: World, api: FakeApi) -> None:
    status = backend(api)["status"]["containerStatuses"][1]
    status |= {"restartCount": 2, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    observed = injection.injected(world).observed
    assert "daprd of pod backend-1 restarted 2 times (OOMKilled, exit code 137)" in observed
    status["lastState"] = {"terminated": {"reason": "Unknown", "exitCode": 255}}  # its node went down
    assert injection.injected(world).green


def test_a_sidecar_without_mutual_tls_or_with_another_name(world: World, api: FakeApi) -> None:
    backend(api)["spec"]["containers"][1]["args"] = ["/daprd", "--app-id", "other"]
    observed = injection.injected(world).observed
    assert "daprd of pod backend-1 runs without --enable-mtls" in observed
    assert "daprd of pod backend-1 does not run as todo-backend" in observed


def test_annotations_on_the_deployment_itself_are_told(world: World, api: FakeApi) -> None:
    deployment = api.objects["Deployment", "todo", "backend"]
    deployment["metadata"]["annotations"] = deployment["spec"]["template"]["metadata"].pop("annotations")
    api.put(running.pod(BACKEND))
    assert (
        "dapr.io/enabled is on Deployment backend itself, where nothing reads it"
        in injection.injected(world).observed
    )


def test_a_sidecar_of_an_earlier_control_plane_is_told(world: World, api: FakeApi) -> None:
    api.objects["ConfigMap", "dapr-system", TRUST_BUNDLE]["data"]["ca.crt"] = "others"
    assert "trusts other anchors than sentry's" in injection.injected(world).observed
    backend(api)["spec"]["containers"][1]["image"] = "old"
    api.objects["ConfigMap", "dapr-system", TRUST_BUNDLE]["data"]["ca.crt"] = meshed.ANCHORS
    assert "the sidecar of pod backend-1 is old, not" in injection.injected(world).observed


def test_without_pods_or_control_plane_nothing_can_be_said(world: World, api: FakeApi) -> None:
    del api.objects["Deployment", "dapr-system", INJECTOR]
    with pytest.raises(Unmeasurable, match="there is no injector"):
        injection.injected(world)
    for each in COMPONENTS:
        del api.objects["Pod", "todo", f"{each.name}-1"]
    with pytest.raises(Unmeasurable, match="no pod of the application"):
        injection.injected(world)


def test_a_component_without_a_pod_is_told(world: World, api: FakeApi) -> None:
    del api.objects["Pod", "todo", "frontend-1"]
    assert f"there is no pod of {FRONTEND.name}" in injection.injected(world).observed


def test_a_release_without_dapr_is_told(world: World, api: FakeApi) -> None:
    api.put(running.release_secret())
    assert injection.released(world).observed == "the release is deployed without Dapr"


def test_a_release_with_dapr_is_current_rolled_out_and_fresh(
    world: World, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = blueprint.Blueprint("todo-app", "todo", world.settings.project, blueprint.Values(), "d")
    monkeypatch.setattr(blueprint, "application", lambda *_: wanted)
    api.put(running.release_secret(digest="d", values=meshed.VALUES))
    outcome = injection.released(world)
    assert outcome.status is Status.PASSED, outcome.observed
    api.objects["Deployment", "todo", "backend"]["status"]["updatedReplicas"] = 0
    assert "Deployment backend: 0 of 1 updated" in injection.released(world).observed
    api.put(running.release_secret(digest="other", values=meshed.VALUES))
    assert "was made from other" in injection.released(world).observed


FIGURES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "300m", "memory": "256Mi"}}


def give(api: FakeApi, name: str, resources: Object) -> None:
    for container in api.objects["Pod", "todo", name]["spec"]["containers"]:
        if container["name"] == "daprd":
            container["resources"] = resources


class TestLimited:
    check = staticmethod(injection.limited(FIGURES["requests"], FIGURES["limits"]))

    @pytest.fixture(autouse=True)
    def as_asked(self, api: FakeApi) -> None:
        for each in COMPONENTS:
            give(
                api,
                f"{each.name}-1",
                {"requests": FIGURES["requests"], "limits": {"cpu": "0.3", "memory": "256Mi"}},
            )

    def test_passes_by_quantity(self, world: World) -> None:
        outcome = self.check(world)
        assert outcome.status is Status.PASSED, outcome.observed
        assert outcome.evidence["sidecars"] == len(COMPONENTS)

    def test_fails_where_the_injector_made_something_else(self, world: World, api: FakeApi) -> None:
        give(
            api, "backend-1", {"requests": FIGURES["requests"], "limits": {"cpu": "300m", "memory": "512Mi"}}
        )
        outcome = self.check(world)
        assert outcome.status is Status.FAILED
        assert "the sidecar of backend-1 limits memory of 512Mi, not 256Mi" in outcome.observed

    def test_fails_for_a_sidecar_without_any(self, world: World, api: FakeApi) -> None:
        give(api, "backend-1", {})
        assert "limits cpu of nothing, not 300m" in self.check(world).observed

    def test_cannot_look_without_pods(self, settings: Settings) -> None:
        with pytest.raises(Unmeasurable):
            self.check(world_of(settings, api=FakeApi(), cluster=FakeCluster()))
