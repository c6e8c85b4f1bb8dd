"""The scripts at work on a scratch cluster: each proof can fail, and whatever is not green leaves no cluster behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.automation import scripted
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status, failed, passed
from runbook.probes import scratch as scratches
from runbook.probes.scratch import Scratch
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

GOOD = passed("as wanted")
STEPS = {"steps": [{"id": "T001", "status": "passed", "observed": "there"}]}


class Machine:
    """A scratch cluster in variables. `codes` and `said`: what a script ends with and prints; `stays`: at the end."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.codes: dict[str, int] = {}
        self.said: dict[str, str] = {"deploy.sh": json.dumps(STEPS)}
        self.there: list[str] = []
        self.stays: list[str] = []
        self.held = False

    def run(self, scratch: Scratch, script: str, *options: str) -> CommandResult:
        self.ran.append(script)
        code = self.codes.get(script, 0)
        if script == "cleanup.sh":
            self.there = list(self.stays)
        elif script == "setup-minikube.sh" and not code:
            self.there = ["cluster new-todo: runs"]
        elif script == "build-images.sh" and not code:
            self.held = True
        return CommandResult(self.said.get(script, ""), "the reason", code)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(Scratch, "run", lambda scratch, *words: found.run(scratch, *words))
    monkeypatch.setattr(Scratch, "left", lambda _: list(found.there))
    monkeypatch.setattr(
        Scratch, "have", lambda _: None if found.there else found.there.append("cluster: runs")
    )

    def held(*_: Any) -> Any:
        return lambda _: (
            GOOD if found.held else failed("the node does not hold it", wanted="it", hint="inv build")
        )

    monkeypatch.setattr(scripted.images, "held_by_node", held)
    for module, name in (
        (scripted.node, "ready"),
        (scripted.node, "ingress"),
        (scripted.host, "resolves"),
        (scripted.control_plane, "ready"),
    ):
        monkeypatch.setattr(module, name, lambda _: GOOD)
    return found


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def world(settings: Settings, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> World:
    user = world_of(settings, api=api, cluster=FakeCluster())

    def beside(_: World) -> Scratch:
        return Scratch(user, world_of(settings.model_copy(update={"cluster_name": "new-todo"}), api=api))

    monkeypatch.setattr(Scratch, "beside", beside)
    return user


def test_all_four_in_their_order(world: World, machine: Machine) -> None:
    for check in (scripted.sets_up, scripted.builds, scripted.deploys, scripted.cleans_up):
        outcome = check(world)
        assert outcome.status is Status.PASSED, outcome.observed
    assert machine.ran == [
        *["setup-minikube.sh"] * 2,
        "build-images.sh",
        "deploy.sh",
        *["cleanup.sh"] * 2,
    ]
    assert machine.there == []


@pytest.mark.parametrize(
    ("check", "script"),
    [
        (scripted.sets_up, "setup-minikube.sh"),
        (scripted.builds, "build-images.sh"),
        (scripted.cleans_up, "cleanup.sh"),
    ],
)
def test_a_script_that_fails_is_told_with_its_last_words(
    world: World, machine: Machine, check: Any, script: str
) -> None:
    machine.codes[script] = 3
    outcome = check(world)
    assert outcome.observed == f"{script} ended with 3: the reason"
    assert machine.there == []
    assert machine.ran[-1] == "cleanup.sh"


def test_what_an_interrupted_run_left_goes_first(world: World, machine: Machine) -> None:
    machine.there = ["folder of yesterday"]
    assert scripted.sets_up(world).green
    assert machine.ran[0] == "cleanup.sh"


@pytest.mark.parametrize("which", ["ingress", "resolves"])
def test_a_part_that_did_not_come_up(
    world: World, machine: Machine, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    red = failed(f"{which} is not there", wanted="it", hint="look")
    monkeypatch.setattr(scripted.node if which == "ingress" else scripted.host, which, lambda _: red)
    assert scripted.sets_up(world).observed == f"{which} is not there"
    assert machine.there == []


def test_a_build_that_brings_nothing_or_that_cannot_be_told(world: World, machine: Machine) -> None:
    machine.held = True
    with pytest.raises(Unmeasurable, match="holds the images already"):
        scripted.builds(world)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "deploy.sh ended with 0: the reason"),
        (json.dumps({"steps": []}), "it ended with 0"),
        (
            json.dumps({"steps": [{"id": "T049", "status": "failed", "observed": "crashed"}]}),
            "T049 failed: crashed",
        ),
        (
            json.dumps(
                {"steps": [*STEPS["steps"], {"id": "T053", "status": "unproven", "observed": "no browser"}]}
            ),
            "T053 unproven: no browser",
        ),
    ],
)
def test_a_deployment_that_is_not_proven(world: World, machine: Machine, said: str, words: str) -> None:
    machine.said["deploy.sh"] = said
    outcome = scripted.deploys(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert machine.there == []


def test_a_namespace_that_was_there_proves_nothing(world: World, machine: Machine, api: FakeApi) -> None:
    api.put({"kind": "Namespace", "metadata": {"name": "todo"}})
    with pytest.raises(Unmeasurable, match="namespace todo is there already"):
        scripted.deploys(world)


def test_something_that_stays(world: World, machine: Machine) -> None:
    machine.stays = ["folder new-todo"]
    with pytest.raises(RunbookError, match="there is still: folder new-todo"):
        scripted.cleans_up(world)


def test_the_fingerprint_is_of_what_the_scripts_run(settings: Settings, tmp_path: Path) -> None:
    chosen = settings.model_copy(update={"project": tmp_path})
    world = world_of(chosen, cluster=FakeCluster())
    seen = set()
    names = (
        "scripts/deploy.sh",
        "k8s/namespace.yaml",
        "backend/src/main.py",
        "frontend/Dockerfile",
        "charts/a/b.yaml",
    )
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("one")
        assert scripted.fingerprint(world) == scripted.fingerprint(world)
        seen.add(scripted.fingerprint(world))
        file.write_text("another")
        seen.add(scripted.fingerprint(world))
    assert len(seen) == 2 * len(names)
    before = scripted.fingerprint(world)
    (tmp_path / "frontend" / "node_modules").mkdir()
    (tmp_path / "frontend" / "node_modules" / "index.js").write_text("whatever npm brings")
    assert scripted.fingerprint(world) == before
    elsewhere = FakeCluster()
    elsewhere.provider = "kind"
    assert scripted.fingerprint(world_of(chosen, cluster=elsewhere)) != before


def test_the_scratch_cluster_is_another_one(settings: Settings) -> None:
    user = World.of(settings.model_copy(update={"cluster": "embedded", "cluster_name": "a-long-name"}))
    scratch = Scratch.beside(user)
    own = scratch.world.settings
    assert (own.cluster_name, own.host) == ("new-a-long-n", "new-todo.local")
    assert own.state != user.settings.state
    assert Settings.model_validate(own.model_dump()).cluster_name == own.cluster_name


def test_a_cluster_of_somebody_elses_has_none_beside_it(settings: Settings) -> None:
    cluster = FakeCluster()
    cluster.provider = "existing"
    with pytest.raises(Unmeasurable, match="your own cluster"):
        Scratch.beside(world_of(settings, cluster=cluster))


def test_what_is_left_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    scratch = Scratch(world_of(settings), world_of(settings, cluster=cluster))
    monkeypatch.setattr(scratches.hosts, "present", lambda _: True)
    settings.state.mkdir(parents=True)
    assert scratch.left() == [
        "cluster todo: runs",
        f"the line for todo.local in {scratches.hosts.HOSTS}",
        f"folder {settings.state}",
    ]
    cluster.running = False
    monkeypatch.setattr(scratches.hosts, "present", lambda _: False)
    settings.state.rmdir()
    assert scratch.left() == []
