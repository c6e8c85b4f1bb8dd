"""What keeps a workload up: resources, probes, images, replicas, disruption budgets, jobs that end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from runbook.checks.quantities import quantity
from runbook.manifests.documents import at, fields
from runbook.manifests.item import Hit, shown
from runbook.manifests.rule import rule
from runbook.manifests.scene import Container, Pod, Scene, Thing, containers, kinds

RESOURCES = ("cpu", "memory", "ephemeral-storage")
SIDECAR_RESOURCES = ("cpu-request", "cpu-limit", "memory-request", "memory-limit")
LOOPBACK = ("localhost", "127.0.0.1", "::1", "")
DEPENDENCIES = re.compile(
    r"(?i)(?:^|[/_-])(ready|readyz|readiness|db|database|postgres(?:ql)?|mysql|mongo(?:db)?|redis|kafka|rabbitmq|"
    r"dapr|dependenc(?:y|ies)|deps|outbound)(?:$|[/_?-])"
)
"""Words of a probe's path that speak of more than the process."""

DAPR_PORTS = (3500, 3501, 50001)


def _sized(scene: Scene) -> list[Container]:
    """Ephemeral containers cannot have resources of their own."""
    return [each for each in scene.containers if each.group != "ephemeralContainers"]


@rule(
    "REL-01",
    "Every container requests and is limited to cpu, memory and ephemeral storage",
    over=_sized,
    reason="What requests nothing is evicted first; what has no limit takes the node from the others.",
    remedy="set resources.requests and resources.limits; beside Dapr also the annotations "
    "dapr.io/sidecar-{cpu,memory}-{request,limit}",
)
def resources(each: Container) -> Iterator[Hit]:
    own, shared = fields(each.raw.get("resources")), fields(each.pod.spec.get("resources"))
    given = {kind: {**fields(shared.get(kind)), **fields(own.get(kind))} for kind in ("requests", "limits")}
    for kind, figures in given.items():
        if missing := [name for name in RESOURCES if name not in figures]:
            yield each.hit(f"resources.{kind}", f"without {', '.join(missing)}")
    for name in given["requests"].keys() & given["limits"].keys():
        asked, most = given["requests"][name], given["limits"][name]
        if quantity(asked) > quantity(most):
            yield each.hit(f"resources.requests.{name}", f"{asked}, more than the limit of {most}")
    if each.pod.with_dapr:
        names = [f"dapr.io/sidecar-{name}" for name in SIDECAR_RESOURCES]
        if missing := [name for name in names if not each.pod.annotations.get(name)]:
            yield Hit(each.pod.item, "annotations", f"without {', '.join(missing)}")


def _serving(scene: Scene) -> list[Container]:
    """Containers that serve until someone stops them."""
    return [each for each in scene.containers if each.group == "containers" and each.pod.runs_on]


@rule(
    "REL-02",
    "Readiness and liveness are probed, on declared ports, by different questions",
    over=_serving,
    reason="Without readiness a starting pod gets requests; the same question for both restarts a pod that only waits.",
    remedy="add readinessProbe and livenessProbe on a declared port: may it get requests, does the process still live",
)
def probes(each: Container) -> Iterator[Hit]:
    asked = {}
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        handler = _handler(each, fields(each.raw.get(probe)))
        if handler:
            asked[probe] = handler
            yield from _undeclared(each, probe, handler)
        elif probe != "startupProbe":
            yield each.hit(probe)
    if "livenessProbe" in asked and asked["livenessProbe"] == asked.get("readinessProbe"):
        yield each.hit("livenessProbe", f"{_told(asked['livenessProbe'])}, as readinessProbe")


@rule(
    "REL-03",
    "Liveness asks the process, not what it depends on",
    over=_serving,
    reason="A database that is away would have every pod restarted, which helps nobody.",
    remedy="let livenessProbe ask an endpoint that touches nothing else; readinessProbe may ask more",
)
def liveness(each: Container) -> Iterator[Hit]:
    handler = _handler(each, fields(each.raw.get("livenessProbe")))
    port = handler.get("port")
    if DEPENDENCIES.search(str(handler.get("path", ""))):
        yield each.hit("livenessProbe.httpGet.path")
    elif port in DAPR_PORTS and each.pod.with_dapr:
        yield each.hit("livenessProbe", f"port {port} is daprd's")
    command = [str(word) for word in handler.get("command", ())]
    if foreign := _foreign_host(command):
        yield each.hit("livenessProbe.exec.command", f"asks the host {foreign}")


@rule(
    "REL-04",
    "Images have a fixed tag or a digest, and can be pulled",
    over=containers,
    reason="`latest` is another image tomorrow; pull policy Never starts only where someone has loaded the image.",
    remedy="name a version or a digest; imagePullPolicy: IfNotPresent for fixed tags, Always for moving ones",
)
def images(each: Container) -> Iterator[Hit]:
    image = str(each.raw.get("image") or "")
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not digest and tag in ("", "latest"):
        yield each.hit("image", image or shown(None))
    if each.raw.get("imagePullPolicy") == "Never":
        yield each.hit("imagePullPolicy")


def _replicated(scene: Scene) -> list[Pod]:
    return [each for each in scene.pods if each.item.kind in ("Deployment", "StatefulSet")]


