"""Claims about NetworkPolicies: on good ones, on each that says something else, and where one is not there."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER
from runbook.checks.chart.claims import Absent, Claim
from runbook.checks.network import network_policies as policies
from tests.fakes import secured_chart
from tests.fakes.chart_objects import changed, labels

DENY = policies.default_deny()
LETS = policies.lets(FRONTEND, BACKEND)
DATABASE = policies.lets_reach_database(BACKEND)

OUT, INTO = secured_chart.call(FRONTEND, BACKEND, 8000)
TO_DATABASE = secured_chart.policy(
    "backend-to-database", BACKEND, "Egress", secured_chart.elsewhere("todo-database", "postgres"), 5432
)
PRIVATE = ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
OUTSIDE = {"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}


@pytest.mark.parametrize("claim", [DENY, LETS, policies.lets(BACKEND, MCP_SERVER), DATABASE])
def test_good_policies_have_no_problem(claim: Claim) -> None:
    seen = claim.examine(secured_chart.scene())
    assert seen.problems == []
    assert seen.observed


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        (DENY, "default-deny"),
        (LETS, "frontend-to-backend"),
        (LETS, "backend-from-frontend"),
        (DATABASE, "backend-to-database"),
    ],
)
def test_an_absent_policy_is_named(claim: Claim, name: str) -> None:
    with pytest.raises(Absent, match=f"there is no NetworkPolicy {name}"):
        claim.examine(secured_chart.scene(without=name))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.podSelector", {"matchLabels": {"app": "backend"}}, "it selects only some pods"),
        (
            "spec.podSelector",
            {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
            "it selects only some pods",
        ),
        ("spec.policyTypes", ["Ingress"], "it does not close egress"),
        ("spec.policyTypes", None, "it does not close egress"),
        ("spec.egress", [{}], "it allows egress"),
        ("spec.ingress", [{"from": []}], "it allows ingress"),
    ],
)
def test_a_denial_with_a_gap_is_told(path: str, value: Any, problem: str) -> None:
    good = secured_chart.policy("default-deny", None, "Ingress Egress")
    seen = DENY.examine(secured_chart.scene(changed(good, path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


PEER = "spec.egress.0.to.0"


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.podSelector", {}, "it selects todo/mcp-server too"),
        ("spec.podSelector.matchLabels", labels(MCP_SERVER), "it does not select the pods of frontend"),
        ("spec.policyTypes", ["Ingress"], "it is not about egress"),
        ("spec.egress", [], "it allows no egress"),
        ("spec.egress.0.to", [], "which means anyone"),
        (PEER, secured_chart.of(MCP_SERVER), "it does not mean the pods of backend"),
        (PEER, secured_chart.of(MCP_SERVER), "it admits todo/mcp-server too"),
        (PEER, {"podSelector": {}}, "it admits todo/a pod without labels too"),
        (f"{PEER}.podSelector.matchLabels", {"app.kubernetes.io/name": "bakend"}, "does not mean the pods"),
        (f"{PEER}.namespaceSelector", {}, "it admits elsewhere/a pod like backend too"),
        (PEER, {"ipBlock": {"cidr": "0.0.0.0/0"}}, "it admits an address outside too"),
        ("spec.egress.0.ports.0.port", 8001, "it opens TCP 8001, not TCP 8000"),
        ("spec.egress.0.ports.0.endPort", 9000, "it opens TCP 8000-9000"),
        ("spec.egress.0.ports.0.protocol", "UDP", "it opens UDP 8000"),
        ("spec.egress.0.ports", None, "it opens every port"),
    ],
)
def test_a_policy_that_says_something_else_is_told(path: str, value: Any, problem: str) -> None:
    seen = LETS.examine(secured_chart.scene(changed(OUT, path, value)))
    assert any(problem in each and each.startswith("frontend-to-backend") for each in seen.problems), (
        seen.problems
    )


def test_the_destinations_side_is_examined_too() -> None:
    open_to_all = changed(INTO, "spec.ingress.0.from.0", {"podSelector": {}})
    assert (
        "backend-from-frontend: it admits todo/mcp-server too"
        in LETS.examine(secured_chart.scene(open_to_all)).problems
    )


def test_a_port_may_be_named() -> None:
    assert (
        LETS.examine(secured_chart.scene(changed(INTO, "spec.ingress.0.ports.0.port", "http"))).problems == []
    )


def test_with_sidecars_the_way_is_theirs_and_the_applications_port_is_closed() -> None:
    annotations = {"dapr.io/enabled": "true"}
    meshed = changed(secured_chart.workload(BACKEND), "spec.template.metadata.annotations", annotations)
    seen = LETS.examine(secured_chart.scene(meshed))
    assert "frontend-to-backend: it opens TCP 8000, not TCP 50002" in seen.problems
    seen = LETS.examine(secured_chart.scene(meshed, *secured_chart.call(FRONTEND, BACKEND, 50002)))
    assert seen.problems == []
    assert "sidecar to sidecar" in seen.observed


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.podSelector", {}, "it selects todo/frontend too"),
        (f"{PEER}", secured_chart.of(FRONTEND), "it also reaches todo/frontend"),
        (f"{PEER}", {"ipBlock": {"cidr": "0.0.0.0/0"}}, "it also reaches a pod's address (10.207.0.9)"),
        (
            f"{PEER}",
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE[:2]}},
            "it also reaches the cloud's metadata",
        ),
        ("spec.egress.0.to", None, "which means anyone"),
        ("spec.egress.0.ports.0.port", 5433, "it opens TCP 5433, not TCP 5432"),
        ("spec.egress.0.ports", None, "not one port of TCP"),
        ("spec.egress.0.ports.0.endPort", 6000, "not one port of TCP"),
    ],
)
def test_another_way_to_the_database_is_told(path: str, value: Any, problem: str) -> None:
    seen = DATABASE.examine(secured_chart.scene(changed(TO_DATABASE, path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


@pytest.mark.parametrize("peer", [OUTSIDE, {"ipBlock": {"cidr": "10.20.30.40/32"}}])
def test_a_database_outside_of_the_cluster_may_have_another_port(peer: Any) -> None:
    away = changed(changed(TO_DATABASE, PEER, peer), "spec.egress.0.ports.0.port", 6543)
    seen = DATABASE.examine(secured_chart.scene(away))
    assert seen.problems == []
    assert "TCP 6543" in seen.observed
