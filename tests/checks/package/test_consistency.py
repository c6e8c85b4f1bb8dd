"""Rendered objects that agree with each other, and each way in which they may not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from runbook.checks.package.consistency import problems

Objects = dict[str, Any]

GIVEN = {"secret": frozenset({"key"})}


def release() -> Objects:
    """A pod that is reached by a Service, an Ingress and a policy, with an account and what it needs."""
    container = {
        "name": "web",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "key"}}},
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
        ],
    }
    pod = {
        "serviceAccountName": "web",
        "containers": [container],
        "volumes": [{"configMap": {"name": "settings"}}],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    peer = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "http"}]}
    objects = {
        "Deployment": {"template": template},
        "Service": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
        "Ingress": {"rules": [{"http": {"paths": [{"backend": backend}]}}]},
        "PodDisruptionBudget": {"selector": {"matchLabels": {"app": "web"}}},
        "NetworkPolicy": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [peer],
        },
    }
    found: Objects = {
        kind: {"kind": kind, "metadata": {"name": "web", "namespace": "todo"}, "spec": spec}
        for kind, spec in objects.items()
    }
    found |= {
        kind: {"kind": kind, "metadata": {"name": "web", "namespace": "todo"}}
        for kind in ("ServiceAccount", "Role")
    }
    found["RoleBinding"] = {
        "kind": "RoleBinding",
        "metadata": {"name": "web"},
        "roleRef": {"kind": "Role", "name": "web"},
        "subjects": [{"kind": "ServiceAccount", "name": "web"}],
    }
    found["ConfigMap"] = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "plain"}}
    return found


def judged(change: Callable[[Objects], object] = lambda _: None) -> list[str]:
    objects = copy.deepcopy(release())
    change(objects)
    return problems(list(objects.values()), GIVEN)


def pod(objects: Objects) -> Any:
    return objects["Deployment"]["spec"]["template"]["spec"]


def rule(objects: Objects) -> Any:
    return objects["NetworkPolicy"]["spec"]["ingress"][0]


def test_objects_that_agree() -> None:
    assert judged() == []


FAULTS: list[tuple[Callable[[Objects], object], str]] = [
    (lambda o: o["Service"]["spec"].update(selector={"app": "wbe"}), "Service web selects no pod"),
    (lambda o: o["Service"]["spec"]["ports"][0].update(targetPort=80), "Service web: its pods have no port 80"),
    (lambda o: o.pop("Service"), "Ingress web leads to Service web, which does not exist"),
    (lambda o: o["Service"]["spec"]["ports"][0].update(port=81), "Ingress web: Service web has no port 80"),
    (lambda o: o["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].update(app="w"),
        "PodDisruptionBudget web selects no pod"),
    (lambda o: o.pop("ServiceAccount"), "Deployment web runs as ServiceAccount web, which does not exist"),
    (lambda o: o["RoleBinding"]["subjects"][0].update(name="x"),
        "RoleBinding web names ServiceAccount x, which does not exist"),
    (lambda o: o.pop("Role"), "RoleBinding web grants Role web, which does not exist"),
    (lambda o: o.pop("ConfigMap"), "Deployment web needs ConfigMap settings, which nobody makes"),
    (lambda o: o["ConfigMap"].update(data={}), "needs the key mode, which ConfigMap settings does not have"),
    (lambda o: pod(o)["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"].update(key="k"),
        "Deployment web needs the key k, which Secret secret does not have"),
    (lambda o: pod(o)["containers"][0].update(envFrom=[{"secretRef": {"name": "lost"}}]),
        "Deployment web needs Secret lost, which nobody makes"),
    (lambda o: pod(o).update(volumes=[{"projected": {"sources": [{"secret": {"name": "lost"}}]}}]),
        "Deployment web needs Secret lost, which nobody makes"),
    (lambda o: pod(o).update(hostNetwork=True), "Deployment web shares the node's Network"),
    (lambda o: pod(o).update(volumes=[{"hostPath": {"path": "/"}}]), "Deployment web mounts / of the node"),
    (lambda o: o["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].update(app="w"),
        "NetworkPolicy web selects no pod"),
    (lambda o: rule(o)["from"][0]["podSelector"]["matchLabels"].update(app="w"),
        "NetworkPolicy web: a peer of its ingress means no pod"),
    (lambda o: rule(o)["ports"][0].update(port=80), "NetworkPolicy web: no pod that it means has the port 80"),
    (lambda o: o["NetworkPolicy"]["spec"].pop("policyTypes"), "NetworkPolicy web has no policyTypes"),
    (lambda o: pod(o)["containers"][0]["env"].append({"name": "DB_PASSWORD", "value": "hunter2hunter2"}),
        "a value under a secret's name at spec.template.spec.containers[web].env[DB_PASSWORD].value"),
    (lambda o: o["ConfigMap"]["data"].update(url="postgres://u:hunter2hunter2@db/x"),
        "ConfigMap settings: a password in a URL at data.url"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), FAULTS, ids=[words[:40] for _, words in FAULTS])
def test_each_fault_is_named(change: Callable[[Objects], object], words: str) -> None:
    found = judged(change)
    assert any(words in each for each in found), found
    assert not any("hunter2" in each for each in found)


def test_what_is_optional_or_of_another_namespace_is_nobodys_fault() -> None:
    def change(objects: Objects) -> None:
        pod(objects)["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"] |= {
            "name": "lost",
            "optional": True,
        }
        rule(objects)["from"].append(
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}
        )

    assert judged(change) == []


def test_a_sidecar_has_ports_that_no_manifest_names() -> None:
    def change(objects: Objects) -> None:
        template = objects["Deployment"]["spec"]["template"]
        template["metadata"]["annotations"] = {"dapr.io/enabled": "true"}
        rule(objects)["ports"][0].update(port=50002)

    assert judged(change) == []
