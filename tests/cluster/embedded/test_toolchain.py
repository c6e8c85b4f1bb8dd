"""The toolchain: made once, completely or not at all, found by name; a stand-in `go` on PATH does the building."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.cluster.embedded import builds, packages, parts
from runbook.cluster.embedded import setup as entry
from runbook.cluster.embedded.parts import GoPart
from runbook.cluster.embedded.toolchain import Toolchain, clock
from runbook.engine.errors import CommandMissing, RunbookError, UsageError
from runbook.engine.settings import Settings

GO = """#!/bin/sh
echo "$PWD: $*" >> {log}
case "$1" in
  env) echo {version}; exit ;;
  list) exit ;;
esac
env > {environment}
echo "go: downloading example.test/lib v1.0.0"
while [ "$1" != -o ]; do shift; done
echo "half of it" > "$2"
[ ! -e "{broken}/${{PWD##*/}}" ] || {{ echo "main.go:1: the reason"; exit 1; }}
echo "#!/bin/sh" > "$2"; chmod +x "$2"
"""

ONE = GoPart("one", "example.test/one", "one", 2.0, stamps=("v.major={major}", "v.all={version}"))
MANY = GoPart("many", "", "many", 0.5, commands=("first", "second"))
PARTS = (ONE, MANY)


class Machine:
    """A PATH with a `go` that writes down what it is asked, and modules of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken = folder / "broken"
        self.modules = folder / "go"
        for made in (folder / "bin", self.broken, self.modules / "one", self.modules / "many"):
            made.mkdir(parents=True)
        for program in ("sh", "env", "chmod"):
            (folder / "bin" / program).symlink_to(f"/usr/bin/{program}")
        (self.modules / "one" / "go.mod").write_text(
            "module one\n\ngo 1.25.0\n\nrequire example.test/one v1.35.4\n"
        )
        (self.modules / "one" / "go.sum").write_text("example.test/one v1.35.4 h1:x=\n")
        (self.modules / "many" / "go.mod").write_text("module many\n\ngo 1.24.0\n")
        self.install_go("go1.26.8")

    def install_go(self, version: str) -> None:
        builds.go_version.cache_clear()
        go = self.folder / "bin" / "go"
        go.write_text(
            GO.format(
                log=self.folder / "log",
                environment=self.folder / "environment",
                broken=self.broken,
                version=version,
            )
        )
        go.chmod(0o755)

    def remove_go(self) -> None:
        builds.go_version.cache_clear()
        (self.folder / "bin" / "go").unlink()

    def built(self) -> list[str]:
        """The modules that were compiled, in order."""
        lines = (self.folder / "log").read_text().splitlines()
        return [Path(line.split(": ")[0]).name for line in lines if ": build " in line]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path / "machine")
    monkeypatch.setenv("PATH", str(made.folder / "bin"))
    monkeypatch.setattr(parts, "HERE", made.folder)
    yield made
    builds.go_version.cache_clear()


@pytest.fixture
def toolchain(settings: Settings, machine: Machine) -> Toolchain:
    return Toolchain(settings, PARTS)


def _silent(_: str) -> None:
    return None


def test_what_is_missing_is_made_and_found_by_name(toolchain: Toolchain, machine: Machine) -> None:
    assert toolchain.missing() == ("one", "many")
    assert toolchain.install(_silent) == ("one", "many")
    assert toolchain.missing() == ()
    assert toolchain.binary("one").name == "one"
    assert os.access(toolchain.binary("one"), os.X_OK)
    assert toolchain.binary("second").resolve() == toolchain.binary("many")
    assert toolchain.version("one") == "v1.35.4"


def test_a_second_installation_builds_nothing(toolchain: Toolchain, machine: Machine) -> None:
    toolchain.install(_silent)
    assert toolchain.install(_silent) == ()
    assert machine.built() == ["one", "many"]


def test_only_what_is_asked_for_is_made_by_part_or_by_command(toolchain: Toolchain, machine: Machine) -> None:
    assert toolchain.install(_silent, only=["second"]) == ("many",)
    assert toolchain.missing() == ("one",)
    with pytest.raises(UsageError, match="third"):
        toolchain.install(_silent, only=["third"])


