"""What is wrong with a set of policies by itself: pods that none isolates, policies and peers that mean nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.netpol.policies import (
    EGRESS,
    INGRESS,
    TCP,
    UDP,
    End,
    Object,
    applies,
    name,
    peer_matches,
    peers,
    port_matches,
    rules,
    types,
)

DIRECTIONS = (INGRESS, EGRESS)
OUTSIDE = ("192.0.2.1", "198.51.100.1", "2001:db8::1")
"""Addresses outside of every private range: a block that means one of them means the internet."""

PRIVATE = ("10.255.0.1", "172.31.0.1", "192.168.0.1", "169.254.169.254")
"""Addresses of pods, nodes and metadata services: what an open block must leave out."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was examined, and what is wrong with it, in words."""

    pods: int
    policies: int
    peers: int
    problems: tuple[str, ...]


def examine(
    policies: Sequence[Object],
    namespace: str,
    subjects: Sequence[End],
    everyone: Sequence[End],
    dns: Sequence[End],
) -> Coverage:
    """The policies of a namespace against its pods.

    `subjects`: pods of the namespace. `everyone`: all pods, of which a peer must mean one. `dns`: the pods that resolve
    names.
    """
    ours = [policy for policy in policies if policy["metadata"].get("namespace", "default") == namespace]
    problems = [*_no_default_deny(ours, namespace), *_not_isolated(ours, subjects)]
    counted = 0
    for policy in ours:
        if not any(applies(policy, subject) for subject in subjects) and policy["spec"].get("podSelector"):
            problems.append(f"{name(policy)} selects no pod")
        for direction in DIRECTIONS:
            for rule in rules(policy, direction):
                problems += _too_wide(policy, rule, direction)
                for peer in peers(rule, direction):
                    counted += 1
                    if "ipBlock" not in peer and not any(peer_matches(policy, peer, end) for end in everyone):
                        problems.append(f"{name(policy)}: {_said(peer)} means no pod")
    problems += _half_dns(ours, subjects, dns)
    return Coverage(len(subjects), len(ours), counted, tuple(problems))


def _no_default_deny(policies: Sequence[Object], namespace: str) -> Iterable[str]:
    for direction in DIRECTIONS:
        if not any(_denies_all(policy, direction) for policy in policies):
            yield f"namespace {namespace} has no policy that denies all {direction.lower()} by default"


def _denies_all(policy: Object, direction: str) -> bool:
    return (
        not policy["spec"].get("podSelector") and direction in types(policy) and not rules(policy, direction)
    )


def _not_isolated(policies: Sequence[Object], subjects: Sequence[End]) -> Iterable[str]:
    for subject in subjects:
        for direction in DIRECTIONS:
            if not any(applies(policy, subject) and direction in types(policy) for policy in policies):
                yield f"no policy isolates the {direction.lower()} of {subject}"


def _too_wide(policy: Object, rule: Object, direction: str) -> Iterable[str]:
    word = "from" if direction == INGRESS else "to"
    named = peers(rule, direction)
    if not named:
        yield f"{name(policy)} allows {direction.lower()} {word} anyone"
    if not rule.get("ports"):
        yield f"{name(policy)} allows {direction.lower()} on every port"
    for peer in named:
        if peer.get("namespaceSelector") == {} and not peer.get("podSelector"):
            yield f"{name(policy)} allows {direction.lower()} {word} every pod of every namespace"
        if "ipBlock" in peer:
            open_ = [a for a in OUTSIDE if peer_matches(policy, peer, End("outside", a))]
            inside = [a for a in PRIVATE if peer_matches(policy, peer, End("inside", a))]
            if open_ and inside:
                yield f"{name(policy)}: {peer['ipBlock']['cidr']} lets in more than the internet, such as {inside[0]}"


def _half_dns(policies: Sequence[Object], subjects: Sequence[End], dns: Sequence[End]) -> Iterable[str]:
    """Who may ask for names by UDP must be able to by TCP as well: a long answer comes that way only."""
    for subject in subjects:
        mine = [policy for policy in policies if applies(policy, subject) and EGRESS in types(policy)]
        for server in dns:
            ways = {protocol: _may_ask(mine, server, protocol) for protocol in (UDP, TCP)}
            if ways[UDP] != ways[TCP]:
                missing = next(protocol for protocol, open_ in ways.items() if not open_)
                yield f"{subject} may ask for names, but not over {missing}"


def _may_ask(policies: Sequence[Object], server: End, protocol: str) -> bool:
    return any(
        (not peers(rule, EGRESS) or any(peer_matches(policy, peer, server) for peer in peers(rule, EGRESS)))
        and (not rule.get("ports") or any(port_matches(p, server, 53, protocol) for p in rule["ports"]))
        for policy in policies
        for rule in rules(policy, EGRESS)
    )


def _said(peer: dict[str, Any] | Object) -> str:
    """A peer's selectors in a few words."""
    words = []
    for kind, selector in (("namespace", peer.get("namespaceSelector")), ("pod", peer.get("podSelector"))):
        for key, value in ((selector or {}).get("matchLabels") or {}).items():
            words.append(f"{kind} {key}={value}")
        for each in (selector or {}).get("matchExpressions") or []:
            values = f" ({', '.join(each['values'])})" if each.get("values") else ""
            words.append(f"{kind} {each['key']} {each['operator']}{values}")
    return " and ".join(words) or "a peer"
