"""Accounts and policies of all charts by the real Helm: no pod is left out, whatever the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from runbook.clients.helm import NO_VALUES, Helm, Values
from runbook.engine.settings import Settings
from runbook.netpol.policies import EGRESS, INGRESS, End, applies, pod_end, types, verdict
from tests.charts.binary import HELM
from tests.charts.test_charts import APPLICATION, CHARTS, client

pytestmark = pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")

DEVELOPMENT = (APPLICATION / "values-dev.yaml",)
DAPR: dict[str, Any] = {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}}
WAYS: list[dict[str, Any]] = [
    {},
    {"backend": {"migrations": {"enabled": False}}},
    {"frontend": {"ingress": {"enabled": False}}},
    {"mcp-server": {"enabled": False}},
    {"global": {"networkPolicy": {"database": {"cidr": "10.1.2.3/32"}}}},
    {"redis": {"enabled": True}},
    DAPR,
    {**DAPR, "redis": {"enabled": True, "persistence": {"enabled": True}}},
    {"global": {"imagePullSecrets": [{"name": "registry"}], "drainSeconds": 0}},
]


@pytest.fixture
def helm() -> Helm:
    return client(Settings())


def objects(helm: Helm, files: tuple[Any, ...] = (), **overrides: Any) -> list[Any]:
    return helm.template(
        APPLICATION, release="todo-app", namespace="todo", values=Values(files, overrides or None)
    )


def of_kind(found: list[Any], kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


def templates(found: list[Any]) -> dict[str, Any]:
    """Pod templates by the name of what makes the pods, with a namespace."""
    return {
        f"{each['kind']} {each['metadata']['name']}": {
            **each["spec"]["template"],
            "metadata": {
                **each["spec"]["template"]["metadata"],
                "namespace": each["metadata"]["namespace"],
                "name": each["metadata"]["name"],
            },
        }
        for each in found
        if "template" in (each.get("spec") or {})
    }


def check_every_pod(found: list[Any]) -> None:
    """Each pod has an account that the same chart makes, no token, and policies that close both directions."""
    accounts = of_kind(found, "ServiceAccount")
    policies = list(of_kind(found, "NetworkPolicy").values())
    pods = templates(found)
    assert pods
    for title, template in pods.items():
        pod = template["spec"]
        account = accounts[pod["serviceAccountName"]]
        assert account["automountServiceAccountToken"] is False, title
        assert pod["automountServiceAccountToken"] is False, title
        end = pod_end(template, {})
        closed = {direction for policy in policies if applies(policy, end) for direction in types(policy)}
        assert closed == {INGRESS, EGRESS}, title
    for name, policy in of_kind(found, "NetworkPolicy").items():
        ends = [pod_end(template, {}) for template in pods.values()]
        assert any(applies(policy, end) for end in ends), f"{name} selects no pod"


@pytest.mark.parametrize("files", [(), DEVELOPMENT], ids=["defaults", "development"])
@pytest.mark.parametrize("overrides", WAYS, ids=str)
def test_no_pod_is_without_account_or_policy(
    helm: Helm, files: tuple[Any, ...], overrides: dict[str, Any]
) -> None:
    check_every_pod(objects(helm, files, **overrides))
    assert not [each for each in helm.lint(APPLICATION, Values(files, overrides)) if each.severity != "info"]


@pytest.mark.parametrize("chart", ["postgres", "offline-model"])
def test_the_stand_ins_close_their_namespaces_too(helm: Helm, chart: str) -> None:
    check_every_pod(helm.template(CHARTS / chart, release=chart, namespace="n", values=NO_VALUES))


@pytest.mark.parametrize("chart", ["todo-app", "postgres", "offline-model"])
def test_policies_can_be_left_out_where_nothing_enforces_them(helm: Helm, chart: str) -> None:
    off: dict[str, Any] = {"networkPolicy": {"enabled": False}}
    values = Values(overrides={"global": off} if chart == "todo-app" else off)
    found = helm.template(CHARTS / chart, release="todo-app", namespace="n", values=values)
    assert found
    assert not of_kind(found, "NetworkPolicy")


def cluster(helm: Helm, **overrides: Any) -> tuple[list[Any], dict[str, End]]:
    """All policies of a local cluster, and an end for each pod and for those that are strangers."""
    application = objects(helm, DEVELOPMENT, **overrides)
    database = helm.template(CHARTS / "postgres", release="postgres", namespace="todo-database")
    model = helm.template(CHARTS / "offline-model", release="offline-model", namespace="todo-model")
    found = [*application, *database, *model]
    ends = {}
    for title, template in templates(found).items():
        where = template["metadata"]["namespace"]
        ends[title.split()[1]] = pod_end(template, {"kubernetes.io/metadata.name": where})
    controller = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
    ends["ingress"] = pod("ingress-nginx", "controller", controller)
    ends["dns"] = pod("kube-system", "coredns", {"k8s-app": "kube-dns"})
    ends["rogue"] = pod("todo", "rogue", {})
    ends["elsewhere"] = pod("elsewhere", "frontend", dict(ends["frontend"].labels))
    ends["internet"] = End("internet", "203.0.113.7")
    ends["metadata"] = End("metadata", "169.254.169.254")
    return [each for each in found if each["kind"] == "NetworkPolicy"], ends


def pod(namespace: str, name: str, labels: dict[str, str]) -> End:
    return End(name, "10.207.0.50", namespace, labels, {"kubernetes.io/metadata.name": namespace})


CONTROL = {("dns", 53), ("sentry", 50001), ("operator", 6500)}
"""What every sidecar needs."""

DIRECT: Mapping[str, set[tuple[str, int]]] = {
    "ingress": {("frontend", 3000)},
    "frontend": {("backend", 8000), ("postgres", 5432), ("dns", 53)},
    "backend": {("mcp-server", 8080), ("postgres", 5432), ("offline-model", 8090), ("dns", 53)},
    "mcp-server": {("postgres", 5432), ("dns", 53)},
    "todo-app-migrate": {("postgres", 5432), ("dns", 53)},
}
"""Who reaches what without sidecars, written by hand; everything else is closed."""

PORTS = (53, 80, 443, 3000, 3500, 3501, 5432, 6379, 6500, 8000, 8080, 8090, 9090, 10250, 50001, 50002)
OURS = ("frontend", "backend", "mcp-server", "todo-app-migrate", "postgres", "offline-model", "rogue")


def reached(policies: list[Any], ends: dict[str, End], source: str) -> set[tuple[str, int]]:
    return {
        (name, port)
        for name, end in ends.items()
        for port in PORTS
        if end != ends[source] and verdict(policies, ends[source], end, port).allowed
    }


def test_the_ways_are_exactly_those_of_the_table(helm: Helm) -> None:
    policies, ends = cluster(helm)
    for source in OURS:
        assert reached(policies, ends, source) == DIRECT.get(source, set()), source
    for source in ("ingress", "elsewhere", "internet"):
        into = {way for way in reached(policies, ends, source) if way[0] in OURS}
        assert into == DIRECT.get(source, set()), source


MESHED: Mapping[str, set[tuple[str, int]]] = {
    "ingress": {("frontend", 3000)},
    "frontend": {("backend", 50002), ("postgres", 5432), *CONTROL},
    "backend": {
        ("mcp-server", 50002),
        ("postgres", 5432),
        ("offline-model", 8090),
        ("redis", 6379),
        *CONTROL,
    },
    "mcp-server": {("postgres", 5432), *CONTROL},
    "todo-app-migrate": {("postgres", 5432), ("dns", 53)},
}
"""The same with sidecars: the applications' own ports are closed to other applications."""


