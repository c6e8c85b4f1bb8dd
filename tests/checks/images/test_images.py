"""Images by identity: each check passes, fails with its reason, and says when it could not look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from runbook.app.image_specs import APPLICATION, BACKEND, FRONTEND, PYTHON, SOURCE_DIGEST, Image
from runbook.app.provenance import wanted_digest
from runbook.checks.images import images
from runbook.clients.docker import EngineFacts, ImageFacts, Layer
from runbook.clients.holdings import Holdings
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

BASE_LAYERS = ("sha256:b1", "sha256:b2")


@dataclass
class FakeDocker:
    """A build engine in a dictionary."""

    held: dict[str, ImageFacts] = field(default_factory=dict)
    history: tuple[Layer, ...] = ()
    facts: EngineFacts = field(
        default_factory=lambda: EngineFacts("unix:///engine", "todo-engine", "ID", "20.10")
    )
    away: bool = False
    containers: set[str] = field(default_factory=set)

    def image(self, reference: str) -> ImageFacts | None:
        if self.away:
            raise Unmeasurable("the build engine does not answer")
        return self.held.get(reference)

    def layers(self, reference: str) -> tuple[Layer, ...]:
        return self.history

    def runs(self, container: str) -> bool:
        return container in self.containers

    def engine(self) -> EngineFacts:
        if self.away:
            raise Unmeasurable("the build engine does not answer")
        return self.facts


def image_id(name: str) -> str:
    return "sha256:" + (name.encode().hex() * 64)[:64]


def facts(image: Image, **changes: Any) -> ImageFacts:
    reference = image.reference("1.0.0")
    made = ImageFacts(
        reference, image_id(reference), 150_000_000, "1000:1000", {}, (*BASE_LAYERS, "sha256:ours")
    )
    return replace(made, **changes)


@pytest.fixture
def docker() -> FakeDocker:
    base = ImageFacts(PYTHON.stand_in, image_id("base"), 1, "", {}, BASE_LAYERS)
    return FakeDocker({PYTHON.stand_in: base})


@pytest.fixture
def world(docker: FakeDocker, tmp_path: Path) -> World:
    for image in APPLICATION:
        folder = tmp_path / image.context
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text("FROM scratch\n")
        (folder / ".dockerignore").write_text("*\n!src\n")
        (folder / "src").mkdir()
        (folder / "src" / "main.py").write_text("print()\n")
    settings = Settings(project=tmp_path, bases="stand-in")
    return world_of(settings, docker=docker, api=FakeApi(), cluster=FakeCluster())


def node(name: str, runtime: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"nodeInfo": {"containerRuntimeVersion": runtime}},
    }


def pod(component: str, image: str, state: str = "running") -> dict[str, Any]:
    status = {"name": component, "imageID": image, "state": {state: {}}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": component,
            "namespace": "todo",
            "labels": {"app.kubernetes.io/name": component},
        },
        "status": {"containerStatuses": [status]},
    }


class TestBuiltFromTheseSources:
    check = staticmethod(images.built_from_these_sources(BACKEND))

    def hold(self, world: World, docker: FakeDocker) -> None:
        docker.held["todo-backend:1.0.0"] = facts(
            BACKEND, labels={SOURCE_DIGEST: wanted_digest(world, BACKEND)}
        )

    def test_passes_when_the_label_is_todays_digest(self, world: World, docker: FakeDocker) -> None:
        self.hold(world, docker)
        assert self.check(world).green

    @pytest.mark.parametrize("file", ["src/main.py", "Dockerfile", ".dockerignore"])
    def test_fails_when_a_source_changed(self, world: World, docker: FakeDocker, file: str) -> None:
        self.hold(world, docker)
        with (world.settings.project / "backend" / file).open("a") as source:
            source.write("# changed\n")
        outcome = self.check(world)
        assert outcome.status is Status.FAILED
        assert "other sources" in outcome.observed and outcome.hint == "inv build"

    def test_what_the_builder_does_not_get_does_not_count(self, world: World, docker: FakeDocker) -> None:
        self.hold(world, docker)
        (world.settings.project / "backend" / "notes.txt").write_text("new\n")
        assert self.check(world).green

    def test_fails_when_the_base_is_another_image(self, world: World, docker: FakeDocker) -> None:
        self.hold(world, docker)
        docker.held[PYTHON.stand_in] = replace(docker.held[PYTHON.stand_in], id=image_id("newer"))
        assert self.check(world).status is Status.FAILED

    def test_fails_when_there_is_none_or_one_without_our_label(
        self, world: World, docker: FakeDocker
    ) -> None:
        assert "holds no todo-backend:1.0.0" in self.check(world).observed
        docker.held["todo-backend:1.0.0"] = facts(BACKEND)
        assert "no source digest" in self.check(world).observed

    def test_cannot_look_without_an_engine(self, world: World, docker: FakeDocker) -> None:
        docker.away = True
        with pytest.raises(Unmeasurable):
            self.check(world)


class TestSmallerThan:
    check = staticmethod(images.smaller_than(FRONTEND, megabytes=200))

    @pytest.mark.parametrize(
        ("size", "green"), [(199_999_999, True), (200_000_000, False), (200_000_001, False)]
    )
    def test_is_strict_and_counts_millions(
        self, world: World, docker: FakeDocker, size: int, green: bool
    ) -> None:
        docker.held["todo-frontend:1.0.0"] = facts(FRONTEND, size=size)
        assert self.check(world).green is green

    def test_names_the_largest_layers(self, world: World, docker: FakeDocker) -> None:
        docker.held["todo-frontend:1.0.0"] = facts(FRONTEND, size=250_000_000)
        docker.history = (Layer(1_000, "COPY small"), Layer(240_000_000, "COPY large"))
        outcome = self.check(world)
        assert outcome.observed.index("COPY large") < outcome.observed.index("COPY small")
        assert "docker image history" in outcome.hint

    def test_cannot_measure_what_is_not_there(self, world: World, docker: FakeDocker) -> None:
        with pytest.raises(Unmeasurable, match="holds no todo-frontend"):
            self.check(world)
        docker.held["todo-frontend:1.0.0"] = facts(FRONTEND, size=0)
        with pytest.raises(Unmeasurable, match="no size"):
            self.check(world)


class TestRunsAsNumericUser:
    check = staticmethod(images.runs_as_numeric_user(BACKEND, PYTHON))

    def test_passes(self, world: World, docker: FakeDocker) -> None:
        docker.held["todo-backend:1.0.0"] = facts(BACKEND)
        assert self.check(world).green

    @pytest.mark.parametrize(
        ("changes", "cause"),
        [
            ({"user": ""}, "as root"),
            ({"user": "todo"}, "user todo"),
            ({"user": "1000"}, "user 1000"),
            ({"layers": ("sha256:x", "sha256:ours")}, "not made on todo-base-python"),
        ],
    )
    def test_fails(self, world: World, docker: FakeDocker, changes: dict[str, Any], cause: str) -> None:
        docker.held["todo-backend:1.0.0"] = facts(BACKEND, **changes)
        outcome = self.check(world)
        assert outcome.status is Status.FAILED and cause in outcome.observed

    def test_cannot_look_at_an_image_that_is_not_there(self, world: World) -> None:
        with pytest.raises(Unmeasurable):
            self.check(world)


class TestEngineIsTheClusters:
    def ask(self, world: World, *nodes: dict[str, Any]) -> Any:
        return images.engine_is_the_clusters(replace_client(world, "api", FakeApi(*nodes)))

    def test_passes_where_the_cluster_takes_its_images_from_the_engine(self, world: World) -> None:
        outcome = self.ask(world, node("todo", "containerd://1.6.20"))
        assert outcome.green and "unix:///engine" in outcome.observed

    def test_passes_where_the_engine_is_the_node(self, world: World, docker: FakeDocker) -> None:
        docker.facts = replace(docker.facts, name="todo")
        assert self.ask(world, node("todo", "docker://28.4.0")).green

    def test_passes_by_a_registry_whatever_the_nodes_run(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        by_registry = Holdings({"registry.example.org/team": {}})
        monkeypatch.setattr(FakeCluster, "holdings", lambda *_: by_registry)
        monkeypatch.setattr(FakeCluster, "provider", "existing")
        outcome = self.ask(world, node("docker-desktop", "docker://28.4.0"), node("b", "docker://28.4.0"))
        assert outcome.green and "feeds registry.example.org/team" in outcome.observed

    def test_says_what_is_missing_where_images_have_no_way(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(*_: object) -> Holdings:
            raise RunbookError("images have no way into context c", hint="TODO_REGISTRY=...")

        monkeypatch.setattr(FakeCluster, "holdings", none)
        with pytest.raises(RunbookError, match="no way into context c"):
            self.ask(world, node("n", "containerd://2.1.0"))

    def test_fails_where_another_engine_answers_than_the_nodes_own(self, world: World) -> None:
        outcome = self.ask(world, node("todo", "docker://28.4.0"))
        assert outcome.status is Status.FAILED and "docker-env" in outcome.hint

    def test_fails_where_the_embedded_nodes_images_come_from_another_machine(
        self, world: World, docker: FakeDocker
    ) -> None:
        docker.facts = replace(docker.facts, address="tcp://somebody-elses-machine:2375", name="elsewhere")
        there = replace_client(world, "cluster", FakeCluster())
        outcome = self.ask(there, node("todo", "containerd://1.6.20"))
        assert outcome.status is Status.FAILED and "this machine" in outcome.observed

    def test_a_node_that_is_a_container_is_one_of_that_engine(self, world: World, docker: FakeDocker) -> None:
        kind = FakeCluster()
        kind.provider = "kind"
        there = replace_client(world, "cluster", kind)
        nodes = [node(name, "containerd://2.1.0") for name in ("todo-control-plane", "todo-worker")]
        docker.containers = {"todo-control-plane"}
        outcome = self.ask(there, *nodes)
        assert outcome.status is Status.FAILED and "no container todo-worker" in outcome.observed
        docker.containers.add("todo-worker")
        assert self.ask(there, *nodes).green

    def test_cannot_look_without_a_node_or_an_engine(self, world: World, docker: FakeDocker) -> None:
        with pytest.raises(Unmeasurable, match="no node"):
            self.ask(world)
        docker.away = True
        with pytest.raises(Unmeasurable, match="does not answer"):
            self.ask(world, node("todo", "containerd://1.6.20"))


class TestHeldByNode:
    check = staticmethod(images.held_by_node(BACKEND))

    def test_compares_ids(self, world: World, docker: FakeDocker) -> None:
        held = docker.held["todo-backend:1.0.0"] = facts(BACKEND)
        there = replace_client(world, "cluster", FakeCluster({"todo-backend:1.0.0": held.id}))
        assert self.check(there).green
        stale = replace_client(world, "cluster", FakeCluster({"todo-backend:1.0.0": image_id("old")}))
        assert "holds another todo-backend:1.0.0" in self.check(stale).observed
        empty = replace_client(world, "cluster", FakeCluster())
        assert "does not hold todo-backend:1.0.0" in self.check(empty).observed

    def test_cannot_compare_with_nothing(self, world: World) -> None:
        with pytest.raises(Unmeasurable):
            self.check(world)


class TestPodsRun:
    check = staticmethod(images.pods_run(BACKEND))

    def ask(self, world: World, docker: FakeDocker, *pods: dict[str, Any]) -> Any:
        docker.held["todo-backend:1.0.0"] = facts(BACKEND)
        return self.check(replace_client(world, "api", FakeApi(*pods)))

    @pytest.mark.parametrize("form", ["{}", "docker://{}", "docker-pullable://{}"])
    def test_passes_for_the_very_image(self, world: World, docker: FakeDocker, form: str) -> None:
        assert self.ask(world, docker, pod("backend", form.format(facts(BACKEND).id))).green

    def test_fails_for_yesterdays_image(self, world: World, docker: FakeDocker) -> None:
        outcome = self.ask(world, docker, pod("backend", image_id("old")))
        assert outcome.status is Status.FAILED and "backend runs" in outcome.observed

    def test_a_pod_that_is_leaving_does_not_count(self, world: World, docker: FakeDocker) -> None:
        leaving = pod("backend", image_id("old"))
        leaving["metadata"] |= {"name": "leaving", "deletionTimestamp": "2026-01-01T00:00:00Z"}
        assert self.ask(world, docker, leaving, pod("backend", facts(BACKEND).id)).green

    @pytest.mark.parametrize("pods", [(), (pod("backend", facts(BACKEND).id, "waiting"),)])
    def test_cannot_look_when_nothing_runs(
        self, world: World, docker: FakeDocker, pods: tuple[Any, ...]
    ) -> None:
        with pytest.raises(Unmeasurable, match="no container backend runs"):
            self.ask(world, docker, *pods)


def replace_client(world: World, name: str, client: object) -> World:
    given = vars(world.clients) | {name: client}
    settings = given.pop("settings")
    return world_of(
        settings, **{key: value for key, value in given.items() if key not in ("memory", "stopping")}
    )
