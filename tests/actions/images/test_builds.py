"""Building and loading: only what differs, bases first, nothing secret in an argument."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.images import bases, build_secrets, builds
from runbook.app.image_specs import BACKEND, PYTHON, SOURCE_DIGEST, UV
from runbook.app.provenance import base_references, stands_in, wanted_digest
from runbook.clients.docker import ImageFacts
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import Foreign, RunbookError, TimedOut
from runbook.engine.settings import Settings
from runbook.ownership import installation
from runbook.world import World
from tests.fakes.worlds import FakeCluster, world_of


class FakeDocker:
    """Builds by writing down what it was asked."""

    def __init__(self) -> None:
        self.held: dict[str, ImageFacts] = {}
        self.built: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.discarded: list[str] = []

    def image(self, reference: str) -> ImageFacts | None:
        return self.held.get(reference)

    def build(self, context: Path, reference: str, *, progress: Any, **options: Any) -> None:
        assert context.is_dir()
        self.built.append(reference)
        self.asked.append(options)
        labels = dict(options["labels"])
        self.held[reference] = ImageFacts(reference, f"sha256:{len(self.built)}", 1, "1000:1000", labels)

    def discard(self, image_id: str) -> None:
        self.discarded.append(image_id)


class FakeCommands:
    def __init__(self, answer: int | Exception = 1) -> None:
        self.answer = answer
        self.asked = 0

    def run(self, argv: Sequence[str], **_: Any) -> CommandResult:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return CommandResult("", "", self.answer)


class LoadingCluster(FakeCluster):
    def load_images(self, references: Sequence[str], progress: Any) -> None:
        self.calls += references


@pytest.fixture
def docker() -> FakeDocker:
    return FakeDocker()


@pytest.fixture
def commands() -> FakeCommands:
    return FakeCommands()


@pytest.fixture
def world(docker: FakeDocker, commands: FakeCommands) -> World:
    settings = Settings(bases="registry")
    return world_of(settings, docker=docker, cluster=LoadingCluster(), commands=commands)


def test_an_image_is_built_once_and_again_only_when_it_is_of_other_sources(
    world: World, docker: FakeDocker
) -> None:
    build = builds.build(BACKEND)
    build(world)
    build(world)
    assert docker.built == ["todo-backend:1.0.0"]
    assert docker.held["todo-backend:1.0.0"].labels[SOURCE_DIGEST] == wanted_digest(world, BACKEND)
    ours = {SOURCE_DIGEST: "other", **installation.labels(world.settings)}
    docker.held["todo-backend:1.0.0"] = ImageFacts("todo-backend:1.0.0", "i", 1, "", ours)
    build(world)
    assert len(docker.built) == 2
    assert docker.discarded == ["i"]


def test_the_image_of_another_installation_is_replaced_and_not_discarded(
    world: World, docker: FakeDocker
) -> None:
    theirs = {SOURCE_DIGEST: "other", installation.LABEL: "another"}
    docker.held["todo-backend:1.0.0"] = ImageFacts("todo-backend:1.0.0", "i", 1, "", theirs)
    builds.build(BACKEND)(world)
    assert (docker.built, docker.discarded) == (["todo-backend:1.0.0"], [])


def test_an_image_that_nobody_here_built_is_refused(world: World, docker: FakeDocker) -> None:
    docker.held["todo-backend:1.0.0"] = ImageFacts("todo-backend:1.0.0", "i", 1, "", {})
    with pytest.raises(Foreign, match="that the runbook did not build"):
        builds.build(BACKEND)(world)
    assert docker.built == []


def test_official_bases_are_named_and_not_made(world: World, docker: FakeDocker) -> None:
    builds.build(BACKEND)(world)
    assert docker.asked[0]["arguments"] == {"PYTHON_BASE": PYTHON.official, "UV_BASE": UV.official}


def test_loading_builds_what_the_engine_lacks_and_hands_all_to_the_cluster(
    world: World, docker: FakeDocker
) -> None:
    builds.load_into_cluster(BACKEND)(world)
    assert docker.built == ["todo-backend:1.0.0"]
    assert world.cluster.calls == ["todo-backend:1.0.0"]  # type: ignore[attr-defined]


class TestStandIns:
    @pytest.fixture
    def world(self, docker: FakeDocker, commands: FakeCommands, monkeypatch: pytest.MonkeyPatch) -> World:
        def fill(_world: World, base: Any, context: Path) -> None:
            (context / "filled").write_text(base.stand_in)

        monkeypatch.setattr(bases, "_fill", fill)
        return world_of(
            Settings(bases="stand-in"), docker=docker, cluster=LoadingCluster(), commands=commands
        )

    def test_they_are_made_first_and_once(self, world: World, docker: FakeDocker) -> None:
        builds.build(BACKEND)(world)
        builds.build(BACKEND)(world)
        assert docker.built == [PYTHON.stand_in, UV.stand_in, "todo-backend:1.0.0"]
        assert [asked.get("target") for asked in docker.asked] == ["python", "uv", None]
        assert docker.asked[2]["arguments"] == {"PYTHON_BASE": PYTHON.stand_in, "UV_BASE": UV.stand_in}

    def test_another_recipe_makes_another_base(self, world: World, docker: FakeDocker) -> None:
        bases.ensure(world, [PYTHON])
        facts = docker.held[PYTHON.stand_in]
        docker.held[PYTHON.stand_in] = ImageFacts(
            facts.reference, facts.id, 1, "", {bases.KEY: "older recipe"}
        )
        bases.ensure(world, [PYTHON])
        assert docker.built == [PYTHON.stand_in] * 2

    def test_the_digest_follows_the_bases_id(self, world: World, docker: FakeDocker) -> None:
        builds.build(BACKEND)(world)
        before = wanted_digest(world, BACKEND)
        docker.held[PYTHON.stand_in] = ImageFacts(PYTHON.stand_in, "sha256:newer", 1, "", {})
        assert wanted_digest(world, BACKEND) != before

    def test_the_context_is_gone_afterwards(self, world: World) -> None:
        bases.ensure(world, [PYTHON])
        assert not list((world.settings.cache / "bases").glob("context-*"))

    def test_a_pin_that_disagrees_with_the_base_is_refused(self, tmp_path: Path, docker: FakeDocker) -> None:
        (tmp_path / "scripts").mkdir()
        (tmp_path / "scripts" / "uv-requirements.txt").write_text("uv==0.0.1 --hash=sha256:0\n")
        world = world_of(Settings(project=tmp_path), docker=docker)
        with pytest.raises(RunbookError, match=r"pins uv 0\.0\.1"):
            bases._uv(world)


class TestRegistryQuestion:
    @pytest.fixture
    def auto(self, docker: FakeDocker, commands: FakeCommands) -> World:
        return world_of(Settings(), docker=docker, cluster=LoadingCluster(), commands=commands)

    @pytest.mark.parametrize(
        ("answer", "stand_in"), [(0, False), (1, True), (TimedOut("no answer within 15 s"), True)]
    )
    def test_it_is_asked_once_and_remembered(
        self, auto: World, commands: FakeCommands, answer: int | Exception, stand_in: bool
    ) -> None:
        commands.answer = answer
        assert stands_in(auto) is stand_in
        commands.answer = 0 if stand_in else 1
        assert stands_in(auto) is stand_in
        assert commands.asked == 1
        chosen = base_references(auto, [PYTHON])
        assert chosen == {"PYTHON_BASE": PYTHON.stand_in if stand_in else PYTHON.official}

    @pytest.mark.parametrize("memory", ["not JSON", "{}", '{"answers": true, "asked": "yesterday"}', "aged"])
    def test_a_memory_that_is_old_or_damaged_does_not_count(
        self, auto: World, commands: FakeCommands, memory: str
    ) -> None:
        aged = json.dumps({"answers": True, "asked": time.time() - 7 * 24 * 3600})
        auto.settings.cache.mkdir(parents=True)
        (auto.settings.cache / "registry.json").write_text(aged if memory == "aged" else memory)
        assert stands_in(auto) is True
        assert commands.asked == 1

    def test_settings_decide_without_asking(self, docker: FakeDocker, commands: FakeCommands) -> None:
        for choice, stand_in in (("registry", False), ("stand-in", True)):
            world = world_of(Settings(bases=choice), docker=docker, commands=commands)  # type: ignore[arg-type]
            assert stands_in(world) is stand_in
        assert commands.asked == 0


class TestBuildSecrets:
    @pytest.fixture(autouse=True)
    def _bare(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        for name in (
            *build_secrets.AUTHORITIES,
            *build_secrets.INDEXES,
            "UV_CONFIG_FILE",
            "NPM_CONFIG_USERCONFIG",
        ):
            monkeypatch.delenv(name, raising=False)

    def test_the_named_bundle_wins(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").write_text("authority")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.crt"))
        monkeypatch.setenv("PIP_CERT", str(tmp_path / "ca.crt"))
        assert build_secrets.authorities() == tmp_path / "ca.crt"

    def test_an_index_goes_into_a_private_file_that_ends_with_the_build(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", "http://user:password@127.0.0.1/simple")
        with build_secrets.build_secrets() as secrets:
            file = next(secret.path for secret in secrets if secret.id == "uv-config")
            assert "user:password@127.0.0.1" in file.read_text()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not file.exists()

    def test_what_the_machine_does_not_have_is_left_out(self) -> None:
        with build_secrets.build_secrets() as secrets:
            assert {secret.id for secret in secrets} <= {"ca-bundle"}
