"""Claims about Dapr in the chart: on good objects, on broken ones, and where the object is not there."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER
from runbook.checks.chart.claims import Absent, Claim
from runbook.checks.dapr import dapr_claims
from tests.fakes import meshed_chart
from tests.fakes.chart_objects import changed

ACCESS = dapr_claims.access_control({FRONTEND: None, BACKEND: FRONTEND, MCP_SERVER: BACKEND})
STORE = dapr_claims.state_store(
    "statestore", service="redis-svc", port=6379, secret="redis-auth", key="password", user=BACKEND
)
SIDECAR = dapr_claims.sidecar(BACKEND)
RESOURCES = dapr_claims.sidecar_resources(
    BACKEND, requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "300m", "memory": "256Mi"}
)

CONTROL = "spec.accessControl"
ANNOTATIONS = "spec.template.metadata.annotations"


@pytest.mark.parametrize("claim", [ACCESS, STORE, SIDECAR, RESOURCES])
def test_good_objects_have_no_problem(claim: Claim) -> None:
    seen = claim.examine(meshed_chart.scene())
    assert seen.problems == []
    assert seen.observed


@pytest.mark.parametrize(
    ("claim", "name"),
    [(ACCESS, "config-backend"), (STORE, "statestore"), (SIDECAR, "frontend"), (RESOURCES, "mcp-server")],
)
def test_an_absent_object_is_named(claim: Claim, name: str) -> None:
    with pytest.raises(Absent, match=f"there is no [A-Za-z.]+ {name}"):
        claim.examine(meshed_chart.scene(without=name))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (CONTROL, None, "the default is not set, not deny"),
        (f"{CONTROL}.defaultAction", "allow", "the default is allow, not deny"),
        (f"{CONTROL}.trustDomain", "other", "the trust domain is other"),
        (f"{CONTROL}.policies", [], "it does not let todo/todo-frontend in"),
        (f"{CONTROL}.policies.0.appId", "todo-mcp-server", "it lets todo/todo-mcp-server in"),
        (f"{CONTROL}.policies.0.namespace", "other", "it lets other/todo-frontend in"),
        (f"{CONTROL}.policies.0.trustDomain", None, "todo/todo-frontend is of trust domain not set"),
        (f"{CONTROL}.policies.0.defaultAction", None, "may call everything that is not named"),
        (f"{CONTROL}.policies.0.operations", [], "may call nothing"),
        (f"{CONTROL}.policies.0.operations.0.name", "/**", "may call /**"),
        (f"{CONTROL}.policies.0.operations.0.action", "deny", "may call nothing"),
    ],
)
def test_another_access_control_is_told(path: str, value: Any, problem: str) -> None:
    broken = changed(meshed_chart.configuration(BACKEND, FRONTEND), path, value)
    seen = ACCESS.examine(meshed_chart.scene(broken))
    assert any(problem in each and each.startswith("config-backend") for each in seen.problems), seen.problems


def test_whom_nobody_may_call_lets_nobody_in() -> None:
    seen = ACCESS.examine(meshed_chart.scene(meshed_chart.configuration(FRONTEND, BACKEND)))
    assert "config-frontend: it lets todo/todo-backend in" in seen.problems


def test_pods_that_name_no_configuration_are_told() -> None:
    broken = changed(meshed_chart.workload(BACKEND), ANNOTATIONS, None)
    assert ACCESS.examine(meshed_chart.scene(broken)).problems == [
        "the pods of backend name no Configuration"
    ]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.type", "state.in-memory", "its type is state.in-memory"),
        ("spec.metadata.0.value", "other.todo.svc:6379", "not redis-svc on port 6379"),
        ("spec.metadata.0.value", "redis-svc:6380", "not redis-svc on port 6379"),
        ("spec.metadata.1", {"name": "redisPassword", "value": "x"}, "its password is in plain text"),
        ("spec.metadata.1.secretKeyRef.name", "todo-secrets", "not key password of Secret redis-auth"),
        ("spec.metadata", [], "its host is not set"),
        ("scopes", None, "it is for every application"),
        ("scopes", ["todo-backend", "todo-frontend"], "todo-backend, todo-frontend, not todo-backend alone"),
    ],
)
def test_another_store_is_told(path: str, value: Any, problem: str) -> None:
    seen = STORE.examine(meshed_chart.scene(changed(meshed_chart.store(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dapr.io/enabled", "false"),
        ("dapr.io/app-id", "backend"),
        ("dapr.io/app-port", "8001"),
        ("dapr.io/app-protocol", "grpc"),
        ("dapr.io/disable-builtin-k8s-secret-store", "false"),
        ("dapr.io/sidecar-seccomp-profile-type", "Unconfined"),
    ],
)
@pytest.mark.parametrize("component", [FRONTEND, BACKEND, MCP_SERVER])
def test_a_sidecar_asked_for_otherwise_is_told(component: Any, key: str, value: str) -> None:
    broken = meshed_chart.workload(component)
    broken["spec"]["template"]["metadata"]["annotations"][key] = value
    problems = SIDECAR.examine(meshed_chart.scene(broken)).problems
    assert [each.startswith(f"{component.name}: {key} is {value}, not ") for each in problems] == [True]


def test_annotations_on_the_deployment_are_told() -> None:
    misplaced = meshed_chart.workload(BACKEND)
    misplaced["metadata"]["annotations"] = misplaced["spec"]["template"]["metadata"].pop("annotations")
    problems = SIDECAR.examine(meshed_chart.scene(misplaced)).problems
    assert "backend: dapr.io/enabled is not set, not true" in problems
    assert any("on the Deployment" in each for each in problems)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dapr.io/sidecar-cpu-request", "200m"),
        ("dapr.io/sidecar-memory-limit", "256M"),
        ("dapr.io/sidecar-cpu-limit", "lots"),
    ],
)
def test_other_figures_are_told(key: str, value: str) -> None:
    broken = meshed_chart.workload(MCP_SERVER)
    broken["spec"]["template"]["metadata"]["annotations"][key] = value
    problems = RESOURCES.examine(meshed_chart.scene(broken)).problems
    assert [each.startswith(f"mcp-server: {key} is {value}, not ") for each in problems] == [True]


def test_equal_figures_in_other_words_are_equal() -> None:
    same = meshed_chart.workload(BACKEND)
    same["spec"]["template"]["metadata"]["annotations"] |= {
        "dapr.io/sidecar-cpu-limit": "0.3",
        "dapr.io/sidecar-memory-limit": "262144Ki",
    }
    assert RESOURCES.examine(meshed_chart.scene(same)).problems == []
