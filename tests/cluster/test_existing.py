"""Clusters of the user's own, named by a context: looked at; images come by a registry or are shared with Docker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.cluster.existing import Existing
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from tests.fakes.recorded import Answer, Recorded
from tests.fakes.worlds import FakeApi

ID, MANIFEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BACKEND = "todo-backend:1.0.0"
INSPECTED = json.dumps([{"Id": ID, "RepoDigests": []}])


def existing(api: FakeApi, answers: dict[str, Answer] | None = None, **chosen: Any) -> Existing:
    recorded = Recorded({"docker buildx version": "v0.29.1", **(answers or {})})
    chosen = {"context": "somewhere", **chosen}
    found = Existing(Settings(cluster="existing", **chosen), recorded.as_commands())
    found.__dict__["_api"] = api
    found.__dict__["recorded"] = recorded
    return found


def node(ready: str = "True", name: str = "n", runtime: str = "containerd://2.1.0") -> dict[str, object]:
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "addresses": [{"type": "InternalIP", "address": "192.0.2.7"}],
            "nodeInfo": {"containerRuntimeVersion": runtime},
        },
    }


def silent(_: str) -> None:
    return None


@pytest.mark.parametrize(("ready", "running"), [("True", True), ("False", False), ("Unknown", False)])
def test_it_runs_when_all_nodes_are_ready(ready: str, running: bool) -> None:
    assert existing(FakeApi(node(ready))).status().running is running


def test_one_without_nodes_or_answer_does_not_run() -> None:
    away = FakeApi()
    away.away = True
    assert not existing(FakeApi()).status().running
    with pytest.raises(Unmeasurable):
        existing(away).up(silent)


class TestRegistry:
    """As the CNCF registry v3.1.2 and `docker manifest inspect --verbose` answer."""

    MANIFEST = json.dumps(
        {
            "Ref": f"localhost:5001/{BACKEND}",
            "Descriptor": {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "digest": MANIFEST,
            },
            "SchemaV2Manifest": {"config": {"digest": ID}},
        }
    )

    def cluster(self, manifest: Answer) -> Existing:
        answers: dict[str, Answer] = {
            "docker image inspect": INSPECTED,
            "docker manifest inspect": manifest,
            "docker tag": "",
            "docker push": "",
            "docker image rm": "",
        }
        return existing(FakeApi(node()), answers, registry="localhost:5001")

    def test_it_holds_the_image_by_manifest_and_configuration(self) -> None:
        held = self.cluster(self.MANIFEST).holdings([BACKEND])
        assert not held.problems(BACKEND, {ID})
        assert held.id(f"localhost:5001/todo-backend@{MANIFEST}") == MANIFEST

    def test_what_is_there_is_not_pushed_again(self) -> None:
        cluster = self.cluster(self.MANIFEST)
        cluster.load_images([BACKEND], silent)
        assert not [each for each in cluster.__dict__["recorded"].asked if "push" in each]

    def test_what_differs_is_pushed(self) -> None:
        cluster = self.cluster(self.MANIFEST.replace(ID, "sha256:" + "c" * 64))
        cluster.load_images([BACKEND], silent)
        assert f"docker push --quiet localhost:5001/{BACKEND}" in cluster.__dict__["recorded"].asked


class TestSharedEngine:
    """Docker Desktop, OrbStack, Rancher Desktop, Colima: the one node runs on the Docker that we build with."""

    @pytest.mark.parametrize("name", ["docker-desktop", "orbstack", "lima-rancher-desktop", "colima"])
    def test_its_images_are_the_nodes(self, name: str) -> None:
        answers: dict[str, Answer] = {
            "docker info": json.dumps({"ID": "d", "Name": name}),
            "docker image inspect": INSPECTED,
        }
        cluster = existing(FakeApi(node(name=name, runtime="docker://28.3.0")), answers)
        cluster.load_images([BACKEND], silent)
        assert not cluster.holdings([BACKEND]).problems(BACKEND, {ID})

    @pytest.mark.parametrize(
        "nodes",
        [
            [node(name="docker-desktop", runtime="containerd://2.1.0")],
            [node(name="minikube", runtime="docker://28.3.0")],
            [
                node(name="docker-desktop", runtime="docker://28.3.0"),
                node(name="other", runtime="docker://28.3.0"),
            ],
        ],
    )
    def test_others_need_a_registry(self, nodes: list[dict[str, object]]) -> None:
        cluster = existing(
            FakeApi(*nodes), {"docker info": json.dumps({"ID": "d", "Name": "docker-desktop"})}
        )
        with pytest.raises(Unmeasurable, match="no way into context somewhere") as refused:
            cluster.holdings([BACKEND])
        assert "TODO_REGISTRY" in refused.value.hint
        with pytest.raises(RunbookError):
            cluster.load_images([BACKEND], silent)

    def test_a_kind_cluster_by_its_context_has_a_better_way(self) -> None:
        cluster = existing(FakeApi(node()), {"docker info": "{}"}, context="kind-mine")
        with pytest.raises(Unmeasurable) as refused:
            cluster.holdings([BACKEND])
        assert refused.value.hint == "TODO_CLUSTER=kind TODO_CLUSTER_NAME=mine"


def test_its_ingress_class_is_looked_for() -> None:
    there = {"kind": "IngressClass", "metadata": {"name": "nginx"}}
    existing(FakeApi(there)).enable_ingress(silent)
    with pytest.raises(RunbookError, match="no IngressClass nginx"):
        existing(FakeApi()).enable_ingress(silent)


def test_its_address_is_the_services_else_a_nodes() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.80"}]}},
    }
    assert existing(FakeApi(node(), service)).ingress_address() == "192.0.2.80"
    assert existing(FakeApi(node())).ingress_address() == "192.0.2.7"
    with pytest.raises(Unmeasurable):
        existing(FakeApi()).ingress_address()
