"""What is tried from every source: each listening port of each pod, by its address and by its Services, and beyond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.app.application import SIDECAR_PUBLIC
from runbook.netpol import truth
from runbook.netpol.listeners import Listener
from runbook.netpol.policies import TCP, UDP, End, selects
from runbook.netpol.traffic.outside import INTERNET, METADATA
from runbook.netpol.traffic.probes import Try, question
from runbook.netpol.traffic.scene import Place, Scene

Object = Mapping[str, Any]

KUBELET = 10250
DISCARD = 9
"""A UDP port on which nothing listens: the kernel of a pod refuses what reaches it; what is blocked is not answered."""

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
WEB = b"GET /health HTTP/1.0\r\nHost: probe\r\n\r\n"
PAYLOADS = {
    (truth.FRONTEND, 3000): WEB,
    (truth.BACKEND, 8000): WEB,
    (truth.MCP_SERVER, 8080): WEB,
    (truth.MODEL, 8090): WEB,
    (truth.POSTGRES, 5432): SSL_REQUEST,
    (truth.REDIS, 6379): b"PING\r\n",
}
"""What each of ours answers to: a connection alone may be made by a proxy for something that is not there."""

OUTSIDE_PORTS = ((443, TCP), (80, TCP), (53, UDP))


@dataclass(frozen=True, slots=True)
class Target:
    """One port to try. Policies judge `end` and `port`; the connection goes to `host` and `dialled`."""

    role: str
    end: End
    port: int
    host: str
    dialled: int
    protocol: str = TCP
    via: str = "pod"
    payload: bytes = b""
    resolves: bool = False
    loopback: bool = False
    vacant: bool = False
    """Nothing listens there, and that is known: REFUSED shows that it was reached."""
    named: int = 0
    """The port under which the table by hand names it, where that is another one."""

    @property
    def listed(self) -> int:
        return self.named or self.port

    @property
    def column(self) -> str:
        """Under which heading it is shown."""
        if self.loopback:
            return "loopback"
        if self.vacant:
            return "pods/udp"
        if self.port in SIDECAR_PUBLIC and self.role not in truth.FOREIGN:
            return f"sidecars:{self.port}"
        if self.role in truth.FOREIGN and (self.role, self.listed) not in NAMED:
            return f"{self.role}:other"
        return f"{self.role}:{self.listed}"

    @property
    def control(self) -> tuple[str, int, str]:
        """What has to be seen to listen, by whatever way."""
        return (self.end.address, self.port, self.protocol)

    def attempt(self, retried: float = 0.0) -> Try:
        return Try(self.host, self.dialled, self.protocol, self.payload, retried, self.resolves)

    def __str__(self) -> str:
        port = f"{self.port}{'/udp' if self.protocol == UDP else ''}"
        return f"{self.role}:{port} by {self.via}"


NAMED = frozenset((role, port) for mode in truth.Mode for _, role, port in truth.table(mode))


def targets(scene: Scene, namespace: str, *, outside: bool) -> tuple[Target, ...]:
    """Everything that is tried, in the order in which it is shown."""
    names = f"backend-svc.{namespace}.svc.cluster.local"
    found = [target for place in scene.places for target in _of_pod(place, scene.services, names)]
    found += [target for place in scene.places if _ours(place) for target in _vacant(place)]
    if outside:
        stood_in = {place.role for place in scene.places}
        found += _outside(database=truth.POSTGRES not in stood_in)
    found += _api(scene)
    found += [
        Target(truth.NODE, node, port, node.address, port, via="address")
        for node in scene.nodes
        for port in (KUBELET, *_node_ports(scene.services))
    ]
    return tuple(found)


def _ours(place: Place) -> bool:
    return place.role not in truth.FOREIGN


def _of_pod(place: Place, services: Sequence[Object], name: str) -> Iterator[Target]:
    for listener in place.listeners:
        yield _by_pod(place, listener, name)
    for service in services:
        if not _serves(service, place):
            continue
        for port in service["spec"].get("ports") or []:
            number, protocol = _target_port(port, place), str(port.get("protocol", TCP))
            if number is not None and protocol in (TCP, UDP):
                yield Target(
                    place.role,
                    place.end,
                    number,
                    service["spec"]["clusterIP"],
                    int(port["port"]),
                    protocol,
                    f"service {service['metadata']['name']}",
                    _payload(place.role, number, protocol, name),
                    place.role == truth.DNS,
                )


def _by_pod(place: Place, listener: Listener, name: str) -> Target:
    return Target(
        place.role,
        place.end,
        listener.port,
        place.end.address,
        listener.port,
        listener.protocol,
        payload=b"" if listener.loopback else _payload(place.role, listener.port, listener.protocol, name),
        resolves=place.role == truth.DNS and listener.port == 53,
        loopback=listener.loopback,
    )


def _vacant(place: Place) -> Iterator[Target]:
    if Listener(DISCARD, UDP) not in place.listeners:
        yield Target(place.role, place.end, DISCARD, place.end.address, DISCARD, UDP, vacant=True)


def _payload(role: str, port: int, protocol: str, name: str) -> bytes:
    if port == truth.ECHO and role in (truth.NEIGHBOUR, truth.JOB, truth.STRANGER):
        return b"?"
    if role == truth.DNS and port == 53:
        return question(name, protocol)
    return PAYLOADS.get((role, port), b"") if protocol == TCP else b""


def _serves(service: Object, place: Place) -> bool:
    spec = service["spec"]
    return (
        service["metadata"]["namespace"] == place.end.namespace
        and bool(spec.get("selector"))
        and spec.get("clusterIP") not in (None, "", "None")
        and selects({"matchLabels": spec["selector"]}, place.end.labels)
    )


def _target_port(port: Object, place: Place) -> int | None:
    """The pod's port behind a Service's; None for a name that the pod does not have."""
    wanted = port.get("targetPort", port["port"])
    if isinstance(wanted, int):
        return wanted
    protocol = str(port.get("protocol", TCP))
    return next(
        (number for name, known, number in place.end.ports if (name, known) == (wanted, protocol)), None
    )


def _outside(*, database: bool) -> Iterable[Target]:
    for address in INTERNET:
        for port, protocol in (*OUTSIDE_PORTS, *([(5432, TCP)] if database else [])):
            end = End(truth.INTERNET, address)
            yield Target(truth.INTERNET, end, port, address, port, protocol, "address", b"?")
    end = End(truth.METADATA, METADATA)
    yield Target(truth.METADATA, end, 80, METADATA, 80, via="address", payload=b"?")


def _api(scene: Scene) -> Iterable[Target]:
    for end, port in scene.api_servers:
        yield Target(truth.API, end, port, end.address, port, via="address", named=443)
        for service in scene.services:
            metadata, spec = service["metadata"], service["spec"]
            if (metadata["namespace"], metadata["name"]) == ("default", "kubernetes"):
                host, dialled = spec["clusterIP"], int(spec["ports"][0]["port"])
                yield Target(truth.API, end, port, host, dialled, via="service kubernetes", named=443)


def _node_ports(services: Sequence[Object]) -> list[int]:
    return sorted(
        int(port["nodePort"])
        for service in services
        for port in service["spec"].get("ports") or []
        if port.get("nodePort") and port.get("protocol", TCP) == TCP
    )