def test_with_sidecars_the_ways_are_theirs(helm: Helm) -> None:
    policies, ends = cluster(helm, **DAPR)
    ends["sentry"] = pod("dapr-system", "sentry", {"app": "dapr-sentry"})
    ends["operator"] = pod("dapr-system", "operator", {"app": "dapr-operator"})
    ends["impostor"] = pod("elsewhere", "sentry", {"app": "dapr-sentry"})
    for source in (*OURS, "redis"):
        assert reached(policies, ends, source) == MESHED.get(source, set()), source
    for source in ("ingress", "elsewhere", "internet", "sentry", "operator"):
        into = {way for way in reached(policies, ends, source) if way[0] in (*OURS, "redis")}
        assert into == MESHED.get(source, set()), source


def test_names_are_looked_up_by_udp_too(helm: Helm) -> None:
    policies, ends = cluster(helm)
    assert verdict(policies, ends["backend"], ends["dns"], 53, "UDP").allowed
    assert verdict(policies, ends["todo-app-migrate"], ends["dns"], 53, "UDP").allowed
    assert not verdict(policies, ends["postgres"], ends["dns"], 53, "UDP").allowed
    assert not verdict(policies, ends["rogue"], ends["dns"], 53, "UDP").allowed


def test_real_services_are_outside_and_only_on_their_port(helm: Helm) -> None:
    policies = [each for each in objects(helm) if each["kind"] == "NetworkPolicy"]
    _, ends = cluster(helm)
    outside = {("internet", 443), ("internet", 5432)}
    assert {way for way in reached(policies, ends, "backend") if way[0] != "dns"} == {
        ("mcp-server", 8080),
        *outside,
    }
    assert ("internet", 443) not in reached(policies, ends, "frontend")
    assert ("metadata", 443) not in reached(policies, ends, "backend")


