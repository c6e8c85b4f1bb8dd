"""Objects as a healthy deployment shows them, to be broken by tests one field at a time."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from runbook.app.application import COMPONENTS, Component
from runbook.engine.settings import Settings
from runbook.ownership.installation import LABEL, identity

Object = dict[str, Any]

BORN = "2026-01-01T10:00:00Z"
READY = "2026-01-01T10:00:20Z"
IMAGE = "sha256:" + "a" * 64


def labels(component: Component) -> dict[str, str]:
    return {"app.kubernetes.io/name": component.name, "app.kubernetes.io/instance": "todo-app"}


def pod(component: Component, address: str = "10.1.0.5") -> Object:
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{component.name}-1",
            "namespace": "todo",
            "uid": f"uid-{component.name}-1",
            "labels": labels(component),
            "creationTimestamp": BORN,
        },
        "spec": {
            "containers": [
                {
                    "name": component.name,
                    "image": f"{component.image}:1.0.0",
                    "ports": [{"name": "http", "containerPort": component.port}],
                }
            ]
        },
        "status": {
            "phase": "Running",
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": READY}],
            "containerStatuses": [
                {
                    "name": component.name,
                    "ready": True,
                    "restartCount": 0,
                    "imageID": IMAGE,
                    "state": {"running": {"startedAt": BORN}},
                }
            ],
        },
    }


def waiting(thing: Object, reason: str, message: str = "", restarts: int = 0) -> Object:
    """The pod with its container waiting for that reason."""
    thing["status"]["phase"] = "Pending" if not restarts else "Running"
    thing["status"]["conditions"] = [
        {"type": "Ready", "status": "False", "message": "containers with unready status"}
    ]
    thing["status"]["containerStatuses"][0] |= {
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    return thing


def deployment(component: Component) -> Object:
    return {
        "kind": "Deployment",
        "metadata": {
            "name": component.name,
            "namespace": "todo",
            "labels": labels(component),
            "generation": 1,
        },
        "spec": {"replicas": 1},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
        },
    }


def service(component: Component) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": component.service, "namespace": "todo"},
        "spec": {"selector": labels(component), "ports": [{"port": component.port, "targetPort": "http"}]},
    }


def endpoint_slice(component: Component, address: str = "10.1.0.5") -> Object:
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{component.service}-x",
            "namespace": "todo",
            "labels": {"kubernetes.io/service-name": component.service},
        },
        "ports": [{"name": "http", "port": component.port}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }


def release_secret(
    name: str = "todo-app",
    namespace: str = "todo",
    *,
    revision: int = 1,
    status: str = "deployed",
    digest: str = "",
    objects: Sequence[Object] = (),
    hooks: Sequence[Object] = (),
    values: Mapping[str, Any] | None = None,
    chart_version: str = "1.0.0",
    description: str = "Install complete",
    notes: str = "",
    installation: str | None = None,
) -> Object:
    """Helm's record of a revision that installed these objects, given these values; ours unless another id is given."""
    manifest = "---\n".join(json.dumps(each) + "\n" for each in objects)
    record = {
        "manifest": manifest,
        "hooks": [{"manifest": json.dumps(each)} for each in hooks],
        "config": dict(values or {}),
        "chart": {"metadata": {"version": chart_version}},
        "info": {"description": description, "notes": notes},
    }
    payload = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    return {
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(payload).decode()},
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{revision}",
            "namespace": namespace,
            "labels": {
                "owner": "helm",
                "name": name,
                "version": str(revision),
                "status": status,
                "todo.runbook/release-digest": digest,
                LABEL: identity(Settings()) if installation is None else installation,
            },
        },
    }


def node(ready: str = "True", version: str = "v1.35.4") -> Object:
    return {
        "kind": "Node",
        "metadata": {"name": "todo"},
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "message": "container runtime is down"}],
            "capacity": {"cpu": "64", "memory": "512Gi"},
            "allocatable": {"cpu": "2", "memory": "8Gi"},
            "nodeInfo": {"kubeletVersion": version},
        },
    }


def everything() -> list[Object]:
    """A whole application that runs, each component with an address of its own."""
    found = []
    for number, component in enumerate(COMPONENTS):
        address = f"10.1.0.{number + 5}"
        found += [
            pod(component, address),
            deployment(component),
            service(component),
            endpoint_slice(component, address),
        ]
    return found