def test_an_optional_part_is_made_only_when_it_is_asked_for(settings: Settings, machine: Machine) -> None:
    extra = GoPart("extra", "", "many", 1.0, optional=True)
    toolchain = Toolchain(settings, (ONE, extra))
    assert toolchain.missing() == ("one",)
    assert toolchain.install(_silent) == ("one",)
    assert [part.name for part in toolchain.plan()] == ["one"]
    assert toolchain.install(_silent, only=["extra"]) == ("extra",)


def test_a_chart_comes_along_under_the_version_of_the_part(
    settings: Settings, machine: Machine, tmp_path: Path
) -> None:
    chart = tmp_path / "module" / "charts" / "one"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: one\nversion: '0.0.0'\n")
    chart.chmod(0o555)  # as Go's module cache has it
    log = machine.folder / "bin" / "go"
    log.write_text(log.read_text().replace("list) exit ;;", f"list) echo {tmp_path / 'module'}; exit ;;"))
    toolchain = Toolchain(settings, (GoPart("one", "example.test/one", "one", 1.0, chart="charts/one"),))
    with pytest.raises(CommandMissing):
        toolchain.chart("one")
    toolchain.install(_silent)
    assert (toolchain.chart("one") / "Chart.yaml").read_text() == "name: one\nversion: '1.35.4'\n"
    assert (toolchain.chart("one") / "templates").is_dir()


def test_a_build_that_fails_leaves_nothing_and_the_next_run_resumes(
    toolchain: Toolchain, machine: Machine, settings: Settings
) -> None:
    (machine.broken / "many").touch()
    with pytest.raises(RunbookError, match="the reason"):
        toolchain.install(_silent)
    kept = [path.name for path in (settings.cache / "toolchain").iterdir() if path.is_dir()]
    assert [name.split("-")[0] for name in kept] == ["one"]
    (machine.broken / "many").unlink()
    assert toolchain.install(_silent) == ("many",)
    assert machine.built() == ["one", "many", "many"]


def test_an_interruption_leaves_nothing(toolchain: Toolchain, settings: Settings) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toolchain.install(interrupt)
    assert [path for path in (settings.cache / "toolchain").iterdir() if path.is_dir()] == []


def test_what_a_killed_run_left_is_no_binary_and_is_removed(toolchain: Toolchain, settings: Settings) -> None:
    toolchain.install(_silent)
    place = toolchain.binary("one").parent
    left = place.with_name(f".unfinished-{place.name}")
    place.rename(left)
    assert toolchain.missing() == ("one",)
    (left / "one").write_text("half of it")
    toolchain.install(_silent)
    assert not left.exists()
    assert toolchain.binary("one").read_text().startswith("#!")


def test_a_cache_folder_that_cannot_be_made_is_told_in_one_line(
    toolchain: Toolchain, settings: Settings
) -> None:
    settings.cache.parent.mkdir(parents=True)
    settings.cache.write_text("a file in its place")
    with pytest.raises(RunbookError, match="cannot be made") as caught:
        toolchain.install(_silent)
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_a_deleted_command_is_made_again(toolchain: Toolchain) -> None:
    toolchain.install(_silent)
    toolchain.binary("second").unlink()
    assert toolchain.missing() == ("many",)
    assert toolchain.install(_silent) == ("many",)
    assert toolchain.binary("second").exists()


def test_a_command_that_is_not_there_says_how_to_get_it(toolchain: Toolchain) -> None:
    with pytest.raises(CommandMissing, match=r"`second` \(many v1\.0\.0\) is not installed") as caught:
        toolchain.binary("second")
    assert caught.value.hint == "inv setup"
    with pytest.raises(UsageError, match="unheard-of"):
        toolchain.binary("unheard-of")


@pytest.mark.parametrize("file", ["go.sum", "go.mod", "main.go"])
def test_what_a_part_is_made_from_decides_where_it_lies(
    toolchain: Toolchain, machine: Machine, file: str
) -> None:
    toolchain.install(_silent)
    before = toolchain.binary("one")
    source = machine.modules / "one" / file
    source.write_text((source.read_text() if source.exists() else "") + "// changed\n")
    assert toolchain.missing() == ("one",)
    toolchain.install(_silent)
    assert toolchain.binary("one") != before
    assert before.exists()


