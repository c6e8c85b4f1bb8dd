"""Objects that belong together, as the rules see them: what refers to what is looked up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from runbook.manifests.documents import Malformed, at, entries, fields
from runbook.manifests.item import Hit, Item, shown
from runbook.network import policies

_TEMPLATES = ("spec.template", "spec.jobTemplate.spec.template", "template")
"""Where an object may hold a pod template: workloads (custom ones too), CronJobs, PodTemplates."""

_DAPR_PORTS = ((None, 50002), (None, 3501), (None, 9090))
"""What an injected daprd listens on for others, though no manifest says so: pods, health, metrics."""

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, eq=False)
class Pod:
    """A pod, or the template of one; `path` leads to its spec."""

    scene: Scene
    item: Item
    path: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def title(self) -> str:
        return self.item.title

    @property
    def labels(self) -> Mapping[str, str]:
        return fields(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        return fields(self.metadata.get("annotations"))

    @property
    def account(self) -> str:
        return str(self.spec.get("serviceAccountName") or self.spec.get("serviceAccount") or "default")

    @property
    def with_dapr(self) -> bool:
        """Whether daprd is injected beside it."""
        return str(self.annotations.get("dapr.io/enabled")).lower() == "true"

    @property
    def runs_on(self) -> bool:
        """Whether it serves until someone stops it, unlike a job."""
        return (
            self.item.kind not in ("Job", "CronJob") and self.spec.get("restartPolicy", "Always") == "Always"
        )

    @property
    def replicas(self) -> int | None:
        """How many there are at least; None where nothing replicates it."""
        if self.item.kind not in ("Deployment", "StatefulSet", "ReplicaSet"):
            return None
        for scaler in self.scene.of("HorizontalPodAutoscaler"):
            target = fields(scaler.spec.get("scaleTargetRef"))
            if (target.get("kind"), target.get("name"), scaler.namespace) == (
                self.item.kind,
                self.item.name,
                self.item.namespace,
            ):
                return int(scaler.spec.get("minReplicas", 1))
        return int(self.item.spec.get("replicas", 1))

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        return tuple(
            Container(self, group, place, entry)
            for group in ("initContainers", "containers", "ephemeralContainers")
            for place, entry in enumerate(entries(self.spec.get(group)))
        )

    @cached_property
    def ports(self) -> tuple[tuple[str | None, int], ...]:
        """Names and numbers that its containers declare, and those of an injected daprd."""
        declared = [
            (port.get("name"), int(port["containerPort"]))
            for container in self.containers
            for port in entries(container.raw.get("ports"))
        ]
        return (*declared, *(_DAPR_PORTS if self.with_dapr else ()))

    @cached_property
    def end(self) -> policies.End:
        """It as an end of connections, for NetworkPolicies."""
        pod = {"metadata": {**self.metadata, "name": self.item.name, "namespace": self.item.namespace}}
        return policies.pod_end({**pod, "spec": self.spec}, self.scene.namespace_labels(self.item.namespace))

    def hit(self, path: str, seen: str | None = None) -> Hit:
        """`path` is relative to its spec."""
        return Hit(self.item, _joined(self.path, path), shown(at(self.spec, path)) if seen is None else seen)


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """A container of any group of a pod."""

    pod: Pod
    group: str
    place: int
    raw: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.pod.title} {self.name}"

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or self.place)

    @property
    def is_sidecar(self) -> bool:
        return self.group == "initContainers" and self.raw.get("restartPolicy") == "Always"

    @property
    def path(self) -> str:
        return _joined(self.pod.path, f"{self.group}[{self.name}]")

    @property
    def security(self) -> Mapping[str, Any]:
        return fields(self.raw.get("securityContext"))

    def hit(self, path: str, seen: str | None = None) -> Hit:
        """`path` is relative to the container."""
        return Hit(self.pod.item, f"{self.path}.{path}", shown(at(self.raw, path)) if seen is None else seen)

    def inherited(self, field_: str) -> tuple[Any, Hit]:
        """A field of the security context that a pod gives its containers: its value, and how to tell of it."""
        if field_ not in self.security and field_ in fields(self.pod.spec.get("securityContext")):
            path = f"securityContext.{field_}"
            return at(self.pod.spec, path), self.pod.hit(path)
        return self.security.get(field_), self.hit(f"securityContext.{field_}")

    def given(self, field_: str) -> Iterator[tuple[Any, Hit]]:
        """The field wherever it is written, in the pod and in the container: the one that loses counts as well."""
        path = f"securityContext.{field_}"
        if field_ in fields(self.pod.spec.get("securityContext")):
            yield at(self.pod.spec, path), self.pod.hit(path)
        if field_ in self.security:
            yield self.security[field_], self.hit(path)


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects that are applied together; `title` says which rendering or folder they are."""

    title: str
    items: tuple[Item, ...]
    unread: list[tuple[Item, str]] = field(default_factory=list)
    """Objects of which something has the wrong form, and why; no rule can be told to hold for them."""

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        found = []
        for item in self.items:
            try:
                for pod in _pods(self, item):
                    _ = pod.containers, pod.ports, pod.labels, pod.annotations
                    found.append(pod)
            except (Malformed, KeyError, TypeError, ValueError) as error:
                self.unread.append((item, str(error)))
        return tuple(found)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        return tuple(container for pod in self.pods for container in pod.containers)

    def of(self, *kinds: str) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]

    def find(self, kind: str, namespace: str, name: str) -> Item | None:
        wanted = (kind, namespace, name)
        return next((item for item in self.items if (item.kind, item.namespace, item.name) == wanted), None)

    def pods_in(self, namespace: str) -> list[Pod]:
        return [pod for pod in self.pods if pod.item.namespace == namespace]

    def selected(self, selector: Mapping[str, Any], namespace: str) -> list[Pod]:
        """The pods of a namespace that a label selector means."""
        return [pod for pod in self.pods_in(namespace) if policies.selects(selector, pod.labels)]

    @cached_property
    def namespaces(self) -> dict[str, Mapping[str, str]]:
        """The namespaces that hold pods here, with the labels that are known of them."""
        declared = {item.name: fields(at(item.raw, "metadata.labels")) for item in self.of("Namespace")}
        inhabited = {pod.item.namespace for pod in self.pods}
        return {name: {**declared.get(name, {}), NAMESPACE_LABEL: name} for name in sorted(inhabited)}

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        return self.namespaces.get(namespace, {NAMESPACE_LABEL: namespace})


