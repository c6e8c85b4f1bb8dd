"""Claims about NetworkPolicies, by what they mean: who is selected, who may, on which ports, and who still may not."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.app.application import COMPONENTS, DATABASE_PORT, SIDECAR_CALLS, Component
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, look
from runbook.netpol.policies import (
    EGRESS,
    INGRESS,
    TCP,
    End,
    applies,
    peer_matches,
    peers,
    pod_end,
    rules,
    types,
)

DEFAULT_DENY = "default-deny"

CLOSED = {
    "a pod's address": "10.207.0.9",
    "a Service's address": "10.96.0.1",
    "a node's address": "192.168.49.2",
    "the cloud's metadata": "169.254.169.254",
    "its own loopback": "127.0.0.1",
}
"""Addresses in ranges that a way to the outside must leave out."""


def default_deny() -> Claim:
    """Every pod of the namespace is closed in both directions.

    Source: T067.
    """

    def examine(scene: Scene) -> Seen:
        policy = scene.the("NetworkPolicy", DEFAULT_DENY)
        selector = policy["spec"].get("podSelector") or {}
        problems = []
        if selector.get("matchLabels") or selector.get("matchExpressions"):
            problems.append(f"it selects only some pods: {dict(selector)}")
        for direction in (INGRESS, EGRESS):
            if direction not in types(policy):
                problems.append(f"it does not close {direction.lower()}")
            if rules(policy, direction):
                problems.append(f"it allows {direction.lower()}")
        return Seen("all pods, ingress and egress closed", problems)

    return Claim(
        f"NetworkPolicy {DEFAULT_DENY}: all pods, both directions, nothing allowed",
        look("networkpolicy", DEFAULT_DENY),
        examine,
    )


def lets(source: Component, destination: Component) -> Claim:
    """One policy lets the source's pods out to the destination's, one lets them in there, on one port alone.

    With Dapr on the call goes from sidecar to sidecar: then their port is the one, and the application's own is closed.

    Source: T068, T069, D-01.
    """
    out, into = f"{source.name}-to-{destination.name}", f"{destination.name}-from-{source.name}"

    def examine(scene: Scene) -> Seen:
        ends = {component: _end(scene, component) for component in COMPONENTS}
        port = SIDECAR_CALLS if _has_sidecar(scene, destination) else destination.port
        problems = []
        for name, direction, here, there in (
            (out, EGRESS, source, destination),
            (into, INGRESS, destination, source),
        ):
            policy = scene.the("NetworkPolicy", name)
            others = [end for component, end in ends.items() if component not in (here, there)]
            problems += [f"{name}: {each}" for each in _scope(policy, direction, ends[here], others)]
            problems += [
                f"{name}: {each}"
                for each in _admission(policy, direction, ends[there], [*others, *_strangers(ends[there])])
            ]
            problems += [f"{name}: {each}" for each in _ports(policy, direction, ends[destination], port)]
        how = " (sidecar to sidecar)" if port == SIDECAR_CALLS else ""
        return Seen(f"{out} and {into} open TCP {port}{how}", problems)

    return Claim(
        f"{source.name} may reach {destination.name} on its one port, and nobody else by these policies",
        look("networkpolicy", f"{out} {into}"),
        examine,
    )


def lets_reach_database(component: Component) -> Claim:
    """A policy lets the component's pods out to PostgreSQL: to its pods, or to addresses outside of the cluster.

    Source: T070, D-09.
    """
    name = f"{component.name}-to-database"

    def examine(scene: Scene) -> Seen:
        policy = scene.the("NetworkPolicy", name)
        others = [_end(scene, other) for other in COMPONENTS if other is not component]
        problems = [*_scope(policy, EGRESS, _end(scene, component), others)]
        found = [peer for rule in rules(policy, EGRESS) for peer in peers(rule, EGRESS)]
        problems += [
            f"it also reaches {place} ({address})"
            for place, address in CLOSED.items()
            if any("ipBlock" in peer and peer_matches(policy, peer, End(place, address)) for peer in found)
            and not _single(found)
        ]
        problems += [f"it also reaches {end}" for end in others if _meant(policy, found, end)]
        opened = _opened(policy, EGRESS)
        inside = any("ipBlock" not in peer for peer in found)
        if len(opened) != 1 or not all(each.startswith("TCP ") and "-" not in each for each in opened):
            problems.append(f"it opens {', '.join(sorted(opened)) or 'no port'}, not one port of TCP")
        elif inside and opened != {f"TCP {DATABASE_PORT}"}:
            problems.append(f"it opens {', '.join(opened)}, not TCP {DATABASE_PORT}")
        return Seen(f"{' or '.join(map(_place, found))}, {', '.join(sorted(opened))}", problems)

    return Claim(
        f"NetworkPolicy {name}: from the pods of {component.name} to PostgreSQL, one port, nowhere else",
        look("networkpolicy", name),
        examine,
    )


def _end(scene: Scene, component: Component) -> End:
    template = scene.the("Deployment", component.name)["spec"]["template"]
    metadata = {**template["metadata"], "name": component.name, "namespace": scene.namespace}
    return pod_end({**template, "metadata": metadata}, {"kubernetes.io/metadata.name": scene.namespace})


def _has_sidecar(scene: Scene, component: Component) -> bool:
    template = scene.the("Deployment", component.name)["spec"]["template"]
    return (template["metadata"].get("annotations") or {}).get("dapr.io/enabled") == "true"


def _strangers(end: End) -> Iterator[End]:
    """Ends that resemble the wanted one and are not it."""
    yield End("a pod without labels", "10.207.0.99", end.namespace, {}, end.namespace_labels)
    elsewhere = {"kubernetes.io/metadata.name": "elsewhere"}
    yield End(f"a pod like {end.name}", "10.207.0.98", "elsewhere", end.labels, elsewhere)
    yield End("an address outside", "203.0.113.7")


def _scope(policy: Object, direction: str, wanted: End, others: list[End]) -> Iterator[str]:
    """What is wrong with the pods that the policy is about."""
    if not applies(policy, wanted):
        yield f"it does not select the pods of {wanted.name}"
    yield from (f"it selects {other} too" for other in others if applies(policy, other))
    if direction not in types(policy):
        yield f"it is not about {direction.lower()}"
    if not rules(policy, direction):
        yield f"it allows no {direction.lower()}"
    for rule in rules(policy, direction):
        if not peers(rule, direction):
            yield "a rule of it names nobody, which means anyone"


def _admission(policy: Object, direction: str, wanted: End, strangers: list[End]) -> Iterator[str]:
    """What is wrong with the peers that it names."""
    named = [peer for rule in rules(policy, direction) for peer in peers(rule, direction)]
    if not _meant(policy, named, wanted):
        yield f"it does not mean the pods of {wanted.name}"
    yield from (f"it admits {stranger} too" for stranger in strangers if _meant(policy, named, stranger))


def _ports(policy: Object, direction: str, destination: End, port: int) -> Iterator[str]:
    opened = {_resolved(each, destination) for each in _opened(policy, direction)}
    if opened != {f"TCP {port}"}:
        yield f"it opens {', '.join(sorted(opened)) or 'no port'}, not TCP {port}"


def _opened(policy: Object, direction: str) -> set[str]:
    """The ports that its rules open, such as `TCP 8000`; a rule without ports opens every port."""
    found = set()
    for rule in rules(policy, direction):
        for entry in rule.get("ports") or [{"protocol": "every", "port": "port"}]:
            protocol, port, last = entry.get("protocol", TCP), entry.get("port", "all"), entry.get("endPort")
            found.add(f"{protocol} {port}-{last}" if last else f"{protocol} {port}")
    return found


def _resolved(opened: str, destination: End) -> str:
    """A port by name as its number at the destination."""
    protocol, _, port = opened.partition(" ")
    named = {name: number for name, spoken, number in destination.ports if spoken == protocol}
    return f"{protocol} {named[port]}" if port in named else opened


def _meant(policy: Object, named: list[Object], end: End) -> bool:
    return any(peer_matches(policy, peer, end) for peer in named)


def _single(named: list[Object]) -> bool:
    """Whether all blocks are one address each, which someone chose by hand."""
    blocks = [str(peer["ipBlock"]["cidr"]) for peer in named if "ipBlock" in peer]
    return bool(blocks) and all(block.endswith(("/32", "/128")) for block in blocks)


def _place(peer: Object) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    namespace = (peer.get("namespaceSelector") or {}).get("matchLabels") or {}
    labels = (peer.get("podSelector") or {}).get("matchLabels") or {}
    return f"{'/'.join([*namespace.values(), *labels.values()]) or 'anyone'}"
