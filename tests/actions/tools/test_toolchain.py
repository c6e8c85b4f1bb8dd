from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.tools import toolchain
from runbook.cli.lock import one_run
from runbook.clients.process.commands import Commands
from runbook.clients.process.remedies import how_to_install
from runbook.cluster.embedded import engine as engines
from runbook.cluster.embedded import setup as setups
from runbook.cluster.embedded.sandbox import Sandbox
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.errors import CommandMissing
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import Clients, World


@dataclass
class FakeCluster:
    provider: str = "embedded"
    name: str = "todo"
    buildx: bool = True

    def docker_environment(self) -> dict[str, str]:
        if not self.buildx:
            raise CommandMissing("`buildx` is not installed", hint="inv setup")
        return {}


@dataclass
class FakeEngine:
    settings: Settings
    said: list[str] = field(default_factory=list)
    stuck: bool = False
    running: bool = True

    def up(self, progress: Callable[[str], None]) -> None:
        self.said.append("up")

    def down(self, progress: Callable[[str], None]) -> None:
        self.said.append("down")
        self.running = self.stuck

    def leftovers(self) -> list[str]:
        return ["process 4711 (dockerd)"] if self.running else []


@pytest.fixture
def engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine(settings)
    monkeypatch.setattr(engines, "Engine", lambda _: made)
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was installed, in order."""
    calls: list[str] = []
    monkeypatch.setattr(setups, "setup_engine", lambda settings, progress: calls.append("engine's"))
    monkeypatch.setattr(setups, "setup", lambda settings, progress: calls.append("all"))
    return calls


def on(world: World, provider: str, *, buildx: bool = True) -> World:
    vars(world.clients)["cluster"] = FakeCluster(provider, buildx=buildx)
    return world


def test_the_engine_waits_for_its_own_parts_only(
    world: World, engine: FakeEngine, installed: list[str]
) -> None:
    toolchain.start_engine(on(world, "embedded"))
    assert installed == ["engine's"]
    assert engine.said == ["up"]


def test_whichever_step_comes_first_the_parts_of_the_engine_do(world: World, installed: list[str]) -> None:
    toolchain.install(on(world, "embedded"))
    assert installed == ["engine's", "all"]


@pytest.mark.parametrize("provider", ["minikube", "kind", "existing"])
def test_on_a_cluster_of_the_user_only_what_path_lacks_is_built(
    world: World,
    engine: FakeEngine,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
) -> None:
    there = ["helm", "kubectl"]
    monkeypatch.setattr(Commands, "find", lambda _, name: Path("/usr/bin") / name if name in there else None)
    monkeypatch.setattr(Clients, "built", lambda _self, part, _progress: installed.append(part))
    user = on(world, provider)
    for act in (toolchain.install, toolchain.start_engine, *map(toolchain.install_program, there)):
        act(user)
    assert installed == [] and engine.said == []
    there.remove("helm")
    for act in (toolchain.install, *map(toolchain.install_program, ("helm", "kubectl"))):
        act(user)
    assert installed == ["helm"]


def test_a_docker_without_buildx_gets_one(
    world: World, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clients, "built", lambda _self, part, _progress: installed.append(part))
    toolchain.start_engine(on(world, "kind", buildx=False))
    assert installed == ["buildx"]


def test_what_cannot_be_built_here_says_how_it_comes_to_this_platform(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_go(*_: object) -> None:
        raise CommandMissing("`go` is not installed", wanted="Go 1.24.0 or newer", hint="install a Go")

    monkeypatch.setattr(Commands, "find", lambda _self, _name: None)
    monkeypatch.setattr(Toolchain, "install", without_go)
    with pytest.raises(CommandMissing, match="helm is not installed, and cannot be built here") as caught:
        toolchain.install_program("helm")(on(world, "minikube"))
    assert caught.value.wanted == "helm on PATH, or Go 1.24.0 or newer"
    assert caught.value.hint == how_to_install("helm", built=False) != "inv setup"


def test_an_installation_that_fails_lets_the_next_one_try(
    world: World, monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    def broken(settings: Settings, progress: Any) -> tuple[str, ...]:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(setups, "setup", broken)
        with pytest.raises(OSError, match="disk full"):
            toolchain.install(on(world, "embedded"))
    toolchain.install(on(world, "embedded"))
    assert installed[-1] == "all"


def test_the_engine_is_stopped_and_proved_gone(world: World, engine: FakeEngine) -> None:
    assert toolchain.stop_engine(world).status is Status.PASSED
    assert engine.said == ["down"]


def test_units_are_put_back_with_the_last_cluster_only(
    world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setups, "put_back", lambda settings: "docker.service unmasked")
    other = world.settings.state.parent / "other"
    other.mkdir(parents=True)
    assert "unmasked" not in toolchain.stop_engine(world).observed
    other.rmdir()
    assert "docker.service unmasked" in toolchain.stop_engine(world).observed


def test_an_engine_that_stays_is_a_failure_that_names_what_is_left(world: World, engine: FakeEngine) -> None:
    engine.stuck = True
    outcome = toolchain.stop_engine(world)
    assert outcome.status is Status.FAILED
    assert "4711" in outcome.observed and outcome.hint


def test_the_engine_is_left_to_another_cluster_that_builds_with_it(
    world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sandbox, "running", lambda sandbox: sandbox.name == "todo-other")
    (world.settings.state.parent / "other").mkdir(parents=True)
    outcome = toolchain.stop_engine(world)
    assert outcome.green and "other" in outcome.observed
    assert engine.said == []


def test_the_engine_is_not_left_to_the_folder_of_a_cluster_that_is_no_more(
    world: World, engine: FakeEngine
) -> None:
    (world.settings.state.parent / "other").mkdir(parents=True)
    assert toolchain.stop_engine(world).green
    assert engine.said == ["down"]


def test_the_engine_is_left_to_another_cluster_that_is_being_made(world: World, engine: FakeEngine) -> None:
    """Its node is not there yet, and its images are being built."""
    with one_run(world.settings.state.parent / "another", "deploy"):
        assert "another uses it too" in toolchain.stop_engine(world).observed
