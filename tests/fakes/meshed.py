"""Objects as a healthy deployment with Dapr shows them, to be broken by tests one field at a time."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from runbook.app.application import COMPONENTS, DAPR_NAMESPACE, REDIS, REDIS_SECRET, Component
from runbook.app.dapr.control_plane import SERVICES
from runbook.app.sidecars import INJECTOR, TRUST_BUNDLE
from tests.fakes import running

Object = dict[str, Any]

ANCHORS = "-----BEGIN CERTIFICATE-----\nanchors\n-----END CERTIFICATE-----\n"
IMAGE = "todo.runbook/dapr:123"
PASSWORD = "p" * 43
VALUES = {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}}


def pod(component: Component, *, native: bool = False) -> Object:
    """A pod of the application with its sidecar, as an ordinary container or as a native one."""
    made = running.pod(component)
    made["metadata"]["annotations"] = {"dapr.io/enabled": "true"}
    sidecar: Object = {
        "name": "daprd",
        "image": IMAGE,
        "args": ["/daprd", "--app-id", component.app_id, "--enable-mtls"],
        "env": [{"name": "DAPR_TRUST_ANCHORS", "value": ANCHORS}],
    }
    told = {"name": "daprd", "ready": True, "restartCount": 0, "state": {"running": {}}}
    if native:
        made["spec"]["initContainers"] = [sidecar | {"restartPolicy": "Always"}]
        made["status"]["initContainerStatuses"] = [told]
    else:
        made["spec"]["containers"].append(sidecar)
        made["status"]["containerStatuses"].append(told)
    return made


def deployment(component: Component) -> Object:
    made = running.deployment(component)
    annotations = {"dapr.io/enabled": "true", "dapr.io/app-id": component.app_id}
    made["spec"]["template"] = {"metadata": {"annotations": annotations}, "spec": {}}
    return made


def application() -> list[Object]:
    return [made for each in COMPONENTS for made in (pod(each), deployment(each))]


def service(name: str, version: str) -> Object:
    """A Deployment of the control plane."""
    made = running.deployment(COMPONENTS[0])
    environment = [{"name": "SIDECAR_IMAGE", "value": IMAGE}]
    made["metadata"] = {"name": name, "namespace": DAPR_NAMESPACE, "generation": 1}
    made["spec"]["template"] = {
        "metadata": {"labels": {"app.kubernetes.io/version": version}},
        "spec": {"containers": [{"name": name, "env": environment}]},
    }
    return made


def service_pod(name: str) -> Object:
    made = running.pod(COMPONENTS[0])
    made["metadata"] = {"name": f"{name}-1", "namespace": DAPR_NAMESPACE, "uid": f"uid-{name}"}
    return made


def webhook() -> Object:
    return {
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": INJECTOR},
        "webhooks": [
            {
                "name": "sidecar-injector.dapr.io",
                "failurePolicy": "Fail",
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "todo"}},
                "clientConfig": {"caBundle": "Y2E="},
            }
        ],
    }


def trust_bundle(days: int = 365) -> list[Object]:
    """The anchors, and sentry's own certificate, good for so many days."""
    data = {"issuer.crt": base64.b64encode(_certificate(days)).decode()}
    metadata = {"name": TRUST_BUNDLE, "namespace": DAPR_NAMESPACE}
    return [
        {"kind": "ConfigMap", "metadata": dict(metadata), "data": {"ca.crt": ANCHORS}},
        {"kind": "Secret", "metadata": dict(metadata), "data": data},
    ]


def control_plane(version: str) -> list[Object]:
    found = [webhook(), *trust_bundle()]
    for name in SERVICES:
        found += [service(name, version), service_pod(name)]
    return found


def redis() -> list[Object]:
    """Redis as it runs, with the Secret of its password."""
    pod = running.pod(COMPONENTS[0])
    pod["metadata"] |= {"name": "redis-0", "uid": "uid-redis", "labels": {"app.kubernetes.io/name": REDIS}}
    stateful_set = {
        "kind": "StatefulSet",
        "metadata": {
            "name": REDIS,
            "namespace": "todo",
            "generation": 1,
            "labels": {"app.kubernetes.io/name": REDIS},
        },
        "spec": {"replicas": 1, "serviceName": "redis-svc"},
        "status": {
            "observedGeneration": 1,
            "readyReplicas": 1,
            "currentRevision": "1",
            "updateRevision": "1",
        },
    }
    secret = {
        "kind": "Secret",
        "metadata": {"name": REDIS_SECRET, "namespace": "todo"},
        "data": {"password": base64.b64encode(PASSWORD.encode()).decode()},
    }
    return [pod, stateful_set, secret]


def _certificate(days: int) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
    return made.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM)
