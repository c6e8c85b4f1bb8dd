"""NetworkPolicies as they are written: who is under one, whom they mean, and how wide they open.

What all of them together allow is computed by runbook.network.policies, whose reading of them these rules share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from runbook.manifests.documents import entries, fields
from runbook.manifests.item import Hit, shown
from runbook.manifests.rule import rule
from runbook.manifests.scene import NAMESPACE_LABEL, Pod, Scene, Thing, kinds
from runbook.network import policies
from runbook.network.policies import EGRESS, INGRESS, TCP, UDP

DIRECTIONS = (INGRESS, EGRESS)
DNS_PORT = 53
BEHIND_SERVICES: dict[str, dict[Any, str]] = {
    "dapr-system": {80: "6500, 50001, 50005 or 50006", 443: "4000, 6500, 50001, 50005 or 50006"},
}
"""Ports of well-known Services in namespaces that are nobody's manifests, and those of the pods behind them."""
INSIDE = tuple(
    ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""Where pods, Services and nodes have their addresses, and a cloud its metadata."""


def _own_network(scene: Scene) -> list[Pod]:
    """A pod on its node's network is under no policy; POD-07 tells of it."""
    return [pod for pod in scene.pods if not pod.spec.get("hostNetwork")]


@rule(
    "NPS-01",
    "Every pod is under policies in both directions, and the namespace denies by default",
    over=_own_network,
    reason="Without a policy everyone may connect to a pod, and it to everyone.",
    remedy="add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress], then the ways that are needed",
)
def isolated(each: Pod) -> Iterator[Hit]:
    written = [
        policy.raw for policy in each.scene.of("NetworkPolicy") if policy.namespace == each.item.namespace
    ]
    for direction in DIRECTIONS:
        isolating = [policy for policy in written if direction in policies.types(policy)]
        if not any(policies.selects(_selector(policy), each.labels) for policy in isolating):
            yield Hit(each.item, "", f"no policy holds for its {direction}")
        elif not any(not _selector(policy) and not policies.rules(policy, direction) for policy in isolating):
            yield Hit(each.item, "", f"namespace {each.item.namespace} does not deny {direction} by default")


@rule(
    "NPS-02",
    "Policies and their peers mean pods that exist",
    over=kinds("NetworkPolicy"),
    reason="A label with a typo selects nobody: the way stays closed, or the pod unguarded.",
    remedy="make the labels of the selector those of the pods",
)
def meant(each: Thing) -> Iterator[Hit]:
    selector = _selector(each.item.raw)
    if selector and not each.scene.selected(selector, each.item.namespace):
        yield each.hit("spec.podSelector", f"selects no pod: {shown(selector)}")
    for path, peer in _peers(each):
        if "ipBlock" not in peer:
            yield from _meant_peer(each, path, peer)


def _meant_peer(each: Thing, path: str, peer: Mapping[str, Any]) -> Iterator[Hit]:
    """Judged where all namespaces that are meant are known here; another may hold such a pod."""
    spaces = [each.item.namespace]
    if "namespaceSelector" in peer:
        spaces = _named_namespaces(fields(peer["namespaceSelector"]))
    selector = fields(peer.get("podSelector"))
    known = bool(spaces) and all(space in each.scene.namespaces for space in spaces)
    if known and selector and not any(each.scene.selected(selector, space) for space in spaces):
        yield each.hit(path, f"selects no pod of {', '.join(spaces)}: {shown(selector)}")


def _named_namespaces(selector: Mapping[str, Any]) -> list[str]:
    """The namespaces that a selector lists by name; none where it goes by other labels."""
    listed = [fields(selector.get("matchLabels")).get(NAMESPACE_LABEL)]
    for expression in entries(selector.get("matchExpressions")):
        if (expression.get("key"), expression.get("operator")) == (NAMESPACE_LABEL, "In"):
            listed += expression.get("values") or []
    return [str(name) for name in listed if name]


@rule(
    "NPS-03",
    "A policy says all that it means",
    over=kinds("NetworkPolicy"),
    reason="What is left out is guessed: egress rules without their policyType do nothing at all.",
    remedy="write policyTypes, the protocol of each port and the namespace; give each policy a name of its own",
)
def explicit(each: Thing) -> Iterator[Hit]:
    spec = each.item.spec
    given = spec.get("policyTypes")
    if not given:
        yield each.hit("spec.policyTypes")
    for direction in DIRECTIONS:
        if given and spec.get(direction.lower()) and direction not in given:
            yield each.hit(
                "spec.policyTypes", f"{shown(given)}, so that the {direction.lower()} rules do nothing"
            )
        for number, entry in enumerate(_rules(each, direction)):
            for place, port in enumerate(entries(entry.get("ports"))):
                if not port.get("protocol"):
                    yield each.hit(f"spec.{direction.lower()}[{number}].ports[{place}].protocol")
    if not (each.item.rendered or fields(each.item.raw.get("metadata")).get("namespace")):
        yield each.hit("metadata.namespace")
    same = [item for item in each.scene.of("NetworkPolicy") if item.title == each.title]
    if len(same) > 1:
        yield each.hit(
            "metadata.name", f"{len(same)} policies of that name: the last one replaces the others"
        )


def _calling(scene: Scene) -> list[Pod]:
    """Pods that policies let call someone, and not everyone."""
    return [
        pod for pod in scene.pods if any(policies.rules(policy, EGRESS) for policy in _egress_policies(pod))
    ]


@rule(
    "NPS-04",
    "Who may call someone may also ask the name service, by UDP and TCP",
    over=_calling,
    reason="Without DNS no Service name works; by UDP alone, long answers are lost now and then.",
    remedy="allow egress to the cluster's DNS pods on port 53 of both protocols",
)
def names(each: Pod) -> Iterator[Hit]:
    ports = [
        entries(entry.get("ports"))
        for policy in _egress_policies(each)
        for entry in policies.rules(policy, EGRESS)
    ]
    for protocol in (UDP, TCP):
        if not any(
            not listed or any(policies.port_matches(port, each.end, DNS_PORT, protocol) for port in listed)
            for listed in ports
        ):
            yield Hit(each.item, "", f"no policy allows {protocol} {DNS_PORT}")


@rule(
    "NPS-05",
    "Ports of policies are those of the pods, not of their Services",
    over=kinds("NetworkPolicy"),
    reason="Policies judge after address translation: a Service's own port never arrives at them.",
    remedy="name the containerPort",
)
def target_ports(each: Thing) -> Iterator[Hit]:
    for direction in DIRECTIONS:
        for number, entry in enumerate(_rules(each, direction)):
            reached = _reached(each, direction, entry)
            declared = {port for pod in reached for port in pod.ports}
            abroad = _named_abroad(entry) if direction == EGRESS else []
            for place, port in enumerate(entries(entry.get("ports"))):
                wanted, path = port.get("port"), f"spec.{direction.lower()}[{number}].ports[{place}].port"
                for space in abroad:
                    if told := BEHIND_SERVICES.get(space, {}).get(wanted):
                        yield each.hit(path, f"{wanted} is a Service's in {space}; its pods have {told}")
                if not declared or wanted is None or "endPort" in port:
                    continue
                if not any(wanted in (name, value) for name, value in declared):
                    told = ", ".join(str(value) for _, value in sorted(declared, key=str))
                    titles = ", ".join(sorted({pod.title for pod in reached}))
                    yield each.hit(path, f"{wanted}; {titles} has {told}")


def _named_abroad(entry: Mapping[str, Any]) -> list[str]:
    """The namespaces that the peers of an egress rule list by name."""
    return [
        space
        for peer in entries(entry.get("to"))
        for space in _named_namespaces(fields(peer.get("namespaceSelector")))
    ]


@rule(
    "NPS-06",
    "No rule opens to everyone",
    over=kinds("NetworkPolicy"),
    reason="An empty `from`, `to` or rule is no restriction; all addresses include pods, nodes and a cloud's metadata.",
    remedy="name the peers; leave 10/8, 172.16/12, 192.168/16, 169.254/16 (and fc00::/7, fe80::/10) out by `except`",
)
def narrow(each: Thing) -> Iterator[Hit]:
    for direction in DIRECTIONS:
        for number, entry in enumerate(_rules(each, direction)):
            if not policies.peers(entry, direction):
                yield each.hit(f"spec.{direction.lower()}[{number}]", f"anyone: {shown(dict(entry))}")
    for path, peer in _peers(each):
        block = fields(peer.get("ipBlock"))
        if block:
            left = _left_open(block)
            if left:
                yield each.hit(f"{path}.ipBlock", f"{block['cidr']} with {', '.join(map(str, left))}")
        elif "namespaceSelector" in peer and not any(
            fields(peer.get(selector)) for selector in ("podSelector", "namespaceSelector")
        ):
            yield each.hit(path, "every pod of every namespace")


Network = IPv4Network | IPv6Network


def _left_open(block: Mapping[str, Any]) -> list[Network]:
    """Ranges inside that a wider block does not leave out."""
    whole = ip_network(str(block["cidr"]), strict=False)
    excepted = [ip_network(str(each), strict=False) for each in block.get("except") or []]
    return [
        inside
        for inside in INSIDE
        if whole.prefixlen < inside.prefixlen
        and _within(inside, whole)
        and not any(_within(inside, each) for each in excepted)
    ]


def _within(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.subnet_of(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.subnet_of(other)


def _selector(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    selector = fields(fields(policy.get("spec")).get("podSelector"))
    return selector if any(selector.values()) else {}


def _rules(each: Thing, direction: str) -> list[Mapping[str, Any]]:
    return entries(each.item.spec.get(direction.lower()))


def _peers(each: Thing) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each peer with its path."""
    for direction in DIRECTIONS:
        side = "from" if direction == INGRESS else "to"
        for number, entry in enumerate(_rules(each, direction)):
            for place, peer in enumerate(entries(entry.get(side))):
                yield f"spec.{direction.lower()}[{number}].{side}[{place}]", peer


def _egress_policies(pod: Pod) -> list[Mapping[str, Any]]:
    return [
        policy.raw
        for policy in pod.scene.of("NetworkPolicy")
        if policy.namespace == pod.item.namespace
        and EGRESS in policies.types(policy.raw)
        and policies.selects(_selector(policy.raw), pod.labels)
    ]


def _reached(each: Thing, direction: str, entry: Mapping[str, Any]) -> list[Pod]:
    """The pods of this scene that connections by this rule arrive at."""
    if direction == INGRESS:
        return each.scene.selected(_selector(each.item.raw), each.item.namespace)
    home = {"metadata": {"namespace": each.item.namespace}}
    return [
        pod
        for pod in each.scene.pods
        if any(
            policies.peer_matches(home, peer, pod.end)
            for peer in policies.peers(entry, direction)
            if "ipBlock" not in peer
        )
    ]


RULES = (isolated, meant, explicit, names, target_ports, narrow)
