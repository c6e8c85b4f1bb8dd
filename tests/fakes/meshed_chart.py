"""Objects of a release with Dapr as a good chart makes them, to be broken by tests one field at a time."""

from __future__ import annotations

from runbook.app.application import BACKEND, COMPONENTS, FRONTEND, MCP_SERVER, Component
from runbook.checks.chart.claims import Scene
from runbook.clients.kube.kinds import full_name
from tests.fakes.chart_objects import Object, deployment


def workload(component: Component) -> Object:
    found = deployment(component)
    found["spec"]["template"]["metadata"]["annotations"] = {
        "dapr.io/enabled": "true",
        "dapr.io/app-id": component.app_id,
        "dapr.io/app-port": str(component.port),
        "dapr.io/app-protocol": "http",
        "dapr.io/config": f"config-{component.name}",
        "dapr.io/disable-builtin-k8s-secret-store": "true",
        "dapr.io/sidecar-seccomp-profile-type": "RuntimeDefault",
        "dapr.io/sidecar-cpu-request": "100m",
        "dapr.io/sidecar-cpu-limit": "300m",
        "dapr.io/sidecar-memory-request": "128Mi",
        "dapr.io/sidecar-memory-limit": "256Mi",
    }
    return found


def configuration(called: Component, caller: Component | None) -> Object:
    control: Object = {"defaultAction": "deny", "trustDomain": "public"}
    if caller:
        control["policies"] = [
            {
                "appId": caller.app_id,
                "namespace": "todo",
                "trustDomain": "public",
                "defaultAction": "deny",
                "operations": [{"name": "/api/**", "httpVerb": ["*"], "action": "allow"}],
            }
        ]
    return {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Configuration",
        "metadata": {"name": f"config-{called.name}", "namespace": "todo"},
        "spec": {"accessControl": control},
    }


def store() -> Object:
    return {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "statestore", "namespace": "todo"},
        "spec": {
            "type": "state.redis",
            "version": "v1",
            "metadata": [
                {"name": "redisHost", "value": "redis-svc.todo.svc.cluster.local:6379"},
                {"name": "redisPassword", "secretKeyRef": {"name": "redis-auth", "key": "password"}},
            ],
        },
        "scopes": ["todo-backend"],
    }


def system() -> Object:
    """Beside the control plane."""
    return {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Configuration",
        "metadata": {"name": "daprsystem", "namespace": "dapr-system"},
        "spec": {"mtls": {"enabled": True, "workloadCertTTL": "24h", "allowedClockSkew": "15m"}},
    }


def scene(*objects: Object, without: str = "") -> Scene:
    """The good objects, with these in the place of their namesakes."""
    good = [
        *(workload(each) for each in COMPONENTS),
        configuration(FRONTEND, None),
        configuration(BACKEND, FRONTEND),
        configuration(MCP_SERVER, BACKEND),
        store(),
    ]
    index = {(full_name(each), each["metadata"]["name"]): each for each in [*good, *objects]}
    return Scene(
        lambda kind, name: None if name == without else index.get((kind, name)), "todo.local", "todo"
    )
