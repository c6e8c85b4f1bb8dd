"""What Dapr is installed from: its chart and images, in the one version that is pinned.

The pin is the module that the embedded cluster builds Dapr from: there the chart comes out of that verified module and
the image is made of the built program. Other clusters take the chart of Dapr's own repository, which names the official
images; where that is out of reach, or the setting `dapr` says so, they get what the embedded cluster has.
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
    from runbook.cluster.embedded.toolchain import Toolchain

    if may_be_fetched(world):
        chart = fetched_chart(world)
        if (chart / "Chart.yaml").is_file():
            return Source(version(), chart)
        if world.settings.dapr == "repository":
            raise _absent(f"the chart of Dapr {version()} is not fetched yet")
    try:
        chart, image = Toolchain(world.settings).chart(PART), program_image(world)
    except CommandMissing as missing:
        what = "neither fetched nor built" if may_be_fetched(world) else "not built"
        raise _absent(f"Dapr {version()} is {what} yet: {missing.observed}") from None
    return Source(version(), chart, world.cluster.pod_image(image.reference))


def may_be_fetched(world: World) -> bool:
    return world.cluster.provider != "embedded" and world.settings.dapr != "module"


def program_image(world: World) -> ScratchImage:
    from runbook.cluster.embedded.archive import ScratchImage
    from runbook.cluster.embedded.parts import DAPR
    from runbook.cluster.embedded.toolchain import Toolchain

    return ScratchImage(PART, Toolchain(world.settings).binary(PART), links=DAPR)


def fetched_chart(world: World) -> Path:
    return world.settings.cache / "charts" / f"dapr-{version()}" / PART


def _absent(observed: str) -> Unmeasurable:
    return Unmeasurable(observed, wanted="chart and images of the pinned version", hint="inv dapr")
