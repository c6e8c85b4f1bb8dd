"""What Dapr is installed from: its chart and images, in the one version that is pinned.

The pin is the module that the embedded cluster builds Dapr from. There the chart comes out of that verified module and
the image is made of the built program; on other clusters the chart comes from Dapr's own repository and names the
official images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.engine.errors import CommandMissing, Unmeasurable

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
    if world.cluster.provider != "embedded":
        chart = _fetched(world)
        if not (chart / "Chart.yaml").is_file():
            raise _absent(f"the chart of Dapr {version()} is not fetched yet")
        return Source(version(), chart)
    from runbook.cluster.embedded.toolchain import Toolchain

    try:
        return Source(version(), Toolchain(world.settings).chart(PART), _image(world).reference)
    except CommandMissing as missing:
        raise _absent(f"Dapr {version()} is not built yet: {missing.observed}") from None


def prepare(world: World) -> Source:
    """Build or fetch what is missing, and bring the image into the embedded node. Idempotent."""
    if world.cluster.provider != "embedded":
        chart = _fetched(world)
        if not (chart / "Chart.yaml").is_file():
            world.progress(f"fetching the chart of Dapr {version()}")
            world.helm.pull(PART, REPOSITORY, version(), chart.parent)
        return Source(version(), chart)
    from runbook.cluster.embedded.node import Embedded
    from runbook.cluster.embedded.toolchain import Toolchain

    Toolchain(world.settings).install(world.progress, only=(PART,))
    if isinstance(world.cluster, Embedded):
        world.cluster.load_program(_image(world), world.progress)
    return source(world)


def _image(world: World) -> ScratchImage:
    from runbook.cluster.embedded.archive import ScratchImage
    from runbook.cluster.embedded.parts import DAPR
    from runbook.cluster.embedded.toolchain import Toolchain

    return ScratchImage(PART, Toolchain(world.settings).binary(PART), links=DAPR)


def _fetched(world: World) -> Path:
    return world.settings.cache / "charts" / f"dapr-{version()}" / PART


def _absent(observed: str) -> Unmeasurable:
    return Unmeasurable(observed, wanted="chart and images of the pinned version", hint="inv dapr")
