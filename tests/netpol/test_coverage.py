"""What is wrong with policies by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.netpol.coverage import examine
from runbook.netpol.policies import EGRESS, INGRESS, End

Object = dict[str, Any]
DNS = End(
    "coredns",
    "10.1.0.2",
    "kube-system",
    {"k8s-app": "kube-dns"},
    {"kubernetes.io/metadata.name": "kube-system"},
)


def pod(name: str) -> End:
    return End(name, "10.1.0.5", "todo", {"app": name}, {"kubernetes.io/metadata.name": "todo"})


FRONT, BACK = pod("front"), pod("back")


def policy(name: str, **spec: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "todo"}, "spec": {"podSelector": {}, **spec}}


def selector(name: str) -> Object:
    return {"matchLabels": {"app": name}}


DENY = policy("default-deny", policyTypes=[INGRESS, EGRESS])
INTO = policy(
    "back-from-front",
    podSelector=selector("back"),
    policyTypes=[INGRESS],
    ingress=[{"from": [{"podSelector": selector("front")}], "ports": [{"port": 8000}]}],
)


def dns(*protocols: str, to: Object | None = None) -> Object:
    peer = to or {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    ports = [{"protocol": protocol, "port": 53} for protocol in protocols]
    return policy(
        "dns", podSelector=selector("front"), policyTypes=[EGRESS], egress=[{"to": [peer], "ports": ports}]
    )


def problems(*policies: Object) -> tuple[str, ...]:
    return examine(policies, "todo", [FRONT, BACK], [FRONT, BACK, DNS], [DNS]).problems


def test_a_good_set_has_no_problem_and_is_counted() -> None:
    found = examine([DENY, INTO, dns("UDP", "TCP")], "todo", [FRONT, BACK], [FRONT, BACK, DNS], [DNS])
    assert found.problems == ()
    assert (found.pods, found.policies, found.peers) == (2, 3, 2)


def test_without_default_deny_each_open_side_is_named() -> None:
    told = problems(INTO)
    assert "namespace todo has no policy that denies all egress by default" in told
    assert "no policy isolates the ingress of todo/front" in told
    assert "no policy isolates the ingress of todo/back" not in told


def test_default_deny_of_one_direction_is_half_of_it() -> None:
    assert any("denies all egress" in each for each in problems(policy("d", policyTypes=[INGRESS])))


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (INTO | {"spec": INTO["spec"] | {"podSelector": selector("bakc")}}, "back-from-front selects no pod"),
        (
            policy(
                "p",
                policyTypes=[INGRESS],
                ingress=[{"from": [{"podSelector": selector("frnt")}], "ports": [{}]}],
            ),
            "todo/p: pod app=frnt means no pod",
        ),
        (policy("p", policyTypes=[INGRESS], ingress=[{}]), "todo/p allows ingress from anyone"),
        (
            policy("p", policyTypes=[EGRESS], egress=[{"ports": [{"port": 443}]}]),
            "todo/p allows egress to anyone",
        ),
        (
            policy("p", policyTypes=[INGRESS], ingress=[{"from": [{"podSelector": selector("front")}]}]),
            "todo/p allows ingress on every port",
        ),
        (
            policy(
                "p",
                policyTypes=[INGRESS],
                ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"port": 1}]}],
            ),
            "every pod of every namespace",
        ),
        (
            policy(
                "p",
                policyTypes=[EGRESS],
                egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]}],
            ),
            "0.0.0.0/0 lets in more than the internet",
        ),
        (dns("UDP"), "todo/front may ask for names, but not over TCP"),
        (dns("TCP"), "todo/front may ask for names, but not over UDP"),
    ],
)
def test_each_fault_is_named(one: Object, cause: str) -> None:
    told = problems(DENY, one)
    assert any(cause in each for each in told), told


def test_a_block_that_leaves_out_what_is_inside_is_fine() -> None:
    block = {
        "cidr": "0.0.0.0/0",
        "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
    }
    way = policy("p", policyTypes=[EGRESS], egress=[{"to": [{"ipBlock": block}], "ports": [{"port": 443}]}])
    assert problems(DENY, way) == ()
