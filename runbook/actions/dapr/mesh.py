"""The application with Dapr, and without it again: the mode of its release, and sidecars of today's control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.actions.cluster import rollout
from runbook.actions.dapr import dapr
from runbook.actions.package import release
from runbook.app import blueprint
from runbook.app.application import COMPONENTS, REDIS_SECRET
from runbook.app.dapr import ownership as dapr_ownership
from runbook.app.sidecars import stale
from runbook.clients.kube.releases import newest
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World


def join(world: World) -> None:
    """Upgrade the release to carry Dapr; where it does already and pods have old sidecars, make these anew."""
    before = newest(world.api, world.settings.release, world.settings.namespace)
    release.bring(world, blueprint.Mode(redis=True, dapr=True))
    release.wait(world)
    after = newest(world.api, world.settings.release, world.settings.namespace)
    if before == after and stale(world):
        restart(world)


def restart(world: World) -> None:
    """Roll all pods of the application, and wait."""
    world.progress("restarting the application")
    rollout.restart(world, world.settings.namespace, [component.name for component in COMPONENTS])
    release.wait(world)


def leave(world: World) -> list[str]:
    """The application without Dapr, then no Dapr: sidecars go before what they need. Returns what is left of it.

    What is not ours stays as it is. Raises `Foreign`, before the first write, where others use our Dapr.
    """
    space = world.settings.namespace
    ours = installation.owns(world.settings, world.api.get("Namespace", space))
    if not ours and not dapr_ownership.left(world):
        return []
    dapr_ownership.refuse_used(world)
    world.api.guard(pinned=True)
    if ours:
        mode = blueprint.mode(world)
        if mode.dapr or mode.redis:
            release.bring(world, blueprint.Mode())
            release.wait(world)
        world.api.delete("Secret", REDIS_SECRET, space)
    return dapr.remove(world)
