"""The cluster under the application: the node, and the ingress controller in front."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from runbook.app.application import INGRESS_CLASS
from runbook.checks.web.site import STRANGER
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

OLDEST = {"embedded": "1.35"}
DNS = ("kube-dns", "kube-system")
"""Service and namespace of the cluster's DNS, whatever serves it; a cluster that names it otherwise is not judged."""

OLDEST_ELSEWHERE = "1.30"
"""Clusters of the user's own: what the chart and the checks need of the API."""


def ready(world: World) -> Outcome:
    """The API server answers, every node is Ready, in a version that carries the chart, and the cluster's DNS is up.

    Source: T043.
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
    if dns := _dns_problem(world):
        return failed(
            dns, wanted=f"{wanted}, and names that resolve in it", hint="inv cluster.up", **evidence
        )
    version = world.api.version()
    evidence["version"] = version
    if _older(version, oldest):
        return failed(f"Kubernetes {version}", wanted=wanted, hint="inv cleanup, then inv deploy", **evidence)
    sizes = "; ".join(f"{each['cpu']} CPU, {each['memory']}" for each in evidence["nodes"])
    return passed(
        f"{status.provider}: Kubernetes {version}, {len(nodes)} node Ready ({sizes})",
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
