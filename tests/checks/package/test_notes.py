"""The notes of the live revision: its address, its namespace, its number, and no value of a Secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from runbook.checks.package import notes
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, world_of

VALUE = "a-generated-value-of-the-secret"
TEXT = """todo-app 1.0.0 is release "todo-app" in namespace "todo", revision 2.

Open:   http://todo.local
Watch:  kubectl get pods --namespace todo --watch
Undo:   helm rollback todo-app --namespace todo
"""


def make(settings: Settings, text: str = TEXT, **record: Any) -> tuple[World, FakeApi]:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "todo-secrets", "namespace": "todo"},
        "data": {"database-url": base64.b64encode(VALUE.encode()).decode()},
    }
    record = {"revision": 2, "description": "Upgrade complete", "notes": text, **record}
    api = FakeApi(running.release_secret(**record), secret)
    return world_of(settings, api=api), api


def test_what_helm_said_is_true_of_the_release(settings: Settings) -> None:
    world, _ = make(settings)
    outcome = notes.stored(world)
    assert outcome.status is Status.PASSED, outcome
    assert outcome.observed.startswith("revision 2 said: open http://todo.local")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("http://todo.local", "http://other.local", "do not say where to open it: http://todo.local"),
        ("--namespace todo --watch", "--namespace other --watch", "is for another namespace than todo"),
        ("rollback todo-app", "rollback other", "is for another release than todo-app"),
        ("revision 2.", "revision 1.", "do not speak of revision 2"),
        ("Undo:", "was not seen\nUndo:", "miss Secret todo-secrets, which is there"),
        ("Undo:", f"Key: {VALUE}\nUndo:", "tell a value of Secret todo-secrets"),
        (TEXT, " \n", "there are no notes"),
    ],
)
def test_what_is_wrong_is_named(settings: Settings, old: str, new: str, words: str) -> None:
    world, _ = make(settings, TEXT.replace(old, new))
    outcome = notes.stored(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert VALUE not in str(outcome)
    assert outcome.hint == "helm get notes todo-app --namespace todo"


def test_a_rollback_carries_the_notes_of_the_revision_that_it_returned_to(settings: Settings) -> None:
    world, _ = make(settings, revision=5, description="Rollback to 2")
    assert notes.stored(world).green


def test_without_a_release_or_an_answer(settings: Settings) -> None:
    world, api = make(settings)
    api.objects.clear()
    assert notes.stored(world).hint == "inv deploy"
    api.away = True
    with pytest.raises(Unmeasurable):
        notes.stored(world)
