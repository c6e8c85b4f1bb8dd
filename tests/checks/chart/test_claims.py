"""Each claim on good objects, on broken ones, and where the object is not there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runbook.app.application import BACKEND, FRONTEND
from runbook.checks.chart import claims, pod_templates, routes
from runbook.checks.chart.claims import Absent, Claim, Scene
from runbook.checks.chart.quantities import quantity
from tests.fakes.chart_objects import (
    FIGURES,
    Object,
    all_objects,
    changed,
    deployment,
    ingress,
    namespace,
    service,
)

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
SECURITY = f"{CONTAINER}.securityContext"

RESTRICTED = pod_templates.restricted(FRONTEND)
RESOURCES = pod_templates.resources(FRONTEND, requests=FIGURES["requests"], limits=FIGURES["limits"])
PROBES = pod_templates.probes(FRONTEND, liveness="/", readiness="/")
SERVICE = routes.service(FRONTEND)
INGRESS = routes.ingress(FRONTEND, class_name="nginx")
NAMESPACE = claims.namespace({"env": "development"})
ALL = (RESTRICTED, RESOURCES, PROBES, SERVICE, INGRESS, NAMESPACE)


def scene(*objects: Object) -> Scene:
    """The good objects, with these in the place of their namesakes."""
    index = {(each["kind"], each["metadata"]["name"]): each for each in [*all_objects(), *objects]}
    return Scene(lambda kind, name: index.get((kind, name)), "todo.local", "todo")


@pytest.mark.parametrize("claim", ALL)
def test_good_objects_have_no_problem(claim: Claim) -> None:
    seen = claim.examine(scene())
    assert seen.problems == []
    assert seen.observed


@pytest.mark.parametrize("claim", ALL)
def test_an_absent_object_is_named(claim: Claim) -> None:
    with pytest.raises(Absent, match=r"there is no (Deployment|Service|Ingress|Namespace)"):
        claim.examine(Scene(lambda _kind, _name: None, "todo.local", "todo"))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{SECURITY}.runAsNonRoot", None, "runAsNonRoot is not true"),
        (f"{SECURITY}.runAsUser", 0, "runAsUser is 0"),
        (f"{SECURITY}.runAsGroup", None, "runAsGroup is None"),
        (f"{SECURITY}.readOnlyRootFilesystem", False, "readOnlyRootFilesystem is not true"),
        (f"{SECURITY}.allowPrivilegeEscalation", None, "allowPrivilegeEscalation is not false"),
        (f"{SECURITY}.privileged", True, "it is privileged"),
        (f"{SECURITY}.capabilities", {"drop": ["NET_RAW"]}, "drop is not ALL"),
        (f"{SECURITY}.capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}, "capabilities are added"),
        (f"{SECURITY}.seccompProfile", {"type": "Unconfined"}, "seccomp is not RuntimeDefault"),
        (f"{POD}.hostNetwork", True, "hostNetwork is set"),
        (f"{POD}.automountServiceAccountToken", None, "API token"),
        (f"{POD}.volumes", [{"name": "tmp", "hostPath": {"path": "/"}}], "is a hostPath"),
        (f"{CONTAINER}.volumeMounts", [], "no emptyDir is mounted at /tmp"),
        (f"{POD}.initContainers", [{"name": "early"}], "container early: runAsNonRoot is not true"),
    ],
)
def test_a_weak_security_context_is_told(path: str, value: Any, problem: str) -> None:
    seen = RESTRICTED.examine(scene(changed(deployment(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


def test_the_pods_security_context_counts_for_its_containers() -> None:
    moved = changed(deployment(), f"{SECURITY}.runAsUser", None)
    moved = changed(moved, f"{POD}.securityContext", {"runAsUser": 1000})
    assert RESTRICTED.examine(scene(moved)).problems == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{CONTAINER}.resources.requests.cpu", "200m", "requests cpu is 200m, not 100m"),
        (f"{CONTAINER}.resources.limits.memory", None, "limits memory is not set, not 256Mi"),
        (f"{CONTAINER}.resources.limits.memory", "256M", "limits memory is 256M, not 256Mi"),
        (f"{CONTAINER}.resources.limits.cpu", "lots", "limits cpu is lots"),
        (f"{CONTAINER}.resources", None, "requests cpu is not set"),
        (f"{POD}.initContainers", [{"name": "early"}], "container early has no limits for memory"),
    ],
)
def test_other_figures_are_told(path: str, value: Any, problem: str) -> None:
    seen = RESOURCES.examine(scene(changed(deployment(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


def test_equal_quantities_in_other_words_are_equal() -> None:
    same = changed(deployment(), f"{CONTAINER}.resources.limits", {"cpu": 0.5, "memory": "262144Ki"})
    assert RESOURCES.examine(scene(same)).problems == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{CONTAINER}.livenessProbe", None, "there is no liveness probe"),
        (
            f"{CONTAINER}.readinessProbe",
            {"exec": {"command": ["true"]}},
            "there is no readiness probe by HTTP",
        ),
        (f"{CONTAINER}.readinessProbe.httpGet.path", "/ready", "asks /ready, not /"),
        (f"{CONTAINER}.livenessProbe.httpGet.port", 8080, "asks port 8080, not 3000"),
        (f"{CONTAINER}.livenessProbe.httpGet.port", "web", "asks port web, not 3000"),
        (f"{CONTAINER}.livenessProbe.httpGet.host", "127.0.0.1", "another host"),
        (f"{CONTAINER}.ports", [], "asks port http, not 3000"),
    ],
)
def test_other_probes_are_told(path: str, value: Any, problem: str) -> None:
    seen = PROBES.examine(scene(changed(deployment(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.type", "NodePort", "its type is NodePort"),
        ("spec.ports.0.port", 80, "it serves port 80, not 3000"),
        ("spec.ports", None, "it serves port none"),
        ("spec.ports.0.targetPort", "web", "leads to web, which is undeclared"),
        ("spec.selector", {"app": "other"}, "does not select"),
        ("spec.selector", {}, "does not select"),
    ],
)
def test_a_service_that_leads_elsewhere_is_told(path: str, value: Any, problem: str) -> None:
    seen = SERVICE.examine(scene(changed(service(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.ingressClassName", "other", "its class is other"),
        ("spec.rules.0.host", "other.local", "no rule for all of todo.local; its hosts: other.local"),
        ("spec.rules.0.http.paths.0.path", "/app", "no rule for all of todo.local"),
        ("spec.rules.0.http.paths.0.pathType", "Exact", "no rule for all of todo.local"),
        ("spec.rules.0.http.paths.0.backend.service.name", "backend-svc", "it leads to backend-svc:3000"),
        ("spec.rules.0.http.paths.0.backend.service.port", {"number": 80}, "it leads to frontend-svc:80"),
        ("spec.rules.0.http.paths.0.backend.service.port", {"name": "web"}, "it leads to frontend-svc:None"),
    ],
)
def test_an_ingress_that_leads_elsewhere_is_told(path: str, value: Any, problem: str) -> None:
    seen = INGRESS.examine(scene(changed(ingress(), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


def test_an_ingress_may_name_the_port() -> None:
    named = changed(ingress(), "spec.rules.0.http.paths.0.backend.service.port", {"name": "http"})
    assert INGRESS.examine(scene(named)).problems == []


def test_a_namespace_with_another_label_is_told() -> None:
    seen = NAMESPACE.examine(scene(changed(namespace(), "metadata.labels.env", "production")))
    assert seen.problems == ["label env is production, not development"]


def test_a_deployment_without_the_components_container_is_told() -> None:
    renamed = changed(deployment(BACKEND), f"{CONTAINER}.name", "app")
    with pytest.raises(Absent, match="there is no container backend"):
        pod_templates.probes(BACKEND, liveness="/health", readiness="/health").examine(scene(renamed))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100m", "0.1"),
        ("1", "1"),
        (1, "1"),
        (0.5, "0.5"),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("2e3", "2000"),
        ("1E", "1000000000000000000"),
        (" 5M ", "5000000"),
    ],
)
def test_quantities(text: object, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "lots", "1KiB", "1 Mi", "--1", None])
def test_what_is_no_quantity(text: object) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)
