"""Dapr as a mode of the chart, by the real Helm: sidecars, ways of calling, the state store and its Redis."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.clients.helm import Helm, Values
from runbook.engine.errors import CommandFailed
from runbook.engine.settings import Settings
from tests.charts.binary import HELM
from tests.charts.test_charts import APPLICATION, client, environment, merged

pytestmark = pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")

DAPR: dict[str, Any] = {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}}


@pytest.fixture
def helm() -> Helm:
    return client(Settings())


def rendered(helm: Helm, overrides: dict[str, Any]) -> dict[tuple[str, str], Any]:
    values = Values((APPLICATION / "values-dev.yaml",), overrides)
    objects = helm.template(APPLICATION, release="todo-app", namespace="todo", values=values)
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def annotations(workload: Any) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"].get("annotations") or {}


def test_with_dapr_the_services_call_their_own_sidecar(helm: Helm) -> None:
    objects = rendered(helm, DAPR)
    front = environment(objects["Deployment", "frontend"])
    back = environment(objects["Deployment", "backend"])
    assert front["BACKEND_URL"] == "http://127.0.0.1:3500/v1.0/invoke/todo-backend/method"
    assert back["MCP_SERVER_URL"] == "http://127.0.0.1:3500/v1.0/invoke/todo-mcp-server/method/mcp"
    assert (back["STATE_STORE"], back["DAPR_HTTP_PORT"]) == ("statestore", "3500")


def test_without_dapr_nothing_of_it_is_there(helm: Helm) -> None:
    objects = rendered(helm, {"redis": {"enabled": True}})
    assert not {kind for kind, _ in objects} & {"Component", "Configuration"}
    assert ("NetworkPolicy", "sidecars-to-dapr") not in objects
    for component in COMPONENTS:
        assert annotations(objects["Deployment", component.name]) == {}
    assert "STATE_STORE" not in environment(objects["Deployment", "backend"])


def test_only_pods_that_go_on_get_a_sidecar(helm: Helm) -> None:
    objects = rendered(helm, DAPR)
    asked = {
        name: annotations(each).get("dapr.io/enabled")
        for (_, name), each in objects.items()
        if "template" in (each.get("spec") or {})
    }
    assert asked == {
        **{component.name: "true" for component in COMPONENTS},
        "redis": "false",
        "todo-app-migrate": "false",
        "todo-app-page-test": "false",
    }


def test_each_sidecar_is_configured_by_a_configuration_that_is_there(helm: Helm) -> None:
    objects = rendered(helm, DAPR)
    for component in COMPONENTS:
        found = annotations(objects["Deployment", component.name])
        assert found["dapr.io/app-id"] == component.app_id
        assert ("Configuration", found["dapr.io/config"]) in objects


def test_the_values_reach_the_sidecar_and_annotations_have_the_last_word(helm: Helm) -> None:
    limits = {"limits": {"cpu": "1", "memory": "512Mi"}}
    sidecar = {"resources": limits, "goMemoryLimit": "480MiB", "logLevel": "debug", "blockShutdownSeconds": 9}
    overrides = merged(DAPR, {"global": {"dapr": {"sidecar": sidecar}}})
    overrides["backend"] = {"podAnnotations": {"dapr.io/log-level": "error", "own": "kept"}}
    objects = rendered(helm, overrides)
    front, back = (annotations(objects["Deployment", name]) for name in ("frontend", "backend"))
    assert front["dapr.io/sidecar-cpu-limit"] == "1"
    assert front["dapr.io/sidecar-memory-limit"] == "512Mi"
    assert front["dapr.io/sidecar-memory-request"] == "128Mi"
    assert front["dapr.io/env"] == "GOMEMLIMIT=480MiB"
    assert front["dapr.io/block-shutdown-duration"] == "9s"
    assert front["dapr.io/log-level"] == "debug"
    assert (back["dapr.io/log-level"], back["own"]) == ("error", "kept")


def test_actors_can_be_let_through_to_their_server(helm: Helm) -> None:
    more = {"global": {"dapr": {"controlPlane": {"dapr-placement-server": 50005}}}}
    policy = rendered(helm, merged(DAPR, more))["NetworkPolicy", "sidecars-to-dapr"]
    ways = {
        rule["to"][0]["podSelector"]["matchLabels"]["app"]: rule["ports"][0]["port"]
        for rule in policy["spec"]["egress"]
    }
    assert ways == {"dapr-sentry": 50001, "dapr-operator": 6500, "dapr-placement-server": 50005}


def test_dapr_needs_its_store(helm: Helm) -> None:
    with pytest.raises(CommandFailed, match=r"needs redis\.enabled"):
        rendered(helm, {"global": {"dapr": {"enabled": True}}})


def test_redis_is_as_hardened_as_the_application(helm: Helm) -> None:
    objects = rendered(helm, DAPR)
    redis = objects["StatefulSet", "redis"]["spec"]["template"]["spec"]
    backend = objects["Deployment", BACKEND.name]["spec"]["template"]["spec"]
    assert redis["serviceAccountName"] == "redis-sa"
    assert redis["automountServiceAccountToken"] is False
    container = redis["containers"][0]
    assert container["securityContext"] == backend["containers"][0]["securityContext"]
    assert redis["securityContext"] == {
        **backend["securityContext"],
        "fsGroup": 1000,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    assert set(container["resources"]) == {"requests", "limits"}


def test_the_password_is_a_file_and_nowhere_else(helm: Helm) -> None:
    redis = rendered(helm, DAPR)["StatefulSet", "redis"]["spec"]["template"]["spec"]
    container = redis["containers"][0]
    assert "env" not in container
    assert "--requirepass" not in container["args"]
    secrets = [each["secret"]["secretName"] for each in redis["volumes"] if "secret" in each]
    assert secrets == ["redis-auth"]


def test_redis_forgets_unless_it_is_told_to_keep(helm: Helm) -> None:
    forgets = rendered(helm, DAPR)["StatefulSet", "redis"]["spec"]
    assert "volumeClaimTemplates" not in forgets
    assert {"name": "data", "emptyDir": {"sizeLimit": "128Mi"}} in forgets["template"]["spec"]["volumes"]
    keeping = {"redis": {"enabled": True, "persistence": {"enabled": True, "className": "fast"}}}
    keeps = rendered(helm, merged(DAPR, keeping))["StatefulSet", "redis"]["spec"]
    claim = keeps["volumeClaimTemplates"][0]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("fast", "1Gi")
    assert "--appendonly" in keeps["template"]["spec"]["containers"][0]["args"]
    assert "data" not in {each["name"] for each in keeps["template"]["spec"]["volumes"]}


def test_redis_may_come_from_elsewhere_than_the_application(helm: Helm) -> None:
    image = {"repository": "redis/team-redis", "tag": "8.2", "pullPolicy": "IfNotPresent"}
    overrides = merged(DAPR, {"redis": {"image": image}})
    container = rendered(helm, overrides)["StatefulSet", "redis"]["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["imagePullPolicy"]) == ("redis/team-redis:8.2", "IfNotPresent")
    own = rendered(helm, DAPR)["StatefulSet", "redis"]["spec"]["template"]["spec"]["containers"][0]
    assert (own["image"], own["imagePullPolicy"]) == ("todo-redis:1.0.0", "Never")


def test_an_application_outlives_the_time_for_which_its_sidecar_goes_on(helm: Helm) -> None:
    def sleep(overrides: dict[str, Any]) -> int:
        pod = rendered(helm, overrides)["Deployment", "backend"]["spec"]["template"]["spec"]
        return int(pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"])

    assert sleep({}) == 1
    assert sleep(DAPR) == 32
    longer = {"global": {"drainSeconds": 40}}
    assert sleep(merged(DAPR, longer)) == 40
