"""Dapr's chart fetched or its program built, in the pinned version, and its image brought into the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.dapr.source import (
    PART,
    REPOSITORY,
    Source,
    fetched_chart,
    may_be_fetched,
    program_image,
    source,
    version,
)
from runbook.engine.errors import CommandFailed, TimedOut

if TYPE_CHECKING:
    from runbook.world import World


def prepare(world: World) -> Source:
    """Build or fetch what is missing, and bring the image into the cluster. Idempotent."""
    from runbook.cluster import docker
    from runbook.cluster.embedded.node import Embedded
    from runbook.cluster.embedded.toolchain import Toolchain

    cluster = world.cluster
    if may_be_fetched(world) and _fetch(world):
        return source(world)
    Toolchain(world.settings).install(world.progress, only=(PART,))
    image = program_image(world)
    if isinstance(cluster, Embedded):
        cluster.load_program(image, world.progress)
    else:
        docker.hold(image, world.commands, cluster.docker_environment(), world.progress)
        cluster.load_images([image.reference], world.progress)
    return source(world)


def _fetch(world: World) -> bool:
    """Whether Dapr's own chart is there now; not so where its repository is out of reach.

    Raises `RunbookError` then where nothing else is wanted.
    """
    chart = fetched_chart(world)
    if (chart / "Chart.yaml").is_file():
        return True
    world.progress(f"fetching the chart of Dapr {version()}")
    try:
        world.helm.pull(PART, REPOSITORY, version(), chart.parent)
    except (CommandFailed, TimedOut):
        if world.settings.dapr == "repository":
            raise
        world.progress(
            f"Dapr's repository is out of reach: Dapr {version()} is built from its verified module"
        )
        return False
    return True
