"""Whether rendered objects agree: references that lead nowhere, policies that mean nobody, secrets in clear.

The API server takes all of these without a word, and the application then waits, answers nobody, or leaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runbook.app.application import SIDECAR_CALLS, SIDECAR_PUBLIC
from runbook.app.secret_patterns import form_of, under_a_secret_name
from runbook.checks.chart.claims import Object
from runbook.netpol import policies
from runbook.netpol.policies import EGRESS, INGRESS, TCP

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
OF_THE_NODE = ("hostNetwork", "hostPID", "hostIPC")
SIDECAR_PORTS = frozenset({SIDECAR_CALLS, *SIDECAR_PUBLIC})
"""What an injected daprd listens on for others, though no manifest says so."""


def problems(objects: Sequence[Object], given: Mapping[str, frozenset[str]]) -> list[str]:
    """What is wrong among the objects of one release, in words; empty where all agree.

    `given`: Secrets and ConfigMaps that are made outside of the release, by name, with their keys. Pods of other
    namespaces are not known here, so what a policy says of them is not judged.

    Source: T098, T099.
    """
    release = _Release(objects)
    found = list(_secrets_in_clear(objects))
    for pod in release.pods:
        found += _shared_with_the_node(pod)
        found += _missing_keys(release, pod, given)
        if not release.has("ServiceAccount", account := str(pod.spec.get("serviceAccountName", "default"))):
            found.append(f"{pod.title} runs as ServiceAccount {account}, which does not exist")
    for each in objects:
        title = f"{each['kind']} {each['metadata']['name']}"
        match each["kind"]:
            case "Service":
                found += _service(release, title, each["spec"])
            case "Ingress":
                found += _ingress(release, title, each["spec"])
            case "RoleBinding":
                found += _binding(release, title, each)
            case "PodDisruptionBudget":
                if not release.selected(each["spec"].get("selector") or {}):
                    found.append(f"{title} selects no pod")
            case "NetworkPolicy":
                found += _policy(release, title, each)
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Pod:
    title: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    end: policies.End

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ports(self) -> set[str | int]:
        """Names and numbers of the ports that it declares, and of those that its sidecar will have."""
        declared = [port for container in self.containers for port in container.get("ports") or []]
        named: set[str | int] = {str(port["name"]) for port in declared if port.get("name")}
        numbers = {int(port["containerPort"]) for port in declared}
        with_sidecar = (self.metadata.get("annotations") or {}).get("dapr.io/enabled") == "true"
        return named | numbers | (SIDECAR_PORTS if with_sidecar else set())


class _Release:
    def __init__(self, objects: Sequence[Object]) -> None:
        self.objects = objects
        self._by_name = {(str(each["kind"]), str(each["metadata"]["name"])): each for each in objects}

    def find(self, kind: str, name: str) -> Object | None:
        return self._by_name.get((kind, name))

    def has(self, kind: str, name: str) -> bool:
        return (kind, name) in self._by_name or (kind, name) == ("ServiceAccount", "default")

    @cached_property
    def pods(self) -> list[_Pod]:
        found = []
        for each in self.objects:
            template = (each.get("spec") or {}).get("template")
            if not template:
                continue
            metadata = {**template.get("metadata", {}), "name": each["metadata"]["name"]}
            namespace = str(each["metadata"].get("namespace", ""))
            end = policies.pod_end(
                {"metadata": {**metadata, "namespace": namespace}, "spec": template["spec"]},
                {NAMESPACE_LABEL: namespace},
            )
            title = f"{each['kind']} {each['metadata']['name']}"
            found.append(_Pod(title, metadata, template["spec"], end))
        return found

    def selected(self, selector: Mapping[str, Any]) -> list[_Pod]:
        return [pod for pod in self.pods if policies.selects(selector, pod.end.labels)]


def _service(release: _Release, title: str, spec: Mapping[str, Any]) -> Iterator[str]:
    if not (selector := spec.get("selector")):
        return
    chosen = release.selected({"matchLabels": selector})
    if not chosen:
        yield f"{title} selects no pod"
    for port in spec.get("ports") or [] if chosen else []:
        target = port.get("targetPort", port["port"])
        if not any(target in pod.ports for pod in chosen):
            yield f"{title}: its pods have no port {target}"


def _ingress(release: _Release, title: str, spec: Mapping[str, Any]) -> Iterator[str]:
    paths = [path for rule in spec.get("rules") or [] for path in (rule.get("http") or {}).get("paths", [])]
    for backend in [spec.get("defaultBackend") or {}, *(path["backend"] for path in paths)]:
        if not (wanted := backend.get("service")):
            continue
        service = release.find("Service", wanted["name"])
        if service is None:
            yield f"{title} leads to Service {wanted['name']}, which does not exist"
            continue
        port = wanted.get("port") or {}
        listed = service["spec"].get("ports") or []
        if not any(
            port.get("number") == each["port"] or port.get("name", "") == each.get("name") for each in listed
        ):
            yield f"{title}: Service {wanted['name']} has no port {port.get('number') or port.get('name')}"


def _binding(release: _Release, title: str, binding: Object) -> Iterator[str]:
    role = binding["roleRef"]
    if role["kind"] == "Role" and not release.has("Role", role["name"]):
        yield f"{title} grants Role {role['name']}, which does not exist"
    for subject in binding.get("subjects") or []:
        if subject["kind"] == "ServiceAccount" and not release.has("ServiceAccount", subject["name"]):
            yield f"{title} names ServiceAccount {subject['name']}, which does not exist"


def _policy(release: _Release, title: str, policy: Object) -> Iterator[str]:
    """Selectors that mean nobody, and ports that nobody has: of a Service instead of its pods, most of the time."""
    subjects = [pod for pod in release.pods if policies.applies(policy, pod.end)]
    if not subjects and policy["spec"].get("podSelector"):
        yield f"{title} selects no pod"
    if not policy["spec"].get("policyTypes"):
        yield f"{title} has no policyTypes"
    for direction in (INGRESS, EGRESS):
        for rule in policies.rules(policy, direction):
            inside = [peer for peer in policies.peers(rule, direction) if _is_inside(policy, peer)]
            meant = {
                id(peer): [pod for pod in release.pods if policies.peer_matches(policy, peer, pod.end)]
                for peer in inside
            }
            if any(not pods for pods in meant.values()):
                yield f"{title}: a peer of its {direction.lower()} means no pod"
            reached = subjects if direction == INGRESS else [pod for pods in meant.values() for pod in pods]
            for entry in rule.get("ports") or [] if reached else []:
                wanted = entry.get("port")
                if entry.get("protocol", TCP) == TCP and not any(wanted in pod.ports for pod in reached):
                    yield f"{title}: no pod that it means has the port {wanted}"


def _is_inside(policy: Object, peer: Mapping[str, Any]) -> bool:
    """Whether it can only mean pods of the policy's own namespace."""
    namespace = str(policy["metadata"].get("namespace", ""))
    selector = peer.get("namespaceSelector")
    own = selector is None or (selector.get("matchLabels") or {}).get(NAMESPACE_LABEL) == namespace
    return own and "ipBlock" not in peer


