"""The database behind the deployed application: proven, drilled, rotated, and broken where it can break.

Each planted fault turns exactly its steps red: `inv verify.mutants database` says so of every one of them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from commands import Answer, inv
from planting import READY

from runbook.actions.database import rotation
from runbook.actions.security import secrets
from runbook.app.secrets import secret_data
from runbook.app.sidecars import application_pods
from runbook.catalogue import find
from runbook.cli.entry import DATABASE, journal_of
from runbook.clients.kube import workloads
from runbook.engine.attempt import attempt
from runbook.engine.events import Mode
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import group
from runbook.faults.planting import MARK
from runbook.world import World

# Steps go by their place in the list here: some of their ids are printed for two steps.


@pytest.fixture(scope="module")
def proven(deployed: Answer) -> Answer:
    return inv("db", "--json")


@pytest.fixture
def stored(proven: Answer, settings: Settings) -> World:
    """Fresh clients for looking at the application with its database."""
    assert proven.code == 0, proven.stderr
    return World.of(settings)


@pytest.mark.parametrize("step", DATABASE)
def test_each_step_passes(proven: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in proven.document["steps"]}[step]
    assert found["status"] == "passed", f"{found['observed']}; try: {found['hint']}"


def test_a_second_time_changes_and_repeats_nothing(stored: World) -> None:
    before = _uids(stored)
    again = inv("db", "--json")
    assert again.code == 0, again.stderr
    ours = [entry for entry in again.document["steps"] if entry["id"] in DATABASE]
    assert not [entry["id"] for entry in ours if entry["changed"]]
    assert {entry["id"] for entry in ours if entry["carried"]} >= {"T114", "T116", "T118", "T119"}
    assert _uids(stored) == before


def test_asking_changes_nothing(stored: World) -> None:
    before = _uids(stored)
    asked = inv("verify.db", "--json")
    assert asked.code == 0, asked.stderr
    assert set(asked.statuses()) == set(DATABASE)
    assert _uids(stored) == before


def test_no_word_of_a_run_holds_a_secret(stored: World, proven: Answer) -> None:
    """Not its reports, its journal or its evidence."""
    values = secret_data.read(stored, secrets.SECRET, stored.settings.namespace).values()
    told = proven.stdout + proven.stderr
    for path in stored.settings.state.rglob("*.json*"):
        told += path.read_text(errors="replace")
    for value in values:
        password = urlsplit(value).password if "://" in value else value
        assert password
        assert password not in told


@pytest.mark.parametrize("stages", [0, 1, 2])
def test_a_rotation_that_was_killed_goes_on_where_it_stood(stages: int, stored: World) -> None:
    """Noted, let in, or published: meanwhile the application serves, and a deploy disturbs none of it."""
    turned = rotation.begin(stored)
    for stage in rotation.STAGES[:stages]:
        stage(stored, turned)
    assert _ask(stored, "106").green
    assert secret_data.rotating(stored) == turned.towards
    outcome = _ask(stored, "119")
    assert outcome.green, outcome.observed
    assert outcome.observed.startswith("resumed: ")
    assert outcome.evidence["to"] == dict(turned.new)
    assert secret_data.rotating(stored) == ""


def test_a_database_that_starts_over_is_found_again_without_a_restart(stored: World) -> None:
    """Nobody restarts the application: liveness does not ask the database."""
    before = _uids(stored)
    pod = stored.api.list("Pod", "todo-database")[0]
    stored.api.delete("Pod", workloads.name(pod), "todo-database", uid=pod["metadata"]["uid"])

    def green() -> None:
        outcome = _ask(stored, "112")
        if not outcome.green:
            raise NotYet(outcome.observed)

    eventually(green, timeout=READY, wanted="step 112 green", hint="inv verify.step T112")
    assert _uids(stored) == before


def test_every_mutant_is_killed(stored: World, settings: Settings) -> None:
    answer = inv("verify.mutants", "database", "--json")
    assert answer.code == 0, answer.stderr
    verdicts = answer.document["mutants"]
    assert [each for each in verdicts if each["verdict"] != "killed"] == []
    assert len(verdicts) == len(group("database", settings).mutants)


def test_nothing_is_left_behind(stored: World) -> None:
    assert stored.api.list("Pod", labels=MARK) == []
    people = 'SELECT email FROM "user" WHERE email LIKE %s'
    assert stored.database.query(people, ("%drill.invalid",)) == []


def _ask(world: World, step: str) -> Outcome:
    world.clients.memory.forget()
    found = find(step)
    return attempt(found, world, mode=Mode.VERIFY, journal=journal_of(world.settings), repeat=True).outcome


def _uids(world: World) -> dict[str, tuple[str, int]]:
    return {
        workloads.name(pod): (pod["metadata"]["uid"], workloads.restarts(pod))
        for pod in application_pods(world)
    }
