"""The node and the ingress controller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.checks.cluster import node
from runbook.cluster import capacity
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from tests.checks.web.test_site import FakeHttp
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "nginx"},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "of_this_machine", lambda: capacity.Capacity("this machine", 16, 65536))
    monkeypatch.setattr(capacity, "of_docker", lambda _: capacity.Capacity("Docker", 16, 65536))


def test_a_ready_node_passes() -> None:
    outcome = node.ready(world_of(Settings(), api=FakeApi(running.node()), cluster=FakeCluster()))
    assert outcome.status is Status.PASSED
    assert outcome.observed == "embedded: Kubernetes v1.35.4, 1 node Ready (2 CPU, 8Gi)"


def test_a_cluster_that_does_not_run_fails_with_its_own_words() -> None:
    cluster = FakeCluster()
    cluster.running = False
    outcome = node.ready(world_of(Settings(), api=FakeApi(), cluster=cluster))
    assert (outcome.status, outcome.observed, outcome.hint) == (
        Status.FAILED,
        "embedded: not there",
        "inv cluster.up",
    )


def test_a_node_that_runs_but_wants_to_be_renewed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    ends = replace(cluster.status(), wants_up="the certificate ca.crt ends in 9 days")
    monkeypatch.setattr(cluster, "status", lambda: ends)
    outcome = node.ready(world_of(Settings(), api=FakeApi(running.node()), cluster=cluster))
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv cluster.up")
    assert "ca.crt ends in 9 days" in outcome.observed


def test_a_node_that_is_not_ready_fails_with_its_reason() -> None:
    outcome = node.ready(world_of(Settings(), api=FakeApi(running.node("False")), cluster=FakeCluster()))
    assert outcome.status is Status.FAILED
    assert "node todo is not Ready: container runtime is down" in outcome.observed


def test_a_cordoned_node_fails() -> None:
    cordoned = running.node()
    cordoned["spec"]["unschedulable"] = True
    outcome = node.ready(world_of(Settings(), api=FakeApi(cordoned), cluster=FakeCluster()))
    assert "takes no pods" in outcome.observed


def test_pressure_is_told() -> None:
    pressed = running.node()
    pressed["status"]["conditions"].append({"type": "DiskPressure", "status": "True"})
    outcome = node.ready(world_of(Settings(), api=FakeApi(pressed), cluster=FakeCluster()))
    assert "has DiskPressure" in outcome.observed


@pytest.mark.parametrize(("provider", "version", "green"), [
    ("embedded", "v1.34.9", False),
    ("embedded", "v1.36.0", True),
    ("minikube", "v1.34.9", True),
    ("minikube", "v1.29.0", False),
    ("existing", "v1.31.4+k3s1", True),
])  # fmt: skip
def test_the_version_that_is_wanted_depends_on_whose_cluster_it_is(
    provider: str, version: str, green: bool
) -> None:
    cluster = FakeCluster()
    cluster.provider = provider
    api = FakeApi(running.node())
    api.server_version = version
    world = world_of(Settings(), api=api, cluster=cluster, commands=None)
    assert node.ready(world).green is green


def test_an_api_that_is_away_cannot_be_measured() -> None:
    api = FakeApi()
    api.away = True
    with pytest.raises(Unmeasurable):
        node.ready(world_of(Settings(), api=api, cluster=FakeCluster()))


def test_the_controller_answers_with_its_own_404() -> None:
    outcome = node.ingress(world_of(Settings(), api=FakeApi(CLASS), http=FakeHttp()))
    assert outcome.status is Status.PASSED
    assert outcome.evidence["controller"] == "k8s.io/ingress-nginx"


def test_a_missing_class_is_told_with_what_there_is() -> None:
    other = {"kind": "IngressClass", "metadata": {"name": "traefik"}, "spec": {}}
    outcome = node.ingress(world_of(Settings(), api=FakeApi(other), http=FakeHttp()))
    assert outcome.status is Status.FAILED
    assert "the cluster has: traefik" in outcome.observed


def test_a_class_without_a_controller_fails() -> None:
    http = FakeHttp()
    http.away = True
    outcome = node.ingress(world_of(Settings(), api=FakeApi(CLASS), http=http))
    assert outcome.status is Status.FAILED
    assert "IngressClass nginx is there, but nothing answers HTTP" in outcome.observed


def test_something_else_on_port_80_fails() -> None:
    outcome = node.ingress(world_of(Settings(), api=FakeApi(CLASS), http=FakeHttp(stranger=200)))
    assert outcome.status is Status.FAILED
    assert "answered an unknown host with 200" in outcome.observed


def test_a_cluster_without_dns_fails_and_says_so() -> None:
    service = {"kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"}, "spec": {}}
    labels = {"kubernetes.io/service-name": "kube-dns"}
    slices = {
        "kind": "EndpointSlice",
        "metadata": {"name": "kube-dns-x", "namespace": "kube-system", "labels": labels},
        "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
    }
    api = FakeApi(running.node(), service, slices)
    world = world_of(Settings(), api=api, cluster=FakeCluster())
    assert node.ready(world).green
    slices["endpoints"] = []
    outcome = node.ready(world)
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv cluster.up")
    assert "the cluster's DNS has no ready pod" in outcome.observed


def test_a_node_with_less_than_the_list_says_fails_where_the_machine_has_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = running.node()
    small["status"]["capacity"] = {"cpu": "2", "memory": "8Gi"}
    world = world_of(Settings(), api=FakeApi(small), cluster=FakeCluster())
    outcome = node.ready(world)
    assert outcome.status is Status.FAILED
    assert "has 2 CPU and 8Gi of memory, not 4 CPU and 8192 MB" in outcome.observed
    monkeypatch.setattr(capacity, "of_this_machine", lambda: capacity.Capacity("this machine", 2, 7936))
    outcome = node.ready(world)
    assert outcome.status is Status.PASSED
    assert "less than the list's 4 CPU and 8 GB: this machine has no more" in outcome.observed
