"""NetworkPolicy of networking.k8s.io/v1, computed: may this end open a connection to that one?

Connections are judged, not packets: what is allowed to be opened is also answered, whatever the policies say of the
other direction. Policies judge after address translation, so a Service is asked by its pod and target port.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Object = Mapping[str, Any]

INGRESS, EGRESS = "Ingress", "Egress"
TCP, UDP = "TCP", "UDP"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection: a pod, or an address that is no pod's (a node, the world outside).

    A pod on its node's own network is no pod to a policy: it is its node's address.
    """

    name: str
    address: str
    namespace: str = ""
    """Empty: not a pod."""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[tuple[str, str, int], ...] = ()
    """Named container ports: name, protocol, number."""
    node: str = ""
    """The node on which a pod runs; for an address of a node, its name."""

    @property
    def is_pod(self) -> bool:
        return bool(self.namespace)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Side:
    """What the policies of one end say. No isolating policy: all is allowed."""

    isolated_by: tuple[str, ...] = ()
    allowed_by: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.isolated_by or bool(self.allowed_by)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the connection may be opened. `own_node`: to or from the pod's own node, which no policy can forbid."""

    egress: Side
    ingress: Side
    own_node: bool = False

    @property
    def allowed(self) -> bool:
        return self.own_node or (self.egress.allowed and self.ingress.allowed)

    def __str__(self) -> str:
        if self.own_node:
            return "its own node"
        told = [_told("egress", self.egress), _told("ingress", self.ingress)]
        return ", ".join(told)


def _told(direction: str, side: Side) -> str:
    if not side.isolated_by:
        return f"{direction} is not isolated"
    if side.allowed_by:
        return f"{direction} allowed by {', '.join(side.allowed_by)}"
    return f"{direction} denied by {', '.join(side.isolated_by)}"


def verdict(
    policies: Iterable[Object], source: End, destination: End, port: int, protocol: str = TCP
) -> Verdict:
    """What all the policies together say of a new connection to that port of the destination (its pod's, not a
    Service's)."""
    if source.is_pod and source == destination:
        return Verdict(Side(), Side())  # a pod always reaches itself
    policies = list(policies)
    # A node is where its pods run: traffic between the two is beyond NetworkPolicy.
    own_node = source.is_pod != destination.is_pod and bool(source.node) and source.node == destination.node
    return Verdict(
        _side(policies, EGRESS, source, destination, destination, port, protocol),
        _side(policies, INGRESS, destination, source, destination, port, protocol),
        own_node,
    )


def _side(
    policies: Sequence[Object],
    direction: str,
    subject: End,
    peer: End,
    destination: End,
    port: int,
    protocol: str,
) -> Side:
    isolating, allowing = [], []
    for policy in policies:
        if not (applies(policy, subject) and direction in types(policy)):
            continue
        isolating.append(name(policy))
        if any(
            _peer_matches(policy, rule, direction, peer) and _port_matches(rule, destination, port, protocol)
            for rule in rules(policy, direction)
        ):
            allowing.append(name(policy))
    return Side(tuple(isolating), tuple(allowing))


def name(policy: Object) -> str:
    metadata = policy["metadata"]
    return f"{metadata.get('namespace', 'default')}/{metadata['name']}"


def applies(policy: Object, pod: End) -> bool:
    """Whether the policy selects this pod."""
    return (
        pod.is_pod
        and pod.namespace == policy["metadata"].get("namespace", "default")
        and selects(policy["spec"].get("podSelector") or {}, pod.labels)
    )


def types(policy: Object) -> frozenset[str]:
    """The directions that it isolates; without policyTypes Ingress, and Egress where there are egress rules."""
    spec = policy["spec"]
    if given := spec.get("policyTypes"):
        return frozenset(given)
    return frozenset({INGRESS, EGRESS} if spec.get("egress") else {INGRESS})


def rules(policy: Object, direction: str) -> list[Object]:
    return list(policy["spec"].get(direction.lower()) or [])


def peers(rule: Object, direction: str) -> list[Object]:
    """The peers that a rule names; an empty list means anyone."""
    return list(rule.get("from" if direction == INGRESS else "to") or [])


def _peer_matches(policy: Object, rule: Object, direction: str, end: End) -> bool:
    named = peers(rule, direction)
    return not named or any(peer_matches(policy, peer, end) for peer in named)


def peer_matches(policy: Object, peer: Object, end: End) -> bool:
    """Whether one entry of `from` or `to` means this end."""
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], end.address)
    if not end.is_pod:
        return False
    in_namespace = peer.get("namespaceSelector")
    if in_namespace is None:
        here = end.namespace == policy["metadata"].get("namespace", "default")
    else:
        here = selects(in_namespace, end.namespace_labels)
    return here and selects(peer.get("podSelector") or {}, end.labels)


def _in_block(block: Object, address: str) -> bool:
    try:
        there = ip_address(address)
    except ValueError:
        return False
    return there in ip_network(block["cidr"], strict=False) and not any(
        there in ip_network(each, strict=False) for each in block.get("except") or []
    )


def _port_matches(rule: Object, destination: End, port: int, protocol: str) -> bool:
    listed = rule.get("ports") or []
    return not listed or any(port_matches(entry, destination, port, protocol) for entry in listed)


def port_matches(entry: Object, destination: End, port: int, protocol: str) -> bool:
    """Whether one entry of `ports` means this port; a name is looked up at the destination."""
    if entry.get("protocol", TCP) != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return (wanted, protocol, port) in destination.ports
    last = entry.get("endPort", wanted)
    return int(wanted) <= port <= int(last)


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches all. Raises ValueError for an unknown operator."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    match operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"operator {operator} of a label selector is unknown")


def pod_end(pod: Object, namespace_labels: Mapping[str, str]) -> End:
    """A live pod, or a pod template with a metadata.namespace, as an end."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    node = str(spec.get("nodeName", ""))
    if spec.get("hostNetwork"):
        return End(metadata.get("name", ""), str(status.get("podIP", "")), node=node)
    sidecars = [each for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    ports = tuple(
        (str(port["name"]), str(port.get("protocol", TCP)), int(port["containerPort"]))
        for container in [*spec.get("containers", []), *sidecars]
        for port in container.get("ports") or []
        if port.get("name")
    )
    return End(
        str(metadata.get("name", "")),
        str(status.get("podIP", "")),
        str(metadata.get("namespace", "default")),
        dict(metadata.get("labels") or {}),
        dict(namespace_labels),
        ports,
        node,
    )
