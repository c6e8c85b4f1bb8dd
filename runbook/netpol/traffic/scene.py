"""What is there to be asked: pods in their roles and what they listen on, Services, policies, nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.app.application import DATABASE_NAMESPACE, MODEL_NAMESPACE, SIDECAR
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.netpol import truth
from runbook.netpol.listeners import Listener
from runbook.netpol.policies import TCP, UDP, End, pod_end
from runbook.netpol.traffic import reach
from runbook.netpol.traffic.visitors import LABEL

if TYPE_CHECKING:
    from runbook.world import World

Object = dict[str, Any]

MESH_NAMESPACE = "dapr-system"
AT_ONCE = 12
"""Pods that are looked into at a time."""

IN_NAMESPACE = {
    "frontend": truth.FRONTEND,
    "backend": truth.BACKEND,
    "mcp-server": truth.MCP_SERVER,
    "redis": truth.REDIS,
}
MESH = {
    "dapr-sentry": truth.SENTRY,
    "dapr-operator": truth.OPERATOR,
    "dapr-placement-server": truth.PLACEMENT,
    "dapr-scheduler-server": truth.SCHEDULER,
    "dapr-sidecar-injector": truth.INJECTOR,
}

SOURCES = (
    *(truth.FRONTEND, truth.BACKEND, truth.MCP_SERVER, truth.REDIS, truth.POSTGRES, truth.MODEL),
    *(truth.INGRESS, truth.NEIGHBOUR, truth.JOB, truth.STRANGER),
)
"""Roles whose connections are tried, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """A pod in its role, the way into its network, and what listens there."""

    role: str
    end: End
    pod: Object = field(repr=False)
    way: reach.Way | None = None
    listeners: tuple[Listener, ...] = ()
    trouble: str = ""
    """Why it could not be looked into."""

    @property
    def label(self) -> str:
        return self.role if self.role in SOURCES or self.role in MESH.values() else self.end.name


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a survey asks about."""

    mode: truth.Mode
    places: tuple[Place, ...]
    services: tuple[Object, ...]
    policies: tuple[Object, ...]
    api_servers: tuple[tuple[End, int], ...]
    nodes: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """The objects of the cluster, as listed once."""

    pods: tuple[Object, ...]
    namespaces: Mapping[str, Mapping[str, str]]
    policies: tuple[Object, ...]
    services: tuple[Object, ...]
    slices: tuple[Object, ...]
    nodes: tuple[Object, ...]

    def end(self, pod: Object) -> End:
        return pod_end(pod, self.namespaces.get(pod["metadata"]["namespace"], {}))


def listed(world: World) -> Lists:
    """All that is asked of the API, asked in parallel."""
    kinds = ("Pod", "Namespace", "NetworkPolicy", "Service", "EndpointSlice", "Node")
    with ThreadPoolExecutor(len(kinds)) as pool:
        pods, namespaces, policies, services, slices, nodes = pool.map(world.api.list, kinds)
    return Lists(
        tuple(pod for pod in pods if _lives(pod)),
        {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces},
        tuple(policies),
        tuple(services),
        tuple(slices),
        tuple(nodes),
    )


def _lives(pod: Object) -> bool:
    status = pod.get("status") or {}
    return status.get("phase") == "Running" and bool(status.get("podIP")) and not workloads.terminating(pod)


Found = Mapping[str, "Future[Explored]"]
"""Pods by UID, and what is being found in them."""


def explore_early(world: World, pool: ThreadPoolExecutor) -> Found:
    """Begin to look into the pods that are there, while the visitors are still on their way."""
    namespace = world.settings.namespace
    pods = [pod for pod in world.api.list("Pod") if _lives(pod) and role_of(pod, namespace)]
    return {pod["metadata"]["uid"]: pool.submit(_explored, world, pod) for pod in pods}


def look(world: World, survey: str, early: Found, pool: ThreadPoolExecutor) -> Scene:
    """The scene of a survey: what is there, and its own visitors, but not those of other surveys."""
    lists = listed(world)
    roles = [(role_of(pod, world.settings.namespace, survey), pod) for pod in lists.pods]
    looking = [
        (role, pod, early.get(pod["metadata"]["uid"]) or pool.submit(_explored, world, pod))
        for role, pod in roles
        if role
    ]
    places = [Place(role, lists.end(pod), pod, *found.result()) for role, pod, found in looking]
    return Scene(
        mode(lists.pods, world.settings.namespace),
        tuple(sorted(places, key=lambda place: (_rank(place.role), place.end.name))),
        lists.services,
        lists.policies,
        tuple(_api_servers(lists)),
        tuple(_nodes(lists.nodes)),
    )


def mode(pods: Iterable[Object], namespace: str) -> truth.Mode:
    """How services call each other: by sidecar as soon as one of them has one."""
    return (
        truth.Mode.MESH
        if any(
            container["name"] == SIDECAR
            for pod in pods
            if pod["metadata"]["namespace"] == namespace
            for container in [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
        )
        else truth.Mode.DIRECT
    )


def role_of(pod: Object, namespace: str, survey: str = "") -> str:
    """The part that a pod plays; empty for one that is not asked about. Unknown pods of our namespaces are named."""
    metadata = pod["metadata"]
    labels, there = metadata.get("labels") or {}, metadata["namespace"]
    if LABEL in labels:
        return str(metadata["name"]).rpartition("-")[2] if labels[LABEL] == survey and survey else ""
    if pod["spec"].get("hostNetwork"):
        return ""
    name = str(labels.get("app.kubernetes.io/name", ""))
    if there == namespace:
        return IN_NAMESPACE.get(name, str(metadata["name"]))
    if there == DATABASE_NAMESPACE:
        return truth.POSTGRES
    if there == MODEL_NAMESPACE:
        return truth.MODEL
    if name == "ingress-nginx" and labels.get("app.kubernetes.io/component") == "controller":
        return truth.INGRESS
    if labels.get("k8s-app") == "kube-dns":
        return truth.DNS
    if there == MESH_NAMESPACE:
        return MESH.get(str(labels.get("app", "")), "")
    return ""


Explored = tuple[reach.Way | None, tuple[Listener, ...], str]
"""The way into a pod, what listens there, and why there is no way."""


def _explored(world: World, pod: Object) -> Explored:
    try:
        return (*reach.explore(world, pod), "")
    except Unmeasurable as problem:
        return None, _declared(pod), problem.observed


def _declared(pod: Object) -> tuple[Listener, ...]:
    """Second best, where nobody can look into the pod: the ports that its manifest names."""
    return tuple(
        Listener(int(port["containerPort"]), str(port.get("protocol", TCP)))
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
        if port.get("protocol", TCP) in (TCP, UDP)
    )


def _rank(role: str) -> int:
    order = (*SOURCES, truth.DNS, *MESH.values())
    return order.index(role) if role in order else len(order)


def _nodes(nodes: Sequence[Object]) -> Iterable[End]:
    for node in nodes:
        for address in node["status"].get("addresses") or []:
            if address["type"] == "InternalIP":
                yield End(node["metadata"]["name"], address["address"], node=node["metadata"]["name"])


def _api_servers(lists: Lists) -> Iterable[tuple[End, int]]:
    """Where the API servers really listen: what the Service `kubernetes` is translated to."""
    nodes = {end.address: end for end in _nodes(lists.nodes)}
    for each in lists.slices:
        metadata = each["metadata"]
        if metadata["namespace"] != "default":
            continue
        if (metadata.get("labels") or {}).get("kubernetes.io/service-name") != "kubernetes":
            continue
        for endpoint in each.get("endpoints") or []:
            for address in endpoint["addresses"]:
                end = nodes.get(address, End("api", address))
                yield from ((end, int(port["port"])) for port in each.get("ports") or [])
