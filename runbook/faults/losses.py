"""Faults that drills of the database must find: rows that a trigger drops or keeps, rows that do not outlive a pod, a
pod that cannot come back, and an old role that is still let in.

Triggers act on the tasks of drills alone, which are known by their titles.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runbook.actions.database import roles, rotation
from runbook.app.application import SECRET
from runbook.app.secrets import secret_data
from runbook.checks.cluster.pods import fingerprint
from runbook.checks.database import dialling
from runbook.faults import Mutant
from runbook.faults.planting import Hands, Object, planted
from runbook.probes import changes, replaced
from runbook.probes.conversation import DOMAIN
from runbook.world import World

DRILLED = 240.0
LOST_WITHIN = 120.0
PATIENCE = 60.0
"""Seconds for which that world waits for a pod, in the place of five minutes."""

FUNCTION = "todo_mutant"
OWN = "OLD.title LIKE '%figs%'"
NEW = "NEW.title LIKE '%figs%'"
FORGET = f"""DELETE FROM task WHERE title LIKE 'keep %' AND user_id IN
(SELECT id FROM "user" WHERE email LIKE '%@{DOMAIN}')"""  # noqa: S608 - a constant of ours


def group(space: str) -> tuple[Mutant, ...]:
    """One for each drill on data, and one for the rotation."""
    return (
        _triggered("a trigger that drops new tasks", "T114", "INSERT", NEW, "not by a successful add_task"),
        _triggered(
            "a trigger that keeps deleted tasks",
            "T115",
            "DELETE",
            OWN,
            "after delete_task the row was still there",
        ),
        Mutant(
            "a backend whose next pod cannot start",
            frozenset({"T116"}),
            lambda _: None,
            patience=DRILLED,
            cause="mcp-signing-key|CreateContainerConfigError|not ready",
            elsewhere=lambda world: _without_a_key(world, space),
        ),
        Mutant(
            "tasks that do not outlive the pod",
            frozenset({"T117"}),
            _lose,
            undo=lambda hands: _hold(hands.world),
            cause="is lost",
        ),
        Mutant(
            "old roles that are let in after the rotation",
            frozenset({"T119"}),
            _leave_the_door_open,
            undo=_shut,
            patience=DRILLED,
            cause="the old .* is still taken",
        ),
    )


def _triggered(name: str, step: str, event: str, when: str, cause: str) -> Mutant:
    """The row that a statement is about is left as it is, and the statement does not say so."""
    made = f"""CREATE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER {FUNCTION} BEFORE {event} ON task FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {FUNCTION}();"""

    def plant(hands: Hands) -> None:
        roles.administer(hands.world, made)
        if step != "T114":
            _changes(hands.world)

    def undo(hands: Hands) -> None:
        roles.administer(hands.world, f"DROP FUNCTION IF EXISTS {FUNCTION} CASCADE")
        _changes(hands.world)

    return Mutant(name, frozenset({step}), plant, undo=undo, patience=DRILLED, cause=cause)


def _changes(world: World) -> None:
    """The drill that T115 looks at."""
    changes.hold(world, fingerprint(world))


def _hold(world: World) -> None:
    """The drill that T117 looks at."""
    replaced.hold(world, fingerprint(world))


@contextmanager
def _without_a_key(world: World, space: str) -> Iterator[World]:
    """The Secret lacks a key that the backend starts with; the world that asks does not wait for long."""
    secret: Object = ("Secret", SECRET, space)
    operation = {"op": "remove", "path": "/data/mcp-signing-key"}
    hands = Hands(world)
    with planted(hands, lambda each: each.patch(secret, operation), objects=(secret,)):
        settings = world.settings.model_copy(update={"ready_timeout": PATIENCE})
        yield World.of(settings)


def _lose(hands: Hands) -> None:
    """What a fresh volume would do: once another pod is there, tasks of the drill are gone."""
    world = hands.world
    before = {pod["metadata"]["uid"] for pod in dialling.backend_pods(world)}
    stopping = threading.Event()

    def forget() -> None:
        while not stopping.wait(0.2):
            if {pod["metadata"]["uid"] for pod in dialling.backend_pods(world)} - before:
                roles.administer(world, FORGET)
                return

    watcher = threading.Thread(target=forget, daemon=True)
    watcher.start()
    try:
        _hold(world)
    finally:
        stopping.set()
        watcher.join(LOST_WITHIN)


def _leave_the_door_open(hands: Hands) -> None:
    """A rotation that forgets its last stage."""
    hands.kept["stages"] = rotation.STAGES
    rotation.STAGES = rotation.STAGES[:-1]


def _shut(hands: Hands) -> None:
    if "stages" in hands.kept:
        rotation.STAGES = hands.kept["stages"]
    if secret_data.rotating(hands.world):
        rotation.shut_out(hands.world, rotation.begin(hands.world))
