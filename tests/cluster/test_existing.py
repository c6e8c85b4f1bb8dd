"""Clusters of the user's own, named by a context: looked at; images come by a registry or are shared with Docker."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbook.clients.kube.api import Api
from runbook.cluster import docker, ingress
from runbook.cluster.embedded import addons
from runbook.cluster.embedded.addons import ApiServer
from runbook.cluster.existing import Existing
from runbook.engine.errors import Foreign, RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.ownership import installation
from tests.fakes.recorded import Answer, Recorded
from tests.fakes.worlds import FakeApi

ID, MANIFEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BACKEND = "todo-backend:1.0.0"
INSPECTED = json.dumps([{"Id": ID, "RepoDigests": []}])


@pytest.fixture(autouse=True)
def users_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own file, with the contexts that are asked for here."""
    file = tmp_path / "users-config"
    names = ("somewhere", "kind-mine")
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in names]
    cluster = {"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}
    user = {"name": "u", "user": {"token": "not-a-real-token"}}
    file.write_text(json.dumps({"contexts": contexts, "clusters": [cluster], "users": [user]}))
    monkeypatch.setenv("KUBECONFIG", f":{tmp_path / 'absent'}:{file}")
    return file


def test_its_kubeconfig_is_read_again_when_it_changed(users_kubeconfig: Path) -> None:
    cluster = existing(FakeApi())
    assert cluster.kubeconfig().path == users_kubeconfig
    users_kubeconfig.write_text("{}")
    with pytest.raises(UsageError, match="there is no context 'somewhere'"):
        cluster.kubeconfig()


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
        with pytest.raises(RunbookError, match="no way into context somewhere") as refused:
            cluster.holdings([BACKEND])
        assert "TODO_REGISTRY" in refused.value.hint
        with pytest.raises(RunbookError):
            cluster.load_images([BACKEND], silent)

    def test_a_kind_cluster_by_its_context_has_a_better_way(self) -> None:
        cluster = existing(FakeApi(node()), {"docker info": "{}"}, context="kind-mine")
        with pytest.raises(RunbookError) as refused:
            cluster.holdings([BACKEND])
        assert refused.value.hint == "TODO_CLUSTER=kind TODO_CLUSTER_NAME=mine"


SERVICE = {
    "kind": "Service",
    "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"},
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.80"}]}},
}


SERVER = ApiServer("192.0.2.9", 6443)


