"""Faults in a copy: each that asks nothing but files is planted here, and its steps turn red for its cause."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runbook import catalogue
from runbook import faults as mutants
from runbook.engine.attempt import attempt
from runbook.engine.errors import Unmeasurable
from runbook.engine.events import Mode
from runbook.engine.journal import Journal
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.faults import Mutant, copies
from runbook.world import World
from tests.charts.binary import HELM
from tests.charts.test_charts import client

PROJECT = Path(__file__).resolve().parents[2]
OF_FILES = {f"T{number:03d}" for number in (1, 2, 3, 9, 10, 11, 120, 121, 122, 123, 130, 131)}
OF_CHARTS = {"T020", "T021", "T022", "T023", "T024", *(f"T{number:03d}" for number in range(93, 100))} - {
    "T095"
}


def in_copies(steps: set[str]) -> list[Any]:
    return [
        pytest.param(mutant, id=mutant.name.replace(" ", "-"))
        for name in mutants.GROUPS
        for mutant in mutants.group(name, Settings()).mutants
        if mutant.elsewhere is not None and mutant.reds and mutant.reds <= steps
    ]


def see_red(mutant: Mutant, world: World, journal: Journal) -> None:
    assert mutant.elsewhere is not None
    with mutant.elsewhere(world) as other:
        vars(other.clients).update({"helm": client(other.settings)} if HELM else {})
        for step in mutant.reds:
            outcome = attempt(
                catalogue.find(step), other, mode=Mode.VERIFY, journal=journal, repeat=True
            ).outcome
            assert outcome.status is Status.FAILED, f"{step}: {outcome.observed}"
            assert mutant.cause, "a fault names its cause"
            assert re.search(mutant.cause, outcome.observed), f"{step}: {outcome.observed}"
    assert not (world.settings.state / copies.FOLDER).exists()


@pytest.mark.parametrize("mutant", in_copies(OF_FILES))
def test_a_fault_in_a_copy_of_the_files_is_named(mutant: Mutant, journal: Journal) -> None:
    see_red(mutant, World.of(Settings()), journal)


@pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")
@pytest.mark.parametrize("mutant", in_copies(OF_CHARTS))
def test_a_fault_in_a_copy_of_the_chart_is_named(mutant: Mutant, journal: Journal) -> None:
    see_red(mutant, World.of(Settings()), journal)


def test_only_the_copy_is_changed() -> None:
    world = World.of(Settings())
    before = (PROJECT / "README.md").read_text()
    with copies.copied(world, lambda copy: copy.edit("README.md", "##", "#")) as other:
        assert other.settings.project != PROJECT
        assert (other.settings.project / "README.md").read_text() != before
        assert (PROJECT / "README.md").read_text() == before
    assert not other.settings.project.exists()


def test_what_cannot_be_planted_is_unproven_and_leaves_nothing() -> None:
    world = World.of(Settings())
    with (
        pytest.raises(Unmeasurable, match="does not contain"),
        copies.copied(world, lambda copy: copy.edit("README.md", "no such words at all", "")),
    ):
        pass
    assert not (world.settings.state / copies.FOLDER).exists()


def test_what_a_killed_run_left_goes_with_the_next() -> None:
    world = World.of(Settings())
    left = world.settings.state / copies.FOLDER / "project" / "README.md"
    left.parent.mkdir(parents=True)
    left.write_text("left")
    assert copies.swept(world)
    assert not left.exists()
    assert not copies.swept(world)


def test_tags_that_were_made_are_removed_unless_they_mean_another_image_by_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from types import SimpleNamespace

    from runbook.engine import state_file

    world, removed = World.of(Settings()), list[str]()
    home = world.settings.state / copies.FOLDER
    home.mkdir(parents=True)
    state_file.write_json(home / copies.IMAGES, {"a:planted": "sha256:1", "b:planted": "sha256:2"})
    image = SimpleNamespace(remove=lambda reference, force: removed.append(reference))
    vars(world.clients)["docker"] = SimpleNamespace(
        image=lambda reference: SimpleNamespace(id="sha256:1"), client=SimpleNamespace(image=image)
    )
    copies.swept(world)
    assert removed == ["a:planted"]
