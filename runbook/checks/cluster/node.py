"""The cluster under the application: the node, and the ingress controller in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from runbook.app.application import INGRESS_CLASS
from runbook.checks.chart.quantities import quantity
from runbook.checks.web.site import STRANGER
from runbook.clients.kube import workloads
from runbook.cluster import capacity
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

OLDEST = {"embedded": "1.35"}
DNS = ("kube-dns", "kube-system")
"""Service and namespace of the cluster's DNS, whatever serves it; a cluster that names it otherwise is not judged."""

OLDEST_ELSEWHERE = "1.30"
"""Clusters of the user's own: what the chart and the checks need of the API."""

CPUS, MEMORY = 4, 8192
"""What the list starts its cluster with; MiB."""
LISTED = "4 CPU and 8 GB"
KEPT = 0.9
"""Of a machine's memory, what a node shows of it at least: the kernel keeps some."""


@dataclass(frozen=True, slots=True)
class Least:
    """What a node must have: cores and MiB, of whom."""

    cpus: int
    memory: int
    owner: str

    @property
    def is_less(self) -> bool:
        """Than the list says."""
        return self.cpus < CPUS or self.memory < MEMORY * KEPT

    def __str__(self) -> str:
        return f"{self.cpus} CPU and {self.memory} MB"


def ready(world: World) -> Outcome:
    """The API server answers, every node is Ready, in a version that carries the chart, and the cluster's DNS is up.

    A cluster of ours has the 4 CPUs and 8 GB that the list gives it, or all that the machine has where that is less,
    which is said then. Source: T043.
    """
    oldest = OLDEST.get(world.cluster.provider, OLDEST_ELSEWHERE)
    wanted = f"a running Kubernetes {oldest} or newer whose node is Ready"
    status = world.cluster.status()
    evidence: dict[str, Any] = {
        "provider": status.provider,
        "version": status.version,
        "parts": dict(status.parts),
    }
    if not status.running:
        return failed(f"{status.provider}: {status.detail}", wanted=wanted, hint="inv cluster.up", **evidence)
    if status.wants_up:
        return failed(
            f"{status.provider}: it runs, but {status.wants_up}",
            wanted=f"{wanted}, and stays so",
            hint="inv cluster.up",
            **evidence,
        )
    nodes = world.api.list("Node")
    evidence["nodes"] = [_capacity(node) for node in nodes]
    if not nodes:
        return failed("the cluster has no node", wanted=wanted, hint="inv cluster.up", **evidence)
    problems = [_problem(node) for node in nodes]
    if told := workloads.describe(problems):
        return failed(told, wanted=wanted, hint="kubectl describe nodes", **evidence)
    least = _least(world)
    if small := [told for node in nodes if (told := _too_small(node, least))]:
        return failed(
            "; ".join(small),
            wanted=f"{wanted}, with {least}",
            hint="inv cleanup, then inv deploy",
            **evidence,
        )
    if dns := _dns_problem(world):
        return failed(
            dns, wanted=f"{wanted}, and names that resolve in it", hint="inv cluster.up", **evidence
        )
    version = world.api.version()
    evidence["version"] = version
    if _older(version, oldest):
        return failed(f"Kubernetes {version}", wanted=wanted, hint="inv cleanup, then inv deploy", **evidence)
    sizes = "; ".join(f"{each['cpu']} CPU, {each['memory']}" for each in evidence["nodes"])
    short = f"; less than the list's {LISTED}: {least.owner} has no more" if least and least.is_less else ""
    return passed(
        f"{status.provider}: Kubernetes {version}, {len(nodes)} node Ready ({sizes}{short})",
        wanted=wanted,
        **evidence,
    )


def _problem(node: Mapping[str, Any]) -> str:
    state = workloads.condition(node, "Ready")
    if state.get("status") != "True":
        return f"node {workloads.name(node)} is not Ready: {state.get('message') or state.get('reason') or 'unknown'}"
    pressures = [
        kind
        for kind in ("DiskPressure", "MemoryPressure", "PIDPressure")
        if workloads.condition(node, kind).get("status") == "True"
    ]
    if pressures:
        return f"node {workloads.name(node)} has {', '.join(pressures)}"
    return (
        f"node {workloads.name(node)} takes no pods (cordoned)" if node["spec"].get("unschedulable") else ""
    )


