"""The application's Services: each leads to exactly its ready pods, on a port that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import COMPONENTS, SELECTOR, Component
from runbook.clients.kube import workloads
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]
WANTED = "each Service leads to its ready pods on the port that they declare"


def have_endpoints(world: World) -> Outcome:
    """The ready addresses of the EndpointSlices are those of the ready pods, and the ports fit.

    Source: T050. Endpoints objects are deprecated; EndpointSlices are what kube-proxy reads.
    """
    namespace = world.settings.namespace
    pods = [
        pod for pod in world.api.list("Pod", namespace, labels=SELECTOR) if not workloads.terminating(pod)
    ]
    services = {workloads.name(each): each for each in world.api.list("Service", namespace)}
    slices = world.api.list("EndpointSlice", namespace)
    problems, told = [], []
    for component in COMPONENTS:
        mine = [each for each in slices if _belongs(each, component.service)]
        problem = _problem(component, services.get(component.service), mine, pods)
        if problem:
            problems.append(problem)
        else:
            told.append(f"{component.service}:{component.port} -> {len(_ready_addresses(mine))}")
    evidence = {
        each.service: sorted(_ready_addresses([s for s in slices if _belongs(s, each.service)]))
        for each in COMPONENTS
    }
    if problems:
        return failed(
            "; ".join(problems),
            wanted=WANTED,
            hint=f"kubectl -n {namespace} get services,endpointslices,pods -o wide",
            endpoints=evidence,
        )
    return passed(f"ready endpoints: {', '.join(told)}", wanted=WANTED, endpoints=evidence)


def _problem(
    component: Component, service: Object | None, slices: Sequence[Object], pods: Sequence[Object]
) -> str:
    if service is None:
        return f"there is no Service {component.service}"
    ports = [int(port["port"]) for port in service["spec"].get("ports") or []]
    if component.port not in ports:
        return f"Service {component.service} serves port {ports}, not {component.port}"
    selector = service["spec"].get("selector") or {}
    selected = [
        pod for pod in pods if selector and selector.items() <= (pod["metadata"].get("labels") or {}).items()
    ]
    if not any(workloads.component(pod) == component.name for pod in pods):
        return f"Service {component.service} has no endpoint: there is no pod of {component.name}"
    if not selected:
        return f"the selector of Service {component.service} matches no pod of the application: {selector}"
    ready = {_address(pod) for pod in selected if workloads.condition(pod, "Ready").get("status") == "True"}
    served = _ready_addresses(slices)
    if not served:
        return f"Service {component.service} has no ready endpoint; {len(selected)} pods match, {len(ready)} are ready"
    if served != ready:
        return f"Service {component.service} leads to {sorted(served)}, its ready pods are {sorted(ready)}"
    return _port_problem(component, slices, selected)


def _port_problem(component: Component, slices: Sequence[Object], pods: Sequence[Object]) -> str:
    targets = {int(port["port"]) for each in slices for port in each.get("ports") or []}
    declared = {
        int(port["containerPort"])
        for pod in pods
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
    }
    if targets <= declared:
        return ""
    stray = ", ".join(str(port) for port in sorted(targets - declared))
    return f"Service {component.service} leads to port {stray}; its pods declare {sorted(declared)}"


def _belongs(endpoint_slice: Object, service: str) -> bool:
    return bool((endpoint_slice["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service)


def _ready_addresses(slices: Sequence[Object]) -> set[str]:
    return {
        str(address)
        for each in slices
        for endpoint in each.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready")
        for address in endpoint["addresses"]
    }


def _address(pod: Object) -> str:
    return str((pod.get("status") or {}).get("podIP", ""))
