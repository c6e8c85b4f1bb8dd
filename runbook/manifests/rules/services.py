"""What refers to what: Services, Ingresses, selectors, scalers, and API versions that are no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.manifests.documents import at, entries, fields
from runbook.manifests.item import Hit, Item, shown
from runbook.manifests.rule import rule
from runbook.manifests.scene import Pod, Thing, kinds
from runbook.network import policies

GONE = {
    "extensions/v1beta1": "apps/v1 or networking.k8s.io/v1",
    "apps/v1beta1": "apps/v1",
    "apps/v1beta2": "apps/v1",
    "networking.k8s.io/v1beta1": "networking.k8s.io/v1",
    "policy/v1beta1": "policy/v1",
    "batch/v1beta1": "batch/v1",
    "batch/v2alpha1": "batch/v1",
    "autoscaling/v2beta1": "autoscaling/v2",
    "autoscaling/v2beta2": "autoscaling/v2",
    "rbac.authorization.k8s.io/v1alpha1": "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1": "rbac.authorization.k8s.io/v1",
    "admissionregistration.k8s.io/v1beta1": "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1beta1": "apiextensions.k8s.io/v1",
    "certificates.k8s.io/v1beta1": "certificates.k8s.io/v1",
    "coordination.k8s.io/v1beta1": "coordination.k8s.io/v1",
    "discovery.k8s.io/v1beta1": "discovery.k8s.io/v1",
    "scheduling.k8s.io/v1beta1": "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1": "storage.k8s.io/v1",
}
"""API versions that current clusters no longer serve, and what takes their place."""

SCALED = ("Deployment", "StatefulSet", "ReplicaSet")


@rule(
    "REL-08",
    "What an object refers to is there",
    over=kinds(),
    reason="A Service that selects nothing or an Ingress to a port that nobody has is accepted, and answers nobody.",
    remedy="make selectors, ports, names and API versions agree; see the evidence",
)
def references(each: Thing) -> Iterator[Hit]:
    version = str(each.item.raw.get("apiVersion", ""))
    if version in GONE:
        yield each.hit("apiVersion", f"{version} is gone; {GONE[version]}")
    for pod in each.scene.pods:
        if pod.item is each.item:
            yield from _duplicates(pod)
            yield from _own_selector(each, pod)
    match each.item.kind:
        case "Service":
            yield from _service(each)
        case "Ingress":
            yield from _ingress(each)
        case "HorizontalPodAutoscaler":
            yield from _scaler(each)


def _duplicates(pod: Pod) -> Iterator[Hit]:
    for container in pod.containers:
        names = Counter(entry.get("name") for entry in entries(container.raw.get("env")))
        for name, count in names.items():
            if count > 1:
                yield container.hit(f"env[{name}]", f"set {count} times")


def _own_selector(each: Thing, pod: Pod) -> Iterator[Hit]:
    """A workload of apps/v1 selects the pods of its own template; the API refuses it otherwise."""
    selector = each.item.spec.get("selector")
    if each.item.kind not in (*SCALED, "DaemonSet"):
        return
    if not selector or not policies.selects(fields(selector), pod.labels):
        labels = shown(dict(pod.labels))
        yield each.hit("spec.selector", f"{shown(selector)} does not select its own pods, labelled {labels}")


def _service(each: Thing) -> Iterator[Hit]:
    spec = each.item.spec
    selector = spec.get("selector")
    if not selector or spec.get("type") == "ExternalName":
        return  # its endpoints are someone else's
    chosen = each.scene.selected({"matchLabels": fields(selector)}, each.item.namespace)
    if not chosen:
        yield each.hit("spec.selector", f"selects no pod: {shown(selector)}")
        return
    declared = [port for pod in chosen for port in pod.ports]
    for place, port in enumerate(entries(spec.get("ports"))):
        target = port.get("targetPort", port.get("port"))
        if declared and not any(target in (name, number) for name, number in declared):
            where = f"spec.ports[{port.get('name', place)}].targetPort"
            yield each.hit(where, f"{target}; the pods have {_told(declared)}")


def _ingress(each: Thing) -> Iterator[Hit]:
    spec = each.item.spec
    backends = [("spec.defaultBackend", fields(spec.get("defaultBackend")))]
    for place, entry in enumerate(entries(spec.get("rules"))):
        paths = entries(at(entry, "http.paths"))
        backends += [
            (f"spec.rules[{place}].http.paths[{number}].backend", fields(path.get("backend")))
            for number, path in enumerate(paths)
        ]
    for where, backend in backends:
        wanted = fields(backend.get("service"))
        if not wanted:
            continue
        service = each.scene.find("Service", each.item.namespace, str(wanted.get("name")))
        if service is None:
            yield each.hit(where, f"there is no Service {wanted.get('name')}")
        elif not _has_port(service, fields(wanted.get("port"))):
            yield each.hit(
                where, f"Service {service.name} has no port {shown(dict(fields(wanted.get('port'))))}"
            )


def _has_port(service: Item, wanted: Mapping[str, Any]) -> bool:
    return any(
        wanted.get("number") == port.get("port") or (wanted.get("name") or "") == port.get("name")
        for port in entries(service.spec.get("ports"))
    )


def _scaler(each: Thing) -> Iterator[Hit]:
    target = fields(each.item.spec.get("scaleTargetRef"))
    if target.get("kind") not in SCALED:
        return  # a kind whose objects may be anyone's
    found = each.scene.find(str(target["kind"]), each.item.namespace, str(target.get("name")))
    if found is None:
        yield each.hit("spec.scaleTargetRef", f"there is no {target['kind']} {target.get('name')}")
    elif found.spec.get("replicas") is not None:
        yield Hit(
            found, "spec.replicas", f"{found.spec['replicas']}, and a HorizontalPodAutoscaler sets them"
        )


def _told(ports: list[tuple[str | None, int]]) -> str:
    return ", ".join(
        f"{name} ({number})" if name else str(number) for name, number in sorted(set(ports), key=str)
    )


RULES = (references,)