def _least(world: World) -> Least | None:
    """None where the cluster is somebody's own, or in a machine that we do not know."""
    settings, provider = world.settings, world.cluster.provider
    if provider == "embedded":
        there = capacity.of_this_machine()
    elif provider == "kind" or (provider == "minikube" and settings.driver == "docker"):
        there = capacity.of_docker(world.commands)
    else:
        return None
    asked = provider == "minikube"
    cpus = (asked and settings.cpus) or min(CPUS, there.cpus)
    memory = (asked and settings.memory) or min(MEMORY, there.memory)
    return Least(int(cpus), int(memory), there.owner)


def _too_small(node: Mapping[str, Any], least: Least | None) -> str:
    has = (node["status"].get("capacity") or {}) if least else {}
    if least is None or not has:
        return ""
    cpus, memory = quantity(has["cpu"]), quantity(has["memory"]) / capacity.MIB
    if cpus >= least.cpus and memory >= least.memory * KEPT:
        return ""
    return f"node {workloads.name(node)} has {has['cpu']} CPU and {has['memory']} of memory, not {least}"


def _dns_problem(world: World) -> str:
    """Without DNS pods stay Ready and nothing works: told here, and not as a fault of the application."""
    service, namespace = DNS
    if world.api.get("Service", service, namespace) is None:
        return ""
    slices = world.api.list("EndpointSlice", namespace, labels=f"kubernetes.io/service-name={service}")
    conditions = [
        endpoint.get("conditions") or {} for each in slices for endpoint in each.get("endpoints") or []
    ]
    if any(each.get("ready") for each in conditions):
        return ""
    return f"the cluster's DNS has no ready pod: Service {service} in namespace {namespace} has no ready endpoint"


def _capacity(node: Mapping[str, Any]) -> dict[str, str]:
    there = node["status"].get("allocatable") or {}
    return {
        "node": workloads.name(node),
        "cpu": str(there.get("cpu", "")),
        "memory": str(there.get("memory", "")),
        "kubelet": str((node["status"].get("nodeInfo") or {}).get("kubeletVersion", "")),
    }


def _older(version: str, oldest: str) -> bool:
    try:
        return Version(version.removeprefix("v").partition("+")[0]) < Version(oldest)
    except InvalidVersion:
        raise Unmeasurable(
            f"the API server calls its version {version!r}", wanted="a version number"
        ) from None


def ingress(world: World) -> Outcome:
    """IngressClass nginx exists, and its controller really answers on port 80, with its own 404 for an unknown host.

    Source: T044.
    """
    wanted = f"IngressClass {INGRESS_CLASS}, and a controller that answers on port 80"
    found = world.api.get("IngressClass", INGRESS_CLASS)
    if found is None:
        others = [workloads.name(each) for each in world.api.list("IngressClass")]
        return failed(
            f"there is no IngressClass {INGRESS_CLASS}; the cluster has: {', '.join(others) or 'none'}",
            wanted=wanted,
            hint="inv deploy",
        )
    controller = str(found["spec"].get("controller", ""))
    try:
        answer = world.http.get(host=STRANGER, plain=True)
    except Unmeasurable as away:
        return failed(
            f"IngressClass {INGRESS_CLASS} is there, but {away.observed}",
            wanted=wanted,
            hint="kubectl get pods -A | grep ingress",
        )
    evidence = {
        "class": INGRESS_CLASS,
        "controller": controller,
        "address": world.http.address(),
        "unknown_host": answer.status_code,
        "server": answer.headers.get("server", ""),
    }
    if answer.status_code != HTTPStatus.NOT_FOUND:
        return failed(
            f"on {world.http.address()} port 80 something answered an unknown host with {answer.status_code}",
            wanted=f"{wanted} and knows no such host (404)",
            hint=f"curl -i -H 'Host: {STRANGER}' http://{world.http.address()}/",
            **evidence,
        )
    return passed(
        f"class {INGRESS_CLASS} by {controller}; {world.http.address()}:80 answered an unknown host with 404",
        wanted=wanted,
        **evidence,
    )
