"""kind, by what the real kind v0.33.0 answered with three nodes: ours is deleted, a user's own never."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.cluster.kind import LEDGER_KIND, LEDGER_NODE, Kind
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger
from tests.fakes.recorded import Answer, Recorded
from tests.fakes.worlds import FakeApi, usable

HERE = Path(__file__).parent / "recordings"
CRICTL = json.loads((HERE / "kind-crictl-images-after-kind-load.json").read_text())
PODS = json.loads((HERE / "kind-pod-image-ids-after-kind-load.json").read_text())
NODES = ("todo-control-plane", "todo-worker", "todo-worker2")
REFUSED = (
    'ERROR: failed to create cluster: command "docker run --name todo-control-plane" failed with error: exit 125 '
    "| docker: Error response from daemon: driver failed programming external connectivity on endpoint: "
    "Bind for 127.0.0.1:80 failed: port is already allocated"
)


def container(node: str) -> str:
    return f"{node}-id"


class Docker:
    """The cluster as kind and docker tell of it; what is created, started and deleted is so afterwards."""

    def __init__(self, states: dict[str, str] | None = None) -> None:
        self.states = dict(states or {})
        self.images: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, dict[str, str]] = {}
        self.created = datetime.now(UTC).isoformat()
        self.recorded: Recorded
        self.answers: dict[str, Answer] = {
            "kind get clusters": lambda: "other\n" + ("todo\n" if self.states else ""),
            "kind get nodes --name todo": lambda: "\n".join(self.states),
            "kind create cluster": self.create,
            "kind delete cluster": self.delete,
            "kind export kubeconfig": "",
            "docker buildx version": "github.com/docker/buildx v0.29.1",
            "docker container inspect --format {{.Created}}": lambda: "\n".join(
                [self.created] * len(self.states)
            ),
            "docker start": self.start,
        }
        for node in NODES:
            self.answers |= {
                f"docker container inspect --format {{{{.State.Status}}}} {{{{.Id}}}} {node}": (
                    lambda node=node: f"{self.states[node]} {container(node)}\n"
                ),
                f"docker exec {node} crictl images --output=json": (
                    lambda node=node: json.dumps({"images": self.images.get(node, [])})
                ),
                f"docker exec {node} ctr --namespace=k8s.io images ls": lambda node=node: self.listed(node),
                f"docker exec {node} ctr --namespace=k8s.io images rm": "",
            }

    def create(self) -> str:
        self.states = dict.fromkeys(NODES, "running")
        return ""

    def delete(self) -> str:
        self.states = {}
        return ""

    def start(self) -> str:
        self.states = dict.fromkeys(self.states, "running")
        return ""

    def listed(self, node: str) -> str:
        rows = [
            f"{name} application/vnd.oci.image.manifest.v1+json {at} 1 MiB linux/amd64 -"
            for name, at in self.names.get(node, {}).items()
        ]
        return "\n".join(["REF TYPE DIGEST SIZE PLATFORMS LABELS", *rows, ""])

    def cluster(self, settings: Settings, api: FakeApi | None = None) -> Kind:
        self.recorded = Recorded(self.answers)
        found = Kind(settings, self.recorded.as_commands())
        found.__dict__["_api"] = api or usable(*NODES)
        return found

    def asked(self, begin: str) -> list[str]:
        return [command for command in self.recorded.asked if command.startswith(begin)]


def silent(_: str) -> None:
    return None


def chosen(settings: Settings, **changed: Any) -> Settings:
    return settings.model_copy(update=changed)


class TestUp:
    def test_a_cluster_is_created_with_port_80_of_this_machine_alone_and_our_id(
        self, settings: Settings
    ) -> None:
        docker = Docker()
        docker.cluster(settings).up(silent)
        (node,) = yaml.safe_load(docker.recorded.stdin[0])["nodes"]
        (mapping,) = node["extraPortMappings"]
        assert (mapping["hostPort"], mapping["listenAddress"]) == (80, "127.0.0.1")
        assert node["labels"][installation.LABEL] == installation.known(settings)
        ledger = Ledger(settings)
        assert ledger.holds(LEDGER_KIND, "todo")
        assert all(ledger.holds(LEDGER_NODE, container(each)) for each in NODES)

    @pytest.mark.parametrize(("port", "mapped"), [(8080, [8080]), (0, [])])
    def test_another_port_or_none(self, settings: Settings, port: int, mapped: list[int]) -> None:
        docker = Docker()
        docker.cluster(chosen(settings, http_port=port)).up(silent)
        (node,) = yaml.safe_load(docker.recorded.stdin[0])["nodes"]
        assert [each["hostPort"] for each in node.get("extraPortMappings", [])] == mapped

    def test_the_users_node_image_and_configuration(self, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "kind.yaml"
        file.write_text(
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}]\n"
        )
        docker = Docker()
        docker.cluster(
            chosen(settings, node_image="kindest/node:v1.35.4@sha256:ab", kind_config=str(file))
        ).up(silent)
        given = yaml.safe_load(docker.recorded.stdin[0])
        assert [each["role"] for each in given["nodes"]] == ["control-plane", "worker"]
        assert all(installation.LABEL in each["labels"] for each in given["nodes"])
        (command,) = docker.asked("kind create")
        assert "--image kindest/node:v1.35.4@sha256:ab" in command

    @pytest.mark.parametrize("text", ["kind: Deployment\n", "[", ""])
    def test_a_file_that_is_no_configuration_is_refused_before_anything_is_made(
        self, settings: Settings, tmp_path: Path, text: str
    ) -> None:
        file = tmp_path / "kind.yaml"
        file.write_text(text)
        docker = Docker()
        with pytest.raises(UsageError, match="kind_config"):
            docker.cluster(chosen(settings, kind_config=str(file))).up(silent)
        assert not Ledger(settings).entries() and not docker.states

    def test_it_returns_when_dns_is_ready_and_not_before(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runbook.cluster.existing.READY_SECONDS", 0.3)
        with pytest.raises(TimedOut, match="DNS has no ready endpoint"):
            Docker().cluster(settings, usable(*NODES, dns=False)).up(silent)

    def test_one_that_is_there_is_used_and_not_deleted(self, settings: Settings) -> None:
        docker = Docker(dict.fromkeys(NODES, "running"))
        cluster = docker.cluster(settings)
        cluster.up(silent)
        cluster.down(silent)
        assert not docker.asked("kind create") and not docker.asked("kind delete")
        assert not Ledger(settings).entries()

    def test_stopped_nodes_are_started_before_anything_is_asked_of_them(self, settings: Settings) -> None:
        docker = Docker({NODES[0]: "exited", NODES[1]: "running", NODES[2]: "exited"})
        docker.cluster(settings).up(silent)
        (started,) = docker.asked("docker start")
        assert started == f"docker start {NODES[0]} {NODES[2]}"
        order = docker.recorded.asked
        assert order.index(started) < order.index(docker.asked("kind export")[0])

    def test_a_taken_port_has_a_remedy_that_is_not_the_failed_command(self, settings: Settings) -> None:
        docker = Docker()
        docker.answers["kind create cluster"] = (1, REFUSED)
        with pytest.raises(RunbookError) as refused:
            docker.cluster(settings).up(silent)
        assert "TODO_HTTP_PORT" in refused.value.hint and "kind create" not in refused.value.hint
        assert not Ledger(settings).entries()


class TestDown:
    def test_ours_is_deleted_and_looked_for(self, settings: Settings) -> None:
        docker = Docker()
        cluster = docker.cluster(settings)
        cluster.up(silent)
        cluster.down(silent)
        assert docker.asked("kind delete") and not Ledger(settings).entries()

    def test_one_that_survives_its_deletion_is_said(self, settings: Settings) -> None:
        docker = Docker()
        docker.answers["kind delete cluster"] = ""
        cluster = docker.cluster(settings)
        cluster.up(silent)
        with pytest.raises(RunbookError, match="still has"):
            cluster.down(silent)

    def test_a_users_own_of_the_same_name_is_left_though_we_once_made_one(self, settings: Settings) -> None:
        ledger = Ledger(settings)
        ledger.add(LEDGER_KIND, "todo")
        ledger.add(LEDGER_NODE, "another-id")
        docker = Docker(dict.fromkeys(NODES, "exited"))
        docker.cluster(settings).down(silent)
        assert not docker.asked("kind delete")

    @pytest.mark.parametrize(("created", "ours"), [("", True), ("2021-05-01T10:00:00.123456789Z", False)])
    def test_after_a_cut_off_creation_its_own_minutes_decide(
        self, settings: Settings, created: str, ours: bool
    ) -> None:
        Ledger(settings).add(LEDGER_KIND, "todo")
        docker = Docker(dict.fromkeys(NODES, "running"))
        docker.created = created or docker.created.replace("+00:00", "Z")
        docker.cluster(settings).down(silent)
        assert bool(docker.asked("kind delete")) is ours


class TestStatus:
    def test_stopped_is_not_absent(self, settings: Settings) -> None:
        found = Docker({NODES[0]: "exited"}).cluster(settings).status()
        assert not found.running and found.parts == {NODES[0]: "exited"} and "exited" in found.detail

    def test_absent(self, settings: Settings) -> None:
        found = Docker().cluster(settings).status()
        assert not found.running and not found.parts

    def test_running_names_the_context(self, settings: Settings) -> None:
        found = Docker(dict.fromkeys(NODES, "running")).cluster(settings).status()
        assert found.running and "context kind-todo" in found.detail


BACKEND = "todo-backend:1.0.0"
ID = CRICTL[0]["id"]
IMPORTED = CRICTL[0]["repoDigests"][0]


class TestImages:
    def loaded(self) -> Docker:
        docker = Docker(dict.fromkeys(NODES, "running"))
        docker.images = {node: list(CRICTL) for node in NODES}
        docker.answers["docker image inspect"] = json.dumps([{"Id": ID, "RepoDigests": []}])
        return docker

    def test_every_node_tells_its_images_by_all_their_digests(self, settings: Settings) -> None:
        held = self.loaded().cluster(settings).holdings()
        assert set(held.nodes) == set(NODES)
        assert not held.problems(BACKEND, {ID})

    def test_a_pods_image_id_after_kind_load_is_the_images(self, settings: Settings) -> None:
        """Its status names the digest of the import's manifest, crictl and the engine the configuration's."""
        held = self.loaded().cluster(settings).holdings()
        (running,) = (
            status["imageID"] for pod in PODS for status in pod["statuses"] if status["name"] == "backend"
        )
        assert ID in held.identities(running, NODES[1]) and held.id(running, NODES[2]) == ID

    def test_the_engines_containerd_store_tells_the_manifest(self, settings: Settings) -> None:
        """Docker 29: the id is the manifest's digest; crictl omits it once the image has a second tag, ctr does not."""
        docker = self.loaded()
        manifest = "sha256:" + "1" * 64
        for node in NODES:
            docker.images[node] = [CRICTL[0] | {"repoDigests": []}]
            docker.names[node] = {f"docker.io/library/{BACKEND}": manifest}
        docker.answers["docker image inspect"] = json.dumps(
            [{"Id": manifest, "RepoDigests": [f"todo-backend@{manifest}"]}]
        )
        cluster = docker.cluster(settings)
        assert not cluster.holdings().problems(BACKEND, {manifest})
        cluster.load_images([BACKEND], silent)
        assert not docker.asked("kind load")

    def test_one_worker_without_its_images_is_seen_and_loaded(self, settings: Settings) -> None:
        docker = self.loaded()
        docker.images[NODES[1]] = []

        def load() -> str:
            docker.images[NODES[1]] = list(CRICTL)
            return ""

        docker.answers["kind load docker-image"] = load
        cluster = docker.cluster(settings)
        assert cluster.holdings().problems(BACKEND, {ID}) == [f"{NODES[1]} does not hold {BACKEND}"]
        cluster.load_images([BACKEND], silent)
        assert docker.asked("kind load") == [f"kind load docker-image {BACKEND} --name todo"]

    def test_what_a_rebuilt_image_leaves_is_removed_and_only_that(self, settings: Settings) -> None:
        docker = self.loaded()
        fresh = CRICTL[0] | {"id": "sha256:" + "f" * 64, "repoDigests": []}
        left = CRICTL[0] | {"repoTags": []}
        users = {
            "id": "sha256:" + "e" * 64,
            "repoTags": [],
            "repoDigests": ["import-2026-11-30@sha256:" + "d" * 64],
        }
        old, foreign = IMPORTED.rpartition("/")[2], users["repoDigests"][0]

        def load() -> str:
            for node in NODES:
                docker.images[node] = [fresh, left, users, *CRICTL[1:]]
                docker.names[node] = {old: old.partition("@")[2], foreign: "sha256:" + "d" * 64}
            return ""

        docker.answers["kind load docker-image"] = load
        docker.answers["docker image inspect"] = json.dumps([{"Id": fresh["id"], "RepoDigests": []}])
        docker.cluster(settings).load_images([BACKEND], silent)
        removed = docker.asked(f"docker exec {NODES[1]} ctr --namespace=k8s.io images rm")
        assert removed == [f"docker exec {NODES[1]} ctr --namespace=k8s.io images rm --sync {old}"]

    def test_a_load_that_brought_nothing_is_an_error(self, settings: Settings) -> None:
        docker = self.loaded()
        docker.images = {}
        docker.answers["kind load docker-image"] = ""
        with pytest.raises(RunbookError, match="after `kind load`"):
            docker.cluster(settings).load_images([BACKEND], silent)

    def test_names_are_forgotten_on_every_node_and_other_names_of_the_image_stay(
        self, settings: Settings
    ) -> None:
        docker = self.loaded()
        drill = f"docker.io/library/{BACKEND}-drill"
        for node in NODES:
            docker.names[node] = {
                drill: "sha256:" + "a" * 64,
                f"docker.io/library/{BACKEND}": "sha256:" + "a" * 64,
            }
        docker.cluster(settings).forget_images([f"{BACKEND}-drill"])
        for node in NODES:
            begin = f"docker exec {node} ctr --namespace=k8s.io images rm"
            assert docker.asked(begin) == [f"{begin} --sync {drill}"]