def test_go_release_and_flags_decide_it_too_and_tests_do_not(toolchain: Toolchain, machine: Machine) -> None:
    toolchain.install(_silent)
    (machine.modules / "one" / "main_test.go").write_text("package main")
    assert toolchain.missing() == ()
    digest = ONE.digest
    assert GoPart("one", "example.test/one", "one", 2.0).digest != digest
    assert GoPart("one", "example.test/one", "one", 2.0, stamps=ONE.stamps, tags=("t",)).digest != digest
    machine.install_go("go1.27.0")
    assert toolchain.missing() == ("one", "many")


def test_the_linker_stamps_the_version_of_go_mod(machine: Machine) -> None:
    assert "-X=v.major=1" in ONE.linker_flags
    assert "-X=v.all=v1.35.4" in ONE.linker_flags


def test_go_sum_judges_whatever_the_user_has_set(
    toolchain: Toolchain, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod -insecure")
    monkeypatch.setenv("CGO_ENABLED", "1")
    monkeypatch.setenv("GOWORK", "/somewhere/go.work")
    toolchain.install(_silent, only=["one"])
    environment = (machine.folder / "environment").read_text().splitlines()
    assert "GOFLAGS=-mod=readonly -trimpath -buildvcs=false" in environment
    assert "CGO_ENABLED=0" in environment
    assert "GOWORK=off" in environment


def test_without_go_nothing_is_made_but_what_was_made_serves(toolchain: Toolchain, machine: Machine) -> None:
    toolchain.install(_silent, only=["many"])
    machine.remove_go()
    assert toolchain.binary("first").exists()
    with pytest.raises(CommandMissing, match="go") as caught:
        toolchain.install(_silent)
    assert caught.value.wanted == "Go 1.25.0 or newer"


def test_a_go_that_is_too_old_is_told_before_anything_is_built(
    toolchain: Toolchain, machine: Machine
) -> None:
    machine.install_go("go1.24.9")
    with pytest.raises(RunbookError, match=r"go1\.24\.9") as caught:
        toolchain.install(_silent)
    assert caught.value.wanted == "Go 1.25.0 or newer"
    assert machine.built() == []


def test_progress_names_part_place_elapsed_and_usual_time(toolchain: Toolchain) -> None:
    told: list[str] = []
    toolchain.install(told.append)
    assert told[0] == "one v1.35.4 (1 of 2): starting, 0:00 of usually 2:00"
    assert any(text.startswith("many v1.0.0 (2 of 2)") for text in told)


def test_the_plan_says_what_is_there_and_how_long_the_rest_takes(
    toolchain: Toolchain, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "Toolchain", lambda _: toolchain)
    monkeypatch.setattr(packages, "missing", lambda: (packages.Package("runc", "runc", ""),))
    toolchain.install(_silent, only=["many"])
    assert entry.setup_plan(settings) == (
        "apt-get install runc (about 2 min)",
        "one v1.35.4: to be made (about 2 min)",
        "many v1.0.0: installed",
        "in all about 4 min",
    )
    toolchain.install(_silent)
    monkeypatch.setattr(packages, "missing", lambda: ())
    assert entry.setup_plan(settings)[-1] == "nothing to do"


def test_docker_finds_buildx_in_a_configuration_folder_of_ours(settings: Settings, machine: Machine) -> None:
    toolchain = Toolchain(settings, (GoPart("buildx", "", "many", 1.0),))
    with pytest.raises(CommandMissing):
        _ = toolchain.docker_config
    toolchain.install(_silent)
    plugin = toolchain.docker_config / "cli-plugins" / "docker-buildx"
    assert plugin.resolve() == toolchain.binary("buildx")
    assert toolchain.docker_config == plugin.parent.parent


def test_a_clock_shows_minutes_and_seconds() -> None:
    assert (clock(0), clock(65.9), clock(600)) == ("0:00", "1:05", "10:00")
