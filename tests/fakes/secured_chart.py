"""Accounts, rights and policies as a good chart makes them, to be broken by tests one field at a time."""

from __future__ import annotations

from typing import Any

from runbook.app.application import COMPONENTS, Component
from runbook.checks.chart.claims import Scene
from tests.fakes.chart_objects import Object, deployment, labels


def account(component: Component) -> Object:
    return {
        "kind": "ServiceAccount",
        "metadata": {"name": component.account, "namespace": "todo"},
        "automountServiceAccountToken": False,
    }


def role(component: Component) -> Object:
    def rule(resource: str, name: str) -> Object:
        return {"apiGroups": [""], "resources": [resource], "resourceNames": [name], "verbs": ["get"]}

    return {
        "kind": "Role",
        "metadata": {"name": component.name, "namespace": "todo"},
        "rules": [rule("configmaps", "todo-database-ca"), rule("secrets", "todo-secrets")],
    }


def binding(component: Component) -> Object:
    return {
        "kind": "RoleBinding",
        "metadata": {"name": component.name, "namespace": "todo"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": component.name},
        "subjects": [{"kind": "ServiceAccount", "name": component.account, "namespace": "todo"}],
    }


def workload(component: Component) -> Object:
    found = deployment(component)
    found["spec"]["template"]["spec"]["serviceAccountName"] = component.account
    return found


def policy(name: str, subject: Component | None, direction: str, peer: Any = None, port: int = 0) -> Object:
    """A policy with one rule; without a subject it selects all pods, without a peer it allows nothing."""
    spec: Object = {
        "podSelector": {"matchLabels": labels(subject)} if subject else {},
        "policyTypes": direction.split(),
    }
    if peer is not None:
        way = "from" if direction == "Ingress" else "to"
        spec[direction.lower()] = [{way: [peer], "ports": [{"protocol": "TCP", "port": port}]}]
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "todo"}, "spec": spec}


def of(component: Component) -> Object:
    return {"podSelector": {"matchLabels": labels(component)}}


def elsewhere(namespace: str, name: str) -> Object:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": name}},
    }


def call(source: Component, destination: Component, port: int) -> list[Object]:
    """The two policies of one way between components."""
    return [
        policy(f"{source.name}-to-{destination.name}", source, "Egress", of(destination), port),
        policy(f"{destination.name}-from-{source.name}", destination, "Ingress", of(source), port),
    ]


def scene(*objects: Object, without: str = "") -> Scene:
    """The good objects, with these in the place of their namesakes."""
    frontend, backend, mcp_server = COMPONENTS
    good = [
        *(make(each) for each in COMPONENTS for make in (account, role, binding, workload)),
        policy("default-deny", None, "Ingress Egress"),
        *call(frontend, backend, 8000),
        *call(backend, mcp_server, 8080),
        policy("backend-to-database", backend, "Egress", elsewhere("todo-database", "postgres"), 5432),
    ]
    index = {(each["kind"], each["metadata"]["name"]): each for each in [*good, *objects]}
    return Scene(
        lambda kind, name: None if name == without else index.get((kind, name)), "todo.local", "todo"
    )
