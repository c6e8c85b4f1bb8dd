"""Which cluster: as set, else what can start here, else one clear line."""

from __future__ import annotations

import os
import platform
from types import SimpleNamespace

import pytest

from runbook.clients.process.commands import Commands
from runbook.cluster import capacity
from runbook.cluster.capacity import Capacity
from runbook.cluster.choose import choose, reason
from runbook.cluster.minikube import Minikube
from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.settings import ClusterChoice, Settings
from tests.cluster import minikube_answers as said
from tests.fakes.recorded import Answer, Recorded

MINIKUBE: dict[str, Answer] = {"minikube": "", "docker info": said.docker_info()}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Root on Linux without minikube, unless a test says otherwise."""
    found = SimpleNamespace(obstacle="minikube is not installed", root=True, system="Linux")
    monkeypatch.setattr(Minikube, "obstacle", lambda _: found.obstacle)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if found.root else 1000)
    monkeypatch.setattr(platform, "system", lambda: found.system)
    return found


@pytest.mark.parametrize("name", ["embedded", "minikube", "kind", "existing"])
def test_what_is_set_is_taken(name: ClusterChoice) -> None:
    assert choose(Settings(cluster=name, context="somewhere")).provider == name
    assert reason(Settings(cluster=name)) == ""


@pytest.mark.parametrize(
    ("obstacle", "provider"), [("", "minikube"), ("Docker has 1 CPUs, too little", "embedded")]
)
def test_auto_takes_minikube_where_it_can_start_and_says_why_not(
    machine: SimpleNamespace, obstacle: str, provider: str
) -> None:
    machine.obstacle = obstacle
    assert choose(Settings()).provider == provider
    assert reason(Settings()) == obstacle


def test_auto_stays_with_a_node_that_is_there(machine: SimpleNamespace, settings: Settings) -> None:
    machine.obstacle = ""
    (settings.state / "node").mkdir(parents=True)
    assert choose(settings).provider == "embedded"


@pytest.mark.parametrize(("root", "system"), [(False, "Linux"), (True, "Darwin")])
def test_neither_is_said_in_one_line(machine: SimpleNamespace, root: bool, system: str) -> None:
    machine.root, machine.system = root, system
    with pytest.raises(
        UsageError, match=r"minikube is not installed.*root on Linux.*try: install Docker and"
    ):
        choose(Settings())


def test_an_existing_cluster_needs_its_context() -> None:
    with pytest.raises(UsageError, match="context"):
        choose(Settings(cluster="existing")).kubeconfig()


@pytest.mark.parametrize(
    ("answers", "root", "driver", "word"),
    [
        (MINIKUBE, False, "docker", ""),
        ({"docker info": said.docker_info()}, False, "docker", "minikube is not installed"),
        (MINIKUBE, True, "docker", "refuses root"),
        (MINIKUBE, True, "none", ""),
        ({**MINIKUBE, "docker info": said.NO_DOCKER}, False, "docker", "Docker does not answer"),
        ({**MINIKUBE, "docker info": ""}, False, "docker", "Docker does not answer"),
        ({**MINIKUBE, "docker info": said.NO_DOCKER}, False, "kvm2", ""),
        ({**MINIKUBE, "docker info": said.docker_info(cpus=1)}, False, "docker", "1 CPUs"),
        ({**MINIKUBE, "docker info": said.docker_info(megabytes=2000)}, False, "docker", "too little"),
    ],
)
def test_where_minikube_can_start(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Answer], root: bool, driver: str, word: str
) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("MINIKUBE_FORCE", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(capacity, "of_this_machine", lambda: Capacity("this machine", 8, 16000))
    obstacle = Minikube(Settings(driver=driver), Recorded(answers).as_commands()).obstacle()
    assert word in obstacle
    assert bool(obstacle) is bool(word)


def test_without_docker_its_capacity_cannot_be_seen() -> None:
    commands: Commands = Recorded({"docker info": (1, "")}).as_commands()
    with pytest.raises(Unmeasurable):
        capacity.of_docker(commands)
    assert capacity.of_this_machine().cpus > 0


def test_the_embedded_node_is_refused_where_there_is_no_linux(machine: SimpleNamespace) -> None:
    machine.system = "Darwin"
    with pytest.raises(UsageError, match=r"needs Linux.*TODO_CLUSTER=minikube"):
        choose(Settings(cluster="embedded"))
