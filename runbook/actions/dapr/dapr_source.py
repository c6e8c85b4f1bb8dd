"""What Dapr is installed from: its chart and images, in the one version that is pinned.

The pin is the module that the embedded cluster builds Dapr from: there the chart comes out of that verified module and
the image is made of the built program. Other clusters take the chart of Dapr's own repository, which names the official
images; where that is out of reach, or the setting `dapr` says so, they get what the embedded cluster has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.cluster import docker
from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut, Unmeasurable

if TYPE_CHECKING:
    from runbook.cluster.embedded.archive import ScratchImage
    from runbook.world import World

PART = "dapr"
REPOSITORY = "https://dapr.github.io/helm-charts/"


@dataclass(frozen=True, slots=True)
class Source:
    """`image`: the one that holds all services, or "" for the chart's own."""

    version: str
    chart: Path
    image: str = ""


def version() -> str:
    """The pinned version, as Dapr writes it: 1.18.2."""
    from runbook.cluster.embedded.parts import PARTS

    return next(part.version for part in PARTS if part.name == PART).removeprefix("v")


def source(world: World) -> Source:
    """Asks only. Raises `Unmeasurable` where it is not built, or not fetched, yet."""
    from runbook.cluster.embedded.toolchain import Toolchain

    if _may_be_fetched(world):
        chart = _fetched(world)
        if (chart / "Chart.yaml").is_file():
            return Source(version(), chart)
        if world.settings.dapr == "repository":
            raise _absent(f"the chart of Dapr {version()} is not fetched yet")
    try:
        chart, image = Toolchain(world.settings).chart(PART), _image(world)
    except CommandMissing as missing:
        what = "neither fetched nor built" if _may_be_fetched(world) else "not built"
        raise _absent(f"Dapr {version()} is {what} yet: {missing.observed}") from None
    return Source(version(), chart, world.cluster.pod_image(image.reference))


def prepare(world: World) -> Source:
    """Build or fetch what is missing, and bring the image into the cluster. Idempotent."""
    from runbook.cluster.embedded.node import Embedded
    from runbook.cluster.embedded.toolchain import Toolchain

    cluster = world.cluster
    if _may_be_fetched(world) and _fetch(world):
        return source(world)
    Toolchain(world.settings).install(world.progress, only=(PART,))
    image = _image(world)
    if isinstance(cluster, Embedded):
        cluster.load_program(image, world.progress)
    else:
        docker.hold(image, world.commands, cluster.docker_environment(), world.progress)
        cluster.load_images([image.reference], world.progress)
    return source(world)


def _may_be_fetched(world: World) -> bool:
    return world.cluster.provider != "embedded" and world.settings.dapr != "module"


def _fetch(world: World) -> bool:
    """Whether Dapr's own chart is there now; not so where its repository is out of reach.

    Raises `RunbookError` then where nothing else is wanted.
    """
    chart = _fetched(world)
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


def _image(world: World) -> ScratchImage:
    from runbook.cluster.embedded.archive import ScratchImage
    from runbook.cluster.embedded.parts import DAPR
    from runbook.cluster.embedded.toolchain import Toolchain

    return ScratchImage(PART, Toolchain(world.settings).binary(PART), links=DAPR)


def _fetched(world: World) -> Path:
    return world.settings.cache / "charts" / f"dapr-{version()}" / PART


def _absent(observed: str) -> Unmeasurable:
    return Unmeasurable(observed, wanted="chart and images of the pinned version", hint="inv dapr")
