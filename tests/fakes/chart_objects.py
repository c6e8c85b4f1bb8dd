"""Objects as a good chart makes them, to be broken by tests one field at a time."""

from __future__ import annotations

import copy
from typing import Any

from runbook.app.application import COMPONENTS, FRONTEND, Component

Object = dict[str, Any]

FIGURES = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}
SECURITY: Object = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def labels(component: Component) -> dict[str, str]:
    return {"app.kubernetes.io/name": component.name, "app.kubernetes.io/instance": "todo-app"}


def deployment(component: Component = FRONTEND) -> Object:
    probe = {"httpGet": {"path": component.health, "port": "http"}}
    container = {
        "name": component.name,
        "image": f"{component.image}:1.0.0",
        "imagePullPolicy": "Never",
        "securityContext": copy.deepcopy(SECURITY),
        "ports": [{"name": "http", "containerPort": component.port}],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "resources": copy.deepcopy(FIGURES),
        "livenessProbe": copy.deepcopy(probe),
        "readinessProbe": copy.deepcopy(probe),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": component.name, "labels": labels(component)},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels(component)},
            "template": {"metadata": {"labels": labels(component)}, "spec": pod},
        },
    }


def service(component: Component = FRONTEND) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": component.service, "labels": labels(component)},
        "spec": {
            "type": "ClusterIP",
            "selector": labels(component),
            "ports": [{"name": "http", "port": component.port, "targetPort": "http"}],
        },
    }


def ingress() -> Object:
    backend = {"service": {"name": "frontend-svc", "port": {"number": 3000}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "kind": "Ingress",
        "metadata": {"name": "frontend", "labels": labels(FRONTEND)},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "todo.local", "http": {"paths": [path]}}]},
    }


def namespace() -> Object:
    return {"kind": "Namespace", "metadata": {"name": "todo", "labels": {"env": "development"}}}


def all_objects() -> list[Object]:
    return [
        *(deployment(component) for component in COMPONENTS),
        *(service(component) for component in COMPONENTS),
        ingress(),
        namespace(),
    ]


def changed(source: Object, path: str, value: Any) -> Object:
    """A copy with the value at a dotted path replaced; None removes it. Numbers are list positions."""
    result = copy.deepcopy(source)
    place: Any = result
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result
