"""Add-ons: hardened, least rights, written only when they differ; readiness is of the present life of the node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from runbook.clients.kube.api import FIELD_MANAGER, Api
from runbook.cluster.embedded import addons
from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.configuration import Configuration
from runbook.engine.errors import Foreign
from runbook.engine.settings import Settings
from runbook.ownership import installation
from tests.fakes.worlds import FakeApi

IMAGES = {
    "coredns": "todo.runbook/coredns:1",
    "kube-network-policies": "todo.runbook/knp:1",
    "traefik": "todo.runbook/traefik:1",
}
SINCE = "2026-01-01T10:00:00Z"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return Configuration("test", tmp_path / "node", Addresses(100), "todo.runbook/pause:1")


@pytest.fixture
def objects(configuration: Configuration) -> list[dict[str, Any]]:
    return addons.manifests((*addons.BASE, *addons.INGRESS), configuration, IMAGES)


def of_kind(objects: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    found = [each for each in objects if each["kind"] in kinds]
    assert found
    return found


def test_no_role_has_a_wildcard_or_writes_more_than_a_status(objects: list[dict[str, Any]]) -> None:
    for role in of_kind(objects, "ClusterRole"):
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            if set(rule["verbs"]) - {"list", "watch"}:
                assert rule["resources"] == ["ingresses/status"]
    for binding in of_kind(objects, "ClusterRoleBinding"):
        assert binding["roleRef"]["name"] != "cluster-admin"


def ingress(configuration: Configuration, uid: str) -> list[dict[str, Any]]:
    return addons.manifests(addons.INGRESS, configuration, IMAGES, addons.Served("todo", uid))


def test_the_ingress_controller_reads_the_secrets_of_one_namespace_at_most(
    configuration: Configuration,
) -> None:
    for uid, namespaces in (("", []), ("1-2-3", ["todo"])):
        objects = ingress(configuration, uid)
        readers = [
            role
            for role in of_kind(objects, "ClusterRole", "Role")
            if any("secrets" in rule["resources"] for rule in role["rules"])
        ]
        assert [(role["kind"], role["metadata"]["namespace"]) for role in readers] == [
            ("Role", each) for each in namespaces
        ]
        (workload,) = of_kind(objects, "Deployment")
        arguments = workload["spec"]["template"]["spec"]["containers"][0]["args"]
        assert "--providers.kubernetesingressnginx.watchnamespace=todo" in arguments


def test_a_namespace_that_is_made_again_is_served_by_a_new_pod(configuration: Configuration) -> None:
    def digest(uid: str) -> str:
        (workload,) = of_kind(ingress(configuration, uid), "Deployment")
        return str(workload["spec"]["template"]["metadata"]["annotations"][addons.DIGEST])

    assert digest("1") == digest("1")
    assert len({digest(uid) for uid in ("", "1", "2")}) == 3


def test_what_faces_people_is_held_to_the_strictest_standard_and_behind_a_policy(
    configuration: Configuration,
) -> None:
    objects = ingress(configuration, "1")
    (space,) = of_kind(objects, "Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (workload,) = of_kind(objects, "Deployment")
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert not any("hostPort" in port for port in container["ports"])
    (policy,) = of_kind(objects, "NetworkPolicy")
    assert policy["spec"]["podSelector"] == {} and policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule.get("ports") for rule in policy["spec"]["ingress"])
    to = [peer for rule in policy["spec"]["egress"] for peer in rule["to"]]
    assert to == [
        {"ipBlock": {"cidr": f"{configuration.addresses.node}/32"}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "todo"}}},
    ]


@pytest.mark.parametrize("outside", [False, True])
def test_dns_asks_the_api_and_where_there_is_a_way_out_the_name_servers(
    configuration: Configuration, outside: bool
) -> None:
    objects = addons.manifests(("dns",), replace(configuration, outside=outside), IMAGES)
    (policy,) = of_kind(objects, "NetworkPolicy")
    to = [peer["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for peer in rule["to"]]
    network = configuration.addresses
    assert to == [f"{network.node}/32", *([f"{network.outside_names}/32"] if outside else [])]


def test_pods_are_hardened_and_nothing_is_pulled(objects: list[dict[str, Any]]) -> None:
    for workload in of_kind(objects, "Deployment", "DaemonSet"):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            security = container["securityContext"]
            assert container["imagePullPolicy"] == "Never"
            assert security["readOnlyRootFilesystem"]
            assert not security["allowPrivilegeEscalation"]
            assert security["capabilities"]["drop"] == ["ALL"]
            assert "privileged" not in security


def test_there_is_one_default_class_of_each(objects: list[dict[str, Any]]) -> None:
    (storage,) = of_kind(objects, "StorageClass")
    (ingress,) = of_kind(objects, "IngressClass")
    assert storage["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert (ingress["metadata"]["name"], ingress["spec"]["controller"]) == ("nginx", "k8s.io/ingress-nginx")


def test_pods_follow_what_they_read(configuration: Configuration) -> None:
    def annotation(of: Configuration) -> str:
        found = addons.manifests(("dns",), of, IMAGES)
        return str(
            of_kind(found, "Deployment")[0]["spec"]["template"]["metadata"]["annotations"][addons.DIGEST]
        )

    assert annotation(configuration) == annotation(configuration)
    assert annotation(configuration) != annotation(replace(configuration, outside=True))


@pytest.mark.parametrize(("outside", "wanted"), [(False, "NXDOMAIN"), (True, "forward . 10.100.254.3")])
def test_foreign_names(configuration: Configuration, outside: bool, wanted: str) -> None:
    (config,) = of_kind(
        addons.manifests(("dns",), replace(configuration, outside=outside), IMAGES), "ConfigMap"
    )
    corefile = config["data"]["Corefile"]
    assert wanted in corefile
    assert corefile.count("{") == corefile.count("}")


def test_a_second_apply_writes_nothing_and_repairs_what_was_lost(
    settings: Settings, objects: list[dict[str, Any]]
) -> None:
    api = FakeApi()
    assert addons.apply(cast("Api", api), settings, objects) == len(objects)
    assert addons.apply(cast("Api", api), settings, objects) == 0
    del api.objects["Deployment", "kube-system", "coredns"]
    assert addons.apply(cast("Api", api), settings, objects) == 1


def test_every_object_carries_our_id_from_its_creation_on(
    settings: Settings, objects: list[dict[str, Any]]
) -> None:
    api = FakeApi()
    addons.apply(cast("Api", api), settings, objects)
    assert {kind for kind, _, _ in api.objects} >= {
        "Namespace",
        "ClusterRole",
        "StorageClass",
        "IngressClass",
    }
    assert all(installation.owns(settings, each) for each in api.objects.values())


@pytest.mark.parametrize("labels", [{}, {installation.LABEL: "f" * 32}])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("Namespace", "ingress-nginx"), ("ClusterRole", "system:coredns"), ("StorageClass", "standard")],
)
def test_what_is_somebody_elses_is_refused_before_anything_is_written(
    settings: Settings, objects: list[dict[str, Any]], kind: str, name: str, labels: dict[str, str]
) -> None:
    api = FakeApi({"kind": kind, "metadata": {"name": name, "labels": labels}})
    with pytest.raises(Foreign, match=f"{kind} {name} was"):
        addons.apply(cast("Api", api), settings, objects)
    assert api.written == []


def test_what_an_older_version_made_is_brought_up_to_date_without_an_id(
    settings: Settings, objects: list[dict[str, Any]]
) -> None:
    """It was not written at creation: by it alone nobody would know that the object is ours."""
    api = FakeApi()
    for each in objects:
        about = {"annotations": {addons.DIGEST: "0"}, "managedFields": [{"manager": FIELD_MANAGER}]}
        api.put({"kind": each["kind"], "metadata": {**each["metadata"], **about}})
    assert addons.apply(cast("Api", api), settings, objects) == len(objects)
    assert not any(installation.owns(settings, each) for each in api.objects.values())


def pod(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "metadata": {"name": "coredns-1", "annotations": {addons.DIGEST: "1"}},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T10:00:01Z"}}}],
        },
    }
    found["status"] |= changes
    return found


def test_a_ready_pod_has_no_problem() -> None:
    assert addons.pod_problem(pod(), "1", SINCE) == ""


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (pod(conditions=[{"type": "Ready", "status": "False"}]), "not Ready"),
        (pod(conditions=[]), "not Ready"),
        (pod(containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]), "CrashLoopBackOff"),
        (pod(containerStatuses=[{"state": {"running": {"startedAt": "2026-01-01T09:59:59Z"}}}]), "again"),
        (pod(containerStatuses=[{"state": {"terminated": {}}}]), "again"),
    ],
    ids=["not ready", "no condition", "crashes", "of an earlier life", "terminated"],
)
def test_what_keeps_a_pod_from_counting(seen: dict[str, Any], words: str) -> None:
    assert words in addons.pod_problem(seen, "1", SINCE)


def test_a_pod_of_an_older_configuration_does_not_count() -> None:
    assert "older configuration" in addons.pod_problem(pod(), "2", SINCE)


def test_what_is_not_asked_for_does_not_count() -> None:
    assert addons.pod_problem(pod(), "", "") == ""


def test_a_pod_that_is_being_removed_does_not_count() -> None:
    seen = pod()
    seen["metadata"]["deletionTimestamp"] = SINCE
    assert "removed" in addons.pod_problem(seen, "1", SINCE)