def test_a_stop_keeps_the_nodes_and_is_refused_for_a_users_own(settings: Settings) -> None:
    docker = Docker()
    docker.answers["docker stop"] = ""
    cluster = docker.cluster(settings)
    cluster.stop(lambda _: None)
    assert docker.asked("docker stop") == []  # there is none
    cluster.up(lambda _: None)
    cluster.stop(lambda _: None)
    assert docker.asked("docker stop") == [f"docker stop {' '.join(NODES)}"]
    assert docker.asked("kind delete") == []
    for node in NODES:
        Ledger(settings).strike(LEDGER_NODE, container(node))
    Ledger(settings).strike(LEDGER_KIND, "todo")
    with pytest.raises(UsageError, match="was not made here"):
        cluster.stop(lambda _: None)
    assert len(docker.asked("docker stop")) == 1


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("192.168.65.254  STREAM host.docker.internal\ndefault via 172.18.0.1 dev eth0\n", "192.168.65.254"),
        ("default via 172.18.0.1 dev eth0 \n", "172.18.0.1"),
    ],
)
def test_how_pods_reach_this_machine(settings: Settings, said: str, address: str) -> None:
    docker = Docker(dict.fromkeys(NODES, "running"))
    docker.answers |= {"docker exec todo-control-plane sh -c getent": said}
    assert docker.cluster(settings).machine_address() == address


def test_without_a_node_nobody_knows_the_way_to_this_machine(settings: Settings) -> None:
    with pytest.raises(Unmeasurable, match="no node of kind runs"):
        Docker().cluster(settings).machine_address()