@rule(
    "REL-06",
    "Two replicas or more on different nodes, replaced one after the other",
    over=_replicated,
    reason="One replica, or all on one node, is gone with its node; Recreate is an outage with each release.",
    remedy="replicas: 2 with topologySpreadConstraints or podAntiAffinity; RollingUpdate, maxUnavailable 0 for one",
)
def replicas(each: Pod) -> Iterator[Hit]:
    spec, number = each.item.spec, each.replicas or 0
    field = "strategy" if each.item.kind == "Deployment" else "updateStrategy"
    strategy = fields(spec.get(field))
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        yield Hit(each.item, f"spec.{field}.type", shown(strategy["type"]))
    missing = at(strategy, "rollingUpdate.maxUnavailable")
    if number == 1 and each.item.kind == "Deployment" and _share(missing, 1, round_up=False):
        yield Hit(each.item, f"spec.{field}.rollingUpdate.maxUnavailable", f"{missing} of 1 replica")
    if number < 2:
        yield Hit(each.item, "spec.replicas", shown(spec.get("replicas")))
    elif not (each.spec.get("topologySpreadConstraints") or at(each.spec, "affinity.podAntiAffinity")):
        yield each.hit("topologySpreadConstraints")


def _budgeted(scene: Scene) -> list[Pod | Thing]:
    return [
        *(each for each in _replicated(scene) if (each.replicas or 0) > 1),
        *kinds("PodDisruptionBudget")(scene),
    ]


@rule(
    "REL-07",
    "A disruption budget guards what is replicated, and lets nodes be drained",
    over=_budgeted,
    reason="Without one a drain may take all replicas at once; one that allows none blocks the drain for ever.",
    remedy="add a PodDisruptionBudget for the pods with maxUnavailable: 1 and unhealthyPodEvictionPolicy: AlwaysAllow",
)
def budgets(each: Pod | Thing) -> Iterator[Hit]:
    if isinstance(each, Pod):
        guarding = each.scene.of("PodDisruptionBudget")
        if not any(each in _selected(each.scene, budget.namespace, budget.spec) for budget in guarding):
            yield Hit(each.item, "spec.replicas", f"{each.replicas}, and no PodDisruptionBudget selects them")
        return
    spec = each.item.spec
    chosen = _selected(each.scene, each.item.namespace, spec)
    if not chosen:
        yield each.hit("spec.selector", f"selects no pod: {shown(spec.get('selector'))}")
    for pod in chosen:
        if pod.replicas is not None and _disruptions(spec, pod.replicas) < 1:
            field = "minAvailable" if spec.get("minAvailable") is not None else "maxUnavailable"
            yield each.hit(f"spec.{field}", f"{shown(spec.get(field))} of {pod.replicas} of {pod.title}")
    if not spec.get("unhealthyPodEvictionPolicy"):
        yield each.hit("spec.unhealthyPodEvictionPolicy")


@rule(
    "REL-09",
    "Jobs end: retries are bounded, leftovers removed, late starts given up",
    over=kinds("Job", "CronJob"),
    reason="Without bounds a job retries for hours and its pods stay; a CronJob that missed 100 starts never starts.",
    remedy="set backoffLimit and ttlSecondsAfterFinished on a Job, startingDeadlineSeconds on a CronJob",
)
def jobs(each: Thing) -> Iterator[Hit]:
    if each.item.kind == "CronJob":
        wanted = ("spec.startingDeadlineSeconds", "spec.jobTemplate.spec.backoffLimit")
    else:
        wanted = ("spec.backoffLimit", "spec.ttlSecondsAfterFinished")
    for path in wanted:
        if at(each.item.raw, path) is None:
            yield each.hit(path)


def _handler(each: Container, probe: Mapping[str, Any]) -> dict[str, Any]:
    """What a probe asks, with the number of the port; empty where there is no probe."""
    for way in ("httpGet", "tcpSocket", "grpc", "exec"):
        if way in probe:
            asked = {"way": way, **fields(probe[way])}
            asked.pop("host", None)
            numbers: dict[Any, int] = {name: number for name, number in each.pod.ports if name}
            asked["port"] = numbers.get(asked.get("port"), asked.get("port"))
            return asked
    return {}


def _undeclared(each: Container, probe: str, handler: Mapping[str, Any]) -> Iterator[Hit]:
    if handler["way"] != "exec" and handler["port"] not in [number for _, number in each.pod.ports]:
        yield each.hit(f"{probe}.{handler['way']}.port", f"{handler['port']} is declared by no container")


def _told(handler: Mapping[str, Any]) -> str:
    if handler["way"] == "exec":
        return "exec " + " ".join(map(str, handler.get("command", ())))
    return f"{handler['way']} :{handler['port']}{handler.get('path', '')}"


def _foreign_host(command: list[str]) -> str:
    """The first host other than the pod itself that a command names: by an option or by a URL."""
    for place, word in enumerate(command):
        if word in ("-h", "--host"):
            host = command[place + 1] if place + 1 < len(command) else ""
        elif word.startswith("--host="):
            host = word.removeprefix("--host=")
        elif "://" in word:
            host = urlsplit(word).hostname or ""
        else:
            continue
        if host not in LOOPBACK:
            return host
    return ""


def _share(value: object, whole: int, *, round_up: bool) -> int:
    """A number, or a percentage of the whole."""
    if isinstance(value, str) and value.endswith("%"):
        part = whole * int(value[:-1]) / 100
        return math.ceil(part) if round_up else math.floor(part)
    return int(str(value)) if value is not None else 0


def _disruptions(spec: Mapping[str, Any], number: int) -> int:
    """How many of so many healthy pods a budget lets go at once."""
    if spec.get("minAvailable") is not None:
        return number - _share(spec["minAvailable"], number, round_up=True)
    return _share(spec.get("maxUnavailable"), number, round_up=True)


def _selected(scene: Scene, namespace: str, spec: Mapping[str, Any]) -> list[Pod]:
    return scene.selected(fields(spec.get("selector")), namespace)


RULES = (resources, probes, liveness, images, replicas, budgets, jobs)
