"""NetworkPolicy semantics, case by case, and the properties that hold of all policies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.netpol.policies import EGRESS, INGRESS, End, pod_end, selects, types, verdict

Object = dict[str, Any]
SPACES = {"todo": {"kubernetes.io/metadata.name": "todo"}, "other": {"kubernetes.io/metadata.name": "other"}}


def pod(name: str, namespace: str = "todo", address: str = "10.1.0.5", **labels: str) -> End:
    return End(
        name, address, namespace, {"app": name, **labels}, SPACES[namespace], (("http", "TCP", 8000),), "n1"
    )


def policy(name: str = "p", namespace: str = "todo", **spec: Any) -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


FRONT, BACK = pod("front"), pod("back", address="10.1.0.6")
STRANGER = pod("stranger", "other", "10.1.0.9")
NODE = End("n1", "10.0.0.2", node="n1")
OUTSIDE = End("internet", "192.0.2.1")
DENY = policy("default-deny", policyTypes=[INGRESS, EGRESS])


def app(name: str) -> Object:
    return {"podSelector": {"matchLabels": {"app": name}}}


def allowed(source: End, to: End, *policies: Object, port: int = 8000, protocol: str = "TCP") -> bool:
    return verdict(policies, source, to, port, protocol).allowed


def test_without_a_policy_all_is_allowed() -> None:
    assert allowed(FRONT, BACK)
    assert allowed(STRANGER, BACK, port=1, protocol="UDP")


def test_default_deny_isolates_both_directions_of_its_namespace_only() -> None:
    assert not allowed(FRONT, BACK, DENY)
    assert not allowed(STRANGER, BACK, DENY)
    assert not allowed(BACK, OUTSIDE, DENY)
    assert allowed(STRANGER, OUTSIDE, DENY)


def test_both_ends_must_allow() -> None:
    out = policy("out", podSelector={"matchLabels": {"app": "front"}}, policyTypes=[EGRESS], egress=[{}])
    into = policy("in", podSelector={"matchLabels": {"app": "back"}}, policyTypes=[INGRESS], ingress=[{}])
    assert not allowed(FRONT, BACK, DENY, out)
    assert not allowed(FRONT, BACK, DENY, into)
    assert allowed(FRONT, BACK, DENY, out, into)


def test_an_answer_needs_no_rule_and_gives_no_right() -> None:
    """Front may open connections to back; back may not open any to front."""
    out = policy("out", podSelector={"matchLabels": {"app": "front"}}, policyTypes=[EGRESS], egress=[{}])
    into = policy("in", podSelector={"matchLabels": {"app": "back"}}, policyTypes=[INGRESS], ingress=[{}])
    assert allowed(FRONT, BACK, DENY, out, into)
    assert not allowed(BACK, FRONT, DENY, out, into)


def test_a_pod_reaches_itself_and_its_node_whatever_the_policies_say() -> None:
    assert allowed(BACK, BACK, DENY)
    assert allowed(NODE, BACK, DENY)
    assert verdict([DENY], BACK, NODE, 10250).own_node
    assert not allowed(End("n2", "10.0.0.3", node="n2"), BACK, DENY)


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({}, {INGRESS}),
        ({"egress": []}, {INGRESS}),
        ({"egress": [{}]}, {INGRESS, EGRESS}),
        ({"policyTypes": [EGRESS]}, {EGRESS}),
        ({"policyTypes": [EGRESS], "ingress": [{}]}, {EGRESS}),
        ({"policyTypes": []}, {INGRESS}),
    ],
)
def test_policy_types_and_their_default(spec: Object, isolated: set[str]) -> None:
    assert types(policy(**spec)) == isolated


@pytest.mark.parametrize(
    ("peer", "front", "stranger", "outside"),
    [
        ({"podSelector": {}}, True, False, False),
        ({"namespaceSelector": {}}, True, True, False),
        (app("front"), True, False, False),
        ({"namespaceSelector": {"matchLabels": SPACES["other"]}}, False, True, False),
        ({"namespaceSelector": {"matchLabels": SPACES["other"]}, **app("front")}, False, False, False),
        ({"namespaceSelector": {"matchLabels": SPACES["other"]}, **app("stranger")}, False, True, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, True, True, True),
        ({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}, False, False, True),
        ({"ipBlock": {"cidr": "10.1.0.9/32"}}, False, True, False),
        ({"ipBlock": {"cidr": "::/0"}}, False, False, False),
    ],
)
def test_peers(peer: Object, front: bool, stranger: bool, outside: bool) -> None:
    into = policy(policyTypes=[INGRESS], ingress=[{"from": [peer]}])
    assert [allowed(end, BACK, into) for end in (FRONT, STRANGER, OUTSIDE)] == [front, stranger, outside]


@pytest.mark.parametrize(
    ("rules", "open_"),
    [
        ([], False),
        ([{}], True),
        ([{"from": []}], True),
        ([{"from": [], "ports": []}], True),
        ([{"from": [app("other"), app("front")]}], True),
        ([{"from": [app("other")]}, {"from": [app("front")]}], True),
        ([{"from": [app("front")], "ports": [{"port": 9}]}, {"from": [app("other")]}], False),
    ],
)
def test_rules_and_peers_are_alternatives(rules: list[Object], open_: bool) -> None:
    assert allowed(FRONT, BACK, policy(policyTypes=[INGRESS], ingress=rules)) is open_


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "open_"),
    [
        ([{"port": 8000}], 8000, "TCP", True),
        ([{"port": 8000}], 8000, "UDP", False),
        ([{"port": 53, "protocol": "UDP"}], 53, "UDP", True),
        ([{"port": 53, "protocol": "UDP"}], 53, "TCP", False),
        ([{"protocol": "UDP"}], 9999, "UDP", True),
        ([{}], 1, "TCP", True),
        ([{}], 1, "UDP", False),
        ([{"port": "http"}], 8000, "TCP", True),
        ([{"port": "http"}], 8001, "TCP", False),
        ([{"port": "metrics"}], 8000, "TCP", False),
        ([{"port": 8000, "endPort": 8010}], 8010, "TCP", True),
        ([{"port": 8000, "endPort": 8010}], 8011, "TCP", False),
        ([{"port": 8000, "endPort": 8010}], 7999, "TCP", False),
        ([{"port": 1}, {"port": 2}], 2, "TCP", True),
        ([{"port": 7, "protocol": "SCTP"}], 7, "SCTP", True),
    ],
)
@pytest.mark.parametrize("direction", [INGRESS, EGRESS])
def test_ports(ports: list[Object], port: int, protocol: str, open_: bool, direction: str) -> None:
    """A name is looked up at the destination, in either direction."""
    key = direction.lower()
    one = policy(policyTypes=[direction], **{key: [{"ports": ports}]})
    assert allowed(FRONT, BACK, one, port=port, protocol=protocol) is open_


def test_a_named_port_means_nothing_outside_of_the_cluster() -> None:
    out = policy(policyTypes=[EGRESS], egress=[{"ports": [{"port": "http"}]}])
    assert not allowed(FRONT, OUTSIDE, out)


@pytest.mark.parametrize(
    ("operator", "values", "absent", "one", "two"),
    [
        ("In", ["one"], False, True, False),
        ("NotIn", ["one"], True, False, True),
        ("Exists", None, False, True, True),
        ("DoesNotExist", None, True, False, False),
    ],
)
def test_match_expressions(
    operator: str, values: list[str] | None, absent: bool, one: bool, two: bool
) -> None:
    expression = {"key": "tier", "operator": operator, **({"values": values} if values else {})}
    found = [
        selects({"matchExpressions": [expression]}, labels)
        for labels in ({}, {"tier": "one"}, {"tier": "two"})
    ]
    assert found == [absent, one, two]


def test_an_unknown_operator_is_never_read_as_a_match() -> None:
    with pytest.raises(ValueError, match="Gt"):
        selects({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["1"]}]}, {})


def test_labels_and_expressions_must_both_hold() -> None:
    selector = {
        "matchLabels": {"app": "front"},
        "matchExpressions": [{"key": "tier", "operator": "Exists"}],
    }
    assert not selects(selector, {"app": "front"})
    assert selects(selector, {"app": "front", "tier": ""})


def test_a_pod_on_its_nodes_network_is_its_node() -> None:
    live = {
        "metadata": {"name": "proxy", "namespace": "todo", "labels": {"app": "front"}},
        "spec": {"hostNetwork": True, "nodeName": "n1", "containers": []},
        "status": {"podIP": "10.0.0.2"},
    }
    end = pod_end(live, SPACES["todo"])
    assert not end.is_pod
    assert not verdict([DENY], end, STRANGER, 1).egress.isolated_by
    into = policy(policyTypes=[INGRESS], ingress=[{"from": [app("front")]}])
    assert not verdict([into], end, BACK, 8000).ingress.allowed


def test_a_sidecars_named_port_counts() -> None:
    live = {
        "metadata": {"name": "back", "namespace": "todo"},
        "spec": {
            "containers": [{"ports": [{"containerPort": 9}]}],
            "initContainers": [
                {"restartPolicy": "Always", "ports": [{"name": "grpc", "containerPort": 50001}]},
                {"ports": [{"name": "once", "containerPort": 1}]},
            ],
        },
    }
    assert pod_end(live, {}).ports == (("grpc", "TCP", 50001),)


def test_a_verdict_names_its_policies() -> None:
    told = str(verdict([DENY], FRONT, BACK, 8000))
    assert told == "egress denied by todo/default-deny, ingress denied by todo/default-deny"
    assert "not isolated" in str(verdict([], FRONT, BACK, 8000))


SELECTORS = some.sampled_from([{}, {"matchLabels": {"app": "front"}}, {"matchLabels": {"app": "back"}}])
PEERS = some.one_of(
    some.builds(lambda s: {"podSelector": s}, SELECTORS),
    some.builds(lambda s: {"namespaceSelector": {}, "podSelector": s}, SELECTORS),
    some.sampled_from([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.1.0.0/16"]}}]),
)
PORTS = some.fixed_dictionaries(
    {}, optional={"port": some.sampled_from([8000, "http"]), "protocol": some.sampled_from(["TCP", "UDP"])}
)


def _rules(key: str) -> some.SearchStrategy[list[Object]]:
    rule = some.fixed_dictionaries(
        {}, optional={key: some.lists(PEERS, max_size=2), "ports": some.lists(PORTS, max_size=2)}
    )
    return some.lists(rule, max_size=2)


POLICIES = some.builds(
    policy,
    name=some.sampled_from("abc"),
    namespace=some.sampled_from(["todo", "other"]),
    podSelector=SELECTORS,
    policyTypes=some.sampled_from([[INGRESS], [EGRESS], [INGRESS, EGRESS]]),
    ingress=_rules("from"),
    egress=_rules("to"),
)
ENDS = some.sampled_from([FRONT, BACK, STRANGER, OUTSIDE])
WAYS = some.tuples(ENDS, ENDS, some.sampled_from([8000, 53]), some.sampled_from(["TCP", "UDP"]))


@given(some.lists(POLICIES, max_size=4), WAYS)
def test_the_order_of_policies_means_nothing(policies: list[Object], way: tuple[End, End, int, str]) -> None:
    assert verdict(policies, *way).allowed == verdict(policies[::-1], *way).allowed


@given(some.lists(POLICIES, max_size=4), POLICIES, WAYS)
def test_one_more_policy_on_an_isolated_pod_only_ever_allows(
    policies: list[Object], more: Object, way: tuple[End, End, int, str]
) -> None:
    """Policies add up: where both ends are isolated already, another one takes nothing away."""
    everywhere = [DENY, policy("deny", "other", policyTypes=[INGRESS, EGRESS]), *policies]
    if verdict(everywhere, *way).allowed:
        assert verdict([*everywhere, more], *way).allowed


@given(some.lists(POLICIES, max_size=4), WAYS)
def test_an_allow_all_for_both_ends_opens_everything(
    policies: list[Object], way: tuple[End, End, int, str]
) -> None:
    opened = [
        policy("all", namespace, policyTypes=[INGRESS, EGRESS], ingress=[{}], egress=[{}])
        for namespace in SPACES
    ]
    assert verdict([*policies, *opened], *way).allowed


@given(some.lists(POLICIES, max_size=4), WAYS)
def test_without_the_isolating_policies_all_is_open(
    policies: list[Object], way: tuple[End, End, int, str]
) -> None:
    seen = verdict(policies, *way)
    isolating = {*seen.egress.isolated_by, *seen.ingress.isolated_by}
    rest = [
        each
        for each in policies
        if f"{each['metadata']['namespace']}/{each['metadata']['name']}" not in isolating
    ]
    assert verdict(rest, *way).allowed
