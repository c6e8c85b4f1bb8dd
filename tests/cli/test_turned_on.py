"""`inv verify`: what nobody has turned on is named, neither red nor green."""

from __future__ import annotations

import pytest

from runbook.app import blueprint
from runbook.app.blueprint import Mode
from runbook.catalogue import STEPS
from runbook.cli.turned_on import turned_off
from runbook.engine.errors import Unmeasurable
from runbook.engine.events import Result
from runbook.engine.journal import NOWHERE, Journal, Place
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.world import World

HERE = Place("embedded", "uid", "installation")
MESH = {step.id for step in STEPS if step.phase == "mesh"}
DRILLS = {step.id for step in STEPS if step.drill}


@pytest.fixture
def journal(settings: Settings) -> Journal:
    found = Journal(settings.state / "journal.jsonl", lambda: HERE)
    found.path.parent.mkdir(parents=True)
    return found


def without_dapr(monkeypatch: pytest.MonkeyPatch, dapr: bool = False) -> None:
    monkeypatch.setattr(blueprint, "mode", lambda _: Mode(redis=dapr, dapr=dapr))


def ran(journal: Journal, step_id: str, outcome: Outcome) -> None:
    step = next(step for step in STEPS if step.id == step_id)
    journal.finished(Result(step, outcome, 0.1, fingerprint="same"))


def test_dapr_and_drills_that_never_ran(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_dapr(monkeypatch)
    off = turned_off(world, journal, HERE)
    assert off.keys() >= MESH | DRILLS
    assert (off["T088"], off["T101"], off["T119"], off["T129"]) == (
        "inv dapr",
        "inv package",
        "inv db",
        "inv automation",
    )
    assert off["T053"] == "inv deploy"
    assert not {"T048", "T049", "T072", "T104", "T112", "T120"} & off.keys()


def test_what_needs_something_that_is_off_is_off_by_the_same_command(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_dapr(monkeypatch)
    off = turned_off(world, journal, HERE)
    for step in STEPS:
        if step.id not in off:
            assert not set(step.needs) & off.keys(), step.id


def test_dapr_that_is_on_is_checked(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    without_dapr(monkeypatch, dapr=True)
    assert not (MESH - DRILLS) & turned_off(world, journal, HERE).keys()


@pytest.mark.parametrize(
    ("outcome", "on"),
    [
        (passed("as wanted"), True),
        (failed("lost", wanted="-", hint="-"), True),
        (unproven("not proved yet", hint="-"), False),
    ],
)
def test_a_drill_that_ran_here_is_checked_from_then_on(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, on: bool
) -> None:
    without_dapr(monkeypatch)
    ran(journal, "T053", outcome)
    assert ("T053" not in turned_off(world, journal, HERE)) == on
    elsewhere = Place("embedded", "another", "installation")
    assert "T053" in turned_off(world, journal, elsewhere)


def test_where_nothing_answers_the_whole_list_is_checked(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_dapr(monkeypatch)
    assert turned_off(world, journal, NOWHERE) == {}

    def away(_: World) -> Mode:
        raise Unmeasurable("the API is away", hint="-")

    monkeypatch.setattr(blueprint, "mode", away)
    assert turned_off(world, journal, HERE) == {}
