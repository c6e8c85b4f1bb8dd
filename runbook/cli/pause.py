"""`inv stop` and `inv start`: the cluster without its processes, and with them again; nothing in it is lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runbook.cli.entry import sweep
from runbook.cli.lock import one_run
from runbook.engine.errors import UsageError
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.settings import Settings


def stop(settings: Settings) -> None:
    """Stop a cluster that was made here. Raises `UsageError` for any other, and where there is none."""
    out = Writer(sys.stdout)
    world = World.of(settings).for_step(out.line)
    _demand_ours(world)
    with one_run(settings.state, "stop"):
        if world.cluster.status().running:
            sweep(world, out)
        world.cluster.stop(out.line)
        if world.cluster.status().running:
            out.line(f"The cluster {settings.cluster_name} still runs.")
            sys.exit(1)
    out.line(
        f"The cluster {settings.cluster_name} is stopped; all that is in it stays. inv start starts it again."
    )


def start(settings: Settings) -> None:
    """Start it again and wait until the application, where it was deployed, is ready."""
    from runbook.actions.package import release
    from runbook.clients.kube.releases import newest

    out = Writer(sys.stdout)
    world = World.of(settings).for_step(out.line)
    _demand_ours(world)
    with one_run(settings.state, "start"):
        world.cluster.up(out.line)
        if newest(world.api, settings.release, settings.namespace) is not None:
            release.wait(world)
            out.line(f"The application is ready: http://{settings.host}/")
    out.line(f"The cluster {settings.cluster_name} runs.")


def _demand_ours(world: World) -> None:
    name, provider = world.settings.cluster_name, world.cluster.provider
    if provider == "existing":
        world.cluster.stop(lambda _: None)  # says why it refuses
    status = world.cluster.status()
    if not status.running and not status.parts:
        raise UsageError(
            f"there is no cluster {name}", wanted="one that was made here", hint="inv cluster.up"
        )
    if not world.cluster.is_ours():
        raise UsageError(
            f"the {provider} cluster {name} was not made here",
            wanted="a cluster that was made here",
            hint="stop or start it with the program that made it",
        )