def containers(scene: Scene) -> tuple[Container, ...]:
    """What a rule on containers is about: init, ephemeral and sidecar containers too."""
    return scene.containers


def linux_containers(scene: Scene) -> list[Container]:
    """Windows has neither capabilities nor seccomp, nor a way to gain privileges by a file."""
    return [each for each in scene.containers if at(each.pod.spec, "os.name") != "windows"]


def pods(scene: Scene) -> tuple[Pod, ...]:
    return scene.pods


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """An object among the others."""

    scene: Scene
    item: Item

    @property
    def title(self) -> str:
        return self.item.title

    def hit(self, path: str, seen: str | None = None) -> Hit:
        return Hit(self.item, path, shown(at(self.item.raw, path)) if seen is None else seen)


def kinds(*names: str) -> Callable[[Scene], list[Thing]]:
    """What a rule on objects of these kinds is about; of all kinds where none is named."""
    return lambda scene: [Thing(scene, item) for item in (scene.of(*names) if names else scene.items)]


def _pods(scene: Scene, item: Item) -> Iterator[Pod]:
    if item.kind == "Pod":
        yield Pod(scene, item, "spec", fields(item.raw.get("metadata")), item.spec)
        return
    for path in _TEMPLATES:
        try:
            template = fields(at(item.raw, path))
        except Malformed:
            if item.kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"):
                raise
            continue  # another kind's own template
        spec = template.get("spec")
        if isinstance(spec, Mapping) and "containers" in spec:
            yield Pod(scene, item, f"{path}.spec", fields(template.get("metadata")), spec)


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)
