"""Mutual TLS in each sidecar: by settings, anchors, token and sentry's counters, each of which can break it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from runbook.app.application import COMPONENTS, DAPR_NAMESPACE
from runbook.checks.dapr import sidecar_identity
from runbook.clients.kube import pod_http
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, Object, world_of

BEFORE, CHANGED, AFTER = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z"


def system() -> Object:
    return {
        "kind": "Configuration",
        "metadata": {
            "name": "daprsystem",
            "namespace": DAPR_NAMESPACE,
            "creationTimestamp": BEFORE,
            "managedFields": [{"time": CHANGED}],
        },
        "spec": {"mtls": {"enabled": True, "workloadCertTTL": "24h", "allowedClockSkew": "15m"}},
    }


def pod(component: Any) -> Object:
    made = meshed.pod(component)
    made["metadata"]["creationTimestamp"] = AFTER
    token = {"serviceAccountToken": {"audience": sidecar_identity.SENTRY, "path": "token"}}
    made["spec"]["volumes"] = [{"name": "dapr-identity-token", "projected": {"sources": [token]}}]
    return made


@pytest.fixture
def api() -> FakeApi:
    plane = meshed.control_plane("1")
    for each in plane:
        if each["metadata"]["name"] == "dapr-sentry-1":
            each["metadata"]["labels"] = {"app": "dapr-sentry"}
    return FakeApi(system(), *map(pod, COMPONENTS), *plane)


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines = ["dapr_sentry_cert_sign_request_received_total 12", "dapr_sentry_cert_sign_success_total 12"]

    def ask(_: World, pod: Object, port: int, path: str) -> httpx.Response:
        assert (pod["metadata"]["name"], port, path) == ("dapr-sentry-1", 9090, "/metrics")
        return httpx.Response(200, text="\n".join(lines))

    monkeypatch.setattr(pod_http, "ask", ask)
    return lines


@pytest.fixture
def world(settings: Settings, api: FakeApi, counters: list[str]) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def backend(api: FakeApi) -> Object:
    return api.objects["Pod", "todo", "backend-1"]


def test_it_is_on_in_each(world: World) -> None:
    outcome = sidecar_identity.on(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "3 sidecars made after it" in outcome.observed
    assert outcome.evidence["counters"]["success_total"] == 12


def test_settings_that_turn_it_off(world: World, api: FakeApi) -> None:
    api.objects["Configuration", DAPR_NAMESPACE, "daprsystem"]["spec"]["mtls"]["enabled"] = False
    assert sidecar_identity.on(world).observed == "mutual TLS is off"


def test_a_pod_that_is_older_than_the_settings(world: World, api: FakeApi) -> None:
    backend(api)["metadata"]["creationTimestamp"] = BEFORE
    outcome = sidecar_identity.on(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed.startswith("pod backend-1 is older than the last change of daprsystem")


def test_a_sidecar_that_trusts_other_anchors(world: World, api: FakeApi) -> None:
    backend(api)["spec"]["containers"][1]["env"] = [{"name": "DAPR_TRUST_ANCHORS", "value": "other"}]
    assert "pod backend-1 trusts other anchors" in sidecar_identity.on(world).observed


def test_a_sidecar_without_the_argument(world: World, api: FakeApi) -> None:
    backend(api)["spec"]["containers"][1]["args"].remove("--enable-mtls")
    assert "the sidecar of pod backend-1 runs without --enable-mtls" in sidecar_identity.on(world).observed


def test_a_token_for_someone_else(world: World, api: FakeApi) -> None:
    volumes = backend(api)["spec"]["volumes"]
    volumes[0]["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "api"
    assert "shows a token for api, not for spiffe://" in sidecar_identity.on(world).observed


def test_certificates_that_sentry_refused(world: World, counters: list[str]) -> None:
    counters.append('dapr_sentry_cert_sign_failure_total{reason="validation"} 2')
    assert sidecar_identity.on(world).observed == "sentry refused 2 certificates since it started"


def test_sentry_that_does_not_tell(world: World, api: FakeApi) -> None:
    del api.objects["Pod", DAPR_NAMESPACE, "dapr-sentry-1"]
    with pytest.raises(Unmeasurable, match="sentry does not run"):
        sidecar_identity.on(world)


def test_no_pods(world: World, api: FakeApi) -> None:
    for each in COMPONENTS:
        del api.objects["Pod", "todo", f"{each.name}-1"]
    with pytest.raises(Unmeasurable, match="no pod of the application"):
        sidecar_identity.on(world)
