"""The scripts: what they run, whether they may be run, and whether git has them. On copies, each broken in one way."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from runbook.checks.automation import scripts
from runbook.clients.process.commands import Commands
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.worlds import world_of

REAL = Settings().project / "scripts"
SET_UP = scripts.calls("setup-minikube.sh", "setup", "cluster.up", "dapr.install")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(REAL, tmp_path / "scripts")
    return tmp_path


@pytest.fixture
def world(settings: Settings, project: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    known = {"setup", "build", "deploy", "cleanup", "cluster.up", "cluster.load", "dapr.install"}
    monkeypatch.setattr(scripts, "names", lambda _: known)
    return world_of(settings.model_copy(update={"project": project}), commands=Commands(settings))


@pytest.fixture
def checkout(project: Path) -> Path:
    """The project as a git checkout with everything committed."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "all")):
        subprocess.run(["git", "-C", project, *words], check=True)
    return project


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("setup-minikube.sh", ("setup", "cluster.up", "dapr.install")),
        ("build-images.sh", ("build", "cluster.load")),
        ("deploy.sh", ("deploy",)),
        ("cleanup.sh", ("cleanup",)),
    ],
)
def test_each_script_runs_its_commands(world: World, script: str, commands: tuple[str, ...]) -> None:
    outcome = scripts.calls(script, *commands)(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert outcome.observed == f"it runs inv {', inv '.join(commands)}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"$inv" setup "$@"\n', "", "it ran inv cluster.up --name recorded, inv dapr.install"),
        ('cluster.up "$@"', "cluster.up", "inv cluster.up, inv dapr.install"),
        ("dapr.install", "dapr.on", "inv dapr.on --name recorded, and ended with 0"),
        (
            "set -euo pipefail",
            "set -uo pipefail",
            "the first command ended with 3, it ran 3 and ended with 3",
        ),
        ('"$inv" setup', "exit 0; ", "it ran inv nothing, and ended with 0"),
    ],
)
def test_a_script_that_does_something_else(
    world: World, project: Path, old: str, new: str, words: str
) -> None:
    file = project / "scripts" / "setup-minikube.sh"
    file.write_text(file.read_text().replace(old, new))
    outcome = SET_UP(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_script_that_is_not_there_or_runs_what_is_not(world: World, project: Path) -> None:
    assert scripts.calls("deploy.sh", "deploy", "fly")(world).observed == "inv knows no fly"
    (project / "scripts" / "deploy.sh").unlink()
    assert scripts.calls("deploy.sh", "deploy")(world).observed == "there is no scripts/deploy.sh"


def test_a_checkout_whose_scripts_may_run_and_are_in_git(world: World, checkout: Path) -> None:
    assert scripts.executable(world).green
    assert scripts.tracked(world).green


def test_a_script_that_may_not_be_executed(world: World, checkout: Path) -> None:
    (checkout / "scripts" / "deploy.sh").chmod(0o644)
    assert scripts.executable(world).observed == "scripts/deploy.sh may not be executed"


def test_a_bit_that_git_would_not_hand_on(world: World, checkout: Path) -> None:
    words = ("update-index", "--chmod=-x", "scripts/deploy.sh")
    subprocess.run(["git", "-C", checkout, *words], check=True)
    assert scripts.executable(world).observed == "git's index has scripts/deploy.sh as 100644"


def test_scripts_that_git_has_otherwise(world: World, checkout: Path) -> None:
    with (checkout / "scripts" / "deploy.sh").open("a") as file:
        file.write("# more\n")
    new = checkout / "scripts" / "new.sh"
    new.touch(mode=0o755)
    (checkout / "scripts" / "cleanup.sh").unlink()
    outcome = scripts.tracked(world)
    assert outcome.status is Status.FAILED
    assert "git does not know scripts/new.sh" in outcome.observed
    assert "there is no scripts/cleanup.sh" in outcome.observed
    assert "changed and not committed: scripts/deploy.sh" in outcome.observed


def test_without_git_nothing_can_be_said_of_it(world: World, project: Path) -> None:
    with pytest.raises(Unmeasurable, match="git does not answer"):
        scripts.tracked(world)


def test_the_commands_are_those_that_invoke_lists(settings: Settings) -> None:
    world = world_of(settings, commands=Commands(settings))
    assert {"deploy", "verify.all", "verify", "dapr", "dapr.on", "cluster.up"} <= scripts.names(world)
    assert scripts.listed(world)["deploy"]["help"].startswith("Bring up and prove")


def test_a_list_that_cannot_be_read_is_no_verdict(settings: Settings, tmp_path: Path) -> None:
    world = world_of(settings.model_copy(update={"project": tmp_path}), commands=Commands(settings))
    with pytest.raises(Unmeasurable, match="inv does not list its commands"):
        scripts.names(world)