class TestIngressController:
    def wanted(self, settings: Settings, **chosen: Any) -> dict[str, dict[str, Any]]:
        options = {"host_port": True, "namespace_uid": "1", "api_servers": [SERVER], **chosen}
        nodes = options.pop("nodes", [node()])
        found = ingress.manifests(settings, "todo.runbook/traefik:1", "192.0.2.7", nodes, **options)
        return {each["kind"]: each for each in found}

    def test_production_is_served_over_https_too_and_development_is_not(self, settings: Settings) -> None:
        for chosen in (settings, settings.model_copy(update={"env": "prod"})):
            found = self.wanted(chosen)
            (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
            ports = {port["name"]: port.get("hostPort") for port in container["ports"]}
            service = [port["port"] for port in found["Service"]["spec"]["ports"]]
            opened = [port["port"] for port in found["NetworkPolicy"]["spec"]["ingress"][0]["ports"]]
            https = {"https": 443} if chosen.production else {}
            assert ports == {"http": 80, "ping": None} | https
            assert service == ([80, 443] if chosen.production else [80])
            assert opened == ([8000, 8443] if chosen.production else [8000])

    def test_a_controller_of_the_clusters_own_is_left_alone(self) -> None:
        there = {"kind": "IngressClass", "metadata": {"name": "nginx"}}
        cluster = existing(FakeApi(there))
        cluster.enable_ingress(silent)
        assert not [each for each in cluster.__dict__["recorded"].asked if "load" in each]

    def test_every_object_carries_the_installations_id(self, settings: Settings) -> None:
        api = FakeApi()
        assert addons.apply(cast("Api", api), settings, list(self.wanted(settings).values())) == 10
        assert all(installation.owns(settings, each) for each in api.objects.values())

    def test_it_runs_on_the_node_whose_port_is_published(self, settings: Settings) -> None:
        front = node() | {"metadata": {"name": "n", "labels": {"ingress-ready": "true"}}}
        pod = self.wanted(settings, nodes=[front])["Deployment"]["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == {"ingress-ready": "true"}
        assert "nodeSelector" not in self.wanted(settings)["Deployment"]["spec"]["template"]["spec"]

    def test_where_port_80_is_taken_its_service_is_the_way_in(self, settings: Settings) -> None:
        found = self.wanted(settings, host_port=False)
        (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
        assert not any("hostPort" in port for port in container["ports"])
        assert found["Service"]["spec"]["type"] == "LoadBalancer"
        assert "externalIPs" not in found["Service"]["spec"]

    def test_on_port_80_of_its_node_it_needs_no_other_address(self, settings: Settings) -> None:
        found = self.wanted(settings)
        (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
        assert any(port.get("hostPort") == 80 for port in container["ports"])
        assert "externalIPs" not in found["Service"]["spec"]

    def test_it_reads_one_namespace_and_reaches_that_and_the_api(self, settings: Settings) -> None:
        found = self.wanted(settings)
        assert found["Role"]["metadata"]["namespace"] == settings.namespace
        assert "secrets" not in str(found["ClusterRole"])
        assert "192.0.2.9/32" in str(found["NetworkPolicy"]["spec"]["egress"])
        assert "Role" not in self.wanted(settings, namespace_uid="")

    def test_the_api_is_found_by_its_endpoints(self) -> None:
        there = {
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "ports": [{"port": 6443}],
            "endpoints": [{"addresses": ["192.0.2.9"]}],
        }
        assert ingress.api_servers(cast("Api", FakeApi(there))) == [SERVER]

    def test_one_of_the_same_name_that_is_not_ours_stops_it_before_anything_is_written(
        self, settings: Settings
    ) -> None:
        foreign = {"kind": "ClusterRole", "metadata": {"name": "ingress-controller"}}
        api = FakeApi(foreign)
        with pytest.raises(Foreign, match="ClusterRole ingress-controller was not made by this"):
            ingress.install(api, settings, list(self.wanted(settings).values()), silent)
        assert api.get("Namespace", "ingress-nginx") is None

    def test_what_is_ours_outside_of_its_namespace_is_found_again_and_nothing_else(
        self, settings: Settings
    ) -> None:
        found = self.wanted(settings)
        ours = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
        api = FakeApi()
        addons.apply(cast("Api", api), settings, [found[kind] for kind in ours])
        api.put({"kind": "IngressClass", "metadata": {"name": "nginx"}})
        assert {each["kind"] for each in ingress.ours(api, settings)} == set(ours)


class TestAddress:
    """What answers is decided by asking; where nothing does, the Service is forwarded."""

    def cluster(self, api: FakeApi, *answering: str) -> Existing:
        cluster = existing(api)
        cluster.__dict__["_answers"] = lambda host, port: (
            host if host in answering and port in {80, 443} else ""
        )
        cluster.__dict__["_forwarded"] = lambda port: SimpleNamespace(port=lambda: 40000 + port)
        return cluster

    def test_the_services_own_else_the_nodes(self) -> None:
        cluster = self.cluster(FakeApi(node(), SERVICE), "192.0.2.80", "192.0.2.7")
        assert (cluster.ingress_address(), cluster.ingress_port()) == ("192.0.2.80", 80)
        assert cluster.ingress_port(443) == 443
        assert self.cluster(FakeApi(node(), SERVICE), "192.0.2.7").ingress_address() == "192.0.2.7"

    def test_where_neither_is_reached_it_is_forwarded(self) -> None:
        cluster = self.cluster(FakeApi(node(), SERVICE))
        assert (cluster.ingress_address(), cluster.ingress_port()) == ("127.0.0.1", 40080)
        assert cluster.ingress_port(443) == 40443

    def test_before_there_is_a_controller_the_node_is_named(self) -> None:
        assert self.cluster(FakeApi(node())).ingress_address() == "192.0.2.7"
        with pytest.raises(Unmeasurable):
            self.cluster(FakeApi()).ingress_address()


DESKTOP = {
    "ID": "d",
    "Name": "docker-desktop",
    "OperatingSystem": "Docker Desktop",
    "KernelVersion": "6.10.14",
}
ENGINE = {"ID": "e", "Name": "here", "OperatingSystem": "Debian GNU/Linux 12", "KernelVersion": "6.1"}
ROOTLESS = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}


@pytest.mark.parametrize(
    ("said", "system", "here"),
    [
        (ENGINE, "Linux", True),
        (ENGINE, "Darwin", False),
        (DESKTOP, "Linux", False),
        (ENGINE | ROOTLESS, "Linux", False),
        (ENGINE | {"Name": "colima"}, "Linux", False),
        (ENGINE | {"KernelVersion": "5.15.167.4-microsoft-standard-WSL2"}, "Linux", False),
    ],
)
def test_docker_says_whether_its_containers_are_reached_from_here(
    said: dict[str, object], system: str, here: bool
) -> None:
    assert docker.judge(said, system, "here", "6.1").here is here


def test_nobody_knows_how_the_pods_of_somebodys_cluster_reach_this_machine() -> None:
    with pytest.raises(UsageError, match="the model is on this machine") as caught:
        existing(FakeApi(node())).machine_address()
    assert "OPENAI_BASE_URL=" in caught.value.hint