def hooks_of(found: list[Any], event: str) -> list[Any]:
    return [
        each for each in found if (each["metadata"].get("annotations") or {}).get("helm.sh/hook") == event
    ]


def test_the_page_is_open_to_helms_test_for_as_long_as_it_runs(helm: Helm) -> None:
    policies, ends = cluster(helm)
    assert reached(policies, ends, "todo-app-page-test") == {("frontend", 3000), ("dns", 53)}
    hooks = hooks_of(objects(helm, DEVELOPMENT), "test")
    assert {each["kind"] for each in hooks} == {"ServiceAccount", "NetworkPolicy", "Job"}
    released = [
        each for each in policies if "helm.sh/hook" not in (each["metadata"].get("annotations") or {})
    ]
    assert reached(released, ends, "todo-app-page-test") == set()


def test_a_budget_keeps_a_replica_where_there_are_some(helm: Helm) -> None:
    budgets = of_kind(objects(helm), "PodDisruptionBudget")
    assert set(budgets) == {"frontend", "backend", "mcp-server"}
    deployments = of_kind(objects(helm), "Deployment")
    for name, budget in budgets.items():
        assert budget["spec"]["selector"] == deployments[name]["spec"]["selector"]
        assert budget["spec"]["maxUnavailable"] == 1
    assert not of_kind(objects(helm, DEVELOPMENT), "PodDisruptionBudget")


def test_the_migration_has_its_account_and_its_way_before_it_runs(helm: Helm) -> None:
    """Also at a first install, where nothing else of the release exists yet, and nothing of it stays behind."""
    found = objects(helm, DEVELOPMENT)
    hooks = hooks_of(found, "pre-install,pre-upgrade")
    assert {each["kind"] for each in hooks} == {"ServiceAccount", "NetworkPolicy", "Job"}
    for each in hooks:
        annotations = each["metadata"]["annotations"]
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
        early = int(annotations.get("helm.sh/hook-weight", "0"))
        assert (early < 0) == (each["kind"] != "Job")
    alone = [each for each in hooks if each["kind"] == "NetworkPolicy"]
    migration = pod_end(templates(found)["Job todo-app-migrate"], {})
    assert types(alone[0]) == {INGRESS, EGRESS}
    assert applies(alone[0], migration)
