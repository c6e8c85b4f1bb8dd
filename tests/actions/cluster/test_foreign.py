"""What somebody else has in a cluster of ours is seen before it would go with a namespace, or with the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.actions.cluster import foreign
from runbook.clients.kube.api import FIELD_MANAGER
from runbook.engine.settings import Settings
from runbook.ownership import installation
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

Object = dict[str, Any]


def thing(
    kind: str, name: str, space: str = "todo", *, manager: str = "kubectl-create", **metadata: Any
) -> Object:
    managed = {"managedFields": [{"manager": manager, "fieldsV1": {"f:spec": {}}}]}
    return {"kind": kind, "metadata": {"name": name, "namespace": space, **managed, **metadata}}


def seen(*there: Object) -> list[str]:
    settings = Settings(pull_secret="pull")
    space = {"kind": "Namespace", "metadata": {"name": "todo", "labels": installation.labels(settings)}}
    api = FakeApi(space, running.release_secret(), *there)
    return foreign.contents(world_of(settings, api=api, cluster=FakeCluster()))


OF_HELM = {"annotations": {"meta.helm.sh/release-name": "todo-app", "meta.helm.sh/release-namespace": "todo"}}
BOUND = {
    "managedFields": [
        {"manager": "kubectl-create", "fieldsV1": {"f:spec": {}}},
        {"manager": "kube-controller-manager", "fieldsV1": {"f:metadata": {}}},
    ]
}
OTHERS = {"annotations": {"meta.helm.sh/release-name": "theirs", "meta.helm.sh/release-namespace": "todo"}}


@pytest.mark.parametrize(
    "kind",
    [
        *("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"),
        *("PersistentVolumeClaim", "ConfigMap", "Secret"),
    ],
)
@pytest.mark.parametrize("made", [{}, OTHERS, BOUND, {"labels": {installation.LABEL: "f" * 32}}])
def test_what_somebody_made_in_a_namespace_of_ours_is_seen(kind: str, made: Object) -> None:
    assert seen(thing(kind, "theirs", **made)) == [f"{kind} theirs in namespace todo"]


@pytest.mark.parametrize(
    "ours",
    [
        thing("Deployment", "backend", manager="helm", **OF_HELM),
        thing("Job", "migrate", annotations={"helm.sh/hook": "pre-install"}),
        thing("Secret", "made-by-our-client", manager=FIELD_MANAGER),
        thing("PersistentVolumeClaim", "data-postgres-0", manager="kube-controller-manager"),
        thing("Pod", "backend-1", ownerReferences=[{"kind": "ReplicaSet"}]),
        thing("Secret", "todo-secrets"),
        thing("Secret", "pull"),
        thing("Secret", "token") | {"type": "kubernetes.io/service-account-token"},
    ],
    ids=lambda each: f"{each['kind']} {each['metadata']['name']}",
)
def test_what_is_ours_or_our_users_or_kubernetes_own_is_not(ours: Object) -> None:
    assert seen(ours) == []


def test_what_a_controller_puts_into_every_namespace_is_nobodys() -> None:
    def everywhere(space: str) -> Object:
        return thing("ConfigMap", "kube-root-ca.crt", space, manager="kube-controller-manager")

    assert seen(everywhere("todo"), everywhere("default")) == []


@pytest.mark.parametrize("space", ["todo", "kube-system", "ingress-nginx"])
def test_a_release_by_hand_is_seen_also_in_a_namespace_of_the_systems(space: str) -> None:
    record = running.release_secret("theirs", space, installation="")
    assert seen(record) == [f"release theirs in namespace {space}"]