def _shared_with_the_node(pod: _Pod) -> Iterator[str]:
    """On the node's network no policy holds; in its process space others can be read and ended."""
    for name in OF_THE_NODE:
        if pod.spec.get(name):
            yield f"{pod.title} shares the node's {name.removeprefix('host')}"
    for volume in pod.spec.get("volumes") or []:
        if "hostPath" in volume:
            yield f"{pod.title} mounts {volume['hostPath'].get('path')} of the node"


def _missing_keys(release: _Release, pod: _Pod, given: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for kind, name, key in _references(pod):
        there = release.find(kind, name)
        if there is None and name not in given:
            yield f"{pod.title} needs {kind} {name}, which nobody makes"
            continue
        groups = ("data", "stringData", "binaryData")
        keys = {key for group in groups for key in there.get(group) or {}} if there else given[name]
        if key and key not in keys:
            yield f"{pod.title} needs the key {key}, which {kind} {name} does not have"


def _references(pod: _Pod) -> Iterator[tuple[str, str, str]]:
    """Kind, name and key ("" for all of it) of what must be there before the pod starts."""
    for container in pod.containers:
        for entry in container.get("env") or []:
            source = entry.get("valueFrom") or {}
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if (reference := source.get(field)) and not reference.get("optional"):
                    yield kind, reference["name"], reference["key"]
        for entry in container.get("envFrom") or []:
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if (reference := entry.get(field)) and not reference.get("optional"):
                    yield kind, reference["name"], ""
    for volume in pod.spec.get("volumes") or []:
        for source in (volume, *((volume.get("projected") or {}).get("sources") or [])):
            for field, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
                if (reference := source.get(field)) and not reference.get("optional"):
                    named = str(reference.get(name) or reference.get("name"))
                    items = [str(item["key"]) for item in reference.get("items") or []]
                    yield from ((kind, named, key) for key in items or [""])


def _secrets_in_clear(objects: Sequence[Object]) -> Iterator[str]:
    """By the form of a value or by the name that it goes under; the value itself is never shown."""
    for each in objects:
        for place, name, value in _texts(each, "", ""):
            form = form_of(value)
            if form is None and _chosen_by_people(place) and under_a_secret_name(name, value):
                form = "a value under a secret's name"
            if form:
                yield f"{each['kind']} {each['metadata']['name']}: {form} at {place}"


def _chosen_by_people(place: str) -> bool:
    """Whether names there are people's own; fields of the API have names of their own."""
    return place.startswith(("data.", "stringData.", "metadata.annotations.")) or place.endswith(".value")


def _texts(value: object, place: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Every text: where it stands, the name that it goes under, and itself."""
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            yield f"{place}.value", value["name"], value["value"]
        for key, each in value.items():
            yield from _texts(each, f"{place}.{key}" if place else str(key), str(key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            label = each.get("name", number) if isinstance(each, Mapping) else number
            yield from _texts(each, f"{place}[{label}]", name)
    elif isinstance(value, str):
        yield place, name, value
