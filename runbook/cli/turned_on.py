"""What has been turned on: `inv verify` checks that, and names the rest instead of calling it red or green."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook import catalogue
from runbook.app import blueprint
from runbook.engine.errors import RunbookError
from runbook.engine.step import Status

if TYPE_CHECKING:
    from runbook.engine.journal import Journal, Place
    from runbook.world import World

COMMANDS = {
    "mesh": "inv dapr",
    "packaging": "inv package",
    "persistence": "inv db",
    "automation": "inv automation",
}
"""By phase, what turns its steps on; everything else comes with `inv deploy`."""


def turned_off(world: World, journal: Journal, here: Place) -> dict[str, str]:
    """The steps that nobody has turned on here, each with the command that does.

    Dapr's steps, where the release runs without it; drills that never ran on this cluster; and what needs one of these.
    Empty where the cluster does not answer: then everything is checked, and red.
    """
    if not here.cluster:
        return {}
    try:
        meshed = blueprint.mode(world).dapr
    except RunbookError:
        return {}
    ran = {
        step
        for step, entry in journal.last().items()
        if entry.place.is_here(here) and entry.outcome.status in (Status.PASSED, Status.FAILED)
    }
    off: dict[str, str] = {}
    for step in catalogue.STEPS:
        needed = next((off[need] for need in step.needs if need in off), "")
        if needed or (step.phase == "mesh" and not meshed) or (step.drill and step.id not in ran):
            off[step.id] = needed or COMMANDS.get(step.phase, "inv deploy")
    return off
